//! The one editing machinery: compare and restore of every aspect, many drafts at once, and what names what.

use chrono::Utc;
use gazetteer::auth::{Actor, Permission, Place, Role};
use gazetteer::catalog::human::{Deprecation, Description};
use gazetteer::db::Subject;
use gazetteer::revisions::{self, Aspect, Draft, Target};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, Browser, TestApp, table, texts};
use crate::support::catalog::TestCatalog;

async fn world() -> (TestApp, Browser, String) {
    let app = TestApp::start().await;
    let tables = ["orders", "orders_old"].map(|name| table(&["sales", name], &[("id", "int")]));
    app.add("sales", tables.into()).await;
    let ana = app.person("ana", Role::Steward, &["Data crew"]).await;
    let id = app.id_of(&["sales", "orders"]).await.to_string();
    (app, ana, id)
}

async fn put(browser: &Browser, path: &str, body: Value) -> Answer {
    Answer::of(browser.request(Method::PUT, path).json(&body)).await
}

async fn restore(browser: &Browser, asset: &str, number: u64, body: Value) -> Answer {
    let path = format!("/api/v1/assets/{asset}/history/{number}/restore");
    Answer::of(browser.request(Method::POST, &path).json(&body)).await
}

/// Each aspect: where it is written, something to say, something else, and where the first is told.
async fn aspects(app: &TestApp) -> Vec<(&'static str, Value, Value)> {
    let old = app.id_of(&["sales", "orders_old"]).await.to_string();
    vec![
        (
            "description",
            json!({"text": "First."}),
            json!({"text": "Second."}),
        ),
        (
            "tags",
            json!({"tags": ["a", "b"]}),
            json!({"tags": ["b", "c"]}),
        ),
        (
            "links",
            json!({"links": [{"label": "Book", "url": "https://a.example/"}]}),
            json!({"links": []}),
        ),
        (
            "display_name",
            json!({"name": "Orders by day"}),
            json!({"name": "All orders"}),
        ),
        (
            "related",
            json!({"related": [{"kind": "joins_with", "target": old, "note": "on id", "name": "sales.orders_old"}]}),
            json!({"related": [{"kind": "replaces", "target": old, "note": "", "name": "sales.orders_old"}]}),
        ),
        (
            "verification",
            json!({"until": "2027-01-31"}),
            json!({"until": null}),
        ),
        (
            "deprecation",
            json!({"since": "2026-11-01", "note": "Old.", "replacement": old}),
            json!({"since": "2026-11-02", "note": "Older.", "replacement": null}),
        ),
        (
            "columns/id/description",
            json!({"text": "Counts."}),
            json!({"text": "Counts up."}),
        ),
    ]
}

fn with(mut content: Value, version: i64) -> Value {
    content["version"] = version.into();
    content
}

/// An aspect in all that the API tells of an asset.
async fn present(app: &TestApp, asset: &str, aspect: &str) -> Value {
    let human = app.json(&format!("/api/v1/assets/{asset}")).await["human"].clone();
    match aspect.split('/').nth(1) {
        Some(column) => human["columns"][column].clone(),
        None => human[aspect].clone(),
    }
}

fn says(present: &Value, content: &Value) -> bool {
    let mut keys = content.as_object().unwrap().iter();
    keys.all(|(key, value)| present[key] == *value)
}

#[tokio::test]
async fn every_edit_is_compared_and_restored_by_programs() {
    let (app, ana, orders) = world().await;
    let mut number = 1;
    for (aspect, first, second) in aspects(&app).await {
        let path = format!("/api/v1/assets/{orders}/{aspect}");
        for (version, content) in [(0, &first), (1, &second)] {
            let saved = put(&ana, &path, with(content.clone(), version)).await;
            assert_eq!(saved.status, 200, "{}", saved.text);
        }
        number += 2;

        let change = ana
            .json(&format!("/api/v1/assets/{orders}/history/{number}"))
            .await;
        let late = restore(
            &ana,
            &orders,
            number,
            json!({"what": "before", "version": 0}),
        )
        .await;
        let restored = restore(
            &ana,
            &orders,
            number,
            json!({"what": "before", "version": 2}),
        )
        .await;

        let difference = &change["differences"][0];
        assert_eq!(difference["version"], 2, "{change}");
        assert_ne!(difference["before"], difference["after"], "{change}");
        assert_eq!(late.status, 409, "{aspect}: {}", late.text);
        assert_eq!(restored.status, 200, "{aspect}: {}", restored.text);
        assert_eq!(restored.header("etag"), "\"3\"", "{aspect}");
        number += 1;
        let now = present(&app, &orders, aspect).await;
        assert!(says(&now, &first), "{aspect}: {now}");

        // Before the first edit nothing was said.
        let emptied = restore(
            &ana,
            &orders,
            number - 2,
            json!({"what": "before", "version": 3}),
        );
        assert_eq!(emptied.await.status, 200);
        number += 1;
        assert!(
            !says(&present(&app, &orders, aspect).await, &first),
            "{aspect}"
        );
    }
}

