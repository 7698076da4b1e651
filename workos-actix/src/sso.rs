//! Single sign-on without AuthKit: to the identity provider of a connection, an organization or a domain, and back with a
//! profile.

use std::{collections::HashMap, fmt, future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web::Query};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;
use workos::{
    Profile, SSOProvider, SSOTokenResponseOAuthToken, SecretString, TokenQuery, TokenQueryGrantType,
    sso::{GetAuthorizationUrlParams, GetProfileAndTokenParams},
};

use crate::{
    AuthKit, SignInError,
    authorize::{self, AuthorizeError},
    context::RequestAuth,
    return_path::ReturnPath,
    routes::{
        self,
        callback::{CallbackQuery, classify, provider_error},
    },
    verifier_cookie::{Attempt, Purpose},
};

/// A sign-in by WorkOS's SSO product, made by [`AuthKit::sso`].
#[must_use = "call `redirect` or `url`"]
pub struct SsoSignIn<'a> {
    authkit: &'a AuthKit,
    request: &'a HttpRequest,
    params: GetAuthorizationUrlParams,
    return_to: Option<ReturnPath>,
    state: Result<Option<Value>, AuthorizeError>,
}

impl fmt::Debug for SsoSignIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsoSignIn")
            .field("params", &self.params)
            .field("return_to", &self.return_to)
            .finish_non_exhaustive()
    }
}

impl AuthKit {
    /// Begins a sign-in by WorkOS's SSO product, for apps that keep users and sessions themselves.
    ///
    /// `redirect_uri` is the absolute URL of a handler of your own that takes an [`SsoCallback`]; WorkOS must know it. State
    /// and PKCE verifier are bound to the browser, as in every sign-in here.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, web};
    /// use workos_actix::{AuthKit, SsoCallback};
    ///
    /// /// `GET /sso/{connection}`: from your own table of who signs in where.
    /// async fn begin(request: HttpRequest, id: web::Path<String>, authkit: web::Data<AuthKit>) -> HttpResponse {
    ///     authkit.sso(&request, "https://app.example/sso/callback").connection(id.as_str()).redirect()
    /// }
    ///
    /// /// `GET /sso/callback`
    /// async fn callback(sso: SsoCallback) -> String {
    ///     format!("{} of {:?}", sso.profile.email, sso.profile.organization_id)
    /// }
    /// ```
    ///
    /// Source: <https://workos.com/docs/sso>.
    pub fn sso<'a>(&'a self, request: &'a HttpRequest, redirect_uri: impl Into<String>) -> SsoSignIn<'a> {
        SsoSignIn {
            authkit: self,
            request,
            params: GetAuthorizationUrlParams::new(redirect_uri),
            return_to: None,
            state: Ok(None),
        }
    }
}

impl SsoSignIn<'_> {
    /// By this connection (`conn_…`). The profile that comes back is of it, or refused.
    pub fn connection(mut self, id: impl Into<String>) -> Self {
        self.params.connection = Some(id.into());
        self
    }

    /// By the connection of this organization (`org_…`). The profile that comes back is of it, or refused.
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.params.organization = Some(id.into());
        self
    }

    /// By the connection that this e-mail domain belongs to. WorkOS would rather have the organization or the connection.
    #[expect(deprecated, reason = "WorkOS still takes it")]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.params.domain = Some(domain.into());
        self
    }

    /// By this provider, such as `GoogleOAuth`.
    pub fn provider(mut self, provider: impl Into<SSOProvider>) -> Self {
        self.params.provider = Some(provider.into());
        self
    }

    /// The e-mail address to fill in at the identity provider.
    pub fn login_hint(mut self, email: impl Into<String>) -> Self {
        self.params.login_hint = Some(email.into());
        self
    }

    /// The domain to fill in at Microsoft, or at Google by SAML.
    pub fn domain_hint(mut self, domain: impl Into<String>) -> Self {
        self.params.domain_hint = Some(domain.into());
        self
    }

    /// `login` asks for a fresh sign-in, where the identity provider can.
    pub fn prompt(mut self, prompt: impl Into<String>) -> Self {
        self.params.prompt = Some(prompt.into());
        self
    }

    /// More OAuth scopes to ask the identity provider for.
    pub fn provider_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.params.provider_scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// A parameter for the identity provider's own authorization URL.
    pub fn provider_query_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params
            .provider_query_params
            .get_or_insert_with(HashMap::new)
            .insert(name.into(), value.into());
        self
    }

    /// What [`SsoCallback::state`] gives back: at most 1024 bytes as JSON, in the browser's encrypted cookie.
    pub fn state(mut self, state: &impl Serialize) -> Self {
        self.state = authorize::app_state(state).map(Some);
        self
    }

    /// The page to come back to, as [`SsoCallback::return_to`]: a path of this site. Anything else is ignored.
    pub fn return_to(mut self, path: impl AsRef<str>) -> Self {
        self.return_to = routes::return_path(self.authkit, Some(path.as_ref()));
        self
    }

    /// Sends the browser there, with the cookie that binds the sign-in to it; see
    /// [`SignIn::redirect`](crate::SignIn::redirect).
    #[must_use]
    pub fn redirect(self) -> HttpResponse {
        let (request, authkit) = (self.request, self.authkit);
        authorize::answer(authkit, request, || self.begin())
    }

    /// The authorization URL. The response to this request carries the cookie that binds the sign-in to the browser.
    ///
    /// # Errors
    /// [`AuthorizeError`].
    pub fn url(self) -> Result<String, AuthorizeError> {
        let auth = RequestAuth::of(self.request).map_err(|_| AuthorizeError::MissingMiddleware)?;
        let (url, cookies) = self.begin()?;
        auth.add_cookies(cookies);
        Ok(url)
    }

    fn begin(self) -> Result<authorize::Begun, AuthorizeError> {
        let mut params = self.params;
        let mut attempt = Attempt::new(purpose(&params)?, self.authkit.randomness());
        check_redirect_uri(&params.redirect_uri)?;
        attempt.return_to = self.return_to.map(|path| path.to_string());
        attempt.app_state = self.state?;
        params.state = Some(attempt.state.clone());
        let url = self.authkit.client().sso().get_authorization_url(params);
        let mut url = url
            .ok()
            .and_then(|url| Url::parse(&url).ok())
            .ok_or_else(|| AuthorizeError::Sdk("it is no URL".to_owned()))?;
        // The API knows PKCE, the SDK's parameters do not.
        url.query_pairs_mut()
            .append_pair("code_challenge", &attempt.code_challenge())
            .append_pair("code_challenge_method", "S256");
        let cookies = self.authkit.verifier_cookies();
        Ok((url.into(), cookies.begin(self.request.headers(), attempt)))
    }
}

