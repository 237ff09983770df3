//! The audit trail: what stands in it, who reads it, and that nobody changes it.

use std::collections::BTreeSet;

use chrono::Utc;
use gazetteer::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::principals::Principal;
use gazetteer::auth::scopes::{self, Admitted};
use gazetteer::auth::tokens::{self, NewToken};
use gazetteer::auth::{Actor, Role, Scope, TokenScope};
use gazetteer::demo::World;
use gazetteer::web::routes;
use reqwest::{Method, StatusCode};
use sea_orm::ConnectionTrait as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::app::{Answer, Browser, INSTANCE, TestApp, table, texts};

/// Puts a row into the log as another version of the program might.
async fn write_row(app: &TestApp, kind: &str, action: &str, details: &str) {
    let sql = format!(
        "INSERT INTO change (seq, at, actor, subject_kind, subject_id, action, details) \
         SELECT MAX(seq) + 1, MAX(at), '{{\"kind\":\"operator\"}}', '{kind}', MAX(subject_id), '{action}', '{details}' \
         FROM (SELECT seq, at, subject_id FROM change ORDER BY seq DESC LIMIT 1) AS newest"
    );
    // Postgres knows no greatest id.
    let sql = sql.replace(
        "MAX(subject_id)",
        "(SELECT subject_id FROM change ORDER BY seq DESC LIMIT 1)",
    );
    app.app.db.execute_unprepared(&sql).await.unwrap();
    let sql = "UPDATE change_head SET last = last + 1";
    app.app.db.execute_unprepared(sql).await.unwrap();
}

async fn sentences(app: &TestApp, query: &str) -> Vec<String> {
    let rows = app.json(&format!("/api/v1/audit?limit=100&{query}")).await;
    let rows = rows["items"].as_array().unwrap().iter();
    rows.flat_map(|row| row["sentences"].as_array().unwrap())
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

async fn account(app: &TestApp, name: &str) -> accounts::Account {
    let operator = Actor::operator();
    accounts::find_named(&app.app.db, &operator, &name.parse().unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn what_people_do_is_told_with_who_when_and_in_which_request() {
    let app = TestApp::start().await;
    let (name, password) = ("name", "password");
    app.visitor()
        .post("/sign-in", &[(name, "nobody"), (password, "guess")])
        .await;
    let request = app
        .visitor()
        .request(Method::POST, "/sign-in")
        .header("x-request-id", "told-by-a-test-1")
        .form(&[(name, "admin"), (password, "guess")]);
    Answer::of(request).await;
    app.person("ana", Role::Reader, &["Data"]).await;

    let page = app.page("/audit").await;
    let rows = app.json("/api/v1/audit?topic=sign-ins&limit=100").await;

    let told = texts(&page, "#rows tr").join("\n");
    for sentence in [
        "A sign-in as an unknown name from 127.0.0.1 was refused: there is no such account.",
        "A sign-in as “admin” from 127.0.0.1 was refused: the password was wrong.",
        "Made the account “ana”, a reader.",
        "Added “ana” to the team “Data”.",
        "told-by-a-test-1",
        " UTC",
    ] {
        assert!(told.contains(sentence), "{sentence} in {told}");
    }
    let refused: Vec<&Value> = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["action"] == "sign_in_refused")
        .collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0]["request_id"], "told-by-a-test-1");
    assert_eq!(refused[0]["thing"]["name"], "admin");
    assert_eq!(refused[1]["thing"]["name"], Value::Null);
    assert!(!rows.to_string().contains("guess"));
}

#[tokio::test]
async fn rows_are_filtered_by_person_thing_kind_and_time() {
    let app = TestApp::start().await;
    app.add(
        "sales",
        vec![table(&["sales", "orders"], &[("id", "bigint")])],
    )
    .await;
    app.person("ana", Role::Reader, &["Data"]).await;
    let operator = Actor::operator();
    let ana = account(&app, "ana").await;
    accounts::lock(&app.app.db, &operator, ana.id, Utc::now())
        .await
        .unwrap();

    let by_ana = sentences(&app, "person=ana").await;
    let to_ana = sentences(&app, &format!("thing={}", ana.id)).await;
    let to_table = sentences(&app, "thing=sales.orders").await;
    let to_team = sentences(&app, "thing=Data&topic=people").await;
    let signed = sentences(&app, "topic=sign-ins&person=ana").await;
    let catalog = sentences(&app, "topic=catalog").await;
    let locked = sentences(&app, "action=account_locked").await;
    let today = Utc::now().format("%Y-%m-%d");
    let now = sentences(
        &app,
        &format!("action=account_locked&from={today}&until={today}"),
    )
    .await;
    let before = sentences(&app, "until=2020-01-01").await;
    let unknown = app.get("/audit?person=nobody%3Cb%3E&thing=x").await;
    let odd_day = app.get("/api/v1/audit?from=yesterday").await;
    let odd_topic = app.get("/api/v1/audit?topic=weather").await;
    let odd_place = app.get("/api/v1/audit?after=nonsense").await;

    assert!(
        by_ana
            .iter()
            .any(|text| text.starts_with("Signed in as “ana”"))
    );
    assert!(!by_ana.contains(&"Locked “ana”.".to_owned()), "{by_ana:?}");
    assert!(to_ana.contains(&"Locked “ana”.".to_owned()), "{to_ana:?}");
    assert_eq!(to_table, ["Added."]);
    assert_eq!(to_team.len(), 2, "{to_team:?}");
    assert_eq!(signed.len(), 1, "{signed:?}");
    assert_eq!(catalog.len(), 2, "{catalog:?}");
    assert_eq!(
        (&locked[..], &now[..]),
        (&["Locked “ana”.".to_owned()][..], &locked[..])
    );
    assert!(before.is_empty());
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = unknown.html();
    assert!(texts(&page, "[role=alert]")[0].starts_with("There is no account named “nobody<b>”."));
    assert!(unknown.text.contains("value=\"nobody&lt;b&gt;\""));
    for odd in [&odd_day, &odd_topic, &odd_place] {
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", odd.text);
    }
}

