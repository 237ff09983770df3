//! The schema of the catalog's database, one file per change, the same for Postgres and SQLite.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the trait fixes the signatures, and its macro cannot cope with a named lifetime"
)]

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

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

/// Brings a database to the newest schema, or back.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_assets::Migration),
            Box::new(m20261121_000002_runs::Migration),
            Box::new(m20261121_000003_people::Migration),
            Box::new(m20261121_000004_words::Migration),
            Box::new(m20261121_000005_audit::Migration),
            Box::new(m20261126_000007_runs_due::Migration),
            Box::new(m20261126_000008_sign_ins::Migration),
            Box::new(m20261126_000010_words_by_part::Migration),
            Box::new(m20261126_000011_requests::Migration),
            Box::new(m20261126_000012_change_groups::Migration),
        ]
    }
}
