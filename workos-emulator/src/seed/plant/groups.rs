//! Groups of organizations, with their members.

use super::{super::format::SeedGroup, Planting, Problem};
use crate::api::{
    groups::{self, NewGroup},
    user_management::memberships,
};

impl Planting<'_, '_> {
    pub(super) fn group(&mut self, path: &str, organization_id: &str, group: &SeedGroup) {
        let new = NewGroup {
            name: group.name.clone(),
            description: group.description.clone(),
        };
        let created = groups::create(self.tx, organization_id, new);
        let Some(created) = self.accept(|| path.to_owned(), created) else {
            return;
        };
        self.seeded.add("groups", &created.name, &created.id);
        for (nth, email) in group.members.iter().enumerate() {
            let path = || format!("{path}.members[{nth}]");
            let Some(user_id) = self.user_id(path, email) else {
                continue;
            };
            let Some(membership_id) = memberships::id_of(self.tx, &user_id, organization_id) else {
                let problem = Problem::new(path(), "this user is no member of the organization");
                self.problems.push(problem.got(email.as_str()));
                continue;
            };
            let added = groups::add_member(self.tx, organization_id, &created.id, &membership_id);
            self.accept(path, added);
        }
    }
}
