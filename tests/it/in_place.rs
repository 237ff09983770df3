//! Editing where one reads: parts for scripts, undo, suggestions, descriptions from elsewhere, renamed columns.

use gazetteer::auth::scopes;
use gazetteer::auth::{Role, Scope};
use reqwest::Method;
use scraper::Html;

use crate::support::app::{Answer, Browser, INSTANCE, TestApp, table, texts};

/// What a script asks for, to put it into the page that is open.
async fn part(browser: &Browser, path: &str) -> Answer {
    Answer::of(
        browser
            .request(Method::GET, path)
            .header("HX-Request", "true"),
    )
    .await
}

async fn send_part(browser: &Browser, path: &str, form: &[(&str, &str)]) -> Answer {
    let request = browser.request(Method::POST, path);
    Answer::of(request.header("HX-Request", "true").form(form)).await
}

fn values(html: &Html, selector: &str, attribute: &str) -> Vec<String> {
    let selector = scraper::Selector::parse(selector).unwrap();
    let found = html.select(&selector);
    found
        .filter_map(|element| element.value().attr(attribute).map(str::to_owned))
        .collect()
}

async fn world() -> (TestApp, Browser, String) {
    let app = TestApp::start().await;
    let orders = table(
        &["sales", "orders"],
        &[("id", "int"), ("customer_id", "bigint")],
    );
    let returns = table(&["sales", "returns"], &[("customer_id", "bigint")]);
    app.add("sales", vec![orders, returns]).await;
    let ana = app.person("ana", Role::Steward, &["Data crew"]).await;
    let page = format!("/assets/{}", app.id_of(&["sales", "orders"]).await);
    (app, ana, page)
}

#[tokio::test]
async fn a_script_gets_the_form_alone_and_after_a_save_the_row_with_undo() {
    let (_app, ana, page) = world().await;
    let edit = format!("{page}/columns/id/edit");

    let form = part(&ana, &edit).await;
    let saved = send_part(&ana, &edit, &[("version", "0"), ("text", "Counts up.")]).await;
    let row = part(&ana, saved.header("location")).await;

    assert!(!form.text.contains("<html"), "{}", form.text);
    assert_eq!(texts(&form.html(), "form.editor .save"), ["Save"]);
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert!(!row.text.contains("<html"), "{}", row.text);
    let row = row.html();
    assert_eq!(texts(&row, "tr[data-editable] .note"), ["Counts up."]);
    let undo = format!("{edit}/undo");
    assert_eq!(values(&row, "#toast form", "action"), [undo]);
    assert_eq!(values(&row, "#toast [name=version]", "value"), ["1"]);
}

#[tokio::test]
async fn what_is_refused_in_place_comes_back_in_place_with_its_text() {
    let (_app, ana, page) = world().await;
    let edit = format!("{page}/edit/owners");

    let form = [("version", "0"), ("owner-0", "nobody at all")];
    let refused = send_part(&ana, &edit, &form).await;

    assert_eq!(refused.status, 422);
    assert!(!refused.text.contains("<html"), "{}", refused.text);
    let field = "#field-owner-0[aria-invalid]";
    assert_eq!(values(&refused.html(), field, "value"), ["nobody at all"]);
}

#[tokio::test]
async fn undo_saves_what_was_there_before_and_leaves_later_edits_alone() {
    let (app, ana, page) = world().await;
    let bo = app.person("bo", Role::Steward, &[]).await;
    let edit = format!("{page}/edit/description");
    let undo = format!("{edit}/undo");
    for (version, text) in [("0", "First."), ("1", "Second.")] {
        let saved = ana
            .post(&edit, &[("version", version), ("text", text)])
            .await;
        assert_eq!(saved.status, 303, "{}", saved.text);
    }

    let undone = ana.post(&undo, &[("version", "2")]).await;
    let after = texts(&ana.page(&page).await, "#description");
    let later = [("version", "3"), ("text", "Third, by Bo.")];
    assert_eq!(bo.post(&edit, &later).await.status, 303);
    let late = ana.post(&undo, &[("version", "2")]).await;

    assert_eq!(undone.status, 303, "{}", undone.text);
    assert_eq!(after, ["First."]);
    assert_eq!(late.status, 409, "{}", late.text);
    assert_eq!(texts(&late.html(), "#theirs"), ["Third, by Bo."]);
    let kept = texts(&ana.page(&page).await, "#description");
    assert_eq!(kept, ["Third, by Bo."]);
}

