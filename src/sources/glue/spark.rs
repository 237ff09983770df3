//! The schema that Spark keeps in a table's parameters, whole or in pieces, as JSON of its own.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use super::fields::{self, Fields, Paths, told};
use crate::catalog::{Column, EngineColumn};

const SCHEMA: &str = "spark.sql.sources.schema";

/// No schema is in more parts; each holds thousands of characters.
const MOST_PARTS: u32 = 10_000;

/// How deep nested fields are followed, as in [`fields`].
const DEEPEST: usize = 24;

/// What Spark says of a table's columns.
#[derive(Deserialize)]
pub(super) struct Schema {
    fields: Vec<Field>,
    /// The names of the partition keys.
    #[serde(skip)]
    keys: HashSet<String>,
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

/// The schema that Spark left; nothing when it left none, an error when it is not legible.
pub(super) fn schema(parameters: &HashMap<String, String>) -> Option<Result<Schema, String>> {
    let json = match joined(parameters)? {
        Ok(json) => json,
        Err(problem) => return Some(Err(problem)),
    };
    let schema = serde_json::from_str::<Schema>(&json).map_err(|cause| {
        format!("Spark’s own schema could not be read ({cause}); the columns are Glue’s.")
    });
    Some(schema.map(|schema| Schema {
        keys: partition_keys(parameters),
        ..schema
    }))
}

/// The schema's JSON, put together from its pieces.
fn joined(parameters: &HashMap<String, String>) -> Option<Result<String, String>> {
    if let Some(whole) = parameters.get(SCHEMA) {
        return Some(Ok(whole.clone()));
    }
    let count = parameters.get("spark.sql.sources.schema.numParts")?;
    let Ok(count) = count.trim().parse::<u32>() else {
        return Some(Err(format!(
            "Spark’s own schema says it has “{}” parts, which is no number; the columns are Glue’s.",
            told(count)
        )));
    };
    let part = |part: u32| parameters.get(&format!("{SCHEMA}.part.{part}"));
    // A wrong number must not keep this busy.
    let wanted = 0..count.min(MOST_PARTS);
    let missing: Vec<String> = wanted
        .clone()
        .filter(|place| part(*place).is_none())
        .map(|place| place.to_string())
        .collect();
    Some(match missing.as_slice() {
        [] => Ok(wanted.filter_map(part).map(String::as_str).collect()),
        [one] => Err(format!(
            "Part {one} of Spark’s own schema is missing; the columns are Glue’s."
        )),
        many => Err(format!(
            "Parts {} of Spark’s own schema are missing; the columns are Glue’s.",
            told(&many.join(", "))
        )),
    })
}

fn partition_keys(parameters: &HashMap<String, String>) -> HashSet<String> {
    let count = parameters.get("spark.sql.sources.schema.numPartCols");
    let count = count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0);
    // A wrong number must not keep this busy.
    (0..count)
        .map_while(|place: u32| parameters.get(&format!("{SCHEMA}.partCol.{place}")))
        .cloned()
        .collect()
}

impl Schema {
    /// The columns that Spark knows, partition keys marked.
    pub(super) fn columns(self, fields: &mut Fields) -> Vec<Column> {
        let mut columns = listed(self.fields, "", 0, fields);
        for column in &mut columns {
            column.partition_key = self.keys.contains(&column.name);
        }
        columns
    }
}

/// Lists fields by their paths, as far as there is room.
fn listed(list: Vec<Field>, parent: &str, depth: usize, fields: &mut Fields) -> Vec<Column> {
    let mut columns = Vec::new();
    let mut paths = Paths::default();
    for field in list {
        let name = fields::quoted(&field.name);
        let path = paths.next(&match parent {
            "" => name.into_owned(),
            parent => format!("{parent}.{name}"),
        });
        let column = column(field, path, depth, fields);
        let Some(column) = column else {
            fields.leave_as_text(parent);
            return Vec::new();
        };
        columns.push(column);
    }
    columns
}

fn column(field: Field, path: String, depth: usize, fields: &mut Fields) -> Option<Column> {
    let comment = field.metadata.get("comment").and_then(Value::as_str);
    let char_type = field
        .metadata
        .get("__CHAR_VARCHAR_TYPE_STRING")
        .and_then(Value::as_str);
    let data_type = char_type.map_or_else(|| in_words(&field.data_type), str::to_owned);
    fields.make_room(&path, &data_type).then(|| Column {
        data_type,
        comment: comment.filter(|text| !text.is_empty()).map(str::to_owned),
        nullable: field.nullable,
        fields: nested(field.data_type, &path, depth, fields),
        name: field.name,
        path,
        ..Column::default()
    })
}

