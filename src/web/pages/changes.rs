//! Histories: what happened to one asset, in one run, or anywhere.

use serde::Serialize;

use super::asset_line::{AssetLine, AssetLines};
use super::parts::{Text, name};
use crate::catalog::{Action, AssetId, Change, Difference};
use crate::db::Page;
use crate::ingest::{Run, RunState};
use crate::revisions::{Comparison, Edit, Piece as ComparedPiece};
use crate::web::links;
use crate::web::text::{Moment, count, number};

/// So many sentences of one change are shown at once; the others are folded.
const SENTENCES_AT_ONCE: usize = 4;

/// So many texts of one change are compared in a list.
const MOST_TEXTS: usize = 3;

/// No change tells more sentences than this in a list; its own page tells more.
const MOST_SENTENCES: usize = 50;

/// No change tells more sentences than this.
const MOST_SENTENCES_ALONE: usize = 1_000;

/// Some of a history, newest first.
#[derive(Debug, Serialize)]
pub(super) struct Changes {
    entries: Vec<Entry>,
    none: &'static str,
    more_href: Option<String>,
    /// What htmx fetches instead of the whole page.
    more_part: Option<String>,
}

/// One change.
#[derive(Debug, Serialize)]
struct Entry {
    at: Moment,
    /// What was changed, where the page does not say so.
    asset: Option<AssetLine>,
    sentences: Vec<Text>,
    more: Vec<Text>,
    more_words: String,
    /// What was done to texts.
    reworded: Vec<Reworded>,
    who: String,
    run_href: Option<String>,
    /// Where both sides of an edit are, and the way back.
    compare_href: Option<String>,
}

/// What was done to a text, as far as a person reads on.
#[derive(Debug, Serialize)]
pub(super) struct Reworded {
    /// What text it is, where that is not told before.
    what: Option<String>,
    /// The places that differ, folded.
    pieces: Vec<Piece>,
    /// What is to be said beside them.
    said: Option<String>,
    /// Where both texts are.
    href: Option<String>,
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
    pub(super) fn of_run(run: &Run, page: &Page<Change>, named: &AssetLines) -> Self {
        let href = page
            .next
            .as_ref()
            .map(|cursor| links::with_query(&links::run(run.id), [("changes", cursor.as_str())]));
        let none = match run.state {
            RunState::Running => "Nothing so far.",
            _ => "No changes since the last run.",
        };
        Self {
            entries: page
                .items
                .iter()
                .map(|change| Entry::new(change, named.line(change.asset)))
                .collect(),
            none,
            more_part: href.clone(),
            more_href: href,
        }
    }

    /// The changes of a batch, with the names of what was changed.
    pub(super) fn of_batch(here: &str, page: &Page<Change>, named: &AssetLines) -> Self {
        let after = page.next.as_ref();
        let href = after.map(|cursor| links::with_more(here, ("after", cursor.as_str())));
        Self {
            entries: page
                .items
                .iter()
                .map(|change| Entry::new(change, named.line(change.asset)))
                .collect(),
            none: "Nothing of this kind changed.",
            more_part: href.clone(),
            more_href: href,
        }
    }
}

impl Entry {
    fn new(change: &Change, asset: Option<AssetLine>) -> Self {
        let Told {
            mut sentences,
            dangerous,
            untold,
            reworded,
        } = Told::of(change, MOST_SENTENCES);
        // What may break something is never folded.
        let shown = dangerous.max(SENTENCES_AT_ONCE);
        let folded = if sentences.len() > shown + 1 {
            sentences.split_off(shown)
        } else {
            Vec::new()
        };
        Self {
            at: Moment::of(change.at),
            asset,
            sentences: texts(&sentences),
            more_words: format!("{} more", number(folded.len() as u64 + untold as u64)),
            more: texts(&folded),
            reworded: match &change.action {
                Action::Revised(edit) => Reworded::of(edit, change).into_iter().collect(),
                _ => reworded,
            },
            who: format!("by {}", change.who),
            run_href: change.run.map(links::run),
            compare_href: compare_href(change),
        }
    }
}

/// The page of an edit; nothing for what a source changed, and where it has no number.
fn compare_href(change: &Change) -> Option<String> {
    let number = change.number?;
    let is_edit = matches!(change.action, Action::Revised(_));
    is_edit.then(|| links::asset_change(change.asset, number))
}

fn texts(sentences: &[String]) -> Vec<Text> {
    let text = |text: &String| Text::one_of_many(text);
    sentences.iter().map(text).collect()
}

