//! Everything that somebody could send to an assertion consumer service who must not get in.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{Browser, Carried, EMAIL, World, parameter, post, refused_step, world};

/// From the first `from` to the end of the next `until`.
fn between<'a>(text: &'a str, from: &str, until: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from}: {text}"));
    let length = text[start..].find(until).unwrap() + until.len();
    &text[start..start + length]
}

fn assertion(xml: &str) -> &str {
    between(xml, "<saml:Assertion ", "</saml:Assertion>")
}

fn signature(xml: &str) -> &str {
    between(xml, "<ds:Signature ", "</ds:Signature>")
}

fn without(xml: &str, part: &str) -> String {
    xml.replacen(part, "", 1)
}

/// The response without its own signature: that of the assertion is all that there is.
fn assertion_alone(xml: &str) -> String {
    without(xml, signature(xml))
}

fn id(xml: &str) -> &str {
    between(xml, "ID=\"", "\" ").trim_end()
}

/// The same with another person, and an ID of its own.
fn forged(xml: &str) -> String {
    xml.replace(EMAIL, "root@acme.example")
        .replace(id(xml), "ID=\"_evil\"")
}

/// Puts something into a signature, where nobody looks.
fn hidden_in(signature: &str, what: &str) -> String {
    signature.replace(
        "</ds:Signature>",
        &format!("<ds:Object>{what}</ds:Object></ds:Signature>"),
    )
}

