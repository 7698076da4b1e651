//! Roles from groups.

use super::{
    super::directories::{DirectoryChanges, DirectoryType, GroupRole},
    *,
};

impl Provider {
    fn role_of(&self, id: &str) -> (Value, Value) {
        let shown = self.shown(id);
        (shown["role"]["slug"].clone(), shown["roles"].clone())
    }

    fn update(&self, changes: DirectoryChanges) -> Result<Arc<Directory>, ApiError> {
        self.fixture
            .environment
            .transact(|tx| directories::update(tx, &self.directory.id, changes))
    }

    fn map(&self, mappings: &[(&str, &str)]) -> Result<Arc<Directory>, ApiError> {
        let mapping = |(name, role): &(&str, &str)| GroupRole {
            name: (*name).to_owned(),
            role: (*role).to_owned(),
        };
        self.update(DirectoryChanges {
            group_roles: Some(mappings.iter().map(mapping).collect()),
            ..DirectoryChanges::default()
        })
    }
}

#[test]
fn a_mapped_group_gives_its_role_and_takes_it_back() {
    let provider = Provider::new();
    provider.fixture.add_role("developer", &[]);
    provider.fixture.add_role("designer", &[]);
    provider.map(&[("Engineering", "developer")]).unwrap();
    let user = provider.user("grace@acme.example");
    assert_eq!(provider.role_of(&user).0, "member");
    // The group comes later, in any case of its name.
    let engineering = provider.group("engineering", &[]);
    let seen = provider.seen();
    provider
        .run(|tx| groups::add_member(tx, &engineering, &user))
        .unwrap();
    assert_eq!(
        provider.names(seen),
        ["dsync.group.user_added", "dsync.user.updated"]
    );
    let (_, updated) = provider.events(seen).remove(1);
    assert_eq!(
        updated["previous_attributes"],
        json!({"role": {"slug": "member"}, "roles": [{"slug": "member"}]})
    );
    assert_eq!(provider.role_of(&user).0, "developer");
    // Of several roles the first one counts, unless there may be more.
    let design = provider.group("Design", &[&user]);
    provider
        .run(|tx| groups::set_role(tx, &design, Some("designer".to_owned())))
        .unwrap();
    assert_eq!(provider.role_of(&user).1, json!([{"slug": "developer"}]));
    provider.fixture.set(|settings| settings.multiple_roles = true);
    assert_eq!(
        provider.role_of(&user).1,
        json!([{"slug": "developer"}, {"slug": "designer"}])
    );
    let seen = provider.seen();
    provider.map(&[]).unwrap();
    assert_eq!(provider.names(seen), ["dsync.user.updated"]);
    assert_eq!(provider.role_of(&user).1, json!([{"slug": "designer"}]));
    provider.run(|tx| groups::delete(tx, &design)).unwrap();
    assert_eq!(
        provider.names(seen + 1),
        ["dsync.group.deleted", "dsync.user.updated"]
    );
    assert_eq!(provider.role_of(&user).0, "member");
}

#[test]
fn only_roles_that_are_there_are_mapped_and_only_by_some_providers() {
    let provider = Provider::new();
    let user = provider.user("grace@acme.example");
    let group = provider.group("Navy", &[&user]);
    assert_eq!(
        provider.map(&[("Navy", "admiral")]).unwrap_err().code(),
        Some("invalid_role")
    );
    let refused = provider.run(|tx| groups::set_role(tx, &group, Some("admiral".to_owned())));
    assert_eq!(ApiError::from(refused.unwrap_err()).status, 422);
    provider
        .update(DirectoryChanges {
            r#type: Some(DirectoryType::BambooHr),
            ..DirectoryChanges::default()
        })
        .unwrap();
    let shown = provider.shown(&user);
    assert!(shown.get("role").is_none() && shown.get("roles").is_none());
}
