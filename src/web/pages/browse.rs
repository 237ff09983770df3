//! Sources, and the databases in each.

use actix_web::web::{Data, Path};
use serde::Serialize;

use super::asset_line::{AssetLine, Signs};
use super::parts::{Link, More, heading, inside_words, name, platform_word};
use super::restrictions::banner::RestrictionBanner;
use crate::auth::{Actor, Permission};
use crate::catalog::{self, AssetId, Children, Inside, InstanceSummary, Summary};
use crate::db::{Db, Page as ListPage, PageRequest};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Shortened, count};
use crate::web::view::{Page, Section, View};

/// So many databases of each source are on the first page.
const DATABASES_AT_FIRST: u64 = 60;

/// So many databases are listed at once.
const DATABASES: usize = 100;

/// `GET /browse`: every source with its databases.
pub(crate) async fn show(db: Data<Db>, actor: Actor) -> Result<Page<BrowsePage>, Failure> {
    let shelves = Shelf::read_all(&db, &actor, DATABASES_AT_FIRST).await?;
    let restricted = actor.may(Permission::Restrict);
    let restricted = restricted.then(links::restricted);
    Ok(Page(BrowsePage::new(shelves, restricted)))
}

/// `GET /browse/{platform}/{instance}`: the databases of one source.
pub(crate) async fn instance(
    db: Data<Db>,
    actor: Actor,
    place: Path<(String, String)>,
    parameters: Parameters,
) -> Result<Page<InstancePage>, Failure> {
    let (platform, instance) = place.into_inner();
    let known = catalog::list_instances(&db, actor.visibility()).await?;
    let summary = known
        .into_iter()
        .find(|known| known.platform == platform && known.instance == instance)
        .ok_or_else(|| Failure::not_found("Nothing was ever read from such a source."))?;
    let asked = Asked {
        filter: parameters.text("name"),
        gone: parameters.switch("gone")?,
    };
    let children = Children {
        instance: Some((&platform, &instance)),
        filter: asked.filter,
        gone: asked.gone,
        ..Children::default()
    };
    let databases = catalog::list_children(
        &db,
        actor.visibility(),
        &children,
        &parameters.page(DATABASES)?,
    )
    .await?;
    let inside = Databases::read(&db, &actor, databases).await?;
    let banner = RestrictionBanner::of_source(&db, &actor, &platform, &instance).await?;
    let signs = Signs::read(&db, &actor, inside.page.items.iter()).await?;
    let page = InstancePage::new(&summary, banner, &asked, (&inside, &signs));
    Ok(Page(page))
}

/// Some databases, and how much is in each.
struct Databases {
    page: ListPage<Summary>,
    inside: std::collections::HashMap<AssetId, Inside>,
}

impl Databases {
    async fn read(db: &Db, actor: &Actor, page: ListPage<Summary>) -> Result<Self, Failure> {
        let ids: Vec<AssetId> = page.items.iter().map(|summary| summary.id).collect();
        let inside = catalog::count_inside(db, actor.visibility(), &ids).await?;
        Ok(Self { page, inside })
    }
}

/// A source and the first of its databases.
#[derive(Debug, Serialize)]
pub(super) struct Shelf {
    /// For the heading, unique on the page.
    id: String,
    platform: String,
    name: Shortened,
    href: String,
    count: String,
    databases: Vec<Book>,
    /// What leads to the other databases, if there are any.
    more: Option<String>,
}

/// A database on a shelf.
#[derive(Debug, Serialize)]
struct Book {
    name: Shortened,
    href: String,
    inside: String,
}

impl Shelf {
    /// Reads every source with the first `most` of its databases; there are few sources.
    pub(super) async fn read_all(db: &Db, actor: &Actor, most: u64) -> Result<Vec<Self>, Failure> {
        let mut shelves = Vec::new();
        for summary in catalog::list_instances(db, actor.visibility()).await? {
            let children = Children {
                instance: Some((&summary.platform, &summary.instance)),
                ..Children::default()
            };
            let page = catalog::list_children(
                db,
                actor.visibility(),
                &children,
                &PageRequest::first(most),
            )
            .await?;
            let databases = Databases::read(db, actor, page).await?;
            shelves.push(Self::new(shelves.len(), &summary, &databases));
        }
        Ok(shelves)
    }

    fn new(index: usize, summary: &InstanceSummary, databases: &Databases) -> Self {
        let shown = databases.page.items.len() as u64;
        let more = databases.page.next.is_some();
        Self {
            id: format!("source-{index}"),
            platform: platform_word(&summary.platform),
            name: name(&summary.instance),
            href: links::instance(&summary.platform, &summary.instance),
            count: count(summary.databases, "database", "databases"),
            databases: databases
                .page
                .items
                .iter()
                .map(|summary| Book {
                    name: name(summary.address.name()),
                    href: links::asset(summary.id),
                    inside: inside_words(databases.inside.get(&summary.id)),
                })
                .collect(),
            more: more.then(|| match summary.databases.saturating_sub(shown) {
                0 => "All databases".to_owned(),
                others => count(others, "more database", "more databases"),
            }),
        }
    }
}

/// What `templates/browse/index.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct BrowsePage {
    /// For admins, what only some people see.
    restricted: Option<String>,
    summary: String,
    sources: Vec<Shelf>,
}

impl View for BrowsePage {
    const TEMPLATE: &'static str = "browse/index";

    fn title(&self) -> &'static str {
        "Browse"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

impl BrowsePage {
    fn new(sources: Vec<Shelf>, restricted: Option<String>) -> Self {
        Self {
            restricted,
            summary: match sources.len() {
                0 => String::new(),
                many => count(many as u64, "source", "sources"),
            },
            sources,
        }
    }
}

/// Which databases are asked for.
struct Asked<'a> {
    filter: &'a str,
    gone: bool,
}

/// What `templates/browse/instance.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct InstancePage {
    title: String,
    crumbs: Vec<Link>,
    platform: String,
    name: Shortened,
    banner: RestrictionBanner,
    summary: String,
    here: String,
    filter: String,
    with_gone: bool,
    databases: Vec<AssetLine>,
    none: &'static str,
    more: More,
}

impl View for InstancePage {
    const TEMPLATE: &'static str = "browse/instance";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

impl InstancePage {
    fn new(
        summary: &InstanceSummary,
        banner: RestrictionBanner,
        asked: &Asked<'_>,
        (databases, signs): (&Databases, &Signs),
    ) -> Self {
        let here = links::instance(&summary.platform, &summary.instance);
        let gone = if asked.gone { "1" } else { "" };
        let platform = platform_word(&summary.platform);
        Self {
            title: format!("{platform} {}", name(&summary.instance).shown),
            crumbs: vec![Link::new("Browse", links::browse())],
            platform,
            name: heading(&summary.instance),
            banner,
            summary: count(summary.databases, "database", "databases"),
            filter: asked.filter.to_owned(),
            with_gone: asked.gone,
            databases: databases
                .page
                .items
                .iter()
                .map(|summary| {
                    let inside = databases.inside.get(&summary.id);
                    AssetLine::in_place(summary, signs).holding(inside)
                })
                .collect(),
            none: if asked.filter.is_empty() {
                "There is no database in it."
            } else {
                "No database has such a name."
            },
            more: More::of(&databases.page, "Show more", |cursor| {
                let parameters = [
                    ("name", asked.filter),
                    ("gone", gone),
                    ("after", cursor.as_str()),
                ];
                links::with_query(&here, parameters)
            }),
            here,
        }
    }
}
