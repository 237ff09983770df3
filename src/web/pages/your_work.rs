//! What waits for somebody on the page people start from: what they own, and what they are asked to describe.

use serde::Serialize;

use super::asset_line::{AssetLine, Signs};
use super::requests::asked_by;
use crate::auth::principals::{self, Principal};
use crate::auth::{Actor, Permission, teams};
use crate::catalog::requests;
use crate::catalog::{self, AssetId, Summary};
use crate::db::{Db, PageRequest};
use crate::search::{Choices, FacetField, Index, Query, Sort};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::searching;
use crate::web::text::Moment;

/// So many assets of each sort are shown.
const LINES: u64 = 4;

/// What `templates/part/your_work.hbs` can show.
#[derive(Debug, Serialize)]
pub(super) struct YourWork {
    /// What they or their teams own, what changed last first.
    owned: Vec<AssetLine>,
    owned_href: String,
    requests: Vec<Waiting>,
    requests_href: String,
}

/// An asset that people ask about.
#[derive(Debug, Serialize)]
struct Waiting {
    asset: AssetLine,
    asked_by: String,
    at: Moment,
}

impl YourWork {
    /// Reads what waits for the one who looks; nothing for who is no person in a browser, or for whom
    /// nothing does.
    pub(super) async fn read(
        db: &Db,
        actor: &Actor,
        index: &Index,
    ) -> Result<Option<Self>, Failure> {
        let mine = actor.account();
        let mine = mine.filter(|_| actor.may(Permission::ManageOwnAccount));
        let Some(account) = mine else {
            return Ok(None);
        };
        let teams = teams::list_of(db, actor, account).await?;
        let me: Vec<Principal> = std::iter::once(Principal::Account(account))
            .chain(teams.iter().map(|team| Principal::Team(team.id)))
            .collect();
        let named = principals::find_named(db, &me)
            .await
            .map_err(catalog::Error::from)?;
        let labels: Vec<String> = named.into_values().map(|named| named.label).collect();
        let owned_href = links::search(labels.iter().map(|label| ("owner", label.as_str())));
        let owned = find_owned(db, actor, index, labels, &me).await?;
        let page = PageRequest::first(LINES);
        let asked = if actor.may(Permission::Describe) {
            requests::list(db, actor, &page).await?.items
        } else {
            Vec::new()
        };
        let all = owned.iter().chain(asked.iter().map(|asked| &asked.asset));
        let signs = Signs::read(db, actor, all).await?;
        let waiting = asked.iter().map(|asked| Waiting {
            asset: AssetLine::new(&asked.asset, &signs).short(),
            asked_by: asked_by(asked),
            at: Moment::of(asked.first_asked_at),
        });
        Ok((!owned.is_empty() || !asked.is_empty()).then(|| Self {
            owned: owned
                .iter()
                .map(|asset| AssetLine::new(asset, &signs).short())
                .collect(),
            owned_href,
            requests: waiting.collect(),
            requests_href: links::requests(),
        }))
    }
}

/// What these people and teams own, as people say, or else the source by such a name. Names are not unique, so what people
/// gave to somebody else of this name is left out.
async fn find_owned(
    db: &Db,
    actor: &Actor,
    index: &Index,
    labels: Vec<String>,
    owners: &[Principal],
) -> Result<Vec<Summary>, Failure> {
    let choices = labels
        .into_iter()
        .fold(Choices::default(), |choices, label| {
            choices.with(FacetField::Owner, label)
        });
    let query = Query {
        choices,
        sort: Sort::Changed,
        limit: usize::try_from(LINES).unwrap_or(usize::MAX),
        ..Query::default()
    };
    let found = searching::search(db, index, actor.visibility(), query).await?;
    let ids: Vec<AssetId> = found
        .hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    let mut assets = catalog::find_summaries(db, actor.visibility(), &ids).await?;
    let is_owned = |asset: &Summary| {
        let mut said = asset.trust.owners.0.iter();
        asset.trust.owners.0.is_empty() || said.any(|owner| owners.contains(&owner.principal))
    };
    let in_order = ids.iter().filter_map(|id| assets.remove(id));
    Ok(in_order.filter(is_owned).collect())
}
