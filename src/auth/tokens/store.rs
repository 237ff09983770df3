//! The queries on tokens.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr,
    EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::Token;
use crate::auth::accounts::{self, Account};
use crate::auth::{AccountId, Error};
use crate::db::entity::{account, token};
use crate::db::{Page, PageRequest};

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    new: &Token,
    digest: &str,
) -> Result<(), DbErr> {
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
    let row = token::ActiveModel {
        id: Set(new.id),
        digest: Set(digest.to_owned()),
        account_id: Set(new.account.0),
        name: Set(new.name.clone()),
        scopes: Set(scopes.join(" ")),
        created_at: Set(new.created_at),
        expires_at: Set(new.expires_at),
        used_at: Set(None),
        revoked_at: Set(None),
    };
    row.insert(db).await.map(drop)
}

pub(super) async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Token, Error> {
    let row = token::Entity::find_by_id(id).one(db).await?;
    read(row.ok_or(Error::UnknownToken)?)
}

/// Finds a token and whose it is.
pub(super) async fn find_by_digest(
    db: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<(Token, Account)>, Error> {
    let found = token::Entity::find()
        .find_also_related(account::Entity)
        .filter(token::Column::Digest.eq(digest))
        .one(db)
        .await?;
    let Some((token, Some(account))) = found else {
        return Ok(None);
    };
    Ok(Some((read(token)?, accounts::store::read(account)?)))
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    account: AccountId,
    page: &PageRequest,
) -> Result<Page<Token>, Error> {
    let mut query = token::Entity::find()
        .filter(token::Column::AccountId.eq(account.0))
        .order_by_desc(token::Column::Id)
        .limit(page.limit + 1);
    if let Some(id) = page.key::<Uuid>()? {
        query = query.filter(token::Column::Id.lt(id));
    }
    let rows = query.all(db).await?.into_iter();
    let tokens = rows.map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of_rows(tokens, page, |token| token.id))
}

pub(super) async fn find_named(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, (AccountId, String)>, DbErr> {
    let rows: Vec<(Uuid, Uuid, String)> = token::Entity::find()
        .select_only()
        .columns([
            token::Column::Id,
            token::Column::AccountId,
            token::Column::Name,
        ])
        .filter(token::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let named = |(id, account, name)| (id, (AccountId(account), name));
    Ok(rows.into_iter().map(named).collect())
}

pub(super) async fn revoke(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(db, id, token::Column::RevokedAt, now).await
}

pub(super) async fn touch(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(db, id, token::Column::UsedAt, now).await
}

async fn set(
    db: &impl ConnectionTrait,
    id: Uuid,
    column: token::Column,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    token::Entity::update_many()
        .col_expr(column, Expr::value(at))
        .filter(token::Column::Id.eq(id))
        .exec(db)
        .await
        .map(drop)
}

fn read(row: token::Model) -> Result<Token, Error> {
    let scopes = row
        .scopes
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>();
    Ok(Token {
        id: row.id,
        account: AccountId(row.account_id),
        name: row.name,
        scopes: scopes.map_err(|cause| Error::Damaged(row.id, cause))?,
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
        revoked_at: row.revoked_at,
    })
}
