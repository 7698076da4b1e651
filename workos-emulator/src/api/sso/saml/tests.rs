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

#[test]
fn a_signature_wraps_nothing() {
    let xml = signed(&recipient());
    let alone = signed_assertion_alone();
    let assertion = between(&alone, "<saml:Assertion ", "</saml:Assertion>");
    let inner = between(assertion, SIGNATURE.0, SIGNATURE.1);
    let evil = without(assertion, inner)
        .replace("ada@acme.example", "root@acme.example")
        .replace("\"_assertion\"", "\"_evil\"");
    let own = between(&xml, SIGNATURE.0, SIGNATURE.1);
    let evil_response = without(&xml, own)
        .replace("ada@acme.example", "root@acme.example")
        .replace("\"_response\"", "\"_evil\"");
    let into_signature =
        |signature: &str, what: &str| signature.replace("</ds:Signature>", &format!("{what}</ds:Signature>"));
    let object = |what: &str| format!("<ds:Object>{what}</ds:Object>");
    let detached = without(&xml, own);
    let variants = [
        // The signed response inside of the signature of a forged one, and beside it.
        (
            "XSW1",
            evil_response.replacen(
                "<samlp:Status>",
                &format!("{}<samlp:Status>", into_signature(own, &object(&detached))),
                1,
            ),
        ),
        (
            "XSW2",
            evil_response.replacen("<samlp:Status>", &format!("{detached}{own}<samlp:Status>"), 1),
        ),
        // A forged assertion before, around and behind the signed one.
        ("XSW3", alone.replace(assertion, &format!("{evil}{assertion}"))),
        (
            "XSW4",
            alone.replace(
                assertion,
                &evil.replace("</saml:Assertion>", &format!("{assertion}</saml:Assertion>")),
            ),
        ),
        (
            "XSW5",
            alone.replace(
                assertion,
                &format!(
                    "{}{}",
                    assertion
                        .replace("ada@acme.example", "root@acme.example")
                        .replace("\"_assertion\"", "\"_evil\""),
                    without(assertion, inner)
                ),
            ),
        ),
        (
            "XSW6",
            alone.replace(
                assertion,
                &assertion
                    .replace("ada@acme.example", "root@acme.example")
                    .replace("\"_assertion\"", "\"_evil\"")
                    .replace(inner, &into_signature(inner, &without(assertion, inner))),
            ),
        ),
        (
            "XSW7",
            alone.replace(
                assertion,
                &format!("<samlp:Extensions>{evil}</samlp:Extensions>{assertion}"),
            ),
        ),
        (
            "XSW8",
            alone.replace(
                assertion,
                &evil.replace(
                    "<saml:Subject>",
                    &format!(
                        "{}<saml:Subject>",
                        into_signature(inner, &object(&without(assertion, inner)))
                    ),
                ),
            ),
        ),
        // The same ID twice, and the signed one in a place where nobody reads.
        (
            "same ID",
            alone.replace(
                assertion,
                &format!(
                    "<samlp:Extensions>{assertion}</samlp:Extensions>{}",
                    evil.replace("\"_evil\"", "\"_assertion\"")
                ),
            ),
        ),
        (
            "elsewhere",
            alone.replace(
                assertion,
                &format!("<samlp:Extensions>{assertion}</samlp:Extensions>"),
            ),
        ),
        (
            "same ID at another element",
            alone.replace("<samlp:Status>", "<samlp:Status ID=\"_assertion\">"),
        ),
        ("two signatures", alone.replace(inner, &format!("{inner}{inner}"))),
    ];
    for (name, xml) in variants {
        let (step, detail) = refused(&xml, |_| {});
        assert_eq!(step, StepName::Signature, "{name}: {detail}");
    }
}

