//! One state of the index, as queries read it: segments on disk, and behind them those in memory.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::columnar::{Column, StrColumn};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption, Schema, Value};
use tantivy::store::StoreReader;
use tantivy::{DocId, SegmentReader, TantivyDocument};

use super::Error;
use super::access_filter::{AccessFilter, HiddenDocs, HiddenDocsCache};
use super::affixes::{Edges, Learned};
use super::document::Texts;
use super::facets::{self, SEVERAL, SINGLE};
use super::schema::{Fields, RANKED};
use super::trust::Signs;
use crate::db::Subject;

/// How many values a facet can tell apart; assets of further ones are found, but not counted by them.
const MOST_VALUES: usize = 1 << 20;

/// How many blocks of stored texts each segment keeps unpacked.
const STORED_BLOCKS: usize = 32;

/// What is needed of every asset while counting, held in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    /// Where it comes when sorted by name within its segment.
    pub(super) order: u32,
    /// Numbers of the segment's values.
    pub(super) values: [u32; SINGLE],
    pub(super) gone: bool,
    pub(super) deprecated: bool,
    /// The last day on which somebody vouches for it, as a number; 0 for none.
    pub(super) verified: u32,
    /// The day on which its definition changed last, as a number; 0 for none that is known.
    pub(super) changed: u32,
    /// How many words it has, SQL and the like aside.
    pub(super) length: f32,
    pub(super) signs: Signs,
}

/// How many of the ranked fields make up the length of a document: name, place, columns, texts.
pub(super) const MEASURED: usize = 4;

/// One segment, opened. It never changes; which of its documents count is said beside it, in [`Snapshot::dead`].
pub(super) struct Segment {
    pub(super) reader: SegmentReader,
    pub(super) ranked: [Arc<InvertedIndexReader>; RANKED],
    pub(super) lengths: [FieldNormReader; RANKED],
    /// By which its documents may be hidden.
    pub(super) source: Option<StrColumn>,
    pub(super) home: Option<StrColumn>,
    labels: [Option<StrColumn>; SEVERAL],
    pub(super) edges: [Edges; 2],
    address: Column<u64>,
    order: Option<StrColumn>,
    ids: Arc<InvertedIndexReader>,
    stored: StoreReader,
    /// The facts of its assets, by their number here, with values numbered within the segment.
    facts: Vec<Facts>,
    hidden_docs_cache: HiddenDocsCache,
    /// From the segment's numbers of values to those of [`Values`].
    renumbered: [Vec<u32>; SINGLE],
}

/// One state of the index.
pub(super) struct Snapshot {
    pub(super) fields: Fields,
    pub(super) schema: Schema,
    pub(super) segments: Vec<Arc<Segment>>,
    /// What of each segment was deleted or is in a newer form elsewhere.
    pub(super) dead: Vec<Option<Arc<HiddenDocs>>>,
    /// Every value of each facet.
    pub(super) values: Arc<Names>,
    /// What was learned of the names in it.
    pub(super) learned: Learned,
}

/// The values of each facet, by their number.
pub(super) type Names = [Vec<String>; SINGLE];

/// Every value of each facet that was met, numbered once for all segments.
#[derive(Default)]
pub(super) struct Values(Mutex<Numbered>);

#[derive(Default)]
struct Numbered {
    names: Arc<Names>,
    numbers: [HashMap<String, u32>; SINGLE],
}

impl Values {
    /// Every value met so far.
    pub(super) fn names(&self) -> Arc<Names> {
        let numbered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&numbered.names)
    }

    /// The numbers of a segment's values.
    fn number(&self, found: &Names) -> [Vec<u32>; SINGLE] {
        let mut numbered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Numbered { names, numbers } = &mut *numbered;
        let mut renumbered: [Vec<u32>; SINGLE] = Default::default();
        for (((found, numbers), renumbered), facet) in
            found.iter().zip(numbers).zip(&mut renumbered).zip(0..)
        {
            for name in found {
                let number = numbers.get(name).copied().unwrap_or_else(|| {
                    let mut count = 0;
                    if let Some(names) = Arc::make_mut(names).get_mut(facet) {
                        count = names.len();
                        names.push(name.clone());
                    }
                    let number = u32::try_from(count).unwrap_or(u32::MAX);
                    numbers.insert(name.clone(), number);
                    number
                });
                renumbered.push(number);
            }
        }
        renumbered
    }
}

