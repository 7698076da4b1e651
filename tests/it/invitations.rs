//! Invitations through the SDK, and from seeds.

use reqwest::Method;
use serde_json::json;
use workos::{
    models::{
        CreateUserInviteOptions, InvitationAcceptedData, InvitationCreatedData, InvitationResentData,
        InvitationRevokedData, ResendUserInviteOptions,
    },
    user_management::{
        AuthenticateWithPasswordParams, ListInvitationsParams, ResendInvitationParams, SendInvitationParams,
    },
};
use workos_emulator::Emulator;

use crate::{
    app::PASSWORD,
    browser::Browser,
    http,
    sdk::{self, refusal},
};

const NEW: &str = "grace@globex.example";

#[actix_web::test]
async fn the_sdk_sends_finds_resends_revokes_and_accepts() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    emulator.role("admin").create().unwrap();
    let ada = emulator
        .user("ada@acme.example")
        .first_name("Ada")
        .last_name("Lovelace");
    let ada = ada.create().unwrap();
    let sdk = sdk::client(&emulator);
    let api = sdk.user_management();
    let wanted = CreateUserInviteOptions {
        email: NEW.to_owned(),
        organization_id: Some(acme.id.clone()),
        role_slug: Some("admin".to_owned()),
        expires_in_days: Some(30),
        inviter_user_id: Some(ada.id.clone()),
        locale: Some("de".into()),
    };
    let sent = api
        .send_invitation(SendInvitationParams::new(wanted.clone()))
        .await
        .unwrap();
    assert_eq!(
        (sent.state.as_str(), sent.role_slug.as_deref()),
        ("pending", Some("admin"))
    );
    let again = api.send_invitation(SendInvitationParams::new(wanted)).await;
    assert_eq!(
        refusal(again),
        (400, "email_already_invited_to_organization".to_owned())
    );
    let found = api.find_invitation_by_token(sent.token.expose()).await.unwrap();
    assert_eq!(
        (&found.id, found.accept_invitation_url.expose()),
        (&sent.id, sent.accept_invitation_url.expose())
    );
    let params = ListInvitationsParams {
        organization_id: Some(acme.id.clone()),
        email: Some(NEW.to_owned()),
        ..ListInvitationsParams::default()
    };
    let list = api.list_invitations(params).await.unwrap();
    assert_eq!((list.data.len(), &list.data[0].id), (1, &sent.id));
    let resend = ResendInvitationParams::new(ResendUserInviteOptions { locale: None });
    api.resend_invitation(&sent.id, resend.clone()).await.unwrap();
    let mails = emulator.mailbox().to(NEW);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].subject(), "Ada Lovelace invited you to join Acme");
    assert_eq!(mails[0].url(), Some(sent.accept_invitation_url.expose()));
    let revoked = api.revoke_invitation(&sent.id).await.unwrap();
    assert_eq!(revoked.state.as_str(), "revoked");
    assert_eq!(
        refusal(api.resend_invitation(&sent.id, resend).await),
        (400, "invite_revoked".to_owned())
    );

    let bob = emulator.user("bob@globex.example").create().unwrap();
    let invitation = emulator
        .invitation(&bob.email)
        .to(&acme)
        .expires_in_days(1)
        .create()
        .unwrap();
    let accepted = api.accept_invitation(&invitation.id).await.unwrap();
    assert_eq!(
        (accepted.state.as_str(), accepted.accepted_user_id.as_ref()),
        ("accepted", Some(&bob.id))
    );
    assert_eq!(
        refusal(api.accept_invitation("invitation_x").await),
        (404, "entity_not_found".to_owned())
    );

    // The events are those of the SDK's models, and say nothing that accepts an invitation.
    let mut seen = Vec::new();
    for (name, data) in http::events(&emulator).await {
        match name.as_str() {
            "invitation.created" => {
                drop(serde_json::from_value::<InvitationCreatedData>(data.clone()).unwrap())
            }
            "invitation.resent" => {
                drop(serde_json::from_value::<InvitationResentData>(data.clone()).unwrap())
            }
            "invitation.revoked" => {
                drop(serde_json::from_value::<InvitationRevokedData>(data.clone()).unwrap())
            }
            "invitation.accepted" => {
                drop(serde_json::from_value::<InvitationAcceptedData>(data.clone()).unwrap())
            }
            _ => continue,
        }
        assert!(
            data.get("token").is_none() && data.get("accept_invitation_url").is_none(),
            "{data}"
        );
        seen.push(name);
    }
    assert_eq!(
        seen,
        ["created", "resent", "revoked", "created", "accepted"].map(|name| format!("invitation.{name}"))
    );
}

