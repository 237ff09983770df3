//! Every form of the product: found on the pages, filled in, sent, and compared with what comes back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{Days, Utc};
use gazetteer::auth::Role;
use gazetteer::auth::directories::Directories;
use gazetteer::config;
use gazetteer::demo::World as Glue;
use gazetteer::web::routes;
use reqwest::{Method, StatusCode};
use scraper::Selector;
use serde_json::{Value, json};

use crate::support::app::{Answer, Browser, Settings, TestApp, table, texts};
use crate::support::forms::{Form, forms};

const PASSWORD: &str = "seven purple tractors hum";
const NEW_PASSWORD: &str = "seven copper lanterns drifted";

/// The id of something that is not there.
const NOTHING: &str = "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60";

/// What is typed into each field of a form, and where it is seen afterwards.
struct Case {
    /// Method and address, with `{id}` for ids.
    form: &'static str,
    /// Field and text; a box or a button is chosen by its value. Other fields stay as they are.
    typed: Vec<(&'static str, String)>,
    back: Back,
}

/// Where that comes back.
enum Back {
    /// In the same form of the same page.
    Same,
    /// In the form itself, above which a sentence says why nothing came of it.
    Refused,
    /// As words of the page that one is led to.
    Words(&'static [&'static str]),
}

fn case(form: &'static str, typed: &[(&'static str, &str)], back: Back) -> Case {
    let typed = typed.iter().map(|(name, text)| (*name, (*text).to_owned()));
    Case {
        form,
        typed: typed.collect(),
        back,
    }
}

