//! Catalogs inside an account's own, as a bucket of S3 Tables is: told apart, restricted, and named as queries name them.

use gazetteer::auth::Role;
use gazetteer::catalog::AssetId;
use gazetteer::demo::{Endpoint, World};
use gazetteer::sources::glue::Settings;
use reqwest::StatusCode;
use serde_json::json;

use crate::glue_faults::{read, settings};
use crate::glue_server::{GlueServer, Reply};
use crate::support::app::{Browser, TestApp, texts};

const METRICS: &str = "111122223333:s3tablescatalog/metrics";
const FINANCE: &str = "111122223333:s3tablescatalog/finance";

/// A bucket with one database, `daily`, of one table.
async fn bucket(catalog_id: &str) -> Endpoint {
    let mut world = World::new();
    world.set_database(&json!({"Name": "daily", "CatalogId": catalog_id}));
    let table = json!({
        "Name": "readings \"new\"",
        "CatalogId": catalog_id,
        "TableType": "customer",
        "Description": format!("Readings of {catalog_id}"),
        "Parameters": {"table_type": "ICEBERG", "format": "parquet"},
        "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}]},
    });
    world.set_table("daily", &table);
    Endpoint::start(world).await.unwrap()
}

/// A catalog into which two buckets of one account were read.
async fn two_buckets() -> (TestApp, [AssetId; 2]) {
    let app = TestApp::start().await;
    let mut databases = Vec::new();
    for (recipe, catalog_id) in [("metrics", METRICS), ("finance", FINANCE)] {
        let endpoint = bucket(catalog_id).await;
        let config = format!(
            "{{aws_region: eu-central-1, catalog_id: '{catalog_id}', aws_endpoint_url: '{}', \
             aws_access_key_id: a, aws_secret_access_key: b}}",
            endpoint.url()
        );
        app.write_recipe(recipe, &format!("source: {{type: glue, config: {config}}}"));
        app.run(recipe).await;
        endpoint.stop().await;
        databases.push(table_in(app.admin(), catalog_id).await);
    }
    app.until_indexed().await;
    (app, [databases[0], databases[1]])
}

/// The table of the database in this catalog.
async fn table_in(who: &Browser, catalog_id: &str) -> AssetId {
    let listed = who.json("/api/v1/assets").await;
    let mut databases = listed["items"].as_array().unwrap().iter();
    let found = databases.find(|asset| asset["instance"].as_str().unwrap().starts_with(catalog_id));
    let id = found.unwrap()["id"].as_str().unwrap();
    let inside = who.json(&format!("/api/v1/assets?parent={id}")).await;
    AssetId(inside["items"][0]["id"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_bucket_is_a_catalog_of_its_own_in_queries_and_links() {
    let (app, [metrics, finance]) = two_buckets().await;

    let page = app.page(&format!("/assets/{metrics}")).await;
    let other = app.page(&format!("/assets/{finance}")).await;

    let copied = |page: &scraper::Html| {
        let button = scraper::Selector::parse("[data-copy^=SELECT]").unwrap();
        let copied = page.select(&button).next().unwrap().attr("data-copy");
        copied.unwrap().to_owned()
    };
    assert_eq!(
        copied(&page),
        "SELECT \"id\"\nFROM \"s3tablescatalog/metrics\".\"daily\".\"readings \"\"new\"\"\"\nLIMIT 100"
    );
    assert!(copied(&other).contains("\"s3tablescatalog/finance\".\"daily\""));
    let links = scraper::Selector::parse("a[href*='console.aws.amazon.com']").unwrap();
    let links: Vec<_> = page
        .select(&links)
        .filter_map(|link| link.attr("href"))
        .collect();
    assert!(
        links
            .iter()
            .any(|link| link.contains("catalogId=111122223333%3As3tablescatalog%2Fmetrics")),
        "{links:?}"
    );
    assert!(
        links
            .iter()
            .any(|link| link.contains("catalog=s3tablescatalog%2Fmetrics&database=daily")),
        "{links:?}"
    );
    let found = app
        .json("/api/v1/search?q=%22s3tablescatalog%2Fmetrics%22.%22daily%22.readings")
        .await;
    assert_eq!(found["hits"][0]["id"], metrics.to_string(), "{found}");
}

#[tokio::test]
async fn one_bucket_is_restricted_and_looked_after_without_the_other() {
    let (app, [metrics, finance]) = two_buckets().await;
    let reader = app.person("rea", Role::Reader, &[]).await;
    let steward = app.person("stu", Role::Reader, &[]).await;
    let people = app.page("/people").await;
    let link = scraper::Selector::parse("a[href^='/people/']").unwrap();
    let stu = people
        .select(&link)
        .find(|link| link.text().collect::<String>().contains("stu"));
    let stu = stu.unwrap().attr("href").unwrap();

    let form = [("do", "restrict")];
    let restriction =
        "/browse/glue/111122223333%3As3tablescatalog%2Fmetrics%2Feu-central-1/restriction";
    let restricted = app.admin().post(restriction, &form).await;
    let scopes = format!("glue:{FINANCE}/eu-central-1/daily");
    let form = [("role", "steward-of"), ("scopes", scopes.as_str())];
    let given = app.admin().post(&format!("{stu}/role"), &form).await;

    assert_eq!(
        restricted.status,
        StatusCode::SEE_OTHER,
        "{}",
        restricted.text
    );
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text);
    let status = async |who: &Browser, path: String| who.get(&path).await.status;
    assert_eq!(
        status(&reader, format!("/assets/{metrics}")).await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        status(&reader, format!("/assets/{finance}")).await,
        StatusCode::OK
    );
    let found = reader.json("/api/v1/search?q=readings").await;
    assert_eq!(found["total"], 1);
    let edit = |table: AssetId| format!("/assets/{table}/edit/description");
    assert_eq!(status(&steward, edit(finance)).await, StatusCode::OK);
    assert_eq!(status(&steward, edit(metrics)).await, StatusCode::NOT_FOUND);
    let rows = reader.page("/browse").await;
    assert!(!texts(&rows, "main").join(" ").contains("metrics"));
}

#[tokio::test]
async fn a_missing_permission_names_the_resource_in_its_partition_and_catalog() {
    for (region, catalog_id, resource) in [
        (
            "eu-central-1",
            METRICS,
            "arn:aws:glue:eu-central-1:111122223333:database/s3tablescatalog/metrics/daily",
        ),
        (
            "us-gov-west-1",
            METRICS,
            "arn:aws-us-gov:glue:us-gov-west-1:111122223333:database/s3tablescatalog/metrics/daily",
        ),
        (
            "cn-north-1",
            "111122223333",
            "arn:aws-cn:glue:cn-north-1:111122223333:database/daily",
        ),
    ] {
        let databases = vec![json!({"Name": "daily", "CatalogId": catalog_id})];
        let server = GlueServer::scripted(databases, Vec::new(), move |call| {
            assert_eq!(call.body["CatalogId"], catalog_id);
            let denied = Reply::Error(400, "AccessDeniedException", "No.");
            call.is_tables_of("daily").then_some(denied)
        });

        let told = read(Settings {
            region: Some(region.to_owned()),
            catalog_id: Some(catalog_id.to_owned()),
            ..settings(&server)
        })
        .await
        .0;

        let reason = told.reason("daily");
        let expected = format!("allow glue:GetTables on {resource}.");
        assert!(reason.contains(&expected), "{reason}");
    }
}
