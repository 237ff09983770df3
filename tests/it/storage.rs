//! The place where the catalog is kept: another process that writes and does not finish, a file that was deleted,
//! replaced or damaged, many first starts at once, few connections, and what is said of each.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use gazetteer::catalog::{AssetId, AssetKind};
use gazetteer::config;
use gazetteer::demo::{Endpoint, World};
use reqwest::Method;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::{Answer, TestApp, asset, table, texts};
use crate::support::catalog::TestCatalog;

/// Everybody has an answer after five seconds, on a machine that does nothing else.
const ANSWERED: Duration = Duration::from_secs(10);

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(30);

/// A catalog with one table; answers its id.
async fn app() -> (TestApp, AssetId) {
    let app = TestApp::start().await;
    app.add("sales", vec![table(&["sales", "orders"], &[("id", "int")])])
        .await;
    let id = app.id_of(&["sales", "orders"]).await;
    (app, id)
}

async fn describe(app: &TestApp, id: AssetId, text: &str) -> Answer {
    let path = format!("/api/v1/assets/{id}/description");
    let version =
        app.json(&format!("/api/v1/assets/{id}")).await["human"]["description"]["version"]
            .as_i64()
            .unwrap_or_default();
    let body = json!({ "text": text, "version": version });
    let request = app.request(Method::PUT, &path).json(&body);
    Answer::of(request.header("sec-fetch-site", "same-origin")).await
}

