//! What people say of things, and how they change it: aspects with versions, merges, conflicts and a history.
//!
//! An aspect is a row of its own, which ingestion never touches. A save that names an older version is refused, with both
//! edits put together as far as they do not collide. Deliberately absent: what the things are. Their modules list the
//! aspects that they have, and say where each thing is placed.

mod aspect;
mod comparison;
mod dialect;
mod error;
mod history;
pub mod merge;
pub mod normal;
mod plain;
mod store;
mod visibility;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::auth::{Actor, Permission, Place, Visibility, Who, subjects};
use crate::db::changes::{self, Entry, Placed};
use crate::db::{Db, Subject, Txn};

pub use aspect::{Aspect, Found, Problem, Reference, Targets};
pub use comparison::{Comparison, Piece};
pub use dialect::{EXTENSIONS, prepared};
pub use error::{EditConflict, EditError, Error};
pub use history::{Definition, Edit};
pub use merge::{Merged, Part};
pub use plain::plain_text;
pub use visibility::{Referring, hide};

pub(crate) use store::{Stored, list_mentions, list_of};

/// A refusal lists at most so many problems of one draft.
const MOST_PROBLEMS: usize = 50;

/// One aspect at one version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Revision<A> {
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
    /// The version that it was begun from.
    pub version: i32,
}

/// The thing that a draft is about, as the module that keeps it knows it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub subject: Subject,
    /// What the actor needs for it, and where.
    pub permission: Permission,
    pub place: Place<'a>,
    /// Where its edits are counted.
    pub placed: Option<Placed>,
}

/// A draft that was checked: it has no problems, and what it refers to is there and seen by the actor.
#[derive(Debug)]
pub struct Prepared<'a, A> {
    target: Target<'a>,
    draft: Draft<A>,
    /// What is done to a long text.
    comparison: Option<Comparison>,
}

/// Saves one aspect of a thing, with its line in the history, and answers it as it is then.
///
/// A draft that changes nothing writes nothing. One that was begun from an older version is refused, unless it says what
/// is there already. References that the actor does not see are neither told to them nor lost. `also` adds what else
/// belongs into the transaction when something changes.
pub async fn revise<A: Aspect>(
    db: &Db,
    actor: &Actor,
    (target, draft): (Target<'_>, Draft<A>),
    now: DateTime<Utc>,
    also: impl AsyncFnOnce(&Txn, &A) -> Result<(), EditError<A>>,
) -> Result<Revision<A>, EditError<A>> {
    let subject = target.subject;
    let mut prepared = prepare(db, actor, vec![(target, draft)], now).await?;
    let prepared = match prepared.pop() {
        Some(prepared) => prepared.map_err(EditError::Problems)?,
        None => return Ok(Revision::default()),
    };
    let version = prepared.draft.version;
    let txn = db.write().await?;
    let revised = revise_in(&txn, actor, vec![prepared], now).await?;
    let mut revision = match revised {
        Ok(mut revisions) => revisions.pop().unwrap_or_default(),
        Err(mut late) => {
            drop(txn);
            let late = late.pop().expect("a refusal names what came too late");
            return late.resolved(db, actor.visibility()).await;
        }
    };
    if revision.version > version {
        also(&txn, &revision.content).await?;
        txn.commit().await?;
    }
    hide(
        &**db,
        actor.visibility(),
        vec![(subject, &mut revision.content)],
    )
    .await?;
    Ok(revision)
}

/// Checks drafts before anybody has to wait for the writer's turn, with few statements however many there are.
///
/// Answers for each draft, in their order, what is wrong with it. Refuses all of them where the actor may not write one.
pub async fn prepare<'a, A: Aspect>(
    db: &Db,
    actor: &Actor,
    drafts: Vec<(Target<'a>, Draft<A>)>,
    now: DateTime<Utc>,
) -> Result<Vec<Result<Prepared<'a, A>, Vec<Problem>>>, Error> {
    for (target, _) in &drafts {
        actor.require_in(target.permission, &target.place)?;
    }
    let drafts = drafts.into_iter().map(|(target, draft)| {
        let content = draft.content.normalized();
        (target, Draft { content, ..draft })
    });
    let drafts: Vec<(Target<'a>, Draft<A>)> = drafts.collect();
    let places = drafts.iter().map(|(target, draft)| place_of(target, draft));
    let present = store::find::<A>(&**db, places.collect()).await?;
    let nothing = Revision::default();
    let present_of = |target: &Target<'_>, draft: &Draft<A>| {
        present.get(&place_of(target, draft)).unwrap_or(&nothing)
    };
    let named = drafts.iter().flat_map(|(target, draft)| {
        let contents = [&draft.content, &present_of(target, draft).content];
        contents.map(|content| content.references(target.subject))
    });
    let mut named: Vec<Subject> = named.flatten().map(|named| named.target).collect();
    named.sort_unstable();
    named.dedup();
    let targets = Targets::new(subjects::find_named(&**db, actor.visibility(), &named).await?);
    let mut prepared = Vec::with_capacity(drafts.len());
    for (target, mut draft) in drafts {
        let present = present_of(&target, &draft);
        let problems = check(target.subject, &mut draft, &present.content, &targets, now);
        prepared.push(if problems.is_empty() {
            let comparison = compared(db, present, &draft).await;
            Ok(Prepared {
                target,
                draft,
                comparison,
            })
        } else {
            Err(problems)
        });
    }
    Ok(prepared)
}

