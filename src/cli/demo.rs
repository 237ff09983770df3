//! `gazetteer demo`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use crate::config;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    server: config::Server,
    /// Another world to show: a folder of Glue answers, or a file of JSON lines
    #[arg(long, value_name = "PATH")]
    corpus: Option<PathBuf>,
}
