//! The waitlist through the API.

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        recorded,
        user_management::authenticate::fixture::{EMAIL, Fixture, merged, refusal},
    },
    server::{call::Call, reply::Reply},
};

type Operation = fn(&Call) -> Result<Reply, ApiError>;

const BOB: &str = "bob@x.example";

fn run(
    fixture: &Fixture,
    operation: Operation,
    id: &str,
    query: &str,
    body: Value,
) -> Result<Value, ApiError> {
    let call = Call::for_tests(&fixture.environment, &[("id", id)], query, body);
    Ok(serde_json::from_slice(&operation(&call)?.body).unwrap_or_default())
}

fn waitlist_id(fixture: &Fixture) -> String {
    let list = run(fixture, list_waitlists, "", "", json!({})).unwrap();
    assert_eq!(list["list_metadata"], json!({"before": null, "after": null}));
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    list["data"][0]["id"].as_str().unwrap().to_owned()
}

fn join(fixture: &Fixture, body: Value) -> Result<Value, ApiError> {
    run(fixture, create_waitlist_entry, &waitlist_id(fixture), "", body)
}

fn on(fixture: &Fixture, operation: Operation, entry: &Value) -> Result<Value, ApiError> {
    run(fixture, operation, entry["id"].as_str().unwrap(), "", json!({}))
}

fn mails(fixture: &Fixture) -> Vec<(String, String)> {
    let state = fixture.environment.state();
    let mails = state.messages.iter();
    mails.map(|mail| (mail.kind.clone(), mail.to.clone())).collect()
}

