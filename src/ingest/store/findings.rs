//! Queries about what runs found.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{COMPLETE, database, find};
use crate::auth::Visibility;
use crate::catalog::{self, AssetId, Counts};
use crate::db::entity::{finding, listing, run};
use crate::db::{Page, PageRequest, storable};
use crate::ingest::{Error, Level, RunCounts, RunFinding, RunState, Severity};

/// Writes down findings, in their order.
pub(in crate::ingest) async fn add_findings(
    db: &impl ConnectionTrait,
    run: Uuid,
    findings: Vec<RunFinding>,
) -> Result<(), DbErr> {
    if findings.is_empty() {
        return Ok(());
    }
    let rows = findings.into_iter().map(|found| finding::ActiveModel {
        run_id: Set(run),
        position: Set(found.position),
        level: Set(found.level.as_str().to_owned()),
        asset_id: Set(found.asset.map(|id| id.0)),
        about: Set(found.about.as_deref().map(storable)),
        text: Set(storable(&found.text)),
        severity: Set(found.severity.rank()),
        since: Set(found.since),
    });
    finding::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// The newest ended run of the same recipe before a run, and the newest of them that did not fail; a failed run finds
/// nothing but its failure.
pub(in crate::ingest) async fn list_runs_before(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Vec<Uuid>, Error> {
    let run = find(db, id).await?;
    let ended = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::Recipe.eq(run.recipe))
        .filter(run::Column::Id.lt(id))
        .filter(run::Column::EndedAt.is_not_null())
        .order_by_desc(run::Column::Id);
    let well = [RunState::Succeeded, RunState::Partial].map(RunState::as_str);
    let newest: Option<Uuid> = ended.clone().into_tuple().one(db).await?;
    let well = ended.filter(run::Column::State.is_in(well));
    let well: Option<Uuid> = well.into_tuple().one(db).await?;
    let mut runs: Vec<Uuid> = newest.into_iter().chain(well).collect();
    runs.dedup();
    Ok(runs)
}

/// Since when some runs found what a later one found again: as much is missing of the same.
pub(in crate::ingest) async fn find_known(
    db: &impl ConnectionTrait,
    runs: &[Uuid],
    findings: &[RunFinding],
) -> Result<HashMap<(Severity, Option<String>), DateTime<Utc>>, DbErr> {
    if runs.is_empty() {
        return Ok(HashMap::new());
    }
    let about = findings
        .iter()
        .filter_map(|finding| finding.about.as_deref());
    let about = finding::Column::About.is_in(about.map(storable));
    let known: Vec<(i16, Option<String>, Option<DateTime<Utc>>)> = finding::Entity::find()
        .select_only()
        .columns([
            finding::Column::Severity,
            finding::Column::About,
            finding::Column::Since,
        ])
        .filter(finding::Column::RunId.is_in(runs.iter().copied()))
        .filter(about.or(finding::Column::About.is_null()))
        .into_tuple()
        .all(db)
        .await?;
    let mut since = HashMap::new();
    for (rank, about, found) in known {
        if let (Some(severity), Some(found)) = (Severity::of_rank(rank), found) {
            let first = since.entry((severity, about)).or_insert(found);
            *first = Ord::min(found, *first);
        }
    }
    Ok(since)
}

/// What can be told of a run to somebody who does not see all of it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::ingest) struct Told {
    /// Of the listings that are seen.
    pub(in crate::ingest) counts: RunCounts,
    /// Whether there is a problem with something that is seen.
    pub(in crate::ingest) problems: bool,
}

/// Adds up what somebody sees of some runs.
pub(in crate::ingest) async fn told(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    runs: &HashSet<Uuid>,
) -> Result<HashMap<Uuid, Told>, Error> {
    // Most databases do not change from run to run, so that there are few different counts.
    let rows: Vec<(Uuid, String, String, i64)> = listing::Entity::find()
        .select_only()
        .columns([
            listing::Column::RunId,
            listing::Column::State,
            listing::Column::Counts,
        ])
        .expr_as(
            Func::count(Expr::col((listing::Entity, listing::Column::DatabaseId))),
            "n",
        )
        .filter(listing::Column::RunId.is_in(runs.iter().copied()))
        .filter(catalog::belongs_to_seen(visibility, database()))
        .group_by(listing::Column::RunId)
        .group_by(listing::Column::State)
        .group_by(listing::Column::Counts)
        .into_tuple()
        .all(db)
        .await?;
    let mut told: HashMap<Uuid, Told> = HashMap::new();
    for (run, state, counts, many) in rows {
        let counts: Counts = serde_json::from_str(&counts).map_err(Error::damaged(run))?;
        let of = told.entry(run).or_default();
        let many = many.unsigned_abs();
        for _ in 0..many {
            of.counts.assets += counts;
        }
        of.counts.databases += many;
        if state != COMPLETE {
            of.counts.incomplete += many;
        }
    }
    let troubled: Vec<Uuid> = finding::Entity::find()
        .select_only()
        .column(finding::Column::RunId)
        .distinct()
        .filter(finding::Column::RunId.is_in(runs.iter().copied()))
        .filter(finding::Column::Level.eq(Level::Problem.as_str()))
        .filter(catalog::belongs_to_seen(visibility, subject()))
        .into_tuple()
        .all(db)
        .await?;
    for run in troubled {
        told.entry(run).or_default().problems = true;
    }
    Ok(told)
}

