//! The queries on groups of changes and on the places of changes in them.

use std::collections::HashMap;

use chrono::Utc;
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};
use uuid::Uuid;

use super::super::asset::AssetId;
use super::super::batch::{self, Batch, ChangeKind};
use super::super::change::Change;
use super::super::store::{belongs_to_seen, read_change};
use super::super::{Error, human};
use super::{ChangeCounts, ChangeGroup, DatabaseChange, FirstChanges, GroupFilter, RunChanges};
use crate::auth::Visibility;
use crate::db::changes;
use crate::db::entity::{change, change_group, change_place};
use crate::db::{Cut, Db, Page, PageRequest, within_bytes};

/// Where a page of groups ended: batch, danger, database.
type Key = (Uuid, i16, Uuid);

/// Lists groups: the newest batch first, the most dangerous first in it.
pub async fn list(
    db: &Db,
    visibility: &Visibility,
    filter: &GroupFilter,
    page: &PageRequest,
) -> Result<Page<ChangeGroup>, Error> {
    use change_group::Column;
    let mut query = change_group::Entity::find()
        .filter(wanted(visibility, filter))
        .order_by_desc(Column::Batch)
        .order_by_asc(Column::Danger)
        .order_by_asc(Column::DatabaseId)
        .limit(page.limit + 1);
    if let Some((batch, danger, database)) = page.key::<Key>()? {
        let same_danger = Column::Danger
            .eq(danger)
            .and(Column::DatabaseId.gt(database));
        let same_batch = Condition::all()
            .add(Column::Batch.eq(batch))
            .add(Column::Danger.gt(danger).or(same_danger));
        // The first is implied by the second, and lets the list start at its place in the index.
        query = query
            .filter(Column::Batch.lte(batch))
            .filter(Column::Batch.lt(batch).or(same_batch));
    }
    let rows = query.all(&**db).await?;
    let page = Page::of_rows(rows, page, |row| (row.batch, row.danger, row.database_id));
    Ok(page.map(ChangeGroup::from))
}

/// Lists what runs changed, by the number of the first change of each, newest first, below a number.
///
/// For those who may read the log as a whole: nothing is hidden.
pub async fn list_runs_below(
    db: &Db,
    below: Option<i64>,
    limit: u64,
) -> Result<Vec<RunChanges>, Error> {
    use change_group::Column;
    // The first group of a batch stands for the batch.
    let earlier = Query::select()
        .expr(Expr::val(1))
        .from_as(change_group::Entity, "earlier")
        .and_where(
            Expr::col(("earlier", Column::Batch)).equals((change_group::Entity, Column::Batch)),
        )
        .and_where(
            Expr::col(("earlier", Column::FirstSeq))
                .lt(Expr::col((change_group::Entity, Column::FirstSeq))),
        )
        .to_owned();
    let mut query = change_group::Entity::find()
        .filter(Expr::not_exists(earlier))
        .filter(Column::Edited.eq(0))
        .order_by_desc(Column::FirstSeq)
        .limit(limit);
    if let Some(below) = below {
        query = query.filter(Column::FirstSeq.lt(below));
    }
    let first = query.all(&**db).await?;
    let batches = first.iter().map(|group| group.batch);
    let sums: Vec<BatchSums> = sums(change_group::Entity::find())
        .column(Column::Batch)
        .filter(Column::Batch.is_in(batches))
        .group_by(Column::Batch)
        .into_model()
        .all(&**db)
        .await?;
    let mut counts: HashMap<Uuid, ChangeCounts> = sums
        .into_iter()
        .map(|row| (row.batch, row.sums.into()))
        .collect();
    let runs = first.into_iter().filter(|group| {
        // What was changed outside of runs is in the log one by one.
        matches!(Batch::from_id(group.batch), Batch::Run(_))
    });
    Ok(runs
        .map(|group| RunChanges {
            run: group.batch,
            first: group.first_seq,
            at: group.first_at,
            counts: counts.remove(&group.batch).unwrap_or_default(),
        })
        .collect())
}

#[derive(Debug, FromQueryResult)]
struct BatchSums {
    batch: Uuid,
    #[sea_orm(nested)]
    sums: Sums,
}

/// Makes sure that a batch changed something that somebody sees.
pub async fn expect_batch(db: &Db, visibility: &Visibility, batch: Batch) -> Result<(), Error> {
    let filter = GroupFilter {
        batch: Some(batch),
        ..GroupFilter::default()
    };
    let found = list(db, visibility, &filter, &PageRequest::first(1)).await?;
    if found.items.is_empty() {
        return Err(Error::UnknownBatch);
    }
    Ok(())
}

/// Counts what changed, by kind.
pub async fn count(
    db: &Db,
    visibility: &Visibility,
    filter: &GroupFilter,
) -> Result<ChangeCounts, Error> {
    let query = sums(change_group::Entity::find()).filter(wanted(visibility, filter));
    let sums: Option<Sums> = query.into_model().one(&**db).await?;
    Ok(sums.unwrap_or_default().into())
}

