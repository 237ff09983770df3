//! Search: hits with the reason each is there, and what narrows them down.

use std::collections::HashMap;

use actix_web::web::Data;
use serde::Serialize;

use super::parts::{first_sentence, icon, kind_word, name, platform_word};
use crate::auth::Actor;
use crate::catalog::unseen::legible_text;
use crate::catalog::{self, AssetId, AssetKind, Summary};
use crate::db::Db;
use crate::search::{
    Answer, Facet, FacetField, FacetValue, Hit, Index, LeftOut, Matched, MatchedField, Part, Query,
    ReadAs,
};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::searching::{self, query_of};
use crate::web::text::{Moment, Shortened, count, number};
use crate::web::view::{Kept, Page, Section, View};

/// So many reasons are told of each hit.
const REASONS: usize = 3;

/// `GET /search`: what is found for some words.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    index: Data<Index>,
    parameters: Parameters,
) -> Result<Page<SearchPage>, Failure> {
    let query = query_of(&parameters)?;
    let answer = searching::search(&db, &index, actor.sight(), query.clone()).await?;
    let assets = assets_of(&db, &actor, &answer.hits).await?;
    let page = SearchPage::new(&query, &answer, &assets);
    if answer.total == 0
        && catalog::list_instances(&db, actor.sight())
            .await?
            .is_empty()
    {
        let none = NoHits::empty_catalog();
        return Ok(Page(SearchPage { none, ..page }));
    }
    Ok(Page(page))
}

pub(super) async fn assets_of(
    db: &Db,
    actor: &Actor,
    hits: &[Hit],
) -> Result<HashMap<AssetId, Summary>, Failure> {
    let ids: Vec<AssetId> = hits.iter().map(|hit| hit.id).collect();
    Ok(catalog::find_summaries(db, actor.sight(), &ids).await?)
}

/// Everything chosen, as parameters of an address.
fn chosen(query: &Query) -> Vec<(&'static str, &str)> {
    let kinds = query.kinds.iter().map(|kind| ("kind", kind.as_str()));
    let platforms = query
        .platforms
        .iter()
        .map(|name| ("platform", name.as_str()));
    let databases = query
        .databases
        .iter()
        .map(|name| ("database", name.as_str()));
    let gone = query.include_gone.then_some(("gone", "1"));
    kinds
        .chain(platforms)
        .chain(databases)
        .chain(gone)
        .collect()
}

/// The address of this search with other words.
fn with_words(query: &Query, words: &str) -> String {
    links::search([("q", words)].into_iter().chain(chosen(query)))
}

/// The address of this search from another hit on.
fn from_hit(query: &Query, offset: usize) -> String {
    let offset = offset.to_string();
    let offset = if offset == "0" { "" } else { &offset };
    let all = [("q", query.text.as_str())]
        .into_iter()
        .chain(chosen(query));
    links::search(all.chain([("offset", offset)]))
}

/// What `templates/search/results.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct SearchPage {
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    words: String,
    #[serde(skip)]
    kept: Vec<Kept>,
    heading: String,
    summary: String,
    /// When the first change was made that is not shown.
    missing: Option<Moment>,
    facets: Vec<FacetList>,
    with_gone: bool,
    chosen: Vec<Chip>,
    left_out: Vec<LeftOutWord>,
    read_as: Vec<ReadAsWord>,
    hits: Vec<HitLine>,
    start: usize,
    range: String,
    previous: Option<String>,
    next: Option<String>,
    none: NoHits,
}

impl View for SearchPage {
    const TEMPLATE: &'static str = "search/results";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Search)
    }

    fn search_text(&self) -> &str {
        &self.words
    }

    fn kept(&self) -> &[Kept] {
        &self.kept
    }
}

