//! A filled catalog as an earlier version left it, for tests of migrations.

use std::path::Path;

use migrations::Migrator;
use sea_orm::sea_query::{PostgresQueryBuilder, Query, SimpleExpr, Value};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};
use sea_orm_migration::MigratorTrait as _;
use uuid::Uuid;

/// How many migrations the released version knew.
const MIGRATIONS: u32 = 13;

const ROWS: &str = include_str!("../fixtures/released/catalog.jsonl");

/// One row of the released catalog.
pub(crate) struct Row {
    pub(crate) table: String,
    values: serde_json::Map<String, serde_json::Value>,
}

impl Row {
    /// A text, a number, or an id or a time as a text.
    pub(crate) fn text(&self, column: &str) -> String {
        match self.values.get(column) {
            None => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Object(tagged)) => {
                let value = tagged.values().next().unwrap();
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            }
            Some(other) => other.to_string(),
        }
    }
}

/// Every row of the released catalog, in an order in which they can be inserted.
pub(crate) fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        Row {
            table: line["table"].as_str().unwrap().to_owned(),
            values: line["row"].as_object_mut().map(std::mem::take).unwrap(),
        }
    };
    ROWS.lines().map(row).collect()
}

/// Fills an empty database with the released catalog, in the schema that it had.
pub(crate) async fn fill(url: &str) {
    let connection = Database::connect(url).await.unwrap();
    Migrator::up(&connection, Some(MIGRATIONS)).await.unwrap();
    for table in ["change_head", "visibility"] {
        let empty = format!("DELETE FROM {table}");
        connection.execute_unprepared(&empty).await.unwrap();
    }
    for row in rows() {
        insert(&connection, &row).await;
    }
    connection.close().await.unwrap();
}

/// The address of a SQLite file in a folder, which is created.
pub(crate) fn sqlite_in(folder: &Path) -> String {
    std::fs::create_dir_all(folder).unwrap();
    format!("sqlite://{}?mode=rwc", folder.join("catalog.db").display())
}

async fn insert(connection: &DatabaseConnection, row: &Row) {
    let mut insert = Query::insert();
    insert
        .into_table(row.table.clone())
        .columns(row.values.keys().cloned())
        .values_panic(row.values.values().map(value));
    // Postgres reads each literal as its column's type, SQLite keeps an id as it is bound.
    let done = if connection.get_database_backend() == DbBackend::Postgres {
        let statement = insert.to_string(PostgresQueryBuilder);
        connection.execute_unprepared(&statement).await
    } else {
        connection.execute(&insert).await
    };
    done.unwrap();
}

fn value(value: &serde_json::Value) -> SimpleExpr {
    let value: Value = match value {
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Number(number) => number.as_i64().unwrap().into(),
        tagged => {
            let id = tagged["uuid"]
                .as_str()
                .map(|id| id.parse::<Uuid>().unwrap());
            let time = tagged["time"].as_str();
            let time = time.map(|time| time.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
            let flag = tagged["flag"].as_bool();
            let id = id.map(Value::from).or(time.map(Value::from));
            id.or(flag.map(Value::from)).unwrap()
        }
    };
    value.into()
}
