//! Signed tokens: whether the provider made them for this catalog and this sign-in.
//!
//! Claims are read as JSON, and only those that are needed here: whatever type the others have, nobody is kept out by
//! them. The steps are those of OpenID Connect Core 1.0, section 3.1.3.7.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeySet, JsonWebKeyUse,
    JwsSigningAlgorithm as _,
};
use serde_json::{Map, Value};

use crate::auth::secret;

/// What a provider claims of a person.
pub(super) type Claims = Map<String, Value>;

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

/// How far the provider's clock may be behind.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What a token of this sign-in has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: &'a AccessToken,
    pub(super) now: DateTime<Utc>,
}

/// A token whose signature was found good.
struct Signed<'k> {
    claims: Claims,
    algorithm: CoreJwsSigningAlgorithm,
    key: &'k CoreJsonWebKey,
}

/// Reads an ID token, once it is certain that the provider made it for this catalog and this sign-in.
pub(super) fn read(
    token: &str,
    keys: &JsonWebKeySet<CoreJsonWebKey>,
    expected: &Expected<'_>,
) -> Result<Claims, Untrue> {
    let signed = check_signature(token, keys)?;
    let claims = &signed.claims;
    check_parties(claims, expected.issuer, expected.client)?;
    let ends_at = claims.get("exp").and_then(seconds).ok_or(Untrue::Ended)?;
    if ends_at <= (expected.now - LEEWAY).timestamp() {
        return Err(Untrue::Ended);
    }
    if !text(claims, "nonce").is_some_and(|nonce| secret::is_same(nonce, expected.nonce)) {
        return Err(Untrue::OtherSignIn);
    }
    if subject(claims).is_none() {
        return Err(Untrue::Nobody);
    }
    check_access_token(&signed, expected.access_token)?;
    Ok(signed.claims)
}

/// Reads what a provider signed when it was asked for more about a person.
pub(super) fn read_more(
    token: &str,
    keys: &JsonWebKeySet<CoreJsonWebKey>,
) -> Result<Claims, Untrue> {
    Ok(check_signature(token, keys)?.claims)
}

/// Reads the claims of a token without asking who made it, to show what they would mean.
pub(super) fn peek(token: &str) -> Option<Claims> {
    let payload = match token.split('.').collect::<Vec<_>>().as_slice() {
        [_, payload, _] | [payload] => decode(payload)?,
        _ => return None,
    };
    serde_json::from_slice(&payload).ok()
}

/// Who a token is about; some providers write numbers.
pub(super) fn subject(claims: &Claims) -> Option<String> {
    match claims.get("sub")? {
        Value::String(subject) if !subject.is_empty() => Some(subject.clone()),
        Value::Number(subject) => Some(subject.to_string()),
        _ => None,
    }
}

fn check_signature<'k>(
    token: &str,
    keys: &'k JsonWebKeySet<CoreJsonWebKey>,
) -> Result<Signed<'k>, Untrue> {
    let (message, signature) = token.rsplit_once('.').ok_or(Untrue::NoToken)?;
    let (header, payload) = message.split_once('.').ok_or(Untrue::NoToken)?;
    let header = decode(header).and_then(|header| serde_json::from_slice::<Claims>(&header).ok());
    let header = header.ok_or(Untrue::NoToken)?;
    let payload = decode(payload).ok_or(Untrue::NoToken)?;
    let signature = decode(signature).ok_or(Untrue::NoToken)?;
    let algorithm = algorithm(&header)?;
    let mut fitting = keys
        .keys()
        .iter()
        .filter(|key| fits(key, &header, &algorithm))
        .peekable();
    if fitting.peek().is_none() {
        return Err(Untrue::NoKey);
    }
    let key = fitting.find(|key| {
        let verified = key.verify_signature(&algorithm, message.as_bytes(), &signature);
        verified.is_ok()
    });
    Ok(Signed {
        key: key.ok_or(Untrue::BadSignature)?,
        claims: serde_json::from_slice(&payload).map_err(|_unread| Untrue::NoToken)?,
        algorithm,
    })
}

