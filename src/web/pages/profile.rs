//! One's own account: name, password, sessions, appearance.

use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use super::credentials::{RefusalLine, SessionLine};
use super::parts::name;
use crate::auth::accounts::{self, Account};
use crate::auth::sessions::{self, Origin, SignedIn, Which};
use crate::auth::{self, Password, teams};
use crate::db::Db;
use crate::web::access::{self, Access, Person};
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer, Fields};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Page, Refusal, Section, SeeOther, View};

/// `GET /profile`: everything about one's own account.
pub(crate) async fn show(
    db: Data<Db>,
    access: Data<Access>,
    Person(person): Person,
) -> Result<Page<ProfilePage>, Failure> {
    let page = ProfilePage::read(&db, &access, &person, &Parameters::default()).await?;
    Ok(Page(page))
}

/// `POST /profile/name`: changes what others call one.
pub(crate) async fn rename(
    db: Data<Db>,
    access: Data<Access>,
    Person(person): Person,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, ProfilePage> {
    let typed = Parameters::from(fields);
    let text = typed.text("display_name");
    let id = person.account.id;
    let done = accounts::set_display_name(&db, &person.actor, id, text, Utc::now()).await;
    answer(&db, &access, &person, &typed, done.map(anew)).await
}

/// `POST /profile/password`: chooses another password; every other browser is signed out.
pub(crate) async fn change_password(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    (Person(person), from): (Person, Origin),
    Form(fields): Form<Fields>,
) -> Answer<HttpResponse, ProfilePage> {
    let typed = Parameters::from(fields);
    let secret = |field| SecretString::from(typed.text(field));
    let (current, new) = (secret("current"), secret("new"));
    let lifetimes = access.lifetimes;
    let passwords = &access.passwords;
    let both = (&current, &new);
    let done = sessions::change_password(&db, passwords, &person, both, (&from, lifetimes)).await;
    let done =
        done.map(|begun| access::begin_session(&request, &begun, lifetimes, &links::profile()));
    answer(&db, &access, &person, &typed, done).await
}

/// `POST /profile/sessions/end`: signs every other browser out.
pub(crate) async fn end_others(
    db: Data<Db>,
    access: Data<Access>,
    Person(person): Person,
) -> Answer<SeeOther, ProfilePage> {
    let which = Which::AllBut(person.session.id);
    let done = sessions::end(&db, &person.actor, person.account.id, which, Utc::now()).await;
    answer(
        &db,
        &access,
        &person,
        &Parameters::default(),
        done.map(anew),
    )
    .await
}

/// `POST /profile/sessions/{id}/end`: signs one browser out.
pub(crate) async fn end_session(
    db: Data<Db>,
    access: Data<Access>,
    Person(person): Person,
    session: Path<Uuid>,
) -> Answer<SeeOther, ProfilePage> {
    let which = Which::One(*session);
    let done = sessions::end(&db, &person.actor, person.account.id, which, Utc::now()).await;
    answer(
        &db,
        &access,
        &person,
        &Parameters::default(),
        done.map(anew),
    )
    .await
}

async fn answer<T>(
    db: &Db,
    access: &Access,
    person: &SignedIn,
    typed: &Parameters,
    done: Result<T, auth::Error>,
) -> Answer<T, ProfilePage> {
    let again = async |refusal| ProfilePage::refused(db, access, person, typed, refusal).await;
    forms::answer(done, again).await
}

/// The page anew, with what was done.
fn anew((): ()) -> SeeOther {
    SeeOther(links::profile())
}

/// What `templates/people/profile.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct ProfilePage {
    label: Shortened,
    name: String,
    role: String,
    teams: Vec<Shortened>,
    display_name: String,
    has_password: bool,
    shortest: usize,
    sessions: Vec<SessionLine>,
    refused: Vec<RefusalLine>,
    has_others: bool,
    identities: Vec<IdentityLine>,
    /// The provider to which the account can be linked.
    provider: Option<String>,
    refusal: Option<Refusal>,
}

/// Who somebody is elsewhere.
#[derive(Debug, Serialize)]
pub(super) struct IdentityLine {
    issuer: Shortened,
    subject: Shortened,
    linked: Moment,
}

impl IdentityLine {
    pub(super) fn of(identities: &[accounts::ExternalIdentity]) -> Vec<Self> {
        let line = |identity: &accounts::ExternalIdentity| Self {
            issuer: name(&identity.issuer),
            subject: name(&identity.subject),
            linked: Moment::of(identity.linked_at),
        };
        identities.iter().map(line).collect()
    }
}

impl View for ProfilePage {
    const TEMPLATE: &'static str = "people/profile";

    fn title(&self) -> &'static str {
        "Profile"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Profile)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl ProfilePage {
    async fn read(
        db: &Db,
        access: &Access,
        person: &SignedIn,
        typed: &Parameters,
    ) -> Result<Self, Failure> {
        let (actor, id) = (&person.actor, person.account.id);
        let account = accounts::find(db, actor, id).await?;
        let standing = accounts::standing(db, actor, &account).await?;
        let teams = teams::list_of(db, actor, id).await?;
        let sessions = sessions::list(db, actor, id, access.lifetimes).await?;
        let identities = accounts::list_identities(db, actor, id).await?;
        let refused = sessions::list_refusals(db, actor, id).await?;
        let session = |session: &sessions::Session| {
            let end = links::profile_part(&format!("sessions/{}/end", session.id));
            SessionLine::new(session, Some(person.session.id), end)
        };
        Ok(Self {
            label: name(account.label()),
            name: account.name.clone(),
            role: standing.to_string(),
            teams: teams.iter().map(|team| name(&team.name)).collect(),
            display_name: display_name(&account, typed),
            has_password: account.has_password(),
            shortest: Password::SHORTEST,
            has_others: sessions.len() > 1,
            sessions: sessions.iter().map(session).collect(),
            identities: IdentityLine::of(&identities),
            refused: RefusalLine::of(&refused),
            provider: access
                .directories
                .oidc
                .as_ref()
                .map(|oidc| oidc.name().to_owned()),
            refusal: None,
        })
    }

    async fn refused(
        db: &Db,
        access: &Access,
        person: &SignedIn,
        typed: &Parameters,
        refusal: Refusal,
    ) -> Result<Self, Failure> {
        let page = Self::read(db, access, person, typed).await?;
        let refusal = Some(refusal);
        Ok(Self { refusal, ..page })
    }
}

/// What was typed, or else what the account has.
pub(super) fn display_name(account: &Account, typed: &Parameters) -> String {
    let given = typed.all("display_name").next();
    given
        .or(account.display_name.as_deref())
        .unwrap_or_default()
        .to_owned()
}
