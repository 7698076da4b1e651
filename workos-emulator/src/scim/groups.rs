//! `/Groups`. Source: RFC 7644 section 3.

use serde_json::{Map, Value};

use super::{
    conform,
    error::{Attempt, ScimError},
    etag, members, patch,
    request::{change, got, profile, shown},
    resource::Resource,
    schema,
    search::listed,
};
use crate::{
    api::directory_sync::{
        DirectoryError,
        groups::{self, DirectoryGroup, NewDirectoryGroup},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::Transaction,
};

/// `GET /Groups`
pub(super) fn list_groups(call: &Call) -> Result<Reply, ApiError> {
    listed::<DirectoryGroup>(call)
}

/// A group as it was sent: its attributes, and the ids of its members.
struct Sent {
    attributes: Map<String, Value>,
    members: Vec<String>,
}

impl Sent {
    fn read(call: &Call) -> Result<Self, ScimError> {
        let profile = profile(&call.environment.state());
        let mut attributes = conform::resource(call.raw_body(), &schema::GROUP, profile)?;
        let members = attributes.remove("members").unwrap_or_default();
        Ok(Self {
            members: members::ids(&members, profile)?,
            attributes,
        })
    }
}

fn name_of(attributes: &Map<String, Value>) -> String {
    let name = attributes.get("displayName").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}

/// `POST /Groups`
pub(super) fn create_group(call: &Call) -> Result<Reply, ApiError> {
    let sent = Sent::read(call)?;
    let external_id = sent.attributes.get("externalId").and_then(Value::as_str);
    let group = change(call, Attempt::Create, |tx, directory| {
        members::check(tx, directory, &sent.members)?;
        let new = NewDirectoryGroup {
            idp_id: external_id.map(str::to_owned),
            name: name_of(&sent.attributes),
            attributes: sent.attributes.clone(),
            members: sent.members.clone(),
            ..NewDirectoryGroup::default()
        };
        groups::create(tx, directory, new)
    })?;
    shown::<DirectoryGroup>(call, 201, &group.id)
}

/// `GET /Groups/{id}`
pub(super) fn get_group(call: &Call) -> Result<Reply, ApiError> {
    got::<DirectoryGroup>(call, call.param("id"))
}

/// `PUT /Groups/{id}`
pub(super) fn replace_group(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    // An unknown id is told before what is wrong with the body.
    let sent = Sent::read(call);
    change(call, Attempt::Replace, |tx, directory| {
        etag::check(call, DirectoryGroup::find(tx, directory, id)?.version)?;
        let sent = sent?;
        members::check(tx, directory, &sent.members)?;
        groups::update(tx, id, name_of(&sent.attributes), sent.attributes)?;
        groups::set_members(tx, id, &sent.members)
    })?;
    shown::<DirectoryGroup>(call, 200, id)
}

/// `PATCH /Groups/{id}`: 204, as Entra ID documents it for groups, so that a large group is not sent back for each member;
/// 200 with the group where `attributes` or `excludedAttributes` say what of it is wanted (RFC 7644 section 3.5.2).
pub(super) fn patch_group(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    let version = change(call, Attempt::Other, |tx, directory| {
        let group = DirectoryGroup::find(tx, directory, id)?;
        etag::check(call, group.version)?;
        let mut attributes = group.attributes.clone();
        let profile = profile(tx);
        let operations = patch::operations(call.raw_body(), &schema::GROUP, profile)?;
        let (changes, operations) = members::changes(operations, profile)?;
        patch::apply(&mut attributes, &operations, &schema::GROUP, profile)?;
        groups::update(tx, id, name_of(&attributes), attributes)?;
        for change in &changes {
            members::apply(tx, directory, id, change)?;
        }
        version(tx, id)
    })?;
    if call.query.has("attributes") || call.query.has("excludedAttributes") {
        return shown::<DirectoryGroup>(call, 200, id);
    }
    Ok(Reply::empty(204)?.header("ETag", etag::of(version)))
}

fn version(tx: &Transaction<'_>, id: &str) -> Result<u64, DirectoryError> {
    groups::find(tx, id).map(|group| group.version)
}

/// `DELETE /Groups/{id}`
pub(super) fn delete_group(call: &Call) -> Result<Reply, ApiError> {
    let id = call.param("id");
    change(call, Attempt::Other, |tx, directory| {
        etag::check(call, DirectoryGroup::find(tx, directory, id)?.version)?;
        groups::delete(tx, id)
    })?;
    Reply::empty(204)
}
