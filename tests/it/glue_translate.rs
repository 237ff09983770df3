//! What real answers of Glue become, from the wire to the report, compared with files that were reviewed by hand.

use std::fs;
use std::path::PathBuf;

use gazetteer::catalog::{AssetKind, Column, Discovered, Listing};
use gazetteer::sources::glue::Settings;
use serde_json::{Map, Value, json};

use crate::glue_faults::{Told, read, settings};
use crate::glue_server::GlueServer;

fn fixture(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/glue");
    folder.join(name)
}

fn load(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

/// The rows of a fixture; where it names no databases, those of its tables.
fn rows(name: &str) -> (Vec<Value>, Vec<Value>) {
    let fixture = load(&format!("{name}.json"));
    let list = |key: &str| fixture[key].as_array().unwrap().clone();
    let (mut databases, tables) = (list("databases"), list("tables"));
    if databases.is_empty() {
        for table in &tables {
            let database = json!({"Name": table["DatabaseName"]});
            if !databases.contains(&database) {
                databases.push(database);
            }
        }
    }
    (databases, tables)
}

async fn discovered(name: &str) -> Told {
    let (databases, tables) = rows(name);
    let server = GlueServer::start(databases, tables);
    let (told, result) = read(Settings {
        parallel_databases: 1,
        ..settings(&server)
    })
    .await;
    result.unwrap();
    assert_eq!(told.databases, Some(Listing::Complete));
    told
}

fn shown(asset: &Discovered) -> Value {
    let mut shown = Map::new();
    shown.insert("kind".to_owned(), json!(asset.kind));
    shown.insert("path".to_owned(), json!(asset.address.path));
    shown.insert("instance".to_owned(), json!(asset.address.instance));
    shown.insert("source".to_owned(), json!(asset.source));
    shown.insert("facts".to_owned(), json!(asset.facts));
    if !asset.aliases.is_empty() {
        shown.insert("aliases".to_owned(), json!(asset.aliases));
    }
    Value::Object(shown)
}

fn golden(told: &Told) -> Value {
    let skipped = told.skipped.iter();
    let skipped = skipped.map(|skipped| json!([skipped.address.path, skipped.reason]));
    let findings = told.findings.iter().map(|finding| {
        json!([
            finding.about.as_ref().map(|address| &address.path),
            finding.text
        ])
    });
    json!({
        "databases": told.opened.iter().map(shown).collect::<Vec<_>>(),
        "assets": told.assets.iter().map(shown).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    })
}

/// Compares with the golden file; a difference leaves what was found beside it, to be reviewed and renamed.
async fn matches_golden(name: &str) {
    let found = golden(&discovered(name).await);

    let path = fixture(&format!("{name}.golden.json"));
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let expected: Value = serde_json::from_str(&expected).unwrap_or_default();
    if found != expected {
        let beside = path.with_extension("json.new");
        let mut text = serde_json::to_string_pretty(&found).unwrap();
        text.push('\n');
        fs::write(&beside, text).unwrap();
        panic!(
            "{name} became something else; compare {} with it",
            beside.display()
        );
    }
}

macro_rules! golden {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                matches_golden(stringify!($name)).await;
            }
        )*
    };
}

mod becomes_what_its_golden_file_says {
    use super::matches_golden;

    golden! {
        amundsen_glue
        athena_ddl_a
        awscli_examples
        cid_a
        datahub_flights
        datahub_resource_link
        formats
        mitol_a
        odd_shapes
        view_starrocks_all_types
        view_wharfie_aggregated
    }
}

/// Every column as another catalog names it: without the marks for lists and maps.
fn columns(asset: &Discovered) -> Vec<(String, &Column)> {
    let all = asset.source.columns.iter().flat_map(Column::walk);
    all.map(|column| (column.path.replace("[]", "").replace("{}", ""), column))
        .collect()
}

#[tokio::test]
async fn other_catalogs_find_the_same_columns_types_and_descriptions() {
    for name in [
        "amundsen_glue",
        "datahub_flights",
        "view_starrocks_all_types",
        "view_wharfie_aggregated",
    ] {
        let told = discovered(name).await;
        let expected = load(&format!("{name}.expected.json"));
        for (path, expected) in expected["datasets"].as_object().unwrap() {
            let of = |asset: &&Discovered| asset.address.path.join(".") == *path;
            let asset = told.assets.iter().find(of).unwrap();
            let fields = expected["fields"].as_array().unwrap();
            let mut columns = columns(asset);
            if expected.get("originalSql").is_some() {
                // What is expected of these is the payload's own list, which is not nested.
                columns.retain(|(path, _)| !path.contains('.'));
            }

            assert_eq!(columns.len(), fields.len(), "{path}");
            for ((path, column), field) in columns.iter().zip(fields) {
                assert_eq!(*path, field["path"]);
                let data_type = field.get("trinoType").unwrap_or(&field["nativeDataType"]);
                assert_eq!(column.data_type, *data_type, "{path}");
                if let Some(comment) = field["description"].as_str() {
                    assert_eq!(column.comment.as_deref(), Some(comment), "{path}");
                }
            }
            if let Some(sql) = expected["originalSql"].as_str() {
                assert_eq!(asset.source.view.as_ref().unwrap().sql, sql);
            }
            if let Some(description) = expected["description"].as_str() {
                assert_eq!(asset.source.description.as_deref(), Some(description));
            }
            assert_eq!(
                asset.kind == AssetKind::View,
                path.contains("view") || expected.get("originalSql").is_some()
            );
        }
    }
}

