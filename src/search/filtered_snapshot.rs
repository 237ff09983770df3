//! One committed state of the index, as one person sees it.
//!
//! Everything that is read of the dictionaries goes through here, so that a word that stands only where somebody does
//! not see it stands nowhere: it is not suggested, not counted and not weighed.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::Term;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption};

use super::Error;
use super::access_filter::{AccessFilter, HiddenDocs};
use super::affixes::Affixes;
use super::facets::{FacetField, SINGLE};
use super::inside::{self, Inside};
use super::schema::{Fields, RANKED, Whole};
use super::snapshot::{MEASURED, Segment, Snapshot};
use super::tokenizer::STEM;

/// Up to so many documents, those in which a word stands are counted one by one where some are dead.
const EXACTLY: u32 = 1_000;

/// A view under an access filter.
pub(super) struct FilteredSnapshot {
    pub(super) view: Arc<Snapshot>,
    /// What is hidden of each segment.
    hidden_docs_of: Vec<Option<Arc<HiddenDocs>>>,
    documents: u64,
    /// Which of the view's values of each facet are to be seen; `None` when all are.
    pub(super) values: Option<[Vec<bool>; SINGLE]>,
    /// How many words a field has on average.
    pub(super) lengths: [f32; RANKED],
    /// How many words a document has on average, SQL and the like aside.
    pub(super) length: f32,
    /// Which words of names carry no meaning of their own.
    pub(super) affixes: Arc<Affixes>,
}

impl FilteredSnapshot {
    pub(super) fn new(view: Arc<Snapshot>, access_filter: &AccessFilter) -> Result<Self, Error> {
        let segments = view.segments.iter().zip(&view.dead);
        let hidden_docs_of =
            segments.map(|(segment, dead)| hidden(segment, dead.as_ref(), access_filter));
        let hidden_docs_of: Vec<_> = hidden_docs_of.collect::<Result<_, _>>()?;
        let mut snapshot = Self {
            documents: view.len(),
            values: None,
            lengths: [1.0; RANKED],
            length: 1.0,
            affixes: Arc::default(),
            view,
            hidden_docs_of,
        };
        snapshot.lengths = snapshot.average_lengths();
        snapshot.length = snapshot.lengths.iter().take(MEASURED).sum();
        if snapshot
            .hidden_docs_of
            .iter()
            .flatten()
            .any(|hidden_docs| hidden_docs.by_access)
        {
            snapshot.documents = snapshot.remaining();
            snapshot.values = Some(snapshot.seen_values());
        }
        snapshot.affixes = snapshot
            .view
            .learned
            .of(access_filter.digest(), &snapshot)?;
        Ok(snapshot)
    }

    /// Each segment with what is hidden of it.
    pub(super) fn segments(&self) -> impl Iterator<Item = (&Segment, Option<&HiddenDocs>)> {
        let hidden_docs_of = self.hidden_docs_of.iter().map(Option::as_deref);
        self.view
            .segments
            .iter()
            .map(|segment| &**segment)
            .zip(hidden_docs_of)
    }

    fn remaining(&self) -> u64 {
        self.segments()
            .map(|(segment, hidden_docs)| match hidden_docs {
                Some(hidden_docs) => hidden_docs.documents,
                None => u64::from(segment.reader.num_docs()),
            })
            .sum()
    }

    fn seen_values(&self) -> [Vec<bool>; SINGLE] {
        let values = &self.view.values;
        let mut seen = values.each_ref().map(|values| vec![false; values.len()]);
        for (segment, hidden_docs) in self.segments() {
            for (facet, (seen, numbers)) in seen.iter_mut().zip(segment.renumbered()).enumerate() {
                let veiled = hidden_docs.filter(|hidden_docs| hidden_docs.by_access);
                let remaining = veiled.and_then(|hidden_docs| hidden_docs.values.get(facet));
                for (nth, number) in numbers.iter().enumerate() {
                    let remains = remaining.is_none_or(|values| values.get(nth) == Some(&true));
                    if let Some(seen) = seen.get_mut(*number as usize)
                        && remains
                    {
                        *seen = true;
                    }
                }
            }
        }
        seen
    }

