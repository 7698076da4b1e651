use serde_json::json;

use super::*;
use crate::{
    api::{
        authorization::permissions::{self, NewPermission},
        organizations::{self, CreateOrganization},
        recorded,
    },
    environment::Environment,
};

/// An environment as it begins, with an organization.
fn environment() -> (Environment, String) {
    let environment = Environment::for_tests();
    let acme = CreateOrganization {
        name: "Acme".to_owned(),
        ..CreateOrganization::default()
    };
    let organization = environment
        .transact(|tx| {
            seed_defaults(tx)?;
            organizations::create(tx, acme)
        })
        .unwrap();
    (environment, organization.id.clone())
}

fn add_permissions(environment: &Environment, slugs: &[&str]) {
    for slug in slugs {
        let new = NewPermission {
            slug: (*slug).to_owned(),
            name: (*slug).to_owned(),
            ..NewPermission::default()
        };
        environment.transact(|tx| permissions::create(tx, new)).unwrap();
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The events behind those of the organization and the permissions.
fn role_events(environment: &Environment) -> Vec<(String, serde_json::Value)> {
    let events = recorded::events(&environment.state());
    let of_role = |(name, _): &(String, serde_json::Value)| name.contains("role.");
    events.into_iter().filter(of_role).collect()
}

#[test]
fn an_environment_begins_with_the_default_role_member() {
    let (environment, organization) = environment();
    environment.transact(seed_defaults).unwrap();
    let state = environment.state();
    let slugs: Vec<_> = of_environment(&state).map(|role| role.slug.as_str()).collect();
    assert_eq!(slugs, ["member"]);
    assert_eq!(default_slug(&state, &organization), "member");
    assert!(role_events(&environment).is_empty());
    assert_eq!(
        serde_json::to_value(find(&state, "", "member").unwrap().body()).unwrap(),
        json!({
            "object": "role",
            "id": find(&state, "", "member").unwrap().id,
            "slug": "member",
            "name": "Member",
            "description": null,
            "type": "EnvironmentRole",
            "resource_type_slug": "organization",
            "permissions": [],
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
}

#[test]
fn a_role_is_made_and_changed_with_its_events() {
    let (environment, _) = environment();
    add_permissions(&environment, &["posts:read", "posts:write"]);
    let editor = environment
        .transact(|tx| create(tx, NewRole::named("editor", "Editor")))
        .unwrap();
    let editor = environment
        .transact(|tx| {
            set_permissions(
                tx,
                &editor,
                strings(&["posts:write", "posts:read", "posts:write"]),
            )
        })
        .unwrap();
    assert_eq!(editor.permissions, ["posts:write", "posts:read"]);
    let changes = RoleChanges {
        name: Some("Chief editor".to_owned()),
        ..RoleChanges::default()
    };
    let editor = environment.transact(|tx| update(tx, &editor, changes)).unwrap();
    assert_eq!((editor.name.as_str(), editor.priority), ("Chief editor", 1));
    let same = environment
        .transact(|tx| add_permission(tx, &editor, "posts:read".to_owned()))
        .unwrap();
    assert_eq!(same, editor);
    let events = role_events(&environment);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["role.created", "role.updated", "role.updated"]);
    assert_eq!(
        events[1].1,
        json!({
            "object": "role",
            "slug": "editor",
            "resource_type_slug": "organization",
            "permissions": ["posts:write", "posts:read"],
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
}

#[test]
fn refuses_a_taken_slug_and_an_unknown_permission_and_changes_nothing() {
    let (environment, _) = environment();
    let before = environment.state().sequence;
    let taken = environment
        .transact(|tx| create(tx, NewRole::named("member", "Member")))
        .unwrap_err();
    assert_eq!((taken.status, taken.code()), (409, Some("role_slug_conflict")));
    let member = Arc::clone(find_of_environment(&environment.state(), "member").unwrap());
    let unknown = environment
        .transact(|tx| set_permissions(tx, &member, strings(&["nothing"])))
        .unwrap_err();
    assert_eq!(
        (unknown.status, &unknown.body["entity_id"]),
        (404, &json!("nothing"))
    );
    let wrong = environment
        .transact(|tx| create(tx, NewRole::named("Editor", "Editor")))
        .unwrap_err();
    assert_eq!(
        (wrong.status, &wrong.body["errors"][0]["field"]),
        (422, &json!("slug"))
    );
    assert_eq!(environment.state().sequence, before);
}

#[test]
fn an_organization_has_the_environments_roles_and_then_its_own() {
    let (environment, organization) = environment();
    let own = |slug: Option<&str>| NewRole {
        slug: slug.map(str::to_owned),
        name: "Billing Admin".to_owned(),
        organization_id: Some(organization.clone()),
        ..NewRole::default()
    };
    let first = environment
        .transact(|tx| create(tx, own(Some("org-billing"))))
        .unwrap();
    let second = environment.transact(|tx| create(tx, own(None))).unwrap();
    assert!(second.slug.starts_with("billing-admin-"), "{}", second.slug);
    let state = environment.state();
    let slugs: Vec<_> = of_organization(&state, &organization)
        .map(|role| role.slug.as_str())
        .collect();
    assert_eq!(slugs, ["member", "org-billing", &second.slug]);
    assert!(find(&state, "org_other", "org-billing").is_none());
    assert_eq!(
        find_of_organization(&state, &organization, "member")
            .unwrap_err()
            .status,
        403
    );
    let taken = environment
        .transact(|tx| create(tx, own(Some("org-billing"))))
        .unwrap_err();
    assert_eq!(
        (taken.status, taken.code()),
        (409, Some("organization_role_slug_conflict"))
    );
    environment.transact(|tx| delete(tx, &first)).unwrap();
    let events = role_events(&environment);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "organization_role.created",
            "organization_role.created",
            "organization_role.deleted"
        ]
    );
    assert_eq!(
        events[2].1,
        json!({
            "object": "organization_role",
            "organization_id": organization,
            "slug": "org-billing",
            "name": "Billing Admin",
            "description": null,
            "resource_type_slug": "organization",
            "permissions": [],
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    environment
        .transact(|tx| delete_of_organization(tx, &organization))
        .unwrap();
    assert_eq!(environment.state().roles.len(), 1);
}

#[test]
fn the_default_role_moves_and_stays() {
    let (environment, organization) = environment();
    let admin = NewRole {
        is_default: true,
        ..NewRole::named("admin", "Admin")
    };
    environment.transact(|tx| create(tx, admin)).unwrap();
    let state = environment.state();
    assert_eq!(default_slug(&state, &organization), "admin");
    assert_eq!(state.roles.iter().filter(|role| role.is_default).count(), 1);
    let own = NewRole {
        organization_id: Some(organization.clone()),
        is_default: true,
        ..NewRole::named("org-guest", "Guest")
    };
    let own = environment.transact(|tx| create(tx, own)).unwrap();
    assert_eq!(default_slug(&environment.state(), &organization), "org-guest");
    assert_eq!(default_slug(&environment.state(), "org_other"), "admin");
    let refused = environment.transact(|tx| delete(tx, &own)).unwrap_err();
    assert_eq!((refused.status, refused.code()), (400, Some("bad_request")));
}

#[test]
fn a_seed_describes_a_role_that_is_there() {
    let (environment, _) = environment();
    add_permissions(&environment, &["posts:read"]);
    let before = Arc::clone(find_of_environment(&environment.state(), "member").unwrap());
    let member = NewRole {
        permissions: strings(&["posts:read"]),
        ..NewRole::named("member", "Reader")
    };
    let after = environment.transact(|tx| seed(tx, member)).unwrap();
    assert_eq!(
        (&after.id, after.is_default, after.priority),
        (&before.id, true, 0)
    );
    assert_eq!(
        (after.name.as_str(), after.permissions.as_slice()),
        ("Reader", &strings(&["posts:read"])[..])
    );
    environment
        .transact(|tx| seed(tx, NewRole::named("admin", "Admin")))
        .unwrap();
    let names: Vec<_> = role_events(&environment)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["role.updated", "role.created"]);
}

#[test]
fn a_token_carries_the_union_of_permissions() {
    let (environment, organization) = environment();
    add_permissions(&environment, &["a", "b", "c"]);
    environment
        .transact(|tx| {
            for (slug, permissions) in [("designer", &["b", "a"][..]), ("engineer", &["a", "c"])] {
                let permissions = strings(permissions);
                create(
                    tx,
                    NewRole {
                        permissions,
                        ..NewRole::named(slug, slug)
                    },
                )?;
            }
            Ok::<_, ApiError>(())
        })
        .unwrap();
    let state = environment.state();
    let of = |slugs: &[&str]| permissions_of(&state, &organization, &strings(slugs));
    assert_eq!(of(&["designer", "engineer"]), ["b", "a", "c"]);
    assert!(of(&["member"]).is_empty());
    assert!(of(&["gone"]).is_empty());
}

#[test]
fn operations_name_the_roles_owner() {
    use crate::{
        api::authorization::{environment_roles as of_environment, organization_roles as of_organization},
        server::{call::Call, reply::Reply},
    };
    let (environment, organization) = environment();
    let environment = Arc::new(environment);
    add_permissions(&environment, &["posts:read"]);
    let call = |operation: fn(&Call) -> Result<Reply, ApiError>, slug: &str, body| {
        let params = [
            ("organizationId", organization.as_str()),
            ("slug", slug),
            ("permissionSlug", "posts:read"),
        ];
        let reply = operation(&Call::for_tests(&environment, &params, "", body))?;
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok::<_, ApiError>((reply.status, body))
    };
    let none = json!({});
    let new = json!({"slug": "org-guest", "name": "Guest", "description": "Looks on"});
    let (status, made) = call(of_organization::create_organization_role, "", new).unwrap();
    assert_eq!((status, &made["type"]), (201, &json!("OrganizationRole")));
    let (_, list) = call(of_organization::list_organization_roles, "", none.clone()).unwrap();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["slug"], "member");
    assert_eq!(list["data"][1], made);
    assert!(list.get("list_metadata").is_none());
    let (_, list) = call(of_environment::list_environment_roles, "", none.clone()).unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);

    let add = json!({"slug": "posts:read"});
    let (_, role) = call(
        of_organization::add_organization_role_permission,
        "org-guest",
        add.clone(),
    )
    .unwrap();
    assert_eq!(role["permissions"], json!(["posts:read"]));
    let remove = of_organization::remove_organization_role_permission;
    let (status, role) = call(remove, "org-guest", none.clone()).unwrap();
    assert_eq!((status, &role["permissions"]), (200, &json!([])));
    assert_eq!(call(remove, "org-guest", none.clone()).unwrap_err().status, 404);
    let clear = json!({"name": "Visitor", "description": null});
    let (_, role) = call(of_organization::update_organization_role, "org-guest", clear).unwrap();
    assert_eq!(
        (&role["name"], &role["description"]),
        (&json!("Visitor"), &json!(null))
    );

    let refused = call(of_organization::delete_organization_role, "member", none.clone()).unwrap_err();
    assert_eq!(refused.status, 403);
    let refused = call(of_environment::get_environment_role, "org-guest", none.clone()).unwrap_err();
    assert_eq!((refused.status, refused.code()), (404, Some("entity_not_found")));
    let (_, member) = call(of_environment::add_environment_role_permission, "member", add).unwrap();
    assert_eq!(member["permissions"], json!(["posts:read"]));
    let (status, _) = call(of_organization::delete_organization_role, "org-guest", none).unwrap();
    assert_eq!(status, 204);
}
