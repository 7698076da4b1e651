//! How users come, change, turn inactive and go; and how they are found.

use super::{
    super::{
        settings::{InactiveUsers, ScimProfile},
        users::{self, Standing, UserChanges, UserState, list_users},
    },
    *,
};

#[test]
fn a_user_is_shown_as_pushed_and_says_what_changed() {
    let provider = Provider::new();
    let seen = provider.seen();
    let attributes = with(scim("grace@acme.example"), "title", json!("Rear Admiral"));
    let id = provider.push(attributes.clone()).unwrap().id.clone();
    let created = json!({
        "object": "directory_user", "id": id, "directory_id": provider.directory.id,
        "organization_id": provider.organization_id, "idp_id": "grace@acme.example",
        "email": "grace@acme.example", "first_name": "Grace", "last_name": "Hopper", "name": "Grace Hopper",
        "emails": [{"primary": true, "type": "work", "value": "grace@acme.example"}],
        "job_title": "Rear Admiral", "username": "grace@acme.example", "state": "active",
        "raw_attributes": {}, "custom_attributes": {}, "role": {"slug": "member"}, "roles": [{"slug": "member"}],
        "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
    });
    assert_eq!(
        provider.events(seen),
        [("dsync.user.created".to_owned(), created.clone())]
    );
    provider.fixture.advance(1);
    let mut changed = with(attributes, "title", json!("Commodore"));
    changed.remove("name");
    let updated = provider.replace(&id, changed.clone()).unwrap();
    assert_eq!(updated.version, 2);
    provider.replace(&id, changed).unwrap();
    let (name, data) = provider.events(seen + 1).remove(0);
    assert_eq!((name.as_str(), provider.seen()), ("dsync.user.updated", seen + 2));
    assert_eq!(
        data["previous_attributes"],
        json!({"first_name": "Grace", "last_name": "Hopper", "name": "Grace Hopper", "job_title": "Rear Admiral"})
    );
    assert_eq!(data["updated_at"], "2026-01-15T12:00:01.000Z");
    // What applications do not see has no event.
    provider
        .replace(
            &id,
            with(
                provider.state_of(&id).attributes.clone(),
                "nickName",
                json!("Amazing"),
            ),
        )
        .unwrap();
    assert_eq!(provider.seen(), seen + 2);
    provider.run(|tx| users::delete(tx, &id)).unwrap();
    let (name, data) = provider.events(seen + 2).remove(0);
    assert_eq!((name.as_str(), &data["id"]), ("dsync.user.deleted", &json!(id)));
    assert_eq!(provider.call(users::get_user, &id, "").unwrap_err().status, 404);
}

impl Provider {
    fn state_of(&self, id: &str) -> Arc<DirectoryUser> {
        Arc::clone(users::find(&self.fixture.environment.state(), id).unwrap())
    }
}

#[test]
fn an_inactive_user_is_deleted_for_applications_and_created_when_active_again() {
    let provider = Provider::new();
    let id = provider.user("grace@acme.example");
    let group = provider.group("Navy", &[&id]);
    let seen = provider.seen();
    let inactive = with(scim("grace@acme.example"), "active", json!(false));
    let user = provider.replace(&id, inactive.clone()).unwrap();
    assert_eq!(
        (user.state, user.standing),
        (UserState::Inactive, Standing::Retained)
    );
    assert_eq!(provider.names(seen), ["dsync.user.deleted"]);
    assert_eq!(provider.events(seen)[0].1["state"], "active");
    assert_eq!(provider.call(users::get_user, &id, "").unwrap_err().status, 404);
    let directory = format!("directory={}", provider.directory.id);
    for query in [&directory, &format!("group={group}"), ""] {
        assert!(provider.listed(list_users, query).is_empty(), "{query}");
    }
    // Nobody hears of what changes meanwhile.
    provider
        .replace(&id, with(inactive, "title", json!("Retired")))
        .unwrap();
    assert_eq!(provider.seen(), seen + 1);
    provider.replace(&id, scim("grace@acme.example")).unwrap();
    assert_eq!(
        provider.names(seen + 1),
        ["dsync.user.created", "dsync.group.user_added"]
    );
    assert_eq!(
        provider.listed(list_users, &format!("group={group}")),
        [id.as_str()]
    );
    assert!(provider.fixture.environment.state().is_consistent());
}

#[test]
fn an_inactive_user_stays_where_inactive_users_are_kept() {
    let provider = Provider::new();
    provider
        .fixture
        .set(|settings| settings.directory_sync.inactive_users = InactiveUsers::Keep);
    let id = provider.user("grace@acme.example");
    let seen = provider.seen();
    provider
        .replace(&id, with(scim("grace@acme.example"), "active", json!(false)))
        .unwrap();
    let (name, data) = provider.events(seen).remove(0);
    assert_eq!(
        (name.as_str(), &data["state"]),
        ("dsync.user.updated", &json!("inactive"))
    );
    assert_eq!(data["previous_attributes"], json!({"state": "active"}));
    let counts = directories::counts(&provider.fixture.environment.state(), &provider.directory.id);
    assert_eq!((counts.active, counts.inactive, counts.hidden), (0, 1, 0));
    // An inactive user may be made, and holds no address.
    let created = provider
        .push(with(scim("x@acme.example"), "active", json!(false)))
        .unwrap();
    assert_eq!(created.state, UserState::Inactive);
    let other = with(scim("grace@acme.example"), "userName", json!("other"));
    assert!(provider.push(other).is_ok());
}

