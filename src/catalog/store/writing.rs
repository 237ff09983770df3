//! Queries of a run: what is known of what a source reports, and writing down what differs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, Func, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{BATCH, read_address, sort_key};
use crate::catalog::Error;
use crate::catalog::asset::{Address, Alias, AssetId, AssetKind, Discovered, SourceLayer};
use crate::db::entity::{alias, asset};
use crate::db::{Txn, pieces, storable};

/// What must be known of an asset to tell whether a report changes it.
#[derive(Debug, Clone, FromQueryResult)]
pub(in crate::catalog) struct Known {
    pub(in crate::catalog) id: Uuid,
    pub(in crate::catalog) identity: String,
    pub(in crate::catalog) source_hash: String,
    pub(in crate::catalog) facts_hash: String,
    pub(in crate::catalog) gone_at: Option<DateTime<Utc>>,
}

/// An asset ready to be written.
pub(in crate::catalog) struct Draft {
    pub(in crate::catalog) id: AssetId,
    pub(in crate::catalog) parent: Option<AssetId>,
    pub(in crate::catalog) discovered: Discovered,
    pub(in crate::catalog) sealed: Sealed,
}

/// Both documents of a report as they are stored, with their digests.
pub(in crate::catalog) struct Sealed {
    pub(in crate::catalog) identity: String,
    pub(in crate::catalog) source: String,
    pub(in crate::catalog) source_hash: String,
    pub(in crate::catalog) facts: String,
    pub(in crate::catalog) facts_hash: String,
}

impl Sealed {
    pub(in crate::catalog) fn of(discovered: &Discovered) -> Self {
        // Room for it from the start: a text that grows is copied again and again.
        let mut source = Vec::with_capacity(COLUMN_SIZE * (1 + discovered.source.columns.len()));
        serde_json::to_writer(&mut source, &discovered.source).expect("memory takes every text");
        let source = String::from_utf8(source).expect("JSON is text");
        let facts = serde_json::to_string(&discovered.facts).expect("facts are plain text");
        Self {
            identity: discovered.address.identity().to_string(),
            source_hash: digest(&[discovered.kind.as_str(), &source]),
            facts_hash: digest(&[&facts]),
            source,
            facts,
        }
    }
}

/// How long most columns are in JSON, in bytes, with their comments.
const COLUMN_SIZE: usize = 160;

/// 32 hexadecimal digits that differ when the parts do.
fn digest(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

/// Finds what is known of assets, by their identities.
pub(in crate::catalog) async fn known(
    db: &impl ConnectionTrait,
    identities: Vec<&str>,
) -> Result<HashMap<String, Known>, DbErr> {
    let rows: Vec<Known> = asset::Entity::find()
        .select_only()
        .columns([
            asset::Column::Id,
            asset::Column::Identity,
            asset::Column::SourceHash,
            asset::Column::FactsHash,
            asset::Column::GoneAt,
        ])
        .filter(asset::Column::Identity.is_in(identities))
        .into_model()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.identity.clone(), row))
        .collect())
}

