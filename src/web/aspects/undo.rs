//! Taking a save back: what was said before it is saved again, as every other edit is.

use actix_web::web::{Form as Body, Path};

use super::edit::{Done, EditPage, Sent, described, find, finish, version};
use super::form::Form;
use super::undo_named;
use crate::catalog::human::OncePerAsset;
use crate::catalog::{Asset, AssetId};
use crate::revisions::Revision;
use crate::web::failure::Failure;
use crate::web::forms::{Answer, Fields};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;
use crate::web::view::SeeOther;

/// `POST /assets/{id}/edit/{aspect}/undo`: saves what the aspect said before.
pub(crate) async fn undo(
    editor: Editor,
    place: Path<(AssetId, String)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, aspect) = place.into_inner();
    let asset = find(&editor, id).await?;
    let sent = Parameters::from(fields);
    undo_named(&aspect, &editor, &asset, &sent).await
}

/// `POST /assets/{id}/columns/{column}/edit/undo`: saves what was said of the column before.
pub(crate) async fn undo_column(
    editor: Editor,
    place: Path<(AssetId, String)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, column) = place.into_inner();
    let asset = find(&editor, id).await?;
    let present = described(&asset, &column)?;
    take_back(&editor, &asset, &present, &Parameters::from(fields)).await
}

pub(super) async fn undo_one<A: Form + OncePerAsset>(
    editor: &Editor,
    asset: &Asset,
    sent: &Parameters,
) -> Answer<SeeOther, EditPage> {
    take_back(editor, asset, A::of(&asset.human), sent).await
}

async fn take_back<A: Form>(
    editor: &Editor,
    asset: &Asset,
    present: &Revision<A>,
    sent: &Parameters,
) -> Answer<SeeOther, EditPage> {
    let version = version(sent)?;
    let before = editor.before(asset.id, &present.content, version).await?;
    let Some(content) = before else {
        return Err(Failure::not_found(
            "The history does not tell what was said before this save.",
        ));
    };
    let sent = Sent {
        typed: content.input(editor, asset).await?,
        content,
        wrongs: Vec::new(),
        version,
        preview: false,
        done: Done::Undone,
    };
    finish(editor, asset, present, sent).await
}