#[test]
fn only_the_one_form_of_signatures_is_verified() {
    let alone = signed_assertion_alone();
    let changed = |from: &str, to: &str| {
        assert!(alone.contains(from), "{from}");
        refused(&alone.replacen(from, to, 1), |_| {})
    };
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let enveloped = r#"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>"#;
    let xpath = r#"<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1=0</ds:XPath></ds:Transform>"#;
    let cases = [
        (
            changed(
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            ),
            "SHA-1",
        ),
        (
            changed(
                "http://www.w3.org/2001/04/xmlenc#sha256",
                "http://www.w3.org/2000/09/xmldsig#sha1",
            ),
            "SHA-1",
        ),
        (
            changed(
                "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            ),
            "hmac",
        ),
        (
            changed(exclusive, "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
            "not allowed",
        ),
        (changed(enveloped, ""), "the transforms are not"),
        (
            changed(enveloped, &format!("{enveloped}{xpath}")),
            "the transforms are not",
        ),
        (changed(enveloped, xpath), "the first transform is not"),
        (changed("URI=\"#_assertion\"", "URI=\"\""), "another element"),
        (
            changed("URI=\"#_assertion\"", "URI=\"#_response\""),
            "another element",
        ),
        (
            changed("URI=\"#_assertion\"", "URI=\"file:///etc/passwd\""),
            "another element",
        ),
        (
            changed("URI=\"#_assertion\"", "URI=\"#xpointer(id('_assertion'))\""),
            "another element",
        ),
        (
            changed(
                "</ds:Reference>",
                "</ds:Reference><ds:Reference URI=\"#_response\"/>",
            ),
            "SignedInfo is not",
        ),
        (
            changed("<ds:KeyInfo>", "<ds:Object/><ds:KeyInfo>"),
            "it is not SignedInfo",
        ),
        (
            changed(
                "<ds:SignatureMethod ",
                "<ds:SignatureMethod xmlns:a=\"urn:a\" a:Algorithm=\"b\" ",
            ),
            "strange attribute",
        ),
    ];
    for ((step, detail), part) in cases {
        assert_eq!(step, StepName::Signature);
        assert!(detail.contains(part), "{detail}");
    }
    // White space and InclusiveNamespaces are what identity providers have.
    let prefixes =
        r#"<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>"#;
    let inclusive = alone.replacen(
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
        &format!(
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">{prefixes}</ds:Transform>"
        ),
        1,
    );
    assert!(
        refused(&inclusive, |_| {}).1.contains("not by a key"),
        "it is looked at, and then does not fit"
    );
}

#[test]
fn what_was_signed_stays_as_it_was() {
    let alone = signed_assertion_alone();
    for (from, to, why) in [
        ("ada@acme.example", "root@acme.example", "was changed"),
        ("ada@acme.example", "ada@acme<!-- x -->.example", "comments"),
        ("ada@acme.example", "ada@acme<?x?>.example", "comments"),
        ("ada@acme.example", "ada@acme&e;.example", "no XML"),
        (
            "<samlp:Response",
            "<!DOCTYPE r [<!ENTITY e \"x\">]><samlp:Response",
            "no XML",
        ),
        (
            "Recipient=\"https://auth",
            "Recipient=\"https://evil",
            "was changed",
        ),
        ("Version=\"2.0\"", "Version=\"1.1\"", "not a Response of SAML 2.0"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", "not by a key"),
    ] {
        let detail = refused(&alone.replace(from, to), |_| {}).1;
        assert!(detail.contains(why), "{detail}");
    }
    let inner = between(&alone, SIGNATURE.0, SIGNATURE.1).to_owned();
    assert!(refused(&without(&alone, &inner), |_| {}).1.contains("not signed"));
    // A key that the message brings along is not believed.
    let environment = Environment::for_tests();
    let other = TestIdp::of(&environment, "conn_2").unwrap();
    let said = Said::of(&ada(), "_assertion".to_owned());
    let forged = test_idp::response(&other, IDP, &recipient(), &said, "_response", now()).unwrap();
    assert!(forged.contains(&metadata::in_xml(&other.certificate)));
    assert!(
        refused(&forged, |_| {})
            .1
            .contains("not by a key of the connection's certificates")
    );
    for (text, why) in [
        ("", "There is no SAMLResponse."),
        ("*", "is no base64"),
        ("/w==", "no UTF-8"),
        ("PGEvPg==", "The message is a a"),
    ] {
        let checked = check(text, &expected());
        assert!(checked.checks[0].detail.contains(why), "{:?}", checked.checks);
    }
    let long = check(&STANDARD.encode(" ".repeat(response::LONGEST + 1)), &expected());
    assert!(long.checks[0].detail.contains("longer than"));
}

#[test]
fn requests_are_read_as_they_were_made() {
    let new = NewRequest {
        id: "_sso_session_01.abc",
        issue_instant: NewRequest::instant(now()),
        sso_url: "https://idp.example/sso?tenant=a",
        acs_url: ACS,
        issuer: "https://auth.example/k?a&b",
        force_authn: true,
    };
    let made = certificates::generate(now()).unwrap();
    let url: url::Url = new
        .redirect_url("state &=", Some(&made.key))
        .unwrap()
        .parse()
        .unwrap();
    let get = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(
        (get("tenant").as_str(), get("RelayState").as_str()),
        ("a", "state &=")
    );
    let parameters = Parameters {
        request: get("SAMLRequest"),
        relay_state: get("RelayState"),
    };
    assert!(parameters.is_signed_by(&made.certificate, &get("SigAlg"), &get("Signature")));
    assert!(!parameters.is_signed_by(&TEST_IDP.1.certificate, &get("SigAlg"), &get("Signature")));
    let other = Parameters {
        relay_state: "other".to_owned(),
        ..parameters.clone()
    };
    assert!(!other.is_signed_by(&made.certificate, &get("SigAlg"), &get("Signature")));
    let request = request::read(&parameters.request).unwrap();
    assert_eq!(
        (request.id.as_str(), request.issuer.as_str()),
        (new.id, new.issuer)
    );
    assert_eq!(
        (request.acs_url.as_deref(), request.force_authn),
        (Some(ACS), true)
    );
    assert_eq!(request::session_id_in(&request.id), Some("sso_session_01"));
    let bomb = {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 1 << 24]).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    assert_eq!(request::read(&bomb), Err(RequestError::Inflate));
    assert_eq!(request::read("*"), Err(RequestError::Base64));
    assert_eq!(request::read("AAAA"), Err(RequestError::Inflate));
    assert_eq!(
        request::read(&STANDARD.encode("<a/>")),
        Err(RequestError::NoAuthnRequest)
    );
}

#[test]
fn reads_the_metadata_that_identity_providers_publish() {
    let own = metadata::of_test_idp(IDP, &TEST_IDP.1.certificate, false).unwrap();
    let read = parse_idp_metadata(&own).unwrap();
    assert_eq!((read.entity_id.as_str(), read.sso_url.as_str()), (IDP, IDP));
    assert_eq!(read.certificates, std::slice::from_ref(&TEST_IDP.1.certificate));
    let federation = format!(
        "\u{feff}<?xml version='1.0'?><!-- of ours --><f:EntitiesDescriptor xmlns:f='urn:oasis:names:tc:SAML:2.0:metadata'>{}</f:EntitiesDescriptor>",
        between(&own, "<md:EntityDescriptor", "</md:EntityDescriptor>")
    );
    assert_eq!(parse_idp_metadata(&federation).unwrap(), read);
    let provider = ServiceProvider {
        entity_id: SP.to_owned(),
        acs_url: ACS.to_owned(),
    };
    let sp = metadata::of_service_provider(&provider, std::iter::empty(), std::iter::empty()).unwrap();
    assert!(sp.contains(r#"AuthnRequestsSigned="false""#) && sp.contains(ACS));
    for (xml, error) in [
        (sp, MetadataError::NoIdentityProvider),
        (own.replace("HTTP-Redirect", "SOAP"), MetadataError::NoSsoUrl),
        (
            own.replace(&format!("Location=\"{IDP}\""), "Location=\"javascript:alert(1)\""),
            MetadataError::NoSsoUrl,
        ),
        (own.replace("entityID=", "ID="), MetadataError::NoEntityId),
        (
            own.replace("use=\"signing\"", "use=\"encryption\""),
            MetadataError::NoCertificate,
        ),
        (
            own.replace("<ds:X509Certificate>MII", "<ds:X509Certificate>*"),
            MetadataError::Certificate("it is no base64".to_owned()),
        ),
        (
            federation.replace(
                "</md:EntityDescriptor>",
                &format!(
                    "</md:EntityDescriptor>{}",
                    between(&own, "<md:EntityDescriptor", "</md:EntityDescriptor>")
                ),
            ),
            MetadataError::Several,
        ),
        (" ".repeat(metadata::LONGEST + 1), MetadataError::TooLong),
    ] {
        assert_eq!(parse_idp_metadata(&xml), Err(error));
    }
    assert!(matches!(parse_idp_metadata("{}"), Err(MetadataError::NoXml(_))));
    assert!(matches!(
        parse_idp_metadata("<!DOCTYPE a><a/>"),
        Err(MetadataError::NoXml(_))
    ));
}
