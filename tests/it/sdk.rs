//! The official `workos` SDK as a client of an emulator.

use std::sync::Arc;

use actix_web::web::Bytes;
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use workos::{
    ApiError, Client, Error, SecretString,
    transport::{HttpRequest, HttpResponse, HttpTransport, TransportError},
};
use workos_emulator::EmulatedEnvironment;

use crate::http;

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
pub(crate) fn client(environment: &EmulatedEnvironment) -> Client {
    with_api_key(environment, &environment.api_key())
}

/// The same with another API key.
pub(crate) fn with_api_key(environment: &EmulatedEnvironment, api_key: &str) -> Client {
    Client::builder()
        .api_key(api_key)
        .client_id(environment.client_id())
        .base_url(environment.url())
        .max_retries(0)
        .transport(Arc::new(Transport(http::client())))
        .build()
}

/// The API's refusal.
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>) -> ApiError {
    match outcome.unwrap_err() {
        Error::Api(error) => *error,
        other => panic!("not an answer of the API: {other}"),
    }
}

/// The status and the code of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (u16, String) {
    let error = refused(outcome);
    (error.status, error.code.unwrap_or(error.message))
}

/// The claims of an access token, unverified.
pub(crate) fn claims(access_token: &SecretString) -> Value {
    let payload = access_token.expose().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
