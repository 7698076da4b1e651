//! Flags, whom they are on for, and their events.

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        organizations,
        user_management::{authenticate::fixture::Fixture, users},
    },
    server::{call::Call, reply::Reply},
};

type Operation = fn(&Call) -> Result<Reply, ApiError>;

/// Ada, a member of Acme, and flags.
struct Flags {
    fixture: Fixture,
    acme: String,
}

impl Flags {
    fn new() -> Self {
        let fixture = Fixture::new();
        let acme = fixture.add_own_organization("Acme");
        Self { fixture, acme }
    }

    fn create(&self, new: Value) -> Result<Arc<Flag>, ApiError> {
        let new = serde_json::from_value(new).unwrap();
        self.fixture.environment.transact(|tx| create(tx, new))
    }

    fn update(&self, slug: &str, changes: Value) -> Result<Arc<Flag>, ApiError> {
        let changes = serde_json::from_value(changes).unwrap();
        self.fixture.environment.transact(|tx| update(tx, slug, changes))
    }

    fn answer(&self, operation: Operation, params: &[(&str, &str)], query: &str) -> Result<Value, ApiError> {
        let reply = operation(&Call::for_tests(
            &self.fixture.environment,
            params,
            query,
            json!({}),
        ))?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    fn target(&self, operation: Operation, slug: &str, id: &str) -> Result<Value, ApiError> {
        self.answer(operation, &[("slug", slug), ("resourceId", id)], "")
    }

    fn slugs(&self, operation: Operation, params: &[(&str, &str)]) -> Vec<String> {
        let list = self.answer(operation, params, "order=asc").unwrap();
        let data = list["data"].as_array().unwrap().iter();
        data.map(|flag| flag["slug"].as_str().unwrap().to_owned())
            .collect()
    }

    fn of_user(&self) -> Vec<String> {
        self.slugs(list_user_feature_flags, &[("userId", &self.fixture.user_id)])
    }

    fn of_acme(&self) -> Vec<String> {
        self.slugs(list_organization_feature_flags, &[("organizationId", &self.acme)])
    }

    /// The last event, as webhooks show it.
    fn last_event(&self) -> Value {
        let state = self.fixture.environment.state();
        serde_json::to_value(state.events.iter().last().unwrap().body()).unwrap()
    }

    fn count(&self) -> usize {
        self.fixture.events("flag.").len()
    }
}

#[test]
fn a_flag_is_on_for_everybody_for_its_targets_or_for_nobody() {
    let flags = Flags::new();
    let (user, acme) = (flags.fixture.user_id.clone(), flags.acme.clone());
    for new in [
        json!({"slug": "off", "enabled": false, "default_value": true, "targets": [user, acme]}),
        json!({"slug": "nobody"}),
        json!({"slug": "everybody", "default_value": true, "targets": [user]}),
        json!({"slug": "ada", "targets": [user]}),
        json!({"slug": "acme", "targets": [acme]}),
        json!({"slug": "both", "targets": [acme, user, acme]}),
    ] {
        flags.create(new).unwrap();
    }
    assert_eq!(flags.of_user(), ["everybody", "ada", "acme", "both"]);
    assert_eq!(flags.of_acme(), ["everybody", "acme", "both"]);
    // A membership that lets nobody in brings no flags.
    let state = flags.fixture.environment.state();
    let membership = state.organization_memberships.iter().next().unwrap();
    flags.fixture.deactivate(&membership.id);
    assert_eq!(flags.of_user(), ["everybody", "ada", "both"]);
    for (operation, name) in [
        (list_user_feature_flags as Operation, "userId"),
        (list_organization_feature_flags, "organizationId"),
    ] {
        assert_eq!(
            flags.answer(operation, &[(name, "x")], "").unwrap_err().status,
            404
        );
    }
    let page = flags.answer(list_feature_flags, &[], "limit=2").unwrap();
    assert_eq!(page["data"][0]["slug"], "both");
    assert_eq!(page["list_metadata"]["after"], page["data"][1]["id"]);
}

#[test]
fn access_tokens_say_which_flags_are_on() {
    let flags = Flags::new();
    let (user, acme) = (flags.fixture.user_id.clone(), flags.acme.clone());
    let claim = |response: &Value| flags.fixture.claims(response).feature_flags;
    let first = flags.fixture.signed_in();
    assert_eq!(claim(&first), None);
    let globex = flags.fixture.add_organization("Globex");
    flags.create(json!({"slug": "z-ada", "targets": [user]})).unwrap();
    flags.create(json!({"slug": "acme", "targets": [acme]})).unwrap();
    flags
        .create(json!({"slug": "globex", "targets": [globex]}))
        .unwrap();
    let refreshed = flags
        .fixture
        .authenticate(json!({"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}));
    let on = Some(vec!["acme".to_owned(), "z-ada".to_owned()]);
    assert_eq!(claim(&refreshed.unwrap()), on);
    assert_eq!(claim(&flags.fixture.signed_in()), on);
}

#[test]
fn targets_are_users_and_organizations_that_are_there() {
    let flags = Flags::new();
    flags.create(json!({"slug": "beta"})).unwrap();
    let (user, acme) = (flags.fixture.user_id.clone(), flags.acme.clone());
    for id in [&user, &acme] {
        flags.target(add_flag_target, "beta", id).unwrap();
        flags.target(add_flag_target, "beta", id).unwrap();
    }
    assert_eq!(flags.count(), 3, "a target is added once");
    for operation in [add_flag_target as Operation, remove_flag_target] {
        for (slug, id, status, code) in [
            ("x", user.as_str(), 404, "entity_not_found"),
            ("beta", "user_x", 404, "entity_not_found"),
            ("beta", "org_x", 404, "entity_not_found"),
            ("beta", "om_1", 400, "invalid_resource_id_format"),
            ("beta", "", 400, "invalid_resource_id_format"),
        ] {
            let refused = flags.target(operation, slug, id).unwrap_err();
            assert_eq!(
                (refused.status, refused.code()),
                (status, Some(code)),
                "{slug} {id}"
            );
        }
    }
    let malformed = flags.target(add_flag_target, "beta", "om_1").unwrap_err();
    assert_eq!(malformed.description(), "Invalid resource id");
    flags.target(remove_flag_target, "beta", &user).unwrap();
    flags.target(remove_flag_target, "beta", &user).unwrap();
    assert_eq!(flags.count(), 4);
    assert_eq!(flags.of_acme(), ["beta"]);
}

#[test]
fn enabling_and_disabling_is_told_once() {
    let flags = Flags::new();
    flags
        .create(json!({"slug": "beta", "default_value": true}))
        .unwrap();
    let slug = [("slug", "beta")];
    assert_eq!(
        flags.answer(disable_feature_flag, &slug, "").unwrap()["enabled"],
        false
    );
    assert!(flags.of_acme().is_empty());
    let event = flags.last_event();
    assert_eq!(event["event"], "flag.rule_updated");
    assert_eq!(
        event["context"],
        json!({
            "client_id": flags.fixture.environment.client_id,
            "actor": {"id": flags.fixture.environment.id, "source": "api", "name": null},
            "access_type": "all",
            "configured_targets": {"organizations": [], "users": []},
            "previous_attributes": {"data": {"enabled": true}, "context": {}},
        })
    );
    flags.answer(disable_feature_flag, &slug, "").unwrap();
    assert_eq!(flags.count(), 2);
    assert_eq!(
        flags.answer(enable_feature_flag, &slug, "").unwrap()["enabled"],
        true
    );
    for operation in [
        enable_feature_flag as Operation,
        disable_feature_flag,
        get_feature_flag,
    ] {
        assert_eq!(
            flags.answer(operation, &[("slug", "x")], "").unwrap_err().status,
            404
        );
    }
}

#[test]
fn events_say_who_changed_what() {
    let flags = Flags::new();
    let environment = &flags.fixture.environment;
    let owner = json!({"email": "jane@example.com", "first_name": "Jane", "last_name": null});
    let flag = flags
        .create(json!({"slug": "beta", "tags": ["a"], "owner": owner}))
        .unwrap();
    let created = flags.last_event();
    let dashboard = json!({"id": environment.id, "source": "dashboard", "name": null});
    assert_eq!(
        (&created["event"], &created["context"]),
        (
            &json!("flag.created"),
            &json!({"client_id": environment.client_id, "actor": dashboard})
        )
    );
    assert_eq!(
        created["data"],
        json!({
            "object": "feature_flag", "id": flag.id, "environment_id": environment.id, "slug": "beta", "name": "beta",
            "description": null, "owner": owner, "tags": ["a"], "enabled": true, "default_value": false,
            "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    let shown = flags.answer(get_feature_flag, &[("slug", "beta")], "").unwrap();
    assert!(shown.get("environment_id").is_none());

    flags
        .update("beta", json!({"name": "Beta", "description": "x", "tags": []}))
        .unwrap();
    let updated = flags.last_event();
    assert_eq!(updated["event"], "flag.updated");
    assert_eq!(
        updated["context"]["previous_attributes"],
        json!({"data": {"name": "beta", "description": null, "tags": ["a"]}})
    );

    flags
        .target(add_flag_target, "beta", &flags.fixture.user_id)
        .unwrap();
    let targets =
        json!({"organizations": [], "users": [{"id": flags.fixture.user_id, "email": "ada@example.com"}]});
    let nobody = json!({"organizations": [], "users": []});
    let event = flags.last_event();
    assert_eq!(event["event"], "flag.rule_updated");
    assert_eq!(event["context"]["access_type"], "some");
    assert_eq!(event["context"]["configured_targets"], targets);
    assert_eq!(
        event["context"]["previous_attributes"],
        json!({"data": {}, "context": {"access_type": "none", "configured_targets": nobody}})
    );

    // Both kinds of change at once are two events.
    let before = flags.count();
    flags
        .update(
            "beta",
            json!({"name": "B", "default_value": true, "targets": [flags.acme]}),
        )
        .unwrap();
    assert_eq!(flags.count(), before + 2);
    let context = &flags.last_event()["context"];
    assert_eq!(context["access_type"], "all");
    assert_eq!(
        context["configured_targets"]["organizations"],
        json!([{"id": flags.acme, "name": "Acme"}])
    );
    assert_eq!(
        context["previous_attributes"],
        json!({"data": {"default_value": false}, "context": {"access_type": "some", "configured_targets": targets}})
    );

    environment.transact(|tx| delete(tx, "beta")).unwrap();
    let deleted = flags.last_event();
    assert_eq!(
        (&deleted["event"], &deleted["data"]["name"]),
        (&json!("flag.deleted"), &json!("B"))
    );
    assert!(environment.state().is_consistent());
}

#[test]
fn deleted_users_and_organizations_are_no_targets() {
    let flags = Flags::new();
    let (user, acme) = (flags.fixture.user_id.clone(), flags.acme.clone());
    flags
        .create(json!({"slug": "beta", "targets": [user, acme]}))
        .unwrap();
    flags
        .create(json!({"slug": "off", "enabled": false, "targets": [acme]}))
        .unwrap();
    for (operation, id, left) in [
        (
            organizations::delete_organization as Operation,
            &acme,
            vec![user.clone()],
        ),
        (users::delete_user, &user, Vec::new()),
    ] {
        flags.answer(operation, &[("id", id)], "").unwrap();
        let state = flags.fixture.environment.state();
        assert_eq!(find(&state, "beta").unwrap().targets, left);
    }
    let state = flags.fixture.environment.state();
    assert!(find(&state, "off").unwrap().targets.is_empty());
    let events = state
        .events
        .iter()
        .filter(|event| event.event == "flag.rule_updated");
    let events: Vec<_> = events
        .map(|event| serde_json::to_value(event.body()).unwrap())
        .collect();
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(event["context"]["actor"]["source"], "system");
    }
    let previous = &events[2]["context"]["previous_attributes"]["context"];
    assert_eq!(
        previous["configured_targets"]["users"][0]["email"],
        "ada@example.com"
    );
}

#[test]
fn a_slug_is_taken_once_and_has_its_form() {
    let flags = Flags::new();
    flags.create(json!({"slug": "Beta_2.0"})).unwrap();
    let taken = flags.create(json!({"slug": "Beta_2.0"})).unwrap_err();
    assert_eq!(
        (taken.status, taken.code()),
        (409, Some("feature_flag_slug_conflict"))
    );
    for wrong in ["", "a b", "a/b", "é", &"a".repeat(129)] {
        assert_eq!(
            flags.create(json!({"slug": wrong})).unwrap_err().status,
            422,
            "{wrong}"
        );
    }
    assert_eq!(
        flags
            .create(json!({"slug": "x", "name": " "}))
            .unwrap_err()
            .status,
        422
    );
    assert_eq!(
        flags.update("Beta_2.0", json!({"name": ""})).unwrap_err().status,
        422
    );
    assert_eq!(flags.update("x", json!({"name": "x"})).unwrap_err().status, 404);
    assert_eq!(
        flags
            .create(json!({"slug": "y", "targets": ["user_x"]}))
            .unwrap_err()
            .status,
        404
    );
    assert_eq!(flags.count(), 1);
}

#[test]
fn runtime_clients_poll_every_flag_with_its_targets() {
    let flags = Flags::new();
    let (user, acme) = (flags.fixture.user_id.clone(), flags.acme.clone());
    flags
        .create(json!({"slug": "beta", "targets": [user, acme]}))
        .unwrap();
    flags
        .create(json!({"slug": "off", "enabled": false, "default_value": true}))
        .unwrap();
    assert_eq!(
        flags.answer(poll_feature_flags, &[], "").unwrap(),
        json!({
            "beta": {
                "slug": "beta", "enabled": true, "default_value": false,
                "targets": {
                    "users": [{"id": user, "enabled": true}], "organizations": [{"id": acme, "enabled": true}],
                },
            },
            "off": {
                "slug": "off", "enabled": false, "default_value": true, "targets": {"users": [], "organizations": []},
            },
        })
    );
}
