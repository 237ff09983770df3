//! The catalog: assets, what their sources say of them, what people say of them, and how both changed.
//!
//! Ingestion writes the source layer only, and never deletes: an asset that a complete listing no longer has becomes
//! *gone* and can return. Deliberately absent: how a source is read, and how anything is shown.

mod apply;
mod asset;
mod batch;
mod change;
mod difference;
pub mod groups;
pub mod human;
pub mod requests;
mod renamed;
mod scopes;
mod store;
pub mod unseen;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::auth::{Denied, Place, Visibility};
use crate::db::{self, BadCursor, Cursor, Db, Page, PageRequest};
use crate::error::{Explain, Kind};
use crate::revisions::{self, plain_text};

pub use apply::{
    Closing, Counts, OpenListing, Removal, RemovalRefused, apply, close, close_databases, open,
};
pub use asset::{
    Address, AddressDigest, Alias, AssetId, AssetKind, Column, DialectFacts, Discovered,
    EngineColumn, Facts, LinkTarget, Listing, OutwardLink, SchemaReference, Skew, SourceLayer,
    Storage, UnknownKind, ViewDefinition,
};
pub use batch::{Batch, ChangeKind, UnknownChangeKind};
pub use change::{Action, Cause, Change};
pub use difference::{Difference, differences};
pub use human::HumanLayer;
pub use renamed::likely_renames;
pub use scopes::{find_called, find_scope, name_scopes, source_words};
pub(crate) use store::belongs_to_seen;

/// An asset with everything that is known of it.
#[derive(Debug, Clone)]
pub struct Asset {
    pub id: AssetId,
    pub kind: AssetKind,
    pub address: Address,
    /// The database it is in; nothing for a database.
    pub parent: Option<AssetId>,
    pub source: SourceLayer,
    pub facts: Facts,
    pub human: HumanLayer,
    pub first_seen: DateTime<Utc>,
    /// When a report last changed the row; a complete listing since then saw it too, unless it is gone.
    pub last_seen: DateTime<Utc>,
    pub gone_at: Option<DateTime<Utc>>,
    /// How many bytes what its source says takes up in the database.
    pub bytes: usize,
}

/// What a source says of one asset is large from here on, in bytes: reading it keeps a processor busy.
const LARGE: usize = 500_000;

impl Asset {
    /// Tells whether to do apart what looks at all that its source says.
    pub fn is_large(&self) -> bool {
        self.bytes > LARGE
    }

    /// Where it stands, for whoever asks what somebody may do to it.
    pub fn place(&self) -> Place<'_> {
        Place {
            platform: &self.address.platform,
            instance: &self.address.instance,
            database: self.parent.unwrap_or(self.id).0,
        }
    }

    /// What to tell first, as plain text: people's words, or else the source's.
    pub fn description(&self) -> Option<String> {
        match self.human.description() {
            Some(words) => Some(plain_text(words)),
            None => self.source.description.clone(),
        }
    }
}

/// An asset as a line of a list.
#[derive(Debug, Clone)]
pub struct Summary {
    pub id: AssetId,
    pub kind: AssetKind,
    pub address: Address,
    pub parent: Option<AssetId>,
    /// What people call it instead of its name.
    pub title: Option<String>,
    /// What to tell of it, as plain text.
    pub description: Option<String>,
    /// How many columns there are on the outermost level; nothing where the source says so much that lists do not read it.
    pub columns: Option<usize>,
    /// The format in words.
    pub format: Option<String>,
    pub rows: Option<i64>,
    /// When its source last changed the definition; says nothing about the age of the rows.
    pub defined_at: Option<DateTime<Utc>>,
    /// What it is a link to.
    pub link: Option<LinkTarget>,
    /// The owner that its source names.
    pub source_owner: Option<String>,
    /// What people say of how far to trust it.
    pub trust: Trust,
    pub gone_at: Option<DateTime<Utc>>,
}

