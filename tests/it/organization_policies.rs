//! What organizations demand of the people who sign in: set by the control API, a seed and a Rust test, and met by the API
//! and on the pages.

use reqwest::Method;
use serde_json::{Value, json};
use workos::{
    UserManagementAuthenticationProvider as Provider,
    user_management::{
        AuthenticateWithOrganizationSelectionParams, AuthenticateWithPasswordParams,
        AuthenticateWithRefreshTokenParams,
    },
};
use workos_emulator::{Emulator, User};

use crate::{
    browser::{Browser, Page},
    http, sdk,
    social::{authorize, provider_buttons, settings},
};

const EMAIL: &str = "ada@acme.example";
const PASSWORD: &str = "correct horse battery";

async fn update(emulator: &Emulator, organization_id: &str, changes: Value) -> (u16, Value) {
    let path = format!("/_emulate/organizations/{organization_id}");
    http::call(emulator, Method::PATCH, &path, &changes).await
}

/// The refusal of Ada's password.
async fn refused(emulator: &Emulator) -> (u16, Value) {
    let params = AuthenticateWithPasswordParams::new(EMAIL, PASSWORD);
    let sdk = sdk::client(emulator);
    let refused = sdk::refused(sdk.user_management().authenticate_with_password(params).await);
    (refused.status, serde_json::from_slice(&refused.raw_body).unwrap())
}

async fn sign_in_on_the_pages(emulator: &Emulator, browser: &Browser) -> Page {
    let page = browser
        .visit(authorize(emulator, Provider::Authkit, |_| {}))
        .await;
    browser.sign_in(&page, EMAIL, PASSWORD).await
}

fn ada(emulator: &Emulator, organizations: &[&workos_emulator::Organization]) -> User {
    let mut ada = emulator.user(EMAIL).password(PASSWORD);
    for organization in organizations {
        ada = ada.member_of(organization, "member");
    }
    ada.create().unwrap()
}

#[actix_web::test]
async fn the_control_api_sets_them_and_says_what_is_wrong_with_them() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    let nothing = json!({
        "organization_id": acme.id, "entitlements": [], "invitations_blocked": false, "domain_policy": null,
        "organization_policy": {"sso_required": false, "mfa_required": false},
    });
    assert_eq!(update(&emulator, &acme.id, json!({})).await, (200, nothing));
    let changes = json!({
        "entitlements": ["audit-logs"],
        "domain_policy": {"auth_methods": ["GoogleOAuth", "SSO"]},
        "organization_policy": {"mfa_required": true},
    });
    let all = json!({
        "organization_id": acme.id, "entitlements": ["audit-logs"], "invitations_blocked": false,
        "domain_policy": {"auth_methods": ["GoogleOAuth", "SSO"]},
        "organization_policy": {"sso_required": false, "mfa_required": true},
    });
    assert_eq!(update(&emulator, &acme.id, changes).await, (200, all.clone()));
    for (wrong, field) in [
        (
            json!({"domain_policy": {"auth_methods": []}}),
            "domain_policy.auth_methods",
        ),
        (
            json!({"domain_policy": {"auth_methods": ["Impersonation"]}}),
            "domain_policy.auth_methods",
        ),
        (
            json!({"domain_policy": {"auth_methods": ["Google"]}}),
            "domain_policy.auth_methods[0]",
        ),
        (
            json!({"organization_policy": {"mfa": true}}),
            "organization_policy.mfa",
        ),
        (json!({"policy": {}}), "policy"),
    ] {
        let (status, body) = update(&emulator, &acme.id, wrong).await;
        assert_eq!(
            (status, &body["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}"
        );
    }
    // What was refused has changed nothing; null takes a policy away.
    assert_eq!(update(&emulator, &acme.id, json!({})).await, (200, all));
    let cleared = json!({"domain_policy": null, "organization_policy": null});
    let (_, body) = update(&emulator, &acme.id, cleared).await;
    assert_eq!(body["domain_policy"], Value::Null);
    assert_eq!(body["organization_policy"]["mfa_required"], false);
    assert_eq!(body["entitlements"], json!(["audit-logs"]));
    assert_eq!(update(&emulator, "org_none", json!({})).await.0, 404);
}

#[actix_web::test]
async fn a_seed_sets_them_too() {
    let seed = r#"
users:
  - {email: ada@acme.example, email_verified: true, password: correct horse battery}
organizations:
  - name: Acme
    domains: [{domain: acme.example, state: verified}]
    domain_policy: {auth_methods: [MagicAuth, GitHubOAuth]}
  - name: Globex
    organization_policy: {sso_required: true}
    memberships: [{email: ada@acme.example}]
"#;
    let emulator = Emulator::builder().seed(seed).start().await.unwrap();
    let (status, body) = refused(&emulator).await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("organization_authentication_methods_required"))
    );
    assert_eq!(body["auth_methods"]["magic_auth"], true);
    assert_eq!(body["auth_methods"]["github_oauth"], true);
    assert_eq!(body["auth_methods"]["password"], false);
    let by_magic = json!({"email": EMAIL, "authentication_method": "MagicAuth"});
    let (status, body) = http::call(&emulator, Method::POST, "/_emulate/sign_in", &by_magic).await;
    assert_eq!((status, &body["error"]), (400, &json!("sso_required")));
    let by_sso = json!({"email": EMAIL, "authentication_method": "SSO"});
    let (status, body) = http::call(&emulator, Method::POST, "/_emulate/sign_in", &by_sso).await;
    assert_eq!(
        body["error"], "organization_authentication_methods_required",
        "{status}"
    );
    let wrong = "organizations: [{name: A, domain_policy: {auth_methods: []}}]";
    let refused = Emulator::builder().seed(wrong).start().await.unwrap_err();
    assert!(refused.to_string().contains("one method at least"), "{refused}");
}

