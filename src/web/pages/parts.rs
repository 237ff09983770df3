//! Pieces that several pages show. Everything a source says is shortened here before it can fill a page.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;

use crate::catalog::human::{Piece as ComparedPiece, compare};
use crate::catalog::unseen::{legible_name, legible_text, legible_value};
use crate::catalog::{Action, Asset, AssetId, AssetKind, Change, Inside, Summary};
use crate::db::{Cursor, Page};
use crate::ingest::{Level, Run, RunState};
use crate::web::links;
use crate::web::text::{Moment, Shortened, count, duration, number};

/// Names longer than this are cut in lists, with the whole in the title.
const LONGEST_NAME: usize = 120;

/// Names longer than this are cut even where they are the heading.
const LONGEST_HEADING: usize = 400;

/// Texts longer than this are folded.
const LONGEST_TEXT: usize = 280;

/// A sentence of a list is no longer than this.
const LONGEST_SENTENCE: usize = 180;

/// So many sentences of one change are shown at once; the others are folded.
const SENTENCES_AT_ONCE: usize = 4;

/// No change tells more sentences than this.
const MOST_SENTENCES: usize = 200;

/// So many letters are told around what was changed in a text.
const AROUND: usize = 80;

/// So many assets that appeared together are named.
const NAMED_TOGETHER: usize = 3;

/// Shortens a name for a list.
pub(super) fn name(name: &str) -> Shortened {
    name_of(LONGEST_NAME, name)
}

/// Shortens the name in a heading, which may be longer.
pub(super) fn heading(name: &str) -> Shortened {
    name_of(LONGEST_HEADING, name)
}

/// Shows what cannot be seen in a name, or would turn its letters around, by name.
pub(super) fn name_of(most: usize, name: &str) -> Shortened {
    match legible_name(name) {
        Cow::Borrowed(name) => Shortened::to(most, name),
        Cow::Owned(shown) => {
            let mut shortened = Shortened::to(most, &shown);
            shortened.whole.get_or_insert(shown);
            shortened
        }
    }
}

/// The first sentence of a text, and the whole if there is more.
pub(super) fn first_sentence(text: &str) -> Shortened {
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
        shortened.whole = Some(Shortened::to(10 * LONGEST_SENTENCE, &text).shown);
    }
    shortened
}

/// A text, folded if it is long.
#[derive(Debug, Serialize)]
pub(super) struct Text {
    start: String,
    /// The whole text, if `start` is not.
    rest: Option<String>,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        Self::cut_at(LONGEST_TEXT, text)
    }

    pub(super) fn cut_at(most: usize, text: &str) -> Self {
        Self::cut(most, &legible_text(text))
    }

    /// A value in which blanks count, such as a delimiter.
    pub(super) fn exact(most: usize, value: &str) -> Self {
        Self::cut(most, &legible_value(value))
    }

    fn cut(most: usize, text: &str) -> Self {
        let cut = Shortened::to(most, text);
        Self {
            start: cut.shown.trim_end_matches('…').to_owned(),
            rest: cut.whole,
        }
    }
}

/// A link whose label may have been shortened.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    shown: String,
    whole: Option<String>,
    href: String,
}

impl Link {
    pub(super) fn new(label: &str, href: String) -> Self {
        let Shortened { shown, whole } = name(label);
        Self { shown, whole, href }
    }

    pub(super) fn to_asset(asset: &Asset) -> Self {
        Self::new(asset.address.name(), links::asset(asset.id))
    }

    pub(super) fn to_recipe(name: &str) -> Self {
        Self::new(name, links::recipe(name))
    }
}

/// One fact with its label: a moment or a text.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    label: &'static str,
    at: Option<Moment>,
    text: Option<String>,
    title: Option<String>,
    mono: bool,
}

impl Fact {
    pub(super) fn text(label: &'static str, text: &str) -> Self {
        let Shortened { shown, whole } = name(text);
        Self {
            label,
            at: None,
            text: Some(shown),
            title: whole,
            mono: false,
        }
    }

    pub(super) fn at(label: &'static str, at: chrono::DateTime<chrono::Utc>) -> Self {
        Self {
            label,
            at: Some(Moment::of(at)),
            text: None,
            title: None,
            mono: false,
        }
    }

    pub(super) fn mono(mut self) -> Self {
        self.mono = true;
        self
    }

    pub(super) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }
}

/// Where a list goes on.
#[derive(Debug, Serialize)]
pub(super) struct More {
    href: Option<String>,
    label: &'static str,
}

