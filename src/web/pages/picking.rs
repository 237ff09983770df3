//! What pickers offer while somebody types, and what a name that was typed means.
//!
//! A picker is a text field with suggestions: without a script the same names are typed. Deliberately absent: which form asks.

use actix_web::web::Data;
use serde::Serialize;

use super::parts::{icon, kind_word, name, platform_word};
use crate::auth::principals::{self, Named, Principal};
use crate::auth::{Actor, Permission};
use crate::catalog::{self, Address, AssetId, Children, Summary};
use crate::db::{Db, PageRequest};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;
use crate::web::searching;
use crate::web::text::Shortened;
use crate::web::view::{Page, View};

/// So many suggestions are offered.
const OFFERED: usize = 8;

/// Among so many hits for a name those are looked for that are called exactly so.
const LOOKED_THROUGH: usize = 50;

/// So many people and teams are compared with a name.
const COMPARED: u64 = 200;

/// The sign that tells a team's name from a person's.
const TEAM: &str = "Team: ";

/// What `templates/picking/options.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Options {
    options: Vec<Choice>,
}

/// One suggestion: the text that it puts into the field, and how it looks.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    icon: &'static str,
    shown: Shortened,
    beside: String,
    kind: &'static str,
}

impl View for Options {
    const TEMPLATE: &'static str = "picking/options";
}

impl Options {
    fn of(choices: impl IntoIterator<Item = Choice>) -> Page<Self> {
        let options = choices.into_iter().take(OFFERED).collect();
        Page(Self { options })
    }
}

/// `GET /pick/assets`: tables and views whose names fit `q`; those beside the asset `near` come first.
pub(crate) async fn assets(
    editor: Editor,
    parameters: Parameters,
) -> Result<Page<Options>, Failure> {
    editor.actor.require(Permission::Describe)?;
    let near = match parameters.id("near")? {
        Some(id) => {
            Some(catalog::find_asset(&editor.db, editor.actor.visibility(), AssetId(id)).await?)
        }
        None => None,
    };
    let mut found = named_like(&editor, parameters.text("q")).await?;
    found.retain(|summary| near.as_ref().is_none_or(|near| near.id != summary.id));
    if let Some(near) = &near {
        found.sort_by_key(|summary| summary.parent != near.parent);
    }
    let near = near.as_ref().map(|near| &near.address);
    let choice = |summary: &Summary| asset_choice(summary, near.unwrap_or(&summary.address));
    let choices: Vec<Choice> = found.iter().map(choice).collect();
    Ok(Options::of(choices))
}

fn asset_choice(summary: &Summary, near: &Address) -> Choice {
    let place = summary.address.path.split_last();
    Choice {
        value: name_beside(summary.id, &summary.address, near),
        icon: icon(summary.kind),
        shown: name(summary.address.name()),
        beside: place.map_or_else(String::new, |(_, place)| name(&place.join(".")).shown),
        kind: kind_word(summary.kind),
    }
}

/// Finds what may be meant, the best hit first.
async fn named_like(editor: &Editor, words: &str) -> Result<Vec<Summary>, Failure> {
    let (db, visibility) = (&editor.db, editor.actor.visibility());
    let offer = searching::offer(db, editor.index(), visibility, words, LOOKED_THROUGH).await?;
    let ids: Vec<AssetId> = offer
        .hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    let mut summaries = catalog::find_summaries(db, visibility, &ids).await?;
    Ok(ids.iter().filter_map(|id| summaries.remove(id)).collect())
}

/// A name by which [`find_asset`] finds it again from another asset.
pub(in crate::web) fn name_beside(id: AssetId, one: &Address, other: &Address) -> String {
    let plain = one.path.iter().all(|name| !name.contains(['.', '/']));
    if plain && (&one.platform, &one.instance) == (&other.platform, &other.instance) {
        one.path.join(".")
    } else {
        links::asset(id)
    }
}

/// Finds the asset that somebody names beside another one, or says what to write instead.
///
/// It is named by its id or its address here; by its name, which means the same database first; by `database.table`, which
/// means the same source first. A name that only one asset has is enough.
pub(in crate::web) async fn find_asset(
    editor: &Editor,
    near: &Address,
    typed: &str,
) -> Result<Result<AssetId, String>, Failure> {
    let typed = typed.trim();
    let last = typed.rsplit('/').next().unwrap_or(typed);
    if let Ok(id) = last.parse() {
        return Ok(Ok(AssetId(id)));
    }
    let parts: Vec<String> = typed.split('.').map(str::to_owned).collect();
    let whole = || vec![typed.to_owned()];
    let beside = |tail: Vec<String>| {
        let database = near.path.first().cloned().into_iter();
        database.chain(tail).collect::<Vec<_>>()
    };
    let paths = [beside(whole()), beside(parts.clone()), parts, whole()];
    let addresses = paths.map(|path| Address {
        path,
        ..near.clone()
    });
    let known = catalog::find_at(
        &editor.db,
        editor.actor.visibility(),
        &addresses.iter().collect::<Vec<_>>(),
    )
    .await?;
    let mut beside = addresses.iter();
    if let Some(id) = beside.find_map(|address| known.get(&address.identity())) {
        return Ok(Ok(*id));
    }
    let called = typed.to_lowercase();
    let mut found = named_like(editor, typed).await?;
    found.retain(|summary| {
        let address = &summary.address;
        address.name().to_lowercase() == called || address.path.join(".").to_lowercase() == called
    });
    Ok(match found.as_slice() {
        [only] => Ok(only.id),
        [] => Err(format!(
            "No table or view is called “{typed}”. Choose one from the list."
        )),
        [first, ..] => Err(format!(
            "Several are called “{typed}”. Write which one, such as “{}”.",
            name(&name_beside(first.id, &first.address, near)).shown
        )),
    })
}

