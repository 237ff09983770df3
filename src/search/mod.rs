//! The index: what is found for which words, in which order, and why.
//!
//! Kept here: how names are split and folded, how hits are ranked, what the index stores and where. The database stays
//! the truth: everything below the index folder may be deleted at any time and is built again. Deliberately absent:
//! reading assets (the caller turns ids into pages) and markup (marks are flags on pieces of text).

mod access_filter;
mod affixes;
mod answer;
mod built;
mod document;
pub mod documents;
mod explain;
mod facets;
mod files;
mod filesystem;
mod filters;
mod filtered_snapshot;
pub mod follow;
mod grammar;
mod home;
mod index;
mod lag;
mod excerpt;
mod inside;
mod layers;
mod name;
mod narrow;
mod plan;
mod query;
mod rank;
mod readers;
mod recent;
mod schema;
mod snapshot;
#[cfg(test)]
mod trials;
mod tally;
mod trust;
mod typing;

mod tokenizer;
mod writer;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use crate::catalog;
use crate::db::{self, Subject};
use crate::error::{Explain, Kind};

pub use access_filter::AccessFilter;
pub use document::Document;
pub use facets::{Choices, FACETS, FacetDef, FacetField};
pub use filters::{FILTER_WORDS, FilterWord};
pub use index::{Index, Options};
pub use narrow::{Age, Sort, Trust};
pub use typing::{Completion, Offer};
pub use writer::{Change, Rebuild, Writer};

/// How many hits a query answers at most, whatever it asks for.
pub const MOST_HITS: usize = 200;

/// What somebody looks for: words, and what has been chosen beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// As typed: words, `"quoted"`, `column:customer_id`. Nothing in it is an error; empty means everything.
    pub text: String,
    /// Only what has one of the values that are chosen of each facet.
    pub choices: Choices,
    /// Only what changed lately.
    pub age: Option<Age>,
    pub sort: Sort,
    /// Whether what its source no longer lists is found too.
    pub include_gone: bool,
    pub limit: usize,
    pub offset: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            choices: Choices::default(),
            age: None,
            sort: Sort::default(),
            include_gone: false,
            limit: 20,
            offset: 0,
        }
    }
}

impl Query {
    /// Looks for these words, everywhere.
    pub fn words(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

/// What was found, best first.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// How many there are, of which `hits` are one page.
    pub total: u64,
    /// How many more there would be with what its source no longer lists.
    pub removed: u64,
    pub took: Duration,
    pub hits: Vec<Hit>,
    pub facets: Vec<Facet>,
    /// Words that stand nowhere and were therefore not looked for.
    pub left_out: Vec<LeftOut>,
    /// Words that stand nowhere as they were typed, and what was looked for instead.
    pub read_as: Vec<ReadAs>,
    /// When the first change was made that this does not show; nothing when it shows all.
    pub missing_since: Option<DateTime<Utc>>,
}

/// How many hits there would be for each value, had nothing been chosen in this field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    pub field: FacetField,
    /// Most frequent first, and always those that have been chosen.
    pub values: Vec<FacetValue>,
    /// Whether there are values beyond these.
    pub more: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetValue {
    pub value: String,
    pub count: u64,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// What was found.
    pub subject: Subject,
    /// Comparable within one answer only.
    pub score: f32,
    /// Why it is here, the strongest reason first. Empty when nothing was looked for.
    pub matched: Vec<Matched>,
    /// Words of the query that stand nowhere in it.
    pub lacks: Vec<String>,
    /// The types of the columns that `matched` is about, by their paths.
    pub types: Vec<(String, String)>,
}

impl Hit {
    /// The type of a column that the hit was found by, as its source says.
    pub fn type_of(&self, column: &str) -> Option<&str> {
        let mut types = self.types.iter();
        let (_, data_type) = types.find(|(path, _)| path == column)?;
        Some(data_type)
    }
}

/// A text of the asset in which words of the query stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    pub field: MatchedField,
    /// The text, or the piece of it that matters, cut at the marks.
    pub text: Vec<Part>,
    /// The path of the column that this is about.
    pub path: Option<String>,
}

/// Which text of the asset it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchedField {
    Name,
    Place,
    Column,
    ColumnComment,
    Description,
    Sql,
    Parameter,
}

impl MatchedField {
    /// Whether the path beside it is one of a column.
    pub fn is_about_column(self) -> bool {
        matches!(self, Self::Column | Self::ColumnComment)
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Place => "place",
            Self::Column => "column",
            Self::ColumnComment => "column_comment",
            Self::Description => "description",
            Self::Sql => "sql",
            Self::Parameter => "parameter",
        }
    }
}

/// A piece of text, never markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    /// Whether the query asked for this piece.
    pub marked: bool,
}

/// A word that stands nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// As typed.
    pub word: String,
    /// Words that do stand somewhere and look like it.
    pub nearest: Vec<String>,
}

/// A word that was taken for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAs {
    /// As typed.
    pub word: String,
    pub others: Vec<String>,
}

/// Why the index did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Another process is writing the search index.")]
    Busy,
    #[error("The folder of the search index could not be read or written.")]
    Folder(#[from] std::io::Error),
    #[error("The search index could not be read or written.")]
    Index(#[from] tantivy::TantivyError),
    #[error("The files of the search index are gone or damaged.")]
    Lost,
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    #[error("The change log could not be read.")]
    Log(#[from] DbErr),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Busy | Self::Lost => Kind::Unavailable,
            Self::Folder(_) | Self::Index(_) => Kind::Internal,
            Self::Catalog(error) => error.kind(),
            Self::Log(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Busy => Some("Stop the other process, or let it do the writing."),
            Self::Lost => Some("It is being built again; try once more in a moment."),
            Self::Folder(_) | Self::Index(_) | Self::Catalog(_) | Self::Log(_) => None,
        }
    }
}
