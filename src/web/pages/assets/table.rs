//! The page of one table or view: its columns, its SQL, where it is stored.

use std::collections::HashMap;

use serde::Serialize;

use super::{Head, LONGEST_COPIED, MOST_LISTED, listing_fact};
use crate::catalog::{Alias, Asset, AssetId, SchemaReference, ViewDefinition};
use crate::ingest::Listed;
use crate::web::links;
use crate::web::pages::columns::Columns;
use crate::web::pages::parts::{Fact, Html, Text, name};
use crate::web::pages::sql::{self, highlight};
use crate::web::text::{Shortened, count, number, size};
use crate::web::view::{Section, View};

/// More of the SQL of a view is not shown; the API has the whole.
const LONGEST_SQL: usize = 100_000;

/// A view is shown in no more dialects than this.
const MOST_DIALECTS: usize = 5;

/// A SELECT statement names no more columns than this.
const MOST_SELECTED: usize = 100;

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
pub(super) struct StorageFact {
    label: &'static str,
    mono: bool,
    values: Vec<Text>,
}

#[derive(Debug, Serialize)]
pub(super) struct AliasFact {
    system: String,
    name: Text,
}

impl TablePage {
    pub(super) fn new(
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
pub(super) fn aliases(asset: &Asset, aliases: &[Alias]) -> Vec<AliasFact> {
    let locations = &asset.source.storage.locations;
    let is_told = |alias: &&Alias| {
        let name = alias.name.trim_end_matches('/');
        !locations.iter().any(|at| at.trim_end_matches('/') == name)
    };
    let aliases = aliases.iter().filter(is_told).take(MOST_LISTED);
    aliases.map(AliasFact::from).collect()
}

pub(super) fn table_trust(asset: &Asset, listed: Option<&Listed>) -> Vec<Fact> {
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
pub(super) fn select(asset: &Asset) -> String {
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
    fn new(view: &ViewDefinition, read: &HashMap<Vec<String>, AssetId>) -> Self {
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
pub(super) fn beginning(sql: &str) -> &str {
    sql.get(..sql.floor_char_boundary(LONGEST_SQL))
        .unwrap_or(sql)
}

/// What the source says of the text for one engine, in words.
fn dialect_state(view: &ViewDefinition, dialect: &str) -> Option<String> {
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
fn view_facts(view: &ViewDefinition) -> Vec<StorageFact> {
    let protected = view.protected.then(|| "yes".to_owned());
    let facts: [(&'static str, bool, &[String]); 3] = [
        ("Defined by", true, view.definer.as_slice()),
        ("Protected", false, protected.as_slice()),
        ("Reads", true, &view.reads),
    ];
    facts.into_iter().filter_map(StorageFact::new).collect()
}

pub(super) fn storage(asset: &Asset) -> Vec<StorageFact> {
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