#[test]
fn a_suspended_user_stays_so_until_somebody_says_otherwise() {
    let provider = Provider::new();
    let id = provider.user("grace@acme.example");
    let seen = provider.seen();
    let set = |state| {
        let changes = UserChanges {
            attributes: scim("grace@acme.example"),
            state: Some(state),
            ..UserChanges::default()
        };
        provider.run(|tx| users::update(tx, &id, changes)).unwrap()
    };
    set(UserState::Suspended);
    let pushed = provider
        .replace(&id, with(scim("grace@acme.example"), "title", json!("x")))
        .unwrap();
    assert_eq!(pushed.state, UserState::Suspended);
    set(UserState::Active);
    let previous: Vec<_> = provider
        .events(seen)
        .into_iter()
        .map(|(_, data)| data["previous_attributes"].clone())
        .collect();
    assert_eq!(
        previous,
        [
            json!({"state": "active"}),
            json!({"job_title": null}),
            json!({"state": "suspended", "job_title": "x"})
        ]
    );
}

#[test]
fn refusals_name_the_rule() {
    let provider = Provider::new();
    provider.user("grace@acme.example");
    let blank = with(scim("x@acme.example"), "userName", json!(" "));
    let text = with(scim("x@acme.example"), "active", json!("false"));
    let same_name = scim("GRACE@acme.example");
    let same_email = with(scim("Grace@acme.example"), "userName", json!("other"));
    let inactive = with(scim("x@acme.example"), "active", json!(false));
    let without = with(
        with(scim("x@acme.example"), "emails", json!([])),
        "userName",
        json!("x"),
    );
    for (attributes, refusal, message) in [
        (blank, DirectoryError::UserNameRequired, "'userName' is required"),
        (
            text,
            DirectoryError::ActiveNotBoolean,
            "'active' must be a boolean",
        ),
        (
            same_name,
            DirectoryError::UserNameTaken("GRACE@acme.example".to_owned()),
            "Another user already exists with this username 'GRACE@acme.example'",
        ),
        (
            same_email,
            DirectoryError::EmailTaken("grace@acme.example".to_owned()),
            "Another user already exists with this email 'grace@acme.example'",
        ),
        (
            inactive,
            DirectoryError::CreatedInactive,
            "Inactive users cannot be created",
        ),
        (
            without,
            DirectoryError::EmailsMissing,
            "Required attributes missing: emails",
        ),
    ] {
        let refused = provider.push(attributes).unwrap_err();
        assert_eq!(refused.to_string(), message);
        assert_eq!(refused, refusal);
        assert!((400..500).contains(&ApiError::from(refused).status));
    }
    // Under the RFC alone, all but the first three are free.
    provider
        .fixture
        .set(|settings| settings.scim_profile = ScimProfile::Rfc7644);
    let same_email = with(scim("grace@acme.example"), "userName", json!("other"));
    assert!(provider.push(same_email).is_ok());
    let without = with(with(scim("y"), "emails", json!([])), "userName", json!("y"));
    assert_eq!(provider.push(without).unwrap().email, None);
    assert!(
        provider
            .push(with(scim("z@acme.example"), "active", json!(false)))
            .is_ok()
    );
    assert!(provider.push(scim("GRACE@acme.example")).is_err());
}

#[test]
fn a_user_without_an_address_is_hidden_until_it_comes() {
    let provider = Provider::new();
    let seen = provider.seen();
    let without = with(
        with(scim("x"), "emails", json!([{"value": " "}])),
        "userName",
        json!("grace"),
    );
    assert_eq!(
        provider.push(without.clone()).unwrap_err(),
        DirectoryError::EmailsMissing
    );
    let state = provider.fixture.environment.state();
    let hidden = state.directory_users.iter().next().unwrap();
    assert_eq!(hidden.standing, Standing::Validating);
    assert!(
        provider
            .listed(list_users, &format!("directory={}", provider.directory.id))
            .is_empty()
    );
    assert_eq!(
        provider.replace(&hidden.id, without).unwrap_err(),
        DirectoryError::EmailsMissing
    );
    assert_eq!(provider.seen(), seen);
    // Sent again, whole, it is the same user.
    let whole = with(scim("grace@acme.example"), "userName", json!("grace"));
    assert_eq!(provider.push(whole).unwrap().id, hidden.id);
    assert_eq!(provider.names(seen), ["dsync.user.created"]);
    let counts = directories::counts(&provider.fixture.environment.state(), &provider.directory.id);
    assert_eq!((counts.active, counts.hidden), (1, 0));
}

