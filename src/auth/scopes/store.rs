//! Every query about scopes, and the condition by which other queries leave out what is hidden.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, SqlErr,
};
use uuid::Uuid;

use super::{Admitted, Closed, Error, Restriction};
use crate::auth::principals::Principal;
use crate::auth::{AccountId, Scope, TeamId, Visibility};
use crate::db::entity::{admission, scope, visibility};
use crate::db::{Page, PageRequest, Txn, storable};

const ACCOUNT: &str = "account";
const TEAM: &str = "team";

/// How many rows one statement writes, below both databases' limits on parameters.
const BATCH: usize = 500;

/// A [`Place`](crate::auth::Place) in a query: the expressions that say where a row stands.
pub(crate) struct PlaceOfRow {
    pub(crate) platform: SimpleExpr,
    pub(crate) instance: SimpleExpr,
    /// The id of the database's asset.
    pub(crate) database: SimpleExpr,
}

/// Leaves out of a query what stands in a scope that is closed to somebody; adds nothing for who sees everything.
///
/// Each part looks one index up for a row, however many scopes are restricted.
pub(crate) fn sees(visibility: &Visibility, place: PlaceOfRow) -> Condition {
    let Some(closed) = closed(visibility) else {
        return Condition::all();
    };
    let of = |column| Expr::col((scope::Entity, column));
    let scopes = |at: Condition| {
        let scopes = Query::select()
            .expr(Expr::val(1))
            .from(scope::Entity)
            .cond_where(at)
            .cond_where(closed.clone())
            .to_owned();
        Expr::exists(scopes)
    };
    let database = Condition::all().add(of(scope::Column::DatabaseId).eq(place.database));
    let source = Condition::all()
        .add(of(scope::Column::Platform).eq(place.platform))
        .add(of(scope::Column::Instance).eq(place.instance))
        .add(of(scope::Column::Kind).eq("source"));
    Condition::all()
        .add(scopes(database).not())
        .add(scopes(source).not())
}

/// Selects platform and instance of the sources in which anything is closed to somebody; `None` when nothing can be.
pub(crate) fn select_closed_sources(visibility: &Visibility) -> Option<SelectStatement> {
    let closed = closed(visibility)?;
    Some(
        Query::select()
            .distinct()
            .columns([scope::Column::Platform, scope::Column::Instance])
            .from(scope::Entity)
            .cond_where(closed)
            .to_owned(),
    )
}

/// Tells whether anything at all is closed to somebody.
pub(super) async fn is_limited(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
) -> Result<bool, DbErr> {
    let Some(condition) = closed(visibility) else {
        return Ok(false);
    };
    let row: Option<Uuid> = scope::Entity::find()
        .select_only()
        .column(scope::Column::Id)
        .filter(condition)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(row.is_some())
}

/// Is true of the scopes that are closed to somebody; `None` when nothing can be.
fn closed(visibility: &Visibility) -> Option<Condition> {
    let Visibility::As { account, teams } = visibility else {
        return None;
    };
    let restricted = Expr::col((scope::Entity, scope::Column::Restricted)).eq(true);
    let account = account.iter().map(|id| id.0);
    let principals: Vec<Uuid> = account.chain(teams.iter().map(|id| id.0)).collect();
    if principals.is_empty() {
        return Some(Condition::all().add(restricted));
    }
    let of = |column| Expr::col((admission::Entity, column));
    let admitted = Query::select()
        .expr(Expr::val(1))
        .from(admission::Entity)
        .and_where(of(admission::Column::ScopeId).equals((scope::Entity, scope::Column::Id)))
        .and_where(of(admission::Column::PrincipalId).is_in(principals))
        .to_owned();
    Some(
        Condition::all()
            .add(restricted)
            .add(Expr::exists(admitted).not()),
    )
}

/// Reads the restricted scopes that do not admit somebody.
pub(super) async fn closed_to(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
) -> Result<Closed, DbErr> {
    let Some(condition) = closed(visibility) else {
        return Ok(Closed::default());
    };
    let rows: Vec<(String, String, Option<Uuid>)> = scope::Entity::find()
        .select_only()
        .columns([
            scope::Column::Platform,
            scope::Column::Instance,
            scope::Column::DatabaseId,
        ])
        .filter(condition)
        .into_tuple()
        .all(db)
        .await?;
    let mut closed = Closed::default();
    for (platform, instance, database) in rows {
        match database {
            Some(id) => drop(closed.databases.insert(id)),
            None => drop(closed.sources.insert((platform, instance))),
        }
    }
    Ok(closed)
}

/// Whom a scope admits; nothing when it is not restricted.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    scope: &Scope,
) -> Result<Option<Admitted>, DbErr> {
    let id: Option<Uuid> = scope::Entity::find()
        .select_only()
        .column(scope::Column::Id)
        .filter(scope::Column::Digest.eq(scope.digest()))
        .filter(scope::Column::Restricted.eq(true))
        .into_tuple()
        .one(db)
        .await?;
    match id {
        Some(id) => Ok(Some(
            admitted(db, vec![id])
                .await?
                .remove(&id)
                .unwrap_or_default(),
        )),
        None => Ok(None),
    }
}

