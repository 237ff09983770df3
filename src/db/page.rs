//! Pages of lists: by key, never by offset, never without an end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the page before this one ended; nothing for the first.
    pub after: Option<Cursor>,
    /// How many at the most, from 1 to [`PageRequest::MOST`].
    pub limit: u64,
}

impl PageRequest {
    /// No page is longer than this.
    pub const MOST: u64 = 500;

    /// Asks for the first page.
    pub fn first(limit: u64) -> Self {
        Self::new(None, limit)
    }

    /// Asks for the page behind `after`; a limit out of range is moved into it.
    pub fn new(after: Option<Cursor>, limit: u64) -> Self {
        Self {
            after,
            limit: limit.clamp(1, Self::MOST),
        }
    }

    /// The key behind which the page starts, as the list it came from wrote it.
    pub(crate) fn key<K: DeserializeOwned>(&self) -> Result<Option<K>, BadCursor> {
        self.after.as_ref().map(Cursor::key).transpose()
    }
}

/// A place in a list, opaque outside: hand it back to get the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Takes a cursor that was handed out earlier; nonsense is noticed when it is used.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The cursor as text that may stand in an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn of<K: Serialize>(key: &K) -> Self {
        let json = serde_json::to_vec(key).expect("keys are strings and numbers");
        Self(URL_SAFE_NO_PAD.encode(json))
    }

    fn key<K: DeserializeOwned>(&self) -> Result<K, BadCursor> {
        let json = URL_SAFE_NO_PAD.decode(&self.0).ok();
        json.and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or(BadCursor)
    }
}

/// The cursor was not handed out for this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The place in the list is not one that was handed out for it.")]
pub struct BadCursor;

/// No page is made of more bytes than this, unless its first row alone is.
pub(crate) const MOST_BYTES: i64 = 2_000_000;

/// The rows of one page, and whether there are more behind them.
#[derive(Debug)]
pub(crate) struct Cut<T> {
    pub(crate) items: Vec<T>,
    pub(crate) more: bool,
}

impl<T> Cut<T> {
    /// Where the list goes on, if it does.
    pub(crate) fn next_after<K: Serialize>(&self, key: impl Fn(&T) -> K) -> Option<Cursor> {
        let last = self.items.last().filter(|_| self.more);
        last.map(|last| Cursor::of(&key(last)))
    }
}

/// Cuts rows, up to one more than was asked for, to a page: one at least, and no more than so many bytes together.
pub(crate) fn within_bytes<T>(
    mut rows: Vec<T>,
    request: &PageRequest,
    bytes: impl Fn(&T) -> i64,
) -> Cut<T> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let mut sum = 0;
    let fitting = rows.iter().take(limit).take_while(|row| {
        sum += bytes(row);
        sum <= MOST_BYTES
    });
    let kept = fitting.count().max(1);
    let more = rows.len() > kept;
    rows.truncate(kept);
    Cut { items: rows, more }
}

/// Some of a list, in order, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Nothing when this was the last page.
    pub next: Option<Cursor>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next: None,
        }
    }
}

impl<T> Page<T> {
    /// Makes a page out of up to one row more than was asked for; that row only tells that there is more.
    pub(crate) fn of_rows<K: Serialize>(
        mut rows: Vec<T>,
        request: &PageRequest,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| Cursor::of(&key(last)));
        Self { items: rows, next }
    }

    /// Turns each item into something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}
