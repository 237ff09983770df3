//! Who sees a source or a database: restricting it to people and teams, and opening it again.

use std::collections::HashMap;

use actix_web::web::{Data, Form, Path};
use chrono::Utc;
use serde::Serialize;
use uuid::Uuid;

use super::parts::{Link, More, heading, name, platform_word};
use crate::auth::principals::{self, Named, Principal};
use crate::auth::scopes::{self, Admitted, Restriction};
use crate::auth::{AccountId, Actor, Permission, Place, Scope, TeamId};
use crate::catalog::{self, Asset, AssetId, AssetKind};
use crate::db::{Db, Page as ListPage};
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer, Fields};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Shortened, count};
use crate::web::view::{Page, Refusal, Section, SeeOther, View};

/// So many people, and as many teams, are offered to choose from.
const OFFERED: u64 = 20;

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
    let page = RestrictionPage::read(&db, &actor, &subject, &parameters).await?;
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
    let page = RestrictionPage::read(&db, &actor, &subject, &parameters).await?;
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
    let changed = match form.text("do") {
        "open" => scopes::open(db, actor, &subject.scope, Utc::now()).await,
        "restrict" => {
            let admitted = chosen(form)?;
            scopes::restrict(db, actor, &subject.scope, &admitted, Utc::now()).await
        }
        _ => {
            let wrong = "“do” is either “restrict” or “open”.";
            return Err(Failure::bad_parameter("do", wrong));
        }
    };
    let changed = changed.map(|()| SeeOther(subject.here.clone()));
    let again = async |refusal| {
        let page = RestrictionPage::read(db, actor, subject, form).await?;
        let refusal = Some(refusal);
        Ok(RestrictionPage { refusal, ..page })
    };
    forms::answer(changed, again).await
}

/// What is restricted or opened.
struct Subject {
    scope: Scope,
    word: &'static str,
    name: String,
    crumbs: Vec<Link>,
    here: String,
}

impl Subject {
    async fn database(db: &Db, actor: &Actor, id: AssetId) -> Result<Self, Failure> {
        actor.require(Permission::Restrict)?;
        let asset = catalog::find_asset(db, actor.sight(), id).await?;
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
            here: links::asset_restriction(id),
        })
    }

    async fn source(
        db: &Db,
        actor: &Actor,
        (platform, instance): (String, String),
    ) -> Result<Self, Failure> {
        actor.require(Permission::Restrict)?;
        let known = catalog::list_instances(db, actor.sight()).await?;
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
            name,
            here: links::instance_restriction(&platform, &instance),
            scope: Scope::Source { platform, instance },
        })
    }
}

fn source_name(platform: &str, instance: &str) -> String {
    format!("{} {instance}", platform_word(platform))
}

/// Who is ticked in a form.
fn chosen(form: &Parameters) -> Result<Admitted, Failure> {
    form.all("admit")
        .map(|text| {
            read(text).ok_or_else(|| {
                Failure::bad_parameter("admit", "“admit” names an account or a team by its id.")
            })
        })
        .collect()
}

/// Reads `account:ID` or `team:ID`.
fn read(text: &str) -> Option<Principal> {
    let (kind, id) = text.split_once(':')?;
    let id: Uuid = id.parse().ok()?;
    match kind {
        "account" => Some(Principal::Account(AccountId(id))),
        "team" => Some(Principal::Team(TeamId(id))),
        _ => None,
    }
}

/// A person or a team to tick.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    kind: &'static str,
    ticked: bool,
}

impl Choice {
    fn new(named: &Named, ticked: bool) -> Self {
        let (word, kind) = match named.principal {
            Principal::Account(_) => ("account", "person"),
            Principal::Team(_) => ("team", "team"),
        };
        let label = if named.label == named.name {
            named.name.clone()
        } else {
            format!("{} ({})", named.label, named.name)
        };
        Self {
            value: format!("{word}:{}", named.principal.id()),
            label,
            kind,
            ticked,
        }
    }
}

/// What `templates/restrictions/edit.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RestrictionPage {
    #[serde(skip)]
    title: String,
    crumbs: Vec<Link>,
    word: &'static str,
    name: Shortened,
    here: String,
    restricted: bool,
    now: String,
    find: String,
    choices: Vec<Choice>,
    none: &'static str,
    refusal: Option<Refusal>,
}

