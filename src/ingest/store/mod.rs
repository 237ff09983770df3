//! Every query about runs.

mod findings;
mod listings;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, SqlErr,
};
use uuid::Uuid;

pub(super) use self::findings::{
    add_findings, find_known, list_findings, list_runs_before, problems_with, told, troubled_among,
};
pub(super) use self::listings::{
    add_listings, latest_listing, list_incomplete, list_listings, newest_listings, seen_in_part,
};
use super::{Error, Run, RunCounts, RunState, StartedBy};
use crate::auth::Who;
use crate::db::clock::{clock, moment_ago};
use crate::db::entity::{listing, run};
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

/// The asset that a listing is about.
fn database() -> Expr {
    Expr::col((listing::Entity, listing::Column::DatabaseId))
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
