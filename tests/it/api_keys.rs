//! API keys of an app's customers, and tokens for widgets, through the SDK.

use workos::{
    api_keys::{
        CreateApiKeyExpireParams, CreateOrganizationApiKeyParams, CreateValidationParams,
        ListOrganizationApiKeysParams,
    },
    user_management::{CreateUserApiKeyParams, ListUserApiKeysParams},
};
use workos_emulator::Emulator;

use crate::sdk::{self, claims, refusal};

fn parsed<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> T {
    serde_json::from_value(body).unwrap()
}

#[actix_web::test]
async fn an_app_gives_a_key_checks_it_and_takes_it_back() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let acme = emulator.organization("Acme").create().unwrap().id;
    emulator
        .role("reader")
        .permissions(["posts:read"])
        .create()
        .unwrap();
    let new = serde_json::json!({"name": "CI", "permissions": ["posts:read"]});
    let made = sdk
        .api_keys()
        .create_organization_api_key(&acme, CreateOrganizationApiKeyParams::new(parsed(new)))
        .await
        .unwrap();
    let value = made.value.expose();
    let list = sdk
        .api_keys()
        .list_organization_api_keys(&acme, ListOrganizationApiKeysParams::default())
        .await
        .unwrap();
    assert_eq!(list.data[0].id, made.id);

    let validate = async || {
        let body = parsed(serde_json::json!({ "value": value }));
        let params = CreateValidationParams::new(body);
        sdk.api_keys().create_validation(params).await.unwrap().api_key
    };
    let key = validate().await.unwrap();
    assert_eq!(
        (key.id, key.permissions),
        (made.id.clone(), vec!["posts:read".to_owned()])
    );
    assert!(key.last_used_at.is_some());

    // It opens the app's API, not WorkOS's.
    let stranger = sdk::with_api_key(&emulator, value);
    let refused = stranger.organizations().get_organization(&acme).await;
    assert_eq!(sdk::refused(refused).status, 401);

    let end = CreateApiKeyExpireParams::new(parsed(serde_json::json!({})));
    sdk.api_keys()
        .create_api_key_expire(&made.id, end.clone())
        .await
        .unwrap();
    assert!(validate().await.is_none());
    let again = sdk.api_keys().create_api_key_expire(&made.id, end).await;
    assert_eq!(refusal(again), (409, "api_key_already_expired".to_owned()));
    sdk.api_keys().delete_api_key(&made.id).await.unwrap();
    let gone = sdk.api_keys().delete_api_key(&made.id).await;
    assert_eq!(refusal(gone), (404, "entity_not_found".to_owned()));
}

#[actix_web::test]
async fn a_member_has_keys_and_tokens_of_their_own() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let acme = emulator.organization("Acme").create().unwrap();
    let scope = "widgets:api-keys:manage";
    emulator.role("admin").permissions([scope]).create().unwrap();
    let ada = emulator.user("ada@example.com").member_of(&acme, "admin");
    let ada = ada.create().unwrap().id;
    let new = serde_json::json!({"name": "Ada's", "organization_id": acme.id});
    let made = sdk
        .user_management()
        .create_user_api_key(&ada, CreateUserApiKeyParams::new(parsed(new)))
        .await
        .unwrap();
    let list = sdk
        .user_management()
        .list_user_api_keys(&ada, ListUserApiKeysParams::default())
        .await
        .unwrap();
    assert_eq!((list.data.len(), &list.data[0].id), (1, &made.id));
    assert_eq!(list.data[0].owner.organization_id, acme.id);

    let wanted = serde_json::json!({"user_id": ada, "organization_id": acme.id, "scopes": [scope]});
    let token = sdk
        .widgets()
        .create_token(workos::widgets::CreateTokenParams::new(parsed(wanted)))
        .await
        .unwrap();
    assert_eq!(claims(&token.token)["permissions"], serde_json::json!([scope]));
    let wanted = serde_json::json!({"user_id": ada, "organization_id": acme.id});
    let token = sdk
        .client_api()
        .create_token(workos::client_api::CreateTokenParams::new(parsed(wanted)))
        .await
        .unwrap();
    assert_eq!(claims(&token.token)["sub"], ada);
}
