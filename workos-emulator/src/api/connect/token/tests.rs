use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::fixture::{CALLBACK, Connect};
use crate::{
    api::{
        organizations,
        user_management::{memberships, users},
    },
    server::{call::Call, error::ApiError, reply::Reply},
    store::State,
};

/// What hangs in the air: rows of Connect whose application, user, organization or consent is gone.
fn dangling(state: &State) -> Vec<String> {
    let mut found = Vec::new();
    let applications: HashSet<_> = state.connect_applications.iter().map(|row| &row.id).collect();
    for application in state.connect_applications.iter() {
        let owner = application.organization_id();
        if owner.is_some_and(|id| state.organizations.get(id).is_none()) {
            found.push(format!("{} of no organization", application.id));
        }
    }
    for consent in state.connect_consents.iter() {
        let organization = consent.organization_id.as_deref();
        let fits = applications.contains(&consent.application_id)
            && state.users.get(&consent.user_id).is_some()
            && organization.is_none_or(|id| state.organizations.get(id).is_some());
        if !fits {
            found.push(consent.id.clone());
        }
    }
    for grant in state.connect_grants.iter() {
        if state.connect_consents.get(&grant.consent_id).is_none() {
            found.push(format!("a grant of {}", grant.consent_id));
        }
    }
    found
}

#[test]
fn whatever_is_deleted_nothing_is_left_that_hangs_from_it() {
    type Operation = fn(&Call) -> Result<Reply, ApiError>;
    let deletions: [(&str, Operation); 4] = [
        ("user", users::delete_user),
        ("organization", organizations::delete_organization),
        ("membership", memberships::delete_organization_membership),
        ("application", super::super::applications::delete_application),
    ];
    for (what, delete) in deletions {
        let connect = Connect::new();
        let tokens = connect.tokens();
        let environment = &connect.fixture.environment;
        let state = environment.state();
        assert_eq!((state.connect_consents.len(), state.connect_grants.len()), (1, 1));
        let membership = state.organization_memberships.iter().next().unwrap().id.clone();
        let id = match what {
            "user" => &connect.fixture.user_id,
            "organization" => &connect.organization_id,
            "membership" => &membership,
            _ => connect.application["id"].as_str().unwrap(),
        };
        let before = connect.fixture.events("").len();
        delete(&Call::for_tests(environment, &[("id", id)], "", json!({}))).unwrap();
        let state = environment.state();
        assert_eq!(
            (state.connect_consents.len(), state.connect_grants.len()),
            (0, 0),
            "{what}"
        );
        assert_eq!(dangling(&state), Vec::<String>::new(), "{what}");
        assert!(state.is_consistent());
        let events = &connect.fixture.events("")[before..];
        assert!(
            events.iter().all(|(name, _)| !name.contains("connect")),
            "production's catalogue has none: {events:?}"
        );
        let refresh = json!({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]});
        assert!(connect.token(refresh).is_err(), "{what}");
    }
}

#[test]
fn secrets_codes_and_tokens_are_kept_as_digests() {
    let connect = Connect::new();
    let code = connect.code();
    let tokens = connect.tokens();
    let dump = connect.fixture.environment.state().dump().to_string();
    for secret in [
        connect.secret.as_str(),
        &code,
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    ] {
        assert!(!dump.contains(secret), "{secret}");
    }
}

#[test]
fn access_tokens_that_are_over_are_not_remembered() {
    let connect = Connect::new();
    let mut token = connect.tokens()["refresh_token"].clone();
    for _ in 0..5 {
        connect.fixture.advance(200);
        let refresh = json!({"grant_type": "refresh_token", "refresh_token": token});
        token = connect.token(refresh).unwrap()["refresh_token"].clone();
    }
    let state = connect.fixture.environment.state();
    let grant = state.connect_grants.iter().next().unwrap();
    assert_eq!(grant.issued.len(), 2, "of 300 seconds");
}

/// A refused exchange uses the code up and nothing else; a second one of the same code ends what the first has made.
#[test]
fn a_code_that_was_refused_is_used_up() {
    let connect = Connect::new();
    let code = connect.code();
    let exchange = |redirect_uri: &str| {
        let form = json!({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri});
        connect.token(form)
    };
    for uri in ["https://reports.example/other", CALLBACK] {
        let refused = exchange(uri).unwrap_err();
        assert_eq!((refused.status, refused.code()), (400, Some("invalid_grant")));
    }
    let state = connect.fixture.environment.state();
    assert_eq!(state.connect_grants.len(), 0);
    assert_eq!(state.revoked_connect_tokens.len(), 0);
}

#[test]
fn a_withdrawn_consent_is_told() {
    let connect = Connect::new();
    let code = connect.code();
    let environment = &connect.fixture.environment;
    let membership = environment
        .state()
        .organization_memberships
        .iter()
        .next()
        .unwrap()
        .id
        .clone();
    connect.fixture.deactivate(&membership);
    let form: Value = json!({"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK});
    let refused = connect.token(form).unwrap_err();
    assert_eq!(refused.description(), "The user has withdrawn the authorization.");
}
