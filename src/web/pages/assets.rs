//! The page of one database, table or view.

use std::collections::{BTreeMap, HashMap};

use actix_web::Either;
use actix_web::web::{Data, Path};
use serde::Serialize;
use uuid::Uuid;

use super::asset_line::{AssetLine, Signs};
use super::changes::Changes;
use super::columns::{self, Columns, Wanted};
use super::editing;
use super::findings::FindingLine;
use super::parts::{
    Fact, Html, Link, More, Text, first_sentence, heading, inside_words, kind_word, name,
    platform_word,
};
use super::restrictions::door::Door;
use super::said::{Said, may_edit};
use super::sql::{self, highlight};
use super::toast::Toast;
use crate::auth::Actor;
use crate::catalog::{
    self, Alias, Asset, AssetId, AssetKind, Change, Children, Inside, LinkTarget, Order,
    SchemaReference, Summary, View as ViewText,
};
use crate::db::{Cursor, Db, Page as ListPage, PageRequest};
use crate::ingest::{self, Listed, RunFinding};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened, count, number, size};
use crate::web::view::{Page, Section, View};

/// So many changes are told at once.
const HISTORY: u64 = 10;

/// So many problems of the last run with an asset are told on its page.
const MOST_PROBLEMS: u64 = 5;

/// So many tables and views of a database are listed at once.
const INSIDE: usize = 100;

/// Of parameters, locations, other names and links of an asset no more than so many of each are shown; the API has all.
const MOST_LISTED: usize = 200;

/// A name that is copied is no longer than this.
const LONGEST_COPIED: usize = 10_000;

/// More of the SQL of a view is not shown; the API has the whole.
const LONGEST_SQL: usize = 100_000;

/// A view is shown in no more dialects than this.
const MOST_DIALECTS: usize = 5;

/// A SELECT statement names no more columns than this.
const MOST_SELECTED: usize = 100;

/// A long list offers so many beginnings of names.
const NAME_GROUPS: u64 = 8;

