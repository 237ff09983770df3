//! What people ask the stewards to describe.

use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::NoBody;
use super::{Json, List};
use crate::auth::Actor;
use crate::catalog::requests::{self, Asked};
use crate::catalog::{self, AssetId};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;

/// An asset that waits for a description.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct RequestShape {
    asset_id: Uuid,
    kind: String,
    /// The names from the outermost to its own.
    path: Vec<String>,
    /// How many people ask.
    people: u64,
    first_asked_at: DateTime<Utc>,
}

/// How it stands with the requests for one asset.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct OpenShape {
    /// How many people ask.
    people: u64,
    /// Since when this account is one of them.
    asked_at: Option<DateTime<Utc>>,
}

impl OpenShape {
    async fn read(db: &Db, actor: &Actor, id: AssetId) -> Result<Json<Self>, Failure> {
        let asset = catalog::find_asset(db, actor.visibility(), id).await?;
        let standing = requests::find_standing(db, actor, &asset).await?;
        Ok(Json(Self {
            people: standing.people,
            asked_at: standing.mine,
        }))
    }
}

impl From<Asked> for RequestShape {
    fn from(asked: Asked) -> Self {
        Self {
            asset_id: asked.asset.id.0,
            kind: asked.asset.kind.as_str().to_owned(),
            path: asked.asset.address.path,
            people: asked.people,
            first_asked_at: asked.first_asked_at,
        }
    }
}

/// `GET /api/v1/requests`: what waits for a description, what has waited longest first.
#[utoipa::path(
    get,
    path = "/api/v1/requests",
    tag = "requests",
    summary = "Open requests for descriptions, longest waiting first; for stewards",
    params(
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<RequestShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<RequestShape>>, Failure> {
    let page = parameters.page(50)?;
    let asked = requests::list(&db, &actor, &page).await?;
    Ok(Json(List::of(asked, RequestShape::from)))
}

/// `PUT /api/v1/assets/{id}/request`: asks for a description.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/request",
    tag = "requests",
    summary = "Ask the stewards for a description; asking twice is asking once",
    params(("id" = Uuid, Path, description = "The asset")),
    responses(
        (status = 200, body = OpenShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn ask(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    _: NoBody,
) -> Result<Json<OpenShape>, Failure> {
    requests::ask(&db, &actor, *id, Utc::now()).await?;
    OpenShape::read(&db, &actor, *id).await
}

/// `PUT /api/v1/assets/{id}/request/dismissal`: closes the requests without a description.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/request/dismissal",
    tag = "requests",
    summary = "Close the requests for a description without one; for stewards",
    params(("id" = Uuid, Path, description = "The asset")),
    responses(
        (status = 200, body = OpenShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn dismiss(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    _: NoBody,
) -> Result<Json<OpenShape>, Failure> {
    requests::dismiss(&db, &actor, *id, Utc::now()).await?;
    OpenShape::read(&db, &actor, *id).await
}
