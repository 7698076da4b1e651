//! `examples/organizations.rs` runs, and does what it says.

use crate::browser::{Browser, Page};

#[path = "../../examples/organizations.rs"]
mod organizations;

async fn switch(browser: &Browser, page: &Page, name: &str) -> Page {
    let (before, _) = page
        .text
        .split_once(&format!("\">Go to {name}</button>"))
        .unwrap();
    let (_, id) = before.rsplit_once("value=\"").unwrap();
    let url = page.url.join("/auth/switch-organization").unwrap();
    browser.post_form(url, &[("organization_id", id)]).await
}

#[actix_web::test]
async fn bob_goes_to_the_organization_that_he_administers() {
    let (url, _emulator, server) = organizations::start(0).await.unwrap();
    actix_web::rt::spawn(server);
    let browser = Browser::new();
    let form = browser.visit(&url).await;
    let picker = browser
        .sign_in(&form, organizations::EMAIL, organizations::PASSWORD)
        .await;
    let (before, _) = picker.text.split_once("Acme").unwrap();
    let (_, acme) = before.rsplit_once("value=\"").unwrap();
    let acme = acme.split_once('"').unwrap().0.to_owned();
    let home = browser.submit(&picker, &[("organization_id", &acme)]).await;
    assert!(home.text.contains("<h1>Acme</h1>"), "{}", home.text);
    assert!(home.text.contains("bob@example.com is member here."));
    assert!(!home.text.contains("/portal"));
    let refused = browser.post(home.url.join("/portal").unwrap()).await;
    assert_eq!(refused.status, 403);

    let home = switch(&browser, &home, "Globex").await;
    assert!(home.text.contains("<h1>Globex</h1>"), "{}", home.text);
    assert!(home.text.contains("bob@example.com is admin here."));
    let portal = browser.post(home.url.join("/portal").unwrap()).await;
    assert_eq!(portal.status, 200, "{}", portal.text);
    assert!(portal.text.contains("Globex"), "{}", portal.text);
    assert_ne!(portal.url.origin(), home.url.origin());
}
