//! `kill -9` at many points of an ingestion, of a migration and while people write: whatever was killed, the next start
//! ends with the answers of a catalog where nothing was.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::Utc;
use gazetteer::app::App;
use gazetteer::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::tokens::{self, NewToken};
use gazetteer::auth::{Actor, TokenScope, Visibility};
use gazetteer::catalog::{self, Action};
use gazetteer::config::Storage;
use gazetteer::db::PageRequest;
use gazetteer::demo::{EVERY_PAGE, Endpoint, Fault, World};
use gazetteer::ingest::Recipes;
use gazetteer::search::{AccessFilter, Query, follow};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::catalog::{TestCatalog, all_assets};

/// How many databases there are; each is two pages long.
const DATABASES: usize = 6;

/// A call to the endpoint takes so long, so that there is time to kill whoever asks.
const SLOWNESS: Duration = Duration::from_millis(15);

/// How long the endpoint may wait to be asked.
const PATIENCE: Duration = Duration::from_secs(30);

fn world() -> World {
    let mut world = World::new();
    for database in 0..DATABASES {
        let database = format!("db{database}");
        world.set_database(&json!({ "Name": database, "CatalogId": "123456789012" }));
        for table in 0..120 {
            let column = json!({ "Name": format!("column_{table}"), "Type": "bigint" });
            let name = format!("table_{table:03}");
            world.set_table(
                &database,
                &json!({ "Name": name, "StorageDescriptor": { "Columns": [column] } }),
            );
        }
    }
    world
}

fn gazetteer(storage: &Storage) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command.arg("--data-dir").arg(storage.data_dir());
    if let Some(url) = &storage.database_url {
        command.args(["--database-url", url.expose_secret()]);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ingest(catalog: &TestCatalog, recipe: &Path) -> Child {
    let mut command = gazetteer(&catalog.storage);
    command.args(["ingest", "run", "--json", "-c"]).arg(recipe);
    command.spawn().unwrap()
}

/// Waits until the endpoint was called so often, or the process has ended.
///
/// Answers whether it still lives.
async fn wait_for_calls(glue: &Endpoint, calls: u64, process: &mut Child) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let lives = process.try_wait().unwrap().is_none();
        if !lives || glue.calls() >= calls {
            return lives;
        }
        assert!(Instant::now() < deadline, "the endpoint is not asked");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_killed_ingestion_leaves_a_catalog_that_the_next_one_completes() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world()).await.unwrap();
    let recipe = catalog.write_recipe("crash", &glue.url(), "", "");
    for database in 0..DATABASES {
        glue.fault(&format!("db{database}"), EVERY_PAGE, Fault::Slow(SLOWNESS));
    }

    let mut killed = 0;
    for point in 1..=12 {
        let before = glue.calls();
        let mut process = ingest(&catalog, &recipe);
        killed += u32::from(wait_for_calls(&glue, before + point, &mut process).await);
        process.kill().unwrap();
        process.wait().unwrap();
    }
    glue.heal();
    let completed = ingest(&catalog, &recipe).wait_with_output().unwrap();

    assert!(
        completed.status.success(),
        "{}",
        String::from_utf8_lossy(&completed.stderr)
    );
    assert!(killed >= 6, "only {killed} of 12 were killed alive");
    let fresh = TestCatalog::start().await;
    fresh.ingest(&glue).await;
    assert_eq!(told(&catalog.storage).await, told(&fresh.storage).await);
}

