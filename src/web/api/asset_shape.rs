//! How an asset looks in JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::catalog::{
    Alias, Asset, AssetId, Column, EngineColumn, Facts, Inside, SchemaReference, Skew, SourceLayer,
    Summary, ViewDefinition,
};
use crate::ingest::Listed;
use crate::web::aspects::shape::HumanShape;
use crate::web::links;

/// An asset with what its source and what people say of it, apart.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct AssetShape {
    id: Uuid,
    /// `database`, `table` or `view`.
    kind: &'static str,
    platform: String,
    instance: String,
    /// Names from the outermost to the asset's own.
    path: Vec<String>,
    name: String,
    /// Its page here.
    url: String,
    /// The database it is in.
    parent: Option<Uuid>,
    first_seen: DateTime<Utc>,
    /// When its source was last known to have it.
    last_seen: DateTime<Utc>,
    /// How the newest listing of its database ended.
    listing: Option<ListingShape>,
    /// Since when its source no longer lists it.
    gone_at: Option<DateTime<Utc>>,
    source: SourceShape,
    facts: FactsShape,
    human: HumanShape,
    /// Other names of the same thing.
    aliases: Vec<AliasShape>,
    /// Its pages in other tools.
    links: Vec<LinkShape>,
}

/// What runs know of an asset.
pub(super) struct Seen {
    pub(super) last_seen: DateTime<Utc>,
    pub(super) listing: Option<Listed>,
}

/// How a listing of a database ended.
#[derive(Debug, Serialize, ToSchema)]
struct ListingShape {
    /// Whether it was read to its last page.
    complete: bool,
    /// Why not.
    reason: Option<String>,
    listed_at: DateTime<Utc>,
    run: Uuid,
}

impl From<Listed> for ListingShape {
    fn from(listed: Listed) -> Self {
        Self {
            complete: listed.complete,
            reason: listed.reason,
            listed_at: listed.listed_at,
            run: listed.run,
        }
    }
}

impl AssetShape {
    pub(super) fn new(asset: Asset, aliases: Vec<Alias>, seen: Seen) -> Self {
        let links = asset.facts.links.iter();
        let links = links.map(|link| LinkShape {
            label: link.label.clone(),
            url: link.url.clone(),
        });
        Self {
            id: asset.id.0,
            kind: asset.kind.as_str(),
            name: asset.address.name().to_owned(),
            url: links::asset(asset.id),
            platform: asset.address.platform,
            instance: asset.address.instance,
            path: asset.address.path,
            parent: asset.parent.map(|parent| parent.0),
            first_seen: asset.first_seen,
            last_seen: seen.last_seen,
            listing: seen.listing.map(ListingShape::from),
            gone_at: asset.gone_at,
            links: links.collect(),
            source: asset.source.into(),
            facts: asset.facts.into(),
            human: asset.human.into(),
            aliases: aliases.into_iter().map(AliasShape::from).collect(),
        }
    }
}

/// What the source says.
#[derive(Debug, Serialize, ToSchema)]
struct SourceShape {
    description: Option<String>,
    owner: Option<String>,
    /// What the source itself calls this sort of table.
    subtype: Option<String>,
    /// Columns in the source's order, each with the fields nested in it.
    columns: Vec<ColumnShape>,
    view: Option<ViewShape>,
    locations: Vec<String>,
    /// The format in words.
    format: Option<String>,
    compressed: bool,
    bucket_columns: Vec<String>,
    sort_columns: Vec<String>,
    /// How many buckets there are.
    buckets: Option<u32>,
    skew: Option<SkewShape>,
    /// Where a registry has the schema.
    schema: Option<SchemaShape>,
    /// What this name stands for, when it is a link to something elsewhere.
    link: Option<TargetShape>,
    parameters: BTreeMap<String, String>,
}

