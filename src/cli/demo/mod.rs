//! `gazetteer demo`.

mod story;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use clap::Args;
use tokio::sync::watch;

use super::serve::{self, serve_app};
use super::{Failure, interrupted, print, say};
use crate::app::App;
use crate::auth::Actor;
use crate::config;
use crate::demo::{Corpus, Endpoint, World};
use crate::error::chain;
use crate::ingest::{self, Progress, Recipes, RunState, StartedBy};
use crate::web::{self, Access, Demo, Listener, Unfinished};

/// The recipe that reads the demo's endpoint, for wherever the repository is not.
const RECIPE: &str = include_str!("../../../ingest-recipes/demo.yml");

/// The variable by which that recipe learns where the endpoint listens.
const ENDPOINT: &str = "GAZETTEER_DEMO_ENDPOINT";

/// The variable that switches the recipe's schedule on: wherever the demo does not run there is nothing to read.
const RUNS: &str = "GAZETTEER_DEMO";

/// So much of a corpus that could not be read is told.
const MOST_TOLD: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) server: config::Server,
    /// Another world to show: a folder of worlds or of Glue's answers, or a file of JSON lines
    #[arg(long, value_name = "PATH")]
    corpus: Option<PathBuf>,
}

/// Starts a small Glue, reads it into a catalog, and serves that.
pub(super) async fn demo(
    storage: &config::Storage,
    recipes: &Path,
    options: &Options,
    serving: config::Serving,
) -> Result<ExitCode, Failure> {
    if storage.database_url.is_some() {
        say("note: The demo keeps its own SQLite catalog; GAZETTEER_DATABASE_URL is left alone.");
    }
    let storage = storage.clone().for_demo();
    let listener = Listener::bind(&serving.listen)?;
    // Whoever reaches the demo gets in without a password, so that nobody else may reach it.
    let opens = listener.address().ip().is_loopback() && !is_published(&serving);
    let mut access = Access {
        demo: opens.then(Demo::default),
        ..serve::access(&serving.access)
    };
    let serving = web::Options::from(serving);
    let world = match &options.corpus {
        Some(path) => read_corpus(path)?,
        None => World::demo()?,
    };
    let tables = world.table_count();
    let endpoint = Endpoint::start_at(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .map_err(|cause| {
            Failure::new(format!(
                "The demo's Glue endpoint could not be started: {cause}."
            ))
        })?;
    let folder = recipe_folder(recipes, storage.data_dir())?;
    let url = endpoint.url();
    let variables: config::Variables = Arc::new(move |name| match name {
        ENDPOINT => Some(url.clone()),
        RUNS => Some("true".to_owned()),
        other => config::variable(other),
    });
    let app = App::open(&storage, Recipes::with_variables(&folder, variables)).await?;
    // Reads the world again; what has not changed since the last start is not written.
    if options.corpus.is_some() {
        app.runner
            .start("demo", &Actor::operator(), StartedBy::Command)
            .await?;
    } else {
        let unfinished = read_company(&app).await?;
        if let Some(demo) = &mut access.demo {
            demo.unfinished = unfinished;
        }
    }
    let address = listener.url(&serving);
    print(format_args!("Gazetteer answers at {address}"))?;
    guide(&address, tables, options.corpus.is_none(), opens);
    let outcome = serve_app(app, listener, serving, access).await;
    endpoint.stop().await;
    outcome
}

/// Reads the sample company to its end, and tells what its people wrote about it.
///
/// They write about what a run has found, so that the pages answer only afterwards.
async fn read_company(app: &App) -> Result<Option<Unfinished>, Failure> {
    let listed = app.runner.find_recipe("demo")?;
    let recipe = listed
        .recipe
        .map_err(|problems| ingest::Error::Faulty("demo".to_owned(), problems))?;
    let progress = watch::Sender::new(Progress::default());
    let (operator, stop) = (Actor::operator(), interrupted());
    let run = ingest::run(&app.db, &recipe, &operator, progress, stop).await?;
    if run.state == RunState::Interrupted {
        let text = "The demo was stopped while it read the sample company.";
        return Err(Failure::new(text));
    }
    story::tell(&app.db, Utc::now()).await
}

/// Reads a world of the user's, and says what of it could not be read.
fn read_corpus(path: &Path) -> Result<World, Failure> {
    let corpus = Corpus::read(path)?;
    for error in corpus.left_out.iter().take(MOST_TOLD) {
        say(format_args!("note: {}", chain(error)));
    }
    let untold = corpus.left_out.len().saturating_sub(MOST_TOLD);
    if untold > 0 {
        say(format_args!("note: {untold} more could not be read."));
    }
    Ok(corpus.world)
}

/// Tells whether a proxy stands before the server, through which others may come.
fn is_published(serving: &config::Serving) -> bool {
    let public_url = serving.public_url.as_ref();
    public_url.is_some_and(|url| !url.is_this_machine()) || !serving.trusted_proxies.is_empty()
}

fn guide(url: &str, tables: usize, company: bool, demo: bool) {
    let reads = if company { "has read" } else { "is reading" };
    say(format_args!(
        "It {reads} {tables} tables and views with the recipe ingest-recipes/demo.yml."
    ));
    say(if demo {
        "The sign-in page has a button for the demo's steward and one for its admin. They work on this machine only."
    } else {
        "The demo's buttons work on this machine only. Make an account with `gazetteer user add`."
    });
    if company {
        say("Look first at:");
        say(format_args!(
            "  {url}search?q=orders+by+day   where is the report on orders by day?"
        ));
        say(format_args!(
            "  {url}browse                   every database, table and view"
        ));
        say(format_args!(
            "  {url}ingestion                what was read, what could not be, and why"
        ));
    }
    say("Ctrl-C ends it; the next start finds the catalog as it was.");
}

/// A folder with the demo's recipe alone, so that nobody else's is run: the repository's as it is now, or else the one
/// that came with the program.
fn recipe_folder(recipes: &Path, data_dir: &Path) -> Result<PathBuf, Failure> {
    let text = fs::read_to_string(recipes.join("demo.yml"));
    let text = text.as_deref().unwrap_or(RECIPE);
    let folder = data_dir.join("recipes");
    let written =
        fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("demo.yml"), text));
    written.map_err(|cause| {
        Failure::new(format!("The demo's recipe could not be written: {cause}."))
    })?;
    Ok(folder)
}
