//! An empty, migrated database that tests copy, so that only one of them waits for the migrations.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use gazetteer::db::Db;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

/// The Postgres database that others are copied from; the server lives for one run of the tests.
const TEMPLATE: &str = "gazetteer_template";

/// Whoever makes the template on Postgres holds this advisory lock; any number will do.
const LOCK: i64 = 0x7465_6d70;

/// Puts an empty, migrated SQLite catalog into a data folder.
pub(super) async fn copy_sqlite(data_dir: &Path) {
    let template = sqlite_template().await;
    fs::create_dir_all(data_dir).unwrap();
    let file = data_dir.join("catalog.db");
    fs::copy(template, &file).unwrap();
    rename(&format!("sqlite://{}", file.display())).await;
}

/// Makes an empty, migrated database of this name beside the one that `server` names, and gives its address.
pub(super) async fn copy_postgres(server: &str, name: &str) -> String {
    let (base, _) = server.rsplit_once('/').unwrap();
    let connection = Database::connect(server).await.unwrap();
    ensure_postgres_template(&connection, base).await;
    execute(
        &connection,
        &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"),
    )
    .await;
    connection.close().await.unwrap();
    let url = format!("{base}/{name}");
    rename(&url).await;
    url
}

/// The file that SQLite catalogs are copied from. Each build of the tests has one of its own.
async fn sqlite_template() -> PathBuf {
    let built = fs::metadata(std::env::current_exe().unwrap()).unwrap();
    let built = built
        .modified()
        .unwrap()
        .duration_since(UNIX_EPOCH)
        .unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates");
    fs::create_dir_all(&folder).unwrap();
    let template = folder.join(format!("{}.db", built.as_nanos()));
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if !template.exists() {
        let making = folder.join("making");
        if making.exists() {
            fs::remove_dir_all(&making).unwrap();
        }
        fs::create_dir(&making).unwrap();
        let file = making.join("catalog.db");
        migrate(&format!("sqlite://{}", file.display())).await;
        fs::rename(file, &template).unwrap();
    }
    template
}

async fn ensure_postgres_template(connection: &DatabaseConnection, base: &str) {
    let found = format!("SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}' AND datistemplate");
    // Its connection holds the lock until the template is there; others make it.
    let txn = sea_orm::TransactionTrait::begin(connection).await.unwrap();
    execute(&txn, &format!("SELECT pg_advisory_xact_lock({LOCK})")).await;
    let found = Statement::from_string(DbBackend::Postgres, found);
    if txn.query_one_raw(found).await.unwrap().is_none() {
        execute(connection, &format!("DROP DATABASE IF EXISTS {TEMPLATE}")).await;
        execute(connection, &format!("CREATE DATABASE {TEMPLATE}")).await;
        migrate(&format!("{base}/{TEMPLATE}")).await;
        execute(
            connection,
            &format!("ALTER DATABASE {TEMPLATE} IS_TEMPLATE true"),
        )
        .await;
    }
    txn.commit().await.unwrap();
}

async fn migrate(url: &str) {
    let db = Db::connect(&url.to_owned().into()).await.unwrap();
    db.migrate().await.unwrap();
    db.close().await.unwrap();
}

/// Gives a copy a name of its own, as every catalog has one.
async fn rename(url: &str) {
    let connection = Database::connect(url).await.unwrap();
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "UPDATE change_head SET catalog = $1",
        [Uuid::now_v7().into()],
    );
    connection.execute_raw(statement).await.unwrap();
    connection.close().await.unwrap();
}

async fn execute(connection: &impl ConnectionTrait, sql: &str) {
    let statement = Statement::from_string(DbBackend::Postgres, sql.to_owned());
    connection.execute_raw(statement).await.unwrap();
}