#[actix_web::test]
async fn the_password_grant_takes_the_token() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    emulator
        .role("admin")
        .permissions(["posts:write"])
        .create()
        .unwrap();
    let bob = emulator
        .user("bob@globex.example")
        .password(PASSWORD)
        .create()
        .unwrap();
    let invitation = emulator
        .invitation(&bob.email)
        .to(&acme)
        .role("admin")
        .create()
        .unwrap();
    let sdk = sdk::client(&emulator);
    let mut params = AuthenticateWithPasswordParams::new(&bob.email, PASSWORD);
    params.invitation_token = Some(invitation.token.as_str().into());
    let signed_in = sdk
        .user_management()
        .authenticate_with_password(params.clone())
        .await
        .unwrap();
    assert_eq!(signed_in.organization_id.as_ref(), Some(&acme.id));
    assert_eq!(
        sdk::claims(&signed_in.access_token)["permissions"],
        json!(["posts:write"])
    );
    let again = sdk.user_management().authenticate_with_password(params).await;
    assert_eq!(refusal(again), (400, "invitation_invalid".to_owned()));
}

#[actix_web::test]
async fn seeds_have_invitations() {
    let emulator = Emulator::builder()
        .seed(
            "
users: [{id: user_ada, email: ada@acme.example}, {email: bob@globex.example}]
organizations: [{id: org_acme, name: Acme, memberships: [{email: ada@acme.example}]}]
roles: [{slug: admin, name: Admin}]
invitations:
  - {email: bob@globex.example, organization_id: org_acme, inviter_user_id: user_ada, role_slug: admin}
  - {email: New@x.example}
",
        )
        .start()
        .await
        .unwrap();
    assert_eq!(emulator.seeded()["invitations"], 2);
    let sdk = sdk::client(&emulator);
    let params = ListInvitationsParams {
        email: Some("bob@globex.example".to_owned()),
        ..ListInvitationsParams::default()
    };
    let list = sdk.user_management().list_invitations(params).await.unwrap();
    let url = list.data[0].accept_invitation_url.expose();
    assert!(url.starts_with(emulator.url()), "{url}");
    let page = Browser::new().visit(url).await;
    assert!(
        page.text.contains("ada@acme.example invited you to join Acme."),
        "{}",
        page.text
    );
    assert!(emulator.mailbox().all().is_empty());
    let wrong = workos_emulator::validate_seed("invitations: [{email: a@b.example, organization_id: org_x}]");
    let problems = wrong.unwrap_err().problems();
    assert!(
        problems[0].starts_with("invitations[0]: Organization not found"),
        "{problems:?}"
    );
}

#[actix_web::test]
async fn an_organization_can_be_blocked() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    let path = format!("/_emulate/organizations/{}", acme.id);
    let block = json!({"invitations_blocked": true});
    let (status, set) = http::call(&emulator, Method::PATCH, &path, &block).await;
    assert_eq!((status, &set["invitations_blocked"]), (200, &json!(true)));
    let body = json!({"email": NEW, "organization_id": acme.id});
    let (status, refused) = http::call(&emulator, Method::POST, "/user_management/invitations", &body).await;
    assert_eq!(
        (status, &refused["code"]),
        (400, &json!("organization_blocked_from_sending_invites"))
    );
}
