//! What was done to a text, as far as a person reads on.
//!
//! Two texts are compared word by word, once: when an edit is written, which keeps the outcome in the log. Deliberately
//! absent: putting two edits together.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use unicode_segmentation::UnicodeSegmentation as _;

/// Comparing two texts that have nothing in common may take so long; then the comparison gets coarser, never wrong.
const PATIENCE: Duration = Duration::from_millis(40);

/// Texts that are together no longer than this, in bytes, are compared whenever somebody asks.
const SHORT: usize = 4_000;

/// So many letters are told around what was changed.
const AROUND: usize = 80;

/// So many letters of what was taken out or put in at one place are told.
const LONGEST_PLACE: usize = 1_000;

/// So many bytes are told in all; the places behind them are counted.
const LONGEST: usize = 6_000;

/// For how many bytes a piece counts beside its text: a person does not look at a thousand places of one letter.
const PIECE: usize = 100;

/// Where less than one word in so many is left of a text, it was rewritten.
const LITTLE: usize = 10;

/// A text of fewer words is never called rewritten.
const FEW_WORDS: usize = 40;

/// What was done to a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The places that differ, with a few words around each.
    Places {
        pieces: Vec<Piece>,
        /// How many places are left out.
        #[serde(default)]
        more: usize,
    },
    /// Hardly a word of the earlier text is left.
    Rewritten {
        /// How many words there were.
        before: usize,
        /// How many there are.
        after: usize,
    },
}

/// A piece of a comparison of two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    Kept(String),
    Deleted(String),
    Inserted(String),
}

impl Comparison {
    /// Compares two texts, which keeps a processor busy for as long as [`PATIENCE`] allows.
    pub fn of(before: &str, after: &str) -> Self {
        let pieces = pieces(before, after);
        let (old, new) = (count_words(before), count_words(after));
        let kept = pieces.iter().map(|piece| match piece {
            Piece::Kept(text) => count_words(text),
            Piece::Deleted(_) | Piece::Inserted(_) => 0,
        });
        if old.min(new) > FEW_WORDS && kept.sum::<usize>() * LITTLE < old.min(new) {
            return Self::Rewritten {
                before: old,
                after: new,
            };
        }
        Self::cut(pieces)
    }

    /// Compares two texts if that costs hardly anything.
    pub fn of_short(before: &str, after: &str) -> Option<Self> {
        (before.len() + after.len() <= SHORT).then(|| Self::of(before, after))
    }

    /// All pieces of two texts, nothing left out; nothing where comparing them would cost much.
    pub fn whole(before: &str, after: &str) -> Option<Vec<Piece>> {
        (before.len() + after.len() <= SHORT).then(|| pieces(before, after))
    }

    /// Leaves out what is far from any change, and the changes after which nobody reads on.
    fn cut(pieces: Vec<Piece>) -> Self {
        let last = pieces.len().saturating_sub(1);
        let mut told = 0;
        let mut more = 0;
        let mut kept = Vec::new();
        for (nth, piece) in pieces.into_iter().enumerate() {
            let changes = !matches!(piece, Piece::Kept(_));
            if told > LONGEST {
                more += usize::from(changes);
                continue;
            }
            let piece = piece.shortened(nth > 0, nth < last);
            told += piece.text().len() + PIECE;
            kept.push(piece);
        }
        Self::Places { pieces: kept, more }
    }
}

impl Piece {
    fn text(&self) -> &str {
        match self {
            Self::Kept(text) | Self::Deleted(text) | Self::Inserted(text) => text,
        }
    }

    /// Keeps what is near a change: the beginning, where one is before it, and the end, where one is behind it.
    fn shortened(self, before: bool, behind: bool) -> Self {
        match self {
            Self::Kept(text) => {
                let part = |wanted: bool| if wanted { AROUND } else { 0 };
                Self::Kept(middle_out(&text, part(before), part(behind)))
            }
            Self::Deleted(text) => Self::Deleted(middle_out(&text, LONGEST_PLACE, 0)),
            Self::Inserted(text) => Self::Inserted(middle_out(&text, LONGEST_PLACE, 0)),
        }
    }
}

/// The first and the last letters of a text, with a sign for what is left out between them.
fn middle_out(text: &str, first: usize, last: usize) -> String {
    let end = text.char_indices().nth(first).map(|(end, _)| end);
    let start = text.char_indices().nth_back(last.saturating_sub(1));
    let start = start.map_or(0, |(start, _)| if last == 0 { text.len() } else { start });
    match end {
        Some(end) if end < start => {
            let (first, last) = (text.get(..end), text.get(start..));
            let gap = if last.is_none_or(str::is_empty) {
                " …"
            } else {
                " … "
            };
            [first.unwrap_or_default(), gap, last.unwrap_or_default()].concat()
        }
        _ => text.to_owned(),
    }
}

fn count_words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Compares two texts word by word: together, the pieces hold every letter of both.
///
/// Words that were changed one behind the other are one change, with the spaces between them.
fn pieces(before: &str, after: &str) -> Vec<Piece> {
    let (start, end) = common_ends(before, after);
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_unicode_words(between(before, start, end), between(after, start, end));
    let mut found = Found::default();
    found.keep(before.get(..start).unwrap_or_default());
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => found.keep(change.value()),
            ChangeTag::Delete => found.delete(change.value()),
            ChangeTag::Insert => found.insert(change.value()),
        }
    }
    found.keep(before.get(before.len() - end..).unwrap_or_default());
    found.finish()
}

/// A text without its beginning and its end.
fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..text.len() - end).unwrap_or_default()
}

