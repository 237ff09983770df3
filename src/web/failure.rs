//! How an error becomes an answer: the only place that knows status numbers.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::forms::Typed;
use super::view::{Reader, Section, Templates, View, html_response};
use crate::error::{Explain, Kind, Storage, chain};

/// Why a request gets no proper answer, in words for whoever sent it.
///
/// For a defect or a database that does not answer the words are fixed, and the cause has been logged.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    detail: String,
    hint: Option<String>,
    /// The parameter that is to blame.
    parameter: Option<&'static str>,
    /// The methods that would do instead.
    allow: Option<String>,
    /// When it is worth another try.
    retry_after: Option<Duration>,
    /// What else a program is told.
    more: Box<Map<String, Value>>,
}

/// The number that HTTP has for a kind of failure.
pub(super) fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Storage(Storage::Full) => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Unavailable | Kind::Storage(_) => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl<E: Explain + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

impl Failure {
    /// Words for an error that goes on being used.
    pub(super) fn of(error: &(impl Explain + 'static)) -> Self {
        match error.kind() {
            Kind::Internal => Self::defect(error),
            Kind::Unavailable => {
                tracing::error!(cause = chain(error), "something needed does not answer");
                Self::unavailable()
            }
            Kind::Storage(storage) => {
                tracing::error!(cause = chain(error), "the catalog cannot be used as it is");
                Self::storage(storage)
            }
            kind => Self {
                retry_after: error.retry_after(),
                ..Self::new(status_of(kind), error.to_string()).hinted(error.hint())
            },
        }
    }

    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            hint: None,
            parameter: None,
            allow: None,
            retry_after: None,
            more: Box::default(),
        }
    }

    fn hinted(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into);
        self
    }

    /// Adds something that a program is told beside the sentence.
    pub(super) fn telling(mut self, name: &str, what: &impl Serialize) -> Self {
        if let Ok(what) = serde_json::to_value(what) {
            self.more.insert(name.to_owned(), what);
        }
        self
    }

    /// Something is broken; the cause goes to the log and nowhere else.
    pub(crate) fn defect(cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(cause = chain(cause), "a request failed");
        Self::broken()
    }

    /// A parameter of the address that cannot be right; `detail` names it.
    pub(crate) fn bad_parameter(parameter: &'static str, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(parameter),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    /// What to show above a form that can be corrected; any other failure is handed back.
    pub(crate) fn refusal_of_a_form(self) -> Result<String, Self> {
        if self.status != StatusCode::UNPROCESSABLE_ENTITY {
            return Err(self);
        }
        Ok(match self.hint {
            Some(hint) => format!("{} {hint}", self.detail),
            None => self.detail,
        })
    }

    /// The body of a request that is not what its address takes.
    pub(super) fn of_body(status: StatusCode, detail: &str, hint: &str) -> Self {
        Self::new(status, detail).hinted(Some(hint))
    }

    /// There is nothing at this address.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The request is not let in.
    pub(super) fn forbidden(detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail).hinted(Some(hint))
    }

    /// A token that lets nobody in, whatever it is that is wrong with it.
    pub(super) fn bad_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The token does not let anybody in: it is unknown, has ended, or was revoked.",
        )
        .hinted(Some("Make a new one on your profile page."))
    }

    pub(super) fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Nobody is signed in.").hinted(Some("Sign in first."))
    }

    pub(super) fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong in Gazetteer.",
        )
        .hinted(Some(
            "Try again. If it happens again, give the request id to whoever runs this catalog.",
        ))
    }

    fn unavailable() -> Self {
        let failure = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The catalog cannot be read right now.",
        );
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..failure.hinted(Some(
                "Try again in a moment. If it stays like this, give the request id to whoever runs this catalog.",
            ))
        }
    }

    /// The catalog is not as it should be where it is kept; its operator can mend that.
    fn storage(storage: Storage) -> Self {
        let kind = Kind::Storage(storage);
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(status_of(kind), storage.sentence()).hinted(Some(storage.hint()))
        }
    }

    /// One client asks for too much.
    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let failure = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests came from your address in a short time.",
        );
        Self {
            retry_after: Some(wait),
            ..failure.hinted(Some(format!("Wait {seconds} {unit} and try again.")))
        }
    }

    pub(super) fn too_long(status: TooLong) -> Self {
        match status {
            TooLong::Body => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "What was sent is too long.")
                .hinted(Some("Send less than 1 MB.")),
            TooLong::Address => Self::new(StatusCode::URI_TOO_LONG, "The address is too long.")
                .hinted(Some("Search for fewer words, or choose fewer filters.")),
            TooLong::Query => Self::new(
                StatusCode::URI_TOO_LONG,
                "The address has too many parameters.",
            )
            .hinted(Some("Choose fewer filters.")),
            TooLong::Headers => Self::new(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "The headers of the request are too long.",
            )
            .hinted(Some("Delete this site's cookies and try again.")),
        }
    }

    pub(super) fn method_not_allowed(allow: &str) -> Self {
        Self {
            allow: Some(allow.to_owned()),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("This address answers {allow} only."),
            )
        }
    }

    /// Words for an answer that the web framework gave by itself.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => {
                Self::new(status, "Page not found.").hinted(Some("Search for it by name."))
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_long(TooLong::Body),
            StatusCode::REQUEST_TIMEOUT => {
                Self::new(status, "The request took too long to arrive.")
                    .hinted(Some("Send it again."))
            }
            status if status.is_client_error() => {
                Self::new(status, "The request could not be understood.")
                    .hinted(Some("Go back and try it another way."))
            }
            StatusCode::SERVICE_UNAVAILABLE => Self::unavailable(),
            _ => Self::broken(),
        }
    }

    /// Answers a person.
    pub(super) fn page(
        &self,
        templates: &Templates,
        reader: &Reader,
        typed: Option<&Typed>,
    ) -> HttpResponse {
        let view = ErrorPage {
            typed,
            again: self.may_be_sent_again() && typed.is_some_and(|typed| typed.whole),
            status: self.status.as_u16(),
            detail: &self.detail,
            hint: self.hint.as_deref(),
            sign_in: self.status == StatusCode::UNAUTHORIZED,
        };
        let html = templates.render(&view, reader).unwrap_or_else(|_| {
            format!(
                "<!doctype html><title>Gazetteer</title><p>Something went wrong. Request id: {}",
                reader.request_id
            )
        });
        self.finished(html_response(self.status, html))
    }

    /// Answers a program.
    pub(super) fn problem(&self, request_id: &str) -> HttpResponse {
        let problem = Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            hint: self.hint.as_deref(),
            parameter: self.parameter,
            request_id,
            more: &self.more,
        };
        let response = HttpResponse::build(self.status)
            .content_type("application/problem+json")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(serde_json::to_string(&problem).expect("a problem is plain text"));
        self.finished(response)
    }

    /// Whether the same form may be taken at another time.
    fn may_be_sent_again(&self) -> bool {
        !matches!(
            self.status,
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
        )
    }

    fn finished(&self, mut response: HttpResponse) -> HttpResponse {
        let headers = response.headers_mut();
        if let Some(allow) = self.allow.as_deref().and_then(|allow| allow.parse().ok()) {
            headers.insert(header::ALLOW, allow);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer realm=\"Gazetteer\""),
            );
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        response
    }
}

