//! Which words at the edges of names carry no meaning of their own, learned from the catalog as one person sees it.
//!
//! `dim` begins many names, stands nowhere else in names and in no column: `dim_customer` is a name for customers. `order`
//! begins many names too, but is what tables are about. Only the most frequent edges of each segment are remembered, so
//! that what is learned is bounded however large the catalog.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::columnar::StrColumn;
use tantivy::schema::Field;
use tantivy::{DocId, SegmentReader};

use super::Error;
use super::filtered_snapshot::FilteredSnapshot;
use super::schema::Fields;
use super::snapshot::Segment;
use super::trust::Layer;

/// How many of its most frequent edges a segment remembers, and how many affixes a catalog has at most.
const FREQUENT: usize = 128;
const MOST: usize = 64;

/// So many names share an affix at least.
const FEWEST: u64 = 3;

/// For so many access filters it is remembered what they let through.
const VEILS: usize = 16;

/// An edge of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    First = 0,
    Last = 1,
}

impl Edge {
    const ALL: [Self; 2] = [Self::First, Self::Last];

    fn field(self, fields: &Fields) -> Field {
        match self {
            Self::First => fields.first,
            Self::Last => fields.last,
        }
    }
}

/// The words at one edge of a segment's names.
pub(super) struct Edges {
    column: Option<StrColumn>,
    /// The most frequent ones, and how many names have them.
    frequent: Vec<(u32, String)>,
}

impl Edges {
    /// Reads the words at both edges.
    pub(super) fn open(reader: &SegmentReader, fields: &Fields) -> Result<[Self; 2], Error> {
        let [first, last] = Edge::ALL.map(|edge| Self::open_one(reader, edge.field(fields)));
        Ok([first?, last?])
    }

    fn open_one(reader: &SegmentReader, field: Field) -> Result<Self, Error> {
        let index = reader.inverted_index(field)?;
        let mut counted: Vec<(u32, String)> = Vec::new();
        let mut stream = index.terms().stream()?;
        while let Some((term, found)) = stream.next() {
            if let Ok(term) = std::str::from_utf8(term) {
                counted.push((found.doc_freq, term.to_owned()));
            }
            if counted.len() >= 8 * FREQUENT {
                keep_most(&mut counted);
            }
        }
        keep_most(&mut counted);
        Ok(Self {
            column: reader
                .fast_fields()
                .str(reader.schema().get_field_name(field))?,
            frequent: counted,
        })
    }
}

fn keep_most(counted: &mut Vec<(u32, String)>) {
    counted.sort_unstable_by(|a, b| b.cmp(a));
    counted.truncate(FREQUENT);
}

/// A word that many names share at an edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Affix {
    pub(super) word: String,
    pub(super) layer: Layer,
    /// Which share of all assets has it.
    pub(super) share: f32,
}

/// The affixes of a catalog, as one person sees it.
#[derive(Debug, Default)]
pub(super) struct Affixes {
    of_edge: [Vec<Affix>; 2],
    /// For each segment and edge, the affix by the number of its word there.
    numbers: Vec<[HashMap<u64, usize>; 2]>,
}

impl Affixes {
    /// Learns them.
    pub(super) fn learn(view: &FilteredSnapshot) -> Result<Self, Error> {
        let [first, last] = Edge::ALL.map(|edge| learn_one(view, edge));
        let of_edge = [first?, last?];
        let mut numbers = Vec::new();
        for (segment, _) in view.segments() {
            let mut of_segment: [HashMap<u64, usize>; 2] = Default::default();
            let edges = of_segment.iter_mut().zip(&segment.edges).zip(&of_edge);
            for ((numbers, edges), affixes) in edges {
                let Some(column) = &edges.column else {
                    continue;
                };
                for (nth, affix) in affixes.iter().enumerate() {
                    let number = column.dictionary().term_ord(affix.word.as_bytes())?;
                    numbers.extend(number.map(|number| (number, nth)));
                }
            }
            numbers.push(of_segment);
        }
        Ok(Self { of_edge, numbers })
    }

