//! The order of hits: stages that nothing crosses, and within a stage how much of the query stands where.
//!
//! Every posting of every word is read, so totals and facets are exact and cost nothing extra. Within a stage words
//! count by their rarity, with diminishing returns, and by the field that they stand in relative to its length (BM25
//! over weighted fields).

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use chrono::Utc;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::query::{EnableScoring, PhraseQuery, Query as _, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet, TERMINATED, Term};

use super::access_filter::HiddenDocs;
use super::affixes::{Affix, Edge};
use super::document::day_number;
use super::filtered_snapshot::FilteredSnapshot;
use super::filters::SearchField;
use super::narrow::Sort;
use super::plan::{Plan, Test, Word};
use super::query::Narrowing;
use super::schema::{Fields, RANKED};
use super::snapshot::{Facts, Segment};
use super::tally::{Chosen, Tally};
use super::trust::{Layer, trust};
use super::{Error, Facet};

/// What a field counts for: name, place, columns, texts, the rest.
const WEIGHTS: [f32; RANKED] = [4.0, 0.7, 1.0, 0.9, 0.4];

/// How much a long field dilutes a word in it, from not at all to entirely; on top of [`WHOLE_DILUTION`].
const DILUTION: [f32; RANKED] = [0.2, 0.0, 0.0, 0.0, 0.75];

/// How much a long document dilutes whatever stands in it.
const WHOLE_DILUTION: f32 = 0.5;

/// How soon repeating a word stops to matter.
const SATURATION: f32 = 0.8;

/// A hit has to hold this share of the weight that the best one holds.
const ENOUGH: f32 = 0.15;

/// What being found by a whole name that only begins like the word counts for.
const BEGINNING: f32 = 2.0;

/// What standing inside another word counts for, where a word stands nowhere else.
const INSIDE: f32 = 1.0;

/// How far stages are apart; more than any score within one.
const STAGE: f32 = 1_000.0;

/// How far apart in its stage what the query names as a whole is by trust alone.
const NAMED: f32 = 100.0;

/// What the texts count for there.
const BESIDES: f32 = 0.3;

/// What a name counts for that is what was typed, exactly and but for separators or inflections.
const EXACT: f32 = 1.35;
const ALMOST: f32 = 1.2;

/// What a name counts for that is what was typed but for its last word.
const WITHOUT_LAST: f32 = 0.85;

/// How much the other words of a name dilute those that were asked for.
const OTHER_WORDS: f32 = 0.5;

/// What trust counts for, as a power, where the query is not about the name.
const FAR: f32 = 0.25;

/// How much what is named like everything else counts for less: layers that hold most of a catalog are on the way to what
/// is used.
const BULK: f32 = 0.3;

/// So many of the best hits are weighed by how many views read them.
const WEIGHED: usize = 64;

/// What each reader counts for, and how many count.
const READER: f32 = 0.06;
const MOST_READERS: u64 = 5;

/// Everything that was found, and the best of it.
#[derive(Default)]
pub(super) struct Ranking {
    pub(super) total: u64,
    /// How many more there would be with what was removed.
    pub(super) removed: u64,
    /// Best first.
    pub(super) best: Vec<Place>,
    pub(super) facets: Vec<Facet>,
}

/// One hit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) segment: usize,
    pub(super) doc: DocId,
    pub(super) score: f32,
    /// Whether it comes first among equals, because somebody vouches for it today.
    verified: bool,
    order: u32,
}

/// What is known of one document while postings are read.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    sum: f32,
    /// The weight of the words that it holds.
    held: f32,
    name: u32,
    place: u32,
    column: u32,
    /// Words that stand inside others.
    inside: u32,
    /// Requirements that it meets.
    met: u8,
    /// 2 for the exact name, 1 for the name but for separators.
    exact: u8,
}

/// What one word has collected in one document.
#[derive(Debug, Clone, Copy, Default)]
struct Gathered {
    amount: f32,
    fields: u8,
}

