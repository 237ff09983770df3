//! Who sent a request: the address, and whether the way there was TLS.
//!
//! What proxies write into `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` is believed from the proxies that
//! the configuration names, and from nobody else. Deliberately absent: `Forwarded`, which hardly any proxy sends.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;

use crate::config::PublicUrl;

/// Whoever is at the far end, as far as it can be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Nobody on the way can have read along, so cookies may be kept to such ways.
    pub(crate) secure: bool,
    /// The name and port that the client asked for.
    pub(super) host: String,
}

/// Whose word is taken.
#[derive(Debug, Default)]
pub(super) struct Trust {
    pub(super) proxies: Vec<IpNet>,
    /// This server speaks TLS itself.
    pub(super) tls: bool,
    pub(super) public_url: Option<PublicUrl>,
}

impl Trust {
    /// Finds out who sent a request with these headers over a connection from `peer`.
    pub(super) fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Client {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
            peer.ip().to_canonical()
        });
        let (address, proxies) = self.walk(peer, headers);
        let said = |name| nth_from_right(headers, name, proxies);
        let host = said("x-forwarded-host");
        Client {
            address,
            secure: self.tls || self.is_secure(said("x-forwarded-proto")),
            host: host
                .or_else(|| text(headers, "host"))
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// Walks from the connection's other end towards the client for as long as it meets proxies that are trusted.
    /// Answers how many there are, too.
    fn walk(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, usize) {
        let mut hops = elements(headers, "x-forwarded-for").rev();
        let (mut current, mut proxies) = (peer, 0);
        while self.trusts(current) {
            proxies += 1;
            match hops.next().and_then(address_in) {
                Some(next) => current = next,
                None => break,
            }
        }
        (current, proxies)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies
            .iter()
            .any(|network| network.contains(&address))
    }

    /// A proxy's word counts; where there is none, people come as the public address says.
    fn is_secure(&self, scheme: Option<&str>) -> bool {
        match scheme {
            Some(scheme) => scheme.eq_ignore_ascii_case("https"),
            None => self.public_url.as_ref().is_some_and(PublicUrl::is_https),
        }
    }
}

impl Client {
    /// Who sent this request.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let (peer, headers) = (request.peer_addr(), request.headers());
        match request.app_data::<Data<Trust>>() {
            Some(trust) => trust.client(peer, headers),
            None => Trust::default().client(peer, headers),
        }
    }
}

/// The whole address of a page for somebody whom it is sent to: under the public address, or else as it was asked for.
///
/// The path comes from `links`, with what the public address has before it.
pub(crate) fn whole_address(request: &HttpRequest, path: &str) -> String {
    let trust = request.app_data::<Data<Trust>>();
    if let Some(url) = trust.and_then(|trust| trust.public_url.as_ref()) {
        return url.origin() + path;
    }
    let client = Client::of(request);
    let scheme = if client.secure { "https" } else { "http" };
    format!("{scheme}://{}{path}", client.host)
}

impl FromRequest for Client {
    type Error = Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What stands between the commas of a header, all its lines taken together. A line that is no text counts as one element.
fn elements<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines: Vec<&str> = headers
        .get_all(name)
        .map(|line| line.to_str().unwrap_or("?"))
        .collect();
    lines
        .into_iter()
        .flat_map(|line| line.split(',').map(str::trim))
}