fn check<A: Aspect>(
    of: Subject,
    draft: &mut Draft<A>,
    present: &A,
    targets: &Targets,
    now: DateTime<Utc>,
) -> Vec<Problem> {
    let mut problems = draft.content.problems(of, now);
    problems.extend(draft.content.resolve(of, present, targets));
    problems.truncate(MOST_PROBLEMS);
    if let Some(hidden) = visibility::hidden_part(present, of, targets) {
        draft.content.restore(hidden);
    }
    problems
}

/// Compares a long text with the one that it takes the place of.
///
/// Short ones are compared when somebody looks at the history: that costs less than to keep what came out. So is a long
/// one where others keep it waiting: an edit does not depend on it.
async fn compared<A: Aspect>(
    db: &Db,
    present: &Revision<A>,
    draft: &Draft<A>,
) -> Option<Comparison> {
    if present.version == 0 {
        return None;
    }
    let (before, after) = present.content.text().zip(draft.content.text())?;
    if before == after || Comparison::of_short(before, after).is_some() {
        return None;
    }
    let (before, after) = (before.to_owned(), after.to_owned());
    let comparing = move || Comparison::of(&before, &after);
    db.apart().run_soon(comparing).await
}

/// A thing, and which of several aspects of it is meant.
type PlaceOf = (Subject, String);

fn place_of<A: Aspect>(target: &Target<'_>, draft: &Draft<A>) -> PlaceOf {
    (target.subject, draft.content.part())
}

/// Which of the revisions is written for a place, and whether those before it referred to anything.
#[derive(Debug, Clone, Copy)]
struct Written {
    nth: usize,
    referred: bool,
}

/// A draft that came too late, and what is there now.
#[derive(Debug)]
pub struct Late<A> {
    subject: Subject,
    draft: Draft<A>,
    theirs: Revision<A>,
}

