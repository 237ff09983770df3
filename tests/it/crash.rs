//! `kill -9` at many points of an ingestion: whatever was killed, the next run ends with the answers of a fresh catalog.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gazetteer::app::App;
use gazetteer::auth::Sight;
use gazetteer::catalog::{self, Action};
use gazetteer::config::Storage;
use gazetteer::db::PageRequest;
use gazetteer::demo::{EVERY_PAGE, Endpoint, Fault, World};
use gazetteer::ingest::Recipes;
use gazetteer::search::{Query, Veil};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::catalog::TestCatalog;

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

fn ingest(catalog: &TestCatalog, recipe: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command.arg("--data-dir").arg(catalog.storage.data_dir());
    if let Some(url) = &catalog.storage.database_url {
        command.args(["--database-url", url.expose_secret()]);
    }
    command.args(["ingest", "run", "--json", "-c"]).arg(recipe);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
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

/// What a catalog answers after a restart: every asset, how often it was created, and what the search counts.
async fn told(storage: &Storage) -> Vec<String> {
    let app = App::open(storage, Recipes::in_folder(Path::new("none")))
        .await
        .unwrap();
    let mut told = Vec::new();
    let mut after = None;
    loop {
        let assets = catalog::list_all(&app.db, after, 500).await.unwrap();
        let Some(last) = assets.last() else { break };
        after = Some(last.id);
        for asset in assets {
            told.push(format!(
                "{:?} {:?} {:?}",
                asset.address.path, asset.source, asset.gone_at
            ));
        }
    }
    let changes =
        catalog::list_recent_changes(&app.db, &Sight::Everything, &PageRequest::first(500))
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
    for words in ["column_7", "table_119", "db3"] {
        let answer = app
            .index
            .search(&Query::words(words), &Veil::none())
            .unwrap();
        told.push(format!("{words}: {} {:?}", answer.total, answer.facets));
    }
    told.sort();
    told
}
