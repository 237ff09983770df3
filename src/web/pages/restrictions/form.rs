//! The form in which an admin chooses who sees a scope.
//!
//! It says whom the scope admitted when it was opened, so that a choice of somebody else's is put together with this one.

use serde::Serialize;
use uuid::Uuid;

use super::super::parts::{Link, heading, name};
use super::{Subject, visible_to};
use crate::auth::principals::{self, Named, Principal};
use crate::auth::scopes::{self, Admitted, Seen};
use crate::auth::{AccountId, Actor, TeamId};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::text::Shortened;
use crate::web::view::{Refusal, Section, View};

/// So many people, and as many teams, are offered to choose from.
const OFFERED: u64 = 20;

/// What the form says of a scope that is open to everybody.
const OPEN: &str = "everybody";

/// What the form says of a restricted scope, before those whom it admits.
const ONLY: &str = "only";

/// What somebody sent: whom they saw admitted, whom they ticked, and for whom they looked.
pub(super) struct Sent {
    /// Nothing for programs that do not say what they saw.
    pub(super) was: Option<Seen>,
    pub(super) ticked: Admitted,
    find: String,
    found: String,
}

impl Sent {
    pub(super) fn read(form: &Parameters) -> Result<Self, Failure> {
        Ok(Self {
            was: read_was(form.text("was"))?,
            ticked: chosen(form)?,
            find: form.text("find").trim().to_owned(),
            found: form.text("found").trim().to_owned(),
        })
    }

    /// Tells whether it hides from everybody but admins what somebody else saw until now.
    pub(super) fn empties(&self) -> bool {
        let empty = |Seen(was): &Seen| was.as_ref().is_some_and(Admitted::is_empty);
        self.ticked.is_empty() && self.was.as_ref().is_some_and(|was| !empty(was))
    }

    /// Says what of it would not be kept.
    pub(super) fn left_over(&self, opens: bool) -> Option<String> {
        if opens && !self.ticked.is_empty() {
            Some(
                "Without the restriction everyone sees it. Send it with nobody selected."
                    .to_owned(),
            )
        } else if self.find.is_empty() || self.find == self.found {
            None
        } else {
            Some(format!(
                "Nothing was changed: “{}” was only searched for now. Select a name, or empty the field.",
                self.find
            ))
        }
    }

    /// Puts it together with what somebody else has chosen meanwhile.
    pub(super) fn merged(self, theirs: Option<&Admitted>) -> Self {
        let was = self.was.clone().and_then(|Seen(was)| was);
        let was = was.unwrap_or_default();
        let Some(theirs) = theirs else {
            return self;
        };
        let all = self.ticked.union(theirs);
        let stays = |one: &&Principal| {
            let (mine, theirs) = (self.ticked.contains(one), theirs.contains(one));
            if was.contains(one) {
                mine && theirs
            } else {
                mine || theirs
            }
        };
        Self {
            ticked: all.filter(stays).copied().collect(),
            ..self
        }
    }
}

fn read_was(text: &str) -> Result<Option<Seen>, Failure> {
    let mut words = text.split_whitespace();
    match words.next() {
        None => Ok(None),
        Some(OPEN) => Ok(Some(Seen(None))),
        Some(ONLY) => Ok(Some(Seen(Some(all_of(words, "was")?)))),
        Some(_) => Err(unread("was")),
    }
}

fn written(admitted: Option<&Admitted>) -> String {
    let Some(admitted) = admitted else {
        return OPEN.to_owned();
    };
    let words = admitted.iter().map(|one| value(*one));
    let words: Vec<String> = std::iter::once(ONLY.to_owned()).chain(words).collect();
    words.join(" ")
}

/// Who is ticked in a form.
fn chosen(form: &Parameters) -> Result<Admitted, Failure> {
    all_of(form.all("admit"), "admit")
}

fn all_of<'a>(
    words: impl Iterator<Item = &'a str>,
    field: &'static str,
) -> Result<Admitted, Failure> {
    words
        .map(|word| read(word).ok_or_else(|| unread(field)))
        .collect()
}

fn unread(field: &'static str) -> Failure {
    let text = format!("“{field}” names an account or a team by its id.");
    Failure::bad_parameter(field, text)
}

/// Writes what [`read`] reads.
fn value(principal: Principal) -> String {
    let word = match principal {
        Principal::Account(_) => "account",
        Principal::Team(_) => "team",
    };
    format!("{word}:{}", principal.id())
}

