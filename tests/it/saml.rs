//! SAML: the test identity provider signs, the assertion consumer service checks, and what somebody made up is refused, with
//! the reason in the trace.

mod attacks;
mod federation;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos_emulator::{Connection, Emulator, Organization};

use crate::{
    browser::{Browser, Page},
    http,
};

const EMAIL: &str = "ada@acme.example";
const CALLBACK: &str = "http://localhost:3000/callback";

struct World {
    emulator: Emulator,
    acme: Organization,
    okta: Connection,
}

async fn world() -> World {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap();
    let okta = emulator
        .connection(&acme)
        .connection_type("OktaSAML")
        .create()
        .unwrap();
    World { emulator, acme, okta }
}

/// A response on its way from the identity provider to WorkOS, as the browser has it.
#[derive(Clone)]
struct Carried {
    acs_url: Url,
    xml: String,
    relay_state: Option<String>,
}

impl Carried {
    fn of(page: &Page) -> Self {
        let response = STANDARD.decode(page.hidden("SAMLResponse")).unwrap();
        Self {
            acs_url: page.action(),
            xml: String::from_utf8(response).unwrap(),
            relay_state: page
                .text
                .contains("RelayState")
                .then(|| page.hidden("RelayState")),
        }
    }

    fn with(&self, xml: String) -> Self {
        Self { xml, ..self.clone() }
    }

    /// Posts it as the page of another site does: without the cookies of WorkOS. Where the browser is sent then.
    async fn post(&self) -> Page {
        post(
            &self.acs_url,
            &STANDARD.encode(&self.xml),
            self.relay_state.as_deref(),
        )
        .await
    }

    /// Posts it, and lets the browser fetch the answer. Where that leads.
    async fn deliver(&self, browser: &Browser) -> Url {
        let posted = self.post().await;
        assert_eq!(posted.status, 303, "{}", posted.text);
        browser.step(posted.location()).await.location()
    }
}

async fn post(acs_url: &Url, response: &str, relay_state: Option<&str>) -> Page {
    let mut fields = vec![("SAMLResponse", response)];
    fields.extend(relay_state.map(|relay_state| ("RelayState", relay_state)));
    Browser::new().post_and_stop(acs_url, &fields).await
}

impl World {
    fn authorize(&self, connection: &Connection) -> String {
        let query = format!(
            "response_type=code&redirect_uri={CALLBACK}&state=s&connection={}",
            connection.id
        );
        format!(
            "{}/sso/authorize?client_id={}&{query}",
            self.emulator.url(),
            self.emulator.client_id()
        )
    }

    /// Goes to the test identity provider, for the application.
    async fn ask(&self, browser: &Browser) -> Page {
        let page = browser.visit(self.authorize(&self.okta)).await;
        assert_eq!(
            (page.status, page.url.path()),
            (200, format!("/idp/{}", self.okta.id).as_str())
        );
        page
    }

    /// The response that the test identity provider makes for Ada.
    async fn signed(&self, browser: &Browser) -> Carried {
        let page = self.ask(browser).await;
        Carried::of(&browser.submit_and_stop(&page, &[("email", EMAIL)]).await)
    }

    async fn traces(&self, connection_id: &str) -> Vec<Value> {
        let path = format!("/_emulate/sso/traces?connection_id={connection_id}");
        let (_, mut list) = http::call(&self.emulator, Method::GET, &path, &Value::Null).await;
        match list["data"].take() {
            Value::Array(traces) => traces,
            other => panic!("{other}"),
        }
    }

    /// The last sign-in was refused in this step, for this reason, and the application was told.
    async fn assert_refused(&self, name: &str, back: &Url, step: &str, reason: &str) {
        assert!(back.as_str().starts_with(CALLBACK), "{name}: {back}");
        assert_eq!(
            parameter(back, "error").as_deref(),
            Some("server_error"),
            "{name}: {back}"
        );
        let trace = &self.traces(&self.okta.id).await[0];
        assert_eq!(trace["status"], "failed", "{name}: {trace}");
        let refused = refused_step(trace);
        let detail = refused["detail"].as_str().unwrap();
        assert!(
            refused["step"] == step && detail.contains(reason),
            "{name}: {refused}"
        );
    }

    async fn default_redirect_uri(&self) {
        let body = json!({"uri": CALLBACK});
        let (status, _) = http::call(
            &self.emulator,
            Method::POST,
            "/user_management/redirect_uris",
            &body,
        )
        .await;
        assert_eq!(status, 201);
    }

    async fn change(&self, saml_options: Value) {
        let path = format!("/connections/{}", self.okta.id);
        let body = json!({"saml_options": saml_options});
        let (status, body) = http::call(&self.emulator, Method::PATCH, &path, &body).await;
        assert_eq!(status, 200, "{body}");
    }
}

