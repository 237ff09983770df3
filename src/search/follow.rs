//! Following the change log: reading what changed out of the catalog and feeding it to the index.
//!
//! A few changes are shown from memory at once; many go to disk, and so does what has gathered in memory. The index on disk
//! remembers the last change that it contains, so a follower that starts again after a crash goes on from there. Only one
//! process writes to disk at a time; every process shows the newest changes from its own memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::documents::{self, Which, has_document};
use super::{Change, Error, Index, Writer};
use crate::db::changes::{self, Touched};
use crate::db::{Db, Subject};
use crate::error::chain;
use crate::revisions;

/// How many changes are read at once.
const BATCH: u64 = 1_000;

/// Up to so many assets that changed are shown from memory; more go to disk.
const FEW: usize = 100;

/// How long changes may wait for a commit while more are coming in.
const COMMIT_AFTER: Duration = Duration::from_secs(2);

/// How many assets are read at once, and how many bytes of their documents in the database.
const MOST_ASSETS: usize = 1_000;
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// In memory, documents take so many times as much as in the database, about.
const IN_MEMORY: u64 = 4;

/// The word in the log for a person who is called something else from then on.
const RENAMED: &str = "display_name_changed";

/// How often the log is looked at when nobody in this process has written anything.
const LOOK: Duration = Duration::from_secs(1);

/// How long writing to disk is left alone after it did not succeed; twice as long each time, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(16);

/// Brings the index up to the newest change, then returns. Answers how many documents were read for it.
///
/// An index that is damaged, or knows nothing or more than the catalog does, is built anew, while the old one goes on
/// answering.
pub async fn catch_up(db: &Db, index: &Index) -> Result<u64, Error> {
    advance(db, index, true).await
}

/// Brings the index up to the newest change on disk, so that the next process need not read it again.
pub async fn write_down(db: &Db, index: &Index) -> Result<u64, Error> {
    let read = catch_up(db, index).await?;
    if index.applied() > index.written() {
        return Ok(read + write(db, index).await?);
    }
    Ok(read)
}

async fn advance(db: &Db, index: &Index, may_write: bool) -> Result<u64, Error> {
    index.inspect();
    if let Err(error) = index.refresh() {
        tracing::debug!(%error, "the search index could not be refreshed");
    }
    let (is_unusable, head) = judge(db, index).await?;
    if is_unusable {
        if !may_write {
            return Err(Error::Busy);
        }
        if let Some(written) = build_anew(db, index).await? {
            return Ok(written);
        }
    }
    let pending = Pending::read(db, index).await?;
    let fits = pending.fits(db, index).await?;
    let mut read = 0;
    if fits && pending.subjects.len() <= FEW {
        read += pending.show(db, index).await?;
    }
    if index.applied() >= head && !index.is_due() {
        return Ok(read);
    }
    let written = if may_write {
        write(db, index).await
    } else {
        Err(Error::Busy)
    };
    if written.is_err() && fits && index.applied() < head {
        read += pending.show(db, index).await?;
    }
    match written {
        Ok(written) => Ok(read + written),
        Err(Error::Busy) if index.applied() >= head => Ok(read),
        Err(error) => Err(error),
    }
}

/// Tells whether the index on disk cannot be gone on with, and the newest change.
async fn judge(db: &Db, index: &Index) -> Result<(bool, i64), Error> {
    // What the index contains is read first: others go on meanwhile, and may take it past a head that was read before.
    let applied = index.applied();
    let head = changes::head(&**db).await?;
    let is_unusable = index.is_damaged() || applied > head || (index.written() == 0 && head > 0);
    Ok((is_unusable, head))
}

/// Builds the index anew, unless another process just has.
async fn build_anew(db: &Db, index: &Index) -> Result<Option<u64>, Error> {
    let mut writer = index.writer()?;
    let (is_unusable, head) = judge(db, index).await?;
    if !is_unusable {
        return Ok(None);
    }
    if index.applied() > head {
        index.forget()?;
    }
    note_missing(db, index).await;
    rebuild(db, &mut writer, index).await.map(Some)
}

/// What changed that the index does not contain.
struct Pending {
    subjects: Vec<Subject>,
    /// The last of the changes.
    until: i64,
    /// Whether no more have been made.
    is_all: bool,
}

impl Pending {
    async fn read(db: &Db, index: &Index) -> Result<Self, Error> {
        let applied = index.applied();
        let touched = changes::list_after(&**db, applied, BATCH).await?;
        let until = touched.last().map_or(applied, |last| last.seq);
        let mut subjects = subjects_of(db, &touched).await?;
        // The saver has shown it already.
        index.recent(|recent| subjects.retain(|id| !recent.contains(*id, until)));
        Ok(Self {
            subjects,
            until,
            is_all: (touched.len() as u64) < BATCH,
        })
    }

