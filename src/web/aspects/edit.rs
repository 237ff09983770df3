//! The pages on which people say something of an asset, and what becomes of a save that came too late.

use actix_web::Either;
use actix_web::web::{Form as Body, Path};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::conflict::Conflict;
use super::form::{Form, Input, Wrong};
use super::offers::Offers;
use super::{open_named, save_named};
use crate::auth::Permission;
use crate::catalog::human::{ASPECTS, ColumnDescription, OncePerAsset};
use crate::catalog::{self, Asset, AssetId};
use crate::error::{Kind, chain};
use crate::revisions::{Aspect as _, Draft, EditError, Revision};
use crate::web::failure::Failure;
use crate::web::forms::{Answer, Fields};
use crate::web::links;
use crate::web::markdown::{self, SafeHtml};
use crate::web::pages::parts::{Byline, Link, heading};
use crate::web::pages::toast::Toast;
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
    open_named(&aspect, &editor, &asset).await
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
    save_named(&aspect, &editor, &asset, &sent).await
}

/// `GET /assets/{id}/columns/{column}/edit`: the form for what is said of a column.
pub(crate) async fn show_column(
    editor: Editor,
    place: Path<(AssetId, String)>,
) -> Result<Page<EditPage>, Failure> {
    let (id, column) = place.into_inner();
    let asset = find(&editor, id).await?;
    let revision = described(&asset, &column)?;
    let input = revision.content.input(&editor, &asset).await?;
    let offers = Offers::read(&editor, &asset, &revision.content).await?;
    Ok(Page(EditPage {
        offers,
        ..EditPage::new(&asset, &revision, input)
    }))
}

