//! `AuthKit`: what an app makes once and hands to every worker.

use std::{fmt, sync::Arc};

use actix_web::web::ServiceConfig;
use workos::Client;

use crate::{
    AuthKitBuilder, ConfigError,
    clock::{Clock, unix_seconds},
    config::{Config, TokenConfig},
    cookie::CookieSealer,
    credential::{ApiKeys, Profiles, SessionCookie, SessionPlace},
    hooks::Hooks,
    middleware::AuthKitMiddleware,
    random::Randomness,
    refresh::Refresher,
    routes,
    shared_state::AnySharedState,
    token::{
        cache::VerifiedSessions,
        jwks::Jwks,
        verified::{Verified, VerifiedToken},
        verify::Verifier,
    },
    transport::WorkOs,
    verifier_cookie::VerifierCookies,
};

/// Sign-in with WorkOS AuthKit.
///
/// Make one before `HttpServer::new` and move it into the closure: clones are cheap and share the key set, the cache of
/// verified sessions and the refreshes in flight. One made inside the closure would be one per worker.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use workos_actix::{AuthKit, AuthUser};
///
/// #[actix_web::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let authkit = AuthKit::from_env()?;
///     HttpServer::new(move || {
///         App::new()
///             .wrap(authkit.middleware())
///             .configure(authkit.routes())
///             .route("/me", web::get().to(|user: AuthUser| async move { user.email().to_owned() }))
///     })
///     .bind(("127.0.0.1", 8080))?
///     .run()
///     .await?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct AuthKit(Arc<Inner>);

