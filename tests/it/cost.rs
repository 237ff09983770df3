//! What requests may cost: every route is asked for the largest content that a person or a source may store.
//!
//! The program runs as a process of its own, whose processor time and memory the system measures. Without optimisation
//! it is slower by a known factor. With `GAZETTEER` naming an optimised build, the limits are the true ones:
//! `GAZETTEER=target/release/gazetteer cargo nextest run cost`.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use gazetteer::auth::{Actor, Role, Visibility};
use gazetteer::catalog::human::{self, AssetAspect, ColumnDescription, Description};
use gazetteer::catalog::{self, AssetId, AssetKind, Batch, Cause, Discovered, ViewDefinition};
use gazetteer::config;
use gazetteer::db::changes;
use gazetteer::demo::{Endpoint, World as Glue};
use gazetteer::revisions::Draft;
use gazetteer::web::routes::{self, Site};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::app::{Answer, Browser, address, asset, table, vouch};
use crate::support::catalog::TestCatalog;

/// The threads that answer requests may be busy with one for so long.
const SERVING: Duration = Duration::from_millis(250);

/// All threads together may: what is longer than `SERVING` waits for its turn, apart from what others ask for.
const APART: Duration = Duration::from_millis(1_500);

/// A longer answer is sent in steps of about so many bytes.
const STEP: usize = 2_000_000;

/// One request may take up so much memory, in kB.
const MEMORY: u64 = 64 * 1_024;

/// One request for a table of which its source says very much may take up so much, in kB: few are read at a time.
const MEMORY_APART: u64 = 512 * 1_024;

/// While the costliest requests are answered, a light one takes no longer than this.
const LIGHT: Duration = Duration::from_secs(1);

/// By how much a build without optimisation may be slower.
const SLOWNESS: u32 = 6;

/// People's texts are no longer than this, in characters.
const LONGEST: usize = 100_000;

/// The largest table of a source; an optimised build has twenty-five times as many columns.
const COLUMNS: usize = 8_000;

/// How long a history is.
const CHANGES: usize = 10_000;

