//! From what was typed to what is looked up: which words count, and what each may stand as.
//!
//! A word is looked up as it is, by its stem and as part of what it was cut from. Only a word that stands nowhere is
//! taken for others: for names that begin with it, for two words written as one, for words spelt almost like it, for
//! words that it stands inside of. What then still stands nowhere is left out and said.

use std::collections::HashMap;

use tantivy::DocId;

use super::filtered_snapshot::{FilteredSnapshot, most_frequent};
use super::filters::SearchField;
use super::grammar::is_grammar;
use super::inside::Inside;
use super::query::{Condition, Typed};
use super::schema::{RANKED, Whole};
use super::tokenizer::{Form, STEM, Splitter, fold, strip_separators};
use super::{Error, LeftOut, ReadAs, rank};

/// How many different words one query can weigh.
const MOST_WORDS: usize = 32;

/// How many words a beginning is taken for.
const MOST_BEGINNINGS: usize = 48;

/// In how many of the ranked fields a word may stand that another is taken for: name, place, columns, texts.
const READABLE: usize = 4;

/// Words that ask rather than name: in a longer question they count for little.
const ASKING: &[&str] = &[
    "all",
    "average",
    "both",
    "compute",
    "count",
    "different",
    "display",
    "distinct",
    "each",
    "either",
    "every",
    "find",
    "get",
    "give",
    "greater",
    "highest",
    "larger",
    "largest",
    "least",
    "less",
    "list",
    "lowest",
    "many",
    "maximum",
    "minimum",
    "more",
    "most",
    "much",
    "name",
    "names",
    "number",
    "one",
    "only",
    "ordered",
    "return",
    "show",
    "smallest",
    "sorted",
    "tell",
    "top",
    "total",
];

/// From how many words on a query is a question.
const QUESTION: usize = 4;

/// What a word counts for that stands nowhere and is taken for others.
const GUESSED: f32 = 0.4;

/// What a word that only asks counts for in a question.
const ASKING_WEIGHT: f32 = 0.4;

/// One word of the query and all it may stand as.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) typed: String,
    pub(super) weight: f32,
    pub(super) forms: Vec<Lookup>,
    /// Whole names that it was taken for, as terms of that field.
    pub(super) names: Vec<String>,
    /// What those names begin with.
    pub(super) beginning: Option<String>,
    /// Where it stands inside other words.
    pub(super) inside: Inside,
    /// Whether it stands nowhere else, so that standing inside counts.
    pub(super) only_inside: bool,
}

/// One term to look up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lookup {
    pub(super) term: String,
    pub(super) weight: f32,
    /// Whether it only adds to what another form of the word finds already.
    pub(super) extra: bool,
}

/// Something every hit has to have, ready to be looked up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Requirement {
    pub(super) field: SearchField,
    pub(super) test: Test,
    /// What it means when nothing passes.
    pub(super) otherwise: Option<Test>,
    /// What passes, by segment.
    pub(super) passing: Vec<Vec<DocId>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// These words, one after the other.
    Phrase(Vec<String>),
    /// Each of these, anywhere in the field.
    Each(Vec<Word>),
}

/// All that is looked up for one query.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    /// Whether something was looked for, apart from prefixes.
    pub(super) asked: bool,
    pub(super) words: Vec<Word>,
    pub(super) requirements: Vec<Requirement>,
    /// Terms of whole names that are exactly what was typed, and of names that are but for separators.
    pub(super) exact: Vec<String>,
    pub(super) squeezed: Option<String>,
    /// Whether it is one word, which may be meant as part of a name; anything else is the name that was typed.
    pub(super) is_one_word: bool,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) read_as: Vec<ReadAs>,
}

/// A word of the query before anything was looked up.
#[derive(Debug, Clone)]
struct Atom {
    term: String,
    /// The piece that it was cut from.
    whole: Option<String>,
    asking: bool,
}