fn refused_step(trace: &Value) -> &Value {
    let mut steps = trace["steps"].as_array().unwrap().iter();
    steps
        .find(|step| step["passed"] == false)
        .unwrap_or_else(|| panic!("all is well: {trace}"))
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

#[actix_web::test]
async fn each_check_stands_in_the_trace() {
    let world = world().await;
    let browser = Browser::new();
    let signed = world.signed(&browser).await;
    assert_eq!(
        signed.acs_url.path(),
        format!("/sso/saml/acs/{}", world.key().await)
    );
    let back = signed.deliver(&browser).await;
    assert!(parameter(&back, "code").is_some(), "{back}");
    let trace = &world.traces(&world.okta.id).await[0];
    let steps = trace["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["passed"] == true), "{trace}");
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "request",
            "departure",
            "departure",
            "saml_message",
            "saml_status",
            "signature",
            "issuer",
            "recipient",
            "audience",
            "validity",
            "replay",
            "correlation",
            "response",
            "correlation",
            "connection",
            "attributes",
            "domain",
            "profile",
            "code"
        ]
    );
    let (status, page) = {
        let page = Browser::new()
            .visit(format!("{}/sso/traces", world.emulator.url()))
            .await;
        (page.status, page.text)
    };
    assert_eq!(status, 200);
    assert!(
        page.contains("Signature") && page.contains("signed by a key of the connection"),
        "{page}"
    );
}

impl World {
    async fn connection(&self) -> Value {
        let path = format!("/_emulate/connections/{}", self.okta.id);
        http::call(&self.emulator, Method::PATCH, &path, &json!({}))
            .await
            .1
    }

