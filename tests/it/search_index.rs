//! The index through its public face: what is found, in which order and why, and what it survives.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{Days, Utc};
use gazetteer::catalog::{Address, AssetId, AssetKind, Column, SourceLayer, ViewDefinition};
use gazetteer::search::documents::of_asset;
use gazetteer::search::{
    AccessFilter, Answer, Change, Choices, Document, Error, FacetField, Hit, Index, MatchedField,
    Options, Query, Sort, Writer,
};
use tempfile::TempDir;
use uuid::Uuid;

/// An index and its one writer, and the names that its assets were given.
pub(crate) struct World {
    dir: TempDir,
    index: Index,
    writer: Writer,
    names: Vec<String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::open(dir.path(), &Options::default()).unwrap();
        let writer = index.writer().unwrap();
        Self {
            dir,
            index,
            writer,
            names: Vec::new(),
        }
    }

    /// With a table for each `database.name`.
    pub(crate) fn of(paths: &[&str]) -> Self {
        let mut world = Self::new();
        for path in paths {
            world.table(path, &SourceLayer::default());
        }
        world.commit();
        world
    }

    pub(crate) fn table(&mut self, path: &str, source: &SourceLayer) -> AssetId {
        self.asset(AssetKind::Table, path, source)
    }

    fn asset(&mut self, kind: AssetKind, path: &str, source: &SourceLayer) -> AssetId {
        self.names.push(path.to_owned());
        let id = id(self.names.len());
        self.put(id, of_asset(id, kind, &address(path), source));
        id
    }

    pub(crate) fn put(&mut self, id: AssetId, document: Document) {
        let change = Change {
            seq: 1,
            subject: id.subject(),
            document: Some(document),
        };
        self.writer.apply([change]).unwrap();
    }

    pub(crate) fn commit(&mut self) {
        self.writer.commit(1).unwrap();
    }

    pub(crate) fn search(&self, text: &str) -> Answer {
        self.index
            .search(&Query::words(text), &AccessFilter::none())
            .unwrap()
    }

    /// The names of what is found under an access filter, best first.
    pub(crate) fn found_under(&self, text: &str, access_filter: &AccessFilter) -> Vec<&str> {
        let answer = self
            .index
            .search(&Query::words(text), access_filter)
            .unwrap();
        self.names(&answer)
    }

    /// What is offered while somebody types.
    pub(crate) fn suggest(&self, text: &str) -> Vec<Hit> {
        self.index.suggest(text, 20, &AccessFilter::none()).unwrap()
    }

    /// The names of what is found, best first.
    pub(crate) fn found(&self, text: &str) -> Vec<&str> {
        self.names(&self.search(text))
    }

    fn names(&self, answer: &Answer) -> Vec<&str> {
        answer.hits.iter().map(|hit| self.name_of(hit)).collect()
    }

    pub(crate) fn name_of(&self, hit: &Hit) -> &str {
        self.name(AssetId::of(hit.subject).unwrap())
    }

    pub(crate) fn name(&self, id: AssetId) -> &str {
        let nth = usize::try_from(id.0.as_u128()).unwrap();
        self.names.get(nth - 1).map_or("", String::as_str)
    }
}

pub(crate) fn id(nth: usize) -> AssetId {
    AssetId(Uuid::from_u128(nth as u128))
}

pub(crate) fn address(path: &str) -> Address {
    Address {
        platform: "glue".to_owned(),
        instance: "123456789012/eu-west-1".to_owned(),
        path: path.splitn(2, '.').map(str::to_owned).collect(),
    }
}

pub(crate) fn columns(names: &[&str]) -> SourceLayer {
    let columns = names.iter().map(|name| Column {
        name: (*name).to_owned(),
        path: (*name).to_owned(),
        data_type: "string".to_owned(),
        ..Column::default()
    });
    SourceLayer {
        columns: columns.collect(),
        ..SourceLayer::default()
    }
}

pub(crate) fn described(text: &str) -> SourceLayer {
    SourceLayer {
        description: Some(text.to_owned()),
        ..SourceLayer::default()
    }
}

