//! Who sees a source or a database: restricting it to people and teams, and opening it again.

use std::collections::HashMap;

pub(super) mod banner;
mod form;

use actix_web::Either;
use actix_web::web::{Data, Form, Path};
use chrono::Utc;
use serde::Serialize;
use uuid::Uuid;

use self::form::{RestrictionPage, Sent};
use super::parts::{Link, More, platform_word};
use crate::auth::principals::Principal;
use crate::auth::scopes::{self, Admitted, Restriction};
use crate::auth::{Actor, Permission, Scope};
use crate::catalog::{self, Asset, AssetId, AssetKind};
use crate::db::{Db, Page as ListPage};
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer, Fields};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::count;
use crate::web::view::{Page, Section, SeeOther, View};

/// So many restricted scopes are listed at once.
const LISTED: usize = 100;

/// `GET /restricted`: every restricted source and database.
pub(crate) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<RestrictedPage>, Failure> {
    let page = parameters.page(LISTED)?;
    let restricted = scopes::list_restricted(&db, &actor, &page).await?;
    Ok(Page(RestrictedPage::read(&db, &actor, &restricted).await?))
}

/// `GET /assets/{id}/restriction`: who sees a database.
pub(crate) async fn of_database(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    parameters: Parameters,
) -> Result<Page<RestrictionPage>, Failure> {
    let subject = Subject::database(&db, &actor, *id).await?;
    let page = RestrictionPage::open(&db, &actor, &subject, &parameters).await?;
    Ok(Page(page))
}

