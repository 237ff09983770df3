//! Addresses that work once: to set up an empty catalog, and to choose a password.

pub(super) mod store;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::accounts::{self, Account, AccountKind, NewAccount, RoleGrant};
use super::event::Event;
use super::name::AccountName;
use super::password::{Password, Passwords};
use super::permission::Permission;
use super::sessions::{self, Begun, Lifetimes, Method, Origin};
use super::{AccountId, Actor, Error, secret};
use crate::db::{Db, Subject};

/// How long the address to set a catalog up works.
const SET_UP: TimeDelta = TimeDelta::hours(1);

/// How long the address to choose a password works.
const CHOOSE: TimeDelta = TimeDelta::days(3);

/// What a link is for.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// The first admin of an empty catalog.
    SetUp,
    /// A password for this account.
    Choose(Box<Account>),
}

/// A link that has just been made; the secret is shown this once.
#[derive(Debug)]
pub struct Link {
    pub secret: SecretString,
    pub expires_at: DateTime<Utc>,
}

/// Makes a link to set the catalog up, if nobody is an admin yet.
pub async fn to_set_up(db: &Db, now: DateTime<Utc>) -> Result<Option<Link>, Error> {
    let txn = db.write().await?;
    if accounts::store::count_admins(&*txn).await? > 0 {
        return Ok(None);
    }
    let link = Link {
        secret: secret::new(""),
        expires_at: now + SET_UP,
    };
    store::insert(&*txn, &link, None, now).await?;
    txn.commit().await?;
    Ok(Some(link))
}

/// Makes a link with which somebody chooses a password; an earlier one no longer works.
pub async fn to_choose_password(
    db: &Db,
    actor: &Actor,
    id: AccountId,
    now: DateTime<Utc>,
) -> Result<Link, Error> {
    actor.require(Permission::ManagePeople)?;
    let txn = db.write().await?;
    let account = accounts::store::find(&*txn, id).await?;
    if account.kind == AccountKind::Service {
        return Err(Error::NotAPerson);
    }
    if account.locked_at.is_some() {
        return Err(Error::Locked);
    }
    store::delete_of(&*txn, id).await?;
    let link = Link {
        secret: secret::new(""),
        expires_at: now + CHOOSE,
    };
    store::insert(&*txn, &link, Some(id), now).await?;
    let event = Event::PasswordLinkMade {
        account: account.name,
    };
    event.log(&txn, actor, Subject::Account(id.0), now).await?;
    txn.commit().await?;
    Ok(link)
}

/// Tells what a link is for, without using it up.
pub async fn find(db: &Db, secret: &SecretString, now: DateTime<Utc>) -> Result<Purpose, Error> {
    store::find(&**db, &digest(secret), now).await
}

/// Tells whether anybody has an account.
pub async fn is_set_up(db: &Db) -> Result<bool, Error> {
    Ok(accounts::store::any(&**db).await?)
}

/// Who is to be the first admin.
#[derive(Debug)]
pub struct FirstAdmin<'a> {
    pub name: AccountName,
    pub display_name: &'a str,
    pub password: &'a SecretString,
}

/// Makes the first admin, who is then signed in. The link and all others like it no longer work.
pub async fn set_up(
    db: &Db,
    passwords: &Passwords,
    secret: &SecretString,
    admin: FirstAdmin<'_>,
    (from, lifetimes): (&Origin, Lifetimes),
) -> Result<Begun, Error> {
    // Before the costly part.
    require_set_up(&find(db, secret, Utc::now()).await?)?;
    let display_name = accounts::checked_display_name(Some(admin.display_name))?;
    let known = [
        admin.name.as_str(),
        display_name.as_deref().unwrap_or_default(),
    ];
    let chosen = Password::choose(admin.password, &known)?;
    let hash = passwords.hash(chosen).await?;
    let now = Utc::now();
    let txn = db.write().await?;
    require_set_up(&store::find(&*txn, &digest(secret), now).await?)?;
    store::delete_to_set_up(&*txn).await?;
    let new = NewAccount {
        kind: AccountKind::Person,
        name: admin.name,
        display_name,
        standing: RoleGrant::ADMIN,
    };
    let account = accounts::insert(&txn, &from.of(Actor::operator()), &new, now).await?;
    accounts::store::set_password_hash(&*txn, account.id, hash.clone()).await?;
    let account = Account {
        password_hash: Some(hash),
        ..account
    };
    let begun = sessions::begin(&txn, &account, Method::Link, from, (lifetimes, now)).await?;
    txn.commit().await?;
    Ok(begun)
}

/// Chooses a password, and signs the person in. Their other sessions end, and the link no longer works.
pub async fn choose_password(
    db: &Db,
    passwords: &Passwords,
    secret: &SecretString,
    password: &SecretString,
    (from, lifetimes): (&Origin, Lifetimes),
) -> Result<Begun, Error> {
    let account = require_choose(find(db, secret, Utc::now()).await?)?;
    let chosen = Password::choose(password, &sessions::about(&account))?;
    let hash = passwords.hash(chosen).await?;
    let now = Utc::now();
    let txn = db.write().await?;
    let account = require_choose(store::find(&*txn, &digest(secret), now).await?)?;
    let actor = from.of(sessions::as_account(&account));
    let account = sessions::set_password(&txn, &actor, &account, hash, now).await?;
    let begun = sessions::begin(&txn, &account, Method::Link, from, (lifetimes, now)).await?;
    txn.commit().await?;
    Ok(begun)
}

fn require_set_up(purpose: &Purpose) -> Result<(), Error> {
    match purpose {
        Purpose::SetUp => Ok(()),
        Purpose::Choose(_) => Err(Error::SpentLink),
    }
}

fn require_choose(purpose: Purpose) -> Result<Account, Error> {
    match purpose {
        Purpose::Choose(account) if account.locked_at.is_none() => Ok(*account),
        Purpose::Choose(_) | Purpose::SetUp => Err(Error::SpentLink),
    }
}

fn digest(secret: &SecretString) -> String {
    secret::digest(secret.expose_secret())
}
