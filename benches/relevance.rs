//! How good search is: judged queries, asked through the real index.
//!
//! `cargo bench --bench relevance -- --judged DIR` reads `tables.jsonl`, `queries.jsonl` and `queries_keywords.jsonl`
//! (or folders that contain them) and prints nDCG@10 and recall@10. `-- --latency FILE` indexes the tables of one file
//! and prints how long indexing and typical queries take. `-- --layers TABLES QUERIES` asks for the best table of a layered
//! warehouse: tables as in `tables.jsonl` or as a Glue catalog's JSON, queries as `{"query", "best": [names]}`.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gazetteer::catalog::{Address, AssetId, AssetKind, Column, SourceLayer};
use gazetteer::search::documents::of_asset;
use gazetteer::search::{AccessFilter, Document, Index, Options, Query};
use serde::Deserialize;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How deep a list of hits is judged.
const DEPTH: usize = 10;

/// How many tables are read ahead of the index.
const BATCH: usize = 1_000;

#[derive(Deserialize)]
struct Table {
    database: String,
    #[serde(rename = "table")]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    columns: Vec<TableColumn>,
}

#[derive(Deserialize)]
struct TableColumn {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
struct Judged {
    query: String,
    relevant: Vec<String>,
}

fn main() -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let value = |flag: &str| {
        let at = words.iter().position(|word| word == flag)?;
        words.get(at + 1).map(PathBuf::from)
    };
    if let Some(file) = value("--latency") {
        return latency(&file, &mut out);
    }
    if let Some(at) = words.iter().position(|word| word == "--layers") {
        let mut files = words.iter().skip(at + 1).map(Path::new);
        let (Some(tables), Some(queries)) = (files.next(), files.next()) else {
            return Err("--layers takes two files: TABLES QUERIES".into());
        };
        return layers(tables, queries, &mut out);
    }
    let folder = value("--judged").unwrap_or_default();
    let sets = sets(&folder);
    if sets.is_empty() {
        writeln!(
            out,
            "No judged queries in “{}”. Give a folder with tables.jsonl and queries.jsonl: -- --judged DIR",
            folder.display()
        )?;
    }
    for set in sets {
        judge(&set, &mut out)?;
    }
    Ok(())
}

/// The folder itself, or those in it, that hold judged queries.
fn sets(folder: &Path) -> Vec<PathBuf> {
    let is_set = |path: &PathBuf| {
        path.join("tables.jsonl").is_file() && path.join("queries.jsonl").is_file()
    };
    let own = folder.to_path_buf();
    if is_set(&own) {
        return vec![own];
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut sets: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_set).collect();
    sets.sort();
    sets
}

fn judge(set: &Path, out: &mut impl Write) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let (index, names) = build(home.path(), &set.join("tables.jsonl"))?;
    let title = set
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for (file, what) in [
        ("queries.jsonl", "questions"),
        ("queries_keywords.jsonl", "keywords"),
    ] {
        let Ok(file) = File::open(set.join(file)) else {
            continue;
        };
        let (mut gain, mut recall, mut asked) = (0.0, 0.0, 0.0);
        for line in BufReader::new(file).lines() {
            let judged: Judged = serde_json::from_str(&line?)?;
            let query = Query {
                limit: DEPTH,
                ..Query::words(judged.query)
            };
            let answer = index.search(&query, &AccessFilter::none())?;
            let found: Vec<bool> = answer
                .hits
                .iter()
                .map(|hit| {
                    names
                        .get(&AssetId(hit.subject.id()))
                        .is_some_and(|name| judged.relevant.contains(name))
                })
                .collect();
            gain += discounted(&found) / discounted(&vec![true; judged.relevant.len().min(DEPTH)]);
            recall += count(found.iter().filter(|relevant| **relevant).count())
                / count(judged.relevant.len());
            asked += 1.0;
        }
        writeln!(
            out,
            "{title:<10} {what:<10} nDCG@10 {:.4}  recall@10 {:.4}  ({asked} queries)",
            gain / asked,
            recall / asked
        )?;
    }
    Ok(())
}

/// A query for which some tables are the best.
#[derive(Deserialize)]
struct BestOf {
    query: String,
    best: Vec<String>,
}

