//! One thing as the index sees it, whatever it is; `documents` makes it of each kind of thing.

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use tantivy::TantivyDocument;
use uuid::Uuid;

use super::Error;
use super::facets::{FACETS, FacetField, SEVERAL};
use super::name::Shape;
use super::readers;
use super::schema::{Fields, Whole};
use super::tokenizer::{fold, strip_separators};
use super::trust::{Sign, Signs};
use crate::db::Subject;

/// How much of a view's SQL is kept to explain hits with, in characters; all of it is searched.
pub(super) const SQL_KEPT: usize = 20_000;

/// How often a text is in memory: read, and laid out.
const COPIES: usize = 2;

/// What a text takes beside its bytes, in bytes, about.
const LINE: usize = 48;

impl Texts {
    /// The thing that they are about.
    pub(super) fn subject(&self) -> Result<Subject, Error> {
        // A newer version may know more kinds; its index is not this one's.
        Subject::read(&self.kind, self.id).ok_or(Error::Lost)
    }
}

/// What sort of thing a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DocumentKind {
    /// The word in the facet and in addresses.
    pub(super) word: &'static str,
    /// Sorts things of one name.
    pub(super) rank: usize,
    /// Whether others are inside of it.
    pub(super) is_container: bool,
}

/// The texts of one thing, ready to be indexed.
#[derive(Debug, Clone)]
pub struct Document {
    subject: Subject,
    kind: DocumentKind,
    /// The platform and the instance that it comes from, by which it may be hidden.
    source: (String, String),
    /// Its names from the outermost on, its own last.
    path: Vec<String>,
    /// The name of what it is in, or is.
    container_name: String,
    /// The id of that, by which it may be hidden.
    container: Uuid,
    gone: bool,
    /// What it has of each facet that does not follow from something else.
    facets: [Vec<String>; FACETS.len()],
    owners: Vec<String>,
    tags: Vec<String>,
    deprecated: bool,
    verified: Option<NaiveDate>,
    /// When its definition changed last.
    changed: Option<NaiveDate>,
    /// What its source says that speaks for it or against it.
    signs: Signs,
    /// The tables that it reads, for counting.
    reads: Vec<u64>,
    column_names: Vec<String>,
    /// What people call it, beside its own name.
    names: Vec<String>,
    texts: Texts,
}

/// What is kept beside the index to say why something was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Texts {
    #[serde(rename = "i")]
    pub(super) id: Uuid,
    #[serde(rename = "k")]
    pub(super) kind: String,
    #[serde(rename = "n")]
    pub(super) name: String,
    /// Where it is, outermost first, without its own name.
    #[serde(rename = "l", skip_serializing_if = "Vec::is_empty")]
    pub(super) place: Vec<String>,
    #[serde(rename = "c", skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<String>,
    /// The type of each column, cut where it is long.
    #[serde(rename = "y", skip_serializing_if = "Vec::is_empty")]
    pub(super) types: Vec<String>,
    /// Comments and notes by column path.
    #[serde(rename = "t", skip_serializing_if = "Vec::is_empty")]
    pub(super) comments: Vec<(String, String)>,
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    pub(super) descriptions: Vec<String>,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub(super) sql: Option<String>,
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<(String, String)>,
}

/// What can be found of the parts of a thing, such as the columns of a table, in order.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) names: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) types: Vec<String>,
    /// What is said of them, by path.
    pub(super) comments: Vec<(String, String)>,
}

