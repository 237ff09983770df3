//! Column types as text: Hive's grammar and that of Presto and Trino, read only as far as nested fields go.
//!
//! Types are read from the left, without recursion and within bounds. Deliberately absent: any judgement of plain types,
//! which are shown as they are.

use std::cell::Cell;

use super::type_members::Part;
use super::type_words::{self, PlainType};

/// A longer type is not read; Glue itself allows 128 KiB.
const LONGEST: usize = 1 << 20;

/// How many bytes are looked at for each byte of a type, going back included.
const PATIENCE: usize = 16;

/// A type that can hold fields.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    Array(&'a str),
    Map {
        key: &'a str,
        value: &'a str,
    },
    /// The fields of a struct or row, in order.
    Struct(Vec<Part<'a>>),
    Union(Vec<&'a str>),
}

/// A type that should hold fields, but does not follow the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> Shape<'a> {
    /// Reads the outermost level of a type; nothing when it is plain.
    pub(super) fn parse(text: &'a str) -> Result<Option<Self>, Malformed> {
        if !text.bytes().any(|byte| matches!(byte, b'<' | b'(')) {
            return Ok(None);
        }
        let text = text.trim();
        let Some((container, open)) = container_at(text, 0) else {
            return Ok(None);
        };
        let body = text
            .get(open + 1..)
            .and_then(|rest| rest.strip_suffix(closer_of(text, open)))
            .filter(|body| body.len() <= LONGEST)
            .ok_or(Malformed)?;
        let reader = Reader::new(body);
        let shape = match container {
            Container::Struct | Container::Row => reader.parts(container).map(Self::Struct),
            Container::Array => reader.array().map(Self::Array),
            Container::Map => reader.map().map(|(key, value)| Self::Map { key, value }),
            Container::Union => reader.types().map(Self::Union),
        };
        shape.map(Some).ok_or(Malformed)
    }
}

/// What stands before a bracket that fields or other types are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Map,
    Struct,
    Row,
    Union,
}

impl Container {
    fn called(word: &str) -> Option<Self> {
        let words = [
            ("array", Self::Array),
            ("map", Self::Map),
            ("struct", Self::Struct),
            ("row", Self::Row),
            ("uniontype", Self::Union),
        ];
        words
            .into_iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name))
            .map(|(_, container)| container)
    }

    pub(super) fn has_names(self) -> bool {
        matches!(self, Self::Struct | Self::Row)
    }
}

/// The bracket that closes the one at `open`.
fn closer_of(text: &str, open: usize) -> char {
    if text.as_bytes().get(open) == Some(&b'(') {
        ')'
    } else {
        '>'
    }
}

/// The container that a type begins with, and where its bracket is.
pub(super) fn container_at(text: &str, at: usize) -> Option<(Container, usize)> {
    let word = word_at(text, at);
    let container = Container::called(word)?;
    let open = after_blanks(text, at + word.len());
    matches!(text.as_bytes().get(open), Some(b'<' | b'(')).then_some((container, open))
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
struct Open {
    container: Container,
    closer: char,
}

/// Reads what is inside one pair of brackets, from the left, without recursion and within bounds.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    /// How many more bytes are looked at.
    left: Cell<usize>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let left = text.len().saturating_add(64).saturating_mul(PATIENCE);
        Self {
            text,
            left: Cell::new(left),
        }
    }

    /// Notes that so many bytes were looked at; nothing when there were too many.
    pub(super) fn spend(&self, bytes: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(bytes + 1)?);
        Some(())
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The element type of an array.
    fn array(&self) -> Option<&'a str> {
        let types = self.types();
        match types.as_deref() {
            Some([element]) => Some(element),
            Some(_) => None,
            // A bracket in a name hides the end of it, but there is nothing else in here.
            None => self.is_one_container(0).then(|| self.text.trim()),
        }
    }

    fn map(&self) -> Option<(&'a str, &'a str)> {
        let end = self.end_of_type(after_blanks(self.text, 0))?;
        let comma = after_blanks(self.text, end);
        if self.byte(comma) != Some(b',') {
            return None;
        }
        let at = after_blanks(self.text, comma + 1);
        let whole = self.end_of_type(at).is_some_and(|end| self.is_end(end));
        (whole || self.is_one_container(at)).then(|| {
            let key = self.slice(0, end).trim();
            (key, self.slice(at, self.text.len()).trim())
        })
    }

    /// Tells whether a container begins here and its bracket is the last.
    fn is_one_container(&self, at: usize) -> bool {
        let at = after_blanks(self.text, at);
        container_at(self.text, at)
            .is_some_and(|(_, open)| self.text.trim_end().ends_with(closer_of(self.text, open)))
    }

    fn is_end(&self, at: usize) -> bool {
        after_blanks(self.text, at) == self.text.len()
    }

    /// Types with commas between them.
    fn types(&self) -> Option<Vec<&'a str>> {
        let mut types = Vec::new();
        let mut at = 0;
        loop {
            let from = after_blanks(self.text, at);
            let end = self.end_of_type(from)?;
            types.push(self.slice(from, end));
            let next = after_blanks(self.text, end);
            match self.byte(next) {
                None => return Some(types),
                Some(b',') => at = next + 1,
                Some(_) => return None,
            }
        }
    }

    pub(super) fn is_type(&self, at: usize) -> Option<PlainType> {
        match container_at(self.text, at) {
            Some((_, open)) => Some(PlainType {
                end: open,
                known: true,
            }),
            None => self.plain(at),
        }
    }

    /// Reads a type without fields.
    pub(super) fn plain(&self, at: usize) -> Option<PlainType> {
        let plain = type_words::plain(self.text, at)?;
        self.spend(plain.end - at)?;
        Some(plain)
    }

    /// Where the type that begins here ends, however deep it nests; nothing when it is malformed.
    pub(super) fn end_of_type(&self, at: usize) -> Option<usize> {
        let mut open: Vec<Open> = Vec::new();
        let mut at = at;
        loop {
            // A type begins here.
            at = after_blanks(self.text, at);
            if let Some((container, bracket)) = container_at(self.text, at) {
                self.spend(bracket - at)?;
                let closer = closer_of(self.text, bracket);
                open.push(Open { container, closer });
                at = after_blanks(self.text, bracket + 1);
                if self.byte(at).map(char::from) != Some(closer) {
                    at = self.type_of_next(at, open.last())?;
                    continue;
                }
            } else {
                at = self.plain(at)?.end;
            }
            // A type has ended here.
            loop {
                let Some(last) = open.last() else {
                    return Some(at);
                };
                let end = self.suffix(at, Some(last.closer))?.end;
                let comma = self.byte(end) == Some(b',');
                at = end + 1;
                if comma {
                    at = self.type_of_next(after_blanks(self.text, at), Some(last))?;
                    break;
                }
                open.pop();
            }
        }
    }

    /// Where the type of what begins here stands: behind its name, if it has one.
    fn type_of_next(&self, at: usize, inside: Option<&Open>) -> Option<usize> {
        match inside {
            Some(Open { container, closer }) if container.has_names() => {
                Some(self.split(at, *container, Some(*closer))?.type_at)
            }
            _ => Some(at),
        }
    }
}

/// The first place from here on that is no blank.
pub(super) fn after_blanks(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    text.len().min(at + (rest.len() - rest.trim_start().len()))
}

/// The letters, digits and underscores that begin here.
pub(super) fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let is_other = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'_';
    let end = rest.bytes().position(is_other);
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}
