//! What the endpoint serves: databases and tables as ready-made JSON texts, in the order in which Glue lists them.
//!
//! A table is kept as the bytes that will be sent, so that a page of a hundred is a hundred copies and no
//! serialisation. Deliberately absent: any understanding of what is in a table.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::generate;

/// The account that everything belongs to unless it says otherwise.
pub(super) const ACCOUNT: &str = "111122223333";

/// Databases and their tables as Glue's JSON.
#[derive(Debug, Clone, Default)]
pub struct World {
    databases: BTreeMap<String, Database>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Database {
    /// As `GetDatabases` lists it.
    json: Box<str>,
    /// Its tables may not be listed.
    pub(super) unreadable: bool,
    /// It belongs to another account: not in the list of databases, but there for whoever follows a link to it.
    hidden: bool,
    tables: BTreeMap<Box<str>, Box<str>>,
}

/// One page of a listing: texts to send, and the name after which the next page starts, if there is one.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) texts: Vec<&'a str>,
    pub(super) last: Option<&'a str>,
}

impl World {
    /// Creates an empty world.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a database, or replaces its own properties and keeps its tables.
    ///
    /// `database` is a Glue `Database`; only `Name` is needed.
    pub fn set_database(&mut self, database: &Value) {
        let name = name_of(database).to_owned();
        let mut full = json!({"Name": name, "CatalogId": ACCOUNT});
        overlay(&mut full, database);
        self.databases.entry(name).or_default().json = full.to_string().into();
    }

    /// Adds a table or replaces the one of that name; adds the database when there is none.
    ///
    /// `table` is a Glue `Table`; only `Name` is needed. `DatabaseName` and `CatalogId` are filled in when missing.
    pub fn set_table(&mut self, database: &str, table: &Value) {
        let name = name_of(table).to_owned();
        let mut full = json!({"Name": name, "DatabaseName": database, "CatalogId": ACCOUNT});
        overlay(&mut full, table);
        self.set_table_text(database, name, full.to_string());
    }

    /// Stores a table that is already serialised.
    pub(super) fn set_table_text(&mut self, database: &str, name: String, text: String) {
        if !self.databases.contains_key(database) {
            self.set_database(&json!({"Name": database}));
        }
        if let Some(entry) = self.databases.get_mut(database) {
            entry.tables.insert(name.into(), text.into());
        }
    }

    /// Removes a table; tells whether there was one.
    pub fn remove_table(&mut self, database: &str, name: &str) -> bool {
        self.databases
            .get_mut(database)
            .is_some_and(|entry| entry.tables.remove(name).is_some())
    }

    /// Removes a database with its tables; tells whether there was one.
    pub fn remove_database(&mut self, name: &str) -> bool {
        self.databases.remove(name).is_some()
    }

    /// Says whether listing the tables of a database is refused, as it is for whoever lacks a permission.
    pub fn set_unreadable(&mut self, database: &str, unreadable: bool) {
        if let Some(entry) = self.databases.get_mut(database) {
            entry.unreadable = unreadable;
        }
    }

    /// Says whether a database is left out of the list of databases, as one of another account is, and still there for
    /// whoever asks for it by name.
    pub fn set_hidden(&mut self, database: &str, hidden: bool) {
        if let Some(entry) = self.databases.get_mut(database) {
            entry.hidden = hidden;
        }
    }

    /// Adds everything of another world; of what both have, the other's stays.
    pub fn merge(&mut self, other: Self) {
        for (name, database) in other.databases {
            let entry = self.databases.entry(name).or_default();
            entry.json = database.json;
            entry.unreadable = database.unreadable;
            entry.hidden = database.hidden;
            entry.tables.extend(database.tables);
        }
    }

