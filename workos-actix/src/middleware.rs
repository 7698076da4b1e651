//! The middleware: who is signed in, before the handler; the session cookie and cache headers, after it.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        Method,
        header::{
            ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, EXPIRES, HeaderMap, HeaderValue, PRAGMA,
            SET_COOKIE, VARY,
        },
    },
};

use crate::{
    AuthKit,
    authenticate::Authenticated,
    context::{RequestAuth, SessionChange},
    credential::{SessionCookies, SessionError},
    error::AuthError,
    path_pattern, refusal,
};

/// Made by [`AuthKit::middleware`].
#[derive(Debug, Clone)]
pub struct AuthKitMiddleware {
    authkit: AuthKit,
}

impl AuthKitMiddleware {
    pub(crate) fn new(authkit: AuthKit) -> Self {
        Self { authkit }
    }
}

impl<S, B> Transform<S, ServiceRequest> for AuthKitMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = AuthKitService<S>;
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AuthKitService {
            service: Rc::new(service),
            authkit: self.authkit.clone(),
        }))
    }
}

#[doc(hidden)]
#[derive(Debug)]
pub struct AuthKitService<S> {
    service: Rc<S>,
    authkit: AuthKit,
}

impl<S, B> Service<ServiceRequest> for AuthKitService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, authkit) = (Rc::clone(&self.service), self.authkit.clone());
        Box::pin(async move {
            // Wrapped twice (around the app and a scope): the outer one has done the work.
            if RequestAuth::of_service_request(&request).is_ok() {
                return service
                    .call(request)
                    .await
                    .map(ServiceResponse::map_into_left_body);
            }
            let Authenticated {
                state,
                session,
                cookie,
                ..
            } = authkit.authenticate(request.headers()).await;
            let cookie =
                cookie.map(|cookie| authkit.session_cookie().in_answer_to(request.headers(), cookie));
            let is_forged = authkit.config().origins.is_forged(request.head());
            let auth = Rc::new(RequestAuth::new(authkit, state, session, is_forged));
            request.extensions_mut().insert(Rc::clone(&auth));

            if let Err(error) = admit(&auth, &request) {
                let response = request.error_response(error);
                let mut response = match refusal::instead(&auth, &response) {
                    Some(instead) => response.into_response(instead),
                    None => response,
                }
                .map_into_right_body();
                finish(response.headers_mut(), cookie.as_ref(), &auth);
                return Ok(response);
            }
            match service.call(request).await {
                Ok(response) => {
                    let mut response = match refusal::instead(&auth, &response) {
                        Some(instead) => response.into_response(instead).map_into_right_body(),
                        None => response.map_into_left_body(),
                    };
                    let cookie = match auth.take_change() {
                        Some(change) => {
                            match Box::pin(apply(&auth, change, response.request().headers())).await {
                                Ok(cookie) => Some(cookie),
                                Err(error) => {
                                    let failure = error.error_response();
                                    let mut response = response.into_response(failure).map_into_right_body();
                                    finish(response.headers_mut(), cookie.as_ref(), &auth);
                                    return Ok(response);
                                }
                            }
                        }
                        None => cookie,
                    };
                    finish(response.headers_mut(), cookie.as_ref(), &auth);
                    Ok(response)
                }
                // An inner middleware's error: not ours to turn into a response, but the browser must get its cookie.
                Err(mut error) => {
                    error.add_response_mapper(move |mut response| {
                        finish(response.headers_mut(), cookie.as_ref(), &auth);
                        response
                    });
                    Err(error)
                }
            }
        })
    }
}

/// Whether `require_auth` lets the request through.
fn admit(auth: &RequestAuth, request: &ServiceRequest) -> Result<(), AuthError> {
    let config = auth.authkit.config();
    if !config.require_auth {
        return Ok(());
    }
    let path = request.uri().path();
    // A browser sends preflight requests without cookies, whatever it has.
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if is_preflight
        || config.paths.is_auth_route(path)
        || path_pattern::matches_any(&config.unauthenticated_paths, path)
    {
        return Ok(());
    }
    auth.require(request.head()).map(drop)
}

/// Tells the store what a route did to the session; answers the cookie that tells the browser.
async fn apply(
    auth: &RequestAuth,
    change: SessionChange,
    request: &HeaderMap,
) -> Result<SessionCookies, AuthError> {
    let cookies = auth.authkit.session_cookie();
    let opaque = |error: SessionError| {
        tracing::error!(%error, "the session cannot be kept");
        match error {
            SessionError::Store(_) => AuthError::unavailable(),
            _ => AuthError::SessionNotKept,
        }
    };
    let new = match change {
        SessionChange::Begin(session) => cookies
            .begin(auth.session().as_ref(), &session)
            .await
            .map_err(opaque)?,
        SessionChange::Stored(cookie) => cookie,
        SessionChange::End => {
            if let Some(session_id) = auth.session_id()
                && let Err(error) = auth.authkit.verified().end(&session_id).await
            {
                tracing::error!(%error, "other machines do not know of the sign-out yet");
            }
            if let Some(session) = auth.session() {
                auth.authkit.forget(&session).await.map_err(opaque)?;
            }
            cookies.removal()
        }
    };
    Ok(cookies.in_answer_to(request, new))
}

/// Sets the cookies, and keeps what depends on the user out of shared caches.
fn finish(headers: &mut HeaderMap, cookies: Option<&SessionCookies>, auth: &RequestAuth) {
    let others = auth.take_cookies();
    if cookies.is_none() && others.is_empty() && !auth.was_consulted() {
        return;
    }
    let cookies = cookies.into_iter().flat_map(SessionCookies::iter).chain(&others);
    for cookie in cookies.filter_map(|cookie| HeaderValue::from_str(&cookie.to_string()).ok()) {
        headers.append(SET_COOKIE, cookie);
    }
    headers.reserve(5);
    if !has_private_caching(headers) {
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache, no-store, must-revalidate, max-age=0"),
        );
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        headers.insert(EXPIRES, HeaderValue::from_static("0"));
    }
    let mentions = |value: &HeaderValue, word: &str| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .any(|item| item.trim().eq_ignore_ascii_case(word))
        })
    };
    let sources = &auth.authkit.config().sources;
    for (depends, name) in [
        (sources.sessions, "Cookie"),
        (sources.read_authorization(), "Authorization"),
    ] {
        let is_said = headers
            .get_all(VARY)
            .any(|value| mentions(value, name) || mentions(value, "*"));
        if depends && !is_said {
            headers.append(VARY, HeaderValue::from_static(name));
        }
    }
}

/// Whether the handler itself said that only this user's browser may keep the response.
fn has_private_caching(headers: &HeaderMap) -> bool {
    headers
        .get_all(CACHE_CONTROL)
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value.split(',').any(|directive| {
                let directive = directive.trim();
                directive.eq_ignore_ascii_case("private") || directive.eq_ignore_ascii_case("no-store")
            })
        })
}
