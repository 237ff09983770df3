//! `${VAR}` and `${VAR:-default}` in the values of a recipe.
//!
//! Variables are put in after the YAML was read, value by value, so that what a variable holds is never read as YAML.
//! `$${` stands for `${` itself; any other `$` is just a dollar sign, since patterns end with one. A value that is
//! nothing but `$VAR`, in capitals, is a variable too, because recipes are written that way.

/// How deeply defaults may hold variables themselves.
const DEEPEST: usize = 8;

/// Looks up a variable of the environment.
pub type Environment<'e> = dyn Fn(&str) -> Option<String> + 'e;

/// Why variables could not be put in; the sentences name variables, never what they hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("The environment variable “{0}” is not set.")]
    Unset(String),
    #[error("A “${{” is never closed with “}}”.")]
    Open,
    #[error("What stands between “${{” and “}}” is not the name of a variable.")]
    Name,
    #[error("Variables are nested too deeply.")]
    Deep,
}

impl Error {
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Unset(name) => {
                format!("Set it, or give a default with “${{{name}:-default}}”.")
            }
            Self::Open | Self::Name => {
                "Write “${VAR}” or “${VAR:-default}”; write “$${” for “${” itself.".to_owned()
            }
            Self::Deep => "Give a default that holds no variable.".to_owned(),
        }
    }
}

/// Replaces the variables in `text` by what they hold.
///
/// A variable that is set to nothing counts as unset where there is a default. What a variable holds is taken as it
/// is: a dollar sign in it means nothing.
pub(super) fn expand(text: &str, environment: &Environment<'_>) -> Result<String, Error> {
    if let Some(name) = text.strip_prefix('$')
        && is_name(name)
        && !name.contains(|letter: char| letter.is_ascii_lowercase())
    {
        return environment(name).ok_or_else(|| Error::Unset(name.to_owned()));
    }
    expand_braces(text, environment, 0)
}

fn expand_braces(text: &str, environment: &Environment<'_>, depth: usize) -> Result<String, Error> {
    if depth > DEEPEST {
        return Err(Error::Deep);
    }
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let (inside, after) = split_at_closing_brace(after).ok_or(Error::Open)?;
        expanded.push_str(&value(inside, environment, depth)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn value(inside: &str, environment: &Environment<'_>, depth: usize) -> Result<String, Error> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err(Error::Name);
    }
    match (environment(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => expand_braces(default, environment, depth + 1),
        (None, None) => Err(Error::Unset(name.to_owned())),
    }
}

/// Splits at the brace that closes, past those of variables inside.
fn split_at_closing_brace(text: &str) -> Option<(&str, &str)> {
    let mut open = 0_usize;
    let mut previous = ' ';
    for (index, letter) in text.char_indices() {
        match letter {
            '{' if previous == '$' => open += 1,
            '}' if open == 0 => {
                let (inside, rest) = text.split_at(index);
                return Some((inside, rest.strip_prefix('}')?));
            }
            '}' => open -= 1,
            _ => {}
        }
        previous = letter;
    }
    None
}

fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Error> {
        expand(text, &|name| match name {
            "REGION" => Some("eu-west-1".to_owned()),
            "EMPTY" => Some(String::new()),
            "ODD" => Some("a: ${REGION} $${ \"'".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
        assert_eq!(expanded("${REGION}").unwrap(), "eu-west-1");
        assert_eq!(
            expanded("a-${REGION}/${REGION}!").unwrap(),
            "a-eu-west-1/eu-west-1!"
        );
        assert_eq!(expanded("$REGION").unwrap(), "eu-west-1");
        assert_eq!(expanded("${EMPTY}").unwrap(), "");
    }

    #[test]
    fn a_default_stands_in_for_a_variable_that_is_unset_or_empty() {
        assert_eq!(expanded("${NONE:-x y}").unwrap(), "x y");
        assert_eq!(expanded("${EMPTY:-x}").unwrap(), "x");
        assert_eq!(expanded("${NONE:-}").unwrap(), "");
        assert_eq!(expanded("${REGION:-x}").unwrap(), "eu-west-1");
        assert_eq!(
            expanded("${NONE:-${OTHER:-${REGION}}}!").unwrap(),
            "eu-west-1!"
        );
        assert_eq!(expanded("${NONE:-a:-b}").unwrap(), "a:-b");
    }

    #[test]
    fn what_a_variable_holds_is_taken_as_it_is() {
        assert_eq!(expanded("${ODD}").unwrap(), "a: ${REGION} $${ \"'");
    }

    #[test]
    fn a_dollar_sign_is_just_a_dollar_sign() {
        for text in [
            "_tmp$",
            "^a$|^b$",
            "$",
            "$$",
            "$1",
            "$REGION$",
            "a $REGION",
            "{REGION}",
            "$region",
        ] {
            assert_eq!(expanded(text).unwrap(), text);
        }
        assert_eq!(expanded("$${REGION}").unwrap(), "${REGION}");
        assert_eq!(
            expanded("$${REGION} ${REGION}").unwrap(),
            "${REGION} eu-west-1"
        );
    }

    #[test]
    fn what_cannot_be_replaced_is_named() {
        assert_eq!(expanded("${NONE}"), Err(Error::Unset("NONE".to_owned())));
        assert_eq!(expanded("$NONE"), Err(Error::Unset("NONE".to_owned())));
        assert_eq!(expanded("a${REGION"), Err(Error::Open));
        assert_eq!(expanded("${}"), Err(Error::Name));
        assert_eq!(expanded("${a-b}"), Err(Error::Name));
        assert_eq!(expanded("${REGION:?why}"), Err(Error::Name));
        let deep = format!("{}x{}", "${A:-".repeat(10), "}".repeat(10));
        assert_eq!(expanded(&deep), Err(Error::Deep));
    }
}
