//! The fields inside a type as columns: a tree with paths, within bounds, and a finding for whatever stays text.
//!
//! A type's own words are never changed or lost. Of two fields with one name, both are there.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::type_members::{Member, Part};
use super::types::{Malformed, Shape};
use crate::catalog::Column;

/// How many levels of nesting are followed; what lies deeper stays text. Stored documents nest twice for each level,
/// and readers of JSON give up at 128.
const DEEPEST: usize = 48;

/// How many bytes the fields of one table may take; what is above stays text.
const MOST_BYTES: usize = 16 << 20;

/// What a field takes beside its texts, in bytes.
const FIELD_BYTES: usize = 256;

/// So many findings about one table are told; the others are counted.
const MOST_TOLD: usize = 10;

/// So much of a text is told in a finding, in characters.
const TOLD: usize = 120;

/// What is read of the types of one table, and what could not be.
pub(super) struct Fields {
    left: usize,
    findings: Vec<String>,
    /// How many more there are.
    untold: usize,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            left: MOST_BYTES,
            findings: Vec::new(),
            untold: 0,
        }
    }
}

impl Fields {
    /// The fields nested in a column of this type, whose paths begin with the column's.
    pub(super) fn inside(&mut self, data_type: &str, path: &str) -> Vec<Column> {
        self.at_depth(data_type, path, 0)
    }

    /// Notes something that was coped with, as a whole sentence.
    pub(super) fn find(&mut self, finding: String) {
        if self.findings.len() < MOST_TOLD {
            self.findings.push(finding);
        } else {
            self.untold += 1;
        }
    }

    /// Everything that was coped with.
    pub(super) fn into_findings(self) -> Vec<String> {
        let mut findings = self.findings;
        if self.untold > 0 {
            findings.push(format!(
                "{} more columns or fields of it could not be read as they stand.",
                self.untold
            ));
        }
        findings
    }

    /// Takes room for one more field, if there is some left.
    pub(super) fn make_room(&mut self, path: &str, data_type: &str) -> bool {
        let room = self
            .left
            .checked_sub(path.len() + data_type.len() + FIELD_BYTES);
        self.left = room.unwrap_or_default();
        room.is_some()
    }

    /// Says that what is inside a field is not listed.
    pub(super) fn leave_as_text(&mut self, path: &str) {
        self.find(format!(
            "“{}” has more inside than is listed; the rest is shown as its type’s text.",
            told(path)
        ));
    }

    fn at_depth(&mut self, data_type: &str, path: &str, depth: usize) -> Vec<Column> {
        let shape = match Shape::parse(data_type) {
            Ok(None) => return Vec::new(),
            Ok(Some(shape)) => shape,
            Err(Malformed) => {
                self.find(format!(
                    "The type of “{}” could not be split into fields; it is shown as text: {}",
                    told(path),
                    told(data_type)
                ));
                return Vec::new();
            }
        };
        if depth == DEEPEST {
            self.leave_as_text(path);
            return Vec::new();
        }
        match shape {
            Shape::Array(element) => self.at_depth(element, &format!("{path}[]"), depth + 1),
            Shape::Map { key, value } => self.in_map(key, value, path, depth),
            Shape::Struct(parts) => self.in_struct(parts, path, depth),
            Shape::Union(alternatives) => self.in_union(&alternatives, path, depth),
        }
    }

    /// The fields of a map's values; where keys are more than a word, keys and values apart.
    fn in_map(&mut self, key: &str, value: &str, path: &str, depth: usize) -> Vec<Column> {
        let (key_path, value_path) = (format!("{path}{{key}}"), format!("{path}{{}}"));
        let in_key = self.at_depth(key, &key_path, depth + 1);
        let in_value = self.at_depth(value, &value_path, depth + 1);
        let is_plain = matches!(Shape::parse(key), Ok(None));
        if is_plain || (in_key.is_empty() && in_value.is_empty()) {
            return in_value;
        }
        [
            ("key", key_path, key, in_key),
            ("value", value_path, value, in_value),
        ]
        .map(|(name, path, data_type, fields)| Column {
            name: name.to_owned(),
            path,
            data_type: data_type.to_owned(),
            fields,
            ..Column::default()
        })
        .into()
    }

