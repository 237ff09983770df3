//! How much memory an entry of Glue's needs, told before it is read, and whether a recipe allows it.

use aws_sdk_glue::types::{Column, Table};

use super::answer::Entry;
use super::limits::{Bound, Limits};
use crate::catalog::Discovered;

/// What one part of an entry needs once it is read, in bytes, about.
const PART: usize = 64;

/// How many parts a column has at most, as people and engines write them.
const PARTS_OF_COLUMN: usize = 16;

/// How many levels of nesting are written out.
const DEEPEST: usize = 48;

/// About how many bytes it takes to read an entry.
pub(super) fn weight(entry: &Entry<'_>) -> usize {
    2 * entry.size() + PART * entry.parts()
}

/// Refuses an entry that is larger than the recipe allows, before it is read; the error says why.
pub(super) fn check_entry(entry: &Entry<'_>, limits: &Limits) -> Result<(), String> {
    if entry.size() > limits.table_size.0 {
        return Err(limits.exceeded("Its entry has", Bound::TableSize));
    }
    if entry.parts() > limits.table_columns.saturating_mul(PARTS_OF_COLUMN) {
        return Err(limits.exceeded("Its entry has", Bound::TableColumns));
    }
    Ok(())
}

/// Refuses a table whose types nest so deep that each level, written out, would take too much.
pub(super) fn check_types(table: &Table, limits: &Limits) -> Result<(), String> {
    let storage = table.storage_descriptor.as_ref();
    let columns = storage.and_then(|storage| storage.columns.as_deref());
    let keys = table.partition_keys.as_deref();
    let types = columns
        .into_iter()
        .chain(keys)
        .flatten()
        .filter_map(Column::r#type);
    // Engines write schemas into parameters.
    let parameters = table.parameters.iter().flat_map(|pairs| pairs.values());
    let size: usize = types
        .chain(parameters.map(String::as_str))
        .map(written_out)
        .fold(0, usize::saturating_add);
    if size > limits.types_size().0 {
        return Err(limits.exceeded(
            "Its nested types, written out level by level, have",
            Bound::TypesSize,
        ));
    }
    Ok(())
}

/// How long a type is when every level of it is written out besides. Lists and maps have no fields to write out.
fn written_out(text: &str) -> usize {
    let (mut depth, mut deepest, mut levels) = (0_usize, 0, 0);
    let mut before = 0;
    for byte in text.bytes() {
        match byte {
            b'<' | b'(' | b'{' | b'[' => {
                depth += 1;
                let is_list_or_map = byte == b'<' && matches!(before, b'y' | b'Y' | b'p' | b'P');
                levels += usize::from(!is_list_or_map);
            }
            b'>' | b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
        before = byte;
    }
    text.len().saturating_mul(deepest.min(levels).min(DEEPEST))
}

/// Refuses a table that has more columns than the recipe allows.
pub(super) fn check_columns(asset: &Discovered, limits: &Limits) -> Result<(), String> {
    let columns = asset.source.columns.iter();
    let count: usize = columns.map(|column| column.walk().len()).sum();
    if count > limits.table_columns {
        return Err(limits.exceeded("It has", Bound::TableColumns));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_as_long_as_all_its_levels() {
        assert_eq!(written_out("bigint"), 0);
        assert_eq!(written_out(&"array<".repeat(100)), 0);
        assert_eq!(written_out("map<int,struct<a:int>>"), 22);
        assert_eq!(written_out("struct<a:struct<b:int>>"), 2 * 23);
        assert_eq!(written_out(&"row(a ".repeat(100)), 600 * DEEPEST);
    }
}
