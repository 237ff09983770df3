//! The page people start from.

use actix_web::web::Data;
use serde::Serialize;

use super::browse::Shelf;
use super::change_groups::{BatchView, KindCount, Material, of_this_week};
use super::ingestion::RecipeLine;
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

/// The changes of so many databases are told.
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
        actor.sight(),
        Query {
            limit: 0,
            ..Query::default()
        },
    )
    .await?;
    let shelves = Shelf::read_all(&db, &actor, DATABASES).await?;
    let recipes = RecipeLine::read_all(&db, &actor, &runner.recipes()?).await?;
    let sight = actor.sight();
    let newest = PageRequest::first(GROUPS);
    let found = groups::list(&db, sight, &GroupFilter::default(), &newest).await?;
    let material = Material::read(&db, sight, &found.items, None).await?;
    let changes = RecentChanges {
        week: of_this_week(&db, sight).await?,
        batches: BatchView::all(&found.items, None, &material),
    };
    Ok(Page(HomePage::new(&everything, shelves, recipes, changes)))
}

/// What `templates/home.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct HomePage {
    counts: Vec<CountOf>,
    empty: Option<Empty>,
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

/// The one next step while nothing is in the catalog.
#[derive(Debug, Serialize)]
struct Empty {
    text: &'static str,
    href: Option<String>,
    label: &'static str,
    command: Option<&'static str>,
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
            empty: sources.is_empty().then(|| Empty::new(!recipes.is_empty())),
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

impl Empty {
    fn new(recipes: bool) -> Self {
        if recipes {
            Self {
                text: "A recipe is there. Run it, and what it finds can be searched and read here.",
                href: Some(links::ingestion()),
                label: "Go to ingestion",
                command: None,
            }
        } else {
            Self {
                text: "Look around in a made-up company first: this command fills a catalog of its own, without \
                       network or credentials.",
                href: None,
                label: "",
                command: Some("gazetteer demo"),
            }
        }
    }
}
