//! What people refer to and somebody does not see: it is left out of what they are told, and stays when they save.

use super::super::{Action, Asset, AssetId, Change, Error, store as assets_store};
use super::aspect::{Aspect, Deprecation};
use super::{AspectKind, Refusal, store};
use crate::auth::Sight;
use crate::db::Db;

/// Empties those of these places that name an asset which is not seen, by one query for all of them.
async fn leave_out(db: &Db, sight: &Sight, places: Vec<&mut Option<AssetId>>) -> Result<(), Error> {
    let ids: Vec<AssetId> = places.iter().filter_map(|place| **place).collect();
    if ids.is_empty() || *sight == Sight::Everything {
        return Ok(());
    }
    let seen = assets_store::find_seen(&**db, sight, &ids).await?;
    for place in places {
        *place = place.filter(|id| seen.contains(id));
    }
    Ok(())
}

/// Leaves out of assets what people refer to and is not seen.
pub(in crate::catalog) async fn leave_out_of(
    db: &Db,
    sight: &Sight,
    mut assets: Vec<Asset>,
) -> Result<Vec<Asset>, Error> {
    let layers = assets.iter_mut().map(|asset| &mut asset.human);
    let places = layers.filter_map(|human| human.deprecation.content.reference());
    leave_out(db, sight, places.collect()).await?;
    Ok(assets)
}

/// Leaves out of a history what people referred to and is not seen.
pub(in crate::catalog) async fn leave_out_of_history(
    db: &Db,
    sight: &Sight,
    changes: &mut [Change],
) -> Result<(), Error> {
    let mut told = Vec::new();
    for change in changes {
        if let Action::Revised(revision) = &mut change.action
            && revision.kind == AspectKind::Deprecation
        {
            for value in [&mut revision.before, &mut revision.after] {
                let said: Deprecation =
                    serde_json::from_value(value.clone()).map_err(Error::damaged(change.asset))?;
                told.push((value, said));
            }
        }
    }
    let places = told.iter_mut().filter_map(|(_, said)| said.reference());
    leave_out(db, sight, places.collect()).await?;
    for (value, said) in told {
        *value = serde_json::to_value(&said).expect("what people write is plain text");
    }
    Ok(())
}

/// Leaves out of one aspect what it refers to and is not seen.
pub(super) async fn leave_out_of_aspect<A: Aspect>(
    db: &Db,
    sight: &Sight,
    content: &mut A,
) -> Result<(), Error> {
    leave_out(db, sight, content.reference().into_iter().collect()).await
}

/// Leaves out of a refusal what is not seen.
pub(super) async fn leave_out_of_refusal<A: Aspect>(
    db: &Db,
    sight: &Sight,
    mut refusal: Refusal<A>,
) -> Result<Refusal<A>, Error> {
    if let Refusal::Stale(stale) = &mut refusal {
        let said = [
            &mut stale.theirs.content,
            &mut stale.mine,
            &mut stale.merged.content,
        ];
        let places = said.into_iter().filter_map(Aspect::reference);
        leave_out(db, sight, places.collect()).await?;
    }
    Ok(refusal)
}

/// The replacement of an asset that is there and not seen: whoever was not told of it cannot have taken it away.
pub(super) async fn unseen_replacement(
    db: &Db,
    sight: &Sight,
    id: AssetId,
) -> Result<Option<AssetId>, Error> {
    let there = store::find::<Deprecation>(&**db, id, "").await?;
    let there = there.content.replacement;
    let mut seen = there;
    leave_out(db, sight, vec![&mut seen]).await?;
    Ok(there.filter(|_| seen.is_none()))
}
