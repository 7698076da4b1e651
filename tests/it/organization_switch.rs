//! From one organization to another: an Actix app, a browser and the emulator.

use serde_json::json;
use workos::{
    organization_membership::ListOrganizationMembershipsParams, user_management::RevokeSessionParams,
};

use crate::{
    app::{EXPIRED, PASSWORD, TestApp},
    browser::{Browser, Page},
    sdk,
};

/// A browser in which Bob, who is in two organizations, has signed in to Acme.
async fn bob_at_acme(app: &TestApp) -> Browser {
    let browser = Browser::new();
    let form = browser.visit(app.path("/me")).await;
    let picker = browser.sign_in(&form, &app.bob.email, PASSWORD).await;
    let page = browser
        .submit(&picker, &[("organization_id", &app.acme.id)])
        .await;
    assert_eq!(place(&page), (app.acme.id.clone(), "member".to_owned()));
    browser
}

/// Organization and role.
fn place(page: &Page) -> (String, String) {
    let me = page.json();
    let text = |name: &str| me[name].as_str().unwrap_or_default().to_owned();
    (text("organization"), text("role"))
}

async fn switch(browser: &Browser, app_url: &str, organization_id: &str) -> Page {
    let fields = [("organization_id", organization_id), ("return_to", "/me")];
    browser
        .post_form(format!("{app_url}/auth/switch-organization"), &fields)
        .await
}

#[actix_web::test]
async fn a_member_of_two_organizations_goes_from_one_to_the_other() {
    let app = TestApp::start().await;
    let browser = bob_at_acme(&app).await;
    let session = browser.visit(app.path("/me")).await.json()["session"].clone();
    let there = switch(&browser, &app.url, &app.globex.id).await;
    assert_eq!(there.url.as_str(), app.path("/me"));
    assert_eq!(place(&there), (app.globex.id.clone(), "editor".to_owned()));
    let me = there.json();
    assert_eq!(
        (&me["session"], &me["permissions"]),
        (&session, &json!(["posts:read", "posts:write"]))
    );
    // The session is there now, for WorkOS too.
    app.advance(EXPIRED);
    assert_eq!(place(&browser.visit(app.path("/me")).await).0, app.globex.id);
    let back = switch(&browser, &app.url, &app.acme.id).await;
    assert_eq!(place(&back), (app.acme.id.clone(), "member".to_owned()));
}

#[actix_web::test]
async fn foreign_and_unknown_organizations_are_403_and_change_nothing() {
    let app = TestApp::start().await;
    let initech = app.emulator.organization("Initech").create().unwrap();
    let browser = bob_at_acme(&app).await;
    for id in [initech.id.as_str(), "org_made_up", "'; --"] {
        let refused = switch(&browser, &app.url, id).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        assert!(
            refused
                .text
                .contains("You are not a member of this organization.")
        );
    }
    assert_eq!(place(&browser.visit(app.path("/me")).await).0, app.acme.id);
    // A membership that was taken away is foreign as well.
    let sdk = sdk::client(&app.emulator);
    let params = ListOrganizationMembershipsParams {
        user_id: Some(app.bob.id.clone()),
        organization_id: Some(app.globex.id.clone()),
        ..Default::default()
    };
    let memberships = sdk.organization_membership();
    let found = memberships.list_organization_memberships(params).await.unwrap();
    memberships
        .deactivate_organization_membership(&found.data[0].id)
        .await
        .unwrap();
    assert_eq!(switch(&browser, &app.url, &app.globex.id).await.status, 403);
    app.advance(EXPIRED);
    assert_eq!(place(&browser.visit(app.path("/me")).await).0, app.acme.id);
}

#[actix_web::test]
async fn a_token_that_another_machine_has_exchanged_still_switches() {
    let app = TestApp::start().await;
    let second = app.second_machine();
    let browser = bob_at_acme(&app).await;
    let behind = browser.copy(&app.url);
    assert_eq!(
        place(&switch(&browser, &app.url, &app.globex.id).await).0,
        app.globex.id
    );
    // The old cookie, at a machine that has not seen the exchange: WorkOS replays it, but only to the same organization.
    assert_eq!(
        place(&switch(&behind, &second, &app.acme.id).await).0,
        app.acme.id
    );
    app.advance(EXPIRED);
    assert_eq!(place(&behind.visit(format!("{second}/me")).await).0, app.acme.id);
}

#[actix_web::test]
async fn a_session_that_was_revoked_is_over() {
    let app = TestApp::start().await;
    let browser = bob_at_acme(&app).await;
    let me = browser.visit(app.path("/me")).await.json();
    let session = serde_json::from_value(json!({ "session_id": me["session"] })).unwrap();
    let params = RevokeSessionParams::new(session);
    let sdk = sdk::client(&app.emulator);
    sdk.user_management().revoke_session(params).await.unwrap();
    let page = switch(&browser, &app.url, &app.globex.id).await;
    assert_eq!(page.url.path(), "/authkit/sign-in");
    assert!(!browser.has_session(&app.url));
}
