//! Writing what people say of an asset, aspect by aspect.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{ToResponse, ToSchema};

use super::body::Body;
use super::json;
use super::openapi::{ProblemAnswer, ProblemShape};
use super::words_shape::{
    DeprecationShape, EditionShape, LinksShape, OwnersShape, TagsShape, TextShape,
    VerificationShape,
};
use crate::catalog::AssetId;
use crate::catalog::human::{
    Aspect, Deprecation, Description, Draft, Links, Note, Owners, Problem, Refusal, Stale, Tags,
    Verification,
};
use crate::web::failure::Failure;
use crate::web::saving::Editor;

/// What is to be saved, and the version that it was begun from: here, or as `If-Match`.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::web) struct DraftShape<S> {
    #[serde(flatten)]
    content: S,
    /// The version that was read; 0 when nobody has written anything yet.
    #[serde(default)]
    #[schema(minimum = 0)]
    version: Option<i32>,
}

/// Somebody else saved meanwhile: what they saved, and both edits put together.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct StaleShape<S> {
    #[serde(flatten)]
    problem: ProblemShape,
    theirs: EditionShape<S>,
    /// Theirs: what to save against.
    version: i32,
    /// Every word of either edit; what collided stands there twice, theirs first.
    merged: S,
    /// How many pieces collided.
    collisions: usize,
}

/// What is wrong with what was sent, all of it.
#[derive(Serialize, ToSchema)]
pub(in crate::web) struct ProblemsShape {
    #[serde(flatten)]
    problem: ProblemShape,
    problems: Vec<FieldProblemShape>,
    /// A whole body as this call takes it, where the one that was sent cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldProblemShape {
    field: String,
    pub(super) text: String,
}

impl FieldProblemShape {
    pub(super) fn new(field: &str, text: String) -> Self {
        let field = field.to_owned();
        Self { field, text }
    }
}

/// It was refused for these reasons.
#[derive(Serialize, ToResponse)]
#[response(content_type = "application/problem+json")]
pub(super) struct ProblemsAnswer(ProblemsShape);

impl From<Problem> for FieldProblemShape {
    fn from(problem: Problem) -> Self {
        Self::new(problem.field, problem.text)
    }
}

/// The version in an `If-Match` header, if there is one.
pub(in crate::web) struct IfMatch(Option<i32>);

impl FromRequest for IfMatch {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(tag) = request.headers().get(header::IF_MATCH) else {
            return ready(Ok(Self(None)));
        };
        let version = tag
            .to_str()
            .ok()
            .and_then(|tag| tag.trim().trim_matches('"').parse().ok());
        ready(match version {
            Some(version) => Ok(Self(Some(version))),
            None => Err(Failure::bad_parameter(
                "If-Match",
                "“If-Match” is a version in quotes, such as \"3\".",
            )),
        })
    }
}

