//! What the identity provider answers, what comes from it unasked, and how one signs out there.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    SSOProvider, models::SSOLogoutAuthorizeRequest, sso::AuthorizeLogoutParams,
    user_management::AuthenticateWithCodeParams,
};
use workos_emulator::{Connection, Emulator};

use super::{CALLBACK, EMAIL, World, answer, authorize, code, parameter, plain, redeem, world};
use crate::{
    browser::{Browser, Page},
    http,
    sdk::{self, refusal, refused},
    social::settings,
    sso_connections::{events, names},
};

#[actix_web::test]
async fn a_profile_outside_of_the_domains_is_refused() {
    let World { emulator, acme, okta } = world().await;
    let url = authorize(&emulator, |params| {
        params.connection = Some(okta.id.clone());
        params.login_hint = Some("eve@globex.example".to_owned());
    });
    let error = "profile_not_allowed_outside_organization";
    assert_eq!(parameter(&plain(&url).await, "error").as_deref(), Some(error));
    let told = events(&emulator, "authentication.sso").await;
    assert_eq!(
        names(&told),
        ["authentication.sso_started", "authentication.sso_failed"]
    );
    assert_eq!(told[1].1["error"]["code"], error);
    assert_eq!(told[1].1["email"], "eve@globex.example");
    let trace = format!("/_emulate/sso/traces?connection_id={}", okta.id);
    let (_, traces) = http::call(&emulator, Method::GET, &trace, &Value::Null).await;
    let newest = &traces["data"][0];
    assert_eq!(
        (&newest["status"], &newest["error"]["code"]),
        (&json!("failed"), &json!(error))
    );
    let last = newest["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["step"], &last["passed"]),
        (&json!("domain"), &json!(false))
    );
    assert!(
        last["detail"]
            .as_str()
            .unwrap()
            .contains("globex.example is no verified domain of Acme"),
        "{last}"
    );
    let allow = json!({"allow_profiles_outside_organization": true});
    http::call(
        &emulator,
        Method::PUT,
        &format!("/organizations/{}", acme.id),
        &allow,
    )
    .await;
    let profile = redeem(&emulator, &code(&plain(&url).await))
        .await
        .unwrap()
        .profile;
    assert_eq!(profile.email, "eve@globex.example");
}

#[actix_web::test]
async fn the_identity_provider_can_refuse_and_fail() {
    let World { emulator, okta, .. } = world().await;
    for (decision, error) in [("deny", "access_denied"), ("error", "server_error")] {
        let browser = Browser::new();
        let url = authorize(&emulator, |params| params.connection = Some(okta.id.clone()));
        let page = browser.visit(&url).await;
        let back = answer(&browser, &page, &[("decision", decision)])
            .await
            .location();
        assert_eq!(parameter(&back, "error").as_deref(), Some(error));
        assert_eq!(parameter(&back, "state").as_deref(), Some("a b+c&d=é"));
    }
    // Who never comes back times out, on the clock.
    let url = authorize(&emulator, |params| params.connection = Some(okta.id.clone()));
    Browser::new().visit(&url).await;
    emulator.clock().advance(std::time::Duration::from_secs(601));
    let told = events(&emulator, "authentication.sso").await;
    assert_eq!(names(&told).last(), Some(&"authentication.sso_timed_out"));
    assert!(told.last().unwrap().1["error"]["code"].is_string());
}

