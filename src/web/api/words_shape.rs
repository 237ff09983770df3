//! How what people say of an asset looks in JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ActorShape;
use crate::auth::principals::Principal;
use crate::auth::{AccountId, TeamId};
use crate::catalog::human::{
    Aspect, Deprecation, Description, Edition, Links, Note, Owner, OwnerRole, Owners, Reference,
    Tags, Verification,
};
use crate::catalog::{AssetId, HumanLayer};

/// What people say, aspect by aspect.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HumanShape {
    description: EditionShape<TextShape>,
    owners: EditionShape<OwnersShape>,
    tags: EditionShape<TagsShape>,
    links: EditionShape<LinksShape>,
    verification: EditionShape<VerificationShape>,
    deprecation: EditionShape<DeprecationShape>,
    /// Descriptions of columns by their path, of columns that are no longer there among them.
    columns: BTreeMap<String, EditionShape<TextShape>>,
}

impl From<HumanLayer> for HumanShape {
    fn from(human: HumanLayer) -> Self {
        let notes = human.notes.into_iter();
        Self {
            description: human.description.into(),
            owners: human.owners.into(),
            tags: human.tags.into(),
            links: human.links.into(),
            verification: human.verification.into(),
            deprecation: human.deprecation.into(),
            columns: notes.map(|(path, note)| (path, note.into())).collect(),
        }
    }
}

/// One aspect with its version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct EditionShape<S> {
    #[serde(flatten)]
    content: S,
    /// Grows with every edit; 0 before the first.
    #[schema(minimum = 0)]
    pub(super) version: i32,
    /// Who edited it last.
    edited_by: Option<ActorShape>,
    edited_at: Option<DateTime<Utc>>,
}

impl<A: Aspect, S: From<A>> From<Edition<A>> for EditionShape<S> {
    fn from(edition: Edition<A>) -> Self {
        let (who, at) = edition.edited.unzip();
        Self {
            content: edition.content.into(),
            version: edition.version,
            edited_by: who.map(ActorShape::from),
            edited_at: at,
        }
    }
}

/// A description, of an asset or of a column.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(in crate::web) struct TextShape {
    /// Markdown; empty for none.
    #[schema(max_length = 100_000)]
    pub(super) text: String,
}

impl From<Description> for TextShape {
    fn from(description: Description) -> Self {
        let Description { text } = description;
        Self { text }
    }
}

impl From<Note> for TextShape {
    fn from(note: Note) -> Self {
        Self { text: note.text }
    }
}

impl From<TextShape> for Description {
    fn from(shape: TextShape) -> Self {
        let TextShape { text } = shape;
        Self { text }
    }
}

/// Who answers for an asset.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(in crate::web) struct OwnersShape {
    #[schema(max_items = 20)]
    owners: Vec<OwnerShape>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
struct OwnerShape {
    kind: OwnerKindShape,
    /// The id of the account or the team.
    id: Uuid,
    role: OwnerRoleShape,
    /// Not read when it is sent.
    #[serde(default)]
    name: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OwnerKindShape {
    Account,
    Team,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OwnerRoleShape {
    /// For what it means.
    Business,
    /// For how it is made.
    Technical,
}

impl From<Owners> for OwnersShape {
    fn from(owners: Owners) -> Self {
        let owners = owners.0.into_iter().map(|owner| OwnerShape {
            kind: match owner.principal {
                Principal::Account(_) => OwnerKindShape::Account,
                Principal::Team(_) => OwnerKindShape::Team,
            },
            id: owner.principal.id(),
            role: match owner.role {
                OwnerRole::Business => OwnerRoleShape::Business,
                OwnerRole::Technical => OwnerRoleShape::Technical,
            },
            name: owner.name,
        });
        Self {
            owners: owners.collect(),
        }
    }
}

impl From<OwnersShape> for Owners {
    fn from(shape: OwnersShape) -> Self {
        let owners = shape.owners.into_iter().map(|owner| Owner {
            principal: match owner.kind {
                OwnerKindShape::Account => Principal::Account(AccountId(owner.id)),
                OwnerKindShape::Team => Principal::Team(TeamId(owner.id)),
            },
            role: match owner.role {
                OwnerRoleShape::Business => OwnerRole::Business,
                OwnerRoleShape::Technical => OwnerRole::Technical,
            },
            name: String::new(),
        });
        Self(owners.collect())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(in crate::web) struct TagsShape {
    /// As people wrote them, each of at most 64 characters.
    #[schema(max_items = 50)]
    tags: Vec<String>,
}

impl From<Tags> for TagsShape {
    fn from(tags: Tags) -> Self {
        Self { tags: tags.0 }
    }
}

impl From<TagsShape> for Tags {
    fn from(shape: TagsShape) -> Self {
        Self(shape.tags)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(in crate::web) struct LinksShape {
    #[schema(max_items = 50)]
    links: Vec<ReferenceShape>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
struct ReferenceShape {
    /// Empty for the host of the address.
    #[serde(default)]
    #[schema(max_length = 200)]
    label: String,
    /// An address of `http` or `https`.
    #[schema(max_length = 2_000, format = "uri")]
    url: String,
}

impl From<Links> for LinksShape {
    fn from(links: Links) -> Self {
        let links = links.0.into_iter().map(|link| ReferenceShape {
            label: link.label,
            url: link.url,
        });
        Self {
            links: links.collect(),
        }
    }
}

impl From<LinksShape> for Links {
    fn from(shape: LinksShape) -> Self {
        let links = shape.links.into_iter().map(|link| Reference {
            label: link.label,
            url: link.url,
        });
        Self(links.collect())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(in crate::web) struct VerificationShape {
    /// The last day on which it holds; null when nobody vouches.
    #[schema(required = true)]
    until: Option<NaiveDate>,
}

impl From<Verification> for VerificationShape {
    fn from(verification: Verification) -> Self {
        Self {
            until: verification.until,
        }
    }
}

impl From<VerificationShape> for Verification {
    fn from(shape: VerificationShape) -> Self {
        Self { until: shape.until }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(in crate::web) struct DeprecationShape {
    /// The first day; null when it is not deprecated, and then there is neither a reason nor a replacement.
    #[schema(required = true)]
    since: Option<NaiveDate>,
    /// The reason, as Markdown.
    #[serde(default)]
    #[schema(max_length = 2_000)]
    note: String,
    /// The asset to use instead.
    #[serde(default)]
    replacement: Option<Uuid>,
}

impl From<Deprecation> for DeprecationShape {
    fn from(deprecation: Deprecation) -> Self {
        Self {
            since: deprecation.since,
            note: deprecation.note,
            replacement: deprecation.replacement.map(|id| id.0),
        }
    }
}

impl From<DeprecationShape> for Deprecation {
    fn from(shape: DeprecationShape) -> Self {
        Self {
            since: shape.since,
            note: shape.note,
            replacement: shape.replacement.map(AssetId),
        }
    }
}
