//! Which names a recipe reads: regular expressions, and what to write where one cannot be read.
//!
//! Expressions are copied from programs in Python, Java and Perl, which know more signs. Each of these is named with
//! what stands for it here. Deliberately absent: matching, and repeating an expression that a variable may have brought.

use regex::Regex;
use regex_syntax::ast::{self, ErrorKind};

use super::node::{Node, Value};
use super::problem::Problem;
use super::reader::{Fields, Reader};
use crate::sources::Pattern;

/// Signs of other dialects, by how they begin: why they cannot be read, and what to write instead.
const FOREIGN: [(&str, &str, &str); 17] = [
    ("(?P=", "backreferences are not supported", REPEATED),
    (r"(?P>", "a pattern cannot call a part of itself", REPEATED),
    ("(?&", "a pattern cannot call a part of itself", REPEATED),
    ("(?R", "a pattern cannot call a part of itself", REPEATED),
    (r"\k", "backreferences are not supported", REPEATED),
    (r"\g", "backreferences are not supported", REPEATED),
    (
        "(?>",
        "atomic groups are not supported",
        "Write “(?:” instead of “(?>”.",
    ),
    (
        "(?|",
        "branch resets are not supported",
        "Write “(?:” instead of “(?|”.",
    ),
    (
        "(?#",
        "comments are not supported",
        "Leave the comment out.",
    ),
    (
        "(?(",
        "conditions are not supported",
        "Write each case as a pattern of its own.",
    ),
    (
        "(?'",
        "this is not how a group is named",
        "Write “(?P<name>…)”, or leave the name out.",
    ),
    (
        r"\Z",
        r"“\Z” is not supported",
        r"Write “\z” or “$” for the end of a name.",
    ),
    (
        r"\G",
        r"“\G” is not supported",
        "Leave it out: a pattern begins where the name begins.",
    ),
    (
        r"\K",
        r"“\K” is not supported",
        "Leave it out: only whether a name matches counts.",
    ),
    (
        r"\h",
        r"“\h” is not supported",
        r"Write “[ \t]” for a blank.",
    ),
    (
        r"\R",
        r"“\R” is not supported",
        r"Write “\n” for a line end.",
    ),
    (
        r"\Q",
        r"“\Q” is not supported",
        "Put a backslash before each sign that is meant as it is.",
    ),
];

const REPEATED: &str = "Write out the names that are meant.";

const AS_IT_IS: &str =
    "Patterns are regular expressions: put a backslash before a letter that is meant as it is.";

/// Reads which names to read: all, unless the recipe says otherwise.
pub(super) fn names(
    key: &'static str,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
) -> Pattern {
    let Some(mut fields) = fields.find(key).and_then(|node| reader.mapping(key, node)) else {
        return Pattern::default();
    };
    let mut allow = vec![".*".to_owned()];
    if let Some(node) = fields.find("allow") {
        allow = patterns("allow", node, reader);
        if matches!(&node.value, Value::List(nodes) if nodes.is_empty()) {
            let text = "Nothing is read, because “allow” is empty.";
            let problem = Problem::at(node.at, text).hint("Leave it out to read everything.");
            reader.problem(problem);
        }
    }
    let deny = fields
        .find("deny")
        .map(|node| patterns("deny", node, reader))
        .unwrap_or_default();
    let ignore_case = fields.truth("ignoreCase", reader).unwrap_or(true);
    let at = fields.place("");
    super::finish(fields, &[], reader);
    Pattern::new(&allow, &deny, ignore_case).unwrap_or_else(|_| {
        let text = format!("A pattern of “{key}” is too large.");
        reader.problem(Problem::at(at, text));
        Pattern::default()
    })
}

fn patterns(key: &'static str, node: &Node, reader: &mut Reader<'_>) -> Vec<String> {
    let nodes = reader.list(key, node).unwrap_or_default();
    nodes
        .iter()
        .filter_map(|node| pattern(key, node, reader))
        .collect()
}

fn pattern(key: &'static str, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    if node.is_nothing() {
        let text = format!("A pattern of “{key}” is text, but here stands nothing.");
        let hint = match &node.value {
            Value::Scalar(scalar) if scalar.text.len() > 1 => {
                "Quote it to mean the word, or write “.*” to mean every name."
            }
            _ => "Write “.*” to mean every name.",
        };
        reader.problem(Problem::at(node.at, text).hint(hint));
        return None;
    }
    let pattern = reader.word(key, node)?;
    let Err(error) = Regex::new(&pattern) else {
        return Some(pattern);
    };
    let (reason, hint) = why_no_pattern(&pattern, &error);
    let text = format!("The pattern {} cannot be read: {reason}.", node.shown());
    reader.problem(Problem::at(node.at, text).hint(hint));
    None
}

/// Why a pattern cannot be read, without repeating it, and what to do.
fn why_no_pattern(pattern: &str, error: &regex::Error) -> (String, &'static str) {
    match regex_syntax::parse(pattern) {
        Err(regex_syntax::Error::Parse(error)) => unreadable(pattern, &error),
        Err(regex_syntax::Error::Translate(error)) => (
            error.kind().to_string(),
            "Write a class of letters, such as “[a-z]”.",
        ),
        Err(_) => (error.to_string(), AS_IT_IS),
        Ok(_) => (
            "it is too large".to_owned(),
            "Write fewer repetitions, such as “.*” for “.{1,1000}”.",
        ),
    }
}

fn unreadable(pattern: &str, error: &ast::Error) -> (String, &'static str) {
    let at = error.span().start.offset;
    if let Some((_, reason, hint)) = FOREIGN
        .iter()
        .find(|(sign, ..)| stands_at(pattern, sign, at))
    {
        return ((*reason).to_owned(), hint);
    }
    let sign = pattern.get(at..).unwrap_or_default();
    (error.kind().to_string(), hint(error.kind(), sign))
}

