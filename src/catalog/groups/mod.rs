//! What changed in the catalog, by batch and database: the newest batch first, what is dangerous first in each.

mod store;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::asset::AssetId;
use super::batch::{Batch, ChangeKind};
use super::change::Change;

pub use store::{count, expect_batch, find_first, list, list_in_batch, list_runs_below};

/// Which groups are wanted; without anything all.
#[derive(Debug, Clone, Default)]
pub struct GroupFilter {
    pub batch: Option<Batch>,
    pub database: Option<AssetId>,
    pub kind: Option<ChangeKind>,
    /// Only batches that began on one of so many days before today, or today.
    pub days: Option<u32>,
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Tables and views.
    pub removed: u64,
    pub dropped: u64,
    pub retyped: u64,
    pub changed: u64,
    pub new: u64,
    /// Edits, not assets.
    pub edited: u64,
    pub dropped_columns: u64,
    pub retyped_columns: u64,
}

impl ChangeCounts {
    /// How many changes are of a kind.
    pub fn of(&self, kind: ChangeKind) -> u64 {
        match kind {
            ChangeKind::Removed => self.removed,
            ChangeKind::Dropped => self.dropped,
            ChangeKind::Retyped => self.retyped,
            ChangeKind::Changed => self.changed,
            ChangeKind::New => self.new,
            ChangeKind::Edited => self.edited,
        }
    }
}

/// What happened to a database itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseChange {
    Removed,
    Changed,
    New,
}

/// What one batch changed in one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeGroup {
    pub batch: Batch,
    pub database: AssetId,
    pub counts: ChangeCounts,
    pub itself: Option<DatabaseChange>,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

/// What one run changed in all, beginning at a place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunChanges {
    pub run: Uuid,
    /// The number of its first change in the log.
    pub first: i64,
    pub at: DateTime<Utc>,
    pub counts: ChangeCounts,
}

/// The first changes of groups, by batch and database.
pub type FirstChanges = HashMap<(Batch, AssetId), Vec<Change>>;
