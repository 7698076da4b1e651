//! Groups of organization memberships through the SDK.

use reqwest::Method;
use serde_json::json;
use workos::{
    CreateGroup, CreateGroupMembership, UpdateGroup,
    groups::{
        CreateGroupOrganizationMembershipParams, CreateOrganizationGroupParams,
        ListGroupOrganizationMembershipsParams, ListOrganizationGroupsParams, UpdateOrganizationGroupParams,
    },
    organization_membership::ListOrganizationMembershipGroupsParams,
};
use workos_emulator::Emulator;

use crate::{
    http,
    sdk::{self, refusal},
};

#[actix_web::test]
async fn a_group_gathers_members_of_its_organization() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let groups = sdk.groups();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let ada = emulator.user("ada@example.com").create().unwrap().id;
    let body = json!({"user_id": ada, "organization_id": acme});
    let memberships = "/user_management/organization_memberships";
    let (_, membership) = http::call(&emulator, Method::POST, memberships, &body).await;
    let membership = membership["id"].as_str().unwrap();

    let new = CreateGroup {
        name: "Engineering".to_owned(),
        description: Some("The engineering team".to_owned()),
    };
    let group = groups
        .create_organization_group(&acme, CreateOrganizationGroupParams::new(new))
        .await
        .unwrap();
    let changes = UpdateGroup {
        name: Some("Builders".to_owned()),
        description: None,
    };
    let changed = groups
        .update_organization_group(&acme, &group.id, UpdateOrganizationGroupParams::new(changes))
        .await
        .unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.description.as_deref()),
        ("Builders", Some("The engineering team"))
    );

    let add = async |membership: &str| {
        let body = CreateGroupMembership {
            organization_membership_id: membership.to_owned(),
        };
        let params = CreateGroupOrganizationMembershipParams::new(body);
        groups
            .create_group_organization_membership(&acme, &group.id, params)
            .await
    };
    assert_eq!(add(membership).await.unwrap().id, group.id);
    assert_eq!(refusal(add("om_x").await).0, 404);
    let members = async || {
        let params = ListGroupOrganizationMembershipsParams::default();
        let list = groups.list_group_organization_memberships(&acme, &group.id, params);
        list.await.unwrap().data
    };
    let listed = members().await;
    assert_eq!(
        (listed.len(), listed[0].user.email.as_str()),
        (1, "ada@example.com")
    );
    let of_membership = sdk
        .organization_membership()
        .list_organization_membership_groups(membership, ListOrganizationMembershipGroupsParams::default())
        .await
        .unwrap();
    assert_eq!(of_membership.data[0].name, "Builders");

    // A full group says so.
    let limit = json!({"group_member_limit": 1});
    http::call(&emulator, Method::PATCH, "/_emulate/settings", &limit).await;
    let bob = emulator.user("bob@example.com").create().unwrap().id;
    let body = json!({"user_id": bob, "organization_id": acme});
    let (_, second) = http::call(&emulator, Method::POST, memberships, &body).await;
    assert_eq!(
        refusal(add(second["id"].as_str().unwrap()).await),
        (400, "group_membership_limit_exceeded".to_owned())
    );

    groups
        .delete_group_organization_membership(&acme, &group.id, membership)
        .await
        .unwrap();
    assert!(members().await.is_empty());
    groups.delete_organization_group(&acme, &group.id).await.unwrap();
    let gone = groups.get_organization_group(&acme, &group.id).await;
    assert_eq!(refusal(gone), (404, "entity_not_found".to_owned()));
    let left = groups.list_organization_groups(&acme, ListOrganizationGroupsParams::default());
    assert!(left.await.unwrap().data.is_empty());
    let nowhere = groups.list_organization_groups("org_x", ListOrganizationGroupsParams::default());
    assert_eq!(refusal(nowhere.await).0, 404);
}