/// A Glue catalog's tables.
#[derive(Deserialize)]
struct GlueCatalog {
    tables: Vec<GlueTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlueTable {
    name: String,
    database_name: String,
    #[serde(default)]
    description: String,
    storage_descriptor: GlueStorage,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlueStorage {
    #[serde(default)]
    columns: Vec<GlueColumn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlueColumn {
    name: String,
    #[serde(rename = "Type", default)]
    data_type: String,
    #[serde(default)]
    comment: String,
}

impl From<GlueTable> for Table {
    fn from(table: GlueTable) -> Self {
        let columns = table.storage_descriptor.columns.into_iter();
        Self {
            database: table.database_name,
            name: table.name,
            description: table.description,
            columns: columns
                .map(|column| TableColumn {
                    name: column.name,
                    data_type: column.data_type,
                    comment: column.comment,
                })
                .collect(),
        }
    }
}

/// Whether the best table comes first, in a catalog of many layers.
fn layers(tables: &Path, queries: &Path, out: &mut impl Write) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let (index, names) = if tables.extension().is_some_and(|ending| ending == "json") {
        let catalog: GlueCatalog = serde_json::from_reader(BufReader::new(File::open(tables)?))?;
        build_of(
            home.path(),
            catalog.tables.into_iter().map(|table| Ok(table.into())),
        )?
    } else {
        build(home.path(), tables)?
    };
    let (mut first, mut third, mut reciprocal, mut asked) = (0.0, 0.0, 0.0, 0.0);
    for line in BufReader::new(File::open(queries)?).lines() {
        let BestOf { query, best } = serde_json::from_str(&line?)?;
        let answer = index.search(&Query::words(query.clone()), &AccessFilter::none())?;
        let hits = answer.hits.iter().take(DEPTH);
        let found: Vec<&str> = hits
            .filter_map(|hit| names.get(&AssetId(hit.subject.id()))?.split_once('.'))
            .map(|(_, name)| name)
            .collect();
        let place = found
            .iter()
            .position(|name| best.iter().any(|best| best == name));
        asked += 1.0;
        first += f64::from(u8::from(place == Some(0)));
        third += f64::from(u8::from(place.is_some_and(|place| place < 3)));
        reciprocal += place.map_or(0.0, |place| 1.0 / (count(place) + 1.0));
        if place != Some(0) {
            let instead = found.first().unwrap_or(&"nothing");
            writeln!(out, "{query}: {instead} before {}", best.join(", "))?;
        }
    }
    writeln!(
        out,
        "hit@1 {:.3}  hit@3 {:.3}  MRR@10 {:.3}  ({asked} queries)",
        first / asked,
        third / asked,
        reciprocal / asked
    )?;
    Ok(())
}

/// Discounted cumulative gain of a list of hits.
fn discounted(found: &[bool]) -> f64 {
    let gains = found.iter().enumerate().filter(|(_, relevant)| **relevant);
    gains
        .map(|(place, _)| 1.0 / (count(place) + 2.0).log2())
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn count(number: usize) -> f64 {
    number as f64
}

/// Builds an index of the tables of one file; answers what each asset is called.
fn build(home: &Path, file: &Path) -> Outcome<(Index, HashMap<AssetId, String>)> {
    let lines = BufReader::new(File::open(file)?).lines();
    build_of(home, lines.map(|line| Ok(serde_json::from_str(&line?)?)))
}

fn build_of(
    home: &Path,
    tables: impl Iterator<Item = Outcome<Table>>,
) -> Outcome<(Index, HashMap<AssetId, String>)> {
    let index = Index::open(home, &Options::default())?;
    let mut writer = index.writer()?;
    let mut rebuild = writer.rebuild()?;
    let mut names = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    for (nth, table) in (0_u128..).zip(tables) {
        let table = table?;
        let id = AssetId(Uuid::from_u128(nth + 1));
        names.insert(id, format!("{}.{}", table.database, table.name));
        batch.push(document(id, table));
        if batch.len() == BATCH {
            rebuild.add(batch.drain(..))?;
        }
    }
    rebuild.add(batch)?;
    rebuild.finish(1)?;
    Ok((index, names))
}

fn document(id: AssetId, table: Table) -> Document {
    let address = Address {
        platform: "glue".to_owned(),
        instance: "000000000000/eu-west-1".to_owned(),
        path: vec![table.database, table.name],
    };
    let columns = table.columns.into_iter().map(|column| Column {
        path: column.name.clone(),
        name: column.name,
        data_type: column.data_type,
        comment: Some(column.comment),
        ..Column::default()
    });
    let source = SourceLayer {
        description: Some(table.description),
        columns: columns.collect(),
        ..SourceLayer::default()
    };
    of_asset(id, AssetKind::Table, &address, &source)
}

/// What people type, from a word to a question.
const TYPICAL: &[&str] = &[
    "",
    "customer",
    "orders",
    "customer orders",
    "user created date",
    "stg_orders",
    "custmer",
    "product pric",
    "column:customer_id",
    "\"order items\"",
    "kind:table invoice amount",
    "revenue by region",
    "zzzqqq flights",
    "id",
    "What is the average, minimum, and maximum age of all singers from France?",
    "Which customers have placed more than three orders in the last month and what did they pay?",
    "Show the name and the release year of the song by the youngest singer.",
    "How many students are enrolled in each department of the university?",
];

fn latency(file: &Path, out: &mut impl Write) -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let started = Instant::now();
    let (index, names) = build(home.path(), file)?;
    let each = started.elapsed().as_secs_f64() * 1e6 / count(names.len());
    writeln!(
        out,
        "built {} tables, {each:.0} µs each with reading the file",
        names.len()
    )?;
    writeln!(out, "{:.1} MB on disk", count(size(home.path())) / 1e6)?;
    let mut all = Vec::new();
    for text in TYPICAL {
        let mut times = Vec::new();
        let mut total = 0;
        for _ in 0..21 {
            let started = Instant::now();
            total = index
                .search(&Query::words(*text), &AccessFilter::none())?
                .total;
            times.push(started.elapsed());
        }
        let middle = median(&mut times);
        all.extend(times);
        writeln!(
            out,
            "{:>8.2} ms {total:>8} hits  {text}",
            middle.as_secs_f64() * 1e3
        )?;
    }
    writeln!(
        out,
        "{:>8.2} ms median of all",
        median(&mut all).as_secs_f64() * 1e3
    )?;
    for text in ["c", "cu", "cust", "customer o", "fct_cus"] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let started = Instant::now();
            index.suggest(text, 8, &AccessFilter::none())?;
            times.push(started.elapsed());
        }
        writeln!(
            out,
            "{:>8.2} ms suggest  {text}",
            median(&mut times).as_secs_f64() * 1e3
        )?;
    }
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn size(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => usize::try_from(found.len()).unwrap_or_default(),
        Err(_) => 0,
    });
    sizes.sum()
}
