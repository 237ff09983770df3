//! What can be said of an asset, aspect by aspect: how each is tidied, what is wrong with it, how two edits of it are put
//! together, and how a change of it is told.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use url::Url;

use super::super::asset::AssetId;
use super::super::unseen::{legible_name, name_of_letter, unseen_letters};
use super::super::{Asset, Error};
use super::hidden::unseen_replacement;
use super::merge::{self, Merged};
use crate::auth::Actor;
use crate::auth::principals::{self, Principal};
use crate::db::{Db, storable};

/// A description is no longer than this, in characters; a column's likewise.
pub const LONGEST_TEXT: usize = 100_000;

/// What is said of all columns of one asset is no longer than this together, in bytes: pages read all of it.
const LONGEST_NOTES: usize = 2_000_000;

pub const MOST_OWNERS: usize = 20;
pub const MOST_TAGS: usize = 50;
pub const LONGEST_TAG: usize = 64;
pub const MOST_LINKS: usize = 50;
pub const LONGEST_LABEL: usize = 200;
pub const LONGEST_URL: usize = 2_000;

/// The reason for a deprecation is no longer than this.
pub const LONGEST_REASON: usize = 2_000;

/// No date is farther from today than five years.
const FARTHEST: TimeDelta = TimeDelta::days(5 * 366);

/// The aspects that are written, and versioned, apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AspectKind {
    Description,
    /// What is said of one column.
    Note,
    Owners,
    Tags,
    Links,
    Verification,
    Deprecation,
}

impl AspectKind {
    pub const ALL: [Self; 7] = [
        Self::Description,
        Self::Note,
        Self::Owners,
        Self::Tags,
        Self::Links,
        Self::Verification,
        Self::Deprecation,
    ];

    /// The word in addresses and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Note => "note",
            Self::Owners => "owners",
            Self::Tags => "tags",
            Self::Links => "links",
            Self::Verification => "verification",
            Self::Deprecation => "deprecation",
        }
    }

    /// The word in the change log.
    pub fn action(self) -> &'static str {
        match self {
            Self::Description => "description_revised",
            Self::Note => "note_revised",
            Self::Owners => "owners_revised",
            Self::Tags => "tags_revised",
            Self::Links => "links_revised",
            Self::Verification => "verification_revised",
            Self::Deprecation => "deprecation_revised",
        }
    }
}

/// Something that is wrong with what somebody wants to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, by its name in JSON and in forms.
    pub field: &'static str,
    /// A whole sentence.
    pub text: String,
}

impl Problem {
    pub(super) fn new(field: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { field, text }
    }
}

/// One aspect of what people say. The default says nothing.
pub trait Aspect:
    Debug + Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    const KIND: AspectKind;

    /// Tells which part of the asset it is about: the digest of a column's path, or nothing.
    fn part(&self) -> String {
        String::new()
    }

    /// The same part of the asset with nothing said of it.
    fn emptied(&self) -> Self {
        Self::default()
    }

    /// Puts into the form in which it is kept what may be typed in several ways.
    fn tidied(self) -> Self;

    /// Lists all that is wrong with it, as far as that can be told without the catalog.
    fn problems(&self, now: DateTime<Utc>) -> Vec<Problem>;

    /// Looks up what it refers to, and lists what of that is not there.
    fn resolve(
        &mut self,
        _db: &Db,
        _actor: &Actor,
        _asset: &Asset,
    ) -> impl Future<Output = Result<Vec<Problem>, Error>> + Send {
        std::future::ready(Ok(Vec::new()))
    }

    /// Puts two edits of it together.
    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self>;

    /// Tells a change as sentences.
    fn tell(before: &Self, after: &Self) -> Vec<String>;

    /// The text of it, if it is one.
    fn text(&self) -> Option<&str> {
        None
    }

    /// Where it names another asset, if it can.
    fn reference(&mut self) -> Option<&mut Option<AssetId>> {
        None
    }
}

/// What people say of the asset as a whole, as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    pub text: String,
}

impl Aspect for Description {
    const KIND: AspectKind = AspectKind::Description;

    fn tidied(self) -> Self {
        let text = tidy_text(&self.text);
        Self { text }
    }

