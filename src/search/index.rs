//! The index on disk: opening, searching, writing, building anew.
//!
//! Below the index folder there is one folder for each layout of the index, in it one folder for each time that it was
//! built, and a file that names the one to use. A new one is therefore built beside the old one and takes its place
//! by replacing that file. Another process that has the old one open notices at its next search.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tantivy::directory::error::LockError;
use tantivy::directory::{DirectoryLock, Lock, MmapDirectory};
use tantivy::indexer::IndexWriterOptions;
use tantivy::schema::Value;
use tantivy::{Directory, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use uuid::Uuid;

use super::document::Texts;
use super::explain::Marker;
use super::lag::Lag;
use super::outlook::Outlook;
use super::plan::Plan;
use super::query::{Narrowing, Typed};
use super::rank::{Place, rank};
use super::schema::{self, Fields};
use super::veil::{Veil, Veils};
use super::view::{Known, View};
use super::words::Splitter;
use super::{Answer, Document, Error, Hit, MOST_HITS, Query};
use crate::auth::Sight;
use crate::catalog::AssetId;
use crate::db::Db;

/// Names the folder in use.
const CURRENT: &str = "current";

/// Held by the one process that writes.
const WRITER_LOCK: &str = "writer.lock";

/// Held while folders are laid out or exchanged.
const LAYOUT_LOCK: &str = "layout.lock";

/// What tantivy replaces with every commit.
const META: &str = "meta.json";

/// How many splitters are kept for the next query.
const SPLITTERS: usize = 8;

/// How the index is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much memory writing may take, in bytes; at least 16 MB are taken.
    pub write_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            write_memory: 50_000_000,
        }
    }
}

/// The index of one data folder. Clones are handles of the same index.
#[derive(Clone)]
pub struct Index {
    shared: Arc<Shared>,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("home", &self.shared.home)
            .finish_non_exhaustive()
    }
}

struct Shared {
    /// The folder of this layout.
    home: PathBuf,
    options: Options,
    built: RwLock<Arc<Built>>,
    /// One refresh at a time.
    refreshing: Mutex<()>,
    splitters: Mutex<Vec<Splitter>>,
    veils: Veils,
    lag: Lag,
}

/// One time that the index was built, opened.
struct Built {
    name: String,
    folder: PathBuf,
    fields: Fields,
    index: tantivy::Index,
    reader: IndexReader,
    seen: RwLock<Seen>,
}

/// The committed state in use.
struct Seen {
    view: Arc<View>,
    known: Known,
    /// When the state was written, as far as the file system tells.
    stamp: Option<Stamp>,
}

type Stamp = (SystemTime, u64);

