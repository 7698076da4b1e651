//! What events make of the database, whatever their order.

mod changes;
mod order;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;

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
