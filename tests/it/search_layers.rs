//! The table that was made to be used comes before those that it was made of, in whatever words a catalog names them.

use std::collections::HashSet;

use chrono::NaiveDate;
use gazetteer::auth::scopes::Closed;
use gazetteer::catalog::{AssetKind, LinkTarget, SourceLayer, ViewDefinition};
use gazetteer::search::AccessFilter;
use gazetteer::search::documents::of_asset;

use crate::search_index::{World, address, columns, described, id};

fn reading(sql: &str) -> SourceLayer {
    SourceLayer {
        view: Some(ViewDefinition {
            sql: sql.to_owned(),
            ..ViewDefinition::default()
        }),
        ..SourceLayer::default()
    }
}

#[test]
fn a_prefix_that_many_names_share_is_no_word_of_the_name() {
    let mut world = World::new();
    for name in [
        "qx_stock",
        "qx_payroll",
        "qx_parcel",
        "parcel_line",
        "parcel_box",
        "parcel_note",
    ] {
        world.table(&format!("a.{name}"), &columns(&["parcel_id"]));
    }
    world.table("a.stock_by_parcel", &described("stock stock stock"));
    world.commit();

    assert_eq!(world.found("stock").first(), Some(&"a.qx_stock"));
    assert_eq!(world.found("parcel").first(), Some(&"a.qx_parcel"));
    // Columns are about parcels, so it is a word, and names with it are about something more.
    assert_eq!(world.found("box"), ["a.parcel_box"]);
    assert_eq!(world.found("qx stock").first(), Some(&"a.qx_stock"));
}

#[test]
fn a_suffix_and_words_of_the_database_are_no_words_of_the_name_either() {
    let mut world = World::new();
    for name in ["chat_zz", "calls_zz", "visits_zz"] {
        world.table(&format!("a.{name}"), &SourceLayer::default());
    }
    world.table("a.chat_of_people", &described("chat chat chat"));
    world.table("shopify.shopify__deals", &SourceLayer::default());
    world.table(
        "other.deals_of_today",
        &described("deals deals shopify deals"),
    );
    world.commit();

    assert_eq!(world.found("chat").first(), Some(&"a.chat_zz"));
    assert_eq!(
        world.found("deals").first(),
        Some(&"shopify.shopify__deals")
    );
    assert_eq!(
        world.found("shopify deals").first(),
        Some(&"shopify.shopify__deals")
    );
}

#[test]
fn what_is_learned_changes_with_the_catalog() {
    let mut world = World::new();
    world.table("a.qx_stock", &SourceLayer::default());
    world.table("a.stock_list", &described("stock"));
    world.commit();
    assert_eq!(world.found("stock").first(), Some(&"a.stock_list"));

    for name in ["qx_lamp", "qx_desk", "qx_door"] {
        world.table(&format!("b.{name}"), &SourceLayer::default());
    }
    world.commit();

    assert_eq!(world.found("stock").first(), Some(&"a.qx_stock"));
}

#[test]
fn what_somebody_does_not_see_teaches_nothing() {
    let mut world = World::new();
    world.table("a.qx_stock", &SourceLayer::default());
    world.table("a.stock_list", &described("stock"));
    let secret = id(9_999);
    for (nth, name) in ["qx_lamp", "qx_desk", "qx_door"].into_iter().enumerate() {
        let path = address(&format!("secret.{name}"));
        let hidden = SourceLayer::default();
        let document = of_asset(id(100 + nth), AssetKind::Table, &path, &hidden);
        world.put(id(100 + nth), document.inside(Some(secret.0)));
    }
    let reader = reading("select * from a.stock_list");
    let document = of_asset(id(200), AssetKind::View, &address("secret.v"), &reader);
    world.put(id(200), document.inside(Some(secret.0)));
    world.commit();
    let access_filter = AccessFilter::over(&Closed {
        sources: HashSet::new(),
        databases: HashSet::from([secret.0]),
    });

    assert_eq!(world.found("stock").first(), Some(&"a.qx_stock"));
    assert_eq!(
        world.found_under("stock", &access_filter).first(),
        Some(&"a.stock_list")
    );
}

#[test]
fn trust_orders_tables_that_are_named_alike() {
    let mut world = World::new();
    world.table("lake.customer", &SourceLayer::default());
    world.table("raw.customer", &described("customer"));
    world.table("lake.stg_customer", &described("customer"));
    world.table("lake.tmp_customer", &described("customer"));
    world.table("sandbox.dim_customer", &described("customer"));
    world.table(
        "shop.dim_customer",
        &described("Everybody who ever bought."),
    );
    let link = SourceLayer {
        link: Some(LinkTarget {
            instance: None,
            path: vec!["shop".to_owned(), "dim_customer".to_owned()],
        }),
        ..described("customer")
    };
    world.table("other.dim_customer", &link);
    world.table(
        "x.buyers",
        &described("customer customer customer customer"),
    );
    world.commit();

    let found = world.found("customer");
    assert_eq!(
        found.get(..2),
        Some(&["lake.customer", "shop.dim_customer"][..]),
        "{found:?}"
    );
    assert_eq!(
        found.last(),
        Some(&"x.buyers"),
        "a name never loses against a description"
    );
    let place = |name: &str| found.iter().position(|found| *found == name);
    assert!(place("lake.stg_customer") > place("shop.dim_customer"));
    assert!(place("sandbox.dim_customer") > place("lake.stg_customer"));
}

#[test]
fn what_people_did_for_a_table_and_what_reads_it_counts_for_it() {
    let mut world = World::new();
    for path in [
        "a.dim_shop",
        "b.dim_shop",
        "c.dim_shop",
        "d.dim_shop",
        "e.dim_shop",
    ] {
        world.table(path, &SourceLayer::default());
    }
    let document = |nth, path| {
        of_asset(
            id(nth),
            AssetKind::Table,
            &address(path),
            &SourceLayer::default(),
        )
    };
    world.put(
        id(2),
        document(2, "b.dim_shop").owned_by("Shop team", "shop"),
    );
    let verified = NaiveDate::from_ymd_opt(2999, 1, 1);
    world.put(id(4), document(4, "d.dim_shop").verified(verified));
    world.put(id(5), document(5, "e.dim_shop").deprecated(true));
    world.table(
        "v.one",
        &reading("with x as (select 1) select * from x join \"c\".\"DIM_SHOP\" using (id)"),
    );
    world.table("v.two", &reading("select 1 from `c.dim_shop`"));
    world.table("v.three", &reading("select 1 from c.dim_shop"));
    world.commit();

    assert_eq!(
        world.found("shop").get(..5),
        Some(
            &[
                "d.dim_shop",
                "c.dim_shop",
                "b.dim_shop",
                "a.dim_shop",
                "e.dim_shop"
            ][..]
        )
    );
}

#[test]
fn words_of_grammar_are_not_looked_for() {
    let mut world = World::new();
    world.table("a.orders_by_day", &SourceLayer::default());
    world.table(
        "a.attribution",
        &described("Sums to 1 per order, where it is known; do orders per day."),
    );
    world.commit();

    for typed in [
        "orders per day",
        "where is orders per day",
        "do orders by day",
    ] {
        assert_eq!(
            world.found(typed).first(),
            Some(&"a.orders_by_day"),
            "{typed}"
        );
    }
}
