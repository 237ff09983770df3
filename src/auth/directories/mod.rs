//! People who are known elsewhere: at an OpenID provider or in an LDAP directory.
//!
//! An account belongs to a subject at an issuer. It is never found by name or e-mail: whoever controls one of these
//! elsewhere must not get somebody's account here. Nothing is asked of a directory before somebody wants to sign in, so
//! that one that is down keeps nobody else out.

pub mod ldap;
mod mapping;
pub mod oidc;
mod seen;
mod settings;
pub mod sign_ins;
mod store;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tracing::warn;

use super::accounts::{self, Account, AccountKind, NewAccount, RoleGrant};
use super::event::{Event, Refused};
use super::name::{AccountName, TeamName};
use super::sessions::{self, Begun, Lifetimes, Method, Origin, SignedIn};
use super::{Actor, Error, Passwords, Permission, Role, teams};
use crate::config::{self, Problems};
use crate::db::{Db, Subject, Txn};
use crate::error::chain;

use sign_ins::Outcome;

pub use ldap::Ldap;
pub use oidc::Oidc;
pub use seen::{Seen, SeenClaim};

/// How many names are tried for a new account before giving up: `ana`, `ana-2`, …
const TRIES: u32 = 50;

/// Who somebody is, as an issuer vouches for it.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// The provider's or the directory's own name.
    pub issuer: String,
    /// What the issuer never gives to anybody else.
    pub subject: String,
    /// What they would like to be called here.
    pub name: String,
    pub display_name: Option<String>,
    /// What their groups are here; nobody gets in without a role.
    pub role: Option<Role>,
    pub teams: Vec<TeamName>,
    /// What the issuer said, for admins.
    pub seen: Seen,
}

impl Assertion {
    /// Why somebody without a role is kept out.
    pub fn refusal(&self) -> Option<Refused> {
        match self.role {
            Some(_) => None,
            None if self.seen.groups_left_out => Some(Refused::GroupsLeftOut),
            None => Some(Refused::NoRole),
        }
    }
}

/// The directories that are set up.
#[derive(Debug, Clone, Default)]
pub struct Directories {
    pub oidc: Option<Arc<Oidc>>,
    pub ldap: Option<Arc<Ldap>>,
}

impl Directories {
    /// Reads the settings; all that is wrong with them is told at once.
    pub fn new(settings: &config::Directories) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let oidc = Oidc::new(&settings.oidc, &mut problems);
        let ldap = Ldap::new(&settings.ldap, &mut problems);
        problems.unless_any(Self {
            oidc: oidc.map(Arc::new),
            ldap: ldap.map(Arc::new),
        })
    }
}

/// Signs in whoever an issuer vouches for, making an account at the first time.
///
/// Role and teams follow the issuer's groups at every sign-in; teams that people gave by hand stay. A steward of named
/// scopes stays that as long as the issuer says steward.
pub async fn sign_in(
    db: &Db,
    assertion: &Assertion,
    method: Method,
    from: &Origin,
    lifetimes: Lifetimes,
) -> Result<Begun, Error> {
    let txn = db.write().await?;
    let now = Utc::now();
    begin(txn, assertion, method, from, (lifetimes, now)).await
}