/// A change as sentences, dangerous ones first, and what was done to texts.
struct Told {
    sentences: Vec<String>,
    /// So many of the sentences tell what may break something.
    dangerous: usize,
    /// How many are left out; the last sentence tells that, too.
    untold: usize,
    reworded: Vec<Reworded>,
}

impl Told {
    fn of(change: &Change, most: usize) -> Self {
        let reworded: Vec<Reworded> = change
            .action
            .differences()
            .iter()
            .filter_map(|difference| Reworded::of_source(difference, change))
            .take(MOST_TEXTS)
            .collect();
        let mut left = reworded.len();
        let mut dangerous = Vec::new();
        let mut others = Vec::new();
        let opening = change.action.opening();
        match &change.action {
            Action::Revised(_) | Action::Other(_) => others = change.action.sentences(),
            _ => {
                for difference in change.action.differences() {
                    // The first texts say what was done to them.
                    if difference.reworded().is_some() && left > 0 {
                        left -= 1;
                    } else if difference.is_dangerous() {
                        dangerous.push(difference.sentence());
                    } else {
                        others.push(difference.sentence());
                    }
                }
            }
        }
        let mut sentences: Vec<String> = opening.map(str::to_owned).into_iter().collect();
        let dangerous_sentences = dangerous.len();
        sentences.append(&mut dangerous);
        sentences.append(&mut others);
        let untold = sentences.len().saturating_sub(most);
        sentences.truncate(most);
        if untold > 0 {
            let left_out = count(untold as u64, "more difference.", "more differences.");
            sentences.push(left_out);
        }
        let dangerous = match dangerous_sentences {
            0 => 0,
            many => (many + usize::from(opening.is_some())).min(sentences.len()),
        };
        Self {
            sentences,
            dangerous,
            untold,
            reworded,
        }
    }
}

/// Tells one change at length, for its own page.
pub(super) fn told_at_length(change: &Change) -> Vec<Text> {
    let told = Told::of(change, MOST_SENTENCES_ALONE);
    let text = |text: &String| Text::new(text);
    told.sentences.iter().map(text).collect()
}

impl Reworded {
    fn of(edit: &Edit, change: &Change) -> Option<Self> {
        let number = change.number.filter(|_| edit.rewords);
        let href = number.map(|number| links::asset_change(change.asset, number));
        match (&edit.comparison, href) {
            (Some(comparison), href) => Some(Self {
                href,
                ..Self::told(comparison)
            }),
            (None, Some(href)) => Some(Self {
                what: None,
                pieces: Vec::new(),
                said: None,
                href: Some(href),
            }),
            (None, None) => None,
        }
    }

    /// Tells a comparison.
    pub(super) fn told(comparison: &Comparison) -> Self {
        let (pieces, said) = match comparison {
            Comparison::Places { pieces, more } => {
                let more = Some(*more).filter(|more| *more > 0);
                let more = more.map(|more| count(more as u64, "more place", "more places"));
                (pieces.iter().map(Piece::from).collect(), more)
            }
            Comparison::Rewritten { before, after } => {
                let before = count(*before as u64, "word", "words");
                let after = number(*after as u64);
                let said = format!("Rewritten: {before} before, {after} after.");
                (Vec::new(), Some(said))
            }
        };
        Self {
            what: None,
            pieces,
            said,
            href: None,
        }
    }

    /// What a source did to a text: told at once where it is short, or else on the page of the change.
    fn of_source(difference: &Difference, change: &Change) -> Option<Self> {
        let (what, before, after) = difference.reworded()?;
        let what = Some(name(&what).shown);
        let href = match change.number {
            Some(number) => links::asset_change(change.asset, number),
            None => links::asset(change.asset),
        };
        let href = Some(href);
        let told = match Comparison::of_short(before, after) {
            Some(comparison) => Self::told(&comparison),
            None => Self {
                what: None,
                pieces: Vec::new(),
                said: None,
                href: None,
            },
        };
        Some(Self { what, href, ..told })
    }
}

/// A piece of a text that was changed.
#[derive(Debug, Serialize)]
struct Piece {
    text: String,
    /// Empty, `inserted` or `deleted`.
    mark: &'static str,
}

impl From<&ComparedPiece> for Piece {
    fn from(piece: &ComparedPiece) -> Self {
        let (text, mark) = match piece {
            ComparedPiece::Kept(text) => (text, ""),
            ComparedPiece::Inserted(text) => (text, "inserted"),
            ComparedPiece::Deleted(text) => (text, "deleted"),
        };
        let text = text.clone();
        Self { text, mark }
    }
}
