//! Accounts of people and services: who there is, what they may do, whether they are locked.

pub(super) mod store;

use std::collections::{HashMap, HashSet};
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::Event;
use super::name::AccountName;
use super::permission::{Permission, Role, StewardScope};
use super::scope::Scope;
use super::{AccountId, Actor, Error, Who, links, sessions};
use crate::db::{Db, Page, PageRequest, Subject, Txn};

/// The longest display name, in characters.
const LONGEST_DISPLAY_NAME: usize = 100;

/// Somebody who can sign in, or a service that uses tokens.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    pub kind: AccountKind,
    pub name: String,
    /// What the person is called by others.
    pub display_name: Option<String>,
    pub role: Role,
    /// For a steward: of everything, not of single scopes.
    pub everywhere: bool,
    pub created_at: DateTime<Utc>,
    pub signed_in_at: Option<DateTime<Utc>>,
    pub locked_at: Option<DateTime<Utc>>,
    pub(super) password_hash: Option<String>,
}

/// Who is behind an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Person,
    /// A machine, which never signs in and uses tokens.
    Service,
}

/// A role, and for a steward where they are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGrant {
    role: Role,
    /// Its word in the change log is older.
    #[serde(rename = "realm")]
    steward_scope: StewardScope,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub kind: AccountKind,
    pub name: AccountName,
    pub display_name: Option<String>,
    pub standing: RoleGrant,
}

impl Account {
    /// What to call them: the display name, or else the name.
    pub fn label(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.name)
    }

    /// Whether a password of their own lets them in.
    pub fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }
}

impl AccountKind {
    /// The word in the database and in forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

impl RoleGrant {
    /// The most scopes that a steward is given one by one; sources take in all their databases.
    pub const MOST_SCOPES: usize = 200;

    pub const READER: Self = Self::of(Role::Reader);
    pub const ADMIN: Self = Self::of(Role::Admin);
    /// A steward of everything.
    pub const STEWARD: Self = Self::of(Role::Steward);

    const fn of(role: Role) -> Self {
        let steward_scope = StewardScope::Everything;
        Self {
            role,
            steward_scope,
        }
    }

    /// A role everywhere, or, for a steward, in these scopes only.
    pub fn new(role: Role, scopes: Option<Vec<Scope>>) -> Self {
        let steward_scope = match (role, scopes) {
            (Role::Steward, Some(scopes)) => StewardScope::Scopes(scopes),
            _ => StewardScope::Everything,
        };
        Self {
            role,
            steward_scope,
        }
    }

    pub fn role(&self) -> Role {
        self.role
    }

    pub fn steward_scope(&self) -> &StewardScope {
        &self.steward_scope
    }

    /// Tells whether another standing allows the same; in which order its scopes were named does not matter.
    fn is_as(&self, other: &Self) -> bool {
        let set = |steward_scope: &StewardScope| match steward_scope {
            StewardScope::Everything => None,
            StewardScope::Scopes(scopes) => Some(scopes.iter().cloned().collect::<HashSet<_>>()),
        };
        self.role == other.role && set(&self.steward_scope) == set(&other.steward_scope)
    }

    fn checked(&self) -> Result<(), Error> {
        match &self.steward_scope {
            StewardScope::Scopes(scopes) if scopes.len() > Self::MOST_SCOPES => {
                Err(Error::TooManyScopes)
            }
            StewardScope::Scopes(_) | StewardScope::Everything => Ok(()),
        }
    }

    fn is_everywhere(&self) -> bool {
        self.steward_scope == StewardScope::Everything
    }
}

impl fmt::Display for RoleGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.role, &self.steward_scope) {
            (Role::Reader, _) => f.write_str("a reader"),
            (Role::Admin, _) => f.write_str("an admin"),
            (Role::Steward, StewardScope::Everything) => f.write_str("a steward of everything"),
            (Role::Steward, StewardScope::Scopes(scopes)) => match scopes.len() {
                0 => f.write_str("a steward of nothing yet"),
                1 => f.write_str("a steward of one scope"),
                n => write!(f, "a steward of {n} scopes"),
            },
        }
    }
}

