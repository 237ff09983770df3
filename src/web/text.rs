//! Numbers, times and long names, in words that people use.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation as _;

/// A whole number with a comma between thousands: `1,234,567`.
pub(crate) fn number(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "−" } else { "" }.to_owned();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many there are of something: `1 table`, `2,500 tables`.
pub(crate) fn count(many: impl Into<i128>, one: &str, more: &str) -> String {
    let many = many.into();
    let word = if many == 1 { one } else { more };
    format!("{} {word}", number(many))
}

/// An amount of data: `0 bytes`, `1.5 kB`, `2.3 GB`.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1_000 {
        return count(bytes, "byte", "bytes");
    }
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = "bytes";
    for larger in units {
        tenths = (tenths + 500) / 1_000;
        unit = larger;
        if tenths < 9_995 {
            break;
        }
    }
    if tenths >= 100 || tenths % 10 == 0 {
        format!("{} {unit}", (tenths + 5) / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// How long something took: `85 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{seconds}.{} s", milliseconds % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", number(seconds / 3_600), seconds % 3_600 / 60),
    }
}

/// A moment, for a `<time>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Moment {
    /// For reading: `3 hours ago`, `in 2 days`.
    pub(crate) ago: String,
    /// For hovering: `2026-11-21 09:30:00 UTC`.
    pub(crate) exact: String,
    /// For `datetime`.
    pub(crate) iso: String,
}

impl Moment {
    pub(crate) fn new(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            ago: ago(now - at),
            exact: at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            iso: at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }

    /// The moment as seen from now.
    pub(crate) fn of(at: DateTime<Utc>) -> Self {
        Self::new(at, Utc::now())
    }
}

/// Says how long ago something was, to the largest unit that it fills.
fn ago(passed: TimeDelta) -> String {
    let seconds = passed.num_seconds().unsigned_abs();
    let (many, one, more) = match seconds {
        0..10 => return "just now".to_owned(),
        10..60 => (seconds, "second", "seconds"),
        60..3_600 => (seconds / 60, "minute", "minutes"),
        3_600..86_400 => (seconds / 3_600, "hour", "hours"),
        86_400..2_592_000 => (seconds / 86_400, "day", "days"),
        2_592_000..31_536_000 => (seconds / 2_592_000, "month", "months"),
        _ => (seconds / 31_536_000, "year", "years"),
    };
    let span = count(many, one, more);
    if passed < TimeDelta::zero() {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// A text that may have been cut, with the whole in reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shortened {
    pub(crate) shown: String,
    /// The whole text, if it was cut; for `title`.
    pub(crate) whole: Option<String>,
}

impl Shortened {
    /// Cuts a text to so many characters as people count them, the ellipsis among them.
    pub(crate) fn to(most: usize, text: &str) -> Self {
        let Some((end, _)) = text.grapheme_indices(true).nth(most) else {
            return Self {
                shown: text.to_owned(),
                whole: None,
            };
        };
        let kept = text
            .get(..end)
            .unwrap_or(text)
            .graphemes(true)
            .take(most.saturating_sub(1));
        let kept: String = kept.collect();
        Self {
            shown: format!("{}…", kept.trim_end()),
            whole: Some(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(-12_345), "−12,345");
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(0, "view", "views"), "0 views");
        assert_eq!(count(1, "view", "views"), "1 view");
        assert_eq!(count(2_500, "view", "views"), "2,500 views");
    }

    #[test]
    fn sizes_have_two_digits_that_matter() {
        let sizes = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (1_549, "1.5 kB"),
            (10_400, "10 kB"),
            (999_600, "1 MB"),
            (2_340_000_000, "2.3 GB"),
            (u64::MAX, "18 EB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn durations_read_as_they_are_said() {
        assert_eq!(duration(85), "85 ms");
        assert_eq!(duration(1_250), "1.2 s");
        assert_eq!(duration(184_000), "3 min 4 s");
        assert_eq!(duration(7_500_000), "2 h 5 min");
    }

    #[test]
    fn moments_are_told_by_their_largest_unit() {
        let now = "2026-11-21T09:30:00Z".parse::<DateTime<Utc>>().unwrap();
        let ago = |seconds| Moment::new(now - TimeDelta::seconds(seconds), now).ago;
        assert_eq!(ago(3), "just now");
        assert_eq!(ago(61), "1 minute ago");
        assert_eq!(ago(3 * 3_600 + 59), "3 hours ago");
        assert_eq!(ago(-2 * 86_400), "in 2 days");
        assert_eq!(ago(400 * 86_400), "1 year ago");
        let moment = Moment::new(now, now);
        assert_eq!(moment.exact, "2026-11-21 09:30:00 UTC");
        assert_eq!(moment.iso, "2026-11-21T09:30:00Z");
    }

    #[test]
    fn a_text_is_cut_between_characters_only() {
        assert_eq!(Shortened::to(5, "abcde").whole, None);
        let cut = Shortened::to(5, "abcdef");
        assert_eq!(cut.shown, "abcd…");
        assert_eq!(cut.whole.as_deref(), Some("abcdef"));
        let family = "👨‍👩‍👧‍👦".repeat(3);
        assert_eq!(Shortened::to(2, &family).shown, "👨‍👩‍👧‍👦…");
    }
}
