//! The command line: one file per command. Results go to standard output, everything else to standard error.
//!
//! Exit status 0 is clean, 1 failed, 2 wrong usage, 3 finished but partial.

mod demo;
mod doctor;
mod ingest;
mod migrate;
mod reindex;
mod search;
mod serve;
mod table;
mod team;
mod token;
mod user;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Parser, Subcommand};

use crate::app::App;
use crate::auth::accounts::{self, Account};
use crate::auth::directories::Directories;
use crate::auth::{self, AccountName, Actor};
use crate::config;
use crate::db::Db;
use crate::error::{Explain, Kind, chain};
use crate::telemetry::{self, Telemetry};

/// A data catalog and business glossary in one binary.
#[derive(Debug, Parser)]
#[command(name = "gazetteer", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    storage: config::Storage,
    #[command(flatten)]
    recipes: config::Recipes,
    #[command(flatten)]
    log: config::Log,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the API, and run recipes at their times
    Serve(Box<serve::Options>),
    /// Show everything on a sample company: no network, no credentials
    Demo(demo::Options),
    /// Run recipes, or check them
    #[command(subcommand)]
    Ingest(ingest::Command),
    /// Look after the accounts of people and services
    #[command(subcommand)]
    User(user::Command),
    /// Look after teams and who is in them
    #[command(subcommand)]
    Team(team::Command),
    /// Look after the tokens with which programs act for an account
    #[command(subcommand)]
    Token(token::Command),
    /// Search the catalog
    Search(search::Options),
    /// Build the search index anew
    Reindex,
    /// Bring the database to the newest schema
    Migrate,
    /// Check the database, the index, every recipe with its source, and the directories of people
    Doctor(Box<doctor::Options>),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let settings = match cli.settings() {
        Ok(settings) => settings,
        Err(problems) => return Failure::from(problems).tell(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(cause) => return Failure::new(format!("No threads could be started: {cause}.")).tell(),
    };
    tell_of_panics();
    let format = telemetry::Format::for_stderr();
    let otlp = settings.otlp.as_ref();
    let telemetry = match Telemetry::start(format, cli.log_filter(), otlp, runtime.handle()) {
        Ok(telemetry) => telemetry,
        Err(unreachable) => return Failure::from(unreachable).tell(),
    };
    let outcome = runtime.block_on(async {
        let outcome = cli.run(settings.serving, settings.directories).await;
        telemetry.stop().await;
        outcome
    });
    // Blocking work that is still going on is derived data; nothing waits for it.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|failure| failure.tell())
}

/// Logs a defect as one line with its place, instead of printing what was meant for developers.
fn tell_of_panics() {
    std::panic::set_hook(Box::new(|defect| {
        let place = defect.location().map(ToString::to_string);
        tracing::error!(
            place = place.unwrap_or_default(),
            "Gazetteer met a defect and gave up what it was doing"
        );
    }));
}

/// What has to be checked beyond the flags' own syntax.
struct Settings {
    otlp: Option<config::Otlp>,
    /// How to serve, for the commands that do.
    serving: Option<config::Serving>,
    /// Who else knows people.
    directories: Directories,
}

impl Cli {
    /// Reads the settings, and tells every problem at once.
    fn settings(&self) -> Result<Settings, config::Problems> {
        let mut problems = config::Problems::default();
        if let Err(unreadable) = telemetry::check(self.log_filter()) {
            let hint = unreadable.hint().unwrap_or_default();
            problems.note(format!("{} {hint}", chain(&unreadable)));
        }
        let otlp = problems.take(config::Otlp::read(config::variable));
        let server = match &self.command {
            Command::Serve(options) => Some(&options.server),
            Command::Demo(options) => Some(&options.server),
            _ => None,
        };
        let serving = server.and_then(|server| problems.take(server.read()));
        let directories = match &self.command {
            Command::Serve(options) => Some(&options.directories),
            Command::Doctor(options) => Some(&options.directories),
            _ => None,
        };
        let directories = directories.and_then(|given| problems.take(Directories::new(given)));
        problems.unless_any(Settings {
            otlp: otlp.flatten(),
            serving,
            directories: directories.unwrap_or_default(),
        })
    }

