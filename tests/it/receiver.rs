//! A receiver of webhooks on loopback: an Actix app with `workos_actix::Webhook`, registered with the SDK.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{StatusCode, header::HeaderMap},
    middleware::{Next, from_fn},
    web,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use workos::{WebhookEndpoint, webhooks::CreateWebhookEndpointParams};
use workos_actix::{Clock, SystemClock, Webhook, WebhookConfig};
use workos_emulator::EmulatedEnvironment;

use crate::{events, http, sdk, server};

/// The real time, which webhooks are signed with, and so many seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaterClock(Arc<AtomicU64>);

impl LaterClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for LaterClock {
    fn now(&self) -> SystemTime {
        SystemClock.now() + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// One request that arrived, and how it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) status: StatusCode,
}

impl Arrival {
    pub(crate) fn signature(&self) -> &str {
        self.headers.get("workos-signature").unwrap().to_str().unwrap()
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) struct Receiver {
    pub(crate) endpoint: WebhookEndpoint,
    /// The receiver's time.
    pub(crate) clock: LaterClock,
    shared: Shared,
}

#[derive(Clone, Default)]
struct Shared {
    arrivals: watch::Sender<Vec<Arrival>>,
    /// Statuses with which the next verified webhooks are answered.
    failures: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    /// Registers an endpoint for these events, and receives them.
    pub(crate) async fn start(environment: &EmulatedEnvironment, events: &[&str]) -> Self {
        let (listener, url) = server::listen();
        let endpoint_url = format!("{url}/webhooks");
        let new = serde_json::from_value(json!({"endpoint_url": endpoint_url, "events": events})).unwrap();
        let endpoint = sdk::client(environment)
            .webhooks()
            .create_webhook_endpoint(CreateWebhookEndpointParams::new(new))
            .await
            .unwrap();
        let receiver = Self {
            clock: LaterClock::default(),
            shared: Shared::default(),
            endpoint,
        };
        let config = WebhookConfig::new(receiver.endpoint.secret.expose()).clock(receiver.clock.clone());
        let shared = receiver.shared.clone();
        server::serve(listener, 1, move || {
            App::new()
                .app_data(config.clone())
                .app_data(web::Data::new(shared.clone()))
                .wrap(from_fn(record))
                .route("/webhooks", web::post().to(receive))
        });
        receiver
    }

    pub(crate) fn fail_next(&self, statuses: impl IntoIterator<Item = u16>) {
        self.shared.failures.lock().unwrap().extend(statuses);
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.shared.arrivals.borrow().clone()
    }

    /// Waits until so many requests have arrived in all, and returns them. Each event of WorkOS has a type.
    pub(crate) async fn arrived(&self, number: usize) -> Vec<Arrival> {
        let mut arrivals = self.shared.arrivals.subscribe();
        let arrivals = arrivals.wait_for(|arrivals| arrivals.len() >= number).await;
        let arrivals = arrivals.unwrap().clone();
        for arrival in arrivals.iter().filter(|arrival| arrival.status == 200) {
            events::typed(&serde_json::from_str(&arrival.body).unwrap());
        }
        arrivals
    }

    /// Sends a request of our own; returns the status and the code of the refusal.
    pub(crate) async fn send(&self, signature: Option<&str>, body: &str) -> (u16, Value) {
        let request = http::client()
            .post(&self.endpoint.endpoint_url)
            .body(body.to_owned());
        let request = match signature {
            Some(signature) => request.header("WorkOS-Signature", signature),
            None => request,
        };
        let (status, answer) = http::answer(request).await;
        (status, answer["code"].clone())
    }
}

async fn receive(_webhook: Webhook, shared: web::Data<Shared>) -> HttpResponse {
    let status = shared.failures.lock().unwrap().pop_front().unwrap_or(200);
    HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish()
}

/// Keeps what arrived, as it came.
async fn record(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let headers = request.headers().clone();
    let body = request.extract::<web::Bytes>().await?;
    request.set_payload(Payload::from(body.clone()));
    let shared = request.app_data::<web::Data<Shared>>().unwrap().clone();
    let response = next.call(request).await?;
    let arrival = Arrival {
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
        status: response.status(),
    };
    shared.arrivals.send_modify(|arrivals| arrivals.push(arrival));
    Ok(response)
}
