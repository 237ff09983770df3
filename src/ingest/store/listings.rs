//! Queries about how databases were listed.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Alias, Expr, ExprTrait, JoinType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{COMPLETE, database};
use crate::auth::Visibility;
use crate::auth::scopes::select_closed_sources;
use crate::catalog::{self, AssetId};
use crate::db::entity::{asset, listing, run};
use crate::db::{Page, PageRequest, storable};
use crate::ingest::{Error, Listed};

/// Writes down how the listings of some databases ended.
pub(in crate::ingest) async fn add_listings(
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

/// Which of some runs read a source in which something is hidden from somebody, or may have tried to.
pub(in crate::ingest) async fn seen_in_part(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    runs: &[Uuid],
) -> Result<HashSet<Uuid>, DbErr> {
    let Some(closed) = select_closed_sources(visibility) else {
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

/// Lists the databases of a run that somebody sees: incomplete ones first, each group by id.
pub(in crate::ingest) async fn list_listings(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    run: Uuid,
    page: &PageRequest,
) -> Result<Page<Listed>, Error> {
    let mut query = listing::Entity::find()
        .filter(listing::Column::RunId.eq(run))
        .filter(catalog::belongs_to_seen(visibility, database()))
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
pub(in crate::ingest) async fn list_incomplete(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    runs: &[Uuid],
) -> Result<Vec<Listed>, Error> {
    let rows = listing::Entity::find()
        .filter(listing::Column::RunId.is_in(runs.iter().copied()))
        .filter(listing::Column::State.ne(COMPLETE))
        .filter(catalog::belongs_to_seen(visibility, database()))
        .order_by_desc(listing::Column::RunId)
        .order_by_asc(listing::Column::DatabaseId)
        .limit(MOST_INCOMPLETE)
        .all(db)
        .await?;
    rows.into_iter().map(read_listing).collect()
}

/// Finds the newest listing of a database, or the newest complete one.
pub(in crate::ingest) async fn latest_listing(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    database: AssetId,
    complete: bool,
) -> Result<Option<Listed>, Error> {
    let mut query = listing::Entity::find()
        .filter(listing::Column::DatabaseId.eq(database.0))
        .filter(catalog::belongs_to_seen(visibility, database.0));
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

/// The newest listing of each of some databases: the database and the run.
pub(in crate::ingest) async fn newest_listings(
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
