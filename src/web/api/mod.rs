//! The JSON API below `/api/v1`, described at `/api/openapi.json`.
//!
//! Shapes are structs of their own, so that a change inside never changes what programs were promised.

mod asset_shape;
mod assets;
mod audit;
pub(super) mod body;
mod change_shape;
mod changes;
pub(super) mod openapi;
mod recipes;
mod missed;
mod requests;
mod run_shape;
mod runs;
mod schema;
mod search;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Who;
use crate::db;

pub(super) use assets::{history, list, list_databases, show, show_change};
pub(super) use audit::{AuditShape, list as list_audit};
pub(super) use changes::{list as list_changes, show as show_batch};
pub(super) use missed::{dismiss as put_missed_dismissal, list as list_missed, tell as put_missed};
pub(super) use openapi::show as describe;
pub(super) use recipes::{list as list_recipes, start_run};
pub(super) use requests::{ask as put_request, dismiss as put_dismissal, list as list_requests};
pub(super) use runs::{list as list_runs, list_databases_of_run, list_findings, show as show_run};
pub(super) use search::search;

/// Answers with a shape as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(T);

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        json(StatusCode::OK, &self.0)
    }
}

pub(super) fn json(status: StatusCode, shape: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(shape)
}

/// JSON that was written already, apart from what others ask for.
#[derive(Debug)]
pub(super) struct Written(Bytes);

impl Written {
    fn of(shape: &impl Serialize) -> Self {
        let json = serde_json::to_vec(shape).expect("shapes are plain text");
        Self(json.into())
    }
}

impl Responder for Written {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((header::CACHE_CONTROL, "private, no-cache"))
            .body(self.0)
    }
}

/// Some of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    items: Vec<T>,
    /// Send it back as `after` to get what follows; null at the end.
    next: Option<String>,
}

impl<T> List<T> {
    fn of<U>(page: db::Page<U>, shape: impl FnMut(U) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(shape).collect(),
            next: page.next.map(|cursor| cursor.as_str().to_owned()),
        }
    }
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActorShape {
    /// `operator`, `visitor`, `schedule`, `recipe` or `account`.
    kind: &'static str,
    /// Which recipe, or which account by the name it had then.
    name: Option<String>,
}

impl From<Who> for ActorShape {
    fn from(who: Who) -> Self {
        let (kind, name) = match who {
            Who::Operator => ("operator", None),
            Who::Visitor => ("visitor", None),
            Who::Schedule => ("schedule", None),
            Who::Recipe { name } => ("recipe", Some(name)),
            Who::Account { name, .. } => ("account", Some(name)),
        };
        Self { kind, name }
    }
}
