//! Forgotten passwords on the hosted pages.

use super::*;
use crate::hosted::reset_password;

const NEW: &str = "quiet lighthouse keeper";

/// A browser that forgot Ada's password, and the query of the link that she was sent.
fn forgotten(fixture: &Fixture) -> (Browser<'_>, String) {
    let browser = Browser::open(fixture, "");
    browser.submit(sign_in::submit_sign_in, json!({"email": EMAIL}));
    assert!(body(&browser.show(password::show_password)).contains(forgot_password::PATH));
    assert!(body(&browser.show(forgot_password::show_forgot_password)).contains(EMAIL));
    let sent = browser.submit(forgot_password::submit_forgot_password, json!({"email": EMAIL}));
    assert_eq!(sent.status, 303);
    let link = link(fixture);
    assert!(
        link.starts_with("http://auth.test/authkit/reset-password?token="),
        "{link}"
    );
    (browser, link.split_once('?').unwrap().1.to_owned())
}

/// The link in the newest mail.
fn link(fixture: &Fixture) -> String {
    let state = fixture.environment.state();
    let message = state.messages.iter().next_back().unwrap();
    message.url.clone().unwrap()
}

fn opened(fixture: &Fixture, query: &str, cookie: &str) -> Reply {
    let headers = [("cookie", cookie)];
    reset_password::show_reset_password(&call(fixture, query, Value::Null, &headers)).unwrap()
}

fn submitted(fixture: &Fixture, query: &str, password: &str, site: &str) -> Reply {
    let token = query.split(['=', '&']).nth(1).unwrap();
    let fields = json!({"client_id": CLIENT_ID, "token": token, "password": password});
    let headers = [("sec-fetch-site", site)];
    reset_password::submit_reset_password(&call(fixture, "", fields, &headers)).unwrap()
}

fn done(fixture: &Fixture, reply: &Reply, cookie: &str) -> String {
    assert_eq!(reply.status, 303);
    let location = header(reply, "Location").unwrap();
    let (path, query) = location.split_once('?').unwrap();
    assert_eq!(path, reset_password::DONE);
    let headers = [("cookie", cookie)];
    let page = reset_password::show_password_changed(&call(fixture, query, Value::Null, &headers)).unwrap();
    body(&page).to_owned()
}

#[test]
fn the_browser_that_asked_goes_on_with_its_sign_in() {
    let fixture = Fixture::new();
    let (browser, query) = forgotten(&fixture);
    let page = opened(&fixture, &query, &browser.cookie);
    assert!(page.status == 200 && body(&page).contains(EMAIL));
    assert!(body(&page).contains("At least 10 characters"));
    let changed = submitted(&fixture, &query, NEW, "same-origin");
    let page = done(&fixture, &changed, &browser.cookie);
    assert!(
        page.contains(password::PATH) && page.contains("Continue to sign in"),
        "{page}"
    );
    let reply = browser.submit(password::submit_password, json!({"password": NEW}));
    assert!(redeem(&fixture, &code(&reply))["access_token"].is_string());
}

