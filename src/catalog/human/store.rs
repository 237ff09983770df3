//! Every query about what people say.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, Func, LikeExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Iterable as _, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::store::{belongs_to_seen, escape_like};
use super::super::{Asset, AssetId, Error, Summary, Trust};
use super::aspect::{Aspect, AspectKind, Tags};
use super::comparison::Comparison;
use super::{Description, Edition, HumanLayer, Note, plain_text};
use crate::auth::{Sight, Who};
use crate::db::Txn;
use crate::db::entity::{change, words};

/// How many changes are read at once while looking for an older version.
const BATCH: u64 = 50;

/// What a change of an aspect looks like in the log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Details<T> {
    /// The version that the change made.
    pub(super) version: i32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    part: String,
    pub(super) before: T,
    pub(super) after: T,
    /// What was done to the text, where it is a long one; rows of earlier versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comparison: Option<Comparison>,
}

/// What the log says of a change from one edition to the next.
pub(super) fn details<A: Aspect>(
    before: &Edition<A>,
    after: &Edition<A>,
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

/// Finds one aspect, or part of one, as it stands.
pub(super) async fn find<A: Aspect>(
    db: &impl ConnectionTrait,
    id: AssetId,
    part: &str,
) -> Result<Edition<A>, Error> {
    let key = (id.0, A::KIND.as_str().to_owned(), part.to_owned());
    match words::Entity::find_by_id(key).one(db).await? {
        Some(row) => read(&row),
        None => Ok(Edition::default()),
    }
}

/// Writes the next edition; the row must still be at the version before it.
pub(super) async fn write<A: Aspect>(
    txn: &Txn,
    id: AssetId,
    next: &Edition<A>,
    (editor, now): (&Who, DateTime<Utc>),
) -> Result<(), Error> {
    let content = serde_json::to_string(&next.content).expect("what people write is plain text");
    let editor = serde_json::to_string(editor).expect("who acts is plain text");
    let before = next.version - 1;
    if before == 0 {
        let row = words::ActiveModel {
            asset_id: Set(id.0),
            aspect: Set(A::KIND.as_str().to_owned()),
            part: Set(next.content.part()),
            version: Set(next.version),
            edited_at: Set(now),
            editor: Set(editor),
            content: Set(content),
        };
        words::Entity::insert(row)
            .exec_without_returning(&**txn)
            .await?;
        return Ok(());
    }
    let updated = words::Entity::update_many()
        .col_expr(words::Column::Version, Expr::value(next.version))
        .col_expr(words::Column::EditedAt, Expr::value(now))
        .col_expr(words::Column::Editor, Expr::value(editor))
        .col_expr(words::Column::Content, Expr::value(content))
        .filter(words::Column::AssetId.eq(id.0))
        .filter(words::Column::Aspect.eq(A::KIND.as_str()))
        .filter(words::Column::Part.eq(next.content.part()))
        .filter(words::Column::Version.eq(before))
        .exec(&**txn)
        .await?;
    if updated.rows_affected == 1 {
        Ok(())
    } else {
        Err(Error::damaged(id)("it was written outside its turn"))
    }
}

/// Reads from the log what an aspect said at a version; nothing when the log does not tell.
pub(super) async fn content_at<A: Aspect>(
    db: &impl ConnectionTrait,
    id: AssetId,
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
            .filter(change::Column::SubjectId.eq(id.0))
            .filter(change::Column::Seq.lt(before))
            .filter(change::Column::SubjectKind.eq("asset"))
            .filter(change::Column::Action.eq(A::KIND.action()))
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
            let details: Details<A> = serde_json::from_str(details).map_err(Error::damaged(id))?;
            if details.part == part && details.version <= version {
                return Ok((details.version == version).then_some(details.after));
            }
        }
    }
}

/// Adds to assets what people say of them.
pub(in crate::catalog) async fn attach(
    db: &impl ConnectionTrait,
    mut assets: Vec<Asset>,
) -> Result<Vec<Asset>, Error> {
    let ids = assets.iter().map(|asset| asset.id.0);
    let rows = words::Entity::find()
        .filter(words::Column::AssetId.is_in(ids))
        .all(db)
        .await?;
    let mut layers: HashMap<Uuid, HumanLayer> = HashMap::new();
    for row in rows {
        read_into(layers.entry(row.asset_id).or_default(), &row)?;
    }
    for asset in &mut assets {
        if let Some(human) = layers.remove(&asset.id.0) {
            asset.human = human;
        }
    }
    Ok(assets)
}

