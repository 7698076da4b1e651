//! Flows of an app's own, with the emulator: single sign-on without AuthKit, a password form, re-authentication, the Admin
//! Portal, and signing out of more than a session.

use std::time::Duration;

use actix_web::{App, FromRequest, HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use workos::{
    GenerateLinkIntent, Profile,
    user_management::{AuthenticateWithPasswordParams, ListSessionsParams},
};
use workos_actix::{AdminPortalError, AuthError, AuthKit, AuthUser, SignInError, SsoCallback};
use workos_emulator::{Connection, Emulator, Organization, SsoProfile, User};

use crate::{
    app::AppClock,
    browser::{Browser, Page},
    sdk, server,
};

const PASSWORD: &str = "seven quiet lighthouses";

struct World {
    url: String,
    emulator: Emulator,
    /// Without single sign-on.
    acme: Organization,
    /// With single sign-on.
    initech: Organization,
    okta: Connection,
    ada: User,
}

async fn world() -> World {
    let emulator = Emulator::start().await.unwrap();
    emulator.role("admin").create().unwrap();
    let acme = emulator.organization("Acme").create().unwrap();
    let initech = emulator
        .organization("Initech")
        .domain("initech.example")
        .create()
        .unwrap();
    let okta = emulator
        .connection(&initech)
        .connection_type("OktaSAML")
        .profile(SsoProfile::new("peter@initech.example").idp_id("00u1"))
        .create()
        .unwrap();
    let ada = emulator.user("ada@example.com").password(PASSWORD);
    let ada = ada.member_of(&acme, "admin").create().unwrap();
    let (listener, url) = server::listen();
    let authkit = AuthKit::builder()
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .api_base_url(emulator.url())
        .cookie_password("0123456789abcdef0123456789abcdef")
        .redirect_uri(format!("{url}/auth/callback"))
        .after_sign_out(&url)
        .clock(AppClock(emulator.clock()))
        .build()
        .unwrap();
    let callback = SsoRedirect(format!("{url}/sso/callback"));
    server::serve(listener, 1, move || {
        App::new()
            .app_data(web::Data::new(authkit.clone()))
            .app_data(web::Data::new(callback.clone()))
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/", web::get().to(|| async { "home" }))
            .route("/me", web::get().to(me))
            .route("/sso/{by}/{what}", web::get().to(begin_sso))
            .route("/sso/callback", web::get().to(complete_sso))
            .route("/log-in", web::post().to(log_in))
            .route("/pay", web::get().to(pay))
            .route("/portal/{intent}", web::post().to(portal))
            .route("/elsewhere", web::post().to(sign_out_elsewhere))
    });
    World {
        url,
        emulator,
        acme,
        initech,
        okta,
        ada,
    }
}

pub(crate) async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "id": user.id(), "session": user.session_id(), "organization": user.organization_id(), "role": user.role(),
    }))
}

#[derive(Clone)]
struct SsoRedirect(String);

async fn begin_sso(
    request: HttpRequest,
    way: web::Path<(String, String)>,
    authkit: web::Data<AuthKit>,
    redirect_uri: web::Data<SsoRedirect>,
) -> HttpResponse {
    let (by, what) = way.into_inner();
    let sso = authkit
        .sso(&request, &redirect_uri.0)
        .return_to("/reports?year=2026")
        .state(&["invoice", "17"]);
    let sso = match by.as_str() {
        "connection" => sso.connection(what),
        "organization" => sso.organization(what),
        "domain" => sso.domain(what),
        _ => sso.provider(what),
    };
    sso.redirect()
}

async fn complete_sso(sso: Result<SsoCallback, SignInError>) -> HttpResponse {
    match sso {
        Ok(sso) => HttpResponse::Ok().json(json!({
            "profile": sso.profile, "return_to": sso.return_to, "state": sso.state::<Value>(),
        })),
        Err(error) => HttpResponse::build(error.status()).json(json!({ "code": error.code() })),
    }
}

#[derive(Deserialize)]
pub(crate) struct LogIn {
    email: String,
    password: String,
}

/// A password form of the app's own.
pub(crate) async fn log_in(
    request: HttpRequest,
    form: web::Form<LogIn>,
    authkit: web::Data<AuthKit>,
) -> Result<HttpResponse, actix_web::Error> {
    let params = AuthenticateWithPasswordParams::new(&form.email, form.password.as_str());
    let answer = authkit
        .client()
        .user_management()
        .authenticate_with_password(params)
        .await;
    let answer = answer.map_err(actix_web::error::ErrorUnauthorized)?;
    Ok(me(authkit.save_session(&request, answer).await?).await)
}

