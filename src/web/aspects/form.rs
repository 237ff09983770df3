//! What every form of an aspect is made of: fields, what is wrong with them, and how they are read back.
//!
//! What is sent is kept, or refused at its field: nothing that somebody filled in is left out without a word.

use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use super::shown::ShownLine;
use crate::catalog::human::AssetAspect;
use crate::catalog::{Asset, AssetId};
use crate::revisions::Problem;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

/// So many empty rows are at the end of a list.
pub(super) const EMPTY_ROWS: usize = 3;

/// The value of the button that takes an aspect back as a whole.
pub(super) const REMOVE: &str = "remove";

/// One field: its name, its text, and what is wrong with it.
#[derive(Debug, Serialize)]
pub(crate) struct Field {
    name: String,
    text: String,
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
pub(crate) struct Wrong {
    field: String,
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

/// What `templates/editing/widget.hbs` can show: one part of a form.
#[derive(Debug, Serialize)]
#[serde(tag = "sort", rename_all = "snake_case")]
pub(crate) enum Widget {
    /// A text of many lines, with a preview.
    Markdown {
        label: &'static str,
        rows: u8,
        field: Field,
    },
    /// Words, one on each line.
    Lines {
        label: &'static str,
        field: Field,
        pick_href: String,
        /// What the field says in which a script takes the next one.
        add: &'static str,
    },
    /// A text of one line; names are suggested from `pick_href`.
    Line {
        label: &'static str,
        field: Field,
        #[serde(flatten)]
        line: Line,
    },
    Day {
        label: &'static str,
        field: Field,
        /// The first day that can be chosen.
        from: Option<String>,
    },
    /// One of a few words.
    Choice {
        label: &'static str,
        name: String,
        options: Vec<Choice>,
    },
    /// The same fields again and again.
    Rows {
        rows: Vec<Vec<Widget>>,
        /// How to take a row out without scripts.
        hint: &'static str,
    },
    /// How long something may hold from today on, each with a button.
    Terms {
        label: &'static str,
        terms: Vec<Term>,
    },
}

/// How a field of one line looks.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// `text` or `url`.
    kind: &'static str,
    placeholder: &'static str,
    pick_href: Option<String>,
}

impl Line {
    pub(super) fn text() -> Self {
        Self {
            kind: "text",
            placeholder: "",
            pick_href: None,
        }
    }

    pub(super) fn url() -> Self {
        Self {
            kind: "url",
            placeholder: "https://",
            pick_href: None,
        }
    }

    /// Suggests tables and views, those beside an asset first.
    pub(super) fn asset(near: AssetId) -> Self {
        let near = near.to_string();
        Self {
            placeholder: "Name of a table or view",
            ..Self::picked(links::with_query(
                &links::pick("assets"),
                [("near", near.as_str())],
            ))
        }
    }

    pub(super) fn picked(href: String) -> Self {
        Self {
            pick_href: Some(href),
            ..Self::text()
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// So many months from today, as a button says them.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Term {
    pub(super) months: u32,
    pub(super) label: &'static str,
}

impl Widget {
    /// A text, as most aspects have one.
    pub(super) fn markdown(label: &'static str, rows: u8, text: &str) -> Self {
        Self::Markdown {
            label,
            rows,
            field: Field::new("text", text),
        }
    }

    /// The fields that hold what somebody wrote.
    fn fields(&mut self) -> Vec<&mut Field> {
        match self {
            Self::Markdown { field, .. }
            | Self::Lines { field, .. }
            | Self::Line { field, .. }
            | Self::Day { field, .. } => vec![field],
            Self::Rows { rows, .. } => rows.iter_mut().flatten().flat_map(Self::fields).collect(),
            Self::Choice { .. } | Self::Terms { .. } => Vec::new(),
        }
    }

    /// The names of all that it sends.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Markdown { field, .. }
            | Self::Lines { field, .. }
            | Self::Line { field, .. }
            | Self::Day { field, .. } => vec![&field.name],
            Self::Rows { rows, .. } => rows.iter().flatten().flat_map(Self::names).collect(),
            Self::Choice { name, .. } => vec![name],
            Self::Terms { .. } => vec!["months"],
        }
    }
}

/// The whole of a form.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Input(Vec<Widget>);

impl Input {
    pub(super) fn new(widgets: Vec<Widget>) -> Self {
        Self(widgets)
    }

    /// Whether there is a text whose preview can be asked for.
    pub(super) fn has_preview(&self) -> bool {
        let mut widgets = self.0.iter();
        widgets.any(|widget| matches!(widget, Widget::Markdown { .. }))
    }

    /// Says at each field what is wrong with it.
    pub(super) fn mark(mut self, wrongs: &[Wrong]) -> Self {
        for field in self.0.iter_mut().flat_map(Widget::fields) {
            let texts = wrongs.iter().filter(|wrong| wrong.field == field.name);
            let texts: Vec<&str> = texts.map(|wrong| wrong.text.as_str()).collect();
            field.wrong = (!texts.is_empty()).then(|| texts.join(" "));
        }
        self
    }

    /// Lists what was sent that the form would not keep: it has no such field.
    pub(super) fn unknown(&self, sent: &Parameters) -> Vec<Wrong> {
        let own = self.0.iter().flat_map(Widget::names);
        let known: Vec<&str> = own.chain(["version", "preview", "do", "use"]).collect();
        let names = sent.filled().map(|(name, _)| name);
        let names = names.filter(|name| !known.contains(name));
        names
            .map(|name| Wrong::new(name, format!("The form has no field “{name}”.")))
            .collect()
    }
}

/// An aspect as a form, as JSON, and on the page of what it is about.
pub(crate) trait Form: AssetAspect {
    /// Its shape in JSON.
    type Shape: From<Self> + Serialize + DeserializeOwned + ToSchema + std::fmt::Debug + 'static;

    /// Where programs write it.
    const API_PATH: &'static str;

    /// What the description of the API says of it.
    const SUMMARY: &'static str;

    /// A whole body for the API, as JSON.
    const EXAMPLE: &'static str;

    /// What to do, for menus; nothing where menus do not offer it.
    const DEED: Option<&'static str> = None;

    /// One sentence below the heading.
    const HINT: &'static str;

    /// The element of the asset's page that shows it.
    const SHOWN_AT: &'static str;

    /// The heading of a section of its own on the asset's page, where it has one.
    const SECTION: Option<&'static str> = None;

    /// What is edited, up to the asset's name.
    fn heading(&self) -> String;

    /// Where the form is.
    fn address(&self, id: AssetId) -> String {
        links::edit(id, Self::NAME)
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
    fn typed(sent: &Parameters, asset: &Asset) -> Input;

    /// Reads what was sent, and says what of it cannot be understood.
    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure>;

    /// The content of a shape.
    fn of_shape(shape: Self::Shape) -> Self;

    /// The content line by line, to be set beside another one.
    fn lines(&self) -> Vec<String>;

    /// What it says about another thing that it names, for the page of that one: “Used instead of”.
    fn mention(&self, _target: Uuid) -> Vec<&'static str> {
        Vec::new()
    }

    /// What its section on the page shows, where it has one.
    fn shown(&self) -> Vec<ShownLine> {
        Vec::new()
    }
}

pub(super) fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
