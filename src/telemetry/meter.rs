//! The numbers once more, for a collector: a recorder beside Prometheus' that passes them to OpenTelemetry.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_otlp::{MetricExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tokio::runtime::Handle;

use super::collector::{InRuntime, Unreachable};
use super::numbers::SECONDS;
use crate::config::Otlp;

/// Prepares to send metrics, once a minute from a thread of their own.
pub(super) fn provider(
    otlp: &Otlp,
    address: &str,
    resource: Resource,
    runtime: &Handle,
) -> Result<SdkMeterProvider, Unreachable> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_endpoint(address)
        .with_headers(otlp.headers.clone())
        .build()?;
    Ok(SdkMeterProvider::builder()
        .with_periodic_exporter(InRuntime::new(exporter, "metrics", runtime))
        .with_resource(resource)
        .build())
}

/// Passes what is counted to OpenTelemetry.
pub(super) struct Passing {
    meter: Meter,
    words: Mutex<HashMap<KeyName, (Option<Unit>, SharedString)>>,
    counters: Kept<Counted>,
    gauges: Kept<Gauged>,
    histograms: Kept<Measured>,
}

/// One instrument for each name and set of labels.
type Kept<T> = Mutex<HashMap<Key, Arc<T>>>;

impl Passing {
    pub(super) fn to(provider: &SdkMeterProvider) -> Self {
        Self {
            meter: provider.meter("gazetteer"),
            words: Mutex::default(),
            counters: Mutex::default(),
            gauges: Mutex::default(),
            histograms: Mutex::default(),
        }
    }

    fn describe(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.insert(name, (unit, text));
    }

    /// The unit as OpenTelemetry writes it, and the sentence.
    fn words_for(&self, key: &Key) -> (&'static str, String) {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let (unit, text) = words.get(key.name()).cloned().unwrap_or((None, "".into()));
        let unit = if unit == Some(Unit::Seconds) { "s" } else { "" };
        (unit, text.into_owned())
    }
}

/// Finds the instrument that was made before, or makes it.
fn kept<T>(all: &Kept<T>, key: &Key, make: impl FnOnce() -> T) -> Arc<T> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    match all.get(key) {
        Some(known) => Arc::clone(known),
        None => Arc::clone(all.entry(key.clone()).or_insert_with(|| Arc::new(make()))),
    }
}

fn labels_of(key: &Key) -> Vec<KeyValue> {
    key.labels()
        .map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned()))
        .collect()
}

impl Recorder for Passing {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(name, unit, text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(name, unit, text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(name, unit, text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(kept(&self.counters, key, || {
            let (unit, text) = self.words_for(key);
            let counter = self.meter.u64_counter(key.name().to_owned());
            Counted {
                counter: counter.with_unit(unit).with_description(text).build(),
                labels: labels_of(key),
                last: AtomicU64::new(0),
            }
        }))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(kept(&self.gauges, key, || {
            let (unit, text) = self.words_for(key);
            let gauge = self.meter.f64_gauge(key.name().to_owned());
            Gauged {
                gauge: gauge.with_unit(unit).with_description(text).build(),
                labels: labels_of(key),
                last: Mutex::new(0.0),
            }
        }))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(kept(&self.histograms, key, || {
            let (unit, text) = self.words_for(key);
            let histogram = self.meter.f64_histogram(key.name().to_owned());
            let histogram = histogram.with_unit(unit).with_description(text);
            Measured {
                histogram: histogram.with_boundaries(SECONDS.to_vec()).build(),
                labels: labels_of(key),
            }
        }))
    }
}

struct Counted {
    counter: opentelemetry::metrics::Counter<u64>,
    labels: Vec<KeyValue>,
    last: AtomicU64,
}

impl CounterFn for Counted {
    fn increment(&self, more: u64) {
        self.last.fetch_add(more, Ordering::Relaxed);
        self.counter.add(more, &self.labels);
    }

    fn absolute(&self, number: u64) {
        let before = self.last.fetch_max(number, Ordering::Relaxed);
        self.counter
            .add(number.saturating_sub(before), &self.labels);
    }
}

struct Gauged {
    gauge: opentelemetry::metrics::Gauge<f64>,
    labels: Vec<KeyValue>,
    last: Mutex<f64>,
}

impl Gauged {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = change(*last);
        self.gauge.record(*last, &self.labels);
    }
}

impl GaugeFn for Gauged {
    fn increment(&self, more: f64) {
        self.change(|last| last + more);
    }

    fn decrement(&self, less: f64) {
        self.change(|last| last - less);
    }

    fn set(&self, number: f64) {
        self.change(|_| number);
    }
}

struct Measured {
    histogram: opentelemetry::metrics::Histogram<f64>,
    labels: Vec<KeyValue>,
}

impl HistogramFn for Measured {
    fn record(&self, number: f64) {
        self.histogram.record(number, &self.labels);
    }
}
