//! Which names a recipe lets in: lists of regular expressions to allow and to deny.
//!
//! The meaning is the one that recipes of this field already have: an expression must match at the start of the name
//! but need not reach its end, a denied name stays out whatever allows it, and case makes no difference unless asked.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Expressions that allow names, and expressions that deny them again.
#[derive(Clone)]
pub struct Pattern {
    /// Nothing is denied and every name allowed: the usual case, which needs no matching.
    everything: bool,
    allow: Vec<Regex>,
    deny: Vec<Regex>,
    ignore_case: bool,
}

/// One of the expressions cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "The pattern “{pattern}” is not a regular expression: {}.",
    reason(cause)
)]
pub struct BadPattern {
    /// The expression as it was given.
    pub pattern: String,
    #[source]
    pub cause: regex::Error,
}

impl Pattern {
    /// Compiles the expressions; the first that is none is the error.
    ///
    /// An empty `allow` lets nothing in. Look-around and back-references are not understood.
    pub fn new<S: AsRef<str>>(
        allow: &[S],
        deny: &[S],
        ignore_case: bool,
    ) -> Result<Self, BadPattern> {
        let everything = deny.is_empty() && allow.iter().any(|text| text.as_ref() == ".*");
        Ok(Self {
            everything,
            allow: compile_all(allow, ignore_case)?,
            deny: compile_all(deny, ignore_case)?,
            ignore_case,
        })
    }

    /// Tells whether `name` is let in.
    pub fn allows(&self, name: &str) -> bool {
        self.everything || (!any_starts(&self.deny, name) && any_starts(&self.allow, name))
    }
}

impl Default for Pattern {
    /// Lets every name in.
    fn default() -> Self {
        Self {
            everything: true,
            allow: Vec::new(),
            deny: Vec::new(),
            ignore_case: true,
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |list: &[Regex]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        f.debug_struct("Pattern")
            .field("everything", &self.everything)
            .field("allow", &texts(&self.allow))
            .field("deny", &texts(&self.deny))
            .field("ignore_case", &self.ignore_case)
            .finish()
    }
}

/// Tells whether one of the expressions matches from the first character on.
///
/// A search finds the leftmost match, so if there is one at the start, that is the one it finds.
fn any_starts(expressions: &[Regex], name: &str) -> bool {
    expressions
        .iter()
        .any(|regex| regex.find(name).is_some_and(|found| found.start() == 0))
}

fn compile_all<S: AsRef<str>>(texts: &[S], ignore_case: bool) -> Result<Vec<Regex>, BadPattern> {
    texts
        .iter()
        .map(|text| compile(text.as_ref(), ignore_case))
        .collect()
}

fn compile(text: &str, ignore_case: bool) -> Result<Regex, BadPattern> {
    RegexBuilder::new(text)
        .case_insensitive(ignore_case)
        .build()
        .map_err(|cause| BadPattern {
            pattern: text.to_owned(),
            cause,
        })
}

/// The last line of the library's explanation, which says what is wrong; the lines above it draw a picture.
fn reason(cause: &regex::Error) -> String {
    let text = cause.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ")
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(allow: &[&str], deny: &[&str]) -> Pattern {
        Pattern::new(allow, deny, true).unwrap()
    }

    #[test]
    fn an_expression_matches_at_the_start_and_need_not_reach_the_end() {
        let pattern = pattern(&["sales"], &[]);

        assert!(pattern.allows("sales"));
        assert!(pattern.allows("sales_2024"));
        assert!(!pattern.allows("presales"));
    }

    #[test]
    fn each_side_of_an_alternative_matches_at_the_start() {
        let pattern = pattern(&["a|b$"], &[]);

        assert!(pattern.allows("axe"));
        assert!(pattern.allows("b"));
        assert!(!pattern.allows("cab"));
    }

    #[test]
    fn denying_wins_over_allowing() {
        let pattern = pattern(&["sales.*"], &[".*_tmp$"]);

        assert!(pattern.allows("sales_a"));
        assert!(!pattern.allows("sales_a_tmp"));
    }

    #[test]
    fn case_is_ignored_unless_asked() {
        assert!(pattern(&["Sales"], &[]).allows("sALES"));
        assert!(
            !Pattern::new(&["Sales"], &[], false)
                .unwrap()
                .allows("sales")
        );
    }

    #[test]
    fn everything_is_allowed_by_default_and_nothing_by_an_empty_list() {
        assert!(Pattern::default().allows("größe"));
        assert!(!pattern(&[], &[]).allows("a"));
    }

    #[test]
    fn an_expression_that_is_none_is_named() {
        let error = Pattern::new(&["ok", "(a"], &[], true).unwrap_err();

        assert_eq!(error.pattern, "(a");
        assert_eq!(
            error.to_string(),
            "The pattern “(a” is not a regular expression: unclosed group."
        );
    }
}
