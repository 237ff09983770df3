//! Reads typed values out of a tree and gathers whatever is wrong on the way. Deliberately absent: what any key means.

use super::mask;
use super::node::{Entry, Node, Scalar, Value, key_alone, shown_key};
use super::problem::{MOST_TOLD, Notice, Position, Problem, near_enough, nearest, quoted};
use super::variables::{self, Environment, Expanded};

/// What was found so far, and where variables come from.
pub(super) struct Reader<'e> {
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<Notice>,
    environment: &'e Environment<'e>,
}

/// The keys of one mapping, asked for by name; what nobody asked for is unknown.
pub(super) struct Fields<'n> {
    /// Where it stands, such as `source.config`; empty for the whole recipe.
    path: &'static str,
    at: Position,
    entries: &'n [Entry],
    asked: Vec<&'static str>,
}

/// A key that is known but not acted on.
pub(super) struct Idle {
    pub(super) key: &'static str,
    /// Why not, or what to use instead, as a whole sentence.
    pub(super) reason: &'static str,
}

impl<'e> Reader<'e> {
    pub(super) fn new(environment: &'e Environment<'e>) -> Self {
        Self {
            problems: Vec::new(),
            notices: Vec::new(),
            environment,
        }
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn notice(&mut self, position: Position, text: impl Into<String>) {
        let text = text.into();
        self.notices.push(Notice { position, text });
    }

    /// Opens a mapping; anything else is a problem.
    pub(super) fn mapping<'n>(&mut self, path: &'static str, node: &'n Node) -> Option<Fields<'n>> {
        if let Value::Mapping(entries) = &node.value {
            return Some(Fields {
                path,
                at: node.at,
                entries,
                asked: Vec::new(),
            });
        }
        self.wrong_type(path, "a mapping of keys and values", node, None);
        None
    }

    /// Reads text with its variables replaced. A number is the text that was written, nothing is no text.
    pub(super) fn text(&mut self, key: &'static str, node: &Node) -> Option<String> {
        if let Value::Scalar(scalar) = &node.value
            && scalar.plain
            && scalar.truth().is_some()
        {
            self.wrong_type(key, "text", node, Some("Quote it to mean the word."));
            return None;
        }
        self.word(key, node)
    }

    /// Reads text as [`Self::text`] does, and takes `no` and `on` as the words that they are.
    pub(super) fn word(&mut self, key: &'static str, node: &Node) -> Option<String> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_type(key, "text", node, None);
            return None;
        };
        if scalar.is_nothing() {
            return None;
        }
        let text = self.expanded(key, &scalar.text, node.at)?;
        (!text.is_empty()).then_some(text)
    }

    /// Reads `true` or `false`, also out of a variable.
    pub(super) fn truth(&mut self, key: &'static str, node: &Node) -> Option<bool> {
        if let Value::Scalar(scalar) = &node.value {
            let text = self.expanded(key, &scalar.text, node.at)?;
            let scalar = Scalar { text, plain: true };
            if let Some(truth) = scalar.truth() {
                return Some(truth);
            }
        }
        self.wrong_type(key, "true or false", node, None);
        None
    }

    /// Opens a list; anything else is a problem.
    pub(super) fn list<'n>(&mut self, key: &'static str, node: &'n Node) -> Option<&'n [Node]> {
        if let Value::List(nodes) = &node.value {
            return Some(nodes);
        }
        let hint = (node.kind() == "text").then_some("Put brackets around it.");
        self.wrong_type(key, "a list", node, hint);
        None
    }

    pub(super) fn wrong_type(&mut self, key: &str, wanted: &str, node: &Node, hint: Option<&str>) {
        let what = match key {
            "" => "A recipe".to_owned(),
            key => format!("“{key}”"),
        };
        let text = format!("{what} is {wanted}, but here stands {}.", node.kind());
        let mut problem = Problem::at(node.at, text);
        problem.hint = hint.map(ToOwned::to_owned);
        self.problem(problem);
    }

    fn expanded(&mut self, key: &str, text: &str, at: Position) -> Option<String> {
        match variables::expand(text, self.environment) {
            Ok(Expanded { text, left }) => {
                if let Some(name) = left.first() {
                    self.notice(at, left_as_written(key, name));
                }
                Some(text)
            }
            Err(error) => {
                self.problem(Problem::at(at, error.to_string()).hint(error.hint()));
                None
            }
        }
    }
}

impl<'n> Fields<'n> {
    /// The value of a key; nothing written is no value.
    pub(super) fn find(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entry(key)
            .map(|entry| &entry.value)
            .filter(|node| !node.is_nothing())
    }

