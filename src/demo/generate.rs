//! Made-up corpora of any size for measurements: the same number and seed always give the same tables.
//!
//! Names, comments and descriptions are put together from word lists of our own, as people of several companies would
//! have named things. Deliberately absent: randomness from outside.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::world::ACCOUNT;

const TABLES_IN_A_DATABASE: u64 = 100;
const COLUMNS_IN_A_TABLE: usize = 20;

/// One table of a corpus: one line of a file of JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub database: String,
    pub table: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub columns: Vec<LineColumn>,
}

/// One column of a [`Line`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineColumn {
    pub name: String,
    #[serde(rename = "type", default)]
    pub data_type: Option<String>,
    #[serde(default)]
    pub comment: Option<String>,
}

/// Makes up tables of 20 columns in databases of about 100 tables, one after the other.
///
/// The first tables do not depend on how many follow. No two have the same database and name.
pub fn lines(tables: u64, seed: u64) -> impl Iterator<Item = Line> {
    let databases = tables.div_ceil(TABLES_IN_A_DATABASE);
    (0..databases)
        .flat_map(move |number| database(number, seed))
        .take(usize::try_from(tables).unwrap_or(usize::MAX))
}

/// A number that depends on two texts and nothing else.
pub(super) fn fingerprint(text: &str, salt: &str) -> u64 {
    let hash = text
        .bytes()
        .chain([0])
        .chain(salt.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    Random(hash).next()
}

/// Tells whether a table is among those that a round changes.
pub(super) fn is_changed(database: &str, table: &str, per_mille: u64, round: u64) -> bool {
    let salt = format!("{database}/{round}");
    fingerprint(table, &salt) % 1000 < per_mille
}

/// A table's text after the change that a round makes to it; `None` if it is not one of ours.
pub(super) fn changed(text: &str, round: u64) -> Option<String> {
    let mut table: Value = serde_json::from_str(text).ok()?;
    let mut random = Random(fingerprint(text, "change"));
    let entries = table.as_object_mut()?;
    let columns = entries
        .entry("StorageDescriptor")
        .or_insert_with(|| json!({}))
        .as_object_mut()?
        .entry("Columns")
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    let way = if columns.is_empty() {
        0
    } else {
        random.below(4)
    };
    match (way, columns.last_mut().and_then(Value::as_object_mut)) {
        (1, Some(column)) => {
            let comment = format!("{} Reviewed in round {round}.", random.pick(COMMENTS));
            column.insert("Comment".to_owned(), comment.into());
        }
        (2, Some(column)) => {
            let wider = format!("decimal(38,{})", round % 38);
            column.insert("Type".to_owned(), wider.into());
        }
        (3, _) => {
            let text = format!("Rebuilt in round {round}. {}", random.pick(PURPOSES));
            entries.insert("Description".to_owned(), text.into());
        }
        _ => columns.push(json!({"Name": format!("added_in_round_{round}"), "Type": "string"})),
    }
    Some(table.to_string())
}

impl Line {
    /// The table as Glue would answer it, serialised.
    pub(super) fn to_glue(&self) -> String {
        let identity = fingerprint(&self.table, &self.database);
        // Within 2025; updated up to ten months later.
        let created = 1_736_000_000 + identity % 30_000_000;
        let columns: Vec<_> = self.columns.iter().map(LineColumn::to_glue).collect();
        let glue = GlueTable {
            name: &self.table,
            database_name: &self.database,
            description: self.description.as_deref().filter(|it| !it.is_empty()),
            create_time: created,
            update_time: created + identity % 26_000_000,
            storage_descriptor: GlueStorage {
                columns,
                location: format!("s3://lake/{}/{}", self.database, self.table),
            },
            table_type: "EXTERNAL_TABLE",
            parameters: GlueParameters {
                classification: "parquet",
            },
            catalog_id: ACCOUNT,
            version_id: "0",
        };
        serde_json::to_string(&glue).unwrap_or_default()
    }
}

impl LineColumn {
    fn to_glue(&self) -> GlueColumn<'_> {
        GlueColumn {
            name: &self.name,
            data_type: self.data_type.as_deref().unwrap_or("string"),
            comment: self.comment.as_deref().filter(|it| !it.is_empty()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GlueTable<'a> {
    name: &'a str,
    database_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    create_time: u64,
    update_time: u64,
    storage_descriptor: GlueStorage<'a>,
    table_type: &'a str,
    parameters: GlueParameters<'a>,
    catalog_id: &'a str,
    version_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GlueStorage<'a> {
    columns: Vec<GlueColumn<'a>>,
    location: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GlueColumn<'a> {
    name: &'a str,
    #[serde(rename = "Type")]
    data_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
}

#[derive(Serialize)]
struct GlueParameters<'a> {
    classification: &'a str,
}

/// The generator of Steele, Lea and Flood (splitmix64): small, quick, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64);
        usize::try_from(index)
            .ok()
            .and_then(|index| choices.get(index))
            .copied()
            .unwrap_or_default()
    }
}

