//! `gazetteer doctor`.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::{Failure, print};
use crate::app::{self, App};
use crate::auth::directories::Directories;
use crate::config;
use crate::db::{self, Db, changes};
use crate::error::{Explain, Kind, Storage, chain};
use crate::ingest::Recipes;
use crate::ingest::recipe::Listed;

/// How long a source may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) directories: config::Directories,
}

/// Checks the parts one after the other, a line each, with what to do about what is wrong. Makes and changes nothing.
pub(super) async fn doctor(
    storage: &config::Storage,
    recipes: &Path,
    directories: &Directories,
) -> Result<ExitCode, Failure> {
    let opened = async {
        let db = App::connect_to_existing(storage).await?;
        let pending = db.pending_migrations().await?;
        Ok::<_, app::Error>((db, pending))
    };
    let (db, pending) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            tell(false, chain(&error), error.hint())?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut well = check_content(&db).await?;
    if pending > 0 {
        let hint = Some("Run “gazetteer migrate”, or start the server.");
        tell(
            false,
            "The database holds no catalog, or an older one.",
            hint,
        )?;
        return Ok(ExitCode::FAILURE);
    }
    if !well {
        return Ok(ExitCode::FAILURE);
    }
    well &= check_writing(&db).await?;
    let app = match App::over(db, storage, Recipes::in_folder(recipes)).await {
        Ok(app) => app,
        Err(error) => {
            tell(false, chain(&error), error.hint())?;
            return Ok(ExitCode::FAILURE);
        }
    };
    well &= check_index(&app).await?;
    let listed = app.runner.recipes()?;
    if listed.is_empty() {
        tell_no_recipes(recipes)?;
    }
    for listed in listed {
        well &= Box::pin(check_recipe(listed)).await?;
    }
    well &= check_directories(directories).await?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A catalog may be without recipes, but more often their folder is looked for elsewhere.
fn tell_no_recipes(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    let hint = "Name their folder with --recipes or GAZETTEER_RECIPES, as seen from where the command is started.";
    if folder.is_dir() {
        tell(
            true,
            format_args!("The folder “{shown}” holds no recipe."),
            Some(hint),
        )
    } else {
        tell(
            true,
            format_args!("There is no folder “{shown}”, so there are no recipes."),
            Some(hint),
        )
    }
}

/// Whether the database is whole.
async fn check_content(db: &Db) -> Result<bool, Failure> {
    let damage = match db.find_damage().await {
        Ok(damage) => damage,
        Err(cause) => Some(db::Cause(cause).to_string()),
    };
    let Some(damage) = damage else {
        tell(true, format_args!("{} answers.", db.product()), None)?;
        return Ok(true);
    };
    let what = format!("{} {damage}.", Storage::Damaged.sentence());
    let hint = Some("Stop Gazetteer, and restore a backup of the file.");
    tell(false, what, hint)?;
    Ok(false)
}

/// Whether the catalog can be written.
async fn check_writing(db: &Db) -> Result<bool, Failure> {
    db.doubt_room();
    let Err(cause) = db.check_writing().await else {
        tell(true, "The catalog can be written.", None)?;
        return Ok(true);
    };
    let hint = match db::kind_of(&cause) {
        Kind::Storage(Storage::Full) => Some("Make room; nothing has to be restarted."),
        Kind::Storage(Storage::Stuck) => Some("Look at that process, and end it if it hangs."),
        _ => None,
    };
    let why = db::Cause(cause);
    tell(
        false,
        format_args!("The catalog cannot be written: {why}"),
        hint,
    )?;
    Ok(false)
}

/// Whether the index is that of the database.
async fn check_index(app: &App) -> Result<bool, Failure> {
    let head = changes::head(&*app.db)
        .await
        .map_err(|cause| Failure::new(cause.to_string()))?;
    let behind = head - app.index.applied();
    if behind < 0 {
        let what = "The search index knows changes that the database does not have.";
        tell(false, what, Some("Run “gazetteer reindex”."))?;
        return Ok(false);
    }
    let text = if behind == 0 {
        format!("The search index is complete: {} assets.", app.index.len())
    } else {
        format!(
            "The search index is {behind} changes behind; the next command or server catches up."
        )
    };
    tell(true, text, None)?;
    Ok(true)
}

async fn check_recipe(listed: Listed) -> Result<bool, Failure> {
    let recipe = match listed.recipe {
        Ok(recipe) => recipe,
        Err(problems) => {
            tell(false, problems, None)?;
            return Ok(false);
        }
    };
    let answer = tokio::time::timeout(PATIENCE, recipe.source.probe()).await;
    let trouble = match answer {
        Ok(Ok(())) => {
            tell(
                true,
                format_args!("The source of recipe {} answers.", recipe.name),
                None,
            )?;
            return Ok(true);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("It did not answer within {} seconds.", PATIENCE.as_secs()),
    };
    let hint = Some("Check its region, credentials and endpoint.");
    tell(
        false,
        format_args!("The source of recipe {}: {trouble}", recipe.name),
        hint,
    )?;
    Ok(false)
}

async fn check_directories(directories: &Directories) -> Result<bool, Failure> {
    let mut well = true;
    if let Some(oidc) = &directories.oidc {
        let hint = "Check GAZETTEER_OIDC_ISSUER.";
        well &= tell_answer("The OpenID Connect provider", oidc.probe().await, hint)?;
    }
    if let Some(ldap) = &directories.ldap {
        let hint = "Check the setting that is named, or GAZETTEER_LDAP_URL and who it searches as.";
        well &= tell_answer("The LDAP server", ldap.probe().await, hint)?;
    }
    Ok(well)
}

fn tell_answer<E>(who: &str, answer: Result<(), E>, hint: &str) -> Result<bool, Failure>
where
    E: std::error::Error + 'static,
{
    match answer {
        Ok(()) => tell(true, format_args!("{who} answers."), None)?,
        Err(error) => {
            tell(false, format_args!("{who}: {}", chain(&error)), Some(hint))?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn tell(well: bool, text: impl Display, hint: Option<&str>) -> Result<(), Failure> {
    print(format_args!(
        "{} {text}",
        if well { "well:" } else { "WRONG:" }
    ))?;
    hint.map_or(Ok(()), |hint| print(format_args!("  hint: {hint}")))
}
