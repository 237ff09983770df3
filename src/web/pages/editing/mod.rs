//! The forms in which people say something of an asset, and what becomes of a save that came too late.

mod conflict;
mod form;
mod references;
mod owners;
mod state;

use actix_web::Either;
use actix_web::web::{Form as Body, Path};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use self::conflict::Conflict;
use self::form::{Form, Input, Wrong};
use super::parts::{Link, heading};
use crate::auth::Permission;
use crate::catalog::human::{
    AspectKind, Deprecation, Description, Draft, Edition, Links, Note, OfAsset, Owners, Refusal,
    Tags, Verification,
};
use crate::catalog::{self, Asset, AssetId};
use crate::error::{Explain as _, Kind, chain};
use crate::web::failure::Failure;
use crate::web::forms::{Answer, Fields};
use crate::web::links;
use crate::web::markdown::{self, SafeHtml};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;
use crate::web::text::Shortened;
use crate::web::view::{self, Page, Section, SeeOther, View};

/// `GET /assets/{id}/edit/{aspect}`: the form for one aspect.
pub(crate) async fn show(
    editor: Editor,
    place: Path<(AssetId, String)>,
) -> Result<Page<EditPage>, Failure> {
    let (id, aspect) = place.into_inner();
    let asset = find(&editor, id).await?;
    match kind(&aspect)? {
        AspectKind::Description => open::<Description>(&editor, &asset).await,
        AspectKind::Owners => open::<Owners>(&editor, &asset).await,
        AspectKind::Tags => open::<Tags>(&editor, &asset).await,
        AspectKind::Links => open::<Links>(&editor, &asset).await,
        AspectKind::Verification => open::<Verification>(&editor, &asset).await,
        AspectKind::Deprecation => open::<Deprecation>(&editor, &asset).await,
        AspectKind::Note => Err(no_aspect()),
    }
}

/// `POST /assets/{id}/edit/{aspect}`: saves the aspect, or shows the form again.
pub(crate) async fn save(
    editor: Editor,
    place: Path<(AssetId, String)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, aspect) = place.into_inner();
    let asset = find(&editor, id).await?;
    let sent = Parameters::from(fields);
    match kind(&aspect)? {
        AspectKind::Description => close::<Description>(&editor, &asset, &sent).await,
        AspectKind::Owners => close::<Owners>(&editor, &asset, &sent).await,
        AspectKind::Tags => close::<Tags>(&editor, &asset, &sent).await,
        AspectKind::Links => close::<Links>(&editor, &asset, &sent).await,
        AspectKind::Verification => close::<Verification>(&editor, &asset, &sent).await,
        AspectKind::Deprecation => close::<Deprecation>(&editor, &asset, &sent).await,
        AspectKind::Note => Err(no_aspect()),
    }
}

/// `GET /assets/{id}/columns/{column}/edit`: the form for what is said of a column.
pub(crate) async fn show_note(
    editor: Editor,
    place: Path<(AssetId, String)>,
) -> Result<Page<EditPage>, Failure> {
    let (id, column) = place.into_inner();
    let asset = find(&editor, id).await?;
    let edition = note(&asset, &column)?;
    let input = edition.content.input(&editor, &asset).await?;
    Ok(Page(EditPage::new(&asset, &edition, input)))
}

/// `POST /assets/{id}/columns/{column}/edit`: saves what is said of a column, or shows the form again.
pub(crate) async fn save_note(
    editor: Editor,
    place: Path<(AssetId, String)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, column) = place.into_inner();
    let asset = find(&editor, id).await?;
    let present = note(&asset, &column)?;
    let sent = Parameters::from(fields);
    let content = Note {
        column,
        text: sent.text("text").to_owned(),
    };
    finish(&editor, &asset, &present, (content, Vec::new()), &sent).await
}

/// Where words about a column that is no longer there go.
#[derive(Debug, Deserialize)]
pub(crate) struct Destination {
    to: String,
}

/// `POST /assets/{id}/columns/{column}/move`: gives words about a column that was renamed to the one it is now.
pub(crate) async fn move_note(
    editor: Editor,
    place: Path<(AssetId, String)>,
    body: Body<Destination>,
) -> Result<SeeOther, Failure> {
    let (id, column) = place.into_inner();
    editor.move_note(id, (&column, &body.to)).await?;
    Ok(SeeOther(format!("{}#columns", links::asset(id))))
}

/// What is to be rendered.
#[derive(Debug, Deserialize)]
pub(crate) struct ToPreview {
    #[serde(default)]
    text: String,
}

/// `POST /preview`: Markdown as the pages show it.
pub(crate) async fn preview(
    editor: Editor,
    body: Body<ToPreview>,
) -> Result<Page<Preview>, Failure> {
    editor
        .actor
        .require(Permission::Describe)
        .map_err(Failure::from)?;
    let html = markdown::render_apart(editor.db.apart(), &body.text, 1).await?;
    Ok(Page(Preview { html }))
}

/// What `templates/editing/preview.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Preview {
    html: SafeHtml,
}

impl View for Preview {
    const TEMPLATE: &'static str = "editing/preview";
}

/// Finds an asset that whoever asks may describe.
async fn find(editor: &Editor, id: AssetId) -> Result<Asset, Failure> {
    let asset = catalog::find_asset(&editor.db, editor.actor.sight(), id).await?;
    editor
        .actor
        .require_in(Permission::Describe, &asset.place())?;
    Ok(asset)
}

