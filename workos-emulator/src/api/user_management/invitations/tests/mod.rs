//! Invitations through the API.

mod ends;
mod properties;
mod sign_in;

use actix_web::http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        organizations, recorded,
        user_management::{
            authenticate::fixture::{EMAIL, Fixture, merged, refusal},
            users,
        },
    },
    server::{call::Call, reply::Reply},
};

type Operation = fn(&Call) -> Result<Reply, ApiError>;

const DAY: u64 = 24 * 3600;
const BOB: &str = "bob@globex.example";

/// What an operation says, with path parameters and a query.
fn run(
    fixture: &Fixture,
    operation: Operation,
    params: &[(&str, &str)],
    query: &str,
    body: Value,
) -> Result<Value, ApiError> {
    let mut call = Call::for_tests(&fixture.environment, params, query, body);
    call.headers.insert(
        HeaderName::from_static("host"),
        HeaderValue::from_static("auth.test"),
    );
    Ok(serde_json::from_slice(&operation(&call)?.body).unwrap_or_default())
}

fn send(fixture: &Fixture, body: Value) -> Result<Value, ApiError> {
    run(fixture, send_invitation, &[], "", body)
}

fn sent(fixture: &Fixture, body: Value) -> Value {
    send(fixture, body).unwrap()
}

fn on(fixture: &Fixture, operation: Operation, invitation: &Value) -> Result<Value, ApiError> {
    let id = invitation["id"].as_str().unwrap();
    run(fixture, operation, &[("id", id)], "", json!({}))
}

fn shown(fixture: &Fixture, invitation: &Value) -> Value {
    on(fixture, get_invitation, invitation).unwrap()
}

/// The names of the events that `happened`.
fn events(fixture: &Fixture, happened: impl FnOnce()) -> Vec<String> {
    let before = fixture.environment.state().events.len();
    happened();
    recorded::event_names(&fixture.environment.state()).split_off(before)
}

/// Status and role of the membership of a user in an organization.
fn membership(fixture: &Fixture, user_id: &str, organization_id: &str) -> Option<(String, String)> {
    let state = fixture.environment.state();
    let membership = memberships::of(&state, user_id, organization_id)?;
    Some((
        membership.status.as_str().to_owned(),
        membership.role().to_owned(),
    ))
}

#[test]
fn is_shown_and_mailed_with_its_token_and_tells_of_itself_without() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    fixture.add_role("admin", &[]);
    let body = json!({
        "email": " Bob@Globex.example", "organization_id": acme, "role_slug": "admin", "expires_in_days": 3,
        "inviter_user_id": fixture.user_id, "locale": "pt-BR",
    });
    let invitation = sent(&fixture, body);
    let token = invitation["token"].as_str().unwrap();
    let url = format!("http://auth.test/invite?invitation_token={token}");
    let event = json!({
        "object": "invitation", "id": invitation["id"], "email": BOB, "state": "pending", "accepted_at": null,
        "revoked_at": null, "expires_at": "2026-01-18T12:00:00.000Z", "organization_id": acme,
        "inviter_user_id": fixture.user_id, "accepted_user_id": null, "role_slug": "admin",
        "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
    });
    let whole = merged(
        event.clone(),
        json!({"token": token, "accept_invitation_url": url}),
    );
    assert_eq!(invitation, whole);
    assert_eq!((token.len(), shown(&fixture, &invitation)), (25, whole.clone()));
    let found = run(
        &fixture,
        find_invitation_by_token,
        &[("token", token)],
        "",
        json!({}),
    );
    assert_eq!(found.unwrap(), whole);
    let (name, data) = fixture.events("invitation.").remove(0);
    assert_eq!((name.as_str(), data), ("invitation.created", event));
    let state = fixture.environment.state();
    let message = state.messages.iter().last().unwrap();
    assert_eq!((message.kind.as_str(), message.to.as_str()), ("invitation", BOB));
    assert_eq!(message.subject, format!("{EMAIL} invited you to join Acme"));
    assert_eq!(
        (message.token.as_deref(), message.url.as_ref()),
        (Some(token), Some(&url))
    );
    assert!(
        message.text.contains("good until 18 January 2026, 12:00 UTC"),
        "{}",
        message.text
    );
    assert!(!format!("{:?}", state.invitations.iter().last().unwrap()).contains(token));
}

