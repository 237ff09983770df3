//! What was read of a page, on its way to whoever applies it.

use aws_sdk_glue::types::Table;

use super::translate::{Scope, Translated};
use crate::catalog::Discovered;
use crate::sources::room::Held;
use crate::sources::{Finding, Report, Skipped};

/// How much room a batch takes before it is reported, in bytes.
const FULL: usize = 2 << 20;

/// How many tables are skipped, and how many links wait, before a batch is reported.
const MANY: usize = 100;

/// How many findings are told of one table; the rest is counted.
const FINDINGS: usize = 50;

/// A link, and the room that it takes until it was followed.
pub(super) struct Link {
    pub(super) table: Box<Table>,
    pub(super) held: Held,
}

/// Some tables of one database.
pub(super) struct Batch<'a> {
    pub(super) scope: &'a Scope,
    /// Links that were not followed yet.
    pub(super) links: Vec<Link>,
    /// The room that everything but links takes.
    pub(super) held: Held,
    assets: Vec<Discovered>,
    skipped: Vec<Skipped>,
    findings: Vec<Finding>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self {
            scope,
            links: Vec::new(),
            held: Held::default(),
            assets: Vec::new(),
            skipped: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Tells whether it is time to report it.
    pub(super) fn is_full(&self) -> bool {
        let links: usize = self.links.iter().map(|link| link.held.bytes()).sum();
        let bytes = self.held.bytes() + links;
        bytes >= FULL || self.skipped.len() >= MANY || self.links.len() >= MANY
    }

    pub(super) fn add(&mut self, name: &str, translated: Result<Translated, String>) {
        match translated {
            Ok(Translated {
                asset,
                mut findings,
            }) => {
                if findings.len() > FINDINGS {
                    let more = findings.len() - FINDINGS;
                    findings.truncate(FINDINGS);
                    findings.push(format!(
                        "{more} more findings about this table are not told."
                    ));
                }
                let about = |text| Finding {
                    about: Some(asset.address.clone()),
                    text,
                };
                self.findings.extend(findings.into_iter().map(about));
                self.assets.push(asset);
            }
            Err(reason) => self.skip(name, reason),
        }
    }

    /// Notes that a table is there, but could not be read.
    pub(super) fn skip(&mut self, name: &str, reason: String) {
        let address = self.scope.address.child(name);
        self.skipped.push(Skipped { address, reason });
    }

    pub(super) fn found_twice(&mut self, name: &str) {
        self.findings.push(Finding {
            about: Some(self.scope.address.child(name)),
            text: "AWS Glue listed this name twice on one page; the first is kept.".to_owned(),
        });
    }

    /// Notes something about the database.
    pub(super) fn find(&mut self, text: String) {
        let about = Some(self.scope.address.clone());
        self.findings.push(Finding { about, text });
    }

    /// Takes out what is to be reported; links stay, with their room, until they are followed.
    pub(super) fn reports(&mut self) -> Vec<Report> {
        let held = std::mem::take(&mut self.held);
        let mut reports = Vec::with_capacity(1 + self.findings.len());
        if !self.assets.is_empty() || !self.skipped.is_empty() {
            reports.push(Report::Page {
                database: self.scope.address.clone(),
                assets: std::mem::take(&mut self.assets),
                skipped: std::mem::take(&mut self.skipped),
                held,
            });
        }
        let findings = std::mem::take(&mut self.findings);
        reports.extend(findings.into_iter().map(Report::Finding));
        reports
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Address;
    use crate::sources::room::Room;

    #[test]
    fn links_keep_their_room_until_they_are_followed() {
        let scope = Scope {
            address: Address {
                platform: "glue".to_owned(),
                instance: String::new(),
                path: vec!["shop".to_owned()],
            },
            account: None,
            region: "eu-central-1".to_owned(),
            owners: true,
        };
        let room = Room::of(4 * FULL);
        let mut batch = Batch::new(&scope);
        let table = Table::builder().name("link").build().unwrap();
        batch.links.push(Link {
            table: Box::new(table),
            held: room.try_take(usize::MAX).unwrap(),
        });
        batch.find("Something was found.".to_owned());

        assert_eq!(batch.reports().len(), 1);

        assert!(batch.is_full());
        assert!(room.try_take(1).is_none());
        batch.links.clear();
        assert!(room.try_take(1).is_some());
    }
}
