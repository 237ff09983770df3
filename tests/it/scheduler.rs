//! What is due, by a clock of the test's own.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use gazetteer::auth::Visibility;
use gazetteer::db::PageRequest;
use gazetteer::demo::{EVERY_PAGE, Endpoint, Fault, World};
use gazetteer::ingest::{self, RunState, StartedBy};
use gazetteer::scheduler::Plan;
use serde_json::json;

use crate::support::catalog::TestCatalog;

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A catalog with recipes, a plan that begins at noon, and what they read.
struct Planned {
    catalog: TestCatalog,
    plan: Plan,
    glue: Endpoint,
}

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

impl Planned {
    async fn start() -> Self {
        let catalog = TestCatalog::start().await;
        let mut world = World::new();
        world.set_database(&json!({ "Name": "db", "CatalogId": "123456789012" }));
        let glue = Endpoint::start(world).await.unwrap();
        let plan = Plan::new(catalog.app.runner.clone(), at("12:00:00"));
        Self {
            catalog,
            plan,
            glue,
        }
    }

    fn write(&self, name: &str, end: &str) {
        self.catalog.write_recipe(name, &self.glue.url(), "", end);
    }

    /// Keeps the plan at a time; answers, when all runs have ended, which recipes have been run so far.
    async fn keep(&self, time: &str) -> Vec<String> {
        self.plan.keep(at(time)).await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let runs = self.runs().await;
            if runs.iter().all(|(_, state)| *state != RunState::Running) {
                return runs.into_iter().map(|(recipe, _)| recipe).collect();
            }
            assert!(Instant::now() < deadline, "a run goes on and on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Every run, the first one first.
    async fn runs(&self) -> Vec<(String, RunState)> {
        let page = PageRequest::first(100);
        let runs = ingest::list_runs(&self.catalog.app.db, &Visibility::Everything, None, &page)
            .await
            .unwrap();
        let runs = runs.items.into_iter().rev().map(|run| {
            assert_eq!(run.started_by, StartedBy::Schedule);
            (run.recipe, run.state)
        });
        runs.collect()
    }
}

#[tokio::test]
async fn a_recipe_is_started_at_its_minute_and_not_again() {
    let planned = Planned::start().await;
    planned.write("daily", "schedule: {cron: 5 12 * * *}");
    planned.write("by_hand", "");

    assert!(planned.keep("12:04:00").await.is_empty());
    assert_eq!(planned.keep("12:05:00").await, ["daily"]);
    assert_eq!(planned.keep("12:05:30").await, ["daily"]);
    assert_eq!(planned.keep("12:06:00").await, ["daily"]);
    assert_eq!(planned.keep("23:59:00").await, ["daily"]);
}

#[tokio::test]
async fn minutes_that_nobody_asked_about_are_made_up_for_once() {
    let planned = Planned::start().await;
    planned.write("often", "schedule: {cron: \"*/5 * * * *\"}");

    assert_eq!(planned.keep("12:31:00").await, ["often"]);
    assert_eq!(planned.keep("12:34:00").await, ["often"]);
    assert_eq!(planned.keep("12:35:02").await, ["often", "often"]);
}

#[tokio::test]
async fn a_time_that_came_while_nothing_could_be_written_is_made_up_for_once() {
    let planned = Planned::start().await;
    if planned.catalog.storage.database_url.is_some() {
        return;
    }
    planned.write("daily", "schedule: {cron: 5 12 * * *}");
    let folder = planned.catalog.storage.data_dir();
    let (file, aside) = (folder.join("catalog.db"), folder.join("aside.db"));
    std::fs::rename(&file, &aside).unwrap();

    planned.plan.keep(at("12:05:00")).await;
    std::fs::rename(&aside, &file).unwrap();

    assert!(planned.runs().await.is_empty());
    assert_eq!(planned.keep("12:06:00").await, ["daily"]);
    assert_eq!(planned.keep("12:07:00").await, ["daily"]);
}

#[tokio::test]
async fn a_clock_that_is_put_back_brings_nothing_again() {
    let planned = Planned::start().await;
    planned.write("daily", "schedule: {cron: 5 12 * * *}");

    assert_eq!(planned.keep("12:05:00").await, ["daily"]);
    assert_eq!(planned.keep("11:00:00").await, ["daily"]);
    assert_eq!(planned.keep("12:05:00").await, ["daily"]);
    assert_eq!(planned.keep("12:06:00").await, ["daily"]);
}

#[tokio::test]
async fn a_recipe_that_is_still_running_is_left_alone() {
    let planned = Planned::start().await;
    planned.write("often", "schedule: {cron: \"* * * * *\"}");
    planned
        .glue
        .fault("db", EVERY_PAGE, Fault::Slow(PATIENCE * 2));

    planned.plan.keep(at("12:01:00")).await;
    planned.plan.keep(at("12:02:00")).await;

    assert_eq!(planned.runs().await.len(), 1);
    planned.catalog.app.runner.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_one_recipe_keeps_no_other_waiting() {
    let planned = Planned::start().await;
    planned.write("broken", "schedule: {cron: nonsense}");
    planned.write("daily", "schedule: {cron: 5 12 * * *}");

    assert_eq!(planned.keep("12:05:00").await, ["daily"]);
    // Once it is put right it runs at its next time, without a new start.
    planned.write("broken", "schedule: {cron: 7 12 * * *}");
    assert_eq!(planned.keep("12:06:00").await, ["daily"]);
    assert_eq!(planned.keep("12:07:00").await, ["daily", "broken"]);
}

#[tokio::test]
async fn a_time_zone_is_the_recipes_own() {
    let planned = Planned::start().await;
    let zone = "schedule: {cron: 30 13 * * *, timezone: Europe/Berlin}";
    planned.write("berlin", zone);

    assert!(planned.keep("12:29:00").await.is_empty());
    assert_eq!(planned.keep("12:30:00").await, ["berlin"]);
    assert_eq!(planned.keep("13:30:00").await, ["berlin"]);
}

#[tokio::test]
async fn several_processes_that_keep_one_schedule_run_each_time_once() {
    let planned = Planned::start().await;
    planned.write("often", "schedule: {cron: '* * * * *'}");
    let another = Plan::new(planned.catalog.app.runner.clone(), at("11:57:00"));

    let first = planned.keep("12:01:00").await;
    another.keep(at("12:01:01")).await;
    let both = planned.keep("12:01:30").await;
    another.keep(at("12:02:00")).await;
    let next = planned.keep("12:02:00").await;

    assert_eq!((first.len(), both.len(), next.len()), (1, 1, 2));
}
