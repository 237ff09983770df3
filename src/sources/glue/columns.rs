//! The columns of a table, brought together from every place where Glue or an engine wrote them down.

use std::collections::{HashMap, HashSet};

use aws_sdk_glue::types;

use super::view::PrestoColumn;
use super::{spark, types as grammar};
use crate::catalog::Column;

/// The columns that Hudi writes for itself.
const HUDI: &str = "_hoodie_";

/// The columns in the order in which people are shown them: ordinary ones, partition keys, bookkeeping.
///
/// A view's own list is truer than Glue's, and so is Spark's where Glue shows only a stand-in. What was coped with is
/// added to `findings`.
pub(super) fn assemble(
    glue: Vec<types::Column>,
    keys: Vec<types::Column>,
    presto: Vec<PrestoColumn>,
    parameters: &HashMap<String, String>,
    findings: &mut Vec<String>,
) -> Vec<Column> {
    let columns = if !presto.is_empty() {
        from_presto(presto, &glue)
    } else if is_stand_in(&glue) {
        from_spark(parameters, findings).unwrap_or_else(|| from_glue(glue, false))
    } else {
        from_glue(glue, false)
    };
    in_order(columns, from_glue(keys, true))
}

/// Puts partition keys behind the other columns and bookkeeping last, each name once.
fn in_order(columns: Vec<Column>, mut keys: Vec<Column>) -> Vec<Column> {
    let columns = once_each(columns);
    let mut ordered = Vec::with_capacity(columns.len() + keys.len());
    let mut more_keys = Vec::new();
    for column in columns {
        if let Some(key) = keys.iter_mut().find(|key| key.name == column.name) {
            complete(key, column);
        } else if column.partition_key {
            more_keys.push(column);
        } else {
            ordered.push(column);
        }
    }
    ordered.append(&mut once_each(keys));
    ordered.append(&mut more_keys);
    if ordered.iter().any(|column| column.bookkeeping) {
        ordered.sort_by_key(|column| column.bookkeeping);
    }
    ordered
}

/// Takes over what the other mention of a partition key says better.
fn complete(key: &mut Column, mention: Column) {
    key.comment = key.comment.take().or(mention.comment);
    key.nullable = key.nullable.or(mention.nullable);
    key.field_id = key.field_id.or(mention.field_id);
    if key.data_type.is_empty() {
        key.data_type = mention.data_type;
        key.fields = mention.fields;
    }
}

/// Of several columns with exactly one name, which nobody could tell apart, keeps the first.
fn once_each(columns: Vec<Column>) -> Vec<Column> {
    let mut seen = HashSet::with_capacity(columns.len());
    let first: Vec<bool> = columns
        .iter()
        .map(|column| seen.insert(column.name.as_str()))
        .collect();
    if first.iter().all(|first| *first) {
        return columns;
    }
    columns
        .into_iter()
        .zip(first)
        .filter_map(|(column, first)| first.then_some(column))
        .collect()
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
    if parameter("iceberg.field.current").is_some_and(|word| word.eq_ignore_ascii_case("false")) {
        return None;
    }
    let nullable = parameter("iceberg.field.optional").and_then(|word| word.parse().ok());
    let field_id = parameter("iceberg.field.id").and_then(|id| id.parse().ok());
    let comment = column.comment.filter(|text| !text.trim().is_empty());
    let data_type = column.r#type.unwrap_or_default();
    Some(Column {
        comment,
        partition_key,
        nullable,
        field_id,
        ..named(column.name, data_type)
    })
}

/// A column by its name and type, with what is nested in it.
fn named(name: String, data_type: String) -> Column {
    let path = grammar::quoted(&name).into_owned();
    Column {
        fields: grammar::nested(&data_type, &path),
        bookkeeping: name.starts_with(HUDI),
        path,
        name,
        data_type,
        ..Column::default()
    }
}

fn from_presto(columns: Vec<PrestoColumn>, glue: &[types::Column]) -> Vec<Column> {
    let comments: HashMap<&str, &str> = glue
        .iter()
        .filter_map(|column| Some((column.name.as_str(), column.comment.as_deref()?)))
        .collect();
    let column = |column: PrestoColumn| {
        let comment = column
            .comment
            .or_else(|| comments.get(column.name.as_str()).map(ToString::to_string));
        Column {
            comment: comment.filter(|text| !text.trim().is_empty()),
            ..named(column.name, column.data_type)
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

fn from_spark(
    parameters: &HashMap<String, String>,
    findings: &mut Vec<String>,
) -> Option<Vec<Column>> {
    match spark::columns(parameters)? {
        Ok(mut columns) => {
            for column in &mut columns {
                column.bookkeeping = column.name.starts_with(HUDI);
            }
            Some(columns)
        }
        Err(problem) => {
            findings.push(problem);
            None
        }
    }
}
