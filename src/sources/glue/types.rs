//! Column types as text: Hive's grammar and that of Presto and Trino, read only as far as nested fields go.
//!
//! A type's own words are never changed or lost; what cannot be understood simply has no fields. Deliberately absent:
//! any judgement of plain types, which are shown as they are.

use std::borrow::Cow;

use crate::catalog::Column;

/// How many levels of nesting are followed; what lies deeper stays text. Stored documents nest twice for each level,
/// and readers of JSON give up at 128.
const DEEPEST: usize = 48;

/// The fields nested in a column of this type, whose paths begin with the column's.
pub(super) fn nested(data_type: &str, path: &str) -> Vec<Column> {
    fields(data_type, path, 0)
}

/// A name as it stands in a path: quoted when it holds a character that means something there.
pub(super) fn quoted(name: &str) -> Cow<'_, str> {
    if name.is_empty() || name.contains(['.', '[', ']', '{', '}', '"']) {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(name)
    }
}

fn fields(data_type: &str, path: &str, depth: usize) -> Vec<Column> {
    if depth == DEEPEST {
        return Vec::new();
    }
    match Shape::parse(data_type) {
        None => Vec::new(),
        Some(Shape::Array(element)) => fields(element, &format!("{path}[]"), depth + 1),
        Some(Shape::Map(value)) => fields(value, &format!("{path}{{}}"), depth + 1),
        Some(Shape::Struct(members)) => struct_fields(members, path, depth),
        Some(Shape::Union(members)) => union_fields(&members, path, depth),
    }
}

/// One column for each member; of two with the same name, which could not be told apart, the first.
fn struct_fields(members: Vec<Member<'_>>, path: &str, depth: usize) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::with_capacity(members.len());
    let mut names = std::collections::HashSet::with_capacity(members.len());
    for member in members {
        if !names.insert(member.name.clone()) {
            continue;
        }
        let path = format!("{path}.{}", quoted(&member.name));
        columns.push(Column {
            fields: fields(member.data_type, &path, depth + 1),
            path,
            name: member.name.into_owned(),
            data_type: member.data_type.to_owned(),
            comment: member.comment,
            nullable: member.nullable,
            ..Column::default()
        });
    }
    columns
}

/// The alternatives that have fields themselves, named by their place as query engines name them.
fn union_fields(alternatives: &[&str], path: &str, depth: usize) -> Vec<Column> {
    let mut columns = Vec::new();
    for (place, data_type) in alternatives.iter().enumerate() {
        let name = unnamed(place);
        let path = format!("{path}.{name}");
        let fields = fields(data_type, &path, depth + 1);
        if !fields.is_empty() {
            let data_type = (*data_type).to_owned();
            columns.push(Column {
                name,
                path,
                data_type,
                fields,
                ..Column::default()
            });
        }
    }
    columns
}

/// What engines call a field without a name.
fn unnamed(place: usize) -> String {
    format!("field{place}")
}

