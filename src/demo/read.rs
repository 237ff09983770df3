//! Where worlds come from: the files in the binary, a folder or a file of the user's.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::generate::{self, Line};
use super::world::World;
use super::{database_yaml, saved};
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
    #[error("{file}: {problem}.")]
    Entry { file: String, problem: String },
    #[error("“{}” could not be read.", path.display())]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("“{}” is not text in UTF-8 or UTF-16.", path.display())]
    NoText { path: PathBuf },
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
            Self::Content { .. }
            | Self::Entry { .. }
            | Self::NoText { .. }
            | Self::Empty { .. } => Kind::Invalid,
            Self::File { cause, .. } if cause.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            Self::File { .. } => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Empty { .. } => Some(
                "Give a file of JSON lines, a file with Glue's JSON, or a folder of these or of files as in `demo-world`.",
            ),
            Self::NoText { .. } => Some("Save it as UTF-8 text."),
            Self::Content { .. } | Self::Entry { .. } | Self::File { .. } => None,
        }
    }
}

/// A world of the user's, and what of its files could not be read.
#[derive(Debug)]
pub struct Corpus {
    pub world: World,
    pub left_out: Vec<Error>,
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
                database_yaml::read(&mut world, &format!("demo-world/{file}"), &text)?;
            }
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

impl Corpus {
    /// Reads a file, or every file of a folder (not of its subfolders) in the order of names.
    ///
    /// What a file is, its ending says: `.yml` as in `demo-world/`, `.json` Glue's answers, `.jsonl` one table a line.
    /// Files ending otherwise are passed over, and so are `.expected.json` files. What cannot be read costs itself only;
    /// when nothing can, that is the error.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut corpus = Self {
            world: World::new(),
            left_out: Vec::new(),
        };
        for file in files(path).map_err(Error::file(path))? {
            if let Err(error) = corpus.read_file(&file) {
                corpus.left_out.push(error);
            }
        }
        if corpus.world.table_count() > 0 {
            return Ok(corpus);
        }
        let first = corpus.left_out.into_iter().next();
        Err(first.unwrap_or_else(|| Error::Empty {
            path: path.to_owned(),
        }))
    }

    fn read_file(&mut self, path: &Path) -> Result<(), Error> {
        let name = path.display().to_string();
        let ending = path.extension().and_then(|it| it.to_str()).unwrap_or("");
        match ending.to_ascii_lowercase().as_str() {
            "jsonl" => self.read_lines(path, &name),
            "json" if !name.ends_with(".expected.json") => {
                self.read_saved(&name, &read_text(path)?)
            }
            "yml" | "yaml" => database_yaml::read(&mut self.world, &name, &read_text(path)?),
            _ => Ok(()),
        }
    }

    /// Reads line by line: a corpus can be larger than memory has room for twice.
    fn read_lines(&mut self, path: &Path, name: &str) -> Result<(), Error> {
        let file = File::open(path).map_err(Error::file(path))?;
        for (line, number) in BufReader::new(file).lines().zip(1..) {
            let text = line.map_err(Error::file(path))?;
            if text.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(&text) {
                Ok(line) => self.world.set_line(&line),
                Err(cause) => self
                    .left_out
                    .push(Error::at(name, number, &cause.to_string())),
            }
        }
        Ok(())
    }

    fn read_saved(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let answers = saved::read(text)
            .map_err(|unreadable| Error::at(name, unreadable.line, &unreadable.problem))?;
        for database in &answers.databases {
            self.world.set_database(database);
        }
        for (database, table) in &answers.tables {
            self.world.set_table(database, table);
        }
        let entry = |problem| Error::Entry {
            file: name.to_owned(),
            problem,
        };
        self.left_out
            .extend(answers.left_out.into_iter().map(entry));
        Ok(())
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

/// Reads a text in UTF-8, or in UTF-16 as PowerShell redirects what a command prints.
fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = fs::read(path).map_err(Error::file(path))?;
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => str::from_utf8(rest).map(str::to_owned).ok(),
        _ => String::from_utf8(bytes).ok(),
    };
    text.ok_or_else(|| Error::NoText {
        path: path.to_owned(),
    })
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    String::from_utf16(&units).ok().filter(|_| rest.is_empty())
}
