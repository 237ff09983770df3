//! Recipes, when they run, and how their runs ended.

use actix_web::Either;
use actix_web::web::{Data, Path};
use chrono::Utc;
use serde::Serialize;
use uuid::Uuid;

use super::asset_line::AssetLines;
use super::changes::Changes;
use super::findings::{self, FindingLine, Shortfalls};
use super::parts::{
    Fact, LastRun, Link, More, RunRow, State, Text, heading, name, platform_word, started_by, took,
};
use crate::auth::Actor;
use crate::catalog::groups::{self, GroupFilter};
use crate::catalog::{AssetId, Batch, ChangeKind};
use crate::db::{Cursor, Db, Page as ListPage, PageRequest};
use crate::error::{Explain, Kind};
use crate::ingest::recipe::{Listed as RecipeFile, Notice, Position, Problem, Problems, Recipe};
use crate::ingest::{self, Listed, Run, RunFinding, RunState, Runner, StartedBy};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::starting;
use crate::web::text::{Moment, Shortened, count, number};
use crate::web::view::{Page, Refusal, Section, SeeOther, View};

/// So many of the next times of a recipe are told.
const NEXT_TIMES: usize = 3;

/// So many of the latest runs are on the first page.
const LATEST: u64 = 10;

/// So many runs, listings or findings are listed at once.
const RUNS: usize = 50;

/// `GET /ingestion`: every recipe and the latest runs.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    runner: Data<Runner>,
) -> Result<Page<IngestionPage>, Failure> {
    let files = runner.recipes()?;
    let lines = RecipeLine::read_all(&db, &actor, &files).await?;
    let runs =
        ingest::list_runs(&db, actor.visibility(), None, &PageRequest::first(LATEST)).await?;
    Ok(Page(IngestionPage::new(&files, lines, &runs.items)))
}

