//! What somebody does not see: documents of the index that are left out of everything it answers.
//!
//! Restrictions are not in the index, so that a change of them counts with the next search. What is closed to somebody
//! is read once for each state of the restrictions; which documents of a segment that hides, once for each segment.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::DocId;
use tantivy::columnar::StrColumn;

use super::Error;
use super::document::{home_term, source_term};
use super::facets::SINGLE;
use super::schema::RANKED;
use super::snapshot::Segment;
use crate::auth::Visibility;
use crate::auth::scopes::{self, Closed};
use crate::db::Db;

/// For so many different sights it is remembered what is closed to them.
const SIGHTS: usize = 256;

/// For so many different sets of closed scopes a segment remembers what they hide.
const SHADES: usize = 64;

/// What is left out of every answer, because it is closed to whoever asks.
#[derive(Clone)]
pub struct AccessFilter(Option<Arc<Hidden>>);

/// The values by which documents are hidden.
struct Hidden {
    /// Differs when the values do.
    digest: blake3::Hash,
    sources: HashSet<String>,
    homes: HashSet<String>,
}

impl AccessFilter {
    /// Hides nothing: for who sees everything.
    pub fn none() -> Self {
        Self(None)
    }

    /// Differs when what is hidden does; nothing when nothing is.
    pub(super) fn digest(&self) -> Option<blake3::Hash> {
        self.0.as_ref().map(|hidden| hidden.digest)
    }

    /// Hides what stands in these scopes.
    pub fn over(closed: &Closed) -> Self {
        if closed.is_empty() {
            return Self::none();
        }
        let sources = closed.sources.iter();
        let sources: HashSet<String> = sources
            .map(|(platform, instance)| source_term(platform, instance))
            .collect();
        let homes: HashSet<String> = closed.databases.iter().copied().map(home_term).collect();
        let mut hasher = blake3::Hasher::new();
        for values in [&sources, &homes] {
            let mut sorted: Vec<&String> = values.iter().collect();
            sorted.sort_unstable();
            hasher.update(&(sorted.len() as u64).to_le_bytes());
            for value in sorted {
                hasher.update(&(value.len() as u64).to_le_bytes());
                hasher.update(value.as_bytes());
            }
        }
        Self(Some(Arc::new(Hidden {
            digest: hasher.finalize(),
            sources,
            homes,
        })))
    }
}

impl fmt::Debug for AccessFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.as_ref();
        f.debug_struct("AccessFilter")
            .field("sources", &hidden.map_or(0, |hidden| hidden.sources.len()))
            .field("databases", &hidden.map_or(0, |hidden| hidden.homes.len()))
            .finish()
    }
}

/// What is closed to whom, as far as it was asked lately.
#[derive(Default)]
pub(super) struct AccessFilters(Mutex<VecDeque<(Visibility, i64, AccessFilter)>>);

impl AccessFilters {
    /// What somebody does not see now, whichever process restricted it.
    pub(super) async fn of(&self, db: &Db, visibility: &Visibility) -> Result<AccessFilter, Error> {
        if *visibility == Visibility::Everything {
            return Ok(AccessFilter::none());
        }
        // Read first: what is then read of the restrictions is of that version or a later one.
        let version = scopes::version(db).await?;
        if let Some(known) = self.find(visibility, version) {
            return Ok(known);
        }
        let access_filter = AccessFilter::over(&scopes::closed_to(db, visibility).await?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(of, _, _)| of != visibility);
        known.push_front((visibility.clone(), version, access_filter.clone()));
        known.truncate(SIGHTS);
        Ok(access_filter)
    }

    fn find(&self, visibility: &Visibility, version: i64) -> Option<AccessFilter> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = known.iter();
        known
            .find(|(of, then, _)| *then == version && of == visibility)
            .map(|(_, _, access_filter)| access_filter.clone())
    }
}

/// What of one segment is hidden, and what remains.
#[derive(Debug, Clone)]
pub(super) struct HiddenDocs {
    /// A bit for each document.
    hidden: Vec<u64>,
    /// Whether it hides what somebody may not see, of which nothing at all must show.
    pub(super) by_access: bool,
    /// How many documents remain.
    pub(super) documents: u64,
    /// How many words they have in each ranked field.
    pub(super) words: [u64; RANKED],
    /// Which of the segment's values of each facet they have.
    pub(super) values: [Vec<bool>; SINGLE],
}

impl HiddenDocs {
    /// Hides nothing yet.
    pub(super) fn clear(segment: &Segment) -> Self {
        let documents = segment.reader.max_doc();
        Self {
            hidden: vec![0; documents as usize / 64 + 1],
            by_access: false,
            documents: u64::from(documents),
            words: segment
                .ranked
                .each_ref()
                .map(|index| index.total_num_tokens()),
            values: Default::default(),
        }
    }

