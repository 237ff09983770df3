//! What happens to every request around its handler.
//!
//! From the outside in: [`watch`] gives the request its id, logs and counts it and sets the headers that keep browsers
//! safe; [`dress`] turns failures into pages or problems; [`admit`] refuses what no handler should see; [`catch`] keeps
//! a panic from spreading.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures::FutureExt as _;
use tracing::Instrument as _;

use super::failure::{Failure, TooLong};
use super::request::{REQUEST_ID, RequestId};
use super::server::LONGEST_BODY;
use super::view::{Reader, Templates};

/// Longer addresses are refused.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// Longer headers, taken together, are refused.
const LONGEST_HEADERS: usize = 32 * 1024;

/// What browsers are told with every answer.
const SAFETY: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Gives the request its id, and logs and counts its answer.
pub(super) async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::given_or_new(header_text(request.headers(), REQUEST_ID));
    let method = request.method().clone();
    let path = request.path().to_owned();
    let span = tracing::info_span!("request", id = id.as_str());
    request.extensions_mut().insert(id.clone());

    async {
        let mut response = next.call(request).await?.map_into_boxed_body();
        add_headers(response.headers_mut(), &id);
        let took = started.elapsed();
        let status = response.status().as_u16();
        let route = response.request().match_pattern();
        let route = route.unwrap_or_else(|| "none".to_owned());
        tracing::info!(
            target: "gazetteer::access",
            method = method.as_str(),
            path,
            status,
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        let labels = [
            ("method", name_of(&method).to_owned()),
            ("route", route),
            ("status", status.to_string()),
        ];
        metrics::counter!("gazetteer_http_requests_total", &labels).increment(1);
        let [method, route, _] = labels;
        metrics::histogram!("gazetteer_http_request_seconds", &[method, route]).record(took);
        Ok(response)
    }
    .instrument(span)
    .await
}

fn add_headers(headers: &mut HeaderMap, id: &RequestId) {
    for (name, text) in SAFETY {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(text),
        );
    }
    if let Ok(id) = id.as_str().parse() {
        headers.insert(HeaderName::from_static(REQUEST_ID), id);
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
                failure.page(templates, &Reader::of(request))
            }
            _ => failure.problem(id.as_str()),
        }
    };
    let error = response.response().error();
    let answered = match error.and_then(|error| error.as_error::<Failure>()) {
        Some(failure) => answer(failure),
        None => answer(&undressed(status, error)),
    };
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

/// Who may come in.
#[derive(Debug)]
pub(super) struct Door {
    /// Only this machine can reach the server, so only this machine's names are right.
    loopback: bool,
}

impl Door {
    pub(super) fn listening_on(address: SocketAddr) -> Self {
        Self {
            loopback: address.ip().is_loopback(),
        }
    }

    fn refusal(&self, request: &ServiceRequest) -> Option<Failure> {
        let headers = request.headers();
        if request.uri().to_string().len() > LONGEST_ADDRESS {
            return Some(Failure::too_long(TooLong::Address));
        }
        if total_length(headers) > LONGEST_HEADERS {
            return Some(Failure::too_long(TooLong::Headers));
        }
        if announced_length(headers) > LONGEST_BODY {
            return Some(Failure::too_long(TooLong::Body));
        }
        let host = header_text(headers, "host").unwrap_or_default();
        if self.loopback && !names_this_machine(host) {
            return Some(Failure::forbidden(
                "This catalog listens on this machine only, and was asked for under another name.",
                "Open it as http://localhost with its port, or let it listen on a public address with GAZETTEER_LISTEN.",
            ));
        }
        if !is_safe(request.method()) && comes_from_elsewhere(headers, host) {
            return Some(Failure::forbidden(
                "The request was sent by a page of another site, and nothing was changed.",
                "Open the page here and try it again.",
            ));
        }
        None
    }
}

/// Refuses what no handler should see.
pub(super) async fn admit(
    door: Data<Door>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(failure) = door.refusal(&request) {
        return Ok(request.error_response(failure));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
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

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn total_length(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, text)| name.as_str().len() + text.len() + 4)
        .sum()
}

fn announced_length(headers: &HeaderMap) -> usize {
    header_text(headers, "content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0)
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Tells whether a browser says that a page of another site sent this. Programs say nothing and are let in.
fn comes_from_elsewhere(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = header_text(headers, "sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    match headers.get(header::ORIGIN) {
        None => false,
        Some(origin) => origin
            .to_str()
            .ok()
            .and_then(|origin| origin.split_once("://"))
            .is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host)),
    }
}

/// Tells whether a `Host` header is one of the names that only this machine has.
fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost")
        || bare
            .unwrap_or(name)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test as actix, web};

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_names() {
        for name in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "127.0.0.1",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(names_this_machine(name), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "localhost.evil.example:80",
            "10.0.0.1",
            "127.0.0.1.nip.io",
            "localhost:x",
        ] {
            assert!(!names_this_machine(name), "{name}");
        }
    }

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

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, text)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(text),
                )
            })
            .collect()
    }

    #[test]
    fn a_browser_tells_which_site_sent_a_form() {
        let elsewhere = |pairs: &[_]| comes_from_elsewhere(&headers(pairs), "atlas.example:8080");
        assert!(!elsewhere(&[]));
        assert!(!elsewhere(&[("sec-fetch-site", "same-origin")]));
        assert!(!elsewhere(&[("sec-fetch-site", "none")]));
        assert!(elsewhere(&[("sec-fetch-site", "cross-site")]));
        assert!(elsewhere(&[("sec-fetch-site", "same-site")]));
        assert!(!elsewhere(&[("origin", "https://Atlas.example:8080")]));
        assert!(elsewhere(&[("origin", "https://evil.example")]));
        assert!(elsewhere(&[("origin", "null")]));
    }
}
