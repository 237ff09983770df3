//! What people say of assets: which aspects an asset has, and how they are read and revised.
//!
//! An aspect is one file here and one line in the list below. Deliberately absent: versions, merges and conflicts, which
//! `revisions` keeps for all things alike; rendering Markdown.

mod column_description;
mod deprecation;
mod description;
mod display_name;
mod elsewhere;
mod links;
mod owners;
mod related;
mod store;
mod tags;
mod verification;

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::DbErr;

use super::asset::AssetId;
use super::{Asset, Change, Error, batch};
use crate::auth::{Actor, Permission, Visibility};
use crate::db::{Db, Subject};
use crate::revisions::{
    self, Aspect, Definition, Draft, EditError, Found, Problem, Referring, Revision, Stored,
    Target, hide,
};

pub use column_description::ColumnDescription;
pub use deprecation::{Deprecation, LONGEST_REASON};
pub use description::{Description, LONGEST_TEXT};
pub use display_name::DisplayName;
pub use elsewhere::{SaidElsewhere, list_descriptions_elsewhere, list_tags};
pub use links::{LONGEST_LABEL, LONGEST_URL, Links, MOST_LINKS, PageLink};
pub use owners::{MOST_OWNERS, Owner, OwnerRole, Owners};
pub use related::{LONGEST_NOTE, MOST_RELATED, Related, Relation, RelationKind};
pub use tags::{LONGEST_TAG, MOST_TAGS, Tags, tag_key};
pub use verification::Verification;

pub(super) use store::{attach, attach_to_summaries};

/// Hands the aspects that every asset has once to a macro.
macro_rules! for_each_aspect {
    ($macro:ident) => {
        $macro! {
            description: $crate::catalog::human::Description,
            display_name: $crate::catalog::human::DisplayName,
            owners: $crate::catalog::human::Owners,
            tags: $crate::catalog::human::Tags,
            links: $crate::catalog::human::Links,
            related: $crate::catalog::human::Related,
            verification: $crate::catalog::human::Verification,
            deprecation: $crate::catalog::human::Deprecation,
        }
    };
}

pub(crate) use for_each_aspect;

macro_rules! human_layer {
    ($($field:ident: $aspect:ty),+ $(,)?) => {
        /// All that people say of an asset; ingestion never touches it.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct HumanLayer {
            $(pub $field: Revision<$aspect>,)+
            /// Descriptions of columns, by their path; of columns, too, that are no longer there.
            pub columns: BTreeMap<String, Revision<ColumnDescription>>,
        }

        /// Every aspect of an asset.
        pub static ASPECTS: &[Definition] = &[
            $(Definition::of::<$aspect>(),)+
            Definition::of::<ColumnDescription>(),
        ];

        impl HumanLayer {
            fn take(&mut self, stored: &Stored) -> Result<(), revisions::Error> {
                match stored.name() {
                    $(<$aspect>::NAME => self.$field = stored.read()?,)+
                    ColumnDescription::NAME => {
                        let column: Revision<ColumnDescription> = stored.read()?;
                        self.columns.insert(column.content.column.clone(), column);
                    }
                    // Written by a newer version, which shows it.
                    _ => {}
                }
                Ok(())
            }

            /// What search finds the asset by.
            pub fn found_by(&self) -> Vec<Found<'_>> {
                let mut found = Vec::new();
                $(found.extend(self.$field.content.found_by());)+
                found.extend(self.columns.values().flat_map(|column| column.content.found_by()));
                found
            }

            /// What people call the asset instead of its technical name.
            pub fn title(&self) -> Option<&str> {
                let titles = [$(self.$field.content.title()),+];
                titles.into_iter().flatten().next()
            }

            fn referring(&mut self, of: Subject) -> Vec<Box<dyn Referring + Send + '_>> {
                vec![$(Box::new((of, &mut self.$field.content))),+]
            }
        }

        $(
            impl AssetAspect for $aspect {}

            impl OncePerAsset for $aspect {
                fn of(human: &HumanLayer) -> &Revision<Self> {
                    &human.$field
                }
            }
        )+
    };
}

for_each_aspect!(human_layer);

/// An aspect that people revise of assets.
pub trait AssetAspect: Aspect {
    /// Lists what is wrong with it for this asset, beside what is wrong for anything.
    fn fits(&self, _: &Asset) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }
}

/// An aspect that every asset has once, as opposed to one for each column.
pub trait OncePerAsset: AssetAspect {
    /// Finds it in all that people say of an asset.
    fn of(human: &HumanLayer) -> &Revision<Self>;
}

impl HumanLayer {
    /// What people say of the asset as a whole, as Markdown.
    pub fn description(&self) -> Option<&str> {
        let text = &self.description.content.text;
        (!text.is_empty()).then_some(text)
    }

    /// What people say of a column, as Markdown.
    pub fn column_description(&self, column: &str) -> Option<&str> {
        let text = &self.columns.get(column)?.content.text;
        (!text.is_empty()).then_some(text)
    }

