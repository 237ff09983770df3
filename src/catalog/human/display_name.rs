//! What people call a thing instead of its technical name.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::unseen::unseen_in;
use crate::db::Subject;
use crate::revisions::normal::{one_line, too_long};
use crate::revisions::{Aspect, Found, Merged, Problem, merge};

/// A display name is no longer than this, in characters.
const LONGEST_NAME: usize = 200;

/// What people call a thing; empty where its technical name is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayName {
    pub name: String,
}

impl Aspect for DisplayName {
    const NAME: &'static str = "display_name";
    const ACTION: &'static str = "display_name_revised";
    const IS_LISTED: bool = true;

    fn normalized(self) -> Self {
        let name = one_line(&self.name);
        Self { name }
    }

    fn problems(&self, _: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        let unseen = unseen_in("The display name", &self.name);
        let unseen = unseen.map(|text| Problem::new("name", text));
        too_long("name", "The display name", &self.name, LONGEST_NAME)
            .into_iter()
            .chain(unseen)
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        merge::values(base, theirs, mine)
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        vec![match (before.name.as_str(), after.name.as_str()) {
            (before, "") => format!("It is no longer called “{before}”."),
            ("", after) => format!("It was called “{after}”."),
            (before, after) => format!("It was called “{after}” instead of “{before}”."),
        }]
    }

    fn title(&self) -> Option<&str> {
        (!self.name.is_empty()).then_some(&self.name)
    }

    fn found_by(&self) -> Vec<Found<'_>> {
        vec![Found::Name(&self.name)]
    }
}
