//! What people say of an asset, and how they change it.
//!
//! It is kept aspect by aspect in rows of its own, which ingestion never touches. Every aspect has a version; a save that
//! names an older one is refused, with both edits put together as far as they do not collide. Deliberately absent:
//! rendering Markdown.

mod aspect;
mod comparison;
mod dialect;
mod elsewhere;
mod hidden;
mod merge;
mod plain;
mod store;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::asset::AssetId;
use super::{Asset, Error, batch, store as assets_store};
use crate::auth::{Actor, Permission, Who};
use crate::db::{Db, Txn, changes};
use crate::error::{Explain, Kind};

pub use aspect::{
    Aspect, AspectKind, Deprecation, Description, LONGEST_LABEL, LONGEST_REASON, LONGEST_TAG,
    LONGEST_TEXT, LONGEST_URL, Links, MOST_LINKS, MOST_OWNERS, MOST_TAGS, Note, Owner, OwnerRole,
    Owners, Problem, Reference, Tags, Verification, tag_key,
};
pub use comparison::{Comparison, Piece};
pub use dialect::{EXTENSIONS, prepared};
pub use elsewhere::{SaidElsewhere, list_notes_elsewhere, list_tags};
pub use merge::{Merged, Part};
pub use plain::plain_text;

pub(super) use hidden::{leave_out_of, leave_out_of_history};
pub(super) use store::{attach, attach_to_summaries, list_owned_by};

use store::Details;

/// No more problems than this are told of one draft.
const MOST_PROBLEMS: usize = 50;

/// One aspect as it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edition<A> {
    pub content: A,
    /// Grows with every edit; 0 before the first.
    pub version: i32,
    /// Who edited it last, and when; nothing before the first edit.
    pub edited: Option<(Who, DateTime<Utc>)>,
}

/// One aspect as somebody wants it to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft<A> {
    pub content: A,
    /// The version that they had before them.
    pub version: i32,
}

/// All that people say of an asset; ingestion never touches it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HumanLayer {
    pub description: Edition<Description>,
    pub owners: Edition<Owners>,
    pub tags: Edition<Tags>,
    pub links: Edition<Links>,
    pub verification: Edition<Verification>,
    pub deprecation: Edition<Deprecation>,
    /// What is said of columns, by their path; of columns, too, that are no longer there.
    pub notes: BTreeMap<String, Edition<Note>>,
}

impl HumanLayer {
    /// What people say of the asset as a whole, as Markdown.
    pub fn description(&self) -> Option<&str> {
        let text = &self.description.content.text;
        (!text.is_empty()).then_some(text)
    }

    /// What people say of a column, as Markdown.
    pub fn note(&self, column: &str) -> Option<&str> {
        let text = &self.notes.get(column)?.content.text;
        (!text.is_empty()).then_some(text)
    }

    /// What is said of columns that these are not: their names have changed, or they are gone.
    pub fn notes_beside<'a>(&'a self, columns: &[&str]) -> Vec<&'a Edition<Note>> {
        let columns: HashSet<&str> = columns.iter().copied().collect();
        let beside = |note: &&Edition<Note>| {
            !note.content.text.is_empty() && !columns.contains(note.content.column.as_str())
        };
        self.notes.values().filter(beside).collect()
    }
}

/// An aspect that every asset has once, as opposed to one for each column.
pub trait OfAsset: Aspect {
    /// Finds it in all that people say of an asset.
    fn of(human: &HumanLayer) -> &Edition<Self>;
}

macro_rules! of_asset {
    ($($aspect:ty: $field:ident),+ $(,)?) => {
        $(impl OfAsset for $aspect {
            fn of(human: &HumanLayer) -> &Edition<Self> {
                &human.$field
            }
        })+
    };
}

of_asset! {
    Description: description,
    Owners: owners,
    Tags: tags,
    Links: links,
    Verification: verification,
    Deprecation: deprecation,
}

/// A save that came too late: somebody else has saved meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct Stale<A> {
    pub theirs: Edition<A>,
    /// What was to be saved.
    pub mine: A,
    /// Both put together, to be looked at and saved against their version.
    pub merged: Merged<A>,
}

