//! Whatever a stranger sends to whichever operation: it is answered, nothing panics, and the state stays sound.

use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use proptest::{collection::vec, prelude::*, test_runner::RngAlgorithm};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    call::Call,
    operation::{Handler, Operation},
    routes::Routes,
};
use crate::{
    api::user_management::authenticate::fixture::{
        API_KEY, CLIENT_ID, EMAIL, Fixture, PASSWORD, REDIRECT_URI,
    },
    environment::Environment,
};

/// What operations look for in bodies and queries.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "after", "allowed_auth_methods", "authentication_challenge_id", "authentication_factor_id", "authorization_session_id",
    "before", "branding", "client_id", "client_secret", "code", "code_challenge", "code_challenge_method", "code_verifier",
    "credential", "data", "decision", "description", "device_code", "domain_data", "domains", "email", "email_verified",
    "enabled", "events", "expires_at", "external_id", "first_name", "grant_type", "impersonator_email", "intent", "ip_address",
    "last_name", "limit", "locale", "login_hint", "max_age", "metadata", "mfa", "name", "new_email", "new_password", "nonce",
    "order", "organization_id", "organization_membership_id", "password", "password_hash", "password_hash_type",
    "pending_authentication_token", "permissions", "phone_number", "post_logout_redirect_uri", "prompt", "provider",
    "provider_scopes", "reason", "redirect_uri", "redirect_uris", "refresh_token", "resource", "response_type", "return_to",
    "role_slug", "role_slugs", "roles", "scope", "scopes", "screen_hint", "session_id", "settings", "sign_in_methods", "slug",
    "state", "status", "token", "totp_issuer", "totp_secret", "totp_user", "type", "uri", "url", "user", "user_agent",
    "user_code", "user_id", "value", "verified",
];

/// Names of members whose values no answer repeats.
const SECRET: &[&str] = &[
    "client_secret",
    "new_password",
    "password",
    "password_hash",
    "refresh_token",
];
const MARK: &str = "s3cret-lighthouse-mark";

#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "", " ", "x", "-1", "0", "1e309", "true", "null", "../../etc/passwd", "%00%0d%0aSet-Cookie:a=b", "\r\nLocation: https://evil.example",
    "\u{0}", "\u{202e}drowssap", "مرحبا بالعالم", "👩‍👩‍👧‍👧", "e\u{301}\u{301}\u{301}", "<script>alert(1)</script>", "\"><img src=x>", "{{ 7*7 }}",
    "{% include \"x\" %}", "' OR 1=1 --", "javascript:alert(1)", "//evil.example", "https://evil.example/", "http://localhost:3000/callback",
    "http://user:pass@localhost/", "data:image/png;base64,AAAA", "#ffffff", "name@example.com", "a@b", "@", "name@mailinator.com",
    "+15005550006", "2026-01-15T12:00:00Z", "9999-12-31T23:59:59Z", "-009999-01-01T00:00:00Z", "9223372036854775807", "18446744073709551616",
    "totp", "sms", "en-US", "asc", "desc", "normal", "authkit", "GoogleOAuth", "GitHubOAuth", "always", "sign-up", "none", "login", "consent",
    "bcrypt", "$2a$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "code", "S256", "openid profile email offline_access",
    "authorization_code", "refresh_token", "client_credentials", "password", "urn:workos:oauth:grant-type:magic-auth:code",
    "urn:workos:oauth:grant-type:email-verification:code", "urn:workos:oauth:grant-type:mfa-totp", "urn:workos:oauth:grant-type:organization-selection",
    "urn:ietf:params:oauth:grant-type:device_code", "send", "deny", "approve", "later", "BCDF-GHJK", "000000", CLIENT_ID, EMAIL, PASSWORD, REDIRECT_URI, API_KEY,
];

/// A value, before the world says which things there are.
#[derive(Debug, Clone)]
enum Given {
    Text(usize),
    /// The id of something, or another of its texts.
    Row(usize),
    Long(usize),
    Json(Value),
    Many(Vec<Self>),
    Members(Vec<(usize, Self)>),
}

