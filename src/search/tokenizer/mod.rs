//! How texts become words: the same way when they are indexed, looked for and marked.
//!
//! `fct_users_created`, `FctUsersCreated`, `orders2024` and `db.table` come apart as people read them, and a piece that
//! was cut inside is kept whole as well. Scripts written without spaces come apart into characters and pairs of them.
//! Words are folded: compatibility forms, case and Latin diacritics do not matter.

mod ascii;

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

/// How much of a text is cut at once, in bytes, about: a long one takes no more memory than a short one.
const STRETCH: usize = 4_096;

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
    progress: Progress,
}

/// How far a text is cut.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// Where the next stretch begins, in bytes.
    at: usize,
    /// The position of the next word.
    position: usize,
    after_apostrophe: bool,
}

/// Finds stems, and remembers them.
#[derive(Clone)]
struct Stems {
    stemmer: TextAnalyzer,
    /// Where in `found` a word's stem is.
    known: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    found: Vec<Option<Box<str>>>,
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
            known: HashMap::default(),
            found: Vec::new(),
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
        self.progress = Progress::default();
        while self.cut_next(text) {
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
    }

    /// The stem of a folded word, where it differs from it.
    pub(super) fn stem(&mut self, word: &str) -> Option<&str> {
        self.stems.find(word)
    }

    /// Cuts the next stretch of a text, in place of the one before; false when there is none.
    fn cut_next(&mut self, text: &str) -> bool {
        self.folded.clear();
        self.pieces.clear();
        let at = self.progress.at;
        let rest = text.get(at..).unwrap_or_default();
        let Some(stretch) = rest.get(..stretch(rest)).filter(|text| !text.is_empty()) else {
            return false;
        };
        if stretch.is_ascii() {
            self.cut_ascii(stretch);
        } else {
            self.cut_any(stretch);
        }
        self.progress.at = at + stretch.len();
        true
    }

    /// Cuts a stretch of any characters.
    fn cut_any(&mut self, stretch: &str) {
        self.chars.clear();
        self.chars
            .extend(stretch.char_indices().map(|(at, c)| (at, c, class(c))));
        let chars = std::mem::take(&mut self.chars);
        let line = Line {
            text: stretch,
            begins: self.progress.at,
            chars: &chars,
        };
        for chunk in line.chunks() {
            if line.class(chunk.start) == Some(Class::Single) {
                self.cut_singles(&line, chunk.clone());
            } else if !(self.progress.after_apostrophe && is_clitic(line.piece(&chunk))) {
                self.cut_chunk(&line, chunk.clone());
            }
            let behind = chars.get(chunk.end);
            self.progress.after_apostrophe = matches!(behind, Some((_, '\'' | '’', _)));
        }
        self.chars = chars;
    }

    /// A piece without separators: whole, if it comes apart, and then its parts.
    fn cut_chunk(&mut self, line: &Line<'_>, chunk: Range<usize>) {
        if line.is_plain(&chunk) {
            return self.push_word(line.piece(&chunk), line.place(&chunk));
        }
        let parts = line.parts(chunk.clone());
        if parts.len() > 1 {
            self.push(line.piece(&chunk), line.place(&chunk), Form::Whole);
        }
        for part in parts {
            self.push_word(line.piece(&part), line.place(&part));
        }
    }

    /// Characters that are read on their own, and each pair of neighbours.
    fn cut_singles(&mut self, line: &Line<'_>, chunk: Range<usize>) {
        let starts: Vec<usize> = chunk
            .clone()
            .filter(|at| line.class(*at) == Some(Class::Single))
            .collect();
        for (nth, &start) in starts.iter().enumerate() {
            let next = starts.get(nth + 1).copied();
            let after_next = starts.get(nth + 2).copied().unwrap_or(chunk.end);
            let one = start..next.unwrap_or(chunk.end);
            if next.is_some() {
                let both = start..after_next;
                self.push(line.piece(&both), line.place(&both), Form::Pair);
            }
            self.push(line.piece(&one), line.place(&one), Form::Word);
            self.progress.position += 1;
        }
    }

    /// Adds a word that begins at a byte of the text, and its stem.
    fn push_word(&mut self, word: &str, from: usize) {
        if self.push(word, from, Form::Word) {
            if !self.without_stems {
                self.push_stem();
            }
            self.progress.position += 1;
        }
    }

    /// Adds a piece that begins at a byte of the text, unless nothing is left of it when it is folded.
    fn push(&mut self, piece: &str, from: usize, form: Form) -> bool {
        let start = self.folded.len();
        fold_into(piece, &mut self.folded);
        shorten(&mut self.folded, start + LONGEST);
        let term = start..self.folded.len();
        if term.is_empty() {
            return false;
        }
        self.pieces.push(Piece {
            term,
            form,
            position: self.progress.position,
            from,
            to: from + piece.len(),
        });
        true
    }

    /// Adds the stem of the word that was added last.
    fn push_stem(&mut self) {
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
            position: word.position,
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
        let known = self.known.get(word).copied();
        let at = known.unwrap_or_else(|| self.learn(word));
        self.found.get(at)?.as_deref()
    }

    /// Finds a stem that is not known yet. Answers where it is.
    fn learn(&mut self, word: &str) -> usize {
        if self.found.len() >= REMEMBERED {
            self.known.clear();
            self.found.clear();
        }
        let mut stream = self.stemmer.token_stream(word);
        let stem = stream
            .next()
            .map(|token| token.text.as_str())
            .filter(|stem| *stem != word && !stem.is_empty());
        let at = self.found.len();
        self.found.push(stem.map(Into::into));
        self.known.insert(word.into(), at);
        at
    }
}

