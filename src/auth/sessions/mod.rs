//! Signing in, and the sessions that come of it.
//!
//! A session is a random secret in a browser's cookie; the database keeps its digest. Role, teams and locks are read
//! anew with each request, so a change of them counts at once.

pub(super) mod attempts;
mod known_browser;
mod password;
pub(super) mod refusals;
pub(super) mod store;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::accounts::{self, Account, AccountKind};
use super::event::{Event, Refused};
use super::permission::{Role, TokenScope};
use super::{AccountId, Actor, Error, secret, teams};
use crate::db::{Db, Subject, Txn};

pub(super) use password::{check, conclude, refuse, set_password};

pub use attempts::keep_forgetting;
pub use known_browser::Mark;
pub use password::{change_password, sign_in};
pub use refusals::{Refusals, list as list_refusals};

/// How exactly it is known when a session or a token was last used.
pub(super) const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Without any request.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

/// Where somebody signs in from, as the session list and the audit trail show it.
#[derive(Debug, Clone)]
pub struct Origin {
    pub address: std::net::IpAddr,
    /// What the browser calls itself.
    pub agent: String,
    /// The id of the request.
    pub request: Option<String>,
    /// What the browser shows to be known by, as it came with the request.
    pub marks: Vec<String>,
}

impl Origin {
    /// Adds to an actor in which request they act.
    pub(super) fn of(&self, actor: Actor) -> Actor {
        match &self.request {
            Some(id) => actor.in_request(id),
            None => actor,
        }
    }
}

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Password,
    /// A link that works once.
    Link,
    Oidc,
    Ldap,
    /// The button of the demo.
    Demo,
}

/// A browser in which somebody is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: Uuid,
    pub account: AccountId,
    pub method: Method,
    pub address: String,
    pub agent: String,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// Somebody who is signed in in a browser.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub account: Account,
    pub session: Session,
    pub actor: Actor,
}

/// A session that has just begun; the secret is shown this once, for the cookie.
#[derive(Debug)]
pub struct Begun {
    pub secret: SecretString,
    pub session: Session,
    /// What this browser is known by from now on.
    pub mark: Mark,
}

impl Method {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Oidc => "oidc",
            Self::Ldap => "ldap",
            Self::Demo => "demo",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        [
            Self::Password,
            Self::Link,
            Self::Oidc,
            Self::Ldap,
            Self::Demo,
        ]
        .into_iter()
        .find(|method| method.as_str() == word)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "with a password",
            Self::Link => "by one-time link",
            Self::Oidc => "through OpenID Connect",
            Self::Ldap => "through LDAP",
            Self::Demo => "by a demo button",
        })
    }
}

/// Begins a session within a transaction.
pub(super) async fn begin(
    txn: &Txn,
    account: &Account,
    method: Method,
    from: &Origin,
    (lifetimes, now): (Lifetimes, DateTime<Utc>),
) -> Result<Begun, Error> {
    let secret = secret::new("");
    let session = Session {
        id: Uuid::now_v7(),
        account: account.id,
        method,
        address: from.address.to_string(),
        agent: from.agent.chars().take(300).collect(),
        created_at: now,
        seen_at: now,
        ends_at: now + lifetimes.absolute,
    };
    store::delete_ended(&**txn, now - lifetimes.idle, now).await?;
    store::insert(&**txn, &session, &secret::digest(secret.expose_secret())).await?;
    accounts::store::set_signed_in(&**txn, account.id, now).await?;
    let event = Event::SignedIn {
        account: account.name.clone(),
        method,
        address: session.address.clone(),
    };
    let actor = from.of(as_account(account));
    event
        .log(txn, &actor, Subject::Account(account.id.0), now)
        .await?;
    let mark = known_browser::mark(txn, account, now).await?;
    Ok(Begun {
        secret,
        session,
        mark,
    })
}

/// Whom a button of the demo signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoPerson {
    #[default]
    Steward,
    Admin,
}

impl DemoPerson {
    fn account(self) -> Result<accounts::NewAccount, Error> {
        let (name, label, standing) = match self {
            Self::Steward => ("demo", "Demo steward", accounts::RoleGrant::STEWARD),
            Self::Admin => ("demo-admin", "Demo admin", accounts::RoleGrant::ADMIN),
        };
        Ok(accounts::NewAccount {
            kind: AccountKind::Person,
            name: name.parse()?,
            display_name: Some(label.to_owned()),
            standing,
        })
    }

    /// Tells whether an account with this role may still be anybody's.
    ///
    /// The steward may have become a reader; nobody may have become an admin.
    fn may_have(self, role: Role) -> bool {
        (role == Role::Admin) == (self == Self::Admin)
    }
}

