//! One asset as the index sees it.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use tantivy::TantivyDocument;
use uuid::Uuid;

use super::name::Shape;
use super::readers;
use super::schema::{Fields, Whole};
use super::trust::{Sign, Signs};
use super::words::{fold, squeeze};
use crate::catalog::{Address, AssetId, AssetKind, Column, SourceLayer, View};

/// How much of a view's SQL is kept to explain hits with, in characters; all of it is searched.
pub(super) const SQL_KEPT: usize = 20_000;

/// How often a text is in memory: read, and laid out.
const COPIES: usize = 2;

/// What a text takes beside its bytes, in bytes, about.
const LINE: usize = 48;

/// How much of a column's type is kept to show beside it, in characters.
const TYPE_KEPT: usize = 40;

/// The texts of one asset, ready to be indexed.
#[derive(Debug, Clone)]
pub struct Document {
    id: AssetId,
    kind: AssetKind,
    platform: String,
    instance: String,
    path: Vec<String>,
    /// The asset of the database that it is in, or is.
    home: AssetId,
    gone: bool,
    owners: Vec<String>,
    /// What the owners are called whom people named.
    owner_labels: Vec<String>,
    tags: Vec<String>,
    deprecated: bool,
    verified: Option<NaiveDate>,
    /// When its definition changed last.
    changed: Option<NaiveDate>,
    /// What its source says that speaks for it or against it.
    signs: Signs,
    /// The tables that it reads, for counting.
    reads: Vec<u64>,
    column_names: Vec<String>,
    /// What people call it, beside its own name.
    names: Vec<String>,
    texts: Texts,
}

/// What is kept beside the index to say why something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Texts {
    #[serde(rename = "i")]
    pub(super) id: Uuid,
    #[serde(rename = "n")]
    pub(super) name: String,
    /// Where it is, outermost first, without its own name.
    #[serde(rename = "l", skip_serializing_if = "Vec::is_empty")]
    pub(super) place: Vec<String>,
    #[serde(rename = "c", skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<String>,
    /// The type of each column, cut where it is long.
    #[serde(rename = "y", skip_serializing_if = "Vec::is_empty")]
    pub(super) types: Vec<String>,
    /// Comments and notes by column path.
    #[serde(rename = "t", skip_serializing_if = "Vec::is_empty")]
    pub(super) comments: Vec<(String, String)>,
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    pub(super) descriptions: Vec<String>,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub(super) sql: Option<String>,
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<(String, String)>,
}

/// What can be found of the columns of an asset, and of everything nested in them, in order.
#[derive(Debug, Default)]
struct Columns {
    /// Their names, and how engines spell them.
    names: Vec<String>,
    paths: Vec<String>,
    types: Vec<String>,
    /// What the source says of them, by path.
    comments: Vec<(String, String)>,
    /// What engines say of them, by path.
    said: Vec<(String, String)>,
    /// Their key-value pairs, by path.
    parameters: Vec<(String, String)>,
}

impl Columns {
    fn of(source: &SourceLayer) -> Self {
        let count = source.columns.len();
        let mut columns = Self {
            names: Vec::with_capacity(count),
            paths: Vec::with_capacity(count),
            types: Vec::with_capacity(count),
            ..Self::default()
        };
        for column in &source.columns {
            column.each(&mut |column| columns.add(column));
        }
        columns
    }

    fn add(&mut self, column: &Column) {
        self.names.push(column.name.clone());
        self.paths.push(column.path.clone());
        let data_type = beginning(&column.data_type, TYPE_KEPT);
        self.types.push(data_type.to_owned());
        if let Some(comment) = column.comment.as_ref().filter(|text| !text.is_empty()) {
            self.comments.push((column.path.clone(), comment.clone()));
        }
        if let Some(said) = &column.engine {
            self.names.extend(said.name.clone());
            let texts = [&said.name, &said.data_type, &said.comment];
            let texts = texts.into_iter().flatten();
            let texts = texts.map(|text| (column.path.clone(), text.clone()));
            self.said.extend(texts);
        }
        let pairs = column.parameters.iter();
        self.parameters
            .extend(pairs.map(|(key, value)| (column.path.clone(), format!("{key}: {value}"))));
    }
}

