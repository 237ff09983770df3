//! How much of a request is read, and how long it may take to arrive.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage as _};
use futures::stream::{self, Stream, StreamExt as _};

use super::failure::{Failure, TooLong};

/// No request body is longer than this; a form with a long text in it fits.
pub(super) const LONGEST_BODY: usize = 1024 * 1024;

/// Longer addresses are refused.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// More parameters in an address are refused; all filters that a page offers fit.
const MOST_PARAMETERS: usize = 200;

/// Longer headers, taken together, are refused.
const LONGEST_HEADERS: usize = 32 * 1024;

/// Tells which limit a request breaks, judging by what has arrived of it.
pub(super) fn excess(request: &ServiceRequest) -> Option<Failure> {
    let headers = request.headers();
    let parameters = request.query_string().split('&').count();
    let what = if request.uri().to_string().len() > LONGEST_ADDRESS {
        TooLong::Address
    } else if parameters > MOST_PARAMETERS {
        TooLong::Query
    } else if total_length(headers) > LONGEST_HEADERS {
        TooLong::Headers
    } else if announced_length(headers) > LONGEST_BODY {
        TooLong::Body
    } else {
        return None;
    };
    Some(Failure::too_long(what))
}

fn total_length(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, text)| name.as_str().len() + text.len() + 4)
        .sum()
}

fn announced_length(headers: &HeaderMap) -> usize {
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// How long a whole body may take to arrive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(pub(super) Duration);

/// Waits for the body no longer than it may take, and then answers so.
pub(super) async fn hurry(
    patience: Data<Patience>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let late = Rc::new(Cell::new(false));
    let payload = request.take_payload();
    // Only a body that somebody waits for can be late: most requests have none.
    if !matches!(payload, Payload::None) {
        let in_time = until_late(payload, patience.0, Rc::clone(&late));
        request.set_payload(Payload::Stream { payload: in_time });
    }
    let response = next.call(request).await?.map_into_boxed_body();
    if !late.get() || !response.status().is_client_error() {
        return Ok(response);
    }
    let mut refusal = response.error_response(Failure::of_status(StatusCode::REQUEST_TIMEOUT));
    // What is still to come of the body is not waited for.
    let headers = refusal.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(refusal)
}

type Body = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// The same body, which breaks off when its time is over.
fn until_late(payload: Payload, patience: Duration, late: Rc<Cell<bool>>) -> Body {
    let deadline = tokio::time::Instant::now() + patience;
    let parts = stream::unfold(Some(payload), move |payload| {
        let late = Rc::clone(&late);
        async move {
            let mut payload = payload?;
            match tokio::time::timeout_at(deadline, payload.next()).await {
                Ok(part) => part.map(|part| (part, Some(payload))),
                Err(_elapsed) => {
                    late.set(true);
                    Some((Err(PayloadError::Io(io::ErrorKind::TimedOut.into())), None))
                }
            }
        }
    });
    Box::pin(parts)
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test as actix, web};

    use super::*;

    /// Sends a body that begins and then never goes on, to a handler that waits for it.
    async fn stalled() -> ServiceResponse<BoxBody> {
        let patience = Patience(Duration::from_millis(20));
        let reading = web::post().to(async |body: web::Bytes| body);
        let app = App::new()
            .app_data(Data::new(patience))
            .route("/", reading)
            .wrap(from_fn(hurry));
        let app = actix::init_service(app).await;
        let begun = stream::once(async { Ok(Bytes::from_static(b"name=")) });
        let body: Body = Box::pin(begun.chain(stream::pending()));
        let request = actix::TestRequest::post().uri("/").to_request();
        let (request, _) = request.replace_payload(Payload::Stream { payload: body });
        actix::call_service(&app, request).await
    }

    #[actix_web::test]
    async fn a_body_that_does_not_arrive_is_not_waited_for() {
        let response = stalled().await;
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
        let connection = response.headers().get(header::CONNECTION);
        assert_eq!(connection.unwrap(), "close");
    }

    #[actix_web::test]
    async fn a_body_that_arrives_is_passed_on() {
        let app = App::new()
            .app_data(Data::new(Patience(Duration::from_secs(30))))
            .route("/", web::post().to(async |body: web::Bytes| body))
            .wrap(from_fn(hurry));
        let app = actix::init_service(app).await;
        let request = actix::TestRequest::post().uri("/").set_payload("name=x");
        let answer = actix::call_and_read_body(&app, request.to_request()).await;
        assert_eq!(answer, "name=x");
    }
}
