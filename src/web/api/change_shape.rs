//! How a change of an asset looks in JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ActorShape;
use crate::catalog::{Action, Change};
use crate::revisions::{Comparison, Piece};

/// One line of an asset's history.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ChangeShape {
    /// Its number among the changes of this asset, from 1.
    number: Option<u64>,
    at: DateTime<Utc>,
    actor: ActorShape,
    /// The run that made it.
    run: Option<Uuid>,
    /// `created`, `changed`, `gone`, `returned`, or `description_revised` and likewise for each aspect of what people say.
    action: &'static str,
    /// The change as a person would tell it.
    sentences: Vec<String>,
    /// The change in parts: `what` differs, with what was `before` and what is `after`.
    #[schema(value_type = Vec<Object>)]
    differences: Vec<serde_json::Value>,
}

/// One change of an asset, with what was done to the text that it edits.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct ComparedChangeShape {
    #[serde(flatten)]
    change: ChangeShape,
    /// What was done to the text; null where the change edits no text.
    comparison: Option<ComparisonShape>,
}

/// The places at which two texts differ, or that hardly a word is the same.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ComparisonShape {
    /// The places that differ, with a few words around each.
    pieces: Vec<PieceShape>,
    /// How many places are left out.
    more: usize,
    /// Whether hardly a word of the earlier text is left; then there are no pieces.
    rewritten: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct PieceShape {
    /// `kept`, `deleted` or `inserted`.
    kind: &'static str,
    text: String,
}

impl ComparedChangeShape {
    pub(super) fn new(change: Change, compared: Option<Comparison>) -> Self {
        Self {
            change: change.into(),
            comparison: compared.map(ComparisonShape::from),
        }
    }
}

impl From<Comparison> for ComparisonShape {
    fn from(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Places { pieces, more } => Self {
                pieces: pieces.into_iter().map(PieceShape::from).collect(),
                more,
                rewritten: false,
            },
            Comparison::Rewritten { .. } => Self {
                rewritten: true,
                ..Self::default()
            },
        }
    }
}

impl From<Piece> for PieceShape {
    fn from(piece: Piece) -> Self {
        let (kind, text) = match piece {
            Piece::Kept(text) => ("kept", text),
            Piece::Deleted(text) => ("deleted", text),
            Piece::Inserted(text) => ("inserted", text),
        };
        Self { kind, text }
    }
}

impl From<Change> for ChangeShape {
    fn from(change: Change) -> Self {
        let differences = change.action.differences().iter();
        let differences = differences.map(|difference| {
            serde_json::to_value(difference).expect("differences are plain text")
        });
        let revised = match &change.action {
            Action::Revised(edit) => Some(json!({
                "what": edit.aspect.name,
                "version": edit.version,
                "before": edit.before,
                "after": edit.after,
            })),
            _ => None,
        };
        Self {
            number: change.number,
            at: change.at,
            actor: change.who.into(),
            run: change.run,
            action: change.action.as_str(),
            sentences: change.action.sentences(),
            differences: differences.chain(revised).collect(),
        }
    }
}
