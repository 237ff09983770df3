//! The newest documents, in memory, until they are written to disk in larger batches.
//!
//! Each one says as of which change it was read, so that an older form never takes the place of a newer one, and one that
//! the disk has caught up with is dropped. Nothing here outlives the process: the change log brings it back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tantivy::directory::RamDirectory;
use tantivy::store::Compressor;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{DocId, IndexBuilder, IndexSettings, SegmentReader, SingleSegmentIndexWriter};

use super::Error;
use super::access_filter::HiddenDocs;
use super::document::Document;
use super::schema::{self, Fields};
use super::snapshot::{Segment, Values};
use crate::db::Subject;

/// How many documents are held before they go to disk, and how many at most when they cannot.
const MANY: usize = 500;
const MOST: usize = 2_000;

/// How large they may be before they go to disk, and at most when they cannot, in bytes.
const LARGE: usize = 8 << 20;
const LARGEST: usize = 16 << 20;

/// How long a document is held before it goes to disk.
const LONG: Duration = Duration::from_mins(5);

/// How many segments are searched before they are made fewer.
const SEGMENTS: usize = 8;

/// How much memory writing one segment may take at first, in bytes; it takes more when it has to.
const WRITING: usize = 1 << 20;

/// Documents that were written into a segment in memory.
pub(super) struct Batch {
    documents: Vec<Arc<Document>>,
    segment: Arc<Segment>,
}

impl Batch {
    pub(super) fn ids(&self) -> Vec<Subject> {
        self.documents
            .iter()
            .map(|document| document.subject())
            .collect()
    }
}

/// The newest documents.
#[derive(Default)]
pub(super) struct Recent {
    assets: HashMap<Subject, Entry>,
    pub(super) segments: Vec<Held>,
    bytes: usize,
    /// Since when the oldest of them waits for the disk.
    since: Option<Instant>,
    /// Numbers segments.
    next: u64,
}

/// What is held of one asset.
struct Entry {
    document: Arc<Document>,
    /// It contains at least the changes up to this one.
    as_of: i64,
    /// Its segment, and its number there.
    at: (u64, DocId),
    /// Since when it is held.
    since: Instant,
}

/// A segment in memory.
pub(super) struct Held {
    number: u64,
    pub(super) segment: Arc<Segment>,
    pub(super) dead: Option<Arc<HiddenDocs>>,
}

impl Held {
    fn hide(&mut self, doc: DocId) {
        let dead = self
            .dead
            .take()
            .unwrap_or_else(|| Arc::new(HiddenDocs::clear(&self.segment)));
        let dead = self.dead.insert(dead);
        Arc::make_mut(dead).hide(&self.segment, doc);
    }

    fn living(&self) -> u64 {
        let dead = self.dead.as_ref().map(|dead| dead.documents);
        dead.unwrap_or_else(|| self.segment.reader.max_doc().into())
    }
}

/// Writes documents into a segment in memory.
pub(super) fn write(
    documents: Vec<Arc<Document>>,
    fields: &Fields,
    tokenizers: &TokenizerManager,
    values: &Values,
) -> Result<Batch, Error> {
    let (layout, _) = schema::lay_out();
    let settings = IndexSettings {
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    let builder = IndexBuilder::new()
        .schema(layout)
        .settings(settings)
        .tokenizers(tokenizers.clone());
    let mut writer: SingleSegmentIndexWriter =
        builder.single_segment_index_writer(RamDirectory::create(), WRITING)?;
    for document in &documents {
        writer.add_document(document.lay_out(fields))?;
    }
    let index = writer.finalize()?;
    let segment = index.searchable_segments()?.pop().ok_or(Error::Lost)?;
    let segment = Segment::open(SegmentReader::open(&segment)?, fields, values)?;
    Ok(Batch {
        documents,
        segment: Arc::new(segment),
    })
}

impl Recent {
    pub(super) fn ids(&self) -> impl Iterator<Item = Subject> + '_ {
        self.assets.keys().copied()
    }

    /// Whether so many more documents may be held, of so many bytes.
    pub(super) fn has_room_for(&self, more: usize, bytes: usize) -> bool {
        self.assets.len() + more <= MOST && self.bytes.saturating_add(bytes) < LARGEST
    }

    /// Whether it is time to write them to disk.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.assets.len() >= MANY
            || self.bytes >= LARGE
            || self.since.is_some_and(|since| now >= since + LONG)
    }

    /// Whether an asset is held as of this change or a later one.
    pub(super) fn contains(&self, subject: Subject, as_of: i64) -> bool {
        self.assets
            .get(&subject)
            .is_some_and(|entry| entry.as_of >= as_of)
    }

    /// Takes in a batch that was read as of a change. What is held as of a later one stays.
    pub(super) fn hold(&mut self, batch: Batch, as_of: i64, now: Instant) {
        let number = self.add(&batch.segment);
        self.since.get_or_insert(now);
        for (doc, document) in (0..).zip(batch.documents) {
            let (id, at) = (document.subject(), (number, doc));
            let older = self.assets.get(&id);
            if older.is_some_and(|older| older.as_of > as_of) {
                self.hide(at);
                continue;
            }
            self.bytes += document.size();
            let entry = Entry {
                document,
                as_of,
                at,
                since: now,
            };
            if let Some(older) = self.assets.insert(id, entry) {
                self.bytes = self.bytes.saturating_sub(older.document.size());
                self.hide(older.at);
            }
        }
        self.drop_empty();
    }

    /// Drops what the disk has as well: everything that was read as of this change or an earlier one.
    pub(super) fn drop_until(&mut self, applied: i64) {
        let dropped: Vec<Subject> = self
            .assets
            .iter()
            .filter(|(_, entry)| entry.as_of <= applied)
            .map(|(id, _)| *id)
            .collect();
        for id in dropped {
            if let Some(entry) = self.assets.remove(&id) {
                self.bytes = self.bytes.saturating_sub(entry.document.size());
                self.hide(entry.at);
            }
        }
        self.drop_empty();
        self.since = self.assets.values().map(|entry| entry.since).min();
    }

    /// What is to be written anew so that there are fewer segments; `None` while there are few.
    pub(super) fn crowded(&self) -> Option<Vec<Arc<Document>>> {
        let segments = self.segments.iter();
        let small = smallest(segments.map(|held| (held.living(), held.number)).collect())?;
        let entries = self.assets.values();
        let entries = entries.filter(|entry| small.contains(&entry.at.0));
        Some(entries.map(|entry| Arc::clone(&entry.document)).collect())
    }

    /// Puts documents that were written anew in the place of the same ones. What is newer by now stays.
    pub(super) fn thin(&mut self, batch: Batch) {
        let number = self.add(&batch.segment);
        for (doc, document) in (0..).zip(batch.documents) {
            let at = (number, doc);
            let held = self.assets.get_mut(&document.subject());
            let same = held.filter(|entry| Arc::ptr_eq(&entry.document, &document));
            let older = same.map(|entry| std::mem::replace(&mut entry.at, at));
            self.hide(older.unwrap_or(at));
        }
        self.drop_empty();
    }

    fn add(&mut self, segment: &Arc<Segment>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.segments.push(Held {
            number,
            segment: Arc::clone(segment),
            dead: None,
        });
        number
    }

    fn hide(&mut self, (number, doc): (u64, DocId)) {
        if let Some(held) = self.segments.iter_mut().find(|held| held.number == number) {
            held.hide(doc);
        }
    }

    fn drop_empty(&mut self) {
        self.segments.retain(|held| held.living() > 0);
    }
}