    /// Whether it may be shown from memory.
    async fn fits(&self, db: &Db, index: &Index) -> Result<bool, Error> {
        if !self.is_all {
            return Ok(false);
        }
        let weighed = documents::weigh(db, Which::Named(&self.subjects)).await?;
        let bytes: u64 = weighed.into_iter().map(|(_, bytes)| bytes).sum();
        let bytes = usize::try_from(bytes.saturating_mul(IN_MEMORY)).unwrap_or(usize::MAX);
        Ok(index.recent(|recent| recent.has_room_for(self.subjects.len(), bytes)))
    }

    /// Shows it from memory. Answers how many documents that took.
    async fn show(&self, db: &Db, index: &Index) -> Result<u64, Error> {
        let shown = show_all(db, index, &self.subjects, self.until).await?;
        index.follow_to(self.until);
        Ok(shown)
    }
}

/// Shows things as they are now, which is at least as new as some change.
async fn show_all(db: &Db, index: &Index, subjects: &[Subject], as_of: i64) -> Result<u64, Error> {
    let mut shown = 0;
    for batch in batches_of(db, subjects).await? {
        let documents = documents::read(db, &batch).await?;
        shown += documents.len() as u64;
        let index = index.clone();
        let held = tokio::task::spawn_blocking(move || index.hold(documents, as_of)).await;
        held.unwrap_or(Err(Error::Lost))?;
    }
    Ok(shown)
}

/// Shows a thing that was just written, out of turn, so that its writer's next search finds it whatever else is being
/// written.
pub async fn show(db: &Db, index: &Index, subject: Subject) -> Result<(), Error> {
    // Read first: what is then read of the thing contains this change, or more.
    let head = changes::head(&**db).await?;
    if index.recent(|recent| recent.has_room_for(1, 0)) {
        show_all(db, index, &[subject], head).await?;
    }
    Ok(())
}

/// Writes to disk what is not there yet.
async fn write(db: &Db, index: &Index) -> Result<u64, Error> {
    let mut writer = index.writer()?;
    note_missing(db, index).await;
    let written = apply_changes(db, &mut writer, index).await?;
    writer.settle()?;
    Ok(written)
}

/// Notes since when changes are missing, or may be because the index is damaged.
async fn note_missing(db: &Db, index: &Index) {
    let first = changes::time_after(&**db, index.shown()).await;
    let is_whole = matches!(first, Ok(None)) && !index.is_damaged();
    let first = first.ok().flatten().or(index.missing_since());
    index.note_lag((!is_whole).then(|| first.unwrap_or_else(Utc::now)));
}

/// Builds the index anew from the whole catalog. Answers how many documents were written.
pub async fn rebuild_all(db: &Db, index: &Index) -> Result<u64, Error> {
    rebuild(db, &mut index.writer()?, index).await
}

async fn rebuild(db: &Db, writer: &mut Writer, index: &Index) -> Result<u64, Error> {
    // Taken first: whatever changes meanwhile is applied once more afterwards.
    let head = changes::head(&**db).await?;
    let mut rebuild = writer.rebuild()?;
    let mut written = 0;
    let mut next = Which::First(BATCH);
    loop {
        let batches = batches(db, next).await?;
        let Some(last) = batches.last().and_then(|batch| batch.last()) else {
            break;
        };
        next = Which::Behind(*last, BATCH);
        for batch in batches {
            let documents = documents::read(db, &batch).await?;
            written += documents.len() as u64;
            rebuild.add(documents)?;
        }
        if !index.is_empty() {
            // It is slow, not stuck, and the old one answers.
            index.note_progress();
        }
    }
    rebuild.finish(head)?;
    info!("built the search index anew: {written} documents");
    Ok(written)
}

async fn apply_changes(db: &Db, writer: &mut Writer, index: &Index) -> Result<u64, Error> {
    let mut applied = index.written();
    let mut written = 0;
    let mut committed = Instant::now();
    loop {
        let touched = changes::list_after(&**db, applied, BATCH).await?;
        let Some(last) = touched.last() else { break };
        let seq = last.seq;
        let concerned = subjects_of(db, &touched).await?;
        for batch in batches_of(db, &concerned).await? {
            let documents = documents::read(db, &batch).await?;
            written += documents.len() as u64;
            writer.apply(documents.into_iter().map(|document| Change {
                seq,
                subject: document.subject(),
                document: Some(document),
            }))?;
            if writer.is_full() {
                // As of the last change that is contained wholly.
                writer.commit(applied)?;
                committed = Instant::now();
            }
        }
        applied = seq;
        if committed.elapsed() > COMMIT_AFTER {
            writer.commit(applied)?;
            note_missing(db, index).await;
            committed = Instant::now();
        }
    }
    writer.commit(applied)?;
    Ok(written)
}