#[test]
fn the_primary_address_is_chosen_in_order() {
    let primary = |emails: Value| {
        let attributes = object(json!({"userName": "x", "emails": emails}));
        users::attributes::primary_email(&attributes)
    };
    let of = |kind: &str, value: &str| json!({"type": kind, "value": value});
    let (home, work) = (of("home", "h@x.example"), of("Work", "W@x.example"));
    let flagged = json!({"type": "other", "value": "p@x.example", "primary": true});
    assert_eq!(
        primary(json!([home, work, flagged])).as_deref(),
        Some("p@x.example")
    );
    assert_eq!(primary(json!([home, work])).as_deref(), Some("w@x.example"));
    assert_eq!(
        primary(json!([of("other", "o@x.example"), home])).as_deref(),
        Some("h@x.example")
    );
    assert_eq!(
        primary(json!([of("other", "o@x.example")])).as_deref(),
        Some("o@x.example")
    );
    assert_eq!(primary(json!([of("work", "no address"), home])), None);
    assert_eq!(primary(json!("x")), None);
    // A userName that looks like an address stands in.
    let provider = Provider::new();
    let mut attributes = scim("grace@acme.example");
    attributes.remove("emails");
    let user = provider.push(attributes).unwrap();
    assert_eq!(user.email.as_deref(), Some("grace@acme.example"));
    assert_eq!(user.attributes["emails"][0]["type"], "work");
}

#[test]
fn users_are_found_by_what_the_api_asks_for() {
    let provider = Provider::new();
    let ids: Vec<_> = (0..5)
        .map(|n| provider.user(&format!("u{n}@acme.example")))
        .collect();
    let group = provider.group("Navy", &[&ids[3], &ids[1]]);
    let directory = format!("directory={}", provider.directory.id);
    let list = |query: &str| provider.listed(list_users, query);
    assert_eq!(list(&format!("{directory}&order=asc")), ids);
    assert_eq!(
        list(&format!("{directory}&idp_id=u2@acme.example")),
        [ids[2].as_str()]
    );
    assert_eq!(
        list(&format!("{directory}&email=U4@ACME.example")),
        [ids[4].as_str()]
    );
    assert_eq!(
        list(&format!(
            "{directory}&idp_id=u2@acme.example&email=u4@acme.example"
        )),
        [""; 0]
    );
    assert_eq!(
        list(&format!("group={group}")),
        [ids[3].as_str(), ids[1].as_str()]
    );
    assert_eq!(
        list(&format!("group={group}&email=u1@acme.example")),
        [ids[1].as_str()]
    );
    let page = provider
        .call(
            list_users,
            "",
            &format!("{directory}&order=asc&limit=2&after={}", ids[0]),
        )
        .unwrap();
    assert_eq!(page["data"][0]["id"], json!(ids[1]));
    assert_eq!(page["list_metadata"], json!({"before": ids[1], "after": ids[2]}));
    let page = provider
        .call(list_users, "", &format!("group={group}&limit=1"))
        .unwrap();
    assert_eq!(page["list_metadata"]["after"], json!(ids[3]));
    for (query, status) in [
        ("idp_id=1", 422),
        ("email=a@b.example", 422),
        ("directory=directory_x", 404),
        ("group=directory_group_x", 404),
        ("limit=0", 422),
        ("after=directory_user_x", 422),
    ] {
        assert_eq!(
            provider.call(list_users, "", query).unwrap_err().status,
            status,
            "{query}"
        );
    }
    let directories = |query: &str| provider.listed(directories::list_directories, query);
    let own = [provider.directory.id.as_str()];
    assert_eq!(
        directories(&format!("organization_id={}", provider.organization_id)),
        own
    );
    assert_eq!(directories("search=OKTA"), own);
    assert!(directories("search=azure").is_empty());
    assert!(directories("domain=acme.example").is_empty());
    let refused = provider
        .call(directories::list_directories, "", "organization_id=org_x")
        .unwrap_err();
    assert_eq!(refused.status, 422);
    assert_eq!(refused.body["message"], "Organization not found: 'org_x'.");
}

#[test]
fn the_providers_id_may_come_later() {
    let provider = Provider::new();
    let id = provider.user("grace@acme.example");
    let user = provider
        .replace(&id, with(scim("grace@acme.example"), "externalId", json!("00u1")))
        .unwrap();
    assert_eq!(user.idp_id, "00u1");
    let (_, updated) = provider.fixture.events("dsync.user.updated").pop().unwrap();
    assert_eq!(updated["idp_id"], "00u1");
    assert_eq!(updated["previous_attributes"]["idp_id"], "grace@acme.example");
    // What a later push leaves out is known all the same.
    let user = provider.replace(&id, scim("grace@acme.example")).unwrap();
    assert_eq!(user.idp_id, "00u1");
}
