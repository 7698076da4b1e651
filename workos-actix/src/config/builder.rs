//! `AuthKit::builder()` and the environment variables.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use actix_session::storage::SessionStore;
use actix_web::{HttpRequest, HttpResponse, cookie::SameSite};
use workos::SecretString;

use super::{ConfigError, ConfigProblem, MachineTokens, Sources};
use crate::{
    AfterSignIn, AuthError, AuthKit, SignInError, SignedIn,
    clock::{Clock, SystemClock},
    cookie::CookieSealer,
    credential::{AnySessionStore, SessionPlace},
    hooks::Hooks,
    random::{Randomness, SystemRandomness},
    shared_state::{AnySharedState, SharedSessions, SharedState},
    transport::{WorkOs, http_client},
};

const DEFAULT_REVOCATION_MAX_AGE: Duration = Duration::from_secs(10);

/// Settings of an [`AuthKit`], made by [`AuthKit::builder`].
///
/// Every setting with an environment variable is a text here too and is checked by [`build`](Self::build), which
/// reports all problems together.
#[must_use = "call `build` to get the AuthKit"]
pub struct AuthKitBuilder {
    pub(super) api_key: Option<SecretString>,
    pub(super) client_id: Option<String>,
    pub(super) cookie_password: Option<SecretString>,
    pub(super) previous_cookie_passwords: Vec<SecretString>,
    pub(super) redirect_uri: Option<String>,
    pub(super) api_hostname: Option<String>,
    pub(super) api_https: Option<String>,
    pub(super) api_port: Option<String>,
    pub(super) cookie_name: Option<String>,
    pub(super) cookie_max_age: Option<String>,
    pub(super) cookie_domain: Option<String>,
    pub(super) cookie_same_site: Option<String>,
    pub(super) issuers: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) path_prefix: String,
    pub(super) callback_path: Option<String>,
    pub(super) after_sign_in: String,
    pub(super) sign_in_failed: Option<String>,
    pub(super) after_sign_out: Option<String>,
    pub(super) require_auth: bool,
    pub(super) unauthenticated_paths: Vec<String>,
    pub(super) sign_up_paths: Vec<String>,
    pub(super) token_route: bool,
    pub(super) refresh_buffer: Option<Duration>,
    pub(super) sources: Sources,
    pub(super) trusted_origins: Vec<String>,
    pub(super) checks_origin: bool,
    pub(super) session_place: SessionPlace,
    pub(super) shared_state: Option<AnySharedState>,
    pub(super) sessions_in_shared_state: bool,
    pub(super) revocation_max_age: Duration,
    pub(super) hooks: Hooks,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
    /// Speaks to the WorkOS of the module `testing`.
    #[cfg(feature = "testing")]
    pub(crate) is_in_memory: bool,
}

impl std::fmt::Debug for AuthKitBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthKitBuilder")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("api_hostname", &self.api_hostname)
            .field("cookie_name", &self.cookie_name)
            .finish_non_exhaustive()
    }
}

impl Default for AuthKitBuilder {
    fn default() -> Self {
        Self {
            api_key: None,
            client_id: None,
            cookie_password: None,
            previous_cookie_passwords: Vec::new(),
            redirect_uri: None,
            api_hostname: None,
            api_https: None,
            api_port: None,
            cookie_name: None,
            cookie_max_age: None,
            cookie_domain: None,
            cookie_same_site: None,
            issuers: None,
            audiences: Vec::new(),
            path_prefix: "/auth".to_owned(),
            callback_path: None,
            after_sign_in: "/".to_owned(),
            sign_in_failed: None,
            after_sign_out: None,
            require_auth: false,
            unauthenticated_paths: Vec::new(),
            sign_up_paths: Vec::new(),
            token_route: false,
            refresh_buffer: None,
            sources: Sources::default(),
            trusted_origins: Vec::new(),
            checks_origin: true,
            session_place: SessionPlace::EncryptedCookie,
            shared_state: None,
            sessions_in_shared_state: false,
            revocation_max_age: DEFAULT_REVOCATION_MAX_AGE,
            hooks: Hooks::default(),
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            #[cfg(feature = "testing")]
            is_in_memory: false,
        }
    }
}

