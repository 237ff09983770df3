//! The page of one database, table or view.

mod database;
mod table;

use std::collections::{BTreeMap, HashMap};

use actix_web::Either;
use actix_web::web::{Data, Path};
use serde::Serialize;
use uuid::Uuid;

use super::asset_line::Signs;
use super::changes::Changes;
use super::columns::{self, Wanted};
use super::findings::FindingLine;
use super::overview::{Overview, may_edit};
use super::parts::{Fact, Link, Text, first_sentence, heading, kind_word, name, platform_word};
use super::restrictions::banner::RestrictionBanner;
use super::sql;
use super::toast::Toast;
use crate::auth::Actor;
use crate::catalog::{self, Alias, Asset, AssetId, AssetKind, Change, Inside, LinkTarget, Summary};
use crate::db::{Cursor, Db, Page as ListPage, PageRequest};
use crate::ingest::{self, Listed, RunFinding};
use crate::web::aspects;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened, number};
use crate::web::view::{Page, Section, View};

use self::database::{Asked, DatabasePage, NameGroups, database_trust};
use self::table::{
    AliasFact, StorageFact, TablePage, aliases, beginning, select, storage, table_trust,
};

/// So many changes are told at once.
const HISTORY: u64 = 10;

/// So many problems of the last run with an asset are told on its page.
const MOST_PROBLEMS: u64 = 5;

/// Of parameters, locations, other names and links of an asset no more than so many of each are shown; the API has all.
const MOST_LISTED: usize = 200;

/// A name that is copied is no longer than this.
const LONGEST_COPIED: usize = 10_000;

/// `GET /assets/{id}`: everything that is known of a database, table or view.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    parameters: Parameters,
) -> Result<Either<Page<DatabasePage>, Page<TablePage>>, Failure> {
    let asset = catalog::find_asset(&db, actor.visibility(), *id).await?;
    let around = Around::read(&db, &actor, &asset, &parameters).await?;
    let said = Overview::read(&db, &asset, &actor).await?;
    let toast = aspects::edit::toast(&asset, &parameters, may_edit(&asset, &actor));
    if asset.kind == AssetKind::Database {
        let asked = Asked::read(&parameters)?;
        let banner = RestrictionBanner::of_database(&db, &actor, asset.id, &asset.place()).await?;
        let inside = catalog::list_children(
            &db,
            actor.visibility(),
            &asked.children(asset.id),
            &asked.page,
        )
        .await?;
        let signs = Signs::read(&db, &actor, inside.items.iter()).await?;
        let groups = NameGroups::read(&db, &actor, asset.id, &asked, &inside).await?;
        return Ok(Either::Left(Page(DatabasePage::new(
            Head::new(&asset, &around, said).telling(toast),
            &asset,
            (&around, banner),
            &asked,
            (&inside, &signs, groups),
        ))));
    }
    let (asset, columns) = columns::of(&db, &actor, asset, Wanted::read(&parameters)?).await?;
    Ok(Either::Right(Page(TablePage::new(
        Head::new(&asset, &around, said).telling(toast),
        &asset,
        &around.read,
        columns,
    ))))
}

/// `GET /assets/{id}/history`: more lines of its history.
pub(crate) async fn history(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    parameters: Parameters,
) -> Result<Page<HistoryPart>, Failure> {
    let page = parameters.page(50)?;
    let changes = catalog::list_history(&db, actor.visibility(), *id, &page).await?;
    Ok(Page(HistoryPart {
        id: "history-list",
        changes: Changes::of_asset(*id, &changes),
    }))
}

/// What is known around an asset.
struct Around {
    parent: Option<Summary>,
    history: ListPage<Change>,
    aliases: Vec<Alias>,
    /// How the database, this one or the one it is in, was last listed.
    listed: Option<Listed>,
    target: Option<AssetId>,
    inside: Inside,
    /// The tables that the SQL of a view reads, by their names there.
    read: HashMap<Vec<String>, AssetId>,
    problems: Option<(Uuid, Vec<RunFinding>)>,
}

impl Around {
    async fn read(
        db: &Db,
        actor: &Actor,
        asset: &Asset,
        parameters: &Parameters,
    ) -> Result<Self, Failure> {
        let after = parameters.all("history").next().map(Cursor::from_text);
        let database = asset.parent.unwrap_or(asset.id);
        let target = target_address(asset);
        Ok(Self {
            parent: match asset.parent {
                Some(parent) => catalog::find_summaries(db, actor.visibility(), &[parent])
                    .await?
                    .remove(&parent),
                None => None,
            },
            history: catalog::list_history(
                db,
                actor.visibility(),
                asset.id,
                &PageRequest::new(after, HISTORY),
            )
            .await?,
            aliases: catalog::list_aliases(db, actor.visibility(), asset.id).await?,
            listed: ingest::latest_listing(db, actor.visibility(), database).await?,
            target: match target {
                Some(address) => catalog::find_at(db, actor.visibility(), &[&address])
                    .await?
                    .into_values()
                    .next(),
                None => None,
            },
            read: tables_read(db, actor, asset).await?,
            problems: ingest::list_problems_of(db, asset, MOST_PROBLEMS).await?,
            inside: catalog::count_inside(db, actor.visibility(), &[asset.id])
                .await?
                .remove(&asset.id)
                .unwrap_or_default(),
        })
    }
}

