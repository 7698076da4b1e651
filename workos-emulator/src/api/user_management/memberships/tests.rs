use serde_json::{Value, json};

use super::{
    rules::{deactivate, delete, reactivate, set_roles},
    *,
};
use crate::{
    api::{
        authorization::roles::{self, NewRole},
        metadata::Metadata,
        organizations::CreateOrganization,
        recorded,
        user_management::sessions::{AuthMethod, Session, SessionStatus},
    },
    control::settings::Settings,
    environment::Environment,
    server::{call::Call, reply::Reply},
    store::Transaction,
};

const USER: &str = "user_01";
const ORGANIZATION: &str = "org_01";

/// An environment with one user, one organization, and the roles member, admin and editor.
fn environment() -> Environment {
    let environment = Environment::for_tests();
    environment
        .transact(|tx| {
            roles::seed_defaults(tx)?;
            roles::create(tx, NewRole::named("admin", "Admin"))?;
            roles::create(tx, NewRole::named("editor", "Editor"))?;
            let scoped = NewRole {
                resource_type_slug: Some("project".to_owned()),
                ..NewRole::named("project-owner", "Owner")
            };
            roles::create(tx, scoped)?;
            let acme = CreateOrganization {
                id: Some(ORGANIZATION.to_owned()),
                name: "Acme".to_owned(),
                ..CreateOrganization::default()
            };
            organizations::create(tx, acme)?;
            tx.put(user(tx, USER, "ada@example.com"))?;
            Ok::<_, ApiError>(())
        })
        .unwrap();
    environment
}

