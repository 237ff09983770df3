//! Shapes of Glue's tables that other catalogs lost or changed, from the wire to the page, the API and the search.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gazetteer::demo::World;
use gazetteer::ingest::RunState;
use reqwest::{Method, StatusCode};
use scraper::{ElementRef, Html, Selector};
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp, texts};
use crate::support::catalog::TestCatalog;

/// The account of what a test adds by itself, so that it is found in the same way.
const ACCOUNT: &str = "123456789012";

fn world(tables: &[Value]) -> World {
    let mut world = World::new();
    world.set_database(&json!({"Name": "d", "CatalogId": ACCOUNT}));
    for table in tables {
        world.set_table("d", table);
    }
    world
}

fn table(name: &str, columns: Value) -> Value {
    let mut table = json!({"Name": name, "DatabaseName": "d", "StorageDescriptor": {}});
    table["StorageDescriptor"]["Columns"] = columns;
    table
}

/// A table as its page and as the API show it.
async fn shown(app: &TestApp, name: &str) -> (Html, Value) {
    let id = app.id_of(&["d", name]).await;
    let page = app.page(&format!("/assets/{id}")).await;
    let shape = app.json(&format!("/api/v1/assets/{id}")).await;
    (page, shape)
}

/// The facts of a list, each as `label: value, value`.
fn facts(page: &Html, list: &str) -> Vec<String> {
    let entries = Selector::parse(&format!("{list} > div")).unwrap();
    let [label, value] = ["dt", "dd"].map(|part| Selector::parse(part).unwrap());
    let texts = |entry: &ElementRef<'_>, part: &Selector| -> String {
        let parts = entry
            .select(part)
            .map(|part| part.text().collect::<String>());
        parts.collect::<Vec<_>>().join(", ")
    };
    page.select(&entries)
        .map(|entry| format!("{}: {}", texts(&entry, &label), texts(&entry, &value)))
        .collect()
}