#[tokio::test]
async fn a_linked_database_shows_the_tables_of_its_target_as_its_own() {
    let (databases, tables) = rows("datahub_resource_link");
    let server = GlueServer::scripted(databases, tables, |call| {
        if call.operation == "GetTables" {
            assert_eq!(call.body["CatalogId"], "432143214321");
            assert_eq!(call.body["DatabaseName"], "test-database");
        }
        None
    });

    let (told, _) = read(settings(&server)).await;

    assert_eq!(
        told.assets[0].address.path,
        ["resource-link-test-database", "transactions"]
    );
    assert_eq!(told.assets[0].address.instance, "123412341234/eu-central-1");
}

#[tokio::test]
async fn resource_links_can_be_left_out() {
    let (mut databases, mut tables) = rows("odd_shapes");
    databases.retain(|database| database["Name"] != "größe");
    tables.retain(|table| table["Name"] == "no_storage" || table.get("TargetTable").is_some());
    let server = GlueServer::start(databases, tables);

    let (told, _) = read(Settings {
        ignore_resource_links: true,
        ..settings(&server)
    })
    .await;

    assert_eq!(told.opened.len(), 2);
    assert_eq!(told.assets.len(), 1);
    assert!(told.skipped.is_empty() && told.findings.is_empty());
}

#[tokio::test]
async fn a_link_whose_target_is_out_of_reach_for_now_stays_as_it_was() {
    use crate::glue_server::Reply;
    let (databases, tables) = rows("formats");
    let server = GlueServer::scripted(databases, tables, |call| {
        let later = Reply::Error(400, "ThrottlingException", "Later.");
        (call.operation == "GetTable").then_some(later)
    });

    let (told, _) = read(settings(&server)).await;

    let mut skipped: Vec<_> = told
        .skipped
        .iter()
        .map(|skipped| skipped.address.name())
        .collect();
    skipped.sort_unstable();
    assert_eq!(skipped, ["link_to_csv", "link_to_nothing"]);
}

#[tokio::test]
async fn a_table_without_a_name_is_skipped_and_the_others_are_read() {
    let databases = vec![json!({"Name": "d"}), json!({"Name": ""})];
    let tables = vec![
        json!({"Name": "", "DatabaseName": "d"}),
        json!({"Name": "t", "DatabaseName": "d"}),
    ];
    let server = GlueServer::start(databases, tables);

    let (told, _) = read(settings(&server)).await;

    assert_eq!(told.assets.len(), 1);
    let texts: Vec<&str> = told
        .findings
        .iter()
        .map(|finding| finding.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "Entry 2 on page 1 of the list of databases was left out: it has no name that can be read.",
            "Entry 1 on page 1 of its tables was left out: it has no name that can be read.",
        ]
    );
}

#[tokio::test]
async fn owners_and_instances_follow_the_settings() {
    let (databases, tables) = rows("formats");
    let server = GlueServer::start(databases, tables);
    let settings = Settings {
        extract_owners: false,
        platform_instance: Some("lake".to_owned()),
        env: Some("DEV".to_owned()),
        ..settings(&server)
    };

    let (told, _) = read(settings).await;

    assert!(told.assets.iter().all(|asset| asset.source.owner.is_none()));
    assert!(
        told.assets
            .iter()
            .all(|asset| asset.address.instance == "lake/DEV")
    );
}

/// Takes parts of every fixture's tables away, one at a time, and puts odd ones in their place: nothing may break.
#[tokio::test]
async fn no_odd_shape_breaks_the_reading() {
    let odd = [
        json!(null),
        json!(""),
        json!("/* Presto View: */"),
        json!([]),
        json!({}),
        json!("struct<"),
    ];
    let mut tables = Vec::new();
    for name in ["odd_shapes", "formats", "cid_a", "athena_ddl_a"] {
        for table in rows(name).1 {
            for key in table
                .as_object()
                .unwrap()
                .keys()
                .filter(|key| *key != "DatabaseName")
            {
                for value in odd
                    .iter()
                    .filter(|value| value.is_null() || same_kind(value, &table[key]))
                {
                    let mut table = table.clone();
                    table[key] = value.clone();
                    table["DatabaseName"] = json!("d");
                    if key != "Name" {
                        table["Name"] = json!(format!("t{}", tables.len()));
                    }
                    table.as_object_mut().unwrap().remove("TargetTable");
                    tables.push(table);
                }
            }
        }
    }
    let count = tables.len();
    let server = GlueServer::start(vec![json!({"Name": "d"})], tables);

    let (told, result) = read(settings(&server)).await;

    result.unwrap();
    assert!(
        matches!(&told.closed[0].1, Listing::Incomplete(reason) if reason.starts_with("Nobody can tell what"))
    );
    assert!(count > 300);
    assert!(told.assets.len() + told.skipped.len() + told.findings.len() >= count);
}

fn same_kind(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
