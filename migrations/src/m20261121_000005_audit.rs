//! Rows of the change log are written once: the database itself refuses to change or delete one.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Raw, because the query builder knows no triggers, and each database words them in its own way.
const SQLITE_UP: [&str; 2] = [
    "CREATE TRIGGER change_is_not_changed BEFORE UPDATE ON change \
     BEGIN SELECT RAISE(ABORT, 'a row of the change log is never changed'); END",
    "CREATE TRIGGER change_is_not_deleted BEFORE DELETE ON change \
     BEGIN SELECT RAISE(ABORT, 'a row of the change log is never deleted'); END",
];

const SQLITE_DOWN: [&str; 2] = [
    "DROP TRIGGER change_is_not_deleted",
    "DROP TRIGGER change_is_not_changed",
];

const POSTGRES_UP: [&str; 3] = [
    "CREATE FUNCTION refuse_to_touch_change() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE EXCEPTION 'a row of the change log is never changed or deleted'; END $$",
    "CREATE TRIGGER change_is_not_touched BEFORE UPDATE OR DELETE ON change \
     FOR EACH ROW EXECUTE FUNCTION refuse_to_touch_change()",
    "CREATE TRIGGER change_is_not_emptied BEFORE TRUNCATE ON change \
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_touch_change()",
];

const POSTGRES_DOWN: [&str; 3] = [
    "DROP TRIGGER change_is_not_emptied ON change",
    "DROP TRIGGER change_is_not_touched ON change",
    "DROP FUNCTION refuse_to_touch_change()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &SQLITE_UP, &POSTGRES_UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &SQLITE_DOWN, &POSTGRES_DOWN).await
    }
}

async fn run(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => postgres,
        _ => sqlite,
    };
    for statement in statements {
        db.execute_unprepared(statement).await?;
    }
    Ok(())
}