#[tokio::test]
async fn changes_and_removals_are_completed_by_the_next_run_and_written_once() {
    let catalog = TestCatalog::start().await;
    let unharmed = TestCatalog::start().await;
    let glue = Endpoint::start(world()).await.unwrap();
    let recipe = catalog.write_recipe("crash", &glue.url(), "", "");
    let first = ingest(&catalog, &recipe);
    // Not here: the endpoint has to answer meanwhile.
    let loaded = tokio::task::spawn_blocking(|| first.wait_with_output().unwrap())
        .await
        .unwrap();
    assert!(
        loaded.status.success(),
        "{}",
        String::from_utf8_lossy(&loaded.stderr)
    );
    unharmed.ingest(&glue).await;
    glue.change(alter);
    for database in 0..DATABASES {
        glue.fault(&format!("db{database}"), EVERY_PAGE, Fault::Slow(SLOWNESS));
    }

    let mut killed = 0;
    for point in 1..=12 {
        let before = glue.calls();
        let mut process = ingest(&catalog, &recipe);
        killed += u32::from(wait_for_calls(&glue, before + point, &mut process).await);
        process.kill().unwrap();
        process.wait().unwrap();
    }
    glue.heal();
    let completed = ingest(&catalog, &recipe).wait_with_output().unwrap();

    assert!(
        completed.status.success(),
        "{}",
        String::from_utf8_lossy(&completed.stderr)
    );
    assert!(killed >= 6, "only {killed} of 12 were killed alive");
    unharmed.ingest(&glue).await;
    let told_by_it = told(&catalog.storage).await;
    // As many entries in the log, too: what was written before a kill was not written again.
    assert_eq!(told_by_it, told(&unharmed.storage).await);
    let gone = told_by_it.iter().filter(|line| line.ends_with(" true"));
    assert_eq!(gone.count(), DATABASES * 10);
}

/// In each database forty tables get another column, ten vanish and five are new.
fn alter(world: &mut World) {
    for database in 0..DATABASES {
        let database = format!("db{database}");
        let mut set = |name: String, column: String| {
            let column = json!({ "Name": column, "Type": "string" });
            world.set_table(
                &database,
                &json!({ "Name": name, "StorageDescriptor": { "Columns": [column] } }),
            );
        };
        for table in 0..40 {
            set(format!("table_{table:03}"), format!("altered_{table}"));
        }
        for table in 0..5 {
            set(format!("young_{table}"), "column_7".to_owned());
        }
        for table in 110..120 {
            assert!(world.remove_table(&database, &format!("table_{table:03}")));
        }
    }
}

#[tokio::test]
async fn a_killed_migration_is_completed_by_the_next_start() {
    let catalog = TestCatalog::start().await;
    let db = &catalog.app.db;
    let migrate = || gazetteer(&catalog.storage).arg("migrate").spawn().unwrap();
    db.unmigrate().await.unwrap();
    let began = Instant::now();
    let whole = migrate().wait_with_output().unwrap();
    assert!(whole.status.success(), "{whole:?}");
    let whole = began.elapsed();

    let mut killed = 0;
    for point in 1..=POINTS {
        db.unmigrate().await.unwrap();
        let mut process = migrate();
        tokio::time::sleep(whole * point / POINTS).await;
        killed += u32::from(process.try_wait().unwrap().is_none());
        process.kill().unwrap();
        process.wait().unwrap();

        let again = migrate().wait_with_output().unwrap();
        assert!(
            again.status.success(),
            "killed at {point} of {POINTS}: {}",
            String::from_utf8_lossy(&again.stderr)
        );
        assert_eq!(db.pending_migrations().await.unwrap(), 0);
    }

    assert!(killed > POINTS / 4, "only {killed} were killed alive");
}

/// At how many points of its time a migration is killed.
const POINTS: u32 = 40;