/// Ranks what the plan asks for; answers `keep` hits.
pub(super) fn rank(
    view: &FilteredSnapshot,
    plan: &Plan,
    narrowing: &Narrowing,
    sort: Sort,
    keep: usize,
) -> Result<Ranking, Error> {
    let scales = scales(view);
    let rarities = rarities(view, plan)?;
    let today = day_number(Utc::now().date_naive());
    let chosen = Chosen::new(view, narrowing, today);
    let mut tally = Tally::new(view, &chosen);
    let mut scores = Vec::with_capacity(view.view.segments.len());
    for (nth, (segment, hidden_docs)) in view.segments().enumerate() {
        let mut gathered = gather(view, segment, plan, &rarities, &scales)?;
        if let Some(hidden_docs) = hidden_docs {
            blank(&mut gathered, hidden_docs);
        }
        let passing = plan.requirements.iter().map(|one| one.passing.get(nth));
        meet(
            &mut gathered,
            passing.map(|passing| passing.map_or(&[][..], Vec::as_slice)),
        );
        scores.push(gathered);
    }
    let everything = !plan.asked;
    let most = scores
        .iter()
        .flatten()
        .map(|score| score.held)
        .fold(0.0, f32::max);
    let found = Found {
        view,
        asked: asked(plan),
        is_one_word: plan.is_one_word,
        everything,
        enough: most * ENOUGH,
        all: mask(plan.words.len()),
        requirements: u8::try_from(mask(plan.requirements.len())).unwrap_or(u8::MAX),
        today,
        sort,
    };
    let mut candidates = Vec::new();
    for (number, (segment, scores)) in view.segments().zip(&scores).enumerate() {
        let hits = count(&mut tally, number, segment, scores, &found)?;
        candidates.extend(best_of(hits, keep.max(WEIGHED)));
    }
    let mut best = in_order(view, candidates, keep.max(WEIGHED))?;
    if !everything && sort == Sort::Match {
        weigh_readers(view, &mut best)?;
    }
    best.truncate(keep);
    Ok(Ranking {
        total: tally.total,
        removed: tally.removed,
        best,
        facets: tally.facets(view),
    })
}

/// What makes a score a hit, and a hit one of a stage.
struct Found<'v> {
    view: &'v FilteredSnapshot,
    /// Every term that the words of the query stand for.
    asked: HashSet<String>,
    is_one_word: bool,
    everything: bool,
    enough: f32,
    all: u32,
    requirements: u8,
    /// The day of the query, as a number.
    today: u32,
    sort: Sort,
}