/// What people say of how far to trust an asset.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    pub owners: human::Owners,
    pub verification: human::Verification,
    pub deprecation: human::Deprecation,
}

/// One outside system that assets came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSummary {
    pub platform: String,
    pub instance: String,
    pub databases: u64,
}

/// Which assets a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Children<'a> {
    /// What is directly inside this asset.
    pub parent: Option<AssetId>,
    /// Or else the databases of this platform and instance; with neither, all databases.
    pub instance: Option<(&'a str, &'a str)>,
    /// Only names that contain this, without regard to case; empty for all.
    pub filter: &'a str,
    /// Only names that begin with this, without regard to case; empty for all.
    pub beginning: &'a str,
    /// Those that are gone, too.
    pub gone: bool,
    pub order: Order,
}

/// A beginning that several names in a list share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// In small letters, up to an underscore: `raw_`.
    pub text: String,
    /// How many names have it.
    pub names: u64,
}

/// In which order a list of assets comes; equals come by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Name,
    /// The most rows first, and what nobody counted last.
    Rows,
    /// What changed its definition last first, and what nobody knows of last.
    Changed,
}

impl Order {
    pub const ALL: [Self; 3] = [Self::Name, Self::Rows, Self::Changed];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Rows => "rows",
            Self::Changed => "changed",
        }
    }
}

impl FromStr for Order {
    type Err = UnknownOrder;

    fn from_str(word: &str) -> Result<Self, UnknownOrder> {
        let found = Self::ALL.into_iter().find(|order| order.as_str() == word);
        found.ok_or_else(|| UnknownOrder(word.to_owned()))
    }
}

/// There is no such order.
#[derive(Debug, thiserror::Error)]
#[error("A list is sorted by name, rows or changed, not by “{0}”.")]
pub struct UnknownOrder(String);

/// How many tables and views a database has that are not gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inside {
    pub tables: u64,
    pub views: u64,
}

/// Finds one asset. What somebody does not see is as unknown to them as what is not there.
pub async fn find_asset(db: &Db, visibility: &Visibility, id: AssetId) -> Result<Asset, Error> {
    let asset = store::find(db, visibility, id).await?;
    let found = human::attach(&**db, vec![asset]).await?;
    let mut found = human::hide_in(db, visibility, found).await?;
    found.pop().ok_or(Error::UnknownAsset)
}

/// Finds the ids of assets by where they come from; addresses that are not known are left out.
pub async fn find_at(
    db: &Db,
    visibility: &Visibility,
    addresses: &[&Address],
) -> Result<HashMap<AddressDigest, AssetId>, Error> {
    Ok(store::find_at(&**db, visibility, addresses).await?)
}

