//! The path below which people reach the site, where it shares a host with others: `/catalog`.
//!
//! A proxy may pass that path on or take it away; both lead to the same page. Links have it in any case.

use std::sync::Arc;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::links;
use super::routes;
use crate::config::PublicUrl;

/// Such as `/catalog`; empty where the catalog has a host of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Prefix(Arc<str>);

impl Prefix {
    /// The path of the public address, unless it begins as one of the site's own addresses does.
    pub(super) fn of(public_url: Option<&PublicUrl>) -> Result<Self, String> {
        let path = public_url.map_or("", PublicUrl::prefix);
        let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
        let taken = routes::all()
            .iter()
            .any(|site| first(site.pattern) == first(path));
        if !path.is_empty() && taken {
            return Err(path.to_owned());
        }
        Ok(Self(path.into()))
    }

    /// The same address without the prefix; nothing where it does not begin with it.
    fn strip(&self, uri: &Uri) -> Option<Uri> {
        let whole = uri.path_and_query()?.as_str();
        let rest = whole
            .strip_prefix(&*self.0)
            .filter(|_| !self.0.is_empty())?;
        let rest = match rest.bytes().next() {
            None => "/".to_owned(),
            Some(b'?') => format!("/{rest}"),
            Some(b'/') => rest.to_owned(),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = PathAndQuery::from_maybe_shared(rest).ok();
        Uri::from_parts(parts).ok()
    }
}

/// Takes the prefix off an address, and puts it before every address of the answer.
pub(super) async fn take_off(
    prefix: Data<Prefix>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(uri) = prefix.strip(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    let answering = next.call(request);
    let response = links::below(Arc::clone(&prefix.0), answering).await?;
    Ok(response.map_into_boxed_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_the_path_are_taken_off() {
        let prefix = Prefix("/catalog".into());
        let strip = |uri: &str| {
            prefix
                .strip(&uri.parse().unwrap())
                .map(|uri| uri.to_string())
        };
        assert_eq!(strip("/catalog").as_deref(), Some("/"));
        assert_eq!(strip("/catalog/").as_deref(), Some("/"));
        assert_eq!(strip("/catalog?q=a").as_deref(), Some("/?q=a"));
        assert_eq!(
            strip("/catalog/assets/1?q=/catalog").as_deref(),
            Some("/assets/1?q=/catalog")
        );
        for other in ["/", "/catalogue", "/assets/1", "/a/catalog/b"] {
            assert_eq!(strip(other), None, "{other}");
        }
        assert!(
            Prefix::default()
                .strip(&"/assets".parse().unwrap())
                .is_none()
        );
    }

    #[test]
    fn a_path_that_is_the_sites_own_is_refused() {
        let prefix = |url: &str| Prefix::of(Some(&url.parse().unwrap()));
        assert!(prefix("https://host.example/catalog").is_ok());
        assert!(prefix("https://host.example").is_ok());
        assert_eq!(
            prefix("https://host.example/assets/here").unwrap_err(),
            "/assets/here"
        );
    }
}
