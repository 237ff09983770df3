//! Starting a run, for the button on a page and for the API alike.

use uuid::Uuid;

use crate::auth::Actor;
use crate::ingest::{Error, Runner, StartedBy};

/// Starts a run and counts it.
pub(crate) async fn start_run(
    runner: &Runner,
    recipe: &str,
    actor: &Actor,
    by: StartedBy,
) -> Result<Uuid, Error> {
    let id = runner.start(recipe, actor, by).await?;
    metrics::counter!("gazetteer_runs_started_total", "by" => by.as_str()).increment(1);
    Ok(id)
}
