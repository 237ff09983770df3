//! The Markdown that people write here: which extensions are read, and what CommonMark would drop or leave alone.
//!
//! A bare address becomes a link, and a definition that nothing refers to stays readable. Both are marked in the text
//! before it is read, so that pages and the search index agree. Deliberately absent: markup, and changing what is kept.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag};
use regex::Regex;

/// What is read beside CommonMark.
pub const EXTENSIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_FOOTNOTES);

/// An address of a page or a mailbox.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)https?://[^\s<>|`\x00-\x1f]+|[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
        .expect("the pattern is constant")
});

/// What ends a sentence rather than an address.
const ENDS: &str = "?!.,:;*_~'\"”’“。，、；：！？）」』】";

/// Marks bare addresses as links, and definitions that nothing refers to as text.
pub fn prepared(markdown: &str) -> String {
    let outline = Outline::of(markdown);
    let links = outline.bare_addresses(markdown).into_iter();
    let links = links.flat_map(|link| [(link.start, "<"), (link.end, ">")]);
    let unused = outline.unused.iter().map(|start| (*start, "\\"));
    let mut marks: Vec<_> = links.chain(unused).collect();
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
fn without_end(mut address: &str) -> &str {
    loop {
        let shorter = address.trim_end_matches(|letter| ENDS.contains(letter));
        let closes = |open: char, close: char| {
            shorter.ends_with(close)
                && shorter.matches(close).count() > shorter.matches(open).count()
        };
        let is_open = closes('(', ')') || closes('[', ']') || closes('{', '}');
        let next = if is_open {
            shorter.get(..shorter.len() - 1).unwrap_or_default()
        } else {
            shorter
        };
        if next.len() == address.len() {
            return address;
        }
        address = next;
    }
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
    fn a_definition_that_nothing_refers_to_is_text() {
        assert_eq!(prepared("[TODO]: fix"), "\\[TODO]: fix");
        assert_eq!(
            prepared("[a]: /x\n[b]: /y\n\n[a]"),
            "[a]: /x\n\\[b]: /y\n\n[a]"
        );
    }
}
