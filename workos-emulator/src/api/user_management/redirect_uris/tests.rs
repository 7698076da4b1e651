use super::*;
use crate::{api::user_management::sign_out_redirects, environment::Environment};

fn with(uris: &[&str]) -> Arc<State> {
    let environment = Environment::for_tests();
    for uri in uris {
        environment.transact(|tx| create(tx, uri)).unwrap();
    }
    environment.state()
}

fn refusal(uri: &str) -> ApiError {
    Environment::for_tests()
        .transact(|tx| create(tx, uri))
        .unwrap_err()
}

#[test]
fn loopback_is_free_until_one_is_registered() {
    let state = with(&[]);
    for free in [
        "http://localhost:3000/callback",
        "https://localhost/x?y=z",
        "http://127.0.0.1:8080/",
        "http://[::1]:3000/a",
    ] {
        assert_eq!(allowed(&state, free).unwrap().as_str(), free);
    }
    let state = with(&["http://localhost:3000/callback"]);
    assert!(allowed(&state, "http://localhost:3000/callback").is_some());
    for other in [
        "http://localhost:3001/callback",
        "http://localhost:3000/callback/",
        "http://localhost:3000/callback?x=1",
        "https://localhost:3000/callback",
        "http://127.0.0.1:3000/callback",
    ] {
        assert_eq!(allowed(&state, other), None, "{other}");
    }
}

#[test]
fn no_spelling_leads_to_a_foreign_site() {
    let registered = with(&["https://app.example.com/callback"]);
    for state in [with(&[]), registered] {
        for foreign in [
            "https://evil.example/callback",
            "//evil.example/callback",
            "/callback",
            "https:evil.example/callback",
            "http://localhost@evil.example/",
            "http://localhost:3000@evil.example/",
            "http://localhost%2f@evil.example/",
            "http://localhost.evil.example/",
            "https://app.example.com.evil.example/callback",
            "https://evil.example/https://app.example.com/callback",
            "https://evil.example\\@app.example.com/callback",
            "https://app.example.com@evil.example/callback",
            "https://user@app.example.com/callback",
            "https://app.example.com/callback#@evil.example",
            "https://app.example.com/callback/../evil",
            "https://app.example.com/callback%0d%0aLocation:x",
            "https://app.example.com/callback\r\nLocation: https://evil.example",
            "https://app\t.example.com/callback",
            " http://localhost/",
            "http://localhost /",
            "http://loc\u{0430}lhost/",
            "http://evil.example%00.localhost/",
            "javascript:alert(1)",
            "javascript://localhost/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://localhost/",
            "http://",
            "",
        ] {
            assert_eq!(allowed(&state, foreign), None, "{foreign}");
            let after = sign_out_redirects::allowed(&state, foreign);
            assert!(
                after.is_none_or(|url| url.host_str() == Some("app.example.com")),
                "{foreign}"
            );
        }
    }
}

#[test]
fn the_browser_goes_to_what_was_compared() {
    let state = with(&[]);
    let url = allowed(&state, "http://localhost\\@evil.example/").unwrap();
    assert_eq!(url.as_str(), "http://localhost/@evil.example/");
    assert_eq!(
        allowed(&state, "HTTP://LOCALHOST:80/").unwrap().as_str(),
        "http://localhost/"
    );
    assert_eq!(
        allowed(&state, "http://0x7f.1/").unwrap().as_str(),
        "http://127.0.0.1/"
    );
}

#[test]
fn a_wildcard_stands_for_one_label_or_part_of_one() {
    let state = with(&["https://*.example.com/cb", "https://pr-*-app.example.org/cb"]);
    for fits in [
        "https://a.example.com/cb",
        "https://a-b_c.example.com/cb",
        "https://pr-12-app.example.org/cb",
    ] {
        assert!(allowed(&state, fits).is_some(), "{fits}");
    }
    for other in [
        "https://example.com/cb",
        "https://.example.com/cb",
        "https://a.b.example.com/cb",
        "https://*.example.com/cb",
        "http://a.example.com/cb",
        "https://a.example.com:8443/cb",
        "https://aexample.com/cb",
        "https://pr--app.example.org/cb",
        "https://pr-1.x-app.example.org/cb",
    ] {
        assert_eq!(allowed(&state, other), None, "{other}");
    }
}

#[test]
fn any_port_is_for_this_machine() {
    let state = with(&["http://localhost:*/cb"]);
    assert!(allowed(&state, "http://localhost:3000/cb").is_some());
    assert!(allowed(&state, "http://localhost/cb").is_some());
    assert_eq!(allowed(&state, "http://127.0.0.1:3000/cb"), None);
    assert_eq!(refusal("https://example.com:*/cb").status, 422);
}

#[test]
fn refuses_wildcards_elsewhere() {
    for wrong in [
        "https://*/cb",
        "https://*.com/cb",
        "https://%2A.com/cb",
        "https://a.*.example.com/cb",
        "https://*.*.example.com/cb",
        "https://*a*.example.com/cb",
        "https://example.com/*",
        "https://example.com/cb?x=*",
        "*://example.com/cb",
        "not a url",
        "https://example.com/cb#x",
    ] {
        let refused = refusal(wrong);
        assert_eq!(
            (refused.status, refused.code()),
            (422, Some("invalid_request_parameters")),
            "{wrong}"
        );
    }
}

#[test]
fn the_first_plain_one_is_the_default_and_stays() {
    let environment = Environment::for_tests();
    let add = |uri: &str| environment.transact(|tx| create(tx, uri)).unwrap();
    let wildcard = add("https://*.example.com/cb");
    let first = add("https://example.com/cb");
    let second = add("https://example.com/cb2");
    assert_eq!(
        (wildcard.default, first.default, second.default),
        (false, true, false)
    );
    let remove = |id: &str| {
        environment
            .transact(|tx| delete(tx, id))
            .map_err(|error| error.status)
    };
    assert_eq!(remove(&first.id), Err(409));
    assert_eq!(remove(&second.id), Ok(()));
    assert_eq!(remove(&second.id), Err(404));
    let again = environment
        .transact(|tx| create(tx, "https://example.com/cb"))
        .unwrap_err();
    assert_eq!(
        again.to_string(),
        "422 Redirect URI 'https://example.com/cb' already exists."
    );
}
