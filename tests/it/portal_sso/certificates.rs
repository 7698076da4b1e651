//! The renewal of certificates.

use std::time::{Duration, SystemTime};

use workos::GenerateLinkIntent;

use super::{CERTIFICATE, RENEWED, World, metadata, typed, with_form};
use crate::{
    browser::{Browser, Page},
    portal::{generate, title, wanted},
    sso_connections::events,
};

#[actix_web::test]
async fn certificates_are_renewed_while_the_old_one_still_counts() {
    let world = World::new().await;
    let (first, path) = world.begin("OktaSAML").await;
    world
        .post(&first, &format!("{path}/configuration"), &typed(CERTIFICATE))
        .await;
    let page = world.open(GenerateLinkIntent::CertificateRenewal).await;
    let path = path.replace("/portal/sso", "/portal/certificates");
    assert_eq!(
        (title(&page), page.url.path()),
        ("Certificate renewal", path.as_str())
    );
    assert!(
        page.text.contains("CN=idp.example.com") && page.text.contains("Nov 25, 2026"),
        "{}",
        page.text
    );
    let theirs = |page: &Page| page.text.split_once("Add a certificate").unwrap().0.to_owned();
    assert!(theirs(&page).contains(">Valid</span>") && !theirs(&page).contains(">Remove<"));

    // It ends soon, and then it has ended, by the clock of the environment.
    let day = |days: u64| Duration::from_secs(days * 24 * 3600);
    world
        .emulator
        .clock()
        .set(SystemTime::UNIX_EPOCH + Duration::from_secs(1_827_153_558) - day(20));
    assert_eq!(
        world.go(&page, &path).await.status,
        400,
        "the session of the portal is over"
    );
    let page = world.open(GenerateLinkIntent::CertificateRenewal).await;
    assert!(theirs(&page).contains("Expires in 20 days"), "{}", page.text);

    // The only one stays.
    let old = world.certificates().await[0]["id"].as_str().unwrap().to_owned();
    let refused = world.post(&page, &path, &[("remove", &old)]).await;
    assert!(
        refused.status == 400 && refused.text.contains("Nobody could sign in"),
        "{}",
        refused.text
    );
    for (sent, problem) in [
        ("", "Choose the file with the certificate"),
        ("nonsense", "The certificate cannot be used"),
        (CERTIFICATE, "in the list already"),
        ("<EntityDescriptor/>", "This cannot be used"),
    ] {
        let refused = world.post(&page, &path, &[("certificate", sent)]).await;
        assert_eq!(refused.status, 400, "{sent}");
        assert!(refused.text.contains(problem), "{problem}: {}", refused.text);
    }

    // Metadata name the old one beside the new one.
    let file = metadata(&[CERTIFICATE, RENEWED]);
    let file = ("certificate_file", file.as_bytes());
    let added = world
        .browser
        .upload_to(&path, &with_form(&page), &[("certificate", "")], file)
        .await;
    assert_eq!(added.status, 303, "{}", added.text);
    let told = events(&world.emulator, "connection.saml_certificate_renewed").await;
    assert_eq!(told.len(), 1);
    let (_, data) = &told[0];
    assert_eq!(data["certificate"]["certificate_type"], "ResponseSigning");
    assert_eq!(data["connection"]["organization_id"], world.acme.id);
    let both = world.go(&page, &path).await;
    assert_eq!(theirs(&both).matches(">Remove<").count(), 2, "{}", both.text);

    world
        .emulator
        .clock()
        .set(SystemTime::UNIX_EPOCH + Duration::from_secs(1_827_153_558) + day(3) + Duration::from_secs(60));
    let page = world.open(GenerateLinkIntent::CertificateRenewal).await;
    assert!(theirs(&page).contains("Expired 3 days ago"), "{}", page.text);
    // The one that is left must be good.
    assert_eq!(theirs(&page).matches(">Remove<").count(), 1);
    let renewed = world.certificates().await[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        world.post(&page, &path, &[("remove", &renewed)]).await.status,
        400
    );
    let removed = world.post(&page, &path, &[("remove", &old)]).await;
    assert!(!removed.text.contains("Expired"), "{}", removed.text);
    assert_eq!(world.certificates().await.len(), 1);
    assert_eq!(
        world
            .post(&page, &path, &[("remove", "cert_of_nobody")])
            .await
            .status,
        404
    );
}

#[actix_web::test]
async fn an_organization_without_saml_has_nothing_to_renew() {
    let world = World::new().await;
    let page = world.open(GenerateLinkIntent::CertificateRenewal).await;
    assert!(page.text.contains("There is nothing to renew"), "{}", page.text);
    let wanted = wanted(&world.acme.id, None);
    let link = generate(&world.emulator, wanted).await.unwrap();
    let overview = Browser::new().visit(link).await.text;
    assert!(
        overview.contains("There is no certificate to renew"),
        "{overview}"
    );
}
