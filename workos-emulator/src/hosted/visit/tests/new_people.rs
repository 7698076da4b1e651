//! Signing up.

use super::*;

#[test]
fn a_sign_up_makes_a_user_who_is_signed_in() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.email_verification = false);
    let browser = Browser::open(&fixture, "&screen_hint=sign-up");
    let reply = browser.submit(
        sign_up::submit_sign_up,
        json!({"first_name": " Grace ", "last_name": "", "email": " Grace@Example.com", "password": PASSWORD}),
    );
    let response = redeem(&fixture, &code(&reply));
    assert_eq!(response["user"]["email"], "grace@example.com");
    assert_eq!(
        (&response["user"]["first_name"], &response["user"]["last_name"]),
        (&json!("Grace"), &Value::Null)
    );
    let names: Vec<_> = fixture.events("").into_iter().map(|(name, _)| name).collect();
    assert!(names.ends_with(&[
        "user.created".to_owned(),
        "authentication.password_succeeded".to_owned(),
        "session.created".to_owned(),
    ]));
}

#[test]
fn a_refused_sign_up_says_what_is_wrong_and_does_nothing() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    let sign_up = |email: &str, password: &str| {
        let reply = browser.submit(
            sign_up::submit_sign_up,
            json!({"email": email, "password": password}),
        );
        assert_eq!(reply.status, 400);
        body(&reply).to_owned()
    };
    let weak = sign_up("new@example.com", "short");
    assert!(weak.contains("Password must be"), "{weak}");
    assert!(!weak.contains("value=\"short\""));
    assert!(sign_up("new@", PASSWORD).contains("not valid"));
    let disposable = sign_up("new@mailinator.com", PASSWORD);
    assert!(disposable.contains("throw-away"), "{disposable}");
    // Whoever is new is signed in at once.
    fixture.set(|settings| settings.email_verification = false);
    let taken = sign_up(EMAIL, PASSWORD);
    assert!(
        taken.contains("If you have one already") && !taken.contains("not available"),
        "{taken}"
    );
    assert_eq!(fixture.environment.state().users.len(), 1);
}

/// Whose address is taken and whose is not see the same, to the last byte, until somebody has a code.
#[test]
fn a_sign_up_does_not_tell_who_has_an_account() {
    let fixture = Fixture::new();
    let unverified = json!({"email": "unverified@example.com", "password": "another quiet lighthouse"});
    fixture.run(users::create_user, unverified);
    fixture.run(users::create_user, json!({"email": "passwordless@example.com"}));
    let seen = |email: &str, first_name: &str| {
        let mut browser = Browser::open(&fixture, "");
        let mut seen = Vec::new();
        let id = browser.session_id.clone();
        let mut note = |reply: &Reply| {
            let cookie = header(reply, "Set-Cookie").is_some();
            let headers: Vec<_> = reply
                .headers
                .iter()
                .filter(|(name, _)| *name != "Set-Cookie")
                .map(|(name, value)| (*name, value.replace(&id, "ID")))
                .collect();
            let body = body(reply)
                .replace(&id, "ID")
                .replace(&email.to_lowercase(), "EMAIL");
            seen.push((reply.status, cookie, headers, body.replace(email, "EMAIL")));
        };
        let fields = json!({"email": email, "password": PASSWORD, "first_name": first_name});
        let reply = browser.submit(sign_up::submit_sign_up, fields);
        note(&reply);
        if let Some(cookie) = header(&reply, "Set-Cookie") {
            browser.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        note(&browser.show(verify_email::show_verify_email));
        for fields in [json!({"code": "12"}), json!({"code": ""}), json!({})] {
            note(&browser.submit(verify_email::submit_verify_email, fields));
        }
        for _ in 0..3 {
            note(&browser.submit(verify_email::submit_verify_email, json!({"decision": "send"})));
        }
        note(&browser.show(sign_in::show_sign_in));
        seen
    };
    let new = seen("New@Example.com", "Grace");
    assert_eq!((new[0].0, new[0].1), (303, true));
    assert!(new[1].3.contains("Verify your email"));
    for known in [
        EMAIL,
        "ADA@example.com",
        "unverified@example.com",
        "passwordless@example.com",
    ] {
        assert_eq!(seen(known, "Grace"), new, "{known}");
        fixture.advance(61);
    }
    let long = "x".repeat(300);
    let refused = seen("newer@example.com", &long);
    assert_eq!(refused[0].0, 400);
    assert_eq!(seen(EMAIL, &long), refused);

    let state = fixture.environment.state();
    let told = |to: &str| {
        state
            .messages
            .iter()
            .filter(|mail| mail.to == to && mail.kind == "account_exists")
            .count()
    };
    assert!(
        told(EMAIL) >= 3 && told("unverified@example.com") == 3,
        "{}",
        told(EMAIL)
    );
    assert_eq!(told("new@example.com"), 0);
    let ada = users::find(&state, &fixture.user_id).unwrap();
    assert_eq!(ada.first_name, None, "a sign-up changes nobody");
    assert!(fixture.with_password(PASSWORD).is_ok());
}

#[test]
fn a_setting_lets_throw_away_addresses_sign_up() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.disposable_emails = true);
    let browser = Browser::open(&fixture, "&screen_hint=sign-up");
    browser.submit(
        sign_up::submit_sign_up,
        json!({"email": "new@mailinator.com", "password": PASSWORD}),
    );
    let state = fixture.environment.state();
    assert!(users::find_by_email(&state, "new@mailinator.com").is_some());
}

#[test]
fn sign_up_can_be_switched_off() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.sign_up = false);
    let browser = Browser::open(&fixture, "&screen_hint=sign-up");
    let shown = browser.show(sign_up::show_sign_up);
    assert_eq!(shown.status, 303);
    assert!(
        header(&shown, "Location")
            .unwrap()
            .starts_with("/authkit/sign-in?")
    );
    let refused = browser.submit(
        sign_up::submit_sign_up,
        json!({"email": "new@example.com", "password": PASSWORD}),
    );
    assert_eq!(refused.status, 403);
    assert!(body(&refused).contains("Nobody can sign up here"));
    assert!(!body(&browser.show(sign_in::show_sign_in)).contains(sign_up::PATH));
    assert_eq!(fixture.environment.state().users.len(), 1);
}