/// Parts things so that few are read at once where they are large.
async fn batches(db: &Db, which: Which<'_>) -> Result<Vec<Vec<Subject>>, Error> {
    let mut batches: Vec<Vec<Subject>> = Vec::new();
    let mut room = 0;
    for (id, bytes) in documents::weigh(db, which).await? {
        match batches.last_mut() {
            Some(batch) if bytes <= room && batch.len() < MOST_ASSETS => batch.push(id),
            _ => {
                batches.push(vec![id]);
                room = MOST_BYTES;
            }
        }
        room = room.saturating_sub(bytes);
    }
    Ok(batches)
}

/// Parts these things, however many.
async fn batches_of(db: &Db, subjects: &[Subject]) -> Result<Vec<Vec<Subject>>, Error> {
    let mut all = Vec::new();
    for subjects in subjects.chunks(MOST_ASSETS) {
        all.extend(batches(db, Which::Named(subjects)).await?);
    }
    Ok(all)
}

/// The things whose documents changes concern, each once: their own, and those that name what got another name.
async fn subjects_of(db: &Db, touched: &[Touched]) -> Result<Vec<Subject>, Error> {
    let renamed = touched.iter().filter(|change| change.action == RENAMED);
    let renamed: Vec<Subject> = renamed.filter_map(|change| change.subject).collect();
    let referring = revisions::list_referring(db, &renamed).await?;
    let own = touched.iter().filter_map(|change| change.subject);
    let mut seen = HashSet::new();
    let concerned = own.chain(referring);
    Ok(concerned
        .filter(|subject| has_document(*subject) && seen.insert(*subject))
        .collect())
}

/// Follows the change log until `stop` is cancelled; what is in memory then is written to disk.
///
/// Looks whenever `written` says so, and every second for what other processes wrote.
pub async fn follow(db: Db, index: Index, written: Arc<Notify>, stop: CancellationToken) {
    let mut trouble = Trouble::default();
    while !stop.is_cancelled() {
        let may_write = trouble.is_over();
        let outcome = advance_aside(&db, &index, may_write).await;
        note(&db, &index, &outcome).await;
        if may_write {
            trouble.note(&outcome);
        }
        tokio::select! {
            () = written.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
    if trouble.is_over() && index.applied() > index.written() {
        let (db, index, runtime) = (db.clone(), index.clone(), Handle::current());
        let writing = move || runtime.block_on(write(&db, &index));
        // What cannot be written now is read from the log at the next start.
        drop(tokio::task::spawn_blocking(writing).await);
    }
}

/// Whether writing to disk did not succeed lately, and how long to leave it alone.
#[derive(Default)]
struct Trouble {
    until: Option<Instant>,
    pause: Option<Duration>,
    is_said: bool,
}

impl Trouble {
    fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    fn note(&mut self, outcome: &Result<u64, Error>) {
        let error = match outcome {
            Ok(_) => return *self = Self::default(),
            Err(Error::Busy) => return,
            Err(error) => error,
        };
        if !self.is_said {
            warn!(
                "the search index cannot follow the catalog for now: {}",
                chain(error)
            );
            self.is_said = true;
        }
        if matches!(error, Error::Folder(_) | Error::Index(_) | Error::Lost) {
            let pause = self
                .pause
                .map_or(FIRST_PAUSE, |pause| LAST_PAUSE.min(2 * pause));
            self.pause = Some(pause);
            self.until = Some(Instant::now() + pause);
        }
    }
}

/// Notes whether the index now contains every change, written by this process or by another one.
async fn note(db: &Db, index: &Index, outcome: &Result<u64, Error>) {
    let head = changes::head(&**db).await;
    let is_all = head.is_ok_and(|head| index.applied() >= head) && !index.is_damaged();
    if is_all || outcome.is_ok() {
        index.note_lag(None);
    } else {
        note_missing(db, index).await;
    }
}

/// Catches up on a thread where it may take its time: writing an index keeps a processor busy.
async fn advance_aside(db: &Db, index: &Index, may_write: bool) -> Result<u64, Error> {
    let (db, index, runtime) = (db.clone(), index.clone(), Handle::current());
    let work = move || {
        let read = runtime.block_on(advance(&db, &index, may_write))?;
        index.thin()?;
        Ok(read)
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(Error::Lost))
}
