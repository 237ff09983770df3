//! The audit trail: the change log as admins read it.
//!
//! Every sign-in, every change of people, rights, tokens and the catalog, and every run that somebody asked for is one row
//! of the log, with who did it and in which request. Here the rows become sentences, with the names that things have now. What this version does not
//! know is shown as it stands. Deliberately absent: any way to change or delete a row.

mod names;
mod store;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::auth::principals::{self, Principal};
use crate::auth::scopes;
use crate::auth::{AccountId, Actor, Denied, Event, Permission, Who};
use crate::catalog::groups::{self, RunChanges};
use crate::catalog::requests::Deed;
use crate::catalog::{self, Action};
use crate::db::{self, BadCursor, Db, Page, PageRequest};
use crate::error::{Explain, Kind};
use crate::ingest::{self, Asked};

use names::Names;

/// Which rows are wanted; without anything all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// What this person or service did.
    pub person: Option<AccountId>,
    /// What happened to one of these.
    pub things: Option<Vec<Uuid>>,
    pub topic: Option<Topic>,
    /// The word of the action, such as `token_made`.
    pub action: Option<String>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Without what runs of recipes did.
    pub outside_runs: bool,
}

/// A line of the log as people read it: one row, or all that a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Row(Box<Record>),
    Run {
        changes: RunChanges,
        recipe: Option<String>,
    },
}

impl Line {
    /// A row by itself.
    pub fn of(record: Record) -> Self {
        Self::Row(Box::new(record))
    }

    fn place(&self) -> i64 {
        match self {
            Self::Row(record) => record.seq,
            Self::Run { changes, .. } => changes.first,
        }
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Sign-ins, refused ones too, and how sessions ended.
    SignIns,
    /// Accounts, roles and teams.
    People,
    Tokens,
    /// Scopes that were restricted or opened.
    Restrictions,
    /// Runs of recipes that people asked for.
    Runs,
    /// Databases, tables and views.
    Catalog,
}

impl Topic {
    /// Every topic, in the order in which people are shown them.
    pub const ALL: [Self; 6] = [
        Self::SignIns,
        Self::People,
        Self::Tokens,
        Self::Restrictions,
        Self::Runs,
        Self::Catalog,
    ];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIns => "sign-ins",
            Self::People => "people",
            Self::Tokens => "tokens",
            Self::Restrictions => "restrictions",
            Self::Runs => "runs",
            Self::Catalog => "catalog",
        }
    }
}

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(word: &str) -> Result<Self, UnknownTopic> {
        let found = Self::ALL.into_iter().find(|topic| topic.as_str() == word);
        found.ok_or_else(|| UnknownTopic(word.to_owned()))
    }
}

/// There is no topic of that name.
#[derive(Debug, thiserror::Error)]
#[error(
    "There is no topic named “{0}”: it is sign-ins, people, tokens, restrictions, runs or catalog."
)]
pub struct UnknownTopic(String);

/// One row, told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub by: By,
    pub actor_id: Option<AccountId>,
    /// The request in which it was asked for, if it was one.
    pub request: Option<String>,
    /// The run of a recipe that did it, if one did.
    pub run: Option<Uuid>,
    pub thing: Thing,
    /// The word in the log.
    pub action: String,
    pub sentences: Vec<String>,
    /// What is particular to the action, as JSON.
    pub details: String,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    Known(Who),
    /// What stands in the log, which this version cannot read.
    Unknown(String),
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// `account`, `team`, `token`, `scope`, `run` or `asset`, or a word that this version does not know.
    pub kind: String,
    pub id: Uuid,
    /// What it is called now; nothing if it is no longer there, or never was.
    pub name: Option<String>,
    /// For a token, whose it is.
    pub owner: Option<AccountId>,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(who) => who.fmt(f),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

/// What happened, as far as this version knows.
enum What {
    ToPeople(Event),
    ToAsset(Action),
    ToRun(Asked),
    ToRequests(Deed),
    Unknown,
}

impl What {
    fn read(row: &store::Row) -> Self {
        let (action, details) = (&row.action, &row.details);
        let known = match row.kind.as_str() {
            "account" | "team" | "token" | "scope" => {
                Event::read(action, details).map(Self::ToPeople)
            }
            "run" => Asked::read(action, details).map(Self::ToRun),
            "request" | "search" => Deed::read(action, details).map(Self::ToRequests),
            "asset" => match Action::read(action, details) {
                Some(Action::Other(_)) | None => None,
                Some(action) => Some(Self::ToAsset(action)),
            },
            _ => None,
        };
        known.unwrap_or(Self::Unknown)
    }

    fn sentences(&self, row: &store::Row, names: &Names) -> Vec<String> {
        match self {
            Self::ToPeople(event) => vec![names.told(row.subject, event)],
            Self::ToAsset(action) => action.sentences(),
            Self::ToRun(asked) => vec![asked.sentence()],
            Self::ToRequests(deed) => vec![deed.sentence()],
            Self::Unknown => vec![format!(
                "“{}” of this {}: this version of Gazetteer does not know it, so here is what was written: {}",
                row.action, row.kind, row.details
            )],
        }
    }
}

