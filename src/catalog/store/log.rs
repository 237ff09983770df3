//! The change log, as far as it is about assets.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::belongs_to_seen;
use crate::auth::{Visibility, Who};
use crate::catalog::Error;
use crate::catalog::asset::AssetId;
use crate::catalog::batch::{self, Batch};
use crate::catalog::change::{Action, Cause, Change};
use crate::db::changes::{self, Entry};
use crate::db::entity::change;
use crate::db::{Cursor, Page, PageRequest, Txn, within_bytes};

/// What was done to an asset of a database, which may be the asset itself.
pub(in crate::catalog) struct Done {
    pub(in crate::catalog) id: AssetId,
    pub(in crate::catalog) database: AssetId,
    pub(in crate::catalog) action: Action,
}

/// Writes one row into the log for each asset.
pub(in crate::catalog) async fn log(
    txn: &Txn,
    cause: &Cause,
    actions: Vec<Done>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let batch = Batch::of(cause.run, now);
    let entries = actions.into_iter().map(
        |Done {
             id,
             database,
             action,
         }| Entry {
            run_id: cause.run,
            placed: Some(batch::placed(batch, id, database, &action)),
            ..cause
                .actor
                .entry(id.subject(), action.as_str(), action.details(), now)
        },
    );
    changes::append(txn, entries.collect()).await
}

/// The changes of assets that somebody sees.
fn changes_seen(visibility: &Visibility) -> Select<change::Entity> {
    let asset = Expr::col((change::Entity, change::Column::SubjectId));
    change::Entity::find()
        .filter(change::Column::SubjectKind.eq("asset"))
        .filter(belongs_to_seen(visibility, asset))
}

/// Lists changes, newest first.
pub(in crate::catalog) async fn list_changes(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    let mut query = changes_seen(visibility);
    if let Some(seq) = page.key::<i64>()? {
        query = query.filter(change::Column::Seq.lt(seq));
    }
    let page = changes::list_newest(db, query, page).await?;
    let items = page.items.iter().map(|row| read_change(row, None));
    Ok(Page {
        items: items.collect::<Result<_, _>>()?,
        next: page.next,
    })
}

/// Lists the changes of one asset, newest first.
///
/// They are counted from its first one, and pages go on at such a number: the numbers of the log would tell readers how
/// much happens elsewhere.
pub(in crate::catalog) async fn list_history(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    id: AssetId,
    page: &PageRequest,
) -> Result<Page<Change>, Error> {
    let of_asset = || {
        change::Entity::find()
            .filter(change::Column::SubjectId.eq(id.0))
            .filter(belongs_to_seen(visibility, id.0))
    };
    let all = of_asset().count(db).await?;
    let newest = page.key::<u64>()?.map_or(all, |older| Ord::min(older, all));
    let oldest = newest.saturating_sub(page.limit);
    if newest == oldest {
        return Ok(Page::default());
    }
    let window = of_asset()
        .order_by_asc(change::Column::Seq)
        .offset(oldest)
        .limit(newest - oldest);
    let mut lengths = changes::lengths(db, window).await?;
    lengths.reverse();
    let cut = within_bytes(lengths, page, |(_, length)| *length);
    let rows = changes::read_newest(db, &cut.items).await?;
    let numbers = (0..=newest).rev();
    let items = rows.iter().zip(numbers);
    let items = items.map(|(row, number)| read_change(row, Some(number)));
    let items: Vec<Change> = items.collect::<Result<_, _>>()?;
    let older = newest - items.len() as u64;
    Ok(Page {
        items,
        next: (older > 0).then(|| Cursor::of(&older)),
    })
}

pub(in crate::catalog) fn read_change(
    row: &change::Model,
    number: Option<u64>,
) -> Result<Change, Error> {
    let asset = AssetId(row.subject_id);
    Ok(Change {
        seq: row.seq,
        number,
        at: row.at,
        who: serde_json::from_str::<Who>(&row.actor).map_err(Error::damaged(asset))?,
        run: row.run_id,
        asset,
        action: Action::read(&row.action, &row.details)
            .ok_or("an unknown action")
            .map_err(Error::damaged(asset))?,
    })
}
