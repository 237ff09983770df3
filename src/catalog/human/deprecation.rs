//! Advice to use something else.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::verification::FARTHEST;
use crate::db::Subject;
use crate::revisions::normal::{plain_lines, too_long};
use crate::revisions::{Aspect, Merged, Problem, Reference, merge};

/// The reason for a deprecation is no longer than this.
pub const LONGEST_REASON: usize = 2_000;

/// Says since when a thing is deprecated, why, and what to use instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deprecation {
    /// The first day; nothing when it is not deprecated, and then there is neither a reason nor a replacement.
    pub since: Option<NaiveDate>,
    /// The reason, as Markdown.
    pub note: String,
    /// What to use instead.
    pub replacement: Option<Uuid>,
}

impl Aspect for Deprecation {
    const NAME: &'static str = "deprecation";
    const ACTION: &'static str = "deprecation_revised";
    const IS_LISTED: bool = true;

    fn normalized(self) -> Self {
        let note = plain_lines(&self.note);
        Self { note, ..self }
    }

    fn problems(&self, of: Subject, now: DateTime<Utc>) -> Vec<Problem> {
        let today = now.date_naive();
        let day = self
            .since
            .filter(|since| since.signed_duration_since(today).abs() > FARTHEST);
        day.map(|since| {
            let text = format!("{since} is no day of these years: choose one nearer to today.");
            Problem::new("since", text)
        })
        .into_iter()
        .chain(self.without_a_day())
        .chain(self.by_itself(of))
        .chain(too_long("note", "The reason", &self.note, LONGEST_REASON))
        .collect()
    }

    fn references(&self, of: Subject) -> Vec<Reference> {
        let target = self.replacement.map(|id| Reference {
            field: "replacement",
            target: of.sibling(id),
        });
        target.into_iter().collect()
    }

    fn retain_references(&mut self, of: Subject, keep: &dyn Fn(Subject) -> bool) {
        self.replacement = self.replacement.filter(|id| keep(of.sibling(*id)));
    }

    fn restore(&mut self, hidden: Self) {
        if self.since.is_some() {
            self.replacement = self.replacement.or(hidden.replacement);
        }
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        let note = merge::texts(&base.note, &theirs.note, &mine.note);
        let collides = theirs != mine
            && (theirs.since, theirs.replacement) != (base.since, base.replacement)
            && (theirs.since, theirs.replacement) != (mine.since, mine.replacement);
        let chosen = |theirs_changed: bool| if theirs_changed { theirs } else { mine };
        let since = chosen(mine.since == base.since).since;
        let replacement = chosen(mine.replacement == base.replacement).replacement;
        let collisions = note.collisions + usize::from(collides);
        Merged {
            content: Self {
                since,
                note: note.content,
                replacement,
            },
            collisions,
            parts: Vec::new(),
        }
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        match (before.since, after.since) {
            (_, None) => vec!["It is no longer deprecated.".to_owned()],
            (None, Some(since)) => vec![format!("It was deprecated from {since} on.")],
            (Some(_), Some(_)) => vec!["What is said of its deprecation was changed.".to_owned()],
        }
    }

    fn text(&self) -> Option<&str> {
        Some(&self.note)
    }
}

impl Deprecation {
    fn by_itself(&self, of: Subject) -> Option<Problem> {
        let is_itself = self.replacement == Some(of.id());
        let text = || format!("An {} cannot be replaced by itself.", of.kind());
        is_itself.then(|| Problem::new("replacement", text()))
    }

    /// What would be said of something that is not deprecated.
    fn without_a_day(&self) -> Vec<Problem> {
        if self.since.is_some() {
            return Vec::new();
        }
        let reason = (!self.note.is_empty()).then_some(("note", "a reason"));
        let replacement = self.replacement.map(|_| ("replacement", "a replacement"));
        let given = reason.into_iter().chain(replacement);
        given
            .map(|(field, what)| {
                let text = format!(
                    "There is {what}, but no day from which on it is deprecated: name the day as “since”, or leave {what} out."
                );
                Problem::new(field, text)
            })
            .collect()
    }
}