    fn in_struct(&mut self, parts: Vec<Part<'_>>, path: &str, depth: usize) -> Vec<Column> {
        let mut columns = Vec::new();
        let mut paths = Paths::for_so_many(parts.len());
        for (place, part) in parts.into_iter().enumerate() {
            let (name, member) = match part {
                Part::Member(mut member) => {
                    let name = member.name.take();
                    let name = name.map_or_else(|| unnamed(place), Cow::into_owned);
                    (name, Some(member))
                }
                Part::Unreadable(text) => (text.to_owned(), None),
            };
            let path = paths.next(&format!("{path}.{}", quoted(&name)));
            let data_type = member.as_ref().map_or("", |member| member.data_type);
            if !self.make_room(&path, data_type) {
                self.leave_as_text(&path);
                // All or nothing: half a list would hide what is missing.
                return Vec::new();
            }
            columns.push(self.field(name, path, member, depth));
        }
        self.find_twins(&paths);
        columns
    }

    fn field(
        &mut self,
        name: String,
        path: String,
        member: Option<Member<'_>>,
        depth: usize,
    ) -> Column {
        let Some(member) = member else {
            self.find(format!(
                "“{}” could not be split into a name and a type; it is shown as it is.",
                told(&path)
            ));
            return Column {
                name,
                path,
                ..Column::default()
            };
        };
        if !member.known {
            self.find(format!(
                "“{}” has a type that no engine is known to have: {}",
                told(&path),
                told(member.data_type)
            ));
        }
        Column {
            fields: self.at_depth(member.data_type, &path, depth + 1),
            path,
            name,
            data_type: member.data_type.to_owned(),
            comment: member.comment,
            nullable: member.nullable,
            ..Column::default()
        }
    }

    /// The alternatives of a union, if one of them has fields, named by their place as query engines name them.
    fn in_union(&mut self, alternatives: &[&str], path: &str, depth: usize) -> Vec<Column> {
        let mut columns = Vec::new();
        for (place, data_type) in alternatives.iter().enumerate() {
            let name = unnamed(place);
            let path = format!("{path}.{name}");
            if !self.make_room(&path, data_type) {
                self.leave_as_text(&path);
                return Vec::new();
            }
            columns.push(Column {
                fields: self.at_depth(data_type, &path, depth + 1),
                name,
                path,
                data_type: (*data_type).to_owned(),
                ..Column::default()
            });
        }
        if columns.iter().all(|column| column.fields.is_empty()) {
            columns.clear();
        }
        columns
    }

    /// Says which names stand there more than once.
    pub(super) fn find_twins(&mut self, paths: &Paths) {
        for path in paths.twins() {
            self.find(format!(
                "There is more than one “{}”; each is shown.",
                told(&path)
            ));
        }
    }
}

/// Paths of which no two are the same: the second of one name has `[2]` behind it, which is no part of any name.
#[derive(Default)]
pub(super) struct Paths {
    seen: HashMap<String, usize, RandomState>,
}

impl Paths {
    pub(super) fn for_so_many(columns: usize) -> Self {
        let seen = HashMap::with_capacity_and_hasher(columns, RandomState::default());
        Self { seen }
    }

    /// The path for the next column or field that would have this one.
    pub(super) fn next(&mut self, path: &str) -> String {
        let count = self.seen.entry(path.to_owned()).or_default();
        *count += 1;
        match count {
            1 => path.to_owned(),
            count => format!("{path}[{count}]"),
        }
    }

    fn twins(&self) -> Vec<String> {
        let twins = self.seen.iter().filter(|(_, count)| **count > 1);
        let mut twins: Vec<String> = twins.map(|(path, _)| path.clone()).collect();
        twins.sort_unstable();
        twins
    }
}

/// A name as it stands in a path: quoted when it holds a character that means something there.
pub(super) fn quoted(name: &str) -> Cow<'_, str> {
    let means_something = |byte| matches!(byte, b'.' | b'[' | b']' | b'{' | b'}' | b'"');
    if name.is_empty() || name.bytes().any(means_something) {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(name)
    }
}

/// What engines call a field without a name.
fn unnamed(place: usize) -> String {
    format!("field{place}")
}

