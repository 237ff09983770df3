//! One run of one recipe, from its first row to its last.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, error, error_span, info};
use uuid::Uuid;

use super::process::Life;
use super::recipe::Recipe;
use super::report::RunReport;
use super::{Asked, Error, Run, RunCounts, RunState, Severity, StartedBy, process, store};
use crate::auth::{Actor, Permission};
use crate::catalog::{
    self, Address, AddressDigest, AssetId, Cause, Closing, Counts, Discovered, Listing,
    OpenListing, Removal,
};
use crate::db::{self, Db, changes, clock};
use crate::error::{Explain as _, Kind, Storage, chain};
use crate::sources::{Cost, Finding, Held, Report, Skipped};
use crate::telemetry::request;

/// How many reports may wait to be applied; the source waits when it is ahead.
const AHEAD: usize = 8;

/// How many tables are written in one transaction, about.
const BATCH: usize = 500;

/// How much room may be held by what waits to be written, in bytes.
const BATCH_ROOM: usize = 8 << 20;

/// The end of a listing costs as much as so many tables.
const CLOSING: usize = 2;

/// When the end of a run is written again after it could not be, and at the latest from then on.
const AGAIN: Duration = Duration::from_millis(250);
const AGAIN_AT_LAST: Duration = Duration::from_secs(15);

/// How long a command tries to write the end of its run.
const ENDING: Duration = Duration::from_secs(10);

/// How often a run says that it goes on.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// A run that has been silent for so long is over, if its process cannot be asked.
pub(super) const SILENCE: TimeDelta = TimeDelta::seconds(30);

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Databases found so far.
    pub found: u64,
    /// Databases whose listing has ended.
    pub done: u64,
    /// Tables and views seen so far.
    pub seen: u64,
}

/// Writes down that a run of `recipe` has begun; refuses when one goes on already.
///
/// Runs whose process is no more are ended first, as interrupted. For one time at which the recipe is `due` there is one
/// run, however many processes keep the schedule.
pub(super) async fn begin(
    db: &Db,
    recipe: &str,
    actor: &Actor,
    by: StartedBy,
    due: Option<DateTime<Utc>>,
) -> Result<Run, Error> {
    actor.require(Permission::RunRecipe)?;
    end_abandoned(db, SILENCE).await?;
    let now = clock::now(&**db).await?;
    let run = Run {
        id: Uuid::now_v7(),
        recipe: recipe.to_owned(),
        started_by: by,
        who: actor.who().clone(),
        state: RunState::Running,
        started_at: now,
        heartbeat_at: now,
        ended_at: None,
        counts: RunCounts::default(),
        failure: None,
    };
    let txn = db.write().await?;
    store::begin(&*txn, &run, &process::this_process(), due).await?;
    // What the schedule and the operator start stands among the runs; what people ask for is on record besides.
    if actor.account().is_some() {
        let asked = Asked {
            recipe: run.recipe.clone(),
        };
        changes::append(&txn, vec![asked.entry(actor, run.id, now)]).await?;
    }
    txn.commit().await?;
    Ok(run)
}

