//! What an app does of its own: when a sign-in comes back, when a session is refreshed, when a request is refused, and where
//! it is asked.

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse};
use moka::future::Cache;
use serde::de::DeserializeOwned;
use serde_json::Value;
use workos::{
    AuthenticateResponseAuthenticationMethod as AuthenticationMethod,
    AuthenticateResponseOAuthToken as OAuthTokens, SecretString,
};

use crate::{
    AuthError, AuthKit, AuthUser, SignInError,
    credential::LoadedSession,
    digest::{Fingerprint, fingerprint},
    return_path::ReturnPath,
    rotation::Rotation,
    token::verify::unverified_session_id,
};

/// A session is told of once in this time, however many requests met the same refresh.
const TOLD_FOR: Duration = Duration::from_secs(60);
const MAX_TOLD: u64 = 10_000;

/// A sign-in that WorkOS has confirmed, for the hook of [`on_success`](crate::AuthKitBuilder::on_success).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignedIn {
    /// Who: profile, access token, organization, role, impersonator, as handlers get them afterwards.
    pub user: AuthUser,
    /// The refresh token. `workos-actix` keeps and rotates it: one that the app spends ends the session.
    pub refresh_token: SecretString,
    /// How the person proved who they are.
    pub authentication_method: Option<AuthenticationMethod>,
    /// The tokens of the identity provider, where WorkOS is set up to hand them on.
    pub oauth_tokens: Option<OAuthTokens>,
    /// The path and query of this site to which the person goes now.
    pub return_to: String,
    pub(crate) state: Option<Value>,
}

impl SignedIn {
    /// What the app gave to [`SignIn::state`](crate::SignIn::state) when it began this sign-in; `None` when it gave nothing,
    /// or something else than a `T`.
    ///
    /// ```
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Campaign {
    ///     name: String,
    /// }
    ///
    /// fn campaign(signed_in: &workos_actix::SignedIn) -> Option<String> {
    ///     signed_in.state::<Campaign>().map(|campaign| campaign.name)
    /// }
    /// ```
    #[must_use]
    pub fn state<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.state.clone()?).ok()
    }
}

/// Where the person goes after [`on_success`](crate::AuthKitBuilder::on_success).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterSignIn {
    /// To the page that the sign-in began at: [`SignedIn::return_to`].
    Return,
    /// To another page of this site. A text that leads elsewhere, however it is written, counts as [`Return`](Self::Return):
    /// it may be made of what a stranger sent.
    Page(String),
    /// To another page, or another site. Never make it of what a stranger sent.
    Redirect(String),
}

/// A session that WorkOS has renewed, for the hook of
/// [`on_session_refreshed`](crate::AuthKitBuilder::on_session_refreshed).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionRefreshed {
    /// Who, as WorkOS knows them now: with the new access token, the organization, role and impersonator.
    pub user: AuthUser,
}

/// A refresh that failed, for the hook of
/// [`on_session_refresh_error`](crate::AuthKitBuilder::on_session_refresh_error).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionRefreshError {
    /// Whose session, `user_…`.
    pub user_id: String,
    /// Which, `session_…`.
    pub session_id: Option<String>,
    /// Whether it may succeed later: WorkOS could not be reached, or was too busy, and the session is kept. Otherwise the
    /// session is over, and the person has to sign in again.
    pub is_transient: bool,
}

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;
type OnSuccess = dyn Fn(SignedIn) -> Pending<Result<AfterSignIn, Box<dyn Error + Send + Sync>>> + Send + Sync;
type OnError = dyn Fn(SignInError) -> Pending<Option<HttpResponse>> + Send + Sync;
type OnRefusal = dyn Fn(&AuthError, &HttpRequest) -> Option<HttpResponse> + Send + Sync;
/// Runs beside the request, in a task of its own.
type Telling = Pin<Box<dyn Future<Output = ()> + Send>>;
type OnRefreshed = dyn Fn(SessionRefreshed) -> Telling + Send + Sync;
type OnRefreshError = dyn Fn(SessionRefreshError) -> Telling + Send + Sync;
type RedirectUri = dyn Fn(&HttpRequest) -> Option<String> + Send + Sync;

/// The hooks of an app; without them, nothing happens.
#[derive(Clone)]
pub(crate) struct Hooks {
    on_success: Option<Arc<OnSuccess>>,
    on_error: Option<Arc<OnError>>,
    on_refusal: Option<Arc<OnRefusal>>,
    on_refreshed: Option<Arc<OnRefreshed>>,
    on_refresh_error: Option<Arc<OnRefreshError>>,
    redirect_uri: Option<Arc<RedirectUri>>,
    /// The refreshes that were told of a moment ago.
    told: Cache<Fingerprint, ()>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            on_success: None,
            on_error: None,
            on_refusal: None,
            on_refreshed: None,
            on_refresh_error: None,
            redirect_uri: None,
            told: Cache::builder()
                .max_capacity(MAX_TOLD)
                .time_to_live(TOLD_FOR)
                .build(),
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_success", &self.on_success.is_some())
            .field("on_error", &self.on_error.is_some())
            .field("on_refusal", &self.on_refusal.is_some())
            .field("on_refreshed", &self.on_refreshed.is_some())
            .field("on_refresh_error", &self.on_refresh_error.is_some())
            .field("redirect_uri", &self.redirect_uri.is_some())
            .finish_non_exhaustive()
    }
}

