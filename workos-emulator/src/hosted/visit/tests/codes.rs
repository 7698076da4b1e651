//! Sign-ins and sign-ups with codes that come by e-mail.

use super::*;
use crate::mail::Message;

const NEW: &str = "grace@example.com";

fn location(reply: &Reply) -> &str {
    header(reply, "Location").unwrap_or_else(|| panic!("{} {}", reply.status, body(reply)))
}

fn goes_to(reply: &Reply, path: &str) -> bool {
    reply.status == 303 && location(reply).starts_with(&format!("{path}?"))
}

fn mails(fixture: &Fixture) -> Vec<Message> {
    let state = fixture.environment.state();
    state.messages.iter().map(|mail| Message::clone(mail)).collect()
}

/// The code of the last mail, which must be of this kind and to this address.
fn mailed(fixture: &Fixture, kind: &str, to: &str) -> String {
    let mail = mails(fixture).pop().expect("a mail");
    assert_eq!((mail.kind.as_str(), mail.to.as_str()), (kind, to));
    mail.code.unwrap()
}

fn identify(browser: &Browser<'_>, email: &str) -> Reply {
    browser.submit(sign_in::submit_sign_in, json!({ "email": email }))
}

fn type_code(browser: &Browser<'_>, code: &str) -> Reply {
    browser.submit(magic_auth::submit_magic_auth, json!({ "code": code }))
}

fn ask_for_code(browser: &Browser<'_>) -> Reply {
    browser.submit(magic_auth::submit_magic_auth, json!({"decision": "send"}))
}

fn verify(browser: &Browser<'_>, code: &str) -> Reply {
    browser.submit(verify_email::submit_verify_email, json!({ "code": code }))
}

/// Signs up with a password, and gives the browser that is asked for the code.
fn signed_up<'a>(fixture: &'a Fixture) -> Browser<'a> {
    let mut browser = Browser::open(fixture, "&screen_hint=sign-up");
    let reply = browser.submit(
        sign_up::submit_sign_up,
        json!({"first_name": "Grace", "email": NEW, "password": PASSWORD}),
    );
    assert!(goes_to(&reply, verify_email::PATH));
    browser.cookie = cookie_of(&reply);
    browser
}

fn codes_only(settings: &mut crate::control::settings::Settings) {
    settings.sign_in_methods.password = false;
}

#[test]
fn the_password_page_offers_a_code() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    assert!(goes_to(&identify(&browser, EMAIL), password::PATH));
    assert_eq!(mails(&fixture).len(), 0);
    assert!(body(&browser.show(password::show_password)).contains("Email me a sign-in code"));
    let asked = browser.submit(magic_auth::submit_magic_auth, json!({"decision": "code"}));
    assert!(goes_to(&asked, magic_auth::PATH) && !location(&asked).contains("sent="));
    let code = mailed(&fixture, "magic_auth", EMAIL);
    let page = browser.show(magic_auth::show_magic_auth);
    assert!(body(&page).contains(EMAIL) && !body(&page).contains(&code));
    let spaced = format!(" {}-{} ", &code[..3], &code[3..]);
    let response = redeem(&fixture, &super::code(&type_code(&browser, &spaced)));
    assert_eq!(
        (&response["user"]["email"], &response["authentication_method"]),
        (&json!(EMAIL), &json!("MagicAuth"))
    );
    assert!(is_over(&type_code(&browser, &code)));
}

#[test]
fn the_link_of_the_mail_is_the_page_that_waits() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    identify(&browser, EMAIL);
    ask_for_code(&browser);
    let url = mails(&fixture).pop().unwrap().url.unwrap();
    assert!(url.starts_with("http://auth.test/authkit/magic-auth?"), "{url}");
    assert!(url.contains(&browser.session_id) && !url.contains(browser.cookie.split_once('=').unwrap().1));
}

#[test]
fn each_page_is_there_only_for_the_ways_in_that_are_on() {
    let fixture = Fixture::new();
    fixture.set(codes_only);
    let browser = Browser::open(&fixture, "");
    assert!(goes_to(&identify(&browser, EMAIL), magic_auth::PATH));
    mailed(&fixture, "magic_auth", EMAIL);
    assert!(!body(&browser.show(magic_auth::show_magic_auth)).contains(password::PATH));
    assert!(goes_to(&browser.show(password::show_password), sign_in::PATH));
    let typed = browser.submit(password::submit_password, json!({"password": PASSWORD}));
    assert!(goes_to(&typed, sign_in::PATH));

    fixture.set(|settings| {
        settings.sign_in_methods.password = true;
        settings.sign_in_methods.magic_auth = false;
    });
    let code = mailed(&fixture, "magic_auth", EMAIL);
    assert!(goes_to(&type_code(&browser, &code), sign_in::PATH));
    assert!(goes_to(&ask_for_code(&browser), sign_in::PATH));
    assert!(goes_to(&browser.show(magic_auth::show_magic_auth), sign_in::PATH));
    assert!(goes_to(&identify(&browser, EMAIL), password::PATH));
    assert!(!body(&browser.show(password::show_password)).contains(magic_auth::PATH));

    fixture.set(codes_only);
    fixture.set(|settings| settings.sign_in_methods.magic_auth = false);
    let reply = identify(&browser, EMAIL);
    assert_eq!(reply.status, 400);
    assert!(body(&reply).contains("Nobody can sign in with an email address here"));
    assert!(!body(&reply).contains(sign_up::PATH));
}

