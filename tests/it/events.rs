//! Every state change of the slice emits its event, in order, in the shape of the SDK's models.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use workos::{
    AuthenticationPasswordFailed, AuthenticationPasswordSucceeded, EventList, EventSchema,
    OrganizationCreated, OrganizationDeleted, OrganizationDomainCreated, OrganizationDomainDeleted,
    OrganizationMembershipCreated, OrganizationMembershipDeleted, OrganizationMembershipUpdated,
    OrganizationRoleCreated, OrganizationRoleDeleted, OrganizationRoleUpdated, OrganizationUpdated,
    PaginationOrder, PermissionCreated, PermissionDeleted, PermissionUpdated, RoleCreated, RoleUpdated,
    SessionCreated, SessionRevoked, UserCreated, UserDeleted, UserUpdated, events::ListEventsParams,
};
use workos_emulator::Emulator;

use crate::{
    http::call,
    sdk::{self, refusal},
};

const PASSWORD: &str = "correct horse battery staple";

/// Reads the event's envelope and data as the SDK does, and finds nothing missing or added.
fn fits<T: DeserializeOwned + serde::Serialize>(event: &Value) {
    let name = &event["event"];
    let read: T = T::deserialize(event).unwrap_or_else(|error| panic!("{name}: {error}: {event}"));
    let written = serde_json::to_value(read).unwrap();
    let members =
        |event: &Value| -> Vec<String> { event["data"].as_object().unwrap().keys().cloned().collect() };
    for member in members(event) {
        // The models leave out what is null, and mask what is secret.
        let kept = !written["data"][&member].is_null() || event["data"][&member].is_null();
        assert!(kept, "{name}: the SDK's model has no {member}");
    }
}

/// What one change is, and the events that it is to emit.
struct Step(Method, String, Value, &'static [(&'static str, fn(&Value))]);

