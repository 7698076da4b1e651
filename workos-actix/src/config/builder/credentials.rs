//! Which credentials are accepted, and from where.

use super::AuthKitBuilder;
use crate::MachineTokens;

impl AuthKitBuilder {
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
}