impl Document {
    /// Takes from an asset what can be found.
    pub fn new(id: AssetId, kind: AssetKind, address: &Address, source: &SourceLayer) -> Self {
        let mut columns = Columns::of(source);
        columns.comments.append(&mut columns.said);
        let mut parameters = parameters(source);
        parameters.append(&mut columns.parameters);
        let place = address
            .path
            .iter()
            .take(address.path.len().saturating_sub(1));
        let texts = Texts {
            id: id.0,
            name: address.name().to_owned(),
            place: place
                .chain([&address.platform, &address.instance])
                .filter(|part| !part.is_empty())
                .cloned()
                .collect(),
            columns: columns.paths,
            types: columns.types,
            comments: columns.comments,
            descriptions: source
                .description
                .iter()
                .filter(|text| !text.is_empty())
                .cloned()
                .collect(),
            sql: source.view.as_ref().map(sql_of_all_engines),
            parameters,
        };
        Self {
            id,
            kind,
            platform: address.platform.clone(),
            instance: address.instance.clone(),
            path: address.path.clone(),
            home: id,
            gone: false,
            owners: source.owner.iter().cloned().collect(),
            owner_labels: Vec::new(),
            tags: Vec::new(),
            deprecated: false,
            verified: None,
            changed: None,
            signs: Signs::default().with(Sign::Link, source.link.is_some()),
            reads: reads(source, address),
            column_names: columns.names,
            names: Vec::new(),
            texts,
        }
    }

    /// The asset.
    pub(super) fn id(&self) -> AssetId {
        self.id
    }

    /// Says whether the source no longer lists it.
    pub fn gone(mut self, gone: bool) -> Self {
        self.gone = gone;
        self
    }

    /// Says which database it is in, unless it is one.
    pub fn inside(mut self, database: Option<AssetId>) -> Self {
        self.home = database.unwrap_or(self.id);
        self
    }

    /// Adds what people wrote about it.
    pub fn described(mut self, description: &str) -> Self {
        if !description.is_empty() {
            self.texts.descriptions.insert(0, description.to_owned());
        }
        self
    }

