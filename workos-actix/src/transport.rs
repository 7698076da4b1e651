//! The SDK's requests, sent by our HTTP client.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use workos::transport::{HttpRequest, HttpResponse, HttpTransport, TransportError};

use crate::token::jwks::KeySource;
#[cfg(feature = "testing")]
use crate::{clock::Clock, testing};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest a call to WorkOS takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Which WorkOS it is.
pub(crate) enum WorkOs {
    Network(reqwest::Client),
    /// The one of the module `testing`.
    #[cfg(feature = "testing")]
    InMemory(Arc<dyn Clock>),
}

impl WorkOs {
    /// For the SDK.
    pub(crate) fn transport(&self) -> Arc<dyn HttpTransport> {
        match self {
            Self::Network(http) => Arc::new(ReqwestTransport(http.clone())),
            #[cfg(feature = "testing")]
            Self::InMemory(clock) => Arc::new(testing::InMemoryTransport::new(Arc::clone(clock))),
        }
    }

    /// The keys that it publishes.
    pub(crate) fn keys(&self, url: String) -> KeySource {
        match self {
            Self::Network(http) => KeySource::Url {
                url,
                http: http.clone(),
            },
            #[cfg(feature = "testing")]
            Self::InMemory(_) => KeySource::Known(testing::key_set()),
        }
    }
}

/// One connection pool for all calls to WorkOS: the SDK's and the key set's. Never follows a redirect with our API key.
pub(crate) fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("workos-actix/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// [`HttpTransport`] over `reqwest` 0.13, whose TLS needs no second crypto library beside `aws-lc-rs`.
struct ReqwestTransport(reqwest::Client);

impl HttpTransport for ReqwestTransport {
    fn execute<'this, 'future>(
        &'this self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let mut builder = self
                .0
                .request(request.method, &request.url)
                .headers(request.headers);
            if let Some(body) = request.body {
                builder = builder.body(body);
            }
            let response = builder.send().await.map_err(transport_error)?;
            Ok(HttpResponse {
                status: response.status(),
                headers: response.headers().clone(),
                body: response.bytes().await.map_err(transport_error)?,
            })
        })
    }
}

/// Without the URL: logout URLs name sessions.
fn transport_error(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::connect(error)
    } else if error.is_timeout() {
        TransportError::timeout(error)
    } else {
        TransportError::other(error)
    }
}