#[test]
fn an_address_without_a_user_gets_none_before_it_signs_up() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let invitation = sent(&fixture, json!({"email": BOB, "organization_id": acme}));
    assert_eq!(invitation["role_slug"], "member");
    let state = fixture.environment.state();
    assert_eq!((state.users.len(), state.organization_memberships.len()), (1, 0));
    assert_eq!(
        refusal(on(&fixture, accept_invitation, &invitation)),
        (400, "invalid_invite".to_owned())
    );
    let bob = fixture.add_user(BOB);
    let happened = events(&fixture, || {
        let accepted = on(&fixture, accept_invitation, &invitation).unwrap();
        assert_eq!(
            (
                &accepted["state"],
                &accepted["accepted_user_id"],
                &accepted["accepted_at"]
            ),
            (
                &json!("accepted"),
                &json!(bob),
                &json!("2026-01-15T12:00:00.000Z")
            )
        );
    });
    assert_eq!(
        happened,
        ["organization_membership.created", "invitation.accepted"]
    );
    assert_eq!(
        membership(&fixture, &bob, &acme),
        Some(("active".to_owned(), "member".to_owned()))
    );
}

#[test]
fn a_user_has_a_pending_membership_until_they_accept() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    fixture.add_role("admin", &[]);
    let body = json!({"email": EMAIL, "organization_id": acme, "role_slug": "admin"});
    let mut invitation = Value::Null;
    let happened = events(&fixture, || invitation = sent(&fixture, body));
    assert_eq!(
        happened,
        ["organization_membership.created", "invitation.created"]
    );
    let pending = Some(("pending".to_owned(), "admin".to_owned()));
    assert_eq!(membership(&fixture, &fixture.user_id, &acme), pending);
    // It lets nobody in, and takes the role that it is given.
    assert_eq!(fixture.signed_in()["organization_id"], Value::Null);
    let membership_id = memberships::id_of(&fixture.environment.state(), &fixture.user_id, &acme).unwrap();
    let to_member =
        |tx: &mut Transaction<'_>| memberships::set_roles(tx, &membership_id, vec!["member".to_owned()]);
    fixture.environment.transact(|tx| to_member(tx)).unwrap();
    assert_eq!(shown(&fixture, &invitation)["role_slug"], "member");
    let happened = events(&fixture, || {
        let accepted = on(&fixture, accept_invitation, &invitation).unwrap();
        assert_eq!(accepted["role_slug"], "member");
    });
    assert_eq!(
        happened,
        ["organization_membership.updated", "invitation.accepted"]
    );
    let active = Some(("active".to_owned(), "member".to_owned()));
    assert_eq!(membership(&fixture, &fixture.user_id, &acme), active);
    assert_eq!(
        refusal(on(&fixture, accept_invitation, &invitation)),
        (400, "invite_has_accepted_user_id".to_owned())
    );
    for (operation, code) in [
        (resend_invitation as Operation, "invite_accepted"),
        (revoke_invitation, "invite_not_pending"),
    ] {
        assert_eq!(
            refusal(on(&fixture, operation, &invitation)),
            (400, code.to_owned())
        );
    }
}

#[test]
fn what_makes_no_sense_is_not_sent() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let globex = fixture.add_organization("Globex");
    sent(&fixture, json!({"email": BOB}));
    sent(&fixture, json!({"email": BOB, "organization_id": globex}));
    let before = fixture.environment.state();
    for (body, status, code) in [
        (json!({}), 422, "invalid_request_parameters"),
        (json!({"email": "bob"}), 422, "invalid_request_parameters"),
        (
            json!({"email": BOB, "locale": "tlh"}),
            422,
            "invalid_request_parameters",
        ),
        (
            json!({"email": BOB, "expires_in_days": 1.5}),
            422,
            "invalid_request_parameters",
        ),
        (
            json!({"email": "BOB@globex.example"}),
            400,
            "email_already_invited",
        ),
        (json!({"email": EMAIL}), 400, "user_already_exists"),
        (
            json!({"email": "eve@x.invalid"}),
            400,
            "email_domain_not_deliverable",
        ),
        (
            json!({"email": "eve@x.example", "expires_in_days": 0}),
            400,
            "expires_in_days_too_short",
        ),
        (
            json!({"email": "eve@x.example", "expires_in_days": 31}),
            400,
            "expires_in_days_too_long",
        ),
        (
            json!({"email": "eve@x.example", "role_slug": "member"}),
            400,
            "invalid_role",
        ),
        (
            json!({"email": "eve@x.example", "inviter_user_id": "user_x"}),
            404,
            "entity_not_found",
        ),
        (
            json!({"email": "eve@x.example", "organization_id": "org_x"}),
            404,
            "entity_not_found",
        ),
        (
            json!({"email": BOB, "organization_id": globex}),
            400,
            "email_already_invited_to_organization",
        ),
        (
            json!({"email": EMAIL, "organization_id": acme}),
            400,
            "user_already_organization_member",
        ),
        (
            json!({"email": BOB, "organization_id": acme, "role_slug": "x"}),
            400,
            "invalid_role",
        ),
    ] {
        assert_eq!(
            refusal(send(&fixture, body.clone())),
            (status, code.to_owned()),
            "{body}"
        );
    }
    let after = fixture.environment.state();
    assert_eq!(before.dump(), after.dump());
    sent(&fixture, json!({"email": "eve@x.example", "expires_in_days": 30}));
}

