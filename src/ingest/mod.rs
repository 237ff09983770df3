//! Recipes and their runs: reading a source, applying what it reports, and telling honestly how that ended.
//!
//! A run is a row from its first moment, whoever started it. Deliberately absent: when recipes run (`scheduler`), and
//! everything particular to one source.

mod asked;
mod process;
pub mod recipe;
mod report;
mod run;
mod runner;
mod severity;
mod store;

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::{Denied, Visibility, Who, scopes};
use crate::catalog::{self, Asset, AssetId, Counts};
use crate::db::{self, BadCursor, Db, Page, PageRequest};
use crate::error::{Explain, Kind};
use crate::sources;

pub use asked::Asked;
pub use run::{Progress, end_abandoned, run};
pub use runner::{Recipes, Runner};
pub use severity::Severity;

/// One run of a recipe.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: Uuid,
    pub recipe: String,
    pub started_by: StartedBy,
    pub who: Who,
    pub state: RunState,
    pub started_at: DateTime<Utc>,
    /// When the run last said that it goes on.
    pub heartbeat_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub counts: RunCounts,
    /// Why it failed, as a whole sentence.
    pub failure: Option<String>,
}

/// What set a run off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartedBy {
    Command,
    Schedule,
    Page,
    Api,
}

impl StartedBy {
    const ALL: [Self; 4] = [Self::Command, Self::Schedule, Self::Page, Self::Api];

    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Schedule => "schedule",
            Self::Page => "page",
            Self::Api => "api",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    Running,
    /// Everything was read, translated and written.
    Succeeded,
    /// Something was not; the findings say what.
    Partial,
    /// It could not be done at all, or ended half way.
    Failed,
    /// Its process ended before it did, or somebody stopped it.
    Interrupted,
}

impl RunState {
    const ALL: [Self; 5] = [
        Self::Running,
        Self::Succeeded,
        Self::Partial,
        Self::Failed,
        Self::Interrupted,
    ];

    /// The word in JSON, on pages and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a run did, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCounts {
    /// Tables and views.
    pub assets: Counts,
    /// Databases whose listing has ended.
    pub databases: u64,
    /// Those of them that were not listed to the last page.
    pub incomplete: u64,
    /// Requests sent to the source, retries included; known when the run has ended.
    pub calls: u64,
    pub milliseconds: u64,
}

/// How a run listed one database.
#[derive(Debug, Clone)]
pub struct Listed {
    pub run: Uuid,
    pub database: AssetId,
    pub name: String,
    pub complete: bool,
    /// Why it is not complete.
    pub reason: Option<String>,
    pub counts: Counts,
    #[expect(clippy::struct_field_names, reason = "it is when the listing ended")]
    pub listed_at: DateTime<Utc>,
}

/// Something that a run found worth telling.
#[derive(Debug, Clone)]
pub struct RunFinding {
    /// Counts from 0: in a report that is being written in the order of finding, in a list the worst first.
    pub position: i32,
    pub level: Level,
    pub severity: Severity,
    /// Since when runs of this recipe have found it, one after the other.
    pub since: Option<DateTime<Utc>>,
    pub asset: Option<AssetId>,
    /// What it is about, by name.
    pub about: Option<String>,
    pub text: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something was not read, translated or written: the run is at best partial.
    Problem,
    /// Good to know.
    Notice,
}

impl Level {
    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Notice => "notice",
        }
    }
}

/// Finds one run, as far as somebody sees what it read.
pub async fn find_run(db: &Db, visibility: &Visibility, id: Uuid) -> Result<Run, Error> {
    let mut run = [store::find(&**db, id).await?];
    access_filter(db, visibility, &mut run).await?;
    let [run] = run;
    Ok(run)
}

