//! People and services, what they may do, and how they get in: for admins.

use actix_web::web::{Data, Form, Path};
use actix_web::{Either, HttpRequest};
use chrono::Utc;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use uuid::Uuid;

use super::credentials::{RefusalLine, SecretPage, SessionLine, TokenForm, TokenLine};
use super::parts::{Link, More, State, name};
use super::profile::{IdentityLine, display_name};
use crate::auth::accounts::{self, Account, AccountKind, NewAccount, RoleGrant};
use crate::auth::sessions::{self, Which};
use crate::auth::{
    self, AccountId, AccountName, Actor, Role, StewardScope, TeamId, TeamName, Visibility,
    links as once, teams, tokens,
};
use crate::catalog;
use crate::db::Db;
use crate::web::access::Access;
use crate::web::client::whole_address;
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer, Fields};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Once, Page, Refusal, Section, SeeOther, View};

/// So many lines are on a page.
const LINES: usize = 50;

/// The choice of a form for a steward of named scopes.
const STEWARD_OF: &str = "steward-of";

/// `GET /people`: everybody, by name.
pub(crate) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<PeoplePage>, Failure> {
    let page = PeoplePage::read(&db, &actor, &parameters, &Parameters::default()).await?;
    Ok(Page(page))
}

/// What an invitation leads to: the link to choose a password, or the page of a service, which needs none.
type Invited = Either<Once<SecretPage>, SeeOther>;

/// `POST /people`: makes an account, and shows the link to choose its password this once.
pub(crate) async fn invite(
    db: Data<Db>,
    actor: Actor,
    request: HttpRequest,
    Form(fields): Form<Fields>,
) -> Answer<Invited, PeoplePage> {
    let typed = Parameters::from(fields);
    let again = async |refusal| PeoplePage::refused(&db, &actor, &typed, refusal).await;
    let new = match read_invitation(&db, &typed).await? {
        Ok(new) => new,
        Err(problems) => {
            let page = again(Refusal::of_all(&problems)).await?;
            return Ok(Either::Right(Page(page)));
        }
    };
    let invited = match accounts::create(&db, &actor, &new, Utc::now()).await {
        Ok(account) if account.kind == AccountKind::Service => {
            Ok(Either::Right(SeeOther(links::person(account.id))))
        }
        Ok(account) => Ok(Either::Left(Once(
            link_for(&db, &actor, &request, &account).await?,
        ))),
        Err(error) => Err(error),
    };
    forms::answer(invited, again).await
}

/// Reads the form for a new account, or tells everything that is wrong with it.
async fn read_invitation(
    db: &Db,
    typed: &Parameters,
) -> Result<Result<NewAccount, Vec<String>>, Failure> {
    let mut problems = Vec::new();
    let name = typed.text("name").parse::<AccountName>();
    let name = name.map_err(|bad| problems.push(sentence(&bad)));
    let standing = read_standing(db, typed, &mut problems).await?;
    let Some((name, standing)) = name.ok().zip(standing) else {
        return Ok(Err(problems));
    };
    Ok(Ok(NewAccount {
        kind: if typed.text("kind") == AccountKind::Service.as_str() {
            AccountKind::Service
        } else {
            AccountKind::Person
        },
        name,
        display_name: Some(typed.text("display_name").to_owned()),
        standing,
    }))
}

fn sentence(error: &impl crate::error::Explain) -> String {
    match error.hint() {
        Some(hint) => format!("{error} {hint}"),
        None => error.to_string(),
    }
}

