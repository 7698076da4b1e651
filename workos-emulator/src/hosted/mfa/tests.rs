//! The second factor on the hosted pages.

use actix_web::http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::{
    api::{
        multi_factor_auth::factors::{self, FactorKind, NewTotp},
        user_management::{
            authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, PASSWORD, REDIRECT_URI, merged},
            authorize::get_authorization_url,
            users,
        },
    },
    control::settings::Mfa,
    core::{
        qr_code,
        totp::{TotpSecret, step_at},
    },
    hosted::{
        mfa_enroll::{show_mfa_enroll, submit_mfa_enroll},
        password,
    },
};

type Operation = fn(&Call) -> Result<Reply, ApiError>;

/// A browser in the middle of a sign-in.
struct Browser<'a> {
    fixture: &'a Fixture,
    session_id: String,
    cookie: String,
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let header = reply.headers.iter().find(|(key, _)| *key == name)?;
    Some(&header.1)
}

fn location(reply: &Reply) -> &str {
    header(reply, "Location").unwrap_or_default()
}

fn text(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

impl<'a> Browser<'a> {
    /// Opens the pages, and types Ada's e-mail address and password.
    fn signs_in(fixture: &'a Fixture) -> (Self, Reply) {
        let mut browser = Self {
            fixture,
            session_id: String::new(),
            cookie: String::new(),
        };
        let query =
            format!("response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider=authkit");
        let call = browser.call(&query, Value::Null, ("sec-fetch-mode", "navigate"));
        let reply = get_authorization_url(&call).unwrap();
        let page = Url::parse(location(&reply)).unwrap();
        let session_id = page
            .query_pairs()
            .find(|(name, _)| name == "authorization_session_id");
        browser.session_id = session_id.unwrap().1.into_owned();
        browser.keep_cookie(&reply);
        browser.submit(sign_in::submit_sign_in, json!({"email": EMAIL}));
        let reply = browser.submit(password::submit_password, json!({"password": PASSWORD}));
        (browser, reply)
    }

    fn call(&self, query: &str, body: Value, (name, value): (&'static str, &str)) -> Call {
        let mut call = self.fixture.call(query, body);
        for (name, value) in [(name, value), ("cookie", self.cookie.as_str())] {
            let value = HeaderValue::from_str(value).unwrap();
            call.headers.insert(HeaderName::from_static(name), value);
        }
        call
    }

    fn keep_cookie(&mut self, reply: &Reply) {
        if let Some(cookie) = header(reply, "Set-Cookie") {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
    }

    fn show(&self, operation: Operation) -> Reply {
        let query = format!(
            "client_id={CLIENT_ID}&authorization_session_id={}",
            self.session_id
        );
        operation(&self.call(&query, Value::Null, ("sec-fetch-mode", "navigate"))).unwrap()
    }

    fn submit(&mut self, operation: Operation, fields: Value) -> Reply {
        let hidden = json!({"client_id": CLIENT_ID, "authorization_session_id": self.session_id});
        let call = self.call("", merged(hidden, fields), ("sec-fetch-site", "same-origin"));
        let reply = operation(&call).unwrap();
        self.keep_cookie(&reply);
        reply
    }

    /// The secret that the page shows, as text and in the QR code.
    fn secret(&self) -> TotpSecret {
        let page = self.show(show_mfa_enroll);
        assert_eq!(page.status, 200, "{}", location(&page));
        let html = text(&page);
        let between = |start: &str, end: &str| {
            let (_, rest) = html.split_once(start).unwrap();
            rest.split_once(end).unwrap().0
        };
        let shown = between("class=\"setup-key\">", "<");
        assert!(shown.split(' ').all(|group| group.len() == 4), "{shown}");
        let secret = TotpSecret::parse(shown).unwrap();
        let scanned = qr_code::scan(between("class=\"qr-code\" src=\"", "\""));
        assert_eq!(scanned, secret.uri("test", EMAIL).unwrap());
        secret
    }

    fn code_of(&self, secret: &TotpSecret) -> String {
        secret.code(step_at(self.fixture.environment.clock.now()))
    }
}

/// Gives Ada an app, and what it shows.
fn app(fixture: &Fixture) -> impl Fn() -> String + '_ {
    let factor = fixture.environment.transact(|tx| {
        let user = users::find(tx, &fixture.user_id)?.clone();
        factors::enroll_totp(tx, &user, NewTotp::default())
    });
    let id = factor.unwrap().id.clone();
    move || match &fixture
        .environment
        .state()
        .authentication_factors
        .get(&id)
        .unwrap()
        .kind
    {
        FactorKind::Totp(totp) => totp.next_code(fixture.environment.clock.now()),
        other => panic!("{other:?}"),
    }
}

fn redeemed(fixture: &Fixture, reply: &Reply) -> Value {
    let url = Url::parse(location(reply)).unwrap();
    let code = url
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let body = json!({"grant_type": "authorization_code", "code": code});
    fixture.authenticate(body).unwrap()
}

#[test]
fn an_app_is_set_up_and_the_sign_in_goes_on() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.mfa = Mfa::Required);
    fixture.add_own_organization("Acme");
    let globex = fixture.add_own_organization("Globex");
    let (mut browser, reply) = Browser::signs_in(&fixture);
    assert!(
        location(&reply).starts_with("/authkit/mfa/enroll?"),
        "{}",
        location(&reply)
    );
    let secret = browser.secret();
    assert_eq!(browser.secret(), secret, "a reload shows the same");
    let wrong = browser.submit(submit_mfa_enroll, json!({"code": "000000 "}));
    assert_eq!(wrong.status, 400);
    assert!(text(&wrong).contains("This code is not right"));
    assert_eq!(fixture.environment.state().authentication_factors.len(), 0);
    assert_eq!(browser.secret(), secret, "nor does a typo change it");

    let mut code = browser.code_of(&secret);
    code.insert(3, ' ');
    let reply = browser.submit(submit_mfa_enroll, json!({"code": code}));
    assert!(
        location(&reply).starts_with("/authkit/organization?"),
        "{}",
        location(&reply)
    );
    assert_eq!(fixture.environment.state().totp_enrollments.len(), 0);
    let reply = browser.submit(
        crate::hosted::organization::submit_organization,
        json!({"organization_id": globex}),
    );
    assert_eq!(
        redeemed(&fixture, &reply)["organization_id"],
        globex,
        "no further question"
    );
    let names: Vec<_> = fixture.events("").into_iter().map(|(name, _)| name).collect();
    assert!(names.ends_with(&[
        "authentication.password_succeeded".to_owned(),
        "authentication.mfa_failed".to_owned(),
        "authentication.mfa_succeeded".to_owned(),
        "session.created".to_owned(),
    ]));

    let (mut browser, reply) = Browser::signs_in(&fixture);
    assert!(
        location(&reply).starts_with("/authkit/mfa?"),
        "{}",
        location(&reply)
    );
    let again = browser.submit(submit_mfa, json!({"code": browser.code_of(&secret)}));
    assert!(
        text(&again).contains("This code was used already"),
        "{}",
        text(&again)
    );
    fixture.advance(30);
    let reply = browser.submit(submit_mfa, json!({"code": browser.code_of(&secret)}));
    assert!(
        location(&reply).starts_with("/authkit/organization?"),
        "{}",
        location(&reply)
    );
}

