//! What changed in the catalog, by run and database.

use actix_web::web::{Data, Path};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change_shape::ChangeShape;
use super::{Json, List};
use crate::auth::Actor;
use crate::catalog::groups::{self, ChangeCounts, ChangeGroup, DatabaseChange, GroupFilter};
use crate::catalog::{self, AssetId, Batch, Change};
use crate::db::Db;
use crate::web::change_filter;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;

/// `GET /api/v1/changes`: what changed, newest run first.
#[utoipa::path(
    get,
    path = "/api/v1/changes",
    tag = "changes",
    summary = "What each run, and people on each day, changed in each database, in numbers; newest first, dangerous first",
    params(
        ("kind" = Option<String>, Query, description = "`removed`, `dropped`, `retyped`, `changed`, `new` or `edited`"),
        ("database" = Option<Uuid>, Query, description = "Only what changed in this database"),
        ("days" = Option<u64>, Query, minimum = 0, maximum = 3660, description = "How many days back; 30 without it"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<ChangeGroupShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Json<List<ChangeGroupShape>>, Failure> {
    let filter = change_filter::read(&db, &actor, &parameters).await?;
    let page = parameters.page(50)?;
    let found = groups::list(&db, actor.visibility(), &filter, &page).await?;
    let ids: Vec<AssetId> = found.items.iter().map(|group| group.database).collect();
    let named = catalog::find_addresses(&db, &ids).await?;
    Ok(Json(List::of(found, |group| {
        let name = named.get(&group.database);
        let name = name.map(|(_, address)| address.name().to_owned());
        ChangeGroupShape::new(&group, name)
    })))
}

/// `GET /api/v1/changes/{id}`: the changes of one run or day.
#[utoipa::path(
    get,
    path = "/api/v1/changes/{id}",
    tag = "changes",
    summary = "What one run, or people on one day, changed: change by change, dangerous ones first",
    params(
        ("id" = Uuid, Path, description = "The `batch` of a group: the id of a run, or of a day"),
        ("kind" = Option<String>, Query, description = "`removed`, `dropped`, `retyped`, `changed`, `new` or `edited`"),
        ("database" = Option<Uuid>, Query, description = "Only what changed in this database"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
    ),
    responses(
        (status = 200, body = List<AssetChangeShape>),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn show(
    db: Data<Db>,
    actor: Actor,
    batch: Path<Uuid>,
    parameters: Parameters,
) -> Result<Json<List<AssetChangeShape>>, Failure> {
    let filter = GroupFilter {
        days: None,
        ..change_filter::read(&db, &actor, &parameters).await?
    };
    let page = parameters.page(50)?;
    let batch = Batch::from_id(*batch);
    groups::expect_batch(&db, actor.visibility(), batch).await?;
    let found = groups::list_in_batch(&db, actor.visibility(), batch, &filter, &page).await?;
    let ids: Vec<AssetId> = found.items.iter().map(|change| change.asset).collect();
    let named = catalog::find_addresses(&db, &ids).await?;
    Ok(Json(List::of(found, |change: Change| {
        let path = named.get(&change.asset);
        AssetChangeShape {
            asset: change.asset.0,
            path: path.map(|(_, address)| address.path.clone()),
            url: links::asset(change.asset),
            change: change.into(),
        }
    })))
}

/// What one batch changed in one database.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ChangeGroupShape {
    /// Names the batch in `/api/v1/changes/{id}`.
    batch: Uuid,
    /// The run, if it was one.
    run: Option<Uuid>,
    /// Or else the day on which people edited.
    day: Option<NaiveDate>,
    /// The database.
    database: Uuid,
    database_name: Option<String>,
    /// What happened to the database itself: `removed`, `changed` or `new`.
    database_change: Option<&'static str>,
    counts: ChangeCountsShape,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    /// The page that lists them.
    url: String,
}

/// How many changes there are of each kind.
#[derive(Debug, Serialize, ToSchema)]
struct ChangeCountsShape {
    /// Tables and views that their source no longer has.
    removed: u64,
    /// Those that lost columns.
    dropped: u64,
    dropped_columns: u64,
    /// Those with columns of another type.
    retyped: u64,
    retyped_columns: u64,
    /// All whose source says something else, those that lost columns among them.
    changed: u64,
    new: u64,
    /// Edits by people.
    edited: u64,
}

/// One change, with the asset that it is about.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct AssetChangeShape {
    asset: Uuid,
    /// Names from the outermost to the asset's own.
    path: Option<Vec<String>>,
    /// Its page here.
    url: String,
    #[serde(flatten)]
    change: ChangeShape,
}

impl ChangeGroupShape {
    fn new(group: &ChangeGroup, database_name: Option<String>) -> Self {
        let (run, day) = match group.batch {
            Batch::Run(run) => (Some(run), None),
            Batch::Day(day) => (None, Some(day)),
        };
        Self {
            batch: group.batch.id(),
            run,
            day,
            database: group.database.0,
            database_name,
            database_change: group.itself.map(|itself| match itself {
                DatabaseChange::Removed => "removed",
                DatabaseChange::Changed => "changed",
                DatabaseChange::New => "new",
            }),
            counts: group.counts.into(),
            first_at: group.first_at,
            last_at: group.last_at,
            url: links::batch(group.batch.id(), &group.database.to_string(), ""),
        }
    }
}

impl From<ChangeCounts> for ChangeCountsShape {
    fn from(counts: ChangeCounts) -> Self {
        Self {
            removed: counts.removed,
            dropped: counts.dropped,
            dropped_columns: counts.dropped_columns,
            retyped: counts.retyped,
            retyped_columns: counts.retyped_columns,
            changed: counts.changed,
            new: counts.new,
            edited: counts.edited,
        }
    }
}
