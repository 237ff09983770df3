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
#[derive(Clone)]
pub(super) struct Splitter {
    stemmer: TextAnalyzer,
    stems: HashMap<Box<str>, Option<Box<str>>>,
    chars: Vec<(usize, char, Class)>,
    folded: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Piece {
    term: Range<usize>,
    form: Form,
    position: usize,
    from: usize,
    to: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            stemmer: TextAnalyzer::builder(RawTokenizer::default())
                .filter(Stemmer::new(Language::English))
                .build(),
            stems: HashMap::new(),
            chars: Vec::new(),
            folded: String::new(),
            pieces: Vec::new(),
        }
    }
}

impl Splitter {
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
        if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        if !self.stems.contains_key(word) {
            if self.stems.len() >= REMEMBERED {
                self.stems.clear();
            }
            let mut stream = self.stemmer.token_stream(word);
            let stem = stream
                .next()
                .map(|token| token.text.as_str())
                .filter(|stem| *stem != word && !stem.is_empty());
            self.stems.insert(word.into(), stem.map(Into::into));
        }
        self.stems.get(word)?.as_deref()
    }

    fn cut(&mut self, text: &str) {
        self.folded.clear();
        self.pieces.clear();
        self.chars.clear();
        self.chars
            .extend(text.char_indices().map(|(at, c)| (at, c, class(c))));
        let chars = std::mem::take(&mut self.chars);
        let mut position = 0;
        let mut after_apostrophe = false;
        for chunk in chunks(&chars) {
            let end = end_of(&chars, chunk.end, text);
            let start = start_of(&chars, chunk.start);
            let single = chars
                .get(chunk.start)
                .is_some_and(|(_, _, class)| *class == Class::Single);
            if single {
                self.cut_singles(text, &chars, chunk.clone(), &mut position);
            } else if !(after_apostrophe && is_clitic(text, start, end)) {
                self.cut_chunk(text, &chars, chunk.clone(), &mut position);
            }
            after_apostrophe = chars
                .get(chunk.end)
                .is_some_and(|(_, c, _)| matches!(c, '\'' | '’'));
        }
        self.chars = chars;
    }

    /// A piece without separators: whole, if it comes apart, and then its parts.
    fn cut_chunk(
        &mut self,
        text: &str,
        chars: &[(usize, char, Class)],
        chunk: Range<usize>,
        position: &mut usize,
    ) {
        let parts = parts(chars, chunk.clone());
        if parts.len() > 1 {
            self.push(text, chars, chunk, Form::Whole, *position);
        }
        for part in parts {
            let Some(term) = self.push(text, chars, part, Form::Word, *position) else {
                continue;
            };
            self.push_stem(term, *position);
            *position += 1;
        }
    }

    /// Characters that are read on their own, and each pair of neighbours.
    fn cut_singles(
        &mut self,
        text: &str,
        chars: &[(usize, char, Class)],
        chunk: Range<usize>,
        position: &mut usize,
    ) {
        let starts: Vec<usize> = chunk
            .clone()
            .filter(|at| {
                chars
                    .get(*at)
                    .is_some_and(|(_, _, class)| *class == Class::Single)
            })
            .collect();
        for (nth, &start) in starts.iter().enumerate() {
            let next = starts.get(nth + 1).copied();
            let after_next = starts.get(nth + 2).copied().unwrap_or(chunk.end);
            if next.is_some() {
                self.push(text, chars, start..after_next, Form::Pair, *position);
            }
            let end = next.unwrap_or(chunk.end);
            self.push(text, chars, start..end, Form::Word, *position);
            *position += 1;
        }
    }

    fn push(
        &mut self,
        text: &str,
        chars: &[(usize, char, Class)],
        part: Range<usize>,
        form: Form,
        position: usize,
    ) -> Option<Range<usize>> {
        let from = start_of(chars, part.start);
        let to = end_of(chars, part.end, text);
        let start = self.folded.len();
        fold_into(text.get(from..to)?, &mut self.folded);
        shorten(&mut self.folded, start + LONGEST);
        let term = start..self.folded.len();
        if term.is_empty() {
            return None;
        }
        self.pieces.push(Piece {
            term: term.clone(),
            form,
            position,
            from,
            to,
        });
        Some(term)
    }

    fn push_stem(&mut self, term: Range<usize>, position: usize) {
        let folded = std::mem::take(&mut self.folded);
        let stem = folded
            .get(term)
            .and_then(|word| self.stem(word))
            .map(str::to_owned);
        self.folded = folded;
        let (Some(stem), Some(word)) = (stem, self.pieces.last()) else {
            return;
        };
        let (from, to) = (word.from, word.to);
        let start = self.folded.len();
        self.folded.push_str(&stem);
        self.folded.push(STEM);
        self.pieces.push(Piece {
            term: start..self.folded.len(),
            form: Form::Stem,
            position,
            from,
            to,
        });
    }
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