#[test]
fn who_has_an_app_can_neither_set_up_another_nor_go_round_it() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.mfa = Mfa::Required);
    let shown = app(&fixture);
    let organization = fixture.add_own_organization("Acme");
    let (mut browser, _) = Browser::signs_in(&fixture);
    assert_eq!(browser.show(show_mfa).status, 200);
    for reply in [
        browser.show(show_mfa_enroll),
        browser.submit(submit_mfa_enroll, json!({"code": shown()})),
    ] {
        assert!(
            location(&reply).starts_with("/authkit/sign-in?"),
            "{}",
            location(&reply)
        );
    }
    let past = browser.submit(
        crate::hosted::organization::submit_organization,
        json!({"organization_id": organization}),
    );
    assert!(
        location(&past).starts_with("/authkit/mfa?"),
        "{}",
        location(&past)
    );
    assert_eq!(fixture.environment.state().authentication_factors.len(), 1);
    assert_eq!(fixture.events("authentication.mfa"), []);
    let reply = browser.submit(submit_mfa, json!({"code": shown()}));
    assert_eq!(redeemed(&fixture, &reply)["organization_id"], organization);
}

#[test]
fn the_pages_are_for_who_gave_a_password() {
    let fixture = Fixture::new();
    let _ = app(&fixture);
    let (mut browser, _) = Browser::signs_in(&fixture);
    // Somebody else's address: what was proved before does not count.
    browser.submit(sign_in::submit_sign_in, json!({"email": "eve@example.com"}));
    for reply in [
        browser.show(show_mfa),
        browser.submit(submit_mfa, json!({"code": "1"})),
    ] {
        assert!(
            location(&reply).starts_with("/authkit/sign-in?"),
            "{}",
            location(&reply)
        );
    }
    assert_eq!(fixture.events("authentication.mfa"), []);
}

#[test]
fn wrong_codes_lock_the_page_and_starting_again_does_not_help() {
    let fixture = Fixture::new();
    let shown = app(&fixture);
    for _ in 0..5 {
        let (mut browser, _) = Browser::signs_in(&fixture);
        let reply = browser.submit(submit_mfa, json!({"code": "nope"}));
        assert!(reply.status == 400 && text(&reply).contains("This code is not right"));
    }
    let (mut browser, _) = Browser::signs_in(&fixture);
    let locked = browser.submit(submit_mfa, json!({"code": shown()}));
    assert!(locked.status == 400 && text(&locked).contains("too many wrong codes"));
    fixture.advance(600);
    let (mut browser, _) = Browser::signs_in(&fixture);
    let reply = browser.submit(submit_mfa, json!({"code": shown()}));
    redeemed(&fixture, &reply);
}

#[test]
fn any_of_several_apps_will_do() {
    let fixture = Fixture::new();
    let (first, second) = (app(&fixture), app(&fixture));
    for shown in [first, second] {
        let (mut browser, _) = Browser::signs_in(&fixture);
        let reply = browser.submit(submit_mfa, json!({"code": shown()}));
        redeemed(&fixture, &reply);
    }
}

#[test]
fn another_person_in_the_same_browser_gets_another_secret() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.mfa = Mfa::Required);
    fixture.add_user("eve@example.com");
    let (mut browser, _) = Browser::signs_in(&fixture);
    let secret = browser.secret();
    browser.submit(sign_in::submit_sign_in, json!({"email": "eve@example.com"}));
    browser.submit(password::submit_password, json!({"password": PASSWORD}));
    // No page was opened since: Ada's secret is not Eve's.
    let made_up = browser.submit(submit_mfa_enroll, json!({"code": browser.code_of(&secret)}));
    assert_eq!(made_up.status, 400);
    assert_eq!(fixture.environment.state().authentication_factors.len(), 0);
    assert!(!text(&browser.show(show_mfa_enroll)).contains(&secret.expose()));
}
