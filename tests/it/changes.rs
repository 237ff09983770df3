//! What changed: the page, its lists, the sentence of the week, the API and the feed.

use gazetteer::auth::{Role, Visibility};
use gazetteer::catalog::groups::{self, GroupFilter};
use gazetteer::catalog::{AssetId, Batch};
use gazetteer::db::PageRequest;
use gazetteer::demo::{Endpoint, World};
use gazetteer::ingest::Run;
use reqwest::Method;
use scraper::{Html, Selector};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::app::{TestApp, texts};

/// So many tables come in the second run.
const NEW: usize = 60;

fn columns(columns: &[(&str, &str)]) -> Value {
    let columns = columns.iter();
    columns
        .map(|(name, data_type)| json!({"Name": name, "Type": data_type}))
        .collect()
}

fn table(name: &str, inside: &[(&str, &str)]) -> Value {
    json!({"Name": name, "StorageDescriptor": {"Columns": columns(inside)}})
}

fn view(name: &str, sql: &str) -> Value {
    let columns = columns(&[("id", "bigint")]);
    json!({
        "Name": name, "TableType": "VIRTUAL_VIEW", "ViewOriginalText": sql, "ViewExpandedText": sql,
        "StorageDescriptor": {"Columns": columns},
    })
}

/// A catalog after two runs: one removed table, two dropped columns, one other type, another view, many new tables.
struct Story {
    app: TestApp,
    _glue: Endpoint,
    run: Run,
}

impl Story {
    async fn tell() -> Self {
        let mut world = World::new();
        for database in ["shop", "raw"] {
            world.set_database(&json!({"Name": database, "CatalogId": "123456789012"}));
        }
        for nth in 0..10 {
            world.set_table("shop", &table(&format!("kept_{nth}"), &[("id", "bigint")]));
        }
        world.set_table("shop", &table("wishlists", &[("id", "bigint")]));
        let customer = [
            ("id", "bigint"),
            ("fax", "string"),
            ("pager", "string"),
            ("age", "int"),
            ("place", "struct<city:string,zip:string>"),
        ];
        world.set_table("shop", &table("customer", &customer));
        world.set_table("shop", &view("v_orders", "SELECT id FROM orders"));
        let glue = Endpoint::start(world).await.unwrap();
        let app = TestApp::start().await;
        let recipe = format!(
            "source:\n  type: glue\n  config:\n    aws_region: eu-central-1\n    aws_access_key_id: test\n    \
             aws_secret_access_key: test\n    aws_endpoint_url: {}\n",
            glue.url()
        );
        app.write_recipe("world", &recipe);
        app.run("world").await;
        glue.remove_table("shop", "wishlists");
        let customer = [
            ("id", "bigint"),
            ("age", "bigint"),
            ("place", "struct<city:string,zip:int>"),
        ];
        glue.add_table("shop", &table("customer", &customer));
        glue.add_table("shop", &view("v_orders", "SELECT id FROM paid_orders"));
        for nth in 0..NEW {
            glue.add_table("raw", &table(&format!("raw_{nth:02}"), &[("id", "bigint")]));
        }
        let run = app.run("world").await;
        app.until_indexed().await;
        Self {
            app,
            _glue: glue,
            run,
        }
    }
}