    fn problems(&self, _: DateTime<Utc>) -> Vec<Problem> {
        too_long("text", "The description", &self.text, LONGEST_TEXT)
            .into_iter()
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        merge::texts(&base.text, &theirs.text, &mine.text).map(|text| Self { text })
    }

    fn tell(before: &Self, after: &Self) -> Vec<String> {
        vec![format!(
            "The description was {}.",
            written(&before.text, &after.text)
        )]
    }

    fn text(&self) -> Option<&str> {
        Some(&self.text)
    }
}

/// What people say of a column, as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The path of the column.
    pub column: String,
    pub text: String,
}

impl Aspect for Note {
    const KIND: AspectKind = AspectKind::Note;

    fn part(&self) -> String {
        let digest = blake3::hash(self.column.as_bytes()).to_hex();
        digest.chars().take(32).collect()
    }

    fn emptied(&self) -> Self {
        Self {
            column: self.column.clone(),
            text: String::new(),
        }
    }

    fn tidied(self) -> Self {
        let text = tidy_text(&self.text);
        Self { text, ..self }
    }

    fn problems(&self, _: DateTime<Utc>) -> Vec<Problem> {
        too_long("text", "The description", &self.text, LONGEST_TEXT)
            .into_iter()
            .collect()
    }

    /// A column that the source no longer names keeps its words, but gets no first ones.
    async fn resolve(&mut self, _: &Db, _: &Actor, asset: &Asset) -> Result<Vec<Problem>, Error> {
        if !asset.has_column(&self.column) && !asset.human.notes.contains_key(&self.column) {
            return Err(Error::UnknownColumn(self.column.clone()));
        }
        let others = asset.human.notes.values().map(|note| &note.content);
        let others = others.filter(|note| note.column != self.column);
        let others: usize = others.map(|note| note.text.len()).sum();
        // Taking words out always works.
        let fits = self.text.is_empty() || others + self.text.len() <= LONGEST_NOTES;
        let text = "The descriptions of all columns of this asset are longer than 2 MB together: shorten one first.";
        Ok((!fits)
            .then(|| Problem::new("text", text))
            .into_iter()
            .collect())
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        merge::texts(&base.text, &theirs.text, &mine.text).map(|text| Self {
            column: mine.column.clone(),
            text,
        })
    }

    fn tell(before: &Self, after: &Self) -> Vec<String> {
        let written = written(&before.text, &after.text);
        vec![format!(
            "The description of column “{}” was {written}.",
            after.column
        )]
    }

    fn text(&self) -> Option<&str> {
        Some(&self.text)
    }
}

/// Who answers for an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owners(pub Vec<Owner>);

/// A person or a team that answers for an asset.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    #[serde(flatten)]
    pub principal: Principal,
    pub role: OwnerRole,
    /// What it was called when it was made owner.
    #[serde(default)]
    pub name: String,
}

impl Owner {
    fn key(&self) -> (Principal, OwnerRole) {
        (self.principal, self.role)
    }
}

/// A name may change; who is meant does not.
impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Owner {}

/// For what an owner answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerRole {
    /// For what it means.
    Business,
    /// For how it is made.
    Technical,
}

impl OwnerRole {
    pub const ALL: [Self; 2] = [Self::Business, Self::Technical];

    /// The word in forms, in JSON and for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Technical => "technical",
        }
    }
}

impl Aspect for Owners {
    const KIND: AspectKind = AspectKind::Owners;

    fn tidied(self) -> Self {
        Self(distinct(self.0, Owner::key))
    }

    fn problems(&self, _: DateTime<Utc>) -> Vec<Problem> {
        too_many("owners", "owners", self.0.len(), MOST_OWNERS)
            .into_iter()
            .collect()
    }

