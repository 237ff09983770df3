//! Applying what a source reported: a page of assets at a time, each page in a transaction of its own, the *gone* marks
//! of a database in one transaction after its last page.
//!
//! What is already as reported is not written at all. Nothing here deletes a row.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use super::asset::{Address, AddressDigest, Alias, AssetId, AssetKind, Discovered, SourceLayer};
use super::change::{Action, Cause};
use super::difference::differences;
use super::store::{self, Done, Draft, Known, Sealed};
use crate::auth::{Permission, Visibility};
use crate::db::{Db, Txn, lease};

/// How many rows are read at once when looking for what a listing no longer has.
const SWEEP: u64 = 2_000;

/// How many names a refusal tells; the rest is counted.
const TOLD: usize = 100;

/// What became of tables and views.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub new: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub gone: u64,
    pub skipped: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.gone += other.gone;
        self.skipped += other.skipped;
    }
}

/// One database while its listing is being applied. It remembers 16 bytes for each table that it saw.
#[derive(Debug)]
pub struct OpenListing {
    database: AssetId,
    address: Address,
    opened_at: DateTime<Utc>,
    seen: HashSet<AddressDigest>,
    /// How many tables and views were applied, so that they are in the catalog and not gone.
    applied: u64,
}

impl OpenListing {
    /// The database that is being listed.
    pub fn database(&self) -> AssetId {
        self.database
    }

    /// The address of the database that is being listed.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Notes that the source listed something that could not be translated: it stays as it was.
    pub fn keep(&mut self, address: &Address) {
        self.seen.insert(address.identity());
    }
}

/// What may be called gone.
pub struct Removal<'a> {
    /// Tells whether so many of so many known tables of one database may be called gone at once.
    pub allows: &'a (dyn Fn(u64, u64) -> bool + Send + Sync),
    /// Tells whether the recipe looks at an address at all.
    pub covers: &'a (dyn Fn(&Address) -> bool + Send + Sync),
}

/// How the removals of one scope ended.
#[derive(Debug, Default)]
pub struct Closing {
    pub gone: u64,
    /// Set when more was missing than may be removed; then nothing was.
    pub refusal: Option<RemovalRefused>,
}

/// What was missing, and was kept because it was too much.
#[derive(Debug)]
pub struct RemovalRefused {
    pub missing: u64,
    pub known: u64,
    /// The first of the missing, by path.
    pub names: Vec<Address>,
}

/// Writes down databases, in one transaction, and opens them for their tables, in the order given.
pub async fn open(
    db: &Db,
    cause: &Cause,
    databases: Vec<Discovered>,
    now: DateTime<Utc>,
) -> Result<Vec<OpenListing>, Error> {
    cause.actor.require(Permission::WriteSourceLayer)?;
    let addresses: Vec<Address> = databases.iter().map(|one| one.address.clone()).collect();
    let reports = databases.into_iter().map(|one| Reported::new(None, one));
    write_what_differs(db, cause, reports.collect(), now).await?;
    let ids = store::find_at(
        &**db,
        &Visibility::Everything,
        &addresses.iter().collect::<Vec<_>>(),
    )
    .await?;
    let scope = |address: &Address| {
        let database = *ids.get(&address.identity())?;
        Some(OpenListing {
            database,
            address: address.clone(),
            opened_at: now,
            seen: HashSet::new(),
            applied: 0,
        })
    };
    let scopes: Option<Vec<OpenListing>> = addresses.iter().map(scope).collect();
    scopes.ok_or(Error::UnknownAsset)
}

