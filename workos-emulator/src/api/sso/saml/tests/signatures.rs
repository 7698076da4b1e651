//! What is signed is what is read, and nothing else is.

use super::*;

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
