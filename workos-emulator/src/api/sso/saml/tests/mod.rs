//! Responses, checked; and what they are made of.

mod messages;
mod signatures;

use std::sync::{Arc, LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    metadata::{self, MetadataError, parse_idp_metadata},
    request::{self, NewRequest, Parameters, RequestError},
    response::{Checked, Expected, check},
    test_idp::{self, Recipient, Said, TestIdp},
    *,
};
use crate::{
    api::sso::{
        identity_provider::{Assertion, Refusal},
        traces::StepName,
    },
    environment::Environment,
};

const IDP: &str = "https://idp.example/saml";
const ACS: &str = "https://auth.example/sso/saml/acs/key";
const SP: &str = "https://auth.example/key";
const REQUEST: &str = "_sso_session_01.abc";

/// A key for all tests: making one takes a while.
static TEST_IDP: LazyLock<(Timestamp, Arc<TestIdp>)> = LazyLock::new(|| {
    let environment = Environment::for_tests();
    let idp = TestIdp::of(&environment, "conn_1").unwrap();
    (environment.clock.now(), idp)
});

fn now() -> Timestamp {
    TEST_IDP.0
}

fn recipient() -> Recipient {
    Recipient {
        acs_url: ACS.to_owned(),
        audience: SP.to_owned(),
        in_response_to: Some(REQUEST.to_owned()),
    }
}

fn ada() -> Assertion {
    let attributes = json!({
        "email": "ada@acme.example", "groups": ["Engineering", "R&D <\"'>"], "one": ["1"], "none": [], "id": "00u1",
        "level": 3, "strange": "a\u{0}b\r\n é",
    });
    Assertion {
        subject: "ada@acme.example".to_owned(),
        attributes: attributes.as_object().unwrap().clone(),
        session_index: Some("_session".to_owned()),
    }
}

/// What the test identity provider says of Ada.
fn signed(recipient: &Recipient) -> String {
    let said = Said::of(&ada(), "_assertion".to_owned());
    test_idp::response(&TEST_IDP.1, IDP, recipient, &said, "_response", now()).unwrap()
}

fn expected() -> Expected {
    let mut trusted = TrustedKeys::default();
    trusted.add(&TEST_IDP.1.certificate);
    Expected {
        service_provider: ServiceProvider {
            entity_id: SP.to_owned(),
            acs_url: ACS.to_owned(),
        },
        idp_entity_id: Some(IDP.to_owned()),
        trusted,
        decryption_keys: Vec::new(),
        now: now(),
    }
}

fn checked(xml: &str, change: impl FnOnce(&mut Expected)) -> Checked {
    let mut expected = expected();
    change(&mut expected);
    check(&STANDARD.encode(xml), &expected)
}

/// The step at which the response is refused, and why.
fn refused(xml: &str, change: impl FnOnce(&mut Expected)) -> (StepName, String) {
    let checked = checked(xml, change);
    let last = checked.checks.last().unwrap();
    assert!(!last.passed, "{last:?}");
    assert!(checked.outcome.is_err());
    (last.step, last.detail.clone())
}

/// From the first `from` to the end of the next `until`.
fn between<'a>(text: &'a str, from: &str, until: &str) -> &'a str {
    let start = text.find(from).unwrap();
    let end = text[start..].find(until).unwrap() + until.len();
    &text[start..start + end]
}

fn without(text: &str, part: &str) -> String {
    assert!(text.contains(part));
    text.replacen(part, "", 1)
}

const SIGNATURE: (&str, &str) = ("<ds:Signature ", "</ds:Signature>");

/// The response without its own signature: that of the assertion is all that there is.
fn signed_assertion_alone() -> String {
    let xml = signed(&recipient());
    let own = between(&xml, SIGNATURE.0, SIGNATURE.1).to_owned();
    without(&xml, &own)
}

