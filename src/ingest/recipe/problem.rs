//! What is wrong with a recipe: every problem at once, each with its place. Deliberately absent: values of a recipe,
//! since any of them may be a secret; a sentence names keys, and values only where these cannot be secret.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Explain, Kind};

/// More problems than this are counted, not told.
pub(super) const MOST_TOLD: usize = 100;

/// The longest word of a recipe that a sentence repeats, in characters.
const LONGEST_WORD: usize = 60;

/// A place in a file; lines and columns count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// One thing that is wrong with a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where; absent when it is about the whole file.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// What, as a whole sentence without a secret in it.
    pub text: String,
    /// What to do about it, as a whole sentence.
    pub hint: Option<String>,
}

/// Something about a recipe that a person should know, though the recipe works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    #[serde(flatten)]
    pub position: Position,
    /// A whole sentence without a secret in it.
    pub text: String,
}

/// Everything that is wrong with one recipe, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The first hundred of them.
    pub list: Vec<Problem>,
    /// How many there are beyond those.
    pub untold: usize,
}

impl Problem {
    pub(super) fn at(position: Position, text: impl Into<String>) -> Self {
        Self {
            position: Some(position),
            text: text.into(),
            hint: None,
        }
    }

    pub(super) fn of_file(text: impl Into<String>) -> Self {
        Self {
            position: None,
            text: text.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Problems {
    pub(super) fn new(file: impl Into<PathBuf>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.position);
        list.dedup();
        let untold = list.len().saturating_sub(MOST_TOLD);
        list.truncate(MOST_TOLD);
        Self {
            file: file.into(),
            list,
            untold,
        }
    }

    pub(super) fn one(file: impl Into<PathBuf>, problem: Problem) -> Self {
        Self::new(file, vec![problem])
    }
}

/// One line each, `file:line:column: sentence`, with its hint on a line of its own.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match problem.position {
                Some(Position { line, column }) => write!(f, "{file}:{line}:{column}: ")?,
                None => write!(f, "{file}: ")?,
            }
            f.write_str(&problem.text)?;
            if let Some(hint) = &problem.hint {
                write!(f, "\n  hint: {hint}")?;
            }
        }
        match self.untold {
            0 => Ok(()),
            1 => write!(f, "\n{file}: There is one more problem."),
            untold => write!(f, "\n{file}: There are {untold} more problems."),
        }
    }
}

impl std::error::Error for Problems {}

impl Explain for Problems {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Puts somebody's word into curly quotes: on one line, harmless on a terminal, and not too long.
pub(super) fn quoted(word: &str) -> String {
    let mut shown: String = word
        .chars()
        .take(LONGEST_WORD)
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect();
    if word.chars().nth(LONGEST_WORD).is_some() {
        shown.push('…');
    }
    format!("“{shown}”")
}

/// Finds the known word nearest to `word`, if one is near enough to have been meant.
///
/// Case, hyphens and underscores do not count, so that `awsRegion` is as good as `aws_region`.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    near_enough(word, known, 0.55)
}

/// Finds the known word nearest to `word`, if it is at least this near.
pub(super) fn near_enough<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
    nearness: f64,
) -> Option<&'k str> {
    if word.chars().nth(LONGEST_WORD).is_some() {
        return None;
    }
    let word = folded(word);
    known
        .into_iter()
        .map(|candidate| {
            let near = strsim::normalized_damerau_levenshtein(&word, &folded(candidate));
            (candidate, near)
        })
        .filter(|(_, near)| *near >= nearness)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(candidate, _)| candidate)
}

fn folded(word: &str) -> String {
    word.chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}
