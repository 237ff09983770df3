//! Assets, one or many.

use actix_web::Either;
use actix_web::web::{Data, Path};

use super::asset_shape::{AssetShape, DatabaseShape, Seen, SummaryShape};
use super::change_shape::{ChangeShape, ComparedChangeShape};
use super::{Json, List, Written};
use crate::auth::Actor;
use crate::catalog::{self, Action, AssetId, Children};
use crate::db::{Db, PageRequest};
use crate::ingest;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;

/// `GET /api/v1/assets/{id}`: one asset.
#[utoipa::path(
    get,
    path = "/api/v1/assets/{id}",
    tag = "assets",
    summary = "One asset, with what its source and what people say of it apart",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = AssetShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
) -> Result<Either<Json<AssetShape>, Written>, Failure> {
    let asset = catalog::find_asset(&db, actor.visibility(), *id).await?;
    let aliases = catalog::list_aliases(&db, actor.visibility(), asset.id).await?;
    let last_seen = ingest::last_seen(&db, &asset).await?;
    let listing =
        ingest::latest_listing(&db, actor.visibility(), asset.parent.unwrap_or(asset.id)).await?;
    let large = asset.is_large();
    let shape = AssetShape::new(asset, aliases, Seen { last_seen, listing });
    if !large {
        return Ok(Either::Left(Json(shape)));
    }
    let written = db.apart().run(move || Written::of(&shape)).await?;
    Ok(Either::Right(written))
}

/// `GET /api/v1/assets/{id}/history`: what happened to one asset.
#[utoipa::path(
    get,
    path = "/api/v1/assets/{id}/history",
    tag = "assets",
    summary = "What happened to an asset, newest first",
    params(
        ("id" = Uuid, Path),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<ChangeShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn history(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    parameters: Parameters,
) -> Result<Json<List<ChangeShape>>, Failure> {
    let page = parameters.page(50)?;
    let asset = catalog::find_asset(&db, actor.visibility(), *id).await?;
    let changes = catalog::list_history(&db, actor.visibility(), asset.id, &page).await?;
    Ok(Json(List::of(changes, ChangeShape::from)))
}

/// `GET /api/v1/assets/{id}/history/{number}`: one change.
#[utoipa::path(
    get,
    path = "/api/v1/assets/{id}/history/{number}",
    tag = "assets",
    summary = "One change of an asset; of an edit of a text, what was done to it",
    params(
        ("id" = Uuid, Path),
        ("number" = u64, Path, description = "Its number among the changes of the asset, from 1"),
    ),
    responses(
        (status = 200, body = ComparedChangeShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn show_change(
    db: Data<Db>,
    actor: Actor,
    place: Path<(AssetId, u64)>,
) -> Result<Json<ComparedChangeShape>, Failure> {
    let (id, number) = place.into_inner();
    let change = catalog::find_change(&db, actor.visibility(), id, number).await?;
    let compared = match &change.action {
        Action::Revised(edit) => edit.compared(&db).await?,
        _ => None,
    };
    Ok(Json(ComparedChangeShape::new(change, compared)))
}

/// `GET /api/v1/assets`: what is inside something.
#[utoipa::path(
    get,
    path = "/api/v1/assets",
    tag = "assets",
    summary = "What is inside a database, or all databases",
    params(
        ("parent" = Option<Uuid>, Query, description = "The database; all databases without it"),
        ("name" = Option<String>, Query, description = "Only names that contain this"),
        ("begins" = Option<String>, Query, description = "Only names that begin with this"),
        ("gone" = Option<bool>, Query, description = "Also what its source no longer lists"),
        ("sort" = Option<String>, Query, description = "By `name`; or by `rows`, the most first; or by when the definition `changed`, the latest first"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<SummaryShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<SummaryShape>>, Failure> {
    let page = parameters.page(50)?;
    let children = Children {
        parent: parameters.id("parent")?.map(AssetId),
        instance: None,
        filter: parameters.text("name"),
        beginning: parameters.text("begins"),
        gone: parameters.switch("gone")?,
        order: parameters.one("sort")?,
    };
    let assets = list_children(&db, &actor, &children, &page).await?;
    Ok(Json(List::of(assets, SummaryShape::from)))
}

async fn list_children(
    db: &Db,
    actor: &Actor,
    children: &Children<'_>,
    page: &PageRequest,
) -> Result<crate::db::Page<catalog::Summary>, catalog::Error> {
    if let Some(parent) = children.parent {
        // An unknown database is not an empty one.
        catalog::find_asset(db, actor.visibility(), parent).await?;
    }
    catalog::list_children(db, actor.visibility(), children, page).await
}

/// `GET /api/v1/databases`: every database.
#[utoipa::path(
    get,
    path = "/api/v1/databases",
    tag = "assets",
    summary = "Every database, with how many tables and views it has",
    params(
        ("gone" = Option<bool>, Query, description = "Also what its source no longer lists"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<DatabaseShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list_databases(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<DatabaseShape>>, Failure> {
    let page = parameters.page(50)?;
    let children = Children {
        gone: parameters.switch("gone")?,
        ..Children::default()
    };
    let databases = catalog::list_children(&db, actor.visibility(), &children, &page).await?;
    let ids: Vec<AssetId> = databases.items.iter().map(|database| database.id).collect();
    let inside = catalog::count_inside(&db, actor.visibility(), &ids).await?;
    Ok(Json(List::of(databases, |database| {
        let inside = inside.get(&database.id).copied().unwrap_or_default();
        DatabaseShape::new(database, inside)
    })))
}
