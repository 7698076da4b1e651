//! Organizations through the SDK.

use workos::{
    OrganizationDomainData, OrganizationDomainDataState, OrganizationInput,
    organizations::{CreateOrganizationParams, ListOrganizationsParams, UpdateOrganizationParams},
};
use workos_emulator::Emulator;

use crate::sdk::{self, refusal};

fn named(name: &str) -> OrganizationInput {
    serde_json::from_value(serde_json::json!({ "name": name })).unwrap()
}

#[actix_web::test]
async fn are_created_read_changed_and_deleted() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let mut acme = named("Acme");
    acme.external_id = Some("ext-1".to_owned());
    acme.domain_data = Some(vec![OrganizationDomainData {
        domain: "Acme.com".to_owned(),
        state: OrganizationDomainDataState::Verified,
    }]);
    let created = sdk
        .organizations()
        .create_organization(CreateOrganizationParams::new(acme))
        .await
        .unwrap();
    assert!(created.id.starts_with("org_"));
    assert_eq!(created.domains[0].domain, "acme.com");

    let read = sdk
        .organizations()
        .get_organization_by_external_id("ext-1")
        .await
        .unwrap();
    assert_eq!(read.id, created.id);

    let change = serde_json::from_value(serde_json::json!({"name": "Acme Inc."})).unwrap();
    let changed = sdk
        .organizations()
        .update_organization(&created.id, UpdateOrganizationParams::new(change))
        .await
        .unwrap();
    assert_eq!((changed.name.as_str(), changed.domains.len()), ("Acme Inc.", 1));

    sdk.organizations()
        .delete_organization(&created.id)
        .await
        .unwrap();
    let gone = sdk.organizations().get_organization(&created.id).await;
    assert_eq!(refusal(gone), (404, "entity_not_found".to_owned()));
}

#[actix_web::test]
async fn are_listed_page_by_page_in_both_directions() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    for number in 0..25 {
        let new = CreateOrganizationParams::new(named(&format!("Organization {number}")));
        sdk.organizations().create_organization(new).await.unwrap();
    }
    let page = async |before: Option<String>, after: Option<String>| {
        let params = ListOrganizationsParams {
            before,
            after,
            ..Default::default()
        };
        sdk.organizations().list_organizations(params).await.unwrap()
    };
    let first = page(None, None).await;
    assert_eq!(first.data[0].name, "Organization 24", "the newest comes first");
    assert_eq!(first.list_metadata.before, None);
    let second = page(None, first.list_metadata.after.clone()).await;
    let third = page(None, second.list_metadata.after.clone()).await;
    assert_eq!((third.data.len(), third.list_metadata.after.clone()), (5, None));
    let back = page(third.list_metadata.before.clone(), None).await;
    let names = |page: &workos::OrganizationList| {
        page.data
            .iter()
            .map(|organization| organization.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&back), names(&second));
    assert_eq!(back.list_metadata.after, second.list_metadata.after);
}
