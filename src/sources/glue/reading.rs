//! Reading one Glue catalog: its databases first, then the tables of several databases at once, page by page.
//!
//! Whatever goes wrong with one database is said when it is closed; the others go on. What an answer says of a table
//! that cannot be read costs that table alone. Deliberately absent: everything that costs a call for each table, but
//! for following a link.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_glue::types::{Database, Table};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{Instrument as _, info_span};

use super::ahead::Ahead;
use super::answer::{Answer, Entry};
use super::batch::{Batch, Link};
use super::client::{Ask, Client, Failure, Page, Tokens, Whereabouts};
use super::limits::{Bound, Limits};
use super::pages::Pages;
use super::translate::{self, Scope, Translated};
use super::{PLATFORM, Settings, full_name, measure};
use crate::catalog::{Address, AddressDigest, Listing};
use crate::sources::room::{Held, Room};
use crate::sources::{Cost, Error, Finding, Report};
use crate::telemetry::request;

/// How many links of one page are followed at once.
const LINKS_AT_ONCE: usize = 4;

/// The next page is asked for while one is read, unless that has more bytes.
const SMALL_PAGE: usize = 1 << 20;

/// How much room there is for what was read and is not written yet, in bytes, about.
const ROOM: usize = 32 << 20;

/// How often the name of a table that is skipped is kept until that is written down.
const NAMED: usize = 4;

/// How often a type is kept until it is written: in the asset, in its document, and on its way to the database.
const WRITTEN: usize = 3;

pub(in crate::sources) async fn discover(
    settings: &Settings,
    reports: mpsc::Sender<Report>,
) -> Result<Cost, Error> {
    let client = Client::connect(settings).await?;
    let reading = Arc::new(Reading {
        settings: settings.clone(),
        client,
        reports,
        room: Room::of(ROOM),
        pages_of_databases: Pages::new(settings.limits.answer_size.0),
        pages_of_tables: Pages::new(settings.limits.answer_size.0),
    });
    match reading.databases().await {
        Ok(databases) => Arc::clone(&reading).tables_of_all(databases).await,
        Err(Stop::Gone) => {}
        Err(Stop::Failed(failure)) => return Err(Error::Unreadable(failure.to_string())),
    }
    Ok(Cost {
        calls: reading.client.calls(),
    })
}

/// One reading of one catalog.
struct Reading {
    settings: Settings,
    client: Client,
    reports: mpsc::Sender<Report>,
    /// Room for what was read of pages, until it is written.
    room: Room,
    pages_of_databases: Pages,
    pages_of_tables: Pages,
}

/// A database that was reported as found, and where its tables really are.
struct Open {
    scope: Scope,
    place: Whereabouts,
}

/// The databases that were found.
#[derive(Default)]
struct Found {
    open: Vec<Open>,
    seen: HashSet<AddressDigest>,
    /// How many links were left out, of which the names are kept, too.
    links: usize,
    /// Bytes of their names, and of what tells where they are.
    names: usize,
}

impl Found {
    fn push(&mut self, database: Open) {
        let Open { scope, place } = &database;
        self.names += scope.address.instance.len() + scope.database().len() + place.database.len();
        self.names += [&scope.account, &place.catalog_id, &place.region]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>();
        self.open.push(database);
    }

    /// Counts a link that is left out.
    fn leave_out(&mut self, link: &Address) {
        self.links += 1;
        self.names += link.instance.len() + link.name().len();
    }

    /// Refuses more databases than the recipe allows, and names that take as much.
    fn check(&self, limits: &Limits) -> Result<(), Failure> {
        let what = if self.open.len() + self.links > limits.databases {
            "The catalog has"
        } else if self.names > limits.names_size() {
            "The names of the databases are as long as those of"
        } else {
            return Ok(());
        };
        Err(Failure::lasting(limits.exceeded(what, Bound::Databases)))
    }
}

