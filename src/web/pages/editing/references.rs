//! The form for the pages that people have at hand beside an asset: a row for each.

use super::form::{EMPTY_ROWS, Field, Form, Input, LinkRow, Wrong};
use crate::catalog::Asset;
use crate::catalog::human::{Links, MOST_LINKS, Reference};
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

impl Form for Links {
    const HINT: &'static str =
        "Runbooks, dashboards, tickets: pages that whoever uses it wants at hand.";
    const SHOWN_AT: &'static str = "links";

    fn title(&self) -> String {
        "Links of".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(link_rows(self.0.clone()))
    }

    fn typed(sent: &Parameters) -> Input {
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

    fn lines(&self) -> Vec<String> {
        let links = self.0.iter();
        links
            .map(|link| format!("{}: {}", link.label, link.url))
            .collect()
    }
}

fn link_rows(links: Vec<Reference>) -> Input {
    let empty = std::iter::repeat_n(Reference::default(), EMPTY_ROWS);
    let rows = links.into_iter().chain(empty).enumerate();
    Input::Links {
        rows: rows
            .map(|(number, link)| LinkRow {
                label: Field::new(format!("label-{number}"), link.label),
                url: Field::new(format!("url-{number}"), link.url),
            })
            .collect(),
    }
}

fn sent_links(sent: &Parameters) -> Vec<Reference> {
    let rows = (0..MOST_LINKS + EMPTY_ROWS).map(|number| Reference {
        label: sent.text(&format!("label-{number}")).trim().to_owned(),
        url: sent.text(&format!("url-{number}")).trim().to_owned(),
    });
    rows.filter(|link| *link != Reference::default()).collect()
}