/// A type that can hold fields.
enum Shape<'a> {
    Array(&'a str),
    /// A map by the type of its values.
    Map(&'a str),
    Struct(Vec<Member<'a>>),
    Union(Vec<&'a str>),
}

/// One field of a struct or row.
struct Member<'a> {
    name: Cow<'a, str>,
    data_type: &'a str,
    comment: Option<String>,
    nullable: Option<bool>,
}

impl<'a> Shape<'a> {
    /// Reads a type; `None` when it is plain, unknown or malformed.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let open = text.find(['<', '('])?;
        let (head, rest) = text.split_at_checked(open)?;
        let head = head.trim_end();
        let is = |word: &str| head.eq_ignore_ascii_case(word);

        if is("array") {
            let [element] = <[_; 1]>::try_from(parts(rest)?).ok()?;
            Some(Self::Array(element))
        } else if is("map") {
            let [_, value] = <[_; 2]>::try_from(parts(rest)?).ok()?;
            Some(Self::Map(value))
        } else if is("struct") || is("row") {
            Self::members(parts(rest)?, is("row")).map(Self::Struct)
        } else if is("uniontype") {
            Some(Self::Union(parts(rest)?))
        } else {
            None
        }
    }

    /// Reads every member, or none when one of them makes no sense.
    fn members(parts: Vec<&'a str>, may_be_unnamed: bool) -> Option<Vec<Member<'a>>> {
        if parts == [""] {
            return Some(Vec::new());
        }
        let member = |(place, part)| Member::parse(part, may_be_unnamed.then_some(place));
        parts.into_iter().enumerate().map(member).collect()
    }
}

impl<'a> Member<'a> {
    /// Reads `name:type` or `name type`, and what may follow; with a `place`, also a type alone.
    fn parse(part: &'a str, place: Option<usize>) -> Option<Self> {
        let (name, rest) = match Self::split_name(part) {
            Some(split) => split,
            None => (Cow::Owned(unnamed(place?)), part),
        };
        let (data_type, comment) = split_comment(rest);
        let (data_type, nullable) = match strip_suffix_ignoring_case(data_type, "not null") {
            Some(data_type) => (data_type, Some(false)),
            None => (data_type, None),
        };
        let meaningful = !data_type.is_empty() && !name.is_empty();
        meaningful.then_some(Self {
            name,
            data_type,
            comment,
            nullable,
        })
    }

    /// Parts the name from its type; `None` when there is no name.
    fn split_name(part: &'a str) -> Option<(Cow<'a, str>, &'a str)> {
        if part.starts_with(['`', '"']) {
            let (name, rest) = split_quoted(part)?;
            let rest = rest.trim_start();
            return Some((name, rest.strip_prefix(':').unwrap_or(rest)));
        }
        let mut outside = Outside::new(part).filter(|found| found.depth == 0);
        if let Some(colon) = outside.find(|found| found.byte == b':') {
            let (name, rest) = part.split_at_checked(colon.at)?;
            return Some((Cow::Borrowed(name.trim()), rest.strip_prefix(':')?));
        }
        if is_type_of_several_words(part) {
            return None;
        }
        let space = part.find(char::is_whitespace)?;
        let (name, rest) = part.split_at_checked(space)?;
        // `decimal(10, 2)` has a space as well, but inside its brackets.
        (!name.contains(['<', '('])).then_some((Cow::Borrowed(name), rest))
    }
}

/// Tells whether the text is one of the types that have a space in them, rather than a name and a type.
fn is_type_of_several_words(text: &str) -> bool {
    let mut words = text.split_whitespace().map(str::to_ascii_lowercase);
    let (Some(first), Some(second)) = (words.next(), words.next()) else {
        return false;
    };
    match first.split('(').next().unwrap_or_default() {
        "double" => second == "precision",
        "time" | "timestamp" => second == "with" || second == "without",
        "interval" => ["day", "year", "month"].contains(&second.as_str()),
        "character" => second.starts_with("varying"),
        _ => false,
    }
}

/// Splits `<a, b>` or `(a, b)` at its own commas; `None` unless every bracket and quote is closed, the first at the end.
fn parts(bracketed: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut start = 1;
    let mut end = None;
    for found in Outside::new(bracketed) {
        match (found.depth, found.byte) {
            (1, b',') => {
                parts.push(bracketed.get(start..found.at)?.trim());
                start = found.at + 1;
            }
            (0, b'>' | b')') if end.is_none() => end = Some(found.at),
            (0, _) if found.at > 0 => return None,
            _ => {}
        }
    }
    let end = end.filter(|end| end + 1 == bracketed.len())?;
    parts.push(bracketed.get(start..end)?.trim());
    Some(parts)
}

/// Parts a type from the `comment '…'` after it.
fn split_comment(text: &str) -> (&str, Option<String>) {
    const WORD: usize = "comment".len();
    let found = Outside::new(text)
        .filter(|found| found.depth == 0)
        .find_map(|found| {
            let (before, rest) = text.split_at_checked(found.at)?;
            let (word, after) = rest.split_at_checked(WORD)?;
            let stands_alone = before.is_empty() || before.ends_with(char::is_whitespace);
            let after = after.trim();
            let is_comment = stands_alone
                && word.eq_ignore_ascii_case("comment")
                && after.starts_with(['\'', '"']);
            is_comment.then(|| (before.trim(), unquote(after)))
        });
    match found {
        Some((data_type, comment)) => (data_type, Some(comment).filter(|text| !text.is_empty())),
        None => (text.trim(), None),
    }
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (before, end) = text.split_at_checked(at)?;
    let parted = before.ends_with(char::is_whitespace);
    (parted && end.eq_ignore_ascii_case(suffix)).then(|| before.trim_end())
}

/// Takes the quoted name off the front of a text.
fn split_quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut chars = text.char_indices();
    let (_, quote) = chars.next()?;
    while let Some((at, found)) = chars.next() {
        if found != quote {
            continue;
        }
        let after = at + quote.len_utf8();
        let rest = text.get(after..)?;
        if rest.starts_with(quote) {
            chars.next();
            continue;
        }
        let name = text.get(quote.len_utf8()..at)?;
        let doubled = [quote, quote].iter().collect::<String>();
        let name = if name.contains(&doubled) {
            Cow::Owned(name.replace(&doubled, quote.encode_utf8(&mut [0; 4])))
        } else {
            Cow::Borrowed(name)
        };
        return Some((name, rest));
    }
    None
}

/// The text inside its quotes, with what was escaped or doubled in it.
fn unquote(quoted: &str) -> String {
    let mut chars = quoted.chars();
    let quote = chars.next();
    let mut text = String::with_capacity(quoted.len());
    while let Some(found) = chars.next() {
        match found {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(escaped) => text.push(escaped),
                None => text.push('\\'),
            },
            found if Some(found) == quote => match chars.next() {
                Some(next) if Some(next) == quote => text.push(next),
                _ => break,
            },
            found => text.push(found),
        }
    }
    text
}

