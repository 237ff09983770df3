//! What the history of an asset tells, and what telling it may cost: long texts, many changes, rows of earlier versions.

use gazetteer::auth::Role;
use gazetteer::catalog::AssetId;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::app::{Browser, TestApp, table, texts};

/// The longest text that people may write.
const LONGEST: usize = 100_000;

/// An application with the table `sales.orders`, its id, and somebody who may describe it.
async fn app() -> (TestApp, AssetId, Browser) {
    let app = TestApp::start().await;
    app.add(
        "sales",
        vec![table(&["sales", "orders"], &[("id", "bigint")])],
    )
    .await;
    let id = app.id_of(&["sales", "orders"]).await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    (app, id, ana)
}

/// Describes a table, replacing what was said at this version.
async fn describe(ana: &Browser, id: AssetId, version: usize, text: &str) {
    let path = format!("/api/v1/assets/{id}/description");
    let body = json!({"text": text, "version": version});
    let answer = ana
        .request(reqwest::Method::PUT, &path)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

/// A text of the greatest length, in which each word names its author.
fn longest(author: &str) -> String {
    let words = (0..).map(|nth| format!("{author}{nth} "));
    let mut text: String = words.take(LONGEST / 4).collect();
    text.truncate(LONGEST);
    text
}

#[tokio::test]
async fn a_text_of_other_words_is_told_by_its_length_with_both_texts_a_click_away() {
    let (_app, id, ana) = app().await;
    let versions = [longest("a"), longest("b"), longest("c")];
    for (version, text) in versions.iter().enumerate() {
        describe(&ana, id, version, text).await;
    }

    let page = ana.get(&format!("/assets/{id}")).await;

    let told = texts(&page.html(), "#history-list > li");
    assert!(told[0].contains("Rewritten: "), "{told:?}");
    // The description as it is, once; nothing of the earlier ones.
    assert!(page.text.len() < 250_000, "{}", page.text.len());
    let whole = ana.page(&format!("/assets/{id}/history/4")).await;
    assert_eq!(texts(&whole, "#before"), [versions[1].trim()]);
    assert_eq!(texts(&whole, "#after"), [versions[2].trim()]);
}

#[tokio::test]
async fn a_small_change_of_a_long_text_is_told_in_its_place() {
    let (_app, id, ana) = app().await;
    let before = longest("a");
    describe(&ana, id, 0, &before).await;
    describe(&ana, id, 1, &before.replace("a50 ", "b50 ")).await;

    let page = ana.page(&format!("/assets/{id}")).await;

    assert_eq!(texts(&page, "#history-list ins"), ["b50"]);
    assert_eq!(texts(&page, "#history-list del"), ["a50"]);
    let told = texts(&page, "#history-list .pieces");
    assert!(told[0].len() < 400, "{told:?}");
    let both = texts(&page, "#history-list .changed a");
    assert_eq!(both[0], "Both texts");
}

#[tokio::test]
async fn long_changes_come_on_more_pages_and_none_is_left_out() {
    let (_app, id, ana) = app().await;
    // Four bytes a letter.
    let text = |letter: &str| letter.repeat(LONGEST);
    for version in 0..8 {
        describe(&ana, id, version, &text(["𝒂", "𝒃"][version % 2])).await;
    }

    let mut numbers: Vec<u64> = Vec::new();
    let mut pages = 0;
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/assets/{id}/history?limit=100{after}");
        let page = ana.get(&path).await;
        assert!(page.text.len() < 4_000_000, "{}", page.text.len());
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        numbers.extend(items.iter().map(|item| item["number"].as_u64().unwrap()));
        pages += 1;
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }

    assert_eq!(numbers, (1..=9).rev().collect::<Vec<u64>>());
    assert!(pages > 1, "{pages}");
}

#[tokio::test]
async fn the_history_tells_no_number_that_counts_what_happens_elsewhere() {
    let (app, id, ana) = app().await;
    let history = format!("/api/v1/assets/{id}/history?limit=1");
    describe(&ana, id, 0, "One.").await;
    let before = ana.json(&history).await;

    app.add("elsewhere", vec![table(&["elsewhere", "other"], &[])])
        .await;
    describe(&ana, id, 1, "Two.").await;

    let after = ana.json(&history).await;
    assert_eq!(before["items"][0]["number"], 2);
    assert_eq!(after["items"][0]["number"], 3);
    assert_eq!(before["items"][0].get("seq"), None);
    // A page goes on where one of the same length does in a catalog in which nothing else happened.
    let (_other, id, ana) = self::app().await;
    describe(&ana, id, 0, "One.").await;
    describe(&ana, id, 1, "Two.").await;
    let alone = ana
        .json(&format!("/api/v1/assets/{id}/history?limit=1"))
        .await;
    assert_eq!(after["next"], alone["next"]);
}

