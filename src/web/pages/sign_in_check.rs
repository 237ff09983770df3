//! Sign-in check: what directories said of people of late, and what they would mean here. For admins.

use actix_web::web::{Data, Form};
use serde::Serialize;

use super::parts::{State, name};
use crate::auth::directories::sign_ins::{self, Outcome, SignIn};
use crate::auth::directories::{Assertion, Seen};
use crate::auth::{Actor, Refused, Role};
use crate::db::Db;
use crate::error::chain;
use crate::web::access::Access;
use crate::web::failure::Failure;
use crate::web::forms::Fields;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Page, Refusal, Section, View};

/// `GET /sign-in-check`: the last sign-ins with a directory.
pub(crate) async fn show(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
) -> Result<Page<SignInCheckPage>, Failure> {
    let page = SignInCheckPage::read(&db, &access, &actor, &Parameters::default()).await?;
    Ok(Page(page))
}

/// `POST /sign-in-check`: what claims would mean, or what a name of the LDAP server does. Nothing of it is kept.
pub(crate) async fn check(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    Form(fields): Form<Fields>,
) -> Result<Page<SignInCheckPage>, Failure> {
    let typed = Parameters::from(fields);
    let page = SignInCheckPage::read(&db, &access, &actor, &typed).await?;
    Ok(Page(match find(&access, &typed).await {
        Ok(assertion) => SignInCheckPage {
            meaning: Some(Meaning::of(&assertion)),
            ..page
        },
        Err(refusal) => SignInCheckPage {
            refusal: Some(refusal),
            ..page
        },
    }))
}

async fn find(access: &Access, typed: &Parameters) -> Result<Assertion, Refusal> {
    let (claims, person) = (typed.text("claims").trim(), typed.text("name").trim());
    let directories = &access.directories;
    let problem = match (&directories.oidc, &directories.ldap) {
        (Some(oidc), _) if !claims.is_empty() => match oidc.would_mean(claims) {
            Some(assertion) => return Ok(assertion),
            None => "That is neither a JSON object nor a token. Paste all of it, from “{” to “}”.",
        },
        (_, Some(ldap)) if !person.is_empty() => match ldap.look_up(person).await {
            Ok(Some(assertion)) => return Ok(assertion),
            Ok(None) => {
                "The filter for people finds nobody of this name, or several. Check GAZETTEER_LDAP_USER_FILTER."
            }
            Err(error) => return Err(Refusal::of_all(&[chain(&error)])),
        },
        (None, None) => "No directory is set up. See “Signing in” in the documentation.",
        _ => "Fill in what is to be checked.",
    };
    Err(Refusal::of_all(&[problem.to_owned()]))
}

/// What `templates/people/sign_in_check.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct SignInCheckPage {
    /// What people call the OpenID Connect provider.
    provider: Option<String>,
    ldap: bool,
    claims: String,
    name: String,
    meaning: Option<Meaning>,
    sign_ins: Vec<Line>,
    refusal: Option<Refusal>,
}

/// What a directory's words about somebody mean here.
#[derive(Debug, Serialize)]
struct Meaning {
    name: Shortened,
    display_name: Option<Shortened>,
    role: Option<&'static str>,
    /// Why they are kept out.
    reason: Option<&'static str>,
    teams: Vec<Shortened>,
    seen: SeenLine,
}

/// What a directory said of somebody.
#[derive(Debug, Serialize)]
struct SeenLine {
    groups: Vec<Shortened>,
    claims: Vec<Claim>,
    unreadable: Vec<Shortened>,
    groups_left_out: bool,
}

#[derive(Debug, Serialize)]
struct Claim {
    name: Shortened,
    kind: String,
}

/// A sign-in as a line of the list.
#[derive(Debug, Serialize)]
struct Line {
    at: Moment,
    way: &'static str,
    state: State,
    name: Option<Shortened>,
    address: String,
    reason: String,
    seen: SeenLine,
}

impl View for SignInCheckPage {
    const TEMPLATE: &'static str = "people/sign_in_check";

    fn title(&self) -> &'static str {
        "Sign-in check"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::SignInCheck)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl SignInCheckPage {
    async fn read(
        db: &Db,
        access: &Access,
        actor: &Actor,
        typed: &Parameters,
    ) -> Result<Self, Failure> {
        let sign_ins = sign_ins::list(db, actor).await?;
        let directories = &access.directories;
        let provider = directories.oidc.as_ref();
        Ok(Self {
            provider: provider.map(|oidc| oidc.name().to_owned()),
            ldap: directories.ldap.is_some(),
            claims: typed.text("claims").to_owned(),
            name: typed.text("name").to_owned(),
            meaning: None,
            sign_ins: sign_ins.iter().map(Line::of).collect(),
            refusal: None,
        })
    }
}

impl Meaning {
    fn of(assertion: &Assertion) -> Self {
        let teams = assertion.teams.iter();
        Self {
            name: name(&assertion.name),
            display_name: assertion.display_name.as_deref().map(name),
            role: assertion.role.map(Role::as_str),
            reason: assertion.refusal().map(Refused::as_str),
            teams: teams.map(|team| name(team.as_str())).collect(),
            seen: SeenLine::of(&assertion.seen),
        }
    }
}

impl SeenLine {
    fn of(seen: &Seen) -> Self {
        let names = |names: &[String]| names.iter().map(|one| name(one)).collect();
        let claims = seen.claims.iter().map(|claim| Claim {
            name: name(&claim.name),
            kind: claim.kind.clone(),
        });
        Self {
            groups: names(&seen.groups),
            claims: claims.collect(),
            unreadable: names(&seen.unreadable),
            groups_left_out: seen.groups_left_out,
        }
    }
}

impl Line {
    fn of(sign_in: &SignIn) -> Self {
        let state = match sign_in.outcome {
            Outcome::SignedIn => State::new("Signed in", "good", "check"),
            Outcome::Refused => State::new("Kept out", "caution", "warn"),
            Outcome::WrongPassword => State::new("Wrong name or password", "plain", "cross"),
            Outcome::BrokenOff => State::new("Broken off", "plain", "cross"),
            Outcome::Failed => State::new("No answer that can be used", "bad", "cross"),
        };
        Self {
            at: Moment::of(sign_in.at),
            way: if sign_in.method == "ldap" {
                "LDAP"
            } else {
                "OpenID Connect"
            },
            state,
            name: sign_in.name.as_deref().map(name),
            address: sign_in.address.clone(),
            reason: sign_in.reason.clone(),
            seen: SeenLine::of(&sign_in.seen),
        }
    }
}
