//! What an API on Actix makes of Connect's tokens.

use reqwest::Method;
use serde_json::json;
use workos_actix::MachineTokens;

use super::{World, parameter};
use crate::{
    browser::Browser,
    credentials_in_actix::{ask, refusal, refused, serve},
    http,
};

#[actix_web::test]
async fn a_machine_calls_for_its_organization() {
    let world = World::start().await;
    let machine = world.emulator.connect_application("Robot").m2m(&world.acme);
    let machine = machine.scopes(["robots:run"]).create().unwrap();
    let (_, tokens) = world
        .token(&machine, &[("grant_type", "client_credentials")])
        .await;
    let token = tokens["access_token"].as_str().unwrap();
    let accepted = MachineTokens::issued_by(world.emulator.url());
    let url = serve(&world.emulator, |builder| {
        builder.machine_tokens(accepted.clone())
    });
    let (status, who) = ask(&url, "/who", token).await;
    let expected = json!({
        "credential": "machine", "subject": machine.client_id, "session": null, "organization": world.acme.id,
        "role": null, "permissions": [], "scopes": ["robots:run"],
    });
    assert_eq!((status, who), (200, expected));
    assert_eq!(refusal(&url, "/me", token).await, refused(403, "user_required"));
    let picky = serve(&world.emulator, |builder| {
        builder.machine_tokens(accepted.client_ids(["client_another"]))
    });
    assert_eq!(
        refusal(&picky, "/who", token).await,
        refused(401, "invalid_token")
    );
    world.advance(400);
    assert_eq!(refusal(&url, "/who", token).await, refused(401, "invalid_token"));
}

/// The key that signs them is that of AuthKit's tokens.
#[actix_web::test]
async fn what_a_person_allowed_another_application_opens_nothing_here() {
    let world = World::start().await;
    let url = serve(&world.emulator, |builder| {
        let machines = MachineTokens::issued_by(world.emulator.url());
        builder.bearer_tokens().api_keys().machine_tokens(machines)
    });
    let own = world.tokens(&world.first, "openid email reports:read").await;
    let browser = Browser::new();
    let asked = world.authorize_url(&world.third, &[("scope", "openid reports:read")]);
    let page = world.consent_page(&browser, &asked).await;
    let callback = browser.submit_and_stop(&page, &[("decision", "allow")]).await;
    let code = parameter(&callback.location(), "code").unwrap();
    let (_, foreign) = world.redeem(&world.third, &code).await;
    for token in [
        &own["access_token"],
        &own["id_token"],
        &foreign["access_token"],
        &foreign["id_token"],
    ] {
        let token = token.as_str().unwrap();
        assert_eq!(refusal(&url, "/who", token).await, refused(401, "invalid_token"));
    }
    // Nor does the token of a widget.
    let wanted = json!({ "user_id": world.ada.id, "organization_id": world.acme.id });
    let (status, widget) = http::call(&world.emulator, Method::POST, "/widgets/token", &wanted).await;
    assert_eq!(status, 201, "{widget}");
    let token = widget["token"].as_str().unwrap();
    assert_eq!(refusal(&url, "/who", token).await, refused(401, "invalid_token"));
}