#[tokio::test]
async fn undoing_the_first_description_of_a_column_empties_it() {
    let (_app, ana, page) = world().await;
    let edit = format!("{page}/columns/id/edit");
    ana.post(&edit, &[("version", "0"), ("text", "Counts up.")])
        .await;

    let undone = ana.post(&format!("{edit}/undo"), &[("version", "1")]).await;

    assert_eq!(undone.status, 303, "{}", undone.text);
    let shown = ana.page(&page).await;
    assert!(texts(&shown, "#columns-rows .note").is_empty());
    assert_eq!(texts(&shown, "#orphans"), Vec::<String>::new());
}

#[tokio::test]
async fn a_description_of_the_same_column_elsewhere_is_offered_to_who_sees_it() {
    let (app, ana, page) = world().await;
    let returns = app.id_of(&["sales", "returns"]).await;
    let secret = app
        .add(
            "vault",
            vec![table(&["vault", "keys"], &[("customer_id", "bigint")])],
        )
        .await;
    let keys = app.id_of(&["vault", "keys"]).await;
    for (id, text) in [(returns, "Who bought it."), (keys, "Quokka.")] {
        let edit = format!("/assets/{id}/columns/customer_id/edit");
        let saved = app
            .admin()
            .post(&edit, &[("version", "0"), ("text", text)])
            .await;
        assert_eq!(saved.status, 303, "{}", saved.text);
    }
    let scope = Scope::Database {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        database: secret.0,
    };
    let restricted = app
        .admin()
        .post(
            &format!("/assets/{secret}/restriction"),
            &[("do", "restrict"), ("sure", "1")],
        )
        .await;
    assert!(restricted.status.as_u16() < 400, "{}", restricted.text);
    let closed = scopes::find_restriction(&app.app.db, &scope).await.unwrap();
    assert!(closed.is_some());
    let edit = format!("{page}/columns/customer_id/edit");

    let opened = ana.page(&edit).await;
    let used = ana
        .post(&edit, &[("version", "0"), ("text", ""), ("use", "1")])
        .await;
    let everything = app.admin().page(&edit).await;

    let offers = values(&opened, "[data-use]", "data-use");
    assert_eq!(offers, ["Who bought it."]);
    assert_eq!(
        texts(&opened, ".offers .label"),
        ["“customer_id” is described in 1 other table."]
    );
    assert_eq!(used.status, 200, "{}", used.text);
    assert_eq!(texts(&used.html(), "textarea"), ["Who bought it."]);
    assert_eq!(values(&everything, "[data-use]", "data-use").len(), 2);
}

#[tokio::test]
async fn pickers_suggest_what_somebody_sees_the_same_database_first() {
    let (app, ana, page) = world().await;
    app.add(
        "archive",
        vec![table(&["archive", "orders_old"], &[("id", "int")])],
    )
    .await;
    app.until_indexed().await;
    ana.post(
        &format!("{page}/edit/tags"),
        &[("version", "0"), ("tags", "pii\ngold")],
    )
    .await;
    let returns = app.id_of(&["sales", "returns"]).await;

    let assets = ana
        .page(&format!("/pick/assets?q=orders&near={returns}"))
        .await;
    let owners = ana.page("/pick/owners?q=data").await;
    let tags = ana.page("/pick/tags?q=PI").await;
    let denied = ana.get("/pick/scopes?q=sales").await;
    let scopes = app.admin().page("/pick/scopes?q=sales").await;

    let offered = |html: &Html| values(html, "[role=option]", "data-value");
    assert_eq!(offered(&assets), ["sales.orders", "archive.orders_old"]);
    assert_eq!(offered(&owners), ["Team: Data crew"]);
    assert_eq!(offered(&tags), ["pii"]);
    assert_eq!(denied.status, 403);
    assert_eq!(offered(&scopes), [format!("glue:{INSTANCE}/sales")]);
}

