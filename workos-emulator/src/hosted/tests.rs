//! What holds for every operation of the pages, whichever they are.

use actix_web::http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::user_management::authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, PASSWORD, REDIRECT_URI},
    server::operation::{Access, Handler},
};

/// A browser with a sign-in in progress.
struct Browser<'a> {
    fixture: &'a Fixture,
    session_id: String,
    cookie: String,
}

impl<'a> Browser<'a> {
    fn open(fixture: &'a Fixture) -> Self {
        let query = format!(
            "response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider=authkit&interactive=always"
        );
        let mut call = fixture.call(&query, Value::Null);
        insert(&mut call, "sec-fetch-mode", "navigate");
        let reply = crate::api::user_management::authorize::get_authorization_url(&call).unwrap();
        let location = header(&reply, "Location").unwrap();
        let session_id = location.split("authorization_session_id=").nth(1).unwrap();
        Self {
            fixture,
            session_id: session_id.to_owned(),
            cookie: cookie(&reply).unwrap(),
        }
    }

    /// Does an operation, wherever it is, and keeps the cookie that comes back.
    fn run(&mut self, operation: &Operation, fields: Value, headers: &[(&'static str, &str)]) -> Reply {
        let reply = self.try_run(operation, fields, headers).unwrap();
        self.cookie = cookie(&reply).unwrap_or_else(|| self.cookie.clone());
        reply
    }

    fn try_run(
        &self,
        operation: &Operation,
        fields: Value,
        headers: &[(&'static str, &str)],
    ) -> Result<Reply, ApiError> {
        let session = ("authorization_session_id", self.session_id.as_str());
        let (query, body) = if operation.method == "GET" {
            (
                format!("client_id={CLIENT_ID}&{}={}", session.0, session.1),
                Value::Null,
            )
        } else {
            let mut body = json!({"client_id": CLIENT_ID, session.0: session.1});
            if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
                body.extend(fields);
            }
            (String::new(), body)
        };
        let mut call = self.fixture.call(&query, body);
        insert(&mut call, "cookie", &self.cookie);
        for (name, value) in headers {
            insert(&mut call, name, value);
        }
        match operation.handler {
            Handler::Quick(handler) | Handler::Slow(handler) => handler(&call),
            Handler::Waiting(handler) => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(handler(call))
            }
            Handler::NotBuilt => panic!("{} is no page", operation.name),
        }
    }
}

fn insert(call: &mut Call, name: &'static str, value: &str) {
    call.headers.insert(
        HeaderName::from_static(name),
        HeaderValue::from_str(value).unwrap(),
    );
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let header = reply.headers.iter().find(|(key, _)| *key == name)?;
    Some(&header.1)
}

fn cookie(reply: &Reply) -> Option<String> {
    let cookie = header(reply, "Set-Cookie")?.split(';').next()?;
    Some(cookie.to_owned())
}

fn named(name: &str) -> &'static Operation {
    OPERATIONS
        .iter()
        .find(|operation| operation.name == name)
        .unwrap()
}

const OWN: [(&str, &str); 1] = [("sec-fetch-site", "same-origin")];

/// Sign-ins in progress, at each kind of page, and the fixture that has everything switched on.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.set(|settings| {
        settings.sign_in_methods.passkey = true;
        settings.sign_in_methods.providers = vec!["GoogleOAuth".to_owned()];
    });
    for name in ["Acme", "Globex"] {
        fixture.add_own_organization(name);
    }
    fixture
}

fn browsers(fixture: &Fixture) -> Vec<Browser<'_>> {
    let fresh = Browser::open(fixture);
    let mut identified = Browser::open(fixture);
    identified.run(named("submit_sign_in"), json!({"email": EMAIL}), &OWN);
    let mut choosing = Browser::open(fixture);
    choosing.run(named("submit_sign_in"), json!({"email": EMAIL}), &OWN);
    choosing.run(named("submit_password"), json!({"password": PASSWORD}), &OWN);
    let mut verifying = Browser::open(fixture);
    let new = json!({"email": "grace@example.com", "password": PASSWORD});
    verifying.run(named("submit_sign_up"), new, &OWN);
    vec![fresh, identified, choosing, verifying]
}

