//! What the server says of itself. Source: RFC 7644 section 4.

use serde_json::{Value, json};

use super::{
    BODY_LIMIT,
    error::ScimError,
    list::{self, ListResponse},
    request::{base_url, json as reply},
    schema,
};
use crate::server::{call::Call, error::ApiError, reply::Reply};

/// A resource with its `meta`.
fn located(mut resource: Value, call: &Call, kind: &str, path: &str) -> Value {
    resource["meta"] = json!({"resourceType": kind, "location": format!("{}{path}", base_url(call))});
    resource
}

/// `GET /ServiceProviderConfig`
pub(super) fn service_provider_config(call: &Call) -> Result<Reply, ApiError> {
    let config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "documentationUri": "https://workos.com/docs/integrations/scim",
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": BODY_LIMIT},
        "filter": {"supported": true, "maxResults": list::MOST},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The token that was shown when the directory was made.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
        }],
    });
    reply(
        200,
        &located(config, call, "ServiceProviderConfig", "/ServiceProviderConfig"),
    )
}

/// What describes the server cannot be filtered (RFC 7644 section 4).
fn check_unfiltered(call: &Call) -> Result<(), ScimError> {
    if call.query.has("filter") {
        return Err(ScimError::new(403, "This list cannot be filtered."));
    }
    Ok(())
}

fn resource_types(call: &Call) -> Vec<Value> {
    [&schema::USER, &schema::GROUP]
        .into_iter()
        .map(|kind| {
            located(
                kind.body(),
                call,
                "ResourceType",
                &format!("/ResourceTypes/{}", kind.name),
            )
        })
        .collect()
}

fn schemas(call: &Call) -> Vec<Value> {
    schema::ALL
        .iter()
        .map(|schema| located(schema.body(), call, "Schema", &format!("/Schemas/{}", schema.id)))
        .collect()
}

fn all(call: &Call, resources: Vec<Value>) -> Result<Reply, ApiError> {
    check_unfiltered(call)?;
    reply(200, &ListResponse::new(resources.len(), 0, resources))
}

fn one(call: &Call, resources: Vec<Value>) -> Result<Reply, ApiError> {
    let id = call.param("id");
    let is_it = |resource: &Value| {
        resource["id"]
            .as_str()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    let found = resources.into_iter().find(is_it);
    reply(200, &found.ok_or_else(|| ScimError::not_found(id))?)
}

/// `GET /ResourceTypes`
pub(super) fn list_resource_types(call: &Call) -> Result<Reply, ApiError> {
    all(call, resource_types(call))
}

/// `GET /ResourceTypes/{id}`
pub(super) fn get_resource_type(call: &Call) -> Result<Reply, ApiError> {
    one(call, resource_types(call))
}

/// `GET /Schemas`
pub(super) fn list_schemas(call: &Call) -> Result<Reply, ApiError> {
    all(call, schemas(call))
}

/// `GET /Schemas/{id}`
pub(super) fn get_schema(call: &Call) -> Result<Reply, ApiError> {
    one(call, schemas(call))
}

/// `POST /Bulk`, which the configuration says is not supported.
pub(super) fn bulk(_: &Call) -> Result<Reply, ApiError> {
    Err(ScimError::new(
        501,
        "Bulk operations are not supported: see ServiceProviderConfig.",
    )
    .into())
}
