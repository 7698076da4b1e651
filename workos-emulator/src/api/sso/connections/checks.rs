//! What is wrong with a connection that somebody wants.

use super::{BY_EXTERNAL_ID, GroupRole};
use crate::{
    api::{
        authorization::roles,
        metadata,
        sso::connection_type::{self, ConnectionType},
    },
    server::error::ApiError,
    store::State,
};

const MAX_NAME_LENGTH: usize = 255;

/// It stands in addresses as it is.
pub(super) fn check_external_key(key: &str) -> Result<(), ApiError> {
    if (8..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let message = "external_key is 8 to 64 letters and digits.";
    Err(ApiError::invalid_field("external_key", "invalid", message))
}

pub(super) fn known_type(slug: &str) -> Result<&'static ConnectionType, ApiError> {
    connection_type::by_slug(slug).ok_or_else(|| {
        let message = format!("'{slug}' is no connection type; they are called OktaSAML, GenericOIDC, ….");
        ApiError::invalid_field("connection_type", "invalid_enum_value", message)
    })
}

pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let (code, message) = match name.chars().count() {
        _ if name.trim().is_empty() => ("required", "name must not be empty.".to_owned()),
        ..=MAX_NAME_LENGTH => return Ok(()),
        _ => (
            "too_long",
            format!("name has at most {MAX_NAME_LENGTH} characters."),
        ),
    };
    Err(ApiError::invalid_field("name", code, message))
}

pub(super) fn check_external_id(
    state: &State,
    own: Option<&str>,
    external_id: Option<&str>,
) -> Result<(), ApiError> {
    let Some(external_id) = external_id else {
        return Ok(());
    };
    metadata::check_external_id(external_id)?;
    let other = state.connections.find(BY_EXTERNAL_ID, external_id);
    if other.is_some_and(|other| Some(other.id.as_str()) != own) {
        return Err(metadata::external_id_taken());
    }
    Ok(())
}

pub(super) fn check_group_roles(
    state: &State,
    organization_id: Option<&str>,
    group_roles: &[GroupRole],
) -> Result<(), ApiError> {
    for mapped in group_roles {
        let Some(organization_id) = organization_id else {
            let message = "Only a connection of an organization gives roles.";
            return Err(ApiError::invalid_field("group_roles", "not_allowed", message));
        };
        roles::assignable(state, organization_id, vec![mapped.role.clone()])?;
    }
    Ok(())
}
