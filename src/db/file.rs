//! The file under SQLite: whether it is still the one that was opened, whole, and on a disk with room.
//!
//! SQLite keeps a deleted file open and goes on writing into it, and pages it remembers hide what became of those on
//! disk. So each write looks at the folder first, and again before anybody hears of success. The file itself is opened
//! by SQLite alone: closing it anywhere else in this process would drop SQLite's locks.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, Connection as _, Row as _};
use sea_orm::{DbErr, RuntimeErr};
use uuid::Uuid;

use super::error::{Unwritable, kind_of};
use crate::error::{Kind, Storage};

/// How long a write waits for the check of a file that something else than SQLite may have changed.
const GLANCE: Duration = Duration::from_secs(1);

/// Files up to this length are read to their end before a write goes on.
const SMALL: u64 = 64 * 1024 * 1024;

/// The next check of a larger file waits so many times as long as the last one took.
const REST: u32 = 20;

/// How much a disk needs to count as one with room: more than the longest edit takes.
const ROOM: usize = 1024 * 1024;

/// Which file it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    number: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
        }
    }

    fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::of)
    }
}

/// What changes when somebody writes to the file itself, as SQLite does when it folds its log into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            length: metadata.size(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        }
    }
}

/// The catalog's file, as it was opened.
#[derive(Debug, Clone)]
pub(super) struct File(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    identity: Identity,
    log: PathBuf,
    log_identity: OnceLock<Identity>,
    options: SqliteConnectOptions,
    checked: Mutex<Checked>,
}

/// What the last check of the content said.
#[derive(Debug)]
struct Checked {
    stamp: Option<Stamp>,
    next: Instant,
    running: bool,
    damage: Option<String>,
}

impl File {
    /// The file that a connection has just opened; nothing for a database in memory.
    pub(super) fn opened(options: &SqliteConnectOptions) -> Option<Self> {
        let path = options.get_filename().to_owned();
        let metadata = fs::metadata(&path).ok()?;
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Some(Self(Arc::new(Opened {
            identity: Identity::of(&metadata),
            log: log.into(),
            log_identity: OnceLock::new(),
            options: options.clone().create_if_missing(false),
            checked: Mutex::new(Checked {
                // A large one is not read for a command that may end before that.
                stamp: (metadata.size() > SMALL).then(|| Stamp::of(&metadata)),
                next: Instant::now(),
                running: false,
                damage: None,
            }),
            path,
        })))
    }

    /// Where it is, for people.
    pub(super) fn name(&self) -> String {
        self.0.path.display().to_string()
    }

    /// The number of the file that holds SQLite's locks.
    pub(super) fn number_of_locks(&self) -> Option<u64> {
        let mut shared = self.0.path.clone().into_os_string();
        shared.push("-shm");
        Identity::at(Path::new(&shared)).map(|identity| identity.number)
    }

    /// Refuses when another file, or none, is where this one was opened.
    pub(super) fn find(&self) -> Result<Metadata, Unwritable> {
        let metadata = fs::metadata(&self.0.path).ok();
        metadata
            .filter(|found| Identity::of(found) == self.0.identity)
            .ok_or_else(|| Unwritable::Replaced(self.name()))
    }

    /// Refuses likewise, and when its log is another one or none.
    pub(super) fn is_in_place(&self) -> Result<(), Unwritable> {
        self.find()?;
        let log = Identity::at(&self.0.log);
        match self.0.log_identity.get() {
            Some(first) if log != Some(*first) => {
                Err(Unwritable::Replaced(self.0.log.display().to_string()))
            }
            Some(_) => Ok(()),
            None => {
                if let Some(log) = log {
                    let _first = self.0.log_identity.get_or_init(|| log);
                }
                Ok(())
            }
        }
    }

    /// Refuses when the file is not in place, or known to be damaged; looks into one that was written to meanwhile.
    pub(super) async fn check(&self) -> Result<(), Unwritable> {
        self.is_in_place()?;
        let stamp = Stamp::of(&self.find()?);
        if self.wants_a_look(stamp) {
            let file = self.clone();
            let looking = tokio::spawn(async move { file.look(stamp).await });
            // A large file is read in the background; what is found then holds for the next write.
            if stamp.length <= SMALL {
                drop(tokio::time::timeout(GLANCE, looking).await);
            }
        }
        match self.checked().damage.clone() {
            Some(what) => Err(Unwritable::Damaged {
                file: self.name(),
                what,
            }),
            None => Ok(()),
        }
    }

