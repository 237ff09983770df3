//! Every query of the catalog.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{
    CaseStatement, Expr, ExprTrait, Func, LikeExpr, OnConflict, Query, SimpleExpr,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::asset::{
    Address, Alias, AssetId, AssetKind, Discovered, Facts, Identity, LinkTarget, SourceLayer,
    Storage,
};
use super::batch::{self, Batch};
use super::change::{Action, Cause, Change};
use super::{
    Asset, Beginning, Children, Error, HumanLayer, InstanceSummary, LARGE, Order, Summary, Trust,
    Weighed,
};
use crate::auth::scopes::{PlaceOfRow, sees};
use crate::auth::{Sight, Who};
use crate::db::changes::{self, Entry};
use crate::db::entity::{alias, asset, change};
use crate::db::{Cursor, Db, Page, PageRequest, Txn, pieces, storable, within_bytes};

/// So many names share a beginning that is offered.
const FEWEST_NAMES: i64 = 3;

/// How many characters of a name take part in sorting; must fit the column `sort_key`.
const SORT_KEY: usize = 200;

/// How many rows one statement reads or changes, below both databases' limits on parameters.
const BATCH: usize = 500;

/// What must be known of an asset to tell whether a report changes it.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) identity: String,
    pub(super) source_hash: String,
    pub(super) facts_hash: String,
    pub(super) gone_at: Option<DateTime<Utc>>,
}

/// An asset ready to be written.
pub(super) struct Draft {
    pub(super) id: AssetId,
    pub(super) parent: Option<AssetId>,
    pub(super) discovered: Discovered,
    pub(super) sealed: Sealed,
}

/// Both documents of a report as they are stored, with their digests.
pub(super) struct Sealed {
    pub(super) identity: String,
    pub(super) source: String,
    pub(super) source_hash: String,
    pub(super) facts: String,
    pub(super) facts_hash: String,
}