impl More {
    pub(super) fn of<T>(
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
pub(super) struct State {
    word: &'static str,
    tone: &'static str,
    icon: &'static str,
}

impl State {
    pub(super) const fn new(word: &'static str, tone: &'static str, icon: &'static str) -> Self {
        Self { word, tone, icon }
    }

    pub(super) fn of_run(state: RunState) -> Self {
        match state {
            RunState::Running => Self::new("Running", "plain", "clock"),
            RunState::Succeeded => Self::new("Succeeded", "good", "check"),
            RunState::Partial => Self::new("Partial", "caution", "warn"),
            RunState::Failed => Self::new("Failed", "bad", "cross"),
            RunState::Interrupted => Self::new("Interrupted", "caution", "warn"),
        }
    }

    pub(super) fn of_listing(complete: bool) -> Self {
        if complete {
            Self::new("Complete", "good", "check")
        } else {
            Self::new("Incomplete", "caution", "warn")
        }
    }

    pub(super) fn of_level(level: Level) -> Self {
        match level {
            Level::Problem => Self::new("Problem", "bad", "cross"),
            Level::Notice => Self::new("Notice", "plain", "note"),
        }
    }
}

/// The icon of a kind of asset.
pub(super) fn icon(kind: AssetKind) -> &'static str {
    kind.as_str()
}

/// The word for one asset of a kind, at the start of a line.
pub(super) fn kind_word(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Database => "Database",
        AssetKind::Table => "Table",
        AssetKind::View => "View",
    }
}

/// What people call a platform.
pub(super) fn platform_word(platform: &str) -> String {
    match platform {
        "glue" => "AWS Glue".to_owned(),
        other => name(other).shown,
    }
}

/// What is inside a database, in words.
pub(super) fn inside_words(inside: Option<&Inside>) -> String {
    let Inside { tables, views } = inside.copied().unwrap_or_default();
    let tables_words = count(tables, "table", "tables");
    match (tables, views) {
        (0, 0) => "none read".to_owned(),
        (_, 0) => tables_words,
        (0, _) => count(views, "view", "views"),
        (_, _) => format!("{tables_words}, {}", count(views, "view", "views")),
    }
}

/// A table or view as a line of its database.
#[derive(Debug, Serialize)]
pub(super) struct AssetRow {
    icon: &'static str,
    kind: &'static str,
    name: Shortened,
    href: String,
    gone: bool,
    description: String,
    description_whole: Option<String>,
    columns: String,
    rows: String,
}

impl From<&Summary> for AssetRow {
    fn from(summary: &Summary) -> Self {
        let description = first_sentence(summary.description.as_deref().unwrap_or_default());
        Self {
            icon: icon(summary.kind),
            kind: kind_word(summary.kind),
            name: name(summary.address.name()),
            href: links::asset(summary.id),
            gone: summary.gone_at.is_some(),
            description: description.shown,
            description_whole: description.whole,
            columns: number(summary.columns as u64),
            rows: summary.rows.map_or_else(String::new, number),
        }
    }
}

/// Some of a history, newest first.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    entries: Vec<Entry>,
    none: &'static str,
    more_href: Option<String>,
    /// What htmx fetches instead of the whole page.
    more_part: Option<String>,
}

/// One change, or several of the same sort.
#[derive(Debug, Serialize)]
struct Entry {
    at: Moment,
    assets: Vec<Link>,
    sentences: Vec<Text>,
    more: Vec<Text>,
    more_words: String,
    /// What was done to a text, folded.
    pieces: Vec<Piece>,
    who: String,
    run_href: Option<String>,
}

impl Changes {
    /// The history of one asset, whose name need not be told.
    pub(super) fn of_asset(id: AssetId, page: &Page<Change>) -> Self {
        let more = |path: &str, parameter| {
            page.next
                .as_ref()
                .map(|cursor| links::with_query(path, [(parameter, cursor.as_str())]))
        };
        Self {
            entries: page
                .items
                .iter()
                .map(|change| Entry::new(change, None))
                .collect(),
            none: "Nothing has changed since the catalog knows it.",
            more_href: more(&links::asset(id), "history"),
            more_part: more(&links::asset_history(id), "after"),
        }
    }

    /// What a run changed, with the names of what it changed.
    pub(super) fn of_run(run: &Run, page: &Page<Change>, assets: &[Asset]) -> Self {
        let href = page
            .next
            .as_ref()
            .map(|cursor| links::with_query(&links::run(run.id), [("changes", cursor.as_str())]));
        let none = match run.state {
            RunState::Running => "Nothing so far.",
            _ => "Nothing: the source says what it said before.",
        };
        let named = named(assets);
        Self {
            entries: page
                .items
                .iter()
                .map(|change| Entry::new(change, named.get(&change.asset).copied()))
                .collect(),
            none,
            more_part: href.clone(),
            more_href: href,
        }
    }

    /// The newest changes anywhere; what appeared in one run is told together.
    pub(super) fn recent(changes: &[Change], assets: &[Asset], most: usize) -> Self {
        let named = named(assets);
        let last = changes.last().map(|change| change.seq);
        let together = |one: &Change, other: &Change| {
            one.run == other.run && one.action == Action::Created && other.action == Action::Created
        };
        Self {
            entries: changes
                .chunk_by(together)
                .take(most)
                .flat_map(|chunk| {
                    let open = chunk.last().map(|change| change.seq) == last;
                    Entry::of_several(chunk, &named, open)
                })
                .take(most)
                .collect(),
            none: "",
            more_href: None,
            more_part: None,
        }
    }
}