/// What an answer says of its first hit: field and text, marks in brackets.
pub(crate) fn reasons(answer: &Answer) -> Vec<(MatchedField, String)> {
    let reason = |matched: &gazetteer::search::Matched| {
        let parts = matched.text.iter().map(|part| {
            if part.marked {
                format!("[{}]", part.text)
            } else {
                part.text.clone()
            }
        });
        (matched.field, parts.collect())
    };
    answer
        .hits
        .first()
        .map(|hit| hit.matched.iter().map(reason).collect())
        .unwrap_or_default()
}

fn counts(answer: &Answer, field: FacetField) -> Vec<(&str, u64)> {
    let facet = answer
        .facets
        .iter()
        .find(|facet| facet.field == field)
        .unwrap();
    facet
        .values
        .iter()
        .map(|value| (value.value.as_str(), value.count))
        .collect()
}

/// The folder that holds the index in use.
fn folder(dir: &Path) -> PathBuf {
    let layouts = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let layout = layouts
        .filter(|path| path.is_dir())
        .find(|path| path.join("current").exists())
        .unwrap();
    let name = fs::read_to_string(layout.join("current")).unwrap();
    layout.join(name)
}

fn reopen(dir: &Path) -> Index {
    Index::open(dir, &Options::default()).unwrap()
}

// What users of such tools ask for.

#[test]
fn a_name_is_found_however_people_write_it() {
    let world = World::of(&[
        "dwh.fct_users_created",
        "dwh.fct_orders",
        "dwh.dim_date",
        "raw.events",
    ]);

    for text in [
        "fct_users_created",
        "users created",
        "fct users",
        "fctusers",
        "FctUsers",
        "usres created",
        "created user",
        "fctuserscreated",
        "FCT-USERS-CREATED",
        "dwh.fct_users_created",
    ] {
        assert_eq!(
            world.found(text).first(),
            Some(&"dwh.fct_users_created"),
            "{text}"
        );
    }
}

#[test]
fn the_exact_name_comes_first() {
    let mut world = World::new();
    for nth in 0..20 {
        let source = SourceLayer {
            description: Some("orders orders orders".to_owned()),
            ..columns(&["orders"])
        };
        world.table(&format!("orders.orders_{nth}_orders"), &source);
    }
    world.table("misc.orders", &SourceLayer::default());
    world.commit();

    assert_eq!(world.found("orders").first(), Some(&"misc.orders"));
    assert_eq!(world.found("Orders").first(), Some(&"misc.orders"));
}

#[test]
fn name_comes_before_place_before_columns_before_descriptions() {
    let mut world = World::new();
    world.table(
        "a.one",
        &described("Every payment. The payment of payments: payment payment."),
    );
    world.table(
        "a.two",
        &columns(&["payment", "payment_id", "payment_date"]),
    );
    world.table("payment.three", &SourceLayer::default());
    world.table(
        "a.late_payment_of_some_long_name_with_more_words",
        &SourceLayer::default(),
    );
    world.commit();

    assert_eq!(
        world.found("payment"),
        [
            "a.late_payment_of_some_long_name_with_more_words",
            "payment.three",
            "a.two",
            "a.one"
        ]
    );
}

#[test]
fn every_word_in_the_name_comes_before_name_and_place_together() {
    let mut world = World::new();
    world.table("sales.customers", &described("sales customers"));
    world.table(
        "x.all_customers_of_our_sales_department",
        &SourceLayer::default(),
    );
    world.commit();

    assert_eq!(
        world.found("sales customers"),
        ["x.all_customers_of_our_sales_department", "sales.customers"]
    );
}

#[test]
fn a_word_that_stands_nowhere_is_left_out_and_said() {
    let world = World::of(&["a.customers", "a.orders"]);

    let answer = world.search("customers zzzqqqxx");

    assert_eq!(world.names(&answer), ["a.customers"]);
    assert_eq!(answer.left_out.len(), 1);
    assert_eq!(answer.left_out[0].word, "zzzqqqxx");

    let answer = world.search("customers oxdexs");
    assert_eq!(answer.left_out[0].nearest, ["orders"]);
    assert_eq!(world.names(&answer), ["a.customers"]);
}

#[test]
fn only_words_that_stand_nowhere_find_nothing() {
    let world = World::of(&["a.customers"]);

    let answer = world.search("zzzqqqxx");

    assert_eq!(
        (answer.total, answer.hits.len(), answer.left_out.len()),
        (0, 0, 1)
    );
}

