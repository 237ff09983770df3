//! Words that people sort things by.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::super::unseen::unseen_in;
use crate::db::Subject;
use crate::revisions::normal::{distinct, exchanged, one_line, too_many};
use crate::revisions::{Aspect, Found, Merged, Problem, merge};

pub const MOST_TAGS: usize = 50;
pub const LONGEST_TAG: usize = 64;

/// Words that people sort things by, as they wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub Vec<String>);

/// What makes two spellings the same tag.
pub fn tag_key(tag: &str) -> String {
    tag.nfkc().flat_map(char::to_lowercase).collect()
}

impl Aspect for Tags {
    const NAME: &'static str = "tags";
    const ACTION: &'static str = "tags_revised";

    fn normalized(self) -> Self {
        let tags = self.0.iter().map(|tag| one_line(tag));
        let tags = tags.filter(|tag| !tag.is_empty()).collect();
        Self(distinct(tags, |tag| tag_key(tag)))
    }

    fn problems(&self, _: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        let long = self
            .0
            .iter()
            .filter(|tag| tag.chars().count() > LONGEST_TAG);
        let long = long.map(|tag| {
            let beginning: String = tag.chars().take(20).collect();
            Problem::new(
                "tags",
                format!("The tag “{beginning}…” is longer than {LONGEST_TAG} characters."),
            )
        });
        let unseen = self.0.iter().filter_map(|tag| unseen_in("The tag", tag));
        let unseen = unseen.map(|text| Problem::new("tags", text));
        too_many("tags", "tags", self.0.len(), MOST_TAGS)
            .into_iter()
            .chain(long)
            .chain(unseen)
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(&base.0, &theirs.0, &mine.0, |tag| {
            tag_key(tag)
        })))
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, String::clone);
        let tagged = added.iter().map(|tag| format!("It was tagged “{tag}”."));
        let untagged = out
            .iter()
            .map(|tag| format!("It is no longer tagged “{tag}”."));
        tagged.chain(untagged).collect()
    }

    fn found_by(&self) -> Vec<Found<'_>> {
        self.0.iter().map(|tag| Found::Tag(tag)).collect()
    }
}
