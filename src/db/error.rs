//! Why the database cannot be used: the cause as a sentence, and what to do about it.

use std::sync::Arc;
use std::{fmt, io};

use sea_orm::sqlx::{self, postgres::PgDatabaseError, sqlite::SqliteError};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

use super::holder::Holder;
use crate::error::{Explain, Kind, Storage};

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("The database address starts neither with “sqlite:” nor with “postgres:”.")]
    UnknownScheme,
    #[error("The database address cannot be read.")]
    UnreadableAddress,
    #[error("There is no catalog yet at “{0}”.")]
    NoCatalog(String),
    #[error("The database cannot be reached.")]
    Connect(#[source] Cause, Option<&'static str>),
    #[error("The database could not be brought to the newest schema.")]
    Migrate(#[source] Cause),
    #[error("{0} is bringing the database to the newest schema and has not finished.")]
    MigratedByAnother(String),
    #[error("The database was written by a newer version of Gazetteer (it has “{0}”).")]
    NewerSchema(String),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownScheme
            | Self::UnreadableAddress
            | Self::NewerSchema(_)
            | Self::NoCatalog(_) => Kind::Invalid,
            Self::Connect(cause, _) => match kind_of(&cause.0) {
                Kind::Storage(storage) => Kind::Storage(storage),
                _ => Kind::Unavailable,
            },
            Self::MigratedByAnother(_) => Kind::Storage(Storage::Stuck),
            Self::Migrate(cause) => kind_of(&cause.0),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownScheme => {
                "Set GAZETTEER_DATABASE_URL to sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME."
            }
            Self::UnreadableAddress => ENCODE,
            Self::NoCatalog(_) => {
                "`gazetteer serve` makes a new one. If there was one, put its file back first."
            }
            Self::Connect(cause, hint) => hint.or_else(|| hint_of(&cause.0)).unwrap_or(
                "Check that the server runs, or that the file and its folder may be written, and that GAZETTEER_DATABASE_URL is right.",
            ),
            Self::Migrate(cause) => {
                hint_of(&cause.0).unwrap_or("The log of the database says more.")
            }
            Self::MigratedByAnother(_) => {
                "Wait for it, or end it if it hangs, then start this one again."
            }
            Self::NewerSchema(_) => "Start the newer version, or restore a backup from before it.",
        })
    }
}

impl From<DbErr> for Error {
    fn from(cause: DbErr) -> Self {
        Self::Migrate(cause.into())
    }
}

/// A cause in its own words, without those of the libraries that hand it on.
#[derive(Debug)]
pub struct Cause(pub DbErr);

impl From<DbErr> for Cause {
    fn from(cause: DbErr) -> Self {
        Self(cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match sqlx_error(&self.0) {
            Some(sqlx::Error::Database(_)) if kind_of(&self.0) == Kind::Storage(Storage::Full) => {
                f.write_str("its disk is full or takes nothing more")
            }
            Some(sqlx::Error::Database(refusal)) => f.write_str(refusal.message()),
            Some(sqlx::Error::Io(cause)) => cause.fmt(f),
            Some(sqlx::Error::PoolTimedOut) => f.write_str("it did not answer in time"),
            Some(cause) => cause.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

impl std::error::Error for Cause {}

/// What to do about characters that mean something else in an address.
pub(super) const ENCODE: &str = "Write “/”, “#”, “?”, “@”, “:” and “%” in the password of GAZETTEER_DATABASE_URL as %2F, %23, %3F, %40, %3A and %25.";

/// Why the catalog is not written, though its database answers.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    #[error("{0} is writing to the catalog and does not finish.")]
    Stuck(Holder),
    #[error(
        "The catalog's file “{0}” is not the file that was opened: it was deleted or replaced."
    )]
    Replaced(String),
    #[error("The catalog's file “{file}” is damaged: {what}.")]
    Damaged { file: String, what: String },
    #[error("The disk of the catalog's file “{0}” is full.")]
    Full(String),
    #[error("A statement of this transaction was refused, so nothing of it can be saved.")]
    Aborted,
}

impl Unwritable {
    fn storage(&self) -> Option<Storage> {
        match self {
            Self::Stuck(_) => Some(Storage::Stuck),
            Self::Replaced(_) => Some(Storage::Replaced),
            Self::Damaged { .. } => Some(Storage::Damaged),
            Self::Full(_) => Some(Storage::Full),
            Self::Aborted => None,
        }
    }

