//! Who is writing to the catalog and keeps the others from it, as far as that can be known.

use std::path::Path;
use std::{fmt, fs};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::file::File;
use super::migrate::LOCK;

/// The byte of SQLite's shared memory that a writer locks (`walformat` in SQLite's documentation).
const WRITE_LOCK: &str = "120";

const UNKNOWN: &str = "Another process";

/// Who writes, as the subject of a sentence.
#[derive(Debug)]
pub(super) struct Holder {
    name: String,
    /// From where it is connected, which is for operators only.
    host: Option<String>,
    /// Since when it writes.
    since: String,
}

impl Holder {
    pub(super) fn called(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            host: None,
            since: String::new(),
        }
    }

    /// Names it without saying where it is.
    pub(super) fn for_everybody(&self) -> String {
        format!("{}{}", self.name, self.since)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(host) = &self.host {
            write!(f, " on {host}")?;
        }
        f.write_str(&self.since)
    }
}

/// The session that holds the head of the change log, or the lock of migrations, for longest and waits for nobody.
///
/// Raw because these are tables of Postgres' own.
const SESSION: &str = "SELECT a.application_name, COALESCE(host(a.client_addr), 'this machine'), \
    to_char(a.xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS') \
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
    WHERE l.granted AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid() \
    AND (l.relation = to_regclass('change_head') AND l.mode = 'RowExclusiveLock' \
      OR l.locktype = 'advisory' AND (l.classid::bigint << 32 | l.objid::bigint) = $1) \
    AND NOT EXISTS (SELECT 1 FROM pg_locks w WHERE w.pid = l.pid AND NOT w.granted) \
    ORDER BY a.xact_start LIMIT 1";

/// Names the session that writes.
pub(super) async fn on_postgres(db: &impl ConnectionTrait) -> Result<Holder, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, SESSION, [LOCK.into()]);
    let Some(row) = db.query_one_raw(statement).await? else {
        return Ok(Holder::called(UNKNOWN));
    };
    let name: String = row.try_get_by_index(0)?;
    let host: String = row.try_get_by_index(1)?;
    let since: String = row.try_get_by_index(2)?;
    Ok(Holder {
        name: format!("“{name}”"),
        host: Some(host),
        since: format!(", since {since} UTC,"),
    })
}

/// Names the process that holds SQLite's lock, as Linux lists it.
pub(super) fn on_sqlite(file: &File) -> Holder {
    let process = || {
        let number = file.number_of_locks()?;
        let locks = fs::read_to_string("/proc/locks").ok()?;
        holder_in(&locks, number).map(describe)
    };
    Holder::called(process().unwrap_or_else(|| UNKNOWN.to_owned()))
}

/// Finds the process that holds the write lock in a file in lines such as
/// `7: POSIX  ADVISORY  WRITE 4711 00:2d:1234 120 120`.
fn holder_in(locks: &str, file: u64) -> Option<&str> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_posix = words.next() == Some("POSIX");
        let writes = words.nth(1) == Some("WRITE");
        let process = words.next()?;
        let (_, number) = words.next()?.rsplit_once(':')?;
        let first = words.next()?;
        let holds = is_posix && writes && number.parse() == Ok(file) && first == WRITE_LOCK;
        holds.then_some(process)
    })
}

fn describe(process: &str) -> String {
    let folder = Path::new("/proc").join(process);
    let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything; the state follows it (proc(5)).
    let (name, rest) = stat.rsplit_once(')').unwrap_or_default();
    let name = name.split_once('(').map_or("", |(_, name)| name);
    let paused = rest.trim_start().starts_with(['T', 't']);
    match (name, paused) {
        ("", _) => format!("Process {process}"),
        (name, true) => format!("Process {process} ({name}), which is paused,"),
        (name, false) => format!("Process {process} ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_is_the_process_that_has_the_byte_of_this_file() {
        let locks = "1: POSIX  ADVISORY  READ  11 00:2d:77 123 123\n\
                     2: POSIX  ADVISORY  WRITE 12 00:2d:78 120 120\n\
                     3: FLOCK  ADVISORY  WRITE 13 00:2d:77 0 EOF\n\
                     3: -> POSIX  ADVISORY  WRITE 14 00:2d:77 120 120\n\
                     4: POSIX  ADVISORY  WRITE 15 00:2d:77 120 120\n";

        assert_eq!(holder_in(locks, 77), Some("15"));
        assert_eq!(holder_in(locks, 79), None);
    }

    #[test]
    fn where_the_writer_is_connected_from_is_not_for_everybody() {
        let holder = Holder {
            host: Some("10.0.0.7".to_owned()),
            since: ", since 08:15:00 UTC,".to_owned(),
            ..Holder::called("“loader 4711”")
        };

        let told = "“loader 4711” on 10.0.0.7, since 08:15:00 UTC,";
        assert_eq!(holder.to_string(), told);
        assert_eq!(holder.for_everybody(), "“loader 4711”, since 08:15:00 UTC,");
    }

    #[test]
    fn a_process_is_described_by_its_name() {
        let this = std::process::id().to_string();
        let described = describe(&this);

        assert!(
            described.starts_with(&format!("Process {this} (")),
            "{described}"
        );
        assert!(!described.contains("paused"), "{described}");
    }
}
