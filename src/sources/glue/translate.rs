//! Pure translation: one answer of Glue becomes one discovered asset, or a reason why it cannot.
//!
//! Deliberately absent: the network, the recipe's patterns, and any decision about what is called gone.

use std::collections::HashMap;

use aws_sdk_glue::types::{
    Database, SchemaId, SchemaReference as GlueSchemaReference, SkewedInfo, StorageDescriptor,
    Table,
};
use aws_smithy_types::DateTime as AwsTime;
use chrono::{DateTime, Utc};

use super::arn::CatalogId;
use super::columns::{self, Lists};
use super::fields::Fields;
use super::parameters::{self, Sorted};
use super::view::{self, Decoded};
use super::{format, links};
use crate::catalog::{
    Address, Alias, AssetKind, Column, Discovered, Facts, LinkTarget, SchemaReference, Skew,
    SourceLayer, Storage,
};

/// The database that answers belong to, and what holds for all of them.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// The database's own address; tables lie inside it.
    pub(super) address: Address,
    pub(super) account: Option<String>,
    pub(super) region: String,
    /// Whether owners are reported.
    pub(super) owners: bool,
}

/// An asset, and what was coped with on the way, each a whole sentence.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) asset: Discovered,
    pub(super) findings: Vec<String>,
}

impl Scope {
    pub(super) fn database(&self) -> &str {
        self.address.name()
    }

    /// The catalog that queries have to name, when it is not the account's own.
    fn nested_catalog(&self) -> Option<String> {
        let id = CatalogId::of(self.account.as_deref()?);
        id.nested.map(str::to_owned)
    }

    /// The target of a link from here: a target that names no region or account has the link's own.
    fn target(
        &self,
        account: Option<String>,
        region: Option<String>,
        path: [Option<String>; 2],
    ) -> LinkTarget {
        let account = account.or_else(|| self.account.clone());
        let region = region.unwrap_or_else(|| self.region.clone());
        LinkTarget {
            instance: Some(instance(account.as_deref(), &region)),
            path: path.into_iter().flatten().collect(),
        }
    }
}

/// What tells one account and region from another.
pub(super) fn instance(account: Option<&str>, region: &str) -> String {
    match account {
        Some(account) => format!("{account}/{region}"),
        None => region.to_owned(),
    }
}

/// Translates a database, whose address the scope already holds.
pub(super) fn database(database: Database, scope: &Scope) -> Discovered {
    let mut facts = Facts {
        created_at: database.create_time.as_ref().and_then(time),
        links: links::of_database(scope),
        catalog: scope.nested_catalog(),
        ..Facts::default()
    };
    let pairs = database.parameters.unwrap_or_default();
    let mut sorted = parameters::sort(pairs, HashMap::default(), HashMap::default());
    let comment = sorted.comment.take();
    if let Some(federated) = database.federated_database {
        let parts = [
            federated.identifier,
            federated.connection_name,
            federated.connection_type,
        ];
        sorted
            .passing
            .insert("FederatedDatabase".to_owned(), joined(parts));
    }
    let link = database.target_database.map(|target| {
        scope.target(
            target.catalog_id,
            target.region,
            [target.database_name, None],
        )
    });
    Discovered {
        kind: AssetKind::Database,
        address: scope.address.clone(),
        source: SourceLayer {
            description: meaningful(database.description).or(comment),
            storage: Storage {
                locations: meaningful(database.location_uri).into_iter().collect(),
                ..Storage::default()
            },
            link,
            parameters: sorted.into_facts(&mut facts),
            ..SourceLayer::default()
        },
        facts,
        aliases: Vec::new(),
    }
}