/// A stretch of a text and the classes of its characters; ranges are of characters.
struct Line<'a> {
    text: &'a str,
    /// Where it begins in the text, in bytes.
    begins: usize,
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

    /// Where a range begins in the text, in bytes.
    fn place(&self, range: &Range<usize>) -> usize {
        self.begins + self.byte(range.start)
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
        let mut parts = Vec::new();
        let mut start = chunk.start;
        let mut before = None;
        for at in chunk.clone() {
            let Some(class) = self.class(at).filter(|class| *class != Class::Joins) else {
                continue;
            };
            let after = self.chars.get(at + 1..chunk.end).unwrap_or_default();
            let after = after.iter().map(|(_, c, class)| (*c, *class));
            let after = after.filter(|(_, class)| *class != Class::Joins);
            if before.is_some_and(|before| comes_apart(before, class, after)) {
                parts.push(start..at);
                start = at;
            }
            before = Some(class);
        }
        parts.push(start..chunk.end);
        parts
    }
}

/// Where a stretch of a text ends: behind so many bytes, before the first that belongs to no word.
fn stretch(text: &str) -> usize {
    let more = text.as_bytes().get(STRETCH..).unwrap_or_default();
    let gap =
        |byte: &u8| byte.is_ascii() && *byte != b'\'' && class(char::from(*byte)) == Class::Gap;
    match more.iter().position(gap) {
        Some(more) => STRETCH + more,
        None => text.len(),
    }
}

/// Whether a word ends between two characters, given those that follow.
fn comes_apart(
    before: Class,
    class: Class,
    mut after: impl Iterator<Item = (char, Class)>,
) -> bool {
    match (before, class) {
        (Class::Letter, Class::Upper)
        | (Class::Digit, Class::Letter | Class::Upper)
        | (Class::Letter | Class::Upper, Class::Digit) => true,
        (Class::Upper, Class::Upper) => match after.next() {
            // Nothing but an s follows, as in `IDs` and `URLs`.
            Some(('s', Class::Letter)) => matches!(after.next(), Some((_, Class::Letter))),
            next => matches!(next, Some((_, Class::Letter))),
        },
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
pub(super) fn strip_separators(name: &str) -> String {
    let letters: String = name.chars().filter(|c| class(*c) != Class::Gap).collect();
    fold(&letters)
}

/// The words of a name, folded, by the pieces between its separators; `None` when it is not written in words.
pub(super) fn name_words(name: &str) -> Option<Vec<Vec<String>>> {
    if name.is_ascii() {
        return Some(ascii::name_words(name));
    }
    any_name_words(name)
}

fn any_name_words(name: &str) -> Option<Vec<Vec<String>>> {
    let chars = name.char_indices();
    let chars: Vec<_> = chars.map(|(at, c)| (at, c, class(c))).collect();
    let line = Line {
        text: name,
        begins: 0,
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
        let start = folded.len();
        folded.push_str(text);
        if let Some(added) = folded.get_mut(start..) {
            added.make_ascii_lowercase();
        }
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
        '\0'..='\u{7f}' => u8::try_from(c).map_or(Class::Gap, ascii::class),
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
    text: &'a str,
    /// The next piece of the stretch that was cut last.
    next: usize,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.splitter.progress = Progress::default();
        self.splitter.pieces.clear();
        self.token.reset();
        WordStream {
            tokenizer: self,
            text,
            next: 0,
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let WordTokenizer { splitter, token } = &mut *self.tokenizer;
        while self.next >= splitter.pieces.len() {
            if !splitter.cut_next(self.text) {
                return false;
            }
            self.next = 0;
        }
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
    use proptest::prelude::*;

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

    /// Everything that is found in a text, as one way of cutting it says.
    fn cut(text: &str, how: fn(&mut Splitter, &str)) -> Vec<(String, Form, usize, usize, usize)> {
        let mut splitter = Splitter::default();
        how(&mut splitter, text);
        let pieces = splitter.pieces.iter();
        let term = |piece: &Piece| splitter.folded.get(piece.term.clone()).unwrap().to_owned();
        let found = |p: &Piece| (term(p), p.form, p.position, p.from, p.to);
        pieces.map(found).collect()
    }

    proptest! {
        #[test]
        fn texts_of_ascii_come_apart_like_all_others(text in "([a-zA-Z0-9 _.'s\\-]{0,40}|[ -~\t\n]{0,40})") {
            prop_assert_eq!(cut(&text, Splitter::cut_ascii), cut(&text, Splitter::cut_any));
            prop_assert_eq!(Some(ascii::name_words(&text)), any_name_words(&text));
        }
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
        assert_eq!(strip_separators("Fct_Users Created"), "fctuserscreated");
        assert_eq!(strip_separators("__"), "");
    }

    #[test]
    fn a_long_text_is_cut_as_a_short_one() {
        let sentence = "The author's customerIDs, Übermaß 顧客; ";
        let text = sentence.repeat(1_000);
        let mut starts = Vec::new();
        let mut terms = Vec::new();
        Splitter::default().split(&text, |found| {
            starts.push((
                found.position,
                text.get(found.from..found.to).unwrap().to_owned(),
            ));
            terms.push(found.term.to_owned());
        });
        let mut once = Vec::new();
        Splitter::default().split(sentence, |found| once.push(found.term.to_owned()));

        assert_eq!(terms.len(), 1_000 * once.len());
        assert_eq!(terms.last(), once.last());
        assert!(starts.is_sorted_by_key(|(position, _)| *position));
        assert_eq!(starts.last().unwrap(), &(6_999, "客".to_owned()));
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