/// The algorithm that a header names, if it is one that counts and the token is no other kind of token.
fn algorithm(header: &Claims) -> Result<CoreJwsSigningAlgorithm, Untrue> {
    let kind = text(header, "typ").unwrap_or("jwt").to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    let is_known = matches!(kind, "jwt" | "jose");
    // What “crit” names must be understood, and “cty” says that there is another token inside.
    if !is_known || header.contains_key("crit") || header.contains_key("cty") {
        return Err(Untrue::OtherToken);
    }
    let word = header.get("alg").cloned().unwrap_or_default();
    let algorithm: Option<CoreJwsSigningAlgorithm> = serde_json::from_value(word).ok();
    algorithm
        .filter(|algorithm| SIGNATURES.contains(algorithm))
        .ok_or(Untrue::Algorithm)
}

/// Tells whether a key may have signed; the header is only a hint, the signature decides.
fn fits(key: &CoreJsonWebKey, header: &Claims, algorithm: &CoreJwsSigningAlgorithm) -> bool {
    let is_meant = match (text(header, "kid"), key.key_id()) {
        (Some(wanted), Some(id)) => id.as_str() == wanted,
        _ => true,
    };
    let is_for_signing = key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
    let is_for_this = match key.signing_alg() {
        JsonWebKeyAlgorithm::Unspecified => true,
        JsonWebKeyAlgorithm::Unsupported => false,
        JsonWebKeyAlgorithm::Algorithm(only) => only == algorithm,
    };
    let is_of_kind = algorithm.key_type().as_ref() == Some(key.key_type());
    is_meant && is_for_signing && is_for_this && is_of_kind
}

/// Other audiences may stand beside this catalog, if the party that asked for the token is this catalog.
///
/// Where no party is named, it is this catalog too: the token came over TLS in exchange for its own code.
fn check_parties(claims: &Claims, issuer: &str, client: &str) -> Result<(), Untrue> {
    if text(claims, "iss") != Some(issuer) {
        return Err(Untrue::OtherIssuer);
    }
    let is_audience = match claims.get("aud") {
        Some(Value::String(audience)) => audience == client,
        Some(Value::Array(audiences)) => audiences.iter().any(|one| one == client),
        _ => false,
    };
    if !is_audience {
        return Err(Untrue::OtherAudience);
    }
    match claims.get("azp") {
        None | Some(Value::Null) => Ok(()),
        Some(party) if party == client => Ok(()),
        Some(_) => Err(Untrue::OtherParty),
    }
}

fn check_access_token(signed: &Signed<'_>, access_token: &AccessToken) -> Result<(), Untrue> {
    let told = match signed.claims.get("at_hash") {
        None | Some(Value::Null) => return Ok(()),
        Some(told) => told,
    };
    let actual = AccessTokenHash::from_token(access_token, &signed.algorithm, signed.key)
        .map_err(|_unhashed| Untrue::OtherAccessToken)?;
    if told == actual.as_str() {
        Ok(())
    } else {
        Err(Untrue::OtherAccessToken)
    }
}

/// A claim that is a text.
pub(super) fn text<'c>(claims: &'c Claims, name: &str) -> Option<&'c str> {
    claims.get(name)?.as_str()
}

/// A time, which some providers write with fractions or as text.
fn seconds(time: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole seconds are enough, and `as` keeps within the bounds"
    )]
    match time {
        Value::Number(number) => number.as_i64().or_else(|| Some(number.as_f64()? as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrue {
    #[error("it is no signed token")]
    NoToken,
    #[error("it is another kind of token than one about a person")]
    OtherToken,
    #[error("it is not signed, or not in a way that counts here")]
    Algorithm,
    #[error("the provider names no key that could have signed it")]
    NoKey,
    #[error("its signature is not by the provider’s keys")]
    BadSignature,
    #[error("its issuer (iss) is another one than the provider’s own name")]
    OtherIssuer,
    #[error("it is for another client: its audience (aud) does not hold GAZETTEER_OIDC_CLIENT_ID")]
    OtherAudience,
    #[error(
        "another client asked for it: its authorised party (azp) is not GAZETTEER_OIDC_CLIENT_ID"
    )]
    OtherParty,
    #[error("it has ended, or the clocks differ by more than a minute (exp)")]
    Ended,
    #[error("it belongs to another sign-in (nonce)")]
    OtherSignIn,
    #[error("it does not say who it is about (sub)")]
    Nobody,
    #[error("it belongs to another access token (at_hash)")]
    OtherAccessToken,
    #[error("the provider’s userinfo is about somebody else (sub)")]
    OtherPerson,
}

impl Untrue {
    /// Whether the provider may have new keys since it was asked.
    pub(super) fn is_about_keys(self) -> bool {
        matches!(self, Self::NoKey | Self::BadSignature)
    }
}
