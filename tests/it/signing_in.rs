//! Ways in: setting up, passwords, links that work once, sessions, tokens, and what keeps others out.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use gazetteer::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::sessions::{self, Lifetimes, Origin};
use gazetteer::auth::{Actor, Passwords, Role, links, tokens};
use gazetteer::db::PageRequest;
use insta::assert_snapshot;
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;

use crate::support::app::{Answer, Browser, Settings, TestApp, texts, vouch};

const PASSWORD: &str = "correct horse battery staple";

/// Makes an account with a password, as an admin's link does; answers its browser.
async fn with_password(app: &TestApp, name: &str) -> Browser {
    let (db, operator) = (&app.app.db, Actor::operator());
    let new = NewAccount {
        kind: AccountKind::Person,
        name: name.parse().unwrap(),
        display_name: None,
        standing: RoleGrant::READER,
    };
    let account = accounts::create(db, &operator, &new, Utc::now())
        .await
        .unwrap();
    let link = links::to_choose_password(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    let form = [
        ("code", link.secret.expose_secret()),
        ("password", PASSWORD),
    ];
    let chosen = app.visitor().post("/choose-password", &form).await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text);
    app.visitor().with_cookie_of(&chosen)
}

async fn sign_in(browser: &Browser, name: &str, password: &str) -> Answer {
    browser
        .post("/sign-in", &[("name", name), ("password", password)])
        .await
}

fn alert(answer: &Answer) -> String {
    texts(&answer.html(), "[role=alert]").join("\n")
}

#[tokio::test]
async fn the_first_one_sets_the_catalog_up_and_the_address_dies_with_it() {
    let app = TestApp::without_people().await;
    let visitor = app.visitor();
    let first = links::to_set_up(&app.app.db, Utc::now())
        .await
        .unwrap()
        .unwrap();
    let second = links::to_set_up(&app.app.db, Utc::now())
        .await
        .unwrap()
        .unwrap();
    let code = first.secret.expose_secret();
    let page = visitor.page(&format!("/set-up?code={code}")).await;
    assert_eq!(texts(&page, "h1"), ["Set up this catalog"]);

    let weak = [
        ("code", code),
        ("name", "Ana"),
        ("password", "passwordpassword"),
    ];
    let refused = visitor.post("/set-up", &weak).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_snapshot!(alert(&refused), @"This password is among those that somebody would try first. Put several words together that have nothing to do with each other, or let a password manager make one.");
    let good = [("code", code), ("name", "Ana"), ("password", PASSWORD)];
    let done = visitor.post("/set-up", &good).await;

    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let ana = visitor.with_cookie_of(&done);
    assert_eq!(texts(&ana.page("/").await, "#person .menu-label"), ["ana"]);
    for spent in [code, second.secret.expose_secret(), "", "nonsense"] {
        let again = visitor.get(&format!("/set-up?code={spent}")).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND, "{spent}");
        let form = [("code", spent), ("name", "eve"), ("password", PASSWORD)];
        let again = visitor.post("/set-up", &form).await;
        assert_eq!(again.status, StatusCode::NOT_FOUND, "{spent}");
    }
    assert!(
        links::to_set_up(&app.app.db, Utc::now())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn the_address_to_set_up_dies_after_an_hour() {
    let app = TestApp::without_people().await;
    let link = links::to_set_up(&app.app.db, Utc::now())
        .await
        .unwrap()
        .unwrap();
    let within = |minutes| {
        links::find(
            &app.app.db,
            &link.secret,
            Utc::now() + TimeDelta::minutes(minutes),
        )
    };
    assert!(within(59).await.is_ok());
    assert!(within(60).await.is_err());
}

#[tokio::test]
async fn two_who_set_up_at_once_are_not_both_admins() {
    let app = TestApp::without_people().await;
    let link = links::to_set_up(&app.app.db, Utc::now())
        .await
        .unwrap()
        .unwrap();
    let code = link.secret.expose_secret();
    let visitor = app.visitor();
    let ana = [("code", code), ("name", "ana"), ("password", PASSWORD)];
    let eve = [("code", code), ("name", "eve"), ("password", PASSWORD)];
    let (one, other) = tokio::join!(visitor.post("/set-up", &ana), visitor.post("/set-up", &eve));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
}

#[tokio::test]
async fn a_password_lets_in_and_leads_to_the_page_that_was_wanted() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;
    let visitor = app.visitor();
    let wanted = visitor.get("/search?q=a%26b").await;
    assert_eq!(
        wanted.header("location"),
        "/sign-in?next=%2Fsearch%3Fq%3Da%2526b"
    );

    let form = [
        ("name", " ANA "),
        ("password", PASSWORD),
        ("next", "/search?q=a%26b"),
    ];
    let answer = visitor.post("/sign-in", &form).await;

    assert_eq!(answer.header("location"), "/search?q=a%26b");
    let cookie = answer.header("set-cookie");
    for part in [
        "gazetteer=",
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
        "Max-Age=86400",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    let ana = visitor.with_cookie_of(&answer);
    assert_eq!(ana.get("/search?q=a").await.status, StatusCode::OK);
    assert_eq!(
        ana.get("/sign-in?next=/browse").await.header("location"),
        "/browse"
    );
}

#[tokio::test]
async fn signing_in_leads_on_to_a_page_that_can_be_opened() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;

    for next in [
        "/sign-out",
        "/browse/../sign-out",
        "/people/1/lock",
        "/api/v1/assets",
    ] {
        let form = [("name", "ana"), ("password", PASSWORD), ("next", next)];
        let answer = app.visitor().post("/sign-in", &form).await;

        assert_eq!(answer.header("location"), "/", "{next}");
    }
}

