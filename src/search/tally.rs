//! How many hits there are, in all and for each value of a facet.
//!
//! Each facet counts as if nothing were chosen in it. Kind, source and database are one value of an asset, held in
//! memory; owners and tags are several, read from the columns of the index.

use std::collections::HashMap;

use tantivy::DocId;
use tantivy::columnar::StrColumn;

use super::facets::{FACETS, FacetField, SEVERAL, SINGLE};
use super::filtered_snapshot::FilteredSnapshot;
use super::narrow::{Trust, Trusts};
use super::query::{Narrowing, Removed};
use super::snapshot::{Facts, Segment};
use super::tokenizer::fold;
use super::{Error, Facet, FacetValue};

/// How many values of a facet are answered.
const MOST_VALUES: usize = 50;

/// The place of trust among the facets.
const TRUST: usize = FacetField::Trust as usize;

/// What was chosen in each facet.
pub(super) struct Chosen<'q> {
    /// As numbers of the view's values; `None` when any will do.
    values: [Option<Vec<bool>>; SINGLE],
    trust: [Trusts; 2],
    /// Of these, one is enough; none when any will do.
    labels: [&'q [String]; SEVERAL],
    /// The first day on which a definition may have changed.
    since: u32,
    removed: Removed,
    today: u32,
}

impl<'q> Chosen<'q> {
    pub(super) fn new(view: &FilteredSnapshot, narrowing: &'q Narrowing, today: u32) -> Self {
        let seen = |facet: usize| {
            let values = view.values.as_ref()?.get(facet)?;
            Some(values.as_slice())
        };
        let mut values: [Option<Vec<bool>>; SINGLE] = Default::default();
        let [typed, picked] = &narrowing.choices;
        let asked = typed.single().zip(picked.single());
        let known = view.view.values.iter().zip(asked);
        for (facet, (meant, (known, asked))) in values.iter_mut().zip(known).enumerate() {
            *meant = chosen(known, seen(facet), asked);
        }
        let mut labels: [&[String]; SEVERAL] = Default::default();
        for (label, picked) in labels.iter_mut().zip(picked.several()) {
            *label = picked;
        }
        Self {
            values,
            trust: narrowing.trust,
            labels,
            since: narrowing.days.map_or(0, |days| today.saturating_sub(days)),
            removed: narrowing.removed,
            today,
        }
    }

    fn allows(&self, facet: usize, value: u32) -> bool {
        match self.values.get(facet) {
            Some(Some(chosen)) => chosen.get(value as usize).copied().unwrap_or(false),
            _ => true,
        }
    }
}

/// Which values are meant by what was typed and by what was chosen: exactly so named, or else with such a word. One that
/// is not to be seen is meant by nothing.
fn chosen(
    values: &[String],
    seen: Option<&[bool]>,
    (typed, picked): (&[String], &[String]),
) -> Option<Vec<bool>> {
    if typed.is_empty() && picked.is_empty() {
        return None;
    }
    let typed: Vec<String> = typed.iter().map(|name| fold(name)).collect();
    let is_seen = |nth: usize| seen.is_none_or(|seen| seen.get(nth) == Some(&true));
    let exact = |value: &String| typed.contains(&fold(value));
    let loosely = !typed.is_empty()
        && !values
            .iter()
            .enumerate()
            .any(|(nth, value)| is_seen(nth) && exact(value));
    let meant = |(nth, value): (usize, &String)| {
        if !is_seen(nth) {
            return false;
        }
        let by_typing = if typed.is_empty() {
            true
        } else if loosely {
            let value = fold(value);
            typed.iter().any(|name| value.contains(name.as_str()))
        } else {
            exact(value)
        };
        by_typing && (picked.is_empty() || picked.contains(value))
    };
    Some(values.iter().enumerate().map(meant).collect())
}

/// Counts hits while they are gone through.
pub(super) struct Tally<'a> {
    chosen: &'a Chosen<'a>,
    pub(super) total: u64,
    /// Hits but for this, that their source no longer lists them.
    pub(super) removed: u64,
    counts: [Vec<u64>; SINGLE],
    trust: [u64; Trust::ALL.len()],
    labels: [HashMap<String, u64>; SEVERAL],
}

