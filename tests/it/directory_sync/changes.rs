//! What happens to a directory, and every event that tells of it.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    DirectoryState, DirectoryType, DirectoryUserWithGroupsState, DsyncActivated, DsyncDeleted,
    DsyncGroupCreated, DsyncGroupDeleted, DsyncGroupUpdated, DsyncGroupUserAdded, DsyncGroupUserRemoved,
    DsyncTokenCreated, DsyncTokenRevoked, DsyncUserCreated, DsyncUserDeleted, DsyncUserUpdated,
    directory_sync::{ListDirectoriesParams, ListGroupsParams, ListUsersParams},
};
use workos_emulator::Emulator;

use super::{check, control, events, id};
use crate::{
    receiver::Receiver,
    sdk::{self, refusal},
};

#[actix_web::test]
async fn a_directory_is_filled_changed_and_deleted_and_every_step_is_told() {
    let emulator = Emulator::start().await.unwrap();
    let receiver = Receiver::start(
        &emulator,
        &["dsync.user.created", "dsync.group.user_removed", "dsync.deleted"],
    )
    .await;
    let sdk = sdk::client(&emulator);
    let sync = sdk.directory_sync();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap()
        .id;
    emulator.role("developer").create().unwrap();
    let new = json!({
        "organization_id": acme, "name": "Acme Okta", "type": "okta scim v2.0", "domain": "acme.example",
        "groups": ["Sales", {"name": "Engineering", "role": "developer"}],
        "users": [
            {"email": "ada@acme.example", "first_name": "Ada", "groups": ["Engineering"], "idp_id": "00u1"},
            {"email": "bob@acme.example", "job_title": "Seller", "groups": ["Sales"]},
        ],
    });
    let directory = control(&emulator, Method::POST, "/directories", &new, 201).await;
    let key = directory["external_key"].as_str().unwrap();
    assert!((9..=16).contains(&key.len()));
    assert_eq!(
        directory["scim"]["base_url"],
        json!(format!("{}/scim/v2.0/{key}", emulator.url()))
    );
    assert!(
        directory["scim"]["bearer_token"]
            .as_str()
            .unwrap()
            .starts_with("se_")
    );

    let found = sync.get_directory(id(&directory)).await.unwrap();
    assert_eq!(
        (found.type_, found.state),
        (DirectoryType::OktaSCIMV20, DirectoryState::Linked)
    );
    let held = found.metadata.unwrap();
    assert_eq!((held.users.active, held.groups), (2, 2));
    let list = sync.list_directories(ListDirectoriesParams {
        organization_id: Some(acme.clone()),
        ..ListDirectoriesParams::default()
    });
    assert_eq!(list.await.unwrap().data.len(), 1);

    let users = async |params: ListUsersParams| sync.list_users(params).await.unwrap().data;
    let ada = users(ListUsersParams {
        directory: Some(id(&directory).to_owned()),
        idp_id: Some("00u1".to_owned()),
        ..ListUsersParams::default()
    })
    .await
    .remove(0);
    assert_eq!(
        (ada.email.as_deref(), ada.state.clone()),
        (Some("ada@acme.example"), DirectoryUserWithGroupsState::Active)
    );
    assert_eq!(ada.role.unwrap().slug, "developer");
    #[expect(deprecated, reason = "WorkOS deprecates it, and sends it")]
    let engineering = ada.groups[0].clone();
    assert_eq!(
        (engineering.name.as_str(), engineering.idp_id.as_str()),
        ("Engineering", "Engineering")
    );
    let of_ada = sync.list_groups(ListGroupsParams {
        user: Some(ada.id.clone()),
        ..ListGroupsParams::default()
    });
    assert_eq!(of_ada.await.unwrap().data[0].id, engineering.id);
    assert_eq!(sync.get_group(&engineering.id).await.unwrap().name, "Engineering");

    // What an identity provider does next.
    let users_path = format!("/directories/{}/users", id(&directory));
    let person =
        json!({"email": "carol@acme.example", "groups": ["Engineering"], "custom_attributes": {"badge": 7}});
    let carol = control(&emulator, Method::POST, &users_path, &person, 201).await;
    assert_eq!(carol["custom_attributes"], json!({"badge": 7}));
    let user_path = format!("/directory_users/{}", id(&carol));
    let changes = json!({"first_name": "Carol", "state": "suspended"});
    let changed = control(&emulator, Method::PATCH, &user_path, &changes, 200).await;
    assert_eq!(
        (&changed["first_name"], &changed["state"]),
        (&json!("Carol"), &json!("suspended"))
    );
    let group_path = format!("/directory_groups/{}", engineering.id);
    let renamed = control(
        &emulator,
        Method::PATCH,
        &group_path,
        &json!({"name": "Builders"}),
        200,
    )
    .await;
    assert_eq!(
        (&renamed["name"], &renamed["idp_id"]),
        (&json!("Builders"), &json!("Engineering"))
    );
    let membership = format!("{group_path}/users/{}", id(&carol));
    control(&emulator, Method::DELETE, &membership, &Value::Null, 204).await;
    control(&emulator, Method::PUT, &membership, &Value::Null, 200).await;
    control(&emulator, Method::PATCH, &user_path, &json!({"groups": []}), 200).await;
    let groups_path = format!("/directories/{}/groups", id(&directory));
    let ops = control(
        &emulator,
        Method::POST,
        &groups_path,
        &json!({"name": "Ops", "idp_id": "00g9"}),
        201,
    )
    .await;
    control(
        &emulator,
        Method::DELETE,
        &format!("/directory_groups/{}", id(&ops)),
        &Value::Null,
        204,
    )
    .await;
    control(
        &emulator,
        Method::PATCH,
        &user_path,
        &json!({"state": "inactive"}),
        200,
    )
    .await;
    assert_eq!(
        refusal(sync.get_user(id(&carol)).await),
        (404, "entity_not_found".to_owned())
    );
    control(
        &emulator,
        Method::DELETE,
        &format!("/directory_users/{}", ada.id),
        &Value::Null,
        204,
    )
    .await;
    let directory_path = format!("/directories/{}", id(&directory));
    let changes = json!({"name": "Acme", "domain": null, "bearer_token": "se_rotated"});
    let changed = control(&emulator, Method::PATCH, &directory_path, &changes, 200).await;
    assert_eq!((&changed["name"], changed.get("domain")), (&json!("Acme"), None));
    sync.delete_directory(id(&directory)).await.unwrap();
    assert_eq!(refusal(sync.get_directory(id(&directory)).await).0, 404);

    let events = events(&emulator).await;
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "dsync.activated",
            "dsync.token.created",
            "dsync.user.created",
            "dsync.user.created",
            "dsync.group.created",
            "dsync.group.created",
            // Ada is a developer from here on.
            "dsync.group.user_added",
            "dsync.user.updated",
            "dsync.group.user_added",
            // Carol.
            "dsync.user.created",
            "dsync.group.user_added",
            "dsync.user.updated",
            "dsync.user.updated",
            "dsync.group.updated",
            "dsync.group.user_removed",
            "dsync.user.updated",
            "dsync.group.user_added",
            "dsync.user.updated",
            "dsync.group.user_removed",
            "dsync.user.updated",
            "dsync.group.created",
            "dsync.group.deleted",
            "dsync.user.deleted",
            "dsync.user.deleted",
            "dsync.token.revoked",
            "dsync.token.created",
            "dsync.deleted",
        ]
    );
    for event in &events {
        match event["event"].as_str().unwrap() {
            "dsync.activated" => check::<DsyncActivated>(event),
            "dsync.token.created" => check::<DsyncTokenCreated>(event),
            "dsync.token.revoked" => check::<DsyncTokenRevoked>(event),
            "dsync.user.created" => check::<DsyncUserCreated>(event),
            "dsync.user.updated" => check::<DsyncUserUpdated>(event),
            "dsync.user.deleted" => check::<DsyncUserDeleted>(event),
            "dsync.group.created" => check::<DsyncGroupCreated>(event),
            "dsync.group.updated" => check::<DsyncGroupUpdated>(event),
            "dsync.group.deleted" => check::<DsyncGroupDeleted>(event),
            "dsync.group.user_added" => check::<DsyncGroupUserAdded>(event),
            "dsync.group.user_removed" => check::<DsyncGroupUserRemoved>(event),
            "dsync.deleted" => check::<DsyncDeleted>(event),
            other => panic!("{other}"),
        }
    }
    assert_eq!(
        events[12]["data"]["previous_attributes"],
        json!({"first_name": null, "name": null, "state": "active"})
    );
    // Delivered, as they are.
    let told = ["dsync.user.created", "dsync.group.user_removed", "dsync.deleted"];
    let told: Vec<_> = events
        .iter()
        .filter(|event| told.contains(&event["event"].as_str().unwrap()))
        .cloned()
        .collect();
    let arrived: Vec<_> = receiver
        .arrived(told.len())
        .await
        .iter()
        .map(|one| one.event())
        .collect();
    assert_eq!(arrived, told);
}
