//! From a query to an answer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::access_filter::AccessFilter;
use super::document::Texts;
use super::explain::{Explained, Marker};
use super::filtered_snapshot::FilteredSnapshot;
use super::home::is_damage;
use super::plan::Plan;
use super::query::{Narrowing, Typed};
use super::rank::{Place, rank};
use super::snapshot::Snapshot;
use super::tokenizer::Splitter;
use super::{Answer, Error, Hit, Index, MOST_HITS, Matched, Query};
use crate::auth::Visibility;
use crate::db::Db;

/// How many splitters are kept for the next query.
const SPLITTERS: usize = 8;

/// Splitters that wait for a query.
#[derive(Default)]
pub(super) struct Splitters(Mutex<Vec<Splitter>>);

impl Splitters {
    fn take(&self) -> Splitter {
        self.waiting().pop().unwrap_or_default()
    }

    fn give_back(&self, splitter: Splitter) {
        let mut waiting = self.waiting();
        if waiting.len() < SPLITTERS {
            waiting.push(splitter);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Splitter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    /// What somebody does not see now, for [`Self::search`]; asks the database whether that has changed.
    pub async fn access_filter(
        &self,
        db: &Db,
        visibility: &Visibility,
    ) -> Result<AccessFilter, Error> {
        self.access_filters().of(db, visibility).await
    }

    /// Finds what a query asks for, under an access filter. Takes milliseconds and does not wait for writers.
    ///
    /// Answers from what is open even when its folder is gone; [`Self::applied`] tells.
    pub fn search(&self, query: &Query, access_filter: &AccessFilter) -> Result<Answer, Error> {
        let started = Instant::now();
        let mut answer = self.find(query, access_filter, false)?;
        answer.missing_since = self.missing_since();
        answer.took = started.elapsed();
        Ok(answer)
    }

    /// Finds assets by the beginning of what is being typed, for a list below the field.
    pub fn suggest(
        &self,
        text: &str,
        limit: usize,
        access_filter: &AccessFilter,
    ) -> Result<Vec<Hit>, Error> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let query = Query {
            limit,
            ..Query::words(text)
        };
        Ok(self.find(&query, access_filter, true)?.hits)
    }

    fn find(
        &self,
        query: &Query,
        access_filter: &AccessFilter,
        typing: bool,
    ) -> Result<Answer, Error> {
        self.read(access_filter, |view, splitter| {
            answer(view, splitter, query, typing)
        })
    }

    /// Reads what is to be seen now, and notes when it is damaged.
    pub(super) fn read<T>(
        &self,
        access_filter: &AccessFilter,
        work: impl FnOnce(&FilteredSnapshot, &mut Splitter) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let built = self.built();
        if built.is_stale() && !built.is_damaged() {
            // What is open still answers; the follower sees that it is lost.
            if let Err(error) = self.take_up_if_free() {
                tracing::debug!(%error, "the search index could not be refreshed");
            }
        }
        let mut splitter = self.splitters().take();
        let found = FilteredSnapshot::new(self.view(), access_filter)
            .and_then(|view| work(&view, &mut splitter));
        self.splitters().give_back(splitter);
        self.note_if_damaged(&found);
        found.map_err(|error| {
            if is_damage(&error) {
                Error::Lost
            } else {
                error
            }
        })
    }
}

pub(super) fn answer(
    view: &FilteredSnapshot,
    splitter: &mut Splitter,
    query: &Query,
    typing: bool,
) -> Result<Answer, Error> {
    let typed = Typed::read(&query.text);
    let plan = Plan::new(view, splitter, &typed, typing)?;
    let limit = query.limit.min(MOST_HITS);
    let narrowing = Narrowing::of(query, &typed);
    let keep = query.offset.saturating_add(limit);
    let ranking = rank(view, &plan, &narrowing, query.sort, keep)?;
    let mut marker = Marker::new(splitter, &plan);
    let page = ranking.best.iter().skip(query.offset).take(limit);
    let hits = page
        .map(|place| hit(&view.view, &mut marker, place))
        .collect::<Result<_, _>>()?;
    Ok(Answer {
        total: ranking.total,
        removed: ranking.removed,
        took: Duration::ZERO,
        hits,
        facets: ranking.facets,
        left_out: plan.left_out,
        read_as: plan.read_as,
        missing_since: None,
    })
}

fn hit(view: &Snapshot, marker: &mut Marker<'_>, place: &Place) -> Result<Hit, Error> {
    let texts = view.texts(place.segment, place.doc)?;
    let Explained { matched, lacks } = marker.explain(&texts);
    Ok(Hit {
        subject: texts.subject()?,
        score: place.score,
        types: types(&texts, &matched),
        matched,
        lacks,
    })
}

/// The types of the columns that a hit was found by.
fn types(texts: &Texts, matched: &[Matched]) -> Vec<(String, String)> {
    let about = matched.iter().filter(|one| one.field.is_about_column());
    let paths = about.filter_map(|one| one.path.as_ref());
    let typed = paths.filter_map(|path| {
        let nth = texts.columns.iter().position(|column| column == path)?;
        let data_type = texts.types.get(nth)?;
        Some((path.clone(), data_type.clone()))
    });
    typed.collect()
}
