//! Connecting: what is asked of either database, who sits between, and how many connections there may be.

use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io};

use sea_orm::sqlx::pool::{PoolConnectionMetadata, PoolOptions};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection, Row as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use tokio::time::timeout;

use super::error::{ENCODE, Error, is_locked};
use super::file::File;

/// How long a query waits for a connection before the database counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a statement of SQLite waits for another process. Who writes waits longer, by asking again.
const GLANCE: Duration = Duration::from_millis(500);

/// How many connections a process has to a SQLite file, and at most to a Postgres.
const SQLITE: u32 = 4;
const MOST: u32 = 16;

/// What sessions of Postgres end by themselves: waiting for a lock, a single statement, a transaction that stands still.
const LOCK_TIMEOUT: &str = "4s";
const STATEMENT_TIMEOUT: &str = "120s";
const IDLE_TIMEOUT: &str = "15s";

/// A setting that Postgres keeps and a pooler drops or refuses.
const MARK: &str = "gazetteer.direct";

/// Asks how many connections this role may have to this database, and whether the mark came through.
///
/// Raw because these are tables of Postgres' own, and unprepared because a pooler may sit between.
const ABOUT_US: &str = "SELECT LEAST(NULLIF(r.rolconnlimit, -1), NULLIF(d.datconnlimit, -1), \
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int)::text, \
    COALESCE(current_setting('gazetteer.direct', true), '') \
    FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()";

/// The connections of a process to a SQLite file.
pub(super) struct Sqlite {
    pub(super) connection: DatabaseConnection,
    /// Nothing for a database in memory.
    pub(super) file: Option<File>,
    /// Keeps the log and its shared memory open when no other connection is: a full disk could not make them again.
    pub(super) keeper: SqliteConnection,
}

/// The connections of a process to a Postgres server.
pub(super) struct Postgres {
    pub(super) connection: DatabaseConnection,
    /// Each transaction may meet another server process.
    pub(super) pooler: bool,
}

/// When connections became suspect: those from before are closed instead of used again.
#[derive(Debug, Clone, Default)]
pub(super) struct Spoiled(Arc<Mutex<Option<Instant>>>);

impl Spoiled {
    /// A transaction did not end well.
    pub(super) fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn spares(&self, connection: &PoolConnectionMetadata) -> bool {
        let spoiled = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spoiled.is_none_or(|spoiled| connection.age < spoiled.elapsed())
    }
}

