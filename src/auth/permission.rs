//! The closed list of permissions, and the one place that grants them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::scope::{Place, Scope};
use crate::error::{Explain, Kind};

/// What can be allowed or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See what is in the catalog.
    Read,
    /// Write what people say of an asset: descriptions, notes, owners, tags, links, states.
    Describe,
    /// Ask the stewards to describe something.
    Ask,
    /// Start a recipe now.
    RunRecipe,
    /// Write what a source said into the catalog.
    WriteSourceLayer,
    /// Look after one's own account: its password, its sessions, its tokens.
    ManageOwnAccount,
    /// Invite people, give them roles and scopes, lock them, make teams and service accounts.
    ManagePeople,
    /// Mark scopes as restricted and admit people and teams to them.
    Restrict,
    /// Read the audit trail.
    ReadAudit,
}

/// What an account may do, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads the catalog.
    Reader,
    /// Writes what people say of assets, everywhere or in named scopes.
    Steward,
    /// Does everything that a person can.
    Admin,
}

/// What a token may be used for; it never allows more than its account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    Read,
    Write,
    Ingest,
}

/// Where a steward is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StewardScope {
    Everything,
    Scopes(Vec<Scope>),
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rights {
    /// Whoever commands the machine.
    Operator,
    /// A recipe, for what it was made for.
    Recipe,
    /// Nobody known, who may read where that is set up.
    Visitor { reads: bool },
    /// An account, in a browser or, with these scopes, by a token.
    Account {
        role: Role,
        steward_scope: StewardScope,
        token: Option<BTreeSet<TokenScope>>,
    },
}

impl Rights {
    /// The scope that a token needs besides, where the role alone would be enough.
    pub(super) fn lacks(
        &self,
        permission: Permission,
        place: Option<&Place<'_>>,
    ) -> Option<TokenScope> {
        let Self::Account {
            role,
            steward_scope,
            token: Some(scopes),
        } = self
        else {
            return None;
        };
        let covered = scopes.iter().any(|scope| scope.covers(permission));
        if covered || !role_grants(*role, steward_scope, permission, place) {
            return None;
        }
        let mut all = TokenScope::ALL.into_iter();
        all.find(|scope| scope.covers(permission))
    }

    /// Tells whether these rights contain a permission: at this place, or, without one, at any place.
    pub(super) fn grant(&self, permission: Permission, place: Option<&Place<'_>>) -> bool {
        match self {
            Self::Operator => permission != Permission::WriteSourceLayer,
            Self::Recipe => {
                matches!(permission, Permission::Read | Permission::WriteSourceLayer)
            }
            Self::Visitor { reads } => *reads && permission == Permission::Read,
            Self::Account {
                role,
                steward_scope,
                token,
            } => {
                role_grants(*role, steward_scope, permission, place)
                    && token
                        .as_ref()
                        .is_none_or(|scopes| scopes.iter().any(|scope| scope.covers(permission)))
            }
        }
    }
}

fn role_grants(
    role: Role,
    steward_scope: &StewardScope,
    permission: Permission,
    place: Option<&Place<'_>>,
) -> bool {
    match permission {
        Permission::Read | Permission::Ask | Permission::ManageOwnAccount => true,
        Permission::Describe => {
            role == Role::Admin || (role == Role::Steward && steward_scope.contains(place))
        }
        // A recipe may read any source, so that a steward of one scope does not start it.
        Permission::RunRecipe => {
            role == Role::Admin
                || (role == Role::Steward && *steward_scope == StewardScope::Everything)
        }
        Permission::ManagePeople | Permission::Restrict | Permission::ReadAudit => {
            role == Role::Admin
        }
        Permission::WriteSourceLayer => false,
    }
}

impl Rights {
    /// The scopes in which a permission is granted; nothing where it is granted everywhere that it is granted at all.
    pub(super) fn scopes_of(&self, permission: Permission) -> Option<&[Scope]> {
        match self {
            Self::Account {
                role: Role::Steward,
                steward_scope: StewardScope::Scopes(scopes),
                ..
            } if permission == Permission::Describe => Some(scopes),
            _ => None,
        }
    }
}

impl StewardScope {
    fn contains(&self, place: Option<&Place<'_>>) -> bool {
        match (self, place) {
            (Self::Everything, _) => true,
            (Self::Scopes(scopes), None) => !scopes.is_empty(),
            (Self::Scopes(scopes), Some(place)) => scopes.iter().any(|scope| scope.contains(place)),
        }
    }
}

impl TokenScope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Ingest];

    /// The word in the database, in forms and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Ingest => "ingest",
        }
    }

    /// Each scope includes reading. None includes one's own account or other people's: those want a browser.
    fn covers(self, permission: Permission) -> bool {
        match permission {
            Permission::Read | Permission::ReadAudit => true,
            Permission::Describe | Permission::Ask => self == Self::Write,
            Permission::RunRecipe => self == Self::Ingest,
            Permission::ManageOwnAccount
            | Permission::ManagePeople
            | Permission::Restrict
            | Permission::WriteSourceLayer => false,
        }
    }
}

impl Role {
    /// From the least to the most.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Steward, Self::Admin];

