//! What people ask the stewards to describe: the button on the page of an asset, and the list.

use actix_web::web::{Data, Path};
use chrono::Utc;
use serde::Serialize;

use super::asset_line::{AssetLine, Signs};
use super::parts::{More, name};
use crate::auth::{Actor, Permission};
use crate::catalog::human::Description;
use crate::catalog::requests::{self, Asked};
use crate::catalog::{Asset, AssetId};
use crate::db::Db;
use crate::revisions::Aspect as _;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, count};
use crate::web::view::{Page, Section, SeeOther, View};

/// So many assets are on a page.
const LINES: usize = 50;

/// Of those who ask for one asset so many are named in a line.
const NAMED: usize = 3;

/// `GET /requests`: what waits for a description.
pub(crate) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<RequestsPage>, Failure> {
    let page = requests::list(&db, &actor, &parameters.page(LINES)?).await?;
    let signs = Signs::read(&db, &actor, page.items.iter().map(|asked| &asked.asset)).await?;
    Ok(Page(RequestsPage {
        searches_href: links::missed_searches(),
        rows: page
            .items
            .iter()
            .map(|asked| Row::new(asked, &signs))
            .collect(),
        more: More::of(&page, "Show more requests", |after| {
            links::with_query(&links::requests(), [("after", after.as_str())])
        }),
    }))
}

/// `POST /assets/{id}/requests`: asks for a description.
pub(crate) async fn ask(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
) -> Result<SeeOther, Failure> {
    requests::ask(&db, &actor, *id, Utc::now()).await?;
    Ok(SeeOther(format!("{}#description", links::asset(*id))))
}

/// `POST /assets/{id}/requests/dismiss`: closes what people ask about an asset without describing it.
pub(crate) async fn dismiss(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
) -> Result<SeeOther, Failure> {
    requests::dismiss(&db, &actor, *id, Utc::now()).await?;
    Ok(SeeOther(links::requests()))
}

/// What `templates/requests/list.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RequestsPage {
    searches_href: String,
    rows: Vec<Row>,
    more: More,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    asset: AssetLine,
    asked_by: String,
    at: Moment,
    describe_href: String,
    dismiss_action: String,
}

impl Row {
    fn new(asked: &Asked, signs: &Signs) -> Self {
        let asset = &asked.asset;
        Self {
            name: name(asset.address.name()).shown,
            asset: AssetLine::new(asset, signs),
            asked_by: asked_by(asked),
            at: Moment::of(asked.first_asked_at),
            describe_href: links::edit(asset.id, Description::NAME),
            dismiss_action: links::dismiss_requests(asset.id),
        }
    }
}

pub(super) fn asked_by(asked: &Asked) -> String {
    by(&asked.names, asked.people)
}

/// Such as “Ana, Bo and 2 others”.
pub(super) fn by(names: &[String], people: u64) -> String {
    let names = names.iter().take(NAMED);
    let names: Vec<String> = names.map(|label| name(label).shown).collect();
    let told = names.join(", ");
    match people.saturating_sub(names.len() as u64) {
        0 => told,
        people if names.is_empty() => count(people, "person", "people"),
        others => format!("{told} and {}", count(others, "other", "others")),
    }
}

impl View for RequestsPage {
    const TEMPLATE: &'static str = "requests/list";

    fn title(&self) -> &'static str {
        "Requests"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Requests)
    }
}

/// What the page of an asset that nobody described offers: to ask for it, or what was asked.
#[derive(Debug, Serialize)]
pub(super) struct Asking {
    /// Where it is asked; nothing for who cannot, or has.
    action: Option<String>,
    /// What was asked already.
    said: Option<String>,
    /// Where the requests are listed, for who answers them.
    href: Option<String>,
}

impl Asking {
    pub(super) async fn read(
        db: &Db,
        asset: &Asset,
        actor: &Actor,
    ) -> Result<Option<Self>, Failure> {
        if asset.human.description().is_some() || asset.gone_at.is_some() {
            return Ok(None);
        }
        let standing = requests::find_standing(db, actor, asset).await?;
        let told = asset.source.description.as_deref().unwrap_or_default();
        if standing.people == 0 && !told.trim().is_empty() {
            return Ok(None);
        }
        let answers = actor.may_in(Permission::Describe, &asset.place());
        let asks = actor.may(Permission::Ask) && actor.account().is_some();
        let people = count(standing.people, "person asks", "people ask");
        let said = match (standing.mine, standing.people) {
            (Some(at), _) if !answers => Some(format!(
                "You asked for a description {}.",
                Moment::of(at).ago
            )),
            (_, 0) => None,
            _ => Some(format!("{people} for a description.")),
        };
        let action =
            (asks && !answers && standing.mine.is_none()).then(|| links::asset_requests(asset.id));
        let asking = Self {
            href: (answers && standing.people > 0).then(links::requests),
            said,
            action,
        };
        Ok((asking.said.is_some() || asking.action.is_some()).then_some(asking))
    }
}
