//! Through AuthKit: who comes in by a connection, and who has to.

use reqwest::Method;
use serde_json::{Value, json};
use workos::user_management::AuthenticateWithCodeParams;
use workos_emulator::Emulator;

use super::{CALLBACK, EMAIL, World, answer, authorize, code, parameter, plain, redeem, world};
use crate::{
    browser::Browser,
    http,
    sdk::{self, refused},
    sso_connections::{events, names},
};

fn authkit(emulator: &Emulator, more: &str) -> String {
    format!(
        "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&state=s&{more}",
        emulator.url(),
        emulator.client_id()
    )
}

#[actix_web::test]
async fn authkit_finds_the_connection_by_the_address() {
    let World { emulator, acme, okta } = world().await;
    let browser = Browser::new();
    let page = browser.visit(authkit(&emulator, "provider=authkit")).await;
    let idp = browser.submit(&page, &[("email", "Ada@Acme.example")]).await;
    assert_eq!(idp.url.path(), format!("/idp/{}", okta.id), "{}", idp.text);
    let people = format!("/_emulate/connections/{}", okta.id);
    let (_, body) = http::call(&emulator, Method::PATCH, &people, &json!({})).await;
    let back = answer(
        &browser,
        &idp,
        &[("profile", body["profiles"][0]["id"].as_str().unwrap())],
    )
    .await;
    let params = AuthenticateWithCodeParams::new(code(&back.location()));
    let tokens = sdk::client(&emulator)
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(tokens.authentication_method.unwrap().as_str(), "SSO");
    assert_eq!(tokens.organization_id, Some(acme.id.clone()));
    assert_eq!(
        (tokens.user.email.as_str(), tokens.user.email_verified),
        (EMAIL, true)
    );
    assert_eq!(tokens.user.first_name.as_deref(), Some("Ada"));
    let claims = sdk::claims(&tokens.access_token);
    assert_eq!(
        (&claims["role"], &claims["org_id"]),
        (&json!("engineer"), &json!(acme.id))
    );
    let sessions = format!("/user_management/users/{}/sessions", tokens.user.id);
    let (_, sessions) = http::call(&emulator, Method::GET, &sessions, &Value::Null).await;
    assert_eq!(sessions["data"][0]["auth_method"], "sso");
    let told = events(&emulator, "").await;
    let told = names(&told);
    let from = told
        .iter()
        .position(|name| *name == "authentication.sso_started")
        .unwrap();
    assert_eq!(
        told[from..],
        [
            "authentication.sso_started",
            "user.created",
            "authentication.sso_succeeded",
            "organization_membership.created",
            "session.created",
        ]
    );
    let succeeded = events(&emulator, "authentication.sso_succeeded").await;
    assert_eq!(succeeded[0].1["user_id"], json!(tokens.user.id));
}

#[actix_web::test]
async fn who_could_come_through_sso_comes_no_other_way() {
    let World { emulator, acme, okta } = world().await;
    emulator
        .user(EMAIL)
        .password("correct horse battery")
        .create()
        .unwrap();
    let with_password = json!({
        "client_id": emulator.client_id(), "client_secret": emulator.api_key(), "grant_type": "password",
        "email": EMAIL, "password": "correct horse battery",
    });
    let (status, body) = http::call(
        &emulator,
        Method::POST,
        "/user_management/authenticate",
        &with_password,
    )
    .await;
    assert_eq!((status, &body["error"]), (400, &json!("sso_required")));
    assert_eq!(
        (&body["connection_ids"], &body["email"]),
        (&json!([okta.id]), &json!(EMAIL))
    );
    assert_eq!(body["pending_authentication_token"], Value::Null);
    let policy = json!({"domain_policy": {"auth_methods": ["SSO", "GoogleOAuth"]}});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/organizations/{}", acme.id),
        &policy,
    )
    .await;
    let (_, body) = http::call(
        &emulator,
        Method::POST,
        "/user_management/authenticate",
        &with_password,
    )
    .await;
    assert_eq!(body["error"], "organization_authentication_methods_required");
    assert_eq!(body["sso_connection_ids"], json!([okta.id]));
    // Without its connection the organization's people come as they did before.
    let clear = json!({"domain_policy": {"auth_methods": ["SSO"]}});
    http::call(
        &emulator,
        Method::PATCH,
        &format!("/_emulate/organizations/{}", acme.id),
        &clear,
    )
    .await;
    sdk::client(&emulator)
        .sso()
        .delete_connection(&okta.id)
        .await
        .unwrap();
    let (status, _) = http::call(
        &emulator,
        Method::POST,
        "/user_management/authenticate",
        &with_password,
    )
    .await;
    assert_eq!(status, 200);
}

#[actix_web::test]
async fn a_required_connection_is_the_organizations_own() {
    let World { emulator, okta, .. } = world().await;
    let globex = emulator.organization("Globex").require_sso().create().unwrap();
    let ada = emulator
        .user(EMAIL)
        .member_of(&globex, "member")
        .create()
        .unwrap();
    let keycloak = emulator
        .connection(&globex)
        .connection_type("KeycloakSAML")
        .create()
        .unwrap();
    let browser = Browser::new();
    // AuthKit is asked for Globex, and the address leads to Acme's provider.
    let page = browser
        .visit(authkit(
            &emulator,
            &format!("provider=authkit&organization_id={}", globex.id),
        ))
        .await;
    let idp = browser.submit(&page, &[("email", EMAIL)]).await;
    assert_eq!(idp.url.path(), format!("/idp/{}", okta.id));
    let wanted = answer(&browser, &idp, &[("email", EMAIL)]).await;
    let page = browser.visit(wanted.location().as_str()).await;
    assert!(
        page.text.contains("Globex requires single sign-on"),
        "{}",
        page.text
    );
    let idp = browser.submit(&page, &[("connection_id", &keycloak.id)]).await;
    assert_eq!(idp.url.path(), format!("/idp/{}", keycloak.id));
    // Globex has not verified the domain: it does not know people by such addresses.
    let refused = answer(&browser, &idp, &[("email", EMAIL)]).await;
    let page = browser.visit(refused.location().as_str()).await;
    assert!(
        page.text.contains("not one of your organization"),
        "{}",
        page.text
    );
    assert!(ada.id.starts_with("user_"));
}

