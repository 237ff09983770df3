//! Where and how the server listens, and whom it believes.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;

use super::{Access, Problems, PublicUrl, tls};

/// The address that people connect to unless told otherwise: this machine alone.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

/// Costly requests a second that one client may send, unless told otherwise: more than anybody's browser sends.
const RATE_LIMIT: &str = "40";

/// Where the server listens, as it was given.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, env = "GAZETTEER_LISTEN", value_name = "ADDRESS", default_value = LISTEN)]
    pub listen: String,

    /// The address under which people know the catalog, such as `https://catalog.example`
    #[arg(long, env = "GAZETTEER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// PEM file of the certificate and those between it and its root, to speak TLS
    #[arg(long, env = "GAZETTEER_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// PEM file of the certificate's key
    #[arg(long, env = "GAZETTEER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Addresses or networks of the proxies whose X-Forwarded-… headers are believed, with commas between
    #[arg(long, env = "GAZETTEER_TRUSTED_PROXIES", value_name = "ADDRESSES")]
    pub trusted_proxies: Option<String>,

    /// Searches, lists and other costly requests a second for one client; 0 sets no limit
    #[arg(long, env = "GAZETTEER_RATE_LIMIT", value_name = "NUMBER", default_value = RATE_LIMIT)]
    pub rate_limit: String,

    #[command(flatten)]
    pub access: Access,
}

/// Where the server listens, read and checked.
#[derive(Debug, Clone)]
pub struct Serving {
    pub listen: String,
    pub public_url: Option<PublicUrl>,
    /// How to speak TLS; without it the server speaks plain HTTP.
    pub tls: Option<rustls::ServerConfig>,
    pub trusted_proxies: Vec<IpNet>,
    /// Costly requests a second for one client.
    pub rate_limit: Option<NonZeroU32>,
    pub access: Access,
}

impl Server {
    /// Reads everything, and tells every problem at once.
    pub fn read(&self) -> Result<Serving, Problems> {
        let mut problems = Problems::default();
        let listen = problems.take(address(&self.listen)).unwrap_or_default();
        let public_url = self.public_url.as_deref().filter(|url| !url.is_empty());
        let public_url = public_url.and_then(|url| problems.take(url.parse()));
        let tls = tls::read(self.tls_certificate.as_deref(), self.tls_key.as_deref());
        let tls = problems.take(tls).flatten();
        let trusted_proxies = self.trusted_proxies.as_deref().unwrap_or_default();
        let trusted_proxies = problems.take(networks(trusted_proxies)).unwrap_or_default();
        let rate_limit = problems.take(rate(&self.rate_limit)).flatten();
        problems.unless_any(Serving {
            listen,
            public_url,
            tls,
            trusted_proxies,
            rate_limit,
            access: self.access.clone(),
        })
    }
}

/// Checks that there is a host and a port; whether they can be had shows when they are taken.
fn address(listen: &str) -> Result<String, Problems> {
    let port = listen.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(listen.to_owned()),
        _ => Err(Problems::from(format!(
            "“{listen}” is not an address to listen on. Set GAZETTEER_LISTEN to an address and a port, such as {LISTEN}."
        ))),
    }
}

/// Reads addresses such as `10.0.0.7` and networks such as `10.0.0.0/8`.
fn networks(text: &str) -> Result<Vec<IpNet>, Problems> {
    let mut problems = Problems::default();
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let read = words
        .filter_map(|word| {
            let network = word.parse().or_else(|_| word.parse().map(IpAddr::into));
            if network.is_err() {
                problems.note(format!(
                    "“{word}” among the trusted proxies (--trusted-proxies, GAZETTEER_TRUSTED_PROXIES) is neither an \
                     address nor a network. Write them like 10.0.0.7, 10.0.0.0/8 or fd00::/8, with commas between."
                ));
            }
            network.ok()
        })
        .collect();
    problems.unless_any(read)
}

fn rate(text: &str) -> Result<Option<NonZeroU32>, Problems> {
    match text.trim().parse() {
        Ok(number) => Ok(NonZeroU32::new(number)),
        Err(_) => Err(Problems::from(format!(
            "The limit “{text}” (--rate-limit, GAZETTEER_RATE_LIMIT) is no whole number. Write how many costly requests \
             one client may send a second, such as {RATE_LIMIT}, or 0 for no limit."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        Server {
            listen: LISTEN.to_owned(),
            public_url: None,
            tls_certificate: None,
            tls_key: None,
            trusted_proxies: None,
            rate_limit: RATE_LIMIT.to_owned(),
            access: Access::default(),
        }
    }

    #[test]
    fn nothing_given_is_plain_http_that_believes_nobody() {
        let serving = server().read().unwrap();
        assert!(serving.tls.is_none() && serving.public_url.is_none());
        assert!(serving.trusted_proxies.is_empty());
        assert_eq!(serving.rate_limit, NonZeroU32::new(40));
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let trusted = networks("10.0.0.7, fd00::/8,192.168.0.0/16,").unwrap();
        let names: Vec<String> = trusted.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["10.0.0.7/32", "fd00::/8", "192.168.0.0/16"]);
    }

    #[test]
    fn all_problems_are_told_together() {
        let wrong = Server {
            listen: "nonsense".to_owned(),
            public_url: Some("catalog".to_owned()),
            tls_key: Some("/nowhere/key.pem".into()),
            trusted_proxies: Some("proxy, 10.0.0.0/99".to_owned()),
            rate_limit: "many".to_owned(),
            ..server()
        };
        let told = wrong.read().unwrap_err().to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.first(), Some(&"6 settings need a look."));
        for (line, word) in lines.iter().skip(1).zip([
            "“nonsense”",
            "“catalog”",
            "--tls-key",
            "“proxy”",
            "/99",
            "“many”",
        ]) {
            assert!(line.contains(word), "{line}");
        }
    }

    #[test]
    fn files_that_are_not_there_are_both_named() {
        let wrong = Server {
            tls_certificate: Some("/nowhere/certificate.pem".into()),
            tls_key: Some("/nowhere/key.pem".into()),
            ..server()
        };
        let told = wrong.read().unwrap_err().to_string();
        assert!(told.contains("/nowhere/certificate.pem"), "{told}");
        assert!(told.contains("/nowhere/key.pem"), "{told}");
    }
}