    /// Descriptions of columns that these are not: their names have changed, or they are gone.
    pub fn columns_beside<'a>(&'a self, columns: &[&str]) -> Vec<&'a Revision<ColumnDescription>> {
        let columns: HashSet<&str> = columns.iter().copied().collect();
        let beside = |column: &&Revision<ColumnDescription>| {
            let ColumnDescription { column, text } = &column.content;
            !text.is_empty() && !columns.contains(column.as_str())
        };
        self.columns.values().filter(beside).collect()
    }
}

impl<A: Aspect> From<Error> for EditError<A> {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

/// Saves one aspect of an asset, as [`revisions::revise`] does for anything, and answers it as it is then.
///
/// A description answers the requests for one.
pub async fn revise<A: AssetAspect>(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    draft: Draft<A>,
    now: DateTime<Utc>,
) -> Result<Revision<A>, EditError<A>> {
    let asset = super::find_asset(db, actor.visibility(), id).await?;
    let target = target(&asset, now);
    actor
        .require_in(target.permission, &target.place)
        .map_err(Error::from)?;
    let problems = draft.content.fits(&asset)?;
    if !problems.is_empty() {
        return Err(EditError::Problems(problems));
    }
    let draft = (target, draft);
    revisions::revise(db, actor, draft, now, async |txn, content| {
        let text = content.text().unwrap_or_default();
        if A::NAME == Description::NAME && !text.is_empty() {
            super::requests::answer(txn, id, now).await?;
        }
        Ok(())
    })
    .await
}

/// An asset as the target of an edit that is made now.
fn target(asset: &Asset, now: DateTime<Utc>) -> Target<'_> {
    Target {
        subject: asset.id.subject(),
        permission: Permission::Describe,
        place: asset.place(),
        placed: Some(batch::placed_edit(now, asset.parent.unwrap_or(asset.id))),
    }
}

/// Reads what an aspect said before the save that made this version: what undoing it would save. Nothing where the log does
/// not tell.
///
/// `present` says which part of the asset is meant.
pub async fn content_before<A: AssetAspect>(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    (present, version): (&A, i32),
) -> Result<Option<A>, Error> {
    let asset = super::find_asset(db, actor.visibility(), id).await?;
    let target = target(&asset, Utc::now());
    Ok(revisions::content_before(db, actor, &target, (present, version)).await?)
}

/// Gives a column the description that was written about another one, which is no longer there: it was renamed.
///
/// What is said of the new column already stays, and the moved description comes behind it.
pub async fn move_column_description(
    db: &Db,
    actor: &Actor,
    id: AssetId,
    (from, to): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), EditError<ColumnDescription>> {
    let asset = super::find_asset(db, actor.visibility(), id).await?;
    let target = target(&asset, now);
    actor
        .require_in(target.permission, &target.place)
        .map_err(Error::from)?;
    if !asset.has_column(to) || asset.has_column(from) {
        return Err(Error::UnknownColumn(to.to_owned()).into());
    }
    let Some(moved) = asset.human.column_description(from) else {
        return Ok(());
    };
    let texts = [asset.human.column_description(to), Some(moved)];
    let texts: Vec<&str> = texts.into_iter().flatten().collect();
    let draft = |column: &str, text: String| Draft {
        version: asset.human.columns.get(column).map_or(0, |one| one.version),
        content: ColumnDescription {
            column: column.to_owned(),
            text,
        },
    };
    let drafts = vec![
        (target, draft(to, texts.join("\n\n"))),
        (target, draft(from, String::new())),
    ];
    let prepared = revisions::prepare(db, actor, drafts, now).await?;
    let prepared: Result<Vec<_>, _> = prepared.into_iter().collect();
    let prepared = prepared.map_err(EditError::Problems)?;
    let txn = db.write().await?;
    match revisions::revise_in(&txn, actor, prepared, now).await? {
        Ok(_) => Ok(txn.commit().await?),
        Err(mut late) => {
            drop(txn);
            let late = late.pop().expect("a refusal names what came too late");
            late.resolved(db, actor.visibility()).await.map(drop)
        }
    }
}

/// Leaves out of assets what people refer to and is not seen.
pub(super) async fn hide_in(
    db: &Db,
    visibility: &Visibility,
    mut assets: Vec<Asset>,
) -> Result<Vec<Asset>, DbErr> {
    if *visibility != Visibility::Everything {
        let layers = assets.iter_mut();
        let referring = layers.flat_map(|asset| asset.human.referring(asset.id.subject()));
        hide(&**db, visibility, referring.collect()).await?;
    }
    Ok(assets)
}

/// Leaves out of a history what people referred to and is not seen.
pub(super) async fn hide_in_history(
    db: &Db,
    visibility: &Visibility,
    changes: &mut [Change],
) -> Result<(), DbErr> {
    let edits = changes.iter_mut().filter_map(|change| {
        let subject = change.asset.subject();
        Some((subject, change.action.edit_mut()?))
    });
    hide(&**db, visibility, edits.collect()).await
}

impl Asset {
    /// Tells whether the source says that there is such a column.
    pub fn has_column(&self, path: &str) -> bool {
        self.column_paths().contains(&path)
    }

    /// The paths of all its columns, nested ones among them.
    pub fn column_paths(&self) -> Vec<&str> {
        let columns = self.source.columns.iter().flat_map(|column| column.walk());
        columns.map(|column| column.path.as_str()).collect()
    }
}
