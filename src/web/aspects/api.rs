//! How programs write aspects: one call for all of them, and what the description of the API says of it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::Path;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{ToResponse, ToSchema};

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::form::Form;
use super::shape::RevisionShape;
use crate::catalog::AssetId;
use crate::catalog::human::{ColumnDescription, OncePerAsset};
use crate::revisions::{Draft, EditConflict, EditError, Problem};
use crate::web::api::body::Body;
use crate::web::api::json;
use crate::web::api::openapi::ProblemShape;
use crate::web::failure::Failure;
use crate::web::saving::Editor;

/// What is to be saved, and the version that it was begun from: here, or as `If-Match`.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DraftShape<S> {
    #[serde(flatten)]
    content: S,
    /// The version that was read; 0 when nobody has written anything yet.
    #[serde(default)]
    #[schema(minimum = 0)]
    version: Option<i32>,
}

/// Somebody else saved meanwhile: what they saved, and both edits put together.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConflictShape<S> {
    #[serde(flatten)]
    problem: ProblemShape,
    theirs: RevisionShape<S>,
    /// Theirs: what to save against.
    version: i32,
    /// Every word of either edit; what collided stands there twice, theirs first.
    merged: S,
    /// How many pieces collided.
    collisions: usize,
}

/// What is wrong with what was sent, all of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProblemsShape {
    #[serde(flatten)]
    problem: ProblemShape,
    /// Missing where a parameter is to blame.
    #[schema(required = false)]
    problems: Vec<FieldProblemShape>,
    /// A whole body as this call takes it, where the one that was sent cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblemShape {
    field: String,
    pub(in crate::web) text: String,
}

impl FieldProblemShape {
    pub(in crate::web) fn new(field: &str, text: String) -> Self {
        let field = field.to_owned();
        Self { field, text }
    }
}

