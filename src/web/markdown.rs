//! What people write, as HTML that cannot do any harm: the one place that makes markup out of their words.
//!
//! HTML in it is shown as the text that it is. An image becomes a link to it, because pages load nothing from elsewhere.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html};
use serde::Serialize;

use super::footnotes::{self, Footnotes};
use super::links;
use crate::catalog::human::LONGEST_TEXT;
use crate::db::{Apart, Busy};
use crate::revisions::{EXTENSIONS, prepared};

/// HTML that may stand in a page as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct SafeHtml(String);

/// No markup stands in more other markup than this; what is deeper keeps its text.
///
/// Browsers, and whatever reads HTML as they do, look through all that is open at each tag: a page of nothing but quotes
/// in quotes would keep them busy for minutes.
const DEEPEST: usize = 32;

/// What becomes of links that leave the site.
const REL: &str = "nofollow noopener noreferrer";

const TAGS: [&str; 25] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .tags(HashSet::from(TAGS))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            ("li", HashSet::from(["id"])),
            ("ol", HashSet::from(["start"])),
            ("sup", HashSet::from(["id"])),
        ]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Custom(Box::new(within_site)))
        .link_rel(Some(REL));
    builder
});

/// Lets an address pass that begins at the root of this site, or is a footnote; others lead nobody knows where.
fn within_site(address: &str) -> Option<Cow<'_, str>> {
    let within = address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains(['\\', '\t', '\n', '\r']);
    if within {
        return Some(Cow::Owned(links::of_site(address)));
    }
    footnotes::is_address(address).then_some(Cow::Borrowed(address))
}

/// Texts longer than this are rendered apart: that keeps a processor busy for longer than others should wait.
const LONG: usize = 10_000;

/// Letters that HTML writes as entities, the letters that Unicode keeps for such uses and that take their place until the
/// markup is known to be harmless, and the entities. The parser behind the sanitiser takes long over each entity.
const ESCAPED: [(char, char, &str); 3] = [
    ('&', '\u{fdd0}', "&amp;"),
    ('<', '\u{fdd1}', "&lt;"),
    ('>', '\u{fdd2}', "&gt;"),
];

/// Renders Markdown, apart from what others ask for if it is long.
pub(crate) async fn render_apart(
    apart: &Apart,
    markdown: &str,
    below: u8,
) -> Result<SafeHtml, Busy> {
    if markdown.len() <= LONG {
        return Ok(render(markdown, below));
    }
    let markdown = markdown.to_owned();
    apart
        .run(links::carried(move || render(&markdown, below)))
        .await
}

/// Puts something in the place of each letter that HTML writes as an entity.
fn hidden(text: CowStr<'_>) -> CowStr<'_> {
    if !text.contains(ESCAPED.map(|(letter, ..)| letter)) {
        return text;
    }
    let hide = |letter| {
        let found = ESCAPED.iter().find(|(escaped, ..)| *escaped == letter);
        found.map_or(letter, |(_, sign, _)| *sign)
    };
    text.chars().map(hide).collect::<String>().into()
}

/// Writes the entities where [`hidden`] has left them out.
fn shown(html: &str) -> String {
    let mut whole = String::with_capacity(html.len());
    for letter in html.chars() {
        match ESCAPED.iter().find(|(_, sign, _)| *sign == letter) {
            Some((.., entity)) => whole.push_str(entity),
            None => whole.push(letter),
        }
    }
    whole
}

/// Renders Markdown: its headings begin below the one of this level, and skip none.
///
/// What is longer than anybody can save is cut off there: its preview would cost more than it is worth.
pub(crate) fn render(markdown: &str, below: u8) -> SafeHtml {
    let end = markdown.char_indices().nth(LONGEST_TEXT);
    let markdown = end
        .and_then(|(end, _)| markdown.get(..end))
        .unwrap_or(markdown);
    let prepared = prepared(markdown).replace(ESCAPED.map(|(_, sign, _)| sign), "\u{fffd}");
    let mut headings = Headings::below(below);
    let mut depth = 0;
    let events = Parser::new_ext(&prepared, EXTENSIONS)
        .filter(|event| is_shallow(event, &mut depth))
        .map(|event| tamed(event, &mut headings));
    let events = Footnotes::of(markdown).gathered(events);
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, events.into_iter());
    SafeHtml(shown(&SANITISER.clean(&unsafe_html).to_string()))
}

