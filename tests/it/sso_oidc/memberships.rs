//! What an identity provider says, and what waits for the person, in AuthKit: memberships, invitations, sessions.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use workos_emulator::Organization;

use super::{CALLBACK, Issuer, World, follow, parameter};
use crate::{
    browser::Browser,
    http,
    sso_connections::{events, names},
};

const EMAIL: &str = "ada@acme.example";
const GUEST: &str = "grace@guest.example";

impl World {
    /// The code of a sign-in to AuthKit through the connection.
    async fn authkit_code(&self) -> String {
        let url = format!(
            "{}/user_management/authorize?client_id={}&redirect_uri={CALLBACK}&response_type=code&connection_id={}",
            self.emulator.url(),
            self.emulator.client_id(),
            self.connection_id
        );
        let back = follow(&Browser::new(), &url).await;
        parameter(&back, "code").unwrap_or_else(|| panic!("{back}"))
    }

    async fn authenticate(&self, grant: Value) -> (u16, Value) {
        let mut body = json!({
            "client_id": self.emulator.client_id(), "client_secret": self.emulator.api_key(),
        });
        let members = grant.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(members);
        let path = "/user_management/authenticate";
        http::call(&self.emulator, Method::POST, path, &body).await
    }

    /// Signs in to AuthKit through the connection.
    async fn arrive(&self) -> (u16, Value) {
        let code = self.authkit_code().await;
        self.authenticate(json!({"grant_type": "authorization_code", "code": code}))
            .await
    }

    async fn memberships(&self, user_id: &Value) -> Vec<Value> {
        let user_id = user_id.as_str().unwrap();
        let path = format!("/user_management/organization_memberships?user_id={user_id}");
        let (_, list) = http::call(&self.emulator, Method::GET, &path, &Value::Null).await;
        list["data"].as_array().unwrap().clone()
    }

    async fn invite(&self, email: &str, role: &str) -> Value {
        let new = json!({"email": email, "organization_id": self.acme.id, "role_slug": role});
        let path = "/user_management/invitations";
        let (status, invitation) = http::call(&self.emulator, Method::POST, path, &new).await;
        assert_eq!(status, 201, "{invitation}");
        invitation
    }

    async fn no_group_roles(&self) {
        let path = format!("/_emulate/connections/{}", self.connection_id);
        let (status, _) = http::call(&self.emulator, Method::PATCH, &path, &json!({"group_roles": []})).await;
        assert_eq!(status, 200);
    }
}

#[actix_web::test]
async fn a_membership_has_the_custom_attributes_of_the_profile() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let (status, tokens) = world.arrive().await;
    assert_eq!(status, 200, "{tokens}");
    let user_id = &tokens["user"]["id"];
    let attributes = |memberships: &[Value]| memberships[0]["custom_attributes"].clone();
    assert_eq!(
        attributes(&world.memberships(user_id).await),
        json!({"department": "Research"})
    );
    let told = events(&world.emulator, "organization_membership.").await;
    assert_eq!(names(&told), ["organization_membership.created"]);
    assert_eq!(told[0].1["custom_attributes"], json!({"department": "Research"}));

    // They follow; the same ones are told to nobody.
    world.arrive().await;
    assert_eq!(events(&world.emulator, "organization_membership.").await.len(), 1);
    issuer.claim(&json!({"department": "Analysis"}));
    world.arrive().await;
    assert_eq!(
        attributes(&world.memberships(user_id).await),
        json!({"department": "Analysis"})
    );
    let told = events(&world.emulator, "organization_membership.").await;
    assert_eq!(
        names(&told),
        [
            "organization_membership.created",
            "organization_membership.updated"
        ]
    );
    issuer.claim(&json!({"department": null}));
    world.arrive().await;
    assert_eq!(attributes(&world.memberships(user_id).await), json!({}));
}

#[actix_web::test]
async fn an_invitation_that_waits_is_accepted() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    world.no_group_roles().await;
    let invitation = world.invite(EMAIL, "engineer").await;
    let (status, tokens) = world.arrive().await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["organization_id"], json!(world.acme.id));
    let memberships = world.memberships(&tokens["user"]["id"]).await;
    assert_eq!(memberships.len(), 1);
    assert_eq!(memberships[0]["status"], "active");
    assert_eq!(memberships[0]["role"]["slug"], "engineer");
    assert_eq!(
        memberships[0]["custom_attributes"],
        json!({"department": "Research"})
    );
    let path = format!(
        "/user_management/invitations/{}",
        invitation["id"].as_str().unwrap()
    );
    let (_, accepted) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(accepted["state"], "accepted");
    assert_eq!(accepted["accepted_user_id"], tokens["user"]["id"]);
    let told = events(&world.emulator, "invitation.").await;
    assert_eq!(names(&told), ["invitation.created", "invitation.accepted"]);
}