fn kind(word: &str) -> Result<AspectKind, Failure> {
    let mut kinds = AspectKind::ALL.into_iter();
    kinds
        .find(|kind| kind.as_str() == word)
        .ok_or_else(no_aspect)
}

fn no_aspect() -> Failure {
    Failure::not_found("There is nothing to edit at this address.")
}

fn note(asset: &Asset, column: &str) -> Result<Edition<Note>, Failure> {
    match asset.human.notes.get(column) {
        Some(edition) => Ok(edition.clone()),
        None if asset.has_column(column) => Ok(Edition {
            content: Note {
                column: column.to_owned(),
                text: String::new(),
            },
            version: 0,
            edited: None,
        }),
        None => Err(catalog::Error::UnknownColumn(column.to_owned()).into()),
    }
}

async fn open<A: Form + OfAsset>(
    editor: &Editor,
    asset: &Asset,
) -> Result<Page<EditPage>, Failure> {
    let edition = A::of(&asset.human);
    let offered = edition.content.offered(Utc::now().date_naive());
    let input = offered.input(editor, asset).await?;
    Ok(Page(EditPage::new(asset, edition, input)))
}

async fn close<A: Form + OfAsset>(
    editor: &Editor,
    asset: &Asset,
    sent: &Parameters,
) -> Answer<SeeOther, EditPage> {
    let read = A::read(sent, editor, asset).await?;
    finish(editor, asset, A::of(&asset.human), read, sent).await
}

/// Saves what was sent, or shows the form again: as it was sent, or with both edits put together.
async fn finish<A: Form>(
    editor: &Editor,
    asset: &Asset,
    present: &Edition<A>,
    (content, mut wrongs): (A, Vec<Wrong>),
    sent: &Parameters,
) -> Answer<SeeOther, EditPage> {
    let version = sent.number("version", 0, 0..=i32::MAX as usize)?;
    let version = i32::try_from(version).unwrap_or_default();
    let mut typed = A::typed(sent);
    wrongs.extend(typed.unknown(sent));
    let again = |input| EditPage {
        version,
        ..EditPage::new(asset, present, input)
    };
    if !sent.text("preview").is_empty() {
        let text = content.text().unwrap_or_default();
        let html = markdown::render_apart(editor.db.apart(), text, 1).await?;
        let html = content.text().map(|_| html);
        return Ok(Either::Right(Page(EditPage {
            preview: html,
            ..again(typed)
        })));
    }
    if !wrongs.is_empty() {
        return Ok(Either::Right(Page(again(typed).refused(wrongs))));
    }
    let saved = editor.save(asset.id, Draft { content, version }).await;
    let Err(refusal) = saved else {
        return Ok(Either::Left(SeeOther(after::<A>(asset.id))));
    };
    let page = match &refusal {
        Refusal::Stale(stale) => EditPage {
            version: stale.theirs.version,
            conflict: Some(Conflict::new(stale)),
            refusal: Some(view::Refusal::of(&refusal)),
            ..again(stale.merged.content.input(editor, asset).await?)
        },
        Refusal::Problems(problems) => {
            again(typed).refused(problems.iter().map(Wrong::of::<A>).collect())
        }
        // What was typed can be saved once the operator has mended that.
        Refusal::Other(error) if matches!(error.kind(), Kind::Storage(_)) => {
            tracing::error!(cause = chain(error), "an edit could not be saved");
            EditPage {
                refusal: Some(view::Refusal::of(&refusal)),
                ..again(typed)
            }
        }
        Refusal::Other(_) => return Err(refusal.into()),
    };
    Ok(Either::Right(Page(page)))
}

/// Where on the page of the asset one sees what was saved.
fn after<A: Form>(id: AssetId) -> String {
    format!("{}#{}", links::asset(id), A::SHOWN_AT)
}

/// What `templates/editing/edit.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct EditPage {
    title: String,
    /// What is edited, such as “Description of”.
    what: String,
    name: Shortened,
    crumbs: Vec<Link>,
    here: String,
    back: String,
    preview_href: String,
    version: i32,
    hint: &'static str,
    input: Input,
    /// What the source says, for whoever writes something better.
    source: Option<String>,
    preview: Option<SafeHtml>,
    wrongs: Vec<Wrong>,
    conflict: Option<Conflict>,
    refusal: Option<view::Refusal>,
}

impl View for EditPage {
    const TEMPLATE: &'static str = "editing/edit";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }

    fn refusal(&self) -> Option<&view::Refusal> {
        self.refusal.as_ref()
    }
}

impl EditPage {
    fn new<A: Form>(asset: &Asset, edition: &Edition<A>, input: Input) -> Self {
        let name = heading(asset.address.name());
        Self {
            title: format!("{} {}", edition.content.title(), name.shown),
            what: edition.content.title(),
            name,
            crumbs: vec![Link::new("Browse", links::browse()), Link::to_asset(asset)],
            here: edition.content.address(asset.id),
            back: links::asset(asset.id),
            preview_href: links::preview(),
            version: edition.version,
            hint: A::HINT,
            input,
            source: edition.content.beside(asset),
            preview: None,
            wrongs: Vec::new(),
            conflict: None,
            refusal: None,
        }
    }

    /// The same form with what is wrong, at each field.
    fn refused(self, wrongs: Vec<Wrong>) -> Self {
        let texts: Vec<String> = wrongs.iter().map(|wrong| wrong.text.clone()).collect();
        Self {
            input: self.input.mark(&wrongs),
            refusal: Some(view::Refusal::of_all(&texts)),
            wrongs,
            ..self
        }
    }
}
