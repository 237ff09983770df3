//! The forms in which people say something of an asset, and what becomes of a save that came too late.

mod form;
mod quarrel;

use actix_web::Either;
use actix_web::web::{Form as Body, Path};
use serde::{Deserialize, Serialize};

use self::form::{Form, Input};
use self::quarrel::Quarrel;
use super::parts::{Link, heading};
use crate::auth::Permission;
use crate::catalog::human::{
    AspectKind, Deprecation, Description, Draft, Edition, Links, Note, OfAsset, Owners, Problem,
    Refusal, Tags, Verification,
};
use crate::catalog::{self, Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::markdown::{self, SafeHtml};
use crate::web::parameters::Parameters;
use crate::web::saving::Desk;
use crate::web::text::Shortened;
use crate::web::view::{self, Page, Section, SeeOther, View};

type Saved = Either<SeeOther, Page<EditPage>>;

/// `GET /assets/{id}/edit/{aspect}`: the form for one aspect.
pub(crate) async fn show(
    desk: Desk,
    place: Path<(AssetId, String)>,
) -> Result<Page<EditPage>, Failure> {
    let (id, aspect) = place.into_inner();
    let asset = find(&desk, id).await?;
    match kind(&aspect)? {
        AspectKind::Description => open::<Description>(&desk, &asset).await,
        AspectKind::Owners => open::<Owners>(&desk, &asset).await,
        AspectKind::Tags => open::<Tags>(&desk, &asset).await,
        AspectKind::Links => open::<Links>(&desk, &asset).await,
        AspectKind::Verification => open::<Verification>(&desk, &asset).await,
        AspectKind::Deprecation => open::<Deprecation>(&desk, &asset).await,
        AspectKind::Note => Err(no_aspect()),
    }
}

/// `POST /assets/{id}/edit/{aspect}`: saves the aspect, or shows the form again.
pub(crate) async fn save(
    desk: Desk,
    place: Path<(AssetId, String)>,
    body: String,
) -> Result<Saved, Failure> {
    let (id, aspect) = place.into_inner();
    let asset = find(&desk, id).await?;
    let sent = Parameters::read(&body);
    match kind(&aspect)? {
        AspectKind::Description => close::<Description>(&desk, &asset, &sent).await,
        AspectKind::Owners => close::<Owners>(&desk, &asset, &sent).await,
        AspectKind::Tags => close::<Tags>(&desk, &asset, &sent).await,
        AspectKind::Links => close::<Links>(&desk, &asset, &sent).await,
        AspectKind::Verification => close::<Verification>(&desk, &asset, &sent).await,
        AspectKind::Deprecation => close::<Deprecation>(&desk, &asset, &sent).await,
        AspectKind::Note => Err(no_aspect()),
    }
}

/// `GET /assets/{id}/columns/{column}/edit`: the form for what is said of a column.
pub(crate) async fn show_note(
    desk: Desk,
    place: Path<(AssetId, String)>,
) -> Result<Page<EditPage>, Failure> {
    let (id, column) = place.into_inner();
    let asset = find(&desk, id).await?;
    let edition = note(&asset, &column)?;
    let input = edition.content.input(&desk, &asset).await?;
    Ok(Page(EditPage::new(&asset, &edition, input)))
}

/// `POST /assets/{id}/columns/{column}/edit`: saves what is said of a column, or shows the form again.
pub(crate) async fn save_note(
    desk: Desk,
    place: Path<(AssetId, String)>,
    body: String,
) -> Result<Saved, Failure> {
    let (id, column) = place.into_inner();
    let asset = find(&desk, id).await?;
    let present = note(&asset, &column)?;
    let sent = Parameters::read(&body);
    let content = Note {
        column,
        text: sent.text("text").to_owned(),
    };
    finish(&desk, &asset, &present, (content, Vec::new()), &sent).await
}

/// Where words about a column that is no longer there go.
#[derive(Debug, Deserialize)]
pub(crate) struct Destination {
    to: String,
}

/// `POST /assets/{id}/columns/{column}/move`: gives words about a column that was renamed to the one it is now.
pub(crate) async fn move_note(
    desk: Desk,
    place: Path<(AssetId, String)>,
    body: Body<Destination>,
) -> Result<SeeOther, Failure> {
    let (id, column) = place.into_inner();
    desk.move_note(id, (&column, &body.to)).await?;
    Ok(SeeOther(format!("{}#columns", links::asset(id))))
}

/// What is to be rendered.
#[derive(Debug, Deserialize)]
pub(crate) struct Draught {
    #[serde(default)]
    text: String,
}

/// `POST /preview`: Markdown as the pages show it.
pub(crate) async fn preview(desk: Desk, body: Body<Draught>) -> Result<Page<Preview>, Failure> {
    desk.actor
        .require(Permission::Describe)
        .map_err(Failure::from)?;
    Ok(Page(Preview {
        html: markdown::render(&body.text, 1),
    }))
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
async fn find(desk: &Desk, id: AssetId) -> Result<Asset, Failure> {
    let asset = catalog::find_asset(&desk.db, desk.actor.sight(), id).await?;
    desk.actor
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

async fn open<A: Form + OfAsset>(desk: &Desk, asset: &Asset) -> Result<Page<EditPage>, Failure> {
    let edition = A::of(&asset.human);
    let input = edition.content.input(desk, asset).await?;
    Ok(Page(EditPage::new(asset, edition, input)))
}

async fn close<A: Form + OfAsset>(
    desk: &Desk,
    asset: &Asset,
    sent: &Parameters,
) -> Result<Saved, Failure> {
    let read = A::read(sent, desk, asset).await?;
    finish(desk, asset, A::of(&asset.human), read, sent).await
}

/// Saves what was sent, or shows the form again: as it was sent, or with both edits put together.
async fn finish<A: Form>(
    desk: &Desk,
    asset: &Asset,
    present: &Edition<A>,
    (content, problems): (A, Vec<Problem>),
    sent: &Parameters,
) -> Result<Saved, Failure> {
    let version = sent.number("version", 0, 0..=i32::MAX as usize)?;
    let version = i32::try_from(version).unwrap_or_default();
    let again = |input| EditPage {
        version,
        ..EditPage::new(asset, present, input)
    };
    if !sent.text("preview").is_empty() {
        let html = content.text().map(|text| markdown::render(text, 1));
        return Ok(Either::Right(Page(EditPage {
            preview: html,
            ..again(A::typed(sent))
        })));
    }
    let refusal = if problems.is_empty() {
        match desk.save(asset.id, Draft { content, version }).await {
            Ok(_) => return Ok(Either::Left(SeeOther(after::<A>(asset.id)))),
            Err(refusal) => refusal,
        }
    } else {
        Refusal::Problems(problems)
    };
    let page = match &refusal {
        Refusal::Stale(stale) => EditPage {
            version: stale.theirs.version,
            quarrel: Some(Quarrel::new(stale)),
            ..again(stale.merged.content.input(desk, asset).await?)
        },
        Refusal::Problems(problems) => EditPage {
            problems: problems
                .iter()
                .map(|problem| problem.text.clone())
                .collect(),
            ..again(A::typed(sent))
        },
        Refusal::Other(_) => return Err(refusal.into()),
    };
    Ok(Either::Right(Page(EditPage {
        refusal: Some(view::Refusal::of(&refusal)),
        ..page
    })))
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
    problems: Vec<String>,
    quarrel: Option<Quarrel>,
    #[serde(skip)]
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
            problems: Vec::new(),
            quarrel: None,
            refusal: None,
        }
    }
}
