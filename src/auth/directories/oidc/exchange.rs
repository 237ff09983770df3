//! A code, exchanged for what the provider says of the person.

use std::sync::Arc;

use openidconnect::{AuthorizationCode, PkceCodeVerifier};
use tracing::warn;
use url::Url;

use super::client::Tokens;
use super::error::{Error, Unusable};
use super::http::Speaking;
use super::provider::{self, Description};
use super::token::{self, Claims, Expected, Untrue};
use super::{Oidc, Secrets, Trip, claims};
use crate::auth::directories::Assertion;
use crate::error::chain;

impl Oidc {
    /// Exchanges the code for what the provider says of the person.
    pub(super) async fn ask(
        &self,
        provider: &Arc<Description>,
        trip: &Trip<'_>,
        secrets: &Secrets,
        code: String,
    ) -> Result<Assertion, Error> {
        let callback = Url::parse(&secrets.callback).map_err(|_changed| Error::Unbegun)?;
        let http = self.http.for_request(trip.request);
        let tokens: Tokens = self
            .client(provider, &callback)
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(secrets.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(Error::from_exchange)?;
        let (mut claims, provider) = self.claims(provider, trip, secrets, &tokens).await?;
        if !claims::is_complete(&claims, &self.groups_claim)
            && let Some(userinfo) = &provider.userinfo
        {
            let more = self.ask_more(userinfo, &provider, &http, (&tokens, &claims));
            match more.await {
                Ok(more) => claims::add(&mut claims, more),
                // The signed token is enough to decide.
                Err(error @ (Error::Unanswered(_) | Error::Undescribed(_)))
                    if claims::has_groups(&claims, &self.groups_claim) =>
                {
                    warn!("the provider’s userinfo is left out: {}", chain(&error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.assertion(&claims))
    }

    /// Reads the ID token. Answers the description whose keys fit, too.
    async fn claims(
        &self,
        provider: &Arc<Description>,
        trip: &Trip<'_>,
        secrets: &Secrets,
        tokens: &Tokens,
    ) -> Result<(Claims, Arc<Description>), Error> {
        let token = tokens.id_token.as_deref().ok_or(Error::NoIdToken)?;
        let expected = Expected {
            issuer: self.issuer.as_str(),
            client: self.client_id.as_str(),
            nonce: &secrets.nonce,
            access_token: &tokens.access_token,
            now: trip.now,
        };
        match token::read(token, &provider.keys, &expected) {
            // The provider may have new keys since it was asked.
            Err(untrue) if untrue.is_about_keys() => {
                let provider = self.provider(trip, Some(provider)).await?;
                Ok((token::read(token, &provider.keys, &expected)?, provider))
            }
            read => Ok((read?, Arc::clone(provider))),
        }
    }

    /// Asks the provider for what the ID token does not say.
    async fn ask_more(
        &self,
        userinfo: &Url,
        provider: &Description,
        http: &Speaking<'_>,
        (tokens, known): (&Tokens, &Claims),
    ) -> Result<Claims, Error> {
        let token = tokens.access_token.secret();
        let answer = http.get(userinfo, Some(token)).await;
        let answer = answer.map_err(|cause| Error::Unanswered(Box::new(cause)))?;
        if !answer.status().is_success() {
            let cause = Unusable::status(userinfo, answer.status().as_u16());
            return Err(Error::Unanswered(Box::new(cause)));
        }
        let kind = answer.headers().get("content-type");
        let is_signed = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/jwt"));
        let more = if is_signed {
            let token = std::str::from_utf8(answer.body()).unwrap_or_default();
            token::read_more(token.trim(), &provider.keys)?
        } else {
            provider::object(&answer, "its userinfo")?
        };
        match (token::subject(&more), token::subject(known)) {
            (Some(told), Some(known)) if told == known => Ok(more),
            // It says nothing of anybody, and nothing of it may be used.
            (None, _) => Ok(Claims::new()),
            _ => Err(Untrue::OtherPerson.into()),
        }
    }
}
