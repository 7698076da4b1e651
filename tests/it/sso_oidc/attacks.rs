//! Whatever lies, fails or comes twice is refused, told to the application as WorkOS tells it, and red in the trace.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::{
    Issuer, World, follow, follow_to_workos,
    issuer::{Signing, seconds_from_now},
    parameter,
};
use crate::{browser::Browser, http};

#[actix_web::test]
async fn claims_of_a_token_have_to_fit() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    for (claims, step, reason) in [
        (json!({"nonce": "another"}), "id_token_nonce", "another sign-in's"),
        (json!({"nonce": null}), "id_token_nonce", "no nonce"),
        (
            json!({"iss": "https://evil.test"}),
            "id_token_issuer",
            "https://evil.test",
        ),
        (
            json!({"aud": "somebody-else"}),
            "id_token_audience",
            "somebody-else",
        ),
        (
            json!({"aud": ["workos:relying party", "somebody-else"]}),
            "id_token_audience",
            "azp",
        ),
        (
            json!({"azp": "somebody-else"}),
            "id_token_audience",
            "somebody-else",
        ),
        (
            json!({"exp": seconds_from_now(-61), "iat": seconds_from_now(-300)}),
            "id_token_times",
            "ran out",
        ),
        (
            json!({"nbf": seconds_from_now(600)}),
            "id_token_times",
            "not valid before",
        ),
        (
            json!({"iat": seconds_from_now(600)}),
            "id_token_times",
            "issued at",
        ),
        (json!({"exp": null}), "id_token_times", "no exp"),
        (json!({"sub": null}), "response", "no sub"),
    ] {
        issuer.claim(&claims);
        let (error, red) = world.refused().await;
        assert_eq!(error, "server_error", "{claims}");
        assert!(red[0].0 == step && red[0].1.contains(reason), "{claims}: {red:?}");
        assert_eq!(red.last().unwrap().0, "response");
    }
    // Nobody was let in.
    let (_, profile) = http::call(
        &world.emulator,
        Method::PATCH,
        &format!("/_emulate/connections/{}", world.connection_id),
        &json!({}),
    )
    .await;
    assert_eq!(profile["profiles"], json!([]));
    assert_eq!(profile["state"], "validating");
    issuer.behave(|_| {});
    assert!(parameter(&world.sign_in(&Browser::new()).await, "code").is_some());
}

#[actix_web::test]
async fn signatures_have_to_be_the_providers() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    for (signing, kid, reason) in [
        (Signing::None, Some("rsa-1"), "not signed"),
        (Signing::Hs256, Some("rsa-1"), "HS256"),
        (Signing::Forged, Some("rsa-1"), "does not match"),
        (Signing::Es256, Some("rsa-1"), "none with the id rsa-1"),
        (Signing::Rs256, Some("ec-1"), "none with the id ec-1"),
        (Signing::Rs256, Some("nobody"), "none with the id nobody"),
    ] {
        issuer.behave(|behaviour| {
            behaviour.signing = signing;
            behaviour.kid = kid.map(str::to_owned);
        });
        let (error, red) = world.refused().await;
        assert_eq!(error, "server_error", "{signing:?}");
        assert_eq!(red[0].0, "id_token_signature", "{signing:?}");
        assert!(red[0].1.contains(reason), "{signing:?}: {red:?}");
    }
    // The algorithm that the connection is set up with is the only one.
    let world = World::at(&issuer, &json!({"id_token_signature_algorithm": "ES256"})).await;
    issuer.behave(|_| {});
    let (_, red) = world.refused().await;
    assert!(red[0].1.contains("RS256"), "{red:?}");
    // Nor is one that the provider does not announce.
    issuer.behave(|behaviour| {
        let algorithms = json!(["PS256"]);
        behaviour
            .metadata
            .insert("id_token_signing_alg_values_supported".to_owned(), algorithms);
    });
    let world = World::at(&issuer, &json!({})).await;
    let (_, red) = world.refused().await;
    assert!(red[0].1.contains("RS256"), "{red:?}");
}

#[actix_web::test]
async fn unknown_keys_cause_no_flood() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    issuer.behave(|behaviour| behaviour.kid = Some("nobody".to_owned()));
    for _ in 0..12 {
        world.refused().await;
    }
    let fetched = issuer.calls().iter().filter(|call| *call == "jwks").count();
    assert_eq!(fetched, 6, "the first, and five more in a minute");
}

