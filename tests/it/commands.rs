//! The command line: what is printed where, and how each command ends.

use std::process::{Command, Output};

use chrono::Utc;
use gazetteer::auth::{self, links, tokens};
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

/// What a command printed when it ended well.
async fn printed(catalog: &TestCatalog, words: &[&str]) -> String {
    let output = gazetteer(catalog, words).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{words:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[tokio::test]
async fn an_operator_makes_an_account_and_prints_a_link_that_works_once() {
    let catalog = TestCatalog::start().await;

    let added = gazetteer(
        &catalog,
        &[
            "user",
            "add",
            "Ana",
            "--role",
            "admin",
            "--display-name",
            "Ana Öz",
            "--public-url",
            "https://catalog.example/",
        ],
    )
    .await;
    let again = gazetteer(&catalog, &["user", "add", "аna"]).await;
    let reset = printed(&catalog, &["user", "reset-link", "ana"]).await;
    let listed: Value =
        serde_json::from_str(&printed(&catalog, &["user", "list", "--json"]).await).unwrap();

    let link = text(&added.stdout);
    let code = link
        .strip_prefix("https://catalog.example/choose-password?code=")
        .unwrap_or_else(|| panic!("{link}"));
    assert_eq!(code.trim_end().len(), 43);
    let db = &catalog.app.db;
    let spent = links::find(db, &code.trim_end().into(), Utc::now()).await;
    assert!(matches!(spent, Err(auth::Error::SpentLink)), "{spent:?}");
    let code = reset
        .strip_prefix("http://127.0.0.1:8080/choose-password?code=")
        .unwrap_or_else(|| panic!("{reset}"));
    let purpose = links::find(db, &code.trim_end().into(), Utc::now()).await;
    assert!(matches!(purpose, Ok(links::Purpose::Choose(account)) if account.name == "ana"));
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("looks like one that is"));
    let ana = &listed.as_array().unwrap()[0];
    assert_eq!(
        (&ana["name"], &ana["display_name"], &ana["role"]),
        (&"ana".into(), &"Ana Öz".into(), &"admin".into())
    );
}

#[tokio::test]
async fn a_steward_is_given_sources_and_databases_by_their_names() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    catalog.ingest(&glue).await;
    let database = catalog
        .assets()
        .await
        .into_iter()
        .find(|asset| asset.parent.is_none())
        .unwrap();
    let source = format!("glue:{}", database.address.instance);
    let scope = format!("{source}/{}", database.address.name());
    let typo = format!("{scope}x");

    let add = |scope| ["user", "add", "bo", "--role", "steward", "--scope", scope];
    let unknown = gazetteer(&catalog, &add(typo.as_str())).await;
    let reader = gazetteer(&catalog, &["user", "add", "bo", "--scope", &scope]).await;
    printed(&catalog, &add(scope.as_str())).await;
    let table = printed(&catalog, &["user", "list"]).await;
    let words = ["user", "role", "bo", "steward", "--scope", &source];
    let said = printed(&catalog, &words).await;
    let listed: Value =
        serde_json::from_str(&printed(&catalog, &["user", "list", "--json"]).await).unwrap();

    assert_eq!(unknown.status.code(), Some(2));
    let told = text(&unknown.stderr);
    assert!(
        told.contains(&format!(
            "no source or database “{typo}”. The nearest are “{scope}”"
        )),
        "{told}"
    );
    assert_eq!(reader.status.code(), Some(2));
    assert!(table.contains(&format!("steward of {scope}")), "{table}");
    assert_eq!(said, "“bo” is a steward of one scope.\n");
    assert_eq!(listed[0]["scopes"], Value::from(vec![source]));
}

#[tokio::test]
async fn the_last_admin_is_neither_demoted_nor_locked() {
    let catalog = TestCatalog::start().await;
    printed(&catalog, &["user", "add", "ana", "--role", "admin"]).await;

    let demoted = gazetteer(&catalog, &["user", "role", "ana", "reader"]).await;
    let locked = gazetteer(&catalog, &["user", "lock", "ana"]).await;
    let unknown = gazetteer(&catalog, &["user", "lock", "nobody"]).await;
    let dance = gazetteer(&catalog, &["user", "role", "ana", "dancer"]).await;
    printed(&catalog, &["user", "add", "bo", "--role", "admin"]).await;
    let then = printed(&catalog, &["user", "lock", "ana"]).await;
    let unlocked = printed(&catalog, &["user", "unlock", "ana"]).await;

    for refused in [&demoted, &locked] {
        assert_eq!(refused.status.code(), Some(1));
        let told = text(&refused.stderr);
        assert!(
            told.contains("hint: Make somebody else an admin first."),
            "{told}"
        );
    }
    assert!(text(&unknown.stderr).contains("There is no account named “nobody”."));
    assert_eq!(
        (unknown.status.code(), dance.status.code()),
        (Some(1), Some(2))
    );
    assert_eq!(then, "“ana” is locked.\n");
    assert_eq!(unlocked, "“ana” is not locked.\n");
}

