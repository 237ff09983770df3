//! What a run could not read: what it means for readers, what to do, and the policy that is missing.
//!
//! Every page that speaks of a partial run words it here. Deliberately absent: what a run changed.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use uuid::Uuid;

use super::parts::{State, Text, name};
use crate::auth::Actor;
use crate::db::Db;
use crate::ingest::{self, Level, Listed, Run, RunFinding, RunState, Severity};
use crate::sources::MissingPermission;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::text::{Moment, Shortened, count};

/// One line has so many names of databases.
const NAMES_TOLD: usize = 3;

/// How a page words how much is missing.
trait Worded {
    fn state(self) -> State;
    fn meaning(self) -> &'static str;
    fn action(self, missing: Option<&MissingPermission>) -> &'static str;
}

impl Worded for Severity {
    fn state(self) -> State {
        match self {
            Self::NotRead => State::new("Not read", "bad", "cross"),
            Self::NotReadInFull => State::new("Not read in full", "caution", "warn"),
            Self::BrokenLink => State::new("Broken link", "caution", "warn"),
            Self::Notice => State::new("Notice", "plain", "note"),
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::NotRead => {
                "Readers see what the catalog knew before. Nothing was removed, and new tables are missing."
            }
            Self::NotReadInFull => "Readers see this entry only in part, or as it was before.",
            Self::BrokenLink => "Readers see the link, but no columns.",
            Self::Notice => "Readers see everything.",
        }
    }

    fn action(self, missing: Option<&MissingPermission>) -> &'static str {
        match (self, missing) {
            (_, Some(_)) => {
                "Add the statement to the identity that the recipe uses. Then run the recipe again."
            }
            (Self::NotRead, None) => "Run the recipe again. If this stays, check the source.",
            (Self::NotReadInFull, None) => {
                "Repair its definition in the source. Then run the recipe again."
            }
            (Self::BrokenLink, None) => {
                "Correct or drop the link in the source. Then run the recipe again."
            }
            (Self::Notice, None) => "Nothing has to be done.",
        }
    }
}

/// One finding, as `templates/part/findings.hbs` shows it.
#[derive(Debug, Serialize)]
pub(super) struct FindingLine {
    state: State,
    since: Option<Moment>,
    about: Option<About>,
    text: Text,
    meaning: &'static str,
    action: &'static str,
    policy: Option<Policy>,
}

/// What a finding is about.
#[derive(Debug, Serialize)]
struct About {
    shown: String,
    whole: Option<String>,
    href: Option<String>,
}

/// A policy to copy.
#[derive(Debug, Serialize)]
struct Policy {
    id: String,
    action: String,
    text: String,
}

impl FindingLine {
    /// On the page of what it is about, it need not name it.
    pub(super) fn at_home(self) -> Self {
        Self {
            about: None,
            ..self
        }
    }

    pub(super) fn new(finding: &RunFinding) -> Self {
        let severity = finding.severity;
        let missing = MissingPermission::find_in(&finding.text);
        Self {
            state: severity.state(),
            since: finding.since.map(Moment::of),
            about: finding.about.as_deref().map(|about| {
                let Shortened { shown, whole } = name(about);
                About {
                    shown,
                    whole,
                    href: finding.asset.map(links::asset),
                }
            }),
            text: Text::whole(&finding.text),
            meaning: severity.meaning(),
            action: severity.action(missing.as_ref()),
            policy: missing.map(|missing| Policy {
                id: format!("policy-{}", finding.position),
                text: missing.policy(),
                action: missing.action,
            }),
        }
    }
}

/// What the newest runs of recipes could not read, by run.
pub(super) struct Shortfalls(HashMap<Uuid, Vec<Listed>>);

impl Shortfalls {
    /// Reads what these runs did not read to the end, with one query.
    pub(super) async fn read(db: &Db, actor: &Actor, runs: &[&Run]) -> Result<Self, Failure> {
        let partial = runs.iter().filter(|run| run.counts.incomplete > 0);
        let ids: Vec<Uuid> = partial.map(|run| run.id).collect();
        let mut of_run: HashMap<Uuid, Vec<Listed>> = HashMap::new();
        for listed in ingest::list_incomplete(db, actor.visibility(), &ids).await? {
            of_run.entry(listed.run).or_default().push(listed);
        }
        Ok(Self(of_run))
    }

    /// What a run has left out, in one line.
    pub(super) fn words(&self, run: &Run) -> Option<String> {
        let incomplete = self.0.get(&run.id).map_or(&[][..], Vec::as_slice);
        shortfall(run, incomplete)
    }
}

/// What a run has left out, such as `1 of 14 databases not read (people): permission missing`.
pub(super) fn shortfall(run: &Run, incomplete: &[Listed]) -> Option<String> {
    let counts = run.counts;
    match run.state {
        RunState::Running => Some(format!(
            "{} read so far",
            count(counts.databases, "database", "databases")
        )),
        RunState::Partial if counts.incomplete == 0 => {
            Some("Some tables or views not read in full".to_owned())
        }
        RunState::Partial => Some(format!(
            "{} of {} not read{}{}",
            counts.incomplete,
            count(counts.databases, "database", "databases"),
            names(incomplete, counts.incomplete),
            if lack_permission(incomplete) {
                ": permission missing"
            } else {
                ""
            }
        )),
        RunState::Succeeded | RunState::Failed | RunState::Interrupted => None,
    }
}

fn names(incomplete: &[Listed], all: u64) -> String {
    let told = incomplete.iter().take(NAMES_TOLD);
    let mut told: Vec<String> = told.map(|listed| name(&listed.name).shown).collect();
    let more = all.saturating_sub(told.len() as u64);
    if told.is_empty() {
        return String::new();
    }
    if more > 0 {
        told.push(format!("{more} more"));
    }
    format!(" ({})", told.join(", "))
}

fn lack_permission(incomplete: &[Listed]) -> bool {
    let denied = |listed: &Listed| {
        let reason = listed.reason.as_deref().unwrap_or_default();
        MissingPermission::find_in(reason).is_some()
    };
    !incomplete.is_empty() && incomplete.iter().all(denied)
}

/// What a partial run means, as a sentence: how many databases, tables and views it did not read in full.
pub(super) fn verdict(run: &Run, findings: &[RunFinding]) -> String {
    let others: HashSet<&str> = findings
        .iter()
        .filter(|finding| finding.level == Level::Problem)
        .filter(|finding| finding.severity != Severity::NotRead)
        .filter_map(|finding| finding.about.as_deref())
        .collect();
    let parts = [
        (run.counts.incomplete, "database", "databases"),
        (others.len() as u64, "table or view", "tables and views"),
    ];
    let parts = parts.into_iter().filter(|(many, ..)| *many > 0);
    let parts: Vec<String> = parts
        .map(|(many, one, more)| count(many, one, more))
        .collect();
    if parts.is_empty() {
        return "The source could not be read in full.".to_owned();
    }
    format!("{} could not be read in full.", parts.join(" and "))
}
