//! Change of a user's e-mail address, through the SDK.

use serde_json::json;
use workos::user_management::{
    AuthenticateWithPasswordParams, ConfirmEmailChangeParams, SendEmailChangeParams,
};
use workos_emulator::Emulator;

use crate::sdk;

const EMAIL: &str = "ada@example.com";
const NEW: &str = "countess@example.com";
const PASSWORD: &str = "correct horse battery";

#[actix_web::test]
async fn the_code_at_the_new_address_changes_it() {
    let emulator = Emulator::start().await.unwrap();
    let ada = emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    let sdk = sdk::client(&emulator);
    let users = sdk.user_management();
    let send = |email: &str| {
        let body = serde_json::from_value(json!({ "new_email": email })).unwrap();
        users.send_email_change(&ada.id, SendEmailChangeParams::new(body))
    };
    let confirm = |code: &str| {
        let body = serde_json::from_value(json!({ "code": code })).unwrap();
        users.confirm_email_change(&ada.id, ConfirmEmailChangeParams::new(body))
    };
    assert_eq!(
        sdk::refusal(confirm("123456").await),
        (409, "no_pending_email_change".to_owned())
    );
    assert_eq!(
        sdk::refusal(send(EMAIL).await),
        (409, "email_change_not_needed".to_owned())
    );
    let sent = send(NEW).await.unwrap();
    assert_eq!((sent.new_email.as_str(), sent.user.email.as_str()), (NEW, EMAIL));
    assert!(emulator.mailbox().to(EMAIL).is_empty());
    let message = emulator.mailbox().last_to(NEW).unwrap();
    assert_eq!(message.kind(), "email_change");
    assert_eq!(
        sdk::refusal(confirm("x").await),
        (400, "email_change_code_incorrect".to_owned())
    );
    let confirmed = confirm(message.code().unwrap()).await.unwrap();
    assert_eq!(
        (confirmed.user.email.as_str(), confirmed.user.email_verified),
        (NEW, true)
    );
    assert_eq!(
        sdk::refusal(confirm(message.code().unwrap()).await),
        (409, "email_change_code_previously_used".to_owned())
    );
    let params = AuthenticateWithPasswordParams::new(NEW, PASSWORD);
    users.authenticate_with_password(params).await.unwrap();
}
