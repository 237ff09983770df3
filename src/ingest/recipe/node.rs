//! YAML as a tree in which everything knows its place.
//!
//! The parser's events are put together here, without recursion, so that depth, aliases and keys given twice are
//! bounded and reported. Scalars stay the text that was written: what it means depends on the key that reads it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::problem::{Position, Problem, quoted};
use super::{mask, tags};

/// Recipes are shallow; whatever is deeper is an accident or an attack.
const DEEPEST: usize = 32;

/// How many nodes all aliases of a file together may stand for.
const MOST_ALIASED: usize = 10_000;

/// A value and where it was written; what an alias stands for keeps its own place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Position,
    /// Characters from the start of the file.
    pub(super) span: Range<usize>,
    pub(super) value: Value,
    /// Whether an anchor names it here.
    pub(super) anchored: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Written without quotes, so that it may mean a number, a yes or no, or nothing.
    pub(super) plain: bool,
}

/// One key of a mapping and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) at: Position,
    pub(super) key: String,
    pub(super) value: Node,
}

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) documents: Vec<Node>,
    /// What a reader may go on in spite of, such as a key that is given twice.
    pub(super) problems: Vec<Problem>,
    /// Where secrets are written, by the names of their keys.
    pub(super) secrets: Vec<Range<usize>>,
}

/// Reads all documents of a text. An error means that it is not YAML, or more of it than any recipe needs.
pub(super) fn parse(text: &str) -> Result<Tree, Problem> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(text, &error))?;
        builder.take(event, span)?;
    }
    Ok(builder.tree)
}

impl Node {
    /// Tells whether nothing is written here.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_nothing())
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_nothing() => "nothing",
            Value::Scalar(scalar) if scalar.plain && scalar.truth().is_some() => "true or false",
            Value::Scalar(scalar) if scalar.is_number() => "a number",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// A scalar as it was written, in quotes, so that its variables are not told.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Scalar(scalar) => quoted(&scalar.text),
            Value::List(_) | Value::Mapping(_) => self.kind().to_owned(),
        }
    }

    /// Tells whether it may hold what is written elsewhere.
    pub(super) fn has_variable(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.text.contains('$'))
    }

    /// This node and all nodes inside it.
    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::List(nodes) => nodes.iter().map(Self::count).sum(),
            Value::Mapping(entries) => entries.iter().map(|entry| entry.value.count()).sum(),
        }
    }

    /// How many levels there are, this one included.
    fn depth(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => None,
            Value::List(nodes) => nodes.iter().map(Self::depth).max(),
            Value::Mapping(entries) => entries.iter().map(|entry| entry.value.depth()).max(),
        }
        .unwrap_or(0)
    }

    /// Where the scalars in it are written.
    fn scalar_spans(&self) -> Vec<Range<usize>> {
        match &self.value {
            Value::Scalar(_) => vec![self.span.clone()],
            Value::List(nodes) => nodes.iter().flat_map(Self::scalar_spans).collect(),
            Value::Mapping(entries) => {
                let values = entries.iter().map(|entry| &entry.value);
                values.flat_map(Self::scalar_spans).collect()
            }
        }
    }
}