    /// The value of a key without which nothing works.
    pub(super) fn require(
        &mut self,
        key: &'static str,
        reader: &mut Reader<'_>,
    ) -> Option<&'n Node> {
        let found = self.find(key);
        if found.is_none() {
            let at = self.entry(key).map_or(self.at, |entry| entry.at);
            let text = format!("“{key}” is missing in {}.", self.named());
            reader.problem(Problem::at(at, text));
        }
        found
    }

    pub(super) fn text(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<String> {
        self.find(key).and_then(|node| reader.text(key, node))
    }

    pub(super) fn truth(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<bool> {
        self.find(key).and_then(|node| reader.truth(key, node))
    }

    /// Where a key stands, or its mapping, if the key is absent.
    pub(super) fn place(&self, key: &str) -> Position {
        self.entry(key).map_or(self.at, |entry| entry.at)
    }

    /// Notices the keys that are not acted on, unless they are switched off anyway, and reports those nobody knows.
    ///
    /// `elsewhere` are keys of other mappings, each with where it belongs.
    pub(super) fn finish(
        self,
        idle: &[Idle],
        elsewhere: &[(&str, &'static str)],
        reader: &mut Reader<'_>,
    ) {
        for entry in self.entries {
            if self.asked.contains(&entry.key.as_str()) {
                continue;
            }
            if let Some(idle) = idle.iter().find(|idle| idle.key == entry.key) {
                if !is_off(&entry.value) {
                    let text = format!("“{}” is not acted on. {}", idle.key, idle.reason);
                    reader.notice(entry.at, text);
                }
                continue;
            }
            let known = self
                .asked
                .iter()
                .copied()
                .chain(idle.iter().map(|idle| idle.key));
            if self.holds_anchors(entry, known.clone()) {
                let key = shown_key(&entry.key);
                let text = format!("{key} is read only where an alias names what is in it.");
                reader.notice(entry.at, text);
                continue;
            }
            let mut problem = self.unknown(entry);
            if reader.problems.len() < MOST_TOLD {
                problem.hint = Some(self.meant(&entry.key, known, elsewhere));
            }
            reader.problem(problem);
        }
    }

    /// Tells whether a key of the whole recipe is there for its anchors, as `x-…` is by custom.
    fn holds_anchors<'k>(&self, entry: &Entry, known: impl Iterator<Item = &'k str>) -> bool {
        let by_custom = entry.key.starts_with("x-") || entry.key.starts_with('.');
        let anchored = entry.value.anchored && nearest(&entry.key, known).is_none();
        self.path.is_empty() && (by_custom || anchored)
    }

    fn unknown(&self, entry: &Entry) -> Problem {
        let text = format!(
            "There is no key {} in {}.",
            shown_key(&entry.key),
            self.named()
        );
        Problem::at(entry.at, text)
    }

    /// Suggests which key was meant by one that nobody knows.
    fn meant<'k>(
        &self,
        key: &str,
        known: impl Iterator<Item = &'k str>,
        elsewhere: &[(&str, &'static str)],
    ) -> String {
        let name = key_alone(key);
        let known: Vec<_> = known.collect();
        if name != key && known.contains(&name) {
            return "Put a colon and a space after the key.".to_owned();
        }
        if let Some((_, place)) = elsewhere.iter().find(|(key, _)| *key == name) {
            return format!("It belongs into {place}.");
        }
        if let Some(nearest) = nearest(name, known) {
            return format!("Did you mean “{nearest}”?");
        }
        let far = near_enough(name, elsewhere.iter().map(|(key, _)| *key), 0.75);
        let far = far.and_then(|far| elsewhere.iter().find(|(key, _)| *key == far));
        if let Some((key, place)) = far {
            return format!("Did you mean “{key}”, which belongs into {place}?");
        }
        let mut keys = self.asked.clone();
        keys.sort_unstable();
        format!("The keys here are {}.", keys.join(", "))
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn named(&self) -> String {
        match self.path {
            "" => "this recipe".to_owned(),
            path => format!("“{path}”"),
        }
    }
}

/// Says that a name behind a `$` is no variable here; of a secret nothing is repeated.
fn left_as_written(key: &str, name: &str) -> String {
    if mask::is_secret(key) {
        return format!(
            "A “$” in “{key}” is taken as it is written. Write “${{NAME}}” to mean a variable."
        );
    }
    let word = quoted(&format!("${name}"));
    let variable = quoted(&format!("${{{name}}}"));
    format!("{word} in “{key}” is taken as it is written. Write {variable} to mean the variable.")
}

/// Tells whether a key asks for nothing: it is false, empty, or a mapping that is not enabled.
fn is_off(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => scalar.is_nothing() || scalar.truth() == Some(false),
        Value::List(nodes) => nodes.is_empty(),
        Value::Mapping(entries) => entries
            .iter()
            .find(|entry| entry.key == "enabled")
            .map_or(entries.is_empty(), |entry| is_off(&entry.value)),
    }
}