/// Why reading ends early.
enum Stop {
    /// Nobody listens any more.
    Gone,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// How far a listing is.
#[derive(Default)]
struct Progress {
    pages: usize,
    /// Entries of all its pages.
    entries: usize,
    /// Entries of which nobody can tell what they are about.
    unknown: usize,
}

impl Progress {
    /// Why nothing may be called gone; each entry that nobody knows could be what is missed.
    fn doubt(&self) -> Result<(), Failure> {
        let count = match self.unknown {
            0 => return Ok(()),
            1 => "1 entry".to_owned(),
            more => format!("{more} entries"),
        };
        Err(Failure::lasting(format!(
            "Nobody can tell what {count} of the listing meant, so nothing was called gone."
        )))
    }
}

impl Reading {
    /// Reports every database, then how the list of them ended; fails when not even its first page could be read.
    async fn databases(&self) -> Result<Vec<Open>, Stop> {
        let mut rows = self.rows();
        let first = self.page_of_databases(None, &mut rows).await?;
        let mut found = Found::default();
        let listing = match self.all_databases(first, rows, &mut found).await {
            Ok(()) => Listing::Complete,
            Err(Stop::Failed(failure)) => Listing::Incomplete(failure.to_string()),
            Err(Stop::Gone) => return Err(Stop::Gone),
        };
        self.send(Report::Databases { listing }).await?;
        Ok(found.open)
    }

    async fn all_databases(
        &self,
        mut page: Page,
        mut rows: i32,
        found: &mut Found,
    ) -> Result<(), Stop> {
        let mut tokens = Tokens::new(self.settings.limits);
        let mut progress = Progress::default();
        loop {
            let next = page.next.take();
            self.open_page(&page.answer, &mut progress, found).await?;
            let Some(token) = tokens.follow(next)? else {
                return Ok(progress.doubt()?);
            };
            page = self.page_of_databases(Some(token), &mut rows).await?;
        }
    }

    async fn page_of_databases(
        &self,
        token: Option<String>,
        rows: &mut i32,
    ) -> Result<Page, Failure> {
        let ask = |rows| {
            let token = token.clone();
            let catalog_id = self.settings.catalog_id.as_deref();
            self.client.databases(catalog_id, Ask { token, rows })
        };
        self.pages_of_databases.read(rows, ask).await
    }

    /// Reports the databases of one page as found.
    async fn open_page(
        &self,
        answer: &Answer,
        progress: &mut Progress,
        found: &mut Found,
    ) -> Result<(), Stop> {
        let limits = &self.settings.limits;
        progress.pages += 1;
        for (position, entry) in answer.entries().take(limits.answer_rows).enumerate() {
            let held = self.room.take(measure::weight(&entry)).await;
            match self.read_database(&entry) {
                Ok(None) => {}
                Ok(Some(database)) => self.open(database, held, found).await?,
                Err(reason) => {
                    progress.unknown += 1;
                    let place = place_in_list(position, progress.pages, "the list of databases");
                    let text = format!("{place} was left out: {reason}");
                    self.find(None, text).await?;
                }
            }
            found.check(limits)?;
        }
        self.check_rows(answer)
    }

    /// Reads a database; nothing when the settings leave it out.
    fn read_database(&self, entry: &Entry<'_>) -> Result<Option<Database>, String> {
        let limits = &self.settings.limits;
        let name = entry.name().ok_or_else(|| no_name(entry))?;
        if !self.settings.databases.allows(&name) {
            return Ok(None);
        }
        if name.len() > limits.name_size.0 {
            return Err(limits.exceeded("Its name has", Bound::NameSize));
        }
        measure::check_entry(entry, limits)?;
        let read = entry.database();
        read.map(Some)
            .map_err(|reason| format!("“{name}” could not be understood ({reason})."))
    }

    /// Reports a database as found, unless it was found before or is left out as a link.
    async fn open(&self, database: Database, held: Held, found: &mut Found) -> Result<(), Stop> {
        let scope = self.scope(&database);
        if database.target_database.is_some() && self.settings.ignore_resource_links {
            found.leave_out(&scope.address);
            return self.send(Report::Kept(scope.address)).await;
        }
        if !found.seen.insert(scope.address.identity()) {
            let text = "AWS Glue listed this database twice; only the first is read.";
            return self.find(Some(scope.address), text.to_owned()).await;
        }
        let place = place(&database, scope.account.clone());
        let database = Box::new(translate::database(database, &scope));
        found.push(Open { scope, place });
        self.send(Report::Opened { database, held }).await
    }