/// How long the program may take to start, to follow, and to answer.
const PATIENCE: Duration = Duration::from_mins(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the figures are worth looking at")]
async fn no_request_costs_more_than_its_share_or_keeps_others_waiting() {
    let world = World::start().await;
    let mut broken = Vec::new();
    let mut sites = routes::all();
    // What only reads comes first, so that the largest content is still there.
    sites.sort_by_key(|site| site.method != "GET");
    for site in &sites {
        for asked in world.largest(site) {
            let cost = world.cost_of(&asked).await;
            println!("{cost}");
            broken.extend(cost.excess(world.slowness));
        }
    }

    let slowest = six_at_once(&world).await;
    assert!(
        slowest < LIGHT * world.slowness,
        "/healthz took {slowest:?}"
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Asks for the costliest pages, six at once each, and answers how long a light request took meanwhile.
async fn six_at_once(world: &World) -> Duration {
    let over = AtomicBool::new(false);
    let probing = async {
        let mut slowest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let started = Instant::now();
            assert_eq!(world.nobody.get("/healthz").await.status, 200);
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let costly = async {
        for path in [
            format!("/assets/{}", world.rewritten),
            format!("/api/v1/assets/{}", world.wide),
            format!("/assets/{}/history/2", world.rewritten),
        ] {
            let asking = (0..6).map(|_| world.admin.get(&path));
            for answer in futures::future::join_all(asking).await {
                assert!(
                    matches!(answer.status.as_u16(), 200 | 429),
                    "{path}: {}",
                    answer.status
                );
            }
        }
        over.store(true, Ordering::Relaxed);
    };

    let (slowest, ()) = tokio::join!(probing, costly);
    slowest
}

#[test]
fn a_request_that_costs_too_much_is_named() {
    let cost = |serving, memory| Cost {
        what: "GET /somewhere".to_owned(),
        status: 200,
        serving: Duration::from_millis(serving),
        whole: Duration::from_millis(serving),
        memory,
        large: false,
        size: 0,
    };
    assert!(cost(240, 60_000).excess(1).is_empty());
    assert!(cost(240, 70_000).excess(1)[0].contains("GET /somewhere"));
    assert!(cost(300, 0).excess(1)[0].contains("300ms"));
    assert!(cost(300, 0).excess(2).is_empty());
}

/// What one request is.
struct Asked {
    method: Method,
    path: String,
    body: Body,
    /// Whether it is about a table of which its source says very much, or finds one: few such are answered at a time.
    large: bool,
}

enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
}

/// What one request has cost.
struct Cost {
    what: String,
    status: u16,
    /// Processor time of the threads that answer requests.
    serving: Duration,
    /// Processor time of all threads, without those that write the index.
    whole: Duration,
    /// By how much memory grew at the most, in kB.
    memory: u64,
    large: bool,
    size: usize,
}

impl Cost {
    fn excess(&self, slowness: u32) -> Vec<String> {
        let memory = if self.large { MEMORY_APART } else { MEMORY };
        // Files of any length are sent in steps, between which others are answered.
        let steps = u32::try_from(self.size / STEP).unwrap().max(1);
        let limits = [
            (
                self.serving > SERVING * slowness * steps,
                "the threads that answer are busy for too long",
            ),
            (
                self.whole > APART * slowness * steps,
                "it costs too much processor time",
            ),
            (self.memory > memory, "it takes up too much memory"),
        ];
        let broken = limits.into_iter().filter(|(broken, _)| *broken);
        broken.map(|(_, what)| format!("{what}: {self}")).collect()
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>8?} serving, {:>8?} in all, {:>7} kB of memory, {:>9} bytes, {} {}",
            self.serving, self.whole, self.memory, self.size, self.status, self.what
        )
    }
}

/// A catalog that is full of the largest content, and the program that serves it.
struct World {
    _catalog: TestCatalog,
    process: Child,
    slowness: u32,
    admin: Browser,
    nobody: Browser,
    database: AssetId,
    /// Has as many columns as any.
    wide: AssetId,
    /// Was described with long texts again and again.
    rewritten: AssetId,
    /// Has a long description of each of many columns.
    noted: AssetId,
    /// Was changed very often.
    old: AssetId,
    /// Has a long SQL.
    view: AssetId,
    run: Uuid,
}

/// Is there for the tests that measure, without a failure being told of it when it ends.
impl Drop for World {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Words of which no two are the same, up to so many characters.
fn words(author: &str, most: usize) -> String {
    let mut text = String::new();
    for nth in 0.. {
        if text.len() + 20 > most {
            break;
        }
        write!(text, "{author}{nth} ").unwrap();
    }
    text
}

impl World {
    async fn start() -> Self {
        let optimised = config::variable("GAZETTEER");
        let slowness = if optimised.is_some() { 1 } else { SLOWNESS };
        let columns = if optimised.is_some() {
            25 * COLUMNS
        } else {
            COLUMNS
        };
        let catalog = TestCatalog::start().await;
        let run = run(&catalog).await;
        let database = fill(&catalog, columns).await;
        let id = async |name: &str| {
            let address = address(&["largest", name]);
            let found =
                catalog::find_at(&catalog.app.db, &Visibility::Everything, &[&address]).await;
            found.unwrap().into_values().next().unwrap()
        };
        let (rewritten, noted, old) = (id("rewritten").await, id("noted").await, id("old").await);
        say(&catalog, rewritten, noted).await;
        age(&catalog, old).await;
        let session = vouch(&catalog.app.db, "admin", Some(Role::Admin), &["team"])
            .await
            .unwrap();
        let (process, base) = serve(&catalog, optimised.as_deref());
        let world = Self {
            admin: Browser::visiting(&base).with_session(session.secret.expose_secret()),
            nobody: Browser::visiting(&base),
            wide: id("wide").await,
            view: id("view").await,
            process,
            slowness,
            database,
            rewritten,
            noted,
            old,
            run,
            _catalog: catalog,
        };
        world.until_ready().await;
        // What the process keeps for good, such as pages of the database, is not any request's.
        for path in ["/", "/search?q=largest"] {
            assert_eq!(world.admin.get(path).await.status, 200, "{path}");
        }
        world
    }

    async fn until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = self.nobody.get("/readyz").await;
            if ready.status == 200 && !ready.text.contains("behind") {
                return;
            }
            assert!(Instant::now() < deadline, "{}", ready.text);
        }
    }

    /// The largest requests that a route may be sent.
    fn largest(&self, site: &Site) -> Vec<Asked> {
        let method = Method::from_bytes(site.method.as_str().as_bytes()).unwrap();
        let with = |path: String, body| Asked {
            method: method.clone(),
            large: path.contains(&self.wide.to_string())
                || path.contains("/search")
                || path.contains("/palette"),
            path,
            body,
        };
        if site.method != "GET" {
            let put = site.method == "PUT";
            return self
                .sent_to(site.pattern, put)
                .into_iter()
                .map(|(path, body)| with(path, body))
                .collect();
        }
        let paths = self.read_at(site.pattern);
        paths
            .into_iter()
            .map(|path| with(path, Body::None))
            .collect()
    }

    /// What is asked for at the address of a route that only reads.
    fn read_at(&self, pattern: &str) -> Vec<String> {
        let assets = [
            self.database,
            self.wide,
            self.rewritten,
            self.noted,
            self.old,
            self.view,
        ];
        let of_assets = |end: &str| -> Vec<String> {
            let path = |id: &AssetId| pattern.replace("{id}", &id.to_string()) + end;
            assets.iter().map(path).collect()
        };
        let nobody = Uuid::now_v7().to_string();
        match pattern {
            "/"
            | "/browse"
            | "/requests"
            | "/requests/searches"
            | "/restricted"
            | "/changes"
            | "/changes.atom"
            | "/ingestion"
            | "/ingestion/runs"
            | "/profile"
            | "/profile/tokens"
            | "/people"
            | "/sign-in-check"
            | "/teams"
            | "/profile/link"
            | "/sign-in"
            | "/sign-in/oidc"
            | "/sign-in/oidc/callback"
            | "/set-up"
            | "/choose-password"
            | "/api/v1/recipes"
            | "/api/openapi.json"
            | "/metrics"
            | "/healthz"
            | "/readyz" => vec![pattern.to_owned()],
            "/search" | "/search/suggest" | "/palette" | "/api/v1/search" => {
                let many = words("column_", 900).replace(' ', "+");
                let one = |query: &str| format!("{pattern}?q={query}&limit=100");
                vec![
                    one("column_1"),
                    one("rewritten"),
                    one("a1"),
                    one(&many),
                    one("*"),
                ]
            }
            "/browse/{platform}/{instance}" | "/browse/{platform}/{instance}/restriction" => {
                let instance = crate::support::app::INSTANCE.replace('/', "%2F");
                vec![
                    pattern
                        .replace("{platform}", "glue")
                        .replace("{instance}", &instance),
                ]
            }
            "/assets/{id}"
            | "/assets/{id}/preview"
            | "/api/v1/assets/{id}"
            | "/assets/{id}/restriction" => of_assets(""),
            "/assets/{id}/history" => of_assets("?limit=100"),
            "/api/v1/assets/{id}/history" => of_assets("?limit=100"),
            "/assets/{id}/history/{number}" | "/api/v1/assets/{id}/history/{number}" => {
                let newest = assets
                    .iter()
                    .map(|id| pattern.replace("{id}", &id.to_string()));
                newest.map(|path| path.replace("{number}", "2")).collect()
            }
            "/assets/{id}/columns" => [of_assets(""), of_assets("?column=1&from=200")].concat(),
            "/assets/{id}/columns/{column}" | "/assets/{id}/columns/{column}/edit" => {
                let column = |id: AssetId| {
                    pattern
                        .replace("{id}", &id.to_string())
                        .replace("{column}", "column_1")
                };
                vec![column(self.noted), column(self.wide)]
            }
            "/assets/{id}/edit/{aspect}" => {
                let aspects = [
                    "description",
                    "owners",
                    "tags",
                    "links",
                    "verification",
                    "deprecation",
                    "display_name",
                    "related",
                ];
                let form = |aspect: &&str| pattern.replace("{aspect}", aspect);
                let forms = aspects
                    .iter()
                    .map(form)
                    .map(|path| path.replace("{id}", &self.rewritten.to_string()));
                forms
                    .chain([format!("/assets/{}/edit/description", self.wide)])
                    .collect()
            }
            "/pick/assets" => vec![
                format!("{pattern}?q=column_1&near={}", self.wide),
                format!("{pattern}?q=rewritten"),
            ],
            "/pick/owners" | "/pick/tags" | "/pick/databases" | "/pick/scopes" => {
                vec![pattern.to_owned(), format!("{pattern}?q=t")]
            }
            "/ingestion/recipes/{name}" => ["long", "wrong", "test"]
                .map(|name| pattern.replace("{name}", name))
                .into(),
            "/ingestion/runs/{id}" | "/api/v1/runs/{id}" => {
                vec![pattern.replace("{id}", &self.run.to_string())]
            }
            "/changes/{id}" | "/api/v1/changes/{id}" => {
                let run = self.run.to_string();
                let today = Batch::Day(chrono::Utc::now().date_naive()).id().to_string();
                [run, today]
                    .map(|batch| pattern.replace("{id}", &batch) + "?limit=100")
                    .into()
            }
            "/api/v1/runs/{id}/findings" | "/api/v1/runs/{id}/databases" => {
                vec![pattern.replace("{id}", &self.run.to_string()) + "?limit=100"]
            }
            "/people/{id}" | "/teams/{id}" => vec![pattern.replace("{id}", &nobody)],
            "/audit" | "/audit/export.csv" | "/audit/export.jsonl" => {
                let newest = format!("{pattern}?thing={}", self.rewritten);
                vec![pattern.to_owned(), newest]
            }
            "/api/v1/audit" => vec![
                format!("{pattern}?limit=100"),
                format!("{pattern}?limit=100&thing={}", self.rewritten),
            ],
            "/api/v1/assets" => vec![
                format!("{pattern}?limit=100"),
                format!("{pattern}?limit=100&parent={}", self.database),
            ],
            "/api/v1/databases" | "/api/v1/requests" | "/api/v1/searches" | "/api/v1/runs"
            | "/api/v1/changes" => {
                vec![format!("{pattern}?limit=100")]
            }
            "/static/{path:.*}" => vec!["/static/css/app.css".to_owned()],
            other => panic!("say what the largest answer of the new route {other} is"),
        }
    }

    /// What is sent to a route that changes something.
    fn sent_to(&self, pattern: &str, put: bool) -> Vec<(String, Body)> {
        let nobody = Uuid::now_v7().to_string();
        let (words, other) = (words("w", LONGEST), "&".repeat(LONGEST));
        let form = |fields: &[(&str, &str)]| {
            let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
            Body::Form(fields.iter().map(owned).collect())
        };
        // Begun from the first version, so that three texts have to be merged.
        let edits = |path: String| {
            vec![
                (path.clone(), form(&[("version", "1"), ("text", &words)])),
                (
                    path.clone(),
                    form(&[("version", "1"), ("text", &other), ("preview", "1")]),
                ),
                (path, form(&[("version", "12"), ("text", &other)])),
            ]
        };
        let of = |id: AssetId| {
            pattern
                .replace("{id}", &id.to_string())
                .replace("{column}", "column_1")
        };
        let many = |text: &str| {
            (0..50)
                .map(|nth| format!("{text}{nth}"))
                .collect::<Vec<_>>()
        };
        let long = "x".repeat(1_900);
        if put && pattern.starts_with("/api/v1/searches") {
            let longest = json!({"words": "é".repeat(200)});
            return vec![(pattern.to_owned(), Body::Json(longest))];
        }
        if put {
            let content = match pattern.rsplit('/').next().unwrap() {
                "description" => json!({"text": words}),
                "owners" => json!({"owners": []}),
                "tags" => json!({"tags": many(&"t".repeat(60))}),
                "links" => {
                    json!({"links": many(&format!("https://example.org/{long}")).iter().map(|url| json!({"label": "", "url": url})).collect::<Vec<_>>()})
                }
                "verification" => json!({"until": null}),
                "deprecation" => {
                    json!({"since": Utc::now().date_naive(), "note": long, "replacement": null})
                }
                "display_name" => json!({"name": "é".repeat(200)}),
                "related" => {
                    let others = [self.database, self.old, self.view];
                    let related = others.iter().map(
                        |id| json!({"kind": "see_also", "target": id, "note": "é".repeat(500)}),
                    );
                    json!({"related": related.collect::<Vec<_>>()})
                }
                "request" | "dismissal" => return vec![(of(self.old), Body::None)],
                other => {
                    panic!("say what the largest body of the new route {pattern} ({other}) is")
                }
            };
            let version = |version: i64| {
                let mut content = content.clone();
                content["version"] = version.into();
                Body::Json(content)
            };
            return [self.rewritten, self.noted, self.wide]
                .into_iter()
                .flat_map(|id| {
                    [
                        (of(id), version(0)),
                        (of(id), version(1)),
                        (of(id), version(12)),
                    ]
                })
                .collect();
        }
        match pattern {
            "/assets/{id}/edit/{aspect}" => ["description", "tags", "links", "deprecation"]
                .into_iter()
                .flat_map(|aspect| edits(of(self.rewritten).replace("{aspect}", aspect)))
                .collect(),
            "/assets/{id}/columns/{column}/edit" => edits(of(self.noted)),
            "/assets/{id}/edit/{aspect}/undo" => ["description", "tags", "links", "deprecation"]
                .into_iter()
                .flat_map(|aspect| {
                    let path = of(self.rewritten).replace("{aspect}", aspect);
                    ["2", "12"].map(|version| (path.clone(), form(&[("version", version)])))
                })
                .collect(),
            "/assets/{id}/history/{number}/restore" => ["before", "after"]
                .into_iter()
                .flat_map(|what| {
                    let path = of(self.rewritten).replace("{number}", "3");
                    ["2", "12"].map(|version| {
                        let fields = [("version", version), ("what", what)];
                        (path.clone(), form(&fields))
                    })
                })
                .collect(),
            "/api/v1/assets/{id}/history/{number}/restore" => {
                let path = of(self.rewritten).replace("{number}", "3");
                vec![(path, Body::Json(json!({"what": "before", "version": 12})))]
            }
            "/assets/{id}/columns/{column}/edit/undo" => {
                vec![(of(self.noted), form(&[("version", "1")]))]
            }
            "/assets/{id}/requests" | "/assets/{id}/requests/dismiss" => {
                vec![(of(self.wide), form(&[]))]
            }
            "/requests/searches" | "/requests/searches/dismiss" => {
                let words = "é".repeat(200);
                vec![(pattern.to_owned(), form(&[("words", &words)]))]
            }
            "/assets/{id}/columns/{column}/move" => {
                vec![(of(self.wide), form(&[("to", "column_2")]))]
            }
            "/preview" => [
                &other,
                &words,
                &"[a](/b) ".repeat(LONGEST / 8),
                &"|a".repeat(LONGEST / 2),
            ]
            .map(|text| (pattern.to_owned(), form(&[("text", text)])))
            .into(),
            "/sign-out" => Vec::new(),
            _ => {
                let instance = crate::support::app::INSTANCE.replace('/', "%2F");
                let path = pattern
                    .replace("{platform}", "glue")
                    .replace("{instance}", &instance)
                    .replace("{name}", "nothing");
                let path = ["{id}", "{team}", "{session}", "{token}", "{account}"]
                    .iter()
                    .fold(path, |path, part| path.replace(part, &nobody));
                let body = "&".repeat(300_000);
                vec![(
                    path,
                    form(&[
                        ("name", &body),
                        ("claims", &body),
                        ("text", &body),
                        ("password", &long),
                        ("next", "/"),
                    ]),
                )]
            }
        }
    }

    /// Asks, and measures what it costs.
    async fn cost_of(&self, asked: &Asked) -> Cost {
        self.until_quiet();
        let before = self.measure();
        let request = self.admin.request(asked.method.clone(), &asked.path);
        let answer = Answer::of(match &asked.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::Form(fields) => request.form(fields),
        })
        .await;
        let after = self.measure();
        let what = format!("{} {}", asked.method, asked.path);
        assert!(
            !answer.status.is_server_error() || answer.status == 503,
            "{what}: {}",
            answer.text
        );
        Cost {
            what: what.chars().take(120).collect(),
            status: answer.status.as_u16(),
            serving: after.serving.saturating_sub(before.serving),
            whole: after.whole.saturating_sub(before.whole),
            memory: after.peak.saturating_sub(before.memory),
            large: asked.large,
            size: answer.text.len(),
        }
    }

    /// Waits until the program has nothing to do.
    fn until_quiet(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut last = self.measure().busy;
        let mut quiet = 0;
        while quiet < 20 {
            // Reading the numbers takes about a millisecond.
            let busy = self.measure().busy;
            quiet = if busy.saturating_sub(last) < Duration::from_millis(1) {
                quiet + 1
            } else {
                0
            };
            last = busy;
            assert!(Instant::now() < deadline, "the program is never quiet");
        }
    }

    /// Reads what the system knows of the process, and lets the peak of its memory begin anew.
    fn measure(&self) -> Measured {
        let folder = PathBuf::from(format!("/proc/{}", self.process.id()));
        let mut measured = Measured::default();
        for task in std::fs::read_dir(folder.join("task")).unwrap() {
            let task = task.unwrap().path();
            // A thread may end meanwhile.
            let (Ok(name), Ok(spent)) = (
                std::fs::read_to_string(task.join("comm")),
                std::fs::read_to_string(task.join("schedstat")),
            ) else {
                continue;
            };
            let spent = spent.split(' ').next().unwrap().parse().unwrap();
            let spent = Duration::from_nanos(spent);
            measured.busy += spent;
            if name.starts_with("actix") {
                measured.serving += spent;
            }
            if !["thrd-tantivy", "merge_thread", "segment_updater"]
                .iter()
                .any(|index| name.starts_with(index))
            {
                measured.whole += spent;
            }
        }
        let status = std::fs::read_to_string(folder.join("status")).unwrap();
        let kilobytes = |label: &str| {
            let line = status.lines().find(|line| line.starts_with(label)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        // Files that are mapped, such as those of the index, are not the request's.
        let mapped: u64 = kilobytes("RssFile:");
        measured.memory = kilobytes("RssAnon:");
        measured.peak = kilobytes("VmHWM:").saturating_sub(mapped);
        std::fs::write(folder.join("clear_refs"), "5").unwrap();
        measured
    }
}

/// What the system knows of the process.
#[derive(Default)]
struct Measured {
    serving: Duration,
    whole: Duration,
    busy: Duration,
    memory: u64,
    peak: u64,
}

/// Runs a recipe that finds much, and writes recipes of the greatest length.
async fn run(catalog: &TestCatalog) -> Uuid {
    let mut glue = Glue::new();
    for database in 0..120 {
        let name = format!("database_{database:03}");
        glue.set_database(&json!({"Name": name, "CatalogId": "123456789012"}));
        for table in 0..5 {
            glue.set_table(&name, &json!({"Name": format!("table_{table}"), "ViewOriginalText": "/* Presto View: !! */", "TableType": "VIRTUAL_VIEW"}));
        }
    }
    let endpoint = Endpoint::start(glue).await.unwrap();
    let run = catalog.ingest(&endpoint).await;
    let mut long = std::fs::read_to_string(catalog.dir.path().join("recipes/test.yml")).unwrap();
    while long.len() < 250_000 {
        long.push_str("# Words that nobody reads on and on, line after line.\n");
    }
    let wrong = "nonsense: [1, 2, 3]\n".repeat(12_500);
    for (name, text) in [("long", long), ("wrong", wrong)] {
        std::fs::write(catalog.dir.path().join(format!("recipes/{name}.yml")), text).unwrap();
    }
    run.id
}

/// Reports the largest tables that a source may have.
async fn fill(catalog: &TestCatalog, columns: usize) -> AssetId {
    let names: Vec<String> = (0..columns).map(|nth| format!("column_{nth}")).collect();
    let few: Vec<(&str, &str)> = names
        .iter()
        .take(500)
        .map(|name| (name.as_str(), "int"))
        .collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "string")).collect();
    let mut wide = table(&["largest", "wide"], &all);
    for column in &mut wide.source.columns {
        column.comment = Some("What a column of a table means, told at some length.".to_owned());
    }
    wide.source.description = Some(words("d", 10 * LONGEST));
    wide.source.parameters = (0..5_000)
        .map(|nth| (format!("key_{nth}"), words("v", 1_000)))
        .collect();
    let mut view = asset(AssetKind::View, &["largest", "view"]);
    view.source.view = Some(ViewDefinition {
        sql: "SELECT (a + 1) AS \"b&c\" FROM t -- words\n".repeat(50_000),
        ..ViewDefinition::default()
    });
    let mut tables = vec![
        wide,
        view,
        table(&["largest", "rewritten"], &few),
        table(&["largest", "noted"], &few),
        table(&["largest", "old"], &few),
    ];
    tables.extend((0..60).map(|nth| table(&["largest", &format!("table_{nth:03}")], &few)));
    report(catalog, tables).await
}

