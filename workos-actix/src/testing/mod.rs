//! Tests of an app: requests that are signed in, without WorkOS and without a network.
//!
//! The feature `testing` belongs among the dev-dependencies, beside the dependency itself:
//!
//! ```toml
//! [dependencies]
//! workos-actix = "0.1"
//!
//! [dev-dependencies]
//! workos-actix = { version = "0.1", features = ["testing"] }
//! ```
//!
//! Then hand the app an AuthKit from [`authkit`] or [`builder`], and say who sends a request:
//!
//! ```
//! use actix_web::{App, HttpResponse, test, web};
//! use workos_actix::{
//!     AuthKit, AuthUser, ensure_signed_in, require,
//!     testing::{self, TestRequestExt, TestUser},
//! };
//!
//! // The app, as `main` has it with an AuthKit of `AuthKit::from_env()`.
//! fn app(authkit: &AuthKit) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
//!     let routes = authkit.routes();
//!     move |app| {
//!         app.configure(routes)
//!             .route("/me", web::get().to(|user: AuthUser| async move { user.email().to_owned() }))
//!             .service(
//!                 web::scope("/admin")
//!                     .wrap(require().permission("posts:delete"))
//!                     .route("/posts/{id}", web::delete().to(|| async { HttpResponse::NoContent() })),
//!             );
//!     }
//! }
//!
//! # actix_web::rt::System::new().block_on(async {
//! let authkit = testing::authkit();
//! let app = test::init_service(App::new().wrap(authkit.middleware()).configure(app(&authkit))).await;
//!
//! let alice = TestUser::new("alice@acme.example").organization("org_1").role("editor");
//! let request = test::TestRequest::get().uri("/me").signed_in_as(&alice).to_request();
//! assert_eq!(test::call_and_read_body(&app, request).await, "alice@acme.example");
//!
//! // Nobody, somebody, and somebody who may.
//! let delete = || test::TestRequest::delete().uri("/admin/posts/1");
//! assert_eq!(test::call_service(&app, delete().to_request()).await.status(), 401);
//! assert_eq!(test::call_service(&app, delete().signed_in_as(&alice).to_request()).await.status(), 403);
//! let bob = TestUser::new("bob@acme.example").permissions(["posts:delete"]);
//! assert_eq!(test::call_service(&app, delete().signed_in_as(&bob).to_request()).await.status(), 204);
//! # });
//! ```
//!
//! # What is real
//!
//! Everything that runs in production runs in such a test: the session is sealed into a cookie, the cookie is opened, the
//! access token in it is signed (RS256) and verified, and refreshed when it [has expired](TestUser::expired). Only WorkOS is
//! another one: it is in the memory of the process, and knows the [`TestUser`]s, [`TestApiKey`]s and [`TestMachine`]s whose
//! credentials the test has made. It answers what the middleware and the extractors ask: refreshes and switches of the
//! organization, profiles, API keys. Whatever else an app asks of it through [`AuthKit::client`] is an error that says so:
//! for that there is `workos-emulator`, where [`sign_in`] signs in.
//!
//! # In production
//!
//! The feature changes nothing for an AuthKit that is made otherwise: it accepts no credential of a test. And an AuthKit of
//! this module that gets into production by mistake lets nobody in: its signing key and its cookie password are made at
//! random in each process, and no request can bring what they have made.

mod api_key;
mod in_memory;
mod keys;
mod machine;
mod request;
mod sign_in;
mod user;

use std::{error::Error, fmt, sync::LazyLock};

use actix_web::cookie::Cookie;

pub use self::{
    api_key::TestApiKey,
    machine::{TestMachine, machine_tokens},
    request::TestRequestExt,
    sign_in::sign_in,
    user::TestUser,
};
pub(crate) use self::{in_memory::InMemoryTransport, keys::key_set};
use crate::{
    AuthKit, AuthKitBuilder,
    clock::{SystemClock, unix_seconds},
    random::{SystemRandomness, unguessable},
};

static COOKIE_PASSWORD: LazyLock<String> = LazyLock::new(random);

/// An AuthKit for tests, without settings. It accepts every kind of credential: session cookies, access tokens, API keys and
/// machine tokens.
///
/// # Panics
/// Never, as long as the machine has randomness for a key.
#[must_use]
#[expect(clippy::expect_used, reason = "the settings are all here")]
pub fn authkit() -> AuthKit {
    builder()
        .bearer_tokens()
        .api_keys()
        .machine_tokens(machine_tokens())
        .build()
        .expect("the settings are complete")
}

/// A builder with everything an AuthKit needs, for tests of an app with settings of its own: paths, hooks, `require_auth`,
/// which credentials are accepted.
///
/// A request that is [`signed_in_as`](TestRequestExt::signed_in_as) somebody has the encrypted cookie that this makes by
/// default. With another cookie name, cookie password, clock, or place for sessions use [`session_cookies`].
///
/// ```
/// use workos_actix::testing;
///
/// let authkit = testing::builder().require_auth().unauthenticated_paths(["/"]).build()?;
/// # drop(authkit); Ok::<_, workos_actix::ConfigError>(())
/// ```
pub fn builder() -> AuthKitBuilder {
    let mut builder = AuthKit::builder()
        .api_key("sk_test_of_no_use")
        .client_id("client_test")
        .cookie_password(COOKIE_PASSWORD.as_str())
        .redirect_uri("http://localhost:8080/auth/callback")
        .after_sign_out("http://localhost:8080/");
    builder.is_in_memory = true;
    builder
}

/// The cookies of a session that `user` has at an AuthKit with settings of its own: in its own cookie, or its own store, and
/// by its own clock.
///
/// ```
/// use actix_web::{App, test, web};
/// use workos_actix::{AuthUser, testing::{self, TestRequestExt, TestUser}};
///
/// # actix_web::rt::System::new().block_on(async {
/// let authkit = testing::builder().sealed_cookie().cookie_name("acme-session").build()?;
/// let cookies = testing::session_cookies(&authkit, &TestUser::new("alice@acme.example")).await?;
/// let app = App::new()
///     .wrap(authkit.middleware())
///     .route("/me", web::get().to(|user: AuthUser| async move { user.email().to_owned() }));
/// let app = test::init_service(app).await;
/// let request = test::TestRequest::get().uri("/me").with_cookies(cookies).to_request();
/// assert_eq!(test::call_and_read_body(&app, request).await, "alice@acme.example");
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// # Errors
/// When the session does not fit into the cookies, or the store fails.
pub async fn session_cookies(
    authkit: &AuthKit,
    user: &TestUser,
) -> Result<Vec<Cookie<'static>>, TestingError> {
    let session = user.session(authkit.now());
    let cookies = authkit.session_cookie().begin(None, &session).await;
    let cookies = cookies.map_err(TestingError::new)?;
    Ok(cookies.iter().cloned().collect())
}

/// Why a test has no session.
#[derive(Debug)]
pub struct TestingError(String);

impl TestingError {
    fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for TestingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for TestingError {}

fn now() -> i64 {
    unix_seconds(&SystemClock)
}

fn random() -> String {
    unguessable(&SystemRandomness)
}

#[cfg(test)]
mod tests;