#[tokio::test]
async fn a_row_of_an_earlier_version_is_told_though_it_keeps_no_comparison() {
    let (app, id, ana) = app().await;
    let (before, after) = (longest("a"), longest("b"));
    append(
        &app,
        id,
        &json!({
            "version": 2, "before": {"text": before}, "after": {"text": after},
        }),
    )
    .await;

    let page = ana.page(&format!("/assets/{id}")).await;

    assert_eq!(
        texts(&page, "#history-list .history-what a"),
        ["What changed"]
    );
    let whole = ana.page(&format!("/assets/{id}/history/2")).await;
    assert_eq!(texts(&whole, "#before"), [before.trim()]);
    let told = texts(&whole, "section[aria-labelledby=changed-title] p");
    assert!(told[0].starts_with("Rewritten: "), "{told:?}");
}

#[tokio::test]
async fn a_row_that_is_too_long_to_be_read_is_still_a_line_of_the_history() {
    let (app, id, ana) = app().await;
    let differences: Vec<Value> = (0..100_000)
        .map(|nth| json!({"what": "column_added", "column": format!("column_{nth}"), "data_type": "int"}))
        .collect();
    append_as(&app, id, "changed", &json!({"differences": differences})).await;

    let page = ana.get(&format!("/assets/{id}")).await;

    let told = texts(&page.html(), "#history-list > li");
    assert!(
        told[0].contains("More differs than can be told."),
        "{told:?}"
    );
    let audit = app.get("/audit").await;
    assert!(audit.text.contains("More differs than can be told."));
    let log = app.json("/api/v1/audit?limit=1").await;
    assert_eq!(log["items"][0]["action"], "changed");
}

#[tokio::test]
async fn a_source_that_changes_everything_is_told_by_its_first_changes() {
    let (app, id, ana) = app().await;
    let columns: Vec<String> = (0..50_000).map(|nth| format!("column_{nth}")).collect();
    let columns: Vec<(&str, &str)> = columns.iter().map(|name| (name.as_str(), "int")).collect();
    app.add("sales", vec![table(&["sales", "orders"], &columns)])
        .await;

    let history = ana.get(&format!("/api/v1/assets/{id}/history")).await;

    assert!(history.text.len() < 3_000_000, "{}", history.text.len());
    let sentences = &history.json()["items"][0]["sentences"];
    let sentences = sentences.as_array().unwrap();
    // What may break something comes first.
    assert_eq!(sentences[0], "Column “id” was dropped (bigint).");
    assert_eq!(sentences[1], "Column “column_0” was added (int).");
    let last = sentences.last().unwrap().as_str().unwrap();
    assert!(last.ends_with(" more differences are not told."), "{last}");
    let page = ana.get(&format!("/assets/{id}/history")).await;
    assert!(page.text.len() < 50_000, "{}", page.text.len());
}

/// Writes a row into the log as another version of this program would have.
async fn append(app: &TestApp, id: AssetId, details: &Value) {
    append_as(app, id, "description_revised", details).await;
}

async fn append_as(app: &TestApp, id: AssetId, action: &str, details: &Value) {
    let details = details.to_string();
    let id = id.0.simple();
    // Both databases take a UUID from the row that is there.
    let statement = format!(
        "INSERT INTO change (seq, at, actor, subject_kind, subject_id, action, details) \
         SELECT (SELECT MAX(seq) + 1 FROM change), at, actor, subject_kind, subject_id, '{action}', '{details}' \
         FROM change WHERE action = 'created' AND REPLACE(LOWER(CAST({} AS TEXT)), '-', '') = '{id}'",
        if app.app.db.product() == "SQLite" {
            "HEX(subject_id)"
        } else {
            "subject_id"
        },
    );
    app.app.db.execute_unprepared(&statement).await.unwrap();
}
