//! The palette: pages, things to do and assets, by a few letters of their name.

use actix_web::web::Data;

use super::asset_line::Signs;
use super::offers::{ASSETS, Choice, Group, Offers};
use super::overview::may_edit;
use super::parts::name;
use super::search::assets_of;
use crate::auth::{Actor, Permission};
use crate::catalog::human::Description;
use crate::catalog::{self, Asset, AssetId, AssetKind};
use crate::db::Db;
use crate::ingest::Runner;
use crate::revisions::Aspect as _;
use crate::search::Index;
use crate::web::aspects;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::searching;
use crate::web::view::{Page, pages_of};

/// So many recipes are offered to run.
const RECIPES: usize = 5;

/// `GET /palette`: where somebody may want to go, and what they may want to do on the page that they read.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    index: Data<Index>,
    runner: Data<Runner>,
    parameters: Parameters,
) -> Result<Page<Offers>, Failure> {
    let words = parameters.text("q").trim();
    let actions = match links::asset_at(parameters.text("here")) {
        Some(id) => actions_on(&db, &actor, id, words).await?,
        None => Group::new("", Vec::new()),
    };
    let recipes = if actor.may(Permission::RunRecipe) {
        recipes_to_run(&runner, words)?
    } else {
        Vec::new()
    };
    let pages = pages_of(&actor).into_iter();
    let pages = pages.filter(|(label, _)| is_wanted(words, label));
    let pages = pages.map(|(label, href)| Choice::named("chevron", label, href));
    let hits = searching::offer(&db, &index, actor.visibility(), words, ASSETS)
        .await?
        .hits;
    let assets = assets_of(&db, &actor, &hits).await?;
    let signs = Signs::read(&db, &actor, assets.values()).await?;
    let groups = vec![
        actions,
        Group::new("Recipes", recipes),
        Group::new("Pages", pages.collect()),
        Group::of_assets(&hits, &assets, &signs),
    ];
    let none = format!("Nothing is called “{}”.", name(words).shown);
    Ok(Page(Offers::new(groups, Some(none))))
}

/// Whether every word is the beginning of a word of the label; no words want everything.
fn is_wanted(words: &str, label: &str) -> bool {
    let label = label.to_lowercase();
    let begins = |word: &str| {
        label
            .split_whitespace()
            .any(|other| other.starts_with(word))
    };
    let words = words.to_lowercase();
    words.split_whitespace().all(begins)
}

async fn actions_on(db: &Db, actor: &Actor, id: AssetId, words: &str) -> Result<Group, Failure> {
    let asset = match catalog::find_asset(db, actor.visibility(), id).await {
        // What is no longer there has no actions.
        Err(catalog::Error::UnknownAsset) => return Ok(Group::new("", Vec::new())),
        found => found?,
    };
    if !may_edit(&asset, actor) {
        return Ok(Group::new("", Vec::new()));
    }
    let named = name(asset.address.name()).shown;
    let known = edits(&asset);
    let known = known.map(|(label, aspect)| ("note", label, links::edit(id, aspect)));
    let restrict =
        (asset.kind == AssetKind::Database && actor.may(Permission::Restrict)).then(|| {
            (
                "key",
                "Restrict this database".to_owned(),
                links::asset_restriction(id),
            )
        });
    let wanted = known.chain(restrict);
    let wanted = wanted.filter(|(_, label, _)| is_wanted(words, label));
    let choices = wanted.map(|(icon, label, href)| Choice::named(icon, &label, href));
    Ok(Group::new(format!("On {named}"), choices.collect()))
}

/// What may be said of an asset, as something to do.
fn edits(asset: &Asset) -> impl Iterator<Item = (String, &'static str)> {
    let kind = asset.kind.as_str();
    aspects::deeds().map(move |(deed, aspect)| {
        let is_description = aspect == Description::NAME;
        let label = if is_description {
            format!("{deed} this {kind}")
        } else {
            deed.to_owned()
        };
        (label, aspect)
    })
}

fn recipes_to_run(runner: &Runner, words: &str) -> Result<Vec<Choice>, Failure> {
    let files = runner.recipes()?;
    let recipes = files.iter().filter_map(|file| file.recipe.as_ref().ok());
    let labels = recipes.map(|recipe| (format!("Run {} now", recipe.name), &recipe.name));
    let wanted = labels.filter(|(label, _)| is_wanted(words, label));
    let choices = wanted
        .take(RECIPES)
        .map(|(label, name)| Choice::named("play", &label, links::recipe_runs(name)).sending());
    Ok(choices.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_wanted_by_the_beginnings_of_its_words() {
        assert!(is_wanted("", "Audit"));
        assert!(is_wanted("desc tab", "Describe this table"));
        assert!(!is_wanted("audit", "Describe this table"));
    }
}
