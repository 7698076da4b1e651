//! Whatever is made, changed and deleted in whatever order: no row is left that names a thing which is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    environment::Environment,
    server::{call::Call, error::ApiError, operation::Handler, reply::Reply, routes::Routes},
};

/// What the environment remembers although it is over: what happened, who was told, and what sessions were exchanged for.
const HISTORY: [&str; 5] = ["events", "deliveries", "attempts", "messages", "refresh_tokens"];

/// Sign-ins in progress: they end by themselves within minutes, and look again at all that they name when they go on.
const IN_PROGRESS: [&str; 8] = [
    "sso_sessions",
    "sso_logouts",
    "idp_grants",
    "authorization_sessions",
    "authorization_codes",
    "device_authorizations",
    "impersonations",
    "pending_authentications",
];

/// A certificate of an identity provider. Its key is known to nobody.
const IDP_CERTIFICATE: &str = concat!(
    r#"{"value": ""#,
    r"-----BEGIN CERTIFICATE-----\n",
    r"MIIBiTCCAS+gAwIBAgIUdXxQe3ja1idHc0kF2wcixTy2wBAwCgYIKoZIzj0EAwIw\n",
    r"GjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUuY29tMB4XDTI2MTEyNTE0MzkxOFoXDTI3\n",
    r"MTEyNTE0MzkxOFowGjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUuY29tMFkwEwYHKoZI\n",
    r"zj0CAQYIKoZIzj0DAQcDQgAEjsd+EOGKoTVKOPhRfV4PMV5NZTGeUlz9iaJ8Br1t\n",
    r"OJVHwYVPXA5rX5oAEaoyNm2EJABqT+p5u162BWLXIpW0kKNTMFEwHQYDVR0OBBYE\n",
    r"FE6sl2bG4SX+wHL7xvsf0ArOCXYPMB8GA1UdIwQYMBaAFE6sl2bG4SX+wHL7xvsf\n",
    r"0ArOCXYPMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAJsuusia\n",
    r"XQ/GgV2VH6EeOmF3hDvJiwnAbFO5NU29ecvnAiBnbR/sdNh8pSH011jJ1U0KvyIr\n",
    r"RaB7rz8cNLtZwKLVug==\n",
    r"-----END CERTIFICATE-----\n",
    r#""}"#
);

