//! The Markdown that people write here: which extensions are read, and what the standard would drop or leave alone.
//!
//! A bare address becomes a link; a name such as `__init__`, a product such as `a*b*c` and a definition that nothing refers
//! to stay as they are. All this is marked in the text before it is read, so that pages and the search index agree.
//! Deliberately absent: markup, and changing what is kept.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag};
use regex::Regex;

/// What is read beside the standard.
pub const EXTENSIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_FOOTNOTES);

/// An address of a page or a mailbox.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)https?://[^\s<>|`\x00-\x1f]+|[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
        .expect("the pattern is constant")
});

/// What begins and ends with underscores and may be a name.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b_+[A-Za-z0-9]+(?:_+[A-Za-z0-9]+)*_+\b").expect("the pattern is constant")
});

/// What is multiplied, all in one piece.
static PRODUCT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)\w+(?:\.\w+)*(?:\*\w+(?:\.\w+)*)+").expect("the pattern is constant")
});

/// What ends a sentence rather than an address.
const ENDS: &str = "?!.,:;*_~'\"”’“。，、；：！？）」』】";

const BRACKETS: [(char, char); 3] = [('(', ')'), ('[', ']'), ('{', '}')];

/// Marks bare addresses as links, and as text what only looks like emphasis or a definition.
pub fn prepared(markdown: &str) -> String {
    let outline = Outline::of(markdown);
    let links = outline.bare_addresses(markdown);
    let taken = merged(outline.taken.iter().chain(&links));
    let is_free = |at: &usize| {
        let next = taken.partition_point(|range| range.end <= *at);
        taken.get(next).is_none_or(|range| *at < range.start)
    };
    let literal = underscores(markdown).into_iter().chain(products(markdown));
    let literal = literal
        .filter(is_free)
        .chain(outline.unused.iter().copied());
    let links = links.iter();
    let links = links.flat_map(|link| [(link.start, "<"), (link.end, ">")]);
    let mut marks: Vec<_> = literal.map(|at| (at, "\\")).chain(links).collect();
    marks.sort_by_key(|(at, _)| *at);
    let mut text = String::with_capacity(markdown.len() + marks.len());
    let mut from = 0;
    for (at, mark) in marks {
        text.push_str(markdown.get(from..at).unwrap_or_default());
        text.push_str(mark);
        from = at;
    }
    text.push_str(markdown.get(from..).unwrap_or_default());
    text
}

/// Where the underscores around names are: those that have one inside, and those in small letters between two and two.
fn underscores(markdown: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for name in NAME.find_iter(markdown) {
        let inner = name.as_str().trim_matches('_');
        let is_small = !inner.contains(|letter: char| letter.is_ascii_uppercase());
        let doubled = name.as_str().starts_with("__") && name.as_str().ends_with("__");
        let escaped = markdown
            .get(..name.start())
            .is_some_and(|before| before.ends_with('\\'));
        if (inner.contains('_') || (is_small && doubled)) && !escaped {
            let signs = name.as_str().match_indices('_');
            found.extend(signs.map(|(at, _)| name.start() + at));
        }
    }
    found
}

/// Where the asterisks of products are: each stands between two letters or digits.
fn products(markdown: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for product in PRODUCT.find_iter(markdown) {
        let before = markdown.get(..product.start());
        let before = before.and_then(|text| text.chars().next_back());
        let after = markdown.get(product.end()..);
        let after = after.and_then(|text| text.chars().next());
        if before != Some('*') && after != Some('*') {
            let signs = product.as_str().match_indices('*');
            found.extend(signs.map(|(at, _)| product.start() + at));
        }
    }
    found
}

/// Ranges in order, those that overlap made one.
fn merged<'r>(ranges: impl Iterator<Item = &'r Range<usize>>) -> Vec<Range<usize>> {
    let mut sorted: Vec<_> = ranges.cloned().collect();
    sorted.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Where a text may not be touched, and which of its definitions nothing refers to.
struct Outline {
    /// Links, code and HTML, by where they begin.
    taken: Vec<Range<usize>>,
    /// Where unused definitions begin.
    unused: Vec<usize>,
}

impl Outline {
    fn of(markdown: &str) -> Self {
        let mut events = Parser::new_ext(markdown, EXTENSIONS).into_offset_iter();
        let mut taken = Vec::new();
        let mut used = HashSet::new();
        while let Some((event, range)) = events.next() {
            if let Event::Start(Tag::Link { id, .. } | Tag::Image { id, .. }) = &event {
                let definition = events.reference_definitions().get(id);
                used.extend(definition.map(|definition| definition.span.start));
            }
            if is_taken(&event) {
                taken.push(range);
            }
        }
        let definitions = events.reference_definitions().iter();
        let (used, unused): (Vec<_>, Vec<_>) = definitions
            .map(|(_, definition)| definition.span.clone())
            .partition(|span| used.contains(&span.start));
        taken.extend(used);
        taken.sort_by_key(|range| range.start);
        Self {
            taken,
            unused: unused.into_iter().map(|span| span.start).collect(),
        }
    }

    fn bare_addresses(&self, markdown: &str) -> Vec<Range<usize>> {
        let mut bare = Vec::new();
        let mut taken = self.taken.iter().peekable();
        let mut covered = 0;
        for found in ADDRESS.find_iter(markdown) {
            while let Some(range) = taken.next_if(|range| range.start <= found.start()) {
                covered = covered.max(range.end);
            }
            let before = markdown.get(..found.start()).unwrap_or_default();
            if found.start() < covered || !may_follow(before, found.as_str()) {
                continue;
            }
            let next = taken.peek().map_or(markdown.len(), |range| range.start);
            let end = found.end().min(next);
            let address = markdown.get(found.start()..end).unwrap_or_default();
            let address = without_end(address);
            let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
            if !rest.is_empty() {
                bare.push(found.start()..found.start() + address.len());
            }
        }
        bare
    }
}

fn is_taken(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock)
            | Event::Code(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
    )
}

