//! Directory Sync through the SDK: what the control API, a seed and a test put into directories, and what an application
//! sees and hears of it.

use std::time::Duration;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use workos::{
    DirectoryState, DirectoryType, DirectoryUserWithGroupsState, DsyncActivated, DsyncDeleted,
    DsyncGroupCreated, DsyncGroupDeleted, DsyncGroupUpdated, DsyncGroupUserAdded, DsyncGroupUserRemoved,
    DsyncTokenCreated, DsyncTokenRevoked, DsyncUserCreated, DsyncUserDeleted, DsyncUserUpdated,
    directory_sync::{ListDirectoriesParams, ListGroupsParams, ListUsersParams},
};
use workos_emulator::{DirectoryPerson, Emulator};

use crate::{
    http::{self, call},
    receiver::Receiver,
    sdk::{self, refusal},
};

/// Calls the control API and takes this status for an answer.
async fn control(emulator: &Emulator, method: Method, path: &str, body: &Value, status: u16) -> Value {
    let (answered, body) = call(emulator, method, &format!("/_emulate{path}"), body).await;
    assert_eq!(answered, status, "{path}: {body}");
    body
}

/// All events of directories, oldest first.
async fn events(emulator: &Emulator) -> Vec<Value> {
    let (_, list) = call(emulator, Method::GET, "/events?order=asc&limit=100", &Value::Null).await;
    let events = list["data"].as_array().unwrap().iter().cloned();
    events
        .filter(|event| event["event"].as_str().unwrap().starts_with("dsync."))
        .collect()
}

fn id(body: &Value) -> &str {
    body["id"].as_str().unwrap()
}

/// Reads an event as the SDK does, and finds nothing in it that the SDK does not know.
fn check<T: DeserializeOwned + serde::Serialize>(event: &Value) {
    let typed: T = serde_json::from_value(event.clone()).unwrap_or_else(|error| panic!("{error}: {event}"));
    let known = serde_json::to_value(typed).unwrap();
    for name in event["data"].as_object().unwrap().keys() {
        let shown = &event["data"][name];
        assert!(
            shown.is_null() || !known["data"][name].is_null(),
            "{name} of {event}"
        );
    }
}

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

#[actix_web::test]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let acme = emulator.organization("Acme").create().unwrap();
    let directory = emulator
        .directory(&acme)
        .user(DirectoryPerson::new("ada@acme.example"))
        .create()
        .unwrap();
    let before = events(&emulator).await.len();
    let directories = "/directories";
    let users = format!("/directories/{}/users", directory.id);
    let groups = format!("/directories/{}/groups", directory.id);
    let ada = sdk
        .directory_sync()
        .list_users(ListUsersParams::default())
        .await
        .unwrap()
        .data
        .remove(0);
    let own = format!("/directory_users/{}", ada.id);
    for (method, path, body, status, about) in [
        (
            Method::POST,
            directories,
            json!({"organization_id": "org_x", "name": "D"}),
            404,
            "Organization not found",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id}),
            422,
            "name",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id, "name": "D", "type": "ldap"}),
            422,
            "type",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id, "name": "D", "colour": 1}),
            422,
            "colour",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id, "name": "D", "external_key": "short"}),
            422,
            "external_key",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id, "name": "D", "bearer_token": directory.bearer_token}),
            409,
            "bearer token",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id, "name": "D", "groups": [{"name": "G", "role": "nobody"}]}),
            422,
            "nobody",
        ),
        (
            Method::POST,
            directories,
            json!({"organization_id": acme.id, "name": "D", "users": [{"email": "a@b.example"}, {"email": "A@b.example"}]}),
            409,
            "username",
        ),
        (
            Method::PATCH,
            "/directories/directory_x",
            json!({}),
            404,
            "directory_x",
        ),
        (Method::POST, &users, json!({"email": "no address"}), 422, "email"),
        (
            Method::POST,
            &users,
            json!({"email": "ADA@acme.example", "username": "other"}),
            409,
            "email",
        ),
        (
            Method::POST,
            &users,
            json!({"email": "x@acme.example", "state": "inactive"}),
            422,
            "Inactive",
        ),
        (Method::PATCH, &own, json!({"email": ""}), 422, "email"),
        (
            Method::PATCH,
            "/directory_users/directory_user_x",
            json!({}),
            404,
            "Directory user not found",
        ),
        (
            Method::DELETE,
            "/directory_users/directory_user_x",
            json!({}),
            404,
            "Directory user not found",
        ),
        (Method::POST, &groups, json!({"name": ""}), 422, "displayName"),
        (
            Method::PATCH,
            "/directory_groups/directory_group_x",
            json!({}),
            404,
            "Directory group not found",
        ),
        (
            Method::PUT,
            "/directory_groups/directory_group_x/users/x",
            json!({}),
            404,
            "Directory group not found",
        ),
    ] {
        let (answered, refused) = call(&emulator, method, &format!("/_emulate{path}"), &body).await;
        assert_eq!(answered, status, "{path} {body}: {refused}");
        assert!(refused.to_string().contains(about), "{path} {body}: {refused}");
    }
    assert_eq!(events(&emulator).await.len(), before);
    let sync = sdk.directory_sync();
    assert_eq!(refusal(sync.get_group("directory_group_x").await).0, 404);
    assert_eq!(refusal(sync.create_directory_sync(&directory.id).await).0, 400);
    assert_eq!(refusal(sync.delete_directory("directory_x").await).0, 404);
    for path in ["/directories", "/directory_users", "/directory_groups"] {
        let url = format!("{}{path}", emulator.url());
        assert_eq!(http::answer(http::client().get(url)).await.0, 401, "{path}");
    }
}

