use serde_json::json;

use super::*;
use crate::{
    api::{
        organizations::{self, CreateOrganization},
        user_management::memberships::{MembershipStatus, OrganizationMembership},
    },
    environment::Environment,
    store::Page,
};

fn new(email: &str) -> NewUser {
    NewUser {
        email: email.to_owned(),
        ..NewUser::default()
    }
}

fn create_in(environment: &Environment, new: NewUser) -> Result<Arc<User>, ApiError> {
    environment.transact(|tx| create(tx, new))
}

fn update_in(environment: &Environment, id: &str, changes: UserChanges) -> Result<Arc<User>, ApiError> {
    environment.transact(|tx| update(tx, id, changes))
}

/// The names of all events, and the data of the last one.
fn events(environment: &Environment) -> (Vec<String>, Value) {
    let state = environment.state();
    let names = state.events.iter().map(|event| event.event.clone()).collect();
    let last = state.events.iter().next_back().map(|event| event.data.get());
    (names, serde_json::from_str(last.unwrap_or("null")).unwrap())
}

fn set(text: &str) -> Patch<String> {
    Patch::Set(text.to_owned())
}

#[test]
fn a_new_user_is_shown_as_the_api_describes_it() {
    let environment = Environment::for_tests();
    let user = create_in(
        &environment,
        NewUser {
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lovelace".to_owned()),
            external_id: Some("ext 1".to_owned()),
            metadata: Some(json!({"plan": "pro"}).as_object().unwrap().clone()),
            password_hash: Some(PasswordHash::decoy()),
            ..new(" Ada@Example.com ")
        },
    )
    .unwrap();
    let shown = serde_json::to_value(&user).unwrap();
    assert_eq!(
        shown,
        json!({
            "object": "user", "id": user.id, "email": "ada@example.com", "email_verified": false,
            "first_name": "Ada", "last_name": "Lovelace", "name": "Ada Lovelace",
            "profile_picture_url": null, "last_sign_in_at": null, "locale": null,
            "external_id": "ext 1", "metadata": {"plan": "pro"},
            "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    assert!(user.id.starts_with("user_01"));
    assert_eq!(events(&environment), (vec!["user.created".to_owned()], shown));
    let state = environment.state();
    assert!(password::find(&state, &user.id).is_some());
    assert_eq!(find_by_email(&state, "ADA@example.com ").unwrap().id, user.id);
    assert_eq!(state.sequence, 1, "user, password and event are one commit");
}

#[test]
fn a_taken_address_is_refused_as_seen_in_production() {
    let environment = Environment::for_tests();
    create_in(&environment, new("ada@example.com")).unwrap();
    let refused = create_in(&environment, new("ADA@example.com")).unwrap_err();
    assert_eq!(refused.status, 400);
    assert_eq!(
        Value::Object(refused.body),
        json!({
            "message": "Could not create user.",
            "code": "user_creation_error",
            "errors": [{"code": "email_not_available", "message": "This email is not available."}],
        })
    );
    assert_eq!(environment.state().users.len(), 1);
}

#[test]
fn a_user_that_cannot_be_created_leaves_nothing() {
    let environment = Environment::for_tests();
    let ada = NewUser {
        external_id: Some("1".to_owned()),
        ..new("ada@example.com")
    };
    create_in(&environment, ada).unwrap();
    let text = |text: &str| Some(text.to_owned());
    for (new, status, code) in [
        (new("ada"), 400, "user_creation_error"),
        (
            NewUser {
                external_id: text("1"),
                ..new("b@example.com")
            },
            400,
            "user_creation_error",
        ),
        (
            NewUser {
                external_id: text(""),
                ..new("b@example.com")
            },
            422,
            "invalid_request_parameters",
        ),
        (
            NewUser {
                first_name: Some("x".repeat(256)),
                ..new("b@example.com")
            },
            422,
            "invalid_request_parameters",
        ),
        (
            NewUser {
                locale: text("not a locale"),
                ..new("b@example.com")
            },
            400,
            "invalid_locale",
        ),
        (
            NewUser {
                metadata: json!({"a": 1}).as_object().cloned(),
                ..new("b@example.com")
            },
            400,
            "invalid_metadata",
        ),
    ] {
        let refused = create_in(&environment, new).unwrap_err();
        assert_eq!(
            (refused.status, refused.code()),
            (status, Some(code)),
            "{refused}"
        );
    }
    assert_eq!(environment.state().sequence, 1);
}

#[test]
fn an_update_leaves_out_keeps_clears_and_merges() {
    let environment = Environment::for_tests();
    let user = create_in(
        &environment,
        NewUser {
            first_name: Some("Ada".to_owned()),
            external_id: Some("1".to_owned()),
            metadata: json!({"a": "1", "b": "2"}).as_object().cloned(),
            locale: Some("en".to_owned()),
            ..new("ada@example.com")
        },
    )
    .unwrap();
    let changes = UserChanges {
        external_id: Patch::Clear,
        metadata: json!({"a": null, "c": "3"}).as_object().cloned(),
        ..UserChanges::default()
    };
    let updated = update_in(&environment, &user.id, changes).unwrap();
    let metadata = [("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())];
    assert_eq!(
        *updated,
        User {
            external_id: None,
            metadata: metadata.into(),
            ..User::clone(&user)
        }
    );
    let (names, data) = events(&environment);
    assert_eq!(names, ["user.created", "user.updated"]);
    assert_eq!(data, serde_json::to_value(&updated).unwrap());
}

#[test]
fn a_derived_name_follows_its_parts_and_a_given_one_stays() {
    let environment = Environment::for_tests();
    let id = create_in(&environment, new("ada@example.com"))
        .unwrap()
        .id
        .clone();
    let name = |changes: UserChanges| update_in(&environment, &id, changes).unwrap().name.clone();
    let first = |name| UserChanges {
        first_name: set(name),
        ..UserChanges::default()
    };
    assert_eq!(name(first("Ada")).as_deref(), Some("Ada"));
    let both = UserChanges {
        last_name: set(" Byron "),
        ..first("Augusta")
    };
    assert_eq!(name(both).as_deref(), Some("Augusta Byron"));
    let given = UserChanges {
        name: set("The Countess"),
        ..UserChanges::default()
    };
    assert_eq!(name(given).as_deref(), Some("The Countess"));
    assert_eq!(name(first("Ada")).as_deref(), Some("The Countess"));
    let cleared = UserChanges {
        name: Patch::Clear,
        ..UserChanges::default()
    };
    assert_eq!(name(cleared), None);
    assert_eq!(name(first("A.")), None);
}

#[test]
fn a_new_address_is_unverified_unless_said_otherwise() {
    let environment = Environment::for_tests();
    let user = create_in(
        &environment,
        NewUser {
            email_verified: true,
            ..new("ada@example.com")
        },
    )
    .unwrap();
    let update = |email: &str, email_verified| {
        let email = Some(email.to_owned());
        update_in(
            &environment,
            &user.id,
            UserChanges {
                email,
                email_verified,
                ..UserChanges::default()
            },
        )
        .unwrap()
    };
    assert!(
        update(" ADA@example.com", None).email_verified,
        "the same address"
    );
    assert!(!update("countess@example.com", None).email_verified);
    assert!(update("ada@example.org", Some(true)).email_verified);
    assert!(!update("ada@example.net", Some(false)).email_verified);
    let state = environment.state();
    assert!(find_by_email(&state, "ada@example.com").is_none());
    assert!(find_by_email(&state, "ada@example.net").is_some());
}

#[test]
fn a_refused_update_changes_nothing() {
    let environment = Environment::for_tests();
    let other = NewUser {
        external_id: Some("2".to_owned()),
        ..new("b@example.com")
    };
    create_in(&environment, other).unwrap();
    let user = create_in(
        &environment,
        NewUser {
            email_verified: true,
            ..new("a@example.com")
        },
    )
    .unwrap();
    let email = |email: &str| UserChanges {
        email: Some(email.to_owned()),
        ..UserChanges::default()
    };
    for (changes, code) in [
        (email("B@example.com"), "email_not_available"),
        (email("b@"), "invalid_email"),
        (
            UserChanges {
                email_verified: Some(false),
                ..UserChanges::default()
            },
            "email_already_verified",
        ),
        (
            UserChanges {
                external_id: set("2"),
                ..email("c@example.com")
            },
            "external_id_already_used",
        ),
        (
            UserChanges {
                locale: set("?"),
                ..email("c@example.com")
            },
            "invalid_locale",
        ),
        (
            UserChanges {
                metadata: json!({"k": {}}).as_object().cloned(),
                ..email("c@example.com")
            },
            "invalid_metadata",
        ),
    ] {
        let refused = update_in(&environment, &user.id, changes).unwrap_err();
        assert_eq!((refused.status, refused.code()), (400, Some(code)));
    }
    assert_eq!(environment.state().sequence, 2);
    assert_eq!(environment.state().users.get(&user.id), Some(&user));
    assert_eq!(
        update_in(&environment, "user_x", UserChanges::default())
            .unwrap_err()
            .status,
        404
    );
}

fn join(environment: &Environment, user: &User, organization_id: &str, status: MembershipStatus) {
    environment
        .transact(|tx| {
            let membership = OrganizationMembership {
                id: tx.id("om"),
                user_id: user.id.clone(),
                organization_id: organization_id.to_owned(),
                status,
                directory_id: None,
                custom_attributes: serde_json::Map::new(),
                user_place: tx.users.place(&user.id).unwrap(),
                roles: vec!["member".to_owned()],
                created_at: tx.now(),
                updated_at: tx.now(),
            };
            tx.put(membership).map(drop)
        })
        .unwrap();
}

fn acme(environment: &Environment) -> String {
    let new = CreateOrganization {
        name: "Acme".to_owned(),
        ..CreateOrganization::default()
    };
    environment
        .transact(|tx| organizations::create(tx, new))
        .unwrap()
        .id
        .clone()
}

#[test]
fn a_deleted_user_takes_password_and_memberships_along() {
    let environment = Environment::for_tests();
    let acme = acme(&environment);
    let with_password = NewUser {
        password_hash: Some(PasswordHash::decoy()),
        ..new("ada@example.com")
    };
    let user = create_in(&environment, with_password).unwrap();
    let other = create_in(&environment, new("eve@example.com")).unwrap();
    join(&environment, &user, &acme, MembershipStatus::Pending);
    join(&environment, &other, &acme, MembershipStatus::Active);
    environment.transact(|tx| delete(tx, &user.id)).unwrap();
    let state = environment.state();
    assert!(state.users.get(&user.id).is_none() && password::find(&state, &user.id).is_none());
    let left: Vec<_> = state
        .organization_memberships
        .iter()
        .map(|left| &left.user_id)
        .collect();
    assert_eq!(left, [&other.id]);
    let (names, data) = events(&environment);
    assert_eq!(names[3..], ["organization_membership.deleted", "user.deleted"]);
    assert_eq!(data, serde_json::to_value(&user).unwrap());
    assert_eq!(
        environment
            .transact(|tx| delete(tx, &user.id))
            .unwrap_err()
            .status,
        404
    );
    create_in(&environment, new("ada@example.com")).expect("the address is free again");
}

#[test]
fn the_users_of_an_organization_are_listed_in_order_of_their_creation() {
    let environment = Environment::for_tests();
    let acme = acme(&environment);
    let users: Vec<_> = (0..7)
        .map(|number| create_in(&environment, new(&format!("user{number}@example.com"))).unwrap())
        .collect();
    // The oldest user joined last; two cannot sign in.
    for number in [5, 2, 3, 6, 0] {
        join(&environment, &users[number], &acme, MembershipStatus::Active);
    }
    join(&environment, &users[1], &acme, MembershipStatus::Inactive);
    join(&environment, &users[4], &acme, MembershipStatus::Pending);
    let page = |page: Page| list::of_organization(&environment.state(), &acme, &page).unwrap();
    let emails = |list: &crate::store::List<Arc<User>>| -> String {
        list.data
            .iter()
            .filter_map(|user| user.email.chars().nth(4))
            .collect()
    };
    let first = page(Page {
        limit: 2,
        ..Page::default()
    });
    assert_eq!((emails(&first), &first.before), ("65".to_owned(), &None));
    assert_eq!(first.after.as_ref(), Some(&users[5].id));
    // The page goes on behind a user that left in the meantime.
    environment.transact(|tx| delete(tx, &users[5].id)).unwrap();
    let second = page(Page {
        limit: 2,
        after: first.after,
        ..Page::default()
    });
    assert_eq!(emails(&second), "32");
    let back = page(Page {
        limit: 2,
        before: second.before,
        ..Page::default()
    });
    assert_eq!((emails(&back), back.before), ("6".to_owned(), None));
    assert_eq!(
        emails(&page(Page {
            after: second.after,
            ..Page::default()
        })),
        "0"
    );
    let unknown = Page {
        after: Some("user_x".to_owned()),
        ..Page::default()
    };
    assert!(list::of_organization(&environment.state(), &acme, &unknown).is_err());
}
