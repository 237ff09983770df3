//! Pieces that several pages show. Everything a source says is shortened here before it can fill a page.

use std::borrow::Cow;

use serde::Serialize;

use crate::auth::Who;
use crate::catalog::unseen::{legible_name, legible_text, legible_value};
use crate::catalog::{Asset, AssetKind, Inside, Summary};
use crate::db::{Cursor, Page};
use crate::ingest::{Run, RunState};
use crate::revisions::Revision;
use crate::web::links;
use crate::web::text::{Moment, Shortened, count, duration, number};

/// Names longer than this are cut in lists, with the whole in the title.
const LONGEST_NAME: usize = 120;

/// Names longer than this are cut even where they are the heading.
const LONGEST_HEADING: usize = 400;

/// No title is longer than this.
const LONGEST_TITLE: usize = 2_000;

/// Texts longer than this are folded.
const LONGEST_TEXT: usize = 280;

/// Of a longer text not even the folded part is all of it: nobody reads on, and the API has the whole.
const LONGEST_WHOLE: usize = 10_000;

/// The same for a sentence, which tells of a text and need not tell all of it.
const LONGEST_TOLD: usize = 2_000;

/// A sentence of a list is no longer than this.
const LONGEST_SENTENCE: usize = 180;

/// Shortens a name for a list.
pub(in crate::web) fn name(name: &str) -> Shortened {
    name_of(LONGEST_NAME, name)
}

/// Shortens the name in a heading, which may be longer.
pub(in crate::web) fn heading(name: &str) -> Shortened {
    name_of(LONGEST_HEADING, name)
}

/// Shows what cannot be seen in a name, or would turn its letters around, by name.
pub(in crate::web) fn name_of(most: usize, name: &str) -> Shortened {
    match legible_name(name) {
        Cow::Borrowed(name) => titled(most, name),
        Cow::Owned(shown) => {
            let mut shortened = titled(most, &shown);
            let whole = || Shortened::to(LONGEST_TITLE, &shown).shown;
            shortened.whole.get_or_insert_with(whole);
            shortened
        }
    }
}

/// Shortens a text whose title tells more of it.
fn titled(most: usize, text: &str) -> Shortened {
    let shortened = Shortened::to(most, text);
    let whole = shortened
        .whole
        .map(|whole| Shortened::to(LONGEST_TITLE, &whole).shown);
    Shortened { whole, ..shortened }
}

/// The first sentence of a text, and the whole if there is more.
pub(in crate::web) fn first_sentence(text: &str) -> Shortened {
    let text = legible_text(text);
    let line = text.lines().next().unwrap_or_default();
    let ends = [". ", "! ", "? ", "。"];
    let end = ends
        .iter()
        .filter_map(|end| line.find(end).map(|at| at + end.trim_end().len()))
        .min();
    let sentence = end.and_then(|end| line.get(..end)).unwrap_or(line);
    let mut shortened = Shortened::to(LONGEST_SENTENCE, sentence);
    if shortened.whole.is_none() && sentence.len() < text.len() {
        shortened.whole = Some(Shortened::to(LONGEST_TITLE, &text).shown);
    }
    shortened
}

/// A text, folded if it is long.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Text {
    start: String,
    /// The whole text, if `start` is not.
    rest: Option<String>,
}

impl Text {
    pub(in crate::web) fn new(text: &str) -> Self {
        Self::cut_at(LONGEST_TEXT, text)
    }

    pub(in crate::web) fn cut_at(most: usize, text: &str) -> Self {
        let text = Shortened::to(LONGEST_WHOLE, text.trim()).shown;
        Self::folded(most, &legible_text(&text))
    }

    /// A text in which nothing may be cut, such as the name of a resource; one of many on its page.
    pub(in crate::web) fn whole(text: &str) -> Self {
        let text = Shortened::to(LONGEST_TOLD, text.trim()).shown;
        Self::folded(LONGEST_TOLD, &legible_text(&text))
    }