/// Reads a role and its scopes, noting everything that is wrong with them.
async fn read_standing(
    db: &Db,
    typed: &Parameters,
    problems: &mut Vec<String>,
) -> Result<Option<RoleGrant>, Failure> {
    let before = problems.len();
    let word = typed.text("role");
    if word != STEWARD_OF {
        if !typed.text("scopes").trim().is_empty() {
            problems.push(
                "Only a steward for selected databases has databases. Choose that role, or empty the field."
                    .to_owned(),
            );
            return Ok(None);
        }
        let role: Result<Role, _> = word.parse();
        let role = role.map_err(|unknown| problems.push(unknown.to_string()));
        return Ok(role.ok().map(|role| RoleGrant::new(role, None)));
    }
    let mut scopes = Vec::new();
    let lines = typed.text("scopes").lines().map(str::trim);
    // One more than there can be is refused; further ones are not even looked up.
    let lines = lines.filter(|line| !line.is_empty());
    for words in lines.take(RoleGrant::MOST_SCOPES + 1) {
        match catalog::find_scope(db, &Visibility::Everything, words).await {
            Ok(scope) => scopes.push(scope),
            Err(
                error
                @ (catalog::Error::UnknownScope { .. } | catalog::Error::SeveralScopes { .. }),
            ) => problems.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    if scopes.is_empty() && problems.len() == before {
        problems.push("Choose at least one database or source.".to_owned());
    }
    let whole = problems.len() == before;
    Ok(whole.then(|| RoleGrant::new(Role::Steward, Some(scopes))))
}

async fn link_for(
    db: &Db,
    actor: &Actor,
    request: &HttpRequest,
    account: &Account,
) -> Result<SecretPage, auth::Error> {
    let link = once::to_choose_password(db, actor, account.id, Utc::now()).await?;
    let path = links::choose_password(link.secret.expose_secret());
    let address = whole_address(request, &path);
    let (ends, back) = (Moment::of(link.expires_at), links::person(account.id));
    Ok(SecretPage::of_link(&account.name, address, ends, back))
}

/// `GET /people/{id}`: one account.
pub(crate) async fn show(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    id: Path<Uuid>,
    parameters: Parameters,
) -> Result<Page<PersonPage>, Failure> {
    let asking = Asking::new(&db, &access, &actor, *id);
    Ok(Page(
        asking.read(&parameters, &Parameters::default()).await?,
    ))
}

/// `POST /people/{id}/name`: changes what others call somebody.
pub(crate) async fn rename(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    id: Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let typed = Parameters::from(fields);
    let text = typed.text("display_name");
    let done = accounts::set_display_name(&db, &actor, asking.id, text, Utc::now()).await;
    asking
        .answer(&typed, done.map(|done| asking.anew(done)))
        .await
}

/// `POST /people/{id}/role`: gives another role, from the next request on.
pub(crate) async fn change_role(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    id: Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let typed = Parameters::from(fields);
    let mut problems = Vec::new();
    let Some(standing) = read_standing(&db, &typed, &mut problems).await? else {
        let page = asking.refused(&typed, Refusal::of_all(&problems)).await?;
        return Ok(Either::Right(Page(page)));
    };
    let done = accounts::set_standing(&db, &actor, asking.id, standing, Utc::now()).await;
    asking
        .answer(&typed, done.map(|done| asking.anew(done)))
        .await
}

/// `POST /people/{id}/lock`: locks somebody out at once.
pub(crate) async fn lock(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    id: Path<Uuid>,
) -> Answer<SeeOther, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let done = accounts::lock(&db, &actor, asking.id, Utc::now()).await;
    let done = done.map(|done| asking.anew(done));
    asking.answer(&Parameters::default(), done).await
}

/// `POST /people/{id}/unlock`: lets somebody in again.
pub(crate) async fn unlock(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    id: Path<Uuid>,
) -> Answer<SeeOther, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let done = accounts::unlock(&db, &actor, asking.id, Utc::now()).await;
    let done = done.map(|done| asking.anew(done));
    asking.answer(&Parameters::default(), done).await
}

/// `POST /people/{id}/link`: makes a link to choose a password, and shows it this once.
pub(crate) async fn make_link(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Answer<Once<SecretPage>, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let account = accounts::find(&db, &actor, asking.id).await?;
    let made = link_for(&db, &actor, &request, &account).await;
    let made = made.map(Once);
    asking.answer(&Parameters::default(), made).await
}

/// `POST /people/{id}/teams`: adds somebody to a team by its name.
pub(crate) async fn join(
    db: Data<Db>,
    access: Data<Access>,
    actor: Actor,
    id: Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let typed = Parameters::from(fields);
    let done = join_named(&db, &actor, asking.id, typed.text("team")).await;
    asking
        .answer(&typed, done.map(|done| asking.anew(done)))
        .await
}