#[tokio::test]
async fn the_page_of_an_edit_shows_both_sides_and_goes_back_to_either() {
    let (app, ana, orders) = world().await;
    let tags = format!("/assets/{orders}/edit/tags");
    for (version, text) in [("0", "a\nb"), ("1", "b\nc")] {
        let saved = ana
            .post(&tags, &[("version", version), ("tags", text)])
            .await;
        assert_eq!(saved.status, 303, "{}", saved.text);
    }
    let path = format!("/assets/{orders}/history/3");
    let asset = ana.get(&format!("/assets/{orders}")).await;
    assert!(
        asset
            .text
            .contains(&format!("class=\"compare\" href=\"{path}\""))
    );

    let page = ana.page(&path).await;
    let form = [("version", "2"), ("what", "before")];
    let restored = ana.post(&format!("{path}/restore"), &form).await;
    let landed = ana.page(restored.header("location")).await;
    let late = ana.post(&format!("{path}/restore"), &form).await;

    assert_eq!(texts(&page, "#before li"), ["a", "b"]);
    assert_eq!(texts(&page, "#before del"), ["a"]);
    assert_eq!(texts(&page, "#after ins"), ["c"]);
    assert_eq!(
        texts(&page, "form[action$=restore] button"),
        ["Restore this"]
    );
    assert_eq!(restored.status, 303, "{}", restored.text);
    assert_eq!(texts(&landed, "#tags .tags li"), ["a", "b"]);
    assert!(texts(&landed, "#toast")[0].contains("Restored."));
    assert_eq!(
        late.status, 303,
        "what is said already is no conflict: {}",
        late.text
    );
    let unknown = ana
        .post(
            &format!("{path}/restore"),
            &[("version", "2"), ("what", "x")],
        )
        .await;
    assert_eq!(unknown.status, 422, "{}", unknown.text);
    let of_source = ana
        .post(&format!("/assets/{orders}/history/1/restore"), &form)
        .await;
    assert_eq!(of_source.status, 404, "{}", of_source.text);
    for beyond in [0, 6, 99_999] {
        let page = format!("/assets/{orders}/history/{beyond}");
        assert_eq!(ana.get(&page).await.status, 404, "{beyond}");
        let restored = ana.post(&format!("{page}/restore"), &form).await;
        assert_eq!(restored.status, 404, "{beyond}: {}", restored.text);
    }
    let wen = app.person("wen", Role::Reader, &[]).await;
    assert_eq!(
        wen.post(&format!("{path}/restore"), &form).await.status,
        403
    );
    assert!(texts(&wen.page(&path).await, "form[action$=restore] button").is_empty());
}

/// A thing of a kind that the catalog does not keep: the machinery does not care.
fn target(id: Uuid) -> Target<'static> {
    Target {
        subject: Subject::Team(id),
        permission: Permission::Describe,
        place: Place {
            platform: "",
            instance: "",
            database: Uuid::nil(),
        },
        placed: None,
    }
}

