//! What people write about assets: saved once, never lost, told in the history.

use chrono::{DateTime, NaiveDate, Utc};
use gazetteer::auth::accounts::{self, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::principals::Principal;
use gazetteer::auth::{AccountId, Actor, Role, Visibility, teams};
use gazetteer::catalog::human::{
    self, AssetAspect, ColumnDescription, Deprecation, Description, Links, OncePerAsset, Owner,
    OwnerRole, Owners, PageLink, Tags, Verification,
};
use gazetteer::catalog::{self, Action, Asset, AssetId, AssetKind, Cause, Discovered};
use gazetteer::db::PageRequest;
use gazetteer::error::{Explain as _, Kind};
use gazetteer::revisions::{self, Draft, EditConflict, EditError, Revision};
use gazetteer::search::follow;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, Browser, TestApp, asset, table, texts};
use crate::support::catalog::TestCatalog;

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn text(text: &str) -> Description {
    Description {
        text: text.to_owned(),
    }
}

fn note(column: &str, text: &str) -> ColumnDescription {
    ColumnDescription {
        column: column.to_owned(),
        text: text.to_owned(),
    }
}

fn tags(tags: &[&str]) -> Tags {
    Tags(tags.iter().map(ToString::to_string).collect())
}

/// A catalog with the table `sales.orders`, and its id.
async fn catalog() -> (TestCatalog, AssetId) {
    let catalog = TestCatalog::start().await;
    let id = report(
        &catalog,
        vec![table(
            &["sales", "orders"],
            &[("id", "int"), ("at", "date")],
        )],
    )
    .await;
    (catalog, id)
}

/// Applies what a source would say of the database `sales`; answers the id of its first table.
async fn report(catalog: &TestCatalog, tables: Vec<Discovered>) -> AssetId {
    let cause = Cause {
        actor: Actor::recipe("test"),
        run: None,
    };
    let first = tables.first().map(|table| table.address.clone());
    let database = asset(AssetKind::Database, &["sales"]);
    let now = Utc::now();
    let mut scopes = catalog::open(&catalog.app.db, &cause, vec![database], now)
        .await
        .unwrap();
    let scope = scopes.first_mut().unwrap();
    catalog::apply(&catalog.app.db, &cause, vec![(scope, tables)], now)
        .await
        .unwrap();
    let removal = catalog::Removal {
        allows: &|_, _| true,
        covers: &|_| true,
    };
    catalog::close(&catalog.app.db, &cause, scopes, &removal, now)
        .await
        .unwrap();
    let Some(address) = first else {
        return AssetId(Uuid::nil());
    };
    let found = catalog::find_at(&catalog.app.db, &Visibility::Everything, &[&address])
        .await
        .unwrap();
    found.into_values().next().unwrap()
}

async fn save<A: AssetAspect>(
    catalog: &TestCatalog,
    id: AssetId,
    version: i32,
    content: A,
) -> Result<Revision<A>, EditError<A>> {
    let draft = Draft { content, version };
    human::revise(&catalog.app.db, &Actor::operator(), id, draft, now()).await
}

async fn find(catalog: &TestCatalog, id: AssetId) -> Asset {
    catalog::find_asset(&catalog.app.db, &Visibility::Everything, id)
        .await
        .unwrap()
}

/// Makes an account for somebody.
async fn person(catalog: &TestCatalog, name: &str, display_name: &str) -> AccountId {
    let new = NewAccount {
        kind: AccountKind::Person,
        name: name.parse().unwrap(),
        display_name: Some(display_name.to_owned()),
        standing: RoleGrant::STEWARD,
    };
    let operator = Actor::operator();
    let made = accounts::create(&catalog.app.db, &operator, &new, now()).await;
    made.unwrap().id
}

fn stale<A: AssetAspect>(saved: Result<Revision<A>, EditError<A>>) -> EditConflict<A> {
    match saved {
        Err(EditError::Conflict(stale)) => *stale,
        other => panic!("not stale: {other:?}"),
    }
}

fn problems<A: AssetAspect>(saved: Result<Revision<A>, EditError<A>>) -> Vec<String> {
    match saved {
        Err(EditError::Problems(problems)) => {
            problems.into_iter().map(|problem| problem.text).collect()
        }
        other => panic!("no problems: {other:?}"),
    }
}

async fn sentences(catalog: &TestCatalog, id: AssetId) -> Vec<String> {
    let page = PageRequest::first(100);
    let history = catalog::list_history(&catalog.app.db, &Visibility::Everything, id, &page)
        .await
        .unwrap();
    let changes = history.items.into_iter();
    changes
        .flat_map(|change| change.action.sentences())
        .collect()
}

#[tokio::test]
async fn a_description_is_kept_with_its_version_and_told_in_the_history() {
    let (catalog, id) = catalog().await;

    let saved = save(&catalog, id, 0, text("One row per *order*.\r\n"))
        .await
        .unwrap();
    let again = save(&catalog, id, 1, text("One row per *order*.\n"))
        .await
        .unwrap();

    assert_eq!(saved.version, 1);
    assert_eq!(again, find(&catalog, id).await.human.description);
    assert_eq!(again.content.text, "One row per *order*.\n");
    let history = catalog.history(&["sales", "orders"]).await;
    assert_eq!(history.len(), 2, "what changes nothing is no change");
    assert_eq!(history[0].who.to_string(), "an operator");
    let Action::Revised(revision) = &history[0].action else {
        panic!("{:?}", history[0].action);
    };
    assert_eq!(revision.sentences, ["The description was written."]);
    assert_eq!(revision.texts(), Some(("", "One row per *order*.\n")));
}