fn database(number: u64, seed: u64) -> impl Iterator<Item = Line> {
    let mut random = Random(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let area = random.pick(AREAS);
    let layer = random.pick(LAYERS);
    let name = format!("{}_{number:04}", layer.replace("{}", area));
    let mut taken = BTreeSet::new();
    (0..TABLES_IN_A_DATABASE).map(move |_| table(&name, &mut taken, &mut random))
}

fn table(database: &str, taken: &mut BTreeSet<String>, random: &mut Random) -> Line {
    let subject = random.pick(SUBJECTS);
    let aspect = random.pick(ASPECTS);
    let mut name = random
        .pick(FRAMES)
        .replace("{}", &format!("{subject}{aspect}"));
    if !taken.insert(name.clone()) {
        name = format!("{name}_{}", taken.len());
        taken.insert(name.clone());
    }
    let readable = format!("{subject}{aspect}").replace('_', " ");
    let description = (random.below(10) < 7).then(|| {
        let purpose = random.pick(PURPOSES);
        let grain = random.pick(GRAINS);
        format!("{grain} {readable}. {purpose}")
    });
    Line {
        database: database.to_owned(),
        table: name,
        description,
        columns: columns(subject, random),
    }
}

fn columns(subject: &str, random: &mut Random) -> Vec<LineColumn> {
    let mut taken = BTreeSet::new();
    let mut columns = Vec::with_capacity(COLUMNS_IN_A_TABLE);
    let key = format!("{subject}_id");
    let comment = format!("Key of the {}.", subject.replace('_', " "));
    taken.insert(key.clone());
    columns.push(column(key, "bigint", Some(comment)));
    while columns.len() < COLUMNS_IN_A_TABLE {
        let (ending, data_type) = random.pick(ENDINGS);
        let word = random.pick(WORDS);
        let name = format!("{word}{ending}");
        if !taken.insert(name.clone()) {
            continue;
        }
        let comment = (random.below(2) == 0).then(|| {
            let meaning = name.replace('_', " ");
            format!(
                "{} ({meaning}).",
                random.pick(COMMENTS).trim_end_matches('.')
            )
        });
        columns.push(column(name, data_type, comment));
    }
    columns
}

fn column(name: String, data_type: &str, comment: Option<String>) -> LineColumn {
    LineColumn {
        name,
        data_type: Some(data_type.to_owned()),
        comment,
    }
}

const AREAS: &[&str] = &[
    "sales",
    "orders",
    "payments",
    "billing",
    "marketing",
    "campaigns",
    "logistics",
    "warehouse",
    "fleet",
    "support",
    "care",
    "finance",
    "ledger",
    "risk",
    "fraud",
    "product",
    "web",
    "app",
    "events",
    "hr",
    "payroll",
    "procurement",
    "suppliers",
    "catalog",
    "pricing",
    "loyalty",
    "search",
    "recommendations",
    "partners",
    "energy",
    "claims",
    "bookings",
];

const LAYERS: &[&str] = &[
    "{}",
    "raw_{}",
    "{}_raw",
    "stg_{}",
    "{}_staging",
    "{}_mart",
    "{}_reporting",
    "{}_prod",
    "{}_dev",
    "bronze_{}",
    "silver_{}",
    "gold_{}",
    "{}_eu",
    "{}_us",
    "{}_archive",
    "sandbox_{}",
];

const SUBJECTS: &[&str] = &[
    "order",
    "order_line",
    "customer",
    "invoice",
    "payment",
    "refund",
    "shipment",
    "parcel",
    "return",
    "product",
    "variant",
    "price",
    "discount",
    "voucher",
    "campaign",
    "click",
    "impression",
    "session",
    "page_view",
    "cart",
    "checkout",
    "subscription",
    "plan",
    "contract",
    "ticket",
    "conversation",
    "agent",
    "employee",
    "shift",
    "supplier",
    "purchase_order",
    "stock",
    "warehouse",
    "route",
    "vehicle",
    "driver",
    "ledger_entry",
    "account",
    "budget",
    "forecast",
    "experiment",
    "feature_flag",
    "device",
    "notification",
    "email",
    "survey",
    "review",
    "rating",
    "partner",
    "store",
    "booking",
    "claim",
    "policy",
    "meter",
    "reading",
    "sensor",
    "alert",
    "location",
    "country",
    "currency",
    "tax_rate",
    "cost_center",
    "project",
    "user",
];

const ASPECTS: &[&str] = &[
    "",
    "",
    "",
    "s",
    "s",
    "s",
    "_events",
    "_history",
    "_status",
    "_items",
    "_attributes",
    "_summary",
    "_metrics",
    "_mapping",
    "_corrections",
    "_attribution",
    "_segments",
    "_scores",
];

const FRAMES: &[&str] = &[
    "{}",
    "{}",
    "{}",
    "fct_{}",
    "dim_{}",
    "stg_{}",
    "int_{}",
    "rpt_{}",
    "tmp_{}",
    "v_{}",
    "{}_daily",
    "{}_weekly",
    "{}_monthly",
    "{}_2024",
    "{}_2025",
    "{}_snapshot",
    "{}_v2",
    "{}_latest",
    "{}_enriched",
    "{}_backup",
    "agg_{}",
    "{}_export",
];

const GRAINS: &[&str] = &[
    "One row for each",
    "All",
    "The current state of each",
    "A daily snapshot of every",
    "Raw records of each",
    "Cleaned and deduplicated",
    "Everything we know of a",
];

const PURPOSES: &[&str] = &[
    "Feeds the weekly report of the department.",
    "Do not join by name, use the key.",
    "Loaded every night at two.",
    "Rows can arrive up to three days late.",
    "Amounts are in the currency of the country.",
    "Ask the owning team before using it outside.",
    "Test accounts are left out.",
    "History begins with the move to the new system.",
    "Used for planning the next quarter.",
    "Contains personal data, handle with care.",
    "Replaces the old export.",
    "Deleted rows stay and are marked.",
];

const WORDS: &[&str] = &[
    "customer",
    "order",
    "created",
    "updated",
    "billing",
    "shipping",
    "gross",
    "net",
    "tax",
    "discount",
    "unit",
    "total",
    "first",
    "last",
    "source",
    "target",
    "parent",
    "external",
    "primary",
    "campaign",
    "channel",
    "device",
    "browser",
    "country",
    "region",
    "city",
    "postal",
    "currency",
    "exchange",
    "payment",
    "refund",
    "delivery",
    "carrier",
    "warehouse",
    "product",
    "category",
    "brand",
    "supplier",
    "store",
    "employee",
    "team",
    "manager",
    "contract",
    "plan",
    "trial",
    "renewal",
    "churn",
    "session",
    "referrer",
    "landing",
    "experiment",
    "variant",
    "score",
    "risk",
    "quality",
    "priority",
    "resolution",
    "response",
    "survey",
    "review",
];

const ENDINGS: &[(&str, &str)] = &[
    ("_id", "bigint"),
    ("_key", "string"),
    ("_code", "string"),
    ("_name", "string"),
    ("_type", "string"),
    ("_status", "string"),
    ("_at", "timestamp"),
    ("_date", "date"),
    ("_amount", "decimal(18,2)"),
    ("_count", "int"),
    ("_rate", "double"),
    ("_share", "double"),
    ("_flag", "boolean"),
    ("_days", "int"),
    ("_label", "string"),
    ("_ids", "array<bigint>"),
    (
        "_address",
        "struct<street:string,city:string,postal_code:string,country:string>",
    ),
    ("_attributes", "map<string,string>"),
];

const COMMENTS: &[&str] = &[
    "As the source system has it.",
    "Empty before 2023.",
    "In UTC.",
    "In the currency of the order.",
    "Without tax.",
    "Set by the nightly job.",
    "Never changes once set.",
    "Joins to the table of that name.",
    "Only known for registered customers.",
    "Entered by hand, expect typos.",
    "Ask support what it means.",
    "Rounded to two decimals.",
    "Used by the dashboard.",
    "Deprecated, use the key instead.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_tables_whatever_follows_them() {
        let short: Vec<_> = lines(150, 7).collect();
        let long: Vec<_> = lines(1000, 7).take(150).collect();
        let other: Vec<_> = lines(150, 8).collect();

        assert_eq!(short, long);
        assert_ne!(short, other);
    }

    #[test]
    fn every_table_has_twenty_columns_and_a_name_of_its_own() {
        let lines: Vec<_> = lines(2_050, 1).collect();

        let names: BTreeSet<_> = lines
            .iter()
            .map(|line| (&line.database, &line.table))
            .collect();
        assert_eq!(names.len(), 2_050);
        for line in &lines {
            let columns: BTreeSet<_> = line.columns.iter().map(|column| &column.name).collect();
            assert_eq!(columns.len(), 20, "{line:?}");
        }
    }
}
