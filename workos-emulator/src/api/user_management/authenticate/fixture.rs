//! What the tests of sign-ins begin with: an environment, its application, and Ada.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::authenticate;
use crate::{
    api::{
        authorization::{permissions, roles},
        organizations,
        user_management::{memberships, redirect_uris, users},
    },
    control::settings::Settings,
    core::jwt::AccessTokenClaims,
    environment::Environment,
    server::{api_key::SecretKey, call::Call, error::ApiError, reply::Reply},
};

pub(crate) const CLIENT_ID: &str = "client_app";
pub(crate) const API_KEY: &str = "sk_test_app";
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const REDIRECT_URI: &str = "http://localhost:3000/callback";

pub(crate) struct Fixture {
    pub(crate) environment: Arc<Environment>,
    pub(crate) user_id: String,
}

type Operation = fn(&Call) -> Result<Reply, ApiError>;

impl Fixture {
    pub(crate) fn new() -> Self {
        let environment = Arc::new(Environment::for_tests());
        environment
            .transact(|tx| {
                tx.put(SecretKey::new(API_KEY))?;
                roles::seed_defaults(tx)
            })
            .unwrap();
        let mut fixture = Self {
            environment,
            user_id: String::new(),
        };
        fixture.user_id = fixture.add_user(EMAIL);
        fixture
    }

    pub(crate) fn call(&self, query: &str, body: Value) -> Call {
        let mut call = Call::for_tests(&self.environment, &[], query, body);
        call.headers.insert(
            "host".parse::<actix_web::http::header::HeaderName>().unwrap(),
            "auth.test".parse().unwrap(),
        );
        call
    }

    pub(crate) fn run(&self, operation: Operation, body: Value) -> Value {
        let reply = operation(&self.call("", body)).unwrap();
        serde_json::from_slice(&reply.body).unwrap_or_default()
    }

    fn id_of(&self, operation: Operation, body: Value) -> String {
        self.run(operation, body)["id"].as_str().unwrap().to_owned()
    }

    /// A user with [`PASSWORD`].
    pub(crate) fn add_user(&self, email: &str) -> String {
        self.id_of(
            users::create_user,
            json!({"email": email, "email_verified": true, "password": PASSWORD, "metadata": {"plan": "pro"}}),
        )
    }

    pub(crate) fn add_organization(&self, name: &str) -> String {
        self.id_of(organizations::create_organization, json!({"name": name}))
    }

    /// An organization that Ada is an active member of.
    pub(crate) fn add_own_organization(&self, name: &str) -> String {
        let id = self.add_organization(name);
        self.add_membership(&id, json!({}));
        id
    }

    /// Makes Ada a member, and gives the membership's id.
    pub(crate) fn add_membership(&self, organization_id: &str, with: Value) -> String {
        let body = json!({"user_id": self.user_id, "organization_id": organization_id});
        self.id_of(memberships::create_organization_membership, merged(body, with))
    }

    pub(crate) fn deactivate(&self, membership_id: &str) {
        let call = Call::for_tests(&self.environment, &[("id", membership_id)], "", json!({}));
        memberships::deactivate_organization_membership(&call).unwrap();
    }

    /// A role of the environment with permissions of these slugs.
    pub(crate) fn add_role(&self, slug: &str, slugs: &[&str]) {
        self.environment
            .transact(|tx| {
                for slug in slugs {
                    let new = serde_json::from_value(json!({"slug": slug, "name": slug})).unwrap();
                    permissions::create(tx, new)?;
                }
                let mut role = roles::NewRole::named(slug, slug);
                role.permissions = slugs.iter().map(ToString::to_string).collect();
                roles::create(tx, role)
            })
            .unwrap();
    }

    pub(crate) fn register_redirect_uri(&self, uri: &str) {
        self.run(redirect_uris::create_redirect_uri, json!({"uri": uri}));
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.environment.state().settings().clone();
        change(&mut settings);
        self.environment.transact(|tx| tx.put(settings)).unwrap();
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.environment.clock.advance(Duration::from_secs(seconds));
    }

    /// A request of the confidential application; null in `body` takes a member away.
    pub(crate) fn authenticate(&self, body: Value) -> Result<Value, ApiError> {
        let mut body = merged(json!({"client_id": CLIENT_ID, "client_secret": API_KEY}), body);
        if let Value::Object(members) = &mut body {
            members.retain(|_, value| !value.is_null());
        }
        let reply = authenticate(&self.call("", body))?;
        assert_eq!(reply.status, 200);
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    pub(crate) fn with_password(&self, password: &str) -> Result<Value, ApiError> {
        self.authenticate(json!({"grant_type": "password", "email": EMAIL, "password": password}))
    }

    /// Ada, signed in with her password.
    pub(crate) fn signed_in(&self) -> Value {
        self.with_password(PASSWORD).unwrap()
    }

    /// The claims of a response's access token, whose signature is verified.
    pub(crate) fn claims(&self, response: &Value) -> AccessTokenClaims {
        let token = response["access_token"].as_str().unwrap();
        let now = self.environment.clock.now();
        self.environment.state().keys().verify(token, now).unwrap()
    }

    /// The names of all events of a kind, and their data, in the order in which they happened.
    pub(crate) fn events(&self, prefix: &str) -> Vec<(String, Value)> {
        let state = self.environment.state();
        let events = state.events.iter();
        events
            .filter(|event| event.event.starts_with(prefix))
            .map(|event| {
                (
                    event.event.clone(),
                    serde_json::from_str(event.data.get()).unwrap(),
                )
            })
            .collect()
    }
}

/// Status and code of a refusal.
pub(crate) fn refusal(outcome: Result<Value, ApiError>) -> (u16, String) {
    let refused = outcome.unwrap_err();
    (refused.status, refused.code().unwrap_or_default().to_owned())
}

/// An object with the members of another, which win.
pub(crate) fn merged(mut body: Value, with: Value) -> Value {
    let (Value::Object(members), Value::Object(with)) = (&mut body, with) else {
        unreachable!("both are objects")
    };
    members.extend(with);
    body
}