async fn report(catalog: &TestCatalog, tables: Vec<Discovered>) -> AssetId {
    let cause = Cause {
        actor: Actor::recipe("test"),
        run: None,
    };
    let now = Utc::now();
    let database = asset(AssetKind::Database, &["largest"]);
    let mut scopes = catalog::open(&catalog.app.db, &cause, vec![database], now)
        .await
        .unwrap();
    catalog::apply(&catalog.app.db, &cause, vec![(&mut scopes[0], tables)], now)
        .await
        .unwrap();
    scopes[0].database()
}

async fn save<A: AssetAspect>(catalog: &TestCatalog, id: AssetId, version: i32, content: A) {
    let draft = Draft { content, version };
    let saved = human::revise(&catalog.app.db, &Actor::operator(), id, draft, Utc::now()).await;
    saved.unwrap();
}

/// Says as much as people may.
async fn say(catalog: &TestCatalog, rewritten: AssetId, noted: AssetId) {
    for version in 0..12 {
        let text = words(["a", "b", "c"][version % 3], LONGEST);
        save(
            catalog,
            rewritten,
            i32::try_from(version).unwrap(),
            Description { text },
        )
        .await;
    }
    let note = |column: &str, text: String| ColumnDescription {
        column: column.to_owned(),
        text,
    };
    for (version, author) in ["a", "b", "c"].into_iter().enumerate() {
        let text = words(author, LONGEST);
        save(
            catalog,
            noted,
            i32::try_from(version).unwrap(),
            note("column_1", text),
        )
        .await;
    }
    for nth in 2..100 {
        save(
            catalog,
            noted,
            0,
            note(&format!("column_{nth}"), "*a* `b` & ".repeat(1_000)),
        )
        .await;
    }
    save(
        catalog,
        noted,
        0,
        Description {
            text: "&".repeat(LONGEST),
        },
    )
    .await;
    for nth in 0..60 {
        let address = address(&["largest", &format!("table_{nth:03}")]);
        let found = catalog::find_at(&catalog.app.db, &Visibility::Everything, &[&address]).await;
        let id = found.unwrap().into_values().next().unwrap();
        save(
            catalog,
            id,
            0,
            Description {
                text: "[a](/b) ".repeat(LONGEST / 8),
            },
        )
        .await;
    }
}

