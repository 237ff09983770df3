//! The files of a folder of recipes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::problem::{Problem, Problems};
use super::variables::Environment;
use super::{LARGEST, Recipe, name_of};
use crate::error::{Explain, Kind};

/// One file of the folder of recipes.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The recipe's name: the file's, without its ending.
    pub name: String,
    pub file: PathBuf,
    pub recipe: Result<Recipe, Problems>,
}

/// Why a folder of recipes could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("The folder of recipes “{}” could not be read.", folder.display())]
pub struct FolderError {
    folder: PathBuf,
    #[source]
    cause: io::Error,
}

impl Explain for FolderError {
    fn kind(&self) -> Kind {
        Kind::Unavailable
    }

    fn hint(&self) -> Option<&'static str> {
        Some("Check that it is a folder, and that this user may read it.")
    }
}

/// Lists the recipes of a folder: its files that end in `.yml` or `.yaml`, by name.
///
/// A folder that does not exist holds none. Folders inside and hidden files are left out. Of several files with one
/// name none is a recipe, since nobody could tell which one runs.
pub fn list_recipes(
    folder: &Path,
    environment: &Environment<'_>,
) -> Result<Vec<Listed>, FolderError> {
    let files = files_by_name(folder).map_err(|cause| FolderError {
        folder: folder.to_owned(),
        cause,
    })?;
    let listed = files.into_iter().flat_map(|(name, files)| {
        let twice = (files.len() > 1).then(|| named_twice(&name, &files));
        files.into_iter().map(move |file| Listed {
            name: name.clone(),
            recipe: match &twice {
                Some(problem) => Err(Problems::one(&file, problem.clone())),
                None => Recipe::open(&file, environment),
            },
            file,
        })
    });
    Ok(listed.collect())
}

fn files_by_name(folder: &Path) -> io::Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let file = entry?.path();
        if is_recipe(&file) {
            files.entry(name_of(&file)).or_default().push(file);
        }
    }
    for same_name in files.values_mut() {
        same_name.sort();
    }
    Ok(files)
}

fn is_recipe(file: &Path) -> bool {
    let hidden = name_of(file).starts_with('.');
    let ending = file.extension().and_then(OsStr::to_str);
    !hidden && matches!(ending, Some("yml" | "yaml")) && !file.is_dir()
}

fn named_twice(name: &str, files: &[PathBuf]) -> Problem {
    let files: Vec<_> = files
        .iter()
        .filter_map(|file| file.file_name())
        .map(|file| format!("“{}”", file.to_string_lossy()))
        .collect();
    let text = format!(
        "The recipe “{name}” is in several files: {}.",
        files.join(" and ")
    );
    Problem::of_file(text).hint("Rename or remove all but one.")
}

/// Reads a file as text, if it is no larger than any recipe needs.
pub(super) fn read(file: &Path) -> Result<String, Problem> {
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => not_there(file),
        io::ErrorKind::PermissionDenied => Problem::of_file("This user may not read the file."),
        _ => Problem::of_file(format!("The file could not be read: {error}.")),
    };
    match file.metadata() {
        Ok(metadata) if metadata.is_dir() => return Err(is_folder(file)),
        Ok(metadata) if !metadata.is_file() => {
            return Err(Problem::of_file("This is not a file."));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    if bytes.len() > LARGEST {
        let size = file
            .metadata()
            .map_or(bytes.len() as u64, |metadata| metadata.len());
        return Err(too_large(size));
    }
    String::from_utf8(bytes).map_err(|error| {
        let text = format!(
            "Byte {} of the file is not UTF-8.",
            error.utf8_error().valid_up_to() + 1
        );
        Problem::of_file(text).hint("Save it as UTF-8 text.")
    })
}

/// A path is looked for where the command was started, which people forget for files in a folder.
fn not_there(file: &Path) -> Problem {
    let problem = Problem::of_file("There is no such file.");
    if file.is_absolute() {
        return problem.hint("Check the path.");
    }
    problem.hint("Give the path with its folder, as seen from where the command is started.")
}

fn is_folder(folder: &Path) -> Problem {
    let problem = Problem::of_file("This is a folder, not a recipe.");
    let files = files_by_name(folder).unwrap_or_default();
    match files.into_values().flatten().next() {
        Some(first) => problem.hint(format!("Give a file in it, such as “{}”.", first.display())),
        None => problem.hint("Give a file in it that ends in “.yml”; it has none yet."),
    }
}

pub(super) fn too_large(size: u64) -> Problem {
    let text = format!(
        "A recipe has at most {} KiB, but this file has {}.",
        LARGEST / 1024,
        size.div_ceil(1024)
    );
    Problem::of_file(text)
}