async fn join_named(
    db: &Db,
    actor: &Actor,
    account: AccountId,
    words: &str,
) -> Result<(), auth::Error> {
    let name: TeamName = words.parse()?;
    let team = teams::find_named(db, actor, &name).await?;
    teams::add_member(db, actor, (team.id, account), Utc::now()).await
}

/// `POST /people/{id}/teams/{team}/leave`: takes somebody out of a team.
pub(crate) async fn leave(
    db: Data<Db>,
    actor: Actor,
    path: Path<(Uuid, Uuid)>,
) -> Result<SeeOther, Failure> {
    let (account, team) = (AccountId(path.0), TeamId(path.1));
    teams::remove_member(&db, &actor, (team, account), Utc::now()).await?;
    Ok(SeeOther(links::person(account)))
}

/// `POST /people/{id}/sessions/{session}/end`: signs one browser of somebody out.
pub(crate) async fn end_session(
    db: Data<Db>,
    actor: Actor,
    path: Path<(Uuid, Uuid)>,
) -> Result<SeeOther, Failure> {
    let (account, session) = (AccountId(path.0), Which::One(path.1));
    sessions::end(&db, &actor, account, session, Utc::now()).await?;
    Ok(SeeOther(links::person(account)))
}

/// `POST /people/{id}/tokens`: makes a token for a service, and shows it this once.
pub(crate) async fn make_token(
    db: Data<Db>,
    access: Data<Access>,
    (actor, request): (Actor, HttpRequest),
    id: Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<Once<SecretPage>, PersonPage> {
    let asking = Asking::new(&db, &access, &actor, *id);
    let typed = Parameters::from(fields);
    let made = match TokenForm::read(&typed) {
        Ok(new) => tokens::make(&db, &actor, asking.id, &new, Utc::now()).await,
        Err(error) => Err(error),
    };
    let back = links::person(asking.id);
    let place = (back, Section::People);
    let made = made.map(|made| Once(SecretPage::of_token(&made, &request, place)));
    asking.answer(&typed, made).await
}

/// `POST /people/{id}/tokens/{token}/revoke`: makes a token of somebody worthless.
pub(crate) async fn revoke_token(
    db: Data<Db>,
    actor: Actor,
    path: Path<(Uuid, Uuid)>,
) -> Result<SeeOther, Failure> {
    tokens::revoke(&db, &actor, path.1, Utc::now()).await?;
    Ok(SeeOther(links::person(AccountId(path.0))))
}

/// What `templates/people/index.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct PeoplePage {
    words: String,
    people: Vec<PersonLine>,
    more: More,
    name: String,
    display_name: String,
    service: bool,
    role_form: RoleForm,
    refusal: Option<Refusal>,
}

/// An account as a line of the list.
#[derive(Debug, Serialize)]
struct PersonLine {
    link: Link,
    label: Option<Shortened>,
    service: bool,
    role: String,
    state: State,
    signed_in: Option<Moment>,
}

/// The choice of a role, with the scopes of a steward.
#[derive(Debug, Serialize)]
struct RoleForm {
    roles: Vec<RoleChoice>,
    scopes: String,
    /// Where scopes are suggested.
    pick_href: String,
    /// What is wrong with the scopes.
    wrong: Option<String>,
}

#[derive(Debug, Serialize)]
struct RoleChoice {
    word: &'static str,
    label: &'static str,
    hint: &'static str,
    /// Whether it takes scopes.
    scoped: bool,
    chosen: bool,
}

impl RoleForm {
    fn new(chosen: &str, scopes: String) -> Self {
        let choice = |(word, label, hint)| RoleChoice {
            word,
            label,
            hint,
            scoped: word == STEWARD_OF,
            chosen: word == chosen,
        };
        let roles = [
            ("reader", "Reader", "reads the catalog"),
            (
                "steward",
                "Steward",
                "edits descriptions, owners and tags everywhere, and runs recipes",
            ),
            (
                STEWARD_OF,
                "Steward for selected databases",
                "edits only in the databases and sources named below",
            ),
            (
                "admin",
                "Admin",
                "does everything, and manages people and access",
            ),
        ];
        Self {
            roles: roles.map(choice).into(),
            scopes,
            pick_href: links::pick("scopes"),
            wrong: None,
        }
    }