/// Writes down some tables and views of open databases, in one transaction, and counts for each database what became
/// of them. A second report of a name in the same listing is left out: pages shift while tables come and go.
pub async fn apply(
    db: &Db,
    cause: &Cause,
    pages: Vec<(&mut OpenListing, Vec<Discovered>)>,
    now: DateTime<Utc>,
) -> Result<Vec<Counts>, Error> {
    cause.actor.require(Permission::WriteSourceLayer)?;
    let mut counts = vec![Counts::default(); pages.len()];
    let mut reports = Vec::new();
    let mut places = Vec::new();
    for (place, (scope, assets)) in pages.into_iter().enumerate() {
        for asset in assets {
            if scope.seen.insert(asset.address.identity()) {
                scope.applied += 1;
                reports.push(Reported::new(Some(scope.database), asset));
                places.push(place);
            }
        }
    }
    let outcomes = write_what_differs(db, cause, reports, now).await?;
    for (place, outcome) in places.into_iter().zip(outcomes) {
        if let Some(counts) = counts.get_mut(place) {
            match outcome {
                Outcome::New => counts.new += 1,
                Outcome::Changed => counts.changed += 1,
                Outcome::Unchanged => counts.unchanged += 1,
            }
        }
    }
    Ok(counts)
}

/// Ends listings that were read to their last page, in the order given: what they no longer have becomes gone, unless
/// that is too much.
pub async fn close(
    db: &Db,
    cause: &Cause,
    scopes: Vec<OpenListing>,
    removal: &Removal<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<Closing>, Error> {
    cause.actor.require(Permission::WriteSourceLayer)?;
    let databases: Vec<AssetId> = scopes.iter().map(|scope| scope.database).collect();
    let live = store::count_live(&**db, &databases).await?;
    let mut closings = Vec::with_capacity(scopes.len());
    for scope in scopes {
        let nothing_is_missing = live.get(&scope.database).copied().unwrap_or(0) == scope.applied;
        closings.push(if nothing_is_missing {
            Closing::default()
        } else {
            close_one(db, cause, scope, removal, now).await?
        });
    }
    Ok(closings)
}

/// Ends one listing by comparing name by name.
async fn close_one(
    db: &Db,
    cause: &Cause,
    scope: OpenListing,
    removal: &Removal<'_>,
    now: DateTime<Utc>,
) -> Result<Closing, Error> {
    let mut known = 0;
    let mut missing = Vec::new();
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let page = store::live_children(&**db, scope.database, after, SWEEP).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (id, address) in page {
            if !(removal.covers)(&address) {
                continue;
            }
            known += 1;
            if !scope.seen.contains(&address.identity()) {
                missing.push(id);
                if names.len() < TOLD {
                    names.push(address);
                }
            }
        }
    }
    remove(
        db,
        cause,
        Missing {
            database: scope.database,
            ids: missing,
            names,
            known,
            since: scope.opened_at,
        },
        removal,
        now,
    )
    .await
}

/// What one scope no longer has.
struct Missing {
    database: AssetId,
    ids: Vec<AssetId>,
    names: Vec<Address>,
    known: u64,
    /// When the listing began: what somebody else has written since is not missing.
    since: DateTime<Utc>,
}

/// Marks what is missing as gone, or refuses to.
async fn remove(
    db: &Db,
    cause: &Cause,
    missing: Missing,
    removal: &Removal<'_>,
    now: DateTime<Utc>,
) -> Result<Closing, Error> {
    let count = missing.ids.len() as u64;
    if count == 0 {
        return Ok(Closing::default());
    }
    if !(removal.allows)(count, missing.known) {
        let refusal = RemovalRefused {
            missing: count,
            known: missing.known,
            names: missing.names,
        };
        return Ok(Closing {
            gone: 0,
            refusal: Some(refusal),
        });
    }
    let txn = begin(db, cause).await?;
    let database = missing.database;
    let missing = store::still_missing(&txn, &missing.ids, missing.since).await?;
    let gone = missing.len() as u64;
    store::mark_gone(&txn, &missing, now).await?;
    let actions = missing.into_iter().map(|id| Done {
        id,
        database,
        action: Action::Gone,
    });
    let actions = actions.collect();
    store::log(&txn, cause, actions, now).await?;
    txn.commit().await?;
    Ok(Closing {
        gone,
        refusal: None,
    })
}

