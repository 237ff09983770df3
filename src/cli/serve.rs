//! `gazetteer serve`.

use std::path::Path;
use std::process::ExitCode;

use super::{Failure, interrupted, print, say};
use crate::app::App;
use crate::config;
use crate::web;

/// Serves until somebody ends it.
pub(super) async fn serve(
    storage: &config::Storage,
    recipes: &Path,
    server: &config::Server,
) -> Result<ExitCode, Failure> {
    let app = App::open(storage, recipes).await?;
    let served = serve_app(app, server, |url| {
        print(format_args!("Gazetteer answers at {url}"))?;
        say("Ctrl-C ends it.");
        Ok(())
    });
    served.await
}

/// Serves an opened catalog, after `ready` was told the address.
pub(super) async fn serve_app(
    app: App,
    server: &config::Server,
    ready: impl FnOnce(&str) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let listening = web::start(&app, server.listen)?;
    let background = app.start_background().await?;
    ready(&listening.url())?;
    interrupted().await;
    say("Ending: running requests are answered, running recipes are interrupted.");
    listening.stop().await;
    background.stop().await;
    app.close().await;
    Ok(ExitCode::SUCCESS)
}
