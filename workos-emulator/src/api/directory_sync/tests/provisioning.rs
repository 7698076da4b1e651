//! AuthKit users and memberships that follow a directory.

use super::{super::users as directory_users, *};
use crate::{
    api::user_management::{
        memberships::{self, MembershipStatus, OrganizationMembership},
        users,
    },
    control::settings,
};

impl Provider {
    fn provisioning() -> Self {
        let provider = Self::new();
        provider
            .fixture
            .set(|settings| settings.directory_sync.provisioning = true);
        provider
    }

    fn membership(&self, email: &str) -> Option<Arc<OrganizationMembership>> {
        let state = self.fixture.environment.state();
        let user = users::find_by_email(&state, email)?;
        let id = memberships::id_of(&state, &user.id, &self.organization_id)?;
        Some(Arc::clone(memberships::find(&state, &id).unwrap()))
    }
}

#[test]
fn nobody_is_provisioned_unless_it_is_turned_on() {
    let provider = Provider::new();
    provider.user("grace@acme.example");
    assert!(users::find_by_email(&provider.fixture.environment.state(), "grace@acme.example").is_none());
}

#[test]
fn somebody_at_a_verified_domain_is_a_member_for_as_long_as_the_directory_has_them() {
    let provider = Provider::provisioning();
    provider.fixture.add_role("developer", &[]);
    let id = provider.user("grace@acme.example");
    let membership = provider.membership("grace@acme.example").unwrap();
    assert_eq!(
        (
            membership.status,
            membership.is_directory_managed(&provider.fixture.environment.state()),
            membership.role()
        ),
        (MembershipStatus::Active, true, "member")
    );
    let state = provider.fixture.environment.state();
    let user = users::find_by_email(&state, "grace@acme.example").unwrap();
    assert!(user.email_verified);
    assert_eq!(user.name.as_deref(), Some("Grace Hopper"));
    // The name follows; the address does not, and nobody else changes it.
    let mut changed = scim("hopper@acme.example");
    changed.insert(
        "name".to_owned(),
        json!({"givenName": "Amazing", "familyName": "Grace"}),
    );
    provider.replace(&id, changed.clone()).unwrap();
    let state = provider.fixture.environment.state();
    let user = users::find(&state, &user.id).unwrap();
    assert_eq!(
        (user.email.as_str(), user.first_name.as_deref()),
        ("grace@acme.example", Some("Amazing"))
    );
    let email = users::UserChanges {
        email: Some("x@acme.example".to_owned()),
        ..users::UserChanges::default()
    };
    let refused = provider
        .fixture
        .environment
        .transact(|tx| users::update(tx, &user.id, email));
    assert_eq!(refused.unwrap_err().code(), Some("email_change_not_allowed"));
    // Roles of groups are roles of the membership.
    let group = provider.group("Engineering", &[&id]);
    provider
        .run(|tx| groups::set_role(tx, &group, Some("developer".to_owned())))
        .unwrap();
    assert_eq!(
        provider.membership("grace@acme.example").unwrap().role(),
        "developer"
    );
    // Inactive: so is the membership, with the default role.
    provider
        .replace(&id, with(changed.clone(), "active", json!(false)))
        .unwrap();
    let membership = provider.membership("grace@acme.example").unwrap();
    assert_eq!(
        (membership.status, membership.role()),
        (MembershipStatus::Inactive, "member")
    );
    provider.replace(&id, changed).unwrap();
    let membership = provider.membership("grace@acme.example").unwrap();
    assert_eq!(
        (membership.status, membership.role()),
        (MembershipStatus::Active, "developer")
    );
    provider.run(|tx| directory_users::delete(tx, &id)).unwrap();
    let membership = provider.membership("grace@acme.example").unwrap();
    assert_eq!(membership.status, MembershipStatus::Inactive);
}

#[test]
fn a_membership_has_the_custom_attributes_of_its_directory_user() {
    let provider = Provider::provisioning();
    provider
        .push(with(scim("grace@acme.example"), "title", json!("Admiral")))
        .unwrap();
    assert!(
        provider
            .membership("grace@acme.example")
            .unwrap()
            .custom_attributes
            .is_empty()
    );
    let changes = json!({"directory_sync": {"predefined_attributes": ["job_title"]}});
    let changed = provider
        .fixture
        .environment
        .transact(|tx| settings::change(tx, &changes));
    changed.unwrap().unwrap();
    let membership = provider.membership("grace@acme.example").unwrap();
    assert_eq!(
        membership.custom_attributes,
        object(json!({"job_title": "Admiral"}))
    );
    let updated = provider.fixture.events("organization_membership.updated");
    assert_eq!(updated[0].1["custom_attributes"], json!({"job_title": "Admiral"}));
}

