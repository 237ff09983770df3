//! What the running program tells: log lines with the request's id, traces and numbers for a collector.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use gazetteer::demo::{Endpoint, World};
use gazetteer::telemetry::request;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::app::TestApp;
use crate::support::catalog::TestCatalog;
use crate::support::receiver::{Received, Receiver};

/// `gazetteer serve`, as a process of its own.
struct Serving {
    process: Child,
    /// Such as `http://127.0.0.1:40123/`.
    url: String,
    log: ChildStderr,
    _folder: TempDir,
}

impl Serving {
    async fn start(variables: Vec<(&'static str, String)>) -> Self {
        tokio::task::spawn_blocking(move || Self::start_blocking(variables))
            .await
            .unwrap()
    }

    fn start_blocking(variables: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_gazetteer"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log",
                "warn,gazetteer=info",
            ])
            .arg("--data-dir")
            .arg(folder.path())
            .arg("--recipes")
            .arg(folder.path().join("none"))
            .env_remove("GAZETTEER_DATABASE_URL")
            .envs(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut told).unwrap();
        let url = told.trim().rsplit(' ').next().unwrap().to_owned();
        Self {
            log: process.stderr.take().unwrap(),
            process,
            url,
            _folder: folder,
        }
    }

    /// Ends it as the system does, and answers its log.
    async fn stop(mut self) -> String {
        tokio::task::spawn_blocking(move || {
            let kill = format!("kill -TERM {}", self.process.id());
            let told = Command::new("sh").args(["-c", &kill]).status();
            assert!(told.unwrap().success());
            let mut log = String::new();
            self.log.read_to_string(&mut log).unwrap();
            assert!(self.process.wait().unwrap().success(), "{log}");
            log
        })
        .await
        .unwrap()
    }
}

/// A test that fails leaves no process behind.
impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn lines_of(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn every_line_about_a_request_has_its_id() {
    let serving = Serving::start(Vec::new()).await;
    let client = reqwest::Client::new();
    for (header, id) in [
        ("x-request-id", "given-by-a-proxy"),
        ("correlation-id", "given-by-a-program"),
    ] {
        let asking = client.get(format!("{}nowhere", serving.url));
        let answer = asking.header(header, id).send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"], id);
    }

    let log = serving.stop().await;

    let lines = lines_of(&log);
    let ids: Vec<&Value> = lines
        .iter()
        .filter(|line| line["target"] == "gazetteer::access")
        .map(|line| &line["request_id"])
        .collect();
    assert_eq!(ids, ["given-by-a-proxy", "given-by-a-program"], "{log}");
}

#[tokio::test]
async fn a_run_asks_its_source_in_the_name_of_the_request_that_started_it() {
    let glue = Receiver::start().await;
    let app = TestApp::start().await;
    app.write_recipe(
        "asked",
        &format!(
            "source:\n  type: glue\n  config:\n    aws_region: eu-central-1\n    aws_access_key_id: test\n    \
             aws_secret_access_key: test\n    aws_endpoint_url: {}\n",
            glue.url
        ),
    );
    // As the middleware does for what a request asks.
    request::within("whoever-pressed-it".into(), app.run("asked")).await;

    let asked = glue.received();
    assert!(!asked.is_empty());
    for request in asked {
        assert_eq!(request.header("x-request-id"), "whoever-pressed-it");
    }
}

#[tokio::test]
async fn traces_and_numbers_go_to_a_collector_and_go_on_with_the_callers_trace() {
    let collector = Receiver::start().await;
    let serving = Serving::start(vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.clone()),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "api-key=opensesame".to_owned(),
        ),
        ("OTEL_SERVICE_NAME", "atlas-of-the-test".to_owned()),
        ("GAZETTEER_ANONYMOUS_READ", "true".to_owned()),
    ])
    .await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = reqwest::Client::new()
        .get(format!("{}api/v1/search?q=orders", serving.url))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);

    let log = serving.stop().await;

    let sent = collector.received();
    let to = |path: &str| -> Vec<Received> {
        sent.iter()
            .filter(|request| request.path == path)
            .cloned()
            .collect()
    };
    let (traces, metrics) = (to("/v1/traces"), to("/v1/metrics"));
    let id: Vec<u8> = (0..trace.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(trace.get(at..at + 2).unwrap(), 16).unwrap())
        .collect();
    for words in [
        b"atlas-of-the-test".as_slice(),
        b"GET /api/v1/search",
        b"http.response.status_code",
        b"search",
        &id,
    ] {
        let is_told = traces.iter().any(|request| request.has(words));
        assert!(is_told, "{}: {log}", String::from_utf8_lossy(words));
    }
    for words in [
        b"atlas-of-the-test".as_slice(),
        b"gazetteer_http_requests_total",
        b"gazetteer_http_request_seconds",
    ] {
        let is_told = metrics.iter().any(|request| request.has(words));
        assert!(is_told, "{}: {log}", String::from_utf8_lossy(words));
    }
    for request in &sent {
        assert_eq!(request.header("api-key"), "opensesame");
        assert_eq!(request.header("content-type"), "application/x-protobuf");
    }
    // The collector's client tells nothing of itself.
    let own_url = collector.url.trim_start_matches("http://").as_bytes();
    assert!(!traces.iter().any(|request| request.has(own_url)));
    assert!(!log.contains("opensesame"));
}

#[tokio::test]
async fn a_run_and_each_of_its_databases_are_in_a_trace() {
    let collector = Receiver::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    let catalog = TestCatalog::start().await;
    let recipe = catalog.write_recipe("traced", &glue.url(), "", "");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command
        .args(["ingest", "run", "-c", recipe.to_str().unwrap()])
        .arg("--data-dir")
        .arg(catalog.dir.path().join("traced"))
        .env_remove("GAZETTEER_DATABASE_URL")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    assert_eq!(ended.await.unwrap().status.code(), Some(3));

    let traces = collector.received();
    for words in [b"run.id".as_slice(), b"traced", b"database", b"logistics"] {
        let is_told = traces.iter().any(|request| request.has(words));
        assert!(is_told, "{}", String::from_utf8_lossy(words));
    }
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_nothing_and_is_told_once() {
    // Connections are taken by the system, and nobody ever reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let serving = Serving::start(vec![
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://{}", silent.local_addr().unwrap()),
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "200".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50".to_owned()),
    ])
    .await;
    let began = Instant::now();
    for _ in 0..20 {
        let answer = reqwest::get(format!("{}healthz", serving.url))
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert!(began.elapsed() < Duration::from_secs(5));

    let stopping = Instant::now();
    let log = serving.stop().await;

    assert!(stopping.elapsed() < Duration::from_secs(15));
    let told = log
        .matches("traces cannot be sent to the collector")
        .count();
    assert!(told <= 1, "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_told_all_at_once() {
    let told = tokio::task::spawn_blocking(|| {
        Command::new(env!("CARGO_BIN_EXE_gazetteer"))
            .args(["serve", "--public-url", "catalog", "--tls-key", "key.pem"])
            .args(["--trusted-proxies", "proxy", "--rate-limit", "many"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")
            .env("GAZETTEER_LOG", "=")
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    assert_eq!(told.status.code(), Some(2));
    assert_eq!(told.stdout, b"");
    let text = String::from_utf8(told.stderr).unwrap();
    for word in [
        "GAZETTEER_PUBLIC_URL",
        "--tls-key is given without --tls-certificate",
        "“proxy”",
        "“many”",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "“=” is not a log filter",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}