    pub(super) fn hides(&self, doc: DocId) -> bool {
        let word = self.hidden.get(doc as usize / 64).copied().unwrap_or(0);
        word >> (doc % 64) & 1 == 1
    }

    /// Hides one more document; doing it twice is doing it once.
    pub(super) fn hide(&mut self, segment: &Segment, doc: DocId) {
        if self.hides(doc) {
            return;
        }
        if let Some(word) = self.hidden.get_mut(doc as usize / 64) {
            *word |= 1 << (doc % 64);
        }
        self.documents = self.documents.saturating_sub(1);
        for (words, lengths) in self.words.iter_mut().zip(&segment.lengths) {
            *words = words.saturating_sub(u64::from(lengths.fieldnorm(doc)));
        }
    }

    /// Hides what another one hides as well.
    pub(super) fn and(&self, other: &Self, segment: &Segment) -> Self {
        let mut both = self.clone();
        for (nth, word) in (0_u32..).zip(&other.hidden) {
            let mut rest = *word;
            while rest != 0 {
                both.hide(segment, nth * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
        both
    }

    fn cast(segment: &Segment, hidden: &Hidden) -> Result<Option<Self>, Error> {
        let homes = numbers(segment.home.as_ref(), &hidden.homes)?;
        let sources = numbers(segment.source.as_ref(), &hidden.sources)?;
        if homes.is_none() && sources.is_none() {
            return Ok(None);
        }
        let hides = |column: Option<&StrColumn>, numbers: &Option<Vec<bool>>, doc| {
            let (Some(column), Some(numbers)) = (column, numbers) else {
                return false;
            };
            let number = column.ords().first(doc);
            let number = number.and_then(|number| usize::try_from(number).ok());
            number.and_then(|number| numbers.get(number)).copied() == Some(true)
        };
        let documents = segment.reader.max_doc();
        let mut hidden_docs = Self {
            hidden: vec![0; documents as usize / 64 + 1],
            by_access: true,
            documents: 0,
            words: [0; RANKED],
            values: segment
                .renumbered()
                .each_ref()
                .map(|values| vec![false; values.len()]),
        };
        for doc in 0..documents {
            if hides(segment.home.as_ref(), &homes, doc)
                || hides(segment.source.as_ref(), &sources, doc)
            {
                if let Some(word) = hidden_docs.hidden.get_mut(doc as usize / 64) {
                    *word |= 1 << (doc % 64);
                }
            } else {
                hidden_docs.leave(segment, doc);
            }
        }
        Ok(Some(hidden_docs))
    }

    /// Counts a document that remains.
    fn leave(&mut self, segment: &Segment, doc: DocId) {
        self.documents += 1;
        for (words, lengths) in self.words.iter_mut().zip(&segment.lengths) {
            *words += u64::from(lengths.fieldnorm(doc));
        }
        for (seen, value) in self.values.iter_mut().zip(segment.facts(doc).values) {
            if let Some(seen) = seen.get_mut(value as usize) {
                *seen = true;
            }
        }
    }
}

/// For each value of a segment's column whether it is one of these; `None` when none is.
fn numbers(
    column: Option<&StrColumn>,
    values: &HashSet<String>,
) -> Result<Option<Vec<bool>>, Error> {
    let Some(column) = column.filter(|_| !values.is_empty()) else {
        return Ok(None);
    };
    let mut numbers = Vec::with_capacity(column.num_terms());
    let mut any = false;
    let mut stream = column.dictionary().stream()?;
    while stream.advance() {
        let found = std::str::from_utf8(stream.key()).is_ok_and(|value| values.contains(value));
        any |= found;
        numbers.push(found);
    }
    Ok(any.then_some(numbers))
}

/// The hidden documents of one segment, as far as they were asked for lately.
#[derive(Debug, Default)]
pub(super) struct HiddenDocsCache(Mutex<VecDeque<(blake3::Hash, Option<Arc<HiddenDocs>>)>>);

impl HiddenDocsCache {
    /// What an access filter hides of the segment; `None` when nothing.
    pub(super) fn of(
        &self,
        segment: &Segment,
        access_filter: &AccessFilter,
    ) -> Result<Option<Arc<HiddenDocs>>, Error> {
        let Some(hidden) = &access_filter.0 else {
            return Ok(None);
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, hidden_docs)) = known.iter().find(|(digest, _)| *digest == hidden.digest) {
            return Ok(hidden_docs.clone());
        }
        drop(known);
        let hidden_docs = HiddenDocs::cast(segment, hidden)?.map(Arc::new);
        known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push_front((hidden.digest, hidden_docs.clone()));
        known.truncate(SHADES);
        Ok(hidden_docs)
    }
}