/// Lists runs, of one recipe or of all, newest first, as far as somebody sees what they read.
pub async fn list_runs(
    db: &Db,
    visibility: &Visibility,
    recipe: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Run>, Error> {
    let mut page = store::list(&**db, recipe, page).await?;
    access_filter(db, visibility, &mut page.items).await?;
    Ok(page)
}

/// Finds the names of the recipes of some runs; runs that are not there are left out.
pub async fn recipes_of(db: &Db, runs: &[Uuid]) -> Result<HashMap<Uuid, String>, Error> {
    Ok(store::recipes_of(&**db, runs).await?)
}

/// Finds the newest run of each of some recipes, by their names; recipes that never ran are left out.
pub async fn latest_runs(
    db: &Db,
    visibility: &Visibility,
    recipes: &[&str],
) -> Result<HashMap<String, Run>, Error> {
    let mut runs = store::latest(&**db, recipes).await?;
    access_filter(db, visibility, &mut runs).await?;
    Ok(runs
        .into_iter()
        .map(|run| (run.recipe.clone(), run))
        .collect())
}

/// Leaves of runs what somebody sees: where something in a source they read is hidden, the counts are those of the
/// listings that are seen, and nothing is told that could be about another one.
async fn access_filter(db: &Db, visibility: &Visibility, runs: &mut [Run]) -> Result<(), Error> {
    if runs.is_empty() || !scopes::is_limited(db, visibility).await? {
        return Ok(());
    }
    let ids: Vec<Uuid> = runs.iter().map(|run| run.id).collect();
    let partly = store::seen_in_part(&**db, visibility, &ids).await?;
    let mut told = store::told(&**db, visibility, &partly).await?;
    for run in runs.iter_mut().filter(|run| partly.contains(&run.id)) {
        let told = told.remove(&run.id).unwrap_or_default();
        run.failure = None;
        run.counts = RunCounts {
            milliseconds: run.counts.milliseconds,
            ..told.counts
        };
        if run.state == RunState::Partial && !told.problems && told.counts.incomplete == 0 {
            run.state = RunState::Succeeded;
        }
    }
    Ok(())
}

/// Lists how a run listed each database that somebody sees, those that are incomplete first.
pub async fn list_listings(
    db: &Db,
    visibility: &Visibility,
    run: Uuid,
    page: &PageRequest,
) -> Result<Page<Listed>, Error> {
    store::list_listings(&**db, visibility, run, page).await
}

/// Lists what some runs did not list to the end and somebody sees, up to a number that a page can show.
pub async fn list_incomplete(
    db: &Db,
    visibility: &Visibility,
    runs: &[Uuid],
) -> Result<Vec<Listed>, Error> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    store::list_incomplete(&**db, visibility, runs).await
}

/// Finds how the newest listing of a database ended; nothing when none has yet.
pub async fn latest_listing(
    db: &Db,
    visibility: &Visibility,
    database: AssetId,
) -> Result<Option<Listed>, Error> {
    store::latest_listing(&**db, visibility, database, false).await
}

/// Tells when the source was last seen to have an asset: when its database was last listed completely, or when its own
/// row was last written, whichever is later. One that is gone was last seen before.
pub async fn last_seen(db: &Db, asset: &Asset) -> Result<DateTime<Utc>, Error> {
    if asset.gone_at.is_some() {
        return Ok(asset.last_seen);
    }
    let database = asset.parent.unwrap_or(asset.id);
    // Whoever sees the asset sees its database.
    let listed = store::latest_listing(&**db, &Visibility::Everything, database, true).await?;
    Ok(listed.map_or(asset.last_seen, |listed| {
        listed.listed_at.max(asset.last_seen)
    }))
}

/// Lists what a run found worth telling of what somebody sees, in the order of finding.
///
/// What is about nothing in the catalog may be about anything in the source: it is for whoever sees all of that.
pub async fn list_findings(
    db: &Db,
    visibility: &Visibility,
    run: Uuid,
    page: &PageRequest,
) -> Result<Page<RunFinding>, Error> {
    let partly = scopes::is_limited(db, visibility).await?
        && !store::seen_in_part(&**db, visibility, &[run])
            .await?
            .is_empty();
    let visibility = if partly {
        visibility
    } else {
        &Visibility::Everything
    };
    store::list_findings(&**db, visibility, run, page).await
}

/// What the newest listings of some databases tell of assets in them.
#[derive(Debug, Default)]
pub struct LastListings {
    /// The assets that there was a problem with.
    pub troubled: HashSet<AssetId>,
    /// The recipe that listed each database.
    pub recipes: HashMap<AssetId, String>,
}

