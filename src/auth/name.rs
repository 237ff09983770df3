//! Names of accounts and teams, folded so that no two look alike.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::GeneralSecurityProfile as _;

use crate::error::{Explain, Kind};

/// No name is longer, in characters.
const LONGEST: usize = 64;

/// What an account is called when it signs in: lower case, without anything that cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName(String);

/// What a team is called, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamName(String);

impl AccountName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Equal for names that look alike.
    pub(super) fn skeleton(&self) -> String {
        skeleton(&self.0)
    }
}

impl TeamName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Equal for names that look alike.
    pub(super) fn skeleton(&self) -> String {
        skeleton(&self.0)
    }
}

impl FromStr for AccountName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let name: String = text.trim().nfkc().flat_map(char::to_lowercase).collect();
        let is_letter = |c: char| c.is_alphanumeric() && c.identifier_allowed();
        if !name.chars().next().is_some_and(is_letter) {
            return Err(BadName::Beginning);
        }
        if name.chars().count() > LONGEST {
            return Err(BadName::Length);
        }
        let allowed = |c: char| c.identifier_allowed() || "._-+@'".contains(c);
        match name.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(BadName::Character(c)),
            None => Ok(Self(name)),
        }
    }
}

impl FromStr for TeamName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let name: String = words.join(" ").nfc().collect();
        if name.is_empty() {
            return Err(BadName::Beginning);
        }
        if name.chars().count() > LONGEST {
            return Err(BadName::Length);
        }
        let allowed = |c: char| c.identifier_allowed() || c == ' ' || c.is_ascii_graphic();
        match name.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(BadName::Character(c)),
            None => Ok(Self(name)),
        }
    }
}

/// A digest of how a name looks, after Unicode's technical standard 39: `paypal` and `раураl` have the same.
pub(super) fn skeleton(name: &str) -> String {
    let folded: String = name.nfkc().flat_map(char::to_lowercase).collect();
    // A nought is seen as a capital O.
    let seen: String = unicode_security::skeleton(&folded)
        .flat_map(char::to_lowercase)
        .collect();
    super::secret::digest(&seen)
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TeamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that nobody can have.
#[derive(Debug, thiserror::Error)]
pub enum BadName {
    #[error("A name begins with a letter or a digit.")]
    Beginning,
    #[error("A name has no more than {LONGEST} characters.")]
    Length,
    #[error("A name cannot have “{}” in it.", .0.escape_debug())]
    Character(char),
}

impl Explain for BadName {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn hint(&self) -> Option<&'static str> {
        Some("Use letters, digits, dots, dashes and underscores.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> AccountName {
        text.parse().unwrap()
    }

    #[test]
    fn names_that_look_alike_are_one_name() {
        for (one, other) in [
            ("Ana", "ana"),
            ("paypal", "раураl"),
            ("ａｎａ", "ana"),
            ("admin1", "adminl"),
            ("rnary", "mary"),
            ("r00t", "root"),
            ("José", "Jose\u{301}"),
            (" ana ", "ana"),
        ] {
            assert_eq!(
                account(one).skeleton(),
                account(other).skeleton(),
                "{one} {other}"
            );
        }
        assert_ne!(account("ana").skeleton(), account("anna").skeleton());
        let team = |text: &str| text.parse::<TeamName>().unwrap();
        assert_eq!(
            team("Data  Platform").skeleton(),
            team("data platform").skeleton()
        );
        assert_eq!(team("R & D").as_str(), "R & D");
    }

    #[test]
    fn what_cannot_be_seen_or_typed_is_no_name() {
        for text in [
            "",
            " ",
            ".ana",
            "a b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\nb",
            "a/b",
            "<b>",
            "a\0",
        ] {
            assert!(text.parse::<AccountName>().is_err(), "{text:?}");
        }
        assert!("x".repeat(65).parse::<AccountName>().is_err());
        for text in ["", "a\u{202e}b", "a\u{7}b"] {
            assert!(text.parse::<TeamName>().is_err(), "{text:?}");
        }
        assert_eq!(
            account("Ana.Öz-2@shop.example").as_str(),
            "ana.öz-2@shop.example"
        );
    }
}
