//! Connections, transactions, paging and the change log; what differs between SQLite and Postgres stays in here.
//!
//! There is one writer of the catalog at a time, on both databases: [`Db::write`] waits for its turn, within a limit.
//! That makes the order of the change log the order of the commits, and lets a write look before it leaps. Readers
//! never wait. Deliberately absent: queries. They are in the `store.rs` files.

mod apart;
mod change_groups;
pub mod changes;
pub(crate) mod clock;
mod connect;
pub(crate) mod entity;
mod error;
mod file;
mod holder;
pub(crate) mod lease;
mod migrate;
mod page;
mod pieces;
mod statements;
mod subject;
mod write;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, TransactionTrait as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

pub use apart::{Apart, Busy};
pub use error::{Cause, Error, for_everybody, kind_of};
pub use page::{BadCursor, Cursor, Page, PageRequest};
pub(crate) use page::{Cut, within_bytes};
pub(crate) use pieces::pieces;
pub use statements::{Reads, Statements};
pub use subject::Subject;
pub use write::Txn;

use connect::Spoiled;
use file::File;
use write::Queue;

/// The catalog's database.
#[derive(Debug, Clone)]
pub struct Db {
    reads: Reads,
    shared: Arc<Shared>,
    /// How long a write waits for its turn.
    patience: Duration,
    apart: Apart,
}

/// What all clones of a [`Db`] have in common.
#[derive(Debug)]
struct Shared {
    url: SecretString,
    queue: Queue,
    spoiled: Spoiled,
    /// The file of a SQLite database.
    file: Option<File>,
    keeper: Mutex<Option<SqliteConnection>>,
}

impl Db {
    /// Connects to `sqlite:` or `postgres:`; a SQLite file is created, its folder is not.
    pub async fn connect(url: &SecretString) -> Result<Self, Error> {
        Self::open(url, true).await
    }

    /// Connects to a database that is there; a SQLite file is not created.
    pub async fn connect_to_existing(url: &SecretString) -> Result<Self, Error> {
        Self::open(url, false).await
    }

    async fn open(url: &SecretString, create: bool) -> Result<Self, Error> {
        let spoiled = Spoiled::default();
        let address = url.expose_secret();
        let (reads, file, keeper) = if address.starts_with("sqlite:") {
            let sqlite = connect::sqlite(address, create, &spoiled).await?;
            let reads = Reads::of_sqlite(sqlite.connection, sqlite.file.clone());
            (reads, sqlite.file, Some(sqlite.keeper))
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            let postgres = connect::postgres(address, &spoiled).await?;
            let reads = Reads::of_postgres(postgres.connection, postgres.pooler);
            (reads, None, None)
        } else {
            return Err(Error::UnknownScheme);
        };
        Ok(Self {
            reads,
            shared: Arc::new(Shared {
                url: url.clone(),
                queue: Queue::default(),
                spoiled,
                file,
                keeper: Mutex::new(keeper),
            }),
            patience: write::PATIENCE,
            apart: Apart::start(),
        })
    }

    /// The same database for work that nobody waits for: its writes wait longer for their turn, and say so in the log.
    pub fn patient(&self) -> Self {
        Self {
            patience: write::LONG_PATIENCE,
            ..self.clone()
        }
    }

    /// Where to do what keeps a processor busy.
    pub fn apart(&self) -> &Apart {
        &self.apart
    }

    /// Says which database this is, in words.
    pub fn product(&self) -> &'static str {
        match self.backend() {
            DbBackend::Postgres => "Postgres",
            _ => "SQLite",
        }
    }

    /// Has every connection closed instead of used again.
    ///
    /// A connection ends with the runtime of the thread that opened it, and the pool does not know.
    pub fn renew_connections(&self) {
        self.shared.spoiled.now();
    }

    /// Closes every connection; on SQLite this folds the write-ahead log into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.reads.whole().clone().close().await?;
        if let Some(keeper) = self.shared.keeper.lock().await.take() {
            // The log is folded in by whoever opens the file next, if it cannot be now.
            drop(keeper.close().await);
        }
        Ok(())
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.reads.get_database_backend()
    }

    /// Begins a transaction that does not wait for its turn.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        match self.reads.behind_pooler().await? {
            Some(txn) => Ok(txn),
            None => self.reads.whole().begin().await,
        }
    }
}

impl Deref for Db {
    type Target = Reads;

    fn deref(&self) -> &Reads {
        &self.reads
    }
}

/// Text as both databases can store it: Postgres has no character zero.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