fn user(tx: &Transaction<'_>, id: &str, email: &str) -> User {
    User {
        id: id.to_owned(),
        email: email.to_owned(),
        email_verified: true,
        first_name: None,
        last_name: None,
        name: None,
        profile_picture_url: None,
        last_sign_in_at: None,
        locale: None,
        external_id: None,
        metadata: Metadata::new(),
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

fn new(roles: &[&str], status: MembershipStatus) -> NewMembership {
    NewMembership {
        id: None,
        user_id: USER.to_owned(),
        organization_id: ORGANIZATION.to_owned(),
        roles: roles.iter().map(|slug| (*slug).to_owned()).collect(),
        status,
        directory_id: None,
    }
}

fn join(environment: &Environment, roles: &[&str]) -> Result<Arc<OrganizationMembership>, ApiError> {
    environment.transact(|tx| create(tx, new(roles, MembershipStatus::Active)))
}

fn sign_in(environment: &Environment, id: &str, organization_id: Option<&str>) {
    environment
        .transact(|tx| {
            let session = Session {
                id: id.to_owned(),
                user_id: USER.to_owned(),
                organization_id: organization_id.map(str::to_owned),
                auth_method: AuthMethod::Password,
                impersonator: None,
                status: SessionStatus::Active,
                ip_address: None,
                user_agent: None,
                expires_at: "2027-01-01T00:00:00Z".parse().unwrap(),
                ended_at: None,
                created_at: tx.now(),
                updated_at: tx.now(),
            };
            tx.put(session).map(drop)
        })
        .unwrap();
}

/// The events of memberships and sessions.
fn event_names(environment: &Environment) -> Vec<String> {
    let mut names = recorded::event_names(&environment.state());
    names.retain(|name| name.starts_with("organization_membership.") || name.starts_with("session."));
    names
}

fn status_of_session(environment: &Environment, id: &str) -> SessionStatus {
    environment.state().sessions.get(id).unwrap().status
}

#[test]
fn a_member_is_shown_with_the_user_and_told_of_without() {
    let environment = environment();
    let made = join(&environment, &[]).unwrap();
    assert!(made.id.starts_with("om_"));
    let state = environment.state();
    let mut expected = json!({
        "object": "organization_membership",
        "id": made.id,
        "user_id": USER,
        "organization_id": ORGANIZATION,
        "status": "active",
        "directory_managed": false,
        "role": {"slug": "member"},
        "roles": [{"slug": "member"}],
        "custom_attributes": {},
        "created_at": "2026-01-15T12:00:00.000Z",
        "updated_at": "2026-01-15T12:00:00.000Z",
    });
    let (name, data) = recorded::events(&state).pop().unwrap();
    assert_eq!(
        (name.as_str(), &data),
        ("organization_membership.created", &expected)
    );
    expected["organization_name"] = json!("Acme");
    expected["user"] = serde_json::to_value(state.users.get(USER).unwrap()).unwrap();
    assert_eq!(expected["user"]["email"], "ada@example.com");
    assert_eq!(
        serde_json::to_value(made.body(&state).unwrap()).unwrap(),
        expected
    );
    assert_eq!(active(&state, USER, ORGANIZATION), Some(&*made));
    assert_eq!(active_of_user(&state, USER).collect::<Vec<_>>(), [&*made]);
}

#[test]
fn refuses_unknown_parties_and_roles() {
    let environment = environment();
    let before = environment.state().sequence;
    let with = |change: fn(&mut NewMembership)| {
        let mut new = new(&[], MembershipStatus::Active);
        change(&mut new);
        environment.transact(|tx| create(tx, new)).unwrap_err()
    };
    let refused = with(|new| new.user_id = "user_x".to_owned());
    assert_eq!(
        (refused.status, &refused.body["entity_id"]),
        (404, &json!("user_x"))
    );
    let refused = with(|new| new.organization_id = "org_x".to_owned());
    assert_eq!(
        (refused.status, &refused.body["entity_id"]),
        (404, &json!("org_x"))
    );
    let refused = with(|new| new.roles = vec!["nobody".to_owned()]);
    assert_eq!(
        refused,
        ApiError::new(422, "invalid_role", "Role 'nobody' is not a valid role.")
    );
    let refused = with(|new| new.roles = vec!["editor".to_owned(), "admin".to_owned()]);
    assert_eq!(
        (refused.status, refused.code()),
        (422, Some("multiple_roles_not_enabled"))
    );
    let refused = with(|new| new.roles = vec!["project-owner".to_owned()]);
    assert_eq!(
        (refused.status, refused.code(), &refused.body["role_slug"]),
        (
            422,
            Some("sub_resource_scoped_role_not_allowed"),
            &json!("project-owner")
        )
    );
    assert_eq!(environment.state().sequence, before);
}

#[test]
fn several_roles_stand_by_priority_where_they_are_allowed() {
    let environment = environment();
    environment
        .transact(|tx| {
            tx.put(Settings {
                multiple_roles: true,
                ..Settings::default()
            })
            .map(drop)
        })
        .unwrap();
    let made = join(&environment, &["editor", "admin", "editor"]).unwrap();
    assert_eq!(made.roles, ["admin", "editor"]);
    assert_eq!(made.role(), "admin");
}

#[test]
fn an_inactive_membership_is_activated_with_the_new_role() {
    let environment = environment();
    let made = join(&environment, &["admin"]).unwrap();
    let again = join(&environment, &[]).unwrap_err();
    assert_eq!(
        (again.status, again.code()),
        (400, Some("organization_membership_already_exists"))
    );
    environment.transact(|tx| deactivate(tx, &made.id)).unwrap();
    let back = join(&environment, &["editor"]).unwrap();
    assert_eq!((&back.id, back.status), (&made.id, MembershipStatus::Active));
    assert_eq!(back.roles, ["editor"]);
    assert_eq!(environment.state().organization_memberships.len(), 1);
}

#[test]
fn deactivating_ends_the_sessions_in_the_organization_only() {
    let environment = environment();
    let made = join(&environment, &["admin"]).unwrap();
    sign_in(&environment, "session_in", Some(ORGANIZATION));
    sign_in(&environment, "session_out", None);
    let ended = environment.transact(|tx| deactivate(tx, &made.id)).unwrap();
    assert_eq!(ended.status, MembershipStatus::Inactive);
    assert_eq!(
        status_of_session(&environment, "session_in"),
        SessionStatus::Revoked
    );
    assert_eq!(
        status_of_session(&environment, "session_out"),
        SessionStatus::Active
    );
    assert_eq!(active(&environment.state(), USER, ORGANIZATION), None);
    let sequence = environment.state().sequence;
    environment.transact(|tx| deactivate(tx, &made.id)).unwrap();
    assert_eq!(environment.state().sequence, sequence);
    let back = environment.transact(|tx| reactivate(tx, &made.id)).unwrap();
    assert_eq!((back.status, back.role()), (MembershipStatus::Active, "admin"));
    environment.transact(|tx| reactivate(tx, &made.id)).unwrap();
    assert_eq!(
        event_names(&environment),
        [
            "organization_membership.created",
            "session.revoked",
            "organization_membership.updated",
            "organization_membership.updated",
        ]
    );
    assert_eq!(
        status_of_session(&environment, "session_in"),
        SessionStatus::Revoked
    );
}

#[test]
fn a_pending_membership_is_neither_ended_nor_activated() {
    let environment = environment();
    let pending = environment
        .transact(|tx| create(tx, new(&[], MembershipStatus::Pending)))
        .unwrap();
    let refused = environment
        .transact(|tx| deactivate(tx, &pending.id))
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (400, Some("cannot_deactivate_pending_organization_membership"))
    );
    for refused in [
        environment
            .transact(|tx| reactivate(tx, &pending.id))
            .unwrap_err(),
        join(&environment, &[]).unwrap_err(),
    ] {
        assert_eq!(
            (refused.status, refused.code()),
            (400, Some("cannot_reactivate_pending_organization_membership"))
        );
    }
    environment.transact(|tx| delete(tx, &pending.id)).unwrap();
    assert_eq!(environment.state().organization_memberships.len(), 0);
}

#[test]
fn roles_change_with_one_event() {
    let environment = environment();
    let made = join(&environment, &[]).unwrap();
    let set = |slug: &str| environment.transact(|tx| set_roles(tx, &made.id, vec![slug.to_owned()]));
    assert_eq!(set("admin").unwrap().roles, ["admin"]);
    set("admin").unwrap();
    assert_eq!(set("nobody").unwrap_err().code(), Some("invalid_role"));
    let events = recorded::events(&environment.state());
    assert_eq!(events.last().unwrap().1["role"], json!({"slug": "admin"}));
    assert_eq!(
        event_names(&environment),
        [
            "organization_membership.created",
            "organization_membership.updated"
        ]
    );
}

#[test]
fn everything_of_an_organization_or_a_user_goes() {
    type Rule = fn(&mut Transaction<'_>) -> Result<(), ApiError>;
    let rules: [Rule; 2] = [
        |tx| delete_of_organization(tx, ORGANIZATION),
        |tx| delete_of_user(tx, USER),
    ];
    for rule in rules {
        let environment = environment();
        join(&environment, &[]).unwrap();
        sign_in(&environment, "session_in", Some(ORGANIZATION));
        environment
            .transact(|tx| {
                let other = CreateOrganization {
                    id: Some("org_02".to_owned()),
                    name: "Other".to_owned(),
                    ..CreateOrganization::default()
                };
                organizations::create(tx, other)?;
                tx.put(user(tx, "user_02", "bob@example.com"))?;
                let kept = NewMembership {
                    user_id: "user_02".to_owned(),
                    organization_id: "org_02".to_owned(),
                    ..new(&[], MembershipStatus::Inactive)
                };
                create(tx, kept)?;
                rule(tx)
            })
            .unwrap();
        let state = environment.state();
        let left: Vec<_> = state
            .organization_memberships
            .iter()
            .map(|m| &m.user_id)
            .collect();
        assert_eq!(left, ["user_02"]);
        assert_eq!(
            event_names(&environment)[2..],
            ["session.revoked", "organization_membership.deleted"]
        );
        assert!(state.is_consistent());
    }
}

#[test]
fn a_role_in_use_is_not_deleted() {
    let environment = environment();
    let refused = environment
        .transact(|tx| {
            let own = NewRole {
                organization_id: Some(ORGANIZATION.to_owned()),
                ..NewRole::named("org-guest", "Guest")
            };
            let own = roles::create(tx, own)?;
            create(tx, new(&["org-guest"], MembershipStatus::Inactive))?;
            roles::delete(tx, &own)
        })
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (409, Some("role_has_assignments"))
    );
}

/// Calls an operation: its path's id, its query and its body.
fn call(
    environment: &Arc<Environment>,
    operation: fn(&Call) -> Result<Reply, ApiError>,
    id: &str,
    query: &str,
    body: Value,
) -> Result<(u16, Value), ApiError> {
    let reply = operation(&Call::for_tests(environment, &[("id", id)], query, body))?;
    let body = serde_json::from_slice(&reply.body).unwrap_or_default();
    Ok((reply.status, body))
}

#[test]
fn lists_by_user_organization_and_status() {
    let environment = Arc::new(environment());
    let ended = join(&environment, &["admin"]).unwrap();
    environment.transact(|tx| deactivate(tx, &ended.id)).unwrap();
    let running = environment
        .transact(|tx| {
            tx.put(user(tx, "user_02", "bob@example.com"))?;
            let second = NewMembership {
                user_id: "user_02".to_owned(),
                ..new(&[], MembershipStatus::Active)
            };
            create(tx, second)
        })
        .unwrap();
    let list = |query: &str| {
        call(&environment, list_organization_memberships, "", query, json!({})).map(|(status, body)| {
            assert_eq!((status, &body["object"]), (200, &json!("list")));
            let data = body["data"].as_array().unwrap();
            let id = |membership: &Value| membership["id"].as_str().unwrap().to_owned();
            data.iter().map(id).collect::<Vec<_>>()
        })
    };
    assert_eq!(list("organization_id=org_01").unwrap(), [running.id.as_str()]);
    assert!(list("user_id=user_01").unwrap().is_empty());
    assert_eq!(
        list("user_id=user_01&statuses=inactive").unwrap(),
        [ended.id.as_str()]
    );
    for query in [
        "organization_id=org_01&statuses=inactive,active",
        "organization_id=org_01&statuses[]=active&statuses[]=inactive",
    ] {
        assert_eq!(list(query).unwrap(), [running.id.as_str(), &ended.id], "{query}");
    }
    let both = "user_id=user_01&organization_id=org_01";
    assert!(list(both).unwrap().is_empty());
    assert_eq!(
        list(&format!("{both}&statuses=inactive")).unwrap(),
        [ended.id.as_str()]
    );
    let refused = list("").unwrap_err();
    assert_eq!(
        (refused.status, refused.code()),
        (400, Some("missing_user_id_or_organization_id"))
    );
    let refused = list("user_id=user_01&statuses=gone").unwrap_err();
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["field"]),
        (422, &json!("statuses"))
    );
    assert_eq!(list("user_id=user_x").unwrap_err().status, 404);
    assert_eq!(list("organization_id=org_x").unwrap_err().status, 404);
}

