//! The test identity provider of a connection that names no other: its key, and the responses that it signs.

use std::sync::Arc;

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::metadata::{in_xml, rendered};
use crate::{
    api::sso::{certificates, identity_provider::Assertion},
    core::{clock, secret::Secret, xml},
    environment::Environment,
    server::error::ApiError,
    store::{Record, Transaction},
};

/// How long somebody has to get from the test identity provider to WorkOS.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

pub(crate) const DENIED: &str = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied";
pub(crate) const FAILED: &str = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed";

/// The key of a test identity provider. It has the id of its connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TestIdp {
    id: String,
    /// PEM
    key: Secret,
    /// PEM
    pub(crate) certificate: String,
    #[serde(with = "clock::timestamp")]
    not_before: Timestamp,
    #[serde(with = "clock::timestamp")]
    not_after: Timestamp,
}

impl Record for TestIdp {
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

impl TestIdp {
    fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && clock::saturating_add(now, LIFETIME) < self.not_after
    }

    /// The test identity provider of this connection. Slow where it needs a key: the first time, and when the certificate has
    /// run out.
    pub(crate) fn of(environment: &Environment, connection_id: &str) -> Result<Arc<Self>, ApiError> {
        let present = |tx: &crate::store::State, now| {
            let idp = tx.saml_test_idps.get(connection_id);
            idp.filter(|idp| idp.is_valid_at(now)).map(Arc::clone)
        };
        if let Some(idp) = present(&environment.state(), environment.clock.now()) {
            return Ok(idp);
        }
        let made = certificates::generate(environment.clock.now())?;
        environment.transact(|tx| match present(tx, tx.now()) {
            Some(idp) => Ok(idp),
            None => Ok(tx.put(Self {
                id: connection_id.to_owned(),
                key: made.key,
                certificate: made.certificate,
                not_before: made.not_before,
                not_after: made.not_after,
            })?),
        })
    }
}

/// Forgets the test identity provider of a connection that is deleted.
pub(crate) fn delete_of_connection(tx: &mut Transaction<'_>, connection_id: &str) {
    tx.delete::<TestIdp>(connection_id);
}

/// What is said of an attempt to sign in.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// Why nothing is said of anybody: a status code of SAML, and words for people.
    Failure { code: &'a str, message: &'a str },
    Person {
        assertion_id: String,
        subject: String,
        session_index: String,
        attributes: Vec<Attribute>,
    },
}

#[derive(Debug)]
pub(crate) struct Attribute {
    name: String,
    values: Vec<String>,
}

impl Said<'_> {
    pub(crate) fn of(assertion: &Assertion, assertion_id: String) -> Self {
        let attributes = assertion.attributes.iter().map(|(name, value)| Attribute {
            name: xml::legal(name),
            values: values(value),
        });
        Self::Person {
            assertion_id,
            subject: xml::legal(&assertion.subject),
            session_index: assertion.session_index.clone().unwrap_or_default(),
            attributes: attributes.collect(),
        }
    }
}

/// Attributes of SAML are lists of texts.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![xml::legal(text)],
        Value::Array(values) => values.iter().flat_map(self::values).collect(),
        other => vec![xml::legal(&other.to_string())],
    }
}

/// Who is answered, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recipient {
    pub(crate) acs_url: String,
    /// The service provider's entity id.
    pub(crate) audience: String,
    /// The id of its request. None: it asked for nothing.
    pub(crate) in_response_to: Option<String>,
}

#[derive(Template)]
#[template(path = "saml/response.xml")]
struct Response<'a> {
    id: &'a str,
    issue_instant: String,
    not_on_or_after: String,
    issuer: &'a str,
    acs_url: &'a str,
    audience: &'a str,
    in_response_to: Option<&'a str>,
    certificate: String,
    said: &'a Said<'a>,
}

/// A signed response, with a signed assertion in it.
pub(crate) fn response(
    idp: &TestIdp,
    issuer: &str,
    recipient: &Recipient,
    said: &Said<'_>,
    id: &str,
    now: Timestamp,
) -> Result<String, ApiError> {
    let response = rendered(&Response {
        id,
        issue_instant: clock::iso8601(now),
        not_on_or_after: clock::iso8601(clock::saturating_add(now, LIFETIME)),
        issuer,
        acs_url: &xml::legal(&recipient.acs_url),
        audience: &xml::legal(&recipient.audience),
        in_response_to: recipient.in_response_to.as_deref(),
        certificate: in_xml(&idp.certificate),
        said,
    })?;
    xml::signature::sign(&response, idp.key.expose())
        .map_err(|error| ApiError::message(500, format!("The response cannot be signed: {error}.")))
}