/// `GET /ingestion/runs`: every run, newest first.
pub(crate) async fn runs(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<RunsPage>, Failure> {
    let runs = ingest::list_runs(&db, actor.visibility(), None, &parameters.page(RUNS)?).await?;
    Ok(Page(RunsPage::new(&runs)))
}

/// `GET /ingestion/recipes/{name}`: one recipe and its runs.
pub(crate) async fn recipe(
    db: Data<Db>,
    actor: Actor,
    runner: Data<Runner>,
    name: Path<String>,
    parameters: Parameters,
) -> Result<Page<RecipePage>, Failure> {
    let file = runner.find_recipe(&name)?;
    let page = parameters.page(RUNS)?;
    Ok(Page(RecipePage::read(&db, &actor, &file, &page).await?))
}

/// `POST /ingestion/recipes/{name}/runs`: starts a run and leads to it.
pub(crate) async fn start_run(
    db: Data<Db>,
    runner: Data<Runner>,
    name: Path<String>,
    actor: Actor,
) -> Result<Either<SeeOther, Page<RecipePage>>, Failure> {
    let refusal = match starting::start_run(&runner, &name, &actor, StartedBy::Page).await {
        Ok(run) => return Ok(Either::Left(SeeOther(links::run(run)))),
        Err(refusal) => refusal,
    };
    if !matches!(refusal.kind(), Kind::Conflict | Kind::Invalid) {
        return Err(refusal.into());
    }
    let file = runner.find_recipe(&name)?;
    let page = RecipePage::read(&db, &actor, &file, &PageRequest::first(RUNS as u64)).await?;
    Ok(Either::Right(Page(page.refused(&refusal))))
}

/// `GET /ingestion/runs/{id}`: how one run stands, and what it did.
pub(crate) async fn run(
    db: Data<Db>,
    actor: Actor,
    id: Path<Uuid>,
    parameters: Parameters,
) -> Result<Page<RunPage>, Failure> {
    let run = ingest::find_run(&db, actor.visibility(), *id).await?;
    let part = |name| {
        PageRequest::new(
            parameters.all(name).next().map(Cursor::from_text),
            RUNS as u64,
        )
    };
    let listings =
        ingest::list_listings(&db, actor.visibility(), run.id, &part("listings")).await?;
    let findings =
        ingest::list_findings(&db, actor.visibility(), run.id, &part("findings")).await?;
    let of = GroupFilter::default();
    let changes = groups::list_in_batch(
        &db,
        actor.visibility(),
        Batch::Run(run.id),
        &of,
        &part("changes"),
    )
    .await?;
    let ids: Vec<AssetId> = changes.items.iter().map(|change| change.asset).collect();
    let named = AssetLines::read(&db, &actor, &ids).await?;
    let changes = Changes::of_run(&run, &changes, &named);
    let expected = databases_before(&db, &actor, &run).await?;
    let progress = Progress::of(&run, expected);
    Ok(Page(RunPage {
        progress,
        ..RunPage::new(&run, &listings, &findings, changes)
    }))
}

/// How many databases the run before this one met, while this one goes on; 0 when nobody knows.
async fn databases_before(db: &Db, actor: &Actor, run: &Run) -> Result<u64, Failure> {
    if !is_running(run) {
        return Ok(0);
    }
    let page = PageRequest::first(2);
    let runs = ingest::list_runs(db, actor.visibility(), Some(&run.recipe), &page).await?;
    let before = runs.items.iter().find(|other| other.id != run.id);
    Ok(before.map_or(0, |run| run.counts.databases))
}

/// A recipe that can run, as a line of a list.
#[derive(Debug, Serialize)]
pub(crate) struct RecipeLine {
    name: Shortened,
    href: String,
    source: String,
    schedule: String,
    next: Vec<NextTime>,
    last: Option<LastRun>,
    never: &'static str,
    running: bool,
    run_action: String,
}

impl RecipeLine {
    /// Reads the recipes that can run; there are as many as files in the folder.
    pub(super) async fn read_all(
        db: &Db,
        actor: &Actor,
        files: &[RecipeFile],
    ) -> Result<Vec<Self>, Failure> {
        let recipes = files.iter().filter_map(|file| file.recipe.as_ref().ok());
        let recipes: Vec<&Recipe> = recipes.collect();
        let names: Vec<&str> = recipes.iter().map(|recipe| recipe.name.as_str()).collect();
        let last = ingest::latest_runs(db, actor.visibility(), &names).await?;
        let runs: Vec<&Run> = last.values().collect();
        let left_out = Shortfalls::read(db, actor, &runs).await?;
        let line = |recipe: &&Recipe| Self::new(recipe, last.get(&recipe.name), &left_out);
        Ok(recipes.iter().map(line).collect())
    }

    /// Tells whether the recipe has ever run.
    pub(super) fn has_run(&self) -> bool {
        self.last.is_some()
    }

    fn new(recipe: &Recipe, last: Option<&Run>, left_out: &Shortfalls) -> Self {
        Self {
            name: name(&recipe.name),
            href: links::recipe(&recipe.name),
            source: platform_word(recipe.source.platform()),
            schedule: schedule(recipe),
            next: next_times(recipe),
            last: last.map(|run| LastRun::new(run, left_out.words(run))),
            never: NEVER,
            running: last.is_some_and(is_running),
            run_action: links::recipe_runs(&recipe.name),
        }
    }
}

const NEVER: &str = "Has not run yet";

fn is_running(run: &Run) -> bool {
    run.state == RunState::Running
}

fn schedule(recipe: &Recipe) -> String {
    let schedule = recipe.schedule.as_ref();
    schedule.map_or_else(
        || "By hand".to_owned(),
        |schedule| capital(&schedule.in_words()),
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A time at which a recipe will run, also as clocks show it in the recipe's time zone.
#[derive(Debug, Serialize)]
struct NextTime {
    at: Moment,
    local: String,
}

fn next_times(recipe: &Recipe) -> Vec<NextTime> {
    let Some(schedule) = &recipe.schedule else {
        return Vec::new();
    };
    let times = schedule.next(Utc::now(), NEXT_TIMES).into_iter();
    times
        .map(|at| NextTime {
            local: at
                .with_timezone(&schedule.timezone())
                .format("%a %-d %b, %H:%M")
                .to_string(),
            at: Moment::of(at),
        })
        .collect()
}

/// A sentence about a recipe, with its place in the file.
#[derive(Debug, Serialize)]
struct ProblemLine {
    at: String,
    text: String,
    hint: Option<String>,
}

fn place(position: Option<Position>) -> String {
    position.map_or_else(String::new, |Position { line, column }| {
        format!("line {line}:{column}")
    })
}

impl From<&Problem> for ProblemLine {
    fn from(problem: &Problem) -> Self {
        Self {
            at: place(problem.position),
            text: problem.text.clone(),
            hint: problem.hint.clone(),
        }
    }
}

impl From<&Notice> for ProblemLine {
    fn from(notice: &Notice) -> Self {
        Self {
            at: place(Some(notice.position)),
            text: notice.text.clone(),
            hint: None,
        }
    }
}

fn problem_lines(problems: &Problems) -> Vec<ProblemLine> {
    let untold = (problems.untold > 0).then(|| ProblemLine {
        at: String::new(),
        text: count(problems.untold as u64, "more problem.", "more problems."),
        hint: None,
    });
    problems
        .list
        .iter()
        .map(ProblemLine::from)
        .chain(untold)
        .collect()
}

/// What `templates/ingestion/index.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct IngestionPage {
    summary: String,
    broken: Vec<Broken>,
    recipes: Vec<RecipeLine>,
    runs: Vec<RunRow>,
}

/// A recipe that cannot run.
#[derive(Debug, Serialize)]
struct Broken {
    recipe: Link,
    problems: Vec<ProblemLine>,
}

impl View for IngestionPage {
    const TEMPLATE: &'static str = "ingestion/index";

    fn title(&self) -> &'static str {
        "Ingestion"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Ingestion)
    }
}

