//! The main job: what a Glue says is in the catalog, in its history and in the search; and nothing else ever is.

use gazetteer::catalog::{Action, AssetKind, Difference};
use gazetteer::demo::{EVERY_PAGE, Endpoint, Fault, Operation, World};
use gazetteer::ingest::RunState;
use serde_json::{Value, json};

use crate::support::catalog::TestCatalog;

fn table(name: &str, columns: &[(&str, &str)]) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, kind)| json!({ "Name": name, "Type": kind }))
        .collect();
    json!({
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "CatalogId": "123456789012",
        "StorageDescriptor": { "Columns": columns, "Location": format!("s3://lake/{name}/") },
    })
}

fn database(name: &str) -> Value {
    json!({ "Name": name, "CatalogId": "123456789012" })
}

/// One database, `sales`, with so many tables named `t000` and so on.
fn world(tables: usize) -> World {
    let mut world = World::new();
    world.set_database(&database("sales"));
    for n in 0..tables {
        world.set_table(
            "sales",
            &table(&format!("t{n:03}"), &[("id", "bigint"), ("city", "string")]),
        );
    }
    world
}

/// Three tables, and a link to another one.
fn world_with_link(target: &Value) -> World {
    let mut world = world(3);
    let link = json!({ "Name": "link", "CatalogId": "123456789012", "TargetTable": target });
    world.set_table("sales", &link);
    world
}

#[tokio::test]
async fn a_table_is_found_by_the_name_of_its_column_and_read_with_its_schema() {
    let catalog = TestCatalog::start().await;
    let mut world = world(3);
    world.set_table(
        "sales",
        &table(
            "orders",
            &[
                ("order_id", "bigint"),
                ("address", "struct<city:string,zip:string>"),
            ],
        ),
    );
    let glue = Endpoint::start(world).await.unwrap();

    let run = catalog.ingest(&glue).await;

    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(run.counts.assets.new, 4);
    let found = catalog.search("order_id");
    let orders = catalog.find(&["sales", "orders"]).await;
    assert_eq!(found.hits[0].subject, orders.id.subject());
    let paths: Vec<&str> = orders
        .source
        .columns
        .iter()
        .flat_map(|column| column.walk())
        .map(|column| column.path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["order_id", "address", "address.city", "address.zip"]
    );
}

#[tokio::test]
async fn reading_an_unchanged_source_again_writes_nothing_but_its_run() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    let first = catalog.ingest(&glue).await;
    let (head, indexed) = (catalog.head().await, catalog.app.index.applied());
    let before: Vec<_> = catalog
        .assets()
        .await
        .into_iter()
        .map(|asset| (asset.id, asset.last_seen))
        .collect();

    let second = catalog.ingest(&glue).await;

    assert!(first.counts.assets.new >= 80);
    assert_eq!(second.counts.assets.new, 0);
    assert_eq!(second.counts.assets.changed, 0);
    assert_eq!(second.counts.assets.gone, 0);
    assert_eq!(second.counts.assets.unchanged, first.counts.assets.new);
    assert_eq!(catalog.head().await, head);
    assert_eq!(catalog.app.index.applied(), indexed);
    let after: Vec<_> = catalog
        .assets()
        .await
        .into_iter()
        .map(|asset| (asset.id, asset.last_seen))
        .collect();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_changed_table_tells_its_history_in_sentences() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(10)).await.unwrap();
    catalog.ingest(&glue).await;

    let mut changed = table("t001", &[("id", "string"), ("country", "string")]);
    changed["StorageDescriptor"]["Columns"][1]["Comment"] = json!("ISO code");
    glue.replace_table("sales", &changed);
    let run = catalog.ingest(&glue).await;

    assert_eq!(
        (run.counts.assets.changed, run.counts.assets.unchanged),
        (1, 9)
    );
    let history = catalog.history(&["sales", "t001"]).await;
    assert_eq!(history[0].run, Some(run.id));
    assert_eq!(history[1].action, Action::Created);
    assert_eq!(
        history[0].action.sentences(),
        [
            "Column “city” was dropped (string).",
            "Column “id” changed its type from bigint to string.",
            "Column “country” was added (string).",
        ]
    );
}

