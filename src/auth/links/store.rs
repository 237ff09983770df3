//! The queries on addresses that work once.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr,
    EntityTrait as _, QueryFilter as _,
};
use uuid::Uuid;

use super::{Link, Purpose, digest};
use crate::auth::accounts;
use crate::auth::{AccountId, Error};
use crate::db::entity::link;

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    new: &Link,
    account: Option<AccountId>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = link::ActiveModel {
        id: Set(Uuid::now_v7()),
        digest: Set(digest(&new.secret)),
        account_id: Set(account.map(|id| id.0)),
        created_at: Set(now),
        expires_at: Set(new.expires_at),
    };
    row.insert(db).await.map(drop)
}

pub(super) async fn find(
    db: &impl ConnectionTrait,
    digest: &str,
    now: DateTime<Utc>,
) -> Result<Purpose, Error> {
    let row = link::Entity::find()
        .filter(link::Column::Digest.eq(digest))
        .filter(link::Column::ExpiresAt.gt(now))
        .one(db)
        .await?
        .ok_or(Error::SpentLink)?;
    Ok(match row.account_id {
        None => Purpose::SetUp,
        Some(id) => Purpose::Choose(Box::new(accounts::store::find(db, AccountId(id)).await?)),
    })
}

/// Makes every link of an account worthless.
pub(in crate::auth) async fn delete_of(
    db: &impl ConnectionTrait,
    account: AccountId,
) -> Result<(), DbErr> {
    link::Entity::delete_many()
        .filter(link::Column::AccountId.eq(account.0))
        .exec(db)
        .await
        .map(drop)
}

/// Makes every link to set up the catalog worthless.
pub(in crate::auth) async fn delete_to_set_up(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    link::Entity::delete_many()
        .filter(link::Column::AccountId.is_null())
        .exec(db)
        .await
        .map(drop)
}
