//! What people asked the stewards to describe, and how that ended.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    string_len_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const OPEN: &str = "request_open";
const ONCE: &str = "request_once";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("request")
            .col(uuid("id").primary_key())
            .col(uuid("asset_id"))
            .col(uuid("account_id"))
            .col(timestamp_with_time_zone("asked_at"))
            .col(timestamp_with_time_zone_null("closed_at"))
            // `described` or `dismissed`.
            .col(string_len_null("outcome", 16))
            .foreign_key(
                ForeignKey::create()
                    .name("request_asset")
                    .from("request", "asset_id")
                    .to("asset", "id"),
            )
            .foreign_key(
                ForeignKey::create()
                    .name("request_account")
                    .from("request", "account_id")
                    .to("account", "id"),
            )
            .to_owned();
        manager.create_table(table).await?;
        // One person asks once for one asset, until that is answered.
        let once = Index::create()
            .name(ONCE)
            .table("request")
            .col("asset_id")
            .col("account_id")
            .unique()
            .and_where(Expr::col("closed_at").is_null())
            .to_owned();
        manager.create_index(once).await?;
        let open = Index::create()
            .name(OPEN)
            .table("request")
            .col("closed_at")
            .col("id")
            .to_owned();
        manager.create_index(open).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::drop().table("request").to_owned();
        manager.drop_table(table).await
    }
}