#[test]
fn no_form_is_taken_from_another_site() {
    let fixture = fixture();
    let foreign: [&[(&str, &str)]; 8] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://auth.test")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        // The same site, by another port or scheme.
        &[("origin", "http://auth.test:8081")],
        &[("origin", "https://auth.test")],
    ];
    let posts: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| operation.method == "POST")
        // What SAML's parties post comes from each other's pages, and changes nothing for the browser that brings it.
        .filter(|operation| !["consume_saml_response", "ask_identity_provider"].contains(&operation.name))
        .collect();
    assert!(posts.len() >= 17, "{}", posts.len());
    for browser in browsers(&fixture) {
        let before = fixture.environment.state().sequence;
        for (operation, headers) in posts
            .iter()
            .flat_map(|post| foreign.map(|headers| (post, headers)))
        {
            let fields = json!({
                "email": EMAIL, "password": PASSWORD, "code": "000000", "decision": "approve",
                "provider": "GoogleOAuth", "organization_id": "org_1", "token": "t", "user_code": "BCDF-GHJK",
            });
            let answer = browser.try_run(operation, fields, headers);
            let (status, location) = match &answer {
                Ok(reply) => (reply.status, header(reply, "Location")),
                Err(refusal) => (refusal.status, None),
            };
            assert_eq!((status, location), (403, None), "{} {headers:?}", operation.name);
        }
        assert_eq!(
            fixture.environment.state().sequence,
            before,
            "nothing has changed"
        );
    }
}

#[test]
fn every_page_stands_in_no_frame_and_is_kept_nowhere() {
    let fixture = fixture();
    let gets: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| {
            operation.method == "GET" && !["get_asset", "show_message_html"].contains(&operation.name)
        })
        .collect();
    let mut shown = std::collections::BTreeSet::new();
    for mut browser in browsers(&fixture) {
        for operation in &gets {
            let Ok(reply) = browser.try_run(operation, Value::Null, &[]) else {
                assert_eq!(operation.access, Access::Page, "{}", operation.name);
                continue;
            };
            let told = format!("{} {:?}", operation.name, reply.headers);
            assert!(
                header(&reply, "Cache-Control").is_some_and(|control| control.contains("no-store")),
                "{told}"
            );
            if reply.status >= 300 && reply.status < 400 {
                let location = header(&reply, "Location").unwrap();
                let own = location.strip_prefix("http://auth.test").unwrap_or(location);
                assert!(own.starts_with('/') && !own.starts_with("//"), "{told}");
                continue;
            }
            shown.insert(operation.name);
            let policy = header(&reply, "Content-Security-Policy").unwrap_or_else(|| panic!("{told}"));
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{told}");
            }
            assert!(!policy.contains("unsafe"), "{told}");
            assert_eq!(header(&reply, "X-Frame-Options"), Some("DENY"), "{told}");
            assert_eq!(
                header(&reply, "X-Content-Type-Options"),
                Some("nosniff"),
                "{told}"
            );
            assert_eq!(header(&reply, "Referrer-Policy"), Some("same-origin"), "{told}");
            assert_eq!(
                header(&reply, "Content-Type"),
                Some("text/html; charset=utf-8"),
                "{told}"
            );
            let html = std::str::from_utf8(&reply.body).unwrap();
            assert!(!html.contains(" style=") && !html.contains(" onclick="), "{told}");
            assert_eq!(html.matches("<h1").count(), 1, "{told}");
            assert_eq!(html.matches("<title>").count(), 1, "{told}");
        }
        browser.cookie.clear();
    }
    assert!(shown.len() >= 12, "{shown:?}");
}
