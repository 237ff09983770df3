//! The schema goes up, down and up again on both databases, and a filled catalog of the released schema loses nothing.

use std::collections::{BTreeMap, BTreeSet};

use gazetteer::auth::Role;
use gazetteer::db::Subject;
use gazetteer::demo::{Endpoint, World};
use gazetteer::revisions;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::catalog::TestCatalog;
use crate::support::released::{self, Row};

#[tokio::test]
async fn up_down_and_up_again() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    catalog.ingest(&glue).await;

    catalog.app.db.unmigrate().await.unwrap();
    let pending = catalog.app.db.pending_migrations().await.unwrap();
    catalog.app.db.migrate().await.unwrap();

    assert_eq!(pending, 14);
    assert_eq!(catalog.app.db.pending_migrations().await.unwrap(), 0);
    assert!(catalog.assets().await.is_empty());
}

/// The rows of one table.
fn rows<'a>(all: &'a [Row], table: &str) -> Vec<&'a Row> {
    all.iter().filter(|row| row.table == table).collect()
}

/// An aspect as the API tells it, by what the released version kept.
fn told(human: &Value, row: &Row) -> Value {
    let content: Value = serde_json::from_str(&row.text("content")).unwrap();
    let name = row.text("aspect");
    let shape = if name == "note" {
        &human["columns"][content["column"].as_str().unwrap()]
    } else {
        &human[&name]
    };
    let kept = match name.as_str() {
        "owners" | "tags" | "links" => json!({ &name: content }),
        "note" => json!({ "text": content["text"] }),
        _ => content,
    };
    let mut told = serde_json::Map::new();
    for key in kept.as_object().unwrap().keys() {
        told.insert(key.clone(), shape[key].clone());
    }
    json!([
        [told, shape["version"], shape["edited_by"]["name"]],
        [
            kept,
            row.text("version").parse::<i64>().unwrap(),
            editor(row)
        ]
    ])
}

fn editor(row: &Row) -> Value {
    let editor: Value = serde_json::from_str(&row.text("editor")).unwrap();
    editor["name"].clone()
}

#[tokio::test]
async fn a_filled_catalog_of_the_released_schema_keeps_every_word_version_and_history() {
    let app = TestApp::released().await;
    let all = released::rows();
    let wen = app.person("newcomer", Role::Reader, &[]).await;

    let words = rows(&all, "words");
    assert!(words.len() > 30, "{}", words.len());
    for row in &words {
        let path = format!("/api/v1/assets/{}", row.text("asset_id"));
        let pair = told(&app.json(&path).await["human"], row);
        assert_eq!(pair[0], pair[1], "{path}");
    }
    let mut edits: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows(&all, "change") {
        if matches!(row.text("subject_kind").as_str(), "asset" | "request") {
            edits.entry(row.text("subject_id")).or_default().push(row);
        }
    }
    for (asset, changes) in &edits {
        let history = app
            .json(&format!("/api/v1/assets/{asset}/history?limit=100"))
            .await;
        let told: Vec<&Value> = history["items"].as_array().unwrap().iter().rev().collect();
        assert_eq!(told.len(), changes.len(), "{asset}");
        for (told, row) in told.iter().zip(changes) {
            if row.text("subject_kind") == "asset" {
                assert_eq!(told["action"], row.text("action"), "{asset}");
            }
            let details: Value = serde_json::from_str(&row.text("details")).unwrap();
            if details["after"] != Value::Null {
                assert_eq!(
                    told["differences"][0]["before"], details["before"],
                    "{asset}"
                );
                assert_eq!(told["differences"][0]["after"], details["after"], "{asset}");
                assert_eq!(
                    told["differences"][0]["version"], details["version"],
                    "{asset}"
                );
            }
        }
    }
    // What is restricted stays restricted.
    let hidden = rows(&all, "scope").into_iter();
    let hidden = hidden.filter(|row| row.text("restricted") == "true");
    for scope in hidden {
        let path = format!("/api/v1/assets/{}", scope.text("database_id"));
        assert_eq!(wen.get(&path).await.status, 404);
        assert_eq!(app.get(&path).await.status, 200);
    }
}

#[tokio::test]
async fn after_the_migration_what_names_somebody_is_found_by_them() {
    let app = TestApp::released().await;
    let all = released::rows();

    let mut owned: BTreeMap<Subject, BTreeSet<Subject>> = BTreeMap::new();
    for row in rows(&all, "words") {
        let content: Value = serde_json::from_str(&row.text("content")).unwrap();
        let asset = Subject::Asset(row.text("asset_id").parse().unwrap());
        for owner in content.as_array().into_iter().flatten() {
            let (Some(kind), Some(id)) = (owner["kind"].as_str(), owner["id"].as_str()) else {
                continue;
            };
            let principal = Subject::read(kind, id.parse().unwrap()).unwrap();
            owned.entry(principal).or_default().insert(asset);
        }
        if let Some(id) = content["replacement"].as_str() {
            let replacement = Subject::Asset(id.parse().unwrap());
            owned.entry(replacement).or_default().insert(asset);
        }
    }

    assert!(owned.len() > 3, "{owned:?}");
    for (target, assets) in owned {
        let found = revisions::list_referring(&app.app.db, &[target])
            .await
            .unwrap();
        assert_eq!(
            found.into_iter().collect::<BTreeSet<_>>(),
            assets,
            "{target:?}"
        );
    }
}