    #[expect(clippy::cast_precision_loss, reason = "an average needs no more")]
    fn average_lengths(&self) -> [f32; RANKED] {
        let mut words = [0_u64; RANKED];
        let mut documents = 0_u64;
        for (segment, hidden_docs) in self.segments() {
            if let Some(hidden_docs) = hidden_docs {
                documents += hidden_docs.documents;
                words
                    .iter_mut()
                    .zip(hidden_docs.words)
                    .for_each(|(words, more)| *words += more);
                continue;
            }
            documents += u64::from(segment.reader.max_doc());
            for (words, index) in words.iter_mut().zip(&segment.ranked) {
                *words += index.total_num_tokens();
            }
        }
        words.map(|words| (words as f32 / documents.max(1) as f32).max(1.0))
    }

    /// How many assets there are to see.
    pub(super) fn len(&self) -> u64 {
        self.documents
    }

    /// In how many documents of each ranked field a term stands; `None` when it stands nowhere.
    pub(super) fn frequencies(&self, term: &str) -> Result<Option<[u64; RANKED]>, Error> {
        let mut counts = [0; RANKED];
        for (segment, hidden_docs) in self.segments() {
            for (count, index) in counts.iter_mut().zip(&segment.ranked) {
                if let Some(found) = index.terms().get(term)? {
                    *count += seen(index, &found, hidden_docs)?;
                }
            }
        }
        Ok(counts.iter().any(|count| *count > 0).then_some(counts))
    }

    /// In how many documents a term of one field stands.
    pub(super) fn frequency(&self, field: Field, term: impl AsRef<[u8]>) -> Result<u64, Error> {
        let mut count = 0;
        for (segment, hidden_docs) in self.segments() {
            let index = segment.reader.inverted_index(field)?;
            if let Some(found) = index.terms().get(term.as_ref())? {
                count += seen(&index, &found, hidden_docs)?;
            }
        }
        Ok(count)
    }

    /// How many views read what has this address.
    pub(super) fn readers(&self, address: u64) -> Result<u64, Error> {
        let field = self.view.fields.reads;
        let term = Term::from_field_u64(field, address);
        self.frequency(field, term.serialized_value_bytes())
    }

    /// Words that begin like this in the first `fields` of the ranked fields, most frequent first.
    pub(super) fn beginning_with(
        &self,
        beginning: &str,
        fields: usize,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let mut counts = HashMap::new();
        for (segment, hidden_docs) in self.segments() {
            for index in segment.ranked.iter().take(fields) {
                let mut stream = index.terms().range().ge(beginning).into_stream()?;
                let mut read = 0;
                while read < 5 * limit as u64
                    && let Some((term, found)) = stream.next()
                    && term.starts_with(beginning.as_bytes())
                {
                    read += u64::from(count(&mut counts, index, (term, found), hidden_docs)?);
                }
            }
        }
        Ok(most_frequent(counts, limit))
    }

    /// Names that, without their separators, begin like this; as terms of the field of whole names.
    pub(super) fn names_beginning_with(
        &self,
        squeezed: &str,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let beginning = Whole::Squeezed.term(squeezed);
        self.terms_beginning_with(self.view.fields.whole, &beginning, limit)
    }

    /// Whole names or values of one way that begin like this, the most frequent first.
    pub(super) fn whole_beginning_with(
        &self,
        way: Whole,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let mark = way.term("").len();
        let terms =
            self.terms_beginning_with(self.view.fields.whole, &way.term(beginning), limit)?;
        let values = terms
            .into_iter()
            .map(|term| term.split_at(mark).1.to_owned());
        Ok(values.collect())
    }

