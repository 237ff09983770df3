//! What a provider says of itself, read as leniently as its claims: what is not used is not looked at.

use openidconnect::core::CoreJsonWebKey;
use openidconnect::{AuthUrl, HttpResponse, IssuerUrl, JsonWebKeySet, TokenUrl};
use serde_json::Value;
use url::Url;

use super::error::{Error, Unusable};
use super::http::Speaking;
use super::token::{self, Claims};

/// What a provider says of itself.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) authorization: AuthUrl,
    pub(super) token: TokenUrl,
    pub(super) userinfo: Option<Url>,
    pub(super) keys: JsonWebKeySet<CoreJsonWebKey>,
    /// The client's secret goes into the body, because the provider does not read it from a header.
    pub(super) secret_in_body: bool,
    /// It promises to name itself in the address with which people come back (RFC 9207).
    pub(super) names_itself: bool,
}

impl Description {
    /// Asks the provider about itself and for its keys.
    pub(super) async fn read(issuer: &IssuerUrl, http: &Speaking<'_>) -> Result<Self, Error> {
        let place = issuer
            .join(".well-known/openid-configuration")
            .map_err(|cause| Error::Undescribed(Box::new(cause)))?;
        let said = object(&ask(http, &place).await?, "its description")?;
        match token::text(&said, "issuer") {
            Some(name) if name == issuer.as_str() => {}
            other => return Err(Unusable::issuer(issuer, other).into()),
        }
        let authorization = address(&said, "authorization_endpoint")?;
        let keys = ask(http, &address(&said, "jwks_uri")?).await?;
        Ok(Self {
            authorization: AuthUrl::from_url(authorization),
            token: TokenUrl::from_url(address(&said, "token_endpoint")?),
            userinfo: address(&said, "userinfo_endpoint").ok(),
            keys: serde_json::from_slice(keys.body())
                .map_err(|_unread| Unusable::answer("its keys"))?,
            secret_in_body: wants_secret_in_body(&said),
            names_itself: said
                .get("authorization_response_iss_parameter_supported")
                .is_some_and(|promise| promise == true || promise == "true"),
        })
    }
}

/// Reads an answer that has to be an object.
pub(super) fn object(answer: &HttpResponse, what: &'static str) -> Result<Claims, Unusable> {
    serde_json::from_slice(answer.body()).map_err(|_unread| Unusable::answer(what))
}

async fn ask(http: &Speaking<'_>, url: &Url) -> Result<HttpResponse, Error> {
    let answer = http.get(url, None).await;
    let answer = answer.map_err(|cause| Error::Unanswered(Box::new(cause)))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let cause = Box::new(Unusable::status(url, status.as_u16()));
    Err(if status.is_server_error() {
        Error::Unanswered(cause)
    } else {
        Error::Undescribed(cause)
    })
}

fn address(said: &Claims, name: &'static str) -> Result<Url, Unusable> {
    let url = token::text(said, name).and_then(|text| Url::parse(text).ok());
    url.ok_or_else(|| Unusable::answer(name))
}

/// Without a word of the provider the secret goes into a header.
fn wants_secret_in_body(said: &Claims) -> bool {
    let methods = said.get("token_endpoint_auth_methods_supported");
    let methods = methods.and_then(Value::as_array);
    methods.is_some_and(|methods| {
        let has = |word: &str| methods.iter().any(|method| method == word);
        has("client_secret_post") && !has("client_secret_basic")
    })
}