#[test]
fn a_misspelt_word_is_read_as_what_it_looks_like_and_said() {
    let world = World::of(&["a.customers", "a.orders"]);

    let answer = world.search("custmers");

    assert_eq!(world.names(&answer), ["a.customers"]);
    assert_eq!(answer.read_as[0].others, ["customers"]);
}

#[test]
fn a_hit_says_why_it_is_there() {
    let mut world = World::new();
    let mut source = columns(&["id", "address"]);
    source.columns[1].fields = vec![Column {
        name: "city".to_owned(),
        path: "address.city".to_owned(),
        comment: Some("Where the parcel goes.".to_owned()),
        ..Column::default()
    }];
    source.description = Some("Kept for years. One row for each shipment. <b>Bold</b>.".to_owned());
    source.view = Some(ViewDefinition {
        sql: "select * from raw.tracking".to_owned(),
        ..ViewDefinition::default()
    });
    world.table("dwh.fct_shipments", &source);
    world.commit();

    assert_eq!(
        reasons(&world.search("fct shipment"))[0],
        (MatchedField::Name, "[fct]_[shipments]".to_owned())
    );
    assert_eq!(
        reasons(&world.search("city")),
        [(MatchedField::Column, "address.[city]".to_owned())]
    );
    assert_eq!(
        reasons(&world.search("parcels")),
        [(
            MatchedField::ColumnComment,
            "Where the [parcel] goes.".to_owned()
        )]
    );
    assert_eq!(
        reasons(&world.search("row bold")),
        [(
            MatchedField::Description,
            "… One [row] for each shipment. <b>[Bold]</b>.".to_owned()
        )]
    );
    assert_eq!(
        reasons(&world.search("tracking")),
        [(MatchedField::Sql, "select * from raw.[tracking]".to_owned())]
    );
    assert_eq!(
        world.search("city").hits[0].matched[0].path.as_deref(),
        Some("address.city")
    );
    assert_eq!(reasons(&world.search("")), []);
}

#[test]
fn facets_and_totals_are_there_for_every_query() {
    let mut world = World::new();
    world.asset(AssetKind::Database, "sales", &SourceLayer::default());
    world.table("sales.orders", &SourceLayer::default());
    world.table("raw.orders", &SourceLayer::default());
    world.asset(
        AssetKind::View,
        "sales.orders_view",
        &SourceLayer::default(),
    );
    world.commit();

    let all = world.search("");
    assert_eq!(all.total, 4);
    assert_eq!(
        world.names(&all),
        ["raw.orders", "sales.orders", "sales.orders_view", "sales"]
    );
    assert_eq!(
        counts(&all, FacetField::Kind),
        [("table", 2), ("database", 1), ("view", 1)]
    );
    assert_eq!(
        counts(&all, FacetField::Database),
        [("sales", 3), ("raw", 1)]
    );
    assert_eq!(counts(&all, FacetField::Platform), [("glue", 4)]);

    for text in [
        "zzzqqqxx",
        "\"no such words\"",
        "column:zzz",
        "kind:view",
        "orders",
    ] {
        assert_eq!(world.search(text).facets.len(), 6, "{text}");
    }
}

#[test]
fn what_is_chosen_in_a_facet_does_not_hide_its_other_values() {
    let mut world = World::of(&["sales.orders", "raw.orders", "raw.orders_old"]);
    world.asset(AssetKind::View, "raw.orders_view", &SourceLayer::default());
    world.commit();

    let query = Query {
        choices: Choices::default()
            .with(FacetField::Database, "raw")
            .with(FacetField::Kind, "table"),
        ..Query::words("orders")
    };
    let answer = world.index.search(&query, &AccessFilter::none()).unwrap();

    assert_eq!(answer.total, 2);
    assert_eq!(
        counts(&answer, FacetField::Database),
        [("raw", 2), ("sales", 1)]
    );
    assert_eq!(
        counts(&answer, FacetField::Kind),
        [("table", 2), ("view", 1)]
    );
}

#[test]
fn quoted_words_are_meant_exactly_so() {
    let mut world = World::of(&[
        "a.order_lines",
        "a.lines_order",
        "a.order_line",
        "a.orderlines",
    ]);
    world.table("a.notes", &described("About order lines."));
    world.commit();

    assert_eq!(world.found("\"order lines\""), ["a.order_lines", "a.notes"]);
    assert_eq!(world.found("\"order line\""), ["a.order_line"]);
    assert_eq!(
        world.search("\"lines of order\"").left_out[0].word,
        "“lines of order”"
    );
}

