//! References to what the actor does not see: readers are not told of them, and saves keep them.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DbErr};

use super::EditConflict;
use super::aspect::{Aspect, Targets};
use super::history::Edit;
use crate::auth::{Visibility, subjects};
use crate::db::Subject;

/// Whether a restriction can hide it. Everybody may know who is here.
pub(super) fn can_be_hidden(target: Subject) -> bool {
    !matches!(target, Subject::Account(_) | Subject::Team(_))
}

/// An aspect of a thing, to have its references looked at.
pub trait Referring {
    /// Lists the things that can be hidden to which it refers.
    fn targets(&self) -> Vec<Subject>;

    /// Leaves out the references that `keep` refuses.
    fn retain(&mut self, keep: &dyn Fn(Subject) -> bool);
}

impl<A: Aspect> Referring for (Subject, &mut A) {
    fn targets(&self) -> Vec<Subject> {
        hideable(self.1, self.0)
    }

    fn retain(&mut self, keep: &dyn Fn(Subject) -> bool) {
        self.1.retain_references(self.0, keep);
    }
}

impl Referring for (Subject, &mut Edit) {
    fn targets(&self) -> Vec<Subject> {
        self.1.references(self.0)
    }

    fn retain(&mut self, keep: &dyn Fn(Subject) -> bool) {
        self.1.retain_references(self.0, keep);
    }
}

impl<R: Referring + ?Sized> Referring for Box<R> {
    fn targets(&self) -> Vec<Subject> {
        R::targets(self)
    }

    fn retain(&mut self, keep: &dyn Fn(Subject) -> bool) {
        R::retain(self, keep);
    }
}

/// Leaves out the references to what is not seen, with one look at the database for all of them.
pub async fn hide<R: Referring>(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    mut referring: Vec<R>,
) -> Result<(), DbErr> {
    if *visibility == Visibility::Everything {
        return Ok(());
    }
    referring.retain(|one| !one.targets().is_empty());
    let targets: HashSet<Subject> = referring.iter().flat_map(Referring::targets).collect();
    if targets.is_empty() {
        return Ok(());
    }
    let targets: Vec<Subject> = targets.into_iter().collect();
    let seen = subjects::find_seen(db, visibility, &targets).await?;
    for mut one in referring {
        one.retain(&|target| !can_be_hidden(target) || seen.contains(&target));
    }
    Ok(())
}

/// Leaves out of a conflict what is not seen.
pub(super) async fn hide_in_conflict<A: Aspect>(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    of: Subject,
    conflict: &mut EditConflict<A>,
) -> Result<(), DbErr> {
    let contents = vec![
        (of, &mut conflict.theirs.content),
        (of, &mut conflict.mine),
        (of, &mut conflict.merged.content),
    ];
    hide(db, visibility, contents).await
}

/// The part of an aspect that refers to what is not among the targets; nothing where there is none.
pub(super) fn hidden_part<A: Aspect>(present: &A, of: Subject, targets: &Targets) -> Option<A> {
    let is_hidden = |target| can_be_hidden(target) && targets.name(target).is_none();
    if !hideable(present, of).into_iter().any(is_hidden) {
        return None;
    }
    let mut hidden = present.clone();
    hidden.retain_references(of, &is_hidden);
    Some(hidden)
}

fn hideable<A: Aspect>(content: &A, of: Subject) -> Vec<Subject> {
    let references = content.references(of).into_iter();
    let targets = references.map(|named| named.target);
    targets.filter(|target| can_be_hidden(*target)).collect()
}
