//! `gazetteer migrate`.

use std::process::ExitCode;

use super::{Failure, print};
use crate::app::App;
use crate::config;

/// Brings the database to the newest schema. Every other command does so too; this one does nothing else.
pub(super) async fn migrate(storage: &config::Storage) -> Result<ExitCode, Failure> {
    let db = App::connect(storage).await?;
    let pending = db.pending_migrations().await?;
    App::migrate(&db, storage).await?;
    print(match pending {
        0 => "The schema was up to date.".to_owned(),
        1 => "Applied 1 migration.".to_owned(),
        more => format!("Applied {more} migrations."),
    })?;
    Ok(ExitCode::SUCCESS)
}
