//! Why a hit is one: the texts in which words of the query stand, cut at the marks.

use std::collections::HashMap;
use std::ops::Range;

use super::document::{SQL_KEPT, Texts};
use super::excerpt::{merged, piece, whole};
use super::filters::SearchField;
use super::inside;
use super::plan::{Plan, Test, Word};
use super::tokenizer::{Form, Splitter};
use super::{Matched, MatchedField, Part};

/// How many columns and how many comments are named at most.
const MOST_COLUMNS: usize = 3;
const MOST_COMMENTS: usize = 2;

/// What a query marks: for every term the numbers of the words it stands for.
pub(super) struct Marker<'s> {
    splitter: &'s mut Splitter,
    anywhere: HashMap<String, u64>,
    scoped: Vec<(SearchField, HashMap<String, u64>)>,
    beginnings: Vec<(String, u64)>,
    /// Words that stand inside others.
    inside: Vec<(String, u64)>,
    /// Whether something was looked for, apart from prefixes.
    asked: bool,
    /// The words of the query, as they were typed.
    typed: Vec<String>,
    /// Which of them stand in the texts of the hit at hand.
    held: u64,
}

/// Why something is a hit.
pub(super) struct Explained {
    /// The strongest reason first.
    pub(super) matched: Vec<Matched>,
    /// The words of the query that stand nowhere in it.
    pub(super) lacks: Vec<String>,
}

/// Marks in one text, and which words of the query they are for.
#[derive(Debug, Default)]
struct Marks {
    ranges: Vec<Range<usize>>,
    words: u64,
}

impl<'s> Marker<'s> {
    /// Prepares to mark what the plan looks up.
    pub(super) fn new(splitter: &'s mut Splitter, plan: &Plan) -> Self {
        let mut anywhere = HashMap::new();
        let mut beginnings = Vec::new();
        let mut inside = Vec::new();
        for (nth, word) in plan.words.iter().enumerate() {
            add_forms(&mut anywhere, word, bit(nth));
            if let Some(beginning) = &word.beginning {
                beginnings.push((beginning.clone(), bit(nth)));
            }
            if !word.inside.is_nowhere() {
                inside.push((word.typed.clone(), bit(nth)));
            }
        }
        let mut scoped = Vec::new();
        let requirements = plan
            .requirements
            .iter()
            .filter(|one| one.field != SearchField::Anywhere);
        for (nth, requirement) in requirements.enumerate() {
            let mut terms = HashMap::new();
            for test in [Some(&requirement.test), requirement.otherwise.as_ref()]
                .into_iter()
                .flatten()
            {
                add_test(&mut terms, test, bit(32 + nth));
            }
            scoped.push((requirement.field, terms));
        }
        Self {
            splitter,
            anywhere,
            scoped,
            beginnings,
            inside,
            asked: plan.asked,
            typed: plan.words.iter().map(|word| word.typed.clone()).collect(),
            held: 0,
        }
    }

    /// The reasons for one hit, the strongest first; what says nothing new is not repeated.
    pub(super) fn explain(&mut self, texts: &Texts) -> Explained {
        let mut matched = Vec::new();
        let mut said = 0;
        self.held = 0;
        let name = self.name_marks(&texts.name);
        said |= name.words;
        matched.extend(whole(MatchedField::Name, &texts.name, &name.ranges));
        for place in &texts.place {
            let marks = self.marks(place, SearchField::Anywhere);
            if marks.words & !said != 0 {
                said |= marks.words;
                matched.extend(whole(MatchedField::Place, place, &marks.ranges));
            }
        }
        self.columns(texts, &mut said, &mut matched);
        self.descriptions(texts, &mut said, &mut matched);
        self.others(texts, &mut said, &mut matched);
        self.inside(texts, &mut said, &mut matched);
        if matched.is_empty() && (self.asked || !self.scoped.is_empty()) {
            let owner = self
                .scoped
                .iter()
                .any(|(scope, _)| *scope == SearchField::Owner);
            matched.push(last_resort(texts, owner));
        }
        self.held |= said;
        Explained {
            matched,
            lacks: self.lacks(texts),
        }
    }