/// Whether a connection that comes back is outside any transaction.
///
/// After a full disk SQLite has undone the transaction by itself, so that undoing it is refused, and what counts
/// transactions here is one ahead from then on: later work would run inside a transaction that nobody commits.
async fn is_idle(connection: &mut impl Connection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // What was begun when the transaction was dropped is finished first.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Opens a SQLite file; `create` makes one where none is.
pub(super) async fn sqlite(url: &str, create: bool, spoiled: &Spoiled) -> Result<Sqlite, Error> {
    let Ok(options) = SqliteConnectOptions::from_str(url) else {
        return Err(Error::UnreadableAddress);
    };
    let options = sqlite_options(options, GLANCE);
    let path = options.get_filename().to_owned();
    if !create && !path.exists() {
        return Err(Error::NoCatalog(path.display().to_string()));
    }
    let keeper = open_keeper(&options.clone().create_if_missing(create))
        .await
        .map_err(|cause| Error::Connect(cause.into(), None))?;
    let file = File::opened(&options);
    let mut pool = pool(url, SQLITE);
    let opened = file.clone();
    let spoiled = spoiled.clone();
    pool.map_sqlx_sqlite_opts(move |_| options.clone())
        .map_sqlx_sqlite_pool_opts(move |pool| {
            let opened = opened.clone();
            // All are opened at once: later there may be another file, or none.
            let pool = unaged(pool).min_connections(SQLITE);
            sparing(pool, &spoiled).after_connect(move |_, _| {
                // Another file may be there by now, which must not be written to when this one is put back.
                let found = opened.as_ref().map_or(Ok(()), File::is_in_place);
                Box::pin(
                    async move { found.map_err(|moved| sqlx::Error::Io(io::Error::other(moved))) },
                )
            })
        });
    let connection = Database::connect(pool)
        .await
        .map_err(|cause| Error::Connect(cause.into(), None))?;
    Ok(Sqlite {
        connection,
        file,
        keeper,
    })
}

/// A pool that gives out no connection again that is suspect or inside a transaction.
fn sparing<D: sqlx::Database>(pool: PoolOptions<D>, spoiled: &Spoiled) -> PoolOptions<D> {
    let (taken, given) = (spoiled.clone(), spoiled.clone());
    pool.before_acquire(move |_, meta| {
        let spared = taken.spares(&meta);
        Box::pin(async move { Ok(spared) })
    })
    .after_release(move |connection, meta| {
        let spared = given.spares(&meta);
        Box::pin(async move { Ok(spared && is_idle(connection).await?) })
    })
}

/// A pool that never closes a connection for its age.
///
/// sqlx looks for old connections in a loop, which runs once for each idle one. Its count of idle ones falls below zero
/// while one is given back. A loop that begins then never ends.
fn unaged<D: sqlx::Database>(pool: PoolOptions<D>) -> PoolOptions<D> {
    pool.idle_timeout(None).max_lifetime(None)
}

/// One more connection to the same file, for work that waits longer for other processes.
pub(super) async fn patient_sqlite(url: &str, wait: Duration) -> Result<DatabaseConnection, DbErr> {
    let mut pool = pool(url, 1);
    pool.map_sqlx_sqlite_opts(move |options| sqlite_options(options, wait))
        .map_sqlx_sqlite_pool_opts(unaged);
    Database::connect(pool).await
}

async fn open_keeper(options: &SqliteConnectOptions) -> Result<SqliteConnection, DbErr> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let opened = async {
            let mut keeper = SqliteConnection::connect_with(options).await?;
            // Raw because it asks for nothing: a first read opens the log.
            sqlx::query("SELECT 1 FROM sqlite_master LIMIT 1")
                .fetch_optional(&mut keeper)
                .await?;
            Ok(keeper)
        };
        match opened.await.map_err(lost) {
            // Another process is making the file just now.
            Err(cause) if is_locked(&cause) && Instant::now() < deadline => {
                tokio::time::sleep(GLANCE / 10).await;
            }
            opened => return opened,
        }
    }
}

fn sqlite_options(options: SqliteConnectOptions, wait: Duration) -> SqliteConnectOptions {
    options
        .disable_statement_logging()
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // A change that was answered with success outlives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(wait)
        .pragma("cache_size", "-16000")
        // Together, the connections of a process keep no more than this, in bytes, while they can help it.
        .pragma("soft_heap_limit", "48000000")
        // Several rows fit on a page, documents and all.
        .page_size(16_384)
        // 64 MiB of log before it is folded into the file: a first load does so seldom.
        .pragma("wal_autocheckpoint", "4000")
        // Rows are handed over between threads; fewer hand-overs of more rows are quicker.
        .row_buffer_size(1_000)
        .foreign_keys(true)
}

fn pool(url: &str, most: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .connect_timeout(PATIENCE)
        .acquire_timeout(PATIENCE)
        .max_connections(most);
    options
}

