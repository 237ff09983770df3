//! The text of a view: found, decoded and named by the SQL it is written in.
//!
//! Presto, Trino and Athena hide theirs as base64 of JSON inside a comment; Hive and Spark store it as it is; Glue's own
//! views carry one text for each engine.

use aws_sdk_glue::types::{ViewDefinition as GlueViewDefinition, ViewRepresentation};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;

use crate::catalog::{DialectFacts, ViewDefinition};

/// What Glue says of a view, before anything is decoded.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) original: Option<String>,
    pub(super) expanded: Option<String>,
    pub(super) definition: Option<GlueViewDefinition>,
    /// The SQL of a plain text, such as `Hive` or `Spark`.
    pub(super) plain_dialect: &'static str,
}

/// A view as far as it could be understood.
#[derive(Default)]
pub(super) struct Decoded {
    pub(super) view: Option<ViewDefinition>,
    /// Truer than the columns in Glue's own list, when there are any.
    pub(super) columns: Vec<PrestoColumn>,
    pub(super) comment: Option<String>,
    pub(super) owner: Option<String>,
    /// What else the texts say, by its name there.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// Why a text is shown as it was found, each a whole sentence.
    pub(super) problems: Vec<String>,
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
    /// What stands around it.
    beside: String,
}

/// The words in the comment, and whether they mean a materialized view.
const MARKERS: [(&str, bool); 2] = [("Presto View", false), ("Presto Materialized View", true)];

/// The marker is in one of the first comments of a text.
const MOST_COMMENTS: usize = 20;

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
    MARKERS
        .iter()
        .any(|(words, _)| text.eq_ignore_ascii_case(words))
        || Marker::find(text).is_some_and(|marker| marker.beside.is_empty())
}

/// Tells whether a text is one of Presto's family, hidden in a comment.
pub(super) fn is_marked(text: &str) -> bool {
    Marker::find(text).is_some()
}

/// Decodes whatever texts a view has. What cannot be decoded is kept raw, with the problem said.
pub(super) fn decode(given: Texts) -> Decoded {
    let mut decoded = Decoded::default();
    let mut view = ViewDefinition::default();
    let mut texts: Vec<EngineText> = Vec::new();
    for text in [given.original, given.expanded].into_iter().flatten() {
        let found = single(text, given.plain_dialect, &mut view, &mut decoded);
        texts.extend(found.filter(|found| texts.iter().all(|text| text.sql != found.sql)));
    }
    if let [first, second] = texts.as_mut_slice()
        && first.dialect == second.dialect
    {
        second.dialect = second.dialect.take().map(qualified);
    }
    let definition = given.definition;
    let representations = definition
        .and_then(|definition| define(definition, &mut view, &mut decoded))
        .unwrap_or_default();
    for representation in representations {
        represent(representation, &mut texts, &mut view, &mut decoded);
    }
    put_in(&mut view, texts);
    decoded.view = (view != ViewDefinition::default()).then_some(view);
    decoded
}

/// One text of a view.
struct EngineText {
    /// Nothing for one that could not be decoded.
    dialect: Option<String>,
    sql: String,
    facts: DialectFacts,
    /// Whether it stands in the table itself, which does not name its engine.
    is_of_table: bool,
}

impl EngineText {
    fn new(dialect: &str, sql: String) -> Self {
        Self {
            dialect: Some(dialect.to_owned()),
            sql,
            facts: DialectFacts::default(),
            is_of_table: true,
        }
    }
}

/// The name of the same text with its names written out.
fn qualified(dialect: impl std::fmt::Display) -> String {
    format!("{dialect}, qualified names")
}

/// Decodes one text, and notes what else it says; a marker alone is no text.
fn single(
    text: String,
    dialect: &str,
    view: &mut ViewDefinition,
    decoded: &mut Decoded,
) -> Option<EngineText> {
    if text.trim().is_empty() {
        return None;
    }
    let Some(marker) = Marker::find(&text) else {
        return Some(EngineText::new(dialect, text));
    };
    view.materialized |= marker.materialized;
    let Some(payload) = marker.payload else {
        return (!marker.beside.is_empty()).then(|| EngineText::new(dialect, text));
    };
    let sql = read(payload).and_then(|payload| {
        presto(payload, view, decoded)
            .ok_or_else(|| "The view’s text holds no SQL; it is shown as it is.".to_owned())
    });
    match sql {
        Ok(sql) => {
            if !marker.beside.is_empty() {
                let beside = ("textBesideView", marker.beside);
                decoded.parameters.push(beside);
            }
            Some(EngineText::new("Trino", sql))
        }
        Err(problem) => {
            decoded.problems.push(problem);
            Some(EngineText {
                dialect: None,
                ..EngineText::new(dialect, text)
            })
        }
    }
}

/// Notes what a payload says, and answers its SQL.
fn presto(payload: Payload, view: &mut ViewDefinition, decoded: &mut Decoded) -> Option<String> {
    view.default_catalog = view.default_catalog.take().or(payload.catalog);
    view.default_database = view.default_database.take().or(payload.schema);
    if decoded.columns.is_empty() {
        decoded.columns = payload.columns.unwrap_or_default();
        decoded.columns.retain(|column| !column.name.is_empty());
    }
    decoded.comment = decoded.comment.take().or(payload.comment);
    decoded.owner = decoded.owner.take().or(payload.owner);
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
    payload.original_sql.filter(|sql| !sql.trim().is_empty())
}

