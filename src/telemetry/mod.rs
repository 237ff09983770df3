//! Logs, numbers and traces: how a running catalog tells what it does, and on whose behalf.

mod collector;
mod logs;
mod meter;
mod numbers;
pub mod request;
pub mod traces;

use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;

pub use collector::Unreachable;
pub use logs::{BadFilter, Format, check};
pub use numbers::Numbers;

use crate::config::Otlp;

/// How long the end of the process waits for what is still to be sent to a collector.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What is sent to a collector, until it is stopped.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

impl Telemetry {
    /// Starts to log what `filter` lets through, and to send what `otlp` asks for by that runtime.
    ///
    /// Does nothing when logging has been started before, as it may have been in tests.
    pub fn start(
        format: Format,
        filter: &str,
        otlp: Option<&Otlp>,
        runtime: &Handle,
    ) -> Result<Self, Unreachable> {
        let mut telemetry = Self::default();
        if let Some(otlp) = otlp {
            let resource = || {
                Resource::builder()
                    .with_service_name(otlp.service.clone())
                    .build()
            };
            if let Some(address) = &otlp.traces {
                telemetry.traces = Some(traces::provider(otlp, address, resource(), runtime)?);
            }
            if let Some(address) = &otlp.metrics {
                let metrics = meter::provider(otlp, address, resource(), runtime)?;
                Numbers::start_beside(meter::Passing::to(&metrics));
                telemetry.metrics = Some(metrics);
            }
        }
        logs::start(format, filter, telemetry.traces.as_ref().map(traces::layer));
        Ok(telemetry)
    }

    /// Sends what is left, but does not wait long for a collector that is slow.
    pub async fn stop(self) {
        let Self { traces, metrics } = self;
        let last_words = tokio::task::spawn_blocking(move || {
            // Whoever does not answer now has been told of before.
            drop(traces.map(|traces| traces.shutdown_with_timeout(LAST_WORDS)));
            drop(metrics.map(|metrics| metrics.shutdown_with_timeout(LAST_WORDS)));
        });
        drop(tokio::time::timeout(LAST_WORDS, last_words).await);
    }
}