#[tokio::test]
async fn a_stale_save_is_refused_and_both_edits_are_put_together() {
    let (catalog, id) = catalog().await;
    save(&catalog, id, 0, text("Orders.\n\nNever late."))
        .await
        .unwrap();
    save(&catalog, id, 1, text("Paid orders.\n\nNever late."))
        .await
        .unwrap();

    let refused = stale(save(&catalog, id, 1, text("Orders.\n\nNever later than noon.")).await);

    assert_eq!(refused.theirs.version, 2);
    assert_eq!(refused.theirs.content, text("Paid orders.\n\nNever late."));
    assert_eq!(refused.mine, text("Orders.\n\nNever later than noon."));
    assert_eq!(
        refused.merged.content,
        text("Paid orders.\n\nNever later than noon.")
    );
    assert_eq!(refused.merged.collisions, 0);
    assert_eq!(find(&catalog, id).await.human.description.version, 2);
    let merged = save(&catalog, id, 2, refused.merged.content).await.unwrap();
    assert_eq!(merged.version, 3);
}

#[tokio::test]
async fn a_stale_save_of_what_is_there_already_or_of_nothing_new_is_no_conflict() {
    let (catalog, id) = catalog().await;
    save(&catalog, id, 0, text("Orders.")).await.unwrap();
    save(&catalog, id, 1, text("Paid orders.")).await.unwrap();

    let same = save(&catalog, id, 1, text("Paid orders.")).await.unwrap();
    let untouched = save(&catalog, id, 1, text("Orders.")).await.unwrap();

    assert_eq!(same.version, 2);
    assert_eq!(untouched.content, text("Paid orders."));
    assert_eq!(untouched.version, 2);
}

#[tokio::test]
async fn sets_are_merged_by_element() {
    let (catalog, id) = catalog().await;
    save(&catalog, id, 0, tags(&["raw", "daily"]))
        .await
        .unwrap();
    save(&catalog, id, 1, tags(&["daily", "PII"]))
        .await
        .unwrap();

    let refused = stale(save(&catalog, id, 1, tags(&["raw", "daily", "finance"])).await);

    assert_eq!(refused.merged.content, tags(&["daily", "PII", "finance"]));
    assert_eq!(refused.merged.collisions, 0);
}

