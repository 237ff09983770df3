//! The text of a view: found, decoded and named by the SQL it is written in.
//!
//! Presto, Trino and Athena hide theirs as base64 of JSON inside a comment; Hive and Spark store it as it is; Glue's own
//! views carry one text for each engine.

use aws_sdk_glue::types::ViewRepresentation;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;

use crate::catalog::View;

/// What Glue says of a view, before anything is decoded.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) original: Option<String>,
    pub(super) expanded: Option<String>,
    pub(super) representations: Vec<ViewRepresentation>,
    /// The SQL of a plain text, `Hive` or `Spark`.
    pub(super) plain_dialect: &'static str,
}

/// A view as far as it could be understood.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) view: Option<View>,
    /// Truer than the columns in Glue's own list, when there are any.
    pub(super) columns: Vec<PrestoColumn>,
    pub(super) comment: Option<String>,
    pub(super) owner: Option<String>,
    /// What else the payload says, by its name there.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// Why the text is shown as it was found, as a whole sentence.
    pub(super) problem: Option<String>,
}

/// A column as Presto, Trino or Athena wrote it down.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PrestoColumn {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) data_type: String,
    pub(super) comment: Option<String>,
}

/// What the comment `/* Presto View: … */` carries; every field may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    original_sql: Option<String>,
    catalog: Option<String>,
    schema: Option<String>,
    columns: Option<Vec<PrestoColumn>>,
    comment: Option<String>,
    owner: Option<String>,
    run_as_invoker: Option<bool>,
    storage_table: Value,
    grace_period: Value,
}

/// The comment that Presto's family writes around or instead of a view's text.
struct Marker<'a> {
    materialized: bool,
    payload: Option<&'a str>,
}

