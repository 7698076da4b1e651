//! The checks of a response (SAML profiles, section 4.1.4; SAML core, sections 2 and 3). Each is a step of the trace.
//!
//! Nothing is consumed but the assertion whose signature was verified, or that stands in a response whose signature was.
//!
//! Assumption: an assertion in a signed response counts as signed, and encrypted assertions are taken whether or not WorkOS's
//! support has switched them on; production documents the one as required and the other as available
//! (<https://workos.com/docs/sso/saml-security>).

mod conditions;
mod read;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::read::{confirmation, decoded, given, read, response_in, sentence};
use super::{ASSERTION, PROTOCOL, ServiceProvider, TrustedKeys};
use crate::{
    api::sso::{
        identity_provider::{Assertion, Refusal},
        traces::StepName,
    },
    core::{
        clock,
        secret::Secret,
        xml::{Document, Element, encryption, signature},
    },
};

/// The longest response, in bytes.
pub(crate) const LONGEST: usize = 512 * 1024;
/// How far the clocks of identity providers are off.
pub(crate) const LEEWAY: SignedDuration = SignedDuration::from_mins(1);
/// The longest id of an assertion.
const LONGEST_ID: usize = 255;

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// What a response is measured by.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) service_provider: ServiceProvider,
    /// The identity provider's. None: nobody has said it.
    pub(crate) idp_entity_id: Option<String>,
    pub(crate) trusted: TrustedKeys,
    pub(crate) decryption_keys: Vec<Secret>,
    pub(crate) now: Timestamp,
}

/// A check, as the trace shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) step: StepName,
    pub(crate) passed: bool,
    pub(crate) detail: String,
}

/// A response that was checked.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) checks: Vec<Check>,
    /// The request that it says it answers, be that signed or not.
    pub(crate) in_response_to: Option<String>,
    pub(crate) outcome: Result<Accepted, Refusal>,
}

/// What is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) assertion: Assertion,
    /// The id of the assertion, which is good once.
    pub(crate) assertion_id: String,
    /// From when on it would be refused anyway.
    pub(crate) expires_at: Timestamp,
    /// The request that it answers, as it was signed.
    pub(crate) in_response_to: Option<String>,
}

/// Checks a response as it came: in base64.
pub(crate) fn check(response: &str, expected: &Expected) -> Checked {
    let mut checking = Checking {
        expected,
        checks: Vec::new(),
        in_response_to: None,
    };
    let outcome = checking.run(response);
    Checked {
        checks: checking.checks,
        in_response_to: checking.in_response_to,
        outcome,
    }
}

struct Checking<'a> {
    expected: &'a Expected,
    checks: Vec<Check>,
    in_response_to: Option<String>,
}