#[test]
fn prefixes_narrow_down() {
    let mut world = World::new();
    world.table("sales.orders", &columns(&["order_id", "customer_id"]));
    world.table("sales.customer_id", &columns(&["id", "customer"]));
    world.asset(AssetKind::View, "web.visits", &columns(&["visitor"]));
    let owned = SourceLayer {
        owner: Some("Ana Silva".to_owned()),
        ..described("Net revenue.")
    };
    world.table("web.clicks", &owned);
    world.commit();

    assert_eq!(world.found("column:customer_id"), ["sales.orders"]);
    assert_eq!(world.found("kind:view"), ["web.visits"]);
    assert_eq!(world.found("owner:ana"), ["web.clicks"]);
    assert_eq!(world.found("description:revenues"), ["web.clicks"]);
    assert_eq!(world.found("name:customer"), ["sales.customer_id"]);
    assert_eq!(world.found("database:sales orders"), ["sales.orders"]);
    assert_eq!(world.found("database:WEB"), ["web.clicks", "web.visits"]);
    assert_eq!(world.found("platform:glue visits"), ["web.visits"]);
    assert_eq!(world.found("column:no_such_column"), [""; 0]);
}

#[test]
fn names_in_any_script_and_of_any_shape_are_found() {
    let names = [
        "データ.顧客注文",
        "kunden.Übermaße",
        "склад.Остатки",
        "a.x",
        "a.orders-2024/eu.v2",
        "a.🚀",
        "a._",
        "ข้อมูล.ลูกค้า",
    ];
    let world = World::of(&names);

    for (text, name) in [
        ("注文", "データ.顧客注文"),
        ("顧客", "データ.顧客注文"),
        ("データ", "データ.顧客注文"),
        ("ubermasse", "kunden.Übermaße"),
        ("остатки", "склад.Остатки"),
        ("x", "a.x"),
        ("orders-2024/eu.v2", "a.orders-2024/eu.v2"),
        ("orders 2024", "a.orders-2024/eu.v2"),
        ("🚀", "a.🚀"),
        ("_", "a._"),
        ("ลูกค้า", "ข้อมูล.ลูกค้า"),
    ] {
        assert_eq!(world.found(text).first(), Some(&name), "{text}");
    }
}

#[test]
fn nothing_that_can_be_typed_is_an_error() {
    let world = World::of(&["a.customers", "a.orders"]);
    let long = "x".repeat(10_000);
    let many = "orders ".repeat(2_000);
    let quotes = "\"a\" ".repeat(100);

    for text in [
        "\"",
        "\"\"",
        "\"a",
        ":::",
        "kind:",
        "kind:nope",
        "column:",
        "column:\"",
        "!!!",
        "\0",
        "🚀🚀",
        "-",
        "--orders",
        "*",
        "(a OR b) AND [c TO d]",
        "a^2~3",
        "\\",
        "\u{202e}abc",
        "%_'; drop table",
        &long,
        &many,
        &quotes,
    ] {
        world
            .index
            .search(&Query::words(text), &AccessFilter::none())
            .unwrap();
        world.index.suggest(text, 5, &AccessFilter::none()).unwrap();
    }
    let far = Query {
        offset: usize::MAX,
        limit: usize::MAX,
        ..Query::words("orders")
    };
    assert_eq!(
        world
            .index
            .search(&far, &AccessFilter::none())
            .unwrap()
            .hits
            .len(),
        0
    );
}

#[test]
fn a_question_finds_the_table_that_answers_most_of_it() {
    let mut world = World::new();
    world.table("shop.customers", &columns(&["id", "name", "country"]));
    world.table(
        "shop.orders",
        &columns(&["id", "customer_id", "ordered_at"]),
    );
    world.table("hr.employees", &columns(&["id", "name", "salary"]));
    world.commit();

    let answer = world.search("What is the average salary of the employees in each department?");

    assert_eq!(world.names(&answer).first(), Some(&"hr.employees"));
}

