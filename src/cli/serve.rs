//! `gazetteer serve`.

use std::path::Path;
use std::process::ExitCode;

use super::{Failure, interrupted, print, say};
use crate::app::App;
use crate::config;
use crate::ingest::Recipes;
use crate::web::{self, Listener, Options, Parts};

/// Serves until somebody ends it.
pub(super) async fn serve(
    storage: &config::Storage,
    recipes: &Path,
    serving: config::Serving,
) -> Result<ExitCode, Failure> {
    let listener = Listener::bind(&serving.listen)?;
    let options = Options::from(serving);
    let app = App::open(storage, Recipes::in_folder(recipes)).await?;
    print(format_args!(
        "Gazetteer answers at {}",
        listener.url(&options)
    ))?;
    say("Ctrl-C ends it.");
    serve_app(app, listener, options).await
}

/// Serves an opened catalog until somebody ends it.
pub(super) async fn serve_app(
    app: App,
    listener: Listener,
    options: Options,
) -> Result<ExitCode, Failure> {
    let background = app.start_background().await?;
    let parts = Parts {
        db: app.db.clone(),
        index: app.index.clone(),
        runner: app.runner.clone(),
    };
    let shutdown = async {
        interrupted().await;
        say("Ending: requests that have begun are answered, running recipes are interrupted.");
    };
    web::serve(parts, listener, options, shutdown).await?;
    background.stop().await;
    app.close().await;
    Ok(ExitCode::SUCCESS)
}
