//! Characters that cannot be seen, or that turn others around, shown by name: `\t`, `\u0001`, `\u202e`.
//!
//! Texts are kept as they are; only what people are shown is changed.

use std::borrow::Cow;

/// Tells whether a character shows nothing by itself: control characters, marks of direction, spaces without width.
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Finds the characters of a text that show nothing; a joiner between letters or signs that it joins is none.
pub fn unseen_letters(text: &str) -> impl Iterator<Item = char> + '_ {
    letters(text)
        .filter(Letter::is_hidden)
        .map(|letter| letter.sign)
}

/// A name, in which every blank counts: those at its ends, one behind another, and unusual ones are shown as well.
pub fn legible_name(name: &str) -> Cow<'_, str> {
    shown(name, |letter| {
        letter.is_hidden()
            || (letter.sign.is_whitespace()
                && (letter.sign != ' ' || letter.is_at_end() || letter.before == Some(' ')))
    })
}

/// A value such as a delimiter: blanks at its ends are shown, and lines stay lines.
pub fn legible_value(value: &str) -> Cow<'_, str> {
    let visible = value.trim();
    let begin = value.len() - value.trim_start().len();
    let end = begin + visible.len();
    shown(value, |letter| {
        let is_inside = (begin..end).contains(&letter.at);
        let breaks = matches!(letter.sign, '\n' | '\r');
        if is_inside {
            letter.is_hidden() && !breaks
        } else {
            letter.sign.is_whitespace() || letter.is_hidden()
        }
    })
}

/// What somebody wrote to be read: blanks at its ends say nothing, and lines stay lines.
pub fn legible_text(text: &str) -> Cow<'_, str> {
    shown(text.trim(), |letter| {
        letter.is_hidden() && !matches!(letter.sign, '\n' | '\r')
    })
}

/// The name of a character, as JSON writes it.
pub fn name_of_letter(letter: char) -> String {
    match letter {
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        other => format!("\\u{:04x}", u32::from(other)),
    }
}

fn shown(text: &str, by_name: impl Fn(&Letter) -> bool) -> Cow<'_, str> {
    if !letters(text).any(|letter| by_name(&letter)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in letters(text) {
        if by_name(&letter) {
            shown.push_str(&name_of_letter(letter.sign));
        } else {
            shown.push(letter.sign);
        }
    }
    Cow::Owned(shown)
}

/// A character with its neighbours.
struct Letter {
    at: usize,
    before: Option<char>,
    sign: char,
    after: Option<char>,
}

impl Letter {
    fn is_at_end(&self) -> bool {
        self.before.is_none() || self.after.is_none()
    }

    fn is_hidden(&self) -> bool {
        let joins = |other: Option<char>| other.is_some_and(|other| !other.is_ascii());
        let is_joiner = matches!(self.sign, '\u{200c}' | '\u{200d}');
        is_unseen(self.sign) && !(is_joiner && joins(self.before) && joins(self.after))
    }
}

fn letters(text: &str) -> impl Iterator<Item = Letter> + '_ {
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (at, letter) = rest.next()?;
        let found = Letter {
            at,
            before,
            sign: letter,
            after: rest.peek().map(|(_, letter)| *letter),
        };
        before = Some(letter);
        Some(found)
    })
}

/// Says which character of a short text nobody can see; two texts that look alike would be different ones.
///
/// `what` begins the sentence, such as “The tag”.
pub fn unseen_in(what: &str, text: &str) -> Option<String> {
    // What a database cannot store has been replaced by U+FFFD.
    let letter = unseen_letters(text)
        .next()
        .or_else(|| text.contains('\u{fffd}').then_some('\u{fffd}'))?;
    Some(format!(
        "{what} “{}” has a character in it that cannot be seen, {}. Leave it out.",
        legible_name(text),
        name_of_letter(letter)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_in_a_name_is_shown_by_name() {
        for (name, shown) in [
            ("plain name", "plain name"),
            ("a\tb\u{0}", "a\\tb\\u0000"),
            (" a ", "\\u0020a\\u0020"),
            ("a  b", "a \\u0020b"),
            ("a\u{a0}b", "a\\u00a0b"),
            ("gro\u{202e}ss", "gro\\u202ess"),
            ("a\u{200b}b\u{feff}", "a\\u200bb\\ufeff"),
            ("a\u{200d}b", "a\\u200db"),
            ("👨\u{200d}👩", "👨\u{200d}👩"),
            ("\u{e0041}", "\\ue0041"),
        ] {
            assert_eq!(legible_name(name), shown);
        }
    }

    #[test]
    fn a_delimiter_is_legible_and_lines_stay_lines() {
        for (value, shown) in [
            ("\u{1}", "\\u0001"),
            ("\t", "\\t"),
            ("\n", "\\n"),
            (" ", "\\u0020"),
            (",", ","),
            ("a\tb ", "a\\tb\\u0020"),
            ("{\n  \"a\": 1\n}", "{\n  \"a\": 1\n}"),
            ("", ""),
        ] {
            assert_eq!(legible_value(value), shown);
        }
    }

    #[test]
    fn a_text_keeps_its_lines_and_loses_the_blanks_around_it() {
        assert_eq!(legible_text(" x\u{0}y\n\tz \n"), "x\\u0000y\n\\tz");
    }
}
