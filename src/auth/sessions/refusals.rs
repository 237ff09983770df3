//! From where sign-ins to an account were refused, for its owner and for admins.
//!
//! The audit trail has the single tries; of a name under attack it has not all. Here they are counted by address.

use chrono::{DateTime, TimeDelta, Utc};

use super::store;
use crate::auth::{AccountId, Actor, Error, accounts};
use crate::db::{Db, Txn};

/// So many addresses are listed one by one; those that tried last.
const LISTED: usize = 50;

/// How long they are kept.
const KEPT: TimeDelta = TimeDelta::days(90);

/// Sign-ins to an account that were refused.
#[derive(Debug, Clone)]
pub struct Refusals {
    /// Nothing for all the addresses that are not listed one by one.
    pub address: Option<String>,
    pub count: i64,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

/// Lists from where sign-ins were refused in the last three months, the latest first.
pub async fn list(db: &Db, actor: &Actor, id: AccountId) -> Result<Vec<Refusals>, Error> {
    accounts::require_own_or_all(actor, id)?;
    Ok(store::list_refusals(&**db, id, Utc::now() - KEPT).await?)
}

/// Counts a sign-in that was refused.
pub(in crate::auth) async fn count(
    txn: &Txn,
    id: AccountId,
    address: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    store::delete_refusals(&**txn, id, now - KEPT).await?;
    let once = Refusals {
        address: Some(address.to_owned()),
        count: 1,
        first_at: now,
        last_at: now,
    };
    store::add_refusals(&**txn, id, &once).await?;
    let listed = store::list_refusals(&**txn, id, now - KEPT).await?;
    let single = listed.into_iter().filter(|one| one.address.is_some());
    for oldest in single.skip(LISTED) {
        let address = oldest.address.as_deref().unwrap_or_default();
        store::delete_refusals_from(&**txn, id, address).await?;
        let others = Refusals {
            address: None,
            ..oldest
        };
        store::add_refusals(&**txn, id, &others).await?;
    }
    Ok(())
}
