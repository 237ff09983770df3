//! People and teams by their names, for whoever chooses an owner or shows one.

pub(super) mod store;

use std::collections::HashMap;

use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::permission::Permission;
use super::{AccountId, Actor, Error, TeamId};
use crate::db::{Db, Subject};

/// A person or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Principal {
    Account(AccountId),
    Team(TeamId),
}

/// A person or a team with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub principal: Principal,
    /// Unique among accounts, or among teams.
    pub name: String,
    /// What to call it.
    pub label: String,
}

impl Principal {
    pub fn id(self) -> Uuid {
        match self {
            Self::Account(id) => id.0,
            Self::Team(id) => id.0,
        }
    }

    /// It, as the change log and aspects name it.
    pub fn subject(self) -> Subject {
        match self {
            Self::Account(id) => Subject::Account(id.0),
            Self::Team(id) => Subject::Team(id.0),
        }
    }
}

impl Named {
    /// The name with what it is the name of, for a sentence.
    pub(super) fn in_words(&self) -> String {
        match self.principal {
            Principal::Account(_) => format!("“{}”", self.name),
            Principal::Team(_) => format!("the team “{}”", self.name),
        }
    }
}

/// Finds up to `limit` people and as many teams whose names contain `words`, people first, each by name.
///
/// Locked accounts and services are left out: nobody asks them anything.
pub async fn search(db: &Db, actor: &Actor, words: &str, limit: u64) -> Result<Vec<Named>, Error> {
    actor.require(Permission::Describe)?;
    Ok(store::search(&**db, words, true, limit).await?)
}

/// Finds those of [`search`] who may be admitted to what is restricted: admins see it anyway, and are left out.
pub async fn search_admissible(
    db: &Db,
    actor: &Actor,
    words: &str,
    limit: u64,
) -> Result<Vec<Named>, Error> {
    actor.require(Permission::Restrict)?;
    Ok(store::search(&**db, words, false, limit).await?)
}

/// Finds the names of people and teams; those that are not there are left out.
pub async fn find_named(
    db: &Db,
    principals: &[Principal],
) -> Result<HashMap<Principal, Named>, DbErr> {
    store::find_named(&**db, principals).await
}

/// Finds the person and the team that have this name, or one that looks like it.
pub async fn find_called(db: &Db, name: &str) -> Result<Vec<Principal>, DbErr> {
    store::find_by_skeleton(&**db, &super::name::skeleton(name)).await
}