async fn revise_all<A: Aspect>(
    catalog: &TestCatalog,
    drafts: Vec<(Target<'_>, Draft<A>)>,
) -> Result<Vec<i32>, usize> {
    let (db, actor) = (&catalog.app.db, Actor::operator());
    let prepared = revisions::prepare(db, &actor, drafts, Utc::now())
        .await
        .unwrap();
    let prepared = prepared.into_iter().map(|one| one.unwrap()).collect();
    let txn = db.write().await.unwrap();
    let revised = revisions::revise_in(&txn, &actor, prepared, Utc::now())
        .await
        .unwrap();
    let revised = revised.map_err(|late| late.len())?;
    txn.commit().await.unwrap();
    Ok(revised.into_iter().map(|one| one.version).collect())
}

fn drafts(ids: &[Uuid], version: i32, text: &str) -> Vec<(Target<'static>, Draft<Description>)> {
    let draft = |id: &Uuid| {
        let text = format!("{text} {id}");
        let content = Description { text };
        (target(*id), Draft { content, version })
    };
    ids.iter().map(draft).collect()
}

#[tokio::test]
async fn many_drafts_are_saved_in_one_transaction_or_none_of_them() {
    let catalog = TestCatalog::start().await;
    let ids: Vec<Uuid> = (0..600).map(|_| Uuid::now_v7()).collect();

    let first = revise_all(&catalog, drafts(&ids, 0, "One")).await;
    let again = revise_all(&catalog, drafts(&ids, 0, "One")).await;
    // One came too late, so that none is saved.
    let mut mixed = drafts(&ids, 1, "Two");
    mixed[300].1.version = 0;
    let late = revise_all(&catalog, mixed).await;
    let second = revise_all(&catalog, drafts(&ids, 1, "Two")).await;
    // Twice the same thing: the second goes on from the first.
    let twice = [drafts(&ids[..1], 2, "Three"), drafts(&ids[..1], 3, "Four")].concat();
    let twice = revise_all(&catalog, twice).await;

    assert_eq!(first, Ok(vec![1; 600]));
    assert_eq!(
        again,
        Ok(vec![1; 600]),
        "what is said already is no conflict"
    );
    assert_eq!(late, Err(1));
    assert_eq!(
        second,
        Ok(vec![2; 600]),
        "nothing of the late batch was saved"
    );
    assert_eq!(twice, Ok(vec![3, 4]));
}

#[tokio::test]
async fn a_display_name_is_shown_beside_the_name_and_found() {
    let (app, ana, orders) = world().await;
    let path = format!("/api/v1/assets/{orders}/display_name");
    let named = json!({"name": "Umsatz je Tag", "version": 0});
    assert_eq!(put(&ana, &path, named).await.status, 200);

    let found = ana.json("/api/v1/search?q=umsatz+je+tag").await;
    let database = app.json("/api/v1/databases").await["items"][0]["id"].clone();
    let listed = format!("/api/v1/assets?parent={}", database.as_str().unwrap());
    let listed = ana.json(&listed).await;
    let page = ana.page(&format!("/assets/{orders}")).await;
    let results = ana.page("/search?q=umsatz+je+tag").await;

    assert_eq!(found["total"], 1, "{found}");
    assert_eq!(found["hits"][0]["id"], orders);
    assert_eq!(found["hits"][0]["display_name"], "Umsatz je Tag");
    assert_eq!(listed["items"][0]["display_name"], "Umsatz je Tag");
    assert_eq!(texts(&page, "#display-name-shown"), ["Umsatz je Tag"]);
    assert_eq!(texts(&results, "#hits .called"), ["Umsatz je Tag"]);
}

#[tokio::test]
async fn a_page_says_what_is_said_of_its_asset_elsewhere() {
    let (app, ana, orders) = world().await;
    let old = app.id_of(&["sales", "orders_old"]).await;
    let said = json!({"since": "2026-11-01", "note": "", "replacement": orders, "version": 0});
    let path = format!("/api/v1/assets/{old}/deprecation");
    assert_eq!(put(&ana, &path, said).await.status, 200);

    let page = ana.page(&format!("/assets/{orders}")).await;

    let mentions = texts(&page, "#mentions li");
    assert_eq!(mentions.len(), 1, "{mentions:?}");
    assert!(mentions[0].starts_with("Use it instead of"), "{mentions:?}");
    assert!(mentions[0].contains("orders_old"), "{mentions:?}");
}

#[tokio::test]
async fn what_names_a_thing_is_known_as_long_as_it_does() {
    let (app, ana, orders) = world().await;
    let old = app.id_of(&["sales", "orders_old"]).await;
    let path = format!("/api/v1/assets/{orders}/deprecation");
    let naming = async || {
        let found = revisions::list_referring(&app.app.db, &[old.subject()]).await;
        found.unwrap().len()
    };
    let said = |replacement: Option<String>, version: i64| json!({"since": "2026-11-01", "note": "", "replacement": replacement, "version": version});

    let none = naming().await;
    put(&ana, &path, said(Some(old.to_string()), 0)).await;
    let named = naming().await;
    put(&ana, &path, said(None, 1)).await;

    assert_eq!((none, named, naming().await), (0, 1, 0));
    let unknown = Deprecation {
        since: Some(Utc::now().date_naive()),
        replacement: Some(Uuid::nil()),
        ..Deprecation::default()
    };
    assert_eq!(unknown.references(old.subject())[0].field, "replacement");
}
