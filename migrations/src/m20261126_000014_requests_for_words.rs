//! A request is about an asset, or about words that somebody looked for and did not find.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    string_len_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const WIDER: &str = "request_wider";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Makes the table anew: SQLite cannot let a column be empty that could not.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let foreign_key = |name: &str, column: &str, to: &str| {
            ForeignKey::create()
                .name(name)
                .from(WIDER, Alias::new(column))
                .to(Alias::new(to), "id")
                .to_owned()
        };
        let wider = Table::create()
            .table(WIDER)
            .col(uuid("id").primary_key())
            .col(uuid_null("asset_id"))
            // As they are compared; nothing where the request is about an asset.
            .col(string_len_null("words", 200))
            .col(uuid("account_id"))
            .col(timestamp_with_time_zone("asked_at"))
            .col(timestamp_with_time_zone_null("closed_at"))
            // `described` or `dismissed`.
            .col(string_len_null("outcome", 16))
            .foreign_key(&mut foreign_key("request_asset", "asset_id", "asset"))
            .foreign_key(&mut foreign_key("request_account", "account_id", "account"))
            .to_owned();
        manager.create_table(wider).await?;
        let kept = [
            "id",
            "asset_id",
            "account_id",
            "asked_at",
            "closed_at",
            "outcome",
        ];
        let rows = Query::select().columns(kept).from("request").to_owned();
        let mut moved = Query::insert();
        moved
            .into_table(WIDER)
            .columns(kept)
            .select_from(rows)
            .map_err(|wrong| DbErr::Migration(wrong.to_string()))?;
        manager.execute(moved).await?;
        let narrow = Table::drop().table("request").to_owned();
        manager.drop_table(narrow).await?;
        let renamed = Table::rename().table(WIDER, "request").to_owned();
        manager.rename_table(renamed).await?;
        // One person asks once for one thing, until that is answered.
        for (name, about) in [
            ("request_once", "asset_id"),
            ("request_once_words", "words"),
        ] {
            let once = Index::create()
                .name(name)
                .table("request")
                .col(about)
                .col("account_id")
                .unique()
                .and_where(Expr::col("closed_at").is_null())
                .to_owned();
            manager.create_index(once).await?;
        }
        let open = Index::create()
            .name("request_open")
            .table("request")
            .col("closed_at")
            .col("id")
            .to_owned();
        manager.create_index(open).await
    }

    /// Leaves the column, which is then empty.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let about_words = Query::delete()
            .from_table("request")
            .and_where(Expr::col("asset_id").is_null())
            .to_owned();
        manager.execute(about_words).await
    }
}
