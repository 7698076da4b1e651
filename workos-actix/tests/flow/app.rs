//! The app under test, on two workers.

use std::net::TcpListener;

use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, HttpServer,
    body::BoxBody,
    dev::{Service as _, ServiceRequest, ServiceResponse},
    error::ErrorImATeapot,
    middleware::{Next, from_fn},
    web,
};
use serde_json::json;
use tokio::sync::watch;
use workos_actix::{AuthError, AuthExt, AuthKit, AuthKitBuilder, AuthUser, ensure_signed_in};

use crate::{
    browser::Browser,
    credential_pages,
    fake_workos::{FakeWorkOs, TestClock},
    handlers,
};

pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) workos: FakeWorkOs,
    pub(crate) clock: TestClock,
    pub(crate) authkit: AuthKit,
    /// Requests that have reached the app, before the middleware.
    arrivals: watch::Sender<usize>,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(|builder| builder).await
    }

    pub(crate) async fn start_with(settings: impl FnOnce(AuthKitBuilder) -> AuthKitBuilder) -> Self {
        Self::start_for(|builder, _| settings(builder)).await
    }

    /// Settings that depend on where WorkOS is.
    pub(crate) async fn start_for(
        settings: impl FnOnce(AuthKitBuilder, &FakeWorkOs) -> AuthKitBuilder,
    ) -> Self {
        let clock = TestClock::new();
        let workos = FakeWorkOs::start(clock.clone());
        Self::start_at(workos, clock, settings)
    }

    /// Another machine of the same app: the same WorkOS and the same time, a memory of its own.
    pub(crate) fn another(&self, settings: impl FnOnce(AuthKitBuilder) -> AuthKitBuilder) -> Self {
        Self::start_at(self.workos.clone(), self.clock.clone(), |builder, _| {
            settings(builder)
        })
    }

    /// At a WorkOS that is already there.
    pub(crate) fn start_at(
        workos: FakeWorkOs,
        clock: TestClock,
        settings: impl FnOnce(AuthKitBuilder, &FakeWorkOs) -> AuthKitBuilder,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let builder = AuthKit::builder()
            .api_key("sk_test_1")
            .client_id("client_1")
            .cookie_password("0123456789abcdef0123456789abcdef")
            .redirect_uri(format!("{url}/auth/callback"))
            .api_base_url(workos.url())
            .clock(clock.clone());
        let authkit = settings(builder, &workos).build().unwrap();
        let shared = authkit.clone();
        let arrivals = watch::Sender::new(0);
        let arrived = arrivals.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .wrap(shared.middleware())
                .configure(shared.routes())
                .configure(pages)
                .configure(handlers::configure)
                .wrap_fn({
                    let arrived = arrived.clone();
                    move |request, service| {
                        arrived.send_modify(|number| *number += 1);
                        service.call(request)
                    }
                })
        })
        .workers(2)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        actix_web::rt::spawn(server);
        Self {
            url,
            workos,
            clock,
            authkit,
            arrivals,
        }
    }

    pub(crate) fn arrived(&self) -> usize {
        *self.arrivals.borrow()
    }

    /// Waits until a number of requests has reached the app since it was started.
    pub(crate) async fn arrivals_reach(&self, number: usize) {
        let mut arrivals = self.arrivals.subscribe();
        arrivals.wait_for(|arrived| *arrived >= number).await.unwrap();
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// The same browser, when a load balancer sends it here.
    pub(crate) fn takes_over(&self, browser: &Browser) -> Browser {
        let mut here = self.browser();
        here.cookies.clone_from(&browser.cookies);
        here
    }

    /// A browser that has signed in.
    pub(crate) async fn signed_in(&self) -> Browser {
        self.signed_in_at("/auth/sign-in").await
    }

    pub(crate) async fn signed_in_at(&self, sign_in: &str) -> Browser {
        let mut browser = self.browser();
        let response = browser.sign_in(&self.workos, sign_in).await;
        assert_eq!(response.status, 307, "{}", response.body);
        browser
    }
}

pub(crate) fn pages(app: &mut web::ServiceConfig) {
    app.route("/", web::get().to(home))
        .configure(credential_pages::pages)
        .route("/me", web::get().to(me))
        .route("/me", web::post().to(me))
        .route("/greeting", web::get().to(greeting))
        .route("/refresh", web::post().to(refresh))
        .route("/open/{organization}", web::get().to(open))
        .route(
            "/debug",
            web::get().to(|user: AuthUser| async move { format!("{user:?}") }),
        )
        .route("/style.css", web::get().to(|| async { "body {}" }))
        .route("/own-caching", web::get().to(own_caching))
        .service(
            web::scope("/scope")
                .wrap(ensure_signed_in())
                .route("/page", web::get().to(|| async { "inside" })),
        )
        .service(
            web::scope("/teapot")
                .wrap(from_fn(teapot))
                .route("", web::get().to(|| async { "never" })),
        );
}

/// Tells a stranger from a user who cannot be checked at the moment.
async fn greeting(request: HttpRequest) -> Result<String, AuthError> {
    Ok(request
        .auth()?
        .map_or("stranger".to_owned(), |auth| auth.subject().to_owned()))
}

async fn home(user: Option<AuthUser>) -> String {
    match user {
        Some(user) => format!("hello {}", user.email()),
        None => "hello stranger".to_owned(),
    }
}

/// Fetches new tokens, and tells who is signed in by then.
async fn refresh(request: HttpRequest, authkit: web::Data<AuthKit>) -> Result<HttpResponse, AuthError> {
    let user = authkit.refresh_session(&request).await?;
    Ok(me(user).await)
}

/// Moves to an organization, and tells what everybody else in the same request sees of it.
async fn open(
    request: HttpRequest,
    organization: web::Path<String>,
    authkit: web::Data<AuthKit>,
) -> Result<HttpResponse, AuthError> {
    let user = authkit.switch_organization(&request, &organization).await?;
    assert_eq!(user.organization_id(), Some(organization.as_str()));
    assert_eq!(request.auth()?.unwrap().organization_id(), user.organization_id());
    Ok(me(AuthUser::extract(&request).await?).await)
}

async fn me(user: AuthUser) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "id": user.id(), "email": user.email(), "name": user.name(), "session": user.session_id(),
        "organization": user.organization_id(), "role": user.role(), "roles": user.roles(),
        "permissions": user.permissions(), "entitlements": user.entitlements(),
        "feature_flags": user.feature_flags(), "impersonator": user.impersonator(), "jti": user.claims().jti,
        "auth_time": user.claims().auth_time,
    }))
}

async fn own_caching(_user: AuthUser) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Cache-Control", "private, max-age=60"))
        .body("mine")
}

/// A middleware that fails, as many do.
async fn teapot(_: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    Err(ErrorImATeapot("short and stout"))
}
