//! The queries on teams and who is in them.

use sea_orm::sea_query::{ExprTrait as _, Query};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr,
    EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, SqlErr,
};

use super::Team;
use crate::auth::accounts::{self, Account};
use crate::auth::name::TeamName;
use crate::auth::{AccountId, Error, TeamId};
use crate::db::entity::{account, membership, team};
use crate::db::{Page, PageRequest, Txn};

/// Stores a team. The unique index on how names look decides who came first.
pub(super) async fn insert(txn: &Txn, new: &Team, name: &TeamName) -> Result<(), Error> {
    let row = team::ActiveModel {
        id: Set(new.id.0),
        name: Set(new.name.clone()),
        look: Set(name.skeleton()),
        created_at: Set(new.created_at),
    };
    row.insert(&**txn)
        .await
        .map(drop)
        .map_err(|error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::NameTaken(new.name.clone()),
            _ => error.into(),
        })
}

pub(super) async fn find(db: &impl ConnectionTrait, id: TeamId) -> Result<Team, Error> {
    let row = team::Entity::find_by_id(id.0).one(db).await?;
    row.map(read).ok_or(Error::UnknownTeam)
}

pub(super) async fn find_by_skeleton(
    db: &impl ConnectionTrait,
    look: &str,
) -> Result<Option<Team>, DbErr> {
    let row = team::Entity::find()
        .filter(team::Column::Look.eq(look))
        .one(db)
        .await?;
    Ok(row.map(read))
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    page: &PageRequest,
) -> Result<Page<Team>, Error> {
    let mut query = team::Entity::find()
        .order_by_asc(team::Column::Name)
        .limit(page.limit + 1);
    if let Some(name) = page.key::<String>()? {
        query = query.filter(team::Column::Name.gt(name));
    }
    let teams = query.all(db).await?.into_iter().map(read).collect();
    Ok(Page::of_rows(teams, page, |team| team.name.clone()))
}

pub(super) async fn list_members(
    db: &impl ConnectionTrait,
    id: TeamId,
    page: &PageRequest,
) -> Result<Page<Account>, Error> {
    let members = Query::select()
        .column(membership::Column::AccountId)
        .from(membership::Entity)
        .and_where(membership::Column::TeamId.eq(id.0))
        .to_owned();
    let mut query = account::Entity::find()
        .filter(account::Column::Id.in_subquery(members))
        .order_by_asc(account::Column::Name)
        .limit(page.limit + 1);
    if let Some(name) = page.key::<String>()? {
        query = query.filter(account::Column::Name.gt(name));
    }
    let rows = query.all(db).await?.into_iter();
    let accounts = rows
        .map(accounts::store::read)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of_rows(accounts, page, |account| {
        account.name.clone()
    }))
}

pub(in crate::auth) async fn list_of(
    db: &impl ConnectionTrait,
    id: AccountId,
) -> Result<Vec<Team>, DbErr> {
    list_where(db, membership::Column::AccountId.eq(id.0)).await
}

/// The teams that this issuer's groups put an account into.
pub(super) async fn list_given_by(
    db: &impl ConnectionTrait,
    id: AccountId,
    issuer: &str,
) -> Result<Vec<Team>, DbErr> {
    let given = membership::Column::AccountId.eq(id.0);
    list_where(db, given.and(membership::Column::Issuer.eq(issuer))).await
}

async fn list_where(
    db: &impl ConnectionTrait,
    memberships: sea_orm::sea_query::Expr,
) -> Result<Vec<Team>, DbErr> {
    let theirs = Query::select()
        .column(membership::Column::TeamId)
        .from(membership::Entity)
        .and_where(memberships)
        .to_owned();
    let rows = team::Entity::find()
        .filter(team::Column::Id.in_subquery(theirs))
        .order_by_asc(team::Column::Name)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Adds a member; tells whether that was anything new.
pub(super) async fn add_member(
    txn: &Txn,
    team: TeamId,
    account: AccountId,
    issuer: Option<&str>,
) -> Result<bool, DbErr> {
    let row = membership::ActiveModel {
        team_id: Set(team.0),
        account_id: Set(account.0),
        issuer: Set(issuer.map(str::to_owned)),
    };
    let added = membership::Entity::insert(row)
        .on_conflict_do_nothing()
        .exec_without_returning(&**txn)
        .await?;
    Ok(matches!(added, sea_orm::TryInsertResult::Inserted(rows) if rows > 0))
}

/// Takes a member out; tells whether they were one.
pub(super) async fn remove_member(
    txn: &Txn,
    team: TeamId,
    account: AccountId,
) -> Result<bool, DbErr> {
    let removed = membership::Entity::delete_many()
        .filter(membership::Column::TeamId.eq(team.0))
        .filter(membership::Column::AccountId.eq(account.0))
        .exec(&**txn)
        .await?;
    Ok(removed.rows_affected > 0)
}

fn read(row: team::Model) -> Team {
    Team {
        id: TeamId(row.id),
        name: row.name,
        created_at: row.created_at,
    }
}
