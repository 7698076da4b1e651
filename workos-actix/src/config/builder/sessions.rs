//! How sessions are kept, and for how long.

use std::time::Duration;

use actix_session::storage::SessionStore;
use actix_web::cookie::SameSite;
use workos::SecretString;

use super::AuthKitBuilder;
use crate::{
    credential::{AnySessionStore, SessionPlace},
    shared_state::{AnySharedState, SharedState},
};

impl AuthKitBuilder {
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
}
