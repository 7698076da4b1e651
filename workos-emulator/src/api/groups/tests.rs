//! Groups, their members, and what ends with what.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{rules::UpdateGroup, *};
use crate::{
    api::{
        organizations, recorded,
        user_management::{
            authenticate::fixture::Fixture,
            memberships::{self, delete_organization_membership},
        },
    },
    server::{body::Patch, call::Call, reply::Reply},
};

fn named(name: &str) -> NewGroup {
    NewGroup {
        name: name.to_owned(),
        description: None,
    }
}

/// Ada's membership in Acme, and a group there.
struct Acme {
    fixture: Fixture,
    id: String,
    membership_id: String,
    group_id: String,
}

impl Acme {
    fn new() -> Self {
        let fixture = Fixture::new();
        let id = fixture.add_organization("Acme");
        let membership_id = fixture.add_membership(&id, json!({}));
        let group = fixture
            .environment
            .transact(|tx| create(tx, &id, named("Engineering")))
            .unwrap();
        Self {
            fixture,
            id,
            membership_id,
            group_id: group.id.clone(),
        }
    }

    fn add(&self, group_id: &str, membership_id: &str) -> Result<Arc<Group>, ApiError> {
        let add = |tx: &mut crate::store::Transaction<'_>| add_member(tx, &self.id, group_id, membership_id);
        self.fixture.environment.transact(|tx| add(tx))
    }

    fn call(
        &self,
        operation: fn(&Call) -> Result<Reply, ApiError>,
        params: &[(&str, &str)],
        query: &str,
    ) -> Value {
        let call = Call::for_tests(&self.fixture.environment, params, query, json!({}));
        serde_json::from_slice(&operation(&call).unwrap().body).unwrap_or_default()
    }

    fn ids(&self, operation: fn(&Call) -> Result<Reply, ApiError>, params: &[(&str, &str)]) -> Vec<String> {
        let list = self.call(operation, params, "order=asc");
        let data = list["data"].as_array().unwrap().iter();
        data.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    fn members(&self) -> Vec<String> {
        self.ids(
            list_group_members,
            &[("organizationId", &self.id), ("groupId", &self.group_id)],
        )
    }

    fn events(&self) -> Vec<String> {
        let events = self.fixture.events("group.");
        events.into_iter().map(|(name, _)| name).collect()
    }
}

#[test]
fn a_group_is_made_changed_and_deleted_with_its_events() {
    let acme = Acme::new();
    let environment = &acme.fixture.environment;
    let update = |changes| environment.transact(|tx| rules::update(tx, &acme.id, &acme.group_id, changes));
    acme.fixture.advance(1);
    let changed = update(UpdateGroup {
        name: None,
        description: Patch::Set("Builds".to_owned()),
    })
    .unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.description.as_deref()),
        ("Engineering", Some("Builds"))
    );
    assert!(changed.updated_at > changed.created_at);
    // Nothing new has no event.
    update(UpdateGroup::default()).unwrap();
    let events = acme.fixture.events("group.");
    assert_eq!(acme.events(), ["group.created", "group.updated"]);
    assert_eq!(
        events[1].1,
        json!({
            "object": "group", "id": acme.group_id, "organization_id": acme.id, "name": "Engineering",
            "description": "Builds", "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:01.000Z",
        })
    );
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    environment
        .transact(|tx| rules::delete(tx, &acme.id, &acme.group_id))
        .unwrap();
    let state = environment.state();
    assert_eq!(find(&state, &acme.id, &acme.group_id).unwrap_err().status, 404);
    assert_eq!(state.group_memberships.len(), 0);
    assert_eq!(acme.events()[2..], ["group.member_added", "group.deleted"]);
    assert!(state.is_consistent());
}

#[test]
fn texts_have_their_lengths() {
    let acme = Acme::new();
    let create = |name: String, description: Option<String>| {
        let new = NewGroup { name, description };
        acme.fixture.environment.transact(|tx| create(tx, &acme.id, new))
    };
    assert!(create("é".repeat(256), Some("é".repeat(150))).is_ok());
    for (name, description, status, what) in [
        (" ".to_owned(), None, 400, json!(null)),
        ("x".repeat(257), None, 422, json!("name")),
        ("x".to_owned(), Some("x".repeat(151)), 422, json!("description")),
    ] {
        let refused = create(name, description).unwrap_err();
        assert_eq!(refused.status, status);
        let field = refused
            .body
            .get("errors")
            .map(|errors| errors[0]["field"].clone());
        assert_eq!(field.unwrap_or_default(), what);
    }
    let elsewhere = acme
        .fixture
        .environment
        .transact(|tx| super::create(tx, "org_x", named("x")));
    assert_eq!(elsewhere.unwrap_err().status, 404);
}

#[test]
fn a_member_is_added_once_and_removed_once() {
    let acme = Acme::new();
    let environment = &acme.fixture.environment;
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    assert_eq!(acme.members(), [acme.membership_id.as_str()]);
    let remove =
        || environment.transact(|tx| rules::remove_member(tx, &acme.id, &acme.group_id, &acme.membership_id));
    remove().unwrap();
    assert_eq!(remove().unwrap_err().status, 404);
    assert!(acme.members().is_empty());
    assert_eq!(acme.events()[1..], ["group.member_added", "group.member_removed"]);
    let (_, data) = acme.fixture.events("group.member_removed").remove(0);
    assert_eq!(
        data,
        json!({"group_id": acme.group_id, "organization_membership_id": acme.membership_id})
    );
    // The event is one of the organization, though its data does not say so.
    let state = environment.state();
    let added = state
        .events
        .iter()
        .find(|event| event.event == "group.member_added");
    assert_eq!(added.unwrap().organization_id.as_ref(), Some(&acme.id));
    assert_eq!(state.groups.get(&acme.group_id).unwrap().members, 0);
}