    /// A text that is one of many on its page.
    pub(in crate::web) fn one_of_many(text: &str) -> Self {
        let text = Shortened::to(LONGEST_TOLD, text.trim()).shown;
        Self::folded(LONGEST_TEXT, &legible_text(&text))
    }

    /// A value in which blanks count, such as a delimiter; one of many on its page.
    pub(in crate::web) fn exact(most: usize, value: &str) -> Self {
        let value = Shortened::to(LONGEST_TOLD, value).shown;
        Self::folded(most, &legible_value(&value))
    }

    /// A text of which so much is shown at once.
    fn folded(most: usize, text: &str) -> Self {
        let cut = Shortened::to(most, text);
        Self {
            start: cut.shown.trim_end_matches('…').to_owned(),
            rest: cut.whole,
        }
    }
}

/// A link whose label may have been shortened.
#[derive(Debug, Clone, Serialize)]
pub(in crate::web) struct Link {
    shown: String,
    whole: Option<String>,
    href: String,
}

impl Link {
    pub(in crate::web) fn new(label: &str, href: String) -> Self {
        let Shortened { shown, whole } = name(label);
        Self { shown, whole, href }
    }

    pub(in crate::web) fn to_asset(asset: &Asset) -> Self {
        Self::new(asset.address.name(), links::asset(asset.id))
    }

    pub(in crate::web) fn to_summary(summary: &Summary) -> Self {
        Self::new(summary.address.name(), links::asset(summary.id))
    }

    pub(in crate::web) fn to_recipe(name: &str) -> Self {
        Self::new(name, links::recipe(name))
    }
}

/// One fact with its label: a moment or a text.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Fact {
    label: &'static str,
    at: Option<Moment>,
    text: Option<String>,
    title: Option<String>,
    mono: bool,
}

impl Fact {
    pub(in crate::web) fn text(label: &'static str, text: &str) -> Self {
        let Shortened { shown, whole } = name(text);
        Self {
            label,
            at: None,
            text: Some(shown),
            title: whole,
            mono: false,
        }
    }

    pub(in crate::web) fn at(label: &'static str, at: chrono::DateTime<chrono::Utc>) -> Self {
        Self {
            label,
            at: Some(Moment::of(at)),
            text: None,
            title: None,
            mono: false,
        }
    }

    pub(in crate::web) fn mono(mut self) -> Self {
        self.mono = true;
        self
    }

    pub(in crate::web) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }
}

/// Who wrote something last, and when.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Byline {
    who: String,
    at: Moment,
}

impl Byline {
    pub(in crate::web) fn of<A>(revision: &Revision<A>) -> Option<Self> {
        let (who, at) = revision.edited.as_ref()?;
        Some(Self {
            who: name(&who.to_string()).shown,
            at: Moment::of(*at),
        })
    }
}

/// Where a list goes on.
#[derive(Debug, Serialize)]
pub(in crate::web) struct More {
    href: Option<String>,
    label: &'static str,
}

impl More {
    pub(in crate::web) fn of<T>(
        page: &Page<T>,
        label: &'static str,
        href: impl Fn(&Cursor) -> String,
    ) -> Self {
        Self {
            href: page.next.as_ref().map(href),
            label,
        }
    }
}

/// A word for how something stands, with a sign and a colour.
#[derive(Debug, Clone, Copy, Serialize)]
pub(in crate::web) struct State {
    word: &'static str,
    tone: &'static str,
    icon: &'static str,
}

impl State {
    pub(in crate::web) const fn new(
        word: &'static str,
        tone: &'static str,
        icon: &'static str,
    ) -> Self {
        Self { word, tone, icon }
    }

