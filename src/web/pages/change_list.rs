//! The page Changes: what changed in the catalog, dangerous first, by run and database.

use actix_web::web::{Data, Path};
use serde::Serialize;
use uuid::Uuid;

use super::asset_line::AssetLines;
use super::change_groups::{BatchView, Material, in_words, is_dangerous};
use super::changes::Changes;
use super::parts::{Link, More};
use super::picking::database_value;
use crate::auth::{Actor, Visibility};
use crate::catalog::groups::{self, ChangeCounts, ChangeGroup, GroupFilter};
use crate::catalog::{self, AssetId, Batch, ChangeKind, Error};
use crate::db::{Db, Page as ListPage};
use crate::ingest;
use crate::web::change_filter::{self, DAYS};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::number;
use crate::web::view::{Page, Refusal, Section, View};

/// So many groups are on a page.
const GROUPS: usize = 30;

/// So many changes are listed at once.
const CHANGES: usize = 50;

/// `GET /changes`: what changed, newest run first.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<ChangesPage>, Failure> {
    let filter = change_filter::without_database(&parameters)?;
    let filter = match change_filter::database(&db, &actor, &parameters).await? {
        Ok(database) => GroupFilter { database, ..filter },
        Err(wrong) => {
            let typed = parameters.text("database");
            return Ok(Page(ChangesPage::refused(&filter, typed, wrong)));
        }
    };
    let visibility = actor.visibility();
    let found = groups::list(&db, visibility, &filter, &parameters.page(GROUPS)?).await?;
    let every_kind = GroupFilter {
        kind: None,
        ..filter.clone()
    };
    let counts = groups::count(&db, visibility, &every_kind).await?;
    let material = Material::read(&db, &actor, &found.items, filter.kind).await?;
    let database = match filter.database {
        Some(id) => database_words(&db, visibility, id).await?,
        None => String::new(),
    };
    let batches = BatchView::all(&found.items, filter.kind, &material);
    Ok(Page(ChangesPage::new(
        &filter, &found, &counts, batches, database,
    )))
}

/// `GET /changes/{id}`: what one run changed, or people in one day, change by change.
pub(crate) async fn show_batch(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
    parameters: Parameters,
) -> Result<Page<BatchPage>, Failure> {
    let batch = Batch::from_id(*id);
    let filter = change_filter::read(&db, &actor, &parameters).await?;
    let filter = GroupFilter {
        batch: Some(batch),
        days: None,
        ..filter
    };
    let visibility = actor.visibility();
    let page = parameters.page(CHANGES)?;
    groups::expect_batch(&db, visibility, batch).await?;
    let every_kind = GroupFilter {
        kind: None,
        ..filter.clone()
    };
    let counts = groups::count(&db, visibility, &every_kind).await?;
    let found = groups::list_in_batch(&db, visibility, batch, &filter, &page).await?;
    let mut ids: Vec<AssetId> = found.items.iter().map(|change| change.asset).collect();
    ids.extend(filter.database);
    let named = AssetLines::read(&db, &actor, &ids).await?;
    let here = links::batch(
        *id,
        &filter
            .database
            .map_or_else(String::new, |id| id.to_string()),
        filter.kind.map_or("", ChangeKind::as_str),
    );
    let recipe = match batch {
        Batch::Run(run) => {
            let mut recipes = ingest::recipes_of(&db, &[run]).await?;
            recipes.remove(&run)
        }
        Batch::Day(_) => None,
    };
    let database = match filter.database {
        Some(id) => Some(named.link(id).ok_or(Error::UnknownAsset)?),
        None => None,
    };
    Ok(Page(BatchPage {
        title: title(&filter, &counts),
        crumbs: vec![Link::new("Changes", links::changes([]))],
        run: match batch {
            Batch::Run(run) => Some(Link::new(
                recipe.as_deref().unwrap_or("a recipe"),
                links::run(run),
            )),
            Batch::Day(_) => None,
        },
        day: match batch {
            Batch::Run(_) => None,
            Batch::Day(day) => Some(day.format("%-d %B %Y").to_string()),
        },
        kinds: kinds(&filter, &counts, |kind| {
            let database = filter
                .database
                .map_or_else(String::new, |id| id.to_string());
            links::batch(*id, &database, kind)
        }),
        database,
        changes: Changes::of_batch(&here, &found, &named),
    }))
}

fn title(filter: &GroupFilter, counts: &ChangeCounts) -> String {
    match filter.kind {
        Some(kind) => in_words(counts, kind),
        None => "Changes".to_owned(),
    }
}

