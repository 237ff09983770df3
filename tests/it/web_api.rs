//! The JSON API, asked as a program would.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use gazetteer::catalog::{AssetKind, OutwardLink};
use gazetteer::demo::World;
use gazetteer::web::routes;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{TestApp, asset, table, texts};

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|named| named["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_asset_tells_both_layers_apart() {
    let app = TestApp::start().await;
    let mut orders = table(
        &["sales", "orders"],
        &[("id", "bigint"), ("at", "timestamp")],
    );
    orders.source.description = Some("One row per order.".to_owned());
    orders.facts.rows = Some(12);
    orders.facts.links = vec![OutwardLink {
        label: "Athena".to_owned(),
        url: "https://console.example/athena".to_owned(),
    }];
    let database = app.add("sales", vec![orders]).await;
    let id = app.id_of(&["sales", "orders"]).await;

    let shape = app.json(&format!("/api/v1/assets/{id}")).await;
    assert_eq!(shape["id"], id.to_string());
    assert_eq!(shape["kind"], "table");
    assert_eq!(shape["path"], json!(["sales", "orders"]));
    assert_eq!(shape["url"], format!("/assets/{id}"));
    assert_eq!(shape["parent"], database.to_string());
    assert_eq!(shape["gone_at"], Value::Null);
    assert_eq!(shape["source"]["description"], "One row per order.");
    assert_eq!(shape["source"]["columns"][0]["type"], "bigint");
    assert_eq!(shape["human"]["description"]["text"], "");
    assert_eq!(shape["facts"]["rows"], 12);
    assert_eq!(shape["links"][0]["label"], "Athena");

    let history = app.json(&format!("/api/v1/assets/{id}/history")).await;
    assert_eq!(history["items"][0]["action"], "created");
    assert_eq!(
        history["items"][0]["actor"],
        json!({"kind": "recipe", "name": "test"})
    );
    assert_eq!(history["next"], Value::Null);
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let app = TestApp::start().await;
    let tables = (0..5).map(|n| table(&["sales", &format!("t{n}")], &[]));
    let database = app.add("sales", tables.collect()).await;
    let first = app
        .json(&format!("/api/v1/assets?parent={database}&limit=3"))
        .await;
    assert_eq!(names(&first), ["t0", "t1", "t2"]);
    let next = first["next"].as_str().unwrap();
    let second = app
        .json(&format!(
            "/api/v1/assets?parent={database}&limit=3&after={next}"
        ))
        .await;
    assert_eq!(names(&second), ["t3", "t4"]);
    assert_eq!(second["next"], Value::Null);

    let databases = app.json("/api/v1/databases").await;
    assert_eq!(names(&databases), ["sales"]);
    assert_eq!(databases["items"][0]["tables"], 5);
    assert_eq!(names(&app.json("/api/v1/assets").await), ["sales"]);
}

#[tokio::test]
async fn odd_parameters_are_refused_by_name() {
    let app = TestApp::start().await;
    let database = app.add("sales", Vec::new()).await;
    let after = format!("/api/v1/assets?parent={database}&after=nonsense");
    let odd = [
        (
            "/api/v1/search?limit=abc",
            "limit",
            "“limit” is a whole number from 1 to 100.",
        ),
        (
            "/api/v1/search?limit=101",
            "limit",
            "“limit” is a whole number from 1 to 100.",
        ),
        (
            "/api/v1/search?offset=-1",
            "offset",
            "“offset” is a whole number from 0 to 9999.",
        ),
        (
            "/api/v1/search?kind=tabel",
            "kind",
            "There is no kind of asset named “tabel”.",
        ),
        (
            "/api/v1/search?gone=perhaps",
            "gone",
            "“gone” is either true or false.",
        ),
        (
            "/api/v1/assets?parent=x",
            "parent",
            "“parent” is an id such as 01980a5e-7c1b-7def-8a90-1b2c3d4e5f60.",
        ),
        (
            "/api/v1/runs?limit=0",
            "limit",
            "“limit” is a whole number from 1 to 100.",
        ),
    ];
    for (path, parameter, detail) in odd {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let problem = answer.json();
        assert_eq!(problem["parameter"], parameter, "{path}");
        assert_eq!(problem["detail"], detail, "{path}");
    }
    let answer = app.get(&after).await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        answer.text
    );
    assert_eq!(app.get("/api/v1/search?offset=9990").await.status, 422);
    assert_eq!(app.get("/api/v1/assets/not-an-id").await.status, 404);
    let unknown = "/api/v1/assets?parent=01980a5e-7c1b-7def-8a90-1b2c3d4e5f60";
    assert_eq!(app.get(unknown).await.status, 404);
}

