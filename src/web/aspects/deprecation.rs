//! The deprecation of an asset, in a form and in JSON.

use chrono::{NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::{Field, Form, Input, Line, REMOVE, Widget, Wrong, lines_of};
use super::verification::{day, day_text};
use crate::catalog::human::Deprecation;
use crate::catalog::{self, Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::pages::picking::{find_asset, name_beside};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeprecationShape {
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
            replacement: deprecation.replacement,
        }
    }
}

impl Form for Deprecation {
    type Shape = DeprecationShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/deprecation";
    const SUMMARY: &'static str = "Whether people are told to use something else";
    const EXAMPLE: &'static str = r#"{"since": "2026-12-01", "note": "Too slow.", "replacement": "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60", "version": 0}"#;
    const DEED: Option<&'static str> = Some("Deprecate");
    const HINT: &'static str = "Tell people what to use instead. It will rank lower in search.";
    const SHOWN_AT: &'static str = "state";

    fn heading(&self) -> String {
        "Deprecate".to_owned()
    }

    fn verb(&self) -> &'static str {
        if self.since.is_some() {
            "Save"
        } else {
            "Deprecate"
        }
    }

    fn removal(&self) -> Option<&'static str> {
        self.since.map(|_| "Remove deprecation")
    }

    /// Who opens the form means yes, from today on.
    fn offered(&self, today: NaiveDate) -> Self {
        let since = self.since.or(Some(today));
        Self {
            since,
            ..self.clone()
        }
    }

    fn field_of(field: &'static str) -> &'static str {
        match field {
            "note" => "text",
            other => other,
        }
    }

    async fn input(&self, editor: &Editor, asset: &Asset) -> Result<Input, Failure> {
        let replacement = match self.replacement {
            Some(id) => {
                match catalog::find_asset(&editor.db, editor.actor.visibility(), AssetId(id)).await
                {
                    Ok(replacement) => {
                        name_beside(AssetId(id), &replacement.address, &asset.address)
                    }
                    Err(catalog::Error::UnknownAsset) => id.to_string(),
                    Err(error) => return Err(error.into()),
                }
            }
            None => String::new(),
        };
        let texts = [&day_text(self.since), replacement.as_str(), &self.note];
        Ok(deprecation(texts, asset.id))
    }

    fn typed(sent: &Parameters, asset: &Asset) -> Input {
        let texts = ["since", "replacement", "text"].map(|name| sent.text(name));
        deprecation(texts, asset.id)
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure> {
        if sent.text("do") == REMOVE {
            return Ok((Self::default(), Vec::new()));
        }
        let (since, wrong) = day("since", sent.text("since"));
        let (replacement, unknown) =
            find_replacement(editor, asset, sent.text("replacement")).await?;
        let deprecation = Self {
            since: since.or(Some(Utc::now().date_naive())),
            note: sent.text("text").to_owned(),
            replacement: replacement.map(|id| id.0),
        };
        Ok((deprecation, wrong.into_iter().chain(unknown).collect()))
    }

    fn of_shape(shape: Self::Shape) -> Self {
        Self {
            since: shape.since,
            note: shape.note,
            replacement: shape.replacement,
        }
    }

    fn mention(&self, target: Uuid) -> Vec<&'static str> {
        let is_meant = self.replacement == Some(target);
        is_meant
            .then_some("Use it instead of")
            .into_iter()
            .collect()
    }

    fn lines(&self) -> Vec<String> {
        match self.since {
            Some(since) => {
                let replacement = self.replacement.map(|id| format!("Use instead: {id}"));
                let first = format!("Deprecated from {since} on");
                std::iter::once(first)
                    .chain(replacement)
                    .chain(lines_of(&self.note))
                    .collect()
            }
            None => vec!["Not deprecated".to_owned()],
        }
    }
}

fn deprecation([since, replacement, text]: [&str; 3], near: AssetId) -> Input {
    Input::new(vec![
        Widget::Line {
            label: "Replacement",
            field: Field::new("replacement", replacement),
            line: Line::asset(near),
        },
        Widget::markdown("Reason, as Markdown", 5, text),
        Widget::Day {
            label: "Deprecated since (default: today)",
            field: Field::new("since", since),
            from: None,
        },
    ])
}

/// Finds what is to be used instead.
async fn find_replacement(
    editor: &Editor,
    asset: &Asset,
    typed: &str,
) -> Result<(Option<AssetId>, Option<Wrong>), Failure> {
    if typed.trim().is_empty() {
        return Ok((None, None));
    }
    Ok(match find_asset(editor, &asset.address, typed).await? {
        Ok(id) => (Some(id), None),
        Err(text) => (None, Some(Wrong::new("replacement", text))),
    })
}