/// Signs a person in with name and password: those of an account here or, where no account of that name has a password,
/// of the LDAP server.
///
/// Tries are limited as those of accounts are, and a name that nobody has gets the same answer as a wrong password.
pub async fn sign_in_with_password(
    db: &Db,
    (passwords, directories): (&Passwords, &Directories),
    known: (&str, &SecretString),
    from: &Origin,
    lifetimes: Lifetimes,
) -> Result<Begun, Error> {
    let checked = sessions::check(db, passwords, known, from).await?;
    let Some(ldap) = directories.ldap.as_ref().filter(|_| !checked.matches) else {
        return sessions::conclude(db, checked, from, lifetimes).await;
    };
    let (name, password) = known;
    if checked.account.as_ref().is_some_and(Account::has_password) {
        // As slow as for a name that the directory has, and with the same answer when it is down, so that nobody learns
        // which names are here. The password was looked at, so the try counts all the same.
        let outage = ldap.pretend(name).await.err();
        let concluded = sessions::conclude(db, checked, from, lifetimes).await;
        return match (concluded, outage) {
            (Err(Error::WrongNameOrPassword), Some(outage)) => Err(outage.into()),
            (concluded, _) => concluded,
        };
    }
    let answer = ldap.check(name, password).await;
    let txn = db.write().await?;
    let now = Utc::now();
    match answer {
        Ok(assertion) => {
            checked.counted.forget(&txn).await?;
            begin(txn, &assertion, Method::Ldap, from, (lifetimes, now)).await
        }
        Err(ldap::Error::Wrong(subject)) => {
            let account = match subject {
                Some(subject) => {
                    accounts::store::find_by_identity(&*txn, ldap.issuer(), &subject).await?
                }
                None => checked.account,
            };
            let failed = sign_ins::Attempt::of(Method::Ldap, from, now);
            let reason = Refused::NotInDirectory;
            failed
                .failed(&txn, Outcome::WrongPassword, reason.as_str())
                .await?;
            let cause = (reason, checked.counted.goes_on_record);
            sessions::refuse(txn, account.as_ref(), cause, from, now).await
        }
        Err(error) => {
            // Nobody has looked at the password.
            checked.counted.take_back(&txn).await?;
            let failed = sign_ins::Attempt::of(Method::Ldap, from, now);
            failed.failed(&txn, Outcome::Failed, &chain(&error)).await?;
            txn.commit().await?;
            Err(error.into())
        }
    }
}

/// Keeps for admins why a sign-in with the provider came to nothing.
pub async fn note_failure(db: &Db, error: &oidc::Error, from: &Origin) -> Result<(), Error> {
    let txn = db.write().await?;
    let failed = sign_ins::Attempt::of(Method::Oidc, from, Utc::now());
    let outcome = if error.can_be_caused_by_anybody() {
        Outcome::BrokenOff
    } else {
        Outcome::Failed
    };
    failed.failed(&txn, outcome, &chain(error)).await?;
    txn.commit().await?;
    Ok(())
}

async fn begin(
    txn: Txn,
    assertion: &Assertion,
    method: Method,
    from: &Origin,
    (lifetimes, now): (Lifetimes, DateTime<Utc>),
) -> Result<Begun, Error> {
    let identity = (assertion.issuer.as_str(), assertion.subject.as_str());
    let known = accounts::store::find_by_identity(&*txn, identity.0, identity.1).await?;
    log(assertion);
    let attempt = sign_ins::Attempt::of(method, from, now);
    let is_locked = known
        .as_ref()
        .is_some_and(|account| account.locked_at.is_some());
    let refused = if is_locked {
        Some(Refused::Locked)
    } else {
        assertion.refusal()
    };
    attempt.answered(&txn, assertion, refused).await?;
    let (None, Some(given)) = (refused, assertion.role) else {
        let reason = refused.unwrap_or(Refused::NoRole);
        if reason != Refused::Locked {
            end_sessions(&txn, known.as_ref(), from, now).await?;
        }
        return sessions::refuse(txn, known.as_ref(), (reason, true), from, now).await;
    };
    // What follows from groups that were left out is not known: role and teams stay as they were.
    let is_partial = assertion.seen.groups_left_out && known.is_some();
    let account = match known {
        Some(account) => {
            let role = Some(account.role).filter(|_| is_partial);
            let role = role.map_or(given, |kept| kept.max(given));
            follow_role(&txn, account, role, from, now).await?
        }
        None => welcome(&txn, assertion, given, from, now).await?,
    };
    if !is_partial {
        let actor = from.of(sessions::as_account(&account));
        let member = (&account, assertion.issuer.as_str());
        teams::follow_directory(&txn, &actor, member, &assertion.teams, now).await?;
    }
    let begun = sessions::begin(&txn, &account, method, from, (lifetimes, now)).await?;
    txn.commit().await?;
    Ok(begun)
}