    /// Values of a facet that begin like this, by name.
    pub(super) fn values_beginning_with(
        &self,
        facet: FacetField,
        beginning: &str,
        limit: usize,
    ) -> Vec<String> {
        let place = facet as usize;
        let values = self.view.values.get(place).map(Vec::as_slice);
        let seen = self.values.as_ref().and_then(|seen| seen.get(place));
        let begins = |value: &str| {
            let start = value.get(..beginning.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
        };
        let fitting = values.unwrap_or_default().iter().enumerate();
        let fitting = fitting
            .filter(|(nth, value)| {
                seen.is_none_or(|seen| seen.get(*nth) == Some(&true)) && begins(value)
            })
            .map(|(_, value)| value);
        // Only the first few are wanted, so not all are sorted.
        let mut first: Vec<&String> = Vec::new();
        for value in fitting {
            let at = first.partition_point(|other| *other < value);
            if at < limit {
                first.insert(at, value);
                first.truncate(limit);
            }
        }
        first.into_iter().cloned().collect()
    }

    /// Where a word stands inside the words of names; a short one stands nowhere.
    pub(super) fn inside(&self, word: &str, limit: usize) -> Result<Inside, Error> {
        if word.chars().count() < inside::SHORTEST {
            return Ok(Inside::default());
        }
        let Fields {
            in_name, in_column, ..
        } = self.view.fields;
        Ok(Inside {
            names: self.terms_beginning_with(in_name, word, limit)?,
            columns: self.terms_beginning_with(in_column, word, limit)?,
        })
    }

    fn terms_beginning_with(
        &self,
        field: Field,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let mut counts = HashMap::new();
        for (segment, hidden_docs) in self.segments() {
            let index = segment.reader.inverted_index(field)?;
            let mut stream = index.terms().range().ge(beginning).into_stream()?;
            let mut read = 0;
            while read < limit
                && let Some((term, found)) = stream.next()
                && term.starts_with(beginning.as_bytes())
            {
                read += usize::from(count(&mut counts, &index, (term, found), hidden_docs)?);
            }
        }
        Ok(most_frequent(counts, limit))
    }

    /// Words that differ from this one by so many letters in the first `fields` of the ranked fields, and how often
    /// they occur.
    pub(super) fn similar(
        &self,
        word: &str,
        distance: u8,
        fields: usize,
    ) -> Result<HashMap<String, u64>, Error> {
        let query = FuzzyTermQuery::new(
            Term::from_field_text(self.view.fields.name, word),
            distance,
            true,
        );
        let automaton = query.automaton()?;
        let mut counts = HashMap::new();
        for (segment, hidden_docs) in self.segments() {
            for index in segment.ranked.iter().take(fields) {
                let mut stream = index.terms().search(&automaton).into_stream()?;
                while let Some((term, found)) = stream.next() {
                    count(&mut counts, index, (term, found), hidden_docs)?;
                }
            }
        }
        Ok(counts)
    }
}

/// What of a segment is left out: what is dead, and what is under the access filter.
fn hidden(
    segment: &Segment,
    dead: Option<&Arc<HiddenDocs>>,
    access_filter: &AccessFilter,
) -> Result<Option<Arc<HiddenDocs>>, Error> {
    Ok(match (segment.hidden_docs(access_filter)?, dead) {
        (Some(veiled), Some(dead)) => Some(Arc::new(veiled.and(dead, segment))),
        (veiled, dead) => veiled.or_else(|| dead.cloned()),
    })
}

/// In how many documents a term stands that are to be seen. Of a frequent one those that are dead are counted too, for
/// they change nothing.
fn seen(
    index: &InvertedIndexReader,
    found: &TermInfo,
    hidden_docs: Option<&HiddenDocs>,
) -> Result<u64, Error> {
    let counted = |hidden_docs: &&HiddenDocs| hidden_docs.by_access || found.doc_freq <= EXACTLY;
    let Some(hidden_docs) = hidden_docs.filter(counted) else {
        return Ok(u64::from(found.doc_freq));
    };
    let mut postings = index.read_block_postings_from_terminfo(found, IndexRecordOption::Basic)?;
    let mut seen = 0;
    while !postings.docs().is_empty() {
        seen += postings
            .docs()
            .iter()
            .filter(|doc| !hidden_docs.hides(**doc))
            .count() as u64;
        postings.advance();
    }
    Ok(seen)
}

/// Counts a word, leaving out what nobody wrote; false when it stands nowhere.
fn count(
    counts: &mut HashMap<String, u64>,
    index: &InvertedIndexReader,
    (term, found): (&[u8], &TermInfo),
    hidden_docs: Option<&HiddenDocs>,
) -> Result<bool, Error> {
    let seen = seen(index, found, hidden_docs)?;
    if seen > 0
        && let Ok(term) = std::str::from_utf8(term)
        && !term.ends_with(STEM)
    {
        *counts.entry(term.to_owned()).or_default() += seen;
    }
    Ok(seen > 0)
}

/// Orders counted words, most frequent first.
pub(super) fn most_frequent(counts: HashMap<String, u64>, limit: usize) -> Vec<String> {
    let mut terms: Vec<_> = counts.into_iter().collect();
    terms.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    terms
        .into_iter()
        .take(limit)
        .map(|(term, _)| term)
        .collect()
}