    /// Says the same without the place of the file and the address of the writer.
    fn for_everybody(&self) -> String {
        match self {
            Self::Stuck(holder) => format!(
                "{} is writing to the catalog and does not finish.",
                holder.for_everybody()
            ),
            Self::Replaced(_) => {
                "The catalog's file is not the file that was opened: it was deleted or replaced."
                    .to_owned()
            }
            Self::Damaged { what, .. } => format!("The catalog's file is damaged: {what}."),
            Self::Full(_) => "The disk of the catalog's file is full.".to_owned(),
            Self::Aborted => self.to_string(),
        }
    }
}

impl From<Unwritable> for DbErr {
    fn from(reason: Unwritable) -> Self {
        let cause = sqlx::Error::Io(io::Error::other(reason));
        Self::Exec(RuntimeErr::SqlxError(Arc::new(cause)))
    }
}

/// The reason for not writing inside an error, if this module put one there.
fn unwritable(error: &DbErr) -> Option<&Unwritable> {
    match sqlx_error(error)? {
        sqlx::Error::Io(cause) => cause.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Says what keeps the catalog from being written, without paths and addresses; nothing where that is not known.
pub fn for_everybody(error: &DbErr) -> Option<String> {
    let Kind::Storage(storage) = kind_of(error) else {
        return None;
    };
    let told = unwritable(error).map(Unwritable::for_everybody);
    Some(told.unwrap_or_else(|| storage.sentence().to_owned()))
}

/// Tells a database that does not answer, or whose disk is the matter, from one that was asked the wrong thing.
pub fn kind_of(error: &DbErr) -> Kind {
    if let Some(storage) = unwritable(error).and_then(Unwritable::storage) {
        return Kind::Storage(storage);
    }
    if let DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) =
        error
    {
        return Kind::Unavailable;
    }
    match sqlx_error(error) {
        Some(sqlx::Error::Database(refusal)) => match refusal.try_downcast_ref::<SqliteError>() {
            Some(refusal) => kind_of_sqlite(code_of(refusal)),
            None => kind_of_postgres(&refusal.code().unwrap_or_default()),
        },
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed,
        ) => Kind::Unavailable,
        _ => Kind::Internal,
    }
}

/// Whether somebody else holds what was asked for.
pub(super) fn is_locked(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(refusal)) => match refusal.try_downcast_ref::<SqliteError>() {
            Some(refusal) => matches!(code_of(refusal) & PRIMARY, BUSY | LOCKED),
            None => refusal.code().as_deref() == Some(LOCK_NOT_AVAILABLE),
        },
        _ => false,
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

// SQLite's codes: the lowest byte is the kind, the rest says more of it.
const PRIMARY: i32 = 0xff;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;
const READ_ONLY_MOVED: i32 = 1032;
/// Kinds of `IO` that a disk without room, or beyond a quota, causes: write, sync, truncate, the shared memory's size.
const NO_ROOM: [i32; 5] = [778, 1034, 1290, 1546, 4874];

const LOCK_NOT_AVAILABLE: &str = "55P03";

fn code_of(refusal: &SqliteError) -> i32 {
    let code = sqlx::error::DatabaseError::code(refusal);
    code.and_then(|code| code.parse().ok()).unwrap_or_default()
}

fn kind_of_sqlite(code: i32) -> Kind {
    if NO_ROOM.contains(&code) {
        return Kind::Storage(Storage::Full);
    }
    if code == READ_ONLY_MOVED {
        return Kind::Storage(Storage::Replaced);
    }
    match code & PRIMARY {
        BUSY | LOCKED => Kind::Storage(Storage::Stuck),
        FULL => Kind::Storage(Storage::Full),
        CORRUPT | NOT_A_DATABASE => Kind::Storage(Storage::Damaged),
        IO | CANNOT_OPEN | READ_ONLY => Kind::Unavailable,
        _ => Kind::Internal,
    }
}

fn kind_of_postgres(code: &str) -> Kind {
    match code {
        "53100" => Kind::Storage(Storage::Full),
        LOCK_NOT_AVAILABLE => Kind::Storage(Storage::Stuck),
        "XX001" | "XX002" => Kind::Storage(Storage::Damaged),
        // A transaction that waited for nothing for too long was ended, or the server is read-only just now.
        "25P03" | "25006" | "3D000" => Kind::Unavailable,
        // Class 22 is a value that cannot be, such as a character zero.
        _ if code.starts_with("22") => Kind::Invalid,
        // 57 is an operator's doing (shut down, starting up), 53 too few resources, 08 the connection, 28 the password.
        _ if ["57", "53", "08", "28"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Kind::Unavailable
        }
        _ => Kind::Internal,
    }
}

/// What to do about a database that cannot be reached or made ready, where the cause is known.
fn hint_of(error: &DbErr) -> Option<&'static str> {
    if let Kind::Storage(storage) = kind_of(error) {
        return Some(match storage {
            Storage::Full => "Make room on its disk, then try again.",
            Storage::Damaged => "Restore a backup. If it never was a catalog, name another file.",
            storage => storage.hint(),
        });
    }
    Some(match sqlx_error(error)? {
        sqlx::Error::Database(refusal) => match refusal.try_downcast_ref::<SqliteError>() {
            Some(refusal) => return hint_of_sqlite(code_of(refusal)),
            None => return hint_of_postgres(refusal.try_downcast_ref()?),
        },
        sqlx::Error::Io(cause) => return hint_of_io(cause),
        sqlx::Error::Tls(_) => {
            "Check the certificates: “sslmode” and “sslrootcert” in GAZETTEER_DATABASE_URL say which are trusted."
        }
        sqlx::Error::Protocol(_) => {
            "What listens there does not speak Postgres' protocol. Check the host and the port in GAZETTEER_DATABASE_URL."
        }
        sqlx::Error::PoolTimedOut => {
            "Nothing answered in time. Check the host, the port and the firewalls between."
        }
        _ => return None,
    })
}