impl Found<'_> {
    fn is_hit(&self, score: &Score) -> bool {
        (self.holds_enough(score) || self.is_late(score))
            && score.met & self.requirements == self.requirements
    }

    fn holds_enough(&self, score: &Score) -> bool {
        self.everything || score.exact > 0 || (score.held > 0.0 && score.held >= self.enough)
    }

    /// Whether every word stands somewhere in names when words inside others count, too.
    fn is_late(&self, score: &Score) -> bool {
        score.inside != 0 && score.name | score.place | score.column | score.inside == self.all
    }

    fn score(&self, at: (usize, &Segment), doc: DocId, score: &Score, facts: &Facts) -> f32 {
        match self.sort {
            Sort::Match => {}
            // Equals come by name.
            Sort::Name => return 0.0,
            #[expect(clippy::cast_precision_loss, reason = "days of this era fit")]
            Sort::Changed => return facts.changed as f32,
        }
        if self.everything {
            return STAGE + f32::from(u8::from(!facts.deprecated));
        }
        let first = self.view.affixes.of(at, doc, Edge::First);
        let mut trust = trust(
            facts,
            first.map_or(Layer::Unknown, |first| first.layer),
            self.today,
        );
        if let Some(first) = first {
            trust *= 1.0 - BULK * first.share;
        }
        let in_name = score.name == self.all;
        let is_asked = |affix: &&Affix| !self.asked.contains(&affix.word);
        let other = if in_name {
            other_words(score, facts)
        } else {
            None
        };
        let first = first.filter(is_asked);
        let last = self.view.affixes.of(at, doc, Edge::Last).filter(is_asked);
        let named = match (score.exact, other) {
            (2, _) => Some(EXACT),
            (1, _) | (_, Some(0)) => Some(ALMOST),
            (_, Some(1)) if first.is_some() => Some(1.0),
            (_, Some(1)) if last.is_some() => Some(WITHOUT_LAST),
            (_, Some(2)) if first.is_some() && last.is_some() => Some(WITHOUT_LAST),
            _ => None,
        };
        let (stage, within) = match named {
            Some(named) => {
                let is_literal = score.exact > 0 && !self.is_one_word;
                let stage = if is_literal { 6.0 } else { 5.0 };
                (
                    stage,
                    NAMED * named * trust + BESIDES * score.sum.min(NAMED),
                )
            }
            None if in_name => {
                let affixes = u32::from(first.is_some()) + u32::from(last.is_some());
                let other = other.unwrap_or(1).saturating_sub(affixes);
                #[expect(clippy::cast_precision_loss, reason = "names have few words")]
                let [asked, other] = [score.name.count_ones() as f32, other as f32];
                let diluted = asked / (asked + OTHER_WORDS * other);
                (4.0, score.sum * diluted * trust)
            }
            None if score.name | score.place == self.all => (3.0, score.sum * trust),
            None if score.name | score.place | score.column == self.all => {
                (2.0, score.sum * trust.powf(FAR))
            }
            None if self.holds_enough(score) => (1.0, score.sum * trust.powf(FAR)),
            None => (0.0, score.sum * trust.powf(FAR)),
        };
        stage * STAGE + within.min(STAGE - 1.0)
    }
}

/// How many words a name has beside those of the query and those of its database; `None` when it is not in words.
fn other_words(score: &Score, facts: &Facts) -> Option<u32> {
    let words = Some(facts.signs.words()).filter(|words| *words > 0)?;
    let repeated = (score.name & score.place).count_ones();
    let unasked = facts.signs.repeated().saturating_sub(repeated);
    Some(words.saturating_sub(score.name.count_ones() + unasked))
}

/// Every term that the words of a query stand for.
fn asked(plan: &Plan) -> HashSet<String> {
    let forms = plan.words.iter().flat_map(|word| &word.forms);
    forms.map(|form| form.term.clone()).collect()
}

/// Weighs the best hits by how many views read them, within their stages.
fn weigh_readers(view: &FilteredSnapshot, best: &mut [Place]) -> Result<(), Error> {
    let weighed = best.len().min(WEIGHED);
    let Some(best) = best.get_mut(..weighed) else {
        return Ok(());
    };
    for place in best.iter_mut() {
        let segment = view.view.segments.get(place.segment);
        let Some(address) = segment.and_then(|segment| segment.address(place.doc)) else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "few count")]
        let readers = view.readers(address)?.min(MOST_READERS) as f32;
        let stage = (place.score / STAGE).floor() * STAGE;
        let within = (place.score - stage) * (1.0 + READER * readers);
        place.score = stage + within.min(STAGE - 1.0);
    }
    // Equals stay as they were put in order before.
    best.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(())
}

/// For each field, what a length dilutes a word to, by the length's short form.
fn scales(view: &FilteredSnapshot) -> [[f32; 256]; RANKED] {
    let mut scales = [[0.0; 256]; RANKED];
    let fields = scales
        .iter_mut()
        .zip(WEIGHTS)
        .zip(DILUTION)
        .zip(view.lengths);
    for (((scale, weight), dilution), average) in fields {
        for (short, scale) in (0..=u8::MAX).zip(scale.iter_mut()) {
            #[expect(clippy::cast_precision_loss, reason = "lengths are rounded anyway")]
            let length = FieldNormReader::id_to_fieldnorm(short) as f32;
            *scale = weight / (1.0 - dilution + dilution * length / average);
        }
    }
    scales
}

