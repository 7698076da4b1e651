//! IT contacts of organizations, through the SDK and their mailbox.

use std::time::Duration;

use workos::{
    CreateItContact, InviteItContact, InviteItContactIntents, ItContact,
    organizations::{CreateItContactParams, InviteItContactParams},
};
use workos_emulator::Emulator;

use crate::{
    browser::Browser,
    sdk::{self, refusal},
};

async fn create(emulator: &Emulator, organization_id: &str, email: &str) -> Result<ItContact, workos::Error> {
    let new = CreateItContact {
        email: email.to_owned(),
    };
    sdk::client(emulator)
        .organizations()
        .create_it_contact(organization_id, CreateItContactParams::new(new))
        .await
}

async fn invite(
    emulator: &Emulator,
    organization_id: &str,
    id: &str,
    intents: &[InviteItContactIntents],
) -> Result<(), workos::Error> {
    let intents = intents.to_vec();
    sdk::client(emulator)
        .organizations()
        .invite_it_contact(
            organization_id,
            id,
            InviteItContactParams::new(InviteItContact { intents }),
        )
        .await
}

const DOMAINS: &[InviteItContactIntents] = &[InviteItContactIntents::DomainVerification];

#[actix_web::test]
async fn contacts_are_kept_with_their_organization() {
    let emulator = Emulator::start().await.unwrap();
    let [acme, other] = ["Acme", "Other"].map(|name| emulator.organization(name).create().unwrap().id);
    let contact = create(&emulator, &acme, "IT@acme.example").await.unwrap();
    assert_eq!(
        (contact.object.as_str(), contact.email.as_str()),
        ("it_contact", "it@acme.example")
    );
    assert_eq!(
        refusal(create(&emulator, &acme, "it@acme.example").await),
        (409, "it_contact_already_exists".to_owned())
    );
    assert_eq!(refusal(create(&emulator, &acme, "nobody").await).0, 422);
    assert_eq!(
        refusal(create(&emulator, "org_x", "it@acme.example").await).0,
        404
    );
    create(&emulator, &other, "it@acme.example").await.unwrap();

    let sdk = sdk::client(&emulator);
    let organizations = sdk.organizations();
    let list = organizations.list_it_contacts(&acme).await.unwrap();
    assert_eq!(list.data.len(), 1);
    assert_eq!(list.data[0].id, contact.id);
    // Another organization's contact is none of this one's.
    for foreign in [
        refusal(organizations.delete_it_contact(&other, &contact.id).await),
        refusal(organizations.revoke_it_contact(&other, &contact.id).await),
        refusal(invite(&emulator, &other, &contact.id, DOMAINS).await),
    ] {
        assert_eq!(foreign, (404, "entity_not_found".to_owned()));
    }
    organizations.delete_it_contact(&acme, &contact.id).await.unwrap();
    assert!(
        organizations
            .list_it_contacts(&acme)
            .await
            .unwrap()
            .data
            .is_empty()
    );
}

#[actix_web::test]
async fn an_invitation_opens_the_portal_for_thirty_days() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let contact = create(&emulator, &acme, "it@acme.example").await.unwrap();
    assert_eq!(refusal(invite(&emulator, &acme, &contact.id, &[]).await).0, 422);
    invite(&emulator, &acme, &contact.id, DOMAINS).await.unwrap();
    assert_eq!(
        refusal(invite(&emulator, &acme, &contact.id, DOMAINS).await),
        (409, "it_contact_invitation_already_active".to_owned())
    );
    let mail = emulator.mailbox().last_to("it@acme.example").unwrap();
    assert_eq!(mail.kind(), "it_contact_invitation");
    let link = mail.url().unwrap();
    assert!(mail.text().contains("Acme") && mail.text().contains(link));

    // As often as needed, in any browser.
    for _ in 0..2 {
        let page = Browser::new().visit(link).await;
        assert_eq!(page.status, 200);
        assert!(
            page.text.contains("<h1>Domain verification</h1>"),
            "{}",
            page.text
        );
    }
    emulator.clock().advance(Duration::from_secs(30 * 24 * 3600));
    let page = Browser::new().visit(link).await;
    assert_eq!(page.status, 400);
    // It is over, so that there can be another one.
    invite(&emulator, &acme, &contact.id, DOMAINS).await.unwrap();
    let mail = emulator.mailbox().last_to("it@acme.example").unwrap();
    assert_eq!(Browser::new().visit(mail.url().unwrap()).await.status, 200);
}

#[actix_web::test]
async fn a_revoked_invitation_opens_nothing_and_ends_what_it_opened() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator.organization("Acme").create().unwrap().id;
    let contact = create(&emulator, &acme, "it@acme.example").await.unwrap();
    let sdk = sdk::client(&emulator);
    let organizations = sdk.organizations();
    assert_eq!(
        refusal(organizations.revoke_it_contact(&acme, &contact.id).await),
        (404, "entity_not_found".to_owned())
    );
    for end in ["revoke", "delete"] {
        invite(&emulator, &acme, &contact.id, DOMAINS).await.unwrap();
        let mail = emulator.mailbox().last_to("it@acme.example").unwrap();
        let browser = Browser::new();
        let page = browser.visit(mail.url().unwrap()).await;
        assert_eq!(page.status, 200);
        match end {
            "revoke" => organizations.revoke_it_contact(&acme, &contact.id).await,
            _ => organizations.delete_it_contact(&acme, &contact.id).await,
        }
        .unwrap();
        assert_eq!(browser.visit(page.url).await.status, 400, "{end}");
        assert_eq!(browser.visit(mail.url().unwrap()).await.status, 400, "{end}");
    }
}

#[actix_web::test]
async fn a_finished_setup_ends_the_invitation() {
    let emulator = Emulator::start().await.unwrap();
    let acme = emulator
        .organization("Acme")
        .domain("acme.example")
        .create()
        .unwrap()
        .id;
    let contact = create(&emulator, &acme, "it@acme.example").await.unwrap();
    invite(&emulator, &acme, &contact.id, DOMAINS).await.unwrap();
    let link = emulator.mailbox().last_to("it@acme.example").unwrap();
    let link = link.url().unwrap();
    let browser = Browser::new();
    let page = browser.visit(link).await;
    let end = browser.submit_to("/portal/finish", &page, &[]).await;
    assert_eq!((end.status, end.location().path()), (303, "/portal/finished"));
    assert_eq!(browser.visit(link).await.status, 400);
}
