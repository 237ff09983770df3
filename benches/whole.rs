//! The whole way, as users go it: from a Glue endpoint through the binary to "searchable", and back through HTTP.
//!
//! `cargo bench --bench whole -- [--tables N] [--postgres URL] [--corpus FILE.jsonl]`
//! `cargo bench --bench whole -- --restricted N [--postgres URL]`
//! `cargo bench --bench whole -- --aspects N [--postgres URL]`
//!
//! The endpoint is a process of its own, the catalog is the released binary; both share the machine. Each line is a
//! measurement with its ratio to something; nothing here passes or fails. `docs/benchmarks.md` says what was measured.

#![expect(clippy::print_stdout, reason = "a benchmark's result is its output")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use gazetteer::app::App;
use gazetteer::auth::scopes::{self, Admitted};
use gazetteer::auth::{AccountId, Actor, Permission, Place, Scope, Visibility};
use gazetteer::catalog::human::Description;
use gazetteer::catalog::{
    self, Address, AssetId, AssetKind, Cause, Children, Column, Discovered, Facts, SourceLayer,
};
use gazetteer::config::Storage;
use gazetteer::db::{PageRequest, Subject};
use gazetteer::demo::{Corpus, Endpoint, World};
use gazetteer::ingest::Recipes;
use gazetteer::revisions::{self, Draft, Target};
use gazetteer::search::{Query, follow};
use serde_json::Value;

/// What a peer reads a second from the same kind of endpoint, without storing it (measured apart, see the document).
const PEER: f64 = 128.0;

/// Words that people of all the corpus' subjects look for.
const SEARCHES: [&str; 8] = [
    "customer orders",
    "payment",
    "shipment status",
    "which campaign brought the customer",
    "user_id",
    "daily revenue by country",
    "refunds",
    "sesion events",
];

/// How many clients sign in at once, each to an account of its own.
const SIGNING_IN: [usize; 2] = [1, 4];

const PASSWORD: &str = "correct horse battery staple";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Options {
    tables: u64,
    postgres: Option<String>,
    corpus: Option<PathBuf>,
    endpoint: bool,
    restricted: Option<usize>,
    aspects: Option<usize>,
}

fn main() -> Outcome<()> {
    let options = options();
    if options.endpoint {
        return serve_endpoint(&options);
    }
    if let Some(scopes) = options.restricted {
        return restricted(scopes, options.postgres.as_deref());
    }
    if let Some(count) = options.aspects {
        return aspects(count, options.postgres.as_deref());
    }
    measure(&options, "SQLite", None)?;
    if let Some(url) = &options.postgres {
        measure(&options, "Postgres", Some(url))?;
    }
    Ok(())
}

fn options() -> Options {
    let mut options = Options {
        tables: 20_000,
        postgres: None,
        corpus: None,
        endpoint: false,
        restricted: None,
        aspects: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--tables" => {
                options.tables = words.next().and_then(|n| n.parse().ok()).unwrap_or(20_000);
            }
            "--postgres" => options.postgres = words.next(),
            "--corpus" => options.corpus = words.next().map(PathBuf::from),
            "--restricted" => options.restricted = words.next().and_then(|n| n.parse().ok()),
            "--aspects" => options.aspects = words.next().and_then(|n| n.parse().ok()),
            "--endpoint" => options.endpoint = true,
            // cargo adds --bench
            _ => {}
        }
    }
    options
}

