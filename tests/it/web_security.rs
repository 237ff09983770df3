//! What a scanner would try: other sites' forms, ways out of folders, injected headers, too much, too slow, too often.

use std::process::Command;
use std::time::{Duration, Instant};

use gazetteer::config;
use gazetteer::web::{Options, routes};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::app::{Answer, TestApp, texts};

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends bytes as they are, and reads until the server closes the connection.
async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let mut connection = connect(app).await;
    connection.write_all(bytes).await.unwrap();
    rest(&mut connection).await
}

async fn connect(app: &TestApp) -> TcpStream {
    let address = app.base.split("//").nth(1).unwrap();
    TcpStream::connect(address).await.unwrap()
}

async fn rest(connection: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = connection.read_to_end(&mut answer);
    // A server that has said enough may also just hang up.
    drop(
        tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("the connection is closed"),
    );
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

/// What every answer tells browsers, whatever it answers.
fn assert_safe(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{what}"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
    assert!(answer.header("x-request-id").len() >= 8, "{what}");
    assert_eq!(answer.header("server"), "", "{what}");
}

#[tokio::test]
async fn every_kind_of_answer_keeps_browsers_safe() {
    let app = TestApp::start().await;
    let page = app.get("/").await;
    let html = page.html();
    let sheet = html
        .select(&scraper::Selector::parse("link[rel=stylesheet]").unwrap())
        .next()
        .and_then(|link| link.attr("href"))
        .unwrap()
        .to_owned();
    let tag = app.get(&sheet).await.header("etag").to_owned();
    let unchanged = app
        .request(Method::GET, &sheet)
        .header("if-none-match", tag);
    let long = app
        .request(Method::GET, "/")
        .header("x-long", "x".repeat(40_000));
    let heavy = app
        .request(Method::POST, "/api/v1/recipes/x/runs")
        .body("x".repeat(2_000_000));
    let foreign = app
        .request(Method::POST, "/api/v1/recipes/x/runs")
        .header("origin", "https://evil.example");
    let answers = [
        (200, page),
        (200, app.get("/api/v1/recipes").await),
        (200, app.get(&sheet).await),
        (304, Answer::of(unchanged).await),
        (403, Answer::of(foreign).await),
        (404, app.get("/nowhere").await),
        (404, app.get("/static/nothing.css").await),
        (405, app.post("/search").await),
        (413, Answer::of(heavy).await),
        (
            414,
            app.get(&format!("/search?q={}", "x".repeat(9_000))).await,
        ),
        (422, app.get("/api/v1/search?limit=x").await),
        (431, Answer::of(long).await),
    ];
    for (status, answer) in &answers {
        assert_eq!(answer.status, *status, "{}", answer.text);
        assert_safe(answer, &status.to_string());
        assert_eq!(answer.header("strict-transport-security"), "", "{status}");
    }
    app.app.db.clone().close().await.unwrap();
    let broken = app.get("/ingestion/runs").await;
    assert_eq!(broken.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_safe(&broken, "503");
}

#[tokio::test]
async fn no_address_can_be_written_to_from_another_site() {
    let app = TestApp::start().await;
    let writing = routes::all()
        .into_iter()
        .filter(|site| site.method != Method::GET.as_str());
    let mut seen = 0;
    for site in writing {
        let method: Method = site.method.as_str().parse().unwrap();
        for lines in [
            vec![("origin", "https://evil.example")],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "cross-site")],
            vec![
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://evil.example"),
            ],
            vec![
                ("x-forwarded-host", "evil.example"),
                ("origin", "http://evil.example"),
            ],
        ] {
            let mut request = app.request(method.clone(), site.pattern);
            for (name, text) in &lines {
                request = request.header(*name, *text);
            }
            let answer = Answer::of(request).await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{} {lines:?}",
                site.pattern
            );
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen}");
}

