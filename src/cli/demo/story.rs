//! What the people of the sample company wrote about its tables, over the last month.
//!
//! `story.json` says who wrote what, and how many days ago. It goes through the functions that pages use, each with its
//! own time. Deliberately absent: anything that a source says.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::super::Failure;
use crate::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use crate::auth::principals::Principal;
use crate::auth::{self, AccountId, AccountName, Actor, Role, TeamId, TeamName, teams};
use crate::catalog::human::{
    self, AssetAspect, ColumnDescription, Deprecation, Description, DisplayName, Links,
    OncePerAsset, Owner, OwnerRole, Owners, PageLink, Related, Relation, RelationKind, Tags,
    Verification,
};
use crate::catalog::requests::{self, searches};
use crate::catalog::{self, Asset, AssetId};
use crate::db::Db;
use crate::revisions::{Draft, Revision};
use crate::web::Unfinished;

const STORY: &str = include_str!("story.json");

/// How long ago the people joined.
const JOINED: TimeDelta = TimeDelta::days(40);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    people: Vec<PersonEntry>,
    teams: Vec<TeamEntry>,
    /// The oldest first, as the log has them.
    edits: Vec<EditEntry>,
    unfinished: UnfinishedEntry,
    missed_searches: Vec<MissedEntry>,
    /// For descriptions.
    requests: Vec<RequestEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonEntry {
    name: String,
    display_name: String,
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamEntry {
    name: String,
    members: Vec<String>,
}

/// One edit: who, when, of what, and one thing that they said.
#[derive(Debug, Deserialize)]
struct EditEntry {
    days_ago: i64,
    by: String,
    asset: String,
    #[serde(flatten)]
    said: SaidEntry,
}

/// A description that the demo's steward has begun from an older version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnfinishedEntry {
    days_ago: i64,
    asset: String,
    version: i32,
    description: String,
}