impl Plan {
    /// Works out what to look up. With `typing`, the last word may be the beginning of one.
    pub(super) fn new(
        view: &FilteredSnapshot,
        splitter: &mut Splitter,
        typed: &Typed,
        typing: bool,
    ) -> Result<Self, Error> {
        let mut plan = Self {
            left_out: typed.left_out.clone(),
            ..Self::default()
        };
        let name = fold(typed.free.trim());
        if !name.is_empty() {
            plan.asked = true;
            plan.exact = vec![Whole::Name.term(&name), Whole::Path.term(&name)];
            let squeezed = strip_separators(&typed.free);
            plan.is_one_word = squeezed == name;
            plan.squeezed = (!squeezed.is_empty()).then(|| Whole::Squeezed.term(&squeezed));
        }
        let typing = typing && typed.words.ends_with(|c: char| !c.is_whitespace());
        plan.add_words(view, splitter, &typed.words, typing)?;
        plan.is_one_word &= plan.words.len() == 1;
        for condition in &typed.conditions {
            plan.require(view, splitter, condition)?;
        }
        Ok(plan)
    }

    fn add_words(
        &mut self,
        view: &FilteredSnapshot,
        splitter: &mut Splitter,
        text: &str,
        typing: bool,
    ) -> Result<(), Error> {
        let atoms = without_grammar(cut(splitter, text), typing);
        let question = atoms.len() >= QUESTION;
        let joined = joined(&atoms);
        let last = atoms.len().checked_sub(1).filter(|_| typing);
        for (nth, atom) in atoms.iter().enumerate() {
            let mut word = direct(splitter, atom);
            if atom.asking && question {
                word.weight = ASKING_WEIGHT;
            }
            if let Some(joined) = joined.get(nth) {
                word.forms.extend(joined.iter().cloned().map(Lookup::full));
            }
            if last == Some(nth) {
                begin(view, &mut word, &atom.term)?;
            }
            // In a question hardly any table holds every word, as what is found inside others has to.
            if !question {
                word.inside = view.inside(&atom.term, MOST_BEGINNINGS)?;
            }
            self.add(view, splitter, word, &atom.term)?;
        }
        Ok(())
    }

    /// Adds a word, or what it is taken for, or says that it is left out.
    fn add(
        &mut self,
        view: &FilteredSnapshot,
        splitter: &mut Splitter,
        mut word: Word,
        term: &str,
    ) -> Result<(), Error> {
        if stands(view, &word)? {
            self.push(word);
            return Ok(());
        }
        if term.chars().count() >= 3 {
            begin(view, &mut word, term)?;
            word.weight *= GUESSED;
            if !word.names.is_empty() || stands(view, &word)? {
                self.push(word);
                return Ok(());
            }
        }
        if let Some(parts) = parts(view, term)? {
            for part in parts {
                let atom = Atom {
                    term: part,
                    whole: None,
                    asking: false,
                };
                let part = direct(splitter, &atom);
                self.push(Word {
                    weight: word.weight,
                    ..part
                });
            }
            return Ok(());
        }
        let others = misspelt(view, term)?;
        if others.is_empty() {
            return self.add_inside(view, word, term);
        }
        self.read_as.push(ReadAs {
            word: term.to_owned(),
            others: others.clone(),
        });
        for other in others {
            let atom = Atom {
                term: other,
                whole: None,
                asking: false,
            };
            word.forms.extend(direct(splitter, &atom).forms);
        }
        self.push(word);
        Ok(())
    }

    /// Adds a word that stands inside others only, or says that it is left out.
    fn add_inside(
        &mut self,
        view: &FilteredSnapshot,
        mut word: Word,
        term: &str,
    ) -> Result<(), Error> {
        word.inside = view.inside(term, MOST_BEGINNINGS)?;
        if word.inside.is_nowhere() {
            self.leave_out(term, nearest(view, term)?);
        } else {
            word.only_inside = true;
            self.push(word);
        }
        Ok(())
    }

    fn push(&mut self, word: Word) {
        let room = self.words.len() < MOST_WORDS;
        match self
            .words
            .iter_mut()
            .find(|other| other.forms == word.forms)
        {
            Some(same) => same.weight = (same.weight + word.weight / 2.0).min(2.0),
            None if room => self.words.push(word),
            None => {}
        }
    }

