//! What people say of a thing as a whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::db::Subject;
use crate::revisions::normal::{plain_lines, too_long, written};
use crate::revisions::{Aspect, Found, Merged, Problem, merge};

/// A description is no longer than this, in characters; a column's likewise.
pub const LONGEST_TEXT: usize = 100_000;

/// What people say of a thing as a whole, as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    pub text: String,
}

impl Aspect for Description {
    const NAME: &'static str = "description";
    const ACTION: &'static str = "description_revised";
    const IS_LISTED: bool = true;

    fn normalized(self) -> Self {
        let text = plain_lines(&self.text);
        Self { text }
    }

    fn problems(&self, _: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        too_long("text", "The description", &self.text, LONGEST_TEXT)
            .into_iter()
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        merge::texts(&base.text, &theirs.text, &mine.text).map(|text| Self { text })
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        vec![format!(
            "The description was {}.",
            written(&before.text, &after.text)
        )]
    }

    fn text(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn found_by(&self) -> Vec<Found<'_>> {
        vec![Found::Text(&self.text)]
    }
}