    fn scope(&self, database: &Database) -> Scope {
        let account = database
            .catalog_id
            .clone()
            .or_else(|| self.settings.catalog_id.clone());
        let region = self.client.region().to_owned();
        Scope {
            address: Address {
                platform: PLATFORM.to_owned(),
                instance: self.settings.instance(account.as_deref(), &region),
                path: vec![database.name.clone()],
            },
            account,
            region,
            owners: self.settings.extract_owners,
        }
    }

    /// Reads the tables of every database, several at once. Dropping it ends them all.
    async fn tables_of_all(self: Arc<Self>, databases: Vec<Open>) {
        let mut tasks = JoinSet::new();
        for database in databases {
            if self.reports.is_closed() {
                return;
            }
            if tasks.len() >= self.settings.parallel_databases.max(1) {
                wait_for_one(&mut tasks).await;
            }
            let reading = Arc::clone(&self);
            let span = info_span!("database", name = database.place.database);
            let reading = async move { reading.tables_of(&database).await };
            tasks.spawn(request::carried(reading).instrument(span));
        }
        while !tasks.is_empty() {
            wait_for_one(&mut tasks).await;
        }
    }

    /// Reads the tables of one database and closes it.
    async fn tables_of(&self, database: &Open) {
        let listing = match self.pages_of(database).await {
            Ok(()) => Listing::Complete,
            Err(Stop::Failed(failure)) => Listing::Incomplete(failure.to_string()),
            Err(Stop::Gone) => return,
        };
        let closed = Report::Closed {
            database: database.scope.address.clone(),
            listing,
        };
        // When nobody listens any more, there is nobody to tell.
        self.send(closed).await.ok();
    }

    /// Reports page after page, asking for the next one while one is translated.
    async fn pages_of(&self, database: &Open) -> Result<(), Stop> {
        let mut tokens = Tokens::new(self.settings.limits);
        let mut progress = Progress::default();
        let mut rows = self.rows();
        let mut page = self.page_of_tables(database, None, &mut rows).await?;
        loop {
            let token = match tokens.follow(page.next.take()) {
                Ok(Some(token)) => token,
                end => {
                    self.report(database, &page.answer, &mut progress).await?;
                    return Ok(end.map(drop).and_then(|()| progress.doubt())?);
                }
            };
            let Page { answer, held, .. } = page;
            let is_small = answer.size() <= SMALL_PAGE;
            let report = async {
                let reported = self.report(database, &answer, &mut progress).await;
                // Given back here: the following page may wait for it.
                drop((answer, held));
                reported
            };
            page = if is_small {
                let following = self.page_of_tables(database, Some(token), &mut rows);
                let (following, reported) = futures::join!(following, report);
                reported?;
                following?
            } else {
                report.await?;
                self.page_of_tables(database, Some(token), &mut rows)
                    .await?
            };
        }
    }

    async fn page_of_tables(
        &self,
        database: &Open,
        token: Option<String>,
        rows: &mut i32,
    ) -> Result<Page, Failure> {
        let ask = |rows| {
            let token = token.clone();
            self.client.tables(&database.place, Ask { token, rows })
        };
        self.pages_of_tables.read(rows, ask).await
    }

    fn rows(&self) -> i32 {
        self.settings.page_size.clamp(1, 100)
    }

    /// Translates one page of tables and reports it.
    async fn report(
        &self,
        database: &Open,
        answer: &Answer,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let limits = &self.settings.limits;
        progress.pages += 1;
        let mut batch = Batch::new(&database.scope);
        let mut names = HashSet::new();
        let mut ahead = Ahead::default();
        for (position, entry) in answer.entries().take(limits.answer_rows).enumerate() {
            progress.entries += 1;
            if progress.entries > limits.tables_per_database {
                self.finish(&mut batch).await?;
                let sentence = limits.exceeded("The database has", Bound::TablesPerDatabase);
                return Err(Failure::lasting(sentence).into());
            }
            let Some(name) = ahead.name(answer, position, &entry) else {
                progress.unknown += 1;
                let place = place_in_list(position, progress.pages, "its tables");
                batch.find(format!("{place} was left out: {}", no_name(&entry)));
                continue;
            };
            if !self.lets_in(database, &name) {
                continue;
            }
            if name.len() > limits.name_size.0 {
                let reason = limits.exceeded("Its name has", Bound::NameSize);
                self.skip(&mut batch, &name, reason).await?;
            } else if names.insert(name.clone()) {
                let read = || ahead.table(&entry);
                self.read_table(&mut batch, &name, &entry, read).await?;
            } else {
                batch.found_twice(&name);
            }
        }
        self.finish(&mut batch).await?;
        self.check_rows(answer)
    }

