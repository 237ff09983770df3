//! Trials of the whole index, in tests: a writer is killed at each of its file operations, and what is in memory is
//! compared with what is on disk.

use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Utc;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};
use tempfile::TempDir;

use super::files::Files;
use super::home::Home;
use super::{AccessFilter, Answer, Error, Index, Options, Query, follow};
use crate::auth::Actor;
use crate::catalog::{self, Address, AssetKind, Cause, Discovered, Facts, SourceLayer};
use crate::db::Db;

/// Lets so many file operations happen, and none after them.
struct Kill {
    allowed: usize,
    done: AtomicUsize,
}

impl Kill {
    fn after(allowed: usize) -> Arc<Self> {
        Arc::new(Self {
            allowed,
            done: AtomicUsize::new(0),
        })
    }

    fn has_struck(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.allowed
    }

    fn step(&self) -> io::Result<()> {
        if self.done.fetch_add(1, Ordering::SeqCst) < self.allowed {
            Ok(())
        } else {
            Err(io::Error::other("killed"))
        }
    }
}

/// Files that are written until the kill.
#[derive(Clone)]
struct Killed {
    files: Files,
    kill: Arc<Kill>,
}

impl Killed {
    fn new(files: Files, kill: &Arc<Kill>) -> Self {
        Self {
            files,
            kill: Arc::clone(kill),
        }
    }
}

impl fmt::Debug for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

impl Directory for Killed {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let killed = |error| DeleteError::IoError {
            io_error: Arc::new(error),
            filepath: path.to_owned(),
        };
        self.kill.step().map_err(killed)?;
        self.files.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let killed = |error| OpenWriteError::wrap_io_error(error, path.to_owned());
        self.kill.step().map_err(killed)?;
        let file = self.files.open_write(path)?;
        let kill = Arc::clone(&self.kill);
        let file = KilledFile {
            file: Some(file),
            kill,
        };
        Ok(BufWriter::new(Box::new(file)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.kill.step()?;
        self.files.atomic_write(path, content)
    }

    /// A kill loses nothing that was written, only a power cut would.
    fn sync_directory(&self) -> io::Result<()> {
        self.kill.step()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.files.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(callback)
    }
}

struct KilledFile {
    file: Option<WritePtr>,
    kill: Arc<Kill>,
}

impl Write for KilledFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().unwrap();
        if self.kill.step().is_err() {
            // What was on its way when the process ended is there in part.
            if !self.kill.is_over() {
                file.write_all(&bytes[..bytes.len() / 2])?;
                file.flush()?;
            }
            return Err(io::Error::other("killed"));
        }
        file.write_all(bytes)?;
        file.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for KilledFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.kill.step()?;
        self.file.take().unwrap().flush()
    }
}

impl Kill {
    /// Whether an earlier operation was the one that was killed.
    fn is_over(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.allowed + 1
    }
}

/// A catalog of a few tables, and an index of it.
struct World {
    dir: TempDir,
    db: Db,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", dir.path().join("db").display());
        let db = Db::connect(&url.into()).await.unwrap();
        db.migrate().await.unwrap();
        Self { dir, db }
    }

    /// Says something new of some of the tables.
    async fn describe(&self, tables: std::ops::Range<usize>, words: &str) {
        let cause = Cause {
            actor: Actor::recipe("trial"),
            run: None,
        };
        let asset = |kind, path: &[&str]| Discovered {
            kind,
            address: Address {
                platform: "glue".to_owned(),
                instance: "1/eu".to_owned(),
                path: path.iter().map(|part| (*part).to_owned()).collect(),
            },
            source: SourceLayer {
                description: Some(words.to_owned()),
                ..SourceLayer::default()
            },
            facts: Facts::default(),
            aliases: Vec::new(),
        };
        let now = Utc::now();
        let database = asset(AssetKind::Database, &["sales"]);
        let mut open = catalog::open(&self.db, &cause, vec![database], now)
            .await
            .unwrap();
        let tables = tables.map(|nth| asset(AssetKind::Table, &["sales", &format!("table_{nth}")]));
        let page = (&mut open[0], tables.collect());
        catalog::apply(&self.db, &cause, vec![page], now)
            .await
            .unwrap();
    }

    fn index_dir(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    fn open(&self) -> Index {
        Index::open(&self.index_dir(), &Options::default()).unwrap()
    }

    /// Has the index written by a process that is killed after so many operations, and checks that the next process
    /// gets on. Answers whether the first one was killed at all.
    async fn is_killed_and_mended(&self, allowed: usize, work: Work, expected: &str) -> bool {
        let kill = Kill::after(allowed);
        let mut home = Home::below(&self.index_dir()).unwrap();
        let killed = Arc::clone(&kill);
        home.directories = Box::new(move |files| Box::new(Killed::new(files, &killed)));
        let index = Index::open_home(home, &Options::default()).unwrap();
        let outcome = match work {
            Work::Commit => follow::write_down(&self.db, &index).await,
            Work::Rebuild => follow::rebuild_all(&self.db, &index).await,
        };
        let struck = kill.has_struck();
        assert!(struck || outcome.is_ok(), "{outcome:?}");
        drop(index);

        let index = self.open();
        follow::write_down(&self.db, &index)
            .await
            .unwrap_or_else(|error| panic!("killed after {allowed}: {error:?}"));
        if index.is_damaged() {
            follow::catch_up(&self.db, &index).await.unwrap();
        }
        assert_eq!(told(&index), expected, "killed after {allowed} operations");
        struck
    }
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Commit,
    Rebuild,
}

