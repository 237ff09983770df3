//! Every query about runs.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, JoinType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, SqlErr,
};
use uuid::Uuid;

use super::{Error, Level, Listed, Run, RunCounts, RunFinding, RunState, Severity, StartedBy};
use crate::auth::scopes::select_closed_sources;
use crate::auth::{Sight, Who};
use crate::catalog::{self, AssetId, Counts};
use crate::db::clock::{clock, moment_ago};
use crate::db::entity::{asset, finding, listing, run};
use crate::db::lease::is_held;
use crate::db::{Page, PageRequest, storable};

/// The state of a listing that was read to its last page.
const COMPLETE: &str = "complete";

/// Writes down that a run has begun, for a time at which its recipe was due if the schedule starts it. The unique indexes
/// on `active` and `due` decide who came first.
pub(super) async fn begin(
    db: &impl ConnectionTrait,
    run: &Run,
    process: &str,
    due: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let active = active(&run.recipe);
    let due = due.map(|due| format!("{active} {}", due.to_rfc3339()));
    let row = run::ActiveModel {
        id: Set(run.id),
        recipe: Set(run.recipe.clone()),
        started_by: Set(run.started_by.as_str().to_owned()),
        actor: Set(serde_json::to_string(&run.who).expect("an actor is plain text")),
        state: Set(run.state.as_str().to_owned()),
        active: Set(Some(active)),
        process: Set(process.to_owned()),
        started_at: Set(run.started_at),
        heartbeat_at: Set(run.heartbeat_at),
        ended_at: Set(None),
        counts: Set(counts(&run.counts)),
        failure: Set(None),
        due: Set(due),
    };
    match run::Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(said)) if said.contains("due") => {
                Error::AlreadyStarted(run.recipe.clone())
            }
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::AlreadyRunning(run.recipe.clone()),
            _ => error.into(),
        }),
    }
}

/// The digest by which at most one run of a recipe is active.
fn active(recipe: &str) -> String {
    blake3::hash(recipe.as_bytes())
        .to_hex()
        .chars()
        .take(32)
        .collect()
}

fn counts(counts: &RunCounts) -> String {
    serde_json::to_string(counts).expect("counts are numbers")
}

/// Lists the runs that have not ended, with the process that each belongs to.
pub(super) async fn list_active(db: &impl ConnectionTrait) -> Result<Vec<(Uuid, String)>, DbErr> {
    run::Entity::find()
        .select_only()
        .columns([run::Column::Id, run::Column::Process])
        .filter(run::Column::Active.is_not_null())
        .into_tuple()
        .all(db)
        .await
}

/// Finds the recipes of some runs.
pub(super) async fn recipes_of(
    db: &impl ConnectionTrait,
    runs: &[Uuid],
) -> Result<HashMap<Uuid, String>, DbErr> {
    let rows: Vec<(Uuid, String)> = run::Entity::find()
        .select_only()
        .columns([run::Column::Id, run::Column::Recipe])
        .filter(run::Column::Id.is_in(runs.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Says that a run goes on, and how far it is. False when the run has been ended meanwhile.
pub(super) async fn heartbeat(
    db: &impl ConnectionTrait,
    id: Uuid,
    so_far: &RunCounts,
) -> Result<bool, DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::HeartbeatAt, clock(db))
        .col_expr(run::Column::Counts, Expr::value(counts(so_far)))
        .filter(is_held(id))
        .exec(db)
        .await
        .map(|done| done.rows_affected > 0)
}

/// Writes down how a run ended. False when the run had been ended already, which stays as it is.
pub(super) async fn end(db: &impl ConnectionTrait, run: &Run) -> Result<bool, DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::State, Expr::value(run.state.as_str()))
        .col_expr(run::Column::Counts, Expr::value(counts(&run.counts)))
        .col_expr(
            run::Column::Failure,
            Expr::value(run.failure.as_deref().map(storable)),
        )
        .col_expr(run::Column::EndedAt, Expr::value(run.ended_at))
        .col_expr(run::Column::Active, Expr::value(None::<String>))
        .filter(is_held(run.id))
        .exec(db)
        .await
        .map(|done| done.rows_affected > 0)
}

/// Ends a run that somebody else carries out, unless it has ended already, or has been heard of within `silence`.
pub(super) async fn interrupt(
    db: &impl ConnectionTrait,
    id: Uuid,
    silence: Option<TimeDelta>,
    why: &str,
) -> Result<(), DbErr> {
    let silent = silence.map(|limit| Expr::col(run::Column::HeartbeatAt).lt(moment_ago(db, limit)));
    run::Entity::update_many()
        .col_expr(
            run::Column::State,
            Expr::value(RunState::Interrupted.as_str()),
        )
        .col_expr(run::Column::EndedAt, clock(db))
        .col_expr(run::Column::Active, Expr::value(None::<String>))
        .col_expr(run::Column::Failure, Expr::value(why))
        .filter(is_held(id).add_option(silent))
        .exec(db)
        .await
        .map(drop)
}

