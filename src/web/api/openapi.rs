//! The description of the API, made from the handlers themselves.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use utoipa::{OpenApi, ToResponse, ToSchema};

use super::{assets, audit, recipes, runs, search};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gazetteer",
        description = "Search the catalog, read what it knows of an asset, start runs and see how they stand. \
                       Every answer carries its request id in `x-request-id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        search::search,
        assets::list,
        assets::show,
        assets::history,
        assets::list_databases,
        audit::list,
        recipes::list,
        recipes::start_run,
        runs::list,
        runs::show,
        runs::list_findings,
        runs::list_databases_of_run,
    ),
    components(responses(ProblemAnswer), schemas(ProblemShape))
)]
struct Description;

/// An error as RFC 9457 words it.
#[derive(Serialize, ToSchema)]
struct ProblemShape {
    r#type: String,
    /// What the status means in general.
    title: String,
    status: u16,
    /// What happened, as a sentence.
    detail: String,
    /// What to do next, as a sentence.
    hint: Option<String>,
    /// The parameter that is to blame.
    parameter: Option<String>,
    /// What to quote when asking for help.
    request_id: String,
}

/// It failed, and this is why.
#[derive(Serialize, ToResponse)]
#[response(content_type = "application/problem+json")]
pub(super) struct ProblemAnswer(ProblemShape);

/// `GET /api/openapi.json`: the description.
pub(in crate::web) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(Description::openapi())
}
