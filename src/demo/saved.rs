//! Glue's answers as people save them: by either version of the AWS command line, from the console, out of a program.
//!
//! They are turned into what the API itself answers: names begin with capitals, times are seconds. Deliberately absent:
//! files, and any judgement of what is in a table.

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Deserializer, Map, Number, Value, json};

/// Databases and tables in the form of the API, and what was left out of them, as the ends of sentences.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) databases: Vec<Value>,
    /// Each with the name of its database.
    pub(super) tables: Vec<(String, Value)>,
    pub(super) left_out: Vec<String>,
}

/// Why a text holds no answer, and in which line that shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) problem: String,
}

/// Keys of what people name themselves: they stay as they are.
const MAPS: [&str; 2] = ["Parameters", "SkewedColumnValueLocationMaps"];

/// By these a database is told from a column, which has a name as well.
const OF_DATABASES: [&str; 4] = [
    "CatalogId",
    "CreateTableDefaultPermissions",
    "CreateTime",
    "LocationUri",
];

const TIMES: [&str; 4] = [
    "CreateTime",
    "UpdateTime",
    "LastAccessTime",
    "LastAnalyzedTime",
];

/// From this on a number is meant in thousandths of a second; as seconds it lies in the year 5138.
const MILLISECONDS: f64 = 1e11;

/// How programs write times beside the way of RFC 3339.
const WITH_ZONE: [&str; 3] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%a, %d %b %Y %H:%M:%S %z",
];
const IN_UTC: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f UTC",
    "%B %d, %Y at %H:%M:%S",
];

/// Reads one answer or several, one after the other.
pub(super) fn read(text: &str) -> Result<Answers, Unreadable> {
    let mut answers = Answers::default();
    let mut known = false;
    for document in Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|cause| Unreadable {
            line: cause.line(),
            problem: cause.to_string(),
        })?;
        known |= answers.take(document);
    }
    if known {
        return Ok(answers);
    }
    let problem = if text.trim().is_empty() {
        "there is nothing in the file"
    } else {
        "no answer of AWS Glue is in it: no “TableList”, “Table”, “DatabaseList” or “Database”"
    };
    Err(Unreadable {
        line: 1,
        problem: problem.to_owned(),
    })
}

impl Answers {
    /// Takes what an answer holds; false when nothing in it is known.
    fn take(&mut self, value: Value) -> bool {
        match value {
            Value::Array(values) => {
                let mut known = false;
                for value in values {
                    known |= self.take(value);
                }
                known
            }
            Value::Object(entries) => self.take_object(with_capitals(entries)),
            _ => false,
        }
    }

    fn take_object(&mut self, mut answer: Map<String, Value>) -> bool {
        let database = answer.get("DatabaseName").and_then(Value::as_str);
        let database = database.map(str::to_owned);
        let mut known = false;
        for key in ["DatabaseList", "Databases", "Database", "DatabaseInput"] {
            if let Some(found) = answer.remove(key).filter(|value| !value.is_string()) {
                known = true;
                for database in self.objects(found) {
                    self.add_database(database);
                }
            }
        }
        if let Some(Value::Array(versions)) = answer.remove("TableVersions") {
            // The newest version comes first.
            known = true;
            let newest = versions.into_iter().next().unwrap_or_default();
            for mut version in self.objects(newest) {
                let table = version.remove("Table").unwrap_or_default();
                for table in self.objects(table) {
                    self.add_table(table, database.as_deref());
                }
            }
        }
        for key in ["TableList", "Tables", "Table", "TableInput"] {
            if let Some(found) = answer.remove(key).filter(|value| !value.is_string()) {
                known = true;
                for table in self.objects(found) {
                    self.add_table(table, database.as_deref());
                }
            }
        }
        if known || !answer.get("Name").is_some_and(Value::is_string) {
            return known;
        }
        let has = |key: &&str| answer.contains_key(*key);
        if database.is_some() || answer.contains_key("StorageDescriptor") {
            self.add_table(answer, None);
            true
        } else if OF_DATABASES.iter().any(has) {
            self.add_database(answer);
            true
        } else {
            false
        }
    }

