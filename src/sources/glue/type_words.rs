//! Types without fields: one word or a few, with what stands in brackets behind them.
//!
//! A word that no engine is known to use may be a type all the same; it is only less believable than part of a name.

use super::types::{after_blanks, word_at};

/// What is in the brackets behind a type, such as the words of an enumeration, is no longer than this.
const LONGEST_GROUP: usize = 10_000;

/// No word of the lists is longer, in bytes.
const LONGEST_WORD: usize = 32;

/// The types that engines have, in lower case and alphabetical order.
const KNOWN: &[&str] = &[
    "any",
    "array",
    "bigdecimal",
    "bigint",
    "bignumeric",
    "bigserial",
    "binary",
    "bit",
    "blob",
    "bool",
    "boolean",
    "bpchar",
    "byte",
    "bytea",
    "byteint",
    "bytes",
    "calendarinterval",
    "char",
    "character",
    "cidr",
    "clob",
    "color",
    "date",
    "datetime",
    "datetime2",
    "datetimeoffset",
    "dec",
    "decimal",
    "double",
    "enum",
    "fixed",
    "float",
    "float4",
    "float8",
    "geography",
    "geometry",
    "guid",
    "hllsketch",
    "hyperloglog",
    "image",
    "inet",
    "int",
    "int128",
    "int16",
    "int2",
    "int32",
    "int4",
    "int64",
    "int8",
    "integer",
    "interval",
    "interval_day_time",
    "interval_year_month",
    "ipaddress",
    "ipprefix",
    "json",
    "jsonb",
    "list",
    "long",
    "longtext",
    "map",
    "mediumint",
    "mediumtext",
    "money",
    "name",
    "nchar",
    "ntext",
    "null",
    "number",
    "numeric",
    "nvarchar",
    "object",
    "oid",
    "p4hyperloglog",
    "qdigest",
    "real",
    "rowid",
    "serial",
    "setdigest",
    "short",
    "smallint",
    "smallserial",
    "string",
    "struct",
    "super",
    "tdigest",
    "text",
    "time",
    "timestamp",
    "timestamp_ltz",
    "timestamp_ns",
    "timestamp_ntz",
    "timestamp_tz",
    "timestampltz",
    "timestampntz",
    "timestamptz",
    "timestamptz_ns",
    "timetz",
    "tinyint",
    "tinytext",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uniontype",
    "uniqueidentifier",
    "unknown",
    "utf8",
    "uuid",
    "varbinary",
    "varbyte",
    "varchar",
    "varchar2",
    "variant",
    "void",
    "xml",
    "year",
];

/// Words that go on with a type, such as `with time zone` or `precision`.
const MORE: &[&str] = &[
    "binary",
    "collate",
    "day",
    "hour",
    "large",
    "local",
    "minute",
    "month",
    "object",
    "precision",
    "second",
    "signed",
    "time",
    "to",
    "unsigned",
    "varying",
    "with",
    "without",
    "year",
    "zone",
];

/// A type without fields, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlainType {
    pub(super) end: usize,
    /// Whether it is one that engines are known to have.
    pub(super) known: bool,
}

/// Reads the type without fields that begins here.
pub(super) fn plain(text: &str, at: usize) -> Option<PlainType> {
    let word = word_at(text, at);
    let begins = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    if !word.starts_with(begins) {
        return None;
    }
    let known = is_in(KNOWN, word);
    let is_word = |other: &&str| word.eq_ignore_ascii_case(other);
    let may_be_angular = !known || ["geometry", "geography"].iter().any(is_word);
    let mut end = after_group(text, at + word.len(), may_be_angular);
    loop {
        let next = after_blanks(text, end);
        let word = word_at(text, next);
        if next == end || !is_in(MORE, word) {
            return Some(PlainType { end, known });
        }
        end = after_group(text, next + word.len(), false);
        if word.eq_ignore_ascii_case("collate") {
            let collation = after_blanks(text, end);
            end = collation + word_at(text, collation).len();
        }
    }
}

fn is_in(words: &[&str], word: &str) -> bool {
    let mut lower = [0; LONGEST_WORD];
    let Some(lower) = lower.get_mut(..word.len()) else {
        return false;
    };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    words
        .binary_search_by(|known| known.as_bytes().cmp(lower))
        .is_ok()
}

/// Where the brackets behind a word end, if there are any.
fn after_group(text: &str, at: usize, may_be_angular: bool) -> usize {
    let open = after_blanks(text, at);
    let brackets = match text.as_bytes().get(open) {
        Some(b'(') => Some((b'(', b')')),
        Some(b'<') if may_be_angular => Some((b'<', b'>')),
        Some(b'[') => Some((b'[', b']')),
        _ => None,
    };
    let closed = brackets.and_then(|brackets| closing(text, open, brackets));
    closed.map_or(at, |closer| closer + 1)
}

/// Finds the bracket that closes the one here.
fn closing(text: &str, open: usize, (opener, closer): (u8, u8)) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().skip(open).take(LONGEST_GROUP) {
        if byte == opener {
            depth += 1;
        } else if byte == closer {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_the_order_that_looking_them_up_needs() {
        assert!(KNOWN.is_sorted() && MORE.is_sorted());
        let words = || KNOWN.iter().chain(MORE);
        assert!(words().all(|word| word.len() <= LONGEST_WORD));
    }

    #[test]
    fn a_type_is_read_as_far_as_it_goes() {
        for (text, end, known) in [
            ("string", "", true),
            ("DECIMAL ( 38 , 18 ),x", ",x", true),
            ("timestamp(6) with time zone,x", ",x", true),
            ("timestamp with local time zone", "", true),
            ("double precision>", ">", true),
            ("interval day(2) to second(3)", "", true),
            ("character varying(20) comment 'x'", " comment 'x'", true),
            ("string collate UTF8_LCASE,", ",", true),
            ("geometry(OGC:CRS84),", ",", true),
            ("geometry<4326>", "", true),
            ("ltree<a,b>,c", ",c", false),
            ("int[],c", ",c", true),
            ("int<b", "<b", true),
            ("id:string", ":string", false),
        ] {
            let found = plain(text, 0).unwrap();
            assert_eq!(
                (text.split_at(found.end).1, found.known),
                (end, known),
                "{text}"
            );
        }
        assert_eq!(plain("11", 0), None);
        assert_eq!(plain("", 0), None);
    }
}