#[test]
fn what_the_test_identity_provider_says_is_believed() {
    let xml = signed(&recipient());
    let response = checked(&xml, |_| {});
    let accepted = response.outcome.unwrap();
    let steps: Vec<_> = response
        .checks
        .iter()
        .map(|check| (check.step, check.passed))
        .collect();
    let names = [
        StepName::SamlMessage,
        StepName::SamlStatus,
        StepName::Signature,
        StepName::Issuer,
        StepName::Recipient,
        StepName::Audience,
        StepName::Validity,
    ];
    assert_eq!(steps, names.map(|name| (name, true)));
    assert_eq!(accepted.in_response_to.as_deref(), Some(REQUEST));
    assert_eq!(accepted.assertion_id, "_assertion");
    let read = accepted.assertion;
    assert_eq!(
        (read.subject.as_str(), read.session_index.as_deref()),
        ("ada@acme.example", Some("_session"))
    );
    let attributes = json!({
        "email": "ada@acme.example", "groups": ["Engineering", "R&D <\"'>"], "one": "1", "none": [], "id": "00u1",
        "level": "3", "strange": "ab\n é",
    });
    assert_eq!(json!(read.attributes), attributes);
    // Either signature is enough.
    let alone = checked(&signed_assertion_alone(), |_| {});
    assert!(alone.outcome.is_ok(), "{:?}", alone.checks);
    let assertion = between(&xml, "<saml:Assertion ", "</saml:Assertion>");
    let inner = between(assertion, SIGNATURE.0, SIGNATURE.1);
    assert_eq!(
        refused(&without(&xml, inner), |_| {}).1,
        "The Response was changed after it was signed."
    );
}

#[test]
fn each_mistake_is_named() {
    let xml = signed(&recipient());
    let other = |change: fn(&mut Recipient)| {
        let mut recipient = recipient();
        change(&mut recipient);
        signed(&recipient)
    };
    let later =
        |minutes| move |expected: &mut Expected| expected.now = now() + SignedDuration::from_mins(minutes);
    let cases = [
        (
            refused(&xml, |expected| {
                expected.idp_entity_id = Some("urn:other".to_owned());
            }),
            StepName::Issuer,
            "urn:other",
        ),
        (
            refused(&other(|to| to.acs_url.push('x')), |_| {}),
            StepName::Recipient,
            "The Destination is",
        ),
        (
            refused(&other(|to| to.audience = "urn:other".to_owned()), |_| {}),
            StepName::Audience,
            "The audience is urn:other",
        ),
        (refused(&xml, later(7)), StepName::Validity, "It was valid until"),
        (refused(&xml, later(-2)), StepName::Validity, "It is valid from"),
        (
            refused(&xml, |expected| expected.trusted = TrustedKeys::default()),
            StepName::Signature,
            "has no certificate",
        ),
    ];
    for ((step, detail), wanted, part) in cases {
        assert_eq!(step, wanted, "{detail}");
        assert!(detail.contains(part), "{detail}");
    }
    // The clocks of two machines are not the same.
    assert!(checked(&xml, later(5)).outcome.is_ok());
    assert!(checked(&xml, later(-1)).outcome.is_ok());
    let nobody = checked(&xml, |expected| expected.idp_entity_id = None);
    assert!(nobody.outcome.is_ok());
}

#[test]
fn failures_are_told_in_the_words_of_the_identity_provider() {
    for (code, refusal) in [
        (test_idp::DENIED, Refusal::Denied),
        (
            test_idp::FAILED,
            Refusal::Failed("Responder, AuthnFailed, No & <no>".to_owned()),
        ),
    ] {
        let said = Said::Failure {
            code,
            message: "No & <no>",
        };
        let xml = test_idp::response(&TEST_IDP.1, IDP, &recipient(), &said, "_response", now()).unwrap();
        let checked = checked(&xml, |_| {});
        assert_eq!(checked.outcome.unwrap_err(), refusal);
        assert_eq!(checked.in_response_to.as_deref(), Some(REQUEST));
        assert_eq!(checked.checks.last().unwrap().step, StepName::SamlStatus);
    }
}