    async fn key(&self) -> String {
        self.connection().await["external_key"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

#[actix_web::test]
async fn an_assertion_is_good_once_soon_and_for_its_sign_in() {
    let world = world().await;
    let (ada, eve) = (Browser::new(), Browser::new());
    // Another browser gets nothing, and the trace tells of it.
    let signed = world.signed(&ada).await;
    let posted = signed.post().await;
    assert_eq!(eve.step(posted.location()).await.status, 400);
    let trace = &world.traces(&world.okta.id).await[0];
    let refused = refused_step(trace);
    assert_eq!(refused["step"], "correlation");
    assert!(
        refused["detail"].as_str().unwrap().contains("another browser"),
        "{refused}"
    );
    assert_eq!(
        trace["status"], "in_progress",
        "nobody can end the sign-in of somebody else"
    );
    // It was used up by that.
    let back = signed.deliver(&ada).await;
    world
        .assert_refused("used", &back, "correlation", "another browser")
        .await;
    let reasons = world.traces(&world.okta.id).await[0].to_string();
    assert!(reasons.contains("The assertion was used before."), "{reasons}");
    // Twice to the same sign-in.
    let signed = world.signed(&ada).await;
    let first = signed.post().await;
    let back = signed.deliver(&ada).await;
    world
        .assert_refused("replayed", &back, "replay", "used before")
        .await;
    assert_eq!(
        ada.step(first.location()).await.status,
        400,
        "the sign-in is over"
    );
    assert_eq!(signed.post().await.status, 400, "and its request is unknown");
    // With the RelayState of another sign-in, be it of the same browser.
    for browser in [&ada, &eve] {
        let (two, one) = (world.signed(browser).await, world.signed(&ada).await);
        let mixed = Carried {
            relay_state: two.relay_state,
            ..one
        };
        let back = mixed.deliver(&ada).await;
        world
            .assert_refused("mixed", &back, "correlation", "RelayState")
            .await;
    }
    let without = Carried {
        relay_state: None,
        ..world.signed(&ada).await
    };
    let back = without.deliver(&ada).await;
    world
        .assert_refused("without", &back, "correlation", "RelayState")
        .await;
    // An answer is fetched once, within two minutes.
    let signed = world.signed(&ada).await;
    let posted = signed.post().await.location();
    world.emulator.clock().advance(Duration::from_secs(121));
    let back = ada.step(posted.as_str()).await.location();
    world
        .assert_refused("late", &back, "response", "its time to be fetched is over")
        .await;
    assert_eq!(ada.step(posted.as_str()).await.status, 400);
}

#[actix_web::test]
async fn requests_are_signed_and_force_authentication_where_that_is_wanted() {
    let mut world = world().await;
    let url = format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&connection_id={}&prompt=login",
        world.emulator.url(),
        world.emulator.client_id(),
        world.okta.id,
    );
    Browser::new().visit(&url).await;
    let trace = &world.traces(&world.okta.id).await[0];
    let departure = trace["steps"][2]["detail"].as_str().unwrap();
    assert!(departure.contains("unsigned, ForceAuthn, to "), "{departure}");
    // The API makes a key for each connection that it creates. Nobody answers at an example's address but the stand-in.
    let options = json!({
        "idp_sso_url": "https://idp.example.com/sso", "idp_signing_certs": [include_str!("certificates/idp.pem")],
    });
    let body =
        json!({"organization_id": world.acme.id, "connection_type": "AzureSAML", "saml_options": options});
    let (status, created) = http::call(&world.emulator, Method::POST, "/connections", &body).await;
    assert_eq!(status, 201, "{created}");
    world.okta.id = created["id"].as_str().unwrap().to_owned();
    let browser = Browser::new();
    let page = world.ask(&browser).await;
    assert!(parameter(&page.url, "Signature").is_some());
    let departure = world.traces(&world.okta.id).await[0]["steps"][2]["detail"].to_string();
    assert!(departure.contains(", signed, to "), "{departure}");
    for (name, value) in [("RelayState", "other"), ("Signature", "AAAA"), ("SigAlg", "")] {
        let mut changed = page.url.clone();
        let pairs: Vec<_> = page.url.query_pairs().into_owned().collect();
        changed.query_pairs_mut().clear().extend_pairs(
            pairs
                .iter()
                .map(|(key, old)| (key, if key == name { value } else { old.as_str() })),
        );
        let refused = browser.visit(changed.as_str()).await;
        assert_eq!(refused.status, 400, "{name}");
        assert!(
            refused.text.contains("not signed with the key"),
            "{name}: {}",
            refused.text
        );
    }
    let signed = Carried::of(&browser.submit_and_stop(&page, &[("email", EMAIL)]).await);
    let back = signed.deliver(&browser).await;
    assert!(parameter(&back, "code").is_some(), "{back}");
    // The identity provider learns the key from the metadata.
    let key = world.key().await;
    let metadata = Browser::new()
        .visit(format!("{}/sso/saml/metadata/{key}", world.emulator.url()))
        .await;
    assert_eq!(
        metadata.headers["content-type"],
        "application/samlmetadata+xml; charset=utf-8"
    );
    for part in [
        r#"AuthnRequestsSigned="true""#.to_owned(),
        r#"<md:KeyDescriptor use="signing">"#.to_owned(),
        r#"<md:KeyDescriptor use="encryption">"#.to_owned(),
        format!(r#"entityID="{}/{key}""#, world.emulator.url()),
        format!(r#"Location="{}/sso/saml/acs/{key}""#, world.emulator.url()),
    ] {
        assert!(metadata.text.contains(&part), "{part}: {}", metadata.text);
    }
    assert_eq!(
        Browser::new()
            .visit(format!("{}/sso/saml/metadata/none", world.emulator.url()))
            .await
            .status,
        404
    );
}

#[actix_web::test]
async fn the_stand_in_answers_no_strange_requests() {
    let world = world().await;
    let browser = Browser::new();
    let page = world.ask(&browser).await;
    let idp = format!("{}/idp/{}", world.emulator.url(), world.okta.id);
    let ask = async |request: &str, relay_state: &str| {
        let fields = [("SAMLRequest", request), ("RelayState", relay_state)];
        Browser::new()
            .post_and_stop(&format!("{idp}/saml"), &fields)
            .await
    };
    let request = |acs_url: &str| {
        STANDARD.encode(format!(
            r#"<p:AuthnRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" AssertionConsumerServiceURL="{acs_url}"><a:Issuer>urn:other</a:Issuer></p:AuthnRequest>"#
        ))
    };
    for (request, reason) in [
        ("*", "no base64"),
        (
            request("https://evil.example/acs").as_str(),
            "none of the environment",
        ),
        (request("javascript:alert(1)").as_str(), "none of the environment"),
        (request("").as_str(), "does not say where"),
    ] {
        let refused = ask(request, "").await;
        assert_eq!(refused.status, 400);
        assert!(refused.text.contains(reason), "{reason}: {}", refused.text);
    }
    // A service provider of this machine is answered, and WorkOS does not take that answer.
    let foreign = ask(&request("http://localhost:4000/acs"), "theirs").await;
    assert_eq!(foreign.status, 200, "{}", foreign.text);
    let carried = Carried::of(&browser.submit_and_stop(&foreign, &[("email", EMAIL)]).await);
    assert_eq!(carried.acs_url.as_str(), "http://localhost:4000/acs");
    assert_eq!(carried.relay_state.as_deref(), Some("theirs"));
    assert!(
        carried.xml.contains("<saml:Audience>urn:other</saml:Audience>")
            && carried.xml.contains(r#"InResponseTo="_1""#)
    );
    // The request of a sign-in that is over is over.
    let signed = Carried::of(&browser.submit_and_stop(&page, &[("email", EMAIL)]).await);
    signed.deliver(&browser).await;
    let late = browser.submit_and_stop(&page, &[("email", EMAIL)]).await;
    assert_eq!(late.status, 400);
    assert!(late.text.contains("is over"), "{}", late.text);
    for path in ["/idp/conn_none", "/idp/conn_none/metadata"] {
        let url = format!("{}{path}", world.emulator.url());
        assert_eq!(browser.visit(url).await.status, 400, "{path}");
    }
}