/// Tells whether an event is to be shown, given how much is open before it, which it may change.
fn is_shallow(event: &Event<'_>, depth: &mut usize) -> bool {
    match event {
        Event::Start(tag) => {
            *depth += levels(tag.to_end());
            *depth <= DEEPEST
        }
        Event::End(tag) => {
            let inside = *depth;
            *depth -= levels(*tag);
            inside <= DEEPEST
        }
        _ => true,
    }
}

/// A footnote becomes an entry of a list.
fn levels(tag: TagEnd) -> usize {
    if tag == TagEnd::FootnoteDefinition {
        2
    } else {
        1
    }
}

/// Turns what shall not be markup into text.
fn tamed<'a>(event: Event<'a>, headings: &mut Headings) -> Event<'a> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => {
            Event::Text(hidden(text))
        }
        Event::Code(text) => Event::Code(hidden(text)),
        Event::TaskListMarker(true) => Event::Text("☑ ".into()),
        Event::TaskListMarker(false) => Event::Text("☐ ".into()),
        Event::Start(Tag::Image {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: headings.open(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Heading(headings.last())),
        other => other,
    }
}

/// The levels of the headings so far that the next one is below, as written.
struct Headings {
    below: usize,
    open: Vec<HeadingLevel>,
}

impl Headings {
    fn below(level: u8) -> Self {
        Self {
            below: level.into(),
            open: Vec::new(),
        }
    }

    fn open(&mut self, level: HeadingLevel) -> HeadingLevel {
        self.open.retain(|outer| *outer < level);
        self.open.push(level);
        self.last()
    }