/// Reads the kind and the source layer of assets as they are before a change.
pub(in crate::catalog) async fn source_layers(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, (AssetKind, SourceLayer)>, Error> {
    let rows: Vec<(Uuid, String, String)> = asset::Entity::find()
        .select_only()
        .columns([
            asset::Column::Id,
            asset::Column::Kind,
            asset::Column::Source,
        ])
        .filter(asset::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter()
        .map(|(id, kind, source)| {
            let kind = kind.parse().map_err(Error::damaged(AssetId(id)))?;
            let source = serde_json::from_str(&source).map_err(Error::damaged(AssetId(id)))?;
            Ok((id, (kind, source)))
        })
        .collect()
}

/// Writes the source layers of assets, new ones and known ones; the human layer of known ones stays as it is.
pub(in crate::catalog) async fn write(
    txn: &Txn,
    drafts: Vec<Draft>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows: Vec<asset::ActiveModel> = drafts.into_iter().map(|draft| row(draft, now)).collect();
    for rows in pieces(rows) {
        asset::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::column(asset::Column::Id)
                    .update_columns([
                        asset::Column::Kind,
                        asset::Column::Source,
                        asset::Column::SourceHash,
                        asset::Column::Facts,
                        asset::Column::FactsHash,
                        asset::Column::LastSeen,
                        asset::Column::GoneAt,
                    ])
                    .to_owned(),
            )
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

fn row(draft: Draft, now: DateTime<Utc>) -> asset::ActiveModel {
    let address = &draft.discovered.address;
    asset::ActiveModel {
        id: Set(draft.id.0),
        identity: Set(draft.sealed.identity),
        kind: Set(draft.discovered.kind.as_str().to_owned()),
        platform: Set(storable(&address.platform)),
        instance: Set(storable(&address.instance)),
        path: Set(serde_json::to_string(&address.path).expect("a path is plain text")),
        sort_key: Set(sort_key(address.name())),
        parent_id: Set(draft.parent.map(|parent| parent.0)),
        source: Set(draft.sealed.source),
        source_hash: Set(draft.sealed.source_hash),
        facts: Set(draft.sealed.facts),
        facts_hash: Set(draft.sealed.facts_hash),
        first_seen: Set(now),
        last_seen: Set(now),
        gone_at: Set(None),
    }
}

/// Replaces the other names of assets by those now reported.
pub(in crate::catalog) async fn write_aliases(
    txn: &Txn,
    aliases: Vec<(AssetId, Vec<Alias>)>,
    known: Vec<Uuid>,
) -> Result<(), DbErr> {
    if !known.is_empty() {
        alias::Entity::delete_many()
            .filter(alias::Column::AssetId.is_in(known))
            .exec(&**txn)
            .await?;
    }
    let mut rows = Vec::new();
    for (id, aliases) in aliases {
        for Alias { system, name } in aliases {
            rows.push(alias::ActiveModel {
                asset_id: Set(id.0),
                identity: Set(digest(&[&system, &name])),
                system: Set(system),
                name: Set(storable(&name)),
            });
        }
    }
    for rows in pieces(rows) {
        alias::Entity::insert_many(rows)
            .on_conflict_do_nothing()
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

/// Finds out which of some assets are not gone, and were not written since `since`.
pub(in crate::catalog) async fn still_missing(
    txn: &Txn,
    ids: &[AssetId],
    since: DateTime<Utc>,
) -> Result<Vec<AssetId>, DbErr> {
    let mut missing = Vec::with_capacity(ids.len());
    for batch in ids.chunks(BATCH) {
        let rows: Vec<Uuid> = asset::Entity::find()
            .select_only()
            .column(asset::Column::Id)
            .filter(asset::Column::Id.is_in(batch.iter().map(|id| id.0)))
            .filter(asset::Column::GoneAt.is_null())
            .filter(asset::Column::LastSeen.lt(since))
            .into_tuple()
            .all(&**txn)
            .await?;
        missing.extend(rows.into_iter().map(AssetId));
    }
    Ok(missing)
}

/// Marks assets as gone.
pub(in crate::catalog) async fn mark_gone(
    txn: &Txn,
    ids: &[AssetId],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for batch in ids.chunks(BATCH) {
        asset::Entity::update_many()
            .col_expr(asset::Column::GoneAt, Expr::value(now))
            .filter(asset::Column::Id.is_in(batch.iter().map(|id| id.0)))
            .exec(&**txn)
            .await?;
    }
    Ok(())
}

/// Counts the assets inside each of some databases that are not gone.
pub(in crate::catalog) async fn count_live(
    db: &impl ConnectionTrait,
    parents: &[AssetId],
) -> Result<HashMap<AssetId, u64>, DbErr> {
    let rows: Vec<(Uuid, i64)> = asset::Entity::find()
        .select_only()
        .column(asset::Column::ParentId)
        .expr_as(Func::count(Expr::col(asset::Column::ParentId)), "n")
        .filter(asset::Column::ParentId.is_in(parents.iter().map(|id| id.0)))
        .filter(asset::Column::GoneAt.is_null())
        .group_by(asset::Column::ParentId)
        .into_tuple()
        .all(db)
        .await?;
    let counts = rows.into_iter();
    Ok(counts
        .map(|(parent, n)| (AssetId(parent), n.unsigned_abs()))
        .collect())
}

/// Lists the assets inside a database that are not gone, a page at a time in the order of their ids.
pub(in crate::catalog) async fn live_children(
    db: &impl ConnectionTrait,
    parent: AssetId,
    after: Option<AssetId>,
    limit: u64,
) -> Result<Vec<(AssetId, Address)>, Error> {
    let mut query = asset::Entity::find()
        .select_only()
        .columns([
            asset::Column::Id,
            asset::Column::Platform,
            asset::Column::Instance,
            asset::Column::Path,
        ])
        .filter(asset::Column::ParentId.eq(parent.0))
        .filter(asset::Column::GoneAt.is_null())
        .order_by_asc(asset::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        query = query.filter(asset::Column::Id.gt(after.0));
    }
    let rows: Vec<(Uuid, String, String, String)> = query.into_tuple().all(db).await?;
    rows.into_iter()
        .map(|(id, platform, instance, path)| {
            Ok((AssetId(id), read_address(id, platform, instance, &path)?))
        })
        .collect()
}

/// Lists the databases of one instance that are not gone.
pub(in crate::catalog) async fn live_databases(
    db: &impl ConnectionTrait,
    platform: &str,
    instance: &str,
) -> Result<Vec<(AssetId, Address)>, Error> {
    let rows: Vec<(Uuid, String)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::Id, asset::Column::Path])
        .filter(asset::Column::ParentId.is_null())
        .filter(asset::Column::Platform.eq(platform))
        .filter(asset::Column::Instance.eq(instance))
        .filter(asset::Column::GoneAt.is_null())
        .into_tuple()
        .all(db)
        .await?;
    rows.into_iter()
        .map(|(id, path)| {
            Ok((
                AssetId(id),
                read_address(id, platform.to_owned(), instance.to_owned(), &path)?,
            ))
        })
        .collect()
}
