//! Off to AuthKit: the authorization URL with every option, and the cookie that binds it to the browser.

use std::{collections::HashMap, fmt, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    cookie::Cookie,
    http::{Method, StatusCode},
};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use url::Url;
use workos::{
    SecretString, UserManagementAuthenticationProvider as Provider,
    UserManagementAuthenticationScreenHint as ScreenHint, user_management::GetAuthorizationUrlParams,
};

use crate::{
    AuthError, AuthKit,
    context::RequestAuth,
    navigation, page,
    return_path::ReturnPath,
    routes,
    verifier_cookie::{Attempt, Purpose},
};

/// What of an app's own state a cookie can carry beside the rest.
const MAX_STATE_BYTES: usize = 1024;

/// An authorization URL, and the cookies that bind its sign-in to the browser.
pub(crate) type Begun = (String, Vec<Cookie<'static>>);

/// A sign-in to begin, made by [`AuthKit::sign_in`] or [`AuthKit::sign_up`].
///
/// Every option of [WorkOS's authorization URL] is here. The values are the app's to choose: do not hand on what a
/// stranger sent, except to [`return_to`](Self::return_to), [`login_hint`](Self::login_hint) and the others that the
/// [route](AuthKit::routes) takes from its query.
///
/// ```
/// use std::time::Duration;
/// use actix_web::{HttpRequest, HttpResponse, web};
/// use workos_actix::AuthKit;
///
/// /// "Buy": whoever is not sure to sit at the keyboard proves it again, and comes back to the basket.
/// async fn buy(request: HttpRequest, authkit: web::Data<AuthKit>) -> HttpResponse {
///     authkit
///         .sign_in(&request)
///         .max_age(Duration::from_secs(300))
///         .state(&["basket", "17"])
///         .return_to("/basket/17")
///         .redirect()
/// }
/// ```
///
/// [WorkOS's authorization URL]: https://workos.com/docs/reference/authkit/authentication/get-authorization-url
#[must_use = "call `redirect` or `url`"]
pub struct SignIn<'a> {
    authkit: &'a AuthKit,
    request: &'a HttpRequest,
    params: GetAuthorizationUrlParams,
    redirect_uri: Option<String>,
    return_to: Option<ReturnPath>,
    state: Result<Option<Value>, AuthorizeError>,
}

impl fmt::Debug for SignIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("params", &self.params)
            .field("return_to", &self.return_to)
            .finish_non_exhaustive()
    }
}

impl AuthKit {
    /// Begins a sign-in with options, for handlers of your own; the [routes](Self::routes) do it for links.
    pub fn sign_in<'a>(&'a self, request: &'a HttpRequest) -> SignIn<'a> {
        SignIn::new(self, request, ScreenHint::SignIn)
    }

    /// The same, with AuthKit's page for a new account first.
    pub fn sign_up<'a>(&'a self, request: &'a HttpRequest) -> SignIn<'a> {
        SignIn::new(self, request, ScreenHint::SignUp)
    }

    /// The redirect URI for a request: [`redirect_uri_for`](crate::AuthKitBuilder::redirect_uri_for)'s, if it has one for it.
    pub(crate) fn redirect_uri_of(&self, request: &HttpRequest) -> Result<Option<Url>, AuthorizeError> {
        let chosen = self.hooks().redirect_uri(request);
        chosen.map(|uri| self.own_redirect_uri(&uri)).transpose()
    }

    /// The URL of this site, under the host that the request is for.
    pub(crate) fn absolute(&self, request: &HttpRequest, path: &ReturnPath) -> Option<Url> {
        let chosen = self.redirect_uri_of(request).ok().flatten();
        let base = chosen.as_ref().unwrap_or(&self.config().redirect_uri);
        base.join(path.as_str()).ok()
    }

    /// A redirect URI that may take the place of the configured one: another host, and nothing else.
    fn own_redirect_uri(&self, uri: &str) -> Result<Url, AuthorizeError> {
        let configured = &self.config().redirect_uri;
        let refuse = |why| {
            Err(AuthorizeError::RedirectUri {
                uri: uri.to_owned(),
                why,
            })
        };
        let Ok(url) = Url::parse(uri) else {
            return refuse("it is no absolute URL");
        };
        if url.scheme() != configured.scheme() || !url.has_host() {
            return refuse("its scheme must be that of WORKOS_REDIRECT_URI");
        }
        if url.path() != configured.path() || url.query() != configured.query() || url.fragment().is_some() {
            return refuse("its path must be that of WORKOS_REDIRECT_URI");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it has a user name or a password");
        }
        Ok(url)
    }
}