impl Sealed {
    pub(super) fn of(discovered: &Discovered) -> Self {
        let source =
            serde_json::to_string(&discovered.source).expect("a source layer is plain text");
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
pub(super) async fn known(
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
pub(super) async fn source_layers(
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
pub(super) async fn write(txn: &Txn, drafts: Vec<Draft>, now: DateTime<Utc>) -> Result<(), DbErr> {
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
pub(super) async fn write_aliases(
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

/// What was done to an asset of a database, which may be the asset itself.
pub(super) struct Done {
    pub(super) id: AssetId,
    pub(super) database: AssetId,
    pub(super) action: Action,
}

/// Writes one row into the log for each asset.
pub(super) async fn log(
    txn: &Txn,
    cause: &Cause,
    actions: Vec<Done>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let batch = Batch::of(cause.run, now);
    let entries = actions.into_iter().map(
        |Done {
             id,
             database,
             action,
         }| Entry {
            run_id: cause.run,
            placed: Some(batch::placed(batch, id, database, &action)),
            ..cause
                .actor
                .entry(("asset", id.0), action.as_str(), action.details(), now)
        },
    );
    changes::append(txn, entries.collect()).await
}

/// Finds out which of some assets are not gone, and were not written since `since`.
pub(super) async fn still_missing(
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
pub(super) async fn mark_gone(txn: &Txn, ids: &[AssetId], now: DateTime<Utc>) -> Result<(), DbErr> {
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
pub(super) async fn count_live(
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
pub(super) async fn live_children(
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
pub(super) async fn live_databases(
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

/// Leaves out of a query of assets what somebody does not see.
fn seen(sight: &Sight) -> Condition {
    let of = |column| Expr::col((asset::Entity, column));
    let database = [of(asset::Column::ParentId), of(asset::Column::Id)];
    let place = PlaceOfRow {
        platform: of(asset::Column::Platform),
        instance: of(asset::Column::Instance),
        database: Func::coalesce(database).into(),
    };
    sees(sight, place)
}

/// Leaves out of a query of something else what belongs to an asset that somebody does not see, or that is not there.
pub(crate) fn belongs_to_seen(sight: &Sight, asset: impl Into<SimpleExpr>) -> Condition {
    if *sight == Sight::Everything {
        return Condition::all();
    }
    let assets = Query::select()
        .expr(Expr::val(1))
        .from(asset::Entity)
        .and_where(Expr::col((asset::Entity, asset::Column::Id)).eq(asset))
        .cond_where(seen(sight))
        .to_owned();
    Condition::all().add(Expr::exists(assets))
}

/// Finds the database that an asset is in, or is.
pub(super) async fn find_database(
    db: &impl ConnectionTrait,
    id: AssetId,
) -> Result<AssetId, Error> {
    let found: Option<Option<Uuid>> = asset::Entity::find_by_id(id.0)
        .select_only()
        .column(asset::Column::ParentId)
        .into_tuple()
        .one(db)
        .await?;
    let parent = found.ok_or(Error::UnknownAsset)?;
    Ok(parent.map_or(id, AssetId))
}

/// Finds one asset. One of which its source says very much is read apart, and held by few at a time.
pub(super) async fn find(db: &Db, sight: &Sight, id: AssetId) -> Result<Asset, Error> {
    let query = asset::Entity::find_by_id(id.0).filter(seen(sight));
    let bytes = length(asset::Column::Source).add(length(asset::Column::Facts));
    let large = i64::try_from(LARGE).unwrap_or(i64::MAX);
    if let Some(row) = query.clone().filter(bytes.lte(large)).one(&**db).await? {
        return read(row);
    }
    if find_seen(&**db, sight, &[id]).await?.is_empty() {
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
    sight: &Sight,
    addresses: &[&Address],
) -> Result<HashMap<Identity, AssetId>, DbErr> {
    let identities: HashMap<String, Identity> = addresses
        .iter()
        .map(|address| address.identity())
        .map(|identity| (identity.to_string(), identity))
        .collect();
    let rows: Vec<(Uuid, String)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::Id, asset::Column::Identity])
        .filter(asset::Column::Identity.is_in(identities.keys()))
        .filter(seen(sight))
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
    sight: &Sight,
    ids: &[AssetId],
) -> Result<Vec<Asset>, Error> {
    let rows = asset::Entity::find()
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(seen(sight))
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Finds out which of some assets are there and seen.
pub(super) async fn find_seen(
    db: &impl ConnectionTrait,
    sight: &Sight,
    ids: &[AssetId],
) -> Result<HashSet<AssetId>, DbErr> {
    let rows: Vec<Uuid> = asset::Entity::find()
        .select_only()
        .column(asset::Column::Id)
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(seen(sight))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(AssetId).collect())
}

/// Finds the kinds and addresses of assets; ids that are not there are left out.
pub(super) async fn find_addresses(
    db: &impl ConnectionTrait,
    ids: &[AssetId],
) -> Result<HashMap<AssetId, (AssetKind, Address)>, Error> {
    let rows: Vec<(Uuid, String, String, String, String)> = asset::Entity::find()
        .select_only()
        .columns([
            asset::Column::Id,
            asset::Column::Kind,
            asset::Column::Platform,
            asset::Column::Instance,
            asset::Column::Path,
        ])
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

/// A document of an asset is not read for a list if it is longer than this, in bytes.
const LONGEST_IN_LISTS: i64 = 100_000;

/// What lists read of an asset.
#[derive(Debug, FromQueryResult)]
struct Outline {
    id: Uuid,
    kind: String,
    platform: String,
    instance: String,
    path: String,
    parent_id: Option<Uuid>,
    source: Option<String>,
    facts: Option<String>,
    gone_at: Option<DateTime<Utc>>,
    weight: String,
}

/// What lists tell of what a source says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutlineOfSource {
    description: Option<String>,
    columns: Vec<IgnoredAny>,
    storage: Storage,
    owner: Option<String>,
    link: Option<LinkTarget>,
}

/// What lists tell of the latest facts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutlineOfFacts {
    rows: Option<i64>,
    updated_at: Option<DateTime<Utc>>,
}

/// Picks of assets what lists read, beside the weight by which they are sorted.
fn outlines(query: Select<asset::Entity>, weight: SimpleExpr) -> Select<asset::Entity> {
    let short = |column| {
        let text = SimpleExpr::from(Expr::col((asset::Entity, column)));
        let length = SimpleExpr::from(Func::cust("octet_length").arg(text.clone()));
        CaseStatement::new().case(length.lte(LONGEST_IN_LISTS), text)
    };
    query
        .select_only()
        .columns([
            asset::Column::Id,
            asset::Column::Kind,
            asset::Column::Platform,
            asset::Column::Instance,
            asset::Column::Path,
            asset::Column::ParentId,
            asset::Column::GoneAt,
        ])
        .expr_as(short(asset::Column::Source), "source")
        .expr_as(short(asset::Column::Facts), "facts")
        .expr_as(weight, "weight")
}

/// By which an asset is sorted before its name, as text that sorts like the figure; empty where nothing is known.
fn weight(order: Order, backend: DbBackend) -> SimpleExpr {
    // Raw because the functions on JSON are other ones on each database.
    let known = match (order, backend) {
        (Order::Name, _) => return Expr::val(""),
        (Order::Rows, DbBackend::Postgres) => {
            "lpad(greatest((asset.facts::jsonb ->> 'rows')::bigint, 0)::text, 20, '0')"
        }
        (Order::Rows, _) => "printf('%020d', max(json_extract(asset.facts, '$.rows'), 0))",
        (Order::Changed, DbBackend::Postgres) => "asset.facts::jsonb ->> 'updated_at'",
        (Order::Changed, _) => "json_extract(asset.facts, '$.updated_at')",
    };
    Func::coalesce([Expr::cust(known), Expr::val("")]).into()
}

fn summary(row: Outline) -> Result<Summary, Error> {
    let id = AssetId(row.id);
    let source: Option<OutlineOfSource> =
        outline(row.source.as_deref()).map_err(Error::damaged(id))?;
    let facts: Option<OutlineOfFacts> =
        outline(row.facts.as_deref()).map_err(Error::damaged(id))?;
    let columns = source.as_ref().map(|source| source.columns.len());
    let source = source.unwrap_or_default();
    let facts = facts.unwrap_or_default();
    Ok(Summary {
        id,
        kind: row.kind.parse().map_err(Error::damaged(id))?,
        address: read_address(row.id, row.platform, row.instance, &row.path)?,
        parent: row.parent_id.map(AssetId),
        description: source.description,
        columns,
        format: source.storage.format,
        rows: facts.rows,
        defined_at: facts.updated_at,
        link: source.link,
        source_owner: source.owner.filter(|owner| !owner.is_empty()),
        trust: Trust::default(),
        gone_at: row.gone_at,
    })
}

fn outline<'a, T: Deserialize<'a>>(document: Option<&'a str>) -> serde_json::Result<Option<T>> {
    document.map(serde_json::from_str).transpose()
}

/// Finds assets as lists show them, in no order; ids that are not there are left out.
pub(super) async fn find_summaries(
    db: &impl ConnectionTrait,
    sight: &Sight,
    ids: &[AssetId],
) -> Result<Vec<Summary>, Error> {
    let query = asset::Entity::find()
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(seen(sight));
    let rows: Vec<Outline> = outlines(query, Expr::val("")).into_model().all(db).await?;
    rows.into_iter().map(summary).collect()
}

/// Leaves in a query what a list shows.
fn of(query: Select<asset::Entity>, children: &Children<'_>) -> Select<asset::Entity> {
    let mut query = match children {
        Children {
            parent: Some(parent),
            ..
        } => query.filter(asset::Column::ParentId.eq(parent.0)),
        Children {
            instance: Some((platform, instance)),
            ..
        } => query
            .filter(asset::Column::ParentId.is_null())
            .filter(asset::Column::Platform.eq(*platform))
            .filter(asset::Column::Instance.eq(*instance)),
        Children { .. } => query.filter(asset::Column::ParentId.is_null()),
    };
    let patterns = [("%", children.filter), ("", children.beginning)];
    for (before, text) in patterns.into_iter().filter(|(_, text)| !text.is_empty()) {
        let pattern = LikeExpr::new(format!("{before}{}%", escape_like(&sort_key(text))));
        query = query.filter(Expr::col(asset::Column::SortKey).like(pattern.escape('\\')));
    }
    if !children.gone {
        query = query.filter(asset::Column::GoneAt.is_null());
    }
    query
}

/// Finds the beginnings up to the next underscore that most names of a list share, the most frequent first.
pub(super) async fn list_beginnings(
    db: &impl ConnectionTrait,
    sight: &Sight,
    children: &Children<'_>,
    limit: u64,
) -> Result<Vec<Beginning>, DbErr> {
    let known = i32::try_from(sort_key(children.beginning).chars().count()).unwrap_or_default();
    // Raw because the function that finds a text in another is another one on each database.
    let find = match db.get_database_backend() {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    let name = || Expr::col((asset::Entity, asset::Column::SortKey));
    let substr = |from: i32| Func::cust("substr").arg(name()).arg(from);
    let next = || Expr::expr(Func::cust(find).arg(substr(known + 1)).arg("_"));
    let beginning = substr(1).arg(next().add(known));
    let rows: Vec<(String, i64)> = of(asset::Entity::find(), children)
        .filter(seen(sight))
        .filter(next().gt(0))
        .select_only()
        .expr_as(beginning, "beginning")
        .expr_as(Func::count(name()), "names")
        .group_by(Expr::col("beginning"))
        .having(Func::count(name()).gte(FEWEST_NAMES))
        .order_by_desc(Expr::col("names"))
        .order_by_asc(Expr::col("beginning"))
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    let read = |(text, names): (String, i64)| Beginning {
        text,
        names: names.unsigned_abs(),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Lists what is directly inside `parent`, or the outermost assets of an instance.
pub(super) async fn list_children(
    db: &impl ConnectionTrait,
    sight: &Sight,
    children: &Children<'_>,
    page: &PageRequest,
) -> Result<Page<Summary>, Error> {
    let weight = weight(children.order, db.get_database_backend());
    let mut query = outlines(asset::Entity::find(), weight.clone())
        .filter(seen(sight))
        .limit(page.limit + 1);
    if children.order != Order::Name {
        query = query.order_by_desc(weight.clone());
    }
    query = query
        .order_by_asc(asset::Column::SortKey)
        .order_by_asc(asset::Column::Id);
    query = of(query, children);
    if let Some((last, sort_key, id)) = page.key::<(String, String, Uuid)>()? {
        let behind = Condition::any()
            .add(asset::Column::SortKey.gt(sort_key.clone()))
            .add(
                Condition::all()
                    .add(asset::Column::SortKey.eq(sort_key))
                    .add(asset::Column::Id.gt(id)),
            );
        query = query.filter(match children.order {
            Order::Name => behind,
            Order::Rows | Order::Changed => Condition::any()
                .add(weight.clone().lt(last.as_str()))
                .add(Condition::all().add(weight.eq(last)).add(behind)),
        });
    }
    let rows: Vec<Outline> = query.into_model().all(db).await?;
    let rows = rows
        .into_iter()
        .map(|row| Ok((row.weight.clone(), summary(row)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let page = Page::of_rows(rows, page, |(weight, asset)| {
        (weight.clone(), sort_key(asset.address.name()), asset.id.0)
    });
    Ok(page.map(|(_, asset)| asset))
}

/// Counts what is inside each of some databases and not gone, by kind.
pub(super) async fn count_children(
    db: &impl ConnectionTrait,
    sight: &Sight,
    parents: &[AssetId],
) -> Result<HashMap<AssetId, HashMap<AssetKind, u64>>, DbErr> {
    let rows: Vec<(Uuid, String, i64)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::ParentId, asset::Column::Kind])
        .expr_as(Func::count(Expr::col(asset::Column::Id)), "n")
        .filter(asset::Column::ParentId.is_in(parents.iter().map(|id| id.0)))
        .filter(asset::Column::GoneAt.is_null())
        .filter(seen(sight))
        .group_by(asset::Column::ParentId)
        .group_by(asset::Column::Kind)
        .into_tuple()
        .all(db)
        .await?;
    let mut counts: HashMap<AssetId, HashMap<AssetKind, u64>> = HashMap::new();
    for (parent, kind, n) in rows {
        if let Ok(kind) = kind.parse() {
            counts
                .entry(AssetId(parent))
                .or_default()
                .insert(kind, n.unsigned_abs());
        }
    }
    Ok(counts)
}

/// Counts the databases of each instance that are not gone.
pub(super) async fn list_instances(
    db: &impl ConnectionTrait,
    sight: &Sight,
) -> Result<Vec<InstanceSummary>, DbErr> {
    let rows: Vec<(String, String, i64)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::Platform, asset::Column::Instance])
        .expr_as(Func::count(Expr::col(asset::Column::Id)), "n")
        .filter(asset::Column::ParentId.is_null())
        .filter(asset::Column::GoneAt.is_null())
        .filter(seen(sight))
        .group_by(asset::Column::Platform)
        .group_by(asset::Column::Instance)
        .order_by_asc(asset::Column::Platform)
        .order_by_asc(asset::Column::Instance)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(platform, instance, n)| InstanceSummary {
            platform,
            instance,
            databases: n.unsigned_abs(),
        })
        .collect())
}

/// Lists the other names of an asset.
pub(super) async fn list_aliases(
    db: &impl ConnectionTrait,
    sight: &Sight,
    id: AssetId,
) -> Result<Vec<Alias>, DbErr> {
    let rows = alias::Entity::find()
        .filter(alias::Column::AssetId.eq(id.0))
        .filter(belongs_to_seen(sight, id.0))
        .order_by_asc(alias::Column::System)
        .order_by_asc(alias::Column::Identity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Alias {
            system: row.system,
            name: row.name,
        })
        .collect())
}

/// The changes of assets that somebody sees.
fn changes_seen(sight: &Sight) -> Select<change::Entity> {
    let asset = Expr::col((change::Entity, change::Column::SubjectId));
    change::Entity::find()
        .filter(change::Column::SubjectKind.eq("asset"))
        .filter(belongs_to_seen(sight, asset))
}

/// Lists changes, newest first.
pub(super) async fn list_changes(
    db: &impl ConnectionTrait,
    sight: &Sight,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    let mut query = changes_seen(sight);
    if let Some(seq) = page.key::<i64>()? {
        query = query.filter(change::Column::Seq.lt(seq));
    }
    let page = changes::list_newest(db, query, page).await?;
    let items = page.items.iter().map(|row| read_change(row, None));
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next: page.next,
    })
}

/// Lists the changes of one asset, newest first.
///
/// They are counted from its first one, and pages go on at such a number: the numbers of the log would tell readers how
/// much happens elsewhere.
pub(super) async fn list_history(
    db: &impl ConnectionTrait,
    sight: &Sight,
    id: AssetId,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    let of_asset = || {
        change::Entity::find()
            .filter(change::Column::SubjectId.eq(id.0))
            .filter(belongs_to_seen(sight, id.0))
    };
    let all = of_asset().count(db).await?;
    let newest = page.key::<u64>()?.map_or(all, |older| Ord::min(older, all));
    let oldest = newest.saturating_sub(page.limit);
    if newest == oldest {
        return Ok(Page::default());
    }
    let window = of_asset()
        .order_by_asc(change::Column::Seq)
        .offset(oldest)
        .limit(newest - oldest);
    let mut lengths = changes::lengths(db, window).await?;
    lengths.reverse();
    let cut = within_bytes(lengths, page, |(_, length)| *length);
    let rows = changes::read_newest(db, &cut.items).await?;
    let numbers = (0..=newest).rev();
    let items = rows.iter().zip(numbers);
    let items = items.map(|(row, number)| read_change(row, Some(number)));
    let items: Vec<Change> = items.collect::<Result<_, _>>()?;
    let older = newest - items.len() as u64;
    Ok(Page {
        items,
        next: (older > 0).then(|| Cursor::of(&older)),
    })
}

pub(super) fn read_change(row: &change::Model, number: Option<u64>) -> Result<Change, Error> {
    let asset = AssetId(row.subject_id);
    Ok(Change {
        seq: row.seq,
        number,
        at: row.at,
        who: serde_json::from_str::<Who>(&row.actor).map_err(Error::damaged(asset))?,
        run: row.run_id,
        asset,
        action: Action::read(&row.action, &row.details)
            .ok_or("an unknown action")
            .map_err(Error::damaged(asset))?,
    })
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