#[test]
fn the_beginning_of_a_name_suggests_it() {
    let world = World::of(&["dwh.fct_users_created", "dwh.customers", "dwh.orders"]);
    let suggested = |text: &str| {
        let hits = world.index.suggest(text, 5, &AccessFilter::none()).unwrap();
        hits.iter()
            .map(|hit| world.name_of(hit).to_owned())
            .collect::<Vec<_>>()
    };

    for text in ["fct", "fct_us", "fctus", "users cre", "dwh.fct"] {
        assert_eq!(
            suggested(text).first().map(String::as_str),
            Some("dwh.fct_users_created"),
            "{text}"
        );
    }
    assert_eq!(suggested("  "), [""; 0]);
}

#[test]
fn what_is_gone_is_found_only_when_asked_for() {
    let mut world = World::of(&["a.orders"]);
    world.put(
        id(1),
        of_asset(
            id(1),
            AssetKind::Table,
            &address("a.orders"),
            &SourceLayer::default(),
        )
        .gone(true),
    );
    world.commit();

    let current = world.search("orders");
    assert_eq!((current.total, current.removed), (0, 1));
    assert_eq!(world.search("is:removed").total, 1);
    assert_eq!(world.search("payments").removed, 0);
    let query = Query {
        include_gone: true,
        ..Query::words("orders")
    };
    assert_eq!(
        world
            .index
            .search(&query, &AccessFilter::none())
            .unwrap()
            .total,
        1
    );
}

/// Four tables: one that is verified and changed today, one that is deprecated and changed 20 days ago, one that is only
/// described, and one of which nothing is known.
fn world_of_trust() -> World {
    let mut world = World::of(&["a.orders_d", "a.orders_c", "a.orders_b", "a.orders_a"]);
    let today = Utc::now().date_naive();
    let document = |nth: usize, path: &str, source: &SourceLayer| {
        of_asset(id(nth), AssetKind::Table, &address(path), source)
    };
    let text = described("About what was sold.");
    let verified = document(1, "a.orders_d", &text)
        .owned_by("Ada", "ada")
        .verified(Some(today))
        .measured(None, Some(today));
    let deprecated = document(2, "a.orders_c", &text)
        .owned_by("Ada", "ada")
        .deprecated(true)
        .measured(None, Some(today - Days::new(20)));
    world.put(id(1), verified);
    world.put(id(2), deprecated);
    world.put(id(3), document(3, "a.orders_b", &text));
    world.commit();
    world
}

#[test]
fn hits_are_narrowed_by_trust_and_age() {
    let world = world_of_trust();

    let found = |text: &str| {
        let mut found = world.found(text);
        found.sort_unstable();
        found
    };
    assert_eq!(found("is:verified"), ["a.orders_d"]);
    assert_eq!(found("orders is:deprecated"), ["a.orders_c"]);
    assert_eq!(found("is:undescribed"), ["a.orders_a"]);
    assert_eq!(found("is:unowned"), ["a.orders_a", "a.orders_b"]);
    assert_eq!(found("is:unowned is:undescribed"), ["a.orders_a"]);
    assert_eq!(found("is:verified is:deprecated"), [""; 0]);
    assert_eq!(found("changed:7d"), ["a.orders_d"]);
    assert_eq!(found("changed:1m"), ["a.orders_c", "a.orders_d"]);
    assert_eq!(found("is:removed"), [""; 0]);

    for (typed, nearest) in [("is:good", "is:verified"), ("changed:soon", "changed:7d")] {
        let answer = world.search(&format!("orders {typed}"));
        assert_eq!(answer.total, 4, "{typed}");
        assert_eq!(answer.left_out[0].word, typed);
        assert_eq!(answer.left_out[0].nearest[0], nearest);
    }
}

#[test]
fn of_the_chosen_kinds_of_trust_one_is_enough() {
    let world = world_of_trust();
    let counted = [
        ("verified", 1),
        ("deprecated", 1),
        ("undescribed", 1),
        ("unowned", 2),
    ];
    assert_eq!(counts(&world.search("orders"), FacetField::Trust), counted);

    let query = Query {
        choices: Choices::default()
            .with(FacetField::Trust, "verified")
            .with(FacetField::Trust, "undescribed"),
        ..Query::words("orders")
    };
    let answer = world.index.search(&query, &AccessFilter::none()).unwrap();
    assert_eq!(answer.total, 2);
    assert_eq!(counts(&answer, FacetField::Trust), counted);
    assert_eq!(counts(&answer, FacetField::Database), [("a", 2)]);

    let query = Query {
        age: Some("1w".parse().unwrap()),
        ..Query::words("orders")
    };
    let answer = world.index.search(&query, &AccessFilter::none()).unwrap();
    assert_eq!(world.names(&answer), ["a.orders_d"]);
}

