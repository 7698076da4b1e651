//! Organization domains through the SDK, and what the DNS has to say.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    CreateOrganizationDomain, OrganizationDomain, OrganizationDomainState,
    organization_domains::CreateOrganizationDomainParams,
};
use workos_emulator::Emulator;

use crate::{
    http,
    sdk::{self, refusal},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn create(
    emulator: &Emulator,
    organization_id: &str,
    domain: &str,
) -> Result<OrganizationDomain, workos::Error> {
    let new = CreateOrganizationDomain {
        domain: domain.to_owned(),
        organization_id: organization_id.to_owned(),
    };
    sdk::client(emulator)
        .organization_domains()
        .create_organization_domain(CreateOrganizationDomainParams::new(new))
        .await
}

async fn set(emulator: &Emulator, domain_verification: &str) {
    let setting = json!({ "domain_verification": domain_verification });
    let (status, _) = http::call(emulator, Method::PATCH, "/_emulate/settings", &setting).await;
    assert_eq!(status, 200);
}

/// Name and data of the events about domains.
async fn events(emulator: &Emulator) -> Vec<(String, Value)> {
    let path = "/events?events=organization_domain.created,organization_domain.updated,\
                organization_domain.verified,organization_domain.verification_failed,organization_domain.deleted&limit=100";
    let (status, list) = http::call(emulator, Method::GET, path, &Value::Null).await;
    assert_eq!(status, 200, "{list}");
    let events = list["data"].as_array().unwrap().iter();
    events
        .map(|event| {
            // The SDK's model of each event reads it.
            let read = |event: &Value| match event["event"].as_str().unwrap() {
                "organization_domain.created" => {
                    serde_json::from_value::<workos::OrganizationDomainCreated>(event.clone()).is_ok()
                }
                "organization_domain.updated" => {
                    serde_json::from_value::<workos::OrganizationDomainUpdated>(event.clone()).is_ok()
                }
                "organization_domain.verified" => {
                    serde_json::from_value::<workos::OrganizationDomainVerified>(event.clone()).is_ok()
                }
                "organization_domain.deleted" => {
                    serde_json::from_value::<workos::OrganizationDomainDeleted>(event.clone()).is_ok()
                }
                _ => serde_json::from_value::<workos::OrganizationDomainVerificationFailed>(event.clone())
                    .is_ok(),
            };
            assert!(read(event), "{event}");
            (event["event"].as_str().unwrap().to_owned(), event["data"].clone())
        })
        .collect()
}

async fn names(emulator: &Emulator) -> Vec<String> {
    events(emulator).await.into_iter().map(|(name, _)| name).collect()
}

#[actix_web::test]
async fn a_domain_is_added_verified_and_deleted() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let sdk = sdk::client(&emulator);
    let domains = sdk.organization_domains();

    let created = create(&emulator, &acme, "Acme.example").await.unwrap();
    assert_eq!(
        (
            created.object.as_str(),
            created.domain.as_str(),
            created.organization_id.as_str()
        ),
        ("organization_domain", "acme.example", acme.as_str())
    );
    assert_eq!(created.state, Some(OrganizationDomainState::Pending));
    assert!(
        created
            .verification_prefix
            .unwrap()
            .contains("-domain-verification-")
    );
    assert_eq!(created.verification_token.unwrap().expose().len(), 25);
    assert_eq!(
        refusal(create(&emulator, &acme, "acme.example").await),
        (409, "domain_already_exists".to_owned())
    );
    assert_eq!(
        refusal(create(&emulator, &acme, "gmail.com").await),
        (422, "invalid_request_parameters".to_owned())
    );
    assert_eq!(refusal(create(&emulator, "org_x", "a.example").await).0, 404);

    let verified = domains.verify_organization_domain(&created.id).await.unwrap();
    assert_eq!(verified.state, Some(OrganizationDomainState::Verified));
    assert_eq!(
        refusal(domains.verify_organization_domain(&created.id).await),
        (400, "domain_already_verified".to_owned())
    );
    let found = domains.get_organization_domain(&created.id).await.unwrap();
    assert_eq!(found.state, Some(OrganizationDomainState::Verified));
    let organization = sdk.organizations().get_organization(&acme).await.unwrap();
    assert_eq!(organization.domains[0].id, created.id);

    domains.delete_organization_domain(&created.id).await.unwrap();
    for gone in [
        refusal(domains.get_organization_domain(&created.id).await),
        refusal(domains.delete_organization_domain(&created.id).await),
        refusal(domains.verify_organization_domain(&created.id).await),
    ] {
        assert_eq!(gone, (404, "entity_not_found".to_owned()));
    }
    assert_eq!(
        names(&emulator).await,
        [
            "organization_domain.created",
            "organization_domain.updated",
            "organization_domain.verified",
            "organization_domain.deleted"
        ]
    );
}

