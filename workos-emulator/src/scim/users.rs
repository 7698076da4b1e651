//! `/Users`. Source: RFC 7644 section 3.

use serde_json::{Map, Value};

use super::{
    conform,
    error::Attempt,
    etag, patch,
    request::{change, got, profile, shown},
    resource::Resource,
    schema,
    search::listed,
};
use crate::{
    api::directory_sync::users::{self, DirectoryUser, NewDirectoryUser},
    server::{call::Call, error::ApiError, reply::Reply},
};

/// `GET /Users`
pub(super) fn list_users(call: &Call) -> Result<Reply, ApiError> {
    listed::<DirectoryUser>(call)
}

/// `POST /Users`
pub(super) fn create_user(call: &Call) -> Result<Reply, ApiError> {
    let attributes = sent(call)?;
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let external_id = text("externalId").filter(|id| !id.trim().is_empty());
    // Assumption: a user that the provider gives no id has its name as id.
    let idp_id = external_id
        .or_else(|| text("userName"))
        .unwrap_or_default()
        .to_owned();
    let user = change(call, Attempt::Create, |tx, directory| {
        let new = NewDirectoryUser {
            idp_id,
            attributes,
            ..NewDirectoryUser::default()
        };
        users::create(tx, directory, new)
    })?;
    shown::<DirectoryUser>(call, 201, &user.id)
}

/// `GET /Users/{id}`
pub(super) fn get_user(call: &Call) -> Result<Reply, ApiError> {
    got::<DirectoryUser>(call, call.param("id"))
}

/// `PUT /Users/{id}`
pub(super) fn replace_user(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    // An unknown id is told before what is wrong with the body.
    let attributes = sent(call);
    change(call, Attempt::Replace, |tx, directory| {
        etag::check(call, DirectoryUser::find(tx, directory, id)?.version)?;
        users::replace(tx, id, attributes?)
    })?;
    shown::<DirectoryUser>(call, 200, id)
}

/// `PATCH /Users/{id}`
pub(super) fn patch_user(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    change(call, Attempt::Other, |tx, directory| {
        let user = DirectoryUser::find(tx, directory, id)?;
        etag::check(call, user.version)?;
        let mut attributes = user.attributes.clone();
        let profile = profile(tx);
        let operations = patch::operations(call.raw_body(), &schema::USER, profile)?;
        patch::apply(&mut attributes, &operations, &schema::USER, profile)?;
        users::replace(tx, id, attributes)
    })?;
    shown::<DirectoryUser>(call, 200, id)
}

/// `DELETE /Users/{id}`
pub(super) fn delete_user(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    change(call, Attempt::Other, |tx, directory| {
        etag::check(call, DirectoryUser::find(tx, directory, id)?.version)?;
        users::delete(tx, id)
    })?;
    Reply::empty(204)
}

fn sent(call: &Call) -> Result<Map<String, Value>, super::error::ScimError> {
    let profile = profile(&call.environment.state());
    conform::resource(call.raw_body(), &schema::USER, profile)
}
