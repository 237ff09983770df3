//! An asset as a line of a list, the same wherever assets are listed: what it is, where it is, and the signs by which
//! people judge it.
//!
//! What the signs need is read for a whole list at once, by [`Signs::read`]. Deliberately absent: which assets a list has.

use std::collections::{HashMap, HashSet};

use chrono::Utc;
use serde::Serialize;

use super::parts::{Link, first_sentence, icon, inside_words, kind_word, name, platform_word};
use crate::auth::Actor;
use crate::catalog::unseen::legible_text;
use crate::catalog::{self, AssetId, AssetKind, Inside, Summary};
use crate::db::Db;
use crate::ingest;
use crate::search::Part;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::reads::TrustNames;
use crate::web::text::{Moment, Shortened, count};

/// So many owners are named; the others are counted.
const OWNERS: usize = 2;

/// What the signs of a list of assets need beside the assets.
#[derive(Debug, Default)]
pub(super) struct Signs {
    names: TrustNames,
    troubled: HashSet<AssetId>,
    /// What to call the source of each database, where there are several.
    sources: Option<HashMap<AssetId, String>>,
}

impl Signs {
    /// Reads what the signs of some assets need, in a number of queries that does not grow with theirs.
    pub(super) async fn read<'a>(
        db: &Db,
        actor: &Actor,
        assets: impl Iterator<Item = &'a Summary> + Clone,
    ) -> Result<Self, Failure> {
        let places: Vec<(AssetId, AssetId)> = assets
            .clone()
            .map(|asset| (asset.id, database_of(asset)))
            .collect();
        let last = ingest::find_last_listings(db, &places).await?;
        let instances = catalog::list_instances(db, actor.visibility()).await?;
        Ok(Self {
            names: TrustNames::read(db, actor.visibility(), assets).await?,
            troubled: last.troubled,
            sources: (instances.len() > 1).then_some(last.recipes),
        })
    }

    /// The name of the source that an asset is from; nothing while there is only one source.
    fn source_of(&self, asset: &Summary) -> Option<String> {
        let sources = self.sources.as_ref()?;
        let named = sources
            .get(&database_of(asset))
            .map(|recipe| name(recipe).shown);
        Some(named.unwrap_or_else(|| {
            let address = &asset.address;
            let words = [platform_word(&address.platform), address.instance.clone()];
            words.join(" ").trim().to_owned()
        }))
    }
}

/// The assets that a list speaks of, such as those that a run changed, with their signs.
#[derive(Debug, Default)]
pub(super) struct AssetLines {
    found: HashMap<AssetId, Summary>,
    signs: Signs,
}

impl AssetLines {
    /// Reads what an actor may see of some assets, in a number of queries that does not grow with theirs.
    pub(super) async fn read(db: &Db, actor: &Actor, ids: &[AssetId]) -> Result<Self, Failure> {
        let found = catalog::find_summaries(db, actor.visibility(), ids).await?;
        let signs = Signs::read(db, actor, found.values()).await?;
        Ok(Self { found, signs })
    }

    /// A link to an asset; nothing when it was not found.
    pub(super) fn link(&self, id: AssetId) -> Option<Link> {
        self.found.get(&id).map(Link::to_summary)
    }

    /// The line of an asset among others of different places; nothing when it was not found.
    pub(super) fn line(&self, id: AssetId) -> Option<AssetLine> {
        let asset = self.found.get(&id)?;
        Some(AssetLine::new(asset, &self.signs))
    }

    /// The line of an asset of one place, by which people judge a change of it.
    pub(super) fn short_line(&self, id: AssetId) -> Option<AssetLine> {
        let asset = self.found.get(&id)?;
        Some(AssetLine::in_place(asset, &self.signs).short())
    }
}

fn database_of(asset: &Summary) -> AssetId {
    asset.parent.unwrap_or(asset.id)
}

