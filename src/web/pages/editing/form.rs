//! How an aspect looks in a form and is read back; the aspects that are texts.
//!
//! What is sent is kept, or refused at its field: nothing that somebody filled in is left out without a word.

use chrono::NaiveDate;
use serde::Serialize;

use crate::catalog::human::{Aspect, Description, Note, Problem, Tags};
use crate::catalog::{Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

/// So many empty rows stand at the end of a list.
pub(super) const EMPTY_ROWS: usize = 3;

/// One field: its name, its text, and what is wrong with it.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) text: String,
    wrong: Option<String>,
}

impl Field {
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            wrong: None,
        }
    }
}

/// Something that is wrong with a form, and at which field.
#[derive(Debug, Serialize)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) text: String,
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            text: text.into(),
        }
    }

    /// What the catalog says is wrong, at the field of the form that is meant.
    pub(super) fn of<A: Form>(problem: &Problem) -> Self {
        Self::new(A::field_of(problem.field), problem.text.clone())
    }
}

/// What `templates/editing/edit.hbs` shows as fields.
#[derive(Debug, Serialize)]
#[serde(tag = "sort", rename_all = "snake_case")]
pub(super) enum Input {
    Text {
        text: Field,
    },
    Tags {
        tags: Field,
        pick_href: String,
    },
    Owners {
        rows: Vec<OwnerRow>,
        pick_href: String,
    },
    Links {
        rows: Vec<LinkRow>,
    },
    Until {
        until: Field,
        today: String,
        /// How long it may hold from today on, each with a button.
        terms: Vec<Term>,
    },
    Deprecation {
        /// Where assets are suggested.
        pick_href: String,
        since: Field,
        replacement: Field,
        text: Field,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct OwnerRow {
    pub(super) number: usize,
    pub(super) owner: Field,
    pub(super) roles: Vec<Choice>,
}

#[derive(Debug, Serialize)]
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) chosen: bool,
}

/// So many months from today, as a button says them.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Term {
    pub(super) months: u32,
    pub(super) label: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct LinkRow {
    pub(super) label: Field,
    pub(super) url: Field,
}

impl Input {
    /// The fields that hold what somebody wrote.
    pub(super) fn fields(&mut self) -> Vec<&mut Field> {
        match self {
            Self::Text { text } => vec![text],
            Self::Tags { tags, .. } => vec![tags],
            Self::Owners { rows, .. } => rows.iter_mut().map(|row| &mut row.owner).collect(),
            Self::Links { rows } => {
                let rows = rows.iter_mut();
                rows.flat_map(|row| [&mut row.label, &mut row.url])
                    .collect()
            }
            Self::Until { until, .. } => vec![until],
            Self::Deprecation {
                since,
                replacement,
                text,
                ..
            } => vec![since, replacement, text],
        }
    }

    /// Suggests first what is beside this asset.
    pub(super) fn near(mut self, id: AssetId) -> Self {
        if let Self::Deprecation { pick_href, .. } = &mut self {
            *pick_href = links::with_query(pick_href, [("near", id.to_string().as_str())]);
        }
        self
    }

    /// Says at each field what is wrong with it.
    pub(super) fn mark(mut self, wrongs: &[Wrong]) -> Self {
        for field in self.fields() {
            let texts = wrongs.iter().filter(|wrong| wrong.field == field.name);
            let texts: Vec<&str> = texts.map(|wrong| wrong.text.as_str()).collect();
            field.wrong = (!texts.is_empty()).then(|| texts.join(" "));
        }
        self
    }

    /// Lists what was sent that the form would not keep: it has no such field.
    pub(super) fn unknown(&mut self, sent: &Parameters) -> Vec<Wrong> {
        let rows = match self {
            Self::Owners { rows, .. } => rows.len(),
            _ => 0,
        };
        let known: Vec<String> = self
            .fields()
            .into_iter()
            .map(|field| field.name.clone())
            .chain((0..rows).map(|number| format!("role-{number}")))
            .chain(["version", "preview", "do", "months", "use"].map(str::to_owned))
            .collect();
        let names = sent.filled().map(|(name, _)| name);
        let names = names.filter(|name| !known.iter().any(|known| known == name));
        names
            .map(|name| Wrong::new(name, format!("The form has no field “{name}”.")))
            .collect()
    }
}

