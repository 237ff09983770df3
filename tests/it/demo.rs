//! The demo's world has people in it: what they wrote is there after the first start, and not twice after the second.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use gazetteer::app::App;
use gazetteer::auth::{Actor, Role, accounts};
use gazetteer::catalog::{self, Asset};
use gazetteer::config;
use gazetteer::db::PageRequest;
use reqwest::StatusCode;

use crate::support::app::{Settings, TestApp, texts};

/// Starts the demo, waits until it answers, and ends it.
async fn start_and_end(folder: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(folder).stdout(Stdio::piped());
    command.stderr(Stdio::null());
    tokio::task::spawn_blocking(move || {
        let mut demo = command.spawn().unwrap();
        let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("http://127.0.0.1:"), "{first}");
        demo.kill().unwrap();
        demo.wait().unwrap();
    })
    .await
    .unwrap();
}

/// What the catalog in a folder says of some tables, and how many people have an account.
async fn read(folder: &Path, names: &[&str]) -> (Vec<Asset>, usize) {
    let storage = config::Storage {
        data_dir: Some(folder.to_owned()),
        database_url: None,
    };
    let db = App::connect_to_existing(&storage).await.unwrap();
    let operator = Actor::operator();
    let mut found = Vec::new();
    for name in names {
        let ids = catalog::find_called(&db, name).await.unwrap();
        let asset = catalog::find_asset(&db, operator.visibility(), ids[0]).await;
        found.push(asset.unwrap());
    }
    let people = accounts::list(&db, &operator, "", &PageRequest::first(100)).await;
    let people = people.unwrap().items.len();
    db.close().await.unwrap();
    (found, people)
}

#[tokio::test]
async fn the_samples_people_write_once_however_often_the_demo_starts() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "shop.fct_orders",
        "shop.stg_orders",
        "shop.dim_customer",
        "shop.carts",
    ];

    start_and_end(folder.path()).await;
    let (first, people) = read(folder.path(), &names).await;
    start_and_end(folder.path()).await;
    let (second, people_then) = read(folder.path(), &names).await;

    let [orders, staging, customers, carts] = &first[..] else {
        panic!("four tables were asked for");
    };
    let now = chrono::Utc::now();
    assert!(orders.human.verification.content.holds(now));
    assert!(customers.human.verification.content.holds(now));
    assert_eq!(
        staging.human.deprecation.content.replacement,
        Some(orders.id.0)
    );
    assert_eq!(orders.human.owners.content.0.len(), 2);
    assert!(customers.human.column_description("segment").is_some());
    assert_eq!(carts.human.description.version, 2);
    let (_, tagged) = orders.human.tags.edited.as_ref().unwrap();
    assert!((now - *tagged).num_days() >= 30, "{tagged}");
    let said = |assets: &[Asset]| -> Vec<_> {
        let human = |asset: &Asset| asset.human.clone();
        assets.iter().map(human).collect()
    };
    assert_eq!(said(&first), said(&second));
    assert_eq!((people, people_then), (6, 6));
}

#[tokio::test]
async fn the_demos_second_button_signs_its_admin_in() {
    let app = TestApp::start_with(Settings {
        demo: true,
        ..Settings::default()
    })
    .await;

    let shown = app.visitor().page("/sign-in").await;
    let steward = app.visitor().post("/sign-in/demo", &[]).await;
    let admin = app
        .visitor()
        .post("/sign-in/demo", &[("as", "admin")])
        .await;
    let nobody = app
        .visitor()
        .post("/sign-in/demo", &[("as", "operator")])
        .await;
    let steward = app.visitor().with_cookie_of(&steward);
    let admin = app.visitor().with_cookie_of(&admin);

    assert_eq!(
        texts(&shown, ".card button"),
        ["Sign in as the demo steward", "Sign in as the demo admin"]
    );
    assert_eq!(admin.get("/people").await.status, StatusCode::OK);
    assert_eq!(steward.get("/people").await.status, StatusCode::FORBIDDEN);
    assert!(nobody.status.is_client_error());
    let account = accounts::find_named(
        &app.app.db,
        &Actor::operator(),
        &"demo-admin".parse().unwrap(),
    )
    .await
    .unwrap();
    assert_eq!(account.role, Role::Admin);
}