    fn lets_in(&self, database: &Open, table: &str) -> bool {
        let name = full_name(database.scope.database(), table);
        self.settings.tables.allows(&name)
    }

    /// Refuses the rest of an answer that has more entries than the recipe allows.
    fn check_rows(&self, answer: &Answer) -> Result<(), Stop> {
        let limits = &self.settings.limits;
        if answer.rows <= limits.answer_rows {
            return Ok(());
        }
        let sentence = limits.exceeded("One answer has", Bound::AnswerRows);
        Err(Failure::lasting(sentence).into())
    }

    /// Reads one table of a page; what cannot be read costs that table alone.
    async fn read_table(
        &self,
        batch: &mut Batch<'_>,
        name: &str,
        entry: &Entry<'_>,
        read: impl FnOnce() -> Result<Box<Table>, String>,
    ) -> Result<(), Stop> {
        if let Err(reason) = measure::check_entry(entry, &self.settings.limits) {
            return self.skip(batch, name, reason).await;
        }
        let held = self.find_room(batch, measure::weight(entry)).await?;
        match read() {
            Ok(table) if table.target_table.is_some() && self.settings.ignore_resource_links => {
                let kept = batch.scope.address.child(name);
                self.send(Report::Kept(kept)).await?;
            }
            Ok(table) if table.target_table.is_some() => batch.links.push(Link { table, held }),
            Ok(table) => {
                batch.held.add(held);
                let read = Box::pin(self.translated(batch, table, None)).await?;
                batch.add(name, read);
            }
            Err(reason) => {
                batch.held.add(held);
                let sentence = "Its entry could not be understood, so it stays as it was";
                batch.skip(name, format!("{sentence} ({reason})."));
            }
        }
        if batch.is_full() {
            self.finish(batch).await?;
        }
        Ok(())
    }

    /// Leaves a table as it was.
    async fn skip(&self, batch: &mut Batch<'_>, name: &str, reason: String) -> Result<(), Stop> {
        self.make_room(batch, NAMED * name.len()).await?;
        batch.skip(name, reason);
        if batch.is_full() {
            self.finish(batch).await?;
        }
        Ok(())
    }

    /// Makes room for something of a batch.
    async fn make_room(&self, batch: &mut Batch<'_>, bytes: usize) -> Result<(), Stop> {
        let held = self.find_room(batch, bytes).await?;
        batch.held.add(held);
        Ok(())
    }

    /// Waits until there is room, and lets go of what was read before if there is none.
    async fn find_room(&self, batch: &mut Batch<'_>, bytes: usize) -> Result<Held, Stop> {
        if let Some(held) = self.room.try_take(bytes) {
            return Ok(held);
        }
        self.send_batch(batch).await?;
        Ok(self.room.take(bytes).await)
    }

    /// Translates a table, or a link with its target, unless that takes more than the recipe allows.
    async fn translated(
        &self,
        batch: &mut Batch<'_>,
        table: Box<Table>,
        target: Option<Box<Table>>,
    ) -> Result<Result<Translated, String>, Stop> {
        let limits = &self.settings.limits;
        let size = match measure::check_types(target.as_deref().unwrap_or(&table), limits) {
            Ok(size) => size,
            Err(reason) => return Ok(Err(reason)),
        };
        self.make_room(batch, WRITTEN * size).await?;
        let read = match target {
            Some(target) => translate::linked_table(*table, *target, batch.scope),
            None => translate::table(*table, batch.scope),
        };
        Ok(read.and_then(|read| {
            measure::check_columns(&read.asset, limits)?;
            Ok(read)
        }))
    }

    /// Follows the links of a batch, and reports it.
    async fn finish(&self, batch: &mut Batch<'_>) -> Result<(), Stop> {
        let links = std::mem::take(&mut batch.links);
        let scope = batch.scope;
        let mut followed = futures::stream::iter(links)
            .map(|Link { table, held }| async {
                let target = self.follow(scope, &table).await;
                (table, held, target)
            })
            .buffered(LINKS_AT_ONCE);
        while let Some((link, held, target)) = followed.next().await {
            let name = link.name.clone();
            let read = match target {
                Target::Table(answer) => Box::pin(self.link_to(batch, link, &answer)).await?,
                Target::None(said) => {
                    let alone = Box::pin(self.translated(batch, link, None)).await?;
                    alone.map(|mut alone| {
                        alone.findings.push(said);
                        alone
                    })
                }
                Target::Unknown(reason) => Err(reason),
            };
            batch.add(&name, read);
            batch.held.add(held);
        }
        self.send_batch(batch).await
    }

