//! AuthKit users that follow a directory.

use serde_json::json;
use workos_emulator::Emulator;

use crate::{browser::Browser, scim::Directory};

#[actix_web::test]
async fn a_guest_is_invited_by_a_link_that_works() {
    let emulator = Emulator::start().await.unwrap();
    let other = emulator.environment("other").unwrap();
    for environment in [&*emulator, &other] {
        let okta = Directory::create(environment, "okta scim v2.0").await;
        okta.set(json!({"directory_sync": {"provisioning": true}})).await;
        okta.user("grace@elsewhere.example").await;
        let mail = environment
            .mailbox()
            .last_to("grace@elsewhere.example")
            .expect("she is invited");
        let url = mail.url().unwrap();
        assert!(url.starts_with(emulator.url()), "{url}");
        let page = Browser::new().visit(url).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("join Acme"), "{}", page.text);
    }
}
