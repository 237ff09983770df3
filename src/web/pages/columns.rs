//! The columns of a table or view: a tree, cut into rows that fit a page.

use serde::Serialize;

use super::parts::{Text, name};
use super::said::{self, Orphan};
use crate::catalog::unseen::legible_value;
use crate::catalog::{Asset, Column};
use crate::web::links;
use crate::web::markdown::{self, SafeHtml};
use crate::web::text::{Shortened, count, number};
use crate::web::view::View;

/// So many rows are on the page at first; the others come when asked for.
const AT_FIRST: usize = 200;

/// Up to so many rows, nested fields are open from the start.
const OPEN_UP_TO: usize = 60;

/// Types longer than this are folded.
const LONGEST_TYPE: usize = 48;

/// Other facts of a column longer than this are folded.
const LONGEST_VALUE: usize = 120;

/// A nested type is told up to here in a title; its fields tell the rest.
const LONGEST_TITLE: usize = 1_000;

const OPENED: &str = "true";

/// Deeper fields are no further indented.
const DEEPEST: usize = 5;

/// Which columns are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    /// Words that stand in the path, the type, the comment, the note or other facts; empty for all.
    pub(super) words: &'a str,
    /// Every row, however many.
    pub(super) all: bool,
}

/// What `templates/assets/columns.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Columns {
    total: String,
    /// Whether any column has fields inside it.
    nested: bool,
    /// Whether there is anything to find.
    searchable: bool,
    filter: String,
    here: String,
    part: String,
    rows: Vec<Row>,
    /// What of the columns is shown, if not all.
    said: Option<String>,
    clear_href: Option<String>,
    none: &'static str,
    whole_href: Option<String>,
    whole_part: String,
    whole_label: String,
    bookkeeping: Vec<Row>,
    bookkeeping_count: String,
    /// Words about columns that are no longer there, and the columns that they may be about now.
    orphans: Vec<Orphan>,
    choices: Vec<String>,
}

impl View for Columns {
    const TEMPLATE: &'static str = "assets/columns";
}

/// One column or nested field.
#[derive(Debug, Serialize)]
struct Row {
    depth: usize,
    /// Hidden until the row it is in is opened; only where scripts can open it.
    shut: bool,
    /// What the row that this one is in is called by; never the empty text.
    within: Option<String>,
    /// What the rows inside this one call it by.
    opens: Option<String>,
    /// `true` or `false`, for what is read aloud.
    opened: &'static str,
    name: Shortened,
    /// The path, where it is more than the name.
    path: Option<String>,
    data_type: Text,
    /// For a type whose fields stand in rows of their own.
    outline: Option<String>,
    outline_whole: String,
    partition_key: bool,
    required: bool,
    comment: Option<Text>,
    /// What else the source and the engine say of it.
    facts: Vec<ColumnFact>,
    note: Option<SafeHtml>,
    edit_href: Option<String>,
}

/// One thing that is said of a column beside its type and comment.
#[derive(Debug, Serialize)]
struct ColumnFact {
    label: String,
    mono: bool,
    value: Text,
}

impl ColumnFact {
    /// What the engine says, then the source's own pairs.
    fn all(column: &Column) -> Vec<Self> {
        let mut facts = Vec::new();
        if let Some(said) = &column.engine {
            let engine = name(&said.engine).shown;
            let texts = [
                ("spelling", said.name.as_deref(), true),
                ("type", said.data_type.as_deref(), true),
                ("comment", said.comment.as_deref(), false),
            ];
            let texts = texts.into_iter().filter_map(|(what, text, mono)| {
                Some(Self {
                    label: format!("{engine} {what}"),
                    mono,
                    value: Text::exact(LONGEST_VALUE, text?),
                })
            });
            facts.extend(texts);
        }
        facts.extend(column.parameters.iter().map(|(key, value)| Self {
            label: name(key).shown,
            mono: true,
            value: Text::exact(LONGEST_VALUE, value),
        }));
        facts
    }
}