async fn pay(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<String, AuthError> {
    authkit.require_recent_auth(&request, Duration::from_secs(120))?;
    let user = AuthUser::extract(&request).await?;
    Ok(format!("paid by {}", user.email()))
}

async fn portal(
    request: HttpRequest,
    intent: web::Path<String>,
    authkit: web::Data<AuthKit>,
) -> Result<HttpResponse, AdminPortalError> {
    let portal = authkit.admin_portal(&request, GenerateLinkIntent::from(intent.into_inner()));
    portal
        .return_to("/settings?from=portal")
        .success_to("//evil.example")
        .redirect()
        .await
}

async fn sign_out_elsewhere(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<String, AuthError> {
    Ok(authkit.sign_out_elsewhere(&request).await?.to_string())
}

impl World {
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn signed_in(&self) -> (Browser, String) {
        let browser = Browser::new();
        let form = browser.visit(self.path("/me")).await;
        let page = browser.sign_in(&form, &self.ada.email, PASSWORD).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let session = page.json()["session"].as_str().unwrap().to_owned();
        (browser, session)
    }

    /// The sessions that WorkOS has for Ada.
    async fn sessions(&self) -> Vec<String> {
        let sdk = sdk::client(&self.emulator);
        let sessions = sdk
            .user_management()
            .list_sessions(&self.ada.id, ListSessionsParams::default())
            .await
            .unwrap();
        let mut ids: Vec<_> = sessions
            .data
            .into_iter()
            .filter(|session| session.ended_at.is_none())
            .map(|session| session.id)
            .collect();
        ids.sort();
        ids
    }
}

/// From the page of the identity provider to the app's callback, which is not visited.
async fn answer(browser: &Browser, page: &Page) -> String {
    assert!(page.url.path().starts_with("/idp/"), "{} {}", page.url, page.text);
    let (before, _) = page.text.split_once("peter@initech.example").unwrap();
    let (_, after) = before.rsplit_once("name=\"profile\" value=\"").unwrap();
    let profile = after.split_once('"').unwrap().0;
    let response = browser.submit_and_stop(page, &[("profile", profile)]).await;
    // The provider's page sends the response by itself.
    let consumed = browser.submit_and_stop(&response, &[]).await;
    browser.step(consumed.location()).await.location().into()
}

#[actix_web::test]
async fn a_profile_comes_back_from_the_identity_provider() {
    let world = world().await;
    for way in [
        format!("connection/{}", world.okta.id),
        format!("organization/{}", world.initech.id),
        "domain/initech.example".to_owned(),
    ] {
        let browser = Browser::new();
        let page = browser.visit(world.path(&format!("/sso/{way}"))).await;
        let callback = answer(&browser, &page).await;
        assert!(callback.starts_with(&world.path("/sso/callback?")), "{callback}");

        // It belongs to this browser, and to single sign-on.
        let victim = Browser::new();
        let refused = victim.visit(&callback).await;
        assert_eq!(refused.refusal(), (400, "invalid_state".to_owned()), "{way}");
        let authkits = callback.replace("/sso/callback", "/auth/callback");
        assert_eq!(browser.copy(&world.url).fetch(&authkits).await.status, 400);

        let done = browser.visit(&callback).await;
        assert_eq!(done.status, 200, "{way} {}", done.text);
        let body = done.json();
        let profile: Profile = serde_json::from_value(body["profile"].clone()).unwrap();
        assert_eq!(
            (profile.email.as_str(), profile.idp_id.as_str()),
            ("peter@initech.example", "00u1")
        );
        assert_eq!(profile.organization_id, Some(world.initech.id.clone()));
        assert_eq!(profile.connection_id, world.okta.id);
        assert_eq!(
            (&body["return_to"], &body["state"]),
            (&json!("/reports?year=2026"), &json!(["invoice", "17"]))
        );
        // Once. Nobody is signed in by it.
        assert_eq!(browser.visit(&callback).await.refusal().1, "invalid_state");
        assert!(!browser.has_session(&world.url));
    }
}

#[actix_web::test]
async fn an_attempt_at_authkit_is_none_at_single_sign_on() {
    let world = world().await;
    let browser = Browser::new();
    let form = browser.visit(world.path("/me")).await;
    let form = browser.submit(&form, &[("email", &world.ada.email)]).await;
    let callback = browser.submit_and_stop(&form, &[("password", PASSWORD)]).await;
    let callback = callback
        .location()
        .as_str()
        .replace("/auth/callback", "/sso/callback");
    assert_eq!(browser.visit(&callback).await.refusal().1, "invalid_state");
    for planted in ["code=planted", "code=planted&state=planted", ""] {
        let refused = browser
            .visit(world.path(&format!("/sso/callback?{planted}")))
            .await;
        assert_eq!(refused.status, 400, "{planted}");
    }
}

#[actix_web::test]
async fn the_identity_provider_may_say_no() {
    let world = world().await;
    let browser = Browser::new();
    let unknown = browser.visit(world.path("/sso/connection/conn_made_up")).await;
    assert_eq!(unknown.status, 401, "{}", unknown.text);
    assert_eq!(unknown.url.path(), "/sso/callback");
    let one = browser.visit(world.path("/sso/provider/Nonsense")).await;
    assert!([400, 401].contains(&one.status), "{} {}", one.status, one.text);
}

#[actix_web::test]
async fn a_password_form_of_the_app_signs_in() {
    let world = world().await;
    let browser = Browser::new();
    let fields = |password| [("email", "ada@example.com"), ("password", password)];
    let wrong = browser.post_form(world.path("/log-in"), &fields("wrong")).await;
    assert_eq!(wrong.status, 401);
    assert!(!browser.has_session(&world.url));
    let page = browser.post_form(world.path("/log-in"), &fields(PASSWORD)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let me = browser.visit(world.path("/me")).await.json();
    assert_eq!(me, page.json());
    assert_eq!(
        (&me["organization"], &me["role"]),
        (&json!(world.acme.id), &json!("admin"))
    );
    // A session like any other: it is refreshed, and ends at WorkOS.
    world.emulator.clock().advance(Duration::from_secs(301));
    assert_eq!(browser.visit(world.path("/me")).await.json(), me);
    let out = browser.post(world.path("/auth/sign-out")).await;
    assert_eq!((out.status, out.text.as_str()), (200, "home"));
    assert_eq!(world.sessions().await, [""; 0]);
}

#[actix_web::test]
async fn paying_needs_a_fresh_sign_in() {
    let world = world().await;
    let (browser, _) = world.signed_in().await;
    assert_eq!(
        browser.visit(world.path("/pay")).await.text,
        "paid by ada@example.com"
    );
    world.emulator.clock().advance(Duration::from_secs(121));
    let form = browser.visit(world.path("/pay")).await;
    assert!(
        form.url.as_str().starts_with(world.emulator.url()),
        "AuthKit asks, and not the app: {}",
        form.url
    );
    assert_eq!(
        browser.visit(world.path("/me")).await.status,
        200,
        "still signed in"
    );
    let form = browser.visit(world.path("/pay")).await;
    let paid = browser.sign_in(&form, "ada@example.com", PASSWORD).await;
    assert_eq!(paid.text, "paid by ada@example.com", "{}", paid.url);
    // Refreshing is no fresh sign-in.
    world.emulator.clock().advance(Duration::from_secs(301));
    assert_eq!(
        browser.fetch(world.path("/pay")).await.refusal().1,
        "reauthentication_required"
    );
}

#[actix_web::test]
async fn signing_out_everywhere_ends_every_session() {
    let world = world().await;
    let (phone, first) = world.signed_in().await;
    let (laptop, second) = world.signed_in().await;
    let bearer = sdk::client(&world.emulator);
    let params = AuthenticateWithPasswordParams::new(&world.ada.email, PASSWORD);
    bearer
        .user_management()
        .authenticate_with_password(params)
        .await
        .unwrap();
    assert_eq!(world.sessions().await.len(), 3);

    // Everywhere else first.
    let (tablet, third) = world.signed_in().await;
    assert_eq!(tablet.post(world.path("/elsewhere")).await.text, "3");
    assert_eq!(world.sessions().await, [third]);
    assert_ne!(first, second);
    assert_eq!(phone.fetch(world.path("/me")).await.status, 401, "at once");
    assert_eq!(laptop.fetch(world.path("/me")).await.status, 401);
    assert_eq!(tablet.fetch(world.path("/me")).await.status, 200);

    let (phone, _) = world.signed_in().await;
    let fields = [("scope", "everywhere")];
    let out = tablet.post_form(world.path("/auth/sign-out"), &fields).await;
    assert_eq!((out.status, out.text.as_str()), (200, "home"));
    assert_eq!(world.sessions().await, [""; 0]);
    for browser in [&phone, &tablet] {
        assert_eq!(browser.fetch(world.path("/me")).await.status, 401);
    }
}

#[actix_web::test]
async fn this_browser_alone_leaves_the_session_at_workos() {
    let world = world().await;
    let (browser, session) = world.signed_in().await;
    let out = browser
        .post_form(world.path("/auth/sign-out"), &[("scope", "here")])
        .await;
    assert_eq!(out.text, "home");
    assert!(!browser.has_session(&world.url));
    assert_eq!(world.sessions().await, [session]);
}

#[actix_web::test]
async fn the_admin_portal_is_that_of_the_sessions_organization() {
    let world = world().await;
    let (browser, _) = world.signed_in().await;
    let portal = browser.post(world.path("/portal/domain_verification")).await;
    assert_eq!(portal.status, 200, "{}", portal.text);
    assert!(
        portal.url.as_str().starts_with(world.emulator.url()),
        "{}",
        portal.url
    );
    assert!(portal.text.contains("Acme") && !portal.text.contains("Initech"));
    assert!(
        portal.text.contains(&world.path("/settings?from=portal")),
        "{}",
        portal.text
    );
    assert!(!portal.text.contains("evil.example"));
    let unknown = browser.post(world.path("/portal/nonsense")).await;
    assert_eq!(
        (unknown.status, unknown.json()["code"].as_str()),
        (502, Some("bad_gateway"))
    );
    // Without an organization, and without anybody.
    world
        .emulator
        .user("loner@example.com")
        .password(PASSWORD)
        .create()
        .unwrap();
    let loner = Browser::new();
    let form = loner.visit(world.path("/me")).await;
    let page = loner.sign_in(&form, "loner@example.com", PASSWORD).await;
    assert_eq!(page.json()["organization"], Value::Null);
    let refused = loner.post(world.path("/portal/sso")).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (403, Some("no_organization"))
    );
}
