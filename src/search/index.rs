//! The index as its users hold it: opening, taking up what was written, showing what is newest.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tantivy::tokenizer::TokenizerManager;

use super::access_filter::AccessFilters;
use super::answer::Splitters;
use super::built::{Built, Disk};
use super::home::{self, Home, is_damage};
use super::lag::Lag;
use super::layers::Layers;
use super::recent::{self, Batch, Recent};
use super::schema;
use super::snapshot::{Snapshot, Values};
use super::writer::Writer;
use super::{Document, Error};

/// How many changes may come after the last one on disk before they are written there.
const FAR: i64 = 10_000;

/// How the index is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much memory writing may take, in bytes; at least 16 MB are taken.
    pub write_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            write_memory: 32_000_000,
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
            .field("home", &self.shared.home.path)
            .finish_non_exhaustive()
    }
}

struct Shared {
    home: Home,
    options: Options,
    built: RwLock<Arc<Built>>,
    layers: Mutex<Layers>,
    /// What the layers are together, for queries.
    view: RwLock<Arc<Snapshot>>,
    values: Values,
    tokenizers: TokenizerManager,
    /// One refresh at a time.
    refreshing: Mutex<()>,
    /// One making-fewer of segments in memory at a time.
    thinning: Mutex<()>,
    splitters: Splitters,
    access_filters: AccessFilters,
    lag: Lag,
}

