//! Following the change log: reading what changed out of the catalog and feeding it to the index.
//!
//! A few changes are shown from memory at once; many go to disk, and so does what has gathered in memory. The index on disk
//! remembers the last change that it contains, so a follower that starts again after a crash goes on from there. Only one
//! process writes to disk at a time; every process shows the newest changes from its own memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Change, Document, Error, Index, Writer};
use crate::auth::Sight;
use crate::auth::principals::{self, Named, Principal};
use crate::catalog::{self, Asset, AssetId, Weighed};
use crate::db::changes::{self, Touched};
use crate::db::{Db, Subject};
use crate::error::chain;
use crate::revisions::{self, Found, plain_text};

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
    if fits && pending.assets.len() <= FEW {
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
    assets: Vec<AssetId>,
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
        let mut assets = assets_of(db, &touched).await?;
        // The saver has shown it already.
        index.recent(|recent| assets.retain(|id| !recent.contains(*id, until)));
        Ok(Self {
            assets,
            until,
            is_all: (touched.len() as u64) < BATCH,
        })
    }

    /// Whether it may be shown from memory.
    async fn fits(&self, db: &Db, index: &Index) -> Result<bool, Error> {
        if !self.is_all {
            return Ok(false);
        }
        let weighed = catalog::weigh(db, Weighed::Named(&self.assets)).await?;
        let bytes: u64 = weighed.into_iter().map(|(_, bytes)| bytes).sum();
        let bytes = usize::try_from(bytes.saturating_mul(IN_MEMORY)).unwrap_or(usize::MAX);
        Ok(index.recent(|recent| recent.has_room_for(self.assets.len(), bytes)))
    }

    /// Shows it from memory. Answers how many documents that took.
    async fn show(&self, db: &Db, index: &Index) -> Result<u64, Error> {
        let shown = show_assets(db, index, &self.assets, self.until).await?;
        index.follow_to(self.until);
        Ok(shown)
    }
}

/// Shows assets as they are now, which is at least as new as some change.
async fn show_assets(db: &Db, index: &Index, ids: &[AssetId], as_of: i64) -> Result<u64, Error> {
    let mut shown = 0;
    for batch in batches_of(db, ids).await? {
        let assets = catalog::find_assets(db, &Sight::Everything, &batch).await?;
        shown += assets.len() as u64;
        let documents = documents(db, &assets).await?;
        let index = index.clone();
        let held = tokio::task::spawn_blocking(move || index.hold(documents, as_of)).await;
        held.unwrap_or(Err(Error::Lost))?;
    }
    Ok(shown)
}

/// Shows an asset that was just written, out of turn, so that its writer's next search finds it whatever else is being
/// written.
pub async fn show(db: &Db, index: &Index, id: AssetId) -> Result<(), Error> {
    // Read first: what is then read of the asset contains this change, or more.
    let head = changes::head(&**db).await?;
    if index.recent(|recent| recent.has_room_for(1, 0)) {
        show_assets(db, index, &[id], head).await?;
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
    let mut next = Weighed::First(BATCH);
    loop {
        let batches = batches(db, next).await?;
        let Some(last) = batches.last().and_then(|batch| batch.last()) else {
            break;
        };
        next = Weighed::Behind(*last, BATCH);
        for batch in batches {
            let assets = catalog::find_assets(db, &Sight::Everything, &batch).await?;
            written += assets.len() as u64;
            rebuild.add(documents(db, &assets).await?)?;
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
        let concerned = assets_of(db, &touched).await?;
        for batch in batches_of(db, &concerned).await? {
            let assets = catalog::find_assets(db, &Sight::Everything, &batch).await?;
            written += assets.len() as u64;
            let documents = documents(db, &assets).await?;
            let changes = assets.iter().zip(documents);
            writer.apply(changes.map(|(asset, document)| Change {
                seq,
                id: asset.id,
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

/// Parts assets so that few are read at once where they are large.
async fn batches(db: &Db, which: Weighed<'_>) -> Result<Vec<Vec<AssetId>>, Error> {
    let mut batches: Vec<Vec<AssetId>> = Vec::new();
    let mut room = 0;
    for (id, bytes) in catalog::weigh(db, which).await? {
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

/// Parts these assets, however many.
async fn batches_of(db: &Db, ids: &[AssetId]) -> Result<Vec<Vec<AssetId>>, Error> {
    let mut all = Vec::new();
    for ids in ids.chunks(MOST_ASSETS) {
        all.extend(batches(db, Weighed::Named(ids)).await?);
    }
    Ok(all)
}

/// The assets whose documents changes concern, each once: their own, and those that name who got another name.
async fn assets_of(db: &Db, touched: &[Touched]) -> Result<Vec<AssetId>, Error> {
    let renamed = touched.iter().filter(|change| change.action == RENAMED);
    let renamed: Vec<Subject> = renamed.filter_map(|change| change.subject).collect();
    let referring = revisions::list_referring(db, &renamed).await?;
    let own = touched.iter().filter_map(|change| change.subject);
    let mut seen = HashSet::new();
    let assets = own.chain(referring).filter_map(AssetId::of);
    Ok(assets.filter(|id| seen.insert(*id)).collect())
}

async fn documents(db: &Db, assets: &[Asset]) -> Result<Vec<Document>, Error> {
    let owners = assets
        .iter()
        .flat_map(|asset| &asset.human.owners.content.0);
    let principals: HashSet<Principal> = owners.map(|owner| owner.principal).collect();
    let principals: Vec<Principal> = principals.into_iter().collect();
    let named = principals::find_named(db, &principals).await?;
    Ok(assets.iter().map(|asset| document(asset, &named)).collect())
}

fn document(asset: &Asset, named: &HashMap<Principal, Named>) -> Document {
    let human = &asset.human;
    let mut document = Document::new(asset.id, asset.kind, &asset.address, &asset.source)
        .inside(asset.parent)
        .gone(asset.gone_at.is_some())
        .measured(
            asset.facts.rows,
            asset.facts.updated_at.map(|at| at.date_naive()),
        )
        .deprecated(human.deprecation.content.since.is_some())
        .verified(human.verification.content.until);
    for found in human.found_by() {
        document = match found {
            Found::Name(name) => document.called(name),
            Found::Text(text) => document.described(&plain_text(text)),
            Found::PartText { text: "", .. } => document,
            Found::PartText { part, text } => document.noted(part, &plain_text(text)),
            Found::Tag(tag) => document.tagged(tag),
        };
    }
    for owner in &human.owners.content.0 {
        document = match named.get(&owner.principal) {
            Some(named) => document.owned_by(&named.label, &named.name),
            None => document.owned_by(&owner.name, &owner.name),
        };
    }
    document
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
