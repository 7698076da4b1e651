//! `invitation_token` in sign-ins through the API.

use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::{
    api::user_management::{
        authenticate::fixture::{CLIENT_ID, PASSWORD, REDIRECT_URI},
        authorize::get_authorization_url,
        jwt_template,
        magic_auth::create_magic_auth,
    },
    control::settings::Interactive,
};

fn with_password(fixture: &Fixture, email: &str, token: &Value) -> Result<Value, ApiError> {
    let body =
        json!({"grant_type": "password", "email": email, "password": PASSWORD, "invitation_token": token});
    fixture.authenticate(body)
}

fn state_of(fixture: &Fixture, invitation: &Value) -> Value {
    shown(fixture, invitation)["state"].clone()
}

/// Where `authorize` sends a program that signs in without a page.
fn callback(fixture: &Fixture, with: &str) -> Url {
    fixture.set(|settings| settings.interactive = Interactive::Never);
    let query = format!(
        "response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider=authkit&{with}"
    );
    let reply = get_authorization_url(&fixture.call(&query, Value::Null)).unwrap();
    let location = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "Location")
        .unwrap();
    Url::parse(&location.1).unwrap()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let found = url.query_pairs().find(|(key, _)| key == name)?;
    Some(found.1.into_owned())
}

#[test]
fn leads_into_the_organization_with_the_role() {
    let fixture = Fixture::new();
    fixture.add_own_organization("Initech");
    fixture.add_own_organization("Globex");
    let acme = fixture.add_organization("Acme");
    fixture.add_role("admin", &["posts:write"]);
    let body = json!({"email": EMAIL, "organization_id": acme, "role_slug": "admin"});
    let invitation = sent(&fixture, body);
    let happened = events(&fixture, || {
        let response = with_password(&fixture, EMAIL, &invitation["token"]).unwrap();
        assert_eq!(response["organization_id"], acme.as_str());
        let claims = fixture.claims(&response);
        assert_eq!(
            (claims.role.as_deref(), claims.org_id.as_ref()),
            (Some("admin"), Some(&acme))
        );
        assert_eq!(claims.permissions, ["posts:write"]);
    });
    assert_eq!(
        happened,
        [
            "authentication.password_succeeded",
            "organization_membership.updated",
            "invitation.accepted",
            "session.created"
        ]
    );
    assert_eq!(
        shown(&fixture, &invitation)["accepted_user_id"],
        fixture.user_id.as_str()
    );
}

#[test]
fn a_token_that_accepts_nothing_is_refused() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.email_verification = false);
    let acme = fixture.add_organization("Acme");
    let globex = fixture.add_organization("Globex");
    let invite = |to: &str| sent(&fixture, json!({"email": EMAIL, "organization_id": to}));
    let revoked = invite(&acme);
    on(&fixture, revoke_invitation, &revoked).unwrap();
    let accepted = invite(&acme);
    on(&fixture, accept_invitation, &accepted).unwrap();
    let expired = invite(&globex);
    fixture.advance(7 * DAY);
    for token in [
        &json!("x"),
        &revoked["token"],
        &accepted["token"],
        &expired["token"],
    ] {
        let refused = with_password(&fixture, EMAIL, token).unwrap_err();
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (400, &json!("invitation_invalid"))
        );
    }
    // Nobody but the invited address, where everybody can have one of the domain.
    fixture.add_user("bob@gmail.com");
    let invitation = sent(
        &fixture,
        json!({"email": "eve@gmail.com", "organization_id": acme}),
    );
    let refused = with_password(&fixture, "bob@gmail.com", &invitation["token"]).unwrap_err();
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (400, &json!("invitation_cannot_be_used_for_email"))
    );
    assert_eq!(state_of(&fixture, &invitation), "pending");
    assert_eq!(fixture.environment.state().sessions.len(), 0);
}

#[test]
fn a_colleague_takes_the_place_of_the_invited_user() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let (bob, eve) = (fixture.add_user(BOB), fixture.add_user("eve@globex.example"));
    let invitation = sent(&fixture, json!({"email": BOB, "organization_id": acme}));
    let happened = events(&fixture, || {
        with_password(&fixture, "eve@globex.example", &invitation["token"]).unwrap();
    });
    assert_eq!(
        happened[1..],
        [
            "organization_membership.created",
            "organization_membership.deleted",
            "invitation.accepted",
            "session.created"
        ]
    );
    assert_eq!(membership(&fixture, &bob, &acme), None);
    assert_eq!(membership(&fixture, &eve, &acme).unwrap().0, "active");
    assert_eq!(shown(&fixture, &invitation)["accepted_user_id"], eve.as_str());
}

