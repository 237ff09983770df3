//! The history of an asset: rows of the change log, read back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::asset::AssetId;
use super::difference::{self, Difference};
use super::human::ASPECTS;
use crate::auth::{Actor, Who};
use crate::revisions::Edit;

/// What happened to an asset.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A source reported it for the first time.
    Created,
    /// The source says something else of it.
    Changed(Vec<Difference>),
    /// A complete listing no longer has it.
    Gone,
    /// It was gone, and a source reports it again, perhaps changed.
    Returned(Vec<Difference>),
    /// Somebody revised what people say of it.
    Revised(Edit),
    /// What another version of Gazetteer did to it, by its word in the log.
    Other(String),
}

/// The part of an action that has no column of its own in the log.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Details {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Difference>,
}

impl Action {
    /// The word in the log and in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed(_) => "changed",
            Self::Gone => "gone",
            Self::Returned(_) => "returned",
            Self::Revised(edit) => edit.aspect.action,
            Self::Other(_) => "other",
        }
    }

    /// What differs, for the actions that say so.
    pub fn differences(&self) -> &[Difference] {
        match self {
            Self::Changed(differences) | Self::Returned(differences) => differences,
            Self::Created | Self::Gone | Self::Revised(_) | Self::Other(_) => &[],
        }
    }

    /// The edit that it is, if it is one.
    pub(super) fn edit_mut(&mut self) -> Option<&mut Edit> {
        match self {
            Self::Revised(edit) => Some(edit),
            _ => None,
        }
    }

    /// The sentence about the whole, for the actions of sources that have one.
    pub fn opening(&self) -> Option<&'static str> {
        match self {
            Self::Created => Some("Added."),
            Self::Gone => Some("No longer in the source."),
            Self::Returned(_) => Some("Back in the source."),
            Self::Changed(_) | Self::Revised(_) | Self::Other(_) => None,
        }
    }

    /// Tells the action as sentences, the first about the whole.
    pub fn sentences(&self) -> Vec<String> {
        let opening = match self {
            Self::Revised(edit) => return edit.sentences.clone(),
            Self::Other(word) => {
                return vec![format!("It was changed: {}.", word.replace('_', " "))];
            }
            _ => self.opening(),
        };
        let rest = self.differences().iter().map(Difference::sentence);
        opening.map(str::to_owned).into_iter().chain(rest).collect()
    }

    pub(super) fn details(&self) -> String {
        let details = Details {
            differences: difference::worth_keeping(self.differences()),
        };
        serde_json::to_string(&details).expect("differences are plain text")
    }

    /// Reads an action back from the log; nothing if this version does not know it.
    ///
    /// Details that were too long to be read are an empty text: what differs is then not told.
    pub fn read(action: &str, details: &str) -> Option<Self> {
        let mut aspects = ASPECTS.iter();
        let aspect = aspects.find(|aspect| aspect.action == action);
        if let Some(edit) = aspect.and_then(|aspect| aspect.read(details)) {
            return Some(Self::Revised(edit));
        }
        let differences = if details.is_empty() {
            vec![Difference::Untold { differences: None }]
        } else {
            serde_json::from_str::<Details>(details).ok()?.differences
        };
        Some(match action {
            "created" => Self::Created,
            "changed" => Self::Changed(differences),
            "gone" => Self::Gone,
            "returned" => Self::Returned(differences),
            other => Self::Other(other.to_owned()),
        })
    }
}

/// One row of an asset's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its number in the log, which tells how much happens elsewhere: nothing for readers.
    pub seq: i64,
    /// Its number among the changes of its asset, from 1, where these were read.
    pub number: Option<u64>,
    pub at: DateTime<Utc>,
    pub who: Who,
    /// The run that made the change, if one did.
    pub run: Option<Uuid>,
    pub asset: AssetId,
    pub action: Action,
}

/// On whose behalf, and in which run, something is changed.
#[derive(Debug, Clone)]
pub struct Cause {
    pub actor: Actor,
    pub run: Option<Uuid>,
}
