//! How often somebody may try to sign in.
//!
//! After five tries in a row for an account, or twenty from an address, each further one has to wait: half a minute,
//! twice as long each time, up to a quarter of an hour. So a password survives being guessed at (SP 800-63B-4, 3.2.2),
//! and nobody is locked out for longer than that by somebody else. Tries are counted before the password is looked at,
//! so that many at once are counted too.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::store;
use crate::auth::{Error, secret};
use crate::db::{Db, Txn};

/// So many tries of an account are free.
const FREE_FOR_ACCOUNT: i32 = 5;

/// So many tries from an address are free; several people may share one.
const FREE_FOR_ADDRESS: i32 = 20;

const FIRST_WAIT: TimeDelta = TimeDelta::seconds(30);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// After so long without a try, the count begins anew.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

/// What tries are counted by.
#[derive(Debug)]
pub(in crate::auth) struct Keys {
    account: String,
    address: String,
}

/// The keys of a name, whether or not an account has it, and of an address.
pub(in crate::auth) fn keys(look: &str, address: IpAddr) -> Keys {
    Keys {
        account: secret::digest(&format!("account {look}")),
        address: secret::digest(&format!("address {}", neighbourhood(address))),
    }
}

/// What one client can change its address within: all of an IPv6 network of 64 bits.
fn neighbourhood(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Counts a try, or says how long to wait for the next one.
pub(in crate::auth) async fn begin(db: &Db, keys: &Keys, now: DateTime<Utc>) -> Result<(), Error> {
    let txn = db.write().await?;
    store::forget_attempts_before(&*txn, now - FORGOTTEN_AFTER).await?;
    for (key, free) in [
        (&keys.account, FREE_FOR_ACCOUNT),
        (&keys.address, FREE_FOR_ADDRESS),
    ] {
        let (count, last) = store::find_attempts(&*txn, key).await?.unwrap_or((0, now));
        let wait = last + wait_after(count, free) - now;
        if wait > TimeDelta::zero() {
            return Err(Error::TooManyAttempts(wait));
        }
        store::set_attempts(&*txn, key, count.saturating_add(1), now).await?;
    }
    Ok(txn.commit().await?)
}

/// After a success: the account's tries are forgotten, and this one of the address, where others may still be guessing.
pub(in crate::auth) async fn forget(txn: &Txn, keys: &Keys) -> Result<(), Error> {
    store::forget_attempts(&**txn, &keys.account).await?;
    if let Some((count, last)) = store::find_attempts(&**txn, &keys.address).await? {
        store::set_attempts(&**txn, &keys.address, (count - 1).max(0), last).await?;
    }
    Ok(())
}

fn wait_after(count: i32, free: i32) -> TimeDelta {
    let beyond = count - free;
    if beyond < 0 {
        return TimeDelta::zero();
    }
    // Six doublings are beyond the longest wait.
    let doubled = FIRST_WAIT * 2_i32.pow(beyond.min(6).unsigned_abs());
    doubled.min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_a_quarter_of_an_hour() {
        let waits: Vec<i64> = [0, 4, 5, 6, 7, 9, 10, 2_000]
            .map(|count| wait_after(count, 5).num_seconds())
            .into();
        assert_eq!(waits, [0, 0, 30, 60, 120, 480, 900, 900]);
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let key = |text: &str| keys("ana", text.parse().unwrap()).address;
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
