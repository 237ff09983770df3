//! What people ask the stewards to describe: one request for each person and asset, until it is described or dismissed.
//! [`searches`] are what they looked for and did not find.
//!
//! Deliberately absent: telling anybody by mail. Stewards have a list.

pub mod searches;
mod store;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{Asset, AssetId, Error, Summary, find_asset, find_summaries};
use crate::auth::{Actor, Permission};
use crate::db::{Db, Page, PageRequest, Subject, Txn, changes};

use store::About;
pub use store::Outcome;

/// One person waits for the answers to no more requests than this.
pub const MOST_OPEN: u64 = 50;

/// Of those who ask for one asset so many are named.
const MOST_NAMED: u64 = 200;

/// What people ask about one asset.
#[derive(Debug, Clone)]
pub struct Asked {
    pub asset: Summary,
    /// How many people ask.
    pub people: u64,
    /// The first of their names.
    pub names: Vec<String>,
    pub first_asked_at: DateTime<Utc>,
}

/// How it stands with the requests for one asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many people ask.
    pub people: u64,
    /// Since when the one who looks is among them.
    pub mine: Option<DateTime<Utc>>,
}

/// Asks for a description of an asset; asking twice is asking once.
pub async fn ask(db: &Db, actor: &Actor, id: AssetId, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require(Permission::Ask)?;
    let asset = find_asset(db, actor.visibility(), id).await?;
    if asset.human.description().is_some() {
        return Err(Error::DescribedAlready);
    }
    let Some(account) = actor.account() else {
        return Err(Error::NobodyAsks);
    };
    let txn = db.write().await?;
    if store::find_open(&*txn, About::Asset(id), account)
        .await?
        .is_some()
    {
        return Ok(());
    }
    if store::count_open_of(&*txn, account).await? >= MOST_OPEN {
        return Err(Error::TooManyRequests);
    }
    store::insert(&txn, About::Asset(id), account, now).await?;
    let entry = Deed::Requested.entry(actor, id.0, now);
    changes::append(&txn, vec![entry]).await?;
    Ok(txn.commit().await?)
}

/// Dismisses what people ask about an asset; without open requests nothing happens.
pub async fn dismiss(db: &Db, actor: &Actor, id: AssetId, now: DateTime<Utc>) -> Result<(), Error> {
    let asset = find_asset(db, actor.visibility(), id).await?;
    actor.require_in(Permission::Describe, &asset.place())?;
    let txn = db.write().await?;
    if store::close(&txn, About::Asset(id), Outcome::Dismissed, now).await? == 0 {
        return Ok(());
    }
    let entry = Deed::Dismissed.entry(actor, id.0, now);
    changes::append(&txn, vec![entry]).await?;
    Ok(txn.commit().await?)
}

/// Closes what people ask about an asset, which has just been described in this transaction.
pub(super) async fn answer(txn: &Txn, id: AssetId, now: DateTime<Utc>) -> Result<(), Error> {
    store::close(txn, About::Asset(id), Outcome::Described, now).await?;
    Ok(())
}

/// What the log says of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    Requested,
    Dismissed,
    /// Somebody looked for words and did not find anything.
    Missed {
        words: String,
    },
    MissedDismissed {
        words: String,
    },
}

impl Deed {
    /// Reads what the log has; nothing when it is of another version.
    pub(crate) fn read(action: &str, details: &str) -> Option<Self> {
        let words = || {
            let details: serde_json::Value = serde_json::from_str(details).ok()?;
            Some(details.get("words")?.as_str()?.to_owned())
        };
        match action {
            "description_requested" => Some(Self::Requested),
            "requests_dismissed" => Some(Self::Dismissed),
            "search_missed" => Some(Self::Missed { words: words()? }),
            "missed_dismissed" => Some(Self::MissedDismissed { words: words()? }),
            _ => None,
        }
    }

    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Requested => "A description was asked for.".to_owned(),
            Self::Dismissed => "The requests for a description were dismissed.".to_owned(),
            Self::Missed { words } => format!("Nothing was found for “{words}”."),
            Self::MissedDismissed { words } => {
                format!("What was told about “{words}” was dismissed.")
            }
        }
    }

    /// An entry about an asset or, by an id of its own, about words.
    fn entry(&self, actor: &Actor, id: Uuid, now: DateTime<Utc>) -> changes::Entry {
        let (about, search) = (Subject::Request(id), Subject::Search(id));
        let (subject, action, details) = match self {
            Self::Requested => (about, "description_requested", json!({})),
            Self::Dismissed => (about, "requests_dismissed", json!({})),
            Self::Missed { words } => (search, "search_missed", json!({ "words": words })),
            Self::MissedDismissed { words } => {
                (search, "missed_dismissed", json!({ "words": words }))
            }
        };
        actor.entry(subject, action, details.to_string(), now)
    }
}

/// Tells how it stands with the requests for an asset that somebody sees.
pub async fn find_standing(db: &Db, actor: &Actor, asset: &Asset) -> Result<Standing, Error> {
    if asset.human.description().is_some() {
        return Ok(Standing::default());
    }
    let mine = match actor.account() {
        Some(account) => store::find_open(&**db, About::Asset(asset.id), account).await?,
        None => None,
    };
    Ok(Standing {
        people: store::count_open(&**db, About::Asset(asset.id)).await?,
        mine,
    })
}

/// Lists what people ask about the assets that somebody may describe, what has waited longest first.
pub async fn list(db: &Db, actor: &Actor, page: &PageRequest) -> Result<Page<Asked>, Error> {
    actor.require(Permission::Describe)?;
    let open = store::list_open(&**db, actor, page).await?;
    let ids: Vec<Uuid> = open.items.iter().map(|open| open.about).collect();
    let assets: Vec<AssetId> = ids.iter().copied().map(AssetId).collect();
    let mut assets = find_summaries(db, actor.visibility(), &assets).await?;
    let mut names = store::list_names(&**db, ids, MOST_NAMED).await?;
    let items = open.items.into_iter().filter_map(|open| {
        Some(Asked {
            asset: assets.remove(&AssetId(open.about))?,
            people: open.people.unsigned_abs(),
            names: names.remove(&open.about).unwrap_or_default(),
            first_asked_at: open.first_asked_at,
        })
    });
    Ok(Page {
        items: items.collect(),
        next: open.next,
    })
}