    async fn resolve(&mut self, db: &Db, _: &Actor, asset: &Asset) -> Result<Vec<Problem>, Error> {
        let owners = self.0.iter().take(MOST_OWNERS);
        let principals: Vec<Principal> = owners.map(|owner| owner.principal).collect();
        let named = principals::find_named(db, &principals).await?;
        let before = &asset.human.owners.content.0;
        let mut problems = Vec::new();
        for owner in self.0.iter_mut().take(MOST_OWNERS) {
            let known = before
                .iter()
                .find(|other| other.principal == owner.principal);
            match (named.get(&owner.principal), known) {
                (Some(named), _) => owner.name.clone_from(&named.label),
                (None, Some(known)) => owner.name.clone_from(&known.name),
                (None, None) => problems.push(Problem::new(
                    "owners",
                    format!(
                        "There is no person or team with the id {}.",
                        owner.principal.id()
                    ),
                )),
            }
        }
        Ok(problems)
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(
            &base.0,
            &theirs.0,
            &mine.0,
            Owner::key,
        )))
    }

    fn tell(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, Owner::key);
        let name = |owner: &Owner| match owner.principal {
            Principal::Account(_) => owner.name.clone(),
            Principal::Team(_) => format!("The team {}", owner.name),
        };
        let became = added
            .iter()
            .map(|owner| format!("{} became {} owner.", name(owner), owner.role.as_str()));
        let ceased = out.iter().map(|owner| {
            format!(
                "{} is no longer {} owner.",
                name(owner),
                owner.role.as_str()
            )
        });
        became.chain(ceased).collect()
    }
}

/// Words that people sort assets by, as they wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub Vec<String>);

/// What makes two spellings the same tag.
pub fn tag_key(tag: &str) -> String {
    tag.nfkc().flat_map(char::to_lowercase).collect()
}

impl Aspect for Tags {
    const KIND: AspectKind = AspectKind::Tags;

    fn tidied(self) -> Self {
        let tags = self.0.iter().map(|tag| one_line(tag));
        let tags = tags.filter(|tag| !tag.is_empty()).collect();
        Self(distinct(tags, |tag| tag_key(tag)))
    }

    fn problems(&self, _: DateTime<Utc>) -> Vec<Problem> {
        let long = self
            .0
            .iter()
            .filter(|tag| tag.chars().count() > LONGEST_TAG);
        let long = long.map(|tag| {
            let beginning: String = tag.chars().take(20).collect();
            Problem::new(
                "tags",
                format!("The tag “{beginning}…” is longer than {LONGEST_TAG} characters."),
            )
        });
        let unseen = self.0.iter().filter_map(|tag| unseen_in_tag(tag));
        too_many("tags", "tags", self.0.len(), MOST_TAGS)
            .into_iter()
            .chain(long)
            .chain(unseen)
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(&base.0, &theirs.0, &mine.0, |tag| {
            tag_key(tag)
        })))
    }

    fn tell(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, String::clone);
        let tagged = added.iter().map(|tag| format!("It was tagged “{tag}”."));
        let untagged = out
            .iter()
            .map(|tag| format!("It is no longer tagged “{tag}”."));
        tagged.chain(untagged).collect()
    }
}

/// Says which character of a tag nobody can see; two tags that look alike would be different ones.
fn unseen_in_tag(tag: &str) -> Option<Problem> {
    // What a database cannot store has been replaced by U+FFFD.
    let letter = unseen_letters(tag)
        .next()
        .or_else(|| tag.contains('\u{fffd}').then_some('\u{fffd}'))?;
    Some(Problem::new(
        "tags",
        format!(
            "The tag “{}” has a character in it that cannot be seen, {}. Leave it out.",
            legible_name(tag),
            name_of_letter(letter)
        ),
    ))
}

/// Pages that people want to have at hand beside an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Links(pub Vec<Reference>);

/// A page somewhere, and what people call it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Empty for the host of the address.
    pub label: String,
    /// Of `http` or `https`.
    pub url: String,
}

impl Aspect for Links {
    const KIND: AspectKind = AspectKind::Links;

    fn tidied(self) -> Self {
        let links = self.0.into_iter().map(Reference::tidied);
        let links = links.filter(|link| *link != Reference::default()).collect();
        Self(distinct(links, Reference::clone))
    }