/// Translates a table or view; the error is the reason why it cannot be, as a whole sentence.
pub(super) fn table(mut table: Table, scope: &Scope) -> Result<Translated, String> {
    if table.name.is_empty() {
        return Err("A table without a name was left out.".to_owned());
    }
    let mut facts = facts(&table, scope);
    let mut storage = table
        .storage_descriptor
        .take()
        .unwrap_or_else(|| StorageDescriptor::builder().build());
    let pairs = table.parameters.take().unwrap_or_default();
    let Understood {
        kind,
        mut decoded,
        columns,
        format,
        findings,
    } = understand(&mut table, &mut storage, &pairs);

    let mut serializer = storage
        .serde_info
        .take()
        .and_then(|serde| serde.parameters)
        .unwrap_or_default();
    let path = serializer.remove("path");
    let mut sorted = parameters::sort(
        pairs,
        storage.parameters.take().unwrap_or_default(),
        serializer,
    );
    let description = description(&mut table, &mut sorted, &mut decoded);
    let more = decoded.parameters.into_iter();
    let more = more.map(|(key, value)| (key.to_owned(), value));
    sorted.lasting.extend(more);
    note_facts(&mut table, &mut sorted);

    let storage = self::storage(storage, path.as_ref(), format);
    if let Some(path) = path.filter(|path| !storage.locations.contains(path)) {
        sorted.lasting.insert("serde.path".to_owned(), path);
    }
    let address = scope.address.child(&table.name);
    let link = table.target_table.take();
    let aliases = match link {
        // Its other names are those of its target.
        Some(_) => Vec::new(),
        None => aliases(&storage, decoded.view.as_ref(), &address, kind),
    };
    let link = link.map(|link| {
        scope.target(
            link.catalog_id,
            link.region,
            [link.database_name, link.name],
        )
    });
    let asset = Discovered {
        kind,
        address,
        source: SourceLayer {
            description,
            columns,
            view: decoded.view,
            owner: meaningful(table.owner.take())
                .or(decoded.owner)
                .filter(|_| scope.owners),
            subtype: meaningful(table.table_type.take()),
            storage,
            link,
            parameters: sorted.into_facts(&mut facts),
        },
        facts,
        aliases,
    };
    Ok(Translated { asset, findings })
}

/// What is read from several parts of an answer together, while they are all still there.
struct Understood {
    kind: AssetKind,
    decoded: Decoded,
    columns: Vec<Column>,
    format: Option<String>,
    findings: Vec<String>,
}

fn understand(
    table: &mut Table,
    storage: &mut StorageDescriptor,
    pairs: &HashMap<String, String>,
) -> Understood {
    let (kind, materialized) = kind(table, pairs);
    let mut decoded = decode(table, kind, pairs);
    if materialized {
        decoded.view.get_or_insert_default().materialized = true;
    }
    let mut findings = std::mem::take(&mut decoded.problems);
    let mut fields = Fields::default();
    let lists = Lists {
        glue: storage.columns.take().unwrap_or_default(),
        keys: table.partition_keys.take().unwrap_or_default(),
        presto: std::mem::take(&mut decoded.columns),
        parameters: pairs,
    };
    let columns = columns::assemble(lists, &mut fields);
    findings.extend(fields.into_findings());
    let has_data =
        kind != AssetKind::View || decoded.view.as_ref().is_none_or(|view| view.materialized);
    let format = has_data.then(|| format::in_words(pairs, storage)).flatten();
    Understood {
        kind,
        decoded,
        columns,
        format,
        findings,
    }
}

/// Translates a resource link with what could be read of its target: the link's name and place, the target's schema.
pub(super) fn linked_table(
    mut link: Table,
    target: Table,
    scope: &Scope,
) -> Result<Translated, String> {
    let mut shown = target;
    shown.name = std::mem::take(&mut link.name);
    shown.target_table = link.target_table.take();
    shown.description = meaningful(link.description.take()).or(shown.description);
    shown.create_time = link.create_time.or(shown.create_time);
    shown.created_by = link.created_by.or(shown.created_by);
    table(shown, scope)
}

