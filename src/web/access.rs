//! Who gets in: what a request says of who sent it, and what its route asks for.
//!
//! A cookie or a token is looked up before the handler runs, so that a role, a lock or an ended session counts with the
//! next request. Deliberately absent: what a role may do. `auth::permission` alone knows.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::client::Client;
use super::failure::Failure;
use super::links;
use super::request::RequestId;
use super::routes::{self, Entry};
use crate::auth::directories::Directories;
use crate::auth::sessions::{Begun, Lifetimes, Origin, SignedIn};
use crate::auth::{self, AccountId, Actor, Passwords, sessions, tokens};
use crate::catalog::AssetId;
use crate::db::Db;

/// How people get in.
#[derive(Debug, Clone)]
pub struct Access {
    pub passwords: Passwords,
    /// Who else knows people.
    pub directories: Directories,
    pub lifetimes: Lifetimes,
    /// Whether everybody may read.
    pub anonymous_read: bool,
    /// The demo, whose buttons sign its steward or admin in; for this machine alone.
    pub demo: Option<Demo>,
}

/// What the demo has beside a catalog.
#[derive(Debug, Clone, Default)]
pub struct Demo {
    /// A description that its steward began before somebody else saved another one.
    pub unfinished: Option<Unfinished>,
}

/// A description that was begun and not saved.
#[derive(Debug, Clone)]
pub struct Unfinished {
    pub asset: AssetId,
    /// The version that it was begun from.
    pub version: i32,
    pub text: String,
    pub at: DateTime<Utc>,
}

/// How long a browser may take at a provider.
const HANDSHAKE: time::Duration = time::Duration::minutes(10);

/// Who asks, as the cookie or the token of a request says.
#[derive(Debug, Clone)]
struct Asking {
    actor: Actor,
    signed_in: Option<Arc<SignedIn>>,
}

impl Asking {
    async fn find(request: &ServiceRequest) -> Result<Self, Failure> {
        let access = of_app::<Access>(request.request());
        let db = of_app::<Db>(request.request());
        let id = RequestId::of(request.request());
        if let Some(secret) = bearer(request.headers()) {
            let actor = tokens::find_actor(db, secret, Utc::now()).await?;
            let actor = actor.ok_or_else(Failure::bad_token)?;
            return Ok(Self {
                actor: actor.in_request(id.as_str()),
                signed_in: None,
            });
        }
        let signed_in = match request.cookie(cookie_name(is_secure(request.request()))) {
            Some(cookie) => find_signed_in(db, access, cookie.value()).await?,
            None => None,
        };
        let actor = match &signed_in {
            Some(signed_in) => signed_in.actor.clone(),
            None => Actor::visitor(access.anonymous_read),
        };
        let actor = actor.in_request(id.as_str());
        let signed_in = signed_in.map(|signed_in| {
            let actor = actor.clone();
            Arc::new(SignedIn { actor, ..signed_in })
        });
        Ok(Self { actor, signed_in })
    }
}

async fn find_signed_in(
    db: &Db,
    access: &Access,
    secret: &str,
) -> Result<Option<SignedIn>, auth::Error> {
    sessions::find_signed_in(db, secret, access.lifetimes, Utc::now()).await
}

/// Finds out who asks, and refuses unless the route is open to them.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let entry = request
        .app_data::<super::routes::Entries>()
        .map_or(Entry::Everybody, |entries| entries.of(request.method()));
    if entry == Entry::Everybody {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let asking = match Asking::find(&request).await {
        Ok(asking) => asking,
        Err(failure) => return Ok(request.error_response(failure)),
    };
    let refused = match entry {
        Entry::With(permission) => asking.actor.require(permission).err(),
        Entry::Everybody | Entry::Anybody => None,
    };
    request.extensions_mut().insert(asking);
    match refused {
        None => Ok(next.call(request).await?.map_into_boxed_body()),
        Some(denied) if denied.nobody && wants_page(&request) => {
            let response = to_sign_in(&request);
            Ok(request.into_response(response))
        }
        Some(denied) => Ok(request.error_response(Failure::from(denied))),
    }
}

/// Tells whether a browser wants to show a whole page, so that it can be led to sign in first. A feed reader cannot.
fn wants_page(request: &ServiceRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && !request.path().starts_with("/api/")
        && request.path() != "/changes.atom"
        && bearer(request.headers()).is_none()
}

