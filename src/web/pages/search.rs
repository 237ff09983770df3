//! Search: hits with the reason each is there, and what narrows them down.

use std::collections::HashMap;

use actix_web::web::Data;
use serde::Serialize;

use super::asset_line::{AssetLine, Reason, Signs, marked};
use super::missed::Telling;
use super::parts::{name, platform_word};
use crate::auth::Actor;
use crate::catalog::{self, AssetId, AssetKind, Summary};
use crate::db::Db;
use crate::search::{
    Answer, FACETS, Facet, FacetField, FacetValue, Hit, Index, LeftOut, Matched, MatchedField,
    Query, ReadAs, Sort, Trust,
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
    let answer = searching::search(&db, &index, actor.visibility(), query.clone()).await?;
    let assets = assets_of(&db, &actor, &answer.hits).await?;
    let signs = Signs::read(&db, &actor, assets.values()).await?;
    let page = SearchPage::new(&query, &answer, (&assets, &signs));
    if answer.total == 0
        && catalog::list_instances(&db, actor.visibility())
            .await?
            .is_empty()
    {
        let none = NoHits::empty_catalog();
        return Ok(Page(SearchPage { none, ..page }));
    }
    if answer.total + answer.removed == 0 && chosen(&query).is_empty() {
        let telling = Telling::read(&db, &actor, &query.text).await?;
        let none = NoHits {
            telling,
            ..page.none
        };
        return Ok(Page(SearchPage { none, ..page }));
    }
    Ok(Page(page))
}

pub(super) async fn assets_of(
    db: &Db,
    actor: &Actor,
    hits: &[Hit],
) -> Result<HashMap<AssetId, Summary>, Failure> {
    let ids: Vec<AssetId> = hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    Ok(catalog::find_summaries(db, actor.visibility(), &ids).await?)
}

/// Everything chosen, as parameters of an address.
fn chosen(query: &Query) -> Vec<(&'static str, &str)> {
    let choices = query.choices.iter();
    let choices = choices.map(|(facet, value)| (facet.as_str(), value));
    let age = AGES.iter().find(|age| age.is_chosen(query));
    let age = age.map(|age| ("changed", age.value));
    let gone = query.include_gone.then_some(("gone", "1"));
    choices.chain(age).chain(gone).collect()
}

/// In which order hits come, as a parameter of an address.
fn sorted(query: &Query) -> Option<(&'static str, &'static str)> {
    (query.sort != Sort::default()).then(|| ("sort", query.sort.as_str()))
}

/// A time that can be chosen, in which a definition has changed.
struct Lately {
    value: &'static str,
    days: u32,
    label: &'static str,
}

/// The times that can be chosen; others can be typed.
const AGES: [Lately; 3] = [
    Lately {
        value: "7d",
        days: 7,
        label: "Past week",
    },
    Lately {
        value: "30d",
        days: 30,
        label: "Past month",
    },
    Lately {
        value: "1y",
        days: 365,
        label: "Past year",
    },
];

impl Lately {
    fn is_chosen(&self, query: &Query) -> bool {
        query.age.is_some_and(|asked| asked.days == self.days)
    }
}

fn sort_label(sort: Sort) -> &'static str {
    match sort {
        Sort::Match => "Best match",
        Sort::Name => "Name",
        Sort::Changed => "Definition changed",
    }
}

/// The address of this search with other words.
fn with_words(query: &Query, words: &str) -> String {
    let all = [("q", words)].into_iter().chain(chosen(query));
    links::search(all.chain(sorted(query)))
}

