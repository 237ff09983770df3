//! Searches that found nothing. Stewards read them, and name or describe what people missed.
//!
//! Somebody says so on purpose; what is only typed is kept nowhere.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::Error;
use super::store::{self, About};
use super::{Deed, MOST_NAMED, MOST_OPEN, Outcome};
use crate::auth::{Actor, Permission};
use crate::db::{Db, Page, PageRequest, changes};

/// The longest search that people may report, in characters.
pub const LONGEST: usize = 200;

/// Words that people looked for and did not find.
#[derive(Debug, Clone)]
pub struct Missed {
    /// As they are compared: in small letters, with one blank between two of them.
    pub words: String,
    /// How many people told it.
    pub people: u64,
    /// The first of their names.
    pub names: Vec<String>,
    pub first_asked_at: DateTime<Utc>,
}

/// Tells the stewards that some words find nothing; telling it twice is telling it once.
pub async fn tell(db: &Db, actor: &Actor, words: &str, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require(Permission::Ask)?;
    let words = compared(words)?;
    let Some(account) = actor.account() else {
        return Err(Error::NobodyAsks);
    };
    let about = About::Words(&words);
    let txn = db.write().await?;
    if store::find_open(&*txn, about, account).await?.is_some() {
        return Ok(());
    }
    if store::count_open_of(&*txn, account).await? >= MOST_OPEN {
        return Err(Error::TooManyRequests);
    }
    let id = store::insert(&txn, about, account, now).await?;
    let entry = Deed::Missed { words }.entry(actor, id, now);
    changes::append(&txn, vec![entry]).await?;
    Ok(txn.commit().await?)
}

/// Dismisses what people told of some words; without open requests nothing happens.
pub async fn dismiss(db: &Db, actor: &Actor, words: &str, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require(Permission::Describe)?;
    let words = compared(words)?;
    let txn = db.write().await?;
    if store::close(&txn, About::Words(&words), Outcome::Dismissed, now).await? == 0 {
        return Ok(());
    }
    let entry = Deed::MissedDismissed { words }.entry(actor, Uuid::now_v7(), now);
    changes::append(&txn, vec![entry]).await?;
    Ok(txn.commit().await?)
}

/// Tells whether somebody told of some words, and waits.
pub async fn is_told(db: &Db, actor: &Actor, words: &str) -> Result<bool, Error> {
    match (actor.account(), compared(words)) {
        (Some(account), Ok(words)) => {
            let found = store::find_open(&**db, About::Words(&words), account).await?;
            Ok(found.is_some())
        }
        _ => Ok(false),
    }
}

/// Lists what people looked for and did not find, what has waited longest first.
pub async fn list(db: &Db, actor: &Actor, page: &PageRequest) -> Result<Page<Missed>, Error> {
    actor.require(Permission::Describe)?;
    let open = store::list_open_words(&**db, page).await?;
    let words: Vec<String> = open.items.iter().map(|open| open.about.clone()).collect();
    let mut names = store::list_names_by_words(&**db, words, MOST_NAMED).await?;
    Ok(open.map(|open| Missed {
        people: open.people.unsigned_abs(),
        names: names.remove(&open.about).unwrap_or_default(),
        first_asked_at: open.first_asked_at,
        words: open.about,
    }))
}

/// The words as they are compared.
fn compared(words: &str) -> Result<String, Error> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let words = words.join(" ");
    match words.chars().count() {
        0 => Err(Error::NoWords),
        1..=LONGEST => Ok(words),
        _ => Err(Error::TooManyWords),
    }
}
