//! Every query of the catalog: here those that find assets, beside it those that list and write them.

mod lists;
mod log;
mod writing;

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::asset::{Address, AddressDigest, AssetId, AssetKind, Facts, SourceLayer};
use super::{Asset, Error, HumanLayer, LARGE, Weighed};
use crate::auth::Visibility;
use crate::auth::subjects::sees_assets;
use crate::db::Db;
use crate::db::entity::asset;

pub(super) use self::lists::{
    count_children, find_summaries, list_aliases, list_beginnings, list_children, list_instances,
};
pub(super) use self::log::{Done, list_changes, list_history, log, read_change};
pub(super) use self::writing::{
    Draft, Known, Sealed, count_live, known, live_children, live_databases, mark_gone,
    source_layers, still_missing, write, write_aliases,
};

/// How many characters of a name take part in sorting; must fit the column `sort_key`.
const SORT_KEY: usize = 200;

/// How many rows one statement reads or changes, below both databases' limits on parameters.
const BATCH: usize = 500;

/// Leaves out of a query of something else what belongs to an asset that somebody does not see, or that is not there.
pub(crate) fn belongs_to_seen(visibility: &Visibility, asset: impl Into<SimpleExpr>) -> Condition {
    if *visibility == Visibility::Everything {
        return Condition::all();
    }
    let assets = Query::select()
        .expr(Expr::val(1))
        .from(asset::Entity)
        .and_where(Expr::col((asset::Entity, asset::Column::Id)).eq(asset))
        .cond_where(sees_assets(visibility))
        .to_owned();
    Condition::all().add(Expr::exists(assets))
}

/// Finds one asset. One of which its source says very much is read apart, and held by few at a time.
pub(super) async fn find(db: &Db, visibility: &Visibility, id: AssetId) -> Result<Asset, Error> {
    let query = asset::Entity::find_by_id(id.0).filter(sees_assets(visibility));
    let bytes = length(asset::Column::Source).add(length(asset::Column::Facts));
    let large = i64::try_from(LARGE).unwrap_or(i64::MAX);
    if let Some(row) = query.clone().filter(bytes.lte(large)).one(&**db).await? {
        return read(row);
    }
    if find_seen(&**db, visibility, &[id]).await?.is_empty() {
        return Err(Error::UnknownAsset);
    }
    let turn = db.apart().turn().await?;
    let row = query.one(&**db).await?.ok_or(Error::UnknownAsset)?;
    turn.run(move || read(row)).await?
}

fn bytes(row: &asset::Model) -> usize {
    row.source.len() + row.facts.len()
}

/// How many bytes a document of an asset has, which no database has to read it for.
fn length(column: asset::Column) -> SimpleExpr {
    let text = SimpleExpr::from(Expr::col((asset::Entity, column)));
    SimpleExpr::from(Func::cust("octet_length").arg(text)).cast_as("bigint")
}

/// Finds the ids of assets by where they come from.
pub(super) async fn find_at(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    addresses: &[&Address],
) -> Result<HashMap<AddressDigest, AssetId>, DbErr> {
    let identities: HashMap<String, AddressDigest> = addresses
        .iter()
        .map(|address| address.identity())
        .map(|identity| (identity.to_string(), identity))
        .collect();
    let rows: Vec<(Uuid, String)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::Id, asset::Column::Identity])
        .filter(asset::Column::Identity.is_in(identities.keys()))
        .filter(sees_assets(visibility))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, identity)| Some((*identities.get(&identity)?, AssetId(id))))
        .collect())
}

/// Finds assets, in no order; ids that are not there are left out.
pub(super) async fn find_many(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    ids: &[AssetId],
) -> Result<Vec<Asset>, Error> {
    let rows = asset::Entity::find()
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(sees_assets(visibility))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Finds out which of some assets are there and seen.
pub(super) async fn find_seen(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    ids: &[AssetId],
) -> Result<HashSet<AssetId>, DbErr> {
    let rows: Vec<Uuid> = asset::Entity::find()
        .select_only()
        .column(asset::Column::Id)
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(sees_assets(visibility))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(AssetId).collect())
}

/// What tells which asset a row is, and where it stands.
const ADDRESSED: [asset::Column; 5] = [
    asset::Column::Id,
    asset::Column::Kind,
    asset::Column::Platform,
    asset::Column::Instance,
    asset::Column::Path,
];

/// Finds the kinds and addresses of assets; ids that are not there are left out.
pub(super) async fn find_addresses(
    db: &impl ConnectionTrait,
    ids: &[AssetId],
) -> Result<HashMap<AssetId, (AssetKind, Address)>, Error> {
    let rows: Vec<(Uuid, String, String, String, String)> = asset::Entity::find()
        .select_only()
        .columns(ADDRESSED)
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .into_tuple()
        .all(db)
        .await?;
    let read = |(id, kind, platform, instance, path): (_, String, _, _, String)| {
        let kind = kind.parse().map_err(Error::damaged(AssetId(id)))?;
        let address = read_address(id, platform, instance, &path)?;
        Ok((AssetId(id), (kind, address)))
    };
    rows.into_iter().map(read).collect()
}

/// Weighs assets without reading them, in the order of their ids: all behind one, or those that are named.
pub(super) async fn weigh(
    db: &impl ConnectionTrait,
    which: Weighed<'_>,
) -> Result<Vec<(AssetId, u64)>, DbErr> {
    let query = asset::Entity::find()
        .select_only()
        .column(asset::Column::Id)
        .expr_as(length(asset::Column::Source), "source")
        .expr_as(length(asset::Column::Facts), "facts")
        .order_by_asc(asset::Column::Id);
    let query = match which {
        Weighed::First(limit) => query.limit(limit),
        Weighed::Behind(after, limit) => query.filter(asset::Column::Id.gt(after.0)).limit(limit),
        Weighed::Named(ids) => query.filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0))),
    };
    let rows: Vec<(Uuid, i64, i64)> = query.into_tuple().all(db).await?;
    let weighed = rows.into_iter();
    Ok(weighed
        .map(|(id, source, facts)| (AssetId(id), (source + facts).unsigned_abs()))
        .collect())
}

fn read(row: asset::Model) -> Result<Asset, Error> {
    let id = AssetId(row.id);
    Ok(Asset {
        id,
        bytes: bytes(&row),
        kind: row.kind.parse().map_err(Error::damaged(id))?,
        address: read_address(row.id, row.platform, row.instance, &row.path)?,
        parent: row.parent_id.map(AssetId),
        source: serde_json::from_str::<SourceLayer>(&row.source).map_err(Error::damaged(id))?,
        facts: serde_json::from_str::<Facts>(&row.facts).map_err(Error::damaged(id))?,
        human: HumanLayer::default(),
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        gone_at: row.gone_at,
    })
}

fn read_address(
    id: Uuid,
    platform: String,
    instance: String,
    path: &str,
) -> Result<Address, Error> {
    let path = serde_json::from_str(path).map_err(Error::damaged(AssetId(id)))?;
    Ok(Address {
        platform,
        instance,
        path,
    })
}

/// The name as lists sort and filter it: lower case, shortened, without what Postgres cannot store.
fn sort_key(name: &str) -> String {
    name.chars()
        .flat_map(char::to_lowercase)
        .filter(|c| *c != '\0')
        .take(SORT_KEY)
        .collect()
}

pub(super) fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
