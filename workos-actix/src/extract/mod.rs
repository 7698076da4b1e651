//! Extractors: what a handler asks for by its arguments.
//!
//! Each requires what its name says, and answers for the handler when it is not there. `Option<…>` of each is `None`
//! instead.

mod access_token;
mod api_key;
mod auth_user;
mod claims;
mod impersonator;
mod organization_id;
mod session;

use std::future::{Ready, ready};

use actix_web::HttpRequest;

pub use self::{
    api_key::ApiKey, auth_user::AuthUser, impersonator::Impersonator, organization_id::OrganizationId,
    session::Session,
};
use crate::{AuthContext, AuthError, Requirement, context::RequestAuth};

/// What an extractor makes of whoever sent the request. Nobody is 401, or a redirect to sign-in for browsers.
pub(crate) fn from_request<T>(
    request: &HttpRequest,
    part: impl FnOnce(&RequestAuth, AuthContext) -> Result<T, AuthError>,
) -> Ready<Result<T, AuthError>> {
    ready(RequestAuth::of(request).and_then(|auth| {
        let context = auth.require(request.head())?;
        part(&auth, context)
    }))
}

/// A part that not everybody has; without, it is 403.
fn part_of<T>(
    request: &HttpRequest,
    requirement: Requirement,
    part: impl FnOnce(&AuthContext) -> Option<T>,
) -> Ready<Result<T, AuthError>> {
    from_request(request, |_, context| {
        part(&context).ok_or(AuthError::Forbidden { requirement })
    })
}
