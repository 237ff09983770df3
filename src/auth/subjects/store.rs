//! The queries on the names of things, one for each kind of thing.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{Expr, Func};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QuerySelect as _,
};
use uuid::Uuid;

use crate::auth::principals::{self, Principal};
use crate::auth::scopes::{PlaceOfRow, sees};
use crate::auth::{AccountId, TeamId, Visibility};
use crate::db::Subject;
use crate::db::entity::asset;

/// So many things are looked up by one statement, below both databases' limits on parameters.
const BATCH: usize = 500;

/// Leaves out of a query of assets what somebody does not see.
pub(crate) fn sees_assets(visibility: &Visibility) -> Condition {
    let of = |column| Expr::col((asset::Entity, column));
    let database = [of(asset::Column::ParentId), of(asset::Column::Id)];
    let place = PlaceOfRow {
        platform: of(asset::Column::Platform),
        instance: of(asset::Column::Instance),
        database: Func::coalesce(database).into(),
    };
    sees(visibility, place)
}

/// Finds out which things are there and seen.
pub(crate) async fn find_seen(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    subjects: &[Subject],
) -> Result<HashSet<Subject>, DbErr> {
    Ok(find_named(db, visibility, subjects)
        .await?
        .into_keys()
        .collect())
}

/// Finds the names of things that are there and seen: of an asset its path, of a person or a team what to call it.
///
/// Things of other kinds have no names here.
pub(crate) async fn find_named(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    subjects: &[Subject],
) -> Result<HashMap<Subject, String>, DbErr> {
    let mut names = HashMap::with_capacity(subjects.len());
    let assets = subjects.iter().filter_map(|subject| match subject {
        Subject::Asset(id) => Some(*id),
        _ => None,
    });
    let assets: Vec<Uuid> = assets.collect();
    for ids in assets.chunks(BATCH) {
        let rows: Vec<(Uuid, String)> = asset::Entity::find()
            .select_only()
            .columns([asset::Column::Id, asset::Column::Path])
            .filter(asset::Column::Id.is_in(ids.iter().copied()))
            .filter(sees_assets(visibility))
            .into_tuple()
            .all(db)
            .await?;
        let rows = rows.into_iter();
        names.extend(rows.map(|(id, path)| (Subject::Asset(id), path_in_words(&path))));
    }
    let principals = subjects.iter().filter_map(|subject| match subject {
        Subject::Account(id) => Some(Principal::Account(AccountId(*id))),
        Subject::Team(id) => Some(Principal::Team(TeamId(*id))),
        _ => None,
    });
    let principals: Vec<Principal> = principals.collect();
    for principals in principals.chunks(BATCH) {
        let found = principals::store::find_named(db, principals).await?;
        let found = found.into_iter();
        names.extend(found.map(|(principal, named)| (principal.subject(), named.label)));
    }
    Ok(names)
}

/// The names of a path, which is kept as JSON, with dots between them.
fn path_in_words(path: &str) -> String {
    let names: Vec<String> = serde_json::from_str(path).unwrap_or_default();
    names.join(".")
}