impl Columns {
    pub(super) fn new(asset: &Asset, wanted: Wanted<'_>, editable: bool) -> Self {
        let mut rows = Tree::rows(asset, editable, false);
        let bookkeeping = Tree::rows(asset, editable, true);
        let orphans = said::orphans(asset, editable);
        let outermost = asset
            .source
            .columns
            .iter()
            .filter(|column| !column.bookkeeping);
        let total = rows.len();
        let filter = wanted.words.trim();
        if !filter.is_empty() {
            keep_matching(&mut rows, filter);
        }
        let found = rows.iter().filter(|line| line.matches).count();
        let most = if wanted.all { usize::MAX } else { AT_FIRST };
        let left = rows.len().saturating_sub(most);
        rows.truncate(most);
        let (here, part) = (links::asset(asset.id), links::asset_columns(asset.id));
        Self {
            total: number(outermost.count() as u64),
            said: said(filter, found, left, total),
            clear_href: (!filter.is_empty()).then(|| format!("{here}#columns")),
            nested: rows.iter().any(|line| line.row.opens.is_some()),
            searchable: total > 0,
            none: if total > 0 {
                "No column has these words."
            } else {
                "The source names no columns."
            },
            whole_href: (left > 0).then(|| format!("{}#columns", whole(&here, filter))),
            whole_part: whole(&part, filter),
            whole_label: format!("Show all {}", number(found as u64)),
            part,
            here,
            filter: filter.to_owned(),
            rows: rows.into_iter().map(|line| line.row).collect(),
            bookkeeping_count: number(bookkeeping.len() as u64),
            bookkeeping: bookkeeping.into_iter().map(|line| line.row).collect(),
            choices: if editable && !orphans.is_empty() {
                asset
                    .column_paths()
                    .into_iter()
                    .map(str::to_owned)
                    .collect()
            } else {
                Vec::new()
            },
            orphans,
        }
    }
}

fn whole(here: &str, filter: &str) -> String {
    links::with_query(here, [("columns", "all"), ("column", filter)])
}

fn said(filter: &str, found: usize, left: usize, total: usize) -> Option<String> {
    match (filter.is_empty(), left) {
        (true, 0) => None,
        (true, _) => Some(format!(
            "The first {} of {}, nested fields among them.",
            number((total - left) as u64),
            number(total as u64)
        )),
        (false, _) => Some(format!(
            "{} with “{}”.",
            count(found as u64, "column", "columns"),
            name(filter).shown
        )),
    }
}

/// A row, and what a filter needs to know of it.
struct Line {
    row: Row,
    /// What a filter looks at, in lower case.
    text: String,
    /// The index of the line that this one is in.
    within: Option<usize>,
    matches: bool,
}

/// Keeps the lines that have all the words, and the lines that those are in.
fn keep_matching(lines: &mut Vec<Line>, filter: &str) {
    let filter = filter.to_lowercase();
    let words: Vec<&str> = filter.split_whitespace().collect();
    let mut kept = vec![false; lines.len()];
    for (index, line) in lines.iter_mut().enumerate() {
        line.matches = words.iter().all(|word| line.text.contains(word));
        if let Some(keep) = kept.get_mut(index) {
            *keep = line.matches;
        }
    }
    for (index, line) in lines.iter().enumerate().rev() {
        let keep = kept.get(index).copied().unwrap_or_default();
        if let Some(outer) = line.within.filter(|_| keep).and_then(|at| kept.get_mut(at)) {
            *outer = true;
        }
    }
    let mut kept = kept.into_iter();
    lines.retain(|_| kept.next().unwrap_or_default());
    for line in lines {
        line.row.shut = false;
        line.row.opened = OPENED;
    }
}

/// Turns the tree of columns into lines.
struct Tree<'a> {
    asset: &'a Asset,
    editable: bool,
    open: bool,
    lines: Vec<Line>,
}

