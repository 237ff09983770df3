//! Filters beside words: how far to trust an asset, and when its definition changed.
//!
//! All of it is in the facts that a search reads of every asset anyway, so none of it costs a posting.

use std::str::FromStr;

use super::snapshot::Facts;
use super::trust::Sign;

/// Whether to trust an asset, or what it still needs for that. One asset may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// A person has verified it, and that has not run out.
    Verified,
    /// A steward has deprecated it.
    Deprecated,
    /// Neither its source nor people say what it is.
    Undescribed,
    /// Neither its source nor people say who owns it.
    Unowned,
}

impl Trust {
    pub const ALL: [Self; 4] = [
        Self::Verified,
        Self::Deprecated,
        Self::Undescribed,
        Self::Unowned,
    ];

    /// The word in addresses, in JSON and behind `is:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Deprecated => "deprecated",
            Self::Undescribed => "undescribed",
            Self::Unowned => "unowned",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn holds(self, facts: &Facts, today: u32) -> bool {
        match self {
            Self::Verified => facts.verified >= today,
            Self::Deprecated => facts.deprecated,
            Self::Undescribed => !facts.signs.has(Sign::Described),
            Self::Unowned => !facts.signs.has(Sign::Owned),
        }
    }
}

impl FromStr for Trust {
    type Err = UnknownTrust;

    fn from_str(word: &str) -> Result<Self, UnknownTrust> {
        let found = Self::ALL.into_iter().find(|trust| trust.as_str() == word);
        found.ok_or_else(|| UnknownTrust(word.to_owned()))
    }
}

/// There is no such word for trust.
#[derive(Debug, thiserror::Error)]
#[error("“{0}” is none of verified, deprecated, undescribed and unowned.")]
pub struct UnknownTrust(String);

/// Some of [`Trust`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Trusts(u8);

impl Trusts {
    pub(super) fn of(facts: &Facts, today: u32) -> Self {
        let holding = Trust::ALL.into_iter();
        holding.filter(|trust| trust.holds(facts, today)).collect()
    }

    pub(super) fn has(self, trust: Trust) -> bool {
        self.0 & trust.bit() != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    pub(super) fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

impl FromIterator<Trust> for Trusts {
    fn from_iter<I: IntoIterator<Item = Trust>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |bits, trust| bits | trust.bit()))
    }
}

/// How long ago a definition may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// At most so many days.
    pub days: u32,
}

/// Days of each unit.
const UNITS: [(char, u32); 4] = [('d', 1), ('w', 7), ('m', 30), ('y', 365)];

impl FromStr for Age {
    type Err = UnknownAge;

    /// Reads `7d`, `2w`, `6m` or `1y`; a month has 30 days.
    fn from_str(text: &str) -> Result<Self, UnknownAge> {
        let read = || {
            let text = text.trim().to_ascii_lowercase();
            let unit = text.chars().next_back()?;
            let (_, days) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
            let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(days)
        };
        let days = read().filter(|days| *days > 0);
        days.map(|days| Self { days })
            .ok_or_else(|| UnknownAge(text.to_owned()))
    }
}

/// That is no length of time.
#[derive(Debug, thiserror::Error)]
#[error("“{0}” is no length of time; write 7d, 2w, 6m or 1y.")]
pub struct UnknownAge(String);

/// In which order hits come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The best first.
    #[default]
    Match,
    Name,
    /// What changed last first; what nobody knows of last.
    Changed,
}

impl Sort {
    pub const ALL: [Self; 3] = [Self::Match, Self::Name, Self::Changed];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Name => "name",
            Self::Changed => "changed",
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownSort;

    fn from_str(word: &str) -> Result<Self, UnknownSort> {
        let found = Self::ALL.into_iter().find(|sort| sort.as_str() == word);
        found.ok_or_else(|| UnknownSort(word.to_owned()))
    }
}

/// There is no such order.
#[derive(Debug, thiserror::Error)]
#[error("Hits are sorted by match, name or changed, not by “{0}”.")]
pub struct UnknownSort(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_of_a_unit() {
        for (text, days) in [("7d", 7), ("2W", 14), ("6m", 180), ("1y", 365)] {
            assert_eq!(text.parse::<Age>().unwrap().days, days, "{text}");
        }
        for text in [
            "",
            "d",
            "7",
            "0d",
            "-1d",
            "1.5y",
            "99999999y",
            "7 days",
            "ÿ",
        ] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