fn given() -> impl Strategy<Value = Given> {
    let leaf = prop_oneof![
        4 => (0..TEXTS.len()).prop_map(Given::Text),
        6 => any::<usize>().prop_map(Given::Row),
        1 => (200..20_000_usize).prop_map(Given::Long),
        1 => any::<String>().prop_map(|text| Given::Json(text.into())),
        2 => prop_oneof![
            Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from), Just(json!({})), Just(json!([])), Just(json!([[[[[]]]]])),
        ].prop_map(Given::Json),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Given::Many),
            vec((0..NAMES.len(), inner), 0..3).prop_map(Given::Members),
        ]
    })
}

/// One request: the operation, its parameters, its members, and which session it has the cookie of.
#[derive(Debug, Clone)]
struct Hostile {
    operation: usize,
    parameters: Vec<Given>,
    members: Vec<(usize, Given)>,
    by_form: bool,
    pick: usize,
}

fn hostile(operations: usize) -> impl Strategy<Value = Hostile> {
    let members = vec((0..NAMES.len(), given()), 0..9);
    (
        0..operations,
        vec(given(), 3),
        members,
        any::<bool>(),
        any::<usize>(),
    )
        .prop_map(|(operation, parameters, members, by_form, pick)| Hostile {
            operation,
            parameters,
            members,
            by_form,
            pick,
        })
}

struct World {
    fixture: Fixture,
    operations: Vec<&'static Operation>,
}

/// Those that answer at once. A reset would only make the world small again.
fn operations() -> Vec<&'static Operation> {
    let at_once = |operation: &&Operation| matches!(operation.handler, Handler::Quick(_) | Handler::Slow(_));
    let keeps = |operation: &&Operation| !operation.path.ends_with("/reset");
    Routes::all().filter(at_once).filter(keeps).collect()
}

impl World {
    fn new() -> Self {
        let fixture = Fixture::new();
        fixture.add_own_organization("Acme");
        fixture.signed_in();
        fixture.add_own_organization("Globex");
        Self {
            fixture,
            operations: operations(),
        }
    }

    fn environment(&self) -> &Arc<Environment> {
        &self.fixture.environment
    }

