//! The device flow: a program shows a code, its user confirms it on the hosted pages, and the SDK gets the tokens.

use workos::{
    models::SSODeviceAuthorizationRequest,
    user_management::{AuthenticateWithDeviceCodeParams, CreateDeviceParams},
};
use workos_emulator::Emulator;

use crate::{
    browser::{Browser, Page},
    sdk::{self, refusal},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

struct Waiting {
    emulator: Emulator,
    sdk: workos::Client,
    device_code: String,
    user_code: String,
    complete: String,
}

impl Waiting {
    async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        emulator.user(EMAIL).password(PASSWORD).create().unwrap();
        let sdk = sdk::client(&emulator);
        let params = CreateDeviceParams::new(SSODeviceAuthorizationRequest {
            client_id: emulator.client_id().to_owned(),
        });
        let started = sdk.user_management().create_device(params).await.unwrap();
        assert_eq!(started.verification_uri, format!("{}/device", emulator.url()));
        Self {
            device_code: started.device_code.expose().to_owned(),
            user_code: started.user_code.expose().to_owned(),
            complete: started.verification_uri_complete.unwrap().expose().to_owned(),
            emulator,
            sdk,
        }
    }

    async fn poll(&self) -> Result<workos::models::AuthenticateResponse, workos::Error> {
        let params = AuthenticateWithDeviceCodeParams::new(self.device_code.as_str());
        self.sdk
            .user_management()
            .authenticate_with_device_code(params)
            .await
    }

    /// Opens the address and signs Ada in.
    async fn signed_in(&self, browser: &Browser, url: &str) -> Page {
        let form = browser.visit(url).await;
        assert_eq!(form.url.path(), "/authkit/sign-in");
        let page = browser.sign_in(&form, EMAIL, PASSWORD).await;
        assert_eq!((page.status, page.url.path()), (200, "/authkit/device"));
        page
    }
}

#[actix_web::test]
async fn a_link_with_the_code_asks_to_compare_it() {
    let waiting = Waiting::start().await;
    assert_eq!(
        refusal(waiting.poll().await),
        (400, "authorization_pending".to_owned())
    );
    let browser = Browser::new();
    let page = waiting.signed_in(&browser, &waiting.complete).await;
    assert!(page.text.contains(&waiting.user_code));
    let done = browser.submit(&page, &[("decision", "confirm")]).await;
    assert_eq!(done.url.path(), "/authkit/device/done");
    assert!(done.text.contains("Your device is signed in"), "{}", done.text);
    let tokens = waiting.poll().await.unwrap();
    assert_eq!(tokens.user.email, EMAIL);
    assert_eq!(refusal(waiting.poll().await), (400, "invalid_grant".to_owned()));
}

#[actix_web::test]
async fn a_code_is_typed_and_corrected() {
    let waiting = Waiting::start().await;
    let browser = Browser::new();
    let url = format!("{}/device", waiting.emulator.url());
    let page = waiting.signed_in(&browser, &url).await;
    assert!(!page.text.contains(&waiting.user_code), "nobody is told a code");
    let wrong = browser
        .submit(&page, &[("user_code", "BCDF-BCDF"), ("decision", "confirm")])
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("This code is not known"), "{}", wrong.text);
    let typed = waiting.user_code.to_lowercase().replace('-', " ");
    let done = browser
        .submit(&wrong, &[("user_code", &typed), ("decision", "confirm")])
        .await;
    assert!(done.text.contains("Your device is signed in"), "{}", done.text);
    waiting.poll().await.unwrap();
}

/// Nobody tries codes until one is somebody's.
#[actix_web::test]
async fn a_fifth_wrong_code_ends_the_sign_in() {
    let waiting = Waiting::start().await;
    let browser = Browser::new();
    let mut page = waiting
        .signed_in(&browser, &format!("{}/device", waiting.emulator.url()))
        .await;
    let wrong = [("user_code", "BCDF-BCDF"), ("decision", "confirm")];
    let first = page.url.clone();
    for _ in 0..4 {
        page = browser.submit(&page, &wrong).await;
        assert_eq!(page.status, 400);
    }
    let over = browser.submit(&page, &wrong).await;
    assert!(over.text.contains("Too many codes were wrong"), "{}", over.text);
    assert_eq!(browser.visit(first.as_str()).await.status, 400);
    let right = [("user_code", waiting.user_code.as_str()), ("decision", "confirm")];
    assert_eq!(browser.submit(&page, &right).await.status, 400);
    assert_eq!(
        refusal(waiting.poll().await),
        (400, "authorization_pending".to_owned())
    );
}

#[actix_web::test]
async fn a_refusal_reaches_the_program() {
    let waiting = Waiting::start().await;
    let browser = Browser::new();
    let page = waiting.signed_in(&browser, &waiting.complete).await;
    let done = browser.submit(&page, &[("decision", "deny")]).await;
    assert!(
        done.text.contains("Your device was not signed in"),
        "{}",
        done.text
    );
    assert_eq!(refusal(waiting.poll().await), (400, "access_denied".to_owned()));
}

/// Nobody gets to the confirmation without a sign-in, nor with somebody else's.
#[actix_web::test]
async fn the_confirmation_is_for_the_browser_that_signed_in() {
    let waiting = Waiting::start().await;
    let browser = Browser::new();
    let page = waiting.signed_in(&browser, &waiting.complete).await;
    let foreign = Browser::new().submit(&page, &[("decision", "confirm")]).await;
    assert_eq!(foreign.status, 400);
    let begun = Browser::new();
    let form = begun.visit(&waiting.complete).await;
    let early = form.url.as_str().replace("/authkit/sign-in", "/authkit/device");
    assert_eq!(begun.visit(early).await.status, 400);
    assert_eq!(
        refusal(waiting.poll().await),
        (400, "authorization_pending".to_owned())
    );
}
