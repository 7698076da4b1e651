use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        authorization::permissions::{self, NewPermission},
        organizations, recorded,
        user_management::{
            authenticate::fixture::Fixture,
            memberships::{
                deactivate_organization_membership, delete_organization_membership,
                reactivate_organization_membership,
            },
            users::delete_user,
        },
    },
    server::{call::Call, reply::Reply},
};

type Operation = fn(&Call) -> Result<Reply, ApiError>;

/// Ada is a member of Acme, where there are two permissions.
struct Keys {
    fixture: Fixture,
    organization_id: String,
    membership_id: String,
}

impl Keys {
    fn new() -> Self {
        let fixture = Fixture::new();
        let organization_id = fixture.add_organization("Acme");
        let membership_id = fixture.add_membership(&organization_id, json!({}));
        for slug in ["posts:read", "posts:write"] {
            let new = NewPermission {
                slug: slug.to_owned(),
                name: slug.to_owned(),
                ..NewPermission::default()
            };
            let made = fixture.environment.transact(|tx| permissions::create(tx, new));
            made.unwrap();
        }
        Self {
            fixture,
            organization_id,
            membership_id,
        }
    }

    fn run(&self, operation: Operation, params: &[(&str, &str)], query: &str, body: Value) -> (u16, Value) {
        let call = Call::for_tests(&self.fixture.environment, params, query, body);
        let reply = operation(&call).unwrap_or_else(Reply::from);
        (
            reply.status,
            serde_json::from_slice(&reply.body).unwrap_or_default(),
        )
    }

    fn create(&self, body: Value) -> (u16, Value) {
        let params = [("organizationId", self.organization_id.as_str())];
        self.run(create_organization_api_key, &params, "", body)
    }

    fn create_for_user(&self, body: Value) -> (u16, Value) {
        let params = [("userId", self.fixture.user_id.as_str())];
        self.run(create_user_api_key, &params, "", body)
    }

    fn of_ada(&self) -> Value {
        let body = json!({"name": "Ada's", "organization_id": self.organization_id});
        let (status, key) = self.create_for_user(body);
        assert_eq!(status, 201, "{key}");
        key
    }

    fn expire(&self, key: &Value, body: Value) -> (u16, Value) {
        let params = [("id", key["id"].as_str().unwrap())];
        self.run(create_api_key_expire, &params, "", body)
    }

    fn validate(&self, key: &Value) -> Value {
        let (status, answer) = self.run(create_validation, &[], "", json!({"value": key["value"]}));
        assert_eq!(status, 200);
        answer["api_key"].clone()
    }

    fn advance(&self, seconds: u64) {
        self.fixture
            .environment
            .clock
            .advance(Duration::from_secs(seconds));
    }

    fn of_membership(&self, operation: Operation) {
        let (status, answer) = self.run(operation, &[("id", &self.membership_id)], "", Value::Null);
        assert!(status < 300, "{answer}");
    }

    /// The events of API keys.
    fn events(&self) -> Vec<(String, Value)> {
        let mut events = recorded::events(&self.fixture.environment.state());
        events.retain(|(name, _)| name.starts_with("api_key."));
        events
    }
}

