//! How an asset relates to others, in a form and in JSON: a row for each relation.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::{Choice, EMPTY_ROWS, Field, Form, Input, Line, Widget, Wrong};
use super::shown::ShownLine;
use crate::catalog::human::{MOST_RELATED, Related, Relation, RelationKind};
use crate::catalog::{self, Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::pages::parts::{Link, Text};
use crate::web::pages::picking::{find_asset, name_beside};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RelatedShape {
    #[schema(max_items = 100)]
    related: Vec<RelationShape>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
struct RelationShape {
    kind: RelationKindShape,
    /// The id of the other asset.
    target: Uuid,
    /// One line beside it, such as the columns of a join.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
    /// What the other asset was called when this was saved. Not read when it is sent.
    #[serde(default)]
    name: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RelationKindShape {
    Replaces,
    DerivedFrom,
    JoinsWith,
    SeeAlso,
}

impl From<Related> for RelatedShape {
    fn from(related: Related) -> Self {
        let relations = related.0.into_iter().map(|relation| RelationShape {
            kind: match relation.kind {
                RelationKind::Replaces => RelationKindShape::Replaces,
                RelationKind::DerivedFrom => RelationKindShape::DerivedFrom,
                RelationKind::JoinsWith => RelationKindShape::JoinsWith,
                RelationKind::SeeAlso => RelationKindShape::SeeAlso,
            },
            target: relation.target,
            note: relation.note,
            name: relation.name,
        });
        Self {
            related: relations.collect(),
        }
    }
}

impl Form for Related {
    type Shape = RelatedShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/related";
    const SUMMARY: &'static str = "How an asset relates to others, as people state it";
    const EXAMPLE: &'static str = r#"{"related": [{"kind": "joins_with", "target": "01980a5e-7c1b-7def-8a90-1b2c3d4e5f61", "note": "on orders.customer_id = customers.id"}], "version": 0}"#;
    const DEED: Option<&'static str> = Some("Relate to others");
    const HINT: &'static str =
        "What it replaces, what it is derived from, what it is joined with and on which columns.";
    const SHOWN_AT: &'static str = "related";
    const SECTION: Option<&'static str> = Some("Related");

    fn heading(&self) -> String {
        "Relations of".to_owned()
    }

    async fn input(&self, editor: &Editor, asset: &Asset) -> Result<Input, Failure> {
        let names = names(self, editor, asset).await?;
        let rows = self.0.iter().map(|relation| {
            let name = names.get(&relation.target).cloned().unwrap_or_default();
            (relation.kind, name, relation.note.clone())
        });
        Ok(relation_rows(rows.collect(), asset.id))
    }

    fn typed(sent: &Parameters, asset: &Asset) -> Input {
        let rows = sent_relations(sent).into_iter();
        let rows = rows.map(|(kind, name, note)| (read_kind(&kind), name, note));
        relation_rows(rows.collect(), asset.id)
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure> {
        let names = names(&asset.human.related.content, editor, asset).await?;
        let known: HashMap<&String, Uuid> = names.iter().map(|(id, name)| (name, *id)).collect();
        let mut relations = Vec::new();
        let mut wrongs = Vec::new();
        for (number, (kind, name, note)) in sent_relations(sent).into_iter().enumerate() {
            let mut wrong = |text| wrongs.push(Wrong::new(format!("target-{number}"), text));
            if name.is_empty() {
                wrong("Name the table or view that the note is about.".to_owned());
                continue;
            }
            // A form has few new rows, and the others hold what is related already.
            let target = match known.get(&name) {
                Some(target) => Ok(*target),
                None => find_asset(editor, &asset.address, &name)
                    .await?
                    .map(|id| id.0),
            };
            match (target, unknown_kind(&kind)) {
                (Ok(target), None) => relations.push(Relation {
                    kind: read_kind(&kind),
                    target,
                    note,
                    name: String::new(),
                }),
                (Err(text), _) | (_, Some(text)) => wrong(text),
            }
        }
        Ok((Self(relations), wrongs))
    }

    fn of_shape(shape: Self::Shape) -> Self {
        let relations = shape.related.into_iter().map(|relation| Relation {
            kind: match relation.kind {
                RelationKindShape::Replaces => RelationKind::Replaces,
                RelationKindShape::DerivedFrom => RelationKind::DerivedFrom,
                RelationKindShape::JoinsWith => RelationKind::JoinsWith,
                RelationKindShape::SeeAlso => RelationKind::SeeAlso,
            },
            target: relation.target,
            note: relation.note,
            name: String::new(),
        });
        Self(relations.collect())
    }

    fn lines(&self) -> Vec<String> {
        let line = |relation: &Relation| {
            let words = format!("{} {}", relation.kind.in_words(), relation.name);
            match relation.note.as_str() {
                "" => words,
                note => format!("{words}, {note}"),
            }
        };
        self.0.iter().map(line).collect()
    }

    fn mention(&self, target: Uuid) -> Vec<&'static str> {
        let meant = self.0.iter().filter(|relation| relation.target == target);
        meant.map(|relation| relation.kind.inverse()).collect()
    }

    fn shown(&self) -> Vec<ShownLine> {
        let line = |relation: &Relation| ShownLine {
            what: relation.kind.in_words().to_owned(),
            link: Some(Link::new(
                &relation.name,
                links::asset(AssetId(relation.target)),
            )),
            text: (!relation.note.is_empty()).then(|| Text::one_of_many(&relation.note)),
        };
        self.0.iter().map(line).collect()
    }
}

/// What to call the related assets in the fields of a form, each by its id.
async fn names(
    related: &Related,
    editor: &Editor,
    asset: &Asset,
) -> Result<HashMap<Uuid, String>, Failure> {
    let ids = related.0.iter().map(|relation| AssetId(relation.target));
    let found = catalog::find_addresses(&editor.db, &ids.collect::<Vec<_>>()).await?;
    let named = found.into_iter();
    let named = named.map(|(id, (_, address))| (id.0, name_beside(id, &address, &asset.address)));
    Ok(named.collect())
}

fn relation_rows(relations: Vec<(RelationKind, String, String)>, near: AssetId) -> Input {
    let nothing = || (RelationKind::SeeAlso, String::new(), String::new());
    let empty = std::iter::repeat_with(nothing).take(EMPTY_ROWS);
    let rows = relations.into_iter().chain(empty).enumerate();
    let rows = rows.map(|(number, (chosen, name, note))| {
        let choice = |kind: RelationKind| Choice {
            value: kind.as_str(),
            label: kind.in_words().to_owned(),
            chosen: kind == chosen,
        };
        vec![
            Widget::Choice {
                label: "Relation",
                name: format!("kind-{number}"),
                options: RelationKind::ALL.into_iter().map(choice).collect(),
            },
            Widget::Line {
                label: "Table or view",
                field: Field::new(format!("target-{number}"), name),
                line: Line::asset(near),
            },
            Widget::Line {
                label: "Note",
                field: Field::new(format!("note-{number}"), note),
                line: Line::text(),
            },
        ]
    });
    Input::new(vec![Widget::Rows {
        rows: rows.collect(),
        hint: "Empty a name to remove a relation.",
    }])
}

/// The rows that hold something, as they were sent: the relation, the other asset, and the note.
fn sent_relations(sent: &Parameters) -> Vec<(String, String, String)> {
    let rows = (0..MOST_RELATED + EMPTY_ROWS).map(|number| {
        let text = |field: &str| sent.text(&format!("{field}-{number}")).trim().to_owned();
        (text("kind"), text("target"), text("note"))
    });
    rows.filter(|(_, target, note)| !target.is_empty() || !note.is_empty())
        .collect()
}

/// The relation that was chosen; the most general one where none was.
fn read_kind(word: &str) -> RelationKind {
    let mut kinds = RelationKind::ALL.into_iter();
    kinds
        .find(|kind| kind.as_str() == word)
        .unwrap_or(RelationKind::SeeAlso)
}

/// Says that a relation is none of those that can be chosen.
fn unknown_kind(word: &str) -> Option<String> {
    let is_known = word.is_empty() || word == read_kind(word).as_str();
    (!is_known).then(|| {
        let known = RelationKind::ALL.map(RelationKind::as_str).join(", ");
        format!("“{word}” is no relation: choose one of {known}.")
    })
}
