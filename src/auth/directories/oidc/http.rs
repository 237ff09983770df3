//! How the provider is spoken to: certificates of the system, no redirects, no long waits, no long answers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::redirect;
use url::Url;

use super::is_safe;
use crate::config::Problems;

/// How long the provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longer answers are not read.
const LONGEST: usize = 1024 * 1024;

/// Speaks to a provider.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
}

impl Http {
    pub(super) fn new(problems: &mut Problems) -> Option<Self> {
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .user_agent(concat!("gazetteer/", env!("CARGO_PKG_VERSION")))
            .build();
        match client {
            Ok(client) => Some(Self { client }),
            Err(unusable) => {
                problems.note(format!(
                    "No connection to an OpenID Connect provider can be made: {unusable}."
                ));
                None
            }
        }
    }

    /// Speaks to the provider because of a request, whose id goes along.
    pub(super) fn for_request<'a>(&'a self, id: &'a str) -> Speaking<'a> {
        Speaking { http: self, id }
    }
}

/// The client for the time of one request.
pub(super) struct Speaking<'a> {
    http: &'a Http,
    id: &'a str,
}

impl<'c> AsyncHttpClient<'c> for Speaking<'_> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Speaking<'_> {
    /// Reads what is at an address; whoever has a token shows it.
    pub(super) async fn get(&self, url: &Url, token: Option<&str>) -> Result<HttpResponse, Error> {
        let request = http::Request::get(url.as_str()).header("accept", "application/json");
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let request = request.body(Vec::new());
        self.send(request.map_err(|_unwritten| Error::BadAddress)?)
            .await
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_unread| Error::BadAddress)?;
        // The provider names its addresses itself, and may name one in the open.
        if !is_safe(&url) {
            return Err(Error::InTheOpen);
        }
        let mut response = self
            .http
            .client
            .request(parts.method, url)
            .headers(parts.headers)
            .header("x-request-id", self.id)
            .body(body)
            .send()
            .await?;
        let mut answer = HttpResponse::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        while let Some(chunk) = response.chunk().await? {
            if answer.body().len() + chunk.len() > LONGEST {
                return Err(Error::TooLong);
            }
            answer.body_mut().extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

/// Why the provider's answer did not come.
#[derive(Debug)]
pub(super) enum Error {
    BadAddress,
    InTheOpen,
    TooLong,
    Request(reqwest::Error),
}

impl From<reqwest::Error> for Error {
    fn from(cause: reqwest::Error) -> Self {
        // Addresses can hold secrets.
        Self::Request(cause.without_url())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAddress => "it names an address that cannot be read",
            Self::InTheOpen => "it names an address without encryption",
            Self::TooLong => "its answer is too long",
            Self::Request(_) => "the request was not answered",
        })
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Request(cause) => Some(cause),
            Self::BadAddress | Self::InTheOpen | Self::TooLong => None,
        }
    }
}
