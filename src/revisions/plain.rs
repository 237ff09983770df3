//! Markdown without its marks, for lists and for the search index.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::dialect::{EXTENSIONS, prepared};

/// What a reader of a Markdown text reads, in lines without marks.
pub fn plain_text(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    for event in Parser::new_ext(&prepared(markdown), EXTENSIONS) {
        match event {
            // Pages show HTML as it was typed, too.
            Event::Text(words)
            | Event::Code(words)
            | Event::Html(words)
            | Event::InlineHtml(words) => text.push_str(&words),
            Event::SoftBreak => text.push(' '),
            Event::End(TagEnd::TableCell) => text.push(' '),
            Event::HardBreak | Event::Rule | Event::Start(Tag::List(_) | Tag::Item) => {
                text.push('\n');
            }
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::CodeBlock
                | TagEnd::FootnoteDefinition
                | TagEnd::TableRow
                | TagEnd::TableHead,
            ) => text.push('\n'),
            _ => {}
        }
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out_and_words_stay_apart() {
        let markdown = "# Orders\n\nOne *row* per `order`,\nsee [the book](https://a.example).\n\n- paid\n- sent\n\n\
                        | a | b |\n|---|---|\n| 1 | 2 |\n\n<b>x</b>";

        assert_eq!(
            plain_text(markdown),
            "Orders\nOne row per order, see the book.\npaid\nsent\na b\n1 2\n<b>x</b>"
        );
    }

    #[test]
    fn footnotes_tasks_addresses_and_definitions_keep_their_words() {
        let markdown = "Net[^1] of tax, https://a.example/x_y_z.\n\n- [x] checked\n  - nested\n\n[^1]: After *refunds*.\n\n[TODO]: ask\n";

        assert_eq!(
            plain_text(markdown),
            "Net of tax, https://a.example/x_y_z.\nchecked\nnested\nAfter refunds.\n[TODO]: ask"
        );
    }
}
