//! The bounds of a source, as a recipe writes them. Deliberately absent: what the bounds are, and what they hold back.

use super::node::Node;
use super::problem::Problem;
use super::reader::{Fields, Reader};
use crate::sources::glue::{Limits, Size};

/// The keys of `limits`.
pub(super) const KEYS: [&str; 9] = [
    "answer_rows",
    "answer_size",
    "databases",
    "name_size",
    "pages",
    "pages_per_listing",
    "table_columns",
    "table_size",
    "tables_per_database",
];

/// Reads `limits`; what it leaves out is as it is without it.
pub(super) fn read(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Limits {
    let mut limits = Limits::default();
    let node = fields.find("limits");
    let Some(mut fields) = node.and_then(|node| reader.mapping("limits", node)) else {
        return limits;
    };
    for (key, bound) in [
        ("answer_size", &mut limits.answer_size),
        ("table_size", &mut limits.table_size),
        ("name_size", &mut limits.name_size),
    ] {
        let node = fields.find(key);
        *bound = node
            .and_then(|node| size(key, node, reader))
            .unwrap_or(*bound);
    }
    for (key, bound) in [
        ("answer_rows", &mut limits.answer_rows),
        ("table_columns", &mut limits.table_columns),
        ("pages_per_listing", &mut limits.pages_per_listing),
        ("pages", &mut limits.pages),
        ("databases", &mut limits.databases),
        ("tables_per_database", &mut limits.tables_per_database),
    ] {
        let node = fields.find(key);
        *bound = node
            .and_then(|node| count(key, node, reader))
            .unwrap_or(*bound);
    }
    super::finish(fields, &[], reader);
    limits
}

fn size(key: &'static str, node: &Node, reader: &mut Reader<'_>) -> Option<Size> {
    let size = Size::parse(&reader.text(key, node)?);
    if size.is_none() {
        let text = format!("{} is not a size.", node.shown());
        let hint = "Write a whole number with B, KiB, MiB or GiB, such as “16 MiB”.";
        reader.problem(Problem::at(node.at, text).hint(hint));
    }
    size
}

fn count(key: &'static str, node: &Node, reader: &mut Reader<'_>) -> Option<usize> {
    let number = reader.text(key, node)?.parse().ok();
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        let text = format!("{} is not a whole number above 0.", node.shown());
        reader.problem(Problem::at(node.at, text).hint("Write it in digits, such as 10000."));
    }
    number
}
