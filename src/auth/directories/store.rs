//! Queries about sign-ins that are still at another provider, and about the last ones with a directory.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::sign_ins::{Outcome, SignIn};
use crate::db::entity::{directory_sign_in, handshake};
use crate::db::storable;

/// Remembers a sign-in, and forgets those that began before `oldest`.
pub(super) async fn remember(
    db: &impl ConnectionTrait,
    digest: &str,
    secrets: String,
    oldest: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    handshake::Entity::delete_many()
        .filter(handshake::Column::CreatedAt.lt(oldest))
        .exec(db)
        .await?;
    let row = handshake::ActiveModel {
        digest: Set(digest.to_owned()),
        secrets: Set(secrets),
        created_at: Set(now),
    };
    handshake::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Takes a sign-in out; of several that ask at once, one gets it. Nothing for one that began before `oldest`.
pub(super) async fn take(
    db: &impl ConnectionTrait,
    digest: &str,
    oldest: DateTime<Utc>,
) -> Result<Option<String>, DbErr> {
    let Some(row) = handshake::Entity::find_by_id(digest).one(db).await? else {
        return Ok(None);
    };
    let taken = handshake::Entity::delete_by_id(digest).exec(db).await?;
    let is_ours = taken.rows_affected == 1 && row.created_at >= oldest;
    Ok(is_ours.then_some(row.secrets))
}

/// The most sign-ins that are listed.
const LISTED: u64 = 250;

pub(super) async fn insert_sign_in(
    db: &impl ConnectionTrait,
    id: Uuid,
    new: &SignIn,
) -> Result<(), DbErr> {
    let row = directory_sign_in::ActiveModel {
        id: Set(id),
        at: Set(new.at),
        method: Set(new.method.clone()),
        outcome: Set(new.outcome.as_str().to_owned()),
        name: Set(new.name.as_deref().map(storable)),
        address: Set(new.address.clone()),
        reason: Set(storable(&new.reason)),
        // JSON writes a character zero as an escape.
        seen: Set(serde_json::to_string(&new.seen).expect("it is plain text")),
    };
    directory_sign_in::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Deletes all but the newest sign-ins of the same way and outcome.
pub(super) async fn delete_sign_ins_beyond(
    db: &impl ConnectionTrait,
    like: &SignIn,
    kept: u64,
) -> Result<(), DbErr> {
    let of_kind = Condition::all()
        .add(directory_sign_in::Column::Method.eq(like.method.as_str()))
        .add(directory_sign_in::Column::Outcome.eq(like.outcome.as_str()));
    let oldest = directory_sign_in::Entity::find()
        .filter(of_kind.clone())
        .order_by_desc(directory_sign_in::Column::Id)
        .offset(kept)
        .limit(1)
        .one(db)
        .await?;
    let Some(oldest) = oldest else {
        return Ok(());
    };
    directory_sign_in::Entity::delete_many()
        .filter(of_kind)
        .filter(directory_sign_in::Column::Id.lte(oldest.id))
        .exec(db)
        .await
        .map(drop)
}

/// The last sign-ins, the newest first.
pub(super) async fn list_sign_ins(db: &impl ConnectionTrait) -> Result<Vec<SignIn>, DbErr> {
    let rows = directory_sign_in::Entity::find()
        .order_by_desc(directory_sign_in::Column::Id)
        .limit(LISTED)
        .all(db)
        .await?;
    let sign_ins = rows.into_iter().map(|row| SignIn {
        at: row.at,
        method: row.method,
        outcome: Outcome::read(&row.outcome).unwrap_or(Outcome::Failed),
        name: row.name,
        address: row.address,
        reason: row.reason,
        seen: serde_json::from_str(&row.seen).unwrap_or_default(),
    });
    Ok(sign_ins.collect())
}
