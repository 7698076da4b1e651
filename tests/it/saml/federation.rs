//! One emulator as the identity provider of another one: by metadata, and set up by hand.

use std::{future::ready, time::Duration};

use actix_web::{App, HttpRequest, HttpResponse, http::header::HeaderValue, web};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Browser, Carried, EMAIL, World, http, parameter, refused_step, world};
use crate::server;

const TYPE: &str = "application/samlmetadata+xml";

/// The identity provider of another company, which is a stand-in of another emulator.
struct Idp {
    world: World,
    entity_id: String,
    metadata: String,
    certificate: String,
}

async fn idp() -> Idp {
    let world = world().await;
    let entity_id = format!("{}/idp/{}", world.emulator.url(), world.okta.id);
    let page = Browser::new().visit(format!("{entity_id}/metadata")).await;
    assert_eq!(page.status, 200);
    let (_, certificate) = page.text.split_once("<ds:X509Certificate>").unwrap();
    let (certificate, _) = certificate.split_once('<').unwrap();
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    Idp {
        metadata: format!("{entity_id}/metadata"),
        world,
        entity_id,
        certificate,
    }
}

/// A connection to another identity provider, made by the API.
async fn connected(saml_options: &Value) -> World {
    let mut world = world().await;
    let body = json!({"organization_id": world.acme.id, "connection_type": "OktaSAML", "saml_options": saml_options});
    let (status, created) = http::call(&world.emulator, Method::POST, "/connections", &body).await;
    assert_eq!(status, 201, "{created}");
    world.okta.id = created["id"].as_str().unwrap().to_owned();
    world
}

/// Signs in at the other emulator, for an application of this one. What it answers.
async fn signed(world: &World, idp: &Idp, browser: &Browser) -> Carried {
    let page = browser.visit(world.authorize(&world.okta)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.url.as_str().starts_with(&idp.entity_id), "{}", page.url);
    Carried::of(
        &browser
            .submit_and_stop(&page, &[("email", EMAIL), ("groups", "Engineering, Admins")])
            .await,
    )
}

async fn states(world: &World) -> Value {
    let path = format!("/connections/{}", world.okta.id);
    http::call(&world.emulator, Method::GET, &path, &Value::Null)
        .await
        .1["state"]
        .take()
}

