//! What happens to every request around its handler.
//!
//! From the outside in: [`watch`] gives the request its id, logs and counts it; [`dress`] turns failures into pages or
//! problems; [`admit`] refuses what no handler should see; [`gather`] waits for the body, but not for ever;
//! [`charge`] counts what costs much; [`catch`] keeps a panic from spreading.
//!
//! [`admit`]: super::origin_check::admit
//! [`gather`]: super::limits::gather
//! [`charge`]: super::rate::charge

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures::FutureExt as _;
use tracing::Instrument as _;

use super::client::Client;
use super::failure::Failure;
use super::forms::Typed;
use super::limits;
use super::request::RequestId;
use super::safety;
use super::view::{Reader, Templates};
use crate::telemetry::{request, traces};

/// Gives the request its id, and logs and counts its answer.
pub(super) async fn watch(
    client: Client,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of_headers(request.headers());
    request.extensions_mut().insert(id.clone());
    // Lines of the log have the id whichever of them are let through: hence the level.
    let span = tracing::error_span!("request", id = id.as_str(), otel.kind = "server");
    traces::continue_remote(&span, |name| request.headers().get(name)?.to_str().ok());
    let asked = Asked::of(&request);
    let answering = async {
        let mut response = next.call(request).await?.map_into_boxed_body();
        safety::add_headers(response.headers_mut(), client.secure);
        id.add_to(response.headers_mut());
        asked.answered(&response);
        Ok(response)
    };
    request::within(id.shared(), answering.instrument(span)).await
}

/// What was asked, for the log, the numbers and the trace.
struct Asked {
    at: Instant,
    method: Method,
    path: String,
}

impl Asked {
    fn of(request: &ServiceRequest) -> Self {
        Self {
            at: Instant::now(),
            method: request.method().clone(),
            path: request.path().to_owned(),
        }
    }

    fn answered(self, response: &ServiceResponse<BoxBody>) {
        let took = self.at.elapsed();
        let status = response.status();
        let route = response.request().match_pattern();
        let route = route.unwrap_or_else(|| "none".to_owned());
        tracing::info!(
            target: "gazetteer::access",
            method = self.method.as_str(),
            path = self.path,
            status = status.as_u16(),
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        let method = name_of(&self.method);
        trace(method, &route, status);
        let labels = [
            ("method", method.to_owned()),
            ("route", route),
            ("status", status.as_str().to_owned()),
        ];
        metrics::counter!("gazetteer_http_requests_total", &labels).increment(1);
        let [method, route, _] = labels;
        metrics::histogram!("gazetteer_http_request_seconds", &[method, route]).record(took);
    }
}

/// Tells the trace what became of the request, in the words that collectors know.
fn trace(method: &'static str, route: &str, status: StatusCode) {
    let span = tracing::Span::current();
    traces::name(&span, format!("{method} {route}"));
    traces::describe(&span, "http.request.method", method);
    traces::describe(&span, "http.route", route.to_owned());
    traces::describe(
        &span,
        "http.response.status_code",
        i64::from(status.as_u16()),
    );
    if status.is_server_error() {
        traces::describe(&span, "error.type", status.as_str().to_owned());
    }
}

/// The method, unless somebody made it up: the numbers that are kept must stay few.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Turns what failed into a page for people or a problem for programs.
pub(super) async fn dress(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?;
    let status = response.status();
    let is_finished = response.headers().contains_key(header::CONTENT_TYPE)
        && response.response().error().is_none();
    if is_finished || !(status.is_client_error() || status.is_server_error()) {
        return Ok(response.map_into_boxed_body());
    }
    let request = response.request();
    let id = RequestId::of(request);
    let answer = |failure: &Failure| {
        let templates = request.app_data::<Data<Templates>>();
        match templates {
            Some(templates) if !is_for_programs(request.path()) => {
                let typed = Typed::of(request);
                failure.page(templates, &Reader::of(request), typed.as_ref())
            }
            _ => failure.problem(id.as_str()),
        }
    };
    let error = response.response().error();
    let answered = match error.and_then(|error| error.as_error::<Failure>()) {
        Some(failure) => answer(failure),
        None => answer(&undressed(status, error)),
    };
    let answered = limits::close_behind(answered, request);
    Ok(response.into_response(answered))
}

/// Finds words for an error that the web framework raised by itself.
fn undressed(status: StatusCode, error: Option<&Error>) -> Failure {
    if let Some(error) = error.filter(|_| status.is_server_error()) {
        tracing::error!(cause = %error, "a request failed");
    }
    Failure::of_status(status)
}

fn is_for_programs(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Answers for a handler that panicked, so that its thread and everybody else's requests go on.
pub(super) async fn catch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // The request may be kept here: its route has been found, nothing changes it any more.
    let kept = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(response) => Ok(response?.map_into_boxed_body()),
        Err(payload) => {
            let what = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied());
            tracing::error!(what, "a handler panicked");
            let response = HttpResponse::from_error(Failure::broken());
            Ok(ServiceResponse::new(kept, response))
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test as actix, web};

    use super::*;

    #[actix_web::test]
    async fn a_panic_becomes_an_answer() {
        async fn faulty() -> &'static str {
            panic!("a defect")
        }
        let faulty = web::resource("/{name}")
            .route(web::get().to(faulty))
            .wrap(from_fn(catch));
        let app = actix::init_service(App::new().service(faulty).wrap(from_fn(dress))).await;
        for _ in 0..2 {
            let request = actix::TestRequest::get().uri("/x").to_request();
            let response = actix::call_service(&app, request).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let body = actix::read_body(response).await;
            let body = String::from_utf8_lossy(&body).into_owned();
            assert!(
                body.contains("Something went wrong in Gazetteer."),
                "{body}"
            );
            assert!(!body.contains("defect"), "{body}");
        }
    }
}
