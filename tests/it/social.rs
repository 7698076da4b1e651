//! Social login: from the application to AuthKit, to the page that stands in for a provider, and all the way back.

use reqwest::{Method, Url, header::HeaderMap};
use serde_json::{Value, json};
use workos::{
    UserManagementAuthenticationProvider as Provider,
    enums::UserIdentitiesGetItemProvider as IdentityProvider,
    models::AuthenticateResponse,
    user_management::{AuthenticateWithCodeParams, GetAuthorizationUrlParams},
};
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    http,
    sdk::{self, refusal},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "http://localhost:3000/callback";

pub(crate) async fn settings(emulator: &Emulator, changes: Value) {
    let (status, body) = http::call(emulator, Method::PATCH, "/_emulate/settings", &changes).await;
    assert_eq!(status, 200, "{body}");
}

pub(crate) fn authorize(
    emulator: &Emulator,
    provider: Provider,
    change: impl FnOnce(&mut GetAuthorizationUrlParams),
) -> String {
    let mut params = GetAuthorizationUrlParams::new(CALLBACK);
    params.provider = Some(provider);
    params.state = Some("a b+c&d=é".to_owned());
    change(&mut params);
    sdk::client(emulator)
        .user_management()
        .get_authorization_url(params)
        .unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// The page from its form with the buttons of providers on.
pub(crate) fn provider_buttons(page: &Page) -> Page {
    let at = page
        .text
        .find("class=\"providers\"")
        .unwrap_or_else(|| panic!("{}", page.text));
    let start = page.text[..at].rfind("<form ").unwrap();
    Page {
        url: page.url.clone(),
        status: page.status,
        headers: HeaderMap::new(),
        text: page.text[start..].to_owned(),
    }
}

/// Answers the stand-in, follows AuthKit, and stops where the application would take over.
pub(crate) async fn answer(browser: &Browser, stand_in: &Page, fields: &[(&str, &str)]) -> Page {
    let answered = browser.submit_and_stop(stand_in, fields).await;
    assert_eq!(answered.status, 303, "{}", answered.text);
    let callback = answered.location();
    assert!(callback.path().starts_with("/authkit/oauth/"), "{callback}");
    browser.step(callback.as_str()).await
}

/// The code that the application gets, with its state as it was.
pub(crate) fn code(page: &Page) -> String {
    let back = page.location();
    assert!(back.as_str().starts_with(CALLBACK), "{back}");
    assert_eq!(parameter(&back, "state").as_deref(), Some("a b+c&d=é"));
    parameter(&back, "code").unwrap_or_else(|| panic!("{back}"))
}

pub(crate) async fn redeem(emulator: &Emulator, code: String) -> Result<AuthenticateResponse, workos::Error> {
    sdk::client(emulator)
        .user_management()
        .authenticate_with_code(AuthenticateWithCodeParams::new(code))
        .await
}

async fn events(emulator: &Emulator, name: &str) -> Vec<Value> {
    let path = format!("/events?events={name}");
    let (_, list) = http::call(emulator, Method::GET, &path, &Value::Null).await;
    let data = list["data"].as_array().unwrap();
    data.iter().map(|event| event["data"].clone()).collect()
}

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

/// Whoever gets hold of a callback, or makes one up, gets nobody signed in.
#[actix_web::test]
async fn a_return_is_good_once_in_the_browser_that_left() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).create().unwrap();
    let leave = async |browser: &Browser| {
        let stand_in = browser
            .visit(authorize(&emulator, Provider::GoogleOAuth, |_| {}))
            .await;
        browser
            .submit_and_stop(&stand_in, &[("account", EMAIL)])
            .await
            .location()
    };
    let browser = Browser::new();
    let callback = leave(&browser).await;
    let url = callback.as_str();
    // Session fixation: the attacker's own return, opened by somebody else.
    assert_eq!(Browser::new().step(url).await.status, 400);
    let (attackers, victim) = (Browser::new(), Browser::new());
    let own = leave(&attackers).await;
    leave(&victim).await;
    assert_eq!(victim.step(own.as_str()).await.status, 400);
    // The attacker's code in the victim's return.
    let replaced = |name: &str, value: &str| {
        let mut url = callback.clone();
        let pairs: Vec<_> = callback.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear().extend_pairs(
            pairs
                .iter()
                .map(|(key, old)| (key.as_str(), if key == name { value } else { old.as_str() })),
        );
        url
    };
    let state = parameter(&callback, "state").unwrap();
    for made_up in [
        replaced("state", ""),
        replaced("state", &state[..state.len() - 1]),
        replaced("state", state.split_once('.').unwrap().0),
        replaced("state", &format!("{state}x")),
    ] {
        assert_eq!(browser.step(made_up.as_str()).await.status, 400, "{made_up}");
    }
    let github = url.replace("/oauth/google/", "/oauth/github/");
    assert_eq!(browser.step(&github).await.status, 400);
    // All of that has used nothing up; the return itself has.
    let back = browser.step(url).await;
    let code = code(&back);
    assert_eq!(browser.step(url).await.status, 400);
    redeem(&emulator, code.clone()).await.unwrap();
    assert_eq!(
        refusal(redeem(&emulator, code).await),
        (400, "invalid_grant".to_owned())
    );
}

