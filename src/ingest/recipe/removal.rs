//! How much of a database one run may call gone.

use std::fmt;

/// The largest share of a completely listed database's tables that one run may call gone.
///
/// Whatever the share, a run never calls all tables of a database gone at once, unless it is the whole: `100%` is how
/// a recipe says that this is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalLimit {
    hundredths_of_percent: u16,
}

/// The whole, in hundredths of a percent.
const WHOLE: u16 = 10_000;

impl Default for RemovalLimit {
    fn default() -> Self {
        Self {
            hundredths_of_percent: 2_000,
        }
    }
}

impl RemovalLimit {
    /// Reads a percentage such as `20%` or `2.5 %`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim().strip_suffix('%')?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return None;
        }
        let part = format!("{part:0<2}").parse::<u16>().ok()?;
        let hundredths_of_percent = whole
            .parse::<u16>()
            .ok()?
            .checked_mul(100)?
            .checked_add(part)?;
        (hundredths_of_percent <= WHOLE).then_some(Self {
            hundredths_of_percent,
        })
    }

    /// Tells whether so many of so many known tables may be called gone.
    pub fn allows(self, gone: u64, known: u64) -> bool {
        if gone == 0 || self.hundredths_of_percent == WHOLE {
            return true;
        }
        let share = u128::from(self.hundredths_of_percent) * u128::from(known);
        gone < known && u128::from(gone) * u128::from(WHOLE) <= share
    }
}

/// As a percentage, such as `20 %`.
impl fmt::Display for RemovalLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(self.hundredths_of_percent) / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> RemovalLimit {
        RemovalLimit::parse(text).unwrap()
    }

    #[test]
    fn a_share_is_a_percentage_of_at_most_the_whole() {
        assert_eq!(limit("20%"), RemovalLimit::default());
        assert_eq!(limit(" 20 % ").to_string(), "20 %");
        assert_eq!(limit("2.5%").to_string(), "2.5 %");
        assert_eq!(limit("0%").to_string(), "0 %");
        assert_eq!(limit("100%").to_string(), "100 %");
        for text in [
            "", "%", "20", "0.2", "101%", "100.01%", "-1%", "1.234%", "ten%", "700%", ".5%",
        ] {
            assert_eq!(RemovalLimit::parse(text), None, "{text}");
        }
    }

    #[test]
    fn as_many_may_go_as_the_share_says_but_never_all() {
        assert!(limit("20%").allows(0, 0));
        assert!(limit("20%").allows(20, 100));
        assert!(!limit("20%").allows(21, 100));
        assert!(!limit("20%").allows(1, 4));
        assert!(limit("99.99%").allows(9, 10));
        assert!(!limit("99.99%").allows(10, 10));
        assert!(!limit("0%").allows(1, u64::MAX));
    }

    #[test]
    fn all_may_go_when_the_recipe_says_the_whole() {
        assert!(limit("100%").allows(1, 1));
        assert!(limit("100%").allows(u64::MAX, u64::MAX));
    }
}
