//! Log lines on standard error: to be read by people on a terminal, by programs otherwise.

use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::request;
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

/// Tells whether a filter such as `info` or `warn,gazetteer::ingest=debug` can be read.
pub fn check(filter: &str) -> Result<(), BadFilter> {
    match EnvFilter::try_new(filter) {
        Ok(_) => Ok(()),
        Err(source) => Err(BadFilter {
            filter: filter.to_owned(),
            source,
        }),
    }
}

/// Starts logging what a filter lets through, and passes everything to `also`.
pub(super) fn start<L>(format: Format, filter: &str, also: Option<L>)
where
    L: Layer<Registry> + Send + Sync,
{
    let filter = EnvFilter::new(format!("{filter},{QUIET}"));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        Format::Readable => lines.with_ansi(true).compact().with_filter(filter).boxed(),
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .map_event_format(WithRequestId)
            .with_filter(filter)
            .boxed(),
    };
    let started = Registry::default().with(also).with(lines).try_init();
    let _already_started = started.is_err();
}

/// Puts the request id first into each line of JSON, whatever span it is written in, or none.
struct WithRequestId<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithRequestId<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = request::current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        // An id has nothing in it that JSON would read otherwise.
        match line.strip_prefix('{') {
            Some(rest) => write!(writer, "{{\"request_id\":\"{id}\",{rest}"),
            None => writer.write_str(&line),
        }
    }
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