/// `GET /pick/owners`: people and teams whose names contain `q`; with `only=people` or `only=teams` the names alone of
/// these.
pub(crate) async fn owners(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<Options>, Failure> {
    let words = parameters.text("q").trim();
    let words = words.strip_prefix(TEAM).unwrap_or(words);
    let only = parameters.text("only");
    let mut found = principals::search(&db, &actor, words, OFFERED as u64).await?;
    found.retain(|named| match named.principal {
        Principal::Account(_) => only != "teams",
        Principal::Team(_) => only != "people",
    });
    Ok(Options::of(found.iter().map(|named| {
        let (icon, kind) = match named.principal {
            Principal::Account(_) => ("person", "Person"),
            Principal::Team(_) => ("person", "Team"),
        };
        Choice {
            value: if only.is_empty() {
                principal_name(named)
            } else {
                named.name.clone()
            },
            icon,
            shown: name(&named.label),
            beside: match named.principal {
                Principal::Account(_) if named.label != named.name => named.name.clone(),
                _ => String::new(),
            },
            kind,
        }
    })))
}

/// A name as it is in the field, told from every other.
pub(in crate::web) fn principal_name(named: &Named) -> String {
    match named.principal {
        Principal::Team(_) => format!("{TEAM}{}", named.name),
        Principal::Account(_) if named.label == named.name => named.name.clone(),
        Principal::Account(_) => format!("{} ({})", named.label, named.name),
    }
}

/// Finds who has this name, or says why it is nobody.
pub(in crate::web) async fn find_principal(
    db: &Db,
    actor: &Actor,
    typed: &str,
) -> Result<Result<Principal, String>, Failure> {
    let team = typed.strip_prefix(TEAM);
    let words = team.unwrap_or(typed);
    // “Ana Lopez (ana)” is found by the name in brackets.
    let inner = words
        .strip_suffix(')')
        .and_then(|words| words.rsplit_once('('));
    let words = inner.map_or(words, |(_, name)| name).trim();
    let found = principals::search(db, actor, words, COMPARED).await?;
    let same = |text: &str| text.to_lowercase() == typed.to_lowercase();
    let meant: Vec<&Named> = found
        .iter()
        .filter(|named| same(&principal_name(named)) || same(&named.name) || same(&named.label))
        .collect();
    Ok(match meant.as_slice() {
        [named] => Ok(named.principal),
        [] => Err(format!("There is no person or team named “{typed}”.")),
        [first, ..] => Err(format!(
            "Several are named “{typed}”: write who is meant as “{}”.",
            principal_name(first)
        )),
    })
}

/// `GET /pick/tags`: tags that are in use and contain `q`.
pub(crate) async fn tags(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<Options>, Failure> {
    actor.require(Permission::Describe)?;
    let words = parameters.text("q").trim();
    let found = catalog::human::list_tags(&db, actor.visibility(), words).await?;
    Ok(Options::of(found.into_iter().map(|tag| Choice {
        icon: "note",
        shown: name(&tag),
        value: tag,
        beside: String::new(),
        kind: "Tag",
    })))
}

/// `GET /pick/scopes`: sources and databases whose names contain `q`, for who gives rights.
pub(crate) async fn scopes(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<Options>, Failure> {
    actor.require(Permission::ManagePeople)?;
    let words = parameters.text("q").trim();
    let sources = catalog::list_instances(&db, actor.visibility()).await?;
    let wanted = words.to_lowercase();
    let sources = sources.into_iter().filter_map(|source| {
        let value = catalog::source_words(&source.platform, &source.instance);
        value.to_lowercase().contains(&wanted).then(|| Choice {
            shown: name(&source.instance),
            beside: platform_word(&source.platform),
            icon: "source",
            kind: "Source",
            value,
        })
    });
    let databases = databases_like(&db, &actor, words).await?;
    let databases = databases.iter().map(|database| {
        let value = database_value(&database.address, true);
        database_choice(database, value)
    });
    Ok(Options::of(databases.chain(sources)))
}

/// `GET /pick/databases`: databases whose names contain `q`, for who narrows a list down to one.
pub(crate) async fn databases(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<Options>, Failure> {
    let words = parameters.text("q").trim();
    let several = catalog::list_instances(&db, actor.visibility())
        .await?
        .len()
        > 1;
    let found = databases_like(&db, &actor, words).await?;
    Ok(Options::of(found.iter().map(|database| {
        let value = database_value(&database.address, several);
        database_choice(database, value)
    })))
}

async fn databases_like(db: &Db, actor: &Actor, words: &str) -> Result<Vec<Summary>, Failure> {
    let children = Children {
        filter: words,
        ..Children::default()
    };
    let page = PageRequest::first(OFFERED as u64);
    let found = catalog::list_children(db, actor.visibility(), &children, &page).await?;
    Ok(found.items)
}

fn database_choice(database: &Summary, value: String) -> Choice {
    let Address {
        platform, instance, ..
    } = &database.address;
    Choice {
        value,
        icon: icon(database.kind),
        shown: name(database.address.name()),
        beside: format!("{} {}", platform_word(platform), name(instance).shown),
        kind: "Database",
    }
}

/// The words by which [`catalog::find_scope`] finds a database: its name, and where there are several sources, its own.
pub(in crate::web) fn database_value(address: &Address, several: bool) -> String {
    if !several {
        return address.name().to_owned();
    }
    let source = catalog::source_words(&address.platform, &address.instance);
    format!("{source}/{}", address.name())
}
