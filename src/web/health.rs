//! What a load balancer asks: is the process there, and is it ready?

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde::Serialize;

use crate::db::Db;
use crate::error::chain;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    database: &'static str,
}

/// `GET /healthz`: this process runs.
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Health { status: "ok" })
}

/// `GET /readyz`: the database answers.
pub(super) async fn ready(db: Data<Db>) -> HttpResponse {
    let database = match db.ping().await {
        Ok(()) => "ok",
        Err(cause) => {
            tracing::warn!(cause = chain(&cause), "the database does not answer");
            "does not answer"
        }
    };
    let ready = database == "ok";
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Readiness { ready, database })
}
