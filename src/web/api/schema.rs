//! Holding a JSON value against a schema of the API's description, with a sentence for each difference.
//!
//! Only what these schemas use is known here. Deliberately absent: lengths and counts, which the catalog's own rules tell
//! with the rest of what is wrong.

use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::web::aspects::api::FieldProblemShape;

use crate::ingest::recipe::nearest;

/// No more problems than these are told of one body.
const MOST_PROBLEMS: usize = 50;

/// Lists how a value differs from a schema whose references have been followed.
pub(super) fn check(schema: &Value, value: &Value) -> Vec<FieldProblemShape> {
    let mut check = Check::default();
    check.any(schema, value, "");
    check.problems
}

#[derive(Default)]
struct Check {
    problems: Vec<FieldProblemShape>,
}

impl Check {
    fn problem(&mut self, at: &str, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(FieldProblemShape::new(at, text));
        }
    }

    fn any(&mut self, schema: &Value, value: &Value, at: &str) {
        if !is_allowed(schema, value) {
            let (wanted, given) = (wanted(schema), kind(value));
            let text = format!("{} is {wanted}, and {given} was sent.", name(at));
            return self.problem(at, text);
        }
        match value {
            Value::Object(given) => self.object(schema, given, at),
            Value::Array(elements) => {
                let schema = schema.get("items").unwrap_or(&Value::Null);
                for (number, element) in elements.iter().enumerate() {
                    self.any(schema, element, &format!("{at}[{number}]"));
                }
            }
            Value::String(text) => self.text(schema, text, at),
            Value::Number(_) => self.number(schema, value, at),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn object(&mut self, schema: &Value, given: &Map<String, Value>, at: &str) {
        let properties = properties(schema);
        let inside = |key: &str| match at {
            "" => key.to_owned(),
            at => format!("{at}.{key}"),
        };
        for (key, value) in given {
            match properties.iter().find(|(known, _)| known == key) {
                Some((_, schema)) => self.any(schema, value, &inside(key)),
                None => self.unknown(key, &properties, &inside(key)),
            }
        }
        for key in required(schema) {
            if !given.contains_key(key) {
                self.problem(&inside(key), format!("The key “{key}” is missing."));
            }
        }
    }

    fn unknown(&mut self, key: &str, known: &[(&str, &Value)], at: &str) {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let shown: String = key.chars().take(64).collect();
        let text = match nearest(key, names.iter().copied()) {
            Some(near) => format!("There is no key “{shown}”. Did you mean “{near}”?"),
            None => format!(
                "There is no key “{shown}”. The keys are {}.",
                names.join(", ")
            ),
        };
        self.problem(at, text);
    }

    fn text(&mut self, schema: &Value, text: &str, at: &str) {
        let choices: Vec<&str> = strings(schema, "enum");
        let shown: String = text.chars().take(64).collect();
        if !choices.is_empty() && !choices.contains(&text) {
            let choices = choices.join(", ");
            let text = format!("{} is one of {choices}, and not “{shown}”.", name(at));
            return self.problem(at, text);
        }
        let example = match schema.get("format").and_then(Value::as_str) {
            Some("uuid") if text.parse::<Uuid>().is_err() => {
                "an id such as 01980a5e-7c1b-7def-8a90-1b2c3d4e5f60"
            }
            Some("date") if text.parse::<NaiveDate>().is_err() => "a day such as 2027-01-31",
            _ => return,
        };
        self.problem(at, format!("{} is {example}, and not “{shown}”.", name(at)));
    }

    fn number(&mut self, schema: &Value, value: &Value, at: &str) {
        let least = schema.get("minimum").and_then(Value::as_i64);
        let most = match schema.get("format").and_then(Value::as_str) {
            Some("int32") => i64::from(i32::MAX),
            _ => i64::MAX,
        };
        let least = least.unwrap_or(i64::MIN);
        if !value
            .as_i64()
            .is_some_and(|number| (least..=most).contains(&number))
        {
            let text = format!("{} is a whole number from {least} to {most}.", name(at));
            self.problem(at, text);
        }
    }
}

fn name(at: &str) -> String {
    match at {
        "" => "The body".to_owned(),
        at => format!("“{at}”"),
    }
}

/// What an object's schema has under a key that lists texts.
fn strings<'s>(schema: &'s Value, key: &str) -> Vec<&'s str> {
    let list = schema.get(key).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// An object's schema, and those that it is put together from.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let all = schema.get("allOf").and_then(Value::as_array);
    std::iter::once(schema).chain(all.into_iter().flatten())
}

fn properties(schema: &Value) -> Vec<(&str, &Value)> {
    parts(schema)
        .filter_map(|part| part.get("properties")?.as_object())
        .flat_map(|properties| {
            properties
                .iter()
                .map(|(name, schema)| (name.as_str(), schema))
        })
        .collect()
}

fn required(schema: &Value) -> Vec<&str> {
    parts(schema)
        .flat_map(|part| strings(part, "required"))
        .collect()
}

/// The types that a schema allows, in the words of JSON Schema; none where it says nothing of them.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(_) => strings(schema, "type"),
        None if schema.get("allOf").is_some() => vec!["object"],
        None => Vec::new(),
    }
}

fn is_allowed(schema: &Value, value: &Value) -> bool {
    let types = types(schema);
    let fits = |word: &&str| match *word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" | "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    };
    types.is_empty() || types.iter().any(fits)
}

fn wanted(schema: &Value) -> String {
    let words = types(schema).into_iter().map(|word| match word {
        "object" => "an object",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "null",
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        Value::Null => "null",
    }
}

/// A JSON value in which no object has a key twice.
pub(super) struct Unique(pub(super) Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Unique(value))) = entries.next_entry::<String, Unique>()? {
            if object.contains_key(&key) {
                let shown: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format!(
                    "the key “{shown}” is given twice"
                )));
            }
            object.insert(key, value);
        }
        Ok(object.into())
    }
}
