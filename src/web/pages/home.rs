//! The page people start from.

use actix_web::web::Data;
use serde::Serialize;

use super::browse::Shelf;
use super::change_groups::{BatchView, KindCount, Material, of_this_week};
use super::getting_started::GettingStarted;
use super::ingestion::RecipeLine;
use super::your_work::YourWork;
use crate::auth::Actor;
use crate::catalog::AssetKind;
use crate::catalog::groups::{self, GroupFilter};
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

/// The page has the changes of so many databases.
const GROUPS: u64 = 5;

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
        actor.visibility(),
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
    let visibility = actor.visibility();
    let newest = PageRequest::first(GROUPS);
    let found = groups::list(&db, visibility, &GroupFilter::default(), &newest).await?;
    let material = Material::read(&db, &actor, &found.items, None).await?;
    let changes = RecentChanges {
        week: of_this_week(&db, visibility).await?,
        batches: BatchView::all(&found.items, None, &material),
    };
    let yours = YourWork::read(&db, &actor, &index).await?;
    let page = HomePage::new(&everything, shelves, recipes, changes);
    Ok(Page(HomePage {
        start,
        yours,
        ..page
    }))
}

/// What `templates/home.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct HomePage {
    counts: Vec<CountOf>,
    /// What to do while nothing is in the catalog.
    start: Option<GettingStarted>,
    yours: Option<YourWork>,
    sources: Vec<Shelf>,
    changes: RecentChanges,
    recipes: Vec<RecipeLine>,
}

/// What changed lately.
#[derive(Debug, Serialize)]
struct RecentChanges {
    /// This week, in numbers.
    week: Vec<KindCount>,
    batches: Vec<BatchView>,
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
        changes: RecentChanges,
    ) -> Self {
        Self {
            counts: counts(everything),
            start: None,
            yours: None,
            sources,
            changes,
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