#[tokio::test]
async fn every_page_of_the_log_is_reached_once() {
    let app = TestApp::start().await;
    let tables = (0..120).map(|n| table(&["sales", &format!("t{n}")], &[]));
    app.add("sales", tables.collect()).await;

    let (mut numbers, mut after) = (Vec::new(), String::new());
    loop {
        let page = app
            .json(&format!("/api/v1/audit?limit=50&after={after}"))
            .await;
        let items = page["items"].as_array().unwrap();
        numbers.extend(items.iter().map(|row| row["number"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }

    let newest = numbers[0];
    assert!(newest > 120);
    assert!(numbers.iter().copied().eq((1..=newest).rev()));
}

#[tokio::test]
async fn what_this_version_does_not_know_is_shown_as_it_stands() {
    let app = TestApp::start().await;
    write_row(&app, "glossary", "defined", "{\"term\":\"<b>Churn</b>\"}").await;
    write_row(&app, "asset", "praised", "{\"stars\":5}").await;
    write_row(&app, "account", "promoted", "no JSON").await;

    let rows = app.json("/api/v1/audit?limit=3").await;
    let page = app.get("/audit").await;

    let told = rows.to_string();
    for raw in [
        "“defined” of this glossary",
        "“praised” of this asset",
        "“promoted” of this account",
    ] {
        assert!(told.contains(raw), "{raw} in {told}");
    }
    assert_eq!(rows["items"][1]["details"]["stars"], 5);
    assert_eq!(rows["items"][0]["details"], "no JSON");
    assert!(page.text.contains("&lt;b&gt;Churn") && !page.text.contains("<b>Churn"));
}

#[tokio::test]
async fn restrictions_are_told_with_the_names_of_those_admitted() {
    let app = TestApp::start().await;
    let database = app.add("sales", Vec::new()).await;
    app.person("ana", Role::Reader, &["Data"]).await;
    let ana = account(&app, "ana").await;
    let scope = Scope::Database {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        database: database.0,
    };
    let admitted = Admitted::from([Principal::Account(ana.id)]);
    let (db, operator) = (&app.app.db, Actor::operator());
    scopes::restrict(db, &operator, &scope, &admitted, Utc::now())
        .await
        .unwrap();
    scopes::restrict(db, &operator, &scope, &Admitted::default(), Utc::now())
        .await
        .unwrap();
    scopes::open(db, &operator, &scope, Utc::now())
        .await
        .unwrap();

    let told = sentences(&app, "topic=restrictions").await;

    let name = format!("glue:{INSTANCE}/sales");
    assert_eq!(
        told,
        [
            format!("Opened {name} to everybody; it was restricted to admins."),
            format!("Restricted {name} to admins; it was restricted to “ana”."),
            format!("Restricted {name} to “ana”."),
        ]
    );
    assert_eq!(
        sentences(&app, &format!("thing={name}&topic=restrictions")).await,
        told
    );
}

#[tokio::test]
async fn the_files_hold_every_row_that_fits_and_no_formula() {
    let app = TestApp::start().await;
    let tables = (0..700).map(|n| table(&["=cmd", &format!("t{n}")], &[]));
    app.add("=cmd", tables.collect()).await;
    let new = NewAccount {
        kind: AccountKind::Person,
        name: "ana".parse().unwrap(),
        display_name: None,
        standing: RoleGrant::READER,
    };
    accounts::create(&app.app.db, &Actor::operator(), &new, Utc::now())
        .await
        .unwrap();
    let name = "\t=HYPERLINK(\"http://evil.example\";\"x\")";
    accounts::set_display_name(
        &app.app.db,
        &Actor::operator(),
        account(&app, "ana").await.id,
        name,
        Utc::now(),
    )
    .await
    .unwrap();

    let catalog = app.get("/audit/export.csv?topic=catalog").await;
    let all = app.get("/audit/export.csv").await;
    let lines = app.get("/audit/export.jsonl?topic=catalog").await;
    let refused = app.get("/audit/export.csv?person=nobody").await;

    let mut reader = csv::Reader::from_reader(catalog.text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 701);
    let things: BTreeSet<&str> = rows.iter().map(|row| &row[7]).collect();
    assert!(things.contains("'=cmd") && things.contains("'=cmd.t699"));
    for text in [&catalog.text, &all.text] {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for field in reader.records().flat_map(|row| {
            let row = row.unwrap();
            row.iter().map(str::to_owned).collect::<Vec<_>>()
        }) {
            assert!(
                !field.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{field}"
            );
        }
    }
    let file = catalog.header("content-disposition");
    let today = Utc::now().format("%Y-%m-%d");
    assert_eq!(
        file,
        format!("attachment; filename=\"gazetteer-audit-{today}.csv\"")
    );
    assert_eq!(catalog.header("cache-control"), "no-store");
    let parsed: Vec<Value> = lines
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(parsed.len(), 701);
    assert!(parsed.iter().any(|row| row["thing"]["name"] == "=cmd.t0"));
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_audit_trail_is_for_admins_and_their_tokens() {
    let app = TestApp::start().await;
    let steward = app.person("bo", Role::Steward, &[]).await;
    let new = NewToken {
        name: "audit",
        scopes: BTreeSet::from([TokenScope::Read]),
        days: 1,
    };
    let admin = account(&app, "admin").await;
    let made = tokens::make(&app.app.db, &Actor::operator(), admin.id, &new, Utc::now())
        .await
        .unwrap();
    let program = Browser::with_token(&app.base, made.secret.expose_secret());

    for path in [
        "/audit",
        "/audit/export.csv",
        "/audit/export.jsonl",
        "/api/v1/audit",
    ] {
        assert_eq!(
            steward.get(path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert!(!steward.get("/").await.text.contains("href=\"/audit\""));
    assert!(app.get("/").await.text.contains("href=\"/audit\""));
    assert_eq!(program.get("/api/v1/audit").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_changes_a_row() {
    let app = TestApp::start().await;
    let db = &app.app.db;

    for statement in [
        "UPDATE change SET details = '{}'",
        "UPDATE change SET actor_id = NULL WHERE seq = 1",
        "DELETE FROM change",
        "DELETE FROM change WHERE seq = 1",
    ] {
        let refused = db.execute_unprepared(statement).await;
        let told = refused.unwrap_err().to_string();
        assert!(told.contains("a row of the change log is never"), "{told}");
    }
    let before = app.json("/api/v1/audit?limit=100").await;
    for site in routes::all() {
        let about_it = site.pattern.contains("audit");
        assert!(!about_it || site.method == "GET", "{}", site.pattern);
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        for path in [
            "/audit",
            "/api/v1/audit",
            "/audit/export.csv",
            "/api/v1/audit/1",
        ] {
            let status = Answer::of(app.request(method.clone(), path)).await.status;
            let refused = matches!(
                status,
                StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND
            );
            assert!(refused, "{method} {path}: {status}");
        }
    }
    assert_eq!(app.json("/api/v1/audit?limit=100").await, before);
}

#[tokio::test]
async fn a_run_that_somebody_asked_for_is_on_record_with_who_and_in_which_request() {
    let mut world = World::new();
    world.set_table("sales", &json!({"Name": "orders"}));
    let app = TestApp::beside(world).await;
    let bo = app.person("bo", Role::Steward, &[]).await;
    let start = bo
        .request(Method::POST, "/api/v1/recipes/world/runs")
        .header("x-request-id", "asked-for-by-bo");
    let started = Answer::of(start).await.json();
    app.until_ended(started["id"].as_str().unwrap().parse().unwrap())
        .await;

    let asked = app.json("/api/v1/audit?topic=runs&person=bo").await;
    let done = app.json("/api/v1/audit?topic=catalog").await;

    assert_eq!(
        asked["items"][0]["sentences"],
        json!(["Started the recipe “world”."])
    );
    assert_eq!(asked["items"][0]["request_id"], "asked-for-by-bo");
    assert_eq!(asked["items"][0]["thing"]["name"], "world");
    assert_eq!(asked["items"][0]["thing"]["id"], started["id"]);
    // What the run wrote is the recipe's doing, in the same request.
    let written = done["items"].as_array().unwrap();
    assert_eq!(written.len(), 2);
    for row in written {
        assert_eq!(row["actor"]["kind"], "recipe");
        assert_eq!(row["request_id"], "asked-for-by-bo");
        assert_eq!(row["run_id"], started["id"]);
    }
    let page = app.page("/audit?topic=runs").await;
    let address = format!("/ingestion/runs/{}", started["id"].as_str().unwrap());
    assert_eq!(
        texts(&page, &format!("#rows a[href='{address}']")),
        ["world"]
    );
}
