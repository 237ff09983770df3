//! Numbers that Prometheus collects. Any module may count with the `metrics` macros; here they are kept and written out.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::layers::FanoutBuilder;

use super::meter::Passing;

/// How often what was measured is folded into the buckets, whether or not anybody collects it.
const FOLD: Duration = Duration::from_secs(5);

/// Seconds at which durations are told apart.
pub(super) const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// One recorder for the whole process is how the macros work.
static KEPT: OnceLock<PrometheusHandle> = OnceLock::new();

/// The numbers of this process.
#[derive(Debug, Clone)]
pub struct Numbers(PrometheusHandle);

impl Numbers {
    /// Starts to keep numbers, or hands out those that are being kept already.
    pub fn start() -> Self {
        Self(KEPT.get_or_init(|| install(None)).clone())
    }

    /// Starts to keep numbers and to pass them on as well; too late once they are being kept.
    pub(super) fn start_beside(passing: Passing) {
        KEPT.get_or_init(|| install(Some(passing)));
    }

    /// Everything, in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps memory bounded for as long as it is awaited.
    pub async fn keep(self) {
        let mut ticks = tokio::time::interval(FOLD);
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}

fn install(passing: Option<Passing>) -> PrometheusHandle {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .expect("there are buckets")
        .build_recorder();
    let handle = recorder.handle();
    let mut all = FanoutBuilder::default().add_recorder(recorder);
    if let Some(passing) = passing {
        all = all.add_recorder(passing);
    }
    // Fails only when something else of the process keeps numbers; then they are collected there.
    if metrics::set_global_recorder(all.build()).is_ok() {
        describe();
    }
    handle
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("gazetteer_http_requests_total", "Requests answered.");
    describe_histogram!(
        "gazetteer_http_request_seconds",
        Unit::Seconds,
        "How long answers took."
    );
    describe_histogram!(
        "gazetteer_render_seconds",
        Unit::Seconds,
        "How long rendering a template took."
    );
    describe_histogram!(
        "gazetteer_search_seconds",
        Unit::Seconds,
        "How long searches took in the index."
    );
    describe_counter!(
        "gazetteer_changes_total",
        "Changes in the log of the catalog."
    );
    describe_counter!(
        "gazetteer_index_changes_total",
        "The last change that this process' search index contains."
    );
    describe_gauge!("gazetteer_index_assets", "Assets in the search index.");
    describe_counter!(
        "gazetteer_runs_started_total",
        "Runs started by this process from a page or the API."
    );
}