    /// The words that are nowhere in the texts; none where nobody can tell, because not all of them are kept.
    fn lacks(&self, texts: &Texts) -> Vec<String> {
        let is_cut = texts.sql.as_ref().is_some_and(|sql| is_cut(sql));
        let held = |nth: &usize| self.held & bit(*nth) != 0;
        let all = 0..self.typed.len();
        if is_cut || !all.clone().any(|nth| held(&nth)) {
            return Vec::new();
        }
        let lacking = all.filter(|nth| !held(nth));
        lacking
            .filter_map(|nth| self.typed.get(nth).cloned())
            .collect()
    }

    /// Names in whose words a word stands that was found nowhere else.
    fn inside(&mut self, texts: &Texts, said: &mut u64, matched: &mut Vec<Matched>) {
        for (word, bit) in self.inside.clone() {
            if *said & bit == 0 {
                let found = self.names_around(texts, &word);
                *said |= if found.is_empty() { 0 } else { bit };
                matched.extend(found);
            }
        }
    }

    /// The name in whose words a word stands, or else the columns.
    fn names_around(&mut self, texts: &Texts, word: &str) -> Vec<Matched> {
        let mut around = |field, text: &str| {
            let ranges = merged(inside::ranges(self.splitter, text, word));
            whole(field, text, &ranges)
        };
        if let Some(name) = around(MatchedField::Name, &texts.name) {
            return vec![name];
        }
        let columns = texts.columns.iter().filter_map(|path| {
            let found = around(MatchedField::Column, path)?;
            Some(Matched {
                path: Some(path.clone()),
                ..found
            })
        });
        columns.take(MOST_COLUMNS).collect()
    }

    fn columns(&mut self, texts: &Texts, said: &mut u64, matched: &mut Vec<Matched>) {
        let mut columns: Vec<(&String, Marks)> = Vec::new();
        for path in &texts.columns {
            let marks = self.marks(path, SearchField::Column);
            if marks.words & !*said != 0 {
                columns.push((path, marks));
            }
        }
        columns
            .sort_by_key(|(path, marks)| (std::cmp::Reverse(marks.words.count_ones()), path.len()));
        for (path, marks) in columns.into_iter().take(MOST_COLUMNS) {
            *said |= marks.words;
            let found = whole(MatchedField::Column, path, &marks.ranges);
            matched.extend(found.map(|found| Matched {
                path: Some(path.clone()),
                ..found
            }));
        }
    }

    fn descriptions(&mut self, texts: &Texts, said: &mut u64, matched: &mut Vec<Matched>) {
        let mut comments = 0;
        for (path, text) in &texts.comments {
            let marks = self.marks(text, SearchField::Description);
            if marks.words & !*said != 0 && comments < MOST_COMMENTS {
                comments += 1;
                *said |= marks.words;
                let found = piece(MatchedField::ColumnComment, text, &marks.ranges);
                matched.extend(found.map(|found| Matched {
                    path: Some(path.clone()),
                    ..found
                }));
            }
        }
        for text in &texts.descriptions {
            let marks = self.marks(text, SearchField::Description);
            *said |= marks.words;
            matched.extend(piece(MatchedField::Description, text, &marks.ranges));
        }
    }

    fn others(&mut self, texts: &Texts, said: &mut u64, matched: &mut Vec<Matched>) {
        if let Some(sql) = &texts.sql {
            let marks = self.marks(sql, SearchField::Anywhere);
            if marks.words & !*said != 0 {
                *said |= marks.words;
                matched.extend(piece(MatchedField::Sql, sql, &marks.ranges));
            }
        }
        for (name, value) in &texts.parameters {
            let scope = match name.as_str() {
                "Owner" => SearchField::Owner,
                "Tag" => SearchField::Tag,
                _ => SearchField::Anywhere,
            };
            let marks = self.marks(value, scope);
            if marks.words & !*said != 0 {
                *said |= marks.words;
                let found = piece(MatchedField::Parameter, value, &marks.ranges);
                matched.extend(found.map(|found| Matched {
                    path: Some(name.clone()),
                    ..found
                }));
            }
        }
    }