/// Lists what is in the log, newest first.
pub async fn list(
    db: &Db,
    actor: &Actor,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Record>, Error> {
    actor.require(Permission::ReadAudit)?;
    let rows = store::list(&**db, filter, page).await?;
    let told: Vec<What> = rows.items.iter().map(What::read).collect();
    let names = Names::find(db, &rows.items, &told).await?;
    let mut told = told.iter();
    Ok(rows.map(|row| {
        let sentences = told.next().map(|what| what.sentences(&row, &names));
        record(row, sentences.unwrap_or_default(), &names)
    }))
}

/// Lists the log newest first, with one line for each run, which stands where its first change is.
pub async fn list_folded(
    db: &Db,
    actor: &Actor,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Line>, Error> {
    let outside = Filter {
        outside_runs: true,
        ..filter.clone()
    };
    let rows = list(db, actor, &outside, page).await?;
    let runs = groups::list_runs_below(db, page.key::<i64>()?, page.limit + 1).await?;
    let ids: Vec<Uuid> = runs.iter().map(|run| run.run).collect();
    let mut recipes = ingest::recipes_of(db, &ids).await?;
    // What stands behind the last row of a page with more is for the next page.
    let last = rows.items.last().filter(|_| rows.next.is_some());
    let last = last.map_or(i64::MIN, |record| record.seq);
    let in_time = |run: &RunChanges| {
        filter.from.is_none_or(|from| run.at >= from)
            && filter.until.is_none_or(|until| run.at < until)
    };
    let runs = runs
        .into_iter()
        .filter(|run| run.first > last)
        .filter(in_time);
    let mut lines: Vec<Line> = runs
        .map(|changes| Line::Run {
            recipe: recipes.remove(&changes.run),
            changes,
        })
        .chain(rows.items.into_iter().map(Line::of))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.place()));
    let folded = Page::of_rows(lines, page, Line::place);
    Ok(Page {
        next: folded.next.or(rows.next),
        items: folded.items,
    })
}

fn record(row: store::Row, sentences: Vec<String>, names: &Names) -> Record {
    let by = match serde_json::from_str(&row.actor) {
        Ok(who) => By::Known(who),
        Err(_) => By::Unknown(row.actor),
    };
    Record {
        seq: row.seq,
        at: row.at,
        by,
        actor_id: row.actor_id.map(AccountId),
        request: row.request,
        run: row.run,
        thing: names.thing(row.kind, row.subject),
        action: row.action,
        sentences,
        details: row.details,
    }
}

/// Finds the person or service that somebody means by a name or an id.
pub async fn find_person(db: &Db, actor: &Actor, words: &str) -> Result<AccountId, Error> {
    actor.require(Permission::ReadAudit)?;
    if let Ok(id) = words.parse() {
        return Ok(AccountId(id));
    }
    let called = principals::find_called(db, words).await?;
    let person = called.into_iter().find_map(|principal| match principal {
        Principal::Account(id) => Some(id),
        Principal::Team(_) => None,
    });
    person.ok_or_else(|| Error::UnknownPerson(words.to_owned()))
}

/// Finds what somebody means by a name or an id: people, teams, scopes and assets may share one.
pub async fn find_things(db: &Db, actor: &Actor, words: &str) -> Result<Vec<Uuid>, Error> {
    actor.require(Permission::ReadAudit)?;
    if let Ok(id) = words.parse() {
        return Ok(vec![id]);
    }
    let called = principals::find_called(db, words).await?;
    let mut things: Vec<Uuid> = called.into_iter().map(Principal::id).collect();
    let assets = catalog::find_called(db, words).await?;
    things.extend(assets.into_iter().map(|asset| asset.0));
    match catalog::find_scope(db, actor.visibility(), words).await {
        Ok(scope) => things.extend(scopes::find_id(db, &scope).await?),
        Err(catalog::Error::UnknownScope { .. } | catalog::Error::SeveralScopes { .. })
            if !things.is_empty() => {}
        Err(catalog::Error::UnknownScope { .. }) => {
            return Err(Error::UnknownThing(words.to_owned()));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(things)
}

/// Why the audit trail was not shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("There is no account named “{0}”.")]
    UnknownPerson(String),
    #[error("There is no person, team, source, database, table or view named “{0}”.")]
    UnknownThing(String),
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    #[error(transparent)]
    Ingest(#[from] ingest::Error),
    #[error("The change log could not be read.")]
    Database(#[from] DbErr),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownPerson(_) | Self::UnknownThing(_) | Self::BadCursor(_) => Kind::Invalid,
            Self::Denied(denied) => denied.kind(),
            Self::Catalog(error) => error.kind(),
            Self::Ingest(error) => error.kind(),
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownPerson(_) => Some("Write the name with which they sign in, or an id."),
            Self::UnknownThing(_) => Some(
                "Write the name of a person or team, a table as DATABASE.TABLE, a source as PLATFORM:INSTANCE, or an id.",
            ),
            Self::BadCursor(_) => Some("Start from the first page."),
            Self::Denied(denied) => denied.hint(),
            Self::Catalog(error) => error.hint(),
            Self::Ingest(error) => error.hint(),
            Self::Database(_) => None,
        }
    }
}