    fn typed(typed: &Parameters) -> Self {
        Self::new(typed.text("role"), typed.text("scopes").to_owned())
    }

    /// Says at the field what is wrong with the scopes that were typed.
    async fn refused(self, db: &Db, typed: &Parameters) -> Result<Self, Failure> {
        let is_about_scopes =
            typed.text("role") == STEWARD_OF || !typed.text("scopes").trim().is_empty();
        if !is_about_scopes {
            return Ok(self);
        }
        let mut problems = Vec::new();
        read_standing(db, typed, &mut problems).await?;
        Ok(Self {
            wrong: (!problems.is_empty()).then(|| problems.join(" ")),
            ..self
        })
    }
}

fn state_of(account: &Account) -> State {
    if account.locked_at.is_some() {
        State::new("Locked", "bad", "cross")
    } else {
        State::new("Active", "plain", "check")
    }
}

impl View for PeoplePage {
    const TEMPLATE: &'static str = "people/index";

    fn title(&self) -> &'static str {
        "People"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::People)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl PeoplePage {
    async fn read(
        db: &Db,
        actor: &Actor,
        parameters: &Parameters,
        typed: &Parameters,
    ) -> Result<Self, Failure> {
        let words = parameters.text("q").trim();
        let page = accounts::list(db, actor, words, &parameters.page(LINES)?).await?;
        let standings = accounts::list_standings(db, actor, &page.items).await?;
        let line = |account: &Account| PersonLine {
            link: Link::new(&account.name, links::person(account.id)),
            label: account.display_name.as_deref().map(name),
            service: account.kind == AccountKind::Service,
            role: standings
                .get(&account.id)
                .map_or_else(String::new, role_words),
            state: state_of(account),
            signed_in: account.signed_in_at.map(Moment::of),
        };
        Ok(Self {
            words: words.to_owned(),
            people: page.items.iter().map(line).collect(),
            more: More::of(&page, "Show more people", |after| {
                links::with_query(&links::people(), [("q", words), ("after", after.as_str())])
            }),
            name: typed.text("name").to_owned(),
            display_name: typed.text("display_name").to_owned(),
            service: typed.text("kind") == AccountKind::Service.as_str(),
            role_form: match typed.text("role") {
                "" => RoleForm::new(Role::Reader.as_str(), String::new()),
                _ => RoleForm::typed(typed),
            },
            refusal: None,
        })
    }

    async fn refused(
        db: &Db,
        actor: &Actor,
        typed: &Parameters,
        refusal: Refusal,
    ) -> Result<Self, Failure> {
        let page = Self::read(db, actor, &Parameters::default(), typed).await?;
        let role_form = page.role_form.refused(db, typed).await?;
        Ok(Self {
            refusal: Some(refusal),
            role_form,
            ..page
        })
    }
}

/// Such as “steward of 2 scopes”.
fn role_words(standing: &RoleGrant) -> String {
    let words = standing.to_string();
    let words = words.trim_start_matches("an ").trim_start_matches("a ");
    words.to_owned()
}

/// What `templates/people/person.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct PersonPage {
    label: Shortened,
    name: String,
    service: bool,
    role: String,
    state: State,
    locked: bool,
    has_password: bool,
    created: Moment,
    signed_in: Option<Moment>,
    display_name: String,
    action: String,
    role_form: RoleForm,
    teams: Vec<Membership>,
    team: String,
    sessions: Vec<SessionLine>,
    refused: Vec<RefusalLine>,
    tokens: Vec<TokenLine>,
    more: More,
    token_form: Option<TokenForm>,
    identities: Vec<IdentityLine>,
    did_href: String,
    happened_href: String,
    refusal: Option<Refusal>,
}

#[derive(Debug, Serialize)]
struct Membership {
    link: Link,
    leave_action: String,
}

impl View for PersonPage {
    const TEMPLATE: &'static str = "people/person";

    fn title(&self) -> &str {
        &self.label.shown
    }