    fn marks(&mut self, text: &str, scope: SearchField) -> Marks {
        let mut marks = Marks::default();
        let Self {
            splitter,
            anywhere,
            scoped,
            ..
        } = self;
        splitter.split(text, |found| {
            let inside = scoped.iter().filter(|(only, _)| *only == scope);
            let scoped = inside.filter_map(|(_, terms)| terms.get(found.term));
            let words = anywhere
                .get(found.term)
                .into_iter()
                .chain(scoped)
                .fold(0, |all, one| all | one);
            if words != 0 {
                marks.words |= words;
                if found.form != Form::Stem || !marks.ranges.contains(&(found.from..found.to)) {
                    marks.ranges.push(found.from..found.to);
                }
            }
        });
        marks.ranges = merged(std::mem::take(&mut marks.ranges));
        self.held |= marks.words;
        marks
    }

    /// Marks in a name, which may also be found by how it begins without its separators.
    fn name_marks(&mut self, name: &str) -> Marks {
        let mut marks = self.marks(name, SearchField::Name);
        for (beginning, bit) in self.beginnings.clone() {
            let mut rest = beginning.as_str();
            let mut ranges = Vec::new();
            self.splitter.split(name, |found| {
                if found.form != Form::Word || rest.is_empty() {
                    return;
                }
                if let Some(after) = rest.strip_prefix(found.term) {
                    rest = after;
                    ranges.push(found.from..found.to);
                } else if found.term.starts_with(rest) {
                    rest = "";
                    ranges.push(found.from..found.to);
                }
            });
            if rest.is_empty() {
                marks.words |= bit;
                marks.ranges.extend(ranges);
            }
        }
        marks.ranges = merged(std::mem::take(&mut marks.ranges));
        marks
    }
}

/// What a hit is shown by when no word of it can be marked.
///
/// An owner may be asked for by another name than is shown, a word may stand where a long statement is not kept any more,
/// and a name may be what was typed but for its separators.
fn last_resort(texts: &Texts, owner: bool) -> Matched {
    let shown = |field, text: &str, marked| Matched {
        field,
        text: vec![Part {
            text: text.to_owned(),
            marked,
        }],
        path: None,
    };
    let owners = texts.parameters.iter().find(|(name, _)| name == "Owner");
    if let Some((name, value)) = owners.filter(|_| owner) {
        return Matched {
            path: Some(name.clone()),
            ..shown(MatchedField::Parameter, value, true)
        };
    }
    match &texts.sql {
        Some(sql) if is_cut(sql) => {
            shown(MatchedField::Sql, "Far down in a long statement.", false)
        }
        _ => shown(MatchedField::Name, &texts.name, true),
    }
}

/// Whether a statement may go on where it is not kept.
fn is_cut(sql: &str) -> bool {
    sql.chars().count() >= SQL_KEPT
}

fn bit(nth: usize) -> u64 {
    1 << nth.min(63)
}

fn add_forms(terms: &mut HashMap<String, u64>, word: &Word, bit: u64) {
    for form in &word.forms {
        *terms.entry(form.term.clone()).or_default() |= bit;
    }
}

fn add_test(terms: &mut HashMap<String, u64>, test: &Test, bit: u64) {
    match test {
        Test::Phrase(words) => {
            for word in words {
                *terms.entry(word.clone()).or_default() |= bit;
            }
        }
        Test::Each(words) => words.iter().for_each(|word| add_forms(terms, word, bit)),
    }
}
