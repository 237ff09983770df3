//! The log of every change: who, when, to what, before and after.
//!
//! An entry is written in the transaction that makes the change. Numbers are given in the order of commits and without
//! gaps, so a reader that remembers the last number it saw misses nothing: `change_head` is locked from the first write
//! of a transaction to its end. That is plain SQL, so it holds on anything that speaks Postgres' protocol.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Iterable, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::change_groups;
use super::entity::{change, change_head};
use super::{Page, PageRequest, Subject, Txn, page, pieces};

pub use super::change_groups::{Placed, Tally};

/// Longer details are not read, only that there was a change: earlier versions wrote them without a limit.
const LONGEST_DETAILS: i64 = 4_000_000;

/// One change, before it has a number.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: DateTime<Utc>,
    /// The actor as JSON.
    pub actor: String,
    /// The account of the actor, when it has one.
    pub actor_id: Option<Uuid>,
    /// The request, or else the run, on whose behalf it is done, when there is one.
    pub request_id: Option<String>,
    pub run_id: Option<Uuid>,
    pub subject: Subject,
    pub action: &'static str,
    /// What is particular to the action, as JSON.
    pub details: String,
    /// Where a change of an asset is counted.
    pub placed: Option<Placed>,
}

/// Holds the head of the log until the transaction ends, so that nobody else can write a change meanwhile.
pub(super) async fn wait_for_turn(txn: &impl ConnectionTrait) -> Result<(), DbErr> {
    change_head::Entity::update_many()
        .col_expr(
            change_head::Column::Last,
            Expr::col(change_head::Column::Last),
        )
        .exec(txn)
        .await
        .map(drop)
}

/// Appends entries to the log, in order.
pub async fn append(txn: &Txn, entries: Vec<Entry>) -> Result<(), DbErr> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut last = head(&**txn).await?;
    let mut rows = Vec::with_capacity(entries.len());
    let mut placed = Vec::new();
    for entry in entries {
        last += 1;
        placed.extend(entry.placed.map(|place| (last, entry.at, place)));
        rows.push(change::ActiveModel {
            seq: Set(last),
            at: Set(entry.at),
            actor: Set(entry.actor),
            run_id: Set(entry.run_id),
            subject_kind: Set(entry.subject.kind().to_owned()),
            subject_id: Set(entry.subject.id()),
            action: Set(entry.action.to_owned()),
            details: Set(entry.details),
            actor_id: Set(entry.actor_id),
            request_id: Set(entry.request_id),
        });
    }
    for rows in pieces(rows) {
        change::Entity::insert_many(rows)
            .exec_without_returning(&**txn)
            .await?;
    }
    change_groups::place(txn, placed).await?;
    change_head::Entity::update_many()
        .col_expr(change_head::Column::Last, Expr::value(last))
        .exec(&**txn)
        .await
        .map(drop)
}

/// The number of the newest entry; 0 for an empty log.
pub async fn head(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let row = change_head::Entity::find().one(db).await?;
    Ok(row.map_or(0, |head| head.last))
}

/// The name of this catalog, given when its database was made.
pub async fn catalog(db: &impl ConnectionTrait) -> Result<Uuid, DbErr> {
    let row = change_head::Entity::find().one(db).await?;
    row.map(|head| head.catalog)
        .ok_or_else(|| DbErr::RecordNotFound("the head of the change log".to_owned()))
}

/// Which subject each change behind number `after` was about, oldest first.
#[derive(Debug, Clone)]
pub struct Touched {
    pub seq: i64,
    /// Nothing for a kind that this version does not know.
    pub subject: Option<Subject>,
    pub action: String,
}

/// Lists up to `limit` changes behind number `after`, oldest first.
pub async fn list_after(
    db: &impl ConnectionTrait,
    after: i64,
    limit: u64,
) -> Result<Vec<Touched>, DbErr> {
    let rows: Vec<(i64, String, Uuid, String)> = change::Entity::find()
        .select_only()
        .columns([
            change::Column::Seq,
            change::Column::SubjectKind,
            change::Column::SubjectId,
            change::Column::Action,
        ])
        .filter(change::Column::Seq.gt(after))
        .order_by_asc(change::Column::Seq)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(seq, kind, id, action)| Touched {
            seq,
            subject: Subject::read(&kind, id),
            action,
        })
        .collect())
}

/// The number of an entry, and how many bytes its details have.
pub(crate) type Length = (i64, i64);

/// Reads a page of the entries that a query picks, newest first: fewer than were asked for where their details are long.
pub(crate) async fn list_newest(
    db: &impl ConnectionTrait,
    query: Select<change::Entity>,
    request: &PageRequest,
) -> Result<Page<change::Model>, DbErr> {
    let query = query
        .order_by_desc(change::Column::Seq)
        .limit(request.limit + 1);
    let lengths = lengths(db, query).await?;
    let lengths = page::within_bytes(lengths, request, |(_, length)| *length);
    Ok(Page {
        next: lengths.next_after(|(seq, _)| *seq),
        items: read_newest(db, &lengths.items).await?,
    })
}

/// Measures the entries that a query picks, in its order, without reading them.
pub(crate) async fn lengths(
    db: &impl ConnectionTrait,
    query: Select<change::Entity>,
) -> Result<Vec<Length>, DbErr> {
    query
        .select_only()
        .column(change::Column::Seq)
        .expr_as(length(), "length")
        .into_tuple()
        .all(db)
        .await
}

/// Reads entries by their numbers, newest first. Details that are too long to be read come as an empty text.
pub(crate) async fn read_newest(
    db: &impl ConnectionTrait,
    entries: &[Length],
) -> Result<Vec<change::Model>, DbErr> {
    let columns = change::Column::iter();
    let columns = columns.filter(|column| !matches!(column, change::Column::Details));
    let readable = CaseStatement::new()
        .case(length().lte(LONGEST_DETAILS), details())
        .finally(Expr::val(""));
    change::Entity::find()
        .select_only()
        .columns(columns)
        .expr_as(readable, "details")
        .filter(change::Column::Seq.is_in(entries.iter().map(|(seq, _)| *seq)))
        .order_by_desc(change::Column::Seq)
        .into_model()
        .all(db)
        .await
}

fn details() -> SimpleExpr {
    Expr::col((change::Entity, change::Column::Details))
}

/// How many bytes the details have, which no database has to read them for.
fn length() -> SimpleExpr {
    let length = Func::cust("octet_length").arg(details());
    SimpleExpr::from(length).cast_as("bigint")
}

/// When the first change behind number `after` was made; nothing when there is none.
pub async fn time_after(
    db: &impl ConnectionTrait,
    after: i64,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    change::Entity::find()
        .select_only()
        .column(change::Column::At)
        .filter(change::Column::Seq.gt(after))
        .order_by_asc(change::Column::Seq)
        .into_tuple()
        .one(db)
        .await
}