/// What is forged, how, in which step that is seen, and what is said of it.
type Attack = (&'static str, fn(&str) -> String, &'static str, &'static str);

#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    ("unsigned", |xml| {
        let alone = assertion_alone(xml);
        without(&alone, signature(&alone)).replace(EMAIL, "root@acme.example")
    }, "signature", "is not signed"),
    ("changed", |xml| xml.replace(EMAIL, "root@acme.example"), "signature", "changed after it was signed"),
    ("changed in the assertion", |xml| assertion_alone(xml).replace(EMAIL, "root@acme.example"), "signature", "changed after it was signed"),
    // Wrapping: a signed response, or a signed assertion, in a place where nobody reads it.
    ("XSW1", |xml| {
        let (own, plain) = (signature(xml), assertion_alone(xml));
        let evil = forged(&without(&plain, signature(&plain)));
        evil.replacen("<samlp:Status>", &format!("{}<samlp:Status>", hidden_in(own, &plain)), 1)
    }, "signature", "several assertions"),
    ("XSW2", |xml| {
        let (own, plain) = (signature(xml), assertion_alone(xml));
        let evil = forged(&without(&plain, signature(&plain)));
        evil.replacen("<samlp:Status>", &format!("{plain}{own}<samlp:Status>"), 1)
    }, "signature", "several assertions"),
    ("XSW3", |xml| {
        let alone = assertion_alone(xml);
        let (good, inner) = (assertion(&alone), signature(&alone));
        alone.replace(good, &format!("{}{good}", forged(&without(good, inner))))
    }, "signature", "several assertions"),
    ("XSW4", |xml| {
        let alone = assertion_alone(xml);
        let (good, inner) = (assertion(&alone), signature(&alone));
        let evil = forged(&without(good, inner));
        alone.replace(good, &evil.replace("</saml:Assertion>", &format!("{good}</saml:Assertion>")))
    }, "signature", "several assertions"),
    ("XSW5", |xml| {
        let alone = assertion_alone(xml);
        let (good, inner) = (assertion(&alone), signature(&alone));
        alone.replace(good, &format!("{}{}", forged(good), without(good, inner)))
    }, "signature", "several assertions"),
    ("XSW6", |xml| {
        let alone = assertion_alone(xml);
        let (good, inner) = (assertion(&alone), signature(&alone));
        let around = hidden_in(inner, &without(good, inner));
        alone.replace(good, &forged(good).replace(inner, &around))
    }, "signature", "several assertions"),
    ("XSW7", |xml| {
        let alone = assertion_alone(xml);
        let (good, inner) = (assertion(&alone), signature(&alone));
        let evil = forged(&without(good, inner));
        alone.replace(good, &format!("<samlp:Extensions>{evil}</samlp:Extensions>{good}"))
    }, "signature", "several assertions"),
    ("XSW8", |xml| {
        let alone = assertion_alone(xml);
        let (good, inner) = (assertion(&alone), signature(&alone));
        let around = hidden_in(inner, &without(good, inner));
        alone.replace(good, &forged(&without(good, inner)).replace("<saml:Subject>", &format!("{around}<saml:Subject>")))
    }, "signature", "several assertions"),
    ("the one assertion elsewhere", |xml| {
        let alone = assertion_alone(xml);
        let good = assertion(&alone);
        alone.replace(good, &format!("<samlp:Extensions>{good}</samlp:Extensions>"))
    }, "signature", "does not stand in the response"),
    ("an assertion of another namespace", |xml| {
        let alone = assertion_alone(xml);
        let good = assertion(&alone);
        let evil = forged(&without(good, signature(good))).replace("saml:", "evil:").replace("<evil:Assertion ", "<evil:Assertion xmlns:evil=\"urn:evil\" ");
        // Nobody reads it: the one that is signed counts, and it is the old one.
        alone.replace(good, &format!("{evil}{good}")).replace("<saml:NameID", "<saml:NameID a=\"b\"")
    }, "signature", "changed after it was signed"),
    ("an ID twice", |xml| {
        let alone = assertion_alone(xml);
        let id = id(assertion(&alone)).to_owned();
        alone.replace("<samlp:Status>", &format!("<samlp:Status {id}>"))
    }, "signature", "stands at two elements"),
    ("two signatures", |xml| {
        let alone = assertion_alone(xml);
        let inner = signature(&alone).to_owned();
        alone.replace(&inner, &format!("{inner}{inner}"))
    }, "signature", "another form than SAML allows"),
    ("three signatures", |xml| {
        let own = signature(xml).to_owned();
        xml.replacen(&own, &format!("{own}{own}"), 1)
    }, "signature", "there are 3 of them"),
    // The signature itself.
    ("SHA-1 signature", |xml| assertion_alone(xml).replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "signature", "SHA-1"),
    ("SHA-1 digest", |xml| assertion_alone(xml).replace("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"), "signature", "SHA-1"),
    ("HMAC with the public key", |xml| assertion_alone(xml).replace("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"), "signature", "which is not allowed"),
    ("nothing is digested", |xml| {
        let alone = assertion_alone(xml);
        let reference = between(&alone, "<ds:Reference ", "</ds:Reference>").to_owned();
        alone.replace(&reference, "")
    }, "signature", "SignedInfo is not two methods and one reference"),
    ("a reference to a file", |xml| {
        let alone = assertion_alone(xml);
        let uri = between(&alone, "URI=\"#", "\">").to_owned();
        alone.replace(&uri, "URI=\"Cargo.toml\">")
    }, "signature", "another element"),
    ("XSLT", |xml| assertion_alone(xml).replace("<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>"), "signature", "which is not allowed"),
    // The text.
    ("comment", |xml| xml.replace(EMAIL, "ada@acme.example<!-- -->.evil.example"), "saml_message", "comments"),
    ("comment that changes no signature", |xml| xml.replace(EMAIL, "ada@acme<!-- -->.example"), "saml_message", "comments"),
    ("processing instruction", |xml| xml.replace(EMAIL, "ada@acme<?a?>.example"), "saml_message", "comments"),
    ("XXE", |xml| format!("<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}", xml.replace(EMAIL, "&e;")), "saml_message", "no XML that is read here"),
    ("billion laughs", |xml| format!("<!DOCTYPE r [<!ENTITY a \"haha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>{}", xml.replace(EMAIL, "&c;")), "saml_message", "no XML that is read here"),
    ("external DTD", |xml| format!("<!DOCTYPE r SYSTEM \"http://127.0.0.1:1/e.dtd\">{xml}"), "saml_message", "no XML that is read here"),
    ("deep", |xml| xml.replace("<samlp:Status>", &format!("{}{}<samlp:Status>", "<a>".repeat(20_000), "</a>".repeat(20_000))), "saml_message", "no XML that is read here"),
    ("cut off", |xml| xml[..xml.len() - 1].to_owned(), "saml_message", "no XML that is read here"),
    ("no response", |_| "<a xmlns=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>".to_owned(), "saml_message", "not a Response of SAML 2.0"),
    ("an assertion alone", |xml| assertion(xml).replacen("<saml:Assertion ", "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ", 1), "saml_message", "not a Response of SAML 2.0"),
    ("no assertion", |xml| {
        let alone = assertion_alone(xml);
        without(&alone, assertion(&alone))
    }, "signature", "no assertion"),
    ("too long", |xml| format!("{xml}{}", " ".repeat(512 * 1024)), "saml_message", "longer than"),
    // What an unsigned response says around a signed assertion.
    ("another request", |xml| {
        let alone = assertion_alone(xml);
        let request = between(&alone, " InResponseTo=\"", "\">").to_owned();
        alone.replacen(request.trim_end_matches('>'), "", 1)
    }, "correlation", "The response answers no request"),
    ("another destination", |xml| assertion_alone(xml).replacen("Destination=\"http", "Destination=\"https", 1), "recipient", "The Destination is"),
    ("another issuer", |xml| assertion_alone(xml).replacen("<saml:Issuer>http", "<saml:Issuer>https", 1), "issuer", "The response is issued by"),
    ("a status that is none", |xml| assertion_alone(xml).replace("status:Success", "status:Responder"), "saml_status", "Responder"),
];

