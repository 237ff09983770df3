//! Where the values of a JSON text begin and end, without reading them, so that a broken one does not hide its
//! neighbours.
//!
//! Nothing here goes deeper with the text or keeps more than positions. Deliberately absent: what the values mean, and
//! whether they are right inside.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// The members of an object, in order: each key as it is written, without its quotes, and where its value is.
///
/// Ends with [`BrokenOff`] where the text is no object, or breaks off.
pub(super) struct Members<'a>(Items<'a>);

/// The elements of an array, in order, each as where it is.
///
/// Ends with [`BrokenOff`] where the text is no array, or breaks off.
pub(super) struct Elements<'a>(Items<'a>);

/// The text ends before what it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BrokenOff;

/// What stands between two brackets, separated by commas.
struct Items<'a> {
    text: &'a [u8],
    /// Where to go on; nothing when there is no more.
    at: Option<usize>,
    close: u8,
    is_first: bool,
    /// Whether nothing may follow but white space.
    is_all: bool,
    /// Behind the closing bracket, once it was found.
    end: Option<usize>,
}

/// The members of the object that is the whole of `text`.
pub(super) fn members(text: &[u8]) -> Members<'_> {
    Members(Items::between(text, b'{', b'}'))
}

/// The name that a key has, whose letters may be written as escapes; `None` when it cannot be read.
pub(super) fn name_of(key: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !key.contains(&b'\\') {
        return Some(Cow::Borrowed(key));
    }
    let quoted = [b"\"", key, b"\""].concat();
    let name: String = serde_json::from_slice(&quoted).ok()?;
    Some(Cow::Owned(name.into_bytes()))
}

/// The elements of the array that is the whole of `text`.
pub(super) fn elements(text: &[u8]) -> Elements<'_> {
    Elements(Items::between(text, b'[', b']'))
}

impl<'a> Members<'a> {
    /// Reads the next key, and goes to its value; [`Self::pass`] or [`Self::enter`] has to follow.
    pub(super) fn next_key(&mut self) -> Option<Result<&'a [u8], BrokenOff>> {
        self.0.next_with(|items, at| {
            let key = value(items.text, at)?;
            let quoted = items.text.get(key.clone())?;
            let name = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            let colon = space(items.text, key.end);
            let value = space(items.text, colon + 1);
            (items.text.get(colon) == Some(&b':')).then_some((name, value))
        })
    }

    /// Passes the value of the key that was read last. Answers where it is.
    pub(super) fn pass(&mut self) -> Result<Range<usize>, BrokenOff> {
        let at = self.0.at.take().ok_or(BrokenOff)?;
        let value = value(self.0.text, at).ok_or(BrokenOff)?;
        self.0.at = Some(value.end);
        Ok(value)
    }

    /// Passes the value of the key that was read last, and visits its elements when it is an array. Answers where the
    /// value is.
    pub(super) fn enter(
        &mut self,
        mut visit: impl FnMut(Range<usize>),
    ) -> Result<Range<usize>, BrokenOff> {
        let at = self.0.at.ok_or(BrokenOff)?;
        if self.0.text.get(at) != Some(&b'[') {
            return self.pass();
        }
        let mut elements = Elements(Items::behind(self.0.text, at, b']'));
        for element in &mut elements {
            visit(element?);
        }
        let end = elements.0.end.ok_or(BrokenOff)?;
        self.0.at = Some(end);
        Ok(at..end)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(&'a [u8], Range<usize>), BrokenOff>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.next_key()?;
        Some(key.and_then(|key| Ok((key, self.pass()?))))
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<Range<usize>, BrokenOff>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_with(|items, at| {
            let value = value(items.text, at)?;
            let end = value.end;
            Some((value, end))
        })
    }
}

impl<'a> Items<'a> {
    /// What stands between the brackets that a text begins and ends with.
    fn between(text: &'a [u8], open: u8, close: u8) -> Self {
        let begin = space(text, 0);
        let opened = text.get(begin) == Some(&open);
        // Where nothing opens, the first item breaks off.
        let open = if opened { begin } else { text.len() };
        Self {
            is_all: true,
            ..Self::behind(text, open, close)
        }
    }

