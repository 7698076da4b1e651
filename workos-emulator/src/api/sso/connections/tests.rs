use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::{
    api::{
        organizations::{self, CreateOrganization},
        user_management::organization_policies,
    },
    environment::Environment,
};

fn environment() -> (Arc<Environment>, String) {
    let environment = Arc::new(Environment::for_tests());
    let new = CreateOrganization {
        name: "Acme".to_owned(),
        ..CreateOrganization::default()
    };
    let organization = environment.transact(|tx| organizations::create(tx, new)).unwrap();
    (environment, organization.id.clone())
}

fn okta(organization_id: &str, state: ConnectionState) -> NewConnection {
    NewConnection {
        state,
        ..NewConnection::active(Some(organization_id.to_owned()), "OktaSAML")
    }
}

fn change(environment: &Environment, id: &str, changes: ConnectionChanges) -> ConnectionState {
    environment.transact(|tx| update(tx, id, changes)).unwrap().state
}

fn to(state: ConnectionState) -> ConnectionChanges {
    ConnectionChanges {
        state: Some(state),
        ..ConnectionChanges::default()
    }
}

/// The events about connections, with their data.
fn events(environment: &Environment) -> Vec<(String, Value)> {
    let state = environment.state();
    let events = state
        .events
        .iter()
        .filter(|event| event.event.starts_with("connection."));
    events
        .map(|event| {
            let body = serde_json::to_value(event.body()).unwrap();
            (event.event.clone(), body["data"].clone())
        })
        .collect()
}

fn is_sso_alone(environment: &Environment, organization_id: &str) -> bool {
    organization_policies::of(&environment.state(), organization_id)
        .domain_policy
        .is_some()
}

#[test]
fn a_connection_gets_its_type_its_configuration_and_its_first_sign_in() {
    let (environment, organization_id) = environment();
    let new = NewConnection {
        name: Some("Acme".to_owned()),
        ..NewConnection::active(Some(organization_id.clone()), connection_type::PENDING)
    };
    let connection = environment.transact(|tx| create(tx, new)).unwrap();
    assert_eq!(connection.state, ConnectionState::RequiresType);

    let typed = ConnectionChanges {
        connection_type: Some("OktaSAML".to_owned()),
        ..ConnectionChanges::default()
    };
    assert_eq!(
        change(&environment, &connection.id, typed),
        ConnectionState::Draft
    );
    let configured = ConnectionChanges {
        options: Some(ProtocolOptions::Saml(options::SamlOptions::default())),
        ..ConnectionChanges::default()
    };
    assert_eq!(
        change(&environment, &connection.id, configured),
        ConnectionState::Validating
    );
    assert_eq!(events(&environment), []);
    assert!(!is_sso_alone(&environment, &organization_id));

    let validating = Arc::clone(find(&environment.state(), &connection.id).unwrap());
    environment.transact(|tx| activate(tx, &validating)).unwrap();
    let told = events(&environment);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "connection.activated");
    assert_eq!(told[0].1["id"], connection.id);
    assert_eq!(told[0].1["state"], "active");
    assert_eq!(told[0].1["external_key"], connection.external_key);
    assert!(is_sso_alone(&environment, &organization_id));
}

#[test]
fn only_a_change_between_active_and_not_active_is_told() {
    let (environment, organization_id) = environment();
    let new = okta(&organization_id, ConnectionState::Draft);
    let id = environment.transact(|tx| create(tx, new)).unwrap().id.clone();
    for state in [
        ConnectionState::Validating,
        ConnectionState::Active,
        ConnectionState::Active,
        ConnectionState::Inactive,
        ConnectionState::Draft,
    ] {
        assert_eq!(change(&environment, &id, to(state)), state);
    }
    environment.transact(|tx| rules::delete(tx, &id)).unwrap();
    let told: Vec<_> = events(&environment).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        told,
        [
            "connection.activated",
            "connection.deactivated",
            "connection.deleted"
        ]
    );
    assert!(find(&environment.state(), &id).is_err());
}

#[test]
fn single_sign_on_is_the_only_way_in_until_the_last_connection_goes() {
    let (environment, organization_id) = environment();
    let add = || {
        let new = okta(&organization_id, ConnectionState::Active);
        environment.transact(|tx| create(tx, new)).unwrap().id.clone()
    };
    let ids = [add(), add()];
    assert!(is_sso_alone(&environment, &organization_id));
    environment.transact(|tx| rules::delete(tx, &ids[0])).unwrap();
    assert!(is_sso_alone(&environment, &organization_id));
    environment.transact(|tx| rules::delete(tx, &ids[1])).unwrap();
    assert!(!is_sso_alone(&environment, &organization_id));
}

#[test]
fn what_cannot_be_a_connection_is_refused_and_leaves_nothing() {
    let (environment, organization_id) = environment();
    let good = okta(&organization_id, ConnectionState::Active);
    let bad = [
        NewConnection {
            connection_type: "NoSuchSAML".to_owned(),
            ..good.clone()
        },
        NewConnection {
            organization_id: None,
            ..good.clone()
        },
        NewConnection {
            organization_id: Some("org_nobody".to_owned()),
            ..good.clone()
        },
        NewConnection {
            name: Some(" ".to_owned()),
            ..good.clone()
        },
        NewConnection {
            group_roles: vec![GroupRole {
                group: "Engineering".to_owned(),
                role: "no-such-role".to_owned(),
            }],
            ..good
        },
    ];
    for new in bad {
        environment.transact(|tx| create(tx, new)).unwrap_err();
    }
    assert_eq!(events(&environment), []);
    assert!(
        of_organization(&environment.state(), &organization_id)
            .next()
            .is_none()
    );
}