#[tokio::test]
async fn whoever_may_not_describe_it_changes_nothing() {
    let (catalog, id) = catalog().await;
    let draft = Draft {
        content: text("Mine."),
        version: 0,
    };

    let visitor = Actor::visitor(true);
    let refused = human::revise(&catalog.app.db, &visitor, id, draft, now()).await;
    let moved =
        human::move_column_description(&catalog.app.db, &visitor, id, ("a", "id"), now()).await;

    assert_eq!(refused.unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(moved.unwrap_err().kind(), Kind::Unauthenticated);
    assert_eq!(
        find(&catalog, id).await.human,
        catalog::HumanLayer::default()
    );
    let nowhere = save(&catalog, AssetId(Uuid::now_v7()), 0, text("x")).await;
    assert_eq!(nowhere.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn every_problem_of_a_draft_is_told_at_once() {
    let (catalog, id) = catalog().await;
    let long = "x".repeat(65);
    let mut many: Vec<&str> = vec![&long];
    let numbers: Vec<String> = (0..50).map(|number| format!("t{number}")).collect();
    many.extend(numbers.iter().map(String::as_str));
    let link = |label: &str, url: &str| PageLink {
        label: label.to_owned(),
        url: url.to_owned(),
    };

    let tags = problems(save(&catalog, id, 0, tags(&many)).await);
    let links = problems(
        save(
            &catalog,
            id,
            0,
            Links(vec![
                link("", "javascript:alert(1)"),
                link("Book", "runbook.example/orders"),
                link("", "https://wiki.example/orders"),
            ]),
        )
        .await,
    );
    let described = problems(save(&catalog, id, 0, text(&"x".repeat(100_001))).await);

    assert_eq!(
        tags,
        [
            "These are 51 tags, and 50 is the most.",
            "The tag “xxxxxxxxxxxxxxxxxxxx…” is longer than 64 characters.",
        ]
    );
    assert_eq!(links.len(), 2, "{links:?}");
    assert!(links[0].starts_with("“javascript:alert(1)” is no address of a page"));
    assert_eq!(
        described,
        ["The description has 100001 characters, and 100000 is the most."]
    );
}

#[tokio::test]
async fn each_aspect_is_tidied_kept_and_told() {
    let (catalog, id) = catalog().await;
    let other = report(
        &catalog,
        vec![
            table(&["sales", "paid"], &[]),
            table(&["sales", "orders"], &[("id", "int"), ("at", "date")]),
        ],
    )
    .await;
    let day = NaiveDate::from_ymd_opt(2027, 1, 31);

    save(&catalog, id, 0, tags(&[" PII ", "pii", "two  words", ""]))
        .await
        .unwrap();
    let link = PageLink {
        label: String::new(),
        url: " https://wiki.example/a b ".to_owned(),
    };
    save(&catalog, id, 0, Links(vec![link])).await.unwrap();
    save(&catalog, id, 0, Verification { until: day })
        .await
        .unwrap();
    let deprecation = Deprecation {
        since: day,
        note: "Too slow.".to_owned(),
        replacement: Some(other.0),
    };
    save(&catalog, id, 0, deprecation.clone()).await.unwrap();

    let asset = find(&catalog, id).await;
    assert_eq!(Tags::of(&asset.human).content, tags(&["PII", "two words"]));
    assert_eq!(
        Links::of(&asset.human).content.0,
        [PageLink {
            label: "wiki.example".to_owned(),
            url: "https://wiki.example/a%20b".to_owned(),
        }]
    );
    assert!(Verification::of(&asset.human).content.holds(now()));
    assert_eq!(Deprecation::of(&asset.human).content, deprecation);
    assert_eq!(
        sentences(&catalog, id).await,
        [
            "It was deprecated from 2027-01-31 on.",
            "It was verified until 2027-01-31.",
            "A link was added: “wiki.example” (https://wiki.example/a%20b).",
            "It was tagged “PII”.",
            "It was tagged “two words”.",
            "Added.",
        ]
    );
    let itself = Deprecation {
        replacement: Some(id.0),
        ..deprecation
    };
    assert_eq!(
        problems(save(&catalog, id, 1, itself).await),
        ["An asset cannot be replaced by itself."]
    );
    let yesterday = Verification {
        until: NaiveDate::from_ymd_opt(2026, 11, 20),
    };
    assert_eq!(
        problems(save(&catalog, id, 1, yesterday).await),
        ["2026-11-20 is past: choose today or a later day."]
    );
}

#[tokio::test]
async fn an_owner_is_a_person_or_a_team_that_is_known() {
    let (catalog, id) = catalog().await;
    let (db, operator) = (&catalog.app.db, Actor::operator());
    let ana = person(&catalog, "ana", "Ana Lopez").await;
    let crew = teams::create(db, &operator, &"Data crew".parse().unwrap(), now()).await;
    let owner = |principal, role| Owner {
        principal,
        role,
        name: String::new(),
    };
    let ana = owner(Principal::Account(ana), OwnerRole::Business);
    let crew = owner(Principal::Team(crew.unwrap().id), OwnerRole::Technical);
    let nobody = owner(
        Principal::Account(AccountId(Uuid::now_v7())),
        OwnerRole::Business,
    );

    let both = Owners(vec![ana.clone(), crew.clone(), ana.clone()]);
    let saved = save(&catalog, id, 0, both).await.unwrap();
    let refused = problems(save(&catalog, id, 1, Owners(vec![nobody.clone()])).await);
    save(&catalog, id, 1, Owners(vec![crew.clone()]))
        .await
        .unwrap();

    let names: Vec<&str> = saved
        .content
        .0
        .iter()
        .map(|owner| owner.name.as_str())
        .collect();
    assert_eq!(names, ["Ana Lopez", "Data crew"]);
    let unknown = nobody.principal.id();
    assert_eq!(
        refused,
        [format!("There is no person or team with the id {unknown}.")]
    );
    assert_eq!(
        sentences(&catalog, id).await[..3],
        [
            "Ana Lopez is no longer business owner.",
            "Ana Lopez became business owner.",
            "The team Data crew became technical owner.",
        ]
    );
    let of_crew = revisions::list_referring(db, &[crew.principal.subject()]).await;
    let of_ana = revisions::list_referring(db, &[ana.principal.subject()]).await;
    assert_eq!(of_crew.unwrap(), [id.subject()]);
    assert_eq!(of_ana.unwrap(), []);
}

/// What is found, by name, once the index has caught up.
async fn found(catalog: &TestCatalog, words: &str) -> Vec<String> {
    let (db, index) = (&catalog.app.db, &catalog.app.index);
    follow::catch_up(db, index).await.unwrap();
    let hits = catalog.search(words).hits;
    let ids: Vec<AssetId> = hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    let assets = catalog::find_assets(db, &Visibility::Everything, &ids)
        .await
        .unwrap();
    assets
        .iter()
        .map(|asset| asset.address.name().to_owned())
        .collect()
}

#[tokio::test]
async fn what_people_write_is_found_in_a_running_index_and_in_one_built_anew() {
    let (catalog, id) = catalog().await;
    let (db, operator) = (&catalog.app.db, Actor::operator());
    let ana = person(&catalog, "ana", "Ana Lopez").await;
    found(&catalog, "").await;
    let owner = Owner {
        principal: Principal::Account(ana),
        role: OwnerRole::Business,
        name: String::new(),
    };

    save(&catalog, id, 0, text("The *turn*over of a **fortnight**."))
        .await
        .unwrap();
    save(&catalog, id, 0, note("at", "Zeitpunkt of payment."))
        .await
        .unwrap();
    save(&catalog, id, 0, tags(&["Gold standard", "pii"]))
        .await
        .unwrap();
    save(&catalog, id, 0, Owners(vec![owner])).await.unwrap();

    let queries = [
        "turnover fortnight",
        "zeitpunkt",
        "tag:pii",
        "tag:gold",
        "tag:\"gold standard\"",
        "owner:ana",
        "owner:lopez",
        "owner:\"ana lopez\"",
        "gold standard",
        "lopez",
    ];
    for query in queries {
        assert_eq!(found(&catalog, query).await, ["orders"], "{query}");
    }
    for query in ["tag:silver", "tag:orders", "owner:bo"] {
        assert!(found(&catalog, query).await.is_empty(), "{query}");
    }
    accounts::set_display_name(db, &operator, ana, "Ana Maria Ruiz", now())
        .await
        .unwrap();
    assert!(found(&catalog, "owner:lopez").await.is_empty());
    assert_eq!(found(&catalog, "owner:ruiz").await, ["orders"]);
    follow::rebuild_all(db, &catalog.app.index).await.unwrap();
    for query in ["turnover", "zeitpunkt", "tag:pii", "owner:ruiz"] {
        assert_eq!(found(&catalog, query).await, ["orders"], "{query}");
    }
}

#[tokio::test]
async fn a_note_outlives_its_column_and_is_moved_to_the_new_name() {
    let (catalog, id) = catalog().await;
    save(&catalog, id, 0, note("at", "When it was *paid*."))
        .await
        .unwrap();
    save(&catalog, id, 0, note("id", "Counts up."))
        .await
        .unwrap();
    let unknown = save(&catalog, id, 0, note("nothing", "?")).await;

    report(
        &catalog,
        vec![table(
            &["sales", "orders"],
            &[("id", "int"), ("paid_at", "date")],
        )],
    )
    .await;
    let renamed = find(&catalog, id).await;
    let beside = renamed.human.columns_beside(&renamed.column_paths());
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].content, note("at", "When it was *paid*."));
    let edited = save(&catalog, id, 1, note("at", "When it was paid."))
        .await
        .unwrap();
    let actor = Actor::operator();
    human::move_column_description(&catalog.app.db, &actor, id, ("at", "paid_at"), now())
        .await
        .unwrap();

    assert_eq!(
        unknown.unwrap_err().to_string(),
        "There is no column “nothing”."
    );
    assert_eq!(edited.version, 2);
    let moved = find(&catalog, id).await;
    assert_eq!(
        moved.human.column_description("paid_at"),
        Some("When it was paid.")
    );
    assert_eq!(moved.human.column_description("id"), Some("Counts up."));
    assert_eq!(moved.human.column_description("at"), None);
    assert!(moved.human.columns_beside(&moved.column_paths()).is_empty());
}

#[tokio::test]
async fn ingestion_touches_none_of_it_whatever_becomes_of_the_table() {
    let (catalog, id) = catalog().await;
    save(&catalog, id, 0, text("Orders.")).await.unwrap();
    save(&catalog, id, 0, tags(&["pii"])).await.unwrap();
    save(&catalog, id, 0, note("at", "When.")).await.unwrap();
    let before = find(&catalog, id).await.human;

    let mut changed = table(&["sales", "orders"], &[("id", "bigint")]);
    changed.source.description = Some("The source's own words.".to_owned());
    report(&catalog, vec![changed]).await;
    assert_eq!(find(&catalog, id).await.human, before);
    report(&catalog, Vec::new()).await;
    let gone = find(&catalog, id).await;
    let while_gone = save(&catalog, id, 1, text("Old orders.")).await.unwrap();
    report(&catalog, vec![table(&["sales", "orders"], &[])]).await;

    assert!(gone.gone_at.is_some());
    assert_eq!(gone.human, before);
    let returned = find(&catalog, id).await;
    assert_eq!(returned.gone_at, None);
    assert_eq!(returned.human.description, while_gone);
    assert_eq!(returned.human.tags, before.tags);
    assert_eq!(returned.human.columns, before.columns);
}

/// Who does what next in an interleaving.
#[derive(Debug, Clone)]
enum Step {
    /// An editor opens the page, if they have not.
    Open(usize),
    /// Types a word at this place.
    Type(usize, usize),
    /// Takes a word out.
    Cut(usize, usize),
    Save(usize),
    Ingest(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let editor = 0_usize..2;
    let step = prop_oneof![
        editor.clone().prop_map(Step::Open),
        (editor.clone(), 0_usize..12).prop_map(|(who, at)| Step::Type(who, at)),
        (editor.clone(), 0_usize..12).prop_map(|(who, at)| Step::Cut(who, at)),
        editor.prop_map(Step::Save),
        any::<bool>().prop_map(Step::Ingest),
    ];
    prop::collection::vec(step, 4..24)
}

/// One of two people with the description before them.
#[derive(Default)]
struct Editor {
    draft: Option<Draft<Description>>,
    typed: usize,
}

/// Two editors and an ingestion, and what must have come of it.
struct Interleaving {
    catalog: TestCatalog,
    id: AssetId,
    editors: [Editor; 2],
    /// Every word that somebody typed and nobody took out.
    alive: Vec<String>,
}

impl Interleaving {
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Open(who) => {
                let present = find(&self.catalog, self.id).await.human.description;
                self.editors[*who].draft.get_or_insert(Draft {
                    content: present.content,
                    version: present.version,
                });
            }
            Step::Type(who, at) => {
                let editor = &mut self.editors[*who];
                if let Some(draft) = &mut editor.draft {
                    editor.typed += 1;
                    let word = format!("{}{}", ["ana", "bo"][*who], editor.typed);
                    let mut words = words(&draft.content.text);
                    words.insert((*at).min(words.len()), word.clone());
                    draft.content.text = words.join(" ");
                    self.alive.push(word);
                }
            }
            Step::Cut(who, at) => {
                if let Some(draft) = &mut self.editors[*who].draft {
                    let mut words = words(&draft.content.text);
                    if *at < words.len() {
                        let cut = words.remove(*at);
                        self.alive.retain(|word| *word != cut);
                    }
                    draft.content.text = words.join(" ");
                }
            }
            Step::Save(who) => self.save(*who).await,
            Step::Ingest(gone) => {
                let mut orders = table(&["sales", "orders"], &[("id", "int")]);
                orders.source.description = Some(format!("Read {gone}."));
                let tables = if *gone { Vec::new() } else { vec![orders] };
                report(&self.catalog, tables).await;
            }
        }
    }

    /// Saves; what is refused is put together and stays before its author, who is shown every word of it.
    async fn save(&mut self, who: usize) {
        let Some(draft) = self.editors[who].draft.take() else {
            return;
        };
        let mine = words(&draft.content.text);
        if let Err(refusal) = save(&self.catalog, self.id, draft.version, draft.content).await {
            let EditError::Conflict(refused) = refusal else {
                panic!("{refusal}");
            };
            assert_eq!(words(&refused.mine.text), mine);
            self.editors[who].draft = Some(Draft {
                content: refused.merged.content,
                version: refused.theirs.version,
            });
        }
    }

    async fn check(mut self) {
        // Each saves again what was put together for them, until nothing is left unsaved: after the other's last save,
        // nobody is refused twice.
        for who in [0, 1, 0, 1, 0, 1] {
            self.save(who).await;
        }
        assert!(self.editors.iter().all(|editor| editor.draft.is_none()));
        let text = find(&self.catalog, self.id)
            .await
            .human
            .description
            .content
            .text;
        for word in &self.alive {
            assert!(words(&text).contains(word), "{word} is not in {text:?}");
        }
        let history = self.catalog.history(&["sales", "orders"]).await;
        let told: Vec<String> = history
            .iter()
            .filter_map(|change| match &change.action {
                Action::Revised(revision) => revision.texts(),
                _ => None,
            })
            .flat_map(|(_, after)| words(after))
            .collect();
        for word in &self.alive {
            assert!(told.contains(word), "{word} is not in the history");
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A word that one editor cut and the other kept may come back through a collision; what was typed and not cut by
/// anybody is always there.
#[test]
fn no_interleaving_of_two_editors_and_an_ingestion_loses_a_word() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(16)
    });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let (catalog, id) = catalog().await;
            save(&catalog, id, 0, text("one two three four"))
                .await
                .unwrap();
            let mut interleaving = Interleaving {
                catalog,
                id,
                editors: Default::default(),
                alive: Vec::new(),
            };
            for step in &steps {
                interleaving.step(step).await;
            }
            interleaving.check().await;
        });
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn of_two_saves_at_once_one_is_refused() {
    let (catalog, id) = catalog().await;

    let saves = (1..=8).map(|number| {
        let catalog = &catalog;
        async move { save(catalog, id, 0, text(&format!("Text {number}."))).await }
    });
    let outcomes = futures::future::join_all(saves).await;

    assert_eq!(outcomes.iter().filter(|saved| saved.is_ok()).count(), 1);
    assert_eq!(catalog.history(&["sales", "orders"]).await.len(), 2);
}

