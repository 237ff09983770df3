//! Settings: the only reader of the environment.
//!
//! Each setting is a flag with a variable beside it; the flag wins. Deliberately absent: recipes, which are files of
//! their own and get the environment handed in by [`variable`].

mod access;
mod directories;
mod otlp;
mod problems;
mod public_url;
mod server;
mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use secrecy::SecretString;

pub use access::Access;
pub use directories::{Directories, Ldap, Oidc};
pub use otlp::{Otlp, Sampling};
pub use problems::Problems;
pub use public_url::{Public, PublicUrl};
pub use server::{Server, Serving};

/// Where the catalog keeps its data.
#[derive(Debug, Clone, Args)]
pub struct Storage {
    /// Folder for the search index and, by default, the database; created when it is not there
    /// [default: data]
    #[arg(long, env = "GAZETTEER_DATA_DIR", value_name = "FOLDER", global = true)]
    pub data_dir: Option<PathBuf>,

    /// `sqlite://FILE` or `postgres://USER:PASSWORD@HOST/NAME` [default: a SQLite file in the data folder]
    #[arg(
        long,
        env = "GAZETTEER_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        value_parser = secret,
        global = true
    )]
    pub database_url: Option<SecretString>,
}

/// Where the recipes are.
#[derive(Debug, Clone, Args)]
pub struct Recipes {
    /// Folder of recipes; those with a schedule are run by `serve`
    #[arg(
        long,
        env = "GAZETTEER_RECIPES",
        value_name = "FOLDER",
        default_value = "ingest-recipes",
        global = true
    )]
    pub recipes: PathBuf,
}

/// Looks up what `${NAME}` in a recipe stands for.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What is written to the log.
#[derive(Debug, Clone, Args)]
pub struct Log {
    /// Which lines are logged, such as `info` or `gazetteer=debug` [default: what servers do, else warnings]
    #[arg(
        long = "log",
        env = "GAZETTEER_LOG",
        value_name = "FILTER",
        global = true
    )]
    pub filter: Option<String>,
}

impl Storage {
    /// The data folder, given or not.
    pub fn data_dir(&self) -> &Path {
        self.data_dir
            .as_deref()
            .unwrap_or_else(|| Path::new("data"))
    }

    /// The storage of the demo: a folder of its own unless one is given, and never a database that serves others.
    pub fn for_demo(self) -> Self {
        Self {
            data_dir: Some(self.data_dir.unwrap_or_else(|| PathBuf::from("data/demo"))),
            database_url: None,
        }
    }

    /// The database's address: the one given, or a SQLite file in the data folder.
    pub fn database_url(&self) -> SecretString {
        self.database_url.clone().unwrap_or_else(|| {
            let file = self.data_dir().join("catalog.db").display().to_string();
            // What has a meaning of its own in an address.
            let file = file
                .replace('%', "%25")
                .replace('?', "%3F")
                .replace('#', "%23");
            format!("sqlite://{file}").into()
        })
    }

    /// The folder of the search index. It belongs to one database, so that another one never meets its words.
    pub fn index_dir(&self) -> PathBuf {
        self.data_dir().join("index")
    }
}

/// Never fails; a parser of clap has to be able to.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}

/// Looks up a variable of the environment; nothing when it is not set or not text.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
