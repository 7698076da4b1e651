//! Invitations on the pages: by the link in the e-mail, and with an `invitation_token` on the way to sign-in.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use workos::user_management::AuthenticateWithCodeParams;
use workos_emulator::{EmulatedEnvironment, Emulator, Invitation, Organization, User};

use crate::{
    app::{PASSWORD, TestApp},
    browser::{Browser, Page},
    http, sdk,
};

const CALLBACK: &str = "http://localhost:3000/callback";
const NEW: &str = "grace@globex.example";
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

struct Acme {
    emulator: Emulator,
    acme: Organization,
    ada: User,
}

impl Acme {
    /// An application, and Ada, who invites to Acme.
    async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        let uri = json!({"uri": CALLBACK});
        http::call(&emulator, Method::POST, "/user_management/redirect_uris", &uri).await;
        let acme = emulator.organization("Acme").create().unwrap();
        emulator
            .role("admin")
            .permissions(["posts:write"])
            .create()
            .unwrap();
        let ada = emulator
            .user("ada@acme.example")
            .first_name("Ada")
            .last_name("Lovelace");
        let ada = ada.password(PASSWORD).member_of(&acme, "admin").create().unwrap();
        Self { emulator, acme, ada }
    }

    fn invite(&self, email: &str) -> Invitation {
        let invitation = self.emulator.invitation(email).to(&self.acme).role("admin");
        invitation.invited_by(&self.ada).create().unwrap()
    }

    async fn set(&self, settings: Value) {
        set(&self.emulator, settings).await;
    }

    async fn state(&self, invitation: &Invitation) -> String {
        let sdk = sdk::client(&self.emulator);
        let found = sdk
            .user_management()
            .get_invitation(&invitation.id)
            .await
            .unwrap();
        found.state.to_string()
    }

    /// What the application gets for the code of a callback.
    async fn redeem(&self, callback: &Url) -> workos::models::AuthenticateResponse {
        assert!(callback.as_str().starts_with(CALLBACK), "{callback}");
        let params = AuthenticateWithCodeParams::new(parameter(callback, "code"));
        let sdk = sdk::client(&self.emulator);
        sdk.user_management()
            .authenticate_with_code(params)
            .await
            .unwrap()
    }

    async fn events_after(&self, number: usize) -> Vec<String> {
        let events = http::events(&self.emulator).await.into_iter().skip(number);
        events.map(|(name, _)| name).collect()
    }

    /// The same for another client id of the application.
    async fn redeem_as(&self, callback: &Url, client_id: &str) -> Value {
        let body = json!({
            "grant_type": "authorization_code", "client_id": client_id, "client_secret": self.emulator.api_key(),
            "code": parameter(callback, "code"),
        });
        let (status, body) = http::call(
            &self.emulator,
            Method::POST,
            "/user_management/authenticate",
            &body,
        )
        .await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

async fn set(environment: &EmulatedEnvironment, settings: Value) {
    let (status, body) = http::call(environment, Method::PATCH, "/_emulate/settings", &settings).await;
    assert_eq!(status, 200, "{body}");
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found
        .unwrap_or_else(|| panic!("{url} has no {name}"))
        .1
        .into_owned()
}

fn has(url: &Url, name: &str) -> bool {
    url.query_pairs().any(|(key, _)| key == name)
}

/// The link of the invitation page, accepted.
async fn accept(browser: &Browser, url: &str) -> Page {
    let page = browser.visit(url).await;
    assert_eq!(page.status, 200, "{}", page.text);
    browser.submit(&page, &[]).await
}

/// The whole way of somebody new: the e-mail, its link, sign-up, and the application, even where sign-up is closed.
#[actix_web::test]
async fn somebody_new_signs_up_by_the_link() {
    let acme = Acme::start().await;
    acme.set(json!({"sign_up": false})).await;
    let invitation = acme.invite(NEW);
    let mail = acme.emulator.mailbox().last_to(NEW).unwrap();
    let browser = Browser::new();
    let page = browser.visit(mail.url().unwrap()).await;
    assert!(
        page.text.contains("Ada Lovelace invited you to join Acme."),
        "{}",
        page.text
    );
    assert!(page.text.contains("create an account") && page.text.contains(NEW));
    assert_eq!(
        acme.state(&invitation).await,
        "pending",
        "looking changes nothing"
    );
    let form = browser.submit(&page, &[]).await;
    assert_eq!((form.status, form.url.path()), (200, "/authkit/sign-up"));
    assert!(form.text.contains("Ada Lovelace invited you to join Acme.") && form.text.contains(NEW));
    assert!(!form.text.contains("name=\"email\""), "the address is not asked");
    let weak = browser.submit(&form, &[("password", "short")]).await;
    assert_eq!((weak.status, weak.text.contains(NEW)), (400, true));
    // A made-up address is passed over: it is the invited one that was shown to be theirs.
    let before = http::events(&acme.emulator).await.len();
    let filled = [
        ("first_name", "Grace"),
        ("email", "eve@globex.example"),
        ("password", PASSWORD),
    ];
    let callback = browser.submit_and_stop(&weak, &filled).await.location();
    assert!(!has(&callback, "state"), "{callback}");
    let signed_in = acme.redeem(&callback).await;
    assert_eq!(
        (signed_in.user.email.as_str(), signed_in.user.email_verified),
        (NEW, true)
    );
    assert_eq!(signed_in.organization_id.as_ref(), Some(&acme.acme.id));
    assert_eq!(sdk::claims(&signed_in.access_token)["role"], "admin");
    assert_eq!(acme.state(&invitation).await, "accepted");
    assert_eq!(
        acme.events_after(before).await,
        [
            "user.created",
            "authentication.password_succeeded",
            "organization_membership.created",
            "invitation.accepted",
            "session.created"
        ]
    );
    let over = browser.visit(&invitation.url).await;
    assert_eq!(over.status, 400);
    assert!(
        over.text.contains("This invitation was accepted already"),
        "{}",
        over.text
    );
}

#[actix_web::test]
async fn somebody_known_signs_in_by_the_link() {
    let acme = Acme::start().await;
    let globex = acme.emulator.organization("Globex").create().unwrap();
    let grace = acme
        .emulator
        .user(NEW)
        .password(PASSWORD)
        .member_of(&globex, "member");
    let grace = grace.create().unwrap();
    let invitation = acme.invite(&grace.email);
    let browser = Browser::new();
    let page = browser.visit(&invitation.url).await;
    assert!(page.text.contains("sign in as") && !page.text.contains("create an account"));
    let form = browser.submit(&page, &[]).await;
    assert_eq!(form.url.path(), "/authkit/sign-in");
    assert!(form.text.contains("Ada Lovelace invited you to join Acme."));
    assert!(form.text.contains(&format!("value=\"{NEW}\"")));
    let form = browser.submit(&form, &[("email", NEW)]).await;
    let callback = browser
        .submit_and_stop(&form, &[("password", PASSWORD)])
        .await
        .location();
    let signed_in = acme.redeem(&callback).await;
    assert_eq!(
        signed_in.organization_id.as_ref(),
        Some(&acme.acme.id),
        "not Globex, nor a choice"
    );
}

#[actix_web::test]
async fn another_address_may_do_and_is_not_taken_for_verified() {
    let acme = Acme::start().await;
    acme.set(json!({"sign_up": false, "email_verification": false}))
        .await;
    let invitation = acme.invite(NEW);
    let browser = Browser::new();
    let page = browser.visit(&invitation.url).await;
    assert!(
        page.text.contains("another address at globex.example"),
        "{}",
        page.text
    );
    let form = browser.submit(&page, &[("email", "other")]).await;
    assert_eq!(form.url.path(), "/authkit/sign-in");
    for email in ["eve@evil.example", "eve@globex.example.evil.example"] {
        let refused = browser.submit(&form, &[("email", email)]).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused
                .text
                .contains("This invitation is for grace@globex.example."),
            "{}",
            refused.text
        );
    }
    browser.submit(&form, &[("email", "eve@globex.example")]).await;
    let sign_up = form.url.as_str().replace("sign-in", "sign-up");
    let form = browser.visit(sign_up).await;
    assert!(
        form.text.contains("value=\"eve@globex.example\""),
        "{}",
        form.text
    );
    let refused = browser
        .submit(&form, &[("email", "eve@evil.example"), ("password", PASSWORD)])
        .await;
    assert!(
        refused.text.contains("This invitation is for"),
        "{}",
        refused.text
    );
    let filled = [("email", "eve@globex.example"), ("password", PASSWORD)];
    let callback = browser.submit_and_stop(&form, &filled).await.location();
    let signed_in = acme.redeem(&callback).await;
    assert_eq!(
        (signed_in.user.email.as_str(), signed_in.user.email_verified),
        ("eve@globex.example", false)
    );
    assert_eq!(signed_in.organization_id.as_ref(), Some(&acme.acme.id));

    let consumer = acme.invite("grace@gmail.com");
    let page = browser.visit(&consumer.url).await;
    assert!(!page.text.contains("Use another address"), "{}", page.text);
    // Who makes the field up gets no further.
    let form = browser.submit(&page, &[("email", "other")]).await;
    assert_eq!(form.url.path(), "/authkit/sign-up");
}

