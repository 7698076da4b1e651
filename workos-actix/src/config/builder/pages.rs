//! Where the pages are, which of them need somebody, and how refusals are answered.

use actix_web::{HttpRequest, HttpResponse};

use super::AuthKitBuilder;
use crate::AuthError;

impl AuthKitBuilder {
    /// Where the sign-in, sign-up, sign-out and switch routes are: `/auth` by default. The callback route is always at the
    /// path of the redirect URI.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Where the callback route is, if not at the path of the redirect URI: for a proxy that rewrites paths.
    pub fn callback_path(mut self, path: impl Into<String>) -> Self {
        self.callback_path = Some(path.into());
        self
    }

    /// The page after a sign-in that did not ask for one: `/` by default.
    pub fn after_sign_in(mut self, path: impl Into<String>) -> Self {
        self.after_sign_in = path.into();
        self
    }

    /// The page after a failed sign-in; it gets `error` and `error_description` in its query. Without it the callback
    /// answers with a small error page of its own.
    pub fn sign_in_failed(mut self, path: impl Into<String>) -> Self {
        self.sign_in_failed = Some(path.into());
        self
    }

    /// The absolute URL to which WorkOS sends the browser after sign-out. It must be one of the sign-out redirects of
    /// the WorkOS dashboard. Without it WorkOS uses the default sign-out redirect set there, or the app homepage; where
    /// neither is set, people see an error page, so [`build`](Self::build) leaves a hint in the log.
    pub fn after_sign_out(mut self, url: impl Into<String>) -> Self {
        self.after_sign_out = Some(url.into());
        self
    }

    /// Every path needs somebody who is known, by any credential that is accepted, except the AuthKit routes and the
    /// [`unauthenticated_paths`](Self::unauthenticated_paths).
    pub fn require_auth(mut self) -> Self {
        self.require_auth = true;
        self
    }

    /// Paths that stay open under [`require_auth`](Self::require_auth): exact paths, WorkOS's globs (`/blog/(.*)`,
    /// `/docs/:path*`) and Actix's patterns (`/docs/{page}`, `/files/{tail}*`).
    pub fn unauthenticated_paths<I: Into<String>>(mut self, patterns: impl IntoIterator<Item = I>) -> Self {
        self.unauthenticated_paths
            .extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Answers a request that is refused, instead of this crate: whichever extractor, guard or setting refused it. `None`
    /// leaves it as it is: a redirect or a small page for a browser that navigates, problem details for everyone else. The cookies and
    /// cache headers of the response are still looked after.
    ///
    /// ```
    /// use actix_web::{HttpResponse, http::StatusCode};
    /// use serde_json::json;
    /// use workos_actix::{AuthError, AuthKit};
    ///
    /// let builder = AuthKit::builder().on_refusal(|error, request| match error {
    ///     AuthError::Forbidden { requirement } if request.path().starts_with("/api/") => Some(
    ///         HttpResponse::Forbidden().json(json!({ "error": requirement.code(), "help": "https://docs.example/roles" })),
    ///     ),
    ///     _ => None,
    /// });
    /// # drop(builder);
    /// ```
    pub fn on_refusal(
        mut self,
        hook: impl Fn(&AuthError, &HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.set_on_refusal(hook);
        self
    }
}