/// Adds the counts of groups up.
fn sums(query: Select<change_group::Entity>) -> Select<change_group::Entity> {
    use change_group::Column;
    let sum = |column: Column| -> SimpleExpr {
        let sum = Func::coalesce([
            Func::sum(Expr::col((change_group::Entity, column))).into(),
            Expr::val(0),
        ]);
        SimpleExpr::from(sum).cast_as("bigint")
    };
    let mut query = query.select_only();
    for (column, name) in [
        (Column::Removed, "removed"),
        (Column::Dropped, "dropped"),
        (Column::Retyped, "retyped"),
        (Column::Changed, "changed"),
        (Column::Added, "added"),
        (Column::Edited, "edited"),
        (Column::DroppedColumns, "dropped_columns"),
        (Column::RetypedColumns, "retyped_columns"),
    ] {
        query = query.expr_as(sum(column), name);
    }
    query
}

#[derive(Debug, Default, FromQueryResult)]
struct Sums {
    removed: i64,
    dropped: i64,
    retyped: i64,
    changed: i64,
    added: i64,
    edited: i64,
    dropped_columns: i64,
    retyped_columns: i64,
}

impl From<Sums> for ChangeCounts {
    fn from(sums: Sums) -> Self {
        Self {
            removed: sums.removed.unsigned_abs(),
            dropped: sums.dropped.unsigned_abs(),
            retyped: sums.retyped.unsigned_abs(),
            changed: sums.changed.unsigned_abs(),
            new: sums.added.unsigned_abs(),
            edited: sums.edited.unsigned_abs(),
            dropped_columns: sums.dropped_columns.unsigned_abs(),
            retyped_columns: sums.retyped_columns.unsigned_abs(),
        }
    }
}

/// Lists the changes of one batch one by one, dangerous ones first, then by database and in the order of the log.
pub async fn list_in_batch(
    db: &Db,
    visibility: &Visibility,
    batch: Batch,
    filter: &GroupFilter,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    use change_place::Column;
    let (first, last) = filter.kind.map_or(EVERY_DANGER, ChangeKind::dangers);
    let mut query = change_place::Entity::find()
        .filter(Column::Batch.eq(batch.id()))
        .filter(Column::Danger.between(first, last))
        .filter(belongs_to_seen(
            visibility,
            Expr::col((change_place::Entity, Column::DatabaseId)),
        ))
        .order_by_asc(Column::Danger)
        .order_by_asc(Column::DatabaseId)
        .order_by_asc(Column::Seq)
        .limit(page.limit + 1);
    if let Some(database) = filter.database {
        query = query.filter(Column::DatabaseId.eq(database.0));
    }
    if let Some((danger, database, seq)) = page.key::<(i16, Uuid, i64)>()? {
        let same_database = Column::DatabaseId.eq(database).and(Column::Seq.gt(seq));
        let later_database = Column::DatabaseId.gt(database).or(same_database);
        query = query
            .filter(Column::Danger.gte(danger))
            .filter(Column::Danger.gt(danger).or(later_database));
    }
    let places = query.all(&**db).await?;
    let (cut, items) = read(db, visibility, places, page).await?;
    Ok(Page {
        next: cut.next_after(|place| (place.danger, place.database_id, place.seq)),
        items,
    })
}

const EVERY_DANGER: (i16, i16) = (0, i16::MAX);

/// Finds the first few changes of each danger in some groups: of one kind where only that is wanted.
pub async fn find_first(
    db: &Db,
    visibility: &Visibility,
    groups: &[ChangeGroup],
    kind: Option<ChangeKind>,
    few: u64,
) -> Result<FirstChanges, Error> {
    let parts = groups.iter().flat_map(|group| {
        let dangers = group.dangers(kind).into_iter();
        dangers.map(|danger| first_places(group, danger, few))
    });
    let mut parts = parts.collect::<Vec<_>>().into_iter();
    let Some(mut query) = parts.next() else {
        return Ok(HashMap::new());
    };
    query.unions(parts.map(|part| (UnionType::All, part)));
    let statement = db.get_database_backend().build(&query);
    let places = change_place::Model::find_by_statement(statement)
        .all(&**db)
        .await?;
    let most = PageRequest::first(PageRequest::MOST);
    let (places, changes) = read(db, visibility, places, &most).await?;
    let mut found = FirstChanges::new();
    for (place, change) in places.items.into_iter().zip(changes) {
        let group = (Batch::from_id(place.batch), AssetId(place.database_id));
        found.entry(group).or_default().push(change);
    }
    Ok(found)
}

