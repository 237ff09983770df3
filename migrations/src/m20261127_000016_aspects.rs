//! What people say is kept for things of every kind, and what it refers to in a table of its own.
//!
//! Table `aspect` takes the place of `words`, with every row of it. Table `reference` is filled from owners and
//! replacements, so that "what names this" is a look into an index.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, string_len, text, timestamp_with_time_zone, uuid};
use sea_orm_migration::sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// How many rows are read at once, and how many one statement writes.
const BATCH: u64 = 500;

/// The columns that both tables have.
const SHARED: [&str; 5] = ["part", "version", "edited_at", "editor", "content"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_aspects(manager).await?;
        create_references(manager).await?;
        let rows = Query::select()
            .expr(Expr::val("asset"))
            .columns(["asset_id", "aspect"])
            .columns(SHARED)
            .from("words")
            .to_owned();
        let mut copy = Query::insert();
        copy.into_table("aspect")
            .columns(
                ["subject_kind", "subject_id", "name"]
                    .into_iter()
                    .chain(SHARED),
            )
            .select_from(rows)
            .map_err(|error| DbErr::Migration(error.to_string()))?;
        manager.execute(copy).await?;
        fill_references(manager).await?;
        manager
            .drop_table(Table::drop().table("words").to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_words(manager).await?;
        let rows = Query::select()
            .columns(["subject_id", "name"])
            .columns(SHARED)
            .from("aspect")
            .and_where(Expr::col("subject_kind").eq("asset"))
            .to_owned();
        let mut copy = Query::insert();
        copy.into_table("words")
            .columns(["asset_id", "aspect"].into_iter().chain(SHARED))
            .select_from(rows)
            .map_err(|error| DbErr::Migration(error.to_string()))?;
        manager.execute(copy).await?;
        for table in ["reference", "aspect"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn create_aspects(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("aspect")
        .col(string_len("subject_kind", 16))
        .col(uuid("subject_id"))
        .col(string_len("name", 32))
        // Which of several of one thing it is, such as the digest of a column's path; else nothing.
        .col(string_len("part", 32))
        .col(integer("version"))
        .col(timestamp_with_time_zone("edited_at"))
        .col(text("editor"))
        .col(text("content"))
        .primary_key(
            Index::create()
                .col("subject_kind")
                .col("subject_id")
                .col("name")
                .col("part"),
        )
        .to_owned();
    manager.create_table(table).await?;
    // What is said of columns of one name is found without reading what is said of all others; tags likewise.
    let index = Index::create()
        .name("aspect_by_part")
        .table("aspect")
        .col("name")
        .col("part")
        .col("subject_id")
        .to_owned();
    manager.create_index(index).await
}

async fn create_references(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("reference")
        .col(string_len("subject_kind", 16))
        .col(uuid("subject_id"))
        .col(string_len("aspect", 32))
        .col(string_len("part", 32))
        .col(string_len("target_kind", 16))
        .col(uuid("target_id"))
        .primary_key(
            Index::create()
                .col("subject_kind")
                .col("subject_id")
                .col("aspect")
                .col("part")
                .col("target_kind")
                .col("target_id"),
        )
        .to_owned();
    manager.create_table(table).await?;
    let index = Index::create()
        .name("reference_by_target")
        .table("reference")
        .col("target_kind")
        .col("target_id")
        .to_owned();
    manager.create_index(index).await
}

#[derive(Debug, FromQueryResult)]
struct Words {
    asset_id: Uuid,
    aspect: String,
    content: String,
}

/// Reads who owns what and what is replaced by what, batch by batch.
async fn fill_references(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for aspect in ["owners", "deprecation"] {
        let mut after = Uuid::nil();
        loop {
            let select = Query::select()
                .columns(["asset_id", "aspect", "content"])
                .from("words")
                .and_where(Expr::col("aspect").eq(aspect))
                .and_where(Expr::col("asset_id").gt(after))
                .order_by("asset_id", Order::Asc)
                .limit(BATCH)
                .to_owned();
            let rows = db.query_all(&select).await?;
            let rows = rows.iter().map(|row| Words::from_query_result(row, ""));
            let rows: Vec<Words> = rows.collect::<Result<_, _>>()?;
            let Some(last) = rows.last() else { break };
            after = last.asset_id;
            insert(manager, &rows).await?;
        }
    }
    Ok(())
}

async fn insert(manager: &SchemaManager<'_>, rows: &[Words]) -> Result<(), DbErr> {
    let mut insert = Query::insert();
    insert.into_table("reference").columns([
        "subject_kind",
        "subject_id",
        "aspect",
        "part",
        "target_kind",
        "target_id",
    ]);
    let mut is_empty = true;
    for row in rows {
        for (kind, id) in targets(row) {
            is_empty = false;
            insert.values_panic([
                "asset".into(),
                row.asset_id.into(),
                row.aspect.as_str().into(),
                "".into(),
                kind.into(),
                id.into(),
            ]);
        }
    }
    if is_empty {
        return Ok(());
    }
    manager.execute(insert).await
}

/// What an aspect names, each thing once. What cannot be read names nothing; it is kept as it is.
fn targets(row: &Words) -> Vec<(String, Uuid)> {
    let content: Value = serde_json::from_str(&row.content).unwrap_or_default();
    let id = |value: &Value| value.as_str()?.parse::<Uuid>().ok();
    let mut targets = Vec::new();
    for owner in content.as_array().into_iter().flatten() {
        let kind = owner.get("kind").and_then(Value::as_str);
        let kind = kind.filter(|kind| matches!(*kind, "account" | "team"));
        targets.extend(kind.map(str::to_owned).zip(owner.get("id").and_then(id)));
    }
    let replacement = content.get("replacement").and_then(id);
    targets.extend(replacement.map(|id| ("asset".to_owned(), id)));
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// The table as the migrations before this one made it.
async fn create_words(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("words")
        .col(uuid("asset_id"))
        .col(string_len("aspect", 16))
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
        .to_owned();
    manager.create_table(table).await?;
    let owners = Index::create()
        .name("words_of_owners")
        .table("words")
        .col("asset_id")
        .and_where(Expr::col("aspect").eq("owners"))
        .to_owned();
    manager.create_index(owners).await?;
    let parts = Index::create()
        .name("words_by_part")
        .table("words")
        .col("aspect")
        .col("part")
        .col("asset_id")
        .to_owned();
    manager.create_index(parts).await
}
