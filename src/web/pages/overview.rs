//! What people say of an asset, as its page shows it.

use std::collections::HashMap;

use chrono::Utc;
use serde::Serialize;

use super::parts::{Byline, Link, Text, name, platform_word};
use super::picking::principal_name;
use super::requests::Asking;
use crate::auth::principals::{self, Named, Principal};
use crate::auth::{Actor, Permission};
use crate::catalog::human::{
    ColumnDescription, Deprecation, Description, Links, OwnerRole, Owners, Tags, Verification,
};
use crate::catalog::{self, Asset, AssetId, Summary};
use crate::db::Db;
use crate::revisions::{Aspect as _, Revision};
use crate::web::aspects;
use crate::web::aspects::shown::{Shown, ShownLine};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::markdown::{self, SafeHtml};
use crate::web::text::Moment;

/// What `templates/assets/said.hbs` and `templates/assets/people.hbs` can show.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    description: Option<SafeHtml>,
    description_by: Option<Byline>,
    /// What the source says.
    source: Option<Text>,
    deprecated: Option<Deprecated>,
    verified: Option<Verified>,
    /// By what they answer for; roles that nobody has are left out.
    owners: Vec<Role>,
    /// Who the source says owns it.
    source_owner: Option<SourceOwner>,
    tags: Vec<Link>,
    links: Vec<Outward>,
    /// The other aspects.
    sections: Vec<Shown>,
    /// What is said of it on the pages of others.
    mentions: Vec<ShownLine>,
    /// For who may change it.
    edit: Option<EditLinks>,
    /// Where nobody has described it.
    asking: Option<Asking>,
}

/// Where each aspect is edited.
#[derive(Debug, Serialize)]
struct EditLinks {
    description: String,
    owners: String,
    tags: String,
    links: String,
    verification: String,
    deprecation: String,
}

#[derive(Debug, Serialize)]
struct Deprecated {
    since: String,
    note: Option<SafeHtml>,
    replacement: Option<Link>,
}

#[derive(Debug, Serialize)]
struct Verified {
    until: String,
    /// Whether it still holds.
    holds: bool,
    who: String,
    at: Option<Moment>,
}

#[derive(Debug, Serialize)]
struct Role {
    label: &'static str,
    names: Vec<Link>,
}

/// An owner of which only the source tells.
#[derive(Debug, Serialize)]
struct SourceOwner {
    name: String,
    platform: String,
    /// Where one click makes the person or team of this name an owner.
    accept: Option<Accept>,
}

#[derive(Debug, Serialize)]
struct Accept {
    action: String,
    version: i32,
    owner: String,
}

#[derive(Debug, Serialize)]
struct Outward {
    label: String,
    href: String,
}

/// Words about a column that is no longer there.
#[derive(Debug, Serialize)]
pub(super) struct Orphan {
    column: String,
    html: SafeHtml,
    move_href: Option<String>,
    edit_href: Option<String>,
    /// The column that it probably is now.
    likely: Option<String>,
}

impl Orphan {
    pub(super) fn likely(self, column: Option<&str>) -> Self {
        Self {
            likely: column.map(str::to_owned),
            ..self
        }
    }
}

impl Overview {
    /// Reads what there is to show to somebody.
    pub(super) async fn read(db: &Db, asset: &Asset, actor: &Actor) -> Result<Self, Failure> {
        let owners = &asset.human.owners.content.0;
        let ids: Vec<Principal> = owners.iter().map(|owner| owner.principal).collect();
        let named = principals::find_named(db, &ids)
            .await
            .map_err(catalog::Error::from)?;
        let replacement = asset.human.deprecation.content.replacement.map(AssetId);
        let replacement =
            catalog::find_summaries(db, actor.visibility(), replacement.as_slice()).await?;
        let description = match asset.human.description() {
            Some(text) => Some(markdown::render_apart(db.apart(), text, 1).await?),
            None => None,
        };
        Ok(Self {
            description_by: Byline::of(&asset.human.description).filter(|_| description.is_some()),
            description,
            source: asset
                .source
                .description
                .as_deref()
                .filter(|text| !text.trim().is_empty())
                .map(Text::new),
            deprecated: deprecated(asset, replacement.values().next()),
            verified: verified(asset),
            owners: roles(asset, &named),
            source_owner: source_owner(db, asset, actor).await?,
            tags: tags(asset),
            links: outward(asset),
            sections: aspects::sections(asset, may_edit(asset, actor)),
            mentions: aspects::mentions(db, actor.visibility(), asset).await?,
            edit: may_edit(asset, actor).then(|| EditLinks::new(asset)),
            asking: Asking::read(db, asset, actor).await?,
        })
    }
}