/// Every form that changes something, in an order in which each is still there when its turn comes.
///
/// A form that is missing here fails the test: say what may be typed into it, and where it is seen afterwards.
fn cases() -> Vec<Case> {
    use Back::{Refused, Same, Words};
    let day = (Utc::now().date_naive() + Days::new(40)).to_string();
    vec![
        case(
            "post /assets/{id}/edit/description",
            &[("text", "\nOne *row* for each order.\n\nNever late.")],
            Same,
        ),
        case(
            "post /assets/{id}/columns/{column}/edit",
            &[("text", "The **day**.")],
            Same,
        ),
        case(
            "post /assets/{id}/edit/tags",
            &[("tags", "pii\nGold standard")],
            Same,
        ),
        case(
            "post /assets/{id}/edit/owners",
            &[
                ("owner-0", "pat"),
                ("role-0", "technical"),
                ("owner-1", "Team: Data crew"),
                ("role-1", "business"),
                ("owner-2", "zoe"),
                ("role-2", "technical"),
            ],
            Same,
        ),
        case(
            "post /assets/{id}/edit/links",
            &[
                ("label-0", "Runbook"),
                ("url-0", "https://wiki.example/orders"),
                ("label-1", "Dashboard"),
                ("url-1", "http://boards.example/1"),
                ("label-2", "Ticket"),
                ("url-2", "https://tickets.example/77"),
            ],
            Same,
        ),
        case(
            "post /assets/{id}/edit/display_name",
            &[("name", "Orders by day")],
            Same,
        ),
        case(
            "post /assets/{id}/edit/related",
            &[
                ("kind-0", "joins_with"),
                ("target-0", "sales.paid"),
                ("note-0", "on orders.id = paid.order_id"),
                ("kind-1", "derived_from"),
                ("target-1", "sales.paid"),
                ("note-1", "by day"),
                ("kind-2", "replaces"),
                ("target-2", "sales.paid"),
                ("note-2", "since May"),
            ],
            Same,
        ),
        case(
            "post /assets/{id}/edit/verification",
            &[("until", &day)],
            Same,
        ),
        case(
            "post /assets/{id}/edit/deprecation",
            &[
                ("since", &day),
                ("replacement", "sales.paid"),
                ("text", "Too *slow*."),
            ],
            Same,
        ),
        case(
            "post /assets/{id}/columns/{column}/move",
            &[("to", "id")],
            Words(&["Of old."]),
        ),
        case("post /ingestion/recipes/world/runs", &[], Words(&["world"])),
        case(
            "post /sign-in-check",
            &[(
                "claims",
                "{\n  \"sub\": \"1\",\n  \"groups\": [\"staff\"]\n}",
            )],
            Same,
        ),
        // Nobody answers where the directory is.
        case(
            "post /sign-in-check name",
            &[("name", "jdoe, of *old*")],
            Refused,
        ),
        case("post /profile/name", &[("display_name", "Pat Öz")], Same),
        case(
            "post /profile/tokens",
            &[
                ("token", "loader"),
                ("scope", "read write ingest"),
                ("days", "7"),
            ],
            Words(&["loader"]),
        ),
        case("post /profile/tokens/{id}/revoke", &[], Words(&["Revoked"])),
        case("post /profile/sessions/{id}/end", &[], Words(&["Sessions"])),
        case(
            "post /people",
            &[
                ("name", "newcomer"),
                ("display_name", "New Comer"),
                ("kind", "service"),
                ("role", "steward-of"),
                ("scopes", "glue:123456789012/eu-central-1/sales"),
            ],
            Words(&[
                "newcomer",
                "New Comer",
                "glue:123456789012/eu-central-1/sales",
                "Service",
            ]),
        ),
        case("post /people/{id}/name", &[("display_name", "Zoë")], Same),
        case(
            "post /people/{id}/role",
            &[
                ("role", "steward-of"),
                (
                    "scopes",
                    "glue:123456789012/eu-central-1/sales\nglue:123456789012/eu-central-1",
                ),
            ],
            Same,
        ),
        case(
            "post /people/{id}/teams",
            &[("team", "Night shift")],
            Words(&["Night shift"]),
        ),
        case("post /people/{id}/teams/{id}/leave", &[], Words(&["Teams"])),
        case(
            "post /people/{id}/tokens",
            &[
                ("token", "nightly"),
                ("scope", "read write ingest"),
                ("days", "30"),
            ],
            Words(&["nightly"]),
        ),
        case(
            "post /people/{id}/tokens/{id}/revoke",
            &[],
            Words(&["Revoked"]),
        ),
        case(
            "post /people/{id}/sessions/{id}/end",
            &[],
            Words(&["Sessions"]),
        ),
        case("post /people/{id}/link", &[], Words(&["Invitation link"])),
        case(
            "post /teams",
            &[("name", "Third floor")],
            Words(&["Third floor"]),
        ),
        case(
            "post /teams/{id}/members",
            &[("account", "zoe")],
            Words(&["zoe"]),
        ),
        case(
            "post /teams/{id}/members/{id}/remove",
            &[],
            Words(&["Members"]),
        ),
        case("post /people/{id}/lock", &[], Words(&["Locked"])),
        case("post /people/{id}/unlock", &[], Words(&["Active"])),
        case(
            "post /assets/{id}/restriction",
            &[("admit", "*"), ("do", "restrict")],
            Same,
        ),
        case(
            "post /assets/{id}/restriction open",
            &[("do", "open")],
            Words(&["Visible to everyone."]),
        ),
        case(
            "post /browse/glue/{instance}/restriction",
            &[("admit", "*"), ("do", "restrict")],
            Same,
        ),
        case(
            "post /browse/glue/{instance}/restriction open",
            &[("do", "open")],
            Words(&["Visible to everyone."]),
        ),
        case("post /profile/sessions/end", &[], Words(&["Sessions"])),
        case("post /sign-out", &[], Words(&[])),
        case(
            "post /profile/password",
            &[("current", PASSWORD), ("new", NEW_PASSWORD)],
            Words(&[]),
        ),
    ]
}

/// A catalog in which every form is to be seen by `pat`, an admin with a password.
struct World {
    app: TestApp,
    pat: Browser,
    /// Pages that are left alone: those of the admins themselves.
    spared: Vec<String>,
}

