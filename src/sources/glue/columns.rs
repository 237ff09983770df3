//! The columns of a table, brought together from every place where Glue or an engine wrote them down.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_glue::types;

use super::fields::{self, Fields, Paths, told};
use super::view::PrestoColumn;
use super::{parameters, spark};
use crate::catalog::Column;

/// The columns that Hudi writes for itself.
const HUDI: &str = "_hoodie_";

/// What an Iceberg writer says of a column in fields of its own here.
const ICEBERG_CURRENT: &str = "iceberg.field.current";
const ICEBERG_OPTIONAL: &str = "iceberg.field.optional";
const ICEBERG_ID: &str = "iceberg.field.id";

/// Everything that is written down about the columns of one table.
pub(super) struct Lists<'a> {
    pub(super) glue: Vec<types::Column>,
    pub(super) keys: Vec<types::Column>,
    pub(super) presto: Vec<PrestoColumn>,
    /// The table's own, where Spark keeps its schema.
    pub(super) parameters: &'a HashMap<String, String>,
}

/// The columns in the order in which people are shown them: ordinary ones, partition keys, bookkeeping.
///
/// A view's own list is truer than Glue's, and so is Spark's where Glue shows only a stand-in; elsewhere Spark's is shown
/// beside Glue's.
pub(super) fn assemble(lists: Lists<'_>, fields: &mut Fields) -> Vec<Column> {
    let schema = match spark::schema(lists.parameters) {
        Some(Ok(schema)) => Some(schema.columns(fields)),
        Some(Err(problem)) => {
            fields.find(problem);
            None
        }
        None => None,
    };
    let keys = from_glue(lists.keys, true);
    let stands_in = lists.presto.is_empty() && is_stand_in(&lists.glue);
    let mut columns = match &schema {
        Some(schema) if stands_in => in_order(schema.clone(), keys, &spells_alike, fields),
        _ if lists.presto.is_empty() => {
            in_order(from_glue(lists.glue, false), keys, &is_same, fields)
        }
        _ => in_order(
            from_presto(lists.presto, lists.glue),
            keys,
            &is_same,
            fields,
        ),
    };
    for column in &mut columns {
        column.bookkeeping = column.name.starts_with(HUDI);
    }
    if let Some(schema) = schema {
        spark::say(&mut columns, &schema, fields);
    }
    columns.sort_by_key(|column| column.bookkeeping);
    columns
}

/// Puts partition keys behind the other columns, and gives each its path and fields.
///
/// A column that is also listed as a key is one column; of others with one name, each is kept.
fn in_order(
    columns: Vec<Column>,
    mut keys: Vec<Column>,
    is_same: &dyn Fn(&Column, &Column) -> bool,
    fields: &mut Fields,
) -> Vec<Column> {
    let mut ordered = Vec::with_capacity(columns.len() + keys.len());
    let mut more_keys = Vec::new();
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, key) in keys.iter().enumerate() {
        let name = key.name.to_lowercase();
        places.entry(name).or_default().push(place);
    }
    for column in columns {
        let name = (!places.is_empty()).then(|| column.name.to_lowercase());
        let alike = name.and_then(|name| places.get(&name));
        let same = alike.into_iter().flatten().copied().find(|place| {
            let key = keys.get(*place);
            key.is_some_and(|key| is_same(key, &column))
        });
        if let Some(key) = same.and_then(|place| keys.get_mut(place)) {
            complete(key, column, fields);
        } else if column.partition_key {
            more_keys.push(column);
        } else {
            ordered.push(column);
        }
    }
    keys.append(&mut more_keys);
    let mut paths = Paths::for_so_many(keys.len() + ordered.len());
    // A key has the name alone: what people wrote about it before the other came stays with it.
    for column in keys.iter_mut().chain(&mut ordered) {
        place(column, &mut paths, fields);
    }
    fields.find_twins(&paths);
    ordered.append(&mut keys);
    ordered
}

