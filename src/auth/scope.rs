//! Parts of the catalog that rights are about, and what somebody sees.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountId, TeamId};

/// A part of the catalog: today a source or a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scope {
    Source {
        platform: String,
        instance: String,
    },
    Database {
        platform: String,
        instance: String,
        /// The id of the database's asset.
        database: Uuid,
    },
}

/// Where something stands: which source, and which database of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub platform: &'a str,
    pub instance: &'a str,
    /// The id of the database's asset.
    pub database: Uuid,
}

impl Place<'_> {
    /// The source as a scope.
    pub fn in_source(&self) -> Scope {
        Scope::Source {
            platform: self.platform.to_owned(),
            instance: self.instance.to_owned(),
        }
    }

    /// The database as a scope.
    pub fn in_database(&self) -> Scope {
        Scope::Database {
            platform: self.platform.to_owned(),
            instance: self.instance.to_owned(),
            database: self.database,
        }
    }
}

/// What somebody sees: what stands in a restricted scope that does not admit them is as if it were not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Visibility {
    Everything,
    /// What this account, or one of its teams, is admitted to.
    As {
        account: Option<AccountId>,
        teams: Vec<TeamId>,
    },
}

impl Scope {
    /// The word in the database and in addresses.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Source { .. } => "source",
            Self::Database { .. } => "database",
        }
    }

    /// Reads a scope back from the columns of its row; nothing for a kind that this version does not know.
    pub(super) fn from_parts(
        kind: &str,
        platform: String,
        instance: String,
        database: Option<Uuid>,
    ) -> Option<Self> {
        match (kind, database) {
            ("source", None) => Some(Self::Source { platform, instance }),
            ("database", Some(database)) => Some(Self::Database {
                platform,
                instance,
                database,
            }),
            _ => None,
        }
    }

    /// The platform and the instance that it is, or is in.
    pub fn source(&self) -> (&str, &str) {
        match self {
            Self::Source { platform, instance }
            | Self::Database {
                platform, instance, ..
            } => (platform, instance),
        }
    }

    /// The id of the database's asset, for a scope of that kind.
    pub fn database(&self) -> Option<Uuid> {
        match self {
            Self::Source { .. } => None,
            Self::Database { database, .. } => Some(*database),
        }
    }

    /// Tells whether what stands there is in this scope.
    pub fn contains(&self, place: &Place<'_>) -> bool {
        match self {
            Self::Source { platform, instance } => {
                platform == place.platform && instance == place.instance
            }
            Self::Database { database, .. } => *database == place.database,
        }
    }

    /// A digest, equal exactly when the scopes are.
    pub(super) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &[u8]| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        part(self.kind().as_bytes());
        match self {
            Self::Source { platform, instance } => {
                part(platform.as_bytes());
                part(instance.as_bytes());
            }
            Self::Database { database, .. } => part(database.as_bytes()),
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { platform, instance } => write!(f, "the source {platform} {instance}"),
            Self::Database {
                platform,
                instance,
                database,
            } => write!(f, "the database {database} in {platform} {instance}"),
        }
    }
}
