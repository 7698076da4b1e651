//! An API on Actix that takes bearer tokens, API keys and machine tokens, and the emulator that gives them out.

use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    api_keys::{CreateApiKeyExpireParams, CreateOrganizationApiKeyParams},
    user_management::{
        AuthenticateWithPasswordParams, AuthenticateWithRefreshTokenParams, CreateUserApiKeyParams,
        RevokeSessionParams,
    },
};
use workos_actix::{AuthContext, AuthKit, AuthKitBuilder, AuthUser, OrganizationId};
use workos_emulator::Emulator;

use crate::{app::AppClock, http, sdk, server};

const PASSWORD: &str = "seven quiet lighthouses";

/// An API of an app that signs nobody in; answers its URL.
pub(crate) fn serve(emulator: &Emulator, sources: impl FnOnce(AuthKitBuilder) -> AuthKitBuilder) -> String {
    let builder = AuthKit::builder()
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .api_base_url(emulator.url())
        .clock(AppClock(emulator.clock()))
        .without_sessions();
    let authkit = sources(builder).build().unwrap();
    let (listener, url) = server::listen();
    server::serve(listener, 2, move || {
        App::new()
            .wrap(authkit.middleware())
            .route("/who", web::get().to(who))
            .route("/who", web::post().to(who))
            .route("/me", web::get().to(me))
            .route(
                "/organization",
                web::get().to(|id: OrganizationId| async move { web::Json(id) }),
            )
    });
    url
}

pub(crate) async fn who(auth: AuthContext) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "credential": auth.credential().as_str(), "subject": auth.subject(), "session": auth.session_id(),
        "organization": auth.organization_id(), "role": auth.role(), "permissions": auth.permissions(),
        "scopes": auth.scopes().collect::<Vec<_>>(),
    }))
}

async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "id": user.id(), "email": user.email(), "name": user.name() }))
}

/// Asks with a credential.
pub(crate) async fn ask(url: &str, path: &str, credential: &str) -> (u16, Value) {
    let request = http::client().get(format!("{url}{path}"));
    http::answer(request.bearer_auth(credential)).await
}

/// The status and the code of a refusal.
pub(crate) async fn refusal(url: &str, path: &str, credential: &str) -> (u16, String) {
    let (status, body) = ask(url, path, credential).await;
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn parsed<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}

#[actix_web::test]
async fn a_mobile_app_calls_with_its_access_token() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    emulator
        .role("editor")
        .permissions(["posts:write"])
        .create()
        .unwrap();
    let ada = emulator
        .user("ada@example.com")
        .first_name("Ada")
        .password(PASSWORD)
        .member_of(&acme, "editor")
        .create()
        .unwrap();
    let url = serve(&emulator, AuthKitBuilder::bearer_tokens);
    let users = sdk::client(&emulator);
    let users = users.user_management();
    let params = AuthenticateWithPasswordParams::new("ada@example.com", PASSWORD);
    let tokens = users.authenticate_with_password(params).await.unwrap();
    let session = sdk::claims(&tokens.access_token)["sid"].clone();
    let (status, who) = ask(&url, "/who", tokens.access_token.expose()).await;
    let expected = json!({
        "credential": "access_token", "subject": ada.id, "session": session, "organization": acme.id,
        "role": "editor", "permissions": ["posts:write"], "scopes": [],
    });
    assert_eq!((status, who), (200, expected));
    let me = json!({ "id": ada.id, "email": "ada@example.com", "name": "Ada" });
    assert_eq!(
        ask(&url, "/me", tokens.access_token.expose()).await,
        (200, me.clone())
    );
    let (_, organization) = ask(&url, "/organization", tokens.access_token.expose()).await;
    assert_eq!(organization, json!(acme.id));

    // The token expires, and the app, not the API, gets a new one.
    emulator.clock().advance(Duration::from_secs(306));
    let old = tokens.access_token.expose();
    assert_eq!(refusal(&url, "/who", old).await, refused(401, "invalid_token"));
    let params = AuthenticateWithRefreshTokenParams::new(tokens.refresh_token.expose());
    let tokens = users.authenticate_with_refresh_token(params).await.unwrap();
    let token = tokens.access_token.expose();
    assert_eq!(ask(&url, "/me", token).await, (200, me));

    // A session that is revoked ends with its token, as everywhere where tokens are verified without asking.
    let params = RevokeSessionParams::new(parsed(json!({ "session_id": session })));
    users.revoke_session(params).await.unwrap();
    assert_eq!(ask(&url, "/who", token).await.0, 200);

    // The profile of a deleted user is gone within five minutes.
    let (status, _) = http::call(
        &emulator,
        Method::PATCH,
        "/_emulate/settings",
        &json!({"access_token_lifetime": 3600}),
    )
    .await;
    assert_eq!(status, 200);
    let params = AuthenticateWithPasswordParams::new("ada@example.com", PASSWORD);
    let tokens = users.authenticate_with_password(params).await.unwrap();
    let token = tokens.access_token.expose();
    assert_eq!(ask(&url, "/me", token).await.0, 200);
    users.delete_user(&ada.id).await.unwrap();
    emulator.clock().advance(Duration::from_secs(300));
    assert_eq!(refusal(&url, "/me", token).await, refused(401, "invalid_token"));
}