#[actix_web::test]
async fn a_link_that_is_over_says_what_to_do() {
    let acme = Acme::start().await;
    let browser = Browser::new();
    let (revoked, late) = (acme.invite(NEW), acme.invite("late@globex.example"));
    let sdk = sdk::client(&acme.emulator);
    let open = browser.visit(&revoked.url).await;
    sdk.user_management()
        .revoke_invitation(&revoked.id)
        .await
        .unwrap();
    let unknown = late.url.replace("invitation_token=", "invitation_token=x");
    let begun = accept(&browser, &late.url).await;
    acme.set(json!({"pending_authentication_lifetime": 30 * 24 * 3600, "sign_up": false}))
        .await;
    let form = accept(&browser, &late.url).await;
    acme.emulator.clock().advance(WEEK);
    for (url, title) in [
        (&revoked.url, "This invitation was withdrawn"),
        (&late.url, "This invitation has expired"),
        (&unknown, "This invitation is not known"),
    ] {
        let page = browser.visit(url).await;
        assert_eq!(page.status, 400);
        assert!(page.text.contains(title), "{}", page.text);
        assert!(!page.text.contains("Acme"), "it says nothing of the organization");
    }
    // The page was open in the meantime, or the sign-up.
    let late_form = browser.submit(&open, &[]).await;
    assert!(late_form.text.contains("This invitation was withdrawn"));
    assert!(
        browser
            .submit(&begun, &[("password", PASSWORD)])
            .await
            .text
            .contains("This sign-in is over")
    );
    let closed = browser.submit(&form, &[("password", PASSWORD)]).await;
    assert_eq!(closed.status, 403);
    assert!(closed.text.contains("Nobody can sign up here"), "{}", closed.text);
    let created = http::events(&acme.emulator).await.into_iter();
    let created =
        created.filter(|(name, data)| name == "user.created" && data["email"] != "ada@acme.example");
    assert_eq!(created.count(), 0);
}

