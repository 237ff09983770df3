//! Who may come in: requests under a name that is ours, and no form that another site sends.
//!
//! Cookies have `SameSite` besides; this holds without it.

use std::net::{IpAddr, SocketAddr};

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use url::Url;

use super::client::Client;
use super::failure::Failure;
use super::limits;
use crate::config::PublicUrl;

/// What of a request decides whether it may come in.
#[derive(Debug)]
pub(super) struct OriginCheck {
    /// Only this machine can reach the server, so only this machine's names are right.
    loopback: bool,
    public_url: Option<PublicUrl>,
}

impl OriginCheck {
    pub(super) fn new(address: SocketAddr, public_url: Option<PublicUrl>) -> Self {
        Self {
            loopback: address.ip().is_loopback(),
            public_url,
        }
    }

    fn refusal(&self, request: &ServiceRequest, client: &Client) -> Option<Failure> {
        let headers = request.headers();
        if let Some(too_much) = limits::excess(request) {
            return Some(too_much);
        }
        // Another site could have had its own name lead here, and would then be this site for the browser.
        if self.loopback && !names_this_machine(&client.host) && !self.is_public(&client.host) {
            return Some(Failure::forbidden(
                "This catalog listens on this machine only, and was asked for under another name.",
                "Open it as http://localhost with its port, name the address of the proxy before it with \
                 GAZETTEER_PUBLIC_URL, or let it listen on a public address with GAZETTEER_LISTEN.",
            ));
        }
        if !is_safe(request.method()) && self.comes_from_elsewhere(headers, client) {
            return Some(Failure::forbidden(
                "The request was sent by a page of another site, and nothing was changed.",
                "Open the page here and try it again.",
            ));
        }
        None
    }

    fn is_public(&self, host: &str) -> bool {
        let public = self.public_url.as_ref().map(PublicUrl::authority);
        public.is_some_and(|public| public.eq_ignore_ascii_case(host))
    }

    /// Tells whether a browser says that a page of another site sent this.
    ///
    /// Browsers say it in two ways, and neither may speak against it. Programs say nothing and are let in: nobody can
    /// make somebody else's program send something.
    fn comes_from_elsewhere(&self, headers: &HeaderMap, client: &Client) -> bool {
        let mut sites = headers.get_all("sec-fetch-site");
        let mut origins = headers.get_all(header::ORIGIN);
        let is_foreign_site =
            sites.any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
        let is_foreign_origin = origins.any(|origin| {
            let origin = origin.to_str().ok();
            !origin.is_some_and(|origin| self.is_ours(origin, client))
        });
        is_foreign_site || is_foreign_origin
    }

    /// Whether an origin is that of the public address, or the one that the client has asked.
    fn is_ours(&self, origin: &str, client: &Client) -> bool {
        let Ok(origin) = Url::parse(origin) else {
            return false;
        };
        let public = self.public_url.as_ref().map(PublicUrl::origin);
        if public.is_some_and(|public| public == origin.origin().ascii_serialization()) {
            return true;
        }
        let scheme = origin.scheme();
        let is_fitting = if client.secure {
            scheme == "https"
        } else {
            matches!(scheme, "http" | "https")
        };
        let asked = Url::parse(&format!("{scheme}://{}", client.host));
        is_fitting && asked.is_ok_and(|asked| asked.origin() == origin.origin())
    }
}

/// Refuses what no handler should see.
pub(super) async fn admit(
    origin_check: Data<OriginCheck>,
    client: Client,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(failure) = origin_check.refusal(&request, &client) {
        return Ok(limits::refuse(request, failure));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Tells whether a `Host` header is one of the names that only this machine has.
fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost")
        || bare
            .unwrap_or(name)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_names() {
        for name in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "127.0.0.1",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(names_this_machine(name), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "localhost.evil.example:80",
            "10.0.0.1",
            "127.0.0.1.nip.io",
            "localhost:x",
        ] {
            assert!(!names_this_machine(name), "{name}");
        }
    }

    fn is_elsewhere(
        public: Option<&str>,
        secure: bool,
        lines: &[(&'static str, &'static str)],
    ) -> bool {
        let origin_check = OriginCheck {
            loopback: false,
            public_url: public.map(|url| url.parse().unwrap()),
        };
        let client = Client {
            address: IpAddr::from([192, 0, 2, 1]),
            secure,
            host: "atlas.example".to_owned(),
        };
        let mut headers = HeaderMap::new();
        for (name, text) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(text),
            );
        }
        origin_check.comes_from_elsewhere(&headers, &client)
    }

    #[test]
    fn a_browser_tells_which_site_sent_a_form() {
        let elsewhere = |lines: &[_]| is_elsewhere(None, false, lines);
        for ours in [
            vec![],
            vec![("sec-fetch-site", "same-origin")],
            vec![("sec-fetch-site", "none")],
            vec![("origin", "http://Atlas.example")],
            vec![("origin", "https://atlas.example:443")],
            vec![
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://atlas.example"),
            ],
        ] {
            assert!(!elsewhere(&ours), "{ours:?}");
        }
        for theirs in [
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
            vec![("sec-fetch-site", "")],
            vec![("origin", "https://evil.example")],
            vec![("origin", "null")],
            vec![("origin", "")],
            vec![("origin", "https://atlas.example:8443")],
            vec![("origin", "https://atlas.example.evil.example")],
            vec![("origin", "https://atlas.example@evil.example")],
            vec![
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://evil.example"),
            ],
            vec![
                ("sec-fetch-site", "cross-site"),
                ("origin", "http://atlas.example"),
            ],
            vec![
                ("origin", "http://atlas.example"),
                ("origin", "https://evil.example"),
            ],
            vec![
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
        ] {
            assert!(elsewhere(&theirs), "{theirs:?}");
        }
    }

    #[test]
    fn the_public_address_is_ours_and_tls_is_not_stepped_down_from() {
        let public = Some("https://catalog.example:8443");
        assert!(!is_elsewhere(
            public,
            true,
            &[("origin", "https://catalog.example:8443")]
        ));
        assert!(is_elsewhere(
            public,
            true,
            &[("origin", "http://catalog.example:8443")]
        ));
        assert!(is_elsewhere(
            None,
            true,
            &[("origin", "http://atlas.example")]
        ));
        assert!(!is_elsewhere(
            None,
            true,
            &[("origin", "https://atlas.example")]
        ));
    }
}
