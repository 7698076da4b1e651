//! Requests that are signed in.

use std::sync::LazyLock;

use actix_web::{cookie::Cookie, http::header::AUTHORIZATION, test::TestRequest};

use super::{TestApiKey, TestMachine, TestUser, authkit, in_memory, now};
use crate::AuthKit;

/// Whose cookies [`signed_in_as`](TestRequestExt::signed_in_as) makes.
static ORDINARY: LazyLock<AuthKit> = LazyLock::new(authkit);

/// Says who sends a request of a test; see [the module](super).
pub trait TestRequestExt: Sized {
    /// A person's browser sends it, with a session cookie of [`authkit`] or [`builder`](super::builder).
    ///
    /// # Panics
    /// When what the user's token says does not fit into four cookies: keep the session in a store, and use
    /// [`session_cookies`](super::session_cookies).
    #[must_use]
    fn signed_in_as(self, user: &TestUser) -> Self;

    /// With cookies, such as those of [`session_cookies`](super::session_cookies).
    #[must_use]
    fn with_cookies(self, cookies: impl IntoIterator<Item = Cookie<'static>>) -> Self;

    /// A person's single-page or mobile app sends it, with their access token in `Authorization`. The AuthKit has to
    /// [accept those](crate::AuthKitBuilder::bearer_tokens), as [`authkit`] does.
    #[must_use]
    fn with_access_token(self, user: &TestUser) -> Self;

    /// A program of a customer's sends it, with an API key in `Authorization`. The AuthKit has to
    /// [accept those](crate::AuthKitBuilder::api_keys), as [`authkit`] does.
    #[must_use]
    fn with_api_key(self, key: &TestApiKey) -> Self;

    /// A machine sends it, with its access token in `Authorization`. The AuthKit has to accept
    /// [those of the tests](super::machine_tokens), as [`authkit`] does.
    #[must_use]
    fn with_machine_token(self, machine: &TestMachine) -> Self;
}

impl TestRequestExt for TestRequest {
    #[expect(clippy::panic, reason = "a test says at once what is wrong with it")]
    fn signed_in_as(self, user: &TestUser) -> Self {
        match ORDINARY.session_cookie().self_contained(&user.session(now())) {
            Ok(cookies) => self.with_cookies(cookies.iter().cloned()),
            Err(error) => panic!("{error}"),
        }
    }

    fn with_cookies(self, cookies: impl IntoIterator<Item = Cookie<'static>>) -> Self {
        cookies.into_iter().fold(self, |request, cookie| {
            // As a browser sends it: name and value.
            let (name, value) = (cookie.name().to_owned(), cookie.value().to_owned());
            request.cookie(Cookie::new(name, value))
        })
    }

    fn with_access_token(self, user: &TestUser) -> Self {
        in_memory::remember_user(user);
        bearer(self, &user.access_token(now()))
    }

    fn with_api_key(self, key: &TestApiKey) -> Self {
        bearer(self, key.issued())
    }

    fn with_machine_token(self, machine: &TestMachine) -> Self {
        bearer(self, &machine.access_token(now()))
    }
}

fn bearer(request: TestRequest, credential: &str) -> TestRequest {
    request.insert_header((AUTHORIZATION, format!("Bearer {credential}")))
}
