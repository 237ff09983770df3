//! The page people start from.

use actix_web::web::Data;
use serde::Serialize;

use super::browse::Shelf;
use super::changes::{Changes, NamedAssets};
use super::getting_started::GettingStarted;
use super::ingestion::RecipeLine;
use crate::auth::Actor;
use crate::catalog::{self, AssetId, AssetKind, Change};
use crate::db::{Db, PageRequest};
use crate::ingest::Runner;
use crate::search::{Answer, FacetField, Index, Query};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::searching;
use crate::web::text::number;
use crate::web::view::{Page, Section, View};

/// So many databases of each source are shown.
const DATABASES: u64 = 24;

/// So many changes are looked through for those worth telling.
const CHANGES_READ: u64 = 100;

/// So many changes are told.
const CHANGES_TOLD: usize = 8;

/// `GET /`: search, and what is going on.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    index: Data<Index>,
    runner: Data<Runner>,
) -> Result<Page<HomePage>, Failure> {
    let everything = searching::search(
        &db,
        &index,
        actor.sight(),
        Query {
            limit: 0,
            ..Query::default()
        },
    )
    .await?;
    let shelves = Shelf::read_all(&db, &actor, DATABASES).await?;
    let files = runner.recipes()?;
    let recipes = RecipeLine::read_all(&db, &actor, &files).await?;
    let has_run = recipes.iter().any(RecipeLine::has_run);
    let start = shelves
        .is_empty()
        .then(|| GettingStarted::new(&actor, &runner, &files, has_run));
    let page = PageRequest::first(CHANGES_READ);
    let changes = catalog::list_recent_changes(&db, actor.sight(), &page)
        .await?
        .items;
    let ids: Vec<AssetId> = changes.iter().map(|change| change.asset).collect();
    let named = catalog::find_addresses(&db, &ids).await?;
    let page = HomePage::new(&everything, shelves, recipes, (&changes, &named));
    Ok(Page(HomePage { start, ..page }))
}

/// What `templates/home.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct HomePage {
    counts: Vec<CountOf>,
    /// What to do while nothing is in the catalog.
    start: Option<GettingStarted>,
    sources: Vec<Shelf>,
    changes: Changes,
    recipes: Vec<RecipeLine>,
}

#[derive(Debug, Serialize)]
struct CountOf {
    count: String,
    word: &'static str,
    href: String,
}

impl View for HomePage {
    const TEMPLATE: &'static str = "home";

    fn section(&self) -> Option<Section> {
        Some(Section::Home)
    }
}

impl HomePage {
    fn new(
        everything: &Answer,
        sources: Vec<Shelf>,
        recipes: Vec<RecipeLine>,
        (changes, named): (&[Change], &NamedAssets),
    ) -> Self {
        Self {
            counts: counts(everything),
            start: None,
            sources,
            changes: Changes::recent(changes, named, CHANGES_TOLD),
            recipes,
        }
    }
}

fn counts(everything: &Answer) -> Vec<CountOf> {
    let facet = everything
        .facets
        .iter()
        .find(|facet| facet.field == FacetField::Kind);
    let values = facet.map_or(&[][..], |facet| &facet.values);
    [AssetKind::Table, AssetKind::View, AssetKind::Database]
        .into_iter()
        .filter_map(|kind| {
            let value = values.iter().find(|value| value.value == kind.as_str())?;
            Some(CountOf {
                count: number(value.count),
                word: if value.count == 1 {
                    kind.as_str()
                } else {
                    kind.plural()
                },
                href: links::search([("kind", kind.as_str())]),
            })
        })
        .collect()
}
