//! An access token that was verified, with what it says.

use std::{fmt, sync::Arc};

use workos::SecretString;

use super::Claims;

/// The access token that a request proved itself by, verified: that of the session, or the one in `Authorization`.
///
/// As a handler argument it requires one; an API key is none (403). For calls to services of your own that accept it.
/// `Debug` is redacted; cloning it copies a pointer.
///
/// ```
/// use workos_actix::AccessToken;
///
/// async fn forward(token: AccessToken) -> String {
///     format!("Bearer {}", token.expose())
/// }
/// ```
#[derive(Clone)]
pub struct AccessToken(Arc<Verified>);

struct Verified {
    claims: Claims,
    token: SecretString,
}

impl AccessToken {
    pub(crate) fn new(claims: Claims, token: SecretString) -> Self {
        Self(Arc::new(Verified { claims, token }))
    }

    /// The token itself. Take care not to log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.token.expose()
    }

    /// The token, in the type that keeps it out of logs.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0.token
    }

    /// What it says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("claims", &self.0.claims)
            .finish_non_exhaustive()
    }
}
