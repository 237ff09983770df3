//! The tags of an asset, in a form and in JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{Field, Form, Input, Widget, Wrong, lines_of};
use crate::catalog::Asset;
use crate::catalog::human::Tags;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TagsShape {
    /// As people wrote them, each of at most 64 characters.
    #[schema(max_items = 50)]
    tags: Vec<String>,
}

impl From<Tags> for TagsShape {
    fn from(tags: Tags) -> Self {
        Self { tags: tags.0 }
    }
}

fn tags_input(tags: &str) -> Input {
    Input::new(vec![Widget::Lines {
        label: "Tags, one per line",
        field: Field::new("tags", tags),
        pick_href: links::pick("tags"),
        add: "Add tag",
    }])
}

impl Form for Tags {
    type Shape = TagsShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/tags";
    const SUMMARY: &'static str = "The words that people sort an asset by";
    const EXAMPLE: &'static str = r#"{"tags": ["pii", "gold standard"], "version": 0}"#;
    const DEED: Option<&'static str> = Some("Edit tags");
    const HINT: &'static str = "Labels, one per line. Search finds them as tag:label.";
    const SHOWN_AT: &'static str = "tags";

    fn heading(&self) -> String {
        "Tag".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(tags_input(&self.0.join("\n")))
    }

    fn typed(sent: &Parameters, _: &Asset) -> Input {
        tags_input(sent.text("tags"))
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        Ok((Self(lines_of(sent.text("tags"))), Vec::new()))
    }

    fn of_shape(shape: Self::Shape) -> Self {
        Self(shape.tags)
    }

    fn lines(&self) -> Vec<String> {
        self.0.clone()
    }
}
