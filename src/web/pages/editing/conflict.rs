//! Two edits side by side, when somebody else was faster.

use serde::Serialize;

use super::form::Form;
use crate::catalog::human::{Part, Stale};
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
}

/// A piece of a text, and what is to be seen of it.
#[derive(Debug, Serialize)]
struct Piece {
    text: String,
    /// Empty, `inserted`, `deleted` or `collides`.
    mark: &'static str,
}

impl Piece {
    fn new(text: &str, mark: &'static str) -> Self {
        let text = text.to_owned();
        Self { text, mark }
    }
}

impl Conflict {
    pub(super) fn new<A: Form>(stale: &Stale<A>) -> Self {
        let (who, at) = stale.theirs.edited.clone().unzip();
        let parts = &stale.merged.parts;
        let (theirs, mine) = if parts.is_empty() {
            (
                lines(&stale.theirs.content, &stale.mine),
                lines(&stale.mine, &stale.theirs.content),
            )
        } else {
            (
                parts.iter().map(their_piece).collect(),
                parts.iter().map(my_piece).collect(),
            )
        };
        Self {
            who: who.map_or_else(|| "somebody".to_owned(), |who| who.to_string()),
            at: at.map(Moment::of),
            said: said(stale),
            theirs,
            mine,
        }
    }
}

fn said<A: Form>(stale: &Stale<A>) -> String {
    match (stale.merged.collisions, stale.merged.parts.is_empty()) {
        (0, _) => "Your edits are in different places. Both are in the field below: look them over and save.".to_owned(),
        (_, true) => "You both changed the same. The field below holds yours: save it if it shall take the place of theirs.".to_owned(),
        (many, false) => format!(
            "In {} you both changed the same words. The field below holds theirs and yours, one behind the other: \
             leave what shall stay, and save.",
            count(many as u64, "place", "places")
        ),
    }
}

fn their_piece(part: &Part) -> Piece {
    match part {
        Part::Agreed(text) | Part::Mine { before: text, .. } => Piece::new(text, ""),
        Part::Theirs { before, after } => changed(before, after),
        Part::Collision { theirs, .. } => Piece::new(theirs, "collides"),
    }
}

fn my_piece(part: &Part) -> Piece {
    match part {
        Part::Agreed(text) | Part::Theirs { before: text, .. } => Piece::new(text, ""),
        Part::Mine { before, after } => changed(before, after),
        Part::Collision { mine, .. } => Piece::new(mine, "collides"),
    }
}

fn changed(before: &str, after: &str) -> Piece {
    if after.is_empty() {
        Piece::new(before, "deleted")
    } else {
        Piece::new(after, "inserted")
    }
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
