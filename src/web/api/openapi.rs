//! The description of the API, made from the handlers themselves.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::Server;
use utoipa::{OpenApi, ToResponse, ToSchema};

use super::{assets, audit, changes, missed, recipes, requests, runs, search};
use crate::web::{aspects, links};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gazetteer",
        description = "Search the catalog, read what it knows of an asset, write what people say of it, start runs and see \
                       how they stand. \
                       Every answer carries its request id in `x-request-id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        search::search,
        assets::list,
        assets::show,
        assets::history,
        assets::show_change,
        aspects::restore::post_restore,
        assets::list_databases,
        audit::list,
        changes::list,
        changes::show,
        recipes::list,
        recipes::start_run,
        missed::list,
        missed::tell,
        missed::dismiss,
        requests::list,
        requests::ask,
        requests::dismiss,
        runs::list,
        runs::show,
        runs::list_findings,
        runs::list_databases_of_run,
    ),
    components(
        responses(ProblemAnswer, aspects::api::ProblemsAnswer),
        schemas(ProblemShape, aspects::api::ProblemsShape)
    )
)]
struct Description;

/// An error as RFC 9457 words it.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct ProblemShape {
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
pub(in crate::web) struct ProblemAnswer(ProblemShape);

/// What the description says of a call that takes a body.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    /// With every reference followed.
    pub(super) schema: Value,
    /// A whole body.
    pub(super) example: Value,
}

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let description = Description::openapi();
    let mut description = serde_json::to_value(description).expect("it is plain JSON");
    aspects::describe(&mut description);
    super::search::describe(&mut description);
    description
});

/// Finds what the description says of the call that a request makes.
pub(super) fn find_call(request: &HttpRequest) -> Call {
    let pattern = request.match_pattern().unwrap_or_default();
    let method = request.method().as_str().to_lowercase();
    let operation = DESCRIPTION
        .get("paths")
        .and_then(|paths| paths.get(&pattern)?.get(&method));
    let content = operation.and_then(|one| one.pointer("/requestBody/content/application~1json"));
    let part = |name| content.and_then(|content| content.get(name));
    Call {
        schema: part("schema").map_or(Value::Null, |schema| followed(schema, &DESCRIPTION)),
        example: part("example").cloned().unwrap_or_default(),
    }
}

/// A schema with what its references lead to. No schema of a body leads back to itself.
fn followed(schema: &Value, description: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let target = object.get("$ref").and_then(Value::as_str);
            let target = target.and_then(|path| description.pointer(path.trim_start_matches('#')));
            match target {
                Some(target) => followed(target, description),
                None => object
                    .iter()
                    .map(|(name, part)| (name.clone(), followed(part, description)))
                    .collect(),
            }
        }
        Value::Array(parts) => parts
            .iter()
            .map(|part| followed(part, description))
            .collect(),
        other => other.clone(),
    }
}

/// `GET /api/openapi.json`: the description.
pub(in crate::web) async fn show() -> HttpResponse {
    let mut description = DESCRIPTION.clone();
    if let Some(description) = description.as_object_mut() {
        let servers = serde_json::json!([Server::new(links::api())]);
        description.insert("servers".to_owned(), servers);
    }
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(description)
}
