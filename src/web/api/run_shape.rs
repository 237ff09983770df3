//! How a run looks in JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ActorShape, List};
use crate::catalog::Counts;
use crate::db::Page;
use crate::ingest::{Listed, Run, RunCounts, RunFinding};
use crate::web::links;

/// One run of a recipe.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct RunShape {
    id: Uuid,
    recipe: String,
    /// `running`, `succeeded`, `partial`, `failed` or `interrupted`.
    state: &'static str,
    /// `command`, `schedule`, `page` or `api`.
    started_by: &'static str,
    actor: ActorShape,
    started_at: DateTime<Utc>,
    /// When the run last said that it goes on.
    heartbeat_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    counts: CountsShape,
    /// Why it failed.
    failure: Option<String>,
    /// Its page here.
    url: String,
}

impl From<Run> for RunShape {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            recipe: run.recipe,
            state: run.state.as_str(),
            started_by: run.started_by.as_str(),
            actor: run.who.into(),
            started_at: run.started_at,
            heartbeat_at: run.heartbeat_at,
            ended_at: run.ended_at,
            counts: run.counts.into(),
            failure: run.failure,
            url: links::run(run.id),
        }
    }
}

/// What a run did, in numbers.
#[derive(Debug, Serialize, ToSchema)]
struct CountsShape {
    #[serde(flatten)]
    assets: AssetCountsShape,
    /// Databases whose listing has ended.
    databases: u64,
    /// Those of them that were not listed to the last page.
    incomplete: u64,
    /// Requests sent to the source, retries included.
    calls: u64,
    milliseconds: u64,
}

impl From<RunCounts> for CountsShape {
    fn from(counts: RunCounts) -> Self {
        Self {
            assets: counts.assets.into(),
            databases: counts.databases,
            incomplete: counts.incomplete,
            calls: counts.calls,
            milliseconds: counts.milliseconds,
        }
    }
}

/// What became of tables and views.
#[derive(Debug, Serialize, ToSchema)]
struct AssetCountsShape {
    new: u64,
    changed: u64,
    unchanged: u64,
    gone: u64,
    skipped: u64,
}

impl From<Counts> for AssetCountsShape {
    fn from(counts: Counts) -> Self {
        Self {
            new: counts.new,
            changed: counts.changed,
            unchanged: counts.unchanged,
            gone: counts.gone,
            skipped: counts.skipped,
        }
    }
}

/// One run with the beginnings of its lists.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct WholeRunShape {
    #[serde(flatten)]
    run: RunShape,
    /// The first hundred.
    findings: Vec<FindingShape>,
    /// Where the list of findings goes on.
    more_findings: Option<String>,
    /// The first hundred, incomplete ones first.
    databases: Vec<ListedShape>,
    /// Where the list of databases goes on.
    more_databases: Option<String>,
}

impl WholeRunShape {
    pub(super) fn new(run: Run, findings: Page<RunFinding>, databases: Page<Listed>) -> Self {
        let id = run.id;
        let findings = List::of(findings, FindingShape::from);
        let databases = List::of(databases, ListedShape::from);
        let more = |what, next: Option<String>| {
            next.map(|next| {
                links::with_query(&links::api_part_of_run(id, what), [("after", &*next)])
            })
        };
        Self {
            run: run.into(),
            findings: findings.items,
            more_findings: more("findings", findings.next),
            databases: databases.items,
            more_databases: more("databases", databases.next),
        }
    }
}

/// Something that a run found worth telling.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct FindingShape {
    /// Counts from 0, the worst first.
    position: i32,
    /// `problem` or `notice`.
    level: &'static str,
    /// What is missing: `not_read`, `not_read_in_full`, `broken_link`, or nothing for a `notice`.
    severity: &'static str,
    /// Since when runs of this recipe have found it, one after the other.
    since: Option<DateTime<Utc>>,
    asset: Option<Uuid>,
    /// What it is about, by name.
    about: Option<String>,
    text: String,
}

impl From<RunFinding> for FindingShape {
    fn from(finding: RunFinding) -> Self {
        Self {
            position: finding.position,
            level: finding.level.as_str(),
            severity: finding.severity.as_str(),
            since: finding.since,
            asset: finding.asset.map(|asset| asset.0),
            about: finding.about,
            text: finding.text,
        }
    }
}

/// How a run listed one database.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ListedShape {
    id: Uuid,
    name: String,
    url: String,
    /// Whether it was listed to its last page; only then can anything in it be gone.
    complete: bool,
    /// Why it is not complete.
    reason: Option<String>,
    counts: AssetCountsShape,
    listed_at: DateTime<Utc>,
}

impl From<Listed> for ListedShape {
    fn from(listed: Listed) -> Self {
        Self {
            id: listed.database.0,
            name: listed.name,
            url: links::asset(listed.database),
            complete: listed.complete,
            reason: listed.reason,
            counts: listed.counts.into(),
            listed_at: listed.listed_at,
        }
    }
}
