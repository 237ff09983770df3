//! The schema: brought up to date by one process at a time, while the others wait within limits.

use std::time::Duration;

use migrations::Migrator;
use sea_orm::{ConnectionTrait as _, DbBackend, EntityTrait as _, Statement};
use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};
use secrecy::ExposeSecret as _;

use super::connect::patient_sqlite;
use super::error::is_locked;
use super::{Db, Error, holder};

/// Which migrations were applied.
const TABLE: &str = "seaql_migrations";

/// The advisory lock that makes replicas migrate one after the other; any number will do.
pub(super) const LOCK: i64 = 0x6761_7a65_7474;

/// How long a start waits for another process that brings the schema up to date.
const PATIENCE: Duration = Duration::from_secs(20);

/// For the transaction of a migration alone: it may wait for as long as the start does, and take its time.
const LIMITS: &str = "SET LOCAL lock_timeout = '20s'; SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = '60s'";

impl Db {
    /// Brings the schema up to date. Several processes may do so at once; a newer schema is refused.
    pub async fn migrate(&self) -> Result<(), Error> {
        if self.pending_migrations().await? == 0 {
            return Ok(());
        }
        if self.backend() != DbBackend::Postgres {
            let connection = patient_sqlite(self.shared.url.expose_secret(), PATIENCE).await?;
            let migrated = Migrator::up(&connection, None).await;
            connection.close().await?;
            return Ok(migrated?);
        }
        // Behind the lock come the table of migrations and everything else, all on this one connection.
        let txn = self.begin().await?;
        txn.execute_unprepared(LIMITS).await?;
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            // Raw because advisory locks exist on Postgres alone.
            "SELECT pg_advisory_xact_lock($1)",
            [LOCK.into()],
        );
        match txn.execute_raw(statement).await {
            Err(cause) if is_locked(&cause) => {
                drop(txn);
                let holder = holder::on_postgres(&self.reads).await?;
                return Err(Error::MigratedByAnother(holder.to_string()));
            }
            locked => locked.map(drop)?,
        }
        Migrator::up(&txn, None).await?;
        Ok(txn.commit().await?)
    }

    /// Undoes every migration; only tests of the migrations want that.
    pub async fn unmigrate(&self) -> Result<(), Error> {
        Ok(Migrator::down(self.reads.whole(), None).await?)
    }

    /// Counts the migrations that are still to be applied, and changes nothing; refuses a newer schema.
    pub async fn pending_migrations(&self) -> Result<usize, Error> {
        let known = Migrator::migrations();
        let txn = self.begin().await?;
        if !SchemaManager::new(&txn).has_table(TABLE).await? {
            return Ok(known.len());
        }
        let applied = seaql_migrations::Entity::find().all(&txn).await?;
        let is_known = |version: &str| known.iter().any(|known| known.name() == version);
        match applied.iter().find(|applied| !is_known(&applied.version)) {
            Some(newer) => Err(Error::NewerSchema(newer.version.clone())),
            None => Ok(known.len() - applied.len()),
        }
    }
}
