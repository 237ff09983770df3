//! Signing in and out.

use actix_web::web::{Data, Form};
use actix_web::{Either, HttpRequest, HttpResponse};
use chrono::Utc;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::auth::directories;
use crate::auth::links as once;
use crate::auth::sessions::{self, Begun, DemoPerson, Lifetimes, Origin};
use crate::catalog::human::Description;
use crate::db::Db;
use crate::revisions::Aspect as _;
use crate::web::access::{self, Access, Person};
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::view::{Page, Refusal, Section, SeeOther, View};

/// `GET /sign-in`: the ways in; whoever is in already goes on.
pub(crate) async fn show(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    parameters: Parameters,
) -> Result<Either<SeeOther, Page<SignInPage>>, Failure> {
    let next = access::on_this_site(parameters.text("next"));
    if access::signed_in(&request).is_some() {
        return Ok(Either::Left(SeeOther(next)));
    }
    let page = SignInPage::new(&access, next, String::new());
    let is_set_up = once::is_set_up(&db).await?;
    Ok(Either::Right(Page(SignInPage { is_set_up, ..page })))
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(crate) struct SignIn {
    name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`: signs in with name and password.
pub(crate) async fn sign_in(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    from: Origin,
    Form(form): Form<SignIn>,
) -> Answer<HttpResponse, SignInPage> {
    let next = access::on_this_site(&form.next);
    let known = (form.name.as_str(), &form.password);
    let lifetimes = access.lifetimes;
    let doors = (&access.passwords, &access.directories);
    let begun = directories::sign_in_with_password(&db, doors, known, &from, lifetimes).await;
    let again =
        async |refusal| Ok(SignInPage::new(&access, next.clone(), form.name).refused(refusal));
    let answer = forms::answer(begun, again).await?;
    let_in(&db, &request, answer, (lifetimes, &next)).await
}

/// `POST /sign-in/demo`: signs the demo's steward or admin in.
pub(crate) async fn sign_in_to_demo(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    from: Origin,
    Form(form): Form<DemoSignIn>,
) -> Result<HttpResponse, Failure> {
    if access.demo.is_none() {
        return Err(Failure::not_found("Page not found."));
    }
    let next = access::on_this_site(&form.next);
    let begun = sessions::sign_in_to_demo(&db, form.r#as, &from, access.lifetimes).await?;
    end_old(&db, &request).await?;
    Ok(access::begin_session(
        &request,
        &begun,
        access.lifetimes,
        &next,
    ))
}

/// What a button of the demo sends.
#[derive(Debug, Deserialize)]
pub(crate) struct DemoSignIn {
    #[serde(default)]
    r#as: DemoPerson,
    #[serde(default)]
    next: String,
}

/// `POST /sign-out`: ends the session of this browser.
pub(crate) async fn sign_out(
    db: Data<Db>,
    request: HttpRequest,
    Person(person): Person,
) -> Result<HttpResponse, Failure> {
    sessions::sign_out(&db, &person, Utc::now()).await?;
    Ok(access::end_session(&request, &links::sign_in("")))
}

/// Lets somebody in whose session has begun; the one that the browser had ends. A form is shown as it is.
pub(super) async fn let_in<V>(
    db: &Db,
    request: &HttpRequest,
    answer: Either<Begun, Page<V>>,
    (lifetimes, to): (Lifetimes, &str),
) -> Answer<HttpResponse, V> {
    match answer {
        Either::Left(begun) => {
            end_old(db, request).await?;
            let response = access::begin_session(request, &begun, lifetimes, to);
            Ok(Either::Left(response))
        }
        Either::Right(form) => Ok(Either::Right(form)),
    }
}

/// Whoever signs in leaves the session behind that the browser had.
async fn end_old(db: &Db, request: &HttpRequest) -> Result<(), Failure> {
    if let Some(old) = access::signed_in(request) {
        sessions::sign_out(db, &old, Utc::now()).await?;
    }
    Ok(())
}

/// What `templates/sign_in.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct SignInPage {
    next: String,
    name: String,
    demo: bool,
    /// What the steward's browser keeps, as `static/js/demo.js` reads it.
    unfinished: Option<String>,
    is_set_up: bool,
    provider: Option<Provider>,
    refusal: Option<Refusal>,
}

/// The button that leads to the OpenID Connect provider.
#[derive(Debug, Serialize)]
struct Provider {
    name: String,
    href: String,
}

/// The draft that the demo's steward finds, in the form in which browsers keep drafts.
fn unfinished(access: &Access) -> Option<String> {
    let draft = access.demo.as_ref()?.unfinished.as_ref()?;
    let form = links::edit(draft.asset, Description::NAME);
    let fields = [
        ["version", &draft.version.to_string()],
        ["text", &draft.text],
    ];
    Some(json!({"form": form, "at": draft.at, "fields": fields}).to_string())
}

impl View for SignInPage {
    const TEMPLATE: &'static str = "sign_in";

    fn title(&self) -> &'static str {
        "Sign in"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::WayIn)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl SignInPage {
    pub(super) fn new(access: &Access, next: String, name: String) -> Self {
        let provider = access.directories.oidc.as_ref().map(|oidc| Provider {
            name: oidc.name().to_owned(),
            href: links::sign_in_at_provider(&next),
        });
        Self {
            provider,
            next,
            name,
            demo: access.demo.is_some(),
            unfinished: unfinished(access),
            is_set_up: true,
            refusal: None,
        }
    }

    pub(super) fn refused(self, refusal: Refusal) -> Self {
        Self {
            refusal: Some(refusal),
            ..self
        }
    }
}
