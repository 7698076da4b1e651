//! A SCIM request: the directory that it is about, the profile, and its answers.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Profile,
    error::{Attempt, MEDIA_TYPE, ScimError, refused},
    etag,
    projection::Projection,
    resource::{Resource, View},
    schema::ResourceType,
};
use crate::{
    api::directory_sync::{
        DirectoryError,
        directories::{self, Directory, DirectoryChanges, DirectoryState},
        error,
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::{State, Transaction},
};

/// Reads a body: SCIM's JSON or plain JSON (RFC 7644 section 3.1). No body is an empty object.
pub(crate) fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let media_type = content_type.unwrap_or(MEDIA_TYPE);
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !["application/scim+json", "application/json"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(media_type))
    {
        let detail = format!("The body is {media_type}; send application/scim+json.");
        return Err(ScimError::new(415, detail).into());
    }
    serde_json::from_slice(bytes)
        .map_err(|error| ScimError::syntax(format!("The body is not JSON: {error}.")).into())
}

/// The profile of the environment.
pub(super) fn profile(state: &State) -> Profile {
    state.settings().scim_profile
}

/// `…/scim/v2.0/{external_key}`, by the host that the client used.
pub(super) fn base_url(call: &Call) -> String {
    format!("{}/scim/v2.0/{}", call.base_url(), call.param("external_key"))
}

/// The directory of the request.
pub(super) fn directory<'a>(state: &'a State, call: &Call) -> Result<&'a Arc<Directory>, ScimError> {
    let key = call.param("external_key");
    directories::by_external_key(state, key).ok_or_else(|| ScimError::not_found(key))
}

/// Changes the directory of the request, by the rules. The first change activates a directory that waits for its
/// provider.
pub(super) fn change<T>(
    call: &Call,
    attempt: Attempt,
    rule: impl FnOnce(&mut Transaction<'_>, &Directory) -> Result<T, DirectoryError>,
) -> Result<T, ApiError> {
    let profile = profile(&call.environment.state());
    let changed = error::transact(call, |tx| {
        let mut directory = Arc::clone(directory(tx, call)?);
        if matches!(
            directory.state,
            DirectoryState::Unlinked | DirectoryState::Validating
        ) {
            let linked = DirectoryChanges {
                state: Some(DirectoryState::Linked),
                ..DirectoryChanges::default()
            };
            directory = directories::update(tx, &directory.id, linked)?;
        }
        rule(tx, &directory)
    });
    changed.map_err(|error| refused(&error, attempt, profile))
}

/// `?attributes=` and `?excludedAttributes=`.
pub(super) fn projection(call: &Call, resource_type: &ResourceType) -> Projection {
    let names = |parameter| call.query.all(parameter);
    Projection::new(names("attributes"), names("excludedAttributes"), resource_type)
}

/// 200 or another status with a body of SCIM's media type.
pub(super) fn json(status: u16, body: &impl serde::Serialize) -> Result<Reply, ApiError> {
    let mut reply = Reply::json(status, body)?;
    reply.headers = vec![("Content-Type", MEDIA_TYPE.to_owned())];
    Ok(reply)
}

/// The answer to a GET: nothing where the client has this version already.
pub(super) fn got<R: Resource>(call: &Call, id: &str) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let version = R::find(&state, directory(&state, call)?, id)?.version();
    if etag::is_known(call, version) {
        return Ok(Reply::empty(304)?.header("ETag", etag::of(version)));
    }
    shown::<R>(call, 200, id)
}

/// The answer that shows a resource as it is now.
pub(super) fn shown<R: Resource>(call: &Call, status: u16, id: &str) -> Result<Reply, ApiError> {
    let state = call.environment.state();
    let directory = directory(&state, call)?;
    let row = R::find(&state, directory, id)?;
    let version = etag::of(row.version());
    let view = View {
        state: &state,
        directory,
        base_url: base_url(call),
    };
    let resource = view.resource(&**row, &projection(call, R::TYPE));
    let location = view.location::<R>(id);
    let reply = json(status, &resource)?.header("ETag", version);
    Ok(if status == 201 {
        reply.header("Location", location)
    } else {
        reply
    })
}
