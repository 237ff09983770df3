//! The page of one change of an asset, with the whole of a text that was changed.

use actix_web::web::{Data, Path};
use serde::Serialize;

use super::changes::{Reworded, told_at_length};
use super::parts::{Link, Text, heading};
use crate::auth::Actor;
use crate::catalog::human::{Comparison, Revision};
use crate::catalog::{self, Action, Address, AssetId, Change, Difference, Error};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Page, Section, View};

/// So many texts of one change are shown.
const MOST_TEXTS: usize = 3;

/// `GET /assets/{id}/history/{number}`: one change, told at length.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    place: Path<(AssetId, u64)>,
) -> Result<Page<ChangePage>, Failure> {
    let (id, number) = place.into_inner();
    let change = catalog::find_change(&db, actor.sight(), id, number).await?;
    let mut found = catalog::find_addresses(&db, &[id]).await?;
    let (_, address) = found.remove(&id).ok_or(Error::UnknownAsset)?;
    let texts = match &change.action {
        Action::Revised(revision) if revision.rewords => {
            Texts::read(&db, revision).await?.into_iter().collect()
        }
        action => Texts::of_source(&db, action).await?,
    };
    Ok(Page(ChangePage::new(&address, &change, texts)))
}

/// What `templates/assets/change.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct ChangePage {
    title: String,
    crumbs: Vec<Link>,
    name: Shortened,
    at: Moment,
    who: String,
    run_href: Option<String>,
    sentences: Vec<Text>,
    /// Those that are other ones now.
    texts: Vec<Texts>,
}

/// A text before and after a change of it.
#[derive(Debug, Serialize)]
struct Texts {
    /// What text it is; empty where there is one alone.
    what: String,
    reworded: Reworded,
    before: String,
    after: String,
}

impl View for ChangePage {
    const TEMPLATE: &'static str = "assets/change";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

impl ChangePage {
    fn new(address: &Address, change: &Change, texts: Vec<Texts>) -> Self {
        let name = heading(address.name());
        let asset = Link::new(address.name(), links::asset(change.asset));
        Self {
            title: format!("A change of {}", name.shown),
            crumbs: vec![Link::new("Browse", links::browse()), asset],
            name,
            at: Moment::of(change.at),
            who: format!("by {}", change.who),
            run_href: change.run.map(links::run),
            sentences: told_at_length(change),
            texts,
        }
    }
}

impl Texts {
    /// Compares the first texts that a source changed, apart from what others ask for.
    async fn of_source(db: &Db, action: &Action) -> Result<Vec<Self>, Failure> {
        let differences = action.differences().iter();
        let texts: Vec<(String, String, String)> = differences
            .filter_map(Difference::reworded)
            .take(MOST_TEXTS)
            .map(|(what, before, after)| (what, before.to_owned(), after.to_owned()))
            .collect();
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let comparing = move || {
            let texts = texts.into_iter();
            texts
                .map(|(what, before, after)| Self {
                    what,
                    reworded: Reworded::told(&Comparison::of(&before, &after)),
                    before,
                    after,
                })
                .collect()
        };
        Ok(db.apart().run(comparing).await?)
    }

    /// Reads both texts. Earlier versions kept no comparison in the log, so that it may have to be made.
    async fn read(db: &Db, revision: &Revision) -> Result<Option<Self>, Failure> {
        let Some((before, after)) = revision.texts() else {
            return Ok(None);
        };
        let comparison = if let Some(comparison) = &revision.comparison {
            comparison.clone()
        } else {
            let (before, after) = (before.to_owned(), after.to_owned());
            let comparing = move || Comparison::of(&before, &after);
            db.apart().run(comparing).await?
        };
        Ok(Some(Self {
            what: String::new(),
            reworded: Reworded::told(&comparison),
            before: before.to_owned(),
            after: after.to_owned(),
        }))
    }
}