/// Exactly one way in.
#[expect(deprecated, reason = "WorkOS still takes the domain")]
fn purpose(params: &GetAuthorizationUrlParams) -> Result<Purpose, AuthorizeError> {
    match (
        &params.connection,
        &params.organization,
        &params.provider,
        &params.domain,
    ) {
        (Some(id), None, None, None) => Ok(Purpose::SsoConnection(id.clone())),
        (None, Some(id), None, None) => Ok(Purpose::SsoOrganization(id.clone())),
        (None, None, Some(_), None) | (None, None, None, Some(_)) => Ok(Purpose::Sso),
        _ => Err(AuthorizeError::Contradiction(
            "single sign-on needs one of connection, organization, provider and domain",
        )),
    }
}

fn check_redirect_uri(uri: &str) -> Result<(), AuthorizeError> {
    let is_fine = Url::parse(uri).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()
    });
    if is_fine {
        return Ok(());
    }
    Err(AuthorizeError::RedirectUri {
        uri: uri.to_owned(),
        why: "it must be an absolute URL without fragment, like `https://example.com/sso/callback`",
    })
}

/// A sign-in by [`AuthKit::sso`] that came back, as a handler argument: the code is exchanged for the profile.
///
/// It belongs to the browser that began it, and works once. Nobody is signed in by it: what the profile means, and which
/// session it begins, is for the app to say. Whoever has an identity provider has a say about the e-mail addresses in its
/// profiles: know people by [`id`](Profile::id), within `organization_id` or `connection_id`.
///
/// What goes wrong is answered with a small page; take a `Result<SsoCallback, SignInError>` to answer yourself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SsoCallback {
    /// Who, by the identity provider.
    pub profile: Profile,
    /// WorkOS's access token for the profile, for ten minutes.
    pub access_token: SecretString,
    /// The tokens of the identity provider, where WorkOS is set up to hand them on.
    pub oauth_tokens: Option<SSOTokenResponseOAuthToken>,
    /// The path and query of this site to which the person wanted: safe to redirect to.
    pub return_to: String,
    state: Option<Value>,
}

impl SsoCallback {
    /// What [`SsoSignIn::state`] was given; `None` when it was given nothing, or something else than a `T`.
    #[must_use]
    pub fn state<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.state.clone()?).ok()
    }
}

impl FromRequest for SsoCallback {
    type Error = SignInError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, SignInError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            complete(&request)
                .await
                .inspect_err(|error| tracing::warn!(code = error.code(), "single sign-on failed: {error}"))
        })
    }
}

