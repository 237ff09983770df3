//! What people write about assets: saved once, never lost, told in the history.

use chrono::{DateTime, NaiveDate, Utc};
use gazetteer::auth::accounts::{self, AccountKind, NewAccount, Standing};
use gazetteer::auth::principals::Principal;
use gazetteer::auth::{AccountId, Actor, Sight, teams};
use gazetteer::catalog::human::{
    self, Aspect, Deprecation, Description, Draft, Edition, Links, Note, OfAsset, Owner, OwnerRole,
    Owners, Reference, Refusal, Stale, Tags, Verification,
};
use gazetteer::catalog::{self, Action, Asset, AssetId, AssetKind, Cause, Discovered};
use gazetteer::db::PageRequest;
use gazetteer::error::{Explain as _, Kind};
use gazetteer::search::follow;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::support::app::{asset, table};
use crate::support::catalog::TestCatalog;

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn text(text: &str) -> Description {
    Description {
        text: text.to_owned(),
    }
}

fn note(column: &str, text: &str) -> Note {
    Note {
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
    let found = catalog::find_at(&catalog.app.db, &Sight::Everything, &[&address])
        .await
        .unwrap();
    found.into_values().next().unwrap()
}

async fn save<A: Aspect>(
    catalog: &TestCatalog,
    id: AssetId,
    version: i32,
    content: A,
) -> Result<Edition<A>, Refusal<A>> {
    let draft = Draft { content, version };
    human::revise(&catalog.app.db, &Actor::operator(), id, draft, now()).await
}

async fn find(catalog: &TestCatalog, id: AssetId) -> Asset {
    catalog::find_asset(&catalog.app.db, &Sight::Everything, id)
        .await
        .unwrap()
}

/// Makes an account for somebody.
async fn person(catalog: &TestCatalog, name: &str, display_name: &str) -> AccountId {
    let new = NewAccount {
        kind: AccountKind::Person,
        name: name.parse().unwrap(),
        display_name: Some(display_name.to_owned()),
        standing: Standing::STEWARD,
    };
    let operator = Actor::operator();
    let made = accounts::create(&catalog.app.db, &operator, &new, now()).await;
    made.unwrap().id
}

fn stale<A: Aspect>(saved: Result<Edition<A>, Refusal<A>>) -> Stale<A> {
    match saved {
        Err(Refusal::Stale(stale)) => *stale,
        other => panic!("not stale: {other:?}"),
    }
}

fn problems<A: Aspect>(saved: Result<Edition<A>, Refusal<A>>) -> Vec<String> {
    match saved {
        Err(Refusal::Problems(problems)) => {
            problems.into_iter().map(|problem| problem.text).collect()
        }
        other => panic!("no problems: {other:?}"),
    }
}

async fn sentences(catalog: &TestCatalog, id: AssetId) -> Vec<String> {
    let page = PageRequest::first(100);
    let history = catalog::list_history(&catalog.app.db, &Sight::Everything, id, &page)
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
    assert_eq!(
        revision.text,
        Some((String::new(), "One row per *order*.\n".to_owned()))
    );
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
async fn a_stale_save_of_what_is_there_already_or_of_nothing_new_is_no_quarrel() {
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
    let moved = human::move_note(&catalog.app.db, &visitor, id, ("a", "id"), now()).await;

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
    let link = |label: &str, url: &str| Reference {
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
    let link = Reference {
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
        replacement: Some(other),
    };
    save(&catalog, id, 0, deprecation.clone()).await.unwrap();

    let asset = find(&catalog, id).await;
    assert_eq!(Tags::of(&asset.human).content, tags(&["PII", "two words"]));
    assert_eq!(
        Links::of(&asset.human).content.0,
        [Reference {
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
            "It appeared in the source.",
        ]
    );
    let itself = Deprecation {
        replacement: Some(id),
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
    let of_crew = catalog::list_owned_by(db, &[crew.principal.id()]).await;
    let of_ana = catalog::list_owned_by(db, &[ana.principal.id()]).await;
    assert_eq!(of_crew.unwrap(), [id]);
    assert_eq!(of_ana.unwrap(), []);
}

/// What is found, by name, once the index has caught up.
async fn found(catalog: &TestCatalog, words: &str) -> Vec<String> {
    let (db, index) = (&catalog.app.db, &catalog.app.index);
    follow::catch_up(db, index).await.unwrap();
    let hits = catalog.search(words).hits;
    let ids: Vec<AssetId> = hits.iter().map(|hit| hit.id).collect();
    let assets = catalog::find_assets(db, &ids).await.unwrap();
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
    let beside = renamed.human.notes_beside(&renamed.column_paths());
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].content, note("at", "When it was *paid*."));
    let edited = save(&catalog, id, 1, note("at", "When it was paid."))
        .await
        .unwrap();
    let actor = Actor::operator();
    human::move_note(&catalog.app.db, &actor, id, ("at", "paid_at"), now())
        .await
        .unwrap();

    assert_eq!(
        unknown.unwrap_err().to_string(),
        "There is no column “nothing”."
    );
    assert_eq!(edited.version, 2);
    let moved = find(&catalog, id).await;
    assert_eq!(moved.human.note("paid_at"), Some("When it was paid."));
    assert_eq!(moved.human.note("id"), Some("Counts up."));
    assert_eq!(moved.human.note("at"), None);
    assert!(moved.human.notes_beside(&moved.column_paths()).is_empty());
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
    assert_eq!(returned.human.notes, before.notes);
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
            let Refusal::Stale(refused) = refusal else {
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
        for who in [0, 1, 0, 1] {
            self.save(who).await;
        }
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
                Action::Revised(revision) => revision.text.clone(),
                _ => None,
            })
            .flat_map(|(_, after)| words(&after))
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