    fn section(&self) -> Option<Section> {
        Some(Section::People)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

/// Who asks about which account.
struct Asking<'a> {
    db: &'a Db,
    access: &'a Access,
    actor: &'a Actor,
    id: AccountId,
}

impl<'a> Asking<'a> {
    fn new(db: &'a Db, access: &'a Access, actor: &'a Actor, id: Uuid) -> Self {
        let id = AccountId(id);
        Self {
            db,
            access,
            actor,
            id,
        }
    }

    /// Answers a form on the account's page.
    async fn answer<T>(
        &self,
        typed: &Parameters,
        done: Result<T, auth::Error>,
    ) -> Answer<T, PersonPage> {
        forms::answer(done, async |refusal| self.refused(typed, refusal).await).await
    }

    /// The account's page anew, with what was done.
    fn anew(&self, (): ()) -> SeeOther {
        SeeOther(links::person(self.id))
    }

    async fn refused(&self, typed: &Parameters, refusal: Refusal) -> Result<PersonPage, Failure> {
        let page = self.read(&Parameters::default(), typed).await?;
        let role_form = page.role_form.refused(self.db, typed).await?;
        Ok(PersonPage {
            refusal: Some(refusal),
            role_form,
            ..page
        })
    }

    async fn read(
        &self,
        parameters: &Parameters,
        typed: &Parameters,
    ) -> Result<PersonPage, Failure> {
        let Self { db, actor, id, .. } = *self;
        let account = accounts::find(db, actor, id).await?;
        let standing = accounts::standing(db, actor, &account).await?;
        let teams = teams::list_of(db, actor, id).await?;
        let sessions = sessions::list(db, actor, id, self.access.lifetimes).await?;
        let tokens = tokens::list(db, actor, id, &parameters.page(LINES)?).await?;
        let identities = accounts::list_identities(db, actor, id).await?;
        let refused = sessions::list_refusals(db, actor, id).await?;
        let service = account.kind == AccountKind::Service;
        let at = |part: String| links::person_part(id, &part);
        let audit =
            |filter| links::with_query(&links::audit(), [(filter, id.to_string().as_str())]);
        Ok(PersonPage {
            label: name(account.label()),
            name: account.name.clone(),
            service,
            role: role_words(&standing),
            state: state_of(&account),
            locked: account.locked_at.is_some(),
            has_password: account.has_password(),
            created: Moment::of(account.created_at),
            signed_in: account.signed_in_at.map(Moment::of),
            display_name: display_name(&account, typed),
            action: links::person(id),
            role_form: match typed.text("role") {
                "" => self.role_form(&standing).await?,
                _ => RoleForm::typed(typed),
            },
            teams: teams
                .iter()
                .map(|team| Membership {
                    link: Link::new(&team.name, links::team(team.id)),
                    leave_action: at(format!("teams/{}/leave", team.id)),
                })
                .collect(),
            team: typed.text("team").to_owned(),
            sessions: sessions
                .iter()
                .map(|session| {
                    SessionLine::new(session, None, at(format!("sessions/{}/end", session.id)))
                })
                .collect(),
            more: More::of(&tokens, "Show older tokens", |after| {
                links::with_query(&links::person(id), [("after", after.as_str())])
            }),
            tokens: tokens
                .items
                .iter()
                .map(|token| TokenLine::new(token, at(format!("tokens/{}/revoke", token.id))))
                .collect(),
            token_form: service.then(|| TokenForm::new(at("tokens".to_owned()), typed)),
            identities: IdentityLine::of(&identities),
            refused: RefusalLine::of(&refused),
            did_href: audit("person"),
            happened_href: audit("thing"),
            refusal: None,
        })
    }

    async fn role_form(&self, standing: &RoleGrant) -> Result<RoleForm, Failure> {
        Ok(match standing.steward_scope() {
            StewardScope::Everything => RoleForm::new(standing.role().as_str(), String::new()),
            StewardScope::Scopes(scopes) => {
                let names = catalog::name_scopes(self.db, scopes).await?;
                RoleForm::new(STEWARD_OF, names.join("\n"))
            }
        })
    }
}
