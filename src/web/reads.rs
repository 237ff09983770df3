//! What pages and the API both tell about assets, read once for both.

use std::collections::{HashMap, HashSet};

use crate::auth::Visibility;
use crate::auth::principals::{self, Named, Principal};
use crate::catalog::{self, AssetId, Summary};
use crate::db::Db;
use crate::web::failure::Failure;

/// The people, teams and assets that the trust signs of a list of assets name.
#[derive(Debug, Default)]
pub(super) struct TrustNames {
    owners: HashMap<Principal, Named>,
    replacements: HashMap<AssetId, Summary>,
}

impl TrustNames {
    /// Reads them in a number of queries that does not grow with the list; in none when it names nobody and nothing.
    pub(super) async fn read<'a>(
        db: &Db,
        visibility: &Visibility,
        assets: impl Iterator<Item = &'a Summary> + Clone,
    ) -> Result<Self, Failure> {
        let owners = assets.clone().flat_map(|asset| &asset.trust.owners.0);
        let owners: HashSet<Principal> = owners.map(|owner| owner.principal).collect();
        let owners: Vec<Principal> = owners.into_iter().collect();
        let replacements: Vec<AssetId> = assets
            .filter_map(|asset| asset.trust.deprecation.replacement.map(AssetId))
            .collect();
        Ok(Self {
            owners: principals::find_named(db, &owners)
                .await
                .map_err(catalog::Error::from)?,
            replacements: catalog::find_summaries(db, visibility, &replacements).await?,
        })
    }

    /// What the owners whom people named are called now, each once.
    pub(super) fn owners<'a>(&'a self, asset: &'a Summary) -> Vec<&'a str> {
        let mut labels: Vec<&str> = Vec::new();
        for owner in &asset.trust.owners.0 {
            let named = self.owners.get(&owner.principal);
            let label = named.map_or(owner.name.as_str(), |named| named.label.as_str());
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// What to use instead of a deprecated asset; nothing when the actor does not see it.
    pub(super) fn replacement(&self, asset: &Summary) -> Option<&Summary> {
        let replacement = asset.trust.deprecation.replacement?;
        self.replacements.get(&AssetId(replacement))
    }
}