/// Tells whether somebody may say something of an asset.
pub(super) fn may_edit(asset: &Asset, actor: &Actor) -> bool {
    actor.may_in(Permission::Describe, &asset.place())
}

impl EditLinks {
    fn new(asset: &Asset) -> Self {
        let edit = |aspect| links::edit(asset.id, aspect);
        Self {
            description: edit(Description::NAME),
            owners: edit(Owners::NAME),
            tags: edit(Tags::NAME),
            links: edit(Links::NAME),
            verification: edit(Verification::NAME),
            deprecation: edit(Deprecation::NAME),
        }
    }
}

fn deprecated(asset: &Asset, replacement: Option<&Summary>) -> Option<Deprecated> {
    let said = &asset.human.deprecation.content;
    Some(Deprecated {
        since: said.since?.to_string(),
        note: (!said.note.is_empty()).then(|| markdown::render(&said.note, 1)),
        replacement: replacement.map(Link::to_summary),
    })
}

fn verified(asset: &Asset) -> Option<Verified> {
    let revision = &asset.human.verification;
    let (who, at) = revision.edited.clone().unzip();
    Some(Verified {
        until: revision.content.until?.to_string(),
        holds: revision.content.holds(Utc::now()),
        who: who.map_or_else(String::new, |who| who.to_string()),
        at: at.map(Moment::of),
    })
}

fn roles(asset: &Asset, named: &HashMap<Principal, Named>) -> Vec<Role> {
    let roles = OwnerRole::ALL.into_iter().map(|role| {
        let owners = asset.human.owners.content.0.iter();
        let labels = owners.filter(|owner| owner.role == role).map(|owner| {
            let known = named.get(&owner.principal);
            let label = known.map_or(owner.name.as_str(), |known| known.label.as_str());
            Link::new(label, links::owned_by(label))
        });
        Role {
            label: match role {
                OwnerRole::Business => "Business",
                OwnerRole::Technical => "Technical",
            },
            names: labels.collect(),
        }
    });
    roles.filter(|role| !role.names.is_empty()).collect()
}

/// Tells who the source says owns it, unless people have said so already.
async fn source_owner(
    db: &Db,
    asset: &Asset,
    actor: &Actor,
) -> Result<Option<SourceOwner>, Failure> {
    let owners = &asset.human.owners;
    let said = asset.source.owner.as_deref().map(str::trim);
    let Some(said) = said.filter(|said| !said.is_empty() && owners.content.0.is_empty()) else {
        return Ok(None);
    };
    let called = if may_edit(asset, actor) {
        let called = principals::find_called(db, said).await;
        let called = called.map_err(catalog::Error::from)?;
        let named = principals::find_named(db, &called).await;
        named.map_err(catalog::Error::from)?
    } else {
        HashMap::new()
    };
    let only = called.values().next().filter(|_| called.len() == 1);
    Ok(Some(SourceOwner {
        name: name(said).shown,
        platform: platform_word(&asset.address.platform),
        accept: only.map(|named| Accept {
            action: links::edit(asset.id, Owners::NAME),
            version: owners.version,
            owner: principal_name(named),
        }),
    }))
}

fn tags(asset: &Asset) -> Vec<Link> {
    let tags = asset.human.tags.content.0.iter();
    tags.map(|tag| Link::new(tag, links::tagged(tag))).collect()
}

fn outward(asset: &Asset) -> Vec<Outward> {
    let links = asset.human.links.content.0.iter();
    links
        .map(|link| Outward {
            label: name(&link.label).shown,
            href: link.url.clone(),
        })
        .collect()
}

/// Words about a column that is no longer there, as much of them as is shown.
pub(super) fn orphan(
    asset: &Asset,
    note: &Revision<ColumnDescription>,
    text: &str,
    editable: bool,
) -> Orphan {
    let column = &note.content.column;
    Orphan {
        column: name(column).shown,
        html: markdown::render(text, 3),
        move_href: editable.then(|| links::move_note(asset.id, column)),
        edit_href: editable.then(|| links::edit_column(asset.id, column)),
        likely: None,
    }
}