/// Asks until it is as expected.
async fn until_ready(app: &TestApp, ready: bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = app.get("/readyz").await;
        if answer.json()["ready"] == ready {
            return answer.json();
        }
        assert!(Instant::now() < deadline, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Begins to write as another process would, and does not finish.
async fn write_without_end(url: &str) -> (DatabaseConnection, DatabaseTransaction) {
    let connection = Database::connect(url).await.unwrap();
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let txn = connection.begin_with_options(options).await.unwrap();
    txn.execute_unprepared("UPDATE change_head SET last = last")
        .await
        .unwrap();
    (connection, txn)
}

fn on_postgres() -> bool {
    config::variable("GAZETTEER_TEST_POSTGRES").is_some()
}

fn file_of(app: &TestApp) -> PathBuf {
    app.data_dir().join("catalog.db")
}

fn gazetteer(folder: &Path, words: &[&str], url: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command.args(words).arg("--data-dir").arg(folder);
    command.args(["--recipes", "none"]);
    command.env_remove("GAZETTEER_DATABASE_URL");
    if let Some(url) = url {
        command.env("GAZETTEER_DATABASE_URL", url);
    }
    command
}

/// Runs a command aside, so that the test's own servers go on answering.
async fn run(folder: &Path, words: &[&str], url: Option<&str>) -> Output {
    let mut command = gazetteer(folder, words, url);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

/// Both streams of what a command said.
fn said(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams
        .map(|bytes| String::from_utf8_lossy(bytes))
        .join("\n")
}

#[tokio::test]
async fn a_writer_that_does_not_finish_keeps_nobody_waiting_and_is_named() {
    let (app, id) = app().await;
    let (connection, txn) = write_without_end(app.database_url().expose_secret()).await;

    let begun = Instant::now();
    let answers = save_four(&app, id).await;
    let waited = begun.elapsed();
    let ready = until_ready(&app, false).await;
    drop(txn);
    connection.close().await.unwrap();

    for answer in &answers {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(
            answer
                .text
                .contains("Another process is writing to the catalog"),
            "{}",
            answer.text
        );
    }
    assert!(waited < ANSWERED, "{waited:?}");
    assert_eq!(ready["writing"], "stuck behind another writer", "{ready}");
    let hint = ready["hint"].as_str().unwrap();
    let writer = if on_postgres() {
        "”, since "
    } else {
        &std::process::id().to_string()
    };
    assert!(hint.contains(writer), "{hint}");
    assert!(!hint.contains("127.0.0.1"), "{hint}");
    until_ready(&app, true).await;
    assert_eq!(describe(&app, id, "Later.").await.status, 200);
}

/// Several who save at once.
async fn save_four(app: &TestApp, id: AssetId) -> Vec<Answer> {
    let (a, b, c, d) = tokio::join!(
        describe(app, id, "one"),
        describe(app, id, "two"),
        describe(app, id, "three"),
        describe(app, id, "four"),
    );
    vec![a, b, c, d]
}

#[tokio::test]
async fn commands_say_who_keeps_them_from_writing() {
    let catalog = TestCatalog::start().await;
    let url = catalog.storage.database_url();
    let url = url.expose_secret();
    let (_connection, _txn) = write_without_end(url).await;

    let folder = catalog.storage.data_dir();
    let added = run(folder, &["user", "add", "ana"], Some(url)).await;
    let doctor = run(folder, &["doctor"], Some(url)).await;

    assert_eq!(added.status.code(), Some(1));
    assert!(
        said(&added).contains("is writing to the catalog and does not finish"),
        "{}",
        said(&added)
    );
    assert_eq!(doctor.status.code(), Some(1));
    assert!(
        said(&doctor).contains("WRONG: The catalog cannot be written: "),
        "{}",
        said(&doctor)
    );
}

#[tokio::test]
async fn text_that_could_not_be_saved_is_still_in_the_form() {
    let (app, id) = app().await;
    let (_connection, _txn) = write_without_end(app.database_url().expose_secret()).await;

    let form = [("text", "Typed at length."), ("version", "0")];
    let path = format!("/assets/{id}/edit/description");
    let answer = app.admin().post(&path, &form).await;

    assert_eq!(answer.status, 503);
    assert_eq!(texts(&answer.html(), "textarea"), ["Typed at length."]);
    assert!(answer.text.contains("does not finish"), "{}", answer.text);
}

#[tokio::test]
async fn a_transaction_in_which_a_statement_was_refused_is_not_answered_as_saved() {
    let catalog = TestCatalog::start().await;
    let txn = catalog.app.db.write().await.unwrap();

    let refused = txn
        .execute_unprepared("INSERT INTO nowhere VALUES (1)")
        .await;
    let committed = txn.commit().await;

    assert!(refused.is_err());
    assert!(committed.is_err());
}

#[tokio::test]
async fn a_deleted_file_takes_no_edits_and_put_back_takes_them_again() {
    if on_postgres() {
        return;
    }
    let (app, id) = app().await;
    let (file, aside) = (file_of(&app), app.data_dir().join("aside.db"));
    fs::rename(&file, &aside).unwrap();

    let lost = describe(&app, id, "Into nowhere.").await;
    let ready = until_ready(&app, false).await;
    let doctor = run(app.data_dir(), &["doctor"], None).await;
    let created = file.exists();
    fs::rename(&aside, &file).unwrap();

    assert_eq!(lost.status, 503);
    assert!(lost.text.contains("deleted or replaced"), "{}", lost.text);
    assert_eq!(ready["writing"], "the file was deleted or replaced");
    assert!(
        ready["hint"]
            .as_str()
            .unwrap()
            .contains("is not the file that was opened")
    );
    let folder = app.data_dir().display().to_string();
    assert!(!ready.to_string().contains(&folder), "{ready}");
    assert!(
        said(&doctor).contains("There is no catalog yet"),
        "{}",
        said(&doctor)
    );
    assert!(!created, "the doctor made a file");
    until_ready(&app, true).await;
    assert_eq!(describe(&app, id, "Kept.").await.status, 200);
}

#[tokio::test]
async fn looking_for_room_leaves_other_files_alone() {
    if on_postgres() {
        return;
    }
    let (app, _) = app().await;
    let other = file_of(&app).with_extension("room");
    fs::write(&other, "Somebody's.").unwrap();

    until_ready(&app, true).await;

    assert_eq!(fs::read_to_string(&other).unwrap(), "Somebody's.");
    let names = fs::read_dir(app.data_dir()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("room")).count(), 1);
}

#[tokio::test]
async fn a_file_under_which_another_one_was_put_takes_no_edits() {
    if on_postgres() {
        return;
    }
    let (app, id) = app().await;
    let (other, _) = self::app().await;
    other
        .app
        .db
        .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .unwrap();
    let copy = app.data_dir().join("copy.db");
    fs::copy(file_of(&other), &copy).unwrap();
    fs::rename(&copy, file_of(&app)).unwrap();

    let answer = describe(&app, id, "Into the old one.").await;

    assert_eq!(answer.status, 503);
    assert!(
        answer.text.contains("deleted or replaced"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_log_that_was_deleted_takes_no_edits() {
    if on_postgres() {
        return;
    }
    let (app, id) = app().await;
    fs::remove_file(app.data_dir().join("catalog.db-wal")).unwrap();

    let answer = describe(&app, id, "Into nowhere.").await;

    assert_eq!(answer.status, 503);
    assert!(
        answer.text.contains("deleted or replaced"),
        "{}",
        answer.text
    );
}

/// Lets SQLite move everything from its log into the file.
async fn fold_log(file: &Path) {
    let connection = Database::connect(format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    connection
        .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Overwrites every fourth page of 16 KiB.
fn overwrite_pages(file: &Path) {
    let length = file.metadata().unwrap().len();
    let mut pages = fs::OpenOptions::new().write(true).open(file).unwrap();
    for page in (3..length / 16_384).step_by(4) {
        pages.seek(SeekFrom::Start(page * 16_384)).unwrap();
        pages.write_all(&[b'x'; 16_384]).unwrap();
    }
}

fn cut_header(file: &Path) {
    let mut header = fs::OpenOptions::new().write(true).open(file).unwrap();
    header.write_all(&[0; 100]).unwrap();
}

fn truncate(file: &Path) {
    let whole = fs::OpenOptions::new().write(true).open(file).unwrap();
    whole.set_len(whole.metadata().unwrap().len() / 2).unwrap();
}

#[tokio::test]
async fn damage_is_noticed_by_the_next_edit_though_every_page_is_remembered() {
    if on_postgres() {
        return;
    }
    for damage in [overwrite_pages, truncate, cut_header] {
        let (app, id) = app().await;
        assert_eq!(describe(&app, id, "Before.").await.status, 200);
        app.app
            .db
            .execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)")
            .await
            .unwrap();
        damage(&file_of(&app));

        let body = json!({ "text": "After.", "version": 1 });
        let path = format!("/api/v1/assets/{id}/description");
        let answer = Answer::of(app.request(Method::PUT, &path).json(&body)).await;
        let ready = app.get("/readyz").await;

        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.text.contains("file is damaged"), "{}", answer.text);
        assert_eq!(ready.status, 503, "{}", ready.text);
    }
}

#[tokio::test]
async fn commands_tell_damage_in_a_sentence_and_none_panics() {
    if on_postgres() {
        return;
    }
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    for damage in [overwrite_pages, truncate, cut_header] {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("data");
        let elsewhere = TestCatalog::start().await;
        let recipe = elsewhere.write_recipe("r", &glue.url(), "", "");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("catalog.db");
        assert!(run(&folder, &["migrate"], None).await.status.success());
        fold_log(&file).await;
        damage(&file);

        let recipe = recipe.to_str().unwrap();
        for words in [
            &["doctor"][..],
            &["ingest", "run", "-c", recipe],
            &["serve", "--listen", "127.0.0.1:0"],
            &["reindex"],
        ] {
            let output = run(&folder, words, None).await;
            let said = said(&output);
            assert!(!output.status.success(), "{words:?}: {said}");
            assert!(!said.contains("panicked"), "{words:?}: {said}");
            assert!(
                ["damaged", "malformed", "not a database"]
                    .iter()
                    .any(|word| said.contains(word)),
                "{words:?}: {said}"
            );
        }
    }
}

#[tokio::test]
async fn a_new_catalog_beside_the_index_of_a_deleted_one_is_remarked_upon() {
    let catalog = TestCatalog::start().await;
    let folder = catalog.storage.data_dir();
    let elsewhere = format!("sqlite://{}", folder.join("other.db").display());

    let output = run(folder, &["search", "orders"], Some(&elsewhere)).await;

    assert!(
        said(&output).contains("the search index of another catalog"),
        "{}",
        said(&output)
    );
}

#[tokio::test]
async fn many_first_starts_at_once_all_succeed() {
    for _ in 0..3 {
        let dir = TempDir::new().unwrap();
        let url = TestCatalog::fresh_database().await;
        let starts = (0..6).map(|number| {
            // On Postgres each has a data folder of its own, as replicas do.
            let folder = match url {
                Some(_) => dir.path().join(number.to_string()),
                None => dir.path().to_owned(),
            };
            gazetteer(&folder, &["migrate"], url.as_deref())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        });
        let starts: Vec<_> = starts.collect();
        for start in starts {
            let output = tokio::task::spawn_blocking(|| start.wait_with_output())
                .await
                .unwrap()
                .unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

#[tokio::test]
async fn a_start_does_not_wait_without_end_for_another_one_that_migrates() {
    let dir = TempDir::new().unwrap();
    let url = TestCatalog::fresh_database().await;
    let lock = fs::File::create(dir.path().join("migrate.lock")).unwrap();
    lock.lock().unwrap();

    let output = run(dir.path(), &["migrate"], url.as_deref()).await;

    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("is bringing the database to the newest schema"),
        "{}",
        said(&output)
    );
}

#[tokio::test]
async fn a_role_with_two_connections_is_enough_for_a_server() {
    let Some(url) = TestCatalog::fresh_database().await else {
        return;
    };
    let role = role_with(&url, "CONNECTION LIMIT 2").await;
    let dir = TempDir::new().unwrap();

    let app = TestApp::on(&role).await;
    app.add("sales", vec![asset(AssetKind::Table, &["sales", "orders"])])
        .await;
    let (a, b, c, d) = tokio::join!(
        app.get("/browse"),
        app.get("/readyz"),
        app.get("/ingestion"),
        app.get("/search?q=orders")
    );
    let command = run(dir.path(), &["user", "list"], Some(&role)).await;

    for answer in [a, b, c, d] {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    if !command.status.success() {
        assert!(
            said(&command).contains("CONNECTION LIMIT"),
            "{}",
            said(&command)
        );
    }
}

/// Makes a role that owns the database of this address; answers the address with it.
async fn role_with(url: &str, rights: &str) -> String {
    let (server, database) = url.rsplit_once('/').unwrap();
    let role = format!("few_{database}");
    let connection = Database::connect(url).await.unwrap();
    for statement in [
        format!("CREATE ROLE {role} LOGIN PASSWORD 'p@ss/w#rd?%:x' {rights}"),
        format!("ALTER DATABASE {database} OWNER TO {role}"),
    ] {
        connection.execute_unprepared(&statement).await.unwrap();
    }
    let (_, host) = server.rsplit_once('@').unwrap();
    format!("postgres://{role}:p%40ss%2Fw%23rd%3F%25%3Ax@{host}/{database}")
}

#[tokio::test]
async fn hints_name_what_is_wrong_with_the_address_of_a_postgres() {
    let dir = TempDir::new().unwrap();
    let mut expected = vec![
        ("postgres://u:p@ss/w#rd?@127.0.0.1:5432/x".to_owned(), "%40"),
        (
            "postgres://u:p@127.0.0.1:1/x".to_owned(),
            "Nothing listens there.",
        ),
        (
            "postgres://u:p@nowhere.invalid/x".to_owned(),
            "no host of that name",
        ),
        ("sqlite:///nowhere/at/all.db".to_owned(), "folder exists"),
    ];
    if let Some(url) = TestCatalog::fresh_database().await {
        let role = role_with(&url, "").await;
        let (server, database) = role.rsplit_once('/').unwrap();
        let (_, host) = server.rsplit_once('@').unwrap();
        let user = format!("few_{database}");
        expected.push((format!("{server}/missing"), "CREATE DATABASE"));
        expected.push((
            format!("postgres://{user}:wrong@{host}/{database}"),
            "The password is wrong.",
        ));
        expected.push((
            format!("{role}?options=-c%20search_path%3Dnowhere"),
            "CREATE SCHEMA",
        ));
        expected.push((format!("{role}?sslmode=require"), "sslmode"));
        let other = TestCatalog::fresh_database().await.unwrap();
        let (_, other) = other.rsplit_once('/').unwrap();
        if is_new_enough(&url).await {
            expected.push((
                format!("{server}/{other}"),
                "GRANT USAGE, CREATE ON SCHEMA public",
            ));
        }
    }
    for (url, hint) in expected {
        let output = run(dir.path(), &["migrate"], Some(&url)).await;
        let said = said(&output);
        let hints = said.split_once("hint: ").map_or("", |(_, hints)| hints);
        assert!(hints.contains(hint), "{hint}: {said}");
    }
}

/// Since Postgres 15 not everybody may make tables in `public`.
async fn is_new_enough(url: &str) -> bool {
    let connection = Database::connect(url).await.unwrap();
    let statement = sea_orm::Statement::from_string(
        DbBackend::Postgres,
        "SELECT current_setting('server_version_num')::int",
    );
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index::<i32>(0).unwrap() >= 150_000
}
