//! The last sign-ins with a directory, for admins who look for what keeps somebody out.
//!
//! Of each outcome the newest few are kept, so that wrong passwords do not push out the rest. Deliberately absent: names
//! that were typed and belong to nobody (people type passwords there), values of claims, and tokens.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::seen::Seen;
use super::{Assertion, store};
use crate::auth::sessions::{Method, Origin};
use crate::auth::{Actor, Error, Permission, Refused};
use crate::db::{Db, Txn};

/// So many of each way and outcome are kept.
const KEPT: u64 = 25;

/// Longer reasons are cut.
const LONGEST_REASON: usize = 500;

/// A sign-in with a directory.
#[derive(Debug, Clone)]
pub struct SignIn {
    pub at: DateTime<Utc>,
    pub method: String,
    pub outcome: Outcome,
    /// What the person is called, if the directory said so.
    pub name: Option<String>,
    pub address: String,
    /// Why it came to nothing; empty otherwise.
    pub reason: String,
    pub seen: Seen,
}

/// What became of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    SignedIn,
    /// The directory vouches for somebody who may not come in.
    Refused,
    WrongPassword,
    /// A browser came back without anybody. Whoever opens the address can bring that about, so these are kept apart.
    BrokenOff,
    /// The directory gave no answer that can be used.
    Failed,
}

impl Outcome {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Refused => "refused",
            Self::WrongPassword => "wrong_password",
            Self::BrokenOff => "broken_off",
            Self::Failed => "failed",
        }
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        [
            Self::SignedIn,
            Self::Refused,
            Self::WrongPassword,
            Self::BrokenOff,
            Self::Failed,
        ]
        .into_iter()
        .find(|outcome| outcome.as_str() == word)
    }
}

/// Lists the last sign-ins, the newest first.
pub async fn list(db: &Db, actor: &Actor) -> Result<Vec<SignIn>, Error> {
    actor.require(Permission::ManagePeople)?;
    Ok(store::list_sign_ins(&**db).await?)
}

/// A sign-in that is to be kept.
pub(super) struct Attempt<'a> {
    method: Method,
    from: &'a Origin,
    now: DateTime<Utc>,
}

impl<'a> Attempt<'a> {
    pub(super) fn of(method: Method, from: &'a Origin, now: DateTime<Utc>) -> Self {
        Self { method, from, now }
    }

    /// Keeps what a directory said of somebody, and whether they came in.
    pub(super) async fn answered(
        &self,
        txn: &Txn,
        assertion: &Assertion,
        refused: Option<Refused>,
    ) -> Result<(), Error> {
        let sign_in = SignIn {
            name: Some(assertion.name.clone()),
            seen: assertion.seen.clone(),
            reason: refused.map(Refused::as_str).unwrap_or_default().to_owned(),
            ..self.with(refused.map_or(Outcome::SignedIn, |_| Outcome::Refused))
        };
        keep(txn, &sign_in).await
    }

    /// Keeps why a directory said nothing of anybody.
    pub(super) async fn failed(
        &self,
        txn: &Txn,
        outcome: Outcome,
        reason: &str,
    ) -> Result<(), Error> {
        let sign_in = SignIn {
            reason: reason.chars().take(LONGEST_REASON).collect(),
            ..self.with(outcome)
        };
        keep(txn, &sign_in).await
    }

    fn with(&self, outcome: Outcome) -> SignIn {
        SignIn {
            at: self.now,
            method: self.method.as_str().to_owned(),
            outcome,
            name: None,
            address: self.from.address.to_string(),
            reason: String::new(),
            seen: Seen::default(),
        }
    }
}

async fn keep(txn: &Txn, sign_in: &SignIn) -> Result<(), Error> {
    store::insert_sign_in(&**txn, Uuid::now_v7(), sign_in).await?;
    store::delete_sign_ins_beyond(&**txn, sign_in, KEPT).await?;
    Ok(())
}