    /// Every text that a row has, short of what is long.
    fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        collect(&self.environment().state().dump(), &mut texts);
        texts
    }

    fn send(&self, hostile: &Hostile) -> Result<(), TestCaseError> {
        let operation = self.operations[hostile.operation % self.operations.len()];
        let texts = self.texts();
        let names = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let params: Vec<(&str, String)> = names
            .zip(&hostile.parameters)
            .map(|(name, given)| (name, text(&self.value(given, "", &texts))))
            .collect();
        let params: Vec<_> = params
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut body = Map::new();
        for (name, given) in &hostile.members {
            let name = NAMES[*name];
            body.insert(name.to_owned(), self.value(given, name, &texts));
        }
        // Every other request is a step of a sign-in that is there.
        let state = self.environment().state();
        let sessions: Vec<_> = state.authorization_sessions.iter().collect();
        let mut headers = vec![("host", "auth.test".to_owned())];
        if let Some(session) = hostile
            .pick
            .checked_rem(sessions.len() * 2)
            .and_then(|at| sessions.get(at))
        {
            headers.push((
                "cookie",
                format!("workos_{}={}", session.id, session.secret().expose()),
            ));
            body.insert("authorization_session_id".to_owned(), session.id.clone().into());
        }
        if hostile.by_form {
            headers.push(("sec-fetch-mode", "navigate".to_owned()));
            headers.push(("accept", "text/html".to_owned()));
            for value in body.values_mut() {
                *value = text(value).into();
            }
        }
        let query = if operation.method == "GET" {
            let pairs = body.iter().map(|(name, value)| (name, text(value)));
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish()
        } else {
            String::new()
        };
        let mut call = Call::for_tests(self.environment(), &params, &query, Value::Object(body));
        for (name, value) in headers {
            call.headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(&value).unwrap(),
            );
        }
        let (Handler::Quick(handler) | Handler::Slow(handler)) = operation.handler else {
            unreachable!("filtered")
        };
        let name = operation.name;
        let (status, headers, answer) = match handler(&call) {
            Ok(reply) => (
                reply.status,
                reply.headers,
                String::from_utf8_lossy(&reply.body).into_owned(),
            ),
            Err(refusal) => (
                refusal.status,
                refusal.headers.clone(),
                json!(refusal.body).to_string(),
            ),
        };
        // SCIM says so of what it does not advertise.
        prop_assert!(status < 500 || status == 501, "{name}: {status} {answer}");
        prop_assert!(!answer.contains(MARK), "{name} repeats a secret: {answer}");
        for (header, value) in headers {
            prop_assert!(
                value.bytes().all(|byte| byte >= b' ' && byte != 127),
                "{name}: {header}: {value:?}"
            );
            let is_markup = value.contains(MARK);
            prop_assert!(!is_markup, "{name}: {header}: {value}");
        }
        if answer.starts_with("<!doctype") {
            prop_assert!(
                !answer.contains("<script>") && !answer.contains("<img src=x>"),
                "{name}: {answer}"
            );
        }
        Ok(())
    }

    fn value(&self, given: &Given, name: &str, texts: &[String]) -> Value {
        if SECRET.contains(&name) && !matches!(given, Given::Row(_)) {
            return MARK.into();
        }
        match given {
            Given::Text(at) => TEXTS[*at].into(),
            Given::Row(pick) => match pick.checked_rem(texts.len()) {
                Some(at) => texts[at].as_str().into(),
                None => Value::Null,
            },
            Given::Long(length) => "x".repeat(*length).into(),
            Given::Json(value) => value.clone(),
            Given::Many(all) => all.iter().map(|one| self.value(one, "", texts)).collect(),
            Given::Members(all) => {
                let members = all.iter().map(|(name, one)| {
                    let name = NAMES[*name];
                    (name.to_owned(), self.value(one, "", texts))
                });
                Value::Object(members.collect())
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() < 200 => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(members) => members.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[test]
fn whatever_is_sent_is_answered_and_leaves_the_state_sound() {
    let config = ProptestConfig {
        cases: 16,
        max_shrink_iters: 200,
        rng_algorithm: RngAlgorithm::ChaCha,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let seed = proptest::test_runner::TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, seed);
    let number = operations().len();
    assert!(number > 200, "{number}");
    let run = |requests: Vec<Hostile>| {
        let world = World::new();
        for request in &requests {
            world.send(request)?;
        }
        prop_assert!(world.environment().state().is_consistent());
        Ok(())
    };
    runner.run(&vec(hostile(number), 60..120), run).unwrap();
}

/// Each operation gets each of its own members wrong at least once, with all others as they may be.
#[test]
fn no_operation_fails_for_what_is_no_text_or_too_much_of_it() {
    let world = World::new();
    let wrong = [
        Given::Json(Value::Null),
        Given::Json(json!(-1)),
        Given::Json(json!({"a": {"b": [1, "c", null]}})),
        Given::Json(json!([[], {}])),
        Given::Text(10),
        Given::Text(13),
        Given::Long(5_000),
    ];
    for operation in 0..world.operations.len() {
        for (at, wrong) in wrong.iter().enumerate() {
            let members = (0..NAMES.len()).map(|name| (name, wrong.clone())).collect();
            let hostile = Hostile {
                operation,
                parameters: vec![Given::Row(at * 7), Given::Row(at * 13), Given::Text(at)],
                members,
                by_form: at % 2 == 0,
                pick: at,
            };
            world.send(&hostile).unwrap();
        }
    }
    assert!(world.environment().state().is_consistent());
}
