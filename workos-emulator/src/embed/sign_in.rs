//! A session without a browser.

use std::fmt;

use super::{EmulatedEnvironment, EmulatorError, Organization, User};
use crate::{
    api::user_management::{authenticate::sign_in::Authentication, sessions::Device},
    control::sign_in::{WantedSignIn, sign_in_as},
    server::error::ApiError,
};

/// The tokens of a new session. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedIn {
    /// `session_…`
    pub session_id: String,
    /// The organization that the session is in.
    pub organization_id: Option<String>,
    /// The access token, a JWT.
    pub access_token: String,
    /// The refresh token, for `POST /user_management/authenticate`.
    pub refresh_token: String,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("session_id", &self.session_id)
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

impl EmulatedEnvironment {
    /// Signs the user in as a browser would, with the same events. A member of one organization is signed in to it.
    ///
    /// # Errors
    /// When the user is gone, or a member of several organizations: use [`sign_in_to`](Self::sign_in_to).
    pub async fn sign_in(&self, user: &User) -> Result<SignedIn, EmulatorError> {
        self.signed_in(user, None)
    }

    /// Signs the user in to this organization.
    ///
    /// # Errors
    /// When the user is gone, or not an active member of the organization.
    pub async fn sign_in_to(
        &self,
        user: &User,
        organization: &Organization,
    ) -> Result<SignedIn, EmulatorError> {
        self.signed_in(user, Some(organization.id.clone()))
    }

    fn signed_in(&self, user: &User, organization_id: Option<String>) -> Result<SignedIn, EmulatorError> {
        let wanted = WantedSignIn {
            user_id: Some(user.id.clone()),
            organization_id,
            ..WantedSignIn::default()
        };
        sign_in_as(&self.inner, &self.url, &wanted, Device::default())
            .and_then(|authentication| self.tokens(&authentication))
            .map_err(EmulatorError::refused(format!("signing in {}", user.email)))
    }

    fn tokens(&self, authentication: &Authentication) -> Result<SignedIn, ApiError> {
        let claims = &authentication.claims;
        let signed = claims.sign(self.inner.state().keys().current());
        Ok(SignedIn {
            session_id: claims.sid.clone(),
            organization_id: claims.org_id.clone(),
            access_token: signed.map_err(|error| ApiError::message(500, error.to_string()))?,
            refresh_token: authentication.refresh_token.expose().to_owned(),
        })
    }
}
