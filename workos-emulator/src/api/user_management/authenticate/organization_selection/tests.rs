use serde_json::{Value, json};

use super::*;
use crate::{
    api::user_management::authenticate::{
        fixture::{CLIENT_ID, Fixture, PASSWORD, merged, refusal},
        method::AuthenticationMethod,
    },
    server::error::ApiError,
    store::MOST_EXPIRING,
};

struct Choice {
    fixture: Fixture,
    organizations: [String; 2],
    refused: ApiError,
}

/// Ada has signed in, and has two organizations to choose from.
fn choice() -> Choice {
    let fixture = Fixture::new();
    let organizations = [
        fixture.add_own_organization("Acme"),
        fixture.add_own_organization("Globex"),
    ];
    let refused = fixture.with_password(PASSWORD).unwrap_err();
    Choice {
        fixture,
        organizations,
        refused,
    }
}

impl Choice {
    fn select(&self, with: Value) -> Result<Value, ApiError> {
        let body = merged(
            json!({
                "grant_type": "urn:workos:oauth:grant-type:organization-selection",
                "pending_authentication_token": self.refused.body["pending_authentication_token"],
                "organization_id": self.organizations[1],
            }),
            with,
        );
        self.fixture.authenticate(body)
    }
}

fn invalid_token() -> (u16, String) {
    (400, "invalid_pending_authentication_token".to_owned())
}

#[test]
fn offers_the_organizations_and_takes_one_once() {
    let choice = choice();
    let [acme, globex] = &choice.organizations;
    assert_eq!(
        (choice.refused.status, choice.refused.code()),
        (403, Some("organization_selection_required"))
    );
    assert_eq!(
        choice.refused.body["organizations"],
        json!([{"id": acme, "name": "Acme"}, {"id": globex, "name": "Globex"}])
    );
    assert_eq!(choice.refused.body["user"]["id"], *choice.fixture.user_id);
    assert_eq!(
        choice.fixture.events("session."),
        [],
        "no session before the choice"
    );

    let response = choice.select(json!({})).unwrap();
    assert_eq!(response["organization_id"], **globex);
    assert_eq!(response["authentication_method"], "Password");
    assert_eq!(choice.fixture.claims(&response).org_id.as_ref(), Some(globex));
    assert_eq!(
        choice.fixture.events("authentication.").len(),
        1,
        "the password was checked once"
    );
    assert_eq!(refusal(choice.select(json!({}))), invalid_token());
}

#[test]
fn a_foreign_or_unknown_organization_is_refused_and_may_be_corrected() {
    let choice = choice();
    let foreign = choice.fixture.add_organization("Initech");
    assert_eq!(
        refusal(choice.select(json!({"organization_id": foreign}))),
        (400, "organization_membership_not_found".to_owned())
    );
    assert_eq!(
        refusal(choice.select(json!({"organization_id": "org_none"}))),
        (400, "organization_not_found".to_owned())
    );
    choice.select(json!({})).unwrap();
}

#[test]
fn a_token_expires() {
    let choice = choice();
    choice.fixture.advance(599);
    let other = self::choice();
    other.fixture.advance(600);
    choice.select(json!({})).unwrap();
    assert_eq!(refusal(other.select(json!({}))), invalid_token());
}

#[test]
fn a_token_is_for_its_client_which_has_a_secret() {
    let choice = choice();
    assert_eq!(
        refusal(choice.select(json!({"client_id": "client_other"}))),
        invalid_token()
    );
    assert_eq!(
        refusal(choice.select(json!({"client_secret": null}))),
        (422, "invalid_request_parameters".to_owned())
    );
    assert_eq!(
        refusal(choice.select(json!({"pending_authentication_token": "x"}))),
        invalid_token()
    );
    choice.select(json!({})).unwrap();
}

#[test]
fn tokens_that_nobody_continues_do_not_pile_up() {
    let choice = choice();
    for _ in 0..3 {
        choice.fixture.with_password(PASSWORD).unwrap_err();
    }
    assert_eq!(
        choice.fixture.environment.state().pending_authentications.len(),
        4
    );
    choice.fixture.advance(600);
    choice.fixture.with_password(PASSWORD).unwrap_err();
    assert_eq!(
        choice.fixture.environment.state().pending_authentications.len(),
        1
    );
}

/// Whoever signs in again and again, and never chooses, does not fill the memory: not even under a frozen clock.
#[test]
fn only_so_many_sign_ins_wait() {
    let choice = choice();
    let environment = &choice.fixture.environment;
    let client = Client::new(&environment.state(), "http://auth.test", CLIENT_ID);
    environment
        .transact(|tx| {
            (0..MOST_EXPIRING).try_for_each(|_| {
                let method = AuthenticationMethod::Password;
                let sign_in = SignIn::new(&choice.fixture.user_id, method, Device::default());
                pending::begin(tx, &client, sign_in).map(drop)
            })
        })
        .unwrap();
    assert_eq!(environment.state().pending_authentications.len(), MOST_EXPIRING);
    assert_eq!(refusal(choice.select(json!({}))), invalid_token());
    let newest = choice.fixture.with_password(PASSWORD).unwrap_err();
    let token = &newest.body["pending_authentication_token"];
    choice
        .select(json!({"pending_authentication_token": token}))
        .unwrap();
}
