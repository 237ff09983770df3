//! People, teams, sessions and tokens, through the pages.

use gazetteer::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::{Actor, Role, Scope};
use reqwest::StatusCode;
use scraper::{Html, Selector};
use serde_json::Value;

use crate::support::app::{Answer, Browser, INSTANCE, TestApp, table, texts};

/// A password that is long and strange enough.
const PASSWORD: &str = "violet kettle marches 41 north";

/// What a field of a form has in it.
fn value(html: &Html, selector: &str) -> String {
    let selector = Selector::parse(selector).unwrap();
    let field = html.select(&selector).next().unwrap();
    let text: String = field.text().collect();
    field.value().attr("value").map_or(text, str::to_owned)
}

async fn account(app: &TestApp, name: &str) -> accounts::Account {
    let operator = Actor::operator();
    accounts::find_named(&app.app.db, &operator, &name.parse().unwrap())
        .await
        .unwrap()
}

/// The address of somebody's page.
async fn page_of(app: &TestApp, name: &str) -> String {
    format!("/people/{}", account(app, name).await.id)
}

async fn admin_posts(app: &TestApp, path: &str, form: &[(&str, &str)]) -> Answer {
    Answer::of(app.request(reqwest::Method::POST, path).form(form)).await
}

/// Makes an account by the page and chooses its password by the link that the page shows.
async fn invited(app: &TestApp, name: &str, role: &str) -> Browser {
    let form = [("name", name), ("role", role)];
    let made = admin_posts(app, "/people", &form).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let link = value(&made.html(), "#secret");
    let (_, code) = link.split_once("/choose-password?code=").unwrap();
    let form = [("code", code), ("password", PASSWORD)];
    let chosen = app.visitor().post("/choose-password", &form).await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text);
    app.visitor().with_cookie_of(&chosen)
}

#[tokio::test]
async fn an_invitation_is_a_link_that_is_shown_once_and_works_once() {
    let app = TestApp::start().await;
    let form = [
        ("name", "Ana"),
        ("display_name", "Ana Öz"),
        ("role", "reader"),
    ];
    let made = admin_posts(&app, "/people", &form).await;

    let link = value(&made.html(), "#secret");
    assert_eq!(made.header("cache-control"), "no-store");
    let path = link.strip_prefix(&app.base).unwrap();
    assert_eq!(app.visitor().get(path).await.status, StatusCode::OK);
    let (_, code) = link.split_once("code=").unwrap();
    let form = [("code", code), ("password", PASSWORD)];
    let chosen = app.visitor().post("/choose-password", &form).await;
    let again = app.visitor().post("/choose-password", &form).await;

    assert_eq!(chosen.status, StatusCode::SEE_OTHER);
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let listed = app.page("/people").await;
    assert!(
        texts(&listed, "#people tr")
            .join("\n")
            .contains("anaAna Öz")
    );
    assert!(!app.get("/people").await.text.contains(code));
}

