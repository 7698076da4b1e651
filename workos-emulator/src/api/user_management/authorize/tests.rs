use serde_json::Value;
use url::Url;

use super::*;
use crate::api::user_management::authenticate::fixture::{CLIENT_ID, EMAIL, Fixture, REDIRECT_URI};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A query with the parameters that every request has, changed by `with`: an empty value counts as left out.
fn query(with: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("provider", "authkit"),
        ("login_hint", EMAIL),
    ];
    for (name, value) in with {
        parameters.retain(|(other, _)| other != name);
        parameters.push((name, value));
    }
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

impl Fixture {
    fn authorize(&self, query: &str, headers: &[(&'static str, &'static str)]) -> Reply {
        let mut call = self.call(query, Value::Null);
        for (name, value) in headers {
            let name: actix_web::http::header::HeaderName = name.parse().unwrap();
            call.headers.insert(name, value.parse().unwrap());
        }
        get_authorization_url(&call).unwrap()
    }

    /// What the application is told.
    fn callback(&self, with: &[(&str, &str)]) -> Url {
        let reply = self.authorize(&query(with), &[]);
        assert_eq!(reply.status, 302);
        let location = Url::parse(&reply.headers[0].1).unwrap();
        assert!(location.as_str().starts_with(REDIRECT_URI), "{location}");
        location
    }

    fn error(&self, with: &[(&str, &str)]) -> String {
        let location = self.callback(with);
        assert_eq!(parameter(&location, "code"), None);
        assert!(parameter(&location, "error_description").is_some());
        parameter(&location, "error").unwrap()
    }

    /// The path of the hosted page, where one is shown.
    fn page(&self, with: &[(&str, &str)], headers: &[(&'static str, &'static str)]) -> Option<String> {
        let reply = self.authorize(&query(with), headers);
        let location = Url::parse(&reply.headers[0].1).unwrap();
        (location.host_str() == Some("auth.test")).then(|| location.path().to_owned())
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    Some(pairs.find(|(key, _)| key == name)?.1.into_owned())
}

const SIGN_IN: Option<&str> = Some("/authkit/sign-in");

#[test]
fn a_browser_gets_the_page() {
    let fixture = Fixture::new();
    let page = |headers| fixture.page(&[], headers);
    assert_eq!(page(&[("sec-fetch-mode", "navigate")]).as_deref(), SIGN_IN);
    assert_eq!(
        page(&[("accept", "text/html,application/xhtml+xml")]).as_deref(),
        SIGN_IN
    );
    assert_eq!(page(&[("sec-fetch-mode", "cors"), ("accept", "text/html")]), None);
    assert_eq!(page(&[("accept", "*/*")]), None);
    assert_eq!(page(&[]), None);
}

#[test]
fn a_program_gets_the_page_where_it_does_not_say_who_signs_in() {
    let fixture = Fixture::new();
    assert_eq!(fixture.page(&[("login_hint", "")], &[]).as_deref(), SIGN_IN);
    assert_eq!(
        fixture
            .page(&[("login_hint", ""), ("screen_hint", "sign-up")], &[])
            .as_deref(),
        Some("/authkit/sign-up")
    );
}

#[test]
fn a_setting_decides_for_all() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.interactive = Interactive::Always);
    assert_eq!(fixture.page(&[], &[]).as_deref(), SIGN_IN);
    fixture.set(|settings| settings.interactive = Interactive::Never);
    let browser = [("sec-fetch-mode", "navigate")];
    assert_eq!(fixture.page(&[("login_hint", "")], &browser), None);
    fixture.add_user("bob@example.com");
    assert!(parameter(&fixture.callback(&[("login_hint", "")]), "code").is_some());
    let signed_in = fixture.events("authentication.password_succeeded");
    assert!(
        signed_in.iter().all(|(_, data)| data["email"] == EMAIL),
        "the first user"
    );
}

