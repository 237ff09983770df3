//! The queries on accounts and what they look after.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, IntoColumnRef, LikeExpr, Query};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DbErr,
    EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    SqlErr,
};

use super::{Account, AccountKind, ExternalIdentity, RoleGrant};
use crate::auth::name::AccountName;
use crate::auth::permission::{Role, StewardScope};
use crate::auth::scope::Scope;
use crate::auth::{AccountId, Error, scopes, secret};
use crate::db::entity::{account, identity, scope, stewardship};
use crate::db::{Page, PageRequest, Txn};

/// Stores an account. The unique index on how names look decides who came first.
pub(super) async fn insert(txn: &Txn, new: &Account, name: &AccountName) -> Result<(), Error> {
    let row = account::ActiveModel {
        id: Set(new.id.0),
        kind: Set(new.kind.as_str().to_owned()),
        name: Set(new.name.clone()),
        look: Set(name.skeleton()),
        display_name: Set(new.display_name.clone()),
        role: Set(new.role.to_string()),
        everywhere: Set(new.everywhere),
        password_hash: Set(None),
        created_at: Set(new.created_at),
        signed_in_at: Set(None),
        locked_at: Set(None),
    };
    row.insert(&**txn)
        .await
        .map(drop)
        .map_err(|error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::NameTaken(new.name.clone()),
            _ => error.into(),
        })
}

pub(in crate::auth) async fn find(
    db: &impl ConnectionTrait,
    id: AccountId,
) -> Result<Account, Error> {
    let row = account::Entity::find_by_id(id.0).one(db).await?;
    read(row.ok_or(Error::UnknownAccount)?)
}

pub(in crate::auth) async fn find_by_skeleton(
    db: &impl ConnectionTrait,
    look: &str,
) -> Result<Option<Account>, Error> {
    let row = account::Entity::find()
        .filter(account::Column::Look.eq(look))
        .one(db)
        .await?;
    row.map(read).transpose()
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    words: &str,
    page: &PageRequest,
) -> Result<Page<Account>, Error> {
    let mut query = account::Entity::find()
        .order_by_asc(account::Column::Name)
        .limit(page.limit + 1);
    if !words.is_empty() {
        query = query.filter(contains(words));
    }
    if let Some(name) = page.key::<String>()? {
        query = query.filter(account::Column::Name.gt(name));
    }
    let rows = query.all(db).await?.into_iter();
    let accounts = rows.map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::of_rows(accounts, page, |account| {
        account.name.clone()
    }))
}

/// Names and display names that contain these words, without regard to case.
pub(in crate::auth) fn contains(words: &str) -> Condition {
    Condition::any()
        .add(name_contains(account::Column::Name, words))
        .add(name_contains(account::Column::DisplayName, words))
}

/// Names in this column that contain these words, without regard to case.
pub(in crate::auth) fn name_contains(column: impl IntoColumnRef, words: &str) -> Expr {
    let escaped = words.to_lowercase().replace('\\', "\\\\");
    let escaped = escaped.replace('%', "\\%").replace('_', "\\_");
    Expr::expr(Func::lower(Expr::col(column)))
        .like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}

/// Tells whether there is any account yet.
pub(in crate::auth) async fn any(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(account::Entity::find().limit(1).count(db).await? > 0)
}

/// Counts the people who are admins and not locked.
pub(in crate::auth) async fn count_admins(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    account::Entity::find()
        .filter(account::Column::Role.eq(Role::Admin.as_str()))
        .filter(account::Column::Kind.eq(AccountKind::Person.as_str()))
        .filter(account::Column::LockedAt.is_null())
        .count(db)
        .await
}

pub(in crate::auth) async fn standing(
    db: &impl ConnectionTrait,
    account: &Account,
) -> Result<RoleGrant, Error> {
    if account.role != Role::Steward || account.everywhere {
        return Ok(RoleGrant::new(account.role, None));
    }
    let looked_after = Query::select()
        .column(stewardship::Column::ScopeId)
        .from(stewardship::Entity)
        .and_where(stewardship::Column::AccountId.eq(account.id.0))
        .to_owned();
    let rows = scope::Entity::find()
        .filter(scope::Column::Id.in_subquery(looked_after))
        .order_by_asc(scope::Column::Id)
        .all(db)
        .await?;
    let scopes = rows.into_iter().filter_map(|row| {
        Scope::from_parts(&row.kind, row.platform, row.instance, row.database_id)
    });
    Ok(RoleGrant::new(account.role, Some(scopes.collect())))
}

/// What each of some accounts may do.
pub(super) async fn list_standings(
    db: &impl ConnectionTrait,
    accounts: &[Account],
) -> Result<HashMap<AccountId, RoleGrant>, DbErr> {
    let in_scopes = |account: &&Account| account.role == Role::Steward && !account.everywhere;
    let rows = stewardship::Entity::find()
        .find_also_related(scope::Entity)
        .filter(
            stewardship::Column::AccountId.is_in(
                accounts
                    .iter()
                    .filter(in_scopes)
                    .map(|account| account.id.0),
            ),
        )
        .order_by_asc(stewardship::Column::ScopeId)
        .all(db)
        .await?;
    let mut scopes: HashMap<AccountId, Vec<Scope>> = HashMap::new();
    for (stewardship, scope) in rows {
        let scope = scope.and_then(|row| {
            Scope::from_parts(&row.kind, row.platform, row.instance, row.database_id)
        });
        let theirs = scopes.entry(AccountId(stewardship.account_id));
        theirs.or_default().extend(scope);
    }
    let standing = |account: &Account| {
        let scopes = in_scopes(&account).then(|| scopes.remove(&account.id).unwrap_or_default());
        (account.id, RoleGrant::new(account.role, scopes))
    };
    Ok(accounts.iter().map(standing).collect())
}