#[tokio::test]
async fn a_form_tells_everything_that_is_wrong_and_keeps_its_text() {
    let app = TestApp::start().await;
    let form = [
        ("name", "a b"),
        ("display_name", "Ana <Öz>"),
        ("role", "steward-of"),
        ("scopes", "glue:nowhere\nglue:nothing/there"),
    ];

    let refused = admin_posts(&app, "/people", &form).await;
    let unnamed = admin_posts(&app, "/people", &[("name", "ana"), ("role", "dancer")]).await;
    let taken = admin_posts(&app, "/people", &[("name", "аdmin"), ("role", "reader")]).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.html();
    let told = &texts(&page, "[role=alert]")[0];
    for sentence in [
        "A name cannot have “ ” in it.",
        "There is no source or database “glue:nowhere”.",
        "There is no source or database “glue:nothing/there”.",
    ] {
        assert!(told.contains(sentence), "{told}");
    }
    assert_eq!(value(&page, "[name=name]"), "a b");
    assert_eq!(value(&page, "[name=display_name]"), "Ana <Öz>");
    assert_eq!(
        value(&page, "[name=scopes]"),
        "glue:nowhere\nglue:nothing/there"
    );
    assert_eq!(value(&page, "[name=role][checked]"), "steward-of");
    assert!(texts(&unnamed.html(), "[role=alert]")[0].contains("There is no role named “dancer”"));
    assert_eq!(taken.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_change_of_role_counts_with_the_next_request() {
    let app = TestApp::start().await;
    let bo = app.person("bo", Role::Admin, &[]).await;
    let page = page_of(&app, "bo").await;
    assert_eq!(bo.get("/people").await.status, StatusCode::OK);

    let demoted = admin_posts(&app, &format!("{page}/role"), &[("role", "reader")]).await;
    let then = bo.get("/people").await;

    assert_eq!(demoted.status, StatusCode::SEE_OTHER, "{}", demoted.text);
    assert_eq!(then.status, StatusCode::FORBIDDEN);
    assert_eq!(bo.get("/").await.status, StatusCode::OK);
    assert!(!bo.get("/").await.text.contains("href=\"/people\""));
}

#[tokio::test]
async fn a_steward_is_given_scopes_by_their_names() {
    let app = TestApp::start().await;
    let database = app
        .add("sales", vec![table(&["sales", "orders"], &[])])
        .await;
    app.person("bo", Role::Reader, &[]).await;
    let page = page_of(&app, "bo").await;
    let scope = format!("glue:{INSTANCE}/sales");

    let form = [("role", "steward-of"), ("scopes", scope.as_str())];
    let given = admin_posts(&app, &format!("{page}/role"), &form).await;
    let none = [("role", "steward-of"), ("scopes", " \n ")];
    let none = admin_posts(&app, &format!("{page}/role"), &none).await;
    let many = format!("{scope}\n").repeat(RoleGrant::MOST_SCOPES + 1);
    let many = [("role", "steward-of"), ("scopes", many.as_str())];
    let many = admin_posts(&app, &format!("{page}/role"), &many).await;

    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text);
    let shown = app.page(&page).await;
    assert_eq!(value(&shown, "[name=scopes]"), scope);
    assert_eq!(value(&shown, "[name=role][checked]"), "steward-of");
    let bo = account(&app, "bo").await;
    let standing = accounts::standing(&app.app.db, &Actor::operator(), &bo)
        .await
        .unwrap();
    let expected = Scope::Database {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        database: database.0,
    };
    assert_eq!(
        standing,
        RoleGrant::new(Role::Steward, Some(vec![expected]))
    );
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(many.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        texts(&many.html(), "[role=alert]"),
        [
            "A steward is given no more than 200 scopes one by one. Name sources instead of their databases."
        ]
    );
}

#[tokio::test]
async fn the_last_admin_is_neither_demoted_nor_locked() {
    let app = TestApp::start().await;
    let page = page_of(&app, "admin").await;

    let demoted = admin_posts(&app, &format!("{page}/role"), &[("role", "reader")]).await;
    let locked = admin_posts(&app, &format!("{page}/lock"), &[]).await;

    for refused in [&demoted, &locked] {
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let told = texts(&refused.html(), "[role=alert]");
        let sentence =
            "Somebody has to be an admin who is not locked. Make somebody else an admin first.";
        assert_eq!(told, [sentence]);
    }
    assert_eq!(app.get(&page).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_lock_ends_sessions_tokens_and_links_at_once() {
    let app = TestApp::start().await;
    let ana = invited(&app, "ana", "reader").await;
    let form = [("token", "script"), ("scope", "read"), ("days", "7")];
    let made = ana.post("/profile/tokens", &form).await;
    let program = Browser::with_token(&app.base, &value(&made.html(), "#secret"));
    let page = page_of(&app, "ana").await;
    assert_eq!(program.get("/api/v1/assets").await.status, StatusCode::OK);

    let locked = admin_posts(&app, &format!("{page}/lock"), &[]).await;
    let read = ana.get("/profile").await;
    let asked = program.get("/api/v1/assets").await;
    let link = admin_posts(&app, &format!("{page}/link"), &[]).await;
    admin_posts(&app, &format!("{page}/unlock"), &[]).await;
    let still = ana.get("/profile").await;
    let form = [("name", "ana"), ("password", PASSWORD)];
    let signed_in = app.visitor().post("/sign-in", &form).await;

    assert_eq!(locked.status, StatusCode::SEE_OTHER);
    assert_eq!(read.status, StatusCode::SEE_OTHER);
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(link.status, StatusCode::FORBIDDEN);
    // Unlocked, somebody signs in anew: the old session is gone.
    assert_eq!(still.status, StatusCode::SEE_OTHER);
    assert!(signed_in.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_and_ends_other_sessions() {
    let app = TestApp::start().await;
    let ana = invited(&app, "ana", "reader").await;
    let form = [("name", "ana"), ("password", PASSWORD)];
    let other = app.visitor().post("/sign-in", &form).await;
    let other = app.visitor().with_cookie_of(&other);
    let new = "seven copper lanterns drifted";

    let wrong = [("current", "not this one at all"), ("new", new)];
    let wrong = ana.post("/profile/password", &wrong).await;
    let weak = [("current", PASSWORD), ("new", "aaaaaaaaaaaaaaaa")];
    let weak = ana.post("/profile/password", &weak).await;
    let right = [("current", PASSWORD), ("new", new)];
    let changed = ana.post("/profile/password", &right).await;

    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        texts(&wrong.html(), "[role=alert]"),
        ["The current password is wrong."]
    );
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!weak.text.contains("aaaaaaaa") && !wrong.text.contains(new));
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text);
    let here = app.visitor().with_cookie_of(&changed);
    assert_eq!(here.get("/profile").await.status, StatusCode::OK);
    assert_eq!(other.get("/profile").await.status, StatusCode::SEE_OTHER);
    assert_eq!(ana.get("/profile").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let app = TestApp::start().await;
    let here = app.person("ana", Role::Reader, &[]).await;
    let there = app.person("ana", Role::Reader, &[]).await;
    let third = app.person("ana", Role::Reader, &[]).await;

    let page = here.page("/profile").await;
    let rows = texts(&page, ".sessions tbody tr");
    let ends = Selector::parse(".sessions form").unwrap();
    // The newest is the first.
    let action = page.select(&ends).next().unwrap().value().attr("action");
    let ended = here.post(action.unwrap(), &[]).await;
    let third_then = third.get("/profile").await;
    here.post("/profile/sessions/end", &[]).await;

    assert_eq!(rows.len(), 3);
    let here_rows: Vec<_> = rows
        .iter()
        .filter(|row| row.contains("This browser"))
        .collect();
    assert_eq!(here_rows.len(), 1);
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    assert_eq!(third_then.status, StatusCode::SEE_OTHER);
    assert_eq!(there.get("/profile").await.status, StatusCode::SEE_OTHER);
    assert_eq!(here.get("/profile").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_ends_or_revokes_what_is_somebody_elses() {
    let app = TestApp::start().await;
    let ana = app.person("ana", Role::Reader, &[]).await;
    let bo = app.person("bo", Role::Reader, &[]).await;
    let form = [("token", "script"), ("scope", "read"), ("days", "7")];
    let made = ana.post("/profile/tokens", &form).await;
    let program = Browser::with_token(&app.base, &value(&made.html(), "#secret"));
    let action = |page: &Html, selector: &str| {
        let selector = Selector::parse(selector).unwrap();
        let form = page.select(&selector).next().unwrap();
        form.value().attr("action").unwrap().to_owned()
    };
    app.person("ana", Role::Reader, &[]).await;
    let page = ana.page("/profile").await;
    let tokens = ana.page("/profile/tokens").await;

    let revoked = bo.post(&action(&tokens, ".tokens form"), &[]).await;
    bo.post(&action(&page, ".sessions form"), &[]).await;
    let as_reader = bo.get(&page_of(&app, "ana").await).await;

    assert_eq!(revoked.status, StatusCode::NOT_FOUND);
    assert_eq!(program.get("/api/v1/assets").await.status, StatusCode::OK);
    assert_eq!(
        texts(&ana.page("/profile").await, ".sessions tbody tr").len(),
        2
    );
    assert_eq!(as_reader.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_is_shown_once_and_revoked() {
    let app = TestApp::start().await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let form = [
        ("token", "Nightly <job>"),
        ("scope", "read"),
        ("scope", "ingest"),
        ("days", "30"),
    ];

    let made = ana.post("/profile/tokens", &form).await;
    let secret = value(&made.html(), "#secret");
    let program = Browser::with_token(&app.base, &secret);
    let listed = ana.get("/profile/tokens").await;
    let for_nothing = ana
        .post("/profile/tokens", &[("token", "x"), ("days", "30")])
        .await;
    let for_ever = [("token", "for ever"), ("scope", "write"), ("days", "3650")];
    let for_ever = ana.post("/profile/tokens", &for_ever).await;
    let worked = program.get("/api/v1/assets").await;
    let selector = Selector::parse(".tokens form").unwrap();
    let page = listed.html();
    let action = page
        .select(&selector)
        .next()
        .unwrap()
        .value()
        .attr("action");
    ana.post(action.unwrap(), &[]).await;
    let then = program.get("/api/v1/assets").await;

    assert_eq!(made.status, StatusCode::OK);
    assert_eq!(made.header("cache-control"), "no-store");
    assert!(secret.starts_with("gaz_") && !listed.text.contains(&secret));
    assert!(texts(&page, ".tokens tbody tr")[0].starts_with("Nightly <job>read, ingest"));
    assert!(texts(&for_nothing.html(), "[role=alert]")[0].contains("A token is for something"));
    let kept = for_ever.html();
    assert_eq!(value(&kept, "[name=token]"), "for ever");
    assert_eq!(value(&kept, "[name=days]"), "3650");
    assert_eq!(value(&kept, "[name=scope][checked]"), "write");
    assert_eq!(worked.status, StatusCode::OK);
    assert_eq!(then.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn admins_make_tokens_for_services_and_not_for_people() {
    let app = TestApp::start().await;
    let form = [("name", "loader"), ("role", "steward"), ("kind", "service")];
    let made = admin_posts(&app, "/people", &form).await;
    let page = made.header("location").to_owned();
    app.person("ana", Role::Reader, &[]).await;
    let form = [("token", "nightly"), ("scope", "ingest"), ("days", "30")];

    let token = admin_posts(&app, &format!("{page}/tokens"), &form).await;
    let of_ana = format!("{}/tokens", page_of(&app, "ana").await);
    let of_ana = admin_posts(&app, &of_ana, &form).await;

    let program = Browser::with_token(&app.base, &value(&token.html(), "#secret"));
    assert_eq!(program.get("/api/v1/runs").await.status, StatusCode::OK);
    assert_eq!(of_ana.status, StatusCode::FORBIDDEN);
    assert_eq!(texts(&of_ana.html(), "[role=alert]").len(), 1);
}

#[tokio::test]
async fn teams_are_made_and_filled() {
    let app = TestApp::start().await;
    app.person("ana", Role::Reader, &[]).await;

    let made = admin_posts(&app, "/teams", &[("name", "Data <b>Platform</b>")]).await;
    let team = made.header("location").to_owned();
    let taken = admin_posts(&app, "/teams", &[("name", "data  <b>platform</b>")]).await;
    let members = format!("{team}/members");
    let added = admin_posts(&app, &members, &[("account", "ANA")]).await;
    let unknown = admin_posts(&app, &members, &[("account", "nobody")]).await;
    let shown = app.page(&team).await;
    let of_ana = app.page(&page_of(&app, "ana").await).await;
    let selector = Selector::parse("#members form").unwrap();
    let action = shown
        .select(&selector)
        .next()
        .unwrap()
        .value()
        .attr("action");
    admin_posts(&app, action.unwrap(), &[]).await;

    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert_eq!(value(&taken.html(), "[name=name]"), "data  <b>platform</b>");
    assert_eq!(added.status, StatusCode::SEE_OTHER);
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(value(&unknown.html(), "[name=account]"), "nobody");
    assert!(texts(&shown, "#members li")[0].starts_with("ana"));
    assert!(texts(&of_ana, ".lines li")[0].starts_with("Data <b>Platform</b>"));
    assert!(texts(&app.page(&team).await, "#members li").is_empty());
}

#[tokio::test]
async fn hostile_names_stay_text_on_every_page() {
    let app = TestApp::start().await;
    let hostile = "<script>alert(1)</script>\u{202e}\"'&{{x}}";
    let admin = account(&app, "admin").await;
    let renamed = admin_posts(&app, "/profile/name", &[("display_name", hostile)]).await;
    assert_eq!(renamed.status, StatusCode::SEE_OTHER, "{}", renamed.text);
    app.person("ana", Role::Reader, &["<img src=x onerror=alert(1)>"])
        .await;
    let form = [("token", hostile), ("scope", "read"), ("days", "7")];
    let token = admin_posts(&app, "/profile/tokens", &form).await;
    assert_eq!(token.status, StatusCode::OK);

    for path in [
        "/".to_owned(),
        "/profile".to_owned(),
        "/profile/tokens".to_owned(),
        "/people".to_owned(),
        format!("/people?q={}", "%3Cscript%3E%22%3E"),
        format!("/people/{}", admin.id),
        page_of(&app, "ana").await,
        "/teams".to_owned(),
        "/audit".to_owned(),
        "/audit?thing=%22%3E%3Cscript%3E".to_owned(),
    ] {
        let answer = app.get(&path).await;
        assert!(answer.status.as_u16() < 500, "{path}");
        assert!(!answer.text.contains("<script>alert"), "{path}");
        assert!(!answer.text.contains("\"><script>"), "{path}");
        assert!(!answer.text.contains("<img src=x"), "{path}");
    }
    for path in ["/profile", "/profile/tokens", "/people", "/audit"] {
        let page = app.page(path).await;
        let shown = texts(&page, "main :is(h1, td, th)").join(" ");
        assert!(!shown.contains('\u{202e}'), "{path}: {shown}");
    }
}

#[tokio::test]
async fn everybody_is_listed_page_by_page_and_filtered() {
    let app = TestApp::start().await;
    for number in 0..60 {
        let new = NewAccount {
            kind: AccountKind::Person,
            name: format!("person-{number:02}").parse().unwrap(),
            display_name: (number == 41).then(|| "Zoë O'Neill".to_owned()),
            standing: RoleGrant::READER,
        };
        accounts::create(&app.app.db, &Actor::operator(), &new, chrono::Utc::now())
            .await
            .unwrap();
    }

    let first = app.page("/people").await;
    let more = Selector::parse(".more a").unwrap();
    let next = first.select(&more).next().unwrap().value().attr("href");
    let second = app.page(next.unwrap()).await;
    let found = app.page("/people?q=o%27neill").await;
    let none = app.page("/people?q=nobody%25").await;

    assert_eq!(texts(&first, "#people tr").len(), 50);
    assert_eq!(texts(&second, "#people tr").len(), 11);
    assert!(second.select(&more).next().is_none());
    assert_eq!(texts(&found, "#people .name"), ["person-41"]);
    assert_eq!(
        texts(&none, "main .none"),
        ["No match for “nobody%”. Show all"]
    );
}

#[tokio::test]
async fn what_is_done_to_people_is_on_record_with_its_request() {
    let app = TestApp::start().await;
    app.person("bo", Role::Reader, &[]).await;
    let page = page_of(&app, "bo").await;
    let request = app
        .request(reqwest::Method::POST, &format!("{page}/lock"))
        .header("x-request-id", "locking-bo-0001");
    Answer::of(request).await;

    let rows = app.json("/api/v1/audit?action=account_locked").await;

    let row: &Value = &rows["items"][0];
    assert_eq!(row["request_id"], "locking-bo-0001");
    assert_eq!(row["actor"]["name"], "admin");
    assert_eq!(row["thing"]["name"], "bo");
}
