//! What a provider's pushes make of a directory, and which events tell of it.

mod attributes;
mod provisioning;
mod roles;
mod users;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    DirectoryError, directories,
    directories::Directory,
    error::transact,
    groups::{self, DirectoryGroup, NewDirectoryGroup},
    plain::{self, FilledDirectory, NamedGroup, Person},
    tokens,
    users::{DirectoryUser, NewDirectoryUser},
};
use crate::{
    api::{organizations, user_management::authenticate::fixture::Fixture},
    control::settings,
    server::{call::Call, error::ApiError, reply::Reply},
    store::Transaction,
    timers,
};

/// A directory of Acme, which is empty.
struct Provider {
    fixture: Fixture,
    organization_id: String,
    directory: Arc<Directory>,
}

/// SCIM attributes of somebody whose `userName` is their address.
fn scim(email: &str) -> Map<String, Value> {
    object(json!({
        "userName": email,
        "name": {"givenName": "Grace", "familyName": "Hopper"},
        "emails": [{"primary": true, "type": "work", "value": email}],
        "active": true,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else {
        unreachable!("{value} is an object")
    };
    members
}

fn with(mut attributes: Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    attributes.insert(name.to_owned(), value);
    attributes
}

impl Provider {
    fn new() -> Self {
        let fixture = Fixture::new();
        let body = json!({"name": "Acme", "domain_data": [{"domain": "acme.example", "state": "verified"}]});
        let organization_id = fixture.run(organizations::create_organization, body)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let new = directories::NewDirectory {
            organization_id: organization_id.clone(),
            name: "Acme Okta".to_owned(),
            r#type: directories::DirectoryType::OktaScim,
            ..directories::NewDirectory::default()
        };
        let directory = fixture
            .environment
            .transact(|tx| directories::create(tx, new))
            .unwrap();
        Self {
            fixture,
            organization_id,
            directory,
        }
    }

    fn run<T>(
        &self,
        rule: impl FnOnce(&mut Transaction<'_>) -> Result<T, DirectoryError>,
    ) -> Result<T, DirectoryError> {
        transact(
            &Call::for_tests(&self.fixture.environment, &[], "", Value::Null),
            rule,
        )
    }

    fn push(&self, attributes: Map<String, Value>) -> Result<Arc<DirectoryUser>, DirectoryError> {
        let new = NewDirectoryUser {
            idp_id: attributes["userName"].as_str().unwrap_or_default().to_owned(),
            attributes,
            ..NewDirectoryUser::default()
        };
        self.run(|tx| super::users::create(tx, &self.directory, new))
    }

    fn user(&self, email: &str) -> String {
        self.push(scim(email)).unwrap().id.clone()
    }

    fn replace(
        &self,
        id: &str,
        attributes: Map<String, Value>,
    ) -> Result<Arc<DirectoryUser>, DirectoryError> {
        self.run(|tx| super::users::replace(tx, id, attributes))
    }

    fn push_group(&self, name: &str, members: &[&str]) -> Result<Arc<DirectoryGroup>, DirectoryError> {
        let new = NewDirectoryGroup {
            name: name.to_owned(),
            members: members.iter().map(ToString::to_string).collect(),
            ..NewDirectoryGroup::default()
        };
        self.run(|tx| groups::create(tx, &self.directory, new))
    }

    fn group(&self, name: &str, members: &[&str]) -> String {
        self.push_group(name, members).unwrap().id.clone()
    }

    fn call(
        &self,
        operation: fn(&Call) -> Result<Reply, ApiError>,
        id: &str,
        query: &str,
    ) -> Result<Value, ApiError> {
        let call = Call::for_tests(&self.fixture.environment, &[("id", id)], query, json!({}));
        let reply = operation(&call)?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// What an application sees of a user.
    fn shown(&self, id: &str) -> Value {
        self.call(super::users::get_user, id, "").unwrap()
    }

    fn listed(&self, operation: fn(&Call) -> Result<Reply, ApiError>, query: &str) -> Vec<String> {
        let list = self.call(operation, "", query).unwrap();
        let data = list["data"].as_array().unwrap().iter();
        data.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The events of directories from the `skip`th on.
    fn events(&self, skip: usize) -> Vec<(String, Value)> {
        self.fixture.events("dsync.").split_off(skip)
    }

    fn names(&self, skip: usize) -> Vec<String> {
        self.events(skip).into_iter().map(|(name, _)| name).collect()
    }

    fn seen(&self) -> usize {
        self.events(0).len()
    }
}

#[test]
fn a_first_synchronization_tells_of_users_then_of_groups_then_of_members() {
    let provider = Provider::new();
    let person = |email: &str, groups: &[&str]| Person {
        email: email.to_owned(),
        groups: groups.iter().map(ToString::to_string).collect(),
        ..Person::default()
    };
    let new = FilledDirectory {
        directory: directories::NewDirectory {
            organization_id: provider.organization_id.clone(),
            name: "Second".to_owned(),
            domain: Some("acme.example".to_owned()),
            ..directories::NewDirectory::default()
        },
        groups: vec![NamedGroup::Name("Sales".to_owned()).group()],
        users: vec![
            person("a@acme.example", &["Eng", "Sales"]),
            person("b@acme.example", &["Eng"]),
        ],
        bearer_token: None,
    };
    let seen = provider.seen();
    let (directory, token) = provider.run(|tx| plain::create_filled(tx, new)).unwrap();
    assert_eq!(
        provider.names(seen),
        [
            "dsync.activated",
            "dsync.token.created",
            "dsync.user.created",
            "dsync.user.created",
            "dsync.group.created",
            "dsync.group.created",
            "dsync.group.user_added",
            "dsync.group.user_added",
            "dsync.group.user_added",
        ]
    );
    let (_, activated) = provider.events(seen).remove(0);
    let state = provider.fixture.environment.state();
    let domain_id = &state
        .organizations
        .get(&provider.organization_id)
        .unwrap()
        .domains[0]
        .id;
    assert_eq!(
        activated,
        json!({
            "object": "directory", "id": directory.id, "organization_id": provider.organization_id,
            "type": "generic scim v2.0", "state": "active", "name": "Second",
            "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
            "external_key": directory.external_key,
            "domains": [{"object": "organization_domain", "id": domain_id, "domain": "acme.example"}],
        })
    );
    // The token opens this directory alone, and its value stands nowhere.
    assert!(tokens::authenticate(&state, &directory, token.expose()).is_some());
    assert!(tokens::authenticate(&state, &provider.directory, token.expose()).is_none());
    assert!(tokens::authenticate(&state, &directory, "se_x").is_none());
    assert!(!state.dump().to_string().contains(token.expose()));
    let (_, data) = provider.events(seen).remove(1);
    assert!(token.expose().ends_with(data["token_suffix"].as_str().unwrap()));
    assert_eq!(
        directories::by_external_key(&state, &directory.external_key).map(|found| &found.id),
        Some(&directory.id)
    );
    let shown = provider
        .call(directories::get_directory, &directory.id, "")
        .unwrap();
    assert_eq!(
        shown["metadata"],
        json!({"users": {"active": 2, "inactive": 0}, "groups": 2})
    );
    assert_eq!(
        (&shown["state"], &shown["domain"]),
        (&json!("linked"), &json!("acme.example"))
    );
    provider
        .fixture
        .environment
        .transact(|tx| tokens::revoke_all(tx, &directory.id))
        .unwrap();
    let state = provider.fixture.environment.state();
    assert!(tokens::authenticate(&state, &directory, token.expose()).is_none());
    assert_eq!(provider.names(seen + 9), ["dsync.token.revoked"]);
}

#[test]
fn a_deleted_directory_has_one_event_and_leaves_nothing() {
    let provider = Provider::new();
    let user = provider.user("grace@acme.example");
    provider.group("Navy", &[&user]);
    let seen = provider.seen();
    provider
        .call(directories::delete_directory, &provider.directory.id, "")
        .unwrap();
    assert_eq!(provider.names(seen), ["dsync.deleted"]);
    let (_, data) = provider.events(seen).remove(0);
    assert_eq!(data["state"], "active", "the state before");
    assert!(data.get("external_key").is_none() && data.get("domains").is_none());
    let state = provider.fixture.environment.state();
    let left = [
        state.directories.len(),
        state.directory_counts.len(),
        state.directory_tokens.len(),
        state.directory_users.len(),
        state.directory_groups.len(),
        state.directory_group_members.len(),
    ];
    assert_eq!(left, [0; 6]);
    let gone = provider.call(directories::delete_directory, &provider.directory.id, "");
    assert_eq!(gone.unwrap_err().status, 404);
    // Who saw it before can put nothing into it any more.
    for refused in [
        provider.push(scim("late@acme.example")).map(drop),
        provider.push_group("Late", &[]).map(drop),
    ] {
        assert_eq!(ApiError::from(refused.unwrap_err()).status, 404);
    }
}

#[test]
fn a_large_directory_is_dropped_in_steps_and_is_gone_at_once() {
    let provider = Provider::new();
    let users: Vec<_> = (0..7)
        .map(|number| provider.user(&format!("user{number}@acme.example")))
        .collect();
    let members: Vec<_> = users.iter().map(String::as_str).collect();
    let group = provider.group("Navy", &members);
    let environment = &provider.fixture.environment;
    provider
        .call(directories::delete_directory, &provider.directory.id, "")
        .unwrap();
    let state = environment.state();
    assert_eq!(state.directory_users.len(), 7, "a step drops three rows");
    assert_eq!(state.directory_group_members.len(), 4);
    let user = provider.call(super::users::get_user, &users[6], "");
    assert_eq!(user.unwrap_err().status, 404);
    let shown = provider.call(groups::get_group, &group, "");
    assert_eq!(shown.unwrap_err().status, 404);
    assert!(provider.listed(super::users::list_users, "").is_empty());
    assert!(provider.listed(groups::list_groups, "").is_empty());
    let listed = provider.call(super::users::list_users, "", &format!("group={group}"));
    assert_eq!(listed.unwrap_err().status, 404);
    let seen = provider.seen();
    let changes = json!({"directory_sync": {"predefined_attributes": ["username"]}});
    environment
        .transact(|tx| settings::change(tx, &changes))
        .unwrap()
        .unwrap();
    assert!(timers::run_due(environment));
    let state = environment.state();
    let left = [
        state.directory_remains.len(),
        state.directory_users.len(),
        state.directory_groups.len(),
        state.directory_group_members.len(),
    ];
    assert_eq!(left, [0; 4]);
    assert!(provider.names(seen).is_empty(), "nothing is told of it");
}

#[test]
fn a_directory_that_comes_back_is_empty() {
    let provider = Provider::new();
    for number in 0..7 {
        provider.user(&format!("user{number}@acme.example"));
    }
    let environment = &provider.fixture.environment;
    let id = &provider.directory.id;
    let new = directories::NewDirectory {
        id: Some(id.clone()),
        organization_id: provider.organization_id.clone(),
        name: "Acme Okta".to_owned(),
        ..directories::NewDirectory::default()
    };
    environment
        .transact(|tx| {
            directories::delete(tx, id)?;
            directories::create(tx, new)
        })
        .unwrap();
    assert_eq!(environment.state().directory_users.len(), 0);
}

#[test]
fn a_directory_of_a_deleted_organization_goes_with_its_event() {
    let provider = Provider::new();
    provider.user("grace@acme.example");
    let seen = provider.seen();
    provider
        .call(organizations::delete_organization, &provider.organization_id, "")
        .unwrap();
    assert_eq!(provider.names(seen), ["dsync.deleted"]);
    assert_eq!(provider.fixture.environment.state().directory_users.len(), 0);
}

#[test]
fn a_group_keeps_its_id_and_says_what_it_was_called() {
    let provider = Provider::new();
    let id = provider.group("Navy", &[]);
    let taken = provider.push_group("Navy", &[]).unwrap_err();
    assert_eq!(taken, DirectoryError::GroupIdTaken("Navy".to_owned()));
    assert_eq!(
        provider.push_group(" ", &[]).unwrap_err(),
        DirectoryError::DisplayNameRequired
    );
    provider.fixture.advance(1);
    let seen = provider.seen();
    let renamed = |name: &str| provider.run(|tx| groups::update(tx, &id, name.to_owned(), Map::new()));
    let group = renamed("Army").unwrap();
    assert_eq!((group.idp_id.as_str(), group.version), ("Navy", 2));
    renamed("Army").unwrap();
    assert_eq!(provider.names(seen), ["dsync.group.updated"]);
    let (_, data) = provider.events(seen).remove(0);
    assert_eq!(
        data,
        json!({
            "object": "directory_group", "id": id, "idp_id": "Navy", "directory_id": provider.directory.id,
            "organization_id": provider.organization_id, "name": "Army", "raw_attributes": {},
            "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:01.000Z",
            "previous_attributes": {"name": "Navy"},
        })
    );
    // The old name is still the id of this group; under the RFC alone names and ids are free.
    assert!(provider.push_group("Navy", &[]).is_err());
    provider
        .fixture
        .set(|settings| settings.scim_profile = super::settings::ScimProfile::Rfc7644);
    assert!(provider.push_group("Navy", &[]).is_ok());
}

#[test]
fn members_come_and_go_with_their_events_and_change_nothing_else() {
    let provider = Provider::new();
    let (a, b) = (provider.user("a@acme.example"), provider.user("b@acme.example"));
    let id = provider.group("Navy", &[&a, "directory_user_x", &provider.fixture.user_id]);
    let seen = provider.seen();
    provider.fixture.advance(1);
    provider
        .run(|tx| groups::set_members(tx, &id, &[b.clone(), b.clone()]))
        .unwrap();
    provider.run(|tx| groups::add_member(tx, &id, &b)).unwrap();
    provider.run(|tx| groups::remove_member(tx, &id, &a)).unwrap();
    let events = provider.events(seen);
    let told: Vec<_> = events
        .iter()
        .map(|(name, data)| (name.as_str(), data["user"]["id"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("dsync.group.user_removed", a.as_str()),
            ("dsync.group.user_added", b.as_str())
        ]
    );
    let data = &events[1].1;
    assert_eq!(data["directory_id"], json!(provider.directory.id));
    assert_eq!(data["group"]["name"], "Navy");
    assert!(data["user"].get("groups").is_none());
    let shown = provider.shown(&b);
    assert_eq!(
        shown["updated_at"], shown["created_at"],
        "membership changes no user"
    );
    assert_eq!(shown["groups"][0]["id"], json!(id));
    assert_eq!(
        provider.listed(super::users::list_users, &format!("group={id}")),
        [b.as_str()]
    );
    assert_eq!(
        provider.listed(groups::list_groups, &format!("user={b}")),
        [id.as_str()]
    );
    assert!(
        provider
            .listed(groups::list_groups, &format!("user={a}"))
            .is_empty()
    );
    // The organization's events have them, though they name it only inside.
    let state = provider.fixture.environment.state();
    let added = state
        .events
        .iter()
        .rfind(|event| event.event == "dsync.group.user_added");
    assert_eq!(
        added.unwrap().organization_id.as_ref(),
        Some(&provider.organization_id)
    );
    let seen = provider.seen();
    provider.run(|tx| groups::delete(tx, &id)).unwrap();
    assert_eq!(provider.names(seen), ["dsync.group.deleted"]);
    assert!(provider.shown(&b)["groups"].as_array().unwrap().is_empty());
}

#[test]
fn a_synchronization_is_asked_for_once_in_five_minutes_of_google_alone() {
    let provider = Provider::new();
    let sync = |id: &str| provider.call(directories::create_directory_sync, id, "");
    let refused = sync(&provider.directory.id).unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (400, Some("directory_sync_not_supported"))
    );
    let change = |changes| {
        provider
            .fixture
            .environment
            .transact(|tx| directories::update(tx, &provider.directory.id, changes))
            .unwrap()
    };
    change(directories::DirectoryChanges {
        r#type: Some(directories::DirectoryType::Gsuite),
        state: Some(directories::DirectoryState::Unlinked),
        ..directories::DirectoryChanges::default()
    });
    assert_eq!(
        sync(&provider.directory.id).unwrap_err().code(),
        Some("directory_not_linked")
    );
    let seen = provider.seen();
    change(directories::DirectoryChanges {
        state: Some(directories::DirectoryState::Linked),
        ..directories::DirectoryChanges::default()
    });
    assert_eq!(provider.names(seen), ["dsync.activated"]);
    assert_eq!(sync(&provider.directory.id).unwrap(), json!({"status": "queued"}));
    provider.fixture.advance(60);
    let refused = sync(&provider.directory.id).unwrap_err();
    assert_eq!(
        (refused.status, &refused.body["retry_after_seconds"]),
        (429, &json!(240))
    );
    provider.fixture.advance(240);
    assert!(sync(&provider.directory.id).is_ok());
    assert_eq!(sync("directory_x").unwrap_err().status, 404);
}