/// A call: method, path and body. `{users}` in either is the id of a row of that table, `{new}` a word that was not used.
type Step = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const STEPS: &[Step] = &[
    ("POST", "/user_management/users", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/user_management/password_reset", r#"{"email": "{users.email}"}"#),
    ("POST", "/organizations", r#"{"name": "{new}"}"#),
    ("POST", "/user_management/organization_memberships", r#"{"user_id": "{users}", "organization_id": "{organizations}"}"#),
    ("POST", "/user_management/organization_memberships", r#"{"user_id": "{users}", "organization_id": "{organizations}", "role_slug": "{roles.slug}"}"#),
    ("PUT", "/user_management/organization_memberships/{organization_memberships}/deactivate", ""),
    ("PUT", "/user_management/organization_memberships/{organization_memberships}/reactivate", ""),
    ("POST", "/_emulate/sign_in", r#"{"user_id": "{users}"}"#),
    ("POST", "/_emulate/sign_in", r#"{"user_id": "{users}", "organization_id": "{organizations}"}"#),
    ("POST", "/_emulate/impersonations", r#"{"user_id": "{users}", "impersonator_email": "help@example.com", "reason": "r", "redirect_uri": "http://localhost/callback"}"#),
    ("POST", "/user_management/authorize/device", r#"{"client_id": "client_x"}"#),
    ("POST", "/authorization/permissions", r#"{"slug": "{new}", "name": "P"}"#),
    ("POST", "/authorization/roles", r#"{"slug": "{new}", "name": "R"}"#),
    ("POST", "/authorization/organizations/{organizations}/roles", r#"{"slug": "org-{new}", "name": "R"}"#),
    ("POST", "/authorization/organizations/{organizations}/roles/{roles.slug}/permissions", r#"{"slug": "{permissions.slug}"}"#),
    ("POST", "/organizations/{organizations}/groups", r#"{"name": "{new}"}"#),
    ("POST", "/organizations/{organizations}/groups/{groups}/organization-memberships", r#"{"organization_membership_id": "{organization_memberships}"}"#),
    ("POST", "/organizations/{organizations}/api_keys", r#"{"name": "K"}"#),
    ("POST", "/user_management/users/{users}/api_keys", r#"{"name": "K", "organization_id": "{organizations}"}"#),
    ("POST", "/_emulate/connections", r#"{"organization_id": "{organizations}", "connection_type": "OktaSAML", "domains": ["{new}.example"], "profiles": [{"email": "ada@{new}.example"}]}"#),
    ("POST", "/_emulate/connections/{connections}/profiles", r#"{"email": "{new}@example.com"}"#),
    ("POST", "/connections/{connections}/saml_idp_signing_certs", IDP_CERTIFICATE),
    ("POST", "/_emulate/feature_flags", r#"{"slug": "{new}"}"#),
    ("POST", "/feature-flags/{feature_flags.slug}/targets/{users}", ""),
    ("POST", "/feature-flags/{feature_flags.slug}/targets/{organizations}", ""),
    ("PATCH", "/_emulate/organizations/{organizations}", r#"{"entitlements": ["audit"]}"#),

    ("DELETE", "/user_management/users/{users}", ""),
    ("DELETE", "/organizations/{organizations}", ""),
    ("DELETE", "/user_management/organization_memberships/{organization_memberships}", ""),
    ("DELETE", "/organizations/{organizations}/groups/{groups}", ""),
    ("DELETE", "/authorization/permissions/{permissions.slug}", ""),
    ("DELETE", "/authorization/organizations/{organizations}/roles/{roles.slug}", ""),
    ("DELETE", "/connections/{connections}", ""),
    ("DELETE", "/api_keys/{api_keys}", ""),
    ("DELETE", "/_emulate/feature_flags/{feature_flags.slug}", ""),
];

struct World {
    environment: Arc<Environment>,
    routes: Routes,
    words: usize,
}

impl World {
    fn new() -> Self {
        Self {
            environment: Arc::new(Environment::for_tests()),
            routes: Routes::new(),
            words: 0,
        }
    }

    /// The rows of every table.
    fn rows(&self) -> BTreeMap<String, Vec<Value>> {
        let dump = self.environment.state().dump();
        let tables = dump.as_object().unwrap().iter();
        tables
            .filter_map(|(name, table)| {
                let rows = table.get(0)?.as_array()?.iter().map(|row| row[1].clone());
                Some((name.clone(), rows.collect()))
            })
            .collect()
    }

    /// Makes a step with some of the things that are there. Whether it succeeded.
    fn step(&mut self, (method, path, body): Step, pick: usize) -> bool {
        let rows = self.rows();
        self.words += 1;
        let word = format!("w{}", self.words);
        let Some(path) = fill(path, &rows, &word, pick) else {
            return false;
        };
        let Some(body) = fill(body, &rows, &word, pick) else {
            return false;
        };
        let body = if body.is_empty() {
            json!({})
        } else {
            serde_json::from_str(&body).unwrap()
        };
        let answer = self.call(method, &path, body);
        let status = answer.map_or_else(|refusal| refusal.status, |reply| reply.status);
        assert!(status < 500, "{method} {path}: {status}");
        status < 400
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Result<Reply, ApiError> {
        let (operations, values) = self.routes.operations(path).unwrap();
        let operation = operations.iter().find(|one| one.method == method).unwrap();
        let names = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let params: Vec<_> = names.zip(values.iter().map(String::as_str)).collect();
        let call = Call::for_tests(&self.environment, &params, "", body);
        match operation.handler {
            Handler::Quick(handler) | Handler::Slow(handler) => handler(&call),
            Handler::Waiting(_) => panic!("{path} waits"),
            Handler::NotBuilt => panic!("{path} is not built"),
        }
    }

    /// Every id that a row names, and that no row has.
    fn dangling(&self) -> BTreeSet<String> {
        let rows = self.rows();
        let mut there = BTreeSet::new();
        let mut named = Vec::new();
        for (table, rows) in &rows {
            for row in rows {
                there.extend(row["id"].as_str());
                let ended = table == "sessions" && row["status"] == "revoked";
                if ended {
                    named.push((table, row["user_id"].as_str().unwrap().to_owned()));
                } else if ![&HISTORY, &IN_PROGRESS]
                    .iter()
                    .any(|tables| tables.contains(&table.as_str()))
                {
                    visit(row, &mut |text| named.push((table, text.to_owned())));
                }
            }
        }
        named
            .into_iter()
            .filter(|(_, id)| is_id(id) && !there.contains(id.as_str()))
            .map(|(table, id)| format!("{table}: {id}"))
            .collect()
    }
}

/// Puts things of the world in place of their names.
fn fill(template: &str, rows: &BTreeMap<String, Vec<Value>>, word: &str, pick: usize) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    let mut pick = pick;
    while let Some((before, name, after)) = placeholder(rest) {
        filled.push_str(before);
        if name == "new" {
            filled.push_str(word);
        } else {
            let (table, member) = name.split_once('.').unwrap_or((name, "id"));
            let rows = rows.get(table).unwrap_or_else(|| panic!("no table {table}"));
            filled.push_str(rows.get(pick.checked_rem(rows.len())?)?[member].as_str().unwrap());
            pick /= 3;
        }
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// The first `{name}`, with what is before and behind it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in text.match_indices('{') {
        let (name, after) = text[at + 1..].split_once('}')?;
        if !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte))
        {
            return Some((&text[..at], name, after));
        }
    }
    None
}

fn visit(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(values) => values.iter().for_each(|value| visit(value, found)),
        Value::Object(members) => members.values().for_each(|value| visit(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `prefix_` and a ULID; the environment and its client are no rows.
fn is_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(prefix, ulid)| {
        ulid.len() == 26
            && ulid
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            && !["environment", "client"].contains(&prefix)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_left_that_names_what_is_gone(steps in vec((0..STEPS.len(), 0..10_000_usize), 1..80)) {
        let mut world = World::new();
        for (step, pick) in steps {
            world.step(STEPS[step], pick);
            prop_assert_eq!(world.dangling(), BTreeSet::new(), "after {:?}", STEPS[step]);
        }
        // Without people and organizations, nothing of theirs is left.
        for (table, path) in [("users", "/user_management/users"), ("organizations", "/organizations")] {
            for row in &world.rows()[table] {
                world.call("DELETE", &format!("{path}/{}", row["id"].as_str().unwrap()), json!({})).unwrap();
            }
        }
        prop_assert_eq!(world.dangling(), BTreeSet::new(), "at the end");
    }
}

/// The property is about something: in a small world where everything was made, each step succeeds with some of its things.
#[test]
fn every_step_succeeds_with_some_things() {
    for step in STEPS {
        let mut world = World::new();
        for pick in 0..3 {
            for making in STEPS.iter().filter(|(method, _, _)| *method != "DELETE") {
                world.step(*making, pick);
            }
        }
        assert!(
            (0..300).any(|pick| world.step(*step, pick)),
            "never succeeded: {step:?}"
        );
    }
}