/// Of segments by size and number, the numbers of those to be made one; `None` while there are few.
///
/// As many of the smallest as there are too many, and those after them that are not much larger than all before, so that
/// each document is written anew a few times only.
fn smallest(mut sizes: Vec<(u64, u64)>) -> Option<Vec<u64>> {
    let too_many = sizes.len().checked_sub(SEGMENTS).filter(|more| *more > 0)?;
    sizes.sort_unstable();
    let mut sum = 0;
    let joined = sizes
        .into_iter()
        .enumerate()
        .take_while(|(nth, (size, _))| {
            let joins = *nth <= too_many || *size <= 2 * sum;
            sum += size;
            joins
        });
    Some(joined.map(|(_, (_, number))| number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Address, AssetId, AssetKind, SourceLayer};
    use crate::search::documents::of_asset;

    fn batch(names: &[&str]) -> Batch {
        let document = |name: &&str| {
            let address = Address {
                platform: "glue".to_owned(),
                instance: String::new(),
                path: vec![(*name).to_owned()],
            };
            let id = AssetId(uuid::Uuid::now_v7());
            let source = SourceLayer::default();
            Arc::new(of_asset(id, AssetKind::Database, &address, &source))
        };
        let (_, fields) = schema::lay_out();
        let documents = names.iter().map(document).collect();
        write(
            documents,
            &fields,
            &schema::tokenizers(),
            &Values::default(),
        )
        .unwrap()
    }

    #[test]
    fn too_many_segments_become_fewer_whatever_their_size() {
        for size in [1, 2, 3, 100] {
            let mut sizes: Vec<(u64, u64)> = (0..9).map(|number| (size, number)).collect();
            assert_eq!(smallest(sizes.clone()).unwrap().len(), 9, "{size}");
            sizes.pop();
            assert_eq!(smallest(sizes), None, "{size}");
        }
        let doubling = (0..10).map(|number| (3_u64.pow(10 - number), number.into()));
        assert_eq!(smallest(doubling.collect()).unwrap(), [9, 8, 7]);
    }

    #[test]
    fn batches_of_several_documents_are_made_one() {
        let mut recent = Recent::default();
        let now = Instant::now();
        for nth in 1..=9 {
            recent.hold(batch(&["a", "b", "c"]), nth, now);
        }

        assert_eq!(recent.crowded().unwrap().len(), 27);
    }

    #[test]
    fn what_went_to_disk_no_longer_counts_for_how_long_the_rest_is_held() {
        let mut recent = Recent::default();
        let start = Instant::now();
        recent.hold(batch(&["a"]), 1, start);
        let later = start + LONG / 2;
        recent.hold(batch(&["b"]), 2, later);
        assert!(recent.is_due(start + LONG));

        recent.drop_until(1);

        assert!(!recent.is_due(start + LONG));
        assert!(recent.is_due(later + LONG));
        recent.drop_until(2);
        assert!(!recent.is_due(later + LONG));
    }
}
