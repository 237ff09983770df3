//! The queries on sessions and on tries to sign in.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr,
    EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};
use uuid::Uuid;

use super::refusals::Refusals;
use super::{Method, Session};
use crate::auth::accounts::{self, Account};
use crate::auth::{AccountId, Error};
use crate::db::entity::{account, attempt, browser_key, refused_sign_in, session};
use crate::db::storable;

/// The most sessions that are listed.
const LISTED: u64 = 100;

/// The id of the one key.
const BROWSER_KEY: i32 = 1;

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    new: &Session,
    digest: &str,
) -> Result<(), DbErr> {
    let row = session::ActiveModel {
        id: Set(new.id),
        digest: Set(digest.to_owned()),
        account_id: Set(new.account.0),
        method: Set(new.method.as_str().to_owned()),
        address: Set(new.address.clone()),
        agent: Set(storable(&new.agent)),
        created_at: Set(new.created_at),
        seen_at: Set(new.seen_at),
        ends_at: Set(new.ends_at),
    };
    row.insert(db).await.map(drop)
}

/// Finds a session and whose it is.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<(Session, Account)>, Error> {
    let found = session::Entity::find()
        .find_also_related(account::Entity)
        .filter(session::Column::Digest.eq(digest))
        .one(db)
        .await?;
    let Some((session, Some(account))) = found else {
        return Ok(None);
    };
    Ok(Some((read(session)?, accounts::store::read(account)?)))
}