impl World {
    async fn build() -> Self {
        let settings = Settings {
            directories: directories_without_anybody(),
            ..Settings::default()
        };
        let app = TestApp::beside_with(Glue::new(), settings).await;
        let orders = |columns: &[_]| table(&["sales", "orders"], columns);
        let paid = table(&["sales", "paid"], &[("id", "int")]);
        app.add(
            "sales",
            vec![orders(&[("id", "int"), ("old", "int")]), paid.clone()],
        )
        .await;
        let id = app.id_of(&["sales", "orders"]).await;
        let note = [("version", "0"), ("text", "Of old.")];
        let edit = format!("/assets/{id}/columns/old/edit");
        let noted = app.admin().post(&edit, &note).await;
        assert_eq!(noted.status, StatusCode::SEE_OTHER);
        app.add(
            "sales",
            vec![orders(&[("id", "int"), ("at", "date")]), paid],
        )
        .await;

        for (name, role) in [("pat", "admin"), ("loader", "reader")] {
            let service = if role == "admin" { "" } else { "service" };
            let form = [("name", name), ("role", role), ("kind", service)];
            let made = app.admin().post("/people", &form).await;
            if role == "admin" {
                let code = secret(&made);
                let (_, code) = code.split_once("code=").unwrap();
                let form = [("code", code), ("password", PASSWORD)];
                let chosen = app.visitor().post("/choose-password", &form).await;
                assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text);
            }
        }
        app.person("zoe", Role::Reader, &["Data crew"]).await;
        app.admin().post("/teams", &[("name", "Night shift")]).await;
        // Three browsers, two of which can be ended.
        for _ in 0..2 {
            sign_in(&app).await;
        }
        let pat = sign_in(&app).await;
        let mut spared = Vec::new();
        for (name, page) in people(&pat).await {
            match name.as_str() {
                "pat" | "admin" => spared.push(page),
                _ => {}
            }
        }
        Self { app, pat, spared }
    }

    /// Every form that can be reached by links, by its name, each the first of its kind.
    async fn forms(&self) -> BTreeMap<String, Found> {
        let mut found = BTreeMap::new();
        let mut seen: BTreeSet<String> = self.spared.iter().cloned().collect();
        let mut waiting = VecDeque::from(["/".to_owned()]);
        while let Some(page) = waiting.pop_front() {
            if !seen.insert(page.clone()) {
                continue;
            }
            let answer = self.pat.get(&page).await;
            if !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            assert_eq!(answer.status, StatusCode::OK, "{page}: {}", answer.text);
            let html = answer.html();
            for form in forms(&html, &page) {
                let page = page.clone();
                found.entry(name_of(&form)).or_insert(Found { page, form });
            }
            let links = Selector::parse("a[href^='/']").unwrap();
            let links = html
                .select(&links)
                .filter_map(|link| link.value().attr("href"));
            let paths = links.map(|href| href.split(['?', '#']).next().unwrap().to_owned());
            // Linking an account leads to another site.
            waiting.extend(paths.filter(|path| path != "/profile/link"));
        }
        found
    }
}

/// A provider and a directory where nobody answers.
fn directories_without_anybody() -> Directories {
    let settings = config::Directories {
        oidc: config::Oidc {
            issuer: Some("http://127.0.0.1:1".to_owned()),
            client_id: Some("gazetteer".to_owned()),
            roles: Some("*=reader".to_owned()),
            ..config::Oidc::default()
        },
        ldap: config::Ldap {
            url: Some("ldap://127.0.0.1:1".to_owned()),
            base_dn: Some("dc=example,dc=org".to_owned()),
            roles: Some("*=reader".to_owned()),
            ..config::Ldap::default()
        },
    };
    Directories::new(&settings).unwrap()
}

/// A form and the page that it was found on.
#[derive(Debug, Clone)]
struct Found {
    page: String,
    form: Form,
}

/// What a new link leads to.
fn secret(answer: &Answer) -> String {
    let html = answer.html();
    let secret = Selector::parse("#secret").unwrap();
    let secret = html.select(&secret).next().unwrap();
    secret.value().attr("value").unwrap().to_owned()
}

/// Another browser of `pat`.
async fn sign_in(app: &TestApp) -> Browser {
    let form = [("name", "pat"), ("password", PASSWORD)];
    let signed_in = app.visitor().post("/sign-in", &form).await;
    app.visitor().with_cookie_of(&signed_in)
}

