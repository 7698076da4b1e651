use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    api::organizations::{self, CreateOrganization},
    control,
    core::secret::Secret,
    environment::Environment,
    server::error::ApiError,
};

fn world() -> (Environment, String) {
    let environment = Environment::for_tests();
    let id = organization(&environment);
    (environment, id)
}

fn organization(environment: &Environment) -> String {
    let new = CreateOrganization {
        name: "Acme".to_owned(),
        ..CreateOrganization::default()
    };
    let created = environment.transact(|tx| organizations::create(tx, new));
    created.unwrap().id.clone()
}

fn generate(environment: &Environment, body: Value) -> Result<Secret, ApiError> {
    let wanted = serde_json::from_value(body).unwrap();
    environment.transact(|tx| links::generate(tx, wanted))
}

fn open(environment: &Environment, token: &Secret) -> Option<Arc<PortalSession>> {
    environment
        .transact(|tx| sessions::open(tx, token.expose()))
        .unwrap()
}

#[test]
fn a_link_opens_once_within_five_minutes() {
    let (environment, acme) = world();
    let link = || generate(&environment, json!({"organization": acme, "intent": "sso"})).unwrap();
    let token = link();
    let session = open(&environment, &token).unwrap();
    assert_eq!(session.access.intents, [Intent::Sso]);
    assert!(open(&environment, &token).is_none());
    let token = link();
    environment.clock.advance(Duration::from_secs(299));
    assert!(open(&environment, &token).is_some());
    let token = link();
    environment.clock.advance(Duration::from_secs(300));
    assert!(open(&environment, &token).is_none());
    assert!(open(&environment, &Secret::new("")).is_none());
}

#[test]
fn a_token_looks_like_productions_and_is_not_made_by_others() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let (environment, acme) = world();
    let token = generate(&environment, json!({"organization": acme})).unwrap();
    let parts: Vec<_> = token.expose().split('.').collect();
    let decoded =
        |at: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap() };
    assert_eq!(decoded(0), json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(decoded(1)["sub"], acme);
    assert_eq!(
        decoded(1)["exp"].as_i64().unwrap() - decoded(1)["iat"].as_i64().unwrap(),
        300
    );
    assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 32);
    // Without its signature it is nothing, and no row keeps it.
    let unsigned = Secret::new(format!("{}.{}.", parts[0], parts[1]));
    assert!(open(&environment, &unsigned).is_none());
    assert!(!environment.state().dump().to_string().contains(token.expose()));
}

#[test]
fn a_link_without_an_intent_offers_what_is_switched_on() {
    let (environment, acme) = world();
    let setting = json!({"admin_portal": {
        "intents": ["dsync", "domain_verification"],
        "return_url": "https://app.example.com/",
    }});
    environment
        .transact(|tx| control::settings::change(tx, &setting))
        .unwrap()
        .unwrap();
    let token = generate(&environment, json!({"organization": acme})).unwrap();
    let session = open(&environment, &token).unwrap();
    assert_eq!(
        session.access.intents,
        [Intent::DomainVerification, Intent::Dsync]
    );
    assert_eq!(
        session.access.return_url.as_deref(),
        Some("https://app.example.com/")
    );
    let refused = generate(&environment, json!({"organization": acme, "intent": "sso"})).unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (403, Some("intent_not_enabled"))
    );
}

#[test]
fn links_lead_to_safe_places_only() {
    let (environment, acme) = world();
    for (member, url) in [
        ("return_url", "http://app.example.com"),
        ("success_url", "javascript:alert(1)"),
    ] {
        let refused = generate(&environment, json!({"organization": acme, member: url})).unwrap_err();
        let code = format!("invalid_{member}");
        assert_eq!((refused.status, refused.code()), (400, Some(code.as_str())));
    }
    assert_eq!(environment.state().portal_links.len(), 0);
}

#[test]
fn the_contacts_of_a_link_are_kept_once() {
    let (environment, acme) = world();
    let emails = json!(["It@Example.com", "it@example.com"]);
    let body = json!({"organization": acme, "it_contact_emails": emails});
    generate(&environment, body.clone()).unwrap();
    generate(&environment, body).unwrap();
    assert_eq!(environment.state().it_contacts.len(), 1);
    let many: Vec<_> = (0..21).map(|at| format!("it{at}@example.com")).collect();
    for wrong in [json!(many), json!(["it2@example.com", "nobody"])] {
        let body = json!({"organization": acme, "it_contact_emails": wrong});
        assert_eq!(generate(&environment, body).unwrap_err().status, 422);
    }
    assert_eq!(environment.state().it_contacts.len(), 1);
}

#[test]
fn nothing_opens_an_organization_that_is_gone() {
    let (environment, acme) = world();
    let other = organization(&environment);
    let link = |of: &str| generate(&environment, json!({"organization": of})).unwrap();
    let (token, kept) = (link(&acme), link(&other));
    open(&environment, &link(&acme)).unwrap();
    environment
        .transact(|tx| {
            close_to_organization(tx, &acme);
            Ok::<_, ApiError>(())
        })
        .unwrap();
    assert!(open(&environment, &token).is_none());
    assert_eq!(environment.state().portal_sessions.len(), 0);
    assert!(open(&environment, &kept).is_some());
}