/// Why an edit was not saved.
#[derive(Debug, thiserror::Error)]
pub enum Refusal<A: Aspect> {
    #[error("Somebody else saved it while you were editing.")]
    Stale(Box<Stale<A>>),
    #[error("{}", told(.0))]
    Problems(Vec<Problem>),
    #[error(transparent)]
    Other(#[from] Error),
}

fn told(problems: &[Problem]) -> String {
    let texts: Vec<&str> = problems
        .iter()
        .map(|problem| problem.text.as_str())
        .collect();
    texts.join(" ")
}

impl<A: Aspect> From<sea_orm::DbErr> for Refusal<A> {
    fn from(cause: sea_orm::DbErr) -> Self {
        Self::Other(cause.into())
    }
}

impl<A: Aspect> Explain for Refusal<A> {
    fn kind(&self) -> Kind {
        match self {
            Self::Stale(_) => Kind::Conflict,
            Self::Problems(_) => Kind::Invalid,
            Self::Other(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Stale(_) => {
                Some("Look at both texts, and save what they shall be against the newer version.")
            }
            Self::Problems(_) => None,
            Self::Other(error) => error.hint(),
        }
    }
}

/// Saves one aspect of an asset, with its line in the history, and answers it as it then stands.
///
/// A draft that changes nothing writes nothing. One that was begun from an older version is refused, unless it says what
/// is there already. What the actor does not see is neither told to them nor lost.
pub async fn revise<A: Aspect>(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    draft: Draft<A>,
    now: DateTime<Utc>,
) -> Result<Edition<A>, Refusal<A>> {
    match save(db, actor, id, draft, now).await {
        Ok(mut saved) => {
            hidden::leave_out_of_aspect(db, actor.sight(), &mut saved.content).await?;
            Ok(saved)
        }
        Err(refusal) => Err(hidden::leave_out_of_refusal(db, actor.sight(), refusal).await?),
    }
}

async fn save<A: Aspect>(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    draft: Draft<A>,
    now: DateTime<Utc>,
) -> Result<Edition<A>, Refusal<A>> {
    let asset = super::find_asset(db, actor.sight(), id).await?;
    actor
        .require_in(Permission::Describe, &asset.place())
        .map_err(Error::from)?;
    let mut draft = Draft {
        content: draft.content.tidied(),
        ..draft
    };
    let mut problems = draft.content.problems(now);
    problems.extend(draft.content.resolve(db, actor, &asset).await?);
    problems.truncate(MOST_PROBLEMS);
    if !problems.is_empty() {
        return Err(Refusal::Problems(problems));
    }

    let comparison = compared(db, id, &draft).await?;
    let txn = db.write().await?;
    let present = store::find::<A>(&*txn, id, &draft.content.part()).await?;
    if present.content == draft.content {
        return Ok(present);
    }
    if present.version != draft.version {
        drop(txn);
        return stale(db, id, present, draft).await;
    }
    let next = Next {
        content: draft.content,
        comparison,
    };
    let saved = write(&txn, (actor, now), id, present, next).await?;
    txn.commit().await?;
    Ok(saved)
}

/// Compares a long text with the one that it takes the place of, before anybody has to wait for the writer's turn.
///
/// Short ones are compared when somebody looks at the history: that costs less than to keep what came out. So is a long
/// one where others keep it waiting: an edit does not depend on it.
async fn compared<A: Aspect>(
    db: &Db,
    id: AssetId,
    draft: &Draft<A>,
) -> Result<Option<Comparison>, Error> {
    if draft.content.text().is_none() || draft.version == 0 {
        return Ok(None);
    }
    let present = store::find::<A>(&**db, id, &draft.content.part()).await?;
    let texts = present.content.text().zip(draft.content.text());
    let long = |(before, after): &(&str, &str)| {
        before != after && Comparison::of_short(before, after).is_none()
    };
    let Some((before, after)) = texts.filter(long) else {
        return Ok(None);
    };
    let (before, after) = (before.to_owned(), after.to_owned());
    let comparing = move || Comparison::of(&before, &after);
    Ok(db.apart().run_soon(comparing).await)
}

/// What takes the place of an edition.
struct Next<A> {
    content: A,
    comparison: Option<Comparison>,
}

/// Writes the next edition of an aspect, and its line in the history.
async fn write<A: Aspect>(
    txn: &Txn,
    (actor, now): (&Actor, DateTime<Utc>),
    id: AssetId,
    present: Edition<A>,
    next: Next<A>,
) -> Result<Edition<A>, Error> {
    let Next {
        content,
        comparison,
    } = next;
    let next = Edition {
        content,
        version: present.version + 1,
        edited: Some((actor.who().clone(), now)),
    };
    store::write(txn, id, &next, (actor.who(), now)).await?;
    let described = next.content.text().is_some_and(|text| !text.is_empty());
    if A::KIND == AspectKind::Description && described {
        super::requests::answer(txn, id, now).await?;
    }
    let details = store::details(&present, &next, comparison);
    let database = assets_store::find_database(&**txn, id).await?;
    let entry = changes::Entry {
        placed: Some(batch::placed_edit(now, database)),
        ..actor.entry(("asset", id.0), A::KIND.action(), details, now)
    };
    changes::append(txn, vec![entry]).await?;
    Ok(next)
}

/// Puts a draft together with what somebody else has saved since it was begun.
async fn stale<A: Aspect>(
    db: &Db,
    id: AssetId,
    theirs: Edition<A>,
    draft: Draft<A>,
) -> Result<Edition<A>, Refusal<A>> {
    // What the draft began with is read from the log: nothing that a browser sends could be relied on. Where the log
    // does not tell, everything counts as changed by both.
    let base = store::content_at::<A>(&**db, id, &draft.content.part(), draft.version).await?;
    // Nothing was changed; of a version that never was, nobody can say so.
    if base.as_ref() == Some(&draft.content) {
        return Ok(theirs);
    }
    let base = base.unwrap_or_default();
    let (their_content, mine) = (theirs.content.clone(), draft.content.clone());
    let merging = move || A::merge(&base, &their_content, &mine);
    let merged = db.apart().run(merging).await.map_err(Error::from)?;
    let merged = Merged {
        content: merged.content.tidied(),
        ..merged
    };
    Err(Refusal::Stale(Box::new(Stale {
        theirs,
        mine: draft.content,
        merged,
    })))
}

/// Reads what an aspect said before the save that made this version: what undoing it would save. Nothing where the log does
/// not tell.
///
/// `present` says which part of the asset is meant.
pub async fn content_before<A: Aspect>(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    present: &A,
    version: i32,
) -> Result<Option<A>, Error> {
    let asset = super::find_asset(db, actor.sight(), id).await?;
    actor.require_in(Permission::Describe, &asset.place())?;
    let before = version.saturating_sub(1);
    let mut content = match store::content_at::<A>(&**db, id, &present.part(), before).await? {
        Some(_) if before == 0 => Some(present.emptied()),
        content => content,
    };
    if let Some(content) = &mut content {
        hidden::leave_out_of_aspect(db, actor.sight(), content).await?;
    }
    Ok(content)
}

/// One edit, as the history tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub kind: AspectKind,
    /// The version that it made.
    pub version: i32,
    pub sentences: Vec<String>,
    /// What was done to the text, where there is one and that is known.
    pub comparison: Option<Comparison>,
    /// Whether there is a text, and it was changed.
    pub rewords: bool,
    /// What was said before and after, as it is kept.
    pub before: Value,
    pub after: Value,
}

impl Revision {
    /// The text before and after, where there is one.
    pub fn texts(&self) -> Option<(&str, &str)> {
        Some((text_in(&self.before)?, text_in(&self.after)?))
    }