#[actix_web::test]
async fn a_pending_member_comes_in_with_the_role_of_their_group() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    world.emulator.user(EMAIL).create().unwrap();
    world.invite(EMAIL, "member").await;
    let (status, tokens) = world.arrive().await;
    assert_eq!(status, 200, "{tokens}");
    let memberships = world.memberships(&tokens["user"]["id"]).await;
    assert_eq!(memberships.len(), 1);
    assert_eq!(memberships[0]["status"], "active");
    assert_eq!(memberships[0]["role"]["slug"], "engineer");
    let told = events(&world.emulator, "invitation.").await;
    assert_eq!(names(&told), ["invitation.created", "invitation.accepted"]);
}

#[actix_web::test]
async fn a_guest_comes_in_by_an_invitation_after_their_address_is_verified() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let path = format!("/organizations/{}", world.acme.id);
    let allow = json!({"allow_profiles_outside_organization": true});
    http::call(&world.emulator, Method::PUT, &path, &allow).await;
    issuer.claim(&json!({"email": GUEST}));
    let verified = async || {
        let (status, refusal) = world.arrive().await;
        assert_eq!(
            (status, &refusal["code"]),
            (403, &json!("email_verification_required")),
            "{refusal}"
        );
        let mails = world.emulator.mailbox().to(GUEST);
        let code = mails.iter().find_map(|mail| mail.code()).unwrap();
        world
            .authenticate(json!({
                "grant_type": "urn:workos:oauth:grant-type:email-verification:code", "code": code,
                "pending_authentication_token": refusal["pending_authentication_token"],
            }))
            .await
    };
    let invitation = world.invite(GUEST, "engineer").await;
    let id = invitation["id"].as_str().unwrap();
    let path = format!("/user_management/invitations/{id}");
    let (_, waiting) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
    assert_eq!(waiting["state"], "pending");
    let (status, tokens) = verified().await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["organization_id"], json!(world.acme.id));
    let memberships = world.memberships(&tokens["user"]["id"]).await;
    assert_eq!(memberships[0]["role"]["slug"], "engineer");
}

/// An organization that requires SSO, and has Ada as a member.
async fn globex(world: &World, user_id: &Value) -> Organization {
    let globex = world
        .emulator
        .organization("Globex")
        .require_sso()
        .create()
        .unwrap();
    let member = json!({"user_id": user_id, "organization_id": globex.id});
    let path = "/user_management/organization_memberships";
    let (status, body) = http::call(&world.emulator, Method::POST, path, &member).await;
    assert_eq!(status, 201, "{body}");
    globex
}

#[actix_web::test]
async fn a_session_goes_on_where_its_connection_counts() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    let (_, tokens) = world.arrive().await;
    let globex = globex(&world, &tokens["user"]["id"]).await;
    let refresh = async |token: &Value, organization_id: &str| {
        world
            .authenticate(json!({
                "grant_type": "refresh_token", "refresh_token": token, "organization_id": organization_id,
            }))
            .await
    };
    // Acme's connection is not what Globex requires.
    let (status, refusal) = refresh(&tokens["refresh_token"], &globex.id).await;
    assert_eq!(
        (status, &refusal["error"]),
        (400, &json!("sso_required")),
        "{refusal}"
    );
    world.emulator.clock().advance(Duration::from_secs(1));
    let (status, tokens) = refresh(&tokens["refresh_token"], &world.acme.id).await;
    assert_eq!(status, 200, "{tokens}");
    let policy = json!({"organization_policy": {"sso_required": false}});
    let path = format!("/_emulate/organizations/{}", globex.id);
    http::call(&world.emulator, Method::PATCH, &path, &policy).await;
    let (status, tokens) = refresh(&tokens["refresh_token"], &globex.id).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["organization_id"], json!(globex.id));
}

#[actix_web::test]
async fn a_thousand_requests_a_minute_are_answered_for_a_connection() {
    let issuer = Issuer::start();
    let world = World::at(&issuer, &json!({})).await;
    world.emulator.clock().freeze();
    let client = http::client();
    let url = world.authorize_url();
    let mut statuses = Vec::new();
    for _ in 0..1001 {
        statuses.push(client.get(&url).send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses.pop(), Some(429));
    assert!(statuses.iter().all(|status| *status == 302));
    world.emulator.clock().advance(Duration::from_secs(60));
    let response = client.get(&url).send().await.unwrap();
    assert_eq!(response.status(), 302);
}
