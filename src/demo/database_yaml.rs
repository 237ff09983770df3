//! The notation of `demo-world/`: one YAML file for each database, much shorter than Glue's JSON and turned into it here.
//!
//! Columns are lines of the form `name type — comment`; a line that opens with `- ` is a column that an Iceberg table
//! has dropped. `glue` holds whatever else a table is to have, as Glue's own JSON, written over the rest. `demo-world/README.md`
//! shows every key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveTime};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::generate::fingerprint;
use super::read::Error;
use super::types;
use super::world::{ACCOUNT, World, overlay};
use super::yaml::{self, Node};

const LAKE: &str = "s3://pebblecart-lake";

/// A database, without its tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DatabaseSheet {
    name: String,
    comment: Option<String>,
    created: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    /// The endpoint refuses to list its tables.
    #[serde(default)]
    unreadable: bool,
    /// Another account to which it belongs: then only links lead to it.
    account: Option<String>,
    #[serde(default)]
    glue: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableSheet {
    name: String,
    comment: Option<String>,
    owner: Option<String>,
    created: Option<String>,
    updated: Option<String>,
    location: Option<String>,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    columns: String,
    #[serde(default)]
    partitions: String,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    crawler: Option<CrawlerCounts>,
    hive: Option<HiveCounts>,
    view: Option<ViewKind>,
    #[serde(default)]
    sql: String,
    /// What Hive makes of the SQL: the same with qualified names.
    expanded: Option<String>,
    /// The same view for several engines, by Glue's name of each.
    #[serde(default)]
    dialects: BTreeMap<String, String>,
    #[serde(default)]
    glue: Map<String, Value>,
}

/// A column as the notation has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SheetColumn {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) comment: Option<String>,
    dropped: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Parquet,
    Orc,
    Avro,
    Json,
    Csv,
    Opencsv,
    Ion,
    Iceberg,
    Delta,
    Hudi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ViewKind {
    Trino,
    Athena,
    Materialized,
    Hive,
    Spark,
    Multi,
}

/// What a crawler counted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CrawlerCounts {
    records: u64,
    bytes: u64,
    objects: u64,
}

/// What Hive or Spark counted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HiveCounts {
    rows: u64,
    bytes: u64,
    files: u64,
}

