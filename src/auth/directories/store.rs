//! Queries about sign-ins that are still at another provider.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::db::entity::handshake;

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
