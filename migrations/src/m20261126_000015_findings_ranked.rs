//! A report begins with what is worst, and says since when it is so.

use sea_orm_migration::prelude::*;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// What the versions before made of a finding whenever they showed it.
const RANK: &str = "UPDATE finding SET severity = CASE \
    WHEN level = 'notice' THEN 3 \
    WHEN about IS NULL THEN 0 \
    WHEN EXISTS (SELECT 1 FROM listing WHERE listing.run_id = finding.run_id \
        AND listing.database_id = finding.asset_id AND listing.state <> 'complete') THEN 0 \
    WHEN text LIKE '%This link %' OR text LIKE '%this link %' OR text LIKE '%to which a link points%' THEN 2 \
    ELSE 1 END";

/// Nobody noted it before, so it is as old as its run.
const DATE: &str =
    "UPDATE finding SET since = (SELECT started_at FROM run WHERE run.id = finding.run_id)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            ColumnDef::new("severity")
                .small_integer()
                .not_null()
                .default(1)
                .to_owned(),
            ColumnDef::new("since")
                .timestamp_with_time_zone()
                .to_owned(),
        ] {
            let table = Table::alter()
                .table("finding")
                .add_column(column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(RANK).await?;
        connection.execute_unprepared(DATE).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["severity", "since"] {
            let table = Table::alter()
                .table("finding")
                .drop_column(column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