/// How much it says that a document holds a word.
#[expect(clippy::cast_precision_loss, reason = "a weight needs no more")]
fn rarities(view: &FilteredSnapshot, plan: &Plan) -> Result<Vec<f32>, Error> {
    let all = view.len() as f32;
    let mut rarities = Vec::new();
    for word in &plan.words {
        let mut counts = [0_u64; RANKED];
        for form in word.forms.iter().filter(|form| !form.extra) {
            let found = view.frequencies(&form.term)?.unwrap_or_default();
            counts
                .iter_mut()
                .zip(found)
                .for_each(|(count, more)| *count += more);
        }
        let held = (counts.into_iter().max().unwrap_or_default() as f32).min(all);
        let rarity = (1.0 + (all - held + 0.5) / (held + 0.5)).ln();
        rarities.push(rarity * word.weight);
    }
    Ok(rarities)
}

fn mask(words: usize) -> u32 {
    (0..words.min(32)).fold(0, |mask, nth| mask | 1 << nth)
}

/// Reads every posting of every word in one segment.
fn gather(
    view: &FilteredSnapshot,
    segment: &Segment,
    plan: &Plan,
    rarities: &[f32],
    scales: &[[f32; 256]; RANKED],
) -> Result<Vec<Score>, Error> {
    let mut accumulator = Accumulator::new(segment, !plan.words.is_empty());
    for (nth, (word, rarity)) in plan.words.iter().zip(rarities).enumerate() {
        accumulator.gather(view, segment, word, scales)?;
        accumulator.look_inside(view.view.fields, segment, word, 1 << nth)?;
        accumulator.finish_word(view, segment, 1 << nth, *rarity);
    }
    let mut scores = accumulator.scores;
    for (terms, exact) in [(plan.exact.as_slice(), 2), (plan.squeezed.as_slice(), 1)] {
        for term in terms {
            for_each_in(segment, view.view.fields.whole, term, |doc| {
                if let Some(score) = scores.get_mut(doc as usize) {
                    score.exact = score.exact.max(exact);
                }
            })?;
        }
    }
    Ok(scores)
}

/// Forgets what was found in documents that are hidden.
fn blank(scores: &mut [Score], hidden_docs: &HiddenDocs) {
    for (doc, score) in (0..).zip(scores) {
        if hidden_docs.hides(doc) {
            *score = Score::default();
        }
    }
}

/// Notes which documents meet which requirement.
fn meet<'m>(scores: &mut [Score], meeting: impl Iterator<Item = &'m [DocId]>) {
    for (nth, documents) in meeting.enumerate() {
        for doc in documents {
            if let Some(score) = scores.get_mut(*doc as usize) {
                score.met |= 1 << nth;
            }
        }
    }
}

/// Where the postings of one segment are added up.
struct Accumulator {
    scores: Vec<Score>,
    /// What the word at hand has collected, and in which documents.
    gathered: Vec<Gathered>,
    touched: Vec<DocId>,
}

impl Accumulator {
    fn new(segment: &Segment, words: bool) -> Self {
        let documents = segment.reader.max_doc() as usize;
        Self {
            scores: vec![Score::default(); documents],
            gathered: vec![Gathered::default(); if words { documents } else { 0 }],
            touched: Vec::new(),
        }
    }

    fn add(&mut self, doc: DocId, amount: f32, field: u8) {
        if let Some(gathered) = self.gathered.get_mut(doc as usize) {
            if gathered.fields == 0 {
                self.touched.push(doc);
            }
            gathered.amount += amount;
            gathered.fields |= field;
        }
    }

