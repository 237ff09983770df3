//! Column types as the sample world writes them (Hive's grammar), in the words of Spark and of Trino.
//!
//! Only what the sample world needs: what is not understood stays as it is.

use serde_json::{Value, json};

use super::database_yaml::SheetColumn;

enum Type {
    Plain(String),
    Array(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Struct(Vec<(String, Type)>),
}

/// Spark's own schema of a table, as it stands in the parameters of what Spark wrote.
pub(super) fn spark_schema(columns: &[SheetColumn]) -> Value {
    let fields: Vec<_> = columns
        .iter()
        .map(|column| {
            let metadata = match &column.comment {
                Some(comment) => json!({"comment": comment}),
                None => json!({}),
            };
            json!({
                "name": column.name,
                "type": parse(&column.data_type).to_spark(),
                "nullable": true,
                "metadata": metadata,
            })
        })
        .collect();
    json!({"type": "struct", "fields": fields})
}

/// The same type in Trino's words, such as `row(a varchar)` for `struct<a:string>`.
pub(super) fn trino(hive: &str) -> String {
    parse(hive).to_trino()
}

fn parse(text: &str) -> Type {
    let text = text.trim();
    if let Some(inner) = inside(text, "array<") {
        return Type::Array(Box::new(parse(inner)));
    }
    if let Some(inner) = inside(text, "map<")
        && let [key, value] = parts(inner).as_slice()
    {
        return Type::Map(Box::new(parse(key)), Box::new(parse(value)));
    }
    if let Some(inner) = inside(text, "struct<") {
        return Type::Struct(parts(inner).iter().map(|part| field(part)).collect());
    }
    Type::Plain(text.to_owned())
}

fn inside<'a>(text: &'a str, opening: &str) -> Option<&'a str> {
    text.strip_prefix(opening)?.strip_suffix('>')
}

fn field(part: &str) -> (String, Type) {
    let (name, data_type) = part.split_once(':').unwrap_or((part, "string"));
    (name.trim().to_owned(), parse(data_type))
}

/// Splits at the commas that are in no bracket.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    for letter in text.chars() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

impl Type {
    fn to_spark(&self) -> Value {
        match self {
            Self::Plain(name) => Value::from(match name.as_str() {
                "bigint" => "long",
                "int" => "integer",
                "smallint" => "short",
                "tinyint" => "byte",
                other => other,
            }),
            Self::Array(element) => {
                json!({"type": "array", "elementType": element.to_spark(), "containsNull": true})
            }
            Self::Map(key, value) => json!({
                "type": "map",
                "keyType": key.to_spark(),
                "valueType": value.to_spark(),
                "valueContainsNull": true,
            }),
            Self::Struct(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, data_type)| {
                        json!({"name": name, "type": data_type.to_spark(), "nullable": true, "metadata": {}})
                    })
                    .collect();
                json!({"type": "struct", "fields": fields})
            }
        }
    }

    fn to_trino(&self) -> String {
        match self {
            Self::Plain(name) => match name.as_str() {
                "string" => "varchar".to_owned(),
                "int" => "integer".to_owned(),
                "float" => "real".to_owned(),
                "binary" => "varbinary".to_owned(),
                "timestamp" => "timestamp(3)".to_owned(),
                other => other.to_owned(),
            },
            Self::Array(element) => format!("array({})", element.to_trino()),
            Self::Map(key, value) => format!("map({}, {})", key.to_trino(), value.to_trino()),
            Self::Struct(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, data_type)| format!("\"{name}\" {}", data_type.to_trino()))
                    .collect();
                format!("row({})", fields.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types_are_said_in_the_words_of_trino() {
        let hive = "map<string,struct<at:timestamp,tags:array<string>,price:decimal(10,2)>>";

        assert_eq!(
            trino(hive),
            "map(varchar, row(\"at\" timestamp(3), \"tags\" array(varchar), \"price\" decimal(10,2)))"
        );
    }
}
