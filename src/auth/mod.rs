//! Who is acting, and what they may do.
//!
//! So far there are no accounts: whoever reaches the server reads, and may start a run. Every function that changes
//! something takes an [`Actor`] all the same and asks it first, so that accounts change this module alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Explain, Kind};

/// Who or what does something; written beside every change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Actor {
    /// Whoever typed a command on the machine itself.
    Operator,
    /// Somebody in a browser or behind the API who has not said who they are.
    Visitor,
    /// The catalog itself, at the time that a recipe's schedule names.
    Schedule,
    /// A recipe, by its name, while it is being run.
    Recipe(String),
}

/// What can be allowed or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See what is in the catalog.
    Read,
    /// Start a recipe now.
    RunRecipe,
    /// Write what a source said into the catalog.
    WriteSourceLayer,
}

impl Actor {
    /// Refuses unless this actor may do it.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        let granted = match permission {
            Permission::Read => true,
            Permission::RunRecipe => !matches!(self, Self::Recipe(_)),
            Permission::WriteSourceLayer => matches!(self, Self::Recipe(_)),
        };
        if granted {
            Ok(())
        } else {
            Err(Denied(permission))
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("an operator"),
            Self::Visitor => f.write_str("a visitor"),
            Self::Schedule => f.write_str("the schedule"),
            Self::Recipe(name) => write!(f, "recipe {name}"),
        }
    }
}

/// The actor may not do this.
#[derive(Debug, thiserror::Error)]
#[error("{}", match .0 {
    Permission::Read => "The catalog is not open to everybody.",
    Permission::RunRecipe => "A recipe cannot start another one.",
    Permission::WriteSourceLayer => "Only a recipe writes what a source says.",
})]
pub struct Denied(Permission);

impl Explain for Denied {
    fn kind(&self) -> Kind {
        Kind::Forbidden
    }
}