/// A form as a browser sends it, filled in from the page; what is given takes the place of what is there.
fn form<'a>(page: &'a scraper::Html, given: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
    let fields = scraper::Selector::parse(".editor input[name], .editor textarea[name]").unwrap();
    let mut form: Vec<(String, String)> = Vec::new();
    for field in page.select(&fields) {
        let name = field.value().attr("name").unwrap();
        let unchecked = field.value().attr("type") == Some("checkbox")
            && field.value().attr("checked").is_none();
        let text = match field.value().attr("value") {
            Some(value) => value.to_owned(),
            None => field.text().collect(),
        };
        if !unchecked && !given.iter().any(|(other, _)| *other == name) {
            form.push((name.to_owned(), text));
        }
    }
    form.extend(
        given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    form
}

async fn send(browser: &Browser, path: &str, form: &[(String, String)]) -> Answer {
    Answer::of(browser.request(Method::POST, path).form(form)).await
}

/// An application with the table `sales.orders`, and the address of its page.
async fn app() -> (TestApp, String) {
    let app = TestApp::start().await;
    let mut orders = table(&["sales", "orders"], &[("id", "int"), ("a/b.c", "date")]);
    orders.source.description = Some("The source's words.".to_owned());
    app.add("sales", vec![orders, table(&["sales", "paid"], &[])])
        .await;
    let id = app.id_of(&["sales", "orders"]).await;
    (app, format!("/assets/{id}"))
}