#[actix_web::test]
async fn an_answer_counts_once_and_in_the_browser_that_asked() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let browser = Browser::new();
    let back = follow_to_workos(&browser, &world).await;
    // Another browser, another connection, no state, another state.
    assert_eq!(Browser::new().step(back.as_str()).await.status, 400);
    let key = world.redirect_uri.rsplit('/').nth(1).unwrap();
    let elsewhere = back.as_str().replace(key, "another-connections-external-key");
    assert_eq!(browser.step(&elsewhere).await.status, 400);
    assert_eq!(
        browser
            .step(&format!("{}?code=x", world.redirect_uri))
            .await
            .status,
        400
    );
    let state = parameter(&back, "state").unwrap();
    let other = back.as_str().replace(&state, &format!("{state}x"));
    assert_eq!(browser.step(&other).await.status, 400);
    assert!(!issuer.calls().iter().any(|call| call.starts_with("token")));

    let application = follow(&browser, back.as_str()).await;
    assert!(parameter(&application, "code").is_some());
    assert_eq!(browser.step(back.as_str()).await.status, 400, "it counted");

    // Two tabs: one of them counts, whichever it is.
    let back = follow_to_workos(&browser, &world).await;
    let (one, two) = tokio::join!(browser.step(back.as_str()), browser.step(back.as_str()));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 400]);
    // A code of another sign-in does not fit to this state: the provider ties it to the verifier, or gave it before.
    let stolen = parameter(&application, "code").unwrap();
    let back = follow_to_workos(&browser, &world).await;
    let code = parameter(&back, "code").unwrap();
    let swapped = back.as_str().replace(&code, &stolen);
    let refused = follow(&browser, &swapped).await;
    assert_eq!(parameter(&refused, "error").as_deref(), Some("server_error"));
    let red = super::red(&world.trace().await);
    assert!(
        red[0].0 == "token_request" && red[0].1.contains("invalid_grant"),
        "{red:?}"
    );
}

#[actix_web::test]
async fn a_sign_in_runs_out() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let browser = Browser::new();
    let back = follow_to_workos(&browser, &world).await;
    world.emulator.clock().advance(Duration::from_secs(3600));
    assert_eq!(browser.step(back.as_str()).await.status, 400);
}

#[actix_web::test]
async fn what_a_provider_says_instead_is_handed_on() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    issuer.behave(|behaviour| behaviour.error = Some(("access_denied", "not you")));
    assert_eq!(world.refused().await.0, "access_denied");
    issuer.behave(|behaviour| behaviour.error = Some(("invalid_scope", "no such scope <b>")));
    let (error, red) = world.refused().await;
    assert_eq!(error, "server_error");
    assert!(red[0].1.contains("invalid_scope: no such scope <b>"), "{red:?}");
    let traces = Browser::new()
        .visit(format!("{}/sso/traces", world.emulator.url()))
        .await;
    assert!(traces.text.contains("no such scope") && !traces.text.contains("<b>"));

    // Who says so, where the provider tells (RFC 9207).
    issuer.behave(|behaviour| behaviour.iss = Some("https://evil.test".to_owned()));
    let (error, red) = world.refused().await;
    assert_eq!(error, "server_error");
    assert!(red[0].1.contains("https://evil.test"), "{red:?}");
    assert!(!issuer.calls().last().unwrap().starts_with("token"));
    let own = issuer.url.clone();
    issuer.behave(|behaviour| behaviour.iss = Some(own));
    assert!(parameter(&world.sign_in(&Browser::new()).await, "code").is_some());
    let issuer = Issuer::start();
    issuer.behave(|behaviour| {
        let says = "authorization_response_iss_parameter_supported".to_owned();
        behaviour.metadata.insert(says, json!(true));
    });
    let world = World::at(&issuer, &json!({})).await;
    let (_, red) = world.refused().await;
    assert!(red[0].1.contains("(iss)"), "{red:?}");
}

#[actix_web::test]
async fn a_provider_that_fails_is_told_of() {
    for (answer, reason) in [
        (Some((500, "<html>".to_owned())), "answered with 500"),
        (
            Some((
                400,
                json!({"error": "invalid_client", "error_description": "who?"}).to_string(),
            )),
            "invalid_client, who?",
        ),
        (Some((200, "<html>".to_owned())), "cannot be read"),
        (
            Some((200, json!({"access_token": "x"}).to_string())),
            "no id_token",
        ),
        (
            Some((200, json!({"access_token": "x", "id_token": "y"}).to_string())),
            "no JSON Web Token",
        ),
        (
            Some((200, format!("{{\"access_token\": \"{}\"}}", "x".repeat(600_000)))),
            "more than",
        ),
    ] {
        let issuer = Issuer::start();
        let world = World::at(&issuer, &json!({})).await;
        issuer.behave(|behaviour| behaviour.token_answer = answer.clone());
        let (error, red) = world.refused().await;
        assert_eq!(error, "server_error", "{reason}");
        assert!(red[0].1.contains(reason), "{reason}: {red:?}");
    }
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    for status in [500, 404, 302] {
        issuer.behave(|behaviour| behaviour.jwks_status = status);
        let (error, red) = world.refused().await;
        assert_eq!(
            (error.as_str(), red[0].0.as_str()),
            ("server_error", "id_token_signature")
        );
        assert!(
            red[0].1.contains(&format!("/jwks answered with {status}")),
            "{red:?}"
        );
    }
    assert!(
        !issuer.calls().contains(&"elsewhere".to_owned()),
        "a redirect leads nowhere"
    );
    // The secret is wrong.
    let world = World::at(&issuer, &json!({"client_secret": "wrong"})).await;
    issuer.behave(|_| {});
    let (_, red) = world.refused().await;
    assert!(
        red[0].0 == "token_request" && red[0].1.contains("401: invalid_client"),
        "{red:?}"
    );
}