#[test]
fn the_value_is_shown_once_and_only_its_digest_kept() {
    let keys = Keys::new();
    let body = json!({"name": "CI", "permissions": ["posts:write", "posts:read", "posts:write"]});
    let (status, made) = keys.create(body);
    assert_eq!(status, 201);
    let value = made["value"].as_str().unwrap();
    assert!(value.starts_with("sk_") && value.len() == 43, "{value}");
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("value");
    assert_eq!(
        shown,
        json!({
            "object": "api_key",
            "id": made["id"],
            "owner": {"type": "organization", "id": keys.organization_id},
            "name": "CI",
            "obfuscated_value": format!("sk_...{}", &value[39..]),
            "last_used_at": null,
            "expires_at": null,
            "permissions": ["posts:write", "posts:read"],
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    assert_eq!(keys.events(), [("api_key.created".to_owned(), shown.clone())]);
    let params = [("organizationId", keys.organization_id.as_str())];
    let (_, list) = keys.run(list_organization_api_keys, &params, "", Value::Null);
    assert_eq!(list["data"], json!([shown]));
    let kept = keys.fixture.environment.state().dump().to_string();
    assert!(!kept.contains(value), "the value stands somewhere");
}

#[test]
fn validation_tells_whose_key_it_is_and_counts_as_use() {
    let keys = Keys::new();
    let (_, made) = keys.create(json!({"name": "CI", "permissions": ["posts:read"]}));
    keys.advance(60);
    let found = keys.validate(&made);
    assert_eq!(found["id"], made["id"]);
    assert_eq!(found["last_used_at"], "2026-01-15T12:01:00.000Z");
    assert_eq!(found["updated_at"], made["updated_at"]);
    assert_eq!(found["value"], Value::Null);
    assert_eq!(keys.events().len(), 1, "a use is no event");
    for wrong in ["", "sk_", "sk_test_app", found["id"].as_str().unwrap()] {
        assert_eq!(keys.validate(&json!({"value": wrong})), Value::Null, "{wrong}");
    }
}

#[test]
fn expiry_follows_the_clock_and_can_be_moved_until_it_is_over() {
    let keys = Keys::new();
    let (_, made) = keys.create(json!({"name": "CI", "expires_at": "2026-01-15T13:00:00Z"}));
    assert_eq!(made["expires_at"], "2026-01-15T13:00:00.000Z");
    keys.advance(3599);
    assert_ne!(keys.validate(&made), Value::Null);
    let (status, cleared) = keys.expire(&made, json!({"expires_at": null}));
    assert_eq!((status, &cleared["expires_at"]), (200, &Value::Null));
    keys.advance(1);
    assert_ne!(keys.validate(&made), Value::Null);
    let (_, set) = keys.expire(&made, json!({"expires_at": "2026-01-15T14:00:00+00:00"}));
    assert_eq!(set["expires_at"], "2026-01-15T14:00:00.000Z");
    let (_, ended) = keys.expire(&made, json!({}));
    assert_eq!(ended["expires_at"], "2026-01-15T13:00:00.000Z");
    assert_eq!(keys.validate(&made), Value::Null);
    for body in [
        json!({}),
        json!({"expires_at": null}),
        json!({"expires_at": "2030-01-01T00:00:00Z"}),
    ] {
        let (status, refused) = keys.expire(&made, body);
        assert_eq!(
            (status, &refused["code"]),
            (409, &json!("api_key_already_expired"))
        );
    }
    let previous: Vec<_> = keys
        .events()
        .into_iter()
        .skip(1)
        .map(|(name, data)| {
            (
                name,
                data["previous_attributes"].clone(),
                data["expires_at"].clone(),
            )
        })
        .collect();
    let updated = |from: Value, to: Value| ("api_key.updated".to_owned(), json!({"expires_at": from}), to);
    let at = |hour: u8| json!(format!("2026-01-15T{hour}:00:00.000Z"));
    assert_eq!(
        previous,
        [
            updated(at(13), Value::Null),
            updated(Value::Null, at(14)),
            updated(at(14), at(13)),
        ]
    );
}

#[test]
fn an_expiry_in_the_past_is_now_and_the_same_one_is_no_change() {
    let keys = Keys::new();
    let (_, made) = keys.create(json!({"name": "CI"}));
    assert_eq!(keys.expire(&made, json!({"expires_at": null})).0, 200);
    assert_eq!(keys.events().len(), 1);
    let (_, ended) = keys.expire(&made, json!({"expires_at": "2020-01-01T00:00:00Z"}));
    assert_eq!(ended["expires_at"], "2026-01-15T12:00:00.000Z");
    assert_eq!(keys.validate(&made), Value::Null);
}

#[test]
fn refuses_what_does_not_fit_as_each_owner_has_it() {
    let keys = Keys::new();
    let organization_id = &keys.organization_id;
    for (body, field, code) in [
        (json!({"name": " "}), "name", "required"),
        (
            json!({"name": "CI", "permissions": ["nope"]}),
            "permissions",
            "permission_not_found",
        ),
        (
            json!({"name": "CI", "expires_at": "2026-01-15T12:00:00Z"}),
            "expires_at",
            "expires_at_in_past",
        ),
    ] {
        let (status, refused) = keys.create(body.clone());
        assert_eq!(status, 422, "{body}");
        assert_eq!(
            (&refused["errors"][0]["field"], &refused["errors"][0]["code"]),
            (&json!(field), &json!(code))
        );
        let mut body = body;
        body["organization_id"] = json!(organization_id);
        let (status, of_user) = keys.create_for_user(body);
        assert_eq!((status, &of_user["errors"]), (400, &refused["errors"]));
    }
    for body in [json!({}), json!({"name": "CI", "expires_at": "soon"})] {
        assert_eq!(keys.create(body).0, 422);
    }
    let (status, refused) = keys.create_for_user(json!({"name": "CI"}));
    assert_eq!(
        (status, &refused["errors"][0]["field"]),
        (422, &json!("organization_id"))
    );
    assert_eq!(keys.fixture.environment.state().api_keys.len(), 0);
    assert_eq!(keys.events(), []);
}

#[test]
fn what_is_not_there_is_404() {
    let keys = Keys::new();
    let nobody = [
        ("organizationId", "org_1"),
        ("userId", "user_1"),
        ("id", "api_key_1"),
    ];
    let body = json!({"name": "CI", "organization_id": keys.organization_id});
    for operation in [
        create_organization_api_key as Operation,
        list_organization_api_keys,
        create_user_api_key,
        list_user_api_keys,
        create_api_key_expire,
        delete_api_key,
    ] {
        let (status, refused) = keys.run(operation, &nobody, "", body.clone());
        assert_eq!((status, &refused["code"]), (404, &json!("entity_not_found")));
    }
    let (status, _) = keys.create_for_user(json!({"name": "CI", "organization_id": "org_1"}));
    assert_eq!(status, 404);
}

#[test]
fn a_user_needs_an_active_membership_for_a_key() {
    let keys = Keys::new();
    let globex = keys.fixture.add_organization("Globex");
    let (status, refused) = keys.create_for_user(json!({"name": "CI", "organization_id": globex}));
    assert_eq!((status, refused["message"].is_string()), (422, true));
    let key = keys.of_ada();
    assert_eq!(
        key["owner"],
        json!({"type": "user", "id": keys.fixture.user_id, "organization_id": keys.organization_id})
    );
    keys.of_membership(deactivate_organization_membership);
    let body = json!({"name": "CI", "organization_id": keys.organization_id});
    assert_eq!(keys.create_for_user(body).0, 422);
    assert_eq!(keys.validate(&key), Value::Null);
    keys.of_membership(reactivate_organization_membership);
    assert_eq!(keys.validate(&key)["id"], key["id"]);
}

#[test]
fn lists_keep_owners_apart() {
    let keys = Keys::new();
    let globex = keys.fixture.add_own_organization("Globex");
    let own = keys.of_ada();
    let (_, other) = keys.create_for_user(json!({"name": "Other", "organization_id": globex}));
    let (_, of_acme) = keys.create(json!({"name": "CI"}));
    let ids = |operation: Operation, query: &str| {
        let params = [
            ("organizationId", keys.organization_id.as_str()),
            ("userId", keys.fixture.user_id.as_str()),
        ];
        let (status, list) = keys.run(operation, &params, query, Value::Null);
        assert_eq!(status, 200, "{list}");
        let rows = list["data"].as_array().unwrap().clone();
        rows.into_iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(list_organization_api_keys, ""), [of_acme["id"].clone()]);
    assert_eq!(
        ids(list_user_api_keys, ""),
        [other["id"].clone(), own["id"].clone()]
    );
    assert_eq!(ids(list_user_api_keys, "limit=1&order=asc"), [own["id"].clone()]);
    let query = format!("organization_id={globex}");
    assert_eq!(ids(list_user_api_keys, &query), [other["id"].clone()]);
    assert_eq!(ids(list_user_api_keys, "organization_id=org_1"), [] as [Value; 0]);
}

#[test]
fn keys_go_with_what_they_belong_to_each_with_its_event() {
    let by_hand = |keys: &Keys, key: &Value| {
        let params = [("id", key["id"].as_str().unwrap())];
        assert_eq!(keys.run(delete_api_key, &params, "", Value::Null).0, 204);
    };
    let with_membership = |keys: &Keys, _: &Value| keys.of_membership(delete_organization_membership);
    let with_user = |keys: &Keys, _: &Value| {
        let params = [("id", keys.fixture.user_id.as_str())];
        assert_eq!(keys.run(delete_user, &params, "", Value::Null).0, 200);
    };
    let with_organization = |keys: &Keys, _: &Value| {
        let params = [("id", keys.organization_id.as_str())];
        let (status, _) = keys.run(organizations::delete_organization, &params, "", Value::Null);
        assert_eq!(status, 202);
    };
    type End<'a> = &'a dyn Fn(&Keys, &Value);
    let cases: [(&str, End<'_>, bool); 4] = [
        ("by hand", &by_hand, false),
        ("with the membership", &with_membership, false),
        ("with the user", &with_user, false),
        ("with the organization", &with_organization, true),
    ];
    for (how, end, also_of_organization) in cases {
        let keys = Keys::new();
        let (_, of_acme) = keys.create(json!({"name": "CI"}));
        let key = keys.of_ada();
        end(&keys, &key);
        assert_eq!(keys.validate(&key), Value::Null, "{how}");
        assert_eq!(keys.validate(&of_acme).is_null(), also_of_organization, "{how}");
        let revoked = keys.events().into_iter().skip(2).map(|(name, data)| {
            assert_eq!(name, "api_key.revoked");
            data["id"].clone()
        });
        let mut expected = vec![key["id"].clone()];
        expected.extend(also_of_organization.then(|| of_acme["id"].clone()));
        assert_eq!(revoked.collect::<Vec<_>>(), expected, "{how}");
        let state = keys.fixture.environment.state();
        assert_eq!(state.api_keys.len(), state.api_key_values.len(), "{how}");
        assert!(state.is_consistent());
    }
}

#[test]
fn a_permission_that_is_deleted_leaves_the_keys() {
    let keys = Keys::new();
    let (_, made) = keys.create(json!({"name": "CI", "permissions": ["posts:read", "posts:write"]}));
    let params = [("slug", "posts:read")];
    assert_eq!(
        keys.run(permissions::delete_permission, &params, "", Value::Null)
            .0,
        204
    );
    assert_eq!(keys.validate(&made)["permissions"], json!(["posts:write"]));
    assert!(keys.fixture.environment.state().is_consistent());
}

#[test]
fn a_key_of_a_customer_does_not_open_the_api_of_workos() {
    let keys = Keys::new();
    let (_, made) = keys.create(json!({"name": "CI"}));
    let environment = &keys.fixture.environment;
    let registry = crate::server::registry::Registry::new(Arc::clone(environment), Default::default());
    assert!(registry.by_api_key(made["value"].as_str().unwrap()).is_none());
    assert!(registry.by_api_key("sk_test_app").is_some());
}