/// Gives a column its path, and lists its fields, unless it came with them.
fn place(column: &mut Column, paths: &mut Paths, fields: &mut Fields) {
    if column.path.is_empty() {
        column.path = paths.next(&fields::quoted(&column.name));
        column.fields = fields.inside(&column.data_type, &column.path);
    }
}

/// Tells whether two mentions of a name mean one column.
fn is_same(key: &Column, column: &Column) -> bool {
    let alike = || {
        key.data_type.is_empty()
            || column.data_type.is_empty()
            || spark::is_same_type(&key.data_type, &column.data_type)
    };
    key.name == column.name && alike()
}

/// Spark has one column of a name, in its own spelling and with its own types.
fn spells_alike(key: &Column, column: &Column) -> bool {
    key.name.to_lowercase() == column.name.to_lowercase()
}

/// Takes over what the other mention of a partition key says better.
fn complete(key: &mut Column, mention: Column, fields: &mut Fields) {
    match (&key.comment, mention.comment) {
        (Some(own), Some(other)) if *own != other => fields.find(format!(
            "Partition key “{}” is also listed as a column, with another comment: {}",
            told(&key.name),
            told(&other)
        )),
        (None, other) => key.comment = other,
        _ => {}
    }
    key.nullable = key.nullable.or(mention.nullable);
    key.field_id = key.field_id.or(mention.field_id);
    for (name, value) in mention.parameters {
        key.parameters.entry(name).or_insert(value);
    }
    if key.data_type.is_empty() {
        key.data_type = mention.data_type;
    }
}

fn from_glue(columns: Vec<types::Column>, partition_key: bool) -> Vec<Column> {
    columns
        .into_iter()
        .filter_map(|column| from_glue_column(column, partition_key))
        .collect()
}

/// One column; none when the format says that it was dropped.
fn from_glue_column(column: types::Column, partition_key: bool) -> Option<Column> {
    let parameter = |key: &str| column.parameters.as_ref()?.get(key).map(String::as_str);
    if parameter(ICEBERG_CURRENT).is_some_and(|word| word.eq_ignore_ascii_case("false")) {
        return None;
    }
    Some(Column {
        partition_key,
        nullable: parameter(ICEBERG_OPTIONAL).and_then(|word| word.parse().ok()),
        field_id: parameter(ICEBERG_ID).and_then(|id| id.parse().ok()),
        comment: column.comment.filter(|text| !text.trim().is_empty()),
        parameters: lasting(column.parameters.unwrap_or_default()),
        name: column.name,
        data_type: column.r#type.unwrap_or_default(),
        ..Column::default()
    })
}

/// What is said of a column and has no field of its own.
fn lasting(pairs: HashMap<String, String>) -> BTreeMap<String, String> {
    let said = [ICEBERG_CURRENT, ICEBERG_OPTIONAL, ICEBERG_ID];
    pairs
        .into_iter()
        .filter(|(key, _)| !said.contains(&key.as_str()) && !parameters::is_noise(key))
        .collect()
}

fn from_presto(columns: Vec<PrestoColumn>, glue: Vec<types::Column>) -> Vec<Column> {
    let mut glue: HashMap<String, Column> = from_glue(glue, false)
        .into_iter()
        .map(|column| (column.name.clone(), column))
        .collect();
    let column = |column: PrestoColumn| {
        let known = glue.remove(&column.name).unwrap_or_default();
        Column {
            comment: column
                .comment
                .or(known.comment)
                .filter(|text| !text.trim().is_empty()),
            parameters: known.parameters,
            name: column.name,
            data_type: column.data_type,
            ..Column::default()
        }
    };
    columns.into_iter().map(column).collect()
}

/// Tells whether Glue's list only stands in for one that it does not know.
fn is_stand_in(columns: &[types::Column]) -> bool {
    match columns {
        [] => true,
        [only] => only.name == "col" && only.r#type.as_deref() == Some("array<string>"),
        _ => false,
    }
}