    /// What the file looks like just now.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        fs::metadata(&self.0.path).ok().as_ref().map(Stamp::of)
    }

    /// Takes what a commit did to a file that was checked: SQLite has folded its log into it.
    pub(super) fn explain(&self, before: Option<Stamp>) {
        let mut checked = self.checked();
        if checked.stamp.is_some() && checked.stamp == before {
            checked.stamp = self.stamp();
        }
    }

    /// Looks into the file, whatever it looks like.
    pub(super) async fn look_now(&self) {
        if let Some(stamp) = self.stamp() {
            self.look(stamp).await;
        }
    }

    fn wants_a_look(&self, stamp: Stamp) -> bool {
        let mut checked = self.checked();
        let rested = checked.next <= Instant::now();
        let is_new = checked.stamp != Some(stamp) && (rested || stamp.length <= SMALL);
        // A disk may read again what it once could not, which changes nothing of how the file looks.
        let may_be_well = checked.damage.is_some() && rested;
        let wants = !checked.running && (is_new || may_be_well);
        checked.running |= wants;
        wants
    }

    async fn look(&self, stamp: Stamp) {
        let begun = Instant::now();
        let damage = self.read_through().await;
        let mut checked = self.checked();
        checked.running = false;
        checked.next = Instant::now() + begun.elapsed() * REST;
        match damage {
            Ok(damage) => {
                checked.stamp = Some(stamp);
                checked.damage = damage;
            }
            // It could not be read just now, which says nothing of what is in it.
            Err(cause) => tracing::warn!(%cause, "the catalog's file could not be checked"),
        }
    }

    /// Reads the whole file past everything that is remembered of it. Answers what is wrong in it.
    pub(super) async fn read_through(&self) -> Result<Option<String>, DbErr> {
        let read = async {
            let mut fresh = SqliteConnection::connect_with(&self.0.options).await?;
            // Raw because checks of the file exist on SQLite alone; the first line says all that people need.
            let row = sqlx::query("PRAGMA quick_check(1)")
                .fetch_one(&mut fresh)
                .await?;
            let said: String = row.try_get(0)?;
            fresh.close().await?;
            Ok::<_, sqlx::Error>(said)
        };
        match read.await {
            Ok(said) if said == "ok" => Ok(None),
            Ok(said) => Ok(Some(said.lines().last().unwrap_or_default().to_owned())),
            Err(cause) => {
                let cause = DbErr::Query(RuntimeErr::SqlxError(Arc::new(cause)));
                match kind_of(&cause) {
                    Kind::Storage(Storage::Damaged) => Ok(Some(words_of(&cause))),
                    _ => Err(cause),
                }
            }
        }
    }

    /// Notes that a statement met damage; the next check looks into the file.
    pub(super) fn met_damage(&self, cause: &DbErr) {
        let mut checked = self.checked();
        if checked.damage.is_none() {
            checked.next = Instant::now();
        }
        checked.damage = Some(words_of(cause));
    }

    /// Refuses when the disk has no room for a little more.
    pub(super) fn has_room(&self) -> Result<(), Unwritable> {
        // A name that nobody else has, and none any more once the file is open.
        let mut probe = self.0.path.clone().into_os_string();
        probe.push(format!(".room-{}", Uuid::now_v7()));
        let written = fs::File::create_new(&probe).and_then(|mut file| {
            fs::remove_file(&probe)?;
            file.write_all(&vec![0; ROOM])?;
            file.sync_data()
        });
        match written.map_err(|cause| cause.kind()) {
            Err(
                io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::FileTooLarge,
            ) => Err(Unwritable::Full(self.name())),
            // Another user's folder is no full disk: SQLite itself says what it cannot do.
            _ => Ok(()),
        }
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, Checked> {
        self.0
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn words_of(cause: &DbErr) -> String {
    let told = cause.to_string();
    let words = told.rsplit(") ").next().unwrap_or_default();
    words.to_owned()
}