fn nested(data_type: Value, path: &str, depth: usize, fields: &mut Fields) -> Vec<Column> {
    let Value::Object(mut object) = data_type else {
        return Vec::new();
    };
    if depth == DEEPEST {
        fields.leave_as_text(path);
        return Vec::new();
    }
    let mut part = |name: &str| object.remove(name).unwrap_or_default();
    match part("type").as_str() {
        Some("struct") => {
            if let Ok(list) = serde_json::from_value::<Vec<Field>>(part("fields")) {
                listed(list, path, depth + 1, fields)
            } else {
                fields.leave_as_text(path);
                Vec::new()
            }
        }
        Some("array") => nested(part("elementType"), &format!("{path}[]"), depth + 1, fields),
        Some("map") => nested(part("valueType"), &format!("{path}{{}}"), depth + 1, fields),
        _ => Vec::new(),
    }
}

/// Adds to columns what Spark says of the same ones beyond Glue, which writes every name in lower case.
pub(super) fn say(columns: &mut [Column], schema: &[Column], fields: &mut Fields) {
    let mut spelled: HashMap<String, Vec<&Column>> = HashMap::new();
    for said in schema.iter().flat_map(Column::walk) {
        spelled
            .entry(said.path.to_lowercase())
            .or_default()
            .push(said);
    }
    for column in &mut *columns {
        say_of(column, &spelled);
    }
    let listed: HashSet<String> = columns
        .iter()
        .map(|column| column.path.to_lowercase())
        .collect();
    let unlisted = schema
        .iter()
        .filter(|said| !listed.contains(&said.path.to_lowercase()));
    for said in unlisted {
        fields.find(format!(
            "Spark’s own schema has a column “{}” ({}) that AWS Glue does not list.",
            told(&said.path),
            told(&said.data_type)
        ));
    }
}

fn say_of(column: &mut Column, spelled: &HashMap<String, Vec<&Column>>) {
    let said = spelled.get(&column.path.to_lowercase());
    let exact = said.and_then(|all| all.iter().find(|said| said.path == column.path));
    let only = said.and_then(|all| match all.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    if let Some(said) = exact.or(only) {
        column.engine = beyond(column, said);
    }
    for field in &mut column.fields {
        say_of(field, spelled);
    }
}

/// What Spark says of a column that Glue does not.
fn beyond(column: &Column, said: &Column) -> Option<Box<EngineColumn>> {
    let other = |said: &String, own: Option<&String>| (Some(said) != own).then(|| said.clone());
    let beyond = EngineColumn {
        engine: String::new(),
        name: other(&said.name, Some(&column.name)),
        data_type: Some(said.data_type.clone())
            .filter(|said| !is_same_type(said, &column.data_type)),
        comment: said
            .comment
            .as_ref()
            .and_then(|comment| other(comment, column.comment.as_ref())),
        nullable: said
            .nullable
            .filter(|nullable| !nullable && column.nullable != Some(false)),
    };
    (beyond != EngineColumn::default()).then(|| {
        Box::new(EngineColumn {
            engine: "Spark".to_owned(),
            ..beyond
        })
    })
}

/// Tells whether two types are the same but for case and blanks, in which engines differ.
pub(super) fn is_same_type(one: &str, other: &str) -> bool {
    let letters = |text: &'_ str| -> String {
        text.chars()
            .filter(|letter| !letter.is_whitespace())
            .collect::<String>()
            .to_lowercase()
    };
    letters(one) == letters(other)
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

    fn columns(parameters: &HashMap<String, String>) -> Option<Result<Vec<Column>, String>> {
        let schema = schema(parameters)?;
        Some(schema.map(|schema| schema.columns(&mut Fields::default())))
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
            (vec![("spark.sql.sources.schema.numParts", "1")], "Part 0"),
            (
                vec![
                    ("spark.sql.sources.schema.numParts", "4"),
                    ("spark.sql.sources.schema.part.1", "{}"),
                    ("spark.sql.sources.schema.part.2", "{}"),
                    ("EXTERNAL", "TRUE"),
                ],
                "Parts 0, 3",
            ),
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
