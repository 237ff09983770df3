//! What statements run on: connections for reading, and a transaction that remembers whether one was refused.

use std::sync::OnceLock;

use sea_orm::entity::prelude::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, Statement, TransactionTrait as _,
};

use super::connect::BEGIN_BEHIND_POOLER;
use super::error::kind_of;
use super::file::File;
use crate::error::{Kind, Storage};

/// Connections on which single statements run, each true at once.
///
/// Behind a pooler each is a transaction of its own: the steps of one statement would meet different server processes.
#[derive(Debug, Clone)]
pub struct Reads {
    connection: DatabaseConnection,
    pooler: bool,
    /// The file of a SQLite database, which is told of damage that a statement meets.
    file: Option<File>,
}

impl Reads {
    pub(super) fn of_sqlite(connection: DatabaseConnection, file: Option<File>) -> Self {
        Self {
            connection,
            pooler: false,
            file,
        }
    }

    pub(super) fn of_postgres(connection: DatabaseConnection, pooler: bool) -> Self {
        Self {
            connection,
            pooler,
            file: None,
        }
    }

    /// Says what is wrong with the file, where that is why a statement failed.
    fn seen<T>(&self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        let (Err(cause), Some(file)) = (&done, &self.file) else {
            return done;
        };
        match kind_of(cause) {
            Kind::Storage(Storage::Damaged) => file.met_damage(cause),
            Kind::Unavailable => file.find().map(drop)?,
            _ => {}
        }
        done
    }

    /// The connections, for what cannot run behind a pooler.
    pub(super) fn whole(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Begins a transaction behind a pooler.
    pub(super) async fn behind_pooler(&self) -> Result<Option<DatabaseTransaction>, DbErr> {
        if !self.pooler {
            return Ok(None);
        }
        let txn = self.connection.begin().await?;
        txn.execute_unprepared(BEGIN_BEHIND_POOLER).await?;
        Ok(Some(txn))
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let Some(txn) = self.behind_pooler().await? else {
            return self.seen(self.connection.execute_raw(statement).await);
        };
        let done = txn.execute_raw(statement).await?;
        txn.commit().await?;
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(txn) = self.behind_pooler().await? else {
            return self.seen(self.connection.query_one_raw(statement).await);
        };
        let row = txn.query_one_raw(statement).await?;
        txn.commit().await?;
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(txn) = self.behind_pooler().await? else {
            return self.seen(self.connection.query_all_raw(statement).await);
        };
        let rows = txn.query_all_raw(statement).await?;
        txn.commit().await?;
        Ok(rows)
    }
}

/// The statements of one transaction.
///
/// Postgres answers the end of a transaction in which a statement was refused as if it had been saved; so that is
/// remembered here.
#[derive(Debug)]
pub struct Statements {
    txn: DatabaseTransaction,
    refused: OnceLock<DbErr>,
}

impl Statements {
    pub(super) fn of(txn: DatabaseTransaction) -> Self {
        Self {
            txn,
            refused: OnceLock::new(),
        }
    }

    /// Why a statement was refused, if one was.
    pub(super) fn refusal(&self) -> Option<&DbErr> {
        self.refused.get()
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.txn.commit().await
    }

    fn seen<T>(&self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        done.inspect_err(|cause| {
            let _first = self.refused.get_or_init(|| cause.clone());
        })
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Statements {
    fn get_database_backend(&self) -> DbBackend {
        self.txn.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.seen(self.txn.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.seen(self.txn.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.seen(self.txn.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.seen(self.txn.query_all_raw(statement).await)
    }
}
