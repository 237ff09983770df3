//! SQL with its words told apart by colour, exactly as it was written otherwise.

use std::collections::{HashMap, HashSet};

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use super::parts::Html;
use crate::catalog::unseen::{is_unseen, name_of_letter};

/// Longer texts are shown without colours.
const LONGEST: usize = 50_000;

/// Words that structure a statement; columns may be named like other keywords.
const WORDS: &[&str] = &[
    "ALL",
    "AND",
    "ANTI",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "FALSE",
    "FETCH",
    "FILTER",
    "FOLLOWING",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "IF",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "ORDINALITY",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "RANGE",
    "RECURSIVE",
    "REPLACE",
    "RIGHT",
    "RLIKE",
    "ROLLUP",
    "ROWS",
    "SELECT",
    "SEMI",
    "SETS",
    "TABLESAMPLE",
    "THEN",
    "TRUE",
    "TRY_CAST",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
];

/// Marks up SQL; text that cannot be cut into words comes back plain.
pub(super) fn highlight(sql: &str) -> Html {
    linked(sql, |_| None)
}

/// Marks up SQL, with a link at each table that it reads and that `href` knows.
pub(super) fn linked(sql: &str, href: impl Fn(&[String]) -> Option<String>) -> Html {
    let tokens = tokens(sql);
    let mut begins = HashMap::new();
    let mut ends = HashSet::new();
    for name in names(&tokens) {
        if let Some(href) = href(&name.path) {
            begins.insert(name.start, href);
            ends.insert(name.end);
        }
    }
    let mut starts = starts(&tokens).into_iter().peekable();
    let mut html = String::with_capacity(sql.len() * 2);
    let (mut line, mut column) = (1, 1);
    let mut open = None;
    let mut in_link = false;
    for letter in sql.chars() {
        if in_link && ends.contains(&(line, column)) {
            html.push_str("</a>");
            in_link = false;
        }
        while let Some(start) = starts.next_if(|start| start.place <= (line, column)) {
            if open != start.class {
                close(&mut html, open);
                open = start.class;
                if let Some(class) = open {
                    html.push_str("<span class=\"");
                    html.push_str(class);
                    html.push_str("\">");
                }
            }
        }
        if let Some(href) = begins.get(&(line, column)) {
            html.push_str("<a href=\"");
            href.chars()
                .for_each(|letter| push_escaped(&mut html, letter));
            html.push_str("\">");
            in_link = true;
        }
        push_legible(&mut html, letter);
        if letter == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    if in_link {
        html.push_str("</a>");
    }
    close(&mut html, open);
    Html(html)
}

/// The names of the tables that a statement reads, each once, as far as they stand behind `FROM` and `JOIN`.
pub(super) fn tables(sql: &str) -> Vec<Vec<String>> {
    let mut seen = HashSet::new();
    let names = names(&tokens(sql)).into_iter().map(|name| name.path);
    names.filter(|path| seen.insert(path.clone())).collect()
}

/// The name of a table, and where it stands.
struct Name {
    path: Vec<String>,
    start: (u64, u64),
    end: (u64, u64),
}

fn names(tokens: &[TokenWithSpan]) -> Vec<Name> {
    let words = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)));
    let mut words = words.peekable();
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        let reads = matches!(&word.token, Token::Word(word)
            if word.quote_style.is_none()
                && ["FROM", "JOIN"].iter().any(|one| one.eq_ignore_ascii_case(&word.value)));
        if !reads {
            continue;
        }
        let mut name: Option<Name> = None;
        while let Some(token) = words.next_if(|token| {
            matches!(&token.token, Token::Word(word) if class_of(&token.token).is_none() || word.quote_style.is_some())
        }) {
            let Token::Word(word) = &token.token else {
                break;
            };
            let start = (token.span.start.line, token.span.start.column);
            let name = name.get_or_insert_with(|| Name {
                path: Vec::new(),
                start,
                end: start,
            });
            name.path.push(word.value.clone());
            name.end = (token.span.end.line, token.span.end.column);
            if words.next_if(|token| token.token == Token::Period).is_none() {
                break;
            }
        }
        names.extend(name);
    }
    names
}

