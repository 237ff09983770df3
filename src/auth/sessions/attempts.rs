//! How often somebody may try to sign in.
//!
//! Tries are counted by network, and by network and name. After a few, each further one waits, longer each time. So a
//! password survives being guessed at (SP 800-63B-4, 3.2.2).
//!
//! A name alone is never closed, or whoever knows it could keep its owner out. When many tries for it are refused, each
//! network gets fewer. A browser that has signed in to the account before is counted by itself alone.
//!
//! Tries are counted before the password is looked at, so that many at once are counted too.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use tracing::warn;

use super::store;
use crate::auth::{Error, secret};
use crate::db::{Db, Txn};

/// How many tries are free, and how long the further ones wait.
#[derive(Debug, Clone, Copy)]
pub(in crate::auth) struct Limit {
    free: i32,
    first_wait: TimeDelta,
    /// Each wait is so many times as long as the one before.
    growth: i32,
    longest_wait: TimeDelta,
    /// After so long without a try, the count begins anew.
    forgotten_after: TimeDelta,
}

/// One network, one name.
const PAIR: Limit = Limit {
    free: 5,
    first_wait: TimeDelta::seconds(30),
    growth: 2,
    longest_wait: TimeDelta::minutes(15),
    forgotten_after: KEPT,
};

/// One network, one name that is under attack.
const ATTACKED_PAIR: Limit = Limit {
    free: 2,
    first_wait: TimeDelta::minutes(1),
    growth: 4,
    longest_wait: TimeDelta::hours(1),
    forgotten_after: KEPT,
};

/// One network, whatever the names; several people may share it.
const NETWORK: Limit = Limit {
    free: 20,
    first_wait: TimeDelta::seconds(30),
    growth: 2,
    longest_wait: TimeDelta::minutes(15),
    forgotten_after: TimeDelta::hours(1),
};

/// All networks of one site, as providers give them out for IPv6.
const SITE: Limit = Limit {
    free: 100,
    ..NETWORK
};

/// So many refused tries make a name one that is under attack.
const ATTACKED_FROM: i32 = 20;

/// One refused try of a name is forgiven in this time.
const FORGIVEN_IN: TimeDelta = TimeDelta::minutes(3);

/// Refused tries of a name beyond this are not counted, so that an attack is over two hours after its end.
const MOST_OF_NAME: i32 = 60;

/// No count is kept for longer.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// No more counts than these are kept; the lowest go first, so that nobody ends a wait by trying many names.
const MOST_KEPT: u64 = 200_000;

/// How often counts are looked over that are too old or too many.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Who tries, as tries are counted.
#[derive(Debug)]
pub(in crate::auth) enum Trying {
    /// A browser that has signed in to this account before, or is signed in to it.
    Known { browser: String },
    /// Anybody else.
    Unknown {
        pair: String,
        networks: Vec<(String, Limit)>,
        name: String,
    },
}

/// A try that was counted.
#[derive(Debug)]
pub(in crate::auth) struct Counted {
    trying: Trying,
    /// Whether the change log has room for it: of a name under attack it takes one try of each network.
    pub(in crate::auth) goes_on_record: bool,
}

impl Trying {
    /// Anybody who types this name, whether or not an account has it.
    pub(in crate::auth) fn unknown(name: &str, address: IpAddr) -> Self {
        let networks = networks(address);
        let nearest = networks.first().map_or("", |(network, _)| network);
        Self::Unknown {
            pair: secret::digest(&format!("name {name} from {nearest}")),
            name: secret::digest(&format!("name {name}")),
            networks: networks
                .iter()
                .map(|(network, limit)| (secret::digest(&format!("network {network}")), *limit))
                .collect(),
        }
    }

    /// A browser that is known by this text, which nobody else can have.
    pub(in crate::auth) fn known(browser: &str) -> Self {
        Self::Known {
            browser: secret::digest(&format!("browser {browser}")),
        }
    }

