//! What an asset is: its identity, its kind and its two layers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::Subject;

/// An asset's name for ever: given when it is first seen, never reused, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetId(pub Uuid);

impl AssetId {
    /// It, as the change log and aspects name it.
    pub fn subject(self) -> Subject {
        Subject::Asset(self.0)
    }
}

impl AssetId {
    /// The id of a subject that is an asset.
    pub fn of(subject: Subject) -> Option<Self> {
        match subject {
            Subject::Asset(id) => Some(Self(id)),
            _ => None,
        }
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What sort of thing an asset is. A table that becomes a view keeps its id and changes its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    Database,
    Table,
    View,
}

impl AssetKind {
    /// Every kind, in the order in which people are shown them.
    pub const ALL: [Self; 3] = [Self::Database, Self::Table, Self::View];

    /// The word in addresses, in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Table => "table",
            Self::View => "view",
        }
    }

    /// The word for several of them.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Database => "databases",
            Self::Table => "tables",
            Self::View => "views",
        }
    }
}

impl fmt::Display for AssetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AssetKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| UnknownKind(word.to_owned()))
    }
}

/// There is no kind of asset of that name.
#[derive(Debug, thiserror::Error)]
#[error("There is no kind of asset named “{0}”.")]
pub struct UnknownKind(String);

/// Where an asset comes from and what it is called there: what makes two reports the same asset.
///
/// The path is a list of names, so that a dot in a name is just a dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The kind of system, such as `glue`.
    pub platform: String,
    /// Which one of these: account and region, or what the recipe names it.
    pub instance: String,
    /// Names from the outermost to the asset's own; one for a database, two for a table.
    pub path: Vec<String>,
}

impl Address {
    /// The asset's own name, the last of its path.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// A digest of the address, equal exactly when the addresses are.
    ///
    /// Names may be longer than what a database can index; this never is.
    pub fn identity(&self) -> AddressDigest {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.platform, &self.instance]
            .into_iter()
            .chain(&self.path)
        {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        AddressDigest(u128::from_be_bytes(digest))
    }

    /// The address of what this is in; nothing for the outermost.
    pub fn parent(&self) -> Option<Self> {
        let (_, path) = self.path.split_last()?;
        (!path.is_empty()).then(|| Self {
            path: path.to_vec(),
            ..self.clone()
        })
    }

    /// The address of something inside this one.
    pub fn child(&self, name: &str) -> Self {
        let mut child = self.clone();
        child.path.push(name.to_owned());
        child
    }
}

/// The digest of an [`Address`]; shown and stored as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressDigest(u128);

impl fmt::Display for AddressDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What a source says of an asset: one document, written as a whole, compared by its hash.
///
/// Only ingestion writes it. What changes without meaning (counts, times, bookkeeping) is in [`Facts`] instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceLayer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Columns in the source's order, partition keys after the others, bookkeeping columns last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<ViewDefinition>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What the source itself calls this sort of table, such as `EXTERNAL_TABLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    #[serde(skip_serializing_if = "Storage::is_empty")]
    pub storage: Storage,
    /// What this name stands for, when it is a link to something elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkTarget>,
    /// The source's own key-value pairs, without those that [`Facts`] keeps or that other fields already say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// One column, or one field inside a nested column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// Where it stands in its table, such as `address.city`, `items[].price` or `attributes{}.unit`; unique there.
    /// A name with one of `.[]{}"` in it is quoted: `"a.b"`. The second of one name has `[2]` behind it.
    pub path: String,
    /// The type in the source's own words.
    #[serde(rename = "type")]
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partition_key: bool,
    /// Written by the table's format for itself, such as Hudi's `_hoodie_commit_time`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bookkeeping: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// The format's own id of the column, which survives a rename.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_id: Option<i64>,
    /// The source's own key-value pairs about it, such as a privacy class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// What the engine that writes the table says of it beyond the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Box<EngineColumn>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Column>,
}

/// What an engine says of a column, as far as the source says something else or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineColumn {
    /// Which engine, such as `Spark`.
    pub engine: String,
    /// The name in its own spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
}

impl Column {
    /// This column and everything nested in it, outermost first, in order.
    pub fn walk(&self) -> Vec<&Self> {
        let mut all = Vec::new();
        self.each(&mut |column| all.push(column));
        all
    }

    /// Visits this column and everything nested in it, outermost first, in order.
    pub fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for field in &self.fields {
            field.each(visit);
        }
    }
}

/// The text of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewDefinition {
    /// The SQL as its author wrote it, decoded.
    pub sql: String,
    /// Which SQL it is, such as `Trino`, `Hive`, `Spark`, `Athena` or `Redshift`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// The catalog and database that unqualified names in the SQL mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_catalog: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_database: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub materialized: bool,
    /// The same view for other engines, by dialect.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other_dialects: BTreeMap<String, String>,
    /// What the source says of the texts, by dialect, where it says anything.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dialect_facts: BTreeMap<String, DialectFacts>,
    /// With whose rights the view reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definer: Option<String>,
    /// Whether engines hide from readers what the view reads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// The tables that the view reads, as the source names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
}

/// What a source says of a view's text for one engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DialectFacts {
    /// The engine's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the text no longer fits what it reads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// The connection with which the text was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// Where and how the data lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
    /// The format in words, such as `Parquet` or `CSV (OpenCSV)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub compressed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bucket_columns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sort_columns: Vec<String>,
    /// How many buckets there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
    /// Where the columns are defined, if that is a registry of schemas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaReference>,
}

/// Values that occur so often that they lie apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Skew {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Where they lie, by value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, String>,
}

/// A schema in a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchemaReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

impl Storage {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a link points at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTarget {
    /// The account, share or region in which the target lives, as the source words it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    pub path: Vec<String>,
}

/// The latest facts of an asset: kept up to date, but never a change worth a line of history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accessed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analyzed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Key-value pairs that change without meaning, such as `transient_lastDdlTime`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// Pages of other tools about this asset: a label and an address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<OutwardLink>,
    /// The catalog that queries name before the database, when it is not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog: Option<String>,
}

/// A page of another tool about an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutwardLink {
    pub label: String,
    pub url: String,
}

/// One asset as a source reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    pub kind: AssetKind,
    pub address: Address,
    pub source: SourceLayer,
    pub facts: Facts,
    /// Other names of the same thing, such as its S3 location or its name in Trino.
    pub aliases: Vec<Alias>,
}

/// Another name of the same thing in some other system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Alias {
    /// Which system's name it is, such as `s3` or `trino`.
    pub system: String,
    pub name: String,
}

/// How the listing of one scope ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// The last page was read.
    Complete,
    /// It ended early, for the reason given in a whole sentence; nothing of the scope may be called gone.
    Incomplete(String),
}
