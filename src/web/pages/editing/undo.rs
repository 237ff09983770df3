//! Taking a save back: what was said before it is saved again, as every other edit is.

use actix_web::web::{Form as Body, Path};

use super::form::Form;
use super::{Done, EditPage, Sent, find, finish, kind, no_aspect, note, version};
use crate::catalog::human::{
    AspectKind, Deprecation, Description, Edition, Links, OfAsset, Owners, Tags, Verification,
};
use crate::catalog::{Asset, AssetId};
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
    match kind(&aspect)? {
        AspectKind::Description => of::<Description>(&editor, &asset, &sent).await,
        AspectKind::Owners => of::<Owners>(&editor, &asset, &sent).await,
        AspectKind::Tags => of::<Tags>(&editor, &asset, &sent).await,
        AspectKind::Links => of::<Links>(&editor, &asset, &sent).await,
        AspectKind::Verification => of::<Verification>(&editor, &asset, &sent).await,
        AspectKind::Deprecation => of::<Deprecation>(&editor, &asset, &sent).await,
        AspectKind::Note => Err(no_aspect()),
    }
}

/// `POST /assets/{id}/columns/{column}/edit/undo`: saves what was said of the column before.
pub(crate) async fn undo_note(
    editor: Editor,
    place: Path<(AssetId, String)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, column) = place.into_inner();
    let asset = find(&editor, id).await?;
    let present = note(&asset, &column)?;
    take_back(&editor, &asset, &present, &Parameters::from(fields)).await
}

async fn of<A: Form + OfAsset>(
    editor: &Editor,
    asset: &Asset,
    sent: &Parameters,
) -> Answer<SeeOther, EditPage> {
    take_back(editor, asset, A::of(&asset.human), sent).await
}

async fn take_back<A: Form>(
    editor: &Editor,
    asset: &Asset,
    present: &Edition<A>,
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
