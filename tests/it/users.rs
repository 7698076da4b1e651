//! Users through the SDK.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    Client, UserCreateResponse, UserList,
    organization_membership::ListOrganizationMembershipsParams,
    user_management::{
        AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams, CreateUserParams,
        CreateUserParamsBody, ListUsersParams, Password, UpdateUserParams, UpdateUserParamsBody,
    },
};
use workos_emulator::Emulator;

use crate::{
    http,
    sdk::{self, refusal, refused},
};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) async fn create(
    sdk: &Client,
    user: CreateUserParamsBody,
) -> Result<UserCreateResponse, workos::Error> {
    sdk.user_management()
        .create_user(CreateUserParams::new(user))
        .await
}

pub(crate) fn with_password(email: &str, password: &str) -> CreateUserParamsBody {
    let password = password.to_owned();
    CreateUserParamsBody {
        password: Some(Password::Plaintext { password }),
        ..CreateUserParamsBody::new(email)
    }
}

async fn update(
    sdk: &Client,
    id: &str,
    changes: UpdateUserParamsBody,
) -> Result<workos::User, workos::Error> {
    sdk.user_management()
        .update_user(id, UpdateUserParams::new(changes))
        .await
}

fn emails(list: &UserList) -> Vec<&str> {
    list.data.iter().map(|user| user.email.as_str()).collect()
}

pub(crate) fn body(error: &workos::ApiError) -> Value {
    serde_json::from_slice(&error.raw_body).unwrap()
}

#[actix_web::test]
async fn are_created_with_all_fields_and_read_by_both_ids() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let metadata = HashMap::from([("plan".to_owned(), "team".to_owned())]);
    let mut ada = with_password(" Ada@Example.com ", PASSWORD);
    ada.first_name = Some("Ada".to_owned());
    ada.last_name = Some("Lovelace".to_owned());
    ada.name = Some("Countess of Lovelace".to_owned());
    ada.email_verified = Some(true);
    ada.metadata = Some(metadata.clone());
    ada.external_id = Some("users/1 é".replace('é', "e"));
    ada.ip_address = Some("192.0.2.1".to_owned());
    ada.user_agent = Some("test".to_owned());
    let created = create(&sdk, ada).await.unwrap();
    assert!(created.id.starts_with("user_"));
    assert_eq!(created.email, "ada@example.com");
    assert!(created.email_verified);

    let read = sdk.user_management().get_user(&created.id).await.unwrap();
    assert_eq!(read.first_name.as_deref(), Some("Ada"));
    assert_eq!(read.last_name.as_deref(), Some("Lovelace"));
    assert_eq!(read.name.as_deref(), Some("Countess of Lovelace"));
    assert_eq!(read.metadata, Some(metadata));
    assert_eq!((read.last_sign_in_at, read.locale), (None, None));
    assert_eq!(read.created_at, created.created_at);
    let by_external_id = sdk.user_management().get_user_by_external_id("users/1 e").await;
    assert_eq!(by_external_id.unwrap().id, created.id);
    let unknown = sdk.user_management().get_user_by_external_id("users").await;
    assert_eq!(refusal(unknown), (404, "entity_not_found".to_owned()));
    let unknown = refused(sdk.user_management().get_user("user_x").await);
    assert_eq!(body(&unknown)["entity_id"], "user_x");
}

#[actix_web::test]
async fn what_is_left_out_is_null_and_never_missing() {
    let emulator = Emulator::start().await.unwrap();
    let path = "/user_management/users";
    let (status, user) = http::call(
        &emulator,
        Method::POST,
        path,
        &json!({"email": "ada@example.com"}),
    )
    .await;
    assert_eq!(status, 201, "{user}");
    let expected = json!({
        "object": "user", "id": user["id"], "email": "ada@example.com", "email_verified": false,
        "first_name": null, "last_name": null, "name": null, "profile_picture_url": null,
        "last_sign_in_at": null, "locale": null, "external_id": null, "metadata": {},
        "created_at": user["created_at"], "updated_at": user["created_at"],
    });
    assert_eq!(user, expected);

    let path = format!("{path}/{}", user["id"].as_str().unwrap());
    let change = async |body: Value| {
        let (status, user) = http::call(&emulator, Method::PUT, &path, &body).await;
        assert_eq!(status, 200, "{user}");
        user
    };
    let full = json!({"first_name": "Ada", "last_name": "L", "external_id": "1", "locale": "en-GB"});
    assert_eq!(change(full).await["name"], "Ada L");
    let user = change(json!({"first_name": null, "locale": null})).await;
    assert_eq!((&user["first_name"], &user["name"]), (&Value::Null, &json!("L")));
    assert_eq!(
        (&user["locale"], &user["external_id"]),
        (&Value::Null, &json!("1"))
    );
    assert_eq!(
        change(json!({"external_id": null})).await["external_id"],
        Value::Null
    );
}

