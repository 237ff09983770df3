//! What changed, as lines with a count for each kind: for one batch in one database.
//!
//! A count is a link to its list, so that a thousand new tables are one line. What is dangerous comes first, and its
//! sentences are never folded.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;

use super::asset_line::{AssetLine, AssetLines};
use super::parts::{Link, Text};
use crate::auth::{Actor, Visibility};
use crate::catalog::groups::{
    self, ChangeCounts, ChangeGroup, DatabaseChange, FirstChanges, GroupFilter,
};
use crate::catalog::{AssetId, Batch, Change, ChangeKind, Difference};
use crate::db::Db;
use crate::ingest;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::text::{Moment, count};

/// So many changes of each sort are read for a line.
const FIRST: u64 = 3;

/// A line has so many sentences of one change.
const SENTENCES: usize = 6;

/// What one run, or people in one day, changed.
#[derive(Debug, Serialize)]
pub(super) struct BatchView {
    /// The recipe of a run.
    run: Option<Link>,
    /// The day on which people edited.
    day: Option<String>,
    at: Moment,
    groups: Vec<GroupView>,
}

/// What a batch changed in one database.
#[derive(Debug, Serialize)]
pub(super) struct GroupView {
    database: Link,
    /// Where every change of it is listed.
    href: String,
    /// What happened to the database itself.
    itself: Option<&'static str>,
    itself_is_bad: bool,
    lines: Vec<Line>,
}

/// How many changes of one kind there are, and the first of them.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    words: String,
    href: String,
    dangerous: bool,
    entries: Vec<Entry>,
    /// How many are not named.
    more: Option<String>,
}

/// One change in a line.
#[derive(Debug, Serialize)]
struct Entry {
    asset: AssetLine,
    sentences: Vec<Text>,
    more: Option<String>,
}

/// What lines are made of.
pub(super) struct Material {
    first: FirstChanges,
    named: AssetLines,
    recipes: HashMap<Uuid, String>,
}

impl Material {
    /// Reads what the lines of some groups tell, in a number of queries that does not grow with theirs.
    pub(super) async fn read(
        db: &Db,
        actor: &Actor,
        found: &[ChangeGroup],
        kind: Option<ChangeKind>,
    ) -> Result<Self, Failure> {
        let first = groups::find_first(db, actor.visibility(), found, kind, FIRST).await?;
        let databases = found.iter().map(|group| group.database);
        let assets = first.values().flatten().map(|change| change.asset);
        let ids: Vec<AssetId> = databases.chain(assets).collect();
        let runs = found.iter().filter_map(|group| match group.batch {
            Batch::Run(run) => Some(run),
            Batch::Day(_) => None,
        });
        let recipes = ingest::recipes_of(db, &runs.collect::<Vec<_>>()).await?;
        Ok(Self {
            first,
            named: AssetLines::read(db, actor, &ids).await?,
            recipes,
        })
    }
}

impl BatchView {
    /// Puts the groups of a batch, which stand one behind the other, together.
    pub(super) fn all(
        found: &[ChangeGroup],
        kind: Option<ChangeKind>,
        material: &Material,
    ) -> Vec<Self> {
        let batches = found.chunk_by(|one, other| one.batch == other.batch);
        batches
            .filter_map(|groups| Self::new(groups, kind, material))
            .collect()
    }

    fn new(groups: &[ChangeGroup], kind: Option<ChangeKind>, material: &Material) -> Option<Self> {
        let batch = groups.first()?.batch;
        let at = groups.iter().map(|group| group.last_at).max()?;
        let (run, day) = match batch {
            Batch::Run(run) => {
                let recipe = material.recipes.get(&run);
                let recipe = recipe.map_or("a recipe", String::as_str);
                (Some(Link::new(recipe, links::run(run))), None)
            }
            Batch::Day(day) => (None, Some(day.format("%-d %B %Y").to_string())),
        };
        Some(Self {
            run,
            day,
            at: Moment::of(at),
            groups: groups
                .iter()
                .map(|group| GroupView::new(group, kind, material))
                .collect(),
        })
    }
}

impl GroupView {
    pub(super) fn new(group: &ChangeGroup, kind: Option<ChangeKind>, material: &Material) -> Self {
        let link = || Link::new("a database", links::asset(group.database));
        let kinds = match kind {
            Some(ref kind) => std::slice::from_ref(kind),
            None => &ChangeKind::ALL[..],
        };
        let lines = kinds
            .iter()
            .filter(|kind| group.counts.of(**kind) > 0)
            .map(|kind| Line::new(group, *kind, material));
        Self {
            database: material.named.link(group.database).unwrap_or_else(link),
            href: in_batch(group, None),
            itself: group.itself.map(told_of_itself),
            itself_is_bad: group.itself == Some(DatabaseChange::Removed),
            lines: lines.collect(),
        }
    }
}

/// Tells what happened to a database itself.
pub(super) fn told_of_itself(itself: DatabaseChange) -> &'static str {
    match itself {
        DatabaseChange::Removed => "The source no longer has this database.",
        DatabaseChange::Changed => "The database itself changed.",
        DatabaseChange::New => "The database is new.",
    }
}

