//! The piece of a text that is shown for a hit, cut at its marks. Deliberately absent: which marks there are.

use std::collections::HashSet;
use std::ops::Range;

use super::{Matched, MatchedField, Part};

/// How long a piece of a text is, in characters, and how much of it comes before the first mark.
const PIECE: usize = 180;
const LEAD: usize = 60;

/// A whole text, if anything in it is marked.
pub(super) fn whole(field: MatchedField, text: &str, marks: &[Range<usize>]) -> Option<Matched> {
    (!marks.is_empty()).then(|| Matched {
        field,
        text: parts(text, 0..text.len(), marks),
        path: None,
    })
}

/// The piece of a text around the first place where most different words stand close together.
pub(super) fn piece(field: MatchedField, text: &str, marks: &[Range<usize>]) -> Option<Matched> {
    let densest = densest(marks)?;
    let start = start_of_piece(text, densest);
    let rest = text.get(start..)?;
    let end = rest
        .char_indices()
        .nth(PIECE)
        .map_or(text.len(), |(at, _)| start + at);
    let end = if end == text.len() {
        end
    } else {
        let last_gap = text
            .get(start..end)
            .and_then(|piece| piece.rfind(char::is_whitespace));
        last_gap
            .map(|gap| start + gap)
            .filter(|end| *end > densest)
            .unwrap_or(end)
    };
    let mut cut = parts(text, start..end, marks);
    let ellipsis = |text: &str| Part {
        text: text.to_owned(),
        marked: false,
    };
    if start > 0 {
        cut.insert(0, ellipsis("… "));
    }
    if end < text.len() {
        cut.push(ellipsis(" …"));
    }
    Some(Matched {
        field,
        text: cut,
        path: None,
    })
}

/// Where the mark stands after which most others follow within a piece.
fn densest(ranges: &[Range<usize>]) -> Option<usize> {
    let follow = |range: &Range<usize>| {
        let near = |other: &&Range<usize>| {
            other.start >= range.start && other.end <= range.start + PIECE - LEAD
        };
        ranges.iter().filter(near).count()
    };
    let mut seen = HashSet::new();
    let candidates = ranges
        .iter()
        .filter(|range| seen.insert(range.start))
        .take(64);
    let best = candidates
        .enumerate()
        .max_by_key(|(nth, range)| (follow(range), std::cmp::Reverse(*nth)));
    best.map(|(_, range)| range.start)
}

/// The beginning of the sentence or line around a mark, when it is near; else of a word before the mark.
fn start_of_piece(text: &str, mark: usize) -> usize {
    let before = text.get(..mark).unwrap_or_default();
    let furthest = before
        .char_indices()
        .rev()
        .nth(LEAD)
        .map_or(0, |(at, _)| at);
    let lead = before.get(furthest..).unwrap_or_default();
    let sentence = lead
        .char_indices()
        .rev()
        .find(|(at, c)| {
            *c == '\n'
                || (c.is_whitespace()
                    && lead
                        .get(..*at)
                        .is_some_and(|text| text.ends_with(['.', '!', '?'])))
        })
        .map(|(at, c)| furthest + at + c.len_utf8());
    if let Some(sentence) = sentence {
        return sentence;
    }
    if furthest == 0 {
        return 0;
    }
    let word = lead.char_indices().find(|(_, c)| c.is_whitespace());
    word.map_or(furthest, |(at, c)| furthest + at + c.len_utf8())
}

/// Cuts a piece of a text at its marks.
fn parts(text: &str, piece: Range<usize>, marks: &[Range<usize>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut push = |range: Range<usize>, marked| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            parts.push(Part {
                text: text.to_owned(),
                marked,
            });
        }
    };
    let mut at = piece.start;
    for mark in marks
        .iter()
        .filter(|mark| mark.start >= piece.start && mark.start < piece.end)
    {
        let end = mark.end.min(piece.end);
        push(at..mark.start, false);
        push(mark.start..end, true);
        at = end;
    }
    push(at..piece.end, false);
    parts
}

/// Ranges in order, those that touch or overlap made one.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}
