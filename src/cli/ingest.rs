//! `gazetteer ingest run` and `gazetteer ingest check`.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Failure, interrupted, partial, print, say};
use crate::app::App;
use crate::auth::{Actor, Visibility};
use crate::config;
use crate::db::{Db, Page, PageRequest};
use crate::error::chain;
use crate::ingest::recipe::Recipe;
use crate::ingest::{self, Progress, Recipes, Run, RunState};
use crate::search::follow;

/// How often progress is told where nobody watches a terminal.
const PLAIN: Duration = Duration::from_secs(5);

/// How often it is drawn where somebody does.
const DRAWN: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read a source into the catalog, as a recipe says
    Run(RunOptions),
    /// Tell everything that is wrong with recipes, without running them
    Check(CheckOptions),
}

#[derive(Debug, Args)]
pub(super) struct RunOptions {
    /// The recipe
    #[arg(short, long = "config", value_name = "FILE")]
    config: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks recipes; every problem of every file is told.
pub(super) fn check(options: &CheckOptions) -> Result<ExitCode, Failure> {
    let mut outcome = ExitCode::SUCCESS;
    for file in &options.files {
        match Recipe::open(file, &config::variable) {
            Ok(recipe) => {
                tell_notices(&recipe);
                print(format_args!("{}: {}", file.display(), summary(&recipe)))?;
            }
            Err(problems) => {
                say(&problems);
                outcome = ExitCode::from(2);
            }
        }
    }
    Ok(outcome)
}

fn summary(recipe: &Recipe) -> String {
    match &recipe.schedule {
        Some(schedule) => format!("fine. {}.", schedule.in_words()),
        None => "fine. Has no schedule: it runs when somebody starts it.".to_owned(),
    }
}

fn tell_notices(recipe: &Recipe) {
    for notice in &recipe.notices {
        say(format_args!(
            "{}:{}:{}: note: {}",
            recipe.file.display(),
            notice.position.line,
            notice.position.column,
            notice.text
        ));
    }
}

/// What helps when the catalog has what was read and the index has not.
const NOT_INDEXED: &str = "hint: The catalog has what was read. Searches find it once the index can be written: look at the room on its disk, \
                           then start the server or run `gazetteer reindex`.";

/// Runs a recipe, shows how far it is, and reports how it ended.
pub(super) async fn run(
    storage: &config::Storage,
    recipes: &Path,
    options: &RunOptions,
) -> Result<ExitCode, Failure> {
    let recipe = Recipe::open(&options.config, &config::variable)?;
    tell_notices(&recipe);
    let app = App::open(storage, Recipes::in_folder(recipes)).await?;
    let follower = app.start_following();
    let ran = carry_out(&app, &recipe).await;
    // Before anything else may end this: the index is written on a thread that must not outlive the runtime.
    follower.stop().await;
    let run = ran?;
    let is_indexed = index(&app).await;
    if options.json {
        print(report_as_json(&app.db, &run).await)?;
    } else {
        report(&app.db, &recipe, &run).await?;
    }
    Ok(match run.state {
        RunState::Succeeded if is_indexed => ExitCode::SUCCESS,
        RunState::Succeeded | RunState::Partial => partial(),
        RunState::Running | RunState::Failed | RunState::Interrupted => ExitCode::FAILURE,
    })
}

async fn carry_out(app: &App, recipe: &Recipe) -> Result<Run, ingest::Error> {
    let (progress, watching) = watch::channel(Progress::default());
    let shown = tokio::spawn(show(watching));
    let (db, operator) = (app.db.patient(), Actor::operator());
    let ran = ingest::run(&db, recipe, &operator, progress, interrupted()).await;
    drop(shown.await);
    ran
}

/// Makes findable what was written, unless a server is doing so already. Tells whether that went well; the run did.
async fn index(app: &App) -> bool {
    match follow::write_down(&app.db, &app.index).await {
        Ok(_) | Err(crate::search::Error::Busy) => true,
        Err(trouble) => {
            say(format_args!("note: {}", chain(&trouble)));
            say(NOT_INDEXED);
            false
        }
    }
}

/// Shows how far a run is until it ends: a line that changes on a terminal, a line now and then elsewhere.
async fn show(mut progress: watch::Receiver<Progress>) {
    let begun = Instant::now();
    let terminal = io::stderr().is_terminal();
    let bar = if terminal {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::default_spinner());
    let mut told = Instant::now();
    while progress.changed().await.is_ok() {
        let now = *progress.borrow_and_update();
        if terminal && told.elapsed() > DRAWN {
            bar.set_message(words(now, begun));
            bar.tick();
            told = Instant::now();
        } else if !terminal && told.elapsed() > PLAIN {
            say(words(now, begun));
            told = Instant::now();
        }
    }
    bar.finish_and_clear();
}

#[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
fn words(progress: Progress, begun: Instant) -> String {
    let rate = progress.seen as f64 / begun.elapsed().as_secs_f64().max(0.001);
    format!(
        "{} of {} databases, {} tables and views, {rate:.0} a second",
        progress.done, progress.found, progress.seen
    )
}

async fn report(db: &Db, recipe: &Recipe, run: &Run) -> Result<(), Failure> {
    let counts = run.counts.assets;
    print(format_args!("Recipe {}: {}.", recipe.title(), run.state))?;
    if let Some(failure) = &run.failure {
        say(format_args!("error: {failure}"));
    }
    print(format_args!(
        "Tables and views: {} new, {} changed, {} unchanged, {} removed, {} skipped.",
        counts.new, counts.changed, counts.unchanged, counts.gone, counts.skipped
    ))?;
    let mut page = PageRequest::first(PageRequest::MOST);
    loop {
        let listings = ingest::list_listings(db, &Visibility::Everything, run.id, &page).await?;
        for listed in &listings.items {
            let c = listed.counts;
            let how = match &listed.reason {
                _ if listed.complete => "complete".to_owned(),
                Some(reason) => format!("INCOMPLETE ({reason})"),
                None => "INCOMPLETE".to_owned(),
            };
            print(format_args!(
                "  {}: {how}; {} new, {} changed, {} unchanged, {} removed, {} skipped",
                listed.name, c.new, c.changed, c.unchanged, c.gone, c.skipped
            ))?;
        }
        let Some(next) = next_page(listings, &mut page) else {
            break;
        };
        page = next;
    }
    let mut page = PageRequest::first(PageRequest::MOST);
    loop {
        let findings = ingest::list_findings(db, &Visibility::Everything, run.id, &page).await?;
        for finding in &findings.items {
            let about = finding
                .about
                .as_deref()
                .map(|about| format!("{about}: "))
                .unwrap_or_default();
            print(format_args!(
                "  {}: {about}{}",
                finding.level.as_str(),
                finding.text
            ))?;
        }
        let Some(next) = next_page(findings, &mut page) else {
            break;
        };
        page = next;
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let seconds = run.counts.milliseconds as f64 / 1_000.0;
    print(format_args!(
        "{} calls to the source, {seconds:.1} s.",
        run.counts.calls
    ))
}

fn next_page<T>(page: Page<T>, request: &mut PageRequest) -> Option<PageRequest> {
    page.next
        .map(|after| PageRequest::new(Some(after), request.limit))
}

async fn report_as_json(db: &Db, run: &Run) -> Value {
    // What was stored cannot be read while the database is away; what this process knows is told all the same.
    let (databases, findings, complete) = match stored_report(db, run).await {
        Ok((databases, findings)) => (databases, findings, true),
        Err(unread) => {
            say(format_args!("error: {}", unread.text));
            (Vec::new(), Vec::new(), false)
        }
    };
    let counts = run.counts.assets;
    json!({
        "run": run.id,
        "recipe": run.recipe,
        "state": run.state.as_str(),
        "failure": run.failure,
        "new": counts.new,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "gone": counts.gone,
        "skipped": counts.skipped,
        "databases": databases,
        "findings": findings,
        "report_complete": complete,
        "calls": run.counts.calls,
        "milliseconds": run.counts.milliseconds,
    })
}

/// How each database was listed, and every finding, as the run wrote them down.
async fn stored_report(db: &Db, run: &Run) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let mut databases = Vec::new();
    let mut page = PageRequest::first(PageRequest::MOST);
    loop {
        let listings = ingest::list_listings(db, &Visibility::Everything, run.id, &page).await?;
        databases.extend(listings.items.iter().map(|listed| {
            json!({
                "name": listed.name,
                "complete": listed.complete,
                "reason": listed.reason,
                "counts": listed.counts,
            })
        }));
        let Some(next) = next_page(listings, &mut page) else {
            break;
        };
        page = next;
    }
    let mut findings = Vec::new();
    let mut page = PageRequest::first(PageRequest::MOST);
    loop {
        let found = ingest::list_findings(db, &Visibility::Everything, run.id, &page).await?;
        findings.extend(found.items.iter().map(|finding| {
            json!({ "level": finding.level.as_str(), "about": finding.about, "text": finding.text })
        }));
        let Some(next) = next_page(found, &mut page) else {
            break;
        };
        page = next;
    }
    Ok((databases, findings))
}