#[actix_web::test]
async fn a_session_is_refused_the_organization_that_it_does_not_satisfy() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").require_sso().create().unwrap();
    let globex = emulator.organization("Globex").create().unwrap();
    let safe = emulator.organization("Safe").require_mfa().create().unwrap();
    ada(&emulator, &[&acme, &globex, &safe]);
    let sdk = sdk::client(&emulator);
    let (_, choice) = refused(&emulator).await;
    let pending = choice["pending_authentication_token"].as_str().unwrap();
    let selection = AuthenticateWithOrganizationSelectionParams::new(pending, globex.id.as_str());
    let signed_in = sdk
        .user_management()
        .authenticate_with_organization_selection(selection)
        .await
        .unwrap();
    let refresh_token = signed_in.refresh_token.expose();
    for (organization, error) in [(&acme, "sso_required"), (&safe, "mfa_enrollment")] {
        let mut refresh = AuthenticateWithRefreshTokenParams::new(refresh_token);
        refresh.organization_id = Some(organization.id.clone());
        let refused = sdk::refused(
            sdk.user_management()
                .authenticate_with_refresh_token(refresh)
                .await,
        );
        let body: Value = serde_json::from_slice(&refused.raw_body).unwrap();
        assert_eq!((refused.status, &body["error"]), (400, &json!(error)));
    }
    let refresh = AuthenticateWithRefreshTokenParams::new(refresh_token);
    let stays = sdk
        .user_management()
        .authenticate_with_refresh_token(refresh)
        .await;
    assert_eq!(stays.unwrap().organization_id, Some(globex.id));
}

#[actix_web::test]
async fn the_pages_say_that_another_way_is_wanted_and_go_it() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .allowed_methods(["GoogleOAuth", "MagicAuth"])
        .create()
        .unwrap();
    let ada = ada(&emulator, &[&acme]);
    let browser = Browser::new();
    let page = sign_in_on_the_pages(&emulator, &browser).await;
    assert_eq!((page.status, page.url.path()), (200, "/authkit/another-way"));
    for text in [
        "Acme does not allow people with your email domain",
        "Continue with Google",
        "Continue with your email",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(!page.text.contains("Choose another organization"));
    let google = [("provider", "GoogleOAuth")];
    let stand_in = browser.submit(&provider_buttons(&page), &google).await;
    let answered = browser.submit_and_stop(&stand_in, &[("account", EMAIL)]).await;
    let back = browser.step(answered.location().as_str()).await.location();
    let code = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let params = workos::user_management::AuthenticateWithCodeParams::new(code);
    let sdk = sdk::client(&emulator);
    let tokens = sdk
        .user_management()
        .authenticate_with_code(params)
        .await
        .unwrap();
    assert_eq!((tokens.user.id, tokens.organization_id), (ada.id, Some(acme.id)));
    // A copy of the first page is worth nothing after the sign-in.
    assert_eq!(browser.visit(page.url.as_str()).await.status, 400);
}

#[actix_web::test]
async fn who_may_not_enter_one_organization_chooses_another() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").require_sso().create().unwrap();
    let globex = emulator.organization("Globex").create().unwrap();
    ada(&emulator, &[&acme, &globex]);
    settings(
        &emulator,
        json!({"sign_in_methods": {"providers": ["GoogleOAuth"]}}),
    )
    .await;
    let browser = Browser::new();
    let picker = sign_in_on_the_pages(&emulator, &browser).await;
    let page = browser.submit(&picker, &[("organization_id", &acme.id)]).await;
    assert!(
        page.text.contains("Acme requires single sign-on"),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("No single sign-on connection is set up for Acme")
    );
    assert!(page.text.contains("Choose another organization") && !page.text.contains("Continue with"));
    // What the browser could do before, it still can do; nobody else can.
    assert_eq!(Browser::new().visit(page.url.as_str()).await.status, 400);
    let again = browser
        .visit(page.url.as_str().replace("/another-way", "/organization"))
        .await;
    let back = browser
        .submit_and_stop(&again, &[("organization_id", &globex.id)])
        .await;
    assert!(back.location().as_str().contains("code="), "{}", back.location());
}
