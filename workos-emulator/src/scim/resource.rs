//! Users and groups as SCIM resources, and the indexes by which they are found.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Profile,
    error::ScimError,
    etag,
    filter::Lookup,
    projection::Projection,
    request::profile,
    schema::{self, ResourceType},
};
use crate::{
    api::directory_sync::{
        directories::{self, Directory},
        groups::{self, DirectoryGroup},
        members,
        users::{self, DirectoryUser},
    },
    core::clock,
    store::{Index, State, Stored, group},
};

/// A state and a directory in it, as seen through a URL.
#[derive(Debug)]
pub(super) struct View<'s> {
    pub(super) state: &'s State,
    pub(super) directory: &'s Directory,
    pub(super) base_url: String,
}

/// A row that is shown as a SCIM resource.
pub(super) trait Resource: Stored {
    const TYPE: &'static ResourceType;
    /// All of a directory.
    const BY_DIRECTORY: Index<Self>;

    fn directory_id(&self) -> &str;
    fn version(&self) -> u64;
    /// When it was made, and when it was last changed.
    fn times(&self) -> (Timestamp, Timestamp);
    fn attributes(&self) -> &Map<String, Value>;
    /// What other rows say of it: an attribute's name and its values.
    fn related(&self) -> &'static str;
    fn related_values(&self, view: &View<'_>) -> Vec<Value>;
    /// How many there are in a directory.
    fn total(state: &State, directory: &Directory) -> usize;
    /// Those that an index has; none where no index knows.
    fn look_up(state: &State, directory: &Directory, lookup: &Lookup<'_>) -> Option<Vec<Arc<Self>>>;

    /// The one with this id, if it belongs to this directory.
    fn find<'a>(state: &'a State, directory: &Directory, id: &str) -> Result<&'a Arc<Self>, ScimError> {
        let row = Self::table(state).get(id);
        row.filter(|row| row.directory_id() == directory.id)
            .ok_or_else(|| ScimError::not_found(id))
    }
}

impl View<'_> {
    /// Where a resource is.
    pub(super) fn location<R: Resource>(&self, id: &str) -> String {
        format!("{}{}/{id}", self.base_url, R::TYPE.endpoint)
    }

    /// The row as a SCIM resource, as much of it as is wanted.
    pub(super) fn resource<R: Resource>(&self, row: &R, projection: &Projection) -> Map<String, Value> {
        let attributes = row.attributes();
        let mut resource = Map::with_capacity(attributes.len() + 4);
        resource.insert("schemas".to_owned(), schemas::<R>(attributes).into());
        resource.insert("id".to_owned(), row.id().into());
        resource.extend(attributes.clone());
        let related = row.related();
        if projection.wants(related) {
            let values = row.related_values(self);
            if !values.is_empty() {
                resource.insert(related.to_owned(), values.into());
            }
        }
        let (created, changed) = row.times();
        let meta = json!({
            "resourceType": R::TYPE.name,
            "created": clock::iso8601(created),
            "lastModified": clock::iso8601(changed),
            "location": self.location::<R>(row.id()),
            "version": etag::of(row.version()),
        });
        resource.insert("meta".to_owned(), meta);
        projection.apply(resource)
    }
}

/// The URIs of the schema and of the extensions that have values.
fn schemas<R: Resource>(attributes: &Map<String, Value>) -> Vec<Value> {
    let extensions = attributes
        .iter()
        .filter(|(name, value)| name.starts_with("urn:") && value.is_object());
    let extensions = extensions.map(|(name, _)| name.as_str());
    std::iter::once(R::TYPE.schema.id)
        .chain(extensions)
        .map(Value::from)
        .collect()
}

impl Resource for DirectoryUser {
    const TYPE: &'static ResourceType = &schema::USER;
    const BY_DIRECTORY: Index<Self> = users::BY_DIRECTORY;

    fn directory_id(&self) -> &str {
        &self.directory_id
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        (self.created_at, self.updated_at)
    }

    fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    fn related(&self) -> &'static str {
        "groups"
    }

    fn related_values(&self, view: &View<'_>) -> Vec<Value> {
        members::groups_of(view.state, &self.id)
            .filter_map(|id| view.state.directory_groups.get(id))
            .map(|group| {
                json!({
                    "value": group.id,
                    "$ref": view.location::<DirectoryGroup>(&group.id),
                    "display": group.name,
                    "type": "direct",
                })
            })
            .collect()
    }

    fn total(state: &State, directory: &Directory) -> usize {
        let counts = directories::counts(state, &directory.id);
        usize::try_from(counts.active + counts.inactive + counts.hidden).unwrap_or(usize::MAX)
    }

    fn look_up(state: &State, directory: &Directory, lookup: &Lookup<'_>) -> Option<Vec<Arc<Self>>> {
        let (index, key) = match lookup {
            Lookup::Id(id) => return Some(state.directory_users.get(id).cloned().into_iter().collect()),
            Lookup::ExternalId(id) => (users::BY_EXTERNAL_ID, (*id).to_owned()),
            Lookup::UserName(name) => (users::BY_USERNAME, name.to_lowercase()),
            Lookup::Email(address) => (users::BY_ADDRESS, address.to_lowercase()),
            Lookup::DisplayName(_) | Lookup::Member(_) => return None,
        };
        let key = group(&[&directory.id, &key]);
        Some(state.directory_users.group(index, &key).cloned().collect())
    }
}

impl Resource for DirectoryGroup {
    const TYPE: &'static ResourceType = &schema::GROUP;
    const BY_DIRECTORY: Index<Self> = groups::BY_DIRECTORY;

    fn directory_id(&self) -> &str {
        &self.directory_id
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        (self.created_at, self.updated_at)
    }

    fn attributes(&self) -> &Map<String, Value> {
        &self.attributes
    }

    fn related(&self) -> &'static str {
        "members"
    }

    fn related_values(&self, view: &View<'_>) -> Vec<Value> {
        let shows_names = profile(view.state) == Profile::WorkOs;
        members::of_group(view.state, &self.id)
            .map(|id| {
                let mut member = json!({
                    "value": id,
                    "$ref": view.location::<DirectoryUser>(id),
                    "type": "User",
                });
                // The schema of the RFC has no `display` here, but its examples do, and so do identity providers.
                let user = view.state.directory_users.get(id).filter(|_| shows_names);
                if let Some(name) = user.and_then(|user| user.username()) {
                    member["display"] = name.into();
                }
                member
            })
            .collect()
    }

    fn total(state: &State, directory: &Directory) -> usize {
        let counts = directories::counts(state, &directory.id);
        usize::try_from(counts.groups).unwrap_or(usize::MAX)
    }

    fn look_up(state: &State, directory: &Directory, lookup: &Lookup<'_>) -> Option<Vec<Arc<Self>>> {
        let (index, key) = match lookup {
            Lookup::Id(id) => return Some(state.directory_groups.get(id).cloned().into_iter().collect()),
            Lookup::Member(id) => {
                let groups = members::groups_of(state, id);
                return Some(
                    groups
                        .filter_map(|id| state.directory_groups.get(id).cloned())
                        .collect(),
                );
            }
            Lookup::ExternalId(id) => (groups::BY_EXTERNAL_ID, (*id).to_owned()),
            Lookup::DisplayName(name) => (groups::BY_NAME, name.to_lowercase()),
            Lookup::UserName(_) | Lookup::Email(_) => return None,
        };
        let key = group(&[&directory.id, &key]);
        Some(state.directory_groups.group(index, &key).cloned().collect())
    }
}
