//! Changes that are made on the hosted pages.

use workos::UserManagementAuthenticationProvider as Provider;
use workos_emulator::Emulator;

use super::log::Log;
use crate::{
    browser::Browser,
    passkeys::{self, Site},
    social::{self, answer, authorize},
};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

const DENIED: &[&str] = &["authentication.oauth_failed"];
const CAME: &[&str] = &["user.created", "authentication.oauth_succeeded"];
const REFUSED: &[&str] = &["authentication.passkey_failed"];
const ACCEPTED: &[&str] = &["authentication.passkey_succeeded"];
const CONFIRMED: &[&str] = &[
    "authentication.password_succeeded",
    "authentication.reauthentication_succeeded",
];

/// What is caused here.
pub(super) fn events() -> impl Iterator<Item = &'static str> {
    [DENIED, CAME, REFUSED, ACCEPTED, CONFIRMED]
        .into_iter()
        .flatten()
        .copied()
}

/// An emulator without a user, and its events.
async fn empty() -> (Emulator, Log) {
    let emulator = Emulator::start().await.unwrap();
    let log = Log::start(&emulator).await;
    (emulator, log)
}

#[actix_web::test]
async fn a_provider_tells_who_somebody_is_or_not() {
    let (emulator, mut log) = empty().await;
    let browser = Browser::new();
    let stand_in = browser
        .visit(authorize(&emulator, Provider::AppleOAuth, |_| {}))
        .await;
    answer(&browser, &stand_in, &[("decision", "deny")]).await;
    log.sees(DENIED, "denied").await;

    let stand_in = browser
        .visit(authorize(&emulator, Provider::AppleOAuth, |_| {}))
        .await;
    let back = answer(&browser, &stand_in, &[("email", EMAIL)]).await;
    // Who the account belongs to is looked up when the code is redeemed.
    social::redeem(&emulator, social::code(&back)).await.unwrap();
    log.sees(&[CAME, &["session.created"]].concat(), "came").await;
    log.finish().await;
}

#[actix_web::test]
async fn a_passkey_is_accepted_or_not() {
    let site = Site::start(&[]).await;
    let mut authenticator = site.enrolled().await;
    let mut log = Log::start(&site.emulator).await;
    let browser = Browser::new();
    let page = site.sign_in_page(&browser).await;
    let answer = site.answer(&browser, &page, &mut authenticator).await;
    site.answer(&browser, &page, &mut authenticator).await;
    // The challenge is another one by now.
    let fields = [("credential", answer.as_str())];
    let refused = browser.submit_to(passkeys::GET, &page, &fields).await;
    assert_eq!(refused.status, 400);
    log.sees(REFUSED, "refused").await;

    let answer = site.answer(&browser, &page, &mut authenticator).await;
    let fields = [("credential", answer.as_str())];
    let done = browser.submit_to(passkeys::GET, &page, &fields).await;
    log.sees(ACCEPTED, "accepted").await;
    site.redeem(&done).await;
    log.sees(&["session.created"], "redeemed").await;
    log.finish().await;
}

#[actix_web::test]
async fn a_session_is_confirmed_by_another_sign_in() {
    let (emulator, mut log) = empty().await;
    emulator.user(EMAIL).password(PASSWORD).create().unwrap();
    log.sees(&["user.created"], "created").await;
    let browser = Browser::new();
    for (max_age, events) in [("", &CONFIRMED[..1]), ("&max_age=0", CONFIRMED)] {
        let url = authorize(&emulator, Provider::Authkit, |_| {});
        let page = browser.visit(format!("{url}{max_age}")).await;
        let page = browser.submit(&page, &[("email", EMAIL)]).await;
        let back = browser.submit_and_stop(&page, &[("password", PASSWORD)]).await;
        log.sees(events, max_age).await;
        social::redeem(&emulator, social::code(&back)).await.unwrap();
        log.sees(&["session.created"], "redeemed").await;
    }
    log.finish().await;
}