fn hint_of_io(cause: &io::Error) -> Option<&'static str> {
    Some(match cause.kind() {
        io::ErrorKind::ConnectionRefused => {
            "Nothing listens there. Start the database, or correct the host and the port in GAZETTEER_DATABASE_URL."
        }
        io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => {
            "Nothing answered in time. Check the host, the port and the firewalls between."
        }
        io::ErrorKind::NotFound => {
            "Check the folder of the server's socket in GAZETTEER_DATABASE_URL."
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "What listens there ended the connection. Check that it is Postgres, and its log."
        }
        // The resolver's errors have no kind of their own.
        _ if cause.to_string().contains("lookup address") => {
            "There is no host of that name. Check the host in GAZETTEER_DATABASE_URL."
        }
        _ => return None,
    })
}

fn hint_of_sqlite(code: i32) -> Option<&'static str> {
    Some(match code & PRIMARY {
        CANNOT_OPEN => "Check that its folder exists and that this user may write in it.",
        READ_ONLY => "Check that this user may write the file and its folder.",
        IO => "The log of the system says what is wrong with the disk.",
        _ => return None,
    })
}

fn hint_of_postgres(refusal: &PgDatabaseError) -> Option<&'static str> {
    let message = refusal.message();
    Some(match refusal.code() {
        "28000" if message.contains("no encryption") || message.contains("SSL off") => {
            "The server wants TLS: add “?sslmode=require” to GAZETTEER_DATABASE_URL."
        }
        "28000" if message.contains("pg_hba.conf") => {
            "The server's pg_hba.conf lets this user or this machine not in."
        }
        "28000" => "Check the user's name in GAZETTEER_DATABASE_URL, and that the role may log in.",
        "28P01" => {
            "The password is wrong. In GAZETTEER_DATABASE_URL “/”, “#”, “?”, “@”, “:” and “%” of a password are written %2F, %23, %3F, %40, %3A and %25."
        }
        "3D000" => {
            "Make it first, as a superuser: CREATE DATABASE name OWNER user. Or correct the name in GAZETTEER_DATABASE_URL."
        }
        "53300" => {
            "All of the server's, the database's or the role's connections are taken. Raise CONNECTION LIMIT or max_connections; a server and a command beside it need three."
        }
        "42501" => {
            "Since Postgres 15 only its owner may make tables in “public”. As a superuser, in this database: GRANT USAGE, CREATE ON SCHEMA public TO user."
        }
        "3F000" => {
            "The schema of “search_path” does not exist. Make it first: CREATE SCHEMA name AUTHORIZATION user."
        }
        "25006" => "This server only reads. Name the one that writes in GAZETTEER_DATABASE_URL.",
        "57P03" => "The server is starting or stopping. Try again in a moment.",
        "08P01" if message.contains("startup parameter") => {
            "The pooler refuses a setting. Add its name to “ignore_startup_parameters” in pgbouncer.ini."
        }
        _ => return None,
    })
}