/// The asset that a finding is about.
fn subject() -> Expr {
    Expr::col((finding::Entity, finding::Column::AssetId))
}

/// Lists the findings of a run, the worst first and then in the order in which they were made; only those about what
/// somebody sees, numbered as if these were all.
pub(in crate::ingest) async fn list_findings(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    run: Uuid,
    page: &PageRequest,
) -> Result<Page<RunFinding>, Error> {
    let after = page.key::<(i16, i32)>()?.unwrap_or((-1, -1));
    let (severity, position) = (finding::Column::Severity, finding::Column::Position);
    let is_listed_before = severity
        .lt(after.0)
        .or(severity.eq(after.0).and(position.lte(after.1)));
    let all = finding::Entity::find()
        .filter(finding::Column::RunId.eq(run))
        .filter(catalog::belongs_to_seen(visibility, subject()));
    let rows = all
        .clone()
        .filter(is_listed_before.clone().not())
        .order_by_asc(severity)
        .order_by_asc(position)
        .limit(page.limit + 1)
        .all(db)
        .await?;
    let before: Option<i64> = all
        .filter(is_listed_before)
        .select_only()
        .expr_as(Func::count(Expr::col(position)), "n")
        .into_tuple()
        .one(db)
        .await?;
    let mut page = Page::of_rows(rows, page, |row| (row.severity, row.position));
    let first = i32::try_from(before.unwrap_or_default()).unwrap_or(i32::MAX);
    for (position, row) in (first..).zip(&mut page.items) {
        row.position = position;
    }
    Ok(page.map(read_finding))
}

/// Which of some assets, each with its database, the newest listing of that had a problem with.
pub(in crate::ingest) async fn troubled_among(
    db: &impl ConnectionTrait,
    assets: &[(AssetId, AssetId)],
    newest: &HashMap<Uuid, Uuid>,
) -> Result<HashSet<AssetId>, DbErr> {
    let database: HashMap<Uuid, Uuid> = assets.iter().map(|(id, of)| (id.0, of.0)).collect();
    let rows: Vec<(Option<Uuid>, Uuid)> = finding::Entity::find()
        .select_only()
        .columns([finding::Column::AssetId, finding::Column::RunId])
        .filter(finding::Column::AssetId.is_in(database.keys().copied()))
        .filter(finding::Column::RunId.is_in(newest.values().copied()))
        .filter(finding::Column::Level.eq(Level::Problem.as_str()))
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    let troubled = rows.into_iter().filter_map(|(id, run)| {
        let id = id?;
        let is_newest = newest.get(database.get(&id)?) == Some(&run);
        is_newest.then_some(AssetId(id))
    });
    Ok(troubled.collect())
}

/// The first problems that a run had with an asset.
pub(in crate::ingest) async fn problems_with(
    db: &impl ConnectionTrait,
    run: Uuid,
    asset: AssetId,
    limit: u64,
) -> Result<Vec<RunFinding>, DbErr> {
    let rows = finding::Entity::find()
        .filter(finding::Column::AssetId.eq(asset.0))
        .filter(finding::Column::RunId.eq(run))
        .filter(finding::Column::Level.eq(Level::Problem.as_str()))
        .order_by_asc(finding::Column::Severity)
        .order_by_asc(finding::Column::Position)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read_finding).collect())
}

fn read_finding(row: finding::Model) -> RunFinding {
    RunFinding {
        position: row.position,
        level: if row.level == Level::Problem.as_str() {
            Level::Problem
        } else {
            Level::Notice
        },
        asset: row.asset_id.map(AssetId),
        about: row.about,
        text: row.text,
        severity: Severity::of_rank(row.severity).unwrap_or(Severity::NotReadInFull),
        since: row.since,
    }
}
