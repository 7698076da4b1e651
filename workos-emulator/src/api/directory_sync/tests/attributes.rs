//! Custom attributes: mapped, unmapped, turned on and off.

use super::{super::users, *};
use crate::control::settings;

impl Provider {
    fn configure(&self, directory_sync: &Value) {
        let changes = json!({"directory_sync": directory_sync});
        let changed = self
            .fixture
            .environment
            .transact(|tx| settings::change(tx, &changes));
        changed.unwrap().unwrap();
    }
}

const ENTERPRISE: &str = super::super::custom_attributes::ENTERPRISE;

#[test]
fn predefined_and_own_attributes_are_mapped_and_unmapped_is_null() {
    let provider = Provider::new();
    provider.configure(&json!({
        "predefined_attributes": ["addresses", "cost_center_name", "department_name", "division_name", "emails",
            "employee_number", "employee_type", "employment_start_date", "job_title", "manager_email",
            "organization", "username"],
        "custom_attributes": {
            "license": format!("{ENTERPRISE}:license.tier"), "given": "name.givenName", "first_phone": "phoneNumbers.0.value",
            "nothing": "no.such.path",
        },
    }));
    let mut attributes = scim("grace@acme.example");
    attributes.extend(object(json!({
        "title": "Engineer", "userType": "Full Time", "startDate": "2021-06-27",
        "phoneNumbers": [{"value": "+1"}],
        "addresses": [{"type": "work", "streetAddress": "101 St", "locality": "Brooklyn", "primary": true}],
    })));
    attributes.insert(
        ENTERPRISE.to_owned(),
        json!({"department": "R&D", "division": "D", "costCenter": "IT", "organization": "Acme",
            "employeeNumber": "E-1", "manager": {"value": "boss@acme.example"}, "license": {"tier": "gold"}}),
    );
    let id = provider.push(attributes).unwrap().id.clone();
    assert_eq!(
        provider.shown(&id)["custom_attributes"],
        json!({
            "addresses": [{"type": "work", "street_address": "101 St", "locality": "Brooklyn", "region": null,
                "postal_code": null, "country": null, "raw_address": "101 St, Brooklyn", "primary": true}],
            "cost_center_name": "IT", "department_name": "R&D", "division_name": "D",
            "emails": [{"primary": true, "type": "work", "value": "grace@acme.example"}],
            "employee_number": "E-1", "employee_type": "Full Time", "employment_start_date": "2021-06-27",
            "job_title": "Engineer", "manager_email": "boss@acme.example", "organization": "Acme",
            "username": "grace@acme.example",
            "license": "gold", "given": "Grace", "first_phone": "+1", "nothing": null,
        })
    );
    let bare = provider.user("bare@acme.example");
    assert_eq!(
        provider.shown(&bare)["custom_attributes"]["department_name"],
        Value::Null
    );
}

#[test]
fn turning_one_on_or_off_tells_of_the_users_whom_it_changes() {
    let provider = Provider::new();
    let id = provider
        .push(with(scim("grace@acme.example"), "title", json!("Engineer")))
        .unwrap()
        .id
        .clone();
    provider.user("bare@acme.example");
    let seen = provider.seen();
    provider.configure(&json!({"predefined_attributes": ["job_title"]}));
    provider.configure(&json!({"inactive_users": "keep"}));
    assert_eq!(
        provider.names(seen),
        ["dsync.user.updated"],
        "null is no different from nothing"
    );
    let (_, data) = provider.events(seen).remove(0);
    assert_eq!(data["id"], json!(id));
    assert_eq!(data["custom_attributes"], json!({"job_title": "Engineer"}));
    assert_eq!(
        data["previous_attributes"],
        json!({"custom_attributes": {"job_title": null}})
    );
    provider.configure(&json!({"predefined_attributes": []}));
    let (_, data) = provider.events(seen + 1).remove(0);
    assert_eq!(
        data["previous_attributes"],
        json!({"custom_attributes": {"job_title": "Engineer"}})
    );
    assert_eq!(
        users::find(&provider.fixture.environment.state(), &id)
            .unwrap()
            .version,
        3
    );
}

#[test]
fn given_attributes_go_before_mapped_ones() {
    let provider = Provider::new();
    provider.configure(&json!({"predefined_attributes": ["job_title"]}));
    let person = Person {
        email: "grace@acme.example".to_owned(),
        job_title: Some("Engineer".to_owned()),
        custom_attributes: object(json!({"job_title": "Admiral", "badge": 7})),
        ..Person::default()
    };
    let user = provider
        .run(|tx| plain::add_person(tx, &provider.directory, person))
        .unwrap();
    let shown = provider.shown(&user.id);
    assert_eq!(
        shown["custom_attributes"],
        json!({"job_title": "Admiral", "badge": 7})
    );
    assert_eq!(shown["job_title"], "Engineer");
}