impl Document {
    /// Begins a document about a thing, with its names from the outermost on, its own last.
    pub(super) fn new(subject: Subject, kind: DocumentKind, path: &[String]) -> Self {
        let mut path = path.to_vec();
        let name = path.last().cloned().unwrap_or_default();
        let around = path.len().saturating_sub(1);
        let container_name = if kind.is_container {
            name.clone()
        } else {
            around
                .checked_sub(1)
                .and_then(|at| path.get(at))
                .cloned()
                .unwrap_or_default()
        };
        path.shrink_to_fit();
        Self {
            subject,
            kind,
            source: Default::default(),
            container_name,
            container: subject.id(),
            gone: false,
            facets: Default::default(),
            owners: Vec::new(),
            tags: Vec::new(),
            deprecated: false,
            verified: None,
            changed: None,
            signs: Signs::default(),
            reads: Vec::new(),
            column_names: Vec::new(),
            names: Vec::new(),
            texts: Texts {
                id: subject.id(),
                kind: subject.kind().to_owned(),
                name,
                place: path.iter().take(around).cloned().collect(),
                ..Texts::default()
            },
            path,
        }
        .of_facet(FacetField::Kind, kind.word)
    }

    /// The thing.
    pub(super) fn subject(&self) -> Subject {
        self.subject
    }

    /// Says from which system it comes.
    pub(super) fn sourced(mut self, platform: &str, instance: &str) -> Self {
        let named = [platform, instance].into_iter();
        let named = named.filter(|name| !name.is_empty()).map(str::to_owned);
        self.texts.place.extend(named);
        self.source = (platform.to_owned(), instance.to_owned());
        let database = self.container_name.clone();
        self.of_facet(FacetField::Platform, platform)
            .of_facet(FacetField::Database, database)
    }

    /// Adds a value of a facet.
    pub(super) fn of_facet(mut self, facet: FacetField, value: impl Into<String>) -> Self {
        if let Some(values) = self.facets.get_mut(facet as usize) {
            values.push(value.into());
        }
        self
    }

    /// Adds what is found of its parts, such as columns.
    pub(super) fn parted(mut self, parts: Parts) -> Self {
        self.column_names = parts.names;
        self.texts.columns = parts.paths;
        self.texts.types = parts.types;
        self.texts.comments = parts.comments;
        self
    }

    /// Adds its code, such as SQL, and what that reads.
    pub(super) fn coded(mut self, code: Option<String>, reads: Vec<u64>) -> Self {
        self.texts.sql = code;
        self.reads = reads;
        self
    }

    /// Adds what is worth finding beside names and texts, by the word that people are shown.
    pub(super) fn with_facts(mut self, facts: Vec<(String, String)>) -> Self {
        self.texts.parameters = facts;
        self
    }

    /// Says whether it stands for another thing.
    pub(super) fn linked(mut self, is_link: bool) -> Self {
        self.signs = self.signs.with(Sign::Link, is_link);
        self
    }

    /// Says who owns it by its source, unless people say so.
    pub(super) fn owned_by_source(mut self, owner: Option<&String>) -> Self {
        self.owners.extend(owner.cloned());
        self
    }

    /// Says whether the source no longer lists it.
    pub fn gone(mut self, gone: bool) -> Self {
        self.gone = gone;
        self
    }

    /// Says what it is in, unless it is that itself.
    pub fn inside(mut self, container: Option<Uuid>) -> Self {
        self.container = container.unwrap_or(self.subject.id());
        self
    }

    /// Adds what people wrote about it.
    pub fn described(mut self, description: &str) -> Self {
        if !description.is_empty() {
            self.texts.descriptions.insert(0, description.to_owned());
        }
        self
    }