/// Connects to a Postgres server, through a pooler if there is one.
pub(super) async fn postgres(url: &str, spoiled: &Spoiled) -> Result<Postgres, Error> {
    // What cannot be read is refused here: the library's own words about it repeat the password.
    let Ok(plain) = PgConnectOptions::from_str(url) else {
        return Err(Error::UnreadableAddress);
    };
    let plain = named(plain)
        .disable_statement_logging()
        .extra_float_digits(None);
    let seen = look(&plain)
        .await
        .map_err(|cause| Error::Connect(lost(cause).into(), hint_of_address(url)))?;
    let options = if seen.pooler {
        plain.statement_cache_capacity(0)
    } else {
        bounded(plain)
    };
    let mut pool = pool(url, seen.most);
    let spoiled = spoiled.clone();
    pool.connect_lazy(true)
        .map_sqlx_postgres_opts(move |_| options.clone())
        .map_sqlx_postgres_pool_opts(move |pool| sparing(unaged(pool), &spoiled));
    let connection = Database::connect(pool)
        .await
        .map_err(|cause| Error::Connect(cause.into(), None))?;
    Ok(Postgres {
        connection,
        pooler: seen.pooler,
    })
}

/// What a first connection tells.
struct Seen {
    pooler: bool,
    most: u32,
}

async fn look(plain: &PgConnectOptions) -> Result<Seen, sqlx::Error> {
    let marked = bounded(plain.clone()).options([(MARK, "on")]);
    let mut first = match open(&marked).await {
        Err(sqlx::Error::Database(refusal)) if refusal.message().contains("startup parameter") => {
            open(plain).await?
        }
        opened => opened?,
    };
    let row = sqlx::Executor::fetch_one(&mut first, ABOUT_US).await?;
    let limit: Option<String> = row.try_get(0)?;
    let mark: String = row.try_get(1)?;
    first.close().await?;
    let pooler = mark.is_empty();
    // The limit is the pooler's matter where there is one.
    let limit = limit
        .and_then(|limit| limit.parse().ok())
        .filter(|_| !pooler);
    Ok(Seen {
        pooler,
        most: share_of(limit),
    })
}

/// How many of the connections that a role may have one process takes: half, so that a command beside a server gets one.
fn share_of(limit: Option<u32>) -> u32 {
    limit.map_or(MOST, |limit| (limit / 2).clamp(2, MOST).min(limit.max(1)))
}

async fn open(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    timeout(PATIENCE, PgConnection::connect_with(options))
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Says who it is to people who look at the server, unless the address does.
fn named(options: PgConnectOptions) -> PgConnectOptions {
    if options.get_application_name().is_some() {
        return options;
    }
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    options.application_name(&format!("gazetteer {} {}", std::process::id(), host.trim()))
}

/// Sessions that wait, work and stand still within limits.
fn bounded(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("lock_timeout", LOCK_TIMEOUT),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
    ])
}

/// Begins a transaction behind a pooler: the limits of [`bounded`], for it alone, and no statements of others, whose
/// names would be taken.
pub(super) const BEGIN_BEHIND_POOLER: &str = "DEALLOCATE ALL; \
    SET LOCAL lock_timeout = '4s'; SET LOCAL statement_timeout = '120s'; \
    SET LOCAL idle_in_transaction_session_timeout = '15s'";

/// What to look at first where the address itself is suspect: a character of a password ends its part of an address.
fn hint_of_address(url: &str) -> Option<&'static str> {
    let (_, rest) = url.split_once("://")?;
    let (_, behind) = rest.split_once(['/', '?', '#'])?;
    (behind.contains('@') || behind.contains('#')).then_some(ENCODE)
}

fn lost(cause: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(cause)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_leaves_connections_to_others() {
        let shares = [1, 2, 3, 4, 10, 97].map(|limit| share_of(Some(limit)));

        assert_eq!(shares, [1, 2, 2, 2, 5, 16]);
        assert_eq!(share_of(None), 16);
    }

    #[test]
    fn a_password_that_ends_its_part_of_the_address_is_suspected() {
        for raw in [
            "pg://u:p@s/w@host/db",
            "pg://u:1#2@host/db",
            "pg://u:1?@host/db",
        ] {
            assert_eq!(hint_of_address(raw), Some(ENCODE), "{raw}");
        }
        for fine in [
            "pg://u:p%40@host/db",
            "pg://u:p@host:5432/db?sslmode=require",
        ] {
            assert_eq!(hint_of_address(fine), None, "{fine}");
        }
    }
}