/// Tells whether a sign stands where reading ended: an error points at the sign or into it.
fn stands_at(pattern: &str, sign: &str, at: usize) -> bool {
    (0..sign.len()).any(|inside| {
        let start = at.checked_sub(inside);
        start
            .and_then(|start| pattern.get(start..))
            .is_some_and(|rest| rest.starts_with(sign))
    })
}

fn hint(kind: &ErrorKind, sign: &str) -> &'static str {
    match kind {
        ErrorKind::UnsupportedLookAround if is_negative(sign) => {
            "Put what must not match into “deny” instead."
        }
        ErrorKind::UnsupportedLookAround => "Write out what must stand before and behind.",
        ErrorKind::UnsupportedBackreference => REPEATED,
        ErrorKind::RepetitionMissing if sign.starts_with('{') => {
            "Put a backslash before a “{” that is meant as it is. Templates such as “{{ name }}” are not filled in here."
        }
        ErrorKind::RepetitionMissing => {
            "Patterns are regular expressions: write “.*” where “*” was meant."
        }
        ErrorKind::RepetitionCountInvalid => "Write the smaller number first, such as “{1,2}”.",
        ErrorKind::RepetitionCountDecimalEmpty | ErrorKind::DecimalEmpty => {
            "Write both numbers, such as “{0,2}”."
        }
        ErrorKind::RepetitionCountUnclosed => {
            "Close it with “}”, or put a backslash before a “{” that is meant as it is."
        }
        ErrorKind::ClassUnclosed => {
            "Close it with “]”, or put a backslash before a “[” that is meant as it is."
        }
        ErrorKind::ClassRangeInvalid => "Write the smaller character first, such as “[a-z]”.",
        ErrorKind::FlagUnrecognized => "Leave the flag out; “ignoreCase” says whether case counts.",
        ErrorKind::GroupNameDuplicate { .. } => "Give each group a name of its own, or none.",
        ErrorKind::EscapeUnexpectedEof => "Write two backslashes to mean one.",
        ErrorKind::EscapeUnrecognized => {
            "Leave out the backslash before a letter, or write two to mean one."
        }
        _ => AS_IT_IS,
    }
}

fn is_negative(look_around: &str) -> bool {
    look_around.starts_with("(?!") || look_around.starts_with("(?<!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_another_dialect_is_named_with_what_to_write_instead() {
        let told = [
            r"^(?!.*_tmp$).*",
            r"(?<=a)b",
            r"\Ashop\Z",
            r"(?P<db>shop)\.(?P=db)",
            r"(shop)\.\1",
            r"(?<db>shop)\.\k<db>",
            "a{2,1}",
            "a{,3}",
            "a{2",
            "{{ database }}",
            "*_tmp",
            "[a-",
            "[z-a]",
            "(?>a+)b",
            "(a)?(?(1)b|c)",
            "a(?#note)",
            "(?L)a",
            r"a\hb",
            r"a\qb",
            r"\p{IsLetters}",
            r"a\",
            "(?P<a>x)(?P<a>y)",
            "((((a{100}){100}){100}){100})",
        ]
        .map(|pattern| {
            let error = Regex::new(pattern).unwrap_err();
            let (reason, hint) = why_no_pattern(pattern, &error);
            format!("{pattern}: {reason}. {hint}")
        });

        insta::assert_snapshot!(told.join("\n"), @r#"
        ^(?!.*_tmp$).*: look-around, including look-ahead and look-behind, is not supported. Put what must not match into “deny” instead.
        (?<=a)b: look-around, including look-ahead and look-behind, is not supported. Write out what must stand before and behind.
        \Ashop\Z: “\Z” is not supported. Write “\z” or “$” for the end of a name.
        (?P<db>shop)\.(?P=db): backreferences are not supported. Write out the names that are meant.
        (shop)\.\1: backreferences are not supported. Write out the names that are meant.
        (?<db>shop)\.\k<db>: backreferences are not supported. Write out the names that are meant.
        a{2,1}: invalid repetition count range, the start must be <= the end. Write the smaller number first, such as “{1,2}”.
        a{,3}: repetition quantifier expects a valid decimal. Write both numbers, such as “{0,2}”.
        a{2: unclosed counted repetition. Close it with “}”, or put a backslash before a “{” that is meant as it is.
        {{ database }}: repetition operator missing expression. Put a backslash before a “{” that is meant as it is. Templates such as “{{ name }}” are not filled in here.
        *_tmp: repetition operator missing expression. Patterns are regular expressions: write “.*” where “*” was meant.
        [a-: unclosed character class. Close it with “]”, or put a backslash before a “[” that is meant as it is.
        [z-a]: invalid character class range, the start must be <= the end. Write the smaller character first, such as “[a-z]”.
        (?>a+)b: atomic groups are not supported. Write “(?:” instead of “(?>”.
        (a)?(?(1)b|c): conditions are not supported. Write each case as a pattern of its own.
        a(?#note): comments are not supported. Leave the comment out.
        (?L)a: unrecognized flag. Leave the flag out; “ignoreCase” says whether case counts.
        a\hb: “\h” is not supported. Write “[ \t]” for a blank.
        a\qb: unrecognized escape sequence. Leave out the backslash before a letter, or write two to mean one.
        \p{IsLetters}: Unicode property not found. Write a class of letters, such as “[a-z]”.
        a\: incomplete escape sequence, reached end of pattern prematurely. Write two backslashes to mean one.
        (?P<a>x)(?P<a>y): duplicate capture group name. Give each group a name of its own, or none.
        ((((a{100}){100}){100}){100}): it is too large. Write fewer repetitions, such as “.*” for “.{1,1000}”.
        "#);
    }
}
