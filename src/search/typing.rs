//! What is offered while somebody types: assets, what the last word may be completed to, and how many results there are.
//!
//! Deliberately absent: waiting for more letters (the browser does), and words that only hidden assets have.

use super::answer::answer;
use super::filtered_snapshot::FilteredSnapshot;
use super::filters::{Completed, FILTER_WORDS, FilterWord};
use super::tokenizer::{Splitter, fold};
use super::{AccessFilter, Error, Hit, Index, MatchedField, Query};

/// How many values a word that filters is completed to.
const MOST_VALUES: usize = 6;

/// How many hits column names are taken from.
const HITS_WITH_COLUMNS: usize = 20;

/// What may be meant by what has been typed so far.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// What the last word may be completed to, best first.
    pub completions: Vec<Completion>,
    pub hits: Vec<Hit>,
    /// How many results a search for these words has.
    pub total: u64,
}

/// A word that filters, as far as it can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Everything typed, with the last word completed.
    pub text: String,
    /// The completed word, such as `owner:grace`.
    pub word: String,
    /// What the word is for.
    pub meaning: &'static str,
}

impl Index {
    /// Offers assets and completions for what has been typed so far, under an access filter.
    pub fn offer(
        &self,
        text: &str,
        limit: usize,
        access_filter: &AccessFilter,
    ) -> Result<Offer, Error> {
        if text.trim().is_empty() {
            return Ok(Offer::default());
        }
        self.read(access_filter, |view, splitter| {
            offer(view, splitter, text, limit)
        })
    }
}

fn offer(
    view: &FilteredSnapshot,
    splitter: &mut Splitter,
    text: &str,
    limit: usize,
) -> Result<Offer, Error> {
    let at = last_word_at(text);
    let (before, last) = text.split_at(at);
    let completions = completions(view, splitter, before, last)?;
    // Half a filter finds nothing; what stands before it already does.
    let half = !completions.is_empty() && last.contains(':');
    let searched = if half { before } else { text };
    let mut find = |text: &str, limit, typing| {
        let query = Query {
            limit,
            ..Query::words(text)
        };
        answer(view, splitter, &query, typing)
    };
    let hits = match searched.trim() {
        "" => Vec::new(),
        text => find(text, limit, true)?.hits,
    };
    Ok(Offer {
        total: find(text, 0, false)?.total,
        completions,
        hits,
    })
}

/// Where the word begins that is being typed; a quoted value belongs to it.
fn last_word_at(text: &str) -> usize {
    let mut quoted = false;
    let mut start = 0;
    for (at, letter) in text.char_indices() {
        if letter == '"' {
            quoted = !quoted;
        } else if letter.is_whitespace() && !quoted {
            start = at + letter.len_utf8();
        }
    }
    start
}

fn completions(
    view: &FilteredSnapshot,
    splitter: &mut Splitter,
    before: &str,
    last: &str,
) -> Result<Vec<Completion>, Error> {
    let complete = |word: String, meaning, end: &str| Completion {
        text: format!("{before}{word}{end}"),
        word,
        meaning,
    };
    let Some((key, typed)) = last.split_once(':') else {
        let beginning = last.to_lowercase();
        let known = FILTER_WORDS.iter();
        let known = known.filter(|one| beginning.len() > 1 && one.word.starts_with(&beginning));
        let keys = known.map(|one| complete(format!("{}:", one.word), one.meaning, ""));
        return Ok(keys.collect());
    };
    let key = key.to_lowercase();
    let Some(filter) = FILTER_WORDS.iter().find(|one| one.word == key) else {
        return Ok(Vec::new());
    };
    let values = values(view, splitter, filter, typed.trim_matches('"'))?;
    let words = values.into_iter().map(|value| match value {
        value if value.contains(char::is_whitespace) => format!("{key}:\"{value}\""),
        value => format!("{key}:{value}"),
    });
    // What is complete already needs no offer.
    let words = words.filter(|word| word != last);
    Ok(words
        .map(|word| complete(word, filter.meaning, " "))
        .collect())
}

/// The values of a filter that begin as typed.
fn values(
    view: &FilteredSnapshot,
    splitter: &mut Splitter,
    filter: &FilterWord,
    typed: &str,
) -> Result<Vec<String>, Error> {
    let listed = |values: &[&str]| {
        let beginning = typed.to_lowercase();
        let fitting = values.iter().filter(|value| value.starts_with(&beginning));
        fitting.map(|value| (*value).to_owned()).collect()
    };
    Ok(match filter.completed {
        Completed::Facet(facet) => view.values_beginning_with(facet, typed, MOST_VALUES),
        Completed::Whole(whole) => view.whole_beginning_with(whole, &fold(typed), MOST_VALUES)?,
        Completed::Columns if !typed.is_empty() => columns(view, splitter, typed)?,
        Completed::Columns | Completed::Known => listed(filter.values),
    })
}

/// Names of columns that begin as typed, from what is found for it.
fn columns(
    view: &FilteredSnapshot,
    splitter: &mut Splitter,
    typed: &str,
) -> Result<Vec<String>, Error> {
    let query = Query {
        limit: HITS_WITH_COLUMNS,
        ..Query::words(typed)
    };
    let found = answer(view, splitter, &query, true)?;
    let matched = found.hits.into_iter().flat_map(|hit| hit.matched);
    let columns = matched.filter(|matched| matched.field == MatchedField::Column);
    let beginning = fold(typed);
    let mut names: Vec<String> = Vec::new();
    for path in columns.filter_map(|matched| matched.path) {
        let name = path.rsplit('.').next().unwrap_or(&path).to_owned();
        if fold(&name).starts_with(&beginning) && !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST_VALUES);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_keeps_its_quotes() {
        let last = |text: &str| text.split_at(last_word_at(text)).1.to_owned();
        assert_eq!(last("orders own"), "own");
        assert_eq!(last("orders owner:\"grace ho"), "owner:\"grace ho");
        assert_eq!(last("orders "), "");
    }
}