#[actix_web::test]
async fn an_identity_provider_is_learnt_from_its_metadata() {
    let idp = idp().await;
    let world = connected(&json!({"idp_metadata_url": idp.metadata})).await;
    assert_eq!(states(&world).await, "validating");
    let browser = Browser::new();
    let signed_in = signed(&world, &idp, &browser).await;
    let back = signed_in.deliver(&browser).await;
    assert!(parameter(&back, "code").is_some(), "{back}");
    assert_eq!(states(&world).await, "active");
    let trace = &world.traces(&world.okta.id).await[0];
    assert!(
        trace["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["passed"] == true),
        "{trace}"
    );
    let query = json!({
        "client_id": world.emulator.client_id(), "client_secret": world.emulator.api_key(),
        "grant_type": "authorization_code", "code": parameter(&back, "code"),
    });
    let (_, tokens) = http::call(&world.emulator, Method::POST, "/sso/token", &query).await;
    let profile = &tokens["profile"];
    assert_eq!(profile["email"], EMAIL);
    assert_eq!(profile["groups"], json!(["Engineering", "Admins"]));
    assert_eq!(
        profile["raw_attributes"]["groups"],
        json!(["Engineering", "Admins"])
    );
    let certificates = format!("/connections/{}/saml_idp_signing_certs", world.okta.id);
    let (_, list) = http::call(&world.emulator, Method::GET, &certificates, &Value::Null).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    // It answers nobody by itself any more.
    let stand_in = format!("{}/idp/{}", world.emulator.url(), world.okta.id);
    assert_eq!(browser.visit(stand_in).await.status, 400);
    // Without an identity provider there is no sign-in, and the application is told.
    world
        .change(json!({"idp_metadata_url": format!("{}/health", idp.world.emulator.url())}))
        .await;
    let page = browser.step(world.authorize(&world.okta)).await.location();
    let back = browser.step(page).await.location();
    world
        .assert_refused(
            "no metadata",
            &back,
            "departure",
            "cannot be used: the metadata are no XML",
        )
        .await;
}

#[actix_web::test]
async fn metadata_are_asked_for_by_their_name() {
    let idp = idp().await;
    let metadata = Browser::new().visit(&idp.metadata).await.text;
    let world = connected(&json!({"idp_metadata_url": picky(metadata)})).await;
    let browser = Browser::new();
    let back = signed(&world, &idp, &browser).await.deliver(&browser).await;
    assert!(parameter(&back, "code").is_some(), "{back}");
}

/// A server that gives metadata only to those who name their type (SAML metadata, appendix A), as some do.
fn picky(metadata: String) -> String {
    let (listener, url) = server::listen();
    let url = format!("{url}/metadata");
    let give = move |request: HttpRequest| {
        let accept = request.headers().get("accept").map(HeaderValue::as_bytes);
        let names_it =
            accept.is_some_and(|accept| accept.windows(TYPE.len()).any(|part| part == TYPE.as_bytes()));
        let answer = if names_it {
            HttpResponse::Ok().content_type(TYPE).body(metadata.clone())
        } else {
            HttpResponse::NotAcceptable().finish()
        };
        ready(answer)
    };
    server::serve(listener, 1, move || {
        App::new().route("/metadata", web::get().to(give.clone()))
    });
    url
}

#[actix_web::test]
async fn an_identity_provider_is_set_up_by_hand() {
    let idp = idp().await;
    let options = json!({
        "idp_sso_url": idp.entity_id, "idp_entity_id": idp.entity_id, "idp_signing_certs": [idp.certificate],
    });
    let world = connected(&options).await;
    let browser = Browser::new();
    let back = signed(&world, &idp, &browser).await.deliver(&browser).await;
    assert!(parameter(&back, "code").is_some(), "{back}");
    // Its requests are signed, as each connection has a key.
    let departure = world.traces(&world.okta.id).await[0]["steps"][1]["detail"].to_string();
    assert!(departure.contains(", signed, to "), "{departure}");
    world.change(json!({"idp_entity_id": "urn:acme:idp"})).await;
    let back = signed(&world, &idp, &browser).await.deliver(&browser).await;
    world
        .assert_refused("issuer", &back, "issuer", "is urn:acme:idp")
        .await;
    world.change(json!({"idp_entity_id": null})).await;
    let back = signed(&world, &idp, &browser).await.deliver(&browser).await;
    assert!(
        parameter(&back, "code").is_some(),
        "nobody said what it is called: {back}"
    );
    // Another certificate than the one that it signs with, and one that has run out.
    let certificates = format!("/connections/{}/saml_idp_signing_certs", world.okta.id);
    let (_, list) = http::call(&world.emulator, Method::GET, &certificates, &Value::Null).await;
    let id = list["data"][0]["id"].as_str().unwrap();
    let other = json!({"value": include_str!("../certificates/idp.pem")});
    http::call(&world.emulator, Method::POST, &certificates, &other).await;
    http::call(
        &world.emulator,
        Method::DELETE,
        &format!("{certificates}/{id}"),
        &Value::Null,
    )
    .await;
    world
        .emulator
        .clock()
        .set(std::time::UNIX_EPOCH + Duration::from_secs(1_795_651_200)); // 2026-11-26
    idp.world
        .emulator
        .clock()
        .set(std::time::UNIX_EPOCH + Duration::from_secs(1_795_651_200));
    let back = signed(&world, &idp, &browser).await.deliver(&browser).await;
    world
        .assert_refused(
            "certificate",
            &back,
            "signature",
            "not by a key of the connection's certificates",
        )
        .await;
    for clock in [world.emulator.clock(), idp.world.emulator.clock()] {
        clock.advance(Duration::from_secs(400 * 24 * 3600));
    }
    let back = signed(&world, &idp, &browser).await.deliver(&browser).await;
    world
        .assert_refused("run out", &back, "signature", "is valid from 2026-11-25")
        .await;
    assert_eq!(
        refused_step(&world.traces(&world.okta.id).await[0])["step"],
        "signature"
    );
}