    fn leave_out(&mut self, word: &str, nearest: Vec<String>) {
        if !self.left_out.iter().any(|left| left.word == word) {
            self.left_out.push(LeftOut {
                word: word.to_owned(),
                nearest,
            });
        }
    }

    fn require(
        &mut self,
        view: &FilteredSnapshot,
        splitter: &mut Splitter,
        condition: &Condition,
    ) -> Result<(), Error> {
        let phrase: Vec<String> = phrase(splitter, &condition.text);
        if phrase.is_empty() {
            return Ok(());
        }
        let exactly = Test::Phrase(phrase.clone());
        let (test, otherwise) = if condition.exact {
            (exactly, None)
        } else if phrase.len() > 1 && condition.field != SearchField::Owner {
            let words = loosely(view, splitter, condition)?;
            (exactly, Some(Test::Each(words)))
        } else {
            (Test::Each(loosely(view, splitter, condition)?), None)
        };
        let mut passing = rank::passing(view, condition.field, &test)?;
        if let Some(otherwise) = &otherwise
            && passing.iter().all(Vec::is_empty)
        {
            passing = rank::passing(view, condition.field, otherwise)?;
        }
        let stands_nowhere = passing.iter().all(Vec::is_empty);
        if stands_nowhere {
            self.leave_out(&condition.typed, nearest_to_any(view, &phrase)?);
        }
        if condition.field == SearchField::Anywhere {
            if stands_nowhere {
                return Ok(());
            }
            for term in &phrase {
                self.push(Word::exactly(term));
            }
        }
        self.requirements.push(Requirement {
            field: condition.field,
            test,
            otherwise,
            passing,
        });
        Ok(())
    }
}

impl Word {
    fn exactly(term: &str) -> Self {
        Self {
            typed: term.to_owned(),
            weight: 1.0,
            forms: vec![Lookup::full(term.to_owned())],
            names: Vec::new(),
            beginning: None,
            inside: Inside::default(),
            only_inside: false,
        }
    }
}

impl Lookup {
    fn full(term: String) -> Self {
        Self {
            term,
            weight: 1.0,
            extra: false,
        }
    }
}

/// Cuts a text into the words that are looked up: characters of a script without spaces in pairs.
fn cut(splitter: &mut Splitter, text: &str) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut whole: Option<(String, usize)> = None;
    let mut paired = 0;
    splitter.split(text, |found| match found.form {
        Form::Whole => whole = Some((found.term.to_owned(), found.to)),
        Form::Pair => {
            paired = found.to;
            atoms.push(Atom {
                term: found.term.to_owned(),
                whole: None,
                asking: false,
            });
        }
        Form::Word if found.from < paired => {}
        Form::Word => atoms.push(Atom {
            term: found.term.to_owned(),
            whole: whole
                .as_ref()
                .filter(|(_, end)| found.to <= *end)
                .map(|(whole, _)| whole.clone()),
            asking: ASKING.binary_search(&found.term).is_ok(),
        }),
        Form::Stem => {}
    });
    atoms
}

/// Lets a word be the beginning of others.
fn begin(view: &FilteredSnapshot, word: &mut Word, term: &str) -> Result<(), Error> {
    let words = view.beginning_with(term, READABLE, MOST_BEGINNINGS)?;
    let words = words.into_iter().filter(|other| other != term);
    word.forms.extend(words.map(|term| Lookup {
        term,
        weight: 0.8,
        extra: false,
    }));
    word.names = view.names_beginning_with(term, MOST_BEGINNINGS)?;
    word.beginning = (!word.names.is_empty()).then(|| term.to_owned());
    Ok(())
}

/// The words of a condition, each of which may be inflected, and begin others when it stands nowhere itself.
fn loosely(
    view: &FilteredSnapshot,
    splitter: &mut Splitter,
    condition: &Condition,
) -> Result<Vec<Word>, Error> {
    let mut words = Vec::new();
    for atom in cut(splitter, &condition.text) {
        let mut word = direct(splitter, &atom);
        if !matches!(condition.field, SearchField::Owner | SearchField::Tag)
            && !stands(view, &word)?
        {
            begin(view, &mut word, &atom.term)?;
            word.names.clear();
        }
        words.push(word);
    }
    Ok(words)
}

