//! Edits as the change log keeps them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::aspect::Aspect;
use super::comparison::Comparison;
use super::visibility::can_be_hidden;
use crate::db::{Busy, Db, Subject};

/// What a change of an aspect looks like in the log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Details<T> {
    /// The version that the change made.
    pub(super) version: i32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) part: String,
    pub(super) before: T,
    pub(super) after: T,
    /// What was done to the text, where it is a long one; rows of earlier versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comparison: Option<Comparison>,
}

/// One edit, as the history tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub aspect: &'static Definition,
    /// The version that it made.
    pub version: i32,
    pub sentences: Vec<String>,
    /// What was done to the text, where there is one and that is known.
    pub comparison: Option<Comparison>,
    /// Whether there is a text, and it was changed.
    pub rewords: bool,
    /// What was said before and after, as it is kept.
    pub before: Value,
    pub after: Value,
}

impl Edit {
    /// The text before and after, where there is one.
    pub fn texts(&self) -> Option<(&str, &str)> {
        Some((text_in(&self.before)?, text_in(&self.after)?))
    }

    /// Tells what was done to its text; nothing where no text was changed.
    ///
    /// Earlier versions kept no comparison of long texts, so that it may have to be made, apart from what others ask for.
    pub async fn compared(&self, db: &Db) -> Result<Option<Comparison>, Busy> {
        if self.comparison.is_some() {
            return Ok(self.comparison.clone());
        }
        let Some((before, after)) = self.texts().filter(|_| self.rewords) else {
            return Ok(None);
        };
        let (before, after) = (before.to_owned(), after.to_owned());
        let comparing = move || Comparison::of(&before, &after);
        db.apart().run(comparing).await.map(Some)
    }

    /// What was said before and after it, as the aspect that it is; nothing where it is another one.
    pub fn contents<A: Aspect>(&self) -> Option<(A, A)> {
        (self.aspect.name == A::NAME)
            .then(|| Some((content(&self.before)?, content(&self.after)?)))
            .flatten()
    }

    /// Lists the things that can be hidden to which it refers.
    pub fn references(&self, of: Subject) -> Vec<Subject> {
        (self.aspect.references)(self, of)
    }

    /// Leaves out the references that `keep` refuses, of its sentences too.
    pub fn retain_references(&mut self, of: Subject, keep: &dyn Fn(Subject) -> bool) {
        (self.aspect.retain)(self, of, keep);
    }
}

/// An aspect without its type, for what treats all aspects alike.
#[derive(Debug)]
pub struct Definition {
    pub name: &'static str,
    pub action: &'static str,
    /// Whether lists of things show it.
    pub is_listed: bool,
    read: fn(&'static Self, &str) -> Option<Edit>,
    references: fn(&Edit, Subject) -> Vec<Subject>,
    retain: fn(&mut Edit, Subject, &dyn Fn(Subject) -> bool),
}

/// There is one for each name.
impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Definition {
    pub const fn of<A: Aspect>() -> Self {
        Self {
            name: A::NAME,
            action: A::ACTION,
            is_listed: A::IS_LISTED,
            read: read::<A>,
            references: references::<A>,
            retain: retain::<A>,
        }
    }

    /// Reads the details of a row of the log; nothing where another version wrote what this one cannot read.
    pub fn read(&'static self, details: &str) -> Option<Edit> {
        (self.read)(self, details)
    }
}

fn read<A: Aspect>(aspect: &'static Definition, details: &str) -> Option<Edit> {
    let Details {
        version,
        before,
        after,
        comparison,
        ..
    } = serde_json::from_str::<Details<A>>(details).ok()?;
    let texts = before.text().zip(after.text());
    let texts = texts.filter(|(before, after)| before != after);
    Some(Edit {
        aspect,
        version,
        sentences: A::describe_change(&before, &after),
        rewords: texts.is_some(),
        comparison: comparison.or_else(|| {
            let (before, after) = texts?;
            Comparison::of_short(before, after)
        }),
        before: serde_json::to_value(&before).ok()?,
        after: serde_json::to_value(&after).ok()?,
    })
}

fn references<A: Aspect>(edit: &Edit, of: Subject) -> Vec<Subject> {
    let contents = edit.contents::<A>();
    let contents = contents
        .into_iter()
        .flat_map(|(before, after)| [before, after]);
    contents
        .flat_map(|content| content.references(of))
        .map(|named| named.target)
        .filter(|target| can_be_hidden(*target))
        .collect()
}

fn retain<A: Aspect>(edit: &mut Edit, of: Subject, keep: &dyn Fn(Subject) -> bool) {
    let Some((mut before, mut after)) = edit.contents::<A>() else {
        return;
    };
    before.retain_references(of, keep);
    after.retain_references(of, keep);
    edit.sentences = A::describe_change(&before, &after);
    edit.before = kept(&before);
    edit.after = kept(&after);
}

fn content<A: DeserializeOwned>(kept: &Value) -> Option<A> {
    serde_json::from_value(kept.clone()).ok()
}

fn kept<A: Aspect>(content: &A) -> Value {
    serde_json::to_value(content).expect("what people write is plain text")
}

/// The text in what is kept of an aspect.
fn text_in(kept: &Value) -> Option<&str> {
    kept.get("text").or_else(|| kept.get("note"))?.as_str()
}