/// Status, body and headers, without what is different for everybody.
type Seen = (u16, String, Vec<(&'static str, String)>);

/// What a browser sees that asks for a code three times, a fourth time, and guesses.
fn seen(fixture: &Fixture, email: &str) -> Vec<Seen> {
    let browser = Browser::open(fixture, "");
    let mut replies = vec![
        identify(&browser, email),
        browser.show(magic_auth::show_magic_auth),
    ];
    for _ in 0..3 {
        replies.push(ask_for_code(&browser));
    }
    for _ in 0..11 {
        replies.push(type_code(&browser, "x"));
    }
    let same = |text: &str| text.replace(&browser.session_id, "…").replace(email, "…");
    replies
        .iter()
        .map(|reply| {
            let headers = reply.headers.iter().map(|(name, value)| (*name, same(value)));
            (reply.status, same(body(reply)), headers.collect())
        })
        .collect()
}

#[test]
fn nobody_learns_who_has_an_account_by_codes() {
    for sign_up in [true, false] {
        let fixture = Fixture::new();
        fixture.set(codes_only);
        fixture.set(|settings| settings.sign_up = sign_up);
        let known = seen(&fixture, EMAIL);
        assert_eq!(known, seen(&fixture, NEW), "sign-up: {sign_up}");
        let [fourth, .., last] = &known[4..] else {
            panic!("{known:?}")
        };
        assert!(
            fourth.0 == 400 && fourth.1.contains("too many codes"),
            "{fourth:?}"
        );
        assert!(last.0 == 400 && last.1.contains("Too many attempts"), "{last:?}");
        let to_new = mails(&fixture).iter().filter(|mail| mail.to == NEW).count();
        assert_eq!(to_new, if sign_up { 3 } else { 0 });
        let users = fixture.environment.state().users.len();
        assert_eq!(users, if sign_up { 2 } else { 1 });
    }
}

#[test]
fn who_is_new_signs_up_by_a_code() {
    let fixture = Fixture::new();
    fixture.set(codes_only);
    let browser = Browser::open(&fixture, "");
    identify(&browser, NEW);
    let reply = type_code(&browser, &mailed(&fixture, "magic_auth", NEW));
    let response = redeem(&fixture, &code(&reply));
    assert_eq!(
        (&response["user"]["email"], &response["user"]["email_verified"]),
        (&json!(NEW), &json!(true))
    );
}

#[test]
fn the_sign_up_page_takes_a_code_instead_of_a_password() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "&screen_hint=sign-up");
    assert!(body(&browser.show(sign_up::show_sign_up)).contains("Use a code by email instead"));
    let fill_in = |email: &str, name: &str| {
        browser.submit(
            sign_up::submit_sign_up,
            json!({"email": email, "first_name": name, "decision": "code"}),
        )
    };
    let too_long = "x".repeat(256);
    for email in [NEW, EMAIL] {
        assert!(body(&fill_in(email, &too_long)).contains("at most 255 characters"));
        assert!(goes_to(&fill_in(email, "Grace"), magic_auth::PATH));
    }
    assert!(body(&fill_in("grace@", "Grace")).contains("not valid"));
    assert_eq!(mails(&fixture).len(), 2);
    fill_in(NEW, "Hopper");
    let reply = type_code(&browser, &mailed(&fixture, "magic_auth", NEW));
    assert_eq!(redeem(&fixture, &code(&reply))["user"]["first_name"], "Grace");

    fixture.set(codes_only);
    let browser = Browser::open(&fixture, "&screen_hint=sign-up");
    let page = browser.show(sign_up::show_sign_up);
    assert!(!body(&page).contains("type=\"password\""));
    let reply = browser.submit(
        sign_up::submit_sign_up,
        json!({"email": "new@example.com", "password": PASSWORD}),
    );
    assert!(goes_to(&reply, magic_auth::PATH), "there are no passwords");
    fixture.advance(60);
    fixture.set(|settings| settings.sign_up = false);
    let reply = browser.submit(sign_up::submit_sign_up, json!({"email": "x@example.com"}));
    assert!(reply.status == 403);
}