#[tokio::test]
async fn a_description_is_written_in_a_browser_and_found_by_its_words_at_once() {
    let (app, page) = app().await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let edit = format!("{page}/edit/description");

    let opened = ana.page(&edit).await;
    let fields = form(
        &opened,
        &[("text", "One **row** per <b>Bestellung</b>.\r\nLast line.")],
    );
    let saved = send(&ana, &edit, &fields).await;

    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(
        saved.header("location"),
        format!("{page}?saved=description.1#description")
    );
    let found = ana.json("/api/v1/search?q=bestellung").await;
    assert_eq!(found["total"], 1, "{found}");
    let shown = ana.get(&page).await;
    assert!(
        shown
            .text
            .contains("<strong>row</strong> per &lt;b&gt;Bestellung&lt;/b&gt;."),
        "{}",
        shown.text
    );
    let html = shown.html();
    assert_eq!(
        texts(&html, "#source-description"),
        ["The source saysThe source's words."]
    );
    let history = texts(&html, "#history-list > li");
    assert!(
        history[0].contains("The description was written."),
        "{history:?}"
    );
    assert!(history[0].contains("by ana"), "{history:?}");
    assert_eq!(texts(&html, "#history-list ins").len(), 1);
    let listed = ana.page("/search?q=bestellung").await;
    assert!(!listed.html().contains("**row**"));
    let again = ana.page(&edit).await;
    assert_eq!(
        texts(&again, "textarea#field-text"),
        ["One **row** per <b>Bestellung</b>. Last line."]
    );
}

