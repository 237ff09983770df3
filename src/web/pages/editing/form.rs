//! How each aspect looks in a form, and how it is read back.

use std::collections::HashMap;

use chrono::{NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::auth::principals::{self, Named, Principal};
use crate::catalog::human::{
    Aspect, Deprecation, Description, Links, MOST_LINKS, MOST_OWNERS, Note, Owner, OwnerRole,
    Owners, Problem, Reference, Tags, Verification,
};
use crate::catalog::{self, Address, Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

/// So many empty rows stand at the end of a list.
const EMPTY_ROWS: usize = 3;

/// So many people and teams are suggested.
const SUGGESTED: u64 = 200;

/// What a team's name is told from a person's by.
const TEAM: &str = "Team: ";

/// What `templates/editing/edit.hbs` shows as fields.
#[derive(Debug, Serialize)]
#[serde(tag = "sort", rename_all = "snake_case")]
pub(super) enum Input {
    Text {
        text: String,
    },
    Tags {
        text: String,
    },
    Owners {
        rows: Vec<OwnerRow>,
        known: Vec<String>,
    },
    Links {
        rows: Vec<LinkRow>,
    },
    Until {
        until: String,
        today: String,
    },
    Deprecation {
        deprecated: bool,
        since: String,
        note: String,
        replacement: String,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct OwnerRow {
    number: usize,
    name: String,
    roles: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: &'static str,
    chosen: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct LinkRow {
    number: usize,
    label: String,
    url: String,
}

/// An aspect as a form.
pub(super) trait Form: Aspect {
    /// One sentence below the heading.
    const HINT: &'static str;

    /// The element of the asset's page that shows it.
    const SHOWN_AT: &'static str;

    /// What is edited, up to the asset's name.
    fn title(&self) -> String;

    /// Where the form is.
    fn address(&self, id: AssetId) -> String {
        links::edit(id, Self::KIND)
    }

    /// What the source says of the same.
    fn beside(&self, _: &Asset) -> Option<String> {
        None
    }

    /// The fields with this content.
    async fn input(&self, editor: &Editor, asset: &Asset) -> Result<Input, Failure>;

    /// The fields with what was sent in them.
    fn typed(sent: &Parameters) -> Input;

    /// Reads what was sent, and says what of it cannot be understood.
    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure>;

    /// The content line by line, to be set beside another one.
    fn lines(&self) -> Vec<String>;
}

fn text_field(sent: &Parameters) -> Input {
    Input::Text {
        text: sent.text("text").to_owned(),
    }
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

impl Form for Description {
    const HINT: &'static str =
        "What is a row of it? What is it for, and what should one know before using it?";
    const SHOWN_AT: &'static str = "description";

    fn title(&self) -> String {
        "Describe".to_owned()
    }

    fn beside(&self, asset: &Asset) -> Option<String> {
        asset.source.description.clone()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(Input::Text {
            text: self.text.clone(),
        })
    }

    fn typed(sent: &Parameters) -> Input {
        text_field(sent)
    }

    async fn read(
        sent: &Parameters,
        _: &Editor,
        _: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        let text = sent.text("text").to_owned();
        Ok((Self { text }, Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        lines_of(&self.text)
    }
}

impl Form for Note {
    const HINT: &'static str = "What does it hold, in which unit, and when is it empty?";
    const SHOWN_AT: &'static str = "columns";

    fn title(&self) -> String {
        format!("Describe column {} of", self.column)
    }

    fn address(&self, id: AssetId) -> String {
        links::edit_column(id, &self.column)
    }

    fn beside(&self, asset: &Asset) -> Option<String> {
        let mut columns = asset.source.columns.iter().flat_map(|column| column.walk());
        let column = columns.find(|column| column.path == self.column)?;
        column.comment.clone()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(Input::Text {
            text: self.text.clone(),
        })
    }

    fn typed(sent: &Parameters) -> Input {
        text_field(sent)
    }

    /// Which column it is about stands in the address, not in the form.
    async fn read(
        sent: &Parameters,
        _: &Editor,
        _: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        let text = sent.text("text").to_owned();
        let column = String::new();
        Ok((Self { column, text }, Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        lines_of(&self.text)
    }
}

impl Form for Tags {
    const HINT: &'static str = "Words to sort by, one a line. Search finds them as tag:word.";
    const SHOWN_AT: &'static str = "tags";

    fn title(&self) -> String {
        "Tag".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(Input::Tags {
            text: self.0.join("\n"),
        })
    }

    fn typed(sent: &Parameters) -> Input {
        Input::Tags {
            text: sent.text("tags").to_owned(),
        }
    }

    async fn read(
        sent: &Parameters,
        _: &Editor,
        _: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        Ok((Self(lines_of(sent.text("tags"))), Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        self.0.clone()
    }
}

impl Form for Links {
    const HINT: &'static str =
        "Runbooks, dashboards, tickets: pages that whoever uses it wants at hand.";
    const SHOWN_AT: &'static str = "links";

    fn title(&self) -> String {
        "Links of".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(link_rows(self.0.clone()))
    }

    fn typed(sent: &Parameters) -> Input {
        link_rows(sent_links(sent))
    }

    async fn read(
        sent: &Parameters,
        _: &Editor,
        _: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        Ok((Self(sent_links(sent)), Vec::new()))
    }

    fn lines(&self) -> Vec<String> {
        let links = self.0.iter();
        links
            .map(|link| format!("{}: {}", link.label, link.url))
            .collect()
    }
}

fn link_rows(links: Vec<Reference>) -> Input {
    let empty = std::iter::repeat_n(Reference::default(), EMPTY_ROWS);
    let rows = links.into_iter().chain(empty).enumerate();
    Input::Links {
        rows: rows
            .map(|(number, link)| LinkRow {
                number,
                label: link.label,
                url: link.url,
            })
            .collect(),
    }
}

fn sent_links(sent: &Parameters) -> Vec<Reference> {
    let rows = (0..MOST_LINKS + EMPTY_ROWS).map(|number| Reference {
        label: sent.text(&format!("label-{number}")).to_owned(),
        url: sent.text(&format!("url-{number}")).to_owned(),
    });
    rows.filter(|link| *link != Reference::default()).collect()
}

impl Form for Owners {
    const HINT: &'static str =
        "Business owners answer for what it means, technical owners for how it is made.";
    const SHOWN_AT: &'static str = "owners";

    fn title(&self) -> String {
        "Owners of".to_owned()
    }

    async fn input(&self, editor: &Editor, _: &Asset) -> Result<Input, Failure> {
        let ids: Vec<Principal> = self.0.iter().map(|owner| owner.principal).collect();
        let named = principals::find_named(&editor.db, &ids)
            .await
            .map_err(catalog::Error::from)?;
        let rows = self.0.iter().map(|owner| {
            let named = named.get(&owner.principal);
            (named.map_or_else(|| owner.name.clone(), shown), owner.role)
        });
        let known = principals::search(&editor.db, &editor.actor, "", SUGGESTED).await?;
        let known = known.iter().map(shown).collect();
        Ok(owner_rows(rows.collect(), known))
    }

    fn typed(sent: &Parameters) -> Input {
        owner_rows(sent_owners(sent), Vec::new())
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        let mut owners = Vec::new();
        let mut problems = Vec::new();
        let present = present_owners(editor, asset).await?;
        for (name, role) in sent_owners(sent) {
            // A form has few rows, and most of them hold who is an owner already.
            let principal = match present.get(&name) {
                Some(principal) => Ok(*principal),
                None => find_principal(editor, &name).await?,
            };
            match principal {
                Ok(principal) => owners.push(Owner {
                    principal,
                    role,
                    name,
                }),
                Err(text) => problems.push(Problem {
                    field: "owners",
                    text,
                }),
            }
        }
        Ok((Self(owners), problems))
    }

    fn lines(&self) -> Vec<String> {
        let owners = self.0.iter();
        owners
            .map(|owner| format!("{} ({})", owner.name, owner.role.as_str()))
            .collect()
    }
}

/// A name as it stands in the field, told from every other.
fn shown(named: &Named) -> String {
    match named.principal {
        Principal::Team(_) => format!("{TEAM}{}", named.name),
        Principal::Account(_) if named.label == named.name => named.name.clone(),
        Principal::Account(_) => format!("{} ({})", named.label, named.name),
    }
}

fn owner_rows(owners: Vec<(String, OwnerRole)>, known: Vec<String>) -> Input {
    let empty = std::iter::repeat_n((String::new(), OwnerRole::Business), EMPTY_ROWS);
    let rows = owners.into_iter().chain(empty).enumerate();
    Input::Owners {
        rows: rows
            .map(|(number, (name, chosen))| OwnerRow {
                number,
                name,
                roles: OwnerRole::ALL
                    .into_iter()
                    .map(|role| Choice {
                        value: role.as_str(),
                        chosen: role == chosen,
                    })
                    .collect(),
            })
            .collect(),
        known,
    }
}

fn sent_owners(sent: &Parameters) -> Vec<(String, OwnerRole)> {
    let rows = (0..MOST_OWNERS + EMPTY_ROWS).map(|number| {
        let role = match sent.text(&format!("role-{number}")) {
            "technical" => OwnerRole::Technical,
            _ => OwnerRole::Business,
        };
        (
            sent.text(&format!("owner-{number}")).trim().to_owned(),
            role,
        )
    });
    rows.filter(|(name, _)| !name.is_empty()).collect()
}

/// Who is an owner already, by the name in the field.
async fn present_owners(
    editor: &Editor,
    asset: &Asset,
) -> Result<HashMap<String, Principal>, Failure> {
    let owners = &asset.human.owners.content.0;
    let ids: Vec<Principal> = owners.iter().map(|owner| owner.principal).collect();
    let named = principals::find_named(&editor.db, &ids)
        .await
        .map_err(catalog::Error::from)?;
    let name = |owner: &Owner| {
        let named = named.get(&owner.principal);
        named.map_or_else(|| owner.name.clone(), shown)
    };
    Ok(owners
        .iter()
        .map(|owner| (name(owner), owner.principal))
        .collect())
}

/// Finds whoever has this name, or says why it is nobody.
async fn find_principal(
    editor: &Editor,
    typed: &str,
) -> Result<Result<Principal, String>, Failure> {
    let team = typed.strip_prefix(TEAM);
    let words = team.unwrap_or(typed);
    // “Ana Lopez (ana)” is found by the name in brackets.
    let inner = words
        .strip_suffix(')')
        .and_then(|words| words.rsplit_once('('));
    let words = inner.map_or(words, |(_, name)| name).trim();
    let found = principals::search(&editor.db, &editor.actor, words, SUGGESTED).await?;
    let same = |text: &str| text.to_lowercase() == typed.to_lowercase();
    let meant: Vec<&Named> = found
        .iter()
        .filter(|named| same(&shown(named)) || same(&named.name) || same(&named.label))
        .collect();
    Ok(match meant.as_slice() {
        [named] => Ok(named.principal),
        [] => Err(format!("There is no person or team named “{typed}”.")),
        [first, ..] => Err(format!(
            "Several are named “{typed}”: write who is meant as “{}”.",
            shown(first)
        )),
    })
}

impl Form for Verification {
    const HINT: &'static str =
        "Vouch for it until a day on which somebody looks again. Your name stands beside it.";
    const SHOWN_AT: &'static str = "state";

    fn title(&self) -> String {
        "Verify".to_owned()
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(until(day_text(self.until)))
    }

    fn typed(sent: &Parameters) -> Input {
        until(sent.text("until").to_owned())
    }

    async fn read(
        sent: &Parameters,
        _: &Editor,
        _: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        let (until, problem) = day("until", sent.text("until"));
        Ok((Self { until }, problem.into_iter().collect()))
    }

    fn lines(&self) -> Vec<String> {
        vec![match self.until {
            Some(until) => format!("Verified until {until}"),
            None => "Not verified".to_owned(),
        }]
    }
}

fn until(until: String) -> Input {
    Input::Until {
        until,
        today: Utc::now().date_naive().to_string(),
    }
}

impl Form for Deprecation {
    const HINT: &'static str = "Tell people to use something else. It then comes later in search.";
    const SHOWN_AT: &'static str = "state";

    fn title(&self) -> String {
        "Deprecate".to_owned()
    }

    async fn input(&self, editor: &Editor, asset: &Asset) -> Result<Input, Failure> {
        let replacement = match self.replacement {
            Some(id) => match catalog::find_asset(&editor.db, editor.actor.sight(), id).await {
                Ok(replacement) => name_beside(&replacement, asset),
                Err(catalog::Error::UnknownAsset) => id.to_string(),
                Err(error) => return Err(error.into()),
            },
            None => String::new(),
        };
        Ok(Input::Deprecation {
            deprecated: self.since.is_some(),
            since: day_text(self.since),
            note: self.note.clone(),
            replacement,
        })
    }

    fn typed(sent: &Parameters) -> Input {
        Input::Deprecation {
            deprecated: !sent.text("deprecated").is_empty(),
            since: sent.text("since").to_owned(),
            note: sent.text("text").to_owned(),
            replacement: sent.text("replacement").to_owned(),
        }
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Problem>), Failure> {
        if sent.text("deprecated").is_empty() {
            return Ok((Self::default(), Vec::new()));
        }
        let (since, problem) = day("since", sent.text("since"));
        let (replacement, unknown) =
            find_replacement(editor, asset, sent.text("replacement")).await?;
        let deprecation = Self {
            since: since.or(Some(Utc::now().date_naive())),
            note: sent.text("text").to_owned(),
            replacement,
        };
        Ok((deprecation, problem.into_iter().chain(unknown).collect()))
    }

    fn lines(&self) -> Vec<String> {
        match self.since {
            Some(since) => {
                let replacement = self.replacement.map(|id| format!("Use instead: {id}"));
                let first = format!("Deprecated from {since} on");
                std::iter::once(first)
                    .chain(replacement)
                    .chain(lines_of(&self.note))
                    .collect()
            }
            None => vec!["Not deprecated".to_owned()],
        }
    }
}

/// A name by which [`find_replacement`] finds it again from another asset.
fn name_beside(replacement: &Asset, asset: &Asset) -> String {
    let (one, other) = (&replacement.address, &asset.address);
    let plain = one.path.iter().all(|name| !name.contains(['.', '/']));
    if plain && (&one.platform, &one.instance) == (&other.platform, &other.instance) {
        one.path.join(".")
    } else {
        links::asset(replacement.id)
    }
}

/// Finds what is to be used instead: by its id or address here, or by its name within the same source.
async fn find_replacement(
    editor: &Editor,
    asset: &Asset,
    typed: &str,
) -> Result<(Option<AssetId>, Option<Problem>), Failure> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok((None, None));
    }
    let last = typed.rsplit('/').next().unwrap_or(typed);
    if let Ok(id) = last.parse::<Uuid>() {
        return Ok((Some(AssetId(id)), None));
    }
    let address = Address {
        path: typed.split('.').map(str::to_owned).collect(),
        ..asset.address.clone()
    };
    let found = catalog::find_at(&editor.db, editor.actor.sight(), &[&address]).await?;
    let found = found.into_values().next();
    let problem = found.is_none().then(|| Problem {
        field: "replacement",
        text: format!(
            "There is no “{typed}” in the same source: write database.table, or the address of its page here."
        ),
    });
    Ok((found, problem))
}

fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn day(field: &'static str, typed: &str) -> (Option<NaiveDate>, Option<Problem>) {
    let typed = typed.trim();
    if typed.is_empty() {
        return (None, None);
    }
    if let Ok(day) = typed.parse() {
        return (Some(day), None);
    }
    let text = format!("“{typed}” is no day: write it as 2027-01-31.");
    (None, Some(Problem { field, text }))
}
