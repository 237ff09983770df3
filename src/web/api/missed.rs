//! Searches that found nothing, which people told the stewards of.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Body;
use super::{Json, List};
use crate::auth::Actor;
use crate::catalog::requests::searches::{self, Missed};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;

/// Words that people looked for and did not find.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct MissedShape {
    /// In small letters, with one blank between two of them.
    words: String,
    /// How many people told it.
    people: u64,
    first_asked_at: DateTime<Utc>,
}

/// Words that were looked for.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::web) struct WordsShape {
    #[schema(max_length = 200)]
    words: String,
}

/// Whether this account waits for an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ToldShape {
    told: bool,
}

impl From<Missed> for MissedShape {
    fn from(missed: Missed) -> Self {
        Self {
            words: missed.words,
            people: missed.people,
            first_asked_at: missed.first_asked_at,
        }
    }
}

impl ToldShape {
    async fn read(db: &Db, actor: &Actor, words: &str) -> Result<Json<Self>, Failure> {
        let told = searches::is_told(db, actor, words).await?;
        Ok(Json(Self { told }))
    }
}

/// `GET /api/v1/searches`: what people looked for and did not find, what has waited longest first.
#[utoipa::path(
    get,
    path = "/api/v1/searches",
    tag = "requests",
    summary = "Searches that found nothing and were told, longest waiting first; for stewards",
    params(
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<MissedShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<MissedShape>>, Failure> {
    let missed = searches::list(&db, &actor, &parameters.page(50)?).await?;
    Ok(Json(List::of(missed, MissedShape::from)))
}

/// `PUT /api/v1/searches`: tells the stewards that some words find nothing.
#[utoipa::path(
    put,
    path = "/api/v1/searches",
    tag = "requests",
    summary = "Tell the stewards that some words find nothing; telling it twice is telling it once",
    request_body(content = WordsShape, example = json!({"words": "customer lifetime value"})),
    responses(
        (status = 200, body = ToldShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn tell(
    db: Data<Db>,
    actor: Actor,
    Body(sent): Body<WordsShape>,
) -> Result<Json<ToldShape>, Failure> {
    searches::tell(&db, &actor, &sent.words, Utc::now()).await?;
    ToldShape::read(&db, &actor, &sent.words).await
}

/// `PUT /api/v1/searches/dismissal`: closes what people told of some words.
#[utoipa::path(
    put,
    path = "/api/v1/searches/dismissal",
    tag = "requests",
    summary = "Close what people told of some words; for stewards",
    request_body(content = WordsShape, example = json!({"words": "customer lifetime value"})),
    responses(
        (status = 200, body = ToldShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn dismiss(
    db: Data<Db>,
    actor: Actor,
    Body(sent): Body<WordsShape>,
) -> Result<Json<ToldShape>, Failure> {
    searches::dismiss(&db, &actor, &sent.words, Utc::now()).await?;
    ToldShape::read(&db, &actor, &sent.words).await
}