#[tokio::test]
async fn hostile_names_are_just_names() {
    let app = TestApp::start().await;
    let hostile = "<script>alert('\"x\"')</script>/../%2F\u{202e}{{html}}";
    let view = asset(AssetKind::View, &[hostile, hostile]);
    app.add(hostile, vec![view]).await;
    let id = app.id_of(&[hostile, hostile]).await;
    let shape = app.json(&format!("/api/v1/assets/{id}")).await;
    assert_eq!(shape["name"], hostile);
    let page = app.get(&format!("/assets/{id}")).await;
    assert!(!page.text.contains("<script>alert"));
}

#[tokio::test]
async fn a_search_tells_what_was_found_and_why() {
    let app = TestApp::reading(world()).await;
    let found = app.json("/api/v1/search?q=customer_id&kind=table").await;
    assert_eq!(found["total"], 1, "{found}");
    let hit = &found["hits"][0];
    assert_eq!(hit["name"], "orders");
    assert_eq!(hit["path"], json!(["sales", "orders"]));
    assert_eq!(
        hit["url"],
        format!("/assets/{}", hit["id"].as_str().unwrap())
    );
    assert_eq!(hit["matched"][0]["field"], "column");
    assert!(found["took_ms"].is_number());
    assert_eq!(
        found["facets"]["kind"][0],
        json!({"value": "table", "count": 1})
    );

    let page = app.page("/search?q=customer_id").await;
    let address = hit["url"].as_str().unwrap();
    assert!(page.html().contains(address));
    app.page(address).await;
    for path in ["/", "/browse", "/ingestion", "/ingestion/recipes/world"] {
        let page = app.page(path).await;
        assert_eq!(texts(&page, "h1").len(), 1, "{path}");
    }
}

/// One table, `sales.orders`.
fn world() -> World {
    let columns = json!([{"Name": "customer_id", "Type": "bigint"}]);
    let mut world = World::new();
    world.set_table(
        "sales",
        &json!({"Name": "orders", "StorageDescriptor": {"Columns": columns}}),
    );
    world
}

#[tokio::test]
async fn a_run_is_started_and_followed_to_its_end() {
    let app = TestApp::beside(world()).await;
    let started = app.post("/api/v1/recipes/world/runs").await;
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.text);
    let address = started.header("location");
    assert_eq!(started.json()["url"], address);
    app.until_ended(started.json()["id"].as_str().unwrap().parse().unwrap())
        .await;

    let run = app.json(address).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["started_by"], "api");
    assert_eq!(run["actor"], json!({"kind": "account", "name": "admin"}));
    assert_eq!(run["counts"]["new"], 1);
    assert_eq!(run["databases"][0]["name"], "sales");
    assert_eq!(run["databases"][0]["complete"], true);
    assert_eq!(run["more_databases"], Value::Null);
    let runs = app.json("/api/v1/runs?recipe=world").await;
    assert_eq!(runs["items"][0]["id"], run["id"]);
    assert_eq!(
        app.json("/api/v1/runs?recipe=other").await["items"],
        json!([])
    );
}

#[tokio::test]
async fn recipes_come_with_their_schedules_and_problems() {
    let good = "source: {type: glue, config: {aws_region: eu-central-1}}\nschedule: {cron: \"0 6 * * *\", timezone: Europe/Berlin}\n";
    let app = TestApp::start().await;
    app.write_recipe("good", good);
    app.write_recipe("odd one", "source: {type: glu}\n");
    let recipes = app.json("/api/v1/recipes").await;
    assert_eq!(names(&recipes), ["good", "odd one"]);
    let [good, odd] = [&recipes["items"][0], &recipes["items"][1]];
    assert_eq!(good["schedule"]["timezone"], "Europe/Berlin");
    assert_eq!(good["schedule"]["next"].as_array().unwrap().len(), 3);
    assert_eq!(good["problems"], json!([]));
    assert!(!odd["problems"].as_array().unwrap().is_empty());
    assert_eq!(odd["url"], "/ingestion/recipes/odd%20one");

    let refused = app.post("/api/v1/recipes/odd%20one/runs").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = app.post("/api/v1/recipes/none/runs").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["detail"], "There is no recipe named “none”.");
}

#[tokio::test]
async fn the_description_has_every_address() {
    let app = TestApp::start().await;
    let description = app.json("/api/openapi.json").await;
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let described = description["paths"].as_object().unwrap();
    for site in routes::all() {
        if site.pattern.starts_with("/api/v1/") {
            let method = site.method.as_str().to_lowercase();
            assert!(
                described[site.pattern][&method].is_object(),
                "{}",
                site.pattern
            );
        }
    }
}

#[tokio::test]
async fn the_description_of_the_api_changes_only_on_purpose() {
    let app = TestApp::start().await;

    let description = app.json("/api/openapi.json").await;

    let text = serde_json::to_string_pretty(&description).unwrap();
    let named = text.split("#/components/").skip(1);
    for path in named.filter_map(|rest| rest.split('"').next()) {
        let target = format!("/components/{path}");
        assert!(
            description.pointer(&target).is_some(),
            "{target} is not there"
        );
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("openapi", text);
    });
}
