//! How new searches are: what was saved is found at once, while any process writes the index; and where changes are missing,
//! searches say since when.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use gazetteer::search::{AccessFilter, Index, Options, Query, Writer, follow};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp, table, texts};

/// How long the index may take to notice something.
const PATIENCE: Duration = Duration::from_secs(30);

async fn app() -> TestApp {
    let app = TestApp::start().await;
    let tables = (0..5).map(|nth| table(&["sales", &format!("orders_{nth}")], &[("id", "int")]));
    app.add("sales", tables.collect()).await;
    // An index that was never written has to be built before anything else, by whoever may write.
    app.until_written().await;
    app
}

async fn describe(app: &TestApp, name: &str, version: usize, text: &str) {
    let id = app.id_of(&["sales", name]).await;
    let body = json!({ "text": text, "version": version });
    let path = format!("/api/v1/assets/{id}/description");
    let saved = Answer::of(app.request(Method::PUT, &path).json(&body)).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
}

async fn found(app: &TestApp, query: &str) -> Value {
    app.json(&format!("/api/v1/search?q={query}")).await
}

fn opened(app: &TestApp) -> Index {
    let catalogs = fs::read_dir(app.index_dir()).unwrap();
    let dirs: Vec<PathBuf> = catalogs.map(|entry| entry.unwrap().path()).collect();
    Index::open(&dirs[0], &Options::default()).unwrap()
}

/// Takes the writer's place, as another process does that loads a source.
async fn another_writer(app: &TestApp) -> Writer {
    let index = opened(app);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match index.writer() {
            Ok(writer) => return writer,
            Err(busy) => assert!(Instant::now() < deadline, "{busy}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_found_by_the_next_search_while_somebody_else_writes_the_index() {
    let app = app().await;
    let _writer = another_writer(&app).await;

    for (version, letter) in (0..).zip('a'..='z') {
        let name = format!("orders_{}", version % 5);
        let word = format!("wort{letter}");
        describe(&app, &name, version / 5, &word).await;
        let found = found(&app, &word).await;
        assert_eq!(found["hits"][0]["name"], *name, "{word}: {found}");
        assert_eq!(found["total"], 1, "{word}: {found}");
    }
    let older = found(&app, "%22worta%22").await;
    assert_eq!(older["total"], 0, "what was said before is found: {older}");

    // Another process, which may not write either, shows the same.
    let other = opened(&app);
    let before = other.written();
    let deadline = Instant::now() + PATIENCE;
    // It may meet the index while that is being written, and then looks again, as a server does.
    while let Err(busy) = follow::catch_up(&app.app.db, &other).await {
        assert!(Instant::now() < deadline, "{busy}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(other.written(), before);
    let word = found(&app, "orders_4").await["hits"][0]["description"].clone();
    let newest = Query::words(word.as_str().unwrap());
    assert_eq!(
        other.search(&newest, &AccessFilter::none()).unwrap().total,
        1
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_costs_no_commit_and_the_end_of_the_server_writes_it_down() {
    let app = app().await;
    let index = app.app.index.clone();
    app.until_written().await;
    let written = index.written();

    for version in 0..30 {
        describe(&app, "orders_1", version, &format!("text {version}")).await;
    }
    app.until_indexed().await;
    assert_eq!(index.written(), written, "an edit was committed");
    let next = opened(&app);
    let _left = app.stop().await;

    next.refresh().unwrap();
    assert_eq!(next.written(), index.applied());
    let found = next
        .search(&Query::words("\"text 29\""), &AccessFilter::none())
        .unwrap();
    assert_eq!(found.total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_edits_go_to_disk_by_themselves() {
    let app = app().await;
    let index = app.app.index.clone();
    let written = index.written();
    let ids = {
        let mut ids = Vec::new();
        for nth in 0..600 {
            ids.push(table(&["sales", &format!("more_{nth}")], &[]));
            if ids.len() == 50 {
                app.add("sales", std::mem::take(&mut ids)).await;
                app.until_indexed().await;
            }
        }
        ids
    };
    assert!(ids.is_empty());

    let deadline = Instant::now() + PATIENCE;
    while index.written() == written {
        assert!(Instant::now() < deadline, "nothing was written to disk");
        app.app.written.notify_one();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(found(&app, "more").await["total"], 600);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_say_since_when_changes_are_missing_and_only_then() {
    let app = app().await;
    let begun = Utc::now();
    app.spoil_index();
    app.add("sales", vec![table(&["sales", "late"], &[])]).await;

    let deadline = Instant::now() + PATIENCE;
    let missing = loop {
        let found = found(&app, "late").await;
        if let Some(since) = found.get("missing_since") {
            break since.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        }
        assert!(Instant::now() < deadline, "{found}");
        app.app.written.notify_one();
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let ready = app.get("/readyz").await;
    let page = app.page("/search?q=orders").await;

    assert!((begun..=Utc::now()).contains(&missing), "{missing}");
    // Behind for a moment only, it goes on serving.
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text);
    assert_eq!(ready.json()["index"], "behind");
    assert_eq!(
        texts(&page, "#missing"),
        ["The search index is catching up. Oldest missing change: just now."]
    );

    fs::remove_file(app.index_dir()).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = found(&app, "late").await;
        if found["total"] == 1 && found.get("missing_since").is_none() {
            break;
        }
        assert!(Instant::now() < deadline, "{found}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let page = app.page("/search?q=orders").await;
    assert!(texts(&page, "#missing").is_empty());
    assert_eq!(app.get("/readyz").await.json()["index"], "ok");
    app.stop().await;
}
