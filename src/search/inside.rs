//! What a name is found by beside its words: the ends of long words, and neighbours written as one.
//!
//! `license` stands inside `driverlicense`, and `email` is `e_mail` without what separates it. Both are terms of fields
//! of their own, so that they are looked up and never searched for, and bounded in number. Deliberately absent: ranking.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::tokenizer::{Form, Splitter};

/// The shortest word that is looked for inside others, in characters.
pub(super) const SHORTEST: usize = 4;

/// Words shorter than this are put together of nothing.
const LONG: usize = 7;

/// So many characters stand before an end at least.
const BEFORE: usize = 3;

/// No word has more ends than this.
const MOST_ENDS: usize = 32;

/// Neighbours that are longer together are not written as one.
const LONGEST: usize = 40;

/// Where a word stands inside names; terms of the fields `in_name` and `in_column`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inside {
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<String>,
}

impl Inside {
    pub(super) fn is_nowhere(&self) -> bool {
        self.names.is_empty() && self.columns.is_empty()
    }
}

/// A word and its neighbour; kept from name to name, so that nothing is allocated for each.
#[derive(Debug, Clone, Default)]
struct Pair {
    first: String,
    /// Where the first stands; nowhere at the beginning of a name.
    position: Option<usize>,
    together: String,
}

impl Pair {
    /// The word before written together with this one, which takes its place.
    fn join(&mut self, word: &str, position: usize) -> Option<&str> {
        let follows = self.position.is_some_and(|before| before + 1 == position);
        self.together.clear();
        self.together.push_str(&self.first);
        self.together.push_str(word);
        self.first.clear();
        self.first.push_str(word);
        self.position = Some(position);
        let length = letters(&self.together);
        let fits = follows && (SHORTEST..=LONGEST).contains(&length);
        fits.then_some(self.together.as_str())
    }
}

/// The words whose terms a text has already, by their hash. The columns of a table repeat their words, and a term counts
/// once; two words of one hash cost the second its terms, once in some billions of tables.
#[derive(Debug, Clone, Default)]
struct Seen(HashSet<u64, foldhash::fast::RandomState>);

impl Seen {
    /// Tells whether the word comes for the first time.
    fn is_new(&mut self, word: &str) -> bool {
        let hash = self.0.hasher().hash_one(word);
        self.0.insert(hash)
    }
}

/// Calls back for every term of the names of a text, one a line, each term once.
fn each_term(
    splitter: &mut Splitter,
    (pair, seen): (&mut Pair, &mut Seen),
    names: &str,
    mut visit: impl FnMut(&str),
) {
    pair.position = None;
    let mut behind = 0;
    splitter.split(names, |found| {
        if found.form != Form::Word {
            return;
        }
        let between = names.as_bytes().get(behind..found.from);
        if between.is_some_and(|between| between.contains(&b'\n')) {
            pair.position = None;
        }
        behind = found.to;
        if !is_alphabetic(found.term) {
            return;
        }
        if seen.is_new(found.term) {
            ends(found.term).for_each(&mut visit);
        }
        if let Some(together) = pair.join(found.term, found.position)
            && seen.is_new(together)
        {
            visit(together);
        }
    });
}

fn is_alphabetic(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphabetic()) || word.chars().all(char::is_alphabetic)
}

/// How many characters a word has.
fn letters(word: &str) -> usize {
    if word.is_ascii() {
        return word.len();
    }
    word.chars().count()
}

/// The ends of a long word.
fn ends(word: &str) -> impl Iterator<Item = &str> {
    let length = letters(word);
    let last = length.saturating_sub(SHORTEST);
    let starts = if length >= LONG {
        BEFORE..last + 1
    } else {
        0..0
    };
    let places = word.char_indices().map(|(at, _)| at);
    let places = places.skip(starts.start).take(starts.len().min(MOST_ENDS));
    places.filter_map(|at| word.get(at..))
}

