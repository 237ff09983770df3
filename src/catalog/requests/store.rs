//! The queries on requests.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _,
    FromQueryResult, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    TryGetable, Value,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// What a request is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'a> {
    Asset(AssetId),
    /// Words that were looked for, as they are compared.
    Words(&'a str),
}

impl About<'_> {
    fn is_meant(self) -> Expr {
        match self {
            Self::Asset(id) => request::Column::AssetId.eq(id.0),
            Self::Words(words) => request::Column::Words.eq(words),
        }
    }
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Described => "described",
            Self::Dismissed => "dismissed",
        }
    }
}

/// The open requests for one asset, or for some words.
#[derive(Debug, FromQueryResult)]
pub(super) struct Open<K: TryGetable> {
    pub(super) about: K,
    pub(super) people: i64,
    pub(super) first_asked_at: DateTime<Utc>,
}

pub(super) async fn insert(
    txn: &Txn,
    about: About<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<Uuid, DbErr> {
    let id = Uuid::now_v7();
    let (asset, words) = match about {
        About::Asset(id) => (Some(id.0), None),
        About::Words(words) => (None, Some(words.to_owned())),
    };
    let row = request::ActiveModel {
        id: Set(id),
        asset_id: Set(asset),
        words: Set(words),
        account_id: Set(account.0),
        asked_at: Set(now),
        closed_at: Set(None),
        outcome: Set(None),
    };
    request::Entity::insert(row)
        .exec_without_returning(&**txn)
        .await?;
    Ok(id)
}

/// Closes the open requests about something, and answers how many there were.
pub(super) async fn close(
    txn: &Txn,
    about: About<'_>,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let closed = request::Entity::update_many()
        .col_expr(request::Column::ClosedAt, Expr::value(now))
        .col_expr(request::Column::Outcome, Expr::value(outcome.as_str()))
        .filter(about.is_meant())
        .filter(request::Column::ClosedAt.is_null())
        .exec(&**txn)
        .await?;
    Ok(closed.rows_affected)
}

/// When somebody asked about something, if that is open.
pub(super) async fn find_open(
    db: &impl ConnectionTrait,
    about: About<'_>,
    account: AccountId,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = request::Entity::find()
        .filter(about.is_meant())
        .filter(request::Column::AccountId.eq(account.0))
        .filter(request::Column::ClosedAt.is_null())
        .one(db)
        .await?;
    Ok(row.map(|row| row.asked_at))
}

pub(super) async fn count_open(db: &impl ConnectionTrait, about: About<'_>) -> Result<u64, DbErr> {
    request::Entity::find()
        .filter(about.is_meant())
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
) -> Result<Page<Open<Uuid>>, Error> {
    let of = Expr::col((request::Entity, request::Column::AssetId));
    let within = Condition::all()
        .add(belongs_to_seen(actor.visibility(), of))
        .add(in_reach(actor));
    list_grouped(db, request::Column::AssetId, within, page).await
}

/// The words for which there are requests, what has waited longest first.
pub(super) async fn list_open_words(
    db: &impl ConnectionTrait,
    page: &PageRequest,
) -> Result<Page<Open<String>>, Error> {
    list_grouped(db, request::Column::Words, Condition::all(), page).await
}

/// The open requests by what they are about, which `column` says.
async fn list_grouped<K>(
    db: &impl ConnectionTrait,
    column: request::Column,
    within: Condition,
    page: &PageRequest,
) -> Result<Page<Open<K>>, Error>
where
    K: TryGetable + Clone + Serialize + DeserializeOwned + Into<Value>,
{
    let first = || Expr::col((request::Entity, request::Column::AskedAt)).min();
    let about = || Expr::col((request::Entity, column));
    let mut query = request::Entity::find()
        .select_only()
        .expr_as(about(), "about")
        .expr_as(request::Column::Id.count(), "people")
        .expr_as(first(), "first_asked_at")
        .filter(request::Column::ClosedAt.is_null())
        .filter(column.is_not_null())
        .filter(within)
        .group_by(column);
    if let Some((at, last)) = page.key::<(DateTime<Utc>, K)>()? {
        let behind = first()
            .gt(at)
            .or(first().eq(at).and(about().gt(Expr::val(last))));
        query = query.having(behind);
    }
    let rows = query
        .order_by_asc(first())
        .order_by_asc(column)
        .limit(page.limit + 1)
        .into_model::<Open<K>>()
        .all(db)
        .await?;
    Ok(Page::of_rows(rows, page, |row| {
        (row.first_asked_at, row.about.clone())
    }))
}

/// The names of those who ask about some assets, by asset.
pub(super) async fn list_names(
    db: &impl ConnectionTrait,
    assets: Vec<Uuid>,
    most: u64,
) -> Result<HashMap<Uuid, Vec<String>>, DbErr> {
    names_by(db, request::Column::AssetId, assets, most).await
}

/// The names of those who told of some words, by the words.
pub(super) async fn list_names_by_words(
    db: &impl ConnectionTrait,
    words: Vec<String>,
    most: u64,
) -> Result<HashMap<String, Vec<String>>, DbErr> {
    names_by(db, request::Column::Words, words, most).await
}

async fn names_by<K>(
    db: &impl ConnectionTrait,
    column: request::Column,
    about: Vec<K>,
    most: u64,
) -> Result<HashMap<K, Vec<String>>, DbErr>
where
    K: TryGetable + Hash + Eq + Into<Value>,
{
    let rows: Vec<(K, Uuid)> = request::Entity::find()
        .select_only()
        .columns([column, request::Column::AccountId])
        .filter(column.is_in(about))
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
    let mut named: HashMap<K, Vec<String>> = HashMap::new();
    for (about, account) in rows {
        named.entry(about).or_default().extend(name(account));
    }
    Ok(named)
}
