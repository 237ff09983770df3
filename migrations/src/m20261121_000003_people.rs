//! Accounts, teams, scopes, sessions, tokens and links; who made each change, and in which request.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, string_len, string_len_null, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_accounts(manager).await?;
        create_teams(manager).await?;
        create_scopes(manager).await?;
        create_ways_in(manager).await?;
        sign_the_log(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in ["change_of_actor", "change_of_kind", "change_at"] {
            manager
                .drop_index(Index::drop().name(index).table("change").to_owned())
                .await?;
        }
        for column in ["request_id", "actor_id"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("change")
                        .drop_column(column)
                        .to_owned(),
                )
                .await?;
        }
        for table in [
            "handshake",
            "attempt",
            "link",
            "token",
            "session",
            "visibility",
            "admission",
            "stewardship",
            "scope",
            "membership",
            "team",
            "identity",
            "account",
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn create_accounts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("account")
                .col(uuid("id").primary_key())
                // A person or a service.
                .col(string_len("kind", 16))
                .col(text("name"))
                // The name as it looks, so that no two look alike.
                .col(string_len("look", 255).unique_key())
                .col(text_null("display_name"))
                .col(string_len("role", 16))
                // A steward of everything, not of the scopes in `stewardship` alone.
                .col(boolean("everywhere"))
                .col(text_null("password_hash"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone_null("signed_in_at"))
                .col(timestamp_with_time_zone_null("locked_at"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("identity")
                // The digest of issuer and subject.
                .col(string_len("digest", 64).primary_key())
                .col(uuid("account_id"))
                .col(text("issuer"))
                .col(text("subject"))
                .col(timestamp_with_time_zone("linked_at"))
                .foreign_key(&mut reference("identity", "account_id", "account"))
                .to_owned(),
        )
        .await?;
    index(manager, "identity_of_account", "identity", &["account_id"]).await
}

async fn create_teams(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("team")
                .col(uuid("id").primary_key())
                .col(text("name"))
                .col(string_len("look", 255).unique_key())
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("membership")
                .col(uuid("team_id"))
                .col(uuid("account_id"))
                // The issuer whose groups made it, or null when a person did: a directory takes back only its own.
                .col(text_null("issuer"))
                .primary_key(Index::create().col("team_id").col("account_id"))
                .foreign_key(&mut reference("membership", "team_id", "team"))
                .foreign_key(&mut reference("membership", "account_id", "account"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "membership_of_account",
        "membership",
        &["account_id"],
    )
    .await
}

async fn create_scopes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("scope")
                .col(uuid("id").primary_key())
                .col(string_len("kind", 16))
                // The digest of what it stands for: one row for each.
                .col(string_len("digest", 64).unique_key())
                .col(text("platform"))
                .col(text("instance"))
                // The database, for a scope of that kind.
                .col(uuid_null("database_id"))
                .col(boolean("restricted"))
                .foreign_key(&mut reference("scope", "database_id", "asset"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "scope_of_database",
        "scope",
        &["database_id", "restricted"],
    )
    .await?;
    index(
        manager,
        "scope_of_source",
        "scope",
        &["platform", "instance", "kind", "restricted"],
    )
    .await?;
    manager
        .create_table(
            Table::create()
                .table("stewardship")
                .col(uuid("account_id"))
                .col(uuid("scope_id"))
                .primary_key(Index::create().col("account_id").col("scope_id"))
                .foreign_key(&mut reference("stewardship", "account_id", "account"))
                .foreign_key(&mut reference("stewardship", "scope_id", "scope"))
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("admission")
                .col(uuid("scope_id"))
                // An account or a team.
                .col(uuid("principal_id"))
                .col(string_len("principal", 16))
                .primary_key(Index::create().col("scope_id").col("principal_id"))
                .foreign_key(&mut reference("admission", "scope_id", "scope"))
                .to_owned(),
        )
        .await?;
    create_visibility(manager).await
}

/// One row, counted up with every change of who may see what.
async fn create_visibility(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("visibility")
                .col(integer("id").primary_key())
                .col(big_integer("version"))
                .to_owned(),
        )
        .await?;
    manager
        .execute(
            Query::insert()
                .into_table("visibility")
                .columns(["id", "version"])
                .values_panic([1.into(), 0.into()])
                .to_owned(),
        )
        .await
        .map(drop)
}

async fn create_ways_in(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("session")
                .col(uuid("id").primary_key())
                .col(string_len("digest", 64).unique_key())
                .col(uuid("account_id"))
                // How the person proved who they are.
                .col(string_len("method", 16))
                .col(text("address"))
                .col(text("agent"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("seen_at"))
                .col(timestamp_with_time_zone("ends_at"))
                .foreign_key(&mut reference("session", "account_id", "account"))
                .to_owned(),
        )
        .await?;
    index(manager, "session_of_account", "session", &["account_id"]).await?;
    manager
        .create_table(
            Table::create()
                .table("token")
                .col(uuid("id").primary_key())
                .col(string_len("digest", 64).unique_key())
                .col(uuid("account_id"))
                .col(text("name"))
                .col(string_len("scopes", 64))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .col(timestamp_with_time_zone_null("revoked_at"))
                .foreign_key(&mut reference("token", "account_id", "account"))
                .to_owned(),
        )
        .await?;
    index(manager, "token_of_account", "token", &["account_id", "id"]).await?;
    // Addresses that work once: to set the catalog up, or to choose a password.
    manager
        .create_table(
            Table::create()
                .table("link")
                .col(uuid("id").primary_key())
                .col(string_len("digest", 64).unique_key())
                .col(uuid_null("account_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .foreign_key(&mut reference("link", "account_id", "account"))
                .to_owned(),
        )
        .await?;
    index(manager, "link_of_account", "link", &["account_id"]).await?;
    create_attempts(manager).await
}

async fn create_attempts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    // Sign-ins that did not succeed, for an account's name or for a client's address.
    manager
        .create_table(
            Table::create()
                .table("attempt")
                .col(string_len("digest", 64).primary_key())
                .col(integer("count"))
                .col(timestamp_with_time_zone("last_at"))
                .to_owned(),
        )
        .await?;
    // Sign-ins that have gone to another provider and not come back yet.
    manager
        .create_table(
            Table::create()
                .table("handshake")
                .col(string_len("digest", 64).primary_key())
                .col(text("secrets"))
                .col(timestamp_with_time_zone("created_at"))
                .to_owned(),
        )
        .await
}

async fn sign_the_log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .alter_table(
            Table::alter()
                .table("change")
                .add_column(uuid_null("actor_id"))
                .to_owned(),
        )
        .await?;
    manager
        .alter_table(
            Table::alter()
                .table("change")
                .add_column(string_len_null("request_id", 128))
                .to_owned(),
        )
        .await?;
    // Most of the log is what recipes did to assets; these leave that out, so that a first load does not pay for them.
    manager
        .create_index(
            Index::create()
                .name("change_of_actor")
                .table("change")
                .col("actor_id")
                .col("seq")
                .and_where(Expr::col("actor_id").is_not_null())
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("change_of_kind")
                .table("change")
                .col("subject_kind")
                .col("seq")
                .and_where(Expr::col("subject_kind").ne("asset"))
                .to_owned(),
        )
        .await?;
    index(manager, "change_at", "change", &["at"]).await
}

fn reference(table: &str, column: &str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}"))
        .from(table.to_owned(), column.to_owned())
        .to(to, "id")
        .to_owned()
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
