//! `${VAR}`, `${VAR:-default}` and `$VAR` in the values of a recipe.
//!
//! Variables are put in after the YAML was read, value by value, so that what a variable holds is never read as YAML.
//! `$VAR` is a variable where DataHub's loader reads it as one: in a value that holds a `${…}` or begins with `$VAR`.
//! Any other `$` is just a dollar sign, since patterns end with one. `$${` and `$$VAR` stand for `${` and `$VAR` itself.

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

/// A text with its variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// Names behind a `$` that look like variables and were left as they are written.
    pub(super) left: Vec<String>,
}

/// Replaces the variables in `text` by what they hold.
///
/// A variable that is set to nothing counts as unset where there is a default. What a variable holds is taken as it
/// is: a dollar sign in it means nothing.
pub(super) fn expand(text: &str, environment: &Environment<'_>) -> Result<Expanded, Error> {
    let all = |text: String| Expanded {
        text,
        left: Vec::new(),
    };
    if text.contains("${") {
        return replace(text, environment, 0).map(all);
    }
    match text.strip_prefix('$').map(split_name) {
        Some((name, _)) if is_capital(name) => replace(text, environment, 0).map(all),
        Some((name, _)) if !name.is_empty() => Ok(all(
            replace(text, environment, 0).unwrap_or_else(|_| text.to_owned())
        )),
        _ => Ok(Expanded {
            text: text.to_owned(),
            left: capitals(text),
        }),
    }
}

/// Replaces every variable, in braces or not.
fn replace(text: &str, environment: &Environment<'_>, depth: usize) -> Result<String, Error> {
    if depth > DEEPEST {
        return Err(Error::Deep);
    }
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        replaced.push_str(before);
        if let Some(escaped) = after.strip_prefix('$').filter(|text| begins_variable(text)) {
            let sign = if escaped.starts_with('{') { "${" } else { "$" };
            replaced.push_str(sign);
            rest = escaped.strip_prefix('{').unwrap_or(escaped);
            let (name, behind) = split_name(rest);
            replaced.push_str(name);
            rest = behind;
        } else if let Some(after) = after.strip_prefix('{') {
            let (inside, behind) = split_at_closing_brace(after).ok_or(Error::Open)?;
            replaced.push_str(&value(inside, environment, depth)?);
            rest = behind;
        } else {
            let (name, behind) = split_name(after);
            match name {
                "" => replaced.push('$'),
                name => replaced.push_str(&set(name, environment)?),
            }
            rest = behind;
        }
    }
    replaced.push_str(rest);
    Ok(replaced)
}

/// What a variable in braces stands for: what it holds, a default, or an alternative.
fn value(inside: &str, environment: &Environment<'_>, depth: usize) -> Result<String, Error> {
    let (name, rest) = split_name(inside);
    if name.is_empty() {
        return Err(Error::Name);
    }
    let held = environment(name).filter(|held| !held.is_empty());
    let mut operator = rest.chars();
    match (operator.next(), operator.next(), operator.as_str()) {
        (None, ..) => set(name, environment),
        (Some(':'), Some('-' | '='), default) => match held {
            Some(held) => Ok(held),
            None => replace(default, environment, depth + 1),
        },
        (Some(':'), Some('+'), alternative) => match held {
            Some(_) => replace(alternative, environment, depth + 1),
            None => Ok(String::new()),
        },
        (Some(':'), Some('?'), _) => held.ok_or_else(|| Error::Unset(name.to_owned())),
        _ => Err(Error::Name),
    }
}

fn set(name: &str, environment: &Environment<'_>) -> Result<String, Error> {
    environment(name).ok_or_else(|| Error::Unset(name.to_owned()))
}

fn begins_variable(text: &str) -> bool {
    text.starts_with('{') || !split_name(text).0.is_empty()
}