    /// The word in the database, in forms and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Steward => "steward",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| UnknownWord::new("role", word, "reader, steward or admin"))
    }
}

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TokenScope {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == word);
        found.ok_or_else(|| UnknownWord::new("scope of a token", word, "read, write or ingest"))
    }
}

/// A word that is none of a closed list.
#[derive(Debug, thiserror::Error)]
#[error("There is no {what} named “{word}”: it is {known}.")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
    known: &'static str,
}

impl UnknownWord {
    pub(super) fn new(what: &'static str, word: &str, known: &'static str) -> Self {
        let word = word.to_owned();
        Self { what, word, known }
    }
}

impl Explain for UnknownWord {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// The actor may not do this.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.words())]
pub struct Denied {
    pub permission: Permission,
    /// The role is enough, and the token that was used lacks this scope.
    pub lacks: Option<TokenScope>,
    /// Nobody is signed in, so that signing in may help.
    pub nobody: bool,
}

impl Denied {
    fn words(&self) -> &'static str {
        match (self.lacks, self.permission) {
            (Some(TokenScope::Read), _) => "This token lacks the scope “read”.",
            (Some(TokenScope::Write), _) => "This token lacks the scope “write”.",
            (Some(TokenScope::Ingest), _) => "This token lacks the scope “ingest”.",
            (None, Permission::Read) => "The catalog is open to people who are signed in.",
            (None, Permission::Describe) => "Only a steward of its database can describe this.",
            (None, Permission::Ask) => "Only people with an account can ask for a description.",
            (None, Permission::RunRecipe) => {
                "Only admins and stewards of everything can run recipes."
            }
            (None, Permission::WriteSourceLayer) => "Only a recipe writes what a source says.",
            (None, Permission::ManageOwnAccount) => {
                "Only its owner can manage an account, signed in with a browser."
            }
            (None, Permission::ManagePeople) => {
                "Only admins can manage people, signed in with a browser."
            }
            (None, Permission::Restrict) => {
                "Only admins can restrict access, signed in with a browser."
            }
            (None, Permission::ReadAudit) => "Only admins can read the audit trail.",
        }
    }
}

impl Explain for Denied {
    fn kind(&self) -> Kind {
        if self.nobody {
            Kind::Unauthenticated
        } else {
            Kind::Forbidden
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match (self.nobody, self.permission) {
            (true, _) => "Sign in, or send a token as “Authorization: Bearer …”.",
            (false, _) if self.lacks.is_some() => "Create a token with that scope on your profile.",
            (false, Permission::WriteSourceLayer) => "Run a recipe.",
            (false, Permission::ManageOwnAccount) => "Sign in with a browser.",
            (false, _) => "Ask an admin for the role.",
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account(role: Role, steward_scope: StewardScope) -> Rights {
        Rights::Account {
            role,
            steward_scope,
            token: None,
        }
    }

    #[test]
    fn a_steward_of_a_scope_describes_what_is_in_it_and_nothing_else() {
        let sales = Uuid::now_v7();
        let scope = Scope::Database {
            platform: "glue".to_owned(),
            instance: "one".to_owned(),
            database: sales,
        };
        let steward = account(Role::Steward, StewardScope::Scopes(vec![scope]));
        let place = |instance, database| Place {
            platform: "glue",
            instance,
            database,
        };

        assert!(steward.grant(Permission::Describe, None));
        assert!(steward.grant(Permission::Describe, Some(&place("one", sales))));
        assert!(!steward.grant(Permission::Describe, Some(&place("one", Uuid::now_v7()))));
        assert!(!steward.grant(Permission::RunRecipe, None));
        assert!(
            !account(Role::Steward, StewardScope::Scopes(Vec::new()))
                .grant(Permission::Describe, None)
        );
    }

    #[test]
    fn a_token_never_allows_more_than_its_account_and_its_scope() {
        let token = |role, scope| Rights::Account {
            role,
            steward_scope: StewardScope::Everything,
            token: Some(BTreeSet::from([scope])),
        };

        assert!(token(Role::Admin, TokenScope::Write).grant(Permission::Describe, None));
        assert!(!token(Role::Reader, TokenScope::Write).grant(Permission::Describe, None));
        assert!(!token(Role::Admin, TokenScope::Read).grant(Permission::Describe, None));
        assert!(!token(Role::Admin, TokenScope::Write).grant(Permission::RunRecipe, None));
        assert!(token(Role::Steward, TokenScope::Ingest).grant(Permission::RunRecipe, None));
        let lacks = |role, permission| token(role, TokenScope::Read).lacks(permission, None);
        assert_eq!(
            lacks(Role::Admin, Permission::RunRecipe),
            Some(TokenScope::Ingest)
        );
        assert_eq!(lacks(Role::Reader, Permission::RunRecipe), None);
        assert_eq!(lacks(Role::Admin, Permission::ManagePeople), None);
        for scope in TokenScope::ALL {
            for permission in [
                Permission::ManageOwnAccount,
                Permission::ManagePeople,
                Permission::Restrict,
            ] {
                assert!(
                    !token(Role::Admin, scope).grant(permission, None),
                    "{scope}"
                );
            }
        }
    }
}
