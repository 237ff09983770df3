//! The columns of a table or view: a tree, cut into rows that fit a page.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use serde::Serialize;

use super::overview::{self, Orphan, may_edit};
use super::parts::{Byline, Link, Text, heading, name};
use super::toast::Toast;
use crate::auth::Actor;
use crate::catalog::unseen::legible_value;
use crate::catalog::{self, Asset, AssetId, Column, Error};
use crate::db::{Db, PageRequest};
use crate::web::aspects;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::markdown::{self, SafeHtml};
use crate::web::parameters::Parameters;
use crate::web::text::{Shortened, count, number};
use crate::web::view::{Page, Section, View};

/// So many rows are on the page at once; the others come when asked for.
const AT_ONCE: usize = 200;

/// Of what is said of a column so many letters are shown among the others; its own page has the whole.
const LONGEST_NOTE: usize = 500;

/// Of the pairs that the source keeps at a column, so many are shown.
const MOST_FACTS: usize = 50;

/// Words about columns that are no longer there are shown for so many of these.
const MOST_ORPHANS: usize = 50;

/// So many changes are looked through for what removed columns are called now.
const LOOKED_BACK: u64 = 30;

/// Among more columns than this nobody chooses from a list.
const MOST_CHOICES: usize = 200;

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

/// `GET /assets/{id}/columns`: the columns alone.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
    parameters: Parameters,
) -> Result<Page<Columns>, Failure> {
    let asset = catalog::find_asset(&db, actor.visibility(), *id).await?;
    let (_, columns) = of(&db, &actor, asset, Wanted::read(&parameters)?).await?;
    Ok(Page(columns))
}

/// `GET /assets/{id}/columns/{column}`: one column, with all that is said of it.
pub(crate) async fn show_one(
    db: Data<Db>,
    actor: Actor,
    place: Path<(AssetId, String)>,
    parameters: Parameters,
) -> Result<Page<ColumnPage>, Failure> {
    let (id, path) = place.into_inner();
    let asset = catalog::find_asset(&db, actor.visibility(), id).await?;
    let editable = may_edit(&asset, &actor);
    let toast = aspects::edit::toast(&asset, &parameters, editable);
    let page = db.apart().run(links::carried(move || {
        ColumnPage::new(&asset, &path, editable, toast)
    }));
    Ok(Page(page.await??))
}

/// Picks the columns that are shown, apart from what others ask for where there are very many.
pub(super) async fn of(
    db: &Db,
    actor: &Actor,
    asset: Asset,
    wanted: Wanted,
) -> Result<(Asset, Columns), Failure> {
    let editable = may_edit(&asset, actor);
    let large = asset.is_large();
    let renames = if editable && !asset.human.columns.is_empty() {
        let recent = PageRequest::first(LOOKED_BACK);
        let history = catalog::list_history(db, actor.visibility(), asset.id, &recent).await?;
        catalog::likely_renames(&asset, &history.items)
    } else {
        HashMap::new()
    };
    let pick = move || {
        let columns = Columns::new(&asset, &wanted, editable, &renames);
        (asset, columns)
    };
    Ok(if large {
        db.apart().run(links::carried(pick)).await?
    } else {
        pick()
    })
}

/// Which columns are asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Words that stand in the path, the type, the comment, the note or other facts; empty for all.
    pub(super) words: String,
    /// How many rows to leave out at the beginning.
    pub(super) from: usize,
    /// The path of a column to which a link leads, shown among its neighbours; empty for none.
    pub(super) at: String,
}

impl Wanted {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Failure> {
        Ok(Self {
            words: parameters.text("column").to_owned(),
            from: parameters.number("from", 0, 0..=usize::MAX)?,
            at: parameters.text("at").to_owned(),
        })
    }
}

/// What `templates/assets/columns.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Columns {
    total: String,
    /// How many of all have a description; empty where there is none to describe.
    described: String,
    /// The form for the first one that has none.
    describe_href: Option<String>,
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
    /// Where the list goes on.
    more_href: Option<String>,
    more_part: String,
    more_label: String,
    bookkeeping: Vec<Row>,
    bookkeeping_count: String,
    /// Words about columns that are no longer there, and the columns that they may be about now.
    orphans: Vec<Orphan>,
    orphans_left: Option<String>,
    /// Empty where they are too many to choose from.
    choices: Vec<String>,
}