/// Where the changes of a group are listed, of one kind or all.
fn in_batch(group: &ChangeGroup, kind: Option<ChangeKind>) -> String {
    let database = group.database.to_string();
    let kind = kind.map_or("", ChangeKind::as_str);
    links::batch(group.batch.id(), &database, kind)
}

/// How many changes of a kind there are, in words: “6 columns dropped”.
pub(super) fn in_words(counts: &ChangeCounts, kind: ChangeKind) -> String {
    match kind {
        ChangeKind::Removed => count(counts.removed, "table removed", "tables removed"),
        ChangeKind::Dropped => count(counts.dropped_columns, "column dropped", "columns dropped"),
        ChangeKind::Retyped => count(counts.retyped_columns, "type changed", "types changed"),
        ChangeKind::Changed => count(counts.changed, "definition changed", "definitions changed"),
        ChangeKind::New => count(counts.new, "new table", "new tables"),
        ChangeKind::Edited => count(counts.edited, "edit by people", "edits by people"),
    }
}

/// Whether a kind may break what somebody has built.
pub(super) fn is_dangerous(kind: ChangeKind) -> bool {
    matches!(
        kind,
        ChangeKind::Removed | ChangeKind::Dropped | ChangeKind::Retyped
    )
}

impl Line {
    fn new(group: &ChangeGroup, kind: ChangeKind, material: &Material) -> Self {
        let first = material.first.get(&(group.batch, group.database));
        let first = first.map_or(&[][..], Vec::as_slice);
        let of_kind = first.iter().filter(|change| tells(change, kind));
        let most = usize::try_from(FIRST).unwrap_or(usize::MAX);
        let entries: Vec<Entry> = of_kind
            .take(most)
            .filter_map(|change| Entry::new(change, kind, material))
            .collect();
        let left = group.counts.of(kind).saturating_sub(entries.len() as u64);
        // What was dropped or retyped has lines of its own.
        let told = kind == ChangeKind::Changed && entries.is_empty();
        Self {
            words: in_words(&group.counts, kind),
            href: in_batch(group, Some(kind)),
            dangerous: is_dangerous(kind),
            more: (left > 0 && !told).then(|| count(left, "more", "more")),
            entries,
        }
    }
}

/// Whether the line of a kind includes a change.
fn tells(change: &Change, kind: ChangeKind) -> bool {
    use crate::catalog::Action::{Changed, Created, Gone, Other, Returned, Revised};
    let has = |kind| {
        change
            .action
            .differences()
            .iter()
            .any(|one| is_of(one, kind))
    };
    let breaks = || has(ChangeKind::Dropped) || has(ChangeKind::Retyped);
    match (&change.action, kind) {
        (Gone, ChangeKind::Removed)
        | (Created, ChangeKind::New)
        | (Revised(_) | Other(_), ChangeKind::Edited) => true,
        (Changed(_) | Returned(_), ChangeKind::Dropped | ChangeKind::Retyped) => has(kind),
        (Changed(_) | Returned(_), ChangeKind::Changed) => !breaks(),
        _ => false,
    }
}

fn is_of(difference: &Difference, kind: ChangeKind) -> bool {
    match difference {
        Difference::ColumnDropped { .. } => kind == ChangeKind::Dropped,
        Difference::ColumnRetyped { .. } => kind == ChangeKind::Retyped,
        _ => false,
    }
}

impl Entry {
    fn new(change: &Change, kind: ChangeKind, material: &Material) -> Option<Self> {
        let asset = material.named.short_line(change.asset)?;
        let differences = change.action.differences().iter();
        let mut sentences: Vec<String> = match kind {
            ChangeKind::Removed | ChangeKind::New => Vec::new(),
            ChangeKind::Dropped | ChangeKind::Retyped => differences
                .filter(|one| is_of(one, kind))
                .map(Difference::sentence)
                .collect(),
            ChangeKind::Changed | ChangeKind::Edited => change.action.sentences(),
        };
        let left = sentences.len().saturating_sub(SENTENCES);
        sentences.truncate(SENTENCES);
        Some(Self {
            asset,
            sentences: sentences
                .iter()
                .map(|text| Text::one_of_many(text))
                .collect(),
            more: (left > 0).then(|| count(left as u64, "more", "more")),
        })
    }
}

/// A count of a kind that leads to its list.
#[derive(Debug, Serialize)]
pub(super) struct KindCount {
    words: String,
    href: String,
    dangerous: bool,
}

/// What changed this week, as counts that are links; empty when nothing did.
pub(super) async fn of_this_week(
    db: &Db,
    visibility: &Visibility,
) -> Result<Vec<KindCount>, Failure> {
    let filter = GroupFilter {
        days: Some(WEEK),
        ..GroupFilter::default()
    };
    let counts = groups::count(db, visibility, &filter).await?;
    let kinds = ChangeKind::ALL.into_iter();
    let there = kinds.filter(|kind| counts.of(*kind) > 0);
    let days = WEEK.to_string();
    Ok(there
        .map(|kind| KindCount {
            words: in_words(&counts, kind),
            href: links::changes([("kind", kind.as_str()), ("days", &days)]),
            dangerous: is_dangerous(kind),
        })
        .collect())
}

const WEEK: u32 = 7;
