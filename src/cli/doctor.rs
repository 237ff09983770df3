//! `gazetteer doctor`.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print};
use crate::app::App;
use crate::config;
use crate::db::changes;
use crate::error::{Explain, chain};
use crate::ingest::Recipes;

#[derive(Debug, Args)]
pub(super) struct Options {}

/// Checks the parts one after the other, a line each, with what to do about what is wrong.
pub(super) async fn doctor(
    storage: &config::Storage,
    recipes: &Path,
    _options: &Options,
) -> Result<ExitCode, Failure> {
    let mut well = true;
    let app = match App::open(storage, Recipes::in_folder(recipes)).await {
        Ok(app) => app,
        Err(error) => {
            tell(false, chain(&error), error.hint())?;
            return Ok(ExitCode::FAILURE);
        }
    };
    tell(
        true,
        format_args!("{} answers, its schema is the newest.", app.db.product()),
        None,
    )?;
    let head = changes::head(&*app.db)
        .await
        .map_err(|cause| Failure::new(cause.to_string()))?;
    let behind = head - app.index.applied();
    tell(
        true,
        match behind {
            0 => format!("The search index is complete: {} assets.", app.index.len()),
            _ => format!(
                "The search index is {behind} changes behind; it catches up with the next command or server."
            ),
        },
        None,
    )?;
    for listed in app.runner.recipes()? {
        match listed.recipe {
            Ok(recipe) => tell(
                true,
                format_args!("Recipe {} can be run.", recipe.name),
                None,
            )?,
            Err(problems) => {
                well = false;
                tell(false, problems, None)?;
            }
        }
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(well: bool, text: impl Display, hint: Option<&str>) -> Result<(), Failure> {
    print(format_args!(
        "{} {text}",
        if well { "well:" } else { "WRONG:" }
    ))?;
    hint.map_or(Ok(()), |hint| print(format_args!("  hint: {hint}")))
}