impl IngestionPage {
    fn new(files: &[RecipeFile], recipes: Vec<RecipeLine>, runs: &[Run]) -> Self {
        let broken: Vec<Broken> = files.iter().filter_map(Broken::of).collect();
        let scheduled = recipes.iter().filter(|line| !line.next.is_empty()).count();
        Self {
            summary: match recipes.len() {
                0 => "Recipes say what is read from where, and when.".to_owned(),
                many => format!(
                    "{}, {} on a schedule",
                    count(many as u64, "recipe", "recipes"),
                    if scheduled == 0 {
                        "none".to_owned()
                    } else {
                        number(scheduled as u64)
                    }
                ),
            },
            broken,
            recipes,
            runs: runs.iter().map(RunRow::from).collect(),
        }
    }
}

impl Broken {
    fn of(file: &RecipeFile) -> Option<Self> {
        let problems = file.recipe.as_ref().err()?;
        Some(Self {
            recipe: Link::to_recipe(&file.name),
            problems: problem_lines(problems),
        })
    }
}

/// What `templates/ingestion/runs.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RunsPage {
    crumbs: Vec<Link>,
    runs: Vec<RunRow>,
    more: More,
}

impl View for RunsPage {
    const TEMPLATE: &'static str = "ingestion/runs";

    fn title(&self) -> &'static str {
        "Runs"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Ingestion)
    }
}

impl RunsPage {
    fn new(runs: &ListPage<Run>) -> Self {
        Self {
            crumbs: crumbs(),
            runs: runs.items.iter().map(RunRow::from).collect(),
            more: More::of(runs, "Show older runs", |cursor| {
                links::with_query(&links::runs(), [("after", cursor.as_str())])
            }),
        }
    }
}

fn crumbs() -> Vec<Link> {
    vec![Link::new("Ingestion", links::ingestion())]
}

/// What `templates/ingestion/recipe.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RecipePage {
    crumbs: Vec<Link>,
    name: Shortened,
    run_action: Option<String>,
    run_label: &'static str,
    running: bool,
    #[serde(skip)]
    refusal: Option<Refusal>,
    problems: Vec<ProblemLine>,
    notices: Vec<ProblemLine>,
    schedule: String,
    next: Vec<NextTime>,
    last: Option<LastRun>,
    never: &'static str,
    facts: Vec<Fact>,
    runs: Vec<RunRow>,
    more: More,
    file: String,
    text: Vec<String>,
}

impl View for RecipePage {
    const TEMPLATE: &'static str = "ingestion/recipe";

