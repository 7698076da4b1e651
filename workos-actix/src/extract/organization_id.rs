//! `OrganizationId`: the organization that a request is about.

use std::{fmt, future::Ready, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, Serialize};

use super::part_of;
use crate::{AuthError, Requirement};

/// The organization that a request is about, `org_…`: the one the session is in, or that the API key or the machine
/// belongs to. It is proven, unlike an id in a path: use it as the tenant in queries.
///
/// As a handler argument it requires one: whoever is in none gets 403 with the code `organization_required`.
///
/// ```
/// use workos_actix::OrganizationId;
/// # async fn invoices_of(organization_id: &str) -> String { String::new() }
///
/// async fn invoices(organization: OrganizationId) -> String {
///     invoices_of(&organization).await
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// The id as text of one's own.
    #[must_use]
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl Deref for OrganizationId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for OrganizationId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromRequest for OrganizationId {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        part_of(request, Requirement::Organization, |context| {
            context.organization_id().map(|id| Self(id.to_owned()))
        })
    }
}