#[tokio::test]
async fn an_operator_makes_and_revokes_tokens_for_anybody() {
    let catalog = TestCatalog::start().await;
    let service = gazetteer(&catalog, &["user", "add", "loader", "--service"]).await;
    let no_link = gazetteer(&catalog, &["user", "reset-link", "loader"]).await;

    let add = ["token", "add", "loader", "--name", "nightly"];
    let for_nothing = gazetteer(&catalog, &add).await;
    let for_ever = [&add[..], &["--scope", "read", "--days", "9999"]].concat();
    let for_ever = gazetteer(&catalog, &for_ever).await;
    let made = [&add[..], &["--scope", "read", "--scope", "ingest"]].concat();
    let secret = printed(&catalog, &made).await;
    let list = ["token", "list", "loader", "--json"];
    let listed: Value = serde_json::from_str(&printed(&catalog, &list).await).unwrap();
    let db = &catalog.app.db;
    let works = tokens::find_actor(db, secret.trim_end(), Utc::now()).await;
    let id = listed[0]["id"].as_str().unwrap();
    printed(&catalog, &["token", "revoke", id]).await;
    let revoked = tokens::find_actor(db, secret.trim_end(), Utc::now()).await;

    assert_eq!(text(&service.stdout), "");
    assert_eq!(no_link.status.code(), Some(2));
    let codes = [for_nothing.status.code(), for_ever.status.code()];
    assert_eq!(codes, [Some(2), Some(2)]);
    assert!(secret.starts_with("gaz_") && secret.lines().count() == 1);
    assert_eq!(listed[0]["scopes"], Value::from(vec!["read", "ingest"]));
    let name = works.unwrap().unwrap().who().to_string();
    assert_eq!(name, "loader with the token “nightly”");
    assert!(revoked.unwrap().is_none());
}

#[tokio::test]
async fn teams_are_made_joined_and_left() {
    let catalog = TestCatalog::start().await;
    printed(&catalog, &["user", "add", "ana"]).await;
    printed(&catalog, &["team", "add", "Data Platform"]).await;

    let taken = gazetteer(&catalog, &["team", "add", "data  platform"]).await;
    let joined = printed(&catalog, &["team", "join", "data platform", "ana"]).await;
    let left = printed(&catalog, &["team", "leave", "data platform", "ana"]).await;
    let unknown = gazetteer(&catalog, &["team", "join", "Sales", "ana"]).await;
    let listed = printed(&catalog, &["team", "list"]).await;

    assert_eq!(taken.status.code(), Some(1));
    assert_eq!(joined, "“ana” is in the team “Data Platform”.\n");
    assert_eq!(left, "“ana” is not in the team “Data Platform”.\n");
    assert!(text(&unknown.stderr).contains("There is no team named “Sales”."));
    assert!(
        listed.starts_with("TEAM") && listed.contains("\nData Platform  "),
        "{listed}"
    );
}

#[tokio::test]
async fn doctor_names_the_folder_in_which_it_finds_no_recipe() {
    let catalog = TestCatalog::start().await;
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere");

    let told = async |folder: &std::path::Path| {
        let folder = folder.to_str().unwrap().to_owned();
        text(
            &gazetteer(&catalog, &["doctor", "--recipes", &folder])
                .await
                .stdout,
        )
    };
    let holds_none = told(empty.path()).await;
    let missing = told(&nowhere).await;

    assert!(holds_none.contains("” holds no recipe."), "{holds_none}");
    assert!(
        missing.contains("nowhere”, so there are no recipes."),
        "{missing}"
    );
    assert!(
        missing.contains("hint: Name their folder with --recipes"),
        "{missing}"
    );
}
