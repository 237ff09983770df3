//! Lists of assets, a page at a time, which read no whole documents.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, LikeExpr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{ADDRESSED, belongs_to_seen, escape_like, read_address, sort_key};
use crate::auth::Visibility;
use crate::auth::subjects::sees_assets;
use crate::catalog::asset::{Alias, AssetId, AssetKind, LinkTarget, Storage};
use crate::catalog::{Beginning, Children, Error, InstanceSummary, Order, Summary, Trust};
use crate::db::entity::{alias, asset};
use crate::db::{Page, PageRequest};

/// So many names share a beginning that is offered.
const FEWEST_NAMES: i64 = 3;

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
        .columns(ADDRESSED)
        .columns([asset::Column::ParentId, asset::Column::GoneAt])
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
        title: None,
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
pub(in crate::catalog) async fn find_summaries(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    ids: &[AssetId],
) -> Result<Vec<Summary>, Error> {
    let query = asset::Entity::find()
        .filter(asset::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .filter(sees_assets(visibility));
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
pub(in crate::catalog) async fn list_beginnings(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
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
        .filter(sees_assets(visibility))
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
pub(in crate::catalog) async fn list_children(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    children: &Children<'_>,
    page: &PageRequest,
) -> Result<Page<Summary>, Error> {
    let weight = weight(children.order, db.get_database_backend());
    let mut query = outlines(asset::Entity::find(), weight.clone())
        .filter(sees_assets(visibility))
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
pub(in crate::catalog) async fn count_children(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    parents: &[AssetId],
) -> Result<HashMap<AssetId, HashMap<AssetKind, u64>>, DbErr> {
    let rows: Vec<(Uuid, String, i64)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::ParentId, asset::Column::Kind])
        .expr_as(Func::count(Expr::col(asset::Column::Id)), "n")
        .filter(asset::Column::ParentId.is_in(parents.iter().map(|id| id.0)))
        .filter(asset::Column::GoneAt.is_null())
        .filter(sees_assets(visibility))
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
pub(in crate::catalog) async fn list_instances(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
) -> Result<Vec<InstanceSummary>, DbErr> {
    let rows: Vec<(String, String, i64)> = asset::Entity::find()
        .select_only()
        .columns([asset::Column::Platform, asset::Column::Instance])
        .expr_as(Func::count(Expr::col(asset::Column::Id)), "n")
        .filter(asset::Column::ParentId.is_null())
        .filter(asset::Column::GoneAt.is_null())
        .filter(sees_assets(visibility))
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
pub(in crate::catalog) async fn list_aliases(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    id: AssetId,
) -> Result<Vec<Alias>, DbErr> {
    let rows = alias::Entity::find()
        .filter(alias::Column::AssetId.eq(id.0))
        .filter(belongs_to_seen(visibility, id.0))
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
