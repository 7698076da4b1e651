//! Whole sign-ins on the hosted pages, as a browser makes them.

use actix_web::http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::{
    api::user_management::{
        authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, PASSWORD, REDIRECT_URI, merged},
        authorize::get_authorization_url,
        users,
    },
    hosted::{forgot_password, magic_auth, organization, password, sign_in, sign_up, verify_email},
};

mod codes;
mod new_people;
mod password_reset;

type Operation = fn(&Call) -> Result<Reply, ApiError>;

/// A browser that opened the sign-in page.
struct Browser<'a> {
    fixture: &'a Fixture,
    session_id: String,
    cookie: String,
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let header = reply.headers.iter().find(|(key, _)| *key == name)?;
    Some(&header.1)
}

fn body(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

fn call(fixture: &Fixture, query: &str, body: Value, headers: &[(&'static str, &str)]) -> Call {
    let mut call = fixture.call(query, body);
    for (name, value) in headers {
        call.headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    call
}

impl<'a> Browser<'a> {
    fn open(fixture: &'a Fixture, with: &str) -> Self {
        let query = format!(
            "response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT_URI}&provider=authkit&state=s{with}"
        );
        let browser = [("sec-fetch-mode", "navigate")];
        let reply = get_authorization_url(&call(fixture, &query, Value::Null, &browser)).unwrap();
        let location = Url::parse(header(&reply, "Location").unwrap()).unwrap();
        let session_id = location
            .query_pairs()
            .find(|(name, _)| name == SESSION)
            .unwrap()
            .1;
        Self {
            fixture,
            session_id: session_id.into_owned(),
            cookie: cookie_of(&reply),
        }
    }

    fn show(&self, operation: Operation) -> Reply {
        let query = format!("client_id={CLIENT_ID}&{SESSION}={}", self.session_id);
        operation(&call(
            self.fixture,
            &query,
            Value::Null,
            &[("cookie", &self.cookie)],
        ))
        .unwrap()
    }

    fn submit_with(&self, operation: Operation, fields: Value, headers: &[(&'static str, &str)]) -> Reply {
        let body = merged(json!({"client_id": CLIENT_ID, SESSION: self.session_id}), fields);
        let mut all = vec![("cookie", self.cookie.as_str())];
        all.extend_from_slice(headers);
        operation(&call(self.fixture, "", body, &all)).unwrap()
    }

    fn submit(&self, operation: Operation, fields: Value) -> Reply {
        self.submit_with(operation, fields, &[("sec-fetch-site", "same-origin")])
    }

    fn sign_in(&self) -> Reply {
        self.submit(sign_in::submit_sign_in, json!({"email": EMAIL}));
        self.submit(password::submit_password, json!({"password": PASSWORD}))
    }
}

fn cookie_of(reply: &Reply) -> String {
    let cookie = header(reply, "Set-Cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// The code that the application gets.
fn code(reply: &Reply) -> String {
    assert_eq!(reply.status, 303);
    let location = Url::parse(header(reply, "Location").unwrap()).unwrap();
    assert!(
        location.as_str().starts_with(REDIRECT_URI) && location.as_str().ends_with("&state=s"),
        "{location}"
    );
    let code = location.query_pairs().find(|(name, _)| name == "code");
    code.unwrap().1.into_owned()
}

fn redeem(fixture: &Fixture, code: &str) -> Value {
    let body = json!({"grant_type": "authorization_code", "code": code});
    fixture.authenticate(body).unwrap()
}

fn is_over(reply: &Reply) -> bool {
    reply.status == 400 && body(reply).contains("This sign-in is over") && header(reply, "Location").is_none()
}

#[test]
fn a_sign_in_leads_back_with_a_code_and_is_over() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let browser = Browser::open(&fixture, "");
    assert_eq!(browser.show(sign_in::show_sign_in).status, 200);
    let reply = browser.sign_in();
    assert!(
        header(&reply, "Set-Cookie")
            .unwrap()
            .contains("=; Path=/authkit; Max-Age=0")
    );
    let response = redeem(&fixture, &code(&reply));
    assert_eq!(
        (&response["user"]["email"], &response["organization_id"]),
        (&json!(EMAIL), &json!(acme))
    );
    assert!(is_over(&browser.sign_in()));
    assert!(is_over(&browser.show(sign_in::show_sign_in)));
}

#[test]
fn nobody_learns_who_has_an_account() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    let refused = |email: &str| {
        let next = browser.submit(sign_in::submit_sign_in, json!({"email": email}));
        assert!(header(&next, "Location").unwrap().starts_with(password::PATH));
        let reply = browser.submit(password::submit_password, json!({"password": "wrong"}));
        (reply.status, body(&reply).replace(email, "…"), reply.headers)
    };
    assert_eq!(refused(EMAIL), refused("nobody@example.com"));
    assert_eq!(fixture.events("authentication.password_failed").len(), 2);
    code(&browser.sign_in());
}

#[test]
fn the_hint_is_filled_in_and_escaped() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "&login_hint=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    let page = browser.show(sign_in::show_sign_in);
    assert!(!body(&page).contains("<script"));
    assert!(body(&page).contains("alert(1)"));
}

#[test]
fn every_page_is_locked_down() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    for reply in [
        browser.show(sign_in::show_sign_in),
        browser.show(sign_up::show_sign_up),
        browser.show(organization::show_organizations),
        browser.submit(sign_in::submit_sign_in, json!({})),
        {
            browser.submit(sign_in::submit_sign_in, json!({"email": EMAIL}));
            browser.show(password::show_password)
        },
    ] {
        let policy = header(&reply, "Content-Security-Policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(header(&reply, "X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(header(&reply, "Referrer-Policy"), Some("same-origin"));
        assert_eq!(header(&reply, "Cache-Control"), Some("no-store"));
        assert_eq!(header(&reply, "X-Frame-Options"), Some("DENY"));
    }
}

#[test]
fn another_browser_cannot_go_on() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    let other = Browser::open(&fixture, "");
    let name = cookie_name(&browser.session_id);
    let secret_of_other = other.cookie.split_once('=').unwrap().1;
    for cookie in [
        String::new(),
        other.cookie.clone(),
        format!("{name}="),
        format!("{name}={secret_of_other}"),
        format!("{}x", browser.cookie),
        browser.cookie[..browser.cookie.len() - 1].to_owned(),
        browser.cookie.replacen("workos_", "workos-", 1),
    ] {
        let victim = Browser {
            fixture: &fixture,
            session_id: browser.session_id.clone(),
            cookie,
        };
        assert!(is_over(&victim.show(sign_in::show_sign_in)), "{}", victim.cookie);
        assert!(is_over(&victim.sign_in()), "{}", victim.cookie);
    }
    assert_eq!(fixture.events("authentication."), []);
    code(&browser.sign_in());
}

#[test]
fn a_form_of_another_site_is_refused() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    let fields = json!({"email": EMAIL, "password": PASSWORD});
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://auth.test")],
        &[("origin", "https://evil.example")],
        &[("origin", "http://auth.test.evil.example")],
        &[("origin", "null")],
    ] {
        for operation in [
            sign_in::submit_sign_in as Operation,
            password::submit_password,
            sign_up::submit_sign_up,
            organization::submit_organization,
        ] {
            let reply = browser.submit_with(operation, fields.clone(), headers);
            assert_eq!(
                (reply.status, header(&reply, "Location")),
                (403, None),
                "{headers:?}"
            );
        }
    }
    assert_eq!(fixture.events("authentication."), []);
    let own = [("origin", "http://auth.test")];
    browser.submit_with(sign_in::submit_sign_in, fields.clone(), &own);
    code(&browser.submit_with(password::submit_password, fields, &own));
}

#[test]
fn a_sign_in_times_out() {
    let fixture = Fixture::new();
    let browser = Browser::open(&fixture, "");
    fixture.advance(600);
    assert!(is_over(&browser.show(sign_in::show_sign_in)));
    assert!(is_over(&browser.sign_in()));
    Browser::open(&fixture, "");
    assert_eq!(fixture.environment.state().authorization_sessions.len(), 1);
}

#[test]
fn who_has_several_organizations_chooses_one() {
    let fixture = Fixture::new();
    fixture.add_own_organization("Acme");
    let globex = fixture.add_own_organization("Globex");
    let foreign = fixture.add_organization("Initech");
    let mut browser = Browser::open(&fixture, "");
    assert!(is_over(&browser.submit(
        organization::submit_organization,
        json!({"organization_id": globex})
    )));

    let reply = browser.sign_in();
    assert!(
        header(&reply, "Location")
            .unwrap()
            .starts_with("/authkit/organization?")
    );
    assert!(
        is_over(&browser.show(organization::show_organizations)),
        "the secret of before is worth nothing"
    );
    browser.cookie = cookie_of(&reply);
    let page = browser.show(organization::show_organizations);
    assert!(
        body(&page).contains("Globex") && body(&page).contains("Acme") && !body(&page).contains("Initech")
    );

    for wrong in [&foreign, "org_none", ""] {
        let reply = browser.submit(
            organization::submit_organization,
            json!({"organization_id": wrong}),
        );
        assert_eq!((reply.status, header(&reply, "Location")), (400, None), "{wrong}");
    }
    let reply = browser.submit(
        organization::submit_organization,
        json!({"organization_id": globex}),
    );
    assert_eq!(redeem(&fixture, &code(&reply))["organization_id"], *globex);
}

#[test]
fn who_is_no_member_is_sent_back_without_a_code() {
    let fixture = Fixture::new();
    let foreign = fixture.add_organization("Initech");
    let browser = Browser::open(&fixture, &format!("&organization_id={foreign}"));
    let reply = browser.sign_in();
    let location = header(&reply, "Location").unwrap();
    assert!(
        location.contains("error=access_denied") && location.ends_with("&state=s"),
        "{location}"
    );
    assert!(is_over(&browser.sign_in()));
}

/// Each page that comes before a proof says the same of everybody, to the last byte.
#[test]
fn no_page_tells_who_is_known() {
    let fixture = Fixture::new();
    fixture.run(
        users::create_user,
        json!({"email": "unverified@example.com", "password": "another quiet lighthouse"}),
    );
    fixture.run(users::create_user, json!({"email": "passwordless@example.com"}));
    let seen = |email: &str, methods: Value| {
        let changes = json!({"sign_in_methods": methods, "sign_up": false});
        let changed = fixture
            .environment
            .transact(|tx| crate::control::settings::change(tx, &changes));
        changed.unwrap().unwrap();
        let browser = Browser::open(&fixture, "");
        let steps: [(Operation, Option<Value>); 11] = [
            (sign_in::submit_sign_in, Some(json!({"email": email}))),
            (password::show_password, None),
            (password::submit_password, Some(json!({"password": "wrong"}))),
            (magic_auth::submit_magic_auth, Some(json!({"decision": "code"}))),
            (magic_auth::show_magic_auth, None),
            (magic_auth::submit_magic_auth, Some(json!({"code": "12"}))),
            (magic_auth::submit_magic_auth, Some(json!({"decision": "send"}))),
            (
                forgot_password::submit_forgot_password,
                Some(json!({"email": email})),
            ),
            (forgot_password::show_forgot_password_sent, None),
            (verify_email::show_verify_email, None),
            (
                sign_up::submit_sign_up,
                Some(json!({"email": email, "password": PASSWORD})),
            ),
        ];
        let seen = steps.into_iter().map(|(operation, fields)| {
            let reply = match fields {
                Some(fields) => browser.submit(operation, fields),
                None => browser.show(operation),
            };
            let plain = |text: &str| {
                let text = text.replace(&browser.session_id, "ID").replace(email, "EMAIL");
                text.replace(&email.replace('@', "%40"), "EMAIL")
            };
            let headers = reply.headers.iter().map(|(name, value)| (*name, plain(value)));
            (reply.status, headers.collect::<Vec<_>>(), plain(body(&reply)))
        });
        let seen: Vec<_> = seen.collect();
        fixture.advance(61);
        seen
    };
    for methods in [
        json!({"password": true, "magic_auth": true}),
        json!({"password": true, "magic_auth": false}),
        json!({"password": false, "magic_auth": true}),
    ] {
        let unknown = seen("nobody@example.com", methods.clone());
        for known in [EMAIL, "unverified@example.com", "passwordless@example.com"] {
            assert_eq!(seen(known, methods.clone()), unknown, "{known} {methods}");
        }
    }
}
