//! Which parts of the catalog are restricted, and to whom.
//!
//! What stands in a restricted scope is seen by the people and teams that it admits, and by admins. A source's
//! restriction and its database's both have to admit. Every query whose answer somebody is shown is limited by
//! [`sees`]; the index asks for what is [closed](closed_to) to somebody. Deliberately absent: the names of sources and
//! databases, which the catalog knows.

mod store;

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::Serialize;
use uuid::Uuid;

use super::{AccountId, Actor, Denied, Permission, Place, Scope, Sight, TeamId};
use crate::db::{self, BadCursor, Db, Page, PageRequest, changes};
use crate::error::{Explain, Kind};

pub(crate) use store::{Standing, forget_principal, scope_id, sees, select_closed_sources};

/// Who sees what is in a restricted scope, beside admins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Admitted {
    pub accounts: BTreeSet<AccountId>,
    pub teams: BTreeSet<TeamId>,
}

/// A restricted scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    pub scope: Scope,
    pub admitted: Admitted,
}

/// The restricted scopes that do not admit somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closed {
    /// Platforms and instances.
    pub sources: HashSet<(String, String)>,
    /// The ids of the databases' assets.
    pub databases: HashSet<Uuid>,
}

impl Closed {
    /// Whether everything is open.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.databases.is_empty()
    }

    /// Whether what stands there is hidden.
    pub fn hides(&self, place: &Place<'_>) -> bool {
        self.databases.contains(&place.database)
            || (!self.sources.is_empty()
                && self
                    .sources
                    .contains(&(place.platform.to_owned(), place.instance.to_owned())))
    }
}

/// What a row of the log tells of a restriction that was made, changed or lifted.
#[derive(Serialize)]
struct Details<'a> {
    kind: &'static str,
    platform: &'a str,
    instance: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<Uuid>,
    /// Nothing where everybody saw it.
    before: Option<&'a Admitted>,
    after: Option<&'a Admitted>,
}

/// Makes a scope visible to these people and teams only, from now on and at once everywhere.
///
/// Whoever was admitted before and is not named now no longer is. Nobody at all means admins alone.
pub async fn restrict(
    db: &Db,
    actor: &Actor,
    scope: &Scope,
    admitted: &Admitted,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    set(db, actor, scope, Some(admitted), now).await
}

/// Makes a scope visible to everybody who may read.
pub async fn open(db: &Db, actor: &Actor, scope: &Scope, now: DateTime<Utc>) -> Result<(), Error> {
    set(db, actor, scope, None, now).await
}

async fn set(
    db: &Db,
    actor: &Actor,
    scope: &Scope,
    after: Option<&Admitted>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    actor.require(Permission::Restrict)?;

    let txn = db.write().await?;
    let before = store::find(&*txn, scope).await?;
    if before.as_ref() == after {
        return Ok(());
    }
    if let Some(admitted) = after {
        store::require_known(&*txn, admitted).await?;
    }
    let id = store::scope_id(&txn, scope).await?;
    store::replace(&txn, id, after).await?;
    store::count_up(&txn).await?;
    let action = match (&before, after) {
        (_, None) => "opened",
        (None, Some(_)) => "restricted",
        (Some(_), Some(_)) => "admitted",
    };
    let details = details(scope, before.as_ref(), after);
    let entry = actor.entry(("scope", id), action, details, now);
    changes::append(&txn, vec![entry]).await?;
    txn.commit().await?;
    Ok(())
}

fn details(scope: &Scope, before: Option<&Admitted>, after: Option<&Admitted>) -> String {
    let (platform, instance) = scope.source();
    let details = Details {
        kind: scope.kind(),
        platform,
        instance,
        database: scope.database(),
        before,
        after,
    };
    serde_json::to_string(&details).expect("names and ids are plain text")
}

/// Whom a scope admits; nothing when it is open to everybody.
pub async fn find_restriction(db: &Db, scope: &Scope) -> Result<Option<Admitted>, Error> {
    Ok(store::find(&**db, scope).await?)
}

/// Lists the restricted scopes, source by source.
pub async fn list_restricted(
    db: &Db,
    actor: &Actor,
    page: &PageRequest,
) -> Result<Page<Restriction>, Error> {
    actor.require(Permission::Restrict)?;

    store::list(&**db, page).await
}

/// The restricted scopes that do not admit somebody.
pub async fn closed_to(db: &Db, sight: &Sight) -> Result<Closed, DbErr> {
    store::closed_to(&**db, sight).await
}

/// Whether anything at all is closed to somebody.
pub async fn is_limited(db: &Db, sight: &Sight) -> Result<bool, DbErr> {
    store::is_limited(&**db, sight).await
}

/// A number that grows whenever a scope is restricted or opened, or admits others.
pub async fn version(db: &Db) -> Result<i64, DbErr> {
    store::version(&**db).await
}

/// Why a scope could not be restricted or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("There is no such database.")]
    UnknownDatabase,
    #[error("One of the people or teams is no longer there.")]
    UnknownPrincipal,
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("The restrictions could not be read or written.")]
    Database(#[from] DbErr),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownDatabase => Kind::NotFound,
            Self::UnknownPrincipal | Self::BadCursor(_) => Kind::Invalid,
            Self::Denied(denied) => denied.kind(),
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownPrincipal => Some("Choose again from the people and teams there are now."),
            Self::BadCursor(_) => Some("Start from the first page."),
            Self::Denied(denied) => denied.hint(),
            Self::UnknownDatabase | Self::Database(_) => None,
        }
    }
}
