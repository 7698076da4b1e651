//! `ApiKey`: the API key that a request came with.

use std::{future::Ready, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use workos::ApiKeyOwnerOneOf as Owner;

use super::part_of;
use crate::{AuthError, Requirement};

/// The API key that a request came with, as WorkOS knows it: for handlers that only programs of customers may call.
///
/// As a handler argument it requires one: 401 for nobody, 403 for everybody else. Cloning it copies a pointer. The key's
/// value is not in it.
///
/// ```
/// use workos_actix::ApiKey;
///
/// async fn import(key: ApiKey) -> String {
///     format!("{} imports into {}", key.name(), key.organization_id())
/// }
/// ```
///
/// Source: <https://workos.com/docs/authkit/api-keys>.
#[derive(Debug, Clone)]
pub struct ApiKey(Arc<Validated>);

#[derive(Debug)]
struct Validated {
    key: workos::ApiKey,
    agent_registration_id: Option<String>,
}

impl ApiKey {
    pub(crate) fn new(key: workos::ApiKey, agent_registration_id: Option<String>) -> Self {
        Self(Arc::new(Validated {
            key,
            agent_registration_id,
        }))
    }

    /// `api_key_…`
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.key.id
    }

    /// The name that its owner gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.key.name
    }

    /// The organization it opens, `org_…`: its owner, or the one its owner made it for.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        match &self.0.key.owner {
            Owner::ApiKeyOwner(organization) => &organization.id,
            Owner::UserApiKeyOwner(user) => &user.organization_id,
        }
    }

    /// The user who owns it, `user_…`; `None` where the organization does.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match &self.0.key.owner {
            Owner::ApiKeyOwner(_) => None,
            Owner::UserApiKeyOwner(user) => Some(&user.id),
        }
    }

    /// The permissions that its owner gave it.
    #[must_use]
    pub fn permissions(&self) -> &[String] {
        &self.0.key.permissions
    }

    /// The agent registration that the key was issued for, if any.
    #[must_use]
    pub fn agent_registration_id(&self) -> Option<&str> {
        self.0.agent_registration_id.as_deref()
    }

    /// The whole API key object, as of a minute ago at most.
    #[must_use]
    pub fn details(&self) -> &workos::ApiKey {
        &self.0.key
    }
}

impl FromRequest for ApiKey {
    type Error = AuthError;
    type Future = Ready<Result<Self, AuthError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        part_of(request, Requirement::ApiKey, |context| context.api_key().cloned())
    }
}