/// Four tables: the source names the owner of two, people name others for one of these, and three have labels.
fn world_of_owners() -> World {
    let mut world = World::of(&["a.orders_d", "a.orders_c", "a.orders_b", "a.orders_a"]);
    let owned = SourceLayer {
        owner: Some("shop-data".to_owned()),
        ..columns(&["c"])
    };
    let document = |nth: usize, path: &str, source: &SourceLayer| {
        of_asset(id(nth), AssetKind::Table, &address(path), source)
    };
    let said = document(1, "a.orders_d", &owned)
        .owned_by("Ada Lovelace", "ada")
        .owned_by("Growth", "growth")
        .tagged("core")
        .tagged("daily");
    let source = document(2, "a.orders_c", &owned).tagged("core");
    let other = document(3, "a.orders_b", &columns(&["c"])).owned_by("Growth", "growth");
    world.put(id(1), said);
    world.put(id(2), source);
    world.commit();
    world.put(id(3), other);
    world.commit();
    world
}

#[test]
fn hits_are_counted_and_narrowed_by_each_of_their_owners_and_tags() {
    let world = world_of_owners();
    let owners = [("Growth", 2), ("Ada Lovelace", 1), ("shop-data", 1)];
    let tags = [("core", 2), ("daily", 1)];
    let answer = world.search("orders");
    assert_eq!(counts(&answer, FacetField::Owner), owners);
    assert_eq!(counts(&answer, FacetField::Tag), tags);

    let chosen = |owners: &[&str], tags: &[&str]| {
        let owners = owners.iter().map(|name| (FacetField::Owner, *name));
        let tags = tags.iter().map(|name| (FacetField::Tag, *name));
        let chosen = owners.chain(tags);
        let query = Query {
            choices: chosen.fold(Choices::default(), |choices, (facet, value)| {
                choices.with(facet, value)
            }),
            ..Query::words("orders")
        };
        world.index.search(&query, &AccessFilter::none()).unwrap()
    };
    let by_owner = chosen(&["Growth"], &[]);
    assert_eq!(world.names(&by_owner), ["a.orders_d", "a.orders_b"]);
    assert_eq!(counts(&by_owner, FacetField::Owner), owners);
    assert_eq!(
        counts(&by_owner, FacetField::Tag),
        [("core", 1), ("daily", 1)]
    );
    assert_eq!(chosen(&["Growth", "shop-data"], &[]).total, 3);

    let by_both = chosen(&["Growth"], &["core"]);
    assert_eq!(world.names(&by_both), ["a.orders_d"]);
    assert_eq!(
        counts(&by_both, FacetField::Owner),
        [("Ada Lovelace", 1), ("Growth", 1), ("shop-data", 1)]
    );

    let nobody = chosen(&["nobody"], &[]);
    assert_eq!(nobody.total, 0);
    assert_eq!(
        counts(&nobody, FacetField::Owner).last(),
        Some(&("nobody", 0))
    );
}

