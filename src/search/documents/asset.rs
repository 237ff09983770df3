//! Assets as documents: what of a database, a table or a view can be found.

use std::collections::{HashMap, HashSet};

use crate::auth::Visibility;
use crate::auth::principals::{self, Named, Principal};
use crate::catalog::{
    self, Address, Asset, AssetId, AssetKind, Column, SourceLayer, ViewDefinition,
};
use crate::db::Db;
use crate::revisions::{Found, plain_text};
use crate::search::document::{Document, DocumentKind, Parts, beginning};
use crate::search::{Error, readers};

/// How much of a column's type is kept to show beside it, in characters.
const TYPE_KEPT: usize = 40;

/// What can be found of columns, and of everything nested in them, in order.
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

fn kind_of(kind: AssetKind) -> DocumentKind {
    let rank = AssetKind::ALL.iter().position(|other| *other == kind);
    DocumentKind {
        word: kind.as_str(),
        rank: rank.unwrap_or_default(),
        is_container: kind == AssetKind::Database,
    }
}

/// Takes from an asset what its source says.
pub fn of_source(
    id: AssetId,
    kind: AssetKind,
    address: &Address,
    source: &SourceLayer,
) -> Document {
    let mut columns = Columns::of(source);
    columns.comments.append(&mut columns.said);
    let mut parameters = parameters(source);
    parameters.append(&mut columns.parameters);
    let document = Document::new(id.subject(), kind_of(kind), &address.path)
        .sourced(&address.platform, &address.instance)
        .parted(Parts {
            names: columns.names,
            paths: columns.paths,
            types: columns.types,
            comments: columns.comments,
        })
        .coded(
            source.view.as_ref().map(sql_of_all_engines),
            reads(source, address),
        )
        .with_facts(parameters)
        .linked(source.link.is_some())
        .owned_by_source(source.owner.as_ref());
    document.described(source.description.as_deref().unwrap_or_default())
}

/// Reads assets as documents; ids that are not there are left out.
pub(super) async fn read(db: &Db, ids: &[AssetId]) -> Result<Vec<Document>, Error> {
    let assets = catalog::find_assets(db, &Visibility::Everything, ids).await?;
    let owners = assets
        .iter()
        .flat_map(|asset| &asset.human.owners.content.0);
    let principals: HashSet<Principal> = owners.map(|owner| owner.principal).collect();
    let principals: Vec<Principal> = principals.into_iter().collect();
    let named = principals::find_named(db, &principals).await?;
    Ok(assets.iter().map(|asset| document(asset, &named)).collect())
}

fn document(asset: &Asset, named: &HashMap<Principal, Named>) -> Document {
    let human = &asset.human;
    let mut document = of_source(asset.id, asset.kind, &asset.address, &asset.source)
        .inside(asset.parent.map(|parent| parent.0))
        .gone(asset.gone_at.is_some())
        .measured(
            asset.facts.rows,
            asset.facts.updated_at.map(|at| at.date_naive()),
        )
        .deprecated(human.deprecation.content.since.is_some())
        .verified(human.verification.content.until);
    for found in human.found_by() {
        document = match found {
            Found::Name(name) => document.called(name),
            Found::Text(text) => document.described(&plain_text(text)),
            Found::PartText { text: "", .. } => document,
            Found::PartText { part, text } => document.noted(part, &plain_text(text)),
            Found::Tag(tag) => document.tagged(tag),
        };
    }
    for owner in &human.owners.content.0 {
        document = match named.get(&owner.principal) {
            Some(named) => document.owned_by(&named.label, &named.name),
            None => document.owned_by(&owner.name, &owner.name),
        };
    }
    document
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
fn sql_of_all_engines(view: &ViewDefinition) -> String {
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