fn named(assets: &[Asset]) -> HashMap<AssetId, &Asset> {
    assets.iter().map(|asset| (asset.id, asset)).collect()
}

impl Entry {
    fn new(change: &Change, asset: Option<&Asset>) -> Self {
        let mut sentences = change.action.sentences();
        let untold = sentences.len().saturating_sub(MOST_SENTENCES);
        sentences.truncate(MOST_SENTENCES);
        if untold > 0 {
            sentences.push(count(
                untold as u64,
                "more difference.",
                "more differences.",
            ));
        }
        let folded = if sentences.len() > SENTENCES_AT_ONCE + 1 {
            sentences.split_off(SENTENCES_AT_ONCE)
        } else {
            Vec::new()
        };
        Self {
            at: Moment::of(change.at),
            assets: asset.map(Link::to_asset).into_iter().collect(),
            sentences: texts(&sentences),
            more_words: format!("{} more", number(folded.len() as u64 + untold as u64)),
            more: texts(&folded),
            pieces: match &change.action {
                Action::Revised(revision) => revision.text.as_ref().map_or_else(Vec::new, pieces),
                _ => Vec::new(),
            },
            who: format!("by {}", change.who),
            run_href: change.run.map(links::run),
        }
    }

    /// One entry for each change, or a single one if there are many; `open` if there may be still more of them.
    fn of_several(chunk: &[Change], named: &HashMap<AssetId, &Asset>, open: bool) -> Vec<Self> {
        let asset = |change: &Change| named.get(&change.asset).copied();
        match chunk {
            [first, _, _, _, ..] => {
                let assets: Vec<Link> = chunk
                    .iter()
                    .filter_map(asset)
                    .filter(|asset| asset.kind != AssetKind::Database)
                    .take(NAMED_TOGETHER)
                    .map(Link::to_asset)
                    .collect();
                let others = chunk.len() - assets.len().min(chunk.len());
                let at_least = if open { "at least " } else { "" };
                let others = count(others as u64, "other", "others");
                let sentence = format!("and {at_least}{others} appeared in the source.");
                vec![Self {
                    assets,
                    sentences: texts(&[sentence]),
                    pieces: Vec::new(),
                    ..Self::new(first, None)
                }]
            }
            few => few
                .iter()
                .map(|change| Self::new(change, asset(change)))
                .collect(),
        }
    }
}

fn texts(sentences: &[String]) -> Vec<Text> {
    sentences.iter().map(|text| Text::new(text)).collect()
}

/// A piece of a text that was changed.
#[derive(Debug, Serialize)]
struct Piece {
    text: String,
    /// Empty, `inserted` or `deleted`.
    mark: &'static str,
}

/// Tells what was done to a text, with a few words around each place.
fn pieces((before, after): &(String, String)) -> Vec<Piece> {
    let compared = compare(before, after);
    let last = compared.len().saturating_sub(1);
    let piece = |(nth, piece)| match piece {
        ComparedPiece::Kept(text) => Piece {
            text: around(&text, nth > 0, nth < last),
            mark: "",
        },
        ComparedPiece::Inserted(text) => Piece {
            text,
            mark: "inserted",
        },
        ComparedPiece::Deleted(text) => Piece {
            text,
            mark: "deleted",
        },
    };
    compared.into_iter().enumerate().map(piece).collect()
}

/// The end of what stands before a change, and the beginning of what stands behind one.
fn around(text: &str, behind: bool, before: bool) -> String {
    let letters = text.chars().count();
    let wanted = AROUND * (usize::from(behind) + usize::from(before));
    if letters <= wanted {
        return text.to_owned();
    }
    let beginning = text.chars().take(if behind { AROUND } else { 0 });
    let end = text.chars().skip(letters - if before { AROUND } else { 0 });
    beginning.chain(" … ".chars()).chain(end).collect()
}

/// A run as a line of a list.
#[derive(Debug, Serialize)]
pub(super) struct RunRow {
    href: String,
    at: Moment,
    recipe: Link,
    state: State,
    by: &'static str,
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
pub(super) fn took(run: &Run) -> String {
    let end = run.ended_at.unwrap_or_else(chrono::Utc::now);
    duration(u64::try_from((end - run.started_at).num_milliseconds()).unwrap_or(0))
}

/// What set a run off, in words.
pub(super) fn started_by(run: &Run) -> &'static str {
    use crate::ingest::StartedBy::{Api, Command, Page, Schedule};
    match run.started_by {
        Command => "Command line",
        Schedule => "Schedule",
        Page => "This site",
        Api => "API",
    }
}

/// The last result of a recipe, in one line.
#[derive(Debug, Serialize)]
pub(super) struct LastRun {
    state: State,
    at: Moment,
    href: String,
}

impl From<&Run> for LastRun {
    fn from(run: &Run) -> Self {
        Self {
            state: State::of_run(run.state),
            at: Moment::of(run.ended_at.unwrap_or(run.started_at)),
            href: links::run(run.id),
        }
    }
}

/// HTML that was escaped where it was made; the only thing that a template shows as it is.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Html(pub(super) String);