#[test]
fn hits_are_sorted_by_name_or_by_what_changed_last() {
    let world = world_of_trust();
    let sorted = |sort| {
        let page = |offset| {
            let query = Query {
                sort,
                offset,
                limit: 2,
                ..Query::words("orders")
            };
            let answer = world.index.search(&query, &AccessFilter::none()).unwrap();
            let names = world.names(&answer).into_iter();
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        [page(0), page(2)].concat()
    };

    let by_name = ["a.orders_a", "a.orders_b", "a.orders_c", "a.orders_d"];
    assert_eq!(sorted(Sort::Name), by_name);
    let by_change = ["a.orders_d", "a.orders_c", "a.orders_a", "a.orders_b"];
    assert_eq!(sorted(Sort::Changed), by_change);
}

#[test]
fn what_people_wrote_is_found_too() {
    let mut world = World::of(&["a.t1"]);
    let document = of_asset(id(1), AssetKind::Table, &address("a.t1"), &columns(&["c"]))
        .described("Churned subscribers.")
        .noted("c", "Reason for leaving.");
    world.put(id(1), document);
    world.commit();

    assert_eq!(world.found("churn"), ["a.t1"]);
    assert_eq!(
        reasons(&world.search("leaving"))[0].0,
        MatchedField::ColumnComment
    );
}

#[test]
fn pages_follow_one_another_without_gaps() {
    let mut world = World::new();
    for nth in 0..50 {
        world.table(&format!("a.orders_{nth:02}"), &SourceLayer::default());
        if nth % 7 == 0 {
            world.commit();
        }
    }
    world.commit();
    let page = |offset| Query {
        offset,
        limit: 15,
        ..Query::words("")
    };

    let pages = [0, 15, 30, 45].map(|offset| {
        world
            .index
            .search(&page(offset), &AccessFilter::none())
            .unwrap()
    });
    let names: Vec<_> = pages
        .iter()
        .flat_map(|answer| world.names(answer))
        .collect();

    let mut expected = world.names.clone();
    expected.sort();
    assert_eq!(names, expected);
}

// What it survives.

#[test]
fn applying_twice_is_applying_once() {
    let mut world = World::of(&["a.orders"]);
    for _ in 0..2 {
        let document = of_asset(
            id(1),
            AssetKind::Table,
            &address("a.orders"),
            &columns(&["fresh"]),
        );
        world.put(id(1), document);
    }
    world.commit();

    assert_eq!(world.search("").total, 1);
    assert_eq!(world.search("fresh").total, 1);

    world
        .writer
        .apply([Change {
            seq: 2,
            subject: id(1).subject(),
            document: None,
        }])
        .unwrap();
    world.commit();
    assert_eq!(world.search("").total, 0);
}

#[test]
fn only_what_was_committed_is_there_after_a_crash() {
    let mut world = World::of(&["a.orders"]);
    world.table("a.never", &SourceLayer::default());
    let World {
        dir, index, writer, ..
    } = world;
    drop((index, writer));

    let index = reopen(dir.path());

    assert_eq!((index.applied(), index.len()), (1, 1));
    assert_eq!(
        index
            .search(&Query::words("never"), &AccessFilter::none())
            .unwrap()
            .total,
        0
    );
}

#[test]
fn only_one_writes_and_the_others_see_what_it_commits() {
    let mut world = World::of(&["a.orders"]);
    let other = reopen(world.dir.path());

    assert!(matches!(other.writer(), Err(Error::Busy)));

    world.table("a.customers", &SourceLayer::default());
    world.writer.commit(7).unwrap();
    assert_eq!(
        other
            .search(&Query::words("customers"), &AccessFilter::none())
            .unwrap()
            .total,
        1
    );
    assert_eq!(other.applied(), 7);
    drop(world.writer);
    other.writer().unwrap();
}

#[test]
fn a_half_written_index_is_put_aside() {
    let world = World::of(&["a.orders"]);
    let World {
        dir, index, writer, ..
    } = world;
    drop((index, writer));

    for damage in ["{\"segments\": [", "", "{}"] {
        fs::write(folder(dir.path()).join("meta.json"), damage).unwrap();
        let index = reopen(dir.path());
        assert_eq!((index.applied(), index.len()), (0, 0));
        fill(&index, 3);
        assert_eq!(
            index
                .search(&Query::words("refilled"), &AccessFilter::none())
                .unwrap()
                .total,
            1
        );
    }
}

#[test]
fn a_damaged_segment_is_noticed_when_opening() {
    let world = World::of(&["a.orders"]);
    let World {
        dir, index, writer, ..
    } = world;
    drop((index, writer));
    let files = fs::read_dir(folder(dir.path()))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let store = files
        .filter(|path| path.extension().is_some_and(|end| end == "store"))
        .last()
        .unwrap();
    let mut bytes = fs::read(&store).unwrap();
    bytes[10] ^= 0xff;
    fs::write(&store, bytes).unwrap();

    let index = reopen(dir.path());

    assert_eq!(index.applied(), 0);
    fill(&index, 2);
    assert_eq!(
        index
            .search(&Query::words("refilled"), &AccessFilter::none())
            .unwrap()
            .total,
        1
    );
}

#[test]
fn a_folder_deleted_while_running_is_noticed_and_built_again() {
    let mut world = World::of(&["a.orders"]);
    assert_eq!(world.index.applied(), 1);
    fs::remove_dir_all(world.dir.path()).unwrap();

    assert_eq!(world.index.applied(), 0);
    assert_eq!(world.found("orders"), ["a.orders"]);
    let change = Change {
        seq: 2,
        subject: id(9).subject(),
        document: None,
    };
    assert!(matches!(world.writer.apply([change]), Err(Error::Lost)));

    let mut rebuild = world.writer.rebuild().unwrap();
    rebuild.add([refilled()]).unwrap();
    rebuild.finish(5).unwrap();

    assert_eq!((world.index.applied(), world.index.len()), (5, 1));
    assert_eq!(world.search("refilled").total, 1);
    assert_eq!(reopen(world.dir.path()).applied(), 5);
}

#[test]
fn the_old_index_answers_until_the_new_one_is_finished() {
    let mut world = World::of(&["a.orders"]);
    let other = reopen(world.dir.path());

    let mut rebuild = world.writer.rebuild().unwrap();
    rebuild.add([refilled()]).unwrap();
    assert_eq!(
        other
            .search(&Query::words("orders"), &AccessFilter::none())
            .unwrap()
            .total,
        1
    );
    drop(rebuild);
    assert_eq!(world.search("orders").total, 1);

    let mut rebuild = world.writer.rebuild().unwrap();
    rebuild.add([refilled()]).unwrap();
    rebuild.finish(9).unwrap();
    for index in [&world.index, &other] {
        index.refresh().unwrap();
        assert_eq!(
            index
                .search(&Query::words("orders"), &AccessFilter::none())
                .unwrap()
                .total,
            0
        );
        assert_eq!(index.applied(), 9);
    }
    let home = folder(world.dir.path()).parent().unwrap().to_owned();
    let folders = fs::read_dir(home)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 1);
}

