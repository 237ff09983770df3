//! What is known of every request: its id.

use std::sync::Arc;

use actix_web::HttpMessage;
use actix_web::http::header::{HeaderMap, HeaderName};

use crate::telemetry::request;

/// The headers in which an id comes, the usual one first.
const HEADERS: [&str; 3] = [request::HEADER, "correlation-id", "x-correlation-id"];

/// What a person quotes and an operator looks for in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// Takes over the id that a proxy or a program gave, if it looks like one; otherwise makes one.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let given = HEADERS
            .iter()
            .filter_map(|name| headers.get(*name)?.to_str().ok());
        let good = given
            .map(str::trim)
            .find(|given| request::looks_like_id(given));
        Self(good.map_or_else(request::fresh, Arc::from))
    }

    /// The id of a request that has passed the middleware.
    pub(crate) fn of(request: &impl HttpMessage) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| Self(request::fresh()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Tells the client, too.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        if let Ok(id) = self.as_str().parse() {
            headers.insert(HeaderName::from_static(request::HEADER), id);
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn the_first_header_that_holds_an_id_is_taken_over() {
        let taken = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, text)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(text),
                )
            });
            RequestId::of_headers(&pairs.collect()).as_str().to_owned()
        };
        assert_eq!(
            taken(&[("x-request-id", "from-the-proxy.1")]),
            "from-the-proxy.1"
        );
        assert_eq!(
            taken(&[("correlation-id", "from-a-program")]),
            "from-a-program"
        );
        assert_eq!(
            taken(&[("x-correlation-id", "from-another-one")]),
            "from-another-one"
        );
        let both = [
            ("x-request-id", "<script>alert"),
            ("correlation-id", "from-a-program"),
        ];
        assert_eq!(taken(&both), "from-a-program");
        assert_eq!(taken(&[("x-request-id", "short")]).len(), 36);
        assert_ne!(taken(&[]), taken(&[]));
    }
}
