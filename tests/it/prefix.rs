//! The catalog below a path of a host that it shares: every address that it tells has that path.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use gazetteer::auth::Role;
use gazetteer::demo::World;
use gazetteer::web::Options;
use reqwest::{Method, StatusCode};
use scraper::Selector;
use serde_json::{Value, json};

use crate::support::app::{Answer, Settings, TestApp, table};

const PREFIX: &str = "/catalog";

async fn below(world: World) -> TestApp {
    let options = Options {
        public_url: Some(format!("http://shared.example{PREFIX}").parse().unwrap()),
        ..Options::default()
    };
    let settings = Settings {
        options,
        ..Settings::default()
    };
    let app = TestApp::beside_with(world, settings).await;
    let mut orders = table(&["sales", "orders"], &[("id", "int")]);
    orders.source.description = Some("All orders.".to_owned());
    app.add("sales", vec![orders]).await;
    let id = app.id_of(&["sales", "orders"]).await;
    let words = "[the runs](/ingestion/runs) and [home](/catalog/)";
    let form = [("version", "0"), ("text", words)];
    let edit = format!("/assets/{id}/edit/description");
    assert_eq!(
        app.admin().post(&edit, &form).await.status,
        StatusCode::SEE_OTHER
    );
    app.until_indexed().await;
    app
}

/// Every address of this host that a page names, in whatever attribute.
fn addresses(page: &Answer) -> Vec<String> {
    let all = Selector::parse("*").unwrap();
    let html = page.html();
    let elements = html.select(&all);
    let attributes = elements.flat_map(|element| element.value().attrs().collect::<Vec<_>>());
    let named = attributes.filter(|(name, text)| {
        let free = ["value", "title", "placeholder", "data-copy", "aria-label"];
        text.starts_with('/') && !free.contains(name)
    });
    named.map(|(_, text)| text.to_owned()).collect()
}

