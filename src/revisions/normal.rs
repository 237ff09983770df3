//! What most aspects need: one form for what is typed in several ways, limits, and comparing sets.

use std::collections::HashSet;
use std::hash::Hash;

use super::aspect::Problem;
use crate::db::storable;

/// Line ends as one character, nothing that cannot be stored, and no text at all where there is none to be seen.
pub fn plain_lines(text: &str) -> String {
    let text = storable(&text.replace("\r\n", "\n"));
    if text.trim().is_empty() {
        String::new()
    } else {
        text
    }
}

/// A text with single spaces instead of any others, and without any around it.
pub fn one_line(text: &str) -> String {
    let text = storable(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Says that a text has more characters than `most`.
pub fn too_long(field: &'static str, what: &str, text: &str, most: usize) -> Option<Problem> {
    let length = text.chars().count();
    (length > most).then(|| {
        Problem::new(
            field,
            format!("{what} has {length} characters, and {most} is the most."),
        )
    })
}

/// Says that a list has more elements than `most`.
pub fn too_many(field: &'static str, what: &str, count: usize, most: usize) -> Option<Problem> {
    (count > most).then(|| {
        Problem::new(
            field,
            format!("These are {count} {what}, and {most} is the most."),
        )
    })
}

/// Each element once, the first of those that are the same.
pub fn distinct<T, K: Eq + Hash>(mut elements: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = HashSet::with_capacity(elements.len());
    elements.retain(|element| seen.insert(key(element)));
    elements
}

/// What is only in the first of two sets, and what only in the second.
pub fn exchanged<'a, T, K: PartialEq>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&T) -> K,
) -> (Vec<&'a T>, Vec<&'a T>) {
    let lacks = |set: &[T], one: &T| !set.iter().any(|other| key(other) == key(one));
    (
        before.iter().filter(|one| lacks(after, one)).collect(),
        after.iter().filter(|one| lacks(before, one)).collect(),
    )
}

/// What was done to a text, for the middle of a sentence.
pub fn written(before: &str, after: &str) -> &'static str {
    match (before.is_empty(), after.is_empty()) {
        (true, _) => "written",
        (false, true) => "taken out",
        (false, false) => "changed",
    }
}
