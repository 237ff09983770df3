//! What people ask the stewards to describe: the button on the page of an asset, and the list.

use actix_web::web::{Data, Path};
use chrono::Utc;
use serde::Serialize;

use super::parts::{Link, More, first_sentence, icon, kind_word, name};
use crate::auth::{Actor, Permission};
use crate::catalog::human::AspectKind;
use crate::catalog::requests::{self, Asked};
use crate::catalog::{Asset, AssetId};
use crate::db::Db;
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
    Ok(Page(RequestsPage {
        rows: page.items.iter().map(Row::from).collect(),
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
    rows: Vec<Row>,
    more: More,
}

#[derive(Debug, Serialize)]
struct Row {
    link: Link,
    icon: &'static str,
    kind: &'static str,
    place: String,
    sentence: String,
    asked_by: String,
    at: Moment,
    describe_href: String,
    dismiss_action: String,
}

impl From<&Asked> for Row {
    fn from(asked: &Asked) -> Self {
        let asset = &asked.asset;
        let place = asset.address.path.split_last();
        let description = asset.description.as_deref().unwrap_or_default();
        Self {
            link: Link::to_summary(asset),
            icon: icon(asset.kind),
            kind: kind_word(asset.kind),
            place: place.map_or_else(String::new, |(_, place)| name(&place.join(".")).shown),
            sentence: first_sentence(description).shown,
            asked_by: named(asked),
            at: Moment::of(asked.first_asked_at),
            describe_href: links::edit(asset.id, AspectKind::Description),
            dismiss_action: links::dismiss_requests(asset.id),
        }
    }
}

/// Such as “Ana, Bo and 2 others”.
fn named(asked: &Asked) -> String {
    let names = asked.names.iter().take(NAMED);
    let names: Vec<String> = names.map(|label| name(label).shown).collect();
    let told = names.join(", ");
    match asked.people.saturating_sub(names.len() as u64) {
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