impl Index {
    /// Opens the index below a folder, or lays out an empty one.
    ///
    /// What is there but cannot be read (half-written, damaged, of another layout) is put aside: [`Self::applied`] is
    /// then 0, and everything has to be fed again.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        let home = dir.join(schema::fingerprint());
        fs::create_dir_all(&home)?;
        let built = match current(&home).and_then(|name| Built::open(&home, &name).ok()) {
            Some(built) => built,
            None => open_or_create(&home)?,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                home,
                options: options.clone(),
                built: RwLock::new(Arc::new(built)),
                refreshing: Mutex::new(()),
                splitters: Mutex::new(Vec::new()),
                veils: Veils::default(),
                lag: Lag::default(),
            }),
        })
    }

    /// What somebody does not see now, for [`Self::search`]; asks the database whether that has changed.
    pub async fn veil(&self, db: &Db, sight: &Sight) -> Result<Veil, Error> {
        self.shared.veils.of(db, sight).await
    }

    /// Finds what a query asks for, under a veil. Takes milliseconds and does not wait for writers.
    ///
    /// Answers from what is open even when its folder is gone; [`Self::applied`] tells.
    pub fn search(&self, query: &Query, veil: &Veil) -> Result<Answer, Error> {
        let started = Instant::now();
        let mut answer = self.find(query, veil, false)?;
        answer.took = started.elapsed();
        Ok(answer)
    }

    /// Notes whether the index contains all changes there are, for [`Self::behind_for`].
    pub(super) fn note_lag(&self, is_all: bool) {
        self.shared.lag.note(self.applied(), is_all, Instant::now());
    }

    /// For how long the index has not got any further though the catalog has; nothing when it keeps up.
    pub fn behind_for(&self) -> Option<Duration> {
        self.shared.lag.standing_for(Instant::now())
    }

    /// Finds assets by the beginning of what is being typed, for a list below the field.
    pub fn suggest(&self, text: &str, limit: usize, veil: &Veil) -> Result<Vec<Hit>, Error> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let query = Query {
            limit,
            ..Query::words(text)
        };
        Ok(self.find(&query, veil, true)?.hits)
    }

    /// The last change that the index contains; 0 when it contains nothing or its folder is gone, so that everything
    /// has to be fed again, best through [`Writer::rebuild`].
    pub fn applied(&self) -> i64 {
        let built = self.built();
        match built.stamp() {
            Some(_) => built.view().applied,
            None => 0,
        }
    }

    /// How many assets the index contains, those that are gone included.
    pub fn len(&self) -> u64 {
        self.built().view().len()
    }

    /// Whether the index contains no asset.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes up what has been committed since, by this process or another one. Costs next to nothing when nothing was.
    pub fn refresh(&self) -> Result<(), Error> {
        let _refreshing = lock(&self.shared.refreshing);
        let built = self.built();
        if let Some(name) = current(&self.shared.home)
            && name != built.name
        {
            self.replace(Built::open(&self.shared.home, &name)?);
            return Ok(());
        }
        if built.is_stale() {
            built.reload()
        } else {
            Ok(())
        }
    }

    /// Becomes the one writer of this index, until it is dropped.
    ///
    /// [`Error::Busy`] when somebody else is, in this process or another one.
    pub fn writer(&self) -> Result<Writer, Error> {
        fs::create_dir_all(&self.shared.home)?;
        let lock = acquire(&self.shared.home, WRITER_LOCK, false)?;
        match self.refresh() {
            // Whoever writes can build it again.
            Ok(()) | Err(Error::Lost) => {}
            Err(error) => return Err(error),
        }
        Ok(Writer {
            index: self.clone(),
            inner: None,
            _lock: lock,
        })
    }

    fn find(&self, query: &Query, veil: &Veil, typing: bool) -> Result<Answer, Error> {
        if self.built().is_stale() {
            // What is open still answers; whoever follows the log sees that it is lost.
            if let Err(error) = self.refresh() {
                tracing::debug!(%error, "the search index could not be refreshed");
            }
        }
        let view = Outlook::new(self.built().view(), veil)?;
        let mut splitter = lock(&self.shared.splitters).pop().unwrap_or_default();
        let answer = answer(&view, &mut splitter, query, typing);
        let mut splitters = lock(&self.shared.splitters);
        if splitters.len() < SPLITTERS {
            splitters.push(splitter);
        }
        answer
    }

    fn built(&self) -> Arc<Built> {
        Arc::clone(
            &self
                .shared
                .built
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn replace(&self, built: Built) {
        let mut present = self
            .shared
            .built
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *present = Arc::new(built);
    }
}

fn answer(
    view: &Outlook,
    splitter: &mut Splitter,
    query: &Query,
    typing: bool,
) -> Result<Answer, Error> {
    let typed = Typed::read(&query.text);
    let plan = Plan::new(view, splitter, &typed, typing)?;
    let limit = query.limit.min(MOST_HITS);
    let narrowing = Narrowing::of(query, &typed);
    let keep = query.offset.saturating_add(limit);
    let ranking = rank(view, &plan, &narrowing, keep)?;
    let mut marker = Marker::new(splitter, &plan);
    let page = ranking.best.iter().skip(query.offset).take(limit);
    let hits = page
        .map(|place| hit(&view.view, &mut marker, place))
        .collect::<Result<_, _>>()?;
    Ok(Answer {
        total: ranking.total,
        took: Duration::ZERO,
        hits,
        facets: ranking.facets,
        left_out: plan.left_out,
        read_as: plan.read_as,
    })
}

fn hit(view: &View, marker: &mut Marker<'_>, place: &Place) -> Result<Hit, Error> {
    let texts = view.texts(place.segment, place.doc)?;
    Ok(Hit {
        id: AssetId(texts.id),
        score: place.score,
        matched: marker.explain(&texts),
    })
}

impl View {
    fn texts(&self, segment: usize, doc: tantivy::DocId) -> Result<Texts, Error> {
        let segment = u32::try_from(segment).unwrap_or(u32::MAX);
        let found: TantivyDocument = self.searcher.doc(tantivy::DocAddress::new(segment, doc))?;
        let stored = found.get_first(self.fields.stored);
        let bytes = stored
            .as_ref()
            .and_then(Value::as_bytes)
            .unwrap_or_default();
        serde_json::from_slice(bytes).map_err(|error| Error::Folder(io::Error::from(error)))
    }
}

impl Built {
    fn create(home: &Path) -> Result<Self, Error> {
        let name = Uuid::now_v7().simple().to_string();
        let folder = home.join(&name);
        fs::create_dir_all(&folder)?;
        let (layout, _) = schema::lay_out();
        tantivy::Index::create_in_dir(&folder, layout)?;
        Self::open(home, &name)
    }

    fn open(home: &Path, name: &str) -> Result<Self, Error> {
        let folder = home.join(name);
        let (layout, fields) = schema::lay_out();
        let directory = MmapDirectory::open(&folder).map_err(tantivy::TantivyError::from)?;
        let index = tantivy::Index::open(directory)?;
        if index.schema() != layout || !index.validate_checksum()?.is_empty() {
            return Err(Error::Lost);
        }
        schema::equip(&index);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(32)
            .try_into()?;
        let stamp = stamp(&folder);
        let mut known = Known::new();
        let view = view(&index, &reader, fields, &mut known)?;
        let seen = Seen {
            view: Arc::new(view),
            known,
            stamp,
        };
        Ok(Self {
            name: name.to_owned(),
            folder,
            fields,
            index,
            reader,
            seen: RwLock::new(seen),
        })
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(
            &self
                .seen
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .view,
        )
    }

    fn stamp(&self) -> Option<Stamp> {
        stamp(&self.folder)
    }

    /// Whether there is a newer state, or none any more.
    fn is_stale(&self) -> bool {
        let seen = self
            .seen
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .stamp;
        seen.is_none() || self.stamp() != seen
    }

    /// Takes up the last commit.
    fn reload(&self) -> Result<(), Error> {
        let Some(stamp) = self.stamp() else {
            return Err(Error::Lost);
        };
        self.reader.reload()?;
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let mut known = std::mem::take(&mut seen.known);
        let view = view(&self.index, &self.reader, self.fields, &mut known)?;
        seen.view = Arc::new(view);
        seen.known = known;
        seen.stamp = Some(stamp);
        Ok(())
    }

    fn write(&self, options: &Options) -> Result<IndexWriter, Error> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(options.write_memory.max(16_000_000))
            .build();
        Ok(self.index.writer_with_options(options)?)
    }
}

