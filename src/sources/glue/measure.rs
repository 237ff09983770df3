//! How much memory an entry of Glue's needs, told before it is read, and whether a recipe allows it.

use std::collections::HashMap;

use aws_sdk_glue::types::{Column, Table};

use super::answer::Entry;
use super::limits::{Bound, Limits};
use crate::catalog::Discovered;

/// What one part of an entry needs once it is read, in bytes, about.
const PART: usize = 64;

/// How many parts a column has at most, as people and engines write them.
const PARTS_OF_COLUMN: usize = 16;

/// Where Spark writes a schema, or the first part of its key.
const SCHEMA: &str = "spark.sql.sources.schema";

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
    let most = limits.table_columns.saturating_mul(PARTS_OF_COLUMN);
    // Each part is a byte at least, so that most need not be counted.
    if entry.size() > most && entry.parts() > most {
        return Err(limits.exceeded("Its entry has", Bound::TableColumns));
    }
    Ok(())
}

/// About how many bytes the types of a table take, each level of them written out; the error says that it is too much.
pub(super) fn check_types(table: &Table, limits: &Limits) -> Result<usize, String> {
    let storage = table.storage_descriptor.as_ref();
    let columns = storage.and_then(|storage| storage.columns.as_deref());
    let keys = table.partition_keys.as_deref();
    let types = columns
        .into_iter()
        .chain(keys)
        .flatten()
        .filter_map(Column::r#type);
    let schema = schema_parts(table.parameters.as_ref());
    let size = types
        .filter(|text| text.bytes().any(|byte| OPENING.contains(&byte)))
        .map(|text| written_out([text]))
        .fold(written_out(schema), usize::saturating_add);
    if size > limits.types_size().0 {
        return Err(limits.exceeded(
            "Its nested types, written out level by level, have",
            Bound::TypesSize,
        ));
    }
    Ok(size)
}

/// The parts of the schema that Spark writes into a table's parameters, in order.
fn schema_parts(parameters: Option<&HashMap<String, String>>) -> impl Iterator<Item = &str> {
    let find = move |key: &str| parameters?.get(key).map(String::as_str);
    let parts = (0..).map_while(move |part| find(&format!("{SCHEMA}.part.{part}")));
    find(SCHEMA).into_iter().chain(parts)
}

/// What a level of a type begins with.
const OPENING: [u8; 4] = *b"<({[";

/// About how long a type is, in parts, when every level of it is written out besides, and every field with its path.
///
/// Lists and maps have no fields to write out.
fn written_out<'a>(parts: impl IntoIterator<Item = &'a str>) -> usize {
    let (mut length, mut commas) = (0, 1);
    let (mut depth, mut deepest, mut levels) = (0_usize, 0, 0);
    let (mut word, mut longest) = (0, 0);
    let mut before = 0;
    for byte in parts.into_iter().flat_map(str::bytes) {
        length += 1;
        word += 1;
        match byte {
            b'<' | b'(' | b'{' | b'[' => {
                depth += 1;
                let is_list_or_map = byte == b'<' && matches!(before, b'y' | b'Y' | b'p' | b'P');
                levels += usize::from(!is_list_or_map);
                word = 0;
            }
            b'>' | b')' | b'}' | b']' => {
                depth = depth.saturating_sub(1);
                word = 0;
            }
            b',' | b':' => {
                commas += usize::from(byte == b',');
                word = 0;
            }
            _ => {}
        }
        longest = longest.max(word);
        deepest = deepest.max(depth);
        before = byte;
    }
    let path = usize::saturating_mul(commas, longest);
    deepest
        .min(levels)
        .min(DEEPEST)
        .saturating_mul(path.saturating_add(length))
}

/// Refuses a table that has more columns than the recipe allows.
pub(super) fn check_columns(asset: &Discovered, limits: &Limits) -> Result<(), String> {
    let columns = asset.source.columns.iter();
    let mut count = 0;
    columns.for_each(|column| column.each(&mut |_| count += 1));
    if count > limits.table_columns {
        return Err(limits.exceeded("It has", Bound::TableColumns));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_as_long_as_all_its_levels_and_paths() {
        assert_eq!(written_out(["bigint"]), 0);
        assert_eq!(written_out(["array<".repeat(100).as_str()]), 0);
        assert_eq!(written_out(["map<int,struct<a:int>>"]), 22 + 2 * 6);
        assert_eq!(
            written_out(["struct<a:struct", "<b:int>>"]),
            written_out(["struct<a:struct<b:int>>"])
        );
        let wide = format!(
            "struct<{}:struct<{}>>",
            "n".repeat(1_000),
            "a:int,".repeat(1_000)
        );
        assert!(written_out([wide.as_str()]) > 1_000_000);
    }
}