/// What `templates/part/asset_line.hbs` can show.
#[derive(Debug, Serialize)]
pub(super) struct AssetLine {
    pub(super) icon: &'static str,
    pub(super) kind: &'static str,
    pub(super) href: String,
    pub(super) name: Vec<Marked>,
    pub(super) name_whole: Option<String>,
    /// What people call it.
    called: Option<String>,
    /// Where it is; nothing where the list says so.
    pub(super) place: Option<Shortened>,
    pub(super) description: Vec<Marked>,
    description_whole: Option<String>,
    gone: bool,
    pub(super) signs: Vec<Sign>,
    /// Why a search found it.
    pub(super) reasons: Vec<Reason>,
    /// The words of a search that it lacks.
    pub(super) lacks: Vec<String>,
    /// Where its preview is, for a list that has one.
    pub(super) preview: Option<String>,
}

/// Something by which people judge an asset.
#[derive(Debug, Serialize)]
pub(super) struct Sign {
    /// The name of what it says, for style sheets and tests.
    what: &'static str,
    tone: &'static str,
    icon: Option<&'static str>,
    text: String,
    title: Option<String>,
    /// What it points to, behind its text.
    link: Option<Link>,
}

/// Why a hit is there, beside its name and description.
#[derive(Debug, Serialize)]
pub(super) struct Reason {
    pub(super) label: String,
    pub(super) mono: bool,
    pub(super) path: Option<String>,
    pub(super) href: String,
    pub(super) text: Vec<Marked>,
    /// Whether the text itself leads there.
    pub(super) linked: bool,
    /// The type of a column.
    pub(super) data_type: Option<Shortened>,
}

/// A piece of text, and whether the query asked for it.
#[derive(Debug, Serialize)]
pub(super) struct Marked {
    text: String,
    marked: bool,
}

impl AssetLine {
    /// The line of a list whose assets are from different places.
    pub(super) fn new(asset: &Summary, signs: &Signs) -> Self {
        Self {
            place: place(asset, signs),
            ..Self::in_place(asset, signs)
        }
    }

    /// The line of a list of assets that are all in one place.
    pub(super) fn in_place(asset: &Summary, signs: &Signs) -> Self {
        let shown = name(asset.address.name());
        let description = first_sentence(asset.description.as_deref().unwrap_or_default());
        Self {
            icon: icon(asset.kind),
            kind: kind_word(asset.kind),
            href: links::asset(asset.id),
            name: plain(&shown.shown),
            name_whole: shown.whole,
            called: asset.title.clone(),
            place: None,
            description: plain(&description.shown),
            description_whole: description.whole,
            gone: asset.gone_at.is_some(),
            signs: signs_of(asset, signs),
            reasons: Vec::new(),
            lacks: Vec::new(),
            preview: None,
        }
    }

    /// Keeps what says whether an asset matters: no sentence, and no figures.
    pub(super) fn short(mut self) -> Self {
        self.description.clear();
        self.signs
            .retain(|sign| sign.tone != "plain" || sign.what == "owner");
        self
    }

    /// Says what is inside a database.
    pub(super) fn holding(mut self, inside: Option<&Inside>) -> Self {
        self.signs
            .push(Sign::new("inside", "plain", inside_words(inside)));
        self
    }
}

fn place(asset: &Summary, signs: &Signs) -> Option<Shortened> {
    let outer = asset.address.path.split_last();
    let inside = outer.map_or_else(String::new, |(_, outer)| outer.join(" › "));
    let source = signs.source_of(asset).unwrap_or_default();
    // The database tells assets apart; their source is mostly the same, so it comes last.
    let parts = [inside.as_str(), source.as_str()];
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!said.is_empty()).then(|| name(&said.join(" · ")))
}