/// Ends a list of databases that was read to its last page: a database that it no longer has becomes gone with its
/// tables. That is all of a database's tables at once; where the recipe does not allow that, it is kept.
pub async fn close_databases(
    db: &Db,
    cause: &Cause,
    listed: &[Address],
    removal: &Removal<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<(Address, Closing)>, Error> {
    cause.actor.require(Permission::WriteSourceLayer)?;
    let instances: HashSet<(&str, &str)> = listed
        .iter()
        .map(|address| (address.platform.as_str(), address.instance.as_str()))
        .collect();
    let listed: HashSet<AddressDigest> = listed.iter().map(Address::identity).collect();
    let mut closings = Vec::new();
    for (platform, instance) in instances {
        for (id, address) in store::live_databases(&**db, platform, instance).await? {
            if (removal.covers)(&address) && !listed.contains(&address.identity()) {
                let closing = close_vanished(db, cause, (id, &address), removal, now).await?;
                closings.push((address, closing));
            }
        }
    }
    Ok(closings)
}

/// Ends a database that its source no longer has.
async fn close_vanished(
    db: &Db,
    cause: &Cause,
    (database, address): (AssetId, &Address),
    removal: &Removal<'_>,
    now: DateTime<Utc>,
) -> Result<Closing, Error> {
    let everything = Removal {
        allows: removal.allows,
        covers: &|_| true,
    };
    let empty = OpenListing {
        database,
        address: address.clone(),
        opened_at: now,
        seen: HashSet::new(),
        applied: 0,
    };
    let closing = close_one(db, cause, empty, &everything, now).await?;
    if closing.refusal.is_none() {
        let itself = Missing {
            database,
            ids: vec![database],
            names: Vec::new(),
            known: 1,
            since: now,
        };
        remove(
            db,
            cause,
            itself,
            &Removal {
                allows: &|_, _| true,
                covers: removal.covers,
            },
            now,
        )
        .await?;
    }
    Ok(closing)
}

/// Begins a transaction; refuses when the run was ended meanwhile.
async fn begin(db: &Db, cause: &Cause) -> Result<Txn, Error> {
    let txn = db.write().await?;
    if let Some(run) = cause.run
        && !lease::renew(&*txn, run).await?
    {
        return Err(Error::RunEnded);
    }
    Ok(txn)
}

/// What became of one report.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    New,
    Changed,
    Unchanged,
}

/// Compares reports with what is known and writes those that differ, with their log, in one transaction; nothing at
/// all when none does. Answers what became of each, in their order.
async fn write_what_differs(
    db: &Db,
    cause: &Cause,
    reports: Vec<Reported>,
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = vec![Outcome::Unchanged; reports.len()];
    let known = store::known(&**db, identities(&reports)).await?;
    let differing: Vec<(usize, Reported)> = reports
        .into_iter()
        .enumerate()
        .filter(|(_, report)| report.differs_from(known.get(&report.sealed.identity)))
        .collect();
    if differing.is_empty() {
        return Ok(outcomes);
    }

    let (places, differing): (Vec<usize>, Vec<Reported>) = differing.into_iter().unzip();
    let txn = begin(db, cause).await?;
    // Read again, now that nobody else can write.
    let known = store::known(&*txn, identities(&differing)).await?;
    let differing_ids = differing.iter().filter_map(|report| {
        let known = known.get(&report.sealed.identity)?;
        (known.source_hash != report.sealed.source_hash).then_some(known.id)
    });
    let before = store::source_layers(&*txn, differing_ids.collect()).await?;
    let (places, differing): (Vec<usize>, Vec<Reported>) = places
        .into_iter()
        .zip(differing)
        .map(|(place, report)| {
            let known = known.get(&report.sealed.identity);
            let before = known.and_then(|known| before.get(&known.id));
            (place, report.or_what_was_known(before))
        })
        .filter(|(_, report)| report.differs_from(known.get(&report.sealed.identity)))
        .unzip();
    if differing.is_empty() {
        return Ok(outcomes);
    }
    let changes = Changes::of(differing, &known, &before);
    for (place, outcome) in places.into_iter().zip(&changes.outcomes) {
        if let Some(told) = outcomes.get_mut(place) {
            *told = *outcome;
        }
    }
    store::write(&txn, changes.drafts, now).await?;
    store::write_aliases(&txn, changes.aliases, before.into_keys().collect()).await?;
    store::log(&txn, cause, changes.actions, now).await?;
    txn.commit().await?;
    Ok(outcomes)
}