/// Saves many drafts in the caller's transaction, with one line each in the history, and answers them as they are then.
///
/// Takes a few statements for each 256 drafts. Where one came too late nothing is written, and all that did are named.
pub async fn revise_in<A: Aspect>(
    txn: &Txn,
    actor: &Actor,
    prepared: Vec<Prepared<'_, A>>,
    now: DateTime<Utc>,
) -> Result<Result<Vec<Revision<A>>, Vec<Late<A>>>, Error> {
    let places = prepared.iter();
    let places = places.map(|one| place_of(&one.target, &one.draft));
    let mut present = store::find::<A>(&**txn, places.collect()).await?;
    let mut revisions = Vec::with_capacity(prepared.len());
    let mut late = Vec::new();
    let mut written: HashMap<PlaceOf, Written> = HashMap::new();
    let mut entries = Vec::new();
    for Prepared {
        target,
        draft,
        comparison,
    } in prepared
    {
        let place = place_of(&target, &draft);
        let theirs = present.remove(&place).unwrap_or_default();
        if theirs.content == draft.content {
            present.insert(place, theirs.clone());
            revisions.push(theirs);
        } else if theirs.version != draft.version {
            present.insert(place, theirs.clone());
            late.push(Late {
                subject: target.subject,
                draft,
                theirs,
            });
        } else {
            let next = Revision {
                content: draft.content,
                version: theirs.version + 1,
                edited: Some((actor.who().clone(), now)),
            };
            let details = store::details(&theirs, &next, comparison);
            entries.push(Entry {
                placed: target.placed,
                ..actor.entry(target.subject, A::ACTION, details, now)
            });
            let referred = !theirs.content.references(target.subject).is_empty();
            let before = written.get(&place).is_some_and(|before| before.referred);
            let nth = revisions.len();
            let referred = referred || before;
            written.insert(place.clone(), Written { nth, referred });
            present.insert(place, next.clone());
            revisions.push(next);
        }
    }
    if !late.is_empty() {
        return Ok(Err(late));
    }
    let rows = written.into_iter();
    let rows = rows.filter_map(|((subject, _), Written { nth, referred })| {
        let revision = revisions.get(nth)?;
        Some(store::Next {
            subject,
            revision,
            referred,
        })
    });
    store::write(txn, actor.who(), rows.collect(), now).await?;
    changes::append(txn, entries).await?;
    Ok(Ok(revisions))
}

impl<A: Aspect> Late<A> {
    /// Puts the draft together with what somebody else has saved since it was begun.
    ///
    /// A draft that changed nothing is answered with what is there.
    pub async fn resolved(
        self,
        db: &Db,
        visibility: &Visibility,
    ) -> Result<Revision<A>, EditError<A>> {
        let Self {
            subject,
            draft,
            theirs,
        } = self;
        let part = draft.content.part();
        // What the draft began with is read from the log: nothing that a browser sends could be relied on. Where the log
        // does not tell, everything counts as changed by both.
        let base = store::content_at::<A>(&**db, subject, &part, draft.version).await?;
        // Nothing was changed; of a version that never was, nobody can say so.
        if base.as_ref() == Some(&draft.content) {
            let mut theirs = theirs;
            hide(&**db, visibility, vec![(subject, &mut theirs.content)]).await?;
            return Ok(theirs);
        }
        let base = base.unwrap_or_default();
        let (their_content, mine) = (theirs.content.clone(), draft.content.clone());
        let merging = move || A::merge(&base, &their_content, &mine);
        let merged = db.apart().run(merging).await.map_err(Error::from)?;
        let mut conflict = EditConflict {
            theirs,
            mine: draft.content,
            merged: Merged {
                content: merged.content.normalized(),
                ..merged
            },
        };
        visibility::hide_in_conflict(&**db, visibility, subject, &mut conflict).await?;
        Err(EditError::Conflict(Box::new(conflict)))
    }
}

/// Lists the things whose aspects refer to any of these, each once, in no order.
pub async fn list_referring(db: &Db, targets: &[Subject]) -> Result<Vec<Subject>, DbErr> {
    store::list_referring(&**db, targets).await
}

/// Reads what an aspect said before the save that made this version; nothing where the log does not tell.
///
/// `present` says which part of the thing is meant. References that the actor does not see are left out.
pub async fn content_before<A: Aspect>(
    db: &Db,
    actor: &Actor,
    target: &Target<'_>,
    (present, version): (&A, i32),
) -> Result<Option<A>, Error> {
    actor.require_in(target.permission, &target.place)?;
    let before = version.saturating_sub(1);
    let (subject, part) = (target.subject, present.part());
    let mut content = match store::content_at::<A>(&**db, subject, &part, before).await? {
        Some(_) if before == 0 => Some(present.emptied()),
        content => content,
    };
    if let Some(content) = &mut content {
        hide(&**db, actor.visibility(), vec![(subject, content)]).await?;
    }
    Ok(content)
}