#[actix_web::test]
async fn every_change_emits_its_events_in_order_and_in_the_shape_of_the_sdk() {
    let emulator = Emulator::start().await.unwrap();
    let mut seen = 0;
    let mut step = async |Step(method, path, body, expected): Step| -> Value {
        let (status, answer) = call(&emulator, method.clone(), &path, &body).await;
        assert!(
            status != 404 && status < 500,
            "{method} {path}: {status} {answer}"
        );
        let (_, events) = call(&emulator, Method::GET, "/events?limit=100", &Value::Null).await;
        let events = events["data"].as_array().unwrap().clone();
        let new = &events[seen..];
        let names: Vec<_> = new.iter().map(|event| event["event"].as_str().unwrap()).collect();
        let wanted: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, wanted, "{method} {path}: {answer}");
        for (event, (_, fits)) in new.iter().zip(expected) {
            assert_eq!(event["object"], "event");
            assert!(event["id"].as_str().unwrap().starts_with("event_"));
            fits(event);
        }
        seen = events.len();
        answer
    };
    use Method as M;
    let id = |answer: &Value| answer["id"].as_str().unwrap().to_owned();

    let user =
        json!({"email": "ada@example.com", "password": PASSWORD, "external_id": "1", "metadata": {"a": "b"}});
    let user = step(Step(
        M::POST,
        "/user_management/users".into(),
        user,
        &[("user.created", fits::<UserCreated>)],
    ))
    .await;
    let user_path = format!("/user_management/users/{}", id(&user));
    let change = json!({"first_name": "Ada"});
    step(Step(
        M::PUT,
        user_path.clone(),
        change,
        &[("user.updated", fits::<UserUpdated>)],
    ))
    .await;
    step(Step(M::PUT, user_path.clone(), json!({"email": "not one"}), &[])).await;

    let acme = json!({"name": "Acme", "domain_data": [{"domain": "acme.com", "state": "verified"}]});
    let acme = step(Step(
        M::POST,
        "/organizations".into(),
        acme,
        &[
            ("organization.created", fits::<OrganizationCreated>),
            ("organization_domain.created", fits::<OrganizationDomainCreated>),
        ],
    ))
    .await;
    let acme_path = format!("/organizations/{}", id(&acme));
    step(Step(
        M::PUT,
        acme_path.clone(),
        json!({"name": "Acme Inc."}),
        &[("organization.updated", fits::<OrganizationUpdated>)],
    ))
    .await;

    let permission = json!({"slug": "posts:write", "name": "Write posts"});
    let permissions = "/authorization/permissions";
    step(Step(
        M::POST,
        permissions.into(),
        permission,
        &[("permission.created", fits::<PermissionCreated>)],
    ))
    .await;
    let permission_path = format!("{permissions}/posts:write");
    let change = json!({"name": "Write"});
    step(Step(
        M::PATCH,
        permission_path.clone(),
        change,
        &[("permission.updated", fits::<PermissionUpdated>)],
    ))
    .await;
    let role = json!({"slug": "editor", "name": "Editor"});
    step(Step(
        M::POST,
        "/authorization/roles".into(),
        role,
        &[("role.created", fits::<RoleCreated>)],
    ))
    .await;
    let grants = json!({"permissions": ["posts:write"]});
    let grants_path = "/authorization/roles/editor/permissions";
    step(Step(
        M::PUT,
        grants_path.into(),
        grants.clone(),
        &[("role.updated", fits::<RoleUpdated>)],
    ))
    .await;
    step(Step(M::PUT, grants_path.into(), grants.clone(), &[])).await;
    let own_roles = format!("/authorization{acme_path}/roles");
    let role = json!({"slug": "org-billing", "name": "Billing"});
    step(Step(
        M::POST,
        own_roles.clone(),
        role,
        &[("organization_role.created", fits::<OrganizationRoleCreated>)],
    ))
    .await;
    step(Step(
        M::PUT,
        format!("{own_roles}/org-billing/permissions"),
        grants,
        &[("organization_role.updated", fits::<OrganizationRoleUpdated>)],
    ))
    .await;
    step(Step(
        M::DELETE,
        format!("{own_roles}/org-billing"),
        Value::Null,
        &[("organization_role.deleted", fits::<OrganizationRoleDeleted>)],
    ))
    .await;

    let memberships = "/user_management/organization_memberships";
    let member = json!({"user_id": id(&user), "organization_id": id(&acme)});
    let member = step(Step(
        M::POST,
        memberships.into(),
        member,
        &[(
            "organization_membership.created",
            fits::<OrganizationMembershipCreated>,
        )],
    ))
    .await;
    let member_path = format!("{memberships}/{}", id(&member));
    let updated: &[(&str, fn(&Value))] = &[(
        "organization_membership.updated",
        fits::<OrganizationMembershipUpdated>,
    )];
    step(Step(
        M::PUT,
        member_path.clone(),
        json!({"role_slug": "editor"}),
        updated,
    ))
    .await;
    step(Step(
        M::PUT,
        member_path.clone(),
        json!({"role_slug": "editor"}),
        &[],
    ))
    .await;

    let sign_in = |password: &str| {
        json!({
            "grant_type": "password", "client_id": "client_emulate", "client_secret": "sk_test_default",
            "email": "ada@example.com", "password": password, "ip_address": "192.0.2.1", "user_agent": "test",
        })
    };
    let token = "/user_management/authenticate";
    step(Step(
        M::POST,
        token.into(),
        sign_in("wrong"),
        &[(
            "authentication.password_failed",
            fits::<AuthenticationPasswordFailed>,
        )],
    ))
    .await;
    // The sign-in is kept with the user.
    step(Step(
        M::POST,
        token.into(),
        sign_in(PASSWORD),
        &[
            (
                "authentication.password_succeeded",
                fits::<AuthenticationPasswordSucceeded>,
            ),
            ("session.created", fits::<SessionCreated>),
        ],
    ))
    .await;
    let (_, sessions) = call(&emulator, M::GET, &format!("{user_path}/sessions"), &Value::Null).await;
    let session = json!({"session_id": sessions["data"][0]["id"]});
    let revoke = "/user_management/sessions/revoke";
    step(Step(
        M::POST,
        revoke.into(),
        session.clone(),
        &[("session.revoked", fits::<SessionRevoked>)],
    ))
    .await;
    step(Step(M::POST, revoke.into(), session, &[])).await;

    step(Step(
        M::POST,
        token.into(),
        sign_in(PASSWORD),
        &[
            (
                "authentication.password_succeeded",
                fits::<AuthenticationPasswordSucceeded>,
            ),
            ("session.created", fits::<SessionCreated>),
        ],
    ))
    .await;
    step(Step(
        M::PUT,
        format!("{member_path}/deactivate"),
        Value::Null,
        &[
            ("session.revoked", fits::<SessionRevoked>),
            (
                "organization_membership.updated",
                fits::<OrganizationMembershipUpdated>,
            ),
        ],
    ))
    .await;
    step(Step(
        M::PUT,
        format!("{member_path}/reactivate"),
        Value::Null,
        updated,
    ))
    .await;
    let tokens = step(Step(
        M::POST,
        token.into(),
        sign_in(PASSWORD),
        &[
            (
                "authentication.password_succeeded",
                fits::<AuthenticationPasswordSucceeded>,
            ),
            ("session.created", fits::<SessionCreated>),
        ],
    ))
    .await;
    let refresh = json!({
        "grant_type": "refresh_token", "client_id": "client_emulate", "client_secret": "sk_test_default",
        "refresh_token": tokens["refresh_token"],
    });
    step(Step(M::POST, token.into(), refresh, &[])).await;
    step(Step(
        M::DELETE,
        permission_path,
        Value::Null,
        &[
            ("role.updated", fits::<RoleUpdated>),
            ("permission.deleted", fits::<PermissionDeleted>),
        ],
    ))
    .await;
    step(Step(
        M::DELETE,
        acme_path,
        Value::Null,
        &[
            ("session.revoked", fits::<SessionRevoked>),
            (
                "organization_membership.deleted",
                fits::<OrganizationMembershipDeleted>,
            ),
            ("organization_domain.deleted", fits::<OrganizationDomainDeleted>),
            ("organization.deleted", fits::<OrganizationDeleted>),
        ],
    ))
    .await;
    step(Step(
        M::DELETE,
        user_path,
        Value::Null,
        &[("user.deleted", fits::<UserDeleted>)],
    ))
    .await;
}

