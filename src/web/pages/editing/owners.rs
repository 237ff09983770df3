//! The form for who answers for an asset: a row for each person or team, found by name.

use std::collections::HashMap;

use super::super::picking::{find_principal, principal_name};
use super::form::{Choice, EMPTY_ROWS, Field, Form, Input, OwnerRow, Wrong};
use crate::auth::principals::{self, Principal};
use crate::catalog::human::{MOST_OWNERS, Owner, OwnerRole, Owners};
use crate::catalog::{self, Asset};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

impl Form for Owners {
    const HINT: &'static str =
        "Business owners answer for what it means, technical owners for how it is made.";
    const SHOWN_AT: &'static str = "owners";

    fn title(&self) -> String {
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

    fn typed(sent: &Parameters) -> Input {
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
    Input::Owners {
        rows: rows
            .map(|(number, (name, chosen))| OwnerRow {
                number,
                owner: Field::new(format!("owner-{number}"), name),
                roles: OwnerRole::ALL
                    .into_iter()
                    .map(|role| Choice {
                        value: role.as_str(),
                        chosen: role == chosen,
                    })
                    .collect(),
            })
            .collect(),
        pick_href: links::pick("owners"),
    }
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
