//! The buttons on the pages, and the page that stands in for a provider.

use reqwest::Method;
use serde_json::{Value, json};
use workos::UserManagementAuthenticationProvider as Provider;
use workos_emulator::Emulator;

use super::{EMAIL, PASSWORD, answer, authorize, code, events, provider_buttons, redeem, settings};
use crate::{browser::Browser, http, sdk};

#[actix_web::test]
async fn the_pages_show_the_providers_that_are_on_in_their_order() {
    let emulator = Emulator::start().await.unwrap();
    let url = authorize(&emulator, Provider::Authkit, |_| {});
    let none = Browser::new().visit(&url).await;
    assert!(!none.text.contains("Continue with"), "{}", none.text);
    let providers = json!(["SlackOAuth", "AppleOAuth"]);
    settings(&emulator, json!({"sign_in_methods": {"providers": providers}})).await;
    let sign_up = authorize(&emulator, Provider::Authkit, |params| {
        params.screen_hint = Some("sign-up".into());
    });
    for url in [&url, &sign_up] {
        let page = Browser::new().visit(url).await;
        let at = |text: &str| {
            page.text
                .find(text)
                .unwrap_or_else(|| panic!("{text}: {}", page.text))
        };
        assert!(at("name=\"email\"") < at("Continue with Slack"));
        assert!(at("Continue with Slack") < at("Continue with Apple"));
        assert!(!page.text.contains("Continue with Google"));
    }
    // With nothing else on, there is nothing to type.
    let only = json!({"password": false, "magic_auth": false});
    settings(&emulator, json!({"sign_in_methods": only})).await;
    for url in [&url, &sign_up] {
        let page = Browser::new().visit(url).await;
        assert!(page.text.contains("Continue with Slack") && !page.text.contains("name=\"email\""));
    }
    // Where nobody can sign up, the page is not there.
    settings(&emulator, json!({"sign_in_methods": {"providers": []}})).await;
    assert_eq!(
        Browser::new().visit(&sign_up).await.url.path(),
        "/authkit/sign-in"
    );
}

#[actix_web::test]
async fn a_button_leads_through_the_provider_to_the_next_page() {
    let emulator = Emulator::start().await.unwrap();
    let [acme, globex] = ["Acme", "Globex"].map(|name| emulator.organization(name).create().unwrap());
    let ada = emulator
        .user(EMAIL)
        .member_of(&acme, "member")
        .member_of(&globex, "member")
        .identity("GoogleOAuth", "108")
        .create()
        .unwrap();
    settings(
        &emulator,
        json!({"sign_in_methods": {"providers": ["GoogleOAuth"]}}),
    )
    .await;
    let browser = Browser::new();
    let page = browser
        .visit(authorize(&emulator, Provider::Authkit, |_| {}))
        .await;
    let stand_in = browser
        .submit(&provider_buttons(&page), &[("provider", "GoogleOAuth")])
        .await;
    assert_eq!(stand_in.url.path(), "/authkit/provider/google");
    assert!(stand_in.text.contains("value=\"108\"") && stand_in.text.contains("linked already"));
    let picker = browser.submit(&stand_in, &[("account", "108")]).await;
    assert_eq!((picker.status, picker.url.path()), (200, "/authkit/organization"));
    let back = browser
        .submit_and_stop(&picker, &[("organization_id", &globex.id)])
        .await;
    let tokens = redeem(&emulator, code(&back)).await.unwrap();
    assert_eq!(
        (tokens.user.id, tokens.organization_id),
        (ada.id, Some(globex.id))
    );
}

#[actix_web::test]
async fn who_denies_on_the_pages_can_choose_another_way() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    settings(
        &emulator,
        json!({"sign_in_methods": {"providers": ["GoogleOAuth"]}}),
    )
    .await;
    let browser = Browser::new();
    let page = browser
        .visit(authorize(&emulator, Provider::Authkit, |_| {}))
        .await;
    let google = [("provider", "GoogleOAuth")];
    let stand_in = browser.submit(&provider_buttons(&page), &google).await;
    let refused = browser.submit(&stand_in, &[("decision", "deny")]).await;
    assert_eq!(
        (refused.status, refused.url.path()),
        (400, "/authkit/oauth/refused")
    );
    assert!(
        refused
            .text
            .contains("Google was not allowed to say who you are.")
    );

    // Nobody new gets in where nobody signs up.
    settings(&emulator, json!({"sign_up": false})).await;
    let stand_in = browser.submit(&provider_buttons(&page), &google).await;
    let stranger = [("email", "eve@example.com")];
    let refused = browser.submit(&stand_in, &stranger).await;
    assert!(
        refused.text.contains("You have no account here"),
        "{}",
        refused.text
    );
    let (_, users) = http::call(&emulator, Method::GET, "/user_management/users", &Value::Null).await;
    assert_eq!(users["data"].as_array().unwrap().len(), 1);

    // The sign-in goes on by password.
    let codes: Vec<_> = events(&emulator, "authentication.oauth_failed").await;
    assert_eq!(codes[0]["error"]["code"], "access_denied");
    assert_eq!(codes[1]["error"]["code"], "sign_up_not_allowed");
    let again = browser.visit(page.url.as_str()).await;
    let password = browser.submit(&again, &[("email", EMAIL)]).await;
    let back = browser
        .submit_and_stop(&password, &[("password", PASSWORD)])
        .await;
    assert_eq!(redeem(&emulator, code(&back)).await.unwrap().user.email, EMAIL);
}

#[actix_web::test]
async fn another_account_is_typed_and_corrected() {
    let emulator = Emulator::start().await.unwrap();
    let browser = Browser::new();
    let stand_in = browser
        .visit(authorize(&emulator, Provider::AppleOAuth, |_| {}))
        .await;
    let long = "x".repeat(256);
    let wrong = [("email", "grace"), ("first_name", "Grace <3"), ("idp_id", &long)];
    let again = browser.submit(&stand_in, &wrong).await;
    assert_eq!(again.status, 400);
    for text in [
        "Enter an email address",
        "At most 255 characters.",
        "Grace &#60;3",
        "<details open>",
    ] {
        assert!(again.text.contains(text), "{text}: {}", again.text);
    }
    let right = [
        ("email", " Grace@Example.com"),
        ("first_name", "Grace"),
        ("last_name", "Hopper"),
        ("idp_id", "000123.abc"),
    ];
    let back = answer(&browser, &again, &right).await;
    let user = redeem(&emulator, code(&back)).await.unwrap().user;
    assert_eq!(
        (user.email.as_str(), user.name.as_deref()),
        ("grace@example.com", Some("Grace Hopper"))
    );
    assert!(user.email_verified);
    let sdk = sdk::client(&emulator);
    let identities = sdk.user_management().get_user_identities(&user.id).await.unwrap();
    assert_eq!(identities[0].idp_id, "000123.abc");
    // An account that is gone when it is chosen is no way in.
    let gone = browser
        .visit(authorize(&emulator, Provider::AppleOAuth, |_| {}))
        .await;
    let path = format!("/user_management/users/{}", user.id);
    http::call(&emulator, Method::DELETE, &path, &Value::Null).await;
    let refused = browser.submit(&gone, &[("account", "000123.abc")]).await;
    assert!(refused.status == 400 && refused.text.contains("This account is not there any more"));
}
