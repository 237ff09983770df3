//! How the changes of assets are put together: by the run or the day they belong to, and by how dangerous they are.
//!
//! A change that may break what somebody has built comes first: something is gone, columns are gone, types differ.

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::asset::AssetId;
use super::change::Action;
use super::difference::Difference;
use crate::db::changes::{Placed, Tally};

/// What belongs together: the changes of one run, or what people wrote in one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Batch {
    Run(Uuid),
    Day(NaiveDate),
}

impl Batch {
    /// The batch of a change that was made now, by this run or by none.
    pub fn of(run: Option<Uuid>, now: DateTime<Utc>) -> Self {
        run.map_or_else(|| Self::Day(now.date_naive()), Self::Run)
    }

    /// The id under which it is stored. Ids sort by the time at which a run began, or a day.
    pub fn id(self) -> Uuid {
        match self {
            Self::Run(run) => run,
            Self::Day(day) => first_id_at(day.and_time(chrono::NaiveTime::MIN).and_utc()),
        }
    }

    /// Reads an id. That of a day holds nothing but its time, which no run's id does.
    pub fn from_id(id: Uuid) -> Self {
        let begun = id.get_timestamp().map(|time| time.to_unix());
        let begun = begun.and_then(|(seconds, nanoseconds)| {
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
        });
        match begun {
            Some(begun) if Self::Day(begun.date_naive()).id() == id => {
                Self::Day(begun.date_naive())
            }
            _ => Self::Run(id),
        }
    }
}

/// The smallest id of a batch that began so many days before a moment, or later. Days are whole ones.
pub(super) fn first_id_since(days: u32, now: DateTime<Utc>) -> Uuid {
    let since = now - TimeDelta::days(i64::from(days));
    first_id_at(since.duration_trunc(TimeDelta::days(1)).unwrap_or(since))
}

/// The smallest id of version 7 at a moment.
fn first_id_at(at: DateTime<Utc>) -> Uuid {
    let time = u128::from(at.timestamp_millis().unsigned_abs());
    Uuid::from_u128((time << 80) | (0x7 << 76) | (0x8 << 60))
}

/// A sort of change that somebody looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Its source no longer has it.
    Removed,
    /// It lost columns.
    Dropped,
    /// Columns have another type.
    Retyped,
    /// The source says something else of it; what was dropped or retyped is among them.
    Changed,
    New,
    /// People edited what they say of it.
    Edited,
}

impl ChangeKind {
    /// Every kind, dangerous ones first.
    pub const ALL: [Self; 6] = [
        Self::Removed,
        Self::Dropped,
        Self::Retyped,
        Self::Changed,
        Self::New,
        Self::Edited,
    ];

    /// The word in addresses and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Dropped => "dropped",
            Self::Retyped => "retyped",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Edited => "edited",
        }
    }

    /// The dangers that it covers, first and last: those of tables and views, and that of a database which is gone.
    pub(super) fn dangers(self) -> (i16, i16) {
        match self {
            Self::Removed => (DATABASE_REMOVED, REMOVED),
            Self::Dropped => (DROPPED, DROPPED_AND_RETYPED),
            Self::Retyped => (DROPPED_AND_RETYPED, RETYPED),
            Self::Changed => (DROPPED, CHANGED),
            Self::New => (NEW, NEW),
            Self::Edited => (EDITED, EDITED),
        }
    }
}

impl std::str::FromStr for ChangeKind {
    type Err = UnknownChangeKind;

    fn from_str(word: &str) -> Result<Self, UnknownChangeKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| UnknownChangeKind(word.to_owned()))
    }
}

/// There is no such kind of change.
#[derive(Debug, thiserror::Error)]
#[error(
    "There is no kind of change named “{0}”: it is removed, dropped, retyped, changed, new or edited."
)]
pub struct UnknownChangeKind(String);

pub(super) const DATABASE_REMOVED: i16 = 0;
const REMOVED: i16 = 1;
const DROPPED: i16 = 2;
const DROPPED_AND_RETYPED: i16 = 3;
const RETYPED: i16 = 4;
const CHANGED: i16 = 5;
pub(super) const DATABASE_CHANGED: i16 = 6;
const NEW: i16 = 7;
pub(super) const DATABASE_NEW: i16 = 8;
const EDITED: i16 = 9;

/// Whether it is what happened to a database itself.
pub(super) fn is_of_itself(danger: i16) -> bool {
    matches!(danger, DATABASE_REMOVED | DATABASE_CHANGED | DATABASE_NEW)
}

/// Places a change of an asset in a database.
pub(super) fn placed(batch: Batch, asset: AssetId, database: AssetId, action: &Action) -> Placed {
    let differences = action.differences();
    let count = |wanted: fn(&Difference) -> bool| {
        let count = differences.iter().filter(|one| wanted(one)).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    };
    let dropped = count(|one| matches!(one, Difference::ColumnDropped { .. }));
    let retyped = count(|one| matches!(one, Difference::ColumnRetyped { .. }));
    let is_database = asset == database;
    let danger = match action {
        Action::Gone if is_database => DATABASE_REMOVED,
        Action::Gone => REMOVED,
        Action::Created if is_database => DATABASE_NEW,
        Action::Created => NEW,
        Action::Changed(_) | Action::Returned(_) if is_database => DATABASE_CHANGED,
        Action::Changed(_) | Action::Returned(_) => match (dropped > 0, retyped > 0) {
            (true, true) => DROPPED_AND_RETYPED,
            (true, false) => DROPPED,
            (false, true) => RETYPED,
            (false, false) => CHANGED,
        },
        Action::Revised(_) | Action::Other(_) => EDITED,
    };
    let mut placed = of_danger(batch, database, danger);
    placed.counts.dropped_columns = dropped;
    placed.counts.retyped_columns = retyped;
    placed
}

/// Places what people wrote of something in a database.
pub(super) fn placed_edit(now: DateTime<Utc>, database: AssetId) -> Placed {
    of_danger(Batch::of(None, now), database, EDITED)
}

fn of_danger(batch: Batch, database: AssetId, danger: i16) -> Placed {
    let is = |kind: ChangeKind| {
        let (first, last) = kind.dangers();
        i64::from((first..=last).contains(&danger))
    };
    let counts = if is_of_itself(danger) {
        Tally {
            itself: Some(danger),
            ..Tally::default()
        }
    } else {
        Tally {
            removed: is(ChangeKind::Removed),
            dropped: is(ChangeKind::Dropped),
            retyped: is(ChangeKind::Retyped),
            changed: is(ChangeKind::Changed),
            added: is(ChangeKind::New),
            edited: is(ChangeKind::Edited),
            ..Tally::default()
        }
    };
    Placed {
        batch: batch.id(),
        database: database.0,
        danger,
        counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_back_from_its_id() {
        let day = Batch::Day(NaiveDate::from_ymd_opt(2026, 11, 26).unwrap());
        let run = Batch::Run(Uuid::now_v7());

        assert_eq!(Batch::from_id(day.id()), day);
        assert_eq!(Batch::from_id(run.id()), run);
    }

    #[test]
    fn a_day_sorts_before_what_ran_in_it_and_behind_what_ran_before() {
        let now = Utc::now();
        let today = Batch::Day(now.date_naive()).id();

        assert!(today < Uuid::now_v7());
        assert!(first_id_since(1, now) < today);
    }
}