#[tokio::test]
async fn what_changes_without_meaning_is_no_change() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(1)).await.unwrap();
    catalog.ingest(&glue).await;
    let head = catalog.head().await;

    let mut touched = table("t000", &[("id", "bigint"), ("city", "string")]);
    touched["Parameters"] = json!({ "transient_lastDdlTime": "1700000000", "numRows": "17" });
    touched["UpdateTime"] = json!(1_700_000_000.5);
    glue.replace_table("sales", &touched);
    let run = catalog.ingest(&glue).await;

    assert_eq!(run.counts.assets.unchanged, 1);
    assert_eq!(catalog.head().await, head);
    assert_eq!(catalog.find(&["sales", "t000"]).await.facts.rows, Some(17));
}

#[tokio::test]
async fn a_table_that_vanishes_is_gone_and_returns_with_its_id() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(10)).await.unwrap();
    catalog.ingest(&glue).await;
    let id = catalog.find(&["sales", "t003"]).await.id;

    glue.remove_table("sales", "t003");
    let without = catalog.ingest(&glue).await;
    let gone = catalog.find(&["sales", "t003"]).await;
    glue.add_table("sales", &table("t003", &[("id", "bigint")]));
    let again = catalog.ingest(&glue).await;
    let back = catalog.find(&["sales", "t003"]).await;

    assert_eq!(
        (without.state, without.counts.assets.gone),
        (RunState::Succeeded, 1)
    );
    assert!(gone.gone_at.is_some());
    assert_eq!(
        (again.counts.assets.changed, back.gone_at, back.id),
        (1, None, id)
    );
    let actions: Vec<_> = catalog
        .history(&["sales", "t003"])
        .await
        .into_iter()
        .map(|change| change.action)
        .collect();
    let dropped = Difference::ColumnDropped {
        column: "city".into(),
        data_type: "string".into(),
    };
    assert_eq!(
        actions,
        [
            Action::Returned(vec![dropped]),
            Action::Gone,
            Action::Created
        ]
    );
}

#[tokio::test]
async fn more_than_the_recipes_share_is_named_and_kept() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(10)).await.unwrap();
    catalog.ingest(&glue).await;

    for name in ["t001", "t002", "t003"] {
        glue.remove_table("sales", name);
    }
    let refused = catalog.ingest(&glue).await;
    let kept = catalog.names(false).await.len();
    let allowed = catalog
        .ingest_with(&glue, "", "remove: {at_most: 30%}")
        .await;

    assert_eq!(
        (refused.state, refused.counts.assets.gone, kept),
        (RunState::Partial, 0, 10)
    );
    let text = &catalog.findings(&refused).await[0].text;
    assert!(
        text.contains("3 of the 10") && text.contains("“t001”, “t002”, “t003”"),
        "{text}"
    );
    assert_eq!(
        (allowed.state, allowed.counts.assets.gone),
        (RunState::Succeeded, 3)
    );
}

#[tokio::test]
async fn all_tables_of_a_database_go_only_when_the_recipe_says_so() {
    let catalog = TestCatalog::start().await;
    let mut world = world(1);
    world.set_database(&database("other"));
    let glue = Endpoint::start(world).await.unwrap();
    catalog.ingest(&glue).await;

    glue.remove_database("sales");
    let refused = catalog
        .ingest_with(&glue, "", "remove: {at_most: 99%}")
        .await;
    let kept = catalog.names(false).await;
    let told = catalog
        .ingest_with(&glue, "", "remove: {at_most: 100%}")
        .await;

    assert_eq!(
        (refused.state, kept),
        (RunState::Partial, vec!["sales.t000".to_owned()])
    );
    assert_eq!(
        (told.state, told.counts.assets.gone),
        (RunState::Succeeded, 1)
    );
    assert!(catalog.find(&["sales"]).await.gone_at.is_some());
}

