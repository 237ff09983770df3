//! What people say of assets: a row for each aspect of an asset, and for each column that somebody described.
//!
//! It takes the place of `asset.description`, `asset.display_name`, `asset.version` and `column_note`, which nothing has
//! ever written.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, string_len, text, text_null, timestamp_with_time_zone, uuid,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("words")
                    .col(uuid("asset_id"))
                    .col(string_len("aspect", 16))
                    // The digest of the column's path, or nothing for the asset itself.
                    .col(string_len("part", 32))
                    .col(integer("version"))
                    .col(timestamp_with_time_zone("edited_at"))
                    .col(text("editor"))
                    .col(text("content"))
                    .primary_key(Index::create().col("asset_id").col("aspect").col("part"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("words_asset")
                            .from("words", "asset_id")
                            .to("asset", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        // Who owns what is asked when a person or a team is given another name.
        manager
            .create_index(
                Index::create()
                    .name("words_of_owners")
                    .table("words")
                    .col("asset_id")
                    .and_where(Expr::col("aspect").eq("owners"))
                    .to_owned(),
            )
            .await?;
        manager
            .drop_table(Table::drop().table("column_note").to_owned())
            .await?;
        for column in ["description", "display_name", "version"] {
            manager
                .alter_table(Table::alter().table("asset").drop_column(column).to_owned())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            text_null("description"),
            text_null("display_name"),
            integer("version").default(0).take(),
        ] {
            manager
                .alter_table(
                    Table::alter()
                        .table("asset")
                        .add_column(&mut column)
                        .to_owned(),
                )
                .await?;
        }
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
            .drop_table(Table::drop().table("words").to_owned())
            .await
    }
}
