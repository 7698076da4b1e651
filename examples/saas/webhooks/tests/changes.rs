//! What each kind of event changes.

use super::*;
use crate::database::groups::{get_department_id, map_groups_to_role};

#[test]
fn a_directory_may_bring_somebody_back() {
    let db = database();
    tell(
        &db,
        &news("dsync.user.created", 1, person("u1", "Carol", "active", 1)),
    );
    tell(
        &db,
        &news("dsync.user.deleted", 2, person("u1", "Carol", "inactive", 2)),
    );
    // As itself, when the provider makes an inactive user active.
    tell(
        &db,
        &news("dsync.user.created", 3, person("u1", "Carol", "active", 3)),
    );
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
    // As another user with the same address, when the provider forgot the first one.
    tell(
        &db,
        &news("dsync.user.deleted", 4, person("u1", "Carol", "inactive", 4)),
    );
    tell(
        &db,
        &news("dsync.user.created", 5, person("u2", "Carol", "active", 5)),
    );
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
}

#[test]
fn groups_decide_on_role_and_department_as_long_as_they_are_there() {
    let db = database();
    tell(
        &db,
        &news("dsync.user.created", 1, person("u1", "Carol", "active", 1)),
    );
    tell(&db, &news("dsync.group.user_added", 2, in_group("Sales")));
    tell(&db, &news("dsync.group.user_added", 3, in_group("Managers")));
    assert_eq!(people(&db), one("Carol", "manager", Some("Sales"), true, false));
    let mut renamed = group("Managers", 4);
    renamed["name"] = json!("Administrators");
    tell(&db, &news("dsync.group.updated", 4, renamed));
    assert_eq!(people(&db), one("Carol", "admin", Some("Sales"), true, false));
    tell(&db, &news("dsync.group.deleted", 5, group("Managers", 4)));
    assert_eq!(people(&db), one("Carol", "member", Some("Sales"), true, false));
    tell(&db, &news("dsync.group.user_removed", 6, in_group("Sales")));
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
}

#[test]
fn a_directory_that_goes_takes_everybody_along() {
    let db = database();
    tell(
        &db,
        &news("dsync.user.created", 1, person("u1", "Carol", "active", 1)),
    );
    let mut dave = person("u2", "Dave", "active", 1);
    dave["email"] = json!("dave@acme.example");
    tell(&db, &event("event_dave", "dsync.user.created", 1, dave));
    tell(
        &db,
        &news(
            "dsync.deleted",
            2,
            json!({"object": "directory", "id": "directory_1"}),
        ),
    );
    // Late.
    tell(
        &db,
        &news("dsync.user.updated", 3, person("u1", "Carol", "active", 3)),
    );
    assert_eq!(
        people(&db),
        [
            one("Carol", "member", None, false, true),
            one("Dave", "member", None, false, true)
        ]
        .concat()
    );
}

#[test]
fn memberships_make_rows_and_leave_those_of_a_directory_alone() {
    let db = database();
    tell(
        &db,
        &news(
            "organization_membership.created",
            1,
            membership("active", "member", 1),
        ),
    );
    tell(
        &db,
        &news(
            "organization_membership.updated",
            3,
            membership("active", "admin", 3),
        ),
    );
    // Late.
    tell(
        &db,
        &news(
            "organization_membership.updated",
            2,
            membership("inactive", "member", 2),
        ),
    );
    assert_eq!(people(&db), one("Carol Carver", "admin", None, true, false));
    tell(
        &db,
        &news(
            "organization_membership.deleted",
            4,
            membership("active", "admin", 3),
        ),
    );
    assert_eq!(people(&db), one("Carol Carver", "admin", None, false, true));

    // The directory knows the same person, and has the say from now on.
    tell(
        &db,
        &news("dsync.user.created", 5, person("u1", "Carol", "active", 5)),
    );
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
    tell(
        &db,
        &news(
            "organization_membership.updated",
            6,
            membership("inactive", "admin", 6),
        ),
    );
    tell(
        &db,
        &news(
            "organization_membership.deleted",
            7,
            membership("inactive", "admin", 6),
        ),
    );
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
}

#[test]
fn a_user_who_is_deleted_is_removed() {
    let db = database();
    tell(
        &db,
        &news(
            "organization_membership.created",
            1,
            membership("active", "member", 1),
        ),
    );
    tell(
        &db,
        &news("user.deleted", 2, serde_json::to_value(user()).unwrap()),
    );
    assert_eq!(people(&db), one("Carol Carver", "member", None, false, true));
}

#[test]
fn events_that_nobody_asked_for_are_taken() {
    let db = database();
    tell(&db, &news("session.created", 1, json!({})));
    assert_eq!(people(&db), []);
}

#[test]
fn groups_are_roles_and_departments_by_their_names() {
    let roles = [
        (&["Engineering", "Platform ADMINS"][..], "admin"),
        (&["Managers", "Administrators"], "admin"),
        (&["Sales Managers"], "manager"),
        (&["Sales"], "member"),
        (&[], "member"),
    ];
    for (groups, role) in roles {
        let groups: Vec<_> = groups.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(map_groups_to_role(&groups), role, "{groups:?}");
    }
    let db = database();
    let department = |groups: &[&str]| {
        let groups: Vec<_> = groups.iter().map(|name| (*name).to_owned()).collect();
        get_department_id(&db, &groups).unwrap().is_some()
    };
    assert!(department(&["Everybody", "sales"]));
    assert!(!department(&["Everybody", "Admins"]));
    assert!(!department(&[]));
}
