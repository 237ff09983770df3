//! What is known of every request: its id.

use actix_web::HttpMessage;
use uuid::Uuid;

/// The header in which a request id comes and goes.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// What a person quotes and an operator looks for in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// Takes over the id that a proxy gave, if it looks like one; otherwise makes one.
    pub(super) fn given_or_new(given: Option<&str>) -> Self {
        match given {
            Some(id) if looks_like_id(id) => Self(id.to_owned()),
            _ => Self(Uuid::now_v7().to_string()),
        }
    }

    /// The id of a request that has passed the middleware.
    pub(crate) fn of(request: &impl HttpMessage) -> Self {
        let known = request.extensions().get::<Self>().cloned();
        known.unwrap_or_else(|| Self::given_or_new(None))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn looks_like_id(text: &str) -> bool {
    (8..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_id_is_kept_only_if_it_looks_like_one() {
        for good in ["abcdefgh", "4bf92f35-77b3.4da6_a3", &"x".repeat(128)] {
            assert_eq!(RequestId::given_or_new(Some(good)).as_str(), good);
        }
        for bad in [
            "",
            "short",
            "has a space in it",
            "new\nline-in-it",
            "<script>alert",
            &"x".repeat(129),
        ] {
            assert_ne!(RequestId::given_or_new(Some(bad)).as_str(), bad);
        }
    }
}