/// Reads `account:ID` or `team:ID`.
fn read(text: &str) -> Option<Principal> {
    let (kind, id) = text.split_once(':')?;
    let id: Uuid = id.parse().ok()?;
    match kind {
        "account" => Some(Principal::Account(AccountId(id))),
        "team" => Some(Principal::Team(TeamId(id))),
        _ => None,
    }
}

/// A person or a team to tick.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    kind: &'static str,
    ticked: bool,
}

impl Choice {
    fn new(named: &Named, ticked: bool) -> Self {
        let kind = match named.principal {
            Principal::Account(_) => "person",
            Principal::Team(_) => "team",
        };
        let label = if named.label == named.name {
            named.name.clone()
        } else {
            format!("{} ({})", named.label, named.name)
        };
        Self {
            value: value(named.principal),
            label,
            kind,
            ticked,
        }
    }
}

/// What `templates/restrictions/edit.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct RestrictionPage {
    #[serde(skip)]
    title: String,
    crumbs: Vec<Link>,
    word: &'static str,
    name: Shortened,
    here: String,
    restricted: bool,
    /// Whom it admits, for the form to send back.
    was: String,
    now: String,
    find: String,
    /// What was looked for last.
    found: String,
    choices: Vec<Choice>,
    none: &'static str,
    /// What is wrong with whom somebody looks for.
    wrong: Option<String>,
    /// What was saved, as it now is.
    saved: Option<String>,
    /// Nobody is selected, and the page asks whether that is meant.
    confirm: bool,
    /// The page of what is restricted.
    back: Link,
    refusal: Option<Refusal>,
}

impl View for RestrictionPage {
    const TEMPLATE: &'static str = "restrictions/edit";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl RestrictionPage {
    /// Reads who is admitted, or, once somebody was looked for, who has been ticked; and who else may be.
    pub(super) async fn open(
        db: &Db,
        actor: &Actor,
        subject: &Subject,
        form: &Parameters,
    ) -> Result<Self, Failure> {
        let mut sent = Sent::read(form)?;
        if !form.has("find") {
            let present = scopes::find_restriction(db, &subject.scope).await?;
            sent.ticked = present.unwrap_or_default();
        }
        let page = Self::read(db, actor, subject, &sent).await?;
        let saved = form
            .has("saved")
            .then(|| page.now.replacen("Visible", "visible", 1));
        Ok(Self { saved, ..page })
    }

    /// The same page, which asks whether nobody but admins is to see it.
    pub(super) fn confirming(self) -> Self {
        Self {
            confirm: true,
            ..self
        }
    }

    /// Reads who is admitted, and who may be, beside those who have been ticked.
    pub(super) async fn read(
        db: &Db,
        actor: &Actor,
        subject: &Subject,
        sent: &Sent,
    ) -> Result<Self, Failure> {
        let present = scopes::find_restriction(db, &subject.scope).await?;
        let (ticked, find) = (sent.ticked.clone(), sent.find.clone());
        let found = principals::search_admissible(db, actor, &find, OFFERED).await?;
        let ticked: Vec<Principal> = ticked.into_iter().collect();
        let names = principals::find_named(db, &ticked).await;
        let names = names.map_err(scopes::Error::from)?;
        let mut known: Vec<&Named> = names.values().collect();
        known.sort_by(|a, b| a.label.cmp(&b.label));
        let others = found
            .iter()
            .filter(|named| !names.contains_key(&named.principal));
        let choices = known.iter().map(|named| Choice::new(named, true));
        Ok(Self {
            title: format!("Who sees {}", name(&subject.name).shown),
            crumbs: subject.crumbs.clone(),
            word: subject.word,
            name: heading(&subject.name),
            here: subject.here.clone(),
            restricted: present.is_some(),
            was: written(present.as_ref()),
            now: visible_to(present.as_ref()),
            choices: choices
                .chain(others.map(|named| Choice::new(named, false)))
                .collect(),
            none: if find.is_empty() {
                "Nobody to select yet. Invite people first."
            } else {
                "No match. Admins are not listed, because they see everything."
            },
            found: find.clone(),
            find,
            wrong: None,
            saved: None,
            confirm: false,
            back: subject.back.clone(),
            refusal: None,
        })
    }

    /// The same page, with why what was sent would not have been kept as a whole.
    pub(super) fn refused_at_find(self, wrong: String) -> Self {
        let refusal = Refusal::of_all(std::slice::from_ref(&wrong));
        let wrong = Some(wrong);
        Self { wrong, ..self }.refused(refusal)
    }

    pub(super) fn refused(self, refusal: Refusal) -> Self {
        let refusal = Some(refusal);
        Self { refusal, ..self }
    }
}