    fn problems(&self, _: DateTime<Utc>) -> Vec<Problem> {
        let each = self.0.iter().flat_map(Reference::problems);
        let each = each.map(|problem| Problem::new("links", problem.text));
        too_many("links", "links", self.0.len(), MOST_LINKS)
            .into_iter()
            .chain(each)
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(
            &base.0,
            &theirs.0,
            &mine.0,
            Reference::clone,
        )))
    }

    fn tell(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, Reference::clone);
        let told = |link: &Reference| format!("“{}” ({})", link.label, link.url);
        let linked = added
            .iter()
            .map(|link| format!("A link was added: {}.", told(link)));
        let unlinked = out
            .iter()
            .map(|link| format!("A link was taken out: {}.", told(link)));
        linked.chain(unlinked).collect()
    }
}

impl Reference {
    fn tidied(self) -> Self {
        let url = self.url.trim();
        let parsed = Url::parse(url).ok();
        let label = match (one_line(&self.label), &parsed) {
            (label, Some(parsed)) if label.is_empty() => {
                parsed.host_str().unwrap_or_default().to_owned()
            }
            (label, _) => label,
        };
        Self {
            label,
            url: parsed.map_or_else(|| url.to_owned(), String::from),
        }
    }

    /// Lists what is wrong with its `label` and its `url`.
    pub fn problems(&self) -> Vec<Problem> {
        let beginning: String = self.url.chars().take(80).collect();
        let web = Url::parse(&self.url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let problem = if self.url.chars().count() > LONGEST_URL {
            Some(format!(
                "The address “{beginning}…” is longer than {LONGEST_URL} characters."
            ))
        } else if web {
            None
        } else {
            Some(format!(
                "“{beginning}” is no address of a page: write it with https:// or http:// in front."
            ))
        };
        let label = too_long("label", "A link's label", &self.label, LONGEST_LABEL);
        problem
            .map(|text| Problem::new("url", text))
            .into_iter()
            .chain(label)
            .collect()
    }
}

/// Whether somebody vouches for an asset. Who, and since when, is whose edit it was, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The last day on which it holds; nothing when nobody vouches.
    pub until: Option<NaiveDate>,
}

impl Verification {
    /// Tells whether it holds on a day.
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| until >= now.date_naive())
    }
}

impl Aspect for Verification {
    const KIND: AspectKind = AspectKind::Verification;

    fn tidied(self) -> Self {
        self
    }

    fn problems(&self, now: DateTime<Utc>) -> Vec<Problem> {
        let today = now.date_naive();
        match self.until {
            Some(until) if until < today => vec![Problem::new(
                "until",
                format!("{until} is past: choose today or a later day."),
            )],
            Some(until) if until.signed_duration_since(today) > FARTHEST => vec![Problem::new(
                "until",
                format!(
                    "{until} is more than five years ahead: choose a day by which somebody looks again."
                ),
            )],
            _ => Vec::new(),
        }
    }

    fn merge(_: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged {
            content: mine.clone(),
            collisions: usize::from(theirs != mine),
            parts: Vec::new(),
        }
    }

    fn tell(_: &Self, after: &Self) -> Vec<String> {
        vec![match after.until {
            Some(until) => format!("It was verified until {until}."),
            None => "It is no longer verified.".to_owned(),
        }]
    }
}

/// Whether people are told to use something else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deprecation {
    /// The first day; nothing when it is not deprecated, and then there is neither a reason nor a replacement.
    pub since: Option<NaiveDate>,
    /// The reason, as Markdown.
    pub note: String,
    /// What to use instead.
    pub replacement: Option<AssetId>,
}

impl Aspect for Deprecation {
    const KIND: AspectKind = AspectKind::Deprecation;

    fn tidied(self) -> Self {
        let note = tidy_text(&self.note);
        Self { note, ..self }
    }

    fn problems(&self, now: DateTime<Utc>) -> Vec<Problem> {
        let today = now.date_naive();
        let day = self
            .since
            .filter(|since| since.signed_duration_since(today).abs() > FARTHEST);
        day.map(|since| {
            let text = format!("{since} is no day of these years: choose one nearer to today.");
            Problem::new("since", text)
        })
        .into_iter()
        .chain(self.without_a_day())
        .chain(too_long("note", "The reason", &self.note, LONGEST_REASON))
        .collect()
    }