#[test]
fn a_guest_is_pending_and_gone_when_the_directory_lets_them_go() {
    let provider = Provider::provisioning();
    let id = provider.user("grace@elsewhere.example");
    let membership = provider.membership("grace@elsewhere.example").unwrap();
    assert_eq!(membership.status, MembershipStatus::Pending);
    let state = provider.fixture.environment.state();
    assert!(
        !users::find_by_email(&state, "grace@elsewhere.example")
            .unwrap()
            .email_verified
    );
    let invited = provider.fixture.events("invitation.created");
    assert_eq!(invited[0].1["email"], "grace@elsewhere.example");
    assert_eq!(invited[0].1["organization_id"], json!(provider.organization_id));
    let state = provider.fixture.environment.state();
    let mail = state.messages.iter().next_back().unwrap();
    assert_eq!(
        (mail.kind.as_str(), mail.to.as_str()),
        ("invitation", "grace@elsewhere.example")
    );
    let token = mail.token.as_deref().unwrap();
    assert!(
        mail.url
            .as_deref()
            .unwrap()
            .ends_with(&format!("&invitation_token={token}")),
        "{mail:?}"
    );
    // The directory has no say in a guest's name.
    let renamed = with(
        scim("grace@elsewhere.example"),
        "name",
        json!({"givenName": "Eve"}),
    );
    provider.replace(&id, renamed.clone()).unwrap();
    let state = provider.fixture.environment.state();
    let user = users::find_by_email(&state, "grace@elsewhere.example").unwrap();
    assert_eq!(user.first_name.as_deref(), Some("Grace"));
    provider
        .replace(&id, with(renamed, "active", json!(false)))
        .unwrap();
    assert!(provider.membership("grace@elsewhere.example").is_none());
    assert_eq!(provider.fixture.events("invitation.").len(), 2, "it is revoked");
    assert_eq!(provider.fixture.events("invitation.revoked").len(), 1);
}

#[test]
fn a_deprovisioned_member_is_signed_out_and_a_deleted_user_is_forgotten() {
    let provider = Provider::provisioning();
    // Ada is there already, and a member by hand.
    provider
        .fixture
        .add_membership(&provider.organization_id, json!({}));
    let id = provider.user(crate::api::user_management::authenticate::fixture::EMAIL);
    let membership = provider.membership("ada@example.com").unwrap();
    assert_eq!(membership.user_id, provider.fixture.user_id);
    assert!(membership.directory_id.is_some() && membership.status == MembershipStatus::Active);
    provider.fixture.signed_in();
    provider.run(|tx| directory_users::delete(tx, &id)).unwrap();
    let names: Vec<_> = provider
        .fixture
        .events("")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names[names.len() - 3..],
        [
            "dsync.user.deleted",
            "session.revoked",
            "organization_membership.updated"
        ]
    );
    let id = provider.user("grace@acme.example");
    let user_id = provider.membership("grace@acme.example").unwrap().user_id.clone();
    provider
        .fixture
        .environment
        .transact(|tx| users::delete(tx, &user_id))
        .unwrap();
    let state = provider.fixture.environment.state();
    assert_eq!(directory_users::find(&state, &id).unwrap().user_id, None);
    // The next push brings the person back.
    provider
        .replace(&id, with(scim("grace@acme.example"), "title", json!("x")))
        .unwrap();
    assert!(provider.membership("grace@acme.example").is_some());
}

#[test]
fn members_stay_when_the_directory_is_deleted_and_nobody_manages_them() {
    let provider = Provider::provisioning();
    provider.user("grace@acme.example");
    let shown = || {
        let membership = provider.membership("grace@acme.example").unwrap();
        let state = provider.fixture.environment.state();
        serde_json::to_value(membership.body(&state).unwrap()).unwrap()
    };
    assert_eq!(
        (&shown()["status"], &shown()["directory_managed"]),
        (&json!("active"), &json!(true))
    );
    let events = provider.fixture.events("").len();
    provider
        .run(|tx| Ok(directories::delete(tx, &provider.directory.id)?))
        .unwrap();
    assert_eq!(
        (&shown()["status"], &shown()["directory_managed"]),
        (&json!("active"), &json!(false))
    );
    let told: Vec<_> = provider.fixture.events("").split_off(events);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "dsync.deleted", "which is the sole event");
}