/// Adds the database of one file to the world.
pub(super) fn read(world: &mut World, file: &str, text: &str) -> Result<(), Error> {
    let document = yaml::parse(file, text)?;
    let sheet: DatabaseSheet = parse(file, document.line, document.to_json_without("tables"))?;
    world.set_database(&sheet.to_glue());
    world.set_unreadable(&sheet.name, sheet.unreadable);
    world.set_hidden(&sheet.name, sheet.account.is_some());
    let tables = document.find("tables").map_or(&[][..], Node::nodes);
    for node in tables {
        let table: TableSheet = parse(file, node.line, node.to_json())?;
        let mut glue = table.to_glue(&sheet.name, file, node)?;
        put(&mut glue, "CatalogId", sheet.account.as_deref());
        world.set_table(&sheet.name, &glue);
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(file: &str, line: usize, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|cause| Error::at(file, line, &cause.to_string()))
}

impl DatabaseSheet {
    fn to_glue(&self) -> Value {
        let mut glue = json!({
            "Name": self.name,
            "CreateTime": seconds(moment(self.created.as_deref(), &self.name)),
            "LocationUri": format!("{LAKE}/{}/", self.name),
            "CatalogId": self.account.as_deref().unwrap_or(ACCOUNT),
            "CreateTableDefaultPermissions": [],
        });
        put(&mut glue, "Description", self.comment.as_deref());
        if !self.parameters.is_empty() {
            put(&mut glue, "Parameters", Some(texts(&self.parameters)));
        }
        overlay(&mut glue, &Value::Object(self.glue.clone()));
        glue
    }
}

impl TableSheet {
    fn to_glue(&self, database: &str, file: &str, node: &Node) -> Result<Value, Error> {
        let partitions = columns(&self.partitions, file, node, "partitions")?;
        let columns = columns(&self.columns, file, node, "columns")?;
        let identity = format!("{database}.{}", self.name);
        let created = moment(self.created.as_deref(), &identity);
        let updated = self.updated(created, &identity);
        let mut glue = json!({
            "Name": self.name,
            "DatabaseName": database,
            "CatalogId": ACCOUNT,
            "CreateTime": seconds(created),
            "UpdateTime": seconds(updated),
            "Retention": 0,
            "PartitionKeys": partitions.iter().map(|column| column.to_glue(None)).collect::<Vec<_>>(),
            "CreatedBy": format!("arn:aws:sts::{ACCOUNT}:assumed-role/lake-writer/{database}"),
            "IsRegisteredWithLakeFormation": false,
            "VersionId": (fingerprint(&identity, "version") % 40).to_string(),
        });
        put(&mut glue, "Description", self.comment.as_deref());
        put(&mut glue, "Owner", self.owner.as_deref());
        match self.view {
            Some(kind) => overlay(&mut glue, &self.view_part(kind, database, &columns)),
            None => overlay(&mut glue, &self.table_part(database, &columns)),
        }
        self.add_parameters(&mut glue);
        overlay(&mut glue, &Value::Object(self.glue.clone()));
        Ok(glue)
    }

    /// When it was written last: what the lake's own formats hold was written in the last two days.
    fn updated(&self, created: i64, identity: &str) -> i64 {
        match (&self.updated, self.format) {
            (Some(_), _) => moment(self.updated.as_deref(), identity),
            (None, Format::Iceberg | Format::Delta | Format::Hudi) => {
                NOW - offset(identity, "updated", 170_000_000)
            }
            (None, _) => NOW.min(created + offset(identity, "updated", 20_000_000_000)),
        }
    }

    fn add_parameters(&self, glue: &mut Value) {
        let mut parameters = texts(&self.parameters);
        if let Some(counts) = &self.crawler {
            overlay(&mut parameters, &counts.to_parameters());
        }
        if let Some(counts) = &self.hive {
            overlay(&mut parameters, &counts.to_parameters());
        }
        match glue.get_mut("Parameters") {
            Some(known) => overlay(known, &parameters),
            None => put(glue, "Parameters", Some(parameters)),
        }
    }

    fn table_part(&self, database: &str, columns: &[SheetColumn]) -> Value {
        let location = self.location.clone().unwrap_or_else(|| {
            let folder = self.name.replace(' ', "_");
            format!("{LAKE}/{database}/{folder}")
        });
        let (columns, parameters) = match self.format {
            Format::Iceberg => (iceberg_columns(columns), iceberg_parameters(&location)),
            Format::Delta => (
                json!([{"Name": "col", "Type": "array<string>", "Comment": "from deserializer"}]),
                delta_parameters(columns),
            ),
            Format::Hudi => (hudi_columns(columns), hudi_parameters()),
            plain => (
                columns.iter().map(|column| column.to_glue(None)).collect(),
                json!({"classification": plain.classification()}),
            ),
        };
        let mut storage = self.format.storage();
        overlay(
            &mut storage,
            &json!({
                "Columns": columns,
                "Location": location,
                "Compressed": false,
                "NumberOfBuckets": 0,
                "SortColumns": [],
                "StoredAsSubDirectories": false,
            }),
        );
        json!({
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": storage,
            "Parameters": parameters,
        })
    }

    fn view_part(&self, kind: ViewKind, database: &str, columns: &[SheetColumn]) -> Value {
        let hive: Vec<_> = columns.iter().map(|column| column.to_glue(None)).collect();
        let mut glue = json!({
            "TableType": "VIRTUAL_VIEW",
            "StorageDescriptor": {"Columns": hive, "Location": "", "SerdeInfo": {}},
        });
        let text = match kind {
            ViewKind::Trino => {
                // Trino keeps the true columns to itself and tells Glue of one that is none.
                let dummy = json!([{"Name": "dummy", "Type": "string"}]);
                put(
                    &mut glue,
                    "StorageDescriptor",
                    Some(json!({"Columns": dummy, "Location": ""})),
                );
                self.presto_part("Presto View", "lake", database, columns)
            }
            ViewKind::Athena => {
                self.presto_part("Presto View", "awsdatacatalog", database, columns)
            }
            ViewKind::Materialized => {
                self.presto_part("Presto Materialized View", "lake", database, columns)
            }
            ViewKind::Hive => self.plain_part(),
            ViewKind::Spark => {
                let mut part = self.plain_part();
                put(
                    &mut part,
                    "Parameters",
                    Some(json!({
                        "view.catalogAndNamespace.numParts": "2",
                        "view.catalogAndNamespace.part.0": "spark_catalog",
                        "view.catalogAndNamespace.part.1": database,
                        "view.query.out.numCols": columns.len().to_string(),
                        "spark.sql.create.version": "3.5.1",
                    })),
                );
                part
            }
            ViewKind::Multi => self.multi_part(),
        };
        overlay(&mut glue, &text);
        glue
    }

    fn plain_part(&self) -> Value {
        let sql = self.sql.trim();
        let expanded = self.expanded.as_deref().map_or(sql, str::trim);
        json!({"ViewOriginalText": sql, "ViewExpandedText": expanded})
    }

    fn presto_part(
        &self,
        marker: &str,
        catalog: &str,
        database: &str,
        columns: &[SheetColumn],
    ) -> Value {
        let columns: Vec<_> = columns.iter().map(SheetColumn::to_trino).collect();
        let mut definition = json!({
            "originalSql": self.sql.trim(),
            "catalog": catalog,
            "schema": database,
            "columns": columns,
            "runAsInvoker": false,
        });
        put(&mut definition, "owner", self.owner.as_deref());
        put(&mut definition, "comment", self.comment.as_deref());
        if marker.contains("Materialized") {
            let storage = json!({
                "catalogName": catalog,
                "schemaTableName": {"schemaName": database, "tableName": format!("st_{}", self.name)},
            });
            overlay(
                &mut definition,
                &json!({"storageTable": storage, "gracePeriod": "600.00s"}),
            );
        }
        let payload = STANDARD.encode(definition.to_string());
        json!({
            "ViewOriginalText": format!("/* {marker}: {payload} */"),
            "ViewExpandedText": format!("/* {marker} */"),
            "Parameters": {"presto_view": "true", "comment": marker},
        })
    }

    fn multi_part(&self) -> Value {
        let representations: Vec<_> = self
            .dialects
            .iter()
            .map(|(dialect, sql)| {
                json!({
                    "Dialect": dialect,
                    "DialectVersion": if dialect == "ATHENA" { "3" } else { "1.0" },
                    "ViewOriginalText": sql.trim(),
                    "ViewExpandedText": sql.trim(),
                    "IsStale": false,
                })
            })
            .collect();
        json!({
            "IsMultiDialectView": true,
            "ViewDefinition": {
                "IsProtected": true,
                "Definer": format!("arn:aws:iam::{ACCOUNT}:role/lake-writer"),
                "Representations": representations,
            },
        })
    }
}

impl SheetColumn {
    fn to_glue(&self, parameters: Option<Value>) -> Value {
        let mut glue = json!({"Name": self.name, "Type": self.data_type});
        put(&mut glue, "Comment", self.comment.as_deref());
        put(&mut glue, "Parameters", parameters);
        glue
    }

    fn to_trino(&self) -> Value {
        let mut column = json!({"name": self.name, "type": types::trino(&self.data_type)});
        put(&mut column, "comment", self.comment.as_deref());
        column
    }

    /// Reads `name type — comment`; a name in backticks may hold spaces.
    fn parse(line: &str) -> Option<Self> {
        let (line, dropped) = match line.strip_prefix("- ") {
            Some(rest) => (rest.trim_start(), true),
            None => (line, false),
        };
        let (name, rest) = match line.strip_prefix('`') {
            Some(quoted) => quoted.split_once('`')?,
            None => line.split_once(char::is_whitespace)?,
        };
        let (data_type, comment) = match rest.split_once(" — ") {
            Some((data_type, comment)) => (data_type, Some(comment.trim().to_owned())),
            None => (rest, None),
        };
        Some(Self {
            name: name.to_owned(),
            data_type: data_type.trim().to_owned(),
            comment,
            dropped,
        })
    }
}

fn columns(text: &str, file: &str, node: &Node, key: &str) -> Result<Vec<SheetColumn>, Error> {
    let first = node.find(key).map_or(0, |columns| columns.line);
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            SheetColumn::parse(line.trim()).ok_or_else(|| {
                let problem = format!(
                    "“{}” is not a column; write “name type — comment”",
                    line.trim()
                );
                Error::at(file, first.saturating_add(number), &problem)
            })
        })
        .collect()
}