/// The words of a text as they stand, one after the other.
fn phrase(splitter: &mut Splitter, text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    splitter.split(text, |found| {
        if found.form == Form::Word {
            terms.push(found.term.to_owned());
        }
    });
    terms
}

/// Drops words of grammar, unless nothing else is left; what is still being typed stays.
fn without_grammar(atoms: Vec<Atom>, typing: bool) -> Vec<Atom> {
    let last = atoms.len().checked_sub(1).filter(|_| typing);
    let is_dropped = |(nth, atom): (usize, &Atom)| {
        last != Some(nth) && atom.whole.is_none() && is_grammar(&atom.term)
    };
    if atoms.iter().enumerate().all(is_dropped) {
        return atoms;
    }
    let keep: Vec<bool> = atoms
        .iter()
        .enumerate()
        .map(|atom| !is_dropped(atom))
        .collect();
    atoms
        .into_iter()
        .zip(keep)
        .filter(|(_, keep)| *keep)
        .map(|(atom, _)| atom)
        .collect()
}

/// For each word, what it is when written together with its neighbours: `order lines` may be `orderlines`.
fn joined(atoms: &[Atom]) -> Vec<Vec<String>> {
    let mut joined: Vec<Vec<String>> = vec![Vec::new(); atoms.len()];
    if atoms.len() > 2 * QUESTION {
        return joined;
    }
    for (nth, pair) in atoms.windows(2).enumerate() {
        if let [first, second] = pair
            && first.term.is_ascii()
            && second.term.is_ascii()
        {
            let together = format!("{}{}", first.term, second.term);
            for at in [nth, nth + 1] {
                if let Some(joined) = joined.get_mut(at) {
                    joined.push(together.clone());
                }
            }
        }
    }
    joined
}

/// A word as it is, by its stem, and as part of what it was cut from.
fn direct(splitter: &mut Splitter, atom: &Atom) -> Word {
    let mut word = Word::exactly(&atom.term);
    let stem = splitter.stem(&atom.term).map(str::to_owned);
    if let Some(stem) = &stem {
        if let Some(exact) = word.forms.first_mut() {
            exact.weight = 0.4;
            exact.extra = true;
        }
        word.forms.push(Lookup::full(stem.clone()));
    }
    if atom.term.len() >= 2 && atom.term.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let stem = stem.as_deref().unwrap_or(&atom.term);
        word.forms.push(Lookup::full(format!("{stem}{STEM}")));
    }
    if let Some(whole) = &atom.whole {
        word.forms.push(Lookup::full(whole.clone()));
    }
    word
}

