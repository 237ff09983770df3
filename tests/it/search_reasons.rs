//! What people type, what comes first for it, and that every hit says why it is there.

use gazetteer::catalog::{AssetKind, SourceLayer, ViewDefinition};
use gazetteer::search::MatchedField;
use gazetteer::search::documents::of_asset;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::search_index::{World, address, columns, described, id, reasons};

/// Tables as several teams name them.
fn world() -> World {
    let mut world = World::new();
    world.table("crm.SalesRegion", &columns(&["RevenueUSD", "regionCode"]));
    world.table("crm.salesregion_old", &columns(&["revenue"]));
    world.table("fleet.driverlicense", &columns(&["licno"]));
    world.table(
        "fleet.int_ng_mixtelematics_asset_events",
        &columns(&["assetid"]),
    );
    for name in ["wp3_11_posts", "wp3_1_posts", "wp3_11x", "wp_posts"] {
        world.table(&format!("fleet.{name}"), &columns(&["id"]));
    }
    world.table("telemetry_prod.raw_data", &columns(&["internal"]));
    world.table("telemetry_prod.売上", &columns(&["straße"]));
    world.table("a.e_mail", &columns(&["x"]));
    world.table("b.other", &columns(&["email"]));
    world.table("a.web_shop", &columns(&["x"]));
    world.table("b.t2", &columns(&["webshop"]));
    world.table("a.hot_line", &columns(&["x"]));
    world.table("b.t3", &columns(&["hotline"]));
    world.table("b.t4", &columns(&["customeremail", "home_web_shop_id"]));
    world.commit();
    world
}

#[test]
fn a_hit_tells_the_words_that_it_lacks() {
    let mut world = World::new();
    world.table("shop.orders", &described("One row for each day."));
    world.table(
        "shop.orders_total",
        &columns(&["a", "b", "c", "d", "amount"]),
    );
    world.commit();
    let lacks = |text: &str| {
        let hits = world.search(text).hits.into_iter();
        hits.map(|hit| (world.name_of(&hit).to_owned(), hit.lacks.join(" ")))
            .collect::<Vec<_>>()
    };
    let told = |name: &str, lacks: &str| (name.to_owned(), lacks.to_owned());

    assert_eq!(
        lacks("orders day"),
        [told("shop.orders", ""), told("shop.orders_total", "day")]
    );
    assert!(lacks("orders amount").contains(&told("shop.orders_total", "")));
    assert!(lacks("").iter().all(|(_, lacks)| lacks.is_empty()));
}

#[test]
fn what_people_type_comes_first() {
    let world = world();

    for (typed, first) in [
        ("Region", "crm.SalesRegion"),
        ("license", "fleet.driverlicense"),
        ("telematics", "fleet.int_ng_mixtelematics_asset_events"),
        ("wp3_11_", "fleet.wp3_11_posts"),
        ("fleet.driverlicense", "fleet.driverlicense"),
        ("\"fleet\".\"driverlicense\"", "fleet.driverlicense"),
        ("`fleet`.`driverlicense`", "fleet.driverlicense"),
        ("awsdatacatalog.fleet.driverlicense", "fleet.driverlicense"),
        ("select * from fleet.driverlicense", "fleet.driverlicense"),
        (
            "arn:aws:glue:eu-west-1:123456789012:table/fleet/driverlicense",
            "fleet.driverlicense",
        ),
        ("fleet license", "fleet.driverlicense"),
        ("revenue", "crm.SalesRegion"),
        ("売上", "telemetry_prod.売上"),
        ("strasse", "telemetry_prod.売上"),
    ] {
        assert_eq!(world.found(typed).first(), Some(&first), "{typed}");
    }
    assert!(world.found("revenue").contains(&"crm.salesregion_old"));
    assert!(
        !world
            .found("\"internal-data\"")
            .contains(&"telemetry_prod.raw_data")
    );
    for typed in ["C#", "A/B", "24/7", "v1.10.2", "AND", "NOT"] {
        world.search(typed);
    }
}

#[test]
fn a_word_inside_a_name_or_written_apart_is_found_behind_better_hits() {
    let world = world();

    assert_eq!(world.found("email"), ["a.e_mail", "b.other", "b.t4"]);
    assert_eq!(world.found("webshop"), ["a.web_shop", "b.t2", "b.t4"]);
    assert_eq!(world.found("hotline"), ["a.hot_line", "b.t3"]);
    let mut with_better = World::new();
    with_better.table("fleet.driverlicense", &columns(&["licno"]));
    with_better.table("a.papers", &described("What a license costs."));
    with_better.table("a.license", &SourceLayer::default());
    with_better.commit();
    assert_eq!(
        with_better.found("license"),
        ["a.license", "a.papers", "fleet.driverlicense"]
    );
}