#[actix_web::test]
async fn other_sites_accept_nothing() {
    let acme = Acme::start().await;
    let invitation = acme.invite(NEW);
    for site in ["cross-site", "same-site"] {
        let request = http::client()
            .post(format!("{}/invite", acme.emulator.url()))
            .header("sec-fetch-site", site)
            .form(&[("invitation_token", invitation.token.as_str())]);
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers().get("set-cookie")),
            (403, None)
        );
    }
}

#[actix_web::test]
async fn without_a_redirect_uri_there_is_nowhere_to_go() {
    let emulator = Emulator::start().await.unwrap();
    let invitation = emulator.invitation(NEW).create().unwrap();
    let browser = Browser::new();
    let page = browser.visit(&invitation.url).await;
    assert!(
        page.text.contains("You are invited to join Sandbox."),
        "{}",
        page.text
    );
    let page = browser.submit(&page, &[]).await;
    assert_eq!(page.status, 400);
    assert!(
        page.text.contains("There is no application to go to"),
        "{}",
        page.text
    );
}

#[actix_web::test]
async fn links_of_other_environments_lead_to_them() {
    let emulator = Emulator::start().await.unwrap();
    let other = emulator.environment("other").unwrap();
    http::call(
        &other,
        Method::POST,
        "/user_management/redirect_uris",
        &json!({"uri": CALLBACK}),
    )
    .await;
    let invitation = other.invitation(NEW).create().unwrap();
    assert!(invitation.url.contains(other.client_id()), "{}", invitation.url);
    let form = accept(&Browser::new(), &invitation.url).await;
    assert_eq!((form.status, form.url.path()), (200, "/authkit/sign-up"));
    let stranger = invitation.url.replace(other.client_id(), "client_emulate");
    assert!(
        Browser::new()
            .visit(stranger)
            .await
            .text
            .contains("This invitation is not known")
    );
}