    /// What stands behind the bracket at a place of a text.
    fn behind(text: &'a [u8], open: usize, close: u8) -> Self {
        Self {
            text,
            at: Some(open + 1),
            close,
            is_first: true,
            is_all: false,
            end: None,
        }
    }

    /// Reads one more of them, which `read` finds with the place to go on from.
    fn next_with<T>(
        &mut self,
        read: impl FnOnce(&Self, usize) -> Option<(T, usize)>,
    ) -> Option<Result<T, BrokenOff>> {
        let mut at = space(self.text, self.at.take()?);
        if self.text.get(at) == Some(&self.close) {
            let end = at + 1;
            self.end = Some(end);
            let broken = self.is_all && space(self.text, end) != self.text.len();
            return broken.then_some(Err(BrokenOff));
        }
        if !std::mem::take(&mut self.is_first) {
            if self.text.get(at) != Some(&b',') {
                return Some(Err(BrokenOff));
            }
            at = space(self.text, at + 1);
        }
        let Some((found, end)) = read(self, at) else {
            return Some(Err(BrokenOff));
        };
        self.at = Some(end);
        Some(Ok(found))
    }
}

/// The first place from `at` on that is no white space.
fn space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let blank = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + rest.iter().position(blank).unwrap_or(rest.len())
}

/// The value that begins at `at`; none when the text breaks off in it.
fn value(text: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let length = match rest.first()? {
        b'"' => string(rest)?,
        b'{' | b'[' => nested(rest)?,
        _ => {
            let end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
            rest.iter().position(end)?
        }
    };
    (length > 0).then(|| at..at + length)
}

/// How long the string is with which a text begins.
fn string(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        match text.get(at)? {
            b'"' => return Some(at + 1),
            // Whatever is escaped is no end.
            _ => at += 2,
        }
    }
}

/// How long the object or array is with which a text begins.
fn nested(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => at += string(text.get(at..)?)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(array: &str) -> Result<Vec<&str>, BrokenOff> {
        elements(array.as_bytes())
            .map(|found| Ok(array.get(found?).unwrap()))
            .collect()
    }

    #[test]
    fn elements_are_found_whatever_is_inside_of_them() {
        assert_eq!(texts("[]").unwrap(), Vec::<&str>::new());
        assert_eq!(
            texts(r#" [ {"a":[1,"]"]} , nul,"\"x\\" ,[[}] ] "#).unwrap(),
            [r#"{"a":[1,"]"]}"#, "nul", r#""\"x\\""#, "[[}]"]
        );
    }

    #[test]
    fn a_text_that_breaks_off_is_no_array() {
        for broken in [
            "", "{}", "[", "[1", "[1,", "[1 2]", "[,1]", "[\"a]", "[{]", "[] []",
        ] {
            assert_eq!(texts(broken), Err(BrokenOff), "{broken}");
        }
    }

    #[test]
    fn members_have_keys_and_values() {
        let text = br#"{ "Name" : "a\"b" , "List":[{}], "Next":null}"#;

        let found: Result<Vec<_>, BrokenOff> = members(text).collect();

        let found: Vec<_> = found
            .unwrap()
            .into_iter()
            .map(|(key, at)| (key, &text[at]))
            .collect();
        assert_eq!(
            found,
            [
                (&b"Name"[..], &br#""a\"b""#[..]),
                (b"List", b"[{}]"),
                (b"Next", b"null")
            ]
        );
        assert!(members(b"{\"a\":1, b:2}").any(|member| member.is_err()));
    }

    #[test]
    fn a_key_is_its_name_however_it_is_written() {
        assert_eq!(name_of(b"List").unwrap(), &b"List"[..]);
        assert_eq!(name_of(br"\u004cist").unwrap(), &b"List"[..]);
        assert_eq!(name_of(br"\ud800"), None);
    }

    #[test]
    fn a_million_brackets_take_no_stack() {
        let deep = format!("[{}{}]", "[".repeat(1_000_000), "]".repeat(1_000_000));

        assert_eq!(texts(&deep).unwrap().len(), 1);
    }
}
