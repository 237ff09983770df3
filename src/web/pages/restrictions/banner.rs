//! What the pages of a source and of a database say of their restriction.

use serde::Serialize;

use crate::auth::scopes;
use crate::auth::{Actor, Permission, Place, Scope};
use crate::catalog::AssetId;
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::links;

/// Whether something is restricted, and for admins where to change that.
#[derive(Debug, Serialize)]
pub(in crate::web::pages) struct RestrictionBanner {
    /// Why not everybody sees it; nothing where everybody does.
    words: Option<&'static str>,
    href: Option<String>,
    label: &'static str,
}

impl RestrictionBanner {
    /// The banner of a database.
    pub(in crate::web::pages) async fn of_database(
        db: &Db,
        actor: &Actor,
        id: AssetId,
        place: &Place<'_>,
    ) -> Result<Self, Failure> {
        let words = if is_restricted(db, &place.in_database()).await? {
            Some("Only some people and teams see this database.")
        } else if is_restricted(db, &place.in_source()).await? {
            Some("Only some people and teams see this source.")
        } else {
            None
        };
        Ok(Self::new(actor, words, links::asset_restriction(id)))
    }

    /// The banner of a source.
    pub(in crate::web::pages) async fn of_source(
        db: &Db,
        actor: &Actor,
        platform: &str,
        instance: &str,
    ) -> Result<Self, Failure> {
        let scope = Scope::Source {
            platform: platform.to_owned(),
            instance: instance.to_owned(),
        };
        let restricted = is_restricted(db, &scope).await?;
        let words = restricted.then_some("Only some people and teams see this source.");
        let href = links::instance_restriction(platform, instance);
        Ok(Self::new(actor, words, href))
    }

    fn new(actor: &Actor, words: Option<&'static str>, href: String) -> Self {
        Self {
            words,
            href: actor.may(Permission::Restrict).then_some(href),
            label: if words.is_some() {
                "Change who sees it"
            } else {
                "Restrict"
            },
        }
    }
}

async fn is_restricted(db: &Db, scope: &Scope) -> Result<bool, Failure> {
    Ok(scopes::find_restriction(db, scope).await?.is_some())
}