/// Writes down how the listings of some databases ended.
pub(super) async fn add_listings(
    db: &impl ConnectionTrait,
    listings: &[Listed],
) -> Result<(), DbErr> {
    if listings.is_empty() {
        return Ok(());
    }
    let rows = listings.iter().map(|listed| listing::ActiveModel {
        run_id: Set(listed.run),
        database_id: Set(listed.database.0),
        name: Set(storable(&listed.name)),
        state: Set(if listed.complete {
            COMPLETE
        } else {
            "incomplete"
        }
        .to_owned()),
        reason: Set(listed.reason.as_deref().map(storable)),
        counts: Set(serde_json::to_string(&listed.counts).expect("counts are numbers")),
        listed_at: Set(listed.listed_at),
    });
    listing::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Writes down findings, in their order.
pub(super) async fn add_findings(
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
pub(super) async fn list_runs_before(
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
pub(super) async fn find_known(
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

/// Finds one run.
pub(super) async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Run, Error> {
    let row = run::Entity::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::UnknownRun)?;
    read(row)
}

/// Lists runs, newest first.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    recipe: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Run>, Error> {
    let mut query = run::Entity::find()
        .order_by_desc(run::Column::Id)
        .limit(page.limit + 1);
    if let Some(recipe) = recipe {
        query = query.filter(run::Column::Recipe.eq(recipe));
    }
    if let Some(id) = page.key::<Uuid>()? {
        query = query.filter(run::Column::Id.lt(id));
    }
    let rows = query
        .all(db)
        .await?
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of_rows(rows, page, |run| run.id))
}

/// Finds the newest run of each of some recipes.
pub(super) async fn latest(db: &impl ConnectionTrait, recipes: &[&str]) -> Result<Vec<Run>, Error> {
    let newer = Alias::new("newer");
    let no_newer = Query::select()
        .expr(Expr::val(1))
        .from_as(run::Entity, newer.clone())
        .and_where(
            Expr::col((newer.clone(), run::Column::Recipe))
                .equals((run::Entity, run::Column::Recipe)),
        )
        .and_where(
            Expr::col((newer, run::Column::Id)).gt(Expr::col((run::Entity, run::Column::Id))),
        )
        .to_owned();
    let rows = run::Entity::find()
        .filter(run::Column::Recipe.is_in(recipes.iter().copied()))
        .filter(Expr::exists(no_newer).not())
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Which of some runs read a source in which something is hidden from somebody, or may have tried to.
pub(super) async fn seen_in_part(
    db: &impl ConnectionTrait,
    sight: &Sight,
    runs: &[Uuid],
) -> Result<HashSet<Uuid>, DbErr> {
    let Some(closed) = select_closed_sources(sight) else {
        return Ok(HashSet::new());
    };
    let of_run = || {
        Expr::col((listing::Entity, listing::Column::RunId)).equals((run::Entity, run::Column::Id))
    };
    let any = Query::select()
        .expr(Expr::val(1))
        .from(listing::Entity)
        .and_where(of_run())
        .to_owned();
    let of = |column, closed| Expr::col((asset::Entity, column)).equals(("closed", closed));
    let touched = Query::select()
        .expr(Expr::val(1))
        .from(listing::Entity)
        .inner_join(
            asset::Entity,
            Expr::col((asset::Entity, asset::Column::Id))
                .equals((listing::Entity, listing::Column::DatabaseId)),
        )
        .join_subquery(
            JoinType::InnerJoin,
            closed,
            "closed",
            of(asset::Column::Platform, "platform").and(of(asset::Column::Instance, "instance")),
        )
        .and_where(of_run())
        .to_owned();
    let ids: Vec<Uuid> = run::Entity::find()
        .select_only()
        .column(run::Column::Id)
        .filter(run::Column::Id.is_in(runs.iter().copied()))
        .filter(
            Condition::any()
                .add(Expr::exists(any).not())
                .add(Expr::exists(touched)),
        )
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().collect())
}

/// What can be told of a run to somebody who does not see all of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    /// Of the listings that are seen.
    pub(super) counts: RunCounts,
    /// Whether there is a problem with something that is seen.
    pub(super) problems: bool,
}

/// Adds up what somebody sees of some runs.
pub(super) async fn told(
    db: &impl ConnectionTrait,
    sight: &Sight,
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
        .filter(catalog::belongs_to_seen(sight, database()))
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
        .filter(catalog::belongs_to_seen(sight, subject()))
        .into_tuple()
        .all(db)
        .await?;
    for run in troubled {
        told.entry(run).or_default().problems = true;
    }
    Ok(told)
}

/// The asset that a listing is about.
fn database() -> Expr {
    Expr::col((listing::Entity, listing::Column::DatabaseId))
}

/// The asset that a finding is about.
fn subject() -> Expr {
    Expr::col((finding::Entity, finding::Column::AssetId))
}

