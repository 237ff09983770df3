//! `gazetteer search`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, print, say};
use crate::app::App;
use crate::auth::Visibility;
use crate::catalog::{self, AssetId, AssetKind};
use crate::config;
use crate::ingest::Recipes;
use crate::search::{AccessFilter, Choices, Error, FacetField, Query, Sort, follow};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// What to look for
    #[arg(required = true)]
    words: Vec<String>,
    /// Only this kind: database, table or view
    #[arg(long)]
    kind: Vec<AssetKind>,
    /// In which order: match, name or changed
    #[arg(long, default_value = Sort::default().as_str())]
    sort: Sort,
    /// How many to show
    #[arg(long, default_value_t = 10)]
    limit: usize,
}

/// Prints what is found, with the reason below each name.
pub(super) async fn search(
    storage: &config::Storage,
    recipes: &Path,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let app = App::open(storage, Recipes::in_folder(recipes)).await?;
    match follow::catch_up(&app.db, &app.index).await {
        Ok(_) | Err(Error::Busy) => {}
        Err(trouble) => return Err(trouble.into()),
    }
    let kinds = options.kind.iter();
    let choices = kinds.fold(Choices::default(), |choices, kind| {
        choices.with(FacetField::Kind, kind.as_str())
    });
    let query = Query {
        text: options.words.join(" "),
        choices,
        sort: options.sort,
        limit: options.limit,
        ..Query::default()
    };
    let answer = app.index.search(&query, &AccessFilter::none())?;
    for left_out in &answer.left_out {
        let nearest = match left_out.nearest.join("”, “") {
            nearest if nearest.is_empty() => String::new(),
            nearest => format!(" The nearest are “{nearest}”."),
        };
        say(format_args!(
            "Nothing has the word “{}”, so it was left out.{nearest}",
            left_out.word
        ));
    }
    let ids: Vec<AssetId> = answer
        .hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    let assets = catalog::find_assets(&app.db, &Visibility::Everything, &ids).await?;
    for asset in &assets {
        print(format_args!(
            "{}  {}  ({})",
            asset.kind,
            asset.address.path.join("."),
            asset.id
        ))?;
        let hit = answer
            .hits
            .iter()
            .find(|hit| hit.subject == asset.id.subject());
        for matched in hit.into_iter().flat_map(|hit| &hit.matched) {
            let text: String = matched.text.iter().map(|part| part.text.as_str()).collect();
            print(format_args!("    {}: {text}", matched.field.as_str()))?;
        }
    }
    say(format_args!("{} of {} found.", assets.len(), answer.total));
    Ok(ExitCode::SUCCESS)
}
