//! The members of structs and rows: where a name ends, where its type ends, and what stands between that and the comma.
//!
//! A name may hold any character, those of the grammar among them: a member ends where a type ends, not at the next
//! comma or bracket.

use std::borrow::Cow;

use super::type_words::PlainType;
use super::types::{Container, Reader, after_blanks, container_at, word_at};

/// One part of a struct.
#[derive(Debug)]
pub(super) enum Part<'a> {
    Member(Member<'a>),
    /// What could not be split into a name and a type.
    Unreadable(&'a str),
}

/// One field of a struct or row.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// Nothing when a row gives its fields none.
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) data_type: &'a str,
    pub(super) comment: Option<String>,
    pub(super) nullable: Option<bool>,
    /// Whether the type is one that engines are known to have.
    pub(super) known: bool,
}

/// Where a name ends and its type begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// Nothing when there is only a type.
    name: Option<(usize, usize)>,
    quoted: bool,
    pub(super) type_at: usize,
}

/// What stands behind the type of a member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suffix {
    nullable: Option<bool>,
    /// Where the comment is, with its quotes.
    comment: Option<(usize, usize)>,
    /// Where the member ends.
    pub(super) end: usize,
}

impl<'a> Reader<'a> {
    /// The members of a struct or row; nothing when none can be read.
    pub(super) fn parts(&self, container: Container) -> Option<Vec<Part<'a>>> {
        let mut parts = Vec::new();
        let mut at = after_blanks(self.text, 0);
        if at == self.text.len() {
            return Some(parts);
        }
        let mut readable = false;
        loop {
            let (part, end) = if let Some((member, end)) = self.member(at, container) {
                readable = true;
                (Part::Member(member), end)
            } else {
                let end = self.end_of_unreadable(at);
                (Part::Unreadable(self.slice(at, end).trim()), end)
            };
            if !matches!(part, Part::Unreadable("")) {
                parts.push(part);
            }
            if end >= self.text.len() {
                break;
            }
            at = after_blanks(self.text, end + 1);
        }
        readable.then_some(parts)
    }

    /// Reads the member that begins here, and where it ends: at a comma or at the very end.
    fn member(&self, at: usize, container: Container) -> Option<(Member<'a>, usize)> {
        let split = self.split(at, container, None)?;
        let found = if container_at(self.text, split.type_at).is_some() {
            let end = self
                .end_of_type(split.type_at)
                .or_else(|| balanced_end(self.text, split.type_at, Stop::Closed))?;
            PlainType { end, known: true }
        } else {
            self.plain(split.type_at)?
        };
        let suffix = self.suffix(found.end, None)?;
        let name = split.name.map(|(from, to)| {
            let name = self.slice(from, to).trim();
            if split.quoted {
                unquoted(name)
            } else {
                Cow::Borrowed(name)
            }
        });
        let member = Member {
            name,
            data_type: self.slice(split.type_at, found.end),
            comment: suffix
                .comment
                .map(|(from, to)| unescaped(self.slice(from, to)))
                .filter(|text| !text.is_empty()),
            nullable: suffix.nullable,
            known: found.known,
        };
        Some((member, suffix.end))
    }

    /// Where to go on behind what cannot be read: the comma outside of brackets, or else the very end.
    fn end_of_unreadable(&self, at: usize) -> usize {
        balanced_end(self.text, at, Stop::Comma).unwrap_or(self.text.len())
    }

    /// Parts the name of a member from its type. `closer` is the bracket that may follow its type beside a comma.
    pub(super) fn split(
        &self,
        at: usize,
        container: Container,
        closer: Option<char>,
    ) -> Option<Split> {
        let quoted = self.split_quoted(at, closer);
        if quoted.is_some() {
            return quoted;
        }
        if container == Container::Row {
            let by_blank = self.split_at_blank(at, closer, true);
            return by_blank.or_else(|| self.split_at_colon(at, closer));
        }
        self.split_at_colon(at, closer)
    }

    /// Reads `` `name`: `` or `"name" `, with quotes in it doubled.
    fn split_quoted(&self, at: usize, closer: Option<char>) -> Option<Split> {
        let quote = self.byte(at).filter(|byte| b"`\"".contains(byte))?;
        let mut end = at + 1;
        loop {
            let found = self.text.get(end..)?.find(char::from(quote))?;
            self.spend(found)?;
            end += found + 1;
            if self.byte(end) != Some(quote) {
                break;
            }
            end += 1;
        }
        let next = after_blanks(self.text, end);
        let type_at = match self.byte(next)? {
            b':' => after_blanks(self.text, next + 1),
            _ if next > end => next,
            _ => return None,
        };
        let found = self.is_type(type_at)?;
        let fits =
            container_at(self.text, type_at).is_some() || self.suffix(found.end, closer).is_some();
        fits.then_some(Split {
            name: Some((at, end)),
            quoted: true,
            type_at,
        })
    }

    /// Finds the first colon that has a type behind it with which a member can end.
    ///
    /// A comma before it belongs to the name, unless a colon came before that: then the member ends there.
    fn split_at_colon(&self, at: usize, closer: Option<char>) -> Option<Split> {
        let mut unknown = None;
        let mut colons = 0;
        let rest = self.text.get(at..)?;
        for (place, byte) in rest.bytes().enumerate() {
            self.spend(0)?;
            let here = at + place;
            match byte {
                b':' => colons += 1,
                b',' if colons > 0 => return unknown,
                b',' => {
                    let by_blank = self.split_at_blank(at, closer, false);
                    if by_blank.is_some() {
                        return by_blank;
                    }
                    continue;
                }
                _ => continue,
            }
            let type_at = after_blanks(self.text, here + 1);
            let Some(found) = self.is_type(type_at) else {
                continue;
            };
            let split = Split {
                name: Some((at, here)),
                quoted: false,
                type_at,
            };
            if container_at(self.text, type_at).is_some() {
                return Some(split);
            }
            if self.suffix(found.end, closer).is_none() {
                continue;
            }
            if found.known {
                return Some(split);
            }
            unknown = unknown.or(Some(split));
        }
        unknown.or_else(|| self.split_at_blank(at, closer, false))
    }

    /// Reads `name type`, or only a type where fields may have no name.
    fn split_at_blank(
        &self,
        at: usize,
        closer: Option<char>,
        may_be_unnamed: bool,
    ) -> Option<Split> {
        let alone = Split {
            name: None,
            quoted: false,
            type_at: at,
        };
        if container_at(self.text, at).is_some() {
            return may_be_unnamed.then_some(alone);
        }
        if may_be_unnamed
            && let Some(plain) = self.plain(at)
            && self.suffix(plain.end, closer).is_some()
        {
            return Some(alone);
        }
        let rest = self.text.get(at..)?;
        let end = rest.find(|letter: char| letter.is_whitespace() || ",:<>()".contains(letter))?;
        self.spend(end)?;
        let end = at + end;
        let type_at = after_blanks(self.text, end);
        let named = type_at > end && end > at;
        let found = self.is_type(type_at).filter(|_| named)?;
        let fits = container_at(self.text, type_at).is_some()
            || ((found.known || may_be_unnamed) && self.suffix(found.end, closer).is_some());
        fits.then_some(Split {
            name: Some((at, end)),
            quoted: false,
            type_at,
        })
    }

    /// Reads what may follow a type: whether it may be null, a comment, and then a comma, the closer or the end.
    pub(super) fn suffix(&self, at: usize, closer: Option<char>) -> Option<Suffix> {
        let mut nullable = None;
        let mut comment = None;
        let mut at = after_blanks(self.text, at);
        loop {
            self.spend(0)?;
            let word = word_at(self.text, at);
            if word.eq_ignore_ascii_case("not") {
                let null = after_blanks(self.text, at + word.len());
                let word = word_at(self.text, null);
                if !word.eq_ignore_ascii_case("null") {
                    return None;
                }
                nullable = Some(false);
                at = after_blanks(self.text, null + word.len());
            } else if word.eq_ignore_ascii_case("comment") {
                let from = after_blanks(self.text, at + word.len());
                let end = self.end_of_comment(from, closer)?;
                comment = Some((from, end));
                at = after_blanks(self.text, end);
            } else {
                return self.ends(at, closer).then_some(Suffix {
                    nullable,
                    comment,
                    end: at,
                });
            }
        }
    }

    /// Tells whether a member can end here.
    fn ends(&self, at: usize, closer: Option<char>) -> bool {
        match (self.byte(at), closer) {
            (Some(b','), _) => true,
            (None, closer) => closer.is_none(),
            (Some(byte), Some(closer)) if char::from(byte) == closer => {
                let next = after_blanks(self.text, at + 1);
                let word = word_at(self.text, next);
                self.byte(next).is_none_or(|byte| b",>)".contains(&byte))
                    || ["not", "comment"]
                        .iter()
                        .any(|suffix| word.eq_ignore_ascii_case(suffix))
            }
            _ => false,
        }
    }

    /// Finds the quote that ends a comment: the first behind which the member can end.
    fn end_of_comment(&self, from: usize, closer: Option<char>) -> Option<usize> {
        let quote = self.byte(from).filter(|byte| b"'\"".contains(byte))?;
        let mut at = from + 1;
        loop {
            self.spend(0)?;
            match self.byte(at)? {
                b'\\' => at += 2,
                byte if byte == quote => {
                    let doubled = self.byte(at + 1) == Some(quote);
                    let next = after_blanks(self.text, at + 1);
                    let word = word_at(self.text, next);
                    if self.ends(next, closer) || word.eq_ignore_ascii_case("not") {
                        return Some(at + 1);
                    }
                    at += if doubled { 2 } else { 1 };
                }
                _ => at += 1,
            }
        }
    }
}

