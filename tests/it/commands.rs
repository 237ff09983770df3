//! The command line: what is printed where, and how each command ends.

use std::process::{Command, Output};

use gazetteer::demo::{Endpoint, World};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::support::catalog::TestCatalog;

/// Runs the program on the test's catalog, aside, so that the test's own servers go on answering.
async fn gazetteer(catalog: &TestCatalog, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command
        .args(words)
        .arg("--data-dir")
        .arg(catalog.storage.data_dir());
    command.env_remove("GAZETTEER_DATABASE_URL");
    if let Some(url) = &catalog.storage.database_url {
        command.args(["--database-url", url.expose_secret()]);
    }
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_run_reports_as_json_and_a_partial_one_ends_with_three() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    let recipe = catalog.write_recipe("all", &glue.url(), "", "");

    let first = gazetteer(
        &catalog,
        &["ingest", "run", "--json", "-c", recipe.to_str().unwrap()],
    )
    .await;
    let second = gazetteer(
        &catalog,
        &["ingest", "run", "--json", "-c", recipe.to_str().unwrap()],
    )
    .await;

    let (first_report, report): (Value, Value) = (
        serde_json::from_slice(&first.stdout).unwrap(),
        serde_json::from_slice(&second.stdout).unwrap(),
    );
    assert_eq!(
        (first.status.code(), second.status.code()),
        (Some(3), Some(3))
    );
    assert!(
        first_report["new"].as_u64().unwrap() >= 80,
        "{first_report}"
    );
    assert_eq!(
        (&report["new"], &report["changed"], &report["gone"]),
        (&0.into(), &0.into(), &0.into())
    );
    assert_eq!(report["unchanged"], first_report["new"]);
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|finding| finding["about"] == "people"),
        "{report}"
    );
    assert!(report["databases"].as_array().unwrap().len() >= 8);
}

#[tokio::test]
async fn what_was_read_is_found_from_the_command_line() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    catalog.ingest(&glue).await;

    let found = gazetteer(&catalog, &["search", "orders", "by", "day", "--limit", "1"]).await;
    let reindexed = gazetteer(&catalog, &["reindex"]).await;
    let migrated = gazetteer(&catalog, &["migrate"]).await;

    assert!(
        text(&found.stdout).starts_with("view  views.orders by day"),
        "{}",
        text(&found.stdout)
    );
    assert_eq!(
        (reindexed.status.code(), migrated.status.code()),
        (Some(0), Some(0))
    );
    assert_eq!(text(&migrated.stdout), "The schema was up to date.\n");
}

#[tokio::test]
async fn wrong_usage_ends_with_two_and_a_sentence() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::new()).await.unwrap();
    let recipe = catalog.write_recipe("typo", &glue.url(), "    aws_regoin: x", "");

    let unknown = gazetteer(&catalog, &["dance"]).await;
    let typo = gazetteer(&catalog, &["ingest", "check", recipe.to_str().unwrap()]).await;
    let missing = gazetteer(&catalog, &["ingest", "run", "-c", "none.yml"]).await;

    let codes = [
        unknown.status.code(),
        typo.status.code(),
        missing.status.code(),
    ];
    assert_eq!(codes, [Some(2), Some(2), Some(2)]);
    assert!(
        text(&typo.stderr).contains("aws_region"),
        "{}",
        text(&typo.stderr)
    );
}

#[tokio::test]
async fn a_password_is_never_repeated() {
    let catalog = TestCatalog::start().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command
        .arg("--data-dir")
        .arg(catalog.dir.path())
        .arg("migrate");
    command.env(
        "GAZETTEER_DATABASE_URL",
        "postgres://someone:SEC/RET#x@127.0.0.1/x",
    );

    let refused = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();

    let said = text(&refused.stderr) + &text(&refused.stdout);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        said.contains("The database address cannot be read.") && !said.contains("SEC"),
        "{said}"
    );
}
