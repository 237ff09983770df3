//! What is offered below a search field while somebody types: filters, assets with the reason, and columns.

use std::collections::HashMap;

use actix_web::web::Data;
use serde::Serialize;

use super::asset_line::{AssetLine, Marked, Sign, Signs, marked, plain};
use super::parts::{first_sentence, name};
use super::search::{assets_of, hit_line};
use crate::auth::Actor;
use crate::catalog::{AssetId, Summary};
use crate::db::Db;
use crate::search::{Completion, Hit, Index, Matched, MatchedField, Offer};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::searching;
use crate::web::text::count;
use crate::web::view::Page;
use crate::web::view::View;

/// So many assets are offered while somebody types.
pub(super) const ASSETS: usize = 6;

/// So many columns are offered.
const COLUMNS: usize = 3;

/// `GET /search/suggest`: what somebody may be typing.
pub(crate) async fn suggest(
    db: Data<Db>,
    actor: Actor,
    index: Data<Index>,
    parameters: Parameters,
) -> Result<Page<Offers>, Failure> {
    let text = parameters.text("q");
    let offer = searching::offer(&db, &index, actor.visibility(), text, ASSETS).await?;
    let assets = assets_of(&db, &actor, &offer.hits).await?;
    let signs = Signs::read(&db, &actor, assets.values()).await?;
    let mut groups = vec![
        Group::of_filters(&offer.completions),
        Group::of_assets(&offer.hits, &assets, &signs),
        Group::of_columns(&offer.hits, &assets),
    ];
    groups.push(Group::all_results(text, &offer));
    Ok(Page(Offers::new(groups, None)))
}

/// What `templates/search/suggest.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Offers {
    groups: Vec<Group>,
    /// What to say when there is nothing to offer.
    none: Option<String>,
}

impl View for Offers {
    const TEMPLATE: &'static str = "search/suggest";
}

impl Offers {
    /// Puts groups below each other; those that are empty are left out.
    pub(super) fn new(groups: Vec<Group>, none: Option<String>) -> Self {
        let mut groups: Vec<Group> = groups
            .into_iter()
            .filter(|group| !group.options.is_empty())
            .collect();
        let options = groups.iter_mut().flat_map(|group| &mut group.options);
        for (nth, option) in options.enumerate() {
            option.id = format!("option-{nth}");
        }
        Self {
            none: none.filter(|_| groups.is_empty()),
            groups,
        }
    }
}

/// Options of one kind, under a heading.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    label: String,
    options: Vec<Choice>,
}

/// One option of a list below a field.
#[derive(Debug, Default, Serialize)]
pub(super) struct Choice {
    id: String,
    icon: &'static str,
    name: Vec<Marked>,
    name_whole: Option<String>,
    mono: bool,
    /// Of a column: its type.
    data_type: String,
    place: String,
    /// What it is, at the end of the line.
    kind: &'static str,
    /// The second line: why it is offered, or what it is.
    why: Vec<Marked>,
    /// Of an asset: by what people judge it.
    signs: Vec<Sign>,
    href: String,
    /// What the field is filled with instead of going somewhere.
    fill: Option<String>,
    /// Whether choosing it does something.
    sends: bool,
}

impl Choice {
    /// A page, or something to do.
    pub(super) fn named(icon: &'static str, label: &str, href: String) -> Self {
        let label = name(label);
        Self {
            icon,
            name: plain(&label.shown),
            name_whole: label.whole,
            href,
            ..Self::default()
        }
    }

    /// Choosing it sends a form.
    pub(super) fn sending(mut self) -> Self {
        self.sends = true;
        self
    }

    fn of_hit(hit: &Hit, asset: &Summary, signs: &Signs) -> Self {
        let AssetLine {
            icon,
            kind,
            href,
            name,
            name_whole,
            place,
            signs,
            ..
        } = hit_line(hit, asset, signs);
        Self {
            icon,
            kind,
            name,
            name_whole,
            mono: true,
            place: place.map_or_else(String::new, |place| place.shown),
            why: why(hit, asset),
            signs,
            href,
            ..Self::default()
        }
    }