    fn title(&self) -> &str {
        &self.name.shown
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Ingestion)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl RecipePage {
    async fn read(
        db: &Db,
        actor: &Actor,
        file: &RecipeFile,
        page: &PageRequest,
    ) -> Result<Self, Failure> {
        let runs = ingest::list_runs(db, actor.visibility(), Some(&file.name), page).await?;
        let last = ingest::latest_runs(db, actor.visibility(), &[&file.name]).await?;
        let last = last.get(&file.name);
        let left_out = Shortfalls::read(db, actor, last.as_slice()).await?;
        Ok(Self::new(file, &runs, (last, &left_out)))
    }

    fn new(
        file: &RecipeFile,
        runs: &ListPage<Run>,
        (last, left_out): (Option<&Run>, &Shortfalls),
    ) -> Self {
        let recipe = file.recipe.as_ref().ok();
        let running = last.is_some_and(is_running);
        let file_name = file.file.file_name().unwrap_or_default().to_string_lossy();
        Self {
            crumbs: crumbs(),
            name: heading(&file.name),
            run_action: recipe.map(|_| links::recipe_runs(&file.name)),
            run_label: if running { "Running" } else { "Run now" },
            running,
            refusal: None,
            problems: file
                .recipe
                .as_ref()
                .err()
                .map(problem_lines)
                .unwrap_or_default(),
            notices: recipe
                .map(|recipe| recipe.notices.iter().map(ProblemLine::from).collect())
                .unwrap_or_default(),
            schedule: recipe
                .map_or_else(|| "Not until its problems are fixed".to_owned(), schedule),
            next: recipe.map(next_times).unwrap_or_default(),
            last: last.map(|run| LastRun::new(run, left_out.words(run))),
            never: NEVER,
            facts: recipe.map(recipe_facts).unwrap_or_default(),
            runs: runs.items.iter().map(RunRow::from).collect(),
            more: More::of(runs, "Show older runs", |cursor| {
                links::with_query(&links::recipe(&file.name), [("after", cursor.as_str())])
            }),
            file: file_name.into_owned(),
            text: recipe
                .map(|recipe| recipe.masked_text.lines().map(str::to_owned).collect())
                .unwrap_or_default(),
        }
    }

    fn refused(mut self, refusal: &ingest::Error) -> Self {
        self.refusal = Some(Refusal::of(refusal));
        self
    }
}

fn recipe_facts(recipe: &Recipe) -> Vec<Fact> {
    let title = recipe.pipeline_name.as_deref();
    [
        Some(Fact::text(
            "Reads",
            &platform_word(recipe.source.platform()),
        )),
        title.map(|title| Fact::text("Title", title)),
        Some(Fact::text(
            "Removal limit",
            &format!("{} of a database", recipe.remove),
        )),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What `templates/ingestion/run.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RunPage {
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    running: bool,
    here: String,
    crumbs: Vec<Link>,
    recipe: Shortened,
    state: State,
    progress: Option<Progress>,
    verdict: Option<String>,
    failure: Option<Text>,
    trust: Vec<Fact>,
    counts: Vec<CountOf>,
    findings: Vec<FindingLine>,
    more_findings: More,
    listings: Vec<ListingRow>,
    no_listings: &'static str,
    more_listings: More,
    changes: Changes,
}

#[derive(Debug, Serialize)]
struct CountOf {
    label: &'static str,
    count: String,
    zero: bool,
    /// The list behind it.
    href: Option<String>,
}

/// How far a run is, in databases.
#[derive(Debug, Serialize)]
struct Progress {
    done: u64,
    /// As many as the last run met; nothing when this is the first.
    of: Option<u64>,
    words: String,
}

impl Progress {
    fn of(run: &Run, expected: u64) -> Option<Self> {
        let done = run.counts.databases;
        let of = (expected > 0).then(|| expected.max(done));
        let finished = count(done, "database", "databases");
        is_running(run).then(|| Self {
            done,
            of,
            words: match of {
                Some(of) => format!("{} of {}", number(done), count(of, "database", "databases")),
                None => format!("{finished} finished"),
            },
        })
    }
}

/// How one database was listed.
#[derive(Debug, Serialize)]
struct ListingRow {
    href: String,
    name: Shortened,
    state: State,
    reason: Option<Text>,
    new: Cell,
    changed: Cell,
    unchanged: Cell,
    gone: Cell,
    skipped: Cell,
}

/// A number of a table, with the list behind it.
#[derive(Debug, Serialize)]
struct Cell {
    count: String,
    zero: bool,
    href: Option<String>,
}

impl Cell {
    fn plain(many: u64) -> Self {
        Self {
            count: number(many),
            zero: many == 0,
            href: None,
        }
    }

    fn of_kind(listed: &Listed, kind: ChangeKind, many: u64) -> Self {
        let href = || links::batch(listed.run, &listed.database.to_string(), kind.as_str());
        Self {
            href: (many > 0).then(href),
            ..Self::plain(many)
        }
    }
}

impl View for RunPage {
    const TEMPLATE: &'static str = "ingestion/run";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Ingestion)
    }

    fn refreshes(&self) -> bool {
        self.running
    }
}

impl RunPage {
    fn new(
        run: &Run,
        listings: &ListPage<Listed>,
        findings: &ListPage<RunFinding>,
        changes: Changes,
    ) -> Self {
        let here = links::run(run.id);
        let mut crumbs = crumbs();
        crumbs.push(Link::to_recipe(&run.recipe));
        let more =
            |parameter, cursor: &Cursor| links::with_query(&here, [(parameter, cursor.as_str())]);
        Self {
            title: format!("Run of {}", name(&run.recipe).shown),
            running: is_running(run),
            crumbs,
            recipe: name(&run.recipe),
            state: State::of_run(run.state),
            progress: None,
            verdict: verdict(run, &findings.items),
            failure: run.failure.as_deref().map(Text::new),
            trust: trust(run),
            counts: counts(run),
            findings: findings.items.iter().map(FindingLine::new).collect(),
            more_findings: More::of(findings, "Show more findings", |cursor| {
                more("findings", cursor)
            }),
            listings: listings.items.iter().map(ListingRow::from).collect(),
            no_listings: if is_running(run) {
                "No database finished yet."
            } else {
                "No database was read."
            },
            more_listings: More::of(listings, "Show more databases", |cursor| {
                more("listings", cursor)
            }),
            changes,
            here,
        }
    }
}

fn verdict(run: &Run, findings: &[RunFinding]) -> Option<String> {
    match run.state {
        RunState::Running => Some("Running. This page updates by itself.".to_owned()),
        RunState::Partial => Some(findings::verdict(run, findings)),
        RunState::Succeeded | RunState::Failed => None,
        RunState::Interrupted => {
            Some("The run was stopped early. What it read until then is kept.".to_owned())
        }
    }
}

fn trust(run: &Run) -> Vec<Fact> {
    let calls = run.counts.calls;
    [
        Some(Fact::at("Started", run.started_at)),
        Some(Fact::text("Took", &took(run))),
        Some(Fact::text("Started by", &started_by(run)).titled(run.who.to_string())),
        (calls > 0).then(|| Fact::text("Calls", &number(calls))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn counts(run: &Run) -> Vec<CountOf> {
    let assets = run.counts.assets;
    let list = |kind: ChangeKind| links::batch(run.id, "", kind.as_str());
    [
        (
            "Databases",
            run.counts.databases,
            Some("#listings-title".to_owned()),
        ),
        (
            "Not read",
            run.counts.incomplete,
            Some("#listings-title".to_owned()),
        ),
        ("Removed", assets.gone, Some(list(ChangeKind::Removed))),
        ("Changed", assets.changed, Some(list(ChangeKind::Changed))),
        ("New", assets.new, Some(list(ChangeKind::New))),
        ("Unchanged", assets.unchanged, None),
        (
            "Skipped",
            assets.skipped,
            Some("#findings-title".to_owned()),
        ),
    ]
    .map(|(label, many, href)| CountOf {
        label,
        count: number(many),
        zero: many == 0,
        href: href.filter(|_| many > 0),
    })
    .into()
}

impl From<&Listed> for ListingRow {
    fn from(listed: &Listed) -> Self {
        Self {
            href: links::asset(listed.database),
            name: name(&listed.name),
            state: State::of_listing(listed.complete),
            reason: listed.reason.as_deref().map(Text::new),
            new: Cell::of_kind(listed, ChangeKind::New, listed.counts.new),
            changed: Cell::of_kind(listed, ChangeKind::Changed, listed.counts.changed),
            unchanged: Cell::plain(listed.counts.unchanged),
            gone: Cell::of_kind(listed, ChangeKind::Removed, listed.counts.gone),
            skipped: Cell::plain(listed.counts.skipped),
        }
    }
}
