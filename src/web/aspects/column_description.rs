//! The description of a column, in a form and in JSON.

use super::description::{TextShape, text_input};
use super::form::{Form, Input, Wrong, lines_of};
use crate::catalog::human::ColumnDescription;
use crate::catalog::{Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

impl Form for ColumnDescription {
    type Shape = TextShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/columns/{column}/description";
    const SUMMARY: &'static str = "What people say of a column, as Markdown";
    const EXAMPLE: &'static str = r#"{"text": "One row for each order.", "version": 0}"#;
    const HINT: &'static str = "What does it hold, in which unit, and when is it empty?";
    const SHOWN_AT: &'static str = "columns";

    fn heading(&self) -> String {
        format!("Describe column {} of", self.column)
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn address(&self, id: AssetId) -> String {
        links::edit_column(id, &self.column)
    }

    fn beside(&self, asset: &Asset) -> Option<String> {
        let mut columns = asset.source.columns.iter().flat_map(|column| column.walk());
        let column = columns.find(|column| column.path == self.column)?;
        column.comment.clone()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(text_input(&self.text))
    }

    fn typed(sent: &Parameters, _: &Asset) -> Input {
        text_input(sent.text("text"))
    }

    /// The address says which column it is about, not the form.
    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        let text = sent.text("text").to_owned();
        let column = String::new();
        Ok((Self { column, text }, Vec::new()))
    }

    /// The address says which column it is about, not the body.
    fn of_shape(shape: Self::Shape) -> Self {
        let column = String::new();
        let TextShape { text } = shape;
        Self { column, text }
    }

    fn lines(&self) -> Vec<String> {
        lines_of(&self.text)
    }
}