/// Makes an account. No two may look alike; a person's chooses its password by a link.
pub async fn create(
    db: &Db,
    actor: &Actor,
    new: &NewAccount,
    now: DateTime<Utc>,
) -> Result<Account, Error> {
    actor.require(Permission::ManagePeople)?;
    let display_name = checked_display_name(new.display_name.as_deref())?;
    new.standing.checked()?;
    let txn = db.write().await?;
    let account = insert(
        &txn,
        actor,
        &NewAccount {
            display_name,
            ..new.clone()
        },
        now,
    )
    .await?;
    txn.commit().await?;
    Ok(account)
}

/// Makes an account within a transaction, whoever may have asked for it.
pub(super) async fn insert(
    txn: &Txn,
    actor: &Actor,
    new: &NewAccount,
    now: DateTime<Utc>,
) -> Result<Account, Error> {
    let account = Account {
        id: AccountId(Uuid::now_v7()),
        kind: new.kind,
        name: new.name.to_string(),
        display_name: new.display_name.clone(),
        role: new.standing.role,
        everywhere: new.standing.is_everywhere(),
        created_at: now,
        signed_in_at: None,
        locked_at: None,
        password_hash: None,
    };
    store::insert(txn, &account, &new.name).await?;
    // A catalog that has an admin is set up; until then whoever comes through a directory changes nothing about it.
    if account.role == Role::Admin && account.kind == AccountKind::Person {
        links::store::delete_to_set_up(&**txn).await?;
    }
    store::set_standing(txn, account.id, &new.standing).await?;
    let event = Event::AccountCreated {
        account: account.name.clone(),
        standing: new.standing.clone(),
    };
    event
        .log(txn, actor, Subject::Account(account.id.0), now)
        .await?;
    Ok(account)
}

/// Lists accounts by name: those whose name or display name contains `words`, or all.
pub async fn list(
    db: &Db,
    actor: &Actor,
    words: &str,
    page: &PageRequest,
) -> Result<Page<Account>, Error> {
    actor.require(Permission::ManagePeople)?;
    store::list(&**db, words, page).await
}

/// Finds an account by its id.
pub async fn find(db: &Db, actor: &Actor, id: AccountId) -> Result<Account, Error> {
    require_own_or_all(actor, id)?;
    store::find(&**db, id).await
}

/// Finds an account by its name.
pub async fn find_named(db: &Db, actor: &Actor, name: &AccountName) -> Result<Account, Error> {
    actor.require(Permission::ManagePeople)?;
    store::find_by_skeleton(&**db, &name.skeleton())
        .await?
        .ok_or(Error::UnknownAccount)
}

/// Finds what an account may do.
pub async fn standing(db: &Db, actor: &Actor, account: &Account) -> Result<RoleGrant, Error> {
    require_own_or_all(actor, account.id)?;
    store::standing(&**db, account).await
}

/// Finds what each of some accounts may do.
pub async fn list_standings(
    db: &Db,
    actor: &Actor,
    accounts: &[Account],
) -> Result<HashMap<AccountId, RoleGrant>, Error> {
    actor.require(Permission::ManagePeople)?;
    Ok(store::list_standings(&**db, accounts).await?)
}

/// Acts as an account, with what it may do and see now; for an operator alone, who could sign in as anybody.
pub async fn act_as(db: &Db, operator: &Actor, id: AccountId) -> Result<Actor, Error> {
    operator.require(Permission::ManagePeople)?;
    if *operator.who() != Who::Operator {
        return Err(Error::UnknownAccount);
    }
    let account = store::find(&**db, id).await?;
    sessions::actor_of(db, &account, None).await
}

/// Who somebody is elsewhere.
#[derive(Debug, Clone)]
pub struct ExternalIdentity {
    pub issuer: String,
    pub subject: String,
    pub linked_at: DateTime<Utc>,
}

/// Lists who somebody is elsewhere, the oldest link first.
pub async fn list_identities(
    db: &Db,
    actor: &Actor,
    id: AccountId,
) -> Result<Vec<ExternalIdentity>, Error> {
    require_own_or_all(actor, id)?;
    Ok(store::list_identities(&**db, id).await?)
}