/// What the outermost of so many trusted proxies said, or the outermost of those that said anything.
fn nth_from_right<'a>(headers: &'a HeaderMap, name: &str, proxies: usize) -> Option<&'a str> {
    elements(headers, name)
        .rev()
        .take(proxies)
        .last()
        .filter(|said| !said.is_empty())
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn address_in(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim_matches('"');
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn client(trust: &Trust, peer: &str, lines: &[(&'static str, &'static str)]) -> Client {
        let mut headers = HeaderMap::new();
        for (name, text) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(text),
            );
        }
        trust.client(Some(peer.parse().unwrap()), &headers)
    }

    fn trust(proxies: &[&str]) -> Trust {
        Trust {
            proxies: proxies
                .iter()
                .map(|network| network.parse().unwrap())
                .collect(),
            ..Trust::default()
        }
    }

    fn address(trust: &Trust, peer: &str, lines: &[&'static str]) -> String {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| ("x-forwarded-for", *line))
            .collect();
        client(trust, peer, &lines).address.to_string()
    }

    #[test]
    fn nobody_is_believed_unless_named() {
        let lines = [
            ("host", "atlas.example"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        let stranger = client(&trust(&["10.0.0.0/8"]), "172.16.0.1:1", &lines);
        assert_eq!(stranger.address.to_string(), "172.16.0.1");
        assert!(!stranger.secure);
        assert_eq!(stranger.host, "atlas.example");
        let proxied = client(&trust(&["172.16.0.0/12"]), "172.16.0.1:1", &lines);
        assert_eq!(proxied.address.to_string(), "192.0.2.1");
        assert!(proxied.secure);
        assert_eq!(proxied.host, "evil.example");
    }

    #[test]
    fn the_rightmost_address_that_is_no_trusted_proxy_is_the_clients() {
        let trust = trust(&["10.0.0.0/8", "::1/128", "fd00::/8"]);
        let peer = "10.0.0.1:5";
        assert_eq!(
            address(&trust, peer, &["192.0.2.1, 198.51.100.2"]),
            "198.51.100.2"
        );
        assert_eq!(
            address(&trust, peer, &["1.1.1.1, 192.0.2.1, 10.9.9.9"]),
            "192.0.2.1"
        );
        assert_eq!(
            address(&trust, peer, &["1.1.1.1", "192.0.2.1"]),
            "192.0.2.1"
        );
        assert_eq!(address(&trust, peer, &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(
            address(&trust, "[::1]:5", &["[2001:db8::1]:4711"]),
            "2001:db8::1"
        );
        assert_eq!(
            address(&trust, "[fd00::1]:5", &["2001:db8::1"]),
            "2001:db8::1"
        );
        assert_eq!(
            address(&trust, "[::ffff:10.0.0.1]:5", &["::ffff:192.0.2.1"]),
            "192.0.2.1"
        );
        assert_eq!(address(&trust, peer, &["192.0.2.1:4711"]), "192.0.2.1");
    }

    #[test]
    fn garbage_ends_the_walk_at_the_last_proxy_that_was_believed() {
        let trust = trust(&["10.0.0.0/8"]);
        for garbage in [
            "unknown",
            "",
            ",",
            "192.0.2.1, ",
            "<script>",
            "192.0.2.1 10.0.0.1",
            "999.1.1.1",
        ] {
            assert_eq!(
                address(&trust, "10.0.0.1:5", &[garbage]),
                "10.0.0.1",
                "{garbage}"
            );
        }
        assert_eq!(
            address(&trust, "10.0.0.1:5", &["192.0.2.1, unknown, 10.0.0.2"]),
            "10.0.0.2"
        );
        assert_eq!(address(&trust, "10.0.0.1:5", &[]), "10.0.0.1");
    }

    #[test]
    fn each_proxy_speaks_for_the_way_to_it() {
        let trust = trust(&["10.0.0.0/8"]);
        let secure = |hops, schemes| {
            client(
                &trust,
                "10.0.0.1:5",
                &[("x-forwarded-for", hops), ("x-forwarded-proto", schemes)],
            )
            .secure
        };
        assert!(secure("192.0.2.1, 10.0.0.2", "https, http"));
        assert!(
            !secure("192.0.2.1", "https, http"),
            "what the client said itself"
        );
        assert!(secure("192.0.2.1, 10.0.0.2", "https"));
    }

    #[test]
    fn tls_here_or_a_public_address_that_has_it_is_secure() {
        let tls = Trust {
            tls: true,
            ..Trust::default()
        };
        assert!(client(&tls, "192.0.2.1:1", &[]).secure);
        let public = Trust {
            public_url: "https://atlas.example".parse().ok(),
            ..trust(&["10.0.0.0/8"])
        };
        assert!(client(&public, "10.0.0.1:1", &[]).secure);
        assert!(!client(&public, "10.0.0.1:1", &[("x-forwarded-proto", "http")]).secure);
    }
}
