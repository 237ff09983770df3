//! The files of the search index cut, overwritten, removed, replaced and locked up, under a running server and between
//! two runs: nothing ends the process, and searches are whole again without anybody doing anything.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gazetteer::search::{AccessFilter, Index, Options, Query, follow};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{Answer, TestApp, table};

/// How long damage may take to be mended.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy)]
enum Damage {
    Emptied,
    Halved,
    Overwritten,
    Removed,
    Folder,
    Pipe,
    Unreadable,
}

impl Damage {
    const ALL: [Self; 7] = [
        Self::Emptied,
        Self::Halved,
        Self::Overwritten,
        Self::Removed,
        Self::Folder,
        Self::Pipe,
        Self::Unreadable,
    ];

    fn inflict(self, file: &Path) {
        let content = fs::read(file).unwrap();
        match self {
            // In place, as a careless tool would: every process that has the file open sees it.
            Self::Emptied => fs::write(file, "").unwrap(),
            Self::Halved => fs::write(file, &content[..content.len() / 2]).unwrap(),
            Self::Overwritten => fs::write(file, vec![0xa5; content.len()]).unwrap(),
            Self::Removed => fs::remove_file(file).unwrap(),
            Self::Folder => {
                fs::remove_file(file).unwrap();
                fs::create_dir(file).unwrap();
                fs::write(file.join("foreign"), "").unwrap();
            }
            // Opening it waits until somebody writes, which nobody does.
            Self::Pipe => {
                fs::remove_file(file).unwrap();
                let made = Command::new("mkfifo").arg(file).status().unwrap();
                assert!(made.success());
            }
            Self::Unreadable => fs::set_permissions(file, fs::Permissions::from_mode(0o0)).unwrap(),
        }
    }
}

/// Every file below the folder of an index, each kind once: segments have the same kinds of files.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    files.dedup_by_key(|path| kind(path));
    files
}

/// The end of a file's name, or all of it where it is no file of a segment.
fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    match name.split_once('.') {
        Some((id, _)) if id.len() == 32 => path.extension().unwrap().to_str().unwrap().to_owned(),
        _ => name.to_owned(),
    }
}

/// A server with some tables, one of them described so that the index on disk has a deleted document, too.
async fn app() -> (TestApp, String) {
    let app = TestApp::start().await;
    let tables = (0..20).map(|nth| {
        let name = format!("orders_{nth}");
        table(&["sales", &name], &[("id", "int"), ("paid_at", "date")])
    });
    app.add("sales", tables.collect()).await;
    app.until_indexed().await;
    let id = app.id_of(&["sales", "orders_3"]).await;
    let address = format!("/api/v1/assets/{id}/description");
    describe(&app, &address, 0, "older words").await;
    app.until_written().await;
    (app, address)
}

async fn describe(app: &TestApp, address: &str, version: usize, text: &str) -> Answer {
    let body = json!({ "text": text, "version": version });
    let saved = Answer::of(app.request(Method::PUT, address).json(&body)).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
    saved
}

/// A word of letters that no other number has.
fn word(number: usize) -> String {
    let letters = format!("{number:06}").into_bytes().into_iter();
    let letters = letters.map(|digit| char::from(digit - b'0' + b'f'));
    letters.collect()
}

fn index_dir(app: &TestApp) -> PathBuf {
    let catalogs = fs::read_dir(app.index_dir()).unwrap();
    catalogs.map(|entry| entry.unwrap().path()).next().unwrap()
}

/// Waits until the server is well and the next process finds an index that it need not build.
async fn until_whole(app: &TestApp, after: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ready = app.get("/readyz").await;
        let whole = ready.status == StatusCode::OK && ready.json()["index"] == "ok" && {
            let copy = copied(&index_dir(app));
            let next = Index::open(copy.path(), &Options::default()).unwrap();
            let found = next.search(&Query::words("orders_3"), &AccessFilter::none());
            next.applied() > 0 && found.unwrap().total > 0
        };
        if whole {
            return;
        }
        assert!(Instant::now() < deadline, "{after}: {}", ready.text);
        app.app.written.notify_one();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_a_file_under_a_running_server_is_mended() {
    let (app, address) = app().await;
    let kinds: Vec<String> = files(&index_dir(&app))
        .iter()
        .map(|file| kind(file))
        .collect();
    assert!(kinds.len() >= 12, "{kinds:?}");

    let mut version = 1;
    for kind_of_file in &kinds {
        for damage in Damage::ALL {
            app.until_written().await;
            let files = files(&index_dir(&app));
            let Some(file) = files.iter().find(|file| kind(file) == *kind_of_file) else {
                // An index that was just built has no deleted documents.
                continue;
            };
            let after = format!("{kind_of_file} {damage:?}");
            damage.inflict(file);

            let word = word(version);
            describe(&app, &address, version, &word).await;
            version += 1;

            until_whole(&app, &after).await;
            for (query, total) in [(word.as_str(), 1), ("orders", 20), ("older", 0)] {
                let found = app.json(&format!("/api/v1/search?q={query}")).await;
                assert_eq!(found["total"], total, "{after}: {query} {found}");
            }
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_a_file_between_two_runs_is_mended() {
    let (app, _) = app().await;
    let dir = index_dir(&app);
    let whole = copied(&dir);

    let kinds: Vec<PathBuf> = files(&dir);
    let db = app.app.db.clone();
    for file in &kinds {
        for damage in Damage::ALL {
            let run = tempfile::tempdir().unwrap();
            let index_dir = run.path().join("index");
            copy(whole.path(), &index_dir);
            let file = index_dir.join(file.strip_prefix(&dir).unwrap());
            damage.inflict(&file);

            let index = Index::open(&index_dir, &Options::default()).unwrap();
            follow::write_down(&db, &index)
                .await
                .unwrap_or_else(|error| panic!("{} {damage:?}: {error}", file.display()));

            for index in [
                &index,
                &Index::open(&index_dir, &Options::default()).unwrap(),
            ] {
                for (query, total) in [("older", 1), ("orders", 20), ("", 21)] {
                    let found = index
                        .search(&Query::words(query), &AccessFilter::none())
                        .unwrap();
                    assert_eq!(found.total, total, "{} {damage:?}: {query}", file.display());
                }
            }
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_files_are_in_nobodys_way() {
    let (app, address) = app().await;
    let mut folders = vec![index_dir(&app)];
    while let Some(folder) = folders.pop() {
        folders.extend(
            fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.is_dir()),
        );
        for name in [
            "current.draft",
            "meta.json.draft",
            ".tmp1234",
            "notes.txt",
            "0a1b2c3d.idx",
        ] {
            fs::write(folder.join(name), "foreign").unwrap();
        }
        fs::create_dir(folder.join("0123456789abcdef")).unwrap();
    }

    describe(&app, &address, 1, "newest").await;
    app.until_written().await;
    until_whole(&app, "foreign files").await;

    let found = app.json("/api/v1/search?q=newest").await;
    assert_eq!(found["total"], 1, "{found}");
    app.stop().await;
}

fn copied(from: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(from, dir.path());
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else if entry.path().is_file() {
            // A file may go while others are copied.
            drop(fs::copy(entry.path(), to));
        }
    }
}