/// Gives a table a history of so many changes, each of many differences.
async fn age(catalog: &TestCatalog, id: AssetId) {
    let differences: Vec<Value> = (0..60)
        .map(|nth| json!({"what": "column_added", "column": format!("column_{nth}"), "data_type": "int"}))
        .collect();
    let details = json!({"differences": differences}).to_string();
    let entry = || Actor::operator().entry(id.subject(), "changed", details.clone(), Utc::now());
    let entries = (0..CHANGES).map(|_| entry());
    let txn = catalog.app.db.write().await.unwrap();
    changes::append(&txn, entries.collect()).await.unwrap();
    txn.commit().await.unwrap();
}

/// Starts the program on a catalog.
fn serve(catalog: &TestCatalog, binary: Option<&str>) -> (Child, String) {
    let mut command = Command::new(binary.unwrap_or(env!("CARGO_BIN_EXE_gazetteer")));
    command
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--rate-limit",
            "0",
            "--log",
            "warn",
        ])
        .arg("--data-dir")
        .arg(catalog.storage.data_dir())
        .arg("--recipes")
        .arg(catalog.dir.path().join("recipes"))
        .env_remove("GAZETTEER_DATABASE_URL")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(url) = &catalog.storage.database_url {
        command.args(["--database-url", url.expose_secret()]);
    }
    let mut process = command.spawn().unwrap();
    let mut told = String::new();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    output.read_line(&mut told).unwrap();
    let base = told
        .trim()
        .rsplit(' ')
        .next()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    (process, base)
}
