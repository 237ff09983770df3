//! What a search field offers while somebody types, the palette, and the preview beside results.

use gazetteer::auth::Role;
use gazetteer::catalog::AssetKind;
use gazetteer::demo::World;
use scraper::{Html, Selector};

use crate::support::app::{Browser, TestApp, asset, table, texts};

/// The offers of one group, each in one line.
fn group(page: &Html, label: &str) -> Vec<String> {
    let lines = texts(
        page,
        &format!("[role=group][aria-label='{label}'] [role=option]"),
    );
    let squeezed = lines.iter().map(|line| line.split_whitespace());
    squeezed
        .map(|words| words.collect::<Vec<_>>().join(" "))
        .collect()
}

/// An attribute of the first option of a group.
fn first(page: &Html, label: &str, attribute: &str) -> String {
    let selector = format!("[role=group][aria-label='{label}'] [role=option]");
    let selector = Selector::parse(&selector).unwrap();
    let option = page.select(&selector).next().unwrap();
    option
        .value()
        .attr(attribute)
        .unwrap_or_default()
        .to_owned()
}

async fn shop() -> TestApp {
    let app = TestApp::start().await;
    let mut customers = table(
        &["shop", "customers"],
        &[("id", "bigint"), ("city", "string")],
    );
    customers.source.description = Some("One row for each customer. And more.".to_owned());
    customers.source.owner = Some("shop-data".to_owned());
    let wide: Vec<String> = (0..450).map(|nth| format!("field_{nth}")).collect();
    let wide: Vec<(&str, &str)> = wide.iter().map(|name| (name.as_str(), "int")).collect();
    let inside = vec![
        customers,
        table(&["shop", "wide"], &wide),
        asset(AssetKind::View, &["shop", "v_customers"]),
    ];
    app.add("shop", inside).await;
    app.until_indexed().await;
    app
}

async fn offered(by: &Browser, typed: &str) -> Html {
    by.page(&format!("/search/suggest?q={typed}")).await
}

#[tokio::test]
async fn an_asset_is_offered_with_its_reason_and_a_column_with_its_type() {
    let app = shop().await;

    let page = offered(app.admin(), "customers+city").await;

    let assets = group(&page, "Tables, views and databases");
    assert!(assets[0].contains("column city · string"), "{assets:?}");
    let columns = group(&page, "Columns");
    assert_eq!(columns, ["city string shop.customers Column"]);
    let href = first(&page, "Columns", "data-href");
    let id = app.id_of(&["shop", "customers"]).await;
    assert_eq!(href, format!("/assets/{id}?at=city#wanted"));
    let named = offered(app.admin(), "customers").await;
    let named = group(&named, "Tables, views and databases");
    assert!(named[0].contains("One row for each customer."), "{named:?}");
}

#[tokio::test]
async fn a_link_to_a_column_opens_its_table_where_the_column_is_marked() {
    let app = shop().await;
    let id = app.id_of(&["shop", "wide"]).await;

    let page = app.page(&format!("/assets/{id}?at=field_431")).await;

    let marked = texts(&page, "#wanted th");
    assert_eq!(marked.len(), 1);
    assert!(marked[0].contains("field_431"), "{marked:?}");
}

#[tokio::test]
async fn the_last_line_tells_how_many_results_the_search_has() {
    let app = shop().await;

    for typed in ["customers", "field", "city", "shop"] {
        let found = app.json(&format!("/api/v1/search?q={typed}")).await;
        let total = found["total"].as_u64().unwrap();
        let line = group(&offered(app.admin(), typed).await, "Search").join("");
        let expected = match total {
            1 => "The 1 result Enter ↵".to_owned(),
            many => format!("All {many} results Enter ↵"),
        };
        assert_eq!(line, expected, "{typed}");
    }
}

