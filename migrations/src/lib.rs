//! The schema of the catalog's database, one file per change, the same for Postgres and SQLite.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the trait fixes the signatures, and its macro cannot cope with a named lifetime"
)]

use sea_orm_migration::sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

mod m20261121_000001_assets;
mod m20261121_000002_runs;
mod m20261121_000003_people;
mod m20261121_000004_words;
mod m20261121_000005_audit;
mod m20261126_000007_runs_due;
mod m20261126_000008_sign_ins;
mod m20261126_000010_words_by_part;
mod m20261126_000011_requests;
mod m20261126_000012_change_groups;
mod m20261126_000013_findings_of;
mod m20261126_000014_requests_for_words;
mod m20261126_000015_findings_ranked;
mod m20261127_000016_aspects;

/// Brings a database to the newest schema, or back.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            whole(m20261121_000001_assets::Migration),
            whole(m20261121_000002_runs::Migration),
            whole(m20261121_000003_people::Migration),
            whole(m20261121_000004_words::Migration),
            whole(m20261121_000005_audit::Migration),
            whole(m20261126_000007_runs_due::Migration),
            whole(m20261126_000008_sign_ins::Migration),
            whole(m20261126_000010_words_by_part::Migration),
            whole(m20261126_000011_requests::Migration),
            whole(m20261126_000012_change_groups::Migration),
            whole(m20261126_000013_findings_of::Migration),
            whole(m20261126_000014_requests_for_words::Migration),
            whole(m20261126_000015_findings_ranked::Migration),
            whole(m20261127_000016_aspects::Migration),
        ]
    }
}

/// A migration that happens wholly or not at all, on SQLite too.
///
/// Without a transaction, which is what SQLite gets unless a migration asks for one, a process that
/// is killed between the change and its record leaves a database that no later start can migrate.
struct Whole<M>(M);

fn whole(migration: impl MigrationTrait + 'static) -> Box<dyn MigrationTrait> {
    Box::new(Whole(migration))
}

impl<M: MigrationTrait> MigrationName for Whole<M> {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl<M: MigrationTrait> MigrationTrait for Whole<M> {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }
}