#[test]
fn the_folder_of_another_layout_is_not_read_and_goes_with_the_next_build() {
    let dir = tempfile::tempdir().unwrap();
    let older = dir.path().join("v0-0123abcd");
    fs::create_dir_all(&older).unwrap();
    fs::write(older.join("meta.json"), "older").unwrap();
    let mine = dir.path().join("notes");
    fs::create_dir_all(&mine).unwrap();

    let index = reopen(dir.path());
    assert_eq!(index.applied(), 0);
    fill(&index, 4);

    assert!(!older.exists());
    assert!(mine.exists());
}

#[test]
fn clearing_forgets_everything() {
    let mut world = World::of(&["a.orders"]);

    world.writer.clear().unwrap();
    world.writer.commit(2).unwrap();

    assert_eq!((world.index.len(), world.search("").total), (0, 0));
}

#[test]
fn handles_are_shared_between_threads() {
    fn shared<T: Clone + Send + Sync>(_: &T) {}
    let world = World::of(&["a.orders"]);

    shared(&world.index);
}

fn refilled() -> Document {
    of_asset(
        id(1),
        AssetKind::Table,
        &address("a.refilled"),
        &SourceLayer::default(),
    )
}

fn fill(index: &Index, seq: i64) {
    let mut writer = index.writer().unwrap();
    let mut rebuild = writer.rebuild().unwrap();
    rebuild.add([refilled()]).unwrap();
    rebuild.finish(seq).unwrap();
}

#[test]
fn what_is_deprecated_comes_after_what_is_as_good_and_what_is_verified_before_its_equals() {
    let mut world = World::new();
    let day = chrono::NaiveDate::from_ymd_opt;
    for (nth, path) in ["a.sales", "b.sales", "c.sales", "d.sales"]
        .into_iter()
        .enumerate()
    {
        world.names.push(path.to_owned());
        let document = of_asset(
            id(nth + 1),
            AssetKind::Table,
            &address(path),
            &SourceLayer::default(),
        );
        let document = match path {
            "a.sales" => document.deprecated(true).verified(day(2999, 1, 1)),
            "b.sales" => document.verified(day(2020, 1, 1)),
            "d.sales" => document.verified(day(2999, 1, 1)),
            _ => document,
        };
        world.put(id(nth + 1), document);
    }
    world.commit();

    let order = ["d.sales", "b.sales", "c.sales", "a.sales"];
    assert_eq!(world.found("sales"), order);
    assert_eq!(world.found(""), order);
    assert_eq!(world.found("a.sales").first(), Some(&"a.sales"));
}
