//! Searching.

use std::collections::{BTreeMap, HashMap};

use actix_web::web::Data;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Json;
use crate::auth::Actor;
use crate::catalog::{self, AssetId, Summary};
use crate::db::Db;
use crate::search::{Answer, FACETS, Facet, Hit, Index, Matched, MatchedField};
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::reads::TrustNames;
use crate::web::{links, searching};

/// What was found, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct AnswerShape {
    /// How many there are, of which `hits` are one page.
    total: u64,
    /// What the index took.
    took_ms: f64,
    hits: Vec<HitShape>,
    /// How many more there would be with `gone`.
    removed: u64,
    /// By `kind`, `platform`, `database`, `trust`, `owner` and `tag`: how many hits each value would have, had nothing been chosen in it.
    facets: BTreeMap<&'static str, Vec<ValueShape>>,
    /// Words that stand nowhere and were not looked for.
    left_out: Vec<LeftOutShape>,
    /// Words that stand nowhere as typed, and what was looked for instead.
    read_as: Vec<ReadAsShape>,
    /// Only while the index is behind: changes made from this moment on may be missing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_since: Option<DateTime<Utc>>,
}

/// One asset that was found.
#[derive(Debug, Serialize, ToSchema)]
struct HitShape {
    id: Uuid,
    kind: &'static str,
    name: String,
    /// What people call it.
    display_name: Option<String>,
    platform: String,
    instance: String,
    path: Vec<String>,
    /// Its page here.
    url: String,
    description: Option<String>,
    gone_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    trust: TrustShape,
    /// Why it is here, the strongest reason first.
    matched: Vec<MatchedShape>,
}

