//! How the data of a table is written, said in words.

use std::collections::HashMap;

use aws_sdk_glue::types::StorageDescriptor;

/// Serializers and input formats by a part of their name in lower case; the first that fits wins.
const CLASSES: &[(&str, &str)] = &[
    ("hudi", "Hudi"),
    ("hoodie", "Hudi"),
    ("iceberg", "Iceberg"),
    ("delta", "Delta"),
    ("parquet", "Parquet"),
    ("orc.", "ORC"),
    ("avro", "Avro"),
    ("ionhive", "Ion"),
    ("opencsv", "CSV (OpenCSV)"),
    ("csvserde", "CSV (OpenCSV)"),
    ("json", "JSON"),
    ("cloudtrail", "JSON"),
    ("grok", "Text (Grok)"),
    ("regexserde", "Text (regular expression)"),
    ("multidelimit", "CSV (several delimiters)"),
    ("lazysimple", "CSV (LazySimple)"),
    ("columnarserde", "RCFile"),
    ("xml", "XML"),
    ("dynamodb", "DynamoDB"),
    ("sequencefile", "Sequence file"),
];

/// What crawlers and Spark call a format, and what people call it.
const WORDS: &[(&str, &str)] = &[
    ("iceberg", "Iceberg"),
    ("delta", "Delta"),
    ("hudi", "Hudi"),
    ("parquet", "Parquet"),
    ("glueparquet", "Parquet"),
    ("orc", "ORC"),
    ("avro", "Avro"),
    ("json", "JSON"),
    ("csv", "CSV"),
    ("tsv", "TSV"),
    ("ion", "Ion"),
    ("xml", "XML"),
    ("text", "Text"),
];

/// Names the format: by what the table's own format says, else by its classes, else by what a crawler called it.
pub(super) fn in_words(
    parameters: &HashMap<String, String>,
    storage: &StorageDescriptor,
) -> Option<String> {
    table_format(parameters, storage)
        .or_else(|| by_class(storage).map(str::to_owned))
        .or_else(|| {
            parameters
                .get("classification")
                .and_then(|word| called(word))
        })
        .or_else(|| {
            parameters
                .get("spark.sql.sources.provider")
                .and_then(|word| called(word))
        })
        .or_else(|| {
            storage
                .parameters
                .as_ref()?
                .get("classification")
                .and_then(|word| called(word))
        })
        .or_else(|| unknown_class(storage))
}

/// Iceberg, Delta and Hudi, which lie above the files and their classes.
fn table_format(
    parameters: &HashMap<String, String>,
    storage: &StorageDescriptor,
) -> Option<String> {
    let declared = ["table_type", "spark.sql.sources.provider"]
        .iter()
        .filter_map(|key| parameters.get(*key));
    let mut declared = declared.filter_map(|word| called(word));
    declared.find(|format| is_table_format(format)).or_else(|| {
        let class = class_in(storage.input_format.as_deref()?)?;
        is_table_format(class).then(|| class.to_owned())
    })
}

fn is_table_format(format: &str) -> bool {
    matches!(format, "Iceberg" | "Delta" | "Hudi")
}

fn by_class(storage: &StorageDescriptor) -> Option<&'static str> {
    serializer(storage)
        .and_then(class_in)
        .or_else(|| class_in(storage.input_format.as_deref()?))
        .or_else(|| class_in(storage.output_format.as_deref()?))
}

fn serializer(storage: &StorageDescriptor) -> Option<&str> {
    storage
        .serde_info
        .as_ref()?
        .serialization_library
        .as_deref()
}

fn class_in(class: &str) -> Option<&'static str> {
    let class = class.to_ascii_lowercase();
    CLASSES
        .iter()
        .find(|(part, _)| class.contains(part))
        .map(|(_, words)| *words)
}

/// The words for what a crawler or Spark wrote; their own word where it is not known here.
fn called(word: &str) -> Option<String> {
    let word = word.trim();
    let usable = !word.is_empty() && !word.eq_ignore_ascii_case("unknown");
    let known = WORDS
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name));
    usable.then(|| known.map_or_else(|| word.to_owned(), |(_, words)| (*words).to_owned()))
}

/// The last part of a class that nobody here has heard of.
fn unknown_class(storage: &StorageDescriptor) -> Option<String> {
    let class = serializer(storage).or(storage.input_format.as_deref())?;
    class
        .rsplit('.')
        .next()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::SerDeInfo;

    use super::*;

    fn format(parameters: &[(&str, &str)], serializer: &str, input: &str) -> Option<String> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let storage = StorageDescriptor::builder()
            .set_input_format(some(input))
            .serde_info(
                SerDeInfo::builder()
                    .set_serialization_library(some(serializer))
                    .build(),
            )
            .build();
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        in_words(&parameters.iter().map(owned).collect(), &storage)
    }

    #[test]
    fn serializers_are_said_in_words() {
        for (serializer, words) in [
            (
                "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
                "Parquet",
            ),
            ("org.apache.hadoop.hive.ql.io.orc.OrcSerde", "ORC"),
            ("org.apache.hadoop.hive.serde2.avro.AvroSerDe", "Avro"),
            ("org.openx.data.jsonserde.JsonSerDe", "JSON"),
            ("org.apache.hive.hcatalog.data.JsonSerDe", "JSON"),
            ("com.amazon.emr.hive.serde.CloudTrailSerde", "JSON"),
            (
                "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                "CSV (OpenCSV)",
            ),
            (
                "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "CSV (LazySimple)",
            ),
            ("com.amazon.ionhiveserde.IonHiveSerDe", "Ion"),
            (
                "org.apache.hadoop.hive.serde2.RegexSerDe",
                "Text (regular expression)",
            ),
            ("com.amazonaws.glue.serde.GrokSerDe", "Text (Grok)"),
            ("com.example.Unheard", "Unheard"),
        ] {
            assert_eq!(
                format(&[], serializer, "").as_deref(),
                Some(words),
                "{serializer}"
            );
        }
    }

    #[test]
    fn table_formats_win_over_the_files_they_are_made_of() {
        let parquet = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
        let realtime = "org.apache.hudi.hadoop.realtime.HoodieParquetRealtimeInputFormat";

        assert_eq!(
            format(&[("table_type", "ICEBERG")], parquet, "").as_deref(),
            Some("Iceberg")
        );
        let delta = [("spark.sql.sources.provider", "delta")];
        assert_eq!(format(&delta, parquet, "").as_deref(), Some("Delta"));
        assert_eq!(format(&[], parquet, realtime).as_deref(), Some("Hudi"));
        let spark = [("spark.sql.sources.provider", "parquet")];
        assert_eq!(format(&spark, "", "").as_deref(), Some("Parquet"));
    }

    #[test]
    fn without_classes_the_crawlers_word_counts() {
        assert_eq!(
            format(&[("classification", "csv")], "", "").as_deref(),
            Some("CSV")
        );
        assert_eq!(format(&[("classification", "UNKNOWN")], "", ""), None);
        assert_eq!(format(&[], "", ""), None);
    }
}
