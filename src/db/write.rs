//! Writing: everybody's turn, within limits, and what becomes of a transaction that does not end well.

use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _, sqlx,
};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::error::{Unwritable, is_locked, kind_of};
use super::file::File;
use super::holder::Holder;
use super::statements::{Reads, Statements};
use super::{Db, Shared, changes, holder};
use crate::error::{Kind, Storage};

/// How long somebody who waits for an answer waits for their turn to write.
pub(super) const PATIENCE: Duration = Duration::from_millis(3_500);

/// How long work does that goes on by itself.
pub(super) const LONG_PATIENCE: Duration = Duration::from_mins(1);

/// How long a probe does.
const PROBING: Duration = Duration::from_secs(2);

/// When somebody who still waits says so in the log.
const TELL_AFTER: Duration = Duration::from_secs(5);

/// How long a process that was kept from writing looks for who does.
const LOOKING: Duration = Duration::from_millis(500);

/// How soon SQLite is asked again for a lock that another process has.
const AGAIN: Duration = Duration::from_millis(20);

/// How many may wait for their turn at once.
const MOST_WAITING: usize = 256;

/// How long what a probe found is told to everybody who asks.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Makes Postgres take room on its disk, and gives it back at the end of the transaction.
///
/// Raw because temporary tables are no entities.
const USE_ROOM: &str = "CREATE TEMP TABLE gazetteer_room ON COMMIT DROP AS \
    SELECT md5(i::text) AS filling FROM generate_series(1, 20000) i";

/// How long anybody waits for a note.
const NOTING: Duration = Duration::from_millis(250);

/// What a probe found, and when.
type Probed = Option<(Instant, Result<(), DbErr>)>;

/// The writers of this process, one behind the other, so that they do not race for the database's one lock.
#[derive(Debug, Default)]
pub(super) struct Queue {
    turn: Arc<Mutex<()>>,
    waiting: AtomicUsize,
    /// Since when this process has been writing.
    writing: Lock<Option<Instant>>,
    /// The last write found the disk full.
    full: Lock<bool>,
    probed: Mutex<Probed>,
}

impl Queue {
    /// Waits for the turn until the deadline, but not behind too many others.
    async fn turn(&self, deadline: Instant) -> Option<OwnedMutexGuard<()>> {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= MOST_WAITING {
            return None;
        }
        timeout_at(deadline, Arc::clone(&self.turn).lock_owned())
            .await
            .ok()
    }
}

