//! One folder per outside system, each turning that system's answers into reports of assets.
//!
//! A source knows the catalog's types only: it opens no database and knows no recipe syntax. The set is closed: a new
//! source is a folder, a variant of [`Source`] and a match arm.

pub mod glue;
mod pattern;
mod permission;
mod room;

pub use pattern::{BadPattern, Pattern};
pub use permission::MissingPermission;
pub use room::Held;

use tokio::sync::mpsc;

use crate::catalog::{Address, Discovered, Listing};

/// What a source tells while it is being read.
///
/// For each database: one `Opened`, any number of `Page`s, one `Closed`, in this order; the reports of several databases
/// come interleaved. `Databases` comes once, after every `Opened`, and says whether all databases were listed. What is
/// reported takes room in memory, which should be held until it is written.
#[derive(Debug)]
pub enum Report {
    /// A database was found.
    Opened {
        database: Box<Discovered>,
        held: Held,
    },
    /// Some tables and views of a database.
    Page {
        database: Address,
        assets: Vec<Discovered>,
        skipped: Vec<Skipped>,
        held: Held,
    },
    /// Listed, but left out by the settings: it stays as it was. A table comes between its database's `Opened` and
    /// `Closed`, a database anywhere before `Databases`.
    Kept(Address),
    /// No more will come of this database.
    Closed { database: Address, listing: Listing },
    /// How the list of databases itself ended.
    Databases { listing: Listing },
    /// Something a person should know: an odd answer that was coped with.
    Finding(Finding),
}

/// What could not be translated, by name, and why; it stays as it was in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub address: Address,
    pub reason: String,
}

/// Something a run noticed and coped with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about, if it is about one asset.
    pub about: Option<Address>,
    /// What was found, as a whole sentence.
    pub text: String,
}

/// A configured outside system.
#[derive(Debug, Clone)]
pub enum Source {
    Glue(glue::Settings),
}

/// How a discovery ended and what it cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests sent, retries included.
    pub calls: u64,
}

impl Source {
    /// Reads the whole source and reports what it finds to `reports`, several databases in parallel.
    ///
    /// Waits whenever the receiver is behind or holds too much, so that memory stays bounded; stops early, without an error, when the
    /// receiver is gone. An error means that nothing at all could be read (no credentials, no such region); whatever
    /// fails later makes one database's listing incomplete instead.
    pub async fn discover(&self, reports: mpsc::Sender<Report>) -> Result<Cost, Error> {
        match self {
            Self::Glue(settings) => glue::discover(settings, reports).await,
        }
    }

    /// Asks the source for its first answer alone.
    pub async fn probe(&self) -> Result<(), Error> {
        let (sender, mut reports) = mpsc::channel(1);
        tokio::select! {
            outcome = self.discover(sender) => outcome.map(drop),
            Some(_) = reports.recv() => Ok(()),
        }
    }

    /// The platform of every asset that this source reports.
    pub fn platform(&self) -> &'static str {
        match self {
            Self::Glue(_) => glue::PLATFORM,
        }
    }

    /// Tells whether the settings let this source report `address`; what they leave out is never called gone.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Glue(settings) => settings.covers(address),
        }
    }
}

/// Why nothing of a source could be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A whole sentence for the run's report; never contains a secret.
    #[error("{0}")]
    Unreadable(String),
}