/// What is a view and what is not, and whether its rows are kept.
fn kind(table: &Table, pairs: &HashMap<String, String>) -> (AssetKind, bool) {
    let is = |word: &str| {
        table
            .table_type
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case(word))
    };
    let materialized = is("MATERIALIZED_VIEW") || table.is_materialized_view == Some(true);
    let has_text = table
        .view_original_text
        .as_deref()
        .is_some_and(|text| !text.trim().is_empty());
    let untold = table.table_type.as_deref().is_none_or(str::is_empty) && has_text;
    let iceberg = pairs
        .get("table_type")
        .is_some_and(|word| word.eq_ignore_ascii_case("ICEBERG-VIEW"));
    let view = is("VIRTUAL_VIEW") || iceberg || materialized || untold;
    (
        if view {
            AssetKind::View
        } else {
            AssetKind::Table
        },
        materialized,
    )
}

fn decode(table: &mut Table, kind: AssetKind, pairs: &HashMap<String, String>) -> Decoded {
    if kind != AssetKind::View {
        return Decoded::default();
    }
    let spark = pairs
        .keys()
        .any(|key| key.starts_with("spark.sql.") || key.starts_with("view.query.out"));
    let presto = pairs
        .get("presto_view")
        .is_some_and(|word| word.eq_ignore_ascii_case("true"));
    let original = table.view_original_text.take();
    let is_marked = original.as_deref().is_some_and(view::is_marked);
    let mut decoded = view::decode(view::Texts {
        expanded: table.view_expanded_text.take(),
        definition: table.view_definition.take(),
        plain_dialect: if spark {
            "Spark"
        } else if presto && !is_marked {
            "Trino"
        } else {
            "Hive"
        },
        original,
    });
    if let Some(view) = &mut decoded.view {
        let part = |place: u8| {
            pairs
                .get(&format!("view.catalogAndNamespace.part.{place}"))
                .cloned()
        };
        view.default_catalog = view.default_catalog.take().or_else(|| part(0));
        view.default_database = view.default_database.take().or_else(|| part(1));
    }
    decoded
}

/// The source's description; a comment among the parameters that says more is kept there.
fn description(table: &mut Table, sorted: &mut Sorted, decoded: &mut Decoded) -> Option<String> {
    let own = meaningful(table.description.take()).filter(|text| !view::is_marker(text));
    let comment = sorted.comment.take();
    let Some(own) = own else {
        return comment.or_else(|| meaningful(decoded.comment.take()));
    };
    if let Some(comment) = comment.filter(|comment| *comment != own) {
        sorted.lasting.insert("comment".to_owned(), comment);
    }
    Some(own)
}

fn facts(table: &Table, scope: &Scope) -> Facts {
    Facts {
        created_at: table.create_time.as_ref().and_then(time),
        updated_at: table.update_time.as_ref().and_then(time),
        accessed_at: table.last_access_time.as_ref().and_then(time),
        analyzed_at: table.last_analyzed_time.as_ref().and_then(time),
        created_by: table.created_by.clone(),
        version: table.version_id.clone(),
        links: links::of_table(scope, &table.name),
        catalog: scope.nested_catalog(),
        ..Facts::default()
    }
}

/// Keeps the facts that have no field of their own, under the names that Glue gives them.
fn note_facts(table: &mut Table, sorted: &mut Sorted) {
    let mut note = |name: &str, text: String| sorted.passing.insert(name.to_owned(), text);
    if table.retention != 0 {
        note("Retention", table.retention.to_string());
    }
    if table.is_registered_with_lake_formation {
        note("IsRegisteredWithLakeFormation", "true".to_owned());
    }
    if table.is_multi_dialect_view == Some(true) {
        note("IsMultiDialectView", "true".to_owned());
    }
    if let Some(federated) = table.federated_table.take() {
        let parts = [
            federated.identifier,
            federated.database_identifier,
            federated.connection_name,
        ];
        note("FederatedTable", joined(parts));
    }
}

