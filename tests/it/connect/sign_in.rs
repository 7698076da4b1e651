//! From the authorization request to the callback: pages, consent, and what is refused on the way.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CALLBACK, CHALLENGE, EMAIL, PASSWORD, World, error, parameter};
use crate::{
    browser::{Browser, Page},
    http,
};

#[actix_web::test]
async fn ones_own_application_asks_nobody() {
    let world = World::start().await;
    let browser = Browser::new();
    let page = world
        .sign_in(&browser, &world.authorize_url(&world.first, &[]))
        .await;
    assert_eq!(page.status, 303);
    let callback = page.location();
    assert!(callback.as_str().starts_with(CALLBACK), "{callback}");
    assert_eq!(parameter(&callback, "state").as_deref(), Some("s t"));
    let code = parameter(&callback, "code").unwrap();
    assert_eq!(world.redeem(&world.first, &code).await.0, 200);
    // Nobody begins a session of AuthKit.
    assert_eq!(
        world.event_names().await,
        ["user.created", "authentication.password_succeeded"]
    );
}

#[actix_web::test]
async fn a_third_partys_application_asks_once() {
    let world = World::start().await;
    let browser = Browser::new();
    let url = world.authorize_url(&world.third, &[("scope", "openid profile reports:read")]);
    let page = world.consent_page(&browser, &url).await;
    for text in [
        "Allow Reports",
        "Globex",
        "Acme",
        "See your name",
        "reports:read",
        EMAIL,
        "reports.example",
    ] {
        assert!(page.text.contains(text), "{text} in {}", page.text);
    }
    assert!(!page.text.contains("See your email"), "it was not asked for");
    let callback = browser
        .submit_and_stop(&page, &[("decision", "allow")])
        .await
        .location();
    let code = parameter(&callback, "code").unwrap();
    let (_, tokens) = world.redeem(&world.third, &code).await;
    assert_eq!(tokens["scope"], "openid profile reports:read");

    // The same, and less, is not asked for again; more is, and so is what the application insists on.
    let less = world.at_once(&world.third, &[("scope", "openid")]).await;
    assert!(parameter(&less, "code").is_some(), "{less}");
    for with in [
        [("scope", "openid email"), ("prompt", "")],
        [("scope", "openid"), ("prompt", "login consent")],
    ] {
        world
            .consent_page(&Browser::new(), &world.authorize_url(&world.third, &with))
            .await;
    }
}

#[actix_web::test]
async fn who_denies_gives_nothing() {
    let world = World::start().await;
    let browser = Browser::new();
    let page = world
        .consent_page(&browser, &world.authorize_url(&world.third, &[]))
        .await;
    let neither = browser.submit(&page, &[]).await;
    assert_eq!(neither.status, 400);
    let callback = browser
        .submit_and_stop(&neither, &[("decision", "deny")])
        .await
        .location();
    assert_eq!(error(&callback), "access_denied");
    assert_eq!(parameter(&callback, "state").as_deref(), Some("s t"));
    let again = browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(again.status, 400, "the sign-in is over");
    world
        .consent_page(&Browser::new(), &world.authorize_url(&world.third, &[]))
        .await;
}

/// Nobody consents for somebody else, nor before the sign-in is complete.
#[actix_web::test]
async fn the_consent_is_for_the_browser_that_signed_in() {
    let world = World::start().await;
    let globex = world.emulator.organization("Initech").create().unwrap();
    let bob = world.emulator.user("bob@example.com").password(PASSWORD);
    let bob = bob.member_of(&world.acme, "member").member_of(&globex, "member");
    bob.create().unwrap();
    let url = world.authorize_url(&world.third, &[]);
    let begun = Browser::new();
    let form = begun.visit(url.as_str()).await;
    let early = |page: &Page, path: &str| page.url.as_str().replace(path, "/authkit/consent");
    assert_eq!(begun.visit(early(&form, "/authkit/sign-in")).await.status, 400);

    let picker = begun.sign_in(&form, "bob@example.com", PASSWORD).await;
    assert_eq!(picker.url.path(), "/authkit/organization");
    // The organization is not chosen yet.
    let skipped = begun.visit(early(&picker, "/authkit/organization")).await;
    assert_eq!(skipped.status, 400);
    let forged = Page {
        text: picker.text.replace("/authkit/organization", "/authkit/consent"),
        ..picker
    };
    assert_eq!(begun.submit(&forged, &[("decision", "allow")]).await.status, 400);

    let browser = Browser::new();
    let page = world.consent_page(&browser, &url).await;
    let foreign = Browser::new().submit(&page, &[("decision", "allow")]).await;
    assert_eq!(foreign.status, 400);
    let cross_site = http::client()
        .post(world.url("/authkit/consent"))
        .header("sec-fetch-site", "cross-site")
        .form(&[("decision", "allow")]);
    assert_eq!(cross_site.send().await.unwrap().status(), 403);
    let callback = browser
        .submit_and_stop(&page, &[("decision", "allow")])
        .await
        .location();
    assert!(parameter(&callback, "code").is_some());
}

