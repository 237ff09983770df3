//! An OpenID Connect provider: authorisation code with PKCE, state and nonce.
//!
//! What a sign-in has to remember between going and coming back lies in the database under the digest of a secret that
//! only the browser has which began it, for ten minutes and one use. What the provider says of itself is asked for when
//! somebody signs in, and kept for an hour. Deliberately absent: cookies and redirects.

mod claims;
mod client;
mod error;
mod exchange;
mod http;
mod provider;
mod token;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{ClientId, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, Scope};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::Url;

use super::mapping::Mapping;
use super::settings::{given, is_this_machine, need};
use super::{Assertion, store};
use crate::auth::{AccountId, secret};
use crate::config::{self, Problems};
use crate::db::Db;

use http::Http;
use provider::Description;
use token::Claims;

pub use error::Error;
pub use token::Untrue;

/// How long somebody may take to sign in at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// How long what the provider says of itself is believed.
const FRESH: TimeDelta = TimeDelta::hours(1);

/// An OpenID Connect provider, and what its claims mean.
#[derive(Debug)]
pub struct Oidc {
    issuer: IssuerUrl,
    client_id: ClientId,
    secret: Option<SecretString>,
    name: String,
    scopes: Vec<Scope>,
    groups_claim: String,
    mapping: Mapping,
    http: Http,
    /// What the provider said of itself, and when; whoever asks holds the lock, so that others need not.
    known: Mutex<Option<Known>>,
}

/// What somebody wants of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// To sign in.
    SignIn,
    /// To sign in to this account this way too, from now on.
    Link(AccountId),
}

/// Where to send a browser, and what it has to keep.
#[derive(Debug)]
pub struct Departure {
    pub address: Url,
    /// For that browser alone.
    pub secret: SecretString,
}

/// What came back from the provider in the address.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub code: Option<String>,
    pub state: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
}

/// Somebody who came back.
#[derive(Debug)]
pub struct Arrival {
    pub assertion: Assertion,
    pub errand: Errand,
    /// Where they wanted to go, as they said it.
    pub next: Option<String>,
}

/// What a sign-in has to remember.
#[derive(Serialize, Deserialize)]
struct Secrets {
    state: String,
    nonce: String,
    verifier: String,
    callback: String,
    errand: Errand,
    next: Option<String>,
}

#[derive(Debug, Clone)]
struct Known {
    provider: Arc<Description>,
    at: DateTime<Utc>,
}

impl Oidc {
    /// Reads the settings; nothing when there are none.
    pub(super) fn new(settings: &config::Oidc, problems: &mut Problems) -> Option<Self> {
        let issuer = given(settings.issuer.as_ref())?;
        let url = read_issuer(&issuer, problems);
        let what = "it says what the provider knows this catalog as";
        let client_id = need(
            settings.client_id.as_ref(),
            "GAZETTEER_OIDC_CLIENT_ID",
            what,
            problems,
        );
        let mapping = Mapping::read(
            settings.roles.as_ref(),
            settings.teams.as_ref(),
            "GAZETTEER_OIDC",
            problems,
        );
        let (url, client_id) = (url?, client_id?);
        let host = url.url().host_str().unwrap_or("the provider").to_owned();
        let scopes = given(settings.scopes.as_ref());
        let scopes = scopes.as_deref().unwrap_or("openid profile");
        let scopes = scopes.split([' ', ',']).filter(|word| !word.is_empty());
        let secret = settings.client_secret.clone();
        Some(Self {
            issuer: url,
            client_id: ClientId::new(client_id),
            secret: secret.filter(|secret| !secret.expose_secret().is_empty()),
            name: given(settings.name.as_ref()).unwrap_or(host),
            // The library asks for “openid” by itself.
            scopes: scopes
                .filter(|word| *word != "openid")
                .map(|word| Scope::new(word.to_owned()))
                .collect(),
            groups_claim: given(settings.groups_claim.as_ref())
                .unwrap_or_else(|| "groups".to_owned()),
            mapping,
            http: Http::new(problems)?,
            known: Mutex::default(),
        })
    }

