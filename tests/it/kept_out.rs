//! Nobody who knows a name can keep its owner out, and nobody guesses quickly.

use chrono::Utc;
use gazetteer::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::directories::Directories;
use gazetteer::auth::{Actor, links};
use gazetteer::config;
use gazetteer::web::Options;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;

use crate::support::app::{Answer, Browser, Settings, TestApp, texts};

const PASSWORD: &str = "correct horse battery staple";
const OTHER: &str = "seven purple tractors hum";
const WRONG: &str = "wrong wrong wrong wrong";

/// A catalog behind a proxy that says where each request comes from.
async fn catalog() -> TestApp {
    let options = Options {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Options::default()
    };
    TestApp::start_with(Settings {
        options,
        ..Settings::default()
    })
    .await
}

/// Has a password chosen by a link; answers the cookies that the browser gets.
async fn choose(app: &TestApp, name: &str, password: &str) -> String {
    let (db, operator) = (&app.app.db, Actor::operator());
    let named = accounts::find_named(db, &operator, &name.parse().unwrap()).await;
    let account = if let Ok(account) = named {
        account
    } else {
        let new = NewAccount {
            kind: AccountKind::Person,
            name: name.parse().unwrap(),
            display_name: None,
            standing: RoleGrant::READER,
        };
        let made = accounts::create(db, &operator, &new, Utc::now());
        made.await.unwrap()
    };
    let link = links::to_choose_password(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    let form = [
        ("code", link.secret.expose_secret()),
        ("password", password),
    ];
    let chosen = app.visitor().post("/choose-password", &form).await;
    assert_eq!(chosen.status, StatusCode::SEE_OTHER, "{}", chosen.text);
    cookies(&chosen)
}

/// All cookies of an answer, as a browser sends them back.
fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs = set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

/// The cookies without the session's: those of a browser that was signed out long ago.
fn marks(cookies: &str) -> String {
    let kept = cookies
        .split("; ")
        .filter(|pair| pair.starts_with("gazetteer-known-"));
    kept.collect::<Vec<_>>().join("; ")
}

/// Tries to sign in from an address.
async fn try_from(
    app: &TestApp,
    address: &str,
    cookie: &str,
    (name, password): (&str, &str),
) -> Answer {
    let request = app.visitor().request(Method::POST, "/sign-in");
    let request = request
        .header("x-forwarded-for", address)
        .header("cookie", cookie);
    Answer::of(request.form(&[("name", name), ("password", password)])).await
}

async fn status(app: &TestApp, address: &str, known: (&str, &str)) -> u16 {
    try_from(app, address, "", known).await.status.as_u16()
}

#[tokio::test]
async fn an_owner_gets_in_from_any_network_while_others_try_the_name_from_everywhere() {
    let app = catalog().await;
    choose(&app, "ana", PASSWORD).await;
    for number in 0..60 {
        let address = format!("10.9.{number}.1");
        assert_eq!(
            status(&app, &address, ("ana", WRONG)).await,
            401,
            "{number}"
        );
    }

    for number in 0..3 {
        let address = format!("203.0.113.{number}");
        assert_eq!(
            status(&app, &address, ("ana", PASSWORD)).await,
            303,
            "{number}"
        );
    }
    // Whoever mistypes waits, and from another network does not.
    for expected in [401, 401, 429] {
        assert_eq!(status(&app, "198.51.100.7", ("ana", WRONG)).await, expected);
    }
    assert_eq!(status(&app, "198.51.100.7", ("ana", PASSWORD)).await, 429);
    assert_eq!(status(&app, "198.51.100.8", ("ana", PASSWORD)).await, 303);

    // The log has one try of each network, and the owner sees them all.
    let log = app
        .json("/api/v1/audit?action=sign_in_refused&limit=100")
        .await;
    assert_eq!(log["items"].as_array().unwrap().len(), 61);
    let ana = accounts::find_named(&app.app.db, &Actor::operator(), &"ana".parse().unwrap())
        .await
        .unwrap();
    let rows = texts(
        &app.page(&format!("/people/{}", ana.id)).await,
        "#refused tbody tr",
    );
    assert_eq!(rows.len(), 51);
    assert!(rows[0].starts_with("198.51.100.7 2 "), "{}", rows[0]);
    assert!(rows[50].starts_with("Other addresses 11 "), "{}", rows[50]);
}

#[tokio::test]
async fn a_browser_that_has_signed_in_before_is_kept_out_by_nobody() {
    let app = catalog().await;
    let cookies = choose(&app, "ana", PASSWORD).await;
    let mark = marks(&cookies);
    assert!(!mark.is_empty(), "{cookies}");
    // Somebody at the same address tries the name, and many others.
    for _ in 0..5 {
        assert_eq!(status(&app, "192.0.2.1", ("ana", WRONG)).await, 401);
    }
    for number in 0..15 {
        let name = format!("nobody-{number}");
        assert_eq!(status(&app, "192.0.2.1", (&name, WRONG)).await, 401);
    }
    assert_eq!(status(&app, "192.0.2.1", ("ana", PASSWORD)).await, 429);

    let known = try_from(&app, "192.0.2.1", &mark, ("ana", PASSWORD)).await;

    assert_eq!(known.status, StatusCode::SEE_OTHER);
    let set = known.headers.get_all("set-cookie").iter();
    let set = set.map(|cookie| cookie.to_str().unwrap());
    let given = set
        .into_iter()
        .find(|cookie| cookie.starts_with("gazetteer-known-"))
        .unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=7776000"] {
        assert!(given.contains(part), "{given}");
    }
    assert!(!given.contains(&mark), "a new one each time");
    // It has no more tries than anybody has.
    for expected in [401, 401, 401, 401, 401, 429] {
        let tried = try_from(&app, "192.0.2.9", &mark, ("ana", WRONG)).await;
        assert_eq!(tried.status.as_u16(), expected);
    }
}

