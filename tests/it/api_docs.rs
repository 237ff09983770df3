//! `docs/api.md`: every example is sent to a running server, and every call has one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use gazetteer::demo::World;
use regex::Regex;
use reqwest::Method;
use scraper::Selector;
use serde_json::{Value, json};

use crate::support::app::{Answer, Browser, TestApp};

/// An example of the page.
struct Example {
    /// Such as `PUT /api/v1/assets/{id}/tags`.
    call: String,
    method: Method,
    /// The address and the body with the page's ids.
    path: String,
    body: Option<String>,
    answer: Value,
}

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    fs::read_to_string(file).unwrap()
}

fn examples(page: &str) -> Vec<Example> {
    let section = Regex::new(
        r"(?s)### [^\n]*?`([A-Z]+ [^`\n]+)`.*?```sh\ncurl (.*?)\n```\n\n```json\n(.*?)\n```",
    );
    let address = Regex::new(r#""\$CATALOG([^"]*)""#).unwrap();
    let body = Regex::new(r"(?s)-d '(.*)'").unwrap();
    let read = |found: regex::Captures<'_>| Example {
        call: found[1].to_owned(),
        method: found[1].split(' ').next().unwrap().parse().unwrap(),
        path: address.captures(&found[2]).unwrap()[1].to_owned(),
        body: body.captures(&found[2]).map(|body| body[1].to_owned()),
        answer: serde_json::from_str(&found[3]).unwrap(),
    };
    section.unwrap().captures_iter(page).map(read).collect()
}

/// A catalog about which the page speaks, and the ids of its things: on the page, and in truth.
async fn catalog() -> (TestApp, Browser, Vec<(&'static str, String)>) {
    let mut world = World::new();
    let columns = json!([{"Name": "id", "Type": "bigint"}]);
    let orders = json!({"Name": "orders", "StorageDescriptor": {"Columns": columns}});
    world.set_table("sales", &orders);
    let app = TestApp::beside(world).await;
    let run = app.run("world").await;
    app.until_indexed().await;
    let found = app.json("/api/v1/search?q=orders").await;
    let orders = found["hits"][0]["id"].as_str().unwrap().to_owned();
    let database = app.json("/api/v1/databases").await["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let people = app.page("/people").await;
    let account = Selector::parse("#people a.name").unwrap();
    let account = people
        .select(&account)
        .next()
        .unwrap()
        .value()
        .attr("href")
        .unwrap();
    let ids = [
        ("01980a5e-7c1b-7def-8a90-1b2c3d4e5f60", orders),
        ("01980a5e-7c1b-7def-8a90-1b2c3d4e5f61", database),
        (
            "01980a5e-7c1b-7def-8a90-1b2c3d4e5f62",
            account.rsplit('/').next().unwrap().to_owned(),
        ),
        ("01980a5e-7c1b-7def-8a90-1b2c3d4e5f63", run.id.to_string()),
    ];
    let form = [
        ("token", "docs"),
        ("scope", "read"),
        ("scope", "write"),
        ("scope", "ingest"),
        ("days", "1"),
    ];
    let made = app.admin().post("/profile/tokens", &form).await.html();
    let secret = Selector::parse("#secret").unwrap();
    let secret = made
        .select(&secret)
        .next()
        .unwrap()
        .value()
        .attr("value")
        .unwrap();
    let program = Browser::with_token(&app.base, secret);
    (app, program, ids.into())
}

async fn send(program: &Browser, example: &Example, ids: &[(&'static str, String)]) -> Answer {
    let truth = |text: &str| {
        ids.iter().fold(text.to_owned(), |text, (id, true_id)| {
            text.replace(id, true_id)
        })
    };
    let request = program.request(example.method.clone(), &truth(&example.path));
    let request = match &example.body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(truth(body)),
        None => request,
    };
    Answer::of(request).await
}

/// The same answer with a word for what differs each time: ids, moments, durations, numbers of the log.
fn timeless(value: &Value) -> Value {
    static ID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap());
    match value {
        Value::String(text) if text.parse::<DateTime<Utc>>().is_ok() => json!("a moment"),
        Value::String(text) => json!(ID.replace_all(text, "an id")),
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match key.as_str() {
                "took_ms" | "milliseconds" | "seq" | "number" | "score" | "next" | "address"
                    if !value.is_null() =>
                {
                    (key.clone(), json!("a number"))
                }
                _ => (key.clone(), timeless(value)),
            })
            .collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_example_of_the_page_is_what_happens() {
    let (_app, program, ids) = catalog().await;
    let text = page();
    let mut fresh = text.clone();
    let mut differences = Vec::new();

    for example in examples(&text) {
        let answer = send(&program, &example, &ids).await;
        assert!(
            answer.status.is_success(),
            "{}: {}",
            example.call,
            answer.text
        );
        if timeless(&answer.json()) != timeless(&example.answer) {
            differences.push(example.call.clone());
            let told = serde_json::to_string_pretty(&answer.json()).unwrap();
            let told = ids
                .iter()
                .fold(told, |text, (id, true_id)| text.replace(true_id, id));
            let place = fresh.find(&format!("`{}`", example.call)).unwrap();
            let begin = place + fresh.get(place..).unwrap().find("```json\n").unwrap() + 8;
            let end = begin + fresh.get(begin..).unwrap().find("\n```").unwrap();
            fresh.replace_range(begin..end, &told);
        }
    }

    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api.md");
    fs::write(&file, fresh).unwrap();
    assert!(
        differences.is_empty(),
        "docs/api.md differs in {differences:?}; {} has it as it is now",
        file.display()
    );
}

#[tokio::test]
async fn every_call_of_the_description_has_an_example_and_every_body_is_in_it() {
    let app = TestApp::start().await;
    let examples = examples(&page());
    let described = app.json("/api/openapi.json").await;
    let mut calls = BTreeSet::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let call = format!("{} {path}", method.to_uppercase());
            let example = examples.iter().find(|example| example.call == call);
            let example = example.unwrap_or_else(|| panic!("docs/api.md has no example of {call}"));
            assert_eq!(
                example.body.is_some(),
                operation["requestBody"].is_object(),
                "{call}"
            );
            calls.insert(call);
        }
    }
    let unknown: Vec<&str> = examples
        .iter()
        .map(|example| example.call.as_str())
        .filter(|call| !calls.contains(*call))
        .collect();
    assert!(unknown.is_empty(), "There are no calls {unknown:?}.");
}
