//! A run of the schedule is for one minute of one recipe, and for each there is one run, whoever starts it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_len_null;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "run_due";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter()
            .table("run")
            .add_column(string_len_null("due", 64))
            .to_owned();
        manager.alter_table(column).await?;
        let index = Index::create()
            .name(INDEX)
            .table("run")
            .col("due")
            .unique()
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name(INDEX).table("run").to_owned();
        manager.drop_index(index).await?;
        let column = Table::alter().table("run").drop_column("due").to_owned();
        manager.alter_table(column).await
    }
}