/// Commits, noting the last change that is contained.
fn commit(writer: &mut IndexWriter, seq: i64) -> Result<(), Error> {
    let mut commit = writer.prepare_commit()?;
    commit.set_payload(&seq.to_string());
    commit.commit()?;
    Ok(())
}

fn view(
    index: &tantivy::Index,
    reader: &IndexReader,
    fields: Fields,
    known: &mut Known,
) -> Result<View, Error> {
    let applied = index.load_metas()?.payload.and_then(|seq| seq.parse().ok());
    View::new(reader.searcher(), fields, applied.unwrap_or(0), known)
}

fn stamp(folder: &Path) -> Option<Stamp> {
    let file = fs::metadata(folder.join(META)).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// The name of the folder in use.
fn current(home: &Path) -> Option<String> {
    let name = fs::read_to_string(home.join(CURRENT)).ok()?;
    let name = name.trim();
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_hexdigit())).then(|| name.to_owned())
}

/// Opens what another process may have laid out meanwhile, or lays it out.
fn open_or_create(home: &Path) -> Result<Built, Error> {
    let _layout = acquire(home, LAYOUT_LOCK, true)?;
    if let Some(built) = current(home).and_then(|name| Built::open(home, &name).ok()) {
        return Ok(built);
    }
    let built = Built::create(home)?;
    point_to(home, &built.name)?;
    Ok(built)
}

/// Makes a folder the one in use, at once or not at all.
fn point_to(home: &Path, name: &str) -> Result<(), Error> {
    let draft = home.join(format!("{CURRENT}.{name}"));
    fs::write(&draft, name)?;
    fs::File::open(&draft)?.sync_all()?;
    fs::rename(&draft, home.join(CURRENT))?;
    Ok(())
}

/// Removes what is no longer in use: other builds, and other layouts of the index.
fn tidy(home: &Path, name: &str) {
    let siblings = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect::<Vec<_>>()
    };
    let mut unused = siblings(home);
    unused.retain(|path| path.file_name().is_some_and(|file| file != name));
    if let Some(dir) = home.parent() {
        let layouts = siblings(dir).into_iter();
        unused.extend(layouts.filter(|path| path != home && is_layout(path)));
    }
    for folder in &unused {
        remove(folder);
    }
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(%error, "could not remove an index that is not in use");
    }
}