#[tokio::test]
async fn two_people_edit_one_description_and_neither_loses_a_word() {
    let (app, page) = app().await;
    let edit = format!("{page}/edit/description");
    let ana = app.person("ana", Role::Steward, &[]).await;
    let bo = app.person("bo", Role::Steward, &[]).await;
    let first = form(
        &ana.page(&edit).await,
        &[("text", "Orders of the shop.\n\nNever late.")],
    );
    send(&ana, &edit, &first).await;

    let hers = form(
        &ana.page(&edit).await,
        &[("text", "Paid orders of the shop.\n\nNever late.")],
    );
    let his = form(
        &bo.page(&edit).await,
        &[("text", "Orders of the shop.\n\nNever later than noon.")],
    );
    let collides = form(
        &bo.page(&edit).await,
        &[("text", "Unpaid orders of the shop.\n\nNever late.")],
    );
    assert_eq!(send(&ana, &edit, &hers).await.status, 303);
    let refused = send(&bo, &edit, &his).await;
    let conflict = send(&bo, &edit, &collides).await;

    assert_eq!(refused.status, 409, "{}", refused.text);
    let shown = refused.html();
    assert_eq!(
        texts(&shown, "#theirs"),
        ["Paid orders of the shop. Never late."]
    );
    assert_eq!(
        texts(&shown, "#mine"),
        ["Orders of the shop. Never later than noon."]
    );
    assert!(texts(&shown, "#theirs-title")[0].starts_with("Saved by ana"));
    assert_eq!(
        texts(&shown, "textarea#field-text"),
        ["Paid orders of the shop. Never later than noon."]
    );
    assert_eq!(texts(&conflict.html(), "#mine mark"), ["Unpaid"]);
    assert_eq!(texts(&conflict.html(), ".takes > li").len(), 1);
    let both = form(&shown, &[]);
    assert_eq!(send(&bo, &edit, &both).await.status, 303);
    let described = texts(&ana.page(&page).await, "#description");
    assert_eq!(
        described,
        ["Paid orders of the shop. Never later than noon."]
    );
}

