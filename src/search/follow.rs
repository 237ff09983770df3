//! Following the change log: reading what changed out of the catalog and feeding it to the index.
//!
//! The index remembers the last change that it contains, so a follower that starts again after a crash goes on where the
//! last commit was. Only one process writes an index; the followers of the others wait, and take up what it commits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{Change, Document, Error, Index, Writer};
use crate::auth::Sight;
use crate::auth::principals::{self, Named, Principal};
use crate::catalog::human::plain_text;
use crate::catalog::{self, Asset, AssetId};
use crate::db::Db;
use crate::db::changes::{self, Touched};
use crate::error::chain;

/// How many changes are read at once.
const BATCH: u64 = 1_000;

/// How long changes may wait for a commit while more are coming in.
const COMMIT_AFTER: Duration = Duration::from_secs(2);

/// How many assets are read at once.
const MOST_ASSETS: usize = 1_000;

/// The word in the log for a person who is called something else from then on.
const RENAMED: &str = "display_name_changed";

/// How long whoever wrote something waits for the index.
const A_MOMENT: Duration = Duration::from_secs(2);

/// How often they look meanwhile.
const GLANCE: Duration = Duration::from_millis(10);

/// How often the log is looked at when nobody in this process has written anything.
const LOOK: Duration = Duration::from_secs(1);

/// Brings the index up to the newest change, then returns. Answers how many documents were written.
///
/// An index that knows nothing, or more than the catalog does, is built anew, while the old one goes on answering.
pub async fn catch_up(db: &Db, index: &Index) -> Result<u64, Error> {
    let head = changes::head(&**db).await?;
    let applied = match index.refresh() {
        Ok(()) => index.applied(),
        Err(Error::Lost) => 0,
        Err(error) => return Err(error),
    };
    if applied == head {
        return Ok(0);
    }
    let mut writer = index.writer()?;
    if applied == 0 || applied > head {
        rebuild(db, &mut writer).await
    } else {
        apply_changes(db, &mut writer, applied).await
    }
}

/// Builds the index anew from the whole catalog. Answers how many documents were written.
pub async fn rebuild_all(db: &Db, index: &Index) -> Result<u64, Error> {
    rebuild(db, &mut index.writer()?).await
}

async fn rebuild(db: &Db, writer: &mut Writer) -> Result<u64, Error> {
    // Taken first: whatever changes meanwhile is applied once more afterwards.
    let head = changes::head(&**db).await?;
    let mut rebuild = writer.rebuild()?;
    let mut written = 0;
    let mut after: Option<AssetId> = None;
    loop {
        let assets = catalog::list_all(db, after, BATCH).await?;
        let Some(last) = assets.last() else { break };
        after = Some(last.id);
        written += assets.len() as u64;
        rebuild.add(documents(db, &assets).await?)?;
    }
    rebuild.finish(head)?;
    info!("built the search index anew: {written} documents");
    Ok(written)
}

async fn apply_changes(db: &Db, writer: &mut Writer, mut applied: i64) -> Result<u64, Error> {
    let mut written = 0;
    let mut committed = Instant::now();
    loop {
        let touched = changes::list_after(&**db, applied, BATCH).await?;
        let Some(last) = touched.last() else { break };
        let seq = last.seq;
        for batch in assets_of(db, &touched).await?.chunks(MOST_ASSETS) {
            let assets = catalog::find_assets(db, &Sight::Everything, batch).await?;
            written += assets.len() as u64;
            let documents = documents(db, &assets).await?;
            let changes = assets.iter().zip(documents);
            writer.apply(changes.map(|(asset, document)| Change {
                seq,
                id: asset.id,
                document: Some(document),
            }))?;
        }
        applied = seq;
        if committed.elapsed() > COMMIT_AFTER {
            writer.commit(applied)?;
            committed = Instant::now();
        }
    }
    writer.commit(applied)?;
    Ok(written)
}

/// The assets whose documents changes concern, each once: their own, and what somebody owns who got another name.
async fn assets_of(db: &Db, touched: &[Touched]) -> Result<Vec<AssetId>, Error> {
    let renamed: Vec<Uuid> = touched
        .iter()
        .filter(|change| change.action == RENAMED)
        .map(|change| change.subject_id)
        .collect();
    let owned = catalog::list_owned_by(db, &renamed).await?;
    let own = touched
        .iter()
        .filter(|change| change.subject_kind == "asset");
    let mut seen = HashSet::new();
    Ok(own
        .map(|change| AssetId(change.subject_id))
        .chain(owned)
        .filter(|id| seen.insert(*id))
        .collect())
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
    let description = human.description().map(plain_text);
    let mut document = Document::new(asset.id, asset.kind, &asset.address, &asset.source)
        .inside(asset.parent)
        .gone(asset.gone_at.is_some())
        .described(description.as_deref())
        .deprecated(human.deprecation.content.since.is_some())
        .verified(human.verification.content.until);
    for (path, note) in &human.notes {
        if !note.content.text.is_empty() {
            document = document.noted(path, &plain_text(&note.content.text));
        }
    }
    for tag in &human.tags.content.0 {
        document = document.tagged(tag);
    }
    for owner in &human.owners.content.0 {
        document = match named.get(&owner.principal) {
            Some(named) => document.owned_by(&named.label, &named.name),
            None => document.owned_by(&owner.name, &owner.name),
        };
    }
    document
}

/// Waits until the index contains everything that has been written so far, so that whoever wrote it finds it; but no
/// longer than a moment, for an index that is busy catches up by itself.
pub async fn until_applied(db: &Db, index: &Index, written: &Notify) -> Result<(), Error> {
    let head = changes::head(&**db).await?;
    let deadline = Instant::now() + A_MOMENT;
    written.notify_one();
    while index.applied() < head && Instant::now() < deadline {
        tokio::time::sleep(GLANCE).await;
        // Another process may be the one that writes the index.
        match index.refresh() {
            Ok(()) | Err(Error::Lost) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Follows the change log until `stop` is cancelled; what is being written then is finished first.
///
/// Looks whenever `written` says so, and every second for what other processes wrote.
pub async fn follow(db: Db, index: Index, written: Arc<Notify>, stop: CancellationToken) {
    let mut healthy = true;
    while !stop.is_cancelled() {
        let outcome = catch_up_aside(&db, &index).await;
        index.note_lag(is_all(&db, &index, &outcome).await);
        match outcome {
            Ok(_) => healthy = true,
            Err(Error::Busy) => {}
            Err(trouble) if healthy => {
                warn!(
                    "the search index cannot follow the catalog for now: {}",
                    chain(&trouble)
                );
                healthy = false;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = written.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Whether the index now contains every change, written by this process or by another one.
async fn is_all(db: &Db, index: &Index, outcome: &Result<u64, Error>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(Error::Busy) => changes::head(&**db)
            .await
            .is_ok_and(|head| index.applied() >= head),
        Err(_) => false,
    }
}

/// Catches up on a thread where it may take its time: writing an index keeps a processor busy.
async fn catch_up_aside(db: &Db, index: &Index) -> Result<u64, Error> {
    let (db, index, runtime) = (db.clone(), index.clone(), Handle::current());
    tokio::task::spawn_blocking(move || runtime.block_on(catch_up(&db, &index)))
        .await
        .unwrap_or(Err(Error::Lost))
}
