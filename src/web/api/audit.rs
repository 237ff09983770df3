//! The audit trail.

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ActorShape, Json, List};
use crate::audit::{self, By, Record};
use crate::auth::{Actor, Who};
use crate::db::Db;
use crate::web::auditing;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;

/// `GET /api/v1/audit`: what happened, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    summary = "Sign-ins and every change, newest first; for admins",
    params(
        ("person" = Option<String>, Query, description = "Only what this account did, by name or id"),
        ("thing" = Option<String>, Query, description = "Only what happened to this, by name or id"),
        ("topic" = Option<String>, Query, description = "`sign-ins`, `people`, `tokens`, `restrictions`, `runs` or `catalog`"),
        ("action" = Option<String>, Query, description = "Only this action, such as `token_made`"),
        ("from" = Option<String>, Query, description = "From this day or moment on"),
        ("until" = Option<String>, Query, description = "Until the end of this day, or before this moment"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<AuditShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<AuditShape>>, Failure> {
    let page = parameters.page(50)?;
    let filter = auditing::filter(&db, &actor, &parameters).await?;
    let records = audit::list(&db, &actor, &filter, &page).await?;
    Ok(Json(List::of(records, AuditShape::from)))
}

/// One row of the change log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct AuditShape {
    /// Grows with every change, without gaps.
    number: i64,
    at: DateTime<Utc>,
    actor: ByShape,
    /// What was done to it.
    thing: ThingShape,
    /// The word for what was done, such as `token_made`.
    action: String,
    /// The same in sentences.
    sentences: Vec<String>,
    /// What is particular to the action, as it was written.
    details: Value,
    request_id: Option<String>,
    run_id: Option<Uuid>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ByShape {
    /// `operator`, `visitor`, `schedule`, `recipe`, `account`, or `unknown` to this version.
    pub(in crate::web) kind: &'static str,
    /// Which recipe, or which account by the name it had then.
    pub(in crate::web) name: Option<String>,
    /// The account.
    id: Option<Uuid>,
    /// The name of the token that was used.
    pub(in crate::web) token: Option<String>,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
struct ThingShape {
    /// `account`, `team`, `token`, `scope`, `run` or `asset`.
    kind: String,
    id: Uuid,
    /// What it is called now.
    name: Option<String>,
}

impl AuditShape {
    /// Who did it, without the id.
    pub(in crate::web) fn actor_of(by: &By) -> ByShape {
        let who = match by {
            By::Known(who) => who,
            By::Unknown(text) => {
                return ByShape {
                    kind: "unknown",
                    name: Some(text.clone()),
                    id: None,
                    token: None,
                };
            }
        };
        let token = match who {
            Who::Account { token, .. } => token.clone(),
            _ => None,
        };
        let ActorShape { kind, name } = who.clone().into();
        ByShape {
            kind,
            name,
            id: None,
            token,
        }
    }
}

impl From<Record> for AuditShape {
    fn from(record: Record) -> Self {
        let actor = ByShape {
            id: record.actor_id.map(|id| id.0),
            ..Self::actor_of(&record.by)
        };
        Self {
            number: record.seq,
            at: record.at,
            actor,
            thing: ThingShape {
                kind: record.thing.kind,
                id: record.thing.id,
                name: record.thing.name,
            },
            action: record.action,
            sentences: record.sentences,
            details: serde_json::from_str(&record.details).unwrap_or(Value::String(record.details)),
            request_id: record.request,
            run_id: record.run,
        }
    }
}