/// Lists the databases of a run that somebody sees: incomplete ones first, each group by id.
pub(super) async fn list_listings(
    db: &impl ConnectionTrait,
    sight: &Sight,
    run: Uuid,
    page: &PageRequest,
) -> Result<Page<Listed>, Error> {
    let mut query = listing::Entity::find()
        .filter(listing::Column::RunId.eq(run))
        .filter(catalog::belongs_to_seen(sight, database()))
        .order_by_desc(listing::Column::State)
        .order_by_asc(listing::Column::DatabaseId)
        .limit(page.limit + 1);
    if let Some((state, id)) = page.key::<(String, Uuid)>()? {
        query = query.filter(
            listing::Column::State
                .lt(state.clone())
                .or(listing::Column::State
                    .eq(state)
                    .and(listing::Column::DatabaseId.gt(id))),
        );
    }
    let rows = query.all(db).await?;
    let page = Page::of_rows(rows, page, |row| (row.state.clone(), row.database_id));
    let next = page.next;
    let items = page
        .items
        .into_iter()
        .map(read_listing)
        .collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

/// No more incomplete listings of runs are read at once.
const MOST_INCOMPLETE: u64 = 200;

/// Lists the incomplete listings of some runs that somebody sees, those of newer runs first.
pub(super) async fn list_incomplete(
    db: &impl ConnectionTrait,
    sight: &Sight,
    runs: &[Uuid],
) -> Result<Vec<Listed>, Error> {
    let rows = listing::Entity::find()
        .filter(listing::Column::RunId.is_in(runs.iter().copied()))
        .filter(listing::Column::State.ne(COMPLETE))
        .filter(catalog::belongs_to_seen(sight, database()))
        .order_by_desc(listing::Column::RunId)
        .order_by_asc(listing::Column::DatabaseId)
        .limit(MOST_INCOMPLETE)
        .all(db)
        .await?;
    rows.into_iter().map(read_listing).collect()
}

/// Finds the newest listing of a database, or the newest complete one.
pub(super) async fn latest_listing(
    db: &impl ConnectionTrait,
    sight: &Sight,
    database: AssetId,
    complete: bool,
) -> Result<Option<Listed>, Error> {
    let mut query = listing::Entity::find()
        .filter(listing::Column::DatabaseId.eq(database.0))
        .filter(catalog::belongs_to_seen(sight, database.0));
    if complete {
        query = query.filter(listing::Column::State.eq(COMPLETE));
    }
    query
        .order_by_desc(listing::Column::RunId)
        .one(db)
        .await?
        .map(read_listing)
        .transpose()
}

/// Lists the findings of a run, the worst first and then in the order in which they were made; only those about what
/// somebody sees, numbered as if these were all.
pub(super) async fn list_findings(
    db: &impl ConnectionTrait,
    sight: &Sight,
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
        .filter(catalog::belongs_to_seen(sight, subject()));
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

/// The newest listing of each of some databases: the database and the run.
pub(super) async fn newest_listings(
    db: &impl ConnectionTrait,
    databases: HashSet<Uuid>,
) -> Result<HashMap<Uuid, Uuid>, DbErr> {
    let newer = Alias::new("newer");
    let of = |column| Expr::col((listing::Entity, column));
    let no_newer = Query::select()
        .expr(Expr::val(1))
        .from_as(listing::Entity, newer.clone())
        .and_where(
            Expr::col((newer.clone(), listing::Column::DatabaseId))
                .eq(of(listing::Column::DatabaseId)),
        )
        .and_where(Expr::col((newer, listing::Column::RunId)).gt(of(listing::Column::RunId)))
        .to_owned();
    let rows: Vec<(Uuid, Uuid)> = listing::Entity::find()
        .select_only()
        .columns([listing::Column::DatabaseId, listing::Column::RunId])
        .filter(listing::Column::DatabaseId.is_in(databases))
        .filter(Expr::exists(no_newer).not())
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Which of some assets, each with its database, the newest listing of that had a problem with.
pub(super) async fn troubled_among(
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
pub(super) async fn problems_with(
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

fn read(row: run::Model) -> Result<Run, Error> {
    Ok(Run {
        id: row.id,
        started_by: StartedBy::read(&row.started_by)
            .ok_or("an unknown start")
            .map_err(Error::damaged(row.id))?,
        who: serde_json::from_str::<Who>(&row.actor).map_err(Error::damaged(row.id))?,
        state: RunState::read(&row.state)
            .ok_or("an unknown state")
            .map_err(Error::damaged(row.id))?,
        counts: serde_json::from_str(&row.counts).map_err(Error::damaged(row.id))?,
        recipe: row.recipe,
        started_at: row.started_at,
        heartbeat_at: row.heartbeat_at,
        ended_at: row.ended_at,
        failure: row.failure,
    })
}

fn read_listing(row: listing::Model) -> Result<Listed, Error> {
    Ok(Listed {
        run: row.run_id,
        database: AssetId(row.database_id),
        name: row.name,
        complete: row.state == COMPLETE,
        reason: row.reason,
        counts: serde_json::from_str(&row.counts).map_err(Error::damaged(row.run_id))?,
        listed_at: row.listed_at,
    })
}
