//! What differs between two source layers of one asset, as a person would tell it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::asset::{AssetKind, Column, LinkTarget, SourceLayer};

/// One thing that differs, with what was before and what is after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Difference {
    ColumnAdded {
        column: String,
        data_type: String,
    },
    ColumnDropped {
        column: String,
        data_type: String,
    },
    /// The format says that it is the same column under another name.
    ColumnRenamed {
        before: String,
        after: String,
    },
    ColumnRetyped {
        column: String,
        before: String,
        after: String,
    },
    ColumnRecommented {
        column: String,
        before: Option<String>,
        after: Option<String>,
    },
    /// It became, or ceased to be, a partition key.
    ColumnPartitioning {
        column: String,
        partition_key: bool,
    },
    ColumnNullability {
        column: String,
        before: Option<bool>,
        after: Option<bool>,
    },
    /// A key-value pair of a column, or what an engine says of it.
    ColumnDetail {
        column: String,
        detail: String,
        before: Option<String>,
        after: Option<String>,
    },
    ColumnsReordered,
    Kind {
        before: AssetKind,
        after: AssetKind,
    },
    Description {
        before: Option<String>,
        after: Option<String>,
    },
    ViewText {
        before: Option<String>,
        after: Option<String>,
    },
    Owner {
        before: Option<String>,
        after: Option<String>,
    },
    Format {
        before: Option<String>,
        after: Option<String>,
    },
    Location {
        before: Vec<String>,
        after: Vec<String>,
    },
    Link {
        before: Option<LinkTarget>,
        after: Option<LinkTarget>,
    },
    Parameter {
        key: String,
        before: Option<String>,
        after: Option<String>,
    },
    /// Something else of the source layer, named by its field.
    Other {
        field: String,
    },
    /// More of them than the log keeps of one change.
    Untold {
        /// How many, where that is known.
        differences: Option<u64>,
    },
}

/// Below this length of both texts together, in bytes, a change shows both and compares nothing.
const SHORT_TEXTS: usize = 120;

/// A text of a difference is no longer than this in the log, in bytes: the SQL of a view fits.
const LONGEST_TEXT: usize = 100_000;

/// All differences of one change are no longer than this in the log, in bytes.
const LONGEST_CHANGE: usize = 1_000_000;

/// What of the differences the log keeps: the first ones, as many as a person could read, and how many more there are.
pub(super) fn worth_keeping(differences: &[Difference]) -> Vec<Difference> {
    let mut left = LONGEST_CHANGE;
    let mut kept: Vec<Difference> = Vec::new();
    for difference in differences {
        let mut difference = difference.clone();
        difference.shorten(LONGEST_TEXT);
        match left.checked_sub(difference.length()) {
            Some(rest) => left = rest,
            None => break,
        }
        kept.push(difference);
    }
    let untold = differences.len() - kept.len();
    if untold > 0 {
        let differences = Some(untold as u64);
        kept.push(Difference::Untold { differences });
    }
    kept
}

/// Lists what differs, columns first, in an order that does not depend on chance.
pub fn differences(
    before: (AssetKind, &SourceLayer),
    after: (AssetKind, &SourceLayer),
) -> Vec<Difference> {
    let mut found = Vec::new();
    if before.0 != after.0 {
        found.push(Difference::Kind {
            before: before.0,
            after: after.0,
        });
    }
    let (before, after) = (before.1, after.1);
    if before == after {
        return found;
    }
    if before.description != after.description {
        found.push(Difference::Description {
            before: before.description.clone(),
            after: after.description.clone(),
        });
    }
    columns(&before.columns, &after.columns, &mut found);
    view(before, after, &mut found);
    plain_fields(before, after, &mut found);
    parameters(&before.parameters, &after.parameters, &mut found);
    if found.is_empty() {
        found.push(Difference::Other {
            field: "column details".to_owned(),
        });
    }
    found.sort_by_key(Difference::danger);
    found
}

fn columns(before: &[Column], after: &[Column], found: &mut Vec<Difference>) {
    let earlier = found.len();
    each_column(before, after, found);
    let inside: HashSet<String> = found
        .iter()
        .skip(earlier)
        .filter_map(Difference::changed_shape)
        .flat_map(outer_columns)
        .collect();
    // The differences of its fields say what its whole type would say again.
    found.retain(|difference| {
        !matches!(difference, Difference::ColumnRetyped { column, before, after }
            if inside.contains(column) && is_nested(before) && is_nested(after))
    });
}

/// Whether a type has fields.
fn is_nested(data_type: &str) -> bool {
    data_type.contains(['<', '('])
}

