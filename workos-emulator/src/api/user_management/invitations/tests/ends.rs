//! What ends an invitation, and what ends with what.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_blocked_organization_invites_nobody() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let block = |blocked| {
        let block = |tx: &mut Transaction<'_>| blocks::set(tx, &acme, blocked);
        fixture.environment.transact(|tx| block(tx)).unwrap();
    };
    block(true);
    let body = json!({"email": BOB, "organization_id": acme});
    assert_eq!(
        refusal(send(&fixture, body.clone())),
        (400, "organization_blocked_from_sending_invites".to_owned())
    );
    block(false);
    sent(&fixture, body);
}

#[test]
fn is_over_when_its_time_is() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    fixture.add_role("admin", &[]);
    let first = sent(&fixture, json!({"email": EMAIL, "organization_id": acme}));
    fixture.advance(7 * DAY - 1);
    assert_eq!(shown(&fixture, &first)["state"], "pending");
    fixture.advance(1);
    let expired = shown(&fixture, &first);
    assert_eq!(expired, merged(first.clone(), json!({"state": "expired"})));
    for (operation, code) in [
        (resend_invitation as Operation, "invite_expired"),
        (accept_invitation, "invite_not_pending"),
        (revoke_invitation, "invite_not_pending"),
    ] {
        assert_eq!(refusal(on(&fixture, operation, &first)), (400, code.to_owned()));
    }
    // A further one takes over the membership, with its own role.
    let body = json!({"email": EMAIL, "organization_id": acme, "role_slug": "admin"});
    let happened = events(&fixture, || drop(sent(&fixture, body)));
    assert_eq!(
        happened,
        ["organization_membership.updated", "invitation.created"]
    );
    let pending = Some(("pending".to_owned(), "admin".to_owned()));
    assert_eq!(membership(&fixture, &fixture.user_id, &acme), pending);
}

#[test]
fn is_revoked_with_the_membership_that_stands_for_it() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let body = json!({"email": EMAIL, "organization_id": acme});
    let invitation = sent(&fixture, body.clone());
    fixture.advance(1);
    let happened = events(&fixture, || {
        let revoked = on(&fixture, revoke_invitation, &invitation).unwrap();
        assert_eq!(
            (&revoked["state"], &revoked["revoked_at"]),
            (&json!("revoked"), &json!("2026-01-15T12:00:01.000Z"))
        );
    });
    assert_eq!(
        happened,
        ["invitation.revoked", "organization_membership.deleted"]
    );
    for (operation, code) in [
        (resend_invitation as Operation, "invite_revoked"),
        (accept_invitation, "invite_not_pending"),
        (revoke_invitation, "invite_not_pending"),
    ] {
        assert_eq!(
            refusal(on(&fixture, operation, &invitation)),
            (400, code.to_owned())
        );
    }
    sent(&fixture, body);
}

#[test]
fn a_role_that_is_gone_counts_as_none() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let new = roles::NewRole {
        organization_id: Some(acme.clone()),
        ..roles::NewRole::named("org-owner", "Owner")
    };
    let create = |tx: &mut Transaction<'_>| roles::create(tx, new);
    let owner = fixture.environment.transact(create).unwrap();
    let invitation = sent(
        &fixture,
        json!({"email": BOB, "organization_id": acme, "role_slug": "org-owner"}),
    );
    assert_eq!(invitation["role_slug"], "org-owner");
    fixture
        .environment
        .transact(|tx| roles::delete(tx, &owner))
        .unwrap();
    assert_eq!(shown(&fixture, &invitation)["role_slug"], "member");
    let bob = fixture.add_user(BOB);
    on(&fixture, accept_invitation, &invitation).unwrap();
    assert_eq!(
        membership(&fixture, &bob, &acme),
        Some(("active".to_owned(), "member".to_owned()))
    );
}

#[test]
fn an_ended_membership_does_not_come_back_by_an_older_invitation() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let bob = fixture.add_user(BOB);
    let invite = || sent(&fixture, json!({"email": BOB, "organization_id": acme}));
    // Who was a member is not pending again before they accept.
    let body = json!({"user_id": bob, "organization_id": acme});
    let former = fixture.run(memberships::create_organization_membership, body);
    let former = former["id"].as_str().unwrap();
    fixture.deactivate(former);
    let invitation = invite();
    assert_eq!(membership(&fixture, &bob, &acme).unwrap().0, "inactive");
    // The application took them back, and threw them out once more.
    let by_id = |operation: Operation| run(&fixture, operation, &[("id", former)], "", json!({})).unwrap();
    by_id(memberships::reactivate_organization_membership);
    let happened = events(&fixture, || fixture.deactivate(former));
    assert_eq!(
        happened,
        ["invitation.revoked", "organization_membership.updated"]
    );
    assert_eq!(shown(&fixture, &invitation)["state"], "revoked");

    let invitation = invite();
    let happened = events(&fixture, || {
        drop(by_id(memberships::delete_organization_membership));
    });
    assert_eq!(
        happened,
        ["invitation.revoked", "organization_membership.deleted"]
    );
    assert_eq!(shown(&fixture, &invitation)["state"], "revoked");

    // A pending membership goes with its invitation, whatever address its user has by now.
    let invitation = invite();
    run(
        &fixture,
        users::update_user,
        &[("id", &bob)],
        "",
        json!({"email": "rob@x.example"}),
    )
    .unwrap();
    let pending = memberships::id_of(&fixture.environment.state(), &bob, &acme).unwrap();
    let delete = memberships::delete_organization_membership;
    run(&fixture, delete, &[("id", &pending)], "", json!({})).unwrap();
    assert_eq!(shown(&fixture, &invitation)["state"], "revoked");
}

#[test]
fn nothing_names_who_is_gone() {
    let fixture = Fixture::new();
    let acme = fixture.add_organization("Acme");
    let (bob, eve) = (fixture.add_user(BOB), fixture.add_user("eve@x.example"));
    let body = json!({"email": BOB, "organization_id": acme, "inviter_user_id": eve});
    let accepted = sent(&fixture, body);
    on(&fixture, accept_invitation, &accepted).unwrap();
    let other = sent(
        &fixture,
        json!({"email": EMAIL, "organization_id": acme, "inviter_user_id": bob}),
    );
    for id in [&bob, &eve] {
        run(&fixture, users::delete_user, &[("id", id)], "", json!({})).unwrap();
    }
    let (accepted, other) = (shown(&fixture, &accepted), shown(&fixture, &other));
    assert_eq!(
        (
            &accepted["inviter_user_id"],
            &accepted["accepted_user_id"],
            &accepted["state"]
        ),
        (&Value::Null, &Value::Null, &json!("accepted"))
    );
    assert_eq!(
        (&other["inviter_user_id"], &other["state"]),
        (&Value::Null, &json!("pending"))
    );
    let delete = organizations::delete_organization;
    let happened = events(&fixture, || {
        drop(run(&fixture, delete, &[("id", &acme)], "", json!({})));
    });
    assert_eq!(
        happened,
        [
            "invitation.revoked",
            "organization_membership.deleted",
            "organization.deleted"
        ]
    );
    let state = fixture.environment.state();
    assert_eq!((state.invitations.len(), state.invitation_blocks.len()), (0, 0));
    assert!(state.is_consistent());
}
