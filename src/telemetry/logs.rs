//! Log lines on standard error: to be read by people on a terminal, by programs otherwise.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::error::{Explain, Kind};

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Readable,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// What suits whoever is at the other end of standard error.
    pub fn for_stderr() -> Self {
        if io::stderr().is_terminal() {
            Self::Readable
        } else {
            Self::Json
        }
    }
}

/// What never gets into the log, whatever the filter says: these write requests with addresses and keys in them.
const QUIET: &str = "aws_config=error,aws_runtime=error,aws_sigv4=error,aws_smithy_runtime=error,\
                     aws_smithy_runtime_api=error,aws_smithy_http_client=error,aws_credential_types=error,\
                     hyper_util=error,sqlx=warn";

/// Starts logging what `filter` lets through, such as `info` or `warn,gazetteer::ingest=debug`.
///
/// Does nothing when logging has been started before, as it may have been in tests.
pub fn init(format: Format, filter: &str) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(format!("{filter},{QUIET}")).map_err(|source| BadFilter {
        filter: filter.to_owned(),
        source,
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let started = match format {
        Format::Readable => lines.with_ansi(true).compact().try_init(),
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    };
    let _already_started = started.is_err();
    Ok(())
}

/// The filter for logs cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("“{filter}” is not a log filter.")]
pub struct BadFilter {
    filter: String,
    source: ParseError,
}

impl Explain for BadFilter {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn hint(&self) -> Option<&'static str> {
        Some(
            "Write a level such as “info”, or levels by module such as “warn,gazetteer::ingest=debug”.",
        )
    }
}
