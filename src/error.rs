//! The closed list of kinds of failure, and how one explains itself.
//!
//! Every module has an error enum of its own whose `Display` is a sentence for a person. What they share is here:
//! which [`Kind`] of failure it is, and a hint at what to do next. Deliberately absent: HTTP status codes (only
//! `web::Failure` knows them) and exit statuses (only `cli` does).

use std::error::Error;
use std::time::Duration;

/// What sort of failure this is, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was given cannot be right; the sentence says which part.
    Invalid,
    /// There is no such thing.
    NotFound,
    /// Somebody else was faster, or it is busy.
    Conflict,
    /// Nobody is signed in.
    Unauthenticated,
    /// Whoever is signed in may not do this.
    Forbidden,
    /// Too often, or too many at once; waiting helps.
    TooMany,
    /// Something this depends on does not answer; trying again later can help.
    Unavailable,
    /// The catalog can be reached, but not written or not trusted; its operator can mend that.
    Storage(Storage),
    /// A defect or a fault of the machine: the cause is for the log, never for the person.
    Internal,
}

/// What is wrong with the place where the catalog is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// The disk has no room left.
    Full,
    /// Another writer holds the catalog and does not end.
    Stuck,
    /// The file is no longer the one that was opened.
    Replaced,
    /// The file holds what no SQLite has written.
    Damaged,
}

impl Storage {
    /// Says what happened.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Full => {
                "The disk of the catalog is full or takes nothing more, so nothing was saved."
            }
            Self::Stuck => {
                "Another process is writing to the catalog and does not finish, so nothing was saved."
            }
            Self::Replaced => {
                "The catalog's file was deleted or replaced while it was in use, so nothing was saved."
            }
            Self::Damaged => "The catalog's file is damaged.",
        }
    }

    /// Says what to do next.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Full => {
                "Ask the operator of this catalog to make room, then try again. Nothing has to be restarted."
            }
            Self::Stuck => {
                "Try again in a moment. `gazetteer doctor` and /readyz name the process that writes."
            }
            Self::Replaced => {
                "Ask the operator of this catalog to put the file back, or to restart Gazetteer on the new one."
            }
            Self::Damaged => {
                "Ask the operator of this catalog to restore a backup. `gazetteer doctor` says what is damaged."
            }
        }
    }
}

/// An error that can tell a person what happened and what to do next.
pub trait Explain: Error {
    /// Tells which kind of failure this is.
    fn kind(&self) -> Kind;

    /// Suggests what to do next, as a whole sentence.
    fn hint(&self) -> Option<&'static str> {
        None
    }

    /// Tells how long to wait before trying again, where waiting is what helps.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// Joins an error and its causes into one line, outermost first, each cause told once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.truncate(text.trim_end_matches('.').len());
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = inner.source();
    }
    text
}