    async fn resolve(
        &mut self,
        db: &Db,
        actor: &Actor,
        asset: &Asset,
    ) -> Result<Vec<Problem>, Error> {
        let text = match self.replacement {
            None if self.since.is_some() => {
                self.replacement = unseen_replacement(db, actor.sight(), asset.id).await?;
                return Ok(Vec::new());
            }
            None => return Ok(Vec::new()),
            Some(id) if id == asset.id => "An asset cannot be replaced by itself.",
            Some(id) => match super::super::find_asset(db, actor.sight(), id).await {
                Ok(_) => return Ok(Vec::new()),
                Err(Error::UnknownAsset) => "The replacement is no asset of this catalog.",
                Err(error) => return Err(error),
            },
        };
        Ok(vec![Problem::new("replacement", text)])
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        let note = merge::texts(&base.note, &theirs.note, &mine.note);
        let collides = theirs != mine
            && (theirs.since, theirs.replacement) != (base.since, base.replacement)
            && (theirs.since, theirs.replacement) != (mine.since, mine.replacement);
        let chosen = |theirs_changed: bool| if theirs_changed { theirs } else { mine };
        let since = chosen(mine.since == base.since).since;
        let replacement = chosen(mine.replacement == base.replacement).replacement;
        let collisions = note.collisions + usize::from(collides);
        Merged {
            content: Self {
                since,
                note: note.content,
                replacement,
            },
            collisions,
            parts: Vec::new(),
        }
    }

    fn tell(before: &Self, after: &Self) -> Vec<String> {
        match (before.since, after.since) {
            (_, None) => vec!["It is no longer deprecated.".to_owned()],
            (None, Some(since)) => vec![format!("It was deprecated from {since} on.")],
            (Some(_), Some(_)) => vec!["What is said of its deprecation was changed.".to_owned()],
        }
    }

    fn text(&self) -> Option<&str> {
        Some(&self.note)
    }

    fn reference(&mut self) -> Option<&mut Option<AssetId>> {
        Some(&mut self.replacement)
    }
}

impl Deprecation {
    /// What would be said of something that is not deprecated.
    fn without_a_day(&self) -> Vec<Problem> {
        if self.since.is_some() {
            return Vec::new();
        }
        let reason = (!self.note.is_empty()).then_some(("note", "a reason"));
        let replacement = self.replacement.map(|_| ("replacement", "a replacement"));
        let given = reason.into_iter().chain(replacement);
        given
            .map(|(field, what)| {
                let text = format!(
                    "There is {what}, but no day from which on it is deprecated: name the day as “since”, or leave {what} out."
                );
                Problem::new(field, text)
            })
            .collect()
    }
}

/// Line ends as one character, nothing that cannot be stored, and no text at all where there is none to be seen.
fn tidy_text(text: &str) -> String {
    let text = storable(&text.replace("\r\n", "\n"));
    if text.trim().is_empty() {
        String::new()
    } else {
        text
    }
}

/// A text with single spaces instead of any others, and without any around it.
fn one_line(text: &str) -> String {
    let text = storable(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn too_long(field: &'static str, what: &str, text: &str, most: usize) -> Option<Problem> {
    let length = text.chars().count();
    (length > most).then(|| {
        Problem::new(
            field,
            format!("{what} has {length} characters, and {most} is the most."),
        )
    })
}

fn too_many(field: &'static str, what: &str, count: usize, most: usize) -> Option<Problem> {
    (count > most).then(|| {
        Problem::new(
            field,
            format!("These are {count} {what}, and {most} is the most."),
        )
    })
}

/// Each element once, the first of those that are the same.
fn distinct<T, K: Eq + Hash>(mut elements: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = HashSet::with_capacity(elements.len());
    elements.retain(|element| seen.insert(key(element)));
    elements
}

/// What is only in the first of two sets, and what only in the second.
fn exchanged<'a, T, K: PartialEq>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&T) -> K,
) -> (Vec<&'a T>, Vec<&'a T>) {
    let lacks = |set: &[T], one: &T| !set.iter().any(|other| key(other) == key(one));
    (
        before.iter().filter(|one| lacks(after, one)).collect(),
        after.iter().filter(|one| lacks(before, one)).collect(),
    )
}

fn written(before: &str, after: &str) -> &'static str {
    match (before.is_empty(), after.is_empty()) {
        (true, _) => "written",
        (false, true) => "taken out",
        (false, false) => "changed",
    }
}