struct Inner {
    config: Config,
    client: Client,
    verifier: Verifier,
    machine_verifier: Option<Verifier>,
    verified: VerifiedSessions,
    verified_tokens: Verified<VerifiedToken>,
    api_keys: ApiKeys,
    profiles: Profiles,
    refresher: Refresher,
    session_cookie: SessionCookie,
    verifier_cookies: VerifierCookies,
    hooks: Hooks,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl fmt::Debug for AuthKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthKit")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl AuthKit {
    /// An AuthKit from the environment variables that WorkOS's kits use.
    ///
    /// | variable | |
    /// |---|---|
    /// | `WORKOS_API_KEY` | required: `sk_…` |
    /// | `WORKOS_CLIENT_ID` | required: `client_…` |
    /// | `WORKOS_COOKIE_PASSWORD` | required: at least 32 random characters |
    /// | `WORKOS_REDIRECT_URI` | required: the URL of the callback route; `https` makes the cookies `Secure` |
    /// | `WORKOS_API_HOSTNAME`, `_PORT`, `_HTTPS` | `api.workos.com`, none, `true` |
    /// | `WORKOS_COOKIE_NAME`, `_MAX_AGE`, `_DOMAIN`, `_SAMESITE` | `wos-session`, 34560000 s, none, `lax` |
    /// | `WORKOS_ISSUER` | none: a comma list of accepted `iss` |
    ///
    /// # Errors
    /// Everything that is missing or wrong, at once, with how to mend it.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().env().build()
    }

    /// An AuthKit with settings given in code, alone or on top of [`AuthKitBuilder::env`].
    pub fn builder() -> AuthKitBuilder {
        AuthKitBuilder::default()
    }

    pub(crate) fn new(
        config: Config,
        workos: &WorkOs,
        session_place: SessionPlace,
        shared_state: Option<AnySharedState>,
        hooks: Hooks,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, String> {
        let client = Client::builder()
            .api_key(config.api_key.expose())
            .client_id(&config.client_id)
            .base_url(&config.api_base_url)
            .transport(workos.transport())
            .try_build()
            .map_err(|_| "has characters that no HTTP header can carry; copy it again.".to_owned())?;
        let jwks_url = format!(
            "{}/sso/jwks/{}",
            config.api_base_url,
            workos::client::path_segment(&config.client_id)
        );
        let jwks = Jwks::new(workos.keys(jwks_url), Arc::clone(&clock));
        let machine_verifier = config.sources.machines.as_ref().map(|machines| {
            let url = format!("{}/oauth2/jwks", machines.issuer);
            let expected = TokenConfig {
                issuers: vec![machines.issuer.clone()],
                audiences: machines.audiences.clone(),
            };
            Verifier::new(Jwks::new(workos.keys(url), Arc::clone(&clock)), expected)
        });
        let mut verified = VerifiedSessions::new();
        let mut refresher = Refresher::new(client.clone(), Arc::clone(&clock));
        if let Some(state) = shared_state {
            let sealer = CookieSealer::new(config.cookie.keys.clone());
            verified = verified.shared(state.clone(), config.revocation_max_age);
            refresher = refresher.shared(state, sealer, randomness.as_ref());
        }
        Ok(Self(Arc::new(Inner {
            verifier: Verifier::new(jwks, config.token.clone()),
            machine_verifier,
            verified,
            verified_tokens: Verified::new(),
            api_keys: ApiKeys::new(client.clone(), Arc::clone(&clock)),
            profiles: Profiles::new(client.clone(), Arc::clone(&clock)),
            refresher,
            session_cookie: SessionCookie::new(
                &config,
                session_place,
                Arc::clone(&clock),
                Arc::clone(&randomness),
            ),
            verifier_cookies: VerifierCookies::new(&config, Arc::clone(&clock)),
            config,
            client,
            hooks,
            clock,
            randomness,
        })))
    }

    /// The middleware that finds out who is signed in: `App::new().wrap(authkit.middleware())`.
    ///
    /// Wrap CORS, logging and compression around it (call `.wrap` for them afterwards): it answers with responses, never
    /// with errors, so they see everything.
    #[must_use]
    pub fn middleware(&self) -> AuthKitMiddleware {
        AuthKitMiddleware::new(self.clone())
    }

    /// The routes of the sign-in: `App::new().configure(authkit.routes())`.
    ///
    /// | route | does |
    /// |---|---|
    /// | `GET /auth/sign-in`, `GET /auth/sign-up` | redirects to AuthKit; query: `return_to`, `organization_id`, `login_hint`, `domain_hint`, `provider`, `invitation_token`, `max_age`, `prompt=login` |
    /// | `GET` path of the redirect URI | completes the sign-in and redirects to `return_to` |
    /// | `POST /auth/sign-out`, `GET /auth/sign-out` | ends the session here and at WorkOS; form, JSON or query: `return_to`, `scope` |
    /// | `POST /auth/switch-organization` | moves the session to another organization; form or JSON: `organization_id`, `return_to` |
    /// | `GET /auth/token`, `POST /auth/token` | the access token for scripts, with [`token_route`](AuthKitBuilder::token_route) |
    ///
    /// Strangers choose the query of a link to the sign-in route, so it takes only what fills in a form, chooses among the
    /// person's own ways in, or asks for more proof. A connection is not among it (its identity provider may sign people in
    /// without a question, as whomever it likes), nor are scopes and parameters of the provider, the state and the redirect
    /// URI: these are for [`sign_in`](Self::sign_in) in a handler.
    ///
    /// `scope` is `here` for the cookie of this browser alone and `everywhere` for all sessions of the person, which a link
    /// asks about first; see [`sign_out`](Self::sign_out).
    ///
    /// `return_to` is a path of this site; anything else is ignored. Set the sign-in route as "Sign-in URL" in the WorkOS
    /// dashboard. A callback that nobody here asked for (impersonation from the dashboard, a sign-in begun at the
    /// identity provider) carries a code without a state; it could have been planted, so its code is not used: the
    /// sign-in starts again from here, and AuthKit, where the person is signed in by then, completes it without a question.
    ///
    /// [Without sessions](AuthKitBuilder::without_sessions) there are no routes.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let paths = self
            .config()
            .sources
            .sessions
            .then(|| self.config().paths.clone());
        move |app| {
            if let Some(paths) = paths {
                routes::configure(app, &paths);
            }
        }
    }

    /// The official WorkOS SDK client, with the API key, client id and base URL of this AuthKit.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// For the tokens of machines, where they are accepted.
    pub(crate) fn machine_verifier(&self) -> Option<&Verifier> {
        self.0.machine_verifier.as_ref()
    }

    pub(crate) fn verified_tokens(&self) -> &Verified<VerifiedToken> {
        &self.0.verified_tokens
    }

    pub(crate) fn api_keys(&self) -> &ApiKeys {
        &self.0.api_keys
    }

    pub(crate) fn verified(&self) -> &VerifiedSessions {
        &self.0.verified
    }

    pub(crate) fn profiles(&self) -> &Profiles {
        &self.0.profiles
    }

    pub(crate) fn refresher(&self) -> &Refresher {
        &self.0.refresher
    }

    pub(crate) fn session_cookie(&self) -> &SessionCookie {
        &self.0.session_cookie
    }

    pub(crate) fn verifier_cookies(&self) -> &VerifierCookies {
        &self.0.verifier_cookies
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.0.hooks
    }

    pub(crate) fn randomness(&self) -> &dyn Randomness {
        self.0.randomness.as_ref()
    }

    /// Seconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        unix_seconds(self.0.clock.as_ref())
    }
}