#[tokio::test]
async fn words_that_filter_are_completed_with_what_the_catalog_has() {
    let app = shop().await;
    let id = app.id_of(&["shop", "customers"]).await;
    let tags = [("version", "0"), ("tags", "Gold standard\r\npii")];
    let saved = app
        .admin()
        .post(&format!("/assets/{id}/edit/tags"), &tags)
        .await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    app.until_indexed().await;

    for (typed, expected, filled) in [
        ("own", "owner: An owner, by name", "owner:"),
        (
            "owner:sh",
            "owner:shop-data An owner, by name",
            "owner:shop-data ",
        ),
        (
            "city+tag:go",
            "tag:\"gold standard\" A tag",
            "city tag:\"gold standard\" ",
        ),
        ("kind:v", "kind:view Table, view or database", "kind:view "),
        ("database:s", "database:shop A database", "database:shop "),
        ("column:ci", "column:city A column, by name", "column:city "),
    ] {
        let page = offered(app.admin(), typed).await;
        assert_eq!(group(&page, "Filters"), [expected], "{typed}");
        assert_eq!(first(&page, "Filters", "data-fill"), filled, "{typed}");
        let found = app
            .json(&format!("/api/v1/search?q={}", filled.trim()))
            .await;
        assert!(
            filled.ends_with(':') || found["total"] != 0,
            "{filled}: {found}"
        );
    }
    let page = offered(app.admin(), "customers+owner:sh").await;
    assert!(!group(&page, "Tables, views and databases").is_empty());
    let help = texts(&app.page("/browse").await, ".filter-help a");
    assert!(help.iter().any(|line| line.contains("owner:")), "{help:?}");
}

#[tokio::test]
async fn the_palette_offers_pages_and_actions_to_those_who_may() {
    let app = TestApp::reading(World::demo().unwrap()).await;
    let (steward, reader) = (
        app.person("ana", Role::Steward, &[]).await,
        app.person("rob", Role::Reader, &[]).await,
    );
    let found = app.json("/api/v1/search?q=dim_customer").await;
    let id = found["hits"][0]["id"].as_str().unwrap();
    let here = format!("/palette?here=/assets/{id}");

    let page = app.admin().page("/palette?q=audit").await;
    assert_eq!(group(&page, "Pages"), ["Audit"]);
    let page = steward.page("/palette?q=audit").await;
    assert_eq!(group(&page, "Pages"), [""; 0]);
    let page = steward.page(&format!("{here}&q=describe")).await;
    assert_eq!(group(&page, "On dim_customer"), ["Describe this table"]);
    assert_eq!(
        first(&page, "On dim_customer", "data-href"),
        format!("/assets/{id}/edit/description")
    );
    assert_eq!(group(&reader.page(&here).await, "On dim_customer"), [""; 0]);
    let page = app.admin().page("/palette?q=run+world").await;
    assert_eq!(group(&page, "Recipes"), ["Run world now"]);
    assert_eq!(
        first(&page, "Recipes", "data-sends"),
        "/ingestion/recipes/world/runs"
    );
    let page = steward.page("/palette?q=dim_customer").await;
    let found = group(&page, "Tables, views and databases");
    assert!(found[0].contains("dim_customer"), "{found:?}");
    let page = steward.page("/palette?q=xyzzyplugh").await;
    assert_eq!(
        texts(&page, "[data-none]"),
        ["Nothing is called “xyzzyplugh”."]
    );
}

#[tokio::test]
async fn a_preview_shows_the_first_columns_and_what_is_said() {
    let app = shop().await;
    let results = app.page("/search?q=customers").await;
    let hit = Selector::parse("#hits > li[data-part]").unwrap();
    let part = results.select(&hit).next().unwrap();
    let part = part.value().attr("data-part").unwrap();

    let page = app.page(part).await;

    assert_eq!(texts(&page, "#preview-title"), ["customers"]);
    assert_eq!(
        texts(&page, ".preview-columns th[scope=row]"),
        ["id", "city"]
    );
    assert_eq!(
        texts(&page, ".preview-text"),
        ["One row for each customer. And more."]
    );
    let wide = app.id_of(&["shop", "wide"]).await;
    let page = app.page(&format!("/assets/{wide}/preview")).await;
    assert_eq!(texts(&page, ".preview-columns th[scope=row]").len(), 14);
    assert!(page.html().contains("436 more columns"));
}