#[test]
fn is_spent_when_the_session_begins_and_not_before() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    fixture.add_own_organization("Globex");
    // Ada came to be after the invitation was sent, so that it can be one to the application.
    let invitation = sent(&fixture, json!({"email": BOB}));
    let refused = with_password(&fixture, EMAIL, &invitation["token"]).unwrap_err();
    assert_eq!(refused.code(), Some("organization_selection_required"));
    assert_eq!(state_of(&fixture, &invitation), "pending");
    let select = json!({
        "grant_type": "urn:workos:oauth:grant-type:organization-selection", "organization_id": acme,
        "pending_authentication_token": refused.body["pending_authentication_token"],
    });
    let response = fixture.authenticate(select).unwrap();
    assert_eq!(response["organization_id"], acme.as_str());
    assert_eq!(state_of(&fixture, &invitation), "accepted");
}

#[test]
fn goes_through_a_challenge_and_may_be_over_behind_it() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    fixture.set(|settings| {
        settings.radar_challenge = Some(crate::api::user_management::radar_challenges::Channel::Email);
    });
    for (revoke, outcome) in [(true, Some("invitation_invalid")), (false, None)] {
        let invitation = sent(&fixture, json!({"email": EMAIL, "organization_id": acme}));
        let refused = with_password(&fixture, EMAIL, &invitation["token"]).unwrap_err();
        assert_eq!(refused.code(), Some("radar_challenge"));
        assert_eq!(state_of(&fixture, &invitation), "pending");
        if revoke {
            on(&fixture, revoke_invitation, &invitation).unwrap();
        }
        let state = fixture.environment.state();
        let code = state.messages.iter().last().unwrap().code.clone();
        let answer = fixture.authenticate(json!({
            "grant_type": "urn:workos:oauth:grant-type:radar-email-challenge:code", "code": code,
            "radar_challenge_id": refused.body["radar_challenge_id"],
            "pending_authentication_token": refused.body["pending_authentication_token"],
        }));
        match outcome {
            Some(code) => assert_eq!(refusal(answer), (400, code.to_owned())),
            None => assert_eq!(answer.unwrap()["organization_id"], acme.as_str()),
        }
    }
}

#[test]
fn a_token_that_is_too_big_spends_nothing() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let invitation = sent(&fixture, json!({"email": EMAIL, "organization_id": acme}));
    let content = json!({"big": "x".repeat(4000), "role": "{{ organization_membership.id }}"}).to_string();
    let set = |tx: &mut Transaction<'_>| jwt_template::set(tx, content);
    fixture.environment.transact(set).unwrap();
    let happened = events(&fixture, || {
        let refused = with_password(&fixture, EMAIL, &invitation["token"]).unwrap_err();
        assert_eq!(refused.code(), Some("token_too_big"));
    });
    assert_eq!(happened, ["authentication.password_succeeded"]);
    assert_eq!(state_of(&fixture, &invitation), "pending");
    assert_eq!(
        membership(&fixture, &fixture.user_id, &acme).unwrap().0,
        "pending"
    );
    let small = r#"{"role": "{{ organization_membership.id }}"}"#.to_owned();
    let set = |tx: &mut Transaction<'_>| jwt_template::set(tx, small);
    fixture.environment.transact(set).unwrap();
    let response = with_password(&fixture, EMAIL, &invitation["token"]).unwrap();
    let membership_id = memberships::id_of(&fixture.environment.state(), &fixture.user_id, &acme);
    assert_eq!(fixture.claims(&response).role, membership_id);
}

#[test]
fn comes_with_the_code_or_with_its_redemption() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let globex = fixture.add_organization("Globex");
    let invite = |to: &str| sent(&fixture, json!({"email": EMAIL, "organization_id": to}));
    let redeem = |url: &Url, token: Value| {
        let code = parameter(url, "code").unwrap();
        fixture.authenticate(
            json!({"grant_type": "authorization_code", "code": code, "invitation_token": token}),
        )
    };
    let invitation = invite(&acme);
    let with = format!("invitation_token={}", invitation["token"].as_str().unwrap());
    let response = redeem(&callback(&fixture, &with), Value::Null).unwrap();
    assert_eq!(response["organization_id"], acme.as_str());
    assert_eq!(state_of(&fixture, &invitation), "accepted");

    let invitation = invite(&globex);
    let response = redeem(&callback(&fixture, ""), invitation["token"].clone()).unwrap();
    assert_eq!(response["organization_id"], globex.as_str());

    // A token that accepts nothing is told at once, and one that is over by then, when the code is redeemed.
    let refused = callback(&fixture, &with);
    assert_eq!(
        parameter(&refused, "error").as_deref(),
        Some("invitation_invalid")
    );
    let initech = fixture.add_organization("Initech");
    let invitation = invite(&initech);
    let with = format!("invitation_token={}", invitation["token"].as_str().unwrap());
    let url = callback(&fixture, &with);
    on(&fixture, revoke_invitation, &invitation).unwrap();
    assert_eq!(
        refusal(redeem(&url, Value::Null)),
        (400, "invitation_invalid".to_owned())
    );
}

