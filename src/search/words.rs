//! How texts become words: the same way when they are indexed, looked for and marked.
//!
//! `fct_users_created`, `FctUsersCreated`, `orders2024` and `db.table` come apart as people read them, and a piece that
//! was cut inside is kept whole as well. Scripts written without spaces come apart into characters and pairs of them.
//! Words are folded: compatibility forms, case and Latin diacritics do not matter.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::tokenizer::{
    Language, RawTokenizer, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer,
};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Ends the stem of a word, so that it is never taken for a word that somebody wrote.
pub(super) const STEM: char = '\u{1}';

/// The longest word that is indexed, in bytes; of longer ones only the beginning counts.
const LONGEST: usize = 240;

/// How many words a stemmer remembers.
const REMEMBERED: usize = 50_000;

/// What a token is of the text it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A word.
    Word,
    /// A piece without separators that was cut into words.
    Whole,
    /// Two neighbouring characters of a script without spaces.
    Pair,
    /// What a word and its inflections have in common, where that differs from the word.
    Stem,
}

/// One token: `term` is folded, `from..to` are the bytes of the original text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub(super) term: &'a str,
    pub(super) form: Form,
    pub(super) position: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Gap,
    /// Belongs to whatever it follows: combining marks, joiners.
    Joins,
    Upper,
    Letter,
    Digit,
    /// A character that is read on its own: scripts without spaces, pictographs.
    Single,
}

/// Cuts texts into words. Remembers stems, so keep it.
#[derive(Clone, Default)]
pub(super) struct Splitter {
    stems: Stems,
    chars: Vec<(usize, char, Class)>,
    folded: String,
    pieces: Vec<Piece>,
    /// Whether stems are left out.
    without_stems: bool,
}

/// Finds stems, and remembers them.
#[derive(Clone)]
struct Stems {
    stemmer: TextAnalyzer,
    known: HashMap<Box<str>, Option<Box<str>>>,
}

#[derive(Debug, Clone)]
struct Piece {
    term: Range<usize>,
    form: Form,
    position: usize,
    from: usize,
    to: usize,
}

impl Default for Stems {
    fn default() -> Self {
        let stemmer = Stemmer::new(Language::English);
        Self {
            stemmer: TextAnalyzer::builder(RawTokenizer::default())
                .filter(stemmer)
                .build(),
            known: HashMap::new(),
        }
    }
}

impl Splitter {
    /// One that leaves stems out.
    pub(super) fn without_stems() -> Self {
        Self {
            without_stems: true,
            ..Self::default()
        }
    }