    /// What people call the provider.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who speaks in the assertions.
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Begins a sign-in, which comes back to `callback`.
    pub async fn begin(
        &self,
        db: &Db,
        trip: Trip<'_>,
        errand: Errand,
        next: Option<String>,
    ) -> Result<Departure, Error> {
        let provider = self.provider(&trip, None).await?;
        let client = self.client(&provider, trip.callback);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(challenge);
        if let Errand::Link(_) = errand {
            // Whoever sits at the provider's session need not be who sits at ours.
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (address, state, nonce) = request.url();
        let secrets = Secrets {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            callback: trip.callback.to_string(),
            errand,
            next,
        };
        let secret = secret::new("");
        let secrets = serde_json::to_string(&secrets).expect("secrets are plain text");
        let txn = db.write().await?;
        store::remember(
            &*txn,
            &secret::digest(secret.expose_secret()),
            secrets,
            trip.now - PATIENCE,
            trip.now,
        )
        .await?;
        txn.commit().await?;
        Ok(Departure { address, secret })
    }

    /// Ends a sign-in that `secret`'s browser began. Whatever comes of it, it cannot be tried again.
    pub async fn finish(
        &self,
        db: &Db,
        trip: Trip<'_>,
        secret: &str,
        answer: &Answer,
    ) -> Result<Arrival, Error> {
        let txn = db.write().await?;
        let taken = store::take(&*txn, &secret::digest(secret), trip.now - PATIENCE).await?;
        txn.commit().await?;
        let secrets = taken.ok_or(Error::Unbegun)?;
        let secrets: Secrets = serde_json::from_str(&secrets).map_err(Error::Secrets)?;
        let state = answer.state.as_deref().unwrap_or_default();
        if !secret::is_same(state, &secrets.state) {
            return Err(Error::Unbegun);
        }
        let provider = self.provider(&trip, None).await?;
        self.check_issuer(&provider, answer.iss.as_deref())?;
        if let Some(word) = &answer.error {
            return Err(Error::refused(word));
        }
        let code = answer.code.clone().ok_or(Error::Unbegun)?;
        let assertion = self.ask(&provider, &trip, &secrets, code).await?;
        Ok(Arrival {
            assertion,
            errand: secrets.errand,
            next: secrets.next,
        })
    }

    /// Another provider's answer must not be taken for this one's (RFC 9207).
    fn check_issuer(&self, provider: &Description, told: Option<&str>) -> Result<(), Error> {
        match told {
            Some(issuer) if issuer != self.issuer.as_str() => Err(Error::OtherIssuer),
            None if provider.names_itself => Err(Error::OtherIssuer),
            _ => Ok(()),
        }
    }

    fn assertion(&self, claims: &Claims) -> Assertion {
        let person = claims::read(claims, &self.groups_claim, &self.mapping);
        self.mapping.assertion(self.issuer.as_str(), person)
    }

    /// Says what claims would mean that somebody wrote down: a JSON object, or a token, which nobody has to have signed.
    pub fn would_mean(&self, text: &str) -> Option<Assertion> {
        let text = text.trim();
        let claims = serde_json::from_str(text).ok();
        let claims = claims.or_else(|| token::peek(text))?;
        Some(self.assertion(&claims))
    }

    /// Tells whether the provider answers and can be used.
    pub async fn probe(&self) -> Result<(), Error> {
        let http = self.http.for_request("");
        Description::read(&self.issuer, &http).await.map(drop)
    }

    /// What the provider says of itself: asked for at most once an hour, or when `stale` lacks a key.
    async fn provider(
        &self,
        trip: &Trip<'_>,
        stale: Option<&Arc<Description>>,
    ) -> Result<Arc<Description>, Error> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            let is_newer = stale.is_none_or(|stale| !Arc::ptr_eq(stale, &known.provider));
            if trip.now - known.at < FRESH && is_newer {
                return Ok(Arc::clone(&known.provider));
            }
        }
        let http = self.http.for_request(trip.request);
        let provider = Arc::new(Description::read(&self.issuer, &http).await?);
        *known = Some(Known {
            provider: Arc::clone(&provider),
            at: trip.now,
        });
        Ok(provider)
    }
}

/// What belongs to one way to the provider or back.
#[derive(Debug, Clone, Copy)]
pub struct Trip<'a> {
    /// The address here to which the provider sends people back.
    pub callback: &'a Url,
    /// The id of the request, for the provider's log.
    pub request: &'a str,
    pub now: DateTime<Utc>,
}

fn read_issuer(text: &str, problems: &mut Problems) -> Option<IssuerUrl> {
    let Ok(issuer) = IssuerUrl::new(text.to_owned()) else {
        problems.note(format!(
            "GAZETTEER_OIDC_ISSUER is an address that begins with “https://”, not “{text}”."
        ));
        return None;
    };
    if !is_safe(issuer.url()) {
        problems.note(
            "GAZETTEER_OIDC_ISSUER begins with “https://”, unless it is on this machine: who people are must not \
             be told in the open.",
        );
    }
    Some(issuer)
}

/// Tells whether nobody can listen in on the way there.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(issuer: &str) -> config::Oidc {
        config::Oidc {
            issuer: Some(issuer.to_owned()),
            client_id: Some("gazetteer".to_owned()),
            roles: Some("*=reader".to_owned()),
            ..config::Oidc::default()
        }
    }

    fn problems(settings: &config::Oidc) -> Problems {
        let mut problems = Problems::default();
        drop(Oidc::new(settings, &mut problems));
        problems
    }

    #[test]
    fn the_provider_is_spoken_to_in_private() {
        for safe in [
            "https://login.example",
            "http://127.0.0.1:3000",
            "http://[::1]:3000/realm",
            "http://localhost",
        ] {
            assert_eq!(problems(&settings(safe)), Problems::default(), "{safe}");
        }
        for open in [
            "http://login.example",
            "http://127.0.0.1.example",
            "ftp://localhost",
            "login.example",
        ] {
            assert_ne!(problems(&settings(open)), Problems::default(), "{open}");
        }
    }

    #[test]
    fn no_issuer_is_no_provider_and_an_issuer_alone_is_not_enough() {
        let nothing = config::Oidc {
            issuer: Some(" ".to_owned()),
            ..config::Oidc::default()
        };
        assert_eq!(problems(&nothing), Problems::default());

        let alone = config::Oidc {
            issuer: Some("login.example".to_owned()),
            ..config::Oidc::default()
        };
        insta::assert_snapshot!(problems(&alone), @"
        3 settings need a look.
          GAZETTEER_OIDC_ISSUER is an address that begins with “https://”, not “login.example”.
          GAZETTEER_OIDC_CLIENT_ID is missing: it says what the provider knows this catalog as.
          GAZETTEER_OIDC_ROLES is missing: it says who may come in, such as “catalog-admins=admin,*=reader”.
        ");
    }
}