#[tokio::test]
async fn every_address_of_every_page_has_the_path_whichever_way_the_proxy_asks() {
    let app = below(World::new()).await;
    for asked_with in ["", PREFIX] {
        let mut seen = BTreeSet::new();
        let mut waiting =
            VecDeque::from([format!("{PREFIX}/"), format!("{PREFIX}/search?q=orders")]);
        while let Some(address) = waiting.pop_front() {
            if !seen.insert(address.clone()) {
                continue;
            }
            let path = address.strip_prefix(PREFIX).unwrap();
            let answer = app.get(&format!("{asked_with}{path}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text);
            if !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            for named in addresses(&answer) {
                assert!(named.starts_with("/catalog/"), "{address} names {named}");
                let page = named.split('#').next().unwrap().to_owned();
                let is_get = !named.contains("/profile/link") && !is_an_action(&answer, &named);
                if is_get && page.split('?').count() == 1 {
                    waiting.push_back(page);
                }
            }
        }
        assert!(seen.len() > 30, "{seen:?}");
    }
}

fn is_an_action(page: &Answer, address: &str) -> bool {
    let forms = Selector::parse("form[method=post], [data-preview], [data-sends]").unwrap();
    let html = page.html();
    let mut forms = html.select(&forms);
    forms.any(|form| {
        [
            form.value().attr("action"),
            form.value().attr("data-preview"),
            form.value().attr("data-sends"),
        ]
        .contains(&Some(address))
    })
}

/// Every text of a JSON value that is an address of this host.
fn addresses_in(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.starts_with('/') => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(addresses_in).collect(),
        Value::Object(fields) => fields.values().flat_map(addresses_in).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn what_programs_are_told_has_the_path() {
    let app = below(World::new()).await;
    let id = app.id_of(&["sales", "orders"]).await;
    let started = app.post("/catalog/api/v1/recipes/world/runs").await;
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.text);
    let run = started.header("location").to_owned();
    assert!(run.starts_with("/catalog/api/v1/runs/"), "{run}");
    assert_eq!(started.json()["url"], run.as_str());
    app.until_ended(started.json()["id"].as_str().unwrap().parse().unwrap())
        .await;

    let mut told = 0;
    for path in [
        &*run,
        "/api/v1/runs",
        "/api/v1/recipes",
        "/api/v1/databases",
        "/api/v1/search?q=orders",
        &format!("/api/v1/assets/{id}"),
        &format!("/api/v1/assets/{id}/history"),
    ] {
        for address in addresses_in(&app.json(path).await) {
            assert!(address.starts_with("/catalog/"), "{path} names {address}");
            told += 1;
        }
    }
    assert!(told >= 6, "{told}");
    let description = app.json("/catalog/api/openapi.json").await;
    assert_eq!(description["servers"], json!([{"url": "/catalog"}]));
}

#[tokio::test]
async fn people_stay_below_the_path_when_they_sign_in_and_out() {
    let app = below(World::new()).await;
    let visitor = app.visitor();
    let asked = visitor.get("/catalog/search?q=orders").await;
    let stripped = visitor.get("/search?q=orders").await;
    assert_eq!(
        asked.header("location"),
        "/catalog/sign-in?next=%2Fcatalog%2Fsearch%3Fq%3Dorders"
    );
    assert_eq!(stripped.header("location"), asked.header("location"));
    let part = app
        .visitor()
        .request(Method::GET, "/search")
        .header("hx-request", "true");
    let part = part.header("hx-current-url", "http://shared.example/catalog/browse");
    let part = Answer::of(part).await;
    assert_eq!(
        part.header("hx-redirect"),
        "/catalog/sign-in?next=%2Fcatalog%2Fbrowse"
    );

    let form = [("name", "ana"), ("role", "reader")];
    let invited = app.admin().post("/catalog/people", &form).await;
    let code = Selector::parse("#secret").unwrap();
    let link = invited.html();
    let link = link
        .select(&code)
        .next()
        .unwrap()
        .value()
        .attr("value")
        .unwrap();
    let code = link.strip_prefix("http://shared.example/catalog/choose-password?code=");
    let password = "seven purple tractors hum";
    let form = [("code", code.unwrap()), ("password", password)];
    let chosen = visitor.post("/catalog/choose-password", &form).await;
    assert_eq!(chosen.header("location"), "/catalog/");
    let cookie = chosen.header("set-cookie");
    assert!(cookie.contains("; Path=/catalog;"), "{cookie}");

    for (next, leads_to) in [
        ("", "/catalog/"),
        ("/", "/catalog/"),
        ("/catalog/browse", "/catalog/browse"),
        ("/browse", "/catalog/browse"),
        ("/ingestion", "/catalog/ingestion"),
        ("/elsewhere", "/catalog/"),
        ("/catalog/sign-in", "/catalog/"),
        ("//evil.example", "/catalog/"),
    ] {
        let form = [("name", "ana"), ("password", password), ("next", next)];
        let signed_in = visitor.post("/catalog/sign-in", &form).await;
        assert_eq!(signed_in.header("location"), leads_to, "{next}");
    }
    let out = app
        .visitor()
        .with_cookie_of(&chosen)
        .post("/catalog/sign-out", &[])
        .await;
    assert_eq!(out.header("location"), "/catalog/sign-in");
    assert!(out.header("set-cookie").contains("; Path=/catalog;"));
}

#[tokio::test]
async fn a_form_leads_back_below_the_path() {
    let app = below(World::new()).await;
    let id = app.id_of(&["sales", "orders"]).await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let edit = format!("/assets/{id}/edit/tags");

    let saved = ana.post(&edit, &[("version", "0"), ("tags", "pii")]).await;
    let passed_on = ana
        .post(
            &format!("{PREFIX}{edit}"),
            &[("version", "1"), ("tags", "gold")],
        )
        .await;
    let gone = ana
        .post(
            "/assets/01980a5e-7c1b-7def-8a90-1b2c3d4e5f60/edit/tags",
            &[("tags", "kept")],
        )
        .await;

    assert_eq!(
        saved.header("location"),
        format!("/catalog/assets/{id}?saved=tags.1#tags")
    );
    assert_eq!(
        passed_on.header("location"),
        format!("/catalog/assets/{id}?saved=tags.2#tags")
    );
    assert!(
        addresses(&gone)
            .iter()
            .all(|address| address.starts_with("/catalog/"))
    );
    let page = ana.get(&format!("/assets/{id}")).await;
    assert!(
        page.text.contains("href=\"/catalog/ingestion/runs\""),
        "{}",
        page.text
    );
}

#[test]
fn no_template_and_no_script_writes_an_address_by_hand() {
    let mut complaints = Vec::new();
    for folder in ["templates", "static/js", "static/css"] {
        for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                let marks = ["=\"/", "='/", "(\"/", "('/", "`/", "url(/", "from \"/"];
                if marks.iter().any(|mark| line.contains(mark)) {
                    complaints.push(format!("{}:{}: {line}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    nested.collect()
}
