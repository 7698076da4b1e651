//! Sign-ins with options: by handlers of the app, by the query of the route, by host, by path.

use std::sync::{Arc, Mutex};

use reqwest::Method;
use workos_actix::{AfterSignIn, SignedIn};

use crate::{
    app::TestApp,
    browser::{FETCH, NAVIGATE, SAME_ORIGIN, callback_path, query},
    handlers::Campaign,
};

#[actix_web::test]
async fn every_option_goes_into_the_authorization_url() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser.visit("/own/sign-in?case=every").await;
    assert_eq!(
        (response.status, response.header("cache-control")),
        (307, "no-store")
    );
    let authorize = query(response.location());
    let expected = [
        ("client_id", "client_1"),
        ("code_challenge_method", "S256"),
        ("domain_hint", "b.example"),
        ("invitation_token", "inv_token"),
        ("login_hint", "a@b.example"),
        ("max_age", "60"),
        ("organization_id", "org_9"),
        ("prompt", "login"),
        ("provider", "authkit"),
        ("provider_query_params[hd]", "b.example"),
        ("provider_scopes", "calendar,mail"),
        ("response_type", "code"),
        ("screen_hint", "sign-in"),
    ];
    for (name, value) in expected {
        assert_eq!(authorize[name], value, "{name}");
    }
    assert_eq!(
        authorize.len(),
        expected.len() + 3,
        "and redirect_uri, state, code_challenge"
    );
    let callback = callback_path(&app.workos, response.location());
    assert_eq!(browser.visit(&callback).await.location(), "/me?tab=1");

    // A form of the app is answered with a page to get.
    let headers = [&NAVIGATE[..], &[SAME_ORIGIN]].concat();
    let response = browser.send(Method::POST, "/own/sign-in?case=/x", &headers).await;
    assert_eq!(response.status, 303);
}

#[actix_web::test]
async fn connections_and_providers_are_ways_in_of_their_own() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser.visit("/own/sign-in?case=connection").await;
    let authorize = query(response.location());
    assert_eq!(authorize["connection_id"], "conn_1");
    assert!(!authorize.contains_key("provider") && !authorize.contains_key("screen_hint"));
    let authorize = query(browser.visit("/own/sign-in?case=google").await.location());
    assert_eq!(authorize["provider"], "GoogleOAuth");
    assert!(!authorize.contains_key("screen_hint"));
}

#[actix_web::test]
async fn what_does_not_fit_together_begins_nothing() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for case in [
        "connection-and-provider",
        "connection-and-organization",
        "google-and-age",
        "large-state",
        "redirect:https://evil.example/auth/callback",
        "redirect:http://evil.example/other",
        "redirect:http://evil.example/auth/callback?x=1",
        "redirect:http://evil.example/auth/callback%23x",
        "redirect:http://evil.example/auth/../callback",
        "redirect:http://user:pw@evil.example/auth/callback",
        "redirect:/auth/callback",
        "redirect://evil.example/auth/callback",
    ] {
        for path in ["/own/sign-in", "/own/url"] {
            let response = browser.visit(&format!("{path}?case={case}")).await;
            assert_eq!(response.status, 500, "{case}");
            assert_eq!(response.json()["code"], "sign_in_not_begun", "{case}");
            assert!(!response.body.contains("evil"), "the log is for details");
        }
    }
    assert!(browser.cookies.is_empty());
}

#[actix_web::test]
async fn only_navigations_begin_a_sign_in_of_a_handler() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser
        .send(Method::GET, "/own/sign-in?case=google", &FETCH)
        .await;
    assert_eq!(
        (response.status, response.json()["code"].as_str()),
        (400, Some("navigation_required"))
    );
    assert!(browser.cookies.is_empty());
    // Whoever asks for the URL wants it.
    let response = browser.send(Method::GET, "/own/url?case=/me", &FETCH).await;
    let [cookie] = &response.set_cookies()[..] else {
        panic!("one cookie")
    };
    assert!(cookie.starts_with("wos-auth-verifier-"), "{cookie}");
    assert!(response.header("cache-control").contains("no-store"));
    assert_eq!(query(&response.body)["screen_hint"], "sign-up");
    let callback = callback_path(&app.workos, &response.body);
    assert_eq!(browser.visit(&callback).await.location(), "/me");
    assert_eq!(browser.fetch("/me").await.status, 200);
}

#[actix_web::test]
async fn the_apps_state_comes_back_and_workos_never_sees_it() {
    let seen = Arc::new(Mutex::new(Vec::<SignedIn>::new()));
    let hook = Arc::clone(&seen);
    let app = TestApp::start_with(|builder| {
        builder.on_success(move |signed_in| {
            hook.lock().unwrap().push(signed_in);
            async { Ok(AfterSignIn::Return) }
        })
    })
    .await;
    let mut browser = app.browser();
    let response = browser.visit("/own/sign-in?case=state").await;
    assert!(!response.location().contains("spring"));
    assert!(!response.set_cookies()[0].contains("spring"));
    let callback = callback_path(&app.workos, response.location());
    assert_eq!(browser.visit(&callback).await.status, 307);
    browser.sign_in(&app.workos, "/auth/sign-in").await;
    let seen = seen.lock().unwrap();
    let [with, without] = &seen[..] else {
        panic!("two sign-ins")
    };
    let campaign = Campaign {
        name: "spring".to_owned(),
        number: 7,
    };
    assert_eq!(with.state::<Campaign>(), Some(campaign));
    assert_eq!(with.state::<Vec<u8>>(), None, "it is something else");
    assert_eq!(without.state::<Campaign>(), None);
}

