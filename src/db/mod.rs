//! Connections, transactions, paging and the change log; what differs between SQLite and Postgres stays in here.
//!
//! There is one writer of the catalog at a time, on both databases: [`Db::write`] waits for its turn. That makes the
//! order of the change log the order of the commits, and lets a write look before it leaps. Readers never wait.
//! Deliberately absent: queries. They are in the `store.rs` files.

pub mod changes;
pub(crate) mod clock;
pub(crate) mod entity;
pub(crate) mod lease;
mod page;

use std::future::Future;
use std::ops::Deref;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use migrations::Migrator;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx,
};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{Explain, Kind};

pub use page::{BadCursor, Cursor, Page, PageRequest};

/// The advisory lock that makes replicas migrate one after the other; any number will do.
const MIGRATION_LOCK: i64 = 0x6761_7a65_7474;

/// How long a query waits for a connection before the database counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long anybody waits for a note.
const NOTING: Duration = Duration::from_millis(250);

/// The catalog's database.
#[derive(Debug, Clone)]
pub struct Db {
    connection: DatabaseConnection,
    /// Makes writers of this process queue up in order instead of racing for SQLite's one lock.
    turn: Arc<Mutex<()>>,
}

impl Db {
    /// Connects to `sqlite:` or `postgres:`; a SQLite file is created, its folder is not.
    pub async fn connect(url: &SecretString) -> Result<Self, Error> {
        let url = url.expose_secret();
        let mut options = ConnectOptions::new(url);
        options
            .sqlx_logging(false)
            .connect_timeout(PATIENCE)
            .acquire_timeout(PATIENCE)
            .max_connections(16)
            .map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // A change that was answered with success outlives a power cut.
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(Duration::from_secs(30))
                    .pragma("cache_size", "-16000")
                    // Several rows fit on a page, documents and all.
                    .page_size(16_384)
                    // 64 MiB of log before it is folded into the file: a first load does so seldom.
                    .pragma("wal_autocheckpoint", "4000")
                    // Rows are handed over between threads; fewer hand-overs of more rows are quicker.
                    .row_buffer_size(1_000)
                    .foreign_keys(true)
            });
        // What cannot be read is refused here: the database's own words about it repeat the password.
        let readable = if url.starts_with("sqlite:") {
            options.max_connections(4);
            SqliteConnectOptions::from_str(url).is_ok()
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            PgConnectOptions::from_str(url).is_ok()
        } else {
            return Err(Error::UnknownScheme);
        };
        if !readable {
            return Err(Error::UnreadableAddress);
        }
        let connection = Database::connect(options).await.map_err(Error::Connect)?;
        Ok(Self {
            connection,
            turn: Arc::default(),
        })
    }

    /// Brings the schema up to date. Several processes may do so at once; a newer schema is refused.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.refuse_newer_schema().await?;
        if self.backend() != DbBackend::Postgres {
            return Migrator::up(&self.connection, None)
                .await
                .map_err(Error::Migrate);
        }
        let txn = self.connection.begin().await.map_err(Error::Migrate)?;
        txn.execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            // Raw because advisory locks exist on Postgres alone.
            "SELECT pg_advisory_xact_lock($1)",
            [MIGRATION_LOCK.into()],
        ))
        .await
        .map_err(Error::Migrate)?;
        Migrator::up(&self.connection, None)
            .await
            .map_err(Error::Migrate)?;
        txn.commit().await.map_err(Error::Migrate)
    }

    /// Undoes every migration; only tests of the migrations want that.
    pub async fn unmigrate(&self) -> Result<(), Error> {
        Migrator::down(&self.connection, None)
            .await
            .map_err(Error::Migrate)
    }

    /// Counts the migrations that are still to be applied.
    pub async fn pending_migrations(&self) -> Result<usize, Error> {
        let pending = Migrator::get_pending_migrations(&self.connection)
            .await
            .map_err(Error::Migrate)?;
        Ok(pending.len())
    }

    async fn refuse_newer_schema(&self) -> Result<(), Error> {
        let known = Migrator::migrations();
        Migrator::install(&self.connection)
            .await
            .map_err(Error::Migrate)?;
        let applied = Migrator::get_migration_models(&self.connection)
            .await
            .map_err(Error::Migrate)?;
        match applied.into_iter().find(|model| {
            known
                .iter()
                .all(|migration| migration.name() != model.version)
        }) {
            Some(newer) => Err(Error::NewerSchema(newer.version)),
            None => Ok(()),
        }
    }

    /// Begins a transaction that writes to the catalog, after every other such transaction has ended.
    pub async fn write(&self) -> Result<Txn, DbErr> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let txn = self
            .connection
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            })
            .await?;
        changes::wait_for_turn(&txn).await?;
        Ok(Txn { txn, _turn: turn })
    }

    /// Writes down something that is good to know but not worth waiting for, such as when somebody was last seen.
    ///
    /// It is left out while somebody else of this process writes; while another process does, one note waits for it in
    /// the background and the others are left out. What goes wrong is only logged.
    pub async fn note<F>(&self, work: impl FnOnce(DatabaseConnection) -> F)
    where
        F: Future<Output = Result<(), DbErr>> + Send + 'static,
    {
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else {
            return;
        };
        let work = work(self.connection.clone());
        let writing = tokio::spawn(async move {
            if let Err(cause) = work.await {
                tracing::debug!(%cause, "something that was seen was not written down");
            }
            drop(turn);
        });
        // It goes on by itself; whoever reads at once what was noted should find it as a rule.
        drop(tokio::time::timeout(NOTING, writing).await);
    }

    /// Begins a transaction that changes nothing of the catalog, such as the report of a run, and takes no turn for it.
    pub(crate) async fn begin_aside(&self) -> Result<DatabaseTransaction, DbErr> {
        self.connection
            .begin_with_options(TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            })
            .await
    }

    /// Says which database this is, in words.
    pub fn product(&self) -> &'static str {
        match self.backend() {
            DbBackend::Postgres => "Postgres",
            _ => "SQLite",
        }
    }

    /// Closes every connection; on SQLite this folds the write-ahead log into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.connection.close().await
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }
}

