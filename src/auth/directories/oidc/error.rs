//! Why nobody came back from the provider.

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{IssuerUrl, RequestTokenError, StandardErrorResponse};
use sea_orm::DbErr;
use url::Url;

use super::http;
use super::token::Untrue;
use crate::db;
use crate::error::{Explain, Kind};

/// What a provider answers that does not take a code.
pub(super) type Refusal = StandardErrorResponse<CoreErrorResponseType>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why nobody came back from the provider.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "This sign-in was not begun in this browser, was ended already, or took more than ten minutes."
    )]
    Unbegun,
    #[error("The sign-in was broken off at the provider.")]
    BrokenOff,
    #[error("The provider did not let you sign in: it says “{0}”.")]
    Refused(String),
    #[error("The answer came from another provider than the one that was asked.")]
    OtherIssuer,
    #[error("The provider does not answer.")]
    Unanswered(#[source] Cause),
    #[error("The provider’s description of itself cannot be used.")]
    Undescribed(#[source] Cause),
    #[error("The provider did not accept this sign-in.")]
    Unaccepted(#[source] Cause),
    #[error("The provider’s answer is not to be trusted, and nobody was signed in.")]
    Untrue(#[source] Untrue),
    #[error("The provider’s answer does not fit together, and nobody was signed in.")]
    OtherToken(#[source] Untrue),
    #[error("The provider did not say who signed in.")]
    NoIdToken,
    #[error("The sign-in could not be carried out.")]
    Odd(#[source] Cause),
    #[error("What was kept of the sign-in cannot be read.")]
    Secrets(#[source] serde_json::Error),
    #[error("The sign-in could not be kept.")]
    Database(#[from] DbErr),
}

impl Error {
    /// What the provider put into the address: a word of a known list, or one that anybody may have written there.
    pub(super) fn refused(word: &str) -> Self {
        const KNOWN: [&str; 13] = [
            "account_selection_required",
            "consent_required",
            "interaction_required",
            "invalid_request",
            "invalid_request_object",
            "invalid_request_uri",
            "invalid_scope",
            "login_required",
            "server_error",
            "temporarily_unavailable",
            "unauthorized_client",
            "unmet_authentication_requirements",
            "unsupported_response_type",
        ];
        if word == "access_denied" {
            return Self::BrokenOff;
        }
        let known = KNOWN.into_iter().find(|known| *known == word);
        Self::Refused(known.unwrap_or("something unknown").replace('_', " "))
    }

    /// Tells whether a browser can bring this about by the address alone with which it comes back.
    pub(in crate::auth::directories) fn can_be_caused_by_anybody(&self) -> bool {
        matches!(
            self,
            Self::BrokenOff | Self::Refused(_) | Self::OtherIssuer | Self::Unaccepted(_)
        )
    }

    pub(super) fn from_exchange(cause: RequestTokenError<http::Error, Refusal>) -> Self {
        match cause {
            RequestTokenError::Request(cause) => Self::Unanswered(Box::new(cause)),
            RequestTokenError::ServerResponse(_) => Self::Unaccepted(Box::new(cause)),
            // Its text would repeat the tokens.
            RequestTokenError::Parse(cause, _) => {
                Unusable::Answer(format!("its answer at “{}”", cause.path())).into()
            }
            cause @ RequestTokenError::Other(_) => Self::Unanswered(Box::new(cause)),
        }
    }
}

/// What of the provider's answers cannot be used. Nothing of the answers is repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("{0} cannot be read")]
    Answer(String),
    #[error("it names itself “{told}”, and GAZETTEER_OIDC_ISSUER names it “{expected}”")]
    Issuer { expected: String, told: String },
    #[error("{place} answers with status {status}")]
    Status { place: String, status: u16 },
}

impl Unusable {
    pub(super) fn answer(what: &str) -> Self {
        Self::Answer(what.to_owned())
    }

    pub(super) fn issuer(expected: &IssuerUrl, told: Option<&str>) -> Self {
        Self::Issuer {
            expected: expected.as_str().to_owned(),
            told: told.unwrap_or_default().chars().take(200).collect(),
        }
    }

    /// Addresses can hold secrets behind the question mark.
    pub(super) fn status(url: &Url, status: u16) -> Self {
        let place = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
        Self::Status { place, status }
    }
}

impl From<Unusable> for Error {
    fn from(cause: Unusable) -> Self {
        Self::Undescribed(Box::new(cause))
    }
}

impl From<Untrue> for Error {
    fn from(cause: Untrue) -> Self {
        match cause {
            Untrue::OtherAccessToken => Self::OtherToken(cause),
            cause => Self::Untrue(cause),
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Unbegun
            | Self::BrokenOff
            | Self::Refused(_)
            | Self::OtherIssuer
            | Self::Unaccepted(_)
            | Self::Untrue(_)
            | Self::OtherToken(_)
            | Self::NoIdToken => Kind::Unauthenticated,
            Self::Unanswered(_) | Self::Undescribed(_) => Kind::Unavailable,
            Self::Odd(_) | Self::Secrets(_) => Kind::Internal,
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unbegun | Self::BrokenOff => "Begin again.",
            Self::Refused(_) | Self::Undescribed(_) | Self::NoIdToken | Self::Unaccepted(_) => {
                "Begin again; if it stays like this, ask whoever runs the catalog. An account with a password can sign in here."
            }
            Self::Unanswered(_) => {
                "Try it again in a moment. An account with a password can sign in here meanwhile."
            }
            Self::OtherIssuer | Self::Untrue(_) | Self::OtherToken(_) => {
                "Begin again; if it stays like this, tell whoever runs the catalog."
            }
            Self::Odd(_) | Self::Secrets(_) | Self::Database(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_address_is_repeated_only_if_it_is_a_known_word() {
        let told = |word: &str| Error::refused(word).to_string();

        assert_eq!(
            told("server_error"),
            "The provider did not let you sign in: it says “server error”."
        );
        assert_eq!(
            told("call 555-0100 now"),
            "The provider did not let you sign in: it says “something unknown”."
        );
        assert_eq!(
            told("access_denied"),
            "The sign-in was broken off at the provider."
        );
    }
}