/// The other process: a Glue endpoint that changes 1 % of its tables for each line it reads.
fn serve_endpoint(options: &Options) -> Outcome<()> {
    let world = match &options.corpus {
        Some(corpus) => Corpus::read(corpus)?.world,
        None => World::generated(options.tables, 1),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let endpoint = runtime.block_on(Endpoint::start(world))?;
    println!("{}", endpoint.url());
    for (round, line) in (1..).zip(std::io::stdin().lock().lines()) {
        line?;
        let changed = endpoint.change(|world| world.change_share(10, round));
        println!("{changed}");
    }
    Ok(())
}

/// The endpoint's process, ended when dropped.
struct Glue {
    process: Child,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Glue {
    fn start(options: &Options) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("--endpoint")
            .args(["--tables", &options.tables.to_string()]);
        if let Some(corpus) = &options.corpus {
            command.arg("--corpus").arg(corpus);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let answers = process.stdout.take().ok_or("the endpoint has no output")?;
        let mut glue = Self {
            process,
            answers: BufReader::new(answers),
            url: String::new(),
        };
        glue.url = glue.answer()?;
        Ok(glue)
    }

    fn change(&mut self) -> Outcome<String> {
        let stdin = self
            .process
            .stdin
            .as_mut()
            .ok_or("the endpoint has no input")?;
        writeln!(stdin, "change")?;
        self.answer()
    }

    fn answer(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Glue {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn measure(options: &Options, database: &str, url: Option<&str>) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut glue = Glue::start(options)?;
    let recipe = folder.path().join("bench.yml");
    std::fs::write(
        &recipe,
        format!(
            "source:\n  type: glue\n  config:\n    aws_region: eu-central-1\n    aws_access_key_id: bench\n    \
             aws_secret_access_key: bench\n    aws_endpoint_url: {}\n",
            glue.url
        ),
    )?;
    println!("\n{database}");
    println!(
        "  what                         tables/s   seconds  peak MiB   against {PEER:.0}/s of a peer"
    );
    load("first load", folder.path(), &recipe, url)?;
    load("unchanged", folder.path(), &recipe, url)?;
    let changed = glue.change()?;
    load(
        &format!("{changed} tables changed"),
        folder.path(),
        &recipe,
        url,
    )?;
    serve(folder.path(), url)
}

/// One whole process of `gazetteer ingest run`, from start to searchable.
fn load(what: &str, folder: &Path, recipe: &Path, url: Option<&str>) -> Outcome<()> {
    let clock = Instant::now();
    let mut process = gazetteer(folder, url)
        .args(["ingest", "run", "--json", "-c"])
        .arg(recipe)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut output = BufReader::new(process.stdout.take().ok_or("no output")?);
    let watched = process.id();
    let watch = std::thread::spawn(move || peak(watched));
    let mut report = String::new();
    std::io::Read::read_to_string(&mut output, &mut report)?;
    let status = process.wait()?;
    let seconds = clock.elapsed().as_secs_f64();
    let peak = watch.join().unwrap_or(0);
    let report: Value = serde_json::from_str(&report)?;
    let count = |key: &str| report.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let tables = count("new") + count("changed") + count("unchanged");
    let rate = tables / seconds;
    println!(
        "  {what:<26} {rate:>10.0} {seconds:>9.2} {peak:>9}   {:.0} times   ({status})",
        rate / PEER
    );
    Ok(())
}

fn gazetteer(folder: &Path, url: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetteer"));
    command.arg("--data-dir").arg(folder.join("data"));
    if let Some(url) = url {
        command.args(["--database-url", url]);
    }
    command
}

/// The most resident memory of a process in MiB, as Linux counts it, until the process ends.
fn peak(process: u32) -> u64 {
    let mut peak = 0;
    while let Some(kib) = high_water(process) {
        peak = peak.max(kib / 1024);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    peak
}

fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Start-up, searches and pages of the server, through HTTP.
fn serve(folder: &Path, url: Option<&str>) -> Outcome<()> {
    let clock = Instant::now();
    let mut server = gazetteer(folder, url)
        .args(["serve", "--listen", "127.0.0.1:0"])
        // One client asks for more here than a person does, and does not sign in for it.
        .args(["--rate-limit", "0", "--anonymous-read=true", "--recipes"])
        .arg(folder.join("none"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let address = line
        .trim()
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .trim_end_matches('/')
        .to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime
        .block_on(ask(&address, clock, server.id()))
        .and_then(|()| {
            let names = make_people(folder, url)?;
            runtime.block_on(sign_in_meanwhile(&address, names))
        });
    server.kill()?;
    server.wait()?;
    outcome
}

#[expect(clippy::too_many_lines, reason = "one measurement after the other")]
async fn ask(address: &str, clock: Instant, process: u32) -> Outcome<()> {
    let client = reqwest::Client::new();
    while !client
        .get(format!("{address}/readyz"))
        .send()
        .await
        .is_ok_and(|ready| ready.status().is_success())
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("  start to ready: {} ms", clock.elapsed().as_millis());

    let mut times = Vec::new();
    let mut asset = None;
    for round in 0..50 {
        for words in SEARCHES {
            let clock = Instant::now();
            let answer: Value = client
                .get(format!("{address}/api/v1/search"))
                .query(&[("q", words)])
                .send()
                .await?
                .error_for_status()?
                .json()
                .await?;
            if round > 0 {
                times.push(clock.elapsed());
            }
            asset = asset.or_else(|| {
                answer
                    .pointer("/hits/0/url")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            });
        }
    }
    tell("search through HTTP", &mut times);
    let clock = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for lane in 0..8 {
        let (client, address) = (client.clone(), address.to_owned());
        running.spawn(async move {
            for n in 0..50 {
                let words = SEARCHES
                    .iter()
                    .cycle()
                    .nth(lane + n)
                    .copied()
                    .unwrap_or_default();
                let asked = client
                    .get(format!("{address}/api/v1/search"))
                    .query(&[("q", words)])
                    .send()
                    .await;
                asked
                    .and_then(reqwest::Response::error_for_status)
                    .expect("a search is answered");
            }
        });
    }
    while let Some(lane) = running.join_next().await {
        lane?;
    }
    println!(
        "  searches a second, 8 at once: {:.0}",
        400.0 / clock.elapsed().as_secs_f64()
    );
    if let Some(path) = asset {
        let mut times = Vec::new();
        for _ in 0..100 {
            let clock = Instant::now();
            client
                .get(format!("{address}{path}"))
                .send()
                .await?
                .error_for_status()?
                .text()
                .await?;
            times.push(clock.elapsed());
        }
        tell("the page of a table", &mut times);
    }
    println!(
        "  memory of the server, at most: {} MiB",
        high_water(process).unwrap_or(0) / 1024
    );
    Ok(())
}

/// Makes an account for each client that signs in; answers the links with which they choose a password.
fn make_people(folder: &Path, url: Option<&str>) -> Outcome<Vec<(String, String)>> {
    let mut people = Vec::new();
    for number in 0..SIGNING_IN.iter().copied().max().unwrap_or(0) {
        let name = format!("bench-{number}");
        let made = gazetteer(folder, url)
            .args(["user", "add", &name])
            .output()?;
        let link = String::from_utf8(made.stdout)?;
        let code = link
            .trim()
            .split("code=")
            .nth(1)
            .ok_or("there is no link")?;
        people.push((name, code.to_owned()));
    }
    Ok(people)
}

/// How long searches take while nobody signs in, and while so many clients do nothing else.
async fn sign_in_meanwhile(address: &str, people: Vec<(String, String)>) -> Outcome<()> {
    // A session that each sign-in begins is of no use here: no cookie is kept, no redirect followed.
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    for (_, code) in &people {
        let form = [("code", code.as_str()), ("password", PASSWORD)];
        let chosen = client.post(format!("{address}/choose-password"));
        chosen.form(&form).send().await?.error_for_status()?;
    }
    let quiet = search_for_a_while(&client, address).await?;
    println!("  searches while nobody signs in: {}", quiet.in_words());
    for clients in SIGNING_IN {
        let done = Arc::new(AtomicBool::new(false));
        let mut signing_in = tokio::task::JoinSet::new();
        for (name, _) in people.iter().take(clients) {
            let (client, done) = (client.clone(), Arc::clone(&done));
            let (name, address) = (name.clone(), format!("{address}/sign-in"));
            signing_in.spawn(async move {
                let mut times = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    let form = [("name", name.as_str()), ("password", PASSWORD)];
                    let answer = client.post(&address).form(&form).send().await;
                    let status = answer.map(|answer| answer.status().as_u16());
                    assert_eq!(status.ok(), Some(303), "a sign-in succeeds");
                    times += 1;
                }
                times
            });
        }
        let clock = Instant::now();
        let busy = search_for_a_while(&client, address).await;
        let seconds = clock.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        let mut sign_ins = 0;
        while let Some(times) = signing_in.join_next().await {
            sign_ins += times?;
        }
        let busy = busy?;
        println!(
            "  while {clients} sign in all the time, {:.0} a second: {}; ratios {:.1} and {:.1}",
            f64::from(sign_ins) / seconds,
            busy.in_words(),
            busy.median / quiet.median,
            busy.most / quiet.most
        );
    }
    Ok(())
}

/// How long something took, in milliseconds.
struct Times {
    median: f64,
    /// 99 of a hundred took no longer.
    most: f64,
}

impl Times {
    fn in_words(&self) -> String {
        format!(
            "median {:.2} ms, 99 % within {:.2} ms",
            self.median, self.most
        )
    }
}

async fn search_for_a_while(client: &reqwest::Client, address: &str) -> Outcome<Times> {
    let mut times = Vec::new();
    for words in SEARCHES.iter().cycle().take(SEARCHES.len() * 100) {
        let clock = Instant::now();
        let asked = client.get(format!("{address}/api/v1/search"));
        let answer = asked.query(&[("q", words)]).send().await?;
        answer.error_for_status()?.bytes().await?;
        times.push(clock.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    Ok(Times {
        median: at(50).unwrap_or(0.0),
        most: at(99).unwrap_or(0.0),
    })
}

fn tell(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    };
    println!(
        "  {what}: median {:.2} ms, 95 % within {:.2} ms, ratio {:.1}",
        at(50),
        at(95),
        at(95) / at(50)
    );
}

/// Opens an empty catalog, here or in this Postgres database, and works in it.
fn in_fresh_catalog(url: Option<&str>, work: impl AsyncFnOnce(App) -> Outcome<()>) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let storage = Storage {
        data_dir: Some(folder.path().join("data")),
        database_url: url.map(Into::into),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        work(App::open(&storage, Recipes::in_folder(folder.path())).await?).await
    })
}

/// Saves so many aspects in one transaction, twice.
fn aspects(count: usize, url: Option<&str>) -> Outcome<()> {
    in_fresh_catalog(url, async |app| {
        println!("\n{}, {count} aspects", app.db.product());
        let ids: Vec<uuid::Uuid> = (0..count).map(|_| uuid::Uuid::now_v7()).collect();
        for (version, what) in [(0, "first"), (1, "second")] {
            let drafts = ids.iter().map(|id| draft(*id, version, what)).collect();
            let clock = Instant::now();
            let (actor, now) = (Actor::operator(), Utc::now());
            let prepared = revisions::prepare(&app.db, &actor, drafts, now).await?;
            let prepared: Result<Vec<_>, _> = prepared.into_iter().collect();
            let prepared = prepared.map_err(|problems| format!("{problems:?}"))?;
            let ready = clock.elapsed().as_secs_f64();
            let txn = app.db.write().await?;
            let revised = revisions::revise_in(&txn, &actor, prepared, now).await?;
            revised.map_err(|late| format!("{} drafts came too late", late.len()))?;
            txn.commit().await?;
            let done = clock.elapsed().as_secs_f64();
            println!("  {what} revisions: {done:.2} s, of which {ready:.2} without the lock");
        }
        Ok(())
    })
}

/// A description of a thing that no module keeps: what is measured is the machinery alone.
fn draft(id: uuid::Uuid, version: i32, what: &str) -> (Target<'static>, Draft<Description>) {
    let target = Target {
        subject: Subject::Team(id),
        permission: Permission::Describe,
        place: Place {
            platform: "",
            instance: "",
            database: id,
        },
        placed: None,
    };
    let text = format!("The {what} description of {id}, as long as such texts are on the whole.");
    let content = Description { text };
    (target, Draft { content, version })
}

/// Searches and lists with so many databases, none of them restricted, then all but one in a hundred.
fn restricted(databases: usize, url: Option<&str>) -> Outcome<()> {
    in_fresh_catalog(url, async |app| {
        let scopes = fill(&app, databases).await?;
        follow::catch_up(&app.db, &app.index).await?;
        println!(
            "\n{}, {databases} databases of 2 tables, medians in ms",
            app.db.product()
        );
        let somebody = Visibility::As {
            account: Some(AccountId(uuid::Uuid::now_v7())),
            teams: Vec::new(),
        };
        let open = look(&app, &somebody).await?;
        let clock = Instant::now();
        for scope in scopes.iter().enumerate().filter(|(nth, _)| nth % 100 > 0) {
            let (nobody, now) = (Admitted::new(), Utc::now());
            scopes::restrict(&app.db, &Actor::operator(), scope.1, &nobody, now).await?;
        }
        println!("  restricting them: {:.1} s", clock.elapsed().as_secs_f64());
        let clock = Instant::now();
        let access_filter = app.index.access_filter(&app.db, &somebody).await?;
        app.index.search(&Query::words("orders"), &access_filter)?;
        let first = clock.elapsed().as_secs_f64() * 1_000.0;
        println!("  the first search after a change: {first:.2}");
        let everything = look(&app, &Visibility::Everything).await?;
        let closed = look(&app, &somebody).await?;
        println!(
            "  what                     none restricted   as an admin    as an outsider   ratio"
        );
        for (((what, open), (_, all)), (_, closed)) in open.iter().zip(&everything).zip(&closed) {
            let ratio = closed / open;
            println!("  {what:<24} {open:>15.2} {all:>13.2} {closed:>17.2}   {ratio:.1}");
        }
        Ok(())
    })
}

/// Makes databases, and answers them as scopes.
async fn fill(app: &App, databases: usize) -> Outcome<Vec<Scope>> {
    let cause = Cause {
        actor: Actor::recipe("bench"),
        run: None,
    };
    let mut scopes = Vec::with_capacity(databases);
    let numbers: Vec<usize> = (0..databases).collect();
    for some in numbers.chunks(250) {
        let now = Utc::now();
        let reports = some.iter().map(|n| report(*n, None)).collect();
        let mut opened = catalog::open(&app.db, &cause, reports, now).await?;
        for database in &opened {
            scopes.push(Scope::Database {
                platform: "glue".to_owned(),
                instance: "bench".to_owned(),
                database: database.database().0,
            });
        }
        let pages = opened.iter_mut().zip(some).map(|(scope, n)| {
            let tables = ["orders", "customers"].map(|table| report(*n, Some(table)));
            (scope, tables.to_vec())
        });
        catalog::apply(&app.db, &cause, pages.collect(), now).await?;
    }
    Ok(scopes)
}

fn report(number: usize, table: Option<&str>) -> Discovered {
    let name = format!("database_{number}");
    let columns = ["customer_id", "country", "total", "created_at"].map(|column| Column {
        name: column.to_owned(),
        path: column.to_owned(),
        data_type: "string".to_owned(),
        ..Column::default()
    });
    let columns = columns.into_iter().chain([Column {
        name: format!("field_{number}"),
        path: format!("field_{number}"),
        ..Column::default()
    }]);
    let table_path = table.map(|table| format!("{table}_{number}"));
    Discovered {
        kind: if table.is_some() {
            AssetKind::Table
        } else {
            AssetKind::Database
        },
        address: Address {
            platform: "glue".to_owned(),
            instance: "bench".to_owned(),
            path: std::iter::once(name).chain(table_path).collect(),
        },
        source: SourceLayer {
            columns: columns.filter(|_| table.is_some()).collect(),
            ..SourceLayer::default()
        },
        facts: Facts::default(),
        aliases: Vec::new(),
    }
}

/// What looking around takes somebody: medians in milliseconds.
async fn look(app: &App, visibility: &Visibility) -> Outcome<Vec<(&'static str, f64)>> {
    let (db, index) = (&app.db, &app.index);
    let mut times: Vec<(&'static str, Vec<f64>)> = Vec::new();
    let mut note = |what, clock: Instant| {
        let took = clock.elapsed().as_secs_f64() * 1_000.0;
        match times.iter_mut().find(|(known, _)| *known == what) {
            Some((_, all)) => all.push(took),
            None => times.push((what, vec![took])),
        }
    };
    let page = PageRequest::first(100);
    for _ in 0..20 {
        for (what, words) in [
            ("search: common words", "customer orders"),
            ("search: a rare word", "field_777"),
            ("search: misspelt", "costumer contry"),
            ("search: everything", ""),
        ] {
            let clock = Instant::now();
            let access_filter = index.access_filter(db, visibility).await?;
            index.search(&Query::words(words), &access_filter)?;
            note(what, clock);
        }
        for (what, typed) in [
            ("typeahead: a letter", "f"),
            ("typeahead: a word", "custom"),
        ] {
            let clock = Instant::now();
            let access_filter = index.access_filter(db, visibility).await?;
            index.suggest(typed, 8, &access_filter)?;
            note(what, clock);
        }
        let clock = Instant::now();
        let listed = catalog::list_children(db, visibility, &Children::default(), &page).await?;
        note("list: databases", clock);
        let ids: Vec<AssetId> = listed.items.iter().map(|one| one.id).collect();
        let clock = Instant::now();
        catalog::count_inside(db, visibility, &ids).await?;
        note("list: counts inside", clock);
        let clock = Instant::now();
        catalog::list_instances(db, visibility).await?;
        note("list: sources", clock);
        let clock = Instant::now();
        catalog::list_recent_changes(db, visibility, &page).await?;
        note("list: recent changes", clock);
        if let Some(id) = ids.first() {
            let clock = Instant::now();
            catalog::find_asset(db, visibility, *id).await?;
            note("one database", clock);
        }
    }
    Ok(times
        .into_iter()
        .map(|(what, mut all)| {
            all.sort_by(f64::total_cmp);
            (what, all.get(all.len() / 2).copied().unwrap_or_default())
        })
        .collect())
}
