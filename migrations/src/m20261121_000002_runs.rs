//! Runs of recipes: how each ended, what it listed, what it found.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, string_len, string_len_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_run(manager).await?;
        create_listing(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("finding")
                    .col(uuid("run_id"))
                    .col(integer("position"))
                    .col(string_len("level", 32))
                    .col(uuid_null("asset_id"))
                    .col(text_null("about"))
                    .col(text("text"))
                    .primary_key(Index::create().col("run_id").col("position"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("finding_run")
                            .from("finding", "run_id")
                            .to("run", "id"),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["finding", "listing", "run"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn create_run(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("run")
                .col(uuid("id").primary_key())
                .col(text("recipe"))
                .col(string_len("started_by", 32))
                .col(text("actor"))
                .col(string_len("state", 32))
                // The digest of the recipe's name while the run goes on, else null: at most one run of a recipe at a time.
                .col(string_len_null("active", 32).unique_key())
                .col(text("process"))
                .col(timestamp_with_time_zone("started_at"))
                .col(timestamp_with_time_zone("heartbeat_at"))
                .col(timestamp_with_time_zone_null("ended_at"))
                .col(text("counts"))
                .col(text_null("failure"))
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("run_of_recipe")
                .table("run")
                .col("recipe")
                .col("id")
                .to_owned(),
        )
        .await
}

async fn create_listing(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("listing")
                .col(uuid("run_id"))
                .col(uuid("database_id"))
                .col(text("name"))
                .col(string_len("state", 32))
                .col(text_null("reason"))
                .col(text("counts"))
                .col(timestamp_with_time_zone("listed_at"))
                .primary_key(Index::create().col("run_id").col("database_id"))
                .foreign_key(
                    ForeignKey::create()
                        .name("listing_run")
                        .from("listing", "run_id")
                        .to("run", "id"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("listing_database")
                        .from("listing", "database_id")
                        .to("asset", "id"),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("listing_of_database")
                .table("listing")
                .col("database_id")
                .col("run_id")
                .to_owned(),
        )
        .await
}
