use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::schema::USER;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const BOTH: [Profile; 2] = [Profile::WorkOs, Profile::Rfc7644];

fn ada() -> Value {
    json!({
        "userName": "ada",
        "active": true,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [
            {"value": "ada@work.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"},
        ],
        ENTERPRISE: {"department": "Engines", "costCenter": "4130"},
    })
}

fn patched(before: &Value, operations: &Value, profile: Profile) -> Result<Value, ScimError> {
    let body = json!({"schemas": [SCHEMA], "Operations": operations});
    let operations = super::operations(&body, &USER, profile)?;
    let mut resource = before.as_object().unwrap().clone();
    apply(&mut resource, &operations, &USER, profile)?;
    Ok(Value::Object(resource))
}

/// What becomes of Ada: the members that are named, under both profiles.
fn gives(operation: &Value, expected: &Value) {
    for profile in BOTH {
        becomes(operation, expected, profile);
    }
}

fn becomes(operation: &Value, expected: &Value, profile: Profile) {
    let mut wanted = ada();
    for (name, value) in expected.as_object().unwrap() {
        if value.is_null() {
            wanted.as_object_mut().unwrap().remove(name);
        } else {
            wanted[name] = value.clone();
        }
    }
    assert_eq!(
        patched(&ada(), &json!([operation]), profile),
        Ok(wanted),
        "{operation} under {profile:?}"
    );
}

fn refuses(operation: &Value, scim_type: ScimType, profile: Profile) {
    let refused = patched(&ada(), &json!([operation]), profile);
    assert_eq!(
        refused.as_ref().map_err(|error| (error.status, error.scim_type)),
        Err((400, Some(scim_type))),
        "{operation} under {profile:?}"
    );
}

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

#[test]
fn the_servers_own_attributes_cannot_be_changed() {
    for path in ["id", "meta", "meta.version", "groups", "groups[value eq \"g\"]"] {
        for profile in BOTH {
            refuses(
                &json!({"op": "replace", "path": path, "value": "x"}),
                ScimType::Mutability,
                profile,
            );
            refuses(
                &json!({"op": "remove", "path": path}),
                ScimType::Mutability,
                profile,
            );
        }
    }
    // Identity providers send them along.
    gives(
        &json!({"op": "replace", "value": {"id": "x", "meta": {}, "schemas": [], "title": "T"}}),
        &json!({"title": "T"}),
    );
    gives(
        &json!({"op": "add", "path": "password", "value": "secret"}),
        &json!({}),
    );
    for profile in BOTH {
        refuses(
            &json!({"op": "remove", "path": "userName"}),
            ScimType::Mutability,
            profile,
        );
        refuses(
            &json!({"op": "replace", "path": "userName", "value": null}),
            ScimType::Mutability,
            profile,
        );
    }
}

#[test]
fn refuses_what_is_no_operation() {
    for (operation, scim_type) in [
        (json!({"op": "move", "path": "title"}), ScimType::InvalidSyntax),
        (json!({"path": "title", "value": "x"}), ScimType::InvalidSyntax),
        (json!({"op": "remove"}), ScimType::NoTarget),
        (json!({"op": "add", "path": "title"}), ScimType::InvalidValue),
        (json!({"op": "add", "value": "x"}), ScimType::InvalidValue),
        (
            json!({"op": "add", "path": 1, "value": "x"}),
            ScimType::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "a b", "value": "x"}),
            ScimType::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "emails[type eq", "value": "x"}),
            ScimType::InvalidFilter,
        ),
        (
            json!({"op": "add", "path": "emails[type eq \"a\"", "value": "x"}),
            ScimType::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "emails[type eq \"a\"].a.b", "value": "x"}),
            ScimType::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "name[givenName eq \"a\"]", "value": {}}),
            ScimType::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "emails.type[value eq \"a\"]", "value": {}}),
            ScimType::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "userName.value", "value": "x"}),
            ScimType::InvalidPath,
        ),
    ] {
        for profile in BOTH {
            refuses(&operation, scim_type, profile);
        }
    }
    for body in [
        json!([]),
        json!({}),
        json!({"Operations": []}),
        json!({"Operations": {}}),
        json!({"Operations": [1]}),
    ] {
        assert_eq!(
            operations(&body, &USER, Profile::WorkOs).unwrap_err().status,
            400,
            "{body}"
        );
    }
    let many = json!({"Operations": vec![json!({"op": "remove", "path": "title"}); MOST + 1]});
    assert_eq!(operations(&many, &USER, Profile::WorkOs).unwrap_err().status, 413);
}

