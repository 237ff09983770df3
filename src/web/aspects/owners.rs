//! Who answers for an asset, in a form and in JSON: a row for each person or team, found by name.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::{Choice, EMPTY_ROWS, Field, Form, Input, Line, Widget, Wrong};
use crate::auth::principals::{self, Principal};
use crate::auth::{AccountId, TeamId};
use crate::catalog::human::{MOST_OWNERS, Owner, OwnerRole, Owners};
use crate::catalog::{self, Asset};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::pages::picking::{find_principal, principal_name};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

/// Who answers for an asset.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct OwnersShape {
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

impl Form for Owners {
    type Shape = OwnersShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/owners";
    const SUMMARY: &'static str = "Who answers for an asset";
    const EXAMPLE: &'static str = r#"{"owners": [{"kind": "account", "id": "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60", "role": "business"}], "version": 0}"#;
    const DEED: Option<&'static str> = Some("Edit owners");
    const HINT: &'static str =
        "Business owners answer for what it means, technical owners for how it is made.";
    const SHOWN_AT: &'static str = "owners";

    fn heading(&self) -> String {
        "Owners of".to_owned()
    }

    async fn input(&self, editor: &Editor, _: &Asset) -> Result<Input, Failure> {
        let ids: Vec<Principal> = self.0.iter().map(|owner| owner.principal).collect();
        let named = principals::find_named(&editor.db, &ids)
            .await
            .map_err(catalog::Error::from)?;
        let rows = self.0.iter().map(|owner| {
            let named = named.get(&owner.principal);
            (
                named.map_or_else(|| owner.name.clone(), principal_name),
                owner.role,
            )
        });
        Ok(owner_rows(rows.collect()))
    }

    fn typed(sent: &Parameters, _: &Asset) -> Input {
        let rows = sent_owners(sent).into_iter();
        let rows = rows.map(|row| {
            let role = row.role();
            (row.name, role)
        });
        owner_rows(rows.collect())
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure> {
        let mut owners = Vec::new();
        let mut wrongs = Vec::new();
        let present = present_owners(editor, asset).await?;
        for (number, row) in sent_owners(sent).into_iter().enumerate() {
            // A form has few rows, and most of them hold who is an owner already.
            let principal = match present.get(&row.name) {
                Some(principal) => Ok(*principal),
                None => find_principal(&editor.db, &editor.actor, &row.name).await?,
            };
            match (principal, row.unknown_role()) {
                (Ok(principal), None) => owners.push(Owner {
                    principal,
                    role: row.role(),
                    name: String::new(),
                }),
                (Err(text), _) | (_, Some(text)) => {
                    wrongs.push(Wrong::new(format!("owner-{number}"), text));
                }
            }
        }
        Ok((Self(owners), wrongs))
    }

    fn of_shape(shape: Self::Shape) -> Self {
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

    fn lines(&self) -> Vec<String> {
        let owners = self.0.iter();
        owners
            .map(|owner| format!("{} ({})", owner.name, owner.role.as_str()))
            .collect()
    }
}

fn owner_rows(owners: Vec<(String, OwnerRole)>) -> Input {
    let empty = std::iter::repeat_n((String::new(), OwnerRole::Business), EMPTY_ROWS);
    let rows = owners.into_iter().chain(empty).enumerate();
    let rows = rows.map(|(number, (name, chosen))| {
        let choice = |role: OwnerRole| Choice {
            value: role.as_str(),
            label: format!("{} owner", role.as_str()),
            chosen: role == chosen,
        };
        vec![
            Widget::Line {
                label: "Person or team",
                field: Field::new(format!("owner-{number}"), name),
                line: Line::picked(links::pick("owners")),
            },
            Widget::Choice {
                label: "Role",
                name: format!("role-{number}"),
                options: OwnerRole::ALL.into_iter().map(choice).collect(),
            },
        ]
    });
    Input::new(vec![Widget::Rows {
        rows: rows.collect(),
        hint: "Empty a name to remove an owner.",
    }])
}

/// A row as it was sent.
struct SentOwner {
    name: String,
    role: String,
}

impl SentOwner {
    fn read(sent: &Parameters, number: usize) -> Self {
        let text = |field: &str| sent.text(&format!("{field}-{number}")).trim().to_owned();
        Self {
            name: text("owner"),
            role: text("role"),
        }
    }

    /// The role that was chosen; the first one where none was.
    fn role(&self) -> OwnerRole {
        let mut roles = OwnerRole::ALL.into_iter();
        roles
            .find(|role| role.as_str() == self.role)
            .unwrap_or(OwnerRole::Business)
    }

    fn unknown_role(&self) -> Option<String> {
        let is_known = self.role.is_empty() || self.role == self.role().as_str();
        (!is_known).then(|| {
            format!(
                "“{}” is no role of an owner: choose business or technical.",
                self.role
            )
        })
    }
}

fn sent_owners(sent: &Parameters) -> Vec<SentOwner> {
    let rows = (0..MOST_OWNERS + EMPTY_ROWS).map(|number| SentOwner::read(sent, number));
    rows.filter(|row| !row.name.is_empty()).collect()
}

/// Who is an owner already, by the name in the field.
async fn present_owners(
    editor: &Editor,
    asset: &Asset,
) -> Result<HashMap<String, Principal>, Failure> {
    let owners = &asset.human.owners.content.0;
    let ids: Vec<Principal> = owners.iter().map(|owner| owner.principal).collect();
    let named = principals::find_named(&editor.db, &ids)
        .await
        .map_err(catalog::Error::from)?;
    let name = |owner: &Owner| {
        let named = named.get(&owner.principal);
        named.map_or_else(|| owner.name.clone(), principal_name)
    };
    Ok(owners
        .iter()
        .map(|owner| (name(owner), owner.principal))
        .collect())
}