/// A report with its documents as they would be stored.
struct Reported {
    parent: Option<AssetId>,
    discovered: Discovered,
    sealed: Sealed,
}

impl Reported {
    fn new(parent: Option<AssetId>, discovered: Discovered) -> Self {
        let sealed = Sealed::of(&discovered);
        Self {
            parent,
            discovered,
            sealed,
        }
    }

    /// A link whose target could not be read tells no columns: then what was known of the same link stays.
    fn or_what_was_known(self, before: Option<&(AssetKind, SourceLayer)>) -> Self {
        let link = &self.discovered.source.link;
        match before {
            Some((kind, layer))
                if link.is_some()
                    && layer.link == *link
                    && self.discovered.source.columns.is_empty()
                    && !layer.columns.is_empty() =>
            {
                let discovered = Discovered {
                    kind: *kind,
                    source: layer.clone(),
                    ..self.discovered
                };
                Self::new(self.parent, discovered)
            }
            _ => self,
        }
    }

    fn differs_from(&self, known: Option<&Known>) -> bool {
        known.is_none_or(|known| {
            known.gone_at.is_some()
                || known.source_hash != self.sealed.source_hash
                || known.facts_hash != self.sealed.facts_hash
        })
    }

    /// What the report means for an asset; nothing when only its facts are newer.
    fn action(
        &self,
        known: Option<&Known>,
        before: Option<&(AssetKind, SourceLayer)>,
    ) -> Option<Action> {
        let Some(known) = known else {
            return Some(Action::Created);
        };
        let differing = before.map_or_else(Vec::new, |(kind, layer)| {
            differences(
                (*kind, layer),
                (self.discovered.kind, &self.discovered.source),
            )
        });
        if known.gone_at.is_some() {
            return Some(Action::Returned(differing));
        }
        (known.source_hash != self.sealed.source_hash).then_some(Action::Changed(differing))
    }
}

/// What one transaction writes.
#[derive(Default)]
struct Changes {
    /// What becomes of each report.
    outcomes: Vec<Outcome>,
    drafts: Vec<Draft>,
    actions: Vec<Done>,
    aliases: Vec<(AssetId, Vec<Alias>)>,
}

impl Changes {
    fn of(
        reports: Vec<Reported>,
        known: &HashMap<String, Known>,
        before: &HashMap<Uuid, (AssetKind, SourceLayer)>,
    ) -> Self {
        let mut changes = Self::default();
        for mut report in reports {
            let known = known.get(&report.sealed.identity);
            let id = AssetId(known.map_or_else(Uuid::now_v7, |known| known.id));
            let action = report.action(known, before.get(&id.0));
            changes.outcomes.push(match &action {
                Some(Action::Created) => Outcome::New,
                Some(_) => Outcome::Changed,
                None => Outcome::Unchanged,
            });
            if let Some(action) = action {
                changes.actions.push(Done {
                    id,
                    database: report.parent.unwrap_or(id),
                    action,
                });
                let aliases = std::mem::take(&mut report.discovered.aliases);
                changes.aliases.push((id, aliases));
            }
            let Reported {
                parent,
                discovered,
                sealed,
            } = report;
            changes.drafts.push(Draft {
                id,
                parent,
                discovered,
                sealed,
            });
        }
        changes
    }
}

fn identities(reports: &[Reported]) -> Vec<&str> {
    reports
        .iter()
        .map(|report| report.sealed.identity.as_str())
        .collect()
}
