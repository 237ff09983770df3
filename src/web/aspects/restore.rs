//! Going back to what an edit found or made: it is saved again, as every other edit is.

use actix_web::HttpResponse;
use actix_web::web::{Form as Body, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::api::{IfMatch, save as save_for_program, version as version_sent};
use super::edit::{Done, EditPage, Sent, find, finish, version};
use super::form::Form;
use super::{restore_for_program, restore_named};
use crate::catalog::{self, Action, Asset, AssetId};
use crate::revisions::{Edit, Revision};
use crate::web::api::body;
use crate::web::failure::Failure;
use crate::web::forms::{Answer, Fields};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;
use crate::web::view::SeeOther;

/// Which side of an edit is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// What was said when the edit began.
    Before,
    /// What the edit saved.
    After,
}

impl Side {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }

    /// What an edit has on this side. Before the first edit nothing was said.
    fn of<A: Form>(self, edit: &Edit) -> Option<A> {
        let (before, after) = edit.contents::<A>()?;
        Some(match self {
            Self::Before if edit.version <= 1 => after.emptied(),
            Self::Before => before,
            Self::After => after,
        })
    }
}

/// How an edit compares with what is said now.
#[derive(Debug, Clone, Copy)]
pub(in crate::web) struct Standing {
    /// The present version.
    pub(in crate::web) version: i32,
    /// Whether what the edit found is said now.
    pub(in crate::web) is_before: bool,
    /// Whether what the edit made is said now.
    pub(in crate::web) is_after: bool,
}

impl Standing {
    pub(super) fn of<A: Form>(present: &Revision<A>, edit: &Edit) -> Option<Self> {
        let is_said = |side: Side| side.of::<A>(edit).map(|content| content == present.content);
        Some(Self {
            version: present.version,
            is_before: is_said(Side::Before)?,
            is_after: is_said(Side::After)?,
        })
    }
}

/// `POST /assets/{id}/history/{number}/restore`: saves what the aspect said before an edit, or after it.
pub(crate) async fn restore(
    editor: Editor,
    place: Path<(AssetId, u64)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, number) = place.into_inner();
    let asset = find(&editor, id).await?;
    let edit = find_edit(&editor, id, number).await?;
    let sent = Parameters::from(fields);
    let side = match sent.text("what") {
        "before" => Side::Before,
        "after" => Side::After,
        other => {
            let text = format!("“{other}” is no side of an edit: it is before or after.");
            return Err(Failure::bad_parameter("what", &text));
        }
    };
    restore_named(&editor, &asset, (&edit, side), version(&sent)?).await
}

/// What a program asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::web) struct RestoreShape {
    what: Side,
    /// The version of the aspect that was read; here, or as `If-Match`.
    #[serde(default)]
    #[schema(minimum = 0)]
    version: Option<i32>,
}

/// `POST /api/v1/assets/{id}/history/{number}/restore`: the same for programs.
#[utoipa::path(
    post,
    path = "/api/v1/assets/{id}/history/{number}/restore",
    operation_id = "restore",
    tag = "aspects",
    summary = "Go back to what an aspect said before an edit, or after it",
    params(
        ("id" = Uuid, Path),
        ("number" = u64, Path, description = "The number of the edit in the history of the asset"),
        ("If-Match" = Option<String>, Header, description = "The version that was read, in quotes"),
    ),
    request_body(content = RestoreShape, example = json!({"what": "before", "version": 3})),
    responses(
        (status = 200, body = Object, description = "The aspect as it is then", headers(("ETag" = String, description = "The version, in quotes"))),
        (status = 409, body = Object, content_type = "application/problem+json", description = "Somebody saved meanwhile, as for the call that writes the aspect"),
        (status = 422, response = super::api::ProblemsAnswer),
        (status = "default", response = crate::web::api::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn post_restore(
    editor: Editor,
    place: Path<(AssetId, u64)>,
    tag: IfMatch,
    body::Body(sent): body::Body<RestoreShape>,
) -> Result<HttpResponse, Failure> {
    let (id, number) = place.into_inner();
    find(&editor, id).await?;
    let edit = find_edit(&editor, id, number).await?;
    let version = version_sent(tag, sent.version)?;
    restore_for_program(&editor, id, (&edit, sent.what), version).await
}

/// Finds an edit by its number among the changes of an asset.
async fn find_edit(editor: &Editor, id: AssetId, number: u64) -> Result<Edit, Failure> {
    let change = catalog::find_change(&editor.db, editor.actor.visibility(), id, number).await?;
    match change.action {
        Action::Revised(edit) => Ok(edit),
        _ => Err(Failure::not_found(
            "The source made this change, so there is nothing to restore.",
        )),
    }
}

/// Saves one side of an edit as its aspect.
pub(super) async fn restore_one<A: Form>(
    editor: &Editor,
    asset: &Asset,
    content: A,
    (present, version): (&Revision<A>, i32),
) -> Answer<SeeOther, EditPage> {
    let sent = Sent {
        typed: content.input(editor, asset).await?,
        content,
        wrongs: Vec::new(),
        version,
        preview: false,
        done: Done::Restored,
    };
    finish(editor, asset, present, sent).await
}

/// The same for programs.
pub(super) async fn restore_side<A: Form>(
    editor: &Editor,
    id: AssetId,
    (edit, side): (&Edit, Side),
    version: i32,
) -> Result<HttpResponse, Failure> {
    let content: A = content(edit, side)?;
    save_for_program(editor, id, content, version).await
}

/// What an edit has on one side.
pub(super) fn content<A: Form>(edit: &Edit, side: Side) -> Result<A, Failure> {
    side.of(edit).ok_or_else(|| {
        Failure::not_found("This version of Gazetteer cannot read what the edit saved.")
    })
}