    /// Calls back for every token in the order of the text; a whole comes before its parts, a stem after its word.
    pub(super) fn split(&mut self, text: &str, mut visit: impl FnMut(Found<'_>)) {
        self.cut(text);
        for piece in &self.pieces {
            visit(Found {
                term: self.folded.get(piece.term.clone()).unwrap_or_default(),
                form: piece.form,
                position: piece.position,
                from: piece.from,
                to: piece.to,
            });
        }
    }

    /// The stem of a folded word, where it differs from it.
    pub(super) fn stem(&mut self, word: &str) -> Option<&str> {
        self.stems.find(word)
    }

    fn cut(&mut self, text: &str) {
        self.folded.clear();
        self.pieces.clear();
        self.chars.clear();
        self.chars
            .extend(text.char_indices().map(|(at, c)| (at, c, class(c))));
        let chars = std::mem::take(&mut self.chars);
        let line = Line {
            text,
            chars: &chars,
        };
        let mut position = 0;
        let mut after_apostrophe = false;
        for chunk in line.chunks() {
            if line.class(chunk.start) == Some(Class::Single) {
                self.cut_singles(&line, chunk.clone(), &mut position);
            } else if !(after_apostrophe && is_clitic(line.piece(&chunk))) {
                self.cut_chunk(&line, chunk.clone(), &mut position);
            }
            after_apostrophe = matches!(chars.get(chunk.end), Some((_, '\'' | '’', _)));
        }
        self.chars = chars;
    }

    /// A piece without separators: whole, if it comes apart, and then its parts.
    fn cut_chunk(&mut self, line: &Line<'_>, chunk: Range<usize>, position: &mut usize) {
        if line.is_plain(&chunk) {
            return self.push_word(line, chunk, position);
        }
        let parts = line.parts(chunk.clone());
        if parts.len() > 1 {
            self.push(line, chunk, Form::Whole, *position);
        }
        for part in parts {
            self.push_word(line, part, position);
        }
    }

    /// Characters that are read on their own, and each pair of neighbours.
    fn cut_singles(&mut self, line: &Line<'_>, chunk: Range<usize>, position: &mut usize) {
        let starts: Vec<usize> = chunk
            .clone()
            .filter(|at| line.class(*at) == Some(Class::Single))
            .collect();
        for (nth, &start) in starts.iter().enumerate() {
            let next = starts.get(nth + 1).copied();
            let after_next = starts.get(nth + 2).copied().unwrap_or(chunk.end);
            if next.is_some() {
                self.push(line, start..after_next, Form::Pair, *position);
            }
            self.push(
                line,
                start..next.unwrap_or(chunk.end),
                Form::Word,
                *position,
            );
            *position += 1;
        }
    }

    fn push_word(&mut self, line: &Line<'_>, part: Range<usize>, position: &mut usize) {
        if self.push(line, part, Form::Word, *position) {
            if !self.without_stems {
                self.push_stem(*position);
            }
            *position += 1;
        }
    }

    /// Adds a piece, unless nothing is left of it when it is folded.
    fn push(&mut self, line: &Line<'_>, part: Range<usize>, form: Form, position: usize) -> bool {
        let start = self.folded.len();
        fold_into(line.piece(&part), &mut self.folded);
        shorten(&mut self.folded, start + LONGEST);
        let term = start..self.folded.len();
        if term.is_empty() {
            return false;
        }
        self.pieces.push(Piece {
            term,
            form,
            position,
            from: line.byte(part.start),
            to: line.byte(part.end),
        });
        true
    }

    /// Adds the stem of the word that was added last.
    fn push_stem(&mut self, position: usize) {
        let Some(word) = self.pieces.last().cloned() else {
            return;
        };
        let Self { stems, folded, .. } = self;
        let stem = folded.get(word.term).and_then(|word| stems.find(word));
        let Some(stem) = stem else {
            return;
        };
        let start = folded.len();
        folded.push_str(stem);
        folded.push(STEM);
        self.pieces.push(Piece {
            term: start..folded.len(),
            form: Form::Stem,
            position,
            from: word.from,
            to: word.to,
        });
    }
}

impl Stems {
    fn find(&mut self, word: &str) -> Option<&str> {
        if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        if !self.known.contains_key(word) {
            if self.known.len() >= REMEMBERED {
                self.known.clear();
            }
            let mut stream = self.stemmer.token_stream(word);
            let stem = stream
                .next()
                .map(|token| token.text.as_str())
                .filter(|stem| *stem != word && !stem.is_empty());
            self.known.insert(word.into(), stem.map(Into::into));
        }
        self.known.get(word)?.as_deref()
    }
}

/// A text and the classes of its characters; ranges are of characters.
struct Line<'a> {
    text: &'a str,
    chars: &'a [(usize, char, Class)],
}

impl<'a> Line<'a> {
    fn class(&self, at: usize) -> Option<Class> {
        self.chars.get(at).map(|(_, _, class)| *class)
    }

    fn byte(&self, at: usize) -> usize {
        self.chars
            .get(at)
            .map_or(self.text.len(), |(byte, _, _)| *byte)
    }

    fn piece(&self, range: &Range<usize>) -> &'a str {
        let bytes = self.byte(range.start)..self.byte(range.end);
        self.text.get(bytes).unwrap_or_default()
    }

    /// Whether a chunk is all small letters, as most are.
    fn is_plain(&self, chunk: &Range<usize>) -> bool {
        let chars = self.chars.get(chunk.clone()).unwrap_or_default();
        chars.iter().all(|(_, _, class)| *class == Class::Letter)
    }

    /// Runs of characters without a gap, those that are read alone apart from the others.
    fn chunks(&self) -> Vec<Range<usize>> {
        let mut chunks = Vec::new();
        let mut open: Option<(usize, bool)> = None;
        for (at, (_, _, class)) in self.chars.iter().enumerate() {
            let single = *class == Class::Single;
            match (*class, open) {
                (Class::Joins, _) | (Class::Gap, None) => {}
                (Class::Gap, Some((start, _))) => {
                    chunks.push(start..at);
                    open = None;
                }
                (_, Some((start, of_singles))) if of_singles != single => {
                    chunks.push(start..at);
                    open = Some((at, single));
                }
                (_, None) => open = Some((at, single)),
                _ => {}
            }
        }
        if let Some((start, _)) = open {
            chunks.push(start..self.chars.len());
        }
        chunks
    }

    /// Where a chunk comes apart: `users|Created`, `HTTP|Server`, `orders|2024`, but `IDs`.
    fn parts(&self, chunk: Range<usize>) -> Vec<Range<usize>> {
        let classes: Vec<(usize, char, Class)> = chunk
            .clone()
            .filter_map(|at| self.chars.get(at).map(|(_, c, class)| (at, *c, *class)))
            .filter(|(_, _, class)| *class != Class::Joins)
            .collect();
        let mut parts = Vec::new();
        let mut start = chunk.start;
        for (nth, pair) in classes.windows(2).enumerate() {
            if let [(_, _, before), (at, _, class)] = pair
                && comes_apart(*before, *class, classes.get(nth + 2..).unwrap_or_default())
            {
                parts.push(start..*at);
                start = *at;
            }
        }
        parts.push(start..chunk.end);
        parts
    }
}