/// The words by which a database is found again.
async fn database_words(db: &Db, visibility: &Visibility, id: AssetId) -> Result<String, Failure> {
    let several = catalog::list_instances(db, visibility).await?.len() > 1;
    let mut found = catalog::find_summaries(db, visibility, &[id]).await?;
    let words = found
        .remove(&id)
        .map(|database| database_value(&database.address, several));
    Ok(words.unwrap_or_default())
}

/// What `templates/changes/index.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct ChangesPage {
    action: String,
    /// The kind, which the form keeps.
    kind: &'static str,
    kinds: Vec<KindTab>,
    /// The chosen database, as its field has it.
    database: String,
    pick_href: String,
    days: Vec<DaysChoice>,
    filtered: bool,
    batches: Vec<BatchView>,
    more: More,
    feed: String,
    refusal: Option<Refusal>,
}

/// A kind to choose, with how many changes there are of it.
#[derive(Debug, Serialize)]
pub(super) struct KindTab {
    label: &'static str,
    href: String,
    count: Option<String>,
    dangerous: bool,
    current: bool,
}

#[derive(Debug, Serialize)]
struct DaysChoice {
    days: String,
    label: &'static str,
    chosen: bool,
}

impl View for ChangesPage {
    const TEMPLATE: &'static str = "changes/index";

    fn title(&self) -> &'static str {
        "Changes"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Changes)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl ChangesPage {
    /// The page without changes, with what was typed for the database and why that is none.
    fn refused(filter: &GroupFilter, typed: &str, wrong: String) -> Self {
        let nothing = ListPage {
            items: Vec::new(),
            next: None,
        };
        let counts = ChangeCounts::default();
        let page = Self::new(filter, &nothing, &counts, Vec::new(), typed.to_owned());
        Self {
            refusal: Some(Refusal::of_all(&[wrong])),
            filtered: true,
            ..page
        }
    }

    fn new(
        filter: &GroupFilter,
        found: &ListPage<ChangeGroup>,
        counts: &ChangeCounts,
        batches: Vec<BatchView>,
        database_words: String,
    ) -> Self {
        let database = filter.database.map(|id| id.to_string());
        let database = database.unwrap_or_default();
        let days = change_filter::days_text(filter);
        let kind = filter.kind.map_or("", ChangeKind::as_str);
        let address = |kind: &str, after: &str| {
            links::changes([
                ("kind", kind),
                ("database", database.as_str()),
                ("days", days.as_str()),
                ("after", after),
            ])
        };
        Self {
            action: links::changes([]),
            kind,
            kinds: kinds(filter, counts, |kind| address(kind, "")),
            database: database_words,
            pick_href: links::pick("databases"),
            days: DAYS
                .iter()
                .map(|(choice, label)| DaysChoice {
                    days: (*choice).to_owned(),
                    label,
                    chosen: *choice == days,
                })
                .collect(),
            filtered: filter.kind.is_some() || filter.database.is_some(),
            batches,
            more: More::of(found, "Show earlier changes", |after| {
                address(kind, after.as_str())
            }),
            feed: links::changes_feed([("kind", kind), ("database", database.as_str())]),
            refusal: None,
        }
    }
}

/// The kinds as tabs, all of them first.
fn kinds(
    filter: &GroupFilter,
    counts: &ChangeCounts,
    href: impl Fn(&str) -> String,
) -> Vec<KindTab> {
    let all = KindTab {
        label: "All",
        href: href(""),
        count: None,
        dangerous: false,
        current: filter.kind.is_none(),
    };
    let each = ChangeKind::ALL.into_iter().map(|kind| KindTab {
        label: label(kind),
        href: href(kind.as_str()),
        count: Some(number(shown(counts, kind))),
        dangerous: is_dangerous(kind) && counts.of(kind) > 0,
        current: filter.kind == Some(kind),
    });
    std::iter::once(all).chain(each).collect()
}

/// Of what was dropped or retyped, columns are counted.
fn shown(counts: &ChangeCounts, kind: ChangeKind) -> u64 {
    match kind {
        ChangeKind::Dropped => counts.dropped_columns,
        ChangeKind::Retyped => counts.retyped_columns,
        other => counts.of(other),
    }
}

fn label(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Removed => "Removed",
        ChangeKind::Dropped => "Columns dropped",
        ChangeKind::Retyped => "Types changed",
        ChangeKind::Changed => "Changed",
        ChangeKind::New => "New",
        ChangeKind::Edited => "Edited by people",
    }
}

/// What `templates/changes/batch.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct BatchPage {
    #[serde(rename = "heading")]
    title: String,
    crumbs: Vec<Link>,
    run: Option<Link>,
    day: Option<String>,
    database: Option<Link>,
    kinds: Vec<KindTab>,
    changes: Changes,
}

impl View for BatchPage {
    const TEMPLATE: &'static str = "changes/batch";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Changes)
    }
}
