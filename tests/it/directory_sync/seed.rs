//! Directories that are there from the start.

use workos::directory_sync::ListUsersParams;
use workos_emulator::Emulator;

use crate::sdk;

const SEED: &str = r#"
organizations:
  - {name: Acme, domains: [{domain: acme.example, state: verified}]}
roles:
  - {slug: developer, name: Developer}
directories:
  - id: directory_acme
    name: Acme Okta
    organization: Acme
    type: okta scim v2.0
    domain: acme.example
    external_key: acmeOkta1234
    bearer_token: se_acme
    groups: [Sales, {name: Engineering, role: developer}]
    users:
      - {email: ada@acme.example, first_name: Ada, last_name: Lovelace, groups: [Engineering]}
      - {email: bob@acme.example, groups: [Sales], custom_attributes: {badge: 7}}
"#;

#[actix_web::test]
async fn a_seed_fills_directories() {
    let emulator = Emulator::builder().seed(SEED).start().await.unwrap();
    assert_eq!(emulator.seeded()["directories"], 1);
    assert!(
        emulator.seed_warnings().is_empty(),
        "{:?}",
        emulator.seed_warnings()
    );
    let sdk = sdk::client(&emulator);
    let directory = sdk
        .directory_sync()
        .get_directory("directory_acme")
        .await
        .unwrap();
    assert_eq!(directory.external_key, "acmeOkta1234");
    let sync = sdk.directory_sync();
    let users = sync.list_users(ListUsersParams {
        directory: Some(directory.id),
        ..ListUsersParams::default()
    });
    let users = users.await.unwrap().data;
    assert_eq!(users[1].name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(users[1].role.as_ref().unwrap().slug, "developer");
    assert_eq!(users[0].custom_attributes["badge"], 7);
    let wrong = SEED
        .replace("organization: Acme\n", "organization: Acne\n")
        .replace("okta scim v2.0", "ldap");
    let refused = Emulator::builder()
        .seed(wrong)
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("directories[0].type"), "{refused}");
    let wrong = SEED.replace("organization: Acme\n", "organization: Acne\n");
    let refused = Emulator::builder()
        .seed(wrong)
        .start()
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("directories[0].organization: no organization has this name"),
        "{refused}"
    );
}
