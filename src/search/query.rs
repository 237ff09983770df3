//! What somebody typed, understood: words, quotes and narrowing prefixes. Nothing typed is an error.

use std::str::FromStr;

use super::narrow::{Age, Trust, Trusts};
use super::words::fold;
use super::{LeftOut, Query};
use crate::catalog::AssetKind;

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
    pub(super) kinds: Vec<AssetKind>,
    pub(super) platforms: Vec<String>,
    pub(super) databases: Vec<String>,
    pub(super) trust: Vec<Trust>,
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
    pub(super) scope: Scope,
    /// These words exactly, one after the other.
    pub(super) exact: bool,
    pub(super) text: String,
}

/// Where a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Anywhere,
    Name,
    Column,
    Description,
    Owner,
    Tag,
}

/// A prefix that narrows down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Text(Scope),
    Kind,
    Platform,
    Database,
    Is,
    Changed,
}

impl Prefix {
    fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "name" => Self::Text(Scope::Name),
            "column" | "col" => Self::Text(Scope::Column),
            "description" => Self::Text(Scope::Description),
            "owner" => Self::Text(Scope::Owner),
            "tag" => Self::Text(Scope::Tag),
            "kind" | "type" => Self::Kind,
            "platform" => Self::Platform,
            "database" | "db" | "schema" => Self::Database,
            "is" => Self::Is,
            "changed" => Self::Changed,
            _ => return None,
        })
    }
}

/// A word that filters, as it is explained and completed.
#[derive(Debug, Clone, Copy)]
pub struct FilterWord {
    pub word: &'static str,
    pub meaning: &'static str,
    /// Values that are known beforehand; empty where they come from the catalog.
    pub values: &'static [&'static str],
}

/// What `is:` may be followed by.
const IS: &[&str] = &["verified", "deprecated", "undescribed", "unowned", REMOVED];

/// Behind `is:`, what its source no longer lists.
const REMOVED: &str = "removed";

/// Examples of what `changed:` may be followed by.
const AGES: &[&str] = &["7d", "30d", "1y"];

/// Every word that filters, the most used first.
pub const FILTER_WORDS: &[FilterWord] = &[
    FilterWord::new("is", "Its trust, or removed", IS),
    FilterWord::new("changed", "Definition changed in this time", AGES),
    FilterWord::new("owner", "An owner, by name", &[]),
    FilterWord::new("tag", "A tag", &[]),
    FilterWord::new("column", "A column, by name", &[]),
    FilterWord::new("kind", "Table, view or database", &[]),
    FilterWord::new("database", "A database", &[]),
    FilterWord::new("platform", "A kind of source", &[]),
    FilterWord::new("name", "Words of the name", &[]),
    FilterWord::new("description", "Words of the description", &[]),
];

impl FilterWord {
    const fn new(
        word: &'static str,
        meaning: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self {
            word,
            meaning,
            values,
        }
    }
}

/// One piece of what was typed.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    prefix: Option<(Prefix, &'a str)>,
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
        let Some((prefix, word)) = piece.prefix else {
            return self.take_plain(piece);
        };
        match prefix {
            Prefix::Kind => self.take_kind(piece, word),
            Prefix::Platform => self.platforms.push(piece.text.to_owned()),
            Prefix::Database => self.databases.push(piece.text.to_owned()),
            Prefix::Is => self.take_is(piece, word),
            Prefix::Changed => match piece.text.parse::<Age>() {
                Ok(age) => {
                    let shorter = |known: Age| if known.days < age.days { known } else { age };
                    self.age = Some(self.age.map_or(age, shorter));
                }
                Err(_) => self.leave_out(piece, word, AGES),
            },
            Prefix::Text(scope) => self.require(Condition {
                typed: format!("{word}:{}", piece.text),
                scope,
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
                scope: Scope::Anywhere,
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
            Ok(trust) => self.trust.push(trust),
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

    fn take_kind(&mut self, piece: &Piece<'_>, word: &str) {
        let name = fold(piece.text);
        let named = AssetKind::ALL
            .into_iter()
            .find(|kind| kind.plural() == name);
        match named.or_else(|| AssetKind::from_str(&name).ok()) {
            Some(kind) => self.kinds.push(kind),
            None => self.leave_out(piece, word, &AssetKind::ALL),
        }
    }
}

/// What a query narrows down to beside its words: what was typed and what was chosen, both of which must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Narrowing {
    pub(super) kinds: [Vec<String>; 2],
    pub(super) platforms: [Vec<String>; 2],
    pub(super) databases: [Vec<String>; 2],
    /// What was typed holds all together; of what was chosen, one is enough.
    pub(super) trust: [Trusts; 2],
    /// What was chosen; what was typed is a requirement of the plan.
    pub(super) owners: Vec<String>,
    pub(super) tags: Vec<String>,
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
        let words = |kinds: &[AssetKind]| kinds.iter().map(ToString::to_string).collect();
        Self {
            kinds: [words(&typed.kinds), words(&query.kinds)],
            platforms: [typed.platforms.clone(), query.platforms.clone()],
            databases: [typed.databases.clone(), query.databases.clone()],
            trust: [
                typed.trust.iter().copied().collect(),
                query.trust.iter().copied().collect(),
            ],
            owners: query.owners.clone(),
            tags: query.tags.clone(),
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
fn split_prefix(text: &str) -> (Option<(Prefix, &str)>, &str) {
    let split = text.split_once(':').and_then(|(word, after)| {
        let follows = after
            .chars()
            .next()
            .is_some_and(|c| !c.is_whitespace() && c != ':');
        let prefix = Prefix::of(word).filter(|_| follows)?;
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
        assert_eq!(typed.kinds, [AssetKind::View]);
        assert_eq!(typed.databases, ["sales"]);
        let conditions: Vec<_> = typed
            .conditions
            .iter()
            .map(|c| (c.scope, c.exact, c.text.as_str()))
            .collect();
        assert_eq!(
            conditions,
            [
                (Scope::Column, false, "customer_id"),
                (Scope::Anywhere, true, "order lines")
            ]
        );
    }

    #[test]
    fn a_prefix_takes_a_quoted_text() {
        let typed = Typed::read(r#"description:"net revenue" db:“my db”"#);

        assert_eq!(typed.databases, ["my db"]);
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