/// What can be chosen in one field.
#[derive(Debug, Serialize)]
struct FacetList {
    field: &'static str,
    label: &'static str,
    mono: bool,
    values: Vec<Choice>,
    more: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Choice {
    id: String,
    value: String,
    name: Shortened,
    count: String,
    checked: bool,
}

/// Something chosen, which a click takes back.
#[derive(Debug, Serialize)]
struct Chip {
    label: &'static str,
    name: Shortened,
    href: String,
}

#[derive(Debug, Serialize)]
struct LeftOutWord {
    word: String,
    nearest: Vec<Word>,
}

#[derive(Debug, Serialize)]
struct ReadAsWord {
    word: String,
    others: Vec<Word>,
}

/// One word of several, with what stands between it and the next.
#[derive(Debug, Serialize)]
struct Word {
    shown: String,
    href: String,
    separator: &'static str,
}

/// What to say and to offer when nothing was found.
#[derive(Debug, Serialize)]
struct NoHits {
    title: &'static str,
    text: String,
    href: Option<String>,
    label: &'static str,
}

#[derive(Debug, Serialize)]
struct HitLine {
    icon: &'static str,
    kind: &'static str,
    href: String,
    /// Where its preview is.
    preview: String,
    name: Vec<Marked>,
    name_whole: Option<String>,
    place: Shortened,
    gone: bool,
    description: Vec<Marked>,
    reasons: Vec<Reason>,
}

/// Why a hit is there, beside its name and description.
#[derive(Debug, Serialize)]
struct Reason {
    label: &'static str,
    mono: bool,
    path: Option<String>,
    href: String,
    text: Vec<Marked>,
    /// Of a column: its type.
    data_type: String,
}

/// A piece of text, and whether the query asked for it.
#[derive(Debug, Serialize)]
pub(super) struct Marked {
    text: String,
    marked: bool,
}

impl SearchPage {
    fn new(query: &Query, answer: &Answer, assets: &HashMap<AssetId, Summary>) -> Self {
        let words = name(&query.text).shown;
        let heading = match words.as_str() {
            "" => "Search".to_owned(),
            words => format!("Search: {words}"),
        };
        let hits = answer.hits.iter();
        Self {
            title: heading.clone(),
            words: query.text.clone(),
            kept: chosen(query).into_iter().map(Kept::from).collect(),
            heading,
            summary: summary(query, answer),
            missing: answer.missing_since.map(Moment::of),
            facets: answer
                .facets
                .iter()
                .filter(|facet| narrows(query, facet))
                .map(|facet| FacetList::new(query, facet))
                .collect(),
            with_gone: query.include_gone,
            chosen: chips(query),
            left_out: answer
                .left_out
                .iter()
                .map(|word| LeftOutWord::new(query, word))
                .collect(),
            read_as: answer.read_as.iter().map(ReadAsWord::from).collect(),
            hits: hits
                .filter_map(|hit| Some(HitLine::new(hit, assets.get(&hit.id)?)))
                .collect(),
            start: query.offset + 1,
            range: range(query, answer),
            previous: (query.offset > 0)
                .then(|| from_hit(query, query.offset.saturating_sub(query.limit))),
            next: has_next(query, answer).then(|| from_hit(query, query.offset + query.limit)),
            none: NoHits::new(query, answer),
        }
    }
}

fn has_next(query: &Query, answer: &Answer) -> bool {
    let end = query.offset + answer.hits.len();
    (end as u64) < answer.total && end + query.limit <= searching::DEEPEST
}

fn summary(query: &Query, answer: &Answer) -> String {
    let total = count(answer.total, "result", "results");
    let words = name(query.text.trim()).shown;
    match words.as_str() {
        "" => format!("{total} in the whole catalog"),
        words => format!("{total} for “{words}”"),
    }
}

fn range(query: &Query, answer: &Answer) -> String {
    let (first, last) = (query.offset + 1, query.offset + answer.hits.len());
    format!(
        "{}–{} of {}",
        number(first as u64),
        number(last as u64),
        number(answer.total)
    )
}

/// What people call a value of a field.
fn value_name(field: FacetField, value: &str) -> Shortened {
    match field {
        FacetField::Kind => Shortened::to(
            100,
            value.parse::<AssetKind>().map_or(value, |kind| match kind {
                AssetKind::Database => "Databases",
                AssetKind::Table => "Tables",
                AssetKind::View => "Views",
            }),
        ),
        FacetField::Platform => Shortened::to(100, &platform_word(value)),
        FacetField::Database => name(value),
    }
}

fn field_label(field: FacetField) -> &'static str {
    match field {
        FacetField::Kind => "Kind",
        FacetField::Platform => "Source",
        FacetField::Database => "Database",
    }
}