/// Asks for the first places of one danger in a group: an own statement, so that each is found by the index.
fn first_places(group: &ChangeGroup, danger: i16, few: u64) -> SelectStatement {
    use change_place::Column;
    let first = change_place::Entity::find()
        .filter(Column::Batch.eq(group.batch.id()))
        .filter(Column::Danger.eq(danger))
        .filter(Column::DatabaseId.eq(group.database.0))
        .order_by_asc(Column::Seq)
        .limit(few)
        .into_query();
    Query::select()
        .columns(Column::iter())
        .from_subquery(first, "first_places")
        .to_owned()
}

/// Reads the changes at some places, in their order, as many as a page may hold.
async fn read(
    db: &Db,
    visibility: &Visibility,
    places: Vec<change_place::Model>,
    page: &PageRequest,
) -> Result<(Cut<change_place::Model>, Vec<Change>), Error> {
    let seqs = places.iter().map(|place| place.seq);
    let entries = change::Entity::find().filter(change::Column::Seq.is_in(seqs));
    let lengths = changes::lengths(&**db, entries).await?;
    let lengths: HashMap<i64, i64> = lengths.into_iter().collect();
    let length = |place: &change_place::Model| lengths.get(&place.seq).copied().unwrap_or(0);
    let cut = within_bytes(places, page, length);
    let entries: Vec<(i64, i64)> = cut.items.iter().map(|place| (place.seq, 0)).collect();
    let rows = changes::read_newest(&**db, &entries).await?;
    let mut rows: HashMap<i64, change::Model> =
        rows.into_iter().map(|row| (row.seq, row)).collect();
    let rows = cut.items.iter().filter_map(|place| rows.remove(&place.seq));
    let changes = rows.map(|row| read_change(&row, None));
    let mut changes = changes.collect::<Result<Vec<_>, _>>()?;
    human::hide_in_history(db, visibility, &mut changes).await?;
    Ok((cut, changes))
}

fn wanted(visibility: &Visibility, filter: &GroupFilter) -> Condition {
    use change_group::Column;
    let days = filter
        .days
        .map(|days| batch::first_id_since(days, Utc::now()));
    Condition::all()
        .add(belongs_to_seen(
            visibility,
            Expr::col((change_group::Entity, Column::DatabaseId)),
        ))
        .add_option(filter.batch.map(|batch| Column::Batch.eq(batch.id())))
        .add_option(filter.database.map(|id| Column::DatabaseId.eq(id.0)))
        .add_option(days.map(|first| Column::Batch.gte(first)))
        .add_option(filter.kind.map(has_kind))
}

/// Raw where an index holds these groups alone: it is found only by its very words, not by a parameter.
fn has_kind(kind: ChangeKind) -> SimpleExpr {
    use change_group::Column;
    match kind {
        ChangeKind::Removed => Expr::cust("\"change_group\".\"danger\" <= 1"),
        ChangeKind::Dropped => Expr::cust("\"change_group\".\"dropped\" > 0"),
        ChangeKind::Retyped => Expr::cust("\"change_group\".\"retyped\" > 0"),
        ChangeKind::Changed => Column::Changed
            .gt(0)
            .or(Column::Itself.eq(batch::DATABASE_CHANGED)),
        ChangeKind::New => Column::Added
            .gt(0)
            .or(Column::Itself.eq(batch::DATABASE_NEW)),
        ChangeKind::Edited => Column::Edited.gt(0),
    }
}

impl ChangeGroup {
    /// The dangers that changes of this group may have, of one kind where only that is wanted.
    ///
    /// What happened to the database itself is not among them: the group tells it.
    fn dangers(&self, kind: Option<ChangeKind>) -> Vec<i16> {
        let kinds = match kind {
            Some(ref kind) => std::slice::from_ref(kind),
            None => &ChangeKind::ALL[..],
        };
        let there = kinds.iter().filter(|kind| self.counts.of(**kind) > 0);
        let mut dangers: Vec<i16> = there
            .flat_map(|kind| {
                let (first, last) = kind.dangers();
                first..=last
            })
            .filter(|danger| !batch::is_of_itself(*danger))
            .collect();
        dangers.sort_unstable();
        dangers.dedup();
        dangers
    }
}

impl From<change_group::Model> for ChangeGroup {
    fn from(row: change_group::Model) -> Self {
        let sums = Sums {
            removed: row.removed,
            dropped: row.dropped,
            retyped: row.retyped,
            changed: row.changed,
            added: row.added,
            edited: row.edited,
            dropped_columns: row.dropped_columns,
            retyped_columns: row.retyped_columns,
        };
        Self {
            batch: Batch::from_id(row.batch),
            database: AssetId(row.database_id),
            counts: sums.into(),
            itself: match row.itself {
                batch::DATABASE_REMOVED => Some(DatabaseChange::Removed),
                batch::DATABASE_CHANGED => Some(DatabaseChange::Changed),
                batch::DATABASE_NEW => Some(DatabaseChange::New),
                _ => None,
            },
            first_at: row.first_at,
            last_at: row.last_at,
        }
    }
}