/// `GET /assets/{id}`: everything that is known of a database, table or view.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    parameters: Parameters,
) -> Result<Either<Page<DatabasePage>, Page<TablePage>>, Failure> {
    let asset = catalog::find_asset(&db, actor.sight(), *id).await?;
    let around = Around::read(&db, &actor, &asset, &parameters).await?;
    let said = Said::read(&db, &asset, &actor).await?;
    let toast = editing::toast(&asset, &parameters, may_edit(&asset, &actor));
    if asset.kind == AssetKind::Database {
        let asked = Asked::read(&parameters)?;
        let door = Door::of_database(&db, &actor, asset.id, &asset.place()).await?;
        let inside =
            catalog::list_children(&db, actor.sight(), &asked.children(asset.id), &asked.page)
                .await?;
        let signs = Signs::read(&db, &actor, inside.items.iter()).await?;
        let groups = NameGroups::read(&db, &actor, asset.id, &asked, &inside).await?;
        return Ok(Either::Left(Page(DatabasePage::new(
            Head::new(&asset, &around, said).telling(toast),
            &asset,
            (&around, door),
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
    let changes = catalog::list_history(&db, actor.sight(), *id, &page).await?;
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
                Some(parent) => catalog::find_summaries(db, actor.sight(), &[parent])
                    .await?
                    .remove(&parent),
                None => None,
            },
            history: catalog::list_history(
                db,
                actor.sight(),
                asset.id,
                &PageRequest::new(after, HISTORY),
            )
            .await?,
            aliases: catalog::list_aliases(db, actor.sight(), asset.id).await?,
            listed: ingest::latest_listing(db, actor.sight(), database).await?,
            target: match target {
                Some(address) => catalog::find_at(db, actor.sight(), &[&address])
                    .await?
                    .into_values()
                    .next(),
                None => None,
            },
            read: tables_read(db, actor, asset).await?,
            problems: ingest::list_problems_of(db, asset, MOST_PROBLEMS).await?,
            inside: catalog::count_inside(db, actor.sight(), &[asset.id])
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
    let known = catalog::find_at(db, actor.sight(), &addresses).await?;
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
    icon: &'static str,
    kind: &'static str,
    address: String,
    copies: Vec<Copy>,
    toast: Option<Toast>,
    gone: Option<Moment>,
    target: Option<Target>,
    problems: Option<Problems>,
    said: Said,
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
    fn new(asset: &Asset, around: &Around, said: Said) -> Self {
        let parameters = parameters(asset);
        let listed = around.listed.as_ref();
        Self {
            crumbs: crumbs(asset, around.parent.as_ref()),
            name: heading(asset.address.name()),
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

/// What `templates/assets/database.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct DatabasePage {
    #[serde(flatten)]
    head: Head,
    door: Door,
    incomplete: Option<Text>,
    here: String,
    filter: String,
    with_gone: bool,
    orders: Vec<OrderChoice>,
    groups: Option<NameGroups>,
    rows: Vec<AssetLine>,
    none: &'static str,
    more: More,
}

impl View for DatabasePage {
    const TEMPLATE: &'static str = "assets/database";

    fn title(&self) -> &str {
        &self.head.name.shown
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

/// The names of a long list by how they begin.
#[derive(Debug, Serialize)]
struct NameGroups {
    /// The beginning that was chosen, and the list without it.
    chosen: Option<NameGroup>,
    /// Longer beginnings.
    groups: Vec<NameGroup>,
}

/// The names that begin alike.
#[derive(Debug, Serialize)]
struct NameGroup {
    beginning: Shortened,
    /// The beginning whole, for a form to keep.
    value: String,
    names: String,
    href: String,
}

impl NameGroups {
    /// Reads them for the first page of a list that has more, and for a group that was chosen.
    async fn read(
        db: &Db,
        actor: &Actor,
        database: AssetId,
        asked: &Asked<'_>,
        inside: &ListPage<Summary>,
    ) -> Result<Option<Self>, Failure> {
        let is_long = inside.next.is_some() && asked.page.after.is_none();
        if asked.beginning.is_empty() && !(is_long && asked.filter.is_empty()) {
            return Ok(None);
        }
        let children = asked.children(database);
        let found = catalog::list_beginnings(db, actor.sight(), &children, NAME_GROUPS).await?;
        let here = links::asset(database);
        let group = |beginning: &str, names: String, href: String| NameGroup {
            beginning: name(beginning),
            value: beginning.to_owned(),
            names,
            href,
        };
        let groups = found.iter().map(|found| {
            let href = asked.href(&here, &found.text, "");
            group(&found.text, number(found.names), href)
        });
        let chosen = Some(asked.beginning).filter(|chosen| !chosen.is_empty());
        Ok(Some(Self {
            groups: groups.collect(),
            chosen: chosen.map(|chosen| group(chosen, String::new(), asked.href(&here, "", ""))),
        }))
    }
}

/// An order that tables and views can be sorted by.
#[derive(Debug, Serialize)]
struct OrderChoice {
    value: &'static str,
    label: &'static str,
    chosen: bool,
}

fn order_label(order: Order) -> &'static str {
    match order {
        Order::Name => "Name",
        Order::Rows => "Rows",
        Order::Changed => "Definition changed",
    }
}

/// Which tables and views of a database are asked for.
struct Asked<'a> {
    filter: &'a str,
    beginning: &'a str,
    gone: bool,
    order: Order,
    page: PageRequest,
}

impl<'a> Asked<'a> {
    fn read(parameters: &'a Parameters) -> Result<Self, Failure> {
        Ok(Self {
            filter: parameters.text("name"),
            beginning: parameters.text("begins"),
            gone: parameters.switch("gone")?,
            order: parameters.one("sort")?,
            page: parameters.page(INSIDE)?,
        })
    }

    fn children(&self, parent: AssetId) -> Children<'a> {
        Children {
            parent: Some(parent),
            filter: self.filter,
            beginning: self.beginning,
            gone: self.gone,
            order: self.order,
            ..Children::default()
        }
    }

    /// Where the list is that has only names with this beginning, from `cursor` on.
    fn href(&self, here: &str, beginning: &str, cursor: &str) -> String {
        let sort = match self.order {
            Order::Name => "",
            other => other.as_str(),
        };
        links::with_query(
            here,
            [
                ("name", self.filter),
                ("begins", beginning),
                ("gone", if self.gone { "1" } else { "" }),
                ("sort", sort),
                ("after", cursor),
            ],
        )
    }
}

impl DatabasePage {
    fn new(
        head: Head,
        asset: &Asset,
        (around, door): (&Around, Door),
        asked: &Asked<'_>,
        (inside, signs, groups): (&ListPage<Summary>, &Signs, Option<NameGroups>),
    ) -> Self {
        let listed = around.listed.as_ref();
        let here = links::asset(asset.id);
        Self {
            head,
            door,
            incomplete: listed
                .filter(|listed| !listed.complete)
                .map(|listed| Text::new(listed.reason.as_deref().unwrap_or_default())),
            filter: asked.filter.to_owned(),
            with_gone: asked.gone,
            orders: Order::ALL
                .map(|order| OrderChoice {
                    value: order.as_str(),
                    label: order_label(order),
                    chosen: order == asked.order,
                })
                .into(),
            rows: inside
                .items
                .iter()
                .map(|asset| AssetLine::in_place(asset, signs))
                .collect(),
            none: if asked.filter.is_empty() && asked.beginning.is_empty() {
                "There is no table or view in it."
            } else {
                "No table or view in it has such a name."
            },
            more: More::of(inside, "Show more", |cursor| {
                asked.href(&here, asked.beginning, cursor.as_str())
            }),
            groups,
            here,
        }
    }
}

fn database_trust(asset: &Asset, around: &Around) -> Vec<Fact> {
    let trust = [
        Some(Fact::text("Contents", &inside_words(Some(&around.inside)))),
        listing_fact(asset, around.listed.as_ref()),
        asset
            .source
            .storage
            .locations
            .first()
            .map(|place| Fact::text("Location", place).mono()),
    ];
    trust.into_iter().flatten().collect()
}

/// What `templates/assets/table.hbs` can show: a table or a view.
#[derive(Debug, Serialize)]
pub(crate) struct TablePage {
    #[serde(flatten)]
    head: Head,
    columns: Columns,
    sql: Option<Sql>,
}

impl View for TablePage {
    const TEMPLATE: &'static str = "assets/table";

    fn title(&self) -> &str {
        &self.head.name.shown
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

/// The text of a view.
#[derive(Debug, Serialize)]
struct Sql {
    dialect: String,
    /// What the source says of this text.
    state: Option<String>,
    meaning: Option<String>,
    /// Nothing when the source gives none.
    html: Option<Html>,
    /// What is left out of it.
    left_out: Option<String>,
    others: Vec<OtherSql>,
    facts: Vec<StorageFact>,
}

#[derive(Debug, Serialize)]
struct OtherSql {
    dialect: String,
    state: Option<String>,
    html: Html,
}

#[derive(Debug, Serialize)]
struct StorageFact {
    label: &'static str,
    mono: bool,
    values: Vec<Text>,
}

#[derive(Debug, Serialize)]
struct AliasFact {
    system: String,
    name: Text,
}

impl TablePage {
    fn new(
        head: Head,
        asset: &Asset,
        read: &HashMap<Vec<String>, AssetId>,
        columns: Columns,
    ) -> Self {
        Self {
            head,
            columns,
            sql: asset.source.view.as_ref().map(|view| Sql::new(view, read)),
        }
    }
}

/// Other names of an asset. The storage has the place of its files already.
fn aliases(asset: &Asset, aliases: &[Alias]) -> Vec<AliasFact> {
    let locations = &asset.source.storage.locations;
    let is_told = |alias: &&Alias| {
        let name = alias.name.trim_end_matches('/');
        !locations.iter().any(|at| at.trim_end_matches('/') == name)
    };
    let aliases = aliases.iter().filter(is_told).take(MOST_LISTED);
    aliases.map(AliasFact::from).collect()
}

fn table_trust(asset: &Asset, listed: Option<&Listed>) -> Vec<Fact> {
    let facts = &asset.facts;
    let bytes = facts.bytes.and_then(|bytes| u64::try_from(bytes).ok());
    let trust = [
        facts
            .updated_at
            .map(|at| Fact::at("Definition changed", at)),
        facts.rows.map(|rows| Fact::text("Rows", &number(rows))),
        bytes.map(|bytes| Fact::text("Size", &size(bytes)).titled(count(bytes, "byte", "bytes"))),
        partitioned_by(asset).map(|keys| Fact::text("Partitioned by", &keys).mono()),
        listing_fact(asset, listed),
    ];
    trust.into_iter().flatten().collect()
}

/// The columns by which its files are parted, for who wants to read few of them.
fn partitioned_by(asset: &Asset) -> Option<String> {
    let columns = asset.source.columns.iter();
    let keys = columns.filter(|column| column.partition_key);
    let keys: Vec<&str> = keys
        .take(MOST_LISTED)
        .map(|column| column.name.as_str())
        .collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

/// A statement that reads every column, with names quoted so that any name will do.
fn select(asset: &Asset) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = asset
        .source
        .columns
        .iter()
        .filter(|column| !column.bookkeeping)
        .take(MOST_SELECTED + 1)
        .map(|column| quoted(&column.name))
        .collect();
    let what = match columns.len() {
        0 => "*".to_owned(),
        many if many > MOST_SELECTED => "*".to_owned(),
        _ => columns.join(", "),
    };
    let path = asset.facts.catalog.iter().chain(&asset.address.path);
    let path: Vec<String> = path.map(|name| quoted(name)).collect();
    let statement = format!("SELECT {what}\nFROM {}\nLIMIT 100", path.join("."));
    Shortened::to(LONGEST_COPIED, &statement).shown
}

impl Sql {
    fn new(view: &ViewText, read: &HashMap<Vec<String>, AssetId>) -> Self {
        let href = |name: &[String]| read.get(name).map(|id| links::asset(*id));
        let place: Vec<&str> = [&view.default_catalog, &view.default_database]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        let dialect = view.dialect.as_deref().unwrap_or_default();
        Self {
            dialect: name(dialect).shown,
            state: dialect_state(view, dialect),
            meaning: (!place.is_empty()).then(|| {
                format!(
                    "Unqualified table names refer to {}.",
                    name(&place.join(".")).shown
                )
            }),
            html: (!view.sql.is_empty()).then(|| sql::linked(beginning(&view.sql), href)),
            left_out: (view.sql.len() > LONGEST_SQL).then(|| {
                let whole = size(view.sql.len() as u64);
                format!("This is the beginning. The whole, {whole}, is in the API.")
            }),
            others: view
                .other_dialects
                .iter()
                .take(MOST_DIALECTS)
                .map(|(dialect, sql)| OtherSql {
                    dialect: match name(dialect).shown {
                        unnamed if unnamed.is_empty() => "another engine".to_owned(),
                        named => named,
                    },
                    state: dialect_state(view, dialect),
                    html: highlight(beginning(sql)),
                })
                .collect(),
            facts: view_facts(view),
        }
    }
}

/// As much of the SQL of a view as is shown.
fn beginning(sql: &str) -> &str {
    sql.get(..sql.floor_char_boundary(LONGEST_SQL))
        .unwrap_or(sql)
}

/// What the source says of the text for one engine, in words.
fn dialect_state(view: &ViewText, dialect: &str) -> Option<String> {
    let facts = view.dialect_facts.get(dialect)?;
    let words = [
        facts
            .version
            .as_ref()
            .map(|version| format!("version {version}")),
        facts.stale.then(|| "stale".to_owned()),
        facts
            .connection
            .as_ref()
            .map(|connection| format!("checked with {connection}")),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| name(&words.join(", ")).shown)
}

/// Who defines the view and what it reads.
fn view_facts(view: &ViewText) -> Vec<StorageFact> {
    let protected = view.protected.then(|| "yes".to_owned());
    let facts: [(&'static str, bool, &[String]); 3] = [
        ("Defined by", true, view.definer.as_slice()),
        ("Protected", false, protected.as_slice()),
        ("Reads", true, &view.reads),
    ];
    facts.into_iter().filter_map(StorageFact::new).collect()
}

fn storage(asset: &Asset) -> Vec<StorageFact> {
    let storage = &asset.source.storage;
    let files: Vec<String> = asset.facts.files.map(number).into_iter().collect();
    let buckets: Vec<String> = storage.buckets.map(number).into_iter().collect();
    let skew = storage.skew.clone().unwrap_or_default();
    let apart: Vec<String> = skew
        .locations
        .iter()
        .map(|(value, location)| format!("{value}: {location}"))
        .collect();
    let schema: Vec<String> = storage.schema.iter().flat_map(schema_words).collect();
    let compressed: Vec<String> = storage
        .compressed
        .then(|| "yes".to_owned())
        .into_iter()
        .collect();
    let facts: [(&'static str, bool, &[String]); 11] = [
        ("Format", false, storage.format.as_slice()),
        ("Schema in a registry", true, &schema),
        ("Bucketed by", true, &storage.bucket_columns),
        ("Buckets", false, &buckets),
        ("Sorted by", true, &storage.sort_columns),
        ("Skewed by", true, &skew.columns),
        ("Skewed values", true, &skew.values),
        ("Skewed values lie in", true, &apart),
        ("Compressed", false, &compressed),
        ("Files", false, &files),
        ("Location", true, &storage.locations),
    ];
    let facts = facts
        .into_iter()
        .chain([("Table type", true, asset.source.subtype.as_slice())]);
    facts.filter_map(StorageFact::new).collect()
}

impl StorageFact {
    /// A fact, unless there is nothing to say.
    fn new((label, mono, values): (&'static str, bool, &[String])) -> Option<Self> {
        let values: Vec<Text> = values
            .iter()
            .take(MOST_LISTED)
            .map(|value| Text::exact(120, value))
            .collect();
        (!values.is_empty()).then_some(Self {
            label,
            mono,
            values,
        })
    }
}

/// The registry, name and version of a schema, or whatever else the source says of them.
fn schema_words(schema: &SchemaReference) -> Vec<String> {
    let name = [&schema.registry, &schema.name].map(|part| part.as_deref().unwrap_or_default());
    let version = schema.version.map(|version| format!("version {version}"));
    let words = [
        Some(name.join(" / ")).filter(|_| name.iter().all(|part| !part.is_empty())),
        Some(name.concat()).filter(|_| name.iter().any(|part| part.is_empty())),
        schema.arn.clone(),
        version,
        schema.version_id.clone(),
    ];
    words
        .into_iter()
        .flatten()
        .filter(|words| !words.is_empty())
        .collect()
}

impl From<&Alias> for AliasFact {
    fn from(alias: &Alias) -> Self {
        Self {
            system: match alias.system.as_str() {
                "s3" => "Amazon S3".to_owned(),
                "trino" => "Trino".to_owned(),
                "hive" => "Hive".to_owned(),
                "athena" => "Athena".to_owned(),
                other => name(other).shown,
            },
            name: Text::exact(160, &alias.name),
        }
    }
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
