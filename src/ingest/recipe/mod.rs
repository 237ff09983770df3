//! Recipes: which source to read, when, and how much of it one run may call gone.
//!
//! A recipe is a YAML file in the shape that people of this field already write, so that an existing one works as it
//! is. Every problem of a file is reported at once, with its place; a secret is never part of a message, and never of
//! the text that is shown. Deliberately absent: running a recipe, and the real environment, which only `config` reads.

mod folder;
mod glue;
mod limits;
mod mask;
mod node;
mod pattern;
mod problem;
mod reader;
mod removal;
mod schedule;
mod tags;
mod variables;
mod cron_text;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use self::folder::{FolderError, Listed, list_recipes};
use self::node::{Node, Tree};

pub use self::problem::{Notice, Position, Problem, Problems, nearest};
use self::reader::{Fields, Idle, Reader};
pub use self::removal::RemovalLimit;
pub use self::schedule::{Schedule, ScheduleError, find_timezone};
pub use self::variables::Environment;
use crate::sources::Source;

/// The largest file that is read, in bytes.
const LARGEST: usize = 256 * 1024;

/// A recipe without a problem.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The file's name without its ending; what addresses call it.
    pub name: String,
    /// What people call it, if the recipe says so.
    pub pipeline_name: Option<String>,
    pub source: Source,
    /// When it runs by itself; without one it runs only when somebody starts it.
    pub schedule: Option<Schedule>,
    pub remove: RemovalLimit,
    /// What a person should know, such as keys that are not acted on, in the order of the file.
    pub notices: Vec<Notice>,
    /// The file, as it was named.
    pub file: PathBuf,
    /// The text of the file with its secrets hidden.
    pub masked_text: String,
}

/// Keys of the whole recipe that are known but not acted on.
const IDLE: [Idle; 9] = [
    Idle {
        key: "sink",
        reason: "What is read goes into this catalog.",
    },
    Idle {
        key: "transformers",
        reason: "What a source says is stored as it says it.",
    },
    Idle {
        key: "reporting",
        reason: "Every run is reported in this catalog.",
    },
    Idle {
        key: "run_id",
        reason: "Every run gets an id of its own.",
    },
    Idle {
        key: "datahub_api",
        reason: "This catalog needs no other server.",
    },
    Idle {
        key: "flags",
        reason: "They switch features of another program.",
    },
    Idle {
        key: "failure_log",
        reason: "What could not be read is in the report of its run.",
    },
    Idle {
        key: "recording",
        reason: "Runs are not recorded for replay.",
    },
    Idle {
        key: "deployment",
        reason: "Say when it runs with “schedule”.",
    },
];

/// Keys of `source` that are known but not acted on.
const IDLE_IN_SOURCE: [Idle; 2] = [
    Idle {
        key: "extractor",
        reason: "There is one way to read each source.",
    },
    Idle {
        key: "extractor_config",
        reason: "There is one way to read each source.",
    },
];

/// Where keys belong that people put elsewhere.
const PLACES: [(&str, &str); 11] = [
    ("source", "the recipe itself"),
    ("schedule", "the recipe itself"),
    ("remove", "the recipe itself"),
    ("pipeline_name", "the recipe itself"),
    ("sink", "the recipe itself"),
    ("type", "“source”"),
    ("config", "“source”"),
    ("cron", "“schedule”"),
    ("timezone", "“schedule”"),
    ("enabled", "“schedule”"),
    ("at_most", "“remove”"),
];

impl Recipe {
    /// Reads the recipe in a file.
    pub fn open(file: &Path, environment: &Environment<'_>) -> Result<Self, Problems> {
        let text = folder::read(file).map_err(|problem| Problems::one(file, problem))?;
        Self::read(file, &text, environment)
    }

    /// Reads the recipe in the text of a file; variables are looked up in `environment`.
    pub fn read(file: &Path, text: &str, environment: &Environment<'_>) -> Result<Self, Problems> {
        let failed = |problem| Problems::one(file, problem);
        if text.len() > LARGEST {
            return Err(failed(folder::too_large(text.len() as u64)));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tree = node::parse(text).map_err(failed)?;
        let root = only_document(&tree).map_err(failed)?;

        let mut reader = Reader::new(environment);
        reader.problems.extend(tree.problems.iter().cloned());
        let parts = read_parts(root, &mut reader);
        match parts {
            Some(parts) if reader.problems.is_empty() => {
                Ok(parts.into_recipe(file, text, &tree.secrets, reader))
            }
            _ => Err(Problems::new(file, reader.problems)),
        }
    }

    /// What people call it: its pipeline's name, or else its file's.
    pub fn title(&self) -> &str {
        self.pipeline_name.as_deref().unwrap_or(&self.name)
    }
}

/// What the keys of a recipe say.
struct Parts {
    pipeline_name: Option<String>,
    source: Source,
    schedule: Option<Schedule>,
    remove: RemovalLimit,
}

impl Parts {
    fn into_recipe(
        self,
        file: &Path,
        text: &str,
        secrets: &[Range<usize>],
        mut reader: Reader<'_>,
    ) -> Recipe {
        reader.notices.sort_by_key(|notice| notice.position);
        reader.notices.dedup();
        Recipe {
            name: name_of(file),
            pipeline_name: self.pipeline_name,
            source: self.source,
            schedule: self.schedule,
            remove: self.remove,
            notices: reader.notices,
            file: file.to_owned(),
            masked_text: mask::masked(text, secrets),
        }
    }
}

fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    stem.to_string_lossy().into_owned()
}