#[test]
fn a_word_inside_a_name_or_written_apart_is_marked_where_it_stands() {
    let world = world();

    let name = |text: &str| (MatchedField::Name, text.to_owned());
    let column = |text: &str| (MatchedField::Column, text.to_owned());
    assert_eq!(reasons(&world.search("license")), [name("driver[license]")]);
    assert_eq!(reasons(&world.search("email")), [name("[e]_[mail]")]);
    assert_eq!(
        reasons(&world.search("customerem")),
        [column("[customeremail]")]
    );
    assert_eq!(
        reasons(&world.search("shopid")),
        [column("home_web_[shop]_[id]")]
    );
}

#[test]
fn an_owner_a_tag_and_a_long_statement_are_reasons() {
    let mut world = World::of(&["a.t1"]);
    let source = SourceLayer {
        view: Some(ViewDefinition {
            sql: format!("select {} from quokka", "x, ".repeat(10_000)),
            ..ViewDefinition::default()
        }),
        ..SourceLayer::default()
    };
    let document = of_asset(id(1), AssetKind::View, &address("a.t1"), &source)
        .owned_by("Ana Muster", "am7")
        .tagged("finance");
    world.put(id(1), document);
    world.commit();

    let parameter = |text: &str| (MatchedField::Parameter, text.to_owned());
    assert_eq!(
        reasons(&world.search("owner:am7")),
        [parameter("[Ana Muster]")]
    );
    assert_eq!(
        reasons(&world.search("tag:finance")),
        [parameter("[finance]")]
    );
    assert_eq!(reasons(&world.search("quokka"))[0].0, MatchedField::Sql);
}

/// What people put names together from.
const PIECES: [&str; 25] = [
    "e",
    "mail",
    "email",
    "web",
    "shop",
    "webshop",
    "driver",
    "license",
    "driverlicense",
    "Order",
    "orders",
    "ID",
    "2024",
    "v2",
    "straße",
    "売上",
    "author's",
    "the",
    "of",
    "a",
    "_",
    "customer",
    "mixtelematics",
    "🚀",
    "ОСТАТКИ",
];

fn piece() -> impl Strategy<Value = String> {
    select(PIECES.as_slice()).prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = String> {
    let separator = select(["_", "", " ", ".", "-", "/"].as_slice());
    vec((piece(), separator), 1..4).prop_map(|parts| {
        parts
            .into_iter()
            .flat_map(|(word, end)| [word, end.to_owned()])
            .collect()
    })
}

fn table() -> impl Strategy<Value = (String, Vec<String>, String)> {
    (
        name(),
        vec(name(), 0..4),
        vec(name(), 0..3).prop_map(|words| words.join(" ")),
    )
}

/// Words as they are typed: whole names, pieces, with a letter missing, quoted, behind a prefix.
fn query() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => name(),
        4 => piece(),
        2 => piece().prop_map(|word| word.chars().skip(1).collect()),
        1 => name().prop_map(|name| format!("\"{name}\"")),
        1 => name().prop_map(|name| format!("column:{name}")),
        1 => name().prop_map(|name| format!("name:{name}")),
    ];
    vec(word, 1..4).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_hit_says_why_it_is_there(
        tables in vec(table(), 1..12),
        queries in vec(query(), 1..24),
    ) {
        let mut world = World::new();
        for (name, columns_of, text) in &tables {
            let names: Vec<&str> = columns_of.iter().map(String::as_str).collect();
            let mut source = columns(&names);
            source.description = Some(text.clone());
            world.table(&format!("shop.{name}"), &source);
        }
        world.commit();

        for typed in queries {
            // Who types signs alone looks for nothing in particular.
            let text = typed.replace("name:", "").replace("column:", "");
            if !text.contains(char::is_alphanumeric) {
                continue;
            }
            let answer = world.search(&typed);
            let suggested = world.suggest(&typed);
            for hit in answer.hits.iter().chain(&suggested) {
                let name = world.name_of(hit);
                prop_assert!(!hit.matched.is_empty(), "{name} for {typed:?} of {tables:?}");
                for matched in &hit.matched {
                    prop_assert!(matched.text.iter().any(|part| part.marked), "{matched:?} for {typed:?}");
                }
            }
        }
    }
}
