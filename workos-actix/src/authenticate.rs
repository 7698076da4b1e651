//! From a request's credential to whoever sent it. For the session cookie: load, verify, refresh if due.

use std::{borrow::Cow, sync::Arc, time::Duration};

use actix_web::http::header::HeaderMap;
use tracing::{Instrument, Span, field::Empty};

use crate::{
    AuthKit,
    context::{AuthContext, AuthState},
    counted::{self, Stopwatch},
    credential::{LoadedSession, Session, SessionCookies, SessionError},
    rotation::Rotation,
    token::{cache::VerifiedSession, jwks::UNKNOWN_KEY_SECONDS, verify::TokenError},
};

/// A refresh ahead of time must not hold up a request whose token is good.
const EARLY_REFRESH_WAIT: Duration = Duration::from_secs(2);
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What the credentials of a request amount to.
#[derive(Debug)]
pub(crate) struct Authenticated {
    pub(crate) state: AuthState,
    pub(crate) session: Option<LoadedSession>,
    /// Set with the response: the refreshed session, or the removal of one that is over.
    pub(crate) cookie: Option<SessionCookies>,
    /// What kind of credential the request came with, for logs and metrics.
    presented: &'static str,
    is_refreshed: bool,
}

impl Authenticated {
    fn signed_in(context: AuthContext, session: LoadedSession) -> Self {
        Self {
            state: AuthState::SignedIn(context),
            session: Some(session),
            ..Self::signed_out()
        }
    }

    pub(crate) fn by_bearer(state: AuthState, presented: &'static str) -> Self {
        Self {
            state,
            presented,
            ..Self::signed_out()
        }
    }

    fn signed_out() -> Self {
        Self {
            state: AuthState::SignedOut,
            session: None,
            cookie: None,
            presented: "none",
            is_refreshed: false,
        }
    }

    fn unavailable(retry_after: Duration, session: Option<LoadedSession>) -> Self {
        Self {
            state: AuthState::Unavailable { retry_after },
            session,
            ..Self::signed_out()
        }
    }

    fn refreshed(mut self, cookie: Option<SessionCookies>) -> Self {
        self.cookie = cookie;
        self.is_refreshed = true;
        self
    }

    fn outcome(&self) -> &'static str {
        match self.state {
            AuthState::SignedIn(_) => "signed_in",
            AuthState::SignedOut => "signed_out",
            AuthState::Refused(_) => "refused",
            AuthState::Unavailable { .. } => "unavailable",
        }
    }

    /// Ids, never credentials.
    fn record(&self, span: &Span) {
        if span.is_disabled() {
            return;
        }
        span.record("credential", self.presented);
        span.record("outcome", self.outcome());
        span.record("refreshed", self.is_refreshed);
        if let AuthState::SignedIn(context) = &self.state {
            for (field, id) in [
                ("subject", Some(context.subject())),
                ("user.id", context.user_id()),
                ("organization.id", context.organization_id()),
                ("session.id", context.session_id()),
            ] {
                if let Some(id) = id {
                    span.record(field, id);
                }
            }
        }
    }
}