#[actix_web::test]
async fn a_provider_that_does_not_answer_holds_nobody_up() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    issuer.behave(|behaviour| behaviour.hangs = true);
    let (error, red) = world.refused().await;
    assert_eq!(error, "server_error");
    assert!(
        red[0].0 == "token_request" && red[0].1.contains("within 5 seconds"),
        "{red:?}"
    );
}

#[actix_web::test]
async fn a_discovery_document_has_to_be_the_issuers_own() {
    let evil = json!({"issuer": "https://evil.test"});
    let listened_in_on = json!({"token_endpoint": "http://idp.acme.io/token"});
    let script = json!({"authorization_endpoint": "javascript:alert(1)"});
    for (status, metadata, reason) in [
        (404, json!({}), "answered with 404"),
        (302, json!({}), "answered with 302"),
        (200, evil, "for the issuer https://evil.test"),
        (200, listened_in_on, "by https"),
        (200, script, "by https"),
        (200, json!({"jwks_uri": 1}), "no discovery document"),
    ] {
        let issuer = Issuer::start();
        issuer.behave(|behaviour| {
            behaviour.discovery_status = status;
            behaviour.metadata = metadata.as_object().unwrap().clone();
        });
        let world = World::at(&issuer, &json!({})).await;
        let (error, red) = world.refused().await;
        assert_eq!((error.as_str(), red[0].0.as_str()), ("server_error", "discovery"));
        assert!(red[0].1.contains(reason), "{reason}: {red:?}");
        assert_eq!(issuer.calls(), ["discovery"], "nothing else was called");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/.well-known/openid-configuration",
        nobody.local_addr().unwrap()
    );
    drop(nobody);
    for (address, reason) in [
        (url.as_str(), "cannot be reached"),
        ("http://idp.acme.io/.well-known/openid-configuration", "by https"),
    ] {
        let world = World::start("OktaOIDC", address, &json!({})).await;
        let (error, red) = world.refused().await;
        assert_eq!((error.as_str(), red[0].0.as_str()), ("server_error", "discovery"));
        assert!(red[0].1.contains(reason), "{reason}: {red:?}");
    }
    // Through AuthKit's pages, the person is told.
    let issuer = Issuer::start();
    issuer.behave(|behaviour| behaviour.discovery_status = 500);
    let world = World::at(&issuer, &json!({})).await;
    let active = json!({"state": "active"});
    let path = format!("/_emulate/connections/{}", world.connection_id);
    http::call(&world.emulator, Method::PATCH, &path, &active).await;
    let authkit = format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={}&response_type=code&provider=authkit",
        world.emulator.url(),
        world.emulator.client_id(),
        super::CALLBACK
    );
    let browser = Browser::new();
    let page = browser.visit(&authkit).await;
    let page = browser.submit(&page, &[("email", "ada@acme.example")]).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("cannot be used"), "{}", page.text);
}

#[actix_web::test]
async fn what_changes_on_the_way_is_noticed() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    // Another provider is set up while somebody is at the first.
    let browser = Browser::new();
    let back = follow_to_workos(&browser, &world).await;
    let other = Issuer::start();
    let change = json!({"oidc_options": {"discovery_endpoint": other.discovery_endpoint()}});
    let path = format!("/connections/{}", world.connection_id);
    let (status, body) = http::call(&world.emulator, Method::PATCH, &path, &change).await;
    assert_eq!(status, 200, "{body}");
    let refused = follow(&browser, back.as_str()).await;
    assert_eq!(parameter(&refused, "error").as_deref(), Some("server_error"));
    assert!(
        !other.calls().iter().any(|call| call.starts_with("token")),
        "the code of one is not shown to the other"
    );
    // The connection is switched off.
    let back = follow_to_workos(&browser, &world).await;
    let off = json!({"state": "inactive"});
    let control = format!("/_emulate/connections/{}", world.connection_id);
    http::call(&world.emulator, Method::PATCH, &control, &off).await;
    let refused = follow(&browser, back.as_str()).await;
    assert_eq!(
        parameter(&refused, "error").as_deref(),
        Some("connection_unlinked")
    );
    // The connection is gone, and the sign-in with it.
    let on = json!({"state": "active"});
    http::call(&world.emulator, Method::PATCH, &control, &on).await;
    let back: Url = follow_to_workos(&browser, &world).await;
    let (status, _) = http::call(&world.emulator, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(browser.step(back.as_str()).await.status, 400);
}