/// Finds the tables that the SQL of a view names.
async fn tables_read(
    db: &Db,
    actor: &Actor,
    asset: &Asset,
) -> Result<HashMap<Vec<String>, AssetId>, Failure> {
    let Some(view) = &asset.source.view else {
        return Ok(HashMap::new());
    };
    let own = asset.address.path.first();
    let database = view.default_database.as_ref().or(own);
    let tables = sql::tables(beginning(&view.sql)).into_iter();
    let named: Vec<(Vec<String>, catalog::Address)> = tables
        .take(MOST_LISTED)
        .filter_map(|name| {
            let table = name.last()?.to_lowercase();
            let within = name.len().checked_sub(2).and_then(|at| name.get(at));
            let database = within.or(database)?.to_lowercase();
            let path = vec![database, table];
            let address = catalog::Address {
                path,
                ..asset.address.clone()
            };
            Some((name, address))
        })
        .collect();
    let addresses: Vec<&catalog::Address> = named.iter().map(|(_, address)| address).collect();
    let known = catalog::find_at(db, actor.visibility(), &addresses).await?;
    let known = |address: &catalog::Address| known.get(&address.identity()).copied();
    let read = named.into_iter();
    Ok(read
        .filter_map(|(name, address)| Some((name, known(&address)?)))
        .collect())
}

/// Where a link leads, as far as that is in the same account and region.
fn target_address(asset: &Asset) -> Option<catalog::Address> {
    let link = asset.source.link.as_ref()?;
    Some(catalog::Address {
        platform: asset.address.platform.clone(),
        instance: link
            .instance
            .clone()
            .unwrap_or_else(|| asset.address.instance.clone()),
        path: link.path.clone(),
    })
}

/// What the pages of all kinds of asset show.
#[derive(Debug, Serialize)]
struct Head {
    crumbs: Vec<Link>,
    name: Shortened,
    /// What people call it.
    called: Option<String>,
    icon: &'static str,
    kind: &'static str,
    address: String,
    copies: Vec<Copy>,
    toast: Option<Toast>,
    gone: Option<Moment>,
    target: Option<Target>,
    problems: Option<Problems>,
    said: Overview,
    trust: Vec<Fact>,
    links: Vec<Outward>,
    facts: Vec<Fact>,
    parameters: Vec<Parameter>,
    parameters_count: String,
    storage: Vec<StorageFact>,
    aliases: Vec<AliasFact>,
    history: Changes,
    id: &'static str,
}

/// What the last run could not read of an asset.
#[derive(Debug, Serialize)]
struct Problems {
    findings: Vec<FindingLine>,
    run: String,
}

impl Problems {
    /// Nothing where the last run had no problem with it.
    fn new(around: &Around) -> Option<Self> {
        let (run, problems) = around.problems.as_ref()?;
        let lines = problems.iter().map(FindingLine::new);
        Some(Self {
            findings: lines.map(FindingLine::at_home).collect(),
            run: links::run(*run),
        })
    }
}

/// What a link stands for.
#[derive(Debug, Serialize)]
struct Target {
    shown: String,
    href: Option<String>,
    instance: Option<String>,
}

/// Something to copy. `{url}` in it stands for the address of the page.
#[derive(Debug, Serialize)]
struct Copy {
    label: &'static str,
    text: String,
}

/// A page of another tool.
#[derive(Debug, Serialize)]
struct Outward {
    label: String,
    href: String,
}

#[derive(Debug, Serialize)]
struct Parameter {
    key: String,
    value: Text,
}

impl Head {
    fn new(asset: &Asset, around: &Around, said: Overview) -> Self {
        let parameters = parameters(asset);
        let listed = around.listed.as_ref();
        Self {
            crumbs: crumbs(asset, around.parent.as_ref()),
            name: heading(asset.address.name()),
            called: asset.human.title().map(str::to_owned),
            icon: super::parts::icon(asset.kind),
            kind: kind_of(asset),
            address: links::asset(asset.id),
            copies: copies(asset),
            toast: None,
            gone: asset.gone_at.map(Moment::of),
            target: asset
                .source
                .link
                .as_ref()
                .map(|link| Target::new(link, around.target)),
            problems: Problems::new(around),
            said,
            trust: match asset.kind {
                AssetKind::Database => database_trust(asset, around),
                AssetKind::Table | AssetKind::View => table_trust(asset, listed),
            },
            links: outward(asset),
            facts: facts(asset),
            parameters_count: more_than(parameters.len()),
            parameters,
            storage: match asset.kind {
                AssetKind::Database => Vec::new(),
                AssetKind::Table | AssetKind::View => storage(asset),
            },
            aliases: aliases(asset, &around.aliases),
            history: Changes::of_asset(asset.id, &around.history),
            id: "history-list",
        }
    }

