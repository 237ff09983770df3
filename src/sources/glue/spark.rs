//! The schema that Spark keeps in a table's parameters, whole or in pieces, as JSON of its own.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::types;
use crate::catalog::Column;

const SCHEMA: &str = "spark.sql.sources.schema";

/// How deep nested fields are followed, as in [`types`].
const DEEPEST: usize = 24;

#[derive(Deserialize)]
struct Struct {
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    data_type: Value,
    nullable: Option<bool>,
    #[serde(default)]
    metadata: Value,
}

/// Tells whether a parameter is a piece of the schema, which the columns already say.
pub(super) fn is_schema(key: &str) -> bool {
    key.starts_with(SCHEMA)
}

/// The columns that Spark knows, partition keys marked; `None` when it left no schema, an error when it is not legible.
pub(super) fn columns(parameters: &HashMap<String, String>) -> Option<Result<Vec<Column>, String>> {
    let json = match joined(parameters)? {
        Ok(json) => json,
        Err(problem) => return Some(Err(problem)),
    };
    let schema = serde_json::from_str::<Struct>(&json).map_err(|cause| {
        format!("Spark’s own schema could not be read ({cause}); the columns are Glue’s.")
    });
    Some(schema.map(|schema| {
        let mut columns: Vec<Column> = schema
            .fields
            .into_iter()
            .map(|field| column(field, "", 0))
            .collect();
        let keys = partition_keys(parameters);
        for column in &mut columns {
            column.partition_key = keys.contains(&column.name.as_str());
        }
        columns
    }))
}

/// The schema's JSON, put together from its pieces.
fn joined(parameters: &HashMap<String, String>) -> Option<Result<String, String>> {
    if let Some(whole) = parameters.get(SCHEMA) {
        return Some(Ok(whole.clone()));
    }
    let count = parameters.get("spark.sql.sources.schema.numParts")?;
    let Ok(count) = count.trim().parse::<usize>() else {
        return Some(Err(format!(
            "Spark’s own schema says it has “{count}” parts, which is no number; the columns are Glue’s."
        )));
    };
    let mut json = String::new();
    for part in 0..count {
        match parameters.get(&format!("{SCHEMA}.part.{part}")) {
            Some(text) => json.push_str(text),
            None => {
                return Some(Err(format!(
                    "Part {part} of Spark’s own schema is missing; the columns are Glue’s."
                )));
            }
        }
    }
    Some(Ok(json))
}

fn partition_keys(parameters: &HashMap<String, String>) -> Vec<&str> {
    let count = parameters.get("spark.sql.sources.schema.numPartCols");
    let count = count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0);
    // A wrong number must not keep this busy.
    (0..count)
        .map_while(|place: u32| parameters.get(&format!("{SCHEMA}.partCol.{place}")))
        .map(String::as_str)
        .collect()
}

fn column(field: Field, parent: &str, depth: usize) -> Column {
    let name = types::quoted(&field.name);
    let path = if parent.is_empty() {
        name.into_owned()
    } else {
        format!("{parent}.{name}")
    };
    let comment = field.metadata.get("comment").and_then(Value::as_str);
    let char_type = field
        .metadata
        .get("__CHAR_VARCHAR_TYPE_STRING")
        .and_then(Value::as_str);
    Column {
        data_type: char_type.map_or_else(|| in_words(&field.data_type), str::to_owned),
        comment: comment.filter(|text| !text.is_empty()).map(str::to_owned),
        nullable: field.nullable,
        fields: nested(field.data_type, &path, depth),
        name: field.name,
        path,
        ..Column::default()
    }
}

fn nested(data_type: Value, path: &str, depth: usize) -> Vec<Column> {
    let Value::Object(mut object) = data_type else {
        return Vec::new();
    };
    if depth == DEEPEST {
        return Vec::new();
    }
    let mut part = |name: &str| object.remove(name).unwrap_or_default();
    match part("type").as_str() {
        Some("struct") => match serde_json::from_value::<Vec<Field>>(part("fields")) {
            Ok(fields) => fields
                .into_iter()
                .map(|field| column(field, path, depth + 1))
                .collect(),
            Err(_) => Vec::new(),
        },
        Some("array") => nested(part("elementType"), &format!("{path}[]"), depth + 1),
        Some("map") => nested(part("valueType"), &format!("{path}{{}}"), depth + 1),
        _ => Vec::new(),
    }
}

