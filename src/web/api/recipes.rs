//! Recipes, and starting one.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::NoBody;
use super::{Json, json};
use crate::auth::Actor;
use crate::ingest::recipe::{Listed, Notice, Problem, Schedule};
use crate::ingest::{Runner, StartedBy};
use crate::web::failure::Failure;
use crate::web::{links, starting};

/// Every recipe.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct RecipesShape {
    items: Vec<RecipeShape>,
}

/// One recipe; with problems it cannot be run.
#[derive(Debug, Serialize, ToSchema)]
struct RecipeShape {
    name: String,
    /// What people call it.
    title: String,
    /// Which sort of source it reads.
    platform: Option<&'static str>,
    schedule: Option<ScheduleShape>,
    problems: Vec<RemarkShape>,
    /// How many problems there are beyond those.
    more_problems: usize,
    notices: Vec<RemarkShape>,
    /// Its page here.
    url: String,
    /// Where its runs are listed.
    runs_url: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ScheduleShape {
    cron: String,
    timezone: String,
    in_words: String,
    next: Vec<DateTime<Utc>>,
}

/// Something about a recipe, with its place in the file.
#[derive(Debug, Serialize, ToSchema)]
struct RemarkShape {
    line: Option<usize>,
    column: Option<usize>,
    text: String,
    hint: Option<String>,
}

/// A run that has been started.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct StartedShape {
    id: Uuid,
    /// Where to ask how it stands.
    url: String,
}

/// `GET /api/v1/recipes`: every recipe.
#[utoipa::path(
    get,
    path = "/api/v1/recipes",
    tag = "ingestion",
    summary = "Every recipe, with its problems if it has any",
    responses(
        (status = 200, body = RecipesShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn list(runner: Data<Runner>) -> Result<Json<RecipesShape>, Failure> {
    let now = Utc::now();
    let recipes = runner.recipes()?.into_iter();
    let items = recipes
        .map(|listed| RecipeShape::new(listed, now))
        .collect();
    Ok(Json(RecipesShape { items }))
}

/// `POST /api/v1/recipes/{name}/runs`: start a run.
#[utoipa::path(
    post,
    path = "/api/v1/recipes/{name}/runs",
    tag = "ingestion",
    summary = "Start a run of a recipe",
    params(("name" = String, Path)),
    responses(
        (status = 202, body = StartedShape, headers(("Location" = String, description = "Where to ask how it stands"))),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn start_run(
    runner: Data<Runner>,
    actor: Actor,
    name: Path<String>,
    _: NoBody,
) -> Result<HttpResponse, Failure> {
    let id = starting::start_run(&runner, &name, &actor, StartedBy::Api).await?;
    let url = links::api_run(id);
    let mut response = json(
        StatusCode::ACCEPTED,
        &StartedShape {
            id,
            url: url.clone(),
        },
    );
    let location = url.parse().expect("the address of a run is plain");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

impl RecipeShape {
    fn new(listed: Listed, now: DateTime<Utc>) -> Self {
        let runs_url = links::api_runs(&listed.name);
        let bare = Self {
            title: listed.name.clone(),
            url: links::recipe(&listed.name),
            runs_url,
            name: listed.name,
            platform: None,
            schedule: None,
            problems: Vec::new(),
            more_problems: 0,
            notices: Vec::new(),
        };
        match listed.recipe {
            Ok(recipe) => Self {
                title: recipe.title().to_owned(),
                platform: Some(recipe.source.platform()),
                schedule: recipe
                    .schedule
                    .as_ref()
                    .map(|schedule| ScheduleShape::new(schedule, now)),
                notices: recipe.notices.into_iter().map(RemarkShape::from).collect(),
                ..bare
            },
            Err(problems) => Self {
                problems: problems.list.into_iter().map(RemarkShape::from).collect(),
                more_problems: problems.untold,
                ..bare
            },
        }
    }
}

impl ScheduleShape {
    fn new(schedule: &Schedule, now: DateTime<Utc>) -> Self {
        Self {
            cron: schedule.cron().to_owned(),
            timezone: schedule.timezone().name().to_owned(),
            in_words: schedule.in_words(),
            next: schedule.next(now, 3),
        }
    }
}

impl From<Problem> for RemarkShape {
    fn from(problem: Problem) -> Self {
        Self {
            line: problem.position.map(|position| position.line),
            column: problem.position.map(|position| position.column),
            text: problem.text,
            hint: problem.hint,
        }
    }
}

impl From<Notice> for RemarkShape {
    fn from(notice: Notice) -> Self {
        Self {
            line: Some(notice.position.line),
            column: Some(notice.position.column),
            text: notice.text,
            hint: None,
        }
    }
}