    /// What is counted, and how often each may be tried.
    fn counts(&self, attacked: bool) -> Vec<(&str, Limit)> {
        match self {
            Self::Known { browser } => vec![(browser, PAIR)],
            Self::Unknown { pair, networks, .. } => {
                let of_pair = if attacked { ATTACKED_PAIR } else { PAIR };
                let networks = networks.iter();
                let networks = networks.map(|(network, limit)| (network.as_str(), *limit));
                std::iter::once((pair.as_str(), of_pair))
                    .chain(networks)
                    .collect()
            }
        }
    }
}

/// What one client can change its address within: of IPv6 a network of 64 bits, and often a site of 48 bits.
fn networks(address: IpAddr) -> Vec<(String, Limit)> {
    match address.to_canonical() {
        IpAddr::V4(address) => vec![(address.to_string(), NETWORK)],
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            vec![
                (format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"), NETWORK),
                (format!("{a:x}:{b:x}:{c:x}::/48"), SITE),
            ]
        }
    }
}

/// Forgets old counts every minute, apart from the tries.
pub async fn keep_forgetting(db: Db) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        if let Err(error) = forget(&db, MOST_KEPT, Utc::now()).await {
            warn!("old counts of tries to sign in are still kept: {error}");
        }
    }
}

/// Forgets the counts that are too old, and the lowest of those that are too many.
async fn forget(db: &Db, most: u64, now: DateTime<Utc>) -> Result<(), Error> {
    if store::count_attempts(&**db).await? == 0 {
        return Ok(());
    }
    let txn = db.write().await?;
    store::forget_attempts_before(&*txn, now - KEPT).await?;
    store::forget_attempts_beyond(&*txn, most).await?;
    txn.commit().await?;
    Ok(())
}

/// Counts a try, or says how long to wait for the next one.
pub(in crate::auth) async fn begin(
    db: &Db,
    trying: Trying,
    now: DateTime<Utc>,
) -> Result<Counted, Error> {
    // Whoever has to wait anyway keeps no writer waiting.
    look(&**db, &trying, now).await?;
    let txn = db.write().await?;
    let found = look(&*txn, &trying, now).await?;
    let is_first = found.counts.first().is_some_and(|(_, count)| *count == 0);
    for (key, count) in &found.counts {
        store::set_attempts(&*txn, key, count.saturating_add(1), now).await?;
    }
    if let Trying::Unknown { name, .. } = &trying {
        let (count, at) = found.of_name.counted(now);
        store::set_attempts(&*txn, name, count, at).await?;
    }
    txn.commit().await?;
    let goes_on_record = is_first || !found.of_name.is_attacked();
    Ok(Counted {
        trying,
        goes_on_record,
    })
}

/// What is counted so far.
struct Found {
    counts: Vec<(String, i32)>,
    of_name: OfName,
}

/// Reads the counts, or says how long to wait.
async fn look(
    db: &impl sea_orm::ConnectionTrait,
    trying: &Trying,
    now: DateTime<Utc>,
) -> Result<Found, Error> {
    let of_name = match trying {
        Trying::Known { .. } => OfName::default(),
        Trying::Unknown { name, .. } => {
            let found = store::find_attempts(db, name).await?;
            found.map_or_else(OfName::default, |(count, last)| {
                OfName::at(count, last, now)
            })
        }
    };
    let mut counts = Vec::new();
    for (key, limit) in trying.counts(of_name.is_attacked()) {
        let found = store::find_attempts(db, key).await?;
        let found = found.filter(|(_, last)| now - *last < limit.forgotten_after);
        let (count, last) = found.unwrap_or((0, now));
        if let Some(wait) = limit.wait_after(count) {
            let left = last + wait - now;
            if left > TimeDelta::zero() {
                return Err(Error::TooManyAttempts(left));
            }
        }
        counts.push((key.to_owned(), count));
    }
    Ok(Found { counts, of_name })
}

impl Counted {
    /// Whether it was a browser that had signed in before.
    pub(in crate::auth) fn is_known(&self) -> bool {
        matches!(self.trying, Trying::Known { .. })
    }

    /// After a success: this browser's or network's tries for the name are forgotten. Others may still be guessing, so
    /// this one try alone is taken back from the rest.
    pub(in crate::auth) async fn forget(&self, txn: &Txn) -> Result<(), Error> {
        self.take_back(txn).await?;
        if let Some((key, _)) = self.trying.counts(false).first() {
            store::forget_attempts(&**txn, key).await?;
        }
        Ok(())
    }

