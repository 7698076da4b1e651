//! Waiting for what an app does: events that happen, and webhooks that reach it.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use serde_json::Value;

use super::{EmulatedEnvironment, EmulatorError};
use crate::{
    api::events::Event,
    store::State,
    webhooks::{
        outbox::{self, BY_EVENT},
        wait_for_delivery, wait_for_event,
    },
};

/// How long is waited, in real time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An event that happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EmittedEvent {
    /// `event_…`
    pub id: String,
    /// The name: `user.created`.
    pub event: String,
    /// What it is about, as webhooks and `GET /events` show it.
    pub data: Value,
    /// Who did it, and what was before, where the event says so.
    pub context: Option<Value>,
}

/// The events of an environment, whether or not anybody is told.
#[derive(Debug, Clone)]
pub struct Events {
    environment: EmulatedEnvironment,
    /// The id of the last one that was returned, by name.
    returned: HashMap<String, String>,
}

/// The webhooks of an environment that their receivers have accepted.
#[derive(Debug, Clone)]
pub struct Webhooks {
    environment: EmulatedEnvironment,
    /// The id of the last delivery that was returned, by event name.
    returned: HashMap<String, String>,
}

impl Events {
    pub(super) fn new(environment: EmulatedEnvironment) -> Self {
        Self {
            environment,
            returned: HashMap::new(),
        }
    }

    /// The first event of this name, which may have happened already; from the same `Events`, each call returns the
    /// next one. It is waited for five seconds of real time.
    ///
    /// # Errors
    /// When no such event happens in this time.
    pub async fn expect(&mut self, name: &str) -> Result<EmittedEvent, EmulatorError> {
        let environment = Arc::clone(&self.environment.inner);
        let (wanted, after) = (name.to_owned(), self.returned.get(name).cloned());
        let waiting = async move { wait_for_event(&environment, &wanted, after.as_deref(), TIMEOUT).await };
        match self.environment.run(waiting).await? {
            Some(event) => {
                self.returned.insert(name.to_owned(), event.id.clone());
                Ok(emitted(&event))
            }
            None => Err(EmulatorError::TimedOut {
                what: format!("event {name}"),
                waited: TIMEOUT,
                instead: happened(&self.environment.inner.state()),
            }),
        }
    }
}

impl Webhooks {
    pub(super) fn new(environment: EmulatedEnvironment) -> Self {
        Self {
            environment,
            returned: HashMap::new(),
        }
    }

    /// The first webhook for an event of this name that a receiver answered with 2xx, which may have been before; from
    /// the same `Webhooks`, each call returns the next one. It is waited for five seconds of real time.
    ///
    /// # Errors
    /// When no such webhook is accepted in this time.
    pub async fn expect(&mut self, name: &str) -> Result<EmittedEvent, EmulatorError> {
        let environment = Arc::clone(&self.environment.inner);
        let (wanted, after) = (name.to_owned(), self.returned.get(name).cloned());
        let waiting =
            async move { wait_for_delivery(&environment, &wanted, after.as_deref(), TIMEOUT).await };
        let delivery = self.environment.run(waiting).await?;
        let state = self.environment.inner.state();
        let event = delivery.as_ref().and_then(|delivery| {
            self.returned.insert(name.to_owned(), delivery.id.clone());
            state.events.get(&delivery.event_id)
        });
        event
            .map(|event| emitted(event))
            .ok_or_else(|| EmulatorError::TimedOut {
                what: format!("webhook for {name} was accepted"),
                waited: TIMEOUT,
                instead: undelivered(&state, name),
            })
    }
}

impl EmulatedEnvironment {
    /// Runs in the emulator's own runtime, so that the caller's needs no timers.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        waiting: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, EmulatorError> {
        let stopped = |error| io::Error::other(format!("the emulator was stopped: {error}"));
        Ok(self.runtime.spawn(waiting).await.map_err(stopped)?)
    }
}

fn emitted(event: &Event) -> EmittedEvent {
    EmittedEvent {
        id: event.id.clone(),
        event: event.event.clone(),
        data: serde_json::from_str(event.data.get()).unwrap_or_default(),
        context: event
            .context
            .as_ref()
            .and_then(|context| serde_json::from_str(context.get()).ok()),
    }
}

fn happened(state: &State) -> String {
    let mut names: Vec<_> = state.events.iter().map(|event| event.event.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        "no events have happened in this environment".to_owned()
    } else {
        format!("the events that happened are {}", names.join(", "))
    }
}

fn undelivered(state: &State, name: &str) -> String {
    if state.webhook_endpoints.len() == 0 {
        return "no webhook endpoint is registered: do so with POST /webhook_endpoints, or webhookEndpoints in the seed"
            .to_owned();
    }
    let Some(delivery) = state.deliveries.group(BY_EVENT, name).last() else {
        return format!("no endpoint was to be told of such an event; {}", happened(state));
    };
    let attempt = outbox::attempts(state, &delivery.id).last();
    let answer = attempt.map(
        |attempt| match (&attempt.outcome.error, attempt.outcome.response_status) {
            (Some(error), _) => error.clone(),
            (None, Some(status)) => format!("the receiver answered {status}"),
            (None, None) => "the receiver did not answer".to_owned(),
        },
    );
    answer.unwrap_or_else(|| "it was not sent yet".to_owned())
}