#[tokio::test]
async fn every_aspect_has_a_form_that_works_without_scripts() {
    let (app, page) = app().await;
    let ana = app.person("ana", Role::Steward, &["Data crew"]).await;
    let fill = async |what: &str, given: &[(&str, &str)]| {
        let edit = format!("{page}/{what}");
        let fields = form(&ana.page(&edit).await, given);
        send(&ana, &edit, &fields).await
    };

    for (what, given) in [
        ("edit/tags", vec![("tags", "pii\r\nGold standard")]),
        (
            "edit/owners",
            vec![
                ("owner-0", "ana"),
                ("role-0", "technical"),
                ("owner-1", "Team: Data crew"),
                ("role-1", "business"),
            ],
        ),
        (
            "edit/links",
            vec![
                ("label-0", "Runbook"),
                ("url-0", "https://wiki.example/orders"),
            ],
        ),
        ("edit/verification", vec![("until", "2030-01-31")]),
        (
            "edit/deprecation",
            vec![
                ("since", ""),
                ("replacement", "sales.paid"),
                ("text", "Use *the other*."),
            ],
        ),
        ("columns/a%2Fb.c/edit", vec![("text", "The *day*.")]),
    ] {
        let saved = fill(what, &given).await;
        assert_eq!(saved.status, 303, "{what}: {}", saved.text);
    }

    let shown = ana.page(&page).await;
    assert_eq!(texts(&shown, "#tags li"), ["pii", "Gold standard"]);
    assert_eq!(texts(&shown, "#owners dd"), ["Data crew", "ana"]);
    assert_eq!(texts(&shown, "#links li a"), ["Runbook"]);
    assert_eq!(
        texts(&shown, "#verified"),
        ["Verified until 2030-01-31 by ana"]
    );
    let deprecated = texts(&shown, "#deprecated");
    assert!(
        deprecated[0].ends_with("Use paid instead. Use the other."),
        "{deprecated:?}"
    );
    assert_eq!(texts(&shown, ".note em"), ["day"]);
    for query in ["tag:pii", "owner:ana", "owner:crew", "day"] {
        let found = ana.json(&format!("/api/v1/search?q={query}")).await;
        assert_eq!(found["hits"][0]["name"], "orders", "{query}");
    }
    let again = form(&ana.page(&format!("{page}/edit/owners")).await, &[]);
    let kept: Vec<&str> = again
        .iter()
        .map(|(_, text)| text.as_str())
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!(kept, ["1", "ana", "Team: Data crew"]);
    let nobody = fill("edit/owners", &[("owner-2", "Nobody at all")]).await;
    assert_eq!(nobody.status, 422);
    assert_eq!(
        texts(&nobody.html(), "#problems li"),
        ["There is no person or team named “Nobody at all”."]
    );
    assert!(
        nobody.text.contains("value=\"Nobody at all\""),
        "{}",
        nobody.text
    );
}

#[tokio::test]
async fn a_preview_is_what_the_page_will_show() {
    let (app, page) = app().await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let markdown = "# Orders\n\n[x](javascript:alert) <script>y</script> **z**";

    let preview = ana.post("/preview", &[("text", markdown)]).await;
    let edit = format!("{page}/edit/description");
    let fields = form(
        &ana.page(&edit).await,
        &[("text", markdown), ("preview", "1")],
    );
    let without_scripts = send(&ana, &edit, &fields).await;
    let saved = form(&ana.page(&edit).await, &[("text", markdown)]);
    send(&ana, &edit, &saved).await;

    assert_eq!(preview.status, 200, "{}", preview.text);
    let rendered = preview.text.trim();
    let inner = rendered
        .strip_prefix("<div class=\"prose\" dir=\"auto\">")
        .unwrap();
    let inner = inner.strip_suffix("</div>").unwrap();
    assert!(inner.starts_with("<h2>Orders</h2>"), "{inner}");
    assert!(
        !inner.contains("<script") && !inner.contains("javascript"),
        "{inner}"
    );
    assert_eq!(without_scripts.status, 200);
    assert!(
        without_scripts.text.contains(inner),
        "{}",
        without_scripts.text
    );
    assert!(ana.get(&page).await.text.contains(inner));
}

#[tokio::test]
async fn a_reader_sees_what_was_written_and_no_way_to_write() {
    let (app, page) = app().await;
    let reader = app.person("rita", Role::Reader, &[]).await;

    let shown = reader.page(&page).await;
    let opened = reader.get(&format!("{page}/edit/description")).await;
    let sent = reader
        .post(
            &format!("{page}/edit/description"),
            &[("text", "x"), ("version", "0")],
        )
        .await;
    let put = reader
        .request(Method::PUT, &format!("/api/v1{page}/tags"))
        .json(&json!({"tags": [], "version": 0}));

    assert!(texts(&shown, "a.edit").is_empty());
    assert_eq!(opened.status, 403);
    assert_eq!(sent.status, 403);
    assert_eq!(Answer::of(put).await.status, 403);
    assert_eq!(reader.post("/preview", &[("text", "x")]).await.status, 403);
}

