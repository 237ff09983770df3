//! Who answers for a thing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::auth::principals::Principal;
use crate::db::Subject;
use crate::revisions::normal::{distinct, exchanged, too_many};
use crate::revisions::{Aspect, Merged, Problem, Reference, Targets, merge};

pub const MOST_OWNERS: usize = 20;

/// Who answers for a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owners(pub Vec<Owner>);

/// A person or a team that answers for a thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    #[serde(flatten)]
    pub principal: Principal,
    pub role: OwnerRole,
    /// What it was called when it was made owner.
    #[serde(default)]
    pub name: String,
}

impl Owner {
    fn key(&self) -> (Principal, OwnerRole) {
        (self.principal, self.role)
    }
}

/// A name may change; who is meant does not.
impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Owner {}

/// For what an owner answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerRole {
    /// For what it means.
    Business,
    /// For how it is made.
    Technical,
}

impl OwnerRole {
    pub const ALL: [Self; 2] = [Self::Business, Self::Technical];

    /// The word in forms, in JSON and for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Technical => "technical",
        }
    }
}

impl Aspect for Owners {
    const NAME: &'static str = "owners";
    const ACTION: &'static str = "owners_revised";
    const IS_LISTED: bool = true;

    fn normalized(self) -> Self {
        Self(distinct(self.0, Owner::key))
    }

    fn problems(&self, _: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        too_many("owners", "owners", self.0.len(), MOST_OWNERS)
            .into_iter()
            .collect()
    }

    fn references(&self, _: Subject) -> Vec<Reference> {
        let owners = self.0.iter().take(MOST_OWNERS);
        let named = owners.map(|owner| Reference {
            field: "owners",
            target: owner.principal.subject(),
        });
        named.collect()
    }

    /// Takes over the names of owners. One who is gone stays an owner, by the name they had.
    fn resolve(&mut self, _: Subject, present: &Self, targets: &Targets) -> Vec<Problem> {
        let mut problems = Vec::new();
        for owner in self.0.iter_mut().take(MOST_OWNERS) {
            let mut before = present.0.iter();
            let known = before.find(|other| other.principal == owner.principal);
            match (targets.name(owner.principal.subject()), known) {
                (Some(name), _) => name.clone_into(&mut owner.name),
                (None, Some(known)) => owner.name.clone_from(&known.name),
                (None, None) => problems.push(Problem::new(
                    "owners",
                    format!(
                        "There is no person or team with the id {}.",
                        owner.principal.id()
                    ),
                )),
            }
        }
        problems
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(
            &base.0,
            &theirs.0,
            &mine.0,
            Owner::key,
        )))
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, Owner::key);
        let name = |owner: &Owner| match owner.principal {
            Principal::Account(_) => owner.name.clone(),
            Principal::Team(_) => format!("The team {}", owner.name),
        };
        let became = added
            .iter()
            .map(|owner| format!("{} became {} owner.", name(owner), owner.role.as_str()));
        let ceased = out.iter().map(|owner| {
            format!(
                "{} is no longer {} owner.",
                name(owner),
                owner.role.as_str()
            )
        });
        became.chain(ceased).collect()
    }
}