/// What ends a text whose brackets are only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// A comma outside of every bracket and comment, or the very end.
    Comma,
    /// The bracket that closes the first one.
    Closed,
}

/// Where that is; nothing when brackets do not match.
fn balanced_end(text: &str, from: usize, stop: Stop) -> Option<usize> {
    let mut closers = Vec::new();
    let mut quoted = false;
    let mut before = b' ';
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            b'\'' if quoted || before == b' ' => quoted = !quoted,
            _ if quoted => {}
            b'<' => closers.push(b'>'),
            b'(' => closers.push(b')'),
            b'>' | b')' => {
                closers.pop().filter(|closer| *closer == byte)?;
                if closers.is_empty() && stop == Stop::Closed {
                    return Some(at + 1);
                }
            }
            b',' if closers.is_empty() && stop == Stop::Comma => return Some(at),
            _ => {}
        }
        before = byte;
    }
    (stop == Stop::Comma && closers.is_empty() && !quoted).then_some(text.len())
}

/// A name without the quotes around it, and each of those that are doubled in it once.
fn unquoted(name: &str) -> Cow<'_, str> {
    let Some((quote, rest)) = name.split_at_checked(1) else {
        return Cow::Borrowed(name);
    };
    let inside = rest.strip_suffix(quote).unwrap_or(rest);
    let doubled = quote.repeat(2);
    if inside.contains(&doubled) {
        Cow::Owned(inside.replace(&doubled, quote))
    } else {
        Cow::Borrowed(inside)
    }
}

/// The text inside its quotes, with what was escaped or doubled in it.
fn unescaped(quoted: &str) -> String {
    let mut chars = quoted.chars();
    let quote = chars.next();
    chars.next_back();
    let mut text = String::with_capacity(quoted.len());
    let mut chars = chars.peekable();
    while let Some(found) = chars.next() {
        match found {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(escaped) => text.push(escaped),
                None => text.push('\\'),
            },
            found => {
                if Some(found) == quote {
                    chars.next_if(|next| Some(*next) == quote);
                }
                text.push(found);
            }
        }
    }
    text
}
