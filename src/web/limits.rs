//! How much of a request is read, and how long it may take to arrive.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use futures::stream::{self, StreamExt as _};

use super::failure::{Failure, TooLong};
use super::forms::Arrived;

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

/// Gathers the body before anything is done, so that no handler waits for a client, and none is left half done by one.
pub(super) async fn gather(
    patience: Data<Patience>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut payload = request.take_payload();
    // Most requests have none.
    if !matches!(payload, Payload::None) {
        let gathered = tokio::time::timeout(patience.0, whole(&mut payload)).await;
        match gathered.unwrap_or_else(|_| Err(Failure::of_status(StatusCode::REQUEST_TIMEOUT))) {
            Ok(body) => {
                let body = Bytes::from(body);
                if request.content_type() == "application/x-www-form-urlencoded" {
                    request.extensions_mut().insert(Arrived(body.clone()));
                }
                request.set_payload(arrived(body));
            }
            Err(failure) => {
                request.set_payload(payload);
                return Ok(refuse(request, failure));
            }
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The rest of a body that nobody reads to its end.
struct Unread(Payload);

/// Refuses a request without reading the rest of it.
pub(super) fn refuse(mut request: ServiceRequest, failure: Failure) -> ServiceResponse<BoxBody> {
    let rest = request.take_payload();
    request.extensions_mut().insert(Unread(rest));
    request.error_response(failure)
}

/// Lets the connection be closed behind an answer, if what was asked has not been read to its end.
pub(super) fn close_behind(response: HttpResponse, request: &HttpRequest) -> HttpResponse {
    match request.extensions_mut().remove::<Unread>() {
        Some(Unread(rest)) => response.map_body(|_, body| BoxBody::new(Last { body, _rest: rest })),
        None => response,
    }
}

/// The last answer of a connection. Until it is out, it keeps the rest of what was asked: the server then closes the
/// connection, where it would otherwise wait for that rest, without end, to get at another request behind it.
struct Last {
    body: BoxBody,
    _rest: Payload,
}

impl MessageBody for Last {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

/// Reads a body to its end, unless it is too long or breaks off.
async fn whole(payload: &mut Payload) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_broken_off| Failure::of_status(StatusCode::BAD_REQUEST))?;
        if body.len() + part.len() > LONGEST_BODY {
            return Err(Failure::too_long(TooLong::Body));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn arrived(body: Bytes) -> Payload {
    let body = stream::once(ready(Ok(body)));
    Payload::Stream {
        payload: Box::pin(body),
    }
}
