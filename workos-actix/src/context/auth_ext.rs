//! `AuthExt`: who it is, for code that has the request itself.

use actix_web::{HttpRequest, dev::ServiceRequest};

use super::{AuthContext, RequestAuth};
use crate::AuthError;

/// Who sent a request, for middleware and handlers that have the request itself.
///
/// ```
/// use actix_web::HttpRequest;
/// use workos_actix::{AuthError, AuthExt};
///
/// async fn greeting(request: HttpRequest) -> Result<String, AuthError> {
///     Ok(match request.auth()? {
///         Some(auth) => format!("Hello, {}", auth.subject()),
///         None => "Hello, stranger".to_owned(),
///     })
/// }
/// ```
///
/// The profile is one step further: `AuthUser::extract(&request).await`, of Actix's `FromRequest`, asks WorkOS for it where
/// the request came with a bare access token.
pub trait AuthExt {
    /// Whoever sent the request, or `None`.
    ///
    /// # Errors
    /// - [`AuthError::MissingMiddleware`] when `.wrap(authkit.middleware())` is missing.
    /// - [`AuthError::Unavailable`] when there is a credential that cannot be checked because WorkOS is unreachable.
    /// - [`AuthError::InvalidToken`], [`AuthError::InvalidRequest`] when there is one that is not acceptable.
    /// - [`AuthError::CrossOrigin`] when another site sent a request that changes something, with the session cookie.
    fn auth(&self) -> Result<Option<AuthContext>, AuthError>;
}

impl AuthExt for HttpRequest {
    fn auth(&self) -> Result<Option<AuthContext>, AuthError> {
        RequestAuth::of(self)?.context()
    }
}

impl AuthExt for ServiceRequest {
    fn auth(&self) -> Result<Option<AuthContext>, AuthError> {
        RequestAuth::of_service_request(self)?.context()
    }
}