fn storage(storage: StorageDescriptor, path: Option<&String>, format: Option<String>) -> Storage {
    // Spark writes a location that does not exist and keeps the true one beside the serializer.
    let real =
        |location: &String| !location.trim().is_empty() && !location.contains("__PLACEHOLDER__");
    let location = storage.location.filter(real).or_else(|| path.cloned());
    let mut locations: Vec<String> = location.into_iter().collect();
    for more in storage.additional_locations.unwrap_or_default() {
        if !more.is_empty() && !locations.contains(&more) {
            locations.push(more);
        }
    }
    let sorted = |order: aws_sdk_glue::types::Order| match order.sort_order {
        0 => format!("{} descending", order.column),
        _ => order.column,
    };
    Storage {
        locations,
        format,
        compressed: storage.compressed,
        bucket_columns: storage.bucket_columns.unwrap_or_default(),
        sort_columns: storage
            .sort_columns
            .unwrap_or_default()
            .into_iter()
            .map(sorted)
            .collect(),
        // Writers who do not use buckets say 0 or -1.
        buckets: u32::try_from(storage.number_of_buckets)
            .ok()
            .filter(|buckets| *buckets > 0),
        skew: storage.skewed_info.and_then(skew),
        schema: storage.schema_reference.and_then(schema),
    }
}

/// Which values lie apart; nothing when none do.
fn skew(skewed: SkewedInfo) -> Option<Skew> {
    let locations = skewed.skewed_column_value_location_maps;
    let skew = Skew {
        columns: skewed.skewed_column_names.unwrap_or_default(),
        values: skewed.skewed_column_values.unwrap_or_default(),
        locations: locations.unwrap_or_default().into_iter().collect(),
    };
    (skew != Skew::default()).then_some(skew)
}

/// Where a registry has the schema; nothing when the reference is empty.
fn schema(reference: GlueSchemaReference) -> Option<SchemaReference> {
    let id = reference.schema_id;
    let part = |part: fn(SchemaId) -> Option<String>| meaningful(id.clone().and_then(part));
    let schema = SchemaReference {
        registry: part(|id| id.registry_name),
        name: part(|id| id.schema_name),
        arn: part(|id| id.schema_arn),
        version: reference.schema_version_number,
        version_id: meaningful(reference.schema_version_id),
    };
    (schema != SchemaReference::default()).then_some(schema)
}

/// Where the data lies is another name of the table; so is the name of a view in the engine that wrote it.
fn aliases(
    storage: &Storage,
    view: Option<&crate::catalog::ViewDefinition>,
    address: &Address,
    kind: AssetKind,
) -> Vec<Alias> {
    let mut aliases = Vec::new();
    if kind == AssetKind::Table {
        let location = storage.locations.first().and_then(|location| s3(location));
        aliases.extend(location.map(|name| Alias {
            system: "s3".to_owned(),
            name,
        }));
    }
    if let Some(view) = view
        && let Some(catalog) = &view.default_catalog
        && view.dialect.as_deref() == Some("Trino")
        && view.default_database.as_deref() == address.path.first().map(String::as_str)
    {
        let name = format!("{catalog}.{}", address.path.join("."));
        aliases.push(Alias {
            system: "trino".to_owned(),
            name,
        });
    }
    aliases
}

/// An S3 location in the form in which two of them can be compared.
fn s3(location: &str) -> Option<String> {
    let (scheme, rest) = location.trim().split_once("://")?;
    let rest = rest.trim_end_matches('/');
    (matches!(scheme, "s3" | "s3a" | "s3n") && !rest.is_empty()).then(|| format!("s3://{rest}"))
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn meaningful(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A time of Glue; 1970 is how writers say that they do not know.
fn time(time: &AwsTime) -> Option<DateTime<Utc>> {
    let known = time.secs() != 0;
    known
        .then(|| DateTime::from_timestamp(time.secs(), time.subsec_nanos()))
        .flatten()
}
