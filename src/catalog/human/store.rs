//! The queries on what people say of assets.

use std::collections::HashMap;

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait as _, Func, LikeExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Iterable as _, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::super::store::{belongs_to_seen, escape_like};
use super::super::{Asset, AssetId, Error, Summary, Trust};
use super::{ASPECTS, ColumnDescription, Description, HumanLayer, Tags};
use crate::auth::Visibility;
use crate::db::entity::aspect;
use crate::revisions::{self, Aspect as _, Stored, plain_text};

/// The word for assets among the kinds of things.
const ASSET: &str = "asset";

/// Adds to assets what people say of them.
pub(in crate::catalog) async fn attach(
    db: &impl ConnectionTrait,
    mut assets: Vec<Asset>,
) -> Result<Vec<Asset>, Error> {
    let ids = assets.iter().map(|asset| asset.id.0);
    let rows = revisions::list_of(db, ASSET, ids).await?;
    let mut layers: HashMap<Uuid, HumanLayer> = HashMap::new();
    for row in rows {
        layers.entry(row.subject_id()).or_default().take(&row)?;
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

/// Tells in lists what people say, where they say something, and how far they say to trust what stands there.
pub(in crate::catalog) async fn attach_to_summaries(
    db: &impl ConnectionTrait,
    summaries: &mut [Summary],
) -> Result<(), Error> {
    if summaries.is_empty() {
        return Ok(());
    }
    let description = Description::NAME;
    let content = || Expr::col(aspect::Column::Content);
    let beginning = Func::cust("substr").args([content(), 1.into(), BEGINNING.into()]);
    let shortened = CaseStatement::new()
        .case(aspect::Column::Name.eq(description), beginning)
        .finally(content());
    let others = aspect::Column::iter().filter(|column| !matches!(column, aspect::Column::Content));
    let listed = ASPECTS.iter().filter(|aspect| aspect.is_listed);
    let rows: Vec<aspect::Model> = aspect::Entity::find()
        .select_only()
        .columns(others)
        .expr_as(shortened, "content")
        .filter(aspect::Column::SubjectKind.eq(ASSET))
        .filter(aspect::Column::SubjectId.is_in(summaries.iter().map(|summary| summary.id.0)))
        .filter(aspect::Column::Name.is_in(listed.map(|aspect| aspect.name)))
        .into_model()
        .all(db)
        .await?;
    let mut said: HashMap<Uuid, String> = HashMap::new();
    let mut layers: HashMap<Uuid, HumanLayer> = HashMap::new();
    for stored in rows.into_iter().map(Stored::from) {
        let id = stored.subject_id();
        if stored.name() == description {
            said.insert(id, stored.into_content());
        } else {
            layers.entry(id).or_default().take(&stored)?;
        }
    }
    for summary in summaries {
        let text = said.get(&summary.id.0).and_then(|said| beginning_of(said));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            summary.description = Some(plain_text(&text));
        }
        if let Some(human) = layers.remove(&summary.id.0) {
            summary.title = human.title().map(str::to_owned);
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

/// Of columns with the same name so many are looked at, and so many rows of tags.
const MOST_ELSEWHERE: u64 = 50;
const MOST_TAG_ROWS: u64 = 500;

/// What is longer, in characters, is nothing to be taken over as it is.
const LONGEST_ELSEWHERE: i64 = 8_000;

/// Reads what is said of columns with this digest of their path in other assets that somebody sees, short texts alone.
pub(super) async fn list_columns_of_part(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    besides: AssetId,
    part: &str,
) -> Result<Vec<(AssetId, ColumnDescription)>, Error> {
    let asset = Expr::col((aspect::Entity, aspect::Column::SubjectId));
    let length = Func::char_length(Expr::col((aspect::Entity, aspect::Column::Content)));
    let rows: Vec<(Uuid, String)> = aspect::Entity::find()
        .select_only()
        .columns([aspect::Column::SubjectId, aspect::Column::Content])
        .filter(aspect::Column::SubjectKind.eq(ASSET))
        .filter(aspect::Column::Name.eq(ColumnDescription::NAME))
        .filter(aspect::Column::Part.eq(part))
        .filter(aspect::Column::SubjectId.ne(besides.0))
        .filter(Expr::expr(length).lte(LONGEST_ELSEWHERE))
        .filter(belongs_to_seen(visibility, asset))
        .order_by_asc(aspect::Column::SubjectId)
        .limit(MOST_ELSEWHERE)
        .into_tuple()
        .all(db)
        .await?;
    let read = |(id, content): (Uuid, String)| {
        let column = serde_json::from_str(&content).map_err(Error::damaged(AssetId(id)))?;
        Ok((AssetId(id), column))
    };
    rows.into_iter().map(read).collect()
}

/// Reads the tags of assets that somebody sees, of those whose tags have these letters.
pub(super) async fn list_tags(
    db: &impl ConnectionTrait,
    visibility: &Visibility,
    letters: &str,
) -> Result<Vec<Tags>, Error> {
    let asset = Expr::col((aspect::Entity, aspect::Column::SubjectId));
    let content = Func::lower(Expr::col((aspect::Entity, aspect::Column::Content)));
    let mut query = aspect::Entity::find()
        .select_only()
        .columns([aspect::Column::SubjectId, aspect::Column::Content])
        .filter(aspect::Column::SubjectKind.eq(ASSET))
        .filter(aspect::Column::Name.eq(Tags::NAME))
        .filter(aspect::Column::Part.eq(""))
        .filter(belongs_to_seen(visibility, asset));
    if letters.is_ascii() && !letters.is_empty() {
        let pattern = format!("%{}%", escape_like(&letters.to_lowercase()));
        query = query.filter(Expr::expr(content).like(LikeExpr::new(pattern).escape('\\')));
    }
    let rows: Vec<(Uuid, String)> = query
        .order_by_asc(aspect::Column::SubjectId)
        .limit(MOST_TAG_ROWS)
        .into_tuple()
        .all(db)
        .await?;
    let read = |(id, content): (Uuid, String)| {
        serde_json::from_str(&content).map_err(Error::damaged(AssetId(id)))
    };
    rows.into_iter().map(read).collect()
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
