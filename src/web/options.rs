//! How to serve.

use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::{PublicUrl, Serving};

/// How the server serves; the default is for this machine alone, without limits on how often.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many threads answer requests.
    pub workers: usize,
    /// How to speak TLS; plain HTTP without it.
    pub tls: Option<rustls::ServerConfig>,
    /// The address under which people know the catalog.
    pub public_url: Option<PublicUrl>,
    /// Whose word about where a request comes from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Costly requests a second for one client; any number without it.
    pub rate_limit: Option<NonZeroU32>,
    /// How long a client may take to send its headers.
    pub slowest_headers: Duration,
    /// How long a connection on which nothing is asked stays open.
    pub idle: Duration,
    /// How long a request's body may take to arrive.
    pub slowest_body: Duration,
    /// How long the index may be behind the catalog before the server is not ready.
    pub slowest_index: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 2,
            tls: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            rate_limit: None,
            slowest_headers: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            slowest_body: Duration::from_secs(30),
            slowest_index: Duration::from_secs(30),
        }
    }
}

impl From<Serving> for Options {
    fn from(serving: Serving) -> Self {
        Self {
            tls: serving.tls,
            public_url: serving.public_url,
            trusted_proxies: serving.trusted_proxies,
            rate_limit: serving.rate_limit,
            ..Self::default()
        }
    }
}

impl Options {
    /// What the server's own address begins with.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
