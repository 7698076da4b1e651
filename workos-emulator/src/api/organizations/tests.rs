use serde_json::json;

use super::*;
use crate::environment::Environment;

fn named(name: &str) -> CreateOrganization {
    CreateOrganization {
        name: name.to_owned(),
        ..CreateOrganization::default()
    }
}

fn with_domain(name: &str, domain: &str, state: &str) -> CreateOrganization {
    let domain_data = json!([{"domain": domain, "state": state}]);
    CreateOrganization {
        domain_data: serde_json::from_value(domain_data).unwrap(),
        ..named(name)
    }
}

fn create_in(environment: &Environment, new: CreateOrganization) -> Result<Arc<Organization>, ApiError> {
    environment.transact(|tx| create(tx, new))
}

fn update_in(environment: &Environment, id: &str, changes: Value) -> Result<Arc<Organization>, ApiError> {
    let changes = serde_json::from_value(changes).unwrap();
    environment.transact(|tx| update(tx, id, changes))
}

fn event_names(environment: &Environment) -> Vec<String> {
    environment
        .state()
        .events
        .iter()
        .map(|event| event.event.clone())
        .collect()
}

#[test]
fn a_new_organization_is_shown_with_its_domains() {
    let environment = Environment::for_tests();
    let organization = create_in(
        &environment,
        CreateOrganization {
            metadata: json!({"tier": "gold"}).as_object().cloned(),
            external_id: Some("ext".to_owned()),
            ..with_domain("Foo Corp", " Foo-Corp.com", "pending")
        },
    )
    .unwrap();
    let shown = serde_json::to_value(&organization).unwrap();
    let domain = &organization.domains[0];
    assert_eq!(
        shown,
        json!({
            "object": "organization", "id": organization.id, "name": "Foo Corp",
            "allow_profiles_outside_organization": false,
            "domains": [{
                "object": "organization_domain", "id": domain.id, "organization_id": organization.id,
                "domain": "foo-corp.com", "state": "pending", "verification_strategy": "dns",
                "verification_prefix": domain.verification_prefix, "verification_token": domain.verification_token,
                "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
            }],
            "metadata": {"tier": "gold"}, "external_id": "ext",
            "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    assert_eq!(domain.verification_token.len(), 25);
    assert_eq!(
        event_names(&environment),
        ["organization.created", "organization_domain.created"]
    );
    let state = environment.state();
    let events: Vec<_> = state
        .events
        .iter()
        .map(|event| event.organization_id.as_deref())
        .collect();
    assert_eq!(events, [Some(organization.id.as_str()); 2]);
}

#[test]
fn a_refused_organization_leaves_nothing() {
    let environment = Environment::for_tests();
    create_in(
        &environment,
        CreateOrganization {
            external_id: Some("1".to_owned()),
            ..named("A")
        },
    )
    .unwrap();
    for (new, status, code) in [
        (named(" "), 422, Some("invalid_request_parameters")),
        (named(&"x".repeat(256)), 422, Some("invalid_request_parameters")),
        (
            CreateOrganization {
                external_id: Some("1".to_owned()),
                ..named("B")
            },
            400,
            Some("external_id_already_used"),
        ),
        (
            CreateOrganization {
                metadata: json!({"k": 1}).as_object().cloned(),
                ..named("B")
            },
            400,
            Some("invalid_metadata"),
        ),
        (
            with_domain("B", "no domain", "pending"),
            422,
            Some("invalid_request_parameters"),
        ),
        (
            with_domain("B", "GMail.com", "pending"),
            422,
            Some("invalid_request_parameters"),
        ),
    ] {
        let refused = create_in(&environment, new).unwrap_err();
        assert_eq!((refused.status, refused.code()), (status, code), "{refused}");
    }
    assert_eq!(environment.state().sequence, 1);
    create_in(&environment, named("A")).expect("names need not be unique");
}

#[test]
fn a_domain_is_verified_for_one_organization() {
    let environment = Environment::for_tests();
    let first = create_in(&environment, with_domain("A", "a.example", "verified")).unwrap();
    let refused = create_in(&environment, with_domain("B", "a.example", "verified")).unwrap_err();
    assert_eq!((refused.status, refused.code()), (409, None));
    let second = create_in(&environment, with_domain("B", "a.example", "pending")).unwrap();
    let verified = json!({"domain_data": [{"domain": "a.example", "state": "verified"}]});
    assert_eq!(
        update_in(&environment, &second.id, verified.clone())
            .unwrap_err()
            .status,
        409
    );
    update_in(&environment, &first.id, verified.clone()).expect("it is its own");
    update_in(&environment, &first.id, json!({"domains": []})).unwrap();
    let second = update_in(&environment, &second.id, verified).unwrap();
    assert_eq!(second.domains[0].state, DomainState::Verified);
}

#[test]
fn an_update_keeps_what_it_leaves_out_and_replaces_domains() {
    let environment = Environment::for_tests();
    let before = create_in(&environment, with_domain("A", "a.example", "pending")).unwrap();
    let after = update_in(
        &environment,
        &before.id,
        json!({
            "domain_data": [{"domain": "A.example", "state": "verified"}, {"domain": "b.example", "state": "pending"}],
            "stripe_customer_id": "cus_1", "external_id": "e", "metadata": {"k": "v"},
        }),
    )
    .unwrap();
    assert_eq!(
        (after.name.as_str(), after.external_id.as_deref()),
        ("A", Some("e"))
    );
    assert_eq!(after.stripe_customer_id.as_deref(), Some("cus_1"));
    assert_eq!(after.domains[0].id, before.domains[0].id);
    assert_eq!(after.domains[0].state, DomainState::Verified);
    let last = update_in(
        &environment,
        &before.id,
        json!({"domains": ["b.example"], "external_id": null}),
    )
    .unwrap();
    assert_eq!((last.domains.len(), last.external_id.as_deref()), (1, None));
    assert_eq!(last.metadata, after.metadata);
    assert_eq!(
        event_names(&environment)[2..],
        [
            "organization.updated",
            "organization_domain.updated",
            "organization_domain.verified",
            "organization_domain.created",
            "organization.updated",
            "organization_domain.updated",
            "organization_domain.verified",
            "organization_domain.deleted",
        ]
    );
}

#[test]
fn a_refused_update_changes_nothing() {
    let environment = Environment::for_tests();
    let other = create_in(&environment, named("A")).unwrap();
    update_in(
        &environment,
        &other.id,
        json!({"external_id": "1", "stripe_customer_id": "cus_1"}),
    )
    .unwrap();
    let organization = create_in(&environment, named("B")).unwrap();
    for (changes, status, code) in [
        (json!({"name": ""}), 422, "invalid_request_parameters"),
        (
            json!({"name": "C", "external_id": "1"}),
            400,
            "external_id_already_used",
        ),
        (
            json!({"name": "C", "stripe_customer_id": "cus_1"}),
            400,
            "stripe_customer_id_already_used",
        ),
        (
            json!({"name": "C", "stripe_customer_id": ""}),
            422,
            "invalid_request_parameters",
        ),
        (
            json!({"name": "C", "metadata": {"": "x"}}),
            400,
            "invalid_metadata",
        ),
    ] {
        let refused = update_in(&environment, &organization.id, changes).unwrap_err();
        assert_eq!((refused.status, refused.code()), (status, Some(code)));
    }
    assert_eq!(
        environment.state().organizations.get(&organization.id),
        Some(&organization)
    );
    assert_eq!(
        update_in(&environment, "org_x", json!({})).unwrap_err().status,
        404
    );
}

#[test]
fn lists_by_domain_and_by_part_of_the_name() {
    let environment = Environment::for_tests();
    create_in(&environment, with_domain("Acme", "acme.example", "verified")).unwrap();
    create_in(&environment, with_domain("Acme Labs", "labs.example", "pending")).unwrap();
    create_in(&environment, with_domain("Globex", "acme.example", "pending")).unwrap();
    let listed = |domains: &[&str], search: &str| {
        let domains: Vec<_> = domains.iter().map(|domain| (*domain).to_owned()).collect();
        let list = list(&environment.state(), &domains, search, &Page::default()).unwrap();
        list.data
            .iter()
            .map(|organization| organization.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&[], ""), ["Globex", "Acme Labs", "Acme"]);
    assert_eq!(listed(&["acme.example"], ""), ["Globex", "Acme"]);
    assert_eq!(
        listed(&["labs.example", "acme.example"], "ACME"),
        ["Acme Labs", "Acme"]
    );
    assert_eq!(listed(&[], "example"), [] as [&str; 0]);
}

#[test]
fn a_deleted_organization_takes_its_domains_along() {
    let environment = Environment::for_tests();
    let organization = create_in(&environment, with_domain("A", "a.example", "verified")).unwrap();
    environment.transact(|tx| delete(tx, &organization.id)).unwrap();
    assert_eq!(
        event_names(&environment)[2..],
        ["organization_domain.deleted", "organization.deleted"]
    );
    assert_eq!(environment.state().organizations.len(), 0);
    assert_eq!(
        environment
            .transact(|tx| delete(tx, &organization.id))
            .unwrap_err()
            .status,
        404
    );
    create_in(&environment, with_domain("B", "a.example", "verified")).expect("the domain is free again");
}
