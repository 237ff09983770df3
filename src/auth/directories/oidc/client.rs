//! The client as the library knows it: it makes addresses and exchanges codes, and `token` reads what comes back.

use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreGenderClaim, CoreIdToken, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AuthType, Client, ClientSecret, EmptyAdditionalClaims, EndpointNotSet,
    EndpointSet, JsonWebKeySet, OAuth2TokenResponse, RedirectUrl, RefreshToken, Scope,
    TokenResponse,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Oidc;
use super::error::Refusal;
use super::provider::Description;

impl Oidc {
    pub(super) fn client(&self, provider: &Description, callback: &Url) -> OurClient {
        let keys = JsonWebKeySet::default();
        let client = Client::new(self.client_id.clone(), self.issuer.clone(), keys)
            .set_auth_uri(provider.authorization.clone())
            .set_token_uri(provider.token.clone())
            .set_redirect_uri(RedirectUrl::from_url(callback.clone()));
        let client = match &self.secret {
            Some(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            None => client,
        };
        if provider.secret_in_body {
            client.set_auth_type(AuthType::RequestBody)
        } else {
            client
        }
    }
}

/// What the provider gives for a code. Neither the token's kind nor how long it lasts is used.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: AccessToken,
    pub(super) id_token: Option<String>,
}

impl OAuth2TokenResponse for Tokens {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &CoreTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// The library reads more of a token than is needed, and refuses what it does not understand: `token` reads it.
impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for Tokens
{
    fn id_token(&self) -> Option<&CoreIdToken> {
        None
    }
}

pub(super) type OurClient = Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    Refusal,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;
