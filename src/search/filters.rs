//! The words that filter, in one table: how they are typed, explained and completed, and where they look.

use super::facets::FacetField;
use super::schema::Whole;

/// Where a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchField {
    Anywhere,
    Name,
    Column,
    Description,
    Owner,
    Tag,
}

/// A word that filters, as it is typed, explained and completed.
#[derive(Debug)]
pub struct FilterWord {
    pub word: &'static str,
    /// Other words that are understood in its place.
    aliases: &'static [&'static str],
    pub meaning: &'static str,
    /// Values that are known beforehand; empty where they come from the catalog.
    pub values: &'static [&'static str],
    pub(super) takes: Takes,
    pub(super) completed: Completed,
}

/// What a filter does with the value behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Its words have to be in this field.
    Text(SearchField),
    /// It is a choice of this facet.
    Choice(FacetField),
    Is,
    Changed,
}

/// Where the values come from that complete a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completed {
    /// From those that are known beforehand.
    Known,
    /// From the values of a facet of one value.
    Facet(FacetField),
    /// From whole names.
    Whole(Whole),
    /// From the columns of what is found.
    Columns,
}

/// What `is:` may be followed by.
pub(super) const IS: &[&str] = &["verified", "deprecated", "undescribed", "unowned", REMOVED];

/// Behind `is:`, what its source no longer lists.
pub(super) const REMOVED: &str = "removed";

/// Examples of what `changed:` may be followed by.
const AGES: &[&str] = &["7d", "30d", "1y"];

/// What `kind:` may be followed by.
const KINDS: &[&str] = &["database", "table", "view"];

/// Every word that filters, the most used first. A new filter is a row here.
pub const FILTER_WORDS: &[FilterWord] = &[
    FilterWord {
        word: "is",
        aliases: &[],
        meaning: "Its trust, or removed",
        values: IS,
        takes: Takes::Is,
        completed: Completed::Known,
    },
    FilterWord {
        word: "changed",
        aliases: &[],
        meaning: "Definition changed in this time",
        values: AGES,
        takes: Takes::Changed,
        completed: Completed::Known,
    },
    FilterWord {
        word: "owner",
        aliases: &[],
        meaning: "An owner, by name",
        values: &[],
        takes: Takes::Text(SearchField::Owner),
        completed: Completed::Whole(Whole::Owner),
    },
    FilterWord {
        word: "tag",
        aliases: &[],
        meaning: "A tag",
        values: &[],
        takes: Takes::Text(SearchField::Tag),
        completed: Completed::Whole(Whole::Tag),
    },
    FilterWord {
        word: "column",
        aliases: &["col"],
        meaning: "A column, by name",
        values: &[],
        takes: Takes::Text(SearchField::Column),
        completed: Completed::Columns,
    },
    FilterWord {
        word: "kind",
        aliases: &["type"],
        meaning: "Table, view or database",
        values: KINDS,
        takes: Takes::Choice(FacetField::Kind),
        completed: Completed::Known,
    },
    FilterWord {
        word: "database",
        aliases: &["db", "schema"],
        meaning: "A database",
        values: &[],
        takes: Takes::Choice(FacetField::Database),
        completed: Completed::Facet(FacetField::Database),
    },
    FilterWord {
        word: "platform",
        aliases: &[],
        meaning: "A kind of source",
        values: &[],
        takes: Takes::Choice(FacetField::Platform),
        completed: Completed::Facet(FacetField::Platform),
    },
    FilterWord {
        word: "name",
        aliases: &[],
        meaning: "Words of the name",
        values: &[],
        takes: Takes::Text(SearchField::Name),
        completed: Completed::Known,
    },
    FilterWord {
        word: "description",
        aliases: &[],
        meaning: "Words of the description",
        values: &[],
        takes: Takes::Text(SearchField::Description),
        completed: Completed::Known,
    },
];

impl FilterWord {
    /// Finds the filter that a word means, in small or large letters.
    pub(super) fn meant(word: &str) -> Option<&'static Self> {
        let word = word.to_ascii_lowercase();
        FILTER_WORDS
            .iter()
            .find(|filter| filter.word == word || filter.aliases.contains(&word.as_str()))
    }
}
