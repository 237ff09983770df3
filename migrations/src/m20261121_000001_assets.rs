//! Assets with both of their layers, notes on columns, other names, and the log of every change.

use ::uuid::Uuid;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, string_len, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_asset(manager).await?;
        create_notes_and_names(manager).await?;
        create_change_log(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["change_head", "change", "alias", "column_note", "asset"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn create_asset(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("asset")
                .col(uuid("id").primary_key())
                // The digest of platform, instance and path: names may be longer than an index allows.
                .col(string_len("identity", 32).unique_key())
                .col(string_len("kind", 32))
                .col(text("platform"))
                .col(text("instance"))
                .col(text("path"))
                .col(string_len("sort_key", 200))
                .col(uuid_null("parent_id"))
                .col(string_len("source_hash", 32))
                .col(string_len("facts_hash", 32))
                .col(text_null("description"))
                .col(text_null("display_name"))
                .col(integer("version").default(0))
                .col(timestamp_with_time_zone("first_seen"))
                .col(timestamp_with_time_zone("last_seen"))
                .col(timestamp_with_time_zone_null("gone_at"))
                // The long ones last: what is compared on every run is read without them.
                .col(text("source"))
                .col(text("facts"))
                .foreign_key(
                    ForeignKey::create().name("asset_parent").from("asset", "parent_id").to("asset", "id"),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("asset_in_parent")
                .table("asset")
                .col("parent_id")
                .col("gone_at")
                .col("sort_key")
                .col("id")
                .to_owned(),
        )
        .await
}

async fn create_notes_and_names(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("column_note")
                .col(uuid("id").primary_key())
                .col(uuid("asset_id"))
                .col(string_len("column_identity", 32))
                .col(text("column_path"))
                .col(text("text"))
                .col(integer("version").default(0))
                .foreign_key(
                    ForeignKey::create()
                        .name("column_note_asset")
                        .from("column_note", "asset_id")
                        .to("asset", "id"),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("column_note_once")
                .table("column_note")
                .col("asset_id")
                .col("column_identity")
                .unique()
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("alias")
                .col(uuid("asset_id"))
                .col(string_len("system", 32))
                .col(string_len("identity", 32))
                .col(text("name"))
                .primary_key(
                    Index::create()
                        .col("asset_id")
                        .col("system")
                        .col("identity"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("alias_asset")
                        .from("alias", "asset_id")
                        .to("asset", "id"),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("alias_name")
                .table("alias")
                .col("system")
                .col("identity")
                .to_owned(),
        )
        .await
}

async fn create_change_log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("change")
                .col(big_integer("seq").primary_key())
                .col(timestamp_with_time_zone("at"))
                .col(text("actor"))
                .col(uuid_null("run_id"))
                .col(string_len("subject_kind", 32))
                .col(uuid("subject_id"))
                .col(string_len("action", 32))
                .col(text("details"))
                .to_owned(),
        )
        .await?;
    for (name, first) in [
        ("change_of_subject", "subject_id"),
        ("change_of_run", "run_id"),
    ] {
        manager
            .create_index(
                Index::create()
                    .name(name)
                    .table("change")
                    .col(first)
                    .col("seq")
                    .to_owned(),
            )
            .await?;
    }
    // One row: whoever writes a change holds it until the commit, so that numbers are given in the order of commits
    // and without gaps.
    manager
        .create_table(
            Table::create()
                .table("change_head")
                .col(integer("id").primary_key())
                .col(big_integer("last"))
                // Names this catalog for ever, so that an index knows whose words it holds.
                .col(uuid("catalog"))
                .to_owned(),
        )
        .await?;
    manager
        .execute(
            Query::insert()
                .into_table("change_head")
                .columns(["id", "last", "catalog"])
                .values_panic([1.into(), 0.into(), Uuid::now_v7().into()])
                .to_owned(),
        )
        .await
        .map(drop)
}