    /// Adds up the postings of one word.
    fn gather(
        &mut self,
        view: &FilteredSnapshot,
        segment: &Segment,
        word: &Word,
        scales: &[[f32; 256]; RANKED],
    ) -> Result<(), Error> {
        let indexes = segment.ranked.iter().zip(scales).zip(&segment.lengths);
        for (nth, ((index, scale), lengths)) in indexes.enumerate() {
            for form in &word.forms {
                let Some(found) = index.terms().get(&form.term)? else {
                    continue;
                };
                let mut postings = index
                    .read_block_postings_from_terminfo(&found, IndexRecordOption::WithFreqs)?;
                while !postings.docs().is_empty() {
                    for (doc, times) in postings.docs().iter().zip(postings.freqs()) {
                        let short = usize::from(lengths.fieldnorm_id(*doc));
                        let scale = scale.get(short).unwrap_or(&0.0);
                        #[expect(clippy::cast_precision_loss, reason = "saturates long before")]
                        let times = *times as f32;
                        self.add(*doc, form.weight * times * scale, 1 << nth);
                    }
                    postings.advance();
                }
            }
        }
        let fields = view.view.fields;
        for name in &word.names {
            for_each_in(segment, fields.whole, name, |doc| {
                self.add(doc, BEGINNING, 1);
            })?;
        }
        Ok(())
    }

