//! The pages that people have at hand beside an asset, in a form and in JSON: a row for each.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{EMPTY_ROWS, Field, Form, Input, Line, Widget, Wrong};
use crate::catalog::Asset;
use crate::catalog::human::{Links, MOST_LINKS, PageLink};
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinksShape {
    #[schema(max_items = 50)]
    links: Vec<PageLinkShape>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
struct PageLinkShape {
    /// Empty for the host of the address.
    #[serde(default)]
    #[schema(max_length = 200)]
    label: String,
    /// An address of `http` or `https`.
    #[schema(max_length = 2_000, format = "uri")]
    url: String,
}

impl From<Links> for LinksShape {
    fn from(links: Links) -> Self {
        let links = links.0.into_iter().map(|link| PageLinkShape {
            label: link.label,
            url: link.url,
        });
        Self {
            links: links.collect(),
        }
    }
}

impl Form for Links {
    type Shape = LinksShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/links";
    const SUMMARY: &'static str = "Pages to have at hand beside an asset";
    const EXAMPLE: &'static str =
        r#"{"links": [{"label": "Runbook", "url": "https://wiki.example/orders"}], "version": 0}"#;
    const DEED: Option<&'static str> = Some("Edit links");
    const HINT: &'static str = "Runbooks, dashboards, tickets: pages that readers want at hand.";
    const SHOWN_AT: &'static str = "links";

    fn heading(&self) -> String {
        "Links of".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(link_rows(self.0.clone()))
    }

    fn typed(sent: &Parameters, _: &Asset) -> Input {
        link_rows(sent_links(sent))
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        let sent = sent_links(sent);
        let wrongs = sent.iter().enumerate().flat_map(|(number, link)| {
            let problems = link.problems().into_iter();
            problems
                .map(move |problem| Wrong::new(format!("{}-{number}", problem.field), problem.text))
        });
        let wrongs = wrongs.collect();
        Ok((Self(sent), wrongs))
    }

    fn of_shape(shape: Self::Shape) -> Self {
        let links = shape.links.into_iter().map(|link| PageLink {
            label: link.label,
            url: link.url,
        });
        Self(links.collect())
    }

    fn lines(&self) -> Vec<String> {
        let links = self.0.iter();
        links
            .map(|link| format!("{}: {}", link.label, link.url))
            .collect()
    }
}

fn link_rows(links: Vec<PageLink>) -> Input {
    let empty = std::iter::repeat_n(PageLink::default(), EMPTY_ROWS);
    let rows = links.into_iter().chain(empty).enumerate();
    let rows = rows.map(|(number, link)| {
        vec![
            Widget::Line {
                label: "Label",
                field: Field::new(format!("label-{number}"), link.label),
                line: Line::text(),
            },
            Widget::Line {
                label: "Address",
                field: Field::new(format!("url-{number}"), link.url),
                line: Line::url(),
            },
        ]
    });
    Input::new(vec![Widget::Rows {
        rows: rows.collect(),
        hint: "Empty both fields to remove a link.",
    }])
}

fn sent_links(sent: &Parameters) -> Vec<PageLink> {
    let rows = (0..MOST_LINKS + EMPTY_ROWS).map(|number| PageLink {
        label: sent.text(&format!("label-{number}")).trim().to_owned(),
        url: sent.text(&format!("url-{number}")).trim().to_owned(),
    });
    rows.filter(|link| *link != PageLink::default()).collect()
}
