//! Who is acting, and what they may do.
//!
//! Every function that changes something takes an [`Actor`] and asks it first; [`permission`] alone grants. Deliberately
//! absent: HTTP. Cookies, headers and addresses to redirect to belong to `web`.

pub mod accounts;
pub mod directories;
mod error;
mod event;
pub mod links;
mod name;
mod password;
mod permission;
pub mod principals;
mod scope;
pub mod scopes;
mod secret;
pub mod sessions;
pub mod subjects;
pub mod teams;
pub mod tokens;

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Subject, changes};

pub use error::Error;
pub use event::{Event, Refused};
pub use name::{AccountName, BadName, TeamName};
pub use password::{Password, Passwords, WeakPassword};
pub use permission::{Denied, Permission, Role, StewardScope, TokenScope, UnknownWord};
pub use scope::{Place, Scope, Visibility};

use accounts::{Account, RoleGrant};
use permission::Rights;

/// The id of an account: given once, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub Uuid);

/// The id of a team: given once, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TeamId(pub Uuid);

/// Who or what does something; written beside every change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Who {
    /// Whoever typed a command on the machine itself.
    Operator,
    /// Somebody in a browser or behind the API who has not said who they are.
    Visitor,
    /// The catalog itself, at the time that a recipe's schedule names.
    Schedule,
    /// A recipe while it is being run.
    Recipe { name: String },
    /// A person or a service, by the name it had then.
    Account {
        id: AccountId,
        name: String,
        /// The name of the token that was used, if one was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
}

/// Who does something, what they may do, and what they see.
#[derive(Debug, Clone)]
pub struct Actor {
    who: Who,
    rights: Rights,
    visibility: Visibility,
    request: Option<String>,
}

impl Actor {
    /// Whoever typed a command on the machine itself.
    pub fn operator() -> Self {
        Self::new(Who::Operator, Rights::Operator, Visibility::Everything)
    }

    /// The catalog itself, at the time that a recipe's schedule names.
    pub fn schedule() -> Self {
        Self::new(Who::Schedule, Rights::Operator, Visibility::Everything)
    }

    /// A recipe, while it is being run.
    pub fn recipe(name: &str) -> Self {
        let name = name.to_owned();
        Self::new(Who::Recipe { name }, Rights::Recipe, Visibility::Everything)
    }

    /// Somebody who has not said who they are, and may read where that is set up.
    pub fn visitor(reads: bool) -> Self {
        let visibility = Visibility::As {
            account: None,
            teams: Vec::new(),
        };
        Self::new(Who::Visitor, Rights::Visitor { reads }, visibility)
    }

    /// An account, in a browser or by a token of this name and with these scopes.
    fn account_with(
        account: &Account,
        standing: &RoleGrant,
        teams: Vec<TeamId>,
        token: Option<(String, BTreeSet<TokenScope>)>,
    ) -> Self {
        let (token, scopes) = token.unzip();
        let who = Who::Account {
            id: account.id,
            name: account.name.clone(),
            token,
        };
        let visibility = match standing.role() {
            Role::Admin => Visibility::Everything,
            Role::Reader | Role::Steward => Visibility::As {
                account: Some(account.id),
                teams,
            },
        };
        let (role, steward_scope) = (standing.role(), standing.steward_scope().clone());
        let rights = Rights::Account {
            role,
            steward_scope,
            token: scopes,
        };
        Self::new(who, rights, visibility)
    }

    fn new(who: Who, rights: Rights, visibility: Visibility) -> Self {
        Self {
            who,
            rights,
            visibility,
            request: None,
        }
    }

    /// Adds the id of the request in which this actor acts.
    pub fn in_request(self, id: &str) -> Self {
        Self {
            request: Some(id.to_owned()),
            ..self
        }
    }

    pub fn who(&self) -> &Who {
        &self.who
    }

    /// What this actor sees; every query whose answer they are shown is limited to it.
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// The account, if the actor has one.
    pub fn account(&self) -> Option<AccountId> {
        match &self.who {
            Who::Account { id, .. } => Some(*id),
            Who::Operator | Who::Visitor | Who::Schedule | Who::Recipe { .. } => None,
        }
    }

    /// Tells whether this actor may do it, somewhere at least.
    pub fn may(&self, permission: Permission) -> bool {
        self.rights.grant(permission, None)
    }

    /// Tells whether this actor may do it to what stands there.
    pub fn may_in(&self, permission: Permission, place: &Place<'_>) -> bool {
        self.rights.grant(permission, Some(place))
    }

    /// The scopes in which this actor may do it; nothing for who may do it everywhere, or nowhere.
    pub fn scopes_of(&self, permission: Permission) -> Option<&[Scope]> {
        self.rights.scopes_of(permission)
    }

    /// Refuses unless this actor may do it, somewhere at least.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        self.refuse_unless(permission, None)
    }

    /// Refuses unless this actor may do it to what stands there.
    pub fn require_in(&self, permission: Permission, place: &Place<'_>) -> Result<(), Denied> {
        self.refuse_unless(permission, Some(place))
    }

    fn refuse_unless(
        &self,
        permission: Permission,
        place: Option<&Place<'_>>,
    ) -> Result<(), Denied> {
        if self.rights.grant(permission, place) {
            return Ok(());
        }
        Err(Denied {
            permission,
            lacks: self.rights.lacks(permission, place),
            nobody: self.who == Who::Visitor,
        })
    }

    /// An entry of the change log that says that this actor did something to `subject`.
    pub fn entry(
        &self,
        subject: Subject,
        action: &'static str,
        details: String,
        now: DateTime<Utc>,
    ) -> changes::Entry {
        changes::Entry {
            at: now,
            actor: serde_json::to_string(&self.who).expect("an actor is plain text"),
            actor_id: self.account().map(|id| id.0),
            request_id: self.request.clone(),
            run_id: None,
            subject,
            action,
            details,
            placed: None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("an operator"),
            Self::Visitor => f.write_str("a visitor"),
            Self::Schedule => f.write_str("the schedule"),
            Self::Recipe { name } => write!(f, "recipe {name}"),
            Self::Account {
                name, token: None, ..
            } => f.write_str(name),
            Self::Account {
                name,
                token: Some(token),
                ..
            } => write!(f, "{name} with the token “{token}”"),
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TeamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