/// Whether a word ends between two characters, given those that follow.
fn comes_apart(before: Class, class: Class, after: &[(usize, char, Class)]) -> bool {
    match (before, class) {
        (Class::Letter, Class::Upper)
        | (Class::Digit, Class::Letter | Class::Upper)
        | (Class::Letter | Class::Upper, Class::Digit) => true,
        (Class::Upper, Class::Upper) => {
            matches!(after, [(_, _, Class::Letter), ..]) && !is_plural_of_capitals(after)
        }
        _ => false,
    }
}

/// Whether nothing but an s follows, as in `IDs` and `URLs`.
fn is_plural_of_capitals(after: &[(usize, char, Class)]) -> bool {
    match after {
        [(_, 's', _), rest @ ..] => !matches!(rest, [(_, _, Class::Letter), ..]),
        _ => false,
    }
}

/// Whether this is what is left of a word behind its apostrophe: the s of `author's`, the t of `don't`.
fn is_clitic(piece: &str) -> bool {
    matches!(piece, "s" | "t" | "S" | "T")
}

/// Folds a text: compatibility forms, case and Latin diacritics.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// A name without its separators, folded: `FctUsers`, `fct_users` and `fct users` are one.
pub(super) fn squeeze(name: &str) -> String {
    let letters: String = name.chars().filter(|c| class(*c) != Class::Gap).collect();
    fold(&letters)
}

/// The words of a name, folded, by the pieces between its separators; `None` when it is not written in words.
pub(super) fn name_words(name: &str) -> Option<Vec<Vec<String>>> {
    let chars = name.char_indices();
    let chars: Vec<_> = chars.map(|(at, c)| (at, c, class(c))).collect();
    let line = Line {
        text: name,
        chars: &chars,
    };
    let mut pieces = Vec::new();
    for chunk in line.chunks() {
        if line.class(chunk.start) == Some(Class::Single) {
            return None;
        }
        let parts = line.parts(chunk).into_iter();
        pieces.push(parts.map(|part| fold(line.piece(&part))).collect());
    }
    Some(pieces)
}

fn fold_into(text: &str, folded: &mut String) {
    if text.is_ascii() {
        folded.extend(text.chars().map(|c| c.to_ascii_lowercase()));
        return;
    }
    let decomposed = text
        .nfkd()
        .filter(|c| !is_accent(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| !is_accent(*c));
    for c in decomposed.nfc() {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            _ => folded.push(c),
        }
    }
}

/// The diacritics of Latin, Greek and Cyrillic, and what joins characters without being seen.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
        || is_joiner(c)
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn class(c: char) -> Class {
    match c {
        'a'..='z' => Class::Letter,
        'A'..='Z' => Class::Upper,
        '0'..='9' => Class::Digit,
        '\0'..='\u{7f}' => Class::Gap,
        '\u{ff9e}' | '\u{ff9f}' => Class::Joins,
        _ if is_joiner(c) || is_combining_mark(c) => Class::Joins,
        _ if is_read_alone(c) => Class::Single,
        _ if c.is_uppercase() => Class::Upper,
        _ if c.is_alphabetic() => Class::Letter,
        _ if c.is_numeric() => Class::Digit,
        _ => Class::Gap,
    }
}

/// Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese, and pictographs.
fn is_read_alone(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{2600}'..='\u{27bf}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}'
        | '\u{3105}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}' | '\u{1b000}'..='\u{1b16f}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3ffff}')
        && c != '\u{30fb}'
}

fn shorten(text: &mut String, longest: usize) {
    if text.len() > longest {
        let end = (0..=longest)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
    }
}