fn held<T>(lock: &Lock<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Db {
    /// Begins a transaction that writes to the catalog, after every other such transaction has ended.
    ///
    /// Who waits too long behind another process, or finds that the file is not the one that was opened, is refused.
    pub async fn write(&self) -> Result<Txn, DbErr> {
        let begun = Box::pin(self.begin_writing(Instant::now() + self.patience));
        if self.patience < TELL_AFTER {
            return begun.await;
        }
        tokio::pin!(begun);
        if let Ok(begun) = timeout(TELL_AFTER, &mut begun).await {
            return begun;
        }
        let reason = self.kept_from_writing().await;
        tracing::warn!(
            "waiting {} seconds at most to write to the catalog: {reason}",
            self.patience.as_secs()
        );
        begun.await
    }

    async fn begin_writing(&self, deadline: Instant) -> Result<Txn, DbErr> {
        let Some(turn) = self.shared.queue.turn(deadline).await else {
            return Err(self.kept_from_writing().await);
        };
        if let Some(file) = &self.shared.file {
            match timeout_at(deadline, file.check()).await {
                Ok(checked) => checked?,
                Err(_) => return Err(self.kept_from_writing().await),
            }
        }
        loop {
            let statements = match self.lock_head(deadline).await {
                Ok(Some(statements)) => statements,
                Ok(None) => return Err(self.kept_from_writing().await),
                Err(cause) if !is_locked(&cause) => {
                    self.shared.saw(&cause);
                    return Err(cause);
                }
                Err(_) if Instant::now() < deadline => {
                    sleep(AGAIN).await;
                    continue;
                }
                Err(_) => return Err(self.kept_from_writing().await),
            };
            *held(&self.shared.queue.writing) = Some(Instant::now());
            return Ok(Txn {
                statements: Some(statements),
                shared: Arc::clone(&self.shared),
                _turn: turn,
            });
        }
    }

    /// Begins a transaction that holds the head of the change log; nothing when the deadline came first.
    async fn lock_head(&self, deadline: Instant) -> Result<Option<Statements>, DbErr> {
        let db = self.clone();
        // It is never dropped half way: its connection would go back into the pool inside a transaction.
        let beginning = tokio::spawn(async move { db.begin_to_write().await });
        let statements = match timeout_at(deadline, beginning).await {
            Ok(Ok(begun)) => Statements::of(begun?),
            Ok(Err(broken)) => return Err(DbErr::Custom(broken.to_string())),
            Err(_) => return Ok(None),
        };
        let locking = changes::wait_for_turn(&statements);
        if self.backend() != DbBackend::Postgres {
            // The transaction has the one lock already; a busy machine is no other writer.
            return locking.await.map(|()| Some(statements));
        }
        match timeout_at(deadline, locking).await {
            Ok(locked) => locked.map(|()| Some(statements)),
            Err(_) => Ok(None),
        }
    }

    async fn begin_to_write(&self) -> Result<DatabaseTransaction, DbErr> {
        if self.backend() == DbBackend::Postgres {
            return self.begin().await;
        }
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.reads.whole().begin_with_options(options).await
    }

    /// Why nobody can write, as far as it can be found out.
    async fn kept_from_writing(&self) -> DbErr {
        let since = *held(&self.shared.queue.writing);
        if let Some(since) = since {
            let seconds = since.elapsed().as_secs();
            let this = std::process::id();
            let writer = format!("This process ({this}), for {seconds} seconds,");
            return Unwritable::Stuck(Holder::called(writer)).into();
        }
        if let Some(file) = &self.shared.file {
            return Unwritable::Stuck(holder::on_sqlite(file)).into();
        }
        match timeout(LOOKING, holder::on_postgres(&self.reads)).await {
            Ok(Ok(session)) => Unwritable::Stuck(session).into(),
            Ok(Err(cause)) => cause,
            // Not even that is answered.
            Err(_) => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(sqlx::Error::PoolTimedOut))),
        }
    }

    /// Makes the next probe find out whether the disk has room by using some of it.
    pub fn doubt_room(&self) {
        *held(&self.shared.queue.full) = true;
    }

    /// Finds out whether the catalog can be written, without changing it.
    ///
    /// Answers for a second with what the last probe found, so that nobody keeps writers waiting by asking. A write that
    /// meets a full disk ends a remembered success.
    pub async fn check_writing(&self) -> Result<(), DbErr> {
        let mut probed = self.shared.queue.probed.lock().await;
        let is_doubted = *held(&self.shared.queue.full);
        if let Some((when, found)) = &*probed
            && when.elapsed() < REMEMBERED
            && !(found.is_ok() && is_doubted)
        {
            return found.clone();
        }
        let found = self.probe().await;
        *probed = Some((Instant::now(), found.clone()));
        found
    }

    async fn probe(&self) -> Result<(), DbErr> {
        if let Some(file) = self.shared.file.clone() {
            file.check().await?;
            let room = tokio::task::spawn_blocking(move || file.has_room()).await;
            room.unwrap_or(Ok(()))?;
        }
        let before = changes::head(&self.reads).await?;
        let hasty = Self {
            patience: PROBING,
            ..self.clone()
        };
        let was_full = *held(&self.shared.queue.full);
        match hasty.write().await {
            // Only what is written tells whether there is room again.
            Ok(txn) if was_full => {
                if self.backend() == DbBackend::Postgres {
                    txn.execute_unprepared(USE_ROOM).await?;
                }
                txn.commit().await
            }
            Ok(_) => Ok(()),
            Err(cause) if kind_of(&cause) == Kind::Storage(Storage::Stuck) => {
                // Many who write one after the other are no reason to call for help.
                let moves = changes::head(&self.reads).await? != before;
                if moves { Ok(()) } else { Err(cause) }
            }
            Err(cause) => Err(cause),
        }
    }

    /// Refuses a SQLite file that is damaged, as far as a glance shows; a large one is read in the background.
    pub async fn refuse_damage(&self) -> Result<(), DbErr> {
        match &self.shared.file {
            Some(file) => Ok(file.check().await?),
            None => Ok(()),
        }
    }

    /// Starts to read the whole file of a SQLite database in the background; what is damaged in it is told from then on.
    pub fn start_check(&self) {
        if let Some(file) = self.shared.file.clone() {
            tokio::spawn(async move { file.look_now().await });
        }
    }

    /// Reads the whole file of a SQLite database. Answers what is damaged in it.
    pub async fn find_damage(&self) -> Result<Option<String>, DbErr> {
        match &self.shared.file {
            Some(file) => file.read_through().await,
            None => Ok(None),
        }
    }

    /// Writes down something that is good to know but not worth waiting for, such as when somebody was last seen.
    ///
    /// It is left out while somebody else of this process writes; while another process does, one note waits for it in
    /// the background and the others are left out. What goes wrong is only logged.
    pub async fn note<F>(&self, work: impl FnOnce(Reads) -> F)
    where
        F: Future<Output = Result<(), DbErr>> + Send + 'static,
    {
        let Ok(turn) = Arc::clone(&self.shared.queue.turn).try_lock_owned() else {
            return;
        };
        let work = work(self.reads.clone());
        let writing = tokio::spawn(async move {
            if let Err(cause) = work.await {
                tracing::debug!(%cause, "something that was seen was not written down");
            }
            drop(turn);
        });
        // It goes on by itself; whoever reads at once what was noted should find it as a rule.
        drop(timeout(NOTING, writing).await);
    }
}