/// By what people judge an asset.
#[derive(Debug, Serialize, ToSchema)]
struct TrustShape {
    /// The names of its owners. Where people named none, this is the owner of the source.
    owners: Vec<String>,
    /// The last day of its verification. A verification that has ended is left out.
    verified_until: Option<NaiveDate>,
    /// The day on which somebody deprecated it.
    deprecated_since: Option<NaiveDate>,
    /// What to use instead.
    replacement: Option<ReplacementShape>,
    /// As the source counted them last.
    rows: Option<i64>,
    /// When its source last changed its definition.
    defined_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReplacementShape {
    id: Uuid,
    path: Vec<String>,
    /// Its page here.
    url: String,
}

/// A text in which words of the query stand.
#[derive(Debug, Serialize, ToSchema)]
struct MatchedShape {
    /// `name`, `place`, `column`, `column_comment`, `description`, `sql` or `parameter`.
    field: &'static str,
    text: String,
    /// The pieces of `text` that the query asked for.
    marked: Vec<String>,
    /// The path of the column that it is about.
    column: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ValueShape {
    value: String,
    count: u64,
}

#[derive(Debug, Serialize, ToSchema)]
struct LeftOutShape {
    word: String,
    /// Words that do stand somewhere and look like it.
    nearest: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ReadAsShape {
    word: String,
    others: Vec<String>,
}

/// `GET /api/v1/search`.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "search",
    summary = "Search for databases, tables and views",
    params(
        ("q" = Option<String>, Query, description = "Words, `\"quoted words\"`, `column:name`, `tag:pii`, `owner:ana`, `is:verified`, `changed:30d`; everything without it"),
        ("changed" = Option<String>, Query, description = "Only what changed its definition in this time, such as `7d`, `2w`, `6m` or `1y`"),
        ("sort" = Option<String>, Query, description = "`match` (the best first), `name`, or `changed` (what changed last first)"),
        ("gone" = Option<bool>, Query, description = "Also what its source no longer lists"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100),
        ("offset" = Option<u64>, Query, minimum = 0, description = "With `limit` at most 10,000"),
    ),
    responses(
        (status = 200, body = AnswerShape),
        (status = "default", response = super::openapi::ProblemAnswer),
    ),
)]
pub(in crate::web) async fn search(
    db: Data<Db>,
    actor: Actor,
    index: Data<Index>,
    parameters: Parameters,
) -> Result<Json<AnswerShape>, Failure> {
    let query = searching::query_of(&parameters)?;
    let answer = searching::search(&db, &index, actor.visibility(), query).await?;
    let ids: Vec<AssetId> = answer
        .hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    let assets = catalog::find_summaries(&db, actor.visibility(), &ids).await?;
    let names = TrustNames::read(&db, actor.visibility(), assets.values()).await?;
    Ok(Json(AnswerShape::new(answer, assets, &names)))
}

/// Adds a parameter for each facet to the description of the API.
pub(super) fn describe(description: &mut serde_json::Value) {
    let parameters = description.pointer_mut("/paths/~1api~1v1~1search/get/parameters");
    let parameters = parameters.and_then(serde_json::Value::as_array_mut);
    let parameters = parameters.expect("a search has parameters");
    let facets = FACETS.iter().map(|facet| {
        serde_json::json!({
            "name": facet.word,
            "in": "query",
            "description": facet.parameter,
            "required": false,
            "schema": {"type": "array", "items": {"type": "string"}},
            "explode": true,
        })
    });
    // Behind the words.
    parameters.splice(1..1, facets);
}

impl AnswerShape {
    fn new(answer: Answer, mut assets: HashMap<AssetId, Summary>, names: &TrustNames) -> Self {
        let hits = answer.hits.into_iter();
        let left_out = answer.left_out.into_iter();
        let read_as = answer.read_as.into_iter();
        Self {
            total: answer.total,
            removed: answer.removed,
            // Nobody needs more than thousandths.
            took_ms: (answer.took.as_secs_f64() * 1e6).round() / 1e3,
            hits: hits
                .filter_map(|hit| {
                    Some(HitShape::new(
                        assets.remove(&AssetId::of(hit.subject)?)?,
                        names,
                        hit,
                    ))
                })
                .collect(),
            facets: answer.facets.into_iter().map(facet).collect(),
            left_out: left_out
                .map(|left_out| LeftOutShape {
                    word: left_out.word,
                    nearest: left_out.nearest,
                })
                .collect(),
            read_as: read_as
                .map(|read_as| ReadAsShape {
                    word: read_as.word,
                    others: read_as.others,
                })
                .collect(),
            missing_since: answer.missing_since,
        }
    }
}

impl HitShape {
    fn new(asset: Summary, names: &TrustNames, hit: Hit) -> Self {
        Self {
            trust: TrustShape::new(&asset, names),
            id: asset.id.0,
            kind: asset.kind.as_str(),
            name: asset.address.name().to_owned(),
            url: links::asset(asset.id),
            display_name: asset.title,
            description: asset.description,
            platform: asset.address.platform,
            instance: asset.address.instance,
            path: asset.address.path,
            gone_at: asset.gone_at,
            matched: hit.matched.into_iter().map(MatchedShape::from).collect(),
        }
    }
}

impl TrustShape {
    fn new(asset: &Summary, names: &TrustNames) -> Self {
        let trust = &asset.trust;
        let people = names.owners(asset);
        let owners = match people.as_slice() {
            [] => asset.source_owner.iter().cloned().collect(),
            people => people.iter().map(|label| (*label).to_owned()).collect(),
        };
        let replacement = names.replacement(asset).map(|asset| ReplacementShape {
            id: asset.id.0,
            path: asset.address.path.clone(),
            url: links::asset(asset.id),
        });
        let until = trust.verification.until;
        Self {
            owners,
            verified_until: until.filter(|_| trust.verification.holds(Utc::now())),
            deprecated_since: trust.deprecation.since,
            replacement,
            rows: asset.rows,
            defined_at: asset.defined_at,
        }
    }
}

impl From<Matched> for MatchedShape {
    fn from(matched: Matched) -> Self {
        let parts = &matched.text;
        Self {
            field: matched.field.as_str(),
            text: parts.iter().map(|part| part.text.as_str()).collect(),
            marked: parts
                .iter()
                .filter(|part| part.marked)
                .map(|part| part.text.clone())
                .collect(),
            // The path of another field names a parameter.
            column: matched.path.filter(|_| {
                matches!(
                    matched.field,
                    MatchedField::Column | MatchedField::ColumnComment
                )
            }),
        }
    }
}

fn facet(facet: Facet) -> (&'static str, Vec<ValueShape>) {
    let values = facet.values.into_iter().map(|value| ValueShape {
        value: value.value,
        count: value.count,
    });
    (facet.field.as_str(), values.collect())
}