fn hrefs(html: &Html, selector: &str) -> Vec<(String, String)> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector)
        .map(|link| {
            let words: Vec<&str> = link.text().flat_map(str::split_whitespace).collect();
            let href = link.value().attr("href").unwrap();
            (words.join(" "), href.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_page_tells_dangerous_changes_first_and_each_count_leads_to_its_list() {
    let story = Story::tell().await;

    let page = story.app.page("/changes").await;

    let lines = hrefs(&page, ".batch:first-child .change-lines a.change-count");
    let words: Vec<&str> = lines.iter().map(|(words, _)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            "1 table removed",
            "2 columns dropped",
            "2 types changed",
            "2 definitions changed",
            "60 new tables"
        ]
    );
    let told = texts(&page, ".batch:first-child .change-lines > li");
    assert!(told[0].contains("wishlists"), "{told:?}");
    assert!(
        told[1].contains("Column “fax” was dropped (string)."),
        "{told:?}"
    );
    // One line, whatever the number.
    assert!(told[4].contains("57 more"), "{told:?}");
    for ((_, href), rows) in lines.iter().zip([1, 1, 1, 2, 50]) {
        let list = story.app.page(href).await;
        assert_eq!(texts(&list, "#changes-list > li").len(), rows, "{href}");
    }
    let navigation = texts(&page, ".bar-nav a[aria-current]");
    assert_eq!(navigation, ["Changes"]);
}

#[tokio::test]
async fn filters_leave_the_kind_database_and_time_that_somebody_wants() {
    let story = Story::tell().await;
    let shop = story.app.id_of_glue("shop").await;

    let removed = story.app.page("/changes?kind=removed").await;
    let of_shop = story.app.page(&format!("/changes?database={shop}")).await;
    let by_name = story.app.page("/changes?database=shop").await;

    let lines = texts(&removed, ".change-lines a.change-count");
    assert_eq!(lines, ["1 table removed"]);
    assert!(
        texts(&of_shop, ".change-lines a.change-count").contains(&"2 columns dropped".to_owned())
    );
    assert!(!texts(&of_shop, ".change-lines a.change-count").contains(&"60 new tables".to_owned()));
    assert_eq!(
        texts(&by_name, ".change-lines"),
        texts(&of_shop, ".change-lines")
    );
    let field = Selector::parse("#database").unwrap();
    let field = of_shop.select(&field).next().unwrap();
    assert_eq!(field.attr("value"), Some("shop"));
    for odd in ["kind=gone", "days=-1", "database=sh", "after=x"] {
        let refused = story.app.get(&format!("/changes?{odd}")).await;
        assert_eq!(refused.status, 422, "{odd}");
    }
    let nothing = "/changes/01980a5e-7c1b-7def-8a90-1b2c3d4e5f60";
    assert_eq!(story.app.get(nothing).await.status, 404);
}

#[tokio::test]
async fn every_count_of_a_run_leads_to_as_many_changes_and_the_list_begins_with_danger() {
    let story = Story::tell().await;
    let page = story
        .app
        .page(&format!("/ingestion/runs/{}", story.run.id))
        .await;

    let counts = hrefs(&page, ".tally dd a");
    let words: Vec<&str> = counts.iter().map(|(words, _)| words.as_str()).collect();
    assert_eq!(words, ["2 Databases", "1 Removed", "2 Changed", "60 New"]);
    for ((_, href), rows) in counts.iter().skip(1).zip([1, 2, 50]) {
        let list = story.app.page(href).await;
        assert_eq!(texts(&list, "#changes-list > li").len(), rows, "{href}");
    }
    let first = &texts(&page, "#changes-list > li .name")[..2];
    assert_eq!(first, ["wishlists", "customer"]);
}

#[tokio::test]
async fn the_start_page_says_what_this_week_changed() {
    let story = Story::tell().await;

    let home = story.app.page("/").await;

    let week = texts(&home, "#week");
    assert!(
        week[0].starts_with("This week: 1 table removed, 2 columns dropped, 2 types changed"),
        "{week:?}"
    );
    for (words, href) in hrefs(&home, "#week a") {
        let list = story.app.page(&href).await;
        assert!(
            !texts(&list, ".change-group").is_empty(),
            "{words} leads to {href}"
        );
    }
}

#[tokio::test]
async fn the_other_sql_is_shown_and_a_nested_type_is_told_by_its_field_alone() {
    let story = Story::tell().await;
    let found = story.app.json("/api/v1/search?q=v_orders").await;
    let id = found["hits"][0]["id"].as_str().unwrap();
    let page = story.app.page(&format!("/assets/{id}")).await;

    assert_eq!(texts(&page, "#history-list ins"), ["paid_orders"]);
    assert_eq!(texts(&page, "#history-list del"), ["orders"]);
    let both = story.app.page(&format!("/assets/{id}/history/2")).await;
    assert_eq!(texts(&both, "#before"), ["SELECT id FROM orders"]);
    assert_eq!(texts(&both, "#after"), ["SELECT id FROM paid_orders"]);

    let found = story.app.json("/api/v1/search?q=customer").await;
    let id = found["hits"][0]["id"].as_str().unwrap();
    let history = story
        .app
        .json(&format!("/api/v1/assets/{id}/history"))
        .await;
    assert_eq!(
        history["items"][0]["sentences"],
        json!([
            "Column “fax” was dropped (string).",
            "Column “pager” was dropped (string).",
            "Column “age” changed its type from int to bigint.",
            "Column “place.zip” changed its type from string to int.",
        ])
    );
}

#[tokio::test]
async fn what_people_edit_is_a_line_of_its_day() {
    let story = Story::tell().await;
    let found = story.app.json("/api/v1/search?q=customer").await;
    let id = found["hits"][0]["id"].as_str().unwrap();
    let ana = story.app.person("ana", Role::Steward, &[]).await;
    let path = format!("/api/v1/assets/{id}/description");
    let body = json!({"text": "Everybody who buys.", "version": 0});
    let answer = ana.request(Method::PUT, &path).json(&body).send().await;
    assert_eq!(answer.unwrap().status(), 200);

    let page = story.app.page("/changes?kind=edited").await;

    let lines = hrefs(&page, ".change-lines a.change-count");
    assert_eq!(lines[0].0, "1 edit by people");
    let list = story.app.page(&lines[0].1).await;
    let told = texts(&list, "#changes-list > li");
    assert!(
        told[0].contains("customer") && told[0].contains("ana"),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_api_and_the_feed_tell_the_same() {
    let story = Story::tell().await;

    let groups = story.app.json("/api/v1/changes?limit=1").await;

    let shop = &groups["items"][0];
    assert_eq!(shop["database_name"], "shop");
    assert_eq!(shop["run"], json!(story.run.id));
    assert_eq!(shop["counts"]["removed"], 1);
    assert_eq!(shop["counts"]["dropped_columns"], 2);
    let next = groups["next"].as_str().unwrap();
    let second = story
        .app
        .json(&format!("/api/v1/changes?limit=1&after={next}"))
        .await;
    assert_eq!(second["items"][0]["counts"]["new"], NEW);

    let batch = shop["batch"].as_str().unwrap();
    let changes = story
        .app
        .json(&format!("/api/v1/changes/{batch}?limit=2"))
        .await;
    assert_eq!(changes["items"][0]["path"], json!(["shop", "wishlists"]));
    assert_eq!(changes["items"][0]["action"], "gone");

    let feed = story.app.get("/changes.atom").await;
    assert_eq!(
        feed.header("content-type"),
        "application/atom+xml; charset=utf-8"
    );
    let title = "<title>shop: 1 table removed, 2 columns dropped, 2 types changed, 2 definitions changed</title>";
    assert!(feed.text.contains(title), "{}", feed.text);
    assert!(feed.text.contains("href=\"http://"), "{}", feed.text);
    assert!(!feed.text.contains("href=\"/"), "{}", feed.text);
    let stranger = story.app.visitor().get("/changes.atom").await;
    assert_eq!(stranger.status, 401);
}

#[tokio::test]
async fn pages_of_groups_and_changes_tell_each_once() {
    let story = Story::tell().await;
    let mut seen = Vec::new();
    let mut path = format!("/api/v1/changes/{}?limit=7", story.run.id);
    loop {
        let page = story.app.json(&path).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["asset"].clone()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/changes/{}?limit=7&after={next}", story.run.id);
    }

    let all = seen.len();
    seen.sort_by_key(Value::to_string);
    seen.dedup();
    assert_eq!((seen.len(), all), (NEW + 3, NEW + 3));
}

#[tokio::test]
async fn the_migration_groups_what_older_versions_wrote() {
    let story = Story::tell().await;
    let found = story.app.json("/api/v1/search?q=customer").await;
    let id = found["hits"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/assets/{id}/description");
    let body = json!({"text": "Everybody who buys.", "version": 0});
    let answer = story.app.request(Method::PUT, &path).json(&body).send();
    assert_eq!(answer.await.unwrap().status(), 200);
    let db = &story.app.app.db;
    let all = async || {
        let page = PageRequest::first(100);
        let filter = GroupFilter::default();
        let groups = groups::list(db, &Visibility::Everything, &filter, &page).await;
        let of_run = Batch::Run(story.run.id);
        let changes =
            groups::list_in_batch(db, &Visibility::Everything, of_run, &filter, &page).await;
        (groups.unwrap(), changes.unwrap())
    };
    let before = all().await;

    for statement in [
        "DROP TABLE change_group",
        "DROP TABLE change_place",
        "DROP INDEX change_outside_runs",
        "CREATE INDEX change_of_run ON change (run_id)",
        "DELETE FROM seaql_migrations WHERE version LIKE '%_change_groups'",
    ] {
        db.execute_unprepared(statement).await.unwrap();
    }
    db.migrate().await.unwrap();

    assert!(before.0.items.len() > 4, "{before:?}");
    assert_eq!(all().await, before);
}

impl TestApp {
    /// The id of a database that the demo's endpoint has.
    async fn id_of_glue(&self, name: &str) -> AssetId {
        let databases = self.json("/api/v1/databases").await;
        let items = databases["items"].as_array().unwrap();
        let found = items
            .iter()
            .find(|database| database["name"] == name)
            .unwrap();
        AssetId(found["id"].as_str().unwrap().parse().unwrap())
    }
}