/// The id of a scope's row, which only a scope that rights were ever about has.
pub(super) async fn find_id(
    db: &impl ConnectionTrait,
    scope: &Scope,
) -> Result<Option<Uuid>, DbErr> {
    scope::Entity::find()
        .select_only()
        .column(scope::Column::Id)
        .filter(scope::Column::Digest.eq(scope.digest()))
        .into_tuple()
        .one(db)
        .await
}

async fn admitted(
    db: &impl ConnectionTrait,
    scopes: Vec<Uuid>,
) -> Result<HashMap<Uuid, Admitted>, DbErr> {
    let rows = admission::Entity::find()
        .filter(admission::Column::ScopeId.is_in(scopes))
        .all(db)
        .await?;
    let mut admitted: HashMap<Uuid, Admitted> = HashMap::new();
    for row in rows {
        let principal = if row.principal == TEAM {
            Principal::Team(TeamId(row.principal_id))
        } else {
            Principal::Account(AccountId(row.principal_id))
        };
        admitted.entry(row.scope_id).or_default().insert(principal);
    }
    Ok(admitted)
}

/// Lists the restricted scopes by platform, instance and id.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    page: &PageRequest,
) -> Result<Page<Restriction>, Error> {
    let mut query = scope::Entity::find()
        .filter(scope::Column::Restricted.eq(true))
        .order_by_asc(scope::Column::Platform)
        .order_by_asc(scope::Column::Instance)
        .order_by_asc(scope::Column::Id)
        .limit(page.limit + 1);
    if let Some((platform, instance, id)) = page.key::<(String, String, Uuid)>()? {
        let same_platform = scope::Column::Platform.eq(platform.as_str());
        let same_instance = scope::Column::Instance.eq(instance.as_str());
        query = query.filter(
            Condition::any()
                .add(scope::Column::Platform.gt(platform.as_str()))
                .add(
                    same_platform
                        .clone()
                        .and(scope::Column::Instance.gt(instance.as_str())),
                )
                .add(
                    same_platform
                        .and(same_instance)
                        .and(scope::Column::Id.gt(id)),
                ),
        );
    }
    let page = Page::of_rows(query.all(db).await?, page, |row| {
        (row.platform.clone(), row.instance.clone(), row.id)
    });
    let ids = page.items.iter().map(|row| row.id).collect();
    let mut admitted = admitted(db, ids).await?;
    let next = page.next;
    let restriction = |row: scope::Model| {
        Some(Restriction {
            admitted: admitted.remove(&row.id).unwrap_or_default(),
            scope: Scope::from_parts(&row.kind, row.platform, row.instance, row.database_id)?,
        })
    };
    let items = page.items.into_iter().filter_map(restriction).collect();
    Ok(Page { items, next })
}

/// The id of a scope's row, which is made when it is first needed.
pub(crate) async fn scope_id(txn: &Txn, scope: &Scope) -> Result<Uuid, Error> {
    let digest = scope.digest();
    let known: Option<Uuid> = scope::Entity::find()
        .select_only()
        .column(scope::Column::Id)
        .filter(scope::Column::Digest.eq(digest.as_str()))
        .into_tuple()
        .one(&**txn)
        .await?;
    if let Some(id) = known {
        return Ok(id);
    }
    let id = Uuid::now_v7();
    let (platform, instance) = scope.source();
    let row = scope::ActiveModel {
        id: Set(id),
        kind: Set(scope.kind().to_owned()),
        digest: Set(digest),
        platform: Set(storable(platform)),
        instance: Set(storable(instance)),
        database_id: Set(scope.database()),
        restricted: Set(false),
    };
    match scope::Entity::insert(row)
        .exec_without_returning(&**txn)
        .await
    {
        Ok(_) => Ok(id),
        Err(error) => Err(match error.sql_err() {
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::UnknownDatabase,
            _ => error.into(),
        }),
    }
}

/// Writes down whom a scope admits, or that it is open.
pub(super) async fn replace(txn: &Txn, id: Uuid, admitted: Option<&Admitted>) -> Result<(), DbErr> {
    scope::Entity::update_many()
        .col_expr(scope::Column::Restricted, Expr::value(admitted.is_some()))
        .filter(scope::Column::Id.eq(id))
        .exec(&**txn)
        .await?;
    admission::Entity::delete_many()
        .filter(admission::Column::ScopeId.eq(id))
        .exec(&**txn)
        .await?;
    let Some(admitted) = admitted else {
        return Ok(());
    };
    let rows = admitted.iter().map(|principal| admission::ActiveModel {
        scope_id: Set(id),
        principal_id: Set(principal.id()),
        principal: Set(match principal {
            Principal::Account(_) => ACCOUNT.to_owned(),
            Principal::Team(_) => TEAM.to_owned(),
        }),
    });
    let rows: Vec<_> = rows.collect();
    for batch in rows.chunks(BATCH) {
        admission::Entity::insert_many(batch.to_vec())
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

/// Says to every process that who sees what has changed.
pub(super) async fn count_up(txn: &Txn) -> Result<(), DbErr> {
    visibility::Entity::update_many()
        .col_expr(
            visibility::Column::Version,
            Expr::col(visibility::Column::Version).add(1),
        )
        .exec(&**txn)
        .await
        .map(drop)
}

/// How often who sees what has changed.
pub(super) async fn version(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let row = visibility::Entity::find().one(db).await?;
    Ok(row.map_or(0, |row| row.version))
}