/// Where a folded word stands inside the words of a text, or as several of them written as one.
pub(super) fn ranges(splitter: &mut Splitter, text: &str, part: &str) -> Vec<Range<usize>> {
    let mut words: Vec<(String, Range<usize>)> = Vec::new();
    splitter.split(text, |found| {
        if found.form == Form::Word {
            words.push((found.term.to_owned(), found.from..found.to));
        }
    });
    let mut ranges = Vec::new();
    for (word, range) in &words {
        if let Some(at) = word.find(part) {
            let whole = text.get(range.clone()).unwrap_or_default();
            let exact = word.len() == whole.len() && word.is_ascii();
            let start = range.start + at;
            ranges.push(if exact {
                start..start + part.len()
            } else {
                range.clone()
            });
        }
    }
    for pair in words.windows(2) {
        if let [(first, from), (second, to)] = pair
            && format!("{first}{second}").starts_with(part)
        {
            ranges.extend([from.clone(), to.clone()]);
        }
    }
    ranges
}

/// What stands inside names, as the index asks for it; each line of a text is one name.
#[derive(Clone)]
pub(super) struct InsideTokenizer {
    splitter: Splitter,
    pair: Pair,
    seen: Seen,
    terms: String,
    places: Vec<Range<usize>>,
    token: Token,
}

impl Default for InsideTokenizer {
    fn default() -> Self {
        Self {
            splitter: Splitter::without_stems(),
            pair: Pair::default(),
            seen: Seen::default(),
            terms: String::new(),
            places: Vec::new(),
            token: Token::default(),
        }
    }
}

/// The terms of one text.
pub(super) struct InsideStream<'a> {
    tokenizer: &'a mut InsideTokenizer,
    next: usize,
}

impl Tokenizer for InsideTokenizer {
    type TokenStream<'a> = InsideStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> InsideStream<'a> {
        self.terms.clear();
        self.places.clear();
        self.seen.0.clear();
        self.token.reset();
        let Self {
            splitter,
            pair,
            seen,
            terms,
            places,
            ..
        } = self;
        each_term(splitter, (pair, seen), text, |term| {
            let start = terms.len();
            terms.push_str(term);
            places.push(start..terms.len());
        });
        InsideStream {
            tokenizer: self,
            next: 0,
        }
    }
}

impl TokenStream for InsideStream<'_> {
    fn advance(&mut self) -> bool {
        let InsideTokenizer {
            terms,
            places,
            token,
            ..
        } = &mut *self.tokenizer;
        let Some(term) = places
            .get(self.next)
            .and_then(|place| terms.get(place.clone()))
        else {
            return false;
        };
        self.next += 1;
        token.text.clear();
        token.text.push_str(term);
        token.position = self.next;
        true
    }

    fn token(&self) -> &Token {
        &self.tokenizer.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokenizer.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(name: &str) -> Vec<String> {
        let mut terms = Vec::new();
        each_term(
            &mut Splitter::default(),
            (&mut Pair::default(), &mut Seen::default()),
            name,
            |term| {
                terms.push(term.to_owned());
            },
        );
        terms
    }

    fn marked<'t>(text: &'t str, part: &str) -> Vec<&'t str> {
        let ranges = ranges(&mut Splitter::default(), text, part);
        ranges
            .into_iter()
            .filter_map(|range| text.get(range))
            .collect()
    }

    #[test]
    fn a_name_is_found_by_the_ends_of_its_long_words_and_by_neighbours_together() {
        assert_eq!(terms("hotline"), ["line"]);
        assert_eq!(terms("e_mail"), ["email"]);
        assert_eq!(terms("web-shop_id"), ["webshop", "shopid"]);
        assert!(terms("driverlicense").contains(&"license".to_owned()));
        assert_eq!(terms("a_b t2 id2_id 顧客"), [""; 0]);
        assert_eq!(terms("Straßenname"), terms("strassenname"));
    }

    #[test]
    fn the_longest_name_has_a_bounded_number_of_terms() {
        assert_eq!(terms(&"x".repeat(10_000)).len(), MOST_ENDS);
        assert_eq!(terms(&"word_".repeat(1_000)), ["wordword"]);
    }

    #[test]
    fn what_was_found_is_marked_where_it_stands() {
        assert_eq!(marked("dim_DriverlicenseType", "license"), ["license"]);
        assert_eq!(marked("e_mail", "email"), ["e", "mail"]);
        assert_eq!(marked("Übergrößen", "grossen"), ["Übergrößen"]);
        assert_eq!(marked("orders", "license"), [""; 0]);
    }
}