#[actix_web::test]
async fn whatever_is_made_up_is_refused_and_told() {
    let world = world().await;
    for (name, attack, step, reason) in ATTACKS {
        let browser = Browser::new();
        let signed = world.signed(&browser).await;
        let made_up = attack(&signed.xml);
        assert_ne!(made_up, signed.xml, "{name}");
        let back = signed.with(made_up).deliver(&browser).await;
        world.assert_refused(name, &back, step, reason).await;
    }
    // It is the forgery that is refused.
    let browser = Browser::new();
    let signed = world.signed(&browser).await;
    let alone = signed.with(assertion_alone(&signed.xml));
    assert!(parameter(&alone.deliver(&browser).await, "code").is_some());
}

#[actix_web::test]
async fn what_is_no_message_at_all_is_refused_and_told() {
    let world = world().await;
    for (response, reason) in [
        ("", "There is no SAMLResponse."),
        ("%%%", "no base64"),
        ("////", "no UTF-8"),
        (&STANDARD.encode("{}"), "no XML"),
    ] {
        let browser = Browser::new();
        let signed = world.signed(&browser).await;
        let posted = post(&signed.acs_url, response, signed.relay_state.as_deref()).await;
        assert_eq!(posted.status, 303, "{}", posted.text);
        let back = browser.step(posted.location()).await.location();
        world.assert_refused(reason, &back, "saml_message", reason).await;
    }
    let nowhere = format!("{}/sso/saml/acs/none", world.emulator.url());
    assert_eq!(post(&nowhere.parse().unwrap(), "", None).await.status, 404);
    let finish = format!("{}/sso/saml/finish", world.emulator.url());
    for url in [finish.clone(), format!("{finish}?answer=guessed")] {
        assert_eq!(Browser::new().step(url).await.status, 400);
    }
}