/// Signs the demo's steward or admin in, who is made at the first time.
pub async fn sign_in_to_demo(
    db: &Db,
    person: DemoPerson,
    from: &Origin,
    lifetimes: Lifetimes,
) -> Result<Begun, Error> {
    let now = Utc::now();
    let txn = db.write().await?;
    let new = person.account()?;
    let known = accounts::store::find_by_skeleton(&*txn, &new.name.skeleton()).await?;
    let account = if let Some(account) = known {
        // An account with a password or another role belongs to a person by now.
        if account.has_password() || !person.may_have(account.role) {
            return Err(Error::DemoTaken(account.name));
        }
        if account.locked_at.is_some() {
            return refuse(txn, Some(&account), (Refused::Locked, true), from, now).await;
        }
        if account.kind == AccountKind::Service {
            return Err(Error::NotAPerson);
        }
        account
    } else {
        accounts::insert(&txn, &from.of(Actor::operator()), &new, now).await?
    };
    let begun = begin(&txn, &account, Method::Demo, from, (lifetimes, now)).await?;
    txn.commit().await?;
    Ok(begun)
}

/// Finds who is signed in with this secret; nobody when the session has ended or the account is locked.
pub async fn find_signed_in(
    db: &Db,
    secret: &str,
    lifetimes: Lifetimes,
    now: DateTime<Utc>,
) -> Result<Option<SignedIn>, Error> {
    let Some((session, account)) = store::find(&**db, &secret::digest(secret)).await? else {
        return Ok(None);
    };
    let over = session.ends_at <= now || session.seen_at + lifetimes.idle <= now;
    if over || account.locked_at.is_some() {
        return Ok(None);
    }
    if session.seen_at + SEEN_EVERY <= now {
        let id = session.id;
        db.note(async move |db| store::touch(&db, id, now).await)
            .await;
    }
    let actor = actor_of(db, &account, None).await?;
    Ok(Some(SignedIn {
        account,
        session,
        actor,
    }))
}

/// Who an account acts as, with what it may do and see at this moment; by a token, with its name and scopes.
pub(super) async fn actor_of(
    db: &Db,
    account: &Account,
    token: Option<(String, BTreeSet<TokenScope>)>,
) -> Result<Actor, Error> {
    let standing = accounts::store::standing(&**db, account).await?;
    let teams = teams::store::list_of(&**db, account.id).await?;
    let teams = teams.into_iter().map(|team| team.id).collect();
    Ok(Actor::account_with(account, &standing, teams, token))
}

/// An account in the log, with no more rights than a reader's.
pub(super) fn as_account(account: &Account) -> Actor {
    Actor::account_with(account, &accounts::RoleGrant::READER, Vec::new(), None)
}

/// Ends the session that somebody is signed in with.
pub async fn sign_out(db: &Db, signed_in: &SignedIn, now: DateTime<Utc>) -> Result<(), Error> {
    let txn = db.write().await?;
    if store::end(&*txn, signed_in.account.id, signed_in.session.id).await? > 0 {
        let account = &signed_in.account;
        let event = Event::SignedOut {
            account: account.name.clone(),
        };
        event
            .log(&txn, &signed_in.actor, Subject::Account(account.id.0), now)
            .await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Lists where an account is signed in, the newest first; there are no more than a hundred.
pub async fn list(
    db: &Db,
    actor: &Actor,
    id: AccountId,
    lifetimes: Lifetimes,
) -> Result<Vec<Session>, Error> {
    accounts::require_own_or_all(actor, id)?;
    let now = Utc::now();
    store::list(&**db, id, now - lifetimes.idle, now).await
}

/// Ends one session of an account, or all but one that is kept.
pub async fn end(
    db: &Db,
    actor: &Actor,
    id: AccountId,
    which: Which,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    accounts::require_own_or_all(actor, id)?;
    let txn = db.write().await?;
    let account = accounts::store::find(&*txn, id).await?;
    let count = match which {
        Which::One(session) => store::end(&*txn, id, session).await?,
        Which::AllBut(session) => store::end_others(&*txn, id, session).await?,
    };
    if count > 0 {
        let account = account.name;
        let event = Event::SessionsEnded { account, count };
        event.log(&txn, actor, Subject::Account(id.0), now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Which sessions are meant.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    One(Uuid),
    AllBut(Uuid),
}

/// What others know of somebody, which is no password therefore.
pub(super) fn about(account: &Account) -> Vec<&str> {
    let names = [account.name.as_str(), account.label()];
    names
        .into_iter()
        .flat_map(|name| name.split([' ', '.', '@', '-', '_']))
        .chain(names)
        .collect()
}
