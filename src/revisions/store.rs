//! The queries on aspects, on what they refer to, and on their changes in the log.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::aspect::Aspect;
use super::comparison::Comparison;
use super::history::Details;
use super::{Error, PlaceOf, Revision};
use crate::auth::Who;
use crate::db::entity::{aspect, change, reference};
use crate::db::{Subject, Txn, pieces};

/// How many changes are read at once while looking for an older version.
const BATCH: u64 = 50;

/// How many things one statement names, below both databases' limits on parameters.
const MOST_NAMED: usize = 500;

/// An aspect as it is kept, for who reads aspects of several types at once.
#[derive(Debug)]
pub(crate) struct Stored(aspect::Model);

impl Stored {
    /// The id of the thing that it is about.
    pub(crate) fn subject_id(&self) -> Uuid {
        self.0.subject_id
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// Reads it as the aspect that its name says.
    pub(crate) fn read<A: Aspect>(&self) -> Result<Revision<A>, Error> {
        read(&self.0)
    }

    /// Its content as JSON.
    pub(crate) fn into_content(self) -> String {
        self.0.content
    }
}

impl From<aspect::Model> for Stored {
    fn from(row: aspect::Model) -> Self {
        Self(row)
    }
}

/// What the log says of a change from one revision to the next.
pub(super) fn details<A: Aspect>(
    before: &Revision<A>,
    after: &Revision<A>,
    comparison: Option<Comparison>,
) -> String {
    let details = Details {
        version: after.version,
        part: after.content.part(),
        before: &before.content,
        after: &after.content,
        comparison,
    };
    serde_json::to_string(&details).expect("what people write is plain text")
}

/// Finds one aspect of many things; things of which it says nothing are left out.
pub(super) async fn find<A: Aspect>(
    db: &impl ConnectionTrait,
    places: Vec<PlaceOf>,
) -> Result<HashMap<PlaceOf, Revision<A>>, Error> {
    let mut found = HashMap::with_capacity(places.len());
    for (kind, places) in by_kind(places) {
        for places in places.chunks(MOST_NAMED) {
            let ids: HashSet<Uuid> = places.iter().map(|(subject, _)| subject.id()).collect();
            let parts: HashSet<&str> = places.iter().map(|(_, part)| part.as_str()).collect();
            let rows = aspect::Entity::find()
                .filter(aspect::Column::SubjectKind.eq(kind))
                .filter(aspect::Column::SubjectId.is_in(ids))
                .filter(aspect::Column::Name.eq(A::NAME))
                .filter(aspect::Column::Part.is_in(parts))
                .all(db)
                .await?;
            for row in rows {
                let subject = subject_of(&row)?;
                found.insert((subject, row.part.clone()), read(&row)?);
            }
        }
    }
    Ok(found)
}

fn by_kind(places: Vec<PlaceOf>) -> BTreeMap<&'static str, Vec<PlaceOf>> {
    let mut by_kind: BTreeMap<&'static str, Vec<PlaceOf>> = BTreeMap::new();
    for place in places {
        by_kind.entry(place.0.kind()).or_default().push(place);
    }
    by_kind
}

fn subject_of(row: &aspect::Model) -> Result<Subject, DbErr> {
    Subject::read(&row.subject_kind, row.subject_id)
        .ok_or_else(|| DbErr::Type(format!("aspects of a {}", row.subject_kind)))
}

/// Reads all aspects of things of one kind.
pub(crate) async fn list_of(
    db: &impl ConnectionTrait,
    kind: &'static str,
    ids: impl Iterator<Item = Uuid>,
) -> Result<Vec<Stored>, DbErr> {
    let rows = aspect::Entity::find()
        .filter(aspect::Column::SubjectKind.eq(kind))
        .filter(aspect::Column::SubjectId.is_in(ids))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Stored).collect())
}

