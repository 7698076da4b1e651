//! What is refused.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos::directory_sync::ListUsersParams;
use workos_emulator::{DirectoryPerson, Emulator};

use super::{control, events};
use crate::{
    http::{self, call},
    sdk::{self, refusal},
};

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