#[actix_web::test]
async fn links_choose_what_is_harmless() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let mut ask = async |text: &str| query(browser.visit(&format!("/auth/sign-in?{text}")).await.location());
    let authorize = ask("domain_hint=b.example&invitation_token=inv&prompt=login&max_age=60").await;
    for (name, value) in [
        ("domain_hint", "b.example"),
        ("invitation_token", "inv"),
        ("prompt", "login"),
        ("max_age", "60"),
        ("provider", "authkit"),
    ] {
        assert_eq!(authorize[name], value);
    }
    assert_eq!(ask("provider=GoogleOAuth").await["provider"], "GoogleOAuth");
    for other in [
        "provider=Made-Up",
        "provider=GoogleOAuth&organization_id=org_1",
        "provider=GoogleOAuth&max_age=5",
    ] {
        assert_eq!(ask(other).await["provider"], "authkit", "{other}");
    }
    for harmful in [
        "connection_id=conn_evil",
        "provider_scopes=everything",
        "provider_query_params[hd]=evil.example",
        "code_challenge=x",
        "code_challenge_method=plain",
        "client_id=client_evil",
        "response_type=token",
        "redirect_uri=https://evil.example",
        "prompt=none",
        "max_age=-1",
        "max_age=99999999999999999999",
        "screen_hint=x",
    ] {
        let asked = ask(harmful).await;
        let names: Vec<_> = asked.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "provider",
                "redirect_uri",
                "response_type",
                "screen_hint",
                "state"
            ],
            "{harmful}"
        );
        assert!(
            !asked
                .values()
                .any(|value| value.contains("evil") || value == "plain"),
            "{asked:?}"
        );
    }
}

#[actix_web::test]
async fn paths_for_new_people_lead_to_sign_up() {
    let app = TestApp::start_with(|builder| builder.sign_up_paths(["/me", "/scope/(.*)"])).await;
    let mut browser = app.browser();
    for path in ["/me", "/scope/page"] {
        let response = browser.visit(path).await;
        let expected = format!("/auth/sign-up?return_to={}", path.replace('/', "%2F"));
        assert_eq!(response.location(), expected);
    }
    assert!(
        browser
            .visit("/own-caching")
            .await
            .location()
            .starts_with("/auth/sign-in?")
    );
    let callback = browser
        .authorize(&app.workos, "/auth/sign-up?return_to=%2Fme")
        .await;
    assert_eq!(browser.visit(&callback).await.location(), "/me");
}

/// An app under two names. The browser says which by a header, as it would by `Host`.
async fn two_domains() -> TestApp {
    TestApp::start_with(|builder| {
        builder.redirect_uri_for(|request| {
            let domain = request.headers().get("x-domain")?.to_str().ok()?;
            Some(format!("http://{domain}/auth/callback"))
        })
    })
    .await
}

#[actix_web::test]
async fn a_sign_in_comes_back_to_the_domain_that_it_was_begun_at() {
    let app = two_domains().await;
    let mut browser = app.browser();
    let german = [&NAVIGATE[..], &[("x-domain", "app.example.de")]].concat();
    let response = browser
        .send(Method::GET, "/auth/sign-in?return_to=/me", &german)
        .await;
    assert_eq!(
        query(response.location())["redirect_uri"],
        "http://app.example.de/auth/callback"
    );
    let callback = callback_path(&app.workos, response.location());
    // Whoever takes it to another name of the app gets nowhere, and cannot try again.
    let mut elsewhere = browser.clone();
    assert_eq!(elsewhere.visit(&callback).await.status, 400);
    let french = [&NAVIGATE[..], &[("x-domain", "app.example.fr")]].concat();
    let mut elsewhere = browser.clone();
    assert_eq!(elsewhere.send(Method::GET, &callback, &french).await.status, 400);
    assert_eq!(app.workos.counts().exchanges, 0);
    let response = browser.send(Method::GET, &callback, &german).await;
    assert_eq!((response.status, response.location()), (307, "/me"));
    // The way out leads back there, too.
    let response = browser
        .send(Method::GET, "/auth/sign-out?return_to=/bye", &german)
        .await;
    assert_eq!(
        query(response.location())["return_to"],
        "http://app.example.de/bye"
    );
    // Without a choice it is the configured one.
    let response = browser.visit("/auth/sign-in").await;
    assert_eq!(
        query(response.location())["redirect_uri"],
        format!("{}/auth/callback", app.url)
    );
}

#[actix_web::test]
async fn one_sign_in_may_come_back_to_another_domain() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let response = browser
        .visit("/own/sign-in?case=redirect:http://other.example/auth/callback")
        .await;
    assert_eq!(
        query(response.location())["redirect_uri"],
        "http://other.example/auth/callback"
    );
    let callback = callback_path(&app.workos, response.location());
    assert_eq!(browser.visit(&callback).await.status, 307);
}

#[actix_web::test]
async fn a_host_that_cannot_be_one_begins_nothing() {
    let app = two_domains().await;
    for domain in ["evil.example/x?", "user@evil.example", "", "a b"] {
        let headers = [&NAVIGATE[..], &[("x-domain", domain)]].concat();
        let response = app.browser().send(Method::GET, "/auth/sign-in", &headers).await;
        assert_eq!(response.status, 500, "{domain:?}");
    }
}

#[actix_web::test]
async fn large_attempts_do_not_fill_the_header() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let long = format!("/{}", "a".repeat(1000));
    for _ in 0..8 {
        let response = browser.visit(&format!("/auth/sign-in?return_to={long}")).await;
        assert_eq!(response.status, 307);
        let bytes: usize = browser
            .cookies
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert!(bytes < 6 * 1024, "{bytes}");
    }
    let last = browser.authorize(&app.workos, "/auth/sign-in").await;
    assert_eq!(browser.visit(&last).await.status, 307);
}
