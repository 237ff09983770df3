//! What people call an asset instead of its technical name, in a form and in JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{Field, Form, Input, Line, Widget, Wrong};
use super::shown::ShownLine;
use crate::catalog::Asset;
use crate::catalog::human::DisplayName;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct DisplayNameShape {
    /// One line; empty where the technical name is enough.
    #[schema(max_length = 200)]
    name: String,
}

impl From<DisplayName> for DisplayNameShape {
    fn from(display_name: DisplayName) -> Self {
        let DisplayName { name } = display_name;
        Self { name }
    }
}

fn name_input(name: &str) -> Input {
    Input::new(vec![Widget::Line {
        label: "Display name",
        field: Field::new("name", name),
        line: Line::text(),
    }])
}

impl Form for DisplayName {
    type Shape = DisplayNameShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/display_name";
    const SUMMARY: &'static str = "What people call an asset instead of its technical name";
    const EXAMPLE: &'static str = r#"{"name": "Orders by day", "version": 0}"#;
    const DEED: Option<&'static str> = Some("Give a display name");
    const HINT: &'static str =
        "What people say when they speak of it. Search finds it by this name.";
    const SHOWN_AT: &'static str = "display-name";
    const SECTION: Option<&'static str> = Some("Display name");

    fn heading(&self) -> String {
        "Display name of".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(name_input(&self.name))
    }

    fn typed(sent: &Parameters, _: &Asset) -> Input {
        name_input(sent.text("name"))
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        let name = sent.text("name").to_owned();
        Ok((Self { name }, Vec::new()))
    }

    fn of_shape(shape: Self::Shape) -> Self {
        let DisplayNameShape { name } = shape;
        Self { name }
    }

    fn lines(&self) -> Vec<String> {
        let named = (!self.name.is_empty()).then(|| self.name.clone());
        named.into_iter().collect()
    }

    fn shown(&self) -> Vec<ShownLine> {
        let line = |what| ShownLine {
            what,
            link: None,
            text: None,
        };
        self.lines().into_iter().map(line).collect()
    }
}