#[test]
fn only_members_of_the_organization_can_be_in_its_groups() {
    let acme = Acme::new();
    let globex = acme.fixture.add_organization("Globex");
    let elsewhere = acme.fixture.add_membership(&globex, json!({}));
    for wrong in [elsewhere.as_str(), "om_x"] {
        let refused = acme.add(&acme.group_id, wrong).unwrap_err();
        assert_eq!((refused.status, refused.code()), (404, Some("entity_not_found")));
    }
    let other = acme
        .fixture
        .environment
        .transact(|tx| add_member(tx, &globex, &acme.group_id, &elsewhere));
    assert_eq!(other.unwrap_err().status, 404, "the group is Acme's");
    assert_eq!(acme.events(), ["group.created"]);
}

#[test]
fn a_group_has_so_many_members_and_no_more() {
    let acme = Acme::new();
    acme.fixture.set(|settings| settings.group_member_limit = 1);
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    acme.fixture.add_user("bob@example.com");
    let bob = acme.fixture.environment.state();
    let bob = bob.users.iter().last().unwrap();
    let body = json!({"user_id": bob.id, "organization_id": acme.id});
    let created = acme
        .fixture
        .run(memberships::create_organization_membership, body);
    let membership_id = created["id"].as_str().unwrap();
    let refused = acme.add(&acme.group_id, membership_id).unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (400, Some("group_membership_limit_exceeded"))
    );
    // Who is in it already is no further member.
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    let leave = acme
        .fixture
        .environment
        .transact(|tx| rules::remove_member(tx, &acme.id, &acme.group_id, &acme.membership_id));
    leave.unwrap();
    acme.add(&acme.group_id, membership_id).unwrap();
    assert_eq!(acme.members(), [membership_id]);
}

#[test]
fn both_lists_are_paged_by_the_ids_they_show() {
    let acme = Acme::new();
    let environment = &acme.fixture.environment;
    let sales = environment
        .transact(|tx| create(tx, &acme.id, named("Sales")))
        .unwrap();
    // Joined in the other order: lists are by creation of what they show.
    acme.add(&sales.id, &acme.membership_id).unwrap();
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    let of_membership = [("omId", acme.membership_id.as_str())];
    let both = [acme.group_id.as_str(), sales.id.as_str()];
    assert_eq!(acme.ids(list_groups_of_membership, &of_membership), both);
    assert_eq!(acme.ids(list_groups, &[("organizationId", &acme.id)]), both);
    for (search, found) in [("SALE", &sales.id), (&acme.group_id, &acme.group_id)] {
        let query = format!("search={search}");
        let list = acme.call(list_groups, &[("organizationId", &acme.id)], &query);
        assert_eq!(
            (list["data"].as_array().unwrap().len(), &list["data"][0]["id"]),
            (1, &json!(found))
        );
    }
    let page = acme.call(list_groups_of_membership, &of_membership, "limit=1");
    assert_eq!(page["data"][0]["id"], sales.id.as_str());
    assert_eq!(page["list_metadata"], json!({"before": null, "after": sales.id}));
    let query = format!("limit=1&after={}", sales.id);
    let page = acme.call(list_groups_of_membership, &of_membership, &query);
    assert_eq!(page["data"][0]["id"], acme.group_id.as_str());

    acme.fixture.add_user("bob@example.com");
    let bob = environment.state().users.iter().last().unwrap().id.clone();
    let body = json!({"user_id": bob, "organization_id": acme.id});
    let second = acme
        .fixture
        .run(memberships::create_organization_membership, body);
    let second = second["id"].as_str().unwrap();
    acme.add(&acme.group_id, second).unwrap();
    let of_group = [("organizationId", acme.id.as_str()), ("groupId", &acme.group_id)];
    let page = acme.call(list_group_members, &of_group, "limit=1&order=asc");
    assert_eq!(page["list_metadata"]["after"], acme.membership_id.as_str());
    let member = &page["data"][0];
    assert_eq!(
        (&member["object"], &member["organization_name"], &member["status"]),
        (
            &json!("organization_membership"),
            &json!("Acme"),
            &json!("active")
        )
    );
    assert_eq!(member["user"]["email"], "ada@example.com");
    assert!(member.get("role").is_none());
    let query = format!("order=asc&after={}", acme.membership_id);
    let page = acme.call(list_group_members, &of_group, &query);
    assert_eq!(page["data"][0]["id"], second);
}

#[test]
fn a_deleted_membership_leaves_its_groups() {
    let acme = Acme::new();
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    let call = Call::for_tests(
        &acme.fixture.environment,
        &[("id", &acme.membership_id)],
        "",
        json!({}),
    );
    delete_organization_membership(&call).unwrap();
    assert!(acme.members().is_empty());
    let names = recorded::event_names(&acme.fixture.environment.state());
    assert_eq!(
        names[names.len() - 2..],
        ["group.member_removed", "organization_membership.deleted"]
    );
}

#[test]
fn a_deleted_organization_takes_its_groups_along() {
    let acme = Acme::new();
    acme.add(&acme.group_id, &acme.membership_id).unwrap();
    let call = Call::for_tests(&acme.fixture.environment, &[("id", &acme.id)], "", json!({}));
    organizations::delete_organization(&call).unwrap();
    let state = acme.fixture.environment.state();
    assert_eq!((state.groups.len(), state.group_memberships.len()), (0, 0));
    assert_eq!(acme.events().last().unwrap(), "group.deleted");
    assert!(state.is_consistent());
}