/// The application takes no code that it did not ask for, and asks for a sign-in itself: that needs no second password.
#[actix_web::test]
async fn an_application_that_asks_for_its_own_sign_in_gets_it_at_once() {
    let app = TestApp::start().await;
    let uri = json!({"uri": app.path("/auth/callback")});
    http::call(
        &app.emulator,
        Method::POST,
        "/user_management/redirect_uris",
        &uri,
    )
    .await;
    let invitation = app
        .emulator
        .invitation("new@x.example")
        .to(&app.acme)
        .role("editor");
    let invitation = invitation.invited_by(&app.ada).create().unwrap();
    let browser = Browser::new();
    let form = accept(&browser, &invitation.url).await;
    let landed = browser.submit(&form, &[("password", PASSWORD)]).await;
    assert_eq!(
        (landed.status, landed.url.as_str()),
        (200, app.path("/").as_str()),
        "{}",
        landed.text
    );
    let me = browser.visit(app.path("/me")).await.json();
    assert_eq!(
        (&me["email"], &me["organization"], &me["role"]),
        (&json!("new@x.example"), &json!(app.acme.id), &json!("editor"))
    );
    // Once: the next sign-in asks.
    browser.visit(app.path("/auth/sign-out")).await;
    browser.post(app.path("/auth/sign-out")).await;
    let form = browser.visit(app.path("/me")).await;
    assert_eq!(form.url.path(), "/authkit/sign-in");
}

/// A code that was taken is not given again, whatever cookie the browser has.
#[actix_web::test]
async fn a_code_that_was_taken_signs_nobody_in_again() {
    let acme = Acme::start().await;
    let invitation = acme.invite(NEW);
    let browser = Browser::new();
    let form = accept(&browser, &invitation.url).await;
    let callback = browser
        .submit_and_stop(&form, &[("password", PASSWORD)])
        .await
        .location();
    acme.redeem(&callback).await;
    let authorize = format!(
        "{}/user_management/authorize?client_id=client_emulate&response_type=code&provider=authkit&redirect_uri={CALLBACK}",
        acme.emulator.url()
    );
    let page = browser.visit(authorize).await;
    assert_eq!((page.status, page.url.path()), (200, "/authkit/sign-in"));
}

#[actix_web::test]
async fn authorize_takes_the_token_to_the_pages() {
    let acme = Acme::start().await;
    acme.set(json!({"sign_up": false})).await;
    let invitation = acme.invite(NEW);
    let authorize = |with: &str| {
        format!(
            "{}/user_management/authorize?client_id=client_app&response_type=code&provider=authkit&state=s\
             &redirect_uri={CALLBACK}&{with}",
            acme.emulator.url()
        )
    };
    let with = format!("invitation_token={}", invitation.token);
    let browser = Browser::new();
    let form = browser
        .visit(authorize(&format!("{with}&screen_hint=sign-in")))
        .await;
    assert_eq!(form.url.path(), "/authkit/sign-in");
    assert!(form.text.contains("Ada Lovelace invited you to join Acme.") && form.text.contains("Sign up"));
    let form = browser.visit(authorize(&with)).await;
    assert_eq!(form.url.path(), "/authkit/sign-up", "nobody has this address yet");
    let callback = browser
        .submit_and_stop(&form, &[("password", PASSWORD)])
        .await
        .location();
    assert_eq!(parameter(&callback, "state"), "s");
    let signed_in = acme.redeem_as(&callback, "client_app").await;
    assert_eq!(signed_in["organization_id"], acme.acme.id.as_str());
    let refused = browser.step(authorize(&with)).await.location();
    assert_eq!(
        (
            parameter(&refused, "error").as_str(),
            parameter(&refused, "state").as_str()
        ),
        ("invitation_invalid", "s")
    );
    // Without it, sign-up is closed.
    let form = browser.visit(authorize("screen_hint=sign-up")).await;
    assert_eq!(form.url.path(), "/authkit/sign-in");
    assert!(!form.text.contains("Sign up"));
}
