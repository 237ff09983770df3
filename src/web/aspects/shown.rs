//! A section of an asset's page that shows one aspect.

use serde::Serialize;

use super::form::Form;
use crate::catalog::human::OncePerAsset;
use crate::catalog::{Asset, Summary};
use crate::web::pages::parts::{Link, Text};

/// What `templates/editing/shown.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    /// The id of the section, which is where a save leads to.
    at: &'static str,
    heading: &'static str,
    lines: Vec<ShownLine>,
    /// Where it is edited; nothing for who may not.
    edit_href: Option<String>,
}

/// One line of such a section.
#[derive(Debug, Serialize)]
pub(crate) struct ShownLine {
    /// What comes before the link, or stands alone.
    pub(super) what: String,
    pub(super) link: Option<Link>,
    /// What people say beside it.
    pub(super) text: Option<Text>,
}

impl ShownLine {
    /// A line about an asset.
    pub(super) fn to_summary(what: &str, summary: &Summary) -> Self {
        Self {
            what: what.to_owned(),
            link: Some(Link::to_summary(summary)),
            text: None,
        }
    }
}

impl Shown {
    /// Nothing for an aspect without a section, and for an empty one that the reader cannot fill.
    pub(super) fn of<A: Form + OncePerAsset>(
        content: &A,
        asset: &Asset,
        is_editable: bool,
    ) -> Option<Self> {
        let heading = A::SECTION?;
        let lines = content.shown();
        if lines.is_empty() && !is_editable {
            return None;
        }
        Some(Self {
            at: A::SHOWN_AT,
            heading,
            lines,
            edit_href: is_editable.then(|| content.address(asset.id)),
        })
    }
}
