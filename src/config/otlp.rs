//! Where traces and metrics go, by OpenTelemetry's own variables.

use std::collections::HashMap;
use std::fmt;

use url::Url;

use super::Problems;

/// The name under which a collector knows the catalog unless it is told another one.
const SERVICE: &str = "gazetteer";

/// Where to send traces and metrics, as OTLP in protobuf over HTTP.
#[derive(Clone)]
pub struct Otlp {
    /// The whole address that takes traces; none are sent without it.
    pub traces: Option<String>,
    /// The whole address that takes metrics; none are sent without it.
    pub metrics: Option<String>,
    /// Sent along, keys of the collector's perhaps.
    pub headers: HashMap<String, String>,
    pub service: String,
    pub sampling: Sampling,
}

/// Which traces are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The share of those that begin here, from 0 to 1.
    pub share: f64,
    /// Whether a trace that began elsewhere is kept if it was kept there.
    pub follows_parent: bool,
}

impl Otlp {
    /// Reads the standard variables; nothing when none names a collector.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Problems> {
        let given = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        if given("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let mut problems = Problems::default();
        let mut address = |signal: &str, path: &str| {
            let off = given(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|text| text == "none");
            if off {
                None
            } else {
                problems.take(address_of(&given, signal, path)).flatten()
            }
        };
        let traces = address("TRACES", "/v1/traces");
        let metrics = address("METRICS", "/v1/metrics");
        let protocol = problems.take(protocol(&given));
        let headers = problems.take(headers(&given)).unwrap_or_default();
        let sampling = problems.take(sampling(&given));
        let (Some(()), Some(sampling)) = (protocol, sampling) else {
            return problems.unless_any(None);
        };
        let otlp = Self {
            headers,
            service: given("OTEL_SERVICE_NAME").unwrap_or_else(|| SERVICE.to_owned()),
            sampling,
            traces,
            metrics,
        };
        let is_wanted = otlp.traces.is_some() || otlp.metrics.is_some();
        problems.unless_any(is_wanted.then_some(otlp))
    }
}

/// Without the headers, which may hold a key.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("traces", &self.traces)
            .field("metrics", &self.metrics)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// The address of a signal: its own variable is taken as it is, the common one gets the signal's path.
fn address_of(
    given: &impl Fn(&str) -> Option<String>,
    signal: &str,
    path: &str,
) -> Result<Option<String>, Problems> {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    let (name, address) = match (given(&own), given("OTEL_EXPORTER_OTLP_ENDPOINT")) {
        (Some(whole), _) => (own.as_str(), whole),
        (None, Some(base)) => (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            base.trim_end_matches('/').to_owned() + path,
        ),
        (None, None) => return Ok(None),
    };
    let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if Url::parse(&address).is_ok_and(is_http) {
        Ok(Some(address))
    } else {
        Err(Problems::from(format!(
            "{name} makes “{address}”, which is no address of a collector. Write it like http://collector.example:4318."
        )))
    }
}

fn protocol(given: &impl Fn(&str) -> Option<String>) -> Result<(), Problems> {
    match given("OTEL_EXPORTER_OTLP_PROTOCOL").as_deref() {
        None | Some("http/protobuf") => Ok(()),
        Some(other) => Err(Problems::from(format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL is “{other}”, and Gazetteer speaks “http/protobuf” alone. Leave it out, and name \
             the collector's port for HTTP, usually 4318."
        ))),
    }
}

/// Reads `name=text,name=text`.
fn headers(given: &impl Fn(&str) -> Option<String>) -> Result<HashMap<String, String>, Problems> {
    let text = given("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let read: Option<HashMap<String, String>> = pairs
        .map(|pair| {
            let (name, text) = pair.split_once('=')?;
            Some((name.trim().to_owned(), text.trim().to_owned()))
        })
        .collect();
    // The text is not repeated: keys stand in it.
    read.ok_or_else(|| {
        Problems::from(
            "OTEL_EXPORTER_OTLP_HEADERS is not made of name=text, with commas between.".to_owned(),
        )
    })
}

fn sampling(given: &impl Fn(&str) -> Option<String>) -> Result<Sampling, Problems> {
    let name = given("OTEL_TRACES_SAMPLER");
    let name = name.as_deref().unwrap_or("parentbased_always_on");
    let (follows_parent, own) = match name.strip_prefix("parentbased_") {
        Some(own) => (true, own),
        None => (false, name),
    };
    let share = match own {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => share(given)?,
        _ => {
            return Err(Problems::from(format!(
                "OTEL_TRACES_SAMPLER is “{name}”, which is none that Gazetteer has. Choose always_on, always_off or \
                 traceidratio, alone or behind “parentbased_”."
            )));
        }
    };
    Ok(Sampling {
        share,
        follows_parent,
    })
}

fn share(given: &impl Fn(&str) -> Option<String>) -> Result<f64, Problems> {
    let text = given("OTEL_TRACES_SAMPLER_ARG").unwrap_or_else(|| "1".to_owned());
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| {
        Problems::from(format!(
            "OTEL_TRACES_SAMPLER_ARG is “{text}”, and a share is a number from 0 to 1, such as 0.1."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Otlp>, Problems> {
        Otlp::read(|name| {
            let pair = pairs.iter().find(|(given, _)| *given == name)?;
            Some(pair.1.to_owned())
        })
    }

    #[test]
    fn nothing_is_sent_unless_a_collector_is_named() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OTEL_SERVICE_NAME", "atlas")]).unwrap().is_none());
        let disabled = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ("OTEL_SDK_DISABLED", "true"),
        ];
        assert!(read(&disabled).unwrap().is_none());
    }

    #[test]
    fn the_common_address_gets_the_path_of_each_signal_and_an_own_one_does_not() {
        let otlp = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://m/x"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a=b, x=y"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ]);
        let otlp = otlp.unwrap().unwrap();
        assert_eq!(otlp.traces.as_deref(), Some("http://c:4318/v1/traces"));
        assert_eq!(otlp.metrics.as_deref(), Some("https://m/x"));
        assert_eq!(otlp.headers.get("api-key").map(String::as_str), Some("a=b"));
        assert_eq!(otlp.service, "gazetteer");
        assert_eq!(
            otlp.sampling,
            Sampling {
                share: 0.25,
                follows_parent: true
            }
        );
        assert!(!format!("{otlp:?}").contains("a=b"));
    }

    #[test]
    fn all_problems_are_told_together_and_no_key_is_repeated() {
        let told = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ]);
        let told = told.unwrap_err().to_string();
        assert!(told.starts_with("4 settings need a look."), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}