#[actix_web::test]
async fn a_member_of_several_organizations_chooses_one() {
    let world = World::start().await;
    let initech = world.emulator.organization("Initech").create().unwrap();
    let body = json!({"user_id": world.ada.id, "organization_id": initech.id});
    let path = "/user_management/organization_memberships";
    assert_eq!(
        http::call(&world.emulator, Method::POST, path, &body).await.0,
        201
    );
    let choose = async |organization_id: &str| {
        let browser = Browser::new();
        let page = world
            .sign_in(&browser, &world.authorize_url(&world.third, &[]))
            .await;
        let picker = browser.visit(page.location()).await;
        assert_eq!(picker.url.path(), "/authkit/organization");
        let page = browser
            .submit(&picker, &[("organization_id", organization_id)])
            .await;
        assert_eq!(page.url.path(), "/authkit/consent", "{}", page.text);
        let callback = browser
            .submit_and_stop(&page, &[("decision", "allow")])
            .await
            .location();
        let (_, tokens) = world
            .redeem(&world.third, &parameter(&callback, "code").unwrap())
            .await;
        world.verified(&tokens["access_token"]).await
    };
    let first = choose(&initech.id).await;
    assert_eq!(first["org_id"], json!(initech.id));
    // Consent in one organization is none in the other.
    let second = choose(&world.acme.id).await;
    assert_eq!(second["org_id"], json!(world.acme.id));
    assert_ne!(first["sid"], second["sid"]);

    let named = [("organization_id", initech.id.as_str())];
    let callback = world.at_once(&world.third, &named).await;
    assert!(parameter(&callback, "code").is_some(), "{callback}");
    let page = world.at_once(&world.first, &[]).await;
    assert_eq!(page.path(), "/authkit/organization", "a page has to ask");
    world.set(json!({"interactive": "never"})).await;
    assert_eq!(
        error(&world.at_once(&world.first, &[]).await),
        "interaction_required"
    );
    let callback = world.at_once(&world.first, &named).await;
    assert!(parameter(&callback, "code").is_some(), "{callback}");
}

#[actix_web::test]
async fn without_pages_an_application_has_what_it_asks_for() {
    let world = World::start().await;
    let page = world.at_once(&world.third, &[]).await;
    assert_eq!(page.path(), "/authkit/consent", "somebody has to be asked");
    assert_eq!(
        error(&world.at_once(&world.third, &[("prompt", "none")]).await),
        "consent_required"
    );
    world.set(json!({"interactive": "never"})).await;
    let callback = world.at_once(&world.third, &[]).await;
    assert!(parameter(&callback, "code").is_some(), "{callback}");
    let unknown = world.authorize_url(&world.third, &[("login_hint", "eve@example.com")]);
    let location = http::client().get(unknown).send().await.unwrap();
    let location = location.headers()["location"].to_str().unwrap().parse().unwrap();
    assert_eq!(error(&location), "user_not_found");
}

#[actix_web::test]
async fn a_client_without_a_browser_can_answer_the_consent_page() {
    let world = World::start().await;
    let browser = Browser::new();
    let url = world.authorize_url(&world.third, &[("login_hint", EMAIL)]);
    // As a program that keeps cookies.
    let response = browser.fetch(url.as_str()).await;
    assert_eq!(response.location().path(), "/authkit/consent");
    let page = browser.visit(response.location()).await;
    let callback = browser
        .submit_and_stop(&page, &[("decision", "allow")])
        .await
        .location();
    assert!(parameter(&callback, "code").is_some());
}

