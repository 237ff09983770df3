//! The page of one change of an asset: what was said before and after it, and the way back.

use std::collections::HashSet;

use actix_web::web::{Data, Path};
use serde::Serialize;

use super::changes::{Reworded, told_at_length};
use super::overview::may_edit;
use super::parts::{Link, Text, heading};
use crate::auth::Actor;
use crate::catalog::{self, Action, Asset, AssetId, Change, Difference};
use crate::db::Db;
use crate::revisions::{Comparison, Edit};
use crate::web::aspects::{self, restore};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::text::{Moment, Shortened};
use crate::web::view::{Page, Section, View};

/// So many texts of one change are shown.
const MOST_TEXTS: usize = 3;

/// `GET /assets/{id}/history/{number}`: one change, told at length.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    place: Path<(AssetId, u64)>,
) -> Result<Page<ChangePage>, Failure> {
    let (id, number) = place.into_inner();
    let asset = catalog::find_asset(&db, actor.visibility(), id).await?;
    let change = catalog::find_change(&db, actor.visibility(), id, number).await?;
    let (texts, sides) = match &change.action {
        Action::Revised(edit) => {
            let restores = may_edit(&asset, &actor).then(|| links::restore(id, number));
            let texts = Texts::read(&db, edit).await?;
            (
                texts.into_iter().collect(),
                Side::both(&asset, edit, restores.as_deref()),
            )
        }
        action => {
            let texts = Texts::of_source(&db, action).await?;
            let sides = texts.iter().enumerate().flat_map(Side::of_source);
            let sides = sides.collect();
            (texts, sides)
        }
    };
    Ok(Page(ChangePage::new(&asset, &change, texts, sides)))
}

/// What `templates/assets/change.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct ChangePage {
    title: String,
    crumbs: Vec<Link>,
    name: Shortened,
    at: Moment,
    who: String,
    run_href: Option<String>,
    sentences: Vec<Text>,
    /// What was done to texts.
    texts: Vec<Texts>,
    /// What was said before, and after.
    sides: Vec<Side>,
}

/// A text before and after a change of it.
#[derive(Debug, Serialize)]
struct Texts {
    /// What text it is; empty where there is one alone.
    what: String,
    reworded: Reworded,
    #[serde(skip)]
    before: String,
    #[serde(skip)]
    after: String,
}

/// What was said before a change, or after it.
#[derive(Debug, Serialize)]
struct Side {
    at: String,
    heading: String,
    /// A text, or else lines.
    text: String,
    lines: Vec<Line>,
    /// How to go back to it, for who may.
    restore: Option<Restore>,
    /// Whether it is what is said now.
    is_present: bool,
}

/// A line, and whether the other side lacks it.
#[derive(Debug, Serialize)]
struct Line {
    text: String,
    /// Empty, `inserted` or `deleted`.
    mark: &'static str,
}

/// The button that goes back to one side.
#[derive(Debug, Serialize)]
struct Restore {
    action: String,
    version: i32,
    what: &'static str,
    label: &'static str,
}

impl Side {
    fn both(asset: &Asset, edit: &Edit, restores: Option<&str>) -> Vec<Self> {
        let Some((before, after)) = aspects::lines(edit) else {
            return Vec::new();
        };
        let standing = aspects::standing(asset, edit);
        let of = |what: restore::Side| {
            let (own, other, heading, mark) = match what {
                restore::Side::Before => (&before, &after, "Before", "deleted"),
                restore::Side::After => (&after, &before, "After", "inserted"),
            };
            let is_present = standing.is_some_and(|standing| match what {
                restore::Side::Before => standing.is_before,
                restore::Side::After => standing.is_after,
            });
            let restores = restores.filter(|_| !is_present).zip(standing);
            Self {
                at: what.as_str().to_owned(),
                heading: heading.to_owned(),
                text: text_of(edit, what),
                lines: marked(own, other, mark),
                restore: restores.map(|(action, standing)| Restore {
                    action: action.to_owned(),
                    version: standing.version,
                    what: what.as_str(),
                    label: "Restore this",
                }),
                is_present,
            }
        };
        vec![of(restore::Side::Before), of(restore::Side::After)]
    }

    /// Both sides of the nth text that a source changed.
    fn of_source((nth, texts): (usize, &Texts)) -> [Self; 2] {
        let of = |what: &str, heading: &str, text: &str| Self {
            at: match nth {
                0 => what.to_owned(),
                nth => format!("{what}-{nth}"),
            },
            heading: heading.to_owned(),
            text: text.to_owned(),
            lines: Vec::new(),
            restore: None,
            is_present: false,
        };
        [
            of("before", "Before", &texts.before),
            of("after", "After", &texts.after),
        ]
    }
}

/// The text of one side of an edit of nothing but a text; empty for the others.
fn text_of(edit: &Edit, side: restore::Side) -> String {
    let is_text = edit
        .before
        .as_object()
        .is_some_and(|kept| kept.contains_key("text"));
    let texts = edit.texts().filter(|_| is_text);
    let text = texts.map(|(before, after)| match side {
        restore::Side::Before => before,
        restore::Side::After => after,
    });
    text.unwrap_or_default().to_owned()
}

/// Marks the lines that the other side lacks.
fn marked(own: &[String], other: &[String], mark: &'static str) -> Vec<Line> {
    let other: HashSet<&String> = other.iter().collect();
    let line = |text: &String| Line {
        mark: if other.contains(text) { "" } else { mark },
        text: text.clone(),
    };
    own.iter().map(line).collect()
}

impl View for ChangePage {
    const TEMPLATE: &'static str = "assets/change";

    fn title(&self) -> &str {
        &self.title
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

impl ChangePage {
    fn new(asset: &Asset, change: &Change, texts: Vec<Texts>, sides: Vec<Side>) -> Self {
        let name = heading(asset.address.name());
        let asset = Link::to_asset(asset);
        Self {
            title: format!("A change of {}", name.shown),
            crumbs: vec![Link::new("Browse", links::browse()), asset],
            name,
            at: Moment::of(change.at),
            who: format!("by {}", change.who),
            run_href: change.run.map(links::run),
            sentences: told_at_length(change),
            texts,
            sides,
        }
    }
}

impl Texts {
    /// Compares the first texts that a source changed, apart from what others ask for.
    async fn of_source(db: &Db, action: &Action) -> Result<Vec<Self>, Failure> {
        let differences = action.differences().iter();
        let texts: Vec<(String, String, String)> = differences
            .filter_map(Difference::reworded)
            .take(MOST_TEXTS)
            .map(|(what, before, after)| (what, before.to_owned(), after.to_owned()))
            .collect();
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let comparing = move || {
            let texts = texts.into_iter();
            texts
                .map(|(what, before, after)| Self {
                    what,
                    reworded: Reworded::told(&Comparison::of(&before, &after)),
                    before,
                    after,
                })
                .collect()
        };
        Ok(db.apart().run(comparing).await?)
    }

    /// Reads what was done to the text that was edited, if one was.
    async fn read(db: &Db, edit: &Edit) -> Result<Option<Self>, Failure> {
        let Some(comparison) = edit.compared(db).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            what: String::new(),
            reworded: Reworded::told(&comparison),
            before: String::new(),
            after: String::new(),
        }))
    }
}
