//! How the endpoint is told to misbehave, and its memory of what it was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For faults: whatever page is asked.
pub const EVERY_PAGE: u32 = 0;

/// What can be asked of Glue here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Databases,
    Database,
    Tables,
    Table,
}

impl Operation {
    const ALL: [Self; 4] = [Self::Databases, Self::Database, Self::Tables, Self::Table];

    /// The operation's name in Glue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Databases => "GetDatabases",
            Self::Database => "GetDatabase",
            Self::Tables => "GetTables",
            Self::Table => "GetTable",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// One way in which Glue, or the way to it, misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `ThrottlingException`.
    Throttled,
    /// `AccessDeniedException`.
    AccessDenied,
    /// `EntityNotFoundException`, as when a database is dropped between two calls.
    EntityNotFound,
    /// `InternalServiceException`, status 500.
    InternalError,
    /// `OperationTimeoutException`.
    OperationTimeout,
    /// `InvalidInputException`, as for a `NextToken` that has expired.
    InvalidInput,
    /// `ExpiredTokenException`: the credentials have run out.
    ExpiredToken,
    /// The connection is closed in the middle of the answer.
    ClosedConnection,
    /// Status 200 with a body that is not JSON.
    NotJson,
    /// The page is answered, and its `NextToken` leads to the same page again.
    RepeatedToken,
    /// No entries but a `NextToken`, after which the listing goes on where it was.
    EmptyPage,
    /// The answer comes, but late.
    Slow(Duration),
}

impl Fault {
    /// This fault for the next `calls` calls; those after it are answered.
    pub fn times(self, calls: u32) -> PlannedFault {
        PlannedFault {
            fault: self,
            left: Some(calls),
        }
    }
}

/// A fault and how often it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedFault {
    fault: Fault,
    /// `None`: for ever.
    left: Option<u32>,
}

impl From<Fault> for PlannedFault {
    fn from(fault: Fault) -> Self {
        Self { fault, left: None }
    }
}

/// What was asked for: an operation, about which database, and which page of the answer, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    pub(super) database: String,
    pub(super) page: u32,
}

/// The faults to come and the calls that came.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    faults: Vec<(Asked, PlannedFault)>,
    calls: BTreeMap<Asked, u64>,
    access_keys: BTreeSet<String>,
}

impl Ledger {
    pub(super) fn plan(&mut self, asked: Asked, fault: PlannedFault) {
        self.faults.push((asked, fault));
    }

    pub(super) fn forget_faults(&mut self) {
        self.faults.clear();
    }

    /// Notes a call and says which fault it meets: of several planned for it, the first that is not used up.
    pub(super) fn note(&mut self, asked: Asked, access_key: Option<&str>) -> Option<Fault> {
        if let Some(key) = access_key
            && !self.access_keys.contains(key)
        {
            self.access_keys.insert(key.to_owned());
        }
        let fault = self.strike(&asked);
        *self.calls.entry(asked).or_default() += 1;
        fault
    }

    fn strike(&mut self, asked: &Asked) -> Option<Fault> {
        let (_, planned) = self.faults.iter_mut().find(|(at, planned)| {
            at.operation == asked.operation
                && at.database == asked.database
                && (at.page == asked.page || at.page == EVERY_PAGE)
                && planned.left != Some(0)
        })?;
        planned.left = planned.left.map(|left| left.saturating_sub(1));
        Some(planned.fault)
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.values().sum()
    }

    pub(super) fn calls_of(&self, operation: Operation, database: &str) -> u64 {
        self.calls
            .iter()
            .filter(|(at, _)| at.operation == operation && at.database == database)
            .map(|(_, count)| count)
            .sum()
    }

    pub(super) fn access_keys(&self) -> Vec<String> {
        self.access_keys.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: u32) -> Asked {
        Asked {
            operation: Operation::Tables,
            database: "sales".to_owned(),
            page,
        }
    }

    #[test]
    fn a_fault_strikes_its_page_as_often_as_planned() {
        let mut ledger = Ledger::default();
        ledger.plan(page(2), Fault::Throttled.times(1));
        ledger.plan(page(2), Fault::InternalError.times(1));

        let met: Vec<_> = [1, 2, 2, 2]
            .map(|number| ledger.note(page(number), None))
            .into();

        let expected = [
            None,
            Some(Fault::Throttled),
            Some(Fault::InternalError),
            None,
        ];
        assert_eq!(met, expected);
        assert_eq!(ledger.calls(), 4);
    }

    #[test]
    fn a_fault_without_a_count_strikes_for_ever_and_on_every_page_if_so_planned() {
        let mut ledger = Ledger::default();
        ledger.plan(page(EVERY_PAGE), Fault::AccessDenied.into());

        let met = [1, 5, 5].map(|number| ledger.note(page(number), None));

        assert_eq!(met, [Some(Fault::AccessDenied); 3]);
    }
}