/// The beginning of a text, short enough for a sentence.
pub(super) fn told(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nested(data_type: &str, path: &str) -> Vec<Column> {
        Fields::default().inside(data_type, path)
    }

    fn findings(data_type: &str) -> Vec<String> {
        let mut fields = Fields::default();
        fields.inside(data_type, "c");
        fields.into_findings()
    }

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
    fn the_alternatives_of_a_union_are_listed_by_place_if_one_has_fields() {
        assert_eq!(
            listing("uniontype<int,struct<a:int>>"),
            ["c.field0 int", "c.field1 struct<a:int>", "c.field1.a int"]
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
            "array<",
            "array<int,int>",
            "map<string>",
            "struct<a:int>x",
            "row(",
            "<",
            ")",
            "struct<a:int comment 'x>",
            "struct<,>",
        ] {
            assert!(listing(malformed).is_empty(), "{malformed}");
        }
        for text in ["struct<a", "struct<a>", "array<int,int>", "row("] {
            let found = findings(text);
            assert!(found.len() <= 1, "{found:?}");
        }
        assert_eq!(
            findings("struct<a>"),
            ["The type of “c” could not be split into fields; it is shown as text: struct<a>"]
        );
        assert_eq!(
            listing("struct<a:int,b:array<struct<x>>>"),
            ["c.a int", "c.b array<struct<x>>"]
        );
    }

    #[test]
    fn of_two_fields_with_one_name_both_are_there_and_it_is_said() {
        let twice = "struct<a:int,a:struct<x:int>,A:date,b:string,a:int>";

        assert_eq!(
            listing(twice),
            [
                "c.a int",
                "c.a[2] struct<x:int>",
                "c.a[2].x int",
                "c.A date",
                "c.b string",
                "c.a[3] int"
            ]
        );
        assert_eq!(
            findings(twice),
            ["There is more than one “c.a”; each is shown."]
        );
    }

    #[test]
    fn a_name_may_hold_what_means_something_in_the_grammar() {
        for (data_type, expected) in [
            (
                "struct<aws:launchtemplate:id:string,x:int>",
                vec!["c.aws:launchtemplate:id string", "c.x int"],
            ),
            (
                "struct<aws:x:struct<a:b:int>>",
                vec!["c.aws:x struct<a:b:int>", "c.aws:x.a:b int"],
            ),
            (
                "struct<a->b:string,ok:int>",
                vec!["c.a->b string", "c.ok int"],
            ),
            (
                "struct<s:struct<a>b:int>,ok:int>",
                vec!["c.s struct<a>b:int>", "c.s.a>b int", "c.ok int"],
            ),
            (
                "struct<s:array<struct<a<b:int,(:date>>,ok:int>",
                vec![
                    "c.s array<struct<a<b:int,(:date>>",
                    "c.s[].a<b int",
                    "c.s[].( date",
                    "c.ok int",
                ],
            ),
            (
                "struct<price (eur):double,gpa_!@#%^&*():double>",
                vec!["c.price (eur) double", "c.gpa_!@#%^&*() double"],
            ),
            (
                "struct<11ts:float,2024:int,:string>",
                vec!["c.11ts float", "c.2024 int", "c.\"\" string"],
            ),
            (
                "struct<price,eur:double,ok:int>",
                vec!["c.price,eur double", "c.ok int"],
            ),
            (
                "struct<a,b:decimal(10,2),`c,d:e`:int>",
                vec!["c.a,b decimal(10,2)", "c.c,d:e int"],
            ),
            (
                r#"struct<it's:int,'q:int,"r:int>"#,
                vec!["c.it's int", "c.'q int", "c.\"\"\"r\" int"],
            ),
            (
                "struct<line\nbreak:int,tab\there:int>",
                vec!["c.line\nbreak int", "c.tab\there int"],
            ),
        ] {
            assert_eq!(listing(data_type), expected, "{data_type}");
            assert!(findings(data_type).is_empty(), "{data_type}");
        }
    }

    #[test]
    fn what_cannot_be_split_is_kept_as_text_and_its_neighbours_stay() {
        let odd = "struct<a:int,b:???,c:string,s:struct<x:!,y:date>,d>";

        assert_eq!(
            listing(odd),
            [
                "c.a int",
                "c.b:??? ",
                "c.c string",
                "c.s struct<x:!,y:date>",
                "c.s.x:! ",
                "c.s.y date",
                "c.d "
            ]
        );
        assert_eq!(findings(odd).len(), 3);
        assert_eq!(
            findings(odd)[0],
            "“c.b:???” could not be split into a name and a type; it is shown as it is."
        );
    }

    #[test]
    fn a_type_that_no_engine_has_is_said_to_be_one() {
        assert_eq!(listing("struct<a:b,c:int>"), ["c.a b", "c.c int"]);
        assert_eq!(
            findings("struct<a:b,c:int>"),
            ["“c.a” has a type that no engine is known to have: b"]
        );
        assert!(findings("struct<a:variant,b:geometry(OGC:CRS84),c:time(6)>").is_empty());
    }

    #[test]
    fn keys_of_a_map_that_have_fields_are_listed_too() {
        assert_eq!(
            listing("map<struct<k:int>,array<struct<v:date>>>"),
            [
                "c{key} struct<k:int>",
                "c{key}.k int",
                "c{} array<struct<v:date>>",
                "c{}[].v date"
            ]
        );
    }

    #[test]
    fn a_comment_may_hold_its_own_quotes_unescaped() {
        let columns = nested(
            r#"struct<a:string COMMENT 'it's > 5 (really)',b:int COMMENT "two, \"words\"",c:struct<d:int COMMENT 'x'> COMMENT 'a, b'>"#,
            "c",
        );

        let comments: Vec<_> = columns
            .iter()
            .flat_map(Column::walk)
            .map(|column| column.comment.as_deref().unwrap_or_default())
            .collect();
        assert_eq!(
            comments,
            ["it's > 5 (really)", "two, \"words\"", "a, b", "x"]
        );
    }

    #[test]
    fn endless_nesting_ends_somewhere() {
        let deep = format!("{}int{}", "struct<a:".repeat(20_000), ">".repeat(20_000));
        let columns = nested(&deep, "c");

        assert_eq!(columns.iter().flat_map(Column::walk).count(), DEEPEST);
        assert!(nested(&"array<".repeat(50_000), "c").is_empty());
        let deep = format!("{}int{}", "struct<a:".repeat(100_000), ">".repeat(100_000));
        assert!(!findings(&deep).is_empty());
        for odd in [
            "struct<a:struct<x,",
            "struct<a:",
            "map<int,",
            "row(a ",
            "a:int comment 'a:",
            "x:f(",
            "b:?,",
            "\"",
            ":",
            ",",
        ] {
            for text in [
                format!("struct<{}>", odd.repeat(10_000)),
                format!("struct<{}{}>", odd.repeat(10_000), ">".repeat(10_000)),
            ] {
                let mut fields = Fields::default();
                let columns = fields.inside(&text, "c");
                let bytes = columns.iter().flat_map(Column::walk);
                let bytes: usize = bytes
                    .map(|column| column.path.len() + column.data_type.len())
                    .sum();
                assert!(bytes <= MOST_BYTES, "{odd}");
                assert!(!fields.into_findings().is_empty(), "{odd}");
            }
        }
    }

    #[test]
    fn names_in_any_script_are_kept() {
        assert_eq!(
            listing("struct<이동거리(m):double,it's:int>"),
            ["c.이동거리(m) double", "c.it's int"]
        );
    }

    /// A type with its text, and every name and plain type in it.
    #[derive(Debug, Clone)]
    struct Sample {
        text: String,
        names: Vec<String>,
        types: Vec<String>,
    }

    fn odd_name() -> impl Strategy<Value = String> {
        let odd = "[a-zA-Z0-9_:,<>()\\[\\]{}.'\"`|/%&+é漢 \n\t-]{0,8}";
        // A quote at the beginning quotes the name; those are written as such below.
        let spaced = |name: String| name.trim().trim_start_matches(['`', '"']).trim().to_owned();
        prop_oneof![
            "[a-z_][a-z0-9_]{0,6}",
            odd.prop_map(spaced),
            Just("aws:ec2:id".to_owned()),
            Just("comment".to_owned()),
            Just("a->b".to_owned()),
        ]
    }

    fn plain_type() -> impl Strategy<Value = Sample> {
        proptest::sample::select(vec![
            "int",
            "string",
            "decimal(10, 2)",
            "varchar(16)",
            "timestamp(3) with time zone",
            "double precision",
            "DATE",
        ])
        .prop_map(|word| Sample {
            text: word.to_owned(),
            names: Vec::new(),
            types: vec![word.to_owned()],
        })
    }

    fn joined(samples: Vec<Sample>, write: impl Fn(&[String]) -> String) -> Sample {
        let texts: Vec<String> = samples.iter().map(|sample| sample.text.clone()).collect();
        Sample {
            text: write(&texts),
            names: samples.iter().flat_map(|one| one.names.clone()).collect(),
            types: samples.into_iter().flat_map(|one| one.types).collect(),
        }
    }

    fn any_type() -> impl Strategy<Value = Sample> {
        let comment = proptest::option::of("[a-z',<>:()]{0,6}");
        plain_type().prop_recursive(5, 40, 5, move |inner| {
            let member = (odd_name(), inner.clone(), comment.clone(), any::<bool>());
            let array = inner
                .clone()
                .prop_map(|one| joined(vec![one], |texts| format!("array<{}>", texts[0])));
            let map = (inner.clone(), inner.clone()).prop_map(|(key, value)| {
                joined(vec![key, value], |texts| {
                    format!("map<{}, {}>", texts[0], texts[1])
                })
            });
            let union = proptest::collection::vec(inner, 1..4)
                .prop_map(|all| joined(all, |texts| format!("uniontype<{}>", texts.join(","))));
            let members = proptest::collection::vec(member, 0..5).prop_map(|members| {
                let mut names = Vec::new();
                let mut written = Vec::new();
                let mut types = Vec::new();
                for (name, data_type, comment, quoted) in members {
                    let comment = comment.map_or_else(String::new, |text| {
                        format!(" COMMENT '{}'", text.replace('\'', "''"))
                    });
                    let quoted = quoted.then(|| format!("`{}`", name.replace('`', "``")));
                    let shown = quoted.as_ref().unwrap_or(&name);
                    written.push(format!("{shown}:{}{comment}", data_type.text));
                    names.push(name);
                    names.extend(data_type.names);
                    types.extend(data_type.types);
                }
                Sample {
                    text: format!("struct<{}>", written.join(",")),
                    names,
                    types,
                }
            });
            prop_oneof![1 => array, 1 => map, 1 => union, 3 => members]
        })
    }

    /// Everything that people are shown of a column's type: its words, up to where fields in rows of their own go on.
    fn shown(data_type: &str, columns: &[Column]) -> String {
        if columns.is_empty() {
            return data_type.to_owned();
        }
        let named = ["struct<", "row(", "uniontype<"];
        let outline = named.iter().filter_map(|word| data_type.find(word)).min();
        let mut text = data_type.split_at(outline.unwrap_or_default()).0.to_owned();
        for column in columns {
            text.push_str(&column.name);
            text.push('\n');
            text.push_str(&shown(&column.data_type, &column.fields));
            text.push('\n');
            text.push_str(column.comment.as_deref().unwrap_or_default());
            text.push('\n');
        }
        text
    }

    fn is_type(text: &str) -> bool {
        let plain = super::super::type_words::plain(text, 0);
        plain.is_some_and(|plain| plain.known && (plain.end == text.len() || text.contains('<')))
    }

    fn distinct_paths(columns: &[Column]) -> bool {
        let all = || columns.iter().flat_map(Column::walk);
        let paths: std::collections::HashSet<&str> =
            all().map(|column| column.path.as_str()).collect();
        paths.len() == all().count()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_name_and_type_is_shown_or_a_finding_says_what_is_not(sample in any_type()) {
            let mut fields = Fields::default();
            let columns = fields.inside(&sample.text, "c");
            let shown = shown(&sample.text, &columns);
            let findings = fields.into_findings();

            prop_assert!(distinct_paths(&columns), "{columns:?}");
            for column in columns.iter().flat_map(Column::walk) {
                prop_assert!(
                    is_type(&column.data_type) || !findings.is_empty(),
                    "“{}” is no type, in {}",
                    column.data_type,
                    sample.text
                );
            }
            for word in sample.names.iter().chain(&sample.types) {
                prop_assert!(
                    shown.contains(word.as_str()) || !findings.is_empty(),
                    "“{word}” of {} is not in {shown}",
                    sample.text
                );
            }
        }

        #[test]
        fn whatever_a_type_is_none_of_its_letters_is_lost(
            text in "(struct<|array<|map<|row\\(|uniontype<)?([a-z]{0,3}[:,<>() `'\"]?(int|struct<|string)?){0,12}>?"
        ) {
            let mut fields = Fields::default();
            let columns = fields.inside(&text, "c");
            let shown = shown(&text, &columns);

            prop_assert!(distinct_paths(&columns), "{columns:?}");
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).count();
            // The words of the containers themselves are told in outline.
            let containers = ["struct<", "array<", "map<", "row(", "uniontype<"];
            let told: usize = containers
                .iter()
                .map(|word| text.matches(word).count() * (word.len() - 1))
                .sum();
            prop_assert!(letters(&shown) + told >= letters(&text), "{text} is shown as {shown}");
        }
    }
}