/// Ends the runs whose process is no more, and those that were silent for longer than `silence` where nobody can tell.
///
/// Such a run may only sleep: when it wakes up it writes nothing more.
pub async fn end_abandoned(db: &Db, silence: TimeDelta) -> Result<(), Error> {
    for (id, process) in store::list_active(&**db).await? {
        let (silence, why) = match process::life_of(&process) {
            Life::Lives => continue,
            Life::HasEnded => (None, "Its process ended before the run did.".to_owned()),
            Life::Unknown => {
                let seconds = silence.num_seconds();
                let why = format!("It was silent for {seconds} seconds, so it was taken for dead.");
                (Some(silence), why)
            }
        };
        let txn = db.write().await?;
        store::interrupt(&*txn, id, silence, &why).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Runs a recipe to its end, and tells `progress` how far it is.
///
/// The run that is returned has ended, well or not: how is in its state. When `stop` comes true first, what was applied
/// stays, nothing is called gone, and the run is interrupted. An error means that the run could not even begin.
pub async fn run(
    db: &Db,
    recipe: &Recipe,
    actor: &Actor,
    progress: watch::Sender<Progress>,
    stop: impl Future<Output = ()>,
) -> Result<Run, Error> {
    let run = begin(db, &recipe.name, actor, StartedBy::Command, None).await?;
    let span = error_span!("run", run.id = %run.id, recipe = recipe.name);
    let work = async {
        let mut run = Box::pin(carry_out(db, recipe, run, progress, stop)).await;
        write_end(db, &mut run, sleep(ENDING)).await;
        run
    };
    Ok(request::within(request::fresh(), work.instrument(span)).await)
}

/// Carries out a run that has begun. [`write_end`] comes next.
pub(super) async fn carry_out(
    db: &Db,
    recipe: &Recipe,
    mut run: Run,
    progress: watch::Sender<Progress>,
    stop: impl Future<Output = ()>,
) -> Run {
    let clock = Instant::now();
    info!(run.id = %run.id, "started recipe {}", recipe.name);
    let mut work = Work::new(db, recipe, run.id, progress);
    let read = work.read_source(stop).await;
    let left = match &read {
        Ok(Ended::Read) => "The source stopped before the last page.".to_owned(),
        Ok(Ended::Stopped) => "The run was stopped before the last page.".to_owned(),
        Err(failure) => format!("The run failed before the last page: {failure}"),
    };
    work.close_what_is_left(&left);
    work.report.end();
    let outcome = match read {
        Err(Error::TakenForDead) => Err(Error::TakenForDead),
        read => work.flush().await.and(read),
    };
    run.counts = work.counts_so_far();
    run.counts.milliseconds = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    run.state = match &outcome {
        Ok(Ended::Read) if work.report.problems > 0 => RunState::Partial,
        Ok(Ended::Read) => RunState::Succeeded,
        Ok(Ended::Stopped) | Err(Error::TakenForDead) => RunState::Interrupted,
        Err(_) => RunState::Failed,
    };
    if let Err(failure) = &outcome {
        // What the database says is for the log; what a source says is for the person who mends the recipe.
        error!(run.id = %run.id, "recipe {} failed: {}", recipe.name, chain(failure));
        run.failure = Some(words_for(failure));
    }
    run.ended_at = Some(clock::now(&**db).await.unwrap_or_else(|_| Utc::now()));
    info!(run.id = %run.id, run.state = %run.state, "ended recipe {}", recipe.name);
    run
}

/// Says why a run failed. What waited to be written is lost then, and is read again by the next run.
fn words_for(failure: &Error) -> String {
    match failure.kind() {
        Kind::Storage(storage) => format!(
            "{} What was read last is not in the catalog; run the recipe again.",
            storage.sentence()
        ),
        _ => failure.to_string(),
    }
}

/// Writes down how a run ended, unless somebody else has ended it meanwhile.
///
/// The recipe cannot be run again before that. So it is tried until it is done, or until `give_up` ends: then the process
/// ends as well, and the next one finds out.
pub(super) async fn write_end(db: &Db, run: &mut Run, give_up: impl Future<Output = ()>) {
    tokio::pin!(give_up);
    let mut pause = AGAIN;
    loop {
        let unwritten = match try_end(db, run).await {
            Ok(true) => return,
            Ok(false) => {
                run.state = RunState::Interrupted;
                run.failure = Some(Error::TakenForDead.to_string());
                return;
            }
            Err(unwritten) => chain(&unwritten),
        };
        if pause == AGAIN {
            error!(run.id = %run.id, "the end of the run could not be written down yet: {unwritten}");
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(AGAIN_AT_LAST),
            () = &mut give_up => return,
        }
    }
}

async fn try_end(db: &Db, run: &Run) -> Result<bool, DbErr> {
    let txn = db.write().await?;
    let ended = store::end(&*txn, run).await?;
    txn.commit().await?;
    Ok(ended)
}

/// How reading ended, when it did not fail.
enum Ended {
    Read,
    Stopped,
}

/// A run while it goes on.
struct Work<'a> {
    db: &'a Db,
    recipe: &'a Recipe,
    cause: Cause,
    run: Uuid,
    open: HashMap<AddressDigest, Open>,
    listed: Vec<Address>,
    counts: RunCounts,
    report: RunReport,
    /// How much waits to be written, in tables.
    waiting: usize,
    /// The room that it takes in memory.
    held: Vec<Held>,
    so_far: Progress,
    progress: watch::Sender<Progress>,
}

/// A database while its listing goes on, and until that is written down.
struct Open {
    state: OpenState,
    counts: Counts,
    waiting: Vec<Discovered>,
    /// Listed, but not to be written.
    kept: Vec<Address>,
    /// Set when no more will come.
    listing: Option<Listing>,
}

/// Whether a database is in the catalog yet.
enum OpenState {
    Found(Box<Discovered>),
    Written(OpenListing),
}

impl<'a> Work<'a> {
    fn new(db: &'a Db, recipe: &'a Recipe, run: Uuid, progress: watch::Sender<Progress>) -> Self {
        let actor = Actor::recipe(&recipe.name);
        let cause = Cause {
            actor: match request::current() {
                Some(id) => actor.in_request(&id),
                None => actor,
            },
            run: Some(run),
        };
        Self {
            db,
            recipe,
            cause,
            run,
            open: HashMap::new(),
            listed: Vec::new(),
            counts: RunCounts::default(),
            report: RunReport::new(run),
            waiting: 0,
            held: Vec::new(),
            so_far: Progress::default(),
            progress,
        }
    }

    /// Applies what the source reports until it ends, or until `stop` does.
    async fn read_source(&mut self, stop: impl Future<Output = ()>) -> Result<Ended, Error> {
        let (sender, mut reports) = mpsc::channel(AHEAD);
        let source = self.recipe.source.clone();
        let reading = async move { source.discover(sender).await };
        let reading =
            AbortOnDropHandle::new(tokio::spawn(request::carried(reading).in_current_span()));
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                report = reports.recv() => match report {
                    Some(report) => self.take(report).await?,
                    None => break,
                },
                _ = heartbeat.tick() => self.beat().await?,
                () = &mut stop => return Ok(Ended::Stopped),
            }
        }
        let Cost { calls } = match reading.await {
            Ok(cost) => cost?,
            Err(broken) => return Err(Error::Reader(broken)),
        };
        self.counts.calls = calls;
        Ok(Ended::Read)
    }

    /// Says that the run goes on, and shows what it has found so far.
    ///
    /// A run that somebody else took for dead ends here: another one may have begun. Where somebody else keeps it from
    /// writing, the next beat says so.
    async fn beat(&mut self) -> Result<(), Error> {
        self.flush().await?;
        match self.write_beat().await {
            Ok(goes_on) => goes_on.then_some(()).ok_or(Error::TakenForDead),
            Err(stuck) if db::kind_of(&stuck) == Kind::Storage(Storage::Stuck) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn write_beat(&self) -> Result<bool, DbErr> {
        let txn = self.db.write().await?;
        let goes_on = store::heartbeat(&*txn, self.run, &self.counts_so_far()).await?;
        txn.commit().await?;
        Ok(goes_on)
    }

    /// What was done, in the databases that are still open too.
    fn counts_so_far(&self) -> RunCounts {
        let mut counts = self.counts;
        for open in self.open.values() {
            counts.assets += open.counts;
        }
        counts
    }

    async fn take(&mut self, report: Report) -> Result<(), Error> {
        match report {
            Report::Opened { database, held } => {
                self.open_database(*database);
                self.held.push(held);
            }
            Report::Page {
                database,
                assets,
                skipped,
                held,
            } => {
                self.take_page(&database, assets, skipped);
                self.held.push(held);
            }
            Report::Kept(address) => self.keep(address),
            Report::Closed { database, listing } => self.close_database(&database, listing),
            Report::Databases { listing } => self.end_databases(listing).await?,
            Report::Finding(Finding { about, text }) => {
                let severity = Severity::of(about.as_ref(), &text);
                self.report.note(severity, about.as_ref(), text);
            }
        }
        let held: usize = self.held.iter().map(Held::bytes).sum();
        if self.waiting >= BATCH || held >= BATCH_ROOM || self.report.is_full() {
            self.flush().await?;
        }
        self.progress.send_replace(self.so_far);
        Ok(())
    }

    fn open_database(&mut self, database: Discovered) {
        let address = database.address.clone();
        let open = Open {
            state: OpenState::Found(Box::new(database)),
            counts: Counts::default(),
            waiting: Vec::new(),
            kept: Vec::new(),
            listing: None,
        };
        self.open.insert(address.identity(), open);
        self.listed.push(address);
        self.so_far.found += 1;
    }

    /// Notes that something is still there, though it is not read.
    fn keep(&mut self, address: Address) {
        let parent = address.parent().map(|parent| parent.identity());
        match parent.and_then(|parent| self.open.get_mut(&parent)) {
            Some(open) => {
                open.kept.push(address);
                self.waiting += 1;
            }
            None => self.listed.push(address),
        }
    }

    fn take_page(&mut self, database: &Address, assets: Vec<Discovered>, skipped: Vec<Skipped>) {
        let Some(open) = self.open.get_mut(&database.identity()) else {
            return;
        };
        self.so_far.seen += assets.len() as u64 + skipped.len() as u64;
        self.waiting += assets.len();
        open.waiting.extend(assets);
        open.counts.skipped += skipped.len() as u64;
        for Skipped { address, reason } in skipped {
            let severity = Severity::of(Some(&address), &reason);
            self.report.note(severity, Some(&address), reason);
            open.kept.push(address);
        }
    }

    fn close_database(&mut self, database: &Address, listing: Listing) {
        if let Some(open) = self.open.get_mut(&database.identity()) {
            open.listing = Some(listing);
            self.so_far.done += 1;
            self.waiting += CLOSING;
        }
    }

    /// Writes everything that waits: databases, their tables, what their complete listings no longer have, and then
    /// what the report says of them. Many small databases share each of these steps.
    async fn flush(&mut self) -> Result<(), Error> {
        self.waiting = 0;
        self.write_databases().await?;
        self.write_tables().await?;
        self.end_listings().await?;
        self.report.write(self.db).await?;
        self.held.clear();
        Ok(())
    }

    async fn write_databases(&mut self) -> Result<(), Error> {
        let found = self.open.values_mut().filter_map(|open| match &open.state {
            OpenState::Found(database) => Some(((**database).clone(), open)),
            OpenState::Written(_) => None,
        });
        let (databases, opens): (Vec<Discovered>, Vec<&mut Open>) = found.unzip();
        if databases.is_empty() {
            return Ok(());
        }
        let now = clock::now(&**self.db).await?;
        let scopes = catalog::open(self.db, &self.cause, databases, now).await?;
        for (open, scope) in opens.into_iter().zip(scopes) {
            open.state = OpenState::Written(scope);
        }
        Ok(())
    }

    async fn write_tables(&mut self) -> Result<(), Error> {
        let mut pages = Vec::new();
        let mut counts = Vec::new();
        for open in self.open.values_mut() {
            let OpenState::Written(scope) = &mut open.state else {
                continue;
            };
            for address in open.kept.drain(..) {
                scope.keep(&address);
            }
            if !open.waiting.is_empty() {
                pages.push((scope, std::mem::take(&mut open.waiting)));
                counts.push(&mut open.counts);
            }
        }
        if pages.is_empty() {
            return Ok(());
        }
        let now = clock::now(&**self.db).await?;
        let applied = catalog::apply(self.db, &self.cause, pages, now).await?;
        for (counts, applied) in counts.into_iter().zip(applied) {
            *counts += applied;
        }
        Ok(())
    }

    async fn end_listings(&mut self) -> Result<(), Error> {
        let mut complete = Vec::new();
        let mut scopes = Vec::new();
        let mut incomplete = Vec::new();
        for (identity, open) in std::mem::take(&mut self.open) {
            match open {
                Open {
                    state: OpenState::Written(scope),
                    listing: Some(listing),
                    counts,
                    ..
                } => match listing {
                    Listing::Complete => {
                        complete.push((scope.address().clone(), scope.database(), counts));
                        scopes.push(scope);
                    }
                    Listing::Incomplete(reason) => incomplete.push((scope, counts, reason)),
                },
                open => {
                    self.open.insert(identity, open);
                }
            }
        }
        if scopes.is_empty() && incomplete.is_empty() {
            return Ok(());
        }
        let now = clock::now(&**self.db).await?;
        for (scope, counts, reason) in incomplete {
            self.counts.incomplete += 1;
            self.report
                .note(Severity::NotRead, Some(scope.address()), reason.clone());
            self.end_listing(
                (scope.address(), scope.database()),
                counts,
                Listing::Incomplete(reason),
                now,
            );
        }
        if scopes.is_empty() {
            return Ok(());
        }
        let limit = self.recipe.remove;
        let source = &self.recipe.source;
        let removal = Removal {
            allows: &|gone, known| limit.allows(gone, known),
            covers: &|address| source.covers(address),
        };
        let closings = catalog::close(self.db, &self.cause, scopes, &removal, now).await?;
        for ((address, database, mut counts), closing) in complete.into_iter().zip(closings) {
            counts.gone = closing.gone;
            self.tell_refusal(&address, &closing);
            self.end_listing((&address, database), counts, Listing::Complete, now);
        }
        Ok(())
    }

    fn end_listing(
        &mut self,
        (address, id): (&Address, AssetId),
        counts: Counts,
        how: Listing,
        now: DateTime<Utc>,
    ) {
        self.counts.databases += 1;
        self.counts.assets += counts;
        self.report.listed((id, address.name()), counts, how, now);
    }

    async fn end_databases(&mut self, listing: Listing) -> Result<(), Error> {
        if let Listing::Incomplete(reason) = listing {
            self.report.note(Severity::NotRead, None, reason);
            return Ok(());
        }
        if self.listed.is_empty() {
            let text =
                "The source listed no database that the recipe looks at, so nothing was compared.";
            self.report.note(Severity::NotRead, None, text.to_owned());
            return Ok(());
        }
        let source = &self.recipe.source;
        let limit = self.recipe.remove;
        let removal = Removal {
            allows: &|gone, known| limit.allows(gone, known),
            covers: &|address| source.covers(address),
        };
        let now = clock::now(&**self.db).await?;
        let closings =
            catalog::close_databases(self.db, &self.cause, &self.listed, &removal, now).await?;
        for (database, closing) in closings {
            self.counts.assets.gone += closing.gone;
            self.tell_refusal(&database, &closing);
        }
        Ok(())
    }

    fn tell_refusal(&mut self, database: &Address, closing: &Closing) {
        let Some(refusal) = &closing.refusal else {
            return;
        };
        let names: Vec<&str> = refusal.names.iter().map(Address::name).collect();
        let more = refusal.missing.saturating_sub(names.len() as u64);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let text = format!(
            "The source no longer lists {} of the {} known tables and views, and the recipe allows to remove {} at \
             once, so all of them were kept: “{}”{more}. If they are really gone, run once with a higher \
             “remove: at_most”.",
            refusal.missing,
            refusal.known,
            self.recipe.remove,
            names.join("”, “"),
        );
        self.report
            .note(Severity::NotReadInFull, Some(database), text);
    }

    /// Ends the databases that the source opened and did not close, as incomplete for a reason.
    fn close_what_is_left(&mut self, reason: &str) {
        for open in self.open.values_mut() {
            let left = || Listing::Incomplete(reason.to_owned());
            open.listing.get_or_insert_with(left);
        }
    }
}
