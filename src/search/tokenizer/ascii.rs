//! Cutting ASCII, as nearly all names are: in one pass, and folded in one go.
//!
//! What comes out is what [`Splitter::cut_any`](super::Splitter) makes of the same text; a property test holds the two
//! together.

use std::ops::Range;

use super::{Class, Form, LONGEST, Piece, Splitter, comes_apart, is_clitic};

/// The class of an ASCII character.
pub(super) fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Class::Letter,
        b'A'..=b'Z' => Class::Upper,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Gap,
    }
}

impl Splitter {
    /// Cuts a stretch of ASCII.
    pub(super) fn cut_ascii(&mut self, stretch: &str) {
        self.folded.push_str(stretch);
        self.folded.make_ascii_lowercase();
        let bytes = stretch.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if class(*byte) == Class::Gap {
                at += 1;
                continue;
            }
            let from = at;
            let mut is_plain = true;
            while let Some(class) = bytes.get(at).map(|byte| class(*byte))
                && class != Class::Gap
            {
                is_plain &= class == Class::Letter;
                at += 1;
            }
            self.cut_ascii_chunk(stretch, from..at, is_plain);
            self.progress.after_apostrophe = bytes.get(at) == Some(&b'\'');
        }
    }

    /// A piece without separators: whole, if it comes apart, and then its parts.
    fn cut_ascii_chunk(&mut self, stretch: &str, chunk: Range<usize>, is_plain: bool) {
        let text = stretch.get(chunk.clone()).unwrap_or_default();
        if self.progress.after_apostrophe && is_clitic(text) {
            return;
        }
        if is_plain {
            return self.push_ascii_word(chunk);
        }
        let mut length = first_part(text.as_bytes());
        if length < text.len() {
            self.push_ascii(chunk.clone(), Form::Whole);
        }
        let mut from = chunk.start;
        while from < chunk.end {
            self.push_ascii_word(from..from + length);
            from += length;
            length = first_part(stretch.as_bytes().get(from..chunk.end).unwrap_or_default());
        }
    }

    /// Adds a word of the stretch, and its stem.
    fn push_ascii_word(&mut self, word: Range<usize>) {
        self.push_ascii(word, Form::Word);
        if !self.without_stems {
            self.push_stem();
        }
        self.progress.position += 1;
    }

    /// Adds a piece of the stretch, which is folded already.
    fn push_ascii(&mut self, piece: Range<usize>, form: Form) {
        self.pieces.push(Piece {
            term: piece.start..piece.end.min(piece.start + LONGEST),
            form,
            position: self.progress.position,
            from: self.progress.at + piece.start,
            to: self.progress.at + piece.end,
        });
    }
}

/// The words of a name, folded, by the pieces between its separators.
pub(super) fn name_words(name: &str) -> Vec<Vec<String>> {
    let pieces = name.split(|letter: char| u8::try_from(letter).is_ok_and(is_gap));
    let pieces = pieces.filter(|piece| !piece.is_empty());
    let words = pieces.map(|piece| {
        let mut words = Vec::new();
        let mut rest = piece;
        while let Some((word, more)) = rest.split_at_checked(first_part(rest.as_bytes()))
            && !word.is_empty()
        {
            words.push(word.to_ascii_lowercase());
            rest = more;
        }
        words
    });
    words.collect()
}

fn is_gap(byte: u8) -> bool {
    class(byte) == Class::Gap
}

/// How many bytes the first part of a chunk has; see [`Line::parts`](super::Line).
fn first_part(chunk: &[u8]) -> usize {
    let pairs = chunk.windows(2).enumerate();
    let mut ends = pairs.filter_map(|(at, pair)| {
        let &[before, byte] = pair else {
            return None;
        };
        let (before, byte) = (class(before), class(byte));
        if before == byte && byte != Class::Upper {
            return None;
        }
        let after = chunk.get(at + 2..).unwrap_or_default().iter();
        let after = after.map(|byte| (char::from(*byte), class(*byte)));
        comes_apart(before, byte, after).then_some(at + 1)
    });
    ends.next().unwrap_or(chunk.len())
}
