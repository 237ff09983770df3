//! What readers ask stewards to describe.

use gazetteer::auth::Role;
use reqwest::Method;

use crate::support::app::{Answer, TestApp, table, texts};

#[tokio::test]
async fn a_reader_asks_once_a_steward_sees_it_and_a_description_answers() {
    let app = TestApp::start().await;
    app.add("sales", vec![table(&["sales", "orders"], &[("id", "int")])])
        .await;
    let page = format!("/assets/{}", app.id_of(&["sales", "orders"]).await);
    let ana = app.person("ana", Role::Steward, &[]).await;
    let ray = app.person("ray", Role::Reader, &[]).await;
    let offered = texts(&ray.page(&page).await, ".asking button");

    for _ in 0..2 {
        let asked = ray.post(&format!("{page}/requests"), &[]).await;
        assert_eq!(asked.status, 303, "{}", asked.text);
    }
    let told = texts(&ray.page(&page).await, ".asking");
    let list = texts(&ana.page("/requests").await, "#requests tr");
    let on_page = texts(&ana.page(&page).await, ".asking a");
    let form = [("version", "0"), ("text", "One row per order.")];
    ana.post(&format!("{page}/edit/description"), &form).await;

    assert_eq!(offered, ["Ask for a description"]);
    assert!(
        told[0].starts_with("You asked for a description"),
        "{told:?}"
    );
    assert_eq!(list.len(), 1);
    assert!(
        list[0].contains("orders") && list[0].contains("ray"),
        "{list:?}"
    );
    assert_eq!(on_page, ["1 person asks for a description."]);
    let answered = ana.page("/requests").await;
    assert!(texts(&answered, "#requests tr").is_empty());
    let described = ray.post(&format!("{page}/requests"), &[]).await;
    assert_eq!(described.status, 409, "{}", described.text);
    assert_eq!(ray.get("/requests").await.status, 403);
}

#[tokio::test]
async fn a_steward_dismisses_a_request_and_a_program_lists_them() {
    let app = TestApp::start().await;
    app.add(
        "sales",
        vec![
            table(&["sales", "orders"], &[("id", "int")]),
            table(&["sales", "paid"], &[("id", "int")]),
        ],
    )
    .await;
    let id = async |name: &str| app.id_of(&["sales", name]).await.to_string();
    let (orders, paid) = (id("orders").await, id("paid").await);
    let ana = app.person("ana", Role::Steward, &[]).await;
    let ray = app.person("ray", Role::Reader, &[]).await;
    for id in [&orders, &paid] {
        ray.post(&format!("/assets/{id}/requests"), &[]).await;
    }

    let first = ana.json("/api/v1/requests?limit=1").await;
    let after = first["next"].as_str().unwrap();
    let second = ana
        .json(&format!("/api/v1/requests?limit=1&after={after}"))
        .await;
    let dismissed = ana
        .post(&format!("/assets/{orders}/requests/dismiss"), &[])
        .await;

    assert_eq!(first["items"][0]["asset_id"], orders.as_str());
    assert_eq!(second["items"][0]["asset_id"], paid.as_str());
    assert_eq!(second["next"], serde_json::Value::Null);
    assert_eq!(dismissed.status, 303, "{}", dismissed.text);
    let left = ana.json("/api/v1/requests").await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    let denied = ray
        .post(&format!("/assets/{paid}/requests/dismiss"), &[])
        .await;
    assert_eq!(denied.status, 403);
    let path = format!("/api/v1/assets/{paid}/request");
    let again = Answer::of(ana.request(Method::PUT, &path)).await;
    assert_eq!(again.json()["people"], 2, "{}", again.text);
}

#[tokio::test]
async fn a_request_for_what_a_steward_does_not_see_or_may_not_describe_is_none_of_theirs() {
    let app = TestApp::start().await;
    app.add("sales", vec![table(&["sales", "orders"], &[("id", "int")])])
        .await;
    let vault = app
        .add("vault", vec![table(&["vault", "keys"], &[("id", "int")])])
        .await;
    let keys = app.id_of(&["vault", "keys"]).await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let ray = app.person("ray", Role::Reader, &[]).await;
    let asked = ray.post(&format!("/assets/{keys}/requests"), &[]).await;
    assert_eq!(asked.status, 303, "{}", asked.text);
    let before = ana.json("/api/v1/requests").await;
    let restricted = app
        .admin()
        .post(
            &format!("/assets/{vault}/restriction"),
            &[("do", "restrict"), ("sure", "1")],
        )
        .await;
    assert!(restricted.status.as_u16() < 400, "{}", restricted.text);

    let after = ana.json("/api/v1/requests").await;
    let admin = app.json("/api/v1/requests").await;
    let hidden = ana.post(&format!("/assets/{keys}/requests"), &[]).await;

    assert_eq!(before["items"].as_array().unwrap().len(), 1);
    assert!(after["items"].as_array().unwrap().is_empty());
    assert_eq!(admin["items"].as_array().unwrap().len(), 1);
    assert_eq!(hidden.status, 404);
}

#[tokio::test]
async fn a_search_without_results_is_told_once_listed_and_dismissed() {
    let app = TestApp::start().await;
    app.add("sales", vec![table(&["sales", "orders"], &[("id", "int")])])
        .await;
    app.until_indexed().await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let ray = app.person("ray", Role::Reader, &[]).await;
    let search = "/search?q=Umsatz++je%20Kunde";
    let offered = texts(&ray.page(search).await, ".empty button");
    let found = texts(&ray.page("/search?q=orders").await, ".empty button");

    for words in ["Umsatz  je Kunde", " umsatz je kunde"] {
        let told = ray.post("/requests/searches", &[("words", words)]).await;
        assert_eq!(told.status, 303, "{}", told.text);
    }
    let told = texts(&ray.page(search).await, ".empty");
    let list = texts(&ana.page("/requests/searches").await, "#searches tr");
    let program = ana.json("/api/v1/searches").await;
    let denied = ray.get("/requests/searches").await;
    let words = [("words", "umsatz je kunde")];
    let dismissed = ana.post("/requests/searches/dismiss", &words).await;
    let left = ana.page("/requests/searches").await;

    assert_eq!(offered, ["Tell the stewards that you looked for this"]);
    assert!(found.is_empty(), "{found:?}");
    assert!(told[0].contains("You told the stewards"), "{told:?}");
    assert_eq!(list.len(), 1);
    assert!(
        list[0].contains("umsatz je kunde") && list[0].contains("ray"),
        "{list:?}"
    );
    assert_eq!(program["items"][0]["people"], 1);
    assert_eq!(denied.status, 403);
    assert_eq!(dismissed.status, 303, "{}", dismissed.text);
    assert!(texts(&left, "#searches tr").is_empty());
    for words in ["", " ", &"x".repeat(201)] {
        let refused = ray.post("/requests/searches", &[("words", words)]).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
    }
    let audit = texts(&app.page("/audit").await, "tbody tr").join("\n");
    for sentence in [
        "Nothing was found for “umsatz je kunde”.",
        "What was told about “umsatz je kunde” was dismissed.",
    ] {
        assert!(audit.contains(sentence), "{audit}");
    }
}