/// Whether choosing something in a field can make a difference.
fn narrows(query: &Query, facet: &Facet) -> bool {
    let chosen = |value: &FacetValue| is_chosen(query, facet.field, &value.value);
    facet.values.len() > 1 || facet.values.iter().any(chosen)
}

fn is_chosen(query: &Query, field: FacetField, value: &str) -> bool {
    match field {
        FacetField::Kind => query.kinds.iter().any(|kind| kind.as_str() == value),
        FacetField::Platform => query.platforms.iter().any(|chosen| chosen == value),
        FacetField::Database => query.databases.iter().any(|chosen| chosen == value),
    }
}

impl FacetList {
    fn new(query: &Query, facet: &Facet) -> Self {
        let choice = |(index, value): (usize, &FacetValue)| Choice {
            id: choice_id(facet.field, index, &value.value),
            value: value.value.clone(),
            name: value_name(facet.field, &value.value),
            count: number(value.count),
            checked: is_chosen(query, facet.field, &value.value),
        };
        Self {
            field: facet.field.as_str(),
            label: field_label(facet.field),
            mono: facet.field == FacetField::Database,
            values: facet.values.iter().enumerate().map(choice).collect(),
            more: facet
                .more
                .then_some("There are more; other words bring them up."),
        }
    }
}

/// Tells a choice apart from the others of a page, and stays with it when their order changes, so that focus does too.
fn choice_id(field: FacetField, index: usize, value: &str) -> String {
    let field = field.as_str();
    match value.len() {
        0..=80 => format!("{field}-{}", links::encode(value)),
        _ => format!("{field}-{index}"),
    }
}

fn chips(query: &Query) -> Vec<Chip> {
    let all = chosen(query);
    let without = |index: usize| {
        let others = all
            .iter()
            .enumerate()
            .filter(move |(other, _)| *other != index);
        let others = others.map(|(_, parameter)| *parameter);
        links::search([("q", query.text.as_str())].into_iter().chain(others))
    };
    all.iter()
        .enumerate()
        .map(|(index, (field, value))| {
            let (label, name) = match *field {
                "kind" => ("Kind", value_name(FacetField::Kind, value)),
                "platform" => ("Source", value_name(FacetField::Platform, value)),
                "database" => ("Database", name(value)),
                _ => ("", Shortened::to(100, "What is gone, too")),
            };
            Chip {
                label,
                name,
                href: without(index),
            }
        })
        .collect()
}

impl LeftOutWord {
    fn new(query: &Query, left_out: &LeftOut) -> Self {
        let instead = |nearest: &String| {
            let words = query.text.split_whitespace();
            let typed = left_out.word.to_lowercase();
            let words = words.map(|word| {
                if word.to_lowercase() == typed {
                    nearest.as_str()
                } else {
                    word
                }
            });
            with_words(query, &words.collect::<Vec<_>>().join(" "))
        };
        let hrefs = left_out.nearest.iter().map(instead).collect();
        Self {
            word: name(&left_out.word).shown,
            nearest: words(&left_out.nearest, hrefs),
        }
    }
}

impl From<&ReadAs> for ReadAsWord {
    fn from(read_as: &ReadAs) -> Self {
        Self {
            word: name(&read_as.word).shown,
            others: words(&read_as.others, vec![String::new(); read_as.others.len()]),
        }
    }
}

/// Puts a comma between words, and “or” before the last.
fn words(words: &[String], hrefs: Vec<String>) -> Vec<Word> {
    let many = words.len();
    words
        .iter()
        .zip(hrefs)
        .enumerate()
        .map(|(index, (word, href))| Word {
            shown: name(word).shown,
            href,
            separator: match many - index {
                1 => "",
                2 => " or ",
                _ => ", ",
            },
        })
        .collect()
}

impl NoHits {
    /// What a search says while nothing is in the catalog at all.
    fn empty_catalog() -> Self {
        Self {
            title: "The catalog is empty",
            text: "Nothing can be found before a recipe has run.".to_owned(),
            href: Some(links::home()),
            label: "First steps",
        }
    }

