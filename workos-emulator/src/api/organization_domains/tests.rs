use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{api::organizations::CreateOrganization, control, environment::Environment, timers};

fn environment(domain_verification: &str) -> Arc<Environment> {
    let environment = Arc::new(Environment::for_tests());
    let setting = json!({"domain_verification": domain_verification});
    environment
        .transact(|tx| control::settings::change(tx, &setting))
        .unwrap()
        .unwrap();
    environment
}

fn organization(environment: &Environment) -> String {
    let new = CreateOrganization {
        name: "Acme".to_owned(),
        ..CreateOrganization::default()
    };
    environment
        .transact(|tx| organizations::create(tx, new))
        .unwrap()
        .id
        .clone()
}

fn add(environment: &Environment, organization_id: &str, domain: &str) -> OrganizationDomain {
    environment
        .transact(|tx| create(tx, organization_id, domain))
        .unwrap()
}

fn state_of(environment: &Environment, id: &str) -> DomainState {
    find(&environment.state(), id).unwrap().state
}

/// The events about domains, with their data.
fn events(environment: &Environment) -> Vec<(String, Value)> {
    let state = environment.state();
    let events = state
        .events
        .iter()
        .filter(|event| event.event.starts_with("organization_domain."));
    events
        .map(|event| {
            let body = serde_json::to_value(event.body()).unwrap();
            (event.event.clone(), body["data"].clone())
        })
        .collect()
}

fn names(environment: &Environment) -> Vec<String> {
    events(environment).into_iter().map(|(name, _)| name).collect()
}

fn days(environment: &Environment, days: u64) {
    environment.clock.advance(Duration::from_secs(days * 24 * 3600));
    assert!(timers::run_due(environment));
}

#[test]
fn the_first_check_finds_the_record_where_the_dns_is_obliging() {
    let environment = environment("auto");
    let acme = organization(&environment);
    let domain = add(&environment, &acme, " Acme.Example. ");
    assert_eq!(
        (domain.domain.as_str(), domain.state, domain.verification_strategy),
        ("acme.example", DomainState::Pending, VerificationStrategy::Dns)
    );
    let verified = environment.transact(|tx| verify(tx, &domain.id)).unwrap();
    assert_eq!(
        (verified.state, verified.verification_strategy),
        (DomainState::Verified, VerificationStrategy::Dns)
    );
    assert_eq!(
        names(&environment),
        [
            "organization_domain.created",
            "organization_domain.updated",
            "organization_domain.verified"
        ]
    );
    assert_eq!(
        events(&environment).last().unwrap().1,
        serde_json::to_value(&verified).unwrap()
    );
    let again = environment.transact(|tx| verify(tx, &domain.id)).unwrap_err();
    assert_eq!(
        (again.status, again.code()),
        (400, Some("domain_already_verified"))
    );
}

#[test]
fn only_the_very_record_verifies() {
    let environment = environment("manual");
    let acme = organization(&environment);
    let domain = add(&environment, &acme, "acme.example");
    let publish = |txt: &[&str]| {
        let txt = txt.iter().map(|value| (*value).to_owned()).collect();
        environment
            .transact(|tx| {
                dns::publish(tx, "acme.example", txt)?;
                check(tx, &domain.id)
            })
            .unwrap()
            .state
    };
    let waiting = environment.transact(|tx| verify(tx, &domain.id)).unwrap();
    assert_eq!(waiting.state, DomainState::Pending);
    let other_token = format!("{}=x{}", domain.verification_prefix, domain.verification_token);
    assert_eq!(publish(&[&other_token, "v=spf1 -all", ""]), DomainState::Pending);
    assert_eq!(
        publish(&["v=spf1 -all", &domain.txt_value()]),
        DomainState::Verified
    );
}

#[test]
fn a_domain_fails_after_thirty_days_and_can_start_once_more() {
    let environment = environment("manual");
    let acme = organization(&environment);
    let domain = add(&environment, &acme, "acme.example");
    days(&environment, 1);
    let later = add(&environment, &acme, "later.example");
    days(&environment, 28);
    assert_eq!(state_of(&environment, &domain.id), DomainState::Pending);
    days(&environment, 1);
    assert_eq!(state_of(&environment, &domain.id), DomainState::Failed);
    assert_eq!(state_of(&environment, &later.id), DomainState::Pending);
    let (name, data) = events(&environment).pop().unwrap();
    assert_eq!(name, "organization_domain.verification_failed");
    assert_eq!(data["reason"], "domain_verification_period_expired");
    assert_eq!(data["organization_domain"]["id"], domain.id);
    assert_eq!(data["organization_domain"]["state"], "failed");
    // It fails once, and its wait begins anew.
    days(&environment, 40);
    let failures = |id: &str| {
        let events = events(&environment);
        let failed = |(name, data): &&(String, Value)| {
            name.ends_with("verification_failed") && data["organization_domain"]["id"] == id
        };
        events.iter().filter(failed).count()
    };
    assert_eq!((failures(&domain.id), failures(&later.id)), (1, 1));
    environment.transact(|tx| verify(tx, &domain.id)).unwrap();
    days(&environment, 29);
    assert_eq!(state_of(&environment, &domain.id), DomainState::Pending);
    days(&environment, 1);
    assert_eq!(state_of(&environment, &domain.id), DomainState::Failed);
    assert_eq!(failures(&domain.id), 2);
}

#[test]
fn a_domain_is_verified_for_one_organization() {
    let environment = environment("auto");
    let [acme, other] = [(); 2].map(|()| organization(&environment));
    let first = add(&environment, &acme, "acme.example");
    let second = add(&environment, &other, "acme.example");
    environment.transact(|tx| verify(tx, &first.id)).unwrap();
    assert_eq!(state_of(&environment, &second.id), DomainState::Failed);
    let (name, data) = events(&environment).pop().unwrap();
    assert_eq!(name, "organization_domain.verification_failed");
    assert_eq!(data["reason"], "domain_verified_by_other_organization");
    assert_eq!(data["organization_domain"]["organization_id"], other);
    // And whoever tries again fails again, until the domain is given up.
    let tried = environment.transact(|tx| verify(tx, &second.id)).unwrap();
    assert_eq!(tried.state, DomainState::Failed);
    environment.transact(|tx| delete(tx, &first.id)).unwrap();
    let tried = environment.transact(|tx| verify(tx, &second.id)).unwrap();
    assert_eq!(tried.state, DomainState::Verified);
}

#[test]
fn refuses_what_is_no_domain_or_there_already() {
    let environment = environment("auto");
    let acme = organization(&environment);
    add(&environment, &acme, "acme.example");
    for (domain, refusal) in [
        ("acme.example", (409, "domain_already_exists")),
        ("ACME.example", (409, "domain_already_exists")),
        ("gmail.com", (422, "invalid_request_parameters")),
        ("acme", (422, "invalid_request_parameters")),
        ("https://acme.example", (422, "invalid_request_parameters")),
        ("", (422, "invalid_request_parameters")),
    ] {
        let refused = environment.transact(|tx| create(tx, &acme, domain)).unwrap_err();
        assert_eq!((refused.status, refused.code().unwrap()), refusal, "{domain}");
    }
    let unknown = environment
        .transact(|tx| create(tx, "org_x", "a.example"))
        .unwrap_err();
    assert_eq!(unknown.status, 404);
    assert_eq!(names(&environment), ["organization_domain.created"]);
}