    fn log_filter(&self) -> &str {
        let serves = matches!(self.command, Command::Serve(_) | Command::Demo(_));
        let default = if serves {
            "warn,gazetteer=info"
        } else {
            "warn"
        };
        self.log.filter.as_deref().unwrap_or(default)
    }

    async fn run(
        self,
        serving: Option<config::Serving>,
        directories: Directories,
    ) -> Result<ExitCode, Failure> {
        let (storage, recipes) = (self.storage, self.recipes.recipes);
        let serving = || serving.expect("the settings were read for the commands that serve");
        match self.command {
            Command::Serve(_) => serve::serve(&storage, &recipes, serving(), directories).await,
            Command::Demo(options) => {
                // Large, and only one of many.
                Box::pin(demo::demo(&storage, &recipes, &options, serving())).await
            }
            Command::Ingest(ingest::Command::Run(options)) => {
                ingest::run(&storage, &recipes, &options).await
            }
            Command::Ingest(ingest::Command::Check(options)) => ingest::check(&options),
            Command::User(command) => user::run(&storage, command).await,
            Command::Team(command) => team::run(&storage, command).await,
            Command::Token(command) => token::run(&storage, command).await,
            Command::Search(options) => search::search(&storage, &recipes, &options).await,
            Command::Reindex => reindex::reindex(&storage, &recipes).await,
            Command::Migrate => migrate::migrate(&storage).await,
            Command::Doctor(_) => doctor::doctor(&storage, &recipes, &directories).await,
        }
    }
}

/// Opens the catalog's database at its newest schema, and nothing else: a server may have the index.
async fn open_database(storage: &config::Storage) -> Result<Db, Failure> {
    let db = App::connect(storage).await?;
    App::migrate(&db, storage).await?;
    Ok(db)
}

/// Finds an account by its name, or says that nobody has it.
async fn find_account(db: &Db, name: &AccountName) -> Result<Account, Failure> {
    match accounts::find_named(db, &Actor::operator(), name).await {
        Err(auth::Error::UnknownAccount) => {
            let unknown = Failure::new(format!("There is no account named “{name}”."));
            Err(unknown.hinting("List the accounts with `gazetteer user list`."))
        }
        found => Ok(found?),
    }
}

/// A time as commands print it.
fn when(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Finished, but not everything could be done.
fn partial() -> ExitCode {
    ExitCode::from(3)
}

/// Why a command ended early, as it is told on standard error.
#[derive(Debug)]
struct Failure {
    text: String,
    hint: Option<String>,
    status: u8,
}

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            hint: None,
            status: 1,
        }
    }

    /// The command was not used as it can be.
    fn usage(text: impl Into<String>) -> Self {
        Self {
            status: 2,
            ..Self::new(text)
        }
    }

    fn hinting(self, hint: &str) -> Self {
        let hint = Some(hint.to_owned());
        Self { hint, ..self }
    }

    fn tell(&self) -> ExitCode {
        say(format_args!("error: {}", self.text));
        if let Some(hint) = &self.hint {
            say(format_args!("hint: {hint}"));
        }
        ExitCode::from(self.status)
    }
}

impl<E: Explain + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let kind = error.kind();
        let hint = match kind {
            Kind::Storage(storage) => error.hint().or(Some(storage.hint())),
            _ => error.hint(),
        };
        Self {
            text: chain(&error),
            hint: hint.map(str::to_owned),
            status: if kind == Kind::Invalid { 2 } else { 1 },
        }
    }
}

/// Writes a line to standard error. Nobody is left to be told when that fails.
fn say(line: impl Display) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Writes a line of the result to standard output.
fn print(line: impl Display) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{line}") {
        // Whoever reads has had enough, such as `head`.
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(Failure::new(format!(
            "The result could not be written: {cause}."
        ))),
        Ok(()) => Ok(()),
    }
}

/// Comes true when somebody presses Ctrl-C or the system asks the process to end.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = |kind| async move {
        match signal(kind) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => if pressed.is_err() { std::future::pending().await },
        () = asked(SignalKind::terminate()) => {}
        // The terminal was closed.
        () = asked(SignalKind::hangup()) => {}
    }
}
