//! What an empty catalog says: three steps to one's own Glue, with ticks for those that are done.
//!
//! Deliberately absent: the steps of people who may not run a recipe; the page says whom they can ask.

use serde::Serialize;

use crate::auth::{Actor, Permission};
use crate::config;
use crate::ingest::Runner;
use crate::ingest::recipe::Listed as RecipeFile;
use crate::web::links;

/// The region of a first recipe where the environment names none.
const REGION: &str = "eu-central-1";

/// What `templates/part/getting_started.hbs` can show.
#[derive(Debug, Serialize)]
pub(super) struct GettingStarted {
    steps: Vec<Step>,
    /// Where an admin goes on afterwards.
    invite: Option<String>,
}

#[derive(Debug, Serialize)]
struct Step {
    title: &'static str,
    text: String,
    done: bool,
    /// For the element with the text to copy.
    id: &'static str,
    copy: Option<String>,
    href: Option<String>,
    label: &'static str,
}

impl GettingStarted {
    /// The steps, by the recipes that there are; none for those who may not run one.
    pub(super) fn new(actor: &Actor, runner: &Runner, files: &[RecipeFile], has_run: bool) -> Self {
        if !actor.may(Permission::RunRecipe) {
            return Self {
                steps: Vec::new(),
                invite: None,
            };
        }
        let folder = runner.recipe_folder().display().to_string();
        let sound = files.iter().find(|file| file.recipe.is_ok());
        let invite = actor
            .may(Permission::ManagePeople)
            .then(|| links::people() + "#invite");
        Self {
            steps: vec![
                add_a_recipe(&folder, !files.is_empty()),
                check_it(&folder, files.first(), sound.is_some()),
                run_it(sound, has_run),
            ],
            invite,
        }
    }
}

fn add_a_recipe(folder: &str, done: bool) -> Step {
    let region = config::variable("AWS_REGION").unwrap_or_else(|| REGION.to_owned());
    Step {
        title: "Add a recipe",
        text: format!("Save this as “glue.yml” in the folder “{folder}”. Write your own region."),
        done,
        id: "first-recipe",
        copy: Some(format!(
            "source:\n  type: glue\n  config:\n    aws_region: {region}\nschedule:\n  cron: \"0 6 * * *\"\n  timezone: UTC"
        )),
        href: None,
        label: "",
    }
}

fn check_it(folder: &str, file: Option<&RecipeFile>, done: bool) -> Step {
    let file = file.and_then(|file| file.file.file_name());
    let file = file.map_or_else(
        || "glue.yml".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    Step {
        title: "Check the recipe",
        text: "The command tells every problem with line and column. Ingestion shows them too."
            .to_owned(),
        done,
        id: "first-check",
        copy: Some(format!("gazetteer ingest check {folder}/{file}")),
        href: Some(links::ingestion()),
        label: "Open ingestion",
    }
}

fn run_it(sound: Option<&RecipeFile>, done: bool) -> Step {
    Step {
        title: "Run the recipe",
        text: "It reads names, columns and comments, and never writes to AWS.".to_owned(),
        done,
        id: "first-run",
        copy: None,
        href: sound.map(|file| links::recipe(&file.name)),
        label: "Open the recipe",
    }
}