async fn findings(app: &TestApp, run: &gazetteer::ingest::Run) -> Vec<String> {
    let findings = app.json(&format!("/api/v1/runs/{}/findings", run.id)).await;
    let items = findings["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|finding| finding["text"].as_str().unwrap().to_owned())
        .collect()
}

/// What is found by words, by name.
async fn found(app: &TestApp, words: &str) -> Vec<String> {
    let url = reqwest::Url::parse_with_params("http://x/api/v1/search", [("q", words)]).unwrap();
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    let hits = app.json(&path).await;
    let hits = hits["hits"].as_array().unwrap().clone();
    let name = |hit: &Value| hit["name"].as_str().unwrap().to_owned();
    hits.iter().map(name).collect()
}

#[tokio::test]
async fn fields_with_odd_names_are_all_there_and_what_is_none_is_said() {
    let app = TestApp::beside(world(&[table(
        "machines",
        json!([
            {"Name": "tags", "Type": "struct<team:string,aws:launchtemplate:id:string,Name:string,name:int>"},
            {"Name": "odd", "Type": "struct<a->b:string,b:???,ok:int>"},
            {"Name": "dupl", "Type": "struct<a:int,a:string,b:date>"},
        ]),
    )]))
    .await;

    let run = app.run("world").await;

    let (page, shape) = shown(&app, "machines").await;
    let names = texts(&page, "table.columns th[scope=row] bdi");
    for name in [
        "aws:launchtemplate:id",
        "Name",
        "name",
        "a->b",
        "b:???",
        "ok",
    ] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    assert_eq!(names.iter().filter(|name| *name == "a").count(), 2);
    let tags = &shape["source"]["columns"][0]["fields"];
    assert_eq!(tags[1]["name"], "aws:launchtemplate:id");
    assert_eq!(tags[1]["type"], "string");
    assert_eq!(
        findings(&app, &run).await,
        [
            "“odd.b:???” could not be split into a name and a type; it is shown as it is.",
            "There is more than one “dupl.a”; each is shown.",
        ]
    );
}

#[tokio::test]
async fn two_columns_of_one_name_have_words_of_their_own() {
    let mut same = table(
        "same",
        json!([{"Name": "id", "Type": "int"}, {"Name": "dt", "Type": "int"}]),
    );
    same["PartitionKeys"] = json!([{"Name": "dt", "Type": "string"}]);
    let twice = json!([{"Name": "price", "Type": "double"}, {"Name": "price", "Type": "string"}]);
    let app = TestApp::beside(world(&[same, table("twice", twice)])).await;
    let run = app.run("world").await;

    for (name, first, second) in [("same", "dt", "dt[2]"), ("twice", "price", "price[2]")] {
        let id = app.id_of(&["d", name]).await;
        for path in [first, second] {
            let path = path.replace('[', "%5B").replace(']', "%5D");
            let answer = Answer::of(
                app.request(
                    Method::PUT,
                    &format!("/api/v1/assets/{id}/columns/{path}/description"),
                )
                .json(&json!({"text": format!("About {path}."), "version": 0})),
            )
            .await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        }
        let page = app.page(&format!("/assets/{id}")).await;
        assert_eq!(texts(&page, ".note").len(), 2);
    }
    let types = |shape: &Value| -> Vec<String> {
        let columns = shape["source"]["columns"].as_array().unwrap().clone();
        let told = |column: &Value| format!("{} {}", column["path"], column["type"]);
        columns.iter().map(told).collect()
    };
    let (_, shape) = shown(&app, "same").await;
    assert_eq!(
        types(&shape),
        [r#""id" "int""#, r#""dt[2]" "int""#, r#""dt" "string""#]
    );
    assert_eq!(
        findings(&app, &run).await,
        [
            "There is more than one “dt”; each is shown.",
            "There is more than one “price”; each is shown.",
        ]
    );
}

fn presto(sql: &str) -> String {
    let json = json!({"originalSql": sql, "columns": [{"name": "id", "type": "integer"}]});
    BASE64_STANDARD.encode(json.to_string())
}

#[tokio::test]
async fn a_view_of_two_engines_shows_both_texts_however_its_marker_is_written() {
    let both = json!({
        "Name": "both", "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "spark.sql.create.version": "3.3.0"},
        "ViewOriginalText": format!("/* Presto View: {} */", presto("SELECT 1 AS id FROM of_athena")),
        "ViewExpandedText": "SELECT 1 AS id FROM of_spark",
    });
    let tight = json!({
        "Name": "tight", "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": format!("\n /*Presto View: {}*/ -- made by deploy 42", presto("SELECT 2 AS id")),
        "ViewExpandedText": "/* Presto View */",
    });
    let plain = json!({
        "Name": "plain", "TableType": "VIRTUAL_VIEW", "Parameters": {"presto_view": "true"},
        "ViewOriginalText": "SELECT 3 AS id", "ViewExpandedText": "/* Presto View */",
    });
    let app = TestApp::reading(world(&[both, tight, plain])).await;

    let (page, shape) = shown(&app, "both").await;
    assert_eq!(texts(&page, "#sql-text"), ["SELECT 1 AS id FROM of_athena"]);
    assert_eq!(
        texts(&page, "#sql details"),
        ["The same for Spark SELECT 1 AS id FROM of_spark"]
    );
    assert_eq!(
        shape["source"]["view"]["other_dialects"],
        json!({"Spark": "SELECT 1 AS id FROM of_spark"})
    );
    assert_eq!(found(&app, "of_spark").await, ["both"]);
    let (page, shape) = shown(&app, "tight").await;
    assert_eq!(texts(&page, "#sql-text"), ["SELECT 2 AS id"]);
    assert_eq!(
        shape["source"]["parameters"]["textBesideView"],
        "-- made by deploy 42"
    );
    let (page, _) = shown(&app, "plain").await;
    assert_eq!(texts(&page, "#sql-text"), ["SELECT 3 AS id"]);
}

#[tokio::test]
async fn a_view_says_who_defines_it_what_it_reads_and_which_text_is_stale() {
    let several = json!({
        "Name": "several", "TableType": "VIRTUAL_VIEW", "IsMultiDialectView": true,
        "ViewDefinition": {
            "IsProtected": true,
            "Definer": "arn:aws:iam::111122223333:role/view-definer",
            "SubObjects": ["arn:aws:glue:eu-central-1:111122223333:table/d/orders"],
            "Representations": [
                {"Dialect": "ATHENA", "DialectVersion": "3", "ViewOriginalText": "SELECT 1", "IsStale": false},
                {"Dialect": "SPARK", "DialectVersion": "3.5", "ViewOriginalText": "SELECT 1", "IsStale": true},
                {"Dialect": "REDSHIFT", "ViewOriginalText": "SELECT 3", "ViewExpandedText": "SELECT 3 FROM x",
                 "ValidationConnection": "warehouse"},
            ],
        },
    });
    let iceberg = json!({
        "Name": "iceberg", "Parameters": {"table_type": "ICEBERG-VIEW"},
        "StorageDescriptor": {"Columns": [{"Name": "town", "Type": "string"}]},
    });
    let app = TestApp::reading(world(&[several, iceberg])).await;

    let (page, shape) = shown(&app, "several").await;
    assert_eq!(
        facts(&page, "#view-facts"),
        [
            "Defined by: arn:aws:iam::111122223333:role/view-definer",
            "Protected: yes",
            "Reads: arn:aws:glue:eu-central-1:111122223333:table/d/orders",
        ]
    );
    assert_eq!(
        texts(&page, "#sql summary"),
        [
            "The same for Redshift checked with warehouse",
            "The same for Redshift, qualified names checked with warehouse",
            "The same for Spark version 3.5, stale",
        ]
    );
    let view = &shape["source"]["view"];
    assert_eq!(view["dialect"], "Athena");
    assert_eq!(view["other_dialects"]["Spark"], "SELECT 1");
    assert_eq!(view["dialect_facts"]["Spark"]["stale"], true);
    assert_eq!(view["protected"], true);
    assert_eq!(found(&app, "definer").await, ["several"]);
    let (page, shape) = shown(&app, "iceberg").await;
    assert_eq!(shape["kind"], "view");
    assert_eq!(texts(&page, "table.columns th[scope=row]"), ["town"]);
}

#[tokio::test]
async fn parameters_of_columns_schemas_of_registries_buckets_and_skew_are_kept_shown_and_found() {
    let mut people = table(
        "people",
        json!([{"Name": "email", "Type": "string", "Parameters": {"privacy": "sensitive", "iceberg.field.id": "4"}}]),
    );
    people["StorageDescriptor"]["SchemaReference"] = json!({
        "SchemaId": {"RegistryName": "events", "SchemaName": "order-placed"}, "SchemaVersionNumber": 4,
    });
    people["StorageDescriptor"]["NumberOfBuckets"] = json!(8);
    people["StorageDescriptor"]["BucketColumns"] = json!(["id"]);
    people["StorageDescriptor"]["SkewedInfo"] = json!({
        "SkewedColumnNames": ["country"], "SkewedColumnValues": ["de"],
        "SkewedColumnValueLocationMaps": {"de": "s3://lake/de"},
    });
    let app = TestApp::reading(world(&[people])).await;

    let (page, shape) = shown(&app, "people").await;
    assert_eq!(facts(&page, ".column-facts"), ["privacy: sensitive"]);
    let storage = facts(&page, "[aria-labelledby=storage-title] .facts");
    for fact in [
        "Schema in a registry: events / order-placed, version 4",
        "Buckets: 8",
        "Skewed by: country",
        "Skewed values: de",
        "Skewed values lie in: de: s3://lake/de",
    ] {
        assert!(storage.contains(&fact.to_owned()), "{fact} in {storage:?}");
    }
    let source = &shape["source"];
    assert_eq!(
        source["columns"][0]["parameters"],
        json!({"privacy": "sensitive"})
    );
    assert_eq!(source["schema"]["name"], "order-placed");
    assert_eq!(source["schema"]["version"], 4);
    assert_eq!(source["buckets"], 8);
    assert_eq!(source["skew"]["locations"], json!({"de": "s3://lake/de"}));
    for words in ["sensitive", "order-placed", "privacy", "country"] {
        assert_eq!(found(&app, words).await, ["people"], "{words}");
    }
}

fn hudi(schema: &Value, columns: Value) -> Value {
    let schema = schema.to_string();
    let (first, second) = schema.split_at(40);
    let mut table = table("readings", columns);
    table["PartitionKeys"] = json!([{"Name": "day", "Type": "date"}]);
    table["Parameters"] = json!({
        "spark.sql.sources.schema.numParts": "2",
        "spark.sql.sources.schema.part.0": first,
        "spark.sql.sources.schema.part.1": second,
    });
    table
}

#[tokio::test]
async fn what_spark_says_of_a_column_stands_beside_what_glue_says() {
    let schema = json!({"type": "struct", "fields": [
        {"name": "sensorId", "type": "long", "nullable": false, "metadata": {"comment": "Number on the housing"}},
        {"name": "value", "type": {"type": "struct", "fields": [
            {"name": "rawVolt", "type": "double", "nullable": true, "metadata": {"comment": "Before calibration"}}
        ]}, "nullable": true, "metadata": {}},
        {"name": "code", "type": "string", "nullable": true, "metadata": {"__CHAR_VARCHAR_TYPE_STRING": "varchar(8)"}},
        {"name": "day", "type": "date", "nullable": true, "metadata": {"comment": "Day of the reading"}},
    ]});
    let columns = json!([
        {"Name": "sensorid", "Type": "bigint"},
        {"Name": "value", "Type": "struct<rawvolt:double>"},
        {"Name": "code", "Type": "string"},
    ]);
    let app = TestApp::reading(world(&[hudi(&schema, columns)])).await;

    let (page, shape) = shown(&app, "readings").await;
    assert_eq!(
        facts(&page, ".column-facts"),
        [
            "Spark spelling: sensorId",
            "Spark comment: Number on the housing",
            "Spark spelling: rawVolt",
            "Spark comment: Before calibration",
            "Spark type: varchar(8)",
            "Spark comment: Day of the reading",
        ]
    );
    assert_eq!(texts(&page, "table.columns .tag.plain"), ["required"]);
    let columns = &shape["source"]["columns"];
    assert_eq!(columns[0]["name"], "sensorid");
    assert_eq!(columns[0]["type"], "bigint");
    assert_eq!(columns[0]["engine"]["name"], "sensorId");
    assert_eq!(columns[2]["type"], "string");
    for words in ["housing", "sensorId", "calibration", "rawVolt"] {
        assert_eq!(found(&app, words).await, ["readings"], "{words}");
    }
}

#[tokio::test]
async fn a_missing_part_of_sparks_schema_is_named_also_where_glue_lists_the_columns() {
    let mut table = table("readings", json!([{"Name": "sensorid", "Type": "bigint"}]));
    table["Parameters"] = json!({
        "spark.sql.sources.schema.numParts": "3",
        "spark.sql.sources.schema.part.1": "{}",
    });
    let app = TestApp::beside(world(&[table])).await;

    let run = app.run("world").await;

    assert_eq!(
        findings(&app, &run).await,
        ["Parts 0, 2 of Spark’s own schema are missing; the columns are Glue’s."]
    );
}

#[tokio::test]
async fn what_cannot_be_seen_is_shown_by_name_and_kept_byte_by_byte() {
    let mut delimited = table(
        "delimited\u{202e}",
        json!([
            {"Name": "a ", "Type": "string", "Comment": "x\u{0}y"},
            {"Name": "b\u{200b}", "Type": "string", "Comment": "tab\tand\u{1}control"},
        ]),
    );
    delimited["StorageDescriptor"]["SerdeInfo"] = json!({
        "Parameters": {"field.delim": "\u{1}", "quoteChar": "\u{0}", "line.delim": "\n", "collection.delim": "\t"},
    });
    let app = TestApp::reading(world(&[delimited, table("fine", json!([]))])).await;

    let (page, shape) = shown(&app, "delimited\u{202e}").await;
    assert_eq!(texts(&page, "h1"), ["delimited\\u202e"]);
    assert_eq!(
        texts(&page, "table.columns th[scope=row] bdi"),
        ["a\\u0020", "b\\u200b"]
    );
    assert_eq!(
        texts(&page, "table.columns td:nth-child(3) > span"),
        ["x\\u0000y", "tab\\tand\\u0001control"]
    );
    let parameters = facts(&page, "details .facts");
    for parameter in [
        "serde.field.delim: \\u0001",
        "serde.quoteChar: \\u0000",
        "serde.line.delim: \\n",
        "serde.collection.delim: \\t",
    ] {
        assert!(
            parameters.contains(&parameter.to_owned()),
            "{parameter} in {parameters:?}"
        );
    }
    assert_eq!(shape["name"], "delimited\u{202e}");
    assert_eq!(shape["source"]["columns"][0]["name"], "a ");
    assert_eq!(shape["source"]["columns"][0]["comment"], "x\u{0}y");
    assert_eq!(shape["source"]["parameters"]["serde.quoteChar"], "\u{0}");
    assert!(found(&app, "fine").await.contains(&"fine".to_owned()));
}

#[tokio::test]
async fn a_tag_with_a_character_that_cannot_be_seen_is_refused_at_its_field() {
    let app = TestApp::reading(world(&[table("t", json!([]))])).await;
    let id = app.id_of(&["d", "t"]).await;

    for (tag, shown) in [
        ("gro\u{202e}ss", "\\u202e"),
        ("a\u{7}b", "\\u0007"),
        ("a\u{200b}b", "\\u200b"),
        ("a\u{0}b", "\\ufffd"),
    ] {
        let answer = Answer::of(
            app.request(Method::PUT, &format!("/api/v1/assets/{id}/tags"))
                .json(&json!({"tags": [tag], "version": 0})),
        )
        .await;

        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{tag:?}");
        assert!(answer.text.contains("cannot be seen"), "{}", answer.text);
        let escaped = shown.replace('\\', "\\\\");
        assert!(answer.text.contains(&escaped), "{}", answer.text);
    }
    let answer = Answer::of(
        app.request(Method::PUT, &format!("/api/v1/assets/{id}/tags"))
            .json(&json!({"tags": ["می\u{200c}خواهم", "👨\u{200d}👩"], "version": 0})),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn whatever_a_table_is_called_its_page_opens_and_its_name_finds_it() {
    let names = [
        "Orders",
        "orders",
        "public.order-lines",
        "50% off / week #3?",
        "it's \"quoted\" <b>bold</b>",
        "a&b=c+d;e",
        "..",
        "größe 漢字",
        "../up?x=1#y",
    ];
    let tables: Vec<Value> = names.iter().map(|name| table(name, json!([]))).collect();
    let app = TestApp::reading(world(&tables)).await;

    let database = app.id_of(&["d"]).await;
    let list = app.page(&format!("/assets/{database}")).await;
    let listed = texts(&list, "#inside-list").concat();
    for name in names {
        let (page, shape) = shown(&app, name).await;

        assert_eq!(texts(&page, "h1"), [name]);
        assert_eq!(shape["name"], name);
        assert!(listed.contains(name), "{name} in {listed}");
        if name != ".." {
            let found = found(&app, name).await;
            assert!(found.contains(&name.to_owned()), "{name} in {found:?}");
        }
    }
}

#[tokio::test]
async fn what_is_kept_beside_a_table_is_no_change_when_it_is_read_again() {
    let mut odd = table(
        "odd",
        json!([
            {"Name": "price", "Type": "double", "Parameters": {"b": "1", "a": "2", "c": "3"}},
            {"Name": "price", "Type": "map<struct<k:int>,struct<v:int,v:date>>"},
        ]),
    );
    odd["StorageDescriptor"]["SkewedInfo"] =
        json!({"SkewedColumnValueLocationMaps": {"b": "s3://b", "a": "s3://a", "c": "s3://c"}});
    let catalog = TestCatalog::start().await;
    let endpoint = gazetteer::demo::Endpoint::start(world(&[odd]))
        .await
        .unwrap();

    let first = catalog.ingest(&endpoint).await;
    let second = catalog.ingest(&endpoint).await;

    assert_eq!(first.state, RunState::Partial);
    assert_eq!(second.counts.assets.unchanged, 1);
    assert_eq!(catalog.history(&["d", "odd"]).await.len(), 1);
}