fn iceberg_columns(columns: &[SheetColumn]) -> Value {
    columns
        .iter()
        .zip(1_u32..)
        .map(|(column, id)| {
            column.to_glue(Some(json!({
                "iceberg.field.id": id.to_string(),
                "iceberg.field.optional": (id > 1).to_string(),
                "iceberg.field.current": (!column.dropped).to_string(),
            })))
        })
        .collect()
}

fn iceberg_parameters(location: &str) -> Value {
    let version = fingerprint(location, "metadata");
    json!({
        "table_type": "ICEBERG",
        "metadata_location": format!("{location}/metadata/00042-{version:016x}.metadata.json"),
        "previous_metadata_location": format!("{location}/metadata/00041-{version:016x}.metadata.json"),
    })
}

/// Spark cuts its schema into pieces because Glue limits the length of a parameter.
fn delta_parameters(columns: &[SheetColumn]) -> Value {
    const PIECE: usize = 400;
    let schema: Vec<char> = types::spark_schema(columns).to_string().chars().collect();
    let pieces: Vec<String> = schema
        .chunks(PIECE)
        .map(|piece| piece.iter().collect())
        .collect();
    let mut parameters = json!({
        "spark.sql.sources.provider": "delta",
        "spark.sql.partitionProvider": "catalog",
        "spark.sql.sources.schema.numParts": pieces.len().to_string(),
    });
    for (number, piece) in pieces.iter().enumerate() {
        let key = format!("spark.sql.sources.schema.part.{number}");
        put(&mut parameters, &key, Some(piece.as_str()));
    }
    parameters
}

