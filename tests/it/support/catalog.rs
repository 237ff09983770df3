//! A fresh catalog for one test: SQLite in a folder of its own, or a fresh database on the Postgres server that
//! `GAZETTEER_TEST_POSTGRES` names.

use std::path::PathBuf;

use gazetteer::app::App;
use gazetteer::auth::{Actor, Visibility};
use gazetteer::catalog;
use gazetteer::catalog::{Asset, AssetKind, Change, Weighed};
use gazetteer::config::{self, Storage};
use gazetteer::db::{Db, PageRequest};
use gazetteer::demo::Endpoint;
use gazetteer::ingest::recipe::Recipe;
use gazetteer::ingest::{self, Progress, Recipes, Run, RunFinding};
use gazetteer::search::{AccessFilter, Answer, Query, follow};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use super::{released, template};

/// Names the Postgres server that tests make databases on.
const SERVER: &str = "GAZETTEER_TEST_POSTGRES";

/// A catalog that goes away with the test.
pub struct TestCatalog {
    pub app: App,
    pub storage: Storage,
    pub dir: TempDir,
}

impl TestCatalog {
    pub async fn start() -> Self {
        let url = match config::variable(SERVER) {
            Some(server) => Some(template::copy_postgres(&server, &fresh_name()).await),
            None => None,
        };
        Self::on(url).await
    }

    /// An empty Postgres database of the test server, if there is one.
    pub async fn fresh_database() -> Option<String> {
        let server = config::variable(SERVER)?;
        let name = fresh_name();
        let connection = Database::connect(&server).await.unwrap();
        let statement =
            Statement::from_string(DbBackend::Postgres, format!("CREATE DATABASE {name}"));
        connection.execute_raw(statement).await.unwrap();
        connection.close().await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Some(format!("{base}/{name}"))
    }

    /// A catalog in this database, or else in a file of its own.
    pub async fn on(url: Option<String>) -> Self {
        let dir = TempDir::new().unwrap();
        if url.is_none() {
            template::copy_sqlite(&dir.path().join("data")).await;
        }
        let storage = Storage {
            data_dir: Some(dir.path().join("data")),
            database_url: url.map(Into::into),
        };
        Self::open(dir, storage).await
    }

    /// A filled catalog of the released schema, which opening it brings up to date.
    pub async fn released() -> Self {
        let dir = TempDir::new().unwrap();
        let database = Self::fresh_database().await;
        let data_dir = dir.path().join("data");
        let url = database.clone();
        released::fill(&url.unwrap_or_else(|| released::sqlite_in(&data_dir))).await;
        let storage = Storage {
            data_dir: Some(data_dir),
            database_url: database.map(Into::into),
        };
        Self::open(dir, storage).await
    }

    async fn open(dir: TempDir, storage: Storage) -> Self {
        let app = App::open(&storage, Recipes::in_folder(&dir.path().join("recipes")))
            .await
            .unwrap();
        Self { app, storage, dir }
    }

    /// Writes a recipe that reads `endpoint`, with more lines in its `config` and at its end.
    pub fn write_recipe(&self, name: &str, endpoint: &str, config: &str, end: &str) -> PathBuf {
        let folder = self.dir.path().join("recipes");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.yml"));
        let text = format!(
            "source:\n  type: glue\n  config:\n    aws_region: eu-central-1\n    aws_access_key_id: test\n    \
             aws_secret_access_key: test\n    aws_endpoint_url: {endpoint}\n{config}\n{end}\n"
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Reads all of `endpoint` once, and brings the index up to date.
    pub async fn ingest(&self, endpoint: &Endpoint) -> Run {
        self.ingest_with(endpoint, "", "").await
    }

    pub async fn ingest_with(&self, endpoint: &Endpoint, config: &str, end: &str) -> Run {
        let file = self.write_recipe("test", &endpoint.url(), config, end);
        let recipe = Recipe::open(&file, &config::variable).unwrap();
        let (progress, _watching) = watch::channel(Progress::default());
        let run = ingest::run(
            &self.app.db,
            &recipe,
            &Actor::operator(),
            progress,
            std::future::pending(),
        )
        .await
        .unwrap();
        follow::catch_up(&self.app.db, &self.app.index)
            .await
            .unwrap();
        run
    }

    pub async fn findings(&self, run: &Run) -> Vec<RunFinding> {
        ingest::list_findings(
            &self.app.db,
            &Visibility::Everything,
            run.id,
            &PageRequest::first(500),
        )
        .await
        .unwrap()
        .items
    }

    /// Every table and view, gone ones too, as `database.table`.
    pub async fn names(&self, gone: bool) -> Vec<String> {
        let mut names: Vec<String> = self
            .assets()
            .await
            .into_iter()
            .filter(|asset| asset.kind != AssetKind::Database && asset.gone_at.is_some() == gone)
            .map(|asset| asset.address.path.join("."))
            .collect();
        names.sort();
        names
    }

    pub async fn assets(&self) -> Vec<Asset> {
        all_assets(&self.app.db).await
    }

    pub async fn find(&self, path: &[&str]) -> Asset {
        self.assets()
            .await
            .into_iter()
            .find(|asset| asset.address.path == path)
            .unwrap()
    }

    pub async fn history(&self, path: &[&str]) -> Vec<Change> {
        let asset = self.find(path).await;
        catalog::list_history(
            &self.app.db,
            &Visibility::Everything,
            asset.id,
            &PageRequest::first(100),
        )
        .await
        .unwrap()
        .items
    }

    pub fn search(&self, words: &str) -> Answer {
        self.app
            .index
            .search(&Query::words(words), &AccessFilter::none())
            .unwrap()
    }

    /// The number of the newest entry in the change log.
    pub async fn head(&self) -> i64 {
        gazetteer::db::changes::head(&*self.app.db).await.unwrap()
    }
}

fn fresh_name() -> String {
    format!("gazetteer_{}", Uuid::now_v7().simple())
}

/// Every asset of a catalog, gone ones too, in the order of their ids.
pub async fn all_assets(db: &Db) -> Vec<Asset> {
    let mut all: Vec<Asset> = Vec::new();
    loop {
        let which = match all.last() {
            Some(last) => Weighed::Behind(last.id, 400),
            None => Weighed::First(400),
        };
        let weighed = catalog::weigh(db, which).await.unwrap();
        if weighed.is_empty() {
            return all;
        }
        let ids: Vec<_> = weighed.into_iter().map(|(id, _)| id).collect();
        let found = catalog::find_assets(db, &Visibility::Everything, &ids).await;
        all.extend(found.unwrap());
    }
}