fn signs_of(asset: &Summary, signs: &Signs) -> Vec<Sign> {
    [
        gone(asset),
        deprecated(asset, signs),
        verified(asset),
        troubled(asset, signs),
        link(asset),
        owner(asset, signs),
        asset
            .rows
            .map(|rows| Sign::new("rows", "plain", count(rows, "row", "rows"))),
        columns(asset),
        defined(asset),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Sign {
    fn new(what: &'static str, tone: &'static str, text: impl Into<String>) -> Self {
        Self {
            what,
            tone,
            icon: None,
            text: text.into(),
            title: None,
            link: None,
        }
    }

    fn icon(self, icon: &'static str) -> Self {
        let icon = Some(icon);
        Self { icon, ..self }
    }

    fn titled(self, title: String) -> Self {
        let title = Some(title);
        Self { title, ..self }
    }

    fn to(self, link: Option<Link>) -> Self {
        Self { link, ..self }
    }
}

fn gone(asset: &Summary) -> Option<Sign> {
    let at = Moment::of(asset.gone_at?);
    Some(Sign::new("gone", "bad", format!("Removed {}", at.ago)).titled(at.exact))
}

fn deprecated(asset: &Summary, signs: &Signs) -> Option<Sign> {
    let since = asset.trust.deprecation.since?;
    let replacement = signs.names.replacement(asset);
    let text = match replacement {
        Some(_) => "Deprecated, use",
        None => "Deprecated",
    };
    Some(
        Sign::new("deprecated", "caution", text)
            .icon("warn")
            .titled(format!("Deprecated since {since}"))
            .to(replacement.map(Link::to_summary)),
    )
}

fn verified(asset: &Summary) -> Option<Sign> {
    let verification = &asset.trust.verification;
    let until = verification
        .until
        .filter(|_| verification.holds(Utc::now()))?;
    let sign = Sign::new("verified", "good", "Verified").icon("check");
    Some(sign.titled(format!("Verified until {until}")))
}

fn troubled(asset: &Summary, signs: &Signs) -> Option<Sign> {
    let is_troubled = signs.troubled.contains(&asset.id);
    is_troubled.then(|| {
        let link = Link::new("see why", links::problems(asset.id));
        Sign::new("problem", "caution", "Problem in the last run:")
            .icon("warn")
            .to(Some(link))
    })
}

fn link(asset: &Summary) -> Option<Sign> {
    let target = asset.link.as_ref()?;
    let Shortened { shown, whole } = name(&target.path.join("."));
    let sign = Sign::new("link", "plain", format!("Link to {shown}")).icon("link");
    Some(match whole {
        Some(whole) => sign.titled(whole),
        None => sign,
    })
}

/// Who people say owns it, or else who its source says does.
fn owner(asset: &Summary, signs: &Signs) -> Option<Sign> {
    let labels = signs.names.owners(asset);
    let said = |text: String| Sign::new("owner", "plain", text).icon("person");
    if labels.is_empty() {
        let owner = name(asset.source_owner.as_deref()?).shown;
        let title = format!("Owner, as {} says", platform_word(&asset.address.platform));
        return Some(said(owner).titled(title));
    }
    let shown: Vec<String> = labels
        .iter()
        .take(OWNERS)
        .map(|label| name(label).shown)
        .collect();
    let others = match labels.len().saturating_sub(OWNERS) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let text = format!("{}{others}", shown.join(", "));
    Some(said(text).titled("Owner".to_owned()))
}

fn columns(asset: &Summary) -> Option<Sign> {
    if asset.kind == AssetKind::Database {
        return None;
    }
    let text = match asset.columns {
        Some(0) => return None,
        Some(columns) => count(columns as u64, "column", "columns"),
        None => "many columns".to_owned(),
    };
    Some(Sign::new("columns", "plain", text))
}

fn defined(asset: &Summary) -> Option<Sign> {
    let at = Moment::of(asset.defined_at?);
    let text = format!("Definition changed {}", at.ago);
    Some(Sign::new("defined", "plain", text).titled(at.exact))
}

/// A text in the pieces that a search cut it into.
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