impl View for RestrictionPage {
    const TEMPLATE: &'static str = "restrictions/edit";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl RestrictionPage {
    /// Reads who is admitted, or, once somebody was looked for, who has been ticked; and who else may be.
    async fn read(
        db: &Db,
        actor: &Actor,
        subject: &Subject,
        form: &Parameters,
    ) -> Result<Self, Failure> {
        let present = scopes::find_restriction(db, &subject.scope).await?;
        let ticked = if form.has("find") {
            chosen(form)?
        } else {
            present.clone().unwrap_or_default()
        };
        let find = form.text("find").to_owned();
        let found = principals::search(db, actor, &find, OFFERED).await?;
        let ticked: Vec<Principal> = ticked.into_iter().collect();
        let names = principals::find_named(db, &ticked).await;
        let names = names.map_err(scopes::Error::from)?;
        let mut known: Vec<&Named> = names.values().collect();
        known.sort_by(|a, b| a.label.cmp(&b.label));
        let others = found
            .iter()
            .filter(|named| !names.contains_key(&named.principal));
        let choices = known.iter().map(|named| Choice::new(named, true));
        Ok(Self {
            title: format!("Who sees {}", name(&subject.name).shown),
            crumbs: subject.crumbs.clone(),
            word: subject.word,
            name: heading(&subject.name),
            here: subject.here.clone(),
            restricted: present.is_some(),
            now: present.map_or_else(|| "Everybody who may read.".to_owned(), |now| who(&now)),
            choices: choices
                .chain(others.map(|named| Choice::new(named, false)))
                .collect(),
            none: if find.is_empty() {
                "There is nobody to choose yet."
            } else {
                "Nobody has such a name."
            },
            find,
            refusal: None,
        })
    }
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
        "Admins alone.".to_owned()
    } else {
        format!("{}, and admins.", all.join(" and "))
    }
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
        "Restricted"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Restricted)
    }
}

impl RestrictedPage {
    async fn read(db: &Db, actor: &Actor, page: &ListPage<Restriction>) -> Result<Self, Failure> {
        let databases = page.items.iter().filter_map(|one| one.scope.database());
        let ids: Vec<AssetId> = databases.map(AssetId).collect();
        let assets = catalog::find_assets(db, actor.sight(), &ids).await?;
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

/// Whether something is restricted, and for admins where to change that.
#[derive(Debug, Serialize)]
pub(super) struct Door {
    /// Why not everybody sees it; nothing where everybody does.
    words: Option<&'static str>,
    href: Option<String>,
    label: &'static str,
}

impl Door {
    /// The door of a database.
    pub(super) async fn of_database(
        db: &Db,
        actor: &Actor,
        id: AssetId,
        place: &Place<'_>,
    ) -> Result<Self, Failure> {
        let words = if is_restricted(db, &place.in_database()).await? {
            Some("Only some people and teams see this database.")
        } else if is_restricted(db, &place.in_source()).await? {
            Some("Only some people and teams see this source.")
        } else {
            None
        };
        Ok(Self::new(actor, words, links::asset_restriction(id)))
    }

    /// The door of a source.
    pub(super) async fn of_source(
        db: &Db,
        actor: &Actor,
        platform: &str,
        instance: &str,
    ) -> Result<Self, Failure> {
        let scope = Scope::Source {
            platform: platform.to_owned(),
            instance: instance.to_owned(),
        };
        let restricted = is_restricted(db, &scope).await?;
        let words = restricted.then_some("Only some people and teams see this source.");
        let href = links::instance_restriction(platform, instance);
        Ok(Self::new(actor, words, href))
    }

    fn new(actor: &Actor, words: Option<&'static str>, href: String) -> Self {
        Self {
            words,
            href: actor.may(Permission::Restrict).then_some(href),
            label: if words.is_some() {
                "Change who sees it"
            } else {
                "Restrict"
            },
        }
    }
}

async fn is_restricted(db: &Db, scope: &Scope) -> Result<bool, Failure> {
    Ok(scopes::find_restriction(db, scope).await?.is_some())
}
