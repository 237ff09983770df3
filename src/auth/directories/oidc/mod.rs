//! An OpenID Connect provider: authorisation code with PKCE, state and nonce.
//!
//! What a sign-in has to remember between going and coming back lies in the database under the digest of a secret that
//! only the browser has which began it, for ten minutes and one use. What the provider says of itself is asked for when
//! somebody signs in, and kept for an hour. Deliberately absent: cookies and redirects.

mod http;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
    CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AdditionalProviderMetadata, AuthType, AuthorizationCode,
    ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken, DiscoveryError,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims,
    IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
    UserInfoClaims, UserInfoError,
};
use sea_orm::DbErr;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::mapping::{self, Mapping};
use super::settings::{given, is_this_machine, need};
use super::{Assertion, store};
use crate::auth::{AccountId, secret};
use crate::config::{self, Problems};
use crate::db::{self, Db};
use crate::error::{Explain, Kind};

use http::Http;

/// How long somebody may take to sign in at the provider.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// How long what the provider says of itself is believed.
const FRESH: TimeDelta = TimeDelta::hours(1);

/// Which signatures count. Nothing unsigned, and nothing that whoever knows the client's secret could have made.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

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
    metadata: Arc<Metadata>,
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
        let metadata = self.metadata(&trip, None).await?;
        let client = self.client(&metadata, trip.callback)?;
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
        // Of equal digests nothing can be learned by measuring time.
        let state = answer.state.as_deref().unwrap_or_default();
        if secret::digest(state) != secret::digest(&secrets.state) {
            return Err(Error::Unbegun);
        }
        let metadata = self.metadata(&trip, None).await?;
        self.check_issuer(&metadata, answer.iss.as_deref())?;
        if let Some(word) = &answer.error {
            return Err(Error::refused(word));
        }
        let code = answer.code.clone().ok_or(Error::Unbegun)?;
        let assertion = self.ask(&metadata, &trip, &secrets, code).await?;
        Ok(Arrival {
            assertion,
            errand: secrets.errand,
            next: secrets.next,
        })
    }

    /// Another provider's answer must not be taken for this one's (RFC 9207).
    fn check_issuer(&self, metadata: &Metadata, told: Option<&str>) -> Result<(), Error> {
        let promised = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        match told {
            Some(issuer) if issuer != self.issuer.as_str() => Err(Error::OtherIssuer),
            None if promised => Err(Error::OtherIssuer),
            _ => Ok(()),
        }
    }

    /// Exchanges the code for what the provider says of the person.
    async fn ask(
        &self,
        metadata: &Arc<Metadata>,
        trip: &Trip<'_>,
        secrets: &Secrets,
        code: String,
    ) -> Result<Assertion, Error> {
        let callback = Url::parse(&secrets.callback).map_err(|_changed| Error::Unbegun)?;
        let client = self.client(metadata, &callback)?;
        let http = self.http.for_request(trip.request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|cause| Error::Odd(Box::new(cause)))?
            .set_pkce_verifier(PkceCodeVerifier::new(secrets.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(Error::from_exchange)?;
        let token = answer.id_token().ok_or(Error::NoIdToken)?;
        let nonce = Nonce::new(secrets.nonce.clone());
        let checked = token.claims(&self.verifier(metadata), &nonce);
        // The provider may have new keys since it was asked.
        let metadata = match &checked {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => self.metadata(trip, Some(metadata)).await?,
            _ => Arc::clone(metadata),
        };
        let verifier = self.verifier(&metadata);
        let claims = token.claims(&verifier, &nonce).map_err(Error::Untrue)?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(Error::untrue)?;
            let key = token.signing_key(&verifier).map_err(Error::untrue)?;
            let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key)
                .map_err(|cause| Error::Odd(Box::new(cause)))?;
            if actual != *expected {
                return Err(Error::OtherToken);
            }
        }
        let person = Claims::from_claims(claims);
        if person.is_complete(&self.groups_claim) || metadata.userinfo_endpoint().is_none() {
            return Ok(person.into_assertion(self));
        }
        let subject = claims.subject().clone();
        let more: UserInfoClaims<More, CoreGenderClaim> = client
            .user_info(answer.access_token().clone(), Some(subject))
            .map_err(|cause| Error::Odd(Box::new(cause)))?
            .request_async(&http)
            .await
            .map_err(Error::from_user_info)?;
        Ok(person.with(&more).into_assertion(self))
    }

    /// Verifies ID tokens of this provider: issuer, audience, end, signature.
    fn verifier(&self, metadata: &Metadata) -> IdTokenVerifier<'static, CoreJsonWebKey> {
        IdTokenVerifier::new_public_client(
            self.client_id.clone(),
            self.issuer.clone(),
            metadata.jwks().clone(),
        )
        .set_allowed_algs(SIGNATURES)
    }

    fn client(&self, metadata: &Metadata, callback: &Url) -> Result<OurClient, Error> {
        if metadata.token_endpoint().is_none() {
            return Err(Error::NoTokens);
        }
        let secret = self.secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let client =
            OurClient::from_provider_metadata(metadata.clone(), self.client_id.clone(), secret)
                .set_redirect_uri(RedirectUrl::from_url(callback.clone()));
        let methods = metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        Ok(if in_body {
            client.set_auth_type(AuthType::RequestBody)
        } else {
            client
        })
    }

    /// What the provider says of itself: asked for at most once an hour, or when `stale` lacks a key.
    async fn metadata(
        &self,
        trip: &Trip<'_>,
        stale: Option<&Arc<Metadata>>,
    ) -> Result<Arc<Metadata>, Error> {
        let mut known = self.known.lock().await;
        if let Some(known) = &*known {
            let is_newer = stale.is_none_or(|stale| !Arc::ptr_eq(stale, &known.metadata));
            if trip.now - known.at < FRESH && is_newer {
                return Ok(Arc::clone(&known.metadata));
            }
        }
        let http = self.http.for_request(trip.request);
        let metadata = Metadata::discover_async(self.issuer.clone(), &http)
            .await
            .map_err(Error::from_discovery)?;
        let metadata = Arc::new(metadata);
        *known = Some(Known {
            metadata: Arc::clone(&metadata),
            at: trip.now,
        });
        Ok(metadata)
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

/// What the provider claims of a person.
struct Claims {
    subject: String,
    user_name: Option<String>,
    email: Option<String>,
    full_name: Option<String>,
    more: BTreeMap<String, Value>,
}

impl Claims {
    fn from_claims(claims: &IdTokenClaims<More, CoreGenderClaim>) -> Self {
        let full_name = claims.name().and_then(|name| name.get(None));
        Self {
            subject: claims.subject().to_string(),
            user_name: claims.preferred_username().map(|name| name.to_string()),
            email: claims.email().map(|email| email.to_string()),
            full_name: full_name.map(|name| name.to_string()),
            more: claims.additional_claims().0.clone(),
        }
    }

    /// Tells whether there is nothing left to ask for.
    fn is_complete(&self, groups_claim: &str) -> bool {
        self.user_name.is_some()
            && self.full_name.is_some()
            && find_claim(&self.more, groups_claim).is_some()
    }

    /// Adds what the signed token did not say.
    fn with(mut self, more: &UserInfoClaims<More, CoreGenderClaim>) -> Self {
        let user_name = || more.preferred_username().map(|name| name.to_string());
        self.user_name = self.user_name.or_else(user_name);
        self.email = self
            .email
            .or_else(|| more.email().map(|email| email.to_string()));
        let full_name = || more.name().and_then(|name| name.get(None));
        self.full_name = self
            .full_name
            .or_else(|| full_name().map(|name| name.to_string()));
        for (claim, value) in &more.additional_claims().0 {
            let entry = self.more.entry(claim.clone());
            entry.or_insert_with(|| value.clone());
        }
        self
    }

    fn into_assertion(self, oidc: &Oidc) -> Assertion {
        let groups = find_claim(&self.more, &oidc.groups_claim).map(groups_in);
        let names = [self.user_name, self.email, Some(self.subject.clone())];
        let is_name = |name: &String| !name.trim().is_empty();
        let person = mapping::Person {
            name: names
                .into_iter()
                .flatten()
                .find(is_name)
                .unwrap_or_default(),
            subject: self.subject,
            display_name: self.full_name.filter(is_name),
            groups: groups.unwrap_or_default(),
        };
        oidc.mapping.assertion(oidc.issuer.as_str(), person)
    }
}

/// A claim by its name, or by the names on the way to it.
fn find_claim<'c>(claims: &'c BTreeMap<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(claim) = claims.get(name) {
        return Some(claim);
    }
    let (first, rest) = name.split_once('.')?;
    let mut claim = claims.get(first)?;
    for part in rest.split('.') {
        claim = claim.get(part)?;
    }
    Some(claim)
}

