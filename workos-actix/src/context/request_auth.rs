//! `RequestAuth`: what the middleware found out about one request.

use std::{
    cell::{Cell, Ref, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    HttpMessage, HttpRequest,
    cookie::Cookie,
    dev::{RequestHead, ServiceRequest},
};

use super::AuthContext;
use crate::{
    AuthKit, AuthUser, CredentialKind, Requirement,
    credential::{LoadedSession, Session, SessionCookies},
    error::AuthError,
    token::verify::unverified_session_id,
};

/// What the middleware found out about a request.
#[derive(Debug, Clone)]
pub(crate) enum AuthState {
    SignedIn(AuthContext),
    SignedOut,
    /// There is a credential, and it is not acceptable.
    Refused(AuthError),
    /// There is a session, but WorkOS cannot be reached to refresh or verify it.
    Unavailable {
        retry_after: Duration,
    },
}

/// What happened to the session, to be told to the store and the browser with the response.
#[derive(Debug)]
pub(crate) enum SessionChange {
    Begin(Arc<Session>),
    /// The session was renewed, and the store knows it.
    Stored(SessionCookies),
    End,
}

/// Everything about the sign-in of one request. Put into the request's extensions by the middleware.
#[derive(Debug)]
pub(crate) struct RequestAuth {
    pub(crate) authkit: AuthKit,
    state: RefCell<AuthState>,
    /// The session the request came with, valid or not, or the one that took its place.
    session: RefCell<Option<LoadedSession>>,
    change: RefCell<Option<SessionChange>>,
    /// To be set with the response, beside the session's.
    cookies: RefCell<Vec<Cookie<'static>>>,
    consulted: Cell<bool>,
    /// Another site sent it, and the session cookie must not count.
    is_forged: bool,
}

impl RequestAuth {
    pub(crate) fn new(
        authkit: AuthKit,
        state: AuthState,
        session: Option<LoadedSession>,
        is_forged: bool,
    ) -> Self {
        Self {
            authkit,
            state: RefCell::new(state),
            session: RefCell::new(session),
            change: RefCell::new(None),
            cookies: RefCell::default(),
            consulted: Cell::new(false),
            is_forged,
        }
    }

    /// The state, remembering that the response depends on it.
    pub(crate) fn consult(&self) -> Ref<'_, AuthState> {
        self.consulted.set(true);
        self.state.borrow()
    }

    pub(crate) fn session(&self) -> Option<LoadedSession> {
        self.session.borrow().clone()
    }

    pub(crate) fn was_consulted(&self) -> bool {
        self.consulted.get()
    }

    pub(crate) fn change_session(&self, change: SessionChange) {
        self.change.replace(Some(change));
    }

    /// From here on the request is in the renewed session.
    pub(crate) fn renew(&self, context: AuthContext, session: LoadedSession, cookie: SessionCookies) {
        self.state.replace(AuthState::SignedIn(context));
        self.session.replace(Some(session));
        self.change_session(SessionChange::Stored(cookie));
    }

    /// From here on the request is in a session that has just begun.
    pub(crate) fn begin(&self, context: AuthContext, session: Arc<Session>) {
        self.state.replace(AuthState::SignedIn(context));
        self.change_session(SessionChange::Begin(session));
    }

    pub(crate) fn add_cookies(&self, cookies: impl IntoIterator<Item = Cookie<'static>>) {
        self.cookies.borrow_mut().extend(cookies);
    }

    pub(crate) fn take_cookies(&self) -> Vec<Cookie<'static>> {
        self.cookies.take()
    }

    pub(crate) fn take_change(&self) -> Option<SessionChange> {
        self.change.take()
    }

    /// Whether there may be a session, and its store cannot be asked.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        matches!(&*self.state.borrow(), AuthState::Unavailable { .. }) && self.session.borrow().is_none()
    }

    /// The id of the WorkOS session, also when its token has expired.
    pub(crate) fn session_id(&self) -> Option<String> {
        if let AuthState::SignedIn(context) = &*self.state.borrow() {
            return context.session_id().map(str::to_owned);
        }
        self.session
            .borrow()
            .as_ref()
            .and_then(|loaded| unverified_session_id(loaded.session.access_token.expose()))
    }

    pub(crate) fn of(request: &HttpRequest) -> Result<Rc<Self>, AuthError> {
        request
            .extensions()
            .get::<Rc<Self>>()
            .cloned()
            .ok_or(AuthError::MissingMiddleware)
    }

    pub(crate) fn of_service_request(request: &ServiceRequest) -> Result<Rc<Self>, AuthError> {
        request
            .extensions()
            .get::<Rc<Self>>()
            .cloned()
            .ok_or(AuthError::MissingMiddleware)
    }

    /// Whoever sent the request, if anybody is known.
    pub(crate) fn context(&self) -> Result<Option<AuthContext>, AuthError> {
        match &*self.consult() {
            AuthState::SignedIn(context)
                if self.is_forged && context.credential() == CredentialKind::Session =>
            {
                Err(AuthError::CrossOrigin)
            }
            AuthState::SignedIn(context) => Ok(Some(context.clone())),
            AuthState::SignedOut => Ok(None),
            AuthState::Refused(error) => Err(error.clone()),
            AuthState::Unavailable { retry_after } => Err(AuthError::Unavailable {
                retry_after: *retry_after,
            }),
        }
    }

    /// Whoever sent the request, or the answer that leads them to the sign-in.
    pub(crate) fn require(&self, head: &RequestHead) -> Result<AuthContext, AuthError> {
        self.context()?
            .ok_or_else(|| AuthError::sign_in_required(&self.authkit, head))
    }

    /// The same, and it must be a person.
    pub(crate) fn require_person(&self, head: &RequestHead) -> Result<AuthContext, AuthError> {
        let context = self.require(head)?;
        if context.is_person() {
            Ok(context)
        } else {
            Err(AuthError::Forbidden {
                requirement: Requirement::User,
            })
        }
    }

    /// The user of the session cookie, if there is a session.
    pub(crate) fn user(&self) -> Result<Option<AuthUser>, AuthError> {
        let context = self.context()?;
        let user = context.map(|context| {
            context.known_user().ok_or(AuthError::Forbidden {
                requirement: Requirement::Session,
            })
        });
        user.transpose()
    }
}
