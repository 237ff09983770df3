//! Runs that somebody else takes for dead: they write nothing more, whatever they had still to write.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use gazetteer::auth::Actor;
use gazetteer::catalog::{
    self, Address, AssetKind, Cause, Discovered, Facts, Removal, SourceLayer,
};
use gazetteer::config;
use gazetteer::ingest::recipe::Recipe;
use gazetteer::ingest::{self, Progress, Run, RunState, StartedBy};
use sea_orm::{
    ConnectionTrait, Database, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::watch;
use uuid::Uuid;

use crate::glue_server::GlueServer;
use crate::support::catalog::TestCatalog;

/// How long a test waits for something that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

const ACTIVE: &str = "SELECT count(*) FROM run WHERE active IS NOT NULL";

async fn execute(catalog: &TestCatalog, sql: &str) {
    let db = &catalog.app.db;
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.execute_raw(statement).await.unwrap();
}

async fn count(catalog: &TestCatalog, sql: &str) -> i64 {
    let db = &catalog.app.db;
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// How much was ever written: log, assets, listings, findings.
async fn written(catalog: &TestCatalog) -> [i64; 4] {
    [
        count(catalog, "SELECT count(*) FROM change").await,
        count(catalog, "SELECT count(*) FROM asset WHERE gone_at IS NULL").await,
        count(catalog, "SELECT count(*) FROM listing").await,
        count(catalog, "SELECT count(*) FROM finding").await,
    ]
}

/// Ends what runs, as a process of another machine does after long silence.
async fn take_for_dead(catalog: &TestCatalog) {
    let silent = "UPDATE run SET process = 'elsewhere', heartbeat_at = '2001-01-01T00:00:00+00:00'";
    let limit = TimeDelta::seconds(30);
    // A run that is heard of in between lives on.
    while count(catalog, ACTIVE).await > 0 {
        execute(catalog, silent).await;
        ingest::end_abandoned(&catalog.app.db, limit).await.unwrap();
    }
}

async fn run(catalog: &TestCatalog, endpoint: &str) -> Run {
    let file = catalog.write_recipe("test", endpoint, "", "");
    let recipe = Recipe::open(&file, &config::variable).unwrap();
    let (progress, _watching) = watch::channel(Progress::default());
    let stop = std::future::pending();
    ingest::run(&catalog.app.db, &recipe, &Actor::operator(), progress, stop)
        .await
        .unwrap()
}

fn database(name: &str) -> Value {
    json!({"Name": name, "CatalogId": "123456789012"})
}

fn table(database: &str, name: &str, kind: &str) -> Value {
    json!({"Name": name, "DatabaseName": database,
           "StorageDescriptor": {"Columns": [{"Name": "id", "Type": kind}]}})
}

/// A source of 20 tables, and what it is later: a table less, all others changed, one broken, a database more.
fn sources() -> [(Vec<Value>, Vec<Value>); 2] {
    let first = (0..20).map(|n| table("sales", &format!("t{n}"), "int"));
    let mut second: Vec<Value> = (1..20)
        .map(|n| table("sales", &format!("t{n}"), "bigint"))
        .collect();
    second.push(json!({"Name": "", "DatabaseName": "sales"}));
    second.push(table("stock", "items", "int"));
    [
        (vec![database("sales")], first.collect()),
        (vec![database("sales"), database("stock")], second),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_ended_while_it_reads_writes_nothing_and_says_so() {
    let [(databases, tables), (later_databases, later_tables)] = sources();
    let calls = 3;
    for call in 1..=calls {
        let catalog = Arc::new(TestCatalog::start().await);
        run(
            &catalog,
            &GlueServer::start(databases.clone(), tables.clone()).url,
        )
        .await;
        let before = written(&catalog).await;
        let (ending, seen) = (Arc::clone(&catalog), AtomicUsize::new(0));
        let here = Handle::current();
        let later =
            GlueServer::scripted(later_databases.clone(), later_tables.clone(), move |_| {
                if seen.fetch_add(1, Ordering::Relaxed) + 1 == call {
                    here.block_on(take_for_dead(&ending));
                }
                None
            });

        let ended = run(&catalog, &later.url).await;

        assert_eq!(ended.state, RunState::Interrupted, "call {call}");
        assert_eq!(
            ended.failure.as_deref(),
            Some(
                "The run was silent for so long that it was taken for dead. It stopped and wrote nothing more."
            )
        );
        assert_eq!(written(&catalog).await, before, "call {call}");
        let stored = "SELECT count(*) FROM run WHERE state = 'interrupted' AND failure LIKE '%taken for dead%'";
        assert_eq!(count(&catalog, stored).await, 1, "call {call}");
    }
}

fn discovered(path: &[&str], kind: AssetKind, description: &str) -> Discovered {
    Discovered {
        kind,
        address: Address {
            platform: "glue".to_owned(),
            instance: "one".to_owned(),
            path: path.iter().map(ToString::to_string).collect(),
        },
        source: SourceLayer {
            description: Some(description.to_owned()),
            ..SourceLayer::default()
        },
        facts: Facts::default(),
        aliases: Vec::new(),
    }
}

/// A run that goes on, as far as the database knows.
async fn running(catalog: &TestCatalog) -> Uuid {
    let server = GlueServer::start(Vec::new(), Vec::new());
    let run = run(catalog, &server.url).await;
    execute(
        catalog,
        "UPDATE run SET active = 'somebody', state = 'running'",
    )
    .await;
    run.id
}

#[tokio::test]
async fn every_kind_of_write_to_the_catalog_is_refused_to_a_run_that_was_ended() {
    let catalog = TestCatalog::start().await;
    let db = &catalog.app.db;
    let cause = Cause {
        actor: Actor::recipe("test"),
        run: Some(running(&catalog).await),
    };
    let now = Utc::now();
    let all = Removal {
        allows: &|_, _| true,
        covers: &|_| true,
    };
    let open = |name: &str| vec![discovered(&[name], AssetKind::Database, "A database.")];
    let tables = |words: &str| vec![discovered(&["sales", "orders"], AssetKind::Table, words)];
    let mut scopes = catalog::open(db, &cause, open("sales"), now).await.unwrap();
    let page = vec![(&mut scopes[0], tables("As it was."))];
    catalog::apply(db, &cause, page, now).await.unwrap();
    let mut again = catalog::open(db, &cause, open("sales"), Utc::now())
        .await
        .unwrap();
    let empty = catalog::open(db, &cause, open("sales"), Utc::now())
        .await
        .unwrap();

    take_for_dead(&catalog).await;
    let before = written(&catalog).await;
    let opened = catalog::open(db, &cause, open("stock"), Utc::now()).await;
    let page = vec![(&mut again[0], tables("As it is."))];
    let applied = catalog::apply(db, &cause, page, Utc::now()).await;
    let closed = catalog::close(db, &cause, empty, &all, Utc::now()).await;
    let other = [discovered(&["other"], AssetKind::Database, "").address];
    let vanished = catalog::close_databases(db, &cause, &other, &all, Utc::now()).await;

    let is_refused = |error: &catalog::Error| matches!(error, catalog::Error::RunEnded);
    assert!(opened.is_err_and(|error| is_refused(&error)));
    assert!(applied.is_err_and(|error| is_refused(&error)));
    assert!(closed.is_err_and(|error| is_refused(&error)));
    assert!(vanished.is_err_and(|error| is_refused(&error)));
    assert_eq!(written(&catalog).await, before);
}

#[tokio::test]
async fn a_run_is_taken_for_dead_by_its_silence_alone() {
    let catalog = TestCatalog::start().await;
    let run = running(&catalog).await;
    execute(&catalog, "UPDATE run SET process = 'elsewhere'").await;
    let limit = TimeDelta::seconds(30);
    ingest::end_abandoned(&catalog.app.db, limit).await.unwrap();
    let after_a_moment = count(&catalog, ACTIVE).await;
    let long_ago = match catalog.storage.database_url {
        Some(_) => "now() - interval '31 seconds'",
        None => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-31 seconds')",
    };
    execute(
        &catalog,
        &format!("UPDATE run SET heartbeat_at = {long_ago}"),
    )
    .await;
    ingest::end_abandoned(&catalog.app.db, limit).await.unwrap();

    assert_eq!(after_a_moment, 1);
    assert_eq!(count(&catalog, ACTIVE).await, 0);
    let run = ingest::find_run(
        &catalog.app.db,
        &gazetteer::auth::Visibility::Everything,
        run,
    )
    .await
    .unwrap();
    assert_eq!(run.state, RunState::Interrupted);
    assert_eq!(
        run.failure.as_deref(),
        Some("It was silent for 30 seconds, so it was taken for dead.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_slept_through_its_lease_writes_nothing_when_it_wakes_up() {
    let catalog = TestCatalog::start().await;
    let [(databases, tables), (later_databases, later_tables)] = sources();
    run(&catalog, &GlueServer::start(databases, tables).url).await;
    let before = written(&catalog).await;
    let (ask, asked) = mpsc::channel();
    let (wake, awake) = mpsc::channel();
    let (ask, awake) = (Mutex::new(ask), Mutex::new(awake));
    let later = GlueServer::scripted(later_databases, later_tables, move |call| {
        if call.is_tables_of("sales") {
            ask.lock().unwrap().send(()).unwrap();
            awake.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        None
    });
    let recipe = catalog.write_recipe("test", &later.url, "", "");

    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command.arg("--data-dir").arg(catalog.storage.data_dir());
    if let Some(url) = &catalog.storage.database_url {
        command.args(["--database-url", secrecy::ExposeSecret::expose_secret(url)]);
    }
    command.args(["ingest", "run", "-c"]).arg(recipe);
    let sleeper = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let sleeper = sleeper.spawn().unwrap();
    tokio::task::block_in_place(|| asked.recv_timeout(PATIENCE).unwrap());
    signal("STOP", sleeper.id());
    wake.send(()).unwrap();
    take_for_dead(&catalog).await;
    signal("CONT", sleeper.id());
    let ended = tokio::task::spawn_blocking(|| sleeper.wait_with_output().unwrap());
    let ended = ended.await.unwrap();

    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("taken for dead"), "{said}");
    assert_eq!(written(&catalog).await, before);
}

/// Asks until a count is as expected.
async fn until(catalog: &TestCatalog, sql: &str, expected: i64) {
    let deadline = Instant::now() + PATIENCE;
    while count(catalog, sql).await != expected {
        assert!(Instant::now() < deadline, "{sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_end_cannot_be_written_at_first_ends_and_its_recipe_runs_again() {
    let catalog = TestCatalog::start().await;
    let [(databases, tables), _] = sources();
    let server = GlueServer::start(databases, tables);
    catalog.write_recipe("test", &server.url, "", "");
    let (forbid, allow) = match catalog.storage.database_url {
        Some(_) => (
            "ALTER TABLE run ADD CONSTRAINT no_end CHECK (active IS NOT NULL) NOT VALID",
            "ALTER TABLE run DROP CONSTRAINT no_end",
        ),
        None => (
            "CREATE TRIGGER no_end BEFORE UPDATE OF active ON run BEGIN SELECT RAISE(ABORT, 'no'); END",
            "DROP TRIGGER no_end",
        ),
    };
    execute(&catalog, forbid).await;
    let (runner, operator) = (&catalog.app.runner, Actor::operator());

    let first = runner.start("test", &operator, StartedBy::Api).await;
    until(&catalog, "SELECT count(*) FROM listing", 1).await;
    // What the run still writes takes its turns among these.
    for _ in 0..50 {
        drop(catalog.app.db.write().await.unwrap());
    }
    execute(&catalog, allow).await;

    until(&catalog, ACTIVE, 0).await;
    let everything = gazetteer::auth::Visibility::Everything;
    let ended = ingest::find_run(&catalog.app.db, &everything, first.unwrap()).await;
    assert_eq!(ended.unwrap().state, RunState::Succeeded);
    runner
        .start("test", &operator, StartedBy::Api)
        .await
        .unwrap();
    runner.stop().await;
}

#[tokio::test]
async fn a_run_that_was_left_behind_is_ended_after_another_process_has_written() {
    let catalog = TestCatalog::start().await;
    running(&catalog).await;
    let silent = "UPDATE run SET process = 'elsewhere', heartbeat_at = '2001-01-01T00:00:00+00:00'";
    execute(&catalog, silent).await;
    let url = catalog.storage.database_url();
    let another = Database::connect(secrecy::ExposeSecret::expose_secret(&url))
        .await
        .unwrap();
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let txn = another.begin_with_options(options).await.unwrap();
    let change = "UPDATE change_head SET last = last";
    txn.execute_unprepared(change).await.unwrap();

    let (db, limit) = (&catalog.app.db, TimeDelta::seconds(30));
    let writes = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        txn.rollback().await.unwrap();
    };
    let (ended, ()) = tokio::join!(ingest::end_abandoned(db, limit), writes);

    ended.unwrap();
    assert_eq!(count(&catalog, ACTIVE).await, 0);
}

fn signal(name: &str, process: u32) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status();
    assert!(status.unwrap().success());
}
