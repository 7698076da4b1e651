//! What the app does at a sign-in, where one comes back to, who is new, what scripts get, and what is told of refreshes.

use std::{error::Error, future::Future};

use actix_web::{HttpRequest, HttpResponse};

use super::AuthKitBuilder;
use crate::{AfterSignIn, SessionRefreshError, SessionRefreshed, SignInError, SignedIn};

impl AuthKitBuilder {
    /// Runs when WorkOS has confirmed a sign-in, before the person is signed in here: the place to keep the app's own
    /// table of users up to date. It may send the person elsewhere.
    ///
    /// An error is a [`SignInError::Hook`]: it signs nobody in here, is answered with 500 (or as
    /// [`on_error`](Self::on_error) says) and stands in the log. The session at WorkOS is left to run out, and the person
    /// may try again. As every handler, the hook is dropped when the browser goes away; whatever must not be half done
    /// belongs into a transaction or a task.
    ///
    /// ```
    /// use workos_actix::{AfterSignIn, AuthKit};
    /// # async fn upsert_user(id: &str, email: &str) -> Result<bool, std::io::Error> { Ok(true) }
    ///
    /// let builder = AuthKit::builder().on_success(|signed_in| async move {
    ///     let is_new = upsert_user(signed_in.user.id(), signed_in.user.email()).await?;
    ///     Ok(match is_new {
    ///         true => AfterSignIn::Redirect("/welcome".to_owned()),
    ///         false => AfterSignIn::Return,
    ///     })
    /// });
    /// # drop(builder);
    /// ```
    pub fn on_success<F>(mut self, hook: impl Fn(SignedIn) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<AfterSignIn, Box<dyn Error + Send + Sync>>> + 'static,
    {
        self.hooks.set_on_success(hook);
        self
    }

    /// Runs when a sign-in fails. `None` answers as without the hook, by [`sign_in_failed`](Self::sign_in_failed) or the
    /// small error page.
    ///
    /// ```
    /// use actix_web::HttpResponse;
    /// use workos_actix::{AuthKit, SignInError};
    ///
    /// let builder = AuthKit::builder().on_error(|error| async move {
    ///     match &error {
    ///         SignInError::Provider { code, .. } if code == "access_denied" => {
    ///             let page = format!("<h1>Another time, then</h1><p>{}</p>", error.message_html());
    ///             Some(HttpResponse::Unauthorized().content_type("text/html").body(page))
    ///         }
    ///         _ => None,
    ///     }
    /// });
    /// # drop(builder);
    /// ```
    pub fn on_error<F>(mut self, hook: impl Fn(SignInError) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<HttpResponse>> + 'static,
    {
        self.hooks.set_on_error(hook);
        self
    }

    /// The redirect URI by request, for an app with several domains; `None` is that of
    /// [`redirect_uri`](Self::redirect_uri).
    ///
    /// Only the host may differ from `WORKOS_REDIRECT_URI`, and WorkOS must know every URL; a sign-in with another one does
    /// not begin (500, and the log says why). A sign-in that was begun for one host is refused at the callback of another.
    /// Choose from a list of your own: the `Host` header is whatever a client sends.
    ///
    /// ```
    /// use workos_actix::AuthKit;
    ///
    /// let builder = AuthKit::builder().redirect_uri_for(|request| match request.connection_info().host() {
    ///     "app.example.de" => Some("https://app.example.de/auth/callback".to_owned()),
    ///     _ => None,
    /// });
    /// # drop(builder);
    /// ```
    pub fn redirect_uri_for(
        mut self,
        choose: impl Fn(&HttpRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.set_redirect_uri(choose);
        self
    }

    /// Paths whose visitors are new: who has to sign in there gets AuthKit's page for a new account first. Patterns as in
    /// [`unauthenticated_paths`](Self::unauthenticated_paths).
    pub fn sign_up_paths<I: Into<String>>(mut self, patterns: impl IntoIterator<Item = I>) -> Self {
        self.sign_up_paths.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Adds the route `/auth/token`, from which scripts of this site get the access token, for APIs that want it as a
    /// bearer token.
    ///
    /// `GET` answers the token of the session, refreshed if that is due; `POST` a new one. Both want the header
    /// `X-Requested-With`, and answer `{"access_token", "token_type", "expires_in", "expires_at", "user_id", "session_id",
    /// "organization_id"}` with `Cache-Control: no-store`, 401 when nobody is signed in, 503 while WorkOS is unreachable,
    /// and 403 to other sites.
    ///
    /// ```js
    /// // What WorkOS's JavaScript kits call getAccessToken() and refresh().
    /// const token = (method) => async () => {
    ///   const response = await fetch("/auth/token", { method, headers: { "X-Requested-With": "fetch" } });
    ///   return response.ok ? (await response.json()).access_token : undefined;
    /// };
    /// const getAccessToken = token("GET"), refresh = token("POST");
    /// ```
    ///
    /// WorkOS's kit for Next.js hands the token to scripts by server actions, which are no protocol, and with `eagerAuth` in
    /// a cookie that scripts can read; its kit for React alone asks WorkOS itself. There is no such cookie here: it would go
    /// along with every request, to every log, and to every script of every subdomain, where a call can be refused.
    pub fn token_route(mut self) -> Self {
        self.token_route = true;
        self
    }

    /// Runs when WorkOS has renewed a session: because it was due, by
    /// [`refresh_session`](crate::AuthKit::refresh_session), or into another organization.
    ///
    /// Once for a renewal in this process, however many requests waited for it, and in a task of its own: no request waits
    /// for the hook.
    ///
    /// ```
    /// use workos_actix::AuthKit;
    ///
    /// let builder = AuthKit::builder()
    ///     .on_session_refreshed(|refreshed| async move {
    ///         println!("{} is still here", refreshed.user.email());
    ///     })
    ///     .on_session_refresh_error(|error| async move {
    ///         if !error.is_transient {
    ///             println!("{} has to sign in again", error.user_id);
    ///         }
    ///     });
    /// # drop(builder);
    /// ```
    pub fn on_session_refreshed<F>(
        mut self,
        hook: impl Fn(SessionRefreshed) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.hooks.set_on_refreshed(hook);
        self
    }

    /// Runs when a session could not be renewed; at most once a minute for the same session and outcome. See
    /// [`on_session_refreshed`](Self::on_session_refreshed).
    pub fn on_session_refresh_error<F>(
        mut self,
        hook: impl Fn(SessionRefreshError) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.hooks.set_on_refresh_error(hook);
        self
    }
}
