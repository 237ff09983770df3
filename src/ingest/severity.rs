//! How much is missing because of a finding.

use crate::catalog::Address;

/// How much is missing because of a finding; reports begin with what is worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A whole source or database.
    NotRead,
    /// A table or view, or a part of one.
    NotReadInFull,
    /// What a link points at.
    BrokenLink,
    /// Nothing.
    Notice,
}

impl Severity {
    /// From the worst on.
    const ALL: [Self; 4] = [
        Self::NotRead,
        Self::NotReadInFull,
        Self::BrokenLink,
        Self::Notice,
    ];

    /// What a source says about one asset, or about all of itself.
    pub(super) fn of(about: Option<&Address>, text: &str) -> Self {
        // The words of `sources/glue/reading.rs`, and of its client for what a link points at.
        let of_links = ["This link ", "this link ", "to which a link points"];
        match about {
            None => Self::NotRead,
            Some(_) if of_links.iter().any(|words| text.contains(words)) => Self::BrokenLink,
            Some(_) => Self::NotReadInFull,
        }
    }

    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRead => "not_read",
            Self::NotReadInFull => "not_read_in_full",
            Self::BrokenLink => "broken_link",
            Self::Notice => "notice",
        }
    }

    /// Its place in the database's order; the worst comes first.
    pub(super) fn rank(self) -> i16 {
        self as i16
    }

    /// What has this place; nothing for a number of a newer version.
    pub(super) fn of_rank(rank: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.rank() == rank)
    }
}