#[actix_web::test]
async fn lists_of_users_are_limited_where_the_environment_wants_it() {
    let emulator = Emulator::start().await.unwrap();
    emulator.clock().freeze();
    let acme = emulator.organization("Acme").create().unwrap();
    let directory = emulator.directory(&acme).create().unwrap();
    let settings = json!({"directory_sync": {"rate_limit": true}});
    control(&emulator, Method::PATCH, "/settings", &settings, 200).await;
    let path = format!("/directory_users?directory={}", directory.id);
    for _ in 0..4 {
        assert_eq!(call(&emulator, Method::GET, &path, &Value::Null).await.0, 200);
    }
    assert_eq!(
        call(&emulator, Method::GET, &path, &Value::Null).await,
        (429, json!("Ratelimited"))
    );
    assert_eq!(
        call(&emulator, Method::GET, "/directory_users", &Value::Null)
            .await
            .0,
        200
    );
    emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(call(&emulator, Method::GET, &path, &Value::Null).await.0, 200);
}

const SEED: &str = r#"
organizations:
  - {name: Acme, domains: [{domain: acme.example, state: verified}]}
roles:
  - {slug: developer, name: Developer}
directories:
  - id: directory_acme
    name: Acme Okta
    organization: Acme
    type: okta scim v2.0
    domain: acme.example
    external_key: acmeOkta1234
    bearer_token: se_acme
    groups: [Sales, {name: Engineering, role: developer}]
    users:
      - {email: ada@acme.example, first_name: Ada, last_name: Lovelace, groups: [Engineering]}
      - {email: bob@acme.example, groups: [Sales], custom_attributes: {badge: 7}}
"#;

#[actix_web::test]
async fn a_seed_fills_directories() {
    let emulator = Emulator::builder().seed(SEED).start().await.unwrap();
    assert_eq!(emulator.seeded()["directories"], 1);
    assert!(
        emulator.seed_warnings().is_empty(),
        "{:?}",
        emulator.seed_warnings()
    );
    let sdk = sdk::client(&emulator);
    let directory = sdk
        .directory_sync()
        .get_directory("directory_acme")
        .await
        .unwrap();
    assert_eq!(directory.external_key, "acmeOkta1234");
    let sync = sdk.directory_sync();
    let users = sync.list_users(ListUsersParams {
        directory: Some(directory.id),
        ..ListUsersParams::default()
    });
    let users = users.await.unwrap().data;
    assert_eq!(users[1].name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(users[1].role.as_ref().unwrap().slug, "developer");
    assert_eq!(users[0].custom_attributes["badge"], 7);
    let wrong = SEED
        .replace("organization: Acme\n", "organization: Acne\n")
        .replace("okta scim v2.0", "ldap");
    let refused = Emulator::builder()
        .seed(wrong)
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("directories[0].type"), "{refused}");
    let wrong = SEED.replace("organization: Acme\n", "organization: Acne\n");
    let refused = Emulator::builder()
        .seed(wrong)
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("directories[0].organization: no organization has this name"),
        "{refused}"
    );
}