    /// Takes the try back: no password was looked at.
    pub(in crate::auth) async fn take_back(&self, txn: &Txn) -> Result<(), Error> {
        let mut keys = self.trying.counts(false).into_iter().map(|(key, _)| key);
        let name = match &self.trying {
            Trying::Known { .. } => None,
            Trying::Unknown { name, .. } => Some(name.as_str()),
        };
        for key in keys.by_ref().chain(name) {
            if let Some((count, last)) = store::find_attempts(&**txn, key).await? {
                store::set_attempts(&**txn, key, (count - 1).max(0), last).await?;
            }
        }
        Ok(())
    }
}

impl Limit {
    /// How long to wait after the last try; nothing while tries are free, in whatever order those at once are counted.
    fn wait_after(self, count: i32) -> Option<TimeDelta> {
        let beyond = count - self.free;
        if beyond < 0 {
            return None;
        }
        // Six steps are beyond the longest wait.
        let grown = self.first_wait * self.growth.pow(beyond.min(6).unsigned_abs());
        Some(grown.min(self.longest_wait))
    }
}

/// How many tries of a name were refused of late: one is forgiven every few minutes.
#[derive(Debug, Clone, Copy, Default)]
struct OfName {
    count: i32,
    /// When the last one was forgiven.
    since: Option<DateTime<Utc>>,
}

impl OfName {
    fn at(count: i32, since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let forgiven = (now - since).num_seconds() / FORGIVEN_IN.num_seconds();
        let forgiven = i32::try_from(forgiven.max(0)).unwrap_or(i32::MAX);
        if forgiven >= count {
            return Self::default();
        }
        Self {
            count: count - forgiven,
            since: Some(since + FORGIVEN_IN * forgiven),
        }
    }

    fn is_attacked(self) -> bool {
        self.count >= ATTACKED_FROM
    }