fn hudi_columns(columns: &[SheetColumn]) -> Value {
    let bookkeeping = [
        "_hoodie_commit_time",
        "_hoodie_commit_seqno",
        "_hoodie_record_key",
        "_hoodie_partition_path",
        "_hoodie_file_name",
    ];
    bookkeeping
        .iter()
        .map(|name| json!({"Name": name, "Type": "string"}))
        .chain(columns.iter().map(|column| column.to_glue(None)))
        .collect()
}

fn hudi_parameters() -> Value {
    json!({
        "spark.sql.sources.provider": "hudi",
        "last_commit_time_sync": "20261118051204117",
        "last_commit_completion_time_sync": "20261118051211902",
    })
}

impl Format {
    fn classification(self) -> &'static str {
        match self {
            Self::Parquet | Self::Iceberg | Self::Delta | Self::Hudi => "parquet",
            Self::Orc => "orc",
            Self::Avro => "avro",
            Self::Json => "json",
            Self::Csv | Self::Opencsv => "csv",
            Self::Ion => "ion",
        }
    }

    /// The classes with which Hive would read it: how it reads, writes and takes rows apart.
    fn storage(self) -> Value {
        const TEXT: &str = "org.apache.hadoop.mapred.TextInputFormat";
        const TEXT_OUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
        const PARQUET_OUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
        const PARQUET_SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
        let (input, output, serde, parameters) = match self {
            Self::Iceberg => return json!({}),
            Self::Parquet => (
                "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                PARQUET_OUT,
                PARQUET_SERDE,
                json!({"serialization.format": "1"}),
            ),
            Self::Hudi => (
                "org.apache.hudi.hadoop.HoodieParquetInputFormat",
                PARQUET_OUT,
                PARQUET_SERDE,
                json!({"hoodie.query.as.ro.table": "false"}),
            ),
            Self::Orc => (
                "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
                "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
                "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
                json!({"serialization.format": "1"}),
            ),
            Self::Avro => (
                "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
                "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
                "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
                json!({"serialization.format": "1"}),
            ),
            Self::Json => (
                TEXT,
                TEXT_OUT,
                "org.openx.data.jsonserde.JsonSerDe",
                json!({}),
            ),
            Self::Csv => (
                TEXT,
                TEXT_OUT,
                "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                json!({"field.delim": ","}),
            ),
            Self::Opencsv => (
                TEXT,
                TEXT_OUT,
                "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                json!({"separatorChar": ",", "quoteChar": "\""}),
            ),
            Self::Ion => (
                "com.amazon.ionhiveserde.formats.IonInputFormat",
                "com.amazon.ionhiveserde.formats.IonOutputFormat",
                "com.amazon.ionhiveserde.IonHiveSerDe",
                json!({}),
            ),
            Self::Delta => (
                "org.apache.hadoop.mapred.SequenceFileInputFormat",
                "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
                "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                json!({"serialization.format": "1"}),
            ),
        };
        json!({
            "InputFormat": input,
            "OutputFormat": output,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
        })
    }
}