impl From<SourceLayer> for SourceShape {
    fn from(source: SourceLayer) -> Self {
        Self {
            description: source.description,
            owner: source.owner,
            subtype: source.subtype,
            columns: source.columns.into_iter().map(ColumnShape::from).collect(),
            view: source.view.map(ViewShape::from),
            locations: source.storage.locations,
            format: source.storage.format,
            compressed: source.storage.compressed,
            bucket_columns: source.storage.bucket_columns,
            sort_columns: source.storage.sort_columns,
            buckets: source.storage.buckets,
            skew: source.storage.skew.map(SkewShape::from),
            schema: source.storage.schema.map(SchemaShape::from),
            link: source.link.map(|link| TargetShape {
                instance: link.instance,
                path: link.path,
            }),
            parameters: source.parameters,
        }
    }
}

/// One column, or one field nested in a column.
#[derive(Debug, Serialize, ToSchema)]
struct ColumnShape {
    name: String,
    /// Where it stands in its table, such as `address.city` or `items[].price`.
    path: String,
    /// In the source's own words.
    r#type: String,
    comment: Option<String>,
    partition_key: bool,
    /// Written by the table's format for itself.
    bookkeeping: bool,
    nullable: Option<bool>,
    /// The source's own key-value pairs about it.
    parameters: BTreeMap<String, String>,
    /// What the engine that writes the table says of it beyond the source.
    engine: Option<EngineShape>,
    #[schema(no_recursion)]
    fields: Vec<ColumnShape>,
}

impl From<Column> for ColumnShape {
    fn from(column: Column) -> Self {
        Self {
            name: column.name,
            path: column.path,
            r#type: column.data_type,
            comment: column.comment,
            partition_key: column.partition_key,
            bookkeeping: column.bookkeeping,
            nullable: column.nullable,
            parameters: column.parameters,
            engine: column.engine.map(|said| EngineShape::from(*said)),
            fields: column.fields.into_iter().map(Self::from).collect(),
        }
    }
}

/// What an engine says of a column, where the source says something else or nothing.
#[derive(Debug, Serialize, ToSchema)]
struct EngineShape {
    /// Such as `Spark`.
    engine: String,
    name: Option<String>,
    r#type: Option<String>,
    comment: Option<String>,
    nullable: Option<bool>,
}

impl From<EngineColumn> for EngineShape {
    fn from(said: EngineColumn) -> Self {
        Self {
            engine: said.engine,
            name: said.name,
            r#type: said.data_type,
            comment: said.comment,
            nullable: said.nullable,
        }
    }
}

/// Values that occur so often that they lie apart.
#[derive(Debug, Serialize, ToSchema)]
struct SkewShape {
    columns: Vec<String>,
    values: Vec<String>,
    /// Where they lie, by value.
    locations: BTreeMap<String, String>,
}

impl From<Skew> for SkewShape {
    fn from(skew: Skew) -> Self {
        Self {
            columns: skew.columns,
            values: skew.values,
            locations: skew.locations,
        }
    }
}

/// A schema in a registry.
#[derive(Debug, Serialize, ToSchema)]
struct SchemaShape {
    registry: Option<String>,
    name: Option<String>,
    arn: Option<String>,
    version: Option<i64>,
    version_id: Option<String>,
}

impl From<SchemaReference> for SchemaShape {
    fn from(schema: SchemaReference) -> Self {
        Self {
            registry: schema.registry,
            name: schema.name,
            arn: schema.arn,
            version: schema.version,
            version_id: schema.version_id,
        }
    }
}

/// The text of a view.
#[derive(Debug, Serialize, ToSchema)]
struct ViewShape {
    sql: String,
    dialect: Option<String>,
    default_catalog: Option<String>,
    default_database: Option<String>,
    materialized: bool,
    /// The same view for other engines, by dialect.
    other_dialects: BTreeMap<String, String>,
    /// What the source says of the texts, by dialect.
    dialect_facts: BTreeMap<String, DialectShape>,
    /// With whose rights the view reads.
    definer: Option<String>,
    /// Whether engines hide from readers what the view reads.
    protected: bool,
    /// The tables that the view reads, as the source names them.
    reads: Vec<String>,
}

/// What a source says of a view's text for one engine.
#[derive(Debug, Serialize, ToSchema)]
struct DialectShape {
    /// The engine's version.
    version: Option<String>,
    /// Whether the text no longer fits what it reads.
    stale: bool,
    /// The connection with which the text was checked.
    connection: Option<String>,
}