    fn last(&self) -> HeadingLevel {
        HeadingLevel::try_from((self.below + self.open.len()).min(6)).unwrap_or(HeadingLevel::H6)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rendered(markdown: &str) -> String {
        render(markdown, 1).0
    }

    #[test]
    fn markdown_becomes_markup() {
        let html = rendered("One *row* per `order`.\n\n- [x] paid\n\n| a |\n|:-:|\n| ~~1~~ |\n");

        assert_eq!(
            html.replace('\n', ""),
            "<p>One <em>row</em> per <code>order</code>.</p><ul><li>☑ paid</li></ul>\
             <table><thead><tr><th>a</th></tr></thead><tbody><tr><td><del>1</del></td></tr></tbody></table>"
        );
    }

    #[test]
    fn headings_begin_below_the_pages_and_skip_none() {
        let html = rendered("### a\n##### b\n# c\n## d");

        assert_eq!(
            html.replace('\n', ""),
            "<h2>a</h2><h3>b</h3><h2>c</h2><h3>d</h3>"
        );
    }

    #[test]
    fn links_lead_to_the_web_or_into_this_site_and_nowhere_else() {
        assert_eq!(
            rendered("[a](https://a.example)"),
            "<p><a href=\"https://a.example\" rel=\"nofollow noopener noreferrer\">a</a></p>\n"
        );
        assert!(rendered("[a](/assets/1)").contains("href=\"/assets/1\""));
        for odd in [
            "[a](javascript:alert%281%29)",
            "[a](JaVaScRiPt:alert)",
            "[a](data:text/html,x)",
            "[a](//evil.example)",
            "[a](vbscript:x)",
            "<javascript:x>",
            "javascript://a.example",
            "[a](#top)",
        ] {
            assert!(!rendered(odd).contains("href"), "{odd}: {}", rendered(odd));
        }
    }

    #[test]
    fn a_bare_address_is_a_link() {
        assert_eq!(
            rendered("See https://a.example/a_b_c?x=1&y=2, or ask a@a.example."),
            "<p>See <a href=\"https://a.example/a_b_c?x=1&amp;y=2\" rel=\"nofollow noopener noreferrer\">\
             https://a.example/a_b_c?x=1&amp;y=2</a>, or ask \
             <a href=\"mailto:a@a.example\" rel=\"nofollow noopener noreferrer\">a@a.example</a>.</p>\n"
        );
        assert!(
            rendered("**https://a.example/_x_/y**")
                .contains("<strong><a href=\"https://a.example/_x_")
        );
        assert!(!rendered("`https://a.example`").contains("href"));
    }

    #[test]
    fn footnotes_follow_the_text_in_the_order_of_their_marks() {
        let html =
            rendered("One[^b] two[^a] one[^b].\n\n[^a]: *First*\n[^b]: Second\n[^c]: Third\n");
        let id = html
            .split("fn-")
            .nth(1)
            .and_then(|rest| rest.split('-').next())
            .unwrap();

        let plain = html
            .replace(id, "X")
            .replace(" rel=\"nofollow noopener noreferrer\"", "");
        assert_eq!(
            plain.replace('\n', ""),
            "<p>One<sup id=\"ref-X-1\"><a href=\"#fn-X-1\">1</a></sup> \
             two<sup id=\"ref-X-2\"><a href=\"#fn-X-2\">2</a></sup> \
             one<sup><a href=\"#fn-X-1\">1</a></sup>.</p><hr><ol>\
             <li id=\"fn-X-1\"><p>Second</p><a href=\"#ref-X-1\" title=\"Back to the text\">↩</a></li>\
             <li id=\"fn-X-2\"><p><em>First</em></p><a href=\"#ref-X-2\" title=\"Back to the text\">↩</a></li>\
             <li id=\"fn-X-3\"><p>Third</p></li></ol>"
        );
        assert_eq!(rendered("No[^x] note"), "<p>No[^x] note</p>\n");
    }

    #[test]
    fn what_people_paste_keeps_its_words() {
        let html =
            rendered("snake_case_name, __init__x, a*b*c, 2 * 3 * 4\n\n7) seven\n\n[TODO]: ask\n");

        assert!(html.contains("snake_case_name"), "{html}");
        assert!(html.contains("2 * 3 * 4"), "{html}");
        assert!(html.contains("<ol start=\"7\">"), "{html}");
        assert!(html.contains("[TODO]: ask"), "{html}");
    }

    #[test]
    fn an_image_is_a_link_and_markup_is_text() {
        let image = rendered("![A chart](https://a.example/x.png)");
        assert!(!image.contains("<img"), "{image}");
        assert!(image.contains(">A chart</a>"), "{image}");
        assert_eq!(
            rendered("<script>alert(1)</script>\n\n<b onclick=x>b</b>"),
            "&lt;script&gt;alert(1)&lt;/script&gt;\n<p>&lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"
        );
    }

    #[test]
    fn no_more_is_rendered_than_can_be_saved() {
        let html = rendered(&"é ".repeat(LONGEST_TEXT));

        assert_eq!(html.matches('é').count(), LONGEST_TEXT / 2);
    }

    #[test]
    fn letters_that_html_writes_otherwise_are_shown_as_they_were_typed() {
        assert_eq!(
            rendered("a & b < c > d \u{fdd0}\u{fdd1} `&<>` &amp; [&](/a?b=1&c=2 \"&\")"),
            "<p>a &amp; b &lt; c &gt; d \u{fffd}\u{fffd} <code>&amp;&lt;&gt;</code> &amp; \
             <a href=\"/a?b=1&amp;c=2\" title=\"&amp;\" rel=\"nofollow noopener noreferrer\">&amp;</a></p>\n"
        );
    }

    #[test]
    fn a_text_of_nothing_but_letters_that_html_writes_otherwise_is_rendered_at_once() {
        for letter in ["&", "< ", "> a\n", "`&`"] {
            let many = LONGEST_TEXT / letter.len();

            let html = rendered(&letter.repeat(many));

            assert!(html.contains(['&', 'a']), "{letter}");
        }
    }

    #[test]
    fn what_is_nested_without_end_is_rendered_at_once_and_keeps_its_text() {
        for (open, times) in [
            ("> ", 49_000),
            (">", 99_000),
            ("- ", 49_000),
            ("*a_", 33_000),
            ("a**b*", 19_000),
            ("*a ", 33_000),
            ("![", 49_000),
            ("[^1]: > ", 12_000),
            ("https://a.example ", 5_500),
        ] {
            let html = rendered(&format!("{}x", open.repeat(times)));

            let mut depth = 0_usize;
            for piece in html.split('<').skip(1) {
                if piece.starts_with('/') {
                    depth -= 1;
                } else if !piece.starts_with("br") && !piece.starts_with("hr") {
                    depth += 1;
                }
                assert!(depth <= DEEPEST, "{open}");
            }
            assert!(html.contains('x'), "{open}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_only_harmless_tags_come_out(
            markdown in r#"([<>"'`\[\]()!*_#|\\ \n&:;/a-z=-]|<script>|<img src=x onerror=y>|javascript:|<a href="x"|style=|&#106;|https://a|[^1]|\n[^1]: ){0,40}"#,
        ) {
            let html = rendered(&markdown);
            for piece in html.split('<').skip(1) {
                let tag: String = piece.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                prop_assert!(TAGS.contains(&tag.as_str()), "{tag:?} in {html}");
                let inside = piece.split('>').next().unwrap_or_default();
                for attribute in [" on", " style", " src", "javascript:", " class", " id="] {
                    let outside_of_texts = !inside.contains('"');
                    prop_assert!(!(outside_of_texts && inside.contains(attribute)), "{attribute} in {html}");
                }
            }
        }
    }
}
