//! The operations on API keys.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{ApiKey, BY_OWNER, NewApiKey, Owner, create, delete, expire, validate};
use crate::{
    api::{organizations, user_management::users},
    server::{body::Patch, call::Call, error::ApiError, reply::Reply},
    store::{Select, group},
};

/// `POST /organizations/{organizationId}/api_keys`, and the same for a user.
#[derive(Debug, Deserialize)]
struct CreateApiKey {
    name: String,
    #[serde(default)]
    permissions: Option<Vec<String>>,
    expires_at: Option<Timestamp>,
}

impl CreateApiKey {
    fn reply(self, call: &Call, owner: Owner) -> Result<Reply, ApiError> {
        #[derive(Serialize)]
        struct WithValue<'a> {
            #[serde(flatten)]
            key: &'a ApiKey,
            value: &'a str,
        }
        let new = NewApiKey {
            owner,
            name: self.name,
            permissions: self.permissions.unwrap_or_default(),
            expires_at: self.expires_at,
        };
        let (key, value) = call.environment.transact(|tx| create(tx, new))?;
        Reply::created(&WithValue {
            key: &key,
            value: value.expose(),
        })
    }
}

/// `POST /organizations/{organizationId}/api_keys`
pub(crate) fn create_organization_api_key(call: &Call) -> Result<Reply, ApiError> {
    let owner = Owner::Organization {
        id: call.param("organizationId").to_owned(),
    };
    call.body::<CreateApiKey>()?.reply(call, owner)
}

/// `POST /user_management/users/{userId}/api_keys`
pub(crate) fn create_user_api_key(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct Of {
        organization_id: String,
    }
    let owner = Owner::User {
        id: call.param("userId").to_owned(),
        organization_id: call.body::<Of>()?.organization_id,
    };
    call.body::<CreateApiKey>()?.reply(call, owner)
}

/// `GET /organizations/{organizationId}/api_keys`: those that the organization itself owns.
pub(crate) fn list_organization_api_keys(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let organization = organizations::find(&state, call.param("organizationId"))?;
    Reply::ok(&Select::group(BY_OWNER, &organization.id).page(&state.api_keys, &call.page()?)?)
}

/// `GET /user_management/users/{userId}/api_keys`
pub(crate) fn list_user_api_keys(call: &Call) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let user = users::find(&state, call.param("userId"))?;
    let of_membership = call
        .query
        .get("organization_id")
        .map(|organization_id| group(&[&user.id, organization_id]));
    let owner = of_membership.as_deref().unwrap_or(&user.id);
    Reply::ok(&Select::group(BY_OWNER, owner).page(&state.api_keys, &call.page()?)?)
}

/// `POST /api_keys/validations`: null for a value that is good for nothing, whatever the reason.
pub(crate) fn create_validation(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct ValidateApiKey {
        value: String,
    }
    let ValidateApiKey { value } = call.body()?;
    let key = call.environment.transact(|tx| validate(tx, &value))?;
    Reply::ok(&json!({ "api_key": key.as_deref() }))
}

/// `POST /api_keys/{id}/expire`
pub(crate) fn create_api_key_expire(call: &Call) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct ExpireApiKey {
        #[serde(default)]
        expires_at: Patch<Timestamp>,
    }
    let ExpireApiKey { expires_at } = call.body()?;
    let key = call
        .environment
        .transact(|tx| expire(tx, call.param("id"), expires_at))?;
    Reply::ok(&key)
}

/// `DELETE /api_keys/{id}`
pub(crate) fn delete_api_key(call: &Call) -> Result<Reply, ApiError> {
    call.environment.transact(|tx| delete(tx, call.param("id")))?;
    Reply::empty(204)
}
