//! What the things in a part of the log are called now, looked up all at once.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Error, Thing, What, store};
use crate::auth::principals::{self, Named, Principal};
use crate::auth::{AccountId, Event, Scope, TeamId, tokens};
use crate::catalog::{self, Address, AssetId, AssetKind};
use crate::db::Db;

/// The names of everything that some rows are about or mention.
pub(super) struct Names {
    principals: HashMap<Principal, Named>,
    tokens: HashMap<Uuid, (AccountId, String)>,
    assets: HashMap<AssetId, (AssetKind, Address)>,
    scopes: HashMap<Uuid, String>,
    /// Runs are called by their recipes.
    runs: HashMap<Uuid, String>,
}

impl Names {
    pub(super) async fn find(db: &Db, rows: &[store::Row], told: &[What]) -> Result<Self, Error> {
        let ids = |kind: &'static str| {
            let rows = rows.iter().filter(move |row| row.kind == kind);
            rows.map(|row| row.subject)
        };
        let accounts = ids("account").map(|id| Principal::Account(AccountId(id)));
        let teams = ids("team").map(|id| Principal::Team(TeamId(id)));
        let principals: Vec<Principal> = accounts.chain(teams).collect();
        // A request is about an asset, whose id it has in the log.
        let assets = ids("asset").chain(ids("request"));
        let assets: Vec<AssetId> = assets.map(AssetId).collect();
        let scopes = rows.iter().zip(told).filter_map(|(row, what)| match what {
            What::ToPeople(event) => Some((row.subject, event.scope()?.clone())),
            _ => None,
        });
        let runs = rows.iter().zip(told).filter_map(|(row, what)| match what {
            What::ToRun(asked) => Some((row.subject, asked.recipe.clone())),
            _ => None,
        });
        let (rows_of_scopes, scopes): (Vec<Uuid>, Vec<Scope>) = scopes.unzip();
        let words = catalog::name_scopes(db, &scopes).await?;
        Ok(Self {
            principals: principals::find_named(db, &principals).await?,
            tokens: tokens::find_named(db, &ids("token").collect::<Vec<_>>()).await?,
            assets: catalog::find_addresses(db, &assets).await?,
            scopes: rows_of_scopes.into_iter().zip(words).collect(),
            runs: runs.collect(),
        })
    }

    /// What a row is about.
    pub(super) fn thing(&self, kind: String, id: Uuid) -> Thing {
        let principal = |principal| {
            self.principals
                .get(&principal)
                .map(|named| named.name.clone())
        };
        let token = self.tokens.get(&id).filter(|_| kind == "token");
        let name = match kind.as_str() {
            "account" => principal(Principal::Account(AccountId(id))),
            "team" => principal(Principal::Team(TeamId(id))),
            "token" => token.map(|(_, name)| name.clone()),
            "asset" | "request" => {
                let known = self.assets.get(&AssetId(id));
                known.map(|(_, address)| address.path.join("."))
            }
            "scope" => self.scopes.get(&id).cloned(),
            "run" => self.runs.get(&id).cloned(),
            _ => None,
        };
        Thing {
            owner: token.map(|(owner, _)| *owner),
            kind,
            id,
            name,
        }
    }

    /// Tells an event, with the name that its scope has now.
    pub(super) fn told(&self, subject: Uuid, event: &Event) -> String {
        let sentence = event.sentence();
        match event.scope().zip(self.scopes.get(&subject)) {
            Some((scope, name)) => sentence.replace(&scope.to_string(), name),
            None => sentence,
        }
    }
}
