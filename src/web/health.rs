//! What a load balancer asks: is the process there, and is it ready?

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use sea_orm::DbErr;
use serde::Serialize;

use super::searching;
use crate::auth::Visibility;
use crate::db::{self, Db, changes};
use crate::error::{Kind, Storage, chain};
use crate::search::Index;
use crate::telemetry::Numbers;

/// How often numbers are looked up when nobody asks.
const MEASURE: Duration = Duration::from_secs(30);

const OK: &str = "ok";
const BEHIND: &str = "behind";
const SILENT: &str = "does not answer";
const FOLLOW: &str = "Searches do not show the newest changes. If this lasts, the log says why the index cannot be written; \
                      look at the data folder.";

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    database: &'static str,
    /// Whether edits can be saved.
    writing: &'static str,
    index: &'static str,
    /// What to look at, where something is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// `GET /healthz`: this process runs.
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Health { status: "ok" })
}

/// Looks a letter up for nobody in particular, which asks the index alone.
async fn index_answers(db: &Db, index: &Index) -> bool {
    let found = searching::offer(db, index, &Visibility::Everything, "a", 1).await;
    found.is_ok()
}

/// How long the index may stand still while the catalog goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlowestIndex(pub(super) Duration);

/// `GET /readyz`: the database and the index answer, edits can be saved, and the index follows.
pub(super) async fn ready(
    db: Data<Db>,
    index: Data<Index>,
    slowest: Data<SlowestIndex>,
) -> HttpResponse {
    let database = word_for("database", database_answers(&db).await);
    let unwritable = match database {
        OK => db.check_writing().await.err(),
        _ => None,
    };
    let answers = index_answers(&db, &index).await;
    // Asked second, for a search notices damage, and damage is mended by building anew.
    let behind = index.behind_for();
    let is_stuck = behind.is_some_and(|behind| behind > slowest.0);
    let index = match behind {
        Some(_) => BEHIND,
        None => word_for("index", answers),
    };
    let writing = match (database, &unwritable) {
        (OK, None) => OK,
        (OK, Some(cause)) => word_for_writing(cause),
        (unanswered, _) => unanswered,
    };
    let hint = match &unwritable {
        Some(cause) => db::for_everybody(cause),
        None => (index == BEHIND).then(|| FOLLOW.to_owned()),
    };
    // Behind for a moment, it serves better than nothing does.
    let ready = [database, writing] == [OK; 2] && index != SILENT && !is_stuck;
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Readiness {
            ready,
            database,
            writing,
            index,
            hint,
        })
}

/// What keeps edits from being saved.
fn word_for_writing(cause: &DbErr) -> &'static str {
    tracing::warn!(cause = chain(cause), "not ready: nothing can be saved");
    match db::kind_of(cause) {
        Kind::Storage(Storage::Full) => "the disk is full",
        Kind::Storage(Storage::Stuck) => "stuck behind another writer",
        Kind::Storage(Storage::Replaced) => "the file was deleted or replaced",
        Kind::Storage(Storage::Damaged) => "the file is damaged",
        _ => "does not work",
    }
}

/// Asks for a row, because a ping of SQLite does not look at the file.
async fn database_answers(db: &Db) -> bool {
    changes::head(&**db)
        .await
        .inspect_err(|cause| tracing::warn!(cause = chain(cause), "the database does not answer"))
        .is_ok()
}

fn word_for(what: &'static str, answers: bool) -> &'static str {
    if answers {
        OK
    } else {
        tracing::warn!(what, "not ready");
        SILENT
    }
}

/// `GET /metrics`: what Prometheus collects.
pub(super) async fn numbers(
    db: Data<Db>,
    index: Data<Index>,
    numbers: Data<Numbers>,
) -> HttpResponse {
    measure(&db, &index).await;
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(numbers.render())
}

/// Keeps what has to be looked up fresh for a collector, which does not ask, for as long as it is awaited.
pub(super) async fn keep_measuring(db: Db, index: Index) {
    let mut ticks = tokio::time::interval(MEASURE);
    loop {
        ticks.tick().await;
        measure(&db, &index).await;
    }
}

async fn measure(db: &Db, index: &Index) {
    if let Ok(head) = changes::head(&**db).await {
        metrics::counter!("gazetteer_changes_total").absolute(head.unsigned_abs());
    }
    metrics::counter!("gazetteer_index_changes_total").absolute(index.applied().unsigned_abs());
    metrics::gauge!("gazetteer_index_assets")
        .set(f64::from(u32::try_from(index.len()).unwrap_or(u32::MAX)));
}
