//! What an aspect is: one part of what people say of a thing, with its rules.

use std::collections::HashMap;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::merge::Merged;
use crate::db::Subject;

/// Something that is wrong with what somebody wants to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, by its name in JSON and in forms.
    pub field: &'static str,
    /// A whole sentence.
    pub text: String,
}

impl Problem {
    pub fn new(field: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { field, text }
    }
}

impl Problem {
    /// Says that something which is named is not there, or not seen by the actor.
    pub fn unknown_target(field: &'static str, target: Subject) -> Self {
        let (kind, id) = (target.kind(), target.id());
        Self::new(field, format!("There is no {kind} with the id {id}."))
    }
}

/// Another thing that an aspect names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The field that names it, as in [`Problem`].
    pub field: &'static str,
    pub target: Subject,
}

/// What the things that drafts refer to are called. Things that are not there, or that the actor does not see, are not in it.
#[derive(Debug, Clone, Default)]
pub struct Targets(HashMap<Subject, String>);

impl Targets {
    pub(super) fn new(names: HashMap<Subject, String>) -> Self {
        Self(names)
    }

    /// What a thing is called, if it is there and the actor sees it.
    pub fn name(&self, target: Subject) -> Option<&str> {
        self.0.get(&target).map(String::as_str)
    }
}

/// One aspect of what people say of a thing, whatever the thing is. The default says nothing.
pub trait Aspect:
    Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The word in addresses and in the database, of at most 32 characters.
    const NAME: &'static str;

    /// The word in the change log: [`NAME`](Self::NAME) with `_revised` behind it.
    const ACTION: &'static str;

    /// Whether lists of things show it; such an aspect is short, or told by its beginning.
    const IS_LISTED: bool = false;

    /// Tells which of several of one thing it is, in at most 32 characters; nothing where a thing has it once.
    fn part(&self) -> String {
        String::new()
    }

    /// The same part of the thing with nothing said of it.
    fn emptied(&self) -> Self {
        Self::default()
    }

    /// Puts into one form what may be typed in several ways.
    fn normalized(self) -> Self;

    /// Lists all that is wrong with it, as far as that can be told without the database.
    fn problems(&self, of: Subject, now: DateTime<Utc>) -> Vec<Problem>;

    /// Lists the other things that it names.
    fn references(&self, _of: Subject) -> Vec<Reference> {
        Vec::new()
    }

    /// Takes over what is known of the things that it names, and lists those that are not there.
    ///
    /// `present` is what it takes the place of.
    fn resolve(&mut self, of: Subject, _present: &Self, targets: &Targets) -> Vec<Problem> {
        let named = self.references(of).into_iter();
        named
            .filter(|named| targets.name(named.target).is_none())
            .map(|named| Problem::unknown_target(named.field, named.target))
            .collect()
    }

    /// Leaves out the references that `keep` refuses. An aspect that names what can be hidden has to do so.
    fn retain_references(&mut self, _of: Subject, _keep: &dyn Fn(Subject) -> bool) {}

    /// Puts back what the actor did not see and so cannot have taken out; `hidden` holds nothing else.
    fn restore(&mut self, _hidden: Self) {}

    /// Puts two edits of it together.
    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self>;

    /// Tells a change as sentences.
    fn describe_change(before: &Self, after: &Self) -> Vec<String>;

    /// The text of it, if it is one.
    fn text(&self) -> Option<&str> {
        None
    }

    /// What lists call the thing instead of its technical name, if it says so.
    fn title(&self) -> Option<&str> {
        None
    }

    /// What search finds the thing by.
    fn found_by(&self) -> Vec<Found<'_>> {
        Vec::new()
    }
}

/// Words by which search finds a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// Another name of the thing.
    Name(&'a str),
    /// Markdown about the thing.
    Text(&'a str),
    /// Markdown about a part of the thing, such as a column.
    PartText {
        part: &'a str,
        text: &'a str,
    },
    Tag(&'a str),
}
