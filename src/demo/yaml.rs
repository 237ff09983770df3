//! YAML as a tree that knows its lines, as far as `demo-world/` uses it: no aliases, no tags.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::Value;

use super::read::Error;

/// Deeper than any file of a world.
const DEEPEST: usize = 32;

/// A value and the line it begins in, counted from 1.
#[derive(Debug)]
pub(super) struct Node {
    /// Of a block of text, the line of its first words.
    pub(super) line: usize,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Mapping(Vec<(String, Node)>),
}

/// Reads the first document of a file.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Error> {
    let mut reader = Reader {
        file,
        events: Parser::new_from_str(text),
    };
    loop {
        let (event, span) = reader.event()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd => return Err(Error::at(file, 1, "there is nothing in the file")),
            event => return reader.node(event, span, 0),
        }
    }
}

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub(super) fn find(&self, key: &str) -> Option<&Self> {
        let Content::Mapping(entries) = &self.content else {
            return None;
        };
        entries
            .iter()
            .find_map(|(name, node)| (name == key).then_some(node))
    }

    /// The nodes of a list; none of anything else.
    pub(super) fn nodes(&self) -> &[Self] {
        match &self.content {
            Content::List(nodes) => nodes,
            Content::Scalar(_) | Content::Mapping(_) => &[],
        }
    }

    /// The same without lines, and without one of its keys.
    pub(super) fn to_json_without(&self, left_out: &str) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Content::Mapping(entries) => entries
                .iter()
                .filter(|(key, _)| key != left_out)
                .map(|(key, node)| (key.clone(), node.to_json()))
                .collect(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        self.to_json_without("")
    }
}

struct Reader<'a> {
    file: &'a str,
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn event(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(cause)) => Err(self.not_yaml(&cause)),
            None => Err(Error::at(self.file, 1, "the file ends too early")),
        }
    }

    fn not_yaml(&self, cause: &ScanError) -> Error {
        Error::at(self.file, cause.marker().line(), cause.info())
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Error> {
        let line = span.start.line();
        if depth > DEEPEST {
            return Err(Error::at(self.file, line, "this is nested too deeply"));
        }
        let content = match event {
            Event::Scalar(text, style, ..) => Content::Scalar(scalar(text, style)),
            Event::SequenceStart(..) => Content::List(self.list(depth)?),
            Event::MappingStart(..) => Content::Mapping(self.mapping(depth)?),
            _ => {
                return Err(Error::at(
                    self.file,
                    line,
                    "only lists, mappings and texts are read here",
                ));
            }
        };
        Ok(Node { line, content })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        loop {
            match self.event()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, span) => nodes.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(String, Node)>, Error> {
        let mut entries = Vec::new();
        loop {
            let key = match self.event()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (Event::Scalar(key, ..), _) => key.into_owned(),
                (_, span) => {
                    return Err(Error::at(
                        self.file,
                        span.start.line(),
                        "a key must be a word",
                    ));
                }
            };
            let (event, span) = self.event()?;
            entries.push((key, self.node(event, span, depth + 1)?));
        }
    }
}

/// What a scalar means: only without quotes is it a number, a yes or no, or nothing.
fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::from(text.into_owned());
    }
    match text.as_ref() {
        "" | "~" | "null" => Value::Null,
        "true" => Value::from(true),
        "false" => Value::from(false),
        plain => plain
            .parse::<i64>()
            .map_or_else(|_| Value::from(plain), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_is_read_with_the_lines_of_its_parts() {
        let text = "name: a b\ntables:\n  - name: one\n    rows: 12\n    columns: |\n      x int\n      y int\n  - {name: \"7\", link: null, on: true}\n";

        let node = parse("a.yml", text).unwrap();

        let tables = node.find("tables").unwrap().nodes();
        assert_eq!(tables[1].line, 8);
        assert_eq!(tables[0].find("columns").unwrap().line, 6);
        assert_eq!(node.to_json_without("tables"), json!({"name": "a b"}));
        assert_eq!(
            tables[1].to_json(),
            json!({"name": "7", "link": null, "on": true})
        );
        assert_eq!(tables[0].to_json()["columns"], "x int\ny int\n");
    }

    #[test]
    fn what_is_not_yaml_is_told_with_file_and_line() {
        let refused = parse("a.yml", "name: a\n  b: [\n").unwrap_err().to_string();

        assert!(refused.starts_with("a.yml, line "), "{refused}");
    }
}
