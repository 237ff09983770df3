//! Signing in with the OpenID Connect provider: on to it, and back.
//!
//! Browsers are sent there by links, never by forms: the pages' policy lets forms go nowhere but here.

use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{Either, HttpRequest, HttpResponse};
use chrono::Utc;
use secrecy::ExposeSecret as _;
use tracing::warn;
use url::Url;

use super::sign_in::{self, SignInPage};
use crate::auth::directories;
use crate::auth::directories::oidc::{Answer, Arrival, Errand, Error, Oidc, Trip};
use crate::auth::sessions::{Method, Origin};
use crate::db::Db;
use crate::error::{Explain, Kind, chain};
use crate::web::access::{self, Access, Person};
use crate::web::client::whole_address;
use crate::web::failure::Failure;
use crate::web::forms;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::request::RequestId;
use crate::web::view::{Page, Refusal};

/// A redirect, or the sign-in page with a sentence.
type Onward = Either<HttpResponse, Page<SignInPage>>;

/// `GET /sign-in/oidc`: on to the provider.
pub(crate) async fn begin(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    parameters: Parameters,
) -> Result<Onward, Failure> {
    let next = access::on_this_site(parameters.text("next"));
    depart(&db, &access, &request, (Errand::SignIn, next)).await
}

/// `GET /profile/link`: on to the provider, to be known by it as well from then on.
pub(crate) async fn link(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    Person(person): Person,
) -> Result<Onward, Failure> {
    if comes_from_elsewhere(request.headers()) {
        return Err(Failure::forbidden(
            "The request was sent by a page of another site, and nothing was changed.",
            "Begin on your profile.",
        ));
    }
    let errand = Errand::Link(person.account.id);
    depart(&db, &access, &request, (errand, links::profile())).await
}

/// `GET /sign-in/oidc/callback`: back from the provider.
pub(crate) async fn finish(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    from: Origin,
    parameters: Parameters,
) -> Result<Onward, Failure> {
    let oidc = provider(&access)?;
    let callback = callback(&request)?;
    let id = RequestId::of(&request);
    let secret = access::handshake(&request).unwrap_or_default();
    let given = |name| Some(parameters.text(name).to_owned()).filter(|text| !text.is_empty());
    let answer = Answer {
        code: given("code"),
        state: given("state"),
        iss: given("iss"),
        error: given("error"),
    };
    let arrival = oidc
        .finish(&db, trip(&callback, &id), &secret, &answer)
        .await;
    let mut onward = match arrival {
        Ok(arrival) => arrive(&db, &access, &request, from, arrival).await?,
        Err(error) => {
            // Anybody can open the address; what was not begun here is not kept.
            if !matches!(error, Error::Unbegun | Error::Database(_)) {
                directories::note_failure(&db, &error, &from).await?;
            }
            Either::Right(refused(&access, links::home(), error)?)
        }
    };
    if let Either::Left(response) = &mut onward {
        access::forget_handshake(&request, response);
    }
    Ok(onward)
}

async fn depart(
    db: &Db,
    access: &Access,
    request: &HttpRequest,
    (errand, next): (Errand, String),
) -> Result<Onward, Failure> {
    let oidc = provider(access)?;
    let callback = callback(request)?;
    let id = RequestId::of(request);
    let begun = oidc.begin(db, trip(&callback, &id), errand, Some(next.clone()));
    match begun.await {
        Ok(departure) => {
            let secret = departure.secret.expose_secret();
            let address = departure.address.as_str();
            let response = access::begin_handshake(request, secret, address);
            Ok(Either::Left(response))
        }
        Err(error) => Ok(Either::Right(refused(access, next, error)?)),
    }
}

/// Signs in, or links, whoever the provider has vouched for.
async fn arrive(
    db: &Db,
    access: &Access,
    request: &HttpRequest,
    from: Origin,
    arrival: Arrival,
) -> Result<Onward, Failure> {
    let next = access::on_this_site(&arrival.next.unwrap_or_default());
    if let Errand::Link(account) = arrival.errand {
        let person = access::signed_in(request).filter(|person| person.account.id == account);
        let person = person.ok_or_else(Failure::not_signed_in)?;
        directories::link(db, &person, &arrival.assertion, Utc::now()).await?;
        return Ok(Either::Left(access::go_on(&next)));
    }
    let lifetimes = access.lifetimes;
    let begun = directories::sign_in(db, &arrival.assertion, Method::Oidc, &from, lifetimes).await;
    let again = async |refusal| {
        let page = SignInPage::new(access, next.clone(), String::new());
        Ok(page.refused(refusal))
    };
    let answer = forms::answer(begun, again).await?;
    sign_in::let_in(db, request, answer, (lifetimes, &next)).await
}

/// Says on the sign-in page why nobody was signed in; the cause is for the log.
fn refused(access: &Access, next: String, error: Error) -> Result<Page<SignInPage>, Failure> {
    if error.kind() == Kind::Internal || matches!(error, Error::Database(_)) {
        return Err(error.into());
    }
    warn!(
        "nobody was signed in with OpenID Connect: {}",
        chain(&error)
    );
    let page = SignInPage::new(access, next, String::new());
    Ok(Page(page.refused(Refusal::of(&error))))
}

fn provider(access: &Access) -> Result<&Oidc, Failure> {
    let oidc = access.directories.oidc.as_deref();
    oidc.ok_or_else(|| Failure::not_found("Page not found."))
}

fn trip<'a>(callback: &'a Url, id: &'a RequestId) -> Trip<'a> {
    Trip {
        callback,
        request: id.as_str(),
        now: Utc::now(),
    }
}

/// The address here to which the provider sends people back.
fn callback(request: &HttpRequest) -> Result<Url, Failure> {
    let address = whole_address(request, &links::sign_in_callback());
    Url::parse(&address).map_err(|_unread| {
        Failure::forbidden(
            "This catalog was asked for under a name that cannot be read.",
            "Open it under its public address.",
        )
    })
}

/// Tells whether a browser says that a page of another site led here.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}
