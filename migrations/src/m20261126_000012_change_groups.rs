//! What a run, or people in one day, changed in one database: counts, and the rows of the log by danger.
//!
//! Both tables are derived from the log, which stays as it is.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::prelude::DateTimeUtc;
use sea_orm_migration::sea_orm::{DbBackend, Statement};
use uuid::Uuid;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Raw, because the query builder knows no tables without row ids and no partial indexes.
const TABLES: [&str; 8] = [
    "CREATE TABLE change_place (batch {uuid} NOT NULL, danger smallint NOT NULL, database_id {uuid} NOT NULL, \
     seq bigint NOT NULL, PRIMARY KEY (batch, danger, database_id, seq)){bare}",
    "CREATE TABLE change_group (batch {uuid} NOT NULL, database_id {uuid} NOT NULL, danger smallint NOT NULL, \
     itself smallint NOT NULL, removed bigint NOT NULL, dropped bigint NOT NULL, retyped bigint NOT NULL, \
     changed bigint NOT NULL, added bigint NOT NULL, edited bigint NOT NULL, dropped_columns bigint NOT NULL, \
     retyped_columns bigint NOT NULL, first_seq bigint NOT NULL, first_at {time} NOT NULL, last_at {time} NOT NULL, \
     PRIMARY KEY (batch, database_id)){bare}",
    "CREATE INDEX change_group_in_order ON change_group (first_seq)",
    "CREATE INDEX change_outside_runs ON change (seq) WHERE run_id IS NULL",
    "CREATE INDEX change_group_of_database ON change_group (database_id, batch)",
    "CREATE INDEX change_group_with_removed ON change_group (batch) WHERE danger <= 1",
    "CREATE INDEX change_group_with_dropped ON change_group (batch) WHERE dropped > 0",
    "CREATE INDEX change_group_with_retyped ON change_group (batch) WHERE retyped > 0",
];

/// The place of one row of the log in the order of danger.
const DANGER: &str = "CASE \
     WHEN c.action = 'gone' THEN CASE WHEN a.parent_id IS NULL THEN 0 ELSE 1 END \
     WHEN c.action = 'created' THEN CASE WHEN a.parent_id IS NULL THEN 8 ELSE 7 END \
     WHEN c.action NOT IN ('changed', 'returned') THEN 9 \
     WHEN a.parent_id IS NULL THEN 6 \
     WHEN c.details LIKE '%\"what\":\"column_dropped\"%' THEN \
       CASE WHEN c.details LIKE '%\"what\":\"column_retyped\"%' THEN 3 ELSE 2 END \
     WHEN c.details LIKE '%\"what\":\"column_retyped\"%' THEN 4 \
     ELSE 5 END";