#[actix_web::test]
async fn an_administrator_takes_over_nobody_of_another_domain() {
    let emulator = Emulator::start().await.unwrap();
    let victim = emulator
        .user("victim@bank.example")
        .password("correct horse battery")
        .create()
        .unwrap();
    let evil = emulator
        .organization("Evil")
        .domain("evil.example")
        .create()
        .unwrap();
    let allow = json!({"allow_profiles_outside_organization": true});
    http::call(
        &emulator,
        Method::PUT,
        &format!("/organizations/{}", evil.id),
        &allow,
    )
    .await;
    let connection = emulator
        .connection(&evil)
        .connection_type("OktaSAML")
        .create()
        .unwrap();
    let url = authkit(
        &emulator,
        &format!("connection_id={}&login_hint=victim@bank.example", connection.id),
    );
    let sdk = sdk::client(&emulator);
    let params = AuthenticateWithCodeParams::new(code(&plain(&url).await));
    let refused = refused(sdk.user_management().authenticate_with_code(params).await);
    assert_eq!(
        (refused.status, refused.code.as_deref()),
        (403, Some("email_verification_required"))
    );
    let (_, memberships) = http::call(
        &emulator,
        Method::GET,
        &format!("/user_management/organization_memberships?user_id={}", victim.id),
        &Value::Null,
    )
    .await;
    assert_eq!(memberships["data"], json!([]), "guests are not provisioned");
    assert_eq!(events(&emulator, "session.created").await, []);
}

#[actix_web::test]
async fn authorize_takes_a_connection_and_an_organization() {
    let World { emulator, acme, okta } = world().await;
    for more in [
        format!("connection_id={}", okta.id),
        format!("organization_id={}", acme.id),
    ] {
        let browser = Browser::new();
        let page = browser.visit(authkit(&emulator, &more)).await;
        assert_eq!(page.url.path(), format!("/idp/{}", okta.id));
        let denied = answer(&browser, &page, &[("decision", "deny")]).await.location();
        assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&denied, "state").as_deref(), Some("s"));
    }
    let url = authkit(
        &emulator,
        &format!("organization_id={}&login_hint={EMAIL}", acme.id),
    );
    let params = AuthenticateWithCodeParams::new(code(&plain(&url).await));
    let sdk = sdk::client(&emulator);
    let first = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    // The profile stays the user's when its address changes at the provider.
    let renamed = json!({"email": "ada.lovelace@acme.example", "idp_id": "00u1"});
    let path = format!("/idp/{}", okta.id);
    let browser = Browser::new();
    let page = browser
        .visit(authkit(&emulator, &format!("connection_id={}", okta.id)))
        .await;
    assert_eq!(page.url.path(), path);
    let fields = [("email", renamed["email"].as_str().unwrap()), ("idp_id", "00u1")];
    let back = answer(&browser, &page, &fields).await.location();
    let params = AuthenticateWithCodeParams::new(code(&back));
    let second = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!(second.user.id, first.user.id);
    assert_eq!(second.user.email, "ada.lovelace@acme.example");
    // Deleting the user lets go of the profile.
    sdk.user_management().delete_user(&first.user.id).await.unwrap();
    let params = AuthenticateWithCodeParams::new(code(&plain(&url).await));
    let third = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_ne!(third.user.id, first.user.id);
}

#[actix_web::test]
async fn a_validating_connection_becomes_active_by_its_first_sign_in_and_is_traced() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap();
    let connection = emulator
        .connection(&acme)
        .connection_type("OktaSAML")
        .validating()
        .create()
        .unwrap();
    let back = plain(&authorize(&emulator, |params| {
        params.connection = Some(connection.id.clone());
        params.login_hint = Some(EMAIL.to_owned());
    }))
    .await;
    redeem(&emulator, &code(&back)).await.unwrap();
    assert_eq!(
        names(&events(&emulator, "connection.").await),
        ["connection.activated"]
    );
    let (_, traces) = http::call(&emulator, Method::GET, "/_emulate/sso/traces", &Value::Null).await;
    let trace = &traces["data"][0];
    assert_eq!(
        (&trace["status"], &trace["email"]),
        (&json!("succeeded"), &json!(EMAIL))
    );
    let steps: Vec<_> = trace["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "request",
            "departure",
            "response",
            "correlation",
            "connection",
            "attributes",
            "domain",
            "profile",
            "code",
            "exchange"
        ]
    );
    let one = format!("/_emulate/sso/traces/{}", trace["id"].as_str().unwrap());
    assert_eq!(
        http::call(&emulator, Method::GET, &one, &Value::Null).await,
        (200, trace.clone())
    );
    let page = Browser::new()
        .visit(format!("{}/sso/traces", emulator.url()))
        .await;
    assert!(
        page.text.contains("Succeeded") && page.text.contains("acme.example is a verified domain of Acme")
    );
}