impl<'a> Tally<'a> {
    pub(super) fn new(view: &FilteredSnapshot, chosen: &'a Chosen<'a>) -> Self {
        let values = view.view.values.each_ref();
        Self {
            chosen,
            total: 0,
            removed: 0,
            counts: values.map(|values| vec![0; values.len()]),
            trust: [0; Trust::ALL.len()],
            labels: Default::default(),
        }
    }

    /// Begins to count the hits of a segment.
    pub(super) fn segment<'t, 's>(
        &'t mut self,
        segment: &'s Segment,
    ) -> Result<Counting<'t, 'a, 's>, Error> {
        let labels = segment.labels().into_iter().zip(self.chosen.labels);
        let labels = labels.map(|(column, picked)| Labels::new(column, picked));
        let labels: Vec<Labels<'s>> = labels.collect::<Result<_, _>>()?;
        Ok(Counting {
            tally: self,
            segment,
            labels,
        })
    }

    /// What was counted, by facet.
    pub(super) fn facets(self, view: &FilteredSnapshot) -> Vec<Facet> {
        let chosen = self.chosen;
        let fields = FACETS.iter().map(|facet| facet.field);
        let counted = self
            .counts
            .iter()
            .zip(&*view.view.values)
            .zip(&chosen.values);
        let mut facets: Vec<Facet> = fields
            .clone()
            .zip(counted)
            .map(|(field, ((counts, values), chosen))| {
                facet(field, counts, values, chosen.as_deref())
            })
            .collect();
        let [_, picked] = chosen.trust;
        let counted = Trust::ALL.into_iter().zip(self.trust);
        let shown = counted.filter(|(trust, count)| *count > 0 || picked.has(*trust));
        facets.push(Facet {
            field: FacetField::Trust,
            values: shown
                .map(|(trust, count)| FacetValue {
                    value: trust.as_str().to_owned(),
                    count,
                })
                .collect(),
            more: false,
        });
        let fields = fields.skip(FACETS.len() - SEVERAL);
        let counted = self.labels.into_iter().zip(chosen.labels);
        facets.extend(fields.zip(counted).map(|(field, (mut counted, picked))| {
            for label in picked {
                counted.entry(label.clone()).or_default();
            }
            let (values, counts): (Vec<String>, Vec<u64>) = counted.into_iter().unzip();
            let is_picked: Vec<bool> = values.iter().map(|value| picked.contains(value)).collect();
            facet(field, &counts, &values, Some(&is_picked))
        }));
        facets
    }
}

/// Counts the hits of one segment; what was counted of its labels is lost without [`Self::end`].
pub(super) struct Counting<'t, 'a, 's> {
    tally: &'t mut Tally<'a>,
    segment: &'s Segment,
    labels: Vec<Labels<'s>>,
}

impl Counting<'_, '_, '_> {
    /// Counts one document, and tells whether it is a hit.
    pub(super) fn count(&mut self, doc: DocId, facts: &Facts) -> bool {
        let tally = &mut *self.tally;
        let chosen = tally.chosen;
        let [typed, picked] = chosen.trust;
        let trust = Trusts::of(facts, chosen.today);
        if facts.changed < chosen.since || !trust.has_all(typed) {
            return false;
        }
        let mut refused = None;
        let mut refusals = 0;
        let mut refuse = |choice| {
            refused = Some(choice);
            refusals += 1;
        };
        let mut values = [u32::MAX; SINGLE];
        let renumbered = self.segment.renumbered().iter();
        for (facet, ((value, local), numbers)) in values
            .iter_mut()
            .zip(facts.values)
            .zip(renumbered)
            .enumerate()
        {
            *value = numbers.get(local as usize).copied().unwrap_or(u32::MAX);
            if !chosen.allows(facet, *value) {
                refuse(facet);
            }
        }
        if !picked.is_empty() && !trust.has_any(picked) {
            refuse(TRUST);
        }
        for (choice, labels) in (TRUST + 1..).zip(&self.labels) {
            if !labels.allow(doc) {
                refuse(choice);
            }
        }
        match (facts.gone, chosen.removed) {
            (true, Removed::Counted) => {
                tally.removed += u64::from(refusals == 0);
                return false;
            }
            (false, Removed::Only) => return false,
            _ if refusals > 1 => return false,
            _ => {}
        }
        let counts_for = |choice| refused.is_none_or(|refused| refused == choice);
        for (facet, (counts, value)) in tally.counts.iter_mut().zip(values).enumerate() {
            if counts_for(facet)
                && let Some(count) = counts.get_mut(value as usize)
            {
                *count += 1;
            }
        }
        if counts_for(TRUST) {
            for (one, count) in Trust::ALL.into_iter().zip(&mut tally.trust) {
                *count += u64::from(trust.has(one));
            }
        }
        for (choice, labels) in (TRUST + 1..).zip(&mut self.labels) {
            if counts_for(choice) {
                labels.count(doc);
            }
        }
        tally.total += u64::from(refusals == 0);
        refusals == 0
    }

    /// Adds the labels of the segment to those of the others.
    pub(super) fn end(self) -> Result<(), Error> {
        for (labels, counted) in self.labels.iter().zip(&mut self.tally.labels) {
            labels.add_to(counted)?;
        }
        Ok(())
    }
}

