//! Teams and who is in them: for admins.

use actix_web::web::{Data, Form, Path};
use chrono::Utc;
use serde::Serialize;
use uuid::Uuid;

use super::parts::{Link, More, name};
use crate::auth::teams::{self, Team};
use crate::auth::{self, AccountId, AccountName, Actor, TeamId, TeamName, accounts};
use crate::db::{Db, Page as ListPage};
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer, Fields};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Page, Refusal, Section, SeeOther, View};

/// So many lines are on a page.
const LINES: usize = 50;

/// `GET /teams`: every team.
pub(crate) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<TeamsPage>, Failure> {
    let teams = teams::list(&db, &actor, &parameters.page(LINES)?).await?;
    Ok(Page(TeamsPage::new(&teams, "")))
}

/// `POST /teams`: makes a team.
pub(crate) async fn create(
    db: Data<Db>,
    actor: Actor,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, TeamsPage> {
    let typed = Parameters::from(fields);
    let made = match typed.text("name").parse::<TeamName>() {
        Ok(name) => teams::create(&db, &actor, &name, Utc::now()).await,
        Err(error) => Err(error.into()),
    };
    let made = made.map(|team| SeeOther(links::team(team.id)));
    let again = async |refusal| {
        let teams = teams::list(&db, &actor, &Parameters::default().page(LINES)?).await?;
        let refusal = Some(refusal);
        let page = TeamsPage::new(&teams, typed.text("name"));
        Ok(TeamsPage { refusal, ..page })
    };
    forms::answer(made, again).await
}

/// `GET /teams/{id}`: one team and its members.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
    parameters: Parameters,
) -> Result<Page<TeamPage>, Failure> {
    let id = TeamId(*id);
    Ok(Page(
        TeamPage::read(&db, &actor, id, &parameters, "").await?,
    ))
}

/// `POST /teams/{id}/members`: adds somebody by name.
pub(crate) async fn add(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, TeamPage> {
    let typed = Parameters::from(fields);
    let (id, words) = (TeamId(*id), typed.text("account"));
    let added = add_named(&db, &actor, id, words).await;
    let again = async |refusal| {
        let page = TeamPage::read(&db, &actor, id, &Parameters::default(), words).await?;
        let refusal = Some(refusal);
        Ok(TeamPage { refusal, ..page })
    };
    forms::answer(added.map(|()| SeeOther(links::team(id))), again).await
}

async fn add_named(db: &Db, actor: &Actor, team: TeamId, words: &str) -> Result<(), auth::Error> {
    let name: AccountName = words.parse()?;
    let account = accounts::find_named(db, actor, &name).await?;
    teams::add_member(db, actor, (team, account.id), Utc::now()).await
}

/// `POST /teams/{id}/members/{account}/remove`: takes somebody out.
pub(crate) async fn remove(
    db: Data<Db>,
    actor: Actor,
    path: Path<(Uuid, Uuid)>,
) -> Result<SeeOther, Failure> {
    let (team, account) = (TeamId(path.0), AccountId(path.1));
    teams::remove_member(&db, &actor, (team, account), Utc::now()).await?;
    Ok(SeeOther(links::team(team)))
}

/// What `templates/people/teams.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct TeamsPage {
    teams: Vec<TeamLine>,
    more: More,
    name: String,
    refusal: Option<Refusal>,
}

#[derive(Debug, Serialize)]
struct TeamLine {
    link: Link,
    made: Moment,
}

impl View for TeamsPage {
    const TEMPLATE: &'static str = "people/teams";

    fn title(&self) -> &'static str {
        "Teams"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Teams)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl TeamsPage {
    fn new(teams: &ListPage<Team>, name: &str) -> Self {
        let line = |team: &Team| TeamLine {
            link: Link::new(&team.name, links::team(team.id)),
            made: Moment::of(team.created_at),
        };
        Self {
            more: More::of(teams, "Show more teams", |after| {
                links::with_query(&links::teams(), [("after", after.as_str())])
            }),
            teams: teams.items.iter().map(line).collect(),
            name: name.to_owned(),
            refusal: None,
        }
    }
}

/// What `templates/people/team.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct TeamPage {
    name: Shortened,
    members: Vec<MemberLine>,
    more: More,
    add_action: String,
    audit_href: String,
    account: String,
    refusal: Option<Refusal>,
}

#[derive(Debug, Serialize)]
struct MemberLine {
    link: Link,
    label: Option<Shortened>,
    locked: bool,
    remove_action: String,
}

impl View for TeamPage {
    const TEMPLATE: &'static str = "people/team";

    fn title(&self) -> &str {
        &self.name.shown
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Teams)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl TeamPage {
    async fn read(
        db: &Db,
        actor: &Actor,
        id: TeamId,
        parameters: &Parameters,
        account: &str,
    ) -> Result<Self, Failure> {
        let team = teams::find(db, actor, id).await?;
        let members = teams::list_members(db, actor, id, &parameters.page(LINES)?).await?;
        let line = |member: &accounts::Account| MemberLine {
            link: Link::new(&member.name, links::person(member.id)),
            label: member.display_name.as_deref().map(name),
            locked: member.locked_at.is_some(),
            remove_action: links::team_part(id, &format!("members/{}/remove", member.id)),
        };
        Ok(Self {
            name: name(&team.name),
            more: More::of(&members, "Show more members", |after| {
                links::with_query(&links::team(id), [("after", after.as_str())])
            }),
            members: members.items.iter().map(line).collect(),
            add_action: links::team_part(id, "members"),
            audit_href: links::with_query(&links::audit(), [("thing", id.to_string().as_str())]),
            account: account.to_owned(),
            refusal: None,
        })
    }
}