async fn people(browser: &Browser) -> Vec<(String, String)> {
    let page = browser.page("/people").await;
    let links = Selector::parse("#people a.name").unwrap();
    let links = page.select(&links).map(|link| {
        let href = link.value().attr("href").unwrap();
        (link.text().collect(), href.to_owned())
    });
    links.collect()
}

/// Method and address with what varies in braces; the last word tells two forms of one address apart.
fn name_of(form: &Form) -> String {
    let mut before = "";
    let segments = form.action.split('/').map(|segment| {
        let segment = segment.split(['?', '#']).next().unwrap();
        let name = match segment {
            _ if segment.len() == 36 && segment.contains('-') => "{id}",
            _ if segment.contains("%2F") => "{instance}",
            _ if before == "columns" => "{column}",
            other => other,
        };
        before = name;
        name
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let choices: Vec<&str> = form
        .fields
        .iter()
        .filter(|field| field.name == "do")
        .map(|field| field.value.as_str())
        .collect();
    let has_name = form.fields.iter().any(|field| field.name == "name");
    let word = match path.as_str() {
        _ if choices == ["open"] => " open",
        "/sign-in-check" if has_name => " name",
        _ => "",
    };
    format!("{} {path}{word}", form.method)
}

/// The form as it is sent once everything has been typed.
fn fill(form: &Form, typed: &[(&'static str, String)]) -> Vec<(String, String)> {
    let is_typed = |name: &str| typed.iter().any(|(other, _)| *other == name);
    for field in &form.fields {
        let by_itself = ["hidden", "button"].contains(&field.kind.as_str());
        // One looks for people, and the other is for password managers.
        let apart = ["find", "username"].contains(&field.name.as_str());
        assert!(
            by_itself || apart || is_typed(&field.name),
            "Say what is typed into “{}” of {}.",
            field.name,
            name_of(form)
        );
    }
    let mut sent = form.untouched();
    sent.retain(|(name, _)| !is_typed(name));
    for (name, text) in typed {
        let fields: Vec<_> = form
            .fields
            .iter()
            .filter(|field| field.name == *name)
            .collect();
        assert!(
            !fields.is_empty(),
            "{} has no field “{name}”.",
            name_of(form)
        );
        let boxes = fields.iter().filter(|field| field.kind == "checkbox");
        let ticked =
            boxes.filter(|field| text == "*" || text.split(' ').any(|word| word == field.value));
        let ticked: Vec<_> = ticked
            .map(|field| ((*name).to_owned(), field.value.clone()))
            .collect();
        if ticked.is_empty() {
            sent.push(((*name).to_owned(), text.replace('\n', "\r\n")));
        } else {
            sent.extend(ticked);
        }
    }
    sent
}

/// What of a sent form somebody sees, in an order that does not matter.
fn visible(form: &Form, sent: &[(String, String)]) -> BTreeSet<(String, String)> {
    let shown = |name: &str| {
        let field = form.fields.iter().find(|field| field.name == name);
        // The name beside a password is for password managers.
        let field = field.filter(|field| field.name != "username");
        field.is_some_and(|field| !["hidden", "button", "password"].contains(&field.kind.as_str()))
    };
    let texts = sent
        .iter()
        .filter(|(name, text)| shown(name) && !text.trim().is_empty());
    texts
        .map(|(name, text)| (name.clone(), text.replace("\r\n", "\n")))
        .collect()
}

async fn send(browser: &Browser, action: &str, sent: &[(String, String)]) -> Answer {
    Answer::of(browser.request(Method::POST, action).form(sent)).await
}

/// Fails unless all that was typed stands in the fields of the page that came back.
fn assert_kept(answer: &Answer, form: &Form, sent: &[(String, String)], what: &str) {
    let html = answer.html();
    let held: BTreeSet<(String, String)> = forms(&html, "")
        .iter()
        .flat_map(Form::untouched)
        .map(|(name, text)| (name, text.replace("\r\n", "\n")))
        .collect();
    let lost: Vec<_> = visible(form, sent).difference(&held).cloned().collect();
    assert!(lost.is_empty(), "{what} lost {lost:?}: {}", answer.text);
}

/// Whether the form of this name is sent to a route of this pattern.
fn leads_to(name: &str, pattern: &str) -> bool {
    let path = name.split(' ').nth(1).unwrap();
    let (path, pattern): (Vec<_>, Vec<_>) =
        (path.split('/').collect(), pattern.split('/').collect());
    path.len() == pattern.len()
        && path
            .iter()
            .zip(&pattern)
            .all(|(one, other)| other.starts_with('{') || one == other)
}

/// Sends a form without a session, about something that is not there, as it should be, and once more.
async fn walk(world: &World, case: &Case, found: &Found) {
    let what = case.form;
    let again = async || {
        let page = world.pat.page(&found.page).await;
        forms(&page, &found.page)
            .into_iter()
            .find(|form| name_of(form) == what && form.action == found.form.action)
    };
    let form = again().await.unwrap();
    let sent = fill(&form, &case.typed);

    let stranger = world.app.visitor().with_session("ended");
    let refused = send(&stranger, &form.action, &sent).await;
    assert_eq!(
        refused.status,
        StatusCode::UNAUTHORIZED,
        "{what}: {}",
        refused.text
    );
    assert_kept(&refused, &form, &sent, what);
    if without_ids(&form.action) != form.action && !visible(&form, &sent).is_empty() {
        let gone = send(&world.pat, &without_ids(&form.action), &sent).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{what}: {}", gone.text);
        assert_kept(&gone, &form, &sent, what);
    }

    // Another browser signs out: this one has more to do.
    let who = if what == "post /sign-out" {
        sign_in(&world.app).await
    } else {
        world.pat.clone()
    };
    let done = send(&who, &form.action, &sent).await;
    let led_to = match done.status {
        StatusCode::SEE_OTHER => world.pat.get(done.header("location")).await.text,
        _ => done.text.clone(),
    };
    let expected: &[u16] = match case.back {
        Back::Refused => &[422],
        Back::Same | Back::Words(_) => &[200, 303],
    };
    assert!(
        expected.contains(&done.status.as_u16()),
        "{what}: {}",
        done.text
    );
    match case.back {
        Back::Refused => assert_kept(&done, &form, &sent, what),
        Back::Same => {
            // What answers at once keeps nothing for later.
            let now = if done.status == StatusCode::OK {
                let shown = forms(&done.html(), &found.page);
                shown.into_iter().find(|form| name_of(form) == what)
            } else {
                again().await
            };
            let now = now.unwrap();
            let typed: BTreeSet<&str> = case.typed.iter().map(|(name, _)| *name).collect();
            let mut held = visible(&now, &now.untouched());
            held.retain(|(name, _)| typed.contains(name.as_str()));
            let mut wanted = visible(&form, &sent);
            wanted.retain(|(name, _)| typed.contains(name.as_str()));
            assert_eq!(held, wanted, "{what}");
        }
        Back::Words(words) => {
            for word in words {
                assert!(
                    led_to.contains(word),
                    "{what} does not show “{word}”: {led_to}"
                );
            }
        }
    }
    if !["post /sign-out", "post /profile/password"].contains(&what) {
        let twice = send(&world.pat, &form.action, &sent).await;
        assert!(!twice.status.is_server_error(), "{what}: {}", twice.text);
        if ![StatusCode::OK, StatusCode::SEE_OTHER].contains(&twice.status) {
            assert_kept(&twice, &form, &sent, what);
        }
    }
    if form.action.contains("/edit") {
        assert_late_is_kept(world, &form, &sent, what).await;
        assert_api_has(world, &form, case).await;
    }
}

fn without_ids(action: &str) -> String {
    let segments = action.split('/').map(|segment| {
        if segment.len() == 36 {
            NOTHING
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Sends something else from the version of before: it is refused, and everything typed is still there.
async fn assert_late_is_kept(world: &World, form: &Form, sent: &[(String, String)], what: &str) {
    let seen = visible(form, sent);
    let is_text = |name: &str| {
        let field = form.fields.iter().find(|field| field.name == name);
        field.is_some_and(|field| !["select", "checkbox"].contains(&field.kind.as_str()))
    };
    let late = sent.iter().map(|(name, text)| {
        let is_typed = is_text(name) && seen.iter().any(|(other, _)| other == name);
        let text = if is_typed {
            format!("{text} late")
        } else {
            text.clone()
        };
        (name.clone(), text)
    });
    let late: Vec<_> = late.collect();

    let answer = send(&world.pat, &form.action, &late).await;

    match answer.status {
        StatusCode::UNPROCESSABLE_ENTITY => assert_kept(&answer, form, &late, what),
        StatusCode::CONFLICT => assert!(answer.text.contains(" late"), "{what}: {}", answer.text),
        status => panic!("{what}: {status}"),
    }
}

/// Compares what programs are told with what was typed.
async fn assert_api_has(world: &World, form: &Form, case: &Case) {
    let mut segments = form.action.split('/').skip(2);
    let (id, part, last) = (
        segments.next().unwrap(),
        segments.next().unwrap(),
        segments.next().unwrap(),
    );
    let human = world.app.json(&format!("/api/v1/assets/{id}")).await["human"].clone();
    let typed = |name: &str| {
        let field = case.typed.iter().find(|(other, _)| *other == name);
        field.map(|(_, text)| text.as_str()).unwrap_or_default()
    };
    let (told, wanted): (Value, Value) = match (part, last) {
        ("columns", column) => (
            human["columns"][column]["text"].clone(),
            json!(typed("text")),
        ),
        (_, "description") => (human["description"]["text"].clone(), json!(typed("text"))),
        (_, "tags") => (
            human["tags"]["tags"].clone(),
            json!(typed("tags").split('\n').collect::<Vec<_>>()),
        ),
        (_, "display_name") => (human["display_name"]["name"].clone(), json!(typed("name"))),
        (_, "related") => (
            human["related"]["related"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|one| {
                    [
                        one["kind"].clone(),
                        one["name"].clone(),
                        one["note"].clone(),
                    ]
                })
                .collect(),
            case.typed.iter().map(|(_, text)| json!(text)).collect(),
        ),
        (_, "verification") => (
            human["verification"]["until"].clone(),
            json!(typed("until")),
        ),
        (_, "deprecation") => (
            json!([
                human["deprecation"]["since"],
                human["deprecation"]["note"],
                human["deprecation"]["replacement"].is_string()
            ]),
            json!([typed("since"), typed("text"), true]),
        ),
        (_, "owners") => (
            human["owners"]["owners"]
                .as_array()
                .unwrap()
                .iter()
                .map(|owner| json!([owner["name"], owner["role"]]))
                .collect(),
            json!([
                ["pat", "technical"],
                ["Data crew", "business"],
                ["zoe", "technical"]
            ]),
        ),
        (_, "links") => (
            human["links"]["links"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|link| [link["label"].clone(), link["url"].clone()])
                .collect(),
            case.typed.iter().map(|(_, text)| json!(text)).collect(),
        ),
        other => panic!("{other:?} is no aspect"),
    };
    assert_eq!(told, wanted, "{}", case.form);
}

#[tokio::test]
async fn every_form_keeps_what_was_typed_into_it() {
    let world = World::build().await;
    let cases = cases();
    let mut found = world.forms().await;

    for case in &cases {
        if !found.contains_key(case.form) {
            found = world.forms().await;
        }
        let one = found.get(case.form);
        let one = one.unwrap_or_else(|| panic!("no page has the form {}", case.form));
        walk(&world, case, one).await;
        let unknown = found.keys().filter(|name| name.starts_with("post "));
        // Nothing is typed into the buttons that restore.
        let unknown = unknown.filter(|name| !name.ends_with("/restore"));
        let unknown = unknown.filter(|name| !cases.iter().any(|case| case.form == *name));
        let unknown: Vec<_> = unknown.collect();
        assert!(unknown.is_empty(), "Say what is typed into {unknown:?}.");
    }

    // One is for scripts, some show only after a save or to readers (`in_place.rs` and `requests.rs` send them), the
    // others are for those who are not signed in: `signing_in.rs` sends them.
    let elsewhere = [
        "/assets/{id}/columns/{column}/edit/undo",
        "/assets/{id}/edit/{aspect}/undo",
        "/assets/{id}/history/{number}/restore",
        "/assets/{id}/requests",
        "/assets/{id}/requests/dismiss",
        "/requests/searches",
        "/requests/searches/dismiss",
        "/preview",
        "/sign-in",
        "/sign-in/demo",
        "/set-up",
        "/choose-password",
    ];
    for site in routes::all() {
        let is_form = site.method == "POST" && !site.pattern.starts_with("/api/");
        if is_form && !elsewhere.contains(&site.pattern) {
            let is_sent = cases.iter().any(|case| leads_to(case.form, site.pattern));
            assert!(is_sent, "No form is sent to {}.", site.pattern);
        }
    }
}

#[tokio::test]
async fn every_form_that_asks_shows_what_it_asked_for() {
    let world = World::build().await;
    let found = world.forms().await;

    let asking = found.iter().filter(|(name, _)| name.starts_with("get "));
    let mut seen = 0;
    for (name, Found { form, .. }) in asking {
        let mut sent = Vec::new();
        for field in &form.fields {
            let text = match field.kind.as_str() {
                "text" | "search" => "orders",
                "date" => "2026-01-31",
                _ => field.value.as_str(),
            };
            sent.push((field.name.clone(), text.to_owned()));
        }
        let answer = Answer::of(world.pat.request(Method::GET, &form.action).query(&sent)).await;
        let known = [StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY];
        assert!(known.contains(&answer.status), "{name}: {}", answer.text);
        assert_kept(&answer, form, &sent, name);
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

#[tokio::test]
async fn opening_deprecate_means_yes_and_a_button_of_its_own_takes_it_back() {
    let world = World::build().await;
    let id = world.app.id_of(&["sales", "orders"]).await;
    let edit = format!("/assets/{id}/edit/deprecation");
    let opened = async || {
        let opened = forms(&world.pat.page(&edit).await, &edit);
        let form = opened.into_iter().find(|form| form.action == edit);
        form.unwrap()
    };
    let human = async || {
        let asset = world.app.json(&format!("/api/v1/assets/{id}")).await;
        asset["human"]["deprecation"].clone()
    };
    let with = |form: &Form, name: &str, text: &str| {
        let mut sent = form.untouched();
        sent.retain(|(other, _)| other != name);
        sent.push((name.to_owned(), text.to_owned()));
        sent
    };

    let saved = send(
        &world.pat,
        &edit,
        &with(&opened().await, "text", "Too slow."),
    )
    .await;
    let deprecated = human().await;
    let taken_back = send(&world.pat, &edit, &with(&opened().await, "do", "remove")).await;

    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    assert_eq!(deprecated["note"], "Too slow.");
    let today = Utc::now().date_naive().to_string();
    assert_eq!(deprecated["since"], json!(today));
    assert_eq!(
        taken_back.status,
        StatusCode::SEE_OTHER,
        "{}",
        taken_back.text
    );
    assert_eq!(human().await["since"], Value::Null);
}

#[tokio::test]
async fn verifying_offers_a_day_so_that_saving_at_once_verifies() {
    let world = World::build().await;
    let id = world.app.id_of(&["sales", "orders"]).await;
    let edit = format!("/assets/{id}/edit/verification");
    let opened = forms(&world.pat.page(&edit).await, &edit);
    let opened = opened.iter().find(|form| form.action == edit).unwrap();

    let saved = send(&world.pat, &edit, &opened.untouched()).await;

    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let human = &world.app.json(&format!("/api/v1/assets/{id}")).await["human"];
    let until = human["verification"]["until"].as_str().unwrap();
    assert!(
        until > Utc::now().date_naive().to_string().as_str(),
        "{until}"
    );
}

#[tokio::test]
async fn what_a_form_would_leave_out_is_refused_at_its_field() {
    let world = World::build().await;
    let id = world.app.id_of(&["sales", "orders"]).await;
    let database = world.app.id_of(&["sales"]).await;
    let zoe = people(&world.pat).await;
    let (_, zoe) = zoe.iter().find(|(name, _)| name == "zoe").unwrap();
    let edit = |aspect: &str| format!("/assets/{id}/edit/{aspect}");
    let long = "x".repeat(201);

    for (action, form, field) in [
        (
            edit("owners"),
            vec![("owner-0", "nobody at all")],
            "#field-owner-0[aria-invalid]",
        ),
        (
            edit("owners"),
            vec![("owner-0", "zoe"), ("role-0", "techincal")],
            "#field-owner-0[aria-invalid]",
        ),
        (
            edit("owners"),
            vec![("owner-40", "zoe")],
            "#problems [href='#field-owner-40']",
        ),
        (
            edit("links"),
            vec![("label-1", "Runbook")],
            "#field-url-0[aria-invalid]",
        ),
        (
            edit("links"),
            vec![("label-0", &long), ("url-0", "https://a.example")],
            "#field-label-0[aria-invalid]",
        ),
        (
            edit("tags"),
            vec![("tag", "pii")],
            "#problems [href='#field-tag']",
        ),
        (
            edit("verification"),
            vec![("until", "2020-01-31")],
            "#field-until[aria-invalid]",
        ),
        (
            edit("verification"),
            vec![("until", "soon")],
            "#field-until[aria-invalid]",
        ),
        (
            edit("deprecation"),
            vec![("replacement", "no.such")],
            "#field-replacement[aria-invalid]",
        ),
        (
            edit("description"),
            vec![("text", "x"), ("reason", "y")],
            "#problems [href='#field-reason']",
        ),
        (
            format!("/assets/{database}/restriction"),
            vec![("find", "zoe"), ("do", "restrict")],
            "#find[aria-invalid]",
        ),
        (
            format!("{zoe}/role"),
            vec![("role", "reader"), ("scopes", "glue:x")],
            "#refusal",
        ),
        (
            "/people".to_owned(),
            vec![("name", "new"), ("role", "admin"), ("scopes", "glue:x")],
            "#refusal",
        ),
    ] {
        let answer = world.pat.post(&action, &form).await;

        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{action} {form:?}: {}",
            answer.text
        );
        let html = answer.html();
        assert!(
            !texts(&html, field).is_empty(),
            "{action} {form:?}: {}",
            answer.text
        );
        for (_, text) in &form {
            let is_choice = ["restrict", "techincal", "reader", "admin", "1"].contains(text);
            let is_unknown = field.contains("problems");
            assert!(
                is_choice || is_unknown || answer.text.contains(text),
                "{text}: {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn two_admins_who_restrict_at_once_lose_neither_choice() {
    let world = World::build().await;
    let database = world.app.id_of(&["sales"]).await;
    let lock = format!("/assets/{database}/restriction");
    let page = world.pat.page(&lock).await;
    let form = forms(&page, &lock)
        .into_iter()
        .find(|form| form.action == lock)
        .unwrap();
    let values: Vec<String> = form
        .fields
        .iter()
        .filter(|field| field.name == "admit")
        .map(|field| field.value.clone())
        .collect();
    let with = |chosen: &str| {
        let mut sent = form.untouched();
        sent.push(("admit".to_owned(), chosen.to_owned()));
        sent.push(("do".to_owned(), "restrict".to_owned()));
        sent
    };

    let first = send(&world.pat, &lock, &with(&values[0])).await;
    let second = send(world.app.admin(), &lock, &with(&values[1])).await;
    let shown = forms(&second.html(), &lock)
        .into_iter()
        .find(|form| form.action == lock)
        .unwrap();
    let mut both = shown.untouched();
    both.push(("do".to_owned(), "restrict".to_owned()));
    let third = send(world.app.admin(), &lock, &both).await;

    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text);
    assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text);
    let ticked: BTreeSet<String> = both
        .iter()
        .filter(|(name, _)| name == "admit")
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(
        ticked,
        BTreeSet::from([values[0].clone(), values[1].clone()])
    );
    assert_eq!(third.status, StatusCode::SEE_OTHER, "{}", third.text);
}

#[tokio::test]
async fn a_browser_cuts_nothing_that_is_pasted() {
    let world = World::build().await;
    for Found { page, .. } in world.forms().await.values() {
        let html = world.pat.page(page).await;
        assert_eq!(texts(&html, "[maxlength]").len(), 0, "{page}");
    }
}