impl AuthKit {
    /// Under one span, `authenticate`, which in the end says who it was.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Authenticated {
        let span = tracing::info_span!(
            "authenticate",
            credential = Empty,
            outcome = Empty,
            refreshed = Empty,
            subject = Empty,
            user.id = Empty,
            organization.id = Empty,
            session.id = Empty,
        );
        let stopwatch = Stopwatch::start();
        let authenticated = self.authenticate_by_any(headers).instrument(span.clone()).await;
        authenticated.record(&span);
        counted::request(authenticated.presented, authenticated.outcome(), &stopwatch);
        authenticated
    }

    async fn authenticate_by_any(&self, headers: &HeaderMap) -> Authenticated {
        match self.authenticate_bearer(headers).await {
            Some(authenticated) => authenticated,
            None if self.config().sources.sessions => {
                let values = self.session_cookie().values(headers);
                let presented = if values.is_empty() { "none" } else { "session" };
                Authenticated {
                    presented,
                    ..self.authenticate_cookie(values).await
                }
            }
            None => Authenticated::signed_out(),
        }
    }

    async fn authenticate_cookie(&self, values: Vec<Cow<'_, str>>) -> Authenticated {
        for value in values {
            if self.session_cookie().is_self_contained()
                && let Some(hit) = self.cached(&value).await
            {
                let session = LoadedSession {
                    session: Arc::clone(&hit.session),
                    key: None,
                };
                return self.refresh_if_due(hit.context.clone(), session).await;
            }
            // Seldom: not in the future of every request.
            if let Some(authenticated) = Box::pin(self.authenticate_value(&value)).await {
                return authenticated;
            }
        }
        Authenticated::signed_out()
    }

    /// `None` for a cookie value that is not ours, or whose session is gone.
    async fn authenticate_value(&self, value: &str) -> Option<Authenticated> {
        match self.session_cookie().load(value).await {
            Ok(Some(session)) if self.session_cookie().is_self_contained() => {
                Some(self.authenticate_session(value, session).await)
            }
            Ok(Some(session)) => {
                let credential = session.session.credential();
                Some(match self.cached(&credential).await {
                    Some(hit) => self.refresh_if_due(hit.context.clone(), session).await,
                    None => self.authenticate_session(&credential, session).await,
                })
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, "the session cannot be loaded");
                Some(Authenticated::unavailable(RETRY_AFTER, None))
            }
        }
    }

    async fn authenticate_session(&self, credential: &str, session: LoadedSession) -> Authenticated {
        match self.verify_session(&session.session).await {
            Ok(context) => {
                self.remember(credential, &session.session, &context);
                self.refresh_if_due(context, session).await
            }
            // A key that is gone from the set signed a token that is too old anyway.
            Err(TokenError::Expired | TokenError::UnknownKey) => self.refresh(session, None).await,
            Err(TokenError::Unavailable(reason)) => {
                tracing::warn!(%reason, "the session cannot be verified; it is kept");
                Authenticated::unavailable(RETRY_AFTER, Some(session))
            }
            Err(error) => {
                tracing::warn!(%error, "the session is not acceptable and ends");
                self.end(session).await
            }
        }
    }

    /// The context of a session whose access token is genuine, current, and about the session's user.
    pub(crate) async fn verify_session(&self, session: &Session) -> Result<AuthContext, TokenError> {
        let claims = self.verifier().verify(session.access_token.expose()).await?;
        if claims.sub != session.user.id {
            return Err(TokenError::WrongSubject("it names another user"));
        }
        let actor = claims.act.as_ref().map(|act| act.sub.as_str());
        if let (Some(actor), Some(impersonator)) = (actor, &session.impersonator)
            && actor != impersonator.email
        {
            return Err(TokenError::WrongSubject("it names another impersonator"));
        }
        if !self.verified().knows_who_has_ended().await {
            let reason = "the sign-outs of other machines are not known";
            return Err(TokenError::Unavailable(reason.to_owned()));
        }
        let context = AuthContext::of_session(session, claims);
        if self.has_ended(&context) {
            return Err(TokenError::WrongSubject("its session was ended here"));
        }
        Ok(context)
    }

    /// A session verified before, if that still says something.
    async fn cached(&self, credential: &str) -> Option<Arc<VerifiedSession>> {
        let hit = self.verified().get(credential).await?;
        let is_good = hit.generation == self.verifier().jwks.generation()
            && hit.context.is_current(self.now())
            && !self.has_ended(&hit.context);
        if is_good {
            counted::verification("cached");
        }
        is_good.then_some(hit)
    }

    pub(crate) fn remember(&self, credential: &str, session: &Arc<Session>, context: &AuthContext) {
        let verified = VerifiedSession {
            session: Arc::clone(session),
            context: context.clone(),
            generation: self.verifier().jwks.generation(),
        };
        self.verified().insert(credential, verified);
    }

    async fn refresh_if_due(&self, context: AuthContext, session: LoadedSession) -> Authenticated {
        let (expires_at, lifetime) = context
            .claims()
            .map_or((i64::MAX, 0), |claims| (claims.exp, claims.lifetime()));
        let remaining = expires_at.saturating_sub(self.now());
        if remaining > self.refresh_buffer(lifetime) {
            return Authenticated::signed_in(context, session);
        }
        let valid = (remaining > 0).then_some(context);
        Box::pin(self.refresh(session, valid)).await
    }

    /// How many seconds before expiry a token is refreshed.
    fn refresh_buffer(&self, lifetime: i64) -> i64 {
        let buffer = match self.config().refresh_buffer {
            Some(buffer) => i64::try_from(buffer.as_secs()).unwrap_or(i64::MAX),
            None if lifetime <= 300 => 30,
            None => 60,
        };
        // A token that lives shorter than the buffer would be refreshed at every request.
        if lifetime > 0 {
            buffer.min(lifetime / 2)
        } else {
            buffer
        }
    }

    /// Refreshes a session. `valid` is the context of a token that has not expired yet: it is served whenever the
    /// refresh does not succeed in time.
    async fn refresh(&self, old: LoadedSession, valid: Option<AuthContext>) -> Authenticated {
        let rotation = self.rotate(&old, None);
        let rotation = match valid {
            Some(_) => tokio::time::timeout(EARLY_REFRESH_WAIT, rotation)
                .await
                .unwrap_or(Rotation::UNAVAILABLE),
            None => rotation.await,
        };
        match (rotation, valid) {
            (
                Rotation::Done {
                    context,
                    session,
                    cookie,
                },
                _,
            ) => Authenticated::signed_in(context, session).refreshed(cookie),
            (Rotation::Unproven { session, cookie }, Some(context)) => {
                Authenticated::signed_in(context, session).refreshed(cookie)
            }
            (Rotation::Unproven { session, cookie }, None) => {
                let retry_after = Duration::from_secs(UNKNOWN_KEY_SECONDS.unsigned_abs());
                Authenticated::unavailable(retry_after, Some(session)).refreshed(cookie)
            }
            (Rotation::Unacceptable, _) | (Rotation::Ended | Rotation::Refused { .. }, None) => {
                self.end(old).await
            }
            (_, Some(context)) => Authenticated::signed_in(context, old),
            (Rotation::Unavailable { retry_after }, None) => {
                Authenticated::unavailable(retry_after, Some(old))
            }
        }
    }

    /// The session is over: the store and the browser forget it.
    async fn end(&self, session: LoadedSession) -> Authenticated {
        if let Err(error) = self.forget(&session).await {
            tracing::error!(%error, "the ended session cannot be deleted");
        }
        Authenticated {
            session: Some(session),
            cookie: Some(self.session_cookie().removal()),
            ..Authenticated::signed_out()
        }
    }

    pub(crate) async fn forget(&self, session: &LoadedSession) -> Result<(), SessionError> {
        self.session_cookie().end(session).await
    }
}
