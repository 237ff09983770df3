//! Browsers that have signed in before, refused sign-ins by account, and the last sign-ins with a directory.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, string_len, text, text_null, timestamp_with_time_zone, uuid,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 3] = ["directory_sign_in", "refused_sign_in", "browser_key"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let key = Table::create()
            .table("browser_key")
            .col(integer("id").primary_key())
            .col(string_len("secret", 64))
            .to_owned();
        manager.create_table(key).await?;
        create_refused_sign_ins(manager).await?;
        create_directory_sign_ins(manager).await?;
        // Old counts are deleted with every try.
        index(manager, "attempt_by_time", "attempt", &["last_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_time = Index::drop()
            .name("attempt_by_time")
            .table("attempt")
            .to_owned();
        manager.drop_index(by_time).await?;
        for table in TABLES {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn create_refused_sign_ins(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("refused_sign_in")
        // Nil for names that no account has: refusing them takes as long.
        .col(uuid("account_id"))
        .col(string_len("address", 64))
        .col(big_integer("count"))
        .col(timestamp_with_time_zone("first_at"))
        .col(timestamp_with_time_zone("last_at"))
        .primary_key(Index::create().col("account_id").col("address"))
        .to_owned();
    manager.create_table(table).await
}

async fn create_directory_sign_ins(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("directory_sign_in")
        .col(uuid("id").primary_key())
        .col(timestamp_with_time_zone("at"))
        .col(string_len("method", 16))
        .col(string_len("outcome", 32))
        .col(text_null("name"))
        .col(text("address"))
        .col(text("reason"))
        .col(text("seen"))
        .to_owned();
    manager.create_table(table).await?;
    let name = "directory_sign_in_by_outcome";
    let columns = ["method", "outcome", "id"];
    index(manager, name, "directory_sign_in", &columns).await
}

async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}
