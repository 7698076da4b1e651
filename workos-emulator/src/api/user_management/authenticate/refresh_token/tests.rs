use serde_json::{Value, json};

use crate::{
    api::user_management::{
        authenticate::fixture::{Fixture, merged, refusal},
        sessions,
        signing_keys::SigningKeys,
        users,
    },
    core::keys::SigningKey,
    server::error::ApiError,
};

impl Fixture {
    fn refresh(&self, response: &Value, with: Value) -> Result<Value, ApiError> {
        let body = merged(
            json!({"grant_type": "refresh_token", "refresh_token": response["refresh_token"]}),
            with,
        );
        self.authenticate(body)
    }
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[test]
fn rotates_and_keeps_session_method_and_auth_time() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let before = fixture.claims(&first);
    fixture.advance(60);
    let second = fixture.refresh(&first, json!({})).unwrap();
    let after = fixture.claims(&second);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_eq!(second["authentication_method"], "Password");
    assert_eq!((&after.sid, after.auth_time), (&before.sid, before.auth_time));
    assert_eq!((after.iat, after.exp), (before.iat + 60, before.exp + 60));
    assert_ne!(after.jti, before.jti);
    assert_eq!(fixture.events("session.").len(), 1, "a refresh is no event");
}

#[test]
fn a_public_client_needs_no_secret_but_a_wrong_one_is_refused() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let wrong = fixture.refresh(&first, json!({"client_secret": "sk_test_wrong"}));
    assert_eq!(refusal(wrong), (400, "invalid_client".to_owned()));
    fixture.refresh(&first, json!({"client_secret": null})).unwrap();
}

#[test]
fn within_the_grace_the_last_token_gives_the_very_same_pair() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let second = fixture.refresh(&first, json!({})).unwrap();
    fixture.advance(29);
    let replayed = fixture.refresh(&first, json!({})).unwrap();
    assert_eq!(replayed, second);
    fixture.advance(1);
    assert_eq!(refusal(fixture.refresh(&first, json!({}))), invalid_grant());
    fixture.refresh(&second, json!({})).unwrap();
}

#[test]
fn an_older_token_than_the_last_is_refused_within_the_grace() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let second = fixture.refresh(&first, json!({})).unwrap();
    let third = fixture.refresh(&second, json!({})).unwrap();
    assert_eq!(refusal(fixture.refresh(&first, json!({}))), invalid_grant());
    assert_eq!(fixture.refresh(&second, json!({})).unwrap(), third);
}

#[test]
fn reuse_after_the_grace_revokes_nothing_unless_the_settings_say_so() {
    for ends in [false, true] {
        let fixture = Fixture::new();
        fixture.set(|settings| settings.refresh_token_reuse_ends_session = ends);
        let first = fixture.signed_in();
        let second = fixture.refresh(&first, json!({})).unwrap();
        fixture.refresh(&first, json!({})).unwrap();
        fixture.advance(30);
        assert_eq!(refusal(fixture.refresh(&first, json!({}))), invalid_grant());
        let revoked = fixture.events("session.revoked").len();
        assert_eq!(revoked, usize::from(ends));
        let goes_on = fixture.refresh(&second, json!({}));
        assert_eq!(goes_on.is_err(), ends, "{goes_on:?}");
    }
}

#[test]
fn a_replay_does_not_lead_to_another_organization_than_was_asked_for() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let first = fixture.signed_in();
    let globex = fixture.add_own_organization("Globex");
    let second = fixture
        .refresh(&first, json!({"organization_id": globex}))
        .unwrap();
    assert_eq!(
        refusal(fixture.refresh(&first, json!({"organization_id": acme}))),
        invalid_grant()
    );
    assert_eq!(
        fixture
            .refresh(&first, json!({"organization_id": globex}))
            .unwrap(),
        second
    );
}

#[test]
fn a_replay_after_a_key_rotation_is_signed_anew() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let second = fixture.refresh(&first, json!({})).unwrap();
    let mut keys = fixture.environment.state().keys().clone();
    keys.rotate(SigningKey::generate(None).unwrap()).unwrap();
    fixture
        .environment
        .transact(|tx| tx.put(SigningKeys(keys)))
        .unwrap();
    let replayed = fixture.refresh(&first, json!({})).unwrap();
    assert_eq!(replayed["refresh_token"], second["refresh_token"]);
    assert_eq!(fixture.claims(&replayed), fixture.claims(&second), "both verify");
}

#[test]
fn a_token_is_for_its_client() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let foreign = fixture.refresh(&first, json!({"client_id": "client_other"}));
    assert_eq!(refusal(foreign), invalid_grant());
    fixture.refresh(&first, json!({})).unwrap();
}

#[test]
fn switches_between_organizations_and_stays_there() {
    let fixture = Fixture::new();
    let acme = fixture.add_own_organization("Acme");
    let first = fixture.signed_in();
    assert_eq!(first["organization_id"], *acme);
    let globex = fixture.add_own_organization("Globex");
    let second = fixture
        .refresh(&first, json!({"organization_id": globex}))
        .unwrap();
    assert_eq!(fixture.claims(&second).org_id.as_ref(), Some(&globex));
    let third = fixture.refresh(&second, json!({})).unwrap();
    assert_eq!(third["organization_id"], *globex);
}