async fn list(emulator: &Emulator, params: ListEventsParams) -> Result<EventList, workos::Error> {
    sdk::client(emulator).events().list_events(params).await
}

fn named(names: &[&str]) -> ListEventsParams {
    ListEventsParams {
        order: None,
        ..ListEventsParams::new(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

fn names(events: &[EventSchema]) -> Vec<&str> {
    events.iter().map(|event| event.event.as_str()).collect()
}

#[actix_web::test]
async fn are_filtered_by_name_organization_and_time_in_the_sdks_form() {
    let emulator = Emulator::start().await.unwrap();
    let clock = async |moved: Value| call(&emulator, Method::POST, "/_emulate/clock", &moved).await;
    clock(json!({"set": "2030-01-01T00:00:00Z", "freeze": true})).await;
    let acme = emulator.organization("Acme").create().unwrap();
    let ada = emulator
        .user("ada@example.com")
        .member_of(&acme, "member")
        .create()
        .unwrap();
    clock(json!({"advance": "60s"})).await;
    emulator.organization("Globex").create().unwrap();
    emulator.sign_in(&ada).await.unwrap();

    let two = list(&emulator, named(&["organization.created", "session.created"]))
        .await
        .unwrap();
    assert_eq!(
        names(&two.data),
        ["organization.created", "organization.created", "session.created"]
    );
    assert_eq!(two.data[0].data["name"], "Acme", "the oldest comes first");
    let of_acme = ListEventsParams {
        organization_id: Some(acme.id.clone()),
        ..named(&[
            "organization.created",
            "organization_membership.created",
            "session.created",
            "user.created",
        ])
    };
    let of_acme = list(&emulator, of_acme).await.unwrap();
    assert_eq!(
        names(&of_acme.data),
        [
            "organization.created",
            "organization_membership.created",
            "session.created"
        ]
    );
    let late = ListEventsParams {
        range_start: Some("2030-01-01T00:00:30.000Z".to_owned()),
        ..named(&["organization.created", "user.created"])
    };
    let late = list(&emulator, late).await.unwrap();
    assert_eq!(
        (names(&late.data), &late.data[0].data["name"]),
        (vec!["organization.created"], &json!("Globex"))
    );
    let early = ListEventsParams {
        range_end: Some("2030-01-01T00:00:30.000Z".to_owned()),
        order: Some(PaginationOrder::Desc),
        ..named(&["organization.created", "user.created"])
    };
    assert_eq!(
        names(&list(&emulator, early).await.unwrap().data),
        ["user.created", "organization.created"]
    );

    let unknown = list(&emulator, named(&["user.creatd"])).await;
    assert_eq!(refusal(unknown), (422, "invalid_request_parameters".to_owned()));
    let nowhere = ListEventsParams {
        organization_id: Some("org_x".to_owned()),
        ..named(&["user.created"])
    };
    assert_eq!(refusal(list(&emulator, nowhere).await).0, 400);
}

#[actix_web::test]
async fn a_consumer_with_a_cursor_sees_every_event_once() {
    let emulator = Emulator::start().await.unwrap();
    let create = |number: usize| {
        emulator
            .user(format!("user{number}@example.com"))
            .create()
            .unwrap()
    };
    for number in 0..25 {
        create(number);
    }
    let mut seen = Vec::new();
    let mut after = None;
    for page in 0..5 {
        let params = ListEventsParams {
            after: after.clone(),
            ..named(&["user.created"])
        };
        let events = list(&emulator, params).await.unwrap();
        seen.extend(
            events
                .data
                .iter()
                .map(|event| event.data["email"].as_str().unwrap().to_owned()),
        );
        after = events.data.last().map(|event| event.id.clone()).or(after);
        // What happens in between comes at the end.
        create(100 + page);
    }
    let expected = (0..25)
        .chain(100..104)
        .map(|number| format!("user{number}@example.com"));
    assert_eq!(seen, expected.collect::<Vec<_>>());
    let both = ListEventsParams {
        after,
        range_start: Some("2020-01-01".to_owned()),
        ..named(&["user.created"])
    };
    assert_eq!(refusal(list(&emulator, both).await).0, 422);
}
