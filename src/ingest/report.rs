//! The report of a run, while it is being written: listings and findings wait here and go to the database together.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Error, Level, Listed, RunFinding, Severity, store};
use crate::auth::Visibility;
use crate::catalog::{self, Address, AssetId, Counts, Listing};
use crate::db::{Db, Txn, clock, lease, storable};

/// How much may wait. A run that is killed loses so much of its report, which its next run makes anew.
const MOST_WAITING: usize = 100;

/// How many findings one report has at most; the rest is counted.
const MOST_FINDINGS: i32 = 10_000;

/// How many characters a finding, and the name of what it is about, have at most.
const LONGEST: usize = 2_000;

/// What is still to be written of a run's report.
#[derive(Debug)]
pub(super) struct RunReport {
    run: Uuid,
    listings: Vec<Listed>,
    findings: Vec<(Option<Address>, RunFinding)>,
    /// How many findings there were so far, and how many besides were only counted.
    found: i32,
    untold: u64,
    /// The runs before this one, once somebody asked: what they found, too, is not new.
    before: Option<Vec<Uuid>>,
    /// How many of them were problems.
    pub(super) problems: u64,
}

impl RunReport {
    pub(super) fn new(run: Uuid) -> Self {
        Self {
            run,
            listings: Vec::new(),
            findings: Vec::new(),
            found: 0,
            untold: 0,
            before: None,
            problems: 0,
        }
    }

    /// Notes something that was not read, translated or written.
    pub(super) fn note(&mut self, severity: Severity, about: Option<&Address>, text: String) {
        self.problems += 1;
        if self.found >= MOST_FINDINGS {
            self.untold += 1;
            return;
        }
        self.push(severity, about, text);
    }

    fn push(&mut self, severity: Severity, about: Option<&Address>, text: String) {
        let finding = RunFinding {
            position: self.found,
            level: Level::Problem,
            severity,
            since: None,
            asset: None,
            about: about.map(|address| shortened(address.path.join("."))),
            text: shortened(text),
        };
        self.found += 1;
        self.findings.push((about.cloned(), finding));
    }

    /// Counts what was found beyond the most that is told.
    pub(super) fn end(&mut self) {
        if self.untold > 0 {
            let text = format!(
                "{} more findings are not told. Mend the first ones, and run the recipe again.",
                std::mem::take(&mut self.untold)
            );
            self.push(Severity::NotReadInFull, None, text);
        }
    }

    /// Notes how and when, by the database's clock, the listing of a database ended.
    pub(super) fn listed(
        &mut self,
        (database, name): (AssetId, &str),
        counts: Counts,
        how: Listing,
        listed_at: DateTime<Utc>,
    ) {
        let (complete, reason) = match how {
            Listing::Complete => (true, None),
            Listing::Incomplete(reason) => (false, Some(reason)),
        };
        self.listings.push(Listed {
            run: self.run,
            database,
            name: name.to_owned(),
            complete,
            reason,
            counts,
            listed_at,
        });
    }

    /// Tells whether it is time to write.
    pub(super) fn is_full(&self) -> bool {
        self.listings.len() + self.findings.len() >= MOST_WAITING
    }

    /// Writes what waits. Findings are tied to their assets here, so these should have been written before.
    ///
    /// Each transaction writes nothing when the run was ended meanwhile.
    pub(super) async fn write(&mut self, db: &Db) -> Result<(), Error> {
        if !self.listings.is_empty() {
            let txn = self.begin(db).await?;
            store::add_listings(&*txn, &self.listings).await?;
            txn.commit().await?;
            self.listings.clear();
        }
        while !self.findings.is_empty() {
            let now: Vec<_> = self.findings.iter().take(MOST_WAITING).cloned().collect();
            let many = now.len();
            let about: Vec<&Address> = now.iter().filter_map(|(about, _)| about.as_ref()).collect();
            let ids = catalog::find_at(db, &Visibility::Everything, &about).await?;
            let findings = now.into_iter().map(|(about, finding)| RunFinding {
                asset: about.and_then(|address| ids.get(&address.identity()).copied()),
                ..finding
            });
            let mut findings: Vec<RunFinding> = findings.collect();
            self.date(db, &mut findings).await?;
            let txn = self.begin(db).await?;
            store::add_findings(&*txn, self.run, findings).await?;
            txn.commit().await?;
            self.findings.drain(..many);
        }
        Ok(())
    }

    /// Says since when it is so: since the run before found the same, or since now.
    async fn date(&mut self, db: &Db, findings: &mut [RunFinding]) -> Result<(), Error> {
        if self.before.is_none() {
            self.before = Some(store::list_runs_before(&**db, self.run).await?);
        }
        let before = self.before.as_deref().unwrap_or_default();
        let known = store::find_known(&**db, before, findings).await?;
        let now = clock::now(&**db).await?;
        for finding in findings {
            let about = finding.about.as_deref().map(storable);
            let same = (finding.severity, about);
            finding.since = Some(known.get(&same).copied().unwrap_or(now));
        }
        Ok(())
    }

    async fn begin(&self, db: &Db) -> Result<Txn, Error> {
        let txn = db.write().await?;
        if lease::renew(&*txn, self.run).await? {
            Ok(txn)
        } else {
            Err(Error::TakenForDead)
        }
    }
}

/// A text that is not longer than a finding may be.
fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