fn to_sign_in(request: &ServiceRequest) -> HttpResponse {
    let is_part = super::view::is_in_place(request.request());
    let here = match request.headers().get("hx-current-url") {
        Some(url) if is_part => path_of(url),
        _ => links::here(request.uri()),
    };
    let target = links::sign_in(&here);
    if is_part {
        // htmx follows redirects by itself and would put the sign-in page into a part of this one.
        return HttpResponse::build(StatusCode::UNAUTHORIZED)
            .insert_header(("hx-redirect", target))
            .content_type("text/plain; charset=utf-8")
            .body("Sign in to see this.");
    }
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, target))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .finish()
}

fn path_of(url: &HeaderValue) -> String {
    let url = url.to_str().ok().and_then(|url| url::Url::parse(url).ok());
    url.map_or_else(links::home, |url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

/// The token of an `Authorization: Bearer` header, which may be empty; nothing without such a header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?;
    let given = given.to_str().unwrap_or("bearer ");
    let (scheme, secret) = given.split_once(' ').unwrap_or((given, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// An address to go on to, if it is a page of this site; else the start.
///
/// Browsers read `//host`, `/\host` and what has tabs in it as addresses of other sites.
pub(crate) fn on_this_site(next: &str) -> String {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = !next.chars().any(|c| c == '\\' || c.is_control());
    if is_path && is_plain && leads_to_page(next) {
        in_a_header(&links::of_site(next))
    } else {
        links::home()
    }
}

/// Tells whether a page answers where a browser ends up: it resolves `/..` first, however that is written.
fn leads_to_page(next: &str) -> bool {
    let here = url::Url::parse("http://localhost/");
    here.and_then(|here| here.join(next))
        .is_ok_and(|there| routes::is_page(links::within_site(there.path())))
}

/// The same address with what is not ASCII percent-encoded: headers hold nothing else.
fn in_a_header(address: &str) -> String {
    let mut encoded = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string always works.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The cookie's name. Over TLS browsers make sure that `__Host-` cookies come from this very host, for all of it; one for
/// a part of the host can only be `__Secure-`.
fn cookie_name(secure: bool) -> &'static str {
    match (secure, links::cookie_path() == "/") {
        (true, true) => "__Host-gazetteer",
        (true, false) => "__Secure-gazetteer",
        (false, _) => "gazetteer",
    }
}

/// Sends the browser on with the cookie of a session that has just begun.
pub(crate) fn begin_session(
    request: &HttpRequest,
    begun: &Begun,
    lifetimes: Lifetimes,
    to: &str,
) -> HttpResponse {
    let age = time::Duration::try_from(lifetimes.absolute).unwrap_or(time::Duration::DAY);
    let mark = &begun.mark;
    let known = mark_name(is_secure(request), mark.account);
    let lasts = time::Duration::seconds(mark.lasts.num_seconds());
    let known = cookie(request, &known, mark.text.expose_secret(), lasts);
    let name = cookie_name(is_secure(request));
    let session = cookie(request, name, begun.secret.expose_secret(), age);
    // The session comes last: programs that keep one cookie of an answer keep that.
    with_cookie(with_cookie(go_on(to), &known), &session)
}

/// The name of the cookie by which a browser is known that has signed in to this account before.
fn mark_name(secure: bool, account: AccountId) -> String {
    let id = account.0.simple().to_string();
    format!("{}{}", mark_prefix(secure), id.split_at(24).1)
}

fn mark_prefix(secure: bool) -> &'static str {
    match (secure, links::cookie_path() == "/") {
        (true, true) => "__Host-gazetteer-known-",
        (true, false) => "__Secure-gazetteer-known-",
        (false, _) => "gazetteer-known-",
    }
}

/// What a browser shows to be known by, one text for each account.
fn marks(request: &HttpRequest) -> Vec<String> {
    let prefix = mark_prefix(is_secure(request));
    let Ok(cookies) = request.cookies() else {
        return Vec::new();
    };
    let marks = cookies
        .iter()
        .filter(|cookie| cookie.name().starts_with(prefix));
    marks.map(|cookie| cookie.value().to_owned()).collect()
}

/// Sends the browser on without a session.
pub(crate) fn end_session(request: &HttpRequest, to: &str) -> HttpResponse {
    see_other(request, "", time::Duration::ZERO, to)
}

fn see_other(request: &HttpRequest, value: &str, age: time::Duration, to: &str) -> HttpResponse {
    let name = cookie_name(is_secure(request));
    with_cookie(go_on(to), &cookie(request, name, value, age))
}

/// Sends the browser on, and remembers nothing of the way.
pub(crate) fn go_on(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .finish()
}

/// Sends the browser on to a provider, with the secret by which it will be known when it comes back.
pub(crate) fn begin_handshake(request: &HttpRequest, secret: &str, to: &str) -> HttpResponse {
    let name = handshake_name(is_secure(request));
    with_cookie(go_on(to), &cookie(request, name, secret, HANDSHAKE))
}

/// The secret of a browser that comes back from a provider.
pub(crate) fn handshake(request: &HttpRequest) -> Option<String> {
    let cookie = request.cookie(handshake_name(is_secure(request)))?;
    Some(cookie.value().to_owned())
}

/// Takes away the secret of a browser that came back.
pub(crate) fn forget_handshake(request: &HttpRequest, response: &mut HttpResponse) {
    let name = handshake_name(is_secure(request));
    let gone = cookie(request, name, "", time::Duration::ZERO);
    drop(response.add_cookie(&gone));
}

fn handshake_name(secure: bool) -> &'static str {
    match (secure, links::cookie_path() == "/") {
        (true, true) => "__Host-gazetteer-way",
        (true, false) => "__Secure-gazetteer-way",
        (false, _) => "gazetteer-way",
    }
}

fn cookie<'c>(
    request: &HttpRequest,
    name: &'c str,
    value: &'c str,
    age: time::Duration,
) -> Cookie<'c> {
    Cookie::build(name, value)
        .path(links::cookie_path())
        .http_only(true)
        .secure(is_secure(request))
        .same_site(SameSite::Lax)
        .max_age(age)
        .finish()
}