impl View for Columns {
    const TEMPLATE: &'static str = "assets/columns_alone";
    const PART: Option<&'static str> = Some("assets/columns");

    fn title(&self) -> &'static str {
        "Columns"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

/// One column or nested field.
#[derive(Debug, Serialize)]
struct Row {
    depth: usize,
    /// The id of the row that a link leads to.
    anchor: Option<&'static str>,
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
    note_by: Option<Byline>,
    /// Where the whole of a long note is.
    note_href: Option<String>,
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
        facts.extend(
            column
                .parameters
                .iter()
                .take(MOST_FACTS)
                .map(|(key, value)| Self {
                    label: name(key).shown,
                    mono: true,
                    value: Text::exact(LONGEST_VALUE, value),
                }),
        );
        facts
    }
}

impl Columns {
    fn new(
        asset: &Asset,
        wanted: &Wanted,
        editable: bool,
        renames: &HashMap<String, String>,
    ) -> Self {
        let mut tree = Tree::of(asset, false);
        let total = tree.lines.len();
        let (described, undescribed) = tree.described();
        let describe_href = undescribed
            .filter(|_| editable)
            .map(|column| links::edit_column(asset.id, &column.path));
        let filter = wanted.words.trim();
        if !filter.is_empty() {
            tree.keep_matching(filter);
        }
        let found = tree.lines.iter().filter(|line| line.matches).count();
        let is_wanted = |path: &str| !path.is_empty() && path == wanted.at;
        let at = tree
            .lines
            .iter()
            .position(|line| is_wanted(&line.column.path));
        tree.open |= at.is_some();
        let first = at.map_or(wanted.from, |at| at / AT_ONCE * AT_ONCE);
        let mut shown = tree.rows(first, editable);
        if let Some(row) = at.and_then(|at| shown.get_mut(at - first)) {
            row.anchor = Some(links::ROW);
        }
        let left = tree.lines.len().saturating_sub(first + shown.len());
        let bookkeeping = Tree::of(asset, true);
        let orphans = Orphans::of(asset, editable, renames);
        let outermost = asset.source.columns.iter();
        let outermost = outermost.filter(|column| !column.bookkeeping).count();
        let (here, part) = (links::asset(asset.id), links::asset_columns(asset.id));
        let from = (first + shown.len()).to_string();
        let more =
            |path: &str| links::with_query(path, [("from", from.as_str()), ("column", filter)]);
        Self {
            total: number(outermost as u64),
            described: described_words(described, total),
            describe_href,
            said: said(filter, found, (first, shown.len(), tree.lines.len())),
            clear_href: (!filter.is_empty() || first > 0).then(|| format!("{here}#columns")),
            nested: shown.iter().any(|row| row.opens.is_some()),
            searchable: total > 0,
            none: if total > 0 {
                "No column has these words."
            } else {
                "The source names no columns."
            },
            more_href: (left > 0).then(|| format!("{}#columns", more(&here))),
            more_part: more(&part),
            more_label: format!("Show the next {}", number(left.min(AT_ONCE) as u64)),
            part,
            here,
            filter: filter.to_owned(),
            rows: shown,
            bookkeeping_count: number(bookkeeping.lines.len() as u64),
            bookkeeping: bookkeeping.rows(0, editable),
            orphans: orphans.shown,
            orphans_left: orphans.left,
            choices: orphans.choices,
        }
    }
}

/// Words about columns that are no longer there, as many as are shown.
#[derive(Default)]
struct Orphans {
    shown: Vec<Orphan>,
    left: Option<String>,
    choices: Vec<String>,
}

impl Orphans {
    fn of(asset: &Asset, editable: bool, renames: &HashMap<String, String>) -> Self {
        if asset.human.columns.is_empty() {
            return Self::default();
        }
        let paths = asset.column_paths();
        let notes = asset.human.columns_beside(&paths);
        let left = notes.len().saturating_sub(MOST_ORPHANS);
        let shown = notes.iter().take(MOST_ORPHANS);
        let shown: Vec<Orphan> = shown
            .map(|note| {
                let likely = renames.get(&note.content.column).map(String::as_str);
                overview::orphan(asset, note, beginning(&note.content.text), editable)
                    .likely(likely)
            })
            .collect();
        let choosing = editable && !shown.is_empty() && paths.len() <= MOST_CHOICES;
        let choices = paths.iter().filter(|_| choosing);
        Self {
            choices: choices.map(|path| (*path).to_owned()).collect(),
            left: (left > 0).then(|| {
                let left = count(left as u64, "more column", "more columns");
                format!("There are words about {left}; the API has all of them.")
            }),
            shown,
        }
    }
}