#[test]
fn another_browser_goes_to_the_application_as_far_as_it_is_known() {
    let fixture = Fixture::new();
    let (_, query) = forgotten(&fixture);
    let changed = submitted(&fixture, &query, NEW, "same-origin");
    let page = done(&fixture, &changed, "");
    assert!(
        page.contains("You can close this page") && !page.contains("Continue"),
        "{page}"
    );
    fixture.register_redirect_uri("https://app.example.com/auth/callback");
    let page = done(&fixture, &changed, "");
    assert!(page.contains(r#"href="https://app.example.com/""#), "{page}");
    for (homepage, href) in [
        ("https://example.com/home", r#"href="https://example.com/home""#),
        ("javascript:alert(1)", "You can close this page"),
    ] {
        fixture.set(|settings| settings.homepage_url = Some(homepage.to_owned()));
        let page = done(&fixture, &changed, "");
        assert!(page.contains(href) && !page.contains("javascript:"), "{page}");
    }
}

#[test]
fn nobody_learns_who_has_an_account() {
    let fixture = Fixture::new();
    let seen = [EMAIL, "nobody@example.com"].map(|email| {
        let browser = Browser::open(&fixture, "");
        let sent = browser.submit(forgot_password::submit_forgot_password, json!({"email": email}));
        let location = header(&sent, "Location")
            .unwrap()
            .replace(&browser.session_id, "…");
        let page = browser.show(forgot_password::show_forgot_password_sent);
        let text = body(&page).replace(&browser.session_id, "…").replace(email, "@");
        let text = text.replace(&email.replace('@', "%40"), "@");
        (sent.status, location, page.status, text)
    });
    assert_eq!(seen[0], seen[1]);
    assert_eq!(fixture.environment.state().messages.len(), 1);
    let browser = Browser::open(&fixture, "");
    let wrong = browser.submit(forgot_password::submit_forgot_password, json!({"email": "ada"}));
    assert_eq!(wrong.status, 400);
    assert!(body(&wrong).contains("Enter an email address"));
}

#[test]
fn the_fourth_link_in_a_minute_is_not_sent_and_looks_the_same() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    for _ in 0..4 {
        let sent = browser.submit(forgot_password::submit_forgot_password, json!({"email": EMAIL}));
        assert_eq!(sent.status, 303);
    }
    assert_eq!(fixture.environment.state().messages.len(), 3);
}

#[test]
fn a_link_that_is_over_says_why_and_how_to_get_another() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.pending_authentication_lifetime = 3600);
    let (browser, query) = forgotten(&fixture);
    let over = |query: &str, cookie: &str, why: &str| {
        let page = opened(&fixture, query, cookie);
        assert_eq!(page.status, 400);
        assert!(body(&page).contains(why), "{why}: {}", body(&page));
        body(&page).contains(forgot_password::PATH)
    };
    assert!(!over("token=x", &browser.cookie, "This link is not complete"));
    assert!(!over("", "", "This link is not complete"));
    let (_, newer) = forgotten(&fixture);
    assert!(over(&query, &browser.cookie, "This link has been replaced"));
    assert!(!over(&query, "", "choose “Forgot password?”"));
    submitted(&fixture, &newer, NEW, "same-origin");
    over(&newer, "", "This link has been used");
    let again = submitted(&fixture, &newer, "another quiet lighthouse", "same-origin");
    assert!(again.status == 400 && body(&again).contains("This link has been used"));
    let (_, late) = forgotten(&fixture);
    fixture.advance(15 * 60);
    over(&late, "", "This link has expired");
    let too_late = submitted(&fixture, &late, "another quiet lighthouse", "same-origin");
    assert!(body(&too_late).contains("This link has expired"));
    assert!(fixture.with_password(NEW).is_ok());
}

#[test]
fn a_weak_password_is_explained_and_the_link_still_works() {
    let fixture = Fixture::new();
    let (_, query) = forgotten(&fixture);
    let weak = submitted(&fixture, &query, "password", "same-origin");
    assert_eq!(weak.status, 400);
    for part in [
        "Password must be 10 or more characters.",
        "Add more words that are less common.",
        EMAIL,
    ] {
        assert!(body(&weak).contains(part), "{}", body(&weak));
    }
    assert!(!body(&weak).contains(r#"value="password""#));
    assert_eq!(submitted(&fixture, &query, NEW, "same-origin").status, 303);
}

#[test]
fn other_sites_and_strangers_change_nothing() {
    let fixture = Fixture::new();
    let (browser, query) = forgotten(&fixture);
    assert_eq!(submitted(&fixture, &query, NEW, "cross-site").status, 403);
    let cross = browser.submit_with(
        forgot_password::submit_forgot_password,
        json!({"email": EMAIL}),
        &[("sec-fetch-site", "cross-site")],
    );
    assert_eq!(cross.status, 403);
    let stranger = Browser {
        cookie: String::new(),
        session_id: browser.session_id.clone(),
        fixture: &fixture,
    };
    assert!(is_over(&stranger.submit(
        forgot_password::submit_forgot_password,
        json!({"email": EMAIL})
    )));
    assert!(is_over(&stranger.show(forgot_password::show_forgot_password)));
    assert!(is_over(
        &stranger.show(forgot_password::show_forgot_password_sent)
    ));
    assert_eq!(fixture.environment.state().messages.len(), 1);
    assert!(fixture.with_password(PASSWORD).is_ok());
}

#[test]
fn without_passwords_there_is_nothing_to_forget() {
    let fixture = Fixture::new();
    let (browser, query) = forgotten(&fixture);
    fixture.set(|settings| settings.sign_in_methods.password = false);
    let shown = browser.show(forgot_password::show_forgot_password);
    assert!(header(&shown, "Location").unwrap().starts_with(sign_in::PATH));
    browser.submit(forgot_password::submit_forgot_password, json!({"email": EMAIL}));
    assert_eq!(fixture.environment.state().messages.len(), 1);
    for page in [
        opened(&fixture, &query, &browser.cookie),
        submitted(&fixture, &query, NEW, "same-origin"),
    ] {
        assert!(page.status == 400 && body(&page).contains("There are no passwords here"));
        assert!(!body(&page).contains("Forgot password?"));
    }
}
