//! How requests reach AWS: through the SDK's own HTTP client, which reads no answer further than a bound.
//!
//! That holds for every answer, so for those about credentials as well. What is read of Glue's own is bounded more
//! closely, by [`answer`](super::answer).

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

/// A client that reads at most so many bytes of each answer.
pub(super) fn client(most: usize) -> SharedHttpClient {
    let client = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    http_client_fn(move |settings, components| {
        let inner = client.http_connector(settings, components);
        SharedHttpConnector::new(Bounded { inner, most })
    })
}

#[derive(Debug)]
struct Bounded {
    inner: SharedHttpConnector,
    most: usize,
}

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.inner.call(request);
        let most = self.most;
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            Ok(answer.map(|body| SdkBody::from_body_1_x(Limited::new(body, most))))
        })
    }
}