fn only_document(tree: &Tree) -> Result<&Node, Problem> {
    match tree.documents.as_slice() {
        [] => Err(nothing_written()),
        [root] if root.is_nothing() => Err(nothing_written()),
        [root] => Ok(root),
        [_, second, ..] => {
            let count = tree.documents.len();
            let text = format!("A recipe is one document, but this file has {count}.");
            Err(Problem::at(second.at, text).hint("Put each recipe into a file of its own."))
        }
    }
}

fn nothing_written() -> Problem {
    Problem::of_file("The file is empty.").hint("Begin with “source:”.")
}

fn read_parts(root: &Node, reader: &mut Reader<'_>) -> Option<Parts> {
    let mut fields = reader.mapping("", root)?;
    let source = fields
        .require("source", reader)
        .and_then(|node| read_source(node, reader));
    let pipeline_name = fields.text("pipeline_name", reader);
    let schedule = fields
        .find("schedule")
        .and_then(|node| read_schedule(node, reader));
    let remove = fields
        .find("remove")
        .and_then(|node| read_remove(node, reader))
        .unwrap_or_default();
    finish(fields, &IDLE, reader);
    Some(Parts {
        pipeline_name,
        source: source?,
        schedule,
        remove,
    })
}

fn finish(fields: Fields<'_>, idle: &[Idle], reader: &mut Reader<'_>) {
    let of_config = glue::keys().map(|key| (key, "“source.config”"));
    let of_limits = limits::KEYS.into_iter().map(|key| (key, "“limits”"));
    let places: Vec<_> = PLACES
        .into_iter()
        .chain(of_config)
        .chain(of_limits)
        .collect();
    fields.finish(idle, &places, reader);
}

fn read_source(node: &Node, reader: &mut Reader<'_>) -> Option<Source> {
    let mut fields = reader.mapping("source", node)?;
    let is_known = fields
        .require("type", reader)
        .and_then(|node| Some((node, reader.text("type", node)?)))
        .is_none_or(|(node, kind)| check_type(node, &kind, reader));
    let config = fields.find("config");
    finish(fields, &IDLE_IN_SOURCE, reader);
    is_known.then(|| Source::Glue(glue::read(config, reader)))
}

/// Reports an unknown type of source; tells whether its keys can be read all the same, since Glue was meant.
fn check_type(node: &Node, kind: &str, reader: &mut Reader<'_>) -> bool {
    if kind == "glue" {
        return true;
    }
    let text = format!("There is no type of source named {}.", node.shown());
    let nearest = nearest(kind, ["glue"]);
    let hint = match nearest {
        Some(nearest) => format!("Did you mean “{nearest}”?"),
        None => "The type that can be read is “glue”.".to_owned(),
    };
    reader.problem(Problem::at(node.at, text).hint(hint));
    nearest.is_some()
}

fn read_schedule(node: &Node, reader: &mut Reader<'_>) -> Option<Schedule> {
    if node.kind() == "text" {
        let hint = "Write it as “schedule: {cron: \"0 6 * * *\"}”.";
        reader.wrong_type("schedule", "a mapping", node, Some(hint));
        return None;
    }
    let mut fields = reader.mapping("schedule", node)?;
    let cron = fields
        .require("cron", reader)
        .and_then(|node| Some((node, reader.text("cron", node)?)));
    let timezone = fields.find("timezone").and_then(|node| {
        let name = reader.text("timezone", node)?;
        let found = find_timezone(&name);
        found.map_err(|error| refuse(node, &error, reader)).ok()
    });
    let place = fields.place("enabled");
    let enabled = fields.truth("enabled", reader).unwrap_or(true);
    finish(fields, &[], reader);

    let (node, cron) = cron?;
    let schedule = Schedule::new(&cron, timezone.unwrap_or(chrono_tz::Tz::UTC));
    let schedule = schedule.map_err(|error| refuse(node, &error, reader)).ok();
    if !enabled {
        reader.notice(
            place,
            "The schedule is switched off: it runs only when somebody starts it.",
        );
    }
    schedule.filter(|_| enabled)
}

/// Says why a schedule or time zone cannot be, but never what a variable holds.
fn refuse(node: &Node, error: &ScheduleError, reader: &mut Reader<'_>) {
    let text = if node.has_variable() {
        format!("What {} stands for cannot be used here.", node.shown())
    } else {
        error.to_string()
    };
    reader.problem(Problem::at(node.at, text).hint(error.hint()));
}

fn read_remove(node: &Node, reader: &mut Reader<'_>) -> Option<RemovalLimit> {
    let mut fields = reader.mapping("remove", node)?;
    let share = fields.find("at_most");
    finish(fields, &[], reader);

    let share = share?;
    let text = reader.text("at_most", share)?;
    let limit = RemovalLimit::parse(&text);
    if limit.is_none() {
        let text = format!("{} is not a share from 0% to 100%.", share.shown());
        let hint = "Write it with a percent sign and at most two decimals, such as “20%”.";
        reader.problem(Problem::at(share.at, text).hint(hint));
    }
    limit
}