/// Notes what Glue says of a view of several engines, and hands over its texts.
fn define(
    definition: GlueViewDefinition,
    view: &mut ViewDefinition,
    decoded: &mut Decoded,
) -> Option<Vec<ViewRepresentation>> {
    view.definer = definition.definer.filter(|definer| !definer.is_empty());
    view.protected = definition.is_protected == Some(true);
    view.reads = definition.sub_objects.unwrap_or_default();
    // Their order means nothing, and a new one is no change.
    view.reads.sort_unstable();
    view.reads.dedup();
    if let Some(seconds) = definition.refresh_seconds {
        let refresh = ("RefreshSeconds", seconds.to_string());
        decoded.parameters.push(refresh);
    }
    definition.representations
}

/// Adds the text for one engine, and the same with names written out where that is there as well.
fn represent(
    representation: ViewRepresentation,
    texts: &mut Vec<EngineText>,
    view: &mut ViewDefinition,
    decoded: &mut Decoded,
) {
    let dialect = representation.dialect.as_ref();
    let dialect = dialect.map_or_else(|| "SQL".to_owned(), |dialect| title_case(dialect.as_str()));
    let facts = DialectFacts {
        version: representation.dialect_version,
        stale: representation.is_stale == Some(true),
        connection: representation.validation_connection,
    };
    let original = representation
        .view_original_text
        .and_then(|text| single(text, &dialect, view, decoded));
    let expanded = representation
        .view_expanded_text
        .and_then(|text| single(text, &dialect, view, decoded))
        .filter(|text| {
            original
                .as_ref()
                .is_none_or(|original| original.sql != text.sql)
        });
    let expanded_dialect = match original {
        Some(_) => qualified(&dialect),
        None => dialect.clone(),
    };
    // Without a text there is still something to say of it.
    let none =
        (original.is_none() && expanded.is_none()).then(|| EngineText::new("", String::new()));
    let own = original.or(none).map(|text| (text, dialect));
    let found = own
        .into_iter()
        .chain(expanded.map(|text| (text, expanded_dialect)));
    for (text, dialect) in found {
        let facts = facts.clone();
        // The table's own text is the one of the engine that has the same.
        let same = texts
            .iter_mut()
            .find(|other| other.is_of_table && other.sql == text.sql);
        let text = EngineText {
            dialect: Some(dialect),
            facts,
            is_of_table: false,
            ..text
        };
        match same {
            Some(same) => *same = text,
            None => texts.push(text),
        }
    }
}

/// Enters the texts: the first as the view's own, the others by dialect, each under a name of its own.
fn put_in(view: &mut ViewDefinition, texts: Vec<EngineText>) {
    let mut names = std::collections::HashSet::new();
    for (place, text) in texts.into_iter().enumerate() {
        let dialect = text.dialect.unwrap_or_default();
        let mut name = dialect.clone();
        if names.contains(&name)
            && let Some(version) = &text.facts.version
        {
            name = format!("{dialect} {version}");
        }
        let mut nth = 2;
        while !names.insert(name.clone()) {
            name = format!("{dialect} ({nth})");
            nth += 1;
        }
        if text.facts != DialectFacts::default() {
            view.dialect_facts.insert(name.clone(), text.facts);
        }
        if place == 0 {
            view.sql = text.sql;
            view.dialect = (!name.is_empty()).then_some(name);
        } else if !text.sql.is_empty() {
            view.other_dialects.insert(name, text.sql);
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
    /// Finds the marker, however it is spaced and whatever stands around it.
    fn find(text: &'a str) -> Option<Self> {
        text.match_indices("/*")
            .take(MOST_COMMENTS)
            .find_map(|(open, _)| Self::at(text, open))
    }

    /// Reads the marker in the comment that begins here, if there is one.
    fn at(text: &'a str, open: usize) -> Option<Self> {
        let rest = text.get(open + 2..)?.trim_start();
        let (words, materialized) = MARKERS
            .into_iter()
            .find(|(words, _)| begins_with(rest, words))?;
        let rest = rest.get(words.len()..)?.trim_start();
        let (inside, behind) = rest.split_once("*/").unwrap_or((rest, ""));
        let payload = match inside.strip_prefix(':') {
            Some(payload) => Some(payload.trim()),
            None if inside.trim().is_empty() => None,
            None => return None,
        };
        let around = [text.get(..open)?.trim(), behind.trim()];
        let beside = around
            .into_iter()
            .filter(|text| !text.trim_matches(';').trim().is_empty());
        Some(Self {
            materialized,
            payload,
            beside: beside.collect::<Vec<_>>().join("\n"),
        })
    }
}

fn begins_with(text: &str, words: &str) -> bool {
    text.get(..words.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(words))
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
            assert!(decoded.problems.is_empty());
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
            assert!(decoded.problems[0].contains(reason), "{text}");
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
            definition: Some(
                GlueViewDefinition::builder()
                    .representations(representation(ViewDialect::Athena, &wrapped))
                    .representations(representation(ViewDialect::Redshift, "SELECT 2"))
                    .representations(representation(ViewDialect::Spark, "SELECT 3"))
                    .build(),
            ),
            ..Texts::default()
        };

        let view = decode(texts).view.unwrap();

        assert_eq!(view.sql, "SELECT '~~~???' a");
        assert_eq!(view.dialect.as_deref(), Some("Athena"));
        assert_eq!(view.other_dialects["Redshift"], "SELECT 2");
        assert_eq!(view.other_dialects["Spark"], "SELECT 3");
    }
}
