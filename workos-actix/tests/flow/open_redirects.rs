//! No way out of the site, in any encoding, on any of the ways that lead somewhere.

use std::sync::{Arc, Mutex};

use url::Url;
use workos_actix::AfterSignIn;

use crate::app::TestApp;

/// What a browser may take for another site, or what splits a header.
const TRICKS: &[&str] = &[
    "https://evil.example",
    "HTTPS:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example",
    "///evil.example",
    "////evil.example/..",
    "//evil.example\\@app",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n//evil.example",
    "\t//evil.example",
    " //evil.example",
    "\u{0}//evil.example",
    "/\u{b}/evil.example",
    "/x\r\nLocation: https://evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%252fevil.example",
    "/%25252fevil.example",
    "/%255cevil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/%00//evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/./\\evil.example",
    "/a/..//evil.example",
    "/a/../..//evil.example",
    "/%2e//evil.example",
    "/%2e%2e//evil.example",
    "/%2E%2E%2F%2Fevil.example",
    "/a/%2e%2e%2f%2fevil.example",
    "/%252e%252e//evil.example",
    "/;//evil.example",
    "?//evil.example",
    "#//evil.example",
    "@evil.example",
    ".evil.example",
    "evil.example",
    "",
];

/// Odd, but of this site.
const HARMLESS: &[&str] = &[
    "/x?next=//evil.example",
    "/x?next=https://evil.example",
    "/x#//evil.example",
    "/@evil.example",
    "/https:evil.example",
    "/:80",
    "/\u{ff0f}evil.example",
    "/\u{2215}evil.example",
    "/。evil.example",
];

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Where a browser on the app goes with a `Location`.
fn leads_to(app: &TestApp, location: &str) -> Url {
    Url::parse(&app.url).unwrap().join(location).unwrap()
}

fn assert_stays(app: &TestApp, location: &str, trick: &str) {
    let target = leads_to(app, location);
    let site = Url::parse(&app.url).unwrap();
    assert_eq!(target.origin(), site.origin(), "{trick:?} leads to {target}");
    assert!(!target.path().starts_with("//"), "{trick:?} leads to {target}");
}

#[actix_web::test]
async fn the_way_back_from_sign_in_stays_here() {
    let app = TestApp::start().await;
    for (trick, is_harmless) in TRICKS
        .iter()
        .map(|trick| (trick, false))
        .chain(HARMLESS.iter().map(|path| (path, true)))
    {
        for route in ["/auth/sign-in?return_to=", "/own/sign-in?case="] {
            let mut browser = app.browser();
            let response = browser
                .sign_in(&app.workos, &format!("{route}{}", encoded(trick)))
                .await;
            assert_eq!(response.status, 307);
            assert_stays(&app, response.location(), trick);
            assert_eq!(response.location() == "/", !is_harmless, "{trick:?}");
        }
    }
}

#[actix_web::test]
async fn the_way_out_stays_here() {
    let app = TestApp::start().await;
    for trick in TRICKS {
        let mut stranger = app.browser();
        let response = stranger
            .visit(&format!("/auth/sign-out?return_to={}", encoded(trick)))
            .await;
        assert_eq!((response.status, response.location()), (307, "/"), "{trick:?}");
        let response = stranger
            .submit("/auth/sign-out", &[("return_to", trick), ("scope", "here")])
            .await;
        assert_eq!((response.status, response.location()), (303, "/"), "{trick:?}");
    }
    // Through WorkOS the way back is one of this site, or none.
    for trick in TRICKS.iter().step_by(4) {
        let mut browser = app.signed_in().await;
        let response = browser
            .visit(&format!("/auth/sign-out?return_to={}", encoded(trick)))
            .await;
        assert!(response.location().starts_with(app.workos.url()));
        assert!(
            !response.location().contains("evil"),
            "{trick:?}: {}",
            response.location()
        );
    }
}

#[actix_web::test]
async fn the_way_to_another_organization_stays_here() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in().await;
    for trick in TRICKS.iter().chain(HARMLESS) {
        let fields = [("organization_id", "org_2"), ("return_to", trick)];
        let response = browser.submit("/auth/switch-organization", &fields).await;
        assert_eq!(response.status, 303, "{trick:?} {}", response.body);
        assert_stays(&app, response.location(), trick);
        // The refusal links back, too.
        let fields = [("organization_id", "org_9"), ("return_to", trick)];
        let response = browser.submit("/auth/switch-organization", &fields).await;
        let link = response.body.split("href=\"").nth(1).unwrap();
        assert_stays(&app, link.split('"').next().unwrap(), trick);
    }
}

#[actix_web::test]
async fn the_page_of_a_hook_stays_here() {
    let page = Arc::new(Mutex::new(String::new()));
    let chosen = Arc::clone(&page);
    let app = TestApp::start_with(|builder| {
        builder.on_success(move |_| {
            let page = chosen.lock().unwrap().clone();
            async { Ok(AfterSignIn::Page(page)) }
        })
    })
    .await;
    for trick in TRICKS {
        *page.lock().unwrap() = (*trick).to_owned();
        let response = app
            .browser()
            .sign_in(&app.workos, "/auth/sign-in?return_to=/me")
            .await;
        assert_eq!((response.status, response.location()), (307, "/me"), "{trick:?}");
    }
    for path in HARMLESS {
        *page.lock().unwrap() = (*path).to_owned();
        let response = app.browser().sign_in(&app.workos, "/auth/sign-in").await;
        assert_stays(&app, response.location(), path);
        assert_ne!(response.location(), "/", "{path:?}");
    }
}

#[actix_web::test]
async fn the_wanted_page_of_a_stranger_stays_here() {
    // `//evil.example/x` is also a path that a browser can ask for.
    let app = TestApp::start_with(workos_actix::AuthKitBuilder::require_auth).await;
    for path in [
        "//evil.example/x",
        "///evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "/..//evil.example",
    ] {
        let mut browser = app.browser();
        let response = browser.visit(path).await;
        assert_eq!(response.status, 307, "{path}");
        let sign_in = response.location().to_owned();
        let back = browser.sign_in(&app.workos, &sign_in).await;
        assert_stays(&app, back.location(), path);
    }
}
