//! Directories, with their users and groups.

use super::{
    super::format::{Document, SeedDirectory},
    Planting, Problem,
};
use crate::{
    api::directory_sync::{
        directories::NewDirectory,
        plain::{self, FilledDirectory},
    },
    server::error::ApiError,
};

impl Planting<'_, '_> {
    pub(super) fn directories(&mut self, document: &Document) {
        for (at, directory) in document.directories.iter().enumerate() {
            self.directory(&format!("directories[{at}]"), directory);
        }
    }

    fn directory(&mut self, path: &str, directory: &SeedDirectory) {
        let Some(organization_id) = self.organizations.get(&directory.organization).cloned() else {
            let problem = Problem::new(format!("{path}.organization"), "no organization has this name");
            self.problems.push(problem.got(directory.organization.as_str()));
            return;
        };
        let state = &**self.tx;
        let taken = directory
            .id
            .iter()
            .filter(|id| state.directories.get(id).is_some())
            .map(|id| (format!("{path}.id"), id.clone()));
        let people = directory.users.iter().enumerate().filter_map(|(nth, person)| {
            let id = person.id.as_ref()?;
            let is_taken = state.directory_users.get(id).is_some();
            is_taken.then(|| (format!("{path}.users[{nth}].id"), id.clone()))
        });
        let taken: Vec<_> = taken.chain(people).collect();
        if !taken.is_empty() {
            for (path, id) in taken {
                self.taken(path, &id);
            }
            return;
        }
        let new = FilledDirectory {
            directory: NewDirectory {
                id: directory.id.clone(),
                organization_id,
                name: directory.name.clone(),
                domain: directory.domain.clone(),
                r#type: directory.r#type,
                state: directory.state,
                external_key: directory.external_key.clone(),
                group_roles: directory.group_roles.clone(),
            },
            bearer_token: directory.bearer_token.clone(),
            groups: directory.groups.clone(),
            users: directory.users.clone(),
        };
        let created = plain::create_filled(self.tx, new).map_err(ApiError::from);
        if let Some((created, _)) = self.accept(|| path.to_owned(), created) {
            self.seeded.add("directories", &created.name, &created.id);
        }
    }
}
