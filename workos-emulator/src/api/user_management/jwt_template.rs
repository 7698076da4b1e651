//! The JWT template of the environment: more claims for its access tokens.
//!
//! Source: <https://workos.com/docs/reference/authkit/jwt-template>. The language is [`core::jwt_template`](crate::core::jwt_template).

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    identities,
    memberships::{self, OrganizationMembership},
    users::User,
};
use crate::{
    api::organizations::Organization,
    core::{
        clock,
        jwt_template::{RenderError, Template},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{Record, State, Transaction},
};

/// The one row of its table, as kept and as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename = "jwt_template")]
pub(crate) struct JwtTemplate {
    pub(crate) content: String,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
}

impl Record for JwtTemplate {
    fn id(&self) -> &str {
        "jwt_template"
    }
}

/// `PUT /user_management/jwt_template`
#[derive(Debug, Deserialize)]
struct UpdateJwtTemplate {
    content: String,
}

fn find(state: &State) -> Result<&Arc<JwtTemplate>, ApiError> {
    state
        .jwt_templates
        .get("jwt_template")
        .ok_or_else(|| ApiError::new(404, "entity_not_found", "JWT template not found."))
}

/// Sets the template of the environment, if it is one.
pub(crate) fn set(tx: &mut Transaction<'_>, content: String) -> Result<Arc<JwtTemplate>, ApiError> {
    if let Err(error) = Template::parse(&content) {
        return Err(ApiError::invalid_field(
            "content",
            "invalid_jwt_template",
            error.to_string(),
        ));
    }
    let created_at = find(tx).map_or(tx.now(), |template| template.created_at);
    Ok(tx.put(JwtTemplate {
        content,
        created_at,
        updated_at: tx.now(),
    })?)
}

/// The claims that the template adds to an access token of a user in an organization; none where there is no template.
///
/// Assumption: what production answers when a custom attribute turns out to be an object inside a string is not
/// documented; it is 422, as for a template that is wrong from the start.
pub(crate) fn claims(
    state: &State,
    user: &User,
    organization_id: Option<&str>,
) -> Result<Map<String, Value>, ApiError> {
    let Ok(template) = find(state) else {
        return Ok(Map::new());
    };
    let refused = |message: String| ApiError::invalid_field("jwt_template", "invalid_jwt_template", message);
    let template = Template::parse(&template.content).map_err(|error| refused(error.to_string()))?;
    let membership = organization_id.and_then(|id| memberships::active(state, &user.id, id));
    let context = context(state, user, membership)?;
    template.render(&context).map_err(|error| match error {
        RenderError::TooBig => ApiError::oauth("token_too_big", "The request failed due to: token_too_big."),
        RenderError::ObjectInString => refused(error.to_string()),
    })
}

/// What expressions refer to: the shapes that were seen in production, see <https://github.com/workos/emulate>.
///
/// `user.identities` has the providers that are linked; each of the others is null.
fn context(
    state: &State,
    user: &User,
    membership: Option<&OrganizationMembership>,
) -> Result<Value, ApiError> {
    let failed = |error: serde_json::Error| ApiError::message(500, error.to_string());
    let organization = membership.and_then(|membership| state.organizations.get(&membership.organization_id));
    let identities = identities::claims_context(state, &user.id);
    let mut user = serde_json::to_value(user).map_err(failed)?;
    without(&mut user, &["last_sign_in_at"]);
    user["identities"] = identities.into();
    let organization = organization
        .map(|organization| organization_context(organization))
        .transpose()
        .map_err(failed)?;
    let membership = membership.map(|membership| {
        json!({
            "object": "organization_membership",
            "id": membership.id,
            "role": membership.role(),
            "roles": membership.roles,
            "custom_attributes": membership.custom_attributes,
            "created_at": clock::iso8601(membership.created_at),
            "updated_at": clock::iso8601(membership.updated_at),
        })
    });
    Ok(json!({"user": user, "organization": organization, "organization_membership": membership}))
}

fn organization_context(organization: &Organization) -> Result<Value, serde_json::Error> {
    let mut organization = serde_json::to_value(organization)?;
    let domains = organization.get_mut("domains").and_then(Value::as_array_mut);
    for domain in domains.into_iter().flatten() {
        without(domain, &["verification_token", "verification_prefix"]);
    }
    Ok(organization)
}

fn without(object: &mut Value, names: &[&str]) {
    if let Some(members) = object.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// `GET /user_management/jwt_template`
pub(crate) fn get_jwt_template(call: &Call) -> Result<Reply, ApiError> {
    Reply::ok(find(&call.environment.state())?)
}

/// `PUT /user_management/jwt_template`
pub(crate) fn update_jwt_template(call: &Call) -> Result<Reply, ApiError> {
    let UpdateJwtTemplate { content } = call.body()?;
    Reply::ok(&call.environment.transact(|tx| set(tx, content))?)
}

#[cfg(test)]
mod tests;