pub(super) async fn touch(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    session::Entity::update_many()
        .col_expr(session::Column::SeenAt, Expr::value(now))
        .filter(session::Column::Id.eq(id))
        .exec(db)
        .await
        .map(drop)
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    account: AccountId,
    seen_after: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, Error> {
    let rows = session::Entity::find()
        .filter(session::Column::AccountId.eq(account.0))
        .filter(session::Column::SeenAt.gt(seen_after))
        .filter(session::Column::EndsAt.gt(now))
        .order_by_desc(session::Column::Id)
        .limit(LISTED)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Tells whether a session has not been ended by anybody.
pub(super) async fn is_there(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let found = session::Entity::find_by_id(id).count(db).await?;
    Ok(found > 0)
}

/// Ends one session of an account; tells how many that were.
pub(super) async fn end(
    db: &impl ConnectionTrait,
    account: AccountId,
    id: Uuid,
) -> Result<u64, DbErr> {
    let ended = session::Entity::delete_many()
        .filter(session::Column::AccountId.eq(account.0))
        .filter(session::Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(ended.rows_affected)
}

/// Ends all sessions of an account but one; tells how many that were.
pub(super) async fn end_others(
    db: &impl ConnectionTrait,
    account: AccountId,
    kept: Uuid,
) -> Result<u64, DbErr> {
    let ended = session::Entity::delete_many()
        .filter(session::Column::AccountId.eq(account.0))
        .filter(session::Column::Id.ne(kept))
        .exec(db)
        .await?;
    Ok(ended.rows_affected)
}

/// Ends every session of an account; tells how many that were.
pub(in crate::auth) async fn end_all(
    db: &impl ConnectionTrait,
    account: AccountId,
) -> Result<u64, DbErr> {
    let ended = session::Entity::delete_many()
        .filter(session::Column::AccountId.eq(account.0))
        .exec(db)
        .await?;
    Ok(ended.rows_affected)
}

/// Deletes the sessions that have ended by themselves.
pub(super) async fn delete_ended(
    db: &impl ConnectionTrait,
    seen_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let idle = session::Column::SeenAt.lt(seen_before);
    session::Entity::delete_many()
        .filter(idle.or(session::Column::EndsAt.lt(now)))
        .exec(db)
        .await
        .map(drop)
}

/// How often somebody has tried in a row, and when last.
pub(super) async fn find_attempts(
    db: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<(i32, DateTime<Utc>)>, DbErr> {
    let row = attempt::Entity::find_by_id(key.to_owned()).one(db).await?;
    Ok(row.map(|row| (row.count, row.last_at)))
}

pub(super) async fn set_attempts(
    db: &impl ConnectionTrait,
    key: &str,
    count: i32,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = attempt::ActiveModel {
        digest: Set(key.to_owned()),
        count: Set(count),
        last_at: Set(now),
    };
    let anew = OnConflict::column(attempt::Column::Digest)
        .update_columns([attempt::Column::Count, attempt::Column::LastAt])
        .to_owned();
    attempt::Entity::insert(row)
        .on_conflict(anew)
        .exec_without_returning(db)
        .await
        .map(drop)
}

pub(super) async fn forget_attempts(db: &impl ConnectionTrait, key: &str) -> Result<(), DbErr> {
    attempt::Entity::delete_by_id(key.to_owned())
        .exec(db)
        .await
        .map(drop)
}

pub(super) async fn forget_attempts_before(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
) -> Result<(), DbErr> {
    attempt::Entity::delete_many()
        .filter(attempt::Column::LastAt.lt(before))
        .exec(db)
        .await
        .map(drop)
}

/// Keeps no more than so many counts: the lowest are forgotten, and of equal ones the oldest.
pub(super) async fn forget_attempts_beyond(
    db: &impl ConnectionTrait,
    most: u64,
) -> Result<(), DbErr> {
    let beyond = count_attempts(db).await?.saturating_sub(most);
    if beyond == 0 {
        return Ok(());
    }
    let lowest = attempt::Entity::find()
        .select_only()
        .column(attempt::Column::Digest)
        .order_by_asc(attempt::Column::Count)
        .order_by_asc(attempt::Column::LastAt)
        .limit(beyond);
    attempt::Entity::delete_many()
        .filter(attempt::Column::Digest.in_subquery(lowest.into_query()))
        .exec(db)
        .await
        .map(drop)
}

pub(super) async fn count_attempts(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    attempt::Entity::find().count(db).await
}

/// Refused sign-ins of an account since `after`, the latest first.
pub(super) async fn list_refusals(
    db: &impl ConnectionTrait,
    id: AccountId,
    after: DateTime<Utc>,
) -> Result<Vec<Refusals>, DbErr> {
    let rows = refused_sign_in::Entity::find()
        .filter(refused_sign_in::Column::AccountId.eq(id.0))
        .filter(refused_sign_in::Column::LastAt.gte(after))
        .order_by_desc(refused_sign_in::Column::LastAt)
        .limit(LISTED)
        .all(db)
        .await?;
    let refusals = rows.into_iter().map(|row| Refusals {
        address: Some(row.address).filter(|address| !address.is_empty()),
        count: row.count,
        first_at: row.first_at,
        last_at: row.last_at,
    });
    Ok(refusals.collect())
}

/// Adds refused sign-ins to those of the same address.
pub(super) async fn add_refusals(
    db: &impl ConnectionTrait,
    id: AccountId,
    more: &Refusals,
) -> Result<(), DbErr> {
    let address = more.address.clone().unwrap_or_default();
    let key = (id.0, address.clone());
    let known = refused_sign_in::Entity::find_by_id(key).one(db).await?;
    let (count, first_at, last_at) = known.map_or((0, more.first_at, more.last_at), |row| {
        let first_at = Ord::min(row.first_at, more.first_at);
        (row.count, first_at, Ord::max(row.last_at, more.last_at))
    });
    let row = refused_sign_in::ActiveModel {
        account_id: Set(id.0),
        address: Set(address),
        count: Set(count.saturating_add(more.count)),
        first_at: Set(first_at),
        last_at: Set(last_at),
    };
    let anew = OnConflict::columns([
        refused_sign_in::Column::AccountId,
        refused_sign_in::Column::Address,
    ])
    .update_columns([
        refused_sign_in::Column::Count,
        refused_sign_in::Column::FirstAt,
        refused_sign_in::Column::LastAt,
    ])
    .to_owned();
    refused_sign_in::Entity::insert(row)
        .on_conflict(anew)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Deletes the refused sign-ins of an account from one address.
pub(super) async fn delete_refusals_from(
    db: &impl ConnectionTrait,
    id: AccountId,
    address: &str,
) -> Result<(), DbErr> {
    refused_sign_in::Entity::delete_by_id((id.0, address.to_owned()))
        .exec(db)
        .await
        .map(drop)
}

/// Deletes the refused sign-ins of an account before this time.
pub(super) async fn delete_refusals(
    db: &impl ConnectionTrait,
    id: AccountId,
    before: DateTime<Utc>,
) -> Result<(), DbErr> {
    refused_sign_in::Entity::delete_many()
        .filter(refused_sign_in::Column::AccountId.eq(id.0))
        .filter(refused_sign_in::Column::LastAt.lt(before))
        .exec(db)
        .await
        .map(drop)
}

/// The key of marks; there is none before anybody has signed in.
pub(super) async fn find_browser_key(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let row = browser_key::Entity::find_by_id(BROWSER_KEY).one(db).await?;
    Ok(row.map(|row| row.secret))
}

pub(super) async fn insert_browser_key(
    db: &impl ConnectionTrait,
    secret: &str,
) -> Result<(), DbErr> {
    let row = browser_key::ActiveModel {
        id: Set(BROWSER_KEY),
        secret: Set(secret.to_owned()),
    };
    browser_key::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map(drop)
}

fn read(row: session::Model) -> Result<Session, Error> {
    Ok(Session {
        id: row.id,
        account: AccountId(row.account_id),
        method: Method::read(&row.method).ok_or(Error::UnknownSession)?,
        address: row.address,
        agent: row.agent,
        created_at: row.created_at,
        seen_at: row.seen_at,
        ends_at: row.ends_at,
    })
}
