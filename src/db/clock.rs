//! The database's clock: the only one that all processes of a catalog share.
//!
//! Clocks of two machines differ, so an age is never the difference of two of them. Raw SQL, because each database
//! spells its clock in its own way.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// The time in the database, as an expression of a statement.
pub(crate) fn clock(db: &impl ConnectionTrait) -> Expr {
    moment_ago(db, TimeDelta::zero())
}

/// The moment in the database so long ago, as an expression of a statement.
pub(crate) fn moment_ago(db: &impl ConnectionTrait, age: TimeDelta) -> Expr {
    let (seconds, milliseconds) = (age.num_seconds(), age.subsec_millis());
    let age = format!("{seconds}.{milliseconds:03} seconds");
    match db.get_database_backend() {
        DbBackend::Postgres => Expr::cust(format!("(clock_timestamp() - interval '{age}')")),
        // As SQLite stores times here, so that they compare as texts.
        _ => Expr::cust(format!(
            "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-{age}')"
        )),
    }
}

/// Asks the database what time it is.
pub(crate) async fn now(db: &impl ConnectionTrait) -> Result<DateTime<Utc>, DbErr> {
    let asked = Query::select().expr_as(clock(db), "now").to_owned();
    let row = db.query_one(&asked).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the time".to_owned()))?
        .try_get("", "now")
}
