//! Runs that the server starts: at their times, from a page, or from the API.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, error_span};
use uuid::Uuid;

use super::recipe::{self, FolderError, Listed, Recipe};
use super::run::{Progress, SILENCE, begin, carry_out, end_abandoned, write_end};
use super::{Error, Run, StartedBy};
use crate::auth::Actor;
use crate::config;
use crate::db::Db;
use crate::telemetry::{request, traces};

/// Where recipes are, and what their variables stand for.
#[derive(Clone)]
pub struct Recipes {
    folder: PathBuf,
    variables: config::Variables,
}

impl Recipes {
    /// The recipes in a folder, with the variables of the environment.
    pub fn in_folder(folder: &Path) -> Self {
        Self::with_variables(folder, Arc::new(config::variable))
    }

    /// The recipes in a folder, with variables of the caller's.
    pub fn with_variables(folder: &Path, variables: config::Variables) -> Self {
        Self {
            folder: folder.to_owned(),
            variables,
        }
    }

    /// Lists the recipes that there are now, those with problems too.
    pub fn list(&self) -> Result<Vec<Listed>, FolderError> {
        recipe::list_recipes(&self.folder, &*self.variables)
    }
}

impl fmt::Debug for Recipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipes")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// Starts runs of the recipes in one folder and keeps them until they end.
#[derive(Debug, Clone)]
pub struct Runner {
    db: Db,
    recipes: Recipes,
    /// Told whenever a run has written something, so that the index can follow at once.
    written: Arc<Notify>,
    stopping: watch::Sender<bool>,
    runs: TaskTracker,
    /// Where runs live: not on the thread of whoever asks for one, which may end before they do.
    home: Handle,
}

impl Runner {
    /// Makes a runner for recipes, whose folder is read anew each time; must be called where Tokio runs.
    pub fn new(db: Db, recipes: Recipes, written: Arc<Notify>) -> Self {
        Self {
            db,
            recipes,
            written,
            stopping: watch::Sender::new(false),
            runs: TaskTracker::new(),
            home: Handle::current(),
        }
    }

    /// The folder in which recipes are looked for.
    pub fn recipe_folder(&self) -> &Path {
        &self.recipes.folder
    }

    /// Lists the recipes that there are now, those with problems too.
    pub fn recipes(&self) -> Result<Vec<Listed>, FolderError> {
        self.recipes.list()
    }

    /// Finds one recipe, which may have problems.
    pub fn find_recipe(&self, name: &str) -> Result<Listed, Error> {
        self.recipes()?
            .into_iter()
            .find(|listed| listed.name == name)
            .ok_or_else(|| Error::UnknownRecipe(name.to_owned()))
    }

    /// Starts a run and returns its id at once; the run goes on by itself.
    pub async fn start(&self, recipe: &str, actor: &Actor, by: StartedBy) -> Result<Uuid, Error> {
        let recipe = self.find_sound(recipe)?;
        let run = begin(&self.db, &recipe.name, actor, by, None).await?;
        Ok(self.carry(recipe, run))
    }

    /// Starts the run of a recipe for a time at which it is due, unless another process has done so.
    pub async fn start_due(&self, recipe: &str, due: DateTime<Utc>) -> Result<Uuid, Error> {
        let (recipe, actor) = (self.find_sound(recipe)?, Actor::schedule());
        // Nobody waits for an answer.
        let db = self.db.patient();
        let run = begin(&db, &recipe.name, &actor, StartedBy::Schedule, Some(due)).await?;
        Ok(self.carry(recipe, run))
    }

    fn find_sound(&self, name: &str) -> Result<Recipe, Error> {
        let listed = self.find_recipe(name)?;
        listed
            .recipe
            .map_err(|problems| Error::Faulty(name.to_owned(), problems))
    }

    /// Carries out a run that has begun, by itself.
    fn carry(&self, recipe: Recipe, run: Run) -> Uuid {
        let id = run.id;
        // The run outlives who asked for it, and still goes on in their name.
        let span = error_span!(parent: None, "run", run.id = %id, recipe = recipe.name);
        traces::continue_present(&span);
        let (progress, mut further) = watch::channel(Progress::default());
        let written = Arc::clone(&self.written);
        let tell = async move {
            while further.changed().await.is_ok() {
                written.notify_one();
            }
            written.notify_one();
        };
        self.runs.spawn_on(tell, &self.home);
        let (db, stopping) = (self.db.clone(), self.stopping.subscribe());
        let work = async move {
            let stop = until_stopped(stopping.clone());
            let patient = db.patient();
            let mut run = carry_out(&patient, &recipe, run, progress, stop).await;
            write_end(&db, &mut run, until_stopped(stopping)).await;
        };
        let request = request::current().unwrap_or_else(request::fresh);
        self.runs
            .spawn_on(request::within(request, work.instrument(span)), &self.home);
        id
    }

    /// Ends the runs that a process left behind when it was killed.
    pub async fn end_abandoned(&self) -> Result<(), Error> {
        end_abandoned(&self.db, SILENCE).await
    }

    /// Stops what is running, each run as interrupted, and waits until their ends are written down.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        self.runs.close();
        self.runs.wait().await;
    }
}

async fn until_stopped(mut stopping: watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
