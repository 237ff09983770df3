//! Every kind of thing that can be found, as documents: one builder for each.
//!
//! The rest of `search` knows documents alone. A new kind of thing is a builder here, and a line in each function below.

mod asset;

use std::str::FromStr as _;

use super::Error;
use super::document::Document;
use super::tokenizer::fold;
use crate::catalog::{self, AssetId, AssetKind, Weighed};
use crate::db::{Db, Subject};

pub use asset::of_source as of_asset;

/// Which things are weighed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// So many of all, gone ones too.
    First(u64),
    /// So many behind this one, gone ones too.
    Behind(Subject, u64),
    /// These, a thousand at the most; things that have no documents are left out.
    Named(&'a [Subject]),
}

/// Whether there are documents about things of this kind.
pub(super) fn has_document(subject: Subject) -> bool {
    matches!(subject, Subject::Asset(_))
}

/// Tells of things how many bytes they have in the database, for reading no more at once than memory should hold.
pub(super) async fn weigh(db: &Db, which: Which<'_>) -> Result<Vec<(Subject, u64)>, Error> {
    let assets = |subjects: &[Subject]| -> Vec<AssetId> {
        let assets = subjects.iter().copied();
        assets.filter_map(AssetId::of).collect()
    };
    let weighed = match which {
        Which::First(limit) => catalog::weigh(db, Weighed::First(limit)).await?,
        Which::Behind(after, limit) => match AssetId::of(after) {
            Some(after) => catalog::weigh(db, Weighed::Behind(after, limit)).await?,
            None => Vec::new(),
        },
        Which::Named(subjects) => {
            let named = assets(subjects);
            catalog::weigh(db, Weighed::Named(&named)).await?
        }
    };
    let weighed = weighed.into_iter();
    Ok(weighed.map(|(id, bytes)| (id.subject(), bytes)).collect())
}

/// Reads things as documents; those that are not there are left out.
pub(super) async fn read(db: &Db, subjects: &[Subject]) -> Result<Vec<Document>, Error> {
    let assets = subjects.iter().copied().filter_map(AssetId::of);
    asset::read(db, &assets.collect::<Vec<_>>()).await
}

/// Reads the word for a kind of thing as somebody types it, in the plural too.
pub(super) fn read_kind(word: &str) -> Option<String> {
    let name = fold(word);
    let mut kinds = AssetKind::ALL.into_iter();
    let plural = kinds.find(|kind| kind.plural() == name);
    let kind = plural.or_else(|| AssetKind::from_str(&name).ok())?;
    Some(kind.as_str().to_owned())
}

/// Says that there is no such kind of thing.
pub(super) fn check_kind(word: &str) -> Result<(), String> {
    let kind = AssetKind::from_str(word);
    kind.map(drop).map_err(|error| error.to_string())
}
