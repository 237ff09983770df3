//! The address under which people know the catalog.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use clap::Args;
use url::{Host, Url};

use super::Problems;
use super::server::LISTEN;

/// Such as `https://catalog.example` or `https://host.example/catalog`: what links in messages begin with, and where other sites send people back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

/// Where people find the catalog, for the addresses that commands print.
#[derive(Debug, Clone, Args)]
pub struct Public {
    /// The address under which people know the catalog, such as <https://catalog.example>
    /// [default: where the server listens]
    #[arg(long, env = "GAZETTEER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Where the server listens
    #[arg(long, env = "GAZETTEER_LISTEN", value_name = "ADDRESS", default_value = LISTEN)]
    pub listen: String,
}

impl Public {
    /// Reads the address under which people know the catalog, or else tells where it is on this machine.
    pub fn read(&self) -> Result<PublicUrl, Problems> {
        if let Some(url) = self.public_url.as_deref().filter(|url| !url.is_empty()) {
            return url.parse();
        }
        // What listens on every address is reached on this machine by its name.
        match self.listen.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_unspecified() => {
                format!("http://localhost:{}", address.port()).parse()
            }
            _ => format!("http://{}", self.listen).parse(),
        }
    }
}

impl PublicUrl {
    /// Scheme, host and, where it is not the usual one, port, as browsers write an origin.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Host and, where it is not the usual one, port, as browsers write a `Host` header.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Whether people come by TLS.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether only this machine can be meant.
    pub fn is_this_machine(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The path below which people reach the catalog, such as `/catalog`; empty where it has the host for itself.
    pub fn prefix(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// The whole address of a page by its path in the catalog, which begins with a slash.
    pub fn page(&self, path: &str) -> String {
        self.origin() + self.prefix() + path
    }
}

impl FromStr for PublicUrl {
    type Err = Problems;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |what: &str| {
            let example =
                "Write it like https://catalog.example or https://host.example:8443/catalog.";
            Problems::from(format!(
                "The public address “{text}” (--public-url, GAZETTEER_PUBLIC_URL) {what}. {example}"
            ))
        };
        let url = Url::parse(text).map_err(|_unparsed| bad("is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("begins neither with https:// nor with http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad(
                "has a name or a password in it, which everybody would see",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("has more than a host, a port and a path"));
        }
        // Nothing that would need quotes in a cookie, or be read in two ways by a proxy.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        if url.path().contains("//") || !url.path().chars().all(is_plain) {
            return Err(bad("has a path of more than letters, digits and “-._~”"));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_perhaps_a_port() {
        let url: PublicUrl = "https://Catalog.Example:443".parse().unwrap();
        assert_eq!(url.origin(), "https://catalog.example");
        assert_eq!(url.authority(), "catalog.example");
        assert_eq!(url.page("/set-up"), "https://catalog.example/set-up");
        assert!(url.is_https());
        for below in [
            "https://host.example/data/catalog",
            "https://host.example/data/catalog/",
        ] {
            let url: PublicUrl = below.parse().unwrap();
            assert_eq!(url.prefix(), "/data/catalog");
            assert_eq!(
                url.page("/set-up"),
                "https://host.example/data/catalog/set-up"
            );
        }
        let url: PublicUrl = "http://[::1]:8080/".parse().unwrap();
        assert_eq!(url.authority(), "[::1]:8080");
        assert!(!url.is_https());
    }

    #[test]
    fn anything_else_is_told_with_an_example() {
        for odd in [
            "catalog.example",
            "",
            "ftp://catalog.example",
            "https://catalog.example/data catalog",
            "https://catalog.example/data//catalog",
            "https://catalog.example/a;b",
            "https://catalog.example/?a",
            "https://me:secret@catalog.example",
            "https://",
        ] {
            let told = odd.parse::<PublicUrl>().unwrap_err().to_string();
            assert!(
                told.contains("Write it like https://catalog.example"),
                "{told}"
            );
        }
    }
}
