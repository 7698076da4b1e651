//! Connections, with the people whom their identity providers know.

use super::{super::format::Document, Planting, Problem};
use crate::{
    api::sso::connections::{self, NewConnection},
    control::connections::add_profile,
};

impl Planting<'_, '_> {
    pub(super) fn connections(&mut self, document: &Document) {
        for (at, seed) in document.connections.iter().enumerate() {
            let path = || format!("connections[{at}]");
            let Some(organization_id) = self.organizations.get(&seed.organization).cloned() else {
                let problem = Problem::new(
                    format!("{}.organization", path()),
                    "no organization has this name",
                );
                self.problems.push(problem.got(seed.organization.as_str()));
                continue;
            };
            if let Some(id) = &seed.id
                && self.tx.connections.get(id).is_some()
            {
                self.taken(format!("{}.id", path()), id);
                continue;
            }
            let new = NewConnection {
                id: seed.id.clone(),
                name: Some(seed.name.clone()),
                state: seed.state,
                domains: seed.domains.clone(),
                group_roles: seed.group_roles.clone(),
                idp_initiated_sso: seed.idp_initiated_sso,
                external_key: seed.external_key.clone(),
                ..NewConnection::active(Some(organization_id), &seed.connection_type)
            };
            let created = new
                .with_oidc(seed.oidc_options.clone())
                .and_then(|new| connections::create(self.tx, new));
            let Some(connection) = self.accept(path, created) else {
                continue;
            };
            self.seeded.add("connections", &connection.name, &connection.id);
            for (nth, profile) in seed.profiles.iter().enumerate() {
                let added = add_profile(self.tx, &connection, profile.clone());
                if let Some(profile) = self.accept(|| format!("{}.profiles[{nth}]", path()), added) {
                    self.seeded.add("profiles", &profile.email, &profile.id);
                }
            }
        }
    }
}