async fn complete(request: &HttpRequest) -> Result<SsoCallback, SignInError> {
    let auth = RequestAuth::of(request).map_err(|_| SignInError::MissingMiddleware)?;
    let authkit = &auth.authkit;
    let query = Query::<CallbackQuery>::from_query(request.query_string());
    let query = query.map(Query::into_inner).unwrap_or_default();
    let Some(state) = query.state.clone().filter(|state| !state.is_empty()) else {
        // Without a state it was begun at the identity provider, or planted: nobody here asked for it.
        return Err(match provider_error(&query) {
            Some(error) => error,
            None if query.code.is_some() => SignInError::UnknownAttempt,
            None => SignInError::Malformed,
        });
    };
    // Good for one callback, however it ends.
    auth.add_cookies([authkit.verifier_cookies().removal(&state)]);
    let attempt = authkit
        .verifier_cookies()
        .find(request.headers(), &state)
        .filter(|attempt| attempt.purpose != Purpose::AuthKit)
        .ok_or(SignInError::UnknownAttempt)?;
    if let Some(error) = provider_error(&query) {
        return Err(error);
    }
    let code = query
        .code
        .filter(|code| !code.is_empty())
        .ok_or(SignInError::Malformed)?;
    let params = GetProfileAndTokenParams::new(TokenQuery {
        client_id: authkit.config().client_id.clone(),
        client_secret: authkit.config().api_key.clone(),
        code: Some(code.into()),
        grant_type: TokenQueryGrantType::AuthorizationCode,
        code_verifier: Some(attempt.code_verifier.as_str().into()),
        subject_token: None,
        subject_token_type: None,
        organization_id: None,
    });
    let answer = authkit.client().sso().get_profile_and_token(params).await;
    let answer = answer.map_err(|error| {
        tracing::warn!(%error, "the authorization code was not accepted");
        classify(&error)
    })?;
    if !is_expected(&attempt.purpose, &answer.profile) {
        tracing::error!(profile.id = %answer.profile.id, "the profile is of another connection or organization");
        return Err(SignInError::BadAnswer);
    }
    let return_to = routes::return_path(authkit, attempt.return_to.as_deref());
    Ok(SsoCallback {
        profile: answer.profile,
        access_token: answer.access_token,
        oauth_tokens: answer.oauth_tokens,
        return_to: return_to.map_or_else(
            || authkit.config().paths.after_sign_in.clone(),
            |path| path.to_string(),
        ),
        state: attempt.app_state,
    })
}

/// Whether the profile is of what the sign-in was begun for.
fn is_expected(purpose: &Purpose, profile: &Profile) -> bool {
    match purpose {
        Purpose::SsoConnection(id) => profile.connection_id == *id,
        Purpose::SsoOrganization(id) => profile.organization_id.as_deref() == Some(id),
        Purpose::Sso => true,
        Purpose::AuthKit => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile(connection_id: &str, organization_id: Option<&str>) -> Profile {
        let profile = json!({
            "object": "profile", "id": "prof_1", "organization_id": organization_id, "connection_id": connection_id,
            "connection_type": "OktaSAML", "idp_id": "1", "email": "a@b.example", "raw_attributes": {},
        });
        serde_json::from_value(profile).unwrap()
    }

    #[test]
    fn a_profile_is_of_what_was_asked_for() {
        let acme = profile("conn_acme", Some("org_acme"));
        let nobodys = profile("conn_other", None);
        for (purpose, fits) in [
            (Purpose::SsoConnection("conn_acme".to_owned()), true),
            (Purpose::SsoConnection("conn_evil".to_owned()), false),
            (Purpose::SsoOrganization("org_acme".to_owned()), true),
            (Purpose::SsoOrganization("org_evil".to_owned()), false),
            (Purpose::Sso, true),
            (Purpose::AuthKit, false),
        ] {
            assert_eq!(is_expected(&purpose, &acme), fits, "{purpose:?}");
        }
        assert!(!is_expected(
            &Purpose::SsoOrganization("org_acme".to_owned()),
            &nobodys
        ));
    }

    #[test]
    fn there_is_exactly_one_way_in() {
        let with = |connection: bool, organization: bool, provider: bool| {
            let mut params = GetAuthorizationUrlParams::new("https://app.example/callback");
            params.connection = connection.then(|| "conn_1".to_owned());
            params.organization = organization.then(|| "org_1".to_owned());
            params.provider = provider.then_some(SSOProvider::GoogleOAuth);
            purpose(&params)
        };
        assert_eq!(
            with(true, false, false).unwrap(),
            Purpose::SsoConnection("conn_1".to_owned())
        );
        assert_eq!(
            with(false, true, false).unwrap(),
            Purpose::SsoOrganization("org_1".to_owned())
        );
        assert_eq!(with(false, false, true).unwrap(), Purpose::Sso);
        for wrong in [
            with(false, false, false),
            with(true, true, false),
            with(true, false, true),
            with(false, true, true),
        ] {
            assert!(matches!(wrong, Err(AuthorizeError::Contradiction(_))));
        }
    }

    #[test]
    fn redirect_uris_are_absolute() {
        assert!(check_redirect_uri("http://localhost:3000/sso/callback").is_ok());
        for wrong in [
            "",
            "/sso/callback",
            "//a.example/x",
            "ftp://a.example/",
            "https://a.example/#x",
        ] {
            assert!(check_redirect_uri(wrong).is_err(), "{wrong}");
        }
    }
}
