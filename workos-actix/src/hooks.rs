//! What an app does of its own: `on_success` and `on_error` when a sign-in comes back, `on_refusal` when a request is refused.

use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc};

use actix_web::{HttpRequest, HttpResponse};
use workos::{
    AuthenticateResponseAuthenticationMethod as AuthenticationMethod,
    AuthenticateResponseOAuthToken as OAuthTokens, SecretString,
};

use crate::{AuthError, AuthUser, SignInError};

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
}

/// Where the person goes after [`on_success`](crate::AuthKitBuilder::on_success).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterSignIn {
    /// To the page that the sign-in began at: [`SignedIn::return_to`].
    Return,
    /// To another page, or another site. Never make it of what a stranger sent.
    Redirect(String),
}

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;
type OnSuccess = dyn Fn(SignedIn) -> Pending<Result<AfterSignIn, Box<dyn Error + Send + Sync>>> + Send + Sync;
type OnError = dyn Fn(SignInError) -> Pending<Option<HttpResponse>> + Send + Sync;
type OnRefusal = dyn Fn(&AuthError, &HttpRequest) -> Option<HttpResponse> + Send + Sync;

/// The hooks of an app; without them, nothing happens.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    on_success: Option<Arc<OnSuccess>>,
    on_error: Option<Arc<OnError>>,
    on_refusal: Option<Arc<OnRefusal>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_success", &self.on_success.is_some())
            .field("on_error", &self.on_error.is_some())
            .field("on_refusal", &self.on_refusal.is_some())
            .finish()
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

    /// Where the person goes.
    pub(crate) async fn succeeded(&self, signed_in: SignedIn) -> Result<String, SignInError> {
        let return_to = signed_in.return_to.clone();
        let Some(hook) = &self.on_success else {
            return Ok(return_to);
        };
        match hook(signed_in).await {
            Ok(AfterSignIn::Return) => Ok(return_to),
            Ok(AfterSignIn::Redirect(location)) => Ok(location),
            Err(error) => Err(SignInError::Hook(Arc::from(error))),
        }
    }

    /// The app's own answer to a failure, if it has one.
    pub(crate) async fn failed(&self, error: &SignInError) -> Option<HttpResponse> {
        let hook = self.on_error.as_ref()?;
        hook(error.clone()).await
    }
}