/// Groups come as a list, or alone.
fn groups_in(claim: &Value) -> BTreeSet<String> {
    let list = match claim {
        Value::Array(list) => list.as_slice(),
        alone => std::slice::from_ref(alone),
    };
    let names = list.iter().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
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

/// Claims that no standard names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct More(BTreeMap<String, Value>);

impl AdditionalClaims for More {}

/// What providers say of themselves that the library does not read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Extensions {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extensions {}

type Metadata = ProviderMetadata<
    Extensions,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Tokens = StandardTokenResponse<
    IdTokenFields<
        More,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type OurClient = Client<
    More,
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
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type Refusal = StandardErrorResponse<CoreErrorResponseType>;

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
    Untrue(#[source] ClaimsVerificationError),
    #[error("The provider’s answer does not fit together, and nobody was signed in.")]
    OtherToken,
    #[error("The provider did not say who signed in.")]
    NoIdToken,
    #[error("The provider gives no tokens.")]
    NoTokens,
    #[error("The sign-in could not be carried out.")]
    Odd(#[source] Cause),
    #[error("What was kept of the sign-in cannot be read.")]
    Secrets(#[source] serde_json::Error),
    #[error("The sign-in could not be kept.")]
    Database(#[from] DbErr),
}

impl Error {
    /// What the provider put into the address: a word of a known list, or one that anybody may have written there.
    fn refused(word: &str) -> Self {
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

    fn untrue(cause: SignatureVerificationError) -> Self {
        Self::Untrue(ClaimsVerificationError::SignatureVerification(cause))
    }

    fn from_discovery(cause: DiscoveryError<http::Error>) -> Self {
        match cause {
            DiscoveryError::Request(cause) => Self::Unanswered(Box::new(cause)),
            DiscoveryError::Response(status, ..) if status.is_server_error() => {
                Self::Unanswered(Box::new(cause))
            }
            cause => Self::Undescribed(Box::new(cause)),
        }
    }

    fn from_user_info(cause: UserInfoError<http::Error>) -> Self {
        match cause {
            UserInfoError::ClaimsVerification(cause) => Self::Untrue(cause),
            // Its text would repeat what the provider knows of the person.
            UserInfoError::Parse(cause) => {
                Self::Undescribed(Box::new(Unreadable(cause.path().to_string())))
            }
            UserInfoError::Response(status, ..) => {
                Self::Unanswered(Box::new(Unreadable(status.to_string())))
            }
            cause => Self::Unanswered(Box::new(cause)),
        }
    }

    fn from_exchange(cause: RequestTokenError<http::Error, Refusal>) -> Self {
        match cause {
            RequestTokenError::Request(cause) => Self::Unanswered(Box::new(cause)),
            RequestTokenError::ServerResponse(_) => Self::Unaccepted(Box::new(cause)),
            // Its text would repeat the tokens.
            RequestTokenError::Parse(cause, _) => {
                Self::Undescribed(Box::new(Unreadable(cause.path().to_string())))
            }
            cause @ RequestTokenError::Other(_) => Self::Unanswered(Box::new(cause)),
        }
    }
}

/// Where an answer could not be read.
#[derive(Debug)]
struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its answer cannot be read at “{}”", self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Unbegun
            | Self::BrokenOff
            | Self::Refused(_)
            | Self::OtherIssuer
            | Self::Unaccepted(_)
            | Self::Untrue(_)
            | Self::OtherToken
            | Self::NoIdToken => Kind::Unauthenticated,
            Self::Unanswered(_) | Self::Undescribed(_) | Self::NoTokens => Kind::Unavailable,
            Self::Odd(_) | Self::Secrets(_) => Kind::Internal,
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unbegun | Self::BrokenOff => "Begin again.",
            Self::Refused(_)
            | Self::Undescribed(_)
            | Self::NoTokens
            | Self::NoIdToken
            | Self::Unaccepted(_) => {
                "Begin again; if it stays like this, ask whoever runs the catalog. An account with a password can sign in here."
            }
            Self::Unanswered(_) => {
                "Try it again in a moment. An account with a password can sign in here meanwhile."
            }
            Self::OtherIssuer | Self::Untrue(_) | Self::OtherToken => {
                "Begin again; if it stays like this, tell whoever runs the catalog."
            }
            Self::Odd(_) | Self::Secrets(_) | Self::Database(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    #[test]
    fn groups_are_found_by_name_or_by_the_way_to_them() {
        let claims = json!({
            "groups": ["a", 1, "b"],
            "role": "one",
            "https://example.org/groups": ["c"],
            "realm_access": {"roles": ["d"]},
        });
        let claims: BTreeMap<String, Value> = serde_json::from_value(claims).unwrap();
        let groups = |name: &str| -> Option<Vec<String>> {
            let found = find_claim(&claims, name)?;
            Some(groups_in(found).into_iter().collect())
        };

        assert_eq!(groups("groups").unwrap(), ["a", "b"]);
        assert_eq!(groups("role").unwrap(), ["one"]);
        assert_eq!(groups("https://example.org/groups").unwrap(), ["c"]);
        assert_eq!(groups("realm_access.roles").unwrap(), ["d"]);
        assert_eq!(groups("realm_access.groups"), None);
        assert_eq!(groups("elsewhere"), None);
    }

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