/// Runs of characters without a gap, those that are read alone apart from the others; as ranges of `chars`.
fn chunks(chars: &[(usize, char, Class)]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut open: Option<(usize, bool)> = None;
    for (at, (_, _, class)) in chars.iter().enumerate() {
        let single = *class == Class::Single;
        match (*class, open) {
            (Class::Joins, _) => {}
            (Class::Gap, Some((start, _))) => {
                chunks.push(start..at);
                open = None;
            }
            (Class::Gap, None) => {}
            (_, Some((start, of_singles))) if of_singles != single => {
                chunks.push(start..at);
                open = Some((at, single));
            }
            (_, None) => open = Some((at, single)),
            _ => {}
        }
    }
    if let Some((start, _)) = open {
        chunks.push(start..chars.len());
    }
    chunks
}

/// Where a piece comes apart: `users|Created`, `HTTP|Server`, `orders|2024`, but `IDs`.
fn parts(chars: &[(usize, char, Class)], chunk: Range<usize>) -> Vec<Range<usize>> {
    let classes: Vec<(usize, char, Class)> = chunk
        .clone()
        .filter_map(|at| chars.get(at).map(|(_, c, class)| (at, *c, *class)))
        .filter(|(_, _, class)| *class != Class::Joins)
        .collect();
    let mut parts = Vec::new();
    let mut start = chunk.start;
    let mut cut = |at: usize| {
        if at > start {
            parts.push(start..at);
            start = at;
        }
    };
    for (nth, (at, _, class)) in classes.iter().enumerate().skip(1) {
        let Some((_, _, before)) = classes.get(nth - 1) else {
            continue;
        };
        let after = classes.get(nth + 1);
        match (before, class) {
            (Class::Letter, Class::Upper) => cut(*at),
            (Class::Upper, Class::Upper)
                if matches!(after, Some((_, _, Class::Letter)))
                    && !is_plural_of_capitals(&classes, nth) =>
            {
                cut(*at);
            }
            (Class::Digit, Class::Letter | Class::Upper)
            | (Class::Letter | Class::Upper, Class::Digit) => cut(*at),
            _ => {}
        }
    }
    parts.push(start..chunk.end);
    parts
}

/// Whether the capital at `nth` is followed by nothing but an s: `IDs`, `URLs`.
fn is_plural_of_capitals(classes: &[(usize, char, Class)], nth: usize) -> bool {
    matches!(classes.get(nth + 1), Some((_, 's', _)))
        && !matches!(classes.get(nth + 2), Some((_, _, Class::Letter)))
}

/// Whether this is what is left of a word behind its apostrophe: the s of `author's`, the t of `don't`.
fn is_clitic(text: &str, from: usize, to: usize) -> bool {
    matches!(text.get(from..to), Some("s" | "t" | "S" | "T"))
}

fn start_of(chars: &[(usize, char, Class)], at: usize) -> usize {
    chars.get(at).map_or(0, |(byte, _, _)| *byte)
}

fn end_of(chars: &[(usize, char, Class)], at: usize, text: &str) -> usize {
    chars.get(at).map_or(text.len(), |(byte, _, _)| *byte)
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
            places.last().map(|(from, to)| &text[*from..*to]),
            Some("Übermaß")
        );
    }
}
