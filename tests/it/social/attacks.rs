//! What comes back from a provider is good once, where it left, and for AuthKit alone.

use serde_json::json;
use workos::UserManagementAuthenticationProvider as Provider;
use workos_emulator::Emulator;

use super::{CALLBACK, EMAIL, authorize, code, events, parameter, redeem, settings};
use crate::{browser::Browser, http, sdk::refusal};

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
