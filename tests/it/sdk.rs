//! The official `workos` SDK as a client of an emulator.

use std::sync::Arc;

use actix_web::web::Bytes;
use async_trait::async_trait;
use workos::{
    Client, Error,
    transport::{HttpRequest, HttpResponse, HttpTransport, TransportError},
};
use workos_emulator::Emulator;

/// Carries the SDK's requests.
struct Transport(reqwest::Client);

#[async_trait]
impl HttpTransport for Transport {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut outgoing = self
            .0
            .request(request.method, request.url)
            .headers(request.headers);
        if let Some(body) = request.body {
            outgoing = outgoing.body(body);
        }
        let response = outgoing.send().await.map_err(TransportError::connect)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body: Bytes = response.bytes().await.map_err(TransportError::other)?;
        Ok(HttpResponse {
            status,
            headers,
            body,
        })
    }
}

/// The SDK, set up as an app's back end would set it up.
pub(crate) fn client(emulator: &Emulator) -> Client {
    with_api_key(emulator, "sk_test_default")
}

/// The same with another API key.
pub(crate) fn with_api_key(emulator: &Emulator, api_key: &str) -> Client {
    Client::builder()
        .api_key(api_key)
        .client_id("client_emulate")
        .base_url(emulator.url())
        .max_retries(0)
        .transport(Arc::new(Transport(reqwest::Client::builder().build().unwrap())))
        .build()
}

/// The status and the code of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (u16, String) {
    match outcome.unwrap_err() {
        Error::Api(error) => (error.status, error.code.unwrap_or(error.message)),
        other => panic!("not an answer of the API: {other}"),
    }
}
