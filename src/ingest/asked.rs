//! That somebody asked for a run, as it stands in the change log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::Actor;
use crate::db::{Subject, changes};

/// The word in the log.
const ACTION: &str = "run_started";

/// Somebody asked for a run of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub recipe: String,
}

impl Asked {
    pub(super) fn entry(&self, actor: &Actor, run: Uuid, now: DateTime<Utc>) -> changes::Entry {
        let details = serde_json::to_string(self).expect("a name is plain text");
        actor.entry(Subject::Run(run), ACTION, details, now)
    }

    /// Reads it back from the log; nothing if it is something else.
    pub fn read(action: &str, details: &str) -> Option<Self> {
        (action == ACTION).then(|| serde_json::from_str(details).ok())?
    }

    /// Tells it as a sentence.
    pub fn sentence(&self) -> String {
        format!("Started the recipe “{}”.", self.recipe)
    }
}