/// So many characters of what people say are enough for a line of a list.
const BEGINNING: i32 = 4_000;

/// What people say that lists tell. All but descriptions are short.
const IN_LISTS: [AspectKind; 4] = [
    AspectKind::Description,
    AspectKind::Owners,
    AspectKind::Verification,
    AspectKind::Deprecation,
];

/// Tells in lists what people say, where they say something, and how far they say to trust what stands there.
pub(in crate::catalog) async fn attach_to_summaries(
    db: &impl ConnectionTrait,
    summaries: &mut [Summary],
) -> Result<(), Error> {
    if summaries.is_empty() {
        return Ok(());
    }
    let description = AspectKind::Description.as_str();
    let content = || Expr::col(words::Column::Content);
    let beginning = Func::cust("substr").args([content(), 1.into(), BEGINNING.into()]);
    let shortened = CaseStatement::new()
        .case(words::Column::Aspect.eq(description), beginning)
        .finally(content());
    let others = words::Column::iter().filter(|column| !matches!(column, words::Column::Content));
    let rows: Vec<words::Model> = words::Entity::find()
        .select_only()
        .columns(others)
        .expr_as(shortened, "content")
        .filter(words::Column::AssetId.is_in(summaries.iter().map(|summary| summary.id.0)))
        .filter(words::Column::Aspect.is_in(IN_LISTS.map(AspectKind::as_str)))
        .into_model()
        .all(db)
        .await?;
    let mut said: HashMap<Uuid, String> = HashMap::new();
    let mut layers: HashMap<Uuid, HumanLayer> = HashMap::new();
    for row in rows {
        if row.aspect == description {
            said.insert(row.asset_id, row.content);
        } else {
            read_into(layers.entry(row.asset_id).or_default(), &row)?;
        }
    }
    for summary in summaries {
        let text = said.get(&summary.id.0).and_then(|said| beginning_of(said));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            summary.description = Some(plain_text(&text));
        }
        if let Some(human) = layers.remove(&summary.id.0) {
            summary.trust = Trust {
                owners: human.owners.content,
                verification: human.verification.content,
                deprecation: human.deprecation.content,
            };
        }
    }
    Ok(())
}

/// Reads the text of a description whose JSON may have been cut off anywhere in it.
fn beginning_of(content: &str) -> Option<String> {
    let text = |content: &str| serde_json::from_str(content).map(|Description { text }| text);
    // An escaped character may be cut through; the longest is `\ud83d\ude00`.
    let cuts = content.char_indices().rev().map(|(at, _)| at).take(12);
    let ends = std::iter::once(content.len()).chain(cuts);
    let mut texts = ends.filter_map(|end| {
        let beginning = content.get(..end)?;
        text(&format!("{beginning}\"}}")).ok()
    });
    text(content).ok().or_else(|| texts.next())
}

fn read_into(human: &mut HumanLayer, row: &words::Model) -> Result<(), Error> {
    let kind = AspectKind::ALL.into_iter();
    match kind.into_iter().find(|kind| kind.as_str() == row.aspect) {
        Some(AspectKind::Description) => human.description = read(row)?,
        Some(AspectKind::Owners) => human.owners = read(row)?,
        Some(AspectKind::Tags) => human.tags = read(row)?,
        Some(AspectKind::Links) => human.links = read(row)?,
        Some(AspectKind::Verification) => human.verification = read(row)?,
        Some(AspectKind::Deprecation) => human.deprecation = read(row)?,
        Some(AspectKind::Note) => {
            let note: Edition<super::Note> = read(row)?;
            human.notes.insert(note.content.column.clone(), note);
        }
        // Written by a newer version, which shows it.
        None => {}
    }
    Ok(())
}

fn read<A: Aspect>(row: &words::Model) -> Result<Edition<A>, Error> {
    let id = AssetId(row.asset_id);
    let editor = serde_json::from_str(&row.editor).map_err(Error::damaged(id))?;
    Ok(Edition {
        content: serde_json::from_str(&row.content).map_err(Error::damaged(id))?,
        version: row.version,
        edited: Some((editor, row.edited_at)),
    })
}