#[actix_web::test]
async fn a_code_of_the_provider_that_is_no_good_fails_the_sign_in() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).create().unwrap();
    settings(&emulator, json!({"pending_authentication_lifetime": 3600})).await;
    let browser = Browser::new();
    let callback = async |provider: Provider| {
        let stand_in = browser.visit(authorize(&emulator, provider, |_| {})).await;
        browser
            .submit_and_stop(&stand_in, &[("account", EMAIL)])
            .await
            .location()
    };
    let error = async |url: &str| {
        let back = browser.step(url).await.location();
        assert!(back.as_str().starts_with(CALLBACK), "{back}");
        parameter(&back, "error")
    };
    let made_up = callback(Provider::GoogleOAuth).await;
    let code = parameter(&made_up, "code").unwrap();
    let made_up = made_up.as_str().replace(&code, "nonsense");
    assert_eq!(error(&made_up).await.as_deref(), Some("oauth_failed"));
    // GitHub's code at Google's callback.
    let github = parameter(&callback(Provider::GitHubOAuth).await, "code").unwrap();
    let google = callback(Provider::GoogleOAuth).await;
    let own = parameter(&google, "code").unwrap();
    let mixed = google.as_str().replace(&own, &github);
    assert_eq!(error(&mixed).await.as_deref(), Some("oauth_failed"));
    let late = callback(Provider::GoogleOAuth).await;
    emulator.clock().advance(std::time::Duration::from_secs(601));
    assert_eq!(error(late.as_str()).await.as_deref(), Some("oauth_failed"));
    assert_eq!(events(&emulator, "authentication.oauth_failed").await.len(), 3);
    assert_eq!(events(&emulator, "authentication.oauth_succeeded").await.len(), 0);
}

#[actix_web::test]
async fn the_stand_in_answers_authkit_alone() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user(EMAIL).create().unwrap();
    let browser = Browser::new();
    let asked = browser
        .step(authorize(&emulator, Provider::GoogleOAuth, |_| {}))
        .await
        .location();
    let good = parameter(&asked, "redirect_uri").unwrap();
    let encoded: String = url::form_urlencoded::byte_serialize(good.as_bytes()).collect();
    for redirect_uri in [
        "https%3A%2F%2Fevil.example%2F".to_owned(),
        format!("{encoded}%2F"),
        format!("{encoded}.evil.example"),
        encoded.replace("google", "github"),
        String::new(),
    ] {
        let page = browser
            .step(asked.as_str().replace(&encoded, &redirect_uri))
            .await;
        assert_eq!(page.status, 400, "{redirect_uri}");
        assert!(page.text.contains("This is no way to a provider"));
    }
    let unknown = asked.as_str().replace("/provider/google", "/provider/gogle");
    assert_eq!(browser.step(unknown).await.status, 400);

    let fields = [
        ("client_id", "client_emulate"),
        ("redirect_uri", &good),
        ("state", "s"),
        ("account", EMAIL),
    ];
    let url = format!("{}/authkit/provider/google", emulator.url());
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = http::client().post(&url).form(&fields).header(header, value);
        assert_eq!(request.send().await.unwrap().status(), 403);
    }
    let elsewhere = fields.map(|(name, value)| match name {
        "redirect_uri" => (name, "https://evil.example/"),
        _ => (name, value),
    });
    let request = http::client().post(&url).form(&elsewhere);
    assert_eq!(request.send().await.unwrap().status(), 400);
    // Buttons are pressed on our own pages only.
    let page = browser
        .visit(authorize(&emulator, Provider::Authkit, |_| {}))
        .await;
    let form = [
        ("client_id", "client_emulate".to_owned()),
        (
            "authorization_session_id",
            parameter(&page.url, "authorization_session_id").unwrap(),
        ),
        ("provider", "GoogleOAuth".to_owned()),
    ];
    let button = format!("{}/authkit/oauth", emulator.url());
    let foreign = http::client()
        .post(&button)
        .form(&form)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let without_cookie = http::client().post(&button).form(&form);
    assert_eq!(without_cookie.send().await.unwrap().status(), 400);
}