#[tokio::test]
async fn a_mark_is_good_for_its_account_and_its_password_and_cannot_be_made() {
    let app = catalog().await;
    let ana = marks(&choose(&app, "ana", PASSWORD).await);
    let bob = marks(&choose(&app, "bob", PASSWORD).await);
    for _ in 0..5 {
        assert_eq!(status(&app, "192.0.2.1", ("ana", WRONG)).await, 401);
    }
    let passes = async |cookie: &str, password| {
        let tried = try_from(&app, "192.0.2.1", cookie, ("ana", password)).await;
        tried.status != StatusCode::TOO_MANY_REQUESTS
    };
    let (name, text) = ana.split_once('=').unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    let later = format!("{}.99999999999.{}.{}", parts[0], parts[2], parts[3]);
    let other = format!("{}.{}.{}.{}", parts[0], parts[1], "0".repeat(32), parts[3]);
    let unsealed = format!("{}.{}.{}", parts[0], parts[1], parts[2]);
    for forged in [
        &later,
        &other,
        &unsealed,
        &format!("{text}x"),
        &String::new(),
    ] {
        assert!(
            !passes(&format!("{name}={forged}"), WRONG).await,
            "{forged}"
        );
    }
    assert!(!passes(&bob, WRONG).await);
    // Another part of the host, or twenty other accounts, put theirs before it.
    let others = format!("{bob}; ").repeat(20);
    assert!(passes(&format!("{others}{name}={later}; {ana}"), WRONG).await);

    let renewed = marks(&choose(&app, "ana", OTHER).await);

    assert!(!passes(&ana, OTHER).await);
    assert!(passes(&renewed, OTHER).await);
}

#[tokio::test]
async fn a_browser_takes_the_mark_over_tls_wherever_the_catalog_lies() {
    for (path, name) in [("/", "__Host-"), ("/catalog", "__Secure-")] {
        let url = format!("https://shared.example{path}");
        let options = Options {
            public_url: Some(url.parse().unwrap()),
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..Options::default()
        };
        let app = TestApp::start_with(Settings {
            demo: true,
            options,
            ..Settings::default()
        })
        .await;
        let request = app.visitor().request(Method::POST, "/sign-in/demo");
        let request = request.header("x-forwarded-proto", "https");
        let signed_in = Answer::of(request.form(&[("next", "/")])).await;

        assert_eq!(
            signed_in.status,
            StatusCode::SEE_OTHER,
            "{}",
            signed_in.text
        );
        let set = signed_in.headers.get_all("set-cookie").iter();
        let set: Vec<&str> = set.map(|cookie| cookie.to_str().unwrap()).collect();
        assert_eq!(set.len(), 2, "{set:?}");
        for cookie in set {
            assert!(cookie.starts_with(&format!("{name}gazetteer")), "{cookie}");
            assert!(cookie.contains("; Secure"), "{cookie}");
            let mut parts = cookie.split("; ");
            assert!(parts.any(|part| part == format!("Path={path}")), "{cookie}");
        }
    }
}