/// A type as SQL writes it.
fn in_words(data_type: &Value) -> String {
    let part = |name: &str| data_type.get(name).map(in_words).unwrap_or_default();
    match data_type {
        Value::String(word) => plain(word).to_owned(),
        Value::Object(object) => match object.get("type").and_then(Value::as_str) {
            Some("struct") => format!("struct<{}>", members(object.get("fields"))),
            Some("array") => format!("array<{}>", part("elementType")),
            Some("map") => format!("map<{},{}>", part("keyType"), part("valueType")),
            Some("udt") => part("sqlType"),
            _ => data_type.to_string(),
        },
        other => other.to_string(),
    }
}

fn members(fields: Option<&Value>) -> String {
    let fields = fields
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let member = |field: &Value| {
        let name = field
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        format!(
            "{name}:{}",
            field.get("type").map(in_words).unwrap_or_default()
        )
    };
    fields.iter().map(member).collect::<Vec<_>>().join(",")
}

fn plain(word: &str) -> &str {
    match word {
        "integer" => "int",
        "long" => "bigint",
        "short" => "smallint",
        "byte" => "tinyint",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"type":"struct","fields":[
        {"name":"id","type":"long","nullable":false,"metadata":{"comment":"The key."}},
        {"name":"a.b","type":{"type":"array","elementType":{"type":"struct","fields":[
            {"name":"x","type":"integer","nullable":true,"metadata":{}}]},"containsNull":true},"nullable":true,"metadata":{}},
        {"name":"m","type":{"type":"map","keyType":"string","valueType":"decimal(10,2)","valueContainsNull":true},"nullable":true},
        {"name":"day","type":"date","nullable":true,"metadata":{}}]}"#;

    fn parameters(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn listing(columns: &[Column]) -> Vec<String> {
        let all = columns.iter().flat_map(Column::walk);
        all.map(|column| format!("{} {}", column.path, column.data_type))
            .collect()
    }

    #[test]
    fn a_schema_in_one_piece_and_one_in_parts_are_the_same() {
        let (first, second) = JSON.split_at(100);
        let whole = columns(&parameters(&[(SCHEMA, JSON)])).unwrap().unwrap();
        let parts = columns(&parameters(&[
            ("spark.sql.sources.schema.numParts", "2"),
            ("spark.sql.sources.schema.part.0", first),
            ("spark.sql.sources.schema.part.1", second),
        ]));

        assert_eq!(parts.unwrap().unwrap(), whole);
        assert_eq!(
            listing(&whole),
            [
                "id bigint",
                "\"a.b\" array<struct<x:int>>",
                "\"a.b\"[].x int",
                "m map<string,decimal(10,2)>",
                "day date"
            ]
        );
        assert_eq!(whole[0].nullable, Some(false));
        assert_eq!(whole[0].comment.as_deref(), Some("The key."));
    }

    #[test]
    fn partition_keys_are_marked() {
        let columns = columns(&parameters(&[
            (SCHEMA, JSON),
            ("spark.sql.sources.schema.numPartCols", "1"),
            ("spark.sql.sources.schema.partCol.0", "day"),
        ]));

        let keys: Vec<_> = columns
            .unwrap()
            .unwrap()
            .iter()
            .map(|column| column.partition_key)
            .collect();
        assert_eq!(keys, [false, false, false, true]);
    }

    #[test]
    fn what_is_missing_or_illegible_is_said() {
        for (pairs, reason) in [
            (vec![(SCHEMA, "{")], "could not be read"),
            (vec![("spark.sql.sources.schema.numParts", "2")], "Part 0"),
            (
                vec![("spark.sql.sources.schema.numParts", "two")],
                "no number",
            ),
        ] {
            assert!(
                columns(&parameters(&pairs))
                    .unwrap()
                    .unwrap_err()
                    .contains(reason)
            );
        }
        assert!(columns(&parameters(&[("EXTERNAL", "TRUE")])).is_none());
    }
}
