//! What somebody hostile would try against accounts: at the moment of a change, with odd words, from another site, with
//! what others have left behind.

use std::io::Read as _;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use gazetteer::auth::accounts::{self, Account, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::sessions::{self, Origin, SignedIn};
use gazetteer::auth::tokens::{self, NewToken};
use gazetteer::auth::{self, Actor, Passwords, Role, TokenScope, links};
use gazetteer::db::{Db, changes};
use gazetteer::web::{Options, routes};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::app::{Answer, Browser, LIFETIMES, Settings, TestApp, table};

const PASSWORD: &str = "correct horse battery staple";
const OTHER: &str = "seven purple tractors hum";

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(20);

fn from() -> Origin {
    Origin {
        address: Ipv4Addr::LOCALHOST.into(),
        agent: "test".to_owned(),
        request: None,
        marks: Vec::new(),
    }
}

/// Makes an account with a password; answers the session that its link began.
async fn with_password(db: &Db, name: &str) -> (Account, SecretString) {
    let (operator, passwords) = (Actor::operator(), Passwords::start());
    let new = NewAccount {
        kind: AccountKind::Person,
        name: name.parse().unwrap(),
        display_name: None,
        standing: RoleGrant::READER,
    };
    let account = accounts::create(db, &operator, &new, Utc::now())
        .await
        .unwrap();
    let begun = choose(db, &passwords, &account, PASSWORD).await;
    (account, begun)
}

/// Has a password chosen by a link.
async fn choose(db: &Db, passwords: &Passwords, account: &Account, new: &str) -> SecretString {
    let link = links::to_choose_password(db, &Actor::operator(), account.id, Utc::now())
        .await
        .unwrap();
    let known = (&from(), LIFETIMES);
    links::choose_password(db, passwords, &link.secret, &new.into(), known)
        .await
        .unwrap()
        .secret
}

async fn signed_in(db: &Db, secret: &SecretString) -> Option<SignedIn> {
    sessions::find_signed_in(db, secret.expose_secret(), LIFETIMES, Utc::now())
        .await
        .unwrap()
}

#[tokio::test]
async fn an_old_password_lets_nobody_in_that_was_changed_while_it_was_checked() {
    let app = TestApp::start().await;
    let db = &app.app.db;
    let (account, _) = with_password(db, "ana").await;
    // This thread has much to do, so that the check comes to its end late.
    let (slow, quick) = (Passwords::start(), Passwords::start());
    let busy = (0..16u8).map(|number| {
        let (slow, from) = (&slow, from());
        let address = [192, 0, 2, number].into();
        async move {
            let from = Origin { address, ..from };
            let known = (&*format!("nobody-{number}"), &PASSWORD.into());
            sessions::sign_in(db, slow, known, &from, LIFETIMES).await
        }
    });
    let (password, here): (SecretString, _) = (PASSWORD.into(), from());
    let late = sessions::sign_in(db, &slow, ("ana", &password), &here, LIFETIMES);

    let (_, late, changed) = tokio::join!(
        futures::future::join_all(busy),
        late,
        choose(db, &quick, &account, OTHER)
    );

    assert!(signed_in(db, &changed).await.is_some());
    match late {
        Err(auth::Error::WrongNameOrPassword) => {}
        // It may have been quicker: then its session has ended.
        Ok(begun) => assert!(signed_in(db, &begun.secret).await.is_none()),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_password_is_changed_only_while_its_session_goes_on() {
    let app = TestApp::start().await;
    let (db, operator, passwords) = (&app.app.db, Actor::operator(), Passwords::start());
    let (account, secret) = with_password(db, "ana").await;
    let change = async |stale: &SignedIn| {
        let known = (&PASSWORD.into(), &OTHER.into());
        let origin = from();
        sessions::change_password(db, &passwords, stale, known, (&origin, LIFETIMES)).await
    };

    let ended = signed_in(db, &secret).await.unwrap();
    sessions::sign_out(db, &ended, Utc::now()).await.unwrap();
    assert!(matches!(
        change(&ended).await,
        Err(auth::Error::UnknownSession)
    ));

    let secret = choose(db, &passwords, &account, PASSWORD).await;
    let locked = signed_in(db, &secret).await.unwrap();
    accounts::lock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();
    assert!(matches!(change(&locked).await, Err(auth::Error::Locked)));
    accounts::unlock(db, &operator, account.id, Utc::now())
        .await
        .unwrap();

    let secret = choose(db, &passwords, &account, PASSWORD).await;
    let overtaken = signed_in(db, &secret).await.unwrap();
    let newest = choose(db, &passwords, &account, "another quiet lantern drifts").await;
    assert!(matches!(
        change(&overtaken).await,
        Err(auth::Error::WrongPassword)
    ));
    assert!(signed_in(db, &newest).await.is_some());
}

#[tokio::test]
async fn the_demos_button_lets_no_locked_account_in() {
    let app = TestApp::start_with(Settings {
        demo: true,
        ..Settings::default()
    })
    .await;
    let (db, operator) = (&app.app.db, Actor::operator());
    let first = app.visitor().post("/sign-in/demo", &[]).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    let demo = accounts::find_named(db, &operator, &"demo".parse().unwrap())
        .await
        .unwrap();
    accounts::lock(db, &operator, demo.id, Utc::now())
        .await
        .unwrap();

    let refused = app.visitor().post("/sign-in/demo", &[]).await;

    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.header("set-cookie"), "");
}

#[tokio::test]
async fn who_is_signed_in_is_found_while_something_long_is_being_written() {
    let app = TestApp::start().await;
    let db = &app.app.db;
    let (account, secret) = with_password(db, "ana").await;
    let new = NewToken {
        name: "notebook",
        scopes: [TokenScope::Read].into(),
        days: 1,
    };
    let token = tokens::make(db, &Actor::operator(), account.id, &new, Utc::now())
        .await
        .unwrap();
    // Late enough that both would be marked as seen.
    let later = Utc::now() + TimeDelta::minutes(2);
    let find = async || {
        let session = sessions::find_signed_in(db, secret.expose_secret(), LIFETIMES, later).await;
        let actor = tokens::find_actor(db, token.secret.expose_secret(), later).await;
        assert!(session.unwrap().is_some() && actor.unwrap().is_some());
    };
    // As an ingestion does it: in this process, and in another one.
    let elsewhere = Db::connect(&app.database_url()).await.unwrap();
    for writer in [db, &elsewhere] {
        let writing = writer.write().await.unwrap();
        let began = Instant::now();
        for _ in 0..8 {
            tokio::time::timeout(PATIENCE, find()).await.unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        drop(writing);
    }
}

#[tokio::test]
async fn signing_in_waits_for_whoever_is_writing() {
    let app = TestApp::start().await;
    with_password(&app.app.db, "ana").await;
    let writing = app.app.db.write().await.unwrap();
    let visitor = app.visitor();
    let form = [("name", "ana"), ("password", PASSWORD)];
    let mut asking = Box::pin(visitor.post("/sign-in", &form));
    let while_writing = tokio::time::timeout(Duration::from_millis(300), &mut asking).await;
    assert!(while_writing.is_err(), "{while_writing:?}");

    drop(writing);

    assert_eq!(asking.await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn nowhere_that_one_may_want_to_go_leads_off_this_site_or_into_a_header() {
    let app = TestApp::start_with(Settings {
        demo: true,
        ..Settings::default()
    })
    .await;
    let visitor = app.visitor();
    for next in [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/x\r\nX-Injected: yes",
        "/x\nSet-Cookie: gazetteer=evil",
        "/\u{0}",
        "/search?q=é&kind=table",
        "/\u{2028}",
        "/\u{85}x",
        "/%0d%0aX-Injected:%20yes",
        "/.//evil.example",
        "/..//evil.example",
    ] {
        let answer = visitor.post("/sign-in/demo", &[("next", next)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{next:?}");
        assert_eq!(answer.header("x-injected"), "", "{next:?}");
        assert!(!answer.header("set-cookie").contains("evil"), "{next:?}");
        let location = answer.header("location");
        let base = url::Url::parse("http://catalog.example/sign-in").unwrap();
        let target = base.join(location).unwrap();
        assert_eq!(target.host_str(), Some("catalog.example"), "{next:?}");
        let page = visitor
            .request(Method::GET, "/sign-in")
            .query(&[("next", next)]);
        let page = Answer::of(page).await;
        assert_eq!(page.status, StatusCode::OK, "{next:?}");
        let signed_in = visitor.with_cookie_of(&answer);
        let onward = signed_in
            .request(Method::GET, "/sign-in")
            .query(&[("next", next)]);
        let onward = Answer::of(onward).await;
        assert_eq!(onward.status, StatusCode::SEE_OTHER, "{next:?}");
        let target = base.join(onward.header("location")).unwrap();
        assert_eq!(target.host_str(), Some("catalog.example"), "{next:?}");
    }
}

#[tokio::test]
async fn nothing_is_changed_by_a_page_of_another_site_whoever_is_signed_in() {
    let app = TestApp::start().await;
    app.add(
        "sales",
        vec![table(&["sales", "orders"], &[("id", "bigint")])],
    )
    .await;
    let orders = app.id_of(&["sales", "orders"]).await.to_string();
    let before = changes::head(&*app.app.db).await.unwrap();
    let mut asked = 0;
    for site in routes::all() {
        if site.method == "GET" {
            continue;
        }
        let method: Method = site.method.as_str().parse().unwrap();
        let path = address(site.pattern, &orders);
        for (name, text) in [
            ("origin", "https://evil.example"),
            ("origin", "http://localhost.evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = app.request(method.clone(), &path).header(name, text);
            let request = if path.starts_with("/api/") {
                request.json(&serde_json::json!({"version": 0, "text": "Words."}))
            } else {
                request.form(&[("version", "0"), ("text", "Words."), ("next", "/")])
            };
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
            assert_eq!(answer.header("set-cookie"), "", "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
    assert_eq!(changes::head(&*app.app.db).await.unwrap(), before);
    assert_eq!(app.get("/browse").await.status, StatusCode::OK);
}

/// An address of a route, about this asset where it is about one.
fn address(pattern: &str, asset: &str) -> String {
    let mut address = pattern.replacen("{id}", asset, 1);
    while let (Some(from), Some(to)) = (address.find('{'), address.find('}')) {
        address.replace_range(from..=to, "id");
    }
    address
}

#[tokio::test]
async fn the_cookie_keeps_to_tls_behind_a_proxy_that_is_named_and_only_there() {
    let options = Options {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Options::default()
    };
    let proxied = TestApp::start_with(Settings {
        demo: true,
        options,
        ..Settings::default()
    })
    .await;
    let direct = TestApp::start_with(Settings {
        demo: true,
        ..Settings::default()
    })
    .await;
    let ask = async |app: &TestApp, cookie: &str| {
        let request = app.visitor().request(Method::POST, "/sign-in/demo");
        let request = request
            .header("x-forwarded-proto", "https")
            .header("cookie", cookie.to_owned());
        Answer::of(request.form(&[("next", "/")])).await
    };
    let safe = ask(&proxied, "").await;
    let cookie = safe.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-gazetteer="), "{cookie}");
    for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.to_lowercase().contains("domain"), "{cookie}");
    assert_eq!(safe.header("strict-transport-security"), "max-age=31536000");
    let untrusted = ask(&direct, "").await;
    let plain = untrusted.header("set-cookie");
    assert!(plain.starts_with("gazetteer="), "{plain}");
    assert!(!plain.contains("Secure"), "{plain}");
    assert_eq!(untrusted.header("strict-transport-security"), "");

    // Where cookies keep to TLS, one that came in the open is nobody's.
    let (pair, _) = cookie.split_once(';').unwrap();
    let secret = pair.split_once('=').unwrap().1;
    let with = async |cookie: String| {
        let request = proxied.visitor().request(Method::GET, "/browse");
        let request = request.header("x-forwarded-proto", "https");
        Answer::of(request.header("cookie", cookie)).await.status
    };
    assert_eq!(with(pair.to_owned()).await, StatusCode::OK);
    assert_eq!(
        with(format!("gazetteer={secret}")).await,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_token_counts_before_a_cookie_and_nowhere_but_in_its_header() {
    let app = TestApp::start().await;
    let db = &app.app.db;
    app.person("ana", Role::Reader, &[]).await;
    let ana = accounts::find_named(db, &Actor::operator(), &"ana".parse().unwrap())
        .await
        .unwrap();
    let new = NewToken {
        name: "notebook",
        scopes: [TokenScope::Write].into(),
        days: 1,
    };
    let made = tokens::make(db, &Actor::operator(), ana.id, &new, Utc::now())
        .await
        .unwrap();
    let token = made.secret.expose_secret();
    let as_admin = async |line: String| {
        let request = app.request(Method::POST, "/api/v1/recipes/nothing/runs");
        Answer::of(request.header("authorization", line))
            .await
            .status
    };
    // The admin's cookie goes along each time.
    assert_eq!(
        as_admin(format!("Bearer {token}")).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        as_admin("Bearer gaz_unknown".to_owned()).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        as_admin("bEaReR nonsense".to_owned()).await,
        StatusCode::UNAUTHORIZED
    );
    for path in [
        format!("/api/v1/assets?token={token}"),
        format!("/api/v1/assets?access_token={token}"),
        format!("/api/v1/assets?authorization=Bearer%20{token}"),
    ] {
        assert_eq!(
            app.visitor().get(&path).await.status,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
    for cookie in [
        format!("gazetteer={token}"),
        "gazetteer=".to_owned(),
        "gazetteer=%00".to_owned(),
        "gazetteer=x; gazetteer=y".to_owned(),
        format!("gazetteer={}", "x".repeat(10_000)),
    ] {
        let request = app.visitor().request(Method::GET, "/api/v1/assets");
        let answer = Answer::of(request.header("cookie", &cookie)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{cookie}");
    }
}

#[tokio::test]
async fn what_is_somebodys_own_is_kept_by_nobody_on_the_way() {
    let app = TestApp::start().await;
    app.add("sales", Vec::new()).await;
    let sales = app.id_of(&["sales"]).await.to_string();
    let mut asked = 0;
    for site in routes::all() {
        let is_public = matches!(site.entry, routes::Entry::Everybody);
        if site.method != "GET" || is_public {
            continue;
        }
        let path = address(site.pattern, &sales);
        for (who, browser) in [("admin", app.admin()), ("nobody", &app.visitor())] {
            for method in [Method::GET, Method::HEAD] {
                let answer = Answer::of(browser.request(method, &path)).await;
                let caching = answer.header("cache-control");
                assert!(
                    caching.contains("private") || caching.contains("no-store"),
                    "{who} {path}: {} {caching:?}",
                    answer.status
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "{asked}");
}

#[tokio::test]
async fn other_methods_do_nothing_and_repeat_nothing() {
    let app = TestApp::start().await;
    let before = changes::head(&*app.app.db).await.unwrap();
    for method in ["TRACE", "TRACK", "DEBUG", "PROPFIND", "OPTIONS"] {
        for path in ["/", "/sign-in", "/sign-out", "/api/v1/assets", "/healthz"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = app.request(method.clone(), path);
            let request = request.header("x-secret-of-mine", "do-not-repeat");
            let answer = Answer::of(request).await;
            assert!(
                matches!(answer.status.as_u16(), 403..=405),
                "{method} {path}: {}",
                answer.status
            );
            assert!(!answer.text.contains("do-not-repeat"), "{method} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    }
    // A method that a form or a link pretends to be another one.
    let pretending = app
        .request(Method::GET, "/sign-out?_method=POST")
        .header("x-http-method-override", "POST");
    assert_eq!(
        Answer::of(pretending).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(app.get("/browse").await.status, StatusCode::OK);
    assert_eq!(changes::head(&*app.app.db).await.unwrap(), before);
}

#[tokio::test]
async fn odd_names_and_passwords_are_answered_in_words() {
    let app = TestApp::start().await;
    with_password(&app.app.db, "ana").await;
    let visitor = app.visitor();
    let long = "é".repeat(100_000);
    for (name, password) in [
        ("ana", long.as_str()),
        (long.as_str(), PASSWORD),
        ("ana\u{0}", PASSWORD),
        ("ana", "\u{0}"),
        ("", ""),
        ("ana", "\u{fdfa}\u{1f600}\u{202e}"),
        ("ana' OR '1'='1", "' OR '1'='1' --"),
        ("ana)(uid=*))(|(uid=*", "*"),
        ("%", "%"),
    ] {
        let answer = visitor
            .post("/sign-in", &[("name", name), ("password", password)])
            .await;
        assert!(
            matches!(answer.status.as_u16(), 401 | 429),
            "{}: {}",
            name.chars().take(20).collect::<String>(),
            answer.status
        );
        assert_eq!(answer.header("set-cookie"), "");
    }
    let huge = "x".repeat(2_000_000);
    let refused = visitor
        .post("/sign-in", &[("name", "ana"), ("password", &huge)])
        .await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    for body in ["", "name=ana", "{}", "name=%ff%fe&password=%ff"] {
        let request = visitor
            .request(Method::POST, "/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        let answer = Answer::of(request).await;
        assert!(answer.status.is_client_error(), "{body}: {}", answer.status);
    }
    let request = visitor
        .request(Method::POST, "/sign-in")
        .json(&serde_json::json!({"name": "ana", "password": PASSWORD}));
    assert_eq!(
        Answer::of(request).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}

#[tokio::test]
async fn a_wrong_password_does_not_end_the_session_that_is_there() {
    let app = TestApp::start().await;
    let (_, secret) = with_password(&app.app.db, "ana").await;
    let ana = app.visitor().with_session(secret.expose_secret());

    let refused = ana
        .post("/sign-in", &[("name", "bob"), ("password", PASSWORD)])
        .await;

    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ana.get("/browse").await.status, StatusCode::OK);
}

#[tokio::test]
async fn errors_tell_nothing_of_what_is_inside() {
    let app = TestApp::start().await;
    let (_, secret) = with_password(&app.app.db, "ana").await;
    let ana = app.visitor().with_session(secret.expose_secret());
    app.app.db.clone().close().await.unwrap();
    for (path, form) in [
        ("/sign-in", vec![("name", "ana"), ("password", PASSWORD)]),
        (
            "/set-up",
            vec![("code", "x"), ("name", "ana"), ("password", PASSWORD)],
        ),
        (
            "/choose-password",
            vec![("code", "x"), ("password", PASSWORD)],
        ),
        ("/sign-out", vec![]),
    ] {
        let answer = ana.post(path, &form).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let text = answer.text.to_lowercase();
        for inside in [
            "sqlx", "sqlite", "postgres", ".rs:", "panicked", "pool", PASSWORD,
        ] {
            assert!(!text.contains(inside), "{path} tells of {inside}");
        }
        assert!(
            answer.text.contains(answer.header("x-request-id")),
            "{path}"
        );
    }
}

/// A server as people run it, with everything in its log.
struct Talkative {
    process: std::process::Child,
    base: String,
    _folder: tempfile::TempDir,
}

impl Drop for Talkative {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    for level in ["gazetteer=trace", "trace"] {
        let (log, secrets) = tokio::task::spawn_blocking(move || talk(level))
            .await
            .unwrap();
        assert!(log.contains("answered"), "{level}: {log}");
        for secret in secrets {
            assert!(secret.len() > 10, "{secret}");
            for line in log.lines() {
                // The one that is meant to be read there.
                if !line.contains("to set up this catalog") && !line.trim().starts_with("http") {
                    assert!(!line.contains(&secret), "{level}: {line}");
                }
            }
        }
    }
}

/// Goes all ways in, and answers the log and every secret that was used.
fn talk(level: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let log = folder.path().join("log");
    let gazetteer = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
        command.args(words).arg("--data-dir").arg(&root);
        command
            .env_remove("GAZETTEER_DATABASE_URL")
            .stdout(Stdio::piped());
        command
    };
    let process = gazetteer(&["serve", "--listen", "127.0.0.1:0", "--log", level])
        .arg("--recipes")
        .arg(root.join("none"))
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut server = Talkative {
        process,
        base: String::new(),
        _folder: folder,
    };
    let mut told = String::new();
    let output = server.process.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut told).unwrap();
    told.trim()
        .rsplit(' ')
        .next()
        .unwrap()
        .trim_end_matches('/')
        .clone_into(&mut server.base);
    let read = || {
        let mut text = String::new();
        let mut file = std::fs::File::open(&log).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    };
    let began = Instant::now();
    let code = loop {
        let text = read();
        if let Some((_, code)) = text.split_once("/set-up?code=") {
            // Behind the code something else follows, or it has not been written to its end yet.
            let ends = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
            if let Some((code, _)) = code.split_once(ends) {
                break code.to_owned();
            }
        }
        assert!(began.elapsed() < PATIENCE, "{text}");
        std::thread::yield_now();
    };
    let secrets = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(go_in(&server.base, &code));
    let token = gazetteer(&[
        "token", "add", "ana", "--name", "notebook", "--scope", "read",
    ])
    .output()
    .unwrap();
    let told = String::from_utf8_lossy(&token.stdout).into_owned();
    let token = told
        .split_whitespace()
        .find(|word| word.starts_with("gaz_"))
        .unwrap_or_else(|| panic!("{told} {}", String::from_utf8_lossy(&token.stderr)))
        .to_owned();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let program = Browser::with_token(&server.base, &token);
            assert_eq!(program.get("/api/v1/assets").await.status, StatusCode::OK);
        });
    let log = read();
    (log, [secrets, vec![token]].concat())
}

/// Sets up, signs in and out, tries a wrong password; answers the secrets.
async fn go_in(base: &str, code: &str) -> Vec<String> {
    let visitor = Browser::visiting(base);
    let cookie = |answer: &Answer| {
        let cookie = answer.header("set-cookie");
        let (pair, _) = cookie.split_once(';').unwrap();
        pair.split_once('=').unwrap().1.to_owned()
    };
    let page = visitor.get(&format!("/set-up?code={code}")).await;
    assert_eq!(page.status, StatusCode::OK);
    let form = [("code", code), ("name", "ana"), ("password", PASSWORD)];
    let done = visitor.post("/set-up", &form).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let ana = visitor.with_cookie_of(&done);
    assert_eq!(ana.get("/").await.status, StatusCode::OK);
    let wrong = [("name", "ana"), ("password", OTHER)];
    let refused = visitor.post("/sign-in", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    // People type passwords into the field of the name.
    let mistaken = [("name", "my secret hen lays blue"), ("password", OTHER)];
    let refused = visitor.post("/sign-in", &mistaken).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let right = [("name", "ana"), ("password", PASSWORD)];
    let in_again = visitor.post("/sign-in", &right).await;
    assert_eq!(in_again.status, StatusCode::SEE_OTHER);
    let again = visitor.with_cookie_of(&in_again);
    assert_eq!(
        again.post("/sign-out", &[]).await.status,
        StatusCode::SEE_OTHER
    );
    let query = visitor
        .get("/choose-password?code=a-code-that-nobody-has")
        .await;
    assert_eq!(query.status, StatusCode::NOT_FOUND);
    vec![
        code.to_owned(),
        PASSWORD.to_owned(),
        PASSWORD.replace(' ', "+"),
        OTHER.to_owned(),
        OTHER.replace(' ', "+"),
        "my secret hen".to_owned(),
        "my+secret+hen".to_owned(),
        "a-code-that-nobody-has".to_owned(),
        cookie(&done),
        cookie(&in_again),
    ]
}