    /// The objects of a list, or the one in its place.
    fn objects(&mut self, value: Value) -> Vec<Map<String, Value>> {
        let values = match value {
            Value::Array(values) => values,
            Value::Null => Vec::new(),
            single => vec![single],
        };
        let mut objects = Vec::with_capacity(values.len());
        for value in values {
            match value {
                Value::Object(entries) => objects.push(entries),
                _ => self
                    .left_out
                    .push("an entry that is no object was left out".to_owned()),
            }
        }
        objects
    }

    fn add_database(&mut self, mut database: Map<String, Value>) {
        let Some(name) = text_of(&database, "Name") else {
            let problem = "a database without “Name” was left out";
            return self.left_out.push(problem.to_owned());
        };
        self.put_times(&mut database, &name);
        self.databases.push(Value::Object(database));
    }

    fn add_table(&mut self, mut table: Map<String, Value>, database: Option<&str>) {
        let Some(name) = text_of(&table, "Name") else {
            let problem = "a table without “Name” was left out";
            return self.left_out.push(problem.to_owned());
        };
        let database = text_of(&table, "DatabaseName").or_else(|| database.map(str::to_owned));
        let Some(database) = database else {
            let problem = format!("the table “{name}” has no “DatabaseName” and was left out");
            return self.left_out.push(problem);
        };
        self.put_times(&mut table, &format!("{database}.{name}"));
        table.insert("DatabaseName".to_owned(), json!(database));
        self.tables.push((database, Value::Object(table)));
    }

    /// Writes times as the API does; what is no time is left out.
    fn put_times(&mut self, entries: &mut Map<String, Value>, whose: &str) {
        for key in TIMES {
            let Some(value) = entries.get_mut(key).filter(|value| !value.is_null()) else {
                continue;
            };
            if let Some(time) = seconds(value) {
                *value = Value::Number(time);
            } else {
                entries.remove(key);
                let problem = format!("“{key}” of “{whose}” is no time and was left out");
                self.left_out.push(problem);
            }
        }
    }
}

