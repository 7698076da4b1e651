//! Operations that are refused, and the spellings of identity providers, which are not.

use super::*;

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