impl Shared {
    /// Takes note of what went wrong with a write; its connection is not used again.
    fn saw(&self, cause: &DbErr) {
        let Kind::Storage(storage) = kind_of(cause) else {
            return;
        };
        match storage {
            Storage::Full => {
                self.spoiled.now();
                *held(&self.queue.full) = true;
            }
            Storage::Damaged => {
                if let Some(file) = &self.file {
                    file.met_damage(cause);
                }
            }
            Storage::Stuck | Storage::Replaced => {}
        }
    }
}

/// A transaction that writes to the catalog; dropping it undoes it.
#[derive(Debug)]
pub struct Txn {
    /// There until it is committed.
    statements: Option<Statements>,
    shared: Arc<Shared>,
    _turn: OwnedMutexGuard<()>,
}

impl Txn {
    /// Makes everything done in this transaction true at once.
    ///
    /// Refuses when a statement of it was refused, and when what was written would not be found: the file must still be
    /// where it was opened.
    pub async fn commit(mut self) -> Result<(), DbErr> {
        let statements = self.statements.take().expect("only a commit takes them");
        if let Some(cause) = statements.refusal() {
            self.shared.saw(cause);
            return Err(Unwritable::Aborted.into());
        }
        let stamp = self.shared.file.as_ref().and_then(File::stamp);
        if let Err(cause) = statements.commit().await {
            // Whether it is undone is not certain; nothing may run inside it by accident.
            self.shared.spoiled.now();
            self.shared.saw(&cause);
            return Err(cause);
        }
        *held(&self.shared.queue.full) = false;
        if let Some(file) = &self.shared.file {
            file.is_in_place()?;
            file.explain(stamp);
        }
        Ok(())
    }
}

impl Drop for Txn {
    fn drop(&mut self) {
        if let Some(cause) = self.statements.as_ref().and_then(Statements::refusal) {
            self.shared.saw(cause);
        }
        *held(&self.shared.queue.writing) = None;
    }
}

impl Deref for Txn {
    type Target = Statements;

    fn deref(&self) -> &Statements {
        self.statements.as_ref().expect("only a commit takes them")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use tempfile::TempDir;

    use super::*;

    async fn db(folder: &TempDir) -> Db {
        let file = folder.path().join("catalog.db");
        let url = SecretString::from(format!("sqlite://{}", file.display()));
        Db::connect(&url).await.unwrap()
    }

    #[tokio::test]
    async fn a_write_that_finds_no_connection_is_refused_at_its_deadline() {
        let folder = TempDir::new().unwrap();
        let db = Db {
            patience: Duration::from_millis(50),
            ..db(&folder).await
        };
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(db.begin().await.unwrap());
        }

        let begun = Instant::now();
        let refused = db.write().await;

        assert!(refused.is_err());
        assert!(begun.elapsed() < Duration::from_secs(4));
    }

    #[tokio::test]
    async fn what_a_write_has_met_since_is_looked_at_again() {
        let folder = TempDir::new().unwrap();
        let db = db(&folder).await;
        *db.shared.queue.probed.lock().await = Some((Instant::now(), Ok(())));
        db.check_writing().await.unwrap();

        db.doubt_room();

        // Nothing can be written here: this catalog has no tables.
        db.check_writing().await.unwrap_err();
    }

    #[tokio::test]
    async fn damage_that_is_not_there_any_more_is_forgotten() {
        let folder = TempDir::new().unwrap();
        let db = db(&folder).await;
        db.refuse_damage().await.unwrap();
        let file = db.shared.file.as_ref().unwrap();

        file.met_damage(&DbErr::Custom("a page could not be read".to_owned()));

        db.refuse_damage().await.unwrap();
    }
}