    /// The affix at one edge of the name of a document.
    pub(super) fn of(
        &self,
        (number, segment): (usize, &Segment),
        doc: DocId,
        edge: Edge,
    ) -> Option<&Affix> {
        let at = edge as usize;
        let numbers = self.numbers.get(number)?.get(at)?;
        if numbers.is_empty() {
            return None;
        }
        let word = segment.edges.get(at)?.column.as_ref()?.ords().first(doc)?;
        self.of_edge.get(at)?.get(*numbers.get(&word)?)
    }
}

/// Words that may be affixes, as far as segments remember them: the most frequent, and those that name a layer.
fn candidates(view: &FilteredSnapshot, edge: Edge) -> Vec<(String, Layer)> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for (segment, _) in view.segments() {
        let edges = segment.edges.get(edge as usize).into_iter();
        for (count, word) in edges.flat_map(|edges| &edges.frequent) {
            *counts.entry(word).or_default() += u64::from(*count);
        }
    }
    let least = fewest(view.len());
    let mut words: Vec<(bool, u64, &str, Layer)> = Vec::new();
    for (word, count) in counts {
        let layer = match edge {
            Edge::First => Layer::of(word),
            Edge::Last => Layer::Unknown,
        };
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number && (count >= least || layer != Layer::Unknown) {
            words.push((layer != Layer::Unknown, count, word, layer));
        }
    }
    words.sort_unstable_by(|a, b| b.cmp(a));
    words.truncate(FREQUENT);
    let words = words.into_iter();
    words
        .map(|(_, _, word, layer)| (word.to_owned(), layer))
        .collect()
}

fn learn_one(view: &FilteredSnapshot, edge: Edge) -> Result<Vec<Affix>, Error> {
    let fields = view.view.fields;
    let mut affixes = Vec::new();
    for (word, layer) in candidates(view, edge) {
        let at_edge = view.frequency(edge.field(&fields), &word)?;
        let least = if layer == Layer::Unknown {
            fewest(view.len())
        } else {
            1
        };
        // It stands hardly anywhere but here, and is what hardly any column is about.
        if at_edge >= least
            && at_edge * 5 >= view.frequency(fields.name, &word)? * 4
            && at_edge >= view.frequency(fields.column, &word)? * 2
        {
            affixes.push((at_edge, word, layer));
        }
    }
    affixes.sort_by(|a, b| b.cmp(a));
    affixes.truncate(MOST);
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
    let share = |count: u64| count as f32 / view.len().max(1) as f32;
    let affixes = affixes.into_iter().map(|(count, word, layer)| Affix {
        word,
        layer,
        share: share(count),
    });
    Ok(affixes.collect())
}

/// How many names have to share an affix in a catalog of this size.
fn fewest(documents: u64) -> u64 {
    (documents.isqrt() / 8).max(FEWEST)
}

/// What was learned of one state of the index, for those who asked lately.
#[derive(Default)]
pub(super) struct Learned(Mutex<VecDeque<(Option<blake3::Hash>, Arc<Affixes>)>>);

impl Learned {
    /// The affixes under an access filter of this digest.
    pub(super) fn of(
        &self,
        digest: Option<blake3::Hash>,
        view: &FilteredSnapshot,
    ) -> Result<Arc<Affixes>, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, affixes)) = known.iter().find(|(of, _)| *of == digest) {
            return Ok(Arc::clone(affixes));
        }
        drop(known);
        let affixes = Arc::new(Affixes::learn(view)?);
        known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.push_front((digest, Arc::clone(&affixes)));
        known.truncate(VEILS);
        Ok(affixes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_have_to_share_an_affix_in_a_larger_catalog() {
        assert_eq!(fewest(0), FEWEST);
        assert_eq!(fewest(500), FEWEST);
        assert_eq!(fewest(100_000), 39);
    }
}