#[test]
fn there_is_one_for_an_environment() {
    let fixture = Fixture::new();
    let id = waitlist_id(&fixture);
    assert!(id.starts_with("waitlist_01"), "{id}");
    assert_eq!(
        run(&fixture, get_waitlist, &id, "", json!({})).unwrap(),
        json!({
            "object": "waitlist", "id": id, "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    for operation in [
        get_waitlist as Operation,
        list_waitlist_entries,
        create_waitlist_entry,
    ] {
        let refused = run(&fixture, operation, "waitlist_x", "", json!({"email": BOB}));
        assert_eq!(refusal(refused), (404, "entity_not_found".to_owned()));
    }
}

#[test]
fn an_address_joins_once() {
    let fixture = Fixture::new();
    let body = json!({
        "email": " Bob@X.example", "additional_fields": {"company": "Globex"}, "send_confirmation_email": true,
    });
    let entry = join(&fixture, body).unwrap();
    let shown = json!({
        "object": "waitlist_entry", "id": entry["id"], "email": BOB, "state": "pending", "approved_at": null,
        "additional_fields": {"company": "Globex"}, "waitlist_id": waitlist_id(&fixture),
        "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
    });
    assert_eq!(entry, shown);
    fixture.advance(1);
    let again = json!({"email": BOB, "additional_fields": {"a": "b"}, "send_confirmation_email": true});
    assert_eq!(join(&fixture, again).unwrap(), shown);
    assert_eq!(
        mails(&fixture),
        [("waitlist_confirmation".to_owned(), BOB.to_owned())]
    );
    assert_eq!(
        fixture.events("waitlist_user."),
        [(
            "waitlist_user.created".to_owned(),
            merged(shown, json!({"object": "waitlist_user"}))
        )]
    );
    assert_eq!(
        refusal(join(&fixture, json!({"email": EMAIL}))),
        (422, "user_already_exists".to_owned())
    );
    fixture.set(|settings| settings.waitlist_confirmation_email = false);
    join(
        &fixture,
        json!({"email": "eve@x.example", "send_confirmation_email": true}),
    )
    .unwrap();
    assert_eq!(mails(&fixture).len(), 1);
}

#[test]
fn what_does_not_fit_is_named() {
    let fixture = Fixture::new();
    let many: serde_json::Map<_, _> = (0..51).map(|nth| (nth.to_string(), json!("x"))).collect();
    for (body, field) in [
        (json!({}), "email"),
        (json!({"email": "bob"}), "email"),
        (
            json!({"email": BOB, "additional_fields": {"a": 1}}),
            "additional_fields.a",
        ),
        (
            json!({"email": BOB, "additional_fields": {"": "x"}}),
            "additional_fields",
        ),
        (
            json!({"email": BOB, "additional_fields": {"a".repeat(41): "x"}}),
            "additional_fields",
        ),
        (
            json!({"email": BOB, "additional_fields": {"a": "x".repeat(601)}}),
            "additional_fields",
        ),
        (
            json!({"email": BOB, "additional_fields": many}),
            "additional_fields",
        ),
    ] {
        let refused = join(&fixture, body).unwrap_err();
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (422, &json!(field))
        );
    }
    join(
        &fixture,
        json!({"email": BOB, "additional_fields": {"a".repeat(40): "é".repeat(600)}}),
    )
    .unwrap();
}

#[test]
fn who_is_approved_is_invited() {
    let fixture = Fixture::new();
    let entry = join(&fixture, json!({"email": BOB})).unwrap();
    fixture.advance(60);
    let approved = on(&fixture, create_waitlist_entry_approve, &entry).unwrap();
    let at = "2026-01-15T12:01:00.000Z";
    assert_eq!(
        approved,
        merged(
            entry.clone(),
            json!({"state": "approved", "approved_at": at, "updated_at": at})
        )
    );
    let state = fixture.environment.state();
    let invitation = state.invitations.iter().last().unwrap();
    assert_eq!(
        (invitation.email.as_str(), &invitation.organization_id),
        (BOB, &None)
    );
    assert_eq!(mails(&fixture), [("invitation".to_owned(), BOB.to_owned())]);
    let names = recorded::event_names(&state);
    assert_eq!(
        names[names.len() - 3..],
        [
            "waitlist_user.created",
            "waitlist_user.approved",
            "invitation.created"
        ]
    );
    for operation in [
        create_waitlist_entry_approve as Operation,
        create_waitlist_entry_deny,
    ] {
        assert_eq!(
            refusal(on(&fixture, operation, &entry)),
            (422, "invalid_state".to_owned())
        );
    }
    // Off the list, with the invitation, and on it again.
    assert_eq!(on(&fixture, delete_waitlist_entry, &entry).unwrap(), Value::Null);
    assert_eq!(refusal(on(&fixture, delete_waitlist_entry, &entry)).0, 404);
    assert_eq!(fixture.environment.state().invitations.len(), 1);
    let again = join(&fixture, json!({"email": BOB})).unwrap();
    assert_ne!(again["id"], entry["id"]);
    // The approval stands without a second invitation.
    on(&fixture, create_waitlist_entry_approve, &again).unwrap();
    assert_eq!(fixture.environment.state().invitations.len(), 1);
    assert_eq!(
        recorded::event_names(&fixture.environment.state())
            .last()
            .unwrap(),
        "waitlist_user.approved"
    );
}

#[test]
fn a_denial_can_be_reversed() {
    let fixture = Fixture::new();
    let entry = join(&fixture, json!({"email": BOB})).unwrap();
    let denied = on(&fixture, create_waitlist_entry_deny, &entry).unwrap();
    assert_eq!(
        (&denied["state"], &denied["approved_at"]),
        (&json!("denied"), &Value::Null)
    );
    assert_eq!(
        refusal(on(&fixture, create_waitlist_entry_deny, &entry)),
        (422, "invalid_state".to_owned())
    );
    assert!(mails(&fixture).is_empty());
    on(&fixture, create_waitlist_entry_approve, &entry).unwrap();
    let names: Vec<_> = fixture
        .events("waitlist_user.")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "waitlist_user.created",
            "waitlist_user.denied",
            "waitlist_user.approved"
        ]
    );
}

#[test]
fn lists_are_by_state_and_address() {
    let fixture = Fixture::new();
    let entries = ["a@x.example", "b@x.example", "c@x.example"]
        .map(|email| join(&fixture, json!({"email": email})).unwrap());
    on(&fixture, create_waitlist_entry_deny, &entries[1]).unwrap();
    let id = waitlist_id(&fixture);
    let list = |query: &str| run(&fixture, list_waitlist_entries, &id, query, json!({}));
    let emails = |query: &str| -> Vec<String> {
        let page = list(query).unwrap();
        let data = page["data"].as_array().unwrap().iter();
        data.map(|row| row["email"].as_str().unwrap()[..1].to_owned())
            .collect()
    };
    assert_eq!(emails("order=asc"), ["a", "b", "c"]);
    assert_eq!(emails("state=pending"), ["c", "a"]);
    assert_eq!(emails("state=approved"), [""; 0]);
    assert_eq!(emails("email=B%40x.example"), ["b"]);
    assert_eq!(emails("email=b%40x.example&state=pending"), [""; 0]);
    let page = list("limit=1&state=pending").unwrap();
    assert_eq!(page["list_metadata"]["after"], entries[2]["id"]);
    assert_eq!(refusal(list("state=gone")).0, 422);
}