#[tokio::test]
async fn nobody_learns_from_text_or_status_whether_a_name_exists() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;
    let visitor = app.visitor();
    let wrong = sign_in(&visitor, "ana", "wrong wrong wrong wrong").await;
    let unknown = sign_in(&visitor, "bob", "wrong wrong wrong wrong").await;
    let hostile = sign_in(&visitor, "<script>\u{0}", "wrong wrong wrong wrong").await;

    assert_snapshot!(alert(&wrong), @"Name or password is wrong. Type both again. An admin can make a link with which you choose a new password.");
    for other in [&unknown, &hostile] {
        assert_eq!(alert(&wrong), alert(other));
        assert_eq!(wrong.status, other.status);
    }
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let form = texts(&unknown.html(), "input[name=name]");
    assert_eq!(form.len(), 1);
}

#[tokio::test]
async fn an_unknown_name_costs_as_much_as_a_known_one() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;
    let visitor = app.visitor();
    let mut fastest = [u128::MAX; 2];
    // A few of each, in turn: the fastest is the least disturbed. Unknown names are all different, so none has to wait.
    for round in 0..4 {
        for (which, name) in ["ana".to_owned(), format!("nobody-{round}")]
            .iter()
            .enumerate()
        {
            let began = Instant::now();
            let answer = sign_in(&visitor, name, "wrong wrong wrong wrong").await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            fastest[which] = fastest[which].min(began.elapsed().as_micros());
        }
    }
    let [known, unknown] = fastest;
    assert!(
        unknown * 2 > known && known * 2 > unknown,
        "{known} {unknown}"
    );
}