const GROUPS: &str = "INSERT INTO change_group \
     (batch, database_id, danger, itself, removed, dropped, retyped, changed, added, edited, dropped_columns, \
      retyped_columns, first_seq, first_at, last_at) \
     SELECT p.batch, p.database_id, MIN(p.danger), \
     MIN(CASE WHEN p.danger IN (0, 6, 8) THEN p.danger ELSE 99 END), \
     SUM(CASE WHEN p.danger = 1 THEN 1 ELSE 0 END), \
     SUM(CASE WHEN p.danger IN (2, 3) THEN 1 ELSE 0 END), \
     SUM(CASE WHEN p.danger IN (3, 4) THEN 1 ELSE 0 END), \
     SUM(CASE WHEN p.danger IN (2, 3, 4, 5) THEN 1 ELSE 0 END), \
     SUM(CASE WHEN p.danger = 7 THEN 1 ELSE 0 END), \
     SUM(CASE WHEN p.danger = 9 THEN 1 ELSE 0 END), \
     SUM(CASE WHEN p.danger IN (2, 3) THEN \
       (LENGTH(c.details) - LENGTH(REPLACE(c.details, '\"what\":\"column_dropped\"', ''))) / 23 ELSE 0 END), \
     SUM(CASE WHEN p.danger IN (3, 4) THEN \
       (LENGTH(c.details) - LENGTH(REPLACE(c.details, '\"what\":\"column_retyped\"', ''))) / 23 ELSE 0 END), \
     MIN(p.seq), MIN(c.at), MAX(c.at) \
     FROM change_place p JOIN change c ON c.seq = p.seq GROUP BY p.batch, p.database_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let (uuid, time, bare) = match manager.get_database_backend() {
            DbBackend::Postgres => ("uuid", "timestamp with time zone", ""),
            _ => (
                "uuid_text",
                "timestamp_with_timezone_text",
                " WITHOUT ROWID",
            ),
        };
        for statement in TABLES {
            let statement = statement.replace("{uuid}", uuid).replace("{time}", time);
            db.execute_unprepared(&statement.replace("{bare}", bare))
                .await?;
        }
        let of_runs = format!(
            "INSERT INTO change_place (batch, danger, database_id, seq) \
             SELECT c.run_id, {DANGER}, COALESCE(a.parent_id, a.id), c.seq \
             FROM change c JOIN asset a ON a.id = c.subject_id \
             WHERE c.subject_kind = 'asset' AND c.run_id IS NOT NULL"
        );
        db.execute_unprepared(&of_runs).await?;
        place_days(manager).await?;
        db.execute_unprepared(GROUPS).await?;
        // The rows of a run are found by their places from now on.
        let by_run = Index::drop()
            .name("change_of_run")
            .table("change")
            .to_owned();
        manager.drop_index(by_run).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let outside = Index::drop()
            .name("change_outside_runs")
            .table("change")
            .to_owned();
        manager.drop_index(outside).await?;
        for table in ["change_group", "change_place"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        let by_run = Index::create()
            .name("change_of_run")
            .table("change")
            .col("run_id")
            .to_owned();
        manager.create_index(by_run).await
    }
}

/// Places what was changed outside of runs, a day at a time: the log is in the order of time.
async fn place_days(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let backend = manager.get_database_backend();
    let statement = |sql: String, values: Vec<Value>| {
        let sql = match backend {
            DbBackend::Postgres => sql,
            _ => sql.replace(['$'], "?"),
        };
        Statement::from_sql_and_values(backend, sql, values)
    };
    let mut from = 0_i64;
    loop {
        let next = "SELECT seq, at FROM change WHERE seq >= $1 AND subject_kind = 'asset' AND run_id IS NULL \
                    ORDER BY seq LIMIT 1";
        let next = statement(next.to_owned(), vec![from.into()]);
        let Some(row) = db.query_one_raw(next).await? else {
            return Ok(());
        };
        let first: i64 = row.try_get("", "seq")?;
        let at: DateTimeUtc = row.try_get("", "at")?;
        let milliseconds = at.timestamp_millis();
        let day = milliseconds - milliseconds.rem_euclid(DAY);
        let ended =
            at + std::time::Duration::from_millis((day + DAY - milliseconds).unsigned_abs());
        let behind = "SELECT seq FROM change WHERE seq > $1 AND at >= $2 ORDER BY seq LIMIT 1";
        let behind = statement(behind.to_owned(), vec![first.into(), ended.into()]);
        let behind = db.query_one_raw(behind).await?;
        let end: i64 = match behind {
            Some(row) => row.try_get("", "seq")?,
            None => i64::MAX,
        };
        let placing = format!(
            "INSERT INTO change_place (batch, danger, database_id, seq) \
             SELECT $1, {DANGER}, COALESCE(a.parent_id, a.id), c.seq \
             FROM change c JOIN asset a ON a.id = c.subject_id \
             WHERE c.seq >= $2 AND c.seq < $3 AND c.subject_kind = 'asset' AND c.run_id IS NULL"
        );
        let values = vec![batch_of(day).into(), first.into(), end.into()];
        let placing = match backend {
            // Postgres has to be told the type of a parameter that stands alone.
            DbBackend::Postgres => placing.replace("SELECT $1", "SELECT $1::uuid"),
            _ => placing,
        };
        db.execute_raw(statement(placing, values)).await?;
        from = end;
    }
}

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// The smallest id of version 7 at a moment: it sorts among the ids of runs by its time.
fn batch_of(milliseconds: i64) -> Uuid {
    let time = u128::from(milliseconds.unsigned_abs());
    Uuid::from_u128((time << 80) | (0x7 << 76) | (0x8 << 60))
}