/// The words of a statement; none where it is too long or cannot be cut.
fn tokens(sql: &str) -> Vec<TokenWithSpan> {
    if sql.len() > LONGEST {
        return Vec::new();
    }
    let dialect = GenericDialect {};
    Tokenizer::new(&dialect, sql)
        .with_unescape(false)
        .tokenize_with_location()
        .unwrap_or_default()
}

/// Where a word begins, by line and column, and what sort of word it is.
struct Start {
    place: (u64, u64),
    class: Option<&'static str>,
}

fn starts(tokens: &[TokenWithSpan]) -> Vec<Start> {
    tokens
        .iter()
        .map(|token| Start {
            place: (token.span.start.line, token.span.start.column),
            class: class_of(&token.token),
        })
        .collect()
}

fn class_of(token: &Token) -> Option<&'static str> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let upper = word.value.to_ascii_uppercase();
            WORDS.binary_search(&upper.as_str()).is_ok().then_some("k")
        }
        Token::Number(..) => Some("n"),
        Token::SingleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::TripleSingleQuotedString(_)
        | Token::DollarQuotedString(_) => Some("s"),
        Token::Whitespace(
            Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_),
        ) => Some("c"),
        _ => None,
    }
}

fn close(html: &mut String, open: Option<&str>) {
    if open.is_some() {
        html.push_str("</span>");
    }
}

/// Adds a letter; one that cannot be seen is shown by name, and is copied as it is.
fn push_legible(html: &mut String, letter: char) {
    if !is_unseen(letter) || matches!(letter, '\n' | '\r' | '\t' | '\u{200c}' | '\u{200d}') {
        return push_escaped(html, letter);
    }
    html.push_str("<span class=\"by-name\" data-name=\"");
    html.push_str(&name_of_letter(letter));
    html.push_str("\"><span>");
    // HTML has no character zero.
    push_escaped(html, if letter == '\0' { '\u{fffd}' } else { letter });
    html.push_str("</span></span>");
}

fn push_escaped(html: &mut String, letter: char) {
    match letter {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#x27;"),
        other => html.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(html: &str) -> String {
        scraper::Html::parse_fragment(html)
            .root_element()
            .text()
            .collect()
    }

    #[test]
    fn words_are_in_the_order_that_looking_them_up_needs() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_letter_that_cannot_be_seen_is_shown_by_name() {
        let html = highlight("a\u{202e}b\u{0}").0;

        assert!(html.contains("data-name=\"\\u202e\""), "{html}");
        assert!(html.contains("data-name=\"\\u0000\""), "{html}");
        assert!(!html.contains('\0'), "{html}");
    }

    #[test]
    fn words_texts_numbers_and_comments_are_told_apart() {
        let html = highlight("select name, 12 from t -- why\nwhere a != 'x<y'").0;
        assert_eq!(
            html,
            "<span class=\"k\">select</span> name, <span class=\"n\">12</span> <span class=\"k\">from</span> t \
             <span class=\"c\">-- why</span>\n<span class=\"k\">where</span> a != \
             <span class=\"s\">&#x27;x&lt;y&#x27;</span>"
        );
    }

    #[test]
    fn tables_that_are_known_are_links() {
        let sql = "select * from Shop.\"orders\" o join returns using (id) where x in (select y from (values 1))";
        let known = |path: &[String]| (path.len() == 2).then(|| "/assets/1?a&b".to_owned());

        let html = linked(sql, known).0;

        assert_eq!(tables(sql), [vec!["Shop", "orders"], vec!["returns"]]);
        assert!(
            html.contains("<a href=\"/assets/1?a&amp;b\">Shop.&quot;orders&quot;</a> o"),
            "{html}"
        );
        assert_eq!(text_of(&html), sql);
    }

    #[test]
    fn the_text_stays_exactly_as_it_was_written() {
        for sql in [
            "SELECT  *\r\nFROM \"a\"\"b\" WHERE x<>1 AND y!='it''s' /* é 👪 */ LIMIT\t5;",
            "sel ect 'unfinished <script>alert(1)</script>",
            "",
            "$$ `~ \u{202e} {{x}} ${y}",
        ] {
            assert_eq!(
                text_of(&highlight(sql).0),
                sql.replace("\r\n", "\n"),
                "{sql}"
            );
        }
    }
}