impl Index {
    /// Opens the index below a folder, or lays out an empty one.
    ///
    /// What is there but cannot be read (half-written, damaged, of another layout) is put aside: [`Self::applied`] is
    /// then 0, and everything has to be fed again.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, Error> {
        Self::open_home(Home::below(dir)?, options)
    }

    pub(super) fn open_home(home: Home, options: &Options) -> Result<Self, Error> {
        let values = Values::default();
        let (built, disk) = match open_current(&home, &values)? {
            Some(opened) => opened,
            None => open_or_create(&home, &values)?,
        };
        let mut layers = Layers::default();
        layers.replace_disk(disk)?;
        let view = layers.view(built.fields, built.schema.clone(), &values);
        Ok(Self {
            shared: Arc::new(Shared {
                home,
                options: options.clone(),
                built: RwLock::new(Arc::new(built)),
                layers: Mutex::new(layers),
                view: RwLock::new(Arc::new(view)),
                values,
                tokenizers: schema::tokenizers(),
                refreshing: Mutex::default(),
                thinning: Mutex::default(),
                splitters: Splitters::default(),
                access_filters: AccessFilters::default(),
                lag: Lag::default(),
            }),
        })
    }

    /// Notes when the first change was made that the index does not contain, if there is one.
    pub(super) fn note_lag(&self, missing_since: Option<DateTime<Utc>>) {
        let lag = &self.shared.lag;
        lag.note(self.applied(), missing_since, Instant::now());
    }

    /// Notes that the index is being written.
    pub(super) fn note_progress(&self) {
        self.shared.lag.note_progress(Instant::now());
    }

    /// For how long the index has not got any further though the catalog has; nothing when it keeps up.
    pub fn behind_for(&self) -> Option<Duration> {
        self.shared.lag.stuck_for(Instant::now())
    }

    /// When the first change was made that searches do not show yet; nothing when they show all.
    pub fn missing_since(&self) -> Option<DateTime<Utc>> {
        self.shared.lag.missing_since()
    }

    /// The last change that searches show; 0 when there is none or the folder is gone, so that everything has to be fed
    /// again, best through [`Writer::rebuild`].
    pub fn applied(&self) -> i64 {
        match self.built().stamp() {
            Some(_) => self.layers().applied(),
            None => 0,
        }
    }

    /// The last change that searches show, whatever has become of the folder.
    pub(super) fn shown(&self) -> i64 {
        self.layers().applied()
    }

    /// The last change that is on disk.
    pub fn written(&self) -> i64 {
        match self.built().stamp() {
            Some(_) => self.layers().disk.applied,
            None => 0,
        }
    }

    /// How many assets the index contains, those that are gone included.
    pub fn len(&self) -> u64 {
        self.view().len()
    }

    /// Whether the index contains no asset.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes up what has been committed since, by this process or another one. Costs next to nothing when nothing was.
    pub fn refresh(&self) -> Result<(), Error> {
        let refreshing = lock(&self.shared.refreshing);
        self.refresh_holding(&refreshing)
    }

    /// Takes up a commit of the build in use, unless somebody is at it: who searches does not wait for that, nor for
    /// another build to be opened, which the follower does.
    pub(super) fn take_up_if_free(&self) -> Result<(), Error> {
        let Ok(_refreshing) = self.shared.refreshing.try_lock() else {
            return Ok(());
        };
        let built = self.built();
        let is_current = self
            .shared
            .home
            .current()
            .is_some_and(|name| name == built.name);
        if is_current && built.is_stale() {
            return self.take_up(&built);
        }
        Ok(())
    }

    fn refresh_holding(&self, _: &MutexGuard<'_, ()>) -> Result<(), Error> {
        let built = self.built();
        let current = self.shared.home.current();
        if let Some(name) = current.filter(|name| *name != built.name) {
            let opened = Built::open(&self.shared.home, &name);
            let taken = opened.and_then(|opened| self.replace(opened));
            return taken.inspect_err(|error| {
                if !home::is_passing(error) {
                    built.note_damage();
                }
            });
        }
        if !built.is_stale() {
            return Ok(());
        }
        self.take_up(&built)
    }

    /// Takes up the last commit of this process.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let _refreshing = lock(&self.shared.refreshing);
        self.take_up(&self.built())
    }

    fn take_up(&self, built: &Built) -> Result<(), Error> {
        let known = self.layers().disk.clone();
        let taken = built
            .read(&known, &self.shared.values)
            .and_then(|disk| self.change(built, |layers| layers.replace_disk(disk)));
        taken.inspect_err(|error| {
            if is_damage(error) {
                built.note_damage();
            }
        })
    }

    /// Becomes the one writer of this index, until it is dropped.
    ///
    /// [`Error::Busy`] when somebody else is, in this process or another one.
    pub fn writer(&self) -> Result<Writer, Error> {
        self.shared.home.make()?;
        let lock = self.shared.home.lock_writing()?;
        match self.refresh() {
            // The writer can build it again.
            Ok(()) => {}
            Err(error) if is_damage(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(Writer::new(self.clone(), lock))
    }

    /// Whether the index on disk has to be built anew because it is not what was written.
    pub(super) fn is_damaged(&self) -> bool {
        let built = self.built();
        let is_current = self
            .shared
            .home
            .current()
            .is_some_and(|name| name == built.name);
        built.is_damaged() || built.stamp().is_none() || !is_current
    }

    /// Looks whether the files on disk are what was written.
    pub(super) fn inspect(&self) {
        self.built().inspect();
    }

    /// Shows documents that were read as of a change at once, from memory.
    pub(super) fn hold(&self, documents: Vec<Document>, as_of: i64) -> Result<(), Error> {
        if documents.is_empty() {
            return Ok(());
        }
        let built = self.built();
        let batch = self.write_in_memory(documents.into_iter().map(Arc::new).collect())?;
        let held = self.change(&built, |layers| layers.hold(batch, as_of));
        self.note_if_damaged(&held);
        held
    }

    /// Makes segments in memory fewer when there are many.
    pub(super) fn thin(&self) -> Result<(), Error> {
        let _thinning = lock(&self.shared.thinning);
        let Some(documents) = self.layers().recent.crowded() else {
            return Ok(());
        };
        let batch = self.write_in_memory(documents)?;
        self.change(&self.built(), |layers| {
            layers.recent.thin(batch);
            Ok(())
        })
    }

    fn write_in_memory(&self, documents: Vec<Arc<Document>>) -> Result<Batch, Error> {
        let Shared {
            tokenizers, values, ..
        } = &*self.shared;
        recent::write(documents, &self.built().fields, tokenizers, values)
    }

    /// Notes that disk and memory contain every change up to this one.
    pub(super) fn follow_to(&self, applied: i64) {
        self.layers().follow_to(applied);
    }

    /// Forgets what is only in memory.
    pub(super) fn forget(&self) -> Result<(), Error> {
        self.change(&self.built(), |layers| {
            layers.forget();
            Ok(())
        })
    }

    /// Whether it is time to write to disk what is only in memory.
    pub(super) fn is_due(&self) -> bool {
        let layers = self.layers();
        layers.recent.is_due(Instant::now()) || layers.applied() - layers.disk.applied >= FAR
    }

    /// Asks what is only in memory.
    pub(super) fn recent<T>(&self, ask: impl FnOnce(&Recent) -> T) -> T {
        ask(&self.layers().recent)
    }

    /// Has the index built anew when an error says that its files are damaged.
    pub(super) fn note_if_damaged<T>(&self, outcome: &Result<T, Error>) {
        if let Err(error) = outcome
            && is_damage(error)
        {
            self.built().note_damage();
        }
    }

    /// Changes the layers, and shows them to queries.
    fn change(
        &self,
        built: &Built,
        change: impl FnOnce(&mut Layers) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut layers = self.layers();
        let changed = change(&mut layers);
        let view = layers.view(built.fields, built.schema.clone(), &self.shared.values);
        let mut shown = self
            .shared
            .view
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *shown = Arc::new(view);
        changed
    }

    pub(super) fn splitters(&self) -> &Splitters {
        &self.shared.splitters
    }

    pub(super) fn access_filters(&self) -> &AccessFilters {
        &self.shared.access_filters
    }

    pub(super) fn home(&self) -> &Home {
        &self.shared.home
    }

    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(super) fn built(&self) -> Arc<Built> {
        let built = self.shared.built.read();
        Arc::clone(&built.unwrap_or_else(PoisonError::into_inner))
    }

    fn layers(&self) -> MutexGuard<'_, Layers> {
        lock(&self.shared.layers)
    }

    pub(super) fn view(&self) -> Arc<Snapshot> {
        let view = self.shared.view.read();
        Arc::clone(&view.unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a build that was just finished in the place of the one in use.
    pub(super) fn take_over(&self, built: Built) -> Result<(), Error> {
        let _refreshing = lock(&self.shared.refreshing);
        self.replace(built)
    }

    fn replace(&self, built: Built) -> Result<(), Error> {
        let disk = built.read(&Disk::default(), &self.shared.values)?;
        let built = Arc::new(built);
        *self
            .shared
            .built
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::clone(&built);
        self.change(&built, |layers| layers.replace_disk(disk))
    }
}

/// Opens what is in use; `None` when there is nothing that can be read.
fn open_current(home: &Home, values: &Values) -> Result<Option<(Built, Disk)>, Error> {
    let Some(name) = home.current() else {
        return Ok(None);
    };
    let opened = Built::open(home, &name).and_then(|built| {
        let disk = built.read(&Disk::default(), values)?;
        Ok((built, disk))
    });
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(Error::Busy) => Err(Error::Busy),
        Err(error) => {
            tracing::warn!(%error, "the search index cannot be read and will be built anew");
            Ok(None)
        }
    }
}

/// Opens what another process may have laid out meanwhile, or lays it out.
fn open_or_create(home: &Home, values: &Values) -> Result<(Built, Disk), Error> {
    let _layout = home.lock_layout()?;
    if let Some(opened) = open_current(home, values)? {
        return Ok(opened);
    }
    let built = Built::create(home)?;
    let disk = built.read(&Disk::default(), values)?;
    home.point_to(&built.name)?;
    Ok((built, disk))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