/// Saves one aspect and answers it as it then stands.
async fn save<A, S>(
    editor: &Editor,
    id: AssetId,
    IfMatch(tag): IfMatch,
    sent: DraftShape<S>,
    content: impl FnOnce(S) -> A,
) -> Result<HttpResponse, Failure>
where
    A: Aspect,
    S: From<A> + Serialize,
{
    let version = match (tag, sent.version) {
        (Some(tag), Some(version)) if tag != version => {
            return Err(Failure::bad_parameter(
                "version",
                "“version” and “If-Match” name different versions.",
            ));
        }
        (tag, version) => tag.or(version).ok_or_else(|| {
            Failure::bad_parameter(
                "version",
                "Name the version that was edited, as “version” or as “If-Match”.",
            )
        })?,
    };
    let draft = Draft {
        content: content(sent.content),
        version,
    };
    let saved = editor.save(id, draft).await.map_err(refused::<A, S>)?;
    let tag = format!("\"{}\"", saved.version);
    let mut response = json(StatusCode::OK, &EditionShape::<S>::from(saved));
    let tag = tag.parse().expect("a version is plain");
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

fn refused<A, S>(refusal: Refusal<A>) -> Failure
where
    A: Aspect,
    S: From<A> + Serialize,
{
    let failure = Failure::of(&refusal);
    match refusal {
        Refusal::Stale(stale) => {
            let Stale { theirs, merged, .. } = *stale;
            failure
                .telling("version", &theirs.version)
                .telling("collisions", &merged.collisions)
                .telling("merged", &S::from(merged.content))
                .telling("theirs", &EditionShape::<S>::from(theirs))
        }
        Refusal::Problems(problems) => {
            let problems: Vec<_> = problems.into_iter().map(FieldProblemShape::from).collect();
            failure.telling("problems", &problems)
        }
        Refusal::Other(_) => failure,
    }
}

/// `PUT /api/v1/assets/{id}/description`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/description",
    tag = "words",
    summary = "What people say of an asset, as Markdown",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<TextShape>, example = json!({"text": "One row for each order.", "version": 0})),
    responses(
        (status = 200, body = EditionShape<TextShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<TextShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_description(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<TextShape>>,
) -> Result<HttpResponse, Failure> {
    save(&editor, *id, tag, sent, Description::from).await
}

/// `PUT /api/v1/assets/{id}/owners`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/owners",
    tag = "words",
    summary = "Who answers for an asset",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<OwnersShape>, example = json!({"owners": [{"kind": "account", "id": "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60", "role": "business"}], "version": 0})),
    responses(
        (status = 200, body = EditionShape<OwnersShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<OwnersShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_owners(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<OwnersShape>>,
) -> Result<HttpResponse, Failure> {
    save(&editor, *id, tag, sent, Owners::from).await
}

/// `PUT /api/v1/assets/{id}/tags`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/tags",
    tag = "words",
    summary = "The words that people sort an asset by",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<TagsShape>, example = json!({"tags": ["pii", "gold standard"], "version": 0})),
    responses(
        (status = 200, body = EditionShape<TagsShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<TagsShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_tags(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<TagsShape>>,
) -> Result<HttpResponse, Failure> {
    save(&editor, *id, tag, sent, Tags::from).await
}

/// `PUT /api/v1/assets/{id}/links`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/links",
    tag = "words",
    summary = "Pages to have at hand beside an asset",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<LinksShape>, example = json!({"links": [{"label": "Runbook", "url": "https://wiki.example/orders"}], "version": 0})),
    responses(
        (status = 200, body = EditionShape<LinksShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<LinksShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_links(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<LinksShape>>,
) -> Result<HttpResponse, Failure> {
    save(&editor, *id, tag, sent, Links::from).await
}

/// `PUT /api/v1/assets/{id}/verification`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/verification",
    tag = "words",
    summary = "Until when an asset is verified",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<VerificationShape>, example = json!({"until": "2027-01-31", "version": 0})),
    responses(
        (status = 200, body = EditionShape<VerificationShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<VerificationShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_verification(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<VerificationShape>>,
) -> Result<HttpResponse, Failure> {
    save(&editor, *id, tag, sent, Verification::from).await
}

/// `PUT /api/v1/assets/{id}/deprecation`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/deprecation",
    tag = "words",
    summary = "Whether people are told to use something else",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<DeprecationShape>, example = json!({"since": "2026-12-01", "note": "Too slow.", "replacement": "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60", "version": 0})),
    responses(
        (status = 200, body = EditionShape<DeprecationShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<DeprecationShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_deprecation(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<DeprecationShape>>,
) -> Result<HttpResponse, Failure> {
    save(&editor, *id, tag, sent, Deprecation::from).await
}

/// `PUT /api/v1/assets/{id}/columns/{column}/description`.
#[utoipa::path(
    put,
    path = "/api/v1/assets/{id}/columns/{column}/description",
    tag = "words",
    summary = "What people say of a column, as Markdown",
    params(
        ("id" = Uuid, Path),
        ("column" = String, Path, description = "The path of the column, such as `address.city`"),
        ("If-Match" = Option<String>, Header, description = "The version that was edited, in quotes"),
    ),
    request_body(content = DraftShape<TextShape>, example = json!({"text": "One row for each order.", "version": 0})),
    responses(
        (status = 200, body = EditionShape<TextShape>, headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = StaleShape<TextShape>, content_type = "application/problem+json"),
        (status = 422, response = ProblemsAnswer),
        (status = "default", response = ProblemAnswer),
    ),
)]
pub(in crate::web) async fn put_note(
    editor: Editor,
    place: Path<(AssetId, String)>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<TextShape>>,
) -> Result<HttpResponse, Failure> {
    let (id, column) = place.into_inner();
    let note = |shape: TextShape| Note {
        column,
        text: shape.text,
    };
    save(&editor, id, tag, sent, note).await
}
