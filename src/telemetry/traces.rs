//! Traces: what of the spans is sent to a collector, and how a trace goes on from one process or task to the next.

use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::collector::{InRuntime, Unreachable};
use crate::config::{Otlp, Sampling};

/// Goes on with the trace of whoever sent a request, by W3C's `traceparent`.
pub fn continue_remote<'a>(span: &Span, header: impl Fn(&str) -> Option<&'a str>) {
    let parent = TraceContextPropagator::new().extract(&Headers(&header));
    // Refused where no traces are sent, and then there is nothing to go on with.
    drop(span.set_parent(parent));
}

/// Makes a span, which may outlive the present one, part of its trace.
pub fn continue_present(span: &Span) {
    drop(span.set_parent(Span::current().context()));
}

/// Names a span by what is known only at its end.
pub fn name(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// Adds what is known of a span only at its end; it is not part of log lines.
pub fn describe(span: &Span, name: &'static str, text: impl Into<opentelemetry::Value>) {
    span.set_attribute(name, text);
}

struct Headers<'find, 'text>(&'find dyn Fn(&str) -> Option<&'text str>);

impl Extractor for Headers<'_, '_> {
    fn get(&self, key: &str) -> Option<&str> {
        (self.0)(key)
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Prepares to send traces in batches from a thread of their own; what a full queue does not take is dropped.
pub(super) fn provider(
    otlp: &Otlp,
    address: &str,
    resource: Resource,
    runtime: &Handle,
) -> Result<SdkTracerProvider, Unreachable> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(address)
        .with_headers(otlp.headers.clone())
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(InRuntime::new(exporter, "traces", runtime))
        .with_sampler(sampler(otlp.sampling))
        .with_resource(resource)
        .build())
}

/// Turns the spans of this program, and what went wrong in them, into traces.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("gazetteer"))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(is_told))
}

/// Only this program's own: the collector's client would otherwise tell of telling.
fn is_told(metadata: &Metadata<'_>) -> bool {
    let is_ours = metadata.target().split("::").next() == Some("gazetteer");
    is_ours
        && (*metadata.level() <= Level::WARN
            || metadata.is_span() && *metadata.level() <= Level::INFO)
}

fn sampler(sampling: Sampling) -> Sampler {
    let own = if sampling.share >= 1.0 {
        Sampler::AlwaysOn
    } else if sampling.share <= 0.0 {
        Sampler::AlwaysOff
    } else {
        Sampler::TraceIdRatioBased(sampling.share)
    };
    if sampling.follows_parent {
        Sampler::ParentBased(Box::new(own))
    } else {
        own
    }
}
