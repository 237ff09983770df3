//! The pages of those who run the catalog: what a run left out, the first steps, the settings, refusals.

use gazetteer::auth::Role;
use gazetteer::catalog;
use gazetteer::demo::World;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{Browser, TestApp, texts};

#[tokio::test]
async fn a_partial_run_says_what_it_means_and_which_permission_is_missing() {
    let mut world = World::new();
    world.set_table("sales", &json!({"Name": "orders"}));
    world.set_table("people", &json!({"Name": "salaries"}));
    world.set_unreadable("people", true);
    let app = TestApp::reading(world).await;

    let home = app.page("/").await;
    let ingestion = app.page("/ingestion").await;
    let runs = app.json("/api/v1/runs").await;
    let run = runs["items"][0]["id"].as_str().unwrap();
    let run = app.page(&format!("/ingestion/runs/{run}")).await;

    let line = "1 of 2 databases not read (people): permission missing";
    assert_eq!(texts(&home, "#health .sub"), [line]);
    assert!(texts(&ingestion, ".recipes td").join(" ").contains(line));
    assert_eq!(
        texts(&run, ".lead"),
        ["1 database could not be read in full."]
    );
    let finding = &texts(&run, "#findings li")[0];
    assert!(finding.starts_with("Not read people"), "{finding}");
    assert!(
        finding.contains("Readers see what the catalog knew before."),
        "{finding}"
    );
    let policy: Value = serde_json::from_str(&texts(&run, "#findings code")[0]).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Action"], "glue:GetTables");
    let resource = statement["Resource"][1].as_str().unwrap();
    assert!(resource.ends_with(":database/people"), "{resource}");
    // The sentence that names the resource is not cut in the middle of it.
    assert!(finding.contains(resource), "{finding}");
}

#[tokio::test]
async fn an_empty_catalog_leads_an_admin_to_their_own_glue_in_three_steps() {
    let app = TestApp::start().await;
    let reader = app.person("ana", Role::Reader, &[]).await;

    let empty = app.page("/").await;
    app.write_recipe("broken", "source: {type: nothing}\n");
    let added = app.page("/").await;
    let recipe = "source: {type: glue, config: {aws_region: eu-west-1}}\n";
    app.write_recipe("glue", recipe);
    let checked = app.page("/").await;

    assert_eq!(
        texts(&empty, ".steps h3"),
        ["Add a recipe", "Check the recipe", "Run the recipe"]
    );
    let copied = texts(&empty, "#first-recipe").join(" ");
    assert!(
        copied.contains("type: glue config: aws_region: "),
        "{copied}"
    );
    assert!(texts(&empty, ".steps .done").is_empty());
    assert_eq!(texts(&added, ".steps .done"), ["Done: Add a recipe"]);
    assert_eq!(
        texts(&checked, ".steps .done"),
        ["Done: Add a recipe", "Done: Check the recipe"]
    );
    let found = texts(&reader.page("/search?q=orders").await, ".empty").join(" ");
    assert!(found.starts_with("The catalog is empty"), "{found}");
    let told = texts(&reader.page("/").await, ".start").join(" ");
    assert!(told.contains("An admin adds a recipe"), "{told}");
    assert!(!told.contains("glue.yml"), "{told}");
}

#[tokio::test]
async fn the_settings_stand_beside_each_of_their_pages_as_far_as_one_may_open_them() {
    let app = TestApp::start().await;
    let reader = app.person("ana", Role::Reader, &[]).await;
    let admin = app.admin();

    let of_reader = texts(&reader.page("/profile").await, ".settings-nav a");
    let of_admin = texts(&admin.page("/audit").await, ".settings-nav a");

    assert_eq!(of_reader, ["Profile", "Tokens"]);
    assert_eq!(
        of_admin,
        [
            "Profile",
            "Tokens",
            "People",
            "Teams",
            "Access",
            "Sign-in check",
            "Audit"
        ]
    );
    for (path, here) in [("/profile/tokens", "Tokens"), ("/restricted", "Access")] {
        let page = admin.page(path).await;
        assert_eq!(texts(&page, ".settings-nav [aria-current]"), [here]);
    }
    assert!(texts(&admin.page("/browse").await, ".settings-nav").is_empty());
}

#[tokio::test]
async fn a_token_comes_with_a_call_to_paste() {
    let app = TestApp::start().await;
    let form = [("token", "nightly"), ("scope", "read"), ("days", "7")];

    let made = app.admin().post("/profile/tokens", &form).await.html();

    let example = texts(&made, "#example").join(" ");
    assert!(
        example.starts_with("export GAZETTEER_TOKEN=gaz_"),
        "{example}"
    );
    let url = example.split('\'').nth(1).unwrap();
    let token = example.split(['=', ' ']).nth(2).unwrap();
    let path = url.strip_prefix(app.base.trim_end_matches('/')).unwrap();
    let answer = Browser::with_token(&app.base, token).get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{url}");
}

#[tokio::test]
async fn a_refusal_tells_a_missing_role_from_a_missing_scope() {
    let app = TestApp::beside(World::new()).await;
    let reader = app.person("ana", Role::Reader, &[]).await;
    let form = [("token", "reads"), ("scope", "read"), ("days", "7")];
    let token = |page: &scraper::Html| texts(page, "#example")[0].clone();
    let made = app.admin().post("/profile/tokens", &form).await.html();
    let admins = token(&made).split(['=', ' ']).nth(2).unwrap().to_owned();
    let made = reader.post("/profile/tokens", &form).await.html();
    let readers = token(&made).split(['=', ' ']).nth(2).unwrap().to_owned();
    let refused = async |token: &str| {
        let program = Browser::with_token(&app.base, token);
        let answer = program.post("/api/v1/recipes/world/runs", &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let told = answer.json();
        format!("{} {}", told["detail"], told["hint"]).replace('"', "")
    };

    assert_eq!(
        refused(&admins).await,
        "This token lacks the scope “ingest”. Create a token with that scope on your profile."
    );
    assert_eq!(
        refused(&readers).await,
        "Only admins and stewards of everything can run recipes. Ask an admin for the role."
    );
}

#[tokio::test]
async fn a_restriction_says_what_is_now_true_and_asks_before_it_leaves_admins_alone() {
    let mut world = World::new();
    world.set_table("finance", &json!({"Name": "ledger"}));
    let app = TestApp::reading(world).await;
    app.person("ana", Role::Reader, &[]).await;
    app.person("boss", Role::Admin, &[]).await;
    let found = catalog::find_called(&app.app.db, "finance").await;
    let id = found.unwrap()[0];
    let here = format!("/assets/{id}/restriction");
    let admin = app.admin();

    let open = admin.page(&here).await;
    let choices = texts(&open, ".picker .check");
    let form = [("was", "everybody"), ("do", "restrict")];
    let asked = admin.post(&here, &form).await;
    let still = admin.page(&here).await;
    let form = [("was", "everybody"), ("do", "admins")];
    let saved = admin.post(&here, &form).await;
    let then = admin.page(saved.header("location")).await;

    assert_eq!(choices, ["ana person"]);
    assert_eq!(asked.status, StatusCode::OK);
    assert!(
        texts(&asked.html(), "#confirm")[0]
            .starts_with("Nobody is selected. Only admins will see this database.")
    );
    assert_eq!(texts(&still, "#now"), ["Visible to everyone."]);
    assert_eq!(
        texts(&then, "#saved"),
        ["Saved. finance is now visible to admins only. Back to the database"]
    );
}
