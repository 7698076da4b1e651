//! Identities that are there from the beginning: by a seed, or by a Rust test.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    models::UpdateJWTTemplate,
    user_management::{AuthenticateWithRefreshTokenParams, UpdateJWTTemplateParams},
};
use workos_emulator::{Emulator, validate_seed};

use crate::{http, sdk};

const SEED: &str = r#"
users:
  - {id: user_ada, email: ada@example.com, email_verified: true, oauth_provider: GoogleOAuth, oauth_idp_id: "108"}
  - {id: user_eve, email: eve@example.com, email_verified: true, oauth_provider: GithubOAuth}
  - {id: user_bob, email: bob@example.com, email_verified: true}
"#;

async fn identities(emulator: &Emulator, user_id: &str) -> Value {
    let path = format!("/user_management/users/{user_id}/identities");
    let (status, list) = http::call(emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(status, 200, "{list}");
    list
}

#[actix_web::test]
async fn a_seed_links_accounts_as_the_peer_does() {
    let emulator = Emulator::builder().seed(SEED).start().await.unwrap();
    assert_eq!(
        identities(&emulator, "user_ada").await,
        json!([{"idp_id": "108", "type": "OAuth", "provider": "GoogleOAuth"}])
    );
    let eve = identities(&emulator, "user_eve").await;
    assert_eq!(eve[0]["provider"], "GithubOAuth");
    assert_eq!(eve[0]["idp_id"].as_str().unwrap().len(), 21);
    assert_eq!(identities(&emulator, "user_bob").await, json!([]));
    // Who has no password comes through the provider.
    let wanted = json!({"user_id": "user_ada"});
    let (_, signed_in) = http::call(&emulator, Method::POST, "/_emulate/sign_in", &wanted).await;
    assert_eq!(signed_in["authentication_method"], "GoogleOAuth");
}

#[actix_web::test]
async fn a_seed_that_links_nonsense_is_refused() {
    for (user, problem) in [
        (
            "oauth_provider: google",
            "users[0].oauth_provider: WorkOS has no such provider",
        ),
        (
            "oauth_provider: GoogleOAuth, oauth_idp_id: 108",
            "users[0].oauth_idp_id: invalid type",
        ),
    ] {
        let text = format!("users: [{{email: a@example.com, {user}}}]");
        let problems = validate_seed(&text).unwrap_err().problems();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with(problem), "{problems:?}");
    }
    let twice = "users:\n".to_owned()
        + "  - {email: a@example.com, oauth_provider: GoogleOAuth, oauth_idp_id: \"1\"}\n"
        + "  - {email: b@example.com, oauth_provider: GoogleOAuth, oauth_idp_id: \"1\"}\n";
    let refused = Emulator::builder().seed(twice).start().await.unwrap_err();
    assert!(refused.to_string().contains("users[1].oauth_idp_id"), "{refused}");
}

#[actix_web::test]
async fn a_rust_test_links_accounts_and_tokens_can_say_them() {
    let emulator = Emulator::start().await.unwrap();
    let refused = emulator
        .user("x@example.com")
        .identity("google", "1")
        .create()
        .unwrap_err();
    assert!(
        refused.to_string().contains("Provider not found: 'google'"),
        "{refused}"
    );
    let ada = emulator
        .user("ada@example.com")
        .identity("GoogleOAuth", "108")
        .identity("GitHubOAuth", "9")
        .create()
        .unwrap();
    assert_eq!(identities(&emulator, &ada.id).await.as_array().unwrap().len(), 2);
    let body = UpdateJWTTemplate {
        content:
            r#"{"google": {{ user.identities.GoogleOAuth }}, "apple": {{ user.identities.AppleOAuth }}}"#
                .to_owned(),
    };
    let sdk = sdk::client(&emulator);
    let params = UpdateJWTTemplateParams::new(body);
    sdk.user_management().update_jwt_template(params).await.unwrap();
    let signed_in = emulator.sign_in(&ada).await.unwrap();
    let refresh = AuthenticateWithRefreshTokenParams::new(signed_in.refresh_token);
    let tokens = sdk
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await;
    let claims = sdk::claims(&tokens.unwrap().access_token);
    assert_eq!(claims["google"], "108");
    assert!(claims.get("apple").is_none());

    // A new address unlinks what does not match it.
    let path = format!("/user_management/users/{}", ada.id);
    let moved = json!({"email": "ada@new.example"});
    http::call(&emulator, Method::PUT, &path, &moved).await;
    assert_eq!(identities(&emulator, &ada.id).await, json!([]));
}
