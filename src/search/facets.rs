//! What hits can be counted by and narrowed down to: one table, which schema, documents, queries, pages and the API read.
//!
//! A new facet is a row here, and what a builder in `documents` says of it.

use std::str::FromStr as _;

use super::documents;
use super::narrow::Trust;

/// What hits can be counted by, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FacetField {
    Kind,
    Platform,
    Database,
    Trust,
    Owner,
    Tag,
}

/// One row of the table.
#[derive(Debug)]
pub struct FacetDef {
    pub field: FacetField,
    /// The word in addresses and in JSON.
    pub word: &'static str,
    /// What pages call it.
    pub label: &'static str,
    /// What the description of the API says of it.
    pub parameter: &'static str,
    /// So many values make a choice; fewer are not shown.
    pub fewest: usize,
    /// Whether its values are technical names.
    pub is_mono: bool,
    pub(super) holds: Holds,
    /// Reads a value as somebody types it; nothing for one that cannot be.
    pub(super) read: fn(&str) -> Option<String>,
    /// Says what is wrong with a value that can be none of its values.
    pub check: fn(&str) -> Result<(), String>,
}

/// How many of its values one document has, and in which column of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    One(&'static str),
    Several(&'static str),
    /// They follow from other facts.
    None,
}

/// How many facets a document has one value of, and how many several of.
pub(super) const SINGLE: usize = 3;
pub(super) const SEVERAL: usize = 2;

/// The table: first those of one value, then trust, then those of several values.
pub const FACETS: [FacetDef; 6] = [
    FacetDef {
        field: FacetField::Kind,
        word: "kind",
        label: "Kind",
        parameter: "Only `database`, `table` or `view`; may repeat",
        fewest: 2,
        is_mono: false,
        holds: Holds::One("kind"),
        read: documents::read_kind,
        check: |word| documents::check_kind(word),
    },
    FacetDef {
        field: FacetField::Platform,
        word: "platform",
        label: "Source",
        parameter: "Only these platforms; may repeat",
        fewest: 2,
        is_mono: false,
        holds: Holds::One("platform"),
        read: any,
        check: |_| Ok(()),
    },
    FacetDef {
        field: FacetField::Database,
        word: "database",
        label: "Database",
        parameter: "Only these databases; may repeat",
        fewest: 2,
        is_mono: true,
        holds: Holds::One("database"),
        read: any,
        check: |_| Ok(()),
    },
    FacetDef {
        field: FacetField::Trust,
        word: "trust",
        label: "Trust",
        parameter: "Only what is `verified`, `deprecated`, `undescribed` or `unowned`; may repeat",
        // A document may have none of the values, here and below.
        fewest: 1,
        is_mono: false,
        holds: Holds::None,
        read: |word| {
            Trust::from_str(word)
                .ok()
                .map(|trust| trust.as_str().to_owned())
        },
        check: |word| {
            Trust::from_str(word)
                .map(drop)
                .map_err(|error| error.to_string())
        },
    },
    FacetDef {
        field: FacetField::Owner,
        word: "owner",
        label: "Owner",
        parameter: "Only what has this owner, named as in `facets`; may repeat",
        fewest: 1,
        is_mono: false,
        holds: Holds::Several("owner_label"),
        read: any,
        check: |_| Ok(()),
    },
    FacetDef {
        field: FacetField::Tag,
        word: "tag",
        label: "Tag",
        parameter: "Only what has this tag; may repeat",
        fewest: 1,
        is_mono: false,
        holds: Holds::Several("tag_label"),
        read: any,
        check: |_| Ok(()),
    },
];

#[expect(clippy::unnecessary_wraps, reason = "other facets refuse values")]
fn any(value: &str) -> Option<String> {
    Some(value.to_owned())
}

impl FacetField {
    /// Its row.
    pub fn def(self) -> &'static FacetDef {
        static TABLE: [FacetDef; FACETS.len()] = FACETS;
        TABLE
            .get(self as usize)
            .expect("every facet has a row, in the order of the fields")
    }

    /// The word in addresses and in JSON.
    pub fn as_str(self) -> &'static str {
        self.def().word
    }
}

/// The columns of the facets of one value, in their order.
pub(super) fn single() -> [&'static str; SINGLE] {
    columns(|holds| match holds {
        Holds::One(column) => Some(column),
        Holds::Several(_) | Holds::None => None,
    })
}

/// The columns of the facets of several values, in their order.
pub(super) fn several() -> [&'static str; SEVERAL] {
    columns(|holds| match holds {
        Holds::Several(column) => Some(column),
        Holds::One(_) | Holds::None => None,
    })
}

fn columns<const N: usize>(pick: fn(Holds) -> Option<&'static str>) -> [&'static str; N] {
    let columns = FACETS.iter().filter_map(|facet| pick(facet.holds));
    let columns: Vec<&'static str> = columns.collect();
    columns.try_into().expect("a test counts the rows")
}

/// What was chosen of each facet. Of one facet, one of the values is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices([Vec<String>; FACETS.len()]);

impl Choices {
    pub fn of(&self, field: FacetField) -> &[String] {
        self.0.get(field as usize).map_or(&[], Vec::as_slice)
    }

    pub fn add(&mut self, field: FacetField, value: impl Into<String>) {
        if let Some(values) = self.0.get_mut(field as usize) {
            values.push(value.into());
        }
    }

    /// These choices and another one.
    #[must_use]
    pub fn with(mut self, field: FacetField, value: impl Into<String>) -> Self {
        self.add(field, value);
        self
    }

    /// Every choice, facet by facet.
    pub fn iter(&self) -> impl Iterator<Item = (FacetField, &str)> {
        let facets = FACETS.iter().zip(&self.0);
        facets.flat_map(|(facet, values)| {
            let values = values.iter();
            values.map(|value| (facet.field, value.as_str()))
        })
    }

    /// The choices in the facets of one value, in their order.
    pub(super) fn single(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().take(SINGLE).map(Vec::as_slice)
    }

    /// The choices in the facets of several values, in their order.
    pub(super) fn several(&self) -> impl Iterator<Item = &[String]> {
        self.0
            .iter()
            .skip(FACETS.len() - SEVERAL)
            .map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_come_in_the_order_of_the_fields_and_by_how_many_values_they_hold() {
        let holds = |facet: &FacetDef| match facet.holds {
            Holds::One(_) => 0,
            Holds::None => 1,
            Holds::Several(_) => 2,
        };
        assert!(FACETS.iter().map(holds).is_sorted());
        for (place, facet) in FACETS.iter().enumerate() {
            assert_eq!(facet.field as usize, place);
            assert_eq!(facet.field.def().word, facet.word);
        }
        assert_eq!(single(), ["kind", "platform", "database"]);
        assert_eq!(several(), ["owner_label", "tag_label"]);
    }
}