#[actix_web::test]
async fn an_answer_counts_once_in_the_browser_that_asked_for_its_connection() {
    let World { emulator, acme, .. } = world().await;
    // SAML has answers of its own: see `saml.rs`.
    let connection = |kind: &str| emulator.connection(&acme).connection_type(kind).create().unwrap();
    let (okta, second) = (connection("OktaOIDC"), connection("EntraIdOIDC"));
    let start = async |browser: &Browser, id: &str| {
        let url = authorize(&emulator, |params| params.connection = Some(id.to_owned()));
        browser.visit(&url).await
    };
    let browser = Browser::new();
    let page = start(&browser, &okta.id).await;
    let typed = [("email", EMAIL)];
    let callback = browser.submit_and_stop(&page, &typed).await.location();
    // A victim's browser is not signed in as the attacker.
    assert_eq!(Browser::new().step(callback.as_str()).await.status, 400);
    // Nor is the answer of one connection that of another, or without its state.
    let elsewhere = callback.as_str().replace(&okta.id, &second.id);
    assert_eq!(browser.step(&elsewhere).await.status, 400);
    let back = browser.step(callback.as_str()).await.location();
    code(&back);
    assert_eq!(browser.step(callback.as_str()).await.status, 400, "once");
    // An answer to one sign-in is none to another one.
    let (one, two) = (start(&browser, &okta.id).await, start(&browser, &okta.id).await);
    let of_one = browser.submit_and_stop(&one, &typed).await.location();
    let of_two = browser.submit_and_stop(&two, &typed).await.location();
    let stolen = of_two.as_str().replace(
        &parameter(&of_two, "code").unwrap(),
        &parameter(&of_one, "code").unwrap(),
    );
    let back = browser.step(&stolen).await.location();
    assert_eq!(parameter(&back, "error").as_deref(), Some("server_error"));
    // An answer that somebody asked for does not pass for one that nobody did.
    let page = start(&browser, &okta.id).await;
    let asked = browser.submit_and_stop(&page, &typed).await.location();
    let code = parameter(&asked, "code").unwrap();
    let unsolicited = format!(
        "{}/sso/callback/{}?client_id={}&code={code}",
        emulator.url(),
        okta.id,
        emulator.client_id()
    );
    assert_eq!(browser.step(&unsolicited).await.status, 400);
}

async fn idp_initiated(browser: &Browser, emulator: &Emulator, okta: &Connection, relay_state: &str) -> Page {
    let url = format!(
        "{}/idp/{}?client_id={}",
        emulator.url(),
        okta.id,
        emulator.client_id()
    );
    let page = browser.visit(&url).await;
    assert!(page.text.contains("from the dashboard of Acme"), "{}", page.text);
    let typed = [("email", EMAIL), ("relay_state", relay_state)];
    answer(browser, &page, &typed).await
}

#[actix_web::test]
async fn people_begin_at_their_identity_provider() {
    let World { emulator, acme, okta } = world().await;
    let browser = Browser::new();
    assert_eq!(
        idp_initiated(&browser, &emulator, &okta, "").await.status,
        400,
        "there is no default redirect URI"
    );
    for uri in [CALLBACK, "http://localhost:3000/other"] {
        http::call(
            &emulator,
            Method::POST,
            "/user_management/redirect_uris",
            &json!({"uri": uri}),
        )
        .await;
    }
    let asked = idp_initiated(&browser, &emulator, &okta, "redirect_uri=http://evil.example/").await;
    let consent = browser.visit(asked.location().as_str()).await;
    assert!(
        consent.text.contains("Is this you?") && consent.text.contains(EMAIL),
        "{}",
        consent.text
    );
    assert_eq!(Browser::new().visit(consent.url.as_str()).await.status, 400);
    let denied = browser
        .submit_and_stop(&consent, &[("decision", "cancel")])
        .await
        .location();
    assert_eq!(
        parameter(&denied, "error").as_deref(),
        Some("signin_consent_denied")
    );
    let asked = idp_initiated(&browser, &emulator, &okta, "").await;
    let consent = browser.visit(asked.location().as_str()).await;
    let back = browser
        .submit_and_stop(&consent, &[("decision", "continue")])
        .await
        .location();
    assert!(
        back.as_str().starts_with(&format!("{CALLBACK}?code=")) && parameter(&back, "state").is_none(),
        "{back}"
    );
    let profile = redeem(&emulator, &code(&back)).await.unwrap().profile;
    assert_eq!(profile.email, EMAIL);
    // This browser has agreed; RelayState leads elsewhere, and AuthKit takes the code as well.
    let again = idp_initiated(
        &browser,
        &emulator,
        &okta,
        "redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fother",
    )
    .await;
    let back = again.location();
    assert_eq!(back.path(), "/other");
    let params = AuthenticateWithCodeParams::new(parameter(&back, "code").unwrap());
    let tokens = sdk::client(&emulator)
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.organization_id, Some(acme.id.clone()));
    let off = json!({"idp_initiated_sso": false});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/connections/{}", okta.id),
        &off,
    )
    .await;
    let back = idp_initiated(&browser, &emulator, &okta, "").await.location();
    assert_eq!(
        parameter(&back, "error").as_deref(),
        Some("idp_initiated_sso_disabled")
    );
    assert_eq!(parameter(&back, "connection_id"), Some(okta.id));
    assert_eq!(parameter(&back, "organization_id"), Some(acme.id));
}

