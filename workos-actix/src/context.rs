//! Who is signed in: shared by everything that handles one request.

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
use workos::{SecretString, User};

use crate::{
    AuthKit, AuthUser, Claims, Impersonator,
    credential::{LoadedSession, Session},
    error::AuthError,
    token::verify::unverified_session_id,
};

/// A verified session: the user, the claims of the access token, and the token itself.
///
/// One value is shared, behind an `Arc`, by all requests with the same session cookie.
#[derive(Debug)]
#[non_exhaustive]
pub struct AuthContext {
    /// What the access token says.
    pub claims: Claims,
    /// The user as of the last sign-in or refresh.
    pub user: User,
    /// Who impersonates the user, if anyone.
    pub impersonator: Option<Impersonator>,
    /// The access token, for calls to services of your own that accept it.
    pub access_token: SecretString,
}

/// What the middleware found out about a request.
#[derive(Debug, Clone)]
pub(crate) enum AuthState {
    SignedIn(Arc<AuthContext>),
    SignedOut,
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
    Stored(Cookie<'static>),
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
}

impl RequestAuth {
    pub(crate) fn new(authkit: AuthKit, state: AuthState, session: Option<LoadedSession>) -> Self {
        Self {
            authkit,
            state: RefCell::new(state),
            session: RefCell::new(session),
            change: RefCell::new(None),
            cookies: RefCell::default(),
            consulted: Cell::new(false),
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
    pub(crate) fn renew(&self, context: Arc<AuthContext>, session: LoadedSession, cookie: Cookie<'static>) {
        self.state.replace(AuthState::SignedIn(context));
        self.session.replace(Some(session));
        self.change_session(SessionChange::Stored(cookie));
    }

    /// From here on the request is in a session that has just begun.
    pub(crate) fn begin(&self, context: Arc<AuthContext>, session: Arc<Session>) {
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

    /// The id of the WorkOS session, also when its token has expired.
    pub(crate) fn session_id(&self) -> Option<String> {
        if let AuthState::SignedIn(context) = &*self.state.borrow() {
            return Some(context.claims.sid.clone());
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

    /// The user, if one is signed in.
    pub(crate) fn user(&self) -> Result<Option<AuthUser>, AuthError> {
        match &*self.consult() {
            AuthState::SignedIn(context) => Ok(Some(AuthUser::new(Arc::clone(context)))),
            AuthState::SignedOut => Ok(None),
            AuthState::Unavailable { retry_after } => Err(AuthError::Unavailable {
                retry_after: *retry_after,
            }),
        }
    }

    /// The user, or the answer that leads the sender of the request to the sign-in.
    pub(crate) fn require_user(&self, head: &RequestHead) -> Result<AuthUser, AuthError> {
        self.user()?
            .ok_or_else(|| AuthError::sign_in_required(&self.authkit, head))
    }
}

/// The signed-in user of a request, for middleware and handlers that have the request itself.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse};
/// use workos_actix::{AuthError, AuthExt};
///
/// async fn greeting(request: HttpRequest) -> Result<String, AuthError> {
///     Ok(match request.auth()? {
///         Some(user) => format!("Hello, {}", user.email()),
///         None => "Hello, stranger".to_owned(),
///     })
/// }
/// ```
pub trait AuthExt {
    /// The signed-in user, or `None`.
    ///
    /// # Errors
    /// [`AuthError::MissingMiddleware`] when `.wrap(authkit.middleware())` is missing;
    /// [`AuthError::Unavailable`] when there is a session that cannot be checked because WorkOS is unreachable.
    fn auth(&self) -> Result<Option<AuthUser>, AuthError>;
}

impl AuthExt for HttpRequest {
    fn auth(&self) -> Result<Option<AuthUser>, AuthError> {
        RequestAuth::of(self)?.user()
    }
}

impl AuthExt for ServiceRequest {
    fn auth(&self) -> Result<Option<AuthUser>, AuthError> {
        RequestAuth::of_service_request(self)?.user()
    }
}