#[test]
fn the_page_belongs_to_the_browser() {
    let fixture = Fixture::new();
    let reply = fixture.authorize(&query(&[]), &[("sec-fetch-mode", "navigate")]);
    let header = |name| &reply.headers.iter().find(|(key, _)| *key == name).unwrap().1;
    let location = Url::parse(header("Location")).unwrap();
    let id = parameter(&location, "authorization_session_id").unwrap();
    let cookie = header("Set-Cookie");
    assert!(cookie.starts_with(&format!("workos_{id}=")), "{cookie}");
    for attribute in ["; Path=/authkit", "; Max-Age=600", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let secret = cookie.split(['=', ';']).nth(1).unwrap();
    assert_eq!(secret.len(), 32);
    assert!(!location.as_str().contains(secret));
}

#[test]
fn state_comes_back_byte_by_byte_with_a_code_and_with_an_error() {
    let fixture = Fixture::new();
    for (sent, back) in [
        ("a%20b+c%2B%26d%3De", "a%20b%20c%2B%26d%3De"),
        ("%ff%00%0d%0aLocation%3A+x", "%FF%00%0D%0ALocation%3A%20x"),
        ("%22%3E%3Cscript%3E", "%22%3E%3Cscript%3E"),
        ("", ""),
    ] {
        for with in [vec![], vec![("response_type", "token")]] {
            let reply = fixture.authorize(&format!("{}&state={sent}", query(&with)), &[]);
            let location = &reply.headers[0].1;
            assert!(location.ends_with(&format!("&state={back}")), "{location}");
        }
    }
    assert_eq!(parameter(&fixture.callback(&[]), "state"), None);
}

#[test]
fn the_query_of_the_redirect_uri_stays() {
    let fixture = Fixture::new();
    let with = [("redirect_uri", "http://localhost:3000/callback?tenant=a%20b")];
    let location = fixture.callback(&with);
    assert!(
        location
            .as_str()
            .starts_with("http://localhost:3000/callback?tenant=a%20b&code="),
        "{location}"
    );
}

#[test]
fn a_wrong_client_or_redirect_uri_leads_nowhere() {
    let fixture = Fixture::new();
    for with in [
        ("client_id", "app"),
        ("client_id", ""),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://localhost:3000@evil.example/"),
        ("redirect_uri", "javascript:alert(1)"),
        ("redirect_uri", "http://localhost/<script>alert(1)</script>\n"),
    ] {
        for headers in [&[("sec-fetch-mode", "navigate")][..], &[]] {
            let reply = fixture.authorize(&query(&[with]), headers);
            assert_eq!(reply.status, 400, "{with:?}");
            let names: Vec<_> = reply.headers.iter().map(|(name, _)| *name).collect();
            assert!(!names.contains(&"Location") && names.contains(&"Content-Security-Policy"));
            assert!(
                !String::from_utf8(reply.body).unwrap().contains("<script"),
                "{with:?}"
            );
        }
    }
    let page = fixture.authorize(&query(&[("redirect_uri", "https://evil.example/callback")]), &[]);
    assert!(
        String::from_utf8(page.body)
            .unwrap()
            .contains("https://evil.example/callback")
    );
}

#[test]
fn once_one_is_registered_no_other_redirect_uri_is_taken() {
    let fixture = Fixture::new();
    fixture.register_redirect_uri("http://localhost:4000/callback");
    assert_eq!(fixture.authorize(&query(&[]), &[]).status, 400);
    let registered = query(&[("redirect_uri", "http://localhost:4000/callback")]);
    assert_eq!(fixture.authorize(&registered, &[]).status, 302);
}

#[test]
fn exactly_one_selector_is_taken() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    for (with, error) in [
        (vec![("provider", "")], "invalid_connection_selector"),
        (vec![("provider", "Nonsense")], "invalid_connection_selector"),
        (
            vec![("provider", ""), ("connection_id", "conn_1")],
            "connection_invalid",
        ),
        (vec![("connection_id", "conn_1")], "ambiguous_connection_selector"),
        (
            vec![("provider", ""), ("organization_id", &acme)],
            "organization_invalid",
        ),
        (
            vec![("provider", "GoogleOAuth"), ("organization_id", &acme)],
            "ambiguous_connection_selector",
        ),
        (vec![("organization_id", "org_none")], "organization_invalid"),
    ] {
        assert_eq!(fixture.error(&with), error, "{with:?}");
    }
    assert!(parameter(&fixture.callback(&[("organization_id", &acme)]), "code").is_some());
}

#[test]
fn wrong_parameters_are_told_to_the_application() {
    let fixture = Fixture::new();
    let s256 = ("code_challenge_method", "S256");
    for (with, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("screen_hint", "log-in")], "invalid_request"),
        (vec![("max_age", "soon")], "invalid_request"),
        (vec![("invitation_token", "x")], "invitation_invalid"),
        (vec![("code_challenge", CHALLENGE)], "invalid_request"),
        (
            vec![("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
            "invalid_request",
        ),
        (
            vec![("code_challenge", CHALLENGE), ("code_challenge_method", "s256")],
            "invalid_request",
        ),
        (vec![("code_challenge", "short"), s256], "invalid_request"),
        (vec![s256], "invalid_request"),
    ] {
        assert_eq!(fixture.error(&with), error, "{with:?}");
    }
    let well = [
        ("code_challenge", CHALLENGE),
        s256,
        ("max_age", "0"),
        ("prompt", "login"),
    ];
    assert!(parameter(&fixture.callback(&well), "code").is_some());
}

#[test]
fn only_who_is_there_is_signed_in_at_once() {
    let fixture = Fixture::new();
    assert_eq!(
        fixture.error(&[("login_hint", "nobody@example.com")]),
        "user_not_found"
    );
    let foreign = fixture.add_organization("Initech");
    assert_eq!(fixture.error(&[("organization_id", &foreign)]), "access_denied");
    assert_eq!(fixture.events("authentication."), []);
    assert_eq!(fixture.environment.state().authorization_codes.len(), 0);
    assert!(parameter(&fixture.callback(&[("login_hint", " ADA@example.com")]), "code").is_some());
}