#[actix_web::test]
async fn a_provider_of_social_login_gives_a_profile_too() {
    let emulator = Emulator::start().await.unwrap();
    emulator.user("ada@gmail.com").first_name("Ada").create().unwrap();
    settings(&emulator, json!({"return_oauth_tokens": true})).await;
    let browser = Browser::new();
    let url = authorize(&emulator, |params| {
        params.provider = Some(SSOProvider::GoogleOAuth)
    });
    let stand_in = browser.visit(&url).await;
    assert!(stand_in.text.contains("Stand-in for Google"), "{}", stand_in.text);
    let answered = browser
        .submit_and_stop(&stand_in, &[("account", "ada@gmail.com")])
        .await;
    let back = browser.step(answered.location().as_str()).await.location();
    let tokens = redeem(&emulator, &code(&back)).await.unwrap();
    assert_eq!(tokens.profile.organization_id, None);
    assert_eq!(tokens.profile.connection_type.as_str(), "GoogleOAuth");
    assert_eq!(tokens.profile.first_name.as_deref(), Some("Ada"));
    assert_eq!(tokens.oauth_tokens.unwrap().provider, "GoogleOAuth");
    let told = events(&emulator, "authentication.").await;
    assert_eq!(
        names(&told),
        ["authentication.sso_started", "authentication.sso_succeeded"]
    );
    // A code of AuthKit gives no profile.
    let authkit = format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&provider=authkit&login_hint=ada@gmail.com",
        emulator.url(),
        emulator.client_id()
    );
    let refused = refused(redeem(&emulator, &code(&plain(&authkit).await)).await);
    assert_eq!(refused.status, 400);
}

#[actix_web::test]
async fn only_generic_oidc_connections_log_out_there() {
    let World { emulator, acme, okta } = world().await;
    let oidc = emulator
        .connection(&acme)
        .connection_type("GenericOIDC")
        .create()
        .unwrap();
    let client = sdk::client(&emulator);
    let mut ids = Vec::new();
    for connection in [&okta, &oidc] {
        let back = plain(&authorize(&emulator, |params| {
            params.connection = Some(connection.id.clone());
            params.login_hint = Some(EMAIL.to_owned());
        }))
        .await;
        ids.push(redeem(&emulator, &code(&back)).await.unwrap().profile.id);
    }
    let allow = async |id: &str| {
        let body: SSOLogoutAuthorizeRequest = serde_json::from_value(json!({"profile_id": id})).unwrap();
        client
            .sso()
            .authorize_logout(AuthorizeLogoutParams::new(body))
            .await
    };
    let refused = refused(allow(&ids[0]).await);
    let body: Value = serde_json::from_slice(&refused.raw_body).unwrap();
    let expected = json!({"error": "connection_invalid", "error_description": "Single Logout is only supported for GenericOIDC connections."});
    assert_eq!((refused.status, body), (400, expected));
    assert_eq!(refusal(allow("prof_none").await).0, 404);
    let allowed = allow(&ids[1]).await.unwrap();
    let out = plain(allowed.logout_url.expose()).await;
    assert_eq!(out.path(), format!("/idp/{}/signed-out", oidc.id));
    assert!(
        Browser::new()
            .visit(out.as_str())
            .await
            .text
            .contains("You are signed out")
    );
    let again = http::client()
        .get(allowed.logout_url.expose())
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 404, "once");
    let off = json!({"state": "inactive"});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/connections/{}", oidc.id),
        &off,
    )
    .await;
    let (status, body) = http::call(
        &emulator,
        Method::POST,
        "/sso/logout/authorize",
        &json!({"profile_id": ids[1]}),
    )
    .await;
    assert_eq!((status, &body["error"]), (400, &json!("unauthorized_client")));
}
