//! Hides secrets in the text of a recipe, so that a page can show it.
//!
//! What is secret is told by the name of its key, whatever the key belongs to: a recipe may hold keys that are not
//! acted on, and comments that once were keys.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Stands for a secret, whatever its length.
pub(super) const MASK: &str = "••••";

/// Parts of the names of keys whose values are secret, in lower case, without hyphens and underscores.
const SECRET: [&str; 8] = [
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "passphrase",
    "passw",
    "privatekey",
    "secret",
];

/// A key and what separates it from its value.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"([\w-]+)["']?[ \t]*[:=][ \t]*"#).expect("the pattern is constant")
});

/// The user and password of an address.
static USER_OF_ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(://)[^\s/@"']+@"#).expect("the pattern is constant"));

/// Tells by its name whether the value of a key is secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key: String = key
        .chars()
        .filter(|letter| !matches!(letter, '_' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .collect();
    key.ends_with("token")
        || key.ends_with("tokens")
        || SECRET.iter().any(|word| key.contains(word))
}

/// Replaces what stands in `secrets` (in characters), in comments on secret keys and before the `@` of addresses.
pub(super) fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    let hidden = without(text, secrets);
    let hidden = USER_OF_ADDRESS.replace_all(&hidden, |found: &regex::Captures<'_>| {
        format!("{}{MASK}@", found.get(1).map_or("", |part| part.as_str()))
    });
    hidden.split_inclusive('\n').map(without_comment).collect()
}

/// Replaces the given characters; what follows them on a line of its own stays there.
fn without(text: &str, secrets: &[Range<usize>]) -> String {
    let mut secrets: Vec<_> = secrets.iter().filter(|secret| !secret.is_empty()).collect();
    secrets.sort_by_key(|secret| secret.start);
    let mut secrets = secrets.into_iter().peekable();
    let mut shown = String::with_capacity(text.len());
    let mut hidden_until = 0;
    let mut previous = ' ';
    for (index, letter) in text.chars().enumerate() {
        if index == hidden_until && previous == '\n' && index > 0 && !shown.ends_with('\n') {
            shown.push('\n');
        }
        while let Some(secret) = secrets.next_if(|secret| secret.start <= index) {
            if index >= hidden_until {
                shown.push_str(MASK);
            }
            hidden_until = hidden_until.max(secret.end);
        }
        if index >= hidden_until {
            shown.push(letter);
        }
        previous = letter;
    }
    shown
}

/// Hides the rest of a line after the name of a secret in a comment.
fn without_comment(line: &str) -> String {
    let Some((before, comment)) = line.split_once('#') else {
        return line.to_owned();
    };
    let secret = KEY
        .captures_iter(comment)
        .find(|found| found.get(1).is_some_and(|key| is_secret(key.as_str())));
    let Some(value) = secret.and_then(|found| found.get(0)) else {
        return line.to_owned();
    };
    let (shown, _) = comment.split_at(value.end());
    let end = if line.ends_with('\n') { "\n" } else { "" };
    format!("{before}#{shown}{MASK}{end}")
}
