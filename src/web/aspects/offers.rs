//! What is said of columns of the same name elsewhere, to be taken over.

use serde::Serialize;

use super::description::text_input;
use super::form::Input;
use crate::catalog::Asset;
use crate::catalog::human::{self, ColumnDescription};
use crate::web::failure::Failure;
use crate::web::pages::parts::{Link, Text};
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;
use crate::web::text::count;

/// So many different descriptions are offered.
const OFFERED: usize = 3;

/// What `templates/editing/offers.hbs` can show.
#[derive(Debug, Default, Serialize)]
pub(super) struct Offers {
    /// In how many tables the column is described; empty where there is nothing to offer.
    said: String,
    texts: Vec<Offer>,
}

/// One description, and where it is used.
#[derive(Debug, Serialize)]
struct Offer {
    number: usize,
    text: String,
    shown: Text,
    /// One table that uses it.
    at: Link,
    /// How many others do.
    others: Option<String>,
}

impl Offers {
    /// Reads what there is to offer; nothing where the column has a description already.
    pub(super) async fn read(
        editor: &Editor,
        asset: &Asset,
        described: &ColumnDescription,
    ) -> Result<Self, Failure> {
        let column = &described.column;
        if asset.human.column_description(column).is_some() {
            return Ok(Self::default());
        }
        let found =
            human::list_descriptions_elsewhere(&editor.db, &editor.actor, asset.id, column).await?;
        let tables: usize = found.iter().map(|said| said.assets.len()).sum();
        let texts = found.into_iter().take(OFFERED).enumerate();
        let texts = texts.filter_map(|(number, said)| {
            let others = said.assets.len().saturating_sub(1);
            Some(Offer {
                number: number + 1,
                shown: Text::one_of_many(&said.text),
                at: Link::to_summary(said.assets.first()?),
                others: (others > 0)
                    .then(|| format!("and {}", count(others as u64, "other", "others"))),
                text: said.text,
            })
        });
        Ok(Self {
            said: match tables {
                0 => String::new(),
                tables => format!(
                    "“{}” is described in {}.",
                    column,
                    count(tables as u64, "other table", "other tables")
                ),
            },
            texts: texts.collect(),
        })
    }

    /// The form with the text that was chosen; it is saved when somebody saves it.
    pub(super) fn taken(&self, sent: &Parameters) -> Input {
        let number: usize = sent.text("use").parse().unwrap_or_default();
        let chosen = self.texts.iter().find(|offer| offer.number == number);
        let text = chosen.map_or(sent.text("text"), |offer| &offer.text);
        text_input(text)
    }
}