/// The address of this search from another hit on.
fn from_hit(query: &Query, offset: usize) -> String {
    let offset = offset.to_string();
    let offset = if offset == "0" { "" } else { &offset };
    let all = [("q", query.text.as_str())]
        .into_iter()
        .chain(chosen(query))
        .chain(sorted(query));
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
    ages: Vec<OneOf>,
    sorts: Vec<OneOf>,
    with_gone: bool,
    /// How many removed ones there would be.
    removed: Option<String>,
    chosen: Vec<Chip>,
    left_out: Vec<LeftOutWord>,
    read_as: Vec<ReadAsWord>,
    hits: Vec<AssetLine>,
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

/// One of several values, of which one is chosen.
#[derive(Debug, Serialize)]
struct OneOf {
    value: &'static str,
    label: &'static str,
    chosen: bool,
}

impl OneOf {
    /// When definitions have changed.
    fn ages(query: &Query) -> Vec<Self> {
        let any = Self {
            value: "",
            label: "Any time",
            chosen: query.age.is_none(),
        };
        let ages = AGES.iter().map(|age| Self {
            value: age.value,
            label: age.label,
            chosen: age.is_chosen(query),
        });
        std::iter::once(any).chain(ages).collect()
    }

    /// In which order hits come.
    fn sorts(query: &Query) -> Vec<Self> {
        let sort = |sort: Sort| Self {
            value: sort.as_str(),
            label: sort_label(sort),
            chosen: query.sort == sort,
        };
        Sort::ALL.into_iter().map(sort).collect()
    }
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
    /// Of words that find nothing.
    telling: Option<Telling>,
}

impl SearchPage {
    fn new(
        query: &Query,
        answer: &Answer,
        (assets, signs): (&HashMap<AssetId, Summary>, &Signs),
    ) -> Self {
        let words = name(&query.text).shown;
        let heading = match words.as_str() {
            "" => "Search".to_owned(),
            words => format!("Search: {words}"),
        };
        let hits = answer.hits.iter();
        Self {
            title: heading.clone(),
            words: query.text.clone(),
            kept: chosen(query)
                .into_iter()
                .chain(sorted(query))
                .map(Kept::from)
                .collect(),
            heading,
            summary: summary(query, answer),
            missing: answer.missing_since.map(Moment::of),
            facets: answer
                .facets
                .iter()
                .filter(|facet| narrows(query, facet))
                .map(|facet| FacetList::new(query, facet))
                .collect(),
            ages: OneOf::ages(query),
            sorts: OneOf::sorts(query),
            with_gone: query.include_gone,
            removed: (answer.removed > 0).then(|| number(answer.removed)),
            chosen: chips(query),
            left_out: answer
                .left_out
                .iter()
                .map(|word| LeftOutWord::new(query, word))
                .collect(),
            read_as: answer.read_as.iter().map(ReadAsWord::from).collect(),
            hits: hits
                .filter_map(|hit| {
                    Some(hit_line(
                        hit,
                        assets.get(&AssetId::of(hit.subject)?)?,
                        signs,
                    ))
                })
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
        FacetField::Database | FacetField::Owner | FacetField::Tag => name(value),
        FacetField::Trust => Shortened::to(
            100,
            value.parse::<Trust>().map_or(value, |trust| match trust {
                Trust::Verified => "Verified",
                Trust::Deprecated => "Deprecated",
                Trust::Undescribed => "Without description",
                Trust::Unowned => "Without owner",
            }),
        ),
    }
}

/// Whether choosing something in a field can make a difference.
fn narrows(query: &Query, facet: &Facet) -> bool {
    let chosen = |value: &FacetValue| is_chosen(query, facet.field, &value.value);
    facet.values.len() >= facet.field.def().fewest || facet.values.iter().any(chosen)
}

fn is_chosen(query: &Query, field: FacetField, value: &str) -> bool {
    query.choices.of(field).iter().any(|chosen| chosen == value)
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
            label: facet.field.def().label,
            mono: facet.field.def().is_mono,
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
        let all = [("q", query.text.as_str())].into_iter().chain(others);
        links::search(all.chain(sorted(query)))
    };
    all.iter()
        .enumerate()
        .map(|(index, (field, value))| {
            let facet = FACETS.iter().find(|facet| facet.word == *field);
            let (label, name) = match (facet, *field) {
                (Some(facet), _) => (facet.label, value_name(facet.field, value)),
                (None, "changed") => {
                    let age = AGES.iter().find(|age| age.value == *value);
                    let label = age.map_or(*value, |age| age.label);
                    ("Definition changed", Shortened::to(100, label))
                }
                (None, _) => ("", Shortened::to(100, "Including removed")),
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
            telling: None,
        }
    }

    fn new(query: &Query, answer: &Answer) -> Self {
        if query.offset > 0 && answer.total > 0 {
            return Self {
                title: "There are no further results",
                text: "The list ends before this page.".to_owned(),
                href: Some(from_hit(query, 0)),
                label: "Back to the first results",
                telling: None,
            };
        }
        if answer.removed > 0 {
            let all = [("q", query.text.as_str())].into_iter();
            let all = all.chain(chosen(query)).chain(sorted(query));
            return Self {
                title: "Nothing current was found",
                text: match answer.removed {
                    1 => "1 removed table or view matches.".to_owned(),
                    many => format!("{} removed tables and views match.", number(many)),
                },
                href: Some(links::search(all.chain([("gone", "1")]))),
                label: "Show removed",
                telling: None,
            };
        }
        if chosen(query).is_empty() {
            return Self {
                title: "Nothing was found",
                text: "Try fewer or other words; a part of a name is enough.".to_owned(),
                href: Some(links::browse()),
                label: "Browse instead",
                telling: None,
            };
        }
        Self {
            title: "Nothing was found among what you chose",
            text: "The words may stand elsewhere in the catalog.".to_owned(),
            href: Some(links::search([("q", query.text.as_str())])),
            label: "Search everywhere",
            telling: None,
        }
    }
}

/// The line of a hit: why it is there is marked in it, and told below it.
pub(super) fn hit_line(hit: &Hit, asset: &Summary, signs: &Signs) -> AssetLine {
    let mut line = AssetLine::new(asset, signs);
    let in_name = matched(hit, MatchedField::Name).filter(|_| line.name_whole.is_none());
    if let Some(matched) = in_name {
        line.name = marked(&matched.text);
    }
    if let Some(matched) = matched(hit, MatchedField::Description) {
        line.description = marked(&matched.text);
    }
    let reasons = hit.matched.iter();
    line.reasons = reasons
        .filter_map(|matched| reason(asset, hit, matched))
        .take(REASONS)
        .collect();
    line.lacks = hit.lacks.iter().map(|word| name(word).shown).collect();
    line.preview = Some(links::asset_preview(asset.id));
    line
}

pub(super) fn matched(hit: &Hit, field: MatchedField) -> Option<&Matched> {
    hit.matched.iter().find(|matched| matched.field == field)
}

fn reason(asset: &Summary, hit: &Hit, matched: &Matched) -> Option<Reason> {
    let (label, mono) = match matched.field {
        MatchedField::Name | MatchedField::Place | MatchedField::Description => return None,
        MatchedField::Column => ("Column", true),
        MatchedField::ColumnComment => ("Column", false),
        MatchedField::Sql => ("SQL", true),
        MatchedField::Parameter => ("Parameter", true),
    };
    let label = match &matched.path {
        // It says itself what it is: an owner, a tag, a location.
        Some(named) if matched.field == MatchedField::Parameter => name(named).shown,
        _ => label.to_owned(),
    };
    let path = matched.path.as_deref().filter(|_| !mono);
    let column = matched.path.as_deref().unwrap_or_default();
    let data_type = hit.type_of(column).filter(|text| !text.is_empty());
    Some(Reason {
        label,
        mono,
        path: path.map(|path| name(path).shown),
        href: links::row_of_column(asset.id, column),
        text: marked(&matched.text),
        linked: mono && matched.field == MatchedField::Column,
        data_type: data_type.map(name),
    })
}
