//! `gazetteer serve`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use clap::Args;
use secrecy::ExposeSecret as _;
use tracing::info;

use super::{Failure, interrupted, print, say};
use crate::app::App;
use crate::auth::directories::Directories;
use crate::auth::{self, Passwords};
use crate::config;
use crate::ingest::Recipes;
use crate::web::{self, Access, Listener, Parts};

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) server: config::Server,
    #[command(flatten)]
    pub(super) directories: config::Directories,
}

/// Serves until somebody ends it.
pub(super) async fn serve(
    storage: &config::Storage,
    recipes: &Path,
    serving: config::Serving,
    directories: Directories,
) -> Result<ExitCode, Failure> {
    let listener = Listener::bind(&serving.listen)?;
    let access = Access {
        directories,
        ..access(&serving.access)
    };
    let options = web::Options::from(serving);
    let app = App::open(storage, Recipes::in_folder(recipes)).await?;
    let address = listener.url(&options);
    print(format_args!("Gazetteer answers at {address}"))?;
    if let Some(link) = auth::links::to_set_up(&app.db, Utc::now()).await? {
        let path = web::links::set_up(link.secret.expose_secret());
        offer_set_up(&listener.page(&options, &path));
    }
    say("Ctrl-C ends it.");
    serve_app(app, listener, options, access).await
}

/// How people get in, as it was set.
pub(super) fn access(access: &config::Access) -> Access {
    Access {
        passwords: Passwords::start(),
        directories: Directories::default(),
        lifetimes: auth::sessions::Lifetimes {
            idle: access.session_idle(),
            absolute: access.session_length(),
        },
        anonymous_read: access.anonymous_read,
        demo: None,
    }
}

/// Tells how to make the first account, on the terminal and in the log.
fn offer_set_up(address: &str) {
    say(format_args!(
        "Nobody is an admin yet. Make the first one within an hour at\n  {address}"
    ));
    info!("to set up this catalog open {address} within an hour");
}

/// Serves an opened catalog until somebody ends it.
pub(super) async fn serve_app(
    app: App,
    listener: Listener,
    options: web::Options,
    access: Access,
) -> Result<ExitCode, Failure> {
    let background = app.start_background().await?;
    let parts = Parts {
        db: app.db.clone(),
        index: app.index.clone(),
        runner: app.runner.clone(),
        access,
        written: Arc::clone(&app.written),
    };
    let shutdown = async {
        interrupted().await;
        say("Ending: requests that have begun are answered, running recipes are interrupted.");
    };
    let served = web::serve(parts, listener, options, shutdown).await;
    background.stop().await;
    app.close().await;
    served?;
    Ok(ExitCode::SUCCESS)
}