/// Everything that searches tell.
fn told(index: &Index) -> String {
    let ask = |text: &str| {
        let answer = index
            .search(&Query::words(text), &AccessFilter::none())
            .unwrap();
        let Answer {
            total,
            hits,
            facets,
            left_out,
            read_as,
            ..
        } = answer;
        format!("{text}: {total} {hits:?} {facets:?} {left_out:?} {read_as:?}\n")
    };
    let asked = [
        "",
        "table_3",
        "newest",
        "older",
        "first",
        "oldr",
        "\"newest words\"",
        "db:sales fir",
    ];
    let suggested = index.suggest("tab", 5, &AccessFilter::none()).unwrap();
    format!("{}{suggested:?}", asked.map(ask).concat())
}

/// Copies an index folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

async fn killed_everywhere(work: Work) {
    let world = World::new().await;
    world.describe(0..6, "first words").await;
    let index = world.open();
    follow::catch_up(&world.db, &index).await.unwrap();
    // The next segment is the eighth, so that all are merged.
    for nth in 0..6 {
        world.describe(nth..nth + 1, "older words").await;
        follow::write_down(&world.db, &index).await.unwrap();
    }
    drop(index);
    let before = world.dir.path().join("before");
    copy(&world.index_dir(), &before);
    world.describe(2..8, "newest words").await;
    let fresh = Index::open(&world.dir.path().join("fresh"), &Options::default()).unwrap();
    follow::rebuild_all(&world.db, &fresh).await.unwrap();
    let expected = told(&fresh);

    let mut kills = 0;
    while world.is_killed_and_mended(kills, work, &expected).await {
        kills += 1;
        fs::remove_dir_all(world.index_dir()).unwrap();
        copy(&before, &world.index_dir());
    }
    assert!(kills > 20, "only {kills} operations");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_killed_at_any_operation_is_mended_by_the_next_process() {
    killed_everywhere(Work::Commit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_killed_at_any_operation_is_mended_by_the_next_process() {
    killed_everywhere(Work::Rebuild).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_memory_is_searched_as_if_it_were_on_disk() {
    let world = World::new().await;
    world.describe(0..6, "first words").await;
    let index = world.open();
    follow::catch_up(&world.db, &index).await.unwrap();
    let fresh = Index::open(&world.dir.path().join("fresh"), &Options::default()).unwrap();

    for nth in 0..12 {
        world
            .describe(nth % 5..nth % 5 + 2, &format!("newest words of {nth}"))
            .await;
        world.describe(nth + 4..nth + 5, "older words").await;
        follow::catch_up(&world.db, &index).await.unwrap();
        index.thin().unwrap();
        follow::rebuild_all(&world.db, &fresh).await.unwrap();
        assert!(index.written() < index.applied(), "nothing is in memory");
        assert_eq!(told(&index), told(&fresh), "after {nth}");
    }

    follow::write_down(&world.db, &index).await.unwrap();
    assert_eq!(index.written(), index.applied());
    assert_eq!(told(&index), told(&fresh));
    assert_eq!(told(&world.open()), told(&fresh));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_whose_locks_were_removed_commits_nothing() {
    let world = World::new().await;
    world.describe(0..6, "first words").await;
    let index = world.open();
    follow::write_down(&world.db, &index).await.unwrap();
    let expected = told(&index);
    let mut first = index.writer().unwrap();
    first.clear().unwrap();

    for folder in [&index.home().path, &index.built().folder] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "lock") {
                fs::remove_file(path).unwrap();
            }
        }
    }
    let second = world.open();
    let _second = second.writer().unwrap();

    let commit = first.commit(99);
    assert!(matches!(commit, Err(Error::Busy)), "{commit:?}");
    let rebuild = first.rebuild();
    assert!(matches!(rebuild, Err(Error::Busy)), "{rebuild:?}");
    assert_eq!(told(&index), expected);
    assert_eq!(told(&world.open()), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_leaves_another_build_to_the_follower() {
    let world = World::new().await;
    world.describe(0..6, "first words").await;
    let index = world.open();
    follow::write_down(&world.db, &index).await.unwrap();
    let before = index.built().name.clone();
    follow::rebuild_all(&world.db, &world.open()).await.unwrap();

    let found = index
        .search(&Query::words("first"), &AccessFilter::none())
        .unwrap();
    assert_eq!(found.total, 7);
    assert_eq!(index.built().name, before);
    assert!(!index.built().is_damaged());

    follow::catch_up(&world.db, &index).await.unwrap();
    assert_ne!(index.built().name, before);
}
