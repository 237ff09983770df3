//! How a thing relates to others, as people state it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::Subject;
use crate::revisions::normal::{distinct, exchanged, one_line, too_long, too_many};
use crate::revisions::{Aspect, Merged, Problem, Reference, Targets, merge};

pub const MOST_RELATED: usize = 100;

/// What is said beside a relation is no longer than this, in characters.
pub const LONGEST_NOTE: usize = 500;

/// The other things of the same kind that people relate a thing to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Related(pub Vec<Relation>);

/// One relation to another thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Relation {
    pub kind: RelationKind,
    /// The id of the other thing.
    pub target: Uuid,
    /// What is said beside it, such as the columns of a join; one line.
    #[serde(default)]
    pub note: String,
    /// What the other thing was called when this was saved.
    #[serde(default)]
    pub name: String,
}

/// How a thing relates to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    Replaces,
    DerivedFrom,
    JoinsWith,
    SeeAlso,
}

impl RelationKind {
    pub const ALL: [Self; 4] = [
        Self::Replaces,
        Self::DerivedFrom,
        Self::JoinsWith,
        Self::SeeAlso,
    ];

    /// The word in forms and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaces => "replaces",
            Self::DerivedFrom => "derived_from",
            Self::JoinsWith => "joins_with",
            Self::SeeAlso => "see_also",
        }
    }

    /// The words before the name of the other thing.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Replaces => "Replaces",
            Self::DerivedFrom => "Is derived from",
            Self::JoinsWith => "Joins with",
            Self::SeeAlso => "See also",
        }
    }

    /// The same, said on the page of the other thing.
    pub fn inverse(self) -> &'static str {
        match self {
            Self::Replaces => "Is replaced by",
            Self::DerivedFrom => "Is a source of",
            Self::JoinsWith => "Joins with",
            Self::SeeAlso => "See also",
        }
    }
}

impl Relation {
    fn key(&self) -> (RelationKind, Uuid, String) {
        (self.kind, self.target, self.note.clone())
    }

    fn in_words(&self) -> String {
        let words = format!("“{} {}", self.kind.in_words(), self.name);
        match self.note.as_str() {
            "" => format!("{words}”"),
            note => format!("{words}, {note}”"),
        }
    }
}

/// A name may change; what is meant does not.
impl PartialEq for Relation {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Relation {}

impl Aspect for Related {
    const NAME: &'static str = "related";
    const ACTION: &'static str = "related_revised";

    fn normalized(self) -> Self {
        let relations = self.0.into_iter().map(|relation| Relation {
            note: one_line(&relation.note),
            ..relation
        });
        Self(distinct(relations.collect(), |one| (one.kind, one.target)))
    }

    fn problems(&self, of: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        let relations = self.0.iter();
        let itself = relations.clone().any(|relation| relation.target == of.id());
        let itself = itself.then(|| {
            let text = format!("This {} cannot be related to itself.", of.kind());
            Problem::new("related", text)
        });
        let long = relations.filter_map(|relation| {
            let what = format!("The note beside “{}”", relation.kind.in_words());
            too_long("related", &what, &relation.note, LONGEST_NOTE)
        });
        too_many("related", "relations", self.0.len(), MOST_RELATED)
            .into_iter()
            .chain(itself)
            .chain(long)
            .collect()
    }

    fn references(&self, of: Subject) -> Vec<Reference> {
        let relations = self.0.iter();
        let named = relations.map(|relation| Reference {
            field: "related",
            target: of.sibling(relation.target),
        });
        named.collect()
    }

    fn resolve(&mut self, of: Subject, _: &Self, targets: &Targets) -> Vec<Problem> {
        let mut problems = Vec::new();
        for relation in &mut self.0 {
            let target = of.sibling(relation.target);
            match targets.name(target) {
                Some(name) => name.clone_into(&mut relation.name),
                None => problems.push(Problem::unknown_target("related", target)),
            }
        }
        problems
    }

    fn retain_references(&mut self, of: Subject, keep: &dyn Fn(Subject) -> bool) {
        self.0.retain(|relation| keep(of.sibling(relation.target)));
    }

    fn restore(&mut self, hidden: Self) {
        self.0.extend(hidden.0);
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(
            &base.0,
            &theirs.0,
            &mine.0,
            Relation::key,
        )))
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, Relation::key);
        let stated = added.iter();
        let stated = stated.map(|relation| format!("It was stated: {}.", relation.in_words()));
        let taken = out.iter();
        let taken =
            taken.map(|relation| format!("It is no longer stated: {}.", relation.in_words()));
        let sentences: Vec<String> = stated.chain(taken).collect();
        if sentences.is_empty() {
            // What differs is hidden from the reader.
            return vec!["Its relations were changed.".to_owned()];
        }
        sentences
    }
}
