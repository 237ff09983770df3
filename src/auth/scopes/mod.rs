//! Which parts of the catalog are restricted, and to whom.
//!
//! What stands in a restricted scope is seen by the people and teams that it admits, and by admins. A source's
//! restriction and its database's both have to admit. Every query whose answer somebody is shown is limited by
//! [`sees`]; the index asks for what is [closed](closed_to) to somebody. Deliberately absent: the names of sources and
//! databases, which the catalog knows.

mod store;

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

use super::event::Event;
use super::principals::{self, Named, Principal};
use super::{Actor, Denied, Permission, Place, Scope, Visibility};
use crate::db::{self, BadCursor, Db, Page, PageRequest, Subject};
use crate::error::{Explain, Kind};

pub(crate) use store::{PlaceOfRow, scope_id, sees, select_closed_sources};

/// Who sees what is in a restricted scope, beside admins.
pub type Admitted = BTreeSet<Principal>;

/// Whom a scope admitted when somebody looked; nothing where it was open to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(pub Option<Admitted>);

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
    set(db, actor, scope, Change::to(Some(admitted)), now).await
}

/// The same, but only if nobody has changed it since somebody saw that it admitted these.
pub async fn change_from(
    db: &Db,
    actor: &Actor,
    scope: &Scope,
    (seen, after): (&Seen, Option<&Admitted>),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let seen = Some(seen);
    set(db, actor, scope, Change { seen, after }, now).await
}

/// Makes a scope visible to everybody who may read.
pub async fn open(db: &Db, actor: &Actor, scope: &Scope, now: DateTime<Utc>) -> Result<(), Error> {
    set(db, actor, scope, Change::to(None), now).await
}

/// Whom a scope is to admit; nothing when it is to be open to everybody.
struct Change<'a> {
    /// Whom it admitted when somebody looked, where that matters.
    seen: Option<&'a Seen>,
    after: Option<&'a Admitted>,
}

impl<'a> Change<'a> {
    /// A change that is made whatever others have done.
    fn to(after: Option<&'a Admitted>) -> Self {
        Self { seen: None, after }
    }
}

async fn set(
    db: &Db,
    actor: &Actor,
    scope: &Scope,
    Change { seen, after }: Change<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    actor.require(Permission::Restrict)?;

    let txn = db.write().await?;
    let before = store::find(&*txn, scope).await?;
    if before.as_ref() == after {
        return Ok(());
    }
    if seen.is_some_and(|Seen(seen)| *seen != before) {
        return Err(Error::Changed(before));
    }
    let concerned: Vec<Principal> = before.iter().chain(after).flatten().copied().collect();
    let names = principals::store::find_named(&*txn, &concerned).await?;
    if after.is_some_and(|after| after.iter().any(|one| !names.contains_key(one))) {
        return Err(Error::UnknownPrincipal);
    }
    let id = store::scope_id(&txn, scope).await?;
    store::replace(&txn, id, after).await?;
    store::count_up(&txn).await?;
    event(scope, before.as_ref(), after, &names)
        .log(&txn, actor, Subject::Scope(id), now)
        .await?;
    txn.commit().await?;
    Ok(())
}

fn event(
    scope: &Scope,
    before: Option<&Admitted>,
    after: Option<&Admitted>,
    names: &HashMap<Principal, Named>,
) -> Event {
    let scope = scope.clone();
    let names = |admitted: &Admitted| {
        let all = admitted.iter().filter_map(|one| names.get(one));
        all.map(Named::in_words).collect()
    };
    match (before, after) {
        (before, None) => Event::ScopeOpened {
            scope,
            before: before.map(names).unwrap_or_default(),
        },
        (None, Some(after)) => Event::ScopeRestricted {
            scope,
            after: names(after),
        },
        (Some(before), Some(after)) => Event::AdmissionChanged {
            scope,
            before: names(before),
            after: names(after),
        },
    }
}

/// Whom a scope admits; nothing when it is open to everybody.
pub async fn find_restriction(db: &Db, scope: &Scope) -> Result<Option<Admitted>, Error> {
    Ok(store::find(&**db, scope).await?)
}

/// The id under which the log knows a scope; nothing if rights were never about it.
pub async fn find_id(db: &Db, scope: &Scope) -> Result<Option<Uuid>, DbErr> {
    store::find_id(&**db, scope).await
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
pub async fn closed_to(db: &Db, visibility: &Visibility) -> Result<Closed, DbErr> {
    store::closed_to(&**db, visibility).await
}

/// Whether anything at all is closed to somebody.
pub async fn is_limited(db: &Db, visibility: &Visibility) -> Result<bool, DbErr> {
    store::is_limited(&**db, visibility).await
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
    /// It admits these now.
    #[error("Somebody else changed who sees it while you were choosing.")]
    Changed(Option<Admitted>),
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
            Self::Changed(_) => Kind::Conflict,
            Self::Denied(denied) => denied.kind(),
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownPrincipal => Some("Choose again from the people and teams there are now."),
            Self::Changed(_) => {
                Some("Both choices are put together below: look them over and send it again.")
            }
            Self::BadCursor(_) => Some("Start from the first page."),
            Self::Denied(denied) => denied.hint(),
            Self::UnknownDatabase | Self::Database(_) => None,
        }
    }
}