    pub(in crate::web) fn of_run(state: RunState) -> Self {
        match state {
            RunState::Running => Self::new("Running", "plain", "clock"),
            RunState::Succeeded => Self::new("Succeeded", "good", "check"),
            RunState::Partial => Self::new("Partial", "caution", "warn"),
            RunState::Failed => Self::new("Failed", "bad", "cross"),
            RunState::Interrupted => Self::new("Interrupted", "caution", "warn"),
        }
    }

    pub(in crate::web) fn of_listing(complete: bool) -> Self {
        if complete {
            Self::new("Complete", "good", "check")
        } else {
            Self::new("Incomplete", "caution", "warn")
        }
    }
}

/// The icon of a kind of asset.
pub(in crate::web) fn icon(kind: AssetKind) -> &'static str {
    kind.as_str()
}

/// The word for one asset of a kind, at the start of a line.
pub(in crate::web) fn kind_word(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Database => "Database",
        AssetKind::Table => "Table",
        AssetKind::View => "View",
    }
}

/// What people call a platform.
pub(in crate::web) fn platform_word(platform: &str) -> String {
    match platform {
        "glue" => "AWS Glue".to_owned(),
        other => name(other).shown,
    }
}

/// What is inside a database, in words.
pub(in crate::web) fn inside_words(inside: Option<&Inside>) -> String {
    let Inside { tables, views } = inside.copied().unwrap_or_default();
    let tables_words = count(tables, "table", "tables");
    match (tables, views) {
        (0, 0) => "none read".to_owned(),
        (_, 0) => tables_words,
        (0, _) => count(views, "view", "views"),
        (_, _) => format!("{tables_words}, {}", count(views, "view", "views")),
    }
}

/// A run as a line of a list.
#[derive(Debug, Serialize)]
pub(in crate::web) struct RunRow {
    href: String,
    at: Moment,
    recipe: Link,
    state: State,
    by: String,
    new: String,
    changed: String,
    gone: String,
    took: String,
}

impl From<&Run> for RunRow {
    fn from(run: &Run) -> Self {
        let counts = run.counts.assets;
        Self {
            href: links::run(run.id),
            at: Moment::of(run.started_at),
            recipe: Link::to_recipe(&run.recipe),
            state: State::of_run(run.state),
            by: started_by(run),
            new: number(counts.new),
            changed: number(counts.changed),
            gone: number(counts.gone),
            took: took(run),
        }
    }
}

/// How long a run took, or has taken so far.
pub(in crate::web) fn took(run: &Run) -> String {
    let end = run.ended_at.unwrap_or_else(chrono::Utc::now);
    duration(u64::try_from((end - run.started_at).num_milliseconds()).unwrap_or(0))
}

/// Who started a run: a person by name, or else what set it off.
pub(in crate::web) fn started_by(run: &Run) -> String {
    use crate::ingest::StartedBy::{Api, Command, Page, Schedule};
    let person = match &run.who {
        Who::Account { name: person, .. } => Some(name(person).shown),
        _ => None,
    };
    match (run.started_by, person) {
        (Page, Some(person)) => person,
        (Api, Some(person)) => format!("{person}, by API"),
        (Command, _) => "Command line".to_owned(),
        (Schedule, _) => "Schedule".to_owned(),
        (Page, None) => "Website".to_owned(),
        (Api, None) => "API".to_owned(),
    }
}

/// The last result of a recipe, in one line.
#[derive(Debug, Serialize)]
pub(in crate::web) struct LastRun {
    state: State,
    /// What it left out, or how far it is.
    note: Option<String>,
    at: Moment,
    href: String,
}

impl LastRun {
    pub(in crate::web) fn new(run: &Run, note: Option<String>) -> Self {
        Self {
            state: State::of_run(run.state),
            note,
            at: Moment::of(run.ended_at.unwrap_or(run.started_at)),
            href: links::run(run.id),
        }
    }
}

/// HTML that was escaped where it was made; the only thing that a template shows as it is.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(in crate::web) struct Html(pub(in crate::web) String);