#[tokio::test]
async fn words_that_were_acknowledged_are_there_after_the_server_was_killed() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world()).await.unwrap();
    catalog.ingest(&glue).await;
    let table = catalog.find(&["db0", "table_007"]).await.id;
    let token = token_of_a_steward(&catalog).await;

    let mut version = 0;
    let mut sent = String::new();
    for round in 1..=3 {
        let mut server = serve(&catalog.storage);
        let base = server.base.clone();
        let saving = async {
            let client = reqwest::Client::new();
            loop {
                let next = format!("acknowledged{:04}", version + 1);
                sent.clone_from(&next);
                let saved = client
                    .put(format!("{base}/api/v1/assets/{table}/description"))
                    .bearer_auth(&token)
                    .json(&json!({ "version": version, "text": next }))
                    .send()
                    .await;
                // Whatever is not answered with success is not acknowledged.
                let Ok(saved) = saved else { break };
                assert_eq!(saved.status(), 200, "{}", saved.text().await.unwrap());
                version += 1;
                if version == round * 10 {
                    server.process.kill().unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, saving).await.unwrap();
        server.process.wait().unwrap();

        let app = App::open(&catalog.storage, Recipes::in_folder(Path::new("none")))
            .await
            .unwrap();
        follow::catch_up(&app.db, &app.index).await.unwrap();
        let asset = catalog::find_asset(&app.db, &Visibility::Everything, table)
            .await
            .unwrap();
        let edition = &asset.human.description;
        // The one whose answer did not come may be there or not.
        let in_flight = edition.version == version + 1 && edition.content.text == sent;
        let acknowledged = format!("acknowledged{version:04}");
        let is_it = edition.version == version && edition.content.text == acknowledged;
        assert!(is_it || in_flight, "{edition:?} {version}");
        let words = edition.content.text.clone();
        let found = app
            .index
            .search(&Query::words(&words), &AccessFilter::none())
            .unwrap();
        assert_eq!(found.total, 1, "{words}");
        version = edition.version;
    }
    assert!(version >= 30, "{version}");
}

/// A server that is killed at the latest when it is dropped.
struct Serving {
    process: Child,
    base: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn serve(storage: &Storage) -> Serving {
    let mut process = gazetteer(storage)
        .args(["serve", "--listen", "127.0.0.1:0", "--recipes", "none"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut told)
        .unwrap();
    let address = told.trim().rsplit(' ').next().unwrap();
    let base = address.trim_end_matches('/').to_owned();
    Serving { process, base }
}

async fn token_of_a_steward(catalog: &TestCatalog) -> String {
    let (db, operator) = (&catalog.app.db, Actor::operator());
    let new = NewAccount {
        kind: AccountKind::Service,
        name: "writer".parse().unwrap(),
        display_name: None,
        standing: RoleGrant::STEWARD,
    };
    let account = accounts::create(db, &operator, &new, Utc::now())
        .await
        .unwrap();
    let new = NewToken {
        name: "crash",
        scopes: [TokenScope::Write].into(),
        days: 1,
    };
    let made = tokens::make(db, &operator, account.id, &new, Utc::now())
        .await
        .unwrap();
    made.secret.expose_secret().to_owned()
}

/// What a catalog answers after a restart: every asset, how often it was created, and what the search counts.
async fn told(storage: &Storage) -> Vec<String> {
    let app = App::open(storage, Recipes::in_folder(Path::new("none")))
        .await
        .unwrap();
    let mut told = Vec::new();
    for asset in all_assets(&app.db).await {
        told.push(format!(
            "{:?} {:?} {:?}",
            asset.address.path,
            asset.source,
            asset.gone_at.is_some()
        ));
    }
    let changes =
        catalog::list_recent_changes(&app.db, &Visibility::Everything, &PageRequest::first(500))
            .await
            .unwrap();
    let created = changes
        .items
        .iter()
        .filter(|change| change.action == Action::Created)
        .count();
    told.push(format!("{created} of the newest 500 changes are creations"));
    told.push(format!(
        "{} changes",
        gazetteer::db::changes::head(&*app.db).await.unwrap()
    ));
    told.push(format!("{} documents", app.index.len()));
    for words in ["column_7", "table_119", "db3", "altered_39"] {
        let answer = app
            .index
            .search(&Query::words(words), &AccessFilter::none())
            .unwrap();
        told.push(format!("{words}: {} {:?}", answer.total, answer.facets));
    }
    told.sort();
    told
}