#[tokio::test]
async fn a_name_that_looks_like_another_is_neither_counted_nor_let_in_as_that() {
    let app = catalog().await;
    choose(&app, "ana", PASSWORD).await;
    // The first letter is Cyrillic.
    let lookalike = "\u{430}na";
    for number in 0..25 {
        let address = format!("10.9.{number}.1");
        assert_eq!(status(&app, &address, (lookalike, WRONG)).await, 401);
    }

    assert_eq!(status(&app, "192.0.2.1", (lookalike, PASSWORD)).await, 401);
    // Three tries and more, as for a name that nobody attacks.
    for _ in 0..4 {
        assert_eq!(status(&app, "192.0.2.2", ("ana", WRONG)).await, 401);
    }
    assert_eq!(status(&app, "192.0.2.2", ("ANA", PASSWORD)).await, 303);
}

#[tokio::test]
async fn who_changes_their_address_within_one_ipv6_network_stays_the_same() {
    let app = catalog().await;
    for number in 1..=5 {
        let address = format!("2001:db8:1:2::{number}");
        assert_eq!(status(&app, &address, ("ana", WRONG)).await, 401);
    }
    assert_eq!(
        status(&app, "2001:db8:1:2:ffff::9", ("ana", WRONG)).await,
        429
    );
    assert_eq!(status(&app, "2001:db8:1:3::1", ("ana", WRONG)).await, 401);
}

#[tokio::test]
async fn owners_see_who_tried_their_name_and_others_do_not() {
    let app = catalog().await;
    let cookies = choose(&app, "ana", PASSWORD).await;
    for address in ["192.0.2.1", "192.0.2.1", "2001:db8::7"] {
        assert_eq!(status(&app, address, ("ana", WRONG)).await, 401);
    }
    let session = cookies
        .split("; ")
        .last()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1;
    let ana: Browser = app.visitor().with_session(session);

    let rows = texts(&ana.page("/profile").await, "#refused tbody tr");

    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].starts_with("2001:db8::7 1 "), "{rows:?}");
    assert!(rows[1].starts_with("192.0.2.1 2 "), "{rows:?}");
    let admin = app.page("/profile").await;
    assert_eq!(
        texts(&admin, "#refused .none"),
        ["None in the last three months."]
    );
}

#[tokio::test]
async fn an_outage_of_the_directory_does_not_tell_which_names_have_a_password_here() {
    let ldap = config::Ldap {
        url: Some("ldap://127.0.0.1:1".to_owned()),
        base_dn: Some("dc=example,dc=org".to_owned()),
        roles: Some("*=reader".to_owned()),
        ..config::Ldap::default()
    };
    let settings = config::Directories {
        ldap,
        ..config::Directories::default()
    };
    let app = TestApp::start_with(Settings {
        directories: Directories::new(&settings).unwrap(),
        ..Settings::default()
    })
    .await;
    choose(&app, "ana", PASSWORD).await;
    let told = async |name: &str| {
        let tried = try_from(&app, "", "", (name, WRONG)).await;
        let sentences = texts(&tried.html(), "[role=alert]");
        (tried.status.as_u16(), sentences)
    };

    let here = told("ana").await;
    let elsewhere = told("nobody").await;
    let empty = try_from(&app, "", "", ("nobody", "")).await;
    let right = try_from(&app, "", "", ("ana", PASSWORD)).await;

    assert_eq!(here.0, 503);
    assert_eq!(here, elsewhere);
    assert_eq!(empty.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(right.status, StatusCode::SEE_OTHER);
    let log = app.json("/api/v1/audit?action=sign_in_refused").await;
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
}

#[tokio::test]
async fn a_current_password_that_was_right_is_no_guess() {
    let app = catalog().await;
    let cookies = choose(&app, "ana", PASSWORD).await;
    let pair = cookies.split("; ").last().unwrap();
    let ana = app.visitor().with_session(pair.split_once('=').unwrap().1);

    for _ in 0..8 {
        let form = [("current", PASSWORD), ("new", "passwordpassword")];
        let weak = ana.post("/profile/password", &form).await;
        assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let form = [("current", PASSWORD), ("new", OTHER)];
    let changed = ana.post("/profile/password", &form).await;

    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text);
}

#[tokio::test]
async fn a_wrong_current_password_is_on_record() {
    let app = catalog().await;
    let cookies = choose(&app, "ana", PASSWORD).await;
    let session = cookies
        .split("; ")
        .last()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1;
    let ana = app.visitor().with_session(session);

    let form = [("current", WRONG), ("new", OTHER)];
    let refused = ana.post("/profile/password", &form).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let log = app
        .json("/api/v1/audit?topic=sign-ins&action=current_password_wrong")
        .await;
    assert_eq!(
        log["items"][0]["sentences"][0],
        "Typed a wrong current password of “ana” on the profile, from 127.0.0.1."
    );
}
