//! What one batch changed in one database: counts, and the numbers of its entries by danger.
//!
//! A batch is a run, or a day for what people write. Both tables are written with the log, in its transaction, and hold
//! nothing that the log does not. What a danger means is known to the catalog; here it is a number, and 0 comes first.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, IntoIden, OnConflict, SimpleExpr};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};
use uuid::Uuid;

use super::entity::{change_group, change_place};
use super::{Txn, pieces};

/// Where an entry is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub batch: Uuid,
    /// The database of the asset, which may be the asset itself.
    pub database: Uuid,
    pub danger: i16,
    pub counts: Tally,
}

/// How many changes of each sort there are, and of how many columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub removed: i64,
    /// Tables that lost columns.
    pub dropped: i64,
    pub retyped: i64,
    pub changed: i64,
    pub added: i64,
    pub edited: i64,
    pub dropped_columns: i64,
    pub retyped_columns: i64,
    /// The danger of what happened to the database itself.
    pub itself: Option<i16>,
}

/// Stands for a database to which nothing happened itself.
const NOT_ITSELF: i16 = 99;

impl Tally {
    fn add(&mut self, other: &Self) {
        self.removed += other.removed;
        self.dropped += other.dropped;
        self.retyped += other.retyped;
        self.changed += other.changed;
        self.added += other.added;
        self.edited += other.edited;
        self.dropped_columns += other.dropped_columns;
        self.retyped_columns += other.retyped_columns;
        self.itself = self.itself.into_iter().chain(other.itself).min();
    }
}

/// Writes the places of numbered entries, and counts them.
pub(super) async fn place(
    txn: &Txn,
    placed: Vec<(i64, DateTime<Utc>, Placed)>,
) -> Result<(), DbErr> {
    let mut groups: BTreeMap<(Uuid, Uuid), Addition> = BTreeMap::new();
    let mut rows = Vec::with_capacity(placed.len());
    for (seq, at, placed) in placed {
        let key = (placed.batch, placed.database);
        let group = groups.entry(key).or_insert_with(|| Addition {
            danger: placed.danger,
            first_seq: seq,
            first_at: at,
            last_at: at,
            tally: Tally::default(),
        });
        group.tally.add(&placed.counts);
        group.danger = Ord::min(group.danger, placed.danger);
        group.first_seq = Ord::min(group.first_seq, seq);
        group.first_at = Ord::min(group.first_at, at);
        group.last_at = Ord::max(group.last_at, at);
        rows.push(change_place::ActiveModel {
            batch: Set(placed.batch),
            danger: Set(placed.danger),
            database_id: Set(placed.database),
            seq: Set(seq),
        });
    }
    for rows in pieces(rows) {
        change_place::Entity::insert_many(rows)
            .exec_without_returning(&**txn)
            .await?;
    }
    let groups: Vec<change_group::ActiveModel> = groups
        .iter()
        .map(|(key, group)| counted(*key, group))
        .collect();
    for groups in pieces(groups) {
        change_group::Entity::insert_many(groups)
            .on_conflict(added_up())
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

/// What is added to the counts of one group.
struct Addition {
    danger: i16,
    first_seq: i64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    tally: Tally,
}

fn counted((batch, database): (Uuid, Uuid), group: &Addition) -> change_group::ActiveModel {
    let tally = &group.tally;
    change_group::ActiveModel {
        batch: Set(batch),
        database_id: Set(database),
        danger: Set(group.danger),
        itself: Set(tally.itself.unwrap_or(NOT_ITSELF)),
        removed: Set(tally.removed),
        dropped: Set(tally.dropped),
        retyped: Set(tally.retyped),
        changed: Set(tally.changed),
        added: Set(tally.added),
        edited: Set(tally.edited),
        dropped_columns: Set(tally.dropped_columns),
        retyped_columns: Set(tally.retyped_columns),
        first_seq: Set(group.first_seq),
        first_at: Set(group.first_at),
        last_at: Set(group.last_at),
    }
}

/// Adds new counts to those that are there.
fn added_up() -> OnConflict {
    use change_group::Column;
    let sums = [
        Column::Removed,
        Column::Dropped,
        Column::Retyped,
        Column::Changed,
        Column::Added,
        Column::Edited,
        Column::DroppedColumns,
        Column::RetypedColumns,
    ];
    let mut conflict = OnConflict::columns([Column::Batch, Column::DatabaseId]);
    for column in sums {
        conflict.value(column, present(column).add(excluded(column)));
    }
    for column in [
        Column::Danger,
        Column::Itself,
        Column::FirstSeq,
        Column::FirstAt,
    ] {
        let earlier = excluded(column).lt(present(column));
        conflict.value(column, chosen(earlier, column));
    }
    let later = excluded(Column::LastAt).gt(present(Column::LastAt));
    conflict.value(Column::LastAt, chosen(later, Column::LastAt));
    conflict
}

fn present(column: change_group::Column) -> SimpleExpr {
    Expr::col((change_group::Entity, column))
}

fn excluded(column: change_group::Column) -> SimpleExpr {
    Expr::col(("excluded", column.into_iden()))
}

fn chosen(new: SimpleExpr, column: change_group::Column) -> SimpleExpr {
    CaseStatement::new()
        .case(new, excluded(column))
        .finally(present(column))
        .into()
}