fn with_cookie(mut response: HttpResponse, cookie: &Cookie<'_>) -> HttpResponse {
    response.add_cookie(cookie).expect("a cookie is a header");
    response
}

/// What the server was given at its start.
fn of_app<T: 'static>(request: &HttpRequest) -> &T {
    request
        .app_data::<Data<T>>()
        .expect("the server was given it")
}

fn is_secure(request: &HttpRequest) -> bool {
    Client::of(request).secure
}

/// Who asks; a visitor where nobody has been asked who they are.
impl FromRequest for Actor {
    type Error = Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asking = request.extensions().get::<Asking>().cloned();
        ready(Ok(
            asking.map_or_else(|| Self::visitor(false), |asking| asking.actor)
        ))
    }
}

/// Who is signed in in the browser that asks, if anybody is.
pub(crate) fn signed_in(request: &impl HttpMessage) -> Option<Arc<SignedIn>> {
    request.extensions().get::<Asking>()?.signed_in.clone()
}

/// Somebody who is signed in in a browser, and is asked to be.
#[derive(Debug)]
pub(crate) struct Person(pub(crate) Arc<SignedIn>);

impl FromRequest for Person {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            signed_in(request)
                .map(Self)
                .ok_or_else(Failure::not_signed_in),
        )
    }
}

impl FromRequest for Origin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let agent = request.headers().get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        ready(Ok(Self {
            address: Client::of(request).address,
            agent: agent.unwrap_or_default().to_owned(),
            request: Some(RequestId::of(request).as_str().to_owned()),
            marks: marks(request),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for stays in ["/", "/assets/1?x=y#z", "/search?q=//a.example"] {
            assert_eq!(on_this_site(stays), stays);
        }
        assert_eq!(
            on_this_site("/search?q=é\u{2028}"),
            "/search?q=%C3%A9%E2%80%A8"
        );
        for leaves in [
            "",
            "https://a.example",
            "//a.example",
            "/\\a.example",
            "\\\\a.example",
            "/\t/a.example",
            "javascript:alert(1)",
            "a.example",
            " /x",
            "/x\r\nSet-Cookie: a=b",
            "/sign-in",
            "/sign-in?next=/",
            "/sign-out",
            "/profile/name",
            "/api/v1/assets",
            "/browse/../sign-out",
            "/browse/%2e%2e/sign-out",
            "/nowhere",
        ] {
            assert_eq!(on_this_site(leaves), "/", "{leaves:?}");
        }
    }
}
