//! The day up to which a person has verified a thing.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::db::Subject;
use crate::revisions::{Aspect, Merged, Problem, merge};

/// No date is farther from today than five years.
pub(super) const FARTHEST: TimeDelta = TimeDelta::days(5 * 366);

/// Says up to which day a thing is verified. The edit says who verified it, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The last day of the verification; nothing when the thing is not verified.
    pub until: Option<NaiveDate>,
}

impl Verification {
    /// Tells whether it holds on a day.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until >= now.date_naive())
    }
}

impl Aspect for Verification {
    const NAME: &'static str = "verification";
    const ACTION: &'static str = "verification_revised";
    const IS_LISTED: bool = true;

    fn normalized(self) -> Self {
        self
    }

    fn problems(&self, _: Subject, now: DateTime<Utc>) -> Vec<Problem> {
        let today = now.date_naive();
        match self.until {
            Some(until) if until < today => vec![Problem::new(
                "until",
                format!("{until} is past: choose today or a later day."),
            )],
            Some(until) if until.signed_duration_since(today) > FARTHEST => vec![Problem::new(
                "until",
                format!(
                    "{until} is more than five years ahead: choose a day by which somebody looks again."
                ),
            )],
            _ => Vec::new(),
        }
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        merge::values(base, theirs, mine)
    }

    fn describe_change(_: &Self, after: &Self) -> Vec<String> {
        vec![match after.until {
            Some(until) => format!("It was verified until {until}."),
            None => "It is no longer verified.".to_owned(),
        }]
    }
}