impl Deref for Db {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.connection
    }
}

/// A transaction that writes to the catalog; dropping it undoes it.
#[derive(Debug)]
pub struct Txn {
    txn: DatabaseTransaction,
    _turn: OwnedMutexGuard<()>,
}

impl Txn {
    /// Makes everything done in this transaction true at once.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.txn.commit().await
    }
}

impl Deref for Txn {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.txn
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("The database address starts neither with “sqlite:” nor with “postgres:”.")]
    UnknownScheme,
    #[error("The database address cannot be read.")]
    UnreadableAddress,
    #[error("The database cannot be reached.")]
    Connect(#[source] DbErr),
    #[error("The database could not be brought to the newest schema.")]
    Migrate(#[source] DbErr),
    #[error("The database was written by a newer version of Gazetteer (it has “{0}”).")]
    NewerSchema(String),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownScheme | Self::UnreadableAddress | Self::NewerSchema(_) => Kind::Invalid,
            Self::Connect(_) => Kind::Unavailable,
            Self::Migrate(cause) => kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownScheme => {
                "Set GAZETTEER_DATABASE_URL to sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME."
            }
            Self::UnreadableAddress => {
                "Write “/”, “#”, “?”, “@” and “%” in its password as %2F, %23, %3F, %40 and %25."
            }
            Self::Connect(_) => {
                "Check that the server runs, or that the file and its folder may be written, and that GAZETTEER_DATABASE_URL is right."
            }
            Self::Migrate(_) => "Check that this user may create tables.",
            Self::NewerSchema(_) => "Start the newer version, or restore a backup from before it.",
        })
    }
}

/// Text as both databases can store it: Postgres has no character zero.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Tells a database that does not answer from one that was asked the wrong thing.
pub fn kind_of(error: &DbErr) -> Kind {
    let sqlx_error = match error {
        DbErr::ConnectionAcquire(_) => return Kind::Unavailable,
        DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => match cause {
            RuntimeErr::SqlxError(sqlx_error) => sqlx_error,
            RuntimeErr::Internal(_) => return Kind::Internal,
        },
        _ => return Kind::Internal,
    };
    match &**sqlx_error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Kind::Unavailable,
        // Class 57 of Postgres' codes is an operator's doing (shut down, starting up), 53 too few resources, 08 the
        // connection; 5 and 6 are SQLite's busy and locked.
        sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
            Some("5" | "6") => Kind::Unavailable,
            Some(code)
                if ["57", "53", "08"]
                    .iter()
                    .any(|class| code.len() == 5 && code.starts_with(class)) =>
            {
                Kind::Unavailable
            }
            // Class 22 is a value that cannot be, such as a character zero.
            Some(code) if code.len() == 5 && code.starts_with("22") => Kind::Invalid,
            _ => Kind::Internal,
        },
        _ => Kind::Internal,
    }
}