#[tokio::test]
async fn what_a_recipe_does_not_look_at_is_never_gone() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(10)).await.unwrap();
    catalog.ingest(&glue).await;

    let narrow = catalog
        .ingest_with(
            &glue,
            "    table_pattern: {deny: [\"sales\\\\.t00[0-4]\"]}",
            "remove: {at_most: 100%}",
        )
        .await;

    assert_eq!(
        (
            narrow.state,
            narrow.counts.assets.gone,
            narrow.counts.assets.unchanged
        ),
        (RunState::Succeeded, 0, 5)
    );
    assert_eq!(catalog.names(false).await.len(), 10);
}

/// Every fault that ends a listing, on every page.
#[tokio::test]
async fn no_fault_on_any_page_makes_a_table_gone_and_the_report_names_it() {
    let catalog = TestCatalog::start().await;
    let mut world = world(250);
    world.set_database(&database("other"));
    world.set_table("other", &table("neighbour", &[("id", "int")]));
    let glue = Endpoint::start(world).await.unwrap();
    catalog.ingest(&glue).await;
    let known = catalog.names(false).await;
    // Were a broken listing taken for a whole one, these would be gone.
    glue.remove_table("sales", "t240");

    for fault in [
        Fault::AccessDenied,
        Fault::EntityNotFound,
        Fault::InvalidInput,
        Fault::ExpiredToken,
        Fault::NotJson,
        Fault::RepeatedToken,
    ] {
        for page in 1..=3 {
            glue.heal();
            glue.fault("sales", page, fault);
            let run = catalog.ingest(&glue).await;

            assert_eq!(run.state, RunState::Partial, "{fault:?} on page {page}");
            assert_eq!(run.counts.incomplete, 1, "{fault:?} on page {page}");
            assert_eq!(
                catalog.names(false).await,
                known,
                "{fault:?} on page {page}"
            );
            let findings = catalog.findings(&run).await;
            assert!(
                findings
                    .iter()
                    .any(|finding| finding.about.as_deref() == Some("sales")),
                "{findings:?}"
            );
        }
    }
    glue.heal();
    assert_eq!(catalog.ingest(&glue).await.counts.assets.gone, 1);
}

#[tokio::test]
async fn hostile_names_come_through_whole() {
    let catalog = TestCatalog::start().await;
    let long = "x".repeat(10_000);
    let names = [
        "a.b",
        "it's \"quoted\"",
        "<script>alert(1)</script>",
        "%00",
        "nul\0inside",
        "اسم الجدول",
        "表格😀",
        "{{name}} {{{raw}}}",
        "'; DROP TABLE asset; --",
        long.as_str(),
    ];
    let mut world = World::new();
    world.set_database(&database("we.ird"));
    for name in names {
        world.set_table("we.ird", &table(name, &[(name, name), ("plain", "int")]));
    }
    let glue = Endpoint::start(world).await.unwrap();

    let run = catalog.ingest(&glue).await;

    assert_eq!(
        (run.state, run.counts.assets.new),
        (RunState::Succeeded, names.len() as u64)
    );
    for name in names {
        let asset = catalog.find(&["we.ird", name]).await;
        assert_eq!(asset.address.name(), name);
        assert_eq!(asset.source.columns[0].name, name);
        assert_eq!(asset.kind, AssetKind::Table);
        catalog.search(name);
    }
    assert_eq!(
        catalog.ingest(&glue).await.counts.assets.unchanged,
        names.len() as u64
    );
}

