//! What somebody typed, understood: words, quotes and narrowing prefixes. Nothing typed is an error.

use std::str::FromStr;

use super::facets::{Choices, FacetField};
use super::filters::{FilterWord, IS, REMOVED, SearchField, Takes};
use super::narrow::{Age, Trust, Trusts};
use super::tokenizer::fold;
use super::{LeftOut, Query};

/// How much of what was typed is read, in characters.
const LONGEST: usize = 2_000;

/// How many quotes and prefixes one query can hold; more are read as words.
const MOST_CONDITIONS: usize = 8;

/// What was typed, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// Everything but the prefixes, as one text without quotes.
    pub(super) free: String,
    /// What stands outside quotes, in order.
    pub(super) words: String,
    pub(super) conditions: Vec<Condition>,
    pub(super) choices: Choices,
    /// The shortest that was typed.
    pub(super) age: Option<Age>,
    /// Whether only what was removed is asked for.
    pub(super) removed: bool,
    pub(super) left_out: Vec<LeftOut>,
}

/// Something that every hit has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) typed: String,
    pub(super) field: SearchField,
    /// These words exactly, one after the other.
    pub(super) exact: bool,
    pub(super) text: String,
}

/// One piece of what was typed.
#[derive(Debug)]
struct Piece<'a> {
    prefix: Option<(&'static FilterWord, &'a str)>,
    quoted: bool,
    text: &'a str,
}

impl Typed {
    /// Reads what was typed.
    pub(super) fn read(text: &str) -> Self {
        let end = text
            .char_indices()
            .nth(LONGEST)
            .map_or(text.len(), |(at, _)| at);
        let mut typed = Self::default();
        let mut rest = text.get(..end).unwrap_or_default();
        while let Some(piece) = next_piece(&mut rest) {
            typed.take(&piece);
        }
        typed
    }

    fn take(&mut self, piece: &Piece<'_>) {
        let Some((filter, word)) = piece.prefix else {
            return self.take_plain(piece);
        };
        match filter.takes {
            Takes::Choice(facet) => match (facet.def().read)(piece.text) {
                Some(value) => self.choices.add(facet, value),
                None => self.leave_out(piece, word, filter.values),
            },
            Takes::Is => self.take_is(piece, word),
            Takes::Changed => match piece.text.parse::<Age>() {
                Ok(age) => {
                    let shorter = |known: Age| if known.days < age.days { known } else { age };
                    self.age = Some(self.age.map_or(age, shorter));
                }
                Err(_) => self.leave_out(piece, word, filter.values),
            },
            Takes::Text(field) => self.require(Condition {
                typed: format!("{word}:{}", piece.text),
                field,
                exact: piece.quoted,
                text: piece.text.to_owned(),
            }),
        }
    }

    fn take_plain(&mut self, piece: &Piece<'_>) {
        add(&mut self.free, piece.text);
        if piece.quoted {
            self.require(Condition {
                typed: format!("“{}”", piece.text),
                field: SearchField::Anywhere,
                exact: true,
                text: piece.text.to_owned(),
            });
        } else {
            add(&mut self.words, piece.text);
        }
    }

    fn require(&mut self, condition: Condition) {
        if self.conditions.len() < MOST_CONDITIONS {
            self.conditions.push(condition);
        } else {
            add(&mut self.words, &condition.text);
        }
    }

    fn take_is(&mut self, piece: &Piece<'_>, word: &str) {
        let name = fold(piece.text);
        match Trust::from_str(&name) {
            Ok(trust) => self.choices.add(FacetField::Trust, trust.as_str()),
            Err(_) if matches!(name.as_str(), REMOVED | "gone") => self.removed = true,
            Err(_) => self.leave_out(piece, word, IS),
        }
    }

    /// Leaves out a filter that means nothing, and tells those that do.
    fn leave_out(&mut self, piece: &Piece<'_>, word: &str, values: &[impl std::fmt::Display]) {
        self.left_out.push(LeftOut {
            word: format!("{word}:{}", piece.text),
            nearest: values
                .iter()
                .map(|value| format!("{word}:{value}"))
                .collect(),
        });
    }
}

/// What a query narrows down to beside its words: what was typed and what was chosen, both of which must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Narrowing {
    /// Typed, and chosen.
    pub(super) choices: [Choices; 2],
    /// What was typed holds all together; of what was chosen, one is enough.
    pub(super) trust: [Trusts; 2],
    /// How many days ago a definition may have changed.
    pub(super) days: Option<u32>,
    pub(super) removed: Removed,
}

/// What becomes of that which its source no longer lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Removed {
    /// It is counted, but is no hit.
    #[default]
    Counted,
    Included,
    /// Nothing else is a hit.
    Only,
}