#[actix_web::test]
async fn are_listed_by_email_and_organization_page_by_page() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    for number in 0..12 {
        let user = emulator.user(format!("user{number}@example.com"));
        let user = if number % 2 == 0 {
            user.member_of(&acme, "member")
        } else {
            user
        };
        user.create().unwrap();
    }
    let sdk = sdk::client(&emulator);
    let list = async |params: ListUsersParams| sdk.user_management().list_users(params).await.unwrap();
    let of_acme = |after: Option<String>, before: Option<String>| ListUsersParams {
        organization_id: Some(acme.id.clone()),
        limit: Some(4),
        after,
        before,
        ..Default::default()
    };
    let first = list(of_acme(None, None)).await;
    assert_eq!(
        emails(&first),
        [
            "user10@example.com",
            "user8@example.com",
            "user6@example.com",
            "user4@example.com"
        ]
    );
    let second = list(of_acme(first.list_metadata.after.clone(), None)).await;
    assert_eq!(emails(&second), ["user2@example.com", "user0@example.com"]);
    assert_eq!(second.list_metadata.after, None);
    let back = list(of_acme(None, second.list_metadata.before.clone())).await;
    assert_eq!(emails(&back), emails(&first));

    let by_email = |email: &str, organization: Option<&str>| ListUsersParams {
        email: Some(email.to_owned()),
        organization_id: organization.map(str::to_owned),
        ..Default::default()
    };
    assert_eq!(
        emails(&list(by_email("USER3@example.com", None)).await),
        ["user3@example.com"]
    );
    assert_eq!(
        list(by_email("user3@example.com", Some(&acme.id)))
            .await
            .data
            .len(),
        0
    );
    assert_eq!(
        list(by_email("user4@example.com", Some(&acme.id)))
            .await
            .data
            .len(),
        1
    );
    assert_eq!(list(by_email("nobody@example.com", None)).await.data.len(), 0);

    let all = list(ListUsersParams::default()).await;
    assert_eq!(
        (all.data.len(), all.data[0].email.as_str()),
        (10, "user11@example.com")
    );
    let too_many = ListUsersParams {
        limit: Some(101),
        ..Default::default()
    };
    let outcome = sdk.user_management().list_users(too_many).await;
    assert_eq!(refusal(outcome), (422, "invalid_request_parameters".to_owned()));
}

#[actix_web::test]
async fn metadata_is_merged_and_a_new_email_is_unverified() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let mut ada = CreateUserParamsBody::new("ada@example.com");
    ada.email_verified = Some(true);
    ada.metadata = Some(
        [("a", "1"), ("b", "2")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    );
    let ada = create(&sdk, ada).await.unwrap();
    let changes = UpdateUserParamsBody {
        metadata: Some(
            [("b", "3"), ("c", "4")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        ),
        ..Default::default()
    };
    let changed = update(&sdk, &ada.id, changes).await.unwrap();
    let metadata = changed.metadata.unwrap();
    assert_eq!(
        (
            metadata["a"].as_str(),
            metadata["b"].as_str(),
            metadata["c"].as_str()
        ),
        ("1", "3", "4")
    );
    assert!(changed.email_verified, "the address did not change");
    // The SDK cannot send a null, which deletes a key.
    let path = format!("/user_management/users/{}", ada.id);
    let (_, changed) = http::call(&emulator, Method::PUT, &path, &json!({"metadata": {"a": null}})).await;
    assert_eq!(changed["metadata"], json!({"b": "3", "c": "4"}));

    let changes = UpdateUserParamsBody {
        email: Some("Countess@example.com".to_owned()),
        ..Default::default()
    };
    let changed = update(&sdk, &ada.id, changes).await.unwrap();
    assert_eq!(
        (changed.email.as_str(), changed.email_verified),
        ("countess@example.com", false)
    );
    // The old address is free again.
    create(&sdk, CreateUserParamsBody::new("ada@example.com"))
        .await
        .unwrap();
    let changes = UpdateUserParamsBody {
        email: Some("ADA@example.com".to_owned()),
        ..Default::default()
    };
    let outcome = update(&sdk, &ada.id, changes).await;
    assert_eq!(refusal(outcome), (400, "email_not_available".to_owned()));
}

#[actix_web::test]
async fn a_taken_email_is_refused_as_in_production() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    create(&sdk, CreateUserParamsBody::new("ada@example.com"))
        .await
        .unwrap();
    let taken = refused(create(&sdk, CreateUserParamsBody::new("Ada@EXAMPLE.com")).await);
    assert_eq!(taken.status, 400);
    assert_eq!(
        body(&taken),
        json!({
            "message": "Could not create user.",
            "code": "user_creation_error",
            "errors": [{"code": "email_not_available", "message": "This email is not available."}],
        })
    );
}

#[actix_web::test]
async fn a_deleted_user_takes_memberships_and_sessions_along() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let acme = emulator.organization("Acme").create().unwrap();
    let ada = emulator.user("ada@example.com").password(PASSWORD);
    let ada = ada.member_of(&acme, "member").create().unwrap();
    let params = AuthenticateWithPasswordParams::new(&ada.email, PASSWORD);
    let tokens = sdk
        .user_management()
        .authenticate_with_password(params)
        .await
        .unwrap();

    sdk.user_management().delete_user(&ada.id).await.unwrap();
    let gone = sdk.user_management().get_user(&ada.id).await;
    assert_eq!(refusal(gone), (404, "entity_not_found".to_owned()));
    let memberships = ListOrganizationMembershipsParams {
        organization_id: Some(acme.id.clone()),
        statuses: Some(["active", "inactive", "pending"].map(Into::into).into()),
        ..Default::default()
    };
    let memberships = sdk
        .organization_membership()
        .list_organization_memberships(memberships)
        .await;
    assert_eq!(memberships.unwrap().data.len(), 0);
    let params = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let refresh = sdk
        .user_management()
        .authenticate_with_refresh_token(params)
        .await;
    assert_eq!(refusal(refresh), (400, "invalid_grant".to_owned()));
    let again = sdk.user_management().delete_user(&ada.id).await;
    assert_eq!(refusal(again), (404, "entity_not_found".to_owned()));

    let (_, events) = http::call(&emulator, Method::GET, "/events?order=desc&limit=3", &Value::Null).await;
    let names: Vec<_> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|event| &event["event"])
        .collect();
    assert_eq!(
        names,
        [
            "session.revoked",
            "organization_membership.deleted",
            "user.deleted"
        ]
    );
}