impl<'a> SignIn<'a> {
    fn new(authkit: &'a AuthKit, request: &'a HttpRequest, screen: ScreenHint) -> Self {
        Self {
            authkit,
            request,
            params: GetAuthorizationUrlParams {
                screen_hint: Some(screen),
                ..GetAuthorizationUrlParams::new("")
            },
            redirect_uri: None,
            return_to: None,
            state: Ok(None),
        }
    }

    /// Into this organization (`org_…`), by the ways that it allows.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.params.organization_id = Some(id.into());
        self
    }

    /// Straight to the identity provider of this connection (`conn_…`), past AuthKit's page.
    pub fn connection(mut self, id: impl Into<String>) -> Self {
        self.params.connection_id = Some(id.into());
        self
    }

    /// Straight to this provider, such as `GoogleOAuth`, past AuthKit's page.
    pub fn provider(mut self, provider: impl Into<Provider>) -> Self {
        self.params.provider = Some(provider.into());
        self
    }

    /// The e-mail address to fill in.
    pub fn login_hint(mut self, email: impl Into<String>) -> Self {
        self.params.login_hint = Some(email.into());
        self
    }

    /// The domain to fill in at Microsoft, or at Google by SAML.
    pub fn domain_hint(mut self, domain: impl Into<String>) -> Self {
        self.params.domain_hint = Some(domain.into());
        self
    }

    /// `login` asks for a fresh sign-in whatever session AuthKit or the provider has.
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.params.prompt = Some(prompt.into());
        self
    }

    /// Whoever proved who they are longer ago does it again; zero means always. Whole seconds, for AuthKit only.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.params.max_age = Some(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// The invitation to accept with the sign-in.
    pub fn invitation_token(mut self, token: impl Into<SecretString>) -> Self {
        self.params.invitation_token = Some(token.into());
        self
    }

    /// More OAuth scopes to ask the provider for.
    pub fn provider_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.params.provider_scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// A parameter for the provider's own authorization URL, such as Google's `hd`.
    pub fn provider_query_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params
            .provider_query_params
            .get_or_insert_with(HashMap::new)
            .insert(name.into(), value.into());
        self
    }

    /// What [`on_success`](crate::AuthKitBuilder::on_success) gets back as [`SignedIn::state`](crate::SignedIn::state):
    /// anything that is at most 1024 bytes as JSON.
    ///
    /// It travels encrypted in the browser's cookie, next to the return path, and not through WorkOS.
    pub fn state(mut self, state: &impl Serialize) -> Self {
        self.state = app_state(state).map(Some);
        self
    }

    /// The page to come back to: a path of this site. Anything else is ignored, as are the AuthKit routes.
    pub fn return_to(mut self, path: impl AsRef<str>) -> Self {
        self.return_to = routes::return_path(self.authkit, Some(path.as_ref()));
        self
    }

    /// Comes back to another host of this app. Only the host may differ from `WORKOS_REDIRECT_URI`, and WorkOS must know
    /// the URL. For every sign-in of an app with several domains: [`redirect_uri_for`](crate::AuthKitBuilder::redirect_uri_for).
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// Sends the browser there, with the cookie that binds the sign-in to it.
    ///
    /// Only a navigation begins a sign-in: a script is answered with 400, a prefetch with 503, and neither gets a cookie.
    /// Options that do not fit together are 500, and the log says which.
    #[must_use]
    pub fn redirect(self) -> HttpResponse {
        let (request, authkit) = (self.request, self.authkit);
        answer(authkit, request, || self.begin())
    }

    /// The authorization URL, for a page or a script that leads there itself. The response to this request carries the
    /// cookie that binds the sign-in to the browser.
    ///
    /// # Errors
    /// [`AuthorizeError`].
    pub fn url(self) -> Result<String, AuthorizeError> {
        let auth = RequestAuth::of(self.request).map_err(|_| AuthorizeError::MissingMiddleware)?;
        let (url, cookies) = self.begin()?;
        auth.add_cookies(cookies);
        Ok(url)
    }

    fn begin(self) -> Result<Begun, AuthorizeError> {
        let mut params = self.params;
        selector(&mut params)?;
        let by_request = self.authkit.redirect_uri_of(self.request)?;
        let chosen = self
            .redirect_uri
            .map(|uri| self.authkit.own_redirect_uri(&uri))
            .transpose()?;
        let mut attempt = Attempt::new(Purpose::AuthKit, self.authkit.randomness());
        attempt.return_to = self.return_to.map(|path| path.to_string());
        attempt.app_state = self.state?;
        // What the app chose for this one sign-in cannot be asked for again at the callback.
        attempt.redirect_uri = by_request
            .as_ref()
            .filter(|_| chosen.is_none())
            .map(|uri| uri.as_str().to_owned());
        params.redirect_uri = chosen
            .or(by_request)
            .unwrap_or_else(|| self.authkit.config().redirect_uri.clone())
            .into();
        params.state = Some(attempt.state.clone());
        params.code_challenge = Some(attempt.code_challenge());
        params.code_challenge_method = Some("S256".to_owned());
        let url = self.authkit.client().user_management();
        let url = url
            .get_authorization_url(params)
            .map_err(|error| AuthorizeError::Sdk(error.to_string()))?;
        let cookies = self.authkit.verifier_cookies();
        Ok((url, cookies.begin(self.request.headers(), attempt)))
    }
}

