//! Key-value pairs, sorted: what describes a table, what only counts or dates it, and what other fields already say.

use std::collections::{BTreeMap, HashMap};

use super::{spark, view};
use crate::catalog::Facts;

/// Keys that change from run to run without any meaning, in lower case.
const NOISE: &[&str] = &[
    "column_stats_accurate",
    "crawl_run_id",
    "current-snapshot-id",
    "current-snapshot-summary",
    "current-snapshot-timestamp-ms",
    "current-schema",
    "delta.lastcommittimestamp",
    "delta.lastupdateversion",
    "do_not_update_stats",
    "impala.lastcomputestatstime",
    "last_commit_completion_time_sync",
    "last_commit_time_sync",
    "last_modified_by",
    "last_modified_time",
    "last_modified_timestamp",
    "metadata_location",
    "presto.query-id",
    "presto_query_id",
    "presto_version",
    "previous_metadata_location",
    "snapshot-count",
    "stats_generated_via_stats_task",
    "stats_generated",
    "transient_lastddltime",
    "trino.query-id",
    "trino_query_id",
    "trino_version",
    "trino_created_by",
    "updated_by_crawler",
];

/// Keys that count what is in a table, by what they count; the first that is a number is taken.
const ROWS: &[&str] = &["numRows", "recordCount", "spark.sql.statistics.numRows"];
const BYTES: &[&str] = &["totalSize", "sizeKey", "spark.sql.statistics.totalSize"];
const FILES: &[&str] = &["numFiles", "objectCount"];
/// Keys that count as well, but nothing that is shown apart.
const OTHER_COUNTS: &[&str] = &[
    "averageRecordSize",
    "rawDataSize",
    "numPartitions",
    "numFilesErasureCoded",
];

/// A table's pairs, each in its place.
#[derive(Default)]
pub(super) struct Sorted {
    /// What describes the table: a change of one is a change of the table.
    pub(super) lasting: BTreeMap<String, String>,
    /// What changes without meaning.
    pub(super) passing: BTreeMap<String, String>,
    /// What the table's comment says, unless that is only a marker.
    pub(super) comment: Option<String>,
}

/// Sorts the pairs of a table, of its storage and of its serializer; the table's own win over those of its storage.
pub(super) fn sort(
    table: HashMap<String, String>,
    storage: HashMap<String, String>,
    serializer: HashMap<String, String>,
) -> Sorted {
    let mut sorted = Sorted::default();
    for (key, value) in table {
        sorted.place(key, value);
    }
    for (key, value) in storage {
        if !sorted.lasting.contains_key(&key) && !sorted.passing.contains_key(&key) {
            sorted.place(key, value);
        }
    }
    for (key, value) in serializer {
        // The same in every table, or said by the columns.
        if key != "serialization.format" && key != "avro.schema.literal" {
            sorted.lasting.insert(format!("serde.{key}"), value);
        }
    }
    sorted
}

impl Sorted {
    fn place(&mut self, key: String, value: String) {
        if key == "comment" {
            self.comment =
                Some(value).filter(|text| !text.trim().is_empty() && !view::is_marker(text));
        } else if spark::is_schema(&key) || key == "presto_view" {
            // The columns and the view say it.
        } else if is_noise(&key) || is_count(&key) {
            self.passing.insert(key, value);
        } else {
            self.lasting.insert(key, value);
        }
    }

    /// Fills in the counts and hands over what passes.
    pub(super) fn into_facts(self, facts: &mut Facts) -> BTreeMap<String, String> {
        facts.rows = first_count(&self.passing, ROWS);
        facts.bytes = first_count(&self.passing, BYTES);
        facts.files = first_count(&self.passing, FILES);
        facts.parameters = self.passing;
        self.lasting
    }
}

pub(super) fn is_noise(key: &str) -> bool {
    NOISE.iter().any(|noise| key.eq_ignore_ascii_case(noise))
}

fn is_count(key: &str) -> bool {
    [ROWS, BYTES, FILES, OTHER_COUNTS]
        .into_iter()
        .flatten()
        .any(|count| key == *count)
}

/// The first of these that is a number; writers who do not know it write -1.
fn first_count(parameters: &BTreeMap<String, String>, keys: &[&str]) -> Option<i64> {
    let number = |key: &&str| parameters.get(*key)?.trim().parse().ok();
    keys.iter().filter_map(number).find(|count| *count >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(pairs: &[(&str, &str)]) -> Sorted {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        sort(
            pairs.iter().map(owned).collect(),
            HashMap::new(),
            HashMap::new(),
        )
    }

    #[test]
    fn noise_and_counts_pass_and_the_rest_lasts() {
        let mut facts = Facts::default();

        let lasting = sorted(&[
            ("transient_lastDdlTime", "1"),
            ("UPDATED_BY_CRAWLER", "c"),
            ("trino_query_id", "q"),
            ("metadata_location", "s3://m"),
            ("recordCount", "12"),
            ("numRows", "-1"),
            ("sizeKey", "many"),
            ("numFiles", " 3 "),
            ("classification", "csv"),
            ("has_encrypted_data", "false"),
        ])
        .into_facts(&mut facts);

        assert_eq!(
            lasting.keys().collect::<Vec<_>>(),
            ["classification", "has_encrypted_data"]
        );
        assert_eq!(
            (facts.rows, facts.bytes, facts.files),
            (Some(12), None, Some(3))
        );
        assert_eq!(facts.parameters.len(), 8);
    }

    #[test]
    fn a_comment_that_is_only_a_marker_says_nothing() {
        assert_eq!(sorted(&[("comment", "Presto View")]).comment, None);
        assert_eq!(
            sorted(&[("comment", "Sales.")]).comment.as_deref(),
            Some("Sales.")
        );
    }
}