impl Narrowing {
    pub(super) fn of(query: &Query, typed: &Typed) -> Self {
        let trusts = |choices: &Choices| -> Trusts {
            let words = choices.of(FacetField::Trust).iter();
            words.filter_map(|word| word.parse().ok()).collect()
        };
        Self {
            trust: [trusts(&typed.choices), trusts(&query.choices)],
            choices: [typed.choices.clone(), query.choices.clone()],
            days: typed
                .age
                .into_iter()
                .chain(query.age)
                .map(|age| age.days)
                .min(),
            removed: match (typed.removed, query.include_gone) {
                (true, _) => Removed::Only,
                (false, true) => Removed::Included,
                (false, false) => Removed::Counted,
            },
        }
    }
}

fn add(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

/// Takes the next piece off the text.
fn next_piece<'a>(rest: &mut &'a str) -> Option<Piece<'a>> {
    let text = rest.trim_start();
    if text.is_empty() {
        return None;
    }
    let (prefix, text) = split_prefix(text);
    if let Some((quoted, after)) = split_quoted(text) {
        *rest = after;
        return Some(Piece {
            prefix,
            quoted: true,
            text: quoted,
        });
    }
    let text = text.trim_start_matches(is_quote);
    let end = text
        .char_indices()
        .find(|(at, c)| c.is_whitespace() || (is_quote(*c) && opens_quote(text, *at)))
        .map_or(text.len(), |(at, _)| at);
    *rest = text.get(end..).unwrap_or_default();
    Some(Piece {
        prefix,
        quoted: false,
        text: text
            .get(..end)
            .unwrap_or_default()
            .trim_end_matches(is_quote),
    })
}

/// Splits `column:` off, when something follows it.
fn split_prefix(text: &str) -> (Option<(&'static FilterWord, &str)>, &str) {
    let split = text.split_once(':').and_then(|(word, after)| {
        let follows = after
            .chars()
            .next()
            .is_some_and(|c| !c.is_whitespace() && c != ':');
        let prefix = FilterWord::meant(word).filter(|_| follows)?;
        Some((Some((prefix, word)), after))
    });
    split.unwrap_or((None, text))
}

/// Splits `"some words"` off, when it ends.
fn split_quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix(is_quote)?;
    let (quoted, after) = inner.split_once(is_quote)?;
    (!quoted.trim().is_empty()).then_some((quoted.trim(), after))
}

fn opens_quote(text: &str, at: usize) -> bool {
    text.get(at..)
        .is_some_and(|text| split_quoted(text).is_some())
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

#[cfg(test)]
mod tests {
    use super::super::filters::FILTER_WORDS;
    use super::*;

    #[test]
    fn every_word_that_is_explained_filters() {
        for filter in FILTER_WORDS {
            let typed = Typed::read(&format!("{}:view", filter.word));
            assert_eq!(typed.words, "", "{}", filter.word);
        }
    }

    #[test]
    fn words_quotes_and_prefixes_come_apart() {
        let typed = Typed::read(
            r#"users column:customer_id "order lines" kind:views database:sales created"#,
        );

        assert_eq!(typed.words, "users created");
        assert_eq!(typed.free, "users order lines created");
        assert_eq!(typed.choices.of(FacetField::Kind), ["view"]);
        assert_eq!(typed.choices.of(FacetField::Database), ["sales"]);
        let conditions: Vec<_> = typed
            .conditions
            .iter()
            .map(|c| (c.field, c.exact, c.text.as_str()))
            .collect();
        assert_eq!(
            conditions,
            [
                (SearchField::Column, false, "customer_id"),
                (SearchField::Anywhere, true, "order lines")
            ]
        );
    }

    #[test]
    fn a_prefix_takes_a_quoted_text() {
        let typed = Typed::read(r#"description:"net revenue" db:“my db”"#);

        assert_eq!(typed.choices.of(FacetField::Database), ["my db"]);
        assert_eq!(
            typed.conditions.first().map(|c| (c.exact, c.text.as_str())),
            Some((true, "net revenue"))
        );
    }

    #[test]
    fn what_is_no_prefix_is_a_word() {
        for text in ["http://x", "foo:bar", "column:", "column: x", "a::b", ":::"] {
            let typed = Typed::read(text);
            assert_eq!(typed.words, text, "{text}");
            assert_eq!(typed.conditions, [], "{text}");
        }
    }

    #[test]
    fn a_kind_that_does_not_exist_is_left_out_with_those_that_do() {
        let typed = Typed::read("kind:dashbord sales");

        assert_eq!(typed.words, "sales");
        assert_eq!(
            typed.left_out.first().map(|left| left.word.as_str()),
            Some("kind:dashbord")
        );
    }

    #[test]
    fn odd_input_is_read_as_far_as_it_goes() {
        for text in [
            "\"",
            "\"\"",
            "\"a",
            "a\"b",
            "\"a\"b\"",
            "“",
            "kind:",
            "kind:\"",
            "\0",
            "  \t\n",
            "🚀\"🚀",
        ] {
            assert!(Typed::read(text).words.len() <= text.len(), "{text}");
        }
        assert_eq!(Typed::read("\"open end").words, "open end");
        assert_eq!(Typed::read(&"x ".repeat(10_000)).words.len(), LONGEST - 1);
        assert_eq!(
            Typed::read(&"\"a\" ".repeat(20)).conditions.len(),
            MOST_CONDITIONS
        );
    }
}