/// Of columns with the same name so many are looked at, and so many rows of tags.
const MOST_ELSEWHERE: u64 = 50;
const MOST_TAG_ROWS: u64 = 500;

/// What is longer, in characters, is nothing to be taken over as it is.
const LONGEST_ELSEWHERE: i64 = 8_000;

/// Reads what is said of columns with this digest of their path in other assets that somebody sees, short texts alone.
pub(super) async fn list_notes_of_part(
    db: &impl ConnectionTrait,
    sight: &Sight,
    besides: AssetId,
    part: &str,
) -> Result<Vec<(AssetId, Note)>, Error> {
    let asset = Expr::col((words::Entity, words::Column::AssetId));
    let length = Func::char_length(Expr::col((words::Entity, words::Column::Content)));
    let rows: Vec<(Uuid, String)> = words::Entity::find()
        .select_only()
        .columns([words::Column::AssetId, words::Column::Content])
        .filter(words::Column::Aspect.eq(AspectKind::Note.as_str()))
        .filter(words::Column::Part.eq(part))
        .filter(words::Column::AssetId.ne(besides.0))
        .filter(Expr::expr(length).lte(LONGEST_ELSEWHERE))
        .filter(belongs_to_seen(sight, asset))
        .order_by_asc(words::Column::AssetId)
        .limit(MOST_ELSEWHERE)
        .into_tuple()
        .all(db)
        .await?;
    let read = |(id, content): (Uuid, String)| {
        let note = serde_json::from_str(&content).map_err(Error::damaged(AssetId(id)))?;
        Ok((AssetId(id), note))
    };
    rows.into_iter().map(read).collect()
}

/// Reads the tags of assets that somebody sees, of those whose tags have these letters.
pub(super) async fn list_tags(
    db: &impl ConnectionTrait,
    sight: &Sight,
    letters: &str,
) -> Result<Vec<Tags>, Error> {
    let asset = Expr::col((words::Entity, words::Column::AssetId));
    let content = Func::lower(Expr::col((words::Entity, words::Column::Content)));
    let mut query = words::Entity::find()
        .select_only()
        .columns([words::Column::AssetId, words::Column::Content])
        .filter(words::Column::Aspect.eq(AspectKind::Tags.as_str()))
        .filter(words::Column::Part.eq(""))
        .filter(belongs_to_seen(sight, asset));
    if letters.is_ascii() && !letters.is_empty() {
        let pattern = format!("%{}%", escape_like(&letters.to_lowercase()));
        query = query.filter(Expr::expr(content).like(LikeExpr::new(pattern).escape('\\')));
    }
    let rows: Vec<(Uuid, String)> = query
        .order_by_asc(words::Column::AssetId)
        .limit(MOST_TAG_ROWS)
        .into_tuple()
        .all(db)
        .await?;
    let read = |(id, content): (Uuid, String)| {
        serde_json::from_str(&content).map_err(Error::damaged(AssetId(id)))
    };
    rows.into_iter().map(read).collect()
}

/// Lists the assets that some people or teams own.
pub(in crate::catalog) async fn list_owned_by(
    db: &impl ConnectionTrait,
    principals: &[Uuid],
) -> Result<Vec<AssetId>, DbErr> {
    let mut owned = Vec::new();
    for principal in principals {
        // An id stands in the content as it is; names change seldom enough to look at every asset that has owners.
        let rows: Vec<Uuid> = words::Entity::find()
            .select_only()
            .column(words::Column::AssetId)
            .filter(words::Column::Aspect.eq(AspectKind::Owners.as_str()))
            .filter(words::Column::Content.contains(principal.to_string()))
            .into_tuple()
            .all(db)
            .await?;
        owned.extend(rows.into_iter().map(AssetId));
    }
    Ok(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_description_is_read_wherever_it_is_cut_off() {
        let text = "a \u{1}\"quoted\" \\ 😀\n".repeat(3);
        let whole = serde_json::to_string(&Description { text: text.clone() }).unwrap();
        let start = "{\"text\":\"".len();
        let ends = whole
            .char_indices()
            .map(|(at, _)| at)
            .filter(|at| *at >= start);
        for end in ends {
            let beginning = beginning_of(whole.get(..end).unwrap());
            assert!(text.starts_with(&beginning.unwrap()), "{end}");
        }
        assert_eq!(beginning_of(&whole), Some(text));
    }
}