/// `POST /assets/{id}/columns/{column}/edit`: saves what is said of a column, or shows the form again.
pub(crate) async fn save_column(
    editor: Editor,
    place: Path<(AssetId, String)>,
    Body(fields): Body<Fields>,
) -> Answer<SeeOther, EditPage> {
    let (id, column) = place.into_inner();
    let asset = find(&editor, id).await?;
    let present = described(&asset, &column)?;
    let sent = Parameters::from(fields);
    let content = ColumnDescription {
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
    let sent = Sent::new(content, Vec::new(), &sent, &asset)?;
    finish(&editor, &asset, &present, sent).await
}

/// Where the description of a column goes that is no longer there.
#[derive(Debug, Deserialize)]
pub(crate) struct Destination {
    to: String,
}

/// `POST /assets/{id}/columns/{column}/move`: moves the description of a column to the name that it has now.
pub(crate) async fn move_column(
    editor: Editor,
    place: Path<(AssetId, String)>,
    body: Body<Destination>,
) -> Result<SeeOther, Failure> {
    let (id, column) = place.into_inner();
    let moved = editor.move_description(id, (&column, &body.to)).await;
    moved.map_err(|refusal| Failure::of(&refusal))?;
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

/// Finds an asset that the editor may describe.
pub(super) async fn find(editor: &Editor, id: AssetId) -> Result<Asset, Failure> {
    let asset = catalog::find_asset(&editor.db, editor.actor.visibility(), id).await?;
    editor
        .actor
        .require_in(Permission::Describe, &asset.place())?;
    Ok(asset)
}

pub(super) fn described(
    asset: &Asset,
    column: &str,
) -> Result<Revision<ColumnDescription>, Failure> {
    match asset.human.columns.get(column) {
        Some(revision) => Ok(revision.clone()),
        None if asset.has_column(column) => Ok(Revision {
            content: ColumnDescription {
                column: column.to_owned(),
                text: String::new(),
            },
            version: 0,
            edited: None,
        }),
        None => Err(catalog::Error::UnknownColumn(column.to_owned()).into()),
    }
}

pub(super) async fn open<A: Form + OncePerAsset>(
    editor: &Editor,
    asset: &Asset,
) -> Result<Page<EditPage>, Failure> {
    let revision = A::of(&asset.human);
    let offered = revision.content.offered(Utc::now().date_naive());
    let input = offered.input(editor, asset).await?;
    Ok(Page(EditPage::new(asset, revision, input)))
}

pub(super) async fn close<A: Form + OncePerAsset>(
    editor: &Editor,
    asset: &Asset,
    sent: &Parameters,
) -> Answer<SeeOther, EditPage> {
    let (content, wrongs) = A::read(sent, editor, asset).await?;
    let sent = Sent::new(content, wrongs, sent, asset)?;
    finish(editor, asset, A::of(&asset.human), sent).await
}

/// The version that a form was begun from.
pub(super) fn version(sent: &Parameters) -> Result<i32, Failure> {
    let version = sent.number("version", 0, 0..=i32::MAX as usize)?;
    Ok(i32::try_from(version).unwrap_or_default())
}

/// What a form sent, as far as it could be read.
pub(super) struct Sent<A> {
    pub(super) content: A,
    pub(super) wrongs: Vec<Wrong>,
    /// The form with what was sent in its fields.
    pub(super) typed: Input,
    pub(super) version: i32,
    /// Whether the text is to be rendered instead of saved.
    pub(super) preview: bool,
    pub(super) done: Done,
}

/// What a save does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Saved,
    Undone,
    Restored,
}

impl<A: Form> Sent<A> {
    fn new(
        content: A,
        mut wrongs: Vec<Wrong>,
        sent: &Parameters,
        asset: &Asset,
    ) -> Result<Self, Failure> {
        let typed = A::typed(sent, asset);
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
pub(super) async fn finish<A: Form>(
    editor: &Editor,
    asset: &Asset,
    present: &Revision<A>,
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
        Ok(revision) => {
            let changed = revision.version != version;
            let landing = Landing::of(editor, asset, &revision, changed.then_some(done));
            return Ok(Either::Left(SeeOther(landing.address())));
        }
        Err(refusal) => refusal,
    };
    let page = match &refusal {
        EditError::Conflict(conflict) => EditPage {
            version: conflict.theirs.version,
            conflict: Some(Conflict::new(conflict, done)),
            refusal: Some(view::Refusal::of(&refusal)),
            ..again(conflict.merged.content.input(editor, asset).await?)
        },
        EditError::Problems(problems) => {
            again(typed).refused(problems.iter().map(Wrong::of::<A>).collect())
        }
        // What was typed can be saved once the operator has mended that.
        EditError::Other(error) if matches!(error.kind(), Kind::Storage(_)) => {
            tracing::error!(cause = chain(error.as_ref()), "an edit could not be saved");
            EditPage {
                refusal: Some(view::Refusal::of(&refusal)),
                ..again(typed)
            }
        }
        EditError::Other(_) => return Err(refusal.into()),
    };
    Ok(Either::Right(Page(page)))
}

/// The address that shows what was saved and says so.
struct Landing {
    /// The page of the asset, or a column alone for a script that has the rest of the page.
    page: String,
    aspect: &'static str,
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
        revision: &Revision<A>,
        done: Option<Done>,
    ) -> Self {
        let column = revision.content.column();
        let alone = column.filter(|column| editor.in_place && asset.has_column(column));
        Self {
            page: match alone {
                Some(column) => links::column(asset.id, column),
                None => links::asset(asset.id),
            },
            aspect: A::NAME,
            column: column.map(str::to_owned),
            version: revision.version,
            done,
            shown_at: A::SHOWN_AT,
        }
    }

    fn address(&self) -> String {
        let word = self.done.map_or("", |done| match done {
            Done::Saved => "saved",
            Done::Undone => "undone",
            Done::Restored => "restored",
        });
        let what = format!("{}.{}", self.aspect, self.version);
        let what = if word.is_empty() { "" } else { &what };
        let of = self.column.as_deref().filter(|_| !what.is_empty());
        let page = links::with_query(&self.page, [(word, what), ("of", of.unwrap_or_default())]);
        format!("{page}#{}", self.shown_at)
    }
}

/// What the page says that a save led to, with the way back for who may take it.
pub(in crate::web) fn toast(
    asset: &Asset,
    parameters: &Parameters,
    editable: bool,
) -> Option<Toast> {
    if !parameters.text("undone").is_empty() {
        return Some(Toast::new("Undone."));
    }
    let restored = parameters.text("restored");
    let (text, what) = match restored {
        "" => ("Saved.", parameters.text("saved")),
        restored => ("Restored.", restored),
    };
    let (aspect, version) = what.split_once('.')?;
    let version: i32 = version.parse().ok()?;
    let aspect = ASPECTS.iter().find(|known| known.name == aspect)?;
    let action = if aspect.name == ColumnDescription::NAME {
        links::undo_column(asset.id, parameters.text("of"))
    } else {
        links::undo(asset.id, aspect.name)
    };
    let toast = Toast::new(text);
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
    has_preview: bool,
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
    fn new<A: Form>(asset: &Asset, revision: &Revision<A>, input: Input) -> Self {
        let name = heading(asset.address.name());
        Self {
            title: format!("{} {}", revision.content.heading(), name.shown),
            what: revision.content.heading(),
            name,
            crumbs: vec![Link::new("Browse", links::browse()), Link::to_asset(asset)],
            here: revision.content.address(asset.id),
            back: links::asset(asset.id),
            preview_href: links::preview(),
            version: revision.version,
            hint: A::HINT,
            verb: revision.content.verb(),
            remove: revision.content.removal(),
            has_preview: input.has_preview(),
            input,
            offers: Offers::default(),
            byline: Byline::of(revision),
            source: revision.content.beside(asset),
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