    /// Notes in which documents a word stands inside others; where it stands nowhere else, that counts.
    fn look_inside(
        &mut self,
        fields: Fields,
        segment: &Segment,
        word: &Word,
        bit: u32,
    ) -> Result<(), Error> {
        let terms = [
            (fields.in_name, &word.inside.names, 1),
            (fields.in_column, &word.inside.columns, 4),
        ];
        for (index, terms, field) in terms {
            for term in terms {
                for_each_in(segment, index, term, |doc| {
                    if word.only_inside {
                        self.add(doc, INSIDE, field);
                    } else if let Some(score) = self.scores.get_mut(doc as usize) {
                        score.inside |= bit;
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Books what one word has collected.
    fn finish_word(&mut self, view: &FilteredSnapshot, segment: &Segment, bit: u32, rarity: f32) {
        for doc in self.touched.drain(..) {
            let at = doc as usize;
            let (Some(score), Some(gathered)) =
                (self.scores.get_mut(at), self.gathered.get_mut(at))
            else {
                continue;
            };
            let Gathered { amount, fields } = std::mem::take(gathered);
            let length = segment.facts(doc).length / view.length;
            let dilution = 1.0 - WHOLE_DILUTION + WHOLE_DILUTION * length;
            score.sum += rarity * amount * (SATURATION + 1.0) / (amount + SATURATION * dilution);
            score.held += rarity;
            if fields & 1 != 0 {
                score.name |= bit;
            }
            if fields & 2 != 0 {
                score.place |= bit;
            }
            if fields & 4 != 0 {
                score.column |= bit;
            }
        }
    }
}

fn for_each_in(
    segment: &Segment,
    field: Field,
    term: &str,
    mut visit: impl FnMut(DocId),
) -> Result<(), Error> {
    let index = segment.reader.inverted_index(field)?;
    let Some(found) = index.terms().get(term)? else {
        return Ok(());
    };
    let mut postings = index.read_block_postings_from_terminfo(&found, IndexRecordOption::Basic)?;
    while !postings.docs().is_empty() {
        postings.docs().iter().copied().for_each(&mut visit);
        postings.advance();
    }
    Ok(())
}

/// The documents of each segment that pass a test.
pub(super) fn passing(
    view: &FilteredSnapshot,
    scope: SearchField,
    test: &Test,
) -> Result<Vec<Vec<DocId>>, Error> {
    let fields = view.view.fields.of(scope);
    let mut all = Vec::with_capacity(view.view.segments.len());
    for (segment, hidden_docs) in view.segments() {
        let mut passing = Vec::new();
        for field in &fields {
            passing.extend(match test {
                Test::Phrase(words) => holding_phrase(view, segment, *field, words)?,
                Test::Each(words) => holding_each(segment, *field, words)?,
            });
        }
        if let Some(hidden_docs) = hidden_docs {
            passing.retain(|doc| !hidden_docs.hides(*doc));
        }
        all.push(passing);
    }
    Ok(all)
}

fn holding_phrase(
    view: &FilteredSnapshot,
    segment: &Segment,
    field: Field,
    words: &[String],
) -> Result<Vec<DocId>, Error> {
    let terms: Vec<Term> = words
        .iter()
        .map(|word| Term::from_field_text(field, word))
        .collect();
    let query: Box<dyn tantivy::query::Query> = match terms.as_slice() {
        [] => return Ok(Vec::new()),
        [term] => Box::new(TermQuery::new(term.clone(), IndexRecordOption::Basic)),
        _ => Box::new(PhraseQuery::new(terms)),
    };
    let weight = query.weight(EnableScoring::disabled_from_schema(&view.view.schema))?;
    let mut scorer = weight.scorer(&segment.reader, 1.0)?;
    let mut holding = Vec::new();
    while scorer.doc() != TERMINATED {
        holding.push(scorer.doc());
        scorer.advance();
    }
    Ok(holding)
}

fn holding_each(segment: &Segment, field: Field, words: &[Word]) -> Result<Vec<DocId>, Error> {
    let index = segment.reader.inverted_index(field)?;
    let mut held: HashMap<DocId, u32> = HashMap::new();
    for (nth, word) in words.iter().enumerate().take(32) {
        for form in &word.forms {
            let Some(found) = index.terms().get(&form.term)? else {
                continue;
            };
            let mut postings =
                index.read_block_postings_from_terminfo(&found, IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                for doc in postings.docs() {
                    *held.entry(*doc).or_default() |= 1 << nth;
                }
                postings.advance();
            }
        }
    }
    let all = mask(words.len());
    Ok(held
        .into_iter()
        .filter(|(_, held)| *held == all)
        .map(|(doc, _)| doc)
        .collect())
}

/// Counts the hits of one segment.
fn count(
    tally: &mut Tally<'_>,
    number: usize,
    (segment, hidden_docs): (&Segment, Option<&HiddenDocs>),
    scores: &[Score],
    found: &Found<'_>,
) -> Result<Vec<Place>, Error> {
    let mut hits = Vec::new();
    let mut counting = tally.segment(segment)?;
    for (doc, score) in (0..).zip(scores) {
        if !found.is_hit(score) || hidden_docs.is_some_and(|hidden_docs| hidden_docs.hides(doc)) {
            continue;
        }
        let facts = segment.facts(doc);
        if counting.count(doc, &facts) {
            hits.push(Place {
                segment: number,
                doc,
                score: found.score((number, segment), doc, score, &facts),
                verified: found.sort == Sort::Match && facts.verified >= found.today,
                order: facts.order,
            });
        }
    }
    counting.end()?;
    Ok(hits)
}

fn by_score(a: &Place, b: &Place) -> Ordering {
    b.score
        .total_cmp(&a.score)
        .then_with(|| b.verified.cmp(&a.verified))
        .then_with(|| a.order.cmp(&b.order))
}

/// The best hits of one segment, in no order.
fn best_of(mut hits: Vec<Place>, keep: usize) -> Vec<Place> {
    if hits.len() > keep {
        hits.select_nth_unstable_by(keep, by_score);
        hits.truncate(keep);
    }
    hits
}

/// The best hits of all segments, best first; equals by whether they are verified, then by name.
fn in_order(
    view: &FilteredSnapshot,
    mut places: Vec<Place>,
    keep: usize,
) -> Result<Vec<Place>, Error> {
    places.sort_by(by_score);
    let mut ordered = Vec::with_capacity(keep.min(places.len()));
    for equals in places.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        if ordered.len() >= keep {
            break;
        }
        let one_segment = equals
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.segment == b.segment));
        if one_segment {
            ordered.extend_from_slice(equals);
            continue;
        }
        let mut named = Vec::with_capacity(equals.len());
        for place in equals {
            let name = view.view.order(place.segment, place.doc)?;
            named.push(((!place.verified, name), *place));
        }
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        ordered.extend(named.into_iter().map(|(_, place)| place));
    }
    ordered.truncate(keep);
    Ok(ordered)
}
