//! The page of one database: its tables and views, in order, by the beginnings of their names.

use serde::Serialize;

use super::{Around, Head, listing_fact};
use crate::auth::Actor;
use crate::catalog::{self, Asset, AssetId, Children, Order, Summary};
use crate::db::{Db, Page as ListPage, PageRequest};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::pages::asset_line::{AssetLine, Signs};
use crate::web::pages::parts::{Fact, More, Text, inside_words, name};
use crate::web::pages::restrictions::banner::RestrictionBanner;
use crate::web::parameters::Parameters;
use crate::web::text::{Shortened, number};
use crate::web::view::{Section, View};

/// So many tables and views of a database are listed at once.
const INSIDE: usize = 100;

/// A long list offers so many beginnings of names.
const NAME_GROUPS: u64 = 8;

/// What `templates/assets/database.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct DatabasePage {
    #[serde(flatten)]
    head: Head,
    banner: RestrictionBanner,
    incomplete: Option<Text>,
    here: String,
    filter: String,
    with_gone: bool,
    orders: Vec<OrderChoice>,
    groups: Option<NameGroups>,
    rows: Vec<AssetLine>,
    none: &'static str,
    more: More,
}

impl View for DatabasePage {
    const TEMPLATE: &'static str = "assets/database";

    fn title(&self) -> &str {
        &self.head.name.shown
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Browse)
    }
}

/// The names of a long list by how they begin.
#[derive(Debug, Serialize)]
pub(super) struct NameGroups {
    /// The beginning that was chosen, and the list without it.
    chosen: Option<NameGroup>,
    /// Longer beginnings.
    groups: Vec<NameGroup>,
}

/// The names that begin alike.
#[derive(Debug, Serialize)]
struct NameGroup {
    beginning: Shortened,
    /// The beginning whole, for a form to keep.
    value: String,
    names: String,
    href: String,
}

impl NameGroups {
    /// Reads them for the first page of a list that has more, and for a group that was chosen.
    pub(super) async fn read(
        db: &Db,
        actor: &Actor,
        database: AssetId,
        asked: &Asked<'_>,
        inside: &ListPage<Summary>,
    ) -> Result<Option<Self>, Failure> {
        let is_long = inside.next.is_some() && asked.page.after.is_none();
        if asked.beginning.is_empty() && !(is_long && asked.filter.is_empty()) {
            return Ok(None);
        }
        let children = asked.children(database);
        let found =
            catalog::list_beginnings(db, actor.visibility(), &children, NAME_GROUPS).await?;
        let here = links::asset(database);
        let group = |beginning: &str, names: String, href: String| NameGroup {
            beginning: name(beginning),
            value: beginning.to_owned(),
            names,
            href,
        };
        let groups = found.iter().map(|found| {
            let href = asked.href(&here, &found.text, "");
            group(&found.text, number(found.names), href)
        });
        let chosen = Some(asked.beginning).filter(|chosen| !chosen.is_empty());
        Ok(Some(Self {
            groups: groups.collect(),
            chosen: chosen.map(|chosen| group(chosen, String::new(), asked.href(&here, "", ""))),
        }))
    }
}

/// An order that tables and views can be sorted by.
#[derive(Debug, Serialize)]
struct OrderChoice {
    value: &'static str,
    label: &'static str,
    chosen: bool,
}

fn order_label(order: Order) -> &'static str {
    match order {
        Order::Name => "Name",
        Order::Rows => "Rows",
        Order::Changed => "Definition changed",
    }
}

/// Which tables and views of a database are asked for.
pub(super) struct Asked<'a> {
    filter: &'a str,
    beginning: &'a str,
    gone: bool,
    order: Order,
    pub(super) page: PageRequest,
}

impl<'a> Asked<'a> {
    pub(super) fn read(parameters: &'a Parameters) -> Result<Self, Failure> {
        Ok(Self {
            filter: parameters.text("name"),
            beginning: parameters.text("begins"),
            gone: parameters.switch("gone")?,
            order: parameters.one("sort")?,
            page: parameters.page(INSIDE)?,
        })
    }

    pub(super) fn children(&self, parent: AssetId) -> Children<'a> {
        Children {
            parent: Some(parent),
            filter: self.filter,
            beginning: self.beginning,
            gone: self.gone,
            order: self.order,
            ..Children::default()
        }
    }

    /// Where the list is that has only names with this beginning, from `cursor` on.
    fn href(&self, here: &str, beginning: &str, cursor: &str) -> String {
        let sort = match self.order {
            Order::Name => "",
            other => other.as_str(),
        };
        links::with_query(
            here,
            [
                ("name", self.filter),
                ("begins", beginning),
                ("gone", if self.gone { "1" } else { "" }),
                ("sort", sort),
                ("after", cursor),
            ],
        )
    }
}

impl DatabasePage {
    pub(super) fn new(
        head: Head,
        asset: &Asset,
        (around, banner): (&Around, RestrictionBanner),
        asked: &Asked<'_>,
        (inside, signs, groups): (&ListPage<Summary>, &Signs, Option<NameGroups>),
    ) -> Self {
        let listed = around.listed.as_ref();
        let here = links::asset(asset.id);
        Self {
            head,
            banner,
            incomplete: listed
                .filter(|listed| !listed.complete)
                .map(|listed| Text::new(listed.reason.as_deref().unwrap_or_default())),
            filter: asked.filter.to_owned(),
            with_gone: asked.gone,
            orders: Order::ALL
                .map(|order| OrderChoice {
                    value: order.as_str(),
                    label: order_label(order),
                    chosen: order == asked.order,
                })
                .into(),
            rows: inside
                .items
                .iter()
                .map(|asset| AssetLine::in_place(asset, signs))
                .collect(),
            none: if asked.filter.is_empty() && asked.beginning.is_empty() {
                "There is no table or view in it."
            } else {
                "No table or view in it has such a name."
            },
            more: More::of(inside, "Show more", |cursor| {
                asked.href(&here, asked.beginning, cursor.as_str())
            }),
            groups,
            here,
        }
    }
}

pub(super) fn database_trust(asset: &Asset, around: &Around) -> Vec<Fact> {
    let trust = [
        Some(Fact::text("Contents", &inside_words(Some(&around.inside)))),
        listing_fact(asset, around.listed.as_ref()),
        asset
            .source
            .storage
            .locations
            .first()
            .map(|place| Fact::text("Location", place).mono()),
    ];
    trust.into_iter().flatten().collect()
}