/// Words that somebody looked for and did not find.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MissedEntry {
    days_ago: i64,
    by: String,
    words: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestEntry {
    days_ago: i64,
    by: String,
    asset: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SaidEntry {
    Column { column: String, description: String },
    Description { description: String },
    Owners { owners: Vec<OwnerEntry> },
    Tags { tags: Vec<String> },
    Links { links: Vec<PageLink> },
    DisplayName { display_name: String },
    Related { related: Vec<RelatedEntry> },
    Verified { verified_days: i64 },
    Deprecated { deprecated: DeprecatedEntry },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
struct OwnerEntry {
    person: Option<String>,
    team: Option<String>,
    role: OwnerRole,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelatedEntry {
    kind: RelationKind,
    asset: String,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Deserialize)]
struct DeprecatedEntry {
    replacement: String,
    reason: String,
}

/// Makes the people and teams of the sample company, writes what they said, and answers what the steward left unfinished.
///
/// Doing it again adds nothing: an edit is written only onto the version that the story has before it. So it never
/// touches what a visitor wrote meanwhile. Requests are made by people who are new alone: later they may be answered.
pub(super) async fn tell(db: &Db, now: DateTime<Utc>) -> Result<Option<Unfinished>, Failure> {
    let story: Story = serde_json::from_str(STORY).expect("the story is tested");
    let cast = Cast::assemble(db, &story, now).await?;
    let mut versions: HashMap<(AssetId, String), i32> = HashMap::new();
    for edit in &story.edits {
        let Some(asset) = find(db, &edit.asset).await? else {
            continue;
        };
        let version = versions.entry((asset, edit.said.part())).or_default();
        cast.write(db, edit, (asset, *version), now).await?;
        *version += 1;
    }
    for missed in &story.missed_searches {
        if let Some(asker) = cast.newcomer(&missed.by) {
            let at = now - TimeDelta::days(missed.days_ago);
            searches::tell(db, asker, &missed.words, at).await?;
        }
    }
    for request in &story.requests {
        if let Some(asker) = cast.newcomer(&request.by)
            && let Some(asset) = find(db, &request.asset).await?
        {
            let at = now - TimeDelta::days(request.days_ago);
            requests::ask(db, asker, asset, at).await?;
        }
    }
    let UnfinishedEntry {
        days_ago,
        asset,
        version,
        description,
    } = story.unfinished;
    let asset = find(db, &asset).await?;
    Ok(asset.map(|asset| Unfinished {
        asset,
        version,
        text: description,
        at: now - TimeDelta::days(days_ago),
    }))
}

/// The people and teams, by name.
struct Cast {
    people: HashMap<String, AccountId>,
    teams: HashMap<String, TeamId>,
    actors: HashMap<String, Actor>,
    /// Those who joined just now.
    new: HashSet<String>,
}

impl Cast {
    async fn assemble(db: &Db, story: &Story, now: DateTime<Utc>) -> Result<Self, Failure> {
        let (operator, joined) = (Actor::operator(), now - JOINED);
        let mut cast = Self {
            people: HashMap::new(),
            teams: HashMap::new(),
            actors: HashMap::new(),
            new: HashSet::new(),
        };
        for person in &story.people {
            let (id, is_new) = account(db, &operator, person, joined).await?;
            if is_new {
                cast.new.insert(person.name.clone());
            }
            let actor = accounts::act_as(db, &operator, id).await?;
            cast.people.insert(person.name.clone(), id);
            cast.actors.insert(person.name.clone(), actor);
        }
        for entry in &story.teams {
            let name: TeamName = entry.name.parse().map_err(auth::Error::from)?;
            let team = match teams::find_named(db, &operator, &name).await {
                Err(auth::Error::UnknownTeam) => {
                    teams::create(db, &operator, &name, joined).await?
                }
                found => found?,
            };
            for member in entry
                .members
                .iter()
                .filter_map(|name| cast.people.get(name))
            {
                teams::add_member(db, &operator, (team.id, *member), joined).await?;
            }
            cast.teams.insert(entry.name.clone(), team.id);
        }
        Ok(cast)
    }

    /// Writes one edit, unless the aspect has moved on.
    async fn write(
        &self,
        db: &Db,
        edit: &EditEntry,
        (id, version): (AssetId, i32),
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let Some(actor) = self.actors.get(&edit.by) else {
            return Ok(());
        };
        let asset = catalog::find_asset(db, actor.visibility(), id).await?;
        let at = now - TimeDelta::days(edit.days_ago);
        let turn = Turn {
            db,
            actor,
            asset: &asset,
            version,
            at,
        };
        match &edit.said {
            SaidEntry::Column {
                column,
                description,
            } => {
                let text = description.clone();
                let column = column.clone();
                turn.write_column(ColumnDescription { column, text }).await
            }
            SaidEntry::Description { description } => {
                let text = description.clone();
                turn.write(Description { text }).await
            }
            SaidEntry::Owners { owners } => turn.write(self.owners(owners)).await,
            SaidEntry::Tags { tags } => turn.write(Tags(tags.clone())).await,
            SaidEntry::Links { links } => turn.write(Links(links.clone())).await,
            SaidEntry::DisplayName { display_name } => {
                let name = display_name.clone();
                turn.write(DisplayName { name }).await
            }
            SaidEntry::Related { related } => turn.write(relations(db, related).await?).await,
            SaidEntry::Verified { verified_days } => {
                let until = (at + TimeDelta::days(*verified_days)).date_naive();
                turn.write(Verification { until: Some(until) }).await
            }
            SaidEntry::Deprecated { deprecated } => {
                let replacement = find(db, &deprecated.replacement).await?;
                let content = Deprecation {
                    since: Some(at.date_naive()),
                    note: deprecated.reason.clone(),
                    replacement: replacement.map(|id| id.0),
                };
                turn.write(content).await
            }
        }
    }

    /// Somebody who joined just now.
    fn newcomer(&self, name: &str) -> Option<&Actor> {
        let actor = self.actors.get(name);
        actor.filter(|_| self.new.contains(name))
    }

    fn owners(&self, entries: &[OwnerEntry]) -> Owners {
        let owner = |entry: &OwnerEntry| {
            let person = entry.person.as_ref().and_then(|name| self.people.get(name));
            let team = entry.team.as_ref().and_then(|name| self.teams.get(name));
            let principal = person.map(|id| Principal::Account(*id));
            let principal = principal.or_else(|| team.map(|id| Principal::Team(*id)))?;
            Some(Owner {
                principal,
                role: entry.role,
                name: String::new(),
            })
        };
        Owners(entries.iter().filter_map(owner).collect())
    }
}

/// One person about to say one thing of one asset.
struct Turn<'a> {
    db: &'a Db,
    actor: &'a Actor,
    asset: &'a Asset,
    /// How often the story has written this before.
    version: i32,
    at: DateTime<Utc>,
}

impl Turn<'_> {
    async fn write<A: OncePerAsset>(&self, content: A) -> Result<(), Failure> {
        self.onto(A::of(&self.asset.human), content).await
    }

    async fn write_column(&self, described: ColumnDescription) -> Result<(), Failure> {
        let nothing = Revision::default();
        let columns = &self.asset.human.columns;
        let present = columns.get(&described.column).unwrap_or(&nothing);
        self.onto(present, described).await
    }

    async fn onto<A: AssetAspect>(&self, present: &Revision<A>, content: A) -> Result<(), Failure> {
        let version = self.version;
        if present.version != version {
            return Ok(());
        }
        let draft = Draft { content, version };
        human::revise(self.db, self.actor, self.asset.id, draft, self.at).await?;
        Ok(())
    }
}

