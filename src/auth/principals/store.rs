//! The queries on people and teams by their names.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{Named, Principal};
use crate::auth::accounts::store::{contains, name_contains};
use crate::auth::{AccountId, Role, TeamId};
use crate::db::entity::{account, team};

pub(super) async fn search(
    db: &impl ConnectionTrait,
    words: &str,
    admins: bool,
    limit: u64,
) -> Result<Vec<Named>, DbErr> {
    let mut people = account::Entity::find().filter(contains(words));
    if !admins {
        people = people.filter(account::Column::Role.ne(Role::Admin.as_str()));
    }
    let people = people
        .filter(account::Column::LockedAt.is_null())
        .filter(account::Column::Kind.eq("person"))
        .order_by_asc(account::Column::Name)
        .limit(limit)
        .all(db)
        .await?;
    let teams = team::Entity::find()
        .filter(name_contains(team::Column::Name, words))
        .order_by_asc(team::Column::Name)
        .limit(limit)
        .all(db)
        .await?;
    let people = people.into_iter().map(named_account);
    Ok(people.chain(teams.into_iter().map(named_team)).collect())
}

pub(in crate::auth) async fn find_named(
    db: &impl ConnectionTrait,
    principals: &[Principal],
) -> Result<HashMap<Principal, Named>, DbErr> {
    if principals.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = || principals.iter().map(|principal| principal.id());
    let people = account::Entity::find()
        .filter(account::Column::Id.is_in(ids()))
        .all(db)
        .await?;
    let teams = team::Entity::find()
        .filter(team::Column::Id.is_in(ids()))
        .all(db)
        .await?;
    let people = people.into_iter().map(named_account);
    let all = people.chain(teams.into_iter().map(named_team));
    Ok(all.map(|named| (named.principal, named)).collect())
}

pub(super) async fn find_by_skeleton(
    db: &impl ConnectionTrait,
    look: &str,
) -> Result<Vec<Principal>, DbErr> {
    let person = account::Entity::find()
        .filter(account::Column::Look.eq(look))
        .one(db)
        .await?
        .map(|row| Principal::Account(AccountId(row.id)));
    let team = team::Entity::find()
        .filter(team::Column::Look.eq(look))
        .one(db)
        .await?
        .map(|row| Principal::Team(TeamId(row.id)));
    Ok(person.into_iter().chain(team).collect())
}

fn named_account(row: account::Model) -> Named {
    Named {
        principal: Principal::Account(AccountId(row.id)),
        label: row.display_name.unwrap_or_else(|| row.name.clone()),
        name: row.name,
    }
}

fn named_team(row: team::Model) -> Named {
    Named {
        principal: Principal::Team(TeamId(row.id)),
        label: row.name.clone(),
        name: row.name,
    }
}