/// Finds how the databases of some assets were listed last. Each asset comes with its database.
///
/// Nothing is checked: who sees an asset may see this, too.
pub async fn find_last_listings(
    db: &Db,
    assets: &[(AssetId, AssetId)],
) -> Result<LastListings, Error> {
    let databases = assets.iter().map(|(_, database)| database.0).collect();
    let newest = store::newest_listings(&**db, databases).await?;
    let troubled = store::troubled_among(&**db, assets, &newest).await?;
    let runs: Vec<Uuid> = newest.values().copied().collect();
    let recipes = store::recipes_of(&**db, &runs).await?;
    let recipe_of =
        |(database, run): (Uuid, Uuid)| Some((AssetId(database), recipes.get(&run)?.clone()));
    Ok(LastListings {
        troubled,
        recipes: newest.into_iter().filter_map(recipe_of).collect(),
    })
}

/// Lists what was wrong with an asset when its database was listed last, up to `limit` problems, with the run.
pub async fn list_problems_of(
    db: &Db,
    asset: &Asset,
    limit: u64,
) -> Result<Option<(Uuid, Vec<RunFinding>)>, Error> {
    let database = asset.parent.unwrap_or(asset.id);
    let newest = store::newest_listings(&**db, HashSet::from([database.0])).await?;
    let Some(run) = newest.get(&database.0).copied() else {
        return Ok(None);
    };
    let problems = store::problems_with(&**db, run, asset.id, limit).await?;
    Ok((!problems.is_empty()).then_some((run, problems)))
}

/// Why a run was refused, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("There is no recipe named “{0}”.")]
    UnknownRecipe(String),
    #[error("There is no such run.")]
    UnknownRun,
    #[error("Recipe “{0}” is already running.")]
    AlreadyRunning(String),
    /// Another process has started what the schedule says.
    #[error("Recipe “{0}” was already started for this time.")]
    AlreadyStarted(String),
    #[error("Recipe “{0}” cannot be run before its problems are mended.")]
    Faulty(String, #[source] recipe::Problems),
    #[error(transparent)]
    Folder(#[from] recipe::FolderError),
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Source(#[from] sources::Error),
    #[error(transparent)]
    Catalog(catalog::Error),
    #[error(
        "The run was silent for so long that it was taken for dead. It stopped and wrote nothing more."
    )]
    TakenForDead,
    #[error("Reading the source ended unexpectedly.")]
    Reader(#[source] tokio::task::JoinError),
    #[error("The row of run {0} cannot be read.")]
    Damaged(Uuid, #[source] Box<dyn StdError + Send + Sync>),
    #[error("The runs could not be read or written.")]
    Database(#[from] DbErr),
}

impl Error {
    /// Says of whatever was found that it is not what was written.
    fn damaged<E: Into<Box<dyn StdError + Send + Sync>>>(id: Uuid) -> impl FnOnce(E) -> Self {
        move |cause| Self::Damaged(id, cause.into())
    }
}

impl From<catalog::Error> for Error {
    fn from(error: catalog::Error) -> Self {
        match error {
            catalog::Error::RunEnded => Self::TakenForDead,
            error => Self::Catalog(error),
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownRecipe(_) | Self::UnknownRun => Kind::NotFound,
            Self::AlreadyRunning(_) | Self::AlreadyStarted(_) | Self::TakenForDead => {
                Kind::Conflict
            }
            Self::Faulty(..) | Self::BadCursor(_) => Kind::Invalid,
            Self::Folder(error) => error.kind(),
            Self::Denied(denied) => denied.kind(),
            Self::Source(_) => Kind::Unavailable,
            Self::Catalog(error) => error.kind(),
            Self::Damaged(..) | Self::Reader(_) => Kind::Internal,
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownRecipe(_) => Some("The Ingestion page lists the recipes there are."),
            Self::AlreadyRunning(_) => {
                Some("Wait for that run to end; the Ingestion page shows how far it is.")
            }
            Self::Faulty(..) => {
                Some("“gazetteer ingest check FILE” lists them with line and column.")
            }
            Self::TakenForDead => Some("Run the recipe again, unless another run has begun."),
            Self::Catalog(error) => error.hint(),
            Self::Folder(error) => error.hint(),
            Self::BadCursor(_) => Some("Start from the first page."),
            _ => None,
        }
    }
}