impl Hooks {
    pub(crate) fn set_on_success<F>(&mut self, hook: impl Fn(SignedIn) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<AfterSignIn, Box<dyn Error + Send + Sync>>> + 'static,
    {
        self.on_success = Some(Arc::new(move |signed_in| Box::pin(hook(signed_in))));
    }

    pub(crate) fn set_on_error<F>(&mut self, hook: impl Fn(SignInError) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Option<HttpResponse>> + 'static,
    {
        self.on_error = Some(Arc::new(move |error| Box::pin(hook(error))));
    }

    pub(crate) fn set_on_refusal(
        &mut self,
        hook: impl Fn(&AuthError, &HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static,
    ) {
        self.on_refusal = Some(Arc::new(hook));
    }

    /// The app's own answer to a request that is refused, if it has one.
    pub(crate) fn refused(&self, error: &AuthError, request: &HttpRequest) -> Option<HttpResponse> {
        self.on_refusal.as_ref()?(error, request)
    }

    pub(crate) fn set_on_refreshed<F>(&mut self, hook: impl Fn(SessionRefreshed) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.on_refreshed = Some(Arc::new(move |refreshed| Box::pin(hook(refreshed))));
    }

    pub(crate) fn set_on_refresh_error<F>(
        &mut self,
        hook: impl Fn(SessionRefreshError) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.on_refresh_error = Some(Arc::new(move |error| Box::pin(hook(error))));
    }

    pub(crate) fn set_redirect_uri(
        &mut self,
        choose: impl Fn(&HttpRequest) -> Option<String> + Send + Sync + 'static,
    ) {
        self.redirect_uri = Some(Arc::new(choose));
    }

    /// The redirect URI that the app has for a request, unchecked.
    pub(crate) fn redirect_uri(&self, request: &HttpRequest) -> Option<String> {
        self.redirect_uri.as_ref().and_then(|choose| choose(request))
    }

    /// Where the person goes.
    pub(crate) async fn succeeded(&self, signed_in: SignedIn) -> Result<String, SignInError> {
        let return_to = signed_in.return_to.clone();
        let Some(hook) = &self.on_success else {
            return Ok(return_to);
        };
        match hook(signed_in).await {
            Ok(AfterSignIn::Return) => Ok(return_to),
            Ok(AfterSignIn::Page(page)) => {
                Ok(ReturnPath::parse(&page).map_or(return_to, |page| page.to_string()))
            }
            Ok(AfterSignIn::Redirect(location)) => Ok(location),
            Err(error) => Err(SignInError::Hook(Arc::from(error))),
        }
    }

    /// The app's own answer to a failure, if it has one.
    pub(crate) async fn failed(&self, error: &SignInError) -> Option<HttpResponse> {
        let hook = self.on_error.as_ref()?;
        hook(error.clone()).await
    }

    async fn refreshed(&self, user: Option<AuthUser>) {
        let (Some(hook), Some(user)) = (&self.on_refreshed, user) else {
            return;
        };
        let key = fingerprint(&[b"refreshed", user.access_token().expose().as_bytes()]);
        if self.is_news(key).await {
            tokio::spawn(hook(SessionRefreshed { user }));
        }
    }

    async fn refresh_failed(&self, old: &LoadedSession, is_transient: bool) {
        let Some(hook) = &self.on_refresh_error else {
            return;
        };
        let session = &old.session;
        let key = fingerprint(&[
            if is_transient { b"transient" } else { b"terminal " },
            session.refresh_token.expose().as_bytes(),
        ]);
        if self.is_news(key).await {
            let error = SessionRefreshError {
                user_id: session.user.id.clone(),
                session_id: unverified_session_id(session.access_token.expose()),
                is_transient,
            };
            tokio::spawn(hook(error));
        }
    }

    async fn is_news(&self, key: Fingerprint) -> bool {
        self.told.entry(key).or_insert(()).await.is_fresh()
    }
}

/// Tells the app how a rotation ended. Nobody waits for what the app makes of it: the browser has to learn its new session.
pub(crate) async fn told(
    authkit: AuthKit,
    old: LoadedSession,
    rotation: impl Future<Output = Rotation>,
) -> Rotation {
    let rotation = rotation.await;
    let hooks = authkit.hooks();
    match &rotation {
        Rotation::Done { context, .. } => hooks.refreshed(context.known_user()).await,
        Rotation::Ended | Rotation::Unacceptable => hooks.refresh_failed(&old, false).await,
        Rotation::Unavailable { .. } => hooks.refresh_failed(&old, true).await,
        // It is renewed, but not proven yet; or it was about the organization, not about the session.
        Rotation::Unproven { .. } | Rotation::Refused { .. } => {}
    }
    rotation
}