impl<'a> Tree<'a> {
    fn rows(asset: &'a Asset, editable: bool, bookkeeping: bool) -> Vec<Line> {
        let wanted = |column: &&Column| column.bookkeeping == bookkeeping;
        let columns = || asset.source.columns.iter().filter(wanted);
        let total: usize = columns().map(|column| column.walk().len()).sum();
        let mut tree = Self {
            asset,
            editable,
            open: total <= OPEN_UP_TO,
            lines: Vec::with_capacity(total),
        };
        for column in columns() {
            tree.add(column, 0, None);
        }
        tree.lines
    }

    fn add(&mut self, column: &Column, depth: usize, within: Option<usize>) {
        let index = self.lines.len();
        let note = self.asset.human.note(&column.path);
        let nested = !column.fields.is_empty();
        let outline = nested.then(|| outline(&column.data_type)).flatten();
        let written = if outline.is_some() {
            ""
        } else {
            &column.data_type
        };
        let text = searched(column, note);
        self.lines.push(Line {
            row: Row {
                depth: depth.min(DEEPEST),
                shut: within.is_some() && !self.open,
                within: within.map(|outer| outer.to_string()),
                opens: nested.then(|| index.to_string()),
                opened: if self.open { OPENED } else { "false" },
                name: name(match column.name.as_str() {
                    "" => "\"\"",
                    name => name,
                }),
                path: (depth > 0).then(|| name(&column.path).shown),
                data_type: Text::exact(LONGEST_TYPE, written),
                outline,
                outline_whole: Shortened::to(LONGEST_TITLE, &legible_value(&column.data_type))
                    .shown,
                partition_key: column.partition_key,
                required: is_required(column),
                comment: column.comment.as_deref().map(Text::new),
                facts: ColumnFact::all(column),
                note: note.map(|note| markdown::render(note, 2)),
                edit_href: self
                    .editable
                    .then(|| links::edit_column(self.asset.id, &column.path)),
            },
            text,
            within,
            matches: true,
        });
        for field in &column.fields {
            self.add(field, depth + 1, Some(index));
        }
    }
}

/// What a filter looks at, in lower case.
fn searched(column: &Column, note: Option<&str>) -> String {
    let mut texts = vec![
        column.path.as_str(),
        &column.data_type,
        column.comment.as_deref().unwrap_or_default(),
        note.unwrap_or_default(),
    ];
    if let Some(said) = &column.engine {
        texts.extend(
            [&said.name, &said.data_type, &said.comment]
                .into_iter()
                .filter_map(Option::as_deref),
        );
    }
    for (key, value) in &column.parameters {
        texts.extend([key.as_str(), value]);
    }
    texts.join("\n").to_lowercase()
}

/// Tells whether the source or the engine says that the column always has a value.
fn is_required(column: &Column) -> bool {
    let said = column.engine.as_ref().and_then(|said| said.nullable);
    column.nullable.or(said) == Some(false)
}

/// A nested type without its fields, which stand below it anyway: `array<struct<…>>`; nothing where that hides more
/// than the fields.
fn outline(data_type: &str) -> Option<String> {
    let lower = data_type.to_ascii_lowercase();
    let inner = ["struct<", "row(", "row<", "uniontype<"]
        .iter()
        .filter_map(|opening| Some(lower.find(opening)? + opening.len()))
        .min();
    let head = data_type.get(..inner?)?;
    if head.len() > LONGEST_TYPE {
        return None;
    }
    let mut closing: Vec<char> = Vec::new();
    for letter in head.chars() {
        match letter {
            '<' => closing.push('>'),
            '(' => closing.push(')'),
            '>' | ')' => {
                closing.pop();
            }
            _ => {}
        }
    }
    closing.reverse();
    Some(format!(
        "{head}…{}",
        closing.into_iter().collect::<String>()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_type_is_told_in_outline() {
        let told = |data_type| outline(data_type).unwrap_or_default();
        assert_eq!(told("struct<a:int,b:string>"), "struct<…>");
        assert_eq!(told("array<struct<a:int>>"), "array<struct<…>>");
        assert_eq!(told("map<string,row(a int)>"), "map<string,row(…)>");
        assert_eq!(outline("something else"), None);
    }
}
