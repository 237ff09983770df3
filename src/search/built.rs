//! One time that the index was built: its folder, opened.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tantivy::directory::error::LockError;
use tantivy::directory::{Directory as _, FileSlice, META_LOCK, ManagedDirectory};
use tantivy::fastfield::AliveBitSet;
use tantivy::index::SegmentComponent;
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::Schema;
use tantivy::{IndexWriter, SegmentReader, TantivyError};
use uuid::Uuid;

use super::access_filter::HiddenDocs;
use super::files::Files;
use super::home::{self, Home};
use super::schema::{self, Fields};
use super::snapshot::{Segment, Values};
use super::{Error, Options};

/// What tantivy replaces with every commit.
const META: &str = "meta.json";

/// When a commit was written, as far as the file system tells.
type Stamp = (SystemTime, u64, u64);

/// One time that the index was built, opened.
pub(super) struct Built {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) fields: Fields,
    pub(super) schema: Schema,
    files: Files,
    index: tantivy::Index,
    /// When the commit that was read last was written.
    seen: Mutex<Option<Stamp>>,
    /// Whether its files turned out not to be as they were written.
    damaged: AtomicBool,
}

/// A segment, and what of it was deleted.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) segment: Arc<Segment>,
    pub(super) deleted: Option<Arc<HiddenDocs>>,
    /// The file that says so, open for as long as it counts, so that it is noticed when others change it.
    _file: Option<FileSlice>,
}

/// What was committed: segments on disk.
#[derive(Default, Clone)]
pub(super) struct Disk {
    pub(super) segments: Vec<Stored>,
    /// The last change that it contains.
    pub(super) applied: i64,
}

impl Built {
    /// Lays out an empty one.
    pub(super) fn create(home: &Home) -> Result<Self, Error> {
        let name = Uuid::now_v7().simple().to_string();
        let folder = home.path.join(&name);
        fs::create_dir_all(&folder)?;
        let (layout, _) = schema::lay_out();
        let directory = (home.directories)(Files::of(&folder));
        let created = tantivy::Index::create(directory, layout, tantivy::IndexSettings::default())
            .map_err(Error::from)
            .and_then(|_| Self::open(home, &name));
        if created.is_err() {
            home::remove(&folder);
        }
        created
    }

    /// Opens one and compares every file with its checksum.
    pub(super) fn open(home: &Home, name: &str) -> Result<Self, Error> {
        let folder = home.path.join(name);
        let files = Files::of(&folder);
        let (layout, fields) = schema::lay_out();
        let mut index = tantivy::Index::open((home.directories)(files.clone()))?;
        if index.schema() != layout || !index.validate_checksum()?.is_empty() {
            return Err(Error::Lost);
        }
        index.set_tokenizers(schema::tokenizers());
        Ok(Self {
            name: name.to_owned(),
            folder,
            fields,
            schema: layout,
            files,
            index,
            seen: Mutex::new(None),
            damaged: AtomicBool::new(false),
        })
    }

    pub(super) fn stamp(&self) -> Option<Stamp> {
        stamp(&self.folder)
    }

    /// Whether there is a newer commit, or none any more.
    pub(super) fn is_stale(&self) -> bool {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_none() || self.stamp() != seen
    }

    /// Notes that files are not as they were written, so that the next writer builds anew.
    pub(super) fn note_damage(&self) {
        if !self.damaged.swap(true, Ordering::Relaxed) {
            tracing::warn!("the search index on disk is damaged and will be built anew");
        }
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Compares the files with what was read of them, as far as that costs next to nothing.
    pub(super) fn inspect(&self) {
        let is_changed = || match self.compare() {
            Ok(is_same) => !is_same,
            // What cannot be looked at now may be as it was.
            Err(error) => !home::is_passing(&error),
        };
        // Twice, for another process may commit and remove files between reading their names and looking at them.
        if is_changed() && is_changed() {
            self.note_damage();
        }
    }

    /// Whether every file of the last commit is what was read of it.
    fn compare(&self) -> Result<bool, Error> {
        let metas = self.index.load_metas()?;
        ManagedDirectory::wrap(Box::new(self.files.clone()))?;
        for path in metas.list_segment_files() {
            if !self.files.is_unchanged(&path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the last commit. What of it is `known` is not opened again.
    pub(super) fn read(&self, known: &Disk, values: &Values) -> Result<Disk, Error> {
        let stamp = self.stamp().ok_or(Error::Lost)?;
        // So that nobody removes files between reading their names and opening them.
        let _meta = self
            .index
            .directory()
            .acquire_lock(&META_LOCK)
            .map_err(unlocked)?;
        let metas = self.index.load_metas()?;
        let mut segments = Vec::new();
        for segment in self.index.searchable_segments()? {
            let mut known = known.segments.iter().map(|stored| &stored.segment);
            let known = known.find(|known| known.reader.segment_id() == segment.id());
            let opened = if let Some(known) = known {
                Arc::clone(known)
            } else {
                let reader = SegmentReader::open(&segment)?;
                Arc::new(Segment::open(reader, &self.fields, values)?)
            };
            let deletes = segment.meta().has_deletes();
            let file = deletes.then(|| segment.open_read(SegmentComponent::Delete));
            let file = file.transpose()?;
            segments.push(Stored {
                deleted: file
                    .as_ref()
                    .map(|file| deleted(file, &opened))
                    .transpose()?,
                segment: opened,
                _file: file,
            });
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(stamp);
        let applied = metas.payload.and_then(|seq| seq.parse().ok());
        Ok(Disk {
            segments,
            applied: applied.unwrap_or(0),
        })
    }

    pub(super) fn write(&self, options: &Options) -> Result<IndexWriter, Error> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(options.write_memory.max(16_000_000))
            .build();
        let writer = self.index.writer_with_options(options);
        writer.map_err(|error| match error {
            TantivyError::LockFailure(error, _) => unlocked(error),
            error => error.into(),
        })
    }

    /// Judges why writing did not succeed: want of room, rights or descriptors passes, everything else is damage.
    pub(super) fn note_unwritten(&self, error: &Error) {
        let refused = self.files.take_refusal();
        if !refused && !home::is_passing(error) {
            self.note_damage();
        }
    }
}

fn unlocked(error: LockError) -> Error {
    match error {
        LockError::LockBusy => Error::Busy,
        LockError::IoError(_) => TantivyError::LockFailure(error, None).into(),
    }
}

/// What of a segment was deleted.
fn deleted(file: &FileSlice, segment: &Segment) -> Result<Arc<HiddenDocs>, Error> {
    let alive = AliveBitSet::open(file.read_bytes()?);
    let mut dead = HiddenDocs::clear(segment);
    for doc in (0..segment.reader.max_doc()).filter(|doc| alive.is_deleted(*doc)) {
        dead.hide(segment, doc);
    }
    Ok(Arc::new(dead))
}

/// Commits, noting the last change that is contained.
pub(super) fn commit(writer: &mut IndexWriter, seq: i64) -> Result<(), Error> {
    let mut commit = writer.prepare_commit()?;
    commit.set_payload(&seq.to_string());
    commit.commit()?;
    Ok(())
}

fn stamp(folder: &Path) -> Option<Stamp> {
    let file = fs::metadata(folder.join(META)).ok()?;
    Some((file.modified().ok()?, file.len(), file.ino()))
}