    /// What to keep after one more try.
    fn counted(self, now: DateTime<Utc>) -> (i32, DateTime<Utc>) {
        let count = self.count.saturating_add(1).min(MOST_OF_NAME);
        (count, self.since.unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(limit: Limit, counts: &[i32]) -> Vec<i64> {
        let waits = counts.iter().map(|count| limit.wait_after(*count));
        waits
            .map(|wait| wait.map_or(0, |wait| wait.num_seconds()))
            .collect()
    }

    #[test]
    fn waits_grow_and_end_at_a_quarter_of_an_hour_or_an_hour_under_attack() {
        assert_eq!(
            waits(PAIR, &[0, 4, 5, 6, 7, 9, 10, 2_000]),
            [0, 0, 30, 60, 120, 480, 900, 900]
        );
        assert_eq!(
            waits(ATTACKED_PAIR, &[0, 1, 2, 3, 4, 5, 2_000]),
            [0, 0, 60, 240, 960, 3_600, 3_600]
        );
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_its_site_is_counted_too() {
        let keys = |text: &str| -> Vec<String> {
            let networks = networks(text.parse().unwrap());
            networks.into_iter().map(|(network, _)| network).collect()
        };
        assert_eq!(keys("2001:db8:1:2::1"), keys("2001:db8:1:2:ffff::9"));
        assert_eq!(
            keys("2001:db8:1:2::1"),
            ["2001:db8:1:2::/64", "2001:db8:1::/48"]
        );
        assert_eq!(keys("::ffff:10.0.0.1"), keys("10.0.0.1"));
        assert_ne!(keys("10.0.0.1"), keys("10.0.0.2"));
    }

    #[test]
    fn an_attack_on_a_name_is_over_two_hours_after_its_end() {
        let now = Utc::now();
        let mut name = OfName::default();
        for _ in 0..10_000 {
            let (count, since) = name.counted(now);
            name = OfName::at(count, since, now);
        }
        let (count, since) = name.counted(now);
        assert!(OfName::at(count, since, now + TimeDelta::minutes(119)).is_attacked());
        assert!(!OfName::at(count, since, now + TimeDelta::minutes(123)).is_attacked());
    }

    /// A catalog's database, and the folder that it is in.
    async fn database() -> (Db, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
        let db = Db::connect(&url.into()).await.unwrap();
        db.migrate().await.unwrap();
        (db, folder)
    }

    /// Tries a name again and again for a day, from each address as soon as it may; tells how often.
    async fn guesses_in_a_day(db: &Db, name: &str, addresses: &[String]) -> usize {
        let began = Utc::now();
        let mut due: Vec<(DateTime<Utc>, IpAddr)> = addresses
            .iter()
            .map(|address| (began, address.parse().unwrap()))
            .collect();
        let mut guesses = 0;
        while let Some((at, address)) = due.iter_mut().min() {
            if *at >= began + TimeDelta::days(1) {
                break;
            }
            match begin(db, Trying::unknown(name, *address), *at).await {
                Ok(_) => guesses += 1,
                Err(Error::TooManyAttempts(wait)) => *at += wait,
                Err(other) => panic!("{other}"),
            }
        }
        guesses
    }

    #[tokio::test]
    async fn one_network_guesses_a_hundred_times_a_day_and_many_less_each() {
        let (db, _folder) = database().await;
        let one = guesses_in_a_day(&db, "ana", &["192.0.2.1".to_owned()]).await;
        assert!(one <= 106, "{one}");

        let many: Vec<String> = (0..20)
            .map(|number| format!("198.51.100.{number}"))
            .collect();
        let all = guesses_in_a_day(&db, "bob", &many).await;

        // Until the attack is noticed each has a few more.
        assert!(
            all <= 20 * 30 + ATTACKED_FROM.unsigned_abs() as usize,
            "{all}"
        );
    }

    #[tokio::test]
    async fn a_site_that_changes_between_its_networks_is_one_site() {
        let (db, _folder) = database().await;
        let now = Utc::now();
        let mut let_through = 0;
        for number in 0..300 {
            let address = format!("2001:db8:1:{number:x}::1").parse().unwrap();
            let name = format!("name-{}", number % 50);
            let trying = Trying::unknown(&name, address);
            let_through += usize::from(begin(&db, trying, now).await.is_ok());
        }
        let elsewhere = "2001:db8:2::1".parse().unwrap();
        assert_eq!(let_through, 100);
        assert!(
            begin(&db, Trying::unknown("ana", elsewhere), now)
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn free_tries_do_not_wait_for_one_that_came_later_and_was_counted_first() {
        let (db, _folder) = database().await;
        let now = Utc::now();
        let address = "192.0.2.1".parse().unwrap();
        for number in 0..5 {
            let at = now - TimeDelta::milliseconds(number);
            begin(&db, Trying::unknown("ana", address), at)
                .await
                .unwrap();
        }

        let refused = begin(&db, Trying::unknown("ana", address), now).await;

        assert!(matches!(refused, Err(Error::TooManyAttempts(_))));
    }

    #[tokio::test]
    async fn counts_are_forgotten_after_a_day_and_never_too_many() {
        let (db, _folder) = database().await;
        let now = Utc::now();
        let address = "192.0.2.1".parse().unwrap();
        begin(&db, Trying::unknown("ana", address), now)
            .await
            .unwrap();
        let key = Trying::known("a browser");
        let later = now + TimeDelta::hours(25);
        begin(&db, key, later).await.unwrap();
        forget(&db, MOST_KEPT, later).await.unwrap();
        assert_eq!(store::count_attempts(&*db).await.unwrap(), 1);

        for number in 0..9_i64 {
            let at = now + TimeDelta::seconds(number);
            let count = if number == 2 { 9 } else { 1 };
            store::set_attempts(&*db, &format!("key {number}"), count, at)
                .await
                .unwrap();
        }
        forget(&db, 3, now).await.unwrap();
        assert_eq!(store::count_attempts(&*db).await.unwrap(), 3);
        // The one that waits stays, however old it is.
        let waiting = store::find_attempts(&*db, "key 2").await.unwrap();
        assert_eq!(waiting.map(|(count, _)| count), Some(9));
        assert!(store::find_attempts(&*db, "key 8").await.unwrap().is_some());
    }
}
