//! Two edits side by side, when somebody else was faster.

use serde::Serialize;

use super::edit::Done;
use super::form::Form;
use crate::revisions::{self, Comparison, EditConflict, Part};
use crate::web::text::{Moment, count};

/// What `templates/editing/conflict.hbs` can show.
#[derive(Debug, Serialize)]
pub(super) struct Conflict {
    who: String,
    at: Option<Moment>,
    /// What has become of both edits.
    said: String,
    theirs: Vec<Piece>,
    mine: Vec<Piece>,
    /// The places that both changed.
    choices: Vec<Choice>,
}

/// A piece of a text, and what is to be seen of it.
#[derive(Debug, Serialize)]
struct Piece {
    text: String,
    /// Empty, `inserted`, `deleted` or `collides`.
    mark: &'static str,
}

/// A place that both changed: a script puts one of the texts there instead of both.
#[derive(Debug, Serialize)]
struct Choice {
    number: usize,
    both: String,
    theirs: String,
    mine: String,
    their_pieces: Vec<Piece>,
    my_pieces: Vec<Piece>,
}

impl Piece {
    fn new(text: &str, mark: &'static str) -> Self {
        let text = text.to_owned();
        Self { text, mark }
    }
}

impl Conflict {
    pub(super) fn new<A: Form>(conflict: &EditConflict<A>, done: Done) -> Self {
        let (who, at) = conflict.theirs.edited.clone().unzip();
        let parts = &conflict.merged.parts;
        let (theirs, mine) = if parts.is_empty() {
            (
                lines(&conflict.theirs.content, &conflict.mine),
                lines(&conflict.mine, &conflict.theirs.content),
            )
        } else {
            (
                parts.iter().flat_map(their_pieces).collect(),
                parts.iter().flat_map(my_pieces).collect(),
            )
        };
        let collisions = parts.iter().filter_map(|part| match part {
            Part::Collision { theirs, mine, both } => Some((theirs, mine, both)),
            _ => None,
        });
        let choices = collisions.enumerate();
        Self {
            who: who.map_or_else(|| "somebody".to_owned(), |who| who.to_string()),
            at: at.map(Moment::of),
            said: said(conflict, done),
            theirs,
            mine,
            choices: choices
                .map(|(place, (theirs, mine, both))| Choice {
                    number: place + 1,
                    both: both.clone(),
                    their_pieces: differing(mine, theirs),
                    my_pieces: differing(theirs, mine),
                    theirs: theirs.clone(),
                    mine: mine.clone(),
                })
                .collect(),
        }
    }
}

fn said<A: Form>(conflict: &EditConflict<A>, done: Done) -> String {
    let collisions = conflict.merged.collisions;
    match (done, collisions, conflict.merged.parts.is_empty()) {
        (Done::Undone, ..) => {
            "It was saved again since, so nothing was undone. Look at both texts below.".to_owned()
        }
        (Done::Restored, ..) => {
            "It was saved again since, so nothing was restored. Look at both texts below."
                .to_owned()
        }
        (_, 0, _) => {
            "You edited different places. The field below holds both. Look them over and save."
                .to_owned()
        }
        (_, _, true) => {
            "You both changed the same. The field below holds yours. Saving replaces theirs."
                .to_owned()
        }
        (_, many, false) => format!(
            "You both changed the same words in {}. The field below holds both texts below one another: keep what \
             should stay.",
            count(many as u64, "place", "places")
        ),
    }
}

fn their_pieces(part: &Part) -> Vec<Piece> {
    match part {
        Part::Agreed(text) | Part::Mine { before: text, .. } => vec![Piece::new(text, "")],
        Part::Theirs { before, after } => vec![changed(before, after)],
        Part::Collision { theirs, mine, .. } => differing(mine, theirs),
    }
}

fn my_pieces(part: &Part) -> Vec<Piece> {
    match part {
        Part::Agreed(text) | Part::Theirs { before: text, .. } => vec![Piece::new(text, "")],
        Part::Mine { before, after } => vec![changed(before, after)],
        Part::Collision { theirs, mine, .. } => differing(theirs, mine),
    }
}

fn changed(before: &str, after: &str) -> Piece {
    if after.is_empty() {
        Piece::new(before, "deleted")
    } else {
        Piece::new(after, "inserted")
    }
}

/// A text with the words marked that the other one has not; all of it where they are too long to be compared.
fn differing(other: &str, text: &str) -> Vec<Piece> {
    let Some(pieces) = Comparison::whole(other, text) else {
        return vec![Piece::new(text, "collides")];
    };
    let own = pieces.iter().filter_map(|piece| match piece {
        revisions::Piece::Kept(words) => Some(Piece::new(words, "")),
        revisions::Piece::Inserted(words) => Some(Piece::new(words, "collides")),
        revisions::Piece::Deleted(_) => None,
    });
    own.collect()
}

/// What is no text, line by line; lines that the other side has not are marked.
fn lines<A: Form>(one: &A, other: &A) -> Vec<Piece> {
    let others = other.lines();
    let lines = one.lines().into_iter();
    lines
        .map(|line| {
            let mark = if others.contains(&line) {
                ""
            } else {
                "inserted"
            };
            Piece::new(&format!("{line}\n"), mark)
        })
        .collect()
}