impl AuthKitBuilder {
    /// Takes every `WORKOS_…` variable that is set in the process environment. Values set afterwards win.
    pub fn env(self) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        self.variables(|name| std::env::var(name).ok())
    }

    fn variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        // An empty variable is how a .env file says "not set".
        let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
        let keep = |slot: &mut Option<String>, name| {
            if let Some(value) = variable(name) {
                *slot = Some(value);
            }
        };
        keep(&mut self.client_id, "WORKOS_CLIENT_ID");
        keep(&mut self.redirect_uri, "WORKOS_REDIRECT_URI");
        keep(&mut self.api_hostname, "WORKOS_API_HOSTNAME");
        keep(&mut self.api_https, "WORKOS_API_HTTPS");
        keep(&mut self.api_port, "WORKOS_API_PORT");
        keep(&mut self.cookie_name, "WORKOS_COOKIE_NAME");
        keep(&mut self.cookie_max_age, "WORKOS_COOKIE_MAX_AGE");
        keep(&mut self.cookie_domain, "WORKOS_COOKIE_DOMAIN");
        keep(&mut self.cookie_same_site, "WORKOS_COOKIE_SAMESITE");
        keep(&mut self.issuers, "WORKOS_ISSUER");
        if let Some(value) = variable("WORKOS_API_KEY") {
            self.api_key = Some(value.into());
        }
        if let Some(value) = variable("WORKOS_COOKIE_PASSWORD") {
            self.cookie_password = Some(value.into());
        }
        self
    }

    /// `WORKOS_API_KEY`: the secret key (`sk_…`) of the WorkOS environment.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(SecretString::new(key));
        self
    }

    /// `WORKOS_CLIENT_ID`: the client id (`client_…`) of the WorkOS environment.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// `WORKOS_COOKIE_PASSWORD`: at least 32 characters from which the cookie encryption key is derived.
    pub fn cookie_password(mut self, password: impl Into<String>) -> Self {
        self.cookie_password = Some(SecretString::new(password));
        self
    }

    /// Former cookie passwords, for a change of [`cookie_password`](Self::cookie_password) that signs nobody out: what was
    /// encrypted with one of them is still read, and written with the new one at the next refresh, which is minutes away
    /// for whoever is active. Leave them out when the longest session you allow has passed.
    ///
    /// WorkOS's JavaScript kits know one password at a time: beside them, with [`sealed_cookie`](Self::sealed_cookie), their
    /// users have to sign in again after a change.
    pub fn previous_cookie_passwords<I: Into<String>>(
        mut self,
        passwords: impl IntoIterator<Item = I>,
    ) -> Self {
        self.previous_cookie_passwords = passwords.into_iter().map(SecretString::new).collect();
        self
    }

    /// `WORKOS_REDIRECT_URI`: the absolute URL of the callback route, as registered in the WorkOS dashboard.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// `WORKOS_API_HOSTNAME`, `_PORT` and `_HTTPS` in one: where the WorkOS API is, e.g. `http://localhost:4100`.
    pub fn api_base_url(mut self, url: &str) -> Self {
        let (https, rest) = match url.split_once("://") {
            Some(("http", rest)) => ("false", rest),
            Some(("https", rest)) => ("true", rest),
            // Left as it is, so that `build` refuses it with an explanation.
            _ => ("true", url),
        };
        let rest = rest.trim_end_matches('/');
        let (hostname, port) = match rest.rsplit_once(':') {
            Some((hostname, port)) if !port.contains(']') => (hostname, Some(port.to_owned())),
            _ => (rest, None),
        };
        self.api_hostname = Some(hostname.to_owned());
        self.api_port = port;
        self.api_https = Some(https.to_owned());
        self
    }

    /// `WORKOS_COOKIE_NAME`: the name of the session cookie, `wos-session` by default.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = Some(name.into());
        self
    }

    /// `WORKOS_COOKIE_MAX_AGE`: how long a browser keeps the session cookie, 400 days by default (whole seconds).
    pub fn cookie_max_age(mut self, max_age: Duration) -> Self {
        self.cookie_max_age = Some(max_age.as_secs().to_string());
        self
    }

    /// `WORKOS_COOKIE_DOMAIN`: set it to share the session with subdomains.
    pub fn cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.cookie_domain = Some(domain.into());
        self
    }

    /// `WORKOS_COOKIE_SAMESITE`: `Lax` by default.
    pub fn cookie_same_site(mut self, same_site: SameSite) -> Self {
        self.cookie_same_site = Some(same_site.to_string());
        self
    }

    /// `WORKOS_ISSUER`: accept only tokens with one of these `iss`. Without it every issuer is accepted, as in
    /// WorkOS's kits, because the issuer of an environment depends on its age and settings.
    pub fn issuers<I: AsRef<str>>(mut self, issuers: impl IntoIterator<Item = I>) -> Self {
        let issuers: Vec<_> = issuers
            .into_iter()
            .map(|issuer| issuer.as_ref().to_owned())
            .collect();
        self.issuers = Some(issuers.join(","));
        self
    }

    /// Accept only tokens with one of these `aud`. AuthKit tokens have none unless a JWT template adds it.
    pub fn audiences<I: Into<String>>(mut self, audiences: impl IntoIterator<Item = I>) -> Self {
        self.audiences = audiences.into_iter().map(Into::into).collect();
        self
    }

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

    /// Refresh this long before the access token expires; zero refreshes only expired tokens. By default 60 seconds,
    /// or 30 for tokens that live up to five minutes. Never more than half of a token's life.
    pub fn refresh_buffer(mut self, buffer: Duration) -> Self {
        self.refresh_buffer = Some(buffer);
        self
    }

    /// Several processes, on one machine or many, act as one: see the [guide](crate::guide::several_machines). Give all of them the
    /// same state and the same cookie password.
    pub fn shared_state(mut self, state: impl SharedState + 'static) -> Self {
        self.shared_state = Some(AnySharedState::new(state));
        self
    }

    /// Keeps sessions in the [`shared_state`](Self::shared_state), sealed with the cookie password; the cookie is only a
    /// key. For sessions that do not fit into a cookie, and for sign-outs that count everywhere at once. By default the
    /// session is in the encrypted cookie itself.
    pub fn sessions_in_shared_state(mut self) -> Self {
        self.sessions_in_shared_state = true;
        self
    }

    /// With a [`shared_state`](Self::shared_state): how old the knowledge of sign-outs on other machines may be, 10 seconds
    /// by default. It is renewed every second; when that fails for so long, sessions are answered with 503 until it
    /// succeeds. `Duration::MAX` goes on with the last knowledge: a session that was signed out elsewhere is then
    /// accepted here until its access token expires.
    pub fn revocation_max_age(mut self, max_age: Duration) -> Self {
        self.revocation_max_age = max_age;
        self
    }

    /// Keeps sessions in a store of your own, for example `actix_session::storage::RedisSessionStore`. By default the
    /// session is in the encrypted cookie itself.
    ///
    /// Such a store is asked at every request, and given three seconds to answer; what it keeps is up to it, which for
    /// the stores of `actix_session` is readable tokens.
    ///
    /// Of this, [`sessions_in_shared_state`](Self::sessions_in_shared_state), [`sealed_cookie`](Self::sealed_cookie) and
    /// [`sealed_cookie_in_pieces`](Self::sealed_cookie_in_pieces) the last call counts.
    pub fn session_store(mut self, store: impl SessionStore + Send + Sync + 'static) -> Self {
        self.sessions_in_shared_state = false;
        self.session_place = SessionPlace::Store(AnySessionStore::new(store));
        self
    }

    /// Keeps the session in the sealed cookie of WorkOS's JavaScript kits: a Next.js front end with `authkit-nextjs` (or any
    /// app with `authkit-session` or `@workos-inc/node`) and this app then share one sign-in.
    ///
    /// ```no_run
    /// # use workos_actix::{AuthKit, ConfigError};
    /// # fn build() -> Result<AuthKit, ConfigError> {
    /// // Beside Next.js: the same WORKOS_CLIENT_ID, WORKOS_COOKIE_PASSWORD and, on subdomains, WORKOS_COOKIE_DOMAIN.
    /// AuthKit::builder().env().sealed_cookie().build()
    /// # }
    /// ```
    ///
    /// A person who signed in at either is signed in at both, whichever of them refreshes the session; a sign-out at either
    /// ends it for both. Both must be for the same WorkOS client id, and the browser must send the cookie to both: they are
    /// on one host, or on subdomains of the cookie's domain.
    ///
    /// The kits read a session of one cookie only, and browsers drop a cookie silently whose name and value are longer than
    /// 4096 bytes. A session that would make a longer one is refused: the sign-in fails with 500, a session that outgrows
    /// the cookie at a refresh is over soon after, and the log says what to do about it. Where none of the kits has to read it,
    /// [`sealed_cookie_in_pieces`](Self::sealed_cookie_in_pieces) carries more.
    ///
    /// Sources: the [kits](https://github.com/workos/authkit-nextjs), and
    /// [RFC 6265bis §5.6](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6).
    pub fn sealed_cookie(mut self) -> Self {
        self.sessions_in_shared_state = false;
        self.session_place = SessionPlace::SealedCookie { in_pieces: false };
        self
    }

    /// As [`sealed_cookie`](Self::sealed_cookie), and a session that is too large for one cookie is spread over up to four:
    /// `wos-session.0`, `wos-session.1`, …
    ///
    /// **No released kit of WorkOS reads the pieces**: a person with a large session would be signed out there. (The layout
    /// is the one that `authkit-nextjs` has in preparation.) It serves services that unseal the cookie by themselves.
    pub fn sealed_cookie_in_pieces(mut self) -> Self {
        self.sessions_in_shared_state = false;
        self.session_place = SessionPlace::SealedCookie { in_pieces: true };
        self
    }

    /// Accepts AuthKit access tokens in `Authorization: Bearer`, as single-page and mobile apps send them.
    ///
    /// Off by default; then the header is left to the app. On, every `Bearer` credential is judged here: one that is not
    /// acceptable is 401 with `WWW-Authenticate` (RFC 6750), also beside a good session cookie.
    ///
    /// A token is verified here like that of a session, and must be an AuthKit one for this application: one with a
    /// session id (`sid`), a `client_id` that is ours if there is one, and no `aud` but those of
    /// [`audiences`](Self::audiences). So the tokens of Connect, which the same key signs for other people's
    /// applications, are not accepted. Set [`issuers`](Self::issuers) as well where you know them. Nobody refreshes a
    /// bare token: the client does. [`AuthUser`](crate::AuthUser) says how the profile is found.
    pub fn bearer_tokens(mut self) -> Self {
        self.sources.access_tokens = true;
        self
    }

    /// Accepts [WorkOS API keys](https://workos.com/docs/authkit/api-keys) (`sk_…`), those that your customers make for
    /// their programs, in `Authorization: Bearer`.
    ///
    /// Off by default. WorkOS is asked about a key once a minute: so long a revoked key may still work. A key it does not
    /// know is refused for half a minute without asking, and of keys that nobody has seen only a few are asked about at a
    /// time, so that made-up ones cannot flood it; 503 while it is unreachable. The key never is a user:
    /// [`AuthUser`](crate::AuthUser) and [`ensure_signed_in`](crate::ensure_signed_in) refuse it, while
    /// [`AuthContext`](crate::AuthContext), [`OrganizationId`](crate::OrganizationId) and [`ApiKey`](crate::ApiKey) take it,
    /// and [`require_auth`](Self::require_auth) lets it in.
    pub fn api_keys(mut self) -> Self {
        self.sources.api_keys = true;
        self
    }

    /// Accepts the access tokens of [M2M applications](https://workos.com/docs/authkit/connect/m2m) in
    /// `Authorization: Bearer`: machines that got one by `client_credentials`.
    ///
    /// Off by default. They are verified here, with the keys of the AuthKit domain; one that WorkOS takes back is good
    /// until it expires. As an API key, a machine never is a user.
    pub fn machine_tokens(mut self, accepted: MachineTokens) -> Self {
        self.sources.machines = Some(accepted);
        self
    }

    /// Accepts no session cookie: for an API that only programs call, with `Authorization`. There are no routes then, no
    /// browser is redirected to sign in, and `WORKOS_COOKIE_PASSWORD` and `WORKOS_REDIRECT_URI` need not be set.
    ///
    /// ```
    /// use workos_actix::AuthKit;
    ///
    /// let authkit = AuthKit::builder()
    ///     .api_key("sk_test_1")
    ///     .client_id("client_1")
    ///     .without_sessions()
    ///     .bearer_tokens()
    ///     .api_keys()
    ///     .build()?;
    /// # drop(authkit); Ok::<_, workos_actix::ConfigError>(())
    /// ```
    pub fn without_sessions(mut self) -> Self {
        self.sources.sessions = false;
        self
    }

    /// Sites whose pages may change something here with the session cookie, like `https://admin.example.com`.
    ///
    /// A browser adds the cookie to what other sites' pages send. So where a handler asks who sent a request that changes
    /// something (any method but `GET`, `HEAD`, `OPTIONS` and `TRACE`, and `GET` that opens a WebSocket), the session
    /// cookie counts only if `Sec-Fetch-Site` or `Origin` says that a page of this site sent it: its host, or the origin of
    /// the redirect URI. Others get 403 with the code `cross_origin_request`, and `Option<AuthUser>` is `None`. What sends
    /// neither header is no browser. A credential in `Authorization`, which no browser adds by itself, is not checked, nor
    /// is a handler that does not ask who it is: webhooks, forms for everybody.
    ///
    /// Trust only what you run yourself. A page there also needs CORS, to read answers, and
    /// [`cookie_same_site`](Self::cookie_same_site) `None` where it is another *site*.
    pub fn trusted_origins<I: Into<String>>(mut self, origins: impl IntoIterator<Item = I>) -> Self {
        self.trusted_origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// Whether requests that change something are checked for where they come from, see
    /// [`trusted_origins`](Self::trusted_origins); they are by default.
    ///
    /// `false` lets any site that a signed-in person visits send forms in their name, as far as `SameSite` does not keep
    /// the cookie back: pages of other subdomains can in any case, every site can with `SameSite=None`. Only for apps that
    /// have a check of their own on every form, such as tokens. The routes of this crate go on checking.
    pub fn check_origin(mut self, check: bool) -> Self {
        self.checks_origin = check;
        self
    }

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

    /// Replaces the system clock: for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks everything and makes the [`AuthKit`]. Does not speak to WorkOS.
    ///
    /// # Errors
    /// All problems at once, see [`ConfigError`].
    pub fn build(self) -> Result<AuthKit, ConfigError> {
        let workos = self.workos();
        let mut problems = Vec::new();
        let config = self.check(&mut problems);
        match config {
            Some(config) if problems.is_empty() => {
                if config.paths.after_sign_out.is_none() {
                    tracing::info!(
                        "after_sign_out is not set: after a sign-out WorkOS leads to the default sign-out redirect of its \
                         dashboard (Redirects), and to an error page if there is none"
                    );
                }
                let session_place = match &self.shared_state {
                    Some(state) if self.sessions_in_shared_state => {
                        let sealer = CookieSealer::new(config.cookie.keys.clone());
                        let sessions = SharedSessions::new(state.clone(), sealer);
                        SessionPlace::Store(AnySessionStore::new(sessions))
                    }
                    _ => self.session_place,
                };
                workos
                    .and_then(|workos| {
                        AuthKit::new(
                            config,
                            &workos,
                            session_place,
                            self.shared_state,
                            self.hooks,
                            self.clock,
                            self.randomness,
                        )
                    })
                    .map_err(|error| ConfigError::new(vec![ConfigProblem::new("WORKOS_API_KEY", error)]))
            }
            _ => Err(ConfigError::new(problems)),
        }
    }

    fn workos(&self) -> Result<WorkOs, String> {
        #[cfg(feature = "testing")]
        if self.is_in_memory {
            return Ok(WorkOs::InMemory(Arc::clone(&self.clock)));
        }
        let http = http_client().map_err(|error| format!("no HTTPS client can be made: {error}"))?;
        Ok(WorkOs::Network(http))
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