#[test]
fn a_foreign_organization_is_refused_and_the_token_stays_good() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let foreign = fixture.add_organization("Initech");
    let not_found = (400, "organization_membership_not_found".to_owned());
    assert_eq!(
        refusal(fixture.refresh(&first, json!({"organization_id": foreign}))),
        not_found
    );
    let inactive = fixture.add_organization("Hooli");
    let membership = fixture.add_membership(&inactive, json!({}));
    fixture.deactivate(&membership);
    assert_eq!(
        refusal(fixture.refresh(&first, json!({"organization_id": inactive}))),
        not_found
    );
    let unknown = fixture.refresh(&first, json!({"organization_id": "org_none"}));
    assert_eq!(refusal(unknown), (400, "organization_not_found".to_owned()));
    fixture.refresh(&first, json!({})).unwrap();
}

#[test]
fn a_session_ends_by_inactivity_which_a_refresh_holds_off() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.session_inactivity = 1000);
    let first = fixture.signed_in();
    fixture.advance(999);
    let second = fixture.refresh(&first, json!({})).unwrap();
    fixture.advance(999);
    let third = fixture.refresh(&second, json!({})).unwrap();
    fixture.advance(1000);
    assert_eq!(refusal(fixture.refresh(&third, json!({}))), invalid_grant());
}

#[test]
fn a_session_ends_at_its_maximum_length_however_active_it_is() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.session_lifetime = 1000);
    let first = fixture.signed_in();
    fixture.advance(600);
    let second = fixture.refresh(&first, json!({})).unwrap();
    fixture.advance(399);
    let third = fixture.refresh(&second, json!({})).unwrap();
    fixture.advance(1);
    assert_eq!(refusal(fixture.refresh(&third, json!({}))), invalid_grant());
}

#[test]
fn a_revoked_session_has_no_tokens_any_more() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    let second = fixture.refresh(&first, json!({})).unwrap();
    let sid = fixture.claims(&first).sid;
    fixture
        .environment
        .transact(|tx| sessions::revoke(tx, &sid))
        .unwrap();
    assert_eq!(refusal(fixture.refresh(&second, json!({}))), invalid_grant());
    assert_eq!(
        refusal(fixture.refresh(&first, json!({}))),
        invalid_grant(),
        "nor by a replay"
    );
}

#[test]
fn a_deleted_user_has_no_tokens_any_more() {
    let fixture = Fixture::new();
    let first = fixture.signed_in();
    fixture
        .environment
        .transact(|tx| users::delete(tx, &fixture.user_id))
        .unwrap();
    assert_eq!(refusal(fixture.refresh(&first, json!({}))), invalid_grant());
}

/// Off, as in production; on, whichever of the session's tokens comes once more too late ends it.
#[test]
fn reuse_after_the_grace_ends_the_session_where_that_is_set() {
    for (ends, exchanges) in [(false, 1), (false, 3), (true, 1), (true, 2), (true, 5)] {
        let fixture = Fixture::new();
        fixture.set(|settings| settings.refresh_token_reuse_ends_session = ends);
        let other = fixture.signed_in();
        let first = fixture.signed_in();
        let mut last = first.clone();
        for _ in 0..exchanges {
            last = fixture.refresh(&last, json!({})).unwrap();
        }
        if exchanges == 1 {
            assert_eq!(
                fixture.refresh(&first, json!({})).unwrap(),
                last,
                "within the grace"
            );
        }
        fixture.advance(30);
        assert_eq!(refusal(fixture.refresh(&first, json!({}))), invalid_grant());
        let revoked = fixture.events("session.revoked");
        assert_eq!(revoked.len(), usize::from(ends), "{exchanges}");
        assert_eq!(fixture.refresh(&last, json!({})).is_ok(), !ends);
        fixture.refresh(&other, json!({})).unwrap();
    }
}

/// Reuse is a matter of the session's own client.
#[test]
fn another_client_ends_no_session() {
    let fixture = Fixture::new();
    fixture.set(|settings| settings.refresh_token_reuse_ends_session = true);
    let first = fixture.signed_in();
    let second = fixture.refresh(&first, json!({})).unwrap();
    fixture.advance(30);
    let foreign = fixture.refresh(&first, json!({"client_id": "client_other"}));
    assert_eq!(refusal(foreign), invalid_grant());
    fixture.refresh(&second, json!({})).unwrap();
}

#[test]
fn nonsense_is_no_token() {
    let fixture = Fixture::new();
    for token in ["", "x", "' OR 1=1", "äöüäöüäöüäöüäö", &"a".repeat(25)] {
        assert_eq!(
            refusal(fixture.refresh(&json!({"refresh_token": token}), json!({}))),
            invalid_grant()
        );
    }
    let missing = fixture.refresh(&json!({}), json!({}));
    assert_eq!(refusal(missing), (422, "invalid_request_parameters".to_owned()));
}