impl From<ViewDefinition> for ViewShape {
    fn from(view: ViewDefinition) -> Self {
        let facts = view.dialect_facts.into_iter();
        let facts = facts.map(|(dialect, facts)| {
            let shape = DialectShape {
                version: facts.version,
                stale: facts.stale,
                connection: facts.connection,
            };
            (dialect, shape)
        });
        Self {
            sql: view.sql,
            dialect: view.dialect,
            default_catalog: view.default_catalog,
            default_database: view.default_database,
            materialized: view.materialized,
            other_dialects: view.other_dialects,
            dialect_facts: facts.collect(),
            definer: view.definer,
            protected: view.protected,
            reads: view.reads,
        }
    }
}

/// What a link points at.
#[derive(Debug, Serialize, ToSchema)]
struct TargetShape {
    instance: Option<String>,
    path: Vec<String>,
}

/// What changes without being a change.
#[derive(Debug, Serialize, ToSchema)]
struct FactsShape {
    rows: Option<i64>,
    bytes: Option<i64>,
    files: Option<i64>,
    created_at: Option<DateTime<Utc>>,
    created_by: Option<String>,
    updated_at: Option<DateTime<Utc>>,
    accessed_at: Option<DateTime<Utc>>,
    analyzed_at: Option<DateTime<Utc>>,
    version: Option<String>,
    parameters: BTreeMap<String, String>,
}

impl From<Facts> for FactsShape {
    fn from(facts: Facts) -> Self {
        Self {
            rows: facts.rows,
            bytes: facts.bytes,
            files: facts.files,
            created_at: facts.created_at,
            created_by: facts.created_by,
            updated_at: facts.updated_at,
            accessed_at: facts.accessed_at,
            analyzed_at: facts.analyzed_at,
            version: facts.version,
            parameters: facts.parameters,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct AliasShape {
    /// Which system's name it is.
    system: String,
    name: String,
}

impl From<Alias> for AliasShape {
    fn from(alias: Alias) -> Self {
        Self {
            system: alias.system,
            name: alias.name,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct LinkShape {
    label: String,
    url: String,
}

/// An asset as an item of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct SummaryShape {
    id: Uuid,
    kind: &'static str,
    platform: String,
    instance: String,
    path: Vec<String>,
    name: String,
    /// What people call it.
    display_name: Option<String>,
    url: String,
    parent: Option<Uuid>,
    /// The beginning of people's words, or else the source's.
    description: Option<String>,
    /// How many there are on the outermost level; nothing for a table so large that lists do not count them.
    columns: Option<usize>,
    format: Option<String>,
    rows: Option<i64>,
    gone_at: Option<DateTime<Utc>>,
}

impl From<Summary> for SummaryShape {
    fn from(summary: Summary) -> Self {
        Self {
            id: summary.id.0,
            kind: summary.kind.as_str(),
            name: summary.address.name().to_owned(),
            url: links::asset(summary.id),
            platform: summary.address.platform,
            instance: summary.address.instance,
            path: summary.address.path,
            parent: summary.parent.map(|AssetId(parent)| parent),
            display_name: summary.title,
            description: summary.description,
            columns: summary.columns,
            format: summary.format,
            rows: summary.rows,
            gone_at: summary.gone_at,
        }
    }
}

/// A database as an item of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct DatabaseShape {
    id: Uuid,
    platform: String,
    instance: String,
    name: String,
    url: String,
    description: Option<String>,
    /// How many are in it that are not gone.
    tables: u64,
    views: u64,
    gone_at: Option<DateTime<Utc>>,
}

impl DatabaseShape {
    pub(super) fn new(summary: Summary, inside: Inside) -> Self {
        Self {
            id: summary.id.0,
            name: summary.address.name().to_owned(),
            url: links::asset(summary.id),
            platform: summary.address.platform,
            instance: summary.address.instance,
            description: summary.description,
            tables: inside.tables,
            views: inside.views,
            gone_at: summary.gone_at,
        }
    }
}