    fn of_column(hit: &Hit, matched: &Matched, asset: &Summary) -> Option<Self> {
        let path = matched.path.as_deref()?;
        Some(Self {
            icon: "key",
            kind: "Column",
            data_type: hit.type_of(path).unwrap_or_default().to_owned(),
            name: marked(&matched.text),
            mono: true,
            place: name(&asset.address.path.join(".")).shown,
            href: links::row_of_column(asset.id, path),
            ..Self::default()
        })
    }
}

impl Group {
    pub(super) fn new(label: impl Into<String>, options: Vec<Choice>) -> Self {
        Self {
            label: label.into(),
            options,
        }
    }

    fn of_filters(completions: &[Completion]) -> Self {
        let option = |completion: &Completion| Choice {
            mono: true,
            fill: Some(completion.text.clone()),
            href: links::search([("q", completion.text.as_str())]),
            place: completion.meaning.to_owned(),
            ..Choice::named("search", &completion.word, String::new())
        };
        Self::new("Filters", completions.iter().map(option).collect())
    }

    pub(super) fn of_assets(
        hits: &[Hit],
        assets: &HashMap<AssetId, Summary>,
        signs: &Signs,
    ) -> Self {
        let known = hits.iter().filter_map(|hit| {
            Some(Choice::of_hit(
                hit,
                assets.get(&AssetId::of(hit.subject)?)?,
                signs,
            ))
        });
        Self::new("Tables, views and databases", known.collect())
    }

    fn of_columns(hits: &[Hit], assets: &HashMap<AssetId, Summary>) -> Self {
        let known = hits
            .iter()
            .filter_map(|hit| Some((hit, assets.get(&AssetId::of(hit.subject)?)?)));
        let columns = known.flat_map(|(hit, asset)| {
            let named = hit.matched.iter();
            let named = named.filter(|matched| matched.field == MatchedField::Column);
            named.filter_map(move |matched| Choice::of_column(hit, matched, asset))
        });
        Self::new("Columns", columns.take(COLUMNS).collect())
    }

    fn all_results(text: &str, offer: &Offer) -> Self {
        let label = match offer.total {
            0 => return Self::new("", Vec::new()),
            1 => "The 1 result".to_owned(),
            many => format!("All {}", count(many, "result", "results")),
        };
        let href = links::search([("q", text.trim())]);
        let option = Choice {
            kind: "Enter ↵",
            ..Choice::named("search", &label, href)
        };
        Self::new("", vec![option])
    }
}

/// Why an asset is offered, in one line; without a reason beside its name, what it is.
fn why(hit: &Hit, asset: &Summary) -> Vec<Marked> {
    let beside = |matched: &&Matched| matched.field != MatchedField::Name;
    // A column says more than the place or the words of a description.
    let is_column = |matched: &&Matched| matched.field == MatchedField::Column;
    let column = hit.matched.iter().find(is_column);
    let Some(matched) = column.or_else(|| hit.matched.iter().find(beside)) else {
        return plain(&first_sentence(asset.description.as_deref().unwrap_or_default()).shown);
    };
    let path = matched.path.as_deref().map(|path| name(path).shown);
    let path = path.unwrap_or_default();
    let before = match matched.field {
        MatchedField::Name => String::new(),
        MatchedField::Place => "in ".to_owned(),
        MatchedField::Column => "column ".to_owned(),
        MatchedField::ColumnComment => format!("column {path}: "),
        MatchedField::Description => "its description: ".to_owned(),
        MatchedField::Sql => "its SQL: ".to_owned(),
        MatchedField::Parameter => format!("{}: ", path.to_lowercase()),
    };
    let mut line = plain(&before);
    line.extend(marked(&matched.text));
    let column = matched.path.as_deref();
    let column = column.filter(|_| matched.field == MatchedField::Column);
    if let Some(data_type) = column.and_then(|path| hit.type_of(path)) {
        line.extend(plain(&format!(" · {data_type}")));
    }
    line
}
