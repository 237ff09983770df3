//! What people say of a column.
//!
//! Its word in addresses and in the log is `note`: rows of the log never change, and earlier versions wrote that.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::{Asset, Error};
use super::AssetAspect;
use super::description::LONGEST_TEXT;
use crate::db::Subject;
use crate::revisions::normal::{plain_lines, too_long, written};
use crate::revisions::{Aspect, Found, Merged, Problem, merge};

/// The descriptions of all columns of one asset are no longer than this together, in bytes: pages read all of them.
const LONGEST_TOGETHER: usize = 2_000_000;

/// What people say of a column, as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDescription {
    /// The path of the column.
    pub column: String,
    pub text: String,
}

impl Aspect for ColumnDescription {
    const NAME: &'static str = "note";
    const ACTION: &'static str = "note_revised";

    fn part(&self) -> String {
        let digest = blake3::hash(self.column.as_bytes()).to_hex();
        digest.chars().take(32).collect()
    }

    fn emptied(&self) -> Self {
        Self {
            column: self.column.clone(),
            text: String::new(),
        }
    }

    fn normalized(self) -> Self {
        let text = plain_lines(&self.text);
        Self { text, ..self }
    }

    fn problems(&self, _: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        too_long("text", "The description", &self.text, LONGEST_TEXT)
            .into_iter()
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        merge::texts(&base.text, &theirs.text, &mine.text).map(|text| Self {
            column: mine.column.clone(),
            text,
        })
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        let written = written(&before.text, &after.text);
        vec![format!(
            "The description of column “{}” was {written}.",
            after.column
        )]
    }

    fn text(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn found_by(&self) -> Vec<Found<'_>> {
        vec![Found::PartText {
            part: &self.column,
            text: &self.text,
        }]
    }
}

impl AssetAspect for ColumnDescription {
    /// A column that the source no longer names keeps its description, but gets no first one.
    fn fits(&self, asset: &Asset) -> Result<Vec<Problem>, Error> {
        if !asset.has_column(&self.column) && !asset.human.columns.contains_key(&self.column) {
            return Err(Error::UnknownColumn(self.column.clone()));
        }
        let others = asset.human.columns.values().map(|other| &other.content);
        let others = others.filter(|other| other.column != self.column);
        let others: usize = others.map(|other| other.text.len()).sum();
        // Taking a description out always works.
        let fits = self.text.is_empty() || others + self.text.len() <= LONGEST_TOGETHER;
        let text = "The descriptions of all columns of this asset are longer than 2 MB together: shorten one first.";
        Ok((!fits)
            .then(|| Problem::new("text", text))
            .into_iter()
            .collect())
    }
}
