//! The forms in which people say something of an asset, and what becomes of a save that came too late.

mod conflict;
mod form;
mod references;
mod offers;
mod owners;
mod state;
mod undo;

pub(crate) use self::undo::{undo, undo_note};

use actix_web::Either;
use actix_web::web::{Form as Body, Path};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use self::conflict::Conflict;
use self::form::{Form, Input, Wrong};
use self::offers::Offers;
use super::parts::{Byline, Link, heading};
use super::toast::Toast;
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
    let offers = Offers::read(&editor, &asset, &edition.content).await?;
    Ok(Page(EditPage {
        offers,
        ..EditPage::new(&asset, &edition, input)
    }))
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
    if !sent.text("use").is_empty() {
        let offers = Offers::read(&editor, &asset, &content).await?;
        let input = offers.taken(&sent);
        return Ok(Either::Right(Page(EditPage {
            version: version(&sent)?,
            offers,
            ..EditPage::new(&asset, &present, input)
        })));
    }
    let sent = Sent::new(content, Vec::new(), &sent)?;
    finish(&editor, &asset, &present, sent).await
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
    let (content, wrongs) = A::read(sent, editor, asset).await?;
    let sent = Sent::new(content, wrongs, sent)?;
    finish(editor, asset, A::of(&asset.human), sent).await
}

/// The version that a form was begun from.
fn version(sent: &Parameters) -> Result<i32, Failure> {
    let version = sent.number("version", 0, 0..=i32::MAX as usize)?;
    Ok(i32::try_from(version).unwrap_or_default())
}

/// What a form sent, as far as it could be read.
struct Sent<A> {
    content: A,
    wrongs: Vec<Wrong>,
    /// The form with what was sent in its fields.
    typed: Input,
    version: i32,
    /// Whether the text is to be rendered instead of saved.
    preview: bool,
    done: Done,
}

/// What a save does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Saved,
    Undone,
}

impl<A: Form> Sent<A> {
    fn new(content: A, mut wrongs: Vec<Wrong>, sent: &Parameters) -> Result<Self, Failure> {
        let mut typed = A::typed(sent);
        wrongs.extend(typed.unknown(sent));
        Ok(Self {
            content,
            wrongs,
            typed,
            version: version(sent)?,
            preview: !sent.text("preview").is_empty(),
            done: Done::Saved,
        })
    }
}

/// Saves what was sent, or shows the form again: as it was sent, or with both edits put together.
async fn finish<A: Form>(
    editor: &Editor,
    asset: &Asset,
    present: &Edition<A>,
    sent: Sent<A>,
) -> Answer<SeeOther, EditPage> {
    let Sent {
        content,
        wrongs,
        typed,
        version,
        preview,
        done,
    } = sent;
    let again = |input| EditPage {
        version,
        ..EditPage::new(asset, present, input)
    };
    if preview {
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
    let refusal = match saved {
        Ok(edition) => {
            let changed = edition.version != version;
            let landing = Landing::of(editor, asset, &edition, changed.then_some(done));
            return Ok(Either::Left(SeeOther(landing.address())));
        }
        Err(refusal) => refusal,
    };
    let page = match &refusal {
        Refusal::Stale(stale) => EditPage {
            version: stale.theirs.version,
            conflict: Some(Conflict::new(stale, done)),
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

/// The address that shows what was saved and says so.
struct Landing {
    /// The page of the asset, or a column alone for a script that has the rest of the page.
    page: String,
    aspect: AspectKind,
    column: Option<String>,
    version: i32,
    /// Nothing where the save changed nothing.
    done: Option<Done>,
    shown_at: &'static str,
}

impl Landing {
    fn of<A: Form>(
        editor: &Editor,
        asset: &Asset,
        edition: &Edition<A>,
        done: Option<Done>,
    ) -> Self {
        let column = edition.content.column();
        let alone = column.filter(|column| editor.in_place && asset.has_column(column));
        Self {
            page: match alone {
                Some(column) => links::column(asset.id, column),
                None => links::asset(asset.id),
            },
            aspect: A::KIND,
            column: column.map(str::to_owned),
            version: edition.version,
            done,
            shown_at: A::SHOWN_AT,
        }
    }

    fn address(&self) -> String {
        let word = self.done.map_or("", |done| match done {
            Done::Saved => "saved",
            Done::Undone => "undone",
        });
        let what = format!("{}.{}", self.aspect.as_str(), self.version);
        let what = if word.is_empty() { "" } else { &what };
        let of = self.column.as_deref().filter(|_| !what.is_empty());
        let page = links::with_query(&self.page, [(word, what), ("of", of.unwrap_or_default())]);
        format!("{page}#{}", self.shown_at)
    }
}

/// What the page says that a save led to, with the way back for who may take it.
pub(super) fn toast(asset: &Asset, parameters: &Parameters, editable: bool) -> Option<Toast> {
    if !parameters.text("undone").is_empty() {
        return Some(Toast::new("Undone."));
    }
    let (aspect, version) = parameters.text("saved").split_once('.')?;
    let version: i32 = version.parse().ok()?;
    let kind = AspectKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == aspect)?;
    let action = match kind {
        AspectKind::Note => links::undo_column(asset.id, parameters.text("of")),
        kind => links::undo(asset.id, kind),
    };
    let toast = Toast::new("Saved.");
    Some(if editable {
        toast.undone_by(action, version)
    } else {
        toast
    })
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
    /// What the button says that saves.
    verb: &'static str,
    /// What the button says that takes the whole back, where there is something to take back.
    remove: Option<&'static str>,
    input: Input,
    /// What is said elsewhere of the same.
    offers: Offers,
    /// Who wrote it last, and when.
    byline: Option<Byline>,
    /// What the source says, for who writes something better.
    source: Option<String>,
    preview: Option<SafeHtml>,
    wrongs: Vec<Wrong>,
    conflict: Option<Conflict>,
    refusal: Option<view::Refusal>,
}

impl View for EditPage {
    const TEMPLATE: &'static str = "editing/edit";
    const PART: Option<&'static str> = Some("editing/part");

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
            verb: edition.content.verb(),
            remove: edition.content.removal(),
            input: input.near(asset.id),
            offers: Offers::default(),
            byline: Byline::of(edition),
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
