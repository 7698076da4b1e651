//! Feature flags, with their targets.

use super::{super::format::Document, Planting, Problem};
use crate::api::feature_flags;

impl Planting<'_, '_> {
    pub(super) fn feature_flags(&mut self, document: &Document) {
        for (at, flag) in document.feature_flags.iter().enumerate() {
            let path = || format!("featureFlags[{at}]");
            let mut new = flag.flag.clone();
            if let Some(id) = &new.id
                && self.tx.feature_flags.get(id).is_some()
            {
                self.taken(format!("{}.id", path()), id);
                continue;
            }
            for (nth, email) in flag.users.iter().enumerate() {
                let id = self.user_id(|| format!("{}.targets.users[{nth}]", path()), email);
                new.targets.extend(id);
            }
            for (nth, name) in flag.organizations.iter().enumerate() {
                let named = self
                    .tx
                    .organizations
                    .iter()
                    .find(|organization| organization.name == *name);
                match named {
                    Some(organization) => new.targets.push(organization.id.clone()),
                    None => {
                        let path = format!("{}.targets.organizations[{nth}]", path());
                        let problem = Problem::new(path, "no organization has this name");
                        self.problems.push(problem.got(name.as_str()));
                    }
                }
            }
            let created = feature_flags::create(self.tx, new);
            if let Some(flag) = self.accept(path, created) {
                self.seeded.add("featureFlags", &flag.slug, &flag.id);
            }
        }
    }
}
