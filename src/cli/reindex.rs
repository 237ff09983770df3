//! `gazetteer reindex`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use super::{Failure, print};
use crate::app::App;
use crate::config;
use crate::ingest::Recipes;
use crate::search::follow;

/// Builds the search index anew; a server that is running keeps its index and must be stopped first.
pub(super) async fn reindex(
    storage: &config::Storage,
    recipes: &Path,
) -> Result<ExitCode, Failure> {
    let app = App::open(storage, Recipes::in_folder(recipes)).await?;
    let clock = Instant::now();
    let written = follow::rebuild_all(&app.db, &app.index).await?;
    print(format_args!(
        "Built the search index anew: {written} assets in {:.1} s.",
        clock.elapsed().as_secs_f64()
    ))?;
    Ok(ExitCode::SUCCESS)
}
