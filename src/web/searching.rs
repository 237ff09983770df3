//! From the parameters of an address to an answer of the index, for the search page and for the API alike.

use actix_web::web;

use super::failure::Failure;
use super::parameters::Parameters;
use crate::auth::Visibility;
use crate::db::Db;
use crate::search::{self, Answer, Choices, FACETS, Index, Offer, Query};
use crate::telemetry::request;

/// How far into the hits one can page; beyond that, more words help more.
pub(crate) const DEEPEST: usize = 10_000;

/// Longer words are not looked for: nothing is named like that.
const LONGEST_TEXT: usize = 1_000;

/// How many hits a page has unless it is asked for otherwise.
const USUAL: usize = 20;

/// Reads `q`, the words of the facets, `changed`, `gone`, `sort`, `limit` and `offset`.
pub(crate) fn query_of(parameters: &Parameters) -> Result<Query, Failure> {
    let limit = parameters.number("limit", USUAL, 1..=100)?;
    let offset = parameters.number("offset", 0, 0..=DEEPEST - 1)?;
    if offset + limit > DEEPEST {
        return Err(Failure::bad_parameter(
            "offset",
            "“offset” and “limit” reach 10,000 together at most; search for more words, or choose a filter.",
        ));
    }
    let mut choices = Choices::default();
    for facet in &FACETS {
        for value in parameters.all(facet.word) {
            (facet.check)(value).map_err(|text| Failure::bad_parameter(facet.word, &text))?;
            choices.add(facet.field, value);
        }
    }
    Ok(Query {
        text: parameters.text("q").chars().take(LONGEST_TEXT).collect(),
        choices,
        age: parameters.each("changed")?.into_iter().next(),
        sort: parameters.one("sort")?,
        include_gone: parameters.switch("gone")?,
        limit,
        offset,
    })
}

/// Searches what somebody sees, without holding up other requests.
pub(crate) async fn search(
    db: &Db,
    index: &Index,
    visibility: &Visibility,
    query: Query,
) -> Result<Answer, Failure> {
    let access_filter = index.access_filter(db, visibility).await?;
    let answer = in_background(index, move |index| index.search(&query, &access_filter)).await?;
    metrics::histogram!("gazetteer_search_seconds", "what" => "search").record(answer.took);
    Ok(answer)
}

/// Offers what may be meant by what has been typed so far.
pub(crate) async fn offer(
    db: &Db,
    index: &Index,
    visibility: &Visibility,
    typed: &str,
    limit: usize,
) -> Result<Offer, Failure> {
    let access_filter = index.access_filter(db, visibility).await?;
    let typed: String = typed.chars().take(LONGEST_TEXT).collect();
    let started = std::time::Instant::now();
    let offer = in_background(index, move |index| {
        index.offer(&typed, limit, &access_filter)
    })
    .await?;
    metrics::histogram!("gazetteer_search_seconds", "what" => "suggest").record(started.elapsed());
    Ok(offer)
}

async fn in_background<T: Send + 'static>(
    index: &Index,
    work: impl FnOnce(&Index) -> Result<T, search::Error> + Send + 'static,
) -> Result<T, Failure> {
    let (index, span) = (index.clone(), tracing::info_span!("search"));
    let work = move || span.in_scope(|| work(&index));
    match web::block(request::carrying(work)).await {
        Ok(found) => Ok(found?),
        Err(cause) => Err(Failure::defect(&cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::FacetField;

    fn refusal(query: &str) -> String {
        query_of(&Parameters::read(query)).unwrap_err().to_string()
    }

    #[test]
    fn a_search_reads_every_parameter() {
        let query = query_of(&Parameters::read(
            "q=orders&kind=view&kind=table&platform=glue&database=sales&gone&limit=5&offset=10",
        ))
        .unwrap();
        assert_eq!(query.text, "orders");
        assert_eq!(query.choices.of(FacetField::Kind), ["view", "table"]);
        assert_eq!((query.limit, query.offset), (5, 10));
        assert!(query.include_gone);
    }

    #[test]
    fn refusals_name_the_parameter() {
        assert_eq!(
            refusal("kind=tabel"),
            "There is no kind of asset named “tabel”."
        );
        assert!(refusal("offset=9990").starts_with("“offset” and “limit”"));
        assert!(refusal("limit=1000").contains("from 1 to 100"));
        assert!(refusal("gone=perhaps").contains("“gone”"));
    }
}