impl Checking<'_> {
    fn pass(&mut self, step: StepName, detail: impl Into<String>) {
        let detail = detail.into();
        self.checks.push(Check {
            step,
            passed: true,
            detail,
        });
    }

    fn refuse<T>(&mut self, step: StepName, detail: impl Into<String>) -> Result<T, Refusal> {
        let detail = detail.into();
        self.checks.push(Check {
            step,
            passed: false,
            detail: detail.clone(),
        });
        Err(Refusal::Untrusted(detail))
    }

    /// Writes the check down, and goes on if it passed.
    fn take(&mut self, step: StepName, outcome: Result<String, String>) -> Result<(), Refusal> {
        match outcome {
            Ok(detail) => {
                self.pass(step, detail);
                Ok(())
            }
            Err(detail) => self.refuse(step, detail),
        }
    }

    fn run(&mut self, response: &str) -> Result<Accepted, Refusal> {
        let text = match decoded(response) {
            Ok(text) => text,
            Err(problem) => return self.refuse(StepName::SamlMessage, problem),
        };
        let document = match Document::parse(&text) {
            Ok(document) => document,
            Err(error) => {
                return self.refuse(
                    StepName::SamlMessage,
                    format!("The response is no XML that is read here: {error}."),
                );
            }
        };
        let read = response_in(&document);
        self.in_response_to = read
            .as_ref()
            .ok()
            .and_then(|response| given(response, "InResponseTo"));
        let response = match read {
            Ok(response) => response,
            Err(problem) => return self.refuse(StepName::SamlMessage, problem),
        };
        self.pass(StepName::SamlMessage, "It is a response of SAML 2.0.");
        self.check_status(&response)?;
        if response.first(ASSERTION, "EncryptedAssertion").is_none() {
            let assertion = self.signed_assertion(&document, &response, false)?;
            return self.check_assertion(&response, &assertion);
        }
        // The signature of the response is about the encrypted assertion.
        let is_response_signed = self.verify_response(&document, &response)?;
        let keys = self.expected.decryption_keys.iter().map(Secret::expose);
        let decrypted = match encryption::decrypt(&document, keys) {
            Ok(decrypted) => decrypted,
            Err(error) => {
                return self.refuse(
                    StepName::Signature,
                    format!("The assertion cannot be decrypted: {error}."),
                );
            }
        };
        let document = match Document::parse(&decrypted) {
            Ok(document) => document,
            Err(error) => {
                return self.refuse(
                    StepName::Signature,
                    format!("What was encrypted is no XML: {error}."),
                );
            }
        };
        let response = match response_in(&document) {
            Ok(response) => response,
            Err(problem) => return self.refuse(StepName::Signature, problem),
        };
        let assertion = self.signed_assertion(&document, &response, is_response_signed)?;
        self.check_assertion(&response, &assertion)
    }

    fn check_status(&mut self, response: &Element<'_>) -> Result<(), Refusal> {
        let status = response.first(PROTOCOL, "Status");
        let code = status.and_then(|status| status.first(PROTOCOL, "StatusCode"));
        let value = |code: Element<'_>| code.attribute("Value").unwrap_or_default().to_owned();
        let first = code.map(value).unwrap_or_default();
        if first == SUCCESS {
            self.pass(StepName::SamlStatus, "The identity provider says: Success.");
            return Ok(());
        }
        let second = code
            .and_then(|code| code.first(PROTOCOL, "StatusCode"))
            .map(value);
        let message = status
            .and_then(|status| status.first(PROTOCOL, "StatusMessage"))
            .and_then(|message| message.text());
        let last = |code: &str| code.rsplit(':').next().unwrap_or_default().to_owned();
        let mut said = last(&first);
        for more in [second.as_deref().map(last), message].into_iter().flatten() {
            said = format!("{said}, {more}");
        }
        let detail = format!("The identity provider says: {said}.");
        let denied = second.as_deref() == Some(super::test_idp::DENIED);
        self.checks.push(Check {
            step: StepName::SamlStatus,
            passed: false,
            detail,
        });
        Err(if denied {
            Refusal::Denied
        } else {
            Refusal::Failed(said)
        })
    }

    /// Verifies the signature of the response itself, if it has one.
    fn verify_response(&mut self, document: &Document<'_>, response: &Element<'_>) -> Result<bool, Refusal> {
        if !signature::is_signed(response) {
            return Ok(false);
        }
        if let Err(error) = signature::check_places(document, &[*response]) {
            return self.refuse(StepName::Signature, sentence(&error.to_string()));
        }
        self.verify(document, response).map(|()| true)
    }

    fn verify(&mut self, document: &Document<'_>, element: &Element<'_>) -> Result<(), Refusal> {
        let trusted = &self.expected.trusted;
        if trusted.keys.is_empty() {
            let why = match &trusted.passed_over[..] {
                [] => "it has none".to_owned(),
                passed_over => passed_over.join("; "),
            };
            let detail =
                format!("The connection has no certificate that signatures can be verified with: {why}.");
            return self.refuse(StepName::Signature, detail);
        }
        match signature::verify(document, element, &trusted.keys) {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(StepName::Signature, sentence(&error.to_string())),
        }
    }

    /// The one assertion, if it is signed, or stands in a response that is.
    fn signed_assertion<'d>(
        &mut self,
        document: &'d Document<'d>,
        response: &Element<'d>,
        was_response_signed: bool,
    ) -> Result<Element<'d>, Refusal> {
        let mut assertions = document
            .elements()
            .filter(|element| element.is(ASSERTION, "Assertion"));
        let assertion = match (assertions.next(), assertions.next()) {
            (Some(assertion), None) => assertion,
            (None, _) => return self.refuse(StepName::Signature, "There is no assertion in the response."),
            (Some(_), Some(_)) => {
                let detail =
                    "There are several assertions in the message: only one can be the one that was signed.";
                return self.refuse(StepName::Signature, detail);
            }
        };
        let holder = assertion.parent();
        let is_in_place = match holder {
            Some(holder) if holder.is(ASSERTION, "EncryptedAssertion") => holder.parent() == Some(*response),
            holder => holder == Some(*response),
        };
        if !is_in_place {
            let detail = "The assertion does not stand in the response itself.";
            return self.refuse(StepName::Signature, detail);
        }
        if let Err(error) = signature::check_places(document, &[*response, assertion]) {
            return self.refuse(StepName::Signature, sentence(&error.to_string()));
        }
        let is_encrypted = holder != Some(*response);
        let is_response_signed = if is_encrypted {
            was_response_signed
        } else {
            let is_signed = signature::is_signed(response);
            if is_signed {
                self.verify(document, response)?;
            }
            is_signed
        };
        let is_assertion_signed = signature::is_signed(&assertion);
        if is_assertion_signed {
            self.verify(document, &assertion)?;
        }
        let what = match (is_response_signed, is_assertion_signed) {
            (true, true) => "The response and the assertion are signed",
            (true, false) => "The response is signed",
            (false, true) => "The assertion is signed",
            (false, false) => {
                let detail = "The assertion is not signed, and neither is the response; let the identity provider sign \
                              assertions.";
                return self.refuse(StepName::Signature, detail);
            }
        };
        self.pass(
            StepName::Signature,
            format!("{what} by a key of the connection's certificates."),
        );
        Ok(assertion)
    }

    fn check_assertion(
        &mut self,
        response: &Element<'_>,
        assertion: &Element<'_>,
    ) -> Result<Accepted, Refusal> {
        let issuer = self.expected.issuer(response, assertion);
        self.take(StepName::Issuer, issuer)?;
        let confirmation = match confirmation(assertion) {
            Ok(confirmation) => confirmation,
            Err(problem) => return self.refuse(StepName::Recipient, problem),
        };
        let recipient = self.expected.recipient(response, &confirmation);
        self.take(StepName::Recipient, recipient)?;
        let audience = self.expected.audience(assertion);
        self.take(StepName::Audience, audience)?;
        let expires_at = match self.expected.validity(response, assertion, &confirmation) {
            Ok(expires_at) => expires_at,
            Err(problem) => return self.refuse(StepName::Validity, problem),
        };
        self.pass(
            StepName::Validity,
            format!("It is valid until {}.", clock::iso8601(expires_at)),
        );
        let answered = given(response, "InResponseTo");
        let in_response_to = given(&confirmation, "InResponseTo");
        if answered != in_response_to {
            let detail = format!(
                "The response answers {}, and its assertion {}.",
                answered.as_deref().unwrap_or("no request"),
                in_response_to.as_deref().unwrap_or("no request"),
            );
            return self.refuse(StepName::Correlation, detail);
        }
        let assertion_id = given(assertion, "ID").filter(|id| id.len() <= LONGEST_ID);
        let Some(assertion_id) = assertion_id else {
            return self.refuse(
                StepName::Replay,
                "The assertion has no ID, or one that is too long.",
            );
        };
        match read(assertion) {
            Ok(read) => Ok(Accepted {
                assertion: read,
                assertion_id,
                expires_at: clock::saturating_add(expires_at, LEEWAY),
                in_response_to,
            }),
            Err(problem) => self.refuse(StepName::Attributes, problem),
        }
    }
}
