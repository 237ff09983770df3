//! The lease of a run: it may write as long as nobody has ended it.
//!
//! A process can sleep for longer than others wait for it. So what a run writes asks for the lease inside the same
//! transaction, which locks the run's row until it ends: either the run is ended before, and nothing is written, or
//! after.

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::clock::clock;
use super::entity::run;

/// Says that a run goes on, and locks its row. False when the run was ended, so that it must write nothing.
pub(crate) async fn renew(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    run::Entity::update_many()
        .col_expr(run::Column::HeartbeatAt, clock(db))
        .filter(is_held(id))
        .exec(db)
        .await
        .map(|done| done.rows_affected > 0)
}

/// Finds the row of a run that nobody has ended.
pub(crate) fn is_held(id: Uuid) -> Condition {
    Condition::all()
        .add(run::Column::Id.eq(id))
        .add(run::Column::Active.is_not_null())
}