#[test]
fn operations_answer_as_the_sdk_expects() {
    let environment = Arc::new(environment());
    let parties = json!({"user_id": USER, "organization_id": ORGANIZATION, "role_slug": "editor"});
    let (status, made) = call(&environment, create_organization_membership, "", "", parties).unwrap();
    assert_eq!(
        (status, &made["role"], &made["user"]["id"]),
        (201, &json!({"slug": "editor"}), &json!(USER))
    );
    let id = made["id"].as_str().unwrap();
    let put = |operation, body| call(&environment, operation, id, "", body);
    let (status, updated) = put(update_organization_membership, json!({"role_slugs": ["admin"]})).unwrap();
    assert_eq!((status, &updated["roles"]), (200, &json!([{"slug": "admin"}])));
    let (_, same) = put(update_organization_membership, json!({})).unwrap();
    assert_eq!(same, updated);
    for wrong in [
        json!({"role_slug": "admin", "role_slugs": ["admin"]}),
        json!({"role_slugs": []}),
        json!({"role_slug": 1}),
    ] {
        let refused = put(update_organization_membership, wrong).unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (422, Some("invalid_request_parameters"))
        );
    }
    let (status, ended) = put(deactivate_organization_membership, json!({})).unwrap();
    assert_eq!((status, &ended["status"]), (200, &json!("inactive")));
    let (status, back) = put(reactivate_organization_membership, json!({})).unwrap();
    assert_eq!(
        (status, &back["status"], &back["role"]),
        (200, &json!("active"), &json!({"slug": "admin"}))
    );
    assert_eq!(put(get_organization_membership, json!({})).unwrap(), (200, back));
    assert_eq!(
        put(delete_organization_membership, json!({})).unwrap(),
        (200, Value::Null)
    );
    let gone = put(get_organization_membership, json!({})).unwrap_err();
    assert_eq!((gone.status, gone.code()), (404, Some("entity_not_found")));
    let missing = call(&environment, create_organization_membership, "", "", json!({})).unwrap_err();
    assert_eq!(
        (missing.status, &missing.body["errors"][0]["field"]),
        (422, &json!("user_id"))
    );
}