/// The splitter as the index calls it.
#[derive(Clone, Default)]
pub(super) struct WordTokenizer {
    splitter: Splitter,
    token: Token,
}

/// The tokens of one text.
pub(super) struct WordStream<'a> {
    tokenizer: &'a mut WordTokenizer,
    next: usize,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.splitter.cut(text);
        self.token.reset();
        WordStream {
            tokenizer: self,
            next: 0,
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let WordTokenizer { splitter, token } = &mut *self.tokenizer;
        let Some(piece) = splitter.pieces.get(self.next) else {
            return false;
        };
        self.next += 1;
        token.text.clear();
        token
            .text
            .push_str(splitter.folded.get(piece.term.clone()).unwrap_or_default());
        token.position = piece.position;
        token.offset_from = piece.from;
        token.offset_to = piece.to;
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

    fn words(text: &str) -> Vec<String> {
        forms(text, Form::Word)
    }

    fn forms(text: &str, form: Form) -> Vec<String> {
        let mut terms = Vec::new();
        Splitter::default().split(text, |found| {
            if found.form == form {
                terms.push(found.term.to_owned());
            }
        });
        terms
    }

    #[test]
    fn names_come_apart_as_people_read_them() {
        for name in [
            "fct_users_created",
            "FctUsersCreated",
            "fct-users.created",
            "fct/users created",
            "fctUsersCREATED",
        ] {
            assert_eq!(words(name), ["fct", "users", "created"], "{name}");
        }
        assert_eq!(words("orders2024"), ["orders", "2024"]);
        assert_eq!(words("HTTPServer2x"), ["http", "server", "2", "x"]);
        assert_eq!(words("customerIDs"), ["customer", "ids"]);
        assert_eq!(words("a b1"), ["a", "b", "1"]);
    }

    #[test]
    fn what_was_cut_inside_is_kept_whole() {
        assert_eq!(forms("FctUsersCreated", Form::Whole), ["fctuserscreated"]);
        assert_eq!(forms("my_s3_bucket", Form::Whole), ["s3"]);
        assert_eq!(forms("fct_users", Form::Whole), [""; 0]);
    }

    #[test]
    fn inflections_share_a_stem() {
        assert_eq!(
            forms("users created user", Form::Stem),
            ["user\u{1}", "creat\u{1}"]
        );
    }

    #[test]
    fn case_width_and_diacritics_do_not_matter() {
        assert_eq!(words("Übergröße ＡＢＣ été"), ["ubergrosse", "abc", "ete"]);
        assert_eq!(words("e\u{301}te\u{301}"), ["ete"]);
        assert_eq!(words("ЙОГУРТ İstanbul"), ["иогурт", "istanbul"]);
        assert_eq!(words("ΟΔΟΣ οδος"), ["οδοσ", "οδοσ"]);
    }

    #[test]
    fn scripts_without_spaces_come_apart_into_characters_and_pairs() {
        assert_eq!(words("顧客注文"), ["顧", "客", "注", "文"]);
        assert_eq!(forms("顧客注文", Form::Pair), ["顧客", "客注", "注文"]);
        assert_eq!(words("dim_顧客v2"), ["dim", "顧", "客", "v", "2"]);
        assert_eq!(words("ｶﾞｽ"), words("ガス"));
    }

    #[test]
    fn an_apostrophe_leaves_no_word_behind() {
        assert_eq!(
            words("the author's books don't"),
            ["the", "author", "books", "don"]
        );
        assert_eq!(words("s t"), ["s", "t"]);
    }

    #[test]
    fn any_text_can_be_cut() {
        assert_eq!(words(""), [""; 0]);
        assert_eq!(words("\0:::\"'--__ \u{200d}"), [""; 0]);
        assert_eq!(words("🚀"), ["🚀"]);
        assert_eq!(words(&"x".repeat(10_000)), ["x".repeat(LONGEST)]);
        assert_eq!(words("\u{301}"), [""; 0]);
    }

    #[test]
    fn a_squeezed_name_has_no_separators() {
        assert_eq!(squeeze("Fct_Users Created"), "fctuserscreated");
        assert_eq!(squeeze("__"), "");
    }

    #[test]
    fn tokens_know_where_they_stood() {
        let text = "Ein Übermaß";
        let mut places = Vec::new();
        Splitter::default().split(text, |found| places.push((found.from, found.to)));
        assert_eq!(
            places.last().and_then(|(from, to)| text.get(*from..*to)),
            Some("Übermaß")
        );
    }
}
