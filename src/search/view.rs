//! One committed state of the index, as queries read it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use tantivy::columnar::StrColumn;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::schema::Field;
use tantivy::{DocId, Searcher, SegmentReader};

use super::Error;
use super::schema::{Fields, RANKED};
use super::veil::{Shade, Shades, Veil};

/// How many values a facet can tell apart; assets of further ones are found, but not counted by them.
const MOST_VALUES: usize = 1 << 20;

/// What is needed of every asset while counting, held in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    /// Where it comes when sorted by name within its segment.
    pub(super) order: u32,
    /// Numbers of values in [`View::values`].
    pub(super) values: [u32; FACETS],
    pub(super) gone: bool,
    pub(super) deprecated: bool,
    /// The last day on which somebody vouches for it, as a number; 0 for none.
    pub(super) verified: u32,
    /// How many words it has, SQL and the like aside.
    pub(super) length: f32,
}

/// How many of the ranked fields make up the length of a document: name, place, columns, texts.
pub(super) const MEASURED: usize = 4;

/// Kind, platform, database.
pub(super) const FACETS: usize = 3;

/// The facts of one segment's assets, by their number there, with values numbered within the segment.
#[derive(Debug, Default)]
pub(super) struct SegmentFacts {
    facts: Vec<Facts>,
    values: [Vec<String>; FACETS],
    shades: Shades,
}

/// One segment, opened.
pub(super) struct Segment {
    pub(super) reader: SegmentReader,
    pub(super) ranked: [Arc<InvertedIndexReader>; RANKED],
    pub(super) lengths: [FieldNormReader; RANKED],
    /// By which its documents may be hidden.
    pub(super) source: Option<StrColumn>,
    pub(super) home: Option<StrColumn>,
    order: Option<StrColumn>,
    facts: Arc<SegmentFacts>,
    /// From the segment's numbers of values to the view's.
    renumbered: [Vec<u32>; FACETS],
}

/// One committed state of the index.
pub(super) struct View {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    pub(super) segments: Vec<Segment>,
    /// Every value of each facet.
    pub(super) values: [Vec<String>; FACETS],
    /// The last change that it contains.
    pub(super) applied: i64,
}

/// The facts of segments, kept from one view to the next: segments never change.
pub(super) type Known = HashMap<SegmentId, Arc<SegmentFacts>>;

impl View {
    /// Reads what searching needs from a committed state; `known` is kept up to date.
    pub(super) fn new(
        searcher: Searcher,
        fields: Fields,
        applied: i64,
        known: &mut Known,
    ) -> Result<Self, Error> {
        let mut values: [Vec<String>; FACETS] = Default::default();
        let mut numbers: [HashMap<String, u32>; FACETS] = Default::default();
        let mut segments = Vec::new();
        let mut next = Known::new();
        for reader in searcher.segment_readers() {
            let id = reader.segment_id();
            let facts = match known.get(&id) {
                Some(facts) => Arc::clone(facts),
                None => Arc::new(SegmentFacts::read(reader, &fields)?),
            };
            next.insert(id, Arc::clone(&facts));
            let mut renumbered: [Vec<u32>; FACETS] = Default::default();
            for (facet, names) in facts.values.iter().enumerate() {
                let (Some(values), Some(numbers), Some(renumbered)) = (
                    values.get_mut(facet),
                    numbers.get_mut(facet),
                    renumbered.get_mut(facet),
                ) else {
                    continue;
                };
                renumbered.extend(names.iter().map(|name| number(name, values, numbers)));
            }
            segments.push(Segment {
                reader: reader.clone(),
                ranked: each_ranked(&fields, |field| reader.inverted_index(field))?,
                lengths: each_ranked(&fields, |field| reader.get_fieldnorms_reader(field))?,
                source: reader.fast_fields().str("source")?,
                home: reader.fast_fields().str("home")?,
                order: reader.fast_fields().str("order")?,
                facts,
                renumbered,
            });
        }
        *known = next;
        Ok(Self {
            searcher,
            fields,
            segments,
            values,
            applied,
        })
    }

