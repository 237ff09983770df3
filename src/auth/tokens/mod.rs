//! Keys with which programs act for an account.

mod store;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::accounts::{self, AccountKind};
use super::event::Event;
use super::permission::{Permission, TokenScope};
use super::sessions::{self, SEEN_EVERY};
use super::{AccountId, Actor, Error, secret};
use crate::db::{Db, Page, PageRequest, Subject};

/// What every token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "gaz_";

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 64;

/// The longest life of a token, in days.
pub const LONGEST_LIFE: i64 = 366;

/// A token without its secret.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: Uuid,
    pub account: AccountId,
    pub name: String,
    pub scopes: BTreeSet<TokenScope>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// To the minute.
    pub used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    pub name: &'a str,
    pub scopes: BTreeSet<TokenScope>,
    /// From 1 to [`LONGEST_LIFE`].
    pub days: i64,
}

/// A token that has just been made; the secret is shown this once.
#[derive(Debug)]
pub struct Made {
    pub token: Token,
    pub secret: SecretString,
}

/// Makes a token: people for themselves, admins for services.
pub async fn make(
    db: &Db,
    actor: &Actor,
    account: AccountId,
    new: &NewToken<'_>,
    now: DateTime<Utc>,
) -> Result<Made, Error> {
    accounts::require_own_or_all(actor, account)?;
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        return Err(Error::BadTokenName);
    }
    if new.scopes.is_empty() {
        return Err(Error::TokenForNothing);
    }
    if !(1..=LONGEST_LIFE).contains(&new.days) {
        return Err(Error::TokenTooLong);
    }
    let txn = db.write().await?;
    let account = accounts::store::find(&*txn, account).await?;
    // Nobody acts for another person, not even an admin.
    if account.kind == AccountKind::Person
        && matches!(actor.account(), Some(id) if id != account.id)
    {
        return Err(Error::TokenOfAnother);
    }
    let token = Token {
        id: Uuid::now_v7(),
        account: account.id,
        name: name.to_owned(),
        scopes: new.scopes.clone(),
        created_at: now,
        expires_at: now + TimeDelta::days(new.days),
        used_at: None,
        revoked_at: None,
    };
    let secret = secret::new(PREFIX);
    store::insert(&*txn, &token, &secret::digest(secret.expose_secret())).await?;
    let event = Event::TokenMade {
        account: account.name,
        token: token.name.clone(),
        scopes: token.scopes.iter().copied().collect(),
        expires_at: token.expires_at,
    };
    event
        .log(&txn, actor, Subject::Token(token.id), now)
        .await?;
    txn.commit().await?;
    Ok(Made { token, secret })
}

/// Lists the tokens of an account, the newest first, with those that no longer work.
pub async fn list(
    db: &Db,
    actor: &Actor,
    account: AccountId,
    page: &PageRequest,
) -> Result<Page<Token>, Error> {
    accounts::require_own_or_all(actor, account)?;
    store::list(&**db, account, page).await
}

/// Finds whose each of some tokens is, and its name; those that are not there are left out.
pub async fn find_named(
    db: &Db,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, (AccountId, String)>, DbErr> {
    store::find_named(&**db, ids).await
}

/// Makes a token worthless, from its next use on.
pub async fn revoke(db: &Db, actor: &Actor, id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require(Permission::ManageOwnAccount)?;
    let txn = db.write().await?;
    let token = store::find(&*txn, id).await?;
    // Somebody else's token is as if it were not there.
    accounts::require_own_or_all(actor, token.account).map_err(|_denied| Error::UnknownToken)?;
    if token.revoked_at.is_none() {
        let account = accounts::store::find(&*txn, token.account).await?;
        store::revoke(&*txn, id, now).await?;
        let event = Event::TokenRevoked {
            account: account.name,
            token: token.name,
        };
        event.log(&txn, actor, Subject::Token(id), now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Finds who acts with this token; nobody when it has ended, was revoked, or its account is locked.
pub async fn find_actor(db: &Db, secret: &str, now: DateTime<Utc>) -> Result<Option<Actor>, Error> {
    if !secret.starts_with(PREFIX) {
        return Ok(None);
    }
    let Some((token, account)) = store::find_by_digest(&**db, &secret::digest(secret)).await?
    else {
        return Ok(None);
    };
    if token.revoked_at.is_some() || token.expires_at <= now || account.locked_at.is_some() {
        return Ok(None);
    }
    if token.used_at.is_none_or(|used| used + SEEN_EVERY <= now) {
        let id = token.id;
        db.note(async move |db| store::touch(&db, id, now).await)
            .await;
    }
    let actor = sessions::actor_of(db, &account, Some((token.name, token.scopes))).await?;
    Ok(Some(actor))
}