#[actix_web::test]
async fn a_wrong_client_or_redirect_uri_is_told_to_the_person_alone() {
    let world = World::start().await;
    let machine = world.emulator.connect_application("Robot").m2m(&world.acme);
    let machine = machine.create().unwrap();
    let authkit = world.emulator.client_id().to_owned();
    for with in [
        [("client_id", "client_unknown"), ("state", "s")],
        [("client_id", ""), ("state", "s")],
        [("client_id", authkit.as_str()), ("state", "s")],
        [("client_id", machine.client_id.as_str()), ("state", "s")],
        [("redirect_uri", "https://evil.example/callback"), ("state", "s")],
        [
            ("redirect_uri", "https://reports.example/callback/"),
            ("state", "s"),
        ],
        [("redirect_uri", ""), ("state", "s")],
    ] {
        let url = world.authorize_url(&world.third, &with);
        for response in [
            http::client().get(url.clone()),
            http::client().get(url.clone()).header("accept", "text/html"),
        ] {
            let response = response.send().await.unwrap();
            assert_eq!(response.status(), 400, "{with:?}");
            assert!(!response.headers().contains_key("location"), "{with:?}");
            let text = response.text().await.unwrap();
            assert!(text.contains("<h1>"), "{with:?}");
        }
    }
}

#[actix_web::test]
async fn what_else_is_wrong_is_told_to_the_application() {
    let world = World::start().await;
    let public = world
        .emulator
        .connect_application("App")
        .redirect_uri(CALLBACK)
        .public();
    let public = public.create().unwrap();
    for (with, code) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("scope", "openid reports:delete"), "invalid_scope"),
        (("prompt", "none login"), "invalid_request"),
        (("prompt", "sometimes"), "invalid_request"),
        (("max_age", "soon"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "S256"), "invalid_request"),
        (("organization_id", "org_1"), "organization_invalid"),
        (("request", "x"), "request_not_supported"),
    ] {
        let url = world.at_once(&world.first, &[with]).await;
        assert_eq!(error(&url), code, "{with:?}");
        assert_eq!(parameter(&url, "state").as_deref(), Some("s t"));
    }
    let plain = [("code_challenge", CHALLENGE), ("code_challenge_method", "plain")];
    assert_eq!(
        error(&world.at_once(&world.first, &plain).await),
        "invalid_request"
    );
    assert_eq!(
        error(&world.at_once(&public, &[]).await),
        "invalid_request",
        "no PKCE"
    );
    // Nobody is remembered, so that a browser cannot go on without a page.
    let browser = Browser::new();
    let silent = world.authorize_url(&world.first, &[("prompt", "none")]);
    assert_eq!(
        error(&browser.step(silent.as_str()).await.location()),
        "login_required"
    );
}

#[actix_web::test]
async fn a_scope_that_nobody_names_is_that_of_openid() {
    let world = World::start().await;
    let code = world.code(&world.first, &[("scope", "")]).await;
    let (_, tokens) = world.redeem(&world.first, &code).await;
    assert_eq!(tokens["scope"], "email openid profile");
}

#[actix_web::test]
async fn who_is_no_member_is_sent_back() {
    let world = World::start().await;
    let initech = world.emulator.organization("Initech").create().unwrap();
    let with = [("organization_id", initech.id.as_str())];
    assert_eq!(error(&world.at_once(&world.first, &with).await), "access_denied");
    let browser = Browser::new();
    let page = world
        .sign_in(&browser, &world.authorize_url(&world.first, &with))
        .await;
    assert_eq!(error(&page.location()), "access_denied");
}

#[actix_web::test]
async fn a_sign_in_marks_the_user_as_seen() {
    let world = World::start().await;
    world.code(&world.first, &[]).await;
    let path = format!("/user_management/users/{}", world.ada.id);
    let (_, user) = http::call(&world.emulator, Method::GET, &path, &Value::Null).await;
    assert!(user["last_sign_in_at"].is_string());
}