    /// Changes about `per_mille` of a thousand tables, each in one of the ways in which people change tables: a new
    /// column, another comment, another description, a widened type. Another `round` changes others.
    ///
    /// Returns how many were changed. The same world, share and round give the same result.
    pub fn change_share(&mut self, per_mille: u64, round: u64) -> usize {
        let mut changed = 0;
        for (database, entry) in &mut self.databases {
            for (name, text) in &mut entry.tables {
                if generate::is_changed(database, name, per_mille, round)
                    && let Some(table) = generate::changed(text, round)
                {
                    *text = table.into();
                    changed += 1;
                }
            }
        }
        changed
    }

    /// The names of all databases, in order.
    pub fn database_names(&self) -> impl Iterator<Item = &str> {
        self.databases.keys().map(String::as_str)
    }

    /// The names of a database's tables and views, in order; none when there is no such database.
    pub fn table_names<'a>(&'a self, database: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.databases
            .get(database)
            .into_iter()
            .flat_map(|entry| entry.tables.keys().map(AsRef::as_ref))
    }

    /// A table as it would be sent, parsed.
    pub fn find_table(&self, database: &str, name: &str) -> Option<Value> {
        serde_json::from_str(self.database(database)?.table(name)?).ok()
    }

    /// How many tables and views there are.
    pub fn table_count(&self) -> usize {
        self.databases
            .values()
            .map(|entry| entry.tables.len())
            .sum()
    }

    pub(super) fn database(&self, name: &str) -> Option<&Database> {
        self.databases.get(name)
    }

    pub(super) fn databases_after(&self, after: Option<&str>, limit: usize) -> Page<'_> {
        let rest = self.databases.range::<str, _>(start(after));
        page(
            rest.filter(|(_, entry)| !entry.hidden)
                .map(|(name, entry)| (name.as_str(), entry.json())),
            limit,
        )
    }
}

impl Database {
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    pub(super) fn table(&self, name: &str) -> Option<&str> {
        self.tables.get(name).map(AsRef::as_ref)
    }

    pub(super) fn tables_after(&self, after: Option<&str>, limit: usize) -> Page<'_> {
        let rest = self.tables.range::<str, _>(start(after));
        page(
            rest.map(|(name, text)| (name.as_ref(), text.as_ref())),
            limit,
        )
    }
}

fn start(after: Option<&str>) -> (Bound<&str>, Bound<&str>) {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    (from, Bound::Unbounded)
}

fn page<'a>(mut rest: impl Iterator<Item = (&'a str, &'a str)>, limit: usize) -> Page<'a> {
    let mut texts = Vec::with_capacity(limit);
    let mut last = None;
    for (name, text) in rest.by_ref().take(limit) {
        texts.push(text);
        last = Some(name);
    }
    let more = rest.next().is_some();
    Page {
        texts,
        last: last.filter(|_| more),
    }
}

fn name_of(value: &Value) -> &str {
    value.get("Name").and_then(Value::as_str).unwrap_or("")
}

/// Writes every entry of `over` into `base`, replacing what is there.
pub(super) fn overlay(base: &mut Value, over: &Value) {
    if let (Value::Object(base), Value::Object(over)) = (base, over) {
        extend(base, over);
    }
}

fn extend(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        base.insert(key.clone(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_one_starts_only_when_there_is_one() {
        let mut world = World::new();
        for name in ["c", "a", "b"] {
            world.set_table("shop", &json!({"Name": name}));
        }

        let shop = world.database("shop").unwrap();
        let first = shop.tables_after(None, 2);
        let second = shop.tables_after(first.last, 2);

        assert_eq!(first.last, Some("b"));
        assert_eq!(second.texts.len(), 1);
        assert_eq!(second.last, None);
    }

    #[test]
    fn changing_a_share_changes_about_that_many_and_nothing_else() {
        let mut world = World::new();
        for number in 0..2000 {
            world.set_table("shop", &json!({"Name": format!("t{number}")}));
        }
        let before = world.clone();

        let changed = world.change_share(10, 1);

        let differing = world
            .table_names("shop")
            .filter(|name| world.find_table("shop", name) != before.find_table("shop", name))
            .count();
        assert_eq!(differing, changed);
        assert!((8..40).contains(&changed), "{changed}");
    }
}
