//! The description of an asset, in a form and in JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{Form, Input, Widget, Wrong, lines_of};
use crate::catalog::Asset;
use crate::catalog::human::{ColumnDescription, Description};
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

/// A description, of an asset or of a column.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TextShape {
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

impl From<ColumnDescription> for TextShape {
    fn from(column: ColumnDescription) -> Self {
        Self { text: column.text }
    }
}

/// The form of a text alone.
pub(super) fn text_input(text: &str) -> Input {
    Input::new(vec![Widget::markdown("Markdown", 14, text)])
}

impl Form for Description {
    type Shape = TextShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/description";
    const SUMMARY: &'static str = "What people say of an asset, as Markdown";
    const EXAMPLE: &'static str = r#"{"text": "One row for each order.", "version": 0}"#;
    const DEED: Option<&'static str> = Some("Describe");
    const HINT: &'static str =
        "What is a row of it? What is it for, and what should one know before using it?";
    const SHOWN_AT: &'static str = "description";

    fn heading(&self) -> String {
        "Describe".to_owned()
    }

    fn beside(&self, asset: &Asset) -> Option<String> {
        asset.source.description.clone()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(text_input(&self.text))
    }

    fn typed(sent: &Parameters, _: &Asset) -> Input {
        text_input(sent.text("text"))
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        let text = sent.text("text").to_owned();
        Ok((Self { text }, Vec::new()))
    }

    fn of_shape(shape: Self::Shape) -> Self {
        let TextShape { text } = shape;
        Self { text }
    }

    fn lines(&self) -> Vec<String> {
        lines_of(&self.text)
    }
}