#[actix_web::test]
async fn a_customer_calls_with_an_api_key() {
    let emulator = Emulator::start().await.unwrap();
    let sdk = sdk::client(&emulator);
    let acme = emulator.organization("Acme").create().unwrap();
    emulator
        .role("member")
        .permissions(["posts:read"])
        .create()
        .unwrap();
    let ada = emulator.user("ada@example.com").member_of(&acme, "member");
    let ada = ada.create().unwrap();
    let url = serve(&emulator, AuthKitBuilder::api_keys);

    let new = parsed(json!({ "name": "CI", "permissions": ["posts:read"] }));
    let made = sdk
        .api_keys()
        .create_organization_api_key(&acme.id, CreateOrganizationApiKeyParams::new(new))
        .await
        .unwrap();
    let key = made.value.expose();
    let (status, who) = ask(&url, "/who", key).await;
    let expected = json!({
        "credential": "api_key", "subject": made.id, "session": null, "organization": acme.id, "role": null,
        "permissions": ["posts:read"], "scopes": [],
    });
    assert_eq!((status, who), (200, expected));
    assert_eq!(refusal(&url, "/me", key).await, refused(403, "user_required"));
    let post = http::client().post(format!("{url}/who")).bearer_auth(key);
    assert_eq!(http::answer(post).await.0, 200);

    let new = parsed(json!({ "name": "Ada's", "organization_id": acme.id }));
    let users = sdk.user_management();
    let own = users.create_user_api_key(&ada.id, CreateUserApiKeyParams::new(new));
    let own = own.await.unwrap();
    let (_, who) = ask(&url, "/who", own.value.expose()).await;
    assert_eq!(
        (&who["subject"], &who["organization"]),
        (&json!(own.id), &json!(acme.id))
    );

    // WorkOS's own key for this environment is no customer's key.
    assert_eq!(
        refusal(&url, "/who", &emulator.api_key()).await,
        refused(401, "invalid_token")
    );

    // A key that is taken back works for a minute at most.
    let end = CreateApiKeyExpireParams::new(parsed(json!({})));
    sdk.api_keys().create_api_key_expire(&made.id, end).await.unwrap();
    assert_eq!(ask(&url, "/who", key).await.0, 200);
    emulator.clock().advance(Duration::from_secs(60));
    assert_eq!(refusal(&url, "/who", key).await, refused(401, "invalid_token"));
    sdk.api_keys().delete_api_key(&own.id).await.unwrap();
    assert_eq!(
        refusal(&url, "/who", own.value.expose()).await,
        refused(401, "invalid_token")
    );
}