/// Exactly one way in: AuthKit (for an organization or not), a connection, or a provider.
fn selector(params: &mut GetAuthorizationUrlParams) -> Result<(), AuthorizeError> {
    let is_authkit = match (&params.connection_id, &params.provider) {
        (Some(_), Some(_)) => {
            return Err(AuthorizeError::Contradiction(
                "a connection has its own provider: give one or the other",
            ));
        }
        (Some(_), None) => false,
        (None, provider) => provider.as_ref().is_none_or(|given| *given == Provider::Authkit),
    };
    if is_authkit {
        params.provider = Some(Provider::Authkit);
        return Ok(());
    }
    if params.organization_id.is_some() {
        return Err(AuthorizeError::Contradiction(
            "an organization is signed in to by AuthKit: leave connection and provider away",
        ));
    }
    if params.max_age.is_some() {
        return Err(AuthorizeError::Contradiction(
            "max_age is AuthKit's: leave connection and provider away, or use prompt",
        ));
    }
    params.screen_hint = None;
    Ok(())
}

/// An app's own state, if it fits.
pub(crate) fn app_state(state: &impl Serialize) -> Result<Value, AuthorizeError> {
    let value = serde_json::to_value(state).map_err(|error| AuthorizeError::State(error.to_string()))?;
    let bytes = value.to_string().len();
    if bytes > MAX_STATE_BYTES {
        return Err(AuthorizeError::StateTooLarge { bytes });
    }
    Ok(value)
}

/// The redirect of a browser that navigates, with the cookies of the attempt.
pub(crate) fn answer(
    authkit: &AuthKit,
    request: &HttpRequest,
    begin: impl FnOnce() -> Result<Begun, AuthorizeError>,
) -> HttpResponse {
    if navigation::is_prefetch(request.headers()) {
        // No cookie for a click that may never come.
        return HttpResponse::ServiceUnavailable()
            .insert_header(("Cache-Control", "no-store"))
            .finish();
    }
    if navigation::is_subrequest(request.headers()) {
        let message = "sign-in is a page: go there with a navigation, not with fetch";
        let link = (authkit.config().paths.sign_in.as_str(), "Sign in");
        return routes::refuse(
            request,
            StatusCode::BAD_REQUEST,
            "navigation_required",
            message,
            link,
        );
    }
    let (url, cookies) = match begin() {
        Ok(begun) => begun,
        Err(error) => return error.error_response(),
    };
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let status = if is_read {
        StatusCode::TEMPORARY_REDIRECT
    } else {
        StatusCode::SEE_OTHER
    };
    let mut response = routes::redirect(status, &url);
    for cookie in cookies {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "the sign-in cookie cannot be set");
        }
    }
    response.headers_mut().insert(
        actix_web::http::header::CACHE_CONTROL,
        actix_web::http::header::HeaderValue::from_static("no-store"),
    );
    response
}

/// Why a sign-in cannot begin: a mistake of the app, 500. The answer does not tell strangers which; the log does.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// Options that exclude each other.
    #[error("{0}")]
    Contradiction(&'static str),
    /// No redirect URI of this app.
    #[error("`{uri}` cannot be the redirect URI: {why}")]
    RedirectUri {
        /// As it was given.
        uri: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The app's state does not fit into the cookie.
    #[error(
        "the state is {bytes} bytes as JSON, and 1024 fit into the cookie: keep it elsewhere, and give its id"
    )]
    StateTooLarge {
        /// Its length as JSON.
        bytes: usize,
    },
    /// The app's state cannot be written as JSON.
    #[error("the state cannot be written as JSON: {0}")]
    State(String),
    /// The SDK cannot make the URL.
    #[error("the authorization URL cannot be made: {0}")]
    Sdk(String),
    /// The app does not wrap the AuthKit middleware around this route.
    #[error("{}", AuthError::MissingMiddleware)]
    MissingMiddleware,
}

impl ResponseError for AuthorizeError {
    fn error_response(&self) -> HttpResponse {
        if matches!(self, Self::MissingMiddleware) {
            return AuthError::MissingMiddleware.error_response();
        }
        tracing::error!("a sign-in cannot begin: {self}");
        let message = "The sign-in cannot begin; the server's log says why.";
        page::problem(
            &mut HttpResponse::InternalServerError(),
            "sign_in_not_begun",
            message,
        )
    }
}