/// The columns that a field is in, from the outermost.
fn outer_columns(path: &str) -> Vec<String> {
    let dots = path.match_indices('.');
    let outer = dots.filter_map(|(at, _)| path.get(..at));
    outer.map(str::to_owned).collect()
}

fn each_column(before: &[Column], after: &[Column], found: &mut Vec<Difference>) {
    let old: Vec<&Column> = before.iter().flat_map(Column::walk).collect();
    let new: Vec<&Column> = after.iter().flat_map(Column::walk).collect();
    let old_by_path: HashMap<&str, &Column> = old
        .iter()
        .map(|column| (column.path.as_str(), *column))
        .collect();
    let new_by_path: HashMap<&str, &Column> = new
        .iter()
        .map(|column| (column.path.as_str(), *column))
        .collect();
    let renamed = renames(&old, &new, &old_by_path, &new_by_path);
    let earlier_names: HashSet<&str> = renamed.values().copied().collect();

    for column in &new {
        let path = column.path.as_str();
        if let Some(earlier) = renamed
            .get(path)
            .and_then(|earlier| old_by_path.get(earlier))
        {
            found.push(Difference::ColumnRenamed {
                before: earlier.path.clone(),
                after: column.path.clone(),
            });
            same_column(earlier, column, found);
        } else if let Some(earlier) = old_by_path.get(path) {
            same_column(earlier, column, found);
        } else {
            found.push(Difference::ColumnAdded {
                column: column.path.clone(),
                data_type: column.data_type.clone(),
            });
        }
    }
    for column in &old {
        let path = column.path.as_str();
        if !new_by_path.contains_key(path) && !earlier_names.contains(path) {
            found.push(Difference::ColumnDropped {
                column: column.path.clone(),
                data_type: column.data_type.clone(),
            });
        }
    }
    let kept = |columns: &[&Column], other: &HashMap<&str, &Column>| -> Vec<String> {
        columns
            .iter()
            .map(|column| column.path.clone())
            .filter(|path| other.contains_key(path.as_str()))
            .collect()
    };
    if kept(&old, &new_by_path) != kept(&new, &old_by_path) {
        found.push(Difference::ColumnsReordered);
    }
}