impl CrawlerCounts {
    fn to_parameters(&self) -> Value {
        let average = self.bytes.checked_div(self.records).unwrap_or(0);
        json!({
            "recordCount": self.records.to_string(),
            "sizeKey": self.bytes.to_string(),
            "objectCount": self.objects.to_string(),
            "averageRecordSize": average.to_string(),
            "CrawlerSchemaSerializerVersion": "1.0",
            "CrawlerSchemaDeserializerVersion": "1.0",
            "UPDATED_BY_CRAWLER": "lake-crawler",
            "typeOfData": "file",
        })
    }
}

impl HiveCounts {
    fn to_parameters(&self) -> Value {
        json!({
            "EXTERNAL": "TRUE",
            "numRows": self.rows.to_string(),
            "totalSize": self.bytes.to_string(),
            "numFiles": self.files.to_string(),
            "transient_lastDdlTime": "1763440000",
        })
    }
}

/// The sample world's present, in milliseconds since 1970: nothing in it is younger.
const NOW: i64 = 1_795_000_000_000;

/// A moment in milliseconds since 1970. Without one, any between May 2025 and June 2026 that is always the same for a name.
fn moment(text: Option<&str>, name: &str) -> i64 {
    const EARLIEST: i64 = 1_748_000_000_000;
    const SPREAD: i64 = 34_000_000_000;
    let text = text.unwrap_or("");
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return moment.timestamp_millis();
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    }
    EARLIEST + offset(name, "created", SPREAD)
}

/// A number below `limit` that is always the same for a name.
fn offset(name: &str, salt: &str, limit: i64) -> i64 {
    i64::try_from(fingerprint(name, salt) >> 1).map_or(0, |number| number % limit)
}

/// Seconds with fractions, as Glue writes moments.
fn seconds(milliseconds: i64) -> Value {
    let text = format!(
        "{}.{:03}",
        milliseconds.div_euclid(1000),
        milliseconds.rem_euclid(1000)
    );
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

fn texts(values: &BTreeMap<String, Value>) -> Value {
    values
        .iter()
        .map(|(key, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            (key.clone(), Value::from(text))
        })
        .collect()
}

fn put<T: Into<Value>>(object: &mut Value, key: &str, value: Option<T>) {
    if let (Value::Object(entries), Some(value)) = (object, value) {
        entries.insert(key.to_owned(), value.into());
    }
}