#[actix_web::test]
async fn a_record_in_the_dns_verifies_a_domain_that_waits() {
    let emulator = Emulator::start().await.unwrap();
    set(&emulator, "manual").await;
    let acme = emulator.organization("Acme").create().unwrap().id;
    let domain = create(&emulator, &acme, "acme.example").await.unwrap();
    let sdk = sdk::client(&emulator);
    let waiting = sdk
        .organization_domains()
        .verify_organization_domain(&domain.id)
        .await;
    assert_eq!(waiting.unwrap().state, Some(OrganizationDomainState::Pending));

    let dns = format!("/_emulate/organization_domains/{}/dns", domain.id);
    let publish = async |body: Value| http::call(&emulator, Method::POST, &dns, &body).await;
    let (status, body) = publish(json!({"txt": ["v=spf1 -all"]})).await;
    assert_eq!((status, &body["state"]), (200, &json!("pending")));
    let (status, body) = publish(Value::Null).await;
    assert_eq!((status, &body["state"]), (200, &json!("verified")));
    assert_eq!(body["verification_strategy"], "dns");
    let unknown = "/_emulate/organization_domains/org_domain_x/dns";
    let (status, _) = http::call(&emulator, Method::POST, unknown, &Value::Null).await;
    assert_eq!(status, 404);
}

#[actix_web::test]
async fn a_domain_without_a_record_fails_after_thirty_days() {
    let emulator = Emulator::start().await.unwrap();
    set(&emulator, "manual").await;
    let acme = emulator.organization("Acme").create().unwrap().id;
    let domain = create(&emulator, &acme, "acme.example").await.unwrap();
    let mut webhooks = emulator.events();
    emulator.clock().advance(29 * DAY);
    let sdk = sdk::client(&emulator);
    let domains = sdk.organization_domains();
    let found = domains.get_organization_domain(&domain.id).await.unwrap();
    assert_eq!(found.state, Some(OrganizationDomainState::Pending));

    // By the control API as well as in Rust.
    let advance = json!({"advance": "1d"});
    let (status, _) = http::call(&emulator, Method::POST, "/_emulate/clock", &advance).await;
    assert_eq!(status, 200);
    let found = domains.get_organization_domain(&domain.id).await.unwrap();
    assert_eq!(found.state, Some(OrganizationDomainState::Failed));
    let event = webhooks
        .expect("organization_domain.verification_failed")
        .await
        .unwrap();
    assert_eq!(event.data["reason"], "domain_verification_period_expired");
    assert_eq!(event.data["organization_domain"]["state"], "failed");

    let again = domains.verify_organization_domain(&domain.id).await.unwrap();
    assert_eq!(again.state, Some(OrganizationDomainState::Pending));
}

#[actix_web::test]
async fn the_dashboard_sets_a_state() {
    let emulator = Emulator::start().await.unwrap();
    let [acme, other] = ["Acme", "Other"].map(|name| emulator.organization(name).create().unwrap().id);
    let first = create(&emulator, &acme, "acme.example").await.unwrap();
    let second = create(&emulator, &other, "acme.example").await.unwrap();
    let set = async |id: &str, body: Value| {
        let path = format!("/_emulate/organization_domains/{id}");
        http::call(&emulator, Method::PATCH, &path, &body).await
    };
    let (status, body) = set(&first.id, json!({"state": "verified"})).await;
    assert_eq!(
        (status, &body["state"], &body["verification_strategy"]),
        (200, &json!("verified"), &json!("manual"))
    );
    // The other organization has lost its claim.
    let (_, data) = events(&emulator).await.pop().unwrap();
    assert_eq!(data["reason"], "domain_verified_by_other_organization");
    assert_eq!(data["organization_domain"]["id"], second.id);
    let (_, body) = set(&second.id, json!({"state": "verified"})).await;
    assert_eq!(body["state"], "failed");
    let (_, body) = set(&second.id, json!({"state": "pending"})).await;
    assert_eq!(body["state"], "pending");
    for wrong in [
        json!({"state": "owned"}),
        json!({}),
        json!({"state": "failed", "reason": "x"}),
    ] {
        assert_eq!(set(&second.id, wrong).await.0, 422);
    }
}