/// Names in the log what keeps somebody out, or could not be used. Groups are named, people are not.
fn log(assertion: &Assertion) {
    let seen = &assertion.seen;
    if seen.groups_left_out {
        warn!("the directory left groups of somebody out, because there are too many");
    }
    if !seen.unreadable.is_empty() {
        warn!(
            claims = ?seen.unreadable,
            "claims of somebody are used and of a type that cannot be read"
        );
    }
    if assertion.role.is_none() {
        warn!(groups = ?seen.groups, "somebody whose groups have no role here is kept out");
    }
}

/// Who is known from a directory alone has lost what let them in: they are signed out.
async fn end_sessions(
    txn: &Txn,
    known: Option<&Account>,
    from: &Origin,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Some(account) = known.filter(|account| !account.has_password()) else {
        return Ok(());
    };
    let count = sessions::store::end_all(&**txn, account.id).await?;
    if count > 0 {
        let event = Event::SessionsEnded {
            account: account.name.clone(),
            count,
        };
        let (actor, subject) = (Actor::visitor(false), Subject::Account(account.id.0));
        event.log(txn, &from.of(actor), subject, now).await?;
    }
    Ok(())
}

/// Links an account that is signed in to a subject at an issuer, at its own wish.
pub async fn link(
    db: &Db,
    signed_in: &SignedIn,
    assertion: &Assertion,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    signed_in.actor.require(Permission::ManageOwnAccount)?;
    let txn = db.write().await?;
    let identity = (assertion.issuer.as_str(), assertion.subject.as_str());
    match accounts::store::find_by_identity(&*txn, identity.0, identity.1).await? {
        Some(account) if account.id == signed_in.account.id => return Ok(()),
        Some(_) => return Err(Error::IdentityTaken),
        None => {}
    }
    remember(&txn, &signed_in.actor, &signed_in.account, assertion, now).await?;
    txn.commit().await?;
    Ok(())
}

async fn follow_role(
    txn: &Txn,
    account: Account,
    role: Role,
    from: &Origin,
    now: DateTime<Utc>,
) -> Result<Account, Error> {
    // The scopes of a steward are given here, not by the issuer.
    if account.role != role {
        let actor = from.of(sessions::as_account(&account));
        accounts::change_standing(txn, &actor, &account, RoleGrant::new(role, None), now).await?;
    }
    Ok(Account { role, ..account })
}

async fn welcome(
    txn: &Txn,
    assertion: &Assertion,
    role: Role,
    from: &Origin,
    now: DateTime<Utc>,
) -> Result<Account, Error> {
    let new = NewAccount {
        kind: AccountKind::Person,
        name: free_name(txn, &assertion.name).await?,
        display_name: assertion.display_name.clone(),
        standing: RoleGrant::new(role, None),
    };
    let account = accounts::insert(txn, &from.of(Actor::visitor(false)), &new, now).await?;
    remember(
        txn,
        &from.of(sessions::as_account(&account)),
        &account,
        assertion,
        now,
    )
    .await?;
    Ok(account)
}

async fn remember(
    txn: &Txn,
    actor: &Actor,
    account: &Account,
    assertion: &Assertion,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let identity = (assertion.issuer.as_str(), assertion.subject.as_str());
    accounts::store::link_identity(&**txn, account.id, identity, now).await?;
    let event = Event::IdentityLinked {
        account: account.name.clone(),
        issuer: assertion.issuer.clone(),
    };
    event
        .log(txn, actor, Subject::Account(account.id.0), now)
        .await?;
    Ok(())
}

/// The name that was wished for, with a number behind it if somebody has it.
async fn free_name(txn: &Txn, wish: &str) -> Result<AccountName, Error> {
    let usable = |c: &char| c.is_alphanumeric() || "._-+@'".contains(*c);
    let wish: String = wish.chars().filter(usable).take(48).collect();
    let wish = if wish.parse::<AccountName>().is_ok() {
        wish
    } else {
        "person".to_owned()
    };
    for number in 1..=TRIES {
        let name = match number {
            1 => wish.clone(),
            number => format!("{wish}-{number}"),
        };
        let name: AccountName = name.parse()?;
        if accounts::store::find_by_skeleton(&**txn, &name.skeleton())
            .await?
            .is_none()
        {
            return Ok(name);
        }
    }
    Err(Error::NameTaken(wish))
}
