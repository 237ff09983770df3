//! What people say of an asset, as forms, as JSON and on its page: one file for each aspect.
//!
//! What all aspects have in common is written once: the pages of the editor (`edit`, `conflict`, `undo`, `restore`), the
//! call of the API (`api`), and the description of that. Deliberately absent: rules. Each aspect keeps its own in `catalog`.

pub(super) mod api;
mod column_description;
mod conflict;
mod deprecation;
mod description;
mod display_name;
pub(super) mod edit;
pub(super) mod form;
mod links;
mod offers;
mod owners;
mod related;
pub(super) mod restore;
pub(super) mod shape;
pub(super) mod shown;
mod tags;
pub(super) mod undo;
mod verification;

use actix_web::HttpResponse;
use serde_json::Value;
use uuid::Uuid;

use self::edit::{EditPage, close, described, open};
use self::form::Form;
use self::restore::{Side, Standing, content, restore_one, restore_side};
use self::shown::{Shown, ShownLine};
use self::undo::undo_one;
use super::failure::Failure;
use super::forms::Answer;
use super::parameters::Parameters;
use super::saving::Editor;
use super::view::{Page, SeeOther};
use crate::auth::Visibility;
use crate::catalog::human::{ColumnDescription, for_each_aspect};
use crate::catalog::{self, Asset, AssetId};
use crate::db::Db;
use crate::revisions::{self, Aspect as _, Edit, Stored};

macro_rules! by_name {
    ($($field:ident: $aspect:ty),+ $(,)?) => {
        /// Adds the calls that write aspects to the description of the API.
        pub(super) fn describe(description: &mut Value) {
            $(api::describe::<$aspect>(description);)+
            api::describe::<ColumnDescription>(description);
        }

        /// What may be done with the aspects of an asset, for menus: a label, and the name of the aspect.
        pub(super) fn deeds() -> impl Iterator<Item = (&'static str, &'static str)> {
            let deeds = [$(<$aspect>::DEED.map(|deed| (deed, <$aspect>::NAME))),+];
            deeds.into_iter().flatten()
        }

        /// The sections that aspects have on the page of an asset, for who may edit them or not.
        pub(super) fn sections(asset: &Asset, is_editable: bool) -> Vec<Shown> {
            let sections = [$(Shown::of(&asset.human.$field.content, asset, is_editable)),+];
            sections.into_iter().flatten().collect()
        }

        /// What an aspect of another thing says about this one.
        fn mention(stored: &Stored, target: Uuid) -> Result<Vec<&'static str>, revisions::Error> {
            Ok(match stored.name() {
                $(<$aspect>::NAME => stored.read::<$aspect>()?.content.mention(target),)+
                _ => Vec::new(),
            })
        }

        /// What an edit was about before and after it, line by line.
        pub(super) fn lines(edit: &Edit) -> Option<(Vec<String>, Vec<String>)> {
            fn of<A: Form>(edit: &Edit) -> Option<(Vec<String>, Vec<String>)> {
                let (before, after) = edit.contents::<A>()?;
                Some((before.lines(), after.lines()))
            }
            match edit.aspect.name {
                $(<$aspect>::NAME => of::<$aspect>(edit),)+
                _ => of::<ColumnDescription>(edit),
            }
        }

        async fn restore_named(
            editor: &Editor,
            asset: &Asset,
            (edit, side): (&Edit, Side),
            version: i32,
        ) -> Answer<SeeOther, EditPage> {
            match edit.aspect.name {
                $(<$aspect>::NAME => {
                    let content: $aspect = content(edit, side)?;
                    let present = (&asset.human.$field, version);
                    restore_one(editor, asset, content, present).await
                })+
                _ => {
                    let content: ColumnDescription = content(edit, side)?;
                    let present = described(asset, &content.column)?;
                    restore_one(editor, asset, content, (&present, version)).await
                }
            }
        }

        async fn restore_for_program(
            editor: &Editor,
            id: AssetId,
            (edit, side): (&Edit, Side),
            version: i32,
        ) -> Result<HttpResponse, Failure> {
            match edit.aspect.name {
                $(<$aspect>::NAME => {
                    restore_side::<$aspect>(editor, id, (edit, side), version).await
                })+
                _ => restore_side::<ColumnDescription>(editor, id, (edit, side), version).await,
            }
        }

        /// The version that the aspect of an edit has now, and whether it says now what the edit found and what it made.
        pub(super) fn standing(asset: &Asset, edit: &Edit) -> Option<Standing> {
            match edit.aspect.name {
                $(<$aspect>::NAME => Standing::of(&asset.human.$field, edit),)+
                _ => {
                    let (_, after) = edit.contents::<ColumnDescription>()?;
                    Standing::of(asset.human.columns.get(&after.column)?, edit)
                }
            }
        }

        async fn open_named(
            name: &str,
            editor: &Editor,
            asset: &Asset,
        ) -> Result<Page<EditPage>, Failure> {
            match name {
                $(<$aspect>::NAME => open::<$aspect>(editor, asset).await,)+
                _ => Err(no_aspect()),
            }
        }

        async fn save_named(
            name: &str,
            editor: &Editor,
            asset: &Asset,
            sent: &Parameters,
        ) -> Answer<SeeOther, EditPage> {
            match name {
                $(<$aspect>::NAME => close::<$aspect>(editor, asset, sent).await,)+
                _ => Err(no_aspect()),
            }
        }

        async fn undo_named(
            name: &str,
            editor: &Editor,
            asset: &Asset,
            sent: &Parameters,
        ) -> Answer<SeeOther, EditPage> {
            match name {
                $(<$aspect>::NAME => undo_one::<$aspect>(editor, asset, sent).await,)+
                _ => Err(no_aspect()),
            }
        }
    };
}

for_each_aspect!(by_name);

/// So many aspects of other things that name an asset are shown on its page.
const MOST_MENTIONS: u64 = 50;

/// Reads what is said of an asset on the pages of others that the reader sees.
pub(super) async fn mentions(
    db: &Db,
    visibility: &Visibility,
    asset: &Asset,
) -> Result<Vec<ShownLine>, Failure> {
    let found = revisions::list_mentions(&**db, asset.id.subject(), MOST_MENTIONS).await;
    let found = found.map_err(revisions::Error::from)?;
    let ids: Vec<AssetId> = found
        .iter()
        .filter_map(|(of, _)| AssetId::of(*of))
        .collect();
    let named = catalog::find_summaries(db, visibility, &ids).await?;
    let mut lines = Vec::new();
    for (of, stored) in &found {
        let Some(summary) = AssetId::of(*of).and_then(|id| named.get(&id)) else {
            continue;
        };
        for what in mention(stored, asset.id.0)? {
            lines.push(ShownLine::to_summary(what, summary));
        }
    }
    Ok(lines)
}

fn no_aspect() -> Failure {
    Failure::not_found("There is nothing to edit at this address.")
}
