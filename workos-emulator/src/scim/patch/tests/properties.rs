//! What holds for every PATCH.

use proptest::prelude::*;

use super::*;

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
