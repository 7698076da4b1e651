//! From the application to a provider and back.

use reqwest::Url;
use serde_json::{Value, json};
use workos::{
    UserManagementAuthenticationProvider as Provider,
    enums::UserIdentitiesGetItemProvider as IdentityProvider,
};
use workos_emulator::Emulator;

use super::{EMAIL, answer, authorize, code, events, parameter, redeem, settings};
use crate::{
    browser::Browser,
    http,
    sdk::{self, refusal},
};

#[actix_web::test]
async fn an_application_sends_people_to_a_provider_and_gets_its_tokens() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator.user(EMAIL).first_name("Ada").create().unwrap();
    settings(&emulator, json!({"return_oauth_tokens": true})).await;
    let browser = Browser::new();
    let url = authorize(&emulator, Provider::GoogleOAuth, |params| {
        params.login_hint = Some(EMAIL.to_owned());
        params.provider_scopes = Some(vec!["https://www.googleapis.com/auth/calendar".to_owned()]);
        let more = [
            ("hd", "example.com"),
            ("redirect_uri", "https://evil.example/"),
            ("state", "mine"),
        ];
        let more = more.map(|(name, value)| (name.to_owned(), value.to_owned()));
        params.provider_query_params = Some(more.into_iter().collect());
    });
    let asked = browser.step(&url).await.location();
    assert_eq!(asked.path(), "/authkit/provider/google");
    let own_callback = format!("{}/authkit/oauth/google/client_emulate/callback", emulator.url());
    for (name, value) in [
        ("client_id", "client_emulate"),
        ("redirect_uri", &own_callback),
        ("response_type", "code"),
        (
            "scope",
            "openid profile email https://www.googleapis.com/auth/calendar",
        ),
        ("login_hint", EMAIL),
        ("hd", "example.com"),
    ] {
        let values: Vec<_> = asked.query_pairs().filter(|(key, _)| key == name).collect();
        assert_eq!(values.len(), 1, "{asked}");
        assert_eq!(values[0].1, value);
    }
    let state = parameter(&asked, "state").unwrap();
    assert!(state.len() > 40 && state != "mine", "{state}");

    let stand_in = browser.visit(asked.as_str()).await;
    assert_eq!(stand_in.status, 200);
    for text in [
        "Stand-in for Google",
        EMAIL,
        "auth/calendar",
        "example.com",
        "Deny access",
    ] {
        assert!(stand_in.text.contains(text), "{text}: {}", stand_in.text);
    }
    let back = answer(&browser, &stand_in, &[("account", EMAIL)]).await;
    let tokens = redeem(&emulator, code(&back)).await.unwrap();
    assert_eq!(tokens.user.id, ada.id);
    assert_eq!(tokens.authentication_method.unwrap().as_str(), "GoogleOAuth");
    let of_provider = tokens.oauth_tokens.unwrap();
    assert_eq!(of_provider.provider, "GoogleOAuth");
    assert_eq!(
        of_provider.scopes.last().unwrap(),
        "https://www.googleapis.com/auth/calendar"
    );

    let sdk = sdk::client(&emulator);
    let identities = sdk.user_management().get_user_identities(&ada.id).await.unwrap();
    assert_eq!(identities.len(), 1);
    assert_eq!(
        (identities[0].type_.as_str(), identities[0].idp_id.len()),
        ("OAuth", 21)
    );
    assert_eq!(identities[0].provider, IdentityProvider::GoogleOAuth);
    let unknown = sdk.user_management().get_user_identities("user_none").await;
    assert_eq!(refusal(unknown), (404, "entity_not_found".to_owned()));
    let told = events(&emulator, "authentication.oauth_succeeded").await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["user_id"], &told[0]["ip_address"]),
        (&json!(ada.id), &json!("127.0.0.1"))
    );
}

#[actix_web::test]
async fn an_application_is_told_that_somebody_denied() {
    let emulator = Emulator::start().await.unwrap();
    let browser = Browser::new();
    let stand_in = browser
        .visit(authorize(&emulator, Provider::GitHubOAuth, |_| {}))
        .await;
    let back = answer(&browser, &stand_in, &[("decision", "deny")])
        .await
        .location();
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(
        parameter(&back, "error_description").as_deref(),
        Some("The user denied the request at GitHub.")
    );
    assert_eq!(parameter(&back, "state").as_deref(), Some("a b+c&d=é"));
    let told = events(&emulator, "authentication.oauth_failed").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["error"]["code"], "access_denied");
    assert_eq!(
        (&told[0]["email"], &told[0]["user_id"]),
        (&Value::Null, &Value::Null)
    );
}

#[actix_web::test]
async fn every_provider_signs_in_at_once_without_a_browser() {
    let emulator = Emulator::start().await.unwrap();
    settings(&emulator, json!({"email_verification": false})).await;
    let sdk = sdk::client(&emulator);
    let all = [
        (Provider::AppleOAuth, IdentityProvider::AppleOAuth),
        (Provider::BitbucketOAuth, IdentityProvider::BitbucketOAuth),
        (Provider::GitHubOAuth, IdentityProvider::GithubOAuth),
        (Provider::GitLabOAuth, IdentityProvider::GitLabOAuth),
        (Provider::GoogleOAuth, IdentityProvider::GoogleOAuth),
        (Provider::IntuitOAuth, IdentityProvider::IntuitOAuth),
        (Provider::LinkedInOAuth, IdentityProvider::LinkedInOAuth),
        (Provider::MicrosoftOAuth, IdentityProvider::MicrosoftOAuth),
        (Provider::SalesforceOAuth, IdentityProvider::SalesforceOAuth),
        (Provider::SlackOAuth, IdentityProvider::SlackOAuth),
        (
            Provider::VercelMarketplaceOAuth,
            IdentityProvider::VercelMarketplaceOAuth,
        ),
        (Provider::VercelOAuth, IdentityProvider::VercelOAuth),
        (Provider::XeroOAuth, IdentityProvider::XeroOAuth),
    ];
    let mut user = None;
    for (at, (provider, identity)) in all.into_iter().enumerate() {
        let slug = provider.as_str().to_owned();
        let url = authorize(&emulator, provider, |params| {
            params.login_hint = Some(EMAIL.to_owned())
        });
        let response = http::client().get(url).send().await.unwrap();
        let back: Url = response.headers()["location"].to_str().unwrap().parse().unwrap();
        let tokens = redeem(&emulator, parameter(&back, "code").unwrap())
            .await
            .unwrap();
        assert_eq!(tokens.authentication_method.unwrap().as_str(), slug);
        let id = user.get_or_insert(tokens.user.id.clone());
        assert_eq!(*id, tokens.user.id);
        let linked = sdk.user_management().get_user_identities(id).await.unwrap();
        assert_eq!((linked.len(), &linked[at].provider), (at + 1, &identity));
    }
}