fn read<A: Aspect>(row: &aspect::Model) -> Result<Revision<A>, Error> {
    let subject = subject_of(row)?;
    let editor = serde_json::from_str(&row.editor).map_err(Error::damaged(subject))?;
    Ok(Revision {
        content: serde_json::from_str(&row.content).map_err(Error::damaged(subject))?,
        version: row.version,
        edited: Some((editor, row.edited_at)),
    })
}

/// A revision to be written.
pub(super) struct Next<'a, A> {
    pub(super) subject: Subject,
    pub(super) revision: &'a Revision<A>,
    /// Whether what it takes the place of referred to anything.
    pub(super) referred: bool,
}

/// Writes revisions, each thing's part once; their rows must still be at earlier versions.
pub(super) async fn write<A: Aspect>(
    txn: &Txn,
    editor: &Who,
    revisions: Vec<Next<'_, A>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let editor = serde_json::to_string(editor).expect("who acts is plain text");
    let row = |next: &Next<'_, A>| {
        let (subject, revision) = (next.subject, next.revision);
        let content = &revision.content;
        aspect::ActiveModel {
            subject_kind: Set(subject.kind().to_owned()),
            subject_id: Set(subject.id()),
            name: Set(A::NAME.to_owned()),
            part: Set(content.part()),
            version: Set(revision.version),
            edited_at: Set(now),
            editor: Set(editor.clone()),
            content: Set(serde_json::to_string(content).expect("what people write is plain text")),
        }
    };
    let rows: Vec<_> = revisions.iter().map(row).collect();
    for rows in pieces(rows) {
        let count = rows.len() as u64;
        let written = aspect::Entity::insert_many(rows)
            .on_conflict(next_version())
            .exec_without_returning(&**txn)
            .await?;
        if written != count {
            let outside = "an aspect was written outside its turn";
            return Err(DbErr::Custom(outside.to_owned()).into());
        }
    }
    refer(txn, &revisions).await
}

/// Writes over what is there, if that is of an earlier version.
fn next_version() -> OnConflict {
    use aspect::Column;
    let excluded = Expr::col(("excluded", "version"));
    let present = Expr::col((aspect::Entity, Column::Version));
    let mut conflict = OnConflict::columns([
        Column::SubjectKind,
        Column::SubjectId,
        Column::Name,
        Column::Part,
    ]);
    conflict
        .update_columns([
            Column::Version,
            Column::EditedAt,
            Column::Editor,
            Column::Content,
        ])
        .action_and_where(present.lt(excluded));
    conflict
}