/// Whether any form of the word stands anywhere.
fn stands(view: &FilteredSnapshot, word: &Word) -> Result<bool, Error> {
    for form in &word.forms {
        if view.frequencies(&form.term)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Two or three words written as one: those that stand most often, each at least twice as long as a letter.
fn parts(view: &FilteredSnapshot, word: &str) -> Result<Option<Vec<String>>, Error> {
    let length = word.chars().count();
    if !(4..=40).contains(&length) {
        return Ok(None);
    }
    let mut known: HashMap<String, u64> = HashMap::new();
    let mut weigh = |part: &str| -> Result<u64, Error> {
        if part.chars().count() < 2 {
            return Ok(0);
        }
        if let Some(count) = known.get(part) {
            return Ok(*count);
        }
        let [name, place, column, ..] = view.frequencies(part)?.unwrap_or([0; RANKED]);
        let count = name + place + column;
        known.insert(part.to_owned(), count);
        Ok(count)
    };
    let cuts: Vec<usize> = word.char_indices().map(|(at, _)| at).skip(2).collect();
    let mut best: Option<(u64, Vec<String>)> = None;
    let mut offer = |count: u64, parts: Vec<String>| {
        if count > 0 && best.as_ref().is_none_or(|(most, _)| count > *most) {
            best = Some((count, parts));
        }
    };
    for cut in &cuts {
        let (first, rest) = word.split_at(*cut);
        offer(
            weigh(first)?.min(weigh(rest)?),
            vec![first.to_owned(), rest.to_owned()],
        );
    }
    if best.is_some() {
        return Ok(best.map(|(_, parts)| parts));
    }
    let mut offer = |count: u64, parts: Vec<String>| {
        if count > 0 && best.as_ref().is_none_or(|(most, _)| count > *most) {
            best = Some((count, parts));
        }
    };
    for (nth, cut) in cuts.iter().enumerate() {
        let (first, rest) = word.split_at(*cut);
        if weigh(first)? == 0 {
            continue;
        }
        for second in cuts.iter().skip(nth + 2) {
            let (middle, last) = rest.split_at(second - cut);
            let count = weigh(first)?.min(weigh(middle)?).min(weigh(last)?);
            offer(
                count,
                vec![first.to_owned(), middle.to_owned(), last.to_owned()],
            );
        }
    }
    Ok(best.map(|(_, parts)| parts))
}

/// Words spelt almost like this one, the most likely first.
fn misspelt(view: &FilteredSnapshot, word: &str) -> Result<Vec<String>, Error> {
    let length = word.chars().count();
    let furthest = match length {
        0..=3 => return Ok(Vec::new()),
        4..=7 => 1,
        _ => 2,
    };
    for distance in 1..=furthest {
        let found = view.similar(word, distance, READABLE)?;
        let first = word.chars().next();
        let same: HashMap<_, _> = found
            .iter()
            .filter(|(term, _)| term.chars().next() == first)
            .map(|(a, b)| (a.clone(), *b))
            .collect();
        let found = if same.is_empty() { found } else { same };
        if !found.is_empty() {
            return Ok(most_frequent(found, 4));
        }
    }
    Ok(Vec::new())
}

/// Words that look like those of a phrase that stand nowhere.
fn nearest_to_any(view: &FilteredSnapshot, phrase: &[String]) -> Result<Vec<String>, Error> {
    let mut near = Vec::new();
    for term in phrase {
        if near.len() < 3 && view.frequencies(term)?.is_none() {
            near.extend(nearest(view, term)?);
        }
    }
    near.truncate(3);
    Ok(near)
}

/// Words that look most like one that stands nowhere.
fn nearest(view: &FilteredSnapshot, word: &str) -> Result<Vec<String>, Error> {
    let length = word.chars().count();
    let mut found = match length {
        0..=1 => HashMap::new(),
        2..=3 => view.similar(word, 1, READABLE)?,
        _ => view.similar(word, 2, READABLE)?,
    };
    if found.is_empty() && length >= 3 {
        let beginning: String = word.chars().take(length.min(2)).collect();
        for term in view.beginning_with(&beginning, READABLE, 2_000)? {
            found.entry(term).or_insert(0);
        }
    }
    let mut near: Vec<(f64, u64, String)> = found
        .into_iter()
        .map(|(term, count)| (strsim::jaro_winkler(word, &term), count, term))
        .filter(|(likeness, _, _)| *likeness >= 0.75)
        .collect();
    near.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| b.1.cmp(&a.1))
            .then_with(|| a.2.cmp(&b.2))
    });
    Ok(near.into_iter().take(3).map(|(_, _, term)| term).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_words_are_sorted_for_looking_up() {
        assert!(ASKING.is_sorted());
    }

    #[test]
    fn grammar_is_dropped_unless_nothing_else_is_left() {
        let mut splitter = Splitter::default();
        let terms = |atoms: Vec<Atom>| atoms.into_iter().map(|atom| atom.term).collect::<Vec<_>>();

        assert_eq!(
            terms(without_grammar(
                cut(&mut splitter, "which of the users"),
                false
            )),
            ["users"]
        );
        assert_eq!(
            terms(without_grammar(cut(&mut splitter, "to be"), false)),
            ["to", "be"]
        );
        assert_eq!(
            terms(without_grammar(cut(&mut splitter, "users an"), true)),
            ["users", "an"]
        );
    }

    #[test]
    fn characters_without_spaces_are_looked_up_in_pairs() {
        let mut splitter = Splitter::default();
        let terms: Vec<_> = cut(&mut splitter, "顧客注 客 a")
            .into_iter()
            .map(|atom| atom.term)
            .collect();

        assert_eq!(terms, ["顧客", "客注", "客", "a"]);
    }
}