impl SaidEntry {
    /// What has a version of its own.
    fn part(&self) -> String {
        match self {
            Self::Column { column, .. } => format!("column {column}"),
            Self::Description { .. } => "description".to_owned(),
            Self::Owners { .. } => "owners".to_owned(),
            Self::Tags { .. } => "tags".to_owned(),
            Self::Links { .. } => "links".to_owned(),
            Self::DisplayName { .. } => "display name".to_owned(),
            Self::Related { .. } => "related".to_owned(),
            Self::Verified { .. } => "verified".to_owned(),
            Self::Deprecated { .. } => "deprecated".to_owned(),
        }
    }
}

/// The account of a person, and whether it was made just now.
async fn account(
    db: &Db,
    operator: &Actor,
    person: &PersonEntry,
    joined: DateTime<Utc>,
) -> Result<(AccountId, bool), Failure> {
    let name: AccountName = person.name.parse().map_err(auth::Error::from)?;
    let (found, is_new) = match accounts::find_named(db, operator, &name).await {
        Err(auth::Error::UnknownAccount) => {
            let new = NewAccount {
                kind: AccountKind::Person,
                name,
                display_name: Some(person.display_name.clone()),
                standing: RoleGrant::new(person.role, None),
            };
            (accounts::create(db, operator, &new, joined).await?, true)
        }
        found => (found?, false),
    };
    Ok((found.id, is_new))
}

/// The relations to assets of these names; those that the run did not find are left out.
async fn relations(db: &Db, entries: &[RelatedEntry]) -> Result<Related, Failure> {
    let mut relations = Vec::new();
    for entry in entries {
        if let Some(target) = find(db, &entry.asset).await? {
            relations.push(Relation {
                kind: entry.kind,
                target: target.0,
                note: entry.note.clone(),
                name: String::new(),
            });
        }
    }
    Ok(Related(relations))
}

/// The asset of this name; nothing when the run did not find it.
async fn find(db: &Db, name: &str) -> Result<Option<AssetId>, Failure> {
    Ok(catalog::find_called(db, name).await?.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::World;

    #[test]
    fn the_story_is_told_in_order_of_time_about_what_the_world_has() {
        let story: Story = serde_json::from_str(STORY).unwrap();
        let world = World::demo().unwrap();

        assert!(story.edits.is_sorted_by_key(|edit| -edit.days_ago));
        let edited = story.edits.iter().map(|edit| &edit.asset);
        for asset in edited.chain(story.requests.iter().map(|request| &request.asset)) {
            let (database, table) = asset.split_once('.').unwrap();
            let found = world.find_table(database, table);
            assert!(found.is_some(), "{asset} is no table of the world");
        }
        let carts = story.edits.iter();
        let carts = carts.filter(|edit| edit.asset == story.unfinished.asset);
        assert!(carts.count() > usize::try_from(story.unfinished.version).unwrap());
        for edit in &story.edits {
            let wrote = story.people.iter().find(|person| person.name == edit.by);
            assert_eq!(wrote.map(|person| person.role), Some(Role::Steward));
        }
    }
}