/// An aspect as a form.
pub(super) trait Form: Aspect {
    /// One sentence below the heading.
    const HINT: &'static str;

    /// The element of the asset's page that shows it.
    const SHOWN_AT: &'static str;

    /// What is edited, up to the asset's name.
    fn title(&self) -> String;

    /// Where the form is.
    fn address(&self, id: AssetId) -> String {
        links::edit(id, Self::KIND)
    }

    /// The column that it is about, if it is about one.
    fn column(&self) -> Option<&str> {
        None
    }

    /// What the button says that saves it.
    fn verb(&self) -> &'static str {
        "Save"
    }

    /// What the button says that takes it back as a whole; nothing where emptying its field does.
    fn removal(&self) -> Option<&'static str> {
        None
    }

    /// What the source says of the same.
    fn beside(&self, _: &Asset) -> Option<String> {
        None
    }

    /// What the form offers when it is opened, so that saving it does what its title says.
    fn offered(&self, _today: NaiveDate) -> Self {
        self.clone()
    }

    /// The field of the form that shows a field of the aspect.
    fn field_of(field: &'static str) -> &'static str {
        field
    }

    /// The fields with this content.
    async fn input(&self, editor: &Editor, asset: &Asset) -> Result<Input, Failure>;

    /// The fields with what was sent in them.
    fn typed(sent: &Parameters) -> Input;

    /// Reads what was sent, and says what of it cannot be understood.
    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure>;

    /// The content line by line, to be set beside another one.
    fn lines(&self) -> Vec<String>;
}

fn text_input(text: &str) -> Input {
    Input::Text {
        text: Field::new("text", text),
    }
}

fn tags_input(tags: &str) -> Input {
    Input::Tags {
        tags: Field::new("tags", tags),
        pick_href: links::pick("tags"),
    }
}

pub(super) fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

impl Form for Description {
    const HINT: &'static str =
        "What is a row of it? What is it for, and what should one know before using it?";
    const SHOWN_AT: &'static str = "description";

    fn title(&self) -> String {
        "Describe".to_owned()
    }

    fn beside(&self, asset: &Asset) -> Option<String> {
        asset.source.description.clone()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(text_input(&self.text))
    }

    fn typed(sent: &Parameters) -> Input {
        text_input(sent.text("text"))
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        let text = sent.text("text").to_owned();
        Ok((Self { text }, Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        lines_of(&self.text)
    }
}

impl Form for Note {
    const HINT: &'static str = "What does it hold, in which unit, and when is it empty?";
    const SHOWN_AT: &'static str = "columns";

    fn title(&self) -> String {
        format!("Describe column {} of", self.column)
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn address(&self, id: AssetId) -> String {
        links::edit_column(id, &self.column)
    }

    fn beside(&self, asset: &Asset) -> Option<String> {
        let mut columns = asset.source.columns.iter().flat_map(|column| column.walk());
        let column = columns.find(|column| column.path == self.column)?;
        column.comment.clone()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(text_input(&self.text))
    }

    fn typed(sent: &Parameters) -> Input {
        text_input(sent.text("text"))
    }

    /// Which column it is about stands in the address, not in the form.
    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        let text = sent.text("text").to_owned();
        let column = String::new();
        Ok((Self { column, text }, Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        lines_of(&self.text)
    }
}

impl Form for Tags {
    const HINT: &'static str = "Labels, one per line. Search finds them as tag:label.";
    const SHOWN_AT: &'static str = "tags";

    fn title(&self) -> String {
        "Tag".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(tags_input(&self.0.join("\n")))
    }

    fn typed(sent: &Parameters) -> Input {
        tags_input(sent.text("tags"))
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        Ok((Self(lines_of(sent.text("tags"))), Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        self.0.clone()
    }
}
