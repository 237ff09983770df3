//! Searches that found nothing: the button that tells the stewards, and their list.

use actix_web::web::{Data, Form};
use chrono::Utc;
use serde::Serialize;

use super::parts::{Link, More};
use super::requests::by;
use crate::auth::{Actor, Permission};
use crate::catalog::requests::searches::{self, LONGEST, Missed};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::forms::Fields;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::Moment;
use crate::web::view::{Page, Section, SeeOther, View};

/// So many searches are on a page.
const LINES: usize = 50;

/// `GET /requests/searches`: what people looked for and did not find.
pub(crate) async fn list(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<MissedPage>, Failure> {
    let page = searches::list(&db, &actor, &parameters.page(LINES)?).await?;
    Ok(Page(MissedPage {
        requests_href: links::requests(),
        action: links::dismiss_missed(),
        rows: page.items.iter().map(Row::from).collect(),
        more: More::of(&page, "Show more searches", |after| {
            links::with_query(&links::missed_searches(), [("after", after.as_str())])
        }),
    }))
}

/// `POST /requests/searches`: tells the stewards that some words find nothing.
pub(crate) async fn tell(
    db: Data<Db>,
    actor: Actor,
    Form(fields): Form<Fields>,
) -> Result<SeeOther, Failure> {
    let typed = Parameters::from(fields);
    let words = typed.text("words");
    searches::tell(&db, &actor, words, Utc::now()).await?;
    Ok(SeeOther(links::search([("q", words)])))
}

/// `POST /requests/searches/dismiss`: closes what people told of some words.
pub(crate) async fn dismiss(
    db: Data<Db>,
    actor: Actor,
    Form(fields): Form<Fields>,
) -> Result<SeeOther, Failure> {
    let typed = Parameters::from(fields);
    searches::dismiss(&db, &actor, typed.text("words"), Utc::now()).await?;
    Ok(SeeOther(links::missed_searches()))
}

/// What a search that found nothing offers: to tell the stewards, or that this was done.
#[derive(Debug, Serialize)]
pub(super) struct Telling {
    action: String,
    words: String,
    told: bool,
}

impl Telling {
    /// Nothing for who cannot ask, and for what is no search for words.
    pub(super) async fn read(db: &Db, actor: &Actor, words: &str) -> Result<Option<Self>, Failure> {
        let is_tellable = !words.trim().is_empty() && words.chars().count() <= LONGEST;
        if !is_tellable || !actor.may(Permission::Ask) || actor.account().is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            action: links::missed_searches(),
            words: words.to_owned(),
            told: searches::is_told(db, actor, words).await?,
        }))
    }
}

/// What `templates/requests/searches.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct MissedPage {
    requests_href: String,
    action: String,
    rows: Vec<Row>,
    more: More,
}

#[derive(Debug, Serialize)]
struct Row {
    search: Link,
    words: String,
    asked_by: String,
    at: Moment,
}

impl From<&Missed> for Row {
    fn from(missed: &Missed) -> Self {
        Self {
            search: Link::new(&missed.words, links::search([("q", missed.words.as_str())])),
            words: missed.words.clone(),
            asked_by: by(&missed.names, missed.people),
            at: Moment::of(missed.first_asked_at),
        }
    }
}

impl View for MissedPage {
    const TEMPLATE: &'static str = "requests/searches";

    fn title(&self) -> &'static str {
        "Searches without results"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Requests)
    }
}