#[tokio::test]
async fn guessing_has_to_wait_even_for_the_right_password() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;
    let visitor = app.visitor();
    // Many at once are counted as well as one after the other.
    let guesses = (0..12).map(|_| sign_in(&visitor, "ana", "wrong wrong wrong wrong"));
    let answers = futures::future::join_all(guesses).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    let let_through = statuses
        .iter()
        .filter(|status| **status == StatusCode::UNAUTHORIZED);
    assert_eq!(let_through.count(), 5, "{statuses:?}");

    let right = sign_in(&visitor, "ana", PASSWORD).await;

    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(right.header("retry-after").parse::<u64>().unwrap() <= 31);
    assert!(
        alert(&right).starts_with("That was tried too often. Try again in "),
        "{}",
        right.text
    );
    assert_eq!(
        sign_in(&visitor, "nobody-yet", PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_address_that_tries_many_names_has_to_wait() {
    let app = TestApp::start().await;
    let visitor = app.visitor();
    for number in 0..20 {
        let answer = sign_in(&visitor, &format!("name-{number}"), PASSWORD).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{number}");
    }
    let one_more = sign_in(&visitor, "name-20", PASSWORD).await;
    assert_eq!(one_more.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn signing_in_begins_a_session_that_nobody_could_know_before() {
    let app = TestApp::start().await;
    let first = with_password(&app, "ana").await;
    let planted = app.visitor().with_session("chosen-by-an-attacker");
    let answer = sign_in(&planted, "ana", PASSWORD).await;
    assert!(
        !answer
            .header("set-cookie")
            .contains("chosen-by-an-attacker")
    );
    assert!(
        planted
            .get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );

    let renewed = sign_in(&first, "ana", PASSWORD).await;

    let second = first.with_cookie_of(&renewed);
    assert_eq!(second.get("/browse").await.status, StatusCode::OK);
    assert!(
        first
            .get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let app = TestApp::start().await;
    let ana = app.person("ana", Role::Reader, &[]).await;
    let answer = ana.post("/sign-out", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert!(
        ana.get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );
}

#[tokio::test]
async fn a_link_to_choose_a_password_works_once_and_ends_every_session() {
    let app = TestApp::start().await;
    let ana = with_password(&app, "ana").await;
    let (db, operator) = (&app.app.db, Actor::operator());
    let account = accounts::find_named(db, &operator, &"ana".parse().unwrap())
        .await
        .unwrap();
    let older = links::to_choose_password(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    let link = links::to_choose_password(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    let visitor = app.visitor();
    let old = visitor
        .get(&format!(
            "/choose-password?code={}",
            older.secret.expose_secret()
        ))
        .await;
    assert_eq!(old.status, StatusCode::NOT_FOUND);
    let code = link.secret.expose_secret();
    let short = visitor
        .post("/choose-password", &[("code", code), ("password", "short")])
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let new = "seven purple tractors hum";

    let chosen = visitor
        .post("/choose-password", &[("code", code), ("password", new)])
        .await;

    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text);
    assert!(
        ana.get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );
    let again = visitor
        .post("/choose-password", &[("code", code), ("password", new)])
        .await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!(
        sign_in(&visitor, "ana", PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        sign_in(&visitor, "ana", new).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn locking_and_demoting_count_with_the_next_request() {
    let app = TestApp::start().await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let (db, operator) = (&app.app.db, Actor::operator());
    let account = accounts::find_named(db, &operator, &"ana".parse().unwrap())
        .await
        .unwrap();
    let start = "/api/v1/recipes/nothing/runs";
    assert_eq!(ana.post(start, &[]).await.status, StatusCode::NOT_FOUND);

    accounts::set_standing(db, &operator, account.id, RoleGrant::READER, Utc::now())
        .await
        .unwrap();
    assert_eq!(ana.post(start, &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(ana.get("/browse").await.status, StatusCode::OK);

    accounts::lock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    assert!(
        ana.get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );
    accounts::unlock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    assert!(
        ana.get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );
}

#[tokio::test]
async fn a_locked_account_is_told_so_only_with_the_right_password() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;
    let (db, operator) = (&app.app.db, Actor::operator());
    let account = accounts::find_named(db, &operator, &"ana".parse().unwrap())
        .await
        .unwrap();
    accounts::lock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();

    let guessed = sign_in(&app.visitor(), "ana", "wrong wrong wrong wrong").await;
    assert_eq!(guessed.status, StatusCode::UNAUTHORIZED);
    let known = sign_in(&app.visitor(), "ana", PASSWORD).await;
    assert_eq!(known.status, StatusCode::FORBIDDEN);
    assert_snapshot!(alert(&known), @"This account is locked. Ask an admin of this catalog to let you in.");
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked_or_its_account_locked() {
    let app = TestApp::start().await;
    let (db, operator) = (&app.app.db, Actor::operator());
    app.person("ana", Role::Reader, &[]).await;
    let account = accounts::find_named(db, &operator, &"ana".parse().unwrap())
        .await
        .unwrap();
    let new = tokens::NewToken {
        name: "notebook",
        scopes: [gazetteer::auth::TokenScope::Read].into(),
        days: 30,
    };
    let made = tokens::make(db, &operator, account.id, &new, Utc::now())
        .await
        .unwrap();
    let secret = made.secret.expose_secret();
    let notebook = Browser::with_token(&app.base, secret);
    assert_eq!(notebook.get("/api/v1/assets").await.status, StatusCode::OK);
    let listed = tokens::list(db, &operator, account.id, &PageRequest::first(10))
        .await
        .unwrap();
    assert!(listed.items[0].used_at.is_some());

    let in_31_days = Utc::now() + TimeDelta::days(31);
    assert!(
        tokens::find_actor(db, secret, in_31_days)
            .await
            .unwrap()
            .is_none()
    );
    tokens::revoke(db, &operator, made.token.id, Utc::now())
        .await
        .unwrap();

    let refused = notebook.get("/api/v1/assets").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer realm=\"Gazetteer\""
    );
    for nonsense in ["", "gaz_", "x", "gaz_\u{7f}"] {
        let answer = Browser::with_token(&app.base, nonsense.trim_end_matches('\u{7f}'))
            .get("/api/v1/assets")
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{nonsense:?}");
    }
}

#[tokio::test]
async fn the_demos_button_is_there_in_the_demo_only() {
    let app = TestApp::start().await;
    assert_eq!(
        app.visitor().post("/sign-in/demo", &[]).await.status,
        StatusCode::NOT_FOUND
    );
    let demo = TestApp::start_with(Settings {
        demo: true,
        ..Settings::default()
    })
    .await;
    let answer = demo
        .visitor()
        .post("/sign-in/demo", &[("next", "//evil.example")])
        .await;
    assert_eq!(answer.header("location"), "/");
    let steward = demo.visitor().with_cookie_of(&answer);
    let menu = texts(&steward.page("/").await, "#person .menu-label");
    assert_eq!(menu, ["Demo steward"]);
}

#[tokio::test]
async fn the_demos_button_opens_no_account_that_is_locked_or_somebodys() {
    let demo = TestApp::start_with(Settings {
        demo: true,
        ..Settings::default()
    })
    .await;
    let click = || async { demo.visitor().post("/sign-in/demo", &[]).await };
    let db = &demo.app.db;
    let operator = Actor::operator();
    assert_eq!(click().await.status, StatusCode::SEE_OTHER);
    let name = "demo".parse().unwrap();
    let account = accounts::find_named(db, &operator, &name).await.unwrap();

    accounts::lock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    let locked = click().await;
    accounts::unlock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    accounts::set_standing(db, &operator, account.id, RoleGrant::ADMIN, Utc::now())
        .await
        .unwrap();
    let admin = click().await;

    assert_eq!(locked.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_old_password_opens_nothing_once_there_is_a_new_one() {
    let app = TestApp::start().await;
    with_password(&app, "ana").await;
    let (db, operator) = (&app.app.db, Actor::operator());
    let name = "ana".parse().unwrap();
    let ana = accounts::find_named(db, &operator, &name).await.unwrap();
    let link = links::to_choose_password(db, &operator, ana.id, Utc::now())
        .await
        .unwrap();
    let from = |last| Origin {
        address: [192, 0, 2, last].into(),
        agent: "test".to_owned(),
        request: None,
        marks: Vec::new(),
    };
    let lifetimes = Lifetimes {
        idle: Duration::from_hours(1),
        absolute: Duration::from_hours(1),
    };
    // Two servers: at the first many wait for their password to be checked, the last of them with the old one.
    let (crowded, free) = (Passwords::start(), Passwords::start());
    let (old, new) = (PASSWORD.into(), "eleven purple lamps sing loudly".into());
    let tries = (0..12_u8).map(|number| {
        let (from, crowded) = (from(number), &crowded);
        async move {
            let name = format!("nobody{number}");
            let wrong = "wrong".into();
            let known = (name.as_str(), &wrong);
            sessions::sign_in(db, crowded, known, &from, lifetimes).await
        }
    });
    let late = async {
        let from = from(200);
        sessions::sign_in(db, &crowded, ("ana", &old), &from, lifetimes).await
    };
    let change = async {
        let from = from(201);
        let secret = &link.secret;
        links::choose_password(db, &free, secret, &new, (&from, lifetimes)).await
    };

    let (_, late, changed) = tokio::join!(join_all(tries), late, change);

    assert!(changed.is_ok(), "{changed:?}");
    match late {
        Err(refused) => assert_eq!(refused.to_string(), "Name or password is wrong."),
        // It was checked before there was a new one, and what it opened is closed again.
        Ok(begun) => {
            let secret = begun.secret.expose_secret();
            let open = sessions::find_signed_in(db, secret, lifetimes, Utc::now()).await;
            assert!(open.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn nothing_of_the_catalog_is_told_to_nobody() {
    let app = TestApp::start().await;
    let visitor = app.visitor();
    let part = visitor
        .request(reqwest::Method::GET, "/search/suggest?q=a")
        .header("hx-request", "true")
        .header("hx-current-url", format!("{}/browse?x=y", app.base));
    let part = Answer::of(part).await;
    assert_eq!(part.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        part.header("hx-redirect"),
        "/sign-in?next=%2Fbrowse%3Fx%3Dy"
    );
    let api = visitor.get("/api/v1/search?q=a").await;
    assert_eq!(api.status, StatusCode::UNAUTHORIZED);
    assert_eq!(api.json()["title"], "Unauthorized");
    let lost = visitor.get("/nowhere").await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whoever_a_directory_no_longer_lets_in_is_signed_out() {
    let app = TestApp::start().await;
    let ana = app.person("ana", Role::Reader, &[]).await;
    assert_eq!(ana.get("/browse").await.status, StatusCode::OK);

    let refused = vouch(&app.app.db, "ana", None, &[]).await;

    assert_eq!(
        refused.unwrap_err().to_string(),
        "None of your groups may use this catalog."
    );
    assert!(
        ana.get("/browse")
            .await
            .header("location")
            .starts_with("/sign-in")
    );
    let ended = app.json("/api/v1/audit?action=sessions_ended").await;
    assert_eq!(
        ended["items"][0]["sentences"][0],
        "Ended a session of “ana”."
    );
}

#[tokio::test]
async fn a_reader_who_comes_first_leaves_the_set_up_to_an_admin() {
    let app = TestApp::without_people().await;
    let db = &app.app.db;
    let link = links::to_set_up(db, Utc::now()).await.unwrap().unwrap();
    app.person("rita", Role::Reader, &[]).await;

    assert!(links::find(db, &link.secret, Utc::now()).await.is_ok());
    assert!(links::to_set_up(db, Utc::now()).await.unwrap().is_some());
    app.person("ana", Role::Admin, &[]).await;
    assert!(links::find(db, &link.secret, Utc::now()).await.is_err());
    assert!(links::to_set_up(db, Utc::now()).await.unwrap().is_none());
}