#[test]
fn goes_out_again_with_the_same_link() {
    let fixture = Fixture::new();
    let invitation = sent(&fixture, json!({"email": BOB}));
    fixture.advance(DAY);
    let happened = events(&fixture, || {
        assert_eq!(on(&fixture, resend_invitation, &invitation).unwrap(), invitation);
    });
    assert_eq!(happened, ["invitation.resent"]);
    let state = fixture.environment.state();
    let urls: Vec<_> = state
        .messages
        .iter()
        .map(|message| message.url.as_deref())
        .collect();
    let url = invitation["accept_invitation_url"].as_str();
    assert_eq!(urls, [url, url]);
    let wrong = run(
        &fixture,
        resend_invitation,
        &[("id", invitation["id"].as_str().unwrap())],
        "",
        json!({"locale": "tlh"}),
    );
    assert_eq!(refusal(wrong).0, 422);
}

#[test]
fn lists_are_by_address_and_organization() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let id = |body| sent(&fixture, body)["id"].clone();
    let first = id(json!({"email": BOB}));
    let second = id(json!({"email": BOB, "organization_id": acme}));
    let third = id(json!({"email": "eve@x.example", "organization_id": acme}));
    let list = |query: &str| run(&fixture, list_invitations, &[], query, json!({}));
    let ids = |query: &str| -> Vec<Value> {
        let page = list(query).unwrap();
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].clone())
            .collect()
    };
    assert_eq!(ids(""), [third.clone(), second.clone(), first.clone()]);
    assert_eq!(ids("email=BOB%40globex.example"), [second.clone(), first.clone()]);
    assert_eq!(
        ids(&format!("organization_id={acme}&order=asc")),
        [second.clone(), third.clone()]
    );
    assert_eq!(
        ids(&format!("organization_id={acme}&email={BOB}")),
        std::slice::from_ref(&second)
    );
    assert_eq!(ids("organization_id=org_x"), [] as [Value; 0]);
    let page = list("limit=2").unwrap();
    assert_eq!(page["list_metadata"], json!({"before": null, "after": second}));
    let rest = ids(&format!("limit=2&after={}", second.as_str().unwrap()));
    assert_eq!(rest, [first]);
    assert_eq!(refusal(list("email=bob")).0, 422);
    for (operation, name) in [
        (get_invitation as Operation, "id"),
        (find_invitation_by_token, "token"),
    ] {
        assert_eq!(
            refusal(run(&fixture, operation, &[(name, "x")], "", json!({}))).0,
            404
        );
    }
}

#[test]
fn to_an_organization_it_is_for_an_address_or_for_a_company() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    for (invited, organization_id, others) in [
        (
            "bob@gmail.com",
            Some(&acme),
            [("BOB@gmail.com ", true), ("eve@gmail.com", false), (BOB, false)],
        ),
        (
            "bob@acme.example",
            Some(&acme),
            [
                ("eve@ACME.example", true),
                ("eve@sub.acme.example", false),
                ("eve@acme.example.evil.example", false),
            ],
        ),
        (
            "bob@gmail.com",
            None,
            [("eve@gmail.com", true), (BOB, true), ("x@y.example", true)],
        ),
    ] {
        let sent = sent(
            &fixture,
            json!({"email": invited, "organization_id": organization_id}),
        );
        let state = fixture.environment.state();
        let invitation = find(&state, sent["id"].as_str().unwrap()).unwrap();
        for (other, is_for) in others {
            assert_eq!(invitation.is_for(other), is_for, "{other} for {invited}");
        }
    }
}

#[test]
fn an_application_can_have_a_page_of_its_own() {
    let fixture = Fixture::new();
    let invitation = sent(&fixture, json!({"email": BOB}));
    let token = invitation["token"].as_str().unwrap();
    for (page, url) in [
        (
            "https://app.example/join",
            format!("https://app.example/join?invitation_token={token}"),
        ),
        (
            "https://app.example/?p=1",
            format!("https://app.example/?p=1&invitation_token={token}"),
        ),
    ] {
        fixture.set(|settings| settings.invitation_url = Some(page.to_owned()));
        assert_eq!(shown(&fixture, &invitation)["accept_invitation_url"], url);
    }
}