/// How many bytes two texts have in common at their beginning and at their end, in whole words.
fn common_ends(before: &str, after: &str) -> (usize, usize) {
    let same = |pair: &(&str, &str)| pair.0 == pair.1;
    let length = |(word, _): (&str, &str)| word.len();
    let words = before.split_word_bounds().zip(after.split_word_bounds());
    let start = words.take_while(same).map(length).sum();
    let (before, after) = (between(before, start, 0), between(after, start, 0));
    let words = before.split_word_bounds().rev();
    let words = words.zip(after.split_word_bounds().rev());
    (start, words.take_while(same).map(length).sum())
}

/// Pieces, as they are found.
#[derive(Default)]
struct Found {
    pieces: Vec<Piece>,
    deleted: String,
    inserted: String,
    /// Spaces behind the last change, which belong to it if another one follows at once.
    spaces: String,
}

impl Found {
    fn keep(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        let changing = !(self.deleted.is_empty() && self.inserted.is_empty());
        if changing
            && words
                .chars()
                .all(|letter| letter.is_whitespace() && letter != '\n')
        {
            self.spaces.push_str(words);
            return;
        }
        self.close();
        match self.pieces.last_mut() {
            Some(Piece::Kept(text)) => text.push_str(words),
            _ => self.pieces.push(Piece::Kept(words.to_owned())),
        }
    }

    fn delete(&mut self, words: &str) {
        self.take_spaces();
        self.deleted.push_str(words);
    }

    fn insert(&mut self, words: &str) {
        self.take_spaces();
        self.inserted.push_str(words);
    }

    fn take_spaces(&mut self) {
        let spaces = std::mem::take(&mut self.spaces);
        self.deleted.push_str(&spaces);
        self.inserted.push_str(&spaces);
    }

    /// Ends a change.
    fn close(&mut self) {
        let deleted = std::mem::take(&mut self.deleted);
        let inserted = std::mem::take(&mut self.inserted);
        let spaces = std::mem::take(&mut self.spaces);
        let pieces = [
            Piece::Deleted(deleted),
            Piece::Inserted(inserted),
            Piece::Kept(spaces),
        ];
        let pieces = pieces.into_iter().filter(|piece| !piece.text().is_empty());
        self.pieces.extend(pieces);
    }

    fn finish(mut self) -> Vec<Piece> {
        self.close();
        self.pieces
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn told(before: &str, after: &str) -> String {
        let Comparison::Places { pieces, more } = Comparison::of(before, after) else {
            return "rewritten".to_owned();
        };
        let mut told = String::new();
        for piece in pieces {
            match piece {
                Piece::Kept(text) => told.push_str(&text),
                Piece::Deleted(text) => write!(told, "[-{text}-]").unwrap(),
                Piece::Inserted(text) => write!(told, "[+{text}+]").unwrap(),
            }
        }
        if more > 0 {
            write!(told, " and {more} more").unwrap();
        }
        told
    }

    #[test]
    fn a_comparison_tells_what_was_taken_out_and_what_was_put_in() {
        assert_eq!(told("a b", "a c"), "a [-b-][+c+]");
        assert_eq!(
            told("One row per order here.", "One row per paid order here."),
            "One row per [+paid +]order here."
        );
    }

    #[test]
    fn words_that_were_changed_one_behind_the_other_are_one_change() {
        assert_eq!(
            told("It is the old way now.", "It is a new road now."),
            "It is [-the old way-][+a new road+] now."
        );
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let far = "far away ".repeat(100);

        let told = told(&format!("{far}here {far}"), &format!("{far}there {far}"));

        assert!(told.len() < 300, "{told}");
        assert!(told.starts_with(" … "), "{told}");
        assert!(told.contains("[-here-][+there+]"), "{told}");
    }

    #[test]
    fn a_text_of_other_words_was_rewritten() {
        let words = |letter: &str| {
            let words: Vec<String> = (0..5_000).map(|nth| format!("{letter}{nth}")).collect();
            words.join(" ")
        };

        let comparison = Comparison::of(&words("a"), &words("b"));

        let (before, after) = (5_000, 5_000);
        assert_eq!(comparison, Comparison::Rewritten { before, after });
    }

    #[test]
    fn after_many_places_the_others_are_counted() {
        let text = |other: &str| {
            let lines: Vec<String> = (0..1_000)
                .map(|nth| format!("line {nth} {other}."))
                .collect();
            lines.join("\n")
        };

        let told = told(&text("here"), &text("there"));

        assert!(told.contains("line 1 [-here-][+there+]"), "{told}");
        assert!(told.len() < 10_000 && told.contains(" more"), "{told}");
    }

    proptest! {
        #[test]
        fn the_pieces_hold_both_texts(before in "[a-c \n.é顧]{0,40}", after in "[a-c \n.é顧]{0,40}") {
            let pieces = pieces(&before, &after);
            let told = |wanted: fn(&Piece) -> Option<&str>| pieces.iter().filter_map(wanted).collect::<String>();
            prop_assert_eq!(told(|piece| match piece {
                Piece::Kept(text) | Piece::Deleted(text) => Some(text),
                Piece::Inserted(_) => None,
            }), before);
            prop_assert_eq!(told(|piece| match piece {
                Piece::Kept(text) | Piece::Inserted(text) => Some(text),
                Piece::Deleted(_) => None,
            }), after);
        }

        #[test]
        fn a_comparison_is_short(before in "(word|other|\\.|\n| |é){0,400}", after in "(word|third|\\.|\n| |é){0,400}") {
            let comparison = serde_json::to_string(&Comparison::of(&before, &after)).unwrap();
            prop_assert!(comparison.len() < 40_000);
        }
    }
}
