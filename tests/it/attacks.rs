//! What an attacker tries on an app and its WorkOS.

mod codes;
mod prehijacking;
mod redirects;
mod wire;

use crate::{
    app::{EXPIRED, TestApp},
    browser::Browser,
};

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The callback with the parameter of another one.
fn with_parameter_of(name: &str, callback: &str, other: &str) -> String {
    let value = |url: &str| -> String {
        let url = reqwest::Url::parse(url).unwrap();
        url.query_pairs().find(|(key, _)| key == name).unwrap().1.into()
    };
    let crossed = callback.replace(&value(callback), &value(other));
    assert_ne!(crossed, callback);
    crossed
}

#[actix_web::test]
async fn a_tampered_or_foreign_state_is_refused() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    let callback = app.callback(&browser, "/me").await;
    for tampered in [callback.replace("state=", "state=x"), format!("{callback}x")] {
        assert_eq!(
            browser.fetch(&tampered).await.refusal(),
            refused(400, "invalid_state")
        );
    }
    // Login CSRF: a victim follows the attacker's callback, with an attempt of their own and without.
    let victim = Browser::new();
    assert_eq!(
        victim.fetch(&callback).await.refusal(),
        refused(400, "invalid_state")
    );
    app.callback(&victim, "/me").await;
    assert_eq!(
        victim.fetch(&callback).await.refusal(),
        refused(400, "invalid_state")
    );
    assert!(!victim.has_session(&app.url));
    assert_eq!(app.proxy.grants().codes, 0, "no code was tried");
    // The one who began it can finish it.
    assert_eq!(browser.visit(&callback).await.status, 200);
}

#[actix_web::test]
async fn a_foreign_code_is_refused_and_burnt_by_the_wrong_verifier() {
    let app = TestApp::start().await;
    let (attacker, victim) = (Browser::new(), Browser::new());
    let attackers = app.callback(&attacker, "/me").await;
    let victims = app.callback(&victim, "/me").await;
    let crossed = with_parameter_of("code", &victims, &attackers);
    assert_eq!(
        victim.fetch(&crossed).await.refusal(),
        refused(401, "invalid_grant")
    );
    assert!(!victim.has_session(&app.url));
    // The code was tried with another verifier than its own: it is good for nothing any more.
    assert_eq!(
        attacker.fetch(&attackers).await.refusal(),
        refused(401, "invalid_grant")
    );
    assert!(!attacker.has_session(&app.url));
    assert_eq!(app.proxy.grants().codes, 2);
}

#[actix_web::test]
async fn a_callback_works_once() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    let callback = app.callback(&browser, "/me").await;
    let copied = browser.copy(&app.path("/auth/callback"));
    assert_eq!(browser.visit(&callback).await.status, 200);
    assert_eq!(
        browser.fetch(&callback).await.refusal(),
        refused(400, "invalid_state"),
        "the attempt is over"
    );
    let replayed = copied.fetch(&callback).await;
    assert_eq!(
        replayed.refusal(),
        refused(401, "invalid_grant"),
        "and with its cookie kept, the code is used"
    );
    assert!(!copied.has_session(&app.url));
    assert_eq!(
        browser.fetch(app.path("/me")).await.status,
        200,
        "who signed in stays signed in"
    );
}

#[actix_web::test]
async fn a_callback_that_comes_too_late_is_refused() {
    let app = TestApp::start().await;
    let browser = Browser::new();
    let callback = app.callback(&browser, "/me").await;
    app.advance(601);
    let late = browser.fetch(&callback).await;
    assert!(
        late.status == 400 || late.status == 401,
        "{} {}",
        late.status,
        late.text
    );
    assert!(!browser.has_session(&app.url));
}

#[actix_web::test]
async fn neither_sign_in_nor_sign_out_leads_to_another_site() {
    let app = TestApp::start().await;
    let home = format!("{}/", app.url);
    for attack in [
        "https://evil.example",
        "//evil.example",
        "%2F%2Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "/..//evil.example",
        "javascript:alert(1)",
        "http://127.0.0.1:1/",
    ] {
        let browser = Browser::new();
        let callback = app
            .callback(&browser, &format!("/auth/sign-in?return_to={attack}"))
            .await;
        assert_eq!(
            browser.step(&callback).await.location().as_str(),
            home,
            "{attack}"
        );
        let out = browser
            .step(app.path(&format!("/auth/sign-out?return_to={attack}")))
            .await
            .location();
        assert!(out.as_str().starts_with(app.proxy.url()), "{attack}: {out}");
        assert!(!out.as_str().contains("evil"), "{attack}: {out}");
    }
}

#[actix_web::test]
async fn a_reused_refresh_token_is_worth_nothing_after_its_grace() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    let copied = browser.copy(&app.url);
    app.advance(EXPIRED);
    assert_eq!(browser.fetch(app.path("/me")).await.status, 200);
    assert_eq!(
        copied.fetch(app.path("/me")).await.status,
        200,
        "a late tab gets the same session"
    );
    assert_eq!(app.proxy.grants().refreshes, 1);
    let stolen = app.signed_in().await.0;
    let thief = stolen.copy(&app.url);
    app.advance(EXPIRED);
    assert_eq!(stolen.fetch(app.path("/me")).await.status, 200);
    app.advance(31);
    assert_eq!(
        thief.fetch(app.path("/me")).await.refusal(),
        refused(401, "sign_in_required")
    );
    assert!(!thief.has_session(&app.url));
    assert_eq!(
        stolen.fetch(app.path("/me")).await.status,
        200,
        "the rightful browser goes on"
    );
}

#[actix_web::test]
async fn another_site_can_neither_sign_anybody_out_nor_send_the_hosted_form() {
    let app = TestApp::start().await;
    let (browser, _) = app.signed_in().await;
    let post = crate::http::client().post(app.path("/auth/sign-out"));
    let (status, answer) = crate::http::answer(post.header("origin", "https://evil.example")).await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (403, Some("cross_origin_request"))
    );
    assert_eq!(browser.fetch(app.path("/me")).await.status, 200);

    // The hosted form is bound to the browser that began the sign-in.
    let form = Browser::new().visit(app.path("/me")).await;
    let foreign = Browser::new().submit(&form, &[("email", &app.ada.email)]).await;
    assert_eq!(foreign.status, 400);
    assert!(foreign.text.contains("This sign-in is over"), "{}", foreign.text);
}