/// It was refused for these reasons.
#[derive(Serialize, ToResponse)]
#[response(content_type = "application/problem+json")]
pub(in crate::web) struct ProblemsAnswer(ProblemsShape);

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
pub(super) async fn save<A: Form>(
    editor: &Editor,
    id: AssetId,
    content: A,
    version: i32,
) -> Result<HttpResponse, Failure> {
    let saved = editor.save(id, Draft { content, version }).await;
    let saved = saved.map_err(refused::<A>)?;
    let tag = format!("\"{}\"", saved.version);
    let mut response = json(StatusCode::OK, &RevisionShape::<A::Shape>::from(saved));
    let tag = tag.parse().expect("a version is plain");
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// The version that a call was begun from.
pub(super) fn version(IfMatch(tag): IfMatch, sent: Option<i32>) -> Result<i32, Failure> {
    match (tag, sent) {
        (Some(tag), Some(version)) if tag != version => Err(Failure::bad_parameter(
            "version",
            "“version” and “If-Match” name different versions.",
        )),
        (tag, version) => tag.or(version).ok_or_else(|| {
            Failure::bad_parameter(
                "version",
                "Name the version that was edited, as “version” or as “If-Match”.",
            )
        }),
    }
}

fn refused<A: Form>(refusal: EditError<A>) -> Failure {
    let failure = Failure::of(&refusal);
    match refusal {
        EditError::Conflict(conflict) => {
            let EditConflict { theirs, merged, .. } = *conflict;
            failure
                .telling("version", &theirs.version)
                .telling("collisions", &merged.collisions)
                .telling("merged", &A::Shape::from(merged.content))
                .telling("theirs", &RevisionShape::<A::Shape>::from(theirs))
        }
        EditError::Problems(problems) => {
            let problems: Vec<_> = problems.into_iter().map(FieldProblemShape::from).collect();
            failure.telling("problems", &problems)
        }
        EditError::Other(_) => failure,
    }
}

/// Writes an aspect that every asset has once.
pub(in crate::web) async fn put<A: Form + OncePerAsset>(
    editor: Editor,
    id: Path<AssetId>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<A::Shape>>,
) -> Result<HttpResponse, Failure> {
    let version = version(tag, sent.version)?;
    save(&editor, *id, A::of_shape(sent.content), version).await
}

/// Writes the description of a column.
pub(in crate::web) async fn put_column_description(
    editor: Editor,
    place: Path<(AssetId, String)>,
    tag: IfMatch,
    Body(sent): Body<DraftShape<<ColumnDescription as Form>::Shape>>,
) -> Result<HttpResponse, Failure> {
    let (id, column) = place.into_inner();
    let version = version(tag, sent.version)?;
    let content = ColumnDescription {
        column,
        ..ColumnDescription::of_shape(sent.content)
    };
    save(&editor, id, content, version).await
}

/// Adds the call that writes an aspect to the description of the API.
pub(super) fn describe<A: Form>(description: &mut Value) {
    let [draft, revision, conflict] =
        ["DraftShape", "RevisionShape", "ConflictShape"].map(composed::<A::Shape>);
    let schema = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let parameters = [
        json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}),
        json!({
            "name": "column",
            "in": "path",
            "required": true,
            "description": "The path of the column, such as `address.city`",
            "schema": {"type": "string"},
        }),
        json!({
            "name": "If-Match",
            "in": "header",
            "required": false,
            "description": "The version that was edited, in quotes",
            "schema": {"type": ["string", "null"]},
        }),
    ];
    let is_known = |parameter: &Value| {
        let in_path = parameter.get("in").and_then(Value::as_str) == Some("path");
        let name = parameter.get("name").and_then(Value::as_str);
        !in_path || name.is_some_and(|name| A::API_PATH.contains(&format!("{{{name}}}")))
    };
    let parameters: Vec<Value> = parameters.into_iter().filter(is_known).collect();
    let example: Value = serde_json::from_str(A::EXAMPLE).expect("the example is JSON");
    let operation = json!({
        "tags": ["aspects"],
        "summary": A::SUMMARY,
        "operationId": format!("put_{}", A::NAME),
        "parameters": parameters,
        "requestBody": {
            "content": {"application/json": {"schema": schema(&draft), "example": example}},
            "required": true,
        },
        "responses": {
            "200": {
                "headers": {"ETag": {"schema": {"type": "string"}, "description": "The version, in quotes"}},
                "content": {"application/json": {"schema": schema(&revision)}},
            },
            "409": {"content": {"application/problem+json": {"schema": schema(&conflict)}}},
            "422": {"$ref": "#/components/responses/ProblemsAnswer"},
            "default": {"$ref": "#/components/responses/ProblemAnswer"},
        },
    });
    object(description, "/paths").insert(A::API_PATH.to_owned(), json!({"put": operation}));
    let mut schemas = vec![
        (draft, DraftShape::<A::Shape>::schema()),
        (revision, RevisionShape::<A::Shape>::schema()),
        (conflict, ConflictShape::<A::Shape>::schema()),
        (A::Shape::name().into_owned(), A::Shape::schema()),
    ];
    DraftShape::<A::Shape>::schemas(&mut schemas);
    RevisionShape::<A::Shape>::schemas(&mut schemas);
    ConflictShape::<A::Shape>::schemas(&mut schemas);
    let known = object(description, "/components/schemas");
    for (name, schema) in schemas {
        let schema = serde_json::to_value(schema).expect("a schema is plain JSON");
        known.insert(name, schema);
    }
}

/// The name under which the description of the API has a shape around another one.
pub(super) fn composed<S: ToSchema>(around: &str) -> String {
    format!("{around}_{}", S::name())
}

fn object<'a>(description: &'a mut Value, path: &str) -> &'a mut Map<String, Value> {
    let part = description.pointer_mut(path).and_then(Value::as_object_mut);
    part.expect("the description of the API has paths and schemas")
}