#[actix_web::test]
async fn an_assertion_is_for_one_service_provider_and_one_time() {
    let world = world().await;
    let clock = world.emulator.clock();
    clock.freeze();
    let now = clock.now();
    let browser = Browser::new();
    let signed = world.signed(&browser).await;
    clock.set(now + Duration::from_secs(361));
    let back = signed.deliver(&browser).await;
    world
        .assert_refused("expired", &back, "validity", "It was valid until")
        .await;
    clock.set(now);
    let signed = world.signed(&browser).await;
    clock.set(now - Duration::from_secs(61));
    let back = signed.deliver(&browser).await;
    world
        .assert_refused("not yet", &back, "validity", "It is valid from")
        .await;
    // The clocks of two machines differ.
    clock.set(now);
    let signed = world.signed(&browser).await;
    clock.set(now + Duration::from_secs(359));
    assert!(parameter(&signed.deliver(&browser).await, "code").is_some());
    clock.set(now);

    let signed = world.signed(&browser).await;
    world.change(json!({"sp_entity_id": "urn:acme:other"})).await;
    let back = signed.deliver(&browser).await;
    world
        .assert_refused("audience", &back, "audience", "SP entity id is urn:acme:other")
        .await;
    let signed = world.signed(&browser).await;
    assert!(
        signed
            .xml
            .contains("<saml:Audience>urn:acme:other</saml:Audience>")
    );
    assert!(parameter(&signed.deliver(&browser).await, "code").is_some());

    let signed = world.signed(&browser).await;
    world
        .change(json!({"acs_url": "http://localhost:4000/acs"}))
        .await;
    let back = signed.deliver(&browser).await;
    world
        .assert_refused(
            "recipient",
            &back,
            "recipient",
            "ACS URL is http://localhost:4000/acs",
        )
        .await;
    // The application may let responses come to itself, and pass them on.
    let through = world.signed(&browser).await;
    assert_eq!(through.acs_url.as_str(), "http://localhost:4000/acs");
    let passed_on = Carried {
        acs_url: signed.acs_url.clone(),
        ..through
    };
    assert!(parameter(&passed_on.deliver(&browser).await, "code").is_some());
    world.change(json!({"acs_url": null})).await;

    // The identity provider has another name where the browser knows the emulator by another name.
    let signed = world.signed(&browser).await;
    let mut elsewhere = signed.clone();
    elsewhere.acs_url.set_host(Some("localhost")).unwrap();
    let posted = elsewhere.post().await.location();
    let mut here = posted.clone();
    here.set_host(signed.acs_url.host_str()).unwrap();
    let back = browser.step(here).await.location();
    world
        .assert_refused(
            "issuer",
            &back,
            "issuer",
            "the entity id of the connection's identity provider is",
        )
        .await;
}

#[actix_web::test]
async fn an_identity_provider_speaks_for_its_own_connection() {
    let world = world().await;
    world.default_redirect_uri().await;
    let evil = world
        .emulator
        .organization("Evil")
        .domain("evil.example")
        .create()
        .unwrap();
    let theirs = world
        .emulator
        .connection(&evil)
        .connection_type("AzureSAML")
        .create()
        .unwrap();
    let browser = Browser::new();
    let begun = async |world: &World, id: &str| {
        let url = format!(
            "{}/idp/{id}?client_id={}",
            world.emulator.url(),
            world.emulator.client_id()
        );
        let page = browser.visit(url).await;
        Carried::of(&browser.submit_and_stop(&page, &[("email", EMAIL)]).await)
    };
    let ours = begun(&world, &world.okta.id).await;
    let other_key = Carried {
        acs_url: ours.acs_url.clone(),
        ..begun(&world, &theirs.id).await
    };
    let back = other_key.deliver(&browser).await;
    world
        .assert_refused(
            "another key",
            &back,
            "signature",
            "not by a key of the connection's certificates",
        )
        .await;
    assert_eq!(parameter(&back, "connection_id"), Some(world.okta.id.clone()));
    // Nobody asked for it, and it is good once.
    let consent = ours.deliver(&browser).await;
    assert_eq!(consent.path(), "/sso/consent");
    let back = ours.deliver(&browser).await;
    world
        .assert_refused("replayed", &back, "replay", "used before")
        .await;
    // The answer to a request is none where that is not said.
    let page = browser.visit(world.authorize(&theirs)).await;
    let asked = Carried::of(
        &browser
            .submit_and_stop(&page, &[("email", "eve@evil.example")])
            .await,
    );
    let elsewhere = Carried {
        acs_url: ours.acs_url.clone(),
        ..asked
    };
    assert_eq!(
        elsewhere.post().await.status,
        400,
        "no sign-in of this connection asked for it"
    );
    let of_theirs = &world.traces(&theirs.id).await[0];
    assert_eq!(of_theirs["status"], "in_progress");
    assert!(!of_theirs["steps"].to_string().contains("false"), "{of_theirs}");
    let traces = world.traces(&world.okta.id).await;
    assert_eq!(
        traces.iter().filter(|trace| trace["status"] == "failed").count(),
        2
    );
    assert_eq!(refused_step(&traces[0])["step"], "replay");
}
