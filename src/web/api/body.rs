//! Reading the body of a call: as JSON, and exactly as the description of the API says.
//!
//! A key that nobody knows is refused, not left out: what a program meant by it would be lost without a word.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::openapi::{self, Call};
use super::schema::{self, Unique};
use crate::web::aspects::api::FieldProblemShape;
use crate::web::failure::Failure;

/// What to do about a body that is not right.
const HINT: &str = "Write the body as in “example”.";

/// A body that was read and checked.
#[derive(Debug)]
pub(in crate::web) struct Body<T>(pub(in crate::web) T);

/// The body of a call that takes none.
#[derive(Debug)]
pub(in crate::web) struct NoBody;

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = Failure;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let call = openapi::find_call(request);
        let content_type = request.content_type().to_owned();
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = arrived(bytes.await)?;
            let read = check_type(&content_type).and_then(|()| read(&bytes, &call));
            read.map(Self)
                .map_err(|failure| failure.telling("example", &call.example))
        })
    }
}

impl FromRequest for NoBody {
    type Error = Failure;
    type Future = Reading<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            match arrived(bytes.await)?.trim_ascii() {
                b"" | b"{}" => Ok(Self),
                _ => Err(Failure::of_body(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "This call takes no body, and nothing was done.",
                    "Send it without one.",
                )),
            }
        })
    }
}

/// Limits have been kept before; what is left is a body that broke off.
fn arrived(bytes: Result<Bytes, actix_web::Error>) -> Result<Bytes, Failure> {
    bytes.map_err(|_broken_off| Failure::of_status(StatusCode::BAD_REQUEST))
}

fn check_type(content_type: &str) -> Result<(), Failure> {
    let folded = content_type.to_ascii_lowercase();
    if folded == "application/json" || folded.ends_with("+json") {
        return Ok(());
    }
    let detail = if content_type.is_empty() {
        "The body does not say that it is JSON.".to_owned()
    } else {
        format!("The body says that it is “{content_type}”, and this call takes JSON.")
    };
    Err(Failure::of_body(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        &detail,
        "Send it with the header “Content-Type: application/json”.",
    ))
}

fn read<T: DeserializeOwned>(bytes: &[u8], call: &Call) -> Result<T, Failure> {
    let Unique(value) = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    let problems = schema::check(&call.schema, &value);
    if !problems.is_empty() {
        return Err(refused(&problems));
    }
    parse(value)
}

/// What the schema allows and the shape does not; nothing that is known.
fn parse<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let text = format!("The body is not what this call takes: {error}.");
        refused(&[FieldProblemShape::new("", text)])
    })
}

fn not_json(error: &serde_json::Error) -> Failure {
    if error.is_data() {
        let text = format!("The body is not clear: {error}.");
        return refused(&[FieldProblemShape::new("", text)]);
    }
    let detail = format!("The body is no JSON: {error}.");
    Failure::of_body(StatusCode::BAD_REQUEST, &detail, HINT)
}

fn refused(problems: &[FieldProblemShape]) -> Failure {
    let detail = problems.first().map_or("", |first| first.text.as_str());
    let failure = Failure::of_body(StatusCode::UNPROCESSABLE_ENTITY, detail, HINT);
    failure.telling("problems", &problems)
}