/// `POST /assets/{id}/restriction`: restricts a database, or opens it.
pub(crate) async fn change_database(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, RestrictionPage> {
    let subject = Subject::database(&db, &actor, *id).await?;
    change(&db, &actor, &subject, &Parameters::from(fields)).await
}

/// `GET /browse/{platform}/{instance}/restriction`: who sees a source.
pub(crate) async fn of_source(
    db: Data<Db>,
    actor: Actor,
    place: Path<(String, String)>,
    parameters: Parameters,
) -> Result<Page<RestrictionPage>, Failure> {
    let subject = Subject::source(&db, &actor, place.into_inner()).await?;
    let page = RestrictionPage::open(&db, &actor, &subject, &parameters).await?;
    Ok(Page(page))
}

/// `POST /browse/{platform}/{instance}/restriction`: restricts a source, or opens it.
pub(crate) async fn change_source(
    db: Data<Db>,
    actor: Actor,
    place: Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Answer<SeeOther, RestrictionPage> {
    let subject = Subject::source(&db, &actor, place.into_inner()).await?;
    change(&db, &actor, &subject, &Parameters::from(fields)).await
}

async fn change(
    db: &Db,
    actor: &Actor,
    subject: &Subject,
    form: &Parameters,
) -> Answer<SeeOther, RestrictionPage> {
    let sent = Sent::read(form)?;
    let after = match form.text("do") {
        "find" => {
            let page = RestrictionPage::read(db, actor, subject, &sent).await?;
            return Ok(Either::Right(Page(page)));
        }
        "restrict" | "admins" => Some(&sent.ticked),
        "open" => None,
        _ => {
            let wrong = "“do” is “find”, “restrict”, “admins” or “open”.";
            return Err(Failure::bad_parameter("do", wrong));
        }
    };
    if let Some(left_over) = sent.left_over(after.is_none()) {
        let page = RestrictionPage::read(db, actor, subject, &sent).await?;
        return Ok(Either::Right(Page(page.refused_at_find(left_over))));
    }
    if form.text("do") == "restrict" && sent.empties() {
        let page = RestrictionPage::read(db, actor, subject, &sent).await?;
        return Ok(Either::Right(Page(page.confirming())));
    }
    let now = Utc::now();
    let changed = match (&sent.was, after) {
        (Some(was), after) => {
            scopes::change_from(db, actor, &subject.scope, (was, after), now).await
        }
        (None, Some(ticked)) => scopes::restrict(db, actor, &subject.scope, ticked, now).await,
        (None, None) => scopes::open(db, actor, &subject.scope, now).await,
    };
    let sent = match &changed {
        Err(scopes::Error::Changed(theirs)) => sent.merged(theirs.as_ref()),
        _ => sent,
    };
    let saved = || links::with_query(&subject.here, [("saved", "1")]);
    let changed = changed.map(|()| SeeOther(saved()));
    let again = async |refusal| {
        let page = RestrictionPage::read(db, actor, subject, &sent).await?;
        Ok(page.refused(refusal))
    };
    forms::answer(changed, again).await
}

/// What is restricted or opened.
struct Subject {
    scope: Scope,
    word: &'static str,
    name: String,
    crumbs: Vec<Link>,
    /// Its own page.
    back: Link,
    here: String,
}

impl Subject {
    async fn database(db: &Db, actor: &Actor, id: AssetId) -> Result<Self, Failure> {
        actor.require(Permission::Restrict)?;
        let asset = catalog::find_asset(db, actor.visibility(), id).await?;
        if asset.kind != AssetKind::Database {
            return Err(catalog::Error::UnknownAsset.into());
        }
        let address = &asset.address;
        let source = source_name(&address.platform, &address.instance);
        Ok(Self {
            scope: asset.place().in_database(),
            word: "database",
            name: address.name().to_owned(),
            crumbs: vec![
                Link::new("Browse", links::browse()),
                Link::new(
                    &source,
                    links::instance(&address.platform, &address.instance),
                ),
                Link::to_asset(&asset),
            ],
            back: Link::to_asset(&asset),
            here: links::asset_restriction(id),
        })
    }

    async fn source(
        db: &Db,
        actor: &Actor,
        (platform, instance): (String, String),
    ) -> Result<Self, Failure> {
        actor.require(Permission::Restrict)?;
        let known = catalog::list_instances(db, actor.visibility()).await?;
        if !known
            .iter()
            .any(|known| known.platform == platform && known.instance == instance)
        {
            return Err(Failure::not_found(
                "Nothing was ever read from such a source.",
            ));
        }
        let name = source_name(&platform, &instance);
        Ok(Self {
            word: "source",
            crumbs: vec![
                Link::new("Browse", links::browse()),
                Link::new(&name, links::instance(&platform, &instance)),
            ],
            back: Link::new(&name, links::instance(&platform, &instance)),
            name,
            here: links::instance_restriction(&platform, &instance),
            scope: Scope::Source { platform, instance },
        })
    }
}

fn source_name(platform: &str, instance: &str) -> String {
    format!("{} {instance}", platform_word(platform))
}

/// Whom a scope admits, in numbers.
fn who(admitted: &Admitted) -> String {
    let teams = admitted
        .iter()
        .filter(|one| matches!(one, Principal::Team(_)));
    let teams = teams.count();
    let people = admitted.len() - teams;
    let people = (people > 0).then(|| count(people as u64, "person", "people"));
    let teams = (teams > 0).then(|| count(teams as u64, "team", "teams"));
    let all: Vec<String> = people.into_iter().chain(teams).collect();
    if all.is_empty() {
        "admins only".to_owned()
    } else {
        format!("{} and admins", all.join(", "))
    }
}

/// Who sees a scope now, as a sentence.
fn visible_to(admitted: Option<&Admitted>) -> String {
    let seen_by = admitted.map_or_else(|| "everyone".to_owned(), who);
    format!("Visible to {seen_by}.")
}

/// What `templates/restrictions/list.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RestrictedPage {
    rows: Vec<Row>,
    more: More,
}

/// A restricted scope as a line.
#[derive(Debug, Serialize)]
struct Row {
    name: Link,
    kind: &'static str,
    source: String,
    who: String,
    change: String,
}

impl View for RestrictedPage {
    const TEMPLATE: &'static str = "restrictions/list";

    fn title(&self) -> &'static str {
        "Access"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Restricted)
    }
}

impl RestrictedPage {
    async fn read(db: &Db, actor: &Actor, page: &ListPage<Restriction>) -> Result<Self, Failure> {
        let databases = page.items.iter().filter_map(|one| one.scope.database());
        let ids: Vec<AssetId> = databases.map(AssetId).collect();
        let assets = catalog::find_assets(db, actor.visibility(), &ids).await?;
        let assets = assets.iter().map(|asset| (asset.id.0, asset)).collect();
        Ok(Self {
            rows: page
                .items
                .iter()
                .filter_map(|one| Row::new(one, &assets))
                .collect(),
            more: More::of(page, "Show more", |cursor| {
                links::with_query(&links::restricted(), [("after", cursor.as_str())])
            }),
        })
    }
}

impl Row {
    fn new(one: &Restriction, assets: &HashMap<Uuid, &Asset>) -> Option<Self> {
        let (platform, instance) = one.scope.source();
        let source = source_name(platform, instance);
        let (name, change) = match one.scope.database() {
            Some(id) => (
                Link::to_asset(assets.get(&id)?),
                links::asset_restriction(AssetId(id)),
            ),
            None => (
                Link::new(&source, links::instance(platform, instance)),
                links::instance_restriction(platform, instance),
            ),
        };
        Some(Self {
            name,
            kind: one.scope.kind(),
            source,
            who: who(&one.admitted),
            change,
        })
    }
}