#[test]
fn says_who_is_expected() {
    let fixture = Fixture::new();
    let bob = fixture.add_user(BOB);
    let acme = fixture.add_organization("Acme");
    let invitation = sent(&fixture, json!({"email": BOB, "organization_id": acme}));
    let with = format!("invitation_token={}", invitation["token"].as_str().unwrap());
    let code = parameter(&callback(&fixture, &with), "code").unwrap();
    let response = fixture
        .authenticate(json!({"grant_type": "authorization_code", "code": code}))
        .unwrap();
    assert_eq!(
        response["user"]["id"],
        bob.as_str(),
        "not Ada, who is the first user"
    );
    let nobody = sent(&fixture, json!({"email": "new@x.example"}));
    let with = format!("invitation_token={}", nobody["token"].as_str().unwrap());
    assert_eq!(
        parameter(&callback(&fixture, &with), "error").as_deref(),
        Some("user_not_found")
    );
}

#[test]
fn magic_auth_signs_up_who_is_invited_and_nobody_else() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.waitlist = true);
    let acme = fixture.add_organization("Acme");
    let invitation = sent(&fixture, json!({"email": BOB, "organization_id": acme}));
    let create = |body: Value| run(&fixture, create_magic_auth, &[], "", body);
    assert_eq!(
        refusal(create(json!({"email": BOB}))),
        (400, "sign_up_not_allowed".to_owned())
    );
    for body in [
        json!({"email": BOB, "invitation_token": "x"}),
        json!({"email": "eve@evil.example", "invitation_token": invitation["token"]}),
    ] {
        assert_eq!(refusal(create(body)), (400, "invitation_invalid".to_owned()));
    }
    assert_eq!(fixture.environment.state().users.len(), 1);
    let created = create(json!({"email": BOB, "invitation_token": invitation["token"]})).unwrap();
    assert_eq!(state_of(&fixture, &invitation), "pending");
    let response = fixture.authenticate(json!({
        "grant_type": "urn:workos:oauth:grant-type:magic-auth:code", "email": BOB, "code": created["code"],
        "invitation_token": invitation["token"],
    }));
    assert_eq!(response.unwrap()["organization_id"], acme.as_str());
    assert_eq!(state_of(&fixture, &invitation), "accepted");
}

#[test]
fn a_provider_signs_up_who_is_invited_and_nobody_else() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.sign_up = false);
    let acme = fixture.add_organization("Acme");
    let invitation = sent(&fixture, json!({"email": BOB, "organization_id": acme}));
    let token = invitation["token"].as_str().unwrap();
    let code = |email: &str, with: &str| {
        let query = format!(
            "response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider=GoogleOAuth&login_hint={email}{with}"
        );
        fixture.set(|settings| settings.interactive = Interactive::Never);
        let reply = get_authorization_url(&fixture.call(&query, Value::Null)).unwrap();
        let (_, location) = reply
            .headers
            .iter()
            .find(|(name, _)| *name == "Location")
            .unwrap();
        parameter(&Url::parse(location).unwrap(), "code").unwrap()
    };
    let redeem = |code: String, token: Option<&str>| {
        fixture.authenticate(
            json!({"grant_type": "authorization_code", "code": code, "invitation_token": token}),
        )
    };
    let with = format!("&invitation_token={token}");
    for code in [code(BOB, ""), code("eve@evil.example", &with)] {
        assert_eq!(
            refusal(redeem(code, None)),
            (400, "sign_up_not_allowed".to_owned())
        );
    }
    // On the way there, or on the way back.
    let response = redeem(code(BOB, &with), None).unwrap();
    assert_eq!(response["organization_id"], acme.as_str());
    assert_eq!(state_of(&fixture, &invitation), "accepted");
    let eve = "eve@x.example";
    let invitation = sent(&fixture, json!({"email": eve, "organization_id": acme}));
    let response = redeem(code(eve, ""), invitation["token"].as_str()).unwrap();
    assert_eq!(response["organization_id"], acme.as_str());
}
