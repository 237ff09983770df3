//! Browsers that have signed in before.
//!
//! Each sign-in gives the browser a mark for the account: a text that only this catalog can have written. It lets nobody
//! in. It tells the account's own browsers from those of others, who may be trying its name. A mark ends after three
//! months, and when the account's password changes. The key lies in the database, so that all servers share it.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::store;
use crate::auth::accounts::Account;
use crate::auth::{AccountId, secret};
use crate::db::{Db, Txn};

/// How long a mark is believed.
const LASTS: TimeDelta = TimeDelta::days(90);

/// A browser shows no more marks of one account than these; further ones are not checked.
const MOST_SHOWN: usize = 16;

/// A mark of a browser, for its cookie.
#[derive(Debug, Clone)]
pub struct Mark {
    pub account: AccountId,
    pub text: SecretString,
    pub lasts: TimeDelta,
}

/// Marks a browser in which somebody has just signed in.
pub(super) async fn mark(txn: &Txn, account: &Account, now: DateTime<Utc>) -> Result<Mark, DbErr> {
    let known = store::find_browser_key(&**txn).await?;
    let key = if let Some(key) = known {
        key
    } else {
        let key = secret::new("").expose_secret().to_owned();
        store::insert_browser_key(&**txn, &key).await?;
        key
    };
    let marked = Known {
        account: account.id,
        ends_at: (now + LASTS).timestamp(),
        browser: Uuid::now_v7(),
    };
    Ok(Mark {
        account: account.id,
        text: marked.sealed(&key, account).into(),
        lasts: LASTS,
    })
}

/// Finds the browser among its marks: what only it is called, if it has signed in to this account before.
pub(super) async fn find(
    db: &Db,
    account: &Account,
    marks: &[String],
    now: DateTime<Utc>,
) -> Result<Option<String>, DbErr> {
    let read = marks
        .iter()
        .filter_map(|text| Some((Known::read(text)?, text)));
    let of_account = read.filter(|(known, _)| known.account == account.id);
    let shown: Vec<_> = of_account.take(MOST_SHOWN).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let Some(key) = store::find_browser_key(&**db).await? else {
        return Ok(None);
    };
    // Another part of this host can put marks of its own before ours.
    let mut ours = shown.into_iter().filter(|(known, text)| {
        secret::is_same(&known.sealed(&key, account), text) && known.ends_at > now.timestamp()
    });
    Ok(ours.next().map(|(known, _)| known.browser.to_string()))
}

/// What a mark says.
struct Known {
    account: AccountId,
    /// In seconds since 1970.
    ends_at: i64,
    browser: Uuid,
}

impl Known {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        Some(Self {
            account: AccountId(parts.next()?.parse().ok()?),
            ends_at: parts.next()?.parse().ok()?,
            browser: parts.next()?.parse().ok()?,
        })
    }

    /// The mark as a text, with a seal that depends on all of it and on the account's password.
    fn sealed(&self, key: &str, account: &Account) -> String {
        let (id, ends_at) = (self.account.0.simple(), self.ends_at);
        let said = format!("{id}.{ends_at}.{}", self.browser.simple());
        let password = account.password_hash.as_deref().unwrap_or_default();
        let key = blake3::derive_key("Gazetteer 2026 marks of browsers", key.as_bytes());
        let seal = blake3::keyed_hash(&key, format!("{said} {password}").as_bytes());
        format!("{said}.{}", seal.to_hex())
    }
}