    /// Adds a name that people call it by, beside its own.
    pub fn called(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.names.push(name.to_owned());
            self.texts.descriptions.push(name.to_owned());
        }
        self
    }

    /// Adds what people wrote about one of its columns.
    pub fn noted(mut self, path: &str, note: &str) -> Self {
        self.texts.comments.push((path.to_owned(), note.to_owned()));
        self
    }

    /// Adds a word that people sort assets by.
    pub fn tagged(mut self, tag: &str) -> Self {
        let named = ("Tag".to_owned(), tag.to_owned());
        self.texts.parameters.push(named);
        self.tags.push(tag.to_owned());
        self
    }

    /// Adds somebody who answers for it: what they are called, and the name by which they are known beside that.
    pub fn owned_by(mut self, label: &str, name: &str) -> Self {
        let named = ("Owner".to_owned(), label.to_owned());
        self.texts.parameters.push(named);
        self.owners.push(label.to_owned());
        self.owner_labels.push(label.to_owned());
        if name != label {
            self.owners.push(name.to_owned());
        }
        self
    }

    /// Says whether people are told to use something else: then it comes after what is as good.
    pub fn deprecated(mut self, deprecated: bool) -> Self {
        self.deprecated = deprecated;
        self
    }

    /// Says until when somebody vouches for it: then it comes before its equals.
    pub fn verified(mut self, until: Option<NaiveDate>) -> Self {
        self.verified = until;
        self
    }

    /// Says what is known of its rows, and when it was updated.
    pub fn measured(mut self, rows: Option<i64>, updated: Option<NaiveDate>) -> Self {
        let counted = rows.is_some_and(|rows| rows > 0);
        self.signs = self.signs.with(Sign::Counted, counted);
        self.changed = updated;
        if let Some(day) = updated {
            self.signs = self.signs.updated(day_number(day));
        }
        self
    }

    /// What speaks for it or against it, given what its name is made of.
    fn signs(&self, shape: &Shape) -> Signs {
        self.signs
            .named(shape)
            .with(Sign::Described, !self.texts.descriptions.is_empty())
            .with(Sign::Owned, !self.owners.is_empty())
            .with(Sign::Tagged, !self.tags.is_empty())
            .with(Sign::Container, self.kind == AssetKind::Database)
    }

    /// The database that it is in, or is.
    fn database(&self) -> &str {
        let at = match self.kind {
            AssetKind::Database => self.path.len().checked_sub(1),
            AssetKind::Table | AssetKind::View => self.path.len().checked_sub(2),
        };
        at.and_then(|at| self.path.get(at))
            .map_or("", String::as_str)
    }

    /// Sorts by name, then kind, then place; unique by the id at its end.
    fn order(&self) -> String {
        let kind = AssetKind::ALL
            .iter()
            .position(|kind| *kind == self.kind)
            .unwrap_or_default();
        format!(
            "{}\0{kind}\0{}\0{}\0{}",
            fold(&self.texts.name),
            self.path.join("\0"),
            self.instance,
            self.id
        )
    }

    /// Lays its owners and tags out.
    fn lay_out_labels(&self, fields: &Fields, laid_out: &mut TantivyDocument) {
        for owner in &self.owners {
            laid_out.add_text(fields.owner, owner);
            laid_out.add_text(fields.whole, Whole::Owner.term(&fold(owner)));
        }
        for tag in &self.tags {
            laid_out.add_text(fields.tag, tag);
            laid_out.add_text(fields.whole, Whole::Tag.term(&fold(tag)));
            laid_out.add_text(fields.tag_label, tag);
        }
        let labels = match self.owner_labels.as_slice() {
            [] => &self.owners,
            said => said,
        };
        for label in labels {
            laid_out.add_text(fields.owner_label, label);
        }
    }

    /// Lays it out in the fields of the index.
    pub(super) fn lay_out(&self, fields: &Fields) -> TantivyDocument {
        let mut laid_out = TantivyDocument::default();
        laid_out.add_bytes(fields.id, self.id.0.as_bytes());
        for name in std::iter::once(&self.texts.name).chain(&self.names) {
            laid_out.add_text(fields.name, name);
            laid_out.add_text(fields.whole, Whole::Name.term(&fold(name)));
            laid_out.add_text(fields.in_name, name);
        }
        for part in &self.texts.place {
            laid_out.add_text(fields.place, part);
        }
        for name in &self.column_names {
            laid_out.add_text(fields.column, name);
        }
        for text in &self.texts.descriptions {
            laid_out.add_text(fields.text, text);
        }
        for (_, text) in &self.texts.comments {
            laid_out.add_text(fields.text, text);
        }
        if let Some(sql) = &self.texts.sql {
            laid_out.add_text(fields.other, sql);
        }
        for (_, value) in &self.texts.parameters {
            laid_out.add_text(fields.other, value);
        }
        self.lay_out_labels(fields, &mut laid_out);
        laid_out.add_text(fields.whole, Whole::Path.term(&fold(&self.path.join("."))));
        laid_out.add_text(
            fields.whole,
            Whole::Squeezed.term(&squeeze(&self.texts.name)),
        );
        laid_out.add_text(fields.in_column, self.column_names.join("\n"));
        let shape = match self.kind {
            AssetKind::Database => Shape::new(&self.texts.name, ""),
            AssetKind::Table | AssetKind::View => Shape::new(&self.texts.name, self.database()),
        };
        if let Some(first) = &shape.first {
            laid_out.add_text(fields.first, first);
        }
        if let Some(last) = &shape.last {
            laid_out.add_text(fields.last, last);
        }
        laid_out.add_u64(fields.signs, self.signs(&shape).bits());
        let address = readers::address(self.database(), &self.texts.name);
        laid_out.add_u64(fields.address, address);
        for read in self.reads.iter().filter(|read| **read != address) {
            laid_out.add_u64(fields.reads, *read);
        }
        laid_out.add_text(fields.kind, self.kind.as_str());
        laid_out.add_text(fields.platform, &self.platform);
        laid_out.add_text(fields.database, self.database());
        laid_out.add_text(fields.source, source_term(&self.platform, &self.instance));
        laid_out.add_text(fields.home, home_term(self.home.0));
        laid_out.add_u64(fields.gone, u64::from(self.gone));
        laid_out.add_u64(fields.deprecated, u64::from(self.deprecated));
        if let Some(day) = self.verified {
            laid_out.add_u64(fields.verified, day_number(day).into());
        }
        if let Some(day) = self.changed {
            laid_out.add_u64(fields.changed, day_number(day).into());
        }
        laid_out.add_text(fields.order, self.order());
        laid_out.add_text(fields.stored, self.stored());
        laid_out
    }

    /// The texts that are kept, as JSON.
    fn stored(&self) -> String {
        let is_long = |sql: &String| sql.len() > SQL_KEPT;
        // Room for it from the start: a text that grows is copied again and again.
        let mut json = Vec::with_capacity(self.size() / COPIES);
        let written = if self.texts.sql.as_ref().is_some_and(is_long) {
            let mut texts = self.texts.clone();
            texts.sql = texts.sql.map(|sql| beginning(&sql, SQL_KEPT).to_owned());
            serde_json::to_writer(&mut json, &texts)
        } else {
            serde_json::to_writer(&mut json, &self.texts)
        };
        written.expect("memory takes every text");
        String::from_utf8(json).expect("JSON is text")
    }

    /// How much memory it takes, in bytes, about.
    pub(super) fn size(&self) -> usize {
        let texts = &self.texts;
        let pairs = texts.comments.iter().chain(&texts.parameters);
        let pairs = pairs.flat_map(|(path, text)| [path, text]);
        let columns = texts.columns.iter().chain(&texts.types);
        let lines = columns.chain(&self.column_names);
        let lines = lines.chain(&texts.descriptions).chain(&texts.sql);
        let texts = lines.chain(pairs);
        texts.map(|text| COPIES * text.len() + LINE).sum()
    }
}