impl Scalar {
    pub(super) fn is_nothing(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    pub(super) fn is_number(&self) -> bool {
        self.plain && self.text.parse::<f64>().is_ok_and(f64::is_finite)
    }

    /// Yes or no, if it says so in one of the ways in which people and YAML say it.
    pub(super) fn truth(&self) -> Option<bool> {
        match self.text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

/// Puts events together; open lists and mappings wait on a stack.
#[derive(Default)]
struct Builder {
    tree: Tree,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

/// A list or mapping whose end has not come yet.
struct Open {
    start: Marker,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        key: Option<(Position, String)>,
    },
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let start = span.start;
        match event {
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), start);
                self.open(start, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), start);
                let (entries, key) = (Vec::new(), None);
                self.open(start, anchor, Content::Mapping { entries, key })
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), start);
                let said_to_be_text = tag.as_deref().is_some_and(|tag| tag.suffix == "str");
                let value = Value::Scalar(Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain && !said_to_be_text,
                });
                self.add(node(start, span.end, value), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => self.alias(anchor, position(start)),
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {
                Ok(())
            }
        }
    }

    fn open(&mut self, start: Marker, anchor: usize, content: Content) -> Result<(), Problem> {
        if self.open.len() == DEEPEST {
            return Err(too_deep(position(start)));
        }
        self.open.push(Open {
            start,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self, end: Marker) -> Result<(), Problem> {
        let Some(Open {
            start,
            anchor,
            content,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let value = match content {
            Content::List(nodes) => Value::List(nodes),
            Content::Mapping { entries, .. } => Value::Mapping(self.settle(entries)),
        };
        self.add(node(start, end, value), anchor)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            let text = "An alias stands inside the very thing that it stands for.";
            return Err(Problem::at(at, text));
        };
        let (count, depth) = (node.count(), node.depth());
        self.aliased += count;
        if self.aliased > MOST_ALIASED {
            let text = "The aliases of this file stand for more than any recipe needs.";
            return Err(Problem::at(at, text));
        }
        if self.open.len() + depth > DEEPEST + 1 {
            return Err(too_deep(at));
        }
        let anchored = false;
        let node = Node {
            anchored,
            ..node.clone()
        };
        self.add(node, 0)
    }

    /// Puts a node where it belongs: into what is open, as a key or as a value, or at the top.
    fn add(&mut self, mut node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            node.anchored = true;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.tree.documents.push(node),
            Some(Content::List(nodes)) => nodes.push(node),
            Some(Content::Mapping { entries, key }) => match key.take() {
                None => *key = Some(as_key(node)?),
                Some((at, key)) => {
                    if mask::is_secret(&key) {
                        self.tree.secrets.extend(node.scalar_spans());
                    }
                    let value = node;
                    entries.push(Entry { at, key, value });
                }
            },
        }
        Ok(())
    }

    /// Reports keys given twice and puts in what `<<` brings, which never replaces what is written.
    fn settle(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let (merges, written): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| entry.key == "<<");
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut settled = Vec::with_capacity(written.len());
        for entry in written {
            if let Some(line) = lines.get(&entry.key) {
                let key = shown_key(&entry.key);
                let text = format!("{key} is given twice here, first in line {line}.");
                self.tree.problems.push(Problem::at(entry.at, text));
                continue;
            }
            lines.insert(entry.key.clone(), entry.at.line);
            settled.push(entry);
        }
        let mut taken: HashSet<String> = lines.into_keys().collect();
        for merge in merges {
            for entry in self.merged(merge.value) {
                if taken.insert(entry.key.clone()) {
                    settled.push(entry);
                }
            }
        }
        settled
    }

    fn merged(&mut self, node: Node) -> Vec<Entry> {
        match node.value {
            Value::Mapping(entries) => entries,
            Value::List(nodes) => nodes
                .into_iter()
                .flat_map(|node| self.merged(node))
                .collect(),
            Value::Scalar(_) => {
                let text = "“<<” takes in another mapping, but here stands none.";
                self.tree.problems.push(Problem::at(node.at, text));
                Vec::new()
            }
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, start: Marker) {
        let known = ["str", "int", "float", "bool", "null", "map", "seq"];
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && known.contains(&tag.suffix.as_ref()))
        {
            self.tree.problems.push(tags::unknown(tag, position(start)));
        }
    }
}

fn node(start: Marker, end: Marker, value: Value) -> Node {
    Node {
        at: position(start),
        span: start.index()..end.index(),
        value,
        anchored: false,
    }
}

fn position(marker: Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn as_key(node: Node) -> Result<(Position, String), Problem> {
    match node.value {
        Value::Scalar(scalar) => Ok((node.at, scalar.text)),
        Value::List(_) | Value::Mapping(_) => {
            let text = "A key of a recipe is a word, but here stands a list or a mapping.";
            let hint = "Quote a value that begins with “{” or “[”.";
            Err(Problem::at(node.at, text).hint(hint))
        }
    }
}

/// A key in quotes. Whoever forgot the space after the colon has the value in the key: it is not shown.
pub(super) fn shown_key(key: &str) -> String {
    quoted(key_alone(key))
}

/// What of a key stands before a colon or an equals sign.
pub(super) fn key_alone(key: &str) -> &str {
    key.split([':', '=']).next().unwrap_or_default().trim_end()
}

fn too_deep(at: Position) -> Problem {
    Problem::at(at, "This is nested more deeply than any recipe needs.")
}

/// Words a syntax error. The parser's own sentences repeat nothing of the text.
fn not_yaml(text: &str, error: &ScanError) -> Problem {
    let at = position(*error.marker());
    let problem = Problem::at(at, format!("This is not YAML: {}.", error.info()));
    let line = text.lines().nth(at.line.saturating_sub(1)).unwrap_or("");
    let indent: String = line
        .chars()
        .take_while(|letter| letter.is_whitespace())
        .collect();
    if indent.contains('\t') {
        return problem.hint("YAML is indented with spaces, never with tabs.");
    }
    problem.hint(
        "Look at this line and the one before: indentation, quotes, a space after each colon.",
    )
}
