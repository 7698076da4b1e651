//! Every state change of the slice emits its event, in order, in the shape of the SDK's models.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use workos::{
    AuthenticationEmailVerificationFailed, AuthenticationEmailVerificationSucceeded,
    AuthenticationMagicAuthFailed, AuthenticationMagicAuthSucceeded, AuthenticationPasswordFailed,
    AuthenticationPasswordSucceeded, EmailVerificationCreated, EventList, EventSchema, MagicAuthCreated,
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

/// The name of an event, and the check of its shape.
type Expected = (&'static str, fn(&Value));

/// An emulator whose events are read after each change.
struct Log {
    emulator: Emulator,
    seen: usize,
}

impl Log {
    async fn start() -> Self {
        let emulator = Emulator::start().await.unwrap();
        Self { emulator, seen: 0 }
    }

    /// Makes a change, which is to emit these events and no others. Answers what the API answers.
    async fn step(&mut self, request: (Method, &str), body: Value, expected: &[Expected]) -> Value {
        let (method, path) = request;
        let (status, answer) = call(&self.emulator, method.clone(), path, &body).await;
        assert!(
            status != 404 && status < 500,
            "{method} {path}: {status} {answer}"
        );
        let (_, events) = call(&self.emulator, GET, "/events?limit=100", &Value::Null).await;
        let new = &events["data"].as_array().unwrap()[self.seen..];
        let names: Vec<_> = new.iter().map(|event| event["event"].as_str().unwrap()).collect();
        let wanted: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, wanted, "{method} {path}: {answer}");
        for (event, (_, fits)) in new.iter().zip(expected) {
            assert_eq!(event["object"], "event");
            assert!(event["id"].as_str().unwrap().starts_with("event_"));
            fits(event);
        }
        self.seen += new.len();
        answer
    }

    /// The same for what is there before the test begins.
    async fn skip(&mut self) {
        let (_, events) = call(&self.emulator, GET, "/events?limit=100", &Value::Null).await;
        self.seen = events["data"].as_array().unwrap().len();
    }
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

fn below(path: &str, created: &Value) -> String {
    format!(
        "{path}/{}",
        created["id"].as_str().unwrap_or_else(|| panic!("{created}"))
    )
}

#[actix_web::test]
async fn changes_of_users_emit_their_events() {
    let mut log = Log::start().await;
    let users = "/user_management/users";
    let ada =
        json!({"email": "ada@example.com", "password": PASSWORD, "external_id": "1", "metadata": {"a": "b"}});
    let ada = log
        .step((POST, users), ada, &[("user.created", fits::<UserCreated>)])
        .await;
    let path = below(users, &ada);
    log.step((POST, users), json!({"email": "ada@example.com"}), &[])
        .await;
    log.step(
        (PUT, &path),
        json!({"first_name": "Ada"}),
        &[("user.updated", fits::<UserUpdated>)],
    )
    .await;
    log.step((PUT, &path), json!({"email": "not one"}), &[]).await;
    log.step(
        (DELETE, &path),
        Value::Null,
        &[("user.deleted", fits::<UserDeleted>)],
    )
    .await;
}

#[actix_web::test]
async fn changes_of_organizations_emit_their_events() {
    let mut log = Log::start().await;
    let domain =
        |domain: &str| json!({"name": "Acme", "domain_data": [{"domain": domain, "state": "verified"}]});
    let created: &[Expected] = &[
        ("organization.created", fits::<OrganizationCreated>),
        ("organization_domain.created", fits::<OrganizationDomainCreated>),
    ];
    let acme = log
        .step((POST, "/organizations"), domain("acme.com"), created)
        .await;
    let path = below("/organizations", &acme);
    let updated: Expected = ("organization.updated", fits::<OrganizationUpdated>);
    log.step((PUT, &path), json!({"name": "Acme Inc."}), &[updated])
        .await;
    let moved: &[Expected] = &[
        updated,
        ("organization_domain.created", fits::<OrganizationDomainCreated>),
        ("organization_domain.deleted", fits::<OrganizationDomainDeleted>),
    ];
    log.step((PUT, &path), domain("acme.org"), moved).await;
    let deleted: &[Expected] = &[
        ("organization_domain.deleted", fits::<OrganizationDomainDeleted>),
        ("organization.deleted", fits::<OrganizationDeleted>),
    ];
    log.step((DELETE, &path), Value::Null, deleted).await;
}

#[actix_web::test]
async fn changes_of_roles_and_permissions_emit_their_events() {
    let mut log = Log::start().await;
    let acme = log.emulator.organization("Acme").create().unwrap();
    log.skip().await;
    let permissions = "/authorization/permissions";
    let permission = json!({"slug": "posts:write", "name": "Write posts"});
    log.step(
        (POST, permissions),
        permission,
        &[("permission.created", fits::<PermissionCreated>)],
    )
    .await;
    let permission = "/authorization/permissions/posts:write";
    log.step(
        (PATCH, permission),
        json!({"name": "Write"}),
        &[("permission.updated", fits::<PermissionUpdated>)],
    )
    .await;

    let editor = json!({"slug": "editor", "name": "Editor"});
    log.step(
        (POST, "/authorization/roles"),
        editor,
        &[("role.created", fits::<RoleCreated>)],
    )
    .await;
    let grants = || json!({"permissions": ["posts:write"]});
    let path = "/authorization/roles/editor/permissions";
    let role_updated: Expected = ("role.updated", fits::<RoleUpdated>);
    log.step((PUT, path), grants(), &[role_updated]).await;
    log.step((PUT, path), grants(), &[]).await;

    let own_roles = format!("/authorization/organizations/{}/roles", acme.id);
    let billing = json!({"slug": "org-billing", "name": "Billing"});
    let created: Expected = ("organization_role.created", fits::<OrganizationRoleCreated>);
    log.step((POST, &own_roles), billing, &[created]).await;
    let updated: Expected = ("organization_role.updated", fits::<OrganizationRoleUpdated>);
    log.step(
        (PUT, &format!("{own_roles}/org-billing/permissions")),
        grants(),
        &[updated],
    )
    .await;
    let deleted: Expected = ("permission.deleted", fits::<PermissionDeleted>);
    // The roles lose it first.
    log.step(
        (DELETE, permission),
        Value::Null,
        &[role_updated, updated, deleted],
    )
    .await;
    let deleted: Expected = ("organization_role.deleted", fits::<OrganizationRoleDeleted>);
    log.step(
        (DELETE, &format!("{own_roles}/org-billing")),
        Value::Null,
        &[deleted],
    )
    .await;
}

#[actix_web::test]
async fn memberships_and_sessions_emit_their_events_to_the_end() {
    let mut log = Log::start().await;
    let acme = log.emulator.organization("Acme").create().unwrap();
    let ada = log
        .emulator
        .user("ada@example.com")
        .password(PASSWORD)
        .create()
        .unwrap();
    log.emulator.role("editor").create().unwrap();
    log.skip().await;
    let memberships = "/user_management/organization_memberships";
    let member = json!({"user_id": ada.id, "organization_id": acme.id});
    let joined: Expected = (
        "organization_membership.created",
        fits::<OrganizationMembershipCreated>,
    );
    let member = log.step((POST, memberships), member, &[joined]).await;
    let member = below(memberships, &member);
    let updated: Expected = (
        "organization_membership.updated",
        fits::<OrganizationMembershipUpdated>,
    );
    log.step((PUT, &member), json!({"role_slug": "editor"}), &[updated])
        .await;
    log.step((PUT, &member), json!({"role_slug": "editor"}), &[])
        .await;

    let token = "/user_management/authenticate";
    let grant = |grant_type: &str, name: &str, value: &Value| {
        json!({
            "grant_type": grant_type, "client_id": "client_emulate", "client_secret": "sk_test_default",
            "email": "ada@example.com", "ip_address": "192.0.2.1", "user_agent": "test", name: value,
        })
    };
    let password = |password: &str| grant("password", "password", &json!(password));
    let failed: Expected = (
        "authentication.password_failed",
        fits::<AuthenticationPasswordFailed>,
    );
    log.step((POST, token), password("wrong"), &[failed]).await;
    let signed_in: &[Expected] = &[
        (
            "authentication.password_succeeded",
            fits::<AuthenticationPasswordSucceeded>,
        ),
        ("session.created", fits::<SessionCreated>),
    ];
    let tokens = log.step((POST, token), password(PASSWORD), signed_in).await;
    log.step(
        (POST, token),
        grant("refresh_token", "refresh_token", &tokens["refresh_token"]),
        &[],
    )
    .await;

    let of_ada = format!("/user_management/users/{}", ada.id);
    let (_, sessions) = call(&log.emulator, GET, &format!("{of_ada}/sessions"), &Value::Null).await;
    let session = json!({"session_id": sessions["data"][0]["id"]});
    let revoked: Expected = ("session.revoked", fits::<SessionRevoked>);
    log.step(
        (POST, "/user_management/sessions/revoke"),
        session.clone(),
        &[revoked],
    )
    .await;
    log.step((POST, "/user_management/sessions/revoke"), session, &[])
        .await;
    log.step((POST, token), password(PASSWORD), signed_in).await;
    log.step(
        (PUT, &format!("{member}/deactivate")),
        Value::Null,
        &[revoked, updated],
    )
    .await;
    log.step((PUT, &format!("{member}/deactivate")), Value::Null, &[])
        .await;
    log.step((PUT, &format!("{member}/reactivate")), Value::Null, &[updated])
        .await;

    log.step((POST, token), password(PASSWORD), signed_in).await;
    let left: Expected = (
        "organization_membership.deleted",
        fits::<OrganizationMembershipDeleted>,
    );
    let deleted: Expected = ("organization.deleted", fits::<OrganizationDeleted>);
    let path = format!("/organizations/{}", acme.id);
    log.step((DELETE, &path), Value::Null, &[revoked, left, deleted])
        .await;
    log.step((POST, token), password(PASSWORD), signed_in).await;
    log.step(
        (DELETE, &of_ada),
        Value::Null,
        &[revoked, ("user.deleted", fits::<UserDeleted>)],
    )
    .await;
}

#[actix_web::test]
async fn codes_by_email_emit_their_events() {
    let mut log = Log::start().await;
    let ada = json!({"email": "ada@example.com", "password": PASSWORD});
    let created: Expected = ("user.created", fits::<UserCreated>);
    let users = "/user_management/users";
    let ada = log.step((POST, users), ada, &[created]).await;
    let ada = below(users, &ada);
    let sent: Expected = ("email_verification.created", fits::<EmailVerificationCreated>);
    log.step(
        (POST, &format!("{ada}/email_verification/send")),
        Value::Null,
        &[sent],
    )
    .await;
    let failed: Expected = (
        "authentication.email_verification_failed",
        fits::<AuthenticationEmailVerificationFailed>,
    );
    let confirm = format!("{ada}/email_verification/confirm");
    log.step((POST, &confirm), json!({"code": "x"}), &[failed]).await;
    let updated: Expected = ("user.updated", fits::<UserUpdated>);
    let verified: &[Expected] = &[
        (
            "authentication.email_verification_succeeded",
            fits::<AuthenticationEmailVerificationSucceeded>,
        ),
        updated,
    ];
    let code = log.emulator.mailbox().last_to("ada@example.com").unwrap();
    log.step((POST, &confirm), json!({"code": code.code()}), verified)
        .await;

    let magic_auth = "/user_management/magic_auth";
    let sent: Expected = ("magic_auth.created", fits::<MagicAuthCreated>);
    let grace = json!({"email": "grace@example.com"});
    let code = log.step((POST, magic_auth), grace, &[created, sent]).await;
    let redeem = |code: &Value| {
        json!({
            "grant_type": "urn:workos:oauth:grant-type:magic-auth:code", "client_id": "client_emulate",
            "client_secret": "sk_test_default", "email": "grace@example.com", "code": code,
            "ip_address": "192.0.2.1", "user_agent": "test",
        })
    };
    let failed: Expected = (
        "authentication.magic_auth_failed",
        fits::<AuthenticationMagicAuthFailed>,
    );
    let token = "/user_management/authenticate";
    log.step((POST, token), redeem(&json!("x")), &[failed]).await;
    let succeeded: &[Expected] = &[
        (
            "authentication.magic_auth_succeeded",
            fits::<AuthenticationMagicAuthSucceeded>,
        ),
        updated,
        ("session.created", fits::<SessionCreated>),
    ];
    log.step((POST, token), redeem(&code["code"]), succeeded).await;

    let new_email = json!({"new_email": "countess@example.com"});
    log.step((POST, &format!("{ada}/email_change/send")), new_email, &[])
        .await;
    let code = log.emulator.mailbox().last_to("countess@example.com").unwrap();
    let code = json!({"code": code.code()});
    log.step((POST, &format!("{ada}/email_change/confirm")), code, &[updated])
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