#[test]
fn a_sign_up_goes_on_when_the_address_is_verified() {
    let fixture = Fixture::new();
    let browser = signed_up(&fixture);
    let first = mailed(&fixture, "email_verification", NEW);
    let url = mails(&fixture).pop().unwrap().url.unwrap();
    assert!(url.starts_with("http://auth.test/authkit/verify-email?"), "{url}");
    assert!(body(&browser.show(verify_email::show_verify_email)).contains(NEW));
    let refused = verify(&browser, "x");
    assert!(refused.status == 400 && body(&refused).contains("This code is wrong"));
    let again = browser.submit(verify_email::submit_verify_email, json!({"decision": "send"}));
    assert!(goes_to(&again, verify_email::PATH) && location(&again).ends_with("&sent=again"));
    let second = mailed(&fixture, "email_verification", NEW);
    assert_eq!(verify(&browser, &first).status, 400, "a newer one was sent");
    let response = redeem(&fixture, &code(&verify(&browser, &second)));
    assert_eq!(response["user"]["email_verified"], true);
    let names: Vec<_> = fixture.events("").into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names[1..],
        [
            "user.created",
            "authentication.password_succeeded",
            "email_verification.created",
            "authentication.email_verification_failed",
            "email_verification.created",
            "authentication.email_verification_failed",
            "authentication.email_verification_succeeded",
            "user.updated",
            "session.created",
        ]
    );
}

#[test]
fn nobody_goes_around_the_verification() {
    let fixture = Fixture::new();
    let browser = signed_up(&fixture);
    for reply in [
        browser.submit(
            organization::submit_organization,
            json!({"organization_id": "org_1"}),
        ),
        browser.show(organization::show_organizations),
        verify(&browser, ""),
    ] {
        assert!(!reply.headers.iter().any(|(_, value)| value.contains("code=")));
    }
    // A code to sign in with is none that verifies, and another person's is none either.
    let other = Browser::open(&fixture, "");
    identify(&other, EMAIL);
    ask_for_code(&other);
    assert_eq!(
        verify(&browser, &mailed(&fixture, "magic_auth", EMAIL)).status,
        400
    );
    // Without a credential there is no such page.
    assert!(is_over(&other.show(verify_email::show_verify_email)));
    assert!(is_over(&verify(&other, "x")));
}

#[test]
fn codes_by_the_page_are_limited_and_the_person_is_told() {
    let fixture = Fixture::new();
    let browser = signed_up(&fixture);
    let send = || browser.submit(verify_email::submit_verify_email, json!({"decision": "send"}));
    send();
    send();
    let refused = send();
    assert!(refused.status == 400 && body(&refused).contains("too many codes"));
    fixture.advance(60);
    assert_eq!(send().status, 303);
}

#[test]
fn who_was_verified_elsewhere_goes_on_without_a_code() {
    let fixture = Fixture::new();
    let browser = signed_up(&fixture);
    fixture
        .environment
        .transact(|tx| {
            let id = users::find_by_email(tx, NEW).unwrap().id.clone();
            let changes = users::UserChanges {
                email_verified: Some(true),
                ..users::UserChanges::default()
            };
            users::update(tx, &id, changes)
        })
        .unwrap();
    code(&verify(&browser, ""));
}

/// Whoever signed up with the address of somebody else does not get in by waiting for them.
#[test]
fn who_was_verified_by_somebody_else_begins_again() {
    let fixture = Fixture::new();
    let browser = signed_up(&fixture);
    fixture
        .environment
        .transact(|tx| {
            let user = users::find_by_email(tx, NEW).unwrap().clone();
            crate::api::user_management::email_verification::verified(tx, &user)
        })
        .unwrap();
    assert!(is_over(&verify(&browser, "")));
    assert!(is_over(&verify(&browser, "123456")));
    identify(&browser, NEW);
    let refused = browser.submit(password::submit_password, json!({"password": PASSWORD}));
    assert_eq!((refused.status, header(&refused, "Location")), (400, None));
}

#[test]
fn forms_with_codes_of_another_site_are_refused() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    identify(&browser, EMAIL);
    for operation in [
        magic_auth::submit_magic_auth as Operation,
        verify_email::submit_verify_email,
    ] {
        let reply = browser.submit_with(
            operation,
            json!({"decision": "send", "code": "123456"}),
            &[("sec-fetch-site", "cross-site")],
        );
        assert_eq!((reply.status, header(&reply, "Location")), (403, None));
    }
    assert_eq!(mails(&fixture).len(), 0);
}

#[test]
fn guesses_at_passwords_are_limited_alike_for_everybody() {
    let fixture = Fixture::new();
    for email in [EMAIL, "nobody@example.com"] {
        let browser = Browser::open(&fixture, "");
        identify(&browser, email);
        let guess =
            |password: &str| browser.submit(password::submit_password, json!({ "password": password }));
        for _ in 0..10 {
            assert!(body(&guess("wrong")).contains("Incorrect email or password"));
        }
        let reply = guess(PASSWORD);
        assert!(reply.status == 400 && body(&reply).contains("Too many attempts"));
    }
    fixture.advance(60);
    let browser = Browser::open(&fixture, "");
    code(&browser.sign_in());
}
