//! Sends one attempt, and tells what came back.

use std::{collections::BTreeMap, error::Error, sync::OnceLock, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, Response, redirect};
use tokio::time::Instant;

use super::{outbox::Outcome, signature};
use crate::api::{events::Event, webhooks::WebhookEndpoint};

/// How long a receiver may take, connecting included. Assumption: production's limit is not documented.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("workos-emulator/", env!("CARGO_PKG_VERSION"));

/// How much of a response's body is kept, in bytes.
const EXCERPT: usize = 4 * 1024;

/// How much of a response's body is read, so that its connection can be used again, in bytes.
const READ_AT_MOST: usize = 64 * 1024;

/// The HTTP client of all deliverers.
#[derive(Debug)]
pub(crate) struct Sender {
    timeout: Duration,
    /// Made when it is first needed: reading the system's certificates would delay every start.
    client: OnceLock<Client>,
}

impl Sender {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            client: OnceLock::new(),
        }
    }

    /// Sends `event` to `endpoint`, signed for the time `at`.
    ///
    /// `at` is real time, however the environment's clock was moved: receivers compare it with their own clocks.
    pub(crate) async fn send(&self, endpoint: &WebhookEndpoint, event: &Event, at: Timestamp) -> Outcome {
        let mut outcome = Outcome {
            request_url: endpoint.endpoint_url.clone(),
            ..Outcome::default()
        };
        let body = match serde_json::to_vec(&event.body()) {
            Ok(body) => body,
            Err(error) => {
                outcome.error = Some(error.to_string());
                return outcome;
            }
        };
        outcome.request_headers = BTreeMap::from([
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            (
                signature::HEADER.to_owned(),
                signature::sign(&endpoint.secret, at, &body),
            ),
        ]);
        // Not the environment's clock, which may stand still: this measures the receiver.
        let started = Instant::now();
        if let Err(error) = self.exchange(&mut outcome, body).await {
            outcome.error = Some(reasons(&error.without_url()));
        }
        outcome.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        outcome
    }

    async fn exchange(&self, outcome: &mut Outcome, body: Vec<u8>) -> Result<(), reqwest::Error> {
        let mut request = self.client()?.post(&outcome.request_url).body(body);
        for (name, value) in &outcome.request_headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        outcome.response_status = Some(response.status().as_u16());
        let excerpt = outcome.response_body.insert(String::new());
        read(response, excerpt).await
    }

    fn client(&self) -> Result<&Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .timeout(self.timeout)
            // A redirect is not 2xx: as in production it is a failed attempt.
            .redirect(redirect::Policy::none())
            // Receivers are mostly on this machine, where no proxy finds them.
            .no_proxy()
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// Reads a response to its end, or to a limit where the connection is then given up.
async fn read(mut response: Response, excerpt: &mut String) -> Result<(), reqwest::Error> {
    let mut kept = Vec::new();
    let mut length = 0;
    let mut outcome = Ok(());
    while length < READ_AT_MOST {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                length += chunk.len();
                let room = EXCERPT.saturating_sub(kept.len());
                kept.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            }
            Ok(None) => break,
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    String::from_utf8_lossy(&kept).as_ref().clone_into(excerpt);
    outcome
}

/// An error with all its causes: reqwest's own message does not say that the connection was refused.
pub(crate) fn reasons(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
