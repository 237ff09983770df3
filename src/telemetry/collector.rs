//! The way to a collector: sending from the threads that gather, and telling once when nobody answers.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::error::{Explain, Kind};

/// An exporter that sends by Tokio, though the threads that call it are none of Tokio's.
#[derive(Debug)]
pub(super) struct InRuntime<E> {
    exporter: E,
    /// What is sent, for the log.
    what: &'static str,
    runtime: Handle,
    /// Whether it has been told that nobody answers.
    told: AtomicBool,
}

impl<E> InRuntime<E> {
    pub(super) fn new(exporter: E, what: &'static str, runtime: &Handle) -> Self {
        Self {
            exporter,
            what,
            runtime: runtime.clone(),
            told: AtomicBool::new(false),
        }
    }

    async fn send(&self, sending: impl Future<Output = OTelSdkResult>) -> OTelSdkResult {
        let mut sending = pin!(sending);
        let sent = std::future::poll_fn(|context| {
            let _inside = self.runtime.enter();
            sending.as_mut().poll(context)
        })
        .await;
        self.tell(&sent);
        sent
    }

    /// A collector that does not answer is a line in the log when it begins and one when it ends.
    fn tell(&self, sent: &OTelSdkResult) {
        let what = self.what;
        match sent {
            Err(cause) if !self.told.swap(true, Ordering::Relaxed) => {
                warn!(%cause, "{what} cannot be sent to the collector; they are dropped until it answers");
            }
            Ok(()) if self.told.swap(false, Ordering::Relaxed) => {
                info!("{what} are sent to the collector again");
            }
            _ => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for InRuntime<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.send(self.exporter.export(batch)).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for InRuntime<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.send(self.exporter.export(metrics)).await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

/// Nothing can be sent to the collector.
#[derive(Debug, thiserror::Error)]
#[error("Traces and metrics cannot be sent as OTEL_EXPORTER_OTLP_… says.")]
pub struct Unreachable(#[from] ExporterBuildError);

impl Explain for Unreachable {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
