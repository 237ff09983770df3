//! Footnotes: gathered behind the text, numbered in the order in which the text refers to them.
//!
//! Several texts stand on one page, so the addresses within it are made from what a text says. Deliberately absent:
//! deciding what of a text is markup.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

/// What an address of a footnote begins with, and one of the place that refers to it.
const NOTE: &str = "fn-";
const REFERENCE: &str = "ref-";

/// The footnotes of one text.
pub(super) struct Footnotes<'a> {
    /// Tells the text from others on the page.
    text: String,
    numbers: HashMap<CowStr<'a>, usize>,
    /// Footnotes that were read, and those that are being read, innermost last.
    read: Vec<Footnote<'a>>,
    open: Vec<Footnote<'a>>,
}

struct Footnote<'a> {
    label: CowStr<'a>,
    events: Vec<Event<'a>>,
}

/// Tells whether an address is that of a footnote, or of the place that refers to it.
pub(super) fn is_address(address: &str) -> bool {
    let name = address.strip_prefix('#').unwrap_or_default();
    let rest = name
        .strip_prefix(NOTE)
        .or_else(|| name.strip_prefix(REFERENCE));
    rest.is_some_and(|rest| {
        rest.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

impl<'a> Footnotes<'a> {
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: blake3::hash(text.as_bytes())
                .to_hex()
                .chars()
                .take(8)
                .collect(),
            numbers: HashMap::new(),
            read: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Puts the footnotes behind the text.
    pub(super) fn gathered(mut self, events: impl Iterator<Item = Event<'a>>) -> Vec<Event<'a>> {
        let mut text = Vec::new();
        for event in events {
            let event = match event {
                Event::Start(Tag::FootnoteDefinition(label)) => {
                    let events = Vec::new();
                    self.open.push(Footnote { label, events });
                    continue;
                }
                Event::End(TagEnd::FootnoteDefinition) => {
                    self.read.extend(self.open.pop());
                    continue;
                }
                Event::FootnoteReference(label) => self.reference(label),
                other => other,
            };
            let place = self
                .open
                .last_mut()
                .map_or(&mut text, |note| &mut note.events);
            place.push(event);
        }
        text.extend(self.list());
        text
    }

    fn reference(&mut self, label: CowStr<'a>) -> Event<'a> {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(label).or_insert(next);
        let text = &self.text;
        let id = if number == next {
            format!(" id=\"{REFERENCE}{text}-{number}\"")
        } else {
            String::new()
        };
        let link = format!("<a href=\"#{NOTE}{text}-{number}\">{number}</a>");
        Event::InlineHtml(format!("<sup{id}>{link}</sup>").into())
    }

    /// All footnotes as a list; those that nothing refers to come last.
    fn list(self) -> Vec<Event<'a>> {
        let Self {
            text,
            mut numbers,
            mut read,
            ..
        } = self;
        let referred = numbers.len();
        for note in &read {
            let next = numbers.len() + 1;
            numbers.entry(note.label.clone()).or_insert(next);
        }
        let number = |note: &Footnote<'a>| numbers.get(&note.label).copied().unwrap_or_default();
        read.sort_by_key(number);
        let mut list = Vec::new();
        if read.is_empty() {
            return list;
        }
        list.push(Event::Html("<hr><ol>".into()));
        for note in read {
            let number = number(&note);
            list.push(Event::Html(
                format!("<li id=\"{NOTE}{text}-{number}\">").into(),
            ));
            list.extend(note.events);
            if number <= referred {
                let back = format!(
                    "<a href=\"#{REFERENCE}{text}-{number}\" title=\"Back to the text\">↩</a>"
                );
                list.push(Event::Html(back.into()));
            }
            list.push(Event::Html("</li>".into()));
        }
        list.push(Event::Html("</ol>".into()));
        list
    }
}
