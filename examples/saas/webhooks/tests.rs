//! What events make of the database, whatever their order.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;
use crate::database::groups::{get_department_id, map_groups_to_role};

/// The second of the day at which something happens.
type Second = u32;

fn time(second: Second) -> String {
    format!("2026-01-01T12:00:{second:02}.000Z")
}

fn event(id: &str, name: &str, at: Second, data: Value) -> Webhook {
    let event = json!({"id": id, "event": name, "created_at": time(at), "data": data});
    serde_json::from_value(event).unwrap()
}

/// An event with an id of its own.
fn news(name: &str, at: Second, data: Value) -> Webhook {
    event(&format!("event_{name}_{at}"), name, at, data)
}

fn person(id: &str, name: &str, state: &str, at: Second) -> Value {
    json!({"object": "directory_user", "id": id, "directory_id": "directory_1", "organization_id": "org_1", "idp_id": id,
        "email": "carol@acme.example", "first_name": name, "last_name": null, "state": state, "raw_attributes": {},
        "custom_attributes": {}, "created_at": time(1), "updated_at": time(at)})
}

fn group(name: &str, at: Second) -> Value {
    json!({"object": "directory_group", "id": format!("group_{name}"), "idp_id": name, "directory_id": "directory_1",
        "organization_id": "org_1", "name": name, "created_at": time(1), "updated_at": time(at)})
}

fn in_group(name: &str) -> Value {
    json!({"directory_id": "directory_1", "user": person("u1", "Carol", "active", 1), "group": group(name, 1)})
}

fn membership(status: &str, role: &str, at: Second) -> Value {
    json!({"user_id": "user_1", "organization_id": "org_1", "status": status, "role": {"slug": role}, "updated_at": time(at)})
}

fn user() -> User {
    serde_json::from_value(
        json!({"object": "user", "id": "user_1", "email": "Carol@acme.example", "email_verified": true,
        "first_name": "Carol", "last_name": "Carver", "created_at": time(0), "updated_at": time(0)}),
    )
    .unwrap()
}

fn database() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(include_str!("../database/schema.sql")).unwrap();
    db
}

fn tell(db: &Connection, webhook: &Webhook) {
    work_off(db, webhook, Some(&user())).unwrap();
}

/// Name, role, department, active, removed: of everybody.
fn people(db: &Connection) -> Vec<(String, String, Option<String>, bool, bool)> {
    let people = people::of_organization(db, "org_1").unwrap();
    let row = |row: people::Person| (row.name, row.role, row.department, row.active, row.is_deleted);
    people.into_iter().map(row).collect()
}

fn one(
    name: &str,
    role: &str,
    department: Option<&str>,
    active: bool,
    removed: bool,
) -> [(String, String, Option<String>, bool, bool); 1] {
    [(
        name.to_owned(),
        role.to_owned(),
        department.map(str::to_owned),
        active,
        removed,
    )]
}

/// Every order of a few things.
fn orders<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    let [first, rest @ ..] = things else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut order = order.clone();
            order.insert(at, first.clone());
            all.push(order);
        }
    }
    all
}

#[test]
fn the_order_of_events_changes_nothing() {
    let mut events = vec![
        news("dsync.user.created", 1, person("u1", "Carol", "active", 1)),
        news("dsync.group.user_added", 2, in_group("Engineering")),
        news("dsync.group.user_added", 3, in_group("Admins")),
        news("dsync.group.user_removed", 4, in_group("Admins")),
        news("dsync.user.updated", 5, person("u1", "Caroline", "suspended", 5)),
    ];
    for order in orders(&events) {
        let db = database();
        order.iter().for_each(|event| tell(&db, event));
        assert_eq!(
            people(&db),
            one("Caroline", "member", Some("Engineering"), false, false),
            "{order:?}"
        );
    }
    events.push(news(
        "dsync.user.deleted",
        6,
        person("u1", "Caroline", "suspended", 5),
    ));
    for order in orders(&events) {
        let db = database();
        order.iter().for_each(|event| tell(&db, event));
        assert_eq!(
            people(&db),
            one("Caroline", "member", Some("Engineering"), false, true),
            "{order:?}"
        );
    }
}

#[test]
fn an_event_is_worked_off_once() {
    let db = database();
    tell(
        &db,
        &event(
            "event_1",
            "dsync.user.created",
            1,
            person("u1", "Carol", "active", 1),
        ),
    );
    tell(
        &db,
        &event(
            "event_1",
            "dsync.user.updated",
            2,
            person("u1", "Mallory", "active", 2),
        ),
    );
    assert_eq!(people(&db), one("Carol", "member", None, true, false));
}

#[actix_web::test]
async fn an_event_that_failed_is_new_again() {
    let database = crate::database::Database::open(None).unwrap();
    let broken = event("event_1", "dsync.user.created", 1, json!({"id": "u1"}));
    let failed = database.transact(move |db| work_off(db, &broken, None)).await;
    assert!(failed.unwrap_err().to_string().contains("missing field"));
    let whole = event(
        "event_1",
        "dsync.user.created",
        1,
        person("u1", "Carol", "active", 1),
    );
    let found = database.transact(move |db| {
        work_off(db, &whole, None)?;
        Ok(people(db))
    });
    assert_eq!(found.await.unwrap(), one("Carol", "member", None, true, false));
}

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