    /// Reads an entry of the change log; nothing when it tells of something else.
    pub(super) fn read(action: &str, details: &str) -> Option<Self> {
        let mut kinds = AspectKind::ALL.into_iter();
        match kinds.find(|kind| kind.action() == action)? {
            AspectKind::Description => Self::of::<Description>(details),
            AspectKind::Note => Self::of::<Note>(details),
            AspectKind::Owners => Self::of::<Owners>(details),
            AspectKind::Tags => Self::of::<Tags>(details),
            AspectKind::Links => Self::of::<Links>(details),
            AspectKind::Verification => Self::of::<Verification>(details),
            AspectKind::Deprecation => Self::of::<Deprecation>(details),
        }
    }

    fn of<A: Aspect>(details: &str) -> Option<Self> {
        let Details {
            version,
            before,
            after,
            comparison,
            ..
        } = serde_json::from_str::<Details<A>>(details).ok()?;
        let texts = before.text().zip(after.text());
        let texts = texts.filter(|(before, after)| before != after);
        Some(Self {
            kind: A::KIND,
            version,
            sentences: A::tell(&before, &after),
            rewords: texts.is_some(),
            comparison: comparison.or_else(|| {
                let (before, after) = texts?;
                Comparison::of_short(before, after)
            }),
            before: serde_json::to_value(&before).ok()?,
            after: serde_json::to_value(&after).ok()?,
        })
    }
}

/// The text in what is kept of an aspect.
fn text_in(kept: &Value) -> Option<&str> {
    kept.get("text").or_else(|| kept.get("note"))?.as_str()
}

/// Gives a column the words that were written about another one, which is no longer there: it was renamed.
///
/// What is said of the other column already stays, and the words are put behind it.
pub async fn move_note(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    (from, to): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let asset = super::find_asset(db, actor.sight(), id).await?;
    actor.require_in(Permission::Describe, &asset.place())?;
    if !asset.has_column(to) || asset.has_column(from) {
        return Err(Error::UnknownColumn(to.to_owned()));
    }
    let note = |column: &str, text: String| Note {
        column: column.to_owned(),
        text,
    };
    let (old, new) = (note(from, String::new()), note(to, String::new()));

    let txn = db.write().await?;
    let words = store::find::<Note>(&*txn, id, &old.part()).await?;
    let present = store::find::<Note>(&*txn, id, &new.part()).await?;
    if words.content.text.is_empty() {
        return Ok(());
    }
    let texts = [present.content.text.as_str(), &words.content.text];
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let moved = note(to, texts.join("\n\n"));
    for (before, content) in [(present, moved), (words, old)] {
        let comparison = None;
        let next = Next {
            content,
            comparison,
        };
        write(&txn, (actor, now), id, before, next).await?;
    }
    Ok(txn.commit().await?)
}

impl Asset {
    /// Tells whether the source says that there is such a column.
    pub fn has_column(&self, path: &str) -> bool {
        self.column_paths().contains(&path)
    }

    /// The paths of all its columns, nested ones among them.
    pub fn column_paths(&self) -> Vec<&str> {
        let columns = self.source.columns.iter().flat_map(|column| column.walk());
        columns.map(|column| column.path.as_str()).collect()
    }
}