/// Maps the path of each column that only has a new name to the path it had, going by the format's own column ids.
fn renames<'a>(
    old: &[&'a Column],
    new: &[&'a Column],
    old_by_path: &HashMap<&str, &Column>,
    new_by_path: &HashMap<&str, &Column>,
) -> HashMap<&'a str, &'a str> {
    let vanished: HashMap<i64, &str> = old
        .iter()
        .filter(|column| !new_by_path.contains_key(column.path.as_str()))
        .filter_map(|column| Some((column.field_id?, column.path.as_str())))
        .collect();
    new.iter()
        .filter(|column| !old_by_path.contains_key(column.path.as_str()))
        .filter_map(|column| Some((column.path.as_str(), *vanished.get(&column.field_id?)?)))
        .collect()
}

fn same_column(before: &Column, after: &Column, found: &mut Vec<Difference>) {
    let column = || after.path.clone();
    if before.data_type != after.data_type {
        found.push(Difference::ColumnRetyped {
            column: column(),
            before: before.data_type.clone(),
            after: after.data_type.clone(),
        });
    }
    if before.comment != after.comment {
        found.push(Difference::ColumnRecommented {
            column: column(),
            before: before.comment.clone(),
            after: after.comment.clone(),
        });
    }
    if before.partition_key != after.partition_key {
        found.push(Difference::ColumnPartitioning {
            column: column(),
            partition_key: after.partition_key,
        });
    }
    if before.nullable != after.nullable {
        found.push(Difference::ColumnNullability {
            column: column(),
            before: before.nullable,
            after: after.nullable,
        });
    }
    let (old, new) = (details(before), details(after));
    for (detail, before, after) in pairs(&old, &new) {
        found.push(Difference::ColumnDetail {
            column: column(),
            detail,
            before,
            after,
        });
    }
}

/// What else is said of a column, by what it is.
fn details(column: &Column) -> BTreeMap<String, String> {
    let mut details: BTreeMap<String, String> = column
        .parameters
        .iter()
        .map(|(key, value)| (format!("parameter “{key}”"), value.clone()))
        .collect();
    if let Some(said) = &column.engine {
        let texts = [
            ("spelling", &said.name),
            ("type", &said.data_type),
            ("comment", &said.comment),
        ];
        for (what, text) in texts {
            let text = text.iter().cloned();
            details.extend(text.map(|text| (format!("{} {what}", said.engine), text)));
        }
    }
    details
}

/// What differs between two maps, by key.
fn pairs(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<(String, Option<String>, Option<String>)> {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| {
            (
                key.clone(),
                before.get(key).cloned(),
                after.get(key).cloned(),
            )
        })
        .collect()
}

fn view(before: &SourceLayer, after: &SourceLayer, found: &mut Vec<Difference>) {
    let sql = |layer: &SourceLayer| layer.view.as_ref().map(|view| view.sql.clone());
    if sql(before) != sql(after) {
        found.push(Difference::ViewText {
            before: sql(before),
            after: sql(after),
        });
    } else if before.view != after.view {
        found.push(Difference::Other {
            field: "view settings".to_owned(),
        });
    }
}

fn plain_fields(before: &SourceLayer, after: &SourceLayer, found: &mut Vec<Difference>) {
    if before.owner != after.owner {
        found.push(Difference::Owner {
            before: before.owner.clone(),
            after: after.owner.clone(),
        });
    }
    if before.link != after.link {
        found.push(Difference::Link {
            before: before.link.clone(),
            after: after.link.clone(),
        });
    }
    let (old, new) = (&before.storage, &after.storage);
    if old.format != new.format {
        found.push(Difference::Format {
            before: old.format.clone(),
            after: new.format.clone(),
        });
    }
    if old.locations != new.locations {
        found.push(Difference::Location {
            before: old.locations.clone(),
            after: new.locations.clone(),
        });
    }
    let others = [
        (before.subtype != after.subtype, "table type"),
        (old.compressed != new.compressed, "compression"),
        (old.bucket_columns != new.bucket_columns, "bucket columns"),
        (old.sort_columns != new.sort_columns, "sort columns"),
        (old.buckets != new.buckets, "number of buckets"),
        (old.skew != new.skew, "skew"),
        (old.schema != new.schema, "schema in the registry"),
    ];
    let differing = others.into_iter().filter(|(differs, _)| *differs);
    found.extend(differing.map(|(_, field)| Difference::Other {
        field: field.to_owned(),
    }));
}

fn parameters(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    found: &mut Vec<Difference>,
) {
    let differing = pairs(before, after).into_iter();
    found.extend(differing.map(|(key, before, after)| Difference::Parameter {
        key,
        before,
        after,
    }));
}

impl Difference {
    /// What may break what somebody has built comes first.
    fn danger(&self) -> u8 {
        match self {
            Self::ColumnDropped { .. } => 0,
            Self::ColumnRenamed { .. } => 1,
            Self::ColumnRetyped { .. } | Self::Kind { .. } => 2,
            _ => 3,
        }
    }

    /// Whether it may break what somebody has built, so that it is never folded.
    pub fn is_dangerous(&self) -> bool {
        self.danger() < 3
    }

    /// The column of which another column's type tells, too.
    fn changed_shape(&self) -> Option<&str> {
        match self {
            Self::ColumnAdded { column, .. }
            | Self::ColumnDropped { column, .. }
            | Self::ColumnRetyped { column, .. } => Some(column),
            Self::ColumnRenamed { after, .. } => Some(after),
            _ => None,
        }
    }

    /// A text that is another one now, with what it is called: both may be compared word by word.
    pub fn reworded(&self) -> Option<(String, &str, &str)> {
        let (what, before, after) = match self {
            Self::ViewText { before, after } => ("The SQL of the view".to_owned(), before, after),
            Self::Description { before, after } => {
                ("The source's description".to_owned(), before, after)
            }
            Self::ColumnRecommented {
                column,
                before,
                after,
            } => (format!("The comment on column “{column}”"), before, after),
            Self::Parameter { key, before, after } => (format!("Parameter “{key}”"), before, after),
            _ => return None,
        };
        let present = |text: &'_ Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let both = present(before) && present(after);
        let (before, after) = before.as_deref().zip(after.as_deref())?;
        let long = before.len() + after.len() > SHORT_TEXTS;
        (both && (long || matches!(self, Self::ViewText { .. }))).then_some((what, before, after))
    }

    /// The texts in it.
    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::ColumnAdded { column, data_type } | Self::ColumnDropped { column, data_type } => {
                vec![column, data_type]
            }
            Self::ColumnRenamed { before, after } => vec![before, after],
            Self::ColumnRetyped {
                column,
                before,
                after,
            } => vec![column, before, after],
            Self::ColumnRecommented {
                column: name,
                before,
                after,
            }
            | Self::Parameter {
                key: name,
                before,
                after,
            } => {
                let texts = [before, after].into_iter().flatten();
                texts.chain([name]).collect()
            }
            Self::ColumnDetail {
                column,
                detail,
                before,
                after,
            } => {
                let texts = [before, after].into_iter().flatten();
                texts.chain([column, detail]).collect()
            }
            Self::ColumnPartitioning { column, .. } | Self::ColumnNullability { column, .. } => {
                vec![column]
            }
            Self::Description { before, after }
            | Self::ViewText { before, after }
            | Self::Owner { before, after }
            | Self::Format { before, after } => [before, after].into_iter().flatten().collect(),
            Self::Location { before, after } => before.iter_mut().chain(after).collect(),
            Self::Link { before, after } => {
                let targets = [before, after].into_iter().flatten();
                targets.flat_map(|target| &mut target.path).collect()
            }
            Self::Other { field } => vec![field],
            Self::ColumnsReordered | Self::Kind { .. } | Self::Untold { .. } => Vec::new(),
        }
    }

    /// Cuts texts that are longer than so many bytes.
    fn shorten(&mut self, most: usize) {
        for text in self.texts() {
            if text.len() > most {
                text.truncate(text.floor_char_boundary(most));
                text.push('…');
            }
        }
    }

    /// How many bytes it has in the log, about.
    fn length(&mut self) -> usize {
        let texts = self.texts().into_iter().map(|text| text.len() + 10);
        80 + texts.sum::<usize>()
    }

    /// Tells what differs in a text of a column.
    fn about_column(&self) -> String {
        let (what, before, after) = match self {
            Self::ColumnRecommented {
                column,
                before,
                after,
            } => (format!("comment on column “{column}”"), before, after),
            Self::ColumnDetail {
                column,
                detail,
                before,
                after,
            } => (format!("{detail} of column “{column}”"), before, after),
            _ => return String::new(),
        };
        text_change(&format!("The {what}"), before.as_deref(), after.as_deref())
    }

    /// Tells the difference as a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::ColumnAdded { column, data_type } => {
                format!("Column “{column}” was added ({data_type}).")
            }
            Self::ColumnDropped { column, data_type } => {
                format!("Column “{column}” was dropped ({data_type}).")
            }
            Self::ColumnRenamed { before, after } => {
                format!("Column “{before}” was renamed to “{after}”.")
            }
            Self::ColumnRetyped {
                column,
                before,
                after,
            } => {
                format!("Column “{column}” changed its type from {before} to {after}.")
            }
            Self::ColumnRecommented { .. } | Self::ColumnDetail { .. } => self.about_column(),
            Self::ColumnPartitioning {
                column,
                partition_key,
            } => match partition_key {
                true => format!("Column “{column}” became a partition key."),
                false => format!("Column “{column}” is no longer a partition key."),
            },
            Self::ColumnNullability { column, after, .. } => match after {
                Some(true) => format!("Column “{column}” may now be empty."),
                Some(false) => format!("Column “{column}” may no longer be empty."),
                None => format!("Whether column “{column}” may be empty is no longer known."),
            },
            Self::ColumnsReordered => "The columns were put in another order.".to_owned(),
            Self::Kind { before, after } => format!("It changed from a {before} to a {after}."),
            Self::Description { before, after } => text_change(
                "The source's description",
                before.as_deref(),
                after.as_deref(),
            ),
            Self::ViewText { .. } => "The SQL of the view changed.".to_owned(),
            Self::Owner { before, after } => {
                text_change("The source's owner", before.as_deref(), after.as_deref())
            }
            Self::Format { before, after } => {
                text_change("The format", before.as_deref(), after.as_deref())
            }
            Self::Location { before, after } => text_change(
                "The location",
                Some(before.join(", ").as_str()),
                Some(after.join(", ").as_str()),
            ),
            Self::Link { .. } => "The link points at something else.".to_owned(),
            Self::Parameter { key, before, after } => text_change(
                &format!("Parameter “{key}”"),
                before.as_deref(),
                after.as_deref(),
            ),
            Self::Other { field } => format!("The {field} changed."),
            Self::Untold { differences } => untold(*differences),
        }
    }
}

fn untold(differences: Option<u64>) -> String {
    match differences {
        Some(1) => "One more difference is not told.".to_owned(),
        Some(many) => format!("{many} more differences are not told."),
        None => "More differs than can be told.".to_owned(),
    }
}

fn text_change(what: &str, before: Option<&str>, after: Option<&str>) -> String {
    let before = before.filter(|text| !text.is_empty());
    match (before, after.filter(|text| !text.is_empty())) {
        (None, Some(after)) => format!("{what} is new: “{after}”."),
        (Some(before), None) => format!("{what} was removed; it was “{before}”."),
        (Some(before), Some(after)) => format!("{what} changed from “{before}” to “{after}”."),
        (None, None) => format!("{what} changed."),
    }
}