/// So many characters of a text, or all.
fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

/// A source as a value of the index.
pub(super) fn source_term(platform: &str, instance: &str) -> String {
    format!("{}:{platform}{instance}", platform.len())
}

/// A database as a value of the index.
pub(super) fn home_term(database: Uuid) -> String {
    database.simple().to_string()
}

/// A day as a number that grows with time.
pub(super) fn day_number(day: NaiveDate) -> u32 {
    u32::try_from(day.num_days_from_ce()).unwrap_or_default()
}

/// The addresses of the tables that a view reads, by its SQL and by what its source lists.
fn reads(source: &SourceLayer, address: &Address) -> Vec<u64> {
    let own = address.path.iter().rev().nth(1).map_or("", String::as_str);
    let mut reads = Vec::new();
    if let Some(view) = &source.view {
        let database = view.default_database.as_deref().unwrap_or(own);
        reads = readers::read_by(&view.sql, database);
        let listed = view.reads.iter();
        reads.extend(listed.filter_map(|name| readers::listed(name, database)));
        reads.sort_unstable();
        reads.dedup();
    }
    reads
}

/// The text of a view for every engine.
fn sql_of_all_engines(view: &View) -> String {
    let texts = std::iter::once(&view.sql).chain(view.other_dialects.values());
    let texts: Vec<&str> = texts.map(String::as_str).collect();
    texts.join("\n\n")
}

/// What is worth finding beside names and descriptions, by the word that people are shown.
fn parameters(source: &SourceLayer) -> Vec<(String, String)> {
    let storage = &source.storage;
    let dialect = source.view.as_ref().and_then(|view| view.dialect.clone());
    let target = source.link.as_ref().map(|link| link.path.join("."));
    let named = [
        ("Format", storage.format.clone()),
        (
            "Classification",
            source.parameters.get("classification").cloned(),
        ),
        ("Table type", source.parameters.get("table_type").cloned()),
        ("Subtype", source.subtype.clone()),
        ("Dialect", dialect),
        ("Owner", source.owner.clone()),
        ("Link to", target),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let locations = storage
        .locations
        .iter()
        .map(|location| ("Location", location.clone()));
    let schema = storage.schema.iter().flat_map(|schema| {
        let parts = [&schema.registry, &schema.name, &schema.arn];
        let parts = parts.into_iter().flatten();
        parts.map(|part| ("Schema", part.clone()))
    });
    let skew = storage.skew.iter().flat_map(|skew| {
        let columns = skew.columns.iter().map(|name| ("Skewed by", name.clone()));
        columns.chain(
            skew.values
                .iter()
                .map(|value| ("Skewed values", value.clone())),
        )
    });
    let layout = storage
        .bucket_columns
        .iter()
        .map(|name| ("Bucketed by", name.clone()))
        .chain(
            storage
                .sort_columns
                .iter()
                .map(|name| ("Sorted by", name.clone())),
        )
        .chain(skew);
    let view = source.view.iter().flat_map(|view| {
        let definer = view.definer.iter().map(|who| ("Defined by", who.clone()));
        definer.chain(view.reads.iter().map(|table| ("Reads", table.clone())))
    });
    named
        .chain(locations)
        .chain(schema)
        .chain(layout)
        .chain(view)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