/// Gives an account another role or other scopes; it takes effect with the account's next request.
pub async fn set_standing(
    db: &Db,
    actor: &Actor,
    id: AccountId,
    after: RoleGrant,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    actor.require(Permission::ManagePeople)?;
    after.checked()?;
    let txn = db.write().await?;
    let account = store::find(&*txn, id).await?;
    if change_standing(&txn, actor, &account, after, now).await? {
        refuse_without_admin(&txn, &account).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Changes a standing within a transaction; tells whether that was anything new.
pub(super) async fn change_standing(
    txn: &Txn,
    actor: &Actor,
    account: &Account,
    after: RoleGrant,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let before = store::standing(&**txn, account).await?;
    if before.is_as(&after) {
        return Ok(false);
    }
    store::set_standing(txn, account.id, &after).await?;
    let event = Event::StandingChanged {
        account: account.name.clone(),
        before,
        after,
    };
    event
        .log(txn, actor, Subject::Account(account.id.0), now)
        .await?;
    Ok(true)
}

/// Locks an account: its sessions end at once, and its tokens and links no longer work.
pub async fn lock(db: &Db, actor: &Actor, id: AccountId, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require(Permission::ManagePeople)?;
    let txn = db.write().await?;
    let account = store::find(&*txn, id).await?;
    if account.locked_at.is_none() {
        store::set_locked(&*txn, id, Some(now)).await?;
        refuse_without_admin(&txn, &account).await?;
        sessions::store::end_all(&*txn, id).await?;
        links::store::delete_of(&*txn, id).await?;
        let event = Event::AccountLocked {
            account: account.name,
        };
        event.log(&txn, actor, Subject::Account(id.0), now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Lets a locked account in again.
pub async fn unlock(
    db: &Db,
    actor: &Actor,
    id: AccountId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    actor.require(Permission::ManagePeople)?;
    let txn = db.write().await?;
    let account = store::find(&*txn, id).await?;
    if account.locked_at.is_some() {
        store::set_locked(&*txn, id, None).await?;
        let event = Event::AccountUnlocked {
            account: account.name,
        };
        event.log(&txn, actor, Subject::Account(id.0), now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Changes what somebody is called by others; an empty name takes it away.
pub async fn set_display_name(
    db: &Db,
    actor: &Actor,
    id: AccountId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    require_own_or_all(actor, id)?;
    let after = checked_display_name(Some(name))?;
    let txn = db.write().await?;
    let account = store::find(&*txn, id).await?;
    if account.display_name != after {
        store::set_display_name(&*txn, id, after.as_deref()).await?;
        let event = Event::DisplayNameChanged {
            account: account.name,
            before: account.display_name,
            after,
        };
        event.log(&txn, actor, Subject::Account(id.0), now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Everybody looks after their own account, and admins after all.
pub(super) fn require_own_or_all(actor: &Actor, id: AccountId) -> Result<(), Error> {
    let permission = if actor.account() == Some(id) {
        Permission::ManageOwnAccount
    } else {
        Permission::ManagePeople
    };
    Ok(actor.require(permission)?)
}

/// Refuses when what happens to an account leaves nobody to look after the catalog.
async fn refuse_without_admin(txn: &Txn, before: &Account) -> Result<(), Error> {
    let was_one = before.role == Role::Admin
        && before.kind == AccountKind::Person
        && before.locked_at.is_none();
    if was_one && store::count_admins(&**txn).await? == 0 {
        return Err(Error::LastAdmin);
    }
    Ok(())
}

pub(super) fn checked_display_name(name: Option<&str>) -> Result<Option<String>, Error> {
    let words: Vec<&str> = name.unwrap_or_default().split_whitespace().collect();
    let name = words.join(" ");
    if name.chars().count() > LONGEST_DISPLAY_NAME || name.chars().any(char::is_control) {
        return Err(Error::BadDisplayName);
    }
    Ok((!name.is_empty()).then_some(name))
}
