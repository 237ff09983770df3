//! What a run found: the worst first, and since when runs have found it.

use chrono::{DateTime, Utc};
use gazetteer::demo::{Endpoint, World};
use gazetteer::ingest::Severity;
use serde_json::json;

use crate::support::app::{TestApp, texts};
use crate::support::catalog::TestCatalog;

/// A company whose first database has a link to nothing and a view that nobody can read, and whose last one is closed.
fn world() -> World {
    let mut world = World::new();
    let link = json!({"CatalogId": "123456789012", "DatabaseName": "nowhere", "Name": "nothing"});
    world.set_table("a_shop", &json!({"Name": "a_link", "TargetTable": link}));
    let view = json!({"presto_view": "true"});
    let text = "/* Presto View: dGhpcyBpcyBubyBKU09O */";
    world.set_table("a_shop", &json!({"Name": "b_view", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": text, "Parameters": view}));
    world.set_table("people", &json!({"Name": "salaries"}));
    world.set_unreadable("people", true);
    world
}

#[tokio::test]
async fn a_report_begins_with_what_is_worst() {
    let app = TestApp::reading(world()).await;
    let runs = app.json("/api/v1/runs").await;
    let run = runs["items"][0]["id"].as_str().unwrap().to_owned();

    let mut listed = Vec::new();
    let mut after = String::new();
    for _ in 0..3 {
        let path = format!("/api/v1/runs/{run}/findings?limit=1{after}");
        let page = app.json(&path).await;
        let found = &page["items"][0];
        listed.push(json!([
            found["position"],
            found["severity"],
            found["about"]
        ]));
        after = format!("&after={}", page["next"].as_str().unwrap_or_default());
    }
    let page = app.page(&format!("/ingestion/runs/{run}")).await;

    assert_eq!(
        json!(listed),
        json!([
            [0, "not_read", "people"],
            [1, "not_read_in_full", "a_shop.b_view"],
            [2, "broken_link", "a_shop.a_link"],
        ])
    );
    assert_eq!(after, "&after=");
    let lines = texts(&page, "#findings li");
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, state) in lines
        .iter()
        .zip(["Not read", "Not read in full", "Broken link"])
    {
        assert!(line.starts_with(state), "{line}");
        assert!(line.contains("Found first just now."), "{line}");
    }
}

#[tokio::test]
async fn a_finding_says_since_when_runs_have_found_it() {
    let catalog = TestCatalog::start().await;
    let endpoint = Endpoint::start(world()).await.unwrap();
    let mut since: Vec<[Option<DateTime<Utc>>; 2]> = Vec::new();

    for closed in [true, true, false, true] {
        endpoint.change(|world| world.set_unreadable("people", closed));
        let run = catalog.ingest(&endpoint).await;
        let found = catalog.findings(&run).await;
        let of = |severity| {
            let found = found.iter().find(|found| found.severity == severity);
            found.and_then(|found| found.since)
        };
        since.push([of(Severity::NotRead), of(Severity::NotReadInFull)]);
    }

    let view = since[0][1];
    assert!(view.is_some());
    assert!(
        since.iter().all(|[_, of_view]| *of_view == view),
        "{since:?}"
    );
    assert!(
        since[0][0].is_some() && since[0][0] == since[1][0],
        "{since:?}"
    );
    assert_eq!(since[2][0], None);
    assert!(since[3][0] > since[1][0], "{since:?}");
}