/// What of a request is too long.
#[derive(Debug, Clone, Copy)]
pub(super) enum TooLong {
    Body,
    Address,
    Query,
    Headers,
}

/// Whole seconds, rounded up: who waits for so long has waited long enough.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1_000)
        .try_into()
        .unwrap_or(u64::MAX)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Empty: `middleware::dress` knows who asked and fills it in.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status)
    }
}

/// What `templates/error.hbs` can show.
#[derive(Serialize)]
struct ErrorPage<'a> {
    status: u16,
    detail: &'a str,
    hint: Option<&'a str>,
    /// Signing in may help.
    sign_in: bool,
    typed: Option<&'a Typed>,
    again: bool,
}

impl View for ErrorPage<'_> {
    const TEMPLATE: &'static str = "error";

    fn title(&self) -> &str {
        self.detail.trim_end_matches('.')
    }

    fn section(&self) -> Option<Section> {
        None
    }
}

/// An error as RFC 9457 words it.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'static str>,
    request_id: &'a str,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("Too many people tried.")]
    struct Crowded;

    impl Explain for Crowded {
        fn kind(&self) -> Kind {
            Kind::TooMany
        }

        fn retry_after(&self) -> Option<Duration> {
            Some(Duration::from_millis(29_001))
        }
    }

    #[test]
    fn who_has_to_wait_is_told_for_how_long() {
        let answer = Failure::from(Crowded).problem("some-request");
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait = answer.headers().get(header::RETRY_AFTER);
        assert_eq!(wait.and_then(|wait| wait.to_str().ok()), Some("30"));
    }
}