/// The names in capitals behind a `$`.
fn capitals(text: &str) -> Vec<String> {
    let names = text.split('$').skip(1).map(|after| split_name(after).0);
    let names = names.filter(|name| is_capital(name));
    names.map(str::to_owned).collect()
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

/// Splits a name of a variable off; it is empty when there is none.
fn split_name(text: &str) -> (&str, &str) {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let end = text.find(|letter| !is_letter(letter)).unwrap_or(text.len());
    text.split_at(if begins { end } else { 0 })
}

fn is_capital(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Error> {
        expand(text, &environment).map(|expanded| expanded.text)
    }

    fn left(text: &str) -> Vec<String> {
        expand(text, &environment).unwrap().left
    }

    fn environment(name: &str) -> Option<String> {
        match name {
            "REGION" => Some("eu-west-1".to_owned()),
            "stage" => Some("dev".to_owned()),
            "EMPTY" => Some(String::new()),
            "ODD" => Some("a: ${REGION} $REGION $${ \"'".to_owned()),
            _ => None,
        }
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
        assert_eq!(expanded("${NONE:=x}").unwrap(), "x");
    }

    #[test]
    fn a_variable_can_be_required_or_exchanged_as_in_a_shell() {
        assert_eq!(expanded("${REGION:?why}").unwrap(), "eu-west-1");
        let unset = |name: &str| Err(Error::Unset(name.to_owned()));
        assert_eq!(expanded("${NONE:?why}"), unset("NONE"));
        assert_eq!(expanded("${EMPTY:?why}"), unset("EMPTY"));
        assert_eq!(expanded("${REGION:+x}").unwrap(), "x");
        assert_eq!(expanded("${NONE:+x}").unwrap(), "");
    }

    #[test]
    fn what_a_variable_holds_is_taken_as_it_is() {
        let held = "a: ${REGION} $REGION $${ \"'";
        assert_eq!(expanded("${ODD}").unwrap(), held);
        assert_eq!(expanded("$ODD").unwrap(), held);
        assert_eq!(
            expanded("$REGION-${ODD}").unwrap(),
            format!("eu-west-1-{held}")
        );
    }

    #[test]
    fn a_name_without_braces_is_a_variable_beside_one_with_braces_and_at_the_beginning() {
        assert_eq!(
            expanded("${REGION}-$REGION").unwrap(),
            "eu-west-1-eu-west-1"
        );
        assert_eq!(expanded("$REGION/$stage").unwrap(), "eu-west-1/dev");
        assert_eq!(expanded("$stage-x").unwrap(), "dev-x");
        assert_eq!(expanded("^${REGION}_tmp$").unwrap(), "^eu-west-1_tmp$");
        assert_eq!(
            expanded("$REGION-$NONE"),
            Err(Error::Unset("NONE".to_owned()))
        );
        assert_eq!(
            expanded("${REGION}-$none"),
            Err(Error::Unset("none".to_owned()))
        );
        assert_eq!(
            expanded("$$REGION ${REGION} $$stage").unwrap(),
            "$REGION eu-west-1 $stage"
        );
    }

    #[test]
    fn a_name_that_is_left_as_it_is_written_is_named() {
        assert_eq!(expanded("prod-$STAGE").unwrap(), "prod-$STAGE");
        assert_eq!(left("prod-$STAGE/$B"), ["STAGE", "B"]);
        assert_eq!(left("_tmp$|^a$|$b"), [""; 0]);
        assert_eq!(left("${REGION}"), [""; 0]);
    }

    #[test]
    fn a_dollar_sign_is_just_a_dollar_sign() {
        for text in [
            "_tmp$",
            "^a$|^b$",
            "$",
            "$$",
            "$1",
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
        assert_eq!(expanded("${AWS::Region}"), Err(Error::Name));
        assert_eq!(expanded("${REGION:1:2}"), Err(Error::Name));
        let deep = format!("{}x{}", "${A:-".repeat(10), "}".repeat(10));
        assert_eq!(expanded(&deep), Err(Error::Deep));
    }
}
