//! Where worlds come from: the files in the binary, a folder or a file of the user's.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::Value;

use super::generate::{self, Line};
use super::sheet;
use super::world::World;
use crate::error::{Explain, Kind};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/demo-world"]
#[include = "*.yml"]
struct DemoWorld;

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file}, line {line}: {problem}.")]
    Content {
        file: String,
        line: usize,
        problem: String,
    },
    #[error("“{}” could not be read.", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("There is no table in “{}”.", path.display())]
    Empty { path: PathBuf },
}

impl Error {
    pub(super) fn at(file: &str, line: usize, problem: &str) -> Self {
        Self::Content {
            file: file.to_owned(),
            line,
            problem: problem.to_owned(),
        }
    }

    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |cause| Self::File { path, cause }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Content { .. } | Self::Empty { .. } => Kind::Invalid,
            Self::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            Self::File { .. } => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Empty { .. } => Some(
                "Give a file of JSON lines, a file with Glue's JSON, or a folder of these or of files as in `demo-world`.",
            ),
            Self::Content { .. } | Self::File { .. } => None,
        }
    }
}

/// A file with Glue's own answers: ours have the short keys, those saved from Glue the long ones.
#[derive(Debug, Deserialize)]
struct GlueFile {
    #[serde(default, alias = "DatabaseList")]
    databases: Vec<Value>,
    #[serde(default, alias = "TableList")]
    tables: Vec<Value>,
}

impl World {
    /// Reads the sample world that is part of the binary.
    pub fn demo() -> Result<Self, Error> {
        let mut world = Self::new();
        let mut files: Vec<_> = DemoWorld::iter().collect();
        files.sort();
        for file in files {
            if let Some(embedded) = DemoWorld::get(&file) {
                let text = String::from_utf8_lossy(&embedded.data);
                sheet::read(&mut world, &format!("demo-world/{file}"), &text)?;
            }
        }
        Ok(world)
    }

    /// Reads a world of the user's: a file, or every file of a folder (not of its subfolders) in the order of names.
    ///
    /// What a file is, its ending says: `.yml` as in `demo-world/`, `.json` Glue's answers, `.jsonl` one table a line.
    /// Files ending otherwise are passed over, and so are `.expected.json` files.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut world = Self::new();
        for file in files(path).map_err(Error::file(path))? {
            read_file(&mut world, &file)?;
        }
        if world.table_count() == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        Ok(world)
    }

    /// Makes a world up: the same number and seed make the same one.
    pub fn generated(tables: u64, seed: u64) -> Self {
        let mut world = Self::new();
        for line in generate::lines(tables, seed) {
            world.set_line(&line);
        }
        world
    }

    fn set_line(&mut self, line: &Line) {
        self.set_table_text(&line.database, line.table.clone(), line.to_glue());
    }
}

fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

fn read_file(world: &mut World, path: &Path) -> Result<(), Error> {
    let name = path.display().to_string();
    let ending = path.extension().and_then(|it| it.to_str()).unwrap_or("");
    match ending {
        "jsonl" => read_lines(world, path, &name),
        "json" if !name.ends_with(".expected.json") => read_glue(world, &name, &read_text(path)?),
        "yml" | "yaml" => sheet::read(world, &name, &read_text(path)?),
        _ => Ok(()),
    }
}

fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::file(path))
}

/// Reads line by line: a corpus can be larger than memory has room for twice.
fn read_lines(world: &mut World, path: &Path, name: &str) -> Result<(), Error> {
    let file = File::open(path).map_err(Error::file(path))?;
    for (line, number) in BufReader::new(file).lines().zip(1..) {
        let text = line.map_err(Error::file(path))?;
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&text)
            .map_err(|cause| Error::at(name, number, &cause.to_string()))?;
        world.set_line(&line);
    }
    Ok(())
}

fn read_glue(world: &mut World, name: &str, text: &str) -> Result<(), Error> {
    let file: GlueFile = serde_json::from_str(text)
        .map_err(|cause| Error::at(name, cause.line(), &cause.to_string()))?;
    for database in &file.databases {
        world.set_database(database);
    }
    for table in &file.tables {
        let Some(database) = table.get("DatabaseName").and_then(Value::as_str) else {
            return Err(Error::at(name, 1, "a table has no “DatabaseName”"));
        };
        world.set_table(database, table);
    }
    Ok(())
}
