//! What every answer of the web server has in common.

use gazetteer::web::Listener;
use gazetteer::web::routes::{self, Entry};
use reqwest::{Method, StatusCode};

use crate::support::app::{Answer, TestApp, texts};

/// An id that nothing has.
const NOBODY: &str = "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60";

/// An address of every line of the site map that answers GET.
fn readable() -> Vec<String> {
    routes::all()
        .iter()
        .filter(|site| site.method == "GET")
        .map(|site| {
            site.pattern
                .replace("{id}", NOBODY)
                .replace("{name}", "nothing")
                .replace("{platform}", "glue")
                .replace("{instance}", "1%2Fx")
                .replace("{path:.*}", "nothing.css")
        })
        .collect()
}

#[tokio::test]
async fn every_address_answers_safely_and_with_its_request_id() {
    let app = TestApp::start().await;
    for path in readable() {
        let answer = app.get(&path).await;
        assert!(
            matches!(answer.status.as_u16(), 200 | 303 | 404),
            "{path}: {}",
            answer.text
        );
        let kind = answer.header("content-type");
        if path.starts_with("/api/") && answer.status != StatusCode::OK {
            assert_eq!(kind, "application/problem+json", "{path}");
        } else if path.starts_with("/api/") {
            assert_eq!(kind, "application/json", "{path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("x-request-id").len() >= 8, "{path}");
    }
}

#[test]
fn every_address_of_the_catalog_needs_a_permission() {
    let with = |entry| -> Vec<&str> {
        let sites = routes::all().into_iter();
        let sites = sites.filter(|site| site.entry == entry);
        sites.map(|site| site.pattern).collect()
    };
    let ways_in = [
        "/sign-in",
        "/sign-in",
        "/sign-in/oidc",
        "/sign-in/oidc/callback",
        "/sign-in/demo",
        "/set-up",
        "/set-up",
        "/choose-password",
        "/choose-password",
    ];
    assert_eq!(with(Entry::Anybody), ways_in);
    let open = with(Entry::Everybody);
    let expected = [
        "/api/openapi.json",
        "/metrics",
        "/healthz",
        "/readyz",
        "/static/{path:.*}",
    ];
    assert_eq!(open, expected);
}

#[tokio::test]
async fn a_wrong_address_is_a_page_for_people_and_a_problem_for_programs() {
    let app = TestApp::start().await;
    for path in ["/nowhere", "/assets/not-an-id", "/assets/%FF", "/%00"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let page = answer.html();
        assert_eq!(texts(&page, "h1").len(), 1, "{path}");
        let id = answer.header("x-request-id");
        assert!(answer.text.contains(id), "{path}: {}", answer.text);
    }
    let problem = app.get("/api/v1/nowhere").await;
    assert_eq!(problem.status, StatusCode::NOT_FOUND);
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let json = problem.json();
    assert_eq!(json["status"], 404);
    assert_eq!(json["title"], "Not Found");
    assert_eq!(json["request_id"], problem.header("x-request-id"));
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let app = TestApp::start().await;
    let posted = app.post("/search").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(posted.header("allow"), "GET, HEAD");
    assert_eq!(
        texts(&posted.html(), "h1"),
        ["This address answers GET, HEAD only."]
    );
    let got = app.get("/api/v1/recipes/x/runs").await;
    assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(got.header("allow"), "POST");
    let head = Answer::of(app.request(Method::HEAD, "/healthz")).await;
    assert_eq!(head.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_id_is_taken_over_only_if_it_looks_like_one() {
    let app = TestApp::start().await;
    let answered = async |id: &str| {
        let request = app
            .request(Method::GET, "/nowhere")
            .header("x-request-id", id);
        let answer = Answer::of(request).await;
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(answered("from-the-proxy.1").await, "from-the-proxy.1");
    for odd in ["short", "<script>alert(1)</script>", "with some spaces"] {
        let id = answered(odd).await;
        assert_ne!(id, odd);
        assert_eq!(id.len(), 36);
    }
}

#[tokio::test]
async fn pages_of_other_sites_can_change_nothing() {
    let app = TestApp::start().await;
    let status = async |name: &str, text: &str| {
        let request = app
            .request(Method::POST, "/ingestion/recipes/nothing/runs")
            .header(name, text);
        Answer::of(request).await.status
    };
    assert_eq!(
        status("sec-fetch-site", "cross-site").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status("sec-fetch-site", "same-site").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status("origin", "https://evil.example").await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(status("origin", "null").await, StatusCode::FORBIDDEN);
    assert_eq!(
        status("sec-fetch-site", "same-origin").await,
        StatusCode::NOT_FOUND
    );
    assert_eq!(status("origin", &app.base).await, StatusCode::NOT_FOUND);
    assert_eq!(status("accept", "*/*").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_that_only_points_at_this_machine_is_refused() {
    let app = TestApp::start().await;
    let status = async |host: &str| {
        let request = app.request(Method::GET, "/healthz").header("host", host);
        let answer = Answer::of(request).await;
        assert!(!answer.text.contains("could not be understood"));
        answer.status
    };
    assert_eq!(status("localhost:1").await, StatusCode::OK);
    assert_eq!(status("127.0.0.1").await, StatusCode::OK);
    assert_eq!(status("evil.example").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_too_long_is_refused_in_words() {
    let app = TestApp::start().await;
    let address = app.get(&format!("/search?q={}", "x".repeat(9_000))).await;
    assert_eq!(address.status, StatusCode::URI_TOO_LONG);
    assert_eq!(texts(&address.html(), "h1"), ["The address is too long."]);
    let request = app
        .request(Method::GET, "/")
        .header("x-padding", "x".repeat(40_000));
    let headers = Answer::of(request).await;
    assert_eq!(headers.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let request = app
        .request(Method::POST, "/api/v1/recipes/x/runs")
        .body("x".repeat(2_000_000));
    let body = Answer::of(request).await;
    assert_eq!(body.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body.json()["hint"], "Send less than 1 MB.");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_without_details() {
    let app = TestApp::start().await;
    assert_eq!(app.json("/readyz").await["ready"], true);
    app.app.db.clone().close().await.unwrap();

    let page = app.get(&format!("/assets/{NOBODY}")).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        texts(&page.html(), "h1"),
        ["The catalog cannot be read right now."]
    );
    assert!(page.text.contains(page.header("x-request-id")));
    assert_eq!(page.header("retry-after"), "5");
    for internal in ["sql", "pool", "Db", "sqlite"] {
        assert!(!page.text.contains(internal), "{internal}: {}", page.text);
    }

    let problem = app.get(&format!("/api/v1/assets/{NOBODY}")).await;
    assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        problem.json()["detail"],
        "The catalog cannot be read right now."
    );

    let ready = app.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["database"], "does not answer");
    assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn numbers_are_counted_by_route_and_not_by_address() {
    let app = TestApp::start().await;
    app.get(&format!("/api/v1/assets/{NOBODY}")).await;
    let numbers = app.get("/metrics").await;
    assert_eq!(numbers.status, StatusCode::OK);
    assert!(numbers.header("content-type").starts_with("text/plain"));
    let counted =
        r#"gazetteer_http_requests_total{method="GET",route="/api/v1/assets/{id}",status="404"}"#;
    assert!(numbers.text.contains(counted), "{}", numbers.text);
    assert!(
        numbers
            .text
            .contains("gazetteer_http_request_seconds_bucket")
    );
    assert!(numbers.text.contains("gazetteer_changes_total"));
    assert!(!numbers.text.contains(NOBODY));
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_understands_it() {
    let app = TestApp::start().await;
    let request = app
        .request(Method::GET, "/api/openapi.json")
        .header("accept-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_a_way_out() {
    let first = Listener::bind("127.0.0.1:0").unwrap();
    let refusal = Listener::bind(&first.address().to_string()).unwrap_err();
    let told = refusal.to_string();
    assert!(
        told.starts_with("Another program is already listening on 127.0.0.1:"),
        "{told}"
    );
    let refusal = Listener::bind("nonsense").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "“nonsense” is not an address to listen on."
    );
}

#[tokio::test]
async fn it_ends_when_it_is_told_to() {
    let app = TestApp::start().await;
    let base = app.base.clone();
    app.get("/healthz").await;
    app.stop().await;
    assert!(reqwest::get(format!("{base}/healthz")).await.is_err());
}