/// What Entra ID and Okta send, and the RFC does not know.
#[test]
fn the_spellings_of_identity_providers_depend_on_the_profile() {
    let (workos, rfc) = (Profile::WorkOs, Profile::Rfc7644);

    let capitalised = json!({"op": "Replace", "path": "title", "value": "Countess"});
    becomes(&capitalised, &json!({"title": "Countess"}), workos);
    refuses(&capitalised, ScimType::InvalidSyntax, rfc);

    for text in ["False", "false", "FALSE"] {
        let boolean = json!({"op": "replace", "path": "active", "value": text});
        becomes(&boolean, &json!({"active": false}), workos);
        refuses(&boolean, ScimType::InvalidValue, rfc);
    }
    refuses(
        &json!({"op": "replace", "path": "active", "value": "off"}),
        ScimType::InvalidSyntax,
        workos,
    );

    let dotted = json!({"op": "replace", "value": {"name.givenName": "A", "title": "T"}});
    let name = json!({"givenName": "A", "familyName": "Lovelace"});
    becomes(&dotted, &json!({"name": name, "title": "T"}), workos);
    refuses(&dotted, ScimType::InvalidPath, rfc);

    let with_uri = json!({"op": "add", "value": {format!("{ENTERPRISE}:department"): "Looms"}});
    becomes(
        &with_uri,
        &json!({ENTERPRISE: {"department": "Looms", "costCenter": "4130"}}),
        workos,
    );
    refuses(&with_uri, ScimType::InvalidPath, rfc);

    let with_filter = json!({"op": "replace", "value": {"emails[type eq \"work\"].value": "a@b"}});
    let emails = json!([
        {"value": "a@b", "type": "work", "primary": true},
        {"value": "ada@home.example", "type": "home"},
    ]);
    becomes(&with_filter, &json!({"emails": emails}), workos);
    refuses(&with_filter, ScimType::InvalidPath, rfc);

    let absent = json!({"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "1"});
    becomes(
        &absent,
        &json!({"phoneNumbers": [{"type": "work", "value": "1"}]}),
        workos,
    );
    refuses(&absent, ScimType::NoTarget, rfc);
    let added = json!({"op": "add", "path": "phoneNumbers[type eq \"work\"].value", "value": "1"});
    gives(&added, &json!({"phoneNumbers": [{"type": "work", "value": "1"}]}));

    let gone = json!({"op": "remove", "path": "emails[type eq \"other\"]"});
    becomes(&gone, &json!({}), workos);
    refuses(&gone, ScimType::NoTarget, rfc);

    let some = json!({"op": "remove", "path": "emails", "value": [{"value": "ada@work.example"}]});
    becomes(
        &some,
        &json!({"emails": [{"value": "ada@home.example", "type": "home"}]}),
        workos,
    );
    becomes(&some, &json!({"emails": null}), rfc);

    for manager in [json!("boss"), json!([{"$ref": "../Users/boss", "value": "boss"}])] {
        let bare = json!({"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": manager});
        let after = patched(&ada(), &json!([bare]), workos).unwrap();
        assert_eq!(after[ENTERPRISE]["manager"]["value"], "boss");
        let bare = json!({"op": "add", "path": format!("{ENTERPRISE}:manager"), "value": manager});
        refuses(&bare, ScimType::InvalidValue, rfc);
    }
    let wrapped = json!({"op": "replace", "path": "active", "value": [{"$ref": null, "value": "False"}]});
    becomes(&wrapped, &json!({"active": false}), workos);

    let unknown = json!({"op": "add", "path": "shoeSize", "value": 40});
    becomes(&unknown, &json!({"shoeSize": 40}), workos);
    refuses(&unknown, ScimType::InvalidPath, rfc);
    let unknown = json!({"op": "add", "value": {"shoeSize": 40}});
    becomes(&unknown, &json!({"shoeSize": 40}), workos);
    becomes(&unknown, &json!({}), rfc);

    let primary = json!({"op": "Replace", "path": "roles[primary eq \"True\"].value", "value": "admin"});
    becomes(
        &primary,
        &json!({"roles": [{"primary": true, "value": "admin"}]}),
        workos,
    );

    // `schemas` is the RFC's.
    let body = json!({"Operations": [{"op": "remove", "path": "title"}]});
    assert!(operations(&body, &USER, workos).is_ok());
    assert!(operations(&body, &USER, rfc).is_err());
}

fn json_value() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "value",
        "type",
        "primary",
        "name",
        "emails",
        "active",
        "userName",
        "name.givenName",
        ENTERPRISE,
        "x",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zA-Z\"@. ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..4).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

fn path() -> impl Strategy<Value = Value> {
    let known = prop::sample::select(vec![
        "emails",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[not (type pr)].primary",
        "name",
        "name.givenName",
        "userName",
        "active",
        "title",
        "roles[value eq \"a\"]",
        ENTERPRISE,
        "groups",
        "id",
        "urn:a:b:c.d",
        "password",
        "emails.value",
        "schemas",
    ]);
    prop_oneof![
        8 => known.prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

proptest! {
    /// Whatever is sent, the resource stays one: what is required is there, and nothing is of a wrong type.
    #[test]
    fn a_resource_stays_a_resource(
        operations in prop::collection::vec((prop::sample::select(vec!["add", "remove", "replace"]), path(), json_value()), 1..5),
        strict in any::<bool>(),
    ) {
        let profile = if strict { Profile::Rfc7644 } else { Profile::WorkOs };
        let operations: Vec<_> = operations
            .into_iter()
            .map(|(op, path, value)| json!({"op": op, "path": path, "value": value}))
            .collect();
        if let Ok(after) = patched(&ada(), &json!(operations), profile) {
            prop_assert!(after["userName"].is_string(), "{}", after);
            for name in ["id", "meta", "groups", "password", "schemas"] {
                prop_assert_eq!(after.get(name), None);
            }
            let mut body = after.clone();
            body["schemas"] = json!([USER.schema.id]);
            let read = crate::scim::conform::resource(&body, &USER, Profile::WorkOs);
            prop_assert!(read.is_ok(), "{:?} of {}", read, after);
        }
    }
}