/// Such as “6 of 18 columns described”.
fn described_words(described: usize, total: usize) -> String {
    if total == 0 {
        return String::new();
    }
    let columns = count(total as u64, "column", "columns");
    if described == total {
        return format!("All of {columns} described");
    }
    format!("{} of {columns} described", number(described as u64))
}

/// As much of a note as is shown among others.
fn beginning(note: &str) -> &str {
    let end = note.char_indices().nth(LONGEST_NOTE);
    end.and_then(|(end, _)| note.get(..end)).unwrap_or(note)
}

/// Says what of the columns is shown, if not all: from where, how many, of how many.
fn said(filter: &str, found: usize, (from, shown, all): (usize, usize, usize)) -> Option<String> {
    let places = match from {
        0 => number(shown as u64),
        from => format!(
            "{} to {}",
            number(from as u64 + 1),
            number((from + shown) as u64)
        ),
    };
    let of = format!(
        "Showing {places} of {} columns, nested fields included.",
        number(all as u64)
    );
    let partly = shown < all;
    if filter.is_empty() {
        return partly.then_some(of);
    }
    let found = count(found as u64, "column", "columns");
    let found = format!("{found} with “{}”.", name(filter).shown);
    Some(if partly {
        format!("{found} {of}")
    } else {
        found
    })
}

/// One column, and where it is.
struct Line<'a> {
    column: &'a Column,
    depth: usize,
    /// The index of the line that this one is in, before any was left out.
    within: Option<usize>,
    /// Its own index, likewise.
    index: usize,
    matches: bool,
}

/// The tree of columns as lines. Rows are made of those alone that are shown: there may be hundreds of thousands.
struct Tree<'a> {
    asset: &'a Asset,
    open: bool,
    lines: Vec<Line<'a>>,
}

impl<'a> Tree<'a> {
    fn of(asset: &'a Asset, bookkeeping: bool) -> Self {
        let mut tree = Self {
            asset,
            open: true,
            lines: Vec::new(),
        };
        let columns = asset.source.columns.iter();
        for column in columns.filter(|column| column.bookkeeping == bookkeeping) {
            tree.add(column, 0, None);
        }
        tree.open = tree.lines.len() <= OPEN_UP_TO;
        tree
    }

    fn add(&mut self, column: &'a Column, depth: usize, within: Option<usize>) {
        let index = self.lines.len();
        self.lines.push(Line {
            column,
            depth,
            within,
            index,
            matches: true,
        });
        for field in &column.fields {
            self.add(field, depth + 1, Some(index));
        }
    }