/// A byte outside of every quote, and how many brackets are open around it (its own not counted).
struct Found {
    at: usize,
    byte: u8,
    depth: usize,
}

/// Walks over a type without recursion and shows what stands outside of quotes; ends early where brackets do not match.
struct Outside<'a> {
    bytes: &'a [u8],
    at: usize,
    closers: Vec<u8>,
}

impl<'a> Outside<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            closers: Vec::new(),
        }
    }

    /// A quote begins a name or a comment only after a space or a separator; elsewhere it is a character like others.
    fn begins_quote(&self, byte: u8) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.bytes.get(at));
        matches!(byte, b'\'' | b'"' | b'`')
            && before.is_none_or(|byte| byte.is_ascii_whitespace() || b",<(:".contains(byte))
    }

    /// Moves behind the quote that begins here; to the very end when it is never closed.
    fn skip_quote(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            if byte == b'\\' && quote == b'\'' {
                self.at += 1;
            } else if byte == quote {
                if self.bytes.get(self.at) != Some(&quote) {
                    return;
                }
                self.at += 1;
            }
        }
    }
}

impl Iterator for Outside<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let mut byte = *self.bytes.get(self.at)?;
        while self.begins_quote(byte) {
            self.skip_quote(byte);
            byte = *self.bytes.get(self.at)?;
        }
        let at = self.at;
        self.at += 1;
        let mut depth = self.closers.len();
        match byte {
            b'<' => self.closers.push(b'>'),
            b'(' => self.closers.push(b')'),
            b'>' | b')' => {
                if self.closers.pop() != Some(byte) {
                    self.at = self.bytes.len();
                    return None;
                }
                depth -= 1;
            }
            _ => {}
        }
        Some(Found { at, byte, depth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every nested field as `path type`, one a line.
    fn listing(data_type: &str) -> Vec<String> {
        let columns = nested(data_type, "c");
        let all = columns.iter().flat_map(Column::walk);
        all.map(|column| format!("{} {}", column.path, column.data_type))
            .collect()
    }

    #[test]
    fn plain_types_have_no_fields() {
        for plain in [
            "string",
            "decimal(10,2)",
            "varchar(20)",
            "double precision",
            "timestamp(6) with time zone",
            "timestamp with local time zone",
            "interval day to second",
            "array<string>",
            "map<string,int>",
            "struct<>",
            "uniontype<int,string>",
            "",
            "uuid",
            "json",
            "geometry<4326>",
        ] {
            assert!(listing(plain).is_empty(), "{plain}");
        }
    }

    #[test]
    fn structs_arrays_and_maps_nest() {
        let deep = "struct<a:array<map<string,struct<b:array<struct<c:decimal(38,18),\
                    d:map<int,array<date>>>>,e:uniontype<int,string>>>>,f:struct<>>";

        assert_eq!(
            listing(deep),
            [
                "c.a array<map<string,struct<b:array<struct<c:decimal(38,18),d:map<int,array<date>>>>,\
                 e:uniontype<int,string>>>>",
                "c.a[]{}.b array<struct<c:decimal(38,18),d:map<int,array<date>>>>",
                "c.a[]{}.b[].c decimal(38,18)",
                "c.a[]{}.b[].d map<int,array<date>>",
                "c.a[]{}.e uniontype<int,string>",
                "c.f struct<>",
            ]
        );
    }

    #[test]
    fn case_and_space_do_not_matter_and_words_stay_as_they_are() {
        assert_eq!(
            listing(" STRUCT < A : Int , b: Array< Struct<X:DATE> > > "),
            ["c.A Int", "c.b Array< Struct<X:DATE> >", "c.b[].X DATE"]
        );
    }

    #[test]
    fn names_may_be_quoted_and_are_quoted_again_in_paths() {
        assert_eq!(
            listing(
                "STRUCT<`quoted name`:string,`select`:int,`a.b`:int,`x``y`:int,\"q\"\"r\":int>"
            ),
            [
                "c.quoted name string",
                "c.select int",
                "c.\"a.b\" int",
                "c.x`y int",
                "c.\"q\"\"r\" int"
            ]
        );
    }

    #[test]
    fn a_comment_may_hold_anything() {
        let columns = nested(
            "struct<a:int comment 'one, <two> (three',b:string COMMENT 'it\\'s ''so''',c:int comment ''>",
            "c",
        );

        let comments: Vec<_> = columns
            .iter()
            .map(|column| column.comment.as_deref())
            .collect();
        assert_eq!(
            comments,
            [Some("one, <two> (three"), Some("it's 'so'"), None]
        );
        assert_eq!(columns[0].data_type, "int");
    }

    #[test]
    fn a_field_may_be_called_comment() {
        assert_eq!(
            listing("struct<comment:string,x:int>"),
            ["c.comment string", "c.x int"]
        );
        assert_eq!(listing("row(comment varchar)"), ["c.comment varchar"]);
    }

    #[test]
    fn rows_are_read_with_and_without_names() {
        assert_eq!(
            listing(
                "row(\"field1\" integer,at timestamp(6) with time zone, d decimal(10, 2), r row(x double))"
            ),
            [
                "c.field1 integer",
                "c.at timestamp(6) with time zone",
                "c.d decimal(10, 2)",
                "c.r row(x double)",
                "c.r.x double",
            ]
        );
        assert_eq!(
            listing(
                "row(integer, timestamp(3) with time zone, double precision, decimal(10, 2), row(a date))"
            ),
            [
                "c.field0 integer",
                "c.field1 timestamp(3) with time zone",
                "c.field2 double precision",
                "c.field3 decimal(10, 2)",
                "c.field4 row(a date)",
                "c.field4.a date",
            ]
        );
    }

    #[test]
    fn presto_containers_use_round_brackets() {
        assert_eq!(
            listing("array(map(varchar,row(unit varchar)))"),
            ["c[]{}.unit varchar"]
        );
    }

    #[test]
    fn alternatives_of_a_union_that_have_fields_are_listed_by_place() {
        assert_eq!(
            listing("uniontype<int,struct<a:int>>"),
            ["c.field1 struct<a:int>", "c.field1.a int"]
        );
    }

    #[test]
    fn a_field_that_may_not_be_null_says_so() {
        let columns = nested("struct<a:int NOT NULL COMMENT 'key',b:int>", "c");

        assert_eq!(columns[0].nullable, Some(false));
        assert_eq!(columns[0].data_type, "int");
        assert_eq!(columns[0].comment.as_deref(), Some("key"));
        assert_eq!(columns[1].nullable, None);
    }

    #[test]
    fn malformed_types_stay_text_where_they_are_malformed() {
        for malformed in [
            "struct<a:int",
            "struct<a:int>>",
            "struct<a:int)",
            "struct<a>",
            "struct<a:>",
            "struct<:int>",
            "array<",
            "array<int,int>",
            "map<string>",
            "struct<a:int>x",
            "struct<`a:int>",
            "row(",
            "<",
            ")",
            "struct<a:int comment 'x>",
            "struct<,>",
        ] {
            assert!(listing(malformed).is_empty(), "{malformed}");
        }
        assert_eq!(
            listing("struct<a:int,b:array<struct<x>>>"),
            ["c.a int", "c.b array<struct<x>>"]
        );
    }

    #[test]
    fn of_two_fields_with_one_name_the_first_is_kept() {
        assert_eq!(
            listing("struct<a:int,a:string,A:date>"),
            ["c.a int", "c.A date"]
        );
    }

    #[test]
    fn endless_nesting_ends_somewhere() {
        let deep = format!("{}int{}", "struct<a:".repeat(20_000), ">".repeat(20_000));
        let columns = nested(&deep, "c");

        assert_eq!(columns.iter().flat_map(Column::walk).count(), DEEPEST);
        assert!(nested(&"array<".repeat(50_000), "c").is_empty());
    }

    #[test]
    fn names_in_any_script_are_kept() {
        assert_eq!(
            listing("struct<이동거리(m):double,it's:int>"),
            ["c.이동거리(m) double", "c.it's int"]
        );
    }
}