/// Finds many assets at once, in the order asked for; ids that are not there are left out.
pub async fn find_assets(
    db: &Db,
    visibility: &Visibility,
    ids: &[AssetId],
) -> Result<Vec<Asset>, Error> {
    let found = store::find_many(&**db, visibility, ids).await?;
    let found = human::attach(&**db, found).await?;
    let mut found: HashMap<AssetId, Asset> = human::hide_in(db, visibility, found)
        .await?
        .into_iter()
        .map(|asset| (asset.id, asset))
        .collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Finds what many assets are and where they are, without the rest; ids that are not there are left out.
pub async fn find_addresses(
    db: &Db,
    ids: &[AssetId],
) -> Result<HashMap<AssetId, (AssetKind, Address)>, Error> {
    store::find_addresses(&**db, ids).await
}

/// Which assets are weighed.
#[derive(Debug, Clone, Copy)]
pub enum Weighed<'a> {
    /// So many of all, gone ones too.
    First(u64),
    /// So many behind this one, gone ones too.
    Behind(AssetId, u64),
    /// These, a thousand at the most.
    Named(&'a [AssetId]),
}

/// Tells of assets how many bytes their documents from a source have, in the order of their ids; for reading no more at
/// once than memory should hold.
pub async fn weigh(db: &Db, which: Weighed<'_>) -> Result<Vec<(AssetId, u64)>, Error> {
    Ok(store::weigh(&**db, which).await?)
}

/// Lists what is directly inside something, by name.
pub async fn list_children(
    db: &Db,
    visibility: &Visibility,
    children: &Children<'_>,
    page: &PageRequest,
) -> Result<Page<Summary>, Error> {
    let mut page = store::list_children(&**db, visibility, children, page).await?;
    human::attach_to_summaries(&**db, &mut page.items).await?;
    Ok(page)
}

/// Finds the beginnings that most names in a list share, such as `raw_`, the most frequent first.
///
/// They end with an underscore and are longer than the beginning that the list asks for.
pub async fn list_beginnings(
    db: &Db,
    visibility: &Visibility,
    children: &Children<'_>,
    limit: u64,
) -> Result<Vec<Beginning>, Error> {
    Ok(store::list_beginnings(&**db, visibility, children, limit).await?)
}

/// Finds many assets at once as lists show them, in no order; ids that are not there are left out.
pub async fn find_summaries(
    db: &Db,
    visibility: &Visibility,
    ids: &[AssetId],
) -> Result<HashMap<AssetId, Summary>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found = store::find_summaries(&**db, visibility, ids).await?;
    human::attach_to_summaries(&**db, &mut found).await?;
    Ok(found
        .into_iter()
        .map(|summary| (summary.id, summary))
        .collect())
}

/// Counts the tables and views in each of some databases.
pub async fn count_inside(
    db: &Db,
    visibility: &Visibility,
    databases: &[AssetId],
) -> Result<HashMap<AssetId, Inside>, Error> {
    let counts = store::count_children(&**db, visibility, databases).await?;
    let of = |kinds: &HashMap<AssetKind, u64>, kind| kinds.get(&kind).copied().unwrap_or(0);
    Ok(counts
        .iter()
        .map(|(id, kinds)| {
            (
                *id,
                Inside {
                    tables: of(kinds, AssetKind::Table),
                    views: of(kinds, AssetKind::View),
                },
            )
        })
        .collect())
}

/// Lists the systems that assets came from; there are few of them.
pub async fn list_instances(
    db: &Db,
    visibility: &Visibility,
) -> Result<Vec<InstanceSummary>, Error> {
    Ok(store::list_instances(&**db, visibility).await?)
}

/// Lists the other names of an asset.
pub async fn list_aliases(
    db: &Db,
    visibility: &Visibility,
    id: AssetId,
) -> Result<Vec<Alias>, Error> {
    Ok(store::list_aliases(&**db, visibility, id).await?)
}

/// Lists what happened to one asset, newest first.
pub async fn list_history(
    db: &Db,
    visibility: &Visibility,
    id: AssetId,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    let mut changes = store::list_history(&**db, visibility, id, page).await?;
    human::hide_in_history(db, visibility, &mut changes.items).await?;
    Ok(changes)
}

/// Finds one change of an asset by its number, which counts from the first one.
pub async fn find_change(
    db: &Db,
    visibility: &Visibility,
    id: AssetId,
    number: u64,
) -> Result<Change, Error> {
    let only = PageRequest::new(Some(Cursor::of(&number)), 1);
    let mut found = list_history(db, visibility, id, &only).await?;
    let found = found.items.pop();
    // A page begins with the newest change where there is none of a higher number.
    let found = found.filter(|change| change.number == Some(number));
    found.ok_or(Error::UnknownChange)
}

/// Lists what changed anywhere in the catalog, newest first.
pub async fn list_recent_changes(
    db: &Db,
    visibility: &Visibility,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    let mut changes = store::list_changes(&**db, visibility, page).await?;
    human::hide_in_history(db, visibility, &mut changes.items).await?;
    Ok(changes)
}

