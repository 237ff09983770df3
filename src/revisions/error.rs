//! The reasons for which an edit is refused, and the conflict between two edits.

use std::error::Error as StdError;
use std::fmt;

use sea_orm::DbErr;

use super::Revision;
use super::aspect::{Aspect, Problem};
use super::merge::Merged;
use crate::auth::Denied;
use crate::db::{self, Subject};
use crate::error::{Explain, Kind};

/// A save that came too late: somebody else has saved meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct EditConflict<A> {
    pub theirs: Revision<A>,
    /// What was to be saved.
    pub mine: A,
    /// Both put together, to be looked at and saved against their version.
    pub merged: Merged<A>,
}

/// Why an edit was not saved.
#[derive(Debug)]
pub enum EditError<A: Aspect> {
    Conflict(Box<EditConflict<A>>),
    Problems(Vec<Problem>),
    /// An error of the module that keeps the thing.
    Other(Box<dyn Explain + Send + Sync>),
}

impl<A: Aspect> fmt::Display for EditError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(_) => f.write_str("Somebody else saved it while you were editing."),
            Self::Problems(problems) => f.write_str(&in_one_line(problems)),
            Self::Other(error) => error.fmt(f),
        }
    }
}

impl<A: Aspect> StdError for EditError<A> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Conflict(_) | Self::Problems(_) => None,
            Self::Other(error) => error.source(),
        }
    }
}

fn in_one_line(problems: &[Problem]) -> String {
    let texts: Vec<&str> = problems
        .iter()
        .map(|problem| problem.text.as_str())
        .collect();
    texts.join(" ")
}

impl<A: Aspect> EditError<A> {
    /// Wraps an error of the module that keeps the thing.
    pub fn other(error: impl Explain + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(error))
    }
}

impl<A: Aspect> From<Error> for EditError<A> {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

impl<A: Aspect> From<DbErr> for EditError<A> {
    fn from(cause: DbErr) -> Self {
        Error::from(cause).into()
    }
}

impl<A: Aspect> Explain for EditError<A> {
    fn kind(&self) -> Kind {
        match self {
            Self::Conflict(_) => Kind::Conflict,
            Self::Problems(_) => Kind::Invalid,
            Self::Other(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Conflict(_) => {
                Some("Look at both texts, and save the one you want against the newer version.")
            }
            Self::Problems(_) => None,
            Self::Other(error) => error.hint(),
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Conflict(_) | Self::Problems(_) => None,
            Self::Other(error) => error.retry_after(),
        }
    }
}

/// Why aspects could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Busy(#[from] db::Busy),
    #[error("What people say of the {} {} cannot be read.", .0.kind(), .0.id())]
    Damaged(Subject, #[source] Box<dyn StdError + Send + Sync>),
    #[error("What people say could not be read or written.")]
    Database(#[from] DbErr),
}

impl Error {
    pub(super) fn damaged<E: Into<Box<dyn StdError + Send + Sync>>>(
        of: Subject,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::Damaged(of, cause.into())
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied(denied) => denied.kind(),
            Self::Busy(busy) => busy.kind(),
            Self::Damaged(..) => Kind::Internal,
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Denied(denied) => denied.hint(),
            Self::Busy(busy) => busy.hint(),
            Self::Damaged(..) | Self::Database(_) => None,
        }
    }

    fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Busy(busy) => busy.retry_after(),
            _ => None,
        }
    }
}