fn text_of(entries: &Map<String, Value>, key: &str) -> Option<String> {
    let text = entries.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Lets the keys begin with capitals, as the API writes them.
fn with_capitals(entries: Map<String, Value>) -> Map<String, Value> {
    let capital = |(key, value): (String, Value)| {
        let mut letters = key.chars();
        let key: String = letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect();
        let value = if MAPS.contains(&key.as_str()) {
            value
        } else {
            inside_with_capitals(value)
        };
        (key, value)
    };
    entries.into_iter().map(capital).collect()
}

fn inside_with_capitals(value: Value) -> Value {
    match value {
        Value::Object(entries) => Value::Object(with_capitals(entries)),
        Value::Array(values) => values.into_iter().map(inside_with_capitals).collect(),
        other => other,
    }
}

/// A time in seconds since 1970, however it is written.
fn seconds(value: &Value) -> Option<Number> {
    let text = match value {
        Value::Number(number) => {
            let long = number.as_f64().filter(|time| *time >= MILLISECONDS);
            return long.map_or(Some(number.clone()), |time| Number::from_f64(time / 1e3));
        }
        Value::String(text) => text.trim(),
        _ => return None,
    };
    if let Ok(number) = text.parse::<f64>() {
        return seconds(&json!(number));
    }
    let rfc = DateTime::parse_from_rfc3339(text).ok();
    let zoned = || {
        WITH_ZONE
            .iter()
            .find_map(|form| DateTime::parse_from_str(text, form).ok())
    };
    let utc = || {
        IN_UTC
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    let time = match rfc.or_else(zoned) {
        Some(time) => time.to_utc(),
        None => utc()?.and_utc(),
    };
    match time.timestamp_subsec_millis() {
        0 => Some(time.timestamp().into()),
        #[expect(clippy::cast_precision_loss, reason = "times of this millennium fit")]
        _ => Number::from_f64(time.timestamp_millis() as f64 / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_however_programs_write_it() {
        for (written, expected) in [
            (json!(1_703_799_164), json!(1_703_799_164)),
            (json!(1_703_799_164.5), json!(1_703_799_164.5)),
            (json!(1_703_799_164_500_i64), json!(1_703_799_164.5)),
            (json!("1703799164.0"), json!(1_703_799_164.0)),
            (json!("2023-12-28T22:32:44+01:00"), json!(1_703_799_164)),
            (json!("2023-12-28T22:32:44+0100"), json!(1_703_799_164)),
            (json!("2023-12-28T21:32:44.250Z"), json!(1_703_799_164.25)),
            (
                json!("2023-12-28 22:32:44.250000+01:00"),
                json!(1_703_799_164.25),
            ),
            (json!("2023-12-28T21:32:44"), json!(1_703_799_164)),
            (
                json!("Thu, 28 Dec 2023 21:32:44 +0000"),
                json!(1_703_799_164),
            ),
            (json!("December 28, 2023 at 21:32:44"), json!(1_703_799_164)),
            (json!("1970-01-01T00:00:00+00:00"), json!(0)),
        ] {
            assert_eq!(
                seconds(&written).map(Value::Number),
                Some(expected),
                "{written}"
            );
        }
        for odd in [json!("yesterday"), json!(""), json!([]), json!(true)] {
            assert_eq!(seconds(&odd), None, "{odd}");
        }
    }

    #[test]
    fn an_answer_is_found_in_every_form_in_which_it_is_saved() {
        let table =
            json!({"Name": "steps", "DatabaseName": "gym", "Parameters": {"mixedCase": "1"}});
        for saved in [
            json!({"TableList": [table]}).to_string(),
            json!({"Table": table}).to_string(),
            json!({"tables": [table]}).to_string(),
            json!([{"Table": table}]).to_string(),
            table.to_string(),
            json!({"DatabaseName": "gym", "TableInput": {"Name": "steps", "Parameters": {"mixedCase": "1"}}}).to_string(),
            json!({"TableVersions": [{"Table": table, "VersionId": "2"}, {"Table": {"Name": "old"}}]}).to_string(),
            json!({"tableList": [{"name": "steps", "databaseName": "gym", "parameters": {"mixedCase": "1"}}]}).to_string(),
            format!("{}\n{}", json!({"TableList": []}), json!({"TableList": [table], "NextToken": null})),
        ] {
            let answers = read(&saved).unwrap();

            assert_eq!(answers.tables, [("gym".to_owned(), table.clone())], "{saved}");
            assert!(answers.left_out.is_empty(), "{saved}");
        }
        let database = json!({"Name": "gym", "CreateTime": 0});
        for saved in [
            json!({"DatabaseList": [database]}),
            json!({"Database": database}),
            database.clone(),
        ] {
            assert_eq!(
                read(&saved.to_string()).unwrap().databases,
                std::slice::from_ref(&database)
            );
        }
    }

    #[test]
    fn one_bad_entry_costs_itself() {
        let answers = read(
            r#"{"TableList": [{"DatabaseName": "a"}, {"Name": "b"}, 7, {"Name": "c", "DatabaseName": "a", "CreateTime": "x"}]}"#,
        )
        .unwrap();

        assert_eq!(answers.tables.len(), 1);
        assert_eq!(
            answers.left_out,
            [
                "an entry that is no object was left out",
                "a table without “Name” was left out",
                "the table “b” has no “DatabaseName” and was left out",
                "“CreateTime” of “a.c” is no time and was left out",
            ]
        );
    }

    #[test]
    fn what_is_no_answer_is_refused_with_the_reason() {
        let refused = |text: &str| read(text).unwrap_err().problem;

        assert_eq!(refused(" \n"), "there is nothing in the file");
        assert!(refused(r#"{"Jobs": []}"#).starts_with("no answer of AWS Glue is in it"));
        let columns = r#"[{"Name": "id", "Type": "bigint", "Comment": ""}]"#;
        assert!(refused(columns).starts_with("no answer of AWS Glue is in it"));
        assert!(refused(r#"{"TableList": ["#).starts_with("EOF"));
        assert_eq!(read("{\n\n!").unwrap_err().line, 3);
    }
}
