//! The words by which people name a scope: `glue:INSTANCE` for a source, `glue:INSTANCE/DATABASE` for a database.
//!
//! An instance may have a slash in its name, and a database too, so only what the catalog has tells where one ends.
//! Rights name scopes, and so do lists of one database.

use super::asset::{Address, AssetId};
use super::{Children, Error, find_addresses, find_at, list_children, list_instances};
use crate::auth::{Scope, Visibility};
use crate::db::{Db, PageRequest};

/// How many names are offered instead of one that is not there.
const OFFERED: usize = 3;

/// How many of a source's databases are compared with a name that is not there.
const COMPARED: u64 = PageRequest::MOST;

/// So many dots of a name are tried as the one between database and table.
const MOST_DOTS: usize = 8;

/// In so many sources a database is looked for by its name alone.
const MOST_SOURCES: usize = 200;

/// What is less like the name than this is not offered.
const NEAR: f64 = 0.5;

/// Finds the source or the database that these words name, of those that somebody sees; databases that are gone can be
/// named too.
pub async fn find_scope(db: &Db, visibility: &Visibility, words: &str) -> Result<Scope, Error> {
    let words = words.trim();
    let mut sources: Vec<(String, String)> = list_instances(db, visibility)
        .await?
        .into_iter()
        .map(|source| (source.platform, source.instance))
        .collect();
    // The longest name first: it says the most about where the instance ends.
    sources.sort_by_key(|(_, instance)| std::cmp::Reverse(instance.len()));
    let mut inside = Vec::new();
    for (platform, instance) in &sources {
        match words.strip_prefix(&source_words(platform, instance)) {
            Some("") => {
                let (platform, instance) = (platform.clone(), instance.clone());
                return Ok(Scope::Source { platform, instance });
            }
            Some(rest) => {
                let name = rest.strip_prefix('/').filter(|name| !name.is_empty());
                inside.extend(name.map(|name| database_at(platform, instance, name)));
            }
            None => {}
        }
    }
    // The name of a database alone is enough where only one source has it.
    let databases = sources.iter().take(MOST_SOURCES);
    let databases: Vec<Address> = databases
        .map(|(platform, instance)| database_at(platform, instance, words))
        .collect();
    inside.extend(databases.iter().cloned());
    let known = find_at(db, visibility, &inside.iter().collect::<Vec<_>>()).await?;
    let called: Vec<&Address> = databases
        .iter()
        .filter(|address| known.contains_key(&address.identity()))
        .collect();
    if called.len() > 1 {
        let named = called.iter().take(OFFERED).map(|address| {
            let source = source_words(&address.platform, &address.instance);
            format!("{source}/{}", address.name())
        });
        let (words, which) = (words.to_owned(), named.collect());
        return Err(Error::SeveralScopes { words, which });
    }
    for address in &inside {
        if let Some(id) = known.get(&address.identity()) {
            return Ok(Scope::Database {
                platform: address.platform.clone(),
                instance: address.instance.clone(),
                database: id.0,
            });
        }
    }
    inside.truncate(inside.len() - databases.len());
    let nearest = nearest(db, visibility, words, (&sources, &inside)).await?;
    let words = words.to_owned();
    Err(Error::UnknownScope { words, nearest })
}

/// Tells by which words each of some scopes is named; a database that is not there has its id for a name.
pub async fn name_scopes(db: &Db, scopes: &[Scope]) -> Result<Vec<String>, Error> {
    let ids: Vec<AssetId> = scopes
        .iter()
        .filter_map(|scope| scope.database().map(AssetId))
        .collect();
    let databases = find_addresses(db, &ids).await?;
    let name = |scope: &Scope| {
        let (platform, instance) = scope.source();
        let source = source_words(platform, instance);
        match scope.database().map(AssetId) {
            None => source,
            Some(id) => match databases.get(&id) {
                Some((_, address)) => format!("{source}/{}", address.name()),
                None => format!("{source}/{id}"),
            },
        }
    };
    Ok(scopes.iter().map(name).collect())
}

/// The words by which a source is named.
pub fn source_words(platform: &str, instance: &str) -> String {
    format!("{platform}:{instance}")
}

fn database_at(platform: &str, instance: &str, name: &str) -> Address {
    Address {
        platform: platform.to_owned(),
        instance: instance.to_owned(),
        path: vec![name.to_owned()],
    }
}

/// What was perhaps meant: databases of the source that was named, or else sources.
async fn nearest(
    db: &Db,
    visibility: &Visibility,
    words: &str,
    (sources, inside): (&[(String, String)], &[Address]),
) -> Result<Vec<String>, Error> {
    let mut known: Vec<String> = sources
        .iter()
        .map(|(platform, instance)| source_words(platform, instance))
        .collect();
    if let Some(address) = inside.first() {
        let children = Children {
            instance: Some((&address.platform, &address.instance)),
            gone: true,
            ..Children::default()
        };
        let databases =
            list_children(db, visibility, &children, &PageRequest::first(COMPARED)).await?;
        let source = source_words(&address.platform, &address.instance);
        known = databases
            .items
            .iter()
            .map(|database| format!("{source}/{}", database.address.name()))
            .collect();
    }
    let mut near: Vec<(f64, String)> = known
        .into_iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(words, &known), known))
        .filter(|(nearness, _)| *nearness >= NEAR)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.truncate(OFFERED);
    Ok(near.into_iter().map(|(_, known)| known).collect())
}

/// Finds the assets that these words name: `sales` or `sales.orders` in any source, or behind `PLATFORM:INSTANCE/` in one.
pub async fn find_called(db: &Db, words: &str) -> Result<Vec<AssetId>, Error> {
    let words = words.trim();
    let mut addresses = Vec::new();
    for source in list_instances(db, &Visibility::Everything).await? {
        let prefix = format!("{}/", source_words(&source.platform, &source.instance));
        for words in [Some(words), words.strip_prefix(&prefix)]
            .into_iter()
            .flatten()
        {
            let at = |path: &[&str]| Address {
                platform: source.platform.clone(),
                instance: source.instance.clone(),
                path: path.iter().map(ToString::to_string).collect(),
            };
            addresses.push(at(&[words]));
            // A dot may part the database from the table, or be part of a name.
            let dots = words.match_indices(['.', '/']).take(MOST_DOTS);
            addresses.extend(dots.map(|(dot, _)| {
                let (database, table) = words.split_at(dot);
                at(&[database, table.get(1..).unwrap_or_default()])
            }));
        }
    }
    let found = find_at(
        db,
        &Visibility::Everything,
        &addresses.iter().collect::<Vec<_>>(),
    )
    .await?;
    Ok(found.into_values().collect())
}
