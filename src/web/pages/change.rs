//! The page of one change of an asset, with the whole of a text that was changed.

use actix_web::web::{Data, Path};
use serde::Serialize;

use super::changes::{Reworded, told_at_length};
use super::parts::{Link, Text, heading};
use crate::auth::Actor;
use crate::catalog::human::{Comparison, Revision};
use crate::catalog::{self, Action, Address, AssetId, Change, Error};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Page, Section, View};

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
        Action::Revised(revision) if revision.rewords => Texts::read(&db, revision).await?,
        _ => None,
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
    /// Of what people write.
    texts: Option<Texts>,
}

/// A text before and after a change of it.
#[derive(Debug, Serialize)]
struct Texts {
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
    fn new(address: &Address, change: &Change, texts: Option<Texts>) -> Self {
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
            reworded: Reworded::told(&comparison),
            before: before.to_owned(),
            after: after.to_owned(),
        }))
    }
}
