//! Putting two edits of one thing together: what does not collide is merged, what does keeps the words of both.
//!
//! Texts are merged word by word, with every space and line break as it was written; sets element by element.
//! Deliberately absent: where the three versions come from.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use similar::{DiffTag, TextDiff};
use unicode_segmentation::UnicodeSegmentation as _;

/// Comparing two texts that have nothing in common may take so long; then the comparison gets coarser, never wrong.
const PATIENCE: Duration = Duration::from_millis(40);

/// Of a text with more pieces than this nobody looks at each: all between the first change and the last is then one.
const MOST_PARTS: usize = 400;

/// A piece of three texts: the one that both edits began with, theirs and mine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Nobody changed it, or both in the same way.
    Agreed(String),
    Theirs {
        before: String,
        after: String,
    },
    Mine {
        before: String,
        after: String,
    },
    /// Both changed it, each in their own way.
    Collision {
        theirs: String,
        mine: String,
        /// Both, as the merged text has them.
        both: String,
    },
}

/// Two edits, put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged<T> {
    /// Holds every word of either edit; what collided stands in it twice, theirs first.
    pub content: T,
    /// How many pieces collided.
    pub collisions: usize,
    /// How a text came to be; empty for what is no text.
    pub parts: Vec<Part>,
}

impl<T> Merged<T> {
    /// Something that was put together without a collision.
    pub fn cleanly(content: T) -> Self {
        Self {
            content,
            collisions: 0,
            parts: Vec::new(),
        }
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Merged<U> {
        Merged {
            content: change(self.content),
            collisions: self.collisions,
            parts: self.parts,
        }
    }
}

/// Merges two edits of what cannot be taken apart: of two that differ, mine is kept, and that is a collision.
pub fn values<T: Clone + PartialEq>(base: &T, theirs: &T, mine: &T) -> Merged<T> {
    let content = if mine == base { theirs } else { mine };
    Merged {
        content: content.clone(),
        collisions: usize::from(theirs != mine && theirs != base && mine != base),
        parts: Vec::new(),
    }
}

/// Merges two edits of a text.
///
/// It keeps a processor busy for twice as long as [`PATIENCE`] allows, and what both texts and the pieces take.
pub fn texts(base: &str, theirs: &str, mine: &str) -> Merged<String> {
    let (words, mut theirs) = edits(base, theirs);
    let (_, mut mine) = edits(base, mine);
    if theirs.len() + mine.len() > MOST_PARTS {
        theirs = as_one(&words, theirs);
        mine = as_one(&words, mine);
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(start) = [theirs.front(), mine.front()]
        .into_iter()
        .flatten()
        .map(|edit| edit.range.start)
        .min()
    {
        parts.push(Part::Agreed(joined(&words, at..start)));
        let mut end = start;
        let (mut their_group, mut my_group) = (Vec::new(), Vec::new());
        loop {
            let before = end;
            take_touching(&mut theirs, &mut their_group, &mut end);
            take_touching(&mut mine, &mut my_group, &mut end);
            if end == before {
                break;
            }
        }
        parts.push(part(&words, start..end, &their_group, &my_group));
        at = end;
    }
    parts.push(Part::Agreed(joined(&words, at..words.len())));
    finished(parts)
}

/// Merges two edits of a set: what either added is in it, what either took out is not.
pub fn elements<T: Clone, K: PartialEq>(
    base: &[T],
    theirs: &[T],
    mine: &[T],
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let holds = |set: &[T], one: &T| set.iter().any(|other| key(other) == key(one));
    let kept = theirs
        .iter()
        .filter(|one| holds(mine, one) || !holds(base, one));
    let added = mine
        .iter()
        .filter(|one| !holds(base, one) && !holds(theirs, one));
    kept.chain(added).cloned().collect()
}

/// One place where a text was changed.
#[derive(Debug, Clone)]
struct Edit {
    /// The words of the base that it takes the place of.
    range: Range<usize>,
    after: String,
}

/// The words of a text, spaces among them, and what was changed in it.
///
/// Words that were changed one behind the other are one edit, with the spaces between them.
fn edits<'a>(base: &'a str, edited: &'a str) -> (Vec<&'a str>, VecDeque<Edit>) {
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_unicode_words(base, edited);
    let before: Vec<&str> = base.split_word_bounds().collect();
    let after: Vec<&str> = diff.iter_new_slices().collect();
    let mut edits: VecDeque<Edit> = VecDeque::new();
    for operation in diff.ops() {
        if operation.tag() == DiffTag::Equal {
            continue;
        }
        let range = operation.old_range();
        let words = joined(&after, operation.new_range());
        match edits.back_mut() {
            Some(last) if is_space(&before, last.range.end..range.start) => {
                last.after
                    .push_str(&joined(&before, last.range.end..range.start));
                last.after.push_str(&words);
                last.range.end = range.end;
            }
            _ => edits.push_back(Edit {
                range,
                after: words,
            }),
        }
    }
    (before, edits)
}

/// Makes one edit of many: all from the first to the last, with what was left between them.
fn as_one(words: &[&str], edits: VecDeque<Edit>) -> VecDeque<Edit> {
    let ends = edits.front().zip(edits.back());
    let range = ends.map(|(first, last)| first.range.start..last.range.end);
    let one = range.map(|range| Edit {
        after: applied(words, range.clone(), &Vec::from(edits)),
        range,
    });
    one.into_iter().collect()
}

/// Tells whether there is nothing between two words but spaces on one line.
fn is_space(words: &[&str], range: Range<usize>) -> bool {
    let between = words.get(range).unwrap_or_default();
    let mut letters = between.iter().flat_map(|word| word.chars());
    letters.all(|letter| letter.is_whitespace() && letter != '\n')
}

/// Takes the edits that begin no later than `end` off the list, and moves `end` behind them.
fn take_touching(edits: &mut VecDeque<Edit>, group: &mut Vec<Edit>, end: &mut usize) {
    while let Some(edit) = edits.pop_front_if(|edit| edit.range.start <= *end) {
        *end = (*end).max(edit.range.end);
        group.push(edit);
    }
}

fn joined(words: &[&str], range: Range<usize>) -> String {
    words.get(range).unwrap_or_default().concat()
}

/// What became of a range of the base.
fn part(words: &[&str], range: Range<usize>, theirs: &[Edit], mine: &[Edit]) -> Part {
    let before = joined(words, range.clone());
    let their_words = applied(words, range.clone(), theirs);
    let my_words = applied(words, range, mine);
    if their_words == my_words {
        Part::Agreed(my_words)
    } else if mine.is_empty() {
        Part::Theirs {
            before,
            after: their_words,
        }
    } else if theirs.is_empty() {
        Part::Mine {
            before,
            after: my_words,
        }
    } else {
        Part::Collision {
            theirs: their_words,
            mine: my_words,
            both: String::new(),
        }
    }
}

/// A range of the base with these edits in it.
fn applied(words: &[&str], range: Range<usize>, edits: &[Edit]) -> String {
    let mut text = String::new();
    let mut at = range.start;
    for edit in edits {
        text.push_str(&joined(words, at..edit.range.start));
        text.push_str(&edit.after);
        at = edit.range.end;
    }
    text.push_str(&joined(words, at..range.end));
    text
}

fn finished(mut parts: Vec<Part>) -> Merged<String> {
    parts.retain(|part| *part != Part::Agreed(String::new()));
    let mut text = String::new();
    let mut collisions = 0;
    let mut rest = parts.as_mut_slice();
    while let [part, behind @ ..] = rest {
        match part {
            Part::Agreed(words) => text.push_str(words),
            Part::Theirs { after, .. } | Part::Mine { after, .. } => text.push_str(after),
            Part::Collision { theirs, mine, both } => {
                collisions += 1;
                let begins_line = text.is_empty() || text.ends_with('\n');
                let ends_line = behind.first().is_none_or(Part::begins_with_line_break);
                *both = one_below_the_other(theirs, mine, begins_line && ends_line);
                text.push_str(both);
            }
        }
        rest = behind;
    }
    Merged {
        content: text,
        collisions,
        parts,
    }
}

impl Part {
    fn begins_with_line_break(&self) -> bool {
        match self {
            Self::Agreed(text)
            | Self::Theirs { after: text, .. }
            | Self::Mine { after: text, .. } => text.starts_with('\n'),
            Self::Collision { .. } => false,
        }
    }
}

/// Two texts for one place: whole lines stay lines, paragraphs stay paragraphs, and words do not run into each other.
fn one_below_the_other(theirs: &str, mine: &str, whole_lines: bool) -> String {
    let has = |sign: &str| theirs.contains(sign) || mine.contains(sign);
    let touches = !theirs.ends_with(char::is_whitespace) && !mine.starts_with(char::is_whitespace);
    let between = match (whole_lines, touches) {
        _ if theirs.is_empty() || mine.is_empty() => "",
        (true, true) if has("\n\n") => "\n\n",
        (true, true) => "\n",
        (false, true) => " ",
        (_, false) => "",
    };
    [theirs, between, mine].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edits_of_different_places_are_both_there_with_their_spaces() {
        let merged = texts(
            "One row per order.\n\nNever late.\n",
            "One row per *paid* order.\n\nNever late.\n",
            "One row per order.\n\nNever later than noon.\n",
        );

        assert_eq!(
            merged.content,
            "One row per *paid* order.\n\nNever later than noon.\n"
        );
        assert_eq!(merged.collisions, 0);
    }

    #[test]
    fn what_collides_stands_there_twice() {
        let merged = texts("A red car.", "A green car.", "A blue car.");

        assert_eq!(merged.content, "A green blue car.");
        assert_eq!(merged.collisions, 1);
        assert!(merged.parts.contains(&Part::Collision {
            theirs: "green".to_owned(),
            mine: "blue".to_owned(),
            both: "green blue".to_owned(),
        }));
    }

    #[test]
    fn phrases_collide_as_a_whole() {
        let merged = texts(
            "Written when the payment arrives.",
            "Written when the money has arrived.",
            "Written when the bank says so.",
        );

        assert_eq!(
            merged.content,
            "Written when the money has arrived bank says so."
        );
        assert_eq!(merged.collisions, 1);
    }

    #[test]
    fn the_same_edit_by_both_is_one_edit() {
        let merged = texts("A red car.", "A green car.", "A green car.");

        assert_eq!(merged.content, "A green car.");
        assert_eq!(merged.collisions, 0);
    }

    #[test]
    fn two_first_texts_are_both_kept() {
        assert_eq!(texts("", "Orders.", "Sales").content, "Orders.\nSales");
        assert_eq!(texts("", "Orders", "Sales").content, "Orders\nSales");
    }

    #[test]
    fn of_a_set_what_either_added_is_there_and_what_either_took_out_is_not() {
        let merged = elements(&[1, 2, 3], &[2, 3, 4], &[1, 2, 5], |one| *one);

        assert_eq!(merged, [2, 4, 5]);
    }

    #[test]
    fn texts_with_very_many_changes_are_merged_as_a_whole_and_keep_every_word() {
        let text = |whose: &str| {
            let lines: Vec<String> = (0..2_000)
                .map(|nth| format!("line {nth} {whose}."))
                .collect();
            format!("The beginning.\n{}\nThe end.", lines.join("\n"))
        };

        let merged = texts(&text("base"), &text("theirs"), &text("mine"));

        assert_eq!(merged.collisions, 1);
        assert!(merged.parts.len() <= 3, "{}", merged.parts.len());
        for whose in ["theirs", "mine"] {
            assert_eq!(merged.content.matches(whose).count(), 2_000);
        }
        assert_eq!(merged.content.matches("The end.").count(), 1);
    }

    /// What an editor does to a text: at a word, takes some out and types some.
    fn edit(base: &[String], at: usize, out: usize, typed: &[String]) -> Vec<String> {
        let at = at.min(base.len());
        let end = (at + out).min(base.len());
        [&base[..at], typed, &base[end..]].concat()
    }

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    prop_compose! {
        fn an_edit(whose: &'static str)(
            at in 0_usize..12, out in 0_usize..5, typed in 0_usize..4,
        ) -> (usize, usize, Vec<String>) {
            (at, out, (0..typed).map(|nth| format!("{whose}{nth}")).collect())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn no_word_that_somebody_typed_is_lost(
            base in prop::collection::vec("[a-d]", 0..12),
            gap in prop::sample::select(vec![" ", "\n", "\n\n", "  "]),
            theirs in prop::collection::vec(an_edit("t"), 1..4),
            mine in prop::collection::vec(an_edit("m"), 1..4),
        ) {
            let revised = |edits: &[(usize, usize, Vec<String>)]| {
                edits.iter().fold(base.clone(), |text, (at, out, typed)| edit(&text, *at, *out, typed))
            };
            let (their_words, my_words) = (revised(&theirs), revised(&mine));
            let merged = texts(&base.join(gap), &their_words.join(gap), &my_words.join(gap));

            let present = words(&merged.content);
            for word in their_words.iter().chain(&my_words) {
                if word.len() > 1 {
                    prop_assert!(present.contains(&word.as_str()), "{word} is not in {:?}", merged.content);
                }
            }
        }

        #[test]
        fn whoever_edits_alone_gets_what_they_wrote(base in "[a-c \n.]{0,30}", edited in "[a-c \n.é顧]{0,30}") {
            prop_assert_eq!(texts(&base, &edited, &base).content, edited.clone());
            prop_assert_eq!(texts(&base, &base, &edited).content, edited.clone());
            prop_assert_eq!(texts(&base, &edited, &edited).content, edited);
        }
    }
}
