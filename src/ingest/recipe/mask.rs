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
const SECRET: [&str; 9] = [
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "passphrase",
    "passw",
    "privatekey",
    "secret",
    "token",
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
    SECRET.iter().any(|word| key.contains(word))
}

/// Replaces what stands in `secrets` (in characters), in comments on secret keys and before the `@` of addresses.
pub(super) fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    let hidden = without(text, secrets);
    let hidden = USER_OF_ADDRESS.replace_all(&hidden, |found: &regex::Captures<'_>| {
        format!("{}{MASK}@", found.get(1).map_or("", |part| part.as_str()))
    });
    hidden.split_inclusive('\n').map(without_comment).collect()
}

/// Replaces the given characters, but not the white space at their end.
fn without(text: &str, secrets: &[Range<usize>]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut secrets: Vec<_> = secrets
        .iter()
        .filter_map(|secret| Some((secret.start, letters.get(secret.clone())?)))
        .map(|(start, hidden)| (start, start + length_without_end(hidden)))
        .filter(|(start, end)| start < end)
        .collect();
    secrets.sort_unstable();
    let mut secrets = secrets.into_iter().peekable();
    let mut shown = String::with_capacity(text.len());
    let mut hidden_until = 0;
    for (index, letter) in letters.into_iter().enumerate() {
        while let Some((_, end)) = secrets.next_if(|(start, _)| *start <= index) {
            if index >= hidden_until {
                shown.push_str(MASK);
            }
            hidden_until = hidden_until.max(end);
        }
        if index >= hidden_until {
            shown.push(letter);
        }
    }
    shown
}

fn length_without_end(letters: &[char]) -> usize {
    let last = letters.iter().rposition(|letter| !letter.is_whitespace());
    last.map_or(0, |last| last + 1)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::recipe::node;

    fn shown(text: &str) -> String {
        let tree = node::parse(text).unwrap();
        masked(text, &tree.secrets)
    }

    #[test]
    fn secrets_are_told_by_the_names_of_their_keys() {
        for key in [
            "aws_secret_access_key",
            "aws_access_key_id",
            "aws_session_token",
            "token",
            "Password",
            "db-passwd",
            "clientSecret",
            "api_key",
            "sasl.jaas.credentials",
            "Authorization",
            "private_key",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "aws_region",
            "type",
            "allow",
            "cron",
            "catalog_id",
            "TransitiveTagKeys",
            "key",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let text = r#"
one: {token: geheim1, x: 1}
two:
  "token": "geheim2 \" geheim" # a note
  'token2': 'geheim3
    geheim'
three: {secret: [geheim4, {a: geheim5}]}
four:
  password: |
    geheim6
    geheim7
  after: 1
five: &five geheim8
six: {token: *five}
seven: {password: !!str geheim9}
eight: {<<: {password: geheim10}, password: geheim11}
? password
: geheim12
nine: {password: "${GEHEIM:-geheim13}"}
ümlaut: {password: geheim14}
ten: http://user:geheim15@localhost:1/
eleven: [token, password]
"#;
        let shown = shown(text);

        assert!(!shown.to_lowercase().contains("geheim"), "{shown}");
        insta::assert_snapshot!(shown, @r#"

        one: {token: ••••, x: 1}
        two:
          "token": ••••
          'token2': ••••
        three: {secret: [••••, {a: ••••}]}
        four:
          password: |
            ••••
          after: 1
        five: ••••
        six: {token: *five}
        seven: {password: ••••}
        eight: {<<: {password: ••••}, password: ••••}
        ? password
        : ••••
        nine: {password: ••••}
        ümlaut: {password: ••••}
        ten: http://••••@localhost:1/
        eleven: [token, password]
        "#);
    }

    #[test]
    fn a_secret_in_a_comment_is_hidden_too() {
        let shown = shown(
            "a: 1 # aws_secret_access_key: geheim\n#token: geheim\n# note: \"password\" = geheim x\n# aws_region: eu\nb: '#1'\n",
        );

        insta::assert_snapshot!(shown, @r#"
        a: 1 # aws_secret_access_key: ••••
        #token: ••••
        # note: "password" = ••••
        # aws_region: eu
        b: '#1'
        "#);
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        assert_eq!(shown("token: x\r\na: 1\r\n"), "token: ••••\r\na: 1\r\n");
        assert_eq!(shown("token: x"), "token: ••••");
        assert_eq!(shown("token:\na: 1"), "token:\na: 1");
    }
}
