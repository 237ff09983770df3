//! Runs of recipes.

use actix_web::web::{Data, Path};
use uuid::Uuid;

use super::run_shape::{FindingShape, ListedShape, RunShape, WholeRunShape};
use super::{Json, List};
use crate::auth::Actor;
use crate::db::{Db, PageRequest};
use crate::ingest;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;

/// How much of each list comes with a run.
const SHOWN: u64 = 100;

/// `GET /api/v1/runs`: runs, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    tag = "ingestion",
    summary = "Runs, newest first",
    params(
        ("recipe" = Option<String>, Query, description = "Only runs of this recipe"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<RunShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<RunShape>>, Failure> {
    let page = parameters.page(50)?;
    let recipe = parameters.all("recipe").next();
    let runs = ingest::list_runs(&db, actor.visibility(), recipe, &page).await?;
    Ok(Json(List::of(runs, RunShape::from)))
}

/// `GET /api/v1/runs/{id}`: one run.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}",
    tag = "ingestion",
    summary = "How a run stands: its state, counts, findings and databases",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WholeRunShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
) -> Result<Json<WholeRunShape>, Failure> {
    let run = ingest::find_run(&db, actor.visibility(), *id).await?;
    let first = PageRequest::first(SHOWN);
    let findings = ingest::list_findings(&db, actor.visibility(), run.id, &first).await?;
    let databases = ingest::list_listings(&db, actor.visibility(), run.id, &first).await?;
    Ok(Json(WholeRunShape::new(run, findings, databases)))
}

/// `GET /api/v1/runs/{id}/findings`: all that a run found worth telling.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/findings",
    tag = "ingestion",
    summary = "What a run found worth telling",
    params(
        ("id" = Uuid, Path),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<FindingShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list_findings(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
    parameters: Parameters,
) -> Result<Json<List<FindingShape>>, Failure> {
    let page = parameters.page(100)?;
    let run = ingest::find_run(&db, actor.visibility(), *id).await?;
    let findings = ingest::list_findings(&db, actor.visibility(), run.id, &page).await?;
    Ok(Json(List::of(findings, FindingShape::from)))
}

/// `GET /api/v1/runs/{id}/databases`: how a run listed each database.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}/databases",
    tag = "ingestion",
    summary = "How a run listed each database, incomplete ones first",
    params(
        ("id" = Uuid, Path),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<ListedShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list_databases_of_run(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
    parameters: Parameters,
) -> Result<Json<List<ListedShape>>, Failure> {
    let page = parameters.page(100)?;
    let run = ingest::find_run(&db, actor.visibility(), *id).await?;
    let databases = ingest::list_listings(&db, actor.visibility(), run.id, &page).await?;
    Ok(Json(List::of(databases, ListedShape::from)))
}