#[tokio::test]
async fn a_list_of_databases_that_ends_early_makes_none_gone() {
    let catalog = TestCatalog::start().await;
    let mut world = World::new();
    for n in 0..150 {
        world.set_database(&database(&format!("db{n:03}")));
    }
    let glue = Endpoint::start(world).await.unwrap();
    catalog.ingest(&glue).await;
    glue.remove_database("db149");

    for fault in [
        Fault::AccessDenied,
        Fault::InvalidInput,
        Fault::ExpiredToken,
        Fault::RepeatedToken,
    ] {
        glue.heal();
        glue.fault_databases(2, fault);
        let run = catalog
            .ingest_with(&glue, "", "remove: {at_most: 100%}")
            .await;

        assert_eq!(run.state, RunState::Partial, "{fault:?}");
        assert_eq!(catalog.find(&["db149"]).await.gone_at, None, "{fault:?}");
    }
}

#[tokio::test]
async fn a_passing_fault_is_coped_with() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(150)).await.unwrap();
    for fault in [
        Fault::Throttled,
        Fault::InternalError,
        Fault::OperationTimeout,
        Fault::ClosedConnection,
    ] {
        glue.heal();
        glue.fault("sales", 2, fault.times(1));
        let run = catalog.ingest(&glue).await;

        assert_eq!(run.state, RunState::Succeeded, "{fault:?}");
        assert_eq!(catalog.names(false).await.len(), 150, "{fault:?}");
    }
}

#[tokio::test]
async fn a_link_that_is_no_longer_wanted_stays_as_it_was() {
    let catalog = TestCatalog::start().await;
    let target = json!({ "CatalogId": "123456789012", "DatabaseName": "sales", "Name": "t000" });
    let glue = Endpoint::start(world_with_link(&target)).await.unwrap();
    catalog.ingest(&glue).await;

    let run = catalog
        .ingest_with(
            &glue,
            "    ignore_resource_links: true",
            "remove: {at_most: 100%}",
        )
        .await;

    assert_eq!(
        (run.state, run.counts.assets.gone),
        (RunState::Succeeded, 0)
    );
    assert_eq!(catalog.find(&["sales", "link"]).await.gone_at, None);
}

#[tokio::test]
async fn an_index_that_was_deleted_is_built_again() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(world(5)).await.unwrap();
    catalog.ingest(&glue).await;

    std::fs::remove_dir_all(catalog.storage.index_dir()).unwrap();
    let meanwhile = catalog.search("t003").total;
    let mut changed = table("t001", &[("zebra", "string")]);
    changed["Description"] = json!("Stripes.");
    glue.replace_table("sales", &changed);
    catalog.ingest(&glue).await;

    assert_eq!(meanwhile, 1);
    assert_eq!(catalog.search("stripes").total, 1);
    assert_eq!(catalog.app.index.len(), 6);
}

#[tokio::test]
async fn a_link_into_a_region_that_is_none_is_shown_as_it_stands() {
    let catalog = TestCatalog::start().await;
    let target = json!({ "DatabaseName": "sales", "Name": "t000", "Region": "not a region" });
    let glue = Endpoint::start(world_with_link(&target)).await.unwrap();

    let run = catalog.ingest(&glue).await;

    assert_eq!(
        (run.state, run.counts.assets.skipped),
        (RunState::Partial, 0)
    );
    let link = catalog.find(&["sales", "link"]).await.source.link.unwrap();
    assert_eq!(link.path, ["sales", "t000"]);
}

#[tokio::test]
async fn a_link_keeps_the_columns_it_had_while_its_target_is_refused() {
    let catalog = TestCatalog::start().await;
    let target = json!({ "CatalogId": "123456789012", "DatabaseName": "sales", "Name": "t000" });
    let glue = Endpoint::start(world_with_link(&target)).await.unwrap();
    catalog.ingest(&glue).await;
    let before = catalog.find(&["sales", "link"]).await;
    let head = catalog.head().await;

    glue.fault_at(Operation::Table, "sales", EVERY_PAGE, Fault::AccessDenied);
    let refused = catalog.ingest(&glue).await;

    assert_eq!(before.source.columns.len(), 2);
    assert_eq!(refused.state, RunState::Partial);
    assert_eq!(catalog.find(&["sales", "link"]).await.source, before.source);
    assert_eq!(catalog.head().await, head);
}
