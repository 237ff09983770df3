//! When each recipe runs.
//!
//! One job of tokio-cron-scheduler fires at the start of every minute, which is as fine as a recipe's five fields get.
//! It reads the folder of recipes and starts those whose time has come since the minute before. Time zones and their
//! summer times are [`Schedule`]'s doing: a job of its own for each recipe would keep the offset of the day on which it
//! was made. Several processes may keep the same schedule: each time of a recipe is run once.
//!
//! [`Schedule`]: crate::ingest::recipe::Schedule

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::{error, info};

use crate::error::{Explain, Kind, chain};
use crate::ingest::Runner;
use crate::ingest::recipe::Schedule;

/// The first second of every minute, in the scheduler's six fields.
const EVERY_MINUTE: &str = "0 * * * * *";

/// Starts recipes at their times until it is stopped.
pub struct Scheduler {
    jobs: JobScheduler,
}

impl Scheduler {
    /// Begins to start recipes from now on; times that passed while nothing ran are not made up for.
    pub async fn start(runner: Runner) -> Result<Self, Error> {
        let jobs = JobScheduler::new().await?;
        let plan = Arc::new(Plan::new(runner, Utc::now()));
        let tick = Job::new_async(EVERY_MINUTE, move |_, _| {
            let plan = Arc::clone(&plan);
            Box::pin(async move { plan.keep(Utc::now()).await })
        })?;
        jobs.add(tick).await?;
        jobs.start().await?;
        Ok(Self { jobs })
    }

    /// Starts nothing any more; runs that go on are the runner's to stop.
    pub async fn stop(mut self) -> Result<(), Error> {
        Ok(self.jobs.shutdown().await?)
    }
}

/// What is due and has not been started yet.
#[derive(Debug)]
pub struct Plan {
    runner: Runner,
    /// Until when everything has been looked at.
    kept: Mutex<DateTime<Utc>>,
    memory: tokio::sync::Mutex<Memory>,
}

/// What a plan remembers of recipes, by their names.
#[derive(Debug, Default)]
struct Memory {
    /// What has been told of recipes with problems.
    told: HashSet<String>,
    /// Times that have come while the catalog could not be written.
    missed: HashMap<String, DateTime<Utc>>,
}

impl Plan {
    /// A plan for what is due after `from`.
    pub fn new(runner: Runner, from: DateTime<Utc>) -> Self {
        Self {
            runner,
            kept: Mutex::new(from),
            memory: tokio::sync::Mutex::default(),
        }
    }

    /// Starts every recipe that has become due by `now` since this was last asked, once each.
    ///
    /// A clock that is put back does not bring the same minutes again. What could not be started because the catalog could
    /// not be written is started when this is asked next.
    pub async fn keep(&self, now: DateTime<Utc>) {
        let before = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *kept;
            *kept = now.max(before);
            before
        };
        start_due(&self.runner, &mut *self.memory.lock().await, before, now).await;
    }
}

/// Starts every recipe that has a time after `before` and not after `now`, once.
///
/// A recipe with problems cannot be started; that is told once, and again when the problems change.
async fn start_due(
    runner: &Runner,
    memory: &mut Memory,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) {
    if let Err(unreadable) = runner.end_abandoned().await {
        error!("abandoned runs could not be ended: {}", chain(&unreadable));
    }
    let recipes = match runner.recipes() {
        Ok(recipes) => recipes,
        Err(unreadable) => return error!("no recipe was started: {}", chain(&unreadable)),
    };
    for listed in recipes {
        let schedule = match listed.recipe {
            Ok(recipe) => recipe.schedule,
            Err(problems) => {
                let told = format!("recipe {} is left alone: {problems}", listed.name);
                if !memory.told.contains(&told) {
                    error!("{told}");
                    memory.told.insert(told);
                }
                continue;
            }
        };
        let missed = memory.missed.remove(&listed.name);
        let due = schedule.and_then(|schedule| last_time(&schedule, before, now).or(missed));
        let Some(due) = due else {
            continue;
        };
        match runner.start_due(&listed.name, due).await {
            Ok(run) => info!(run.id = %run, "the schedule started recipe {}", listed.name),
            Err(busy) if busy.kind() == Kind::Conflict => {
                info!("the schedule left recipe {} alone: {busy}", listed.name);
            }
            Err(refused) => {
                error!(
                    "the schedule could not start recipe {}: {}",
                    listed.name,
                    chain(&refused)
                );
                if matches!(refused.kind(), Kind::Storage(_) | Kind::Unavailable) {
                    memory.missed.insert(listed.name, due);
                }
            }
        }
    }
}

/// The last time after `before` and not after `now`.
fn last_time(
    schedule: &Schedule,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let next = |time: &DateTime<Utc>| schedule.next(*time, 1).first().copied();
    std::iter::successors(next(&before), next)
        .take_while(|time| *time <= now)
        .last()
}

/// Why no schedule is kept.
#[derive(Debug, thiserror::Error)]
#[error("The scheduler could not be started or stopped.")]
pub struct Error(#[from] JobSchedulerError);