    /// Adds a name that people call it by, beside its own.
    pub fn called(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.names.push(name.to_owned());
            self.texts.descriptions.push(name.to_owned());
        }
        self
    }

    /// Adds what people wrote about one of its columns.
    pub fn noted(mut self, path: &str, note: &str) -> Self {
        self.texts.comments.push((path.to_owned(), note.to_owned()));
        self
    }

    /// Adds a word that people sort assets by.
    pub fn tagged(mut self, tag: &str) -> Self {
        let named = ("Tag".to_owned(), tag.to_owned());
        self.texts.parameters.push(named);
        self.tags.push(tag.to_owned());
        self.of_facet(FacetField::Tag, tag)
    }

    /// Adds somebody who answers for it: what they are called, and the name by which they are known beside that.
    pub fn owned_by(mut self, label: &str, name: &str) -> Self {
        let named = ("Owner".to_owned(), label.to_owned());
        self.texts.parameters.push(named);
        self.owners.push(label.to_owned());
        if name != label {
            self.owners.push(name.to_owned());
        }
        self.of_facet(FacetField::Owner, label)
    }

    /// Says whether people are told to use something else: then it comes after what is as good.
    pub fn deprecated(mut self, deprecated: bool) -> Self {
        self.deprecated = deprecated;
        self
    }

    /// Says until when somebody vouches for it: then it comes before its equals.
    pub fn verified(mut self, until: Option<NaiveDate>) -> Self {
        self.verified = until;
        self
    }

    /// Says what is known of its rows, and when it was updated.
    pub fn measured(mut self, rows: Option<i64>, updated: Option<NaiveDate>) -> Self {
        let counted = rows.is_some_and(|rows| rows > 0);
        self.signs = self.signs.with(Sign::Counted, counted);
        self.changed = updated;
        if let Some(day) = updated {
            self.signs = self.signs.updated(day_number(day));
        }
        self
    }

    /// What speaks for it or against it, given what its name is made of.
    fn signs(&self, shape: &Shape) -> Signs {
        self.signs
            .named(shape)
            .with(Sign::Described, !self.texts.descriptions.is_empty())
            .with(Sign::Owned, !self.owners.is_empty())
            .with(Sign::Tagged, !self.tags.is_empty())
            .with(Sign::Container, self.kind.is_container)
    }

    /// Sorts by name, then kind, then place; unique by the id at its end.
    fn order(&self) -> String {
        let (rank, (_, instance)) = (self.kind.rank, &self.source);
        format!(
            "{}\0{rank}\0{}\0{instance}\0{}",
            fold(&self.texts.name),
            self.path.join("\0"),
            self.subject.id()
        )
    }

    /// Lays its owners and tags out.
    fn lay_out_labels(&self, fields: &Fields, laid_out: &mut TantivyDocument) {
        for owner in &self.owners {
            laid_out.add_text(fields.owner, owner);
            laid_out.add_text(fields.whole, Whole::Owner.term(&fold(owner)));
        }
        for tag in &self.tags {
            laid_out.add_text(fields.tag, tag);
            laid_out.add_text(fields.whole, Whole::Tag.term(&fold(tag)));
        }
        // What people say of owners comes before what the source says.
        let owner = FacetField::Owner as usize;
        for (facet, values) in self.facets.iter().enumerate().skip(FACETS.len() - SEVERAL) {
            let values = match values.as_slice() {
                [] if facet == owner => self.owners.as_slice(),
                values => values,
            };
            let field = fields.several.get(facet + SEVERAL - FACETS.len());
            for value in values {
                laid_out.add_text(*field.expect("each has a column"), value);
            }
        }
    }

    /// Lays it out in the fields of the index.
    pub(super) fn lay_out(&self, fields: &Fields) -> TantivyDocument {
        let mut laid_out = TantivyDocument::default();
        laid_out.add_bytes(fields.id, self.subject.id().as_bytes());
        for name in std::iter::once(&self.texts.name).chain(&self.names) {
            laid_out.add_text(fields.name, name);
            laid_out.add_text(fields.whole, Whole::Name.term(&fold(name)));
            laid_out.add_text(fields.in_name, name);
        }
        for part in &self.texts.place {
            laid_out.add_text(fields.place, part);
        }
        for name in &self.column_names {
            laid_out.add_text(fields.column, name);
        }
        for text in &self.texts.descriptions {
            laid_out.add_text(fields.text, text);
        }
        for (_, text) in &self.texts.comments {
            laid_out.add_text(fields.text, text);
        }
        if let Some(sql) = &self.texts.sql {
            laid_out.add_text(fields.other, sql);
        }
        for (_, value) in &self.texts.parameters {
            laid_out.add_text(fields.other, value);
        }
        self.lay_out_labels(fields, &mut laid_out);
        laid_out.add_text(fields.whole, Whole::Path.term(&fold(&self.path.join("."))));
        laid_out.add_text(
            fields.whole,
            Whole::Squeezed.term(&strip_separators(&self.texts.name)),
        );
        laid_out.add_text(fields.in_column, self.column_names.join("\n"));
        let around = if self.kind.is_container {
            ""
        } else {
            &self.container_name
        };
        let shape = Shape::new(&self.texts.name, around);
        if let Some(first) = &shape.first {
            laid_out.add_text(fields.first, first);
        }
        if let Some(last) = &shape.last {
            laid_out.add_text(fields.last, last);
        }
        laid_out.add_u64(fields.signs, self.signs(&shape).bits());
        let address = readers::address(&self.container_name, &self.texts.name);
        laid_out.add_u64(fields.address, address);
        for read in self.reads.iter().filter(|read| **read != address) {
            laid_out.add_u64(fields.reads, *read);
        }
        for (field, values) in fields.single.into_iter().zip(&self.facets) {
            for value in values.iter().take(1) {
                laid_out.add_text(field, value);
            }
        }
        let (platform, instance) = &self.source;
        laid_out.add_text(fields.source, source_term(platform, instance));
        laid_out.add_text(fields.home, home_term(self.container));
        laid_out.add_u64(fields.gone, u64::from(self.gone));
        laid_out.add_u64(fields.deprecated, u64::from(self.deprecated));
        if let Some(day) = self.verified {
            laid_out.add_u64(fields.verified, day_number(day).into());
        }
        if let Some(day) = self.changed {
            laid_out.add_u64(fields.changed, day_number(day).into());
        }
        laid_out.add_text(fields.order, self.order());
        laid_out.add_text(fields.stored, self.stored());
        laid_out
    }

    /// The texts that are kept, as JSON.
    fn stored(&self) -> String {
        let is_long = |sql: &String| sql.len() > SQL_KEPT;
        // Room for it from the start: a text that grows is copied again and again.
        let mut json = Vec::with_capacity(self.size() / COPIES);
        let written = if self.texts.sql.as_ref().is_some_and(is_long) {
            let mut texts = self.texts.clone();
            texts.sql = texts.sql.map(|sql| beginning(&sql, SQL_KEPT).to_owned());
            serde_json::to_writer(&mut json, &texts)
        } else {
            serde_json::to_writer(&mut json, &self.texts)
        };
        written.expect("memory takes every text");
        String::from_utf8(json).expect("JSON is text")
    }

    /// How much memory it takes, in bytes, about.
    pub(super) fn size(&self) -> usize {
        let texts = &self.texts;
        let pairs = texts.comments.iter().chain(&texts.parameters);
        let pairs = pairs.flat_map(|(path, text)| [path, text]);
        let columns = texts.columns.iter().chain(&texts.types);
        let lines = columns.chain(&self.column_names);
        let lines = lines.chain(&texts.descriptions).chain(&texts.sql);
        let texts = lines.chain(pairs);
        texts.map(|text| COPIES * text.len() + LINE).sum()
    }
}

/// So many characters of a text, or all.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}

/// A source as a value of the index.
pub(super) fn source_term(platform: &str, instance: &str) -> String {
    format!("{}:{platform}{instance}", platform.len())
}

/// A database as a value of the index.
pub(super) fn home_term(database: Uuid) -> String {
    database.simple().to_string()
}

/// A day as a number that grows with time.
pub(super) fn day_number(day: NaiveDate) -> u32 {
    u32::try_from(day.num_days_from_ce()).unwrap_or_default()
}