/// Stores a role and, for a steward, the scopes.
pub(super) async fn set_standing(
    txn: &Txn,
    id: AccountId,
    standing: &RoleGrant,
) -> Result<(), Error> {
    account::Entity::update_many()
        .col_expr(account::Column::Role, Expr::value(standing.role.as_str()))
        .col_expr(
            account::Column::Everywhere,
            Expr::value(standing.is_everywhere()),
        )
        .filter(account::Column::Id.eq(id.0))
        .exec(&**txn)
        .await?;
    stewardship::Entity::delete_many()
        .filter(stewardship::Column::AccountId.eq(id.0))
        .exec(&**txn)
        .await?;
    let StewardScope::Scopes(scopes) = &standing.steward_scope else {
        return Ok(());
    };
    for scope in scopes {
        let row = stewardship::ActiveModel {
            account_id: Set(id.0),
            scope_id: Set(scopes::scope_id(txn, scope).await?),
        };
        stewardship::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

pub(super) async fn set_locked(
    db: &impl ConnectionTrait,
    id: AccountId,
    at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    set(db, id, account::Column::LockedAt, Expr::value(at)).await
}

pub(super) async fn set_display_name(
    db: &impl ConnectionTrait,
    id: AccountId,
    name: Option<&str>,
) -> Result<(), DbErr> {
    let name = name.map(str::to_owned);
    set(db, id, account::Column::DisplayName, Expr::value(name)).await
}

pub(in crate::auth) async fn set_password_hash(
    db: &impl ConnectionTrait,
    id: AccountId,
    hash: String,
) -> Result<(), DbErr> {
    set(db, id, account::Column::PasswordHash, Expr::value(hash)).await
}

pub(in crate::auth) async fn set_signed_in(
    db: &impl ConnectionTrait,
    id: AccountId,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(db, id, account::Column::SignedInAt, Expr::value(at)).await
}

async fn set(
    db: &impl ConnectionTrait,
    id: AccountId,
    column: account::Column,
    to: Expr,
) -> Result<(), DbErr> {
    account::Entity::update_many()
        .col_expr(column, to)
        .filter(account::Column::Id.eq(id.0))
        .exec(db)
        .await
        .map(drop)
}

/// Finds the account that is this subject at this issuer.
pub(in crate::auth) async fn find_by_identity(
    db: &impl ConnectionTrait,
    issuer: &str,
    subject: &str,
) -> Result<Option<Account>, Error> {
    let row = identity::Entity::find_by_id(identity_digest(issuer, subject))
        .one(db)
        .await?;
    match row {
        Some(row) => find(db, AccountId(row.account_id)).await.map(Some),
        None => Ok(None),
    }
}

/// Who an account is at each issuer that it is linked to; there are few of them.
pub(super) async fn list_identities(
    db: &impl ConnectionTrait,
    id: AccountId,
) -> Result<Vec<ExternalIdentity>, DbErr> {
    let rows = identity::Entity::find()
        .filter(identity::Column::AccountId.eq(id.0))
        .order_by_asc(identity::Column::LinkedAt)
        .limit(100)
        .all(db)
        .await?;
    let read = |row: identity::Model| ExternalIdentity {
        issuer: row.issuer,
        subject: row.subject,
        linked_at: row.linked_at,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Remembers who an account is at an issuer.
pub(in crate::auth) async fn link_identity(
    db: &impl ConnectionTrait,
    id: AccountId,
    (issuer, subject): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = identity::ActiveModel {
        digest: Set(identity_digest(issuer, subject)),
        account_id: Set(id.0),
        issuer: Set(issuer.to_owned()),
        subject: Set(subject.to_owned()),
        linked_at: Set(now),
    };
    row.insert(db).await.map(drop)
}

fn identity_digest(issuer: &str, subject: &str) -> String {
    // The length keeps an issuer's end and a subject's beginning apart.
    secret::digest(&format!("{} {issuer} {subject}", issuer.len()))
}

pub(in crate::auth) fn read(row: account::Model) -> Result<Account, Error> {
    let id = AccountId(row.id);
    let kind = match row.kind.as_str() {
        "service" => AccountKind::Service,
        _ => AccountKind::Person,
    };
    Ok(Account {
        id,
        kind,
        name: row.name,
        display_name: row.display_name,
        role: row
            .role
            .parse()
            .map_err(|cause| Error::Damaged(id.0, cause))?,
        everywhere: row.everywhere,
        created_at: row.created_at,
        signed_in_at: row.signed_in_at,
        locked_at: row.locked_at,
        password_hash: row.password_hash,
    })
}