#[tokio::test]
async fn a_program_writes_against_the_version_it_read() {
    let (app, page) = app().await;
    let put = async |what: &str, body: Value, tag: Option<&str>| {
        let request = app
            .request(Method::PUT, &format!("/api/v1{page}/{what}"))
            .json(&body);
        let request = match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        };
        Answer::of(request).await
    };

    let first = put(
        "description",
        json!({"text": "Orders. Never late.", "version": 0}),
        None,
    )
    .await;
    let second = put(
        "description",
        json!({"text": "Paid orders. Never late."}),
        Some("\"1\""),
    )
    .await;
    let stale = put(
        "description",
        json!({"text": "Orders. Never later than noon.", "version": 1}),
        None,
    )
    .await;
    let never_was = put("description", json!({"text": "", "version": 77}), None).await;
    let unversioned = put("tags", json!({"tags": ["pii"]}), None).await;
    let odd = put(
        "links",
        json!({"links": [{"url": "ftp://x"}, {"url": "y"}], "version": 0}),
        None,
    )
    .await;
    let note = put(
        "columns/a%2Fb.c/description",
        json!({"text": "The day.", "version": 0}),
        None,
    )
    .await;
    let unknown = put(
        "columns/nothing/description",
        json!({"text": "x", "version": 0}),
        None,
    )
    .await;

    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.header("etag"), "\"1\"");
    assert_eq!(second.json()["version"], 2);
    assert_eq!(stale.status, 409, "{}", stale.text);
    assert_eq!(stale.header("content-type"), "application/problem+json");
    let told = stale.json();
    assert_eq!(told["theirs"]["text"], "Paid orders. Never late.");
    assert_eq!(told["theirs"]["edited_by"]["name"], "admin");
    assert_eq!(told["version"], 2);
    assert_eq!(
        told["merged"]["text"],
        "Paid orders. Never later than noon."
    );
    assert_eq!(told["collisions"], 0);
    assert_eq!(never_was.status, 409, "{}", never_was.text);
    assert_eq!(unversioned.status, 422, "{}", unversioned.text);
    assert_eq!(odd.status, 422);
    assert_eq!(odd.json()["problems"].as_array().unwrap().len(), 2);
    assert_eq!(note.status, 200, "{}", note.text);
    assert_eq!(unknown.status, 404);
    let shape = app.json(&format!("/api/v1{page}")).await;
    assert_eq!(
        shape["human"]["description"]["text"],
        "Paid orders. Never late."
    );
    assert_eq!(shape["human"]["columns"]["a/b.c"]["text"], "The day.");
    assert_eq!(shape["source"]["description"], "The source's words.");
    let history = app.json(&format!("/api/v1{page}/history")).await;
    assert_eq!(history["items"][1]["action"], "description_revised");
    assert_eq!(
        history["items"][1]["differences"][0]["before"]["text"],
        "Orders. Never late."
    );
}

#[tokio::test]
async fn words_of_a_renamed_column_are_offered_to_its_new_name() {
    let (app, page) = app().await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let edit = format!("{page}/columns/id/edit");
    let fields = form(&ana.page(&edit).await, &[("text", "Counts up.")]);
    send(&ana, &edit, &fields).await;

    app.add(
        "sales",
        vec![table(&["sales", "orders"], &[("order_id", "int")])],
    )
    .await;
    let shown = ana.page(&page).await;
    let offered = texts(&shown, "#orphans li .note");
    let choices = texts(&shown, "#orphans option");
    let moved = ana
        .post(&format!("{page}/columns/id/move"), &[("to", "order_id")])
        .await;

    assert_eq!(offered, ["Counts up."]);
    assert_eq!(choices, ["choose a column", "order_id"]);
    assert_eq!(moved.status, 303, "{}", moved.text);
    let after = ana.page(&page).await;
    assert!(texts(&after, "#orphans").is_empty());
    assert_eq!(texts(&after, "#columns-rows .note"), ["Counts up."]);
}

#[tokio::test]
async fn all_descriptions_of_columns_together_have_a_limit_and_taking_one_out_always_works() {
    let catalog = TestCatalog::start().await;
    let names: Vec<String> = (0..30).map(|nth| format!("column_{nth}")).collect();
    let columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "int")).collect();
    let id = report(&catalog, vec![table(&["sales", "orders"], &columns)]).await;
    let long = "x".repeat(human::LONGEST_TEXT);
    for name in &names[..20] {
        save(&catalog, id, 0, note(name, &long)).await.unwrap();
    }

    let refused = problems(save(&catalog, id, 0, note("column_20", "One more.")).await);

    assert_eq!(refused.len(), 1);
    assert!(
        refused[0].contains("longer than 2 MB together"),
        "{refused:?}"
    );
    save(&catalog, id, 1, note("column_0", "")).await.unwrap();
    save(&catalog, id, 0, note("column_20", "One more."))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_table_of_very_many_columns_is_shown_part_by_part_and_each_column_has_a_page() {
    let app = TestApp::start().await;
    let names: Vec<String> = (0..500).map(|nth| format!("column_{nth}")).collect();
    let columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "int")).collect();
    app.add("sales", vec![table(&["sales", "wide"], &columns)])
        .await;
    let id = app.id_of(&["sales", "wide"]).await;
    let long = "A sentence about it. ".repeat(100);
    let path = format!("/api/v1/assets/{id}/columns/column_450/description");
    let body = json!({"text": long, "version": 0});
    let saved = app
        .request(Method::PUT, &path)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(saved.status(), 200);

    let first = app.page(&format!("/assets/{id}")).await;
    let last = app.page(&format!("/assets/{id}/columns?from=400")).await;
    let found = app.page(&format!("/assets/{id}?column=column_450")).await;
    let alone = app.page(&format!("/assets/{id}/columns/column_450")).await;

    assert_eq!(texts(&first, "#columns-rows tr").len(), 200);
    assert_eq!(texts(&first, "#columns-found .more"), ["Show the next 200"]);
    assert_eq!(texts(&last, "#columns-rows tr").len(), 100);
    assert_eq!(
        texts(&last, "#columns-said")[0],
        "Showing 401 to 500 of 500 columns, nested fields included. Show them all"
    );
    let shown = texts(&found, "#columns-rows .note");
    assert!(shown[0].len() <= 500, "{shown:?}");
    assert_eq!(texts(&alone, "#note"), [long.trim()]);
    let unknown = app.get(&format!("/assets/{id}/columns/nothing")).await;
    assert_eq!(unknown.status, 404);
}