/// Writes down what revisions refer to, in place of what the revisions before them did.
async fn refer<A: Aspect>(txn: &Txn, revisions: &[Next<'_, A>]) -> Result<(), Error> {
    let mut rows = Vec::new();
    let mut referring: Vec<PlaceOf> = Vec::new();
    for next in revisions {
        let (subject, content) = (next.subject, &next.revision.content);
        let part = content.part();
        let mut targets = HashSet::new();
        for named in content.references(subject) {
            if targets.insert(named.target) {
                rows.push(reference::ActiveModel {
                    subject_kind: Set(subject.kind().to_owned()),
                    subject_id: Set(subject.id()),
                    aspect: Set(A::NAME.to_owned()),
                    part: Set(part.clone()),
                    target_kind: Set(named.target.kind().to_owned()),
                    target_id: Set(named.target.id()),
                });
            }
        }
        if next.referred {
            referring.push((subject, part));
        }
    }
    for (kind, places) in by_kind(referring) {
        for places in places.chunks(MOST_NAMED) {
            let ids = places.iter().map(|(subject, _)| subject.id());
            let parts: HashSet<&str> = places.iter().map(|(_, part)| part.as_str()).collect();
            reference::Entity::delete_many()
                .filter(reference::Column::SubjectKind.eq(kind))
                .filter(reference::Column::SubjectId.is_in(ids))
                .filter(reference::Column::Aspect.eq(A::NAME))
                .filter(reference::Column::Part.is_in(parts))
                .exec(&**txn)
                .await?;
        }
    }
    for rows in pieces(rows) {
        reference::Entity::insert_many(rows)
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

/// Reads from the log what an aspect said at a version; nothing when the log does not tell.
pub(super) async fn content_at<A: Aspect>(
    db: &impl ConnectionTrait,
    subject: Subject,
    part: &str,
    version: i32,
) -> Result<Option<A>, Error> {
    if version <= 0 {
        return Ok(Some(A::default()));
    }
    let mut before = i64::MAX;
    loop {
        let rows: Vec<(i64, String)> = change::Entity::find()
            .select_only()
            .columns([change::Column::Seq, change::Column::Details])
            .filter(change::Column::SubjectId.eq(subject.id()))
            .filter(change::Column::Seq.lt(before))
            .filter(change::Column::SubjectKind.eq(subject.kind()))
            .filter(change::Column::Action.eq(A::ACTION))
            .order_by_desc(change::Column::Seq)
            .limit(BATCH)
            .into_tuple()
            .all(db)
            .await?;
        let Some((last, _)) = rows.last() else {
            return Ok(None);
        };
        before = *last;
        for (_, details) in &rows {
            let details: Details<A> =
                serde_json::from_str(details).map_err(Error::damaged(subject))?;
            if details.part == part && details.version <= version {
                return Ok((details.version == version).then_some(details.after));
            }
        }
    }
}

/// Lists aspects that refer to a thing, with the things that they are about, up to `limit`, oldest things first.
pub(crate) async fn list_mentions(
    db: &impl ConnectionTrait,
    target: Subject,
    limit: u64,
) -> Result<Vec<(Subject, Stored)>, DbErr> {
    let of = |column| Expr::col((reference::Entity, column));
    let names = |column, referring| Expr::col((aspect::Entity, column)).eq(of(referring));
    let refers = Query::select()
        .expr(Expr::val(1))
        .from(reference::Entity)
        .and_where(of(reference::Column::TargetKind).eq(target.kind()))
        .and_where(of(reference::Column::TargetId).eq(target.id()))
        .and_where(names(
            aspect::Column::SubjectKind,
            reference::Column::SubjectKind,
        ))
        .and_where(names(
            aspect::Column::SubjectId,
            reference::Column::SubjectId,
        ))
        .and_where(names(aspect::Column::Name, reference::Column::Aspect))
        .and_where(names(aspect::Column::Part, reference::Column::Part))
        .to_owned();
    let rows = aspect::Entity::find()
        .filter(Expr::exists(refers))
        .order_by_asc(aspect::Column::SubjectId)
        .limit(limit)
        .all(db)
        .await?;
    let mentions = rows
        .into_iter()
        .map(|row| Ok((subject_of(&row)?, Stored(row))));
    mentions.collect()
}

/// Lists the things whose aspects refer to any of these, each once, in no order.
pub(super) async fn list_referring(
    db: &impl ConnectionTrait,
    targets: &[Subject],
) -> Result<Vec<Subject>, DbErr> {
    let mut referring = HashSet::new();
    for targets in targets.chunks(MOST_NAMED) {
        let is_meant = targets.iter().fold(Condition::any(), |any, target| {
            any.add(
                Condition::all()
                    .add(reference::Column::TargetKind.eq(target.kind()))
                    .add(reference::Column::TargetId.eq(target.id())),
            )
        });
        let rows: Vec<(String, Uuid)> = reference::Entity::find()
            .select_only()
            .columns([reference::Column::SubjectKind, reference::Column::SubjectId])
            .distinct()
            .filter(is_meant)
            .into_tuple()
            .all(db)
            .await?;
        let rows = rows.into_iter();
        referring.extend(rows.filter_map(|(kind, id)| Subject::read(&kind, id)));
    }
    Ok(referring.into_iter().collect())
}