#[tokio::test]
async fn no_address_leads_out_of_its_folder() {
    let app = TestApp::serving(Options::default()).await;
    for path in [
        "/static/../Cargo.toml",
        "/static/..%2fCargo.toml",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%252f..%252fetc%252fpasswd",
        "/static/....//....//etc/passwd",
        "/static/..%5c..%5cetc%5cpasswd",
        "/static//etc/passwd",
        "/static/v-1/../../../../etc/passwd",
        "/static/css/app.css%00.png",
        "/ingestion/recipes/..%2f..%2fetc%2fpasswd",
        "/ingestion/recipes/%2e%2e%2fdata",
        "/api/v1/assets/..%2f..%2fetc%2fpasswd",
        "/browse/..%2f../etc",
        "/../../../../etc/passwd",
        "/.git/config",
        "/%c0%ae%c0%ae/etc/passwd",
    ] {
        let answer = raw(&app, get(path).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(
            !answer.contains("root:") && !answer.contains("[package]"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn nothing_that_is_sent_becomes_a_header_of_the_answer() {
    let app = TestApp::start().await;
    let injected = "%0d%0aX-Injected:%20yes%0d%0a%0d%0a<p>";
    for path in [
        format!("/{injected}"),
        format!("/search?q={injected}"),
        format!("/assets/{injected}"),
        format!("/ingestion/recipes/{injected}"),
        format!("/browse/glue/{injected}"),
        format!("/api/v1/search?limit={injected}"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.header("x-injected"), "", "{path}");
        assert!(!answer.text.contains("<p>\r\n"), "{path}");
    }
    let posted = app
        .post(&format!("/ingestion/recipes/{injected}/runs"))
        .await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
    assert_eq!(posted.header("x-injected"), "");
    // A line that goes on, a naked line end, a name with a space, two lengths: none reaches a handler.
    for odd in [
        "x-request-id: abcdefgh\r\n X-Injected: yes\r\n",
        "x-request-id: abc\rX-Injected: yes\r\n",
        "x bad: yes\r\n",
        "content-length: 1\r\ncontent-length: 2\r\n",
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
    ] {
        let request =
            format!("GET / HTTP/1.1\r\nhost: localhost\r\n{odd}connection: close\r\n\r\n");
        let answer = raw(&app, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{odd:?}: {answer}");
        assert!(
            !answer.to_lowercase().contains("x-injected"),
            "{odd:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn too_many_parameters_are_refused_in_words() {
    let app = TestApp::start().await;
    let many = |count| format!("/search?q=x{}", "&kind=table".repeat(count));
    assert_eq!(app.get(&many(150)).await.status, StatusCode::OK);
    let refused = app.get(&many(250)).await;
    assert_eq!(refused.status, StatusCode::URI_TOO_LONG);
    assert_eq!(
        texts(&refused.html(), "h1"),
        ["The address has too many parameters."]
    );
}

#[tokio::test]
async fn who_sends_nothing_is_not_waited_for() {
    let app = TestApp::serving(Options {
        // The server's clock for these ticks twice a second.
        slowest_headers: Duration::from_secs(1),
        idle: Duration::from_secs(1),
        ..Options::default()
    })
    .await;
    let began = Instant::now();
    let slow = raw(&app, b"GET / HTTP/1.1\r\nhost: loc").await;
    assert!(
        slow.starts_with("HTTP/1.1 408") || slow.is_empty(),
        "{slow}"
    );
    let idle = raw(&app, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 200"), "{idle}");
    assert!(began.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_body_is_neither_waited_for_nor_read_without_end() {
    let app = TestApp::serving(Options {
        slowest_body: Duration::from_millis(300),
        ..Options::default()
    })
    .await;
    let post = "POST /api/v1/recipes/nothing/runs HTTP/1.1\r\nhost: localhost\r\n";
    let began = Instant::now();
    for stalled in [
        "content-length: 9\r\n\r\nx",
        "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n",
    ] {
        let answer = raw(&app, format!("{post}{stalled}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(
            answer.contains("The request took too long to arrive."),
            "{answer}"
        );
        assert!(answer.contains("content-security-policy"), "{answer}");
    }
    let foreign = "origin: https://evil.example\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n";
    let answer = raw(&app, format!("{post}{foreign}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    // No length is announced, and it goes on and on.
    let mut endless = format!("{post}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..150 {
        endless.extend_from_slice(b"2000\r\n");
        endless.extend_from_slice(&[b'x'; 0x2000]);
        endless.extend_from_slice(b"\r\n");
    }
    let mut connection = connect(&app).await;
    // The server may hang up before all of it is out.
    drop(connection.write_all(&endless).await);
    let answer = rest(&mut connection).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let odd = format!("{post}transfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n");
    let broken = raw(&app, odd.as_bytes()).await;
    assert!(broken.starts_with("HTTP/1.1 400"), "{broken}");
    assert!(began.elapsed() < PATIENCE);
}

fn behind_a_proxy() -> Options {
    Options {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        public_url: Some("https://catalog.example".parse().unwrap()),
        ..Options::default()
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_where_people_come_from_and_nobody_else_does() {
    let post = async |app: &TestApp, lines: &[(&str, &str)]| {
        let mut request = app.request(Method::POST, "/api/v1/recipes/nothing/runs");
        for (name, text) in lines {
            request = request.header(*name, *text);
        }
        Answer::of(request).await
    };
    let forwarded = [
        ("x-forwarded-host", "catalog.example"),
        ("x-forwarded-proto", "https"),
        ("origin", "https://catalog.example"),
    ];
    let app = TestApp::serving(behind_a_proxy()).await;
    let let_in = post(&app, &forwarded).await;
    // Nobody is signed in under that name: refused by the route, no longer at the door.
    assert_eq!(let_in.status, StatusCode::UNAUTHORIZED, "{}", let_in.text);
    assert_eq!(
        let_in.header("strict-transport-security"),
        "max-age=31536000"
    );
    let stepped_down = [
        forwarded[0],
        forwarded[1],
        ("origin", "http://catalog.example"),
    ];
    assert_eq!(
        post(&app, &stepped_down).await.status,
        StatusCode::FORBIDDEN
    );
    let renamed = [("x-forwarded-host", "evil.example"), forwarded[1]];
    assert_eq!(post(&app, &renamed).await.status, StatusCode::FORBIDDEN);
    let plain = [forwarded[0], ("x-forwarded-proto", "http")];
    let plain = post(&app, &plain).await;
    assert_eq!(plain.header("strict-transport-security"), "");

    let app = TestApp::start().await;
    let stranger = post(&app, &forwarded).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert_eq!(stranger.header("strict-transport-security"), "");
}

#[tokio::test]
async fn one_client_cannot_ask_for_costly_things_without_end() {
    let app = TestApp::serving(Options {
        rate_limit: std::num::NonZeroU32::new(1),
        ..behind_a_proxy()
    })
    .await;
    let from = async |address: &str, path: &str| {
        let request = app.request(Method::GET, path);
        Answer::of(request.header("x-forwarded-for", address)).await
    };
    let mut last = from("192.0.2.1", "/api/v1/search?q=x").await;
    for _ in 0..10 {
        assert_safe(&last, "search");
        if last.status != StatusCode::OK {
            break;
        }
        last = from("192.0.2.1", "/api/v1/search?q=x").await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(last.header("content-type"), "application/problem+json");
    assert_eq!(last.header("retry-after"), "1");
    let problem = last.json();
    assert_eq!(
        problem["detail"],
        "Too many requests came from your address in a short time."
    );
    assert_eq!(problem["hint"], "Wait 1 second and try again.");
    let page = from("192.0.2.1", "/search?q=x").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(texts(&page.html(), "h1").len(), 1);
    // What costs little goes on, and so does everybody else, even behind a word that the client put there itself.
    assert_eq!(from("192.0.2.1", "/").await.status, StatusCode::OK);
    assert_eq!(
        from("192.0.2.2", "/search?q=x").await.status,
        StatusCode::OK
    );
    let pretending = from("192.0.2.9, 192.0.2.1", "/search?q=x").await;
    assert_eq!(pretending.status, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn searches_and_lists_are_costly_and_files_are_not() {
    let is_costly = |pattern: &str| {
        let site = routes::all()
            .into_iter()
            .find(|site| site.pattern == pattern);
        site.unwrap().costly
    };
    for pattern in [
        "/search",
        "/search/suggest",
        "/api/v1/search",
        "/api/v1/assets",
    ] {
        assert!(is_costly(pattern), "{pattern}");
    }
    for pattern in ["/healthz", "/metrics", "/static/{path:.*}", "/"] {
        assert!(!is_costly(pattern), "{pattern}");
    }
}

#[tokio::test]
async fn it_speaks_tls_with_a_certificate_and_says_so_to_browsers() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let server = config::Server {
        listen: "127.0.0.1:0".to_owned(),
        public_url: None,
        tls_certificate: Some(certificate.clone()),
        tls_key: Some(key),
        trusted_proxies: None,
        rate_limit: "0".to_owned(),
        access: config::Access::default(),
    };
    let app = TestApp::serving(Options::from(server.read().unwrap())).await;
    assert!(app.base.starts_with("https://"));
    let root = reqwest::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();

    let answer = Answer::of(client.get(format!("{}/", app.base))).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_safe(&answer, "TLS");
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=31536000"
    );
    // Who does not know the certificate is not served, and neither is plain HTTP.
    assert!(app.request(Method::GET, "/").send().await.is_err());
    let plain = raw(&app, get("/").as_bytes()).await;
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
}

#[tokio::test]
async fn an_index_that_cannot_follow_makes_the_server_not_ready() {
    let app = TestApp::serving(Options {
        slowest_index: Duration::ZERO,
        ..Options::default()
    })
    .await;
    app.until_indexed().await;
    assert_eq!(app.get("/readyz").await.status, StatusCode::OK);

    app.spoil_index();
    app.add("sales", Vec::new()).await;

    let deadline = Instant::now() + PATIENCE;
    let mut ready = app.get("/readyz").await;
    while ready.status == StatusCode::OK {
        assert!(Instant::now() < deadline, "{}", ready.text);
        ready = app.get("/readyz").await;
    }
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let told = ready.json();
    assert_eq!(told["database"], "ok");
    assert_eq!(told["index"], "behind");
    assert!(told["hint"].as_str().unwrap().contains("data folder"));
}
