//! An Actix app with `workos-actix`, on two workers, and the WorkOS that it signs in with: an emulator behind a proxy.

use std::{
    net::TcpListener,
    time::{Duration, SystemTime},
};

use actix_web::{App, HttpResponse, dev::Service as _, web};
use serde_json::json;
use tokio::sync::watch;
use workos_actix::{AuthKit, AuthKitBuilder, AuthUser, Clock, ensure_signed_in};
use workos_emulator::{EmulatedClock, Emulator, Organization, User};

use crate::{
    browser::{Browser, Page},
    proxy::Proxy,
    server,
};

pub(crate) const PASSWORD: &str = "seven quiet lighthouses";
/// A little more than an access token's life, in seconds.
pub(crate) const EXPIRED: u64 = 301;

pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) authkit: AuthKit,
    pub(crate) emulator: Emulator,
    pub(crate) proxy: Proxy,
    pub(crate) acme: Organization,
    pub(crate) globex: Organization,
    /// An editor at Acme.
    pub(crate) ada: User,
    /// A member of both.
    pub(crate) bob: User,
    /// Requests that have reached the app, before the middleware.
    arrivals: watch::Sender<usize>,
}

/// The app's time is that of its WorkOS.
#[derive(Debug)]
pub(crate) struct AppClock(pub(crate) EmulatedClock);

impl Clock for AppClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(|builder| builder).await
    }

    pub(crate) async fn start_with(settings: impl FnOnce(AuthKitBuilder) -> AuthKitBuilder) -> Self {
        let emulator = Emulator::start().await.unwrap();
        let proxy = Proxy::start(emulator.url());
        let acme = emulator.organization("Acme").create().unwrap();
        let globex = emulator.organization("Globex").create().unwrap();
        emulator
            .role("editor")
            .permissions(["posts:read", "posts:write"])
            .create()
            .unwrap();
        let ada = emulator
            .user("ada@example.com")
            .first_name("Ada")
            .password(PASSWORD);
        let ada = ada.member_of(&acme, "editor").create().unwrap();
        let bob = emulator.user("bob@example.com").password(PASSWORD);
        let bob = bob
            .member_of(&acme, "member")
            .member_of(&globex, "editor")
            .create()
            .unwrap();

        let (listener, url) = server::listen();
        let authkit = settings(authkit(&emulator, proxy.url(), &url)).build().unwrap();
        let arrivals = watch::Sender::new(0);
        serve(listener, authkit.clone(), arrivals.clone());
        Self {
            url,
            authkit,
            emulator,
            proxy,
            acme,
            globex,
            ada,
            bob,
            arrivals,
        }
    }

    /// The URL of a second machine with the same app. Both have the cookie password; neither has the other's memory.
    pub(crate) fn second_machine(&self) -> String {
        let (listener, url) = server::listen();
        let authkit = authkit(&self.emulator, self.proxy.url(), &self.url)
            .build()
            .unwrap();
        serve(listener, authkit, watch::Sender::new(0));
        url
    }

    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.emulator.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) fn arrived(&self) -> usize {
        *self.arrivals.borrow()
    }

    /// Waits until so many requests have reached the app.
    pub(crate) async fn arrivals_reach(&self, number: usize) {
        let mut arrivals = self.arrivals.subscribe();
        arrivals.wait_for(|arrived| *arrived >= number).await.unwrap();
    }

    /// A browser in which Ada has signed in, and what it shows.
    pub(crate) async fn signed_in(&self) -> (Browser, Page) {
        let browser = Browser::new();
        let form = browser.visit(self.path("/me")).await;
        let page = browser.sign_in(&form, &self.ada.email, PASSWORD).await;
        assert_eq!(page.status, 200, "{}", page.text);
        (browser, page)
    }

    /// Signs Ada in, in this browser, as far as the callback, which it is not sent to.
    pub(crate) async fn callback(&self, browser: &Browser, path: &str) -> String {
        let form = browser.visit(self.path(path)).await;
        let form = browser.submit(&form, &[("email", &self.ada.email)]).await;
        let callback = browser
            .submit_and_stop(&form, &[("password", PASSWORD)])
            .await
            .location();
        assert_eq!(callback.path(), "/auth/callback", "{callback}");
        callback.into()
    }
}

fn authkit(emulator: &Emulator, api_url: &str, app_url: &str) -> AuthKitBuilder {
    AuthKit::builder()
        .api_key(emulator.api_key())
        .client_id(emulator.client_id())
        .api_base_url(api_url)
        .cookie_password("0123456789abcdef0123456789abcdef")
        .redirect_uri(format!("{app_url}/auth/callback"))
        .clock(AppClock(emulator.clock()))
}

fn serve(listener: TcpListener, authkit: AuthKit, arrived: watch::Sender<usize>) {
    server::serve(listener, 2, move || {
        let arrived = arrived.clone();
        App::new()
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route("/", web::get().to(home))
            .route("/me", web::get().to(me))
            .service(
                web::scope("/app")
                    .wrap(ensure_signed_in())
                    .route("/page", web::get().to(|| async { "inside" })),
            )
            .wrap_fn(move |request, service| {
                arrived.send_modify(|number| *number += 1);
                service.call(request)
            })
    });
}

async fn home(user: Option<AuthUser>) -> String {
    match user {
        Some(user) => format!("hello {}", user.email()),
        None => "hello stranger".to_owned(),
    }
}

async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "id": user.id(), "email": user.email(), "name": user.name(), "session": user.session_id(),
        "organization": user.organization_id(), "role": user.role(), "permissions": user.permissions(),
        "jti": user.claims().jti, "impersonator": user.impersonator(),
    }))
}
