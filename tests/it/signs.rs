//! The signs by which people judge an asset, wherever assets are listed, and what the last run could not read of it.

use chrono::{Days, Utc};
use gazetteer::auth::{Actor, Role, Scope, scopes};
use gazetteer::catalog::{self, AssetId, AssetKind, Cause, Removal};
use gazetteer::demo::World;
use reqwest::{Method, StatusCode};
use scraper::Selector;
use serde_json::{Value, json};

use crate::support::app::{Answer, INSTANCE, TestApp, asset, table, texts};

async fn say(app: &TestApp, id: AssetId, aspect: &str, said: Value) {
    let path = format!("/api/v1/assets/{id}/{aspect}");
    let answer = Answer::of(app.request(Method::PUT, &path).json(&said)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

/// A shop with orders that somebody vouches for, and older ones that they replace, in a database of its own.
async fn shop() -> (TestApp, AssetId, AssetId) {
    let app = TestApp::start().await;
    let mut orders = table(&["shop", "orders"], &[("id", "int"), ("day", "date")]);
    orders.facts.rows = Some(1_234);
    orders.source.owner = Some("shop-data".to_owned());
    let old = app
        .add(
            "attic",
            vec![table(&["attic", "orders_2023"], &[("id", "int")])],
        )
        .await;
    let shop = app.add("shop", vec![orders]).await;
    let orders = app.id_of(&["shop", "orders"]).await;
    let before = app.id_of(&["attic", "orders_2023"]).await;
    let until = Utc::now().date_naive() + Days::new(180);
    let until = json!({"until": until, "version": 0});
    say(&app, orders, "verification", until).await;
    let replaced =
        json!({"since": "2026-11-01", "note": "", "replacement": orders.to_string(), "version": 0});
    say(&app, before, "deprecation", replaced).await;
    app.until_indexed().await;
    (app, shop, old)
}

#[tokio::test]
async fn lists_show_the_same_signs_of_an_asset_everywhere() {
    let (app, shop, attic) = shop().await;

    for (path, line) in [
        ("/search?q=orders".to_owned(), ".hit"),
        ("/search/suggest?q=orders".to_owned(), "[role=option]"),
        ("/palette?q=orders".to_owned(), "[role=option]"),
        (format!("/assets/{shop}"), "#inside-rows > li"),
        (format!("/assets/{attic}"), "#inside-rows > li"),
    ] {
        let page = app.page(&path).await;
        for said in texts(&page, line) {
            if said.contains("orders_2023") {
                assert!(said.contains("Deprecated, use orders"), "{path}: {said}");
                assert!(said.contains("1 column"), "{path}: {said}");
            } else if said.contains("orders") && !said.contains("result") {
                for sign in ["Verified", "shop-data", "1,234 rows", "2 columns"] {
                    assert!(said.contains(sign), "{path}: {said}");
                }
                assert!(!said.contains("Deprecated"), "{path}: {said}");
            }
        }
        assert!(!texts(&page, "[data-sign]").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn lists_of_changes_show_signs_too() {
    let (app, ..) = shop().await;
    let changes = app.page("/changes").await;
    let batches: Vec<String> = changes
        .select(&Selector::parse(".change-count").unwrap())
        .filter_map(|count| count.attr("href"))
        .map(str::to_owned)
        .collect();
    assert!(!batches.is_empty());
    let mut lines = texts(&changes, ".change-lines .one");
    lines.extend(texts(&app.page("/").await, ".change-lines .one"));
    for batch in &batches {
        lines.extend(texts(&app.page(batch).await, "#changes-list > li"));
    }

    let deprecated = lines.iter().filter(|line| line.contains("orders_2023"));
    assert!(deprecated.clone().count() >= 3, "{lines:?}");
    for line in deprecated {
        assert!(line.contains("Deprecated, use orders"), "{line}");
    }
    let verified = lines.iter().filter(|line| line.contains("Verified"));
    assert!(verified.count() >= 3, "{lines:?}");
}

#[tokio::test]
async fn a_hidden_replacement_is_no_sign() {
    let (app, shop, _) = shop().await;
    let reader = app.person("olga", Role::Reader, &[]).await;
    let db = &app.app.db;
    let scope = Scope::Database {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        database: shop.0,
    };
    scopes::restrict(
        db,
        &Actor::operator(),
        &scope,
        &scopes::Admitted::new(),
        Utc::now(),
    )
    .await
    .unwrap();

    let hits = texts(&reader.page("/search?q=orders").await, ".hit");

    assert_eq!(hits.len(), 1, "{hits:?}");
    assert!(hits[0].contains("Deprecated"), "{hits:?}");
    assert!(!hits[0].contains("use orders"), "{hits:?}");
}

#[tokio::test]
async fn the_source_stands_in_lists_only_when_there_are_several() {
    let (app, ..) = shop().await;
    let one = texts(&app.page("/search?q=orders").await, ".hit .place");

    let mut elsewhere = asset(AssetKind::Database, &["shop"]);
    elsewhere.address.instance = "999/eu-west-1".to_owned();
    let cause = Cause {
        actor: Actor::recipe("test"),
        run: None,
    };
    catalog::open(&app.app.db, &cause, vec![elsewhere], Utc::now())
        .await
        .unwrap();
    let two = texts(&app.page("/search?q=orders").await, ".hit .place");

    assert_eq!(one, ["shop", "attic"]);
    assert!(two[0].starts_with("shop · AWS Glue "), "{two:?}");
}

#[tokio::test]
async fn what_the_last_run_could_not_read_stands_on_its_page() {
    let mut world = World::new();
    let text = "/* Presto View: dGhpcyBpcyBubyBKU09O */";
    world.set_table("shop", &json!({"Name": "orders"}));
    world.set_table("shop", &json!({"Name": "v_broken", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": text, "Parameters": {"presto_view": "true"}}));
    world.set_table("people", &json!({"Name": "salaries"}));
    world.set_unreadable("people", true);
    let app = TestApp::reading(world).await;

    let hits = app.page("/search?q=v_broken").await;
    let page = |name: &'static str| {
        let app = &app;
        async move {
            let found = app.json(&format!("/api/v1/search?q=name:{name}")).await;
            let url = found["hits"][0]["url"].as_str().unwrap().to_owned();
            app.page(&url).await
        }
    };
    let (broken, orders, people) = (
        page("v_broken").await,
        page("orders").await,
        page("people").await,
    );

    assert_eq!(
        texts(&hits, "[data-sign=problem]"),
        ["Problem in the last run: see why"]
    );
    let problem = &texts(&broken, "#problems")[0];
    assert!(problem.contains("Not read in full"), "{problem}");
    assert!(
        problem.contains("Repair its definition in the source."),
        "{problem}"
    );
    assert!(texts(&orders, "#problems").is_empty());
    let problem = &texts(&people, "#problems")[0];
    assert!(problem.contains("glue:GetTables"), "{problem}");
    assert!(
        texts(&people, "#incomplete").is_empty(),
        "the same is told twice"
    );
}

#[tokio::test]
async fn what_was_removed_is_offered_when_nothing_else_is_found() {
    let (app, ..) = shop().await;
    let cause = Cause {
        actor: Actor::recipe("test"),
        run: None,
    };
    let (db, now) = (&app.app.db, Utc::now());
    let attic = vec![asset(AssetKind::Database, &["attic"])];
    let opened = catalog::open(db, &cause, attic, now).await.unwrap();
    let everything = Removal {
        allows: &|_, _| true,
        covers: &|_| true,
    };
    catalog::close(db, &cause, opened, &everything, now)
        .await
        .unwrap();
    app.until_indexed().await;

    let none = app.page("/search?q=%22orders+2023%22").await;
    let some = app.page("/search?q=orders").await;
    let shown = app.page("/search?q=%22orders+2023%22&gone=1").await;

    assert_eq!(
        texts(&none, ".empty p")[0],
        "1 removed table or view matches."
    );
    assert_eq!(texts(&none, ".empty a"), ["Show removed"]);
    assert_eq!(texts(&some, "label[for=with-gone] .count"), ["1"]);
    assert_eq!(texts(&shown, ".hit").len(), 1);
}

#[tokio::test]
async fn a_database_is_sorted_by_name_rows_or_what_changed_last() {
    let app = TestApp::start().await;
    let counted = |name: &str, rows: Option<i64>, updated: Option<&str>| {
        let mut table = table(&["shop", name], &[("id", "int")]);
        table.facts.rows = rows;
        table.facts.updated_at = updated.map(|day| format!("{day}T10:00:00Z").parse().unwrap());
        table
    };
    let tables = vec![
        counted("a", Some(9), Some("2026-01-01")),
        counted("b", None, Some("2026-03-01")),
        counted("c", Some(1_000), None),
        counted("d", Some(9), Some("2026-02-01")),
    ];
    let shop = app.add("shop", tables).await;

    for (sort, expected) in [
        ("name", ["a", "b", "c", "d"]),
        ("rows", ["c", "a", "d", "b"]),
        ("changed", ["b", "d", "a", "c"]),
    ] {
        let whole = app.page(&format!("/assets/{shop}?sort={sort}")).await;
        assert_eq!(texts(&whole, "#inside-rows .name"), expected, "{sort}");
        let mut listed = Vec::new();
        let mut after = String::new();
        for _ in 0..expected.len() {
            let path = format!("/api/v1/assets?parent={shop}&sort={sort}&limit=1{after}");
            let page = app.json(&path).await;
            listed.push(page["items"][0]["name"].as_str().unwrap().to_owned());
            after = format!("&after={}", page["next"].as_str().unwrap_or_default());
        }
        assert_eq!(listed, expected, "{sort}");
        assert_eq!(after, "&after=");
    }
    let refused = app.get(&format!("/assets/{shop}?sort=size")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("not by “size”"), "{}", refused.text);
}

#[tokio::test]
async fn a_long_database_is_grouped_by_how_its_names_begin() {
    let app = TestApp::start().await;
    let names = (0..60).map(|at| format!("raw_orders_{at}"));
    let names = names.chain((0..40).map(|at| format!("RAW_items_{at}")));
    let names = names.chain((0..20).map(|at| format!("fct_{at}")));
    let names: Vec<String> = names
        .chain(["a_b".to_owned(), "plain".to_owned()])
        .collect();
    let tables = names.iter();
    let tables = tables.map(|name| table(&["shop", name], &[("id", "int")]));
    let shop = app.add("shop", tables.collect()).await;
    let short = app
        .add("short", vec![table(&["short", "raw_a"], &[("id", "int")])])
        .await;
    let groups = |page: &_| texts(page, "#name-groups li");

    let whole = app.page(&format!("/assets/{shop}")).await;
    let raw = app.page(&format!("/assets/{shop}?begins=raw_")).await;
    let orders = app
        .json(&format!(
            "/api/v1/assets?parent={shop}&begins=RAW_orders_&limit=100"
        ))
        .await;

    assert_eq!(groups(&whole), ["raw_… 100", "fct_… 20"]);
    assert_eq!(
        groups(&raw),
        [
            "Begins with raw_ ×, remove",
            "raw_orders_… 60",
            "raw_items_… 40"
        ]
    );
    assert_eq!(texts(&raw, "#inside-rows > li").len(), 100);
    assert_eq!(orders["items"].as_array().unwrap().len(), 60);
    assert!(groups(&app.page(&format!("/assets/{short}")).await).is_empty());
    let nothing = app.page(&format!("/assets/{shop}?begins=%25")).await;
    assert!(texts(&nothing, "#inside-rows > li").is_empty());
}

#[tokio::test]
async fn hits_of_the_api_carry_the_signs_too() {
    let (app, shop, _) = shop().await;

    let found = app.json("/api/v1/search?q=orders").await;
    let orders = &found["hits"][0];
    let before = &found["hits"][1];

    assert_eq!(orders["name"], "orders");
    assert_eq!(orders["owners"], json!(["shop-data"]));
    assert_eq!(orders["rows"], 1_234);
    assert!(orders["verified_until"].is_string(), "{orders}");
    assert_eq!(orders["deprecated_since"], Value::Null);
    assert_eq!(before["deprecated_since"], "2026-11-01");
    assert_eq!(before["replacement"]["path"], json!(["shop", "orders"]));
    assert_eq!(before["verified_until"], Value::Null);

    let reader = app.person("olga", Role::Reader, &[]).await;
    let scope = Scope::Database {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        database: shop.0,
    };
    let (db, nobody) = (&app.app.db, scopes::Admitted::new());
    scopes::restrict(db, &Actor::operator(), &scope, &nobody, Utc::now())
        .await
        .unwrap();
    let answer = Answer::of(reader.request(Method::GET, "/api/v1/search?q=orders")).await;
    let found: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(found["hits"][0]["replacement"], Value::Null);
}
