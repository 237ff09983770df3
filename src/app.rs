//! Builds everything once, from configuration: the database at its newest schema, the index of that database, the runner.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config;
use crate::db::{self, Db, changes};
use crate::error::{Explain, Kind, chain};
use crate::ingest::{Recipes, Runner};
use crate::scheduler::{self, Scheduler};
use crate::search::{self, Index, follow};

/// How long a start waits for another one that brings the schema up to date.
const MIGRATION: Duration = Duration::from_secs(20);

/// How often it looks meanwhile.
const GLANCE: Duration = Duration::from_millis(50);

/// Everything that a command works with.
#[derive(Debug, Clone)]
pub struct App {
    pub db: Db,
    pub index: Index,
    pub runner: Runner,
    /// Told when something was written to the catalog.
    pub written: Arc<Notify>,
}

impl App {
    /// Opens the catalog, bringing its schema up to date, and its index.
    pub async fn open(storage: &config::Storage, recipes: Recipes) -> Result<Self, Error> {
        let db = Self::connect(storage).await?;
        Self::migrate(&db, storage).await?;
        db.refuse_damage()
            .await
            .map_err(|cause| Error::Catalog(cause.into()))?;
        Self::over(db, storage, recipes).await
    }

    /// Opens the index of a database whose schema is up to date, and what else is needed beside it.
    pub async fn over(db: Db, storage: &config::Storage, recipes: Recipes) -> Result<Self, Error> {
        // Every database has an index of its own, so that words of another one never turn up.
        let catalog = changes::catalog(&*db)
            .await
            .map_err(|cause| Error::Catalog(cause.into()))?;
        let dir = storage.index_dir().join(catalog.to_string());
        if !dir.exists() && has_entries(&storage.index_dir()) {
            warn!(
                "the data folder holds the search index of another catalog and none of this one: if its database was \
                 deleted or replaced by mistake, put it back"
            );
        }
        let index = Index::open(&dir, &search::Options::default())?;
        let written = Arc::new(Notify::new());
        let runner = Runner::new(db.clone(), recipes, Arc::clone(&written));
        Ok(Self {
            db,
            index,
            runner,
            written,
        })
    }

    /// Connects to the catalog's database as it is, making the data folder if need be.
    pub async fn connect(storage: &config::Storage) -> Result<Db, Error> {
        let dir = storage.data_dir();
        std::fs::create_dir_all(dir)
            .map_err(|cause| Error::DataDir(dir.display().to_string(), cause))?;
        Ok(Db::connect(&storage.database_url()).await?)
    }

    /// Connects to the catalog's database as it is, and makes nothing.
    pub async fn connect_to_existing(storage: &config::Storage) -> Result<Db, Error> {
        Ok(Db::connect_to_existing(&storage.database_url()).await?)
    }

    /// Brings the schema up to date, one process of this data folder after the other.
    pub async fn migrate(db: &Db, storage: &config::Storage) -> Result<(), Error> {
        if db.pending_migrations().await? == 0 {
            return Ok(());
        }
        let dir = storage.data_dir();
        let unlocked = |cause| Error::DataDir(dir.display().to_string(), cause);
        let lock = File::create(dir.join("migrate.lock")).map_err(unlocked)?;
        let deadline = Instant::now() + MIGRATION;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(GLANCE).await,
                Err(TryLockError::WouldBlock) => {
                    let other = "Another process of this data folder".to_owned();
                    return Err(db::Error::MigratedByAnother(other).into());
                }
                Err(TryLockError::Error(cause)) => return Err(unlocked(cause)),
            }
        }
        Ok(db.migrate().await?)
    }

    /// Closes the database; on SQLite that tidies up its files.
    pub async fn close(self) {
        if let Err(unclosed) = self.db.close().await {
            warn!("the database was not closed: {}", chain(&unclosed));
        }
    }

    /// Starts what a server does beside answering: the index follows the catalog, recipes run at their times.
    pub async fn start_background(&self) -> Result<Background, Error> {
        if let Err(unwritten) = self.runner.end_abandoned().await {
            warn!("abandoned runs could not be ended: {}", chain(&unwritten));
        }
        self.db.start_check();
        let scheduler = Scheduler::start(self.runner.clone()).await?;
        Ok(Background {
            follower: self.start_following(),
            scheduler,
            runner: self.runner.clone(),
            db: self.db.clone(),
        })
    }

    /// Starts to keep the index up with the catalog.
    pub fn start_following(&self) -> Follower {
        let stop = CancellationToken::new();
        let (db, index, written) = (
            self.db.clone(),
            self.index.clone(),
            Arc::clone(&self.written),
        );
        let task = tokio::spawn(follow::follow(db, index, written, stop.clone()));
        Follower { task, stop }
    }
}

fn has_entries(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// The index, while it follows the catalog.
#[derive(Debug)]
pub struct Follower {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Follower {
    /// Stops once what is being written to the index is committed.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(broken) = self.task.await {
            warn!("following the catalog ended unexpectedly: {broken}");
        }
    }
}

/// How long the end of the server waits for the index, which can catch up at the next start.
const LAST_COMMIT: Duration = Duration::from_secs(5);

/// What a server does beside answering.
pub struct Background {
    follower: Follower,
    scheduler: Scheduler,
    runner: Runner,
    db: Db,
}

impl Background {
    /// Starts nothing new, lets runs write down that they were interrupted, and returns when all is quiet.
    pub async fn stop(self) {
        // What is still to be written needs none of the connections that the server's threads opened and took along.
        self.db.renew_connections();
        if let Err(stuck) = self.scheduler.stop().await {
            warn!("{}", chain(&stuck));
        }
        self.runner.stop().await;
        // An index that is still busy then catches up after the next start.
        drop(tokio::time::timeout(LAST_COMMIT, self.follower.stop()).await);
    }
}

/// Why the catalog cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("The data folder “{0}” could not be made or written.")]
    DataDir(String, #[source] std::io::Error),
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error("The catalog in the database could not be read.")]
    Catalog(#[source] db::Cause),
    #[error(transparent)]
    Search(#[from] search::Error),
    #[error(transparent)]
    Scheduler(#[from] scheduler::Error),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::DataDir(..) => Kind::Invalid,
            Self::Database(error) => error.kind(),
            Self::Catalog(cause) => db::kind_of(&cause.0),
            Self::Search(error) => error.kind(),
            Self::Scheduler(_) => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::DataDir(..) => Some("Choose another one with --data-dir or GAZETTEER_DATA_DIR."),
            Self::Database(error) => error.hint(),
            Self::Search(error) => error.hint(),
            Self::Catalog(_) | Self::Scheduler(_) => None,
        }
    }
}