    /// Asks for what a link points at.
    async fn follow(&self, scope: &Scope, link: &Table) -> Target {
        let Some((place, target)) = target(scope, link) else {
            return Target::None("This link points at itself, so it has no schema.".to_owned());
        };
        match self.client.table(&place, &target).await {
            Ok(answer) => Target::Table(answer),
            Err(failure) if failure.lasting => Target::None(failure.to_string()),
            Err(failure) => Target::Unknown(failure.to_string()),
        }
    }

    /// Reads what a link points at.
    async fn link_to(
        &self,
        batch: &mut Batch<'_>,
        link: Box<Table>,
        answer: &Answer,
    ) -> Result<Result<Translated, String>, Stop> {
        let Some(entry) = answer.entries().next() else {
            return self.translated(batch, link, None).await;
        };
        if let Err(reason) = measure::check_entry(&entry, &self.settings.limits) {
            return Ok(Err(reason));
        }
        self.make_room(batch, measure::weight(&entry)).await?;
        match entry.table() {
            Ok(target) => self.translated(batch, link, Some(target)).await,
            Err(reason) => Ok(Err(format!(
                "What this link points at could not be understood, so it stays as it was ({reason})."
            ))),
        }
    }

    async fn send_batch(&self, batch: &mut Batch<'_>) -> Result<(), Stop> {
        for report in batch.reports() {
            self.send(report).await?;
        }
        Ok(())
    }

    async fn find(&self, about: Option<Address>, text: String) -> Result<(), Stop> {
        self.send(Report::Finding(Finding { about, text })).await
    }

    async fn send(&self, report: Report) -> Result<(), Stop> {
        self.reports.send(report).await.or(Err(Stop::Gone))
    }
}

/// What came of following a link.
enum Target {
    Table(Answer),
    /// There is none, as far as anybody can tell; the link is reported as it stands.
    None(String),
    /// That may be different next time: the schema known until now stays.
    Unknown(String),
}

/// Where an entry is that has no name to be called by.
fn place_in_list(position: usize, page: usize, list: &str) -> String {
    format!("Entry {} on page {page} of {list}", position + 1)
}

fn no_name(entry: &Entry<'_>) -> String {
    if entry.is_null() {
        "it is null.".to_owned()
    } else {
        "it has no name that can be read.".to_owned()
    }
}

/// Where the tables of a database are: for a link, where it points.
fn place(database: &Database, account: Option<String>) -> Whereabouts {
    let target = database.target_database.as_ref();
    Whereabouts {
        region: target.and_then(|target| target.region.clone()),
        catalog_id: target
            .and_then(|target| target.catalog_id.clone())
            .or(account),
        database: target
            .and_then(|target| target.database_name.clone())
            .unwrap_or_else(|| database.name.clone()),
    }
}

/// What a link points at: where, and its name there; `None` when that is the link itself.
fn target(scope: &Scope, link: &Table) -> Option<(Whereabouts, String)> {
    let target = link.target_table.as_ref()?;
    let name = target.name.clone().unwrap_or_else(|| link.name.clone());
    let place = Whereabouts {
        region: target.region.clone(),
        catalog_id: target.catalog_id.clone().or_else(|| scope.account.clone()),
        database: target
            .database_name
            .clone()
            .unwrap_or_else(|| scope.database().to_owned()),
    };
    let is_itself = name == link.name
        && place.database == scope.database()
        && place.catalog_id == scope.account
        && place
            .region
            .as_deref()
            .is_none_or(|region| region == scope.region);
    (!is_itself).then_some((place, name))
}

/// Waits until one of the tasks is done; a defect in one is not hidden.
async fn wait_for_one(tasks: &mut JoinSet<()>) {
    if let Some(Err(failure)) = tasks.join_next().await
        && failure.is_panic()
    {
        std::panic::resume_unwind(failure.into_panic());
    }
}