/// Why the catalog refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("There is no such database, table or view.")]
    UnknownAsset,
    #[error("There is no such change of this asset.")]
    UnknownChange,
    #[error("It has a description already.")]
    DescribedAlready,
    #[error("Only somebody who has signed in can ask.")]
    NobodyAsks,
    #[error("You have {} open requests, which is the most.", requests::MOST_OPEN)]
    TooManyRequests,
    #[error("There are no words to tell the stewards.")]
    NoWords,
    #[error("The words are longer than {} letters.", requests::searches::LONGEST)]
    TooManyWords,
    #[error("There are no such changes.")]
    UnknownBatch,
    #[error("There is no column “{0}”.")]
    UnknownColumn(String),
    #[error("There is no source or database “{words}”.{}", instead(.nearest))]
    UnknownScope { words: String, nearest: Vec<String> },
    #[error("Several databases are called “{words}”: {}.", quoted(.which))]
    SeveralScopes { words: String, which: Vec<String> },
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Busy(#[from] db::Busy),
    #[error(transparent)]
    Aspects(#[from] revisions::Error),
    /// The run that wanted to write has been ended by somebody else.
    #[error("The run was ended before it wrote this.")]
    RunEnded,
    #[error("The row of asset {0} cannot be read.")]
    Damaged(AssetId, #[source] Box<dyn StdError + Send + Sync>),
    #[error("The catalog could not be read or written.")]
    Database(#[from] DbErr),
}

fn quoted(names: &[String]) -> String {
    format!("“{}”", names.join("”, “"))
}

fn instead(nearest: &[String]) -> String {
    match nearest.join("”, “") {
        nearest if nearest.is_empty() => nearest,
        nearest => format!(" The nearest are “{nearest}”."),
    }
}

impl Error {
    /// Says of whatever was found that it is not what was written.
    fn damaged<E: Into<Box<dyn StdError + Send + Sync>>>(id: AssetId) -> impl FnOnce(E) -> Self {
        move |cause| Self::Damaged(id, cause.into())
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownAsset
            | Self::UnknownBatch
            | Self::UnknownChange
            | Self::UnknownColumn(_) => Kind::NotFound,
            Self::UnknownScope { .. }
            | Self::SeveralScopes { .. }
            | Self::NoWords
            | Self::TooManyWords
            | Self::BadCursor(_) => Kind::Invalid,
            Self::Denied(denied) => denied.kind(),
            Self::Busy(busy) => busy.kind(),
            Self::Aspects(error) => error.kind(),
            Self::RunEnded | Self::DescribedAlready | Self::TooManyRequests => Kind::Conflict,
            Self::NobodyAsks => Kind::Forbidden,
            Self::Damaged(..) => Kind::Internal,
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownAsset => {
                Some("Search for it by name: the address may have been shortened on its way.")
            }
            Self::UnknownBatch => Some("Look for them on the page Changes."),
            Self::UnknownChange => Some("Look for it in the history of the asset."),
            Self::UnknownColumn(_) => {
                Some("Write its path as the columns of the asset have it, such as address.city.")
            }
            Self::UnknownScope { .. } => Some(
                "Write a source as PLATFORM:INSTANCE and a database as PLATFORM:INSTANCE/DATABASE, such as glue:123456789012/eu-central-1/sales.",
            ),
            Self::DescribedAlready => Some("Open it to read the description."),
            Self::NobodyAsks => Some("Sign in with an account of your own."),
            Self::NoWords | Self::TooManyWords => Some("Write a few words that you looked for."),
            Self::TooManyRequests => Some("Wait until some of them are answered."),
            Self::SeveralScopes { .. } => Some("Write which one, with its source."),
            Self::BadCursor(_) => Some("Start from the first page."),
            Self::Busy(busy) => busy.hint(),
            Self::Aspects(error) => error.hint(),
            Self::Denied(_) | Self::RunEnded | Self::Damaged(..) | Self::Database(_) => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(busy) => busy.retry_after(),
            Self::Aspects(error) => error.retry_after(),
            _ => None,
        }
    }
}
