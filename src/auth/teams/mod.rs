//! Teams of people.

pub(super) mod store;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

use super::accounts::{self, Account};
use super::event::Event;
use super::name::TeamName;
use super::permission::Permission;
use super::{AccountId, Actor, Error, TeamId};
use crate::db::{Db, Page, PageRequest, Subject, Txn};

/// A team as a line of a list.
#[derive(Debug, Clone)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub created_at: DateTime<Utc>,
}

/// Makes a team. No two may look alike.
pub async fn create(
    db: &Db,
    actor: &Actor,
    name: &TeamName,
    now: DateTime<Utc>,
) -> Result<Team, Error> {
    actor.require(Permission::ManagePeople)?;
    let txn = db.write().await?;
    let team = insert(&txn, actor, name, now).await?;
    txn.commit().await?;
    Ok(team)
}

async fn insert(
    txn: &Txn,
    actor: &Actor,
    name: &TeamName,
    now: DateTime<Utc>,
) -> Result<Team, Error> {
    let team = Team {
        id: TeamId(Uuid::now_v7()),
        name: name.to_string(),
        created_at: now,
    };
    store::insert(txn, &team, name).await?;
    let event = Event::TeamCreated {
        team: team.name.clone(),
    };
    event.log(txn, actor, Subject::Team(team.id.0), now).await?;
    Ok(team)
}

/// Lists teams by name.
pub async fn list(db: &Db, actor: &Actor, page: &PageRequest) -> Result<Page<Team>, Error> {
    actor.require(Permission::ManagePeople)?;
    store::list(&**db, page).await
}

pub async fn find(db: &Db, actor: &Actor, id: TeamId) -> Result<Team, Error> {
    actor.require(Permission::ManagePeople)?;
    store::find(&**db, id).await
}

/// Finds a team by its name.
pub async fn find_named(db: &Db, actor: &Actor, name: &TeamName) -> Result<Team, Error> {
    actor.require(Permission::ManagePeople)?;
    store::find_by_skeleton(&**db, &name.skeleton())
        .await?
        .ok_or(Error::UnknownTeam)
}

/// Lists the members of a team by name.
pub async fn list_members(
    db: &Db,
    actor: &Actor,
    id: TeamId,
    page: &PageRequest,
) -> Result<Page<Account>, Error> {
    actor.require(Permission::ManagePeople)?;
    store::list_members(&**db, id, page).await
}

/// Lists the teams that an account is in.
pub async fn list_of(db: &Db, actor: &Actor, id: AccountId) -> Result<Vec<Team>, Error> {
    accounts::require_own_or_all(actor, id)?;
    Ok(store::list_of(&**db, id).await?)
}

/// Adds somebody to a team; nothing happens if they are in it.
pub async fn add_member(
    db: &Db,
    actor: &Actor,
    (team, account): (TeamId, AccountId),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    actor.require(Permission::ManagePeople)?;
    let txn = db.write().await?;
    let team = store::find(&*txn, team).await?;
    let account = accounts::store::find(&*txn, account).await?;
    if store::add_member(&txn, team.id, account.id, None).await? {
        log_added(&txn, actor, &team, &account, now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Takes somebody out of a team; nothing happens if they are not in it.
pub async fn remove_member(
    db: &Db,
    actor: &Actor,
    (team, account): (TeamId, AccountId),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    actor.require(Permission::ManagePeople)?;
    let txn = db.write().await?;
    let team = store::find(&*txn, team).await?;
    let account = accounts::store::find(&*txn, account).await?;
    if store::remove_member(&txn, team.id, account.id).await? {
        log_removed(&txn, actor, &team, &account, now).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Makes the teams that a directory put somebody into exactly these, by name; teams that are not there yet are made.
///
/// What people did by hand stays.
pub(super) async fn follow_directory(
    txn: &Txn,
    actor: &Actor,
    (account, issuer): (&Account, &str),
    names: &[TeamName],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut wanted = Vec::with_capacity(names.len());
    for name in names {
        let team = match store::find_by_skeleton(&**txn, &name.skeleton()).await? {
            Some(team) => team,
            None => insert(txn, actor, name, now).await?,
        };
        if store::add_member(txn, team.id, account.id, Some(issuer)).await? {
            log_added(txn, actor, &team, account, now).await?;
        }
        wanted.push(team.id);
    }
    for team in store::list_given_by(&**txn, account.id, issuer).await? {
        if !wanted.contains(&team.id) && store::remove_member(txn, team.id, account.id).await? {
            log_removed(txn, actor, &team, account, now).await?;
        }
    }
    Ok(())
}

async fn log_added(
    txn: &Txn,
    actor: &Actor,
    team: &Team,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let event = Event::MemberAdded {
        team: team.name.clone(),
        account: account.name.clone(),
    };
    event.log(txn, actor, Subject::Team(team.id.0), now).await
}

async fn log_removed(
    txn: &Txn,
    actor: &Actor,
    team: &Team,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let event = Event::MemberRemoved {
        team: team.name.clone(),
        account: account.name.clone(),
    };
    event.log(txn, actor, Subject::Team(team.id.0), now).await
}