    /// With what was just done.
    fn telling(self, toast: Option<Toast>) -> Self {
        Self { toast, ..self }
    }
}

fn kind_of(asset: &Asset) -> &'static str {
    let view = asset.source.view.as_ref();
    if view.is_some_and(|view| view.materialized) {
        "Materialized view"
    } else {
        kind_word(asset.kind)
    }
}

/// What people take along to another tool.
fn copies(asset: &Asset) -> Vec<Copy> {
    let qualified = Shortened::to(LONGEST_COPIED, &asset.address.path.join(".")).shown;
    let sentence = asset.description().unwrap_or_default();
    let sentence = match first_sentence(&sentence).shown {
        empty if empty.is_empty() => empty,
        sentence => format!(": {sentence}"),
    };
    let markdown = format!(
        "[{}]({{url}}){sentence}",
        qualified.replace(['[', ']'], " ")
    );
    let select = (asset.kind != AssetKind::Database).then(|| ("SELECT", select(asset)));
    let copies = [
        Some(("Name", qualified)),
        select,
        Some(("Link", "{url}".to_owned())),
        Some(("Markdown", markdown)),
    ];
    let copies = copies.into_iter().flatten();
    copies.map(|(label, text)| Copy { label, text }).collect()
}

impl Target {
    fn new(link: &LinkTarget, id: Option<AssetId>) -> Self {
        Self {
            shown: name(&link.path.join(".")).shown,
            href: id.map(links::asset),
            instance: link
                .instance
                .as_deref()
                .map(|instance| name(instance).shown),
        }
    }
}

fn crumbs(asset: &Asset, parent: Option<&Summary>) -> Vec<Link> {
    let address = &asset.address;
    let source = format!("{} {}", platform_word(&address.platform), address.instance);
    let mut crumbs = vec![
        Link::new("Browse", links::browse()),
        Link::new(
            &source,
            links::instance(&address.platform, &address.instance),
        ),
    ];
    crumbs.extend(parent.map(Link::to_summary));
    crumbs
}

/// Pages of other tools, as far as their addresses are ones that a browser may follow.
fn outward(asset: &Asset) -> Vec<Outward> {
    let safe = |url: &str| {
        let scheme = url
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        matches!(scheme.as_deref(), Some("http" | "https"))
    };
    asset
        .facts
        .links
        .iter()
        .filter(|link| safe(&link.url))
        .take(MOST_LISTED)
        .map(|link| Outward {
            label: name(&link.label).shown,
            href: link.url.clone(),
        })
        .collect()
}

fn parameters(asset: &Asset) -> Vec<Parameter> {
    let both: BTreeMap<&String, &String> = asset
        .source
        .parameters
        .iter()
        .chain(&asset.facts.parameters)
        .collect();
    both.into_iter()
        .take(MOST_LISTED)
        .map(|(key, value)| Parameter {
            key: name(key).shown,
            value: Text::exact(120, value),
        })
        .collect()
}

/// How many there are, as far as they are shown.
fn more_than(shown: usize) -> String {
    if shown < MOST_LISTED {
        return number(shown as u64);
    }
    format!("the first {}", number(shown as u64))
}

fn facts(asset: &Asset) -> Vec<Fact> {
    let facts = &asset.facts;
    [
        facts.created_at.map(|at| Fact::at("Created", at)),
        facts
            .created_by
            .as_deref()
            .map(|who| Fact::text("Created by", who)),
        facts.accessed_at.map(|at| Fact::at("Last accessed", at)),
        facts.analyzed_at.map(|at| Fact::at("Last analysed", at)),
        facts
            .version
            .as_deref()
            .map(|version| Fact::text("Version", version)),
        Some(Fact::at("First seen", asset.first_seen)),
        Some(Fact::text("Catalog ID", &asset.id.to_string()).mono()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How far the reader can trust what is shown: when the source was last asked, or since when it has it no longer.
fn listing_fact(asset: &Asset, listed: Option<&Listed>) -> Option<Fact> {
    if let Some(gone) = asset.gone_at {
        return Some(Fact::at("Removed", gone));
    }
    let listed = listed?;
    Some(if listed.complete {
        Fact::at("Last checked", listed.listed_at)
    } else {
        let when = Moment::of(listed.listed_at);
        Fact::text("Last checked", &format!("{}, in part", when.ago)).titled(when.exact)
    })
}

/// What `templates/part/history.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct HistoryPart {
    id: &'static str,
    changes: Changes,
}

impl View for HistoryPart {
    const TEMPLATE: &'static str = "assets/history_alone";
    const PART: Option<&'static str> = Some("part/history");

    fn title(&self) -> &'static str {
        "History"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}
