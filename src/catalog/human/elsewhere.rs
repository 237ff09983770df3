//! What people say in other places of the catalog, for who writes here: the same column's description, tags in use.

use std::collections::HashMap;

use super::super::{AssetId, Error, Summary, find_summaries};
use super::{ColumnDescription, Tags, store, tag_key};
use crate::auth::{Actor, Visibility};
use crate::db::Db;
use crate::revisions::Aspect as _;

/// A description that columns of the same name have.
#[derive(Debug, Clone)]
pub struct SaidElsewhere {
    pub text: String,
    /// The tables and views that use it.
    pub assets: Vec<Summary>,
}

/// Lists what is said of columns with this path in other tables, what most of them say first.
///
/// Looks at some of them only where there are very many, and at short texts alone.
pub async fn list_descriptions_elsewhere(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    column: &str,
) -> Result<Vec<SaidElsewhere>, Error> {
    let described = ColumnDescription {
        column: column.to_owned(),
        text: String::new(),
    };
    let found =
        store::list_columns_of_part(&**db, actor.visibility(), id, &described.part()).await?;
    let ids: Vec<AssetId> = found.iter().map(|(id, _)| *id).collect();
    let mut assets = find_summaries(db, actor.visibility(), &ids).await?;
    let mut said: Vec<SaidElsewhere> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (id, ColumnDescription { column: of, text }) in found {
        let Some(asset) = assets.remove(&id) else {
            continue;
        };
        if text.is_empty() || of != column {
            continue;
        }
        let place = *places.entry(text.clone()).or_insert(said.len());
        match said.get_mut(place) {
            Some(said) => said.assets.push(asset),
            None => said.push(SaidElsewhere {
                text,
                assets: vec![asset],
            }),
        }
    }
    said.sort_by_key(|said| std::cmp::Reverse(said.assets.len()));
    Ok(said)
}

/// Lists tags in use that contain these words, the one used most first.
pub async fn list_tags(
    db: &Db,
    visibility: &Visibility,
    words: &str,
) -> Result<Vec<String>, Error> {
    let wanted = tag_key(words);
    let mut known: HashMap<String, (usize, String)> = HashMap::new();
    for Tags(tags) in store::list_tags(&**db, visibility, words).await? {
        for tag in tags {
            let key = tag_key(&tag);
            if key.contains(&wanted) {
                known.entry(key).or_insert((0, tag)).0 += 1;
            }
        }
    }
    let mut known: Vec<(usize, String)> = known.into_values().collect();
    known.sort_by(|(one_count, one), (other_count, other)| {
        other_count.cmp(one_count).then_with(|| one.cmp(other))
    });
    Ok(known.into_iter().map(|(_, tag)| tag).collect())
}