#[tokio::test]
async fn a_replacement_is_named_as_people_name_it() {
    let (app, ana, page) = world().await;
    app.add(
        "archive",
        vec![
            table(&["archive", "old"], &[("id", "int")]),
            table(&["archive", "returns"], &[("id", "int")]),
        ],
    )
    .await;
    app.until_indexed().await;
    let edit = format!("{page}/edit/deprecation");
    let mut led_to = Vec::new();

    for (version, name) in [("0", "returns"), ("1", "archive.returns"), ("2", "old")] {
        let form = [("version", version), ("replacement", name), ("text", "")];
        let saved = ana.post(&edit, &form).await;
        assert_eq!(saved.status, 303, "{name}: {}", saved.text);
        let asset = ana.json(&format!("/api/v1{page}")).await;
        led_to.push(asset["human"]["deprecation"]["replacement"].clone());
    }
    let form = [("version", "3"), ("replacement", "no such"), ("text", "")];
    let refused = ana.post(&edit, &form).await;

    let id = async |path: &[&str]| app.id_of(path).await.to_string();
    let expected = [
        id(&["sales", "returns"]).await,
        id(&["archive", "returns"]).await,
        id(&["archive", "old"]).await,
    ];
    assert_eq!(led_to, expected);
    assert_eq!(refused.status, 422);
    assert_eq!(
        texts(&refused.html(), "#replacement-wrong"),
        ["No table or view is called “no such”. Choose one from the list."]
    );
}

#[tokio::test]
async fn a_column_that_came_as_another_went_is_suggested_for_its_description() {
    let (app, ana, page) = world().await;
    let edit = format!("{page}/columns/customer_id/edit");
    ana.post(&edit, &[("version", "0"), ("text", "Who bought it.")])
        .await;
    let renamed = table(
        &["sales", "orders"],
        &[("id", "int"), ("buyer_id", "bigint")],
    );
    app.add("sales", vec![renamed, table(&["sales", "returns"], &[])])
        .await;

    let shown = ana.page(&page).await;
    let to = values(&shown, "#orphans .likely [name=to]", "value");
    let form = [("to", to[0].as_str())];
    let moved = ana
        .post(&format!("{page}/columns/customer_id/move"), &form)
        .await;

    assert_eq!(to, ["buyer_id"]);
    assert_eq!(moved.status, 303, "{}", moved.text);
    let after = ana.page(&page).await;
    assert_eq!(texts(&after, "#columns-rows .note"), ["Who bought it."]);
}

#[tokio::test]
async fn an_owner_of_the_source_is_accepted_by_one_click() {
    let (app, ana, _) = world().await;
    let mut orders = table(&["sales", "orders"], &[("id", "int")]);
    orders.source.owner = Some("Data crew".to_owned());
    app.add("sales", vec![orders]).await;
    let page = format!("/assets/{}", app.id_of(&["sales", "orders"]).await);

    let before = ana.page(&page).await;
    let fields = ["version", "owner-0", "role-0"].map(|name| {
        let selector = format!("form.accept [name={name}]");
        let value = values(&before, &selector, "value").remove(0);
        (name, value)
    });
    let form: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let accepted = ana.post(&format!("{page}/edit/owners"), &form).await;

    assert_eq!(
        texts(&before, "#source-owner"),
        ["Data crew, says AWS Glue"]
    );
    assert_eq!(accepted.status, 303, "{}", accepted.text);
    let after = ana.page(&page).await;
    assert_eq!(texts(&after, "#owners dd"), ["Data crew"]);
    assert!(texts(&after, "#source-owner").is_empty());
}

#[tokio::test]
async fn the_columns_that_have_no_description_are_counted_once() {
    let (_app, ana, page) = world().await;
    let edit = format!("{page}/columns/id/edit");
    ana.post(&edit, &[("version", "0"), ("text", "Counts up.")])
        .await;

    let shown = ana.page(&page).await;

    let described = texts(&shown, "#columns-described");
    assert_eq!(
        described,
        ["1 of 2 columns described Add the next description"]
    );
    let next = values(&shown, "#columns-described a", "href");
    assert_eq!(next, [format!("{page}/columns/customer_id/edit")]);
}