    fn new(query: &Query, answer: &Answer) -> Self {
        if query.offset > 0 && answer.total > 0 {
            return Self {
                title: "There are no further results",
                text: "The list ends before this page.".to_owned(),
                href: Some(from_hit(query, 0)),
                label: "Back to the first results",
            };
        }
        if chosen(query).is_empty() {
            return Self {
                title: "Nothing was found",
                text: "Try fewer or other words; a part of a name is enough.".to_owned(),
                href: Some(links::browse()),
                label: "Browse instead",
            };
        }
        Self {
            title: "Nothing was found among what you chose",
            text: "The words may stand elsewhere in the catalog.".to_owned(),
            href: Some(links::search([("q", query.text.as_str())])),
            label: "Search everywhere",
        }
    }
}

impl HitLine {
    fn new(hit: &Hit, asset: &Summary) -> Self {
        let shown = name(asset.address.name());
        let said = matched(hit, MatchedField::Description);
        Self {
            icon: icon(asset.kind),
            kind: kind_word(asset.kind),
            href: links::asset(asset.id),
            preview: links::asset_preview(asset.id),
            name: match matched(hit, MatchedField::Name) {
                Some(matched) if shown.whole.is_none() => marked(&matched.text),
                _ => plain(&shown.shown),
            },
            name_whole: shown.whole,
            place: place(asset, false),
            gone: asset.gone_at.is_some(),
            description: match said {
                Some(matched) => marked(&matched.text),
                None => plain(&first_words(asset)),
            },
            reasons: hit
                .matched
                .iter()
                .filter_map(|matched| Reason::new(asset, hit, matched))
                .take(REASONS)
                .collect(),
        }
    }
}

/// What an asset is, in the first words that are said of it.
pub(super) fn first_words(asset: &Summary) -> String {
    first_sentence(asset.description.as_deref().unwrap_or_default()).shown
}

/// Where an asset is, without its source where that tells nothing.
pub(super) fn place(asset: &Summary, one_source: bool) -> Shortened {
    let outer = asset
        .address
        .path
        .split_last()
        .map_or(&[][..], |(_, outer)| outer);
    let inside = outer.join(" › ");
    let instance = asset.address.instance.as_str();
    // The database tells hits apart; their source is mostly the same, so it comes last.
    let parts = [inside.as_str(), if one_source { "" } else { instance }];
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    name(&said.join(" · "))
}

pub(super) fn matched(hit: &Hit, field: MatchedField) -> Option<&Matched> {
    hit.matched.iter().find(|matched| matched.field == field)
}

pub(super) fn marked(parts: &[Part]) -> Vec<Marked> {
    parts
        .iter()
        .map(|part| Marked {
            text: legible(&part.text),
            marked: part.marked,
        })
        .collect()
}

/// A piece of a text, with the blanks at its ends: what goes on is another piece.
fn legible(text: &str) -> String {
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len().max(start);
    let part = |from, to| text.get(from..to).unwrap_or_default();
    [
        part(0, start),
        &legible_text(part(start, end)),
        part(end, text.len()),
    ]
    .concat()
}

pub(super) fn plain(text: &str) -> Vec<Marked> {
    let part = || Marked {
        text: text.to_owned(),
        marked: false,
    };
    (!text.is_empty()).then(part).into_iter().collect()
}

impl Reason {
    fn new(asset: &Summary, hit: &Hit, matched: &Matched) -> Option<Self> {
        let (label, mono) = match matched.field {
            MatchedField::Name | MatchedField::Place | MatchedField::Description => return None,
            MatchedField::Column => ("Column", true),
            MatchedField::ColumnComment => ("Column", false),
            MatchedField::Sql => ("SQL", true),
            MatchedField::Parameter => ("Parameter", true),
        };
        let path = matched.path.as_deref().filter(|_| !mono);
        let column = matched.path.as_deref().unwrap_or_default();
        Some(Self {
            label,
            mono,
            path: path.map(|path| name(path).shown),
            href: links::row_of_column(asset.id, column),
            text: marked(&matched.text),
            data_type: hit.type_of(column).unwrap_or_default().to_owned(),
        })
    }
}
