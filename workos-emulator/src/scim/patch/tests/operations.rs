//! Operations that do what the RFC says.

use super::*;

#[test]
fn add_sets_merges_and_appends() {
    gives(
        &json!({"op": "add", "path": "title", "value": "Countess"}),
        &json!({"title": "Countess"}),
    );
    gives(
        &json!({"op": "add", "path": "userName", "value": "countess"}),
        &json!({"userName": "countess"}),
    );
    gives(
        &json!({"op": "add", "path": "name", "value": {"middleName": "King"}}),
        &json!({"name": {"givenName": "Ada", "familyName": "Lovelace", "middleName": "King"}}),
    );
    gives(
        &json!({"op": "add", "path": "name.middleName", "value": "King"}),
        &json!({"name": {"givenName": "Ada", "familyName": "Lovelace", "middleName": "King"}}),
    );
    gives(
        &json!({"op": "add", "path": "phoneNumbers", "value": [{"value": "1"}]}),
        &json!({"phoneNumbers": [{"value": "1"}]}),
    );
    // What is there already is not added again.
    gives(
        &json!({"op": "add", "path": "emails", "value": [{"value": "ada@home.example", "type": "home"}]}),
        &json!({}),
    );
    gives(
        &json!({"op": "add", "value": {"title": "Countess", "name": {"givenName": "A"}}}),
        &json!({"title": "Countess", "name": {"givenName": "A", "familyName": "Lovelace"}}),
    );
}

#[test]
fn a_new_primary_value_takes_the_place_of_the_old() {
    let old = json!({"value": "ada@work.example", "type": "work", "primary": false});
    let home = json!({"value": "ada@home.example", "type": "home"});
    gives(
        &json!({"op": "add", "path": "emails", "value": [{"value": "new@a", "primary": true}]}),
        &json!({"emails": [old, home, {"value": "new@a", "primary": true}]}),
    );
    let home = json!({"value": "ada@home.example", "type": "home", "primary": true});
    for op in ["add", "replace"] {
        gives(
            &json!({"op": op, "path": "emails[type eq \"home\"].primary", "value": true}),
            &json!({"emails": [old, home]}),
        );
    }
}

#[test]
fn replace_puts_values_in_the_place_of_others() {
    gives(
        &json!({"op": "replace", "path": "emails", "value": [{"value": "new@a"}]}),
        &json!({"emails": [{"value": "new@a"}]}),
    );
    gives(
        &json!({"op": "replace", "path": "name", "value": {"givenName": "A"}}),
        &json!({"name": {"givenName": "A", "familyName": "Lovelace"}}),
    );
    gives(
        &json!({"op": "replace", "path": "NAME.GIVENNAME", "value": "A"}),
        &json!({
            "name": {"givenName": "A", "familyName": "Lovelace"},
        }),
    );
    gives(
        &json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@b"}),
        &json!({"emails": [
            {"value": "a@b", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"},
        ]}),
    );
    gives(
        &json!({"op": "replace", "path": "emails[value sw \"ada@work\"]", "value": {"value": "a@b"}}),
        &json!({"emails": [{"value": "a@b"}, {"value": "ada@home.example", "type": "home"}]}),
    );
    gives(
        &json!({"op": "replace", "value": {"active": false}}),
        &json!({"active": false}),
    );
    gives(
        &json!({"op": "replace", "path": "emails", "value": []}),
        &json!({"emails": null}),
    );
    gives(
        &json!({"op": "replace", "path": "name", "value": null}),
        &json!({"name": null}),
    );
}

#[test]
fn remove_takes_away() {
    gives(
        &json!({"op": "remove", "path": "emails"}),
        &json!({"emails": null}),
    );
    gives(
        &json!({"op": "remove", "path": "name.givenName"}),
        &json!({"name": {"familyName": "Lovelace"}}),
    );
    gives(
        &json!({"op": "remove", "path": "emails[type eq \"work\"]"}),
        &json!({"emails": [{"value": "ada@home.example", "type": "home"}]}),
    );
    gives(
        &json!({"op": "remove", "path": "emails[primary eq true].primary"}),
        &json!({"emails": [
            {"value": "ada@work.example", "type": "work"},
            {"value": "ada@home.example", "type": "home"},
        ]}),
    );
    gives(
        &json!({"op": "remove", "path": "emails[value co \"@\"]"}),
        &json!({"emails": null}),
    );
    gives(&json!({"op": "remove", "path": "nickName"}), &json!({}));
}

#[test]
fn extensions_are_named_by_their_uri() {
    let path = |attribute: &str| format!("{ENTERPRISE}:{attribute}");
    gives(
        &json!({"op": "replace", "path": path("department"), "value": "Looms"}),
        &json!({ENTERPRISE: {"department": "Looms", "costCenter": "4130"}}),
    );
    gives(
        &json!({"op": "add", "path": path("manager"), "value": {"value": "boss"}}),
        &json!({ENTERPRISE: {"department": "Engines", "costCenter": "4130", "manager": {"value": "boss"}}}),
    );
    gives(
        &json!({"op": "add", "path": path("manager.value"), "value": "boss"}),
        &json!({ENTERPRISE: {"department": "Engines", "costCenter": "4130", "manager": {"value": "boss"}}}),
    );
    gives(
        &json!({"op": "add", "value": {ENTERPRISE.to_uppercase(): {"division": "A"}}}),
        &json!({ENTERPRISE: {"department": "Engines", "costCenter": "4130", "division": "A"}}),
    );
    gives(
        &json!({"op": "replace", "path": ENTERPRISE, "value": {"costCenter": "1"}}),
        &json!({ENTERPRISE: {"department": "Engines", "costCenter": "1"}}),
    );
    gives(
        &json!({"op": "remove", "path": ENTERPRISE}),
        &json!({ENTERPRISE: null}),
    );
    gives(
        &json!({"op": "remove", "path": path("department")}),
        &json!({ENTERPRISE: {"costCenter": "4130"}}),
    );
}

#[test]
fn operations_follow_each_other() {
    let operations = json!([
        {"op": "remove", "path": "emails[type eq \"home\"]"},
        {"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@a"},
        {"op": "replace", "path": "emails[type eq \"other\"].value", "value": "p@a"},
        {"op": "remove", "path": format!("{ENTERPRISE}:department")},
        {"op": "remove", "path": format!("{ENTERPRISE}:costCenter")},
    ]);
    for profile in BOTH {
        let after = patched(&ada(), &operations, profile).unwrap();
        assert_eq!(
            after["emails"],
            json!([
                {"value": "ada@work.example", "type": "work", "primary": true},
                {"type": "other", "value": "p@a"},
            ])
        );
        assert_eq!(after.get(ENTERPRISE), None);
    }
}