/// Whether a folder is named like one of a layout: `v1-0123abcd`.
fn is_layout(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.strip_prefix('v')
        .and_then(|name| name.split_once('-'))
        .is_some_and(|(version, digest)| {
            !version.is_empty()
                && version.bytes().all(|byte| byte.is_ascii_digit())
                && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

fn acquire(home: &Path, file: &str, wait: bool) -> Result<DirectoryLock, Error> {
    let directory = MmapDirectory::open(home).map_err(tantivy::TantivyError::from)?;
    let lock = Lock {
        filepath: PathBuf::from(file),
        is_blocking: wait,
    };
    directory.acquire_lock(&lock).map_err(|error| match error {
        LockError::LockBusy => Error::Busy,
        LockError::IoError(cause) => Error::Folder(io::Error::other(cause)),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A change of one asset, as the index has to follow it.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number in the change log.
    pub seq: i64,
    pub id: AssetId,
    /// The asset as it is now; `None` when it shall no longer be found.
    pub document: Option<Document>,
}

/// The one writer of an index. Nothing it does is found before it commits.
///
/// After an error nothing since the last commit has happened: go on from [`Index::applied`].
pub struct Writer {
    index: Index,
    inner: Option<(Arc<Built>, IndexWriter)>,
    _lock: DirectoryLock,
}

impl Writer {
    /// Replaces the documents of these assets; doing it twice is doing it once. Answers how many there were.
    pub fn apply(&mut self, batch: impl IntoIterator<Item = Change>) -> Result<usize, Error> {
        self.attempt(|built, writer| {
            let mut count = 0;
            for change in batch {
                count += 1;
                let id = Term::from_field_bytes(built.fields.id, change.id.0.as_bytes());
                writer.delete_term(id);
                if let Some(document) = change.document {
                    writer.add_document(document.lay_out(&built.fields))?;
                }
            }
            Ok(count)
        })
    }

    /// Makes findable what was applied, here at once and elsewhere at the next search, and notes the last change that
    /// it contains.
    pub fn commit(&mut self, seq: i64) -> Result<(), Error> {
        self.attempt(|built, writer| {
            commit(writer, seq)?;
            built.reload()
        })
    }

    /// Forgets every document, with the next commit.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.attempt(|_, writer| {
            writer.delete_all_documents()?;
            Ok(())
        })
    }

    /// Starts building the index anew beside the present one, which goes on answering until [`Rebuild::finish`].
    ///
    /// What was applied but not committed is dropped.
    pub fn rebuild(&mut self) -> Result<Rebuild<'_>, Error> {
        self.inner = None;
        let home = &self.index.shared.home;
        fs::create_dir_all(home)?;
        let built = Built::create(home)?;
        let writer = built.write(&self.index.shared.options)?;
        Ok(Rebuild {
            index: &self.index,
            parts: Some((built, writer)),
        })
    }

    /// Does something with the writer of the index in use; after an error a new one is made next time.
    fn attempt<T>(
        &mut self,
        act: impl FnOnce(&Built, &mut IndexWriter) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let present = self.index.built();
        if present.stamp().is_none() {
            self.inner = None;
            return Err(Error::Lost);
        }
        let (built, mut writer) = match self.inner.take() {
            Some(inner) if Arc::ptr_eq(&inner.0, &present) => inner,
            _ => {
                let writer = present.write(&self.index.shared.options)?;
                (present, writer)
            }
        };
        let done = act(&built, &mut writer)?;
        self.inner = Some((built, writer));
        Ok(done)
    }
}

/// An index being built beside the one that answers. Dropped unfinished, it leaves no trace.
pub struct Rebuild<'w> {
    index: &'w Index,
    parts: Option<(Built, IndexWriter)>,
}

impl Rebuild<'_> {
    /// Adds documents; each asset only once in all. Answers how many there were.
    pub fn add(&mut self, documents: impl IntoIterator<Item = Document>) -> Result<usize, Error> {
        let (built, writer) = self.parts.as_ref().ok_or(Error::Lost)?;
        let mut count = 0;
        for document in documents {
            count += 1;
            writer.add_document(document.lay_out(&built.fields))?;
        }
        Ok(count)
    }

    /// Puts the new index in the place of the old one; `seq` is the last change that it contains.
    pub fn finish(mut self, seq: i64) -> Result<(), Error> {
        let (built, mut writer) = self.parts.take().ok_or(Error::Lost)?;
        let home = &self.index.shared.home;
        let finished = commit(&mut writer, seq)
            .and_then(|()| Ok(writer.wait_merging_threads()?))
            .and_then(|()| built.reload())
            .and_then(|()| {
                let _layout = acquire(home, LAYOUT_LOCK, true)?;
                point_to(home, &built.name)
            });
        match finished {
            Ok(()) => {
                let name = built.name.clone();
                self.index.replace(built);
                tidy(home, &name);
                Ok(())
            }
            Err(error) => {
                remove(&built.folder);
                Err(error)
            }
        }
    }
}

impl Drop for Rebuild<'_> {
    fn drop(&mut self) {
        if let Some((built, writer)) = self.parts.take() {
            drop(writer);
            remove(&built.folder);
        }
    }
}