/// Tells whether an address begins here: not inside a word, and a mailbox not inside another address.
fn may_follow(before: &str, address: &str) -> bool {
    let Some(last) = before.chars().next_back() else {
        return true;
    };
    let is_page = address.contains("://");
    !last.is_alphanumeric() && (is_page || !matches!(last, '/' | ':' | '@' | '=' | '\\'))
}

/// Leaves out what ends the sentence, and a bracket that was opened before the address.
fn without_end(address: &str) -> &str {
    let count = |letter: char| address.matches(letter).count();
    let mut unopened = BRACKETS.map(|(open, close)| count(close).saturating_sub(count(open)));
    let mut end = address.len();
    for (at, letter) in address.char_indices().rev() {
        let bracket = BRACKETS.iter().zip(&mut unopened);
        let mut bracket = bracket.filter(|((_, close), _)| *close == letter);
        match bracket.next() {
            Some((_, unopened)) if *unopened > 0 => *unopened -= 1,
            _ if ENDS.contains(letter) => {}
            _ => break,
        }
        end = at;
    }
    address.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_address_is_marked_without_the_sentence_around_it() {
        for (text, expected) in [
            (
                "See https://a.example/a_b_c?x=1&y=2.",
                "See <https://a.example/a_b_c?x=1&y=2>.",
            ),
            ("(https://a.example/x_(y))", "(<https://a.example/x_(y)>)"),
            (
                "https://a.example/_x_/y*z, or",
                "<https://a.example/_x_/y*z>, or",
            ),
            ("**HTTP://a.example**", "**<HTTP://a.example>**"),
            (
                "| a https://a.example|b |\n|---|---|",
                "| a <https://a.example>|b |\n|---|---|",
            ),
            ("mail a.b+c@a.example!", "mail <a.b+c@a.example>!"),
            ("見る https://a.example/é。", "見る <https://a.example/é>。"),
            (
                "[^1]\n\n[^1]: https://a.example",
                "[^1]\n\n[^1]: <https://a.example>",
            ),
        ] {
            assert_eq!(prepared(text), expected);
        }
    }

    #[test]
    fn what_is_a_link_code_or_no_address_stays_as_it_is() {
        for text in [
            "<https://a.example>",
            "[a](https://a.example)",
            "[https://a.example](/x)",
            "![a](https://a.example/i.png)",
            "[a]\n\n[a]: https://a.example",
            "`https://a.example`",
            "```\nhttps://a.example\n```",
            "    https://a.example",
            "<a href=\"https://a.example\">",
            "xhttps://a.example",
            "https://",
            "git://a@a.example",
            "a@b",
        ] {
            assert_eq!(prepared(text), text);
        }
    }

    #[test]
    fn an_address_without_end_is_read_at_once() {
        let endless = format!("https://a.example/{}", ")".repeat(99_000));

        assert!(prepared(&endless).starts_with("<https://a.example/>)))"));
    }

    #[test]
    fn names_and_products_are_no_emphasis() {
        for (text, expected) in [
            ("__init__.py", r"\_\_init\_\_.py"),
            ("the _a_b_ of", r"the \_a\_b\_ of"),
            ("(a.x*b*2)", r"(a.x\*b\*2)"),
            (
                "https://a.example/a*b_c/__x__/d",
                "<https://a.example/a*b_c/__x__/d>",
            ),
        ] {
            assert_eq!(prepared(text), expected);
        }
        for text in [
            "snake_case",
            "_emphasis_",
            "__Strong__",
            "*x* and **y**z",
            "*turn*over",
            "*the other*.",
            "**a*b*c**",
            "2 * 3 * 4",
            "これは*強調*です",
            "`a*b*c __init__`",
            r"\__init__",
        ] {
            assert_eq!(prepared(text), text);
        }
    }

    #[test]
    fn a_definition_that_nothing_refers_to_is_text() {
        assert_eq!(prepared("[TODO]: fix"), "\\[TODO]: fix");
        assert_eq!(
            prepared("[a]: /x\n[b]: /y\n\n[a]"),
            "[a]: /x\n\\[b]: /y\n\n[a]"
        );
    }
}
