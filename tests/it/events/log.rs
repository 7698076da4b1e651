//! What is told of each change: once, in order, in the right shape, to the list and to webhooks alike, and without a secret.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Map, Value};
use workos_emulator::EmulatedEnvironment;

use super::shapes::{self, CATALOGUE, is_subscribable};
use crate::{http::call, mfa, receiver::Receiver};

/// A request, and what it is to cause. `{ada.id}` in path and body stands for a member of an answer that was kept,
/// `{code:ada@example.com}` for the code that was sent there last, `{totp:….uri}` for what an authenticator app shows.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) request: &'static str,
    pub(super) body: &'static str,
    pub(super) status: u16,
    pub(super) events: &'static [&'static str],
    /// The name by which the answer is kept.
    pub(super) kept: &'static str,
}

/// The members of bodies that are secret: of requests and of answers.
const SECRETS: [&str; 15] = [
    "access_token",
    "code",
    "html",
    "new_password",
    "password",
    "password_reset_token",
    "password_reset_url",
    "pending_authentication_token",
    "qr_code",
    "refresh_token",
    "secret",
    "token",
    "uri",
    "url",
    "value",
];

/// The events of an environment, read after each change.
pub(super) struct Log {
    environment: EmulatedEnvironment,
    receiver: Receiver,
    /// The last event before it began.
    before: Option<String>,
    kept: BTreeMap<&'static str, Value>,
    events: Vec<Value>,
    secrets: BTreeSet<String>,
}

impl Log {
    /// Begins with what happens from now on.
    pub(super) async fn start(environment: &EmulatedEnvironment) -> Self {
        let names: Vec<_> = CATALOGUE
            .iter()
            .map(|event| event.name)
            .filter(|name| is_subscribable(name))
            .collect();
        let (_, last) = call(
            environment,
            Method::GET,
            "/events?limit=1&order=desc",
            &Value::Null,
        )
        .await;
        Self {
            environment: environment.clone(),
            receiver: Receiver::start(environment, &names).await,
            before: last["data"][0]["id"].as_str().map(str::to_owned),
            kept: BTreeMap::new(),
            events: Vec::new(),
            secrets: BTreeSet::new(),
        }
    }

    /// Makes a change, and sees what is told of it.
    pub(super) async fn make(&mut self, row: &Row) {
        let (method, path) = row.request.split_once(' ').unwrap();
        let path = self.fill(path);
        let mut body: Value = match row.body {
            "" => Value::Null,
            body => serde_json::from_str(&self.fill(body)).unwrap(),
        };
        if path == "/user_management/authenticate" {
            let client = [
                ("client_id", "client_emulate"),
                ("client_secret", "sk_test_default"),
                ("ip_address", "192.0.2.1"),
                ("user_agent", "test"),
            ];
            for (name, value) in client {
                body[name] = value.into();
            }
        }
        self.remember_secrets(&body);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (status, answer) = call(&self.environment, method, &path, &body).await;
        assert_eq!(status, row.status, "{} {body}: {answer}", row.request);
        self.remember_secrets(&answer);
        if !row.kept.is_empty() {
            self.kept.insert(row.kept, answer);
        }
        self.sees(row.events, row.request).await;
    }

    /// These events have happened since the last look, and no others.
    pub(super) async fn sees(&mut self, names: &[&str], cause: &str) {
        let after = self.events.last().map(|event| event["id"].as_str().unwrap());
        let after = after.or(self.before.as_deref()).map(|id| format!("&after={id}"));
        let path = format!("/events?limit=100{}", after.unwrap_or_default());
        let (_, list) = call(&self.environment, Method::GET, &path, &Value::Null).await;
        let new = list["data"].as_array().unwrap().clone();
        let happened: Vec<_> = new.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(happened, names, "{cause}");
        for event in &new {
            assert_eq!(event["object"], "event");
            assert!(event["id"].as_str().unwrap().starts_with("event_"));
            shapes::check(event);
        }
        self.events.extend(new);
    }

    /// All has been told by webhook too, under the same ids, and no secret was. Gives the names of the events.
    pub(super) async fn finish(mut self) -> BTreeSet<String> {
        let (_, messages) = call(
            &self.environment,
            Method::GET,
            "/_emulate/mailbox?limit=100",
            &Value::Null,
        )
        .await;
        self.remember_secrets(&messages);
        let name = |event: &Value| event["event"].as_str().unwrap().to_owned();
        let sent: Vec<_> = self
            .events
            .iter()
            .filter(|event| is_subscribable(&name(event)))
            .collect();
        let arrivals = self.receiver.arrived(sent.len()).await;
        let arrived: Vec<_> = arrivals.iter().map(crate::receiver::Arrival::event).collect();
        assert_eq!(arrived.iter().collect::<Vec<_>>(), sent);
        for event in &self.events {
            no_secret(event, &self.secrets);
        }
        self.events.iter().map(name).collect()
    }

    fn fill(&self, template: &str) -> String {
        let mut parts = template.split('{');
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            // Braces of JSON have no name in them.
            match part.split_once('}') {
                Some((name, rest)) if !name.is_empty() && !name.contains(['"', ' ']) => {
                    filled.push_str(&self.value(name));
                    filled.push_str(rest);
                }
                _ => {
                    filled.push('{');
                    filled.push_str(part);
                }
            }
        }
        filled
    }

    fn value(&self, name: &str) -> String {
        match name.split_once(':') {
            Some(("code", address)) => {
                let mail = self.environment.mailbox().last_to(address).unwrap();
                mail.code().unwrap().to_owned()
            }
            Some(("totp", uri)) => mfa::shown(&self.value(uri), &self.environment.clock()),
            _ => {
                let (kept, member) = name.split_once('.').unwrap();
                let pointer = format!("/{}", member.replace('.', "/"));
                let value = self.kept[kept].pointer(&pointer);
                let value = value.unwrap_or_else(|| panic!("{name}: {}", self.kept[kept]));
                value.as_str().unwrap().to_owned()
            }
        }
    }

    fn remember_secrets(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.remember_secrets(value)),
            Value::Object(members) => self.remember_members(members),
            _ => {}
        }
    }

    fn remember_members(&mut self, members: &Map<String, Value>) {
        // The code of a refusal opens nothing.
        let is_refusal = members.contains_key("message");
        for (name, value) in members {
            let is_secret = SECRETS.contains(&name.as_str()) && !(is_refusal && name == "code");
            match value.as_str() {
                Some(text) if is_secret && text.len() > 3 => {
                    self.secrets.insert(text.to_owned());
                }
                Some(_) => {}
                None => self.remember_secrets(value),
            }
        }
    }
}

/// A short secret is no whole text of the event, and a long one stands in none.
fn no_secret(value: &Value, secrets: &BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| no_secret(value, secrets)),
        Value::Object(members) => members.values().for_each(|value| no_secret(value, secrets)),
        Value::String(text) => {
            let found = secrets
                .iter()
                .find(|secret| text == *secret || (secret.len() > 9 && text.contains(secret.as_str())));
            assert_eq!(found, None, "stands in an event");
        }
        _ => {}
    }
}