/// Accepts base64 with and without padding; its alphabet is made the standard one before.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Tells whether a description or comment says only that this is a Presto view.
pub(super) fn is_marker(text: &str) -> bool {
    let text = text.trim();
    ["Presto View", "Presto Materialized View"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
        || Marker::find(text).is_some()
}

/// Decodes whatever texts a view has. What cannot be decoded is kept raw, with the problem said.
pub(super) fn decode(texts: Texts) -> Decoded {
    let Texts {
        original,
        expanded,
        representations,
        plain_dialect,
    } = texts;
    let expanded = expanded.filter(|text| !text.trim().is_empty() && Marker::find(text).is_none());
    let original = original.filter(|text| !text.trim().is_empty());

    let mut decoded = match (original, expanded) {
        (Some(original), expanded) => single(original, expanded, plain_dialect),
        (None, Some(expanded)) => single(expanded, None, plain_dialect),
        (None, None) => Decoded::default(),
    };
    for representation in representations {
        add(&mut decoded, representation);
    }
    decoded
}

/// Decodes one text, with the same text in qualified names beside it.
fn single(original: String, expanded: Option<String>, plain_dialect: &'static str) -> Decoded {
    match Marker::find(&original) {
        None => plain(original, expanded, plain_dialect),
        Some(Marker {
            payload: None,
            materialized,
        }) => Decoded {
            view: expanded.map(|sql| View {
                sql,
                materialized,
                ..View::default()
            }),
            ..Decoded::default()
        },
        Some(Marker {
            payload: Some(payload),
            materialized,
        }) => match read(payload) {
            Ok(payload) => presto(payload, materialized, &original),
            Err(problem) => raw(original, materialized, problem),
        },
    }
}

fn plain(sql: String, expanded: Option<String>, dialect: &str) -> Decoded {
    let mut view = View {
        dialect: Some(dialect.to_owned()),
        ..View::default()
    };
    if let Some(expanded) = expanded.filter(|expanded| *expanded != sql) {
        view.other_dialects
            .insert(format!("{dialect}, qualified names"), expanded);
    }
    view.sql = sql;
    Decoded {
        view: Some(view),
        ..Decoded::default()
    }
}

fn presto(payload: Payload, materialized: bool, original: &str) -> Decoded {
    let mut decoded = Decoded {
        columns: payload.columns.unwrap_or_default(),
        comment: payload.comment,
        owner: payload.owner,
        ..Decoded::default()
    };
    decoded.columns.retain(|column| !column.name.is_empty());
    for (name, value) in [
        ("storageTable", payload.storage_table),
        ("gracePeriod", payload.grace_period),
    ] {
        match value {
            Value::Null => {}
            Value::String(text) => decoded.parameters.push((name, text)),
            other => decoded.parameters.push((name, other.to_string())),
        }
    }
    if payload.run_as_invoker == Some(true) {
        decoded.parameters.push(("runAsInvoker", "true".to_owned()));
    }
    let sql = payload
        .original_sql
        .filter(|sql| !sql.trim().is_empty())
        .unwrap_or_else(|| {
            decoded.problem =
                Some("The view’s text holds no SQL; it is shown as it is.".to_owned());
            original.to_owned()
        });
    decoded.view = Some(View {
        sql,
        dialect: decoded.problem.is_none().then(|| "Trino".to_owned()),
        default_catalog: payload.catalog,
        default_database: payload.schema,
        materialized,
        ..View::default()
    });
    decoded
}

fn raw(sql: String, materialized: bool, problem: String) -> Decoded {
    Decoded {
        view: Some(View {
            sql,
            materialized,
            ..View::default()
        }),
        problem: Some(problem),
        ..Decoded::default()
    }
}

/// Adds the text for one engine: as the view's own where it has none yet, else beside it.
fn add(decoded: &mut Decoded, representation: ViewRepresentation) {
    let dialect = representation
        .dialect
        .as_ref()
        .map(|dialect| title_case(dialect.as_str()));
    let dialect = dialect.unwrap_or_else(|| "SQL".to_owned());
    let text = representation
        .view_original_text
        .filter(|text| !text.trim().is_empty());
    let Some(text) = text.or(representation.view_expanded_text) else {
        return;
    };
    let mut other = single(text, None, "");
    let Some(other_view) = other.view.as_mut() else {
        return;
    };
    match &mut decoded.view {
        None => {
            other_view.dialect = Some(dialect);
            other.parameters.append(&mut decoded.parameters);
            *decoded = other;
        }
        Some(view) if view.sql == other_view.sql => view.dialect = Some(dialect),
        Some(view) => {
            let version = representation.dialect_version.unwrap_or_default();
            let key = if view.other_dialects.contains_key(&dialect) {
                format!("{dialect} {version}")
            } else {
                dialect
            };
            view.other_dialects
                .insert(key, std::mem::take(&mut other_view.sql));
            decoded.problem = decoded.problem.take().or(other.problem);
        }
    }
}

/// `ATHENA` as `Athena`.
fn title_case(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first
        .into_iter()
        .chain(chars.map(|other| other.to_ascii_lowercase()))
        .collect()
}

impl<'a> Marker<'a> {
    fn find(text: &'a str) -> Option<Self> {
        let inside = text.trim().strip_prefix("/*")?.strip_suffix("*/")?.trim();
        let (words, payload) = match inside.split_once(':') {
            Some((words, payload)) => (words.trim_end(), Some(payload.trim())),
            None => (inside, None),
        };
        let materialized = match words {
            "Presto View" => false,
            "Presto Materialized View" => true,
            _ => return None,
        };
        Some(Self {
            materialized,
            payload,
        })
    }
}

/// Reads the payload; the error is a whole sentence.
fn read(payload: &str) -> Result<Payload, String> {
    let symbol = |symbol: u8| match symbol {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let packed: Vec<u8> = payload
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(symbol)
        .collect();
    let problem = |attempt: &str, cause: &dyn std::error::Error| {
        let cause = cause.to_string();
        let cause = cause.trim_end_matches('.');
        format!("The view’s text could not be {attempt} ({cause}); it is shown as it is.")
    };
    let json = LENIENT
        .decode(packed)
        .map_err(|cause| problem("decoded from base64", &cause))?;
    serde_json::from_slice(&json).map_err(|cause| problem("read as JSON", &cause))
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::ViewDialect;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const PAYLOAD: &str = r#"{"originalSql":"SELECT '~~~???' a","catalog":"hive","schema":"s",
        "columns":[{"name":"a","type":"row(x integer)","comment":"An A."}],"comment":"All A.","owner":"ana"}"#;

    fn original(text: impl Into<String>) -> Texts {
        Texts {
            original: Some(text.into()),
            plain_dialect: "Hive",
            ..Texts::default()
        }
    }

    fn sql(decoded: &Decoded) -> &str {
        &decoded.view.as_ref().unwrap().sql
    }

    #[test]
    fn a_presto_view_is_decoded_however_its_base64_is_written() {
        let standard = BASE64_STANDARD.encode(PAYLOAD);
        let (first, second) = standard.split_at(40);
        for packed in [
            standard.clone(),
            standard.trim_end_matches('=').to_owned(),
            BASE64_URL_SAFE_NO_PAD.encode(PAYLOAD),
            format!("{first}\n  {second}\r\n"),
        ] {
            let decoded = decode(original(format!("/* Presto View: {packed} */")));

            assert_eq!(sql(&decoded), "SELECT '~~~???' a");
            assert_eq!(decoded.columns[0].data_type, "row(x integer)");
            assert_eq!(decoded.comment.as_deref(), Some("All A."));
            assert_eq!(decoded.owner.as_deref(), Some("ana"));
            assert!(decoded.problem.is_none());
            let view = decoded.view.unwrap();
            assert_eq!(view.dialect.as_deref(), Some("Trino"));
            assert_eq!(view.default_catalog.as_deref(), Some("hive"));
            assert_eq!(view.default_database.as_deref(), Some("s"));
            assert!(!view.materialized);
        }
    }

    #[test]
    fn a_materialized_view_says_so_and_where_its_rows_are_kept() {
        let json =
            r#"{"originalSql":"SELECT 1","storageTable":{"catalogName":"c"},"gracePeriod":"10m"}"#;
        let text = format!(
            "/* Presto Materialized View: {} */",
            BASE64_STANDARD.encode(json)
        );

        let decoded = decode(original(text));

        assert!(decoded.view.unwrap().materialized);
        assert_eq!(
            decoded.parameters,
            [
                ("storageTable", r#"{"catalogName":"c"}"#.to_owned()),
                ("gracePeriod", "10m".to_owned())
            ]
        );
    }

    #[test]
    fn what_cannot_be_decoded_is_shown_raw_with_the_reason() {
        let not_json = format!("/* Presto View: {} */", BASE64_STANDARD.encode("hello"));
        let no_sql = format!("/* Presto View: {} */", BASE64_STANDARD.encode("{}"));
        for (text, reason) in [
            ("/* Presto View: not=valid=base64 */", "decoded from base64"),
            (&not_json, "read as JSON"),
            (&no_sql, "holds no SQL"),
            ("/* Presto View: */", "read as JSON"),
        ] {
            let decoded = decode(original(text));

            assert_eq!(sql(&decoded), text);
            assert!(decoded.problem.unwrap().contains(reason), "{text}");
        }
    }

    #[test]
    fn plain_sql_is_kept_and_the_qualified_form_stands_beside_it() {
        let mut texts = original("select x from t");
        texts.expanded = Some("select `t`.`x` from `d`.`t`".to_owned());

        let view = decode(texts).view.unwrap();

        assert_eq!(view.sql, "select x from t");
        assert_eq!(view.dialect.as_deref(), Some("Hive"));
        assert_eq!(
            view.other_dialects["Hive, qualified names"],
            "select `t`.`x` from `d`.`t`"
        );
    }

    #[test]
    fn a_marker_is_not_a_text() {
        let texts = Texts {
            expanded: Some("/* Presto View */".to_owned()),
            ..Texts::default()
        };

        assert!(decode(texts).view.is_none());
        assert!(is_marker("Presto View") && is_marker("/* Presto Materialized View */"));
        assert!(!is_marker("Presto views of sales"));
    }

    #[test]
    fn each_engine_has_its_text() {
        let wrapped = format!("/* Presto View: {} */", BASE64_STANDARD.encode(PAYLOAD));
        let representation = |dialect, text: &str| {
            ViewRepresentation::builder()
                .dialect(dialect)
                .view_original_text(text)
                .build()
        };
        let texts = Texts {
            representations: vec![
                representation(ViewDialect::Athena, &wrapped),
                representation(ViewDialect::Redshift, "SELECT 2"),
                representation(ViewDialect::Spark, "SELECT 3"),
            ],
            ..Texts::default()
        };

        let view = decode(texts).view.unwrap();

        assert_eq!(view.sql, "SELECT '~~~???' a");
        assert_eq!(view.dialect.as_deref(), Some("Athena"));
        assert_eq!(view.other_dialects["Redshift"], "SELECT 2");
        assert_eq!(view.other_dialects["Spark"], "SELECT 3");
    }
}