    /// How many have a description, by people or from the source, and the first that has none.
    fn described(&self) -> (usize, Option<&'a Column>) {
        let is_described = |line: &&Line<'_>| {
            let comment = line.column.comment.as_deref().unwrap_or_default();
            !comment.trim().is_empty()
                || self
                    .asset
                    .human
                    .column_description(&line.column.path)
                    .is_some()
        };
        let described = self.lines.iter().filter(is_described).count();
        let mut lines = self.lines.iter();
        let undescribed = lines.find(|line| !is_described(line));
        (described, undescribed.map(|line| line.column))
    }

    /// Keeps the lines that have all the words, and the lines that those are in.
    fn keep_matching(&mut self, filter: &str) {
        let filter = filter.to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        let mut kept = vec![false; self.lines.len()];
        for line in self.lines.iter_mut().rev() {
            line.matches = matches(self.asset, line.column, &words);
            let inside = kept.get(line.index).copied().unwrap_or_default();
            for place in [Some(line.index), line.within].into_iter().flatten() {
                if let Some(keep) = kept.get_mut(place) {
                    *keep |= line.matches || inside;
                }
            }
        }
        self.lines
            .retain(|line| kept.get(line.index).copied().unwrap_or_default());
        self.open = true;
    }

    /// Makes rows of the lines that are shown.
    fn rows(&self, from: usize, editable: bool) -> Vec<Row> {
        let shown = self.lines.iter().skip(from).take(AT_ONCE);
        shown.map(|line| self.row(line, editable)).collect()
    }

    fn row(&self, line: &Line<'_>, editable: bool) -> Row {
        let column = line.column;
        let id = self.asset.id;
        let note = self.asset.human.column_description(&column.path);
        let nested = !column.fields.is_empty();
        let outline = nested.then(|| outline(&column.data_type)).flatten();
        let written = if outline.is_some() {
            ""
        } else {
            &column.data_type
        };
        let short = note.map(beginning);
        Row {
            depth: line.depth.min(DEEPEST),
            anchor: None,
            shut: line.within.is_some() && !self.open,
            within: line.within.map(|outer| outer.to_string()),
            opens: nested.then(|| line.index.to_string()),
            opened: if self.open { OPENED } else { "false" },
            name: name(match column.name.as_str() {
                "" => "\"\"",
                name => name,
            }),
            path: (line.depth > 0).then(|| name(&column.path).shown),
            data_type: Text::exact(LONGEST_TYPE, written),
            outline,
            outline_whole: legible_value(&Shortened::to(LONGEST_TITLE, &column.data_type).shown)
                .into_owned(),
            partition_key: column.partition_key,
            required: is_required(column),
            comment: column.comment.as_deref().map(Text::one_of_many),
            facts: ColumnFact::all(column),
            note: short.map(|note| markdown::render(note, 2)),
            note_by: note
                .and_then(|_| self.asset.human.columns.get(&column.path))
                .and_then(Byline::of),
            note_href: (short != note).then(|| links::column(id, &column.path)),
            edit_href: editable.then(|| links::edit_column(id, &column.path)),
        }
    }
}

/// Tells whether a column has all the words, in lower case, in what a filter looks at.
fn matches(asset: &Asset, column: &Column, words: &[&str]) -> bool {
    let text = searched(column, asset.human.column_description(&column.path));
    words.iter().all(|word| text.contains(word))
}

/// What `templates/assets/column_alone.hbs` can show: one column, with all that is said of it.
#[derive(Debug, Serialize)]
pub(crate) struct ColumnPage {
    title: String,
    crumbs: Vec<Link>,
    path: Shortened,
    data_type: Text,
    comment: Option<Text>,
    facts: Vec<ColumnFact>,
    note: Option<SafeHtml>,
    edit_href: Option<String>,
    /// The same as a row of its table, for a script that has the others.
    row: Option<Row>,
    toast: Option<Toast>,
}

impl View for ColumnPage {
    const TEMPLATE: &'static str = "assets/column_alone";
    const PART: Option<&'static str> = Some("assets/column_row");

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

impl ColumnPage {
    /// Finds a column, or else the words about one that is no longer there.
    pub(super) fn new(
        asset: &Asset,
        path: &str,
        editable: bool,
        toast: Option<Toast>,
    ) -> Result<Self, Error> {
        let mut columns = asset.source.columns.iter().flat_map(Column::walk);
        let column = columns.find(|column| column.path == path);
        let note = asset.human.column_description(path);
        if column.is_none() && note.is_none() {
            return Err(Error::UnknownColumn(path.to_owned()));
        }
        let shown = heading(path);
        Ok(Self {
            title: format!("Column {}", shown.shown),
            crumbs: vec![Link::new("Browse", links::browse()), Link::to_asset(asset)],
            path: shown,
            data_type: Text::new(column.map_or("", |column| &column.data_type)),
            comment: column
                .and_then(|column| column.comment.as_deref())
                .map(Text::new),
            facts: column.map(ColumnFact::all).unwrap_or_default(),
            note: note.map(|note| markdown::render(note, 1)),
            edit_href: editable.then(|| links::edit_column(asset.id, path)),
            row: column.and_then(|column| {
                let tree = Tree::of(asset, column.bookkeeping);
                let mut lines = tree.lines.iter();
                let line = lines.find(|line| line.column.path == path)?;
                Some(tree.row(line, editable))
            }),
            toast,
        })
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