/// The values of a facet of which an asset may have several, in one segment.
struct Labels<'s> {
    column: Option<&'s StrColumn>,
    /// How many hits have each value, by its number in the segment.
    counts: Vec<u64>,
    /// The numbers of which one is enough; `None` when any will do.
    picked: Option<Vec<u64>>,
}

impl<'s> Labels<'s> {
    fn new(column: Option<&'s StrColumn>, picked: &[String]) -> Result<Self, Error> {
        let column = column.filter(|column| column.num_terms() > 0);
        let number = |label: &String| match column {
            Some(column) => column.dictionary().term_ord(label.as_bytes()),
            None => Ok(None),
        };
        let numbers = || -> Result<Vec<u64>, Error> {
            let found: Result<Vec<Option<u64>>, _> = picked.iter().map(number).collect();
            Ok(found?.into_iter().flatten().collect())
        };
        Ok(Self {
            column,
            counts: vec![0; column.map_or(0, |column| column.num_terms())],
            picked: if picked.is_empty() {
                None
            } else {
                Some(numbers()?)
            },
        })
    }

    fn of(&self, doc: DocId) -> impl Iterator<Item = u64> + use<'s> {
        let column = self.column;
        column
            .into_iter()
            .flat_map(move |column| column.ords().values_for_doc(doc))
    }

    fn allow(&self, doc: DocId) -> bool {
        let picked = self.picked.as_ref();
        picked.is_none_or(|picked| self.of(doc).any(|number| picked.contains(&number)))
    }

    fn count(&mut self, doc: DocId) {
        for number in self.of(doc) {
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            if let Some(count) = self.counts.get_mut(place) {
                *count += 1;
            }
        }
    }

    fn add_to(&self, counted: &mut HashMap<String, u64>) -> Result<(), Error> {
        let Some(column) = self.column else {
            return Ok(());
        };
        let mut label = String::new();
        for (number, count) in (0..).zip(&self.counts).filter(|(_, count)| **count > 0) {
            label.clear();
            column.ord_to_str(number, &mut label)?;
            match counted.get_mut(&label) {
                Some(sum) => *sum += count,
                None => drop(counted.insert(label.clone(), *count)),
            }
        }
        Ok(())
    }
}

fn facet(field: FacetField, counts: &[u64], values: &[String], chosen: Option<&[bool]>) -> Facet {
    let is_chosen = |nth: usize| {
        chosen
            .and_then(|chosen| chosen.get(nth))
            .copied()
            .unwrap_or(false)
    };
    let mut shown: Vec<(usize, u64)> = counts
        .iter()
        .copied()
        .enumerate()
        .filter(|(nth, count)| *count > 0 || is_chosen(*nth))
        .collect();
    let name = |nth: usize| values.get(nth).map_or("", String::as_str);
    shown.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| name(*a).cmp(name(*b))));
    let more = shown.len() > MOST_VALUES;
    let values = shown
        .into_iter()
        .enumerate()
        .filter(|(place, (nth, _))| *place < MOST_VALUES || is_chosen(*nth))
        .take(2 * MOST_VALUES)
        .map(|(_, (nth, count))| FacetValue {
            value: name(nth).to_owned(),
            count,
        })
        .collect();
    Facet {
        field,
        values,
        more,
    }
}