    /// How many assets there are.
    pub(super) fn len(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// The name by which a document is sorted, unique and the same in every view.
    pub(super) fn order(&self, segment: usize, doc: DocId) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let Some(segment) = self.segments.get(segment) else {
            return Ok(bytes);
        };
        if let Some(column) = &segment.order {
            let order = segment.facts(doc).order;
            column
                .dictionary()
                .ord_to_term(u64::from(order), &mut bytes)?;
        }
        Ok(bytes)
    }
}

impl Segment {
    /// The facts of a document, its values numbered within the segment.
    pub(super) fn facts(&self, doc: DocId) -> Facts {
        self.facts
            .facts
            .get(doc as usize)
            .copied()
            .unwrap_or_default()
    }

    /// What a veil hides of it; `None` when nothing.
    pub(super) fn shade(&self, veil: &Veil) -> Result<Option<Arc<Shade>>, Error> {
        self.facts.shades.of(self, veil)
    }

    /// The view's numbers of the segment's values.
    pub(super) fn renumbered(&self) -> &[Vec<u32>; FACETS] {
        &self.renumbered
    }
}

impl SegmentFacts {
    fn read(reader: &SegmentReader, fields: &Fields) -> Result<Self, Error> {
        let measured = fields.ranked().into_iter().take(MEASURED);
        let lengths = measured.map(|field| reader.get_fieldnorms_reader(field));
        let lengths = lengths.collect::<Result<Vec<_>, _>>()?;
        #[expect(clippy::cast_precision_loss, reason = "lengths are rounded anyway")]
        let length = |doc| {
            lengths
                .iter()
                .map(|lengths| lengths.fieldnorm(doc) as f32)
                .sum()
        };
        let fast = reader.fast_fields();
        let columns = [
            fast.str("kind")?,
            fast.str("platform")?,
            fast.str("database")?,
        ];
        let order = fast.str("order")?;
        let gone = fast.u64("gone")?;
        let deprecated = fast.u64("deprecated")?;
        let verified = fast.u64("verified")?;
        let first = |column: &Option<StrColumn>, doc| {
            let ord = column.as_ref()?.ords().first(doc)?;
            u32::try_from(ord).ok()
        };
        let facts = (0..reader.max_doc()).map(|doc| Facts {
            order: first(&order, doc).unwrap_or(u32::MAX),
            values: columns
                .each_ref()
                .map(|column| first(column, doc).unwrap_or(u32::MAX)),
            gone: gone.first(doc) == Some(1),
            deprecated: deprecated.first(doc) == Some(1),
            verified: verified
                .first(doc)
                .and_then(|day| u32::try_from(day).ok())
                .unwrap_or_default(),
            length: length(doc),
        });
        let facts = facts.collect();
        let mut values: [Vec<String>; FACETS] = Default::default();
        for (values, column) in values.iter_mut().zip(&columns) {
            if let Some(column) = column {
                *values = every_value(column)?;
            }
        }
        Ok(Self {
            facts,
            values,
            shades: Shades::default(),
        })
    }
}

fn every_value(column: &StrColumn) -> io::Result<Vec<String>> {
    let mut values = Vec::new();
    let mut stream = column.dictionary().stream()?;
    while values.len() < MOST_VALUES && stream.advance() {
        values.push(String::from_utf8_lossy(stream.key()).into_owned());
    }
    Ok(values)
}

fn number(name: &str, values: &mut Vec<String>, numbers: &mut HashMap<String, u32>) -> u32 {
    if let Some(number) = numbers.get(name) {
        return *number;
    }
    let number = u32::try_from(values.len()).unwrap_or(u32::MAX);
    values.push(name.to_owned());
    numbers.insert(name.to_owned(), number);
    number
}

/// Opens something of every ranked field.
fn each_ranked<T>(
    fields: &Fields,
    open: impl Fn(Field) -> tantivy::Result<T>,
) -> Result<[T; RANKED], Error> {
    let [name, place, column, text, other] = fields.ranked();
    Ok([
        open(name)?,
        open(place)?,
        open(column)?,
        open(text)?,
        open(other)?,
    ])
}