impl Snapshot {
    /// How many assets there are.
    pub(super) fn len(&self) -> u64 {
        let living = self.segments.iter().zip(&self.dead);
        let living = living.map(|(segment, dead)| match dead {
            Some(dead) => dead.documents,
            None => u64::from(segment.reader.max_doc()),
        });
        living.sum()
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

    /// The texts that are kept of a document.
    pub(super) fn texts(&self, segment: usize, doc: DocId) -> Result<Texts, Error> {
        let Some(segment) = self.segments.get(segment) else {
            return Ok(Texts::default());
        };
        let found: TantivyDocument = segment.stored.get(doc)?;
        let stored = found.get_first(self.fields.stored);
        let text = stored.as_ref().and_then(Value::as_str);
        serde_json::from_str(text.unwrap_or_default())
            .map_err(|error| Error::Folder(io::Error::from(error)))
    }
}

impl Segment {
    /// Reads what searching needs of a segment.
    pub(super) fn open(
        reader: SegmentReader,
        fields: &Fields,
        values: &Values,
    ) -> Result<Self, Error> {
        let lengths = each_ranked(fields, |field| reader.get_fieldnorms_reader(field))?;
        let fast = reader.fast_fields();
        let columns = opened(facets::single(), |column| fast.str(column))?;
        let mut found = Names::default();
        for (found, column) in found.iter_mut().zip(&columns) {
            if let Some(column) = column {
                *found = every_value(column)?;
            }
        }
        Ok(Self {
            ranked: each_ranked(fields, |field| reader.inverted_index(field))?,
            source: fast.str("source")?,
            home: fast.str("home")?,
            labels: opened(facets::several(), |column| fast.str(column))?,
            edges: Edges::open(&reader, fields)?,
            address: fast.u64("address")?,
            order: fast.str("order")?,
            ids: reader.inverted_index(fields.id)?,
            stored: reader.get_store_reader(STORED_BLOCKS)?,
            facts: facts(&reader, &lengths, &columns)?,
            hidden_docs_cache: HiddenDocsCache::default(),
            renumbered: values.number(&found),
            lengths,
            reader,
        })
    }

    /// The documents of an asset, of which one counts at most.
    pub(super) fn documents_of(&self, subject: Subject) -> Result<Vec<DocId>, Error> {
        let Some(found) = self.ids.terms().get(subject.id().as_bytes())? else {
            return Ok(Vec::new());
        };
        let mut documents = Vec::new();
        let read: &TermInfo = &found;
        let mut postings = self
            .ids
            .read_block_postings_from_terminfo(read, IndexRecordOption::Basic)?;
        while !postings.docs().is_empty() {
            documents.extend_from_slice(postings.docs());
            postings.advance();
        }
        Ok(documents)
    }

    /// By which views read a document.
    pub(super) fn address(&self, doc: DocId) -> Option<u64> {
        self.address.first(doc)
    }

    /// The facts of a document, its values numbered within the segment.
    pub(super) fn facts(&self, doc: DocId) -> Facts {
        self.facts.get(doc as usize).copied().unwrap_or_default()
    }

    /// The owners and the tags of its documents; `None` where none has any.
    pub(super) fn labels(&self) -> [Option<&StrColumn>; SEVERAL] {
        self.labels.each_ref().map(Option::as_ref)
    }

    /// What an access filter hides of it; `None` when nothing.
    pub(super) fn hidden_docs(
        &self,
        access_filter: &AccessFilter,
    ) -> Result<Option<Arc<HiddenDocs>>, Error> {
        self.hidden_docs_cache.of(self, access_filter)
    }

    /// The numbers of the segment's values in [`Snapshot::values`].
    pub(super) fn renumbered(&self) -> &[Vec<u32>; SINGLE] {
        &self.renumbered
    }
}

fn facts(
    reader: &SegmentReader,
    lengths: &[FieldNormReader; RANKED],
    columns: &[Option<StrColumn>; SINGLE],
) -> Result<Vec<Facts>, Error> {
    #[expect(clippy::cast_precision_loss, reason = "lengths are rounded anyway")]
    let length = |doc| {
        let measured = lengths.iter().take(MEASURED);
        measured.map(|lengths| lengths.fieldnorm(doc) as f32).sum()
    };
    let fast = reader.fast_fields();
    let order = fast.str("order")?;
    let gone = fast.u64("gone")?;
    let deprecated = fast.u64("deprecated")?;
    let verified = fast.u64("verified")?;
    let changed = fast.u64("changed")?;
    let day = |column: &Column<u64>, doc| {
        let day = column.first(doc).and_then(|day| u32::try_from(day).ok());
        day.unwrap_or_default()
    };
    let signs = fast.u64("signs")?;
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
        verified: day(&verified, doc),
        changed: day(&changed, doc),
        length: length(doc),
        signs: Signs::from_bits(signs.first(doc).unwrap_or_default()),
    });
    Ok(facts.collect())
}

fn every_value(column: &StrColumn) -> io::Result<Vec<String>> {
    let mut values = Vec::new();
    let mut stream = column.dictionary().stream()?;
    while values.len() < MOST_VALUES && stream.advance() {
        values.push(String::from_utf8_lossy(stream.key()).into_owned());
    }
    Ok(values)
}

/// Opens the column of each of some facets.
fn opened<T: std::fmt::Debug, const N: usize>(
    columns: [&str; N],
    open: impl Fn(&str) -> tantivy::Result<T>,
) -> Result<[T; N], Error> {
    let opened: Result<Vec<T>, _> = columns.into_iter().map(open).collect();
    Ok(opened?.try_into().expect("there is one for each"))
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
