//! The queries on requests.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _,
    FromQueryResult, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::super::store::belongs_to_seen;
use super::super::{AssetId, Error};
use crate::auth::{AccountId, Actor, Permission, Scope};
use crate::db::entity::{account, asset, request};
use crate::db::{Page, PageRequest, Txn};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Described,
    Dismissed,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Described => "described",
            Self::Dismissed => "dismissed",
        }
    }
}

/// The open requests for one asset.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) asset: AssetId,
    pub(super) people: i64,
    pub(super) first_asked_at: DateTime<Utc>,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    asset_id: Uuid,
    people: i64,
    first_asked_at: DateTime<Utc>,
}

pub(super) async fn insert(
    txn: &Txn,
    id: AssetId,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = request::ActiveModel {
        id: Set(Uuid::now_v7()),
        asset_id: Set(id.0),
        account_id: Set(account.0),
        asked_at: Set(now),
        closed_at: Set(None),
        outcome: Set(None),
    };
    request::Entity::insert(row)
        .exec_without_returning(&**txn)
        .await?;
    Ok(())
}

/// Closes the open requests for an asset, and answers how many there were.
pub(super) async fn close(
    txn: &Txn,
    id: AssetId,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let closed = request::Entity::update_many()
        .col_expr(request::Column::ClosedAt, Expr::value(now))
        .col_expr(request::Column::Outcome, Expr::value(outcome.as_str()))
        .filter(request::Column::AssetId.eq(id.0))
        .filter(request::Column::ClosedAt.is_null())
        .exec(&**txn)
        .await?;
    Ok(closed.rows_affected)
}

/// When somebody asked for an asset, if that is open.
pub(super) async fn find_open(
    db: &impl ConnectionTrait,
    id: AssetId,
    account: AccountId,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = request::Entity::find()
        .filter(request::Column::AssetId.eq(id.0))
        .filter(request::Column::AccountId.eq(account.0))
        .filter(request::Column::ClosedAt.is_null())
        .one(db)
        .await?;
    Ok(row.map(|row| row.asked_at))
}

pub(super) async fn count_open(db: &impl ConnectionTrait, id: AssetId) -> Result<u64, DbErr> {
    request::Entity::find()
        .filter(request::Column::AssetId.eq(id.0))
        .filter(request::Column::ClosedAt.is_null())
        .count(db)
        .await
}

pub(super) async fn count_open_of(
    db: &impl ConnectionTrait,
    account: AccountId,
) -> Result<u64, DbErr> {
    request::Entity::find()
        .filter(request::Column::AccountId.eq(account.0))
        .filter(request::Column::ClosedAt.is_null())
        .count(db)
        .await
}

/// Leaves out what somebody may not describe.
fn in_reach(actor: &Actor) -> Condition {
    let Some(scopes) = actor.scopes_of(Permission::Describe) else {
        return Condition::all();
    };
    let within = scopes.iter().fold(Condition::any(), |any, scope| {
        any.add(match scope {
            Scope::Source { platform, instance } => Condition::all()
                .add(asset::Column::Platform.eq(platform.as_str()))
                .add(asset::Column::Instance.eq(instance.as_str())),
            Scope::Database { database, .. } => Condition::any()
                .add(asset::Column::Id.eq(*database))
                .add(asset::Column::ParentId.eq(*database)),
        })
    });
    let of = Expr::col((request::Entity, request::Column::AssetId));
    let assets = Query::select()
        .expr(Expr::val(1))
        .from(asset::Entity)
        .and_where(Expr::col((asset::Entity, asset::Column::Id)).eq(of))
        .cond_where(within)
        .to_owned();
    Condition::all().add(Expr::exists(assets))
}

/// The assets for which somebody may answer requests, what has waited longest first.
pub(super) async fn list_open(
    db: &impl ConnectionTrait,
    actor: &Actor,
    page: &PageRequest,
) -> Result<Page<Open>, Error> {
    let of = Expr::col((request::Entity, request::Column::AssetId));
    let first = || Expr::col((request::Entity, request::Column::AskedAt)).min();
    let asset = || Expr::col((request::Entity, request::Column::AssetId));
    let mut query = request::Entity::find()
        .select_only()
        .column(request::Column::AssetId)
        .expr_as(request::Column::Id.count(), "people")
        .expr_as(first(), "first_asked_at")
        .filter(request::Column::ClosedAt.is_null())
        .filter(belongs_to_seen(actor.sight(), of))
        .filter(in_reach(actor))
        .group_by(request::Column::AssetId);
    if let Some((at, id)) = page.key::<(DateTime<Utc>, Uuid)>()? {
        let behind = first().gt(at).or(first().eq(at).and(asset().gt(id)));
        query = query.having(behind);
    }
    let rows = query
        .order_by_asc(first())
        .order_by_asc(request::Column::AssetId)
        .limit(page.limit + 1)
        .into_model::<Row>()
        .all(db)
        .await?;
    let page = Page::of_rows(rows, page, |row| (row.first_asked_at, row.asset_id));
    Ok(page.map(|row| Open {
        asset: AssetId(row.asset_id),
        people: row.people,
        first_asked_at: row.first_asked_at,
    }))
}

/// The names of those who ask for some assets, by asset.
pub(super) async fn list_names(
    db: &impl ConnectionTrait,
    ids: &[AssetId],
    most: u64,
) -> Result<Vec<(Uuid, String)>, DbErr> {
    let rows: Vec<(Uuid, Uuid)> = request::Entity::find()
        .select_only()
        .columns([request::Column::AssetId, request::Column::AccountId])
        .filter(request::Column::AssetId.is_in(ids.iter().map(|id| id.0)))
        .filter(request::Column::ClosedAt.is_null())
        .order_by_asc(request::Column::Id)
        .limit(most)
        .into_tuple()
        .all(db)
        .await?;
    let people = rows.iter().map(|(_, account)| *account);
    let people: Vec<(Uuid, String, Option<String>)> = account::Entity::find()
        .select_only()
        .columns([
            account::Column::Id,
            account::Column::Name,
            account::Column::DisplayName,
        ])
        .filter(account::Column::Id.is_in(people))
        .into_tuple()
        .all(db)
        .await?;
    let name = |id: Uuid| {
        let person = people.iter().find(|(known, ..)| *known == id);
        person.map(|(_, name, label)| label.clone().unwrap_or_else(|| name.clone()))
    };
    let named = rows.into_iter();
    Ok(named
        .filter_map(|(asset, account)| Some((asset, name(account)?)))
        .collect())
}
