//! Histories: what happened to one asset, in one run, or anywhere.

use std::collections::HashMap;

use serde::Serialize;

use super::parts::{Link, Text};
use crate::catalog::human::{Comparison, Piece as ComparedPiece, Revision};
use crate::catalog::{Action, Address, AssetId, AssetKind, Change};
use crate::db::Page;
use crate::ingest::{Run, RunState};
use crate::web::links;
use crate::web::text::{Moment, count, number};

/// So many sentences of one change are shown at once; the others are folded.
const SENTENCES_AT_ONCE: usize = 4;

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

/// One change, or several of the same sort.
#[derive(Debug, Serialize)]
struct Entry {
    at: Moment,
    assets: Vec<Link>,
    sentences: Vec<Text>,
    more: Vec<Text>,
    more_words: String,
    /// What was done to a text.
    reworded: Option<Reworded>,
    who: String,
    run_href: Option<String>,
}

/// What was done to a text, as far as a person reads on.
#[derive(Debug, Serialize)]
pub(super) struct Reworded {
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
    pub(super) fn of_run(run: &Run, page: &Page<Change>, named: &NamedAssets) -> Self {
        let href = page
            .next
            .as_ref()
            .map(|cursor| links::with_query(&links::run(run.id), [("changes", cursor.as_str())]));
        let none = match run.state {
            RunState::Running => "Nothing so far.",
            _ => "Nothing: the source says what it said before.",
        };
        Self {
            entries: page
                .items
                .iter()
                .map(|change| Entry::new(change, named.get(&change.asset)))
                .collect(),
            none,
            more_part: href.clone(),
            more_href: href,
        }
    }

    /// The changes of a batch, with the names of what was changed.
    pub(super) fn of_batch(here: &str, page: &Page<Change>, named: &NamedAssets) -> Self {
        let after = page.next.as_ref();
        let href = after.map(|cursor| links::with_more(here, ("after", cursor.as_str())));
        Self {
            entries: page
                .items
                .iter()
                .map(|change| Entry::new(change, named.get(&change.asset)))
                .collect(),
            none: "Nothing of this kind changed.",
            more_part: href.clone(),
            more_href: href,
        }
    }
}

/// What the assets of a history are, and where they are.
pub(super) type NamedAssets = HashMap<AssetId, (AssetKind, Address)>;

impl Entry {
    fn new(change: &Change, asset: Option<&(AssetKind, Address)>) -> Self {
        let (mut sentences, untold) = sentences(change, MOST_SENTENCES);
        let folded = if sentences.len() > SENTENCES_AT_ONCE + 1 {
            sentences.split_off(SENTENCES_AT_ONCE)
        } else {
            Vec::new()
        };
        Self {
            at: Moment::of(change.at),
            assets: asset.map(|asset| link(change, asset)).into_iter().collect(),
            sentences: texts(&sentences),
            more_words: format!("{} more", number(folded.len() as u64 + untold as u64)),
            more: texts(&folded),
            reworded: match &change.action {
                Action::Revised(revision) => Reworded::of(revision, change),
                _ => None,
            },
            who: format!("by {}", change.who),
            run_href: change.run.map(links::run),
        }
    }
}

fn link(change: &Change, (_, address): &(AssetKind, Address)) -> Link {
    Link::new(address.name(), links::asset(change.asset))
}

fn texts(sentences: &[String]) -> Vec<Text> {
    let text = |text: &String| Text::one_of_many(text);
    sentences.iter().map(text).collect()
}

/// Tells a change, and how many sentences of it are left out; the last one tells that, too.
fn sentences(change: &Change, most: usize) -> (Vec<String>, usize) {
    let mut sentences = change.action.sentences();
    let untold = sentences.len().saturating_sub(most);
    sentences.truncate(most);
    if untold > 0 {
        sentences.push(count(
            untold as u64,
            "more difference.",
            "more differences.",
        ));
    }
    (sentences, untold)
}

/// Tells one change at length, for its own page.
pub(super) fn told_at_length(change: &Change) -> Vec<Text> {
    let (sentences, _) = sentences(change, MOST_SENTENCES_ALONE);
    let text = |text: &String| Text::new(text);
    sentences.iter().map(text).collect()
}

impl Reworded {
    fn of(revision: &Revision, change: &Change) -> Option<Self> {
        let number = change.number.filter(|_| revision.rewords);
        let href = number.map(|number| links::asset_change(change.asset, number));
        match (&revision.comparison, href) {
            (Some(comparison), href) => Some(Self {
                href,
                ..Self::told(comparison)
            }),
            (None, Some(href)) => Some(Self {
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
            pieces,
            said,
            href: None,
        }
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
